/* SPDX-License-Identifier: GPL-2.0-or-later
 * supervisor.h - the parent that a group of containers needs: waits, collects logs, restarts,
 * answers names, holds ports. May depend on: all of engine/.
 *
 * One process a group. It holds the flock <run>/groups/GROUP/supervisor.lock for life and listens
 * on <run>/groups/GROUP/control.sock (0600, peer credentials checked: uid 0 or its own). It minds
 * only what runs or is to be restarted; the records on disk are the rest of its memory, so its
 * death loses nothing: the next one adopts by pidfd what still runs. Container output arrives
 * through FIFOs in <run>/containers/ID/ that the containers themselves hold open. The same object
 * serves in a foreground process (hooks show output, events) and detached. */
#ifndef MYCOMPOSE_SUPERVISOR_SUPERVISOR_H
#define MYCOMPOSE_SUPERVISOR_SUPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/errors.h"
#include "engine/container/container.h"
#include "engine/engine.h"
#include "engine/supervisor/logfile.h"
#include "engine/supervisor/loop.h"

#define SUPERVISOR_LOCK_NAME "supervisor.lock" /* in <run>/groups/GROUP */
/* To the holder of that lock, when its socket or a container's record cannot be found: it puts back
 * what was removed. Who does not know it ignores it (signal(7)). */
#define SUPERVISOR_RENEW_SIGNAL SIGURG

enum operation {
	OPERATION_START,   /* reply when execve has worked or failed and the post_start hooks are
			      through; at once when it runs */
	OPERATION_STOP,	   /* pre_stop hooks, signal, SIGKILL when the grace is over; reply when it
			      is gone and cleaned up */
	OPERATION_KILL,	   /* one signal; reply at once. SIGKILL and the container's stop signal
			      count as a stop for the restart policy */
	OPERATION_RESTART, /* stop + start */
	OPERATION_PAUSE,
	OPERATION_UNPAUSE,
	OPERATION_ATTACH, /* to a terminal; after the reply the connection is a stream, server.h */
	OPERATION_RESIZE, /* a terminal, to rows and columns */
};

struct request {
	enum operation operation;
	char id[ID_LENGTH + 1];
	int signal;	    /* STOP, RESTART: 0 = the container's; KILL: which, 0 = SIGKILL */
	int64_t timeout_ns; /* STOP, RESTART: -1 = the container's */
	uint16_t rows;	    /* RESIZE */
	uint16_t columns;
};

enum event_kind {
	EVENT_REPLY, /* to a request: tag, error */
	EVENT_STARTED,
	EVENT_EXITED, /* exit_code, oom; `restarting` when the policy will start it again */
	EVENT_PAUSED,
	EVENT_UNPAUSED,
	EVENT_HEALTH, /* health: it has changed while the container runs */
};

struct event {
	enum event_kind kind;
	uint64_t tag;
	char id[ID_LENGTH + 1];
	int exit_code; /* -1 unknown */
	bool oom_killed;
	bool restarting;
	enum container_health health; /* of all that are no replies: as it is now */
	int64_t time_ns;
	struct error error; /* EVENT_REPLY: code 0 = success; event_release frees it */
};
void event_release(struct event *event);

/* Called in the loop; all may be NULL. `bytes` are raw output as it came. */
struct supervisor_hooks {
	void (*output)(const struct container *container, enum log_stream stream, int64_t time_ns,
		const char *bytes, size_t length, void *arg);
	/* Right after the start (foreground `run`): a terminal container's pty master, which stays
	 * the supervisor's, or the write end of an open stdin, which is the hook's to close (that
	 * is the end of the input; relay_new takes it over). Both are non-blocking. -1 when the run
	 * has ended: a terminal's fd must not be used any more. For a terminal, output still
	 * arrives by `output`. */
	void (*input_ready)(const struct container *container, int fd, void *arg);
	void *arg;
	/* Asked after each `output`: true = the hook has enough for now. Nothing more of that
	 * stream is read (so the container waits once its FIFO is full, and nobody else does) until
	 * supervisor_read_on. */
	bool (*output_is_full)(void *arg);
};

struct supervisor;
/* -EWOULDBLOCK when another process supervises the group. Adopts what runs. */
int supervisor_new(const struct engine *engine, const char *group,
	const struct supervisor_hooks *hooks, struct supervisor **ret, struct error *err);
/* Closes everything, calls no hook; containers go on. Removes socket and, if nothing of the group
 * runs, the group's run dir. */
void supervisor_free(struct supervisor *supervisor);
struct loop *supervisor_loop(struct supervisor *supervisor);

/* Accept the request; its reply comes as an event with this tag, maybe at once. */
void supervisor_submit(struct supervisor *supervisor, const struct request *request, uint64_t tag);
/* The output hook can take more. */
void supervisor_read_on(struct supervisor *supervisor);
/* Take the next event of the local queue (replies to local tags and everything else). false = none
 * at the moment. */
bool supervisor_next_event(struct supervisor *supervisor, struct event *ret);
/* Containers running, starting, or waiting to be restarted. */
size_t supervisor_active(const struct supervisor *supervisor);
/* Clients connected to the control socket. */
size_t supervisor_clients(const struct supervisor *supervisor);
/* The rest of a detached supervisor's life: run until nothing is active and no client is connected.
 * SIGTERM: stop watching and leave containers running; SIGHUP, SIGINT, SIGPIPE ignored. Hooks are
 * not called and local events not kept any more. */
int supervisor_run(struct supervisor *supervisor, struct error *err);

#endif
