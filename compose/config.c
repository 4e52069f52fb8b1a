/* SPDX-License-Identifier: GPL-2.0-or-later
 * config.c - the outputs of `config`. */
#include "compose/config.h"

#include <errno.h>
#include <string.h>

#include "compose/config_tree.h"
#include "compose/print.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

static void print(const struct node *tree, enum config_format format, struct strbuf *out)
{
	if (format == CONFIG_JSON)
		print_json(tree, out);
	else
		print_yaml(tree, out);
}

void config_print(const struct project *project, enum config_format format, struct strbuf *out)
{
	cleanup_arena struct arena *arena = arena_new();

	print(config_tree(arena, project, format), format, out);
}

void config_print_images(const struct project *project, char *const *images,
	enum config_format format, struct strbuf *out)
{
	cleanup_arena struct arena *arena = arena_new();
	const struct mark nowhere = { 0 };
	struct node *root = node_new(arena, NODE_MAPPING, nowhere);
	struct node *services = node_new(arena, NODE_MAPPING, nowhere);

	for (size_t i = 0; i < project->service_count; i++) {
		struct node *service = node_new(arena, NODE_MAPPING, nowhere);

		node_set_string(arena, service, "image", images[i]);
		node_append(arena, services, project->services[i].name, nowhere, service);
	}
	node_append(arena, root, "services", nowhere, services);
	print(root, format, out);
}

static void add_line(struct strbuf *out, const char *text)
{
	strbuf_add_str(out, text);
	strbuf_add_char(out, '\n');
}

static void list_section(const struct project *project, const char *name, struct strbuf *out)
{
	const struct node *section = node_get(project->tree, name);

	for (size_t i = 0; section && i < section->count; i++)
		add_line(out, section->entries[i].key);
}

void config_list_services(const struct project *project, struct strbuf *out)
{
	list_section(project, "services", out);
}

void config_list_volumes(const struct project *project, struct strbuf *out)
{
	list_section(project, "volumes", out);
}

void config_list_networks(const struct project *project, struct strbuf *out)
{
	list_section(project, "networks", out);
}

void config_list_models(const struct project *project, struct strbuf *out)
{
	list_section(project, "models", out);
}

void config_list_images(const struct project *project, struct strbuf *out)
{
	struct node *shown = node_get(project->tree, "services");

	for (size_t i = 0; i < project->service_count; i++)
		if (node_find(project->arena, shown, project->services[i].name))
			add_line(out, project->services[i].image);
}

void config_list_profiles(const struct project *project, struct strbuf *out)
{
	for (char **profile = project->known_profiles; profile && *profile; profile++)
		add_line(out, *profile);
}

void config_list_environment(const struct project *project, struct strbuf *out)
{
	for (char **variable = project->environment; variable && *variable; variable++)
		add_line(out, *variable);
}

int config_list_hashes(
	const struct project *project, const char *names, struct strbuf *out, struct error *err)
{
	cleanup_strv char **wanted = strcmp(names, "*") == 0 ? NULL : strv_split(names, ",");
	struct node *shown = node_get(project->tree, "services");

	for (char **name = wanted; name && *name; name++)
		if (!project_find_service(project, *name))
			return error_set(err, -ENOENT, "no such service: %s", *name);
	for (size_t i = 0; i < project->service_count; i++) {
		const struct service *service = &project->services[i];

		if (wanted ? strv_contains(wanted, service->name)
			   : node_find(project->arena, shown, service->name) != NULL)
			strbuf_addf(out, "%s %s\n", service->name, service->config_hash);
	}
	return 0;
}
