/* SPDX-License-Identifier: GPL-2.0-or-later
 * json_test.c - the JSON adapter: what is refused, what is kept, how it is printed. */
#include "engine/base/json.h"

#include "engine/base/strv.h"
#include "engine/base/times.h"

#include "support.h"

static struct json *parse(const char *text)
{
	cleanup_error struct error err = ERROR_INIT;
	struct json *json = NULL;

	if (json_parse(text, strlen(text), &json, &err) < 0)
		fail_msg("%s: %s", text, error_text(&err));
	return json;
}

static void accepts_and_prints_every_kind(void **state)
{
	static const struct {
		const char *text, *printed; /* NULL: as it came */
	} rows[] = {
		{ "{}", NULL },
		{ "[]", NULL },
		{ "null", NULL },
		{ " [ 1 , true,false,null , \"x\" ]\r\n\t", "[1,true,false,null,\"x\"]" },
		{ "{\"a\":{\"b\":[{}]},\"A\":1}", NULL },
		{ "\"\\u00e9\\/\\b\\f\\n\\r\\t\\\\\\\"\"", "\"\xc3\xa9/\\b\\f\\n\\r\\t\\\\\\\"\"" },
		{ "\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\"" },
		{ "\"\\u001f\x7f\"", "\"\\u001f\x7f\"" },
		{ "{\"\":1}", NULL },
		/* numbers: exact integers, doubles in Go's form */
		{ "0", NULL },
		{ "-0", "0" },
		{ "2147483648", NULL },
		{ "9007199254740993", NULL },
		{ "-9223372036854775808", NULL },
		{ "18446744073709551615", NULL },
		{ "1.50", "1.5" },
		{ "0.1", NULL },
		{ "-12.25", NULL },
		{ "100.0", "100" },
		{ "1e15", "1000000000000000" },
		{ "1e3", "1000" },
		{ "1e21", "1e+21" },
		{ "0.000001", NULL },
		{ "0.00000012", "1.2e-7" },
		{ "1.7976931348623157e308", "1.7976931348623157e+308" },
		{ "5e-324", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_json struct json *json = parse(rows[i].text);
		cleanup_json struct json *again = NULL;
		cleanup_free char *printed = json_print(json);
		cleanup_free char *reprinted = NULL;

		assert_string_equal(printed, rows[i].printed ? rows[i].printed : rows[i].text);
		again = parse(printed);
		reprinted = json_print(again);
		assert_string_equal(reprinted, printed);
	}
}

static void refuses_what_is_no_json(void **state)
{
	static const char *const rows[] = {
		"",
		" ",
		"{",
		"}",
		"[1,]",
		"[,1]",
		"[1 2]",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1,}",
		"{a:1}",
		"{'a':1}",
		"[1] x",
		"[1] [2]",
		"nul",
		"nulls",
		"True",
		"// x\n1",
		"\xef\xbb\xbf{}",
		"01",
		"-",
		"+1",
		"1.",
		".5",
		"1e",
		"1e+",
		"0x10",
		"1-1",
		"NaN",
		"Infinity",
		"1e999",
		"-1e999",
		"11111111111111111111111111111111111111111111111111111111111111111111",
		"\"",
		"\"a",
		"\"\\",
		"\"\\x41\"",
		"\"\\u12\"",
		"\"\\u12G4\"",
		"\"\\u00\x10"
		"0\"",
		"\"a\nb\"",
		"\"a\tb\"",
		"[\"a\",\x01]",
		"\v1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_error struct error err = ERROR_INIT;
		struct json *json = NULL;

		if (json_parse(rows[i], strlen(rows[i]), &json, &err) != -EBADMSG)
			fail_msg("accepted: %s", rows[i]);
		assert_null(json);
		assert_non_null(strstr(error_text(&err), "invalid JSON at byte "));
	}
}

