/* SPDX-License-Identifier: GPL-2.0-or-later
 * directories_test.c - making and listing directories. */
#include "engine/base/strv.h"

#include "support.h"

static mode_t mode_of(int dir_fd, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(dir_fd, path, &st, 0), 0);
	assert_true(S_ISDIR(st.st_mode));
	return st.st_mode & 07777;
}

static void makes_all_that_is_absent_with_its_mode(void **state)
{
	const struct scratch *scratch = *state;
	const mode_t old_mask = umask(077);

	assert_int_equal(mkdirat(scratch->fd, "a", 0700), 0);
	assert_int_equal(dir_make(scratch->fd, "a/b//c/", 0755, NULL), 0);
	umask(old_mask);
	assert_int_equal(mode_of(scratch->fd, "a"), 0700);
	assert_int_equal(mode_of(scratch->fd, "a/b"), 0755);
	assert_int_equal(mode_of(scratch->fd, "a/b/c"), 0755);
	assert_int_equal(dir_make(scratch->fd, "a/b/c", 0700, NULL), 0);
	assert_int_equal(mode_of(scratch->fd, "a/b/c"), 0755);
	assert_int_equal(dir_make(scratch->fd, "./a/../d", 0700, NULL), 0);
	assert_int_equal(mode_of(scratch->fd, "d"), 0700);
}

static void takes_absolute_paths_and_what_cannot_be_made(void **state)
{
	const struct scratch *scratch = *state;
	cleanup_free char *path = xasprintf("%s/x/y", scratch->path);

	assert_int_equal(dir_make(-1, path, 0700, NULL), 0);
	assert_int_equal(mode_of(scratch->fd, "x/y"), 0700);
	assert_int_equal(dir_make(-1, "/", 0700, NULL), 0);
	assert_int_equal(dir_make(-1, "/proc/self", 0700, NULL), 0);
	assert_true(dir_make(-1, "/proc/self/nothing-here", 0700, NULL) < 0);
	assert_int_equal(dir_make(scratch->fd, "", 0700, NULL), -ENOENT);
}

static void a_file_in_the_way_is_an_error(void **state)
{
	const struct scratch *scratch = *state;
	cleanup_error struct error err = ERROR_INIT;

	put_file(scratch->fd, "file", "");
	assert_int_equal(dir_make(scratch->fd, "file", 0700, &err), -ENOTDIR);
	assert_int_equal(dir_make(scratch->fd, "file/a", 0700, &err), -ENOTDIR);
	assert_string_equal(error_text(&err), "create directory 'file/a': Not a directory");
	assert_int_equal(symlinkat("nowhere", scratch->fd, "dangling"), 0);
	assert_int_equal(dir_make(scratch->fd, "dangling", 0700, &err), -ENOENT);
}

static void made_directory_opens_for_reading(void **state)
{
	const struct scratch *scratch = *state;
	cleanup_fd int made = dir_make_open(scratch->fd, "p/q", 0700, NULL);
	cleanup_fd int again = dir_make_open(scratch->fd, "p/q", 0700, NULL);

	assert_true(made >= 0 && again >= 0);
	assert_true(fcntl(made, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(fsync(made), 0); /* no O_PATH fd */
	assert_int_equal(fsync(again), 0);
	put_file(made, "file", "x");
	assert_true(exists(scratch->fd, "p/q/file"));
}

static void list_is_sorted_and_complete(void **state)
{
	const struct scratch *scratch = *state;
	cleanup_strv char **names = NULL;
	cleanup_free char *joined = NULL;

	put_file(scratch->fd, "b", "");
	put_file(scratch->fd, "B", "");
	put_file(scratch->fd, ".dot", "");
	put_file(scratch->fd, "a10", "");
	assert_int_equal(mkdirat(scratch->fd, "a2", 0700), 0);
	assert_int_equal(dir_list(scratch->fd, ".", &names, NULL), 0);
	joined = strv_join(names, " ");
	assert_string_equal(joined, ".dot B a10 a2 b");
}

static void list_of_many_names(void **state)
{
	const struct scratch *scratch = *state;
	cleanup_strv char **names = NULL;

	for (int i = 0; i < 3000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%05d", i);
		put_file(scratch->fd, name, "");
	}
	assert_int_equal(dir_list(scratch->fd, ".", &names, NULL), 0);
	assert_int_equal(strv_length(names), 3000);
	for (int i = 0; i < 3000; i++)
		assert_int_equal(strtol(names[i], NULL, 10), i);
}

static void only_what_a_replacement_left_is_swept(void **state)
{
	static const char *const kept[] = { ".tmp-0123456789abcde", ".tmp-0123456789abcdef0",
		".tmp-0123456789ABCDEF", "tmp-0123456789abcdef", "a.json" };
	const struct scratch *scratch = *state;
	cleanup_strv char **names = NULL;

	assert_int_equal(mkdirat(scratch->fd, "d", 0700), 0);
	put_file(scratch->fd, "d/.tmp-0123456789abcdef", "half");
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		cleanup_free char *path = xasprintf("d/%s", kept[i]);

		put_file(scratch->fd, path, "");
	}
	assert_int_equal(file_sweep_temporaries(scratch->fd, "d", NULL), 0);
	assert_int_equal(dir_list(scratch->fd, "d", &names, NULL), 0);
	assert_int_equal(strv_length(names), ARRAY_LEN(kept));
	assert_false(strv_contains(names, ".tmp-0123456789abcdef"));
	assert_int_equal(file_sweep_temporaries(scratch->fd, "absent", NULL), 0);
}

static void absent_and_empty_list_as_empty(void **state)
{
	const struct scratch *scratch = *state;
	cleanup_strv char **names = NULL;
	cleanup_strv char **none = NULL;

	assert_int_equal(dir_list(scratch->fd, "absent", &none, NULL), 0);
	assert_int_equal(strv_length(none), 0);
	assert_int_equal(dir_list(scratch->fd, ".", &names, NULL), 0);
	assert_int_equal(strv_length(names), 0);
	put_file(scratch->fd, "file", "");
	assert_int_equal(dir_list(scratch->fd, "file", &none, NULL), -ENOTDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(makes_all_that_is_absent_with_its_mode),
		scratch_test(takes_absolute_paths_and_what_cannot_be_made),
		scratch_test(a_file_in_the_way_is_an_error),
		scratch_test(made_directory_opens_for_reading),
		scratch_test(list_is_sorted_and_complete),
		scratch_test(list_of_many_names),
		scratch_test(only_what_a_replacement_left_is_swept),
		scratch_test(absent_and_empty_list_as_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
