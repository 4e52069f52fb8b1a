/* SPDX-License-Identifier: GPL-2.0-or-later
 * apply_prepare.c - what comes before starts: checks while nothing is touched, and addresses plus
 * firewall in one go. */
#include <errno.h>
#include <stdarg.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compose/apply_internal.h"
#include "compose/service_volumes_from.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/base/strv.h"
#include "engine/container/endpoints.h"
#include "engine/container/volume.h"
#include "engine/container/volume_device.h"
#include "engine/net/firewall_host.h"
#include "engine/net/network.h"

/* Its predecessors of the local kind have been done, so nothing but other services' starts and
 * gates stands before it. */
static bool place_is_free(const struct apply *apply, const struct plan_action *action)
{
	for (size_t i = 0; i < action->after_count; i++)
		if (apply->plan->actions[action->after[i]].kind != PLAN_START &&
			!plan_kind_is_gate(apply->plan->actions[action->after[i]].kind) &&
			apply->steps[action->after[i]].phase != STEP_DONE)
			return false;
	return true;
}

static int prepare_start(
	struct apply *apply, const struct plan_action *action, bool *ret_changed, struct error *err)
{
	cleanup_container struct container *container = NULL;
	int r = apply_container(apply, action, &container, err);

	if (r < 0)
		return r;
	r = container_allocate_endpoints(apply->options->engine, container, NULL, err);
	if (r < 0)
		return r;
	*ret_changed |= r > 0;
	return 0;
}

static int firewall_agree(struct apply *apply, struct error *err)
{
	int r = firewall_sync(apply->options->engine, err);

	if (r > 0 && !apply->firewall_told)
		firewall_warn(apply->options->engine);
	apply->firewall_told |= r > 0;
	return r;
}

int apply_prepare_starts(struct apply *apply, size_t *ret_index, struct error *err)
{
	bool changed = false;

	for (size_t i = 0; i < apply->plan->count; i++) {
		const struct plan_action *action = &apply->plan->actions[i];
		int r;

		if (action->kind != PLAN_START || apply->steps[i].phase != STEP_WAITING ||
			apply->steps[i].prepared || !place_is_free(apply, action))
			continue;
		*ret_index = i;
		r = prepare_start(apply, action, &changed, err);
		if (r < 0)
			return r;
		apply->steps[i].prepared = true;
	}
	return changed ? firewall_agree(apply, err) : 0;
}