static void length_decides_where_the_text_ends(void **state)
{
	struct json *json = NULL;

	(void)state;
	assert_int_equal(json_parse("[1]]]]", 3, &json, NULL), 0);
	json_free(json);
	json = NULL;
	assert_int_equal(json_parse("123", 2, &json, NULL), 0);
	assert_int_equal(json_int(json, 0), 12);
	json_free(json);
	json = NULL;
	assert_int_equal(json_parse("[1]\0", 4, &json, NULL), -EBADMSG);
	assert_int_equal(json_parse("\"a\0b\"", 5, &json, NULL), -EBADMSG);
	assert_int_equal(json_parse("1\0", 2, &json, NULL), -EBADMSG);
	assert_int_equal(json_parse("\"\\u0041\"", 7, &json, NULL), -EBADMSG);
	assert_null(json);
}

static char *nested(size_t depth)
{
	char *text = xcalloc(1, 2 * depth + 1);

	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	return text;
}

static void row_8_7_depth_is_bounded(void **state)
{
	cleanup_free char *most = nested(200), *more = nested(201), *many = nested(200000);
	cleanup_json struct json *json = parse(most);
	cleanup_error struct error err = ERROR_INIT;
	struct json *none = NULL;

	(void)state;
	assert_int_equal(json_parse(more, strlen(more), &none, &err), -EBADMSG);
	assert_string_equal(error_text(&err), "invalid JSON at byte 200: nested too deeply");
	assert_int_equal(json_parse(many, strlen(many), &none, &err), -EBADMSG);
	memset(many, '[', 400000);
	assert_int_equal(json_parse(many, 400000, &none, &err), -EBADMSG);
	assert_null(none);
}

static void row_8_7_duplicate_members_are_refused(void **state)
{
	static const char *const rows[] = {
		"{\"Env\":[\"A=1\"],\"Env\":[\"A=2\"]}",
		"{\"config\":{\"Env\":1,\"x\":2,\"\\u0045nv\":3}}",
		"[{},{\"Env\":null,\"a\":0,\"Env\":null}]",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_error struct error err = ERROR_INIT;
		struct json *json = NULL;

		assert_int_equal(json_parse(rows[i], strlen(rows[i]), &json, &err), -EBADMSG);
		assert_string_equal(error_text(&err), "duplicate member 'Env'");
	}
	json_free(parse("{\"Env\":1,\"env\":2,\"o\":{\"Env\":3}}"));
}

static void row_8_7_nul_and_lone_surrogates(void **state)
{
	static const struct {
		const char *text, *value; /* NULL: refused */
	} rows[] = {
		{ "\"a\\u0000b\"", "a\xef\xbf\xbd"
				   "b" },
		{ "\"\\\\u0000\"", "\\u0000" },
		{ "\"\\ud800\"", "\xef\xbf\xbd" },
		{ "\"\\udc00x\"", "\xef\xbf\xbdx" },
		{ "\"\\ud800\\u0041\"", "\xef\xbf\xbd"
					"A" },
		{ "\"\\ud800\\ud83d\\ude00\"", "\xef\xbf\xbd\xf0\x9f\x98\x80" },
		{ "\"\xff\xc0\x80\"", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\"\xed\xa0\x80\"", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "{\"a\\u0000b\":1}", NULL },
		{ "{\"x\":1,\"\\u0000\" :1}", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_json struct json *json = NULL;
		int r = json_parse(rows[i].text, strlen(rows[i].text), &json, NULL);

		assert_int_equal(r, rows[i].value ? 0 : -EBADMSG);
		if (rows[i].value)
			assert_string_equal(json_string(json), rows[i].value);
	}
}

static void large_objects_take_linear_time(void **state)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_json struct json *json = NULL;
	int64_t start = time_monotonic();

	(void)state;
	for (int i = 0; i < 200000; i++)
		strbuf_addf(&text, "%s\"key-%d\":%d", i ? "," : "{", i, i);
	strbuf_add_char(&text, '}');
	json = parse(strbuf_text(&text));
	assert_int_equal(json_count(json), 200000);
	assert_true(
		time_monotonic() - start < 10 * NS_PER_SEC); /* comparing all pairs takes minutes */
}

