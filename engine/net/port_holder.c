/* SPDX-License-Identifier: GPL-2.0-or-later
 * port_holder.c - who has a host port that we could not get. */
#include "engine/net/port_holder.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/ascii.h"
#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"
#include "engine/net/ip.h"
#include "engine/net/room.h"

#define SOCKET_LIST_LIMIT (16 << 20)
#define TCP_LISTEN	  0x0a /* include/net/tcp_states.h */

static const struct socket_list {
	const char *path;
	const char *protocol;
	bool listening_only;
} socket_lists[] = {
	{ "/proc/net/tcp", "tcp", true },
	{ "/proc/net/tcp6", "tcp", true },
	{ "/proc/net/udp", "udp", false },
	{ "/proc/net/udp6", "udp", false },
};

/* Is this socket's address, as /proc/net/tcp and tcp6 have it (32-bit words as the machine stores
 * them, in hex), in the way of `wanted`? Any address is in the way of each and each of any; a
 * socket on every IPv6 address usually has the IPv4 ones too. */
static bool address_conflicts(const char *hex, const struct ip_range *wanted)
{
	size_t length = strcspn(hex, ":");
	uint32_t words[4] = { 0 };

	if ((length != 8 && length != 32) || strspn(hex, "0") >= length || !wanted->family)
		return length == 8 || length == 32;
	for (size_t i = 0; i < length / 8; i++) {
		char word[9];

		memcpy(word, hex + 8 * i, 8);
		word[8] = '\0';
		words[i] = (uint32_t)strtoul(word, NULL, 16);
	}
	if (wanted->family == AF_INET) /* in tcp6 lines: of a mapped address */
		return memcmp(&words[length / 8 - 1], wanted->bytes, 4) == 0;
	return length == 32 && memcmp(words, wanted->bytes, 16) == 0;
}

/* Inode of the socket in one line if it stands in the way, else 0. proc_net_tcp.rst: "sl: local
 * remote st tx:rx tr:tm retrnsmt uid timeout inode". */
static unsigned long line_inode(const struct socket_list *list, const char *line, uint16_t port,
	const struct ip_range *wanted)
{
	char local[48], *colon;
	unsigned int state;
	unsigned long inode;

	if (sscanf(line, "%*d: %47s %*s %x %*s %*s %*s %*u %*u %lu", local, &state, &inode) != 3)
		return 0;
	colon = strrchr(local, ':');
	if (!colon || strtoul(colon + 1, NULL, 16) != port || !address_conflicts(local, wanted) ||
		(list->listening_only && state != TCP_LISTEN))
		return 0;
	return inode;
}

static unsigned long list_inode(
	const struct socket_list *list, uint16_t port, const struct ip_range *wanted)
{
	cleanup_free char *text = NULL;
	unsigned long inode = 0;
	size_t length;

	if (file_read(AT_FDCWD, list->path, SOCKET_LIST_LIMIT, &text, &length, NULL) < 0)
		return 0;
	for (char *rest = text, *line; !inode && (line = strtok_r(rest, "\n", &rest));)
		inode = line_inode(list, line, port, wanted);
	return inode;
}

static bool process_has(int proc_fd, const char *pid, const char *wanted)
{
	char path[64], link[64];
	bool found = false;
	DIR *dir;
	int fd;

	snprintf(path, sizeof(path), "%.16s/fd", pid);
	fd = openat(proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return false;
	}
	for (struct dirent *entry; !found && (entry = readdir(dir));) {
		ssize_t length = readlinkat(fd, entry->d_name, link, sizeof(link) - 1);

		if (length < 0)
			continue;
		link[length] = '\0';
		found = strcmp(link, wanted) == 0;
	}
	closedir(dir);
	return found;
}

