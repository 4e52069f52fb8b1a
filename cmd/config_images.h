/* SPDX-License-Identifier: GPL-2.0-or-later
 * config_images.h - a project's images by digest, as the local store knows them. */
#ifndef MYCOMPOSE_CMD_CONFIG_IMAGES_H
#define MYCOMPOSE_CMD_CONFIG_IMAGES_H

#include "compose/config.h"
#include "engine/engine.h"

/* An override file with nothing but `image: NAME@sha256:…` for each service. -ENOENT names the
 * service whose image is not there. */
int config_images_lock(const struct engine *engine, const struct project *project,
	enum config_format format, struct strbuf *out, struct error *err);
/* The same change in the project's own document. */
int config_images_resolve(const struct engine *engine, struct project *project, struct error *err);

#endif
