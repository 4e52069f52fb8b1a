/* SPDX-License-Identifier: GPL-2.0-or-later
 * build_service.c - one service of the checked canonical tree becomes a plain struct of model.h. */
#include "compose/build_service.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "compose/node_values.h"
#include "compose/pathnames.h"
#include "compose/tmpfs.h"
#include "engine/base/ascii.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/times.h"

#define DEFAULT_GRACE_NS  (10 * NS_PER_SEC)
#define DEFAULT_FILE_MODE 0444

static void build_port(struct port *port, const struct node *node)
{
	const char *published = value_text(node, "published");
	const char *last = published ? strchr(published, '-') : NULL;

	port->mark = node->mark;
	port->host_ip = value_text(node, "host_ip");
	port->target = (uint16_t)value_int(node, "target", 0);
	port->protocol = value_index(port_protocol_names, value_text(node, "protocol"), PORT_TCP);
	if (!published)
		return;
	port->published_first = (uint16_t)strtoul(published, NULL, 10);
	port->published_last = last ? (uint16_t)strtoul(last + 1, NULL, 10) : port->published_first;
}

static void build_ports(struct loader *l, struct service *service)
{
	const struct node *ports = node_get(service->node, "ports");

	if (!ports)
		return;
	service->ports = arena_alloc(l->arena, (ports->count + 1) * sizeof(*service->ports));
	for (size_t i = 0; i < ports->count; i++)
		build_port(&service->ports[service->port_count++], ports->entries[i].value);
}

static void build_mount(struct loader *l, struct mount *mount, const struct node *node)
{
	const struct node *bind = node_get(node, "bind");
	const struct node *volume = node_get(node, "volume");
	const struct node *tmpfs = node_get(node, "tmpfs");

	mount->mark = node->mark;
	mount->type = value_index(
		service_mount_type_names, value_text(node, "type"), SERVICE_MOUNT_VOLUME);
	mount->source = value_text(node, "source");
	mount->target = value_text(node, "target");
	if (mount->source && mount->type == SERVICE_MOUNT_BIND)
		mount->source = pathname_clean(l->arena, mount->source);
	if (mount->target)
		mount->target = pathname_clean(l->arena, mount->target);
	mount->read_only = node_get_bool(node, "read_only", false);
	mount->create_host_path = node_get_bool(bind, "create_host_path", false);
	mount->propagation = value_text(bind, "propagation");
	mount->nocopy = node_get_bool(volume, "nocopy", false);
	mount->subpath = value_text(
		mount->type == SERVICE_MOUNT_IMAGE ? node_get(node, "image") : volume, "subpath");
	mount->recursive = value_text(bind, "recursive");
	mount->labels = value_pairs(l, volume, "labels");
	mount->tmpfs_size = (uint64_t)value_size(tmpfs, "size", 0);
	mount->tmpfs_mode = (uint32_t)value_int(tmpfs, "mode", 0);
}

/* `tmpfs: /run:size=64m,mode=755` is the same kind of mount with its options as text. */
static void build_tmpfs(struct loader *l, struct mount *mount, const struct node *node)
{
	size_t length = strcspn(node->text, ":");
	struct tmpfs_options options;

	mount->mark = node->mark;
	mount->type = SERVICE_MOUNT_TMPFS;
	mount->target = pathname_clean(l->arena, arena_strndup(l->arena, node->text, length));
	if (!node->text[length] || !node->text[length + 1])
		return;
	mount->tmpfs_options = node->text + length + 1;
	tmpfs_options_parse(l->arena, mount->tmpfs_options, &options);
	mount->tmpfs_size = options.size;
	mount->tmpfs_mode = options.mode;
	mount->read_only = options.read_only;
	mount->tmpfs_words = options.words;
}

static void build_mounts(struct loader *l, struct service *service)
{
	const struct node *volumes = node_get(service->node, "volumes");
	const struct node *tmpfs = node_get(service->node, "tmpfs");
	size_t count = (volumes ? volumes->count : 0) + (tmpfs ? tmpfs->count : 0);

	service->mounts = count ? arena_alloc(l->arena, count * sizeof(*service->mounts)) : NULL;
	for (size_t i = 0; volumes && i < volumes->count; i++)
		build_mount(l, &service->mounts[service->mount_count++], volumes->entries[i].value);
	for (size_t i = 0; tmpfs && i < tmpfs->count; i++)
		build_tmpfs(l, &service->mounts[service->mount_count++], tmpfs->entries[i].value);
}

