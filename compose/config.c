/* SPDX-License-Identifier: GPL-2.0-or-later
 * config.c - the outputs of `config`. */
#include "compose/config.h"

#include <errno.h>
#include <string.h>

#include "compose/config_tree.h"
#include "compose/print.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

static void move_out(struct strbuf *text, FILE *out)
{
	fwrite(strbuf_text(text), 1, text->length, out);
	strbuf_clear(text);
}

void config_print(const struct project *project, enum config_format format, FILE *out)
{
	const struct print_format *form =
		format == CONFIG_JSON ? &print_format_json : &print_format_yaml;
	cleanup_arena struct arena *arena = arena_new();
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const struct node *root = config_outline(arena, project, format);
	struct printer printer = { .out = &text };

	form->open(&printer, NULL);
	for (size_t i = 0; i < root->count; i++) {
		const char *key = root->entries[i].key;
		const struct node *value = root->entries[i].value;

		if (value->count == 0 || !config_is_section(project, key, value)) {
			form->entry(&printer, key, value);
			continue;
		}
		form->open(&printer, key);
		for (size_t m = 0; m < value->count; m++) {
			cleanup_arena struct arena *scratch = arena_new();

			form->entry(&printer, value->entries[m].key,
				config_member(
					scratch, project, format, key, value->entries[m].value));
			move_out(&text, out);
		}
		form->close(&printer);
	}
	form->close(&printer);
	move_out(&text, out);
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
	if (format == CONFIG_JSON)
		print_json(root, out);
	else
		print_yaml(root, out);
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
