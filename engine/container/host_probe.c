/* SPDX-License-Identifier: GPL-2.0-or-later
 * host_probe.c - see host_probe.h. Asking the kernel by doing: version numbers and configuration
 * files say less, since distributions patch, modules may be missing and an outer container forbids.
 */
#include "engine/container/host_probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/container/mount_fd.h"
#include "engine/container/setup.h"

#define TRIAL_ID      100000
#define TRIAL_ID_TEXT "100000"

struct trial {
	const struct engine *engine;
	int (*run)(struct trial *trial, struct error *err);
	pid_t mapped_pid; /* who lives in the user namespace of the trial */
};

struct outcome {
	int32_t code;
	char text[256];
};

static void run_child(struct trial *trial, int report_fd) __attribute__((noreturn));
static void run_child(struct trial *trial, int report_fd)
{
	struct error err = ERROR_INIT;
	struct outcome outcome = { .code = trial->run(trial, &err) };

	if (outcome.code < 0)
		snprintf(outcome.text, sizeof(outcome.text), "%s", error_text(&err));
	_exit(write(report_fd, &outcome, sizeof(outcome)) == sizeof(outcome) ? 0 : 1);
}

/* Namespaces and mounts of a trial end with its process. */
static int try(struct trial trial, struct error *err)
{
	struct outcome outcome;
	int pair[2], status;
	ssize_t length;
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return error_sys(err, -errno, "pipe");
	pid = fork();
	if (pid == 0)
		run_child(&trial, pair[1]);
	close(pair[1]);
	do {
		length = pid < 0 ? 0 : read(pair[0], &outcome, sizeof(outcome));
	} while (length < 0 && errno == EINTR);
	close(pair[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (length != sizeof(outcome))
		return error_set(err, -EIO, "the process that tried it ended early");
	return outcome.code < 0 ? error_set(err, outcome.code, "%s", outcome.text) : 0;
}

static int unshare_mounts(struct error *err)
{
	if (unshare(CLONE_NEWNS) < 0)
		return error_sys(err, -errno, "make a mount namespace");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_sys(err, -errno, "make the mount tree private");
	return 0;
}

/* In the directory of the trial. By names without a path, which overlay would take apart. */
static int mount_overlay(struct trial *trial, struct error *err)
{
	static const char *const names[] = { "lower", "upper", "work", "merged" };
	int fd;

	(void)trial;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (mkdir(names[i], 0755) < 0)
			return error_sys(err, -errno, "make a directory");
	fd = open("lower/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return error_sys(err, -errno, "make a file");
	close(fd);
	if (mount("overlay", "merged", "overlay", 0, "lowerdir=lower,upperdir=upper,workdir=work") <
		0)
		return error_sys(err, -errno, "mount overlay");
	if (unlink("merged/file") < 0)
		return error_sys(err, -errno, "delete a file of a lower layer");
	return 0;
}

static char *make_directory(const struct engine *engine, struct error *err)
{
	char *path = xasprintf("%s/.check-XXXXXX", engine->data_path);

	if (mkdtemp(path))
		return path;
	error_sys(err, -errno, "make a directory in %s", engine->data_path);
	free(path);
	return NULL;
}

static int in_directory(
	struct trial *trial, int (*act)(struct trial *trial, struct error *err), struct error *err)
{
	const struct engine *engine = trial->engine;
	cleanup_free char *path = make_directory(engine, err);
	int r;

	if (!path)
		return err ? err->code : -EIO;
	r = chdir(path) < 0 ? error_sys(err, -errno, "chdir") : act(trial, err);
	if (chdir("/") == 0) {
		char *merged = xasprintf("%s/merged", path);

		umount2(merged, MNT_DETACH);
		free(merged);
	}
	tree_remove(engine->data_fd, strrchr(path, '/') + 1, NULL);
	return r;
}

static int try_overlay(struct trial *trial, struct error *err)
{
	int r = unshare_mounts(err);

	return r < 0 ? r : in_directory(trial, mount_overlay, err);
}

int host_probe_overlay(const struct engine *engine, struct error *err)
{
	return try((struct trial){ engine, try_overlay, 0 }, err);
}

static int list_types(struct trial *trial, struct error *err)
{
	DIR *dir;
	struct dirent *entry;
	int r = 0;

	(void)trial;
	if (mkdir("entry", 0755) < 0 || !(dir = opendir(".")))
		return error_sys(err, -errno, "make a directory");
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, "entry") == 0 && entry->d_type != DT_DIR)
			r = error_set(
				err, -ENOTSUP, "its directory listings do not tell types (d_type)");
	closedir(dir);
	return r;
}

static int try_file_types(struct trial *trial, struct error *err)
{
	return in_directory(trial, list_types, err);
}

int host_probe_file_types(const struct engine *engine, struct error *err)
{
	return try((struct trial){ engine, try_file_types, 0 }, err);
}

static int set_attribute(struct trial *trial, struct error *err)
{
	(void)trial;
	if (setxattr(".", "trusted.overlay.check", "y", 1, 0) < 0)
		return error_sys(err, -errno, "set a trusted.* attribute");
	return 0;
}

static int try_attributes(struct trial *trial, struct error *err)
{
	return in_directory(trial, set_attribute, err);
}

int host_probe_attributes(const struct engine *engine, struct error *err)
{
	return try((struct trial){ engine, try_attributes, 0 }, err);
}

static int try_namespaces(struct trial *trial, struct error *err)
{
	static const struct {
		int flag;
		const char *name;
	} rows[] = {
		{ CLONE_NEWNS, "mount" },
		{ CLONE_NEWUTS, "UTS" },
		{ CLONE_NEWIPC, "IPC" },
		{ CLONE_NEWNET, "network" },
		{ CLONE_NEWPID, "PID" },
		{ CLONE_NEWCGROUP, "cgroup" },
	};

	(void)trial;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (unshare(rows[i].flag) < 0)
			return error_sys(err, -errno, "make a %s namespace", rows[i].name);
	return 0;
}

int host_probe_namespaces(struct error *err)
{
	return try((struct trial){ NULL, try_namespaces, 0 }, err);
}

static int try_user_namespace(struct trial *trial, struct error *err)
{
	(void)trial;
	return unshare(CLONE_NEWUSER) < 0 ? error_sys(err, -errno, "make a user namespace") : 0;
}

int host_probe_user_namespace(struct error *err)
{
	return try((struct trial){ NULL, try_user_namespace, 0 }, err);
}

/* A child that lives in a new user namespace until the pipe it reads from is closed. */
static pid_t start_in_user_namespace(int wait_fd, int close_fd_, int said_fd)
{
	pid_t pid = fork();
	char byte = 0;

	if (pid != 0)
		return pid;
	close(close_fd_);
	if (unshare(CLONE_NEWUSER) < 0)
		_exit(1);
	if (write(said_fd, &byte, 1) == 1)
		while (read(wait_fd, &byte, 1) < 0 && errno == EINTR)
			;
	_exit(0);
}

static int write_maps(pid_t pid, struct error *err)
{
	static const char *const files[] = { "uid_map", "gid_map" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		cleanup_free char *path = xasprintf("/proc/%d/%s", (int)pid, files[i]);
		int r = file_write_value(AT_FDCWD, path, "0 " TRIAL_ID_TEXT " 65536", err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* As the builder of a container has it: see user_namespace.h. */
static int map_data_root(const struct engine *engine, pid_t pid, struct error *err)
{
	cleanup_free char *ns = xasprintf("/proc/%d/ns/user", (int)pid);
	cleanup_fd int ns_fd = -1;
	int r = write_maps(pid, err);

	if (r == 0)
		r = ns_fd = file_open(AT_FDCWD, ns, O_RDONLY, 0, err);
	return r < 0 ? r : mount_map_over(engine->data_path, ns_fd, err);
}

/* In the directory of the trial, whose name then leads to it as the mapping shows it. */
static int mount_mapped_overlay(struct trial *trial, struct error *err)
{
	char path[PATH_MAX];
	int r;

	if (!getcwd(path, sizeof(path)))
		return error_sys(err, -errno, "getcwd");
	r = map_data_root(trial->engine, trial->mapped_pid, err);
	if (r < 0)
		return r;
	if (chdir(path) < 0)
		return error_sys(err, -errno, "chdir");
	r = file_identity_take(TRIAL_ID, TRIAL_ID, err);
	if (r == 0)
		r = mount_overlay(trial, err);
	return r < 0 ? error_wrap(err, "with mapped owners") : 0;
}

static int try_idmapped_mount(struct trial *trial, struct error *err)
{
	int hold[2], said[2], r = unshare_mounts(err);
	char byte;
	pid_t pid;

	if (r < 0)
		return r;
	if (pipe2(hold, O_CLOEXEC) < 0 || pipe2(said, O_CLOEXEC) < 0)
		return error_sys(err, -errno, "pipe");
	pid = trial->mapped_pid = start_in_user_namespace(hold[0], hold[1], said[1]);
	if (pid < 0)
		return error_sys(err, -errno, "fork");
	close(said[1]);
	r = read(said[0], &byte, 1) == 1 ? in_directory(trial, mount_mapped_overlay, err)
					 : error_set(err, -EPERM, "make a user namespace");
	close(hold[1]);
	waitpid(pid, NULL, 0);
	return r;
}

int host_probe_idmapped_mount(const struct engine *engine, struct error *err)
{
	return try((struct trial){ engine, try_idmapped_mount, 0 }, err);
}

int host_probe_seccomp(struct error *err)
{
	uint32_t action = SECCOMP_RET_ERRNO;

	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0)
		return error_sys(err, -errno, "ask for the system-call filter");
	return 0;
}
