/* SPDX-License-Identifier: GPL-2.0-or-later
 * keys_service.c - the rows for what stands under a service. */
#include "compose/keys.h"

#include <string.h>

#include "compose/keys_checks.h"
#include "engine/base/memory.h"

#define TABLE(name, text, rows_) \
	const struct key_table name = { .what = text, .rows = rows_, .count = ARRAY_LEN(rows_) }
#define CLOSED_TABLE(name, text, rows_)                                                   \
	const struct key_table name = {                                                   \
		.what = text, .rows = rows_, .count = ARRAY_LEN(rows_), .is_closed = true \
	}

/* clang-format off */
static const struct key_row ulimit_rows[] = {
	{ .name = "soft", SHAPE_INT, KEY_REQUIRED | KEY_KEEP_EMPTY },
	{ .name = "hard", SHAPE_INT, KEY_REQUIRED | KEY_KEEP_EMPTY },
};
static const TABLE(ulimit_keys, "ulimit", ulimit_rows);

static const struct key_row grant_rows[] = {
	{ .name = "source", SHAPE_STRING },
	{ .name = "target", SHAPE_STRING },
	{ .name = "uid",    SHAPE_STRING },
	{ .name = "gid",    SHAPE_STRING },
	{ .name = "mode",   SHAPE_INT, KEY_KEEP_EMPTY, .normalise = normalise_mode },
};
static const TABLE(grant_keys, "config or secret", grant_rows);

static const struct key_row build_rows[] = {
	{ .name = "context",             SHAPE_STRING },
	{ .name = "dockerfile",          SHAPE_STRING },
	{ .name = "dockerfile_inline",   SHAPE_STRING },
	{ .name = "entitlements",        SHAPE_STRINGS },
	{ .name = "args",                SHAPE_MAP },
	{ .name = "provenance",          SHAPE_ANY },
	{ .name = "sbom",                SHAPE_ANY },
	{ .name = "ssh",                 SHAPE_STRINGS, KEY_NO_TWINS, .normalise = normalise_ssh, .identity_text = identity_host },
	{ .name = "labels",              SHAPE_MAP, KEY_EMPTY_NULLS },
	{ .name = "cache_from",          SHAPE_STRINGS },
	{ .name = "cache_to",            SHAPE_STRINGS },
	{ .name = "no_cache",            SHAPE_BOOL },
	{ .name = "additional_contexts", SHAPE_MAP, .check = check_contexts },
	{ .name = "pull",                SHAPE_BOOL },
	{ .name = "extra_hosts",         SHAPE_ANY, KEY_NO_TWINS, .normalise = normalise_extra_hosts },
	{ .name = "isolation",           SHAPE_STRING },
	{ .name = "network",             SHAPE_STRING },
	{ .name = "target",              SHAPE_STRING },
	{ .name = "secrets",             SHAPE_TABLES, .sub = &grant_keys, .normalise = normalise_grants, .identity = identity_secret },
	{ .name = "shm_size",            SHAPE_SIZE },
	{ .name = "tags",                SHAPE_STRINGS, KEY_UNIQUE },
	{ .name = "ulimits",             SHAPE_ULIMITS, .sub = &ulimit_keys },
	{ .name = "platforms",           SHAPE_STRINGS },
	{ .name = "privileged",          SHAPE_BOOL },
};
TABLE(build_keys, "build", build_rows);

static const struct key_row hook_rows[] = {
	{ .name = "command",     SHAPE_COMMAND, KEY_KEEP_EMPTY | KEY_NULLABLE | KEY_REPLACE | KEY_REQUIRED },
	{ .name = "user",        SHAPE_STRING },
	{ .name = "privileged",  SHAPE_BOOL },
	{ .name = "working_dir", SHAPE_STRING },
	{ .name = "environment", SHAPE_MAP },
};
TABLE(hook_keys, "hook", hook_rows);

