/* SPDX-License-Identifier: GPL-2.0-or-later
 * prune.c - `container prune`, `network prune`, `volume prune`: what nobody uses. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/confirm.h"
#include "cmd/listed.h"
#include "cmd/tree_size.h"
#include "cmd/verbs.h"
#include "cmd/volume_listing.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"
#include "engine/container/volume.h"
#include "engine/net/network.h"

struct prune_options {
	bool force;
	bool all;
	char **filters;
};

#define P(field) offsetof(struct prune_options, field)
#define PRUNE_FLAGS                                                   \
	{ 'f', "force", FLAG_BOOL, P(force), NULL, "Do not ask", 0 }, \
	{                                                             \
		0, "filter", FLAG_LIST, P(filters), "KEY=VALUE",      \
			"Only what matches: label=KEY[=VALUE]", 0     \
	}
static const struct flag prune_flags[] = { PRUNE_FLAGS, FLAG_END };
static const struct flag volume_prune_flags[] = {
	PRUNE_FLAGS,
	{ 'a', "all", FLAG_BOOL, P(all), NULL, "Named volumes too, not only anonymous ones", 0 },
	FLAG_END,
};

/* One that cannot be removed stays, with a word; the others go. */
struct pruned {
	const struct app *app;
	char **names;
	uint64_t bytes;
	int code;
};

static void note(struct pruned *pruned, const char *name, int r, const struct error *err)
{
	if (r == 0) {
		strv_add(&pruned->names, name);
		return;
	}
	app_print_error(pruned->app, err);
	pruned->code = 1;
}

static int finish(struct pruned *pruned, const char *title, bool with_space)
{
	if (pruned->names) {
		printf("%s:\n", title);
		for (char **name = pruned->names; *name; name++)
			printf("%s\n", *name);
		putchar('\n');
	}
	if (with_space) {
		cleanup_free char *size = format_size(pruned->bytes);

		printf("Total reclaimed space: %s\n", size);
	}
	strv_free(pruned->names);
	return pruned->code;
}

/* 1 = go on, 0 = not wanted. */
static int prepare(const struct app *app, const struct prune_options *options, char *const *args,
	const char *what, struct error *err)
{
	cleanup_free char *question = xasprintf("WARNING! This will remove %s.\n"
						"Are you sure you want to continue? [y/N] ",
		what);
	int r = app_need_operands(app, args, 0, 0, err);

	for (size_t i = 0; r == 0 && i < strv_length(options->filters); i++)
		if (strncmp(options->filters[i], "label=", strlen("label=")))
			r = error_set(err, -EINVAL, "invalid filter '%s'", options->filters[i]);
	if (r < 0)
		return r;
	return options->force || confirm(question);
}

static bool has_labels(char *const *labels, char *const *filters)
{
	for (; filters && *filters; filters++) {
		const char *wanted = *filters + strlen("label=");
		cleanup_free char *key = xstrndup(wanted, strcspn(wanted, "="));
		const char *value = env_get(labels, key);

		if (!value || (wanted[strlen(key)] && strcmp(value, wanted + strlen(key) + 1)))
			return false;
	}
	return true;
}

static uint64_t bytes_below(const struct engine *engine, const char *path)
{
	uint64_t bytes = 0;

	(void)tree_size(engine->data_fd, path, &bytes, NULL);
	return bytes;
}

static void prune_container(struct app *app, const struct listed *listed,
	struct volume_users *users, struct pruned *pruned)
{
	cleanup_free char *upper = xasprintf("containers/%s/upper", listed->container->id);
	uint64_t bytes = bytes_below(&app->engine, upper);
	cleanup_error struct error err = ERROR_INIT;
	int r = container_remove(&app->engine, listed->container, false, users, &err);

	if (r == 0)
		pruned->bytes += bytes;
	note(pruned, listed->container->id, r, &err);
}

