/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolver.h - the name service: answers DNS on the gateway addresses of networks for the
 * containers in them. May depend on: engine/base/, network.h. RFC 1035, RFC 6891 (EDNS), RFC 7766
 * (TCP).
 *
 * A query is answered by who asks: the source address names the container, and names of all its
 * networks are answered with A records (replicas in rotation; AAAA of a known name: empty NOERROR),
 * PTR for their addresses. Other names go to the host's resolvers (from /etc/resolv.conf, read
 * again when it changes; loopback ones are reached from the host's netns, so they work) unless
 * every network of the asking container is internal (then NXDOMAIN). The object owns its sockets
 * and has no loop: the supervisor polls resolver_fd() (an epoll fd) and calls resolver_run(). The
 * table comes from the endpoint records, re-read when they change (inotify). An endpoint's own
 * `dns` takes the place of the host's resolvers.
 *
 * The sockets have a port the kernel chose; the firewall leads port 53 of the gateway there, so
 * that a DNS server of the host, or a published port 53, may have 53. resolver_add brings the
 * firewall up to date for that. Only one process can serve a network's gateway (a flock, see
 * resolver_claim.h); resolver_add on a served network succeeds and keeps trying quietly at each
 * resolver_run/timeout: the server may belong to another project that shares the network, and this
 * one takes over when that ends. */
#ifndef MYCOMPOSE_NET_RESOLVER_H
#define MYCOMPOSE_NET_RESOLVER_H

#include "engine/base/errors.h"
#include "engine/net/network.h"

struct resolver;

int resolver_new(const struct engine *engine, struct resolver **ret, struct error *err);
void resolver_free(struct resolver *resolver);
/* Serve this network from now on (idempotent) / stop serving it (the rules go with the next
 * firewall_sync). The network's bridge need not be up yet. */
int resolver_add(struct resolver *resolver, const char *network, struct error *err);
void resolver_remove(struct resolver *resolver, const char *network);
/* Serve one container inside its netns, on RESOLVER_INSIDE: for those whose networks' gateways are
 * not the host (macvlan, ipvlan). `process_fd` is a pidfd or an fd of the netns and stays the
 * caller's. A container that is served already is served anew: it has a new netns. */
#define RESOLVER_INSIDE "127.0.0.11"
int resolver_add_inside(struct resolver *resolver, const char *network, const char *container_id,
	int process_fd, struct error *err);
void resolver_remove_inside(struct resolver *resolver, const char *container_id);
int resolver_fd(const struct resolver *resolver);
/* Handle what is ready, and time-outs. Never blocks on a container or a resolver; taking over from
 * another process waits for the xtables lock as any change of the firewall does. */
void resolver_run(struct resolver *resolver);
/* Milliseconds until resolver_run must be called even if nothing is ready; -1 = no need. */
int resolver_timeout_ms(const struct resolver *resolver);

#endif