static void add_problem(struct strbuf *problems, const struct mark *mark, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void add_problem(struct strbuf *problems, const struct mark *mark, const char *fmt, ...)
{
	va_list ap;

	if (problems->length)
		strbuf_add_char(problems, '\n');
	if (mark->file)
		strbuf_addf(problems, "%s:%u:%u: ", mark->file, mark->line, mark->column);
	va_start(ap, fmt);
	strbuf_vaddf(problems, fmt, ap);
	va_end(ap);
}

static void check_options(const struct project_volume *volume, struct strbuf *problems)
{
	cleanup_error struct error err = ERROR_INIT;
	struct volume_device device = { 0 };

	if (volume_device_parse(volume->driver_opts, &device, &err) < 0)
		add_problem(problems, &volume->mark, "volumes.%s.driver_opts: %s", volume->key,
			error_text(&err));
	volume_device_release(&device);
}

static void check_mounts(const struct engine *engine, const struct project *project,
	const struct service *service, struct strbuf *problems)
{
	for (size_t i = 0; i < service->mount_count; i++) {
		const struct mount *mount = &service->mounts[i];
		const struct project_volume *volume;
		struct volume *found = NULL;

		if (mount->type == SERVICE_MOUNT_BIND && !mount->create_host_path &&
			faccessat(AT_FDCWD, mount->source, F_OK, AT_EACCESS) < 0)
			add_problem(problems, &mount->mark,
				"services.%s.volumes: bind source path does not exist: %s",
				service->name, mount->source);
		if (mount->type == SERVICE_MOUNT_IMAGE) {
			cleanup_error struct error err = ERROR_INIT;
			cleanup_image struct image *image = NULL;

			if (image_find(engine, mount->source ? mount->source : "", &image, &err) <
				0)
				add_problem(problems, &mount->mark, "services.%s.volumes: %s",
					service->name, error_text(&err));
		}
		if (mount->type != SERVICE_MOUNT_VOLUME || !mount->source)
			continue;
		volume = project_find_volume(project, mount->source);
		if (volume && !volume->external)
			check_options(volume, problems);
		if (!volume || !volume->external)
			continue;
		if (volume_find(engine, volume->name, &found, NULL) < 0)
			add_problem(problems, &volume->mark,
				"volumes.%s: external volume \"%s\" not found", volume->key,
				volume->name);
		volume_free(found);
	}
}

static void check_networks(const struct engine *engine, const struct project *project,
	const struct service *service, struct strbuf *problems)
{
	for (size_t i = 0; i < service->network_count; i++) {
		const struct project_network *network =
			project_find_network(project, service->networks[i].key);
		cleanup_network struct network *found = NULL;

		if (network->external && network_find(engine, network->name, &found, NULL) < 0)
			add_problem(problems, &network->mark,
				"networks.%s: network %s declared as external, but could not be "
				"found",
				network->key, network->name);
	}
}

/* Host ports of containers that this plan stops, or starts although they run: their state's file is
 * missing. */
struct held_ports {
	struct published_port *ports; /* no host_ip */
	size_t count;
};

static struct held_ports ports_held_by_plan(const struct engine *engine, const struct plan *plan)
{
	struct held_ports held = { 0 };

	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_action *action = &plan->actions[i];
		struct endpoint *endpoints = NULL;
		size_t count = 0;

		if ((action->kind != PLAN_STOP && action->kind != PLAN_START) || !action->id ||
			endpoint_of_container(engine, action->id, &endpoints, &count, NULL) < 0)
			continue;
		for (size_t e = 0; e < count; e++)
			for (size_t p = 0; p < endpoints[e].port_count; p++) {
				struct published_port *port = array_add(held.ports, held.count);

				*port = endpoints[e].ports[p];
				port->host_ip = NULL;
			}
		endpoint_list_free(endpoints, count);
	}
	return held;
}

/* A container that this plan stops first holds the port now: it will be free in time. */
static bool port_is_held_by_plan(const struct held_ports *held, const struct published_port *wanted)
{
	uint16_t first = wanted->range_first ? wanted->range_first : wanted->host_port;
	uint16_t last = wanted->range_first ? wanted->range_last : wanted->host_port;

	for (size_t i = 0; i < held->count; i++) {
		if (held->ports[i].host_port >= first && held->ports[i].host_port <= last &&
			!strcmp(held->ports[i].protocol, wanted->protocol))
			return true;
	}
	return false;
}

static size_t plan_count(
	const struct plan *plan, const struct service *service, enum plan_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++)
		if (plan->actions[i].service == service && plan->actions[i].kind == kind)
			count++;
	return count;
}

static bool plan_has(const struct plan *plan, const struct service *service, enum plan_kind kind)
{
	return plan_count(plan, service, kind) > 0;
}

static bool starts(const struct plan *plan, const struct service *service)
{
	return plan_has(plan, service, PLAN_CREATE) || plan_has(plan, service, PLAN_START);
}

/* How many containers of the service there will be at once. What is made is also started, or only
 * made (`create`). */
static size_t replicas_of(const struct plan *plan, const struct service *service)
{
	const size_t made = plan_count(plan, service, PLAN_CREATE);
	const size_t started = plan_count(plan, service, PLAN_START);

	return (made > started ? made : started) + plan_count(plan, service, PLAN_KEEP);
}

/* Ports of ranges get out of each other's way. */
static bool ports_collide(const struct port *one, const struct port *other)
{
	return one->published_first && one->published_first == one->published_last &&
	       one->published_first == other->published_first &&
	       one->published_last == other->published_last && one->protocol == other->protocol &&
	       (!one->host_ip || !other->host_ip || !strcmp(one->host_ip, other->host_ip));
}

