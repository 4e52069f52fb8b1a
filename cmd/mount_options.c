/* SPDX-License-Identifier: GPL-2.0-or-later
 * mount_options.c - read the three spellings of a mount. */
#include "cmd/mount_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/files.h"
#include "engine/base/ids.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strbuf.h"
#include "engine/base/strv.h"
#include "engine/container/mount_kinds.h"
#include "engine/container/paths.h"

struct list {
	struct spec_mount *items;
	size_t count;
};

static void list_release(struct list *list)
{
	for (size_t i = 0; i < list->count; i++)
		spec_mount_release(&list->items[i]);
	free(list->items);
}

static bool is_propagation(const char *word)
{
	static const char *const words[] = { "rprivate", "private", "rshared", "shared", "rslave",
		"slave" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(words[i], word))
			return true;
	return false;
}

static void set_anonymous(struct spec_mount *mount)
{
	char id[ID_LENGTH + 1];

	id_random(id);
	mount->source = xstrdup(id);
	mount->anonymous = true;
}

static int check_volume_name(const char *name, struct error *err)
{
	if (name[0] && !name[1])
		return error_set(err, -EINVAL,
			"create %s: volume name is too short, names should be at least two "
			"alphanumeric characters",
			name);
	if (name_is_safe(name))
		return 0;
	return error_set(err, -EINVAL,
		"create %s: \"%s\" includes invalid characters for a local volume name, only "
		"\"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host "
		"directory, use absolute path",
		name, name);
}

/* The options of -v: "ro,nocopy". SELinux labels and Docker Desktop's consistency words ask for
 * nothing on such a host. */
static int apply_volume_option(
	struct spec_mount *mount, const char *word, const char *text, struct error *err)
{
	static const char *const without_effect[] = { "rw", "z", "Z", "cached", "delegated",
		"consistent" };

	for (size_t i = 0; i < ARRAY_LEN(without_effect); i++)
		if (!strcmp(word, without_effect[i]))
			return 0;
	if (!strcmp(word, "ro")) {
		mount->read_only = true;
	} else if (!strcmp(word, "nocopy") && mount->type == MOUNT_VOLUME) {
		mount->no_copy = true;
	} else if (is_propagation(word) && mount->type == MOUNT_BIND) {
		free(mount->propagation);
		mount->propagation = xstrdup(word);
	} else {
		return error_set(err, -EINVAL,
			"invalid volume specification: '%s': unknown mode: %s", text, word);
	}
	return 0;
}

static int set_source(
	struct spec_mount *mount, const char *source, const char *cwd, struct error *err)
{
	if (source[0] == '/' || source[0] == '.') {
		mount->type = MOUNT_BIND;
		mount->create_host_path = true;
		if (source[0] == '/') {
			mount->source = xstrdup(source);
		} else {
			cleanup_free char *joined = xasprintf("%s/%s", cwd, source);

			mount->source = path_clean(joined);
		}
		return 0;
	}
	mount->type = MOUNT_VOLUME;
	mount->source = xstrdup(source);
	return check_volume_name(source, err);
}

static int parse_volume(
	const char *text, const char *cwd, struct spec_mount *mount, struct error *err)
{
	const char *first = strchr(text, ':'), *second = first ? strchr(first + 1, ':') : NULL;
	cleanup_free char *source = first ? xstrndup(text, (size_t)(first - text)) : NULL;
	cleanup_strv char **words = second ? strv_split(second + 1, ",") : NULL;
	int r = 0;

	if (!first) {
		mount->type = MOUNT_VOLUME;
		mount->destination = xstrdup(text);
		set_anonymous(mount);
		return 0;
	}
	if (!*source || !first[1] || (second && second == first + 1) ||
		(second && strchr(second + 1, ':')))
		return error_set(err, -EINVAL, "invalid volume specification: '%s'", text);
	mount->destination =
		second ? xstrndup(first + 1, (size_t)(second - first - 1)) : xstrdup(first + 1);
	r = set_source(mount, source, cwd, err);
	for (size_t i = 0; r == 0 && i < strv_length(words); i++)
		r = apply_volume_option(mount, words[i], text, err);
	return r;
}

static int set_tmpfs_size(struct spec_mount *mount, const char *value)
{
	return parse_bytes(value, &mount->tmpfs_size);
}

static int set_tmpfs_mode(struct spec_mount *mount, const char *value)
{
	return parse_octal(value, 07777, &mount->tmpfs_mode);
}

