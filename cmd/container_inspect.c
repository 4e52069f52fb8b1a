/* SPDX-License-Identifier: GPL-2.0-or-later
 * container_inspect.c - `container inspect`, in the words of docker's API. */
#include <stdlib.h>
#include <string.h>

#include "cmd/inspect.h"
#include "cmd/verbs.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"
#include "engine/container/container.h"
#include "engine/container/healthcheck.h"
#include "engine/container/volume.h"
#include "engine/supervisor/health_log.h"
#include "engine/supervisor/logfile.h"

/* The last results; one that cannot be read is none. */
static struct json *describe_health(
	const struct engine *engine, const char *id, const struct container_state *state)
{
	struct json *object = json_new_object(), *results = json_new_array();
	struct health_log log = { 0 };

	(void)health_log_read(engine, id, state->started_ns, &log, NULL);
	json_set_string(object, "Status", container_health_name(state->health));
	json_set_int(object, "FailingStreak", log.failing_streak);
	for (size_t i = 0; i < log.count; i++) {
		struct json *result = json_new_object();

		inspect_time(result, "Start", log.results[i].start_ns);
		inspect_time(result, "End", log.results[i].end_ns);
		json_set_int(result, "ExitCode", log.results[i].exit_code);
		json_set_string(
			result, "Output", log.results[i].output ? log.results[i].output : "");
		json_append(results, result);
	}
	json_set(object, "Log", results);
	health_log_release(&log);
	return object;
}

static struct json *describe_state(
	const struct engine *engine, const char *id, const struct container_state *state)
{
	struct json *object = json_new_object();
	bool running = state->status == CONTAINER_RUNNING || state->status == CONTAINER_PAUSED;

	json_set_string(object, "Status", container_status_name(state->status));
	json_set_bool(object, "Running", running);
	json_set_bool(object, "Paused", state->status == CONTAINER_PAUSED);
	json_set_bool(object, "Restarting", state->status == CONTAINER_RESTARTING);
	json_set_bool(object, "OOMKilled", state->oom_killed);
	json_set_bool(object, "Dead", state->status == CONTAINER_DEAD);
	json_set_int(object, "Pid", running ? state->process.pid : 0);
	json_set_int(object, "ExitCode", running ? 0 : state->exit_code);
	json_set_string(object, "Error", state->error ? state->error : "");
	inspect_time(object, "StartedAt", state->started_ns);
	inspect_time(object, "FinishedAt", state->finished_ns);
	if (state->health != HEALTH_NONE)
		json_set(object, "Health", describe_health(engine, id, state));
	return object;
}

static struct json *describe_config(const struct container *container)
{
	const struct spec *spec = &container->spec;
	struct json *object = json_new_object();

	json_set_string(object, "Hostname", spec->hostname ? spec->hostname : "");
	json_set_string(object, "Domainname", spec->domainname ? spec->domainname : "");
	json_set_string(object, "User", spec->user ? spec->user : "");
	json_set(object, "ExposedPorts", inspect_set(container->exposed));
	json_set_bool(object, "Tty", spec->terminal);
	json_set_bool(object, "OpenStdin", spec->stdin_open);
	json_set(object, "Env", inspect_list(spec->env));
	json_set(object, "Cmd", inspect_list(spec->args));
	if (container->healthcheck.test)
		json_set(object, "Healthcheck", healthcheck_to_json(&container->healthcheck));
	json_set_string(object, "Image", container->image_ref);
	json_set_string(object, "WorkingDir", spec->cwd ? spec->cwd : "");
	json_set(object, "Labels", inspect_map(container->labels));
	json_set_int(object, "StopSignal", container->stop_signal);
	json_set_int(object, "StopTimeout", container->stop_timeout_ns / NS_PER_SEC);
	return object;
}

static struct json *describe_limits(const struct container *container)
{
	const struct cgroup_resources *resources = &container->spec.resources;
	struct json *object = json_new_object(), *restart = json_new_object();
	uint64_t nano_cpus = resources->cpu_permille * 1000000;

	json_set_u64(object, "Memory", resources->memory_limit);
	json_set_u64(object, "MemoryReservation", resources->memory_reservation);
	json_set_int(object, "MemorySwap", resources->has_memory_swap ? resources->memory_swap : 0);
	json_set_u64(object, "NanoCpus", nano_cpus);
	json_set_u64(object, "CpuShares", resources->cpu_shares);
	json_set_u64(object, "CpuPeriod", resources->cpu_period_us);
	json_set_int(object, "CpuQuota", resources->cpu_quota_us);
	json_set_string(object, "CpusetCpus", resources->cpuset_cpus ? resources->cpuset_cpus : "");
	json_set_string(object, "CpusetMems", resources->cpuset_mems ? resources->cpuset_mems : "");
	json_set_int(object, "PidsLimit", resources->pids_limit);
	json_set_bool(object, "Privileged", container->spec.privileged);
	json_set_bool(object, "ReadonlyRootfs", container->spec.read_only);
	json_set_bool(object, "Init", container->spec.init);
	json_set_bool(object, "AutoRemove", container->auto_remove);
	json_set_string(restart, "Name", restart_policy_name(container->restart));
	json_set_int(restart, "MaximumRetryCount", container->restart_max_retries);
	json_set(object, "RestartPolicy", restart);
	return object;
}

