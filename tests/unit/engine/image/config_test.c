/* SPDX-License-Identifier: GPL-2.0-or-later
 * config_test.c - Dockerfile-like changes, and the config object as JSON. */
#include "support.h"

#include "engine/base/json.h"
#include "engine/image/config.h"

static const struct {
	const char *lines; /* separated by | */
	const char *json;  /* or, with "!", a part of the error */
} changes[] = {
	{ "CMD [\"a\", \"b c\"]", "{\"Cmd\":[\"a\",\"b c\"]}" },
	{ "cmd echo $HOME", "{\"Cmd\":[\"/bin/sh\",\"-c\",\"echo $HOME\"]}" },
	{ "CMD [\"a\"]|ENTRYPOINT [\"e\"]", "{\"Cmd\":[\"a\"],\"Entrypoint\":[\"e\"]}" },
	{ "ENTRYPOINT e", "{\"Entrypoint\":[\"/bin/sh\",\"-c\",\"e\"]}" },
	{ "ENV A=b", "{\"Env\":[\"A=b\"]}" },
	{ "ENV A=b C=\"d e\" F='g $A' H=i\\ j",
		"{\"Env\":[\"A=b\",\"C=d e\",\"F=g $A\",\"H=i j\"]}" },
	{ "ENV A=\"x\\ny\\\"z\"", "{\"Env\":[\"A=x\\\\ny\\\"z\"]}" },
	{ "ENV A one two", "{\"Env\":[\"A=one two\"]}" },
	{ "ENV A=1|ENV A=2 B=$A", "{\"Env\":[\"A=2\",\"B=1\"]}" },
	{ "ENV A=1|ENV B=${A}x C=${Z:-none} D=${A:+set} E=${Z:+set}",
		"{\"Env\":[\"A=1\",\"B=1x\",\"C=none\",\"D=set\",\"E=\"]}" },
	{ "EXPOSE 6379", "{\"ExposedPorts\":{\"6379/tcp\":{}}}" },
	{ "EXPOSE 53/udp 80|EXPOSE 80/tcp", "{\"ExposedPorts\":{\"53/udp\":{},\"80/tcp\":{}}}" },
	{ "EXPOSE 8000-8002",
		"{\"ExposedPorts\":{\"8000/tcp\":{},\"8001/tcp\":{},\"8002/tcp\":{}}}" },
	{ "USER redis:redis", "{\"User\":\"redis:redis\"}" },
	{ "WORKDIR /a|WORKDIR b", "{\"WorkingDir\":\"/a/b\"}" },
	{ "LABEL a=b c.d=\"e f\"", "{\"Labels\":{\"a\":\"b\",\"c.d\":\"e f\"}}" },
	{ "VOLUME /data /more", "{\"Volumes\":{\"/data\":{},\"/more\":{}}}" },
	{ "VOLUME [\"/data\"]", "{\"Volumes\":{\"/data\":{}}}" },
	{ "STOPSIGNAL SIGQUIT", "{\"StopSignal\":\"SIGQUIT\"}" },
	{ "HEALTHCHECK NONE", "{\"Healthcheck\":{\"Test\":[\"NONE\"]}}" },
	{ "healthcheck cmd curl -f http://localhost && true",
		"{\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"curl -f http://localhost && "
		"true\"]}}" },
	{ "HEALTHCHECK CMD [\"a\", \"b c\"]",
		"{\"Healthcheck\":{\"Test\":[\"CMD\",\"a\",\"b c\"]}}" },
	{ "HEALTHCHECK --interval=1m30s --timeout=50ms  --retries=2 CMD x",
		"{\"Healthcheck\":{\"Interval\":90000000000,\"Timeout\":50000000,\"Retries\":2,"
		"\"Test\":[\"CMD-SHELL\",\"x\"]}}" },
	{ "HEALTHCHECK --start-period=2s --start-interval=1s CMD x|HEALTHCHECK CMD y",
		"{\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"y\"]}}" },
	{ "HEALTHCHECK", "!at least one argument" },
	{ "HEALTHCHECK CMD", "!needs a command" },
	{ "HEALTHCHECK --interval=1s", "!expected CMD" },
	{ "HEALTHCHECK --interval=1s NONE", "!expected CMD" },
	{ "HEALTHCHECK NONE x", "!expected CMD" },
	{ "HEALTHCHECK x", "!expected CMD" },
	{ "HEALTHCHECK --interval CMD x", "!needs a value" },
	{ "HEALTHCHECK --interval=1 CMD x", "!no duration" },
	{ "HEALTHCHECK --interval=1us CMD x", "!1ms at least" },
	{ "HEALTHCHECK --retries=x CMD x", "!no number" },
	{ "HEALTHCHECK --nope=1 CMD x", "!unknown option" },
	{ "FROM x", "!FROM is not a valid change command" },
	{ "RUN x", "!RUN is not a valid change command" },
	{ "", "!not a valid change command" },
	{ "CMD", "!at least one argument" },
	{ "ENV A", "!KEY=VALUE" },
	{ "ENV A=b C", "!KEY=VALUE" },
	{ "ENV A=\"b", "!unterminated" },
	{ "ENV A=${B", "!bad substitution" },
	{ "EXPOSE 0", "!invalid port" },
	{ "EXPOSE 80/icmp", "!invalid port" },
	{ "EXPOSE 90-80", "!invalid port" },
	{ "EXPOSE 65536", "!invalid port" },
	{ "VOLUME data", "!absolute" },
	{ "USER a b", "!exactly one" },
};

