/* SPDX-License-Identifier: GPL-2.0-or-later
 * container_json.c - the field table of a container's record, and the check of what it holds. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"
#include "engine/container/records.h"

static const char *const restart_names[] = {
	[RESTART_NO] = "no",
	[RESTART_ALWAYS] = "always",
	[RESTART_ON_FAILURE] = "on-failure",
	[RESTART_UNLESS_STOPPED] = "unless-stopped",
};

static const struct field attachment_fields[] = {
	FIELD_ROW("network", FIELD_STRING, FIELD_REQUIRED, struct container_attachment, network),
	FIELD_ROW("aliases", FIELD_STRV, 0, struct container_attachment, aliases),
	FIELD_ROW("address", FIELD_STRING, 0, struct container_attachment, address),
	FIELD_ROW("address6", FIELD_STRING, 0, struct container_attachment, address6),
	FIELD_ROW("mac", FIELD_STRING, 0, struct container_attachment, mac),
	FIELD_ROW("interface", FIELD_STRING, 0, struct container_attachment, interface),
	FIELD_ROW(
		"gatewayPriority", FIELD_SIGNED, 0, struct container_attachment, gateway_priority),
	FIELD_ROW("linkLocal", FIELD_STRV, 0, struct container_attachment, link_local),
	FIELD_ROW("sysctls", FIELD_STRV, 0, struct container_attachment, sysctls),
	FIELD_ROW("links", FIELD_STRV, 0, struct container_attachment, links),
};
static const struct field_type attachment_type =
	FIELD_TYPE(struct container_attachment, attachment_fields);

static const struct field port_fields[] = {
	FIELD_ROW("hostIp", FIELD_STRING, 0, struct published_port, host_ip),
	FIELD_ROW("hostPort", FIELD_UNSIGNED, 0, struct published_port, host_port),
	FIELD_ROW("rangeFirst", FIELD_UNSIGNED, 0, struct published_port, range_first),
	FIELD_ROW("rangeLast", FIELD_UNSIGNED, 0, struct published_port, range_last),
	FIELD_ROW("containerPort", FIELD_UNSIGNED, FIELD_REQUIRED, struct published_port,
		container_port),
	FIELD_ROW("protocol", FIELD_CHARS, FIELD_REQUIRED, struct published_port, protocol),
};
static const struct field_type port_type = FIELD_TYPE(struct published_port, port_fields);

#define HEALTH_ROW(key, kind, member) FIELD_ROW(key, kind, 0, struct container_healthcheck, member)
static const struct field healthcheck_fields[] = {
	HEALTH_ROW("test", FIELD_STRV, test),
	HEALTH_ROW("shell", FIELD_STRV, shell),
	HEALTH_ROW("interval", FIELD_SIGNED, interval_ns),
	HEALTH_ROW("timeout", FIELD_SIGNED, timeout_ns),
	HEALTH_ROW("startPeriod", FIELD_SIGNED, start_period_ns),
	HEALTH_ROW("startInterval", FIELD_SIGNED, start_interval_ns),
	HEALTH_ROW("retries", FIELD_UNSIGNED, retries),
	HEALTH_ROW("restart", FIELD_BOOL, restart),
};
static const struct field_type healthcheck_type =
	FIELD_TYPE(struct container_healthcheck, healthcheck_fields);

#define HOOK_ROW(key, kind, member) FIELD_ROW(key, kind, 0, struct container_hook, member)
static const struct field hook_fields[] = {
	FIELD_ROW("command", FIELD_STRV, FIELD_REQUIRED, struct container_hook, command),
	HOOK_ROW("env", FIELD_STRV, env),
	HOOK_ROW("user", FIELD_STRING, user),
	HOOK_ROW("cwd", FIELD_STRING, cwd),
	HOOK_ROW("privileged", FIELD_BOOL, privileged),
};
static const struct field_type hook_type = FIELD_TYPE(struct container_hook, hook_fields);

#define ROW(key, kind, member) FIELD_ROW(key, kind, 0, struct container, member)
#define ROW_REQUIRED(key, kind, member) \
	FIELD_ROW(key, kind, FIELD_REQUIRED, struct container, member)
#define ROW_ARRAY(key, member, n, type) FIELD_ROW_ARRAY(key, struct container, member, n, type)

static const struct field container_fields[] = {
	ROW_REQUIRED("id", FIELD_CHARS, id),
	ROW_REQUIRED("name", FIELD_STRING, name),
	ROW_REQUIRED("group", FIELD_STRING, group),
	ROW_REQUIRED("created", FIELD_TIME, created_ns),
	ROW("imageRef", FIELD_STRING, image_ref),
	ROW_REQUIRED("imageId", FIELD_STRING, image_id),
	ROW("chainIds", FIELD_STRV, chain_ids),
	ROW("labels", FIELD_STRV, labels),
	FIELD_ROW_STRUCT("spec", FIELD_REQUIRED, struct container, spec, &spec_field_type),
	ROW_ARRAY("attachments", attachments, attachment_count, &attachment_type),
	ROW_ARRAY("ports", ports, port_count, &port_type),
	ROW("exposed", FIELD_STRV, exposed),
	FIELD_ROW_NAME("restart", 0, struct container, restart, restart_names),
	ROW("restartMaxRetries", FIELD_UNSIGNED, restart_max_retries),
	ROW("restartDelay", FIELD_SIGNED, restart_delay_ns),
	ROW("restartWindow", FIELD_SIGNED, restart_window_ns),
	FIELD_ROW_STRUCT("healthcheck", 0, struct container, healthcheck, &healthcheck_type),
	ROW_ARRAY("postStart", post_start, post_start_count, &hook_type),
	ROW_ARRAY("preStop", pre_stop, pre_stop_count, &hook_type),
	ROW_REQUIRED("stopSignal", FIELD_SIGNED, stop_signal),
	ROW_REQUIRED("stopTimeout", FIELD_SIGNED, stop_timeout_ns),
	ROW("logDriver", FIELD_STRING, log_driver),
	ROW("logOptions", FIELD_STRV, log_options),
	ROW("logMaxSize", FIELD_UNSIGNED, log_max_size),
	ROW_REQUIRED("logMaxFile", FIELD_UNSIGNED, log_max_file),
	ROW("autoRemove", FIELD_BOOL, auto_remove),
};
const struct field_type container_field_type = FIELD_TYPE(struct container, container_fields);

const char *restart_policy_name(enum restart_policy policy)
{
	return restart_names[policy];
}

int restart_policy_parse(
	const char *text, enum restart_policy *ret, uint32_t *ret_max_retries, struct error *err)
{
	const char *colon = strchr(text, ':');
	const size_t length = colon ? (size_t)(colon - text) : strlen(text);
	uint64_t retries = 0;

	for (size_t i = 0; i < ARRAY_LEN(restart_names); i++) {
		if (strlen(restart_names[i]) != length ||
			strncmp(restart_names[i], text, length) != 0)
			continue;
		if (colon && i != RESTART_ON_FAILURE)
			return error_set(err, -EINVAL,
				"invalid restart policy: maximum retry count can only be used with "
				"'on-failure'");
		if (colon && parse_u64(colon + 1, 0, INT32_MAX, &retries) < 0)
			return error_set(err, -EINVAL,
				"invalid restart policy '%s': maximum retry count must be an "
				"integer that is not negative",
				text);
		*ret = (enum restart_policy)i;
		*ret_max_retries = (uint32_t)retries;
		return 0;
	}
	return error_set(err, -EINVAL,
		"invalid restart policy: unknown policy '%s'; use one of 'no', 'always', "
		"'on-failure', or 'unless-stopped'",
		text);
}

static bool is_hex(const char *s, size_t length)
{
	return strlen(s) == length && s[strspn(s, "0123456789abcdef")] == '\0';
}

bool container_id_is_valid(const char *id)
{
	return is_hex(id, ID_LENGTH);
}

static bool is_digest(const char *s)
{
	return s && strncmp(s, "sha256:", 7) == 0 && is_hex(s + 7, 64);
}

/* An ad-hoc container's group is "_ID12", which no project can be called. */
static bool is_group(const char *group)
{
	return group && name_is_safe(group[0] == '_' ? group + 1 : group);
}

