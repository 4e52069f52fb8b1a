/* SPDX-License-Identifier: GPL-2.0-or-later
 * rmi.c - `rmi`: take names off images, and remove those that have none left. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>

#include "cmd/app.h"
#include "cmd/image_removal.h"
#include "cmd/verbs.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/image/image.h"

struct rmi_options {
	bool force;
	bool no_prune;
};

static const struct flag rmi_flags[] = {
	{ 'f', "force", FLAG_BOOL, offsetof(struct rmi_options, force), NULL,
		"Remove all names of an image, and it even if stopped containers use it", 0 },
	{ 0, "no-prune", FLAG_BOOL, offsetof(struct rmi_options, no_prune), NULL, NULL, 0 },
	FLAG_END,
};

static int remove_one(const struct engine *engine, const char *name, bool force, struct error *err)
{
	struct image_removal removal = { 0 };
	int r = image_remove_unused(engine, name, force, &removal, err);

	for (size_t i = 0; r == 0 && i < strv_length(removal.untagged); i++)
		printf("Untagged: %s\n", removal.untagged[i]);
	for (size_t i = 0; r == 0 && i < strv_length(removal.deleted); i++)
		printf("Deleted: %s\n", removal.deleted[i]);
	image_removal_release(&removal);
	return r;
}

static int run_rmi(struct app *app, void *opaque, char **args, struct error *err)
{
	const struct rmi_options *options = opaque;
	int code = 0;
	int r = app_need_operands(app, args, 1, SIZE_MAX, err);

	if (r < 0)
		return r;
	for (; *args; args++) {
		cleanup_error struct error own = ERROR_INIT;

		r = remove_one(&app->engine, *args, options->force, &own);
		if (r == 0)
			continue;
		app_print_error(app, &own);
		/* docker: --force makes a missing image no failure. */
		code = r == -ENOENT && options->force ? code : 1;
	}
	return code;
}

#define RMI_VERB(verb_name, verb_alias)                                                         \
	{                                                                                       \
		.name = verb_name, .alias = verb_alias, .usage = "[OPTIONS] IMAGE...",          \
		.summary = "Remove images", .flags = rmi_flags,                                 \
		.options_size = sizeof(struct rmi_options), .needs = NEEDS_ENGINE | NO_DRY_RUN, \
		.flags_anywhere = true, .run = run_rmi,                                         \
	}

const struct verb verb_rmi = RMI_VERB("rmi", NULL);
const struct verb verb_image_rm = RMI_VERB("rm", "remove");
