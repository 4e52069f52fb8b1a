/* SPDX-License-Identifier: GPL-2.0-or-later
 * minded.c - one container's life under the supervisor: start, run, exit, restart. */
#include "engine/supervisor/minded.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/times.h"
#include "engine/container/event_log.h"
#include "engine/supervisor/exit_status.h"
#include "engine/supervisor/health_probe.h"
#include "engine/supervisor/inside.h"
#include "engine/supervisor/restart.h"

#define EXIT_LOOK_DELAY (10 * NS_PER_MS)
#define EXIT_LOOKS_MAX	200
#define SETTLE_NS	(5 * NS_PER_SEC)
#define SETTLE_LOOK_MS	20

static void launch_ready(int fd, uint32_t events, void *arg);

struct minded *minded_new(
	struct supervisor *supervisor, struct container *container, struct container_state *state)
{
	struct minded *minded = xcalloc(1, sizeof(*minded));

	minded->supervisor = supervisor;
	minded->container = container;
	minded->state = *state;
	memset(state, 0, sizeof(*state));
	minded->launch = (struct launch)LAUNCH_INIT;
	minded->pidfd = -1;
	minded->input_fd = -1;
	minded->typing_fd = -1;
	for (enum log_stream stream = LOG_STDOUT; stream <= LOG_STDERR; stream++)
		minded->outputs[stream] = (struct output){ .minded = minded,
			.stream = stream,
			.fd = -1,
			.journal = { .fd = -1, .stream = stream } };
	strmap_set(&supervisor->minded, container->id, minded);
	return minded;
}

static void unwatch(struct minded *minded)
{
	loop_remove(minded->status_source);
	loop_remove(minded->exit_source);
	loop_cancel(minded->exit_timer);
	loop_cancel(minded->grace_timer);
	loop_cancel(minded->restart_timer);
	minded->status_source = minded->exit_source = NULL;
	minded->exit_timer = minded->grace_timer = minded->restart_timer = NULL;
}

static void unqueue(struct minded *minded)
{
	struct supervisor *supervisor = minded->supervisor;

	for (size_t i = 0; i < supervisor->queued_count; i++) {
		if (supervisor->queued[i] == minded)
			supervisor->queued[i] = NULL;
	}
}

void minded_free(struct minded *minded)
{
	if (!minded)
		return;
	hooks_end(minded);
	health_end(minded);
	unwatch(minded);
	unqueue(minded);
	minded_log_flush(minded);
	output_close(minded);
	minded_log_close(minded);
	launch_release(&minded->launch);
	close_fd(&minded->pidfd);
	uplink_close(minded);
	strmap_remove(&minded->supervisor->minded, minded->container->id);
	container_state_release(&minded->state);
	container_free(minded->container);
	free(minded->waiters);
	free(minded);
}

void minded_wait(struct minded *minded, const struct origin *origin, bool for_start)
{
	struct waiter *waiter = array_add(minded->waiters, minded->waiter_count);

	*waiter = (struct waiter){ *origin, for_start };
}

/* Answer those who wait for a start, or for the end. The list is taken first: an answer may bring
 * the next request. */
static void answer(struct minded *minded, bool for_start, const struct error *err)
{
	struct waiter *waiters = steal_ptr(minded->waiters);
	size_t count = minded->waiter_count;

	minded->waiter_count = 0;
	for (size_t i = 0; i < count; i++) {
		if (waiters[i].for_start != for_start)
			minded_wait(minded, &waiters[i].origin, waiters[i].for_start);
	}
	for (size_t i = 0; i < count; i++) {
		if (waiters[i].for_start == for_start)
			supervisor_reply(
				minded->supervisor, &waiters[i].origin, minded->container->id, err);
	}
	free(waiters);
}

void minded_answer_start(struct minded *minded, const struct error *err)
{
	answer(minded, true, err);
}

static void save(const struct minded *minded, const struct container_state *state,
	enum file_durability durability)
{
	cleanup_error struct error err = ERROR_INIT;

	if (container_save_state(
		    minded->supervisor->engine, minded->container->id, state, durability, &err) < 0)
		log_warning("container %s: %s", minded->container->name, error_text(&err));
}

