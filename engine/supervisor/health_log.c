/* SPDX-License-Identifier: GPL-2.0-or-later
 * health_log.c - the last results of a container's health check, as a file. */
#include "engine/supervisor/health_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/container/fields.h"

#define HEALTH_VERSION 1
#define FILE_NAME      "health.json"

static const struct field result_fields[] = {
	FIELD_ROW("start", FIELD_TIME, 0, struct health_result, start_ns),
	FIELD_ROW("end", FIELD_TIME, 0, struct health_result, end_ns),
	FIELD_ROW("exitCode", FIELD_SIGNED, FIELD_REQUIRED, struct health_result, exit_code),
	FIELD_ROW("output", FIELD_STRING, 0, struct health_result, output),
};
static const struct field_type result_type = FIELD_TYPE(struct health_result, result_fields);

static const struct field log_fields[] = {
	FIELD_ROW("run", FIELD_TIME, FIELD_REQUIRED, struct health_log, run_ns),
	FIELD_ROW("failingStreak", FIELD_UNSIGNED, 0, struct health_log, failing_streak),
	FIELD_ROW_ARRAY("results", struct health_log, results, count, &result_type),
};
static const struct field_type log_type = FIELD_TYPE(struct health_log, log_fields);

void health_log_release(struct health_log *log)
{
	fields_release(&log_type, log);
}

void health_log_add(struct health_log *log, struct health_result *result)
{
	if (log->count == HEALTH_LOG_RESULTS) {
		free(log->results[0].output);
		memmove(&log->results[0], &log->results[1],
			(HEALTH_LOG_RESULTS - 1) * sizeof(log->results[0]));
		log->results[HEALTH_LOG_RESULTS - 1] = *result;
	} else {
		*array_add(log->results, log->count) = *result;
	}
	result->output = NULL;
}

int health_log_write(const struct engine *engine, const char *container_id,
	const struct health_log *log, struct error *err)
{
	cleanup_free char *directory = xasprintf("containers/%s", container_id);
	cleanup_fd int dir_fd =
		file_open(engine->data_fd, directory, O_RDONLY | O_DIRECTORY, 0, err);

	if (dir_fd < 0)
		return dir_fd;
	/* It tells of a run, and no run outlives a power cut. */
	return fields_write_file(
		&log_type, HEALTH_VERSION, log, dir_fd, FILE_NAME, FILE_VOLATILE, err);
}

int health_log_read(const struct engine *engine, const char *container_id, int64_t run_ns,
	struct health_log *ret, struct error *err)
{
	cleanup_free char *name = xasprintf("containers/%s/" FILE_NAME, container_id);
	cleanup_free char *path = xasprintf("%s/%s", engine->data_path, name);
	struct health_log log = { 0 };
	int r = fields_read_file(&log_type, HEALTH_VERSION, &log, engine->data_fd, name, path, err);

	if (r < 0 && r != -ENOENT)
		return r;
	if (r == -ENOENT)
		error_release(err);
	if (log.run_ns != run_ns || log.count > HEALTH_LOG_RESULTS)
		health_log_release(&log);
	log.run_ns = run_ns;
	*ret = log;
	return 0;
}
