/* SPDX-License-Identifier: GPL-2.0-or-later
 * server_test.c - no client, however it behaves, keeps the server from serving the others. */
#include "engine/supervisor/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/base/times.h"
#include "engine/supervisor/frame.h"
#include "engine/supervisor/protocol.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct world {
	char path[64];
	int dir_fd;
	struct loop *loop;
	struct server *server;
	int requests;
};

/* Answers at once, as a stop of something that does not run. */
static void on_request(uint64_t client, uint64_t tag, const struct request *request, void *arg)
{
	struct world *world = arg;
	struct event reply = { .kind = EVENT_REPLY, .tag = tag };

	memcpy(reply.id, request->id, sizeof(reply.id));
	world->requests++;
	server_send(world->server, client, &reply);
}

static int set_up(void **state)
{
	struct world *world = xcalloc(1, sizeof(*world));

	snprintf(world->path, sizeof(world->path), "/tmp/mycompose-server-XXXXXX");
	if (!mkdtemp(world->path))
		return -1;
	world->dir_fd = open(world->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (loop_new(&world->loop, NULL) < 0 ||
		server_new(world->loop, world->dir_fd, on_request, world, &world->server, NULL) <
			0 ||
		server_begin(world->server, NULL) < 0)
		return -1;
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	server_free(world->server);
	loop_free(world->loop);
	close(world->dir_fd);
	tree_remove(AT_FDCWD, world->path, NULL);
	free(world);
	return 0;
}

static int try_connect(const struct world *world)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(
		address.sun_path, sizeof(address.sun_path), "%s/" CONTROL_SOCKET_NAME, world->path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -errno;
}

static int connect_client(const struct world *world)
{
	int fd = try_connect(world);

	assert_true(fd >= 0);
	return fd;
}

static void pump(struct world *world, int rounds)
{
	for (int i = 0; i < rounds; i++)
		assert_true(loop_run_once(world->loop, 2, NULL) >= 0);
}

static void send_bytes(int fd, const void *bytes, size_t length)
{
	assert_int_equal(send(fd, bytes, length, MSG_NOSIGNAL), length);
}

static void send_request(int fd, uint64_t tag)
{
	struct request request = { .operation = OPERATION_STOP, .id = ID, .timeout_ns = -1 };
	cleanup_strbuf struct strbuf frame = STRBUF_INIT;

	assert_int_equal(protocol_put_request(&frame, &request, tag, NULL), 0);
	send_bytes(fd, frame.data, frame.length);
}

/* Read one frame and tell whether it is the reply with this tag. */
static bool got_reply(struct world *world, int fd, struct strbuf *input, uint64_t tag)
{
	const char *payload;
	struct event event;
	size_t length;
	bool found;

	while (frame_peek(input, &payload, &length, NULL) == 0) {
		char chunk[512];
		ssize_t n;

		pump(world, 1);
		n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			continue;
		if (n <= 0)
			return false;
		strbuf_add(input, chunk, (size_t)n);
	}
	found = protocol_parse_event(payload, length, &event, NULL) == 0 && event.tag == tag;
	if (found)
		event_release(&event);
	frame_drop(input);
	return found;
}

static void take_greeting(struct world *world, int fd, struct strbuf *input)
{
	assert_false(got_reply(world, fd, input, 1));
	assert_int_equal(input->length, 0);
}

static bool is_closed(int fd)
{
	char chunk[4096];
	ssize_t n;

	do {
		n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	} while (n > 0);
	return n == 0 || errno == ECONNRESET;
}

static void row_11_5_a_client_that_sends_one_byte_and_sleeps_holds_up_nobody(void **state)
{
	struct world *world = *state;
	cleanup_strbuf struct strbuf input = STRBUF_INIT;
	int silent = connect_client(world), slow = connect_client(world),
	    good = connect_client(world);
	int64_t start = time_monotonic();

	send_bytes(slow, "\x40", 1);
	take_greeting(world, good, &input);
	for (uint64_t tag = 1; tag <= 50; tag++) {
		send_request(good, tag);
		assert_true(got_reply(world, good, &input, tag));
	}
	assert_true(time_monotonic() - start < 2 * NS_PER_SEC);
	assert_int_equal(server_clients(world->server), 3);
	close(silent);
	close(slow);
	close(good);
	pump(world, 3);
	assert_int_equal(server_clients(world->server), 0);
}

static void row_11_5_an_oversized_length_ends_the_connection(void **state)
{
	struct world *world = *state;
	int fd = connect_client(world);

	send_bytes(fd, "\xff\xff\xff\x7f", 4);
	pump(world, 3);
	assert_true(is_closed(fd));
	assert_int_equal(server_clients(world->server), 0);
	close(fd);
}

static void row_11_5_a_client_that_never_reads_is_dropped_when_its_queue_is_full(void **state)
{
	struct world *world = *state;
	struct event event = { .kind = EVENT_EXITED, .id = ID };
	cleanup_strbuf struct strbuf input = STRBUF_INIT;
	int deaf = connect_client(world), good = connect_client(world);

	take_greeting(world, good, &input);
	pump(world, 2);
	assert_int_equal(server_clients(world->server), 2);
	for (int i = 0; i < 20000; i++) {
		server_broadcast(world->server, &event);
		if (i % 100 == 0)
			assert_false(is_closed(good));
	}
	pump(world, 2);
	assert_int_equal(server_clients(world->server), 1);
	close(deaf);
	close(good);
}

static void row_11_5_garbage_is_answered_or_ends_the_connection(void **state)
{
	static const struct {
		const char *payload;
		bool closed;
	} rows[] = {
		{ "nonsense", true },
		{ "{}", true },
		{ "{\"tag\":5,\"operation\":\"dance\",\"id\":\"" ID "\"}", false },
	};
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_strbuf struct strbuf frame = STRBUF_INIT;
		int fd = connect_client(world);

		frame_put(&frame, rows[i].payload, strlen(rows[i].payload), NULL);
		send_bytes(fd, frame.data, frame.length);
		pump(world, 3);
		assert_int_equal(is_closed(fd), rows[i].closed);
		close(fd);
		pump(world, 2);
	}
	assert_int_equal(world->requests, 0);
}