static const struct key_row watch_rows[] = {
	{ .name = "path",         SHAPE_STRING, KEY_REQUIRED, .check = check_not_blank },
	{ .name = "action",       SHAPE_STRING, KEY_REQUIRED, .check = check_watch_action },
	{ .name = "target",       SHAPE_STRING },
	{ .name = "exec",         SHAPE_TABLE, .sub = &hook_keys },
	{ .name = "include",      SHAPE_STRING_OR_LIST },
	{ .name = "ignore",       SHAPE_STRING_OR_LIST },
	{ .name = "initial_sync", SHAPE_BOOL },
};
TABLE(watch_keys, "watch", watch_rows);

static const struct key_row develop_rows[] = {
	{ .name = "watch", SHAPE_TABLES, .sub = &watch_keys },
};
static const TABLE(develop_keys, "develop", develop_rows);

static const struct key_row weight_device_rows[] = {
	{ .name = "path",   SHAPE_STRING },
	{ .name = "weight", SHAPE_INT, .check = check_count },
};
CLOSED_TABLE(weight_device_keys, "weight_device", weight_device_rows);

static const struct key_row throttle_rows[] = {
	{ .name = "path", SHAPE_STRING },
	{ .name = "rate", SHAPE_SIZE },
};
CLOSED_TABLE(throttle_keys, "throttled device", throttle_rows);

static const struct key_row blkio_rows[] = {
	{ .name = "weight",            SHAPE_INT, .check = check_count },
	{ .name = "weight_device",     SHAPE_TABLES, .sub = &weight_device_keys },
	{ .name = "device_read_bps",   SHAPE_TABLES, .sub = &throttle_keys },
	{ .name = "device_read_iops",  SHAPE_TABLES, .sub = &throttle_keys },
	{ .name = "device_write_bps",  SHAPE_TABLES, .sub = &throttle_keys },
	{ .name = "device_write_iops", SHAPE_TABLES, .sub = &throttle_keys },
};
static CLOSED_TABLE(blkio_keys, "blkio_config", blkio_rows);

static const struct key_row credential_rows[] = {
	{ .name = "config",   SHAPE_STRING },
	{ .name = "file",     SHAPE_STRING },
	{ .name = "registry", SHAPE_STRING },
};
static const TABLE(credential_keys, "credential_spec", credential_rows);

static const struct key_row dependency_rows[] = {
	{ .name = "condition", SHAPE_STRING, KEY_REQUIRED, .check = check_condition },
	{ .name = "restart",   SHAPE_BOOL },
	{ .name = "required",  SHAPE_BOOL, KEY_KEEP_EMPTY },
};
static const TABLE(dependency_keys, "depends_on", dependency_rows);

static const struct key_row rollout_rows[] = {
	{ .name = "parallelism",       SHAPE_INT, KEY_KEEP_EMPTY, .refuse = refuse_parallelism },
	{ .name = "delay",             SHAPE_DURATION },
	{ .name = "failure_action",    SHAPE_STRING, .refuse = refuse_rollout_failure },
	{ .name = "monitor",           SHAPE_DURATION },
	{ .name = "max_failure_ratio", SHAPE_NUMBER },
	{ .name = "order",             SHAPE_STRING, .check = check_rollout_order },
};
static const TABLE(rollout_keys, "rollout", rollout_rows);

static const struct key_row limit_rows[] = {
	{ .name = "cpus",   SHAPE_NUMBER, .check = check_cpus },
	{ .name = "memory", SHAPE_SIZE, .normalise = normalise_memory, .check = check_size },
	{ .name = "pids",   SHAPE_INT },
};
static const TABLE(limit_keys, "limits", limit_rows);

static const struct key_row device_request_rows[] = {
	{ .name = "capabilities", SHAPE_STRINGS, KEY_REQUIRED | KEY_UNIQUE },
	{ .name = "driver",       SHAPE_STRING },
	{ .name = "count",        SHAPE_INT, .normalise = normalise_device_count },
	{ .name = "device_ids",   SHAPE_STRINGS, KEY_UNIQUE },
	{ .name = "options",      SHAPE_MAP },
};
static const TABLE(device_request_keys, "device", device_request_rows);

