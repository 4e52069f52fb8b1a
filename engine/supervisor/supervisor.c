/* SPDX-License-Identifier: GPL-2.0-or-later
 * supervisor.c - the object: its lock and socket, requests, events, its end. */
#include "engine/supervisor/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/times.h"
#include "engine/container/event_log.h"
#include "engine/container/lost.h"
#include "engine/supervisor/inside.h"
#include "engine/supervisor/minded.h"

/* The end of a run is told by whoever decides what follows it, see minded.c. */
static void log_event(
	const struct supervisor *supervisor, const struct minded *minded, enum event_kind kind)
{
	cleanup_free char *health = NULL;
	const char *action = NULL;

	switch (kind) {
	case EVENT_STARTED:
		action = "start";
		break;
	case EVENT_PAUSED:
		action = "pause";
		break;
	case EVENT_UNPAUSED:
		action = "unpause";
		break;
	case EVENT_HEALTH:
		action = health =
			xasprintf("health_status: %s", container_health_name(minded->state.health));
		break;
	case EVENT_EXITED:
	case EVENT_REPLY:
		break;
	}
	if (action)
		event_log_add(supervisor->engine, minded->container, action, NULL);
}

void supervisor_emit(struct supervisor *supervisor, const struct minded *minded,
	enum event_kind kind, bool restarting)
{
	struct event event = { .kind = kind,
		.exit_code = minded->state.exit_code,
		.oom_killed = minded->state.oom_killed,
		.restarting = restarting,
		.health = minded->state.health,
		.time_ns = time_now() };

	memcpy(event.id, minded->container->id, sizeof(event.id));
	log_event(supervisor, minded, kind);
	server_broadcast(supervisor->server, &event);
	if (!supervisor->detached)
		event_queue_push(&supervisor->events, &event);
}

void supervisor_reply(struct supervisor *supervisor, const struct origin *origin, const char *id,
	const struct error *err)
{
	struct event event = {
		.kind = EVENT_REPLY, .tag = origin->tag, .exit_code = -1, .time_ns = time_now()
	};

	memcpy(event.id, id, sizeof(event.id));
	if (err && err->code) {
		event.error.code = err->code;
		event.error.exit_code = err->exit_code;
		event.error.message = xstrdup(error_text(err));
	}
	if (origin->client) {
		server_send(supervisor->server, origin->client, &event);
		event_release(&event);
	} else if (supervisor->detached) {
		event_release(&event);
	} else {
		event_queue_push(&supervisor->events, &event);
	}
}

/* A wish for a container that is not minded yet. */
static int start_new(struct supervisor *supervisor, struct container *container,
	const struct origin *origin, struct error *err)
{
	struct container_state state = { 0 };
	struct minded *minded;
	int r = container_load_state(supervisor->engine, container->id, &state, err);

	if (r < 0) {
		container_free(container);
		return r;
	}
	if (state.status == CONTAINER_RUNNING || state.status == CONTAINER_PAUSED) {
		r = error_set(err, -EBUSY, "Container %s is already running", container->name);
		container_state_release(&state);
		container_free(container);
		return r;
	}
	minded = minded_new(supervisor, container, &state);
	minded_wait(minded, origin, true);
	minded_queue_start(minded, false);
	return 0;
}

/* Returns 1 when the reply comes later, 0 = done, negative = failed. */
static int wish_for_stopped(struct supervisor *supervisor, const struct request *request,
	const struct origin *origin, struct error *err)
{
	struct container *container = NULL;
	int r = container_load(supervisor->engine, request->id, &container, err);

	if (r == -ENOENT && request->operation == OPERATION_STOP)
		return 0;
	if (r < 0)
		return r;
	if (strcmp(container->group, supervisor->group) != 0)
		r = error_set(err, -EINVAL, "Container %s belongs to '%s', not to '%s'",
			container->name, container->group, supervisor->group);
	else if (request->operation == OPERATION_START || request->operation == OPERATION_RESTART)
		return start_new(supervisor, container, origin, err) < 0 ? err->code : 1;
	else if (request->operation != OPERATION_STOP)
		r = error_set(err, -ESRCH, "Container %s is not running", container->name);
	container_free(container);
	return r;
}

