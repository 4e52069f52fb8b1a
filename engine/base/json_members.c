/* SPDX-License-Identifier: GPL-2.0-or-later
 * json_members.c - typed members of objects, and trees in files. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/json_internal.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"

/* The integers every reader of JSON keeps exact. */
#define EXACT_MAX (1ULL << 53)

int json_read_file(
	int dir_fd, const char *path, size_t limit, struct json **ret_json, struct error *err)
{
	cleanup_free char *text = NULL;
	size_t length;
	int r = file_read(dir_fd, path, limit, &text, &length, err);

	if (r < 0)
		return r;
	r = json_parse(text, length, ret_json, err);
	if (r < 0)
		error_wrap(err, "'%s'", path);
	return r;
}

int json_write_file(int dir_fd, const char *name, const struct json *json,
	enum file_durability durability, struct error *err)
{
	cleanup_free char *text = json_print(json);

	return file_replace(dir_fd, name, text, strlen(text), 0600, durability, err);
}

void json_set_string(struct json *object, const char *key, const char *value)
{
	if (value)
		json_set(object, key, json_new_string(value));
}

void json_set_int(struct json *object, const char *key, int64_t value)
{
	json_set(object, key, json_new_int(value));
}

void json_set_u64(struct json *object, const char *key, uint64_t value)
{
	char text[32];

	if (value <= EXACT_MAX) {
		json_set_int(object, key, (int64_t)value);
		return;
	}
	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	json_set_string(object, key, text);
}

void json_set_bool(struct json *object, const char *key, bool value)
{
	json_set(object, key, json_new_bool(value));
}

void json_set_strv(struct json *object, const char *key, char *const *strv)
{
	struct json *array;

	if (!strv)
		return;
	array = json_new_array();
	for (; *strv; strv++)
		json_append_string(array, *strv);
	json_set(object, key, array);
}

void json_append_string(struct json *array, const char *value)
{
	json_append(array, json_new_string(value));
}

/* A member that is null counts as absent, as it does for Go's decoder. */
static const struct json *find_member(const struct json *object, const char *key)
{
	const struct json *member = json_get(object, key);

	return json_is_null(member) ? NULL : member;
}

static int missing(const char *key, struct error *err)
{
	return error_set(err, -EBADMSG, "'%s': missing", key);
}

static int expected(const char *key, const char *what, struct error *err)
{
	return error_set(err, -EBADMSG, "'%s': expected %s", key, what);
}

/* Readers of one present member. */
static int read_string(const struct json *member, const char *key, char **ret, struct error *err)
{
	const char *s = json_string(member);

	if (!s)
		return expected(key, "a string", err);
	*ret = xstrdup(s);
	return 0;
}

static int read_int(const struct json *member, const char *key, int64_t *ret, struct error *err)
{
	char buf[JSON_NUMBER_BYTES];

	if (json_small_int(member, ret))
		return 0;
	if (!json_is_number(member) ||
		parse_i64(json_number_text(member, buf), INT64_MIN, INT64_MAX, ret) < 0)
		return expected(key, "an integer", err);
	return 0;
}

static int read_u64(const struct json *member, const char *key, uint64_t *ret, struct error *err)
{
	char buf[JSON_NUMBER_BYTES];
	const char *text;
	int64_t small;

	if (json_small_int(member, &small) && small >= 0) {
		*ret = (uint64_t)small;
		return 0;
	}
	text = json_is_number(member) ? json_number_text(member, buf) : json_string(member);
	if (!text || parse_u64(text, 0, UINT64_MAX, ret) < 0)
		return expected(key, "an integer that is not negative", err);
	return 0;
}

int json_get_string(const struct json *object, const char *key, char **ret, struct error *err)
{
	const struct json *member = find_member(object, key);

	return member ? read_string(member, key, ret, err) : missing(key, err);
}

int json_opt_string(const struct json *object, const char *key, char **ret, struct error *err)
{
	const struct json *member = find_member(object, key);
	char *s = NULL;
	int r;

	if (!member)
		return 0;
	r = read_string(member, key, &s, err);
	if (r < 0)
		return r;
	free(*ret);
	*ret = s;
	return 0;
}

int json_get_int(const struct json *object, const char *key, int64_t *ret, struct error *err)
{
	const struct json *member = find_member(object, key);

	return member ? read_int(member, key, ret, err) : missing(key, err);
}

int json_opt_int(const struct json *object, const char *key, int64_t *ret, struct error *err)
{
	const struct json *member = find_member(object, key);

	return member ? read_int(member, key, ret, err) : 0;
}

int json_get_u64(const struct json *object, const char *key, uint64_t *ret, struct error *err)
{
	const struct json *member = find_member(object, key);

	return member ? read_u64(member, key, ret, err) : missing(key, err);
}

int json_opt_u64(const struct json *object, const char *key, uint64_t *ret, struct error *err)
{
	const struct json *member = find_member(object, key);

	return member ? read_u64(member, key, ret, err) : 0;
}

int json_opt_bool(const struct json *object, const char *key, bool *ret, struct error *err)
{
	const struct json *member = find_member(object, key);

	if (!member)
		return 0;
	if (!json_is_bool(member))
		return expected(key, "true or false", err);
	*ret = json_is_true(member);
	return 0;
}

int json_opt_strv(const struct json *object, const char *key, char ***ret, struct error *err)
{
	const struct json *member = find_member(object, key);
	cleanup_strv char **strv = NULL;
	size_t count = 0;

	if (!member)
		return 0;
	if (!json_is_array(member))
		return expected(key, "a list of strings", err);
	array_add(strv, count); /* the NULL at the end */
	json_for_each (item, member) {
		if (!json_is_string(item))
			return expected(key, "a list of strings", err);
		array_add(strv, count);
		strv[count - 2] = xstrdup(json_string(item));
	}
	strv_free(*ret);
	*ret = steal_ptr(strv);
	return 0;
}
