/* SPDX-License-Identifier: GPL-2.0-or-later
 * uplink.c - what a container needs of the network for a run: host ports held, addresses, names
 * answered, firewall rules. They are kept over automatic restarts and given back at the end. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>

#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/times.h"
#include "engine/container/endpoints.h"
#include "engine/supervisor/minded.h"

/* Rules of ended containers go together: many end at about the same time in a `down`. */
#define FIREWALL_DELAY	   (30 * NS_PER_MS)
#define FIREWALL_DELAY_MAX (300 * NS_PER_MS)

static bool has_networks(const struct container *container)
{
	return container->spec.network.mode == NAMESPACE_PRIVATE && container->attachment_count > 0;
}

static void resolver_due(void *arg);

static void resolver_schedule(struct supervisor *supervisor)
{
	int timeout_ms = resolver_timeout_ms(supervisor->resolver);

	loop_cancel(supervisor->resolver_timer);
	supervisor->resolver_timer = NULL;
	if (timeout_ms >= 0)
		supervisor->resolver_timer = loop_add_timer(
			supervisor->loop, timeout_ms * NS_PER_MS, resolver_due, supervisor);
}

static void resolver_due(void *arg)
{
	struct supervisor *supervisor = arg;

	supervisor->resolver_timer = NULL;
	resolver_run(supervisor->resolver);
	resolver_schedule(supervisor);
}

static void resolver_ready(int fd, uint32_t events, void *arg)
{
	struct supervisor *supervisor = arg;

	(void)fd;
	(void)events;
	resolver_run(supervisor->resolver);
	resolver_schedule(supervisor);
}

static int resolver_start(struct supervisor *supervisor, struct error *err)
{
	int r;

	if (supervisor->resolver)
		return 0;
	r = resolver_new(supervisor->engine, &supervisor->resolver, err);
	if (r < 0)
		return r;
	r = loop_add_fd(supervisor->loop, resolver_fd(supervisor->resolver), EPOLLIN,
		resolver_ready, supervisor, &supervisor->resolver_source, err);
	if (r < 0) {
		resolver_free(supervisor->resolver);
		supervisor->resolver = NULL;
	}
	return r;
}

static uintptr_t served_count(const struct supervisor *supervisor, const char *network)
{
	return (uintptr_t)strmap_get(&supervisor->served, network);
}

static void serve_less(struct supervisor *supervisor, const char *network)
{
	uintptr_t count = served_count(supervisor, network);

	if (count > 1) {
		strmap_set(&supervisor->served, network, (void *)(count - 1));
		return;
	}
	strmap_remove(&supervisor->served, network);
	resolver_remove(supervisor->resolver, network);
}

static int serve_more(struct supervisor *supervisor, const char *network, struct error *err)
{
	uintptr_t count = served_count(supervisor, network);
	int r = count == 0 ? resolver_add(supervisor->resolver, network, err) : 0;

	if (r == 0)
		strmap_set(&supervisor->served, network, (void *)(count + 1));
	return r;
}

static int serve_names(struct minded *minded, struct error *err)
{
	struct supervisor *supervisor = minded->supervisor;
	const struct container *container = minded->container;
	size_t done = 0;
	int r;

	if (minded->served)
		return 0;
	r = resolver_start(supervisor, err);
	while (r == 0 && done < container->attachment_count) {
		r = serve_more(supervisor, container->attachments[done].network, err);
		if (r == 0)
			done++;
	}
	if (r < 0) {
		while (done > 0)
			serve_less(supervisor, container->attachments[--done].network);
		error_wrap(err, "name service");
		return r;
	}
	minded->served = true;
	resolver_schedule(supervisor);
	return 0;
}

static void serve_no_more(struct minded *minded)
{
	if (!minded->served)
		return;
	for (size_t i = 0; i < minded->container->attachment_count; i++)
		serve_less(minded->supervisor, minded->container->attachments[i].network);
	minded->served = false;
	resolver_schedule(minded->supervisor);
}

static bool same_port(const struct published_port *a, const struct published_port *b)
{
	return a->container_port == b->container_port && strcmp(a->protocol, b->protocol) == 0 &&
	       strcmp(a->host_ip ? a->host_ip : "", b->host_ip ? b->host_ip : "") == 0;
}

