/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolver_inside.c - name service for containers that no gateway of ours is a neighbour of: its
 * sockets are made inside their netns and used from here, for a socket stays in the netns it was
 * made in. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/net/resolver_internal.h"

#define DNS_PORT 53

/* There is one thread, so between the two setns nothing else happens; a process that cannot come
 * back would go on to make the host's links and rules in a container, and ends instead. */
static int sockets_open(struct service *service, int process_fd)
{
	cleanup_fd int home_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	uint16_t port = DNS_PORT;
	int r = 0;

	if (home_fd < 0 || setns(process_fd, CLONE_NEWNET) < 0)
		return -errno;
	service->udp_fd = resolver_socket_bind(&service->gateway, SOCK_DGRAM, &port);
	if (service->udp_fd >= 0)
		service->tcp_fd = resolver_socket_bind(&service->gateway, SOCK_STREAM, &port);
	r = service->udp_fd < 0 ? service->udp_fd : service->tcp_fd < 0 ? service->tcp_fd : 0;
	if (setns(home_fd, CLONE_NEWNET) < 0)
		abort();
	return r;
}

static size_t slot_find(const struct resolver *resolver, const char *container_id)
{
	size_t slot = 0;

	while (slot < resolver->service_count &&
		!(resolver->services[slot] && resolver->services[slot]->container_id &&
			strcmp(resolver->services[slot]->container_id, container_id) == 0))
		slot++;
	return slot;
}

static bool network_is_used(const struct resolver *resolver, const char *network)
{
	for (size_t i = 0; i < resolver->service_count; i++)
		if (resolver->services[i] && strcmp(resolver->services[i]->network, network) == 0)
			return true;
	return false;
}

void resolver_remove_inside(struct resolver *resolver, const char *container_id)
{
	size_t slot = slot_find(resolver, container_id);
	cleanup_free char *network = NULL;

	if (slot == resolver->service_count)
		return;
	network = xstrdup(resolver->services[slot]->network);
	resolver_service_free(resolver, slot);
	if (!network_is_used(resolver, network))
		resolver_table_remove(resolver->table, network);
}

static int service_open(struct resolver *resolver, size_t slot, int process_fd)
{
	struct service *service = resolver->services[slot];
	int r = sockets_open(service, process_fd);

	if (r == 0)
		r = resolver_watch(resolver, service->udp_fd, EPOLLIN, EVENT_UDP, slot, true);
	if (r == 0)
		r = resolver_watch(resolver, service->tcp_fd, EPOLLIN, EVENT_LISTENER, slot, true);
	return r;
}

int resolver_add_inside(struct resolver *resolver, const char *network, const char *container_id,
	int process_fd, struct error *err)
{
	struct service *service;
	size_t slot;
	int r;

	resolver_remove_inside(resolver, container_id);
	r = resolver_table_add(resolver->table, network, err);
	if (r < 0)
		return error_wrap(err, "name service of container %.12s", container_id);
	slot = resolver_slot_new(resolver);
	service = xcalloc(1, sizeof(*service));
	*service = (struct service){
		.network = xstrdup(network),
		.container_id = xstrdup(container_id),
		.dir_fd = -1,
		.claim_fd = -1,
		.udp_fd = -1,
		.tcp_fd = -1,
	};
	ip_parse(RESOLVER_INSIDE, &service->gateway);
	resolver->services[slot] = service;
	r = service_open(resolver, slot, process_fd);
	if (r == 0)
		return 0;
	resolver_remove_inside(resolver, container_id);
	return error_sys(err, r, "name service inside container %.12s", container_id);
}
