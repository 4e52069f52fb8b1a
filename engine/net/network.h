/* SPDX-License-Identifier: GPL-2.0-or-later
 * network.h - networks, and the attachment (endpoint) of a container to one.
 * May depend on: engine/base/, libnl (in netlink.c only), libiptc (in iptc*.c only),
 * libnftables (in nft_library.c only).
 *
 * A network's record is <data>/networks/NAME.json (what was asked: survives a reboot). Its bridge
 * is made when first needed (network_up) and goes with the network. Endpoints are
 * <run>/networks/NAME/CONTAINER_ID.json: address, names, published ports; they are the address
 * allocation, the "in use" count and the name service's table in one (room.h names the two indexes
 * beside them). Everything is changed under the flock <run>/networks.lock, so address pools, names
 * and firewall agree. The firewall is derived: firewall_sync() reads all records and makes the
 * kernel's own chains equal to them, with one commit per table, and no commit when nothing differs.
 *
 * A published port is a DNAT, which packets pass in FORWARD and not in INPUT: INPUT rules of ufw or
 * firewalld do not close it. The chain MYCOMPOSE-USER is evaluated before every rule of ours and is
 * never flushed by us; a DROP there does. */
#ifndef MYCOMPOSE_NET_NETWORK_H
#define MYCOMPOSE_NET_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/base/errors.h"
#include "engine/engine.h"

struct network {
	char *name;
	char *id;     /* 64 hex */
	char *driver; /* "bridge", "macvlan", "ipvlan"; the built-in ones also "host", "null" (name
			 "none") */
	char *subnet; /* CIDR "172.18.0.0/16"; NULL = no IPv4 (enable_ipv4: false) */
	char *gateway;
	char *ip_range; /* CIDR inside subnet, NULL = whole subnet */
	char *subnet6;	/* CIDR "fd12:3456::/64"; NULL = no IPv6 */
	char *gateway6;
	char *ip_range6;
	bool internal;
	char *bridge;	 /* interface name, at most 15 bytes: "mc-" + 12 hex of the id, or as driver
			    option asked; NULL for other drivers */
	char *parent;	 /* macvlan, ipvlan: the host's interface */
	uint32_t mtu;	 /* 0 = kernel's default */
	char **labels;	 /* "key=value" */
	char **options;	 /* driver options "key=value" */
	char **reserved; /* addresses that no container gets from the pool (aux_addresses) */
	int64_t created_ns;
};
#define cleanup_network __attribute__((cleanup(network_cleanup)))
void network_free(struct network *network);
void network_cleanup(struct network **network);

/* What the caller asks for; NULL fields are chosen (a subnet that avoids the host's routes and all
 * own networks, like docker 172.17+/16 then 192.168.x/20). */
struct network_request {
	const char *name;
	const char *driver; /* NULL = bridge */
	bool no_ipv4;
	const char *subnet;
	const char *gateway;
	const char *ip_range;
	bool ipv6;
	const char *subnet6; /* NULL with ipv6 = a unique local one (RFC 4193) is drawn */
	const char *gateway6;
	const char *ip_range6;
	bool internal;
	char *const *labels;
	char *const *options;  /* known ones only (network_options.c); else -EOPNOTSUPP */
	char *const *reserved; /* addresses inside the subnets, kept out of the pools */
};
/* Put one address pool, as `ipam.config` has it, where its family belongs. -EINVAL when the family
 * has one already: a bridge has one subnet of each. Fields may be NULL or empty. */
int network_request_add_pool(struct network_request *request, const char *subnet,
	const char *gateway, const char *ip_range, struct error *err);
/* Record + bridge + addresses. -EEXIST "network with name X already exists"; overlap, bad CIDR,
 * gateway outside: -EINVAL with the reason. Safe against a kill at any instant: the record is
 * written first, network_remove clears whatever exists. */
int network_create(const struct engine *engine, const struct network_request *request,
	struct network **ret, struct error *err);
/* By name or id (prefix). The built-ins "bridge" (created on first use as a default network, subnet
 * 172.17.0.0/16 when free), "host", "none" are always found. -ENOENT "network X not found". */
int network_find(
	const struct engine *engine, const char *text, struct network **ret, struct error *err);
int network_list(
	const struct engine *engine, struct network ***ret, size_t *ret_count, struct error *err);
void network_list_free(struct network **networks, size_t count);
/* What the driver options say of published ports and interfaces: where a port is published that
 * names no host address (host_binding_ipv4), and what the interfaces are called (eth). Heap, NULL =
 * not said. */
char *network_host_binding(const struct network *network);
char *network_interface_prefix(const struct network *network);
/* Where its containers ask for names: a bridge's gateway address; NULL for other drivers. */
const char *network_resolver_address(const struct network *network);
/* Has it addresses for containers, as all but host and none. */
bool network_takes_containers(const struct network *network);
/* Can ports be published through it: a bridge with a way out. */
bool network_can_publish(const struct network *network);
/* "bridge", "host", "none" */
bool network_is_builtin(const char *name);
/* -EBUSY "network X has active endpoints" (names them); removes bridge, record, firewall parts.
 * Absent: -ENOENT. */
int network_remove(const struct engine *engine, const char *name, struct error *err);
/* Make sure the bridge exists with its address, is up, and host switches (ip_forward,
 * route_localnet of the bridge, no IPv6 RA) are set. Idempotent; after a reboot or after somebody
 * deleted the interface it comes back. */
int network_up(const struct engine *engine, const struct network *network, struct error *err);

