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
#define DNS_TYPE_PTR   12
#define DNS_TYPE_AAAA  28
#define ADDRESSES_MAX  32
#define TEXT_MAX       256

/* Of names: what they are called in text. */
struct addresses {
	unsigned type; /* DNS_TYPE_* that is asked for */
	char items[ADDRESSES_MAX][TEXT_MAX];
	size_t count;
};

static bool is_address(const char *text, unsigned type)
{
	uint8_t bytes[16];

	return inet_pton(type == DNS_TYPE_AAAA ? AF_INET6 : AF_INET, text, bytes) == 1;
}

static void add_text(struct addresses *to, const char *text)
{
	if (to->count < ADDRESSES_MAX)
		snprintf(to->items[to->count++], TEXT_MAX, "%s", text);
}

static bool find_in_hosts(const char *name, struct addresses *ret)
{
	FILE *file = fopen("/etc/hosts", "re");
	char line[1024];

	while (file && fgets(line, sizeof(line), file) && ret->count == 0) {
		char *rest = line, *address = strsep(&rest, " \t\n"), *word;

		if (!is_address(address, ret->type))
			continue;
		while (rest && (word = strsep(&rest, " \t\n"))) {
			if (strcmp(word, name) == 0 && ret->count == 0)
				add_text(ret, address);
		}
	}
	if (file)
		fclose(file);
	return ret->count > 0;
}

/* A socket address from a literal of either family; its length, 0 for anything else. */
static socklen_t make_address(const char *text, uint16_t port, struct sockaddr_storage *ret)
{
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, text, &ipv4->sin_addr) == 1) {
		ipv4->sin_family = AF_INET;
		ipv4->sin_port = htons(port);
		return sizeof(*ipv4);
	}
	if (inet_pton(AF_INET6, text, &ipv6->sin6_addr) != 1)
		return 0;
	ipv6->sin6_family = AF_INET6;
	ipv6->sin6_port = htons(port);
	return sizeof(*ipv6);
}

static socklen_t find_nameserver(struct sockaddr_storage *ret)
{
	FILE *file = fopen("/etc/resolv.conf", "re");
	char line[1024], text[64];
	socklen_t length = 0;

	while (file && !length && fgets(line, sizeof(line), file))
		if (sscanf(line, "nameserver %63s", text) == 1)
			length = make_address(text, DNS_PORT, ret);
	if (file)
		fclose(file);
	return length;
}

/* RFC 1035, 4.1: header, one question. Gives the length, 0 when the name cannot be a question. */
static size_t build_query(const char *name, unsigned type, uint16_t id, uint8_t query[static 512])
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
	query[at + 2] = (uint8_t)type;
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

static void read_name(const uint8_t *message, size_t length, size_t at, struct addresses *ret)
{
	char text[TEXT_MAX] = "";

	for (int labels = 0; at < length && message[at] && labels < 64; labels++) {
		if ((message[at] & 0xc0) == 0xc0) {
			at = get16(message + at) & 0x3fff;
			continue;
		}
		if (at + 1 + message[at] > length)
			return;
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%.*s",
			*text ? "." : "", message[at], (const char *)message + at + 1);
		at += 1u + message[at];
	}
	add_text(ret, text);
}

static void read_record(
	const uint8_t *message, size_t length, size_t data, size_t size, struct addresses *ret)
{
	char text[INET6_ADDRSTRLEN];

	if (ret->type == DNS_TYPE_PTR) {
		read_name(message, length, data, ret);
	} else if (size == (ret->type == DNS_TYPE_A ? 4 : 16)) {
		inet_ntop(ret->type == DNS_TYPE_A ? AF_INET : AF_INET6, message + data, text,
			sizeof(text));
		add_text(ret, text);
	}
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
		if (get16(message + at) == ret->type)
			read_record(message, length, data, get16(message + at + 8), ret);
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
	struct sockaddr_storage server;
	socklen_t server_length = find_nameserver(&server);
	uint8_t query[512];
	size_t length = build_query(name, ret->type, (uint16_t)getpid(), query);
	int fd, code;

	if (length == 0 || server_length == 0) {
		errno = length ? ENOENT : EINVAL;
		return -1;
	}
	fd = socket(server.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&server, server_length) < 0)
		return -1;
	code = exchange(fd, query, length, ret);
	close(fd);
	return code;
}

/* 0, or exit status 1 after saying why. */
static int look_up(const char *name, unsigned type, struct addresses *ret)
{
	static const char *const codes[] = { "NODATA", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",
		"REFUSED" };
	int code;

	ret->type = type;
	ret->count = 0;
	if (type != DNS_TYPE_PTR && find_in_hosts(name, ret))
		return 0;
	code = ask_nameserver(name, ret);
	if (code < 0)
		return failed("resolve");
	if (ret->count > 0)
		return 0;
	printf("resolve %s\n", code < 6 ? codes[code] : "UNKNOWN");
	return 1;
}

