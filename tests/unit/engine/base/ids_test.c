/* SPDX-License-Identifier: GPL-2.0-or-later
 * ids_test.c - random identifiers, and processes that are who we think they are. */
#include "engine/base/ids.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>

#include "support.h"

static void ids_are_hex_and_differ(void **state)
{
	char a[ID_LENGTH + 1], b[ID_LENGTH + 1];

	(void)state;
	id_random(a);
	id_random(b);
	assert_int_equal(strlen(a), ID_LENGTH);
	assert_int_equal(strspn(a, "0123456789abcdef"), ID_LENGTH);
	assert_string_not_equal(a, b);
}

static pid_t start_sleeper(const char *name)
{
	int ends[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_NAME, name);
		if (write(ends[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	close(ends[1]);
	return pid;
}

static void row_13_3_a_process_is_known_by_its_start(void **state)
{
	static const char *const names[] = { "plain", "a b", ") R 1 1 1 (", "x) Z 1", "\n)" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		pid_t pid = start_sleeper(names[i]);
		struct process_id self, id, other;
		cleanup_fd int fd = -1;

		assert_int_equal(process_identify(getpid(), &self, NULL), 0);
		assert_int_equal(process_identify(pid, &id, NULL), 0);
		assert_int_equal(id.pid, pid);
		/* Clock ticks since boot: the child is not older than we are, and no minute
		 * younger. */
		assert_true(id.start_time >= self.start_time);
		assert_true(id.start_time - self.start_time < 6000);
		assert_true(process_is_alive(&id));
		fd = process_open(&id, NULL);
		assert_true(fd >= 0);
		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		other = id;
		other.start_time++;
		assert_false(process_is_alive(&other));
		assert_int_equal(process_open(&other, NULL), -ESRCH);
		kill(pid, SIGKILL);
		assert_int_equal(wait_status(pid), 128 + SIGKILL);
	}
}

static void zombies_are_processes_but_not_alive(void **state)
{
	pid_t pid = start_sleeper("zombie");
	cleanup_error struct error err = ERROR_INIT;
	cleanup_fd int fd = -1;
	struct process_id id, again;
	struct pollfd poll_fd;

	(void)state;
	assert_int_equal(process_identify(pid, &id, NULL), 0);
	fd = process_open(&id, NULL);
	assert_true(fd >= 0);
	kill(pid, SIGKILL);
	poll_fd = (struct pollfd){ .fd = fd, .events = POLLIN };
	assert_int_equal(poll(&poll_fd, 1, 10000), 1);
	assert_false(process_is_alive(&id));
	assert_int_equal(process_identify(pid, &again, NULL), 0);
	assert_int_equal(again.start_time, id.start_time);
	assert_int_equal(wait_status(pid), 128 + SIGKILL);
	assert_false(process_is_alive(&id));
	assert_int_equal(process_identify(pid, &again, &err), -ESRCH);
	assert_int_equal(process_open(&id, &err), -ESRCH);
}

static void numbers_that_are_no_process(void **state)
{
	static const pid_t pids[] = { 0, -1, INT32_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		struct process_id id = { .pid = pids[i] }, out;

		assert_int_equal(process_identify(pids[i], &out, NULL), -ESRCH);
		assert_int_equal(process_open(&id, NULL), -ESRCH);
		assert_false(process_is_alive(&id));
	}
}

static void boot_id_is_a_uuid(void **state)
{
	char a[37], b[37];

	(void)state;
	assert_int_equal(boot_id_read(a, NULL), 0);
	assert_int_equal(boot_id_read(b, NULL), 0);
	assert_string_equal(a, b);
	assert_int_equal(strspn(a, "0123456789abcdef-"), 36);
	assert_int_equal(a[8], '-');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_hex_and_differ),
		cmocka_unit_test(row_13_3_a_process_is_known_by_its_start),
		cmocka_unit_test(zombies_are_processes_but_not_alive),
		cmocka_unit_test(numbers_that_are_no_process),
		cmocka_unit_test(boot_id_is_a_uuid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
