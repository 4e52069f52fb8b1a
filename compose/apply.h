/* SPDX-License-Identifier: GPL-2.0-or-later
 * apply.h - carry a plan out through the engine.
 * May depend on: engine/. The only part of compose/ that changes anything.
 *
 * Actions whose predecessors have succeeded run at once; starts and stops overlap. After the first
 * failure nothing new begins, requests under way are waited for (gates are not), and the first
 * cause is returned with the service named. */
#ifndef MYCOMPOSE_COMPOSE_APPLY_H
#define MYCOMPOSE_COMPOSE_APPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "compose/model.h"
#include "compose/plan.h"
#include "compose/service_images.h"
#include "engine/engine.h"
#include "engine/supervisor/control.h"

enum progress_status { PROGRESS_WORKING, PROGRESS_DONE, PROGRESS_WARNING, PROGRESS_ERROR };

struct progress_event {
	const char *id;	  /* "Container demo-web-1", "Network demo_default" */
	const char *text; /* "Creating", "Created" … as CLI users know them */
	enum progress_status status;
	const char *details; /* NULL = none */
};

/* The records of the containers that a plan creates, made while it is checked: one for each action,
 * NULL for those that create nothing. */
struct apply_records {
	struct container **items;
	size_t count;
};
void apply_records_release(struct apply_records *records);

struct apply_options {
	const struct engine *engine;
	const struct project *project; /* NULL: by name only */
	const char *project_name;
	struct control *control;
	int64_t stop_timeout_ns; /* -1: each container's own */
	bool renew_anonymous_volumes;
	bool remove_anonymous_volumes; /* down -v */
	int64_t wait_timeout_ns;       /* for the gates of --wait; 0 = for ever */
	struct service_images *images; /* for apply_check */
	struct apply_records *records; /* from apply_check, for all that is created; taken */
	/* Set to the service whose update failed in such a way that it is to be rolled back; may be
	 * NULL. */
	const struct service **failed_update;
	int parallel; /* engine operations under way at once, -1 unlimited */
	void (*progress)(const struct progress_event *event, void *arg);
	/* Events of containers that are no replies (exits …), while the plan runs; may be NULL. */
	void (*event)(const struct event *event, void *arg);
	/* Called after each event and at least ten times a second while something is under way; may
	 * be NULL. Negative: begin nothing new, wait for what is under way, fail with -EINTR
	 * "interrupted". */
	int (*tick)(void *arg);
	void *arg;
};
int apply_plan(const struct plan *plan, const struct apply_options *options, struct error *err);

/* Before anything is touched: images there, external networks and volumes there, bind sources
 * there, host ports free (those that this plan's containers would newly publish). Every problem
 * with its place in the file. */
int apply_check(const struct plan *plan, const struct apply_options *options,
	struct apply_records *ret, struct error *err);

/* The container that a service asks for. `number` 0 makes a one-off (`run`). The labels are
 * complete; the name is the caller's. */
int service_to_container(struct service_images *images, const struct project *project,
	const struct service *service, unsigned int number, struct container **ret,
	struct error *err);
/* PROJECT-SERVICE-N or container_name. Heap. */
char *service_container_name(
	const struct project *project, const struct service *service, unsigned int number);

#endif
