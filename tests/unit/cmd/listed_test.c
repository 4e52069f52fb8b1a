/* SPDX-License-Identifier: GPL-2.0-or-later
 * listed_test.c - the fields of `ps` that are made of text alone, picking and ordering. */
#include "cmd/listed.h"

#include "cmd/ps_filter.h"
#include "support.h"

static void commands_are_cut_and_quoted(void **state)
{
	static const struct {
		const char *words; /* separated by | */
		bool no_trunc;
		const char *expected;
	} cases[] = {
		{ "sh", false, "\"sh\"" },
		{ "12345678901234567890", false, "\"12345678901234567890\"" },
		{ "123456789012345678901", false, "\"1234567890123456789…\"" },
		{ "sh|-c|i=0; while true; do :; done", false, "\"sh -c 'i=0; while t…\"" },
		{ "sh|-c|i=0; while true", true, "\"sh -c 'i=0; while true'\"" },
		{ "ééééééééééééééééééééé", false, "\"ééééééééééééééééééé…\"" },
		{ "echo|\"a\"|b\\", false, "\"echo \\\"a\\\" b\\\\\"" },
		{ "a\033[2Jb\n\t", false, "\"a\\x1b[2Jb\\n\\t\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_strv char **words = strv_split(cases[i].words, "|");
		cleanup_free char *text = listed_command_text(words, cases[i].no_trunc);

		assert_string_equal(text, cases[i].expected);
	}
}

static struct listed *add(
	struct listed_set *set, const char *name, int64_t created_ns, enum container_status status)
{
	struct listed *listed = array_add(set->items, set->count);

	listed->container = container_new();
	listed->container->name = xstrdup(name);
	listed->container->created_ns = created_ns;
	listed->container->image_ref = xstrdup("bb");
	listed->state.status = status;
	return listed;
}

static char *names(const struct listed_set *set)
{
	cleanup_strv char **all = NULL;

	for (size_t i = 0; i < set->count; i++)
		strv_add(&all, set->items[i].container->name);
	return strv_join(all, " ");
}

static void orders(void **state)
{
	cleanup_listed struct listed_set set = LISTED_INIT;
	cleanup_free char *by_name = NULL;
	cleanup_free char *by_age = NULL;

	(void)state;
	add(&set, "web-2", 10, CONTAINER_RUNNING);
	add(&set, "db-1", 30, CONTAINER_RUNNING);
	add(&set, "web-1", 20, CONTAINER_RUNNING);
	listed_sort_by_name(&set);
	by_name = names(&set);
	assert_string_equal(by_name, "db-1 web-1 web-2");
	listed_sort_newest_first(&set);
	by_age = names(&set);
	assert_string_equal(by_age, "db-1 web-1 web-2");
}

static void filters(void **state)
{
	static const struct {
		const char *words;
		const char *expected;
	} cases[] = {
		{ "", "web-1 web-2 db" },
		{ "name=web", "web-1 web-2" },
		{ "name=^db$", "db" },
		{ "name=web|name=db", "web-1 web-2 db" },
		{ "status=exited", "web-2" },
		{ "status=exited|status=created", "web-2 db" },
		{ "exited=3", "web-2" },
		{ "exited=4", "" },
		{ "label=tier", "web-1" },
		{ "label=tier=front", "web-1" },
		{ "label=tier=back", "" },
		{ "label=tier|label=none", "" },
		{ "name=web|status=running", "web-1" },
		{ "ancestor=bb", "web-1 web-2 db" },
		{ "health=healthy", "web-1" },
		{ "health=none", "web-2 db" },
		{ "network=n1", "db" },
		{ "volume=data", "db" },
		{ "volume=/var/db", "db" },
		{ "bogus=1", "error: invalid filter 'bogus=1'" },
		{ "name", "error: invalid filter 'name'" },
	};
	const struct engine engine = ENGINE_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_listed struct listed_set set = LISTED_INIT;
		cleanup_strv char **words = strv_split(cases[i].words, "|");
		cleanup_error struct error err = ERROR_INIT;
		struct ps_filter *filter = NULL;
		cleanup_free char *shown = NULL;
		struct container *db;
		struct spec_mount *mount;

		strv_add(
			&add(&set, "web-1", 1, CONTAINER_RUNNING)->container->labels, "tier=front");
		set.items[0].state.health = HEALTH_HEALTHY;
		add(&set, "web-2", 2, CONTAINER_EXITED)->state.exit_code = 3;
		db = add(&set, "db", 3, CONTAINER_CREATED)->container;
		((struct container_attachment *)array_add(db->attachments, db->attachment_count))
			->network = xstrdup("n1");
		mount = array_add(db->spec.mounts, db->spec.mount_count);
		mount->source = xstrdup("data");
		mount->destination = xstrdup("/var/db");
		if (ps_filter_parse(words, &engine, &filter, &err) == 0) {
			listed_filter(&set, ps_filter_accepts, filter);
			shown = names(&set);
		} else {
			shown = xasprintf("error: %s", error_text(&err));
		}
		assert_string_equal(shown, cases[i].expected);
		ps_filter_free(filter);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_are_cut_and_quoted),
		cmocka_unit_test(orders),
		cmocka_unit_test(filters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