static void change_lines_become_config(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		cleanup_strv char **lines = strv_split(changes[i].lines, "|");
		cleanup_error struct error err = ERROR_INIT;
		struct image_config config = { 0 };
		int r;

		if (!lines || !*lines)
			strv_add(&lines, "");
		r = config_change_all(&config, lines, &err);
		if (changes[i].json[0] == '!') {
			if (r != -EINVAL || !strstr(error_text(&err), changes[i].json + 1))
				fail_msg("'%s': %d %s", changes[i].lines, r, error_text(&err));
		} else {
			cleanup_json struct json *json = config_to_json(&config);
			cleanup_free char *text = json_print(json);

			if (r < 0)
				fail_msg("'%s': %s", changes[i].lines, error_text(&err));
			assert_string_equal(text, changes[i].json);
		}
		config_release(&config);
	}
}

static void entrypoint_alone_clears_the_old_command(void **state)
{
	char *lines[] = { (char[]){ "ENTRYPOINT [\"e\"]" }, NULL };
	struct image_config config = { 0 };

	(void)state;
	assert_int_equal(image_config_change(&config, "CMD [\"old\"]", NULL), 0);
	assert_int_equal(config_change_all(&config, lines, NULL), 0);
	assert_null(config.cmd);
	config_release(&config);
}

static const struct {
	const char *json;
	const char *printed; /* NULL: refused */
} documents[] = {
	{ "{}", "{}" },
	{ "null", "{}" },
	{ "{\"Cmd\":null,\"Env\":null,\"Labels\":null,\"Volumes\":null,\"User\":\"\"}", "{}" },
	{ "{\"Env\":[\"A=b\"],\"Unknown\":1}", "{\"Env\":[\"A=b\"]}" },
	{ "{\"Healthcheck\":{\"Test\":[\"CMD\",\"x\"],\"Interval\":1000000000}}",
		"{\"Healthcheck\":{\"Test\":[\"CMD\",\"x\"],\"Interval\":1000000000}}" },
	{ "{\"Shell\":[\"/bin/ash\",\"-c\"]}", "{\"Shell\":[\"/bin/ash\",\"-c\"]}" },
	{ "{\"Labels\":{\"a\":\"b=c\"}}", "{\"Labels\":{\"a\":\"b=c\"}}" },
	{ "{\"Env\":\"A=b\"}", NULL },
	{ "{\"Env\":[1]}", NULL },
	{ "{\"Cmd\":{}}", NULL },
	{ "{\"Labels\":[\"a\"]}", NULL },
	{ "{\"Labels\":{\"a\":1}}", NULL },
	{ "{\"User\":1}", NULL },
	{ "[]", NULL },
};

static void config_is_read_and_printed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
		cleanup_json struct json *json = NULL;
		struct image_config config = { 0 };
		struct image_config copy = { 0 };
		int r;

		assert_int_equal(
			json_parse(documents[i].json, strlen(documents[i].json), &json, NULL), 0);
		r = config_from_json(json, &config, NULL);
		if (!documents[i].printed) {
			if (r != -EBADMSG)
				fail_msg("%s was taken", documents[i].json);
			continue;
		}
		assert_int_equal(r, 0);
		config_copy(&copy, &config);
		cleanup_json struct json *again = config_to_json(&copy);
		cleanup_free char *text = json_print(again);

		assert_string_equal(text, documents[i].printed);
		config_release(&config);
		config_release(&copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(change_lines_become_config),
		cmocka_unit_test(entrypoint_alone_clears_the_old_command),
		cmocka_unit_test(config_is_read_and_printed),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
