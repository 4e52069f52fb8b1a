/* SPDX-License-Identifier: GPL-2.0-or-later
 * pathrules.c - which values are paths of this host, and making them absolute.
 *
 * Called for the tree of one file (or include) with its own base, before trees are merged. */
#include "compose/loader.h"

#include <string.h>

#include "compose/pathnames.h"
#include "engine/base/ascii.h"
#include "engine/base/memory.h"

/* C:\\dir: no path of this host, and nothing to put a base before. */
static bool is_drive_path(const char *text)
{
	return ascii_is_alpha(text[0]) && text[1] == ':' && text[2] == '\\';
}

static void resolve_text(struct loader *l, struct node *node, const char *base)
{
	const char *home = loader_getenv(l, "HOME");

	if (!node || node->kind != NODE_STRING || !*node->text ||
		(l->options->no_interpolate && node->text[0] == '$'))
		return;
	/* Shown as the user wrote it when it needs no base. */
	node->text = path_expand_home(l->arena, home, node->text);
	if (node->text[0] != '/' && !is_drive_path(node->text))
		node->text = path_absolute(l->arena, base, node->text);
}

/* A build context may be a URL or a Git reference as well. */
static bool is_remote(const char *text)
{
	static const char *const prefixes[] = { "https://", "http://", "git://", "ssh://",
		"github.com/", "git@", "docker-image://", "oci-layout://", "service:", "target:" };

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (strncmp(text, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return strstr(text, "://") != NULL;
}

static void resolve_context(struct loader *l, struct node *node, const char *base)
{
	if (node && node->kind == NODE_STRING && !is_remote(node->text))
		resolve_text(l, node, base);
}

static void resolve_build(struct loader *l, struct node *build, const char *base)
{
	struct node *contexts = node_get(build, "additional_contexts");

	/* Without a context it is the folder of the file that says so. */
	if (build && build->kind == NODE_MAPPING && !node_get(build, "context"))
		node_set_string(l->arena, build, "context", ".");
	resolve_context(l, node_get(build, "context"), base);
	for (size_t i = 0; contexts && i < contexts->count; i++)
		resolve_context(l, contexts->entries[i].value, base);
}

static void resolve_mounts(struct loader *l, struct node *volumes, const char *base)
{
	for (size_t i = 0; volumes && i < volumes->count; i++) {
		const struct node *mount = volumes->entries[i].value;
		const char *type = node_get_text(mount, "type");
		struct node *source = node_get(mount, "source");

		if (!type || strcmp(type, "bind") != 0 || !source)
			continue;
		/* Nothing, say a variable that is not set, is the folder itself. */
		if (source->kind == NODE_STRING && !*source->text)
			source->text = base;
		else
			resolve_text(l, source, base);
	}
}

static void resolve_members(struct loader *l, struct node *list, const char *key, const char *base)
{
	for (size_t i = 0; list && i < list->count; i++)
		resolve_text(l, node_get(list->entries[i].value, key), base);
}

void loader_resolve_service_paths(struct loader *l, struct node *service, const char *base)
{
	struct node *label_files = node_get(service, "label_file");

	resolve_build(l, node_get(service, "build"), base);
	resolve_mounts(l, node_get(service, "volumes"), base);
	resolve_members(l, node_get(service, "env_file"), "path", base);
	resolve_members(l, node_get(node_get(service, "develop"), "watch"), "path", base);
	for (size_t i = 0; label_files && i < label_files->count; i++)
		resolve_text(l, label_files->entries[i].value, base);
}

/* A local volume with `o: bind` names a folder of this host. */
static void resolve_volume(struct loader *l, struct node *volume, const char *base)
{
	struct node *options = node_get(volume, "driver_opts");
	const char *driver = node_get_text(volume, "driver");
	const char *o = node_get_text(options, "o");
	struct node *device = node_get(options, "device");

	if ((driver && strcmp(driver, "local") != 0) || !o || strcmp(o, "bind") != 0)
		return;
	/* Nothing, say a variable that is not set, is the folder itself. */
	if (device && device->kind == NODE_STRING && !*device->text)
		device->text = base;
	else
		resolve_text(l, device, base);
}

void loader_resolve_paths(struct loader *l, struct node *root, const char *base)
{
	struct node *services = node_get(root, "services");
	struct node *volumes = node_get(root, "volumes");

	for (size_t i = 0; services && i < services->count; i++)
		loader_resolve_service_paths(l, services->entries[i].value, base);
	for (size_t i = 0; volumes && i < volumes->count; i++)
		resolve_volume(l, volumes->entries[i].value, base);
	resolve_members(l, node_get(root, "secrets"), "file", base);
	resolve_members(l, node_get(root, "configs"), "file", base);
}
