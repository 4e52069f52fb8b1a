/* SPDX-License-Identifier: GPL-2.0-or-later
 * networks.c - probes of the network: serve, ask, resolve, list, open raw.
 *
 * Names go by a DNS query of our own to the first nameserver of /etc/resolv.conf (after
 * /etc/hosts): getaddrinfo of a static glibc loads the image's NSS modules, and the image has none.
 */
#include "tests/probe/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DNS_PORT       53
#define DNS_TIMEOUT_MS 2000
#define DNS_TRIES      3
#define DNS_TYPE_A     1
#define ADDRESSES_MAX  32

struct addresses {
	struct in_addr items[ADDRESSES_MAX];
	size_t count;
};

static bool find_in_hosts(const char *name, struct addresses *ret)
{
	FILE *file = fopen("/etc/hosts", "re");
	char line[1024];

	while (file && fgets(line, sizeof(line), file) && ret->count == 0) {
		char *rest = line, *word = strsep(&rest, " \t\n");
		struct in_addr address;

		if (!inet_aton(word, &address))
			continue;
		while (rest && (word = strsep(&rest, " \t\n"))) {
			if (strcmp(word, name) == 0 && ret->count == 0)
				ret->items[ret->count++] = address;
		}
	}
	if (file)
		fclose(file);
	return ret->count > 0;
}

static bool find_nameserver(struct in_addr *ret)
{
	FILE *file = fopen("/etc/resolv.conf", "re");
	char line[1024], text[64];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, "nameserver %63s", text) == 1 && inet_aton(text, ret);
	if (file)
		fclose(file);
	return found;
}

/* RFC 1035, 4.1: header, one question. Gives the length, 0 when the name cannot be a question. */
static size_t build_query(const char *name, uint16_t id, uint8_t query[static 512])
{
	size_t at = 12;

	memset(query, 0, 512);
	query[0] = (uint8_t)(id >> 8);
	query[1] = (uint8_t)id;
	query[2] = 1; /* recursion desired */
	query[5] = 1; /* one question */
	while (*name) {
		size_t length = strcspn(name, ".");

		if (length == 0 || length > 63 || at + length + 6 > 300)
			return 0;
		query[at++] = (uint8_t)length;
		memcpy(query + at, name, length);
		at += length;
		name += length + (name[length] == '.');
	}
	query[at + 2] = DNS_TYPE_A;
	query[at + 4] = 1; /* class IN */
	return at + 5;
}

static size_t skip_name(const uint8_t *message, size_t length, size_t at)
{
	while (at < length && message[at] != 0) {
		if ((message[at] & 0xc0) == 0xc0)
			return at + 2;
		at += 1u + message[at];
	}
	return at + 1;
}

static unsigned get16(const uint8_t *bytes)
{
	return (unsigned)bytes[0] << 8 | bytes[1];
}

/* Gives the response code. */
static int read_answers(const uint8_t *message, size_t length, struct addresses *ret)
{
	unsigned questions = get16(message + 4), answers = get16(message + 6);
	size_t at = 12;

	while (questions-- > 0)
		at = skip_name(message, length, at) + 4;
	while (answers-- > 0) {
		size_t data;

		at = skip_name(message, length, at);
		data = at + 10;
		if (data > length || data + get16(message + at + 8) > length)
			break;
		if (get16(message + at) == DNS_TYPE_A && get16(message + at + 8) == 4 &&
			ret->count < ADDRESSES_MAX)
			memcpy(&ret->items[ret->count++], message + data, 4);
		at = data + get16(message + at + 8);
	}
	return message[3] & 0xf;
}

/* Gives the response code, or -1 with errno. */
static int exchange(int fd, const uint8_t *query, size_t query_length, struct addresses *ret)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	uint8_t answer[4096];
	ssize_t length;

	for (int i = 0; i < DNS_TRIES; i++) {
		if (send(fd, query, query_length, 0) < 0)
			return -1;
		if (poll(&wait, 1, DNS_TIMEOUT_MS) <= 0)
			continue;
		length = recv(fd, answer, sizeof(answer), 0);
		if (length < 0)
			return -1;
		if (length >= 12 && memcmp(answer, query, 2) == 0)
			return read_answers(answer, (size_t)length, ret);
	}
	errno = ETIMEDOUT;
	return -1;
}

static int ask_nameserver(const char *name, struct addresses *ret)
{
	struct sockaddr_in server = { .sin_family = AF_INET, .sin_port = htons(DNS_PORT) };
	uint8_t query[512];
	size_t length = build_query(name, (uint16_t)getpid(), query);
	int fd, code;

	if (length == 0 || !find_nameserver(&server.sin_addr)) {
		errno = length ? ENOENT : EINVAL;
		return -1;
	}
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&server, sizeof(server)) < 0)
		return -1;
	code = exchange(fd, query, length, ret);
	close(fd);
	return code;
}

/* 0, or exit status 1 after saying why. */
static int look_up(const char *name, struct addresses *ret)
{
	static const char *const codes[] = { "NODATA", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",
		"REFUSED" };
	int code;

	ret->count = 0;
	if (inet_aton(name, &ret->items[0])) {
		ret->count = 1;
		return 0;
	}
	if (find_in_hosts(name, ret))
		return 0;
	code = ask_nameserver(name, ret);
	if (code < 0)
		return failed("resolve");
	if (ret->count > 0)
		return 0;
	printf("resolve %s\n", code < 6 ? codes[code] : "UNKNOWN");
	return 1;
}

