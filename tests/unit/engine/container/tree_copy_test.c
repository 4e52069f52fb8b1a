/* SPDX-License-Identifier: GPL-2.0-or-later
 * tree_copy_test.c - a tree is copied as it is, and nothing outside is read or written. */
#include "engine/container/tree_copy.h"

#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "support.h"

struct trees {
	char path[64];
	int top_fd, src_fd, dst_fd;
};

static int setup(void **state)
{
	struct trees *trees = xcalloc(1, sizeof(*trees));

	snprintf(trees->path, sizeof(trees->path), "/tmp/mycompose-unit-XXXXXX");
	if (!mkdtemp(trees->path))
		return -1;
	trees->top_fd = open(trees->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	trees->src_fd = dir_make_open(trees->top_fd, "src", 0755, NULL);
	trees->dst_fd = dir_make_open(trees->top_fd, "dst", 0700, NULL);
	*state = trees;
	return 0;
}

static int teardown(void **state)
{
	struct trees *trees = *state;

	close(trees->src_fd);
	close(trees->dst_fd);
	close(trees->top_fd);
	tree_remove(AT_FDCWD, trees->path, NULL);
	free(trees);
	return 0;
}

static void copy(struct trees *trees)
{
	cleanup_error struct error err = ERROR_INIT;

	check_ok(tree_copy(trees->src_fd, trees->dst_fd, &err), &err);
}

static struct stat stat_of(int dir_fd, const char *path)
{
	struct stat st;

	if (fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		fail_msg("%s is not there", path);
	return st;
}

/* Same in all that a copy keeps. */
static void check_same(struct trees *trees, const char *path)
{
	struct stat a = stat_of(trees->src_fd, path), b = stat_of(trees->dst_fd, path);

	if (a.st_mode != b.st_mode || a.st_uid != b.st_uid || a.st_gid != b.st_gid ||
		a.st_rdev != b.st_rdev || (!S_ISDIR(a.st_mode) && a.st_size != b.st_size) ||
		a.st_mtim.tv_sec != b.st_mtim.tv_sec || a.st_mtim.tv_nsec != b.st_mtim.tv_nsec)
		fail_msg("%s differs", path);
}

static void make_file(int dir_fd, const char *path, mode_t mode, uid_t uid)
{
	const struct timespec times[2] = { { 1000, 5 }, { 2000, 7 } };

	write_file(dir_fd, path, path);
	assert_int_equal(fchownat(dir_fd, path, uid, uid, 0), 0);
	assert_int_equal(fchmodat(dir_fd, path, mode, 0), 0);
	assert_int_equal(utimensat(dir_fd, path, times, 0), 0);
}

static void owners_modes_and_times_are_kept(void **state)
{
	struct trees *trees = *state;
	static const struct {
		const char *path;
		mode_t mode;
		uid_t uid;
	} files[] = {
		{ "plain", 0644, 0 },
		{ "secret", 0, 999 },
		{ "setuid", 04755, 1000 },
		{ "setgid", 02711, 1000 },
		{ "d/e/deep", 0640, 70000 },
	};
	const struct timespec times[2] = { { 10, 1 }, { 20, 2 } };

	assert_int_equal(dir_make(trees->src_fd, "d/e", 0755, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		make_file(trees->src_fd, files[i].path, files[i].mode, files[i].uid);
	assert_int_equal(fchmodat(trees->src_fd, "d", 03775, 0), 0);
	assert_int_equal(fchownat(trees->src_fd, "d", 5, 6, 0), 0);
	assert_int_equal(utimensat(trees->src_fd, "d", times, 0), 0);
	assert_int_equal(fchmod(trees->src_fd, 01777), 0);
	assert_int_equal(fchown(trees->src_fd, 33, 34), 0);
	copy(trees);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		cleanup_free char *text = NULL;

		check_same(trees, files[i].path);
		assert_int_equal(
			file_read(trees->dst_fd, files[i].path, 100, &text, NULL, NULL), 0);
		assert_string_equal(text, files[i].path);
	}
	check_same(trees, "d");
	check_same(trees, "d/e");
	check_same(trees, ".");
}

static void row_6_2_links_are_copied_not_followed(void **state)
{
	struct trees *trees = *state;
	static const char *const targets[] = { "/etc/passwd", "../canary", "plain", "nowhere",
		"link4", "/proc/self/root" };
	cleanup_free char *canary = xasprintf("%s/canary", trees->path);

	write_file(AT_FDCWD, canary, "sings");
	make_file(trees->src_fd, "plain", 0644, 0);
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		cleanup_free char *name = xasprintf("link%zu", i);

		assert_int_equal(symlinkat(targets[i], trees->src_fd, name), 0);
		assert_int_equal(fchownat(trees->src_fd, name, 42, 43, AT_SYMLINK_NOFOLLOW), 0);
	}
	copy(trees);
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		cleanup_free char *name = xasprintf("link%zu", i);
		char target[256] = "";

		assert_true(readlinkat(trees->dst_fd, name, target, sizeof(target) - 1) > 0);
		assert_string_equal(target, targets[i]);
		check_same(trees, name);
	}
	struct stat st = stat_of(trees->top_fd, "canary"); /* not ours by the link's owner */

	assert_int_equal(st.st_uid, geteuid());
}

/* A directory at the target that somebody has replaced by a link is not written through. */
static void row_6_2_nothing_is_written_through_a_link(void **state)
{
	struct trees *trees = *state;

	assert_int_equal(dir_make(trees->top_fd, "outside", 0700, NULL), 0);
	assert_int_equal(dir_make(trees->src_fd, "d", 0755, NULL), 0);
	make_file(trees->src_fd, "d/file", 0644, 0);
	assert_int_equal(symlinkat("../outside", trees->dst_fd, "d"), 0);
	assert_int_equal(tree_copy(trees->src_fd, trees->dst_fd, NULL), -EEXIST);
	assert_int_equal(faccessat(trees->top_fd, "outside/file", F_OK, 0), -1);
}

static void row_6_2_special_files_are_copied_as_such(void **state)
{
	struct trees *trees = *state;
	static const struct {
		const char *name;
		mode_t mode;
		unsigned int major, minor;
	} nodes[] = {
		{ "fifo", S_IFIFO | 0620, 0, 0 },
		{ "socket", S_IFSOCK | 0755, 0, 0 },
		{ "null", S_IFCHR | 0666, 1, 3 },
		{ "loop", S_IFBLK | 0600, 7, 200 },
	};
	mode_t old = umask(0);

	for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
		if (mknodat(trees->src_fd, nodes[i].name, nodes[i].mode,
			    makedev(nodes[i].major, nodes[i].minor)) < 0) {
			umask(old);
			print_message("needs CAP_MKNOD\n");
			skip();
		}
	}
	umask(022);
	copy(trees); /* would hang for ever if it read the fifo */
	umask(old);
	for (size_t i = 0; i < ARRAY_LEN(nodes); i++)
		check_same(trees, nodes[i].name);
}

