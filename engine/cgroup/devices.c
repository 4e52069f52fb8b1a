/* SPDX-License-Identifier: GPL-2.0-or-later
 * devices.c - the device rule list: the default rules, and the form both kernels can take. */
#include "engine/cgroup/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/numbers.h"

#define ANY (-1)

/* mknod of anything is harmless as long as nothing can be opened; then the nodes of every /dev. */
static const struct cgroup_device default_rules[] = {
	{ true, 'c', ANY, ANY, "m" }, { true, 'b', ANY, ANY, "m" },
	{ true, 'c', 1, 3, "rwm" },	/* null */
	{ true, 'c', 1, 5, "rwm" },	/* zero */
	{ true, 'c', 1, 7, "rwm" },	/* full */
	{ true, 'c', 1, 8, "rwm" },	/* random */
	{ true, 'c', 1, 9, "rwm" },	/* urandom */
	{ true, 'c', 5, 0, "rwm" },	/* tty */
	{ true, 'c', 5, 1, "rwm" },	/* console */
	{ true, 'c', 5, 2, "rwm" },	/* ptmx */
	{ true, 'c', 136, ANY, "rwm" }, /* pts */
};

void cgroup_default_devices(struct cgroup_resources *resources)
{
	for (size_t i = 0; i < ARRAY_LEN(default_rules); i++)
		*array_add(resources->devices, resources->device_count) = default_rules[i];
}

int device_rule_check(const struct cgroup_device *rule, struct error *err)
{
	size_t length = strnlen(rule->access, sizeof(rule->access));

	if (rule->type != 'a' && rule->type != 'b' && rule->type != 'c')
		return error_set(
			err, -EINVAL, "device rule: type '%c' is not a, b or c", rule->type);
	if (length == 0 || length > 3 || strspn(rule->access, "rwm") != length)
		return error_set(err, -EINVAL,
			"device rule: access '%.3s' is not made of r, w and m", rule->access);
	/* The kernel's numbers: 12 bits of major, 20 of minor (kdev_t.h). */
	if (rule->major < ANY || rule->major > 0xfff || rule->minor < ANY || rule->minor > 0xfffff)
		return error_set(err, -EINVAL, "device rule: %lld:%lld is out of range",
			(long long)rule->major, (long long)rule->minor);
	return 0;
}

/* "*" or a number. */
static int parse_number(const char *text, int64_t *ret)
{
	if (strcmp(text, "*") == 0) {
		*ret = ANY;
		return 0;
	}
	return parse_i64(text, 0, UINT32_MAX, ret);
}

static int parse_rule(char *const *words, struct cgroup_device *rule)
{
	cleanup_strv char **numbers = NULL;

	if (strv_length(words) != 3 || strlen(words[0]) != 1 || strlen(words[2]) > 3)
		return -EINVAL;
	numbers = strv_split(words[1], ":");
	if (strv_length(numbers) != 2 || parse_number(numbers[0], &rule->major) < 0 ||
		parse_number(numbers[1], &rule->minor) < 0)
		return -EINVAL;
	rule->allow = true;
	rule->type = words[0][0];
	memcpy(rule->access, words[2], strlen(words[2]));
	return device_rule_check(rule, NULL);
}

int cgroup_device_parse(const char *text, struct cgroup_device *ret, struct error *err)
{
	cleanup_strv char **words = strv_split(text, " ");
	struct cgroup_device rule = { 0 };

	if (parse_rule(words, &rule) < 0)
		return error_set(err, -EINVAL,
			"invalid device cgroup format: '%s' (wanted: TYPE MAJOR:MINOR ACCESS, like "
			"'c 1:3 rwm' or 'b 8:* r')",
			text);
	*ret = rule;
	return 0;
}

static bool same_device(const struct cgroup_device *a, const struct cgroup_device *b)
{
	return a->type == b->type && a->major == b->major && a->minor == b->minor;
}

/* Is there a device and an access that both rules speak of? */
static bool overlaps(const struct cgroup_device *a, const struct cgroup_device *b)
{
	return a->type == b->type && strpbrk(a->access, b->access) &&
	       (a->major == ANY || b->major == ANY || a->major == b->major) &&
	       (a->minor == ANY || b->minor == ANY || a->minor == b->minor);
}

/* access = (what `keep` says of each letter), in the kernel's order r, w, m. */
static void set_access(struct cgroup_device *rule, bool (*keep)(bool mine, bool other),
	const struct cgroup_device *other)
{
	char access[4] = { 0 };
	size_t length = 0;

	for (const char *letter = "rwm"; *letter; letter++) {
		if (keep(strchr(rule->access, *letter), strchr(other->access, *letter)))
			access[length++] = *letter;
	}
	memcpy(rule->access, access, sizeof(access));
}

static bool either(bool mine, bool other)
{
	return mine || other;
}

static bool only_mine(bool mine, bool other)
{
	return mine && !other;
}

static void rules_allow(struct device_rules *rules, const struct cgroup_device *rule)
{
	/* Not across a deny: that one was said later than what it would be merged with. */
	for (size_t i = rules->count; i > 0 && rules->items[i - 1].allow; i--) {
		if (same_device(&rules->items[i - 1], rule)) {
			set_access(&rules->items[i - 1], either, rule);
			return;
		}
	}
	*array_add(rules->items, rules->count) = *rule;
	set_access(&rules->items[rules->count - 1], either, rule);
}

static void rules_deny(struct device_rules *rules, const struct cgroup_device *rule)
{
	bool cuts = false;
	size_t kept = 0;

	for (size_t i = 0; i < rules->count; i++) {
		struct cgroup_device *item = &rules->items[i];

		if (item->allow && same_device(item, rule))
			set_access(item, only_mine, rule);
		if (!item->access[0])
			continue;
		cuts = cuts || (item->allow && overlaps(item, rule));
		rules->items[kept++] = *item;
	}
	rules->count = kept;
	if (cuts)
		*array_add(rules->items, rules->count) = *rule;
}

int device_rules_make(
	const struct cgroup_resources *resources, struct device_rules *ret, struct error *err)
{
	struct device_rules rules = { 0 };

	for (size_t i = 0; i < resources->device_count; i++) {
		struct cgroup_device rule = resources->devices[i];
		const char *types = rule.type == 'a' ? "bc" : (char[]){ rule.type, '\0' };
		int r = device_rule_check(&rule, err);

		if (r < 0) {
			free(rules.items);
			return r;
		}
		for (; *types; types++) {
			rule.type = *types;
			(rule.allow ? rules_allow : rules_deny)(&rules, &rule);
		}
	}
	*ret = rules;
	return 0;
}

static void format_number(int64_t number, char text[static 24])
{
	if (number == ANY)
		snprintf(text, 24, "*");
	else
		snprintf(text, 24, "%lld", (long long)number);
}

void device_rule_format(const struct cgroup_device *rule, char text[static DEVICE_RULE_MAX])
{
	char major[24], minor[24];

	format_number(rule->major, major);
	format_number(rule->minor, minor);
	snprintf(text, DEVICE_RULE_MAX, "%c %s:%s %.3s", rule->type, major, minor, rule->access);
}
