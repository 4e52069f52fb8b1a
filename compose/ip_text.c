/* SPDX-License-Identifier: GPL-2.0-or-later
 * ip_text.c - IP addresses and subnets as texts. */
#include "compose/ip_text.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "engine/base/numbers.h"

static unsigned int family_bits(int family)
{
	return family == AF_INET ? 32 : 128;
}

bool ip_text_parse(const char *text, struct ip_text *ret)
{
	struct ip_text address = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };

	if (inet_pton(address.family, text, address.bytes) != 1)
		return false;
	address.prefix = family_bits(address.family);
	*ret = address;
	return true;
}

bool ip_text_parse_subnet(const char *text, struct ip_text *ret)
{
	char buf[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	struct ip_text subnet;
	uint64_t prefix;

	if (!slash || (size_t)(slash - text) >= sizeof(buf))
		return false;
	memcpy(buf, text, (size_t)(slash - text));
	buf[slash - text] = '\0';
	if (!ip_text_parse(buf, &subnet) ||
		parse_u64(slash + 1, 0, family_bits(subnet.family), &prefix) < 0)
		return false;
	subnet.prefix = (unsigned int)prefix;
	*ret = subnet;
	return true;
}

bool ip_text_contains(const struct ip_text *outer, const struct ip_text *inner)
{
	size_t whole = outer->prefix / 8;
	unsigned int rest = outer->prefix % 8;

	if (outer->family != inner->family || inner->prefix < outer->prefix ||
		memcmp(outer->bytes, inner->bytes, whole) != 0)
		return false;
	return rest == 0 || (outer->bytes[whole] ^ inner->bytes[whole]) >> (8 - rest) == 0;
}

bool ip_text_is_ipv6(const struct ip_text *address)
{
	return address->family == AF_INET6;
}

bool ip_text_is_any(const struct ip_text *address)
{
	static const unsigned char zeros[16];

	return memcmp(address->bytes, zeros, sizeof(zeros)) == 0;
}

const char *ip_text_print(const struct ip_text *address, char buf[static IP_TEXT_SIZE])
{
	return inet_ntop(address->family, address->bytes, buf, IP_TEXT_SIZE);
}