void minded_save(struct minded *minded, enum file_durability durability)
{
	save(minded, &minded->state, durability);
}

void minded_finish(struct minded *minded, const struct error *err)
{
	cleanup_error struct error stopped = ERROR_INIT;

	if (!err) {
		error_set(&stopped, -ECANCELED, "container %s was stopped before it could start",
			minded->container->name);
		err = &stopped;
	}
	answer(minded, true, err);
	answer(minded, false, NULL);
	minded_free(minded);
}

void minded_queue_start(struct minded *minded, bool automatic)
{
	struct supervisor *supervisor = minded->supervisor;
	struct minded **slot = array_add(supervisor->queued, supervisor->queued_count);

	*slot = minded;
	minded->phase = MINDED_QUEUED;
	minded->automatic = automatic;
	if (!automatic) {
		minded->state.stopped_by_user = false;
		minded->state.restart_count = 0;
		minded->state.restart_attempts = 0;
		minded->restart_delay_ns = 0;
	}
	if (!supervisor->queue_timer)
		supervisor->queue_timer =
			loop_add_timer(supervisor->loop, 0, supervisor_run_queue, supervisor);
}

static int launch_once(struct minded *minded, struct error *err)
{
	struct supervisor *supervisor = minded->supervisor;
	const struct container *container = minded->container;
	struct launch_stdio stdio;
	int r;

	r = output_prepare(minded, &stdio, err);
	if (r < 0)
		return r;
	r = launch_begin(
		supervisor->engine, supervisor->host, container, &stdio, &minded->launch, err);
	output_close_child_side(&stdio);
	if (r < 0)
		output_close(minded);
	return r;
}

static void describe_run(const struct minded *minded, struct container_state *state)
{
	state->status = CONTAINER_RUNNING;
	state->process = minded->launch.process;
	state->started_ns = minded->launched_ns;
	state->finished_ns = 0;
	state->exit_code = 0;
	state->oom_killed = false;
	state->error = NULL;
	state->health = container_has_healthcheck(&minded->container->healthcheck) ? HEALTH_STARTING
										   : HEALTH_NONE;
	state->post_start_due = minded->container->post_start_count > 0;
	boot_id_read(state->boot_id, NULL);
}

/* Before its execve, so that whoever comes after us knows of it whatever happens. If that fails,
 * start_failed writes what was before. */
static void write_down(void *arg)
{
	struct minded *minded = arg;
	struct container_state state = minded->state;

	minded->launched_ns = time_now();
	describe_run(minded, &state);
	save(minded, &state, FILE_VOLATILE);
}

/* It was removed between the end of a run and the restart. */
static bool is_removed(const struct minded *minded)
{
	cleanup_free char *path = xasprintf("containers/%s", minded->container->id);

	return faccessat(minded->supervisor->engine->data_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) <
		       0 &&
	       errno == ENOENT;
}

static int launch(struct minded *minded, struct error *err)
{
	struct supervisor *supervisor = minded->supervisor;
	const struct container *container = minded->container;
	bool oom_killed;
	int r = 0;

	if (is_removed(minded))
		r = error_set(err, -ENOENT, "No such container: %s", container->id);
	if (r == 0)
		r = minded_log_open(minded, err);

	if (r == 0)
		r = launch_once(minded, err);
	if (r == -EEXIST) {
		/* A supervisor was killed between cloning it and writing so down. */
		r = launch_clean(supervisor->engine, supervisor->host, container, &oom_killed, err);
		if (r == 0)
			r = launch_once(minded, err);
	}
	if (r < 0)
		return r;
	minded->phase = MINDED_LAUNCHING;
	minded->launch.about_to_run = write_down;
	minded->launch.arg = minded;
	return loop_add_fd(supervisor->loop, minded->launch.status_fd, EPOLLIN, launch_ready,
		minded, &minded->status_source, err);
}

static void remove_run_dir(struct minded *minded)
{
	cleanup_free char *path = xasprintf("containers/%s", minded->container->id);

	tree_remove(minded->supervisor->engine->run_fd, path, NULL);
}

