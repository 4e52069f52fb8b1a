/* SPDX-License-Identifier: GPL-2.0-or-later
 * room.h - what the files of this room share: the lock, where records lie, small questions about a
 * network. Nobody outside includes it.
 *
 *   <data>/networks/NAME.json                  the network
 *   <run>/networks.lock                        held while any of this is changed
 *   <run>/networks/NAME/ID.json                the endpoint of container ID
 *   <run>/networks/NAME/addresses/ADDRESS      symlink to ID: the address is taken
 *   <run>/networks/NAME/addresses/cursor       the address given last
 *   <run>/networks/NAME/resolver               flock of the process that serves names; its port
 *   <run>/networks/.containers/ID/NAME         container ID has an endpoint in NAME
 *
 * The two indexes make allocation and release independent of how many endpoints there are. They are
 * written before the record and removed after it, so that one without a record is merely stale. */
#ifndef MYCOMPOSE_NET_ROOM_H
#define MYCOMPOSE_NET_ROOM_H

#include "engine/net/address.h"
#include "engine/net/address6.h"
#include "engine/net/netlink.h"
#include "engine/net/network.h"

#define RECORD_LIMIT	(1 << 20) /* bytes of one record */
#define ROOM_LOCK	"networks.lock"
#define CONTAINERS_PATH "networks/.containers"
#define INTERFACE_TEXT	16 /* IFNAMSIZ */

/* Returns the fd that holds the lock. */
int room_lock(const struct engine *engine, struct error *err);

/* What the driver options say. Pointers go into the options. */
struct network_traits {
	const char *bridge;
	uint32_t mtu;
	bool no_icc;	    /* containers of this network may not talk to each other */
	bool no_masquerade; /* their own addresses leave the host */
	const char *host_binding;
	const char *interface_prefix;
	const char *parent; /* macvlan, ipvlan */
	uint32_t mode;	    /* MACVLAN_MODE_*, IPVLAN_MODE_* */
	uint32_t flags;	    /* IPVLAN_F_* */
};
/* -EOPNOTSUPP for one the driver does not have, -EINVAL for a value that is none of it. */
int network_options_read(
	const char *driver, char *const *options, struct network_traits *ret, struct error *err);
/* Those of a bridge. */
int network_traits_read(char *const *options, struct network_traits *ret, struct error *err);
bool interface_name_is_valid(const char *name);

/* The record as it is on disk; built-in networks that were never used have none (-ENOENT). */
int network_read(
	const struct engine *engine, const char *name, struct network **ret, struct error *err);
/* All records, built-in ones only where on disk. */
int network_read_all(
	const struct engine *engine, struct network ***ret, size_t *ret_count, struct error *err);
/* What the request comes to, with everything chosen that it leaves open; made nowhere yet. The
 * lock must be held. `fixed_id` is a built-in network's, else NULL. */
int network_plan(const struct engine *engine, const struct network_request *request,
	const char *fixed_id, struct network **ret, struct error *err);
bool network_is_bridge(const struct network *network);
bool network_has_addresses(const struct network *network);   /* of any driver */
struct subnet network_subnet(const struct network *network); /* prefix 0 = no IPv4 */
uint32_t network_gateway(const struct network *network);
struct subnet6 network_subnet6(const struct network *network); /* prefix 0 = no IPv6 */
struct in6_addr network_gateway6(const struct network *network);
/* An ipvlan of layer 3: the way out is the link itself. */
bool network_is_routed(const struct network *network);
/* Host ends of the network's veths carry this link group, so that one request deletes them all, and
 * the container's ID as their alias. */
uint32_t network_group(const struct network *network);
/* Delete the bridge and the veths that dying netns have not taken along yet. Without a bridge: 0.
 */
int network_links_delete(const struct network *network, struct error *err);
/* network_up with a handle the caller has; *ret_index is the bridge's. */
int network_bridge_up(const struct engine *engine, struct netlink *netlink,
	const struct network *network, uint32_t *ret_index, struct error *err);
/* macvlan and ipvlan: the parent's index, made (VLAN, or a dummy for a network that has none) when
 * it is not there. */
int network_parent_up(struct netlink *netlink, const struct network *network, uint32_t *ret_index,
	struct error *err);
/* Delete the parent if network_parent_up made it and no other network is on it. */
int network_parent_down(
	const struct engine *engine, const struct network *network, struct error *err);
/* How the endpoint's host end sits on the bridge, but for the bridge's index. */
struct bridge_port endpoint_port(
	const struct endpoint *endpoint, const struct network_traits *traits);

/* One network's side of the run root, opened for a change. */
struct ledger {
	int dir_fd;
	int addresses_fd;
};
int ledger_open(
	const struct engine *engine, const char *network, struct ledger *ret, struct error *err);
void ledger_close(struct ledger *ledger);
/* Claim an address of each family the network has: what is asked for, else what `present` has, else
 * from the pool. *ret_text is heap; NULL when the network has none of the family. */
int endpoint_claim4(const struct ledger *ledger, const struct network *network,
	const struct endpoint_request *request, const struct endpoint *present, char **ret_text,
	struct error *err);
int endpoint_claim6(const struct ledger *ledger, const struct network *network,
	const struct endpoint_request *request, const struct endpoint *present, char **ret_text,
	struct error *err);
/* "sysctl of an interface" as driver options have it: checked, and with the interface put in. */
bool endpoint_sysctl_is_valid(const char *text);
/* The record file's name. */
void endpoint_file_name(char name[static 256], const char *container_id);

/* Opens <run>/networks/NAME; -ENOENT when it is not there. */
int endpoints_open(const struct engine *engine, const char *network, struct error *err);
/* -ENOENT without a message when there is none. */
int endpoint_read(int dir_fd, const char *container_id, struct endpoint *ret, struct error *err);
/* The container's id from the name of a record file; NULL if it is no such name. Heap. */
char *endpoint_file_id(const char *file_name);

/* Write a sysctl unless it has the value. 1 = changed; 0 = was so, or the kernel has none. */
int switch_set(const char *path, const char *value, struct error *err);
/* No IPv6 on the interface and no belief in router advertisements; before it comes up. */
int ipv6_off(const char *interface, struct error *err);
/* IPv6, and still no belief in router advertisements. -EAFNOSUPPORT without IPv6 in the kernel. */
int ipv6_on(const char *interface, struct error *err);

/* firewall_sync for who holds the lock. -EWOULDBLOCK: somebody else holds the lock of the kernel's
 * tables, and ours should not be held for as long as that may last. */
int firewall_sync_locked(const struct engine *engine, struct error *err);
/* Repeat a step that takes our lock and ends in firewall_sync_locked until that is not in the way.
 */
int firewall_patiently(const struct engine *engine,
	int (*step)(const struct engine *engine, const char *name, struct error *err),
	const char *name, struct error *err);
/* The UDP and TCP port on which the gateway's name service listens; 0 = nobody serves. */
uint16_t resolver_port_read(int dir_fd);

#endif
