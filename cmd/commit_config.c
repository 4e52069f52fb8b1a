/* SPDX-License-Identifier: GPL-2.0-or-later
 * commit_config.c - a spec turned back into an image config. */
#include "cmd/commit_config.h"

#include <stdlib.h>
#include <string.h>

#include "compose/labels.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/container/healthcheck.h"

/* A spec holds one list of words. As far as they begin with the image's entrypoint, it stays the
 * entrypoint, and the rest is the command. */
static void split_args(
	char *const *args, const struct image_config *parent, struct image_config *ret)
{
	size_t length = strv_length(parent->entrypoint);

	for (size_t i = 0; i < length; i++) {
		if (!args || i >= strv_length(args) || strcmp(args[i], parent->entrypoint[i])) {
			length = 0;
			break;
		}
	}
	if (length)
		ret->entrypoint = strv_copy(parent->entrypoint);
	if (args)
		ret->cmd = strv_copy(args + length);
}

/* What was made for the container only, unless the image or the user said otherwise. */
static void copy_env(const struct spec *spec, const struct image_config *parent, char ***ret)
{
	const struct {
		const char *key;
		const char *made;
	} rows[] = {
		{ "HOSTNAME", spec->hostname },
		{ "TERM", spec->terminal ? "xterm" : NULL },
	};

	*ret = strv_copy(spec->env);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *value = env_get(*ret, rows[i].key);

		if (value && rows[i].made && !strcmp(value, rows[i].made) &&
			!env_get(parent->env, rows[i].key))
			env_set(ret, rows[i].key, NULL);
	}
}

static void copy_labels(char *const *labels, char ***ret)
{
	for (; labels && *labels; labels++)
		if (strncmp(*labels, LABEL_PREFIX, strlen(LABEL_PREFIX)))
			strv_add(ret, *labels);
}

void commit_config_make(const struct container *container, const struct image_config *parent,
	struct image_config *ret)
{
	const struct spec *spec = &container->spec;

	*ret = (struct image_config){
		.user = xstrdup(spec->user),
		.exposed_ports = strv_copy(container->exposed),
		.volumes = strv_copy(parent->volumes),
		.working_dir = xstrdup(spec->cwd),
		.stop_signal = xstrdup(parent->stop_signal),
		.shell = strv_copy(parent->shell),
	};
	if (container->healthcheck.test) {
		cleanup_json struct json *healthcheck =
			healthcheck_to_json(&container->healthcheck);

		ret->healthcheck_json = json_print(healthcheck);
	}
	split_args(spec->args, parent, ret);
	copy_env(spec, parent, &ret->env);
	copy_labels(container->labels, &ret->labels);
}

void commit_config_release(struct image_config *config)
{
	free(config->user);
	strv_free(config->exposed_ports);
	strv_free(config->env);
	strv_free(config->entrypoint);
	strv_free(config->cmd);
	strv_free(config->volumes);
	free(config->working_dir);
	strv_free(config->labels);
	free(config->stop_signal);
	strv_free(config->shell);
	free(config->healthcheck_json);
	*config = (struct image_config){ 0 };
}
