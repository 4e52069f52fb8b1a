/* SPDX-License-Identifier: GPL-2.0-or-later
 * port_test.c - host ports are held, and a conflict names its holder. */
#include "testhost.h"

#include "engine/base/strv.h"

struct held {
	struct port_socket *sockets;
	size_t count;
};

static int hold(struct testhost *host, const char *host_ip, uint16_t port, const char *protocol,
	struct held *held, struct error *err)
{
	struct published_port published = {
		.host_ip = (char *)host_ip, .host_port = port, .container_port = 80
	};

	snprintf(published.protocol, sizeof(published.protocol), "%s", protocol);
	return port_reserve(&host->engine, &published, 1, &held->sockets, &held->count, err);
}

static void let_go(struct held *held)
{
	port_sockets_free(held->sockets, held->count);
	*held = (struct held){ NULL, 0 };
}

static void row_12_15_a_listening_process_is_named(void **state)
{
	struct testhost *host = *state;
	struct held held = { NULL, 0 };
	char own[64];
	int fd;

	SKIP_UNLESS_ROOT();
	snprintf(own, sizeof(own), "by port_test (pid %d)", getpid());
	fd = listener_in(host->host_netns, "127.0.0.1", 8080);
	fails(hold(host, NULL, 8080, "tcp", &held, err), -EADDRINUSE, own);
	fails(hold(host, NULL, 8080, "tcp", &held, err), -EADDRINUSE,
		"port 8080/tcp on 0.0.0.0 is already in use");
	fails(hold(host, "127.0.0.1", 8080, "tcp", &held, err), -EADDRINUSE, own);
	succeeds(hold(host, HOST_ADDRESS, 8080, "tcp", &held, err));
	let_go(&held);
	succeeds(hold(host, NULL, 8080, "udp", &held, err));
	let_go(&held);
	close(fd);
	succeeds(hold(host, NULL, 8080, "tcp", &held, err));
	let_go(&held);
	fd = socket_in(host->host_netns, SOCK_DGRAM, "127.0.0.1", 8080);
	fails(hold(host, NULL, 8080, "udp", &held, err), -EADDRINUSE, "port_test");
	close(fd);
}

static int ipv6_listener(uint16_t port, bool only, int *ret_bind)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, v6only = only;

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only));
	*ret_bind = bind(fd, (struct sockaddr *)&address, sizeof(address));
	if (*ret_bind == 0)
		*ret_bind = listen(fd, 1);
	return fd;
}

static void row_12_15_ipv6_listeners_count_and_are_kept_out(void **state)
{
	struct testhost *host = *state;
	struct held held = { NULL, 0 };
	int fd, bound;

	SKIP_UNLESS_ROOT();
	for (int only = 0; only < 2; only++) {
		fd = ipv6_listener(8080, only, &bound);
		assert_int_equal(bound, 0);
		fails(hold(host, NULL, 8080, "tcp", &held, err), -EADDRINUSE, "port_test");
		close(fd);
		succeeds(hold(host, NULL, 8080, "tcp", &held, err));
		fd = ipv6_listener(8080, only, &bound);
		assert_int_equal(bound, -1);
		close(fd);
		let_go(&held);
	}
}

/* "localhost" is ::1 first for many: the socket there waits for the relay. */
static void both_families_listen(void **state)
{
	struct published_port port = { .host_port = 8080, .container_port = 80, .protocol = "tcp" };
	struct testhost *host = *state;
	struct held held = { NULL, 0 };

	SKIP_UNLESS_ROOT();
	succeeds(port_reserve(&host->engine, &port, 1, &held.sockets, &held.count, err));
	assert_true(port.both);
	assert_int_equal(held.count, 2);
	for (size_t i = 0; i < held.count; i++) {
		socklen_t length = sizeof(int);
		int listens = 0;

		assert_int_equal(held.sockets[i].is_ipv6, i == 1);
		getsockopt(held.sockets[i].fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length);
		assert_true(listens);
	}
	let_go(&held);
}

