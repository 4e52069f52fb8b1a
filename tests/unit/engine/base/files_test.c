/* SPDX-License-Identifier: GPL-2.0-or-later
 * files_test.c - opening inside a root, reading, writing, replacing. */
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "engine/base/strv.h"

#include "support.h"

static char *read_text(int dir_fd, const char *name)
{
	cleanup_error struct error err = ERROR_INIT;
	char *text = NULL;

	if (file_read(dir_fd, name, 1 << 20, &text, NULL, &err) < 0)
		fail_msg("%s", error_text(&err));
	return text;
}

static void open_is_close_on_exec_and_names_the_path(void **state)
{
	const struct scratch *scratch = *state;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_fd int fd = file_open(scratch->fd, "new", O_WRONLY | O_CREAT, 0600, &err);

	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(file_open(scratch->fd, "absent/x", O_RDONLY, 0, &err), -ENOENT);
	assert_string_equal(error_text(&err), "open 'absent/x': No such file or directory");
}

/* in/ is the root; beside it lies out/canary, and in/ holds links of every kind. */
static int make_root(const struct scratch *scratch)
{
	assert_int_equal(mkdirat(scratch->fd, "in", 0755), 0);
	assert_int_equal(mkdirat(scratch->fd, "in/etc", 0755), 0);
	assert_int_equal(mkdirat(scratch->fd, "out", 0755), 0);
	put_file(scratch->fd, "out/canary", "outside");
	put_file(scratch->fd, "in/etc/passwd", "inside");
	assert_int_equal(symlinkat("/etc/passwd", scratch->fd, "in/absolute"), 0);
	assert_int_equal(symlinkat("../../../../etc/passwd", scratch->fd, "in/dots"), 0);
	assert_int_equal(symlinkat("etc", scratch->fd, "in/plain"), 0);
	assert_int_equal(symlinkat("../out/canary", scratch->fd, "in/escape"), 0);
	assert_int_equal(symlinkat("/proc/self/root", scratch->fd, "in/magic"), 0);
	return openat(scratch->fd, "in", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void row_3_2_paths_resolve_inside_the_root(void **state)
{
	static const struct {
		const char *path;
		int in_root, beneath; /* 0: opens the file inside */
	} rows[] = {
		{ "etc/passwd", 0, 0 },
		{ "plain/passwd", 0, 0 },
		{ "/etc/passwd", 0, -EXDEV },
		{ "absolute", 0, -EXDEV },
		{ "dots", 0, -EXDEV },
		{ "../../etc/passwd", 0, -EXDEV },
		{ "etc/../etc/passwd", 0, 0 },
		{ "escape", -ENOENT, -EXDEV },
		{ "../out/canary", -ENOENT, -EXDEV },
		{ "magic/etc/passwd", -ENOENT, -EXDEV },
		{ "absent", -ENOENT, -ENOENT },
	};
	cleanup_fd int root_fd = make_root(*state);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_fd int a = -1;
		cleanup_fd int b = -1;
		char text[16] = "";

		a = file_open_in_root(root_fd, rows[i].path, O_RDONLY, 0, NULL);
		b = file_open_beneath(root_fd, rows[i].path, O_RDONLY, 0, NULL);
		if ((a < 0 ? a : 0) != rows[i].in_root || (b < 0 ? b : 0) != rows[i].beneath)
			fail_msg("'%s': in root %d, beneath %d", rows[i].path, a, b);
		if (a >= 0) {
			assert_int_equal(read(a, text, sizeof(text) - 1), 6);
			assert_string_equal(text, "inside");
			assert_true(fcntl(a, F_GETFD) & FD_CLOEXEC);
		}
	}
}

static void magic_links_are_refused(void **state)
{
	cleanup_fd int proc_fd = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_int_equal(file_open_in_root(proc_fd, "root/etc", O_PATH, 0, NULL), -ELOOP);
	assert_int_equal(file_open_beneath(proc_fd, "fd/0", O_PATH, 0, NULL), -ELOOP);
}

static void resolved_open_takes_a_mode_only_when_creating(void **state)
{
	cleanup_fd int root_fd = make_root(*state);
	cleanup_fd int made = -1;
	cleanup_fd int opened = -1;
	struct stat st;

	made = file_open_in_root(root_fd, "/etc/new", O_WRONLY | O_CREAT | O_EXCL, 0600, NULL);
	assert_true(made >= 0);
	assert_int_equal(fstat(made, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	opened = file_open_beneath(root_fd, "etc/new", O_RDONLY, 0600, NULL);
	assert_true(opened >= 0);
}

static void put_sized_file(int dir_fd, const char *name, size_t size)
{
	cleanup_fd int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(ftruncate(fd, (off_t)size), 0);
}

static void reads_up_to_the_limit(void **state)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 100000, 3000000 };
	const struct scratch *scratch = *state;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		cleanup_error struct error err = ERROR_INIT;
		cleanup_free char *text = NULL;
		char *untouched = (char *)&err;
		size_t length = 77;

		put_sized_file(scratch->fd, "file", sizes[i]);
		assert_int_equal(file_read(scratch->fd, "file", sizes[i], &text, &length, &err), 0);
		assert_int_equal(length, sizes[i]);
		assert_int_equal(text[length], 0);
		if (sizes[i] == 0)
			continue;
		assert_int_equal(
			file_read(scratch->fd, "file", sizes[i] - 1, &untouched, &length, &err),
			-EFBIG);
		assert_ptr_equal(untouched, &err);
		assert_non_null(strstr(error_text(&err), "read 'file': larger than"));
	}
}

