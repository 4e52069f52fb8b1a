/* SPDX-License-Identifier: GPL-2.0-or-later
 * service_networks.c - networks and ports of the model as the engine is asked for them. */
#include "compose/service_networks.h"

#include <string.h>

#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

#define OPTION_SYSCTLS	 "com.docker.network.endpoint.sysctls"
#define OPTION_INTERFACE "com.docker.network.endpoint.ifname"

void service_fill_ports(const struct service *service, struct container *container)
{
	for (size_t i = 0; i < service->port_count; i++) {
		const struct port *port = &service->ports[i];
		struct published_port *to = array_add(container->ports, container->port_count);

		to->host_ip = xstrdup(port->host_ip);
		if (port->published_first == port->published_last) {
			to->host_port = port->published_first;
		} else {
			to->range_first = port->published_first;
			to->range_last = port->published_last;
		}
		to->container_port = port->target;
		snprintf(to->protocol, sizeof(to->protocol), "%s",
			port_protocol_names[port->protocol]);
	}
}

/* "SERVICE:ALIAS" or "SERVICE", an external one "CONTAINER:ALIAS": the alias means the other name,
 * and that whoever answers to it at the time. */
static void add_links(char ***to, char *const *links)
{
	for (; links && *links; links++) {
		const char *colon = strchr(*links, ':');
		cleanup_free char *target = xstrndup(*links, strcspn(*links, ":"));

		strv_take(to, xasprintf("%s=%s", colon ? colon + 1 : target, target));
	}
}

static void fill_options(char *const *options, struct container_attachment *to)
{
	for (; options && *options; options++) {
		const char *value = strchr(*options, '=');

		if (!value)
			continue;
		if (strncmp(*options, OPTION_SYSCTLS "=", sizeof(OPTION_SYSCTLS)) == 0) {
			cleanup_strv char **sysctls = strv_split(value + 1, ",");

			strv_extend(&to->sysctls, sysctls);
		} else if (strncmp(*options, OPTION_INTERFACE "=", sizeof(OPTION_INTERFACE)) == 0 &&
			   !to->interface) {
			to->interface = xstrdup(value + 1);
		}
	}
}

void service_fill_attachments(const struct project *project, const struct service *service,
	unsigned int number, struct container *container)
{
	/* The engine's default network, outside of the project: no aliases there. */
	if (service->network_mode && (!strcmp(service->network_mode, "bridge") ||
					     !strcmp(service->network_mode, "default"))) {
		struct container_attachment *to =
			array_add(container->attachments, container->attachment_count);

		to->network = xstrdup("bridge");
		to->mac = xstrdup(service->mac_address);
		add_links(&to->links, service->external_links);
	}
	for (size_t i = 0; i < service->network_count; i++) {
		const struct service_network *network = &service->networks[i];
		struct container_attachment *to =
			array_add(container->attachments, container->attachment_count);

		to->network = xstrdup(project_find_network(project, network->key)->name);
		to->address = xstrdup(network->ipv4_address);
		to->address6 = xstrdup(network->ipv6_address);
		/* The service's own is for the first network, as docker has it. */
		to->mac = xstrdup(network->mac_address ? network->mac_address
				  : i == 0	       ? service->mac_address
						       : NULL);
		to->interface = xstrdup(network->interface_name);
		to->gateway_priority = network->gw_priority;
		to->link_local = strv_copy(network->link_local_ips);
		fill_options(network->driver_opts, to);
		if (number > 0)
			strv_add(&to->aliases, service->name);
		strv_extend(&to->aliases, network->aliases);
		add_links(&to->links, service->links);
		add_links(&to->links, service->external_links);
	}
}

static int add_pools(const struct project_network *network, struct network_request *request,
	char ***reserved, struct error *err)
{
	for (size_t i = 0; i < network->pool_count; i++) {
		const struct ipam_pool *pool = &network->pools[i];
		int r;

		if (pool->subnet && strchr(pool->subnet, ':') && !network->enable_ipv6) {
			log_warning("network %s: enable_ipv6 is off, subnet %s is not used",
				network->name, pool->subnet);
			continue;
		}
		r = network_request_add_pool(
			request, pool->subnet, pool->gateway, pool->ip_range, err);
		if (r < 0)
			return r;
		for (size_t k = 0; pool->aux_addresses && pool->aux_addresses[k]; k++) {
			const char *value = strchr(pool->aux_addresses[k], '=');

			strv_add(reserved, value ? value + 1 : pool->aux_addresses[k]);
		}
	}
	return 0;
}

int project_network_request(const struct project_network *network, struct network_request *ret,
	char ***ret_reserved, struct error *err)
{
	struct network_request request = {
		.name = network->name,
		.driver = network->driver,
		.internal = network->internal,
		.no_ipv4 = network->disable_ipv4,
		.ipv6 = network->enable_ipv6,
		.options = network->driver_opts,
	};
	char **reserved = NULL;
	int r = add_pools(network, &request, &reserved, err);

	if (r < 0) {
		strv_free(reserved);
		return r;
	}
	request.reserved = reserved;
	*ret = request;
	*ret_reserved = reserved;
	return 0;
}
