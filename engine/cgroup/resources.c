/* SPDX-License-Identifier: GPL-2.0-or-later
 * resources.c - limits as data: what they are called, what they mean, their JSON form. */
#include "engine/cgroup/cgroup.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cgroup/internal.h"

void cgroup_resources_release(struct cgroup_resources *resources)
{
	free(resources->cpuset_cpus);
	free(resources->cpuset_mems);
	free(resources->devices);
	free(resources->hugepages);
	io_limits_release(resources);
	*resources = (struct cgroup_resources){ 0 };
}

enum field_kind { FIELD_U64, FIELD_I64, FIELD_U16, FIELD_BOOL, FIELD_STRING };

struct field {
	const char *object; /* OCI runtime-spec linux.resources; the last two rows are our own */
	const char *key;
	enum field_kind kind;
	size_t offset;
	ptrdiff_t has; /* offset of the bit that says it is set, -1: unset is 0 / NULL */
	enum controller_kind controller;
	const char *compose_name; /* in a Compose file */
};

#define AT(member) offsetof(struct cgroup_resources, member)
static const struct field fields[] = {
	{ "memory", "limit", FIELD_U64, AT(memory_limit), -1, CONTROLLER_MEMORY, "mem_limit" },
	{ "memory", "reservation", FIELD_U64, AT(memory_reservation), -1, CONTROLLER_MEMORY,
		"mem_reservation" },
	{ "memory", "swap", FIELD_I64, AT(memory_swap), AT(has_memory_swap), CONTROLLER_MEMORY,
		"memswap_limit" },
	{ "memory", "swappiness", FIELD_I64, AT(memory_swappiness), AT(has_memory_swappiness),
		CONTROLLER_MEMORY, "mem_swappiness" },
	{ "memory", "disableOOMKiller", FIELD_BOOL, AT(oom_kill_disable), -1, CONTROLLER_MEMORY,
		"oom_kill_disable" },
	{ "cpu", "shares", FIELD_U64, AT(cpu_shares), -1, CONTROLLER_CPU, "cpu_shares" },
	{ "cpu", "quota", FIELD_I64, AT(cpu_quota_us), -1, CONTROLLER_CPU, "cpu_quota" },
	{ "cpu", "period", FIELD_U64, AT(cpu_period_us), -1, CONTROLLER_CPU, "cpu_period" },
	{ "cpu", "permille", FIELD_U64, AT(cpu_permille), -1, CONTROLLER_CPU, "cpus" },
	{ "cpu", "realtimeRuntime", FIELD_I64, AT(cpu_rt_runtime_us), -1, CONTROLLER_CPU,
		"cpu_rt_runtime" },
	{ "cpu", "realtimePeriod", FIELD_U64, AT(cpu_rt_period_us), -1, CONTROLLER_CPU,
		"cpu_rt_period" },
	{ "cpu", "cpus", FIELD_STRING, AT(cpuset_cpus), -1, CONTROLLER_CPUSET, "cpuset" },
	{ "cpu", "mems", FIELD_STRING, AT(cpuset_mems), -1, CONTROLLER_CPUSET, "cpuset_mems" },
	{ "pids", "limit", FIELD_I64, AT(pids_limit), -1, CONTROLLER_PIDS, "pids_limit" },
	{ "blockIO", "weight", FIELD_U16, AT(blkio_weight), -1, CONTROLLER_IO,
		"blkio_config.weight" },
};

static const void *field_at(const struct cgroup_resources *resources, const struct field *field)
{
	return (const char *)resources + field->offset;
}

static bool field_is_set(const struct cgroup_resources *resources, const struct field *field)
{
	const void *at = field_at(resources, field);

	if (field->has >= 0)
		return *(const bool *)((const char *)resources + field->has);
	switch (field->kind) {
	case FIELD_U64:
	case FIELD_I64:
		return *(const uint64_t *)at != 0;
	case FIELD_U16:
		return *(const uint16_t *)at != 0;
	case FIELD_BOOL:
		return *(const bool *)at;
	case FIELD_STRING:
		return *(char *const *)at != NULL;
	}
	return false;
}

const char *resources_limit_of(const struct cgroup_resources *resources, enum controller_kind kind)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (fields[i].controller == kind && field_is_set(resources, &fields[i]))
			return fields[i].compose_name;
	}
	if (kind == CONTROLLER_IO && resources->io_limit_count)
		return io_limit_name(resources->io_limits[0].kind);
	if (kind == CONTROLLER_HUGEPAGES && resources->hugepages_count)
		return "x-hugepages";
	return kind == CONTROLLER_DEVICES && !resources->all_devices ? "the device rules" : NULL;
}

/* As in Docker's verifyPlatformContainerResources: what only shares out or soothes is done without,
 * with a warning; a promise of processors is not, and neither are the device rules. */
bool resources_are_vital(const struct cgroup_resources *resources, enum controller_kind kind)
{
	switch (kind) {
	case CONTROLLER_DEVICES:
		return true;
	case CONTROLLER_CPU:
		return resources->cpu_permille || resources->cpu_rt_runtime_us ||
		       resources->cpu_rt_period_us;
	default:
		return false;
	}
}

