/* SPDX-License-Identifier: GPL-2.0-or-later
 * id_ranges.c - pick ranges of the host's ids that nobody else has; see id_mapping.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"
#include "engine/container/id_mapping.h"
#include "engine/container/records.h"

#define INDEX	   "containers/mapped"
#define FILE_LIMIT (8 << 20)

static const char *const grantees[] = { "mycompose", "containers", "dockremap" };

enum id_kind { USER_IDS, GROUP_IDS, ID_KINDS };

static const struct kind {
	const char *what;
	const char *grants; /* subuid(5) */
	const char *owners; /* passwd(5): the third field is the id, as in group(5) */
} kinds[ID_KINDS] = {
	[USER_IDS] = { "user", "/etc/subuid", "/etc/passwd" },
	[GROUP_IDS] = { "group", "/etc/subgid", "/etc/group" },
};

struct span {
	uint64_t first;
	uint64_t end; /* exclusive */
};

struct spans {
	struct span *items;
	size_t count;
};

static void add_span(struct spans *spans, uint64_t first, uint64_t end)
{
	struct span *span = array_add(spans->items, spans->count);

	*span = (struct span){ first, end };
}

/* A field of a line of passwd(5) and its like. Heap; NULL when there are not so many. */
static char *field_of(const char *line, size_t index)
{
	for (; index > 0; index--) {
		line = strchr(line, ':');
		if (!line)
			return NULL;
		line++;
	}
	return xstrndup(line, strcspn(line, ":"));
}

static bool number_in(const char *line, size_t index, uint64_t min, uint64_t *ret)
{
	cleanup_free char *text = field_of(line, index);

	return text && parse_u64(text, min, ID_END, ret) == 0;
}

/* The ids in the lines of one of these files; with `name` only in that user's. "NAME:FIRST:COUNT"
 * where they are grants, else "NAME:PASSWORD:ID". A file that is not there has no lines; what is no
 * such line is nobody's. */
static int add_lines(
	struct spans *spans, const char *path, const char *name, bool is_grants, struct error *err)
{
	cleanup_free char *text = NULL;
	cleanup_strv char **lines = NULL;
	cleanup_error struct error local = ERROR_INIT;
	size_t length;
	int r = file_read(AT_FDCWD, path, FILE_LIMIT, &text, &length, &local);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return error_move(err, &local);
	lines = strv_split(text, "\n");
	for (size_t i = 0; lines && lines[i]; i++) {
		cleanup_free char *user = field_of(lines[i], 0);
		uint64_t first, count = 1;

		if (name && strcmp(user, name) != 0)
			continue;
		if (number_in(lines[i], is_grants ? 1 : 2, 0, &first) &&
			(!is_grants || number_in(lines[i], 2, 1, &count)))
			add_span(spans, first, first + count);
	}
	return 0;
}

/* What may be picked from, and what of it is taken by others than containers. *ret_who is NULL for
 * the default. */
static int find_grants(const struct kind *kind, struct spans *granted, struct spans *taken,
	const char **ret_who, struct error *err)
{
	int r = 0;

	*ret_who = NULL;
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(grantees); i++) {
		r = add_lines(granted, kind->grants, grantees[i], true, err);
		if (r == 0 && granted->count) {
			*ret_who = grantees[i];
			return 0;
		}
	}
	add_span(granted, ID_RANGE_FIRST, ID_RANGE_END);
	if (r == 0)
		r = add_lines(taken, kind->grants, NULL, true, err);
	return r < 0 ? r : add_lines(taken, kind->owners, NULL, false, err);
}

static int compare_spans(const void *a, const void *b)
{
	const struct span *left = a, *right = b;

	return left->first < right->first ? -1 : left->first > right->first;
}

/* `taken` is sorted. */
static bool find_free(
	const struct span *granted, const struct spans *taken, uint32_t size, uint32_t *ret)
{
	uint64_t first = granted->first ? granted->first : 1; /* never the host's root */

	for (size_t i = 0; i < taken->count; i++) {
		const struct span *span = &taken->items[i];

		if (span->end > first && span->first < first + size)
			first = span->end;
	}
	if (first + size > granted->end || first + size > ID_END)
		return false;
	*ret = (uint32_t)first;
	return true;
}

static int pick(const struct kind *kind, struct spans *taken, uint32_t size,
	struct spec_id_range **map, size_t *count, struct error *err)
{
	struct spans granted = { 0 };
	struct spec_id_range *line;
	const char *who;
	uint32_t first = 0;
	bool found = false;
	int r = find_grants(kind, &granted, taken, &who, err);

