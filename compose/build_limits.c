/* SPDX-License-Identifier: GPL-2.0-or-later
 * build_limits.c - a service's limits and devices out of the canonical tree. */
#include <string.h>

#include "compose/build_service.h"
#include "compose/node.h"
#include "compose/node_values.h"
#include "engine/base/memory.h"

/* The service key, else its place under deploy.resources; both say the same when both are there
 * (consistency.c). */
static void build_plain_limits(struct limits *limits, const struct node *service)
{
	const struct node *resources = node_get(node_get(service, "deploy"), "resources");
	const struct node *most = node_get(resources, "limits");
	const struct node *least = node_get(resources, "reservations");

	limits->memory = (uint64_t)value_size(service, "mem_limit", value_size(most, "memory", 0));
	limits->memory_swap = value_size(service, "memswap_limit", 0);
	limits->memory_reservation =
		(uint64_t)value_size(service, "mem_reservation", value_size(least, "memory", 0));
	limits->memory_swappiness = value_size(service, "mem_swappiness", -1);
	limits->cpu_permille = value_permille(service, "cpus");
	if (limits->cpu_permille == 0)
		limits->cpu_permille = value_permille(most, "cpus");
	limits->cpu_shares = (uint64_t)value_int(service, "cpu_shares", 0);
	limits->cpu_quota_us = (uint64_t)value_int(service, "cpu_quota", 0);
	limits->cpu_period_us = (uint64_t)value_int(service, "cpu_period", 0);
	limits->cpu_rt_runtime_us = value_int(service, "cpu_rt_runtime", 0);
	limits->cpu_rt_period_us = (uint64_t)value_int(service, "cpu_rt_period", 0);
	limits->cpuset = value_text(service, "cpuset");
	limits->pids = value_int(service, "pids_limit", value_int(most, "pids", 0));
	limits->oom_kill_disable = node_get_bool(service, "oom_kill_disable", false);
	limits->oom_score_adj_is_set = node_get(service, "oom_score_adj") != NULL;
	limits->oom_score_adj = value_int(service, "oom_score_adj", 0);
}

static const struct io_key {
	const char *key;
	const char *value_key;
	enum service_io_kind kind;
} io_keys[] = {
	{ "weight_device", "weight", SERVICE_IO_WEIGHT },
	{ "device_read_bps", "rate", SERVICE_IO_READ_BPS },
	{ "device_write_bps", "rate", SERVICE_IO_WRITE_BPS },
	{ "device_read_iops", "rate", SERVICE_IO_READ_IOPS },
	{ "device_write_iops", "rate", SERVICE_IO_WRITE_IOPS },
};

static void build_io(struct loader *l, struct limits *limits, const struct node *service)
{
	const struct node *config = node_get(service, "blkio_config");
	size_t total = 0;

	limits->blkio_weight = (uint16_t)value_int(config, "weight", 0);
	for (size_t i = 0; i < ARRAY_LEN(io_keys); i++) {
		const struct node *list = node_get(config, io_keys[i].key);

		total += list ? list->count : 0;
	}
	if (!total)
		return;
	limits->io = arena_alloc(l->arena, total * sizeof(*limits->io));
	for (size_t i = 0; i < ARRAY_LEN(io_keys); i++) {
		const struct node *list = node_get(config, io_keys[i].key);

		for (size_t n = 0; list && n < list->count; n++) {
			const struct node *item = list->entries[n].value;
			struct io_limit *limit = &limits->io[limits->io_count++];

			limit->kind = io_keys[i].kind;
			limit->path = value_text(item, "path");
			limit->value = (uint64_t)(io_keys[i].kind == SERVICE_IO_WEIGHT
							  ? value_int(item, "weight", 0)
							  : value_size(item, "rate", 0));
		}
	}
}

static void build_devices(struct loader *l, struct service *service)
{
	const struct node *devices = node_get(service->node, "devices");

	if (!devices || devices->count == 0)
		return;
	service->devices = arena_alloc(l->arena, devices->count * sizeof(*service->devices));
	for (size_t i = 0; i < devices->count; i++) {
		const struct node *node = devices->entries[i].value;
		struct service_device *device = &service->devices[service->device_count++];

		device->mark = node->mark;
		device->source = value_text(node, "source");
		device->target = value_text(node, "target");
		device->permissions = value_text(node, "permissions");
	}
}

static void build_requests(
	struct loader *l, struct service *service, const struct node *list, const char *key)
{
	for (size_t i = 0; list && i < list->count; i++) {
		const struct node *node = list->entries[i].value;
		struct device_request *request =
			&service->device_requests[service->device_request_count++];

		request->mark = node->mark;
		request->key = key;
		request->driver = value_text(node, "driver");
		request->device_ids = value_list(l, node, "device_ids");
		request->capabilities = value_list(l, node, "capabilities");
		request->count = value_int(node, "count", request->device_ids ? 0 : -1);
	}
}

static void build_device_requests(struct loader *l, struct service *service)
{
	const struct node *gpus = node_get(service->node, "gpus");
	const struct node *resources = node_get(node_get(service->node, "deploy"), "resources");
	const struct node *reserved = node_get(node_get(resources, "reservations"), "devices");
	size_t count = (gpus ? gpus->count : 0) + (reserved ? reserved->count : 0);

	if (!count)
		return;
	service->device_requests = arena_alloc(l->arena, count * sizeof(*service->device_requests));
	build_requests(l, service, gpus, "gpus");
	build_requests(l, service, reserved, "deploy.resources.reservations.devices");
}

void build_limits(struct loader *l, struct service *service)
{
	build_plain_limits(&service->limits, service->node);
	build_io(l, &service->limits, service->node);
	service->limits.hugepages = value_pairs(l, service->node, "x-hugepages");
	build_devices(l, service);
	build_device_requests(l, service);
}
