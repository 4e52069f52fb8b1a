/* SPDX-License-Identifier: GPL-2.0-or-later
 * io_limits.c - weight and throttling of single block devices, on both cgroup versions.
 * Rules: the kernel's admin-guide/cgroup-v1/blkio-controller.rst and cgroup-v2.rst "IO". */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "engine/base/log.h"
#include "engine/cgroup/internal.h"

#define DEVICE_MAX 32

static const struct row {
	const char *key;	  /* in our record */
	const char *compose_name; /* in a Compose file */
	const char *v1_files[2];  /* the first that the kernel has */
	const char *v2_files[2];
	const char *v2_word; /* before the value; NULL: the value alone */
} rows[CGROUP_IO_KINDS] = {
	[CGROUP_IO_WEIGHT] = { "weight", "blkio_config.weight_device",
		{ "blkio.bfq.weight_device", "blkio.weight_device" },
		{ "io.bfq.weight", "io.weight" }, NULL },
	[CGROUP_IO_READ_BPS] = { "readBps", "blkio_config.device_read_bps",
		{ "blkio.throttle.read_bps_device", NULL }, { "io.max", NULL }, "rbps=" },
	[CGROUP_IO_WRITE_BPS] = { "writeBps", "blkio_config.device_write_bps",
		{ "blkio.throttle.write_bps_device", NULL }, { "io.max", NULL }, "wbps=" },
	[CGROUP_IO_READ_IOPS] = { "readIops", "blkio_config.device_read_iops",
		{ "blkio.throttle.read_iops_device", NULL }, { "io.max", NULL }, "riops=" },
	[CGROUP_IO_WRITE_IOPS] = { "writeIops", "blkio_config.device_write_iops",
		{ "blkio.throttle.write_iops_device", NULL }, { "io.max", NULL }, "wiops=" },
};

const char *io_limit_name(enum cgroup_io_kind kind)
{
	return rows[kind].compose_name;
}

void io_limits_release(struct cgroup_resources *resources)
{
	for (size_t i = 0; i < resources->io_limit_count; i++)
		free(resources->io_limits[i].path);
	free(resources->io_limits);
}

void io_limits_to_json(const struct cgroup_resources *resources, struct json *json)
{
	struct json *list;

	if (!resources->io_limit_count)
		return;
	list = json_new_array();
	for (size_t i = 0; i < resources->io_limit_count; i++) {
		const struct cgroup_io_limit *limit = &resources->io_limits[i];
		struct json *item = json_new_object();

		json_set_string(item, "kind", rows[limit->kind].key);
		json_set_string(item, "path", limit->path);
		json_set_u64(item, "value", limit->value);
		json_append(list, item);
	}
	json_set(json, "ioLimits", list);
}

static int read_limit(const struct json *json, struct cgroup_io_limit *ret, struct error *err)
{
	cleanup_free char *kind = NULL;
	cleanup_free char *path = NULL;
	struct cgroup_io_limit limit = { .kind = CGROUP_IO_KINDS };
	int r = json_get_string(json, "kind", &kind, err);

	if (r == 0)
		r = json_get_string(json, "path", &path, err);
	if (r == 0)
		r = json_get_u64(json, "value", &limit.value, err);
	if (r < 0)
		return r;
	for (int i = 0; i < CGROUP_IO_KINDS; i++)
		if (strcmp(rows[i].key, kind) == 0)
			limit.kind = (enum cgroup_io_kind)i;
	if (limit.kind == CGROUP_IO_KINDS)
		return error_set(err, -EBADMSG, "there is no I/O limit '%s'", kind);
	limit.path = steal_ptr(path);
	*ret = limit;
	return 0;
}

int io_limits_from_json(
	const struct json *json, struct cgroup_resources *resources, struct error *err)
{
	const struct json *list = json_get(json, "ioLimits");

	json_for_each (child, list) {
		struct cgroup_io_limit limit;
		int r = read_limit(child, &limit, err);

		if (r < 0)
			return error_wrap(err, "'ioLimits'");
		*array_add(resources->io_limits, resources->io_limit_count) = limit;
	}
	return 0;
}

