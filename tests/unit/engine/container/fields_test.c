/* SPDX-License-Identifier: GPL-2.0-or-later
 * fields_test.c - a table reads what it wrote, and says which member is wrong. */
#include "engine/container/fields.h"

#include "support.h"

struct item {
	char *name;
	int64_t size;
};

struct thing {
	char *text;
	char id[5];
	char letter;
	char **list;
	bool flag;
	int32_t small;
	int64_t large;
	uint16_t port;
	uint32_t middle;
	uint64_t huge;
	int64_t time_ns;
	enum { RED, GREEN } colour;
	struct item inner;
	struct item *items;
	size_t item_count;
};

static const char *const colours[] = { [RED] = "red", [GREEN] = "green" };
static const struct field item_rows[] = {
	FIELD_ROW("name", FIELD_STRING, FIELD_REQUIRED, struct item, name),
	FIELD_ROW("size", FIELD_SIGNED, 0, struct item, size),
};
static const struct field_type item_type = FIELD_TYPE(struct item, item_rows);
static const struct field rows[] = {
	FIELD_ROW("text", FIELD_STRING, FIELD_REQUIRED, struct thing, text),
	FIELD_ROW("part.id", FIELD_CHARS, FIELD_REQUIRED, struct thing, id),
	FIELD_ROW("part.letter", FIELD_CHAR, 0, struct thing, letter),
	FIELD_ROW("part.list", FIELD_STRV, 0, struct thing, list),
	FIELD_ROW("flag", FIELD_BOOL, 0, struct thing, flag),
	FIELD_ROW("small", FIELD_SIGNED, 0, struct thing, small),
	FIELD_ROW("large", FIELD_SIGNED, 0, struct thing, large),
	FIELD_ROW("port", FIELD_UNSIGNED, 0, struct thing, port),
	FIELD_ROW("middle", FIELD_UNSIGNED, 0, struct thing, middle),
	FIELD_ROW("huge", FIELD_UNSIGNED, 0, struct thing, huge),
	FIELD_ROW("time", FIELD_TIME, 0, struct thing, time_ns),
	FIELD_ROW_NAME("colour", 0, struct thing, colour, colours),
	FIELD_ROW_STRUCT("inner", 0, struct thing, inner, &item_type),
	FIELD_ROW_ARRAY("items", struct thing, items, item_count, &item_type),
};
static const struct field_type type = FIELD_TYPE(struct thing, rows);

static char *print(const struct thing *thing)
{
	cleanup_json struct json *json = fields_to_json(&type, thing);

	return json_print(json);
}

static void every_kind_survives_a_round_trip(void **state)
{
	struct thing thing = {
		.text = xstrdup("a \"b\"\n"),
		.id = "abcd",
		.letter = 'c',
		.flag = true,
		.small = INT32_MIN,
		.large = INT64_MIN,
		.port = 65535,
		.middle = UINT32_MAX,
		.huge = UINT64_MAX,
		.time_ns = 1795500000123456789,
		.colour = GREEN,
		.inner = { xstrdup("inner"), 7 },
	};
	struct thing back;
	cleanup_json struct json *json = NULL;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *text = NULL, *again = NULL;

	(void)state;
	strv_add(&thing.list, "x");
	strv_add(&thing.list, "");
	for (int i = 0; i < 20; i++)
		*array_add(thing.items, thing.item_count) =
			(struct item){ xasprintf("item %d", i), i };
	text = print(&thing);
	assert_int_equal(json_parse(text, strlen(text), &json, NULL), 0);
	check_ok(fields_from_json(&type, json, &back, &err), &err);
	again = print(&back);
	assert_string_equal(text, again);
	assert_int_equal(back.small, INT32_MIN);
	assert_true(back.large == INT64_MIN);
	assert_true(back.huge == UINT64_MAX);
	assert_true(back.time_ns == thing.time_ns);
	assert_int_equal(back.colour, GREEN);
	assert_int_equal(back.letter, 'c');
	assert_int_equal(back.item_count, 20);
	assert_string_equal(back.items[19].name, "item 19");
	assert_int_equal(back.items[19].size, 19);
	fields_release(&type, &thing);
	fields_release(&type, &back);
}

static void what_is_not_set_is_not_written(void **state)
{
	struct thing thing = { .text = xstrdup("t"), .id = "i" };
	cleanup_free char *text = print(&thing);

	(void)state;
	assert_string_equal(text, "{\"text\":\"t\",\"part\":{\"id\":\"i\"}}");
	fields_release(&type, &thing);
}

static void a_bad_member_is_named(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "[]", "expected an object" },
		{ "{}", "'text': missing" },
		{ "{\"text\":null}", "'text': missing" },
		{ "{\"text\":1}", "'text': expected a string" },
		{ "{\"text\":\"\"}", "'part.id': missing" },
		{ "{\"text\":\"\",\"part\":3}", "'part.id': missing" },
		{ "{\"text\":\"\",\"part\":{\"id\":\"12345\"}}",
			"'part': 'id': longer than 4 bytes" },
		{ "{\"text\":\"\",\"part\":{\"id\":\"1\",\"letter\":\"ab\"}}",
			"'part': 'letter': expected one character" },
