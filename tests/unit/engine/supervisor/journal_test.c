/* SPDX-License-Identifier: GPL-2.0-or-later
 * journal_test.c - a reader killed at any instant loses no byte of what a container wrote, and logs
 * none twice. */
#include "engine/supervisor/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/files.h"
#include "engine/base/ids.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/base/times.h"

#define BUFFER 65536

struct world {
	struct engine engine;
	char path[64];
	char id[ID_LENGTH + 1];
	int dir_fd; /* where FIFO and journal are */
};

static int set_up(void **state)
{
	struct world *world = xcalloc(1, sizeof(*world));
	cleanup_free char *directory = NULL;

	world->engine = (struct engine)ENGINE_INIT;
	snprintf(world->path, sizeof(world->path), "/tmp/mycompose-journal-XXXXXX");
	if (!mkdtemp(world->path))
		return -1;
	world->dir_fd = open(world->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	world->engine.data_fd = dup(world->dir_fd);
	id_random(world->id);
	directory = xasprintf("containers/%s", world->id);
	*state = world;
	if (mkfifoat(world->dir_fd, "fifo", 0600) < 0)
		return -1;
	return dir_make(world->dir_fd, directory, 0700, NULL);
}

static int tear_down(void **state)
{
	struct world *world = *state;

	tree_remove(AT_FDCWD, world->path, NULL);
	close(world->engine.data_fd);
	close(world->dir_fd);
	free(world);
	return 0;
}

#define world_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

/* What the reader of one life has open. */
struct life {
	struct log_writer *writer;
	struct journal journal;
	int fifo_fd;
};

static void life_begin(
	struct life *life, const struct world *world, uint64_t max_size, uint32_t max_file)
{
	struct error err = ERROR_INIT;

	*life = (struct life){ .journal = JOURNAL_INIT };
	life->fifo_fd = openat(world->dir_fd, "fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (log_writer_open(&world->engine, world->id, max_size, max_file, &life->writer, &err) < 0)
		fail_msg("%s", error_text(&err));
	if (journal_resume(&life->journal, world->dir_fd, LOG_STDOUT, life->writer, &err) ==
		-ENOENT) {
		error_release(&err);
		journal_create(&life->journal, world->dir_fd, LOG_STDOUT, &err);
	}
	if (err.code)
		fail_msg("%s", error_text(&err));
	assert_true(life->journal.fd >= 0);
}

static void life_end(struct life *life)
{
	journal_close(&life->journal);
	log_writer_free(life->writer);
	close(life->fifo_fd);
}

/* false: there was nothing. */
static bool read_once(struct life *life)
{
	static char buffer[BUFFER];
	ssize_t n = journal_read(&life->journal, life->fifo_fd, buffer, sizeof(buffer));

	if (n <= 0)
		return false;
	assert_int_equal(
		journal_log(&life->journal, life->writer, time_now(), buffer, (size_t)n, NULL), 0);
	return true;
}

/* All text of the log, oldest file first. */
static void logged(const struct world *world, struct strbuf *ret)
{
	struct log_reader_options all = { .tail = -1 };
	struct log_reader *reader = NULL;
	struct log_record record;
	int r;

	assert_int_equal(log_reader_open(&world->engine, world->id, &all, &reader, NULL), 0);
	while ((r = log_reader_next(reader, &record, NULL)) > 0) {
		strbuf_add(ret, record.text, record.length);
		if (record.has_newline)
			strbuf_add(ret, "\n", 1);
	}
	assert_int_equal(r, 0);
	log_reader_free(reader);
}

static void put(const struct world *world, const char *text)
{
	int fd = openat(world->dir_fd, "fifo", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	/* Stays open: the container's side. */
}

static void what_is_read_is_logged(void **state)
{
	const struct world *world = *state;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct life life;

	put(world, "one\ntwo\nthr");
	life_begin(&life, world, 0, 1);
	assert_true(read_once(&life));
	assert_false(read_once(&life));
	logged(world, &text);
	assert_string_equal(strbuf_text(&text), "one\ntwo\n");
	life_end(&life);
}

static void the_beginning_of_a_line_outlives_its_reader(void **state)
{
	const struct world *world = *state;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct life life;

	put(world, "one\ntwo\nthr");
	life_begin(&life, world, 0, 1);
	assert_true(read_once(&life));
	life_end(&life);
	put(world, "ee\n");
	life_begin(&life, world, 0, 1);
	assert_true(read_once(&life));
	life_end(&life);
	logged(world, &text);
	assert_string_equal(strbuf_text(&text), "one\ntwo\nthree\n");
}

static void what_was_taken_and_not_logged_is_logged_by_the_next(void **state)
{
	const struct world *world = *state;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char buffer[64];
	struct life life;

	put(world, "one\ntwo\n");
	life_begin(&life, world, 0, 1);
	assert_int_equal(journal_read(&life.journal, life.fifo_fd, buffer, sizeof(buffer)), 8);
	life_end(&life);
	life_begin(&life, world, 0, 1);
	assert_false(read_once(&life));
	life_end(&life);
	logged(world, &text);
	assert_string_equal(strbuf_text(&text), "one\ntwo\n");
}

static void a_flushed_line_is_not_flushed_again(void **state)
{
	const struct world *world = *state;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct life life;

	put(world, "no end");
	life_begin(&life, world, 0, 1);
	assert_true(read_once(&life));
	assert_int_equal(journal_flush(&life.journal, life.writer, time_now(), NULL), 0);
	life_end(&life);
	life_begin(&life, world, 0, 1);
	assert_int_equal(journal_flush(&life.journal, life.writer, time_now(), NULL), 0);
	life_end(&life);
	logged(world, &text);
	assert_string_equal(strbuf_text(&text), "no end");
}

static void its_file_stays_small(void **state)
{
	const struct world *world = *state;
	struct life life;
	struct stat st;
	char line[1001];

	memset(line, 'x', 999);
	line[999] = '\n';
	line[1000] = '\0';
	life_begin(&life, world, 0, 1);
	for (int i = 0; i < 3000; i++) {
		put(world, i % 7 ? line : line + 500);
		put(world, "begun"); /* so that it is never empty */
		while (read_once(&life))
			;
	}
	assert_int_equal(fstat(life.journal.fd, &st), 0);
	assert_true(st.st_blocks * 512 <= 192 * 1024);
	put(world, "\n");
	assert_true(read_once(&life));
	assert_int_equal(fstat(life.journal.fd, &st), 0);
	assert_int_equal(st.st_size, 4096);
	life_end(&life);
}

static void damage_is_told_and_then_forgotten(void **state)
{
	const struct world *world = *state;
	cleanup_error struct error err = ERROR_INIT;
	struct life life;

	life_begin(&life, world, 0, 1);
	assert_int_equal(pwrite(life.journal.fd, "garbage!", 8, 0), 8);
	journal_close(&life.journal);
	assert_int_equal(
		journal_resume(&life.journal, world->dir_fd, LOG_STDOUT, life.writer, &err),
		-EBADMSG);
	assert_int_equal(
		journal_resume(&life.journal, world->dir_fd, LOG_STDOUT, life.writer, NULL),
		-ENOENT);
	life_end(&life);
}

#define LINES 6000

/* Of many lengths, a few longer than a record may be. */
static void line_of(int number, struct strbuf *ret)
{
	size_t length = (size_t)(number * 37 % 211);

	if (number % 500 == 0)
		length = (size_t)(number % 5000) * 8 + 20000;
	strbuf_clear(ret);
	strbuf_addf(ret, "%d ", number);
	for (size_t i = 0; i < length; i++)
		strbuf_add(ret, &"abc\"\\\t\1z"[i % 8], 1);
	strbuf_add(ret, "\n", 1);
}

static pid_t start_writing(const struct world *world)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	pid_t pid = fork();
	int fd;

	if (pid != 0)
		return pid;
	fd = openat(world->dir_fd, "fifo", O_WRONLY);
	for (int i = 0; i < LINES; i++) {
		line_of(i, &line);
		if (fd_write_all(fd, line.data, line.length, NULL) < 0)
			_exit(1);
	}
	_exit(0);
}

static pid_t start_reading(const struct world *world, uint64_t max_size, uint32_t max_file)
{
	struct life life;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	life_begin(&life, world, max_size, max_file);
	for (;;) {
		struct pollfd ready = { .fd = life.fifo_fd, .events = POLLIN };

		poll(&ready, 1, -1);
		read_once(&life);
	}
}

static void check_lines(const struct strbuf *text)
{
	cleanup_strbuf struct strbuf line = STRBUF_INIT;
	size_t at = 0;

	for (int i = 0; i < LINES; i++) {
		line_of(i, &line);
		if (at + line.length > text->length ||
			memcmp(text->data + at, line.data, line.length) != 0)
			fail_msg("line %d is not as it was written: %.30s", i,
				at < text->length ? text->data + at : "(end)");
		at += line.length;
	}
	assert_int_equal(at, text->length);
}

/* A kill every millisecond or so, over rotations of small and large files. */
static void row_13_2_killed_at_any_instant_no_line_is_lost_or_told_twice(void **state)
{
	static const uint64_t sizes[] = { 0, 30000, 300000 };
	struct world *world = *state;
	int holder_fd = openat(world->dir_fd, "fifo", O_RDWR | O_CLOEXEC);

	srand((unsigned int)getpid());

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		cleanup_free char *directory = xasprintf("containers/%s", world->id);
		struct life life;
		int status, kills = 0;
		pid_t writer = start_writing(world);

		while (waitpid(writer, &status, WNOHANG) == 0) {
			pid_t reader = start_reading(world, sizes[i], 1000);

			usleep((useconds_t)(rand() % 3000));
			kill(reader, SIGKILL);
			assert_int_equal(waitpid(reader, &status, 0), reader);
			assert_true(WIFSIGNALED(status));
			kills++;
		}
		assert_int_equal(status, 0);
		life_begin(&life, world, sizes[i], 1000);
		while (read_once(&life))
			;
		life_end(&life);
		logged(world, &text);
		check_lines(&text);
		assert_true(kills > 10);
		assert_int_equal(tree_remove(world->dir_fd, directory, NULL), 0);
		assert_int_equal(dir_make(world->dir_fd, directory, 0700, NULL), 0);
		assert_int_equal(unlinkat(world->dir_fd, "stdout.journal", 0), 0);
	}
	close(holder_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(what_is_read_is_logged),
		world_test(the_beginning_of_a_line_outlives_its_reader),
		world_test(what_was_taken_and_not_logged_is_logged_by_the_next),
		world_test(a_flushed_line_is_not_flushed_again),
		world_test(its_file_stays_small),
		world_test(damage_is_told_and_then_forgotten),
		world_test(row_13_2_killed_at_any_instant_no_line_is_lost_or_told_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
