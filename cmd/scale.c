/* SPDX-License-Identifier: GPL-2.0-or-later
 * scale.c - `scale`: other numbers of containers than the file says. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/converge.h"
#include "cmd/verbs.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

struct scale_options {
	struct converge_options common;
};

static const struct flag scale_flags[] = {
	CONVERGE_PLAN_FLAGS(struct scale_options),
	{ 0, "no-deps", FLAG_BOOL, CONVERGE_FLAG(struct scale_options, no_deps), NULL,
		"Leave dependencies alone", 0 },
	FLAG_END,
};

static void scale_defaults(void *options)
{
	converge_defaults(&((struct scale_options *)options)->common);
}

static int run_scale(struct app *app, void *opaque, char **words, struct error *err)
{
	const struct scale_options *options = opaque;
	struct project_run run = { 0 };
	cleanup_strv char **services = NULL;
	int r = app_need_operands(app, words, 1, SIZE_MAX, err);

	if (r == 0)
		r = converge_check(app, &options->common, err);
	if (r == 0)
		r = converge_scale(app->project, words, err);
	if (r < 0)
		return r;
	for (char **word = words; *word; word++) {
		cleanup_free char *name = xstrndup(*word, strcspn(*word, "="));

		strv_add(&services, name);
	}
	r = project_check_refusals(app->project, services, err);
	if (r < 0)
		return r;
	r = converge_plan(&run, app, &options->common, services, err);
	return converge_detached(&run, &options->common, r, err);
}

const struct verb verb_scale = {
	.name = "scale",
	.usage = "[OPTIONS] SERVICE=N...",
	.summary = "Run so many containers of services, whatever the file says",
	.flags = scale_flags,
	.options_size = sizeof(struct scale_options),
	.needs = NEEDS_ENGINE | STARTS_PROCESSES | NEEDS_PROJECT,
	.flags_anywhere = true,
	.defaults = scale_defaults,
	.run = run_scale,
};
