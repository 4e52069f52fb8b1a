/* SPDX-License-Identifier: GPL-2.0-or-later
 * launch.c - the parent's half of a start: everything that can be known, checked and opened before
 * the child exists; then one clone3.
 *
 * All that takes time (netns, veth, mounts) is the child's, so launch_begin is back after about a
 * millisecond and the caller can begin the next one. The child needs one word from the parent, just
 * before its execve. */
#include "engine/container/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/container/cgroup_end.h"
#include "engine/container/id_mapping.h"
#include "engine/container/self_exe.h"
#include "engine/container/user_namespace.h"
#include "engine/image/image.h"

#define PATH_DEFAULT	   "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define EXIT_ENGINE_FAILED 125 /* docker run's */
#define END_WAIT_MS	   200

void setup_init(struct setup *setup, const struct engine *engine, const struct cgroup_host *host,
	const struct container *container, const struct launch_stdio *stdio)
{
	const struct spec *spec = &container->spec;

	*setup = (struct setup){
		.engine = engine,
		.host = host,
		.container = container,
		.args = spec->args,
		.cwd = spec->cwd && *spec->cwd ? spec->cwd : "/",
		.user = spec->user,
		.terminal = spec->terminal,
		.console_rows = spec->console_rows,
		.console_columns = spec->console_columns,
		.privileged = spec->privileged,
		.capabilities = spec->capabilities,
		.stdio = *stdio,
		.namespaces = { 0, 0, -1, -1, -1, -1, -1, -1, 0 },
		.pair_fds = { -1, -1 },
		.user_fd = -1,
		.network_fd = -1,
		.status_fd = -1,
		.console_fd = -1,
		.root_fd = -1,
	};
}

void setup_release(struct setup *setup)
{
	mounts_close_sources(setup);
	grants_close(setup);
	if (setup->endpoints)
		endpoint_list_free(setup->endpoints, setup->endpoint_count);
	namespaces_release(&setup->namespaces);
	seccomp_filter_release(&setup->filter);
	process_user_release(&setup->identity);
	cgroup_free(setup->cgroup);
	strv_free(setup->env);
	strv_free(setup->layers);
	free(setup->hostname);
	device_nodes_free(setup->devices, setup->device_count);
	close_fd(&setup->pair_fds[0]);
	close_fd(&setup->pair_fds[1]);
	close_fd(&setup->user_fd);
}

int setup_process(struct setup *setup, struct error *err)
{
	const struct spec *spec = &setup->container->spec;
	const char *profile = spec->privileged ? "unconfined" : spec->seccomp;
	int r;

	if (!setup->args || !setup->args[0])
		return error_set(err, -EINVAL, "no command specified");
	/* Before the child is a copy of it: see self_exe.h. */
	if (!self_exe_is_protected())
		return error_set(err, -EPERM,
			"the program's own file is not shielded (self_exe_protect was not called)");
	if (!env_get(setup->env, "PATH"))
		env_set(&setup->env, "PATH", PATH_DEFAULT);
	if (setup->terminal && !env_get(setup->env, "TERM"))
		env_set(&setup->env, "TERM", "xterm");
	/* Rules go by the container's capabilities, for exec too. */
	r = seccomp_filter_get(setup->engine, profile, spec->capabilities, &setup->filter, err);
	return r < 0 ? r : capabilities_available(setup->container, &setup->capabilities, err);
}

/* Less of them than it wants would be a container that is silently cut off. */
static int load_endpoints(struct setup *setup, struct error *err)
{
	const struct container *container = setup->container;
	int r = endpoint_of_container(
		setup->engine, container->id, &setup->endpoints, &setup->endpoint_count, err);

	if (r < 0)
		return r;
	if (setup->endpoint_count < container->attachment_count)
		return error_set(err, -ENOENT, "%zu of its %zu networks have no address for it",
			container->attachment_count - setup->endpoint_count,
			container->attachment_count);
	return 0;
}

static int setup_container(struct setup *setup, struct error *err)
{
	const struct container *container = setup->container;
	int r;

	setup->env = strv_copy(container->spec.env);
	setup->hostname = container->spec.hostname && *container->spec.hostname
				  ? xstrdup(container->spec.hostname)
				  : xstrndup(container->id, ID_SHORT_LENGTH);
	r = setup_process(setup, err);
	if (r == 0)
		r = mounts_check(container, err);
	if (r == 0)
		r = devices_find(&container->spec, &setup->devices, &setup->device_count, err);
	if (r == 0)
		r = namespaces_plan(setup, err);
	if (r == 0)
		r = image_chain_paths(setup->engine, container->chain_ids, &setup->layers, err);
	if (r == 0 && container->spec.network.mode == NAMESPACE_PRIVATE)
		r = load_endpoints(setup, err);
	if (r == 0)
		r = mounts_open_sources(setup, err);
	if (r == 0)
		r = grants_open(setup, err);
	return r < 0 ? r : hosts_files_write(setup, err);
}

