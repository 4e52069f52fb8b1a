/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolver_upstream.c - the resolvers that other names are asked at. */
#include "engine/net/resolver_upstream.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/times.h"

#define RESOLV_CONF	  "/etc/resolv.conf"
#define RESOLV_CONF_LIMIT (1 << 16)
#define DNS_PORT	  53

static bool parse_ipv6(const char *text, struct sockaddr_in6 *address)
{
	char literal[INET6_ADDRSTRLEN];
	size_t length = strcspn(text, "%");

	if (length >= sizeof(literal))
		return false;
	memcpy(literal, text, length);
	literal[length] = '\0';
	if (text[length])
		address->sin6_scope_id = if_nametoindex(text + length + 1);
	return inet_pton(AF_INET6, literal, &address->sin6_addr) == 1;
}

void upstreams_add(struct upstreams *upstreams, const char *text)
{
	struct sockaddr_in ipv4 = { .sin_family = AF_INET, .sin_port = htons(DNS_PORT) };
	struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6, .sin6_port = htons(DNS_PORT) };
	struct sockaddr_storage *server = &upstreams->servers[upstreams->count];

	if (upstreams->count == UPSTREAMS_MAX)
		return;
	if (inet_pton(AF_INET, text, &ipv4.sin_addr) == 1)
		memcpy(server, &ipv4, sizeof(ipv4));
	else if (parse_ipv6(text, &ipv6))
		memcpy(server, &ipv6, sizeof(ipv6));
	else
		return;
	upstreams->count++;
}

void upstreams_parse(struct upstreams *upstreams, char *text)
{
	for (char *rest = text, *line; (line = strtok_r(rest, "\n", &rest));) {
		char *words, *key = strtok_r(line, " \t\r", &words);
		char *value = key ? strtok_r(NULL, " \t\r", &words) : NULL;

		if (value && strcmp(key, "nameserver") == 0)
			upstreams_add(upstreams, value);
	}
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* An unreadable file leaves what was known: it may be in the middle of being replaced. */
void host_upstreams_update(struct host_upstreams *host, int64_t now_ns)
{
	cleanup_free char *text = NULL;
	struct upstreams list = { .count = 0 };
	struct stat present;
	size_t length;

	if (host->checked_ns && now_ns - host->checked_ns < NS_PER_SEC)
		return;
	host->checked_ns = now_ns;
	if (stat(RESOLV_CONF, &present) < 0 || same_file(&present, &host->read_from) ||
		file_read(AT_FDCWD, RESOLV_CONF, RESOLV_CONF_LIMIT, &text, &length, NULL) < 0)
		return;
	upstreams_parse(&list, text);
	host->list = list;
	host->read_from = present;
}