static int print_found(const char *name, unsigned type)
{
	struct addresses found;

	if (look_up(name, type, &found))
		return 1;
	for (size_t i = 0; i < found.count; i++)
		printf("%s %s\n", type == DNS_TYPE_PTR ? "name" : "address", found.items[i]);
	return 0;
}

static int run_resolve(char **args)
{
	return print_found(args[0], DNS_TYPE_A);
}

static int run_resolve6(char **args)
{
	return print_found(args[0], DNS_TYPE_AAAA);
}

/* The name of an address, RFC 1035 3.5 and RFC 3596 2.5. */
static int run_reverse(char **args)
{
	char name[128] = "";
	uint8_t bytes[16];

	if (inet_pton(AF_INET, args[0], bytes) == 1) {
		snprintf(name, sizeof(name), "%u.%u.%u.%u.in-addr.arpa", bytes[3], bytes[2],
			bytes[1], bytes[0]);
	} else if (inet_pton(AF_INET6, args[0], bytes) == 1) {
		for (int i = 15; i >= 0; i--)
			snprintf(name + strlen(name), sizeof(name) - strlen(name), "%x.%x.",
				bytes[i] & 15, bytes[i] >> 4);
		snprintf(name + strlen(name), sizeof(name) - strlen(name), "ip6.arpa");
	}
	return print_found(name, DNS_TYPE_PTR);
}

static void serve_stream(int fd, const char *text)
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

struct transport {
	const char *name;
	int type;
	int protocol;
};

static const struct transport *find_transport(const char *name)
{
	static const struct transport rows[] = {
		{ "tcp", SOCK_STREAM, IPPROTO_TCP },
		{ "udp", SOCK_DGRAM, IPPROTO_UDP },
		{ "sctp", SOCK_STREAM, IPPROTO_SCTP },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	fprintf(stderr, "probe: '%s' is not tcp, udp or sctp\n", name);
	exit(2);
}

/* IPv6 with IPv4 mapped into it where the kernel has it, else IPv4. */
static int bind_any(const struct transport *by, uint16_t port)
{
	struct sockaddr_in6 any6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in any4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET6, by->type | SOCK_CLOEXEC, by->protocol);
	int on = 1;

	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
		bind(fd, (struct sockaddr *)&any6, sizeof(any6)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	fd = socket(AF_INET, by->type | SOCK_CLOEXEC, by->protocol);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
		bind(fd, (struct sockaddr *)&any4, sizeof(any4)) < 0)
		return -1;
	return fd;
}

static int run_listen(char **args)
{
	const struct transport *by = find_transport(args[0]);
	bool stream = by->type == SOCK_STREAM;
	int fd = bind_any(by, (uint16_t)number(args[1]));

	signal(SIGTERM, end);
	signal(SIGPIPE, SIG_IGN);
	if (fd < 0 || (stream && listen(fd, 128) < 0))
		return failed("listen");
	puts("ready");
	(stream ? serve_stream : serve_udp)(fd, args[2]);
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

/* "ask HOST PORT [udp|sctp]"; an answer by connection ends with it. */
static int run_ask(char **args)
{
	uint16_t port = (uint16_t)number(args[1]);
	struct sockaddr_storage server;
	socklen_t length = make_address(args[0], port, &server);
	struct timeval patience = { .tv_sec = 5 };
	const struct transport *by = find_transport(args[2] ? args[2] : "tcp");
	struct addresses found;
	int fd;

	if (!length) {
		if (look_up(args[0], DNS_TYPE_A, &found))
			return 1;
		length = make_address(found.items[0], port, &server);
	}
	fd = socket(server.ss_family, by->type | SOCK_CLOEXEC, by->protocol);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		return failed("socket");
	if (connect(fd, (struct sockaddr *)&server, length) < 0)
		return failed("connect");
	return (by->type == SOCK_DGRAM ? print_datagram : print_stream)(fd);
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
	{ "listen", 3, "tcp|udp|sctp PORT TEXT", run_listen },
	{ "ask", 2, "HOST PORT [udp|sctp]", run_ask },
	{ "resolve", 1, "NAME", run_resolve },
	{ "resolve6", 1, "NAME", run_resolve6 },
	{ "reverse", 1, "ADDRESS", run_reverse },
	{ "raw-socket", 0, "", run_raw_socket },
	{ "ifaces", 0, "", run_ifaces },
	{ 0 },
};
