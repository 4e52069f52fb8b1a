/* SPDX-License-Identifier: GPL-2.0-or-later
 * builder.c - the process that builds the root of a container with a user namespace. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/container/fd_passing.h"
#include "engine/container/id_mapping.h"
#include "engine/container/mount_fd.h"
#include "engine/container/user_namespace.h"

static int tell(
	const struct setup *setup, const struct report *report, const int *fds, size_t count)
{
	return fds_send(setup->pair_fds[1], report, sizeof(*report), fds, count);
}

void builder_fail(struct setup *setup, const struct report *report)
{
	tell(setup, report, NULL, 0);
}

/* The data root as it is seen here from now on. */
static int reopen_engine(struct setup *setup, struct error *err)
{
	struct engine *engine = xmalloc(sizeof(*engine));

	*engine = *setup->engine;
	engine->data_fd = file_open(AT_FDCWD, engine->data_path, O_RDONLY | O_DIRECTORY, 0, err);
	if (engine->data_fd < 0) {
		int r = engine->data_fd;

		free(engine);
		return r;
	}
	setup->engine = engine; /* for the short rest of this process */
	return 0;
}

static int take_file_identity(const struct setup *setup, struct error *err)
{
	uint32_t uid = 0, gid = 0;
	int r = spec_host_uid(&setup->container->spec, 0, &uid, err);

	if (r == 0)
		r = spec_host_gid(&setup->container->spec, 0, &gid, err);
	return r < 0 ? r : file_identity_take(uid, gid, err);
}

/* It is in no cgroup of the container's, so nobody would find it who comes after its parent. */
static int die_with_parent(const struct setup *setup, struct error *err)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return error_sys(err, -errno, "end with the parent");
	return getppid() == setup->parent ? 0 : error_set(err, -ESRCH, "the parent has ended");
}

int builder_begin(struct setup *setup, struct error *err)
{
	const struct report ready = { .kind = REPORT_READY };
	int r;

	/* The ends of others: whoever waits for them waits for the child alone. */
	close_fd(&setup->pair_fds[0]);
	close_fd(&setup->status_fd);
	close_fd(&setup->console_fd);
	inherited_close(setup);
	if (tell(setup, &ready, NULL, 0) < 0)
		return error_set(err, -EPIPE, "the first process has ended");
	if (unshare(CLONE_NEWNS) < 0)
		return error_sys(err, -errno, "make a mount namespace");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_sys(err, -errno, "make the mount tree private");
	r = mount_map_over(setup->engine->data_path, setup->user_fd, err);
	if (r == 0)
		r = reopen_engine(setup, err);
	if (r == 0)
		r = take_file_identity(setup, err);
	/* Last, for a change of identity takes the signal back (prctl(2)). */
	return r < 0 ? r : die_with_parent(setup, err);
}

int builder_take_views(struct setup *setup, struct error *err)
{
	uint8_t present[1 + STANDARD_VIEWS];
	int fds[1 + STANDARD_VIEWS];
	size_t next = 0;
	int r = fds_receive(setup->pair_fds[1], present, sizeof(present), fds, ARRAY_LEN(fds), 0);

	/* It has told the parent why. */
	if (r < 0)
		return error_sys(err, r, "receive mounts");
	setup->network_fd = fds[next++];
	setup->view_fds = xcalloc(STANDARD_VIEWS, sizeof(*setup->view_fds));
	for (size_t i = 0; i < STANDARD_VIEWS; i++)
		setup->view_fds[i] = present[1 + i] ? fds[next++] : -1;
	return 0;
}

int builder_give_tree(struct setup *setup, struct error *err)
{
	const struct report ready = { .kind = REPORT_READY };
	cleanup_fd int tree_fd = mount_clone(setup->root_fd, true, err);
	int r;

	if (tree_fd < 0)
		return tree_fd;
	r = tell(setup, &ready, &tree_fd, 1);
	return r < 0 ? error_sys(err, r, "pass the root on") : 0;
}
