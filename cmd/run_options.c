/* SPDX-License-Identifier: GPL-2.0-or-later
 * run_options.c - the words of `run` as fields of a container. */
#include "cmd/run_options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/health_options.h"
#include "cmd/limit_options.h"
#include "cmd/mount_options.h"
#include "cmd/port_options.h"
#include "engine/base/files.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"
#include "engine/supervisor/log_forward.h"

static int invalid(struct error *err, const char *flag, const char *value)
{
	return error_set(err, -EINVAL, "invalid argument \"%s\" for \"%s\" flag", value, flag);
}

/* "nofile=1024:2048"; -1 is unlimited. */
static int apply_ulimit(const char *text, struct spec *spec, struct error *err)
{
	const char *equal = strchr(text, '=');
	const char *colon = equal ? strchr(equal, ':') : NULL;
	cleanup_free char *type = equal ? xstrndup(text, (size_t)(equal - text)) : NULL;
	cleanup_free char *soft_text = !equal  ? NULL
				       : colon ? xstrndup(equal + 1, (size_t)(colon - equal - 1))
					       : xstrdup(equal + 1);
	struct spec_rlimit *limit = NULL;
	int64_t soft, hard;

	if (!equal || !*type || parse_i64(soft_text, -1, INT64_MAX, &soft) < 0)
		return invalid(err, "--ulimit", text);
	hard = soft;
	if (colon && parse_i64(colon + 1, -1, INT64_MAX, &hard) < 0)
		return invalid(err, "--ulimit", text);
	if (hard != -1 && (soft == -1 || soft > hard))
		return error_set(err, -EINVAL,
			"ulimit soft limit must be less than or equal to hard limit: %s", text);
	for (size_t i = 0; i < spec->rlimit_count; i++)
		if (!strcmp(spec->rlimits[i].type, type))
			limit = &spec->rlimits[i];
	if (!limit) {
		limit = array_add(spec->rlimits, spec->rlimit_count);
		limit->type = steal_ptr(type);
	}
	limit->soft = soft < 0 ? UINT64_MAX : (uint64_t)soft;
	limit->hard = hard < 0 ? UINT64_MAX : (uint64_t)hard;
	return 0;
}

static int apply_namespace(const struct engine *engine, const char *flag, const char *mode,
	struct spec_namespace *to, struct error *err)
{
	cleanup_container struct container *other = NULL;
	int r;

	if (!mode || !strcmp(mode, "private") || !strcmp(mode, "shareable"))
		return 0;
	if (!strcmp(mode, "host")) {
		to->mode = NAMESPACE_HOST;
		return 0;
	}
	if (strncmp(mode, "container:", strlen("container:")))
		return error_set(err, -EINVAL, "%s: invalid mode: %s", flag, mode);
	r = container_find(engine, mode + strlen("container:"), &other, err);
	if (r < 0)
		return r;
	to->mode = NAMESPACE_CONTAINER;
	free(to->container);
	to->container = xstrdup(other->id);
	return 0;
}

static int apply_sysctls(char *const *sysctls, struct spec *spec, struct error *err)
{
	for (; sysctls && *sysctls; sysctls++) {
		cleanup_free char *key = xstrndup(*sysctls, strcspn(*sysctls, "="));
		const char *value = strchr(*sysctls, '=');
		int r;

		if (!value)
			return invalid(err, "--sysctl", *sysctls);
		r = sysctl_check(key, spec, err);
		if (r < 0)
			return r;
		env_set(&spec->sysctl, key, value + 1);
	}
	return 0;
}

/* "host:address", where the address may have colons of its own; "host=address" too. */
static int apply_hosts(char *const *hosts, struct spec *spec, struct error *err)
{
	for (; hosts && *hosts; hosts++) {
		size_t length = strcspn(*hosts, ":=");

		if (!length || !(*hosts)[length] || !(*hosts)[length + 1])
			return error_set(err, -EINVAL, "bad format for add-host: \"%s\"", *hosts);
		strv_take(&spec->extra_hosts,
			xasprintf("%.*s=%s", (int)length, *hosts, *hosts + length + 1));
	}
	return 0;
}

