/* SPDX-License-Identifier: GPL-2.0-or-later
 * capabilities_test.c - names, and how added and dropped ones combine. */
#include <linux/capability.h>

#include "engine/base/numbers.h"
#include "engine/container/spec.h"

#include "support.h"

#define BIT(c) (1ULL << (c))

static void row_1_1_the_default_set_has_dockers_14(void **state)
{
	static const char *const names[] = { "CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD",
		"NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP", "NET_BIND_SERVICE",
		"SYS_CHROOT", "KILL", "AUDIT_WRITE" };
	uint64_t sum = 0, mask;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_int_equal(capability_parse(names[i], &mask, NULL), 0);
		sum |= mask;
	}
	assert_true(sum == CAPABILITIES_DEFAULT);
}

static void all_is_what_this_host_can_give(void **state)
{
	cleanup_free char *text = NULL, *expected = NULL;

	(void)state;
	assert_int_equal(file_read(AT_FDCWD, "/proc/self/status", 1 << 16, &text, NULL, NULL), 0);
	expected = xasprintf("CapBnd:\t%016llx\n", (unsigned long long)capabilities_all());
	assert_non_null(strstr(text, expected));
}

static void row_1_5_names_in_any_form(void **state)
{
	static const struct {
		const char *name;
		int number; /* -1: no such */
	} cases[] = {
		{ "NET_ADMIN", CAP_NET_ADMIN },
		{ "net_admin", CAP_NET_ADMIN },
		{ "CAP_NET_ADMIN", CAP_NET_ADMIN },
		{ "cap_Net_Admin", CAP_NET_ADMIN },
		{ "BPF", CAP_BPF },
		{ "SYS_ADMN", -1 },
		{ "", -1 },
		{ "CAP_", -1 },
		{ "CAP_CAP_CHOWN", -1 },
		{ "21", -1 },
		{ "CAP_21", -1 },
		{ "CAP_ALL", -1 },
		{ "SYS_ADMIN,CHOWN", -1 },
		{ "SYS_ADMIN ", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_error struct error err = ERROR_INIT;
		uint64_t mask = 1;
		int r = capability_parse(cases[i].name, &mask, &err);

		if (cases[i].number >= 0) {
			check_ok(r, &err);
			assert_true(mask == BIT(cases[i].number));
		} else {
			if (r != -EINVAL)
				fail_msg("'%s' is accepted", cases[i].name);
			assert_non_null(strstr(error_text(&err), "unknown capability"));
			assert_int_equal(mask, 1);
		}
	}
}

static void row_1_5_adds_and_drops_combine_as_dockers(void **state)
{
	const uint64_t all = capabilities_all(), base = CAPABILITIES_DEFAULT;
	const struct {
		const char *add, *drop;
		uint64_t result;
	} cases[] = {
		{ "", "", base },
		{ "SYS_ADMIN", "", base | BIT(CAP_SYS_ADMIN) },
		{ "", "CHOWN,cap_kill", base & ~(BIT(CAP_CHOWN) | BIT(CAP_KILL)) },
		{ "CHOWN", "CHOWN", base },
		{ "", "ALL", 0 },
		{ "NET_RAW,CHOWN", "all", BIT(CAP_NET_RAW) | BIT(CAP_CHOWN) },
		{ "NET_RAW", "ALL,NET_RAW", BIT(CAP_NET_RAW) },
		{ "ALL", "", all },
		{ "ALL", "SYS_ADMIN,NET_RAW", all & ~(BIT(CAP_SYS_ADMIN) | BIT(CAP_NET_RAW)) },
		{ "All,CHOWN", "CHOWN", all & ~BIT(CAP_CHOWN) },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_strv char **add = strv_split(cases[i].add, ",");
		cleanup_strv char **drop = strv_split(cases[i].drop, ",");
		uint64_t result;

		assert_int_equal(capabilities_combine(base, add, drop, &result, NULL), 0);
		if (result != cases[i].result)
			fail_msg("+%s -%s gives %llx", cases[i].add, cases[i].drop,
				(unsigned long long)result);
	}
}

static void row_1_5_an_unknown_name_says_where(void **state)
{
	char *good[] = { (char *)"CHOWN", NULL }, *bad[] = { (char *)"SYS_ADMN", NULL };
	cleanup_error struct error err = ERROR_INIT;
	uint64_t result = 7;

	(void)state;
	assert_int_equal(capabilities_combine(0, bad, good, &result, &err), -EINVAL);
	assert_string_equal(error_text(&err), "cap_add: unknown capability: \"SYS_ADMN\"");
	assert_int_equal(capabilities_combine(0, good, bad, &result, &err), -EINVAL);
	assert_string_equal(error_text(&err), "cap_drop: unknown capability: \"SYS_ADMN\"");
	assert_int_equal(result, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(row_1_1_the_default_set_has_dockers_14),
		cmocka_unit_test(all_is_what_this_host_can_give),
		cmocka_unit_test(row_1_5_names_in_any_form),
		cmocka_unit_test(row_1_5_adds_and_drops_combine_as_dockers),
		cmocka_unit_test(row_1_5_an_unknown_name_says_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