static int run_resolve(char **args)
{
	struct addresses found;

	if (look_up(args[0], &found))
		return 1;
	for (size_t i = 0; i < found.count; i++)
		printf("address %s\n", inet_ntoa(found.items[i]));
	return 0;
}

static void serve_tcp(int fd, const char *text)
{
	for (;;) {
		int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		if (client < 0)
			continue;
		dprintf(client, "%s\n", text);
		close(client);
	}
}

static void serve_udp(int fd, const char *text)
{
	for (;;) {
		struct sockaddr_in6 from;
		socklen_t length = sizeof(from);
		char buffer[2048];

		if (recvfrom(fd, buffer, sizeof(buffer), 0, (struct sockaddr *)&from, &length) >= 0)
			sendto(fd, text, strlen(text), 0, (struct sockaddr *)&from, length);
	}
}

static void end(int signal_number)
{
	(void)signal_number;
	_exit(0);
}

/* IPv6 with IPv4 mapped into it where the kernel has it, else IPv4. */
static int bind_any(int type, uint16_t port)
{
	struct sockaddr_in6 any6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in any4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
		bind(fd, (struct sockaddr *)&any6, sizeof(any6)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
		bind(fd, (struct sockaddr *)&any4, sizeof(any4)) < 0)
		return -1;
	return fd;
}

static int run_listen(char **args)
{
	bool tcp = strcmp(args[0], "tcp") == 0;
	int fd = bind_any(tcp ? SOCK_STREAM : SOCK_DGRAM, (uint16_t)number(args[1]));

	signal(SIGTERM, end);
	signal(SIGPIPE, SIG_IGN);
	if (fd < 0 || (tcp && listen(fd, 128) < 0))
		return failed("listen");
	puts("ready");
	(tcp ? serve_tcp : serve_udp)(fd, args[2]);
	return 0;
}

static int print_stream(int fd)
{
	char buffer[4096];
	ssize_t n;

	while ((n = recv(fd, buffer, sizeof(buffer), 0)) > 0)
		fwrite(buffer, 1, (size_t)n, stdout);
	return n < 0 ? failed("answer") : 0;
}

static int print_datagram(int fd)
{
	char buffer[4096];
	ssize_t n = send(fd, "?", 1, 0) < 0 ? -1 : recv(fd, buffer, sizeof(buffer), 0);

	if (n < 0)
		return failed("answer");
	printf("%.*s\n", (int)n, buffer);
	return 0;
}

/* "ask HOST PORT [udp]"; a tcp answer ends with the connection. */
static int run_ask(char **args)
{
	struct sockaddr_in server = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)number(args[1])) };
	struct timeval patience = { .tv_sec = 5 };
	bool udp = args[2] && strcmp(args[2], "udp") == 0;
	struct addresses found;
	int fd;

	if (look_up(args[0], &found))
		return 1;
	server.sin_addr = found.items[0];
	fd = socket(AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		return failed("socket");
	if (connect(fd, (struct sockaddr *)&server, sizeof(server)) < 0)
		return failed("connect");
	return (udp ? print_datagram : print_stream)(fd);
}

static int run_raw_socket(char **args)
{
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);

	(void)args;
	if (fd < 0)
		return failed("raw-socket");
	puts("raw-socket ok");
	return 0;
}

/* "eth0 172.18.0.2/16 up"; an interface without address has "-". */
static void print_interface(const struct ifaddrs *entry)
{
	const char *state = entry->ifa_flags & IFF_UP ? "up" : "down";
	char text[INET6_ADDRSTRLEN] = "-";
	unsigned prefix = 0;
	const void *address, *mask;
	size_t size;

	if (!entry->ifa_addr || entry->ifa_addr->sa_family == AF_PACKET) {
		printf("%s - %s\n", entry->ifa_name, state);
		return;
	}
	if (entry->ifa_addr->sa_family == AF_INET) {
		address = &((const struct sockaddr_in *)(const void *)entry->ifa_addr)->sin_addr;
		mask = &((const struct sockaddr_in *)(const void *)entry->ifa_netmask)->sin_addr;
		size = 4;
	} else {
		address = &((const struct sockaddr_in6 *)(const void *)entry->ifa_addr)->sin6_addr;
		mask = &((const struct sockaddr_in6 *)(const void *)entry->ifa_netmask)->sin6_addr;
		size = 16;
	}
	inet_ntop(entry->ifa_addr->sa_family, address, text, sizeof(text));
	for (size_t i = 0; i < size; i++)
		prefix += (unsigned)__builtin_popcount(((const uint8_t *)mask)[i]);
	printf("%s %s/%u %s\n", entry->ifa_name, text, prefix, state);
}

static int run_ifaces(char **args)
{
	struct ifaddrs *list;

	(void)args;
	if (getifaddrs(&list) < 0)
		return failed("ifaces");
	for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next)
		print_interface(entry);
	freeifaddrs(list);
	return 0;
}

const struct command network_commands[] = {
	{ "listen", 3, "tcp|udp PORT TEXT", run_listen },
	{ "ask", 2, "HOST PORT [udp]", run_ask },
	{ "resolve", 1, "NAME", run_resolve },
	{ "raw-socket", 0, "", run_raw_socket },
	{ "ifaces", 0, "", run_ifaces },
	{ 0 },
};
