/* SPDX-License-Identifier: GPL-2.0-or-later
 * spec.c - the field tables of a container's spec: its JSON form and its release follow from them.
 * Member names are the OCI runtime-spec's where it has one (config.md, config-linux.md). */
#include "engine/container/spec.h"

#include <errno.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/container/fields.h"

static const char *const mount_type_names[] = {
	[MOUNT_BIND] = "bind",
	[MOUNT_VOLUME] = "volume",
	[MOUNT_TMPFS] = "tmpfs",
	[MOUNT_IMAGE] = "image",
};

static const char *const mount_recursion_names[] = {
	[MOUNT_RECURSE] = "enabled",
	[MOUNT_RECURSE_NOT] = "disabled",
	[MOUNT_RECURSE_WRITABLE] = "writable",
	[MOUNT_RECURSE_READONLY] = "readonly",
};

int mount_recursion_parse(const char *word, enum mount_recursion *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(mount_recursion_names); i++) {
		if (strcmp(mount_recursion_names[i], word) == 0) {
			*ret = (enum mount_recursion)i;
			return 0;
		}
	}
	return -EINVAL;
}

static const char *const namespace_mode_names[] = {
	[NAMESPACE_PRIVATE] = "private",
	[NAMESPACE_HOST] = "host",
	[NAMESPACE_CONTAINER] = "container",
};

static const struct field mount_fields[] = {
	FIELD_ROW_NAME("type", FIELD_REQUIRED, struct spec_mount, type, mount_type_names),
	FIELD_ROW("source", FIELD_STRING, 0, struct spec_mount, source),
	FIELD_ROW("destination", FIELD_STRING, FIELD_REQUIRED, struct spec_mount, destination),
	FIELD_ROW("readonly", FIELD_BOOL, 0, struct spec_mount, read_only),
	FIELD_ROW("createHostPath", FIELD_BOOL, 0, struct spec_mount, create_host_path),
	FIELD_ROW("noCopy", FIELD_BOOL, 0, struct spec_mount, no_copy),
	FIELD_ROW("anonymous", FIELD_BOOL, 0, struct spec_mount, anonymous),
	FIELD_ROW("tmpfsSize", FIELD_UNSIGNED, 0, struct spec_mount, tmpfs_size),
	FIELD_ROW("tmpfsMode", FIELD_UNSIGNED, 0, struct spec_mount, tmpfs_mode),
	FIELD_ROW("tmpfsOptions", FIELD_STRV, 0, struct spec_mount, tmpfs_options),
	FIELD_ROW("propagation", FIELD_STRING, 0, struct spec_mount, propagation),
	FIELD_ROW_NAME("recursive", 0, struct spec_mount, recursion, mount_recursion_names),
	FIELD_ROW("subpath", FIELD_STRING, 0, struct spec_mount, subpath),
	FIELD_ROW("labels", FIELD_STRV, 0, struct spec_mount, labels),
	FIELD_ROW("driverOptions", FIELD_STRV, 0, struct spec_mount, driver_options),
	FIELD_ROW("layers", FIELD_STRV, 0, struct spec_mount, layers),
};
static const struct field_type mount_type = FIELD_TYPE(struct spec_mount, mount_fields);

/* Written nowhere: the record must not know it. */
static struct json *content_to_json(const void *value)
{
	(void)value;
	return NULL;
}

static int content_from_json(const struct json *json, void *value, struct error *err)
{
	(void)json;
	(void)value;
	(void)err;
	return 0;
}

static void content_release(void *value)
{
	grant_content_release(value);
}

static const struct field_custom content_custom = {
	.to_json = content_to_json,
	.from_json = content_from_json,
	.release = content_release,
};

static const struct field grant_fields[] = {
	FIELD_ROW("name", FIELD_STRING, FIELD_REQUIRED, struct spec_grant, name),
	FIELD_ROW("destination", FIELD_STRING, FIELD_REQUIRED, struct spec_grant, destination),
	FIELD_ROW("uid", FIELD_UNSIGNED, 0, struct spec_grant, uid),
	FIELD_ROW("gid", FIELD_UNSIGNED, 0, struct spec_grant, gid),
	FIELD_ROW("mode", FIELD_UNSIGNED, 0, struct spec_grant, mode),
	FIELD_ROW_CUSTOM("content", struct spec_grant, content, &content_custom),
};
static const struct field_type grant_type = FIELD_TYPE(struct spec_grant, grant_fields);

static const struct field rlimit_fields[] = {
	FIELD_ROW("type", FIELD_STRING, FIELD_REQUIRED, struct spec_rlimit, type),
	FIELD_ROW("soft", FIELD_UNSIGNED, FIELD_REQUIRED, struct spec_rlimit, soft),
	FIELD_ROW("hard", FIELD_UNSIGNED, FIELD_REQUIRED, struct spec_rlimit, hard),
};
static const struct field_type rlimit_type = FIELD_TYPE(struct spec_rlimit, rlimit_fields);

static const struct field device_fields[] = {
	FIELD_ROW("source", FIELD_STRING, FIELD_REQUIRED, struct spec_device, source),
	FIELD_ROW("path", FIELD_STRING, FIELD_REQUIRED, struct spec_device, path),
	FIELD_ROW("access", FIELD_CHARS, 0, struct spec_device, access),
};
static const struct field_type device_type = FIELD_TYPE(struct spec_device, device_fields);

static const struct field namespace_fields[] = {
	FIELD_ROW_NAME("mode", 0, struct spec_namespace, mode, namespace_mode_names),
	FIELD_ROW("container", FIELD_STRING, 0, struct spec_namespace, container),
};
static const struct field_type namespace_type = FIELD_TYPE(struct spec_namespace, namespace_fields);

