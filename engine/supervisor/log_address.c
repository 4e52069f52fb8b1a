/* SPDX-License-Identifier: GPL-2.0-or-later
 * log_address.c - the words of syslog's options. */
#include "engine/supervisor/log_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include "engine/base/memory.h"
#include "engine/base/numbers.h"

#define SYSLOG_PORT "514"

static int set_path(const char *path, struct log_address *ret, struct error *err)
{
	struct sockaddr_un *address = (struct sockaddr_un *)&ret->address;

	if (path[0] != '/' || strlen(path) >= sizeof(address->sun_path))
		return error_set(err, -EINVAL, "'%s' is no absolute path of a socket", path);
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, path, strlen(path) + 1);
	ret->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1);
	ret->is_local = true;
	return 0;
}

/* "[::1]:514", "127.0.0.1:514", "localhost", "::1". *ret_host is heap. */
static int split_host(const char *text, char **ret_host, const char **ret_port, struct error *err)
{
	const char *colon = strrchr(text, ':');

	*ret_port = SYSLOG_PORT;
	if (text[0] == '[') {
		const char *close = strchr(text, ']');

		if (!close || (close[1] && close[1] != ':'))
			return error_set(err, -EINVAL, "'%s' is no host and port", text);
		if (close[1])
			*ret_port = close + 2;
		*ret_host = xstrndup(text + 1, (size_t)(close - text - 1));
	} else if (colon && colon == strchr(text, ':')) {
		*ret_port = colon + 1;
		*ret_host = xstrndup(text, (size_t)(colon - text));
	} else {
		*ret_host = xstrdup(text);
	}
	return 0;
}

static int set_host(const char *text, struct log_address *ret, struct error *err)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&ret->address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&ret->address;
	cleanup_free char *host = NULL;
	const char *port, *number;
	uint64_t value;
	int r = split_host(text, &host, &port, err);

	if (r < 0)
		return r;
	if (parse_u64(port, 1, 65535, &value) < 0)
		return error_set(err, -EINVAL, "'%s' is no port", port);
	number = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
	if (inet_pton(AF_INET, number, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)value);
		ret->length = sizeof(*v4);
	} else if (inet_pton(AF_INET6, number, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)value);
		ret->length = sizeof(*v6);
	} else {
		return error_set(
			err, -EINVAL, "'%s' is neither localhost nor a numeric address", host);
	}
	return 0;
}

int log_address_parse(const char *text, struct log_address *ret, struct error *err)
{
	static const struct {
		const char *scheme;
		int type;
		int (*set)(const char *rest, struct log_address *ret, struct error *err);
	} schemes[] = {
		{ "unix://", SOCK_DGRAM, set_path },
		{ "unixgram://", SOCK_DGRAM, set_path },
		{ "udp://", SOCK_DGRAM, set_host },
		{ "tcp://", SOCK_STREAM, set_host },
	};

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		size_t length = strlen(schemes[i].scheme);
		struct log_address address = { .type = schemes[i].type };
		int r;

		if (strncmp(text, schemes[i].scheme, length) != 0)
			continue;
		r = schemes[i].set(text + length, &address, err);
		if (r == 0)
			*ret = address;
		return r;
	}
	return error_set(err, -EINVAL,
		"'%s' does not begin with unix://, unixgram://, udp:// or tcp://", text);
}

int syslog_format_parse(const char *text, bool is_local, enum syslog_format *ret, struct error *err)
{
	static const struct {
		const char *name;
		enum syslog_format format;
	} formats[] = {
		{ "rfc3164", SYSLOG_RFC3164 },
		{ "rfc5424", SYSLOG_RFC5424 },
		{ "rfc5424micro", SYSLOG_RFC5424_MICRO },
	};

	if (!text) {
		*ret = is_local ? SYSLOG_RFC3164_LOCAL : SYSLOG_RFC3164;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		if (strcmp(formats[i].name, text) != 0)
			continue;
		*ret = formats[i].format;
		return 0;
	}
	return error_set(err, -EINVAL, "'%s' is none of rfc3164, rfc5424, rfc5424micro", text);
}

/* RFC 5424 section 6.2.1, by the names of syslog(3). */
int syslog_facility(const char *text, unsigned int *ret, struct error *err)
{
	static const char *const names[] = { "kern", "user", "mail", "daemon", "auth", "syslog",
		"lpr", "news", "uucp", "cron", "authpriv", "ftp", NULL, NULL, NULL, NULL, "local0",
		"local1", "local2", "local3", "local4", "local5", "local6", "local7" };
	uint64_t number;

	text = text ? text : "daemon";
	for (unsigned int i = 0; i < ARRAY_LEN(names); i++) {
		if (!names[i] || strcmp(names[i], text) != 0)
			continue;
		*ret = i;
		return 0;
	}
	if (parse_u64(text, 0, ARRAY_LEN(names) - 1, &number) < 0)
		return error_set(err, -EINVAL, "'%s' is no syslog facility", text);
	*ret = (unsigned int)number;
	return 0;
}
