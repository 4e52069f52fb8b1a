/* SPDX-License-Identifier: GPL-2.0-or-later
 * namespaces.c - which namespaces a process gets, and the clone3 that puts it there.
 *
 * A pid namespace holds children, never the caller: the parent points its own "pid namespace for
 * children" at the wanted one for the length of one clone3, so that no process in between is needed
 * and the new one is the parent's own child. The others are made or joined by the child, which is
 * cheaper for a parent that has more to start (a netns takes 0.4 ms). */
#include "engine/container/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/container/id_mapping.h"

#define ENTER_NAMESPACES \
	(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

/* A pidfd of the first process of another container whose namespace is to be shared. */
static int open_shared(
	const struct engine *engine, const char *id, const char *what, struct error *err)
{
	cleanup_container struct container *other = NULL;
	cleanup_error struct error local = ERROR_INIT;
	struct container_state state = { 0 };
	int fd = container_load(engine, id, &other, &local);

	/* Of one that has been removed the state says what there is to say. */
	if (fd < 0 && fd != -ENOENT)
		return error_move(err, &local);
	if (other && spec_is_mapped(&other->spec))
		return error_set(err, -EINVAL,
			"cannot join the %s namespace of container %s: it belongs to that "
			"container's user namespace, which this one is not in",
			what, other->name);
	fd = container_load_state(engine, id, &state, err);
	if (fd == 0 && state.status != CONTAINER_RUNNING && state.status != CONTAINER_PAUSED)
		fd = error_set(
			err, -ESRCH, "cannot join %s of a non running container: %.12s", what, id);
	else if (fd == 0)
		fd = process_open(&state.process, err);
	container_state_release(&state);
	return fd;
}

struct plan_row {
	const struct spec_namespace *wanted;
	uint64_t flag;
	int *join_fd;
	const char *what; /* Docker's word in messages */
};

int namespaces_plan(struct setup *setup, struct error *err)
{
	const struct spec *spec = &setup->container->spec;
	struct namespace_plan *plan = &setup->namespaces;
	const struct plan_row rows[] = {
		{ &spec->network, CLONE_NEWNET, &plan->join_net_fd, "network" },
		{ &spec->ipc, CLONE_NEWIPC, &plan->join_ipc_fd, "IPC" },
		{ &spec->uts, CLONE_NEWUTS, &plan->join_uts_fd, "UTS" },
		{ &spec->cgroup, CLONE_NEWCGROUP, &plan->join_cgroup_fd, "cgroup" },
		{ &spec->pid, CLONE_NEWPID, &plan->join_pid_fd, "PID" },
	};

	plan->create = CLONE_NEWNS;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct spec_namespace *wanted = rows[i].wanted;

		if (wanted->mode == NAMESPACE_PRIVATE)
			plan->create |= rows[i].flag;
		if (wanted->mode != NAMESPACE_CONTAINER)
			continue;
		*rows[i].join_fd = open_shared(setup->engine, wanted->container, rows[i].what, err);
		if (*rows[i].join_fd < 0)
			return *rows[i].join_fd;
	}
	plan->clone = plan->create & CLONE_NEWPID;
	plan->create &= ~(uint64_t)CLONE_NEWPID;
	/* First and at once with the pid namespace: that and all that the child makes are its own.
	 */
	if (spec_is_mapped(spec))
		plan->clone |= CLONE_NEWUSER;
	return 0;
}

void namespaces_release(struct namespace_plan *plan)
{
	close_fd(&plan->join_net_fd);
	close_fd(&plan->join_ipc_fd);
	close_fd(&plan->join_uts_fd);
	close_fd(&plan->join_cgroup_fd);
	close_fd(&plan->join_pid_fd);
	close_fd(&plan->enter_fd);
}

static pid_t clone_now(uint64_t flags, int cgroup_fd, int *ret_pidfd)
{
	int pidfd = -1;
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD,
		.pidfd = (uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	pid_t pid;

	if (cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup_fd;
	}
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid > 0)
		*ret_pidfd = pidfd; /* close-on-exec by nature */
	return pid < 0 ? -errno : pid;
}

/* The child must not be traced, nor its memory, root or descriptors be reached through /proc, from
 * the very first moment it can be seen in a container's pid namespace (CVE-2016-9962): it is born
 * undumpable, because a child's flag is a copy of its parent's. execve sets it again. A container
 * that was given CAP_SYS_PTRACE may trace it nevertheless; that is what this capability is. */
static pid_t clone_undumpable(uint64_t flags, int cgroup_fd, int *ret_pidfd)
{
	int before = prctl(PR_GET_DUMPABLE);
	pid_t pid;

	prctl(PR_SET_DUMPABLE, 0);
	pid = clone_now(flags, cgroup_fd, ret_pidfd);
	if (pid != 0 && before == 1)
		prctl(PR_SET_DUMPABLE, 1);
	return pid;
}

pid_t namespaces_clone_none(int *ret_pidfd, struct error *err)
{
	pid_t pid = clone_undumpable(0, -1, ret_pidfd);

	return pid < 0 ? error_sys(err, pid, "clone3") : pid;
}

