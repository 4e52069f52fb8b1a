/* SPDX-License-Identifier: GPL-2.0-or-later
 * relay.c - the user's terminal joined to a container's: raw mode, window size, bytes both ways. */
#include "engine/supervisor/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "engine/base/memory.h"

/* A pipe or tty that is ready for writing takes so much without blocking (PIPE_BUF). */
#define CHUNK	   4096
#define DRAIN_MAX  (4 << 20)
#define DRAIN_WAIT 1000 /* ms for an out_fd that takes nothing */

/* One direction: at any time it waits either for something to read or for room to write. */
struct flow {
	int from_fd;
	int to_fd;
	struct loop_source *reading;
	struct loop_source *writing;
	relay_filter filter; /* NULL = none */
	void *filter_arg;
	char bytes[CHUNK + RELAY_FILTER_MORE];
	size_t length;
	size_t done;
	void (*ended)(struct relay *relay);
	struct relay *relay;
};

struct relay {
	int in_fd;
	int to_fd;
	bool owns_to_fd; /* a pipe */
	bool ignores_pipe;
	struct sigaction old_pipe;
	bool raw;
	struct termios old_mode;
	/* Duplicates for writing: epoll(7) knows an fd only once, and a pty serves both ways. */
	int to_twin_fd;
	int out_twin_fd;
	struct flow input;
	struct flow output;
};

static void flow_end(struct flow *flow)
{
	loop_remove(flow->reading);
	loop_remove(flow->writing);
	flow->reading = flow->writing = NULL;
	flow->length = flow->done = 0;
	if (flow->ended)
		flow->ended(flow->relay);
}

/* 1 = all written, 0 = no room, -1 = the other side has gone. */
static int flow_write(struct flow *flow)
{
	while (flow->done < flow->length) {
		ssize_t n = write(flow->to_fd, flow->bytes + flow->done, flow->length - flow->done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -1;
		flow->done += (size_t)n;
	}
	flow->length = flow->done = 0;
	return 1;
}

/* Which of the two it waits for. */
static void flow_turn(struct flow *flow)
{
	bool pending = flow->length > 0;

	if (flow->reading)
		loop_modify(flow->reading, pending ? 0 : EPOLLIN);
	if (flow->writing)
		loop_modify(flow->writing, pending ? EPOLLOUT : 0);
}

static void flow_writable(int fd, uint32_t events, void *arg)
{
	struct flow *flow = arg;

	(void)fd;
	(void)events;
	if (flow_write(flow) < 0)
		flow_end(flow);
	else
		flow_turn(flow);
}

static void flow_readable(int fd, uint32_t events, void *arg)
{
	struct flow *flow = arg;
	ssize_t n;

	(void)events;
	n = read(fd, flow->bytes, CHUNK);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		flow_end(flow);
		return;
	}
	flow->length = (size_t)n;
	if (flow->filter)
		flow->length = flow->filter(flow->bytes, flow->length, flow->filter_arg);
	/* The write itself waits until epoll has said that it will not block. */
	flow_turn(flow);
}

static int flow_start(struct flow *flow, struct relay *relay, struct loop *loop, int from_fd,
	int to_fd, struct error *err)
{
	int r;

	flow->relay = relay;
	flow->from_fd = from_fd;
	flow->to_fd = to_fd;
	r = loop_add_fd(loop, from_fd, EPOLLIN, flow_readable, flow, &flow->reading, err);
	if (r == 0)
		r = loop_add_fd(loop, to_fd, 0, flow_writable, flow, &flow->writing, err);
	return r;
}

static void input_ended(struct relay *relay)
{
	/* flow_end has taken the twin out of the loop. */
	close_fd(&relay->to_twin_fd);
	if (relay->owns_to_fd)
		close_fd(&relay->to_fd);
}

