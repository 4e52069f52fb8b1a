/* SPDX-License-Identifier: GPL-2.0-or-later
 * listed.h - containers with their states, picked and ordered for a listing, and their fields. */
#ifndef MYCOMPOSE_CMD_LISTED_H
#define MYCOMPOSE_CMD_LISTED_H

#include "cmd/format.h"
#include "cmd/verb.h"
#include "engine/container/container.h"

struct listed {
	struct container *container;
	struct container_state state;
};

struct listed_set {
	struct listed *items;
	size_t count;
};
#define LISTED_INIT  \
	{            \
		0, 0 \
	}
#define cleanup_listed __attribute__((cleanup(listed_release)))
void listed_release(struct listed_set *set);

/* All containers of the host / those of one project, by creation. A container that goes away
 * meanwhile is left out. */
int listed_load(const struct engine *engine, const char *project, struct listed_set *ret,
	struct error *err);
/* Keep those for which `keep` says yes. */
void listed_filter(
	struct listed_set *set, bool (*keep)(const struct listed *listed, void *arg), void *arg);
void listed_sort_by_name(struct listed_set *set);
void listed_sort_newest_first(struct listed_set *set);

bool listed_is_up(const struct listed *listed); /* running, paused or restarting */
bool listed_is_one_off(const struct listed *listed);
/* The label's value, "" when absent. */
const char *listed_service(const struct listed *listed);
unsigned int listed_number(const struct listed *listed); /* container-number, 0 = none */

/* Fields in docker's and in Compose's form. */
struct listed_view {
	const struct engine *engine;
	int64_t now_ns;
	bool no_trunc;
	bool with_size;
};
void listed_add_docker(
	const struct listed *listed, const struct listed_view *view, struct format_items *items);
void listed_add_compose(
	const struct listed *listed, const struct listed_view *view, struct format_items *items);

/* The words of a command as docker shows them: joined, cut to 20 characters unless no_trunc, in
 * Go's quotes. Heap. */
char *listed_command_text(char *const *args, bool no_trunc);

#endif
