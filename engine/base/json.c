/* SPDX-License-Identifier: GPL-2.0-or-later
 * json.c - trees of JSON values, held by cJSON: the one file that speaks to it.
 *
 * `struct json` is a cJSON in disguise. cJSON keeps numbers as doubles; large integers are
 * cJSON_Raw nodes that hold their text. Nothing else here makes Raw nodes, so that Raw means
 * "integer". */
#include "engine/base/json.h"

#include <assert.h>
#include <cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/json_internal.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/utf8.h"

static cJSON *node_of(struct json *json)
{
	return (cJSON *)json;
}

static const cJSON *const_node_of(const struct json *json)
{
	return (const cJSON *)json;
}

/* cJSON says NULL or false when memory is short; that ends the process as everywhere. */
static struct json *made(cJSON *node)
{
	if (!node)
		memory_exhausted();
	return (struct json *)node;
}

static void done(cJSON_bool ok)
{
	if (!ok)
		memory_exhausted();
}

void json_free(struct json *json)
{
	cJSON_Delete(node_of(json));
}

void json_cleanup(struct json **json)
{
	json_free(*json);
	*json = NULL;
}

#define FEW_NAMES 8

static int duplicate_member(const char *name, struct error *err)
{
	return error_set(err, -EBADMSG, "duplicate member '%s'", name);
}

/* Most objects have few members, and telling those apart takes no memory. */
static int check_few(const cJSON *object, struct error *err)
{
	for (const cJSON *child = object->child; child; child = child->next)
		for (const cJSON *other = child->next; other; other = other->next)
			if (strcmp(child->string, other->string) == 0)
				return duplicate_member(child->string, err);
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* By sorting, for an object may have as many members as its file has room for. */
static int check_many(const cJSON *object, struct error *err)
{
	cleanup_free const char **names = NULL;
	size_t count = 0;

	for (const cJSON *child = object->child; child; child = child->next)
		*array_add(names, count) = child->string;
	if (names)
		qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 1; i < count; i++)
		if (strcmp(names[i - 1], names[i]) == 0)
			return duplicate_member(names[i], err);
	return 0;
}

static int check_duplicates(const cJSON *object, struct error *err)
{
	size_t count = 0;

	for (const cJSON *child = object->child; child && count <= FEW_NAMES; child = child->next)
		count++;
	return count <= FEW_NAMES ? check_few(object, err) : check_many(object, err);
}

/* Check names, and give numbers their text back: the tree in its order meets them in the order the
 * scan did. */