int container_check(const struct container *container, struct error *err)
{
	if (!container_id_is_valid(container->id))
		return error_set(err, -EINVAL, "'%s' is no container id", container->id);
	if (!container->name || !name_is_safe(container->name))
		return error_set(err, -EINVAL,
			"Invalid container name (%s), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
			container->name ? container->name : "");
	if (!is_group(container->group))
		return error_set(err, -EINVAL, "invalid group name (%s)",
			container->group ? container->group : "");
	if (!is_digest(container->image_id))
		return error_set(err, -EINVAL, "'%s' is no image id",
			container->image_id ? container->image_id : "");
	for (char **chain = container->chain_ids; chain && *chain; chain++) {
		if (!is_digest(*chain))
			return error_set(err, -EINVAL, "'%s' is no layer chain id", *chain);
	}
	for (size_t i = 0; i < container->spec.mount_count; i++) {
		char **chain = container->spec.mounts[i].layers;

		for (; chain && *chain; chain++)
			if (!is_digest(*chain))
				return error_set(err, -EINVAL, "'%s' is no layer chain id", *chain);
	}
	for (size_t i = 0; i < container->attachment_count; i++) {
		const char *network = container->attachments[i].network;

		if (!network || !name_is_safe(network))
			return error_set(
				err, -EINVAL, "invalid network name (%s)", network ? network : "");
	}
	return 0;
}
