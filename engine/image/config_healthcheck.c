/* SPDX-License-Identifier: GPL-2.0-or-later
 * config_healthcheck.c - HEALTHCHECK [OPTIONS] CMD command, or NONE, becomes docker's object. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/times.h"
#include "engine/image/config.h"

static const struct option_row {
	const char *name;
	const char *key;
	bool is_count; /* else a duration */
} options[] = {
	{ "--interval", "Interval", false },
	{ "--timeout", "Timeout", false },
	{ "--start-period", "StartPeriod", false },
	{ "--start-interval", "StartInterval", false },
	{ "--retries", "Retries", true },
};

static int set_count(struct json *object, const char *key, const char *value, struct error *err)
{
	uint64_t count;

	if (parse_u64(value, 0, INT32_MAX, &count) < 0)
		return error_set(err, -EINVAL, "'%.64s' is no number of failures", value);
	json_set_u64(object, key, count);
	return 0;
}

static int set_duration(struct json *object, const char *key, const char *value, struct error *err)
{
	int64_t duration;

	if (parse_duration(value, &duration) < 0 || duration < 0)
		return error_set(err, -EINVAL, "'%.64s' is no duration like 1m30s", value);
	if (duration > 0 && duration < NS_PER_MS)
		return error_set(err, -EINVAL, "a duration is 1ms at least");
	json_set_int(object, key, duration);
	return 0;
}

static int add_option(struct json *object, const char *word, struct error *err)
{
	size_t length = strcspn(word, "=");

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		int r;

		if (strlen(options[i].name) != length || strncmp(options[i].name, word, length))
			continue;
		if (word[length] != '=')
			return error_set(err, -EINVAL, "%s needs a value", options[i].name);
		r = options[i].is_count
			    ? set_count(object, options[i].key, word + length + 1, err)
			    : set_duration(object, options[i].key, word + length + 1, err);
		return r < 0 ? error_wrap(err, "%s", options[i].name) : 0;
	}
	return error_set(err, -EINVAL, "unknown option '%.64s'", word);
}

static struct json *new_test(const char *kind)
{
	struct json *test = json_new_array();

	json_append_string(test, kind);
	return test;
}

/* Exec form as given, else a line for the shell. */
static int set_command(struct json *object, const char *text, struct error *err)
{
	cleanup_json struct json *list = NULL;
	struct json *test;

	if (!*text)
		return error_set(err, -EINVAL, "CMD needs a command");
	if (*text != '[' || json_parse(text, strlen(text), &list, NULL) < 0 ||
		!json_is_array(list)) {
		test = new_test("CMD-SHELL");
		json_append_string(test, text);
		json_set(object, "Test", test);
		return 0;
	}
	test = new_test("CMD");
	json_for_each (item, list)
		json_append_string(test, json_string(item) ? json_string(item) : "");
	json_set(object, "Test", test);
	return 0;
}

int config_change_healthcheck(struct image_config *config, const char *text, struct error *err)
{
	cleanup_json struct json *object = json_new_object();
	int r = 0;

	for (;;) {
		size_t length = strcspn(text, " \t");
		cleanup_free char *word = xstrndup(text, length);

		text += length + strspn(text + length, " \t");
		if (strncmp(word, "--", 2) == 0) {
			r = add_option(object, word, err);
			if (r < 0)
				return r;
			continue;
		}
		if (strcasecmp(word, "NONE") == 0 && !*text && json_count(object) == 0)
			json_set(object, "Test", new_test("NONE"));
		else if (strcasecmp(word, "CMD") == 0)
			r = set_command(object, text, err);
		else
			r = error_set(err, -EINVAL,
				"expected CMD and a command, or NONE alone, not '%.64s'", word);
		if (r < 0)
			return r;
		free(config->healthcheck_json);
		config->healthcheck_json = json_print(object);
		return 0;
	}
}
