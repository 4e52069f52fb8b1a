/* SPDX-License-Identifier: GPL-2.0-or-later
 * reference_test.c - what people write for an image, and what it means. */
#include "support.h"

#define HEX  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define S10  "aaaaaaaaaa"
#define S100 S10 S10 S10 S10 S10 S10 S10 S10 S10 S10

static const struct {
	const char *text;
	const char *familiar; /* NULL: refused */
	const char *canonical;
} cases[] = {
	{ "redis", "redis:latest", "docker.io/library/redis:latest" },
	{ "redis:7", "redis:7", "docker.io/library/redis:7" },
	{ "docker.io/redis", "redis:latest", "docker.io/library/redis:latest" },
	{ "docker.io/library/redis:7", "redis:7", "docker.io/library/redis:7" },
	{ "index.docker.io/library/redis:7", "redis:7", "docker.io/library/redis:7" },
	{ "library/redis", "redis:latest", "docker.io/library/redis:latest" },
	{ "bitnami/redis:7.2_a.b-c", "bitnami/redis:7.2_a.b-c",
		"docker.io/bitnami/redis:7.2_a.b-c" },
	{ "quay.io/a/b:1", "quay.io/a/b:1", "quay.io/a/b:1" },
	{ "localhost/a", "localhost/a:latest", "localhost/a:latest" },
	{ "localhost:5000/a/b:c", "localhost:5000/a/b:c", "localhost:5000/a/b:c" },
	{ "reg:5000/a", "reg:5000/a:latest", "reg:5000/a:latest" },
	{ "[::1]:5000/a", "[::1]:5000/a:latest", "[::1]:5000/a:latest" },
	{ "REG/a", "REG/a:latest", "REG/a:latest" },
	{ "a__b/c--d/e.f", "a__b/c--d/e.f:latest", "docker.io/a__b/c--d/e.f:latest" },
	{ "redis@sha256:" HEX, "redis@sha256:" HEX, "docker.io/library/redis@sha256:" HEX },
	{ "redis:7@sha256:" HEX, "redis:7@sha256:" HEX, "docker.io/library/redis:7@sha256:" HEX },
	{ "", NULL, NULL },
	{ ":7", NULL, NULL },
	{ "redis:", NULL, NULL },
	{ "Redis", NULL, NULL },
	{ "a/B", NULL, NULL },
	{ "-a", NULL, NULL },
	{ "a-", NULL, NULL },
	{ "a..b", NULL, NULL },
	{ "a___b", NULL, NULL },
	{ "a//b", NULL, NULL },
	{ "/a", NULL, NULL },
	{ "a/", NULL, NULL },
	{ "../a", NULL, NULL },
	{ "a/../b", NULL, NULL },
	{ "a b", NULL, NULL },
	{ "a:b:c", NULL, NULL },
	{ "a:-b", NULL, NULL },
	{ "a:" S100 S10 S10 S10, NULL, NULL },
	{ S100 S100 S100, NULL, NULL },
	{ "reg:port/a", NULL, NULL },
	{ "[::1/a", NULL, NULL },
	{ "redis@sha256:abc", NULL, NULL },
	{ "redis@md5:" HEX, NULL, NULL },
	{ "redis@sha256:" HEX "0", NULL, NULL },
	{ HEX, NULL, NULL },
	{ "a\n", NULL, NULL },
};

static void row_6_4_reference_follows_the_grammar(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct image_ref ref = { 0 };
		cleanup_error struct error err = ERROR_INIT;
		int r = image_ref_parse(cases[i].text, &ref, &err);

		if (!cases[i].familiar) {
			if (r != -EINVAL)
				fail_msg("'%s' was taken as '%s'", cases[i].text, ref.familiar);
			assert_non_null(strstr(error_text(&err), "invalid reference format"));
			continue;
		}
		if (r < 0)
			fail_msg("'%s': %s", cases[i].text, error_text(&err));
		cleanup_free char *canonical = image_ref_canonical(&ref);

		assert_string_equal(ref.familiar, cases[i].familiar);
		assert_string_equal(canonical, cases[i].canonical);
		image_ref_release(&ref);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(row_6_4_reference_follows_the_grammar),
	};

	return cmocka_run_group_tests_name("reference", tests, NULL, NULL);
}
