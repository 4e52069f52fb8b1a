/* SPDX-License-Identifier: GPL-2.0-or-later
 * control.c - drive a group of containers without caring where its supervisor lives. */
#include "engine/supervisor/control.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/base/times.h"
#include "engine/supervisor/detach.h"
#include "engine/supervisor/event.h"
#include "engine/supervisor/frame.h"
#include "engine/supervisor/protocol.h"
#include "engine/supervisor/server.h"

/* How long a supervisor may take to come or to go, or to adopt before it greets. */
#define OPEN_TIMEOUT (30 * NS_PER_SEC)
#define RETRY_DELAY  (5 * NS_PER_MS)
#define RENEW_DELAY  (100 * NS_PER_MS) /* it comes or goes faster than that */
#define SEND_TIMEOUT 30		       /* seconds */

struct control {
	struct supervisor *supervisor; /* local, or NULL */
	int fd;			       /* remote */
	int report_fd;		       /* of a CONTROL_DETACHABLE child */
	uint64_t last_tag;
	struct strbuf input;
	bool has_frame; /* the first of the input is with the caller */
	struct event_queue events;
};

static struct control *control_new(void)
{
	struct control *control = xcalloc(1, sizeof(*control));

	control->fd = -1;
	control->report_fd = -1;
	return control;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	supervisor_free(control->supervisor);
	close_fd(&control->fd);
	close_fd(&control->report_fd);
	strbuf_release(&control->input);
	event_queue_release(&control->events);
	free(control);
}

static int left_ms(int64_t deadline_ns)
{
	int64_t left = deadline_ns - time_monotonic();

	if (left <= 0)
		return 0;
	left = (left + NS_PER_MS - 1) / NS_PER_MS;
	return left > INT_MAX ? INT_MAX : (int)left;
}

/* Read once what the supervisor has sent; 0 = nothing within the time. */
static int receive(struct control *control, int timeout_ms, struct error *err)
{
	struct pollfd readable = { .fd = control->fd, .events = POLLIN };
	char chunk[4096];
	ssize_t n;
	int r = poll(&readable, 1, timeout_ms);

	if (r == 0 || (r < 0 && errno == EINTR))
		return 0;
	if (r < 0)
		return error_sys(err, -errno, "poll");
	n = recv(control->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0 && errno != ECONNRESET)
		return error_sys(err, -errno, "read from the supervisor");
	if (n <= 0)
		return error_set(err, -ECONNRESET, "the supervisor went away");
	strbuf_add(&control->input, chunk, (size_t)n);
	return 1;
}

/* A connection counts from the greeting on: before it, the supervisor may just be ending. */
static int await_greeting(struct control *control, int64_t deadline_ns, struct error *err)
{
	const char *payload;
	size_t length;
	int r;

	while ((r = frame_peek(&control->input, &payload, &length, err)) == 0) {
		r = receive(control, left_ms(deadline_ns), err);
		if (r < 0)
			return r;
		if (r == 0 && left_ms(deadline_ns) == 0)
			return error_set(err, -ETIMEDOUT, "does not answer");
	}
	if (r > 0)
		r = protocol_parse_greeting(payload, length, err);
	if (r == 0)
		frame_drop(&control->input);
	return r;
}

/* -ENOENT: no socket; -ECONNREFUSED: a dead one. */
static int connect_socket(int group_fd, int *ret_fd, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval timeout = { .tv_sec = SEND_TIMEOUT };
	cleanup_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return error_sys(err, -errno, "make a socket");
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", group_fd,
		CONTROL_SOCKET_NAME);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_sys(err, -errno, "connect to the supervisor");
	*ret_fd = steal_fd(&fd);
	return 0;
}

static bool is_absence(int code)
{
	return code == -ENOENT || code == -ECONNREFUSED || code == -ECONNRESET || code == -EPIPE;
}

static int connect_remote(
	struct control *control, int group_fd, int64_t deadline_ns, struct error *err)
{
	int r = connect_socket(group_fd, &control->fd, err);

	if (r == 0)
		r = await_greeting(control, deadline_ns, err);
	if (r < 0) {
		close_fd(&control->fd);
		strbuf_release(&control->input);
	}
	return r;
}

