/* SPDX-License-Identifier: GPL-2.0-or-later
 * spool.c - keep what the reader does not take. */
#include "cmd/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"

#define FULL (1 << 20)
#define ROOM (FULL / 2) /* not at every byte: the writer would be woken and stopped in turns */

struct spool {
	struct spool_options options;
	int fd;	    /* ours, or the caller's */
	int own_fd; /* -1 = the caller's is used */
	struct loop_source *source;
	struct strbuf kept;
	bool was_full;
	bool gone;
	FILE *stream;
};

/* O_NONBLOCK belongs to the open file description, which is shared with the user's shell: a pipe or
 * a terminal is opened once more for ourselves. What has a position (a file), or cannot be opened
 * again (a socket), is used as it is. */
static int open_again(int fd)
{
	cleanup_free char *path = xasprintf("/proc/self/fd/%d", fd);
	struct stat st;

	if (fstat(fd, &st) < 0 || !(S_ISFIFO(st.st_mode) || isatty(fd)))
		return -1;
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static void lose(struct spool *spool, bool reader_gone)
{
	strbuf_release(&spool->kept);
	loop_modify(spool->source, 0);
	if (!reader_gone || spool->gone)
		return;
	spool->gone = true;
	if (spool->options.reader_gone)
		spool->options.reader_gone(spool->options.arg);
}

/* A descriptor that may block takes PIPE_BUF bytes without doing so once poll(2) says it is ready.
 */
static ssize_t write_some(const struct spool *spool, size_t done)
{
	struct pollfd room = { .fd = spool->fd, .events = POLLOUT };
	size_t length = spool->kept.length - done;

	if (spool->own_fd < 0) {
		if (poll(&room, 1, 0) <= 0)
			return -EAGAIN;
		length = length < PIPE_BUF ? length : PIPE_BUF;
	}
	ssize_t n = write(spool->fd, spool->kept.data + done, length);

	return n < 0 ? -errno : n;
}

static void spool_write(struct spool *spool)
{
	size_t done = 0;

	/* Not more in one go: others in the loop want their turn. */
	while (done < spool->kept.length && done < FULL) {
		ssize_t n = write_some(spool, done);

		if (n == -EINTR)
			continue;
		if (n == -EAGAIN)
			break;
		if (n < 0) {
			lose(spool, n == -EPIPE);
			return;
		}
		done += (size_t)n;
	}
	strbuf_consume(&spool->kept, done);
	if (spool->kept.length == 0)
		strbuf_release(&spool->kept);
	loop_modify(spool->source, spool->kept.length ? EPOLLOUT : 0);
}

static void on_writable(int fd, uint32_t events, void *arg)
{
	struct spool *spool = arg;

	(void)fd;
	(void)events;
	spool_write(spool);
	if (!spool->was_full || spool->kept.length > ROOM)
		return;
	spool->was_full = false;
	if (spool->options.has_room)
		spool->options.has_room(spool->options.arg);
}

/* While something is kept, only the loop writes: else a stopped reader would be tried each time. */
static ssize_t on_stream_write(void *arg, const char *bytes, size_t length)
{
	struct spool *spool = arg;
	bool waiting = spool->kept.length > 0;

	if (spool->gone)
		return (ssize_t)length;
	strbuf_add(&spool->kept, bytes, length);
	if (!waiting)
		spool_write(spool);
	spool->was_full = spool->was_full || spool_is_full(spool);
	return (ssize_t)length;
}

int spool_new(struct loop *loop, int fd, const struct spool_options *options, struct spool **ret,
	struct error *err)
{
	struct spool *spool = xcalloc(1, sizeof(*spool));
	const cookie_io_functions_t functions = { .write = on_stream_write };
	int r;

	spool->options = *options;
	spool->own_fd = open_again(fd);
	spool->fd = spool->own_fd >= 0 ? spool->own_fd : fd;
	r = loop_add_fd(loop, spool->fd, 0, on_writable, spool, &spool->source, err);
	if (r == 0) {
		spool->stream = fopencookie(spool, "w", functions);
		if (!spool->stream)
			r = error_sys(err, -errno, "open an output stream");
	}
	if (r < 0) {
		spool_free(spool);
		return r;
	}
	*ret = spool;
	return 0;
}

void spool_free(struct spool *spool)
{
	if (!spool)
		return;
	if (spool->stream)
		fclose(spool->stream);
	loop_remove(spool->source);
	close_fd(&spool->own_fd);
	strbuf_release(&spool->kept);
	free(spool);
}

FILE *spool_stream(struct spool *spool)
{
	return spool->stream;
}

bool spool_is_full(const struct spool *spool)
{
	return spool->kept.length >= FULL;
}

bool spool_is_empty(const struct spool *spool)
{
	return spool->kept.length == 0;
}
