/* SPDX-License-Identifier: GPL-2.0-or-later
 * layer_path.h - where in a layer a tar's path lands.
 *
 * Paths here are relative, without "." and "..", "" being the root. Symbolic links in the directory
 * part are followed as the container would, with the layer (and those below) as "/"; the last
 * component never is. */
#ifndef MYCOMPOSE_IMAGE_LAYER_PATH_H
#define MYCOMPOSE_IMAGE_LAYER_PATH_H

#include <sys/stat.h>
#include <time.h>

#include "engine/image/layer.h"

struct directory_time {
	char *path;
	struct timespec mtime;
};

struct layer_tree {
	struct layer_place place;
	/* The last parent found: entries of one directory follow each other. */
	char *parent_asked;
	char *parent_path; /* the same without symbolic links */
	int parent_fd;
	/* Set at the end, because adding to a directory changes its mtime. */
	struct directory_time *times;
	size_t time_count;
	bool root_is_opaque;
};

void layer_tree_init(struct layer_tree *tree, const struct layer_place *place);
void layer_tree_release(struct layer_tree *tree);

/* Strip leading '/', empty and "." components. -EINVAL for ".." anywhere. Heap. */
int layer_path_clean(const char *path, char **ret, struct error *err);

/* The directory that holds `path` (not ""), as O_PATH fd that stays the tree's and is valid until
 * the next call, and the last component (points into `path`). With `make`, missing directories are
 * made. */
int layer_parent(struct layer_tree *tree, const char *path, bool make, int *ret_fd,
	const char **ret_name, struct error *err);
/* To be called when a directory or link was removed or replaced. */
void layer_parent_forget(struct layer_tree *tree);

void layer_note_time(struct layer_tree *tree, const char *path, const struct timespec *mtime);

/* Open `path` below root_fd with no symbolic link and no mount on the way; the fd or a negative
 * errno. */
int layer_open_plain(int root_fd, const char *path, int flags);

/* A whiteout in overlay's form: character device 0:0. */
bool stat_is_whiteout(const struct stat *st);
int layer_mark_opaque(int dir_fd, struct error *err); /* dir_fd may be O_PATH */

#endif
