/* SPDX-License-Identifier: GPL-2.0-or-later
 * mount_propagation.c - whether mounts made on one side of a bind mount appear on the other.
 *
 * A copy of a shared mount is its peer from birth; private and slave loosen that. What the source
 * is not, no copy can be: docker refuses it, and so do we. mount_namespaces(7). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/container/mount_fd.h"
#include "engine/container/mount_kinds.h"

#define MOUNTINFO_LIMIT (64u << 20)

enum needed_peer { NEEDS_NOTHING, NEEDS_SHARED, NEEDS_SHARED_OR_SLAVE };

static const struct propagation {
	const char *name;
	unsigned long flag;
	bool recursive;
	enum needed_peer needs;
} propagations[] = {
	{ "private", MS_PRIVATE, false, NEEDS_NOTHING },
	{ "rprivate", MS_PRIVATE, true, NEEDS_NOTHING },
	{ "rshared", MS_SHARED, true, NEEDS_SHARED },
	{ "rslave", MS_SLAVE, true, NEEDS_SHARED_OR_SLAVE },
	{ "shared", MS_SHARED, false, NEEDS_SHARED },
	{ "slave", MS_SLAVE, false, NEEDS_SHARED_OR_SLAVE },
};

static const struct propagation *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(propagations); i++)
		if (strcmp(propagations[i].name, name ? name : "rprivate") == 0)
			return &propagations[i];
	return NULL;
}

bool propagation_is_known(const char *name)
{
	return find(name) != NULL;
}

/* The line of mountinfo that begins with the mount's id; heap, NULL when there is none. */
static char *mountinfo_line(int fd, struct error *err)
{
	cleanup_free char *text = NULL, *head = NULL;
	cleanup_strv char **lines = NULL;
	struct statx stx;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) < 0) {
		error_sys(err, -errno, "stat");
		return NULL;
	}
	if (file_read(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_LIMIT, &text, NULL, err) < 0)
		return NULL;
	head = xasprintf("%llu ", (unsigned long long)stx.stx_mnt_id);
	lines = strv_split(text, "\n");
	for (char **line = lines; line && *line; line++)
		if (strncmp(*line, head, strlen(head)) == 0)
			return xstrdup(*line);
	error_set(err, -ENOENT, "its mount is not in this mount namespace");
	return NULL;
}

/* proc(5): after the sixth field stand optional ones, up to a "-". */
static int check_source(
	const struct propagation *wanted, const char *source, int fd, struct error *err)
{
	cleanup_free char *line = mountinfo_line(fd, err);
	cleanup_strv char **fields = NULL;
	bool shared = false, slave = false;

	if (!line)
		return err ? err->code : -EINVAL;
	fields = strv_split(line, " ");
	if (strv_length(fields) < 7)
		return error_set(err, -EBADMSG, "/proc/self/mountinfo: unknown form");
	for (size_t i = 6; fields[i] && strcmp(fields[i], "-") != 0; i++) {
		shared |= strncmp(fields[i], "shared:", 7) == 0;
		slave |= strncmp(fields[i], "master:", 7) == 0;
	}
	if (shared || (slave && wanted->needs == NEEDS_SHARED_OR_SLAVE))
		return 0;
	return error_set(err, -EINVAL, "path %s is mounted on %s but it is not a shared%s mount",
		source, fields[4], wanted->needs == NEEDS_SHARED_OR_SLAVE ? " or slave" : "");
}

int propagation_set(const struct spec_mount *mount, int source_fd, int tree_fd, struct error *err)
{
	const struct propagation *wanted = find(mount->propagation);
	int r = 0;

	if (wanted->needs != NEEDS_NOTHING)
		r = check_source(wanted, mount->source, source_fd, err);
	return r < 0 ? r : mount_change(tree_fd, 0, wanted->flag, wanted->recursive, err);
}
