/* SPDX-License-Identifier: GPL-2.0-or-later
 * healthcheck_test.c - an image's health check, and what the user says over it. */
#include "engine/container/healthcheck.h"

#include "engine/base/times.h"

#include "support.h"

#define IMAGE                                                                       \
	"{\"Test\":[\"CMD\",\"a\"],\"Interval\":1,\"Timeout\":2,\"StartPeriod\":3," \
	"\"StartInterval\":4,"                                                      \
	"\"Retries\":5}"

static char **words(const char *text)
{
	return text ? strv_split(text, " ") : NULL;
}

static void what_is_not_said_is_the_images(void **state)
{
	static const struct {
		const char *test;
		int64_t interval_ns;
		uint32_t retries;
		const char *image;
		const char *combined;
	} rows[] = {
		{ NULL, 0, 0, NULL, "{}" },
		{ NULL, 0, 0, IMAGE, IMAGE },
		{ "NONE", 0, 0, NULL, "{\"Test\":[\"NONE\"]}" },
		{ "CMD-SHELL x", 7, 0, IMAGE,
			"{\"Test\":[\"CMD-SHELL\",\"x\"],\"Interval\":7,\"Timeout\":2,"
			"\"StartPeriod\":3,"
			"\"StartInterval\":4,\"Retries\":5}" },
		{ NULL, 0, 9, "{\"Test\":[\"CMD\",\"a\"]}",
			"{\"Test\":[\"CMD\",\"a\"],\"Retries\":9}" },
		{ NULL, 8, 0, "{\"Test\":null}", "{\"Interval\":8}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct container_healthcheck healthcheck = { .test = words(rows[i].test),
			.interval_ns = rows[i].interval_ns,
			.retries = rows[i].retries };
		cleanup_error struct error err = ERROR_INIT;

		check_ok(healthcheck_inherit(&healthcheck, rows[i].image, &err), &err);
		cleanup_json struct json *json = healthcheck_to_json(&healthcheck);
		cleanup_free char *text = json_print(json);

		assert_string_equal(text, rows[i].combined);
		healthcheck_release(&healthcheck);
	}
}

static void a_damaged_one_is_told(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} rows[] = {
		{ "[]", "expected an object" },
		{ "{", "the image's healthcheck" },
		{ "{\"Test\":\"CMD\"}", "expected a list" },
		{ "{\"Test\":[1]}", "list of strings" },
		{ "{\"Test\":[\"curl\"]}", "begins with 'curl'" },
		{ "{\"Interval\":\"1s\"}", "Interval" },
		{ "{\"Timeout\":-1}", "negative" },
		{ "{\"Retries\":-1}", "out of range" },
		{ "{\"Retries\":4294967296}", "out of range" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct container_healthcheck healthcheck = { 0 };
		cleanup_error struct error err = ERROR_INIT;

		assert_int_equal(healthcheck_inherit(&healthcheck, rows[i].text, &err), -EBADMSG);
		if (!strstr(error_text(&err), rows[i].says))
			fail_msg("%s: %s", rows[i].text, error_text(&err));
		assert_null(healthcheck.test);
	}
}

static void a_container_takes_over_check_and_shell(void **state)
{
	cleanup_container struct container *c = container_new();
	cleanup_strv char **shell = words("/bin/ash -ec");

	(void)state;
	c->healthcheck.retries = 2;
	c->healthcheck.shell = strv_copy(shell);
	assert_int_equal(healthcheck_inherit(&c->healthcheck, IMAGE, NULL), 0);
	assert_int_equal(c->healthcheck.retries, 2);
	assert_int_equal(c->healthcheck.interval_ns, 1);
	assert_true(strv_equal(c->healthcheck.shell, shell));
	assert_true(container_has_healthcheck(&c->healthcheck));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_said_is_the_images),
		cmocka_unit_test(a_damaged_one_is_told),
		cmocka_unit_test(a_container_takes_over_check_and_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
