/* SPDX-License-Identifier: GPL-2.0-or-later
 * verbs.h - every verb there is. */
#ifndef MYCOMPOSE_CMD_VERBS_H
#define MYCOMPOSE_CMD_VERBS_H

#include "cmd/verb.h"

extern const struct verb verb_attach, verb_check, verb_commit, verb_config, verb_container, verb_cp,
	verb_create, verb_down, verb_events, verb_exec, verb_export, verb_image, verb_images,
	verb_import, verb_info, verb_kill, verb_load, verb_logs, verb_ls, verb_network, verb_pause,
	verb_port, verb_ps, verb_restart, verb_rm, verb_rmi, verb_run, verb_save, verb_scale,
	verb_start, verb_stats, verb_stop, verb_top, verb_unpause, verb_up, verb_version,
	verb_volume, verb_volumes, verb_wait;

/* Rows of the groups whose names differ from those above. */
extern const struct verb verb_container_inspect, verb_container_ls, verb_container_prune,
	verb_image_inspect, verb_image_ls, verb_image_rm, verb_image_tag, verb_network_prune,
	verb_volume_prune;

#endif
