/* SPDX-License-Identifier: GPL-2.0-or-later
 * log_reader.c - read a container's log over rotations, from the beginning or its last lines, and
 * follow it. Nothing is locked: the writer must never wait for a reader. */
#include "engine/supervisor/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/base/times.h"
#include "engine/supervisor/log_record.h"

#define READ_CHUNK     65536
#define RAW_LINE_MAX   (1 << 20) /* a longer line is no record of ours */
#define SCAN_GAP       3	 /* missing numbers in a row that end a scan */
#define SCAN_TRIES     3
#define POLL_NS	       (250 * NS_PER_MS) /* without inotify */
#define UNFINISHED_AGE NS_PER_SEC

struct joined_line {
	struct strbuf text;
	int64_t time_ns; /* of its first piece */
	bool active;
};

struct log_reader {
	int dir_fd;
	int watch_fd;
	int fd;		    /* -1: no file seen so far */
	bool rotated;	    /* fd's file has been renamed: its end is final */
	bool watch_drained; /* since something was last read */
	struct log_reader_options options;
	struct strbuf raw;
	size_t raw_at;	    /* bytes of raw already taken */
	bool skipping;	    /* inside a line that is too long to be a record */
	struct strbuf text; /* of the record at hand */
	struct joined_line joined[2];
	struct joined_line *told; /* handed out, to be cleared at the next call */
};

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static int open_number(const struct log_reader *reader, uint32_t number)
{
	char name[32];

	if (number == 0)
		snprintf(name, sizeof(name), LOG_FILE_NAME);
	else
		snprintf(name, sizeof(name), LOG_FILE_NAME ".%u", number);
	return openat(reader->dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

struct log_file {
	int fd;
	struct stat st;
};

static void close_files(struct log_file *files, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close_fd(&files[i].fd);
	free(files);
}

/* The log's files, newest first, at most up to the one that is `until`. A rotation only moves files
 * to higher numbers, as the scan does: one may be met twice, none is passed over. */
static size_t scan_files(
	const struct log_reader *reader, const struct stat *until, struct log_file **ret)
{
	struct log_file *files = NULL, *last;
	size_t count = 0;
	uint32_t missing = 0;

	for (uint32_t number = 0; missing < SCAN_GAP; number++) {
		cleanup_fd int fd = open_number(reader, number);
		struct stat st;

		if (fd < 0 || fstat(fd, &st) < 0) {
			missing++;
			continue;
		}
		missing = 0;
		if (count > 0 && same_file(&files[count - 1].st, &st))
			continue;
		last = array_add(files, count);
		last->fd = steal_fd(&fd);
		last->st = st;
		if (until && same_file(until, &st))
			break;
	}
	*ret = files;
	return count;
}

static void switch_to(struct log_reader *reader, int fd)
{
	close_fd(&reader->fd);
	reader->fd = fd;
	reader->rotated = false;
	reader->raw_at = 0;
	strbuf_clear(&reader->raw); /* a fragment that a crash left at the end */
	reader->skipping = false;
}

/* Open the file written after the current one. When the current one has been rotated out of
 * existence meanwhile, the oldest that is left is the next. */
static int next_file(struct log_reader *reader)
{
	struct log_file *files = NULL;
	struct stat current;
	size_t count = 0;
	int found = 0;

	if (fstat(reader->fd, &current) < 0)
		return -errno;
	for (int attempt = 1; attempt <= SCAN_TRIES; attempt++) {
		count = scan_files(reader, &current, &files);
		if (count > 0 &&
			(same_file(&files[count - 1].st, &current) || attempt == SCAN_TRIES))
			break;
		close_files(files, count);
		files = NULL;
		count = 0;
	}
	if (count > 0 && same_file(&files[count - 1].st, &current))
		close_fd(&files[--count].fd);
	if (count > 0) {
		switch_to(reader, steal_fd(&files[count - 1].fd));
		found = 1;
	}
	close_files(files, count);
	return found;
}

/* There was no log yet when the reader was opened; by now it may even have been rotated. */
static int first_file(struct log_reader *reader)
{
	struct log_file *files = NULL;
	size_t count = scan_files(reader, NULL, &files);

	if (count > 0)
		switch_to(reader, steal_fd(&files[count - 1].fd));
	close_files(files, count);
	return reader->fd >= 0;
}

/* At the end of the present file: 1 = there may be more now. */
static int advance(struct log_reader *reader)
{
	struct stat newest, current;

	if (reader->fd < 0)
		return first_file(reader);
	/* The writer appends nothing to a file it has renamed, but may have done so just before:
	 * read to the end once more after seeing the new name, then move on. */
	if (reader->rotated)
		return next_file(reader);
	if (fstat(reader->fd, &current) < 0)
		return -errno;
	if (fstatat(reader->dir_fd, LOG_FILE_NAME, &newest, AT_SYMLINK_NOFOLLOW) == 0 &&
		!same_file(&newest, &current)) {
		reader->rotated = true;
		return 1;
	}
	/* Somebody emptied the file by hand. */
	if (current.st_size < lseek(reader->fd, 0, SEEK_CUR)) {
		lseek(reader->fd, 0, SEEK_SET);
		reader->raw_at = 0;
		strbuf_clear(&reader->raw);
		return 1;
	}
	return 0;
}

/* Read a chunk of the present file; 0 = at its end. */
static int fill(struct log_reader *reader, struct error *err)
{
	ssize_t n;

	if (reader->fd < 0)
		return 0;
	strbuf_consume(&reader->raw, reader->raw_at);
	reader->raw_at = 0;
	if (reader->raw.length > RAW_LINE_MAX) {
		strbuf_clear(&reader->raw);
		reader->skipping = true;
	}
	strbuf_reserve(&reader->raw, READ_CHUNK);
	do {
		n = read(reader->fd, reader->raw.data + reader->raw.length, READ_CHUNK);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_sys(err, -errno, "read log");
	reader->raw.length += (size_t)n;
	reader->raw.data[reader->raw.length] = '\0';
	return n > 0;
}

/* The next raw line of the buffer, without its "\n". */
static bool take_raw_line(struct log_reader *reader, const char **ret, size_t *ret_length)
{
	const char *start = reader->raw.data + reader->raw_at, *newline;
	size_t left = reader->raw.length - reader->raw_at;

	newline = left > 0 ? memchr(start, '\n', left) : NULL;
	if (!newline)
		return false;
	*ret = start;
	*ret_length = (size_t)(newline - start);
	reader->raw_at += *ret_length + 1;
	return true;
}

static bool wanted(const struct log_reader *reader, int64_t time_ns)
{
	if (reader->options.since_ns && time_ns < reader->options.since_ns)
		return false;
	return !reader->options.until_ns || time_ns <= reader->options.until_ns;
}

static void tell(struct log_record *ret, enum log_stream stream, int64_t time_ns,
	const struct strbuf *text, bool has_newline)
{
	*ret = (struct log_record){ .time_ns = time_ns,
		.stream = stream,
		.text = strbuf_text(text),
		.length = text->length - (has_newline ? 1 : 0),
		.has_newline = has_newline };
}

/* A piece that is not full did not come from splitting: its line ended there, when the container
 * did. A full one is held back until the rest comes. */
static bool piece_is_full(size_t length)
{
	return length + 3 >= LOG_PIECE_MAX;
}

static bool take_piece(
	struct log_reader *reader, enum log_stream stream, int64_t time_ns, struct log_record *ret)
{
	struct joined_line *joined = &reader->joined[stream];
	const struct strbuf *text = &reader->text;
	bool ends = text->length > 0 && text->data[text->length - 1] == '\n';

	if (!joined->active && ends) {
		tell(ret, stream, time_ns, text, true);
		return wanted(reader, time_ns);
	}
	if (!joined->active)
		joined->time_ns = time_ns;
	joined->active = true;
	strbuf_add(&joined->text, text->data, text->length);
	if (!ends && piece_is_full(text->length) && joined->text.length < LOG_LINE_MAX)
		return false;
	tell(ret, stream, joined->time_ns, &joined->text, ends);
	reader->told = joined;
	return wanted(reader, joined->time_ns);
}

static void forget_told(struct log_reader *reader)
{
	if (!reader->told)
		return;
	strbuf_release(&reader->told->text);
	reader->told->active = false;
	reader->told = NULL;
}

static bool take_record(struct log_reader *reader, struct log_record *ret)
{
	enum log_stream stream = LOG_STDOUT;
	int64_t time_ns = 0;
	const char *line = NULL;
	size_t length = 0;

	while (take_raw_line(reader, &line, &length)) {
		forget_told(reader);
		if (reader->skipping) {
			reader->skipping = false;
			continue;
		}
		if (log_record_parse(line, length, &reader->text, &stream, &time_ns) &&
			take_piece(reader, stream, time_ns, ret))
			return true;
	}
	return false;
}

static void drain_watch(struct log_reader *reader)
{
	char bytes[4096] __attribute__((aligned(8)));

	while (read(reader->watch_fd, bytes, sizeof(bytes)) > 0)
		;
	reader->watch_drained = true;
}

/* Nothing has come for a while: the writer was killed before it could end the line. */
static bool take_abandoned(struct log_reader *reader, struct log_record *ret)
{
	struct stat st;

	forget_told(reader);
	if (reader->fd < 0 || fstat(reader->fd, &st) < 0)
		return false;
	if (time_now() - (st.st_mtim.tv_sec * NS_PER_SEC + st.st_mtim.tv_nsec) < UNFINISHED_AGE)
		return false;
	for (enum log_stream stream = LOG_STDOUT; stream <= LOG_STDERR; stream++) {
		struct joined_line *joined = &reader->joined[stream];

		if (!joined->active)
			continue;
		tell(ret, stream, joined->time_ns, &joined->text, false);
		reader->told = joined;
		if (wanted(reader, joined->time_ns))
			return true;
		forget_told(reader);
	}
	return false;
}

int log_reader_next(struct log_reader *reader, struct log_record *ret, struct error *err)
{
	for (;;) {
		int r;

		if (take_record(reader, ret))
			return 1;
		r = fill(reader, err);
		if (r < 0)
			return r;
		if (r == 0) {
			r = advance(reader);
			if (r < 0)
				return error_sys(err, r, "read log");
		}
		if (r > 0) {
			reader->watch_drained = false;
			continue;
		}
		/* What is written after this has emptied the watch makes it readable again. */
		if (!reader->watch_drained) {
			drain_watch(reader);
			continue;
		}
		reader->watch_drained = false;
		return take_abandoned(reader, ret);
	}
}

/* Begin at the oldest file, or where the last lines begin. */
static int seek_start(struct log_reader *reader, struct error *err)
{
	struct log_file *files = NULL;
	size_t count = scan_files(reader, NULL, &files);
	int64_t lines = reader->options.tail;
	bool open = false;
	size_t chosen = count ? count - 1 : 0;
	int r = 0;

	for (size_t i = 0; lines >= 0 && i < count; i++) {
		off_t at = log_tail_offset(files[i].fd, &lines, &open);

		if (at < -1)
			r = error_sys(err, (int)at, "read log");
		if (at == -1)
			continue;
		chosen = i;
		if (at > 0)
			lseek(files[i].fd, at, SEEK_SET);
		break;
	}
	if (r == 0 && count > 0)
		switch_to(reader, steal_fd(&files[chosen].fd));
	close_files(files, count);
	return r;
}

/* inotify instances are few (fs.inotify.max_user_instances): without one, look now and then. */
static int open_watch(struct log_reader *reader, struct error *err)
{
	struct itimerspec every = { .it_interval = { 0, POLL_NS }, .it_value = { 0, POLL_NS } };
	cleanup_fd int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", reader->dir_fd);
	if (fd >= 0 && inotify_add_watch(fd, path, IN_MODIFY | IN_CREATE | IN_MOVED_TO) >= 0) {
		reader->watch_fd = steal_fd(&fd);
		return 0;
	}
	close_fd(&fd);
	fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (fd < 0 || timerfd_settime(fd, 0, &every, NULL) < 0)
		return error_sys(err, -errno, "watch log");
	reader->watch_fd = steal_fd(&fd);
	return 0;
}

int log_reader_open(const struct engine *engine, const char *container_id,
	const struct log_reader_options *options, struct log_reader **ret, struct error *err)
{
	struct log_reader *reader = xcalloc(1, sizeof(*reader));
	cleanup_free char *path = xasprintf("containers/%s", container_id);
	int r;

	reader->options = *options;
	reader->fd = -1;
	reader->watch_fd = -1;
	reader->dir_fd = file_open(engine->data_fd, path, O_RDONLY | O_DIRECTORY, 0, err);
	r = reader->dir_fd;
	if (r >= 0)
		r = open_watch(reader, err);
	if (r >= 0)
		r = seek_start(reader, err);
	if (r < 0) {
		log_reader_free(reader);
		error_wrap(err, "log of container %.12s", container_id);
		return r;
	}
	*ret = reader;
	return 0;
}

int log_reader_fd(const struct log_reader *reader)
{
	return reader->watch_fd;
}

void log_reader_free(struct log_reader *reader)
{
	if (!reader)
		return;
	close_fd(&reader->fd);
	close_fd(&reader->watch_fd);
	close_fd(&reader->dir_fd);
	strbuf_release(&reader->raw);
	strbuf_release(&reader->text);
	for (size_t i = 0; i < ARRAY_LEN(reader->joined); i++)
		strbuf_release(&reader->joined[i].text);
	free(reader);
}
