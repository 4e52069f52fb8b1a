/* SPDX-License-Identifier: GPL-2.0-or-later
 * iptc_family.h - libip4tc and libip6tc, which are the same library twice, behind one table of
 * calls; and where their rules keep what both have. Entries are struct ipt_entry or ip6t_entry.
 * Only the iptc files include it. */
#ifndef MYCOMPOSE_NET_IPTC_FAMILY_H
#define MYCOMPOSE_NET_IPTC_FAMILY_H

#include <libiptc/libip6tc.h>
#include <libiptc/libiptc.h>

#include "engine/net/firewall.h"

/* As libiptc's own of the names: NULL or 0 and errno on failure. */
struct iptc_family {
	const char *tool;	/* what users know it by */
	const char *names_file; /* the tables this netns has; there when the kernel can have any */
	const char *module;	/* and "<module_table>filter" is the module of that table */
	const char *module_table;
	size_t entry_size;
	size_t header_size; /* what is compared of the entry itself: addresses, interfaces */
	size_t target_offset_at;
	size_t next_offset_at;
	size_t protocol_at;

	struct xtc_handle *(*init)(const char *table);
	void (*free)(struct xtc_handle *handle);
	int (*commit)(struct xtc_handle *handle);
	const char *(*strerror)(int code);
	int (*is_chain)(const char *chain, struct xtc_handle *handle);
	int (*create_chain)(const xt_chainlabel chain, struct xtc_handle *handle);
	int (*delete_chain)(const xt_chainlabel chain, struct xtc_handle *handle);
	int (*flush)(const xt_chainlabel chain, struct xtc_handle *handle);
	const char *(*policy)(
		const char *chain, struct xt_counters *counters, struct xtc_handle *handle);
	int (*references)(unsigned int *ret, const xt_chainlabel chain, struct xtc_handle *handle);
	int (*delete_number)(
		const xt_chainlabel chain, unsigned int number, struct xtc_handle *handle);
	int (*append)(const xt_chainlabel chain, const void *entry, struct xtc_handle *handle);
	int (*insert_first)(
		const xt_chainlabel chain, const void *entry, struct xtc_handle *handle);
	const void *(*first)(const char *chain, struct xtc_handle *handle);
	const void *(*next)(const void *entry, struct xtc_handle *handle);
	const char *(*target)(const void *entry, struct xtc_handle *handle);
};

extern const struct iptc_family iptc_families[FIREWALL_FAMILIES];

static inline uint16_t entry_number(const void *entry, size_t at)
{
	return *(const uint16_t *)((const char *)entry + at);
}

#endif
