/* SPDX-License-Identifier: GPL-2.0-or-later
 * arena_test.c - memory that dies as a whole. */
#include "engine/base/arena.h"
#include "engine/base/memory.h"

#include "support.h"

static void memory_is_zeroed_aligned_and_apart(void **state)
{
	static const size_t sizes[] = { 0, 1, 7, 16, 17, 4095, 4096, 16384, 100000 };
	cleanup_arena struct arena *arena = arena_new();
	unsigned char *blocks[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
		size_t size = sizes[i % ARRAY_LEN(sizes)];

		blocks[i] = arena_alloc(arena, size);
		assert_int_equal((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
		for (size_t n = 0; n < size; n++)
			if (blocks[i][n] != 0)
				fail_msg("byte %zu of block %zu is not zero", n, i);
		memset(blocks[i], (int)i + 1, size);
	}
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
		for (size_t n = 0; n < sizes[i % ARRAY_LEN(sizes)]; n++)
			if (blocks[i][n] != (unsigned char)(i + 1))
				fail_msg("block %zu was overwritten", i);
	assert_ptr_not_equal(arena_alloc(arena, 0), arena_alloc(arena, 0));
}

static void strings_are_copied(void **state)
{
	cleanup_arena struct arena *arena = arena_new();
	char text[] = "service";
	char *copy = arena_strdup(arena, text);

	(void)state;
	text[0] = 'X';
	assert_string_equal(copy, "service");
	assert_string_equal(arena_strndup(arena, "service", 4), "serv");
	assert_string_equal(arena_strndup(arena, "abc", 100), "abc");
	assert_null(arena_strdup(arena, NULL));
	assert_null(arena_strndup(arena, NULL, 4));
	assert_string_equal(arena_printf(arena, "%s.%d", "ports", 3), "ports.3");
	assert_string_equal(arena_join(arena, "alone"), "alone");
	assert_string_equal(arena_join(arena, "", "10.0.0.1", "/", "", "24", ""), "10.0.0.1/24");
	assert_int_equal(
		strlen(arena_join(arena, arena_printf(arena, "%*s", 50000, ""), "x")), 50001);
	assert_int_equal(strlen(arena_printf(arena, "%*s", 50000, "")), 50000);
}

/* Texts take a block's end, everything else its beginning: neither may reach into the other. */
static void texts_and_blocks_share(void **state)
{
	cleanup_arena struct arena *arena = arena_new();
	unsigned char *blocks[3000];
	char *texts[ARRAY_LEN(blocks)];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
		char text[40];

		snprintf(text, sizeof(text), "%*zu", (int)(i % 37), i);
		texts[i] = arena_strdup(arena, text);
		blocks[i] = arena_alloc(arena, i % 29);
		assert_int_equal((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
		memset(blocks[i], 0xff, i % 29);
	}
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
		char text[40];

		snprintf(text, sizeof(text), "%*zu", (int)(i % 37), i);
		assert_string_equal(texts[i], text);
		for (size_t n = 0; n < i % 29; n++)
			assert_int_equal(blocks[i][n], 0xff);
	}
}

static void arrays_grow(void **state)
{
	cleanup_arena struct arena *arena = arena_new();
	size_t *items = NULL, count = 0;

	(void)state;
	for (size_t i = 0; i < 5000; i++) {
		assert_int_equal(*arena_array_add(arena, items, count), 0);
		items[i] = i;
	}
	assert_int_equal(count, 5000);
	for (size_t i = 0; i < 5000; i++)
		assert_int_equal(items[i], i);
}

/* In place while nothing came after it, elsewhere when something did; never over that. */
static void arrays_grow_past_what_came_after_them(void **state)
{
	cleanup_arena struct arena *arena = arena_new();
	size_t *items = NULL, count = 0;
	char *after[64];

	(void)state;
	for (size_t i = 0; i < 64; i++) {
		*arena_array_add(arena, items, count) = i;
		after[i] = arena_printf(arena, "after %zu", i);
	}
	for (size_t i = 0; i < 64; i++) {
		cleanup_free char *expected = xasprintf("after %zu", i);

		assert_int_equal(items[i], i);
		assert_string_equal(after[i], expected);
	}
}

static void an_array_with_room_goes_on_growing(void **state)
{
	cleanup_arena struct arena *arena = arena_new();

	(void)state;
	assert_null(arena_array_room(arena, 0, sizeof(size_t)));
	for (size_t n = 1; n < 20; n++) {
		size_t *items = arena_array_room(arena, n, sizeof(*items)), count = n;
		char *after = arena_strdup(arena, "after");

		for (size_t i = 0; i < n; i++)
			assert_int_equal(items[i], 0);
		for (size_t i = 0; i < 20; i++)
			*arena_array_add(arena, items, count) = i;
		assert_int_equal(items[n + 19], 19);
		assert_string_equal(after, "after");
	}
}

static void freeing_nothing_is_fine(void **state)
{
	struct arena *arena = NULL;

	(void)state;
	arena_free(NULL);
	arena_cleanup(&arena);
	assert_null(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_aligned_and_apart),
		cmocka_unit_test(strings_are_copied),
		cmocka_unit_test(texts_and_blocks_share),
		cmocka_unit_test(arrays_grow),
		cmocka_unit_test(arrays_grow_past_what_came_after_them),
		cmocka_unit_test(an_array_with_room_goes_on_growing),
		cmocka_unit_test(freeing_nothing_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
