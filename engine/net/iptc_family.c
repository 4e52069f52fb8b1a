/* SPDX-License-Identifier: GPL-2.0-or-later
 * iptc_family.c - libip4tc and libip6tc behind one table of calls. */
#include "engine/net/iptc_family.h"

/* The calls that know the type of an entry. */
#define ENTRY_CALLS(prefix, type)                                                            \
	static int prefix##_append_any(                                                      \
		const xt_chainlabel chain, const void *entry, struct xtc_handle *handle)     \
	{                                                                                    \
		return prefix##_append_entry(chain, (const struct type *)entry, handle);     \
	}                                                                                    \
	static int prefix##_insert_any(                                                      \
		const xt_chainlabel chain, const void *entry, struct xtc_handle *handle)     \
	{                                                                                    \
		return prefix##_insert_entry(chain, (const struct type *)entry, 0, handle);  \
	}                                                                                    \
	static const void *prefix##_first_any(const char *chain, struct xtc_handle *handle)  \
	{                                                                                    \
		return prefix##_first_rule(chain, handle);                                   \
	}                                                                                    \
	static const void *prefix##_next_any(const void *entry, struct xtc_handle *handle)   \
	{                                                                                    \
		return prefix##_next_rule((const struct type *)entry, handle);               \
	}                                                                                    \
	static const char *prefix##_target_any(const void *entry, struct xtc_handle *handle) \
	{                                                                                    \
		return prefix##_get_target((const struct type *)entry, handle);              \
	}
ENTRY_CALLS(iptc, ipt_entry)
ENTRY_CALLS(ip6tc, ip6t_entry)

#define FAMILY_CALLS(prefix)                                                               \
	.init = prefix##_init, .free = prefix##_free, .commit = prefix##_commit,           \
	.strerror = prefix##_strerror, .is_chain = prefix##_is_chain,                      \
	.create_chain = prefix##_create_chain, .delete_chain = prefix##_delete_chain,      \
	.flush = prefix##_flush_entries, .policy = prefix##_get_policy,                    \
	.references = prefix##_get_references, .delete_number = prefix##_delete_num_entry, \
	.append = prefix##_append_any, .insert_first = prefix##_insert_any,                \
	.first = prefix##_first_any, .next = prefix##_next_any, .target = prefix##_target_any

const struct iptc_family iptc_families[FIREWALL_FAMILIES] = {
	[FIREWALL_V4] = {
		.tool = "iptables",
		.names_file = "/proc/net/ip_tables_names",
		.module = "ip_tables",
		.module_table = "iptable_",
		.entry_size = sizeof(struct ipt_entry),
		.header_size = sizeof(struct ipt_ip),
		.target_offset_at = offsetof(struct ipt_entry, target_offset),
		.next_offset_at = offsetof(struct ipt_entry, next_offset),
		.protocol_at = offsetof(struct ipt_entry, ip.proto),
		FAMILY_CALLS(iptc),
	},
	[FIREWALL_V6] = {
		.tool = "ip6tables",
		.names_file = "/proc/net/ip6_tables_names",
		.module = "ip6_tables",
		.module_table = "ip6table_",
		.entry_size = sizeof(struct ip6t_entry),
		.header_size = sizeof(struct ip6t_ip6),
		.target_offset_at = offsetof(struct ip6t_entry, target_offset),
		.next_offset_at = offsetof(struct ip6t_entry, next_offset),
		.protocol_at = offsetof(struct ip6t_entry, ipv6.proto),
		FAMILY_CALLS(ip6tc),
	},
};
