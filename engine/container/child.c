/* SPDX-License-Identifier: GPL-2.0-or-later
 * child.c - the child's way from clone3 to execve, step by step.
 *
 * The tables are the order. Cgroup first: the limits hold for everything after, and the cgroup
 * namespace shows this group as its root. Network before mounts, since sysfs shows the netns it was
 * mounted in. Sysctls before /proc/sys becomes read-only; mount points before the root does. */
#include "engine/container/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/container/id_mapping.h"
#include "engine/container/user_namespace.h"

struct step {
	const char *what; /* said before the message; NULL where that says enough */
	int (*run)(struct setup *setup, struct error *err);
};

static int join_cgroup(struct setup *setup, struct error *err)
{
	return cgroup_join(setup->cgroup, err);
}

static int open_root(struct setup *setup, struct error *err)
{
	setup->root_fd = file_open(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0, err);
	return setup->root_fd < 0 ? setup->root_fd : 0;
}

static int resolve_user(struct setup *setup, struct error *err)
{
	const struct spec *spec = &setup->container->spec;
	int r = user_resolve(setup->root_fd, setup->user, spec->group_add, &setup->identity, err);

	return r < 0 || !spec_is_mapped(spec) ? r
					      : id_mapping_check_user(spec, &setup->identity, err);
}

static const struct step start_steps[] = {
	{ NULL, join_cgroup },
	{ NULL, namespaces_enter },
	{ "network", network_set_up },
	{ NULL, hostname_set },
	{ "root file system", rootfs_mount },
	{ NULL, standard_mounts },
	{ NULL, devices_add },
	{ NULL, mounts_attach },
	{ NULL, grants_attach },
	{ NULL, hosts_files_bind },
	{ NULL, rootfs_make_cwd },
	{ NULL, sysctls_write },
	{ NULL, paths_mask },
	{ "terminal", console_open },
	{ "root file system", rootfs_make_read_only },
	{ "root file system", rootfs_pivot },
	{ NULL, resolve_user },
	{ NULL, process_attributes_set },
	{ "standard streams", stdio_connect },
	{ NULL, process_execute },
};

static const struct step enter_steps[] = {
	{ NULL, join_cgroup },
	{ NULL, namespaces_enter },
	{ NULL, open_root },
	{ "terminal", console_open },
	{ NULL, resolve_user },
	{ NULL, process_attributes_set },
	{ "standard streams", stdio_connect },
	{ NULL, process_execute },
};

/* Seen from outside: of a process whose identity was checked by its pidfd after the link was
 * opened. */
static int open_root_outside(struct setup *setup, struct error *err)
{
	const struct namespace_plan *plan = &setup->namespaces;
	cleanup_free char *path = xasprintf("/proc/%d/root", (int)plan->enter_pid);
	cleanup_fd int fd = file_open(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0, err);

	if (fd < 0)
		return fd;
	if (pidfd_send_signal(plan->enter_fd, 0, NULL, 0) < 0)
		return error_set(err, -ESRCH, "the container has just ended");
	setup->root_fd = steal_fd(&fd);
	return 0;
}

static int raise_attributes(struct setup *setup, struct error *err)
{
	return process_attributes_raise(&setup->container->spec, 0, err);
}

static int reopen_root(struct setup *setup, struct error *err)
{
	close_fd(&setup->root_fd);
	return open_root(setup, err);
}

/* See user_namespace.h. */
static const struct step mapped_start_steps[] = {
	{ NULL, join_cgroup },
	{ NULL, mapped_await_maps },
	{ NULL, user_namespace_take_root },
	{ NULL, namespaces_enter },
	{ NULL, hostname_set },
	{ NULL, mapped_give_views },
	{ NULL, mapped_take_root_tree },
	{ "network", network_configure },
	{ NULL, sysctls_write },
	{ NULL, paths_mask },
	{ "terminal", console_open },
	{ "root file system", rootfs_make_read_only },
	{ "root file system", rootfs_pivot },
	{ NULL, resolve_user },
	{ NULL, process_attributes_set },
	{ "standard streams", stdio_connect },
	{ NULL, process_execute },
};