/* Is somebody holding the lock? Then a supervisor is coming or going. */
static bool is_supervised(int group_fd)
{
	cleanup_fd int fd = openat(group_fd, SUPERVISOR_LOCK_NAME, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

/* It lives, and nobody can connect: somebody may have removed its socket. */
static void ask_for_socket(int group_fd)
{
	cleanup_fd int pidfd = lock_holder(group_fd, SUPERVISOR_LOCK_NAME, NULL);

	if (pidfd >= 0)
		syscall(SYS_pidfd_send_signal, pidfd, SUPERVISOR_RENEW_SIGNAL, NULL, 0);
}

struct opening {
	const struct engine *engine;
	const char *group;
	enum control_mode mode;
	const struct supervisor_hooks *hooks;
	int64_t deadline_ns;
	int64_t renew_ns; /* when to ask for a socket, next */
};

/* One attempt to become the supervisor. The fork comes before the lock is taken: the parent would
 * hold it as well. */
static int become(struct control *control, const struct opening *opening, struct error *err)
{
	int r = 0;

	if (opening->mode == CONTROL_DETACHABLE && control->report_fd < 0)
		r = detach_fork(&control->report_fd, err);
	if (r == 0)
		r = supervisor_new(
			opening->engine, opening->group, opening->hooks, &control->supervisor, err);
	return r;
}

/* One attempt by either way; -EAGAIN: somebody is coming or going. */
static int attempt(struct control *control, struct opening *opening, struct error *err)
{
	cleanup_free char *path = xasprintf("groups/%s", opening->group);
	cleanup_fd int group_fd =
		openat(opening->engine->run_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = -ENOENT;

	if (group_fd < 0 && errno != ENOENT)
		return error_sys(err, -errno, "open '%s/%s'", opening->engine->run_path, path);
	if (group_fd >= 0)
		r = connect_remote(control, group_fd, opening->deadline_ns, err);
	if (r == 0 || !is_absence(r))
		return r;
	if (group_fd >= 0 && is_supervised(group_fd)) {
		if (time_monotonic() >= opening->renew_ns) {
			ask_for_socket(group_fd);
			opening->renew_ns = time_monotonic() + RENEW_DELAY;
		}
		return -EAGAIN;
	}
	if (opening->mode == CONTROL_CONNECT_ONLY)
		return error_set(err, -ENOENT, "no supervisor runs");
	r = become(control, opening, err);
	return r == -EWOULDBLOCK ? -EAGAIN : r;
}

int control_open(const struct engine *engine, const char *group, enum control_mode mode,
	const struct supervisor_hooks *hooks, struct control **ret, struct error *err)
{
	const struct timespec nap = { .tv_nsec = RETRY_DELAY };
	struct opening opening = { engine, group, mode, hooks, time_monotonic() + OPEN_TIMEOUT,
		time_monotonic() + RENEW_DELAY };
	struct control *control = control_new();
	int r;

	while ((r = attempt(control, &opening, err)) == -EAGAIN) {
		if (left_ms(opening.deadline_ns) == 0) {
			r = error_set(err, -ETIMEDOUT, "neither answers nor ends");
			break;
		}
		nanosleep(&nap, NULL);
	}
	if (r < 0) {
		control_free(control);
		error_wrap(err, "supervisor of '%s'", group);
		return r;
	}
	*ret = control;
	return 0;
}

struct supervisor *control_supervisor(struct control *control)
{
	return control->supervisor;
}

int control_fd(const struct control *control)
{
	return control->supervisor ? loop_fd(supervisor_loop(control->supervisor)) : control->fd;
}

void control_await_end(struct control *control, int timeout_ms)
{
	struct ucred peer = { 0 };
	socklen_t size = sizeof(peer);
	cleanup_fd int pidfd = -1;
	struct pollfd ended = { .events = POLLIN };

	if (control->supervisor || control->fd < 0 ||
		getsockopt(control->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return;
	/* It lives as long as we are connected: the pid cannot have been given to another. */
	pidfd = (int)syscall(SYS_pidfd_open, peer.pid, 0);
	close_fd(&control->fd);
	ended.fd = pidfd;
	if (pidfd >= 0)
		poll(&ended, 1, timeout_ms);
}

static int send_all(struct control *control, const struct strbuf *frame, struct error *err)
{
	size_t done = 0;

	while (done < frame->length) {
		ssize_t n =
			send(control->fd, frame->data + done, frame->length - done, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return error_set(err, -ECONNRESET, "the supervisor went away");
		if (n < 0)
			return error_sys(err, -errno, "send to the supervisor");
		done += (size_t)n;
	}
	return 0;
}

int control_submit(struct control *control, const struct request *request, uint64_t *ret_tag,
	struct error *err)
{
	uint64_t tag = ++control->last_tag;
	cleanup_strbuf struct strbuf frame = STRBUF_INIT;
	int r = 0;

	if (control->supervisor) {
		supervisor_submit(control->supervisor, request, tag);
	} else {
		r = protocol_put_request(&frame, request, tag, err);
		if (r == 0)
			r = send_all(control, &frame, err);
	}
	if (r == 0 && ret_tag)
		*ret_tag = tag;
	return r;
}

/* 1 = an event was in what has come. */
static int take_event(struct control *control, struct event *ret, struct error *err)
{
	const char *payload;
	size_t length;
	int r = frame_peek(&control->input, &payload, &length, err);

	if (r <= 0)
		return r;
	r = protocol_parse_event(payload, length, ret, err);
	frame_drop(&control->input);
	if (r < 0)
		error_wrap(err, "answer of the supervisor");
	return r < 0 ? r : 1;
}

/* The next event that is not in the queue of the put-aside ones. */
static int next_event(
	struct control *control, int64_t deadline_ns, struct event *ret, struct error *err)
{
	for (;;) {
		int timeout_ms = deadline_ns < 0 ? -1 : left_ms(deadline_ns), r;

		if (control->supervisor) {
			if (supervisor_next_event(control->supervisor, ret))
				return 1;
			r = loop_run_once(supervisor_loop(control->supervisor), timeout_ms, err);
			if (r >= 0 && supervisor_next_event(control->supervisor, ret))
				return 1;
		} else {
			r = take_event(control, ret, err);
			if (r != 0)
				return r;
			r = receive(control, timeout_ms, err);
			if (r > 0)
				continue;
		}
		if (r < 0)
			return r;
		if (deadline_ns >= 0 && left_ms(deadline_ns) == 0)
			return 0;
	}
}

int control_wait(struct control *control, int timeout_ms, struct event *ret, struct error *err)
{
	int64_t deadline_ns = timeout_ms < 0 ? -1 : time_monotonic() + timeout_ms * NS_PER_MS;

	if (event_queue_pop(&control->events, ret))
		return 1;
	return next_event(control, deadline_ns, ret, err);
}

int control_call(struct control *control, const struct request *request, struct error *err)
{
	struct event event;
	uint64_t tag;
	int r = control_submit(control, request, &tag, err);

	while (r >= 0) {
		r = next_event(control, -1, &event, err);
		if (r <= 0)
			continue;
		if (event.kind == EVENT_REPLY && event.tag == tag)
			break;
		event_queue_push(&control->events, &event);
	}
	if (r < 0)
		return r;
	return event.error.code ? error_move(err, &event.error) : 0;
}

int control_attach(struct control *control, const char *id, struct error *err)
{
	struct request request = { .operation = OPERATION_ATTACH, .timeout_ns = -1 };
	int r;

	if (control->supervisor)
		return error_set(err, -EINVAL, "only a connection can become a stream");
	snprintf(request.id, sizeof(request.id), "%s", id);
	r = control_call(control, &request, err);
	if (r < 0)
		return r;
	return fcntl(control->fd, F_SETFL, O_NONBLOCK) < 0 ? error_sys(err, -errno, "fcntl") : 0;
}

ssize_t control_attached_read(struct control *control, const char **ret_bytes, struct error *err)
{
	size_t length;
	int r;

	if (control->has_frame)
		frame_drop(&control->input);
	control->has_frame = false;
	while ((r = frame_peek(&control->input, ret_bytes, &length, err)) == 0) {
		r = receive(control, 0, err);
		if (r == -ECONNRESET) {
			error_release(err);
			return 0;
		}
		if (r <= 0)
			return r < 0 ? r : -EAGAIN;
	}
	if (r < 0)
		return r;
	control->has_frame = true;
	return (ssize_t)length;
}

static int run_detached(struct control *control, int exit_code)
{
	cleanup_error struct error err = ERROR_INIT;

	/* Whatever fails from here on has no terminal to be told on. */
	detach_finish(&control->report_fd, exit_code, &err);
	event_queue_release(&control->events);
	supervisor_run(control->supervisor, &err);
	control_free(control);
	return 0;
}

int control_finish(
	struct control *control, int exit_code, void (*before_detach)(void *arg), void *arg)
{
	struct supervisor *supervisor = control->supervisor;

	if (!supervisor || control->report_fd < 0)
		return exit_code;
	if (supervisor_active(supervisor) == 0 && supervisor_clients(supervisor) == 0)
		return exit_code;
	if (before_detach)
		before_detach(arg);
	_exit(run_detached(control, exit_code));
}
