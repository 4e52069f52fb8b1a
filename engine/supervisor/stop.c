/* SPDX-License-Identifier: GPL-2.0-or-later
 * stop.c - end a container: signal, grace, SIGKILL; single signals; pause. */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/times.h"
#include "engine/container/event_log.h"
#include "engine/supervisor/health_probe.h"
#include "engine/supervisor/minded.h"

static int open_cgroup(const struct minded *minded, struct cgroup **ret, struct error *err)
{
	const struct supervisor *supervisor = minded->supervisor;

	return cgroup_open(supervisor->host,
		container_cgroup_parent(supervisor->engine, minded->container),
		minded->container->id, ret, err);
}

static int freeze(struct minded *minded, bool frozen, struct error *err)
{
	struct cgroup *cgroup = NULL;
	int r = open_cgroup(minded, &cgroup, err);

	if (r == 0)
		r = cgroup_freeze(cgroup, frozen, err);
	cgroup_free(cgroup);
	return r;
}

int minded_pause(struct minded *minded, bool pause, struct error *err)
{
	const char *name = minded->container->name;
	bool paused = minded->state.status == CONTAINER_PAUSED;
	int r;

	if (minded->phase != MINDED_RUNNING)
		return error_set(err, -ESRCH, "Container %s is not running", name);
	if (pause && paused)
		return error_set(err, -EALREADY, "Container %s is already paused", name);
	if (!pause && !paused)
		return error_set(err, -EINVAL, "Container %s is not paused", name);
	/* Before, since what is frozen cannot be killed, and a frozen probe is no failed one. */
	if (pause)
		health_suspend(minded);
	r = freeze(minded, pause, err);
	if (r < 0 ? pause : !pause)
		health_go_on(minded);
	if (r < 0) {
		error_wrap(err, "container %s", name);
		return r;
	}
	minded->state.status = pause ? CONTAINER_PAUSED : CONTAINER_RUNNING;
	minded_save(minded, FILE_VOLATILE);
	supervisor_emit(minded->supervisor, minded, pause ? EVENT_PAUSED : EVENT_UNPAUSED, false);
	return 0;
}

/* A frozen process gets no signal, on v1 not even SIGKILL. */
static void thaw(struct minded *minded)
{
	cleanup_error struct error err = ERROR_INIT;

	if (minded->state.status == CONTAINER_PAUSED && minded_pause(minded, false, &err) < 0)
		log_warning("%s", error_text(&err));
}

static int send_signal(const struct minded *minded, int pidfd, int signal, struct error *err)
{
	cleanup_free char *attribute = xasprintf("signal=%d", signal);

	event_log_add(minded->supervisor->engine, minded->container, "kill", attribute);
	if (syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) == 0 || errno == ESRCH)
		return 0; /* it has just ended: its exit is on the way */
	return error_sys(err, -errno, "send signal %d", signal);
}

/* The first process takes its pid namespace with it; the cgroup is for containers that share
 * another's. Nothing is waited for: the pidfd tells. */
void minded_kill_all(struct minded *minded)
{
	cleanup_error struct error err = ERROR_INIT;
	struct cgroup *cgroup = NULL;
	int pidfd = minded->phase == MINDED_LAUNCHING ? minded->launch.pidfd : minded->pidfd;

	thaw(minded);
	if (send_signal(minded, pidfd, SIGKILL, &err) < 0)
		log_warning("container %s: %s", minded->container->name, error_text(&err));
	if (open_cgroup(minded, &cgroup, NULL) == 0)
		cgroup_kill(cgroup, 0, NULL);
	cgroup_free(cgroup);
}

static void grace_over(void *arg)
{
	struct minded *minded = arg;

	minded->grace_timer = NULL;
	minded_kill_all(minded);
}

/* Of several requests the most impatient counts. */
static void arm_grace(struct minded *minded, int64_t timeout_ns)
{
	int64_t now = time_monotonic();
	int64_t ends_ns = timeout_ns > INT64_MAX - now ? INT64_MAX : now + timeout_ns;

	if (minded->grace_timer && minded->grace_ends_ns <= ends_ns)
		return;
	loop_cancel(minded->grace_timer);
	minded->grace_ends_ns = ends_ns;
	minded->grace_timer =
		loop_add_timer(minded->supervisor->loop, timeout_ns, grace_over, minded);
}