void relay_resize(struct relay *relay)
{
	struct winsize size;

	if (relay->raw && relay->to_fd >= 0 && ioctl(relay->in_fd, TIOCGWINSZ, &size) == 0)
		ioctl(relay->to_fd, TIOCSWINSZ, &size);
}

static int make_raw(struct relay *relay, struct error *err)
{
	struct termios mode;

	if (!isatty(relay->in_fd))
		return 0;
	if (tcgetattr(relay->in_fd, &relay->old_mode) < 0)
		return error_sys(err, -errno, "read the terminal's mode");
	mode = relay->old_mode;
	cfmakeraw(&mode);
	if (tcsetattr(relay->in_fd, TCSANOW, &mode) < 0)
		return error_sys(err, -errno, "put the terminal in raw mode");
	relay->raw = true;
	return 0;
}

static bool is_pipe(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

static void set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0 && !(flags & O_NONBLOCK))
		fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

static void ignore_sigpipe(struct relay *relay)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	relay->ignores_pipe = sigaction(SIGPIPE, &ignore, &relay->old_pipe) == 0;
}

int relay_new(struct loop *loop, int in_fd, int to_fd, int from_fd, int out_fd, bool terminal,
	struct relay **ret, struct error *err)
{
	struct relay *relay = xcalloc(1, sizeof(*relay));
	int r = 0;

	relay->in_fd = in_fd;
	relay->to_fd = to_fd;
	relay->owns_to_fd = is_pipe(to_fd);
	relay->to_twin_fd = fcntl(to_fd, F_DUPFD_CLOEXEC, 0);
	relay->out_twin_fd = from_fd >= 0 ? fcntl(out_fd, F_DUPFD_CLOEXEC, 0) : -1;
	relay->input.ended = input_ended;
	ignore_sigpipe(relay);
	if (relay->to_twin_fd < 0 || (from_fd >= 0 && relay->out_twin_fd < 0))
		r = error_sys(err, -errno, "duplicate a file descriptor");
	set_nonblocking(to_fd);
	if (from_fd >= 0)
		set_nonblocking(from_fd);
	if (r == 0)
		r = flow_start(&relay->input, relay, loop, in_fd, relay->to_twin_fd, err);
	if (r == 0 && from_fd >= 0)
		r = flow_start(&relay->output, relay, loop, from_fd, relay->out_twin_fd, err);
	if (r == 0 && terminal)
		r = make_raw(relay, err);
	if (r < 0) {
		relay_free(relay);
		return r;
	}
	relay_resize(relay);
	*ret = relay;
	return 0;
}

void relay_set_filter(struct relay *relay, relay_filter filter, void *arg)
{
	relay->input.filter = filter;
	relay->input.filter_arg = arg;
}

bool relay_holds_input(const struct relay *relay)
{
	return relay->input.length > 0;
}

void relay_drain(struct relay *relay)
{
	struct flow *flow = &relay->output;
	struct pollfd room = { .fd = flow->to_fd, .events = POLLOUT };
	size_t total = 0;

	while (flow->reading && total < DRAIN_MAX) {
		ssize_t n;

		while (flow->length > 0) {
			if (poll(&room, 1, DRAIN_WAIT) <= 0 || flow_write(flow) < 0)
				return;
		}
		n = read(flow->from_fd, flow->bytes, CHUNK);
		if (n <= 0)
			break;
		flow->length = (size_t)n;
		total += (size_t)n;
	}
}

void relay_free(struct relay *relay)
{
	if (!relay)
		return;
	relay->input.ended = NULL;
	flow_end(&relay->input);
	flow_end(&relay->output);
	if (relay->raw)
		tcsetattr(relay->in_fd, TCSANOW, &relay->old_mode);
	if (relay->ignores_pipe)
		sigaction(SIGPIPE, &relay->old_pipe, NULL);
	close_fd(&relay->to_twin_fd);
	close_fd(&relay->out_twin_fd);
	if (relay->owns_to_fd)
		close_fd(&relay->to_fd);
	free(relay);
}
