/* SPDX-License-Identifier: GPL-2.0-or-later
 * inside.c - a command that the supervisor itself runs inside a container. */
#include "engine/supervisor/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/base/times.h"
#include "engine/container/fields.h"
#include "engine/supervisor/exit_status.h"
#include "engine/supervisor/minded.h"
#include "engine/supervisor/process_tree.h"

#define NOTE_VERSION	1
#define EXIT_LOOK_DELAY (50 * NS_PER_MS)
#define READS_MAX	32 /* of READ_BUFFER: what is left at the end, however much is written */

struct inside {
	struct supervisor *supervisor;
	struct inside *next; /* in supervisor->insides */
	char id[ID_LENGTH + 1];
	char *cgroup_parent; /* where the container's cgroup lies, which may be gone before us */
	const char *name;
	struct inside **slot; /* NULL: abandoned */
	inside_handler done;  /* NULL: called, or abandoned */
	void *arg;
	bool end_group;

	struct launch launch;
	struct process_id process;
	int pidfd;
	int output_fd;
	size_t output_max;
	struct strbuf output;
	bool truncated;
	struct loop_source *status_source;
	struct loop_source *exit_source;
	struct loop_source *output_source;
	struct loop_timer *timeout_timer;
	struct loop_timer *look_timer; /* while somebody in the container keeps it from us */
	bool noted;
};

static const struct field note_fields[] = {
	FIELD_ROW("pid", FIELD_SIGNED, FIELD_REQUIRED, struct process_id, pid),
	FIELD_ROW("startTime", FIELD_UNSIGNED, FIELD_REQUIRED, struct process_id, start_time),
};
static const struct field_type note_type = FIELD_TYPE(struct process_id, note_fields);

static char *note_path(const char *id, const char *name)
{
	return xasprintf("containers/%s/inside-%s", id, name);
}

/* Before it executes anything: see launch.h. One that was given up is killed already, and the name
 * may be another's. */
static void note(void *arg)
{
	struct inside *inside = arg;
	cleanup_free char *directory = xasprintf("containers/%s", inside->id);
	cleanup_free char *name = xasprintf("inside-%s", inside->name);
	cleanup_error struct error err = ERROR_INIT;
	cleanup_fd int dir_fd = -1;

	if (!inside->slot)
		return;
	dir_fd = file_open(
		inside->supervisor->engine->run_fd, directory, O_RDONLY | O_DIRECTORY, 0, &err);
	if (dir_fd < 0 || fields_write_file(&note_type, NOTE_VERSION, &inside->process, dir_fd,
				  name, FILE_VOLATILE, &err) < 0)
		log_warning("container %.12s: %s", inside->id, error_text(&err));
	inside->noted = true;
}

/* The name may soon be another's. */
static void note_no_more(struct inside *inside)
{
	cleanup_free char *path = note_path(inside->id, inside->name);

	if (inside->noted)
		unlinkat(inside->supervisor->engine->run_fd, path, 0);
	inside->noted = false;
}

static void kill_tree(const struct supervisor *supervisor, const char *cgroup_parent,
	const char *id, const struct process_id *root)
{
	struct cgroup *cgroup = NULL;
	cleanup_error struct error err = ERROR_INIT;
	int r = cgroup_open(supervisor->host, cgroup_parent, id, &cgroup, &err);

	if (r == 0)
		r = process_tree_kill(cgroup, root, &err);
	cgroup_free(cgroup);
	/* Without its cgroup the container is at its end, and so is all that is in it. */
	if (r < 0 && r != -ENOENT)
		log_warning("container %.12s: %s", id, error_text(&err));
}

void inside_kill(struct inside *inside)
{
	kill_tree(inside->supervisor, inside->cgroup_parent, inside->id, &inside->process);
}

static void unlink_from_list(struct inside *inside)
{
	struct inside **link = &inside->supervisor->insides;

	while (*link != inside)
		link = &(*link)->next;
	*link = inside->next;
}