static void row_12_15_an_ipv6_address_is_held_alone(void **state)
{
	struct testhost *host = *state;
	struct held held = { NULL, 0 }, second = { NULL, 0 };
	int fd, bound;

	SKIP_UNLESS_ROOT();
	succeeds(hold(host, "::1", 8080, "tcp", &held, err));
	assert_int_equal(held.count, 1);
	assert_true(held.sockets[0].is_ipv6);
	succeeds(hold(host, "127.0.0.1", 8080, "tcp", &second, err));
	let_go(&second);
	fails(hold(host, "::", 8080, "tcp", &second, err), -EADDRINUSE,
		"port 8080/tcp on :: is already in use by port_test");
	let_go(&held);
	fd = ipv6_listener(8080, true, &bound);
	assert_int_equal(bound, 0);
	fails(hold(host, "::1", 8080, "tcp", &second, err), -EADDRINUSE, "by port_test");
	succeeds(hold(host, "0.0.0.0", 8080, "tcp", &second, err));
	let_go(&second);
	close(fd);
}

static void of_a_range_the_first_free_port_is_taken(void **state)
{
	struct published_port ports[3];
	struct testhost *host = *state;
	struct held held = { NULL, 0 };
	int fd;

	SKIP_UNLESS_ROOT();
	for (size_t i = 0; i < 3; i++)
		ports[i] = (struct published_port){ .container_port = 80,
			.range_first = 8080,
			.range_last = 8082,
			.protocol = "tcp" };
	fd = listener_in(host->host_netns, "127.0.0.1", 8081);
	succeeds(port_reserve(&host->engine, ports, 2, &held.sockets, &held.count, err));
	assert_int_equal(ports[0].host_port, 8080);
	assert_int_equal(ports[1].host_port, 8082);
	let_go(&held);
	ports[0].host_port = ports[1].host_port = 0;
	fails(port_reserve(&host->engine, ports, 3, &held.sockets, &held.count, err), -EADDRINUSE,
		"no port of 8080-8082/tcp on 0.0.0.0 is free");
	close(fd);
}

static void row_12_15_a_held_port_is_taken_for_everybody(void **state)
{
	struct testhost *host = *state;
	struct sockaddr_in address = address_of("0.0.0.0", 8080);
	struct held held = { NULL, 0 }, second = { NULL, 0 };
	int fd, on = 1;

	SKIP_UNLESS_ROOT();
	succeeds(hold(host, NULL, 8080, "tcp", &held, err));
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), -1);
	close(fd);
	fails(hold(host, NULL, 8080, "tcp", &second, err), -EADDRINUSE, "8080/tcp");
	fails(hold(host, "127.0.0.1", 8080, "tcp", &second, err), -EADDRINUSE, "8080/tcp");
	let_go(&held);
	succeeds(hold(host, "127.0.0.1", 8080, "tcp", &held, err));
	succeeds(hold(host, HOST_ADDRESS, 8080, "tcp", &second, err));
	let_go(&second);
	fails(hold(host, NULL, 8080, "tcp", &second, err), -EADDRINUSE, "8080/tcp");
	let_go(&held);
}

static void row_12_15_a_container_is_named(void **state)
{
	struct published_port port = { .host_port = 8080, .container_port = 80, .protocol = "tcp" };
	struct testhost *host = *state;
	struct held held = { NULL, 0 }, second = { NULL, 0 };
	struct endpoint endpoint;

	SKIP_UNLESS_ROOT();
	network_free(network_made(host, "n", NULL, false));
	container_made(host, "shop-web-1", "n", &port, 1, &endpoint);
	succeeds(hold(host, NULL, 8080, "tcp", &held, err));
	fails(hold(host, NULL, 8080, "tcp", &second, err), -EADDRINUSE,
		"port 8080/tcp on 0.0.0.0 is already in use by container shop-web-1");
	let_go(&held);
	endpoint_release(&endpoint);
}

static void ephemeral_ports_are_filled_in(void **state)
{
	struct published_port ports[] = { { .container_port = 80, .protocol = "tcp" },
		{ .container_port = 53, .protocol = "udp" },
		{ .host_ip = (char *)"127.0.0.1", .container_port = 81, .protocol = "tcp" } };
	struct testhost *host = *state;
	struct held held = { NULL, 0 };

	SKIP_UNLESS_ROOT();
	succeeds(port_reserve(&host->engine, ports, 3, &held.sockets, &held.count, err));
	for (size_t i = 0; i < 3; i++)
		assert_true(ports[i].host_port > 0);
	assert_int_equal(held.count, 5); /* both families, twice */
	let_go(&held);
}

