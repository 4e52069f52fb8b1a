/* SPDX-License-Identifier: GPL-2.0-or-later
 * consistency.c - do the parts of the project fit each other? Every finding is reported, none stops
 * the others. */
#include "compose/loader.h"

#include <string.h>

#include "compose/scalar.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

/* One service under the lens. */
struct subject {
	struct loader *l;
	const char *name;
	struct node *service;
	struct node *services;
};

static void complain(const struct subject *s, const struct mark *mark, const char *key,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void complain(
	const struct subject *s, const struct mark *mark, const char *key, const char *fmt, ...)
{
	const char *path = arena_printf(
		s->l->arena, "services.%s%s%s", s->name, key ? "." : "", key ? key : "");
	va_list ap;
	char *text;

	if (loader_was_told(s->l, path))
		return;
	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	problems_add(s->l->problems, mark, path, "%s", text);
	free(text);
}

static bool has_text(const struct node *node, const char *key)
{
	const char *text = node_get_text(node, key);

	return text && *text;
}

static void check_image(const struct subject *s)
{
	if (!has_text(s->service, "image") && !node_get(s->service, "build") &&
		!node_get(s->service, "provider"))
		complain(s, &s->service->mark, NULL,
			"service \"%s\" has neither an image nor a build context specified: "
			"invalid compose project",
			s->name);
}

/* What is built must be able to run where the service is to run. */
static void check_platforms(const struct subject *s)
{
	const struct node *platforms = node_get(node_get(s->service, "build"), "platforms");
	const struct node *platform = node_get(s->service, "platform");

	if (!platforms || platforms->count == 0 || !platform || platform->kind != NODE_STRING ||
		!*platform->text)
		return;
	for (size_t i = 0; i < platforms->count; i++)
		if (node_equal(platforms->entries[i].value, platform))
			return;
	complain(s, &platforms->mark, "build.platforms",
		"service.build.platforms MUST include service.platform \"%s\": invalid compose "
		"project",
		platform->text);
}

/* What is built needs one text that says how, and folders or services that can be built from. */
static void check_build(const struct subject *s)
{
	const struct node *build = node_get(s->service, "build");
	const struct node *contexts = node_get(build, "additional_contexts");

	if (has_text(build, "dockerfile") && has_text(build, "dockerfile_inline"))
		complain(s, &build->mark, "build",
			"service \"%s\" declares mutually exclusive dockerfile and "
			"dockerfile_inline: invalid compose project",
			s->name);
	for (size_t i = 0; contexts && i < contexts->count; i++) {
		const struct node *from = contexts->entries[i].value;
		const struct node_entry *other;

		if (from->kind != NODE_STRING || strncmp(from->text, "service:", 8) != 0)
			continue;
		other = node_find(s->l->arena, s->services, from->text + 8);
		if (!other || !node_get(other->value, "build"))
			complain(s, &from->mark, "build.additional_contexts",
				"service \"%s\" declares %s service \"%s\" as additional contexts "
				"%s",
				s->name, other ? "non-buildable" : "unknown", from->text + 8,
				contexts->entries[i].key);
	}
}

static void check_dependencies(const struct subject *s)
{
	const struct node *depends_on = node_get(s->service, "depends_on");

	for (size_t i = 0; depends_on && i < depends_on->count; i++) {
		const struct node_entry *entry = &depends_on->entries[i];

		if (strcmp(entry->key, s->name) == 0)
			complain(s, &entry->key_mark, "depends_on",
				"dependency cycle detected: %s -> %s", s->name, s->name);
		else if (!node_find(s->l->arena, s->services, entry->key) &&
			 node_get_bool(entry->value, "required", true))
			complain(s, &entry->key_mark, "depends_on",
				"service \"%s\" depends on undefined service \"%s\": invalid "
				"compose project",
				s->name, entry->key);
	}
}

/* The reason why a service can never become healthy, NULL when it may: without a test of its own
 * the image can have one. */
static const char *never_healthy(const struct node *service)
{
	const struct node *healthcheck = node_get(service, "healthcheck");
	const struct node *test = node_get(healthcheck, "test");

	if (node_get_bool(healthcheck, "disable", false))
		return "has its healthcheck disabled";
	if (test && test->count > 0 && test->entries[0].value->text &&
		strcmp(test->entries[0].value->text, "NONE") == 0)
		return "has the healthcheck NONE";
	return NULL;
}

static void check_conditions(const struct subject *s)
{
	const struct node *depends_on = node_get(s->service, "depends_on");

	for (size_t i = 0; depends_on && i < depends_on->count; i++) {
		const struct node_entry *entry = &depends_on->entries[i];
		const struct node *condition = node_get(entry->value, "condition");
		const struct node_entry *other;
		const char *reason;

		if (!condition || !condition->text ||
			strcmp(condition->text, "service_healthy") != 0)
			continue;
		other = node_find(s->l->arena, s->services, entry->key);
		reason = other ? never_healthy(other->value) : NULL;
		if (reason)
			complain(s, &condition->mark,
				arena_printf(s->l->arena, "depends_on.%s.condition", entry->key),
				"service \"%s\" waits for \"%s\" to be healthy, which %s", s->name,
				entry->key, reason);
	}
}

static void check_networks(const struct subject *s)
{
	const struct node *networks = node_get(s->service, "networks");
	struct node *defined = node_get(s->l->tree, "networks");
	const struct node *mode = node_get(s->service, "network_mode");

	if (has_text(s->service, "network_mode") && networks && networks->count > 0)
		complain(s, &mode->mark, "network_mode",
			"service \"%s\" declares mutually exclusive `network_mode` and `networks`: "
			"invalid compose project",
			s->name);
	for (size_t i = 0; networks && i < networks->count; i++)
		if (!node_find(s->l->arena, defined, networks->entries[i].key) &&
			!(s->l->options->no_normalize &&
				strcmp(networks->entries[i].key, "default") == 0))
			complain(s, &networks->entries[i].key_mark, "networks",
				"service \"%s\" refers to undefined network %s: invalid compose "
				"project",
				s->name, networks->entries[i].key);
}

static void check_volumes(const struct subject *s)
{
	const struct node *volumes = node_get(s->service, "volumes");
	struct node *defined = node_get(s->l->tree, "volumes");

	for (size_t i = 0; volumes && i < volumes->count; i++) {
		const struct node *mount = volumes->entries[i].value;
		const char *type = node_get_text(mount, "type");
		const char *source = node_get_text(mount, "source");

		if (!type ||
			canon_is_open(
				&(struct canon){ .is_raw = s->l->options->no_interpolate }, mount))
			continue;
		if (strcmp(type, "volume") == 0 && source && *source &&
			!node_find(s->l->arena, defined, source))
			complain(s, &mount->mark, "volumes",
				"service \"%s\" refers to undefined volume %s: invalid compose "
				"project",
				s->name, source);
		if (!has_text(mount, "target"))
			complain(s, &mount->mark, "volumes",
				"service \"%s\" has a mount without a target", s->name);
	}
}

static void check_grants(
	const struct subject *s, const struct node *holder, const char *key, const char *what)
{
	const struct node *grants = node_get(holder, key);
	struct node *defined = node_get(s->l->tree, key);

	for (size_t i = 0; grants && i < grants->count; i++) {
		const char *source = node_get_text(grants->entries[i].value, "source");

		if (!source || !node_find(s->l->arena, defined, source))
			complain(s, &grants->entries[i].value->mark, key,
				"service \"%s\" refers to undefined %s %s: invalid compose project",
				s->name, what, source ? source : "\"\"");
	}
}

static int64_t get_int(const struct node *node, const char *key, int64_t fallback)
{
	const struct node *child = node_get(node, key);

	return child && child->kind == NODE_INT ? child->integer : fallback;
}

static const struct {
	const char *key;
	const char *section; /* below deploy */
	const char *part;    /* below section */
	const char *member;
} twice_said[] = {
	{ "scale", NULL, NULL, "replicas" },
	{ "mem_limit", "resources", "limits", "memory" },
	{ "mem_reservation", "resources", "reservations", "memory" },
	{ "cpus", "resources", "limits", "cpus" },
	{ "pids_limit", "resources", "limits", "pids" },
};

static bool same_value(struct arena *arena, const struct node *a, const struct node *b)
{
	double x, y;

	if (scalar_parse_float(node_scalar_text(arena, a), &x) &&
		scalar_parse_float(node_scalar_text(arena, b), &y))
		return x == y;
	return node_equal(a, b);
}

/* The service key and its place under `deploy` may both be used, but not to say different things.
 */
static void check_said_twice(const struct subject *s)
{
	const struct node *deploy = node_get(s->service, "deploy");

	for (size_t i = 0; deploy && i < ARRAY_LEN(twice_said); i++) {
		const struct node *own = node_get(s->service, twice_said[i].key);
		const struct node *other = deploy;

		if (twice_said[i].section)
			other = node_get(
				node_get(other, twice_said[i].section), twice_said[i].part);
		other = node_get(other, twice_said[i].member);
		if (own && other && !same_value(s->l->arena, own, other))
			complain(s, &own->mark, twice_said[i].key,
				"can't set distinct values on '%s' and 'deploy.%s%s%s%s%s': "
				"invalid compose project",
				twice_said[i].key,
				twice_said[i].section ? twice_said[i].section : "",
				twice_said[i].section ? "." : "",
				twice_said[i].part ? twice_said[i].part : "",
				twice_said[i].part ? "." : "", twice_said[i].member);
	}
}

static void check_container_name_and_scale(const struct subject *s)
{
	const struct node *name = node_get(s->service, "container_name");
	int64_t replicas = get_int(
		s->service, "scale", get_int(node_get(s->service, "deploy"), "replicas", 1));

	if (name && name->kind == NODE_STRING && *name->text && replicas > 1)
		complain(s, &name->mark, "container_name",
			"can't set container_name and %s as container name must be unique: invalid "
			"compose project",
			node_get(s->service, "scale") ? "scale" : "deploy.replicas");
}

static void check_watch(const struct subject *s)
{
	const struct node *watch = node_get(node_get(s->service, "develop"), "watch");

	for (size_t i = 0; watch && i < watch->count; i++) {
		const struct node *trigger = watch->entries[i].value;
		const char *action = node_get_text(trigger, "action");

		if (action && strncmp(action, "sync", 4) == 0 && !has_text(trigger, "target"))
			complain(s, &trigger->mark, "develop.watch",
				"target is required for non-rebuild actions: invalid compose "
				"project");
	}
}

static void check_service(const struct subject *s)
{
	check_image(s);
	check_platforms(s);
	check_build(s);
	check_dependencies(s);
	check_conditions(s);
	check_networks(s);
	check_volumes(s);
	check_grants(s, s->service, "secrets", "secret");
	check_grants(s, node_get(s->service, "build"), "secrets", "secret");
	check_grants(s, s->service, "configs", "config");
	check_said_twice(s);
	check_container_name_and_scale(s);
	check_watch(s);
}

enum visit_state { VISIT_NEW, VISIT_OPEN, VISIT_DONE };

struct visit {
	size_t service;
	size_t next;
};

static void report_cycle(struct loader *l, const struct node *services, const struct visit *stack,
	size_t depth, size_t again)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const struct node *depends_on;
	size_t start = 0;

	while (stack[start].service != again)
		start++;
	for (size_t i = start; i < depth; i++)
		strbuf_addf(&text, "%s -> ", services->entries[stack[i].service].key);
	depends_on = node_get(services->entries[stack[start].service].value, "depends_on");
	problems_add(l->problems, &depends_on->mark,
		arena_printf(l->arena, "services.%s.depends_on", services->entries[again].key),
		"dependency cycle detected: %s%s", strbuf_text(&text),
		services->entries[again].key);
}

