/* SPDX-License-Identifier: GPL-2.0-or-later
 * id_mapping.c - maps from the user's words, and questions to them. */
#include "engine/container/id_mapping.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strbuf.h"
#include "engine/base/strv.h"
#include "engine/container/setup.h"

#define WITH_OPTIONS "auto:"

static const struct refused {
	const char *word;
	const char *why;
} refused[] = {
	{ "keep-id",
		"it maps the caller's own id, which is root's here, and root of a container must "
		"not be root of the host; use 'auto'" },
	{ "nomap",
		"it leaves out the caller's own id, which is root's here and never mapped anyway; "
		"use 'auto'" },
	{ "ns", "a container's other namespaces belong to its user namespace, so it gets its own" },
	{ "container",
		"a container's other namespaces belong to its user namespace, so it gets its own" },
};

static const char *why_refused(const char *mode)
{
	size_t length = strcspn(mode, ":");

	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (strlen(refused[i].word) == length &&
			strncmp(refused[i].word, mode, length) == 0)
			return refused[i].why;
	return NULL;
}

/* "CTR:HOST:SIZE" */
static int add_line(const char *text, struct spec_id_range **map, size_t *count, struct error *err)
{
	cleanup_strv char **parts = strv_split(text, ":");
	uint64_t numbers[3];

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (strv_length(parts) != ARRAY_LEN(numbers) ||
			parse_u64(parts[i], 0, ID_END, &numbers[i]) < 0)
			return error_set(err, -EINVAL,
				"'%s' is no mapping: CONTAINER_ID:HOST_ID:SIZE, decimal numbers",
				text);
	struct spec_id_range *line = array_add(*map, *count);

	*line = (struct spec_id_range){ (uint32_t)numbers[0], (uint32_t)numbers[1],
		(uint32_t)numbers[2] };
	return 0;
}

static int add_option(struct spec *spec, const char *option, struct error *err)
{
	const char *value = strchr(option, '=');
	const size_t length = value ? (size_t)(value - option) : 0;
	uint64_t size;

	if (value && length == 4 && strncmp(option, "size", length) == 0) {
		if (parse_u64(value + 1, 1, INT32_MAX, &size) < 0)
			return error_set(
				err, -EINVAL, "size '%s' is not in 1..%d", value + 1, INT32_MAX);
		spec->ids_wanted = (uint32_t)size;
		return 0;
	}
	if (value && length == 10 && strncmp(option, "uidmapping", length) == 0)
		return add_line(value + 1, &spec->uid_map, &spec->uid_map_count, err);
	if (value && length == 10 && strncmp(option, "gidmapping", length) == 0)
		return add_line(value + 1, &spec->gid_map, &spec->gid_map_count, err);
	return error_set(err, -EINVAL,
		"unknown option '%s': there are size=N, uidmapping=CTR:HOST:SIZE and "
		"gidmapping=CTR:HOST:SIZE",
		option);
}

/* One map is both, as with Podman. */
static void fill_other(struct spec_id_range **to, size_t *to_count,
	const struct spec_id_range *from, size_t from_count)
{
	for (size_t i = 0; i < from_count; i++) {
		struct spec_id_range *line = array_add(*to, *to_count);

		*line = from[i];
	}
}

static int add_options(struct spec *spec, const char *text, struct error *err)
{
	cleanup_strv char **options = strv_split(text, ",");
	int r = 0;

	for (size_t i = 0; r == 0 && options && options[i]; i++)
		r = add_option(spec, options[i], err);
	if (r < 0)
		return r;
	if (spec->ids_wanted && (spec->uid_map_count || spec->gid_map_count))
		return error_set(err, -EINVAL,
			"size is that of a range that is picked, which uidmapping and gidmapping "
			"leave no room for");
	if (!spec->gid_map_count)
		fill_other(
			&spec->gid_map, &spec->gid_map_count, spec->uid_map, spec->uid_map_count);
	else if (!spec->uid_map_count)
		fill_other(
			&spec->uid_map, &spec->uid_map_count, spec->gid_map, spec->gid_map_count);
	return id_mapping_check(spec, err);
}