static void built_trees_print_in_three_forms(void **state)
{
	cleanup_json struct json *object = json_new_object();
	struct json *list = json_new_array();
	cleanup_free char *compact = NULL;
	cleanup_free char *pretty = NULL;
	cleanup_free char *go = NULL;

	(void)state;
	json_set_string(object, "Name", "<a> & \"b\"\xe2\x80\xa8");
	json_append_string(list, "x\xff");
	json_append(list, json_new_null());
	json_append(list, json_new_object());
	json_set(object, "List", list);
	json_set(object, "Empty", json_new_array());
	json_set_int(object, "Int", -5000000000);
	json_set_bool(object, "On&Off", true);
	compact = json_print(object);
	assert_string_equal(compact, "{\"Name\":\"<a> & \\\"b\\\"\xe2\x80\xa8\","
				     "\"List\":[\"x\xef\xbf\xbd\",null,{}],\"Empty\":[],"
				     "\"Int\":-5000000000,\"On&Off\":true}");
	go = json_print_go(object);
	assert_string_equal(go, "{\"Name\":\"\\u003ca\\u003e \\u0026 \\\"b\\\"\\u2028\","
				"\"List\":[\"x\xef\xbf\xbd\",null,{}],\"Empty\":[],"
				"\"Int\":-5000000000,\"On\\u0026Off\":true}");
	pretty = json_print_pretty(object);
	assert_string_equal(pretty, "{\n"
				    "  \"Name\": \"<a> & \\\"b\\\"\xe2\x80\xa8\",\n"
				    "  \"List\": [\n"
				    "    \"x\xef\xbf\xbd\",\n"
				    "    null,\n"
				    "    {}\n"
				    "  ],\n"
				    "  \"Empty\": [],\n"
				    "  \"Int\": -5000000000,\n"
				    "  \"On&Off\": true\n"
				    "}");
}

static void row_11_2_quoting_frames_any_bytes(void **state)
{
	cleanup_strbuf struct strbuf buf = STRBUF_INIT;
	cleanup_json struct json *json = NULL;

	(void)state;
	json_quote(&buf, "a\0\r\n\x1b\"}\xff", 8);
	assert_string_equal(strbuf_text(&buf), "\"a\\u0000\\r\\n\\u001b\\\"}\xef\xbf\xbd\"");
	json = parse(strbuf_text(&buf));
	strbuf_clear(&buf);
	json_quote(&buf, NULL, 0);
	assert_string_equal(strbuf_text(&buf), "\"\"");
}

static void set_replaces_in_place(void **state)
{
	cleanup_json struct json *object = parse("{\"a\":1,\"b\":2,\"B\":3}");
	cleanup_json struct json *copy = NULL;
	cleanup_free char *printed = NULL;
	cleanup_free char *copied = NULL;

	(void)state;
	json_set_string(object, "a", "new");
	json_set_int(object, "c", 4);
	json_set_string(object, "none", NULL);
	json_set_strv(object, "none", NULL);
	copy = json_copy(object);
	json_remove(object, "b");
	json_remove(object, "absent");
	json_set(object, "d", json_new_null());
	printed = json_print(object);
	copied = json_print(copy);
	assert_string_equal(printed, "{\"a\":\"new\",\"B\":3,\"c\":4,\"d\":null}");
	assert_string_equal(copied, "{\"a\":\"new\",\"b\":2,\"B\":3,\"c\":4}");
}

