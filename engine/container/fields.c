/* SPDX-License-Identifier: GPL-2.0-or-later
 * fields.c - the codec of each kind of field, in one table, and the walks over rows. */
#include "engine/container/fields.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"

/* A record holds environment and maybe a seccomp profile; more than this is no record of ours. */
#define FILE_MAX (16U << 20)

/* A codec is given the JSON object that holds the member, the member's key in it, and the address
 * of the field. Readers are called only when the member is present. */
struct codec {
	void (*write)(const struct field *field, struct json *json, const char *key, const void *p);
	int (*read)(const struct field *field, const struct json *json, const char *key, void *p,
		struct error *err);
	void (*release)(const struct field *field, void *p);
};

static int expected(const char *key, const char *what, struct error *err)
{
	return error_set(err, -EBADMSG, "'%s': expected %s", key, what);
}

static bool wanted(const struct field *field, bool is_set)
{
	return is_set || (field->flags & FIELD_REQUIRED);
}

static void write_string(
	const struct field *field, struct json *json, const char *key, const void *p)
{
	(void)field;
	json_set_string(json, key, *(char *const *)p);
}

static int read_string(const struct field *field, const struct json *json, const char *key, void *p,
	struct error *err)
{
	(void)field;
	return json_opt_string(json, key, p, err);
}

static void release_string(const struct field *field, void *p)
{
	(void)field;
	free(*(char **)p);
}

static void write_chars(
	const struct field *field, struct json *json, const char *key, const void *p)
{
	const char *s = p;

	if (wanted(field, *s))
		json_set_string(json, key, s);
}

static int read_chars(const struct field *field, const struct json *json, const char *key, void *p,
	struct error *err)
{
	const char *s = json_string(json_get(json, key));

	if (!s)
		return expected(key, "a string", err);
	if (strlen(s) >= field->size)
		return error_set(
			err, -EBADMSG, "'%s': longer than %zu bytes", key, field->size - 1);
	memcpy(p, s, strlen(s) + 1);
	return 0;
}

static void write_char(const struct field *field, struct json *json, const char *key, const void *p)
{
	const char s[2] = { *(const char *)p, 0 };

	if (wanted(field, *s))
		json_set_string(json, key, s);
}

static int read_char(const struct field *field, const struct json *json, const char *key, void *p,
	struct error *err)
{
	const char *s = json_string(json_get(json, key));

	(void)field;
	if (!s || strlen(s) > 1)
		return expected(key, "one character", err);
	*(char *)p = *s;
	return 0;
}

static void write_strv(const struct field *field, struct json *json, const char *key, const void *p)
{
	char *const *strv = *(char **const *)p;

	if (!wanted(field, strv_length(strv) > 0))
		return;
	if (strv)
		json_set_strv(json, key, strv);
	else
		json_set(json, key, json_new_array());
}

static int read_strv(const struct field *field, const struct json *json, const char *key, void *p,
	struct error *err)
{
	(void)field;
	return json_opt_strv(json, key, p, err);
}

static void release_strv(const struct field *field, void *p)
{
	(void)field;
	strv_free(*(char ***)p);
}

static void write_bool(const struct field *field, struct json *json, const char *key, const void *p)
{
	bool value = *(const bool *)p;

	if (wanted(field, value))
		json_set_bool(json, key, value);
}

static int read_bool(const struct field *field, const struct json *json, const char *key, void *p,
	struct error *err)
{
	(void)field;
	return json_opt_bool(json, key, p, err);
}

static void write_signed(
	const struct field *field, struct json *json, const char *key, const void *p)
{
	int64_t value = field->size == sizeof(int64_t) ? *(const int64_t *)p : *(const int32_t *)p;

	if (wanted(field, value != 0))
		json_set_int(json, key, value);
}

static int read_signed(const struct field *field, const struct json *json, const char *key, void *p,
	struct error *err)
{
	int64_t value = 0;
	int r = json_get_int(json, key, &value, err);

	if (r < 0)
		return r;
	if (field->size == sizeof(int64_t))
		*(int64_t *)p = value;
	else if (value >= INT32_MIN && value <= INT32_MAX)
		*(int32_t *)p = (int32_t)value;
	else
		return expected(key, "a smaller number", err);
	return 0;
}

static void write_unsigned(
	const struct field *field, struct json *json, const char *key, const void *p)
{
	uint64_t value = field->size == sizeof(uint64_t)   ? *(const uint64_t *)p
			 : field->size == sizeof(uint32_t) ? *(const uint32_t *)p
							   : *(const uint16_t *)p;

	if (wanted(field, value != 0))
		json_set_u64(json, key, value);
}

