/* SPDX-License-Identifier: GPL-2.0-or-later
 * engine_test.c - the two roots are made, checked, opened. */
#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"

#define NOBODY 65534

struct scratch {
	char path[64];
	char *data;
	char *run;
};

static int setup(void **state)
{
	struct scratch *scratch = xcalloc(1, sizeof(*scratch));

	snprintf(scratch->path, sizeof(scratch->path), "/tmp/mycompose-unit-XXXXXX");
	if (!mkdtemp(scratch->path))
		return -1;
	scratch->data = xasprintf("%s/lib/data", scratch->path);
	scratch->run = xasprintf("%s/run", scratch->path);
	*state = scratch;
	return 0;
}

static int teardown(void **state)
{
	struct scratch *scratch = *state;

	tree_remove(AT_FDCWD, scratch->path, NULL);
	free(scratch->data);
	free(scratch->run);
	free(scratch);
	return 0;
}

static int open_engine(struct scratch *scratch, struct error *err)
{
	struct engine engine = ENGINE_INIT;
	int r = engine_open(&engine, scratch->data, scratch->run, err);

	engine_release(&engine);
	return r;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void row_6_5_roots_are_made_0700(void **state)
{
	struct scratch *scratch = *state;
	struct engine engine = ENGINE_INIT;
	mode_t old = umask(0);
	int r = engine_open(&engine, scratch->data, scratch->run, NULL);

	umask(old);
	assert_int_equal(r, 0);
	assert_int_equal(mode_of(scratch->data), 0700);
	assert_int_equal(mode_of(scratch->run), 0700);
	assert_string_equal(engine.data_path, scratch->data);
	assert_string_equal(engine.run_path, scratch->run);
	assert_string_equal(engine.cgroup_parent, "mycompose");
	assert_true(fcntl(engine.data_fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(engine.run_fd, F_GETFD) & FD_CLOEXEC);
	engine_release(&engine);
	assert_int_equal(engine.data_fd, -1);
	assert_null(engine.run_path);
	assert_int_equal(open_engine(scratch, NULL), 0); /* again */
}

static void row_6_5_an_empty_directory_is_closed_to_others(void **state)
{
	struct scratch *scratch = *state;

	assert_int_equal(mkdir(scratch->run, 0700), 0);
	assert_int_equal(chmod(scratch->run, 01777), 0); /* a fresh tmpfs */
	assert_int_equal(open_engine(scratch, NULL), 0);
	assert_int_equal(mode_of(scratch->run), 0700);
}

static void row_6_5_what_others_can_write_is_refused(void **state)
{
	struct scratch *scratch = *state;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *planted = xasprintf("%s/containers", scratch->run);

	assert_int_equal(mkdir(scratch->run, 0700), 0);
	assert_int_equal(mkdir(planted, 0777), 0);
	assert_int_equal(chmod(scratch->run, 0777), 0);
	assert_int_equal(open_engine(scratch, &err), -EPERM);
	assert_non_null(strstr(error_text(&err), "is writable by others (mode 0777)"));
	assert_int_equal(mode_of(scratch->run), 0777); /* a user's /tmp is not for us to close */
	assert_int_equal(chmod(scratch->run, 0755), 0);
	assert_int_equal(open_engine(scratch, NULL), 0);
}

static void a_strangers_directory_is_refused(void **state)
{
	struct scratch *scratch = *state;
	cleanup_error struct error err = ERROR_INIT;

	if (geteuid() != 0) {
		print_message("needs root\n");
		skip();
	}
	assert_int_equal(mkdir(scratch->run, 0700), 0);
	assert_int_equal(chown(scratch->run, NOBODY, NOBODY), 0);
	assert_int_equal(open_engine(scratch, &err), -EPERM);
	assert_non_null(strstr(error_text(&err), "belongs to user 65534"));
}

static void what_is_no_directory_is_named(void **state)
{
	struct scratch *scratch = *state;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_fd int fd = open(scratch->run, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_int_equal(open_engine(scratch, &err), -ENOTDIR);
	assert_non_null(strstr(error_text(&err), scratch->run));
}

static void without_root_the_way_is_told(void **state)
{
	struct scratch *scratch = *state;
	int status;
	pid_t pid;

	if (geteuid() != 0) {
		print_message("needs root\n");
		skip();
	}
	pid = fork();
	if (pid == 0) {
		cleanup_error struct error err = ERROR_INIT;
		cleanup_free char *message = xasprintf("cannot open %s: Permission denied "
						       "(mycompose needs root: try sudo)",
			scratch->run);

		if (setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
			_exit(2);
		_exit(open_engine(scratch, &err) == -EACCES &&
					strcmp(error_text(&err), message) == 0
				? 0
				: 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void paths_become_absolute(void **state)
{
	struct scratch *scratch = *state;
	cleanup_fd int here_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct engine engine = ENGINE_INIT;

	assert_int_equal(chdir(scratch->path), 0);
	assert_int_equal(engine_open(&engine, "lib/data", "./lib/../run", NULL), 0);
	assert_int_equal(fchdir(here_fd), 0);
	assert_string_equal(engine.data_path, scratch->data);
	assert_string_equal(engine.run_path, scratch->run);
	engine_release(&engine);
}

int main(void)
{
#define scratch_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		scratch_test(row_6_5_roots_are_made_0700),
		scratch_test(row_6_5_an_empty_directory_is_closed_to_others),
		scratch_test(row_6_5_what_others_can_write_is_refused),
		scratch_test(a_strangers_directory_is_refused),
		scratch_test(what_is_no_directory_is_named),
		scratch_test(without_root_the_way_is_told),
		scratch_test(paths_become_absolute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
