/* SPDX-License-Identifier: GPL-2.0-or-later
 * flags.c - parse option tables and print them as help. */
#include "cmd/flags.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/nearest.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"

static const struct flag *find_long(const struct flag *flags, const char *name, size_t length)
{
	for (const struct flag *flag = flags; flag->long_name; flag++)
		if (strlen(flag->long_name) == length && !strncmp(flag->long_name, name, length))
			return flag;
	return NULL;
}

static const struct flag *find_short(const struct flag *flags, char name)
{
	for (const struct flag *flag = flags; flag->long_name; flag++)
		if (flag->short_name && flag->short_name == name)
			return flag;
	return NULL;
}

static int parse_bool(const char *value, bool *ret)
{
	static const char *const yes[] = { "1", "t", "T", "true", "TRUE", "True" };
	static const char *const no[] = { "0", "f", "F", "false", "FALSE", "False" };

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (!strcmp(value, yes[i]) || !strcmp(value, no[i])) {
			*ret = !strcmp(value, yes[i]);
			return 0;
		}
	}
	return -EINVAL;
}

/* `value` is never NULL; a boolean without one is "true". */
static int set_flag(const struct flag *flag, void *options, const char *value, struct error *err)
{
	void *target = (char *)options + flag->offset;
	int r = 0;

	switch (flag->kind) {
	case FLAG_BOOL:
		r = parse_bool(value, target);
		break;
	case FLAG_STRING:
		free(*(char **)target);
		*(char **)target = xstrdup(value);
		break;
	case FLAG_LIST:
		strv_add(target, value);
		break;
	case FLAG_INT:
		r = parse_i64(value, INT32_MIN, INT32_MAX, target);
		break;
	}
	if (r < 0)
		return error_set(err, -EINVAL, "invalid argument \"%s\" for \"--%s\" flag: %s",
			value, flag->long_name,
			flag->kind == FLAG_INT ? "not a whole number" : "neither true nor false");
	if (flag->given_offset)
		*(bool *)((char *)options + flag->given_offset) = true;
	return 0;
}

static int unknown_long(
	const struct flag *flags, const char *name, size_t length, struct error *err)
{
	struct nearest nearest;

	nearest_begin(&nearest, name, length);
	for (const struct flag *flag = flags; flag->long_name; flag++)
		if (flag->help)
			nearest_offer(&nearest, flag->long_name);
	if (nearest.name)
		return error_set(err, -EINVAL, "unknown flag: --%.*s (did you mean --%s?)",
			(int)length, name, nearest.name);
	return error_set(err, -EINVAL, "unknown flag: --%.*s", (int)length, name);
}

/* `word` is "--name" or "--name=value". Returns how many of the following words were eaten. */
static int parse_long(const struct flag *flags, void *options, const char *word, const char *next,
	struct error *err)
{
	const char *name = word + 2;
	size_t length = (size_t)(strchrnul(name, '=') - name);
	const struct flag *flag = find_long(flags, name, length);
	int r;

	if (!flag && length == 4 && !strncmp(name, "help", 4))
		return -EAGAIN;
	if (!flag)
		return unknown_long(flags, name, length, err);
	if (name[length] == '=')
		return set_flag(flag, options, name + length + 1, err);
	if (flag->kind == FLAG_BOOL)
		return set_flag(flag, options, "true", err);
	if (!next)
		return error_set(err, -EINVAL, "flag needs an argument: --%s", flag->long_name);
	r = set_flag(flag, options, next, err);
	return r < 0 ? r : 1;
}

/* `word` is "-abc", "-fVALUE", "-f=VALUE" or "-f" with its value next. */
static int parse_short(const struct flag *flags, void *options, const char *word, const char *next,
	struct error *err)
{
	for (const char *c = word + 1; *c; c++) {
		const struct flag *flag = find_short(flags, *c);
		const char *value;
		int r;

		if (!flag && *c == 'h')
			return -EAGAIN;
		if (!flag)
			return error_set(
				err, -EINVAL, "unknown shorthand flag: '%c' in %s", *c, word);
		if (flag->kind == FLAG_BOOL && c[1] != '=') {
			r = set_flag(flag, options, "true", err);
			if (r < 0)
				return r;
			continue;
		}
		value = c[1] == '=' ? c + 2 : c + 1;
		if (!*value && c[1] != '=') {
			if (!next && *c == 'h')
				return -EAGAIN; /* `run -h` where -h also is --hostname */
			if (!next)
				return error_set(err, -EINVAL, "flag needs an argument: '%c' in %s",
					*c, word);
			r = set_flag(flag, options, next, err);
			return r < 0 ? r : 1;
		}
		return set_flag(flag, options, value, err);
	}
	return 0;
}

int flags_parse(const struct flag *flags, void *options, char *const *args, bool interspersed,
	char ***ret_rest, struct error *err)
{
	static const struct flag none[] = { FLAG_END };
	cleanup_strv char **rest = NULL;
	size_t i = 0;

	if (!flags)
		flags = none;
	for (; args[i]; i++) {
		const char *word = args[i];
		int r;

		if (!strcmp(word, "--")) {
			i++;
			break;
		}
		if (word[0] != '-' || !word[1]) {
			if (!interspersed)
				break;
			strv_add(&rest, word);
			continue;
		}
		r = word[1] == '-' ? parse_long(flags, options, word, args[i + 1], err)
				   : parse_short(flags, options, word, args[i + 1], err);
		if (r < 0)
			return r;
		i += (size_t)r;
	}
	for (; args[i]; i++)
		strv_add(&rest, args[i]);
	if (!rest)
		rest = xcalloc(1, sizeof(*rest));
	*ret_rest = steal_ptr(rest);
	return 0;
}

void flags_release(const struct flag *flags, void *options)
{
	for (const struct flag *flag = flags; flag && flag->long_name; flag++) {
		void *target = (char *)options + flag->offset;

		if (flag->kind == FLAG_STRING) {
			free(*(char **)target);
			*(char **)target = NULL;
		} else if (flag->kind == FLAG_LIST) {
			strv_free(*(char ***)target);
			*(char ***)target = NULL;
		}
	}
}

static int compare_flags(const void *left, const void *right)
{
	const struct flag *const *a = left, *const *b = right;

	return strcmp((*a)->long_name, (*b)->long_name);
}

static char *flag_head(const struct flag *flag)
{
	cleanup_strbuf struct strbuf head = STRBUF_INIT;

	if (flag->short_name)
		strbuf_addf(&head, "  -%c, ", flag->short_name);
	else
		strbuf_add_str(&head, "      ");
	strbuf_addf(&head, "--%s", flag->long_name);
	if (flag->argument)
		strbuf_addf(&head, " %s", flag->argument);
	return strbuf_steal(&head);
}

void flags_help(const struct flag *flags, struct strbuf *out)
{
	const struct flag **sorted = NULL;
	size_t count = 0, width = 0;

	for (const struct flag *flag = flags; flag && flag->long_name; flag++) {
		cleanup_free char *head = NULL;

		if (!flag->help)
			continue;
		*array_add(sorted, count) = flag;
		head = flag_head(flag);
		if (strlen(head) > width)
			width = strlen(head);
	}
	if (count)
		qsort(sorted, count, sizeof(*sorted), compare_flags);
	for (size_t i = 0; i < count; i++) {
		cleanup_free char *head = flag_head(sorted[i]);

		strbuf_addf(out, "%-*s   %s\n", (int)width, head, sorted[i]->help);
	}
	free(sorted);
}
