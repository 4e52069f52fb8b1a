/* SPDX-License-Identifier: GPL-2.0-or-later
 * hugepages.c - limits of huge pages, one for each page size, on both cgroup versions.
 * Rules: the kernel's admin-guide/cgroup-v1/hugetlb.rst and cgroup-v2.rst "HugeTLB". */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/numbers.h"
#include "engine/cgroup/internal.h"

#define SIZE_NAME_MAX 32

/* "2MB", as the kernel names its files. */
static void name_size(uint64_t bytes, char ret[static SIZE_NAME_MAX])
{
	static const struct {
		unsigned int shift;
		const char *unit;
	} units[] = { { 30, "GB" }, { 20, "MB" }, { 10, "KB" } };
	size_t i = 0;

	while (i < ARRAY_LEN(units) - 1 && bytes < 1ULL << units[i].shift)
		i++;
	snprintf(ret, SIZE_NAME_MAX, "%llu%s", (unsigned long long)(bytes >> units[i].shift),
		units[i].unit);
}

static bool is_page_size(uint64_t bytes)
{
	return bytes >= 4096 && (bytes & (bytes - 1)) == 0;
}

int cgroup_hugepages_parse(const char *text, struct cgroup_hugepages *ret, struct error *err)
{
	const char *equals = strchr(text, '=');
	cleanup_free char *size = equals ? xstrndup(text, (size_t)(equals - text)) : NULL;
	struct cgroup_hugepages pages;

	if (!equals)
		return error_set(err, -EINVAL, "'%s' is not PAGE_SIZE=BYTES, as 2MB=64m", text);
	if (parse_bytes(size, &pages.page_size) < 0 || !is_page_size(pages.page_size))
		return error_set(err, -EINVAL, "'%s' is no size of huge pages, as 2MB is", size);
	if (parse_bytes(equals + 1, &pages.limit) < 0)
		return error_set(err, -EINVAL, "'%s' is no number of bytes", equals + 1);
	*ret = pages;
	return 0;
}

void hugepages_to_json(const struct cgroup_resources *resources, struct json *json)
{
	struct json *list;

	if (!resources->hugepages_count)
		return;
	list = json_new_array();
	for (size_t i = 0; i < resources->hugepages_count; i++) {
		struct json *item = json_new_object();

		json_set_u64(item, "pageSize", resources->hugepages[i].page_size);
		json_set_u64(item, "limit", resources->hugepages[i].limit);
		json_append(list, item);
	}
	json_set(json, "hugepageLimits", list);
}

int hugepages_from_json(
	const struct json *json, struct cgroup_resources *resources, struct error *err)
{
	const struct json *list = json_get(json, "hugepageLimits");

	json_for_each (child, list) {
		struct cgroup_hugepages pages;
		int r = json_get_u64(child, "pageSize", &pages.page_size, err);

		if (r == 0)
			r = json_get_u64(child, "limit", &pages.limit, err);
		if (r == 0 && !is_page_size(pages.page_size))
			r = error_set(err, -EBADMSG, "'pageSize': no size of huge pages");
		if (r < 0)
			return error_wrap(err, "'hugepageLimits'");
		*array_add(resources->hugepages, resources->hugepages_count) = pages;
	}
	return 0;
}

static int write_limit(const struct group *group, const char *file, uint64_t limit, bool optional,
	struct error *err)
{
	if (optional && !group_has(group, file))
		return 0;
	return group_writef(group, err, file, "%llu", (unsigned long long)limit);
}

/* What may be used, and what may be reserved by mmap(2): without the second the first would be
 * found by SIGBUS (Linux 5.7). */
static int apply(const struct group *group, const struct cgroup_hugepages *pages, const char *word,
	struct error *err)
{
	char size[SIZE_NAME_MAX];
	cleanup_free char *used = NULL;
	cleanup_free char *reserved = NULL;
	int r;

	name_size(pages->page_size, size);
	used = xasprintf("hugetlb.%s.%s", size, word);
	reserved = xasprintf("hugetlb.%s.rsvd.%s", size, word);
	if (!group_has(group, used))
		return error_set(err, -EINVAL, "this kernel has no huge pages of %s", size);
	r = write_limit(group, used, pages->limit, false, err);
	return r < 0 ? r : write_limit(group, reserved, pages->limit, true, err);
}

static int apply_all(const struct group *group, const struct cgroup_resources *resources,
	const char *word, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < resources->hugepages_count; i++)
		r = apply(group, &resources->hugepages[i], word, err);
	return r;
}

int hugepages_apply_v1(const struct group *group, const struct cgroup_resources *resources,
	bool fresh, struct error *err)
{
	(void)fresh;
	return apply_all(group, resources, "limit_in_bytes", err);
}

int hugepages_apply_v2(const struct group *group, const struct cgroup_resources *resources,
	bool fresh, struct error *err)
{
	(void)fresh;
	return apply_all(group, resources, "max", err);
}
