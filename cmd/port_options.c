/* SPDX-License-Identifier: GPL-2.0-or-later
 * port_options.c - read docker's notation of ports. */
#include "cmd/port_options.h"

#include <errno.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"
#include "engine/net/ip.h"

struct range {
	uint16_t first;
	uint16_t last;
};

static int parse_range(const char *text, struct range *ret)
{
	const char *dash = strchr(text, '-');
	cleanup_free char *head = dash ? xstrndup(text, (size_t)(dash - text)) : xstrdup(text);
	uint64_t first, last;

	if (parse_u64(head, 1, UINT16_MAX, &first) < 0)
		return -EINVAL;
	last = first;
	if (dash && parse_u64(dash + 1, first, UINT16_MAX, &last) < 0)
		return -EINVAL;
	*ret = (struct range){ (uint16_t)first, (uint16_t)last };
	return 0;
}

static int parse_protocol(const char *text, char protocol[static 5])
{
	static const char *const known[] = { "tcp", "udp", "sctp" };

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (!strcmp(text, known[i])) {
			snprintf(protocol, 5, "%s", known[i]);
			return 0;
		}
	}
	return -EINVAL;
}

/* "80-81/udp" taken apart. */
static int parse_target(const char *text, struct range *ret, char protocol[static 5])
{
	cleanup_free char *ports = xstrndup(text, strcspn(text, "/"));
	const char *slash = strchr(text, '/');

	if (parse_protocol(slash ? slash + 1 : "tcp", protocol) < 0)
		return -EINVAL;
	return parse_range(ports, ret);
}

/* Split "IP:HOST:CONTAINER" from the right, so that an IPv6 address may hold colons. Every part is
 * heap or NULL. */
static void split(const char *text, char **ret_ip, char **ret_host, char **ret_target)
{
	const char *last = strrchr(text, ':'), *before = NULL;

	*ret_ip = *ret_host = NULL;
	*ret_target = xstrdup(last ? last + 1 : text);
	if (!last)
		return;
	for (const char *c = text; c < last; c++)
		if (*c == ':')
			before = c;
	*ret_host = before ? xstrndup(before + 1, (size_t)(last - before - 1))
			   : xstrndup(text, (size_t)(last - text));
	if (!before)
		return;
	if (text[0] == '[' && before > text + 1 && before[-1] == ']')
		*ret_ip = xstrndup(text + 1, (size_t)(before - text - 2));
	else
		*ret_ip = xstrndup(text, (size_t)(before - text));
}

static struct published_port *publish(struct container *container, const char *ip, uint16_t host,
	uint16_t target, const char *protocol)
{
	struct published_port *port = array_add(container->ports, container->port_count);

	port->host_ip = ip && *ip ? xstrdup(ip) : NULL;
	port->host_port = host;
	port->container_port = target;
	snprintf(port->protocol, sizeof(port->protocol), "%s", protocol);
	return port;
}

/* Of a range of host ports for one container port the first that is free is chosen at start. */
static void publish_one_of(struct container *container, const char *ip, const struct range *host,
	uint16_t target, const char *protocol)
{
	struct published_port *port = publish(container, ip, 0, target, protocol);

	port->range_first = host->first;
	port->range_last = host->last;
}

static int apply_one(const char *text, struct container *container, struct error *err)
{
	cleanup_free char *ip = NULL;
	cleanup_free char *host_text = NULL;
	cleanup_free char *target_text = NULL;
	struct range host = { 0, 0 }, target;
	char protocol[5];

	split(text, &ip, &host_text, &target_text);
	if (parse_target(target_text, &target, protocol) < 0)
		return error_set(err, -EINVAL, "invalid containerPort: %s", text);
	if (host_text && *host_text && parse_range(host_text, &host) < 0)
		return error_set(err, -EINVAL, "invalid hostPort: %s", text);
	if (ip && *ip && ip_parse(ip, &(struct ip_range){ 0 }) < 0)
		return error_set(err, -EINVAL, "invalid IP address: %s", ip);
	if (host.first && target.first == target.last && host.first != host.last) {
		publish_one_of(container, ip, &host, target.first, protocol);
		return 0;
	}
	if (host.first && host.last - host.first != target.last - target.first)
		return error_set(err, -EINVAL,
			"invalid ranges specified for container and host Ports: %s and %s",
			target_text, host_text);
	for (unsigned int i = 0; i <= (unsigned int)(target.last - target.first); i++)
		publish(container, ip, host.first ? (uint16_t)(host.first + i) : 0,
			(uint16_t)(target.first + i), protocol);
	return 0;
}

int port_options_apply(char *const *texts, struct container *container, struct error *err)
{
	int r = 0;

	for (; r == 0 && texts && *texts; texts++)
		r = apply_one(*texts, container, err);
	return r;
}

static bool is_published(const struct container *container, uint16_t target, const char *protocol)
{
	for (size_t i = 0; i < container->port_count; i++)
		if (container->ports[i].container_port == target &&
			!strcmp(container->ports[i].protocol, protocol))
			return true;
	return false;
}

void port_options_publish_exposed(struct container *container)
{
	for (size_t i = 0; i < strv_length(container->exposed); i++) {
		struct range range;
		char protocol[5];

		/* The image's words were checked when it was made; what is no port is none. */
		if (parse_target(container->exposed[i], &range, protocol) < 0)
			continue;
		for (unsigned int port = range.first; port <= range.last; port++)
			if (!is_published(container, (uint16_t)port, protocol))
				publish(container, NULL, 0, (uint16_t)port, protocol);
	}
}

int port_options_expose(char *const *texts, struct container *container, struct error *err)
{
	for (; texts && *texts; texts++) {
		struct range range;
		char protocol[5];

		if (parse_target(*texts, &range, protocol) < 0)
			return error_set(
				err, -EINVAL, "invalid range format for --expose: %s", *texts);
		for (unsigned int port = range.first; port <= range.last; port++) {
			cleanup_free char *text = xasprintf("%u/%s", port, protocol);

			if (!strv_contains(container->exposed, text))
				strv_add(&container->exposed, text);
		}
	}
	return 0;
}
