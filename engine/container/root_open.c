/* SPDX-License-Identifier: GPL-2.0-or-later
 * root_open.c - find or make a container's root. */
#include "engine/container/root_open.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/container/id_mapping.h"
#include "engine/container/user_namespace.h"
#include "engine/image/image.h"

/* The process is asked after the link was opened: alive then, it was its own root and not that of
 * another process with a recycled number. */
static int open_running(const struct container_state *state, struct error *err)
{
	cleanup_free char *path = xasprintf("/proc/%d/root", (int)state->process.pid);
	cleanup_fd int fd = file_open(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0, err);

	if (fd < 0)
		return fd;
	if (!process_is_alive(&state->process))
		return error_set(err, -ESRCH, "the container has just ended");
	return steal_fd(&fd);
}

/* Owners are then the container's, in what is read and in what is made, and rights are no more than
 * its root has. */
static int enter_user_namespace(const struct container_state *state, struct error *err)
{
	cleanup_fd int pidfd = process_open(&state->process, err);

	if (pidfd < 0)
		return pidfd;
	if (setns(pidfd, CLONE_NEWUSER) < 0)
		return error_sys(err, -errno, "enter the container's user namespace");
	return user_namespace_take_root(NULL, err);
}

/* The sources while the host's mounts are still ours, as a start does it. */
static int open_stopped(struct setup *setup, struct error *err)
{
	int r = image_chain_paths(setup->engine, setup->container->chain_ids, &setup->layers, err);

	if (r == 0)
		r = mounts_open_sources(setup, err);
	if (r == 0 && unshare(CLONE_NEWNS) < 0)
		r = error_sys(err, -errno, "make a mount namespace");
	if (r == 0)
		r = rootfs_mount(setup, err);
	if (r == 0)
		r = mounts_attach(setup, err);
	return r < 0 ? r : rootfs_make_read_only(setup, err);
}

int container_root_open(
	const struct engine *engine, const struct container *container, struct error *err)
{
	const struct launch_stdio none = { -1, -1, -1 };
	struct container_state state = { 0 };
	struct setup setup;
	int r = container_load_state(engine, container->id, &state, err);

	if (r == 0 && (state.status == CONTAINER_RUNNING || state.status == CONTAINER_PAUSED)) {
		r = open_running(&state, err);
		if (r >= 0 && spec_is_mapped(&container->spec)) {
			int root_fd = r;

			r = enter_user_namespace(&state, err);
			if (r == 0)
				r = steal_fd(&root_fd);
			close_fd(&root_fd);
		}
	} else if (r == 0) {
		setup_init(&setup, engine, NULL, container, &none);
		r = open_stopped(&setup, err);
		if (r == 0)
			r = steal_fd(&setup.root_fd);
		close_fd(&setup.root_fd);
		setup_release(&setup);
	}
	container_state_release(&state);
	return r < 0 ? error_wrap(err, "root of container %s", container->name) : r;
}
