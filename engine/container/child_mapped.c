/* SPDX-License-Identifier: GPL-2.0-or-later
 * child_mapped.c - what the child of a container with a user namespace does with its builder. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/container/fd_passing.h"
#include "engine/container/mount_fd.h"
#include "engine/container/user_namespace.h"

/* A directory of the host that every container's root may enter, for the tree to be attached to:
 * pivot_root(2) takes a mount point. */
#define PLACE "/sys"

/* Its failure is ours: the parent listens to nobody else. */
static int receive(struct setup *setup, int *ret_fds, size_t count, struct error *err)
{
	struct report report;
	int r = fds_receive(setup->pair_fds[0], &report, sizeof(report), ret_fds, count, 0);

	if (r < 0)
		return error_sys(err, r, "hear of the process that builds the root");
	if (report.kind != REPORT_FAILED)
		return 0;
	error_set(err, report.code, "%.*s", (int)sizeof(report.text), report.text);
	if (err)
		err->exit_code = report.exit_code;
	return report.code;
}

int mapped_await_maps(struct setup *setup, struct error *err)
{
	/* Else its end would not be seen. */
	close_fd(&setup->pair_fds[1]);
	/* It waits as long as the builder does. */
	inherited_close(setup);
	return receive(setup, NULL, 0, err);
}

int mapped_give_views(struct setup *setup, struct error *err)
{
	int fds[1 + STANDARD_VIEWS], sent[1 + STANDARD_VIEWS];
	uint8_t present[1 + STANDARD_VIEWS] = { 0 };
	size_t count = 0;
	int r;

	/* What is copied across user namespaces is a slave at most; no peer of the host's may be
	 * where the new root comes to lie. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_sys(err, -errno, "make the mount tree private");
	if (unshare(CLONE_NEWNET) < 0)
		return error_sys(err, -errno, "make a network namespace");
	fds[0] = file_open(AT_FDCWD, "/proc/self/ns/net", O_RDONLY, 0, err);
	if (fds[0] < 0)
		return fds[0];
	r = standard_views_make(setup, fds + 1, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		present[i] = fds[i] >= 0;
		if (fds[i] >= 0)
			sent[count++] = fds[i];
	}
	r = fds_send(setup->pair_fds[0], present, sizeof(present), sent, count);
	for (size_t i = 0; i < count; i++)
		close_fd(&sent[i]);
	/* If it has failed, its word is still to be read. */
	return r < 0 && r != -EPIPE ? error_sys(err, r, "pass mounts on") : 0;
}

int mapped_take_root_tree(struct setup *setup, struct error *err)
{
	cleanup_fd int place_fd = -1;
	int r = receive(setup, &setup->root_fd, 1, err);

	if (r < 0)
		return r;
	place_fd = file_open(AT_FDCWD, PLACE, O_PATH | O_DIRECTORY, 0, err);
	return place_fd < 0 ? place_fd : mount_attach(setup->root_fd, place_fd, err);
}