static void unwatch(struct inside *inside)
{
	loop_remove(inside->status_source);
	loop_remove(inside->exit_source);
	loop_remove(inside->output_source);
	loop_cancel(inside->timeout_timer);
	loop_cancel(inside->look_timer);
	inside->status_source = inside->exit_source = inside->output_source = NULL;
	inside->timeout_timer = inside->look_timer = NULL;
}

static void inside_free(struct inside *inside)
{
	unwatch(inside);
	unlink_from_list(inside);
	if (inside->slot)
		*inside->slot = NULL;
	launch_release(&inside->launch);
	close_fd(&inside->pidfd);
	close_fd(&inside->output_fd);
	strbuf_release(&inside->output);
	free(inside->cgroup_parent);
	free(inside);
}

static void tell(struct inside *inside, struct inside_result *result)
{
	inside_handler done = inside->done;

	inside->done = NULL;
	if (!done)
		return;
	result->output = strbuf_text(&inside->output);
	result->truncated = inside->truncated;
	done(result, inside->arg);
}

/* The process is gone. The object survives until its owner, who may begin the next, has been told.
 */
static void end(struct inside *inside, struct inside_result *result)
{
	unwatch(inside);
	note_no_more(inside);
	if (inside->slot)
		*inside->slot = NULL;
	inside->slot = NULL;
	tell(inside, result);
	inside_free(inside);
}

/* 0 = nothing there at the moment, -1 = nothing more to come. */
static int read_some(struct inside *inside)
{
	struct supervisor *supervisor = inside->supervisor;
	size_t room = inside->output_max - inside->output.length;
	ssize_t n = read(inside->output_fd, supervisor->buffer, READ_BUFFER);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -1;
	inside->truncated |= (size_t)n > room;
	strbuf_add(&inside->output, supervisor->buffer, (size_t)n > room ? room : (size_t)n);
	return 1;
}

static void output_ready(int fd, uint32_t events, void *arg)
{
	struct inside *inside = arg;

	(void)fd;
	(void)events;
	if (read_some(inside) >= 0)
		return;
	loop_remove(inside->output_source);
	inside->output_source = NULL;
}

static void look_at_exit(void *arg)
{
	struct inside *inside = arg;
	struct inside_result result = { .exit_code = -1 };

	inside->look_timer = NULL;
	/* Not reaped yet, so the number still means this group. */
	if (inside->end_group)
		kill(-inside->process.pid, SIGKILL);
	if (exit_status_read(inside->pidfd, &result.exit_code) == EXIT_LATER) {
		/* A tracer in the container has it first. */
		inside->look_timer = loop_add_timer(
			inside->supervisor->loop, EXIT_LOOK_DELAY, look_at_exit, inside);
		return;
	}
	for (int i = 0; inside->output_fd >= 0 && i < READS_MAX; i++)
		if (read_some(inside) <= 0)
			break;
	end(inside, &result);
}

static void exit_ready(int fd, uint32_t events, void *arg)
{
	struct inside *inside = arg;

	(void)fd;
	(void)events;
	loop_remove(inside->exit_source);
	inside->exit_source = NULL;
	look_at_exit(inside);
}

static void status_ready(int fd, uint32_t events, void *arg)
{
	struct inside *inside = arg;
	cleanup_error struct error err = ERROR_INIT;
	struct inside_result result = { .exit_code = -1, .failure = &err };
	int console_fd = -1, r;

	(void)fd;
	(void)events;
	/* As in minded.c: before the fd is closed, of which a sibling may have a copy. */
	loop_modify(inside->status_source, 0);
	r = exec_finish(&inside->launch, &console_fd, &err);
	if (r > 0) {
		loop_modify(inside->status_source, EPOLLIN);
		return;
	}
	loop_remove(inside->status_source);
	inside->status_source = NULL;
	if (r == 0) {
		inside->pidfd = steal_fd(&inside->launch.pidfd);
		r = loop_add_fd(inside->supervisor->loop, inside->pidfd, EPOLLIN, exit_ready,
			inside, &inside->exit_source, &err);
	}
	if (r < 0)
		end(inside, &result);
}

static void timed_out(void *arg)
{
	struct inside *inside = arg;
	struct inside_result result = { .exit_code = -1, .timed_out = true };

	inside->timeout_timer = NULL;
	inside_kill(inside);
	for (int i = 0; inside->output_fd >= 0 && i < READS_MAX; i++)
		if (read_some(inside) <= 0)
			break;
	tell(inside, &result);
}

