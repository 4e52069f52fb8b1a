/* SPDX-License-Identifier: GPL-2.0-or-later
 * health_options.c - `--health-cmd` and what belongs to it. */
#include "cmd/health_options.h"

#include <errno.h>

#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"

static int apply_duration(const char *flag, const char *text, int64_t *to, struct error *err)
{
	if (!text)
		return 0;
	if (parse_duration(text, to) < 0)
		return error_set(err, -EINVAL,
			"invalid argument \"%s\" for \"%s\" flag: expected a duration like 1m30s",
			text, flag);
	if (*to < 0)
		return error_set(err, -EINVAL, "%s cannot be negative", flag);
	/* Docker's limit, and far more than a probe can keep. */
	if (*to > 0 && *to < NS_PER_MS)
		return error_set(err, -EINVAL, "%s cannot be less than 1ms", flag);
	return 0;
}

static void replace_test(
	struct container_healthcheck *healthcheck, const char *kind, const char *line)
{
	strv_free(healthcheck->test);
	healthcheck->test = NULL;
	strv_add(&healthcheck->test, kind);
	if (line)
		strv_add(&healthcheck->test, line);
}

int health_options_apply(const struct run_options *options,
	struct container_healthcheck *healthcheck, struct error *err)
{
	const struct {
		const char *flag;
		const char *text;
		int64_t *to;
	} durations[] = {
		{ "--health-interval", options->health_interval, &healthcheck->interval_ns },
		{ "--health-timeout", options->health_timeout, &healthcheck->timeout_ns },
		{ "--health-start-period", options->health_start_period,
			&healthcheck->start_period_ns },
		{ "--health-start-interval", options->health_start_interval,
			&healthcheck->start_interval_ns },
	};
	bool any = options->health_cmd || options->health_retries_given;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(durations); i++) {
		any = any || durations[i].text;
		r = apply_duration(durations[i].flag, durations[i].text, durations[i].to, err);
	}
	if (r < 0)
		return r;
	if (options->no_healthcheck && any)
		return error_set(
			err, -EINVAL, "--no-healthcheck conflicts with --health-* options");
	if (options->health_retries < 0 || options->health_retries > INT32_MAX)
		return error_set(err, -EINVAL, "--health-retries cannot be negative");
	if (options->health_retries_given)
		healthcheck->retries = (uint32_t)options->health_retries;
	if (options->no_healthcheck)
		replace_test(healthcheck, "NONE", NULL);
	else if (options->health_cmd && *options->health_cmd)
		replace_test(healthcheck, "CMD-SHELL", options->health_cmd);
	return 0;
}
