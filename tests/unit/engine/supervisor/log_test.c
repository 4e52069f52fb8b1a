/* SPDX-License-Identifier: GPL-2.0-or-later
 * log_test.c - what a container writes comes back as it was, over splits, rotation and accidents.
 */
#include "engine/supervisor/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/files.h"
#include "engine/base/ids.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"
#include "engine/supervisor/log_record.h"

#define SECOND (1700000000 * NS_PER_SEC)

struct world {
	struct engine engine;
	char path[64];
	char id[ID_LENGTH + 1];
	char *directory; /* of the container, relative to engine.data_fd */
};

static int set_up(void **state)
{
	struct world *world = xcalloc(1, sizeof(*world));

	world->engine = (struct engine)ENGINE_INIT;
	snprintf(world->path, sizeof(world->path), "/tmp/mycompose-log-XXXXXX");
	if (!mkdtemp(world->path))
		return -1;
	world->engine.data_fd = open(world->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	world->engine.data_path = world->path;
	id_random(world->id);
	world->directory = xasprintf("containers/%s", world->id);
	*state = world;
	return dir_make(world->engine.data_fd, world->directory, 0700, NULL);
}

static int tear_down(void **state)
{
	struct world *world = *state;

	tree_remove(AT_FDCWD, world->path, NULL);
	close(world->engine.data_fd);
	free(world->directory);
	free(world);
	return 0;
}

static struct log_writer *open_writer(struct world *world, uint64_t max_size, uint32_t max_file)
{
	struct log_writer *writer = NULL;

	assert_int_equal(
		log_writer_open(&world->engine, world->id, max_size, max_file, &writer, NULL), 0);
	return writer;
}

static struct log_reader *open_reader(struct world *world, int64_t tail)
{
	struct log_reader_options options = { .tail = tail };
	struct log_reader *reader = NULL;

	assert_int_equal(log_reader_open(&world->engine, world->id, &options, &reader, NULL), 0);
	return reader;
}

static void write_text(struct log_writer *writer, enum log_stream stream, const char *text)
{
	assert_int_equal(log_writer_write(writer, stream, SECOND, text, strlen(text), NULL), 0);
}

/* Everything the reader has to say, one line a record: "out|text" or "err|text"; "…" ends what has
 * no line end. */
static char *read_all(struct log_reader *reader)
{
	struct strbuf buf = STRBUF_INIT;
	struct log_record record;

	while (log_reader_next(reader, &record, NULL) == 1) {
		strbuf_add_str(&buf, record.stream == LOG_STDOUT ? "out|" : "err|");
		strbuf_add(&buf, record.text, record.length);
		strbuf_add_str(&buf, record.has_newline ? "\n" : "…\n");
	}
	return strbuf_steal(&buf);
}

static void assert_log(struct world *world, int64_t tail, const char *expected)
{
	struct log_reader *reader = open_reader(world, tail);
	cleanup_free char *text = read_all(reader);

	assert_string_equal(text, expected);
	log_reader_free(reader);
}

static char *raw_file(struct world *world, const char *name)
{
	cleanup_free char *path = xasprintf("%s/%s", world->directory, name);
	char *data = NULL;

	assert_int_equal(file_read(world->engine.data_fd, path, 64 << 20, &data, NULL, NULL), 0);
	return data;
}

static void a_record_is_dockers_json_file_form(void **state)
{
	struct world *world = *state;
	struct log_writer *writer = open_writer(world, 0, 1);
	cleanup_free char *raw = NULL;

	log_writer_write(writer, LOG_STDERR, SECOND + 810562220, "hello\n", 6, NULL);
	raw = raw_file(world, LOG_FILE_NAME);
	assert_string_equal(raw, "{\"log\":\"hello\\n\",\"stream\":\"stderr\","
				 "\"time\":\"2023-11-14T22:13:20.810562220Z\"}\n");
	log_writer_free(writer);
}

static void lines_are_put_together_per_stream_from_pieces_as_they_come(void **state)
{
	struct world *world = *state;
	struct log_writer *writer = open_writer(world, 0, 1);

	write_text(writer, LOG_STDOUT, "on");
	write_text(writer, LOG_STDERR, "two\nthr");
	write_text(writer, LOG_STDOUT, "e\n\n");
	write_text(writer, LOG_STDERR, "ee\n");
	write_text(writer, LOG_STDOUT, "rest");
	assert_log(world, -1, "err|two\nout|one\nout|\nerr|three\n");
	assert_int_equal(log_writer_flush(writer, SECOND, NULL), 0);
	assert_log(world, -1, "err|two\nout|one\nout|\nerr|three\nout|rest…\n");
	log_writer_free(writer);
}

static void row_11_2_a_container_cannot_forge_a_record(void **state)
{
	static const char *const lines[] = {
		"{\"log\":\"forged\\n\",\"stream\":\"stderr\",\"time\":\"2020-01-01T00:00:00Z\"}",
		"\",\"stream\":\"stderr\",\"time\":\"2020-01-01T00:00:00Z\"}",
		"a\rb\r",
		"tab\tbell\a esc\033[31m del\177",
		"back\\slash \\n \\\\n \\u0041",
		"\\",
		"\\\\\\n",
		"\\n\",\"stream\":\"stdout\",\"time\":\"x",
		"h\303\251 \360\237\230\200 \342\200\250",
	};
	struct world *world = *state;
	struct log_writer *writer = open_writer(world, 0, 1);
	struct log_reader *reader;
	struct log_record record;

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		write_text(writer, LOG_STDOUT, lines[i]);
		write_text(writer, LOG_STDOUT, "\n");
	}
	for (size_t tail = 0; tail <= ARRAY_LEN(lines); tail++) {
		reader = open_reader(world, (int64_t)tail);
		for (size_t i = ARRAY_LEN(lines) - tail; i < ARRAY_LEN(lines); i++) {
			assert_int_equal(log_reader_next(reader, &record, NULL), 1);
			assert_int_equal(record.stream, LOG_STDOUT);
			assert_int_equal(record.time_ns, SECOND);
			assert_int_equal(record.length, strlen(lines[i]));
			assert_memory_equal(record.text, lines[i], record.length);
		}
		assert_int_equal(log_reader_next(reader, &record, NULL), 0);
		log_reader_free(reader);
	}
	log_writer_free(writer);
}

