/* SPDX-License-Identifier: GPL-2.0-or-later
 * uplink_names.c - the name service in the loop: a network is served while a container on it is
 * minded. */
#include <stdint.h>
#include <sys/epoll.h>

#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/times.h"
#include "engine/supervisor/minded.h"

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

int names_serve(struct minded *minded, struct error *err)
{
	struct supervisor *supervisor = minded->supervisor;
	const struct container *container = minded->container;
	size_t done = 0;
	int r;

	/* Sockets in the netns of an ended run would keep that, and its links, alive. */
	if (supervisor->resolver)
		resolver_remove_inside(supervisor->resolver, container->id);
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

/* The first of its networks if none of them has a gateway that serves names, else NULL. Heap. */
static char *network_without_service(const struct minded *minded)
{
	const struct container *container = minded->container;

	for (size_t i = 0; i < container->attachment_count; i++) {
		cleanup_network struct network *network = NULL;

		if (network_find(minded->supervisor->engine, container->attachments[i].network,
			    &network, NULL) < 0 ||
			network_resolver_address(network))
			return NULL;
	}
	return container->attachment_count ? xstrdup(container->attachments[0].network) : NULL;
}

void names_serve_inside(struct minded *minded)
{
	struct supervisor *supervisor = minded->supervisor;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *network = NULL;

	if (!minded->served || minded->pidfd < 0)
		return;
	network = network_without_service(minded);
	if (network && resolver_add_inside(supervisor->resolver, network, minded->container->id,
			       minded->pidfd, &err) < 0)
		log_warning("container %s: %s", minded->container->name, error_text(&err));
	resolver_schedule(supervisor);
}

void names_serve_no_more(struct minded *minded)
{
	if (!minded->served)
		return;
	for (size_t i = 0; i < minded->container->attachment_count; i++)
		serve_less(minded->supervisor, minded->container->attachments[i].network);
	resolver_remove_inside(minded->supervisor->resolver, minded->container->id);
	minded->served = false;
	resolver_schedule(minded->supervisor);
}

void names_end(struct supervisor *supervisor)
{
	loop_cancel(supervisor->resolver_timer);
	loop_remove(supervisor->resolver_source);
	resolver_free(supervisor->resolver);
	strmap_release(&supervisor->served);
}