static int read_unsigned(const struct field *field, const struct json *json, const char *key,
	void *p, struct error *err)
{
	uint64_t value = 0;
	int r = json_get_u64(json, key, &value, err);

	if (r < 0)
		return r;
	if (field->size == sizeof(uint64_t))
		*(uint64_t *)p = value;
	else if (field->size == sizeof(uint32_t) && value <= UINT32_MAX)
		*(uint32_t *)p = (uint32_t)value;
	else if (field->size == sizeof(uint16_t) && value <= UINT16_MAX)
		*(uint16_t *)p = (uint16_t)value;
	else
		return expected(key, "a smaller number", err);
	return 0;
}

static void write_time(const struct field *field, struct json *json, const char *key, const void *p)
{
	int64_t ns = *(const int64_t *)p;

	if (!wanted(field, ns != 0))
		return;
	cleanup_free char *text = time_format_rfc3339(ns);
	json_set_string(json, key, text);
}

static int read_time(const struct field *field, const struct json *json, const char *key, void *p,
	struct error *err)
{
	const char *s = json_string(json_get(json, key));

	(void)field;
	if (!s || time_parse_rfc3339(s, p) < 0)
		return expected(key, "a time", err);
	return 0;
}

static void write_name(const struct field *field, struct json *json, const char *key, const void *p)
{
	unsigned int value = *(const unsigned int *)p;

	if (wanted(field, value != 0) && value < field->name_count)
		json_set_string(json, key, field->names[value]);
}

static int read_name(const struct field *field, const struct json *json, const char *key, void *p,
	struct error *err)
{
	const char *s = json_string(json_get(json, key));

	if (!s)
		return expected(key, "a string", err);
	for (size_t i = 0; i < field->name_count; i++) {
		if (strcmp(s, field->names[i]) == 0) {
			*(unsigned int *)p = (unsigned int)i;
			return 0;
		}
	}
	return error_set(err, -EBADMSG, "'%s': unknown value '%s'", key, s);
}

static void write_struct(
	const struct field *field, struct json *json, const char *key, const void *p)
{
	struct json *object = fields_to_json(field->type, p);

	if (wanted(field, json_count(object) > 0))
		json_set(json, key, object);
	else
		json_free(object);
}

static int read_struct(const struct field *field, const struct json *json, const char *key, void *p,
	struct error *err)
{
	int r = fields_from_json(field->type, json_get(json, key), p, err);

	if (r < 0)
		error_wrap(err, "'%s'", key);
	return r;
}

static void release_struct(const struct field *field, void *p)
{
	fields_release(field->type, p);
}

/* An array is two fields: the pointer at `p` and the count elsewhere in the same struct. */
static size_t *array_count(const struct field *field, const void *p)
{
	return (size_t *)(uintptr_t)((const char *)p - field->offset + field->count_offset);
}

static void write_array(
	const struct field *field, struct json *json, const char *key, const void *p)
{
	const char *items = *(char *const *)p;
	size_t count = *array_count(field, p);

	if (!wanted(field, count > 0))
		return;
	struct json *array = json_new_array();

	for (size_t i = 0; i < count; i++)
		json_append(array, fields_to_json(field->type, items + i * field->type->size));
	json_set(json, key, array);
}

static int read_array(const struct field *field, const struct json *json, const char *key, void *p,
	struct error *err)
{
	const struct json *array = json_get(json, key);
	size_t *count = array_count(field, p);

	if (!json_is_array(array))
		return expected(key, "a list", err);
	json_for_each (child, array) {
		void *item = array_grow(p, count, field->type->size);
		int r = fields_from_json(field->type, child, item, err);

		if (r < 0) {
			error_wrap(err, "'%s[%zu]'", key, *count - 1);
			return r;
		}
	}
	return 0;
}

static void release_array(const struct field *field, void *p)
{
	char *items = *(char **)p;
	size_t count = *array_count(field, p);

	for (size_t i = 0; i < count; i++)
		fields_release(field->type, items + i * field->type->size);
	free(items);
}

static void write_custom(
	const struct field *field, struct json *json, const char *key, const void *p)
{
	struct json *value = field->custom->to_json(p);

	if (value)
		json_set(json, key, value);
}

static int read_custom(const struct field *field, const struct json *json, const char *key, void *p,
	struct error *err)
{
	int r = field->custom->from_json(json_get(json, key), p, err);

	if (r < 0)
		error_wrap(err, "'%s'", key);
	return r;
}

static void release_custom(const struct field *field, void *p)
{
	field->custom->release(p);
}

static const struct codec codecs[] = {
	[FIELD_STRING] = { write_string, read_string, release_string },
	[FIELD_CHARS] = { write_chars, read_chars, NULL },
	[FIELD_CHAR] = { write_char, read_char, NULL },
	[FIELD_STRV] = { write_strv, read_strv, release_strv },
	[FIELD_BOOL] = { write_bool, read_bool, NULL },
	[FIELD_SIGNED] = { write_signed, read_signed, NULL },
	[FIELD_UNSIGNED] = { write_unsigned, read_unsigned, NULL },
	[FIELD_TIME] = { write_time, read_time, NULL },
	[FIELD_NAME] = { write_name, read_name, NULL },
	[FIELD_STRUCT] = { write_struct, read_struct, release_struct },
	[FIELD_ARRAY] = { write_array, read_array, release_array },
	[FIELD_CUSTOM] = { write_custom, read_custom, release_custom },
};