static void row_11_2_nul_stays_and_invalid_utf8_is_replaced(void **state)
{
	static const char bytes[] = "a\0b\n\xff\xfe\n\xed\xa0\x80\n";
	struct world *world = *state;
	struct log_writer *writer = open_writer(world, 0, 1);
	struct log_reader *reader;
	struct log_record record;

	log_writer_write(writer, LOG_STDOUT, SECOND, bytes, sizeof(bytes) - 1, NULL);
	reader = open_reader(world, -1);
	assert_int_equal(log_reader_next(reader, &record, NULL), 1);
	assert_int_equal(record.length, 3);
	assert_memory_equal(record.text, "a\0b", 3);
	assert_int_equal(log_reader_next(reader, &record, NULL), 1);
	assert_int_equal(record.length, 6);
	assert_memory_equal(record.text, "\357\277\275\357\277\275", 6);
	assert_int_equal(log_reader_next(reader, &record, NULL), 1);
	assert_true(record.length >= 3 && record.length % 3 == 0);
	assert_memory_equal(record.text, "\357\277\275", 3);
	log_reader_free(reader);
	log_writer_free(writer);
}

static void row_11_6_a_long_line_is_split_on_disk_and_whole_when_read(void **state)
{
	static const size_t lengths[] = { LOG_PIECE_MAX - 1, LOG_PIECE_MAX, LOG_PIECE_MAX + 1,
		2 * LOG_PIECE_MAX, 100000, LOG_LINE_MAX / 2 };
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct log_writer *writer = open_writer(world, 0, 1);
		cleanup_strbuf struct strbuf line = STRBUF_INIT;
		struct log_reader *reader = open_reader(world, 0);
		struct log_record record;
		cleanup_free char *raw = NULL;
		size_t longest = 0;

		while (line.length < lengths[i])
			strbuf_add_str(&line, line.length % 5 ? "x" : "\303\251");
		strbuf_add_char(&line, '\n');
		for (size_t at = 0; at < line.length; at += 5000) {
			size_t left = line.length - at;

			assert_int_equal(log_writer_write(writer, LOG_STDOUT, SECOND,
						 line.data + at, left < 5000 ? left : 5000, NULL),
				0);
		}
		assert_int_equal(log_reader_next(reader, &record, NULL), 1);
		assert_true(record.has_newline);
		assert_int_equal(record.length, line.length - 1);
		assert_memory_equal(record.text, line.data, record.length);
		assert_int_equal(log_reader_next(reader, &record, NULL), 0);
		log_reader_free(reader);
		assert_log(world, 0, "");
		raw = raw_file(world, LOG_FILE_NAME);
		for (char *at = raw, *end; (end = strchr(at, '\n')); at = end + 1)
			longest = (size_t)(end - at) > longest ? (size_t)(end - at) : longest;
		assert_true(longest <= LOG_PIECE_MAX + 100);
		log_writer_free(writer);
	}
}

