/* SPDX-License-Identifier: GPL-2.0-or-later
 * ports_text_test.c - docker's PORTS column. */
#include "engine/container/ports_text.h"

#include "support.h"

static char any_ip[] = "0.0.0.0", local_ip[] = "127.0.0.1", any_ip6[] = "::";

static void ports_are_sorted_and_folded(void **state)
{
	static const struct {
		struct published_port ports[6];
		const char *exposed; /* separated by blanks */
		const char *text;
	} cases[] = {
		{ { { 0 } }, "", "" },
		{ { { 0 } }, "6379/tcp", "6379/tcp" },
		{ { { .host_ip = local_ip,
			    .host_port = 18081,
			    .container_port = 80,
			    .protocol = "tcp" },
			  { .host_ip = any_ip,
				  .host_port = 18082,
				  .container_port = 81,
				  .protocol = "udp" },
			  { .host_ip = any_ip6,
				  .host_port = 18082,
				  .container_port = 81,
				  .protocol = "udp" } },
			"80/tcp 81/udp",
			"127.0.0.1:18081->80/tcp, 0.0.0.0:18082->81/udp, :::18082->81/udp" },
		{ { { .host_port = 8080, .container_port = 80, .protocol = "tcp" } },
			"80/tcp 443/tcp", "0.0.0.0:8080->80/tcp, 443/tcp" },
		{ { { .host_port = 8001, .container_port = 81, .protocol = "tcp" },
			  { .host_port = 8000, .container_port = 80, .protocol = "tcp" } },
			"", "0.0.0.0:8000-8001->80-81/tcp" },
		{ { { .host_ip = any_ip,
			    .host_port = 8000,
			    .container_port = 80,
			    .protocol = "tcp" },
			  { .host_ip = any_ip6,
				  .host_port = 8000,
				  .container_port = 80,
				  .protocol = "tcp" },
			  { .host_ip = any_ip,
				  .host_port = 8001,
				  .container_port = 81,
				  .protocol = "tcp" },
			  { .host_ip = any_ip6,
				  .host_port = 8001,
				  .container_port = 81,
				  .protocol = "tcp" } },
			"", "0.0.0.0:8000-8001->80-81/tcp, :::8000-8001->80-81/tcp" },
		{ { { .host_port = 8000, .container_port = 80, .protocol = "tcp" },
			  { .host_port = 8002, .container_port = 81, .protocol = "tcp" } },
			"", "0.0.0.0:8000->80/tcp, 0.0.0.0:8002->81/tcp" },
		{ { { .host_port = 8000, .container_port = 80, .protocol = "tcp" },
			  { .host_port = 8001, .container_port = 81, .protocol = "udp" } },
			"", "0.0.0.0:8000->80/tcp, 0.0.0.0:8001->81/udp" },
		{ { { .host_port = 8080, .container_port = 80, .protocol = "tcp" },
			  { .host_port = 8081, .container_port = 80, .protocol = "tcp" } },
			"80/tcp", "0.0.0.0:8080->80/tcp, 0.0.0.0:8081->80/tcp" },
		{ { { 0 } }, "82/tcp 80/tcp 81/tcp 53/udp 53", "53/tcp, 53/udp, 80-82/tcp" },
		{ { { .host_port = 53, .container_port = 53, .protocol = "udp" } }, "53/tcp 53/udp",
			"53/tcp, 0.0.0.0:53->53/udp" },
		{ { { 0 } }, "x/tcp 0/tcp 70000/tcp", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_strv char **exposed = strv_split(cases[i].exposed, " ");
		cleanup_free char *text = NULL;
		size_t count = 0;

		while (count < 6 && cases[i].ports[count].container_port)
			count++;
		text = ports_text_format(cases[i].ports, count, exposed);
		assert_string_equal(text, cases[i].text);
	}
}

static void only_a_running_container_with_a_network_shows_any(void **state)
{
	struct world *world = *state;
	cleanup_container struct container *c = container_called("web", "g");
	struct container_state s = { .status = CONTAINER_RUNNING };

	strv_add(&c->exposed, "80/tcp");
	cleanup_free char *no_network = container_ports_text(&world->engine, c, &s);
	array_add(c->attachments, c->attachment_count)->network = xstrdup("n");
	cleanup_free char *running = container_ports_text(&world->engine, c, &s);
	s.status = CONTAINER_EXITED;
	cleanup_free char *exited = container_ports_text(&world->engine, c, &s);
	s.status = CONTAINER_RUNNING;
	c->spec.network.mode = NAMESPACE_HOST;
	cleanup_free char *host = container_ports_text(&world->engine, c, &s);

	assert_string_equal(no_network, "");
	assert_string_equal(running, "80/tcp");
	assert_string_equal(exited, "");
	assert_string_equal(host, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_are_sorted_and_folded),
		world_test(only_a_running_container_with_a_network_shows_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
