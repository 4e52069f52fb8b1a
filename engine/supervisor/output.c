/* SPDX-License-Identifier: GPL-2.0-or-later
 * output.c - what a container writes: FIFOs (or a pty), the log, the hook; and its stdin.
 *
 * The FIFOs are opened for reading and writing on the container's side, so the container itself
 * keeps them alive: when this process dies, writes go on until a FIFO is full, nothing in it is
 * lost, and the next supervisor reads on. What has left a FIFO is in its journal. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/times.h"
#include "engine/supervisor/minded.h"

#define PIPE_SIZE    (1 << 20) /* best effort: pipe(7), pipe-max-size */
#define DRAIN_CHUNKS 64	       /* of READ_BUFFER: more than a FIFO or a pty can hold */

static int open_run_dir(const struct minded *minded, bool make, struct error *err)
{
	cleanup_free char *path = xasprintf("containers/%s", minded->container->id);
	int run_fd = minded->supervisor->engine->run_fd;

	if (make)
		return dir_make_open(run_fd, path, 0700, err);
	return file_open(run_fd, path, O_RDONLY | O_DIRECTORY, 0, err);
}

/* With the first output of a stream; most containers use one alone. A pty has none, since it does
 * not outlive its supervisor either; nor is there one where no log is kept. */
static void begin_journal(struct output *output)
{
	struct minded *minded = output->minded;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_fd int dir_fd = -1;

	if (output->journal.fd >= 0 || output->has_no_journal || !minded->log ||
		minded->container->spec.terminal)
		return;
	dir_fd = open_run_dir(minded, false, &err);
	if (dir_fd < 0 || journal_create(&output->journal, dir_fd, output->stream, &err) < 0)
		log_debug(
			"container %s: no journal: %s", minded->container->name, error_text(&err));
	output->has_no_journal = true; /* never again for this run */
}

/* One read; 0 = nothing there at the moment, -1 = the other side has gone for good. */
static int read_some(struct output *output)
{
	struct minded *minded = output->minded;
	struct supervisor *supervisor = minded->supervisor;
	int64_t now = time_now();
	ssize_t n;

	begin_journal(output);
	n = journal_read(&output->journal, output->fd, supervisor->buffer, READ_BUFFER);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -1; /* a pty says EIO when its last slave is closed */
	minded_log_write(minded, output->stream, now, supervisor->buffer, (size_t)n);
	viewers_show(minded, supervisor->buffer, (size_t)n);
	if (supervisor->hooks.output)
		supervisor->hooks.output(minded->container, output->stream, now, supervisor->buffer,
			(size_t)n, supervisor->hooks.arg);
	return 1;
}

/* The one reader that is slow makes this writer wait, not the loop. */
static void pause_if_full(struct output *output)
{
	const struct supervisor_hooks *hooks = &output->minded->supervisor->hooks;
	bool hook_is_full = hooks->output_is_full && hooks->output_is_full(hooks->arg);

	if (!output->source || (!hook_is_full && !viewers_are_full(output->minded)))
		return;
	output->paused = true;
	loop_modify(output->source, 0);
}

void output_read_on(struct minded *minded)
{
	for (enum log_stream stream = LOG_STDOUT; stream <= LOG_STDERR; stream++) {
		struct output *output = &minded->outputs[stream];

		if (output->paused && output->source)
			loop_modify(output->source, EPOLLIN);
		output->paused = false;
	}
}

static void output_ready(int fd, uint32_t events, void *arg)
{
	struct output *output = arg;

	(void)fd;
	(void)events;
	if (read_some(output) >= 0) {
		pause_if_full(output);
		return;
	}
	/* Every process of it has closed the stream, or has not opened its terminal yet. The fd
	 * stays: a pty slave may be opened again; it is read once more at the end. */
	loop_remove(output->source);
	output->source = NULL;
}

static int watch(struct output *output, struct error *err)
{
	if (output->fd < 0 || output->source)
		return 0;
	return loop_add_fd(output->minded->supervisor->loop, output->fd, EPOLLIN, output_ready,
		output, &output->source, err);
}

static int open_fifo(int dir_fd, const char *name, int flags, struct error *err)
{
	int fd = file_open(dir_fd, name, flags | O_NOFOLLOW, 0, err);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
		return fd;
	close(fd);
	return error_set(err, -EINVAL, "'%s' is no FIFO", name);
}