/* What else the words may be is the engine's to say. */
static int parse_tmpfs(const char *text, struct spec_mount *mount, struct error *err)
{
	const char *colon = strchr(text, ':');
	cleanup_strv char **words = colon ? strv_split(colon + 1, ",") : NULL;

	mount->type = MOUNT_TMPFS;
	mount->destination = colon ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);
	for (size_t i = 0; i < strv_length(words); i++) {
		const char *word = words[i];

		if (!strncmp(word, "size=", 5) && set_tmpfs_size(mount, word + 5) == 0)
			continue;
		if (!strncmp(word, "mode=", 5) && set_tmpfs_mode(mount, word + 5) == 0)
			continue;
		if (!strcmp(word, "ro") || !strcmp(word, "rw"))
			mount->read_only = word[1] == 'o';
		else if (*word)
			strv_add(&mount->tmpfs_options, word);
	}
	if (tmpfs_check(mount, err) < 0)
		return error_wrap(err, "%s", text);
	return 0;
}

static int key_type(struct spec_mount *mount, const char *value)
{
	static const struct {
		const char *name;
		enum mount_type type;
	} types[] = { { "bind", MOUNT_BIND }, { "volume", MOUNT_VOLUME }, { "tmpfs", MOUNT_TMPFS },
		{ "image", MOUNT_IMAGE } };

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (!strcmp(types[i].name, value)) {
			mount->type = types[i].type;
			return 0;
		}
	}
	return -EINVAL;
}

static int replace_text(char **target, const char *value)
{
	if (!*value)
		return -EINVAL;
	free(*target);
	*target = xstrdup(value);
	return 0;
}

static int key_source(struct spec_mount *mount, const char *value)
{
	return replace_text(&mount->source, value);
}

static int key_target(struct spec_mount *mount, const char *value)
{
	return replace_text(&mount->destination, value);
}

static int parse_flag_value(const char *value, bool *ret)
{
	*ret = !*value || !strcmp(value, "true") || !strcmp(value, "1");
	return *ret || !strcmp(value, "false") || !strcmp(value, "0") ? 0 : -EINVAL;
}

static int key_readonly(struct spec_mount *mount, const char *value)
{
	return parse_flag_value(value, &mount->read_only);
}

static int key_nocopy(struct spec_mount *mount, const char *value)
{
	return parse_flag_value(value, &mount->no_copy);
}

static int key_create(struct spec_mount *mount, const char *value)
{
	return parse_flag_value(value, &mount->create_host_path);
}

static int key_propagation(struct spec_mount *mount, const char *value)
{
	return is_propagation(value) ? replace_text(&mount->propagation, value) : -EINVAL;
}

static int key_recursive(struct spec_mount *mount, const char *value)
{
	return mount_recursion_parse(value, &mount->recursion);
}

static int key_subpath(struct spec_mount *mount, const char *value)
{
	return replace_text(&mount->subpath, value);
}

static int key_label(struct spec_mount *mount, const char *value)
{
	if (!*value || *value == '=')
		return -EINVAL;
	strv_take(&mount->labels, strchr(value, '=') ? xstrdup(value) : xasprintf("%s=", value));
	return 0;
}

static int key_option(struct spec_mount *mount, const char *value)
{
	if (!*value || *value == '=' || !strchr(value, '='))
		return -EINVAL;
	strv_add(&mount->driver_options, value);
	return 0;
}

static int key_driver(struct spec_mount *mount, const char *value)
{
	(void)mount;
	return !*value || !strcmp(value, "local") ? 0 : -EINVAL;
}

/* Docker Desktop's, and SELinux labels: without effect here. */
static int key_ignored(struct spec_mount *mount, const char *value)
{
	(void)mount;
	(void)value;
	return 0;
}

static const struct {
	const char *name;
	int (*set)(struct spec_mount *mount, const char *value);
} mount_keys[] = {
	{ "type", key_type },
	{ "source", key_source },
	{ "src", key_source },
	{ "target", key_target },
	{ "dst", key_target },
	{ "destination", key_target },
	{ "readonly", key_readonly },
	{ "ro", key_readonly },
	{ "volume-nocopy", key_nocopy },
	{ "bind-create-src", key_create },
	{ "bind-propagation", key_propagation },
	{ "bind-recursive", key_recursive },
	{ "consistency", key_ignored },
	{ "image-subpath", key_subpath },
	{ "volume-driver", key_driver },
	{ "volume-label", key_label },
	{ "volume-opt", key_option },
	{ "volume-subpath", key_subpath },
	{ "tmpfs-size", set_tmpfs_size },
	{ "tmpfs-mode", set_tmpfs_mode },
};

static int apply_mount_key(
	struct spec_mount *mount, const char *word, const char *text, struct error *err)
{
	cleanup_free char *key = xstrndup(word, strcspn(word, "="));
	const char *value = strchr(word, '=') ? strchr(word, '=') + 1 : "";