static void hard_links_stay_together(void **state)
{
	struct trees *trees = *state;

	assert_int_equal(dir_make(trees->src_fd, "d", 0755, NULL), 0);
	make_file(trees->src_fd, "a", 0644, 0);
	assert_int_equal(linkat(trees->src_fd, "a", trees->src_fd, "b", 0), 0);
	assert_int_equal(linkat(trees->src_fd, "a", trees->src_fd, "d/c", 0), 0);
	copy(trees);
	struct stat a = stat_of(trees->dst_fd, "a"), b = stat_of(trees->dst_fd, "b");
	struct stat c = stat_of(trees->dst_fd, "d/c");

	assert_int_equal(a.st_nlink, 3);
	assert_true(a.st_ino == b.st_ino && a.st_ino == c.st_ino);
	check_same(trees, "d/c");
}

static void holes_stay_holes(void **state)
{
	struct trees *trees = *state;
	const off_t size = 1LL << 33;
	cleanup_fd int fd = openat(trees->src_fd, "sparse", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	char byte = 0;

	assert_int_equal(pwrite(fd, "x", 1, size / 2), 1);
	assert_int_equal(ftruncate(fd, size), 0);
	copy(trees);
	struct stat st = stat_of(trees->dst_fd, "sparse");
	cleanup_fd int copy_fd = openat(trees->dst_fd, "sparse", O_RDONLY | O_CLOEXEC);

	assert_true(st.st_size == size);
	assert_true(st.st_blocks < 1000);
	assert_int_equal(pread(copy_fd, &byte, 1, size / 2), 1);
	assert_int_equal(byte, 'x');
}

static void large_files_are_whole(void **state)
{
	struct trees *trees = *state;
	const size_t size = 5 * 1024 * 1024 + 123;
	unsigned char *data = xmalloc(size);
	cleanup_free char *back = NULL;
	size_t length;
	cleanup_fd int fd = openat(trees->src_fd, "large", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	for (size_t i = 0; i < size; i++)
		data[i] = (unsigned char)(i * 7 + i / 4096);
	assert_int_equal(fd_write_all(fd, data, size, NULL), 0);
	copy(trees);
	assert_int_equal(file_read(trees->dst_fd, "large", size, &back, &length, NULL), 0);
	assert_true(length == size);
	assert_memory_equal(back, data, size);
	free(data);
}

static void attributes_are_kept_and_overlays_left_out(void **state)
{
	struct trees *trees = *state;
	cleanup_fd int src_fd = -1, dst_fd = -1;
	char value[16] = "";
	/* cap_net_bind_service+ep, VFS_CAP_REVISION_2 */
	static const unsigned char capability[20] = { 1, 0, 0, 2, 0, 4 };

	make_file(trees->src_fd, "f", 0755, 1000);
	src_fd = openat(trees->src_fd, "f", O_RDONLY | O_CLOEXEC);
	if (fsetxattr(src_fd, "user.colour", "red", 3, 0) < 0 && errno == ENOTSUP) {
		print_message("needs a file system with extended attributes\n");
		skip();
	}
	assert_int_equal(fsetxattr(src_fd, "trusted.overlay.origin", "x", 1, 0), 0);
	assert_int_equal(
		fsetxattr(src_fd, "security.capability", capability, sizeof(capability), 0), 0);
	assert_int_equal(fsetxattr(trees->src_fd, "trusted.overlay.opaque", "y", 1, 0), 0);
	assert_int_equal(fsetxattr(trees->src_fd, "trusted.mine", "1", 1, 0), 0);
	copy(trees);
	dst_fd = openat(trees->dst_fd, "f", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fgetxattr(dst_fd, "user.colour", value, sizeof(value)), 3);
	assert_memory_equal(value, "red", 3);
	assert_true(fgetxattr(dst_fd, "security.capability", NULL, 0) > 0);
	assert_int_equal(fgetxattr(dst_fd, "trusted.overlay.origin", NULL, 0), -1);
	assert_int_equal(fgetxattr(trees->dst_fd, "trusted.overlay.opaque", NULL, 0), -1);
	assert_int_equal(fgetxattr(trees->dst_fd, "trusted.mine", NULL, 0), 1);
}

static void deep_trees_end_in_an_error(void **state)
{
	struct trees *trees = *state;
	cleanup_fd int at_fd = dup(trees->src_fd);
	cleanup_error struct error err = ERROR_INIT;

	for (int i = 0; i < 200; i++) {
		int next_fd;

		assert_int_equal(mkdirat(at_fd, "d", 0755), 0);
		next_fd = openat(at_fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next_fd >= 0);
		close(at_fd);
		at_fd = next_fd;
	}
	assert_int_equal(tree_copy(trees->src_fd, trees->dst_fd, &err), -ELOOP);
	assert_non_null(strstr(error_text(&err), "nested more than 128 directories deep"));
}

int main(void)
{
#define tree_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		tree_test(owners_modes_and_times_are_kept),
		tree_test(row_6_2_links_are_copied_not_followed),
		tree_test(row_6_2_nothing_is_written_through_a_link),
		tree_test(row_6_2_special_files_are_copied_as_such),
		tree_test(hard_links_stay_together),
		tree_test(holes_stay_holes),
		tree_test(large_files_are_whole),
		tree_test(attributes_are_kept_and_overlays_left_out),
		tree_test(deep_trees_end_in_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
