/* SPDX-License-Identifier: GPL-2.0-or-later
 * image_defaults.h - what an image says about its containers, combined with what the user says.
 * May depend on: engine/base/, image. Rules: OCI image-spec config.md; docker run. */
#ifndef MYCOMPOSE_CONTAINER_IMAGE_DEFAULTS_H
#define MYCOMPOSE_CONTAINER_IMAGE_DEFAULTS_H

#include <stdbool.h>

#include "engine/base/errors.h"
#include "engine/container/container.h"
#include "engine/image/image.h"

/* The user's words; NULL = not given. Everything stays the caller's. */
struct spec_overrides {
	char *const *entrypoint; /* one "" clears the image's, as `--entrypoint ""` does */
	bool entrypoint_set;	 /* the image's command goes with its entrypoint */
	char *const *command;
	bool command_set;
	char *const *env; /* "KEY=value"; "KEY" alone removes it */
	const char *cwd;
	const char *user;
	const char *stop_signal; /* for container_apply_image */
};

/* Sets args, env, cwd and user of the spec, and adds an anonymous volume for each VOLUME of the
 * image that no mount stands on. The spec's own terminal, hostname and mounts must be set before;
 * its env must not. The environment is, in docker's order: PATH's default, HOSTNAME if a hostname
 * is set, TERM=xterm with a terminal, then the image's, then the user's. HOME is added when the
 * container starts. -EINVAL "No command specified", and for bad names; the spec is as it was then.
 */
int spec_apply_image(struct spec *spec, const struct image_config *config,
	const struct spec_overrides *overrides, struct error *err);

/* The same for a whole container: also image id, chain ids, exposed ports, labels (the container's
 * own win; those by which we find our objects are not taken from an image, HARDENING 5.7), stop
 * signal and what the container's health check does not say itself. image_ref stays the caller's.
 */
int container_apply_image(struct container *container, const struct image *image,
	const struct spec_overrides *overrides, struct error *err);

#endif