static void lookups_on_other_kinds_find_nothing(void **state)
{
	cleanup_json struct json *array = parse("[{\"a\":1},2]");
	size_t count = 0;

	(void)state;
	assert_null(json_get(NULL, "a"));
	assert_null(json_get(array, "a"));
	assert_null(json_first(NULL));
	assert_int_equal(json_count(NULL), 0);
	assert_false(json_is_object(NULL) || json_is_array(NULL) || json_is_string(NULL));
	assert_false(json_is_number(NULL) || json_is_bool(NULL) || json_is_null(NULL));
	assert_null(json_string(NULL));
	assert_int_equal(json_int(NULL, 7), 7);
	json_for_each (item, array) {
		assert_null(json_key(item));
		count++;
	}
	assert_int_equal(count, 2);
	assert_string_equal(json_key(json_first(json_first(array))), "a");
	json_free(NULL);
}

static void integers_round_toward_zero_and_stop_at_the_ends(void **state)
{
	static const struct {
		const char *text;
		int64_t value;
	} rows[] = {
		{ "1.9", 1 },
		{ "-1.9", -1 },
		{ "9007199254740993", 9007199254740993 },
		{ "9223372036854775807", INT64_MAX },
		{ "9223372036854775808", INT64_MAX },
		{ "-9223372036854775808", INT64_MIN },
		{ "-9223372036854775809", INT64_MIN },
		{ "1e300", INT64_MAX },
		{ "-1e300", INT64_MIN },
		{ "\"5\"", -7 },
		{ "null", -7 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_json struct json *json = parse(rows[i].text);

		assert_int_equal(json_int(json, -7), rows[i].value);
	}
}

static void large_integers_survive_the_trip(void **state)
{
	static const int64_t values[] = { 0, 2147483647, 2147483648, -2147483648, 9007199254740993,
		1795497573810562220, INT64_MAX, INT64_MIN };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		cleanup_json struct json *object = json_new_object();
		cleanup_json struct json *back = NULL;
		cleanup_json struct json *copy = NULL;
		cleanup_free char *text = NULL;
		int64_t value = 77;
		uint64_t size = 77;

		json_set_int(object, "i", values[i]);
		json_set_u64(object, "u", (uint64_t)values[i]);
		text = json_print(object);
		back = parse(text);
		copy = json_copy(back);
		assert_int_equal(json_get_int(copy, "i", &value, NULL), 0);
		assert_int_equal(value, values[i]);
		assert_int_equal(json_get_u64(copy, "u", &size, NULL), 0);
		assert_int_equal(size, (uint64_t)values[i]);
		assert_true(json_is_number(json_get(copy, "i")));
		assert_true(
			json_is_string(json_get(copy, "u")) == ((uint64_t)values[i] > 1ULL << 53));
	}
}

static void typed_members_tell_what_is_wrong(void **state)
{
	cleanup_json struct json *object = parse(
		"{\"s\":\"x\",\"i\":5,\"f\":1.5,\"n\":null,\"b\":true,\"neg\":-1,\"u\":\"77\","
		"\"list\":[\"a\",\"b\"],\"mixed\":[\"a\",1],\"big\":18446744073709551615}");
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *text = xstrdup("old");
	cleanup_strv char **strv = strv_split("old", " ");
	uint64_t size = 77;
	int64_t value = 77;
	bool flag = false;

	(void)state;
	assert_int_equal(json_get_string(object, "absent", &text, &err), -EBADMSG);
	assert_string_equal(error_text(&err), "'absent': missing");
	assert_int_equal(json_get_string(object, "n", &text, &err), -EBADMSG);
	assert_string_equal(error_text(&err), "'n': missing");
	assert_int_equal(json_opt_string(object, "i", &text, &err), -EBADMSG);
	assert_string_equal(error_text(&err), "'i': expected a string");
	assert_int_equal(json_get_int(object, "f", &value, &err), -EBADMSG);
	assert_string_equal(error_text(&err), "'f': expected an integer");
	assert_int_equal(json_opt_int(object, "s", &value, &err), -EBADMSG);
	assert_int_equal(json_get_int(object, "big", &value, &err), -EBADMSG);
	assert_int_equal(json_opt_u64(object, "neg", &size, &err), -EBADMSG);
	assert_int_equal(json_get_u64(object, "s", &size, &err), -EBADMSG);
	assert_int_equal(json_opt_bool(object, "i", &flag, &err), -EBADMSG);
	assert_int_equal(json_opt_strv(object, "mixed", &strv, &err), -EBADMSG);
	assert_int_equal(json_opt_strv(object, "s", &strv, &err), -EBADMSG);
	assert_int_equal(json_opt_string(object, "absent", &text, &err), 0);
	assert_int_equal(json_opt_string(object, "n", &text, &err), 0);
	assert_int_equal(json_opt_strv(object, "n", &strv, &err), 0);
	assert_int_equal(json_opt_int(object, "absent", &value, &err), 0);
	/* nothing above may have touched an output */
	assert_string_equal(text, "old");
	assert_string_equal(strv[0], "old");
	assert_int_equal(value, 77);
	assert_int_equal(size, 77);
	assert_int_equal(json_opt_string(object, "s", &text, &err), 0);
	assert_string_equal(text, "x");
	assert_int_equal(json_opt_strv(object, "list", &strv, &err), 0);
	assert_int_equal(strv_length(strv), 2);
	assert_string_equal(strv[1], "b");
	assert_int_equal(json_get_u64(object, "u", &size, &err), 0);
	assert_int_equal(json_get_u64(object, "big", &size, &err), 0);
	assert_true(size == UINT64_MAX);
	assert_int_equal(json_opt_bool(object, "b", &flag, &err), 0);
	assert_true(flag);
}