static const struct key_row discrete_rows[] = {
	{ .name = "kind",  SHAPE_STRING },
	{ .name = "value", SHAPE_NUMBER },
};
static const TABLE(discrete_keys, "discrete_resource_spec", discrete_rows);

static const struct key_row generic_rows[] = {
	{ .name = "discrete_resource_spec", SHAPE_TABLE, KEY_KEEP_EMPTY, .sub = &discrete_keys },
};
static const TABLE(generic_keys, "generic resource", generic_rows);

static const struct key_row reservation_rows[] = {
	{ .name = "cpus",              SHAPE_NUMBER, .check = check_cpus, .status = KEY_NO_EFFECT },
	{ .name = "memory",            SHAPE_SIZE, .normalise = normalise_memory, .check = check_size },
	{ .name = "devices",           SHAPE_TABLES, .sub = &device_request_keys, .normalise = normalise_device_requests },
	{ .name = "generic_resources", SHAPE_TABLES, .sub = &generic_keys, .status = KEY_NO_EFFECT },
};
static const TABLE(reservation_keys, "reservations", reservation_rows);

static const struct key_row resource_rows[] = {
	{ .name = "limits",       SHAPE_TABLE, KEY_KEEP_EMPTY, .sub = &limit_keys },
	{ .name = "reservations", SHAPE_TABLE, KEY_KEEP_EMPTY, .sub = &reservation_keys },
};
static const TABLE(resource_keys, "resources", resource_rows);

static const struct key_row restart_policy_rows[] = {
	{ .name = "condition",    SHAPE_STRING, .refuse = refuse_restart_condition },
	{ .name = "delay",        SHAPE_DURATION },
	{ .name = "max_attempts", SHAPE_INT, KEY_KEEP_EMPTY },
	{ .name = "window",       SHAPE_DURATION },
};
static const TABLE(restart_policy_keys, "restart_policy", restart_policy_rows);

static const struct key_row preference_rows[] = {
	{ .name = "spread", SHAPE_STRING },
};
static const TABLE(preference_keys, "preference", preference_rows);

static const struct key_row placement_rows[] = {
	{ .name = "constraints",           SHAPE_STRINGS },
	{ .name = "preferences",           SHAPE_TABLES, .sub = &preference_keys },
	{ .name = "max_replicas_per_node", SHAPE_INT },
};
static const TABLE(placement_keys, "placement", placement_rows);

static const struct key_row deploy_rows[] = {
	{ .name = "mode",            SHAPE_STRING, .status = KEY_NO_EFFECT },
	{ .name = "replicas",        SHAPE_INT, KEY_KEEP_EMPTY | KEY_NO_HASH },
	{ .name = "labels",          SHAPE_MAP, KEY_EMPTY_NULLS, .status = KEY_NO_EFFECT },
	{ .name = "update_config",   SHAPE_TABLE, KEY_KEEP_EMPTY, .sub = &rollout_keys },
	{ .name = "rollback_config", SHAPE_TABLE, KEY_KEEP_EMPTY, .sub = &rollout_keys },
	{ .name = "resources",       SHAPE_TABLE, .sub = &resource_keys },
	{ .name = "restart_policy",  SHAPE_TABLE, KEY_KEEP_EMPTY, .sub = &restart_policy_keys },
	{ .name = "placement",       SHAPE_TABLE, .sub = &placement_keys, .status = KEY_NO_EFFECT },
	{ .name = "endpoint_mode",   SHAPE_STRING, .status = KEY_NO_EFFECT },
};
TABLE(deploy_keys, "deploy", deploy_rows);

static const struct key_row device_rows[] = {
	{ .name = "source",      SHAPE_STRING, KEY_REQUIRED },
	{ .name = "target",      SHAPE_STRING },
	{ .name = "permissions", SHAPE_STRING },
};
static const TABLE(device_keys, "device", device_rows);

static const struct key_row env_file_rows[] = {
	{ .name = "path",     SHAPE_STRING, KEY_REQUIRED },
	{ .name = "required", SHAPE_BOOL, KEY_KEEP_EMPTY },
	{ .name = "format",   SHAPE_STRING },
};
static CLOSED_TABLE(env_file_keys, "env_file", env_file_rows);

