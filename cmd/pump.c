/* SPDX-License-Identifier: GPL-2.0-or-later
 * pump.c - copy one stream. */
#include "cmd/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "engine/base/memory.h"

#define CHUNK	  65536
#define DRAIN_MAX 64 /* chunks: more than a pipe or pty holds; a background writer ends it */

struct pump {
	int *from_fd;
	int out_fd;
	struct loop_source *source;
	char bytes[CHUNK];
};

/* Write all; false when the reader has gone. */
static bool write_all(int out_fd, const char *at, size_t length)
{
	while (length) {
		ssize_t n = write(out_fd, at, length);

		if (n < 0 && errno == EAGAIN) {
			/* Somebody we share the stream with made it non-blocking. */
			struct pollfd room = { .fd = out_fd, .events = POLLOUT };

			poll(&room, 1, -1);
			continue;
		}
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			at += n;
			length -= (size_t)n;
		}
	}
	return true;
}

/* 1 = something was read, 0 = nothing at the moment, -1 = the end. */
static int move(struct pump *pump)
{
	ssize_t n = read(*pump->from_fd, pump->bytes, sizeof(pump->bytes));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -1;
	if (write_all(pump->out_fd, pump->bytes, (size_t)n))
		return 1;
	loop_remove(pump->source);
	pump->source = NULL;
	close_fd(pump->from_fd);
	return -1;
}

static void on_readable(int fd, uint32_t events, void *arg)
{
	struct pump *pump = arg;

	(void)fd;
	(void)events;
	if (move(pump) >= 0)
		return;
	loop_remove(pump->source);
	pump->source = NULL;
}

int pump_new(struct loop *loop, int *from_fd, int out_fd, struct pump **ret, struct error *err)
{
	struct pump *pump = xcalloc(1, sizeof(*pump));
	int r;

	pump->from_fd = from_fd;
	pump->out_fd = out_fd;
	fcntl(*from_fd, F_SETFL, fcntl(*from_fd, F_GETFL) | O_NONBLOCK);
	r = loop_add_fd(loop, *from_fd, EPOLLIN, on_readable, pump, &pump->source, err);
	if (r < 0) {
		free(pump);
		return r;
	}
	*ret = pump;
	return 0;
}

void pump_drain(struct pump *pump)
{
	for (int i = 0; *pump->from_fd >= 0 && i < DRAIN_MAX && move(pump) > 0; i++)
		;
}

void pump_free(struct pump *pump)
{
	if (!pump)
		return;
	loop_remove(pump->source);
	free(pump);
}