static int make_fifo(int dir_fd, struct output *output, int *ret_child_fd, struct error *err)
{
	const char *name = log_stream_name(output->stream);
	int fd;

	/* One of an earlier run may still be held by somebody; this run gets its own. */
	if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
		return error_sys(err, -errno, "remove old FIFO '%s'", name);
	if (mkfifoat(dir_fd, name, 0600) < 0)
		return error_sys(err, -errno, "make FIFO '%s'", name);
	journal_remove(dir_fd, output->stream);
	output->has_no_journal = false;
	fd = open_fifo(dir_fd, name, O_RDONLY | O_NONBLOCK, err);
	if (fd < 0)
		return fd;
	output->fd = fd;
	fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);
	fd = open_fifo(dir_fd, name, O_RDWR, err);
	if (fd < 0)
		return fd;
	*ret_child_fd = fd;
	return 0;
}

/* stdin: nothing, or a pipe whose write end waits for a hook. */
static int open_input(struct minded *minded, int *ret_child_fd, struct error *err)
{
	int fds[2];

	if (!minded->container->spec.stdin_open) {
		*ret_child_fd = file_open(AT_FDCWD, "/dev/null", O_RDONLY, 0, err);
		return *ret_child_fd < 0 ? *ret_child_fd : 0;
	}
	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_sys(err, -errno, "make a pipe for stdin");
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	*ret_child_fd = fds[0];
	minded->input_fd = fds[1];
	return 0;
}

int output_prepare(struct minded *minded, struct launch_stdio *ret, struct error *err)
{
	struct launch_stdio stdio = { -1, -1, -1 };
	cleanup_fd int dir_fd = -1;
	int r = 0;

	if (!minded->container->spec.terminal) {
		dir_fd = open_run_dir(minded, true, err);
		r = dir_fd < 0 ? dir_fd : open_input(minded, &stdio.in_fd, err);
		if (r == 0)
			r = make_fifo(dir_fd, &minded->outputs[LOG_STDOUT], &stdio.out_fd, err);
		if (r == 0)
			r = make_fifo(dir_fd, &minded->outputs[LOG_STDERR], &stdio.err_fd, err);
	}
	if (r < 0) {
		output_close_child_side(&stdio);
		output_close(minded);
		return r;
	}
	*ret = stdio;
	return 0;
}

void output_close_child_side(struct launch_stdio *stdio)
{
	close_fd(&stdio->in_fd);
	close_fd(&stdio->out_fd);
	close_fd(&stdio->err_fd);
}

static void hand_out_input(struct minded *minded)
{
	const struct supervisor_hooks *hooks = &minded->supervisor->hooks;

	if (!hooks->input_ready)
		return;
	if (minded->container->spec.terminal)
		hooks->input_ready(minded->container, minded->outputs[LOG_STDOUT].fd, hooks->arg);
	else if (minded->input_fd >= 0)
		hooks->input_ready(minded->container, steal_fd(&minded->input_fd), hooks->arg);
}

int output_begin(struct minded *minded, int console_fd, struct error *err)
{
	int r;

	if (console_fd >= 0) {
		fcntl(console_fd, F_SETFL, fcntl(console_fd, F_GETFL) | O_NONBLOCK);
		minded->outputs[LOG_STDOUT].fd = console_fd;
	}
	r = watch(&minded->outputs[LOG_STDOUT], err);
	if (r == 0)
		r = watch(&minded->outputs[LOG_STDERR], err);
	if (r == 0)
		hand_out_input(minded);
	return r;
}

/* FIFO and journal of a stream as an earlier supervisor has left them. */
static int take_over(struct output *output, int dir_fd, struct error *err)
{
	struct minded *minded = output->minded;
	cleanup_error struct error problem = ERROR_INIT;
	int r = 0;

	if (minded->log)
		r = journal_resume(&output->journal, dir_fd, output->stream, minded->log, &problem);
	if (r < 0 && r != -ENOENT)
		log_warning("container %s: some of its output may be lost: %s",
			minded->container->name, error_text(&problem));
	output->has_no_journal = r < 0 && r != -ENOENT;
	output->fd = open_fifo(dir_fd, log_stream_name(output->stream), O_RDONLY | O_NONBLOCK, err);
	return output->fd < 0 ? output->fd : 0;
}

