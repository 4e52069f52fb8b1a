/* SPDX-License-Identifier: GPL-2.0-or-later
 * testhost.h - a host of its own for each network test: fresh netns, data and run root, an outside
 * world behind a veth, and netns that play containers. Included by the tests of this room only.
 *
 * The process itself moves between netns (it has one thread); sockets stay where they were made. */
#ifndef MYCOMPOSE_TEST_NET_TESTHOST_H
#define MYCOMPOSE_TEST_NET_TESTHOST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/ids.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/engine.h"
#include "engine/net/network.h"

#define HOST_ADDRESS	"192.0.2.1" /* on the link to the outside */
#define OUTSIDE_ADDRESS "192.0.2.2"
#define WAIT_MS		400  /* what a packet that is dropped costs a test */
#define PATIENCE_MS	5000 /* for one that must arrive, on a busy machine too */

struct testhost {
	struct engine engine;
	char root[64];
	int home_netns; /* where the test program came from */
	int host_netns;
	int outside_netns;
	int containers[64];
	size_t container_count;
};

/* The test names the privilege it lacks. */
#define SKIP_UNLESS_ROOT()                                                                 \
	do {                                                                               \
		if (geteuid() != 0) {                                                      \
			print_message("skipped: needs CAP_SYS_ADMIN and CAP_NET_ADMIN\n"); \
			skip();                                                            \
		}                                                                          \
	} while (0)

static inline void enter(int netns_fd)
{
	assert_int_equal(setns(netns_fd, CLONE_NEWNET), 0);
}

static inline int netns_here(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* A new netns; the process is where it was. */
static inline int netns_new(void)
{
	int back = netns_here(), fd;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	fd = netns_here();
	enter(back);
	close(back);
	return fd;
}

__attribute__((format(printf, 1, 2))) static inline void run(const char *fmt, ...)
{
	char command[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	if (system(command) != 0)
		fail_msg("command failed: %s", command);
}

/* What the command prints, heap. */
__attribute__((format(printf, 1, 2))) static inline char *output_of(const char *fmt, ...)
{
	struct strbuf text = STRBUF_INIT;
	char command[1024];
	FILE *pipe;
	va_list ap;
	int c;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	pipe = popen(command, "re");
	assert_non_null(pipe);
	while ((c = fgetc(pipe)) != EOF)
		strbuf_add_char(&text, (char)c);
	assert_int_equal(pclose(pipe), 0);
	return strbuf_steal(&text);
}

static inline struct testhost *testhost_new(void)
{
	struct testhost *host = xcalloc(1, sizeof(*host));
	char path[128];

	host->home_netns = netns_here();
	snprintf(host->root, sizeof(host->root), "/tmp/mycompose-net-XXXXXX");
	assert_non_null(mkdtemp(host->root));
	host->engine = (struct engine)ENGINE_INIT;
	host->engine.data_path = xasprintf("%s/data", host->root);
	host->engine.run_path = xasprintf("%s/run", host->root);
	host->engine.data_fd = dir_make_open(AT_FDCWD, host->engine.data_path, 0700, NULL);
	host->engine.run_fd = dir_make_open(AT_FDCWD, host->engine.run_path, 0700, NULL);
	assert_true(host->engine.data_fd >= 0 && host->engine.run_fd >= 0);
	snprintf(path, sizeof(path), "%s/xtables.lock", host->root);
	setenv("XTABLES_LOCKFILE", path, 1);

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	host->host_netns = netns_here();
	host->outside_netns = netns_new();
	run("ip link set lo up");
	run("ip link add out0 type veth peer name out0 netns /proc/%d/fd/%d", getpid(),
		host->outside_netns);
	run("ip addr add " HOST_ADDRESS "/24 dev out0 && ip link set out0 up");
	run("ip route add default via " OUTSIDE_ADDRESS);
	enter(host->outside_netns);
	run("ip link set lo up && ip addr add " OUTSIDE_ADDRESS "/24 dev out0 && "
	    "ip link set out0 up");
	enter(host->host_netns);
	return host;
}

static inline void testhost_free(struct testhost *host)
{
	enter(host->home_netns);
	for (size_t i = 0; i < host->container_count; i++)
		close_fd(&host->containers[i]);
	close_fd(&host->outside_netns);
	close_fd(&host->host_netns);
	close_fd(&host->home_netns);
	tree_remove(AT_FDCWD, host->root, NULL);
	engine_release(&host->engine);
	free(host);
}

static inline int testhost_setup(void **state)
{
	*state = geteuid() == 0 ? testhost_new() : NULL;
	return 0;
}

static inline int testhost_teardown(void **state)
{
	if (*state)
		testhost_free(*state);
	return 0;
}

#define host_test(function) \
	cmocka_unit_test_setup_teardown(function, testhost_setup, testhost_teardown)

/* For calls that must succeed: the message is worth seeing. */
#define succeeds(call)                                                \
	({                                                            \
		struct error err_ = ERROR_INIT;                       \
		struct error *err = &err_;                            \
		int r_ = (call);                                      \
		if (r_ < 0)                                           \
			fail_msg("%s: %s", #call, error_text(&err_)); \
		error_release(&err_);                                 \
		r_;                                                   \
	})

/* For calls that must fail with `code` and a message that holds `text`. */
#define fails(call, code, text)                                                       \
	do {                                                                          \
		struct error err_ = ERROR_INIT;                                       \
		struct error *err = &err_;                                            \
		int r_ = (call);                                                      \
		assert_int_equal(r_, code);                                           \
		if (!strstr(error_text(&err_), text))                                 \
			fail_msg("'%s' does not hold '%s'", error_text(&err_), text); \
		error_release(&err_);                                                 \
	} while (0)

static inline struct network *network_made(
	struct testhost *host, const char *name, const char *subnet, bool internal)
{
	struct network_request request = { .name = name, .subnet = subnet, .internal = internal };
	struct network *network = NULL;

	succeeds(network_create(&host->engine, &request, &network, err));
	return network;
}

/* A container of the tests: a netns with one endpoint. `id` is also its name. */
static inline int container_made(struct testhost *host, const char *id, const char *network,
	const struct published_port *ports, size_t port_count, struct endpoint *ret)
{
	struct endpoint_request request = {
		.network = network,
		.container_id = id,
		.container_name = id,
		.interface = "eth0",
		.ports = ports,
		.port_count = port_count,
	};
	int fd = netns_new();

	host->containers[host->container_count++] = fd;
	succeeds(endpoint_allocate(&host->engine, &request, ret, err));
	succeeds(endpoint_attach(&host->engine, ret, 1, fd, err));
	enter(fd);
	succeeds(endpoint_configure(ret, 1, err));
	enter(host->host_netns);
	return fd;
}

static inline struct sockaddr_in address_of(const char *text, uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };

	assert_int_equal(inet_pton(AF_INET, text, &address.sin_addr), 1);
	return address;
}

/* A socket inside the netns, bound when `address` is given. */
static inline int socket_in(int netns_fd, int type, const char *address, uint16_t port)
{
	struct sockaddr_in local = address_of(address ? address : "0.0.0.0", port);
	int back = netns_here(), fd, on = 1;

	enter(netns_fd);
	fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address || port)
		assert_int_equal(bind(fd, (struct sockaddr *)&local, sizeof(local)), 0);
	enter(back);
	close(back);
	return fd;
}

static inline int listener_in(int netns_fd, const char *address, uint16_t port)
{
	int fd = socket_in(netns_fd, SOCK_STREAM, address, port);

	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

static inline bool ready(int fd, short events, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = fd, .events = events };

	return poll(&poll_fd, 1, timeout_ms) == 1;
}

/* Does a TCP connection from that netns to address:port arrive at the listener in time? *ret_peer
 * is the client as the listener sees it. */
static inline bool connects_within(int timeout_ms, int netns_fd, const char *to, uint16_t port,
	int listener_fd, char ret_peer[INET_ADDRSTRLEN])
{
	struct sockaddr_in address = address_of(to, port), peer;
	int fd = socket_in(netns_fd, SOCK_STREAM, NULL, 0), accepted = -1, error = 0;
	socklen_t length = sizeof(error);
	bool through = false;

	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ||
		(errno == EINPROGRESS && ready(fd, POLLOUT, timeout_ms) &&
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0)) {
		length = sizeof(peer);
		if (ready(listener_fd, POLLIN, timeout_ms))
			accepted = accept4(
				listener_fd, (struct sockaddr *)&peer, &length, SOCK_CLOEXEC);
		through = accepted >= 0 && write(accepted, "x", 1) == 1 &&
			  ready(fd, POLLIN, timeout_ms);
	}
	if (through && ret_peer)
		inet_ntop(AF_INET, &peer.sin_addr, ret_peer, INET_ADDRSTRLEN);
	close_fd(&accepted);
	close(fd);
	return through;
}

