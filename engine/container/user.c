/* SPDX-License-Identifier: GPL-2.0-or-later
 * user.c - "name", "uid", "user:group" become numbers, by the image's own passwd and group files.
 *
 * Those files are an image's word: opened inside the root, regular files only, bounded in size and
 * line length (CVE-2024-9676: passwd as a link; unbounded group files). Numbers are 0..2^31-1;
 * 2^32-1 in particular means "no change" to setuid(2). passwd(5), group(5). */
#include "engine/container/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"

#define FILE_LIMIT     (8 << 20)
#define LINE_LIMIT     (64 << 10)
#define ID_MAXIMUM     INT32_MAX
#define GROUPS_MAXIMUM 65536 /* NGROUPS_MAX of the kernel */
#define FIELDS_MAXIMUM 7

struct lines {
	FILE *file; /* NULL: there is no such file, so no lines */
	const char *path;
	char *line;
	size_t total;
};

static int lines_open(struct lines *lines, int root_fd, const char *path, struct error *err)
{
	cleanup_error struct error local = ERROR_INIT;
	struct stat st;
	int fd = file_open_in_root(root_fd, path, O_RDONLY | O_NONBLOCK, 0, &local);

	*lines = (struct lines){ .path = path };
	if (fd == -ENOENT || fd == -ENOTDIR)
		return 0;
	if (fd < 0)
		return error_move(err, &local);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return error_set(err, -EINVAL, "the image's %s is not a regular file", path);
	}
	lines->file = fdopen(fd, "re");
	if (!lines->file) {
		close(fd);
		return error_sys(err, -errno, "%s", path);
	}
	lines->line = xmalloc(LINE_LIMIT);
	return 0;
}

static void lines_close(struct lines *lines)
{
	if (lines->file)
		fclose(lines->file);
	free(lines->line);
}

/* 1 and the next line in lines->line; 0 at the end. */
static int lines_next(struct lines *lines, struct error *err)
{
	size_t length;

	if (!lines->file)
		return 0;
	errno = 0;
	if (!fgets(lines->line, LINE_LIMIT, lines->file))
		return ferror(lines->file)
			       ? error_sys(err, errno ? -errno : -EIO, "read %s", lines->path)
			       : 0;
	length = strlen(lines->line);
	lines->total += length;
	if (lines->total > FILE_LIMIT)
		return error_set(err, -EFBIG, "the image's %s is larger than %d MiB", lines->path,
			FILE_LIMIT >> 20);
	if (length == LINE_LIMIT - 1 && lines->line[length - 1] != '\n')
		return error_set(err, -EFBIG, "the image's %s has a line of more than %d KiB",
			lines->path, LINE_LIMIT >> 10);
	lines->line[strcspn(lines->line, "\n")] = '\0';
	return 1;
}

/* Split in place at ':'; what is missing is "". */
static void split_fields(char *line, char *fields[static FIELDS_MAXIMUM])
{
	for (size_t i = 0; i < FIELDS_MAXIMUM; i++) {
		char *colon = strchr(line, ':');

		fields[i] = line;
		if (colon && i + 1 < FIELDS_MAXIMUM) {
			*colon = '\0';
			line = colon + 1;
		} else {
			line += strlen(line);
		}
	}
}

static bool parse_id(const char *text, uint32_t *ret)
{
	uint64_t value;

	if (parse_u64(text, 0, ID_MAXIMUM, &value) < 0)
		return false;
	*ret = (uint32_t)value;
	return true;
}

/* Starts like a number, so it is meant as one: "4294967295", "-1", "0x0" are no names. */
static bool looks_numeric(const char *text)
{
	return strchr("0123456789-+", text[0]) != NULL;
}

static int no_such(const char *what, const char *name, struct error *err)
{
	uint32_t id;

	if (looks_numeric(name) && !parse_id(name, &id))
		return error_set(err, -EINVAL, "%s '%s': ids are decimal numbers in 0..%d", what,
			name, ID_MAXIMUM);
	return error_set(err, -ENOENT, "unable to find %s %s: no matching entries in %s file", what,
		name, strcmp(what, "user") == 0 ? "passwd" : "group");
}

/* name:password:uid:gid:gecos:home:shell. A number finds its entry too, for group and home.
 * *ret_name is the entry's, NULL without one. */
