/* SPDX-License-Identifier: GPL-2.0-or-later
 * server.h - the control socket: accepts clients, reads requests, sends events.
 * May depend on: protocol.h, loop.h. Never blocks: a client that does not read loses its connection
 * when its bounded queue is full, one that stops in the middle of a frame after some seconds. */
#ifndef MYCOMPOSE_SUPERVISOR_SERVER_H
#define MYCOMPOSE_SUPERVISOR_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/errors.h"
#include "engine/supervisor/loop.h"
#include "engine/supervisor/supervisor.h"

#define CONTROL_SOCKET_NAME "control.sock"

struct server;

typedef void (*server_handler)(
	uint64_t client, uint64_t tag, const struct request *request, void *arg);

/* Bind CONTROL_SOCKET_NAME in dir_fd (the caller holds the group's lock, so whatever socket is
 * there is dead) and listen. dir_fd stays the caller's and open. Clients are accepted from
 * server_begin on; until then they wait. */
int server_new(struct loop *loop, int dir_fd, server_handler handler, void *arg,
	struct server **ret, struct error *err);
int server_begin(struct server *server, struct error *err);
/* Where the socket's name has been taken away, or leads to something else: bind it anew. Who is
 * connected stays so. */
int server_renew(struct server *server, struct error *err);
/* Removes the socket, then closes: whoever connects in between sees the end of the connection
 * before the greeting, and tries again. */
void server_free(struct server *server);

void server_send(struct server *server, uint64_t client, const struct event *event);
void server_broadcast(struct server *server, const struct event *event);
/* Take in everybody who has connected so far. */
void server_accept(struct server *server);
size_t server_clients(const struct server *server);

#endif
