/* SPDX-License-Identifier: GPL-2.0-or-later
 * resources_test.c - limits as data: JSON, defaults, conversions, what is refused. */
#include "tests/unit/engine/cgroup/support.h"

static void json_round_trip_keeps_every_field(void **state)
{
	cleanup_error struct error err = ERROR_INIT;
	struct cgroup_resources resources = {
		.memory_limit = (1ull << 53) + 1,
		.memory_reservation = 1,
		.has_memory_swap = true,
		.memory_swap = -1,
		.oom_kill_disable = true,
		.cpu_permille = 500,
		.cpu_quota_us = 50000,
		.cpu_period_us = 100000,
		.cpu_shares = 512,
		.cpuset_cpus = xstrdup("0-1"),
		.cpuset_mems = xstrdup("0"),
		.pids_limit = -1,
		.blkio_weight = 10,
		.has_memory_swappiness = true,
		.memory_swappiness = 0,
		.cpu_rt_runtime_us = 5000,
		.cpu_rt_period_us = 1000000,
	};
	struct cgroup_resources back;
	cleanup_json struct json *json = NULL;
	cleanup_json struct json *again = NULL;
	cleanup_free char *text = NULL;
	cleanup_free char *text_again = NULL;

	(void)state;
	*array_add(resources.io_limits, resources.io_limit_count) =
		(struct cgroup_io_limit){ CGROUP_IO_WRITE_IOPS, xstrdup("/dev/sda"),
			(1ull << 60) + 1 };
	*array_add(resources.hugepages, resources.hugepages_count) =
		(struct cgroup_hugepages){ 2 << 20, 0 };
	cgroup_default_devices(&resources);
	json = cgroup_resources_to_json(&resources);
	assert_ok(cgroup_resources_from_json(json, &back, &err), err);
	assert_true(back.memory_limit == resources.memory_limit);
	assert_true(back.has_memory_swap && back.memory_swap == -1 && back.oom_kill_disable);
	assert_int_equal(back.cpu_permille, 500);
	assert_int_equal(back.pids_limit, -1);
	assert_true(back.has_memory_swappiness && back.memory_swappiness == 0);
	assert_int_equal(back.cpu_rt_runtime_us, 5000);
	assert_int_equal(back.io_limits[0].kind, CGROUP_IO_WRITE_IOPS);
	assert_string_equal(back.io_limits[0].path, "/dev/sda");
	assert_true(back.io_limits[0].value == (1ull << 60) + 1);
	assert_int_equal(back.hugepages_count, 1);
	assert_int_equal(back.hugepages[0].page_size, 2 << 20);
	assert_int_equal(back.hugepages[0].limit, 0);
	assert_string_equal(back.cpuset_cpus, "0-1");
	assert_int_equal(back.device_count, resources.device_count);
	for (size_t i = 0; i < back.device_count; i++)
		assert_memory_equal(
			&back.devices[i], &resources.devices[i], sizeof(back.devices[i]));
	again = cgroup_resources_to_json(&back);
	text = json_print(json);
	text_again = json_print(again);
	assert_string_equal(text, text_again);
	cgroup_resources_release(&resources);
	cgroup_resources_release(&back);
}

static void unset_fields_have_no_member(void **state)
{
	struct cgroup_resources resources = { .all_devices = true };
	cleanup_json struct json *json = cgroup_resources_to_json(&resources);
	cleanup_free char *text = json_print(json);

	(void)state;
	assert_string_equal(text, "{\"devices\":[],\"allDevices\":true}");
}

