/* SPDX-License-Identifier: GPL-2.0-or-later
 * image_defaults.c - an image's config and the user's words become a spec. */
#include "engine/container/image_defaults.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/container/healthcheck.h"
#include "engine/container/paths.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Labels that say which project an object belongs to. */
static const char *const reserved_label_prefixes[] = {
	"com.docker.compose.",
	"mycompose.",
};

static const char *non_empty(const char *s)
{
	return s && *s ? s : NULL;
}

static int choose_args(const struct image_config *config, const struct spec_overrides *overrides,
	char ***ret, struct error *err)
{
	char *const *entrypoint =
		overrides->entrypoint_set ? overrides->entrypoint : config->entrypoint;
	char *const *command = overrides->command_set	   ? overrides->command
			       : overrides->entrypoint_set ? NULL
							   : config->cmd;
	char **args = NULL;

	if (strv_length(entrypoint) != 1 || *entrypoint[0])
		strv_extend(&args, entrypoint);
	strv_extend(&args, command);
	if (strv_length(args) == 0) {
		strv_free(args);
		return error_set(err, -EINVAL, "No command specified");
	}
	*ret = args;
	return 0;
}

static int choose_env(const struct spec *spec, const struct image_config *config,
	const struct spec_overrides *overrides, char ***ret, struct error *err)
{
	cleanup_strv char **env = NULL;

	env_set(&env, "PATH", DEFAULT_PATH);
	if (spec->hostname)
		env_set(&env, "HOSTNAME", spec->hostname);
	if (spec->terminal)
		env_set(&env, "TERM", "xterm");
	for (char **entry = config->env; entry && *entry; entry++) {
		char *const one[] = { *entry, NULL };

		if (**entry != '=' && strchr(*entry, '='))
			env_merge(&env, one);
	}
	for (char *const *entry = overrides->env; entry && *entry; entry++) {
		char *const one[] = { *entry, NULL };

		if (**entry == '=' || **entry == '\0')
			return error_set(
				err, -EINVAL, "invalid environment variable: '%s'", *entry);
		if (strchr(*entry, '='))
			env_merge(&env, one);
		else
			env_set(&env, *entry, NULL);
	}
	*ret = steal_ptr(env);
	return 0;
}

static bool has_mount_at(const struct spec *spec, const char *clean)
{
	for (size_t i = 0; i < spec->mount_count; i++) {
		cleanup_free char *destination = path_clean(spec->mounts[i].destination);

		if (strcmp(destination, clean) == 0)
			return true;
	}
	return false;
}

/* Two VOLUMEs of an image may be one path in two spellings. */
static void add_volumes(struct spec *spec, const struct image_config *config)
{
	for (char **path = config->volumes; path && *path; path++) {
		cleanup_free char *clean = path_clean(*path);
		char name[ID_LENGTH + 1];

		if (has_mount_at(spec, clean))
			continue;
		id_random(name);
		struct spec_mount *mount = array_add(spec->mounts, spec->mount_count);

		mount->type = MOUNT_VOLUME;
		mount->source = xstrdup(name);
		mount->destination = steal_ptr(clean);
		mount->anonymous = true;
	}
}

static void replace_string(char **p, const char *s)
{
	free(*p);
	*p = xstrdup(s);
}

int spec_apply_image(struct spec *spec, const struct image_config *config,
	const struct spec_overrides *overrides, struct error *err)
{
	const char *cwd = non_empty(overrides->cwd);
	const char *user = non_empty(overrides->user);
	cleanup_strv char **args = NULL, **env = NULL;
	int r;

	if (cwd && *cwd != '/')
		return error_set(err, -EINVAL,
			"the working directory '%s' is invalid, it needs to be an absolute path",
			cwd);
	r = choose_args(config, overrides, &args, err);
	if (r == 0)
		r = choose_env(spec, config, overrides, &env, err);
	if (r < 0)
		return r;
	strv_free(spec->args);
	spec->args = steal_ptr(args);
	strv_free(spec->env);
	spec->env = steal_ptr(env);
	replace_string(&spec->user, user ? user : non_empty(config->user));
	free(spec->cwd);
	/* An image's working directory may be written without its slash. */
	spec->cwd = cwd				     ? xstrdup(cwd)
		    : non_empty(config->working_dir) ? path_clean(config->working_dir)
						     : NULL;
	add_volumes(spec, config);
	return 0;
}

static bool is_reserved_label(const char *label)
{
	for (size_t i = 0; i < ARRAY_LEN(reserved_label_prefixes); i++) {
		const char *prefix = reserved_label_prefixes[i];

		if (strncmp(label, prefix, strlen(prefix)) == 0)
			return true;
	}
	return false;
}

static void merge_labels(struct container *container, const struct image_config *config)
{
	cleanup_strv char **own = steal_ptr(container->labels);

	for (char **label = config->labels; label && *label; label++) {
		if (!is_reserved_label(*label))
			strv_add(&container->labels, *label);
	}
	env_merge(&container->labels, own);
	if (container->labels)
		strv_sort(container->labels);
}

int container_apply_image(struct container *container, const struct image *image,
	const struct spec_overrides *overrides, struct error *err)
{
	const char *stop_signal = non_empty(overrides->stop_signal);
	int number = container->stop_signal;
	int r;

	if (!stop_signal)
		stop_signal = non_empty(image->config.stop_signal);
	r = stop_signal ? signal_parse(stop_signal, &number, err) : 0;
	if (r == 0)
		r = healthcheck_inherit(
			&container->healthcheck, image->config.healthcheck_json, err);
	if (r == 0)
		r = spec_apply_image(&container->spec, &image->config, overrides, err);
	if (r < 0)
		return r;
	container->stop_signal = number;
	if (!container->healthcheck.shell)
		container->healthcheck.shell = strv_copy(image->config.shell);
	replace_string(&container->image_id, image->id);
	strv_free(container->chain_ids);
	container->chain_ids = strv_copy(image->chain_ids);
	for (char **port = image->config.exposed_ports; port && *port; port++) {
		if (!strv_contains(container->exposed, *port))
			strv_add(&container->exposed, *port);
	}
	merge_labels(container, &image->config);
	return 0;
}
