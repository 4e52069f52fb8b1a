/* SPDX-License-Identifier: GPL-2.0-or-later
 * seccomp_json.c - a profile in Docker's JSON form becomes rules.
 *
 * Keys: defaultAction, defaultErrnoRet, syscalls[].{names, name, action, errnoRet, args, includes,
 * excludes}; the last two hold caps, arches, minKernel. archMap and architectures are taken as
 * said: every ABI of the machine is filtered anyway. */
#include "engine/container/seccomp_filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/json.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"
#include "engine/container/spec.h"

struct name_row {
	const char *name;
	int value;
};

static const struct name_row action_names[] = {
	{ "SCMP_ACT_ALLOW", SECCOMP_DO_ALLOW },
	{ "SCMP_ACT_ERRNO", SECCOMP_DO_ERRNO },
	{ "SCMP_ACT_KILL", SECCOMP_DO_KILL_THREAD },
	{ "SCMP_ACT_KILL_PROCESS", SECCOMP_DO_KILL_PROCESS },
	{ "SCMP_ACT_KILL_THREAD", SECCOMP_DO_KILL_THREAD },
	{ "SCMP_ACT_LOG", SECCOMP_DO_LOG },
	{ "SCMP_ACT_TRACE", SECCOMP_DO_TRACE },
	{ "SCMP_ACT_TRAP", SECCOMP_DO_TRAP },
};

static const struct name_row compare_names[] = {
	{ "SCMP_CMP_EQ", SECCOMP_EQ },
	{ "SCMP_CMP_GE", SECCOMP_GE },
	{ "SCMP_CMP_GT", SECCOMP_GT },
	{ "SCMP_CMP_LE", SECCOMP_LE },
	{ "SCMP_CMP_LT", SECCOMP_LT },
	{ "SCMP_CMP_MASKED_EQ", SECCOMP_MASKED_EQ },
	{ "SCMP_CMP_NE", SECCOMP_NE },
};

static int find_name(const struct name_row *rows, size_t count, const char *key,
	const struct json *object, int *ret, struct error *err)
{
	const char *name = json_string(json_get(object, key));

	if (!name)
		return error_set(err, -EINVAL, "%s: missing", key);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(rows[i].name, name) == 0) {
			*ret = rows[i].value;
			return 0;
		}
	}
	return error_set(err, -EINVAL, "%s: '%s' is not supported", key, name);
}

static int read_action(
	const struct json *object, const char *key, enum seccomp_action *ret, struct error *err)
{
	int value = 0,
	    r = find_name(action_names, ARRAY_LEN(action_names), key, object, &value, err);

	if (r == 0)
		*ret = (enum seccomp_action)value;
	return r;
}

static int read_errno(const struct json *object, const char *key, uint16_t *ret, struct error *err)
{
	int64_t value = *ret;
	int r;

	if (json_is_null(json_get(object, key)))
		return 0;
	r = json_opt_int(object, key, &value, err);
	if (r < 0)
		return r;
	if (value < 0 || value > 4095)
		return error_set(
			err, -EINVAL, "%s: %lld is no error number", key, (long long)value);
	*ret = (uint16_t)value;
	return 0;
}

static int read_argument(const struct json *json, struct seccomp_argument *ret, struct error *err)
{
	int64_t index = -1;
	int compare = 0;
	int r = json_get_int(json, "index", &index, err);

	if (r == 0)
		r = json_opt_u64(json, "value", &ret->value, err);
	if (r == 0)
		r = json_opt_u64(json, "valueTwo", &ret->value2, err);
	if (r == 0)
		r = find_name(compare_names, ARRAY_LEN(compare_names), "op", json, &compare, err);
	if (r < 0)
		return r;
	if (index < 0 || index > 5)
		return error_set(err, -EINVAL, "index: %lld is not in 0..5", (long long)index);
	ret->index = (uint8_t)index;
	ret->compare = (enum seccomp_compare)compare;
	return 0;
}

static int read_arguments(const struct json *object, struct seccomp_rule *rule, struct error *err)
{
	size_t count = 0;

	json_for_each (item, json_get(object, "args")) {
		if (count == SECCOMP_ARGUMENTS)
			return error_set(err, -EINVAL, "args: more than %d", SECCOMP_ARGUMENTS);
		if (read_argument(item, &rule->arguments[count], err) < 0)
			return error_wrap(err, "args[%zu]", count);
		count++;
	}
	return 0;
}

/* A list of strings joined by blanks; no blank can be in a name. NULL when absent or empty. */
static int read_words(
	const struct json *object, const char *key, const char **ret, struct error *err)
{
	cleanup_strv char **words = NULL;
	int r = 0;

	if (!json_is_null(json_get(object, key)))
		r = json_opt_strv(object, key, &words, err);
	if (r < 0)
		return r;
	for (size_t i = 0; words && words[i]; i++) {
		if (!*words[i] || strchr(words[i], ' '))
			return error_set(
				err, -EINVAL, "%s[%zu]: '%s' is no name", key, i, words[i]);
	}
	*ret = words && words[0] ? strv_join(words, " ") : NULL;
	return 0;
}

