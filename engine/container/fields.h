/* SPDX-License-Identifier: GPL-2.0-or-later
 * fields.h - one table a struct, from which it is written as JSON, read back and released.
 * May depend on: engine/base/.
 *
 * Reading and writing walk the same rows, so neither can forget a field. A value that is zero, NULL
 * or empty is not written unless the row says FIELD_REQUIRED, and an absent member leaves the field
 * zero: tables suit structs whose zero value means "not set". Unknown members are ignored.
 * A file additionally holds "version" first; an older one reads as it is, a newer one is refused
 * with a message that says so. */
#ifndef MYCOMPOSE_CONTAINER_FIELDS_H
#define MYCOMPOSE_CONTAINER_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/errors.h"
#include "engine/base/files.h"
#include "engine/base/json.h"

enum field_kind {
	FIELD_STRING, /* char *, heap */
	FIELD_CHARS,  /* char[size], NUL-terminated */
	FIELD_CHAR,   /* one char, written as a string */
	FIELD_STRV,   /* char **, heap */
	FIELD_BOOL,
	FIELD_SIGNED,	/* an integer of `size` bytes; above 2^53 a decimal string */
	FIELD_UNSIGNED, /* the same without sign */
	FIELD_TIME,	/* int64_t ns since 1970, written as RFC 3339 */
	FIELD_NAME,	/* an enum, written as names[value] */
	FIELD_STRUCT,	/* embedded, `type` tells its fields; absent = all zero */
	FIELD_ARRAY,	/* TYPE *items at offset, size_t at count_offset */
	FIELD_CUSTOM,	/* embedded, `custom` does the work */
};

enum { FIELD_REQUIRED = 1 };

struct field;

struct field_type {
	const struct field *fields;
	size_t count;
	size_t size; /* of the struct */
};

struct field_custom {
	struct json *(*to_json)(const void *value); /* NULL = no member */
	int (*from_json)(const struct json *json, void *value, struct error *err);
	void (*release)(void *value);
};

struct field {
	const char *key; /* "process.args": member of a sub-object */
	enum field_kind kind;
	unsigned int flags;
	size_t offset;
	size_t size;		       /* CHARS, SIGNED, UNSIGNED */
	size_t count_offset;	       /* ARRAY */
	const struct field_type *type; /* STRUCT, ARRAY */
	const struct field_custom *custom;
	const char *const *names; /* NAME */
	size_t name_count;
};

/* Rows are written with these: (key, kind, flags, struct, member). */
#define FIELD_SIZE(s, m) sizeof(((s *)0)->m)
#define FIELD_ROW(key_, kind_, flags_, s, m)                                                 \
	{                                                                                    \
		.key = (key_), .kind = (kind_), .flags = (flags_), .offset = offsetof(s, m), \
		.size = FIELD_SIZE(s, m)                                                     \
	}
#define FIELD_ROW_NAME(key_, flags_, s, m, names_)                                              \
	{                                                                                       \
		.key = (key_), .kind = FIELD_NAME, .flags = (flags_), .offset = offsetof(s, m), \
		.size = FIELD_SIZE(s, m), .names = (names_), .name_count = ARRAY_LEN(names_)    \
	}
#define FIELD_ROW_STRUCT(key_, flags_, s, m, type_)                                               \
	{                                                                                         \
		.key = (key_), .kind = FIELD_STRUCT, .flags = (flags_), .offset = offsetof(s, m), \
		.size = FIELD_SIZE(s, m), .type = (type_)                                         \
	}
#define FIELD_ROW_ARRAY(key_, s, m, count_m, type_)                           \
	{                                                                     \
		.key = (key_), .kind = FIELD_ARRAY, .offset = offsetof(s, m), \
		.count_offset = offsetof(s, count_m), .type = (type_)         \
	}
#define FIELD_ROW_CUSTOM(key_, s, m, custom_)                                  \
	{                                                                      \
		.key = (key_), .kind = FIELD_CUSTOM, .offset = offsetof(s, m), \
		.size = FIELD_SIZE(s, m), .custom = (custom_)                  \
	}
#define FIELD_TYPE(s, rows)                                                   \
	{                                                                     \
		.fields = (rows), .count = ARRAY_LEN(rows), .size = sizeof(s) \
	}

struct json *fields_to_json(const struct field_type *type, const void *object);
/* `object` is zeroed first; on failure it is released, that is zero again. -EBADMSG names the
 * member. */
int fields_from_json(
	const struct field_type *type, const struct json *json, void *object, struct error *err);
/* Free what the fields own; the struct is zero afterwards. */
void fields_release(const struct field_type *type, void *object);

/* The same as a file `name` in dir_fd, mode 0600. On reading, `path` is the file's name as messages
 * give it. -ENOENT when absent, -EBADMSG when damaged, -ENOTSUP when a newer version wrote it. */
int fields_write_file(const struct field_type *type, int version, const void *object, int dir_fd,
	const char *name, enum file_durability durability, struct error *err);
int fields_read_file(const struct field_type *type, int version, void *object, int dir_fd,
	const char *name, const char *path, struct error *err);

#endif
