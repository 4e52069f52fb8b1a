/* SPDX-License-Identifier: GPL-2.0-or-later
 * ports_text.c - docker's PORTS column. */
#include "engine/container/ports_text.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strbuf.h"
#include "engine/base/strv.h"
#include "engine/container/container.h"

/* A run of ports of one address and protocol: [host, host + length) -> [target, target + length).
 */
struct run {
	const char *address; /* "" = not published */
	char protocol[5];
	unsigned int host;
	unsigned int target;
	unsigned int length;
};

static int compare_runs(const void *a, const void *b)
{
	const struct run *left = a, *right = b;
	int order;

	if (left->target != right->target)
		return left->target < right->target ? -1 : 1;
	order = strcmp(left->address, right->address);
	if (order == 0 && left->host != right->host)
		return left->host < right->host ? -1 : 1;
	return order ? order : strcmp(left->protocol, right->protocol);
}

static void add_run(struct run **runs, size_t *count, const char *address, unsigned int host,
	unsigned int target, const char *protocol)
{
	struct run *run = array_add(*runs, *count);

	run->address = address;
	run->host = host;
	run->target = target;
	run->length = 1;
	snprintf(run->protocol, sizeof(run->protocol), "%s", protocol);
}

static bool is_published(
	const struct published_port *ports, size_t count, unsigned int target, const char *protocol)
{
	for (size_t i = 0; i < count; i++) {
		if (ports[i].container_port == target && strcmp(ports[i].protocol, protocol) == 0)
			return true;
	}
	return false;
}

static void add_exposed(struct run **runs, size_t *run_count, const struct published_port *ports,
	size_t count, const char *exposed)
{
	cleanup_free char *number = xstrndup(exposed, strcspn(exposed, "/"));
	const char *slash = strchr(exposed, '/');
	const char *protocol = slash ? slash + 1 : "tcp";
	uint64_t target;

	if (parse_u64(number, 1, UINT16_MAX, &target) == 0 &&
		!is_published(ports, count, (unsigned int)target, protocol))
		add_run(runs, run_count, "", 0, (unsigned int)target, protocol);
}

static bool continues(const struct run *run, const struct run *next)
{
	return strcmp(run->address, next->address) == 0 &&
	       strcmp(run->protocol, next->protocol) == 0 &&
	       next->target == run->target + run->length &&
	       (run->host == 0 ? next->host == 0 : next->host == run->host + run->length);
}

/* The runs of several addresses lie interleaved, so each looks for the one it continues. */
static size_t fold(struct run *runs, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		size_t j = 0;

		while (j < kept && !continues(&runs[j], &runs[i]))
			j++;
		if (j < kept)
			runs[j].length++;
		else
			runs[kept++] = runs[i];
	}
	return kept;
}

static void print_range(struct strbuf *out, unsigned int first, unsigned int length)
{
	strbuf_addf(out, "%u", first);
	if (length > 1)
		strbuf_addf(out, "-%u", first + length - 1);
}

static void print_run(struct strbuf *out, const struct run *run)
{
	if (out->length > 0)
		strbuf_add_str(out, ", ");
	if (*run->address) {
		strbuf_addf(out, "%s:", run->address);
		print_range(out, run->host, run->length);
		strbuf_add_str(out, "->");
	}
	print_range(out, run->target, run->length);
	strbuf_addf(out, "/%s", run->protocol);
}

char *ports_text_format(const struct published_port *ports, size_t count, char *const *exposed)
{
	struct strbuf out = STRBUF_INIT;
	struct run *runs = NULL;
	size_t run_count = 0;

	for (size_t i = 0; i < count; i++) {
		const struct published_port *port = &ports[i];

		if (!port->host_port)
			continue;
		add_run(&runs, &run_count, port->host_ip ? port->host_ip : "0.0.0.0",
			port->host_port, port->container_port, port->protocol);
		if (port->both)
			add_run(&runs, &run_count, "::", port->host_port, port->container_port,
				port->protocol);
	}
	for (; exposed && *exposed; exposed++)
		add_exposed(&runs, &run_count, ports, count, *exposed);
	if (run_count > 1)
		qsort(runs, run_count, sizeof(*runs), compare_runs);
	run_count = fold(runs, run_count);
	for (size_t i = 0; i < run_count; i++)
		print_run(&out, &runs[i]);
	free(runs);
	return strbuf_steal(&out);
}

/* Like docker: a container that does not run, or has no network of its own, shows none. */
char *container_ports_text(const struct engine *engine, const struct container *container,
	const struct container_state *state)
{
	struct endpoint *endpoints = NULL;
	struct published_port *ports = NULL;
	size_t endpoint_count = 0, count = 0;
	char *text;

	if ((state->status != CONTAINER_RUNNING && state->status != CONTAINER_PAUSED) ||
		container->spec.network.mode != NAMESPACE_PRIVATE ||
		container->attachment_count == 0)
		return xstrdup("");
	if ((container->port_count == 0) ||
		endpoint_of_container(engine, container->id, &endpoints, &endpoint_count, NULL) < 0)
		endpoint_count = 0;
	for (size_t i = 0; i < endpoint_count; i++) {
		for (size_t j = 0; j < endpoints[i].port_count; j++)
			*array_add(ports, count) = endpoints[i].ports[j]; /* borrowed */
	}
	text = count > 0 ? ports_text_format(ports, count, container->exposed)
			 : ports_text_format(
				   container->ports, container->port_count, container->exposed);
	free(ports);
	endpoint_list_free(endpoints, endpoint_count);
	return text;
}
