/* SPDX-License-Identifier: GPL-2.0-or-later
 * viewers.c - clients that have joined a container's terminal: they see what it shows, as it comes,
 * and type into it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/times.h"
#include "engine/supervisor/minded.h"

/* Who takes nothing for so long is left behind: until then the terminal waits, as one does for its
 * user's Ctrl-S. */
#define STALL_TIMEOUT (10 * NS_PER_SEC)

struct viewer {
	struct minded *minded;
	uint64_t client;
	struct loop_timer *stall_timer; /* it is full */
	size_t pending;			/* bytes kept for it when that was set */
	struct viewer *next;
};

static struct server *server_of(const struct viewer *viewer)
{
	return viewer->minded->supervisor->server;
}

static void viewer_free(struct viewer *viewer)
{
	struct viewer **link = &viewer->minded->viewers;

	while (*link != viewer)
		link = &(*link)->next;
	*link = viewer->next;
	loop_cancel(viewer->stall_timer);
	free(viewer);
}

static void terminal_has_room(int fd, uint32_t events, void *arg)
{
	struct minded *minded = arg;

	(void)fd;
	(void)events;
	loop_remove(minded->typing_source);
	minded->typing_source = NULL;
	close_fd(&minded->typing_fd);
	for (struct viewer *viewer = minded->viewers, *next; viewer; viewer = next) {
		next = viewer->next;
		server_stream_go_on(server_of(viewer), viewer->client);
	}
}

/* The container reads nothing at the moment. By a duplicate: epoll(7) knows an fd only once, and
 * the terminal's is watched for reading. */
static bool await_room(struct minded *minded)
{
	if (minded->typing_source)
		return true;
	minded->typing_fd = fcntl(minded->outputs[LOG_STDOUT].fd, F_DUPFD_CLOEXEC, 0);
	if (minded->typing_fd < 0)
		return false;
	if (loop_add_fd(minded->supervisor->loop, minded->typing_fd, EPOLLOUT, terminal_has_room,
		    minded, &minded->typing_source, NULL) == 0)
		return true;
	close_fd(&minded->typing_fd);
	return false;
}

static size_t on_input(const char *bytes, size_t length, void *arg)
{
	struct viewer *viewer = arg;
	struct minded *minded = viewer->minded;
	size_t done = 0;

	while (done < length) {
		ssize_t n = write(minded->outputs[LOG_STDOUT].fd, bytes + done, length - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN && await_room(minded))
			return done;
		if (n < 0)
			return length; /* nobody has it open: typed into the void */
		done += (size_t)n;
	}
	return done;
}

static void on_room(void *arg)
{
	struct viewer *viewer = arg;

	loop_cancel(viewer->stall_timer);
	viewer->stall_timer = NULL;
	output_read_on(viewer->minded);
}

static void on_gone(void *arg)
{
	struct viewer *viewer = arg;
	struct minded *minded = viewer->minded;

	viewer_free(viewer);
	output_read_on(minded);
}

static void watch_stall(struct viewer *viewer);

static void stalled(void *arg)
{
	struct viewer *viewer = arg;

	viewer->stall_timer = NULL;
	if (server_stream_pending(server_of(viewer), viewer->client) < viewer->pending)
		watch_stall(viewer);
	else
		server_drop(server_of(viewer), viewer->client);
}

static void watch_stall(struct viewer *viewer)
{
	viewer->pending = server_stream_pending(server_of(viewer), viewer->client);
	viewer->stall_timer =
		loop_add_timer(viewer->minded->supervisor->loop, STALL_TIMEOUT, stalled, viewer);
}

static int find_terminal(const struct minded *minded, struct error *err)
{
	const struct container *container = minded->container;
	int fd = minded->outputs[LOG_STDOUT].fd;

	if (minded->phase != MINDED_RUNNING)
		return error_set(err, -ESRCH, "Container %s is not running", container->name);
	if (!container->spec.terminal)
		return error_set(err, -ENOTTY, "Container %s has no terminal", container->name);
	if (fd < 0)
		return error_set(err, -EIO,
			"the terminal of container %s went with the supervisor that held it",
			container->name);
	return fd;
}

int viewer_join(struct minded *minded, const struct origin *origin, struct error *err)
{
	static const struct server_stream stream = { on_input, on_room, on_gone };
	struct supervisor *supervisor = minded->supervisor;
	struct viewer *viewer;
	int r = find_terminal(minded, err);

	if (r < 0)
		return r;
	if (!origin->client)
		return error_set(err, -EINVAL, "only a connection can become a stream");
	supervisor_reply(supervisor, origin, minded->container->id, NULL);
	viewer = xcalloc(1, sizeof(*viewer));
	if (server_stream_begin(supervisor->server, origin->client, &stream, viewer, NULL) < 0) {
		free(viewer);
		return 1;
	}
	viewer->minded = minded;
	viewer->client = origin->client;
	viewer->next = minded->viewers;
	minded->viewers = viewer;
	return 1;
}

int viewers_resize(struct minded *minded, const struct request *request, struct error *err)
{
	const struct winsize size = { .ws_row = request->rows, .ws_col = request->columns };
	int fd = find_terminal(minded, err);

	if (fd < 0)
		return fd;
	if (ioctl(fd, TIOCSWINSZ, &size) < 0)
		return error_sys(err, -errno, "resize the terminal of container %s",
			minded->container->name);
	return 0;
}

void viewers_show(struct minded *minded, const char *bytes, size_t length)
{
	for (struct viewer *viewer = minded->viewers, *next; viewer; viewer = next) {
		next = viewer->next;
		if (server_stream_send(server_of(viewer), viewer->client, bytes, length) &&
			!viewer->stall_timer)
			watch_stall(viewer);
	}
}

bool viewers_are_full(const struct minded *minded)
{
	for (const struct viewer *viewer = minded->viewers; viewer; viewer = viewer->next)
		if (viewer->stall_timer)
			return true;
	return false;
}

void viewers_end(struct minded *minded)
{
	while (minded->viewers) {
		struct viewer *viewer = minded->viewers;

		server_stream_end(server_of(viewer), viewer->client);
		viewer_free(viewer);
	}
	loop_remove(minded->typing_source);
	minded->typing_source = NULL;
	close_fd(&minded->typing_fd);
}
