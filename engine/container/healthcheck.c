/* SPDX-License-Identifier: GPL-2.0-or-later
 * healthcheck.c - a health check as images have it, and how it combines with the user's. */
#include "engine/container/healthcheck.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/strv.h"

static const struct duration_row {
	const char *key;
	size_t offset;
} durations[] = {
	{ "Interval", offsetof(struct container_healthcheck, interval_ns) },
	{ "Timeout", offsetof(struct container_healthcheck, timeout_ns) },
	{ "StartPeriod", offsetof(struct container_healthcheck, start_period_ns) },
	{ "StartInterval", offsetof(struct container_healthcheck, start_interval_ns) },
};

static int64_t *duration_at(
	const struct container_healthcheck *healthcheck, const struct duration_row *row)
{
	return (int64_t *)(void *)((char *)(uintptr_t)healthcheck + row->offset);
}

void healthcheck_release(struct container_healthcheck *healthcheck)
{
	strv_free(healthcheck->test);
	strv_free(healthcheck->shell);
	*healthcheck = (struct container_healthcheck){ 0 };
}

static int read_test(const struct json *json, char ***ret, struct error *err)
{
	cleanup_strv char **test = NULL;

	if (json && !json_is_null(json) && !json_is_array(json))
		return error_set(err, -EBADMSG, "'Test': expected a list");
	json_for_each (item, json) {
		if (!json_is_string(item))
			return error_set(err, -EBADMSG, "'Test': expected a list of strings");
		strv_add(&test, json_string(item));
	}
	if (test && strcmp(test[0], "CMD") && strcmp(test[0], "CMD-SHELL") &&
		strcmp(test[0], "NONE"))
		return error_set(err, -EBADMSG,
			"'Test': begins with '%.64s', not with CMD, CMD-SHELL or NONE", test[0]);
	*ret = steal_ptr(test);
	return 0;
}

int healthcheck_from_json(
	const struct json *json, struct container_healthcheck *ret, struct error *err)
{
	struct container_healthcheck healthcheck = { 0 };
	int64_t retries = 0;
	int r = json_is_object(json) ? 0 : error_set(err, -EBADMSG, "expected an object");

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(durations); i++) {
		int64_t *duration = duration_at(&healthcheck, &durations[i]);

		r = json_opt_int(json, durations[i].key, duration, err);
		if (r == 0 && *duration < 0)
			r = error_set(err, -EBADMSG, "'%s': is negative", durations[i].key);
	}
	if (r == 0)
		r = json_opt_int(json, "Retries", &retries, err);
	if (r == 0 && (retries < 0 || retries > INT32_MAX))
		r = error_set(err, -EBADMSG, "'Retries': out of range");
	if (r == 0)
		r = read_test(json_get(json, "Test"), &healthcheck.test, err);
	if (r < 0)
		return r;
	healthcheck.retries = (uint32_t)retries;
	*ret = healthcheck;
	return 0;
}

struct json *healthcheck_to_json(const struct container_healthcheck *healthcheck)
{
	struct json *object = json_new_object();

	json_set_strv(object, "Test", healthcheck->test);
	for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
		int64_t duration = *duration_at(healthcheck, &durations[i]);

		if (duration)
			json_set_int(object, durations[i].key, duration);
	}
	if (healthcheck->retries)
		json_set_int(object, "Retries", healthcheck->retries);
	return object;
}

int healthcheck_inherit(
	struct container_healthcheck *healthcheck, const char *text, struct error *err)
{
	cleanup_json struct json *json = NULL;
	struct container_healthcheck base = { 0 };
	int r;

	if (!text)
		return 0;
	r = json_parse(text, strlen(text), &json, err);
	if (r == 0)
		r = healthcheck_from_json(json, &base, err);
	if (r < 0)
		return error_wrap(err, "the image's healthcheck");
	if (!healthcheck->test)
		healthcheck->test = steal_ptr(base.test);
	for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
		int64_t *duration = duration_at(healthcheck, &durations[i]);

		if (*duration == 0)
			*duration = *duration_at(&base, &durations[i]);
	}
	if (healthcheck->retries == 0)
		healthcheck->retries = base.retries;
	healthcheck_release(&base);
	return 0;
}