/* Heap: "nginx (pid 123)"; NULL when no process shows it (another pid namespace, the kernel). */
static char *process_of_inode(unsigned long inode)
{
	cleanup_free char *wanted = xasprintf("socket:[%lu]", inode);
	cleanup_fd int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_strv char **names = NULL;

	if (proc_fd < 0 || dir_list(proc_fd, ".", &names, NULL) < 0)
		return NULL;
	for (size_t i = 0; names && names[i]; i++) {
		cleanup_free char *comm = NULL;
		char path[64];
		size_t length;

		if (!ascii_is_digit(names[i][0]) || !process_has(proc_fd, names[i], wanted))
			continue;
		snprintf(path, sizeof(path), "%.16s/comm", names[i]);
		if (file_read(proc_fd, path, 256, &comm, &length, NULL) < 0)
			return xasprintf("pid %s", names[i]);
		comm[strcspn(comm, "\n")] = '\0';
		return xasprintf("%s (pid %s)", comm, names[i]);
	}
	return NULL;
}

static char *process_holding(const struct published_port *port, const struct ip_range *wanted)
{
	for (size_t i = 0; i < ARRAY_LEN(socket_lists); i++) {
		unsigned long inode;

		if (strcmp(socket_lists[i].protocol, port->protocol) != 0)
			continue;
		inode = list_inode(&socket_lists[i], port->host_port, wanted);
		if (inode)
			return process_of_inode(inode);
	}
	return NULL;
}

/* Family 0: every address of both. "0.0.0.0" and "::" are every one of their own. */
static struct ip_range host_range(const struct published_port *port)
{
	struct ip_range range = { 0 };

	if (port->host_ip)
		ip_parse(port->host_ip, &range);
	return range;
}

static bool is_any(const struct ip_range *range)
{
	static const uint8_t zeros[16];

	return !range->family || memcmp(range->bytes, zeros, sizeof(zeros)) == 0;
}

static bool ranges_conflict(const struct ip_range *a, const struct ip_range *b)
{
	if (a->family && b->family && a->family != b->family)
		return false;
	return is_any(a) || is_any(b) || memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static bool publishes(const struct endpoint *endpoint, const struct published_port *port,
	const struct ip_range *wanted)
{
	for (size_t i = 0; i < endpoint->port_count; i++) {
		const struct published_port *other = &endpoint->ports[i];
		struct ip_range range = host_range(other);

		if (other->host_port == port->host_port &&
			strcmp(other->protocol, port->protocol) == 0 &&
			ranges_conflict(&range, wanted))
			return true;
	}
	return false;
}

static char *container_in(const struct engine *engine, const char *network,
	const struct published_port *port, const struct ip_range *wanted)
{
	struct endpoint *endpoints;
	char *name = NULL;
	size_t count;

	if (endpoint_list(engine, network, &endpoints, &count, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < count && !name; i++)
		if (publishes(&endpoints[i], port, wanted))
			name = xstrdup(endpoints[i].container_name);
	endpoint_list_free(endpoints, count);
	return name;
}

static char *container_holding(const struct engine *engine, const struct published_port *port,
	const struct ip_range *wanted)
{
	struct network **networks;
	char *name = NULL;
	size_t count;

	if (network_read_all(engine, &networks, &count, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < count && !name; i++)
		name = container_in(engine, networks[i]->name, port, wanted);
	network_list_free(networks, count);
	return name;
}

int port_holder_tell(
	const struct engine *engine, const struct published_port *port, struct error *err)
{
	struct ip_range wanted = host_range(port), everywhere = { 0 };
	cleanup_free char *container = container_holding(engine, port, &wanted);
	cleanup_free char *process =
		container ? NULL : process_holding(port, is_any(&wanted) ? &everywhere : &wanted);

	return error_set(err, -EADDRINUSE, "port %u/%s on %s is already in use%s%s",
		port->host_port, port->protocol, port->host_ip ? port->host_ip : "0.0.0.0",
		container ? " by container "
		: process ? " by "
			  : "",
		container ? container
		: process ? process
			  : "");
}
