/* SPDX-License-Identifier: GPL-2.0-or-later
 * limit_options.c - see limit_options.h. */
#include "cmd/limit_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"

#define MEMORY_LEAST (6 << 20) /* docker's own bound */

static int invalid(struct error *err, const char *flag, const char *value)
{
	return error_set(err, -EINVAL, "invalid argument \"%s\" for \"%s\" flag", value, flag);
}

static int apply_bytes(const char *flag, const char *text, uint64_t *ret, struct error *err)
{
	if (text && parse_bytes(text, ret) < 0)
		return invalid(err, flag, text);
	return 0;
}

static int apply_memory(
	const struct run_options *options, struct cgroup_resources *to, struct error *err)
{
	uint64_t swap;
	int r = apply_bytes("-m, --memory", options->memory, &to->memory_limit, err);

	if (r == 0 && options->memory && to->memory_limit && to->memory_limit < MEMORY_LEAST)
		r = error_set(err, -EINVAL, "Minimum memory limit allowed is 6MB");
	if (r == 0)
		r = apply_bytes("--memory-reservation", options->memory_reservation,
			&to->memory_reservation, err);
	if (r < 0 || !options->memory_swap)
		return r;
	to->has_memory_swap = true;
	to->memory_swap = -1;
	if (!strcmp(options->memory_swap, "-1"))
		return 0;
	r = apply_bytes("--memory-swap", options->memory_swap, &swap, err);
	if (r == 0)
		to->memory_swap = (int64_t)swap;
	return r;
}

static int apply_cpuset(const char *flag, const char *text, char **ret, struct error *err)
{
	if (!text)
		return 0;
	if (parse_cpuset(text) < 0)
		return invalid(err, flag, text);
	free(*ret);
	*ret = xstrdup(text);
	return 0;
}

static int apply_cpu(
	const struct run_options *options, struct cgroup_resources *to, struct error *err)
{
	int r = 0;

	if (options->cpus && parse_cpus(options->cpus, &to->cpu_permille) < 0)
		r = invalid(err, "--cpus", options->cpus);
	if (r == 0)
		r = apply_cpuset("--cpuset-cpus", options->cpuset_cpus, &to->cpuset_cpus, err);
	if (r == 0)
		r = apply_cpuset("--cpuset-mems", options->cpuset_mems, &to->cpuset_mems, err);
	if (r < 0)
		return r;
	if (options->cpus && (options->cpu_period || options->cpu_quota))
		return error_set(err, -EINVAL,
			"Conflicting options: CPU period or quota and --cpus cannot both be set");
	if (options->cpu_shares < 0 || options->cpu_period < 0 || options->cpu_rt_runtime < 0 ||
		options->cpu_rt_period < 0)
		return error_set(err, -EINVAL,
			"--cpu-shares, --cpu-period, --cpu-rt-period and --cpu-rt-runtime are not "
			"negative");
	if (options->cpu_shares)
		to->cpu_shares = (uint64_t)options->cpu_shares;
	if (options->cpu_period)
		to->cpu_period_us = (uint64_t)options->cpu_period;
	if (options->cpu_quota)
		to->cpu_quota_us = options->cpu_quota;
	if (options->cpu_rt_runtime)
		to->cpu_rt_runtime_us = options->cpu_rt_runtime;
	if (options->cpu_rt_period)
		to->cpu_rt_period_us = (uint64_t)options->cpu_rt_period;
	return 0;
}

/* "/dev/sda:1mb", "/dev/sda:300". */
static int add_io_limit(const char *flag, enum cgroup_io_kind kind, const char *text,
	struct cgroup_resources *to, struct error *err)
{
	const char *colon = strrchr(text, ':');
	bool is_bytes = kind == CGROUP_IO_READ_BPS || kind == CGROUP_IO_WRITE_BPS;
	uint64_t value = 0;
	int r = -EINVAL;

	if (colon && text[0] == '/')
		r = is_bytes ? parse_bytes(colon + 1, &value)
			     : parse_u64(colon + 1, 0, UINT64_MAX, &value);
	if (r < 0)
		return invalid(err, flag, text);
	*array_add(to->io_limits, to->io_limit_count) =
		(struct cgroup_io_limit){ kind, xstrndup(text, (size_t)(colon - text)), value };
	return 0;
}

static int apply_io(
	const struct run_options *options, struct cgroup_resources *to, struct error *err)
{
	const struct {
		const char *flag;
		enum cgroup_io_kind kind;
		char *const *texts;
	} rows[] = {
		{ "--blkio-weight-device", CGROUP_IO_WEIGHT, options->blkio_weight_devices },
		{ "--device-read-bps", CGROUP_IO_READ_BPS, options->device_read_bps },
		{ "--device-write-bps", CGROUP_IO_WRITE_BPS, options->device_write_bps },
		{ "--device-read-iops", CGROUP_IO_READ_IOPS, options->device_read_iops },
		{ "--device-write-iops", CGROUP_IO_WRITE_IOPS, options->device_write_iops },
	};

	if (options->blkio_weight && (options->blkio_weight < 10 || options->blkio_weight > 1000))
		return error_set(err, -EINVAL, "Range of blkio weight is from 10 to 1000");
	if (options->blkio_weight)
		to->blkio_weight = (uint16_t)options->blkio_weight;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t n = 0; n < strv_length(rows[i].texts); n++) {
			int r = add_io_limit(rows[i].flag, rows[i].kind, rows[i].texts[n], to, err);

			if (r < 0)
				return r;
		}
	return 0;
}