static void a_failure_holds_nothing(void **state)
{
	struct published_port ports[] = {
		{ .host_port = 8080, .container_port = 80, .protocol = "tcp" },
		{ .container_port = 53, .protocol = "udp" },
		{ .host_port = 8081, .container_port = 81, .protocol = "tcp" },
	};
	struct testhost *host = *state;
	struct held held = { NULL, 0 };
	int fd;

	SKIP_UNLESS_ROOT();
	fd = listener_in(host->host_netns, NULL, 8081);
	fails(port_reserve(&host->engine, ports, 3, &held.sockets, &held.count, err), -EADDRINUSE,
		"8081/tcp");
	assert_null(held.sockets);
	assert_int_equal(ports[1].host_port, 0);
	close(fd);
	fd = listener_in(host->host_netns, NULL, 8080);
	close(fd);
}

static bool has_sctp(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void impossible_ports_are_refused(void **state)
{
	static const struct row {
		const char *host_ip, *protocol;
		int code;
		const char *message;
	} rows[] = {
		{ "2001:db8::5", "tcp", -EADDRNOTAVAIL, "8080/tcp on 2001:db8::5" },
		{ "203.0.113.5", "tcp", -EADDRNOTAVAIL, "8080/tcp on 203.0.113.5" },
		{ "localhost", "tcp", -EINVAL, "'localhost'" },
		{ NULL, "dccp", -EPROTONOSUPPORT, "dccp" },
	};
	struct testhost *host = *state;
	struct held held = { NULL, 0 };

	SKIP_UNLESS_ROOT();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		fails(hold(host, rows[i].host_ip, 8080, rows[i].protocol, &held, err), rows[i].code,
			rows[i].message);
	if (has_sctp()) {
		succeeds(hold(host, NULL, 8080, "sctp", &held, err));
		let_go(&held);
	} else {
		fails(hold(host, NULL, 8080, "sctp", &held, err), -EPROTONOSUPPORT,
			"80/sctp: the running kernel has no sockets of that protocol");
	}
}

/* A server that has just ended leaves connections in TIME_WAIT on its port. */
static void old_connections_do_not_hold_a_port(void **state)
{
	struct testhost *host = *state;
	struct held held = { NULL, 0 };
	int server, accepted, client;
	struct sockaddr_in address = address_of("127.0.0.1", 8080);
	char *text;

	SKIP_UNLESS_ROOT();
	server = listener_in(host->host_netns, NULL, 8080);
	client = socket_in(host->host_netns, SOCK_STREAM, NULL, 0);
	connect(client, (struct sockaddr *)&address, sizeof(address));
	assert_true(ready(server, POLLIN, 1000));
	accepted = accept4(server, NULL, NULL, SOCK_CLOEXEC);
	close(accepted); /* the server's side closes first */
	assert_true(ready(client, POLLIN, 1000));
	close(client);
	close(server);
	text = output_of("grep -c ':1F90 .* 06 ' /proc/net/tcp");
	assert_string_equal(text, "1\n");
	free(text);
	succeeds(hold(host, NULL, 8080, "tcp", &held, err));
	let_go(&held);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(row_12_15_a_listening_process_is_named),
		host_test(row_12_15_ipv6_listeners_count_and_are_kept_out),
		host_test(both_families_listen),
		host_test(row_12_15_an_ipv6_address_is_held_alone),
		host_test(of_a_range_the_first_free_port_is_taken),
		host_test(row_12_15_a_held_port_is_taken_for_everybody),
		host_test(row_12_15_a_container_is_named),
		host_test(ephemeral_ports_are_filled_in),
		host_test(a_failure_holds_nothing),
		host_test(impossible_ports_are_refused),
		host_test(old_connections_do_not_hold_a_port),
	};

	return cmocka_run_group_tests_name("port", tests, NULL, NULL);
}
