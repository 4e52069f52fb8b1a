/* SPDX-License-Identifier: GPL-2.0-or-later
 * server.c - the control socket: accepts clients, reads requests, sends events. */
#include "engine/supervisor/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/base/times.h"
#include "engine/supervisor/frame.h"
#include "engine/supervisor/protocol.h"

#define CLIENTS_MAX   128
#define OUTPUT_MAX    (1 << 20) /* bytes queued for one client */
#define FRAME_TIMEOUT (10 * NS_PER_SEC)
#define BACKLOG	      128
#define READ_CHUNK    4096
#define STREAM_FULL   (256 << 10) /* bytes kept for a stream, */
#define STREAM_LOW    (64 << 10)  /* and when it counts as full no longer */
#define STREAM_CHUNK  (FRAME_MAX / 2)
#define ACCEPT_PAUSE  (100 * NS_PER_MS)

struct client {
	struct server *server;
	uint64_t id;
	int fd;
	bool dead; /* closed; freed when no handler is using it */
	struct loop_source *source;
	struct strbuf input;
	struct strbuf output;
	struct loop_timer *frame_timer; /* while a frame, or the end of a stream, is incomplete */
	const struct server_stream *stream; /* NULL: requests and events */
	void *stream_arg;
	bool is_full;	/* has_room is to be told */
	bool is_ending; /* when all is written */
	struct client *next;
};

struct server {
	struct loop *loop;
	int dir_fd;
	int fd;
	struct stat name; /* what the socket's name led to */
	struct loop_source *source;
	server_handler handler;
	void *arg;
	uint64_t next_id;
	size_t client_count; /* the living */
	struct client *clients;
	struct loop_timer *reap_timer;
};

static void reap(void *arg)
{
	struct server *server = arg;
	struct client **link = &server->clients;

	server->reap_timer = NULL;
	while (*link) {
		struct client *client = *link;

		if (!client->dead) {
			link = &client->next;
			continue;
		}
		*link = client->next;
		free(client);
	}
}

static void client_close(struct client *client)
{
	struct server *server = client->server;

	if (client->dead)
		return;
	client->dead = true;
	server->client_count--;
	loop_remove(client->source);
	loop_cancel(client->frame_timer);
	client->frame_timer = NULL;
	close_fd(&client->fd);
	strbuf_release(&client->input);
	strbuf_release(&client->output);
	if (!server->reap_timer)
		server->reap_timer = loop_add_timer(server->loop, 0, reap, server);
	if (client->stream && !client->is_ending)
		client->stream->gone(client->stream_arg);
}

/* A stream whose input is not taken is not read any further. */
static void client_watch(struct client *client)
{
	bool holds_input = client->stream && client->input.length > 0;
	bool reads = !holds_input && !client->is_ending;

	loop_modify(client->source, (reads ? EPOLLIN : 0) | (client->output.length ? EPOLLOUT : 0));
}

static void client_write(struct client *client)
{
	while (client->output.length > 0) {
		ssize_t n = send(client->fd, client->output.data, client->output.length,
			MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN) {
			client_close(client);
			return;
		}
		if (n < 0)
			break;
		strbuf_consume(&client->output, (size_t)n);
	}
	if (client->output.length > OUTPUT_MAX) {
		client_close(client);
		return;
	}
	if (client->output.length == 0)
		strbuf_release(&client->output);
	if (client->output.length == 0 && client->is_ending) {
		client_close(client);
		return;
	}
	client_watch(client);
	if (client->is_full && client->output.length <= STREAM_LOW) {
		client->is_full = false;
		client->stream->has_room(client->stream_arg);
	}
}

static void client_send(struct client *client, const struct strbuf *frame)
{
	strbuf_add(&client->output, frame->data, frame->length);
	client_write(client);
}

static void frame_expired(void *arg)
{
	struct client *client = arg;

	client->frame_timer = NULL;
	client_close(client);
}

static void refuse_request(struct client *client, uint64_t tag, struct error *reason)
{
	struct event reply = { .kind = EVENT_REPLY, .tag = tag, .exit_code = -1 };

	reply.time_ns = time_now();
	error_move(&reply.error, reason);
	server_send(client->server, client->id, &reply);
	event_release(&reply);
}

