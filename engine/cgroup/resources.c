/* SPDX-License-Identifier: GPL-2.0-or-later
 * resources.c - limits as data: what they are called, what they mean, their JSON form. */
#include "engine/cgroup/cgroup.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cgroup/internal.h"

#define DEFAULT_PERIOD_US 100000 /* the kernel's, sched-bwc.rst */

void cgroup_resources_release(struct cgroup_resources *resources)
{
	free(resources->cpuset_cpus);
	free(resources->cpuset_mems);
	free(resources->devices);
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
	{ "memory", "disableOOMKiller", FIELD_BOOL, AT(oom_kill_disable), -1, CONTROLLER_MEMORY,
		"oom_kill_disable" },
	{ "cpu", "shares", FIELD_U64, AT(cpu_shares), -1, CONTROLLER_CPU, "cpu_shares" },
	{ "cpu", "quota", FIELD_I64, AT(cpu_quota_us), -1, CONTROLLER_CPU, "cpu_quota" },
	{ "cpu", "period", FIELD_U64, AT(cpu_period_us), -1, CONTROLLER_CPU, "cpu_period" },
	{ "cpu", "permille", FIELD_U64, AT(cpu_permille), -1, CONTROLLER_CPU, "cpus" },
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
	return kind == CONTROLLER_DEVICES && !resources->all_devices ? "the device rules" : NULL;
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
	if (r < 0)
		cgroup_resources_release(&resources);
	else
		*ret = resources;
	return r;
}

int64_t resources_memory_and_swap(const struct cgroup_resources *resources)
{
	if (resources->has_memory_swap && resources->memory_swap != 0)
		return resources->memory_swap;
	if (resources->memory_limit > INT64_MAX / 2)
		return -1;
	return (int64_t)(resources->memory_limit * 2);
}

bool resources_cpu_quota(
	const struct cgroup_resources *resources, int64_t *ret_quota_us, uint64_t *ret_period_us)
{
	uint64_t period = resources->cpu_period_us ? resources->cpu_period_us : DEFAULT_PERIOD_US;

	if (resources->cpu_permille) {
		/* the kernel's least quota is 1 ms */
		int64_t quota = (int64_t)(resources->cpu_permille * DEFAULT_PERIOD_US / 1000);

		*ret_quota_us = quota < 1000 ? 1000 : quota;
		*ret_period_us = DEFAULT_PERIOD_US;
		return true;
	}
	if (!resources->cpu_quota_us && !resources->cpu_period_us)
		return false;
	*ret_quota_us = resources->cpu_quota_us > 0 ? resources->cpu_quota_us : -1;
	*ret_period_us = period;
	return true;
}

/* The scheduler keeps one number for both and reads 1024 shares as weight 100 (kernel/sched:
 * sched_weight_from_cgroup), so twice the shares is twice the weight, and default stays default. */
uint64_t resources_cpu_weight(uint64_t shares)
{
	uint64_t weight = (shares > 262144 ? 262144 : shares) * 100;

	weight = (weight + 512) / 1024;
	return weight < 1 ? 1 : weight > 10000 ? 10000 : weight;
}

/* 10..1000 stretched over 1..10000, ends onto ends. */
uint64_t resources_io_weight(uint16_t weight)
{
	return 1 + (uint64_t)(weight - 10) * 9999 / 990;
}

static int check_memory(const struct cgroup_resources *resources, struct error *err)
{
	if (!resources->has_memory_swap || resources->memory_swap == 0)
		return 0;
	if (resources->memory_swap < -1)
		return error_set(err, -EINVAL, "memswap_limit: %lld is neither a size nor -1",
			(long long)resources->memory_swap);
	if (!resources->memory_limit)
		return resources->memory_swap < 0 ? 0
						  : error_set(err, -EINVAL,
							    "memswap_limit counts memory and swap "
							    "together and needs a mem_limit");
	if (resources->memory_swap > 0 &&
		(uint64_t)resources->memory_swap < resources->memory_limit)
		return error_set(err, -EINVAL,
			"memswap_limit (memory and swap together) is less than mem_limit");
	return 0;
}

static int check_cpu(const struct cgroup_resources *resources, struct error *err)
{
	if (resources->cpu_period_us &&
		(resources->cpu_period_us < 1000 || resources->cpu_period_us > 1000000))
		return error_set(err, -EINVAL,
			"cpu_period: %llu is not within 1000..1000000 microseconds",
			(unsigned long long)resources->cpu_period_us);
	if (resources->cpu_quota_us > 0 && resources->cpu_quota_us < 1000)
		return error_set(err, -EINVAL, "cpu_quota: %lld is less than 1000 microseconds",
			(long long)resources->cpu_quota_us);
	if (resources->cpu_shares && (resources->cpu_shares < 2 || resources->cpu_shares > 262144))
		return error_set(err, -EINVAL, "cpu_shares: %llu is not within 2..262144",
			(unsigned long long)resources->cpu_shares);
	return 0;
}

int resources_check(const struct cgroup_resources *resources, struct error *err)
{
	int r = check_memory(resources, err);

	if (r == 0)
		r = check_cpu(resources, err);
	if (r < 0)
		return r;
	if (resources->memory_reservation && resources->memory_limit &&
		resources->memory_reservation > resources->memory_limit)
		return error_set(err, -EINVAL, "mem_reservation is more than mem_limit");
	if (resources->pids_limit < -1)
		return error_set(err, -EINVAL, "pids_limit: %lld is neither a number nor -1",
			(long long)resources->pids_limit);
	if (resources->blkio_weight &&
		(resources->blkio_weight < 10 || resources->blkio_weight > 1000))
		return error_set(err, -EINVAL, "blkio_config.weight: %u is not within 10..1000",
			resources->blkio_weight);
	return 0;
}