pid_t namespaces_clone(
	const struct namespace_plan *plan, int cgroup_fd, int *ret_pidfd, struct error *err)
{
	int join_fd = plan->enter_fd >= 0 ? plan->enter_fd : plan->join_pid_fd;
	cleanup_fd int own_fd = -1;
	pid_t pid;

	if (join_fd >= 0) {
		own_fd = file_open(AT_FDCWD, "/proc/self/ns/pid", O_RDONLY, 0, err);
		if (own_fd < 0)
			return own_fd;
		if (setns(join_fd, CLONE_NEWPID) < 0)
			return error_sys(err, -errno, "join the pid namespace");
	}
	pid = clone_undumpable(plan->clone, cgroup_fd, ret_pidfd);
	/* Back, or the next container would be born in this one. With a valid fd of what we are in,
	 * only a lack of memory can be the reason for a refusal. */
	if (pid != 0 && own_fd >= 0 && setns(own_fd, CLONE_NEWPID) < 0)
		memory_exhausted();
	if (pid == -ENOSPC && plan->clone & CLONE_NEWUSER)
		return error_set(err, pid,
			"make a user namespace: the kernel allows no more of them; raise "
			"user.max_user_namespaces");
	return pid < 0 ? error_sys(err, pid, "clone3") : pid;
}

static int join(int fd, int flags, const char *what, struct error *err)
{
	if (fd >= 0 && setns(fd, flags) < 0)
		return error_sys(err, -errno, "join %s namespace", what);
	return 0;
}

/* In the child. The cgroup has been joined: it is the root of what the new cgroup namespace shows.
 * The netns follows in network_set_up. */
int namespaces_enter(struct setup *setup, struct error *err)
{
	const struct namespace_plan *plan = &setup->namespaces;
	int r;

	if (plan->enter_fd >= 0)
		return join(plan->enter_fd,
			ENTER_NAMESPACES |
				(spec_is_mapped(&setup->container->spec) ? CLONE_NEWUSER : 0),
			"the container's", err);
	r = join(plan->join_ipc_fd, CLONE_NEWIPC, "ipc", err);
	if (r == 0)
		r = join(plan->join_uts_fd, CLONE_NEWUTS, "uts", err);
	if (r == 0)
		r = join(plan->join_cgroup_fd, CLONE_NEWCGROUP, "cgroup", err);
	if (r < 0)
		return r;
	if (unshare((int)(plan->create & ~(uint64_t)CLONE_NEWNET)) < 0)
		return error_sys(err, -errno, "make namespaces");
	return 0;
}

/* Interfaces are made from the host's side, so the child goes back there once more. */
static int attach_endpoints(const struct setup *setup, int host_fd, struct error *err)
{
	cleanup_fd int own_fd = -1;
	int r;

	if (setup->endpoint_count == 0)
		return 0;
	own_fd = file_open(AT_FDCWD, "/proc/self/ns/net", O_RDONLY, 0, err);
	if (own_fd < 0)
		return own_fd;
	if (setns(host_fd, CLONE_NEWNET) < 0)
		return error_sys(err, -errno, "return to the host's network");
	r = endpoint_attach(setup->engine, setup->endpoints, setup->endpoint_count, own_fd, err);
	if (setns(own_fd, CLONE_NEWNET) < 0)
		return error_sys(err, -errno, "enter the container's network");
	return r;
}

int network_set_up(struct setup *setup, struct error *err)
{
	const struct namespace_plan *plan = &setup->namespaces;
	cleanup_fd int host_fd = -1;
	int r;

	if (!(plan->create & CLONE_NEWNET))
		return join(plan->join_net_fd, CLONE_NEWNET, "network", err);
	host_fd = file_open(AT_FDCWD, "/proc/self/ns/net", O_RDONLY, 0, err);
	if (host_fd < 0)
		return host_fd;
	if (unshare(CLONE_NEWNET) < 0)
		return error_sys(err, -errno, "make a network namespace");
	r = attach_endpoints(setup, host_fd, err);
	/* Without endpoints this brings up loopback alone. */
	return r < 0 ? r : network_configure(setup, err);
}

int network_attach(struct setup *setup, struct error *err)
{
	return endpoint_attach(
		setup->engine, setup->endpoints, setup->endpoint_count, setup->network_fd, err);
}

int network_configure(struct setup *setup, struct error *err)
{
	return endpoint_configure(setup->endpoints, setup->endpoint_count, err);
}

int hostname_set(struct setup *setup, struct error *err)
{
	const char *domain = setup->container->spec.domainname;

	if (!(setup->namespaces.create & CLONE_NEWUTS))
		return 0;
	if (sethostname(setup->hostname, strlen(setup->hostname)) < 0)
		return error_sys(err, -errno, "set host name '%s'", setup->hostname);
	if (domain && setdomainname(domain, strlen(domain)) < 0)
		return error_sys(err, -errno, "set domain name '%s'", domain);
	return 0;
}
