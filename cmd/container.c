/* SPDX-License-Identifier: GPL-2.0-or-later
 * container.c - `container …`: the shared verbs in docker's meaning, whatever project is near. */
#include "cmd/verbs.h"

static const struct verb *const children[] = {
	&verb_attach,
	&verb_commit,
	&verb_cp,
	&verb_exec,
	&verb_export,
	&verb_container_inspect,
	&verb_kill,
	&verb_logs,
	&verb_container_ls,
	&verb_pause,
	&verb_port,
	&verb_container_prune,
	&verb_ps,
	&verb_restart,
	&verb_rm,
	&verb_run,
	&verb_start,
	&verb_stats,
	&verb_stop,
	&verb_top,
	&verb_unpause,
	&verb_wait,
	NULL,
};

const struct verb verb_container = {
	.name = "container",
	.summary = "Work with containers by name, never with services",
	.children = children,
	.ad_hoc_children = true,
};