static int launch(struct inside *inside, const struct minded *minded,
	const struct inside_request *request, struct error *err)
{
	const struct supervisor *supervisor = inside->supervisor;
	struct launch_stdio stdio = request->stdio;
	cleanup_fd int write_fd = -1;
	int pair[2];
	int r;

	if (request->output_max) {
		if (pipe2(pair, O_CLOEXEC) < 0)
			return error_sys(err, -errno, "pipe");
		inside->output_fd = pair[0];
		write_fd = stdio.out_fd = stdio.err_fd = pair[1];
		fcntl(inside->output_fd, F_SETFL, O_NONBLOCK);
	}
	r = exec_begin(supervisor->engine, supervisor->host, minded->container, &minded->state,
		&request->exec, &stdio, &inside->launch, err);
	if (r < 0)
		return r;
	inside->process = inside->launch.process;
	inside->launch.about_to_run = note;
	inside->launch.arg = inside;
	return 0;
}

static int watch(struct inside *inside, int64_t timeout_ns, struct error *err)
{
	struct loop *loop = inside->supervisor->loop;
	int r = loop_add_fd(loop, inside->launch.status_fd, EPOLLIN, status_ready, inside,
		&inside->status_source, err);

	if (r == 0 && inside->output_fd >= 0)
		r = loop_add_fd(loop, inside->output_fd, EPOLLIN, output_ready, inside,
			&inside->output_source, err);
	if (r == 0 && timeout_ns > 0)
		inside->timeout_timer = loop_add_timer(loop, timeout_ns, timed_out, inside);
	return r;
}

/* Whatever is half there goes; at this point it is a child of ours that has run nothing yet. */
static void undo(struct inside *inside)
{
	if (inside->launch.pidfd >= 0)
		inside_kill(inside);
	inside_free(inside);
}

int inside_begin(struct minded *minded, const struct inside_request *request, struct inside **slot,
	struct error *err)
{
	struct inside *inside = xcalloc(1, sizeof(*inside));
	int r;

	inside->supervisor = minded->supervisor;
	inside->next = minded->supervisor->insides;
	minded->supervisor->insides = inside;
	memcpy(inside->id, minded->container->id, sizeof(inside->id));
	inside->cgroup_parent =
		xstrdup(container_cgroup_parent(minded->supervisor->engine, minded->container));
	inside->name = request->name;
	inside->launch = (struct launch)LAUNCH_INIT;
	inside->pidfd = inside->output_fd = -1;
	inside->output_max = request->output_max;
	inside->end_group = request->end_group;
	r = launch(inside, minded, request, err);
	if (r == 0)
		r = watch(inside, request->timeout_ns, err);
	if (r < 0) {
		undo(inside);
		return r;
	}
	inside->done = request->done;
	inside->arg = request->arg;
	inside->slot = slot;
	*slot = inside;
	return 0;
}

void inside_abandon(struct inside *inside)
{
	if (!inside)
		return;
	if (inside->slot)
		*inside->slot = NULL;
	inside->slot = NULL;
	inside->done = NULL;
	loop_cancel(inside->timeout_timer);
	inside->timeout_timer = NULL;
	inside_kill(inside);
	note_no_more(inside);
}

void inside_end_leftover(struct minded *minded, const char *name)
{
	const struct engine *engine = minded->supervisor->engine;
	cleanup_free char *path = note_path(minded->container->id, name);
	struct process_id process;

	if (fields_read_file(&note_type, NOTE_VERSION, &process, engine->run_fd, path, path, NULL) <
		0)
		return;
	kill_tree(minded->supervisor, container_cgroup_parent(engine, minded->container),
		minded->container->id, &process);
	unlinkat(engine->run_fd, path, 0);
}

void inside_free_all(struct supervisor *supervisor)
{
	while (supervisor->insides) {
		struct inside *inside = supervisor->insides;

		inside_kill(inside);
		note_no_more(inside);
		inside_free(inside);
	}
}
