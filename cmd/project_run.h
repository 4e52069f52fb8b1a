/* SPDX-License-Identifier: GPL-2.0-or-later
 * project_run.h - the frame around every verb that changes a project: lock, observe, plan (the
 * verb's), apply with progress, detach. */
#ifndef MYCOMPOSE_CMD_PROJECT_RUN_H
#define MYCOMPOSE_CMD_PROJECT_RUN_H

#include "cmd/log_printer.h"
#include "cmd/progress.h"
#include "cmd/verb.h"
#include "compose/apply.h"
#include "compose/observe.h"
#include "compose/plan.h"
#include "engine/supervisor/control.h"

struct project_run {
	struct app *app;
	int lock_fd;
	struct observed observed;
	struct service_images images;
	struct plan plan; /* the verb fills it in between begin and apply */
	struct control *control;
	struct progress *progress;
	struct supervisor_hooks hooks; /* the verb's, for a foreground run */
	int (*tick)(void *arg);	       /* may be NULL */
	void (*event)(const struct event *event, void *arg);
	void *arg;
	bool all_gone; /* the verb has ended all of the project: its supervisor ends too, before we
			  do */
	/* options of the verb, passed to apply */
	int64_t stop_timeout_ns;
	bool hide_starts; /* the output that follows says it */
	bool renew_anonymous_volumes;
	bool remove_anonymous_volumes;
	int64_t wait_timeout_ns; /* 0 = none */
	bool json_plan;		 /* --dry-run prints the plan for machines */
	bool has_changed;	 /* set by apply: the plan did (or would) change something */
	const struct service *failed_update; /* set by apply: to be rolled back */
};

/* "--format" beside --dry-run: NULL, "text" or "json". -EINVAL also without --dry-run. */
int project_run_format(struct project_run *run, const char *format, struct error *err);

/* Take the project's lock (a message when it has to wait) and observe. */
int project_run_begin(struct project_run *run, struct app *app, struct error *err);
/* The plan of an `up` of options->services; the images are looked up here. */
int project_run_plan_up(
	struct project_run *run, const struct plan_up_options *options, struct error *err);
/* Check first what can be checked without touching anything (apply_check), then carry run->plan
 * out. With --dry-run only prints it. The control is opened when the plan or a running container
 * needs one. */
int project_run_apply(struct project_run *run, enum control_mode mode, struct error *err);
/* Open the control without applying anything. */
int project_run_control(struct project_run *run, enum control_mode mode, struct error *err);
/* End of the verb: drop lock and progress, and become the detached supervisor if it is our turn.
 * Returns the exit code; r < 0 keeps `err` for the caller after telling it in the process that the
 * terminal waits for. */
int project_run_finish(struct project_run *run, int r, struct error *err);

/* Let other commands work on the project while this one only watches it. */
void project_run_unlock(struct project_run *run);

/* Is another command working on the project, so that what is seen now is not what will stay? */
bool project_run_is_busy(const struct app *app);

/* Compose's warning about containers of services that nobody declares. */
void project_run_warn_orphans(const struct project_run *run);

/* "-t SEC" of stop, down, up, restart: -1 = not given. */
int64_t timeout_to_ns(int64_t seconds);

#endif
