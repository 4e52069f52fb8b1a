/* SPDX-License-Identifier: GPL-2.0-or-later
 * fuzz_interpolate.c - any text with ${…} in it: expanded or refused with a reason, and never
 * larger than the bound. */
#include "compose/interpolate.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_arena struct arena *arena = arena_new();
	cleanup_free char *text = xstrndup((const char *)data, size);
	struct strmap environment = STRMAP_INIT, unset = STRMAP_INIT;
	struct interpolation in = { .arena = arena, .environment = &environment, .unset = &unset };
	const char *out = NULL, *problem = NULL;

	strmap_set(&environment, "V", (void *)"value $V ${V}");
	strmap_set(&environment, "E", (void *)"");
	if (interpolate_text(&in, text, &out, &problem) < 0) {
		if (!problem || !*problem)
			fuzz_fail("refused without saying why: %s", text);
	} else if (strlen(out) > INTERPOLATE_SIZE_LIMIT + size) {
		fuzz_fail("grew to %zu bytes", strlen(out));
	}
	in.wants_variables = true;
	interpolate_text(&in, text, &out, &problem);
	strmap_release(&environment);
	strmap_release(&unset);
	return 0;
}