static const struct key_row extends_rows[] = {
	{ .name = "service", SHAPE_STRING, KEY_REQUIRED },
	{ .name = "file",    SHAPE_STRING },
};
static CLOSED_TABLE(extends_keys, "extends", extends_rows);

static const struct key_row healthcheck_rows[] = {
	{ .name = "test",           SHAPE_STRINGS, KEY_REPLACE, .normalise = normalise_test },
	{ .name = "timeout",        SHAPE_DURATION, KEY_KEEP_EMPTY },
	{ .name = "interval",       SHAPE_DURATION, KEY_KEEP_EMPTY },
	{ .name = "retries",        SHAPE_INT, KEY_KEEP_EMPTY | KEY_TRUNCATE, .check = check_count },
	{ .name = "start_period",   SHAPE_DURATION, KEY_KEEP_EMPTY },
	{ .name = "start_interval", SHAPE_DURATION, KEY_KEEP_EMPTY },
	{ .name = "disable",        SHAPE_BOOL },
	{ .name = "x-restart",      SHAPE_BOOL },
};
static const TABLE(healthcheck_keys, "healthcheck", healthcheck_rows);

static const struct key_row logging_rows[] = {
	{ .name = "driver",  SHAPE_STRING, .refuse = refuse_log_driver },
	{ .name = "options", SHAPE_OPTIONS, KEY_EMPTY_NULLS },
};
static const TABLE(logging_keys, "logging", logging_rows);

static const struct key_row service_model_rows[] = {
	{ .name = "endpoint_var", SHAPE_STRING },
	{ .name = "model_var",    SHAPE_STRING },
};
static const TABLE(service_model_keys, "model", service_model_rows);

static const struct key_row service_network_rows[] = {
	{ .name = "priority",       SHAPE_INT, KEY_TRUNCATE },
	{ .name = "gw_priority",    SHAPE_INT, KEY_TRUNCATE },
	{ .name = "interface_name", SHAPE_STRING },
	{ .name = "aliases",        SHAPE_STRINGS, KEY_UNIQUE },
	{ .name = "ipv4_address",   SHAPE_STRING },
	{ .name = "ipv6_address",   SHAPE_STRING },
	{ .name = "link_local_ips", SHAPE_STRINGS, KEY_UNIQUE },
	{ .name = "mac_address",    SHAPE_STRING },
	{ .name = "driver_opts",    SHAPE_OPTIONS, .refuse = refuse_endpoint_options },
};
static const TABLE(service_network_keys, "network", service_network_rows);

static const struct key_row port_rows[] = {
	{ .name = "name",         SHAPE_STRING, .status = KEY_NO_EFFECT },
	{ .name = "mode",         SHAPE_STRING, .status = KEY_NO_EFFECT },
	{ .name = "host_ip",      SHAPE_STRING },
	{ .name = "target",       SHAPE_INT },
	{ .name = "published",    SHAPE_STRING },
	{ .name = "protocol",     SHAPE_STRING, .refuse = refuse_protocol },
	{ .name = "app_protocol", SHAPE_STRING, .status = KEY_NO_EFFECT },
};
static const TABLE(port_keys, "port", port_rows);

static const struct key_row provider_rows[] = {
	{ .name = "type",    SHAPE_STRING, KEY_REQUIRED },
	{ .name = "options", SHAPE_ANY },
};
static const TABLE(provider_keys, "provider", provider_rows);

static const struct key_row mount_bind_rows[] = {
	{ .name = "selinux",          SHAPE_STRING, .check = check_selinux, .status = KEY_NO_EFFECT },
	{ .name = "propagation",      SHAPE_STRING, .refuse = refuse_propagation },
	{ .name = "create_host_path", SHAPE_BOOL },
	{ .name = "recursive",        SHAPE_STRING, .check = check_bind_recursive },
};
static const TABLE(mount_bind_keys, "bind", mount_bind_rows);

