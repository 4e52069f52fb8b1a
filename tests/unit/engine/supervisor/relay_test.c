/* SPDX-License-Identifier: GPL-2.0-or-later
 * relay_test.c - bytes both ways over pipes, sockets and ptys; the terminal comes back as it was.
 */
#include "engine/supervisor/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/memory.h"
#include "engine/base/strbuf.h"

static int set_up(void **state)
{
	struct loop *loop;

	if (loop_new(&loop, NULL) < 0)
		return -1;
	*state = loop;
	return 0;
}

static int tear_down(void **state)
{
	loop_free(*state);
	return 0;
}

static void pump(struct loop *loop, int rounds)
{
	for (int i = 0; i < rounds; i++)
		assert_true(loop_run_once(loop, 2, NULL) >= 0);
}

static void put(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void assert_reads(struct loop *loop, int fd, const char *expected)
{
	char text[256] = "";
	size_t length = 0;

	for (int round = 0; round < 200 && length < strlen(expected); round++) {
		ssize_t n;

		pump(loop, 1);
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
		n = read(fd, text + length, sizeof(text) - 1 - length);
		if (n > 0)
			length += (size_t)n;
	}
	text[length] = '\0';
	assert_string_equal(text, expected);
}

static void assert_same_mode(const struct termios *a, const struct termios *b)
{
	assert_int_equal(a->c_iflag, b->c_iflag);
	assert_int_equal(a->c_oflag, b->c_oflag);
	assert_int_equal(a->c_cflag, b->c_cflag);
	assert_int_equal(a->c_lflag, b->c_lflag);
	assert_memory_equal(a->c_cc, b->c_cc, sizeof(a->c_cc));
}

static void bytes_go_both_ways_over_a_socket(void **state)
{
	struct loop *loop = *state;
	struct relay *relay;
	int user_in[2], user_out[2], far[2];

	assert_int_equal(pipe2(user_in, O_CLOEXEC) | pipe2(user_out, O_CLOEXEC), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, far), 0);
	assert_int_equal(
		relay_new(loop, user_in[0], far[0], far[0], user_out[1], false, &relay, NULL), 0);
	put(user_in[1], "to the container");
	assert_reads(loop, far[1], "to the container");
	put(far[1], "to the user");
	assert_reads(loop, user_out[0], "to the user");
	relay_free(relay);
	/* The socket stays the caller's. */
	assert_int_equal(fcntl(far[0], F_GETFD), FD_CLOEXEC);
	for (size_t i = 0; i < 2; i++) {
		close(user_in[i]);
		close(user_out[i]);
		close(far[i]);
	}
}

/* 'x' is thrown away, 'd' comes twice. */
static size_t change(char *bytes, size_t length, void *arg)
{
	char old[64];
	size_t out = 0;

	++*(int *)arg;
	assert_true(length <= sizeof(old));
	memcpy(old, bytes, length);
	for (size_t i = 0; i < length; i++)
		for (int n = old[i] == 'x' ? 0 : old[i] == 'd' ? 2 : 1; n > 0; n--)
			bytes[out++] = old[i];
	return out;
}

static void what_is_typed_goes_through_the_filter(void **state)
{
	struct loop *loop = *state;
	struct relay *relay;
	int user_in[2], far[2], calls = 0;

	assert_int_equal(pipe2(user_in, O_CLOEXEC), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, far), 0);
	assert_int_equal(relay_new(loop, user_in[0], far[0], -1, -1, false, &relay, NULL), 0);
	relay_set_filter(relay, change, &calls);
	assert_false(relay_holds_input(relay));
	put(user_in[1], "xxx"); /* nothing is left of it, and that holds up nothing */
	pump(loop, 2);
	assert_int_equal(calls, 1);
	assert_false(relay_holds_input(relay));
	put(user_in[1], "axd");
	assert_reads(loop, far[1], "add");
	assert_int_equal(calls, 2);
	relay_free(relay);
	for (size_t i = 0; i < 2; i++) {
		close(user_in[i]);
		close(far[i]);
	}
}

