/* SPDX-License-Identifier: GPL-2.0-or-later
 * state.c - the last known state of a container: its file, and what the kernel says about it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/memory.h"
#include "engine/container/records.h"

#define STATE_VERSION 1

static const char *const status_names[] = {
	[CONTAINER_CREATED] = "created",
	[CONTAINER_RUNNING] = "running",
	[CONTAINER_PAUSED] = "paused",
	[CONTAINER_RESTARTING] = "restarting",
	[CONTAINER_EXITED] = "exited",
	[CONTAINER_DEAD] = "dead",
};

static const char *const health_names[] = {
	[HEALTH_NONE] = "none",
	[HEALTH_STARTING] = "starting",
	[HEALTH_HEALTHY] = "healthy",
	[HEALTH_UNHEALTHY] = "unhealthy",
};

static const struct field process_fields[] = {
	FIELD_ROW("pid", FIELD_SIGNED, FIELD_REQUIRED, struct process_id, pid),
	FIELD_ROW("startTime", FIELD_UNSIGNED, FIELD_REQUIRED, struct process_id, start_time),
};
static const struct field_type process_type = FIELD_TYPE(struct process_id, process_fields);

#define ROW(key, kind, member) FIELD_ROW(key, kind, 0, struct container_state, member)

static const struct field state_fields[] = {
	FIELD_ROW_NAME("status", FIELD_REQUIRED, struct container_state, status, status_names),
	FIELD_ROW_STRUCT("process", 0, struct container_state, process, &process_type),
	ROW("bootId", FIELD_CHARS, boot_id),
	FIELD_ROW("exitCode", FIELD_SIGNED, FIELD_REQUIRED, struct container_state, exit_code),
	ROW("oomKilled", FIELD_BOOL, oom_killed),
	ROW("stoppedByUser", FIELD_BOOL, stopped_by_user),
	ROW("error", FIELD_STRING, error),
	ROW("started", FIELD_TIME, started_ns),
	ROW("finished", FIELD_TIME, finished_ns),
	ROW("restartCount", FIELD_UNSIGNED, restart_count),
	ROW("restartAttempts", FIELD_UNSIGNED, restart_attempts),
	FIELD_ROW_NAME("health", 0, struct container_state, health, health_names),
	ROW("postStartDue", FIELD_BOOL, post_start_due),
};
static const struct field_type state_type = FIELD_TYPE(struct container_state, state_fields);

const char *container_status_name(enum container_status status)
{
	return status_names[status];
}

const char *container_health_name(enum container_health health)
{
	return health_names[health];
}

bool container_has_healthcheck(const struct container_healthcheck *healthcheck)
{
	return healthcheck->test && healthcheck->test[0] && strcmp(healthcheck->test[0], "NONE");
}

bool container_is_up(enum container_status status)
{
	return status == CONTAINER_RUNNING || status == CONTAINER_PAUSED ||
	       status == CONTAINER_RESTARTING;
}

void container_state_release(struct container_state *state)
{
	fields_release(&state_type, state);
}

static int find_alive(const struct container_state *state, bool *ret_alive, struct error *err)
{
	char boot_id[37];
	int r = boot_id_read(boot_id, err);

	if (r < 0)
		return r;
	/* After a reboot pid and start time may both fit a stranger. */
	if (strcmp(boot_id, state->boot_id) != 0) {
		*ret_alive = false;
		return 0;
	}
	return process_find_alive(&state->process, ret_alive, err);
}

/* Nobody saw it end: neither the exit code nor the time is known, and none is invented. That it
 * cannot be looked at is no end. */
static int correct(struct container_state *state, struct error *err)
{
	bool alive = false;
	int r;

	if (state->status != CONTAINER_RUNNING && state->status != CONTAINER_PAUSED)
		return 0;
	r = find_alive(state, &alive, err);
	if (r < 0 || alive)
		return r;
	state->status = CONTAINER_EXITED;
	state->exit_code = -1;
	state->end_is_unseen = true;
	if (state->health != HEALTH_NONE)
		state->health = HEALTH_UNHEALTHY;
	state->finished_ns = 0;
	state->process = (struct process_id){ 0, 0 };
	return 0;
}

int container_load_state(
	const struct engine *engine, const char *id, struct container_state *ret, struct error *err)
{
	cleanup_free char *name = xasprintf("containers/%s/state.json", id);
	cleanup_free char *path = xasprintf("%s/%s", engine->data_path, name);
	struct container_state state;
	int r = fields_read_file(
		&state_type, STATE_VERSION, &state, engine->data_fd, name, path, err);

	if (r == -ENOENT) {
		/* Never started; unless there is no such container at all. */
		cleanup_free char *directory = xasprintf("containers/%s", id);

		if (faccessat(engine->data_fd, directory, F_OK, 0) < 0)
			return error_set(err, -ENOENT, "No such container: %s", id);
		*ret = (struct container_state){ .status = CONTAINER_CREATED };
		return 0;
	}
	if (r < 0)
		return r;
	r = correct(&state, err);
	if (r < 0) {
		container_state_release(&state);
		error_wrap(err, "%s", path);
		return r;
	}
	*ret = state;
	return 0;
}

int container_load_is_up(const struct engine *engine, const char *id, bool *ret, struct error *err)
{
	struct container_state state = { 0 };
	int r = container_load_state(engine, id, &state, err);

	if (r < 0)
		return r;
	*ret = container_is_up(state.status);
	container_state_release(&state);
	return 0;
}

int container_save_state(const struct engine *engine, const char *id,
	const struct container_state *state, enum file_durability durability, struct error *err)
{
	cleanup_free char *directory = xasprintf("containers/%s", id);
	cleanup_fd int dir_fd =
		file_open(engine->data_fd, directory, O_RDONLY | O_DIRECTORY, 0, err);
	int r = dir_fd;

	if (r == -ENOENT)
		return error_set(err, r, "No such container: %s", id);
	if (r >= 0)
		r = fields_write_file(
			&state_type, STATE_VERSION, state, dir_fd, "state.json", durability, err);
	if (r < 0)
		error_wrap(err, "state of container %.*s", ID_SHORT_LENGTH, id);
	return r;
}
