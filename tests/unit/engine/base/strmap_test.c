/* SPDX-License-Identifier: GPL-2.0-or-later
 * strmap_test.c - the ordered hash map. */
#include "engine/base/strmap.h"

#include "support.h"

static void remembers_insertion_order(void **state)
{
	static const char *const keys[] = { "web", "db", "", "a\nb", "cache" };
	struct strmap map = STRMAP_INIT;
	size_t i = 0;

	(void)state;
	for (size_t n = 0; n < ARRAY_LEN(keys); n++)
		assert_null(strmap_set(&map, keys[n], (void *)keys[n]));
	assert_ptr_equal(strmap_set(&map, "db", &map), keys[1]);
	strmap_for_each (entry, &map)
		assert_string_equal(entry->key, keys[i++]);
	assert_int_equal(i, ARRAY_LEN(keys));
	assert_ptr_equal(strmap_get(&map, "db"), &map);
	strmap_release(&map);
	assert_int_equal(map.count, 0);
}

static void empty_map_answers(void **state)
{
	struct strmap map = STRMAP_INIT;

	(void)state;
	assert_null(strmap_get(&map, "x"));
	assert_false(strmap_has(&map, "x"));
	assert_null(strmap_remove(&map, "x"));
	strmap_sort(&map);
	strmap_for_each (entry, &map)
		fail();
	strmap_release(&map);
}

static void null_values_are_present(void **state)
{
	struct strmap map = STRMAP_INIT;

	(void)state;
	strmap_set(&map, "x", NULL);
	assert_true(strmap_has(&map, "x"));
	assert_null(strmap_get(&map, "x"));
	strmap_release(&map);
}

static char *key_of(size_t i)
{
	return xasprintf("key-%zu", i);
}

static void finds_all_among_many(void **state)
{
	struct strmap map = STRMAP_INIT;

	(void)state;
	for (size_t i = 0; i < 20000; i++) {
		cleanup_free char *key = key_of(i);

		strmap_set(&map, key, (void *)(i + 1));
	}
	assert_int_equal(map.count, 20000);
	for (size_t i = 0; i < 20000; i++) {
		cleanup_free char *key = key_of(i);

		assert_int_equal((size_t)strmap_get(&map, key), i + 1);
	}
	assert_false(strmap_has(&map, "key-20000"));
	strmap_release(&map);
}

static void remove_keeps_the_order_of_the_rest(void **state)
{
	struct strmap map = STRMAP_INIT;
	size_t next = 1;

	(void)state;
	for (size_t i = 0; i < 200; i++) {
		cleanup_free char *key = key_of(i);

		strmap_set(&map, key, (void *)i);
	}
	for (size_t i = 0; i < 200; i += 2) {
		cleanup_free char *key = key_of(i);

		assert_int_equal((size_t)strmap_remove(&map, key), i);
		assert_false(strmap_has(&map, key));
	}
	strmap_for_each (entry, &map) {
		assert_int_equal((size_t)entry->value, next);
		assert_int_equal((size_t)strmap_get(&map, entry->key), next);
		next += 2;
	}
	assert_int_equal(next, 201);
	strmap_release(&map);
}

static void sort_keeps_lookups_right(void **state)
{
	struct strmap map = STRMAP_INIT;
	const char *last = "";

	(void)state;
	for (size_t i = 300; i-- > 0;) {
		cleanup_free char *key = key_of(i);

		strmap_set(&map, key, (void *)i);
	}
	strmap_sort(&map);
	strmap_for_each (entry, &map) {
		assert_true(strcmp(last, entry->key) < 0);
		last = entry->key;
		assert_ptr_equal(strmap_get(&map, entry->key), entry->value);
	}
	strmap_set(&map, "new", &map);
	assert_ptr_equal(strmap_get(&map, "new"), &map);
	strmap_release(&map);
}

static void release_ends_the_values(void **state)
{
	struct strmap map = STRMAP_INIT;

	(void)state;
	strmap_set(&map, "a", xstrdup("1"));
	strmap_set(&map, "b", xstrdup("2"));
	free(strmap_set(&map, "a", xstrdup("3")));
	strmap_release_with(&map, free); /* a leak or a double free fails under ASan */
	assert_null(map.entries);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remembers_insertion_order),
		cmocka_unit_test(empty_map_answers),
		cmocka_unit_test(null_values_are_present),
		cmocka_unit_test(finds_all_among_many),
		cmocka_unit_test(remove_keeps_the_order_of_the_rest),
		cmocka_unit_test(sort_keeps_lookups_right),
		cmocka_unit_test(release_ends_the_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
