/* SPDX-License-Identifier: GPL-2.0-or-later
 * support.h - what the unit tests of engine/image share: cmocka with its includes, a store in a
 * scratch directory of its own, and trees written down as text. */
#ifndef TESTS_UNIT_ENGINE_IMAGE_SUPPORT_H
#define TESTS_UNIT_ENGINE_IMAGE_SUPPORT_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/errors.h"
#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/base/strv.h"
#include "engine/engine.h"
#include "engine/image/image.h"

#include "tar_bytes.h"

struct world {
	char path[64];
	int fd;
	struct engine engine;
};

static inline void world_fill(struct world *world)
{
	world->fd = open(world->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	world->engine = (struct engine)ENGINE_INIT;
	world->engine.data_path = xasprintf("%s/data", world->path);
	world->engine.run_path = xasprintf("%s/run", world->path);
	world->engine.data_fd = dir_make_open(world->fd, "data", 0700, NULL);
	world->engine.run_fd = dir_make_open(world->fd, "run", 0700, NULL);
}

static inline struct world *world_new(void)
{
	struct world *world = xcalloc(1, sizeof(*world));

	snprintf(world->path, sizeof(world->path), "/tmp/mycompose-unit-XXXXXX");
	if (!mkdtemp(world->path))
		return NULL;
	world_fill(world);
	return world;
}

static inline int world_free(struct world *world)
{
	int r;

	close(world->engine.data_fd);
	close(world->engine.run_fd);
	close(world->fd);
	umount2(world->path, MNT_DETACH);
	r = tree_remove(AT_FDCWD, world->path, NULL);
	free(world->engine.data_path);
	free(world->engine.run_path);
	free(world);
	return r;
}

static inline int world_setup(void **state)
{
	*state = world_new();
	return *state ? 0 : -1;
}

static inline int world_teardown(void **state)
{
	return world_free(*state);
}

#define world_test(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

/* Mounts of a test are its own: to be called once, before the tests that mount. */
static inline int own_mounts(void **state)
{
	(void)state;
	return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0
		       ? 0
		       : -1;
}

/* Put a tmpfs under the world, of that many bytes. */
static inline void world_on_tmpfs(struct world *world, const char *options)
{
	close(world->engine.data_fd);
	close(world->engine.run_fd);
	close(world->fd);
	free(world->engine.data_path);
	free(world->engine.run_path);
	assert_int_equal(mount("tmpfs", world->path, "tmpfs", 0, options), 0);
	world_fill(world);
}

static inline int memory_file(const struct strbuf *bytes)
{
	int fd = memfd_create("tar", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, strbuf_text(bytes), bytes->length, NULL), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static inline int import_bytes(const struct world *world, const struct strbuf *bytes,
	const char *reference, struct image **ret, struct error *err)
{
	int fd = memory_file(bytes);
	int r = image_import(&world->engine, fd, "test.tar", reference, NULL, "Imported", ret, err);

	close(fd);
	return r;
}

static inline int load_bytes(
	const struct world *world, const struct strbuf *bytes, char ***ret_names, struct error *err)
{
	int fd = memory_file(bytes);
	int r = image_load(&world->engine, fd, "test.tar", ret_names, err);

	close(fd);
	return r;
}

/* The unpacked folder of an image's top layer. */
static inline int open_top_layer(const struct world *world, const struct image *image)
{
	cleanup_strv char **paths = NULL;
	int fd;

	assert_int_equal(image_layer_paths(&world->engine, image, &paths, NULL), 0);
	fd = open(paths[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

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

static inline char *get_file(int dir_fd, const char *name)
{
	char *text = NULL;
	size_t length;

	assert_int_equal(file_read(dir_fd, name, 1 << 20, &text, &length, NULL), 0);
	return text;
}

static inline void describe_content(
	int dir_fd, const char *name, const struct stat *st, struct strbuf *out)
{
	char buf[4097] = "";

	if (S_ISLNK(st->st_mode)) {
		assert_true(readlinkat(dir_fd, name, buf, sizeof(buf) - 1) >= 0);
		strbuf_addf(out, " -> %s", buf);
	} else if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		strbuf_addf(out, " %u:%u", major(st->st_rdev), minor(st->st_rdev));
	} else if (S_ISREG(st->st_mode) && st->st_size < 4096) {
		int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
		ssize_t length = read(fd, buf, sizeof(buf) - 1);

		assert_true(length >= 0);
		strbuf_addf(out, " '%s'", buf);
		close(fd);
	} else if (S_ISREG(st->st_mode)) {
		strbuf_addf(out, " %lld bytes", (long long)st->st_size);
	}
}

static inline void describe_xattrs(int dir_fd, const char *name, struct strbuf *out)
{
	cleanup_free char *path = xasprintf("/proc/self/fd/%d/%s", dir_fd, name);
	char names[4096], value[256];
	ssize_t length = llistxattr(path, names, sizeof(names));

	for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1) {
		ssize_t size = lgetxattr(path, names + at, value, sizeof(value));

		strbuf_addf(out, " %s=%zd", names + at, size);
	}
}

/* One line for each file below, in byte order: path, type and mode, owner, mtime, links, content.
 */
static inline void describe_tree(int dir_fd, const char *prefix, bool whole, struct strbuf *out)
{
	cleanup_strv char **names = NULL;

	assert_int_equal(dir_list(dir_fd, ".", &names, NULL), 0);
	for (char **name = names; name && *name; name++) {
		struct stat st;

		assert_int_equal(fstatat(dir_fd, *name, &st, AT_SYMLINK_NOFOLLOW), 0);
		strbuf_addf(out, "%s%s%s", prefix, *name, S_ISDIR(st.st_mode) ? "/" : "");
		if (whole) {
			strbuf_addf(out, " %o %u:%u %lld.%09ld", st.st_mode, st.st_uid, st.st_gid,
				(long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
			if (!S_ISDIR(st.st_mode))
				strbuf_addf(out, " links %u", (unsigned int)st.st_nlink);
			describe_xattrs(dir_fd, *name, out);
		}
		describe_content(dir_fd, *name, &st, out);
		strbuf_add_char(out, '\n');
		if (S_ISDIR(st.st_mode)) {
			cleanup_free char *below = xasprintf("%s%s/", prefix, *name);
			int fd = openat(dir_fd, *name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

			assert_true(fd >= 0);
			describe_tree(fd, below, whole, out);
			close(fd);
		}
	}
}

/* How many files there are below the data root: what "nothing left behind" compares. */
static inline char *describe_names(const struct world *world)
{
	struct strbuf out = STRBUF_INIT;

	describe_tree(world->engine.data_fd, "", false, &out);
	return strbuf_steal(&out);
}

static inline int wait_status(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#define assert_ok(r, err)                                \
	do {                                             \
		int r_ = (r);                            \
		if (r_ < 0)                              \
			fail_msg("%s", error_text(err)); \
	} while (0)

#endif