/* Does what comes by IPv6 to a port of every address reach the container? Where it has no IPv6 the
 * supervisor relays, but not SCTP, whose messages and streams a relay would lose. */
struct published_port;
bool published_port_has_ipv6(const struct published_port *port, const char *address6);

struct published_port {
	char *host_ip;	      /* NULL = every address; else an IPv4 or IPv6 literal */
	uint16_t host_port;   /* 0 = chosen by port_reserve */
	uint16_t range_first; /* out of these, if not 0; else any ephemeral port */
	uint16_t range_last;
	uint16_t container_port;
	char protocol[5]; /* "tcp", "udp", "sctp" */
	bool both;	  /* set by port_reserve: "every address" includes those of IPv6 */
};

struct endpoint {
	char *network; /* network's name */
	char *container_id;
	char *container_name;
	char **aliases; /* names it answers to in this network, container name included */
	char *address;	/* "172.18.0.2", without prefix length; NULL = no IPv4 here */
	uint8_t prefix_length;
	char *gateway;	/* NULL when internal */
	char *address6; /* NULL = no IPv6 here */
	uint8_t prefix_length6;
	char *gateway6;
	char *mac;		  /* "02:42:ac:12:00:02"; empty = its parent's (ipvlan) */
	char *interface;	  /* inside the container: eth0, eth1 … */
	uint16_t order;		  /* among the container's endpoints */
	int64_t gateway_priority; /* the highest has the default route, of several the first */
	char **link_local;	  /* further addresses, IPv4 or IPv6 */
	char **sysctls;		  /* "net.ipv4.conf.IFNAME.log_martians=1" */
	char **links;		  /* "NAME=CONTAINER": what it alone calls another one here */
	char **dns;		  /* where its other names are asked; NULL = the host's resolvers */
	struct published_port *ports; /* published through this endpoint */
	size_t port_count;
};
void endpoint_release(struct endpoint *endpoint);

struct endpoint_request {
	const char *network;
	const char *container_id;
	const char *container_name;
	char *const *aliases;
	const char *address;   /* static, NULL = from the pool */
	const char *address6;  /* the same */
	const char *mac;       /* NULL = derived from the address, as docker */
	const char *interface; /* "eth0" */
	uint16_t order;
	int64_t gateway_priority;
	char *const *link_local;
	char *const *sysctls;
	char *const *links;
	char *const *dns; /* IPv4 or IPv6 literals, NULL = the host's resolvers */
	const struct published_port *ports;
	size_t port_count;
};
/* Choose or check the address and write the endpoint record. Repeating it for the same container
 * and network keeps its address. The gateway and addresses in use are skipped; a freed address is
 * reused last (next-fit), as docker. -EADDRINUSE / -ENOSPC name the network. */
int endpoint_allocate(const struct engine *engine, const struct endpoint_request *request,
	struct endpoint *ret, struct error *err);
int endpoint_list(const struct engine *engine, const char *network, struct endpoint **ret,
	size_t *ret_count, struct error *err);
void endpoint_list_free(struct endpoint *endpoints, size_t count);
/* All endpoints of one container. */
int endpoint_of_container(const struct engine *engine, const char *container_id,
	struct endpoint **ret, size_t *ret_count, struct error *err);
/* Forget one container's endpoints in every network. The veth goes with its netns. Absent is
 * success. */
int endpoint_release_all(const struct engine *engine, const char *container_id, struct error *err);

/* From the parent: make the veth pair, host end on the bridge and up, the other end straight inside
 * netns_fd under its final name and MAC, still down. One netlink batch for all endpoints of a
 * container. The bridges must be up (network_up). */
int endpoint_attach(const struct engine *engine, const struct endpoint *endpoints, size_t count,
	int netns_fd, struct error *err);
/* In the child, inside its netns, after endpoint_attach and while /proc is still the host's mount
 * (the sysctl files below it follow the reader's netns): IPv6 off, address, up, lo up, default
 * route (through the first endpoint with a gateway). With count 0 only lo. Returns -errno; the
 * error text is only for the step. */
int endpoint_configure(const struct endpoint *endpoints, size_t count, struct error *err);

/* Kernel chains := records. Takes the networks lock and the xtables lock. Removes the own chains
 * when nothing needs them. Returns 1 when something had to be changed, 0 when not. After it, and
 * never before, 127.0.0.1 of the host reaches published ports (route_localnet is only safe behind
 * the rules). */
int firewall_sync(const struct engine *engine, struct error *err);
/* The same for who must not wait: -EWOULDBLOCK when somebody else holds the xtables lock for more
 * than a moment. */
int firewall_try_sync(const struct engine *engine, struct error *err);

/* A bound (tcp: listening) socket that holds a host port. */
struct port_socket {
	int fd;
	size_t port; /* index into the ports it was reserved for */
	bool is_ipv6;
};
/* Reserve host ports by sockets, kept open by the caller for the container's lifetime. Fills in
 * host_port where it is 0 (of a range: the first that is free), and `both`: a port on every address
 * is held in both families where the host has both. -EADDRINUSE: "port 8080/tcp on 0.0.0.0 is
 * already in use by PROCESS (pid N)" or "by container NAME". *ret is heap. On failure nothing is
 * held. */
int port_reserve(const struct engine *engine, struct published_port *ports, size_t count,
	struct port_socket **ret, size_t *ret_count, struct error *err);
/* Close them all; NULL is fine. */
void port_sockets_free(struct port_socket *sockets, size_t count);

#endif
