/* SPDX-License-Identifier: GPL-2.0-or-later
 * config.c - what an image says about its containers, as JSON and back. One row a member. */
#include "engine/image/config.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/strv.h"

enum member_kind {
	MEMBER_STRING, /* char * */
	MEMBER_LIST,   /* char **: ["a", "b"] */
	MEMBER_SET,    /* char **: {"a": {}, "b": {}} */
	MEMBER_MAP,    /* char ** of "key=value": {"key": "value"} */
	MEMBER_RAW,    /* char *: any object, kept as text */
};

static const struct member_row {
	const char *key;
	enum member_kind kind;
	size_t offset;
} members[] = {
	{ "Cmd", MEMBER_LIST, offsetof(struct image_config, cmd) },
	{ "Entrypoint", MEMBER_LIST, offsetof(struct image_config, entrypoint) },
	{ "Env", MEMBER_LIST, offsetof(struct image_config, env) },
	{ "ExposedPorts", MEMBER_SET, offsetof(struct image_config, exposed_ports) },
	{ "Healthcheck", MEMBER_RAW, offsetof(struct image_config, healthcheck_json) },
	{ "Labels", MEMBER_MAP, offsetof(struct image_config, labels) },
	{ "Shell", MEMBER_LIST, offsetof(struct image_config, shell) },
	{ "StopSignal", MEMBER_STRING, offsetof(struct image_config, stop_signal) },
	{ "User", MEMBER_STRING, offsetof(struct image_config, user) },
	{ "Volumes", MEMBER_SET, offsetof(struct image_config, volumes) },
	{ "WorkingDir", MEMBER_STRING, offsetof(struct image_config, working_dir) },
};

static char **string_at(const struct image_config *config, size_t offset)
{
	return (char **)(void *)((char *)(uintptr_t)config + offset);
}

static char ***strv_at(const struct image_config *config, size_t offset)
{
	return (char ***)(void *)((char *)(uintptr_t)config + offset);
}

static bool is_single(const struct member_row *row)
{
	return row->kind == MEMBER_STRING || row->kind == MEMBER_RAW;
}

void config_release(struct image_config *config)
{
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		if (is_single(&members[i]))
			free(*string_at(config, members[i].offset));
		else
			strv_free(*strv_at(config, members[i].offset));
	}
	*config = (struct image_config){ 0 };
}

void config_copy(struct image_config *to, const struct image_config *from)
{
	*to = (struct image_config){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		size_t offset = members[i].offset;

		if (is_single(&members[i]))
			*string_at(to, offset) = xstrdup(*string_at(from, offset));
		else
			*strv_at(to, offset) = strv_copy(*strv_at(from, offset));
	}
}

static int wrong_type(const struct member_row *row, struct error *err)
{
	return error_set(err, -EBADMSG, "'config.%s': wrong type", row->key);
}

static int read_list(
	const struct member_row *row, const struct json *value, char ***ret, struct error *err)
{
	cleanup_strv char **list = NULL;

	if (!json_is_array(value))
		return wrong_type(row, err);
	json_for_each (item, value) {
		if (!json_is_string(item))
			return wrong_type(row, err);
		strv_add(&list, json_string(item));
	}
	*ret = steal_ptr(list);
	return 0;
}

static int read_object(
	const struct member_row *row, const struct json *value, char ***ret, struct error *err)
{
	cleanup_strv char **list = NULL;

	if (!json_is_object(value))
		return wrong_type(row, err);
	json_for_each (item, value) {
		if (row->kind == MEMBER_SET)
			strv_add(&list, json_key(item));
		else if (json_is_string(item))
			strv_take(&list, xasprintf("%s=%s", json_key(item), json_string(item)));
		else
			return wrong_type(row, err);
	}
	*ret = steal_ptr(list);
	return 0;
}

static int read_member(const struct member_row *row, const struct json *value,
	struct image_config *config, struct error *err)
{
	switch (row->kind) {
	case MEMBER_STRING:
		if (!json_is_string(value))
			return wrong_type(row, err);
		if (*json_string(value))
			*string_at(config, row->offset) = xstrdup(json_string(value));
		return 0;
	case MEMBER_RAW:
		if (!json_is_object(value))
			return wrong_type(row, err);
		*string_at(config, row->offset) = json_print(value);
		return 0;
	case MEMBER_LIST:
		return read_list(row, value, strv_at(config, row->offset), err);
	case MEMBER_SET:
	case MEMBER_MAP:
		return read_object(row, value, strv_at(config, row->offset), err);
	}
	return 0;
}

int config_from_json(const struct json *object, struct image_config *ret, struct error *err)
{
	struct image_config config = { 0 };

	if (object && !json_is_null(object) && !json_is_object(object))
		return error_set(err, -EBADMSG, "'config': wrong type");
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const struct json *value = json_get(object, members[i].key);
		int r;

		if (!value || json_is_null(value))
			continue;
		r = read_member(&members[i], value, &config, err);
		if (r < 0) {
			config_release(&config);
			return r;
		}
	}
	*ret = config;
	return 0;
}

static struct json *write_object(const struct member_row *row, char *const *list)
{
	struct json *object = json_new_object();

	for (; *list; list++) {
		const char *equals = row->kind == MEMBER_MAP ? strchr(*list, '=') : NULL;
		cleanup_free char *key =
			equals ? xstrndup(*list, (size_t)(equals - *list)) : xstrdup(*list);

		if (row->kind == MEMBER_MAP)
			json_set_string(object, key, equals ? equals + 1 : "");
		else
			json_set(object, key, json_new_object());
	}
	return object;
}

struct json *config_to_json(const struct image_config *config)
{
	struct json *object = json_new_object();

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const struct member_row *row = &members[i];
		char *const *list = is_single(row) ? NULL : *strv_at(config, row->offset);

		if (row->kind == MEMBER_STRING) {
			json_set_string(object, row->key, *string_at(config, row->offset));
		} else if (row->kind == MEMBER_LIST) {
			json_set_strv(object, row->key, list);
		} else if (row->kind != MEMBER_RAW) {
			if (list)
				json_set(object, row->key, write_object(row, list));
		} else if (config->healthcheck_json) {
			const char *text = config->healthcheck_json;
			struct json *raw = NULL;

			if (json_parse(text, strlen(text), &raw, NULL) == 0)
				json_set(object, row->key, raw);
		}
	}
	return object;
}
