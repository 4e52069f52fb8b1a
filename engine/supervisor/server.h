/* SPDX-License-Identifier: GPL-2.0-or-later
 * server.h - the control socket: accepts clients, reads requests, sends events.
 * May depend on: protocol.h, loop.h. Never blocks: a client that does not read loses its connection
 * when its bounded queue is full, one that stops in the middle of a frame after some seconds. */
#ifndef MYCOMPOSE_SUPERVISOR_SERVER_H
#define MYCOMPOSE_SUPERVISOR_SERVER_H

#include <stdbool.h>
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

/* A client's connection may become a stream: it carries no requests, replies and events any more,
 * but bytes that the client sends, and frames of bytes (frame.h) that are sent to it. */
struct server_stream {
	/* Takes from the front what it can; when that is not all, the rest comes again after
	 * server_stream_go_on, and nothing more is read until then. */
	size_t (*input)(const char *bytes, size_t length, void *arg);
	/* It was full, and is no longer. */
	void (*has_room)(void *arg);
	/* The client has gone, or was dropped; not after server_stream_end. */
	void (*gone)(void *arg);
};
/* `stream` stays the caller's. -ESRCH: the client has gone. */
int server_stream_begin(struct server *server, uint64_t client, const struct server_stream *stream,
	void *arg, struct error *err);
/* Returns whether it is full now: more is kept for it than one with manners adds to. */
bool server_stream_send(struct server *server, uint64_t client, const char *bytes, size_t length);
size_t server_stream_pending(const struct server *server, uint64_t client); /* bytes kept for it */
void server_stream_go_on(struct server *server, uint64_t client);
/* It gets what is kept for it, if it reads that in time, then the end. */
void server_stream_end(struct server *server, uint64_t client);
void server_drop(struct server *server, uint64_t client);

void server_send(struct server *server, uint64_t client, const struct event *event);
void server_broadcast(struct server *server, const struct event *event);
/* Take in everybody who has connected so far. */
void server_accept(struct server *server);
size_t server_clients(const struct server *server);

#endif