static void malformed_json_is_an_error(void **state)
{
	static const char *const rows[] = {
		"[]",
		"{\"memory\":{\"limit\":\"many\"}}",
		"{\"memory\":{\"limit\":-1}}",
		"{\"blockIO\":{\"weight\":65536}}",
		"{\"cpu\":{\"cpus\":3}}",
		"{\"ioLimits\":[{\"kind\":\"readBps\",\"path\":\"/dev/sda\"}]}",
		"{\"ioLimits\":[{\"kind\":\"x\",\"path\":\"/dev/sda\",\"value\":1}]}",
		"{\"hugepageLimits\":[{\"pageSize\":2097152}]}",
		"{\"hugepageLimits\":[{\"pageSize\":2097153,\"limit\":1}]}",
		"{\"devices\":[{\"allow\":true,\"type\":\"c\"}]}",
		"{\"devices\":[{\"allow\":true,\"type\":\"cc\",\"access\":\"r\"}]}",
		"{\"devices\":[{\"allow\":true,\"type\":\"c\",\"access\":\"rwmr\"}]}",
		"{\"devices\":[{\"allow\":true,\"type\":\"q\",\"access\":\"r\"}]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_error struct error err = ERROR_INIT;
		cleanup_json struct json *json = NULL;
		struct cgroup_resources resources = { .pids_limit = 77 };

		assert_ok(json_parse(rows[i], strlen(rows[i]), &json, &err), err);
		if (cgroup_resources_from_json(json, &resources, &err) >= 0)
			fail_msg("accepted: %s", rows[i]);
		assert_int_equal(resources.pids_limit, 77); /* untouched */
	}
}

static void limits_of_huge_pages_are_read(void **state)
{
	static const struct {
		const char *text;
		uint64_t page_size, limit;
	} rows[] = {
		{ "2MB=64m", 2 << 20, 64 << 20 },
		{ "2m=0", 2 << 20, 0 },
		{ "64KB=1g", 64 << 10, 1 << 30 },
		{ "1GB=8589934592", 1 << 30, 1ull << 33 },
	};
	static const char *const refused[] = { "", "2MB", "=1", "2MB=", "3MB=1", "1k=1", "0=1",
		"x=1", "2MB=x", "2MB=-1", "-2MB=1" };
	struct cgroup_hugepages pages;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(cgroup_hugepages_parse(rows[i].text, &pages, NULL), 0);
		assert_true(pages.page_size == rows[i].page_size && pages.limit == rows[i].limit);
	}
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (cgroup_hugepages_parse(refused[i], &pages, NULL) != -EINVAL)
			fail_msg("accepted: %s", refused[i]);
}