static int clone_child(
	struct setup *setup, void (*child)(struct setup *setup), int *ret_pidfd, struct error *err)
{
	cleanup_error struct error local = ERROR_INIT;
	cleanup_fd int birth_fd = cgroup_birth_fd(setup->cgroup, &local);
	pid_t pid;

	if (birth_fd < 0 && birth_fd != -ENOENT)
		return error_move(err, &local);
	pid = namespaces_clone(&setup->namespaces, birth_fd, ret_pidfd, err);
	if (pid == 0)
		child(setup);
	return pid;
}

int launch_clone(struct setup *setup, void (*child)(struct setup *setup), struct launch *ret,
	struct error *err)
{
	struct launch launch = LAUNCH_INIT;
	cleanup_fd int record_fd = -1, console_fd = -1;
	int pair[2];
	pid_t pid;
	int r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return error_sys(err, -errno, "socketpair");
	launch.status_fd = pair[0];
	fcntl(launch.status_fd, F_SETFL, O_NONBLOCK);
	record_fd = setup->status_fd = pair[1];
	if (setup->terminal) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
			launch_release(&launch);
			return error_sys(err, -errno, "socketpair");
		}
		launch.console_fd = pair[0];
		console_fd = setup->console_fd = pair[1];
	}
	pid = clone_child(setup, child, &launch.pidfd, err);
	if (pid < 0) {
		launch_release(&launch);
		return pid;
	}
	/* A zombie still has its start time, so this can be no other process. */
	r = process_identify(pid, &launch.process, err);
	if (r == 0 && setup->pair_fds[0] >= 0)
		r = user_namespace_begin(setup, &launch, err);
	if (r < 0) {
		launch_abandon(&launch);
		return r;
	}
	*ret = launch;
	return 0;
}

/* With the rules that let it use the devices it was given. */
static int make_cgroup(struct setup *setup, const char *parent, struct error *err)
{
	struct cgroup_resources resources = setup->container->spec.resources;
	size_t own = resources.device_count;
	int r;

	resources.devices = xcalloc(own + setup->device_count + 1, sizeof(*resources.devices));
	for (size_t i = 0; i < own; i++)
		resources.devices[i] = setup->container->spec.resources.devices[i];
	for (size_t i = 0; i < setup->device_count; i++)
		resources.devices[resources.device_count++] = device_node_rule(&setup->devices[i]);
	r = cgroup_create(
		setup->host, parent, setup->container->id, &resources, &setup->cgroup, err);
	free(resources.devices);
	return r;
}

static int clone_first(struct setup *setup, struct launch *ret, struct error *err)
{
	if (!spec_is_mapped(&setup->container->spec))
		return launch_clone(setup, child_start, ret, err);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, setup->pair_fds) < 0)
		return error_sys(err, -errno, "socketpair");
	return launch_clone(setup, child_start_mapped, ret, err);
}

static int begin(struct setup *setup, struct launch *ret, struct error *err)
{
	const struct container *container = setup->container;
	const char *parent = container_cgroup_parent(setup->engine, container);
	int r = setup_container(setup, err);

	if (r < 0)
		return r;
	r = make_cgroup(setup, parent, err);
	if (r < 0)
		return r;
	r = clone_first(setup, ret, err);
	if (r < 0)
		cgroup_remove(setup->host, parent, container->id, NULL);
	return r;
}

int launch_begin(const struct engine *engine, const struct cgroup_host *host,
	const struct container *container, const struct launch_stdio *stdio, struct launch *ret,
	struct error *err)
{
	struct setup setup;
	int r;

	setup_init(&setup, engine, host, container, stdio);
	r = begin(&setup, ret, err);
	if (r < 0) {
		hosts_files_remove(&setup);
		volumes_leave(engine, container);
	}
	setup_release(&setup);
	return r;
}

/* waitid may be interrupted; the child has ended or is about to. */
static void reap(int pidfd, siginfo_t *info)
{
	memset(info, 0, sizeof(*info));
	while (waitid(P_PIDFD, (id_t)pidfd, info, WEXITED) < 0 && errno == EINTR)
		;
}

static void end_child(int pidfd)
{
	siginfo_t info;

	if (pidfd < 0)
		return;
	pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
	reap(pidfd, &info);
}

