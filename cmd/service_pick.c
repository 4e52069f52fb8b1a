/* SPDX-License-Identifier: GPL-2.0-or-later
 * service_pick.c - choose among a service's containers. */
#include "cmd/service_pick.h"

#include <errno.h>
#include <string.h>

#include "cmd/listed.h"
#include "engine/base/memory.h"

static bool is_candidate(const struct listed *listed, void *arg)
{
	const struct service_pick *pick = arg;
	bool runs = listed->state.status == CONTAINER_RUNNING ||
		    listed->state.status == CONTAINER_PAUSED;

	return !strcmp(listed_service(listed), pick->service) && (runs || !pick->must_run) &&
	       (!pick->index || pick->index == listed_number(listed));
}

static bool is_better(const struct listed *a, const struct listed *b)
{
	if (listed_is_one_off(a) != listed_is_one_off(b))
		return listed_is_one_off(b);
	return listed_number(a) < listed_number(b);
}

int service_pick(
	struct app *app, const struct service_pick *pick, struct container **ret, struct error *err)
{
	cleanup_listed struct listed_set set = LISTED_INIT;
	struct listed *best = NULL;
	int r = listed_load(&app->engine, app->project_name, &set, err);

	if (r < 0)
		return r;
	listed_filter(&set, is_candidate, (void *)pick);
	for (size_t i = 0; i < set.count; i++)
		if (!best || is_better(&set.items[i], best))
			best = &set.items[i];
	if (!best && pick->index)
		return error_set(err, -ESRCH, "service \"%s\" is not running container #%lld",
			pick->service, (long long)pick->index);
	if (!best && pick->must_run)
		return error_set(err, -ESRCH, "service \"%s\" is not running", pick->service);
	if (!best)
		return error_set(err, -ESRCH, "service \"%s\" has no container", pick->service);
	*ret = steal_ptr(best->container);
	return 0;
}
