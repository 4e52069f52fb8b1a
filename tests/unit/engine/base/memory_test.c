/* SPDX-License-Identifier: GPL-2.0-or-later
 * memory_test.c - growing arrays, steal, and the one place where memory may end the process. */
#include "support.h"

static void array_grows_with_zeroed_items(void **state)
{
	cleanup_free uint64_t *items = NULL;
	size_t count = 0;

	(void)state;
	for (uint64_t i = 0; i < 1000; i++) {
		uint64_t *item = array_add(items, count);

		assert_ptr_equal(item, &items[i]);
		assert_int_equal(*item, 0);
		*item = i * i;
	}
	assert_int_equal(count, 1000);
	for (uint64_t i = 0; i < 1000; i++)
		assert_int_equal(items[i], i * i);
}

static void array_emptied_by_hand_may_grow_again(void **state)
{
	cleanup_free int *items = NULL;
	size_t count = 0;

	(void)state;
	for (int i = 0; i < 20; i++)
		*array_add(items, count) = i;
	count = 0;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(*array_add(items, count), 0);
		items[i] = i;
	}
	assert_int_equal(items[19], 19);
}

static void empty_requests_give_memory(void **state)
{
	cleanup_free void *a = xmalloc(0), *b = xcalloc(0, 8), *c = xreallocarray(NULL, 0, 8);

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(c);
	assert_null(xstrdup(NULL));
	assert_null(xstrndup(NULL, 3));
}

static int allocate_too_much(void *arg)
{
	int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	void *ptr;

	(void)arg;
	dup2(null_fd, STDERR_FILENO);
	ptr = xreallocarray(NULL, SIZE_MAX / 2, 4);
	return ptr ? 77 : 78;
}

static void overflowing_size_ends_the_process(void **state)
{
	(void)state;
	assert_int_equal(in_child(allocate_too_much, NULL), 1);
}

static void steal_leaves_the_invalid_value(void **state)
{
	cleanup_free char *s = xstrdup("text");
	cleanup_free char *moved = steal_ptr(s);
	cleanup_fd int fd = dup(0);
	int kept = steal_fd(&fd);

	(void)state;
	assert_null(s);
	assert_string_equal(moved, "text");
	assert_int_equal(fd, -1);
	errno = EXDEV;
	close_fd(&kept);
	assert_int_equal(errno, EXDEV);
	assert_int_equal(kept, -1);
	close_fd(&kept);
	assert_int_equal(errno, EXDEV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(array_grows_with_zeroed_items),
		cmocka_unit_test(array_emptied_by_hand_may_grow_again),
		cmocka_unit_test(empty_requests_give_memory),
		cmocka_unit_test(overflowing_size_ends_the_process),
		cmocka_unit_test(steal_leaves_the_invalid_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