#define WITH(rest) "{\"text\":\"\",\"part\":{\"id\":\"1\"}," rest "}"
		{ WITH("\"flag\":1"), "'flag': expected true or false" },
		{ WITH("\"small\":2147483648"), "'small': expected a smaller number" },
		{ WITH("\"small\":1.5"), "'small': expected an integer" },
		{ WITH("\"port\":65536"), "'port': expected a smaller number" },
		{ WITH("\"port\":-1"), "'port': expected an integer that is not negative" },
		{ WITH("\"middle\":4294967296"), "'middle': expected a smaller number" },
		{ WITH("\"time\":\"yesterday\""), "'time': expected a time" },
		{ WITH("\"time\":12"), "'time': expected a time" },
		{ WITH("\"colour\":\"blue\""), "'colour': unknown value 'blue'" },
		{ WITH("\"inner\":{}"), "'inner': 'name': missing" },
		{ WITH("\"items\":{}"), "'items': expected a list" },
		{ WITH("\"items\":[{\"name\":\"a\"},{\"size\":1}]"),
			"'items[1]': 'name': missing" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_json struct json *json = NULL;
		cleanup_error struct error err = ERROR_INIT;
		struct thing thing;

		assert_int_equal(json_parse(cases[i].text, strlen(cases[i].text), &json, NULL), 0);
		assert_int_equal(fields_from_json(&type, json, &thing, &err), -EBADMSG);
		assert_string_equal(error_text(&err), cases[i].message);
		assert_null(thing.text); /* released */
	}
}

static void unknown_members_are_ignored(void **state)
{
	const char *text = WITH("\"later\":{\"a\":[1]},\"flag\":true");
	cleanup_json struct json *json = NULL;
	struct thing thing;

	(void)state;
	assert_int_equal(json_parse(text, strlen(text), &json, NULL), 0);
	assert_int_equal(fields_from_json(&type, json, &thing, NULL), 0);
	assert_true(thing.flag);
	fields_release(&type, &thing);
}

static void row_13_5_a_bad_file_is_reported_with_its_name(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *message;
	} cases[] = {
		{ "", -EBADMSG, "/data/f: the file is empty" },
		{ WITH("\"flag\":true"), -EBADMSG, "/data/f: 'version': missing" },
		{ WITH("\"version\":\"1\""), -EBADMSG, "/data/f: 'version': expected an integer" },
		{ WITH("\"version\":0"), -EBADMSG, "/data/f: 'version': 0 is no version" },
		{ WITH("\"version\":3"), -ENOTSUP,
			"/data/f: written by a newer mycompose (format 3, this one reads up to "
			"2)" },
		{ "{\"version\":2}", -EBADMSG, "/data/f: 'text': missing" },
	};
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_error struct error err = ERROR_INIT;
		struct thing thing;

		write_file(world->engine.data_fd, "f", cases[i].text);
		assert_int_equal(fields_read_file(&type, 2, &thing, world->engine.data_fd, "f",
					 "/data/f", &err),
			cases[i].code);
		assert_string_equal(error_text(&err), cases[i].message);
	}
}

static void row_13_5_a_file_cut_anywhere_is_reported(void **state)
{
	struct world *world = *state;
	struct thing thing = { .text = xstrdup("text"), .id = "id", .large = 1 };
	cleanup_free char *whole = NULL;
	size_t length;

	check_ok(fields_write_file(
			 &type, 1, &thing, world->engine.data_fd, "f", FILE_VOLATILE, NULL),
		NULL);
	fields_release(&type, &thing);
	assert_int_equal(file_read(world->engine.data_fd, "f", 1000, &whole, &length, NULL), 0);
	assert_true(strncmp(whole, "{\"version\":1,", 13) == 0);
	for (size_t cut = 0; cut < length; cut++) {
		cleanup_error struct error err = ERROR_INIT;
		cleanup_free char *part = xstrndup(whole, cut);

		write_file(world->engine.data_fd, "f", part);
		assert_true(fields_read_file(&type, 1, &thing, world->engine.data_fd, "f",
				    "/data/f", &err) < 0);
		assert_non_null(strstr(error_text(&err), "/data/f: "));
	}
}

static void row_6_5_files_are_0600(void **state)
{
	struct world *world = *state;
	struct thing thing = { .text = xstrdup("text"), .id = "id" };
	mode_t old = umask(0);
	struct stat st;

	assert_int_equal(
		fields_write_file(&type, 1, &thing, world->engine.data_fd, "f", FILE_DURABLE, NULL),
		0);
	umask(old);
	fields_release(&type, &thing);
	assert_int_equal(fstatat(world->engine.data_fd, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_survives_a_round_trip),
		cmocka_unit_test(what_is_not_set_is_not_written),
		cmocka_unit_test(a_bad_member_is_named),
		cmocka_unit_test(unknown_members_are_ignored),
		world_test(row_13_5_a_bad_file_is_reported_with_its_name),
		world_test(row_13_5_a_file_cut_anywhere_is_reported),
		world_test(row_6_5_files_are_0600),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