static int find_user(
	int root_fd, const char *user, struct process_user *ret, char **ret_name, struct error *err)
{
	struct lines lines;
	uint32_t wanted = 0;
	bool numeric = parse_id(user, &wanted), found = false;
	int r = lines_open(&lines, root_fd, "/etc/passwd", err);

	while (r >= 0 && !found && (r = lines_next(&lines, err)) > 0) {
		char *fields[FIELDS_MAXIMUM];
		uint32_t uid, gid;

		split_fields(lines.line, fields);
		if (!fields[0][0] || !parse_id(fields[2], &uid) || !parse_id(fields[3], &gid))
			continue;
		found = strcmp(fields[0], user) == 0 || (numeric && uid == wanted);
		if (!found)
			continue;
		ret->uid = uid;
		ret->gid = gid;
		ret->home = xstrdup(fields[5]);
		*ret_name = xstrdup(fields[0]);
	}
	lines_close(&lines);
	if (r < 0)
		return r;
	if (!found && !numeric)
		return no_such("user", user, err);
	if (!found)
		ret->uid = wanted;
	return 0;
}

/* name:password:gid:members. */
struct group_line {
	const char *name;
	gid_t gid;
	char *members;
};

static int next_group(struct lines *lines, struct group_line *ret, struct error *err)
{
	int r;

	while ((r = lines_next(lines, err)) > 0) {
		char *fields[FIELDS_MAXIMUM];
		uint32_t gid;

		split_fields(lines->line, fields);
		if (!fields[0][0] || !parse_id(fields[2], &gid))
			continue;
		*ret = (struct group_line){ fields[0], gid, fields[3] };
		return 1;
	}
	return r;
}

static int find_group(int root_fd, const char *group, gid_t *ret, struct error *err)
{
	struct lines lines;
	struct group_line line;
	uint32_t wanted;
	bool found = false;
	int r;

	if (parse_id(group, &wanted)) {
		*ret = wanted;
		return 0;
	}
	r = lines_open(&lines, root_fd, "/etc/group", err);
	while (r >= 0 && !found && (r = next_group(&lines, &line, err)) > 0) {
		found = strcmp(line.name, group) == 0;
		if (found)
			*ret = line.gid;
	}
	lines_close(&lines);
	if (r < 0)
		return r;
	return found ? 0 : no_such("group", group, err);
}

static bool is_member(const char *members, const char *name)
{
	size_t length = strlen(name);

	for (const char *p = members; *p; p += *p == ',') {
		size_t n = strcspn(p, ",");

		if (n == length && strncmp(p, name, n) == 0)
			return true;
		p += n;
	}
	return false;
}

static int add_group(struct process_user *user, gid_t gid, struct error *err)
{
	for (size_t i = 0; i < user->group_count; i++) {
		if (user->groups[i] == gid)
			return 0;
	}
	if (user->group_count == GROUPS_MAXIMUM)
		return error_set(err, -E2BIG, "more than %d groups", GROUPS_MAXIMUM);
	*array_add(user->groups, user->group_count) = gid;
	return 0;
}

static int add_memberships(
	int root_fd, const char *name, struct process_user *user, struct error *err)
{
	struct lines lines;
	struct group_line line;
	int r = lines_open(&lines, root_fd, "/etc/group", err);

	while (r >= 0 && (r = next_group(&lines, &line, err)) > 0) {
		if (is_member(line.members, name))
			r = add_group(user, line.gid, err);
	}
	lines_close(&lines);
	return r < 0 ? r : 0;
}

static int resolve(int root_fd, const char *user, char *const *group_add, struct process_user *ret,
	struct error *err)
{
	const char *group = strchr(user, ':');
	cleanup_free char *wanted = group ? xstrndup(user, (size_t)(group - user)) : xstrdup(user);
	cleanup_free char *name = NULL;
	int r;

	r = find_user(root_fd, *wanted ? wanted : "0", ret, &name, err);
	if (r < 0)
		return r;
	/* A group that is said replaces those of the group file, as with Docker. */
	if (group && group[1])
		r = find_group(root_fd, group + 1, &ret->gid, err);
	else if (name)
		r = add_memberships(root_fd, name, ret, err);
	for (size_t i = 0; r == 0 && group_add && group_add[i]; i++) {
		gid_t gid = 0;

		r = find_group(root_fd, group_add[i], &gid, err);
		if (r == 0)
			r = add_group(ret, gid, err);
	}
	return r;
}

int user_resolve(int root_fd, const char *user, char *const *group_add, struct process_user *ret,
	struct error *err)
{
	struct process_user found = { 0 };
	int r = resolve(root_fd, user ? user : "", group_add, &found, err);

	if (r < 0) {
		process_user_release(&found);
		return r;
	}
	if (!found.home || found.home[0] != '/') {
		free(found.home);
		found.home = xstrdup("/");
	}
	*ret = found;
	return 0;
}

void process_user_release(struct process_user *user)
{
	free(user->groups);
	free(user->home);
	*user = (struct process_user){ 0 };
}