static void replace(char **to, const char *value)
{
	if (!value)
		return;
	free(*to);
	*to = xstrdup(value);
}

static int apply_process(const struct run_options *options, const struct app *app,
	struct spec *spec, struct error *err)
{
	const struct engine *engine = &app->engine;
	int r = 0;

	spec->init |= options->init;
	spec->read_only |= options->read_only;
	replace(&spec->hostname, options->hostname);
	replace(&spec->domainname, options->domainname);
	strv_extend(&spec->group_add, options->group_add);
	strv_extend(&spec->dns, options->dns);
	strv_extend(&spec->dns_search, options->dns_search);
	strv_extend(&spec->dns_options, options->dns_options);
	if (options->oom_score_adj_given) {
		if (options->oom_score_adj < -1000 || options->oom_score_adj > 1000)
			return error_set(err, -EINVAL,
				"Invalid value %lld, range for oom score adj is [-1000, 1000]",
				(long long)options->oom_score_adj);
		spec->has_oom_score_adj = true;
		spec->oom_score_adj = (int)options->oom_score_adj;
	}
	for (size_t i = 0; r == 0 && i < strv_length(options->ulimits); i++)
		r = apply_ulimit(options->ulimits[i], spec, err);
	for (size_t i = 0; r == 0 && i < strv_length(options->security_opt); i++)
		r = spec_add_security_option(spec, options->security_opt[i], app->cwd, err);
	if (r == 0)
		r = apply_namespace(engine, "--pid", options->pid_mode, &spec->pid, err);
	if (r == 0)
		r = apply_namespace(engine, "--ipc", options->ipc_mode, &spec->ipc, err);
	if (r == 0)
		r = apply_namespace(engine, "--uts", options->uts_mode, &spec->uts, err);
	if (r == 0)
		r = apply_namespace(engine, "--cgroupns", options->cgroup_mode, &spec->cgroup, err);
	if (r == 0 && spec_set_user_namespace(spec, options->userns_mode, err) < 0)
		r = error_wrap(err, "--userns");
	if (r == 0)
		r = apply_sysctls(options->sysctls, spec, err);
	if (r == 0)
		r = apply_hosts(options->add_hosts, spec, err);
	if (r == 0 && options->shm_size && parse_bytes(options->shm_size, &spec->shm_size) < 0)
		r = invalid(err, "--shm-size", options->shm_size);
	return r;
}

static int apply_labels(char *const *labels, struct container *container, struct error *err)
{
	for (; labels && *labels; labels++) {
		cleanup_free char *key = xstrndup(*labels, strcspn(*labels, "="));
		const char *value = strchr(*labels, '=');

		if (!*key)
			return error_set(err, -EINVAL, "invalid label format: \"%s\"", *labels);
		env_set(&container->labels, key, value ? value + 1 : "");
	}
	strv_sort(container->labels);
	return 0;
}

static int apply_rest(
	const struct run_options *options, struct container *container, struct error *err)
{
	int r = 0;

	if (options->stop_timeout_given && options->stop_timeout < 0)
		return error_set(err, -EINVAL, "--stop-timeout is not negative");
	if (options->stop_timeout_given)
		container->stop_timeout_ns = options->stop_timeout * NS_PER_SEC;
	if (options->stop_signal)
		r = signal_parse(options->stop_signal, &container->stop_signal, err);
	if (r == 0 && options->restart)
		r = restart_policy_parse(options->restart, &container->restart,
			&container->restart_max_retries, err);
	if (r == 0 && container->restart != RESTART_NO && options->remove)
		r = error_set(err, -EINVAL,
			"conflicting options: cannot specify both --restart and --rm");
	if (r == 0)
		r = log_driver_choose(container, options->log_driver, options->log_opts, err);
	if (r == 0)
		r = apply_labels(options->labels, container, err);
	if (r == 0 && options->pull && strcmp(options->pull, "missing") &&
		strcmp(options->pull, "never"))
		r = error_set(err, -EOPNOTSUPP,
			"--pull %s is not supported: images come by import and load",
			options->pull);
	if (r == 0)
		r = health_options_apply(options, &container->healthcheck, err);
	container->auto_remove |= options->remove;
	return r;
}