static const struct step builder_steps[] = {
	{ NULL, builder_begin },
	{ "root file system", rootfs_mount },
	{ NULL, builder_take_views },
	{ NULL, standard_mounts },
	{ NULL, devices_add },
	{ NULL, mounts_attach },
	{ NULL, grants_attach },
	{ NULL, hosts_files_bind },
	{ NULL, rootfs_make_cwd },
	{ "network", network_attach },
	{ NULL, resolve_user },
	{ "standard streams", stdio_give },
	{ NULL, builder_give_tree },
};

/* Descriptors are given away and attributes raised while there is the right to, for the user that
 * the container's files name. */
static const struct step mapped_enter_steps[] = {
	{ NULL, join_cgroup },
	{ NULL, open_root_outside },
	{ NULL, resolve_user },
	{ "standard streams", stdio_give },
	{ NULL, raise_attributes },
	{ NULL, namespaces_enter },
	{ NULL, user_namespace_take_root },
	{ NULL, reopen_root },
	{ "terminal", console_open },
	{ NULL, process_attributes_set },
	{ "standard streams", stdio_connect },
	{ NULL, process_execute },
};

static void send_report(const struct setup *setup, const struct report *report)
{
	/* If the parent is gone nobody would look after what we start. SIGPIPE does not end the
	 * first process of a pid namespace. */
	while (write(setup->status_fd, report, sizeof(*report)) < 0) {
		if (errno != EINTR)
			_exit(127);
	}
}

/* The parent has written down that we run, or it has died before: then we must not. By read(2),
 * since the container's filter is at work already, and knows this one; if it does not, go on. */
static void await_word(const struct setup *setup)
{
	char byte;
	ssize_t n;

	do {
		n = read(setup->status_fd, &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (n == 0 || (n < 0 && errno == ECONNRESET)) /* the latter: it has not read our report */
		_exit(127);
}

static struct report failure_report(const struct error *err)
{
	struct report report = {
		.kind = REPORT_FAILED, .code = err->code, .exit_code = err->exit_code
	};

	snprintf(report.text, sizeof(report.text), "%s", error_text(err));
	return report;
}

void child_report_ready(const struct setup *setup)
{
	struct report report = { .kind = REPORT_READY };

	send_report(setup, &report);
	await_word(setup);
}

static int run_all(struct setup *setup, const struct step *steps, size_t count, struct error *err)
{
	process_detach();
	for (size_t i = 0; i < count; i++) {
		if (steps[i].run(setup, err) == 0)
			continue;
		return steps[i].what ? error_wrap(err, "%s", steps[i].what) : err->code;
	}
	return 0;
}

static void run_steps(struct setup *setup, const struct step *steps, size_t count)
	__attribute__((noreturn));
static void run_steps(struct setup *setup, const struct step *steps, size_t count)
{
	struct error err = ERROR_INIT;
	struct report report;

	run_all(setup, steps, count, &err);
	report = failure_report(&err);
	send_report(setup, &report);
	/* Not exit(): buffers and handlers are the parent's. */
	_exit(127);
}

void child_start(struct setup *setup)
{
	run_steps(setup, start_steps, ARRAY_LEN(start_steps));
}

void child_enter(struct setup *setup)
{
	run_steps(setup, enter_steps, ARRAY_LEN(enter_steps));
}

void child_start_mapped(struct setup *setup)
{
	run_steps(setup, mapped_start_steps, ARRAY_LEN(mapped_start_steps));
}

void child_enter_mapped(struct setup *setup)
{
	run_steps(setup, mapped_enter_steps, ARRAY_LEN(mapped_enter_steps));
}

void child_build(struct setup *setup)
{
	struct error err = ERROR_INIT;

	if (run_all(setup, builder_steps, ARRAY_LEN(builder_steps), &err) < 0) {
		struct report report = failure_report(&err);

		builder_fail(setup, &report);
	}
	_exit(0);
}