/* Ids are strings in the file. A name would need the image's passwd, so only numbers come this far.
 */
static uint32_t grant_id(
	struct loader *l, const struct node *node, const char *key, const char *service)
{
	const char *text = value_text(node, key);
	uint64_t id = 0;

	if (text && parse_u64(text, 0, UINT32_MAX - 1, &id) < 0)
		problems_add(l->problems, &node->mark,
			arena_printf(l->arena, "services.%s", service), "%s '%s' is no number", key,
			text);
	return (uint32_t)id;
}

static void build_grants(struct loader *l, struct service *service, const char *key,
	struct file_grant **ret_grants, size_t *ret_count)
{
	const struct node *list = node_get(service->node, key);

	if (!list || list->count == 0)
		return;
	*ret_grants = arena_alloc(l->arena, list->count * sizeof(**ret_grants));
	for (size_t i = 0; i < list->count; i++) {
		const struct node *node = list->entries[i].value;
		struct file_grant *grant = &(*ret_grants)[(*ret_count)++];
		const char *target = value_text(node, "target");

		grant->mark = node->mark;
		grant->source = value_text(node, "source");
		grant->target =
			path_absolute(l->arena, strcmp(key, "secrets") == 0 ? "/run/secrets" : "/",
				target ? target : grant->source);
		grant->uid = grant_id(l, node, "uid", service->name);
		grant->gid = grant_id(l, node, "gid", service->name);
		grant->mode = (uint32_t)value_int(node, "mode", DEFAULT_FILE_MODE);
	}
}

static int compare_networks(const void *a, const void *b)
{
	const struct service_network *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority > y->priority ? -1 : 1;
	return strcmp(x->key, y->key);
}

static void build_networks(struct loader *l, struct service *service)
{
	const struct node *networks = node_get(service->node, "networks");

	if (!networks || networks->count == 0)
		return;
	service->networks = arena_alloc(l->arena, networks->count * sizeof(*service->networks));
	for (size_t i = 0; i < networks->count; i++) {
		const struct node_entry *entry = &networks->entries[i];
		struct service_network *network = &service->networks[service->network_count++];

		network->mark = entry->key_mark;
		network->key = entry->key;
		network->aliases = value_list(l, entry->value, "aliases");
		network->ipv4_address = value_text(entry->value, "ipv4_address");
		network->ipv6_address = value_text(entry->value, "ipv6_address");
		network->mac_address = value_text(entry->value, "mac_address");
		network->interface_name = value_text(entry->value, "interface_name");
		network->link_local_ips = value_list(l, entry->value, "link_local_ips");
		network->driver_opts = value_pairs(l, entry->value, "driver_opts");
		network->priority = value_int(entry->value, "priority", 0);
		network->gw_priority = value_int(entry->value, "gw_priority", 0);
	}
	qsort(service->networks, service->network_count, sizeof(*service->networks),
		compare_networks);
}

static int compare_dependencies(const void *a, const void *b)
{
	return strcmp(
		((const struct dependency *)a)->service, ((const struct dependency *)b)->service);
}

static void build_dependencies(struct loader *l, struct service *service)
{
	const struct node *depends_on = node_get(service->node, "depends_on");
	struct node *services = node_get(l->tree, "services");

	if (!depends_on || depends_on->count == 0)
		return;
	service->depends_on =
		arena_alloc(l->arena, depends_on->count * sizeof(*service->depends_on));
	for (size_t i = 0; i < depends_on->count; i++) {
		const struct node_entry *entry = &depends_on->entries[i];
		struct dependency *dependency;

		/* An optional dependency on what is not there is none. */
		if (!node_find(l->arena, services, entry->key))
			continue;
		dependency = &service->depends_on[service->depends_count++];
		dependency->mark = entry->key_mark;
		dependency->service = entry->key;
		dependency->condition = value_index(depends_condition_names,
			value_text(entry->value, "condition"), DEPENDS_STARTED);
		dependency->restart = node_get_bool(entry->value, "restart", false);
		dependency->required = node_get_bool(entry->value, "required", true);
	}
	qsort(service->depends_on, service->depends_count, sizeof(*service->depends_on),
		compare_dependencies);
}

