/* SPDX-License-Identifier: GPL-2.0-or-later
 * apply_internal.h - what apply's scheduler and its action handlers share. */
#ifndef MYCOMPOSE_COMPOSE_APPLY_INTERNAL_H
#define MYCOMPOSE_COMPOSE_APPLY_INTERNAL_H

#include "compose/apply.h"
#include "engine/container/volume.h"

enum step_phase { STEP_WAITING, STEP_UNDER_WAY, STEP_DONE, STEP_FAILED };

struct apply_step {
	enum step_phase phase;
	uint64_t tag;		     /* of the request, while under way */
	struct control *own_control; /* STOP of a one-off: its group's, while under way; owned */
	struct container *container; /* CREATE: what was made; owned */
	bool prepared;		     /* START: addresses chosen */
	bool is_forgiven;	     /* it failed, and that is not the plan's failure */
	char container_id[ID_LENGTH + 1]; /* of a request or a gate */
	/* Gates, see apply_gates.c: */
	bool is_held; /* it is so far, and must stay so until held_until_ns (monotonic) */
	int64_t held_until_ns;
	int64_t told_until_ns; /* gates: until then an end that nobody saw may still be told */
	int64_t deadline_ns;   /* INT64_MAX = none */
};

struct apply {
	const struct plan *plan;
	const struct apply_options *options;
	struct apply_step *steps;	   /* one per action */
	size_t under_way;		   /* requests */
	size_t open_gates;		   /* gates that wait */
	bool firewall_told;		   /* warnings about it are for once */
	struct volume_users *volume_users; /* for all removals of the plan */
	struct error failure;		   /* the first one */
};

/* One row a kind. `begin` does the action, or submits it and notes the tag; `finished` tells the
 * user about a successful reply. Gates: `begin` says 1 when there is nothing to wait for. */
struct apply_handler {
	int (*begin)(struct apply *apply, size_t index, struct error *err);
	void (*finished)(struct apply *apply, size_t index);
};
extern const struct apply_handler apply_handlers[PLAN_KIND_COUNT];

int gate_begin(struct apply *apply, size_t index, struct error *err);
/* Again, later: 1 = open, 0 = wait on, negative = it never will. -ETIMEDOUT: --wait-timeout. */
int gate_look(struct apply *apply, size_t index, struct error *err);
void gate_finished(struct apply *apply, size_t index);
bool gate_is_about(const struct apply *apply, size_t index, const char *container_id);
/* Until when it must be looked at even if nothing happens; -1 = never. */
int gate_timeout_ms(const struct apply *apply, size_t index);

void apply_progress(const struct apply *apply, const struct plan_action *action, const char *text,
	enum progress_status status, const char *details);

/* Choose addresses for every start whose container is there and whose place is free, then make the
 * firewall agree in one go. On failure *ret_index is the action to blame. */
int apply_prepare_starts(struct apply *apply, size_t *ret_index, struct error *err);

/* What goes on running may have lost its bridge or its rules to others (the reload of a host
 * firewall, a link deleted by hand): put back what is missing. */
int apply_repair_networks(
	const struct plan *plan, const struct apply_options *options, struct error *err);

/* The container an action is about: the one it names by id, or the one created for its slot in this
 * plan. -ENOENT. Heap. */
int apply_container(struct apply *apply, const struct plan_action *action, struct container **ret,
	struct error *err);

/* "FILE:LINE:COL: services.NAME.KEY: " before what the engine said: where the key's value stands,
 * or the mark given, else the service. Return err's code. */
int service_wrap_key(struct error *err, const struct service *service, const char *key);
int service_wrap_at(
	struct error *err, const struct service *service, const char *key, const struct mark *mark);
/* service_limits.c */
int service_fill_limits(const struct engine *engine, const struct project *project,
	const struct service *service, struct container *container, struct error *err);

#endif