static void forget(struct spec *spec)
{
	free(spec->uid_map);
	free(spec->gid_map);
	spec->uid_map = spec->gid_map = NULL;
	spec->uid_map_count = spec->gid_map_count = 0;
	spec->ids_wanted = 0;
}

int spec_set_user_namespace(struct spec *spec, const char *mode, struct error *err)
{
	const char *why = mode ? why_refused(mode) : NULL;
	const bool has_options = mode && strncmp(mode, WITH_OPTIONS, strlen(WITH_OPTIONS)) == 0;
	int r = 0;

	if (!mode || !*mode)
		return 0;
	forget(spec);
	if (strcmp(mode, "host") == 0)
		return 0;
	if (why)
		return error_set(
			err, -EOPNOTSUPP, "user namespace '%s' is not to be had: %s", mode, why);
	if (!has_options && strcmp(mode, "auto") != 0 && strcmp(mode, "private") != 0)
		return error_set(err, -EINVAL,
			"invalid user namespace '%s': there are host, private, auto and "
			"auto:OPTIONS",
			mode);
	if (has_options)
		r = add_options(spec, mode + strlen(WITH_OPTIONS), err);
	if (r < 0)
		return error_wrap(err, "user namespace '%s'", mode);
	if (!spec->ids_wanted && !spec->uid_map_count)
		spec->ids_wanted = ID_RANGE_SIZE;
	return 0;
}

static bool overlap(uint64_t first, uint64_t count, uint64_t other, uint64_t other_count)
{
	return first < other + other_count && other < first + count;
}

static int check_line(const struct spec_id_range *line, const char *what, struct error *err)
{
	if (line->count == 0)
		return error_set(err, -EINVAL, "the %s mapping %u:%u:%u maps nothing", what,
			line->inside, line->outside, line->count);
	if ((uint64_t)line->inside + line->count > ID_END ||
		(uint64_t)line->outside + line->count > ID_END)
		return error_set(err, -EINVAL, "the %s mapping %u:%u:%u goes beyond id %u", what,
			line->inside, line->outside, line->count, ID_END - 1);
	if (line->outside == 0)
		return error_set(err, -EINVAL,
			"the %s mapping %u:%u:%u holds the host's id 0: root of the host is nobody "
			"in a user namespace",
			what, line->inside, line->outside, line->count);
	return 0;
}

static int check_pair(const struct spec_id_range *a, const struct spec_id_range *b,
	const char *what, struct error *err)
{
	if (!overlap(a->inside, a->count, b->inside, b->count) &&
		!overlap(a->outside, a->count, b->outside, b->count))
		return 0;
	return error_set(err, -EINVAL, "the %s mappings %u:%u:%u and %u:%u:%u overlap", what,
		a->inside, a->outside, a->count, b->inside, b->outside, b->count);
}

static int check_map(
	const struct spec_id_range *map, size_t count, const char *what, struct error *err)
{
	uint32_t root;

	if (count > ID_MAP_LINES_MAX)
		return error_set(err, -E2BIG, "%zu %s mappings: the kernel takes %d at most", count,
			what, ID_MAP_LINES_MAX);
	for (size_t i = 0; i < count; i++) {
		int r = check_line(&map[i], what, err);

		for (size_t k = 0; r == 0 && k < i; k++)
			r = check_pair(&map[k], &map[i], what, err);
		if (r < 0)
			return r;
	}
	if (count && !id_map_find(map, count, 0, &root))
		return error_set(err, -EINVAL,
			"no %s mapping holds the container's id 0: its files are made ready and "
			"its "
			"first process is set up by its root, whatever user it then runs as",
			what);
	return 0;
}