static void build_ulimits(struct loader *l, struct service *service)
{
	const struct node *ulimits = node_get(service->node, "ulimits");

	if (!ulimits || ulimits->count == 0)
		return;
	service->ulimits = arena_alloc(l->arena, ulimits->count * sizeof(*service->ulimits));
	for (size_t i = 0; i < ulimits->count; i++) {
		const struct node_entry *entry = &ulimits->entries[i];
		struct ulimit *ulimit = &service->ulimits[service->ulimit_count++];

		ulimit->name = entry->key;
		ulimit->soft = ulimit->hard = entry->value->integer;
		if (entry->value->kind == NODE_MAPPING) {
			ulimit->soft = value_int(entry->value, "soft", -1);
			ulimit->hard = value_int(entry->value, "hard", -1);
		}
	}
}

static void build_logging(struct loader *l, struct service *service)
{
	const struct node *node = node_get(service->node, "logging");

	service->logging.driver = value_text(node, "driver");
	service->logging.options = value_pairs(l, node, "options");
}

static void build_healthcheck(struct loader *l, struct service *service)
{
	const struct node *node = node_get(service->node, "healthcheck");
	struct healthcheck *healthcheck = &service->healthcheck;

	if (!node)
		return;
	healthcheck->mark = node->mark;
	healthcheck->is_set = true;
	healthcheck->test = value_list(l, node, "test");
	healthcheck->disable = node_get_bool(node, "disable", false) ||
			       (healthcheck->test && strcmp(healthcheck->test[0], "NONE") == 0);
	healthcheck->interval_ns = value_duration(node, "interval", 0);
	healthcheck->timeout_ns = value_duration(node, "timeout", 0);
	healthcheck->start_period_ns = value_duration(node, "start_period", 0);
	healthcheck->start_interval_ns = value_duration(node, "start_interval", 0);
	healthcheck->retries = (uint64_t)value_int(node, "retries", 0);
	healthcheck->restart = node_get_bool(node, "x-restart", false);
}

static void build_hooks(struct loader *l, const struct service *service, const char *key,
	struct lifecycle_hook **ret, size_t *ret_count)
{
	const struct node *list = node_get(service->node, key);

	for (size_t i = 0; list && i < list->count; i++) {
		const struct node *node = list->entries[i].value;
		struct lifecycle_hook *hook = arena_array_add(l->arena, *ret, *ret_count);

		hook->command = value_list(l, node, "command");
		hook->user = value_text(node, "user");
		hook->working_dir = value_text(node, "working_dir");
		hook->environment = value_pairs(l, node, "environment");
		hook->privileged = node_get_bool(node, "privileged", false);
		if (!hook->command)
			problems_add(l->problems, &node->mark,
				arena_printf(
					l->arena, "services.%s.%s[%zu]", service->name, key, i),
				"a hook needs a command");
	}
}

/* `restart` when given, else deploy.restart_policy, whose conditions have names of their own. */
static void build_restart(struct service *service)
{
	static const struct {
		const char *condition;
		enum service_restart_kind kind;
	} conditions[] = {
		{ "none", SERVICE_RESTART_NO },
		{ "on-failure", SERVICE_RESTART_ON_FAILURE },
		{ "any", SERVICE_RESTART_ALWAYS },
		{ "no", SERVICE_RESTART_NO },
		{ "unless-stopped", SERVICE_RESTART_UNLESS_STOPPED },
	};
	const struct node *policy = node_get(node_get(service->node, "deploy"), "restart_policy");
	const char *text = value_text(service->node, "restart");
	const char *condition = value_text(policy, "condition");

	if (text) {
		if (strncmp(text, "on-failure:", 11) == 0) {
			service->restart.kind = SERVICE_RESTART_ON_FAILURE;
			service->restart.max_retries = strtoul(text + 11, NULL, 10);
		} else {
			service->restart.kind =
				value_index(service_restart_kind_names, text, SERVICE_RESTART_NO);
		}
		return;
	}
	if (!policy)
		return;
	service->restart.kind = SERVICE_RESTART_ALWAYS;
	for (size_t i = 0; condition && i < ARRAY_LEN(conditions); i++)
		if (strcmp(condition, conditions[i].condition) == 0)
			service->restart.kind = conditions[i].kind;
	service->restart.max_retries = (uint64_t)value_int(policy, "max_attempts", 0);
	service->restart.delay_ns = value_duration(policy, "delay", 0);
	service->restart.window_ns = value_duration(policy, "window", 0);
}

