/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolver_upstream.h - the resolvers that other names are asked at.
 * May depend on: engine/base/. Format: resolv.conf(5). */
#ifndef MYCOMPOSE_NET_RESOLVER_UPSTREAM_H
#define MYCOMPOSE_NET_RESOLVER_UPSTREAM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define UPSTREAMS_MAX 3 /* resolv.conf(5) MAXNS */

struct upstreams {
	struct sockaddr_storage servers[UPSTREAMS_MAX];
	size_t count;
};

/* The host's, with what tells whether the file has changed. */
struct host_upstreams {
	struct upstreams list;
	struct stat read_from;
	int64_t checked_ns;
};

/* An address literal, IPv6 ones with "%interface" if they need it; others are passed over. */
void upstreams_add(struct upstreams *upstreams, const char *text);
/* The "nameserver" lines of a resolv.conf. */
void upstreams_parse(struct upstreams *upstreams, char *text);
/* Read /etc/resolv.conf again if it has changed; looks at most once a second. */
void host_upstreams_update(struct host_upstreams *host, int64_t now_ns);

#endif
