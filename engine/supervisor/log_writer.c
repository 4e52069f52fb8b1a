/* SPDX-License-Identifier: GPL-2.0-or-later
 * log_writer.c - a container's raw output cut into lines and written as records, with rotation. */
#include "engine/supervisor/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/ids.h"
#include "engine/base/json.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/base/times.h"

#define WRITE_CHUNK 65536 /* records are gathered up to this size for one write(2) */

struct line_state {
	struct strbuf rest; /* what has come of a line that has not ended */
	bool continued;	    /* earlier pieces of that line are on disk */
};

struct log_writer {
	int data_fd; /* engine's */
	int fd;
	char id[ID_LENGTH + 1];
	uint64_t inode;
	uint64_t size;
	uint64_t max_size;
	uint32_t max_file;
	bool torn; /* the file ends in the middle of a record */
	uint64_t dropped;
	struct line_state lines[2];
	/* What a call that is repeated has done before: it turned the files so often, and then put
	 * so many bytes into the present one. */
	uint32_t done_turns;
	uint64_t done_bytes;
};

/* What one call gathers. */
struct batch {
	struct log_writer *writer;
	struct strbuf bytes;
	char time[31];
	int code; /* of the first failure */
	struct error *err;
};

static const char *const stream_names[] = { [LOG_STDOUT] = "stdout", [LOG_STDERR] = "stderr" };

const char *log_stream_name(enum log_stream stream)
{
	return stream_names[stream];
}

static char *log_path(const struct log_writer *writer, uint32_t number)
{
	if (number == 0)
		return xasprintf("containers/%s/" LOG_FILE_NAME, writer->id);
	return xasprintf("containers/%s/" LOG_FILE_NAME ".%u", writer->id, number);
}

static int open_current(struct log_writer *writer, struct error *err)
{
	cleanup_free char *path = log_path(writer, 0);
	cleanup_fd int fd = -1;
	struct stat st;
	char last = '\n';

	fd = file_open(writer->data_fd, path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0600, err);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return error_sys(err, -errno, "stat %s", path);
	if (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) < 0)
		return error_sys(err, -errno, "read %s", path);
	close_fd(&writer->fd);
	writer->fd = steal_fd(&fd);
	writer->inode = (uint64_t)st.st_ino;
	writer->size = (uint64_t)st.st_size;
	writer->torn = last != '\n';
	return 0;
}

int log_writer_open(const struct engine *engine, const char *container_id, uint64_t max_size,
	uint32_t max_file, struct log_writer **ret, struct error *err)
{
	struct log_writer *writer = xcalloc(1, sizeof(*writer));
	int r;

	writer->data_fd = engine->data_fd;
	writer->fd = -1;
	writer->max_size = max_size;
	writer->max_file = max_file ? max_file : 1;
	snprintf(writer->id, sizeof(writer->id), "%s", container_id);
	r = open_current(writer, err);
	if (r < 0) {
		log_writer_free(writer);
		error_wrap(err, "log of container %.12s", container_id);
		return r;
	}
	*ret = writer;
	return 0;
}

void log_writer_free(struct log_writer *writer)
{
	if (!writer)
		return;
	close_fd(&writer->fd);
	strbuf_release(&writer->lines[LOG_STDOUT].rest);
	strbuf_release(&writer->lines[LOG_STDERR].rest);
	free(writer);
}

