/* SPDX-License-Identifier: GPL-2.0-or-later
 * tree_remove_test.c - a tree goes, and nothing but the tree. */
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "support.h"

static void removes_files_trees_and_what_is_absent(void **state)
{
	const struct scratch *scratch = *state;
	cleanup_free char *absolute = xasprintf("%s/t", scratch->path);

	put_file(scratch->fd, "file", "x");
	assert_int_equal(tree_remove(scratch->fd, "file", NULL), 0);
	assert_false(exists(scratch->fd, "file"));
	assert_int_equal(tree_remove(scratch->fd, "file", NULL), 0);
	assert_int_equal(tree_remove(scratch->fd, "absent/below", NULL), 0);
	assert_int_equal(dir_make(scratch->fd, "t/a/b", 0700, NULL), 0);
	assert_int_equal(dir_make(scratch->fd, "t/c", 0, NULL), 0);
	put_file(scratch->fd, "t/a/b/file", "x");
	assert_int_equal(mkfifoat(scratch->fd, "t/a/fifo", 0600), 0);
	assert_int_equal(tree_remove(scratch->fd, "t/a/", NULL), 0);
	assert_false(exists(scratch->fd, "t/a"));
	assert_true(exists(scratch->fd, "t"));
	assert_int_equal(tree_remove(-1, absolute, NULL), 0);
	assert_false(exists(scratch->fd, "t"));
}

static void refuses_names_that_are_no_entry(void **state)
{
	static const char *const bad[] = { "", ".", "..", "a/.", "a/..", "/", "//" };
	const struct scratch *scratch = *state;

	assert_int_equal(dir_make(scratch->fd, "a", 0700, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (tree_remove(scratch->fd, bad[i], NULL) != -EINVAL)
			fail_msg("'%s' was not refused", bad[i]);
	assert_true(exists(scratch->fd, "a"));
}

static void follows_no_link(void **state)
{
	const struct scratch *scratch = *state;

	assert_int_equal(dir_make(scratch->fd, "canary", 0700, NULL), 0);
	put_file(scratch->fd, "canary/file", "x");
	assert_int_equal(dir_make(scratch->fd, "t/a", 0700, NULL), 0);
	assert_int_equal(symlinkat("../../canary", scratch->fd, "t/a/link"), 0);
	assert_int_equal(symlinkat("canary", scratch->fd, "link"), 0);
	assert_int_equal(tree_remove(scratch->fd, "t", NULL), 0);
	assert_int_equal(tree_remove(scratch->fd, "link", NULL), 0);
	assert_false(exists(scratch->fd, "t"));
	assert_false(exists(scratch->fd, "link"));
	assert_true(exists(scratch->fd, "canary/file"));
}

/* d/d/d/... with a file and a second directory at every 100th level. */
static void make_deep_tree(int dir_fd, int depth)
{
	int fd = openat(dir_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; i < depth; i++) {
		int below;

		assert_int_equal(mkdirat(fd, "d", 0700), 0);
		if (i % 100 == 0) {
			put_file(fd, "a-file", "x");
			assert_int_equal(mkdirat(fd, "e", 0700), 0);
			put_file(fd, "e/file", "x");
		}
		below = openat(fd, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
		assert_true(below >= 0);
		close(fd);
		fd = below;
	}
	close(fd);
}

static int remove_with_few_resources(void *arg)
{
	const struct scratch *scratch = arg;
	const struct rlimit files = { 64, 64 };

	return setrlimit(RLIMIT_NOFILE, &files) < 0 || tree_remove(scratch->fd, "d", NULL) < 0 ||
	       exists(scratch->fd, "d");
}

static void deep_trees_need_neither_stack_nor_descriptors(void **state)
{
	struct scratch *scratch = *state;

	make_deep_tree(scratch->fd, 5000);
	assert_int_equal(in_child(remove_with_few_resources, scratch), 0);
}

static void wide_trees_are_read_once(void **state)
{
	const struct scratch *scratch = *state;
	cleanup_fd int fd = dir_make_open(scratch->fd, "t", 0700, NULL);

	for (int i = 0; i < 5000; i++) {
		char name[32];

		snprintf(name, sizeof(name), "directory-%d", i);
		assert_int_equal(mkdirat(fd, name, 0700), 0);
		snprintf(name, sizeof(name), "file-%d", i);
		put_file(fd, name, "");
	}
	assert_int_equal(tree_remove(scratch->fd, "t", NULL), 0);
	assert_false(exists(scratch->fd, "t"));
}

#define EXIT_NO_PRIVILEGE 42

/* Private mounts of this child alone: `source` appears at `target`. */
static int bind_in_own_namespace(const char *source, const char *target)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount(source, target, NULL, MS_BIND, NULL) < 0)
		return EXIT_NO_PRIVILEGE;
	return 0;
}

struct bind_case {
	const struct scratch *scratch;
	const char *target; /* below t/ a directory or a file; "t" itself */
	const char *source;
};

static int remove_around_a_mount(void *arg)
{
	const struct bind_case *c = arg;
	cleanup_error struct error err = ERROR_INIT;
	int r;

	/* unshare(2) takes the working directory along into the new mounts, but no open fd. */
	if (fchdir(c->scratch->fd) < 0)
		return 2;
	r = bind_in_own_namespace(c->source, c->target);
	if (r != 0)
		return r;
	if (tree_remove(AT_FDCWD, "t", &err) != -EXDEV)
		return 3;
	if (strcmp(error_text(&err), "remove 't': something is mounted there") != 0)
		return 4;
	return exists(AT_FDCWD, c->target) ? 0 : 5;
}

static void row_13_10_nothing_below_a_mount_is_touched(void **state)
{
	static const struct {
		const char *target, *source;
	} rows[] = {
		{ "t/a/volume", "canary" }, { "t/a/file", "canary/file" }, { "t", "canary" },
		{ "t/a/volume", "t/other" }, /* the same file system: only the mount tells */
	};
	const struct scratch *scratch = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bind_case c = { scratch, rows[i].target, rows[i].source };
		int status;

		assert_int_equal(dir_make(scratch->fd, "canary", 0700, NULL), 0);
		put_file(scratch->fd, "canary/file", "x");
		assert_int_equal(dir_make(scratch->fd, "t/a/volume", 0700, NULL), 0);
		assert_int_equal(dir_make(scratch->fd, "t/other", 0700, NULL), 0);
		put_file(scratch->fd, "t/a/file", "");
		status = in_child(remove_around_a_mount, &c);
		if (status == EXIT_NO_PRIVILEGE) {
			print_message("needs CAP_SYS_ADMIN for a mount namespace\n");
			skip();
		}
		if (status != 0)
			fail_msg("'%s': step %d", rows[i].target, status);
		assert_true(exists(scratch->fd, "canary/file"));
		assert_int_equal(tree_remove(scratch->fd, "t", NULL), 0); /* no mount here */
	}
}

