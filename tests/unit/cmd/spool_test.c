/* SPDX-License-Identifier: GPL-2.0-or-later
 * spool_test.c - readers that take nothing, take all, take it late, or go. */
#include "cmd/spool.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/cmd/support.h"

struct watch {
	int rooms;
	int goings;
};

static void see_room(void *arg)
{
	((struct watch *)arg)->rooms++;
}

static void see_going(void *arg)
{
	((struct watch *)arg)->goings++;
}

static struct spool *open_spool(struct loop **ret_loop, int fd, struct watch *watch)
{
	const struct spool_options options = { see_room, see_going, watch };
	struct spool *spool = NULL;

	assert_int_equal(loop_new(ret_loop, NULL), 0);
	assert_int_equal(spool_new(*ret_loop, fd, &options, &spool, NULL), 0);
	return spool;
}

static size_t take(int fd, size_t most)
{
	cleanup_free char *bytes = xmalloc(most);
	ssize_t n = read(fd, bytes, most);

	return n > 0 ? (size_t)n : 0;
}

/* Numbered lines until so much has been handed over. */
static size_t fill(struct spool *spool, size_t length)
{
	size_t done = 0;

	for (int i = 0; done < length; i++)
		done += (size_t)fprintf(spool_stream(spool), "%d\n", i);
	fflush(spool_stream(spool));
	return done;
}

static void check_stopped_reader(int fds[2])
{
	struct watch watch = { 0 };
	struct loop *loop;
	struct spool *spool = open_spool(&loop, fds[1], &watch);
	int flags = fcntl(fds[1], F_GETFL);
	size_t written = fill(spool, 3 << 20), taken = 0;

	assert_true(spool_is_full(spool));
	while (taken < written) {
		assert_true(loop_run_once(loop, 10, NULL) >= 0);
		taken += take(fds[0], 65536);
	}
	assert_int_equal(taken, written);
	assert_true(loop_run_once(loop, 0, NULL) >= 0);
	assert_true(spool_is_empty(spool));
	assert_int_equal(watch.rooms, 1);
	assert_int_equal(watch.goings, 0);
	assert_int_equal(fcntl(fds[1], F_GETFL), flags);
	spool_free(spool);
	loop_free(loop);
	close(fds[0]);
	close(fds[1]);
}

static void a_stopped_reader_gets_all_later_and_the_flags_stay(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	check_stopped_reader(fds);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	check_stopped_reader(fds);
}

static void a_file_is_written_at_its_place(void **state)
{
	char name[] = "/tmp/spool-XXXXXX";
	int fd = mkstemp(name);
	struct watch watch = { 0 };
	struct loop *loop;
	struct spool *spool;

	(void)state;
	unlink(name);
	assert_int_equal(write(fd, "before\n", 7), 7);
	spool = open_spool(&loop, fd, &watch);
	fputs("after\n", spool_stream(spool));
	fflush(spool_stream(spool));
	assert_true(spool_is_empty(spool));
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 13);
	spool_free(spool);
	loop_free(loop);
	close(fd);
}

static void a_reader_that_goes_is_told_once_and_nothing_is_kept(void **state)
{
	struct watch watch = { 0 };
	struct loop *loop;
	struct spool *spool;
	int fds[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	spool = open_spool(&loop, fds[1], &watch);
	fill(spool, 2 << 20);
	close(fds[0]);
	assert_true(loop_run_once(loop, 10, NULL) >= 0);
	fill(spool, 2 << 20);
	assert_true(spool_is_empty(spool));
	assert_int_equal(watch.goings, 1);
	assert_int_equal(watch.rooms, 1);
	spool_free(spool);
	loop_free(loop);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stopped_reader_gets_all_later_and_the_flags_stay),
		cmocka_unit_test(a_file_is_written_at_its_place),
		cmocka_unit_test(a_reader_that_goes_is_told_once_and_nothing_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