static void visit_from(struct loader *l, struct node *services, size_t root, unsigned char *states,
	struct visit *stack)
{
	size_t depth = 0;

	stack[depth++] = (struct visit){ root, 0 };
	states[root] = VISIT_OPEN;
	while (depth > 0) {
		struct visit *top = &stack[depth - 1];
		const struct node *depends_on =
			node_get(services->entries[top->service].value, "depends_on");
		const struct node_entry *next;
		size_t index;

		if (!depends_on || top->next == depends_on->count) {
			states[top->service] = VISIT_DONE;
			depth--;
			continue;
		}
		next = node_find(l->arena, services, depends_on->entries[top->next++].key);
		if (!next)
			continue;
		index = (size_t)(next - services->entries);
		/* A service that names itself was reported with its own place. */
		if (states[index] == VISIT_OPEN && index != top->service)
			report_cycle(l, services, stack, depth, index);
		if (states[index] == VISIT_NEW) {
			states[index] = VISIT_OPEN;
			stack[depth++] = (struct visit){ index, 0 };
		}
	}
}

static void check_cycles(struct loader *l, struct node *services)
{
	cleanup_free unsigned char *states = xcalloc(services->count + 1, sizeof(*states));
	cleanup_free struct visit *stack = xcalloc(services->count + 1, sizeof(*stack));

	for (size_t i = 0; i < services->count; i++)
		if (states[i] == VISIT_NEW)
			visit_from(l, services, i, states, stack);
}

