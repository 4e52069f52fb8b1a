/* SPDX-License-Identifier: GPL-2.0-or-later
 * config.c - `config`: the file as it is understood, or one list out of it. */
#include "compose/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/config_images.h"
#include "cmd/output_file.h"
#include "cmd/verbs.h"
#include "compose/node.h"
#include "compose/plan.h"
#include "engine/base/files.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

struct config_options {
	bool quiet;
	bool no_interpolate;
	bool no_normalize;
	bool no_path_resolution;
	bool no_consistency;
	bool no_env_resolution;
	bool resolve_image_digests;
	bool lock_image_digests;
	bool services;
	bool volumes;
	bool networks;
	bool models;
	bool images;
	bool profiles;
	bool variables;
	bool environment;
	char *hash;
	char *format;
	char *output;
};

#define C(field) offsetof(struct config_options, field)
static const struct flag config_flags[] = {
	{ 0, "format", FLAG_STRING, C(format), "FORMAT", "yaml or json", 0 },
	{ 'o', "output", FLAG_STRING, C(output), "FILE", "Write to a file", 0 },
	{ 'q', "quiet", FLAG_BOOL, C(quiet), NULL, "Only check the file", 0 },
	{ 0, "no-interpolate", FLAG_BOOL, C(no_interpolate), NULL,
		"Leave environment variables as they are written", 0 },
	{ 0, "no-normalize", FLAG_BOOL, C(no_normalize), NULL, "Leave defaults out", 0 },
	{ 0, "no-path-resolution", FLAG_BOOL, C(no_path_resolution), NULL,
		"Leave paths as they are written", 0 },
	{ 0, "no-consistency", FLAG_BOOL, C(no_consistency), NULL,
		"Do not check that references lead somewhere", 0 },
	{ 0, "no-env-resolution", FLAG_BOOL, C(no_env_resolution), NULL, "Do not read env_file",
		0 },
	{ 0, "resolve-image-digests", FLAG_BOOL, C(resolve_image_digests), NULL,
		"Pin images to their digests in the local store", 0 },
	{ 0, "lock-image-digests", FLAG_BOOL, C(lock_image_digests), NULL,
		"Print an override file that pins the images only", 0 },
	{ 0, "services", FLAG_BOOL, C(services), NULL, "List the services", 0 },
	{ 0, "volumes", FLAG_BOOL, C(volumes), NULL, "List the volumes", 0 },
	{ 0, "networks", FLAG_BOOL, C(networks), NULL, "List the networks", 0 },
	{ 0, "models", FLAG_BOOL, C(models), NULL, "List the models", 0 },
	{ 0, "images", FLAG_BOOL, C(images), NULL, "List the images", 0 },
	{ 0, "profiles", FLAG_BOOL, C(profiles), NULL, "List the profiles", 0 },
	{ 0, "hash", FLAG_STRING, C(hash), "SERVICE,…",
		"Print the services' configuration hashes, * for all", 0 },
	{ 0, "variables", FLAG_BOOL, C(variables), NULL, "List the variables the files use", 0 },
	{ 0, "environment", FLAG_BOOL, C(environment), NULL,
		"Print the environment that interpolation sees", 0 },
	FLAG_END,
};

static int choose_format(const char *text, enum config_format *ret, struct error *err)
{
	if (!text || !strcmp(text, "yaml"))
		*ret = CONFIG_YAML;
	else if (!strcmp(text, "json"))
		*ret = CONFIG_JSON;
	else
		return error_set(err, -EINVAL, "unsupported format \"%s\": yaml or json", text);
	return 0;
}

/* Does one of the selected services refer to this top-level key? */
static bool is_used(
	const struct project *project, const bool *selected, const char *section, const char *key)
{
	for (size_t i = 0; i < project->service_count; i++) {
		const struct service *service = &project->services[i];

		if (!selected[i])
			continue;
		for (size_t n = 0; !strcmp(section, "networks") && n < service->network_count; n++)
			if (!strcmp(service->networks[n].key, key))
				return true;
		for (size_t m = 0; !strcmp(section, "volumes") && m < service->mount_count; m++)
			if (service->mounts[m].type == SERVICE_MOUNT_VOLUME &&
				service->mounts[m].source &&
				!strcmp(service->mounts[m].source, key))
				return true;
		for (size_t c = 0; !strcmp(section, "configs") && c < service->config_count; c++)
			if (!strcmp(service->configs[c].source, key))
				return true;
		for (size_t s = 0; !strcmp(section, "secrets") && s < service->secret_count; s++)
			if (!strcmp(service->secrets[s].source, key))
				return true;
	}
	return false;
}

static bool wants_list(const struct config_options *options)
{
	return options->services || options->volumes || options->networks || options->models ||
	       options->hash || options->profiles || options->images;
}

