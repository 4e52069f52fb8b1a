/* SPDX-License-Identifier: GPL-2.0-or-later
 * log_address.h - where log messages go, and the other words of syslog's options.
 * May depend on: engine/base/, log_forward.h. */
#ifndef MYCOMPOSE_SUPERVISOR_LOG_ADDRESS_H
#define MYCOMPOSE_SUPERVISOR_LOG_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "engine/base/errors.h"
#include "engine/supervisor/log_forward.h"

struct log_address {
	int type; /* SOCK_DGRAM, SOCK_STREAM */
	struct sockaddr_storage address;
	socklen_t length;
	bool is_local; /* a Unix socket */
};

/* "unix:///dev/log", "unixgram://PATH", "udp://HOST[:514]", "tcp://HOST:PORT". HOST is a numeric
 * address or localhost: looking a name up could make the supervisor wait. -EINVAL. */
int log_address_parse(const char *text, struct log_address *ret, struct error *err);
/* NULL when there is nothing to be said but the default: RFC 3164, whose local form has no host.
 * -EINVAL. */
int syslog_format_parse(
	const char *text, bool is_local, enum syslog_format *ret, struct error *err);
/* "daemon", "local0" … or a number; NULL = daemon. -EINVAL. */
int syslog_facility(const char *text, unsigned int *ret, struct error *err);

#endif