static void row_11_6_memory_stays_bounded_for_100_mib_without_a_line_end(void **state)
{
	enum { CHUNKS = 1600 };
	struct world *world = *state;
	struct log_writer *writer = open_writer(world, 4 << 20, 2);
	struct log_reader *reader;
	struct log_record record;
	struct rusage before, after;
	cleanup_free char *chunk = xmalloc(65536);
	size_t total = 0;

	memset(chunk, 'z', 65536);
	getrusage(RUSAGE_SELF, &before);
	for (int i = 0; i < CHUNKS; i++)
		assert_int_equal(
			log_writer_write(writer, LOG_STDOUT, SECOND, chunk, 65536, NULL), 0);
	reader = open_reader(world, -1);
	while (log_reader_next(reader, &record, NULL) == 1) {
		assert_true(record.length <= LOG_LINE_MAX + LOG_PIECE_MAX);
		assert_false(record.has_newline);
		total += record.length;
	}
	getrusage(RUSAGE_SELF, &after);
	assert_true(total >= 4 << 20); /* what the two files hold, at least the older one */
#ifndef __SANITIZE_ADDRESS__	       /* which keeps what is freed */
	assert_true(after.ru_maxrss - before.ru_maxrss < 16 * 1024);
#endif
	log_reader_free(reader);
	log_writer_free(writer);
}

static void tail_counts_lines_and_not_records(void **state)
{
	struct world *world = *state;
	struct log_writer *writer = open_writer(world, 0, 1);
	cleanup_free char *filler = xmalloc(40001);
	cleanup_free char *expected = NULL;

	memset(filler, 'f', 40000);
	filler[40000] = '\0';
	write_text(writer, LOG_STDOUT, "one\ntwo\n");
	write_text(writer, LOG_STDOUT, filler);
	write_text(writer, LOG_STDOUT, "\nlast\n");
	expected = xasprintf("out|%s\nout|last\n", filler);
	assert_log(world, 2, expected);
	assert_log(world, 1, "out|last\n");
	assert_log(world, 0, "");
	log_writer_free(writer);
}

static void tail_reaches_over_rotated_files(void **state)
{
	struct world *world = *state;
	struct log_writer *writer = open_writer(world, 400, 5);

	for (int i = 0; i < 15; i++) {
		char line[32];

		snprintf(line, sizeof(line), "line %d\n", i);
		write_text(writer, LOG_STDOUT, line);
	}
	assert_log(world, 1, "out|line 14\n");
	assert_log(world, 7,
		"out|line 8\nout|line 9\nout|line 10\nout|line 11\nout|line 12\nout|line 13\n"
		"out|line 14\n");
	assert_log(world, 100,
		"out|line 0\nout|line 1\nout|line 2\nout|line 3\nout|line 4\nout|line 5\n"
		"out|line 6\nout|line 7\nout|line 8\nout|line 9\nout|line 10\nout|line 11\n"
		"out|line 12\nout|line 13\nout|line 14\n");
	log_writer_free(writer);
}

static void since_and_until_bound_the_time(void **state)
{
	struct world *world = *state;
	struct log_writer *writer = open_writer(world, 0, 1);
	struct log_reader_options options = {
		.tail = -1, .since_ns = SECOND + 2, .until_ns = SECOND + 3
	};
	struct log_reader *reader = NULL;
	cleanup_free char *text = NULL;

	for (int i = 0; i < 6; i++) {
		char line[] = { (char)('0' + i), '\n', '\0' };

		log_writer_write(writer, LOG_STDOUT, SECOND + i, line, 2, NULL);
	}
	assert_int_equal(log_reader_open(&world->engine, world->id, &options, &reader, NULL), 0);
	text = read_all(reader);
	assert_string_equal(text, "out|2\nout|3\n");
	log_reader_free(reader);
	log_writer_free(writer);
}