static void row_11_5_random_bytes_never_hurt(void **state)
{
	struct world *world = *state;
	uint32_t seed = 4711;

	for (int run = 0; run < 300; run++) {
		unsigned char bytes[200];
		int fd = connect_client(world);

		for (size_t i = 0; i < sizeof(bytes); i++) {
			seed = seed * 1664525 + 1013904223;
			bytes[i] = (unsigned char)(seed >> 24);
		}
		/* Half of them begin with a length that fits. */
		if (run % 2)
			memcpy(bytes, "\x50\0\0\0", 4);
		send_bytes(fd, bytes, sizeof(bytes));
		pump(world, 2);
		close(fd);
	}
	pump(world, 3);
	assert_int_equal(world->requests, 0);
	assert_int_equal(server_clients(world->server), 0);
}

static void many_frames_in_one_write_are_all_answered(void **state)
{
	struct world *world = *state;
	cleanup_strbuf struct strbuf input = STRBUF_INIT, frames = STRBUF_INIT;
	struct request request = { .operation = OPERATION_STOP, .id = ID, .timeout_ns = -1 };
	int fd = connect_client(world);

	for (uint64_t tag = 1; tag <= 200; tag++)
		protocol_put_request(&frames, &request, tag, NULL);
	send_bytes(fd, frames.data, frames.length);
	take_greeting(world, fd, &input);
	for (uint64_t tag = 1; tag <= 200; tag++)
		assert_true(got_reply(world, fd, &input, tag));
	close(fd);
}

static void too_many_clients_are_turned_away(void **state)
{
	struct world *world = *state;
	int fds[140];

	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = connect_client(world);
		pump(world, 1);
	}
	assert_int_equal(server_clients(world->server), 128);
	assert_true(is_closed(fds[139]));
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
}

