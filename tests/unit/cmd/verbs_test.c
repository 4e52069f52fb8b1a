/* SPDX-License-Identifier: GPL-2.0-or-later
 * verbs_test.c - every verb's table is consistent, and --help comes whole from it. */
#include "cmd/verbs.h"

#include <fcntl.h>

#include "cmd/help.h"
#include "engine/base/files.h"
#include "support.h"

static const struct verb *const all[] = { &verb_attach, &verb_check, &verb_commit, &verb_config,
	&verb_container, &verb_cp, &verb_create, &verb_down, &verb_events, &verb_exec, &verb_export,
	&verb_image, &verb_images, &verb_import, &verb_info, &verb_kill, &verb_load, &verb_logs,
	&verb_ls, &verb_network, &verb_pause, &verb_port, &verb_ps, &verb_restart, &verb_rm,
	&verb_rmi, &verb_run, &verb_save, &verb_scale, &verb_start, &verb_stats, &verb_stop,
	&verb_top, &verb_unpause, &verb_up, &verb_version, &verb_volume, &verb_volumes,
	&verb_wait };

static void check_flags(const struct verb *verb)
{
	for (const struct flag *flag = verb->flags; flag && flag->long_name; flag++) {
		size_t size = flag->kind == FLAG_BOOL ? sizeof(bool) : sizeof(void *);

		assert_true(flag->offset + size <= verb->options_size);
		assert_true(flag->given_offset < verb->options_size);
		assert_true((flag->kind == FLAG_BOOL) == (flag->argument == NULL));
		if (flag->help)
			assert_true(flag->help[strlen(flag->help) - 1] != '.');
		for (const struct flag *other = verb->flags; other < flag; other++) {
			assert_string_not_equal(other->long_name, flag->long_name);
			assert_false(flag->short_name && flag->short_name == other->short_name);
		}
	}
}

static void check_help(const struct verb *verb)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (verb->run)
		help_verb(verb, verb->name, out);
	else
		help_group(verb, verb->name, out);
	fclose(out);
	assert_non_null(strstr(text, verb->summary));
	for (const struct flag *flag = verb->flags; flag && flag->long_name; flag++) {
		cleanup_free char *word = xasprintf("--%s ", flag->long_name);

		assert_true((strstr(text, word) != NULL) == (flag->help != NULL));
	}
	free(text);
}

static void check_verb(const struct verb *verb)
{
	assert_non_null(verb->name);
	assert_non_null(verb->summary);
	assert_true((verb->run != NULL) != (verb->children != NULL));
	assert_true(!verb->run || verb->usage);
	check_flags(verb);
	check_help(verb);
	for (const struct verb *const *child = verb->children; child && *child; child++) {
		if (child != verb->children)
			assert_true(strcmp(child[-1]->name, (*child)->name) < 0);
		check_verb(*child);
	}
}

static void tables_are_consistent(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (i)
			assert_true(strcmp(all[i - 1]->name, all[i]->name) < 0);
		check_verb(all[i]);
	}
}

/* The manual names them in lines of "up" or "ps , images". */
static void the_manual_names_every_verb(void **state)
{
	cleanup_free char *text = NULL;
	cleanup_error struct error err = ERROR_INIT;
	size_t length;

	(void)state;
	if (file_read(AT_FDCWD, "docs/mycompose.1", 1 << 20, &text, &length, &err) < 0)
		fail_msg("%s", error_text(&err));
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		cleanup_free char *word = xasprintf(" %s ", all[i]->name);
		bool found = false;

		for (char *line = text; line && !found; line = strchr(line + 1, '\n')) {
			cleanup_free char *copy = xstrndup(line, strcspn(line + 1, "\n") + 1);
			cleanup_free char *padded = xasprintf("%s ", copy);

			found = strstr(padded, ".It Cm") && strstr(padded, word);
		}
		if (!found)
			fail_msg("docs/mycompose.1 does not name '%s'", all[i]->name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_consistent),
		cmocka_unit_test(the_manual_names_every_verb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
