/* SPDX-License-Identifier: GPL-2.0-or-later
 * mount_options.h - -v, --mount and --tmpfs as mounts of a spec. Pure.
 * May depend on: engine/container/spec.h. Meaning: docker run. A mount that stands where the spec
 * already has one takes its place; two given on the command line for one place are an error. */
#ifndef MYCOMPOSE_CMD_MOUNT_OPTIONS_H
#define MYCOMPOSE_CMD_MOUNT_OPTIONS_H

#include "engine/container/spec.h"

struct mount_options {
	char *const *volumes; /* "HOST:DIR[:OPTIONS]", "NAME:DIR", "DIR" */
	char *const *mounts;  /* "type=bind,source=…,target=…" */
	char *const *tmpfs;   /* "DIR[:OPTIONS]" */
	const char *cwd;      /* absolute: base of "./x" */
};
/* -EINVAL with the word that is wrong; the spec's mounts are as they were then. */
int mount_options_apply(const struct mount_options *options, struct spec *spec, struct error *err);

#endif
