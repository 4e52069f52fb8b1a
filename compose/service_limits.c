/* SPDX-License-Identifier: GPL-2.0-or-later
 * service_limits.c - what a service may use: limits, devices, security options, its cgroup. */
#include <errno.h>
#include <string.h>

#include "compose/apply_internal.h"
#include "compose/node.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

static void fill_memory(const struct limits *limits, struct cgroup_resources *to)
{
	to->memory_limit = limits->memory;
	to->memory_reservation = limits->memory_reservation;
	to->has_memory_swap = limits->memory_swap != 0;
	to->memory_swap = limits->memory_swap;
	to->has_memory_swappiness = limits->memory_swappiness >= 0;
	to->memory_swappiness = to->has_memory_swappiness ? limits->memory_swappiness : 0;
	to->oom_kill_disable = limits->oom_kill_disable;
}

static void fill_cpu(const struct limits *limits, struct cgroup_resources *to)
{
	to->cpu_permille = limits->cpu_permille;
	to->cpu_quota_us = (int64_t)limits->cpu_quota_us;
	to->cpu_period_us = limits->cpu_period_us;
	to->cpu_rt_runtime_us = limits->cpu_rt_runtime_us;
	to->cpu_rt_period_us = limits->cpu_rt_period_us;
	to->cpu_shares = limits->cpu_shares;
	to->cpuset_cpus = xstrdup(limits->cpuset);
}

static const enum cgroup_io_kind io_kind_of[] = {
	[SERVICE_IO_WEIGHT] = CGROUP_IO_WEIGHT,
	[SERVICE_IO_READ_BPS] = CGROUP_IO_READ_BPS,
	[SERVICE_IO_WRITE_BPS] = CGROUP_IO_WRITE_BPS,
	[SERVICE_IO_READ_IOPS] = CGROUP_IO_READ_IOPS,
	[SERVICE_IO_WRITE_IOPS] = CGROUP_IO_WRITE_IOPS,
};

static void fill_io(const struct limits *limits, struct cgroup_resources *to)
{
	to->blkio_weight = limits->blkio_weight;
	for (size_t i = 0; i < limits->io_count; i++)
		*array_add(to->io_limits, to->io_limit_count) =
			(struct cgroup_io_limit){ io_kind_of[limits->io[i].kind],
				xstrdup(limits->io[i].path), limits->io[i].value };
}

static int fill_hugepages(
	const struct service *service, struct cgroup_resources *to, struct error *err)
{
	for (size_t i = 0; i < strv_length(service->limits.hugepages); i++) {
		struct cgroup_hugepages pages;
		int r = cgroup_hugepages_parse(service->limits.hugepages[i], &pages, err);

		if (r < 0)
			return service_wrap_key(err, service, "x-hugepages");
		*array_add(to->hugepages, to->hugepages_count) = pages;
	}
	return 0;
}

static int fill_rules(const struct service *service, struct spec *spec, struct error *err)
{
	struct cgroup_resources *to = &spec->resources;

	to->all_devices = service->privileged;
	cgroup_default_devices(to);
	for (size_t i = 0; i < strv_length(service->device_cgroup_rules); i++) {
		struct cgroup_device rule;
		int r = cgroup_device_parse(service->device_cgroup_rules[i], &rule, err);

		if (r < 0)
			return service_wrap_key(err, service, "device_cgroup_rules");
		*array_add(to->devices, to->device_count) = rule;
	}
	return 0;
}

static int fill_devices(const struct service *service, struct spec *spec, struct error *err)
{
	for (size_t i = 0; i < service->device_count; i++) {
		const struct service_device *device = &service->devices[i];
		int r = spec_add_device(
			spec, device->source, device->target, device->permissions, err);

		if (r == 0)
			r = spec_check_devices(spec, err);
		if (r < 0)
			return service_wrap_at(err, service, "devices", &device->mark);
	}
	for (size_t i = 0; i < service->device_request_count; i++) {
		const struct device_request *request = &service->device_requests[i];
		const struct spec_gpus gpus = { request->driver, request->count,
			request->device_ids, request->capabilities };
		int r = spec_add_gpus(spec, &gpus, err);

		if (r < 0)
			return service_wrap_at(err, service, request->key, &request->mark);
	}
	return 0;
}

static int fill_security(const struct project *project, const struct service *service,
	struct spec *spec, struct error *err)
{
	for (size_t i = 0; i < strv_length(service->security_opt); i++) {
		int r = spec_add_security_option(
			spec, service->security_opt[i], project->working_dir, err);

		if (r < 0)
			return service_wrap_key(err, service, "security_opt");
	}
	return 0;
}

/* What is wrong begins with the key it is about. */
static int check_resources(
	const struct service *service, const struct spec *spec, struct error *err)
{
	cleanup_error struct error local = ERROR_INIT;
	cleanup_free char *key = NULL;
	const struct mark *mark = &service->mark;
	const struct node *value;

	if (cgroup_resources_check(&spec->resources, &local) == 0)
		return 0;
	key = xstrndup(error_text(&local), strcspn(error_text(&local), ":. "));
	value = node_get(service->node, key);
	if (value && value->mark.file)
		mark = &value->mark;
	error_move(err, &local);
	if (!mark->file)
		return error_wrap(err, "services.%s", service->name);
	return error_wrap(
		err, "%s:%u:%u: services.%s", mark->file, mark->line, mark->column, service->name);
}

int service_fill_limits(const struct engine *engine, const struct project *project,
	const struct service *service, struct container *container, struct error *err)
{
	const struct limits *limits = &service->limits;
	struct spec *spec = &container->spec;
	int r;

	fill_memory(limits, &spec->resources);
	fill_cpu(limits, &spec->resources);
	fill_io(limits, &spec->resources);
	spec->resources.pids_limit = limits->pids;
	spec->has_oom_score_adj = limits->oom_score_adj_is_set;
	spec->oom_score_adj = (int)limits->oom_score_adj;
	r = fill_rules(service, spec, err);
	if (r == 0)
		r = fill_hugepages(service, &spec->resources, err);
	if (r == 0)
		r = check_resources(service, spec, err);
	if (r == 0)
		r = fill_devices(service, spec, err);
	if (r == 0)
		r = fill_security(project, service, spec, err);
	if (r < 0 || !service->cgroup_parent)
		return r;
	r = container_set_cgroup_parent(engine, container, service->cgroup_parent, err);
	return r < 0 ? service_wrap_key(err, service, "cgroup_parent") : 0;
}
