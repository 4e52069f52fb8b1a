/* SPDX-License-Identifier: GPL-2.0-or-later
 * model.c - look-ups in a project, its order, its refusals. */
#include "compose/model.h"

#include <errno.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/base/strv.h"

const char *const port_protocol_names[] = { "tcp", "udp", "sctp", NULL };
const char *const service_mount_type_names[] = { "bind", "volume", "tmpfs", "image", NULL };
const char *const depends_condition_names[] = { "service_started", "service_healthy",
	"service_completed_successfully", NULL };
const char *const rollout_failure_names[] = { "pause", "continue", "rollback", NULL };
const char *const service_restart_kind_names[] = { "no", "always", "on-failure", "unless-stopped",
	NULL };

void project_free(struct project *project)
{
	if (project)
		arena_free(project->arena);
}

void project_cleanup(struct project **project)
{
	project_free(*project);
}

/* All of these arrays are sorted by a first-class key at a fixed offset; bsearch with that offset.
 */
static const void *find_sorted(
	const void *items, size_t count, size_t size, size_t key_offset, const char *key)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *item = (const char *)items + middle * size;
		int order = strcmp(key, *(const char *const *)(const void *)(item + key_offset));

		if (order == 0)
			return item;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct service *project_find_service(const struct project *project, const char *name)
{
	return find_sorted(project->services, project->service_count, sizeof(struct service),
		offsetof(struct service, name), name);
}

const struct project_network *project_find_network(const struct project *project, const char *key)
{
	return find_sorted(project->networks, project->network_count,
		sizeof(struct project_network), offsetof(struct project_network, key), key);
}

const struct project_volume *project_find_volume(const struct project *project, const char *key)
{
	return find_sorted(project->volumes, project->volume_count, sizeof(struct project_volume),
		offsetof(struct project_volume, key), key);
}

const struct file_source *project_find_config(const struct project *project, const char *key)
{
	return find_sorted(project->configs, project->config_count, sizeof(struct file_source),
		offsetof(struct file_source, key), key);
}

const struct file_source *project_find_secret(const struct project *project, const char *key)
{
	return find_sorted(project->secrets, project->secret_count, sizeof(struct file_source),
		offsetof(struct file_source, key), key);
}

const struct dependency *service_find_dependency(const struct service *service, const char *name)
{
	return find_sorted(service->depends_on, service->depends_count, sizeof(struct dependency),
		offsetof(struct dependency, service), name);
}

enum visit_state { VISIT_NEW, VISIT_OPEN, VISIT_DONE };

/* Depth first without recursion: a chain may be as long as the project. */
struct visit {
	size_t service;
	size_t next; /* dependency to look at */
};

static int name_cycle(const struct project *project, const struct visit *stack, size_t depth,
	size_t again, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	size_t start = 0;

	while (stack[start].service != again)
		start++;
	for (size_t i = start; i < depth; i++)
		strbuf_addf(&text, "%s -> ", project->services[stack[i].service].name);
	return error_set(err, -ELOOP, "dependency cycle detected: %s%s", strbuf_text(&text),
		project->services[again].name);
}

static int visit_from(const struct project *project, size_t root, unsigned char *states,
	struct visit *stack, size_t *order, size_t *ordered, struct error *err)
{
	size_t depth = 0;

	stack[depth++] = (struct visit){ root, 0 };
	states[root] = VISIT_OPEN;
	while (depth > 0) {
		struct visit *top = &stack[depth - 1];
		const struct service *service = &project->services[top->service];
		const struct service *next;
		size_t index;

		if (top->next == service->depends_count) {
			states[top->service] = VISIT_DONE;
			order[(*ordered)++] = top->service;
			depth--;
			continue;
		}
		next = project_find_service(project, service->depends_on[top->next++].service);
		if (!next)
			continue;
		index = (size_t)(next - project->services);
		if (states[index] == VISIT_OPEN)
			return name_cycle(project, stack, depth, index, err);
		if (states[index] == VISIT_NEW) {
			states[index] = VISIT_OPEN;
			stack[depth++] = (struct visit){ index, 0 };
		}
	}
	return 0;
}

int project_dependency_order(const struct project *project, size_t **ret_order, struct error *err)
{
	size_t count = project->service_count, ordered = 0;
	cleanup_free unsigned char *states = xcalloc(count + 1, sizeof(*states));
	cleanup_free struct visit *stack = xcalloc(count + 1, sizeof(*stack));
	cleanup_free size_t *order = xcalloc(count + 1, sizeof(*order));

	for (size_t i = 0; i < count; i++) {
		int r = states[i] == VISIT_NEW
				? visit_from(project, i, states, stack, order, &ordered, err)
				: 0;

		if (r < 0)
			return r;
	}
	*ret_order = steal_ptr(order);
	return 0;
}

int project_check_refusals(const struct project *project, char *const *services, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < project->refusal_count; i++) {
		const struct refusal *refusal = &project->refusals[i];

		if (services && refusal->service && !strv_contains(services, refusal->service))
			continue;
		if (text.length > 0)
			strbuf_add_char(&text, '\n');
		if (refusal->mark.file)
			strbuf_addf(&text, "%s:%u:%u: ", refusal->mark.file, refusal->mark.line,
				refusal->mark.column);
		strbuf_addf(&text, "%s: not supported: %s", refusal->path, refusal->reason);
	}
	if (text.length == 0)
		return 0;
	return error_set(err, -EOPNOTSUPP, "%s", strbuf_text(&text));
}