static void ports_free(struct minded *minded)
{
	for (size_t i = 0; minded->ports && i < minded->container->port_count; i++)
		free(minded->ports[i].host_ip);
	free(minded->ports);
	minded->ports = NULL;
}

static void ports_copy(struct minded *minded)
{
	const struct container *container = minded->container;

	ports_free(minded);
	minded->ports = xcalloc(container->port_count, sizeof(*minded->ports));
	for (size_t i = 0; i < container->port_count; i++) {
		minded->ports[i] = container->ports[i];
		minded->ports[i].host_ip = xstrdup(container->ports[i].host_ip);
	}
}

/* Give an ephemeral port of the record the number that is known for it; each is taken once. */
static bool port_recall(struct minded *minded, const struct published_port *known)
{
	for (size_t i = 0; known->host_port && i < minded->container->port_count; i++) {
		struct published_port *port = &minded->ports[i];

		if (port->host_port || !same_port(port, known))
			continue;
		port->host_port = known->host_port;
		return true;
	}
	return false;
}

/* What the endpoint records remember of an earlier run, or of the caller's own choice. */
static bool ports_recall(struct minded *minded)
{
	struct endpoint *endpoints = NULL;
	size_t count = 0;
	bool recalled = false;

	if (endpoint_of_container(minded->supervisor->engine, minded->container->id, &endpoints,
		    &count, NULL) < 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < endpoints[i].port_count; j++)
			recalled |= port_recall(minded, &endpoints[i].ports[j]);
	}
	endpoint_list_free(endpoints, count);
	return recalled;
}

static int ports_hold(struct minded *minded, struct error *err)
{
	const struct engine *engine = minded->supervisor->engine;
	size_t count = minded->container->port_count;
	bool recalled;
	int r;

	if (count == 0 || minded->port_fds)
		return 0;
	ports_copy(minded);
	recalled = ports_recall(minded);
	r = port_reserve(
		engine, minded->ports, count, &minded->port_fds, &minded->port_fd_count, err);
	if (r == -EADDRINUSE && recalled) {
		/* A chosen port may be chosen anew. */
		ports_copy(minded);
		r = port_reserve(engine, minded->ports, count, &minded->port_fds,
			&minded->port_fd_count, err);
	}
	if (r < 0)
		ports_free(minded);
	return r;
}

static void ports_let_go(struct minded *minded)
{
	for (size_t i = 0; i < minded->port_fd_count; i++)
		close_fd(&minded->port_fds[i]);
	free(minded->port_fds);
	minded->port_fds = NULL;
	minded->port_fd_count = 0;
	ports_free(minded);
}

int uplink_settle_firewall(struct supervisor *supervisor, struct error *err)
{
	int r;

	loop_cancel(supervisor->firewall_timer);
	supervisor->firewall_timer = NULL;
	if (!supervisor->firewall_dirty)
		return 0;
	supervisor->firewall_dirty = false;
	r = firewall_sync(supervisor->engine, err);
	return r < 0 ? r : 0;
}

static void firewall_due(void *arg)
{
	struct supervisor *supervisor = arg;
	cleanup_error struct error err = ERROR_INIT;

	supervisor->firewall_timer = NULL;
	if (uplink_settle_firewall(supervisor, &err) < 0)
		log_warning("firewall: %s", error_text(&err));
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
		r = serve_names(minded, err);
	return r;
}

void uplink_resume(struct minded *minded)
{
	cleanup_error struct error err = ERROR_INIT;

	if (!has_networks(minded->container))
		return;
	/* Another process may have taken a port while nobody held it. The rules stand and win. */
	if (ports_hold(minded, &err) < 0)
		log_warning("container %s: %s", minded->container->name, error_text(&err));
	if (serve_names(minded, &err) < 0)
		log_warning("container %s: %s", minded->container->name, error_text(&err));
}

void uplink_close(struct minded *minded)
{
	serve_no_more(minded);
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
	firewall_due(supervisor);
	loop_cancel(supervisor->resolver_timer);
	loop_remove(supervisor->resolver_source);
	resolver_free(supervisor->resolver);
	strmap_release(&supervisor->served);
}
