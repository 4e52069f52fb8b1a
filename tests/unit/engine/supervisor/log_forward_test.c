/* SPDX-License-Identifier: GPL-2.0-or-later
 * log_forward_test.c - the words of the log drivers, and messages as journald and syslog servers
 * read them. */
#include "engine/supervisor/log_forward.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>

#include <cmocka.h>

#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"
#include "engine/supervisor/log_address.h"

static void drivers_and_their_options(void **state)
{
	static const struct {
		const char *driver, *option, *message; /* NULL = accepted */
	} cases[] = {
		{ NULL, "max-size=10m", NULL },
		{ "json-file", "max-size=-1", NULL },
		{ "local", "compress=false", NULL },
		{ "none", "mode=non-blocking", NULL },
		{ "journald", "tag={{.Name}}/{{ .ID }}", NULL },
		{ "journald", "labels=a,b", NULL },
		{ "syslog", "syslog-address=udp://127.0.0.1:5140", NULL },
		{ "syslog", "syslog-facility=local3", NULL },
		{ "syslog", "syslog-format=rfc5424micro", NULL },
		{ "json-file", "max-size=much", "log option max-size: 'much' is no size" },
		{ "json-file", "max-file=0", "log option max-file: '0' is no number of files" },
		{ "json-file", "tag=x", "unknown log opt 'tag' for json-file log driver" },
		{ "journald", "max-size=1m", "unknown log opt 'max-size' for journald log driver" },
		{ "syslog", "syslog-address=http://x",
			"log option syslog-address: 'http://x' does not begin with unix://, "
			"unixgram://, udp:// or tcp://" },
		{ "syslog", "syslog-facility=other",
			"log option syslog-facility: 'other' is no syslog facility" },
		{ "syslog", "syslog-format=plain",
			"log option syslog-format: 'plain' is none of rfc3164, rfc5424, "
			"rfc5424micro" },
		{ "syslog", "mode=fast",
			"log option mode: 'fast' is neither blocking nor non-blocking" },
		{ "fluentd", "tag=x",
			"no log driver 'fluentd': json-file, local, none, journald and syslog "
			"exist" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_container struct container *container = container_new();
		cleanup_error struct error err = ERROR_INIT;
		char *options[] = { (char *)cases[i].option, NULL };
		int r = log_driver_choose(container, cases[i].driver, options, &err);

		if (!cases[i].message) {
			if (r != 0)
				fail_msg("%s: %s", cases[i].option, error_text(&err));
			continue;
		}
		assert_int_equal(r, -EINVAL);
		assert_string_equal(error_text(&err), cases[i].message);
	}
}

static void files_of_each_driver(void **state)
{
	static const struct {
		const char *driver, *size, *files;
		uint64_t max_size;
		uint32_t max_file;
		bool keeps;
	} cases[] = {
		{ NULL, NULL, NULL, 0, 1, true },
		{ "json-file", "max-size=1m", "max-file=3", 1 << 20, 3, true },
		{ "local", NULL, NULL, 20000000, 5, true },
		{ "local", "max-size=-1", NULL, 0, 5, true },
		{ "journald", NULL, NULL, 20000000, 5, true },
		{ "none", NULL, NULL, 0, 1, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_container struct container *container = container_new();
		cleanup_strv char **options = NULL;

		if (cases[i].size)
			strv_add(&options, cases[i].size);
		if (cases[i].files)
			strv_add(&options, cases[i].files);
		assert_int_equal(log_driver_choose(container, cases[i].driver, options, NULL), 0);
		assert_int_equal(container->log_max_size, cases[i].max_size);
		assert_int_equal(container->log_max_file, cases[i].max_file);
		assert_int_equal(log_driver_keeps_file(container->log_driver), cases[i].keeps);
	}
}

static void addresses(void **state)
{
	static const struct {
		const char *text;
		int type, family;
		uint16_t port;
	} cases[] = {
		{ "unix:///dev/log", SOCK_DGRAM, AF_UNIX, 0 },
		{ "udp://127.0.0.1", SOCK_DGRAM, AF_INET, 514 },
		{ "tcp://localhost:6514", SOCK_STREAM, AF_INET, 6514 },
		{ "tcp://[::1]:99", SOCK_STREAM, AF_INET6, 99 },
		{ "udp://[fd00::2]", SOCK_DGRAM, AF_INET6, 514 },
		{ "udp://::1", SOCK_DGRAM, AF_INET6, 514 },
		{ "unix://dev/log", 0, 0, 0 },
		{ "udp://logs.example", 0, 0, 0 },
		{ "udp://127.0.0.1:0", 0, 0, 0 },
		{ "udp://[::1", 0, 0, 0 },
		{ "udp://", 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct log_address address;
		int r = log_address_parse(cases[i].text, &address, NULL);

		if (!cases[i].family) {
			assert_int_equal(r, -EINVAL);
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(address.type, cases[i].type);
		assert_int_equal(address.address.ss_family, cases[i].family);
		if (cases[i].family == AF_INET)
			assert_int_equal(ntohs(((struct sockaddr_in *)&address.address)->sin_port),
				cases[i].port);
		if (cases[i].family == AF_INET6)
			assert_int_equal(
				ntohs(((struct sockaddr_in6 *)&address.address)->sin6_port),
				cases[i].port);
	}
}

/* 2023-11-14T22:13:20.000123Z */
#define MOMENT (1700000000 * NS_PER_SEC + 123000)

static void syslog_forms(void **state)
{
	static const struct {
		enum syslog_format format;
		enum log_stream stream;
		const char *text;
		size_t length;
		const char *expected;
	} cases[] = {
		{ SYSLOG_RFC3164_LOCAL, LOG_STDOUT, "hello", 5,
			"<30>Nov 14 22:13:20 web[7]: hello" },
		{ SYSLOG_RFC3164, LOG_STDERR, "hello", 5,
			"<27>Nov 14 22:13:20 host web[7]: hello" },
		{ SYSLOG_RFC5424, LOG_STDOUT, "hello", 5,
			"<30>1 2023-11-14T22:13:20Z host web 7 web - hello" },
		{ SYSLOG_RFC5424_MICRO, LOG_STDOUT, "", 0,
			"<30>1 2023-11-14T22:13:20.000123Z host web 7 web - " },
		/* HARDENING 11.2: no line of a container's becomes a message of its own. */
		{ SYSLOG_RFC3164_LOCAL, LOG_STDOUT, "a\0b\n<0>c", 8,
			"<30>Nov 14 22:13:20 web[7]: a b <0>c" },
	};

	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		struct syslog_header header = {
			.format = cases[i].format,
			.facility = 3,
			.host = "host",
			.tag = "web",
			.pid = 7,
		};
		struct log_line line = {
			.stream = cases[i].stream,
			.time_ns = MOMENT,
			.text = cases[i].text,
			.length = cases[i].length,
		};

		syslog_message(&out, &header, &line);
		assert_string_equal(strbuf_text(&out), cases[i].expected);
	}
}

static void row_11_2_a_line_cannot_forge_a_journal_field(void **state)
{
	static const char text[] = "x\nPRIORITY=0\nMESSAGE=forged";
	static const char expected[] = "CONTAINER_NAME=w b\nPRIORITY=6\nMESSAGE\n"
				       "\x1b\0\0\0\0\0\0\0"
				       "x\nPRIORITY=0\nMESSAGE=forged\n";
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	char name[] = "CONTAINER_NAME=w\nb";
	char *fields[] = { name, NULL };
	struct log_line line = {
		.stream = LOG_STDOUT,
		.text = text,
		.length = sizeof(text) - 1,
	};

	(void)state;
	journal_message(&out, fields, &line);
	assert_int_equal(out.length, sizeof(expected) - 1);
	assert_memory_equal(out.data, expected, out.length);
}

static void tags(void **state)
{
	cleanup_container struct container *container = container_new();
	cleanup_free char *expected = NULL, *tag = NULL, *none = NULL;

	(void)state;
	container->name = xstrdup("web");
	container->image_ref = xstrdup("nginx:1");
	container->image_id = xstrdup("sha256:0123456789abcdef0123");
	assert_int_equal(
		log_tag("{{.Name}}.{{ .ID }}.{{.ImageName}}.{{.ImageID}}", container, &tag, NULL),
		0);
	expected = xasprintf("web.%.12s.nginx:1.0123456789ab", container->id);
	assert_string_equal(tag, expected);
	assert_int_equal(log_tag("{{.Other}}", container, &none, NULL), -EINVAL);
	assert_int_equal(log_tag("{{.ID", container, &none, NULL), -EINVAL);
	assert_null(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drivers_and_their_options),
		cmocka_unit_test(files_of_each_driver),
		cmocka_unit_test(addresses),
		cmocka_unit_test(syslog_forms),
		cmocka_unit_test(row_11_2_a_line_cannot_forge_a_journal_field),
		cmocka_unit_test(tags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
