/* SPDX-License-Identifier: GPL-2.0-or-later
 * config.h - the "config" object of an OCI image config, and Dockerfile-like changes to it.
 * Meaning: OCI image-spec, config.md; docker adds Healthcheck. */
#ifndef MYCOMPOSE_IMAGE_CONFIG_H
#define MYCOMPOSE_IMAGE_CONFIG_H

#include "engine/base/json.h"
#include "engine/image/image.h"

void config_release(struct image_config *config);
void config_copy(struct image_config *to, const struct image_config *from);
/* The "config" object; NULL or null is an empty one. On failure `ret` is empty. */
int config_from_json(const struct json *object, struct image_config *ret, struct error *err);
struct json *config_to_json(const struct image_config *config);
/* All lines in order. As in a Dockerfile, an ENTRYPOINT without a CMD beside it clears the old CMD.
 */
int config_change_all(struct image_config *config, char *const *lines, struct error *err);
/* The words behind HEALTHCHECK: [OPTIONS] CMD command, or NONE. */
int config_change_healthcheck(struct image_config *config, const char *text, struct error *err);

#endif