int io_limits_check(const struct cgroup_resources *resources, struct error *err)
{
	for (size_t i = 0; i < resources->io_limit_count; i++) {
		const struct cgroup_io_limit *limit = &resources->io_limits[i];
		const char *name = rows[limit->kind].compose_name;

		if (!limit->path || limit->path[0] != '/')
			return error_set(err, -EINVAL,
				"%s: '%s' is no absolute path of a block device", name,
				limit->path ? limit->path : "");
		if (limit->kind == CGROUP_IO_WEIGHT && (limit->value < 10 || limit->value > 1000))
			return error_set(err, -EINVAL, "%s: %llu is not within 10..1000", name,
				(unsigned long long)limit->value);
	}
	return 0;
}

/* "8:0", as it is now: numbers change from boot to boot. */
static int find_device(
	const struct cgroup_io_limit *limit, char ret[static DEVICE_MAX], struct error *err)
{
	struct stat st;

	if (stat(limit->path, &st) < 0)
		return error_sys(
			err, -errno, "%s: %s", rows[limit->kind].compose_name, limit->path);
	if (!S_ISBLK(st.st_mode))
		return error_set(err, -EINVAL, "%s: %s is no block device",
			rows[limit->kind].compose_name, limit->path);
	snprintf(ret, DEVICE_MAX, "%u:%u", major(st.st_rdev), minor(st.st_rdev));
	return 0;
}

static const char *find_file(const struct group *group, const char *const files[static 2])
{
	for (size_t i = 0; i < 2 && files[i]; i++)
		if (group_has(group, files[i]))
			return files[i];
	return NULL;
}

static int write_limit(const struct group *group, const struct cgroup_io_limit *limit,
	const char *file, const char *word, uint64_t value, struct error *err)
{
	char device[DEVICE_MAX];
	int r = find_device(limit, device, err);

	if (r < 0)
		return r;
	r = group_writef(group, err, file, "%s %s%llu", device, word, (unsigned long long)value);
	if (r == -ENODEV)
		return error_wrap(err, "%s takes whole disks only; is %s a partition?",
			rows[limit->kind].compose_name, limit->path);
	return r < 0 ? error_wrap(err, "%s", rows[limit->kind].compose_name) : 0;
}

static void warn(const struct cgroup_io_limit *limit)
{
	log_warning("this kernel cannot limit single block devices so: %s has no effect",
		rows[limit->kind].compose_name);
}

int io_limits_apply_v1(
	const struct group *group, const struct cgroup_resources *resources, struct error *err)
{
	for (size_t i = 0; i < resources->io_limit_count; i++) {
		const struct cgroup_io_limit *limit = &resources->io_limits[i];
		const char *file = find_file(group, rows[limit->kind].v1_files);
		int r;

		if (!file) {
			warn(limit);
			continue;
		}
		r = write_limit(group, limit, file, "", limit->value, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Where v1 says 0 for "no limit" v2 refuses it; who asks for 0 asks for nothing. */
int io_limits_apply_v2(
	const struct group *group, const struct cgroup_resources *resources, struct error *err)
{
	for (size_t i = 0; i < resources->io_limit_count; i++) {
		const struct cgroup_io_limit *limit = &resources->io_limits[i];
		const struct row *row = &rows[limit->kind];
		const char *file = find_file(group, row->v2_files);
		uint64_t value = limit->value;
		int r;

		if (!file) {
			warn(limit);
			continue;
		}
		if (value == 0)
			continue;
		if (strcmp(file, "io.weight") == 0)
			value = resources_io_weight((uint16_t)value);
		r = write_limit(group, limit, file, row->v2_word ? row->v2_word : "", value, err);
		if (r < 0)
			return r;
	}
	return 0;
}