/* Swap a directory of the tree and a link to the canary without pause. */
__attribute__((noreturn)) static void swap_without_end(const struct scratch *scratch)
{
	for (;;)
		renameat2(scratch->fd, "t/a", scratch->fd, "link", RENAME_EXCHANGE);
}

static void racing_link_never_leads_to_the_canary(void **state)
{
	const struct scratch *scratch = *state;
	pid_t pid;

	assert_int_equal(dir_make(scratch->fd, "canary", 0700, NULL), 0);
	for (int i = 0; i < 50; i++) {
		cleanup_free char *name = xasprintf("canary/file-%d", i);

		put_file(scratch->fd, name, "x");
	}
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		swap_without_end(scratch);
	for (int round = 0; round < 300; round++) {
		if (symlinkat("canary", scratch->fd, "link") < 0)
			assert_int_equal(errno, EEXIST);
		dir_make(scratch->fd, "t/a/b/c", 0700, NULL);
		tree_remove(scratch->fd, "t", NULL); /* may lose the race, never follow it */
	}
	kill(pid, SIGKILL);
	assert_int_equal(wait_status(pid), 128 + SIGKILL);
	for (int i = 0; i < 50; i++) {
		cleanup_free char *name = xasprintf("canary/file-%d", i);

		assert_true(exists(scratch->fd, name));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(removes_files_trees_and_what_is_absent),
		scratch_test(refuses_names_that_are_no_entry),
		scratch_test(follows_no_link),
		scratch_test(deep_trees_need_neither_stack_nor_descriptors),
		scratch_test(wide_trees_are_read_once),
		scratch_test(row_13_10_nothing_below_a_mount_is_touched),
		scratch_test(racing_link_never_leads_to_the_canary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