/* The file itself gives the port to somebody else before `port`, in its order: the place, else
 * NULL. */
static const struct port *port_published_before(
	const struct project *project, const struct plan *plan, const struct port *port)
{
	for (size_t i = 0; i < project->service_count; i++) {
		const struct service *service = &project->services[i];

		for (size_t p = 0; p < service->port_count; p++) {
			if (&service->ports[p] == port)
				return NULL;
			if (service->network_count && ports_collide(&service->ports[p], port) &&
				starts(plan, service))
				return &service->ports[p];
		}
	}
	return NULL;
}

/* Try to bind every port that a new container would publish; sockets are closed again at once.
 * Without a network (network_mode: host) nothing is published. */
static void check_ports(const struct apply_options *options, const struct plan *plan,
	const struct held_ports *held, const struct service *service, struct strbuf *problems)
{
	const size_t replicas = replicas_of(plan, service);

	for (size_t i = 0; service->network_count && i < service->port_count; i++) {
		const struct port *port = &service->ports[i];
		const size_t numbers = port->published_last - port->published_first + 1u;
		struct published_port wanted = {
			.host_ip = (char *)port->host_ip,
			.host_port = numbers == 1 ? port->published_first : 0,
			.range_first = numbers == 1 ? 0 : port->published_first,
			.range_last = numbers == 1 ? 0 : port->published_last,
			.container_port = port->target,
		};
		const struct port *before = port_published_before(options->project, plan, port);
		cleanup_error struct error err = ERROR_INIT;
		struct port_socket *sockets = NULL;
		size_t socket_count = 0;

		if (!port->published_first)
			continue;
		if (replicas > numbers && numbers > 1) {
			add_problem(problems, &port->mark,
				"services.%s.ports: %zu replicas cannot share the %zu ports "
				"%u-%u/%s",
				service->name, replicas, numbers, port->published_first,
				port->published_last, port_protocol_names[port->protocol]);
			continue;
		}
		if (replicas > numbers) {
			add_problem(problems, &port->mark,
				"services.%s.ports: %zu replicas cannot all publish port %u/%s: "
				"port is already allocated by the first",
				service->name, replicas, port->published_first,
				port_protocol_names[port->protocol]);
			continue;
		}
		if (before) {
			add_problem(problems, &port->mark,
				"services.%s.ports: port %u/%s is published twice, first at "
				"%s:%u:%u",
				service->name, port->published_first,
				port_protocol_names[port->protocol],
				before->mark.file ? before->mark.file : "-", before->mark.line,
				before->mark.column);
			continue;
		}
		snprintf(wanted.protocol, sizeof(wanted.protocol), "%s",
			port_protocol_names[port->protocol]);
		if (port_is_held_by_plan(held, &wanted))
			continue;
		if (port_reserve(options->engine, &wanted, 1, &sockets, &socket_count, &err) < 0) {
			add_problem(problems, &port->mark, "services.%s.ports: %s", service->name,
				error_text(&err));
			continue;
		}
		port_sockets_free(sockets, socket_count);
	}
}

/* What only the engine knows to be wrong (an unknown capability, a sysctl of the host, no command)
 * is told before the first network is made; once for all replicas. */
static void check_records(const struct apply_options *options, const struct plan *plan,
	const struct service *service, struct apply_records *records, struct strbuf *problems)
{
	static const struct mark nowhere = { 0 };

	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_action *action = &plan->actions[i];
		cleanup_container struct container *container = NULL;
		cleanup_error struct error err = ERROR_INIT;

		if (action->kind != PLAN_CREATE || action->service != service)
			continue;
		if (service_to_container(options->images, options->project, service, action->number,
			    &container, &err) < 0 ||
			service_check_volumes_from(options->engine, service, &err) < 0) {
			add_problem(problems, &nowhere, "%s", error_text(&err)); /* says where */
			return;
		}
		if (spec_check(&container->spec, &err) < 0) {
			add_problem(problems, &service->mark, "services.%s: %s", service->name,
				error_text(&err));
			return;
		}
		records->items[i] = steal_ptr(container);
	}
}

