/* SPDX-License-Identifier: GPL-2.0-or-later
 * json.h - the JSON adapter: cJSON is spoken to here and nowhere else.
 *
 * `struct json` is a node of a tree. Ownership: the root owns all; json_free(root) ends it. Adding
 * a node to a parent hands it over. The getters name file-independent paths in their errors
 * ("'image': missing"); the caller wraps with the file name. Unknown members are ignored
 * everywhere, a missing required one is -EBADMSG. A member that is null counts as absent. Integers
 * are exact over all of int64_t, in and out. Other readers of JSON keep them to 2^53 only, so
 * json_set_u64 writes larger ones (inode numbers, byte limits) as decimal strings; json_get_u64
 * reads both forms. */
#ifndef MYCOMPOSE_BASE_JSON_H
#define MYCOMPOSE_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/errors.h"
#include "engine/base/files.h"
#include "engine/base/strbuf.h"

struct json;

#define cleanup_json __attribute__((cleanup(json_cleanup)))
void json_free(struct json *json); /* NULL is fine */
void json_cleanup(struct json **json);

/* Parse exactly one value. Depth over 200, duplicate member names and NUL in names are refused
 * (-EBADMSG). Invalid UTF-8, unpaired surrogates and a NUL inside a value become U+FFFD. */
int json_parse(const char *text, size_t length, struct json **ret_json, struct error *err);
/* Read and parse a file of at most `limit` bytes; errors carry the path. */
int json_read_file(
	int dir_fd, const char *path, size_t limit, struct json **ret_json, struct error *err);
/* Print compact and replace the file atomically (mode 0600). */
int json_write_file(int dir_fd, const char *name, const struct json *json,
	enum file_durability durability, struct error *err);
char *json_print(const struct json *json);	  /* compact, heap */
char *json_print_pretty(const struct json *json); /* 2-space indent, heap */
/* Go's encoding: compact, and '<' '>' '&' escaped as \u003c \u003e \u0026 (what docker prints). */
char *json_print_go(const struct json *json);
/* Append `s` as a JSON string with quotes; invalid UTF-8 becomes U+FFFD, control bytes are escaped.
 */
void json_quote(struct strbuf *buf, const char *s, size_t length);

struct json *json_new_object(void);
struct json *json_new_array(void);
struct json *json_new_string(const char *s); /* NULL gives null; invalid UTF-8 is replaced */
struct json *json_new_int(int64_t value);
struct json *json_new_bool(bool value);
struct json *json_new_null(void);
struct json *json_copy(const struct json *json);

/* Members of an object (replace an existing one) and items of an array. */
void json_set(struct json *object, const char *key, struct json *value);
void json_set_string(struct json *object, const char *key, const char *value); /* NULL: no member */
void json_set_int(struct json *object, const char *key, int64_t value);
void json_set_u64(struct json *object, const char *key, uint64_t value);
void json_set_bool(struct json *object, const char *key, bool value);
void json_set_strv(struct json *object, const char *key, char *const *strv); /* NULL: no member */
void json_remove(struct json *object, const char *key);
void json_append(struct json *array, struct json *value);
void json_append_string(struct json *array, const char *value);

/* Look-ups; NULL when absent or `object` is not an object. */
const struct json *json_get(const struct json *object, const char *key);
size_t json_count(const struct json *json);
const struct json *json_first(const struct json *json); /* first child of object or array */
const struct json *json_next(const struct json *child);
const char *json_key(const struct json *child); /* NULL in arrays */
#define json_for_each(child, parent) \
	for (const struct json *child = json_first(parent); child; child = json_next(child))

bool json_is_object(const struct json *json);
bool json_is_array(const struct json *json);
bool json_is_string(const struct json *json);
bool json_is_number(const struct json *json);
bool json_is_bool(const struct json *json);
bool json_is_null(const struct json *json);
bool json_is_true(const struct json *json);
const char *json_string(const struct json *json);	     /* NULL if not a string */
int64_t json_int(const struct json *json, int64_t fallback); /* rounds toward zero */
double json_double(const struct json *json, double fallback);

/* Typed members. *_get: required. *_opt: absent leaves *ret as it is. Wrong type: -EBADMSG. */
int json_get_string(
	const struct json *object, const char *key, char **ret, struct error *err); /* heap copy */
int json_opt_string(
	const struct json *object, const char *key, char **ret, struct error *err); /* frees old */
int json_get_int(const struct json *object, const char *key, int64_t *ret, struct error *err);
int json_opt_int(const struct json *object, const char *key, int64_t *ret, struct error *err);
int json_get_u64(const struct json *object, const char *key, uint64_t *ret, struct error *err);
int json_opt_u64(const struct json *object, const char *key, uint64_t *ret, struct error *err);
int json_opt_bool(const struct json *object, const char *key, bool *ret, struct error *err);
int json_opt_strv(
	const struct json *object, const char *key, char ***ret, struct error *err); /* frees old */

#endif
