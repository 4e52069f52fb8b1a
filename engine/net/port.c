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

struct reservation {
	int *fds;
	size_t count;
};

static void reservation_release(struct reservation *reservation)
{
	for (size_t i = 0; i < reservation->count; i++)
		close_fd(&reservation->fds[i]);
	free(reservation->fds);
	*reservation = (struct reservation){ NULL, 0 };
}

static void reservation_add(struct reservation *reservation, int fd)
{
	*array_add(reservation->fds, reservation->count) = fd;
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

/* Old connections in TIME_WAIT shall not count as users of a TCP port. */
static int bind_to(int fd, uint8_t protocol, const struct sockaddr *address, socklen_t length)
{
	int r = 0;

	if (protocol == IPPROTO_TCP)
		r = option_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (r == 0 && bind(fd, address, length) < 0)
		r = -errno;
	return r;
}

/* Bound, and for TCP not listening: whoever tries ::1 is refused at once and goes on to IPv4. A
 * later binder that says SO_REUSEADDR shall find it taken all the same, so ours is taken back. */
static int hold_ipv6(uint8_t protocol, uint16_t port)
{
	struct sockaddr_in6 address = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(port),
		.sin6_addr = IN6ADDR_ANY_INIT,
	};
	cleanup_fd int fd = socket_open(AF_INET6, protocol);
	int r;

	if (fd < 0)
		return fd;
	r = option_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (r == 0)
		r = bind_to(fd, protocol, (struct sockaddr *)&address, sizeof(address));
	if (r == 0)
		r = option_set(fd, SOL_SOCKET, SO_REUSEADDR, 0);
	return r < 0 ? r : steal_fd(&fd);
}

/* *port may be 0: the kernel chooses. Listening is what makes every later bind of a TCP port fail;
 * no connection arrives, DNAT has them all. */
static int hold_ipv4(uint8_t protocol, uint32_t host_address, uint16_t *port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(*port),
		.sin_addr.s_addr = htonl(host_address),
	};
	socklen_t length = sizeof(address);
	cleanup_fd int fd = socket_open(AF_INET, protocol);
	int r;

	if (fd < 0)
		return fd;
	r = bind_to(fd, protocol, (struct sockaddr *)&address, sizeof(address));
	if (r == 0 && protocol == IPPROTO_TCP && listen(fd, 1) < 0)
		r = -errno;
	if (r == 0 && getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		r = -errno;
	if (r < 0)
		return r;
	*port = ntohs(address.sin_port);
	return steal_fd(&fd);
}

static bool family_is_absent(int r)
{
	return r == -EAFNOSUPPORT || r == -EPROTONOSUPPORT || r == -ESOCKTNOSUPPORT ||
	       r == -EADDRNOTAVAIL;
}

/* Take one number in the families it needs. IPv6 first: the IPv4 socket's listen() makes the kernel
 * look at every socket of that number again. */
static int number_hold(uint8_t protocol, uint32_t host_address, bool both, uint16_t port,
	struct reservation *reservation)
{
	cleanup_fd int fd4 = -1, fd6 = -1;

	if (both) {
		fd6 = hold_ipv6(protocol, port);
		if (fd6 < 0 && !family_is_absent(fd6))
			return fd6;
	}
	fd4 = hold_ipv4(protocol, host_address, &port);
	/* The kernel has no SCTP: nobody can listen on it either. */
	if (fd4 < 0 && !(protocol == IPPROTO_SCTP && family_is_absent(fd4)))
		return fd4;
	if (fd6 >= 0)
		reservation_add(reservation, steal_fd(&fd6));
	if (fd4 >= 0)
		reservation_add(reservation, steal_fd(&fd4));
	return 0;
}

/* Let the kernel name a port that is free in IPv4, then take it in both families. */
static int ephemeral_hold(uint8_t protocol, uint32_t host_address, bool both, uint16_t *ret_port,
	struct reservation *reservation)
{
	int r = -EADDRINUSE;

	for (int try = 0; try < EPHEMERAL_TRIES && r == -EADDRINUSE; try++) {
		uint16_t port = 0;
		int fd = hold_ipv4(protocol, host_address, &port);

		if (fd < 0)
			return fd;
		close(fd);
		r = number_hold(protocol, host_address, both, port, reservation);
		if (r == 0)
			*ret_port = port;
	}
	return r;
}

static int port_hold(const struct engine *engine, struct published_port *port,
	struct reservation *reservation, struct error *err)
{
	const char *host_ip = port->host_ip ? port->host_ip : "0.0.0.0";
	uint8_t protocol = protocol_number(port->protocol);
	struct in6_addr ipv6;
	uint32_t address;
	int r;

	if (!protocol)
		return error_set(err, -EPROTONOSUPPORT, "port protocol '%s' is not supported",
			port->protocol);
	if (inet_pton(AF_INET6, host_ip, &ipv6) == 1)
		return error_set(err, -EAFNOSUPPORT,
			"port %u/%s on %s: publishing on an IPv6 address is not supported",
			port->host_port, port->protocol, host_ip);
	if (address_parse(host_ip, &address) < 0)
		return error_set(err, -EINVAL, "host address '%s' is not an IP address", host_ip);
	r = port->host_port
		    ? number_hold(protocol, address, !port->host_ip, port->host_port, reservation)
		    : ephemeral_hold(
			      protocol, address, !port->host_ip, &port->host_port, reservation);
	if (r == -EADDRINUSE)
		return port_holder_tell(engine, port, address, err);
	return r < 0 ? error_sys(err, r, "cannot use port %u/%s on %s", port->host_port,
			       port->protocol, host_ip)
		     : 0;
}

int port_reserve(const struct engine *engine, struct published_port *ports, size_t count,
	int **ret_fds, size_t *ret_count, struct error *err)
{
	struct reservation reservation = { NULL, 0 };
	cleanup_free uint16_t *chosen = xcalloc(count ? count : 1, sizeof(*chosen));
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++) {
		struct published_port port = ports[i];

		r = port_hold(engine, &port, &reservation, err);
		chosen[i] = port.host_port;
	}
	if (r < 0) {
		reservation_release(&reservation);
		return r;
	}
	for (size_t i = 0; i < count; i++)
		ports[i].host_port = chosen[i];
	*ret_fds = reservation.fds;
	*ret_count = reservation.count;
	return 0;
}
