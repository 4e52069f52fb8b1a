/* SPDX-License-Identifier: GPL-2.0-or-later
 * image.c - `image …`: the image verbs under one roof, and inspect and tag. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/inspect.h"
#include "cmd/verbs.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

/* Names with a tag and names with a digest. */
static void split_names(const struct image *image, struct json *tags, struct json *digests)
{
	for (size_t i = 0; i < strv_length(image->names); i++)
		json_append_string(strchr(image->names[i], '@') ? digests : tags, image->names[i]);
}

static int describe(
	const struct engine *engine, const char *name, struct json **ret, struct error *err)
{
	cleanup_image struct image *image = NULL;
	struct json *object, *tags, *digests, *root_fs;
	int r = image_find(engine, name, &image, err);

	if (r < 0)
		return r;
	object = json_new_object();
	tags = json_new_array();
	digests = json_new_array();
	split_names(image, tags, digests);
	json_set_string(object, "Id", image->id);
	json_set(object, "RepoTags", tags);
	json_set(object, "RepoDigests", digests);
	inspect_time(object, "Created", image->created_ns);
	json_set(object, "Config", inspect_image_config(&image->config));
	json_set_string(object, "Architecture", image->architecture);
	json_set_string(object, "Os", image->os);
	json_set_u64(object, "Size", image->size);
	root_fs = json_new_object();
	json_set_string(root_fs, "Type", "layers");
	json_set(root_fs, "Layers", inspect_list(image->diff_ids));
	json_set(object, "RootFS", root_fs);
	*ret = object;
	return 0;
}

static int run_inspect(struct app *app, void *options, char **args, struct error *err)
{
	return inspect_each(app, options, args, describe, err);
}

static int run_tag(struct app *app, void *options, char **args, struct error *err)
{
	cleanup_image struct image *image = NULL;
	int r = app_need_operands(app, args, 2, 2, err);

	(void)options;
	if (r == 0)
		r = image_find(&app->engine, args[0], &image, err);
	return r < 0 ? r : image_tag(&app->engine, image, args[1], err);
}

const struct verb verb_image_inspect = {
	.name = "inspect",
	.usage = "[OPTIONS] IMAGE...",
	.summary = "Show all that is known of images",
	.flags = inspect_flags,
	.options_size = sizeof(struct inspect_options),
	.needs = NEEDS_ENGINE,
	.flags_anywhere = true,
	.run = run_inspect,
};

const struct verb verb_image_tag = {
	.name = "tag",
	.usage = "IMAGE NAME[:TAG]",
	.summary = "Give an image one more name",
	.needs = NEEDS_ENGINE | NO_DRY_RUN,
	.flags_anywhere = true,
	.run = run_tag,
};

static const struct verb *const children[] = {
	&verb_import,
	&verb_image_inspect,
	&verb_load,
	&verb_image_ls,
	&verb_image_rm,
	&verb_save,
	&verb_image_tag,
	NULL,
};

const struct verb verb_image = {
	.name = "image",
	.summary = "Work with images",
	.children = children,
	.ad_hoc_children = true,
};
