/* SPDX-License-Identifier: GPL-2.0-or-later
 * iptc_family.h - libip4tc and libip6tc, which are the same library twice, behind one table of
 * calls; and where their rules keep what both have. Entries are struct ipt_entry or ip6t_entry.
 * Only the iptc files include it.
 *
 * The libraries are loaded when tables are read (dlopen), not linked: few commands write rules, and
 * the two would cost each start of the program a tenth of a millisecond and 80 KiB. */
#ifndef MYCOMPOSE_NET_IPTC_FAMILY_H
#define MYCOMPOSE_NET_IPTC_FAMILY_H

#include <libiptc/libip6tc.h>
#include <libiptc/libiptc.h>

#include "engine/base/errors.h"
#include "engine/net/firewall.h"

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
};
extern const struct iptc_family iptc_families[FIREWALL_FAMILIES];

/* As libiptc's own of the names: NULL or 0 and errno on failure. Entries have no type here. */
struct iptc_calls {
	struct xtc_handle *(*init)(const char *table);
	void (*free)(struct xtc_handle *handle);
	int (*commit)(struct xtc_handle *handle);
	const char *(*strerror)(int code);
	int (*is_chain)(const char *chain, struct xtc_handle *handle);
	int (*create_chain)(const xt_chainlabel chain, struct xtc_handle *handle);
	int (*delete_chain)(const xt_chainlabel chain, struct xtc_handle *handle);
	int (*flush_entries)(const xt_chainlabel chain, struct xtc_handle *handle);
	const char *(*get_policy)(
		const char *chain, struct xt_counters *counters, struct xtc_handle *handle);
	int (*get_references)(
		unsigned int *ret, const xt_chainlabel chain, struct xtc_handle *handle);
	int (*delete_num_entry)(
		const xt_chainlabel chain, unsigned int number, struct xtc_handle *handle);
	int (*append_entry)(
		const xt_chainlabel chain, const void *entry, struct xtc_handle *handle);
	int (*insert_entry)(const xt_chainlabel chain, const void *entry, unsigned int number,
		struct xtc_handle *handle);
	const void *(*first_rule)(const char *chain, struct xtc_handle *handle);
	const void *(*next_rule)(const void *entry, struct xtc_handle *handle);
	const char *(*get_target)(const void *entry, struct xtc_handle *handle);
};

/* The family's library, which stays loaded. NULL: `err` (-EOPNOTSUPP) names the package. */
const struct iptc_calls *iptc_load(enum firewall_family family, struct error *err);

static inline uint16_t entry_number(const void *entry, size_t at)
{
	return *(const uint16_t *)((const char *)entry + at);
}

#endif