/* The record that an action of the plan is about, when it can be known now; *ret_loaded is to be
 * freed. */
static const struct container *record_of(const struct apply_options *options,
	const struct plan *plan, const struct plan_action *action,
	const struct apply_records *records, struct container **ret_loaded)
{
	if (action->id)
		return container_load(options->engine, action->id, ret_loaded, NULL) < 0
			       ? NULL
			       : *ret_loaded;
	for (size_t i = 0; i < plan->count; i++)
		if (plan->actions[i].kind == PLAN_CREATE &&
			plan->actions[i].service == action->service &&
			plan->actions[i].number == action->number)
			return records->items[i];
	return NULL;
}

/* Waiting for the health of what has no check would be in vain. */
static void check_gates(const struct apply_options *options, const struct plan *plan,
	const struct apply_records *records, struct strbuf *problems)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_action *action = &plan->actions[i];
		cleanup_container struct container *loaded = NULL;
		const struct container *container;

		if (action->kind != PLAN_WAIT_HEALTHY || action->optional || !action->service)
			continue;
		container = record_of(options, plan, action, records, &loaded);
		if (container && !container_has_healthcheck(&container->healthcheck))
			add_problem(problems, &action->service->mark,
				"services.%s: container %s has no healthcheck configured, but a "
				"service waits for it to be healthy",
				action->service->name, action->name);
	}
}

void apply_records_release(struct apply_records *records)
{
	for (size_t i = 0; i < records->count; i++)
		container_free(records->items[i]);
	free(records->items);
	*records = (struct apply_records){ 0 };
}

int apply_check(const struct plan *plan, const struct apply_options *options,
	struct apply_records *ret, struct error *err)
{
	cleanup_strbuf struct strbuf problems = STRBUF_INIT;
	struct held_ports held = ports_held_by_plan(options->engine, plan);
	struct apply_records records = { xcalloc(plan->count + 1, sizeof(*records.items)),
		plan->count };

	for (size_t i = 0; i < options->project->service_count; i++) {
		const struct service *service = &options->project->services[i];

		if (!starts(plan, service))
			continue;
		check_records(options, plan, service, &records, &problems);
		check_mounts(options->engine, options->project, service, &problems);
		check_networks(options->engine, options->project, service, &problems);
		check_ports(options, plan, &held, service, &problems);
	}
	free(held.ports);
	check_gates(options, plan, &records, &problems);
	if (problems.length) {
		apply_records_release(&records);
		return error_set(err, -EINVAL, "%s", problems.data);
	}
	*ret = records;
	return 0;
}

static int network_repair(const struct engine *engine, const char *name, struct error *err)
{
	cleanup_network struct network *network = NULL;
	int r = network_find(engine, name, &network, err);

	if (r == -ENOENT) { /* the plan makes it */
		error_release(err);
		return 0;
	}
	return r < 0 ? r : network_up(engine, network, err);
}

int apply_repair_networks(
	const struct plan *plan, const struct apply_options *options, struct error *err)
{
	const struct project *project = options->project;
	cleanup_strv char **done = NULL;

	for (size_t i = 0; project && i < project->service_count; i++) {
		const struct service *service = &project->services[i];

		if (!service->network_count || !plan_has(plan, service, PLAN_KEEP))
			continue;
		for (size_t n = 0; n < service->network_count; n++) {
			const struct project_network *network =
				project_find_network(project, service->networks[n].key);
			int r;

			if (strv_contains(done, network->name))
				continue;
			r = network_repair(options->engine, network->name, err);
			if (r < 0)
				return r;
			strv_add(&done, network->name);
		}
	}
	return done ? firewall_sync(options->engine, err) : 0;
}