static void the_end_of_the_input_closes_a_pipe(void **state)
{
	struct loop *loop = *state;
	struct relay *relay;
	int user_in[2], far[2];
	char byte;

	assert_int_equal(pipe2(user_in, O_CLOEXEC) | pipe2(far, O_CLOEXEC), 0);
	assert_int_equal(relay_new(loop, user_in[0], far[1], -1, -1, false, &relay, NULL), 0);
	put(user_in[1], "last words");
	close(user_in[1]);
	assert_reads(loop, far[0], "last words");
	pump(loop, 3);
	assert_int_equal(read(far[0], &byte, 1), 0);
	assert_int_equal(fcntl(far[1], F_GETFD), -1);
	relay_free(relay);
	close(user_in[0]);
	close(far[0]);
}

/* Everything arrives in order although the far end takes little at a time. */
static void a_slow_reader_holds_up_the_input_and_loses_nothing(void **state)
{
	enum { TOTAL = 300000 };
	struct loop *loop = *state;
	cleanup_strbuf struct strbuf seen = STRBUF_INIT;
	struct relay *relay;
	int user_in[2], far[2];
	size_t sent = 0;

	assert_int_equal(pipe2(user_in, O_CLOEXEC | O_NONBLOCK) | pipe2(far, O_CLOEXEC), 0);
	assert_int_equal(relay_new(loop, user_in[0], far[1], -1, -1, false, &relay, NULL), 0);
	fcntl(far[0], F_SETFL, O_NONBLOCK);
	for (int round = 0; round < 10000 && seen.length < TOTAL; round++) {
		char chunk[3000];
		ssize_t n;

		while (sent < TOTAL) {
			char byte = (char)('a' + sent % 23);

			if (write(user_in[1], &byte, 1) != 1)
				break;
			sent++;
		}
		assert_true(loop_run_once(loop, 0, NULL) >= 0);
		n = round % 3 ? -1 : read(far[0], chunk, sizeof(chunk));
		if (n > 0)
			strbuf_add(&seen, chunk, (size_t)n);
	}
	assert_int_equal(seen.length, TOTAL);
	for (size_t i = 0; i < TOTAL; i++)
		assert_int_equal(seen.data[i], 'a' + i % 23);
	relay_free(relay);
	close(user_in[0]);
	close(user_in[1]);
	close(far[0]);
}

static void input_from_a_regular_file_is_copied_to_its_end(void **state)
{
	struct loop *loop = *state;
	char path[] = "/tmp/mycompose-relay-XXXXXX";
	int fd = mkstemp(path), far[2];
	struct relay *relay;
	char byte;

	unlink(path);
	put(fd, "from a file");
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(pipe2(far, O_CLOEXEC), 0);
	assert_int_equal(relay_new(loop, fd, far[1], -1, -1, false, &relay, NULL), 0);
	assert_reads(loop, far[0], "from a file");
	pump(loop, 3);
	assert_int_equal(read(far[0], &byte, 1), 0);
	/* Then it is quiet. */
	assert_int_equal(loop_run_once(loop, 5, NULL), 0);
	relay_free(relay);
	close(fd);
	close(far[0]);
}

static void a_far_end_that_has_gone_ends_the_input_quietly(void **state)
{
	struct loop *loop = *state;
	struct relay *relay;
	int user_in[2], far[2];

	assert_int_equal(pipe2(user_in, O_CLOEXEC) | pipe2(far, O_CLOEXEC), 0);
	assert_int_equal(relay_new(loop, user_in[0], far[1], -1, -1, false, &relay, NULL), 0);
	close(far[0]);
	put(user_in[1], "nobody listens"); /* no SIGPIPE ends this test */
	pump(loop, 5);
	assert_int_equal(loop_run_once(loop, 5, NULL), 0);
	relay_free(relay);
	close(user_in[0]);
	close(user_in[1]);
}