/* The first number that is free, or the last one, whose file is the oldest and goes. */
static uint32_t last_number(const struct log_writer *writer)
{
	uint32_t number = 1;

	while (number < writer->max_file - 1) {
		cleanup_free char *path = log_path(writer, number);

		if (faccessat(writer->data_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			break;
		number++;
	}
	return number;
}

/* From the oldest to the newest, so that a kill in the middle leaves a gap in the numbers and never
 * loses a file that should have stayed. */
static int rotate(struct log_writer *writer, struct error *err)
{
	cleanup_free char *current = log_path(writer, 0);

	if (writer->max_file == 1) {
		if (unlinkat(writer->data_fd, current, 0) < 0 && errno != ENOENT)
			return error_sys(err, -errno, "rotate %s", current);
		return open_current(writer, err);
	}
	for (uint32_t number = last_number(writer); number > 0; number--) {
		cleanup_free char *from = log_path(writer, number - 1);
		cleanup_free char *to = log_path(writer, number);

		if (renameat(writer->data_fd, from, writer->data_fd, to) < 0 && errno != ENOENT)
			return error_sys(err, -errno, "rotate %s", from);
	}
	return open_current(writer, err);
}

static void batch_fail(struct batch *batch, int code)
{
	if (batch->code == 0)
		batch->code = code;
}

static void drop(struct batch *batch, int code, const char *what)
{
	struct log_writer *writer = batch->writer;

	writer->dropped += batch->bytes.length;
	if (batch->code == 0)
		error_sys(batch->err, code, "%s log of container %.12s (%llu bytes dropped)", what,
			writer->id, (unsigned long long)writer->dropped);
	batch_fail(batch, code);
	strbuf_clear(&batch->bytes);
}

/* How many of `length` bytes are on disk from before. */
static size_t pass_over(struct log_writer *writer, size_t length)
{
	size_t passed = length;

	if (writer->done_turns == 0) {
		if (passed > writer->done_bytes)
			passed = (size_t)writer->done_bytes;
		writer->done_bytes -= passed;
	}
	writer->size += passed;
	return passed;
}

/* Put what has been gathered on disk. After a short write the file ends within a record: the next
 * write begins with a line end, and readers skip the fragment. */
static void batch_write(struct batch *batch)
{
	struct log_writer *writer = batch->writer;
	size_t done = 0;

	if (batch->bytes.length == 0)
		return;
	if (writer->torn && pass_over(writer, 1) == 1)
		writer->torn = false;
	if (writer->torn && write(writer->fd, "\n", 1) == 1) {
		writer->torn = false;
		writer->size++;
	}
	if (writer->torn) {
		drop(batch, -errno, "write");
		return;
	}
	done = pass_over(writer, batch->bytes.length);
	while (done < batch->bytes.length) {
		ssize_t n = write(writer->fd, batch->bytes.data + done, batch->bytes.length - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int code = n < 0 ? -errno : -ENOSPC;

			writer->torn = done > 0 && batch->bytes.data[done - 1] != '\n';
			strbuf_consume(&batch->bytes, done);
			drop(batch, code, "write");
			return;
		}
		done += (size_t)n;
		writer->size += (uint64_t)n;
	}
	strbuf_clear(&batch->bytes);
}

static void batch_rotate(struct batch *batch)
{
	struct error cause = ERROR_INIT;
	int r;

	batch_write(batch);
	if (batch->writer->done_turns > 0) {
		batch->writer->done_turns--;
		batch->writer->size = 0;
		return;
	}
	r = rotate(batch->writer, &cause);
	if (r < 0 && batch->code == 0)
		error_move(batch->err ? batch->err : &cause, &cause);
	if (r < 0)
		batch_fail(batch, r);
	error_release(&cause);
}

/* One record; `text` is at most LOG_PIECE_MAX bytes and ends a line or is a piece of one. */
static void batch_record(
	struct batch *batch, enum log_stream stream, const char *text, size_t length)
{
	struct log_writer *writer = batch->writer;

	if (writer->max_size && writer->size + batch->bytes.length >= writer->max_size)
		batch_rotate(batch);
	strbuf_add_str(&batch->bytes, "{\"log\":");
	json_quote(&batch->bytes, text, length);
	strbuf_addf(&batch->bytes, ",\"stream\":\"%s\",\"time\":\"%s\"}\n", stream_names[stream],
		batch->time);
	writer->lines[stream].continued = length == 0 || text[length - 1] != '\n';
	if (batch->bytes.length >= WRITE_CHUNK)
		batch_write(batch);
}

/* Where to cut a piece of at most `length` bytes so that no UTF-8 sequence is torn (it would come
 * out as two replacement characters). */
static size_t cut_before_sequence(const char *text, size_t length)
{
	for (size_t back = 1; back <= 3 && back < length; back++) {
		unsigned char c = (unsigned char)text[length - back];

		if ((c & 0xc0) == 0x80)
			continue;
		if ((c >= 0xc0 && back < 2) || (c >= 0xe0 && back < 3) || (c >= 0xf0 && back < 4))
			return length - back;
		break;
	}
	return length;
}

/* A line, or as much of it as is there; returns how many bytes have become records. */
static size_t batch_pieces(
	struct batch *batch, enum log_stream stream, const char *text, size_t length)
{
	size_t done = 0;

	while (length - done > LOG_PIECE_MAX) {
		size_t piece = cut_before_sequence(text + done, LOG_PIECE_MAX);

		batch_record(batch, stream, text + done, piece);
		done += piece;
	}
	return done;
}

static void batch_line(struct batch *batch, enum log_stream stream, const char *text, size_t length)
{
	size_t done = batch_pieces(batch, stream, text, length);

	batch_record(batch, stream, text + done, length - done);
}

static void batch_begin(
	struct batch *batch, struct log_writer *writer, int64_t time_ns, struct error *err)
{
	*batch = (struct batch){ .writer = writer, .err = err };
	time_format_log(time_ns, batch->time);
}

static int batch_end(struct batch *batch)
{
	batch_write(batch);
	strbuf_release(&batch->bytes);
	batch->writer->done_turns = 0;
	batch->writer->done_bytes = 0;
	return batch->code;
}

int log_writer_write(struct log_writer *writer, enum log_stream stream, int64_t time_ns,
	const void *bytes, size_t length, struct error *err)
{
	struct strbuf *rest = &writer->lines[stream].rest;
	const char *text = bytes, *end = text + length, *newline;
	struct batch batch;

	batch_begin(&batch, writer, time_ns, err);
	while (text < end && (newline = memchr(text, '\n', (size_t)(end - text)))) {
		size_t line = (size_t)(newline + 1 - text);

		if (rest->length > 0) {
			strbuf_add(rest, text, line);
			batch_line(&batch, stream, rest->data, rest->length);
			strbuf_release(rest);
		} else {
			batch_line(&batch, stream, text, line);
		}
		text += line;
	}
	if (text < end) {
		strbuf_add(rest, text, (size_t)(end - text));
		strbuf_consume(rest, batch_pieces(&batch, stream, rest->data, rest->length));
		if (rest->length == 0)
			strbuf_release(rest);
	}
	return batch_end(&batch);
}

/* An empty record tells the reader that a line of whole pieces has ended too. */
static void batch_flush(struct batch *batch, enum log_stream stream)
{
	struct line_state *line = &batch->writer->lines[stream];

	if (line->rest.length == 0 && !line->continued)
		return;
	batch_record(batch, stream, strbuf_text(&line->rest), line->rest.length);
	strbuf_release(&line->rest);
	line->continued = false;
}

int log_writer_flush_stream(
	struct log_writer *writer, enum log_stream stream, int64_t time_ns, struct error *err)
{
	struct batch batch;

	batch_begin(&batch, writer, time_ns, err);
	batch_flush(&batch, stream);
	return batch_end(&batch);
}

int log_writer_flush(struct log_writer *writer, int64_t time_ns, struct error *err)
{
	struct batch batch;

	batch_begin(&batch, writer, time_ns, err);
	batch_flush(&batch, LOG_STDOUT);
	batch_flush(&batch, LOG_STDERR);
	return batch_end(&batch);
}

size_t log_writer_unfinished(
	const struct log_writer *writer, enum log_stream stream, bool *ret_continued)
{
	*ret_continued = writer->lines[stream].continued;
	return writer->lines[stream].rest.length;
}

void log_writer_place(const struct log_writer *writer, struct log_place *ret)
{
	*ret = (struct log_place){ writer->inode, writer->size, writer->torn };
}

/* How often the files have been turned since the one with this inode was the current one. A number
 * that is not there belongs to a turn that was interrupted and has not come to its end. */
static uint32_t turns_since(const struct log_writer *writer, const struct log_place *from)
{
	uint32_t turns = 0;

	/* A file that was removed may have left its number to the next. */
	if (writer->inode == from->inode && writer->size >= from->size)
		return 0;
	for (uint32_t number = 1; number < writer->max_file; number++) {
		cleanup_free char *path = log_path(writer, number);
		struct stat st;

		if (fstatat(writer->data_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		turns++;
		if ((uint64_t)st.st_ino == from->inode)
			return turns;
	}
	return turns + 1;
}

void log_writer_repeat(struct log_writer *writer, enum log_stream stream, bool continued,
	const struct log_place *from)
{
	writer->lines[stream].continued = continued;
	if (!from)
		return;
	writer->done_turns = turns_since(writer, from);
	writer->done_bytes = writer->size - (writer->done_turns ? 0 : from->size);
	writer->size = from->size;
	writer->torn = from->torn;
}