static bool restart_due(const struct minded *minded)
{
	struct restart_question question = {
		.policy = minded->container->restart,
		.max_retries = minded->container->restart_max_retries,
		.restarts = minded->state.restart_attempts,
		.exit_code = minded->state.exit_code,
		.stopped_by_user = minded->state.stopped_by_user,
		.unhealthy = minded->unhealthy,
	};

	return restart_is_due(&question);
}

static void auto_remove(struct minded *minded)
{
	cleanup_error struct error err = ERROR_INIT;

	if (container_remove(minded->supervisor->engine, minded->container, true, NULL, &err) < 0)
		log_warning("container %s: %s", minded->container->name, error_text(&err));
}

/* A stop's outcome after a power cut only matters where a policy would ask for it: everything else
 * that ended by itself is written durably, with its exit code. */
static enum file_durability exit_durability(const struct minded *minded)
{
	enum restart_policy policy = minded->container->restart;

	if (minded->container->auto_remove)
		return FILE_VOLATILE;
	if (!minded->state.stopped_by_user || policy == RESTART_ALWAYS ||
		policy == RESTART_UNLESS_STOPPED)
		return FILE_DURABLE;
	return FILE_VOLATILE;
}

static int64_t next_delay(const struct minded *minded, int64_t ran_ns)
{
	const struct container *container = minded->container;

	return container->restart_delay_ns ? container->restart_delay_ns
					   : restart_delay(minded->restart_delay_ns, ran_ns);
}

static void log_end(const struct minded *minded)
{
	const struct engine *engine = minded->supervisor->engine;
	cleanup_free char *code = xasprintf("exitCode=%d", minded->state.exit_code);

	if (!minded->run_began_ns)
		return;
	if (minded->state.oom_killed)
		event_log_add(engine, minded->container, "oom", NULL);
	event_log_add(engine, minded->container, "die", code);
	if (minded->stopping)
		event_log_add(engine, minded->container, "stop", NULL);
}

/* The run is over and its state filled in: start it again, wait for that, or forget it. */
static void decide(struct minded *minded, const struct error *start_error)
{
	int64_t ran_ns = minded->run_began_ns ? time_monotonic() - minded->run_began_ns : 0;
	bool again = minded->start_again && !start_error;
	bool restart;

	minded->state.restart_attempts = restart_attempts(
		minded->state.restart_attempts, minded->container->restart_window_ns, ran_ns);
	restart = !again && restart_due(minded);
	minded->unhealthy = false;

	log_end(minded);
	minded->started_again = again;
	minded->stopping = false;
	minded->start_again = false;
	minded->pending_signal = 0;
	minded->state.status = restart ? CONTAINER_RESTARTING : CONTAINER_EXITED;
	if (again) {
		minded_save(minded, FILE_VOLATILE);
		supervisor_emit(minded->supervisor, minded, EVENT_EXITED, true);
		answer(minded, false, NULL);
		minded_queue_start(minded, false);
		return;
	}
	if (restart) {
		minded->restart_delay_ns = next_delay(minded, ran_ns);
		minded->state.restart_count++;
		minded->state.restart_attempts++;
		minded_save(minded, FILE_VOLATILE);
		supervisor_emit(minded->supervisor, minded, EVENT_EXITED, true);
		answer(minded, false, NULL);
		minded_schedule_restart(minded, minded->restart_delay_ns);
		return;
	}
	minded_save(minded, exit_durability(minded));
	uplink_release(minded);
	if (minded->container->auto_remove)
		auto_remove(minded);
	supervisor_emit(minded->supervisor, minded, EVENT_EXITED, false);
	minded_finish(minded, start_error);
}

/* It could not be started. What somebody asked for just fails; an automatic restart has ended like
 * a run with docker's code for it, and the policy goes on. */
