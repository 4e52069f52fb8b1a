/* SPDX-License-Identifier: GPL-2.0-or-later
 * spec_check.c - refuse a spec that could not, or must not, become a container. */
#include <errno.h>
#include <string.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/container/id_mapping.h"
#include "engine/container/mount_kinds.h"
#include "engine/container/paths.h"
#include "engine/container/setup.h"
#include "engine/container/spec.h"

static int check_env(const struct spec *spec, struct error *err)
{
	for (char **entry = spec->env; entry && *entry; entry++) {
		if (**entry == '=' || **entry == '\0' || !strchr(*entry, '='))
			return error_set(
				err, -EINVAL, "invalid environment variable: '%s'", *entry);
	}
	return 0;
}

/* Nothing may hide the masks of /proc, nor stand in the root's own place. */
static int check_destination(const char *destination, struct error *err)
{
	cleanup_free char *clean = path_clean(destination);

	if (destination[0] != '/')
		return error_set(err, -EINVAL,
			"invalid mount path: '%s' mount path must be absolute", destination);
	if (strcmp(clean, "/") == 0)
		return error_set(err, -EINVAL, "invalid mount path: '%s': destination can't be '/'",
			destination);
	if (path_is_below(clean, "/proc"))
		return error_set(err, -EINVAL,
			"invalid mount path: '%s' is in /proc, which is the container's own",
			destination);
	return 0;
}

static int check_source(const struct spec_mount *mount, struct error *err)
{
	if (mount->type == MOUNT_BIND && (!mount->source || mount->source[0] != '/'))
		return error_set(err, -EINVAL,
			"invalid mount source for %s: '%s' is not an absolute path",
			mount->destination, mount->source ? mount->source : "");
	if (mount->type == MOUNT_IMAGE && (!mount->source || !*mount->source))
		return error_set(err, -EINVAL, "invalid mount source for %s: no image is named",
			mount->destination);
	if (mount->type == MOUNT_VOLUME && (!mount->source || !name_is_safe(mount->source)))
		return error_set(err, -EINVAL,
			"\"%s\" includes invalid characters for a local volume name, only "
			"\"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed",
			mount->source ? mount->source : "");
	return 0;
}

/* Docker's rules for what needs what. */
static int check_options(const struct spec_mount *mount, struct error *err)
{
	int r = subpath_check(mount, err);

	if (r == 0)
		r = tmpfs_check(mount, err);
	if (r < 0)
		return error_wrap(err, "mount '%s'", mount->destination);
	if (!propagation_is_known(mount->propagation))
		return error_set(err, -EINVAL, "mount '%s': unknown propagation '%s'",
			mount->destination, mount->propagation);
	if (mount->recursion != MOUNT_RECURSE_READONLY)
		return 0;
	if (!mount->read_only)
		return error_set(err, -EINVAL,
			"mount '%s': recursive 'readonly' needs the mount to be read-only",
			mount->destination);
	if (mount->propagation && strcmp(mount->propagation, "rprivate") != 0)
		return error_set(err, -EINVAL,
			"mount '%s': recursive 'readonly' needs propagation 'rprivate'",
			mount->destination);
	return 0;
}

static int check_mounts(const struct spec *spec, struct error *err)
{
	for (size_t i = 0; i < spec->mount_count; i++) {
		const struct spec_mount *mount = &spec->mounts[i];

		if (!mount->destination)
			return error_set(err, -EINVAL, "a mount has no destination");
		int r = check_destination(mount->destination, err);

		if (r == 0)
			r = check_source(mount, err);
		if (r == 0)
			r = check_options(mount, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_grants(const struct spec *spec, struct error *err)
{
	for (size_t i = 0; i < spec->grant_count; i++) {
		int r = check_destination(spec->grants[i].destination, err);

		if (r < 0)
			return error_wrap(err, "%s", spec->grants[i].name);
	}
	return 0;
}

static int check_sysctls(const struct spec *spec, struct error *err)
{
	for (char **entry = spec->sysctl; entry && *entry; entry++) {
		cleanup_free char *key = xstrndup(*entry, strcspn(*entry, "="));
		int r = sysctl_check(key, spec, err);

		if (r < 0)
			return r;
		if (!strchr(*entry, '='))
			return error_set(err, -EINVAL, "sysctl '%s' has no value", key);
	}
	return 0;
}

int spec_check_devices(const struct spec *spec, struct error *err)
{
	struct device_node *nodes = NULL;
	size_t count = 0;
	int r = devices_find(spec, &nodes, &count, err);

	device_nodes_free(nodes, count);
	return r;
}

static int check_resources(const struct spec *spec, struct error *err)
{
	return cgroup_resources_check(&spec->resources, err);
}

int spec_check(const struct spec *spec, struct error *err)
{
	static int (*const checks[])(const struct spec *spec, struct error *err) = {
		check_env,
		check_mounts,
		check_grants,
		check_sysctls,
		check_resources,
		id_mapping_check,
		id_mapping_check_rest,
		spec_check_devices,
	};

	if (strv_length(spec->args) == 0)
		return error_set(err, -EINVAL, "No command specified");
	if (spec->cwd && spec->cwd[0] != '/')
		return error_set(err, -EINVAL,
			"the working directory '%s' is invalid, it needs to be an absolute path",
			spec->cwd);
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		int r = checks[i](spec, err);

		if (r < 0)
			return r;
	}
	return 0;
}
