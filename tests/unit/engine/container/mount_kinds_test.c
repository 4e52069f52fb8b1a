/* SPDX-License-Identifier: GPL-2.0-or-later
 * mount_kinds_test.c - words and paths of mounts, before any of them is made. */
#include "engine/container/mount_kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "engine/base/memory.h"

static void row_6_1_a_subpath_stays_inside_as_text(void **state)
{
	static const struct {
		const char *subpath;
		int expected;
	} cases[] = {
		{ NULL, 0 },
		{ "a", 0 },
		{ "a/b/..", 0 },
		{ "a/../b", 0 },
		{ "./a//b/", 0 },
		{ "a/..b/...", 0 },
		{ "/a", -EINVAL },
		{ "..", -EINVAL },
		{ "../a", -EINVAL },
		{ "a/../../b", -EINVAL },
		{ "./..", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct spec_mount mount = { .type = MOUNT_VOLUME,
			.subpath = (char *)cases[i].subpath };

		assert_int_equal(subpath_check(&mount, NULL), cases[i].expected);
	}
}

static void only_volumes_and_images_have_parts(void **state)
{
	struct spec_mount mount = { .type = MOUNT_BIND, .subpath = (char *)"a" };

	(void)state;
	assert_int_equal(subpath_check(&mount, NULL), -EINVAL);
	mount.type = MOUNT_TMPFS;
	assert_int_equal(subpath_check(&mount, NULL), -EINVAL);
	mount.type = MOUNT_IMAGE;
	assert_int_equal(subpath_check(&mount, NULL), 0);
}

static void six_propagations_are_known(void **state)
{
	static const char *const known[] = { "private", "rprivate", "shared", "rshared", "slave",
		"rslave" };
	static const char *const unknown[] = { "", "unbindable", "Shared", "rshared " };

	(void)state;
	assert_true(propagation_is_known(NULL));
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		assert_true(propagation_is_known(known[i]));
	for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
		assert_false(propagation_is_known(unknown[i]));
}

static void tmpfs_words(void **state)
{
	static const struct {
		const char *word;
		int expected;
	} cases[] = {
		{ "exec", 0 },
		{ "nr_inodes=10k", 0 },
		{ "uid=1000", 0 },
		{ "size=50%", 0 },
		{ "uid", -EINVAL },
		{ "uidx=1", -EINVAL },
		{ "exec=1", -EINVAL },
		{ "bind", -EINVAL },
		{ "source=/etc", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *words[] = { (char *)cases[i].word, NULL };
		struct spec_mount mount = { .type = MOUNT_TMPFS, .tmpfs_options = words };

		assert_int_equal(tmpfs_check(&mount, NULL), cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(row_6_1_a_subpath_stays_inside_as_text),
		cmocka_unit_test(only_volumes_and_images_have_parts),
		cmocka_unit_test(six_propagations_are_known),
		cmocka_unit_test(tmpfs_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
