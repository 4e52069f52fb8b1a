/* SPDX-License-Identifier: GPL-2.0-or-later
 * journal.c - bytes between a FIFO and the log, on a file that outlives this process. */
#include "engine/supervisor/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/times.h"

#define DATA_BEGINS 4096 /* the head has a page to itself, which is never dropped */
#define KEPT_MAX    4096 /* a quiet stream's file is not cut for less */
#define DROP_CHUNK  65536
#define MAGIC	    0x6d636a31 /* "mcj1" */

/* Written with one pwrite(2), which a kill does not divide: it lies within one page. */
struct head {
	uint32_t magic;
	bool is_writing; /* [logged, end) is being logged, with this time, from this place on */
	bool is_flush;	 /* and what is left of it then is the end of the line */
	bool continued;	 /* earlier pieces of the line that begins at `logged` are on disk */
	uint64_t logged;
	uint64_t end;
	int64_t time_ns;
	struct log_place place;
};

static void file_name(enum log_stream stream, char name[32])
{
	snprintf(name, 32, "%s.journal", log_stream_name(stream));
}

static int put_head(const struct journal *journal, const struct head *head)
{
	if (pwrite(journal->fd, head, sizeof(*head), 0) != (ssize_t)sizeof(*head))
		return errno ? -errno : -EIO;
	return 0;
}

/* The writer has been given what lies before `end`; of that it may hold the beginning of a line. */
static void note_logged(struct journal *journal, uint64_t end, const struct log_writer *writer)
{
	struct head head = { .magic = MAGIC };
	size_t unfinished = 0;

	if (journal->fd < 0)
		return;
	if (writer)
		unfinished = log_writer_unfinished(writer, journal->stream, &head.continued);
	head.logged = journal->logged = end - unfinished;
	put_head(journal, &head);
}

/* Everything in it is logged: begin again. In this order: a length before `logged` says so. */
static void cut(struct journal *journal, const struct log_writer *writer)
{
	if (ftruncate(journal->fd, DATA_BEGINS) < 0)
		return;
	journal->length = journal->dropped = DATA_BEGINS;
	note_logged(journal, journal->length, writer);
}

static void trim(struct journal *journal, const struct log_writer *writer)
{
	uint64_t end = journal->logged & ~(uint64_t)(DATA_BEGINS - 1);

	if (journal->fd < 0)
		return;
	if (journal->logged == journal->length && journal->length > DATA_BEGINS + KEPT_MAX) {
		cut(journal, writer);
	} else if (end >= journal->dropped + DROP_CHUNK) {
		if (fallocate(journal->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			    (off_t)journal->dropped, (off_t)(end - journal->dropped)) == 0)
			journal->dropped = end;
	}
}

void journal_remove(int dir_fd, enum log_stream stream)
{
	char name[32];

	file_name(stream, name);
	unlinkat(dir_fd, name, 0);
}

int journal_create(struct journal *journal, int dir_fd, enum log_stream stream, struct error *err)
{
	struct journal made = { .stream = stream, .length = DATA_BEGINS, .dropped = DATA_BEGINS };
	char name[32];
	int r;

	file_name(stream, name);
	journal_remove(dir_fd, stream);
	made.fd = file_open(dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, err);
	if (made.fd < 0)
		return made.fd;
	r = ftruncate(made.fd, DATA_BEGINS) < 0 ? -errno : 0;
	made.logged = DATA_BEGINS;
	if (r == 0)
		r = put_head(&made, &(struct head){ .magic = MAGIC, .logged = DATA_BEGINS });
	if (r < 0) {
		unlinkat(dir_fd, name, 0);
		close_fd(&made.fd);
		return error_sys(err, r, "write '%s'", name);
	}
	*journal = made;
	return 0;
}

void journal_close(struct journal *journal)
{
	close_fd(&journal->fd);
}

/* Without it things go on as if there had never been one: an empty file is none. */
static void give_up(struct journal *journal)
{
	if (journal->fd >= 0 && ftruncate(journal->fd, 0) < 0)
		log_debug("a journal cannot be emptied: %s", strerror(errno));
	close_fd(&journal->fd);
}

ssize_t journal_read(struct journal *journal, int fifo_fd, char *buffer, size_t length)
{
	loff_t at = (loff_t)journal->length;
	ssize_t n;

	if (journal->fd < 0)
		return read(fifo_fd, buffer, length);
	n = splice(fifo_fd, NULL, journal->fd, &at, length, SPLICE_F_NONBLOCK);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		give_up(journal);
		return read(fifo_fd, buffer, length);
	}
	if (n <= 0)
		return n;
	if (pread(journal->fd, buffer, (size_t)n, (off_t)journal->length) != n)
		return -1; /* a regular file has what was put into it */
	journal->length += (uint64_t)n;
	return n;
}

