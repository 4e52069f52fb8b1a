/* SPDX-License-Identifier: GPL-2.0-or-later
 * control.h - drive a group of containers without caring where its supervisor lives.
 * May depend on: supervisor.h. Frames: 4-byte little-endian length (at most 64 KiB) + JSON.
 *
 * control_open connects to the group's supervisor, or, when there is none, becomes it in this
 * process. With CONTROL_DETACHABLE the process forks first (before anything is cloned, since
 * containers must be the supervisor's children): control_open then returns in the CHILD, which
 * still owns the terminal, while the parent only waits for control_finish and exits with the code
 * given there; signals typed at the terminal reach the child. */
#ifndef MYCOMPOSE_SUPERVISOR_CONTROL_H
#define MYCOMPOSE_SUPERVISOR_CONTROL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/base/errors.h"
#include "engine/engine.h"
#include "engine/supervisor/supervisor.h"

struct control;

enum control_mode {
	CONTROL_CONNECT_ONLY, /* -ENOENT when no supervisor runs */
	CONTROL_FOREGROUND,   /* become it here */
	CONTROL_DETACHABLE,   /* fork, become it in the child */
};

int control_open(const struct engine *engine, const char *group, enum control_mode mode,
	const struct supervisor_hooks *hooks, struct control **ret, struct error *err);
/* Closes; a local supervisor is freed (containers go on). */
void control_free(struct control *control);
/* After the last container of a group has gone: leave, and wait (at most timeout_ms) until the
 * other process that supervised it has ended, so that a command that promises an empty host keeps
 * its word. A local supervisor is not waited for. */
void control_await_end(struct control *control, int timeout_ms);
/* The local supervisor, or NULL when it is remote. */
struct supervisor *control_supervisor(struct control *control);
/* fd to poll beside others: loop's epoll fd or the socket. */
int control_fd(const struct control *control);

/* Send a request; returns its tag (> 0). */
int control_submit(struct control *control, const struct request *request, uint64_t *ret_tag,
	struct error *err);
/* Next event, pumping the loop or reading the socket; 1 = got one, 0 = timeout. -ECONNRESET: the
 * supervisor went away. */
int control_wait(struct control *control, int timeout_ms, struct event *ret, struct error *err);
/* Submit and wait for its reply; other events meanwhile are kept for control_wait. */
int control_call(struct control *control, const struct request *request, struct error *err);

/* Join the terminal of a running container of the group: from now on the (remote) connection is
 * that alone. What is written to control_fd, which is non-blocking then, is typed into it. */
int control_attach(struct control *control, const char *id, struct error *err);
/* What the terminal has shown, as much of it as is here: its length, the bytes valid until the next
 * call. -EAGAIN: nothing at the moment; 0: it is over, by the container's end or because we have
 * not read in time. */
ssize_t control_attached_read(struct control *control, const char **ret_bytes, struct error *err);

/* End of the command: in a CONTROL_DETACHABLE child tell the waiting parent `exit_code`; if
 * containers are active, go on as the detached supervisor (setsid, stdio to /dev/null) until they
 * are not, and exit the process. Otherwise (remote, foreground, nothing active) just returns
 * exit_code for main. `before_detach` (may be NULL) is called first, to drop locks and progress. */
int control_finish(
	struct control *control, int exit_code, void (*before_detach)(void *arg), void *arg);

#endif
