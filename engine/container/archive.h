/* SPDX-License-Identifier: GPL-2.0-or-later
 * archive.h - a part of a container's file system as a tar stream, and back (`cp`, `export`).
 * May depend on: in_root.h, engine/image/{tarball,layer_attributes,xattrs}.h.
 *
 * HARDENING 6.3: everything is found from one root fd with RESOLVE_IN_ROOT and then held by fds;
 * walking takes one component at a time and follows nothing. Whoever exchanges names meanwhile can
 * decide which of the container's own files are copied, but no step leaves the root. */
#ifndef MYCOMPOSE_CONTAINER_ARCHIVE_H
#define MYCOMPOSE_CONTAINER_ARCHIVE_H

#include <stdbool.h>

#include "engine/base/errors.h"

struct archive_source {
	int root_fd;
	const char *path;   /* in the root; "DIR/." = what the directory holds, without its name */
	bool follow;	    /* a link at the end stands for what it leads to */
	bool stay_on_mount; /* other mounts are left out but for their directories */
};
/* The first entry is the thing itself, under the last part of its path. Sockets are passed over,
 * and what goes away meanwhile. */
int archive_pack(const struct archive_source *source, int out_fd, struct error *err);

struct archive_place {
	int root_fd;
	const char *path; /* in the root; with a slash at the end it must be a directory */
	bool is_stream;	  /* a foreign tar: all of it lands below `path`, a directory */
	bool keep_owner;  /* else all belongs to root */
	bool no_devices;  /* device nodes are passed over */
};
/* As cp(1) does: into `path` if that is a directory, else as `path`. What is there already is
 * replaced, but no directory by a file nor the other way round. */
int archive_unpack(const struct archive_place *place, int in_fd, struct error *err);

#endif