static void client_handle_input(struct client *client)
{
	size_t taken =
		client->stream->input(client->input.data, client->input.length, client->stream_arg);

	if (client->dead || client->is_ending)
		return;
	strbuf_consume(&client->input, taken);
	if (client->input.length == 0)
		strbuf_release(&client->input);
	client_watch(client);
}

static void client_handle_frames(struct client *client)
{
	const char *payload;
	size_t length;
	int r = 0;

	while (!client->dead && !client->stream &&
		(r = frame_peek(&client->input, &payload, &length, NULL)) > 0) {
		cleanup_error struct error reason = ERROR_INIT;
		struct server *server = client->server;
		struct request request;
		uint64_t tag = 0;

		if (protocol_parse_request(payload, length, &request, &tag, &reason) < 0) {
			refuse_request(client, tag, &reason);
			if (tag == 0)
				client_close(client);
		} else {
			server->handler(client->id, tag, &request, server->arg);
		}
		if (!client->dead)
			frame_drop(&client->input);
	}
	if (client->dead || client->is_ending)
		return;
	if (r < 0) {
		client_close(client);
		return;
	}
	loop_cancel(client->frame_timer);
	client->frame_timer = NULL;
	if (client->stream && client->input.length > 0)
		client_handle_input(client);
	else if (client->input.length == 0)
		strbuf_release(&client->input);
	else
		client->frame_timer =
			loop_add_timer(client->server->loop, FRAME_TIMEOUT, frame_expired, client);
}

static void client_ready(int fd, uint32_t events, void *arg)
{
	struct client *client = arg;
	char chunk[READ_CHUNK];
	ssize_t n;

	if (events & EPOLLOUT)
		client_write(client);
	if (client->dead || !(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	if (client->is_ending) {
		client_close(client); /* not asked for input: it has gone */
		return;
	}
	n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		client_close(client);
		return;
	}
	strbuf_add(&client->input, chunk, (size_t)n);
	if (client->stream)
		client_handle_input(client);
	else
		client_handle_frames(client);
}

/* The directory is root's and 0700; this is the second lock on the door. */
static bool peer_is_allowed(int fd)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}

static void client_new(struct server *server, int fd)
{
	cleanup_strbuf struct strbuf greeting = STRBUF_INIT;
	struct client *client = xcalloc(1, sizeof(*client));

	client->server = server;
	client->id = ++server->next_id;
	client->fd = fd;
	if (loop_add_fd(server->loop, fd, EPOLLIN, client_ready, client, &client->source, NULL) <
		0) {
		close(fd);
		free(client);
		return;
	}
	client->next = server->clients;
	server->clients = client;
	server->client_count++;
	protocol_put_greeting(&greeting, NULL);
	client_send(client, &greeting);
}

void server_accept(struct server *server)
{
	for (;;) {
		cleanup_fd int fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0 && errno != EAGAIN) /* no descriptor or memory to spare: they wait */
			loop_pause(server->source, ACCEPT_PAUSE);
		if (fd < 0)
			return;
		if (server->client_count < CLIENTS_MAX && peer_is_allowed(fd))
			client_new(server, steal_fd(&fd));
	}
}

static void listener_ready(int fd, uint32_t events, void *arg)
{
	(void)fd;
	(void)events;
	server_accept(arg);
}

/* sun_path is short and run roots may be deep: the directory goes by its fd. */
static int bind_in(int fd, int dir_fd, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t old_mask;
	int r;

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dir_fd,
		CONTROL_SOCKET_NAME);
	if (unlinkat(dir_fd, CONTROL_SOCKET_NAME, 0) < 0 && errno != ENOENT)
		return error_sys(err, -errno, "remove old control socket");
	old_mask = umask(0177); /* bind(2) makes the file with its final mode */
	r = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	umask(old_mask);
	if (r < 0)
		return error_sys(err, r, "bind control socket");
	if (listen(fd, BACKLOG) < 0)
		return error_sys(err, -errno, "listen on control socket");
	return 0;
}

static int open_listener(int dir_fd, struct stat *ret_name, struct error *err)
{
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return error_sys(err, -errno, "make control socket");
	r = bind_in(fd, dir_fd, err);
	if (r < 0)
		return r;
	if (fstatat(dir_fd, CONTROL_SOCKET_NAME, ret_name, AT_SYMLINK_NOFOLLOW) < 0)
		return error_sys(err, -errno, "control socket");
	return steal_fd(&fd);
}

