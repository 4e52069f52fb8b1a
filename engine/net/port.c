/* SPDX-License-Identifier: GPL-2.0-or-later
 * port.c - hold host ports by bound sockets, so that two users of one port collide loudly.
 *
 * A published port works by DNAT, which would silently take a port away from a process that listens
 * on it; and a process could take the port while a container has it. A socket bound for the
 * container's lifetime lets the kernel say no to both. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/memory.h"
#include "engine/net/firewall.h"
#include "engine/net/port_holder.h"
#include "engine/net/room.h"

#define EPHEMERAL_TRIES 16
#define QUEUE		128 /* connections that wait for the relay */

/* What one port asks for. */
struct wish {
	uint8_t protocol;
	size_t port; /* its index */
	bool ipv4;
	bool ipv6;
	bool any_family; /* a family the host lacks is no failure */
	struct in_addr address;
	struct in6_addr address6;
};

struct reservation {
	struct port_socket *sockets;
	size_t count;
};

void port_sockets_free(struct port_socket *sockets, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close_fd(&sockets[i].fd);
	free(sockets);
}

static void reservation_add(
	struct reservation *reservation, const struct wish *wish, bool is_ipv6, int *fd)
{
	struct port_socket *socket = array_add(reservation->sockets, reservation->count);

	*socket = (struct port_socket){ steal_fd(fd), wish->port, is_ipv6 };
}

static int socket_open(int family, uint8_t protocol)
{
	int type = protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
	int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

	return fd < 0 ? -errno : fd;
}

static int option_set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

/* Listening is what makes every later bind of a TCP port fail. Old connections in TIME_WAIT shall
 * not count as users of it. */
static int bind_to(int fd, uint8_t protocol, const void *address, socklen_t length)
{
	int r = 0;

	if (protocol == IPPROTO_TCP)
		r = option_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (r == 0 && bind(fd, address, length) < 0)
		r = -errno;
	if (r == 0 && protocol == IPPROTO_TCP && listen(fd, QUEUE) < 0)
		r = -errno;
	return r;
}

static int hold_ipv6(const struct wish *wish, uint16_t *port)
{
	struct sockaddr_in6 address = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(*port),
		.sin6_addr = wish->address6,
	};
	socklen_t length = sizeof(address);
	cleanup_fd int fd = socket_open(AF_INET6, wish->protocol);
	int r;

	if (fd < 0)
		return fd;
	r = option_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (r == 0)
		r = bind_to(fd, wish->protocol, &address, sizeof(address));
	if (r == 0 && getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		r = -errno;
	if (r < 0)
		return r;
	*port = ntohs(address.sin6_port);
	return steal_fd(&fd);
}

static int hold_ipv4(const struct wish *wish, uint16_t *port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(*port),
		.sin_addr = wish->address,
	};
	socklen_t length = sizeof(address);
	cleanup_fd int fd = socket_open(AF_INET, wish->protocol);
	int r;

	if (fd < 0)
		return fd;
	r = bind_to(fd, wish->protocol, &address, sizeof(address));
	if (r == 0 && getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		r = -errno;
	if (r < 0)
		return r;
	*port = ntohs(address.sin_port);
	return steal_fd(&fd);
}

/* The kernel has no sockets of the protocol in any family: SCTP is a module of its own. */
static bool protocol_is_absent(int r)
{
	return r == -EPROTONOSUPPORT || r == -ESOCKTNOSUPPORT;
}

/* The kernel lacks the family: nobody else can listen there either. */
static bool is_excused(const struct wish *wish, int r)
{
	return wish->any_family && (r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL);
}

