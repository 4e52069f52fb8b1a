/* SPDX-License-Identifier: GPL-2.0-or-later
 * fuzz_document.c - any bytes as YAML: parsed or refused; what was parsed prints, and what was
 * printed parses to the same. */
#include "compose/document.h"
#include "compose/print.h"
#include "fuzz.h"

static void print_again(struct arena *arena, const struct node *root)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT, again = STRBUF_INIT;
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
	if (count == 1)
		print_yaml(roots[0], &again);
	/* Numbers may change their kind (3. prints as 3), so it is the text that must stay. */
	if (count == 1 && strcmp(text.data, again.data) != 0)
		fuzz_fail("printed again it differs:\n%s\n---\n%s", text.data, again.data);
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
	/* Only mappings are ever printed whole. */
	for (size_t i = 0; i < count; i++)
		if (roots[i]->kind == NODE_MAPPING)
			print_again(arena, roots[i]);
	return 0;
}
