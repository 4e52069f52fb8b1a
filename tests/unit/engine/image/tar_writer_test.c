/* SPDX-License-Identifier: GPL-2.0-or-later
 * tar_writer_test.c - content that is not what its header has promised. */
#include <signal.h>
#include <sys/time.h>

#include "support.h"

#include "engine/image/tarball.h"

#define PROMISED 300000 /* more than one block of the writer's */

/* An archive of one file whose content comes from in_fd; its fd, at the start. */
static int write_archive(int in_fd, bool may_shrink, int *ret_code, struct error *err)
{
	const struct tar_entry entry = { .path = "file", .mode = S_IFREG | 0644, .size = PROMISED };
	cleanup_tar_writer struct tar_writer *writer = NULL;
	cleanup_free char *digest = NULL;
	int fd = memfd_create("tar", MFD_CLOEXEC);
	uint64_t size;

	assert_ok(tar_writer_open(&writer, fd, err), err);
	assert_ok(tar_writer_entry(writer, &entry, err), err);
	*ret_code = tar_writer_copy(writer, in_fd, PROMISED, may_shrink, err);
	if (*ret_code == 0)
		assert_ok(tar_writer_finish(writer, &digest, &size, err), err);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* All of the first file's content: `count` times 'x', then zeros. */
static void assert_content(int fd, uint64_t count)
{
	cleanup_tar_reader struct tar_reader *reader = NULL;
	cleanup_error struct error err = ERROR_INIT;
	const struct tar_entry *entry;
	struct stream *stream = NULL;
	const void *block;
	uint64_t offset, at = 0;
	ssize_t length;

	assert_ok(
		stream_open(&stream, fd, "tar", COMPRESSION_NONE, &tar_limits_default, &err), &err);
	assert_ok(tar_reader_open(&reader, stream, &err), &err);
	assert_int_equal(tar_reader_next(reader, &entry, &err), 1);
	assert_int_equal(entry->size, PROMISED);
	while ((length = tar_reader_data(reader, &block, &offset, &err)) > 0) {
		assert_int_equal(offset, at);
		for (ssize_t i = 0; i < length; i++, at++)
			if (((const char *)block)[i] != (at < count ? 'x' : '\0'))
				fail_msg("byte %llu is wrong", (unsigned long long)at);
	}
	assert_int_equal(length, 0);
	assert_int_equal(at, PROMISED);
	assert_int_equal(tar_reader_next(reader, &entry, &err), 0);
}

static int file_of(size_t length)
{
	cleanup_strbuf struct strbuf bytes = STRBUF_INIT;

	for (size_t i = 0; i < length; i++)
		strbuf_add_char(&bytes, 'x');
	return memory_file(&bytes);
}

static void a_file_that_shrank_is_filled_up_with_zeros(void **state)
{
	static const size_t lengths[] = { 0, 1000, PROMISED - 1, PROMISED };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		cleanup_error struct error err = ERROR_INIT;
		cleanup_fd int in_fd = file_of(lengths[i]);
		int code;
		cleanup_fd int fd = write_archive(in_fd, true, &code, &err);

		assert_ok(code, &err);
		assert_content(fd, lengths[i]);
	}
}

static void a_file_that_has_grown_is_cut_off(void **state)
{
	cleanup_error struct error err = ERROR_INIT;
	cleanup_fd int in_fd = file_of(PROMISED + 5);
	int code;
	cleanup_fd int fd = write_archive(in_fd, false, &code, &err);

	(void)state;
	assert_ok(code, &err);
	assert_content(fd, PROMISED);
	assert_int_equal(lseek(in_fd, 0, SEEK_CUR), PROMISED);
}

static void what_must_be_whole_is_refused_when_it_is_short(void **state)
{
	cleanup_error struct error err = ERROR_INIT;
	cleanup_fd int in_fd = file_of(PROMISED - 7);
	int code;
	cleanup_fd int fd = write_archive(in_fd, false, &code, &err);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(code, -EBADMSG);
	assert_string_equal(error_text(&err), "ends 7 bytes before its size");
}

static void alarm_rings(int signal)
{
	(void)signal;
}

/* A read that waits is interrupted again and again before anything comes. */
static void a_signal_does_not_end_the_content(void **state)
{
	const struct sigaction action = { .sa_handler = alarm_rings }; /* no SA_RESTART */
	const struct itimerval often = { { 0, 10000 }, { 0, 10000 } };
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };
	cleanup_error struct error err = ERROR_INIT;
	struct sigaction before;
	int fds[2], code, status;
	cleanup_fd int fd = -1;
	pid_t child;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		cleanup_free char *bytes = xmalloc(PROMISED);

		memset(bytes, 'x', PROMISED);
		usleep(100000);
		_exit(fd_write_all(fds[1], bytes, PROMISED, NULL) < 0);
	}
	close(fds[1]);
	assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	fd = write_archive(fds[0], false, &code, &err);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
	close(fds[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_ok(code, &err);
	assert_content(fd, PROMISED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_that_shrank_is_filled_up_with_zeros),
		cmocka_unit_test(a_file_that_has_grown_is_cut_off),
		cmocka_unit_test(what_must_be_whole_is_refused_when_it_is_short),
		cmocka_unit_test(a_signal_does_not_end_the_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
