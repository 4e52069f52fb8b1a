/* SPDX-License-Identifier: GPL-2.0-or-later
 * adopt.c - take over what an earlier supervisor of the group has left: running containers are
 * minded on by pidfd; those that ended while nobody looked are recorded as such, and restarted
 * where their policy says so. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/times.h"
#include "engine/supervisor/health_probe.h"
#include "engine/supervisor/minded.h"
#include "engine/supervisor/restart.h"

/* When the run began, on the monotonic clock: from the kernel's word, since wall time may have been
 * set meanwhile. The start time is on the boot-time clock, which goes on during a suspend. */
static int64_t run_began(const struct process_id *process)
{
	struct timespec boot;
	int64_t boot_ns, start_ns;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	boot_ns = boot.tv_sec * NS_PER_SEC + boot.tv_nsec;
	start_ns = (int64_t)process->start_time * (NS_PER_SEC / sysconf(_SC_CLK_TCK));
	return time_monotonic() - (boot_ns > start_ns ? boot_ns - start_ns : 0);
}

/* -ESRCH: it does not run any more. */
static int adopt_running(struct minded *minded, struct error *err)
{
	const struct container *container = minded->container;
	cleanup_error struct error problem = ERROR_INIT;
	int r;

	minded->pidfd = process_open(&minded->state.process, err);
	if (minded->pidfd < 0)
		return minded->pidfd;
	minded->phase = MINDED_RUNNING;
	minded->run_began_ns = run_began(&minded->state.process);
	r = minded_log_open(minded, &problem);
	if (r == 0)
		r = output_resume(minded, &problem);
	if (r < 0)
		log_warning("container %s: output is not collected: %s", container->name,
			error_text(&problem));
	uplink_resume(minded);
	r = minded_watch_exit(minded, err);
	if (r < 0)
		return r;
	health_resume(minded);
	hooks_resume(minded);
	return 0;
}

/* It ran when it was last seen, and does not now. How it ended is not known. */
static void bury(struct minded *minded)
{
	struct supervisor *supervisor = minded->supervisor;
	cleanup_error struct error err = ERROR_INIT;
	bool oom_killed = false, restart = minded->state.status == CONTAINER_RESTARTING ||
					   restart_is_due_after_absence(minded->container->restart,
						   minded->state.stopped_by_user);

	output_salvage(minded);
	if (launch_clean(
		    supervisor->engine, supervisor->host, minded->container, &oom_killed, &err) < 0)
		log_warning("container %s: %s", minded->container->name, error_text(&err));
	if (minded->state.status != CONTAINER_RESTARTING) {
		minded->state.exit_code = -1;
		minded->state.oom_killed = oom_killed;
		minded->state.finished_ns = time_now();
	}
	minded->state.process = (struct process_id){ 0, 0 };
	minded->state.status = restart ? CONTAINER_RESTARTING : CONTAINER_EXITED;
	minded_save(minded, FILE_DURABLE);
	if (restart) {
		minded->restart_delay_ns = restart_delay(0, 0);
		minded_schedule_restart(minded, minded->restart_delay_ns);
		return;
	}
	uplink_release(minded);
	minded_finish(minded, NULL);
}

/* The record still said "running", and container_load_state has corrected it: no time of an end was
 * ever written. */
static bool died_unseen(const struct container_state *state)
{
	return state->status == CONTAINER_EXITED && state->exit_code < 0 && !state->finished_ns;
}

/* Its record says that it does not run. If it has a cgroup nevertheless, a supervisor was killed
 * between cloning it and writing so down, or between its end and the cleaning. */
static void clean_leftovers(struct supervisor *supervisor, const struct container *container)
{
	const struct engine *engine = supervisor->engine;
	cleanup_error struct error err = ERROR_INIT;
	struct cgroup *cgroup = NULL;
	bool oom_killed;

	if (cgroup_open(supervisor->host, container_cgroup_parent(engine, container), container->id,
		    &cgroup, NULL) < 0)
		return;
	cgroup_free(cgroup);
	if (launch_clean(engine, supervisor->host, container, &oom_killed, &err) < 0)
		log_warning("container %s: %s", container->name, error_text(&err));
}

/* One damaged or newer record is no reason to leave the others alone; a lack of descriptors would
 * meet them too, and the next command may have more. */
static int state_unknown(struct container *container, struct error *err)
{
	bool is_shortage = err->code == -EMFILE || err->code == -ENFILE;
	int r = is_shortage ? error_wrap(err, "container %s", container->name) : 0;

	if (r == 0) {
		log_warning("container %s: %s", container->name, error_text(err));
		error_release(err);
	}
	container_free(container);
	return r;
}

/* Takes the container over. */
static int adopt(struct supervisor *supervisor, struct container *container, struct error *err)
{
	struct container_state state = { 0 };
	struct minded *minded;
	int r = container_load_state(supervisor->engine, container->id, &state, err);

	if (r < 0)
		return state_unknown(container, err);
	if (state.status != CONTAINER_RUNNING && state.status != CONTAINER_PAUSED &&
		state.status != CONTAINER_RESTARTING && !died_unseen(&state)) {
		clean_leftovers(supervisor, container);
		container_state_release(&state);
		container_free(container);
		return 0;
	}
	minded = minded_new(supervisor, container, &state);
	if (minded->state.status != CONTAINER_RUNNING && minded->state.status != CONTAINER_PAUSED) {
		bury(minded);
		return 0;
	}
	r = adopt_running(minded, err);
	if (r < 0 && r != -ESRCH)
		return error_wrap(err, "container %s", minded->container->name);
	if (r == 0)
		return 0;
	/* It has ended a moment ago. */
	error_release(err);
	bury(minded);
	return 0;
}

int supervisor_adopt(struct supervisor *supervisor, struct error *err)
{
	struct container **containers = NULL;
	size_t count = 0;
	int r = container_list(supervisor->engine, supervisor->group, &containers, &count, err);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < count; i++)
		r = adopt(supervisor, steal_ptr(containers[i]), err);
	container_list_free(containers, count);
	return r;
}
