/* SPDX-License-Identifier: GPL-2.0-or-later
 * service_container.c - the container a service asks for: the model's words into the engine's. */
#include "compose/apply_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compose/labels.h"
#include "compose/node.h"
#include "compose/service_namespaces.h"
#include "compose/service_networks.h"
#include "compose/service_grants.h"
#include "compose/service_lifecycle.h"
#include "engine/base/memory.h"
#include "engine/container/id_mapping.h"
#include "engine/base/strbuf.h"
#include "engine/base/strv.h"
#include "engine/container/image_defaults.h"
#include "engine/supervisor/log_forward.h"

char *service_container_name(
	const struct project *project, const struct service *service, unsigned int number)
{
	if (service->container_name)
		return xstrdup(service->container_name);
	return xasprintf("%s-%s-%u", project->name, service->name, number);
}

int service_wrap_at(
	struct error *err, const struct service *service, const char *key, const struct mark *mark)
{
	if (!mark->file)
		return error_wrap(err, "services.%s.%s", service->name, key);
	return error_wrap(err, "%s:%u:%u: services.%s.%s", mark->file, mark->line, mark->column,
		service->name, key);
}

int service_wrap_key(struct error *err, const struct service *service, const char *key)
{
	const struct node *value = node_get(service->node, key);

	return service_wrap_at(
		err, service, key, value && value->mark.file ? &value->mark : &service->mark);
}

static void fill_mounts(
	const struct project *project, const struct service *service, struct spec *spec)
{
	for (size_t i = 0; i < service->mount_count; i++) {
		const struct mount *mount = &service->mounts[i];
		struct spec_mount *to = array_add(spec->mounts, spec->mount_count);

		to->destination = xstrdup(mount->target);
		to->read_only = mount->read_only;
		to->subpath = xstrdup(mount->subpath);
		switch (mount->type) {
		case SERVICE_MOUNT_BIND:
			to->type = MOUNT_BIND;
			to->source = xstrdup(mount->source);
			to->create_host_path = mount->create_host_path;
			to->propagation = xstrdup(mount->propagation);
			if (mount->recursive) /* one of the words: keys_checks.c */
				mount_recursion_parse(mount->recursive, &to->recursion);
			break;
		case SERVICE_MOUNT_VOLUME:
			to->type = MOUNT_VOLUME;
			to->no_copy = mount->nocopy;
			if (mount->source) {
				to->source =
					xstrdup(project_find_volume(project, mount->source)->name);
			} else {
				char id[ID_LENGTH + 1];

				id_random(id);
				to->source = xstrdup(id);
				to->anonymous = true;
				to->labels = strv_copy(mount->labels);
			}
			break;
		case SERVICE_MOUNT_TMPFS:
			to->type = MOUNT_TMPFS;
			to->tmpfs_size = mount->tmpfs_size;
			to->tmpfs_mode = mount->tmpfs_mode;
			to->tmpfs_options = strv_copy(mount->tmpfs_words);
			break;
		case SERVICE_MOUNT_IMAGE:
			to->type = MOUNT_IMAGE;
			to->source = xstrdup(mount->source);
			to->read_only = true;
			break;
		}
	}
}

static int namespace_of(const char *mode, struct spec_namespace *ret)
{
	ret->mode = NAMESPACE_PRIVATE;
	if (!mode || !strcmp(mode, "private") || !strcmp(mode, "shareable") ||
		!strcmp(mode, "none") || !strcmp(mode, "bridge") || !strcmp(mode, "default"))
		return 0;
	if (!strcmp(mode, "host")) {
		ret->mode = NAMESPACE_HOST;
		return 0;
	}
	/* Whose it is is known when that has been made: service_namespaces.c. */
	if (!strncmp(mode, "service:", 8) || !strncmp(mode, "container:", 10))
		return 0;
	return -EOPNOTSUPP;
}

static int fill_namespaces(const struct service *service, struct spec *spec, struct error *err)
{
	const struct {
		const char *key;
		const char *mode;
		struct spec_namespace *to;
	} rows[] = {
		{ "network_mode", service->network_mode, &spec->network },
		{ "pid", service->pid, &spec->pid },
		{ "ipc", service->ipc, &spec->ipc },
		{ "uts", service->uts, &spec->uts },
		{ "cgroup", service->cgroup, &spec->cgroup },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int r = namespace_of(rows[i].mode, rows[i].to);

		if (r < 0) {
			error_set(err, r, "%s is not supported yet", rows[i].mode);
			return service_wrap_key(err, service, rows[i].key);
		}
	}
	if (spec_set_user_namespace(spec, service->userns_mode, err) < 0)
		return service_wrap_key(err, service, "userns_mode");
	return 0;
}

static uint64_t rlimit_value(int64_t value)
{
	return value < 0 ? UINT64_MAX : (uint64_t)value;
}

