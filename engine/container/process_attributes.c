/* SPDX-License-Identifier: GPL-2.0-or-later
 * process_attributes.c - what else survives execve(2): signals, umask, priorities, limits, keyring.
 *
 * A container must not see how the command that started it was itself run. */
#include "engine/container/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/container/id_mapping.h"
#include "engine/container/lsm.h"
#include "engine/container/proc_file.h"

#define CPU_MASK_BYTES	       1024 /* 8192 CPUs, the kernel's largest NR_CPUS */
#define KERNEL_SIGSET_BYTES    8
#define KERNEL_SIGACTION_BYTES 64 /* at least the kernel's struct sigaction on any machine */

static const struct rlimit_row {
	const char *name;
	int resource;
} rlimits[] = {
	{ "as", RLIMIT_AS },
	{ "core", RLIMIT_CORE },
	{ "cpu", RLIMIT_CPU },
	{ "data", RLIMIT_DATA },
	{ "fsize", RLIMIT_FSIZE },
	{ "locks", RLIMIT_LOCKS },
	{ "memlock", RLIMIT_MEMLOCK },
	{ "msgqueue", RLIMIT_MSGQUEUE },
	{ "nice", RLIMIT_NICE },
	{ "nofile", RLIMIT_NOFILE },
	{ "nproc", RLIMIT_NPROC },
	{ "rss", RLIMIT_RSS },
	{ "rtprio", RLIMIT_RTPRIO },
	{ "rttime", RLIMIT_RTTIME },
	{ "sigpending", RLIMIT_SIGPENDING },
	{ "stack", RLIMIT_STACK },
};

/* First thing in the child: a session of its own, signals as a fresh process has them. The umask is
 * 0 while device nodes and directories are made. */
void process_detach(void)
{
	static const char defaults[KERNEL_SIGACTION_BYTES];
	sigset_t none;

	setsid(); /* fails only for a group leader, which a new process is not */
	/* Past glibc, which does not touch 32 and 33: an ignored one is inherited like any other.
	 * KILL and STOP refuse, rightly. All zero is SIG_DFL without flags. */
	for (int i = 1; i < NSIG; i++)
		syscall(SYS_rt_sigaction, i, &defaults, NULL, KERNEL_SIGSET_BYTES);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(0);
}

static int set_rlimit(const struct spec_rlimit *limit, struct error *err)
{
	/* UINT64_MAX is RLIM_INFINITY */
	struct rlimit value = { .rlim_cur = limit->soft, .rlim_max = limit->hard };

	for (size_t i = 0; i < ARRAY_LEN(rlimits); i++) {
		if (strcmp(rlimits[i].name, limit->type) != 0)
			continue;
		if (setrlimit((__rlimit_resource_t)rlimits[i].resource, &value) == 0)
			return 0;
		return error_sys(err, -errno, "ulimit %s%s", limit->type,
			errno == EPERM ? " (above the hard limit of this host)" : "");
	}
	return error_set(err, -EINVAL, "ulimit '%s': no such limit", limit->type);
}

/* Docker's default is 0. Going below what we were started with takes CAP_SYS_RESOURCE, which
 * matters only to who asked for it. */
static int set_oom_score(const struct setup *setup, struct error *err)
{
	const struct spec *spec = &setup->container->spec;
	cleanup_error struct error local = ERROR_INIT;
	cleanup_fd int fd = -1;
	char text[16];
	int r;

	fd = proc_self_open(setup->root_fd, "oom_score_adj", O_WRONLY, &local);
	if (fd < 0)
		return error_move(err, &local);
	snprintf(text, sizeof(text), "%d", spec->has_oom_score_adj ? spec->oom_score_adj : 0);
	r = fd_write_all(fd, text, strlen(text), &local);
	if (r < 0 && spec->has_oom_score_adj)
		return error_set(err, r, "oom_score_adj %s: %s", text, strerror(-r));
	return 0;
}

