/* SPDX-License-Identifier: GPL-2.0-or-later
 * uplink.c - what a container needs of the network for a run: host ports held, addresses, names
 * answered, firewall rules. They are kept over automatic restarts and given back at the end. */
#include "engine/supervisor/minded.h"

#include <errno.h>

#include "engine/base/log.h"
#include "engine/base/times.h"
#include "engine/container/endpoints.h"

/* Rules of ended containers go together: many end at about the same time in a `down`. */
#define FIREWALL_DELAY	   (30 * NS_PER_MS)
#define FIREWALL_DELAY_MAX (300 * NS_PER_MS)
/* Somebody else holds the lock of the kernel's tables: containers are looked after meanwhile. */
#define FIREWALL_PATIENCE (60 * NS_PER_SEC)

static bool has_networks(const struct container *container)
{
	return container->spec.network.mode == NAMESPACE_PRIVATE && container->attachment_count > 0;
}

int uplink_settle_firewall(struct supervisor *supervisor, struct error *err)
{
	int r;

	loop_cancel(supervisor->firewall_timer);
	supervisor->firewall_timer = NULL;
	if (!supervisor->firewall_dirty)
		return 0;
	r = firewall_try_sync(supervisor->engine, err);
	if (r != -EWOULDBLOCK) {
		supervisor->firewall_dirty = false;
		supervisor->firewall_blocked_since_ns = 0;
		return r < 0 ? r : 0;
	}
	if (!supervisor->firewall_blocked_since_ns)
		supervisor->firewall_blocked_since_ns = time_monotonic();
	if (time_monotonic() - supervisor->firewall_blocked_since_ns < FIREWALL_PATIENCE)
		return r;
	supervisor->firewall_dirty = false;
	supervisor->firewall_blocked_since_ns = 0;
	return error_set(err, -ETIMEDOUT, "%s", error_text(err));
}

static void firewall_due(void *arg)
{
	struct supervisor *supervisor = arg;
	cleanup_error struct error err = ERROR_INIT;
	int r;

	supervisor->firewall_timer = NULL;
	r = uplink_settle_firewall(supervisor, &err);
	if (r == -EWOULDBLOCK)
		supervisor->firewall_timer =
			loop_add_timer(supervisor->loop, UPLINK_RETRY, firewall_due, supervisor);
	else if (r < 0)
		log_warning("%s", error_text(&err));
}

/* Soon, but later with every further change, up to a bound. */
static void firewall_schedule(struct supervisor *supervisor)
{
	int64_t now = time_monotonic(), latest, delay = FIREWALL_DELAY;

	if (!supervisor->firewall_dirty || !supervisor->firewall_timer)
		supervisor->firewall_dirty_since_ns = now;
	supervisor->firewall_dirty = true;
	latest = supervisor->firewall_dirty_since_ns + FIREWALL_DELAY_MAX - now;
	loop_cancel(supervisor->firewall_timer);
	supervisor->firewall_timer = loop_add_timer(
		supervisor->loop, delay < latest ? delay : latest, firewall_due, supervisor);
}

int uplink_prepare(struct minded *minded, struct error *err)
{
	int r;

	if (!has_networks(minded->container))
		return 0;
	r = ports_hold(minded, err);
	if (r < 0)
		return r;
	r = container_allocate_endpoints(
		minded->supervisor->engine, minded->container, minded->ports, err);
	if (r > 0)
		minded->supervisor->firewall_dirty = true; /* settled before the launch */
	if (r >= 0)
		r = port_relay_start(minded, err);
	if (r >= 0)
		r = names_serve(minded, err);
	return r;
}

void uplink_resume(struct minded *minded)
{
	cleanup_error struct error err = ERROR_INIT;

	if (!has_networks(minded->container))
		return;
	/* Another process may have taken a port while nobody held it. The rules stand and win. */
	if (ports_hold(minded, &err) < 0 || port_relay_start(minded, &err) < 0)
		log_warning("container %s: %s", minded->container->name, error_text(&err));
	if (names_serve(minded, &err) < 0)
		log_warning("container %s: %s", minded->container->name, error_text(&err));
	names_serve_inside(minded);
}

void uplink_close(struct minded *minded)
{
	names_serve_no_more(minded);
	port_relay_stop(minded);
	ports_let_go(minded);
}

void uplink_release(struct minded *minded)
{
	struct supervisor *supervisor = minded->supervisor;
	cleanup_error struct error err = ERROR_INIT;

	if (!has_networks(minded->container))
		return;
	if (endpoint_release_all(supervisor->engine, minded->container->id, &err) < 0)
		log_warning("container %s: %s", minded->container->name, error_text(&err));
	firewall_schedule(supervisor);
	uplink_close(minded);
}

void uplink_end(struct supervisor *supervisor)
{
	cleanup_error struct error err = ERROR_INIT;

	/* Nothing is left to look after: the last rules may be waited for. */
	loop_cancel(supervisor->firewall_timer);
	supervisor->firewall_timer = NULL;
	if (supervisor->firewall_dirty && firewall_sync(supervisor->engine, &err) < 0)
		log_warning("%s", error_text(&err));
	supervisor->firewall_dirty = false;
	names_end(supervisor);
}