static void row_14_13_raw_mode_is_restored_and_the_window_size_follows(void **state)
{
	struct loop *loop = *state;
	struct winsize size = { .ws_row = 40, .ws_col = 132 }, seen;
	struct termios before, during, after;
	int user_master, user, container_master, container;
	struct relay *relay;

	assert_int_equal(openpty(&user_master, &user, NULL, NULL, &size), 0);
	assert_int_equal(openpty(&container_master, &container, NULL, NULL, NULL), 0);
	tcgetattr(user, &before);
	assert_int_equal(
		relay_new(loop, user, container_master, container_master, user, true, &relay, NULL),
		0);
	tcgetattr(user, &during);
	assert_true(before.c_lflag & ICANON);
	assert_false(during.c_lflag & (ICANON | ECHO | ISIG));
	ioctl(container, TIOCGWINSZ, &seen);
	assert_int_equal(seen.ws_row, 40);
	assert_int_equal(seen.ws_col, 132);
	size.ws_col = 80;
	ioctl(user_master, TIOCSWINSZ, &size);
	relay_resize(relay);
	ioctl(container, TIOCGWINSZ, &seen);
	assert_int_equal(seen.ws_col, 80);
	/* Typed: echoed by the container's terminal, read by the container's process. */
	put(user_master, "ls\r");
	assert_reads(loop, container, "ls\n");
	assert_reads(loop, user_master, "ls\r\n");
	relay_free(relay);
	tcgetattr(user, &after);
	assert_same_mode(&before, &after);
	close(user_master);
	close(user);
	close(container_master);
	close(container);
}

static void row_14_13_a_container_killed_during_attach_leaves_the_loop_quiet(void **state)
{
	struct loop *loop = *state;
	int user_master, user, container_master, container;
	struct termios before, after;
	struct relay *relay;

	assert_int_equal(openpty(&user_master, &user, NULL, NULL, NULL), 0);
	assert_int_equal(openpty(&container_master, &container, NULL, NULL, NULL), 0);
	tcgetattr(user, &before);
	assert_int_equal(
		relay_new(loop, user, container_master, container_master, user, true, &relay, NULL),
		0);
	put(container, "goodbye\n");
	close(container);
	assert_reads(loop, user_master, "goodbye\r\n");
	relay_drain(relay);
	pump(loop, 5);
	assert_int_equal(loop_run_once(loop, 5, NULL), 0);
	relay_free(relay);
	tcgetattr(user, &after);
	assert_same_mode(&before, &after);
	close(user_master);
	close(user);
	close(container_master);
}

static void drain_copies_what_is_left_after_the_end(void **state)
{
	struct loop *loop = *state;
	struct relay *relay;
	int user_in[2], user_out[2], from[2], to[2];

	assert_int_equal(pipe2(user_in, O_CLOEXEC) | pipe2(user_out, O_CLOEXEC) |
				 pipe2(from, O_CLOEXEC) | pipe2(to, O_CLOEXEC),
		0);
	assert_int_equal(
		relay_new(loop, user_in[0], to[1], from[0], user_out[1], false, &relay, NULL), 0);
	put(from[1], "the end");
	close(from[1]);
	relay_drain(relay); /* the loop has not run */
	relay_free(relay);
	assert_reads(loop, user_out[0], "the end");
	assert_int_equal(fcntl(to[1], F_GETFD), -1);
	close(user_in[0]);
	close(user_in[1]);
	close(user_out[0]);
	close(user_out[1]);
	close(from[0]);
	close(to[0]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes_go_both_ways_over_a_socket),
		TEST(the_end_of_the_input_closes_a_pipe),
		TEST(what_is_typed_goes_through_the_filter),
		TEST(a_slow_reader_holds_up_the_input_and_loses_nothing),
		TEST(input_from_a_regular_file_is_copied_to_its_end),
		TEST(a_far_end_that_has_gone_ends_the_input_quietly),
		TEST(row_14_13_raw_mode_is_restored_and_the_window_size_follows),
		TEST(row_14_13_a_container_killed_during_attach_leaves_the_loop_quiet),
		TEST(drain_copies_what_is_left_after_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