	for (size_t i = 0; i < ARRAY_LEN(mount_keys); i++) {
		if (strcmp(mount_keys[i].name, key))
			continue;
		if (mount_keys[i].set(mount, value) == 0)
			return 0;
		return error_set(err, -EINVAL,
			"invalid argument \"%s\" for \"--mount\" flag: invalid value for %s: %s",
			text, key, value);
	}
	return error_set(err, -EINVAL,
		"invalid argument \"%s\" for \"--mount\" flag: unexpected key '%s'", text, key);
}

/* RFC 4180, one line of it: "type=volume","volume-opt=o=a,b". Heap. */
static char **split_csv(const char *text)
{
	char **fields = NULL;

	for (const char *c = text;; c++) {
		cleanup_strbuf struct strbuf field = STRBUF_INIT;
		bool quoted = *c == '"';

		for (c += quoted; *c && (quoted || *c != ','); c++) {
			if (!quoted || *c != '"')
				strbuf_add_char(&field, *c);
			else if (c[1] == '"')
				strbuf_add_char(&field, *++c);
			else
				quoted = false;
		}
		strv_add(&fields, strbuf_text(&field));
		if (!*c)
			return fields;
	}
}

/* Unlike with -v, a bind source that is not there stays an error: docker's rule for --mount. */
static int parse_mount(
	const char *text, const char *cwd, struct spec_mount *mount, struct error *err)
{
	cleanup_strv char **words = split_csv(text);
	int r = 0;

	mount->type = MOUNT_VOLUME;
	for (size_t i = 0; r == 0 && i < strv_length(words); i++)
		r = apply_mount_key(mount, words[i], text, err);
	if (r < 0)
		return r;
	if (!mount->destination)
		return error_set(err, -EINVAL,
			"invalid argument \"%s\" for \"--mount\" flag: target is required", text);
	if (mount->type == MOUNT_VOLUME && !mount->source) {
		set_anonymous(mount);
		return 0;
	}
	if (mount->type == MOUNT_VOLUME)
		return check_volume_name(mount->source, err);
	if (mount->type == MOUNT_TMPFS && mount->source)
		return error_set(err, -EINVAL,
			"invalid argument \"%s\" for \"--mount\" flag: a tmpfs has no source",
			text);
	if (mount->type == MOUNT_IMAGE)
		mount->read_only = true;
	if ((mount->type == MOUNT_BIND || mount->type == MOUNT_IMAGE) && !mount->source)
		return error_set(err, -EINVAL,
			"invalid argument \"%s\" for \"--mount\" flag: source is required", text);
	if (mount->type == MOUNT_BIND && mount->source[0] != '/') {
		cleanup_free char *joined = xasprintf("%s/%s", cwd, mount->source);

		free(mount->source);
		mount->source = path_clean(joined);
	}
	return 0;
}

static int parse_all(const struct mount_options *options, struct list *list, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < strv_length(options->volumes); i++)
		r = parse_volume(options->volumes[i], options->cwd,
			array_add(list->items, list->count), err);
	for (size_t i = 0; r == 0 && i < strv_length(options->mounts); i++)
		r = parse_mount(
			options->mounts[i], options->cwd, array_add(list->items, list->count), err);
	for (size_t i = 0; r == 0 && i < strv_length(options->tmpfs); i++)
		r = parse_tmpfs(options->tmpfs[i], array_add(list->items, list->count), err);
	return r;
}

static bool same_place(const struct spec_mount *a, const struct spec_mount *b)
{
	cleanup_free char *left = path_clean(a->destination);
	cleanup_free char *right = path_clean(b->destination);

	return !strcmp(left, right);
}

static int check_duplicates(const struct list *list, struct error *err)
{
	for (size_t i = 0; i < list->count; i++)
		for (size_t j = 0; j < i; j++)
			if (same_place(&list->items[i], &list->items[j]))
				return error_set(err, -EINVAL, "Duplicate mount point: %s",
					list->items[i].destination);
	return 0;
}

/* Move one into the spec, over whatever stands at its place. */
static void place(struct spec *spec, struct spec_mount *mount)
{
	struct spec_mount *to = NULL;

	for (size_t i = 0; i < spec->mount_count && !to; i++)
		if (same_place(&spec->mounts[i], mount))
			to = &spec->mounts[i];
	if (to)
		spec_mount_release(to);
	else
		to = array_add(spec->mounts, spec->mount_count);
	*to = *mount;
	*mount = (struct spec_mount){ 0 };
}

int mount_options_apply(const struct mount_options *options, struct spec *spec, struct error *err)
{
	struct list list = { 0 };
	int r = parse_all(options, &list, err);

	if (r == 0)
		r = check_duplicates(&list, err);
	for (size_t i = 0; r == 0 && i < list.count; i++)
		place(spec, &list.items[i]);
	list_release(&list);
	return r;
}
