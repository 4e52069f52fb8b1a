/* SPDX-License-Identifier: GPL-2.0-or-later
 * plan.h - the difference between what is declared and what is there, as ordered actions with
 * reasons.
 *
 * Pure: no fd, clock, environment or log inside; the same input gives the same plan, byte for byte.
 * Each action may be repeated safely, so an interrupted apply needs no repair of its own: observe
 * again, plan again. May depend on: engine/base/, model.h, observed.h. Ownership: the plan's arena
 * holds its actions; their strings may point into the project and the observed state, which must
 * outlive it. */
#ifndef MYCOMPOSE_COMPOSE_PLAN_H
#define MYCOMPOSE_COMPOSE_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "compose/model.h"
#include "compose/observed.h"
#include "engine/base/strbuf.h"

enum plan_kind {
	PLAN_CREATE_NETWORK,
	PLAN_CREATE_VOLUME,
	PLAN_CREATE, /* a container for a slot; under a temporary name when it replaces one */
	PLAN_RENAME, /* the slot's container gets its proper name */
	PLAN_START,  /* the slot's container, or an existing one */
	PLAN_STOP,
	PLAN_RESTART,
	PLAN_REMOVE, /* a stopped container */
	PLAN_REMOVE_NETWORK,
	PLAN_REMOVE_VOLUME,
	PLAN_KEEP, /* nothing to do for this container: shown as Running */
	/* Gates: what comes after them waits until the container is so far. They change nothing. */
	PLAN_WAIT_HEALTHY,
	PLAN_WAIT_COMPLETED, /* it has ended, with exit code 0 */
	PLAN_WAIT_READY,     /* healthy if it has a health check, else running */
	PLAN_DELAY,	     /* between the parts of an update */
	PLAN_KIND_COUNT,
};
extern const char *const plan_kind_names[PLAN_KIND_COUNT];

struct plan_action {
	enum plan_kind kind;
	const struct service *service; /* NULL for networks, volumes, orphans */
	unsigned int number;	       /* replica, from 1 */
	const char *name;	       /* the object's final name */
	const char *id; /* an existing container's id; NULL: the one this plan creates for (service,
			   number) */
	bool one_off; /* the existing container is one, so the project's supervisor does not mind it
		       */
	const struct observed_container *replaces; /* CREATE: the container whose place it takes */
	const struct project_network *network;
	const struct project_volume *volume;
	const char *why;
	bool optional;	 /* a gate that nobody insists on: its failure is a warning */
	bool is_wait;	 /* a gate of --wait, so --wait-timeout bounds it */
	int64_t hold_ns; /* WAIT_READY: it must stay so for this long; DELAY: this long */
	bool of_update;	 /* START, WAIT_READY of what an update made: service->update says what its
			    failure means */
	size_t *after;	 /* indexes of actions that must have succeeded */
	size_t after_count;
};

struct plan {
	struct arena *arena;
	struct plan_action *actions;
	size_t count;
};
void plan_release(struct plan *plan);
#define cleanup_plan __attribute__((cleanup(plan_release)))

/* True when nothing but PLAN_KEEP is in it. */
bool plan_is_empty(const struct plan *plan);
/* True when something other than PLAN_KEEP and gates is in it. */
bool plan_changes_something(const struct plan *plan);
bool plan_kind_is_gate(enum plan_kind kind);
/* One line an action, "create container demo-web-1 (not there yet)": dry-run's text and the tests'
 * golden form. */
void plan_print(const struct plan *plan, struct strbuf *out);
/* The form for machines: an array with one object an action. `kind` is plan_kind_names with
 * underscores, `object` what it is done to (container, network, volume), `after` the positions in
 * the array of what must have succeeded before. */
void plan_print_json(const struct plan *plan, struct strbuf *out);

struct plan_image {
	const char *service;
	const char *image_id;
};

enum plan_recreate { PLAN_RECREATE_DIVERGED, PLAN_RECREATE_FORCE, PLAN_RECREATE_NEVER };

struct plan_up_options {
	char *const *services;		 /* named ones with their dependencies; NULL = all */
	const struct plan_image *images; /* image id of every selected service, in any order */
	size_t image_count;
	enum plan_recreate recreate; /* applies to the named services */
	enum plan_recreate recreate_dependencies;
	bool no_deps;
	bool no_start;
	bool remove_orphans;
	bool wait; /* the plan ends when all is running or healthy */
	/* Names of volumes to be made anew, with the containers of the services that use them: what
	 * is in them is lost. NULL = none. */
	char *const *remake_volumes;
	/* A one-off container of this service comes after the plan: of the service's own containers
	 * none is in it, but what it depends on, with the gates; NULL = none. */
	const char *one_off_of;
};
/* -EINVAL "no such service: X"; -ENOENT when an image id is missing. */
int plan_up(const struct project *project, const struct observed *observed,
	const struct plan_up_options *options, struct plan *ret, struct error *err);

struct plan_down_options {
	char *const *services;	/* NULL = all */
	bool remove_containers; /* false: only stop */
	bool remove_networks;
	bool remove_volumes;
	bool remove_orphans; /* also containers of services the file does not know, and one-offs */
};
/* Stop (and remove) in reverse dependency order. `project` may be NULL (by name only): order from
 * the containers' labels. */
int plan_down(const struct project *project, const struct observed *observed,
	const struct plan_down_options *options, struct plan *ret, struct error *err);

/* An update of `service` has failed: its old containers, which are all still there, run again, and
 * those that were to take their places go. */
int plan_rollback(const struct project *project, const struct observed *observed,
	const struct service *service, struct plan *ret, struct error *err);

/* The volume is there, but was made from other words than the file has now. One without a label of
 * them is what the file says. */
bool plan_volume_differs(const struct observed *observed, const struct project_volume *volume);
bool service_uses_volume(const struct service *service, const char *volume_key);

/* deploy.update_config asks for start-first, and nothing that two containers cannot both have (a
 * fixed host port, an address) stands against it. */
bool rollout_overlaps(const struct service *service);

struct plan_start_options {
	char *const *services; /* NULL = all */
	bool wait;	       /* as plan_up_options.wait */
	bool no_deps;	       /* restart: leave out services that follow a dependency's restart */
};
/* start / restart of existing containers in dependency order, with the gates of the dependencies.
 * -ENOENT `service "x" has no container to start`. */
int plan_start(const struct project *project, const struct observed *observed,
	const struct plan_start_options *options, struct plan *ret, struct error *err);
int plan_restart(const struct project *project, const struct observed *observed,
	const struct plan_start_options *options, struct plan *ret, struct error *err);

/* Containers whose service the project does not declare (disabled ones are declared); names in the
 * arena of the plan-less caller: heap strv. */
char **plan_orphans(const struct project *project, const struct observed *observed);

/* Resolve names on a command line against the project: NULL or empty = all enabled; adds
 * dependencies unless no_deps. The result is a flag per project->services index, heap. */
int plan_select(const struct project *project, char *const *services, bool no_deps,
	bool **ret_selected, struct error *err);

#endif