static const struct key_row mount_volume_rows[] = {
	{ .name = "labels",  SHAPE_MAP, KEY_EMPTY_NULLS },
	{ .name = "nocopy",  SHAPE_BOOL },
	{ .name = "subpath", SHAPE_STRING },
};
static const TABLE(mount_volume_keys, "volume", mount_volume_rows);

static const struct key_row mount_tmpfs_rows[] = {
	{ .name = "size", SHAPE_SIZE, .check = check_size },
	{ .name = "mode", SHAPE_INT, .normalise = normalise_mode },
};
static const TABLE(mount_tmpfs_keys, "tmpfs", mount_tmpfs_rows);

static const struct key_row mount_image_rows[] = {
	{ .name = "subpath", SHAPE_STRING },
};
static const TABLE(mount_image_keys, "image", mount_image_rows);

static const struct key_row mount_rows[] = {
	{ .name = "type",        SHAPE_STRING, KEY_REQUIRED, .check = check_mount_type, .refuse = refuse_mount_type },
	{ .name = "source",      SHAPE_STRING },
	{ .name = "target",      SHAPE_STRING },
	{ .name = "read_only",   SHAPE_BOOL },
	{ .name = "consistency", SHAPE_STRING, .status = KEY_NO_EFFECT },
	{ .name = "bind",        SHAPE_TABLE, KEY_KEEP_EMPTY, .sub = &mount_bind_keys },
	{ .name = "volume",      SHAPE_TABLE, KEY_KEEP_EMPTY, .sub = &mount_volume_keys },
	{ .name = "tmpfs",       SHAPE_TABLE, KEY_KEEP_EMPTY, .sub = &mount_tmpfs_keys },
	{ .name = "image",       SHAPE_TABLE, KEY_KEEP_EMPTY, .sub = &mount_image_keys },
};
static const TABLE(mount_keys, "volume mount", mount_rows);

