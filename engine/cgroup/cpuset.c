/* SPDX-License-Identifier: GPL-2.0-or-later
 * cpuset.c - lists of CPUs and memory nodes, checked against what there is. */
#include "engine/cgroup/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/numbers.h"

#define NUMBER_MAX 8191 /* more CPUs than any kernel is built for (NR_CPUS) */

struct number_set {
	bool has[NUMBER_MAX + 1];
};

static int add_range(struct number_set *set, const char *range)
{
	const char *dash = strchr(range, '-');
	cleanup_free char *first_text = xstrndup(range, strcspn(range, "-"));
	uint64_t first, last;
	int r = parse_u64(first_text, 0, NUMBER_MAX, &first);

	last = first;
	if (r == 0 && dash)
		r = parse_u64(dash + 1, first, NUMBER_MAX, &last);
	if (r < 0)
		return -EINVAL;
	while (first <= last)
		set->has[first++] = true;
	return 0;
}

static int parse_list(const char *list, struct number_set *set)
{
	cleanup_strv char **ranges = strv_split(list, ",\n");

	memset(set, 0, sizeof(*set));
	for (size_t i = 0; i < strv_length(ranges); i++) {
		int r = add_range(set, ranges[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

int cpuset_contains(const char *available, const char *wanted)
{
	struct number_set there, asked;

	if (parse_list(available, &there) < 0 || parse_list(wanted, &asked) < 0)
		return -EINVAL;
	for (size_t i = 0; i <= NUMBER_MAX; i++) {
		if (asked.has[i] && !there.has[i])
			return 0;
	}
	return 1;
}

int cpuset_apply(const struct group *group, const char *file, const char *available_file,
	const char *list, struct error *err)
{
	cleanup_free char *parent_path = group_parent_path(group);
	struct group parent = { group->dirs, group->hierarchy, parent_path };
	cleanup_free char *available = NULL;
	int r = group_read(&parent, available_file, &available, err);

	if (r < 0)
		return r;
	available[strcspn(available, "\n")] = '\0';
	r = cpuset_contains(available, list);
	if (r < 0)
		return error_set(err, r, "%s: '%s' is not a list such as 0-2,5", file, list);
	if (r == 0)
		return error_set(err, -EINVAL, "%s: '%s' is not within what is there, '%s'", file,
			list, available);
	return group_write(group, file, list, err);
}