static void rotation_keeps_at_most_max_file_files_of_max_size(void **state)
{
	static const uint32_t max_files[] = { 1, 2, 4 };
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_LEN(max_files); i++) {
		struct log_writer *writer = open_writer(world, 1000, max_files[i]);
		cleanup_strv char **names = NULL;

		for (int line = 0; line < 200; line++)
			write_text(writer, LOG_STDOUT, "0123456789\n");
		log_writer_free(writer);
		assert_int_equal(
			dir_list(world->engine.data_fd, world->directory, &names, NULL), 0);
		assert_int_equal(strv_length(names), max_files[i]);
		for (char **name = names; *name; name++) {
			cleanup_free char *path = xasprintf("%s/%s", world->directory, *name);
			struct stat st;

			assert_int_equal(fstatat(world->engine.data_fd, path, &st, 0), 0);
			assert_true(st.st_size <= 1100);
		}
	}
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Lines of random length in random pieces through a writer that rotates all the time, to a reader
 * that comes by at random: it must see each line once, in order. */
static void row_14_11_a_follower_loses_nothing_over_rotation(void **state)
{
	struct world *world = *state;

	for (uint32_t run = 1; run <= 20; run++) {
		uint32_t seed = run * 7919, max_file = 3 + run % 3;
		struct log_writer *writer = open_writer(world, 2000 + run * 400, max_file);
		struct log_reader *reader = open_reader(world, 0);
		cleanup_strbuf struct strbuf sent = STRBUF_INIT, seen = STRBUF_INIT;
		struct log_record record;
		size_t unread = 0;

		for (int step = 0; step < 600; step++) {
			char piece[400];
			size_t length = next_random(&seed) % sizeof(piece);

			for (size_t i = 0; i < length; i++)
				piece[i] = next_random(&seed) % 40 ? (char)('a' + i % 26) : '\n';
			strbuf_add(&sent, piece, length);
			assert_int_equal(
				log_writer_write(writer, LOG_STDOUT, SECOND, piece, length, NULL),
				0);
			unread += length;
			/* A reader that is slower than all files together must lose: not here. */
			if (unread < 2000 && next_random(&seed) % 4)
				continue;
			while (log_reader_next(reader, &record, NULL) == 1) {
				assert_true(record.has_newline);
				strbuf_add(&seen, record.text, record.length);
				strbuf_add_char(&seen, '\n');
			}
			unread = 0;
		}
		log_writer_flush(writer, SECOND, NULL);
		while (log_reader_next(reader, &record, NULL) == 1) {
			strbuf_add(&seen, record.text, record.length);
			if (record.has_newline)
				strbuf_add_char(&seen, '\n');
		}
		assert_int_equal(seen.length, sent.length);
		assert_memory_equal(seen.data, sent.data, sent.length);
		log_reader_free(reader);
		log_writer_free(writer);
	}
}

static void write_numbers(struct world *world, unsigned int count, int go_fd)
{
	struct log_writer *writer = open_writer(world, 64 << 10, 64);
	char line[32], go;

	if (read(go_fd, &go, 1) != 1)
		_exit(1);
	for (unsigned int i = 0; i < count; i++) {
		int length = snprintf(line, sizeof(line), "number %u\n", i);

		if (log_writer_write(writer, LOG_STDOUT, time_now(), line, (size_t)length, NULL) <
			0)
			_exit(1);
	}
	log_writer_free(writer);
	_exit(0);
}

