/* SPDX-License-Identifier: GPL-2.0-or-later
 * port.c - `port`: where a container's port is published. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/service_pick.h"
#include "cmd/targets.h"
#include "cmd/verbs.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strbuf.h"
#include "engine/net/network.h"

struct port_options {
	char *protocol;
	int64_t index;
};

static const struct flag port_flags[] = {
	{ 0, "protocol", FLAG_STRING, offsetof(struct port_options, protocol), "PROTOCOL",
		"tcp or udp (default: tcp)", 0 },
	{ 0, "index", FLAG_INT, offsetof(struct port_options, index), "N",
		"The service's container with this number", 0 },
	FLAG_END,
};

/* The ports of a running container; the endpoint knows those that the kernel has chosen. */
struct ports {
	struct endpoint *endpoints;
	size_t endpoint_count;
	const struct published_port *items;
	size_t count;
};

static int ports_load(
	const struct engine *engine, const char *id, struct ports *ret, struct error *err)
{
	int r = endpoint_of_container(engine, id, &ret->endpoints, &ret->endpoint_count, err);

	for (size_t i = 0; r == 0 && i < ret->endpoint_count; i++) {
		if (ret->endpoints[i].port_count) {
			ret->items = ret->endpoints[i].ports;
			ret->count = ret->endpoints[i].port_count;
		}
	}
	return r;
}

static void ports_release(struct ports *ports)
{
	endpoint_list_free(ports->endpoints, ports->endpoint_count);
}

static char *address_of(const struct published_port *port)
{
	const char *ip = port->host_ip ? port->host_ip : "0.0.0.0";

	return xasprintf(strchr(ip, ':') ? "[%s]:%u" : "%s:%u", ip, (unsigned int)port->host_port);
}

/* "80" or "80/udp". */
static int port_parse(const char *text, const char *protocol, uint16_t *ret, char **ret_protocol,
	struct error *err)
{
	cleanup_free char *number = xstrndup(text, strcspn(text, "/"));
	uint64_t value;

	if (parse_u64(number, 1, UINT16_MAX, &value) < 0)
		return error_set(err, -EINVAL, "invalid port \"%s\"", text);
	*ret = (uint16_t)value;
	*ret_protocol = xstrdup(text[strlen(number)] ? text + strlen(number) + 1 : protocol);
	return 0;
}

static const struct published_port *find_port(
	const struct ports *ports, uint16_t number, const char *protocol, size_t from)
{
	for (size_t i = from; i < ports->count; i++)
		if (ports->items[i].container_port == number &&
			!strcmp(ports->items[i].protocol, protocol))
			return &ports->items[i];
	return NULL;
}

/* Compose names the host's side of what there is. */
static int not_published(const struct ports *ports, const char *name, uint16_t number,
	const char *protocol, struct error *err)
{
	cleanup_strbuf struct strbuf list = STRBUF_INIT;

	for (size_t i = 0; i < ports->count; i++)
		strbuf_addf(&list, "%s%u/%s", i ? ", " : "",
			(unsigned int)ports->items[i].host_port, ports->items[i].protocol);
	return error_set(err, -ENOENT, "no port %u/%s for container %s: %s", (unsigned int)number,
		protocol, name, strbuf_text(&list));
}

static int port_service(
	struct app *app, const struct port_options *options, char **args, struct error *err)
{
	const struct service_pick pick = { args[0], options->index, true };
	cleanup_container struct container *container = NULL;
	cleanup_free char *protocol = NULL;
	struct ports ports = { 0 };
	uint16_t number;
	int r = app_need_operands(app, args, 2, 2, err);

	if (r == 0)
		r = port_parse(args[1], options->protocol ? options->protocol : "tcp", &number,
			&protocol, err);
	if (r == 0)
		r = service_pick(app, &pick, &container, err);
	if (r == 0)
		r = ports_load(&app->engine, container->id, &ports, err);
	if (r == 0) {
		const struct published_port *port = find_port(&ports, number, protocol, 0);
		cleanup_free char *address = port ? address_of(port) : NULL;

		if (port)
			printf("%s\n", address);
		else
			r = not_published(&ports, container->name, number, protocol, err);
	}
	ports_release(&ports);
	return r;
}

static int print_one(const struct ports *ports, const char *name, const char *text,
	const char *wanted_protocol, struct error *err)
{
	cleanup_free char *protocol = NULL;
	size_t printed = 0;
	uint16_t number;
	int r = port_parse(text, wanted_protocol, &number, &protocol, err);

	for (size_t i = 0; r == 0 && i < ports->count; i++) {
		const struct published_port *port = find_port(ports, number, protocol, i);

		if (port == &ports->items[i]) {
			cleanup_free char *address = address_of(port);

			printf("%s\n", address);
			printed++;
		}
	}
	if (r == 0 && printed == 0)
		return error_set(err, -ENOENT, "no public port '%u/%s' published for %s",
			(unsigned int)number, protocol, name);
	return r;
}

static void print_all(const struct ports *ports)
{
	for (size_t i = 0; i < ports->count; i++) {
		cleanup_free char *address = address_of(&ports->items[i]);

		printf("%u/%s -> %s\n", (unsigned int)ports->items[i].container_port,
			ports->items[i].protocol, address);
	}
}

static int port_container(
	struct app *app, const struct port_options *options, char **args, struct error *err)
{
	cleanup_container struct container *container = NULL;
	struct ports ports = { 0 };
	int r = app_need_operands(app, args, 1, 2, err);

	if (r == 0)
		r = container_find(&app->engine, args[0], &container, err);
	if (r == 0)
		r = ports_load(&app->engine, container->id, &ports, err);
	if (r == 0 && args[1])
		r = print_one(&ports, args[0], args[1],
			options->protocol ? options->protocol : "tcp", err);
	else if (r == 0)
		print_all(&ports);
	ports_release(&ports);
	return r;
}

static int run_port(struct app *app, void *options, char **args, struct error *err)
{
	enum target_kind kind;
	int r = app_need_operands(app, args, 1, 2, err);

	if (r == 0)
		r = target_kind_of(app, args[0], &kind, err);
	if (r < 0)
		return r;
	return kind == TARGET_SERVICES ? port_service(app, options, args, err)
				       : port_container(app, options, args, err);
}

const struct verb verb_port = {
	.name = "port",
	.usage = "[OPTIONS] SERVICE PRIVATE_PORT|CONTAINER [PRIVATE_PORT[/PROTOCOL]]",
	.summary = "Show where a port of a container is published",
	.flags = port_flags,
	.options_size = sizeof(struct port_options),
	.needs = NEEDS_ENGINE | MAY_USE_PROJECT,
	.flags_anywhere = true,
	.run = run_port,
};
