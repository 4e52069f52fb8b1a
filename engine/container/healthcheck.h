/* SPDX-License-Identifier: GPL-2.0-or-later
 * healthcheck.h - a health check as images have it, and how it combines with the user's.
 * May depend on: engine/base/, container.h. Rules: docker's HealthConfig; docker run. */
#ifndef MYCOMPOSE_CONTAINER_HEALTHCHECK_H
#define MYCOMPOSE_CONTAINER_HEALTHCHECK_H

#include "engine/base/errors.h"
#include "engine/base/json.h"
#include "engine/container/container.h"

/* {"Test": ["CMD-SHELL", "…"], "Interval": ns, "Timeout": ns, "StartPeriod": ns, "StartInterval":
 * ns, "Retries": n}. -EBADMSG when it is not that. */
int healthcheck_from_json(
	const struct json *json, struct container_healthcheck *ret, struct error *err);
struct json *healthcheck_to_json(const struct container_healthcheck *healthcheck);
void healthcheck_release(struct container_healthcheck *healthcheck);

/* Whatever the user has not said is the image's (`text`: the JSON above, NULL = it has none). */
int healthcheck_inherit(
	struct container_healthcheck *healthcheck, const char *text, struct error *err);

#endif