/* It does not run, and was only to be started. */
static void cancel_start(struct minded *minded, bool then_start)
{
	bool was_restarting = minded->state.status == CONTAINER_RESTARTING;

	if (then_start && minded->phase == MINDED_QUEUED)
		return;
	loop_cancel(minded->restart_timer);
	minded->restart_timer = NULL;
	if (then_start) {
		minded_queue_start(minded, false);
		return;
	}
	if (was_restarting) {
		minded->state.status = CONTAINER_EXITED;
		minded->state.stopped_by_user = true;
		minded_save(minded, FILE_DURABLE);
		supervisor_emit(minded->supervisor, minded, EVENT_EXITED, false);
	}
	uplink_release(minded);
	minded_finish(minded, NULL);
}

/* Written before the signal: a supervisor that dies in between must not lead to a restart. */
static void remember_stop(struct minded *minded)
{
	if (minded->state.stopped_by_user)
		return;
	minded->state.stopped_by_user = true;
	if (minded->phase == MINDED_RUNNING && minded->container->restart != RESTART_NO)
		minded_save(minded, FILE_VOLATILE);
}

/* The grace period runs already, so hooks that take too long are cut short. */
static void begin_end(struct minded *minded)
{
	health_suspend(minded);
	thaw(minded);
	hooks_before_stop(minded);
}

static int signal_of(const struct minded *minded, int asked_for)
{
	if (asked_for)
		return asked_for;
	return minded->container->stop_signal ? minded->container->stop_signal : SIGTERM;
}

void minded_stop(struct minded *minded, const struct request *request, const struct origin *origin,
	bool then_start)
{
	bool first = !minded->stopping;

	hooks_give_up_start(minded, "was stopped");
	minded_wait(minded, origin, then_start);
	if (minded->phase == MINDED_QUEUED || minded->phase == MINDED_WAITING) {
		cancel_start(minded, then_start);
		return;
	}
	minded->stopping = true;
	minded->start_again = then_start;
	remember_stop(minded);
	arm_grace(minded, request->timeout_ns >= 0 ? request->timeout_ns
						   : minded->container->stop_timeout_ns);
	if (!first)
		return;
	minded->pending_signal = signal_of(minded, request->signal);
	if (minded->phase == MINDED_RUNNING)
		begin_end(minded);
}

void minded_replace_unhealthy(struct minded *minded)
{
	if (minded->stopping || minded->phase != MINDED_RUNNING)
		return;
	hooks_give_up_start(minded, "became unhealthy");
	minded->stopping = true;
	minded->unhealthy = true;
	arm_grace(minded, minded->container->stop_timeout_ns);
	minded->pending_signal = signal_of(minded, 0);
	begin_end(minded);
}

void minded_send_pending(struct minded *minded)
{
	cleanup_error struct error err = ERROR_INIT;
	int signal = minded->pending_signal;

	minded->pending_signal = 0;
	if (!signal)
		return;
	thaw(minded);
	if (send_signal(minded, minded->pidfd, signal, &err) < 0)
		log_warning("container %s: %s", minded->container->name, error_text(&err));
}

int minded_kill(struct minded *minded, int signal, struct error *err)
{
	/* As docker counts it: these two end it on purpose. */
	bool ends = signal == SIGKILL || signal == minded->container->stop_signal;
	int r;

	if (minded->phase == MINDED_QUEUED || minded->phase == MINDED_WAITING) {
		if (!ends)
			return error_set(err, -ESRCH, "Container %s is not running",
				minded->container->name);
		cancel_start(minded, false);
		return 0;
	}
	if (ends)
		remember_stop(minded);
	if (signal == SIGKILL) {
		minded_kill_all(minded);
		return 0;
	}
	if (minded->phase == MINDED_LAUNCHING) {
		if (!minded->pending_signal) /* a stop's goes first */
			minded->pending_signal = signal;
		return 0;
	}
	if (ends)
		thaw(minded);
	r = send_signal(minded, minded->pidfd, signal, err);
	if (r < 0)
		error_wrap(err, "container %s", minded->container->name);
	return r;
}
