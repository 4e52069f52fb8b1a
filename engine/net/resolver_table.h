/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolver_table.h - who is called what, in memory: the endpoint records of the networks that are
 * served, kept up to date by inotify, one record read for each record changed.
 * May depend on: engine/base/, room.h. */
#ifndef MYCOMPOSE_NET_RESOLVER_TABLE_H
#define MYCOMPOSE_NET_RESOLVER_TABLE_H

#include "engine/base/strmap.h"
#include "engine/net/ip.h"
#include "engine/net/room.h"

struct table_host {
	char *container_id;
	char *container_name;
	struct ip_range address; /* family 0 = none of IPv4 */
	struct ip_range address6;
	char **names; /* lower case */
	char **links; /* "name=other", lower case: only for this one when it asks */
	char **dns;
	char *network; /* for PTR; the network's name */
};

/* All hosts that answer to one name in one network. */
struct table_name {
	struct table_host **hosts;
	size_t count;
	uint32_t turn; /* which one is first in the next answer */
};

struct resolver_table;

int resolver_table_new(const struct engine *engine, struct resolver_table **ret, struct error *err);
void resolver_table_free(struct resolver_table *table);
int resolver_table_fd(const struct resolver_table *table); /* readable when something has changed */
/* Take in what has changed. True when a claim file was closed: a server may have gone. */
bool resolver_table_update(struct resolver_table *table);

/* Load a network and keep it loaded. */
int resolver_table_add(struct resolver_table *table, const char *network, struct error *err);
void resolver_table_remove(struct resolver_table *table, const char *network);

/* Who has this address in this network? NULL if nobody. */
const struct table_host *resolver_table_find_asker(
	const struct resolver_table *table, const char *network, const struct ip_range *address);
const struct table_host *resolver_table_find_container(
	const struct resolver_table *table, const char *network, const char *container_id);
/* The name as `asker` means it: by a link of its own, in the network it asks through, else in any
 * other it is in; "name" or "name.network". Networks of the asker that were not loaded are loaded
 * now. */
struct table_name *resolver_table_find_name(struct resolver_table *table, const char *network,
	const struct table_host *asker, const char *name);
/* The host with that address in one of the asker's networks; *ret_own tells whether the address
 * belongs to one of them at all. */
const struct table_host *resolver_table_find_address(const struct resolver_table *table,
	const struct table_host *asker, const struct ip_range *address, bool *ret_own);
/* Has the asker only internal networks? */
bool resolver_table_is_confined(struct resolver_table *table, const struct table_host *asker);

#endif
