/* SPDX-License-Identifier: GPL-2.0-or-later
 * resources_check.c - what limits mean in the kernel's units, and which of them contradict. */
#include <errno.h>

#include "engine/cgroup/internal.h"

#define DEFAULT_PERIOD_US 100000 /* the kernel's, sched-bwc.rst */

int64_t resources_memory_and_swap(const struct cgroup_resources *resources)
{
	if (resources->has_memory_swap && resources->memory_swap != 0)
		return resources->memory_swap;
	if (resources->memory_limit > INT64_MAX / 2)
		return -1;
	return (int64_t)(resources->memory_limit * 2);
}

bool resources_cpu_quota(
	const struct cgroup_resources *resources, int64_t *ret_quota_us, uint64_t *ret_period_us)
{
	uint64_t period = resources->cpu_period_us ? resources->cpu_period_us : DEFAULT_PERIOD_US;

	if (resources->cpu_permille) {
		/* the kernel's least quota is 1 ms */
		int64_t quota = (int64_t)(resources->cpu_permille * DEFAULT_PERIOD_US / 1000);

		*ret_quota_us = quota < 1000 ? 1000 : quota;
		*ret_period_us = DEFAULT_PERIOD_US;
		return true;
	}
	if (!resources->cpu_quota_us && !resources->cpu_period_us)
		return false;
	*ret_quota_us = resources->cpu_quota_us > 0 ? resources->cpu_quota_us : -1;
	*ret_period_us = period;
	return true;
}

/* Binary logarithm of n >= 1: a digit for each squaring. libm would cost a library for one number.
 */
static double binary_log(uint64_t n)
{
	int whole = 63 - __builtin_clzll(n);
	double rest = (double)n / (double)(1ULL << whole), digit = 0.5, log = whole;

	for (; digit > 1e-16; digit /= 2) {
		rest *= rest;
		if (rest < 2)
			continue;
		rest /= 2;
		log += digit;
	}
	return log;
}

/* cpu.weight is what runc has made of shares since 2025 (opencontainers/cgroups 0.0.4), so that a
 * file means here what it means with Docker: the parabola over log2(shares) through least, default
 * and most of both scales (2 -> 1, 1024 -> 100, 262144 -> 10000), rounded up. */
uint64_t resources_cpu_weight(uint64_t shares)
{
	static const double log10_of_2 = 0.30102999566398119521, slack = 1e-12;
	double log, wanted;
	uint64_t low = 1, high = 10000;

	if (shares <= 2)
		return low;
	if (shares >= 262144)
		return high;
	log = binary_log(shares);
	wanted = (log * log + 125 * log) / 612 - 7.0 / 34;
	while (low < high) {
		uint64_t middle = (low + high) / 2;

		if (binary_log(middle) * log10_of_2 + slack < wanted)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* 10..1000 stretched over 1..10000, ends onto ends. */
uint64_t resources_io_weight(uint16_t weight)
{
	return 1 + (uint64_t)(weight - 10) * 9999 / 990;
}

static int check_memory(const struct cgroup_resources *resources, struct error *err)
{
	if (!resources->has_memory_swap || resources->memory_swap == 0)
		return 0;
	if (resources->memory_swap < -1)
		return error_set(err, -EINVAL, "memswap_limit: %lld is neither a size nor -1",
			(long long)resources->memory_swap);
	if (!resources->memory_limit)
		return resources->memory_swap < 0 ? 0
						  : error_set(err, -EINVAL,
							    "memswap_limit counts memory and swap "
							    "together and needs a mem_limit");
	if (resources->memory_swap > 0 &&
		(uint64_t)resources->memory_swap < resources->memory_limit)
		return error_set(err, -EINVAL,
			"memswap_limit (memory and swap together) is less than mem_limit");
	return 0;
}

static int check_real_time(const struct cgroup_resources *resources, struct error *err)
{
	if (resources->cpu_rt_period_us > 1000000000)
		return error_set(err, -EINVAL, "cpu_rt_period: %llu is more than 1000 s",
			(unsigned long long)resources->cpu_rt_period_us);
	if (resources->cpu_rt_runtime_us < 0)
		return error_set(err, -EINVAL, "cpu_rt_runtime: %lld is less than nothing",
			(long long)resources->cpu_rt_runtime_us);
	if (resources->cpu_rt_period_us &&
		resources->cpu_rt_runtime_us > (int64_t)resources->cpu_rt_period_us)
		return error_set(err, -EINVAL,
			"cpu real-time runtime cannot be higher than cpu real-time period");
	return 0;
}

static int check_io(const struct cgroup_resources *resources, struct error *err)
{
	if (resources->blkio_weight &&
		(resources->blkio_weight < 10 || resources->blkio_weight > 1000))
		return error_set(err, -EINVAL, "blkio_config.weight: %u is not within 10..1000",
			resources->blkio_weight);
	return io_limits_check(resources, err);
}

static int check_cpu(const struct cgroup_resources *resources, struct error *err)
{
	if (resources->cpu_period_us &&
		(resources->cpu_period_us < 1000 || resources->cpu_period_us > 1000000))
		return error_set(err, -EINVAL,
			"cpu_period: %llu is not within 1000..1000000 microseconds",
			(unsigned long long)resources->cpu_period_us);
	if (resources->cpu_quota_us > 0 && resources->cpu_quota_us < 1000)
		return error_set(err, -EINVAL, "cpu_quota: %lld is less than 1000 microseconds",
			(long long)resources->cpu_quota_us);
	if (resources->cpu_shares && (resources->cpu_shares < 2 || resources->cpu_shares > 262144))
		return error_set(err, -EINVAL, "cpu_shares: %llu is not within 2..262144",
			(unsigned long long)resources->cpu_shares);
	return 0;
}

int cgroup_resources_check(const struct cgroup_resources *resources, struct error *err)
{
	int r = check_memory(resources, err);

	if (r == 0)
		r = check_cpu(resources, err);
	if (r == 0)
		r = check_real_time(resources, err);
	if (r < 0)
		return r;
	if (resources->memory_reservation && resources->memory_limit &&
		resources->memory_reservation > resources->memory_limit)
		return error_set(err, -EINVAL, "mem_reservation is more than mem_limit");
	if (resources->pids_limit < -1)
		return error_set(err, -EINVAL, "pids_limit: %lld is neither a number nor -1",
			(long long)resources->pids_limit);
	if (resources->has_memory_swappiness &&
		(resources->memory_swappiness < 0 || resources->memory_swappiness > 100))
		return error_set(err, -EINVAL,
			"mem_swappiness: invalid value: %lld, valid memory swappiness range is "
			"0-100",
			(long long)resources->memory_swappiness);
	return check_io(resources, err);
}