static int apply_hugepages(
	const struct run_options *options, struct cgroup_resources *to, struct error *err)
{
	for (size_t i = 0; i < strv_length(options->hugepages); i++) {
		struct cgroup_hugepages pages;
		int r = cgroup_hugepages_parse(options->hugepages[i], &pages, err);

		if (r < 0)
			return error_wrap(err, "--hugepages");
		*array_add(to->hugepages, to->hugepages_count) = pages;
	}
	return 0;
}

static int apply_rest(
	const struct run_options *options, struct cgroup_resources *to, struct error *err)
{
	for (size_t i = 0; i < strv_length(options->device_cgroup_rules); i++) {
		struct cgroup_device rule;
		int r = cgroup_device_parse(options->device_cgroup_rules[i], &rule, err);

		if (r < 0)
			return r;
		*array_add(to->devices, to->device_count) = rule;
	}
	if (options->memory_swappiness_given && options->memory_swappiness != -1) {
		to->has_memory_swappiness = true;
		to->memory_swappiness = options->memory_swappiness;
	}
	if (options->pids_limit)
		to->pids_limit = options->pids_limit;
	to->oom_kill_disable |= options->oom_kill_disable;
	return 0;
}

/* "/dev/a", "/dev/a:/dev/b", "/dev/a:r", "/dev/a:/dev/b:r". */
static int add_device(const char *text, struct spec *spec, struct error *err)
{
	cleanup_strv char **parts = strv_split(text, ":");
	size_t count = strv_length(parts);
	const char *path = NULL, *access = NULL;

	if (count == 0 || count > 3)
		return error_set(err, -EINVAL, "invalid device specification: %s", text);
	if (count == 2 && parts[1][0] != '/')
		access = parts[1];
	else if (count >= 2)
		path = parts[1];
	if (count == 3)
		access = parts[2];
	return spec_add_device(spec, parts[0], path, access, err);
}

/* "all", "2", "device=0,1", '"device=0,1"', "count=1,driver=nvidia". */
static int add_gpus(const char *text, struct spec *spec, struct error *err)
{
	cleanup_strv char **words = strv_split(text, ",\"");
	cleanup_strv char **ids = NULL;
	struct spec_gpus gpus = { .count = -1 };
	bool in_devices = false;

	for (size_t i = 0; i < strv_length(words); i++) {
		const char *word = words[i];
		const char *value = strchr(word, '=') ? strchr(word, '=') + 1 : word;

		if (!strncmp(word, "device=", 7) || (in_devices && value == word)) {
			in_devices = true;
			strv_add(&ids, value);
			continue;
		}
		in_devices = false;
		if (!strncmp(word, "driver=", 7))
			gpus.driver = value;
		else if ((value == word || !strncmp(word, "count=", 6)) && !strcmp(value, "all"))
			gpus.count = -1;
		else if ((value != word && strncmp(word, "count=", 6)) ||
			 parse_i64(value, 1, INT32_MAX, &gpus.count) < 0)
			return invalid(err, "--gpus", text);
	}
	gpus.ids = ids;
	if (ids)
		gpus.count = 0;
	return spec_add_gpus(spec, &gpus, err);
}

static int apply_devices(const struct run_options *options, struct spec *spec, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < strv_length(options->devices); i++)
		r = add_device(options->devices[i], spec, err);
	return r < 0 || !options->gpus ? r : add_gpus(options->gpus, spec, err);
}

int limit_options_apply(const struct run_options *options, const struct engine *engine,
	struct container *container, struct error *err)
{
	struct cgroup_resources *to = &container->spec.resources;
	int r = apply_memory(options, to, err);

	if (r == 0)
		r = apply_cpu(options, to, err);
	if (r == 0)
		r = apply_io(options, to, err);
	if (r == 0)
		r = apply_hugepages(options, to, err);
	if (r == 0)
		r = apply_rest(options, to, err);
	if (r == 0)
		r = apply_devices(options, &container->spec, err);
	if (r == 0 && options->cgroup_parent)
		r = container_set_cgroup_parent(engine, container, options->cgroup_parent, err);
	if (r == 0 && options->storage_opts)
		r = error_set(err, -EOPNOTSUPP,
			"--storage-opt %s is not supported: overlay has no size limits without "
			"project "
			"quotas",
			options->storage_opts[0]);
	return r;
}
