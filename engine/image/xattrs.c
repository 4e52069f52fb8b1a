/* SPDX-License-Identifier: GPL-2.0-or-later
 * xattrs.c - read extended attributes. */
#include "engine/image/xattrs.h"

#include <errno.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/xattr.h>

#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/image/layer.h"

static int list_names(int fd, char ***ret, struct error *err)
{
	cleanup_free char *names = xmalloc(XATTR_LIST_MAX);
	cleanup_strv char **kept = NULL;
	ssize_t length = flistxattr(fd, names, XATTR_LIST_MAX);

	if (length < 0 && errno != EOPNOTSUPP)
		return error_sys(err, -errno, "list extended attributes");
	for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1)
		if (xattr_is_kept(names + at))
			strv_add(&kept, names + at);
	if (kept)
		strv_sort(kept);
	*ret = steal_ptr(kept);
	return 0;
}

int xattrs_read(int fd, struct tar_xattr **ret, size_t *ret_count, struct error *err)
{
	cleanup_strv char **names = NULL;
	cleanup_free char *value = NULL;
	struct tar_xattr *xattrs = NULL;
	size_t count = 0;
	int r = list_names(fd, &names, err);

	if (r < 0)
		return r;
	if (names)
		value = xmalloc(XATTR_SIZE_MAX);
	for (char **name = names; name && *name; name++) {
		ssize_t size = fgetxattr(fd, *name, value, XATTR_SIZE_MAX);
		struct tar_xattr *xattr;

		if (size < 0 && errno == ENODATA)
			continue;
		if (size < 0) {
			r = error_sys(err, -errno, "read extended attribute '%s'", *name);
			xattrs_free(xattrs, count);
			return r;
		}
		xattr = array_add(xattrs, count);
		xattr->name = xstrdup(*name);
		xattr->value = xmalloc((size_t)size + 1);
		memcpy(xattr->value, value, (size_t)size);
		xattr->size = (size_t)size;
	}
	*ret = xattrs;
	*ret_count = count;
	return 0;
}

void xattrs_free(struct tar_xattr *xattrs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(xattrs[i].name);
		free(xattrs[i].value);
	}
	free(xattrs);
}