/* The same with two processes and the inotify fd: no wake-up is missed. */
static void row_14_11_a_follower_in_another_process_is_woken_for_every_line(void **state)
{
	enum { COUNT = 20000 };
	struct world *world = *state;
	struct log_reader *reader = open_reader(world, -1);
	struct pollfd readable = { .fd = log_reader_fd(reader), .events = POLLIN };
	unsigned int next = 0;
	int fds[2], status;
	pid_t child;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	child = fork();
	if (child == 0)
		write_numbers(world, COUNT, fds[0]);
	assert_true(child > 0);
	assert_int_equal(write(fds[1], "g", 1), 1);
	while (next < COUNT) {
		struct log_record record;
		char expected[32];

		if (log_reader_next(reader, &record, NULL) == 0) {
			assert_int_equal(poll(&readable, 1, 10000), 1);
			continue;
		}
		snprintf(expected, sizeof(expected), "number %u", next);
		assert_int_equal(record.length, strlen(expected));
		assert_memory_equal(record.text, expected, record.length);
		next++;
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	log_reader_free(reader);
	close(fds[0]);
	close(fds[1]);
}

static void a_reader_that_was_overtaken_goes_on_at_the_oldest_file(void **state)
{
	struct world *world = *state;
	struct log_writer *writer = open_writer(world, 300, 2);
	struct log_reader *reader;
	struct log_record record;
	cleanup_free char *rest = NULL;

	write_text(writer, LOG_STDOUT, "first\n");
	reader = open_reader(world, -1);
	assert_int_equal(log_reader_next(reader, &record, NULL), 1);
	for (int i = 0; i < 50; i++) {
		char line[32];

		snprintf(line, sizeof(line), "%d\n", i);
		write_text(writer, LOG_STDOUT, line);
	}
	rest = read_all(reader);
	assert_non_null(strstr(rest, "out|49\n"));
	assert_null(strstr(rest, "out|20\n"));
	log_reader_free(reader);
	log_writer_free(writer);
}

static void append_raw(struct world *world, const char *text)
{
	cleanup_free char *path = xasprintf("%s/" LOG_FILE_NAME, world->directory);
	int fd = openat(
		world->engine.data_fd, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void a_fragment_left_by_a_crash_hides_no_other_record(void **state)
{
	struct world *world = *state;
	struct log_writer *writer = open_writer(world, 0, 1);

	write_text(writer, LOG_STDOUT, "before\n");
	log_writer_free(writer);
	append_raw(world, "{\"log\":\"torn off her");
	writer = open_writer(world, 0, 1);
	write_text(writer, LOG_STDOUT, "after\n");
	append_raw(world, "garbage\n{\"log\":1}\n\n");
	write_text(writer, LOG_STDOUT, "end\n");
	assert_log(world, -1, "out|before\nout|after\nout|end\n");
	assert_log(world, 2, "out|after\nout|end\n");
	log_writer_free(writer);
}

static void a_line_of_whole_pieces_that_never_ends_is_told(void **state)
{
	struct world *world = *state;
	struct log_writer *writer = open_writer(world, 0, 1);
	struct log_reader *reader;
	struct log_record record;
	cleanup_free char *piece = xmalloc(LOG_PIECE_MAX + 1);

	memset(piece, 'p', LOG_PIECE_MAX + 1);
	log_writer_write(writer, LOG_STDOUT, SECOND, piece, LOG_PIECE_MAX + 1, NULL);
	reader = open_reader(world, -1);
	/* Its end is still to come. */
	assert_int_equal(log_reader_next(reader, &record, NULL), 0);
	assert_int_equal(log_writer_flush(writer, SECOND, NULL), 0);
	assert_int_equal(log_reader_next(reader, &record, NULL), 1);
	assert_int_equal(record.length, LOG_PIECE_MAX + 1);
	assert_false(record.has_newline);
	log_reader_free(reader);
	log_writer_free(writer);
}

static void a_line_abandoned_by_a_killed_writer_is_told_after_a_while(void **state)
{
	struct world *world = *state;
	struct log_writer *writer = open_writer(world, 0, 1);
	cleanup_free char *path = xasprintf("%s/" LOG_FILE_NAME, world->directory);
	const struct timespec old[2] = { { 1700000000, 0 }, { 1700000000, 0 } };
	struct log_reader *reader;
	struct log_record record;
	cleanup_free char *piece = xmalloc(LOG_PIECE_MAX + 1);

	memset(piece, 'p', LOG_PIECE_MAX + 1);
	log_writer_write(writer, LOG_STDOUT, SECOND, piece, LOG_PIECE_MAX + 1, NULL);
	log_writer_free(writer);
	assert_int_equal(utimensat(world->engine.data_fd, path, old, 0), 0);
	reader = open_reader(world, -1);
	assert_int_equal(log_reader_next(reader, &record, NULL), 1);
	assert_int_equal(record.length, LOG_PIECE_MAX);
	assert_int_equal(log_reader_next(reader, &record, NULL), 0);
	log_reader_free(reader);
}

static void row_13_6_a_full_disk_drops_output_and_recovers(void **state)
{
	struct world *world = *state;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *chunk = xmalloc(30000);
	cleanup_free char *path = xasprintf("%s/%s", world->path, world->directory);
	cleanup_free char *big = xasprintf("%s/%s", world->directory, "big");
	struct log_writer *writer;
	struct log_reader *reader;
	struct log_record record;
	int fd, r = 0;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tmpfs", path, "tmpfs", 0, "size=256k") < 0) {
		print_message("needs CAP_SYS_ADMIN for a small tmpfs\n");
		skip();
	}
	/* The old one leads to the old mounts. */
	close(world->engine.data_fd);
	world->engine.data_fd = open(world->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	memset(chunk, 'c', 30000);
	chunk[29999] = '\n';
	writer = open_writer(world, 0, 1);
	fd = openat(world->engine.data_fd, big, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(posix_fallocate(fd, 0, 128 << 10), 0);
	close(fd);
	write_text(writer, LOG_STDOUT, "before\n");
	for (int i = 0; i < 20 && r == 0; i++)
		r = log_writer_write(writer, LOG_STDOUT, SECOND, chunk, 30000, &err);
	assert_int_equal(r, -ENOSPC);
	assert_non_null(strstr(error_text(&err), "dropped"));
	assert_int_equal(unlinkat(world->engine.data_fd, big, 0), 0);
	write_text(writer, LOG_STDOUT, "after\n");
	reader = open_reader(world, -1);
	assert_int_equal(log_reader_next(reader, &record, NULL), 1);
	assert_memory_equal(record.text, "before", 6);
	do {
		r = log_reader_next(reader, &record, NULL);
		assert_int_equal(r, 1);
	} while (record.length != 5);
	assert_memory_equal(record.text, "after", 5);
	log_reader_free(reader);
	log_writer_free(writer);
	assert_int_equal(umount2(path, MNT_DETACH), 0);
}

/* In a user namespace where no inotify instance may be made. */
static int follow_without_inotify(struct world *world)
{
	struct log_reader_options options = { .tail = 0 };
	struct log_reader *reader = NULL;
	struct log_writer *writer = NULL;
	struct log_record record;
	struct pollfd readable = { .events = POLLIN };

	if (unshare(CLONE_NEWUSER) < 0 ||
		file_write_value(AT_FDCWD, "/proc/sys/user/max_inotify_instances", "0", NULL) < 0)
		return 77;
	if (log_writer_open(&world->engine, world->id, 0, 1, &writer, NULL) < 0 ||
		log_reader_open(&world->engine, world->id, &options, &reader, NULL) < 0 ||
		log_reader_next(reader, &record, NULL) != 0)
		return 1;
	log_writer_write(writer, LOG_STDOUT, SECOND, "late\n", 5, NULL);
	readable.fd = log_reader_fd(reader);
	if (poll(&readable, 1, 5000) != 1 || log_reader_next(reader, &record, NULL) != 1)
		return 2;
	return record.length == 4 ? 0 : 3;
}

static void row_14_12_inotify_is_optional(void **state)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(follow_without_inotify(*state));
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WEXITSTATUS(status) == 77) {
		print_message("needs a user namespace\n");
		skip();
	}
	assert_int_equal(status, 0);
}

static void a_log_that_does_not_exist_yet_is_empty_and_may_come(void **state)
{
	struct world *world = *state;
	struct log_reader *reader = open_reader(world, -1);
	struct log_record record;
	struct log_writer *writer;

	assert_int_equal(log_reader_next(reader, &record, NULL), 0);
	writer = open_writer(world, 0, 1);
	write_text(writer, LOG_STDOUT, "here\n");
	assert_int_equal(log_reader_next(reader, &record, NULL), 1);
	log_reader_free(reader);
	log_writer_free(writer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_record_is_dockers_json_file_form),
		TEST(lines_are_put_together_per_stream_from_pieces_as_they_come),
		TEST(row_11_2_a_container_cannot_forge_a_record),
		TEST(row_11_2_nul_stays_and_invalid_utf8_is_replaced),
		TEST(row_11_6_a_long_line_is_split_on_disk_and_whole_when_read),
		TEST(row_11_6_memory_stays_bounded_for_100_mib_without_a_line_end),
		TEST(tail_counts_lines_and_not_records),
		TEST(tail_reaches_over_rotated_files),
		TEST(since_and_until_bound_the_time),
		TEST(rotation_keeps_at_most_max_file_files_of_max_size),
		TEST(row_14_11_a_follower_loses_nothing_over_rotation),
		TEST(row_14_11_a_follower_in_another_process_is_woken_for_every_line),
		TEST(a_reader_that_was_overtaken_goes_on_at_the_oldest_file),
		TEST(a_fragment_left_by_a_crash_hides_no_other_record),
		TEST(a_line_of_whole_pieces_that_never_ends_is_told),
		TEST(a_line_abandoned_by_a_killed_writer_is_told_after_a_while),
		TEST(row_13_6_a_full_disk_drops_output_and_recovers),
		TEST(row_14_12_inotify_is_optional),
		TEST(a_log_that_does_not_exist_yet_is_empty_and_may_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
