/* SPDX-License-Identifier: GPL-2.0-or-later
 * fd_passing_test.c - messages with descriptors: what was sent, and nothing else, is held after. */
#include "engine/container/fd_passing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/base/files.h"

static int pair[2];

static int open_pair(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
}

static int close_pair(void **state)
{
	(void)state;
	close_fd(&pair[0]);
	close_fd(&pair[1]);
	return 0;
}

static size_t open_descriptors(void)
{
	cleanup_strv char **names = NULL;

	assert_int_equal(dir_list(AT_FDCWD, "/proc/self/fd", &names, NULL), 0);
	return strv_length(names);
}

static void descriptors_arrive_in_order_and_closed_on_exec(void **state)
{
	int sent[FDS_MAX], received[FDS_MAX];
	char byte = 'x';

	(void)state;
	for (size_t i = 0; i < FDS_MAX; i++)
		sent[i] = i % 2 ? STDERR_FILENO : STDIN_FILENO;
	assert_int_equal(fds_send(pair[0], "y", 1, sent, FDS_MAX), 0);
	assert_int_equal(fds_receive(pair[1], &byte, 1, received, FDS_MAX, 0), 0);
	assert_int_equal(byte, 'y');
	for (size_t i = 0; i < FDS_MAX; i++) {
		assert_true(fcntl(received[i], F_GETFD) & FD_CLOEXEC);
		assert_int_equal(fcntl(received[i], F_GETFL) & O_ACCMODE,
			fcntl(sent[i], F_GETFL) & O_ACCMODE);
		close(received[i]);
	}
	assert_int_equal(fds_send(pair[0], "y", 1, sent, FDS_MAX + 1), -E2BIG);
}

static void fewer_than_asked_for_are_none(void **state)
{
	int fd = STDIN_FILENO, received[3];
	char byte;

	(void)state;
	assert_int_equal(fds_send(pair[0], "y", 1, &fd, 1), 0);
	assert_int_equal(fds_receive(pair[1], &byte, 1, received, 3, 0), 0);
	assert_true(received[0] >= 0 && received[1] == -1 && received[2] == -1);
	close(received[0]);
	assert_int_equal(fds_send(pair[0], "y", 1, NULL, 0), 0);
	assert_int_equal(fds_receive(pair[1], &byte, 1, received, 3, 0), 0);
	assert_int_equal(received[0], -1);
}

static void another_message_is_refused_and_leaves_nothing_open(void **state)
{
	const int fds[] = { STDIN_FILENO, STDERR_FILENO };
	size_t before = open_descriptors();
	char bytes[2];
	int received[2];

	(void)state;
	assert_int_equal(fds_send(pair[0], "y", 1, fds, 2), 0); /* more descriptors */
	assert_int_equal(fds_receive(pair[1], bytes, 1, received, 1, 0), -EPROTO);
	assert_int_equal(received[0], -1);
	assert_int_equal(fds_send(pair[0], "yy", 2, fds, 2), 0); /* more bytes */
	assert_int_equal(fds_receive(pair[1], bytes, 1, received, 2, 0), -EPROTO);
	assert_int_equal(fds_send(pair[0], "y", 1, fds, 2), 0); /* fewer */
	assert_int_equal(fds_receive(pair[1], bytes, 2, received, 2, 0), -EPROTO);
	assert_true(received[0] == -1 && received[1] == -1);
	assert_int_equal(open_descriptors(), before);
}

static void the_end_of_the_other_side_is_told(void **state)
{
	int received[1];
	char byte;

	(void)state;
	assert_int_equal(fds_receive(pair[1], &byte, 1, received, 1, MSG_DONTWAIT), -EAGAIN);
	close_fd(&pair[0]);
	assert_int_equal(fds_receive(pair[1], &byte, 1, received, 1, 0), -ECONNRESET);
	assert_int_equal(fds_send(pair[1], "y", 1, NULL, 0), -EPIPE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_pair, close_pair)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(descriptors_arrive_in_order_and_closed_on_exec),
		TEST(fewer_than_asked_for_are_none),
		TEST(another_message_is_refused_and_leaves_nothing_open),
		TEST(the_end_of_the_other_side_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