static int fill_process(const struct service *service, struct spec *spec, struct error *err)
{
	int r;

	spec->terminal = service->tty;
	spec->stdin_open = service->stdin_open;
	spec->privileged = service->privileged;
	spec->init = service->init;
	spec->read_only = service->read_only;
	spec->group_add = strv_copy(service->group_add);
	spec->hostname = xstrdup(service->hostname);
	spec->domainname = xstrdup(service->domainname);
	spec->extra_hosts = strv_copy(service->extra_hosts);
	spec->dns = strv_copy(service->dns);
	spec->dns_search = strv_copy(service->dns_search);
	spec->dns_options = strv_copy(service->dns_opt);
	spec->sysctl = strv_copy(service->sysctls);
	spec->shm_size = service->shm_size;
	for (size_t i = 0; i < service->ulimit_count; i++) {
		struct spec_rlimit *limit = array_add(spec->rlimits, spec->rlimit_count);

		limit->type = xstrdup(service->ulimits[i].name);
		limit->soft = rlimit_value(service->ulimits[i].soft);
		limit->hard = rlimit_value(service->ulimits[i].hard);
	}
	r = capabilities_combine(service->privileged ? capabilities_all() : CAPABILITIES_DEFAULT,
		service->cap_add, service->cap_drop, &spec->capabilities, err);
	if (r < 0)
		return service_wrap_key(err, service, "cap_add");
	for (size_t i = 0; i < strv_length(spec->sysctl); i++) {
		cleanup_free char *key = xstrndup(spec->sysctl[i], strcspn(spec->sysctl[i], "="));

		r = sysctl_check(key, spec, err);
		if (r < 0)
			return service_wrap_key(err, service, "sysctls");
	}
	return 0;
}

static void add_label(struct container *container, const char *key, const char *value)
{
	if (value)
		env_set(&container->labels, key, value);
}

static void fill_labels(const struct project *project, const struct service *service,
	unsigned int number, struct container *container)
{
	cleanup_free char *files = strv_join(project->config_files, ",");
	cleanup_free char *number_text = xasprintf("%u", number ? number : 1);
	cleanup_strbuf struct strbuf depends = STRBUF_INIT;

	for (size_t i = 0; i < service->depends_count; i++)
		strbuf_addf(&depends, "%s%s:%s:%s", i ? "," : "", service->depends_on[i].service,
			depends_condition_names[service->depends_on[i].condition],
			service->depends_on[i].restart ? "true" : "false");
	env_merge(&container->labels, service->labels);
	add_label(container, LABEL_PROJECT, project->name);
	add_label(container, LABEL_SERVICE, service->name);
	add_label(container, LABEL_NUMBER, number_text);
	add_label(container, LABEL_ONE_OFF, number ? "False" : "True");
	add_label(container, LABEL_CONFIG_HASH, service->config_hash);
	add_label(container, LABEL_IMAGE, container->image_id);
	add_label(container, LABEL_DEPENDS_ON, strbuf_text(&depends));
	add_label(container, LABEL_VERSION, MYCOMPOSE_VERSION);
	add_label(container, LABEL_WORKING_DIR, project->working_dir);
	add_label(container, LABEL_CONFIG_FILES, files);
	if (project->env_files && project->env_files[0]) {
		cleanup_free char *env_files = strv_join(project->env_files, ",");

		add_label(container, LABEL_ENV_FILE, env_files);
	}
	strv_sort(container->labels);
}

static int fill_from_image(struct service_images *images, const struct service *service,
	struct container *container, struct error *err)
{
	struct spec_overrides overrides = {
		.entrypoint = service->entrypoint.argv,
		.entrypoint_set = service->entrypoint.is_set,
		.command = service->command.argv,
		.command_set = service->command.is_set,
		.env = service->environment,
		.cwd = service->working_dir,
		.user = service->user,
		.stop_signal = service->stop_signal,
	};
	const struct image *image;
	int r = service_images_find(images, service, &image, err);

	if (r < 0)
		return r;
	container->image_ref = xstrdup(service->image);
	container->exposed = strv_copy(service->expose);
	r = container_apply_image(container, image, &overrides, err);
	return r < 0 ? service_wrap_key(err, service, "command") : 0;
}

int service_to_container(struct service_images *images, const struct project *project,
	const struct service *service, unsigned int number, struct container **ret,
	struct error *err)
{
	const struct engine *engine = images->engine;
	cleanup_container struct container *container = container_new();
	int r;

	container->group = xstrdup(project->name);
	fill_mounts(project, service, &container->spec);
	service_fill_ports(service, container);
	service_fill_attachments(project, service, number, container);
	service_fill_lifecycle(service, number == 0, container);
	r = service_fill_limits(engine, project, service, container, err);
	if (r == 0)
		r = fill_namespaces(service, &container->spec, err);
	if (r == 0)
		r = service_check_namespaces(engine, project, service, &container->spec, err);
	if (r == 0)
		r = fill_process(service, &container->spec, err);
	if (r == 0 && id_mapping_check_rest(&container->spec, err) < 0)
		r = service_wrap_key(err, service, "userns_mode");
	if (r == 0)
		r = service_fill_grants(project, service, &container->spec, err);
	if (r == 0)
		r = fill_from_image(images, service, container, err);
	if (r == 0 && log_driver_choose(container, service->logging.driver,
			      service->logging.options, err) < 0)
		r = service_wrap_key(err, service, "logging");
	if (r < 0)
		return r;
	fill_labels(project, service, number, container);
	*ret = steal_ptr(container);
	return 0;
}