static int take_over_all(struct minded *minded, struct error *err)
{
	cleanup_fd int dir_fd = -1;
	int r = 0;

	/* The pty master of a terminal container went with its supervisor. */
	if (minded->container->spec.terminal)
		return 0;
	dir_fd = open_run_dir(minded, false, err);
	if (dir_fd < 0)
		return dir_fd;
	for (enum log_stream stream = LOG_STDOUT; r == 0 && stream <= LOG_STDERR; stream++)
		r = take_over(&minded->outputs[stream], dir_fd, err);
	return r;
}

int output_resume(struct minded *minded, struct error *err)
{
	int r = take_over_all(minded, err);

	for (enum log_stream stream = LOG_STDOUT; r == 0 && stream <= LOG_STDERR; stream++)
		r = watch(&minded->outputs[stream], err);
	return r;
}

void output_salvage(struct minded *minded)
{
	cleanup_error struct error err = ERROR_INIT;

	if (minded_log_open(minded, &err) < 0)
		log_warning("container %s: %s", minded->container->name, error_text(&err));
	else if (take_over_all(minded, &err) == 0)
		output_finish(minded);
	output_close(minded);
}

/* A terminal's other side, which its master leads to. */
static void open_terminal(const struct minded *minded, struct launch_stdio *stdio)
{
	int master_fd = minded->outputs[LOG_STDOUT].fd;

	if (master_fd < 0)
		return;
	stdio->out_fd = ioctl(master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (stdio->out_fd >= 0)
		stdio->err_fd = fcntl(stdio->out_fd, F_DUPFD_CLOEXEC, 0);
}

/* Without them it still runs, unheard: a hook's work counts, not its words. */
void output_for_hook(struct minded *minded, struct launch_stdio *ret)
{
	struct launch_stdio stdio = { -1, -1, -1 };
	cleanup_fd int dir_fd = -1;

	if (minded->container->spec.terminal) {
		open_terminal(minded, &stdio);
	} else {
		dir_fd = open_run_dir(minded, false, NULL);
		if (dir_fd >= 0) {
			stdio.out_fd = open_fifo(dir_fd, log_stream_name(LOG_STDOUT), O_RDWR, NULL);
			stdio.err_fd = open_fifo(dir_fd, log_stream_name(LOG_STDERR), O_RDWR, NULL);
		}
	}
	/* The container may have closed its side, which was the end of our reading. */
	for (enum log_stream stream = LOG_STDOUT; stream <= LOG_STDERR; stream++)
		watch(&minded->outputs[stream], NULL);
	*ret = stdio;
}

void output_note(struct minded *minded, const char *text)
{
	struct supervisor *supervisor = minded->supervisor;
	int length = snprintf(supervisor->buffer, READ_BUFFER, "mycompose: %s\n", text);
	size_t size = length < READ_BUFFER ? (size_t)length : READ_BUFFER - 1;
	int64_t now = time_now();

	minded_log_note(minded, LOG_STDERR, now, supervisor->buffer, size);
	if (supervisor->hooks.output)
		supervisor->hooks.output(minded->container, LOG_STDERR, now, supervisor->buffer,
			size, supervisor->hooks.arg);
}

void output_finish(struct minded *minded)
{
	for (enum log_stream stream = LOG_STDOUT; stream <= LOG_STDERR; stream++) {
		struct output *output = &minded->outputs[stream];

		/* Bounded: somebody outside may hold the FIFO and write for ever. */
		for (int i = 0; output->fd >= 0 && i < DRAIN_CHUNKS; i++) {
			if (read_some(output) <= 0)
				break;
		}
	}
	minded_log_flush(minded);
}

void output_close(struct minded *minded)
{
	const struct supervisor_hooks *hooks = &minded->supervisor->hooks;
	bool had_input = minded->container->spec.terminal || minded->container->spec.stdin_open;

	if (had_input && minded->outputs[LOG_STDOUT].fd >= 0 && hooks->input_ready)
		hooks->input_ready(minded->container, -1, hooks->arg);
	viewers_end(minded);
	for (enum log_stream stream = LOG_STDOUT; stream <= LOG_STDERR; stream++) {
		loop_remove(minded->outputs[stream].source);
		minded->outputs[stream].source = NULL;
		close_fd(&minded->outputs[stream].fd);
		journal_close(&minded->outputs[stream].journal);
	}
	close_fd(&minded->input_fd);
}
