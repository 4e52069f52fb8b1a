/* SPDX-License-Identifier: GPL-2.0-or-later
 * ip_text.h - IP addresses and subnets as texts: are they well formed, do they lie in each other?
 * May depend on: engine/base/. */
#ifndef MYCOMPOSE_COMPOSE_IP_TEXT_H
#define MYCOMPOSE_COMPOSE_IP_TEXT_H

#include <stdbool.h>

struct ip_text {
	int family; /* AF_INET, AF_INET6 */
	unsigned char bytes[16];
	unsigned int prefix; /* bits; all of them for a single address */
};

/* "10.1.0.4", "fd00::1". */
bool ip_text_parse(const char *text, struct ip_text *ret);
/* "10.1.0.0/16"; the prefix must be there. */
bool ip_text_parse_subnet(const char *text, struct ip_text *ret);
/* Does `inner`, an address or a subnet, lie in `outer`? */
bool ip_text_contains(const struct ip_text *outer, const struct ip_text *inner);

bool ip_text_is_ipv6(const struct ip_text *address);
/* 0.0.0.0 or ::, which mean every address of their family. */
bool ip_text_is_any(const struct ip_text *address);
/* The address in its one canonical form, in `buf`. */
#define IP_TEXT_SIZE 46
const char *ip_text_print(const struct ip_text *address, char buf[static IP_TEXT_SIZE]);

#endif