static int read_capabilities(const struct json *object, uint64_t *ret, struct error *err)
{
	size_t i = 0;

	json_for_each (item, json_get(object, "caps")) {
		const char *name = json_string(item);
		uint64_t mask;
		int r = name ? capability_parse(name, &mask, err)
			     : error_set(err, -EINVAL, "not a string");

		if (r < 0)
			return error_wrap(err, "caps[%zu]", i);
		*ret |= mask;
		i++;
	}
	return 0;
}

static int read_kernel(const struct json *object, struct seccomp_rule *rule, struct error *err)
{
	const char *text = json_string(json_get(object, "minKernel"));
	cleanup_strv char **parts = text ? strv_split(text, ".") : NULL;
	uint64_t major = 0, minor = 0;

	if (!text || !*text)
		return 0;
	if (strv_length(parts) < 2 || parse_u64(parts[0], 0, UINT16_MAX, &major) < 0 ||
		parse_u64(parts[1], 0, UINT16_MAX, &minor) < 0)
		return error_set(err, -EINVAL, "minKernel: '%s' is no kernel version", text);
	rule->kernel_major = (uint16_t)major;
	rule->kernel_minor = (uint16_t)minor;
	return 0;
}

static int read_conditions(const struct json *object, struct seccomp_rule *rule, struct error *err)
{
	const struct json *with = json_get(object, "includes");
	const struct json *without = json_get(object, "excludes");

	if (read_capabilities(with, &rule->with_caps, err) < 0 ||
		read_words(with, "arches", &rule->with_arches, err) < 0 ||
		read_kernel(with, rule, err) < 0)
		return error_wrap(err, "includes");
	if (json_get(without, "minKernel"))
		return error_set(err, -EINVAL, "excludes: minKernel: not supported");
	if (read_capabilities(without, &rule->without_caps, err) < 0 ||
		read_words(without, "arches", &rule->without_arches, err) < 0)
		return error_wrap(err, "excludes");
	return 0;
}

static int read_names(const struct json *object, struct seccomp_rule *rule, struct error *err)
{
	const char *name = json_string(json_get(object, "name"));
	int r = read_words(object, "names", &rule->names, err);

	if (r < 0)
		return r;
	if (!rule->names && name && *name && !strchr(name, ' '))
		rule->names = xstrdup(name);
	return rule->names ? 0 : error_set(err, -EINVAL, "names: missing");
}

static int read_rule(const struct json *object, const struct seccomp_profile *profile,
	struct seccomp_rule *rule, struct error *err)
{
	int r = read_names(object, rule, err);

	rule->errno_ret = profile->default_errno;
	if (r == 0)
		r = read_action(object, "action", &rule->action, err);
	if (r == 0)
		r = read_errno(object, "errnoRet", &rule->errno_ret, err);
	if (r == 0)
		r = read_arguments(object, rule, err);
	return r < 0 ? r : read_conditions(object, rule, err);
}

static int read_profile(const struct json *json, struct seccomp_profile *profile, struct error *err)
{
	size_t i = 0;
	int r;

	if (!json_is_object(json))
		return error_set(err, -EINVAL, "not a JSON object");
	profile->default_errno = EPERM;
	r = read_action(json, "defaultAction", &profile->default_action, err);
	if (r == 0)
		r = read_errno(json, "defaultErrnoRet", &profile->default_errno, err);
	if (r < 0)
		return r;
	if (json_string(json_get(json, "listenerPath")))
		return error_set(err, -EINVAL, "listenerPath: not supported");
	json_for_each (item, json_get(json, "syscalls")) {
		struct seccomp_rule *rule = array_add(profile->owned, profile->rule_count);

		if (read_rule(item, profile, rule, err) < 0)
			return error_wrap(err, "syscalls[%zu]", i);
		i++;
	}
	profile->rules = profile->owned;
	return 0;
}

int seccomp_profile_parse(
	const char *text, size_t length, struct seccomp_profile *ret, struct error *err)
{
	struct seccomp_profile profile = { 0 };
	cleanup_json struct json *json = NULL;
	cleanup_error struct error local = ERROR_INIT;
	int r = json_parse(text, length, &json, &local);

	if (r == 0)
		r = read_profile(json, &profile, &local);
	if (r < 0) {
		seccomp_profile_release(&profile);
		error_wrap(&local, "seccomp profile");
		return error_move(err, &local);
	}
	*ret = profile;
	return 0;
}

void seccomp_profile_release(struct seccomp_profile *profile)
{
	for (size_t i = 0; profile->owned && i < profile->rule_count; i++) {
		free((char *)profile->owned[i].names);
		free((char *)profile->owned[i].with_arches);
		free((char *)profile->owned[i].without_arches);
	}
	free(profile->owned);
	*profile = (struct seccomp_profile){ 0 };
}