static int wish_to_start(struct minded *minded, const struct origin *origin, struct error *err)
{
	if (minded->state.status == CONTAINER_PAUSED && !minded->stopping)
		return error_set(
			err, -EBUSY, "cannot start a paused container, try unpause instead");
	if (minded->phase == MINDED_RUNNING && !minded->stopping && !hooks_hold_start(minded)) {
		/* Whoever asks has not read that it runs: the file may be gone. */
		minded_save(minded, FILE_VOLATILE);
		return 0;
	}
	minded_wait(minded, origin, true);
	if (minded->stopping)
		minded->start_again = true;
	if (minded->phase == MINDED_WAITING) {
		loop_cancel(minded->restart_timer);
		minded->restart_timer = NULL;
		minded_queue_start(minded, false);
	}
	return 1;
}

static int wish_for_minded(struct minded *minded, const struct request *request,
	const struct origin *origin, struct error *err)
{
	switch (request->operation) {
	case OPERATION_START:
		return wish_to_start(minded, origin, err);
	case OPERATION_STOP:
	case OPERATION_RESTART:
		minded_stop(minded, request, origin, request->operation == OPERATION_RESTART);
		return 1;
	case OPERATION_KILL:
		return minded_kill(minded, request->signal ? request->signal : SIGKILL, err);
	case OPERATION_PAUSE:
	case OPERATION_UNPAUSE:
		return minded_pause(minded, request->operation == OPERATION_PAUSE, err);
	case OPERATION_ATTACH:
		return viewer_join(minded, origin, err);
	case OPERATION_RESIZE:
		return viewers_resize(minded, request, err);
	}
	return error_set(err, -EINVAL, "unknown operation");
}

static void handle(
	struct supervisor *supervisor, const struct request *request, const struct origin *origin)
{
	cleanup_error struct error err = ERROR_INIT;
	struct minded *minded = strmap_get(&supervisor->minded, request->id);
	int r;

	if (minded)
		r = wish_for_minded(minded, request, origin, &err);
	else
		r = wish_for_stopped(supervisor, request, origin, &err);
	if (r <= 0)
		supervisor_reply(supervisor, origin, request->id, r < 0 ? &err : NULL);
}

void supervisor_submit(struct supervisor *supervisor, const struct request *request, uint64_t tag)
{
	struct origin origin = { 0, tag };

	handle(supervisor, request, &origin);
}

static void client_request(uint64_t client, uint64_t tag, const struct request *request, void *arg)
{
	struct origin origin = { client, tag };

	handle(arg, request, &origin);
}

void supervisor_read_on(struct supervisor *supervisor)
{
	strmap_for_each (entry, &supervisor->minded)
		output_read_on(entry->value);
}

bool supervisor_next_event(struct supervisor *supervisor, struct event *ret)
{
	return event_queue_pop(&supervisor->events, ret);
}

size_t supervisor_active(const struct supervisor *supervisor)
{
	return supervisor->minded.count;
}

size_t supervisor_clients(const struct supervisor *supervisor)
{
	return server_clients(supervisor->server);
}

struct loop *supervisor_loop(struct supervisor *supervisor)
{
	return supervisor->loop;
}

static void detach_hooks(struct supervisor *supervisor)
{
	struct event event;

	supervisor->hooks = (struct supervisor_hooks){ 0 };
	supervisor->detached = true;
	supervisor_read_on(supervisor);
	while (supervisor_next_event(supervisor, &event))
		event_release(&event);
}

/* Some five descriptors a container: take what we may have. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* The directory may be removed by a supervisor that is just ending, between making and locking. */
static int lock_group(struct supervisor *supervisor, struct error *err)
{
	cleanup_free char *path = xasprintf("groups/%s", supervisor->group);
	int r = -ENOENT;

	for (int attempt = 0; r == -ENOENT && attempt < 100; attempt++) {
		close_fd(&supervisor->group_fd);
		supervisor->group_fd = dir_make_open(supervisor->engine->run_fd, path, 0700, err);
		r = supervisor->group_fd;
		if (r >= 0)
			r = lock_take(supervisor->group_fd, SUPERVISOR_LOCK_NAME, 0, NULL, err);
	}
	if (r < 0)
		return r;
	supervisor->lock_fd = r;
	return 0;
}

static void renew(int signal, void *arg)
{
	struct supervisor *supervisor = arg;
	cleanup_error struct error err = ERROR_INIT;

	(void)signal;
	if (server_renew(supervisor->server, &err) < 0)
		log_warning("supervisor of '%s': %s", supervisor->group, error_text(&err));
	strmap_for_each (entry, &supervisor->minded) {
		const struct minded *minded = entry->value;

		error_release(&err);
		if (container_restore(supervisor->engine, minded->container, &err) < 0)
			log_warning("record of container %s: %s", minded->container->name,
				error_text(&err));
	}
}