static void files_keep_the_tree_and_errors_name_the_path(void **state)
{
	const struct scratch *scratch = *state;
	cleanup_json struct json *object = parse("{\"version\":1,\"list\":[\"x\"]}");
	cleanup_json struct json *back = NULL;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *text = NULL;
	struct stat st;

	assert_int_equal(json_write_file(scratch->fd, "a.json", object, FILE_DURABLE, &err), 0);
	assert_int_equal(fstatat(scratch->fd, "a.json", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(json_read_file(scratch->fd, "a.json", 1000, &back, &err), 0);
	text = json_print(back);
	assert_string_equal(text, "{\"version\":1,\"list\":[\"x\"]}");
	put_file(scratch->fd, "bad.json", "{\"version\":");
	assert_int_equal(json_read_file(scratch->fd, "bad.json", 1000, &back, &err), -EBADMSG);
	assert_int_equal(strncmp(error_text(&err), "'bad.json': invalid JSON at byte ", 33), 0);
	put_file(scratch->fd, "empty.json", "");
	assert_int_equal(json_read_file(scratch->fd, "empty.json", 1000, &back, &err), -EBADMSG);
	assert_int_equal(json_read_file(scratch->fd, "a.json", 10, &back, &err), -EFBIG);
	assert_int_equal(json_read_file(scratch->fd, "absent.json", 10, &back, &err), -ENOENT);
	assert_string_equal(error_text(&err), "open 'absent.json': No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_and_prints_every_kind),
		cmocka_unit_test(refuses_what_is_no_json),
		cmocka_unit_test(length_decides_where_the_text_ends),
		cmocka_unit_test(row_8_7_depth_is_bounded),
		cmocka_unit_test(row_8_7_duplicate_members_are_refused),
		cmocka_unit_test(row_8_7_nul_and_lone_surrogates),
		cmocka_unit_test(large_objects_take_linear_time),
		cmocka_unit_test(built_trees_print_in_three_forms),
		cmocka_unit_test(row_11_2_quoting_frames_any_bytes),
		cmocka_unit_test(set_replaces_in_place),
		cmocka_unit_test(lookups_on_other_kinds_find_nothing),
		cmocka_unit_test(integers_round_toward_zero_and_stop_at_the_ends),
		cmocka_unit_test(large_integers_survive_the_trip),
		cmocka_unit_test(typed_members_tell_what_is_wrong),
		scratch_test(files_keep_the_tree_and_errors_name_the_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
