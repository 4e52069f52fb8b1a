/* SPDX-License-Identifier: GPL-2.0-or-later
 * minded.h - the insides of the supervisor, for the files of this room only: the object itself and
 * the containers it minds, each from the wish to start it to the end of its last run.
 *
 *   supervisor.c  the object, requests, events        adopt.c   what an earlier one left
 *   minded.c      start, run, exit, restart           stop.c    stop, kill, pause
 *   output.c      FIFOs, pty                          uplink.c  ports, addresses, names, firewall
 *   minded_log.c  log file, log drivers               viewers.c who has joined its terminal
 *   inside.c      commands of ours in a container     hooks.c, health_probe.c  which ones
 */
#ifndef MYCOMPOSE_SUPERVISOR_MINDED_H
#define MYCOMPOSE_SUPERVISOR_MINDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/strmap.h"
#include "engine/cgroup/cgroup.h"
#include "engine/container/launch.h"
#include "engine/net/resolver.h"
#include "engine/supervisor/event.h"
#include "engine/supervisor/journal.h"
#include "engine/supervisor/hooks.h"
#include "engine/supervisor/server.h"
#include "engine/supervisor/supervisor.h"

#define READ_BUFFER 65536

enum minded_phase {
	MINDED_QUEUED,	  /* to be launched in the next round */
	MINDED_LAUNCHING, /* cloned, setting itself up */
	MINDED_RUNNING,	  /* also paused */
	MINDED_WAITING,	  /* ended, to be restarted when the delay is over */
};

struct log_forward;
struct viewer;

struct origin {
	uint64_t client; /* 0 = this process */
	uint64_t tag;
};

struct waiter {
	struct origin origin;
	bool for_start; /* else for the end of the run */
};

struct output {
	struct minded *minded;
	enum log_stream stream;
	int fd; /* read end of the FIFO; stdout of a terminal container: its pty master */
	struct loop_source *source;
	bool paused; /* the hook is full */
	struct journal journal;
	bool has_no_journal; /* it could not be made */
};

struct minded {
	struct supervisor *supervisor;
	struct container *container;
	struct container_state state;
	enum minded_phase phase;
	bool automatic; /* this start is the restart policy's */
	struct waiter *waiters;
	size_t waiter_count;

	struct launch launch;
	struct loop_source *status_source;
	int pidfd;
	struct loop_source *exit_source;
	struct loop_timer *exit_timer; /* until somebody else has reaped it */
	int exit_looks;
	int64_t run_began_ns; /* monotonic */
	int64_t launched_ns;  /* when the child was about to execute */

	struct output outputs[2];
	int input_fd; /* write end of an open stdin that no hook has taken */
	struct viewer *viewers;
	int typing_fd; /* while the terminal takes no more of what they type */
	struct loop_source *typing_source;
	struct log_writer *log;		  /* NULL: its driver keeps none */
	struct log_forward *forward;	  /* NULL: nowhere */
	struct loop_timer *forward_timer; /* its other side is slow */
	bool log_failed;		  /* told once */

	struct published_port *ports; /* the record's, ephemeral ones filled in */
	struct port_socket *port_sockets;
	size_t port_socket_count;
	int64_t ports_refused_ns;      /* monotonic; somebody has them, first seen then; 0 = not */
	bool awaits_port;	       /* it stays in the queue */
	struct port_relay *port_relay; /* serves what no rule of the firewall leads away */
	bool served;		       /* counted in supervisor->served */

	struct health_monitor *health; /* NULL: nothing to probe */
	struct hook_run hooks;

	int64_t restart_delay_ns;
	struct loop_timer *restart_timer;

	bool stopping;
	bool start_again;   /* after the stop */
	bool started_again; /* this run is the second half of a restart */
	bool unhealthy;	    /* that is why it is stopped */
	int pending_signal; /* to be sent once it runs */
	struct loop_timer *grace_timer;
	int64_t grace_ends_ns; /* monotonic */
};

struct supervisor {
	const struct engine *engine;
	char *group;
	struct supervisor_hooks hooks;
	struct loop *loop;
	struct cgroup_host *host;
	int group_fd;
	int lock_fd;
	struct server *server;
	struct strmap minded;	/* id -> struct minded */
	struct inside *insides; /* commands of ours in containers, see inside.h */
	struct event_queue events;
	bool detached; /* nobody takes local events */
	bool quit;

	struct minded **queued;
	size_t queued_count;
	struct loop_timer *queue_timer;

	struct resolver *resolver;
	struct loop_source *resolver_source;
	struct loop_timer *resolver_timer;
	struct strmap served; /* network -> number of containers on it */

	bool firewall_dirty;
	int64_t firewall_dirty_since_ns;
	int64_t firewall_blocked_since_ns; /* the tables are another's; 0 = they are not */
	struct loop_timer *firewall_timer;

	char buffer[READ_BUFFER]; /* for whichever output is ready */
};

/* supervisor.c */
void supervisor_emit(struct supervisor *supervisor, const struct minded *minded,
	enum event_kind kind, bool restarting);
/* `err` NULL or empty = success. */
void supervisor_reply(struct supervisor *supervisor, const struct origin *origin, const char *id,
	const struct error *err);

/* adopt.c */
int supervisor_adopt(struct supervisor *supervisor, struct error *err);