/* The directory is opened up here, so that only the socket's own guards are left. */
static void row_11_4_another_user_cannot_connect(void **state)
{
	struct world *world = *state;
	struct stat st;
	int status;
	pid_t child;

	assert_int_equal(fstatat(world->dir_fd, CONTROL_SOCKET_NAME, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	if (geteuid() != 0) {
		print_message("needs root to become another user\n");
		skip();
	}
	assert_int_equal(chmod(world->path, 0755), 0);
	child = fork();
	if (child == 0)
		_exit(setresuid(1000, 1000, 1000) == 0 && try_connect(world) == -EACCES ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	/* And with the file's mode out of the way: the peer's credentials. */
	assert_int_equal(fchmodat(world->dir_fd, CONTROL_SOCKET_NAME, 0666, 0), 0);
	child = fork();
	if (child == 0) {
		struct pollfd closed = { .events = POLLIN };

		if (setresuid(1000, 1000, 1000) < 0)
			_exit(1);
		closed.fd = try_connect(world);
		_exit(closed.fd >= 0 && poll(&closed, 1, 5000) == 1 && is_closed(closed.fd) ? 0
											    : 1);
	}
	while (waitpid(child, &status, WNOHANG) == 0)
		pump(world, 1);
	assert_int_equal(status, 0);
	assert_int_equal(server_clients(world->server), 0);
}

static void who_connects_to_an_ending_server_sees_no_greeting(void **state)
{
	struct world *world = *state;
	int waiting = connect_client(world);

	server_free(world->server);
	assert_true(is_closed(waiting));
	assert_int_equal(try_connect(world), -ENOENT);
	close(waiting);
	assert_int_equal(
		server_new(world->loop, world->dir_fd, on_request, world, &world->server, NULL), 0);
}

static void a_stale_socket_is_replaced(void **state)
{
	struct world *world = *state;
	struct server *second;
	int fd;

	assert_int_equal(
		server_new(world->loop, world->dir_fd, on_request, world, &second, NULL), 0);
	fd = connect_client(world);
	close(fd);
	server_free(second);
}

/* A stream that takes so many bytes of input at once. */
struct far_side {
	size_t takes;
	struct strbuf input;
	int rooms, ends;
};

static size_t far_input(const char *bytes, size_t length, void *arg)
{
	struct far_side *far = arg;
	size_t taken = length < far->takes ? length : far->takes;

	strbuf_add(&far->input, bytes, taken);
	return taken;
}

static void far_has_room(void *arg)
{
	((struct far_side *)arg)->rooms++;
}

static void far_gone(void *arg)
{
	((struct far_side *)arg)->ends++;
}

static const struct server_stream far_stream = { far_input, far_has_room, far_gone };

/* A client, the first of the server, that is a stream. */
static int connect_stream(struct world *world, struct far_side *far)
{
	cleanup_strbuf struct strbuf input = STRBUF_INIT;
	int fd = connect_client(world);

	take_greeting(world, fd, &input);
	assert_int_equal(server_stream_begin(world->server, 1, &far_stream, far, NULL), 0);
	return fd;
}

/* All payloads that come until the end, or until there is nothing more. */
static void read_stream(struct world *world, int fd, struct strbuf *ret)
{
	cleanup_strbuf struct strbuf input = STRBUF_INIT;
	const char *payload;
	size_t length;

	for (int idle = 0; idle < 3;) {
		char chunk[8192];
		ssize_t n;

		pump(world, 1);
		n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
		if (n == 0)
			break;
		idle = n < 0 ? idle + 1 : 0;
		if (n > 0)
			strbuf_add(&input, chunk, (size_t)n);
	}
	while (frame_peek(&input, &payload, &length, NULL) > 0) {
		strbuf_add(ret, payload, length);
		frame_drop(&input);
	}
	assert_int_equal(input.length, 0);
}

static void a_stream_carries_bytes_and_no_events(void **state)
{
	struct world *world = *state;
	struct far_side far = { .takes = 100 };
	cleanup_strbuf struct strbuf output = STRBUF_INIT;
	struct event event = { .kind = EVENT_EXITED, .id = ID };
	int fd = connect_stream(world, &far);

	server_broadcast(world->server, &event);
	server_send(world->server, 1, &event);
	assert_false(server_stream_send(world->server, 1, "some", 4));
	send_bytes(fd, "\0\0typed", 7);
	read_stream(world, fd, &output);
	assert_string_equal(strbuf_text(&output), "some");
	assert_int_equal(far.input.length, 7);
	assert_memory_equal(far.input.data, "\0\0typed", 7);
	assert_int_equal(world->requests, 0);
	close(fd);
	pump(world, 2);
	assert_int_equal(far.ends, 1);
	strbuf_release(&far.input);
}

static void input_that_is_not_taken_waits_and_is_not_read_any_further(void **state)
{
	struct world *world = *state;
	struct far_side far = { .takes = 3 };
	cleanup_free char *much = xcalloc(1, 1 << 20);
	int fd = connect_stream(world, &far);
	size_t sent = 0;
	ssize_t n;

	send_bytes(fd, "abcdef", 6);
	pump(world, 3);
	assert_string_equal(strbuf_text(&far.input), "abc");
	server_stream_go_on(world->server, 1);
	assert_string_equal(strbuf_text(&far.input), "abcdef");
	far.takes = 0;
	while ((n = send(fd, much, 1 << 20, MSG_DONTWAIT | MSG_NOSIGNAL)) > 0) {
		sent += (size_t)n;
		pump(world, 20);
		assert_true(sent < (4 << 20)); /* what a socket holds, and no more */
	}
	assert_int_equal(errno, EAGAIN);
	far.takes = SIZE_MAX;
	server_stream_go_on(world->server, 1);
	pump(world, 2000);
	assert_int_equal(far.input.length, 6 + sent);
	close(fd);
	/* The far side ends with this function, so the stream must first. */
	pump(world, 2);
	assert_int_equal(far.ends, 1);
	strbuf_release(&far.input);
}

static void row_11_5_a_stream_says_when_it_is_full_and_when_it_has_room(void **state)
{
	struct world *world = *state;
	struct far_side far = { 0 };
	cleanup_free char *much = xcalloc(1, 100000);
	cleanup_strbuf struct strbuf output = STRBUF_INIT;
	int fd = connect_stream(world, &far);
	size_t sent = 0;

	while (!server_stream_send(world->server, 1, much, 100000)) {
		sent += 100000;
		assert_true(sent < (4 << 20));
	}
	assert_true(server_stream_pending(world->server, 1) > 100000);
	assert_int_equal(far.rooms, 0);
	read_stream(world, fd, &output);
	assert_int_equal(output.length, sent + 100000);
	assert_int_equal(far.rooms, 1);
	assert_int_equal(server_stream_pending(world->server, 1), 0);
	server_drop(world->server, 1);
	assert_int_equal(far.ends, 1);
	assert_true(is_closed(fd));
	close(fd);
}

static void the_end_of_a_stream_comes_after_all_that_was_sent(void **state)
{
	struct world *world = *state;
	struct far_side far = { 0 };
	cleanup_free char *much = xcalloc(1, 100000);
	cleanup_strbuf struct strbuf output = STRBUF_INIT;
	int fd = connect_stream(world, &far);
	size_t sent = 0;

	for (bool full = false; !full; sent += 100000)
		full = server_stream_send(world->server, 1, much, 100000);
	server_stream_end(world->server, 1);
	send_bytes(fd, "late", 4); /* nobody is there to take it */
	read_stream(world, fd, &output);
	assert_int_equal(output.length, sent);
	assert_true(is_closed(fd));
	assert_int_equal(far.ends, 0);
	assert_int_equal(far.input.length, 0);
	assert_int_equal(server_clients(world->server), 0);
	close(fd);
}

static void a_socket_that_was_removed_is_bound_anew(void **state)
{
	struct world *world = *state;
	cleanup_strbuf struct strbuf input = STRBUF_INIT, other_input = STRBUF_INIT;
	int before = connect_client(world), after;

	take_greeting(world, before, &input);
	assert_int_equal(server_renew(world->server, NULL), 0); /* it is there */
	assert_int_equal(unlinkat(world->dir_fd, CONTROL_SOCKET_NAME, 0), 0);
	assert_int_equal(try_connect(world), -ENOENT);
	assert_int_equal(server_renew(world->server, NULL), 0);
	after = connect_client(world);
	take_greeting(world, after, &other_input);
	send_request(before, 1);
	send_request(after, 2);
	assert_true(got_reply(world, before, &input, 1));
	assert_true(got_reply(world, after, &other_input, 2));
	close(before);
	close(after);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(row_11_5_a_client_that_sends_one_byte_and_sleeps_holds_up_nobody),
		TEST(row_11_5_an_oversized_length_ends_the_connection),
		TEST(row_11_5_a_client_that_never_reads_is_dropped_when_its_queue_is_full),
		TEST(row_11_5_garbage_is_answered_or_ends_the_connection),
		TEST(row_11_5_random_bytes_never_hurt),
		TEST(many_frames_in_one_write_are_all_answered),
		TEST(too_many_clients_are_turned_away),
		TEST(row_11_4_another_user_cannot_connect),
		TEST(who_connects_to_an_ending_server_sees_no_greeting),
		TEST(a_stale_socket_is_replaced),
		TEST(a_stream_carries_bytes_and_no_events),
		TEST(input_that_is_not_taken_waits_and_is_not_read_any_further),
		TEST(row_11_5_a_stream_says_when_it_is_full_and_when_it_has_room),
		TEST(the_end_of_a_stream_comes_after_all_that_was_sent),
		TEST(a_socket_that_was_removed_is_bound_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
