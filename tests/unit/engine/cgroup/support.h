/* SPDX-License-Identifier: GPL-2.0-or-later
 * support.h - what the tests of this room share: hosts cut to measure, children that wait, clearing
 * up. */
#ifndef TESTS_CGROUP_SUPPORT_H
#define TESTS_CGROUP_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/strbuf.h"
#include "engine/cgroup/internal.h"

#define UNUSED __attribute__((unused))

#define assert_ok(call, err)                                                      \
	do {                                                                      \
		int code_ = (call);                                               \
		if (code_ < 0)                                                    \
			fail_msg("%s: %d: %s", #call, code_, error_text(&(err))); \
	} while (0)

#define assert_contains(text, part)                                      \
	do {                                                             \
		if (!strstr((text), (part)))                             \
			fail_msg("'%s' is not in '%s'", (part), (text)); \
	} while (0)

UNUSED static char *read_text(int dir_fd, const char *path)
{
	char *text = NULL;

	if (file_read(dir_fd, path, 1 << 24, &text, NULL, NULL) < 0)
		return xstrdup("(absent)");
	if (*text && text[strlen(text) - 1] == '\n')
		text[strlen(text) - 1] = '\0';
	return text;
}

UNUSED static char *group_text(const struct cgroup_host *host, enum controller_kind kind,
	const char *path, const char *file)
{
	const struct controller *controller;
	const struct hierarchy *hierarchy = host_find(host, kind, &controller);
	cleanup_free char *full = xasprintf("%s/%s", path, file);

	return hierarchy ? read_text(hierarchy->root_fd, full) : xstrdup("(no hierarchy)");
}

/* The real host as it would be if only the mounts that `keep` likes were there. */
UNUSED static struct cgroup_host *host_filtered(bool (*keep)(const char *mount_line))
{
	cleanup_free char *mountinfo = read_text(AT_FDCWD, "/proc/self/mountinfo");
	cleanup_free char *cgroups = read_text(AT_FDCWD, "/proc/cgroups");
	cleanup_strv char **lines = strv_split(mountinfo, "\n");
	cleanup_strbuf struct strbuf kept = STRBUF_INIT;
	struct cgroup_host *host = NULL;

	for (size_t i = 0; i < strv_length(lines); i++) {
		if (keep(lines[i]))
			strbuf_addf(&kept, "%s\n", lines[i]);
	}
	cgroup_host_from_text(strbuf_text(&kept), cgroups, NULL, &host, NULL);
	return host;
}

UNUSED static bool keep_v1(const char *line)
{
	return strstr(line, " - cgroup ") != NULL;
}

UNUSED static bool keep_v2(const char *line)
{
	return strstr(line, " - cgroup2 ") != NULL;
}

UNUSED static bool keep_all(const char *line)
{
	return keep_v1(line) || keep_v2(line);
}

UNUSED static bool keep_without_devices(const char *line)
{
	return keep_v1(line) && !strstr(line, ",devices");
}

/* Nothing of ours is left, also when the test before failed half-way. */
UNUSED static void clear_parent(const struct cgroup_host *host, const char *parent)
{
	for (size_t i = 0; i < host->hierarchy_count; i++) {
		cleanup_strv char **names = NULL;

		if (dir_list(host->hierarchies[i].root_fd, parent, &names, NULL) < 0)
			continue;
		for (size_t n = 0; n < strv_length(names); n++) {
			struct cgroup *cgroup = NULL;
			cleanup_free char *path = xasprintf("%s/%s", parent, names[n]);
			struct stat st;

			if (fstatat(host->hierarchies[i].root_fd, path, &st, 0) < 0 ||
				!S_ISDIR(st.st_mode) ||
				cgroup_open(host, parent, names[n], &cgroup, NULL) < 0)
				continue;
			cgroup_kill(cgroup, 10000, NULL);
			cgroup_free(cgroup);
			while (waitpid(-1, NULL, WNOHANG) > 0)
				;
			cgroup_remove(host, parent, names[n], NULL);
		}
		unlinkat(host->hierarchies[i].root_fd, parent, AT_REMOVEDIR);
	}
}

UNUSED static bool parent_exists(const struct cgroup_host *host, const char *parent)
{
	for (size_t i = 0; i < host->hierarchy_count; i++) {
		if (faccessat(host->hierarchies[i].root_fd, parent, F_OK, 0) == 0)
			return true;
	}
	return false;
}

/* A child that runs `body` only after it was let go, so that the parent can put it into a cgroup
 * first; its exit status is what `body` returns. */
struct child {
	pid_t pid;
	int gate_fd;
};

UNUSED static struct child child_start(int (*body)(void))
{
	struct child child;
	int gate[2];

	assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
	child.pid = fork();
	if (child.pid == 0) {
		char byte;

		close(gate[1]);
		_exit(read(gate[0], &byte, 1) == 1 ? body() : 99);
	}
	assert_true(child.pid > 0);
	close(gate[0]);
	child.gate_fd = gate[1];
	return child;
}

UNUSED static void child_go(struct child *child)
{
	assert_int_equal(write(child->gate_fd, "g", 1), 1);
	close(child->gate_fd);
}

UNUSED static int child_wait(struct child *child)
{
	int status = -1;

	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	return status;
}

/* Start in the cgroup, run to the end, give the wait status. */
UNUSED static int child_run_in(const struct cgroup *cgroup, int (*body)(void))
{
	cleanup_error struct error err = ERROR_INIT;
	struct child child = child_start(body);

	assert_ok(cgroup_attach(cgroup, child.pid, &err), err);
	child_go(&child);
	return child_wait(&child);
}

UNUSED static int body_sleep(void)
{
	pause();
	return 98; /* it handles no signal, so pause() does not come back */
}

/* Forks as fast as the pids limit lets it, for ever, in every branch. */
UNUSED static int body_fork_bomb(void)
{
	signal(SIGCHLD, SIG_IGN);
	while (getpid() > 0)
		fork();
	return 98;
}

UNUSED static int open_errno(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* Under the default rules: null opens; a node of a disk can be made and not be opened. */
UNUSED static int body_devices(void)
{
	cleanup_free char *node = xasprintf("/tmp/mycompose-unit-node-%d", (int)getpid());
	int r = 0;

	if (open_errno("/dev/null", O_RDWR) != 0)
		return 1;
	if (mknod(node, S_IFBLK | 0600, makedev(254, 0)) < 0)
		return 2;
	if (open_errno(node, O_RDONLY) != EPERM)
		r = 3;
	unlink(node);
	if (r == 0 && mknod(node, S_IFCHR | 0600, makedev(1, 1)) < 0) /* mem */
		return 4;
	if (r == 0 && open_errno(node, O_RDONLY) != EPERM)
		r = 5;
	unlink(node);
	return r;
}

#endif
