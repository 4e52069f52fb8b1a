/* SPDX-License-Identifier: GPL-2.0-or-later
 * plan_up_internal.h - what the files that plan an `up` share. */
#ifndef MYCOMPOSE_COMPOSE_PLAN_UP_INTERNAL_H
#define MYCOMPOSE_COMPOSE_PLAN_UP_INTERNAL_H

#include <stdint.h>

#include "compose/plan_internal.h"
#include "engine/base/strmap.h"

#define NO_ACTION SIZE_MAX

struct index_list {
	size_t *items;
	size_t count;
};

/* A place (service, number) whose container runs when the plan has been carried out. */
struct slot {
	unsigned int number;
	const struct observed_container *there; /* NULL: this plan makes it */
	size_t start;				/* NO_ACTION: it runs already */
	size_t gates[PLAN_KIND_COUNT][2]; /* by kind and whether optional: index + 1 of the gate */
};

struct up_service {
	bool is_selected;
	bool is_named;	   /* on the command line, or no names were given */
	bool is_recreated; /* at least one container of it */
	struct slot *slots;
	size_t slot_count;
	struct index_list retired; /* where the end of each replaced container begins */
};

struct up {
	const struct project *project;
	const struct observed *observed;
	const struct plan_up_options *options;
	struct plan *plan;
	struct up_service *services; /* one for each of project->services */
	struct strmap
		networks; /* name -> action index + 1 of its creation, while it is not there */
	struct strmap diverged; /* name -> index + 1 of PLAN_REMOVE_NETWORK */
};

void index_list_add(struct up *up, struct index_list *list, size_t index);
void plan_after_list(struct up *up, size_t action, const struct index_list *list);

/* plan_resources.c */
void plan_networks(struct up *up);
/* Containers of services that use a volume which is made anew go first; up->observed is without
 * them from then on. */
void plan_volume_users(struct up *up, struct index_list *ret_removals);
/* Volumes come before containers because container_create makes what is missing, without the
 * project's labels. */
void plan_volumes(struct up *up, const struct index_list *removals, struct index_list *ret_created);
bool touches_diverged_network(const struct up *up, const struct observed_container *container);
/* Running containers that stay as they are (of services not selected, orphans, --no-recreate) but
 * are attached to a network that is made anew: it cannot go while they run, so they stop for that
 * moment. */
void pause_bystanders(struct up *up);

/* plan_gates.c: the starts and gates that something of the service has to wait for. Gates are made
 * where they are first asked for. */
struct index_list gates_before(struct up *up, const struct service *service);
/* Somebody counts on its end, so it is not expected to go on. */
bool is_awaited_job(const struct up *up, const char *name);
/* --wait: for all that is selected. */
void plan_final_gates(struct up *up);
/* The gate of one slot, made at need; NO_ACTION when what is there fulfils it already. */
size_t gate_of(
	struct up *up, size_t service_index, struct slot *slot, enum plan_kind kind, bool optional);

/* plan_up.c: pieces that plan_rollout.c puts together in another order. */
size_t add_slot_action(struct up *up, enum plan_kind kind, const struct service *service,
	unsigned int number, const char *why);
void plan_after_networks(struct up *up, size_t action, const struct service *service);
struct slot *add_slot(struct up *up, size_t service_index, unsigned int number,
	const struct observed_container *there, size_t start);
/* A removal frees the networks that are to be made anew. */
/* ... and stops it before; `previous` comes first. */
size_t stop_and_remove(struct up *up, const struct observed_container *container, size_t previous,
	const char *why);
size_t plan_removal(struct up *up, const struct observed_container *container, const char *why);

/* A container that is to make room. */
struct replacement {
	const struct observed_container *old;
	const struct observed_container *successor; /* made by an earlier attempt; NULL = none */
	const char *why;
};

/* plan_rollout.c: replace them as the service's update_config says. */
void plan_update(struct up *up, size_t service_index, const struct replacement *replacements,
	size_t count, const struct index_list *before);

#endif
