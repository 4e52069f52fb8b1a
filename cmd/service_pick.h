/* SPDX-License-Identifier: GPL-2.0-or-later
 * service_pick.h - the one container that a verb means when it names a service. */
#ifndef MYCOMPOSE_CMD_SERVICE_PICK_H
#define MYCOMPOSE_CMD_SERVICE_PICK_H

#include "cmd/verb.h"
#include "engine/container/container.h"

struct service_pick {
	const char *service;
	int64_t index; /* container number, 0 = the lowest there is */
	bool must_run; /* running or paused ones only */
};
/* The lowest number; one-off containers only when there is no other. -ESRCH: `service "x" is not
 * running`, `service "x" is not running container #2`. */
int service_pick(struct app *app, const struct service_pick *pick, struct container **ret,
	struct error *err);

#endif
