/* SPDX-License-Identifier: GPL-2.0-or-later
 * fuzz_dotenv.c - any bytes as .env: every name that comes out can be one, every refusal has a
 * line. */
#include "compose/dotenv.h"
#include "fuzz.h"

static void check(const struct strmap *variables, int r, const struct problems *problems)
{
	if (r < 0 && (problems->count == 0 || problems->items[0].line == 0))
		fuzz_fail("refused without a place");
	strmap_for_each (entry, variables)
		if (!*entry->key || strchr(entry->key, '=') || !entry->value)
			fuzz_fail("'%s' is no name of a variable", entry->key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_arena struct arena *arena = arena_new();
	cleanup_problems struct problems problems = PROBLEMS_INIT, raw_problems = PROBLEMS_INIT;
	struct strmap environment = STRMAP_INIT, variables = STRMAP_INIT, raw = STRMAP_INIT;
	int r;

	strmap_set(&environment, "V", (void *)"value");
	r = dotenv_parse(
		arena, "fuzz", (const char *)data, size, &environment, &variables, NULL, &problems);
	check(&variables, r, &problems);
	r = dotenv_parse_raw(arena, "fuzz", (const char *)data, size, &raw, &raw_problems);
	check(&raw, r, &raw_problems);
	strmap_release(&environment);
	strmap_release(&variables);
	strmap_release(&raw);
	return 0;
}