	if (taken->count)
		qsort(taken->items, taken->count, sizeof(*taken->items), compare_spans);
	for (size_t i = 0; r == 0 && !found && i < granted.count; i++)
		found = find_free(&granted.items[i], taken, size, &first);
	free(granted.items);
	if (r < 0)
		return r;
	if (!found && who)
		return error_set(err, -ENOSPC,
			"no %u %s ids in a row are free in what %s grants to '%s': remove "
			"containers that have a user namespace, grant more, or ask for less by "
			"userns 'auto:size=N'",
			size, kind->what, kind->grants, who);
	if (!found)
		return error_set(err, -ENOSPC, "no %u %s ids in a row are free in %u-%u", size,
			kind->what, ID_RANGE_FIRST, ID_RANGE_END - 1);
	line = array_add(*map, *count);
	*line = (struct spec_id_range){ 0, first, size };
	return 0;
}

/* "UID-UID GID-GID" */
static bool parse_entry(const char *text, struct spans taken[static ID_KINDS])
{
	cleanup_strv char **numbers = strv_split(text, " -");
	uint64_t values[2 * ID_KINDS];

	if (strv_length(numbers) != ARRAY_LEN(values))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		if (parse_u64(numbers[i], 0, ID_END, &values[i]) < 0)
			return false;
	for (size_t i = 0; i < ID_KINDS; i++)
		add_span(&taken[i], values[2 * i], values[2 * i + 1] + 1);
	return true;
}

/* Left by a creation or removal that was killed: nobody has the ids any more. */
static bool is_stale(const struct engine *engine, const char *id)
{
	cleanup_free char *path = xasprintf("containers/%s", id);

	return faccessat(engine->data_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

static int read_index(
	const struct engine *engine, struct spans taken[static ID_KINDS], struct error *err)
{
	cleanup_strv char **names = NULL;
	int r = dir_list(engine->data_fd, INDEX, &names, err);

	for (size_t i = 0; r == 0 && names && names[i]; i++) {
		cleanup_free char *path = xasprintf(INDEX "/%s", names[i]);
		char text[PATH_MAX];
		ssize_t length = readlinkat(engine->data_fd, path, text, sizeof(text) - 1);

		if (length < 0)
			return error_sys(err, -errno, "read %s", path);
		text[length] = '\0';
		if (is_stale(engine, names[i]))
			ids_drop(engine, names[i]);
		else if (!parse_entry(text, taken))
			return error_set(err, -EBADMSG, "damaged: %s/%s", engine->data_path, path);
	}
	return r;
}

static struct span hull(const struct spec_id_range *map, size_t count)
{
	struct span span = { UINT64_MAX, 0 };

	for (size_t i = 0; i < count; i++) {
		const uint64_t end = (uint64_t)map[i].outside + map[i].count;

		if (map[i].outside < span.first)
			span.first = map[i].outside;
		if (end > span.end)
			span.end = end;
	}
	return span;
}

/* On disk before the container is: whoever finds that must find this. */
static int write_entry(int index_fd, const struct container *container, struct error *err)
{
	const struct span users = hull(container->spec.uid_map, container->spec.uid_map_count);
	const struct span groups = hull(container->spec.gid_map, container->spec.gid_map_count);
	cleanup_free char *text = xasprintf("%llu-%llu %llu-%llu", (unsigned long long)users.first,
		(unsigned long long)users.end - 1, (unsigned long long)groups.first,
		(unsigned long long)groups.end - 1);

	if (symlinkat(text, index_fd, container->id) < 0)
		return error_sys(err, -errno, "write " INDEX "/%s", container->id);
	return fsync(index_fd) < 0 ? error_sys(err, -errno, "sync " INDEX) : 0;
}

static int pick_both(const struct engine *engine, struct spec *spec,
	struct spans taken[static ID_KINDS], struct error *err)
{
	int r = read_index(engine, taken, err);

	if (r == 0)
		r = pick(&kinds[USER_IDS], &taken[USER_IDS], spec->ids_wanted, &spec->uid_map,
			&spec->uid_map_count, err);
	if (r == 0)
		r = pick(&kinds[GROUP_IDS], &taken[GROUP_IDS], spec->ids_wanted, &spec->gid_map,
			&spec->gid_map_count, err);
	return r;
}

int ids_pick(const struct engine *engine, struct container *container, struct error *err)
{
	struct spec *spec = &container->spec;
	struct spans taken[ID_KINDS] = { 0 };
	int r;

	if (!spec->ids_wanted || spec->uid_map_count)
		return 0;
	r = pick_both(engine, spec, taken, err);
	for (size_t i = 0; i < ID_KINDS; i++)
		free(taken[i].items);
	return r;
}

int ids_claim(const struct engine *engine, const struct container *container, struct error *err)
{
	cleanup_fd int index_fd = -1;

	if (!spec_is_mapped(&container->spec))
		return 0;
	index_fd = dir_make_open(engine->data_fd, INDEX, 0700, err);
	return index_fd < 0 ? index_fd : write_entry(index_fd, container, err);
}

/* The directory goes with the last one, or when a kill has left it without any. */
void ids_drop(const struct engine *engine, const char *id)
{
	cleanup_free char *path = xasprintf(INDEX "/%s", id);

	unlinkat(engine->data_fd, path, 0);
	unlinkat(engine->data_fd, INDEX, AT_REMOVEDIR);
}
