/* SPDX-License-Identifier: GPL-2.0-or-later
 * tree_copy_attributes.c - owner, mode, extended attributes and times from one open file to
 * another. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "engine/base/memory.h"
#include "engine/container/tree_copy.h"

#define ATTRIBUTE_MAX 65536 /* the kernel's XATTR_SIZE_MAX and XATTR_LIST_MAX */

/* Not for us to carry over: overlay's bookkeeping, and the label, which the target's place decides.
 */
static bool is_foreign(const char *name)
{
	return strncmp(name, "trusted.overlay.", 16) == 0 ||
	       strncmp(name, "user.overlay.", 13) == 0 || strcmp(name, "security.selinux") == 0;
}

static int copy_one(int src_fd, int dst_fd, const char *name, char *buffer, struct error *err)
{
	ssize_t size = fgetxattr(src_fd, name, buffer, ATTRIBUTE_MAX);

	if (size < 0)
		return errno == ENODATA
			       ? 0
			       : error_sys(err, -errno, "read extended attribute %s", name);
	/* A file system without such attributes takes the file without them, as docker does. */
	if (fsetxattr(dst_fd, name, buffer, (size_t)size, 0) < 0 && errno != ENOTSUP)
		return error_sys(err, -errno, "write extended attribute %s", name);
	return 0;
}

static int copy_extended(int src_fd, int dst_fd, struct error *err)
{
	ssize_t length = flistxattr(src_fd, NULL, 0);
	cleanup_free char *names = NULL, *buffer = NULL;
	int r = 0;

	if (length == 0 || (length < 0 && errno == ENOTSUP)) /* most files have none */
		return 0;
	names = xmalloc(ATTRIBUTE_MAX);
	buffer = xmalloc(ATTRIBUTE_MAX);
	length = flistxattr(src_fd, names, ATTRIBUTE_MAX);
	if (length < 0)
		return error_sys(err, -errno, "list extended attributes");
	for (const char *name = names; r == 0 && name < names + length; name += strlen(name) + 1) {
		if (!is_foreign(name))
			r = copy_one(src_fd, dst_fd, name, buffer, err);
	}
	return r;
}

/* In this order: a change of owner clears the set-user-id bits and security.capability, and every
 * change moves the times. */
int tree_copy_attributes(int src_fd, int dst_fd, struct error *err)
{
	struct stat st;
	int r;

	if (fstat(src_fd, &st) < 0)
		return error_sys(err, -errno, "stat");
	if (fchown(dst_fd, st.st_uid, st.st_gid) < 0)
		return error_sys(err, -errno, "set owner");
	if (fchmod(dst_fd, st.st_mode & 07777) < 0)
		return error_sys(err, -errno, "set mode");
	r = copy_extended(src_fd, dst_fd, err);
	if (r < 0)
		return r;
	const struct timespec times[2] = { st.st_atim, st.st_mtim };

	if (futimens(dst_fd, times) < 0)
		return error_sys(err, -errno, "set times");
	return 0;
}