void launch_abandon(struct launch *launch)
{
	end_child(launch->pidfd);
	end_child(launch->builder_fd);
	launch_release(launch);
}

static int failed(struct launch *launch, const struct report *report, struct error *err)
{
	struct pollfd ended = { .fd = launch->pidfd, .events = POLLIN };
	siginfo_t info;

	/* It is about to end, unless somebody in its pid namespace has stopped it. */
	if (poll(&ended, 1, END_WAIT_MS) <= 0)
		pidfd_send_signal(launch->pidfd, SIGKILL, NULL, 0);
	reap(launch->pidfd, &info);
	end_child(launch->builder_fd);
	close_fd(&launch->builder_fd);
	if (report) {
		error_set(err, report->code, "%.*s", (int)sizeof(report->text), report->text);
		if (err)
			err->exit_code = report->exit_code;
		return report->code;
	}
	if (info.si_code == CLD_EXITED)
		return error_set(err, -EIO, "the process ended while it was being set up");
	return error_set(err, -EIO,
		"the process was killed by signal %d while it was being set up%s", info.si_status,
		info.si_status == SIGKILL ? " (its memory limit may be too low)" : "");
}

/* It may be running, but not in a way that anybody could use. */
static int give_up(struct launch *launch, int code, const char *what, struct error *err)
{
	launch_abandon(launch);
	return error_sys(err, code, "%s", what);
}

static ssize_t read_report(int fd, struct report *report)
{
	ssize_t n;

	do {
		n = read(fd, report, sizeof(*report));
	} while (n < 0 && errno == EINTR);
	/* It ended without having read our word. */
	return n < 0 && errno == ECONNRESET ? 0 : n;
}

static void let_it_run(struct launch *launch)
{
	launch->ready = true;
	if (launch->about_to_run)
		launch->about_to_run(launch->arg);
	/* Fails only if it has ended, which is what is seen next. */
	send(launch->status_fd, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int launch_outcome(struct launch *launch, int *ret_console, struct error *err)
{
	struct report report;
	int console_fd = -1;
	ssize_t n;

	while ((n = read_report(launch->status_fd, &report)) == (ssize_t)sizeof(report)) {
		if (report.kind == REPORT_FAILED)
			return failed(launch, &report, err);
		let_it_run(launch);
	}
	if (n < 0 && errno == EAGAIN)
		return 1;
	if (n == 0 && !launch->ready)
		return failed(launch, NULL, err);
	if (n != 0)
		return give_up(launch, n < 0 ? -errno : -EPROTO, "read the child's record", err);
	if (launch->console_fd >= 0) {
		console_fd = console_receive(launch->console_fd);
		if (console_fd < 0)
			return give_up(launch, console_fd, "receive the terminal", err);
	}
	close_fd(&launch->status_fd);
	close_fd(&launch->console_fd);
	/* Its work was done before the child could execute. */
	end_child(launch->builder_fd);
	close_fd(&launch->builder_fd);
	launch->done = true;
	*ret_console = console_fd;
	return 0;
}

int launch_finish(const struct engine *engine, const struct cgroup_host *host,
	const struct container *container, struct launch *launch, int *ret_console,
	struct error *err)
{
	cleanup_error struct error local = ERROR_INIT;

	int r = launch_outcome(launch, ret_console, &local);

	if (r >= 0)
		return r;
	if (local.exit_code == 0)
		local.exit_code = EXIT_ENGINE_FAILED;
	launch_release(launch);
	cgroup_remove(host, container_cgroup_parent(engine, container), container->id, NULL);
	volumes_leave(engine, container);
	return error_move(err, &local);
}

void launch_release(struct launch *launch)
{
	close_fd(&launch->pidfd);
	close_fd(&launch->status_fd);
	close_fd(&launch->console_fd);
	close_fd(&launch->builder_fd);
}

int launch_end(const struct engine *engine, const struct cgroup_host *host,
	const struct container *container, bool *ret_oom_killed, struct error *err)
{
	uint64_t oom_kills;
	int r = cgroup_end(
		host, container_cgroup_parent(engine, container), container->id, &oom_kills, err);

	if (r < 0)
		return r;
	volumes_leave(engine, container);
	*ret_oom_killed = oom_kills > 0;
	return 0;
}

int launch_clean(const struct engine *engine, const struct cgroup_host *host,
	const struct container *container, bool *ret_oom_killed, struct error *err)
{
	cleanup_free char *directory = xasprintf("containers/%s", container->id);
	int r = launch_end(engine, host, container, ret_oom_killed, err);

	return r < 0 ? r : tree_remove(engine->run_fd, directory, err);
}