static const struct field id_range_fields[] = {
	FIELD_ROW("containerID", FIELD_UNSIGNED, FIELD_REQUIRED, struct spec_id_range, inside),
	FIELD_ROW("hostID", FIELD_UNSIGNED, FIELD_REQUIRED, struct spec_id_range, outside),
	FIELD_ROW("size", FIELD_UNSIGNED, FIELD_REQUIRED, struct spec_id_range, count),
};
static const struct field_type id_range_type = FIELD_TYPE(struct spec_id_range, id_range_fields);

static struct json *resources_to_json(const void *value)
{
	return cgroup_resources_to_json(value);
}

static int resources_from_json(const struct json *json, void *value, struct error *err)
{
	return cgroup_resources_from_json(json, value, err);
}

static void resources_release(void *value)
{
	cgroup_resources_release(value);
}

static const struct field_custom resources_custom = {
	.to_json = resources_to_json,
	.from_json = resources_from_json,
	.release = resources_release,
};

#define ROW(key, kind, member)		FIELD_ROW(key, kind, 0, struct spec, member)
#define ROW_NAMESPACE(key, member)	FIELD_ROW_STRUCT(key, 0, struct spec, member, &namespace_type)
#define ROW_ARRAY(key, member, n, type) FIELD_ROW_ARRAY(key, struct spec, member, n, type)

static const struct field spec_fields[] = {
	FIELD_ROW("process.args", FIELD_STRV, FIELD_REQUIRED, struct spec, args),
	ROW("process.env", FIELD_STRV, env),
	ROW("process.cwd", FIELD_STRING, cwd),
	ROW("process.user", FIELD_STRING, user),
	ROW("process.groupAdd", FIELD_STRV, group_add),
	ROW("process.terminal", FIELD_BOOL, terminal),
	ROW("process.consoleHeight", FIELD_UNSIGNED, console_rows),
	ROW("process.consoleWidth", FIELD_UNSIGNED, console_columns),
	ROW("process.stdinOpen", FIELD_BOOL, stdin_open),
	ROW("process.noNewPrivileges", FIELD_BOOL, no_new_privileges),
	FIELD_ROW(
		"process.capabilities", FIELD_UNSIGNED, FIELD_REQUIRED, struct spec, capabilities),
	ROW_ARRAY("process.rlimits", rlimits, rlimit_count, &rlimit_type),
	ROW("process.hasOomScoreAdj", FIELD_BOOL, has_oom_score_adj),
	ROW("process.oomScoreAdj", FIELD_SIGNED, oom_score_adj),

	ROW("root.readonly", FIELD_BOOL, read_only),

	ROW("hostname", FIELD_STRING, hostname),
	ROW("domainname", FIELD_STRING, domainname),
	ROW("extraHosts", FIELD_STRV, extra_hosts),
	ROW("dns", FIELD_STRV, dns),
	ROW("dnsSearch", FIELD_STRV, dns_search),
	ROW("dnsOptions", FIELD_STRV, dns_options),
	ROW("init", FIELD_BOOL, init),
	ROW("privileged", FIELD_BOOL, privileged),
	ROW_ARRAY("mounts", mounts, mount_count, &mount_type),
	ROW_ARRAY("grants", grants, grant_count, &grant_type),

	ROW_NAMESPACE("linux.network", network),
	ROW_NAMESPACE("linux.pid", pid),
	ROW_NAMESPACE("linux.ipc", ipc),
	ROW_NAMESPACE("linux.uts", uts),
	ROW_NAMESPACE("linux.cgroup", cgroup),
	ROW("linux.idsWanted", FIELD_UNSIGNED, ids_wanted),
	ROW_ARRAY("linux.uidMappings", uid_map, uid_map_count, &id_range_type),
	ROW_ARRAY("linux.gidMappings", gid_map, gid_map_count, &id_range_type),
	ROW("linux.sysctl", FIELD_STRV, sysctl),
	ROW("linux.shmSize", FIELD_UNSIGNED, shm_size),
	ROW("linux.seccomp", FIELD_STRING, seccomp),
	ROW("linux.apparmorProfile", FIELD_STRING, apparmor_profile),
	ROW("linux.unmasked", FIELD_BOOL, unmasked),
	ROW("linux.cgroupParent", FIELD_STRING, cgroup_parent),
	ROW_ARRAY("linux.devices", devices, device_count, &device_type),
	FIELD_ROW_CUSTOM("linux.resources", struct spec, resources, &resources_custom),
};

const struct field_type spec_field_type = FIELD_TYPE(struct spec, spec_fields);

struct json *spec_to_json(const struct spec *spec)
{
	return fields_to_json(&spec_field_type, spec);
}

int spec_from_json(const struct json *json, struct spec *ret, struct error *err)
{
	struct spec spec;
	int r = fields_from_json(&spec_field_type, json, &spec, err);

	if (r == 0)
		*ret = spec;
	return r;
}

void spec_mount_copy(const struct spec_mount *from, struct spec_mount *to)
{
	*to = *from;
	to->source = xstrdup(from->source);
	to->destination = xstrdup(from->destination);
	to->labels = strv_copy(from->labels);
	to->driver_options = strv_copy(from->driver_options);
	to->subpath = xstrdup(from->subpath);
	to->tmpfs_options = strv_copy(from->tmpfs_options);
	to->propagation = xstrdup(from->propagation);
	to->layers = strv_copy(from->layers);
}

void spec_mount_release(struct spec_mount *mount)
{
	fields_release(&mount_type, mount);
}

void spec_release(struct spec *spec)
{
	fields_release(&spec_field_type, spec);
}
