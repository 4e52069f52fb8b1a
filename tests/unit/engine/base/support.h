/* SPDX-License-Identifier: GPL-2.0-or-later
 * support.h - what the unit tests of engine/base share: cmocka with its includes, a scratch
 * directory, child processes. */
#ifndef TESTS_UNIT_ENGINE_BASE_SUPPORT_H
#define TESTS_UNIT_ENGINE_BASE_SUPPORT_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/errors.h"
#include "engine/base/files.h"
#include "engine/base/memory.h"

struct scratch {
	char path[64];
	int fd;
};

static inline int scratch_setup(void **state)
{
	struct scratch *scratch = xcalloc(1, sizeof(*scratch));

	snprintf(scratch->path, sizeof(scratch->path), "/tmp/mycompose-unit-XXXXXX");
	if (!mkdtemp(scratch->path))
		return -1;
	scratch->fd = open(scratch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = scratch;
	return scratch->fd < 0 ? -1 : 0;
}

static inline int scratch_teardown(void **state)
{
	struct scratch *scratch = *state;
	int r = tree_remove(AT_FDCWD, scratch->path, NULL);

	close(scratch->fd);
	free(scratch);
	return r;
}

#define scratch_test(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

/* Write a file, without the code under test. */
static inline void put_file(int dir_fd, const char *name, const char *text)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static inline bool exists(int dir_fd, const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The exit status of a child; 128 + signal when one ended it. */
static inline int wait_status(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Run `body` in a child and return its exit status. The child ends by _exit: cmocka's longjmp must
 * not lead out of it. */
static inline int in_child(int (*body)(void *), void *arg)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(body(arg));
	return wait_status(pid);
}

#endif