int server_new(struct loop *loop, int dir_fd, server_handler handler, void *arg,
	struct server **ret, struct error *err)
{
	struct stat name;
	int fd = open_listener(dir_fd, &name, err);
	struct server *server;

	if (fd < 0)
		return fd;
	server = xcalloc(1, sizeof(*server));
	*server = (struct server){ .loop = loop,
		.dir_fd = dir_fd,
		.fd = fd,
		.name = name,
		.handler = handler,
		.arg = arg };
	*ret = server;
	return 0;
}

int server_begin(struct server *server, struct error *err)
{
	return loop_add_fd(
		server->loop, server->fd, EPOLLIN, listener_ready, server, &server->source, err);
}

static bool is_named(const struct server *server)
{
	struct stat now;

	return fstatat(server->dir_fd, CONTROL_SOCKET_NAME, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
	       now.st_dev == server->name.st_dev && now.st_ino == server->name.st_ino;
}

int server_renew(struct server *server, struct error *err)
{
	int fd;

	if (is_named(server))
		return 0;
	fd = open_listener(server->dir_fd, &server->name, err);
	if (fd < 0)
		return fd;
	loop_remove(server->source);
	server->source = NULL;
	close_fd(&server->fd);
	server->fd = fd;
	return server_begin(server, err);
}

void server_free(struct server *server)
{
	if (!server)
		return;
	unlinkat(server->dir_fd, CONTROL_SOCKET_NAME, 0);
	loop_remove(server->source);
	close_fd(&server->fd);
	for (struct client *client = server->clients; client; client = client->next) {
		if (!client->dead)
			client_write(client);
		client_close(client);
	}
	loop_cancel(server->reap_timer);
	reap(server);
	free(server);
}

static struct client *find_client(const struct server *server, uint64_t id)
{
	for (struct client *client = server->clients; client; client = client->next)
		if (client->id == id && !client->dead)
			return client;
	return NULL;
}

int server_stream_begin(struct server *server, uint64_t id, const struct server_stream *stream,
	void *arg, struct error *err)
{
	struct client *client = find_client(server, id);

	if (!client)
		return error_set(err, -ESRCH, "the client has gone");
	client->stream = stream;
	client->stream_arg = arg;
	return 0;
}

bool server_stream_send(struct server *server, uint64_t id, const char *bytes, size_t length)
{
	struct client *client = find_client(server, id);

	if (!client)
		return false;
	while (length > 0) {
		size_t size = length < STREAM_CHUNK ? length : STREAM_CHUNK;

		frame_put(&client->output, bytes, size, NULL);
		bytes += size;
		length -= size;
	}
	client_write(client);
	if (client->dead)
		return false;
	client->is_full |= client->output.length > STREAM_FULL;
	return client->is_full;
}

size_t server_stream_pending(const struct server *server, uint64_t id)
{
	const struct client *client = find_client(server, id);

	return client ? client->output.length : 0;
}

void server_stream_go_on(struct server *server, uint64_t id)
{
	struct client *client = find_client(server, id);

	if (client && client->stream && client->input.length > 0)
		client_handle_input(client);
}

void server_stream_end(struct server *server, uint64_t id)
{
	struct client *client = find_client(server, id);

	if (!client || client->is_ending)
		return;
	client->is_ending = true;
	client->is_full = false;
	loop_cancel(client->frame_timer);
	client->frame_timer = loop_add_timer(server->loop, FRAME_TIMEOUT, frame_expired, client);
	client_write(client);
}

void server_drop(struct server *server, uint64_t id)
{
	struct client *client = find_client(server, id);

	if (client)
		client_close(client);
}

void server_send(struct server *server, uint64_t id, const struct event *event)
{
	cleanup_strbuf struct strbuf frame = STRBUF_INIT;
	struct client *client;

	if (protocol_put_event(&frame, event, NULL) < 0)
		return;
	client = find_client(server, id);
	if (client && !client->stream)
		client_send(client, &frame);
}

void server_broadcast(struct server *server, const struct event *event)
{
	cleanup_strbuf struct strbuf frame = STRBUF_INIT;

	if (server->client_count == 0 || protocol_put_event(&frame, event, NULL) < 0)
		return;
	for (struct client *client = server->clients; client; client = client->next) {
		if (!client->dead && !client->stream)
			client_send(client, &frame);
	}
}

size_t server_clients(const struct server *server)
{
	return server->client_count;
}