/* One of the words that are no network's name. 1 = it was one. */
static int apply_special_network(const struct engine *engine, const char *word,
	struct container *container, struct error *err)
{
	struct spec_namespace *network = &container->spec.network;

	if (!strcmp(word, "none"))
		return 1;
	if (!strcmp(word, "host") || !strncmp(word, "container:", strlen("container:"))) {
		int r = apply_namespace(engine, "--network", word, network, err);

		return r < 0 ? r : 1;
	}
	return 0;
}

static void drop_attachments(struct container *container)
{
	for (size_t i = 0; i < container->attachment_count; i++) {
		struct container_attachment *attachment = &container->attachments[i];

		free(attachment->network);
		strv_free(attachment->aliases);
		free(attachment->address);
		free(attachment->mac);
	}
	free(container->attachments);
	container->attachments = NULL;
	container->attachment_count = 0;
}

static int attach(const struct engine *engine, const char *word, struct container *container,
	struct error *err)
{
	cleanup_network struct network *network = NULL;
	struct container_attachment *attachment;
	int r = network_find(engine, word, &network, err);

	if (r < 0)
		return r;
	if (!network_takes_containers(network))
		return error_set(err, -EINVAL,
			"conflicting options: cannot attach both user-defined and "
			"non-user-defined network-modes");
	for (size_t i = 0; i < container->attachment_count; i++)
		if (!strcmp(container->attachments[i].network, network->name))
			return error_set(
				err, -EINVAL, "network \"%s\" is specified multiple times", word);
	attachment = array_add(container->attachments, container->attachment_count);
	attachment->network = xstrdup(network->name);
	return 0;
}

int run_options_apply_networks(const struct run_options *options, const struct engine *engine,
	struct container *container, struct error *err)
{
	size_t count = strv_length(options->networks);
	int r = 0;

	if (count) {
		drop_attachments(container);
		container->spec.network.mode = NAMESPACE_PRIVATE;
	}
	if (count == 1) {
		r = apply_special_network(engine, options->networks[0], container, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; r == 0 && i < count; i++)
		r = attach(engine, options->networks[i], container, err);
	if (r < 0)
		return r;
	if ((options->network_aliases || options->ip || options->mac_address) &&
		container->attachment_count == 0)
		return error_set(err, -EINVAL,
			"--network-alias, --ip and --mac-address need a network to be in");
	if (container->attachment_count) {
		struct container_attachment *first = &container->attachments[0];

		strv_extend(&first->aliases, options->network_aliases);
		replace(&first->address, options->ip);
		replace(&first->mac, options->mac_address);
	}
	return 0;
}

static int check_network_conflicts(
	const struct run_options *options, struct container *container, struct error *err)
{
	if (container->spec.network.mode == NAMESPACE_CONTAINER && options->publish)
		return error_set(err, -EINVAL,
			"conflicting options: port publishing and the container type network mode");
	if (container->spec.network.mode == NAMESPACE_CONTAINER && options->hostname_given)
		return error_set(err, -EINVAL,
			"conflicting options: hostname and the container type network mode");
	if (container->spec.network.mode == NAMESPACE_HOST && container->port_count)
		log_warning("Published ports are discarded when using host network mode");
	return 0;
}

int run_options_apply(const struct run_options *options, const struct app *app,
	struct container *container, struct error *err)
{
	const struct mount_options mounts = { options->volumes, options->mounts, options->tmpfs,
		app->cwd };
	int r = limit_options_apply(options, &app->engine, container, err);

	if (r == 0)
		r = run_options_apply_networks(options, &app->engine, container, err);
	if (r == 0)
		r = apply_process(options, app, &container->spec, err);
	if (r == 0)
		r = mount_options_apply(&mounts, &container->spec, err);
	if (r == 0)
		r = port_options_expose(options->expose, container, err);
	if (r == 0)
		r = port_options_apply(options->publish, container, err);
	if (r == 0)
		r = check_network_conflicts(options, container, err);
	return r < 0 ? r : apply_rest(options, container, err);
}