#define LATER(what)  .status = KEY_NOT_YET, .reason = "the engine cannot " what " yet"
#define NEVER(why)   .status = KEY_REFUSED, .reason = why
#define NO_EFFECT    .status = KEY_NO_EFFECT
#define SAY(why)     .status = KEY_NO_EFFECT_SAY, .reason = why
static const struct key_row service_rows[] = {
	{ .name = "profiles",            SHAPE_STRINGS, KEY_UNIQUE | KEY_NO_HASH },
	{ .name = "annotations",         SHAPE_MAP, KEY_EMPTY_NULLS, NO_EFFECT },
	{ .name = "attach",              SHAPE_BOOL, KEY_KEEP_EMPTY | KEY_NO_HASH },
	{ .name = "build",               SHAPE_TABLE, KEY_NO_HASH | KEY_KEEP_EMPTY, .sub = &build_keys, .normalise = normalise_build, LATER("build images") },
	{ .name = "develop",             SHAPE_TABLE, KEY_NULLABLE | KEY_NO_HASH | KEY_KEEP_EMPTY, .sub = &develop_keys, NO_EFFECT },
	{ .name = "blkio_config",        SHAPE_TABLE, KEY_KEEP_EMPTY, .sub = &blkio_keys },
	{ .name = "cap_add",             SHAPE_STRINGS, KEY_UNIQUE },
	{ .name = "cap_drop",            SHAPE_STRINGS, KEY_UNIQUE },
	{ .name = "cgroup_parent",       SHAPE_STRING },
	{ .name = "cgroup",              SHAPE_STRING, .check = check_cgroup },
	{ .name = "cpu_count",           SHAPE_INT, .check = check_count, SAY("counts processors of Windows hosts") },
	{ .name = "cpu_percent",         SHAPE_NUMBER, .check = check_percent, SAY("is for Windows hosts") },
	{ .name = "cpu_period",          SHAPE_INT, KEY_TRUNCATE },
	{ .name = "cpu_quota",           SHAPE_INT, KEY_TRUNCATE },
	{ .name = "cpu_rt_period",       SHAPE_INT, KEY_TRUNCATE },
	{ .name = "cpu_rt_runtime",      SHAPE_INT, KEY_TRUNCATE },
	{ .name = "cpus",                SHAPE_NUMBER, .check = check_cpus },
	{ .name = "cpuset",              SHAPE_STRING, .refuse = refuse_cpuset },
	{ .name = "cpu_shares",          SHAPE_INT, KEY_TRUNCATE },
	{ .name = "command",             SHAPE_COMMAND, KEY_NULLABLE | KEY_KEEP_EMPTY | KEY_REPLACE },
	{ .name = "configs",             SHAPE_TABLES, KEY_UNIQUE, .sub = &grant_keys, .normalise = normalise_grants, .identity = identity_config },
	{ .name = "container_name",      SHAPE_STRING, .refuse = refuse_container_name },
	{ .name = "credential_spec",     SHAPE_TABLE, KEY_KEEP_EMPTY, .sub = &credential_keys, SAY("is for Windows hosts") },
	{ .name = "depends_on",          SHAPE_NAMED, KEY_NO_HASH, .sub = &dependency_keys, .normalise = normalise_depends_on },
	{ .name = "deploy",              SHAPE_TABLE, KEY_NULLABLE | KEY_KEEP_EMPTY, .sub = &deploy_keys },
	{ .name = "device_cgroup_rules", SHAPE_STRINGS, KEY_UNIQUE | KEY_NO_TWINS },
	{ .name = "devices",             SHAPE_TABLES, .sub = &device_keys, .normalise = normalise_devices, .identity = identity_target },
	{ .name = "dns",                 SHAPE_STRING_OR_LIST, KEY_UNIQUE, .normalise = normalise_dns },
	{ .name = "dns_opt",             SHAPE_STRINGS, KEY_UNIQUE },
	{ .name = "dns_search",          SHAPE_STRING_OR_LIST, KEY_UNIQUE },
	{ .name = "domainname",          SHAPE_STRING },
	{ .name = "entrypoint",          SHAPE_COMMAND, KEY_NULLABLE | KEY_KEEP_EMPTY | KEY_REPLACE },
	{ .name = "provider",            SHAPE_TABLE, .sub = &provider_keys, LATER("run providers") },
	{ .name = "environment",         SHAPE_MAP },
	{ .name = "env_file",            SHAPE_TABLES, .sub = &env_file_keys, .normalise = normalise_env_file, .identity = identity_path },
	{ .name = "expose",              SHAPE_TEXTS, KEY_UNIQUE },
	{ .name = "extends",             SHAPE_TABLE, KEY_HIDDEN, .sub = &extends_keys, .normalise = normalise_extends },
	{ .name = "external_links",      SHAPE_STRINGS, KEY_UNIQUE | KEY_NO_TWINS },
	{ .name = "extra_hosts",         SHAPE_ANY, KEY_NO_TWINS, .normalise = normalise_extra_hosts },
	{ .name = "gpus",                SHAPE_TABLES, .sub = &device_request_keys, .normalise = normalise_gpus },
	{ .name = "group_add",           SHAPE_TEXTS, KEY_UNIQUE | KEY_NO_TWINS },
	{ .name = "hostname",            SHAPE_STRING },
	{ .name = "healthcheck",         SHAPE_TABLE, KEY_KEEP_EMPTY, .sub = &healthcheck_keys },
	{ .name = "image",               SHAPE_STRING },
	{ .name = "init",                SHAPE_BOOL, KEY_KEEP_EMPTY },
	{ .name = "ipc",                 SHAPE_STRING, .refuse = refuse_ipc },
	{ .name = "isolation",           SHAPE_STRING, SAY("is for Windows hosts") },
	{ .name = "label_file",          SHAPE_STRING_OR_LIST },
	{ .name = "labels",              SHAPE_MAP, KEY_EMPTY_NULLS },
	{ .name = "links",               SHAPE_STRINGS, KEY_UNIQUE },
	{ .name = "logging",             SHAPE_TABLE, KEY_KEEP_EMPTY, .sub = &logging_keys },
	{ .name = "mem_limit",           SHAPE_SIZE },
	{ .name = "mem_reservation",     SHAPE_SIZE },
	{ .name = "memswap_limit",       SHAPE_SIZE },
	{ .name = "mem_swappiness",      SHAPE_SIZE },
	{ .name = "mac_address",         SHAPE_STRING },
	{ .name = "models",              SHAPE_NAMED, KEY_NULLABLE, .sub = &service_model_keys, .normalise = normalise_service_models, LATER("serve models") },
	{ .name = "network_mode",        SHAPE_STRING, .refuse = refuse_network_mode },
	{ .name = "networks",            SHAPE_NAMED, KEY_NULLABLE, .sub = &service_network_keys, .normalise = normalise_service_networks },
	{ .name = "oom_kill_disable",    SHAPE_BOOL },
	{ .name = "oom_score_adj",       SHAPE_INT, .check = check_oom_score },
	{ .name = "pid",                 SHAPE_STRING, KEY_NULLABLE, .refuse = refuse_pid },
	{ .name = "pids_limit",          SHAPE_INT, KEY_TRUNCATE },
	{ .name = "platform",            SHAPE_STRING, .refuse = refuse_platform },
	{ .name = "ports",               SHAPE_TABLES, KEY_UNIQUE, .sub = &port_keys, .normalise = normalise_ports, .identity = identity_port },
	{ .name = "post_start",          SHAPE_TABLES, .sub = &hook_keys },
	{ .name = "pre_stop",            SHAPE_TABLES, .sub = &hook_keys },
	{ .name = "privileged",          SHAPE_BOOL },
	{ .name = "pull_policy",         SHAPE_STRING, KEY_NO_HASH, .normalise = normalise_pull_policy },
	{ .name = "pull_refresh_after",  SHAPE_STRING, KEY_NO_HASH, NO_EFFECT },
	{ .name = "read_only",           SHAPE_BOOL },
	{ .name = "restart",             SHAPE_STRING, .refuse = refuse_restart },
	{ .name = "runtime",             SHAPE_STRING, LATER("choose a runtime") },
	{ .name = "scale",               SHAPE_INT, KEY_KEEP_EMPTY | KEY_NO_HASH, .check = check_scale },
	{ .name = "secrets",             SHAPE_TABLES, KEY_UNIQUE, .sub = &grant_keys, .normalise = normalise_grants, .identity = identity_secret },
	{ .name = "security_opt",        SHAPE_STRINGS, KEY_UNIQUE | KEY_NO_TWINS, .refuse = refuse_security_opt },
	{ .name = "shm_size",            SHAPE_SIZE },
	{ .name = "stdin_open",          SHAPE_BOOL },
	{ .name = "stop_grace_period",   SHAPE_DURATION, KEY_KEEP_EMPTY },
	{ .name = "stop_signal",         SHAPE_STRING, .refuse = refuse_stop_signal },
	{ .name = "storage_opt",         SHAPE_OPTIONS, KEY_EMPTY_NULLS, NEVER("a bound on the writable layer needs project quotas under the data root, which the engine does not set") },
	{ .name = "sysctls",             SHAPE_MAP, KEY_EMPTY_NULLS },
	{ .name = "tmpfs",               SHAPE_STRING_OR_LIST, KEY_UNIQUE },
	{ .name = "tty",                 SHAPE_BOOL },
	{ .name = "ulimits",             SHAPE_ULIMITS, .sub = &ulimit_keys },
	{ .name = "use_api_socket",      SHAPE_BOOL, NEVER("there is no engine API whose socket could be shared") },
	{ .name = "user",                SHAPE_STRING },
	{ .name = "userns_mode",         SHAPE_STRING, .refuse = refuse_userns },
	{ .name = "uts",                 SHAPE_STRING, .refuse = refuse_uts },
	{ .name = "volumes",             SHAPE_TABLES, KEY_UNIQUE, .sub = &mount_keys, .normalise = normalise_volumes, .identity = identity_target },
	{ .name = "volumes_from",        SHAPE_STRINGS, KEY_UNIQUE | KEY_NO_TWINS },
	{ .name = "working_dir",         SHAPE_STRING },
	{ .name = "x-hugepages",         SHAPE_OPTIONS },
};
/* clang-format on */
TABLE(service_keys, "service", service_rows);
