/* SPDX-License-Identifier: GPL-2.0-or-later
 * nearest_test.c - what was meant, and when nothing was. */
#include "engine/base/nearest.h"

#include "engine/base/memory.h"
#include "support.h"

static const char *nearest_of(const char *word, size_t length)
{
	static const char *const names[] = { "image", "init", "ports", "build", "builds", "pid",
		"cpu_rt_runtime",
		"a_name_of_more_than_sixty_three_letters_which_nobody_would_type_x" };
	struct nearest nearest;

	nearest_begin(&nearest, word, length);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		nearest_offer(&nearest, names[i]);
	return nearest.name ? nearest.name : "-";
}

static void names_are_found_by_edits(void **state)
{
	static const struct {
		const char *word, *name;
	} rows[] = {
		{ "imag", "image" },   /* one is missing */
		{ "imaage", "image" }, /* one too many */
		{ "imoge", "image" },  /* another */
		{ "iamge", "image" },  /* swapped */
		{ "miaeg", "image" },  /* swapped twice: two edits */
		{ "inti", "init" },    /* of four letters one edit is allowed, and no more */
		{ "intj", "-" },
		{ "iamgge", "image" }, /* up to eight: two */
		{ "iamgess", "-" },
		{ "cpu_tr_runtmie", "cpu_rt_runtime" }, /* longer ones: three */
		{ "cpu_tr_runtmi", "cpu_rt_runtime" },
		{ "cpu_tr_rutmi", "-" },
		{ "buil", "build" },   /* nearer than "builds" */
		{ "buildd", "build" }, /* as near as "builds", which comes later */
		{ "builds", "builds" },
		{ "id", "pid" },
		{ "", "-" },
		{ "IMAGE", "-" },
		{ "a_name_of_more_than_sixty_three_letters_which_nobody_would_type_", "-" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *name = nearest_of(rows[i].word, strlen(rows[i].word));

		if (strcmp(name, rows[i].name) != 0)
			fail_msg("'%s': '%s' instead of '%s'", rows[i].word, name, rows[i].name);
	}
}

static void only_the_words_own_bytes_count(void **state)
{
	(void)state;
	assert_string_equal(nearest_of("prots=80", 5), "ports");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_found_by_edits),
		cmocka_unit_test(only_the_words_own_bytes_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