/* "CAP_NET_ADMIN", "net_admin": the engine's spelling is NET_ADMIN. */
static char **get_capabilities(struct loader *l, const struct node *service, const char *key)
{
	char **names = value_list(l, service, key);

	for (char **name = names; name && *name; name++) {
		for (char *p = *name; *p; p++)
			*p = ascii_to_upper(*p);
		if (strncmp(*name, "CAP_", 4) == 0)
			*name += 4;
	}
	return names;
}

static void build_expose(struct loader *l, struct service *service)
{
	service->expose = value_list(l, service->node, "expose");
	for (char **port = service->expose; port && *port; port++)
		if (!strchr(*port, '/'))
			*port = arena_printf(l->arena, "%s/tcp", *port);
}

static void build_image(struct loader *l, struct service *service)
{
	service->image = value_text(service->node, "image");
	service->build = node_get(service->node, "build");
	service->image_is_derived = !service->image;
	if (!service->image)
		service->image = arena_printf(l->arena, "%s-%s", l->project->name, service->name);
}

static void build_replicas(struct service *service)
{
	const struct node *deploy = node_get(service->node, "deploy");
	const struct node *node = node_get(service->node, "scale");

	if (!node)
		node = node_get(deploy, "replicas");
	service->replicas = node && node->kind == NODE_INT ? (unsigned int)node->integer : 1;
	service->replicas_mark = node ? node->mark : service->mark;
}

static void build_rollout(const struct service *service, const char *key, struct rollout *rollout)
{
	const struct node *node = node_get(node_get(service->node, "deploy"), key);
	const char *order = value_text(node, "order");

	if (!node)
		return;
	rollout->is_set = true;
	rollout->mark = node->mark;
	rollout->start_first = order && strcmp(order, "start-first") == 0;
	rollout->parallelism = (uint64_t)value_int(node, "parallelism", 1);
	rollout->delay_ns = value_duration(node, "delay", 0);
	rollout->monitor_ns = value_duration(node, "monitor", 0);
	rollout->failure_action = value_index(
		rollout_failure_names, value_text(node, "failure_action"), ROLLOUT_PAUSE);
	rollout->failures_permille = value_permille(node, "max_failure_ratio");
}

/* Keys that are one text, list, mapping or flag and go straight into a field. */
enum plain_kind { PLAIN_TEXT, PLAIN_LIST, PLAIN_PAIRS, PLAIN_FLAG };