/* minded.c */
/* Takes the container over, and moves the state in. */
struct minded *minded_new(
	struct supervisor *supervisor, struct container *container, struct container_state *state);
/* Closes everything of it; the container goes on. */
void minded_free(struct minded *minded);
void minded_wait(struct minded *minded, const struct origin *origin, bool for_start);
/* Answer those who wait for a start; `err` NULL = it has succeeded. */
void minded_answer_start(struct minded *minded, const struct error *err);
/* Queue a first start or, after a stop, the next. */
void minded_queue_start(struct minded *minded, bool automatic);
/* The queue's turn: all preparations, one firewall commit, all launches. */
void supervisor_run_queue(void *arg);
/* It runs: watch for its end. */
int minded_watch_exit(struct minded *minded, struct error *err);
/* Wait for `delay_ns`, then start it again. */
void minded_schedule_restart(struct minded *minded, int64_t delay_ns);
/* Not (any more) running and not to be restarted: forget it. Answers the waiters with `err`. */
void minded_finish(struct minded *minded, const struct error *err);
void minded_save(struct minded *minded, enum file_durability durability);
/* Before the supervisor ends: see a launch through, by force if it takes too long. */
void minded_settle(struct minded *minded);

/* stop.c */
void minded_stop(struct minded *minded, const struct request *request, const struct origin *origin,
	bool then_start);
/* Its health check wants it anew: stop it and start it again, as by the restart policy. */
void minded_replace_unhealthy(struct minded *minded);
int minded_kill(struct minded *minded, int signal, struct error *err);
/* SIGKILL to all of it, without a wait and without a note in the state. */
void minded_kill_all(struct minded *minded);
int minded_pause(struct minded *minded, bool pause, struct error *err);
/* It runs now: what was asked of it meanwhile. */
void minded_send_pending(struct minded *minded);

/* minded_log.c */
int minded_log_open(struct minded *minded, struct error *err);
/* What the output's journal has read. */
void minded_log_write(struct minded *minded, enum log_stream stream, int64_t now, const char *bytes,
	size_t length);
/* Words of ours between the container's. */
void minded_log_note(struct minded *minded, enum log_stream stream, int64_t now, const char *bytes,
	size_t length);
void minded_log_flush(struct minded *minded);
void minded_log_close(struct minded *minded);

/* output.c */
/* The FIFOs and the container's side of them. */
int output_prepare(struct minded *minded, struct launch_stdio *ret, struct error *err);
void output_close_child_side(struct launch_stdio *stdio);
/* After the start: the pty master of a terminal container (-1 = it has none), hooks. */
int output_begin(struct minded *minded, int console_fd, struct error *err);
/* Adoption: the FIFOs are there. */
int output_resume(struct minded *minded, struct error *err);
/* Where a hook writes: where the container does. To be closed by output_close_child_side. */
void output_for_hook(struct minded *minded, struct launch_stdio *ret);
/* A line of ours among its standard error. */
void output_note(struct minded *minded, const char *text);
/* It ended while nobody looked: what there is of its output goes to the log. */
void output_salvage(struct minded *minded);
/* Read what is left, end the log's open lines. */
void output_finish(struct minded *minded);
void output_close(struct minded *minded);
/* Neither the hook nor a viewer is full any more, or so it seems. */
void output_read_on(struct minded *minded);

/* viewers.c */
/* OPERATION_ATTACH: 1 = answered, and the client's connection is a stream now: the terminal's
 * output, and what is typed into it. */
int viewer_join(struct minded *minded, const struct origin *origin, struct error *err);
int viewers_resize(struct minded *minded, const struct request *request, struct error *err);
void viewers_show(struct minded *minded, const char *bytes, size_t length);
/* One of them reads too slowly: the terminal is not read until output_read_on. */
bool viewers_are_full(const struct minded *minded);
/* The run is over, or the supervisor: they see the end of the stream. */
void viewers_end(struct minded *minded);

/* uplink.c */
/* -EAGAIN: a port may soon be free; once more after UPLINK_RETRY. */
int uplink_prepare(struct minded *minded, struct error *err);
void uplink_resume(struct minded *minded);
/* Give back addresses and ports. */
void uplink_release(struct minded *minded);
/* Stop serving names and close port sockets, without touching the records. */
void uplink_close(struct minded *minded);
/* -EWOULDBLOCK: somebody else holds the lock of the kernel's tables; once more after UPLINK_RETRY.
 */
#define UPLINK_RETRY (20 * NS_PER_MS)
int uplink_settle_firewall(struct supervisor *supervisor, struct error *err);
void uplink_end(struct supervisor *supervisor);

/* uplink_ports.c */
/* -EAGAIN: somebody has one, perhaps only a child that is about to close its copy. */
int ports_hold(struct minded *minded, struct error *err);
void ports_let_go(struct minded *minded);

/* uplink_relay.c: after the endpoints are there; idempotent */
int port_relay_start(struct minded *minded, struct error *err);
void port_relay_stop(struct minded *minded);

/* uplink_names.c */
int names_serve(struct minded *minded, struct error *err);
/* Once it runs: for who is on no bridge. Failure is a warning. */
void names_serve_inside(struct minded *minded);
void names_serve_no_more(struct minded *minded);
void names_end(struct supervisor *supervisor);

#endif
