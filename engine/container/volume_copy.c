/* SPDX-License-Identifier: GPL-2.0-or-later
 * volume_copy.c - a volume's first content, so that a kill at any instant leaves it empty, whole,
 * or to be finished. The order of the leftovers' lives: _fill.part  the copy while it grows:
 * worthless after a kill _fill       the same, whole, by rename: its entries are moved into the
 * volume one by one */
#include "engine/container/volume_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/container/tree_copy.h"

#define PART  "_fill.part"
#define WHOLE "_fill"

/* Before the rename says that the copy is whole, it has to be, on disk too. One call for all of it,
 * and none for the empty directory that most images have there. */
static int sync_copy(int part_fd, struct error *err)
{
	cleanup_strv char **names = NULL;
	int r = dir_list(part_fd, ".", &names, err);

	if (r == 0 && strv_length(names) > 0 && syncfs(part_fd) < 0)
		r = error_sys(err, -errno, "sync the copy");
	return r;
}

static int make_copy(int dir_fd, int src_fd, struct error *err)
{
	cleanup_fd int part_fd = -1;
	int r = tree_remove(dir_fd, PART, err);

	if (r < 0)
		return r;
	part_fd = dir_make_open(dir_fd, PART, 0700, err);
	r = part_fd < 0 ? part_fd : tree_copy(src_fd, part_fd, err);
	if (r == 0)
		r = sync_copy(part_fd, err);
	if (r == 0 && renameat(dir_fd, PART, dir_fd, WHOLE) < 0)
		r = error_sys(err, -errno, "finish the copy");
	if (r < 0)
		tree_remove(dir_fd, PART, NULL);
	return r;
}

/* An entry that is there already is somebody's newer one: it stays. */
static int move_entries(int whole_fd, int target_fd, struct error *err)
{
	cleanup_strv char **names = NULL;
	int r = dir_list(whole_fd, ".", &names, err);

	for (char **name = names; r == 0 && name && *name; name++) {
		if (renameat2(whole_fd, *name, target_fd, *name, RENAME_NOREPLACE) < 0 &&
			errno != EEXIST)
			r = error_sys(err, -errno, "move '%s' into place", *name);
	}
	return r;
}

static int move_copy(int dir_fd, const char *name, struct error *err)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
	cleanup_fd int whole_fd = file_open(dir_fd, WHOLE, flags, 0, err);
	cleanup_fd int target_fd = -1;
	int r;

	if (whole_fd < 0)
		return whole_fd;
	target_fd = file_open(dir_fd, name, flags, 0, err);
	r = target_fd < 0 ? target_fd : move_entries(whole_fd, target_fd, err);
	if (r == 0)
		r = tree_copy_attributes(whole_fd, target_fd, err);
	return r < 0 ? r : tree_remove(dir_fd, WHOLE, err);
}

int volume_copy_into(int dir_fd, const char *name, int src_fd, struct error *err)
{
	cleanup_strv char **present = NULL;
	int r;

	if (faccessat(dir_fd, WHOLE, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return move_copy(dir_fd, name, err);
	r = dir_list(dir_fd, name, &present, err);
	if (r < 0 || strv_length(present) > 0)
		return r;
	r = make_copy(dir_fd, src_fd, err);
	return r < 0 ? r : move_copy(dir_fd, name, err);
}
