/* SPDX-License-Identifier: GPL-2.0-or-later
 * fuzz_short.c - any text in every place that has a short syntax: ports, volumes, devices, hosts,
 * commands, sizes, durations. */
#include "compose/keys.h"
#include "compose/tmpfs.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"
#include "fuzz.h"

static struct node *(*const normalisers[])(struct canon *, struct node *, const struct path *) = {
	normalise_ports,
	normalise_volumes,
	normalise_devices,
	normalise_extra_hosts,
	normalise_depends_on,
	normalise_env_file,
	normalise_grants,
	normalise_ssh,
	normalise_pull_policy,
	normalise_test,
	normalise_gpus,
	normalise_include,
	normalise_build,
};

static void try_normalisers(struct canon *c, const char *text)
{
	const struct path path = { NULL, "key", 0 };

	for (size_t i = 0; i < ARRAY_LEN(normalisers); i++) {
		struct mark nowhere = { "fuzz", 1, 1 };
		struct node *list = node_new(c->arena, NODE_SEQUENCE, nowhere);

		node_append(c->arena, list, NULL, nowhere, node_string(c->arena, text, nowhere));
		normalisers[i](c, list, &path);
		normalisers[i](c, node_string(c->arena, text, nowhere), &path);
	}
}

static void try_numbers(struct arena *arena, const char *text)
{
	struct tmpfs_options options;
	uint64_t bytes;
	int64_t ns, again;

	if (parse_bytes(text, &bytes) == 0 && bytes > INT64_MAX && bytes > UINT64_MAX / 2 * 2 + 1)
		fuzz_fail("%s is no size", text);
	if (parse_duration(text, &ns) == 0) {
		cleanup_free char *shown = format_duration(ns);

		if (parse_duration(shown, &again) < 0 || again != ns)
			fuzz_fail("%s became %s", text, shown);
	}
	tmpfs_options_parse(arena, text, &options);
	parse_cpuset(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_arena struct arena *arena = arena_new();
	cleanup_problems struct problems problems = PROBLEMS_INIT;
	cleanup_free char *text = xstrndup((const char *)data, size);
	struct warning_list warnings = { 0 };
	struct canon c = { .arena = arena, .problems = &problems, .warnings = &warnings };

	try_normalisers(&c, text);
	try_numbers(arena, text);
	return 0;
}
