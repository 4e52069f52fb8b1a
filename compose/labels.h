/* SPDX-License-Identifier: GPL-2.0-or-later
 * labels.h - the labels by which Compose tools find a project's objects again. */
#ifndef MYCOMPOSE_COMPOSE_LABELS_H
#define MYCOMPOSE_COMPOSE_LABELS_H

#define LABEL_PREFIX	   "com.docker.compose."
#define LABEL_PROJECT	   LABEL_PREFIX "project"
#define LABEL_SERVICE	   LABEL_PREFIX "service"
#define LABEL_NUMBER	   LABEL_PREFIX "container-number"
#define LABEL_ONE_OFF	   LABEL_PREFIX "oneoff" /* "True" / "False" */
#define LABEL_CONFIG_HASH  LABEL_PREFIX "config-hash"
#define LABEL_IMAGE	   LABEL_PREFIX "image"
#define LABEL_DEPENDS_ON   LABEL_PREFIX "depends_on"
#define LABEL_VERSION	   LABEL_PREFIX "version"
#define LABEL_WORKING_DIR  LABEL_PREFIX "project.working_dir"
#define LABEL_CONFIG_FILES LABEL_PREFIX "project.config_files"
#define LABEL_ENV_FILE	   LABEL_PREFIX "project.environment_file"
#define LABEL_REPLACE	   LABEL_PREFIX "replace" /* whose place it is made for, until it has it */
#define LABEL_SLUG	   LABEL_PREFIX "slug"
#define LABEL_NETWORK	   LABEL_PREFIX "network"
#define LABEL_VOLUME	   LABEL_PREFIX "volume"

#endif