/* A top-level config or secret says in one way where its content comes from. */
static void check_file_sources(struct loader *l, const char *section)
{
	static const char *const origins[] = { "file", "environment", "content" };
	const struct node *members = node_get(l->tree, section);

	for (size_t i = 0; members && i < members->count; i++) {
		const struct node_entry *entry = &members->entries[i];
		bool is_external = node_get_bool(entry->value, "external", false);
		const char *path = arena_printf(l->arena, "%s.%s", section, entry->key);
		unsigned int count = 0;

		if (loader_was_told(l, path))
			continue;
		for (size_t j = 0; j < ARRAY_LEN(origins); j++)
			count += node_get(entry->value, origins[j]) != NULL;
		if (count > 1)
			problems_add(l->problems, &entry->key_mark, path,
				"file|environment|content attributes are mutually exclusive");
		else if (count == 0 && !is_external)
			problems_add(l->problems, &entry->key_mark, path,
				"one of file, environment%s or external must be set",
				strcmp(section, "configs") == 0 ? ", content" : "");
	}
}

/* `may_say_more`: what else an external one says is passed over by Docker Compose as well. */
static void check_external(struct loader *l, const char *section, bool may_say_more)
{
	const struct node *members = node_get(l->tree, section);

	for (size_t i = 0; members && i < members->count; i++) {
		const struct node_entry *member = &members->entries[i];

		if (!node_get_bool(member->value, "external", false))
			continue;
		if (node_get(member->value, "external")->count > 0 &&
			node_get(member->value, "name"))
			problems_add(l->problems, &member->key_mark,
				arena_printf(l->arena, "%s.%s", section, member->key),
				"name and external.name conflict; only use name");
		for (size_t j = 0; !may_say_more && j < member->value->count; j++) {
			const struct node_entry *entry = &member->value->entries[j];

			if (strcmp(entry->key, "name") != 0 &&
				strcmp(entry->key, "external") != 0 &&
				strncmp(entry->key, "x-", 2) != 0)
				problems_add(l->problems, &entry->key_mark,
					arena_printf(l->arena, "%s.%s", section, member->key),
					"conflicting parameters \"external\" and \"%s\" specified",
					entry->key);
		}
	}
}

void loader_check_declared(struct loader *l)
{
	check_external(l, "networks", true);
	check_external(l, "volumes", false);
	check_external(l, "secrets", true);
	check_external(l, "configs", true);
	check_file_sources(l, "secrets");
	check_file_sources(l, "configs");
}

void loader_check(struct loader *l)
{
	struct node *services = node_get(l->tree, "services");

	if (!services)
		return;
	for (size_t i = 0; i < services->count; i++) {
		struct subject subject = { l, services->entries[i].key, services->entries[i].value,
			services };

		check_service(&subject);
	}
	loader_check_collisions(l);
	loader_check_addresses(l);
	check_cycles(l, services);
}
