/* SPDX-License-Identifier: GPL-2.0-or-later
 * load.h - the two forms an image file has; each reader turns a source into drafts. */
#ifndef MYCOMPOSE_IMAGE_LOAD_H
#define MYCOMPOSE_IMAGE_LOAD_H

#include "engine/image/source.h"

struct load {
	struct store *store;
	struct source *source;
	struct draft *drafts;
	size_t draft_count;
};

/* manifest.json of `docker save` */
int load_docker_archive(struct load *load, struct error *err);
/* index.json of an OCI image layout */
int load_oci_layout(struct load *load, struct error *err);

#endif