static void contradictions_are_refused_in_composes_words(void **state)
{
	static char path[] = "/dev/sda", name[] = "sda";
	static struct cgroup_io_limit light = { CGROUP_IO_WEIGHT, path, 9 };
	static struct cgroup_io_limit relative = { CGROUP_IO_READ_BPS, name, 9 };
	static const struct {
		struct cgroup_resources resources;
		const char *message;
	} rows[] = {
		{ { .has_memory_swap = true, .memory_swap = 5 }, "needs a mem_limit" },
		{ { .memory_limit = 10, .has_memory_swap = true, .memory_swap = 5 },
			"memswap_limit" },
		{ { .has_memory_swap = true, .memory_swap = -2 }, "memswap_limit" },
		{ { .memory_limit = 10, .memory_reservation = 11 }, "mem_reservation" },
		{ { .cpu_shares = 1 }, "cpu_shares" },
		{ { .cpu_shares = 262145 }, "cpu_shares" },
		{ { .cpu_period_us = 999 }, "cpu_period" },
		{ { .cpu_quota_us = 999 }, "cpu_quota" },
		{ { .pids_limit = -2 }, "pids_limit" },
		{ { .blkio_weight = 9 }, "blkio_config.weight" },
		{ { .blkio_weight = 1001 }, "blkio_config.weight" },
		{ { .has_memory_swappiness = true, .memory_swappiness = 101 }, "mem_swappiness" },
		{ { .cpu_rt_runtime_us = 20, .cpu_rt_period_us = 10 }, "real-time period" },
		{ { .io_limits = &light, .io_limit_count = 1 }, "blkio_config.weight_device" },
		{ { .io_limits = &relative, .io_limit_count = 1 }, "blkio_config.device_read_bps" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_error struct error err = ERROR_INIT;

		assert_int_equal(cgroup_resources_check(&rows[i].resources, &err), -EINVAL);
		assert_contains(error_text(&err), rows[i].message);
	}
}

static void row_14_10_memory_and_swap_default_to_twice_the_memory(void **state)
{
	static const struct {
		struct cgroup_resources resources;
		int64_t expected;
	} rows[] = {
		{ { .memory_limit = 100 }, 200 },
		{ { .memory_limit = 100, .has_memory_swap = true, .memory_swap = 0 }, 200 },
		{ { .memory_limit = 100, .has_memory_swap = true, .memory_swap = 100 }, 100 },
		{ { .memory_limit = 100, .has_memory_swap = true, .memory_swap = 150 }, 150 },
		{ { .memory_limit = 100, .has_memory_swap = true, .memory_swap = -1 }, -1 },
		{ { .memory_limit = UINT64_MAX }, -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(resources_memory_and_swap(&rows[i].resources), rows[i].expected);
}

static void cpus_become_quota_and_period(void **state)
{
	static const struct {
		struct cgroup_resources resources;
		bool set;
		int64_t quota;
		uint64_t period;
	} rows[] = {
		{ { 0 }, false, 0, 0 },
		{ { .cpu_permille = 500 }, true, 50000, 100000 },
		{ { .cpu_permille = 2500 }, true, 250000, 100000 },
		{ { .cpu_permille = 1 }, true, 1000, 100000 },
		{ { .cpu_permille = 500, .cpu_quota_us = 7000, .cpu_period_us = 8000 }, true, 50000,
			100000 },
		{ { .cpu_quota_us = 7000 }, true, 7000, 100000 },
		{ { .cpu_quota_us = 7000, .cpu_period_us = 8000 }, true, 7000, 8000 },
		{ { .cpu_quota_us = -1 }, true, -1, 100000 },
		{ { .cpu_period_us = 50000 }, true, -1, 50000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t quota = 0;
		uint64_t period = 0;

		assert_int_equal(
			resources_cpu_quota(&rows[i].resources, &quota, &period), rows[i].set);
		assert_int_equal(quota, rows[i].quota);
		assert_int_equal(period, rows[i].period);
	}
}

static void shares_and_weights_are_what_runc_makes_of_them(void **state)
{
	static const uint64_t shares[][2] = { { 2, 1 }, { 3, 2 }, { 15, 5 }, { 256, 35 },
		{ 512, 59 }, { 1000, 99 }, { 1023, 100 }, { 1024, 100 }, { 1025, 101 },
		{ 2048, 174 }, { 102400, 4429 }, { 262143, 10000 }, { 262144, 10000 } };
	static const uint64_t weights[][2] = { { 10, 1 }, { 505, 5000 }, { 1000, 10000 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(shares); i++)
		assert_int_equal(resources_cpu_weight(shares[i][0]), shares[i][1]);
	for (size_t i = 0; i < ARRAY_LEN(weights); i++)
		assert_int_equal(resources_io_weight((uint16_t)weights[i][0]), weights[i][1]);
}

static void limits_are_named_as_in_a_compose_file(void **state)
{
	struct cgroup_resources resources = { .pids_limit = 5, .all_devices = true };

	(void)state;
	assert_string_equal(resources_limit_of(&resources, CONTROLLER_PIDS), "pids_limit");
	assert_null(resources_limit_of(&resources, CONTROLLER_MEMORY));
	assert_null(resources_limit_of(&resources, CONTROLLER_DEVICES));
	resources.all_devices = false;
	assert_non_null(resources_limit_of(&resources, CONTROLLER_DEVICES));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_round_trip_keeps_every_field),
		cmocka_unit_test(unset_fields_have_no_member),
		cmocka_unit_test(malformed_json_is_an_error),
		cmocka_unit_test(limits_of_huge_pages_are_read),
		cmocka_unit_test(contradictions_are_refused_in_composes_words),
		cmocka_unit_test(row_14_10_memory_and_swap_default_to_twice_the_memory),
		cmocka_unit_test(cpus_become_quota_and_period),
		cmocka_unit_test(shares_and_weights_are_what_runc_makes_of_them),
		cmocka_unit_test(limits_are_named_as_in_a_compose_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