static void note_writing(const struct journal *journal, uint64_t end,
	const struct log_writer *writer, int64_t time_ns, bool is_flush)
{
	struct head head = {
		.magic = MAGIC,
		.is_writing = true,
		.is_flush = is_flush,
		.logged = journal->logged,
		.end = end,
		.time_ns = time_ns,
	};

	if (journal->fd < 0)
		return;
	log_writer_unfinished(writer, journal->stream, &head.continued);
	log_writer_place(writer, &head.place);
	put_head(journal, &head);
}

int journal_log(struct journal *journal, struct log_writer *writer, int64_t time_ns,
	const char *bytes, size_t length, struct error *err)
{
	int r = 0;

	if (writer) {
		note_writing(journal, journal->length, writer, time_ns, false);
		r = log_writer_write(writer, journal->stream, time_ns, bytes, length, err);
	}
	note_logged(journal, journal->length, writer);
	trim(journal, writer);
	return r;
}

void journal_settle(struct journal *journal, const struct log_writer *writer)
{
	note_logged(journal, journal->length, writer);
}

int journal_flush(
	struct journal *journal, struct log_writer *writer, int64_t time_ns, struct error *err)
{
	int r;

	note_writing(journal, journal->length, writer, time_ns, true);
	r = log_writer_flush_stream(writer, journal->stream, time_ns, err);
	note_logged(journal, journal->length, writer);
	return r;
}

static int read_head(const struct journal *journal, struct head *head, struct error *err)
{
	if (pread(journal->fd, head, sizeof(*head), 0) != (ssize_t)sizeof(*head) ||
		head->magic != MAGIC || head->logged < DATA_BEGINS || journal->length < DATA_BEGINS)
		return error_set(err, -EBADMSG, "the journal of %s has no head",
			log_stream_name(journal->stream));
	if (head->logged > journal->length) { /* it was being cut */
		head->is_writing = false;
		head->logged = DATA_BEGINS;
	}
	if (head->is_writing && (head->end < head->logged || head->end > journal->length))
		return error_set(err, -EBADMSG, "the journal of %s has a damaged head",
			log_stream_name(journal->stream));
	return 0;
}

/* At most what one read has brought, beside the beginning of a line. */
static int log_between(struct journal *journal, uint64_t from, uint64_t to,
	struct log_writer *writer, int64_t time_ns, struct error *err)
{
	size_t length = (size_t)(to - from);
	cleanup_free char *bytes = xcalloc(1, length + 1);

	if (pread(journal->fd, bytes, length, (off_t)from) != (ssize_t)length)
		return error_set(err, -EIO, "the journal of %s cannot be read",
			log_stream_name(journal->stream));
	return log_writer_write(writer, journal->stream, time_ns, bytes, length, err);
}

/* The write that was interrupted, once more. A flush had nothing but the beginning of a line, which
 * makes no record when it is given again. */
static int finish_write(struct journal *journal, const struct head *head, struct log_writer *writer,
	struct error *err)
{
	int r;

	if (!head->is_flush)
		log_writer_repeat(writer, journal->stream, head->continued, &head->place);
	r = log_between(journal, head->logged, head->end, writer, head->time_ns, err);
	if (r < 0 || !head->is_flush)
		return r;
	log_writer_repeat(writer, journal->stream, head->continued, &head->place);
	return log_writer_flush_stream(writer, journal->stream, head->time_ns, err);
}

/* What is not in the log yet. Of the writer's, `head` says how far it had come. */
static int catch_up(struct journal *journal, const struct head *head, struct log_writer *writer,
	struct error *err)
{
	uint64_t from = head->logged, to = journal->length;
	int64_t now = time_now();
	int r = 0;

	log_writer_repeat(writer, journal->stream, head->continued, NULL);
	if (head->is_writing) {
		r = finish_write(journal, head, writer, err);
		from = head->end;
	}
	if (r < 0)
		return r;
	note_logged(journal, from, writer);
	if (from == to)
		return 0;
	note_writing(journal, to, writer, now, false);
	r = log_between(journal, from, to, writer, now, err);
	note_logged(journal, to, writer);
	return r;
}

int journal_resume(struct journal *journal, int dir_fd, enum log_stream stream,
	struct log_writer *writer, struct error *err)
{
	struct journal found = { .stream = stream, .dropped = DATA_BEGINS };
	struct head head;
	struct stat st;
	char name[32];
	int r;

	file_name(stream, name);
	found.fd = file_open(dir_fd, name, O_RDWR | O_NOFOLLOW, 0, err);
	if (found.fd < 0)
		return found.fd;
	r = fstat(found.fd, &st) < 0 ? error_sys(err, -errno, "stat '%s'", name) : 0;
	found.length = (uint64_t)st.st_size;
	if (r == 0 && found.length == 0)
		r = error_set(err, -ENOENT, "'%s' is empty", name);
	if (r == 0)
		r = read_head(&found, &head, err);
	if (r == 0)
		r = catch_up(&found, &head, writer, err);
	if (r < 0) {
		give_up(&found);
		return r;
	}
	*journal = found;
	return 0;
}
