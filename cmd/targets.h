/* SPDX-License-Identifier: GPL-2.0-or-later
 * targets.h - the one rule for verbs that docker and Compose share: what do the operands mean?
 *
 * If a project is loaded (or named) and the first operand is a service of it, or there is none, the
 * verb means services; else containers by name or id. A word with '/', ':', '@' or a leading '.' is
 * never a service. */
#ifndef MYCOMPOSE_CMD_TARGETS_H
#define MYCOMPOSE_CMD_TARGETS_H

#include "cmd/verb.h"
#include "engine/container/container.h"
#include "engine/supervisor/control.h"

enum target_kind { TARGET_SERVICES, TARGET_CONTAINERS };

/* `word` NULL: no operand. -EINVAL when neither can be meant: the project's load error if a service
 * could have been meant, else
 * `'mycompose VERB' requires at least 1 argument`. */
int target_kind_of(struct app *app, const char *word, enum target_kind *ret, struct error *err);
bool app_is_service(const struct app *app, const char *word);

/* Send one request for a container to its group's supervisor and wait for the reply; where there is
 * none, a new process becomes it for as long as something of the group runs. */
int target_request(struct app *app, const struct container *container,
	const struct request *request, struct error *err);

/* The group runs and nobody minds it: a process of its own does from now on, until nothing of it
 * runs any more. What is wrong has been told. */
int target_mind(struct app *app, const char *group, struct error *err);

/* Do `act` for each container named (with --dry-run: say so only); print each name as typed on
 * success, errors as they come.
 * Returns the exit code. */
int targets_each(struct app *app, char *const *names,
	int (*act)(
		struct app *app, const struct container *container, void *arg, struct error *err),
	void *arg);

#endif