static const struct {
	const char *key;
	enum plain_kind kind;
	size_t offset;
} plain_fields[] = {
	{ "pull_policy", PLAIN_TEXT, offsetof(struct service, pull_policy) },
	{ "platform", PLAIN_TEXT, offsetof(struct service, platform) },
	{ "environment", PLAIN_PAIRS, offsetof(struct service, environment) },
	{ "labels", PLAIN_PAIRS, offsetof(struct service, labels) },
	{ "annotations", PLAIN_PAIRS, offsetof(struct service, annotations) },
	{ "container_name", PLAIN_TEXT, offsetof(struct service, container_name) },
	{ "hostname", PLAIN_TEXT, offsetof(struct service, hostname) },
	{ "domainname", PLAIN_TEXT, offsetof(struct service, domainname) },
	{ "user", PLAIN_TEXT, offsetof(struct service, user) },
	{ "group_add", PLAIN_LIST, offsetof(struct service, group_add) },
	{ "working_dir", PLAIN_TEXT, offsetof(struct service, working_dir) },
	{ "tty", PLAIN_FLAG, offsetof(struct service, tty) },
	{ "stdin_open", PLAIN_FLAG, offsetof(struct service, stdin_open) },
	{ "init", PLAIN_FLAG, offsetof(struct service, init) },
	{ "read_only", PLAIN_FLAG, offsetof(struct service, read_only) },
	{ "privileged", PLAIN_FLAG, offsetof(struct service, privileged) },
	{ "network_mode", PLAIN_TEXT, offsetof(struct service, network_mode) },
	{ "mac_address", PLAIN_TEXT, offsetof(struct service, mac_address) },
	{ "ipc", PLAIN_TEXT, offsetof(struct service, ipc) },
	{ "pid", PLAIN_TEXT, offsetof(struct service, pid) },
	{ "userns_mode", PLAIN_TEXT, offsetof(struct service, userns_mode) },
	{ "uts", PLAIN_TEXT, offsetof(struct service, uts) },
	{ "links", PLAIN_LIST, offsetof(struct service, links) },
	{ "external_links", PLAIN_LIST, offsetof(struct service, external_links) },
	{ "cgroup", PLAIN_TEXT, offsetof(struct service, cgroup) },
	{ "cgroup_parent", PLAIN_TEXT, offsetof(struct service, cgroup_parent) },
	{ "security_opt", PLAIN_LIST, offsetof(struct service, security_opt) },
	{ "device_cgroup_rules", PLAIN_LIST, offsetof(struct service, device_cgroup_rules) },
	{ "volumes_from", PLAIN_LIST, offsetof(struct service, volumes_from) },
	{ "sysctls", PLAIN_PAIRS, offsetof(struct service, sysctls) },
	{ "dns", PLAIN_LIST, offsetof(struct service, dns) },
	{ "dns_search", PLAIN_LIST, offsetof(struct service, dns_search) },
	{ "dns_opt", PLAIN_LIST, offsetof(struct service, dns_opt) },
	{ "extra_hosts", PLAIN_LIST, offsetof(struct service, extra_hosts) },
	{ "stop_signal", PLAIN_TEXT, offsetof(struct service, stop_signal) },
	{ "profiles", PLAIN_LIST, offsetof(struct service, profiles) },
};

static void build_plain_fields(struct loader *l, struct service *service)
{
	for (size_t i = 0; i < ARRAY_LEN(plain_fields); i++) {
		const char *key = plain_fields[i].key;
		void *field = (char *)service + plain_fields[i].offset;

		switch (plain_fields[i].kind) {
		case PLAIN_TEXT:
			*(const char **)field = value_text(service->node, key);
			break;
		case PLAIN_LIST:
			*(char ***)field = value_list(l, service->node, key);
			break;
		case PLAIN_PAIRS:
			*(char ***)field = value_pairs(l, service->node, key);
			break;
		case PLAIN_FLAG:
			*(bool *)field = node_get_bool(service->node, key, false);
			break;
		}
	}
}

void build_service(struct loader *l, struct service *service, const struct node_entry *entry)
{
	service->mark = entry->key_mark;
	service->name = entry->key;
	service->node = entry->value;
	service->attach = node_get_bool(service->node, "attach", true);
	service->command = value_command(l, service->node, "command");
	service->entrypoint = value_command(l, service->node, "entrypoint");
	service->cap_add = get_capabilities(l, service->node, "cap_add");
	service->cap_drop = get_capabilities(l, service->node, "cap_drop");
	service->shm_size = (uint64_t)value_size(service->node, "shm_size", 0);
	service->stop_grace_ns =
		value_duration(service->node, "stop_grace_period", DEFAULT_GRACE_NS);
	build_plain_fields(l, service);
	build_image(l, service);
	build_networks(l, service);
	build_ports(l, service);
	build_expose(l, service);
	build_mounts(l, service);
	build_grants(l, service, "configs", &service->configs, &service->config_count);
	build_grants(l, service, "secrets", &service->secrets, &service->secret_count);
	build_dependencies(l, service);
	build_limits(l, service);
	build_ulimits(l, service);
	build_logging(l, service);
	build_healthcheck(l, service);
	build_hooks(l, service, "post_start", &service->post_start, &service->post_start_count);
	build_hooks(l, service, "pre_stop", &service->pre_stop, &service->pre_stop_count);
	build_restart(service);
	build_replicas(service);
	build_rollout(service, "update_config", &service->update);
	build_rollout(service, "rollback_config", &service->rollback);
}