static inline bool connects_as(int netns_fd, const char *to, uint16_t port, int listener_fd,
	char ret_peer[INET_ADDRSTRLEN])
{
	return connects_within(PATIENCE_MS, netns_fd, to, port, listener_fd, ret_peer);
}

static inline bool connects(int netns_fd, const char *to, uint16_t port, int listener_fd)
{
	return connects_as(netns_fd, to, port, listener_fd, NULL);
}

static inline bool is_cut_off(int netns_fd, const char *to, uint16_t port, int listener_fd)
{
	return !connects_within(WAIT_MS, netns_fd, to, port, listener_fd, NULL);
}

/* A datagram there and one back. */
static inline bool exchanges_within(
	int timeout_ms, int client_fd, const char *to, uint16_t port, int server_fd)
{
	struct sockaddr_in address = address_of(to, port), peer;
	socklen_t length = sizeof(peer);
	char byte;

	if (sendto(client_fd, "q", 1, 0, (struct sockaddr *)&address, sizeof(address)) != 1 ||
		!ready(server_fd, POLLIN, timeout_ms) ||
		recvfrom(server_fd, &byte, 1, 0, (struct sockaddr *)&peer, &length) != 1 ||
		sendto(server_fd, "a", 1, 0, (struct sockaddr *)&peer, length) != 1)
		return false;
	return ready(client_fd, POLLIN, timeout_ms) && recv(client_fd, &byte, 1, 0) == 1;
}

static inline bool exchanges(int client_fd, const char *to, uint16_t port, int server_fd)
{
	return exchanges_within(PATIENCE_MS, client_fd, to, port, server_fd);
}

static inline bool gets_no_answer(int client_fd, const char *to, uint16_t port, int server_fd)
{
	return !exchanges_within(WAIT_MS, client_fd, to, port, server_fd);
}

/* Everything a network may leave behind on the host: links (and whether they are up), addresses,
 * routes, rules. Heap. */
static inline char *host_snapshot(void)
{
	return output_of("ip -o link | sed -E 's/^[0-9]+: ([^:@]+).*[<,](UP)[,>].*/\\1 \\2/; "
			 "s/^[0-9]+: ([^:@]+).*/\\1/'; ip -4 -o addr | awk '{ print $2, $4 }'; "
			 "ip route | sed 's/ linkdown//'; "
			 "iptables-legacy -S; iptables-legacy -t nat -S");
}

#endif
