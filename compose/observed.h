/* SPDX-License-Identifier: GPL-2.0-or-later
 * observed.h - what is there: the containers, networks and volumes that carry a project's labels.
 *
 * Plain data, filled by observe.c from the engine and by tests from thin air; the planner compares
 * it with the model. May depend on: engine/base/. Ownership: everything lives in the arena of the
 * struct. */
#ifndef MYCOMPOSE_COMPOSE_OBSERVED_H
#define MYCOMPOSE_COMPOSE_OBSERVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/base/arena.h"

enum observed_status {
	OBSERVED_CREATED,
	OBSERVED_RUNNING,
	OBSERVED_PAUSED,
	OBSERVED_RESTARTING,
	OBSERVED_EXITED,
};

enum observed_health {
	OBSERVED_NO_HEALTHCHECK,
	OBSERVED_HEALTH_STARTING,
	OBSERVED_HEALTHY,
	OBSERVED_UNHEALTHY,
};

struct observed_container {
	const char *id;
	const char *name;
	const char *service; /* label com.docker.compose.service, "" when missing */
	unsigned int number; /* label container-number, 0 for one-offs */
	bool one_off;
	const char *config_hash;
	const char *image_id;
	enum observed_status status;
	enum observed_health health; /* of one that does not run: unhealthy if it has a check */
	int exit_code;		     /* of one that has exited; -1: not known */
	pid_t pid;		     /* of a running one, else 0 */
	/* Once it has been looked for (observe_damage): what a running one has lost and cannot be
	 * given again; NULL = nothing. */
	const char *damage;
	char **networks;    /* names it is attached to */
	char **mounts;	    /* where mounts were made in it that nobody inside can take away */
	char **shares;	    /* ids of containers whose namespaces it uses */
	char **depends_on;  /* services, from the label: order of stopping without a file */
	char **depends_how; /* of each: "service_healthy:true", condition and whether it restarts
			       with it */
};

struct observed_network {
	const char *name;
	const char *key;	 /* label com.docker.compose.network */
	const char *config_hash; /* "" when unlabelled */
};

struct observed_volume {
	const char *name;
	const char *key;
	const char *config_hash; /* "" when unlabelled */
};

struct observed {
	struct arena *arena;
	const char *project;
	struct observed_container *containers; /* by service, number, name */
	size_t container_count;
	struct observed_network *networks; /* the project's own, by name */
	size_t network_count;
	struct observed_volume *volumes; /* the project's own, by name */
	size_t volume_count;
};

void observed_release(struct observed *observed);
#define cleanup_observed __attribute__((cleanup(observed_release)))

/* Sort into the order the struct promises. */
void observed_sort(struct observed *observed);

#endif
