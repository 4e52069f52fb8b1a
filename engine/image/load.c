/* SPDX-License-Identifier: GPL-2.0-or-later
 * load.c - images from a file or a directory: tell the form, read it, add all or none. */
#include "engine/image/load.h"

#include <errno.h>

#include "engine/base/memory.h"
#include "engine/base/strv.h"

/* A docker archive of today is an OCI layout as well; the layout keeps the manifest as it is
 * signed. */
static const struct {
	const char *file;
	int (*read)(struct load *load, struct error *err);
} forms[] = {
	{ "index.json", load_oci_layout },
	{ "manifest.json", load_docker_archive },
};

static int read_drafts(struct load *load, const char *name, struct error *err)
{
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		int r;

		if (!source_has(load->source, forms[i].file))
			continue;
		r = forms[i].read(load, err);
		if (r == 0 && load->draft_count == 0)
			r = error_set(err, -EINVAL, "no image in it");
		return r < 0 ? error_wrap(err, "%s", name) : 0;
	}
	return error_set(err, -EINVAL,
		"%s: neither a docker archive (manifest.json) nor an OCI layout (index.json); a "
		"root file system is brought in by `mycompose import`",
		name);
}

static char **list_loaded(const struct load *load)
{
	char **loaded = NULL;

	for (size_t i = 0; i < load->draft_count; i++) {
		const struct draft *draft = &load->drafts[i];

		strv_extend(&loaded, draft->names);
		if (!draft->names)
			strv_add(&loaded, draft->content.config.digest);
	}
	return loaded;
}

int image_load(const struct engine *engine, int tar_fd, const char *tar_name, char ***ret_loaded,
	struct error *err)
{
	cleanup_store struct store store = STORE_INIT;
	cleanup_source struct source *source = NULL;
	struct load load = { .store = &store };
	int r = store_open(&store, engine, err);

	if (r == 0)
		r = store_begin(&store, err);
	if (r == 0)
		r = source_open(&source, &store, tar_fd, tar_name, err);
	if (r < 0)
		return r;
	load.source = source;
	r = read_drafts(&load, tar_name, err);
	if (r == 0)
		r = store_add(&store, load.drafts, load.draft_count, err);
	if (r == 0)
		*ret_loaded = list_loaded(&load);
	for (size_t i = 0; i < load.draft_count; i++)
		draft_release(&load.drafts[i]);
	free(load.drafts);
	return r;
}
