/* SPDX-License-Identifier: GPL-2.0-or-later
 * ip.c - an IPv4 or IPv6 address, or a range of them. */
#include "engine/net/ip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/numbers.h"

uint8_t ip_bits(uint8_t family)
{
	return family == AF_INET6 ? 128 : 32;
}

static void host_bits_clear(struct ip_range *ip)
{
	for (size_t i = 0; i < sizeof(ip->bytes); i++) {
		size_t first = i * 8;

		if (ip->prefix <= first)
			ip->bytes[i] = 0;
		else if (ip->prefix < first + 8)
			ip->bytes[i] &= (uint8_t)(0xff << (first + 8 - ip->prefix));
	}
}

struct ip_range ip_from_v4(uint32_t address, uint8_t prefix)
{
	struct ip_range ip = { .family = AF_INET, .prefix = prefix };

	address = htonl(address);
	memcpy(ip.bytes, &address, sizeof(address));
	host_bits_clear(&ip);
	return ip;
}

bool ip_is_loopback(const struct ip_range *ip)
{
	static const uint8_t v6[16] = { [15] = 1 };

	if (ip->family == AF_INET)
		return ip->bytes[0] == 127;
	return ip->family == AF_INET6 && memcmp(ip->bytes, v6, sizeof(v6)) == 0;
}

int ip_parse(const char *text, struct ip_range *ret)
{
	const char *slash = text ? strchr(text, '/') : NULL;
	size_t length = !text ? 0 : slash ? (size_t)(slash - text) : strlen(text);
	struct ip_range ip = { 0 };
	char address[INET6_ADDRSTRLEN];
	uint64_t prefix;

	if (!length || length >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, length);
	address[length] = '\0';
	ip.family = strchr(address, ':') ? AF_INET6 : AF_INET;
	prefix = ip_bits(ip.family);
	if (inet_pton(ip.family, address, ip.bytes) != 1 ||
		(slash && parse_u64(slash + 1, 0, prefix, &prefix) < 0))
		return -EINVAL;
	ip.prefix = (uint8_t)prefix;
	host_bits_clear(&ip);
	*ret = ip;
	return 0;
}

void ip_format(const struct ip_range *ip, char text[static IP_TEXT])
{
	if (!ip->family || !inet_ntop(ip->family, ip->bytes, text, IP_TEXT))
		text[0] = '\0';
}

void ip_format_cidr(const struct ip_range *ip, char text[static IP_TEXT])
{
	size_t length;

	ip_format(ip, text);
	length = strlen(text);
	snprintf(text + length, IP_TEXT - length, "/%u", ip->prefix);
}