static void reads_files_of_proc(void **state)
{
	cleanup_free char *text = NULL;
	size_t length;

	(void)state;
	assert_int_equal(
		file_read(AT_FDCWD, "/proc/self/status", 1 << 16, &text, &length, NULL), 0);
	assert_true(length > 100);
	assert_int_equal(strncmp(text, "Name:", 5), 0);
}

static void row_10_8_only_regular_files_are_read(void **state)
{
	const struct scratch *scratch = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	cleanup_fd int socket_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char *text = NULL;

	alarm(10); /* a blocking open would hang */
	assert_int_equal(mkfifoat(scratch->fd, "fifo", 0600), 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", scratch->path);
	assert_int_equal(bind(socket_fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(file_read(scratch->fd, "fifo", 100, &text, NULL, NULL), -EINVAL);
	assert_int_equal(file_read(scratch->fd, "socket", 100, &text, NULL, NULL), -EINVAL);
	assert_int_equal(file_read(scratch->fd, ".", 100, &text, NULL, NULL), -EINVAL);
	assert_int_equal(file_read(AT_FDCWD, "/dev/zero", 100, &text, NULL, NULL), -EINVAL);
	assert_int_equal(file_read(scratch->fd, "absent", 100, &text, NULL, NULL), -ENOENT);
	assert_null(text);
	alarm(0);
}

static void fd_read_appends_from_the_present_offset(void **state)
{
	const struct scratch *scratch = *state;
	cleanup_strbuf struct strbuf buf = STRBUF_INIT;
	cleanup_fd int fd = -1;

	put_file(scratch->fd, "file", "0123456789");
	fd = openat(scratch->fd, "file", O_RDONLY | O_CLOEXEC);
	assert_int_equal(lseek(fd, 4, SEEK_SET), 4);
	strbuf_add_str(&buf, "had ");
	assert_int_equal(fd_read_all(fd, 6, &buf, NULL), 0);
	assert_string_equal(strbuf_text(&buf), "had 456789");
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(fd_read_all(fd, 6, &buf, NULL), -EFBIG);
	assert_string_equal(strbuf_text(&buf), "had 456789");
}

/* A reader slower than the writer, so that write(2) comes back short of the whole. */
static void writes_all_into_a_full_pipe(void **state)
{
	const size_t length = 1 << 20;
	cleanup_free char *bytes = xcalloc(1, length);
	int ends[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		size_t sum = 0;
		ssize_t n;

		close(ends[1]);
		while ((n = read(ends[0], bytes, 777)) > 0)
			sum += (size_t)n;
		_exit(sum == length ? 0 : 1);
	}
	close(ends[0]);
	assert_int_equal(fd_write_all(ends[1], bytes, length, NULL), 0);
	close(ends[1]);
	assert_int_equal(wait_status(pid), 0);
}

static void write_failure_is_told(void **state)
{
	cleanup_fd int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	cleanup_error struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(fd_write_all(fd, "x", 1, &err), -ENOSPC);
	assert_int_equal(file_write_value(AT_FDCWD, "/dev/full", "max", &err), -ENOSPC);
	assert_string_equal(
		error_text(&err), "write 'max' to '/dev/full': No space left on device");
}

static void values_are_written_to_existing_files_only(void **state)
{
	const struct scratch *scratch = *state;
	cleanup_free char *text = NULL;

	assert_int_equal(file_write_value(scratch->fd, "value", "1", NULL), -ENOENT);
	put_file(scratch->fd, "value", "0");
	assert_int_equal(file_write_value(scratch->fd, "value", "12", NULL), 0);
	text = read_text(scratch->fd, "value");
	assert_string_equal(text, "12");
}

static void assert_only_file(const struct scratch *scratch, const char *name)
{
	cleanup_strv char **names = NULL;

	assert_int_equal(dir_list(scratch->fd, ".", &names, NULL), 0);
	assert_non_null(names);
	assert_string_equal(names[0], name);
	assert_null(names[1]);
}

static void replace_sets_contents_and_mode(void **state)
{
	const struct scratch *scratch = *state;
	const mode_t old_mask = umask(077);
	cleanup_error struct error err = ERROR_INIT;

	for (int durability = FILE_VOLATILE; durability <= FILE_DURABLE; durability++) {
		cleanup_free char *text = NULL;
		struct stat st;

		assert_int_equal(
			file_replace(scratch->fd, "hosts", "first", 5, 0600, durability, &err), 0);
		assert_int_equal(
			file_replace(scratch->fd, "hosts", "2nd", 3, 0644, durability, &err), 0);
		text = read_text(scratch->fd, "hosts");
		assert_string_equal(text, "2nd");
		assert_int_equal(fstatat(scratch->fd, "hosts", &st, 0), 0);
		assert_int_equal(st.st_mode, S_IFREG | 0644);
		assert_only_file(scratch, "hosts");
	}
	umask(old_mask);
}

static void replace_takes_the_place_of_a_link(void **state)
{
	const struct scratch *scratch = *state;
	cleanup_free char *text = NULL;
	struct stat st;

	put_file(scratch->fd, "target", "kept");
	assert_int_equal(symlinkat("target", scratch->fd, "name"), 0);
	assert_int_equal(file_replace(scratch->fd, "name", "new", 3, 0600, FILE_VOLATILE, NULL), 0);
	text = read_text(scratch->fd, "target");
	assert_string_equal(text, "kept");
	assert_int_equal(fstatat(scratch->fd, "name", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISREG(st.st_mode));
}

static void failed_replace_leaves_nothing_behind(void **state)
{
	static const char *const bad[] = { "", ".", "..", "a/b", "/a" };
	const struct scratch *scratch = *state;
	cleanup_error struct error err = ERROR_INIT;

	assert_int_equal(mkdirat(scratch->fd, "taken", 0755), 0);
	assert_int_equal(
		file_replace(scratch->fd, "taken", "x", 1, 0600, FILE_VOLATILE, &err), -EISDIR);
	assert_int_equal(strncmp(error_text(&err), "write 'taken': ", 15), 0);
	assert_only_file(scratch, "taken");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(
			file_replace(scratch->fd, bad[i], "x", 1, 0600, FILE_VOLATILE, NULL),
			-EINVAL);
}

struct writer {
	int dir_fd;
	enum file_durability durability;
};

/* Whole contents are 20000 times the same letter. */
static int write_without_end(void *arg)
{
	const struct writer *writer = arg;
	char bytes[20000];

	for (int i = 0;; i++) {
		memset(bytes, 'a' + i % 26, sizeof(bytes));
		if (file_replace(writer->dir_fd, "state", bytes, sizeof(bytes), 0600,
			    writer->durability, NULL) < 0)
			return 1;
	}
}

static void row_13_5_killed_writer_leaves_old_or_new(void **state)
{
	const struct scratch *scratch = *state;

	for (int round = 0; round < 40; round++) {
		struct writer writer = { scratch->fd, round % 2 ? FILE_DURABLE : FILE_VOLATILE };
		cleanup_free char *text = NULL;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			_exit(write_without_end(&writer));
		while (!exists(scratch->fd, "state"))
			usleep(100);
		usleep((useconds_t)(round * 199 % 5000));
		text = read_text(scratch->fd, "state"); /* and while it is being written */
		assert_int_equal(strlen(text), 20000);
		assert_int_equal(strspn(text, (char[]){ text[0], 0 }), 20000);
		kill(pid, SIGKILL);
		assert_int_equal(wait_status(pid), 128 + SIGKILL);
		free(text);
		text = read_text(scratch->fd, "state");
		assert_int_equal(strlen(text), 20000);
		assert_int_equal(strspn(text, (char[]){ text[0], 0 }), 20000);
	}
}

static void safe_names(void **state)
{
	static const struct {
		const char *name;
		bool safe;
	} rows[] = {
		{ "a", true },
		{ "web-1", true },
		{ "My_App.2", true },
		{ "0", true },
		{ "", false },
		{ ".", false },
		{ "..", false },
		{ ".hidden", false },
		{ "-flag", false },
		{ "_x", false },
		{ "a/b", false },
		{ "a b", false },
		{ "a\n", false },
		{ "\xc3\xa4", false },
	};
	char longest[202];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (name_is_safe(rows[i].name) != rows[i].safe)
			fail_msg("'%s'", rows[i].name);
	memset(longest, 'a', sizeof(longest));
	longest[200] = '\0';
	assert_true(name_is_safe(longest));
	longest[200] = 'a';
	longest[201] = '\0';
	assert_false(name_is_safe(longest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scratch_test(open_is_close_on_exec_and_names_the_path),
		scratch_test(row_3_2_paths_resolve_inside_the_root),
		cmocka_unit_test(magic_links_are_refused),
		scratch_test(resolved_open_takes_a_mode_only_when_creating),
		scratch_test(reads_up_to_the_limit),
		cmocka_unit_test(reads_files_of_proc),
		scratch_test(row_10_8_only_regular_files_are_read),
		scratch_test(fd_read_appends_from_the_present_offset),
		cmocka_unit_test(writes_all_into_a_full_pipe),
		cmocka_unit_test(write_failure_is_told),
		scratch_test(values_are_written_to_existing_files_only),
		scratch_test(replace_sets_contents_and_mode),
		scratch_test(replace_takes_the_place_of_a_link),
		scratch_test(failed_replace_leaves_nothing_behind),
		scratch_test(row_13_5_killed_writer_leaves_old_or_new),
		cmocka_unit_test(safe_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
