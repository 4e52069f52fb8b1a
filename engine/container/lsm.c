/* SPDX-License-Identifier: GPL-2.0-or-later
 * lsm.c - AppArmor profiles: is there AppArmor, and "from the next execve on, this one".
 *
 * A write that is led astray would leave the container unconfined (CVE-2019-16884,
 * CVE-2025-52881), so the file is opened as proc_file.h does. */
#include "engine/container/lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/container/proc_file.h"

bool lsm_has_apparmor(void)
{
	cleanup_free char *text = NULL;

	return file_read(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", 16, &text, NULL,
		       NULL) == 0 &&
	       text[0] == 'Y';
}

bool lsm_has_selinux(void)
{
	return access("/sys/fs/selinux/enforce", F_OK) == 0;
}

int lsm_check_apparmor(const char *profile, struct error *err)
{
	if (strcmp(profile, "unconfined") == 0 || lsm_has_apparmor())
		return 0;
	return error_set(
		err, -ENOTSUP, "apparmor=%s: AppArmor is not enabled on this host", profile);
}

int lsm_set_apparmor(int root_fd, const char *profile, struct error *err)
{
	static const char *const files[] = { "attr/apparmor/exec", "attr/exec" };
	cleanup_free char *order = xasprintf("exec %s", profile);
	cleanup_fd int fd = -1;
	int r;

	/* Without the module there is nothing that "unconfined" could lift. */
	if (!lsm_has_apparmor() && strcmp(profile, "unconfined") == 0)
		return 0;
	/* The first came with kernel 5.8, for hosts with several modules. */
	for (size_t i = 0; fd < 0 && i < ARRAY_LEN(files); i++)
		fd = proc_self_open(root_fd, files[i], O_WRONLY, i == 0 ? NULL : err);
	if (fd < 0)
		return error_wrap(err, "apparmor=%s", profile);
	r = fd_write_all(fd, order, strlen(order), NULL);
	if (r == -ENOENT)
		return error_set(
			err, r, "apparmor=%s: no such profile is loaded on this host", profile);
	return r < 0 ? error_sys(err, r, "apparmor=%s: set the profile", profile) : 0;
}