/* The host path of a mount; a volume's is known while the volume is there. */
static char *mount_source(const struct engine *engine, const struct spec_mount *mount)
{
	struct volume *volume = NULL;
	char *path;

	if (mount->type != MOUNT_VOLUME)
		return xstrdup(mount->source ? mount->source : "");
	if (volume_find(engine, mount->source, &volume, NULL) < 0)
		return xstrdup("");
	path = xstrdup(volume->mountpoint);
	volume_free(volume);
	return path;
}

static struct json *describe_mounts(const struct engine *engine, const struct spec *spec)
{
	static const char *const types[] = {
		[MOUNT_BIND] = "bind",
		[MOUNT_VOLUME] = "volume",
		[MOUNT_TMPFS] = "tmpfs",
		[MOUNT_IMAGE] = "image",
	};
	struct json *array = json_new_array();

	for (size_t i = 0; i < spec->mount_count; i++) {
		const struct spec_mount *mount = &spec->mounts[i];
		cleanup_free char *source = mount_source(engine, mount);
		struct json *object = json_new_object();

		json_set_string(object, "Type", types[mount->type]);
		if (mount->type == MOUNT_VOLUME)
			json_set_string(object, "Name", mount->source);
		json_set_string(object, "Source", source);
		json_set_string(object, "Destination", mount->destination);
		json_set_bool(object, "RW", !mount->read_only);
		json_set_string(
			object, "Propagation", mount->propagation ? mount->propagation : "");
		json_append(array, object);
	}
	return array;
}

static void add_port(struct json *ports, const struct published_port *port)
{
	cleanup_free char *key = xasprintf("%u/%s", port->container_port, port->protocol);
	cleanup_free char *number = xasprintf("%u", port->host_port);
	struct json *list = (struct json *)json_get(ports, key), *binding = json_new_object();

	if (!list || !json_is_array(list)) {
		list = json_new_array();
		json_set(ports, key, list);
	}
	json_set_string(binding, "HostIp", port->host_ip ? port->host_ip : "0.0.0.0");
	json_set_string(binding, "HostPort", number);
	json_append(list, binding);
}

static struct json *describe_networks(const struct engine *engine, const char *id)
{
	struct json *object = json_new_object(), *ports = json_new_object();
	struct json *networks = json_new_object();
	struct endpoint *endpoints = NULL;
	size_t count = 0;

	/* A container that does not run has none. */
	(void)endpoint_of_container(engine, id, &endpoints, &count, NULL);
	for (size_t i = 0; i < count; i++) {
		struct json *network = json_new_object();

		json_set(network, "Aliases", inspect_list(endpoints[i].aliases));
		json_set_string(network, "MacAddress", endpoints[i].mac);
		json_set_string(
			network, "Gateway", endpoints[i].gateway ? endpoints[i].gateway : "");
		json_set_string(network, "IPAddress", endpoints[i].address);
		json_set_int(network, "IPPrefixLen", endpoints[i].prefix_length);
		json_set(networks, endpoints[i].network, network);
		for (size_t p = 0; p < endpoints[i].port_count; p++)
			add_port(ports, &endpoints[i].ports[p]);
	}
	endpoint_list_free(endpoints, count);
	json_set(object, "Ports", ports);
	json_set(object, "Networks", networks);
	return object;
}

static struct json *describe_container(const struct engine *engine,
	const struct container *container, const struct container_state *state)
{
	cleanup_free char *name = xasprintf("/%s", container->name);
	cleanup_free char *log_path =
		xasprintf("%s/containers/%s/" LOG_FILE_NAME, engine->data_path, container->id);
	struct json *object = json_new_object();

	json_set_string(object, "Id", container->id);
	inspect_time(object, "Created", container->created_ns);
	json_set_string(object, "Path", container->spec.args ? container->spec.args[0] : "");
	json_set(object, "Args",
		inspect_list(container->spec.args ? container->spec.args + 1 : NULL));
	json_set(object, "State", describe_state(engine, container->id, state));
	json_set_string(object, "Image", container->image_id);
	json_set_string(object, "LogPath", log_path);
	json_set_string(object, "Name", name);
	json_set_int(object, "RestartCount", state->restart_count);
	json_set_string(object, "Driver", "overlay");
	json_set(object, "Mounts", describe_mounts(engine, &container->spec));
	json_set(object, "Config", describe_config(container));
	json_set(object, "HostConfig", describe_limits(container));
	json_set(object, "NetworkSettings", describe_networks(engine, container->id));
	return object;
}

static int describe(
	const struct engine *engine, const char *name, struct json **ret, struct error *err)
{
	cleanup_container struct container *container = NULL;
	struct container_state state = { 0 };
	int r = container_find(engine, name, &container, err);

	if (r == 0)
		r = container_load_state(engine, container->id, &state, err);
	if (r < 0)
		return r;
	*ret = describe_container(engine, container, &state);
	container_state_release(&state);
	return 0;
}

static int run_inspect(struct app *app, void *options, char **args, struct error *err)
{
	return inspect_each(app, options, args, describe, err);
}

const struct verb verb_container_inspect = {
	.name = "inspect",
	.usage = "[OPTIONS] CONTAINER...",
	.summary = "Show all that is known of containers",
	.flags = inspect_flags,
	.options_size = sizeof(struct inspect_options),
	.needs = NEEDS_ENGINE,
	.flags_anywhere = true,
	.run = run_inspect,
};
