/* SPDX-License-Identifier: GPL-2.0-or-later
 * execute.c - the last steps: no foreign descriptors, the user's identity, the filter, execve.
 *
 * Order: the filter needs CAP_SYS_ADMIN unless no_new_privs is set, so it comes before capabilities
 * go; with no_new_privs it comes last and need not allow the calls made here. Groups before the
 * user, bounding set while CAP_SETPCAP is there. Every return code counts: a setuid that failed
 * unnoticed would leave root. */
#include "engine/container/setup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/close_range.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/base/ascii.h"
#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"

#define FDINFO_MAX 65536

#define STATUS_FD 3 /* where the record pipe waits for execve */

/* What docker's client exits with when the first process cannot be run. */
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND	    127

/* "no such file or directory": the phrase as Go, and so docker, has it. Heap. */
static char *errno_phrase(int code)
{
	char *phrase = xstrdup(strerror(-code));

	phrase[0] = ascii_to_lower(phrase[0]);
	return phrase;
}

static int refuse(struct error *err, int code, const char *what, const char *path)
{
	cleanup_free char *phrase = errno_phrase(code);

	error_set(err, code, "%s \"%s\": %s", what, path, phrase);
	if (err)
		err->exit_code = code == -ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
	return code;
}

/* Nothing of the host stays open: neither directories (CVE-2024-21626) nor sockets. */
static int close_others(struct setup *setup, struct error *err)
{
	if (setup->status_fd != STATUS_FD && dup3(setup->status_fd, STATUS_FD, O_CLOEXEC) < 0)
		return error_sys(err, -errno, "move the record pipe");
	setup->status_fd = STATUS_FD;
	if (syscall(SYS_close_range, STATUS_FD + 1, ~0U, 0) < 0)
		return error_sys(err, -errno, "close descriptors");
	return 0;
}

static bool is_ours(const struct setup *setup, int fd)
{
	return fd <= STDERR_FILENO || fd == setup->pair_fds[0] || fd == setup->pair_fds[1] ||
	       fd == setup->status_fd || fd == setup->console_fd || fd == setup->stdio.in_fd ||
	       fd == setup->stdio.out_fd || fd == setup->stdio.err_fd;
}

/* proc_pid_fdinfo(5): a lock that was taken through this open file. */
static bool holds_lock(int fd)
{
	cleanup_free char *path = xasprintf("/proc/self/fdinfo/%d", fd);
	cleanup_free char *text = NULL;

	return file_read(AT_FDCWD, path, FDINFO_MAX, &text, NULL, NULL) == 0 &&
	       strstr(text, "\nlock:");
}

static bool is_waited_for(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 &&
	       (S_ISSOCK(st.st_mode) || (S_ISREG(st.st_mode) && holds_lock(fd)));
}

void inherited_close(const struct setup *setup)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		uint64_t fd;

		if (parse_u64(entry->d_name, 0, INT_MAX, &fd) == 0 && !is_ours(setup, (int)fd) &&
			is_waited_for((int)fd))
			close((int)fd);
	}
	if (dir)
		closedir(dir);
}

/* Not through /proc/self/fd or another magic link, and the result must be inside: a directory that
 * is not reachable from the root has no absolute name. */
static int enter_cwd(const char *cwd, struct error *err)
{
	cleanup_fd int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_fd int fd = -1;
	char path[PATH_MAX];

	if (root_fd < 0)
		return error_sys(err, -errno, "open /");
	fd = file_open_in_root(root_fd, cwd, O_PATH | O_DIRECTORY, 0, NULL);
	if (fd < 0)
		return refuse(err, fd, "chdir to working directory", cwd);
	if (fchdir(fd) < 0)
		return refuse(err, -errno, "chdir to working directory", cwd);
	/* Not glibc's getcwd, which would go looking where the kernel says "(unreachable)". */
	if (syscall(SYS_getcwd, path, sizeof(path)) < 0 || path[0] != '/')
		return error_set(err, -EPERM,
			"working directory '%s' is outside of the container's root", cwd);
	return 0;
}

