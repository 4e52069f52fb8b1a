/* SPDX-License-Identifier: GPL-2.0-or-later
 * ip.h - an IPv4 or IPv6 address, or a range of them, where both families are treated alike. Pure.
 * May depend on: libc. */
#ifndef MYCOMPOSE_NET_IP_H
#define MYCOMPOSE_NET_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IP_TEXT 50 /* an IPv6 address, "/128" and NUL */

/* All zero is no address: it stands for "any". */
struct ip_range {
	uint8_t family;	   /* AF_INET, AF_INET6; 0 = none given */
	uint8_t prefix;	   /* 32 or 128: one address */
	uint8_t bytes[16]; /* network order, 4 or 16 of them; the host bits are zero */
};

/* "192.0.2.1", "fd00::1", "172.18.0.0/16", "fd00:1::/64"; host bits are cleared. -EINVAL. */
int ip_parse(const char *text, struct ip_range *ret);
/* The text of "ADDRESS" alone and of "ADDRESS/PREFIX". */
void ip_format(const struct ip_range *ip, char text[static IP_TEXT]);
void ip_format_cidr(const struct ip_range *ip, char text[static IP_TEXT]);
struct ip_range ip_from_v4(uint32_t address, uint8_t prefix);
/* 127.0.0.0/8 or ::1 */
bool ip_is_loopback(const struct ip_range *ip);
uint8_t ip_bits(uint8_t family); /* 32, 128 */

#endif
