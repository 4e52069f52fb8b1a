/* SPDX-License-Identifier: GPL-2.0-or-later
 * launch.h - start a container's first process, and further ones inside it.
 * May depend on: engine/base/, container.h, cgroup, image, net.
 *
 * Starting has two halves, so that a caller can have many containers setting themselves up at once:
 * launch_begin checks and opens what it can, makes the cgroup with its limits and clones the child;
 * the child works on alone (namespaces, veth, addresses, mounts, identity, execve) while the caller
 * does other things; when status_fd becomes readable, launch_finish tells the outcome. The child
 * reports by fixed-size records on a close-on-exec socket; end of file means execve worked. Nothing
 * waits for the child between the two: whoever shares its pid namespace can stop it for good.
 * Just before its execve the child waits for a word of the parent, which comes after `about_to_run`
 * has written down that it runs: so no instant of the parent's death leaves a container running
 * that nobody knows of.
 * The program must have shielded its own file: self_exe_protect() of self_exe.h, else -EPERM. */
#ifndef MYCOMPOSE_CONTAINER_LAUNCH_H
#define MYCOMPOSE_CONTAINER_LAUNCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/base/errors.h"
#include "engine/base/ids.h"
#include "engine/cgroup/cgroup.h"
#include "engine/container/container.h"
#include "engine/engine.h"

struct launch {
	struct process_id process;
	int pidfd;
	int status_fd;	/* readable when the child has reported or executed */
	int console_fd; /* internal: socket on which the child sends its pty master */
	bool ready;	/* internal: the child is about to execute */
	bool done;	/* launch_finish has succeeded */
	int builder_fd; /* internal: pidfd of the process beside the child, see user_namespace.h */
	/* Called by launch_finish and exec_finish, once; may be NULL. Set after launch_begin. The
	 * execve may fail nevertheless. */
	void (*about_to_run)(void *arg);
	void *arg;
};
#define LAUNCH_INIT                                                 \
	{                                                           \
		{ 0, 0 }, -1, -1, -1, false, false, -1, NULL, NULL, \
	}
void launch_release(struct launch *launch); /* closes the fds; ends nothing */

/* The child's descriptors 0, 1, 2 (ignored for a terminal container, whose own pty they become).
 * FIFOs and ttys among them are given to the container's user so that /dev/stdout can be reopened.
 * They stay the caller's. */
struct launch_stdio {
	int in_fd;
	int out_fd;
	int err_fd;
};

/* Endpoints must have been allocated (endpoint_allocate) for each attachment. Makes the run dir
 * files (hosts, hostname, resolv.conf with the gateways as name servers), cgroup and child. On
 * failure everything made is undone. `host` is the caller's opened cgroup host. */
int launch_begin(const struct engine *engine, const struct cgroup_host *host,
	const struct container *container, const struct launch_stdio *stdio, struct launch *ret,
	struct error *err);
/* Call when status_fd is readable; never waits for the child. 1: it is still on its way, call again
 * when status_fd is readable again. 0: it runs; *ret_console is the pty master (terminal
 * containers) or -1. On failure: the message names the step in the user's words, err->exit_code is
 * 126 or 127 where docker's would be (125 else), and the child is reaped and its cgroup removed. To
 * give one up: SIGKILL by pidfd, which makes status_fd readable. */
int launch_finish(const struct engine *engine, const struct cgroup_host *host,
	const struct container *container, struct launch *launch, int *ret_console,
	struct error *err);

/* What remains of a run after its first process has ended: kill what is left in the cgroup, read
 * the OOM count, remove the cgroup, let go of volumes; launch_clean: remove the run dir too.
 * Endpoints are the caller's. */
int launch_end(const struct engine *engine, const struct cgroup_host *host,
	const struct container *container, bool *ret_oom_killed, struct error *err);
int launch_clean(const struct engine *engine, const struct cgroup_host *host,
	const struct container *container, bool *ret_oom_killed, struct error *err);

struct exec_request {
	char *const *args;
	char *const *env; /* on top of the container's */
	const char *cwd;  /* NULL = the container's */
	const char *user; /* NULL = the container's */
	bool terminal;
	uint16_t console_rows; /* 0 = not known */
	uint16_t console_columns;
	bool privileged;
	bool keep_stdio; /* the descriptors are the container's own: they keep their owner */
	/* Descendants that have lost their parent become its children (PR_SET_CHILD_SUBREAPER), not
	 * the container's first process's. */
	bool adopts_orphans;
};
/* A further process inside a running container: all namespaces by pidfd, cgroup first, same
 * capabilities, seccomp and user rules. Same two halves; the process is the caller's child.
 * exec_finish as launch_finish; errors 126/127 as docker's. */
int exec_begin(const struct engine *engine, const struct cgroup_host *host,
	const struct container *container, const struct container_state *state,
	const struct exec_request *request, const struct launch_stdio *stdio, struct launch *ret,
	struct error *err);
int exec_finish(struct launch *launch, int *ret_console, struct error *err);

#endif
