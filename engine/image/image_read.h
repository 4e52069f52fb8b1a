/* SPDX-License-Identifier: GPL-2.0-or-later
 * image_read.h - images out of an open store; for the files of this room that already hold one. */
#ifndef MYCOMPOSE_IMAGE_IMAGE_READ_H
#define MYCOMPOSE_IMAGE_IMAGE_READ_H

#include "engine/image/image.h"
#include "engine/image/index.h"

/* The image of a manifest, without names. */
int image_read(const struct store *store, const struct descriptor *descriptor, struct image **ret,
	struct error *err);
/* The same with all its names in the index. */
int image_read_entry(const struct store *store, const struct index *index,
	const struct index_entry *entry, struct image **ret, struct error *err);
/* The image ID (heap) of an entry, noted or looked up. */
int image_entry_id(
	const struct store *store, const struct index_entry *entry, char **ret, struct error *err);
/* What image_find finds. ret_by_id: it was not a name that led there. */
int image_find_entry(const struct store *store, const struct index *index, const char *text,
	const struct index_entry **ret, bool *ret_by_id, struct error *err);

#endif