/* Take one number in the families it needs; 0: whichever the kernel names. */
static int number_hold(
	const struct wish *wish, uint16_t *port, struct reservation *reservation, bool *ret_both)
{
	cleanup_fd int fd4 = -1, fd6 = -1;
	uint16_t number = *port;

	if (wish->ipv4) {
		fd4 = hold_ipv4(wish, &number);
		if (fd4 < 0 && !is_excused(wish, fd4))
			return fd4;
	}
	if (wish->ipv6) {
		fd6 = hold_ipv6(wish, &number);
		if (fd6 < 0 && !is_excused(wish, fd6))
			return fd6;
	}
	*ret_both = wish->ipv4 && wish->ipv6 && fd6 >= 0;
	if (fd4 >= 0)
		reservation_add(reservation, wish, false, &fd4);
	if (fd6 >= 0)
		reservation_add(reservation, wish, true, &fd6);
	*port = number;
	return 0;
}

/* Of a range the first number that is free, as docker; else what the kernel names, which may be
 * taken in the other family. */
static int choose(
	const struct wish *wish, struct published_port *port, struct reservation *reservation)
{
	int r = -EADDRINUSE;

	for (unsigned int n = port->range_first; n && n <= port->range_last && r == -EADDRINUSE;
		n++) {
		uint16_t number = (uint16_t)n;

		r = number_hold(wish, &number, reservation, &port->both);
		if (r == 0)
			port->host_port = number;
	}
	for (int try = 0; !port->range_first && try < EPHEMERAL_TRIES && r == -EADDRINUSE; try++) {
		uint16_t number = 0;

		r = number_hold(wish, &number, reservation, &port->both);
		if (r == 0)
			port->host_port = number;
	}
	return r;
}

static int wish_make(
	const struct published_port *port, size_t index, struct wish *ret, struct error *err)
{
	struct wish wish = {
		.protocol = protocol_number(port->protocol),
		.port = index,
		.any_family = !port->host_ip,
		.address6 = IN6ADDR_ANY_INIT,
	};

	if (!wish.protocol)
		return error_set(err, -EPROTONOSUPPORT, "port protocol '%s' is not supported",
			port->protocol);
	if (!port->host_ip)
		wish.ipv4 = wish.ipv6 = true;
	else if (inet_pton(AF_INET, port->host_ip, &wish.address) == 1)
		wish.ipv4 = true;
	else if (inet_pton(AF_INET6, port->host_ip, &wish.address6) == 1)
		wish.ipv6 = true;
	else
		return error_set(
			err, -EINVAL, "host address '%s' is not an IP address", port->host_ip);
	*ret = wish;
	return 0;
}

static int port_hold(const struct engine *engine, struct published_port *port, size_t index,
	struct reservation *reservation, struct error *err)
{
	struct wish wish;
	int r = wish_make(port, index, &wish, err);

	if (r < 0)
		return r;
	r = port->host_port ? number_hold(&wish, &port->host_port, reservation, &port->both)
			    : choose(&wish, port, reservation);
	if (r == -EADDRINUSE && !port->host_port && port->range_first)
		return error_set(err, r, "no port of %u-%u/%s on %s is free", port->range_first,
			port->range_last, port->protocol,
			port->host_ip ? port->host_ip : "0.0.0.0");
	if (r == -EADDRINUSE)
		return port_holder_tell(engine, port, err);
	if (protocol_is_absent(r))
		return error_set(err, r,
			"cannot publish port %u/%s: the running kernel has no sockets of that "
			"protocol, nor a module '%s' to load",
			port->container_port, port->protocol, port->protocol);
	return r < 0 ? error_sys(err, r, "cannot use port %u/%s on %s", port->host_port,
			       port->protocol, port->host_ip ? port->host_ip : "0.0.0.0")
		     : 0;
}

int port_reserve(const struct engine *engine, struct published_port *ports, size_t count,
	struct port_socket **ret, size_t *ret_count, struct error *err)
{
	struct reservation reservation = { NULL, 0 };
	cleanup_free struct published_port *chosen = xcalloc(count ? count : 1, sizeof(*chosen));
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++) {
		chosen[i] = ports[i];
		r = port_hold(engine, &chosen[i], i, &reservation, err);
	}
	if (r < 0) {
		port_sockets_free(reservation.sockets, reservation.count);
		return r;
	}
	memcpy(ports, chosen, count * sizeof(*ports));
	*ret = reservation.sockets;
	*ret_count = reservation.count;
	return 0;
}
