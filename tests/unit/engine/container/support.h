/* SPDX-License-Identifier: GPL-2.0-or-later
 * support.h - an engine in a directory of its own, containers to put into it, and a process that is
 * killed at a chosen system call. */
#ifndef MYCOMPOSE_TESTS_CONTAINER_SUPPORT_H
#define MYCOMPOSE_TESTS_CONTAINER_SUPPORT_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/container/container.h"
#include "engine/container/volume.h"
#include "engine/engine.h"

#define TEST_IMAGE_ID "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct world {
	char path[64];
	struct engine engine;
};

static inline void check_ok(int r, struct error *err)
{
	if (r < 0)
		fail_msg("unexpected error %d: %s", r, error_text(err));
}

static inline int world_setup(void **state)
{
	struct world *world = xcalloc(1, sizeof(*world));
	cleanup_error struct error err = ERROR_INIT;

	/* In memory: hundreds of runs that are killed need not wait for a disk. */
	snprintf(world->path, sizeof(world->path), "%s/mycompose-unit-XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(world->path))
		return -1;
	cleanup_free char *data = xasprintf("%s/data", world->path);
	cleanup_free char *run = xasprintf("%s/run", world->path);

	world->engine = (struct engine)ENGINE_INIT;
	world->engine.cgroup_parent = "mycompose-unit-none";
	check_ok(engine_open(&world->engine, data, run, &err), &err);
	*state = world;
	return 0;
}

static inline int world_teardown(void **state)
{
	struct world *world = *state;

	engine_release(&world->engine);
	tree_remove(AT_FDCWD, world->path, NULL);
	free(world);
	return 0;
}

#define world_test(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

static inline struct container *container_called(const char *name, const char *group)
{
	struct container *container = container_new();

	container->name = xstrdup(name);
	container->group = xstrdup(group);
	container->image_id = xstrdup(TEST_IMAGE_ID);
	strv_add(&container->spec.args, "true");
	return container;
}

static inline void add_volume(struct container *container, const char *name, bool anonymous)
{
	struct spec_mount *mount = array_add(container->spec.mounts, container->spec.mount_count);

	mount->type = MOUNT_VOLUME;
	mount->source = xstrdup(name);
	mount->destination = xasprintf("/%s", name);
	mount->anonymous = anonymous;
}

static inline bool exists(const struct engine *engine, const char *path)
{
	return faccessat(engine->data_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* No ".creating-", no ".removing-". */
static inline void check_no_leftovers(const struct engine *engine, const char *directory)
{
	cleanup_strv char **names = NULL;

	assert_int_equal(dir_list(engine->data_fd, directory, &names, NULL), 0);
	for (char **name = names; name && *name; name++)
		if (**name == '.')
			fail_msg("left behind: %s/%s", directory, *name);
}

static inline void write_file(int dir_fd, const char *path, const char *text)
{
	cleanup_fd int fd = openat(dir_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* Do the work in a child that is killed when it is about to make its n-th system call. True when it
 * ended before that. The work answers 0 for success. */
static inline bool killed_at(unsigned int n, int (*work)(void *arg), void *arg)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(work(arg) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
	ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	for (unsigned int stops = 0;; stops++) {
		if (stops == 2 * n) /* one stop on the way in, one on the way out */
			kill(pid, SIGKILL);
		ptrace(PTRACE_SYSCALL, pid, 0, 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFSTOPPED(status))
			break;
	}
	if (WIFSIGNALED(status))
		return false;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	return true;
}

#endif