static void start_failed(struct minded *minded, struct error *err)
{
	struct container_state *state = &minded->state;

	unwatch(minded);
	output_close(minded);
	launch_release(&minded->launch);
	minded->launch = (struct launch)LAUNCH_INIT;
	remove_run_dir(minded);
	error_wrap(err, "container %s", minded->container->name);
	free(state->error);
	state->error = xstrdup(error_text(err));
	state->exit_code = err->exit_code ? err->exit_code : 125;
	minded->run_began_ns = 0;
	if (minded->automatic && !is_removed(minded)) {
		log_warning("restart of %s", error_text(err));
		state->finished_ns = time_now();
		decide(minded, NULL);
		return;
	}
	minded_save(minded, FILE_VOLATILE);
	uplink_release(minded);
	if (minded->container->auto_remove)
		auto_remove(minded);
	minded_finish(minded, err);
}

/* Of the queue that has been run there stay those whose port is not free yet. */
static void queue_keep_waiting(struct supervisor *supervisor)
{
	size_t kept = 0;

	for (size_t i = 0; i < supervisor->queued_count; i++)
		if (supervisor->queued[i])
			supervisor->queued[kept++] = supervisor->queued[i];
	supervisor->queued_count = kept;
	if (!kept)
		free(steal_ptr(supervisor->queued));
	else if (!supervisor->queue_timer)
		supervisor->queue_timer = loop_add_timer(
			supervisor->loop, UPLINK_RETRY, supervisor_run_queue, supervisor);
}

void supervisor_run_queue(void *arg)
{
	struct supervisor *supervisor = arg;
	cleanup_error struct error firewall = ERROR_INIT;
	struct minded **queue = supervisor->queued;
	size_t count = supervisor->queued_count;

	supervisor->queue_timer = NULL;
	/* minded_free finds its pointer in supervisor->queued, so it stays there meanwhile; what
	 * fails and is queued again is waiting for its delay first. */
	for (size_t i = 0; i < count; i++) {
		cleanup_error struct error err = ERROR_INIT;
		struct minded *minded = queue[i];

		int r = minded ? uplink_prepare(minded, &err) : 0;

		if (minded)
			minded->awaits_port = r == -EAGAIN;
		if (r < 0 && r != -EAGAIN) {
			queue[i] = NULL;
			start_failed(minded, &err);
		}
	}
	if (uplink_settle_firewall(supervisor, &firewall) == -EWOULDBLOCK) {
		/* All of it again: what is prepared stays so. */
		supervisor->queue_timer = loop_add_timer(
			supervisor->loop, UPLINK_RETRY, supervisor_run_queue, supervisor);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		cleanup_error struct error err = ERROR_INIT;
		struct minded *minded = queue[i];

		if (!minded || minded->awaits_port)
			continue;
		queue[i] = NULL;
		if (firewall.code && minded->container->attachment_count > 0)
			error_set(&err, firewall.code, "%s", error_text(&firewall));
		if (err.code || launch(minded, &err) < 0)
			start_failed(minded, &err);
	}
	queue_keep_waiting(supervisor);
}

static void launched(struct minded *minded, int console_fd)
{
	cleanup_error struct error err = ERROR_INIT;
	struct container_state *state = &minded->state;

	minded->pidfd = steal_fd(&minded->launch.pidfd);
	names_serve_inside(minded);
	minded->phase = MINDED_RUNNING;
	minded->run_began_ns = time_monotonic();
	free(state->error);
	describe_run(minded, state);
	launch_release(&minded->launch);
	minded->launch = (struct launch)LAUNCH_INIT;
	if (minded_watch_exit(minded, &err) < 0 || output_begin(minded, console_fd, &err) < 0)
		log_warning("container %s: %s", minded->container->name, error_text(&err));
	supervisor_emit(minded->supervisor, minded, EVENT_STARTED, false);
	if (minded->started_again)
		event_log_add(minded->supervisor->engine, minded->container, "restart", NULL);
	health_begin(minded);
	if (minded->stopping) {
		minded_answer_start(minded, NULL);
		hooks_before_stop(minded);
		return;
	}
	hooks_after_start(minded);
	minded_send_pending(minded);
}