static int watch_for_renewal(struct supervisor *supervisor, struct error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SUPERVISOR_RENEW_SIGNAL);
	return loop_watch_signals(supervisor->loop, &set, renew, supervisor, err);
}

static int start(struct supervisor *supervisor, struct error *err)
{
	int r = lock_group(supervisor, err);

	if (r == 0)
		r = loop_new(&supervisor->loop, err);
	if (r == 0)
		r = cgroup_host_open(&supervisor->host, err);
	/* Whoever connects from now on is served when the adoption is done. */
	if (r == 0)
		r = server_new(supervisor->loop, supervisor->group_fd, client_request, supervisor,
			&supervisor->server, err);
	if (r == 0)
		r = supervisor_adopt(supervisor, err);
	if (r == 0)
		r = server_begin(supervisor->server, err);
	if (r == 0)
		r = watch_for_renewal(supervisor, err);
	return r;
}

int supervisor_new(const struct engine *engine, const char *group,
	const struct supervisor_hooks *hooks, struct supervisor **ret, struct error *err)
{
	struct supervisor *supervisor = xcalloc(1, sizeof(*supervisor));
	int r;

	supervisor->engine = engine;
	supervisor->group = xstrdup(group);
	supervisor->group_fd = -1;
	supervisor->lock_fd = -1;
	if (hooks)
		supervisor->hooks = *hooks;
	raise_file_limit();
	/* A container's stdin or a client that goes away is an error code, not our death; and who
	 * started us may have ignored SIGCHLD, which would take our children's exit codes away
	 * (wait(2)). */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	r = start(supervisor, err);
	if (r < 0) {
		supervisor_free(supervisor);
		return r;
	}
	*ret = supervisor;
	return 0;
}

static void release_group(struct supervisor *supervisor)
{
	cleanup_free char *path = xasprintf("groups/%s", supervisor->group);
	int run_fd = supervisor->engine->run_fd;

	if (supervisor->lock_fd < 0)
		return;
	/* Only what is ours, and the lock last: the directory may hold others' files. */
	unlinkat(supervisor->group_fd, SUPERVISOR_LOCK_NAME, 0);
	unlinkat(run_fd, path, AT_REMOVEDIR);
	close_fd(&supervisor->lock_fd);
}

static void end_minded(struct supervisor *supervisor)
{
	struct strmap *minded = &supervisor->minded;

	for (size_t i = minded->count; i > 0; i--) {
		if (i <= minded->count)
			minded_settle(minded->entries[i - 1].value);
	}
	while (minded->count > 0)
		minded_free(minded->entries[minded->count - 1].value);
	strmap_release(minded);
}

void supervisor_free(struct supervisor *supervisor)
{
	if (!supervisor)
		return;
	supervisor->hooks = (struct supervisor_hooks){ 0 };
	if (supervisor->server)
		end_minded(supervisor);
	inside_free_all(supervisor);
	uplink_end(supervisor);
	server_free(supervisor->server);
	event_queue_release(&supervisor->events);
	free(supervisor->queued);
	cgroup_host_free(supervisor->host);
	loop_free(supervisor->loop);
	release_group(supervisor);
	close_fd(&supervisor->group_fd);
	free(supervisor->group);
	free(supervisor);
}

static void signal_ready(int signal, void *arg)
{
	struct supervisor *supervisor = arg;

	if (signal == SIGTERM)
		supervisor->quit = true;
}

static int watch_signals(struct supervisor *supervisor, struct error *err)
{
	static const int signals[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGWINCH, SIGTSTP };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaddset(&set, signals[i]);
	return loop_watch_signals(supervisor->loop, &set, signal_ready, supervisor, err);
}

static bool is_needed(struct supervisor *supervisor)
{
	if (supervisor_active(supervisor) > 0)
		return true;
	/* Who has connected so far, counts; who connects later finds no socket, or no greeting. */
	server_accept(supervisor->server);
	return server_clients(supervisor->server) > 0;
}

int supervisor_run(struct supervisor *supervisor, struct error *err)
{
	int r;

	detach_hooks(supervisor);
	r = watch_signals(supervisor, err);
	if (r < 0)
		return r;
	malloc_trim(0); /* what the command before needed */
	while (!supervisor->quit && is_needed(supervisor)) {
		r = loop_run_once(supervisor->loop, -1, err);
		if (r < 0)
			return r;
	}
	return 0;
}
