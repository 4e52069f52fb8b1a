/* SPDX-License-Identifier: GPL-2.0-or-later
 * layer.h - a layer's tar becomes the directory that overlay takes as lowerdir.
 *
 * The tar is hostile. Every name is resolved inside the layer, fd by fd; nothing is ever written
 * through what an earlier entry put there. Whiteouts (OCI image-spec, layer.md) become overlay's
 * own form:
 * ".wh.X" a character device 0:0 named X, ".wh..wh..opq" the xattr trusted.overlay.opaque=y. What a
 * tar brings in that form itself is refused (devices) or dropped (xattrs), or a layer could hide or
 * redirect paths that its manifest does not show. Kept: owner, mode with set-id bits, mtime in
 * nanoseconds, devices, FIFOs, hard links inside the layer, xattrs of xattr_is_kept. A directory
 * the tar does not mention but needs takes its attributes from the layers below, as it would have
 * on the assembled file system. */
#ifndef MYCOMPOSE_IMAGE_LAYER_H
#define MYCOMPOSE_IMAGE_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/errors.h"
#include "engine/image/tarball.h"

#define OPAQUE_XATTR	"trusted.overlay.opaque"
#define WHITEOUT_PREFIX ".wh."
#define WHITEOUT_META	WHITEOUT_PREFIX WHITEOUT_PREFIX
#define WHITEOUT_OPAQUE WHITEOUT_META ".opq"

struct layer_place {
	int root_fd;	      /* an empty directory nobody else writes to; owned by the caller */
	const int *lower_fds; /* the roots of the layers below, top first */
	size_t lower_count;
};

/* Entries are read to the end; the caller then asks tar_reader_finish for the digest. */
int layer_unpack(const struct layer_place *place, struct tar_reader *reader, struct error *err);

/* user.* but overlay's, file capabilities, ACLs. The rest belongs to a host or to overlay. */
bool xattr_is_kept(const char *name);

#endif