/* Leave the named services with their dependencies, and what they use. */
static int select_services(
	struct project *project, char *const *names, bool keep_resources, struct error *err)
{
	static const char *const sections[] = { "networks", "volumes", "configs", "secrets" };
	struct node *services = node_get(project->tree, "services");
	cleanup_free bool *selected = NULL;
	int r = plan_select(project, names, false, &selected, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < project->service_count; i++)
		if (!selected[i])
			node_remove(services, project->services[i].name);
	for (size_t s = 0; !keep_resources && s < ARRAY_LEN(sections); s++) {
		struct node *section = node_get(project->tree, sections[s]);

		for (size_t i = section ? section->count : 0; i > 0; i--)
			if (!is_used(project, selected, sections[s], section->entries[i - 1].key))
				node_remove_at(section, i - 1);
	}
	return 0;
}

/* The lists, by their precedence. 1 = one was asked for. */
static int print_list(const struct project *project, const struct config_options *options,
	struct strbuf *out, struct error *err)
{
	const struct {
		bool wanted;
		void (*list)(const struct project *project, struct strbuf *out);
	} lists[] = {
		{ options->services, config_list_services },
		{ options->volumes, config_list_volumes },
		{ options->networks, config_list_networks },
		{ options->models, config_list_models },
		{ options->hash != NULL, NULL },
		{ options->profiles, config_list_profiles },
		{ options->images, config_list_images },
	};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		if (!lists[i].wanted)
			continue;
		if (!lists[i].list) {
			int r = config_list_hashes(project, options->hash, out, err);

			return r < 0 ? r : 1;
		}
		lists[i].list(project, out);
		return 1;
	}
	if (!options->environment)
		return 0;
	config_list_environment(project, out);
	return 1;
}

static int print_document(struct app *app, const struct config_options *options, struct strbuf *out,
	struct error *err)
{
	enum config_format format = CONFIG_YAML;
	int r = choose_format(options->format, &format, err);

	if (r < 0)
		return r;
	if (options->lock_image_digests || options->resolve_image_digests) {
		r = app_open_engine(app, err);
		if (r == 0 && options->lock_image_digests)
			return config_images_lock(&app->engine, app->project, format, out, err);
		if (r == 0)
			r = config_images_resolve(&app->engine, app->project, err);
		if (r < 0)
			return r;
	}
	config_print(app->project, format, out);
	return 0;
}

static int write_text(int fd, void *arg, struct error *err)
{
	const struct strbuf *text = arg;

	return fd_write_all(fd, strbuf_text(text), text->length, err);
}

static int write_out(const struct config_options *options, struct strbuf *text, struct error *err)
{
	if (options->quiet)
		return 0;
	if (options->output)
		return output_file_write(options->output, write_text, text, err);
	fwrite(strbuf_text(text), 1, text->length, stdout);
	return 0;
}

static int load(
	struct app *app, const struct config_options *options, char **services, struct error *err)
{
	struct compose_options load_options;
	int r;

	app_compose_options(app, services, &load_options);
	load_options.no_interpolate = options->no_interpolate;
	load_options.no_normalize = options->no_normalize || app->global.compatibility;
	load_options.no_path_resolution = options->no_path_resolution;
	load_options.no_consistency = options->no_consistency;
	load_options.no_env_resolution = options->no_env_resolution;
	load_options.all_services = options->no_interpolate;
	load_options.only_tree = !strv_length(services) && !wants_list(options) &&
				 !options->resolve_image_digests && !options->lock_image_digests;
	r = app_load(app, &load_options, true, err);
	if (r < 0 || !strv_length(services))
		return r;
	if (options->no_interpolate) {
		log_warning("Services are ignored with --no-interpolate: the whole model is shown");
		return 0;
	}
	return select_services(app->project, services, app->global.all_resources, err);
}

static int run_config(struct app *app, void *opaque, char **services, struct error *err)
{
	const struct config_options *options = opaque;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	int r;

	if (options->variables && !wants_list(options)) {
		struct compose_options load_options;

		app_compose_options(app, services, &load_options);
		r = config_list_variables(&load_options, &text, err);
		return r < 0 ? r : write_out(options, &text, err);
	}
	r = load(app, options, services, err);
	if (r == 0)
		r = print_list(app->project, options, &text, err);
	if (r == 0)
		r = print_document(app, options, &text, err);
	return r < 0 ? r : write_out(options, &text, err);
}

const struct verb verb_config = {
	.name = "config",
	.alias = "convert",
	.usage = "[OPTIONS] [SERVICE...]",
	.summary = "Check the Compose file and print it in canonical form",
	.flags = config_flags,
	.options_size = sizeof(struct config_options),
	.flags_anywhere = true,
	.run = run_config,
};