#define SECTION_MAX 32

/* "process.args": section "process", returns "args". No section: "". */
static const char *split_key(const char *key, char section[static SECTION_MAX])
{
	const char *dot = strchr(key, '.');
	size_t length = dot ? (size_t)(dot - key) : 0;

	assert(length < SECTION_MAX);
	memcpy(section, key, length);
	section[length] = '\0';
	return dot ? dot + 1 : key;
}

/* The rows of a section stand together, so that one object is open at a time; it is added when the
 * section ends, if anything came into it. */
static void close_section(struct json *root, const char *section, struct json *object)
{
	if (object == root)
		return;
	if (json_count(object) > 0)
		json_set(root, section, object);
	else
		json_free(object);
}

static void write_fields(const struct field_type *type, const void *object, struct json *root)
{
	struct json *holder = root;
	char open_section[SECTION_MAX] = "", section[SECTION_MAX];

	for (size_t i = 0; i < type->count; i++) {
		const struct field *field = &type->fields[i];
		const char *key = split_key(field->key, section);

		if (strcmp(section, open_section) != 0) {
			close_section(root, open_section, holder);
			holder = *section ? json_new_object() : root;
			memcpy(open_section, section, sizeof(section));
		}
		codecs[field->kind].write(field, holder, key, (const char *)object + field->offset);
	}
	close_section(root, open_section, holder);
}

struct json *fields_to_json(const struct field_type *type, const void *object)
{
	struct json *root = json_new_object();

	write_fields(type, object, root);
	return root;
}

static int read_field(
	const struct field *field, const struct json *json, void *object, struct error *err)
{
	char section[SECTION_MAX];
	const char *key = split_key(field->key, section);
	const struct json *holder = *section ? json_get(json, section) : json;
	const struct json *member = json_get(holder, key);
	int r;

	if (!member || json_is_null(member))
		return field->flags & FIELD_REQUIRED
			       ? error_set(err, -EBADMSG, "'%s': missing", field->key)
			       : 0;
	r = codecs[field->kind].read(field, holder, key, (char *)object + field->offset, err);
	if (r < 0 && *section)
		error_wrap(err, "'%s'", section);
	return r;
}

int fields_from_json(
	const struct field_type *type, const struct json *json, void *object, struct error *err)
{
	memset(object, 0, type->size);
	if (!json_is_object(json))
		return error_set(err, -EBADMSG, "expected an object");
	for (size_t i = 0; i < type->count; i++) {
		int r = read_field(&type->fields[i], json, object, err);

		if (r < 0) {
			fields_release(type, object);
			return r;
		}
	}
	return 0;
}

void fields_release(const struct field_type *type, void *object)
{
	for (size_t i = 0; i < type->count; i++) {
		const struct field *field = &type->fields[i];

		if (codecs[field->kind].release)
			codecs[field->kind].release(field, (char *)object + field->offset);
	}
	memset(object, 0, type->size);
}

int fields_write_file(const struct field_type *type, int version, const void *object, int dir_fd,
	const char *name, enum file_durability durability, struct error *err)
{
	cleanup_json struct json *json = json_new_object();

	json_set_int(json, "version", version);
	write_fields(type, object, json);
	return json_write_file(dir_fd, name, json, durability, err);
}

static int check_version(const struct json *json, int known, struct error *err)
{
	int64_t version;
	int r = json_get_int(json, "version", &version, err);

	if (r < 0)
		return r;
	if (version > known)
		return error_set(err, -ENOTSUP,
			"written by a newer mycompose (format %lld, this one reads up to %d)",
			(long long)version, known);
	if (version < 1)
		return error_set(
			err, -EBADMSG, "'version': %lld is no version", (long long)version);
	return 0;
}

int fields_read_file(const struct field_type *type, int version, void *object, int dir_fd,
	const char *name, const char *path, struct error *err)
{
	cleanup_free char *text = NULL;
	cleanup_json struct json *json = NULL;
	size_t length;
	int r = file_read(dir_fd, name, FILE_MAX, &text, &length, err);

	if (r < 0) {
		error_wrap(err, "%s", path);
		return r;
	}
	if (length == 0)
		return error_set(err, -EBADMSG, "%s: the file is empty", path);
	r = json_parse(text, length, &json, err);
	if (r == 0)
		r = check_version(json, version, err);
	if (r == 0)
		r = fields_from_json(type, json, object, err);
	if (r < 0)
		error_wrap(err, "%s", path);
	return r;
}
