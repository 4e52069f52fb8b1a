/* SPDX-License-Identifier: GPL-2.0-or-later
 * iptc_family.c - libip4tc and libip6tc behind one table of calls. */
#include "engine/net/iptc_family.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>

#include "engine/base/library.h"
#include "engine/base/memory.h"

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
	},
};

/* With the names that the libraries' ABI has had since iptables 1.8. */
static const struct {
	const char *library;
	const char *package; /* in Debian */
	const char *prefix;  /* of the calls' names */
} libraries[FIREWALL_FAMILIES] = {
	[FIREWALL_V4] = { "libip4tc.so.2", "libip4tc2", "iptc_" },
	[FIREWALL_V6] = { "libip6tc.so.2", "libip6tc2", "ip6tc_" },
};

#define CALL(name)                                       \
	{                                                \
#name, offsetof(struct iptc_calls, name) \
	}
static const struct library_call calls[] = {
	CALL(init),
	CALL(free),
	CALL(commit),
	CALL(strerror),
	CALL(is_chain),
	CALL(create_chain),
	CALL(delete_chain),
	CALL(flush_entries),
	CALL(get_policy),
	CALL(get_references),
	CALL(delete_num_entry),
	CALL(append_entry),
	CALL(insert_entry),
	CALL(first_rule),
	CALL(next_rule),
	CALL(get_target),
};

static int load(enum firewall_family family, struct iptc_calls *ret, struct error *err)
{
	void *library = dlopen(libraries[family].library, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	const char *missing;

	if (!library)
		return error_set(err, -EOPNOTSUPP, "tables of %s need %s (Debian: %s): %s",
			iptc_families[family].tool, libraries[family].library,
			libraries[family].package, dlerror());
	missing = library_resolve(library, libraries[family].prefix, calls, ARRAY_LEN(calls), ret);
	return missing ? error_set(err, -EOPNOTSUPP, "%s is too old: %s", libraries[family].library,
				 missing)
		       : 0;
}

const struct iptc_calls *iptc_load(enum firewall_family family, struct error *err)
{
	static struct iptc_calls loaded[FIREWALL_FAMILIES];

	/* Set last, see library_resolve. */
	if (!loaded[family].init && load(family, &loaded[family], err) < 0)
		return NULL;
	return &loaded[family];
}
