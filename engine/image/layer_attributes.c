/* SPDX-License-Identifier: GPL-2.0-or-later
 * layer_attributes.c - put owner, mode, times and xattrs on what was unpacked, in the order the
 * kernel asks for: chown(2) clears set-id bits and file capabilities, so mode and xattrs come after
 * it. */
#include "engine/image/layer_attributes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "engine/base/memory.h"
#include "engine/image/xattrs.h"

static const struct {
	const char *prefix;
	bool is_kept;
} xattr_rules[] = {
	/* the first that matches decides; "x." is a namespace, others are whole names */
	{ "user.overlay.", false },
	{ "user.", true },
	{ "security.capability", true },
	{ "system.posix_acl_access", true },
	{ "system.posix_acl_default", true },
};

bool xattr_is_kept(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(xattr_rules); i++) {
		const char *prefix = xattr_rules[i].prefix;
		size_t length = strlen(prefix);

		if (prefix[length - 1] == '.' ? strncmp(name, prefix, length) == 0
					      : strcmp(name, prefix) == 0)
			return xattr_rules[i].is_kept;
	}
	return false;
}

static int set_xattr(int fd, const struct tar_xattr *xattr, struct error *err)
{
	if (!xattr_is_kept(xattr->name))
		return 0;
	if (strlen(xattr->name) > XATTR_NAME_MAX || xattr->size > XATTR_SIZE_MAX)
		return error_set(
			err, -E2BIG, "extended attribute '%.50s' is too large", xattr->name);
	if (fsetxattr(fd, xattr->name, xattr->value, xattr->size, 0) == 0)
		return 0;
	/* A file system without user.* or ACLs loses them; capabilities decide what may run. */
	if (errno == EOPNOTSUPP && strcmp(xattr->name, "security.capability") != 0)
		return 0;
	/* ext4 says ENOSPC when the attributes of one inode do not fit together. */
	return error_sys(err, -errno, "set extended attribute '%s'", xattr->name);
}

int attributes_apply(int fd, const struct tar_entry *entry, struct error *err)
{
	struct timespec times[2] = { entry->mtime, entry->mtime };

	if (fchown(fd, entry->uid, entry->gid) < 0)
		return error_sys(err, -errno, "set owner");
	if (fchmod(fd, entry->mode & 07777) < 0)
		return error_sys(err, -errno, "set mode");
	for (size_t i = 0; i < entry->xattr_count; i++) {
		int r = set_xattr(fd, &entry->xattrs[i], err);

		if (r < 0)
			return r;
	}
	if (futimens(fd, times) < 0)
		return error_sys(err, -errno, "set times");
	return 0;
}

int attributes_apply_at(
	int parent_fd, const char *name, const struct tar_entry *entry, struct error *err)
{
	struct timespec times[2] = { entry->mtime, entry->mtime };

	if (fchownat(parent_fd, name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return error_sys(err, -errno, "set owner");
	/* fchmodat follows links; nobody but us writes here, so a name that is no link stays none.
	 */
	if (!S_ISLNK(entry->mode) && fchmodat(parent_fd, name, entry->mode & 07777, 0) < 0)
		return error_sys(err, -errno, "set mode");
	if (utimensat(parent_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return error_sys(err, -errno, "set times");
	return 0;
}

int attributes_copy_directory(
	struct layer_tree *tree, const char *path, int fd, int lower_fd, struct error *err)
{
	cleanup_fd int from_fd = openat(lower_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct tar_entry entry = { 0 };
	struct stat st;
	int r;

	if (from_fd < 0 || fstat(from_fd, &st) < 0)
		return error_sys(err, -errno, "'%s' in the layer below", path);
	r = xattrs_read(from_fd, &entry.xattrs, &entry.xattr_count, err);
	if (r < 0)
		return r;
	entry.mode = st.st_mode;
	entry.uid = st.st_uid;
	entry.gid = st.st_gid;
	entry.mtime = st.st_mtim;
	r = attributes_apply(fd, &entry, err);
	xattrs_free(entry.xattrs, entry.xattr_count);
	layer_note_time(tree, path, &st.st_mtim);
	return r;
}

void attributes_clear_xattrs(int fd)
{
	struct tar_xattr *xattrs = NULL;
	size_t count = 0;

	if (xattrs_read(fd, &xattrs, &count, NULL) < 0)
		return;
	for (size_t i = 0; i < count; i++)
		fremovexattr(fd, xattrs[i].name);
	xattrs_free(xattrs, count);
}
