/* SPDX-License-Identifier: GPL-2.0-or-later
 * port_options_test.c - -p, -P, --expose. */
#include "cmd/port_options.h"

#include "engine/base/strbuf.h"
#include "support.h"

static char *show(const struct container *container)
{
	struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; i < container->port_count; i++) {
		const struct published_port *port = &container->ports[i];

		strbuf_addf(&out, "%s%s:%u", i ? " " : "", port->host_ip ? port->host_ip : "*",
			port->host_port);
		if (port->range_first)
			strbuf_addf(&out, "(%u-%u)", port->range_first, port->range_last);
		strbuf_addf(&out, "->%u/%s", port->container_port, port->protocol);
	}
	return strbuf_steal(&out);
}

static void notations(void **state)
{
	static const struct {
		const char *text;
		const char *expected;
	} cases[] = {
		{ "80", "*:0->80/tcp" },
		{ "8080:80", "*:8080->80/tcp" },
		{ "8080:80/udp", "*:8080->80/udp" },
		{ "127.0.0.1:8080:80", "127.0.0.1:8080->80/tcp" },
		{ "127.0.0.1::80", "127.0.0.1:0->80/tcp" },
		{ "0.0.0.0:1:2",
			"0.0.0.0:1->2/tcp" }, /* not [::], which no address means as well */
		{ "[::1]:8080:80", "::1:8080->80/tcp" },
		{ "8000-8001:80-81", "*:8000->80/tcp *:8001->81/tcp" },
		{ "80-81", "*:0->80/tcp *:0->81/tcp" },
		{ "8000-8001:80", "*:0(8000-8001)->80/tcp" },
		{ "8000-8002:80-81", "error: invalid ranges specified for container and host "
				     "Ports: 80-81 and 8000-8002" },
		{ "8080:", "error: invalid containerPort: 8080:" },
		{ "0:0", "error: invalid containerPort: 0:0" },
		{ "70000:80", "error: invalid hostPort: 70000:80" },
		{ "80:70000", "error: invalid containerPort: 80:70000" },
		{ "x:80", "error: invalid hostPort: x:80" },
		{ "80/icmp", "error: invalid containerPort: 80/icmp" },
		{ "81-80", "error: invalid containerPort: 81-80" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *texts[] = { (char *)cases[i].text, NULL };
		cleanup_container struct container *container = container_new();
		cleanup_error struct error err = ERROR_INIT;
		cleanup_free char *shown = NULL;

		if (port_options_apply(texts, container, &err) < 0)
			shown = xasprintf("error: %s", error_text(&err));
		else
			shown = show(container);
		assert_string_equal(shown, cases[i].expected);
	}
}

static void publish_all_skips_what_is_published(void **state)
{
	char *texts[] = { (char *)"8080:80", NULL };
	char *exposed[] = { (char *)"53/udp", (char *)"90-91", NULL };
	cleanup_container struct container *container = container_new();
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *shown = NULL;

	(void)state;
	strv_add(&container->exposed, "80/tcp");
	assert_int_equal(port_options_expose(exposed, container, &err), 0);
	assert_words(container->exposed, " ", "80/tcp 53/udp 90/tcp 91/tcp");
	assert_int_equal(port_options_apply(texts, container, &err), 0);
	port_options_publish_exposed(container);
	shown = show(container);
	assert_string_equal(shown, "*:8080->80/tcp *:0->53/udp *:0->90/tcp *:0->91/tcp");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(notations),
		cmocka_unit_test(publish_all_skips_what_is_published),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