/* pid 0: of the caller, here and below. */
static int reset_priority(pid_t pid, struct error *err)
{
	const struct sched_param none = { 0 };

	if (sched_setscheduler(pid, SCHED_OTHER, &none) < 0 ||
		setpriority(PRIO_PROCESS, (id_t)pid, 0) < 0)
		return error_sys(err, -errno, "reset scheduling");
	return 0;
}

static int reset_scheduling(struct error *err)
{
	unsigned char all[CPU_MASK_BYTES];
	int r = reset_priority(0, err);

	if (r < 0)
		return r;
	if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, 0) < 0 && errno != ENOSYS)
		return error_sys(err, -errno, "reset I/O priority");
	memset(all, 0xff, sizeof(all)); /* the cpuset cuts it down */
	if (syscall(SYS_sched_setaffinity, 0, sizeof(all), all) < 0)
		return error_sys(err, -errno, "reset CPU affinity");
	return 0;
}

/* Key rings know no namespace: without one of its own the container would hold ours. keyrings(7) */
static int new_keyring(struct error *err)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS)
		return error_sys(err, -errno, "make a session key ring");
	return 0;
}

/* A supervisor has raised its own limit, the shell of an exec has not: both kinds of process get
 * all that may be had, unless the container says otherwise. */
static int raise_open_files(struct error *err)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return error_sys(err, -errno, "read the limit of open files");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return error_sys(err, -errno, "raise the limit of open files");
	return 0;
}

/* The hard limit alone, for the soft one may be too low for what is still to be done. */
static int raise_rlimit(const struct spec_rlimit *limit, pid_t pid, struct error *err)
{
	for (size_t i = 0; i < ARRAY_LEN(rlimits); i++) {
		const __rlimit_resource_t resource = (__rlimit_resource_t)rlimits[i].resource;
		struct rlimit value;

		if (strcmp(rlimits[i].name, limit->type) != 0)
			continue;
		if (prlimit(pid, resource, NULL, &value) < 0)
			return error_sys(err, -errno, "read ulimit %s", limit->type);
		if (value.rlim_max >= limit->hard)
			return 0;
		value.rlim_max = limit->hard;
		if (prlimit(pid, resource, &value, NULL) < 0)
			return error_sys(err, -errno, "ulimit %s%s", limit->type,
				errno == EPERM ? " (above the hard limit of this host)" : "");
	}
	return 0;
}

static int raise_oom_score(const struct spec *spec, pid_t pid, struct error *err)
{
	cleanup_free char *path = pid ? xasprintf("/proc/%d/oom_score_adj", (int)pid)
				      : xstrdup("/proc/self/oom_score_adj");
	cleanup_free char *text = xasprintf("%d", spec->oom_score_adj);
	cleanup_error struct error local = ERROR_INIT;
	int r = file_write_value(AT_FDCWD, path, text, &local);

	if (r < 0 && spec->has_oom_score_adj)
		return error_set(err, r, "oom_score_adj %s: %s", text, strerror(-r));
	return 0;
}

int process_attributes_raise(const struct spec *spec, pid_t pid, struct error *err)
{
	int r = reset_priority(pid, err);

	if (r == 0)
		r = raise_oom_score(spec, pid, err);
	for (size_t i = 0; r == 0 && i < spec->rlimit_count; i++)
		r = raise_rlimit(&spec->rlimits[i], pid, err);
	return r;
}

int process_attributes_set(struct setup *setup, struct error *err)
{
	const struct spec *spec = &setup->container->spec;
	int r = new_keyring(err);

	if (r == 0)
		r = reset_scheduling(err);
	/* In a user namespace process_attributes_raise has done so: to an undumpable process its
	 * own file belongs to root of the host. */
	if (r == 0 && !spec_is_mapped(spec))
		r = set_oom_score(setup, err);
	if (r == 0)
		r = raise_open_files(err);
	for (size_t i = 0; r == 0 && i < spec->rlimit_count; i++)
		r = set_rlimit(&spec->rlimits[i], err);
	if (r == 0 && spec->apparmor_profile)
		r = lsm_set_apparmor(setup->root_fd, spec->apparmor_profile, err);
	umask(0022);
	return r;
}