int id_mapping_check(const struct spec *spec, struct error *err)
{
	int r = check_map(spec->uid_map, spec->uid_map_count, "user", err);

	if (r == 0)
		r = check_map(spec->gid_map, spec->gid_map_count, "group", err);
	if (r == 0 && !spec->uid_map_count != !spec->gid_map_count)
		r = error_set(err, -EINVAL,
			"user ids are mapped and group ids are not, or the "
			"other way round");
	return r;
}

/* As docker with userns-remap; and what would let mounts of the container's root out. */
int id_mapping_check_rest(const struct spec *spec, struct error *err)
{
	const struct {
		const char *what;
		const struct spec_namespace *wanted;
	} rows[] = {
		{ "network", &spec->network },
		{ "PID", &spec->pid },
		{ "IPC", &spec->ipc },
		{ "UTS", &spec->uts },
		{ "cgroup", &spec->cgroup },
	};

	if (!spec_is_mapped(spec))
		return 0;
	if (spec->privileged)
		return error_set(err, -EINVAL,
			"privileged mode is incompatible with user namespaces: use the host's "
			"(userns 'host') when running privileged mode");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].wanted->mode == NAMESPACE_HOST && rows[i].wanted != &spec->uts)
			return error_set(err, -EINVAL,
				"cannot share the host's %s namespace when user namespaces are "
				"enabled: root of another user namespace has no rights in it",
				rows[i].what);
		if (rows[i].wanted->mode == NAMESPACE_CONTAINER)
			return error_set(err, -EINVAL,
				"cannot join the %s namespace of container %.12s: it belongs to "
				"that container's user namespace or to the host's, not to this "
				"one's",
				rows[i].what, rows[i].wanted->container);
	}
	for (size_t i = 0; i < spec->mount_count; i++) {
		const char *propagation = spec->mounts[i].propagation;

		if (propagation && strstr(propagation, "shared"))
			return error_set(err, -EINVAL,
				"mount '%s': propagation '%s' would let root of a user namespace "
				"mount on the host",
				spec->mounts[i].destination, propagation);
	}
	return 0;
}

bool id_map_find(
	const struct spec_id_range *map, size_t count, uint32_t inside, uint32_t *ret_outside)
{
	for (size_t i = 0; i < count; i++) {
		if (inside < map[i].inside || inside - map[i].inside >= map[i].count)
			continue;
		*ret_outside = map[i].outside + (inside - map[i].inside);
		return true;
	}
	return false;
}

static int host_id(const struct spec_id_range *map, size_t count, const char *what, uint32_t inside,
	uint32_t *ret, struct error *err)
{
	cleanup_strbuf struct strbuf have = STRBUF_INIT;

	if (!count)
		*ret = inside;
	if (!count || id_map_find(map, count, inside, ret))
		return 0;
	for (size_t i = 0; i < count; i++)
		strbuf_addf(&have, "%s%u-%u", i ? ", " : "", map[i].inside,
			map[i].inside + (map[i].count - 1));
	return error_set(err, -EINVAL, "%s id %u is not one of the container's: it has %s", what,
		inside, strbuf_text(&have));
}

int spec_host_uid(const struct spec *spec, uint32_t inside, uint32_t *ret, struct error *err)
{
	return host_id(spec->uid_map, spec->uid_map_count, "user", inside, ret, err);
}

int spec_host_gid(const struct spec *spec, uint32_t inside, uint32_t *ret, struct error *err)
{
	return host_id(spec->gid_map, spec->gid_map_count, "group", inside, ret, err);
}

int id_mapping_check_user(
	const struct spec *spec, const struct process_user *user, struct error *err)
{
	uint32_t id;
	int r = spec_host_uid(spec, user->uid, &id, err);

	if (r == 0)
		r = spec_host_gid(spec, user->gid, &id, err);
	for (size_t i = 0; r == 0 && i < user->group_count; i++)
		r = spec_host_gid(spec, user->groups[i], &id, err);
	return r;
}

char *id_map_text(const struct spec_id_range *map, size_t count)
{
	struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < count; i++)
		strbuf_addf(&text, "%u %u %u\n", map[i].inside, map[i].outside, map[i].count);
	return strbuf_steal(&text);
}
