/* SPDX-License-Identifier: GPL-2.0-or-later
 * devices_test.c - device rules: what is merged, what cuts, what is refused. */
#include "tests/unit/engine/cgroup/support.h"

static char *rules_text(const struct cgroup_resources *resources)
{
	cleanup_error struct error err = ERROR_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct device_rules rules = { 0 };

	assert_ok(device_rules_make(resources, &rules, &err), err);
	for (size_t i = 0; i < rules.count; i++) {
		char rule[DEVICE_RULE_MAX];

		device_rule_format(&rules.items[i], rule);
		strbuf_addf(&text, "%s%c%s", i ? "; " : "", rules.items[i].allow ? '+' : '-', rule);
	}
	free(rules.items);
	return strbuf_steal(&text);
}

static void row_4_1_default_rules_are_mknod_and_the_harmless_nodes(void **state)
{
	struct cgroup_resources resources = { 0 };
	cleanup_free char *text = NULL;

	(void)state;
	cgroup_default_devices(&resources);
	text = rules_text(&resources);
	assert_string_equal(text,
		"+c *:* m; +b *:* m; +c 1:3 rwm; +c 1:5 rwm; +c 1:7 rwm; +c 1:8 rwm; +c 1:9 rwm; "
		"+c 5:0 rwm; +c 5:1 rwm; +c 5:2 rwm; +c 136:* rwm");
	cgroup_resources_release(&resources);
}

static void rules_are_brought_to_the_form_both_kernels_take(void **state)
{
	static const struct {
		struct cgroup_device rules[3];
		const char *expected;
	} rows[] = {
		{ { { true, 'c', 1, 3, "r" }, { true, 'c', 1, 3, "w" } }, "+c 1:3 rw" },
		{ { { true, 'c', 1, 3, "mwr" } }, "+c 1:3 rwm" },
		{ { { true, 'b', 8, 0, "r" }, { true, 'c', 8, 0, "w" } }, "+b 8:0 r; +c 8:0 w" },
		{ { { true, 'a', -1, -1, "rwm" } }, "+b *:* rwm; +c *:* rwm" },
		{ { { true, 'c', 1, 3, "rwm" }, { false, 'c', 1, 3, "w" } }, "+c 1:3 rm" },
		{ { { true, 'c', 1, 3, "rw" }, { false, 'c', 1, 3, "rwm" } }, "" },
		{ { { false, 'c', 1, 3, "rwm" } }, "" },
		{ { { false, 'c', 1, 3, "rwm" }, { true, 'c', 1, 3, "r" } }, "+c 1:3 r" },
		{ { { true, 'c', -1, -1, "rw" }, { false, 'c', 1, 3, "w" } },
			"+c *:* rw; -c 1:3 w" },
		{ { { true, 'c', -1, -1, "rw" }, { false, 'c', 1, 3, "m" } }, "+c *:* rw" },
		{ { { true, 'c', -1, -1, "r" }, { false, 'c', 1, 3, "r" },
			  { true, 'c', -1, -1, "w" } },
			"+c *:* r; -c 1:3 r; +c *:* w" },
		{ { { true, 'c', 136, -1, "rwm" }, { false, 'c', -1, 5, "rwm" } },
			"+c 136:* rwm; -c *:5 rwm" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cgroup_resources resources = { 0 };
		cleanup_free char *text = NULL;

		for (size_t n = 0; n < 3 && rows[i].rules[n].type; n++)
			*array_add(resources.devices, resources.device_count) = rows[i].rules[n];
		text = rules_text(&resources);
		assert_string_equal(text, rows[i].expected);
		cgroup_resources_release(&resources);
	}
}

static void malformed_rules_are_refused(void **state)
{
	static const struct cgroup_device rows[] = {
		{ true, 'x', 1, 3, "r" },
		{ true, 'c', -2, 3, "r" },
		{ true, 'c', 4096, 3, "r" },
		{ true, 'c', 1, 1 << 20, "r" },
		{ true, 'c', 1, 3, "" },
		{ true, 'c', 1, 3, "rx" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(device_rule_check(&rows[i], NULL), -EINVAL);
}

static void row_4_4_rules_of_a_file_are_read_as_docker_reads_them(void **state)
{
	static const struct {
		const char *text;
		struct cgroup_device rule;
	} good[] = {
		{ "c 1:3 rwm", { true, 'c', 1, 3, "rwm" } },
		{ "c 1:3 mr", { true, 'c', 1, 3, "mr" } },
		{ "a 7:* rmw", { true, 'a', 7, -1, "rmw" } },
		{ "b *:* r", { true, 'b', -1, -1, "r" } },
	};
	static const char *const bad[] = { "", "c", "c 1:3", "c 1:3 rwx", "d 1:3 r", "c 1 r",
		"c 1:x r", "c 1:3:4 r", "c -1:3 r", "c 1:3 rwmr", "cc 1:3 r", "c 1:3 r w",
		"c 99999:3 r" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct cgroup_device rule;

		assert_int_equal(cgroup_device_parse(good[i].text, &rule, NULL), 0);
		assert_memory_equal(&rule, &good[i].rule, sizeof(rule));
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		cleanup_error struct error err = ERROR_INIT;
		struct cgroup_device rule;

		if (cgroup_device_parse(bad[i], &rule, &err) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
		assert_contains(error_text(&err), bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(row_4_1_default_rules_are_mknod_and_the_harmless_nodes),
		cmocka_unit_test(rules_are_brought_to_the_form_both_kernels_take),
		cmocka_unit_test(malformed_rules_are_refused),
		cmocka_unit_test(row_4_4_rules_of_a_file_are_read_as_docker_reads_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