static struct json *field_to_json(
	const struct cgroup_resources *resources, const struct field *field)
{
	const void *at = field_at(resources, field);

	switch (field->kind) {
	case FIELD_I64:
		return json_new_int(*(const int64_t *)at);
	case FIELD_U16:
		return json_new_int(*(const uint16_t *)at);
	case FIELD_BOOL:
		return json_new_bool(*(const bool *)at);
	case FIELD_STRING:
		return json_new_string(*(char *const *)at);
	case FIELD_U64:
		break; /* may be beyond what a JSON number holds: json_set_u64 */
	}
	return NULL;
}

static void set_field(
	struct json *object, const struct cgroup_resources *resources, const struct field *field)
{
	if (field->kind == FIELD_U64)
		json_set_u64(object, field->key, *(const uint64_t *)field_at(resources, field));
	else
		json_set(object, field->key, field_to_json(resources, field));
}

static struct json *device_to_json(const struct cgroup_device *device)
{
	struct json *json = json_new_object();
	const char type[2] = { device->type, '\0' };

	json_set_bool(json, "allow", device->allow);
	json_set_string(json, "type", type);
	if (device->major >= 0) /* absent = any, as in the specification */
		json_set_int(json, "major", device->major);
	if (device->minor >= 0)
		json_set_int(json, "minor", device->minor);
	json_set_string(json, "access", device->access);
	return json;
}

struct json *cgroup_resources_to_json(const struct cgroup_resources *resources)
{
	struct json *json = json_new_object();
	struct json *devices = json_new_array();
	struct json *object = NULL;

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (i == 0 || strcmp(fields[i].object, fields[i - 1].object) != 0)
			object = NULL;
		if (!field_is_set(resources, &fields[i]))
			continue;
		if (!object) {
			object = json_new_object();
			json_set(json, fields[i].object, object);
		}
		set_field(object, resources, &fields[i]);
	}
	for (size_t i = 0; i < resources->device_count; i++)
		json_append(devices, device_to_json(&resources->devices[i]));
	json_set(json, "devices", devices);
	io_limits_to_json(resources, json);
	hugepages_to_json(resources, json);
	if (resources->all_devices)
		json_set_bool(json, "allDevices", true);
	return json;
}

static int read_u16(const struct json *object, const char *key, uint16_t *ret, struct error *err)
{
	int64_t value = *ret;
	int r = json_opt_int(object, key, &value, err);

	if (r < 0)
		return r;
	if (value < 0 || value > UINT16_MAX)
		return error_set(err, -EBADMSG, "'%s': out of range", key);
	*ret = (uint16_t)value;
	return 0;
}

static int read_field(const struct json *object, const struct field *field,
	struct cgroup_resources *resources, struct error *err)
{
	void *at = (char *)resources + field->offset;

	if (field->has >= 0)
		*(bool *)((char *)resources + field->has) = json_get(object, field->key) != NULL;
	switch (field->kind) {
	case FIELD_U64:
		return json_opt_u64(object, field->key, at, err);
	case FIELD_I64:
		return json_opt_int(object, field->key, at, err);
	case FIELD_U16:
		return read_u16(object, field->key, at, err);
	case FIELD_BOOL:
		return json_opt_bool(object, field->key, at, err);
	case FIELD_STRING:
		return json_opt_string(object, field->key, at, err);
	}
	return 0;
}

static int read_device(const struct json *json, struct cgroup_device *ret, struct error *err)
{
	cleanup_free char *type = NULL;
	cleanup_free char *access = NULL;
	struct cgroup_device device = { .allow = false, .major = -1, .minor = -1 };
	int r;

	r = json_opt_bool(json, "allow", &device.allow, err);
	if (r == 0)
		r = json_get_string(json, "type", &type, err);
	if (r == 0)
		r = json_get_string(json, "access", &access, err);
	if (r == 0)
		r = json_opt_int(json, "major", &device.major, err);
	if (r == 0)
		r = json_opt_int(json, "minor", &device.minor, err);
	if (r < 0)
		return r;
	if (strlen(type) != 1 || strlen(access) >= sizeof(device.access))
		return error_set(err, -EBADMSG, "device rule '%s' '%s' is malformed", type, access);
	device.type = type[0];
	memcpy(device.access, access, strlen(access));
	r = device_rule_check(&device, err);
	if (r == 0)
		*ret = device;
	return r;
}

static int read_devices(
	const struct json *json, struct cgroup_resources *resources, struct error *err)
{
	const struct json *devices = json_get(json, "devices");

	json_for_each (child, devices) {
		struct cgroup_device device;
		int r = read_device(child, &device, err);

		if (r < 0)
			return error_wrap(err, "'devices'");
		*array_add(resources->devices, resources->device_count) = device;
	}
	return json_opt_bool(json, "allDevices", &resources->all_devices, err);
}

int cgroup_resources_from_json(
	const struct json *json, struct cgroup_resources *ret, struct error *err)
{
	struct cgroup_resources resources = { 0 };
	int r = 0;

	if (!json_is_object(json))
		return error_set(err, -EBADMSG, "resources are not an object");
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(fields); i++) {
		const struct json *object = json_get(json, fields[i].object);

		if (!object)
			continue;
		r = read_field(object, &fields[i], &resources, err);
		if (r < 0)
			error_wrap(err, "'%s'", fields[i].object);
	}
	if (r == 0)
		r = read_devices(json, &resources, err);
	if (r == 0)
		r = io_limits_from_json(json, &resources, err);
	if (r == 0)
		r = hugepages_from_json(json, &resources, err);
	if (r < 0)
		cgroup_resources_release(&resources);
	else
		*ret = resources;
	return r;
}
