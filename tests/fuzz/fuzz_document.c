/* SPDX-License-Identifier: GPL-2.0-or-later
 * fuzz_document.c - any bytes as YAML: parsed or refused; what was parsed prints, and what was
 * printed parses to the same. */
#include "compose/document.h"
#include "compose/print.h"
#include "fuzz.h"

static void print_again(struct arena *arena, const struct node *root)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_problems struct problems problems = PROBLEMS_INIT;
	struct node **roots = NULL;
	size_t count = 0;

	print_yaml(root, &text);
	/* Printing can make a text longer than what may be read. */
	if (text.length > DOCUMENT_SIZE_LIMIT)
		return;
	if (document_parse(arena, "again", text.data, text.length, &problems, &roots, &count) < 0)
		fuzz_fail("what was printed does not parse: %s\n%s", problems.items[0].text,
			text.data);
	if (count == 1 && !node_equal(root, roots[0]))
		fuzz_fail("what was printed is something else:\n%s", text.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_arena struct arena *arena = arena_new();
	cleanup_problems struct problems problems = PROBLEMS_INIT;
	struct node **roots = NULL;
	size_t count = 0;

	if (document_parse(arena, "fuzz", (const char *)data, size, &problems, &roots, &count) <
		0) {
		if (problems.count == 0)
			fuzz_fail("refused without saying why");
		return 0;
	}
	for (size_t i = 0; i < count; i++)
		print_again(arena, roots[i]);
	return 0;
}