static int run_containers(struct app *app, void *opaque, char **args, struct error *err)
{
	const struct prune_options *options = opaque;
	cleanup_volume_users struct volume_users *users = volume_users_new();
	cleanup_listed struct listed_set set = LISTED_INIT;
	struct pruned pruned = { .app = app };
	int r = prepare(app, options, args, "all stopped containers", err);

	if (r > 0)
		r = listed_load(&app->engine, NULL, &set, err) < 0 ? err->code : 1;
	if (r <= 0)
		return r;
	for (size_t i = 0; i < set.count; i++)
		if (!listed_is_up(&set.items[i]) &&
			has_labels(set.items[i].container->labels, options->filters))
			prune_container(app, &set.items[i], users, &pruned);
	return finish(&pruned, "Deleted Containers", true);
}

/* A network that a stopped container would want back has no endpoint, and docker removes it too;
 * the project's next `up` makes it again. */
static int run_networks(struct app *app, void *opaque, char **args, struct error *err)
{
	const struct prune_options *options = opaque;
	struct network **networks = NULL;
	struct pruned pruned = { .app = app };
	size_t count = 0;
	int r = prepare(
		app, options, args, "all custom networks not used by at least one container", err);

	if (r > 0)
		r = network_list(&app->engine, &networks, &count, err) < 0 ? err->code : 1;
	if (r <= 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		cleanup_error struct error own = ERROR_INIT;

		if (network_is_builtin(networks[i]->name) ||
			!has_labels(networks[i]->labels, options->filters))
			continue;
		r = network_remove(&app->engine, networks[i]->name, &own);
		if (r != -EBUSY)
			note(&pruned, networks[i]->name, r, &own);
	}
	network_list_free(networks, count);
	return finish(&pruned, "Deleted Networks", false);
}

static void prune_volume(
	struct app *app, const char *name, struct volume_users *users, struct pruned *pruned)
{
	cleanup_free char *path = xasprintf("volumes/%s/_data", name);
	uint64_t bytes = bytes_below(&app->engine, path);
	cleanup_error struct error err = ERROR_INIT;
	int r = volume_remove(&app->engine, name, users, &err);

	if (r == -EBUSY || r == -ENOENT)
		return;
	if (r == 0)
		pruned->bytes += bytes;
	note(pruned, name, r, &err);
}

static int run_volumes(struct app *app, void *opaque, char **args, struct error *err)
{
	const struct prune_options *options = opaque;
	cleanup_volume_users struct volume_users *users = volume_users_new();
	struct volume **volumes = NULL;
	struct pruned pruned = { .app = app };
	size_t count = 0;
	int r = prepare(app, options, args,
		options->all ? "all volumes not used by at least one container"
			     : "anonymous local volumes not used by at least one container",
		err);

	if (r > 0)
		r = volume_list(&app->engine, &volumes, &count, err) < 0 ? err->code : 1;
	if (r <= 0)
		return r;
	for (size_t i = 0; i < count; i++)
		if ((options->all || volumes[i]->anonymous) &&
			has_labels(volumes[i]->labels, options->filters))
			prune_volume(app, volumes[i]->name, users, &pruned);
	volume_list_free(volumes, count);
	return finish(&pruned, "Deleted Volumes", true);
}

#define PRUNE_VERB(variable, words, table, function)          \
	const struct verb variable = {                        \
		.name = "prune",                              \
		.usage = "[OPTIONS]",                         \
		.summary = words,                             \
		.flags = table,                               \
		.options_size = sizeof(struct prune_options), \
		.needs = NEEDS_ENGINE | NO_DRY_RUN,           \
		.flags_anywhere = true,                       \
		.run = function,                              \
	}
PRUNE_VERB(verb_container_prune, "Remove all stopped containers", prune_flags, run_containers);
PRUNE_VERB(
	verb_network_prune, "Remove networks that no container is on", prune_flags, run_networks);
PRUNE_VERB(verb_volume_prune, "Remove anonymous volumes that no container uses", volume_prune_flags,
	run_volumes);