static int finish_tree(cJSON *node, char ***numbers, struct error *err)
{
	int r;

	if (cJSON_IsNumber(node) && fabs(node->valuedouble) > JSON_PLAIN_NUMBER_MAX) {
		const char *text = *(*numbers)++;

		if (text[strspn(text, "-0123456789")] == '\0') { /* an integer */
			node->type = (node->type & ~0xff) | cJSON_Raw;
			node->valuestring = xstrdup(text);
		}
	}
	if (cJSON_IsObject(node)) {
		r = check_duplicates(node, err);
		if (r < 0)
			return r;
	}
	for (cJSON *child = node->child; child; child = child->next) {
		r = finish_tree(child, numbers, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int parse_scanned(
	const char *start, size_t length, char **numbers, struct json **ret_json, struct error *err)
{
	cleanup_json struct json *json = NULL;
	const char *end = start;
	int r;

	json = (struct json *)cJSON_ParseWithLengthOpts(start, length, &end, 0);
	while (json && end < start + length && strchr(" \t\r\n", *end))
		end++;
	if (!json || end < start + length)
		return error_set(err, -EBADMSG, "invalid JSON at byte %zu", (size_t)(end - start));
	r = finish_tree(node_of(json), &numbers, err);
	if (r < 0)
		return r;
	*ret_json = steal_ptr(json);
	return 0;
}

int json_parse(const char *text, size_t length, struct json **ret_json, struct error *err)
{
	struct json_text scanned;
	int r = json_scan(text, length, &scanned, err);

	if (r < 0)
		return r;
	if (scanned.text.length > 0) {
		text = strbuf_text(&scanned.text);
		length = scanned.text.length;
	}
	r = parse_scanned(text, length, scanned.numbers, ret_json, err);
	json_text_release(&scanned);
	return r;
}

struct json *json_new_object(void)
{
	return made(cJSON_CreateObject());
}

struct json *json_new_array(void)
{
	return made(cJSON_CreateArray());
}

struct json *json_new_null(void)
{
	return made(cJSON_CreateNull());
}

struct json *json_new_bool(bool value)
{
	return made(cJSON_CreateBool(value));
}

struct json *json_new_string(const char *s)
{
	cleanup_strbuf struct strbuf clean = STRBUF_INIT;
	size_t left, length;

	if (!s)
		return json_new_null();
	for (left = strlen(s); left > 0; s += length, left -= length) {
		uint32_t point;

		length = utf8_decode(s, left, &point);
		if (length > 0) {
			strbuf_add(&clean, s, length);
		} else {
			strbuf_add_str(&clean, UTF8_REPLACEMENT);
			length = 1;
		}
	}
	return made(cJSON_CreateString(strbuf_text(&clean)));
}

struct json *json_new_int(int64_t value)
{
	char text[32];

	if (value >= -(int64_t)JSON_PLAIN_NUMBER_MAX && value <= (int64_t)JSON_PLAIN_NUMBER_MAX)
		return made(cJSON_CreateNumber((double)value));
	snprintf(text, sizeof(text), "%lld", (long long)value);
	return made(cJSON_CreateRaw(text));
}

struct json *json_copy(const struct json *json)
{
	return made(cJSON_Duplicate(const_node_of(json), 1));
}

void json_set(struct json *object, const char *key, struct json *value)
{
	assert(json_is_object(object) && value);
	if (json_get(object, key))
		done(cJSON_ReplaceItemInObjectCaseSensitive(node_of(object), key, node_of(value)));
	else
		done(cJSON_AddItemToObject(node_of(object), key, node_of(value)));
}

void json_remove(struct json *object, const char *key)
{
	cJSON_DeleteItemFromObjectCaseSensitive(node_of(object), key);
}

void json_append(struct json *array, struct json *value)
{
	assert(json_is_array(array) && value);
	done(cJSON_AddItemToArray(node_of(array), node_of(value)));
}

const struct json *json_get(const struct json *object, const char *key)
{
	if (!json_is_object(object))
		return NULL;
	return (const struct json *)cJSON_GetObjectItemCaseSensitive(const_node_of(object), key);
}

size_t json_count(const struct json *json)
{
	size_t count = 0;

	json_for_each (child, json)
		count++;
	return count;
}

const struct json *json_first(const struct json *json)
{
	return json ? (const struct json *)const_node_of(json)->child : NULL;
}

const struct json *json_next(const struct json *child)
{
	return (const struct json *)const_node_of(child)->next;
}

const char *json_key(const struct json *child)
{
	return const_node_of(child)->string;
}

bool json_is_object(const struct json *json)
{
	return cJSON_IsObject(const_node_of(json));
}

bool json_is_array(const struct json *json)
{
	return cJSON_IsArray(const_node_of(json));
}

bool json_is_string(const struct json *json)
{
	return cJSON_IsString(const_node_of(json));
}

bool json_is_number(const struct json *json)
{
	return cJSON_IsNumber(const_node_of(json)) || cJSON_IsRaw(const_node_of(json));
}

bool json_is_bool(const struct json *json)
{
	return cJSON_IsBool(const_node_of(json));
}

bool json_is_null(const struct json *json)
{
	return cJSON_IsNull(const_node_of(json));
}

bool json_is_true(const struct json *json)
{
	return cJSON_IsTrue(const_node_of(json));
}

const char *json_string(const struct json *json)
{
	return json_is_string(json) ? const_node_of(json)->valuestring : NULL;
}

const char *json_number_text(const struct json *json, char buf[static JSON_NUMBER_BYTES])
{
	const cJSON *node = const_node_of(json);

	if (cJSON_IsRaw(node))
		return node->valuestring;
	json_format_double(node->valuedouble, buf);
	return buf;
}

bool json_small_int(const struct json *json, int64_t *ret)
{
	const cJSON *node = const_node_of(json);

	if (!cJSON_IsNumber(node) || fabs(node->valuedouble) > JSON_PLAIN_NUMBER_MAX ||
		node->valuedouble != (double)(int64_t)node->valuedouble)
		return false;
	*ret = (int64_t)node->valuedouble;
	return true;
}

int64_t json_int(const struct json *json, int64_t fallback)
{
	const double limit = 9223372036854775808.0; /* 2^63 */
	char buf[JSON_NUMBER_BYTES];
	int64_t exact;
	double value;

	if (!json_is_number(json))
		return fallback;
	if (json_small_int(json, &exact))
		return exact;
	if (parse_i64(json_number_text(json, buf), INT64_MIN, INT64_MAX, &exact) == 0)
		return exact;
	value = json_double(json, 0);
	if (value >= limit)
		return INT64_MAX;
	return value < -limit ? INT64_MIN : (int64_t)value;
}

double json_double(const struct json *json, double fallback)
{
	const cJSON *node = const_node_of(json);

	if (!json_is_number(json))
		return fallback;
	return cJSON_IsRaw(node) ? strtod(node->valuestring, NULL) : node->valuedouble;
}