static int take_identity(const struct setup *setup, struct error *err)
{
	const struct process_user *user = &setup->identity;
	int r;

	if (setgroups(user->group_count, user->groups) < 0)
		return error_sys(err, -errno, "set groups");
	if (setresgid(user->gid, user->gid, user->gid) < 0)
		return error_sys(err, -errno, "set group %u", user->gid);
	r = capabilities_drop_bounding(setup->capabilities, err);
	if (r < 0)
		return r;
	if (setresuid(user->uid, user->uid, user->uid) < 0)
		return error_sys(err, -errno, "set user %u", user->uid);
	return capabilities_set(user->uid == 0 ? setup->capabilities : 0, err);
}

static int take_identity_filtered(const struct setup *setup, struct error *err)
{
	const bool no_new_privileges = setup->container->spec.no_new_privileges;
	cleanup_error struct error denied = ERROR_INIT;
	int cwd_result, r = 0;

	/* As root, as Docker does it: a WORKDIR the user may not enter is still where it starts. */
	cwd_result = enter_cwd(setup->cwd, &denied);
	if (cwd_result < 0 && cwd_result != -EACCES)
		return error_move(err, &denied);
	if (!no_new_privileges)
		r = seccomp_filter_load(&setup->filter, err);
	if (r == 0)
		r = take_identity(setup, err);
	/* Root squashed by the server of a network file system: the user may do better. */
	if (r == 0 && cwd_result < 0)
		r = enter_cwd(setup->cwd, err);
	if (r < 0 || !no_new_privileges)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_sys(err, -errno, "set no_new_privs");
	return seccomp_filter_load(&setup->filter, err);
}

static int execute_path(struct setup *setup, const char *path)
{
	struct stat st;

	execve(path, setup->args, setup->env);
	/* execve says EACCES of a directory; docker says what it is. */
	if (errno == EACCES && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return -EISDIR;
	return -errno;
}

/* As Go's exec.LookPath and execvp(3): what is not there or may not be run is passed over. */
static int execute_in_path(struct setup *setup, const char *name, struct error *err)
{
	cleanup_strv char **directories = strv_split(env_get(setup->env, "PATH"), ":");
	cleanup_free char *refused = NULL;

	for (size_t i = 0; directories && directories[i]; i++) {
		cleanup_free char *path = xasprintf("%s/%s", directories[i], name);
		int r = execute_path(setup, path);

		/* There, but its interpreter or loader is not: that is the answer. */
		if (r == -ENOENT && faccessat(AT_FDCWD, path, F_OK, 0) == 0)
			return refuse(err, r, "exec", path);
		if (r == -EACCES && !refused)
			refused = steal_ptr(path);
		if (r != -ENOENT && r != -ENOTDIR && r != -EACCES && r != -EISDIR)
			return refuse(err, r, "exec", path);
	}
	if (refused)
		return refuse(err, -EACCES, "exec", refused);
	error_set(err, -ENOENT, "exec \"%s\": executable file not found in $PATH", name);
	if (err)
		err->exit_code = EXIT_NOT_FOUND;
	return -ENOENT;
}

int process_execute(struct setup *setup, struct error *err)
{
	const char *name = setup->args[0];
	int r;

	if (!env_get(setup->env, "HOME"))
		env_set(&setup->env, "HOME", setup->identity.home);
	if (setup->adopts_orphans && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return error_sys(err, -errno, "become a child subreaper");
	r = close_others(setup, err);
	if (r == 0)
		r = take_identity_filtered(setup, err);
	if (r == 0)
		r = init_fork(setup, err);
	if (r < 0)
		return r;
	child_report_ready(setup);
	if (strchr(name, '/'))
		return refuse(err, execute_path(setup, name), "exec", name);
	return execute_in_path(setup, name, err);
}
