/* SPDX-License-Identifier: GPL-2.0-or-later
 * config.c - `config`: the file as it is understood, or one list out of it. */
#include "compose/config.h"

#include <errno.h>
#include <fcntl.h>
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

static void write_text(FILE *out, const struct strbuf *text)
{
	fwrite(strbuf_text(text), 1, text->length, out);
}

static int print_document(
	struct app *app, const struct config_options *options, FILE *out, struct error *err)
{
	cleanup_strbuf struct strbuf lock = STRBUF_INIT;
	enum config_format format = CONFIG_YAML;
	int r = choose_format(options->format, &format, err);

	if (r == 0 && (options->lock_image_digests || options->resolve_image_digests))
		r = app_open_engine(app, err);
	if (r == 0 && options->lock_image_digests) {
		r = config_images_lock(&app->engine, app->project, format, &lock, err);
		write_text(out, &lock);
		return r;
	}
	if (r == 0 && options->resolve_image_digests)
		r = config_images_resolve(&app->engine, app->project, err);
	if (r == 0)
		config_print(app->project, format, out);
	return r;
}

static int print_variables(struct app *app, char **services, FILE *out, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct compose_options load_options;
	int r;

	app_compose_options(app, services, &load_options);
	r = config_list_variables(&load_options, &text, err);
	write_text(out, &text);
	return r;
}

struct printing {
	struct app *app;
	const struct config_options *options;
	char **services;
	const char *path; /* of the file; NULL: standard output */
};

/* --variables reads the files by itself. */
static bool is_of_variables(const struct config_options *options)
{
	return options->variables && !wants_list(options);
}

static int print(const struct printing *p, FILE *out, struct error *err)
{
	cleanup_strbuf struct strbuf list = STRBUF_INIT;
	int r;

	if (is_of_variables(p->options))
		return print_variables(p->app, p->services, out, err);
	r = print_list(p->app->project, p->options, &list, err);
	if (r == 0)
		return print_document(p->app, p->options, out, err);
	write_text(out, &list);
	return r < 0 ? r : 0;
}

static int print_to_file(int fd, void *arg, struct error *err)
{
	const struct printing *p = arg;
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0), r;
	FILE *out = copy < 0 ? NULL : fdopen(copy, "w");
	bool is_lost;

	if (!out) {
		r = error_sys(err, -errno, "write '%s'", p->path);
		close_fd(&copy);
		return r;
	}
	r = print(p, out, err);
	is_lost = ferror(out) != 0;
	if ((fclose(out) != 0 || is_lost) && r == 0)
		r = error_sys(err, errno ? -errno : -EIO, "write '%s'", p->path);
	return r;
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
	struct printing printing = { app, options, services,
		options->quiet ? "/dev/null" : options->output };
	int r = is_of_variables(options) ? 0 : load(app, options, services, err);

	if (r < 0)
		return r;
	return printing.path ? output_file_write(printing.path, print_to_file, &printing, err)
			     : print(&printing, stdout, err);
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