static void launch_ready(int fd, uint32_t events, void *arg)
{
	struct minded *minded = arg;
	struct supervisor *supervisor = minded->supervisor;
	cleanup_error struct error err = ERROR_INIT;
	int console_fd = -1, r;

	(void)fd;
	(void)events;
	/* Before launch_finish closes it: a sibling on its way to execve has a copy of the fd, with
	 * which epoll would go on reporting it. */
	loop_modify(minded->status_source, 0);
	r = launch_finish(supervisor->engine, supervisor->host, minded->container, &minded->launch,
		&console_fd, &err);
	if (r > 0) {
		loop_modify(minded->status_source, EPOLLIN);
		return;
	}
	loop_remove(minded->status_source);
	minded->status_source = NULL;
	if (r < 0)
		start_failed(minded, &err);
	else
		launched(minded, console_fd);
}

static void ended(struct minded *minded, int exit_code)
{
	struct supervisor *supervisor = minded->supervisor;
	cleanup_error struct error err = ERROR_INIT;
	bool oom_killed = false;

	unwatch(minded);
	hooks_give_up_start(minded, "ended");
	hooks_end(minded);
	health_end(minded);
	/* First the rest of its processes, then the last of what they wrote. */
	if (launch_end(supervisor->engine, supervisor->host, minded->container, &oom_killed, &err) <
		0)
		log_warning("container %s: %s", minded->container->name, error_text(&err));
	output_finish(minded);
	output_close(minded);
	remove_run_dir(minded);
	close_fd(&minded->pidfd);
	minded->state.exit_code = exit_code;
	minded->state.oom_killed = oom_killed;
	minded->state.finished_ns = time_now();
	minded->state.process = (struct process_id){ 0, 0 };
	minded->state.post_start_due = false;
	if (minded->state.health != HEALTH_NONE)
		minded->state.health = HEALTH_UNHEALTHY;
	decide(minded, NULL);
}

static void look_at_exit(struct minded *minded);

static void look_again(void *arg)
{
	struct minded *minded = arg;

	minded->exit_timer = NULL;
	look_at_exit(minded);
}

static void look_at_exit(struct minded *minded)
{
	int exit_code = -1;

	if (exit_status_read(minded->pidfd, &exit_code) == EXIT_LATER &&
		minded->exit_looks++ < EXIT_LOOKS_MAX) {
		minded->exit_timer = loop_add_timer(
			minded->supervisor->loop, EXIT_LOOK_DELAY, look_again, minded);
		return;
	}
	ended(minded, exit_code);
}

static void exit_ready(int fd, uint32_t events, void *arg)
{
	struct minded *minded = arg;

	(void)fd;
	(void)events;
	loop_remove(minded->exit_source);
	minded->exit_source = NULL;
	minded->exit_looks = 0;
	look_at_exit(minded);
}

int minded_watch_exit(struct minded *minded, struct error *err)
{
	return loop_add_fd(minded->supervisor->loop, minded->pidfd, EPOLLIN, exit_ready, minded,
		&minded->exit_source, err);
}

static void restart_ready(void *arg)
{
	struct minded *minded = arg;

	minded->restart_timer = NULL;
	minded_queue_start(minded, true);
}

void minded_schedule_restart(struct minded *minded, int64_t delay_ns)
{
	minded->phase = MINDED_WAITING;
	minded->restart_timer =
		loop_add_timer(minded->supervisor->loop, delay_ns, restart_ready, minded);
}

void minded_settle(struct minded *minded)
{
	const struct supervisor *supervisor = minded->supervisor;
	cleanup_free char *id = xstrdup(minded->container->id);
	struct pollfd status = { .fd = minded->launch.status_fd, .events = POLLIN };
	int64_t began_ns = time_monotonic();

	/* A launch that fails may be the end of the object, or be queued again. */
	while (minded == strmap_get(&supervisor->minded, id) && minded->phase == MINDED_LAUNCHING) {
		int64_t took_ns = time_monotonic() - began_ns;

		if (took_ns > 2 * SETTLE_NS)
			return; /* the kernel does not let it go */
		if (took_ns > SETTLE_NS)
			minded_kill_all(minded);
		poll(&status, 1, SETTLE_LOOK_MS);
		launch_ready(status.fd, 0, minded);
	}
}
