/* SPDX-License-Identifier: GPL-2.0-or-later
 * box.h - real containers for tests: a busybox image, start it, read what it prints. Needs root,
 * its own /tmp directory and a cgroup parent of its own; nothing of the machine is changed. */
#ifndef MYCOMPOSE_TESTS_CONTAINER_BOX_H
#define MYCOMPOSE_TESTS_CONTAINER_BOX_H

#include <poll.h>
#include <sys/pidfd.h>

#include "engine/base/strbuf.h"
#include "engine/container/launch.h"
#include "engine/container/self_exe.h"
#include "tests/unit/engine/container/support.h"

#define BUSYBOX	     "/bin/busybox"
#define BASE_CHAIN   "sha256:00000000000000000000000000000000000000000000000000000000000000b0"
#define BASE_LAYER   "layers/00000000000000000000000000000000000000000000000000000000000000b0/diff"
#define OUTPUT_LIMIT (1 << 20)

struct box {
	struct world *world;
	struct cgroup_host *host;
	int layer_fd; /* the image's only layer, to put things into */
};

static inline bool can_run_boxes(void)
{
	if (geteuid() != 0) {
		print_message("needs root (CAP_SYS_ADMIN: namespaces, mounts, cgroups)\n");
		return false;
	}
	if (access(BUSYBOX, X_OK) < 0) {
		print_message("needs " BUSYBOX " (package busybox-static)\n");
		return false;
	}
	return true;
}

static inline void copy_busybox(int bin_fd)
{
	cleanup_fd int from = open(BUSYBOX, O_RDONLY | O_CLOEXEC);
	cleanup_fd int to = openat(bin_fd, "busybox", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	char buffer[65536];
	ssize_t n;

	assert_true(from >= 0 && to >= 0);
	while ((n = read(from, buffer, sizeof(buffer))) > 0)
		assert_int_equal(write(to, buffer, (size_t)n), n);
	assert_int_equal(fchmod(to, 0755), 0);
}

static inline void make_image(struct box *box)
{
	static const char *const applets[] = { "sh", "cat", "ls", "id", "stat", "mount", "mknod",
		"grep", "readlink", "sleep", "env", "dd", "test", "chmod", "touch", "mkdir",
		"unshare", "echo", "true", "false", "kill", "hostname", "pwd", "ps", "tty", "cut",
		"head", "wc", "rm", "ln", "ip", "nice", "umount", "find", "sed", "tr", "stty",
		"awk", "sort" };
	cleanup_fd int bin_fd = -1;

	box->layer_fd = dir_make_open(box->world->engine.data_fd, BASE_LAYER, 0755, NULL);
	assert_true(box->layer_fd >= 0);
	assert_int_equal(fchmod(box->layer_fd, 0755), 0);
	bin_fd = dir_make_open(box->layer_fd, "bin", 0755, NULL);
	assert_true(bin_fd >= 0);
	copy_busybox(bin_fd);
	for (size_t i = 0; i < ARRAY_LEN(applets); i++)
		assert_int_equal(symlinkat("busybox", bin_fd, applets[i]), 0);
	assert_int_equal(dir_make(box->layer_fd, "etc", 0755, NULL), 0);
	assert_int_equal(dir_make(box->layer_fd, "tmp", 0755, NULL), 0);
	assert_int_equal(fchmodat(box->layer_fd, "tmp", 01777, 0), 0);
}

static inline int box_setup(void **state)
{
	struct box *box = xcalloc(1, sizeof(*box));
	void *world;

	if (!can_run_boxes()) {
		free(box);
		*state = NULL;
		return 0;
	}
	if (world_setup(&world) < 0)
		return -1;
	box->world = world;
	box->world->engine.cgroup_parent = xasprintf("mycompose-test-%d", (int)getpid());
	assert_int_equal(cgroup_host_open(&box->host, NULL), 0);
	make_image(box);
	*state = box;
	return 0;
}

static inline int box_teardown(void **state)
{
	struct box *box = *state;
	void *world;

	if (!box)
		return 0;
	world = box->world;
	cgroup_host_free(box->host);
	close(box->layer_fd);
	free((char *)box->world->engine.cgroup_parent);
	world_teardown(&world);
	free(box);
	return 0;
}

/* A test's first line: the machine's privileges decide whether it can be run. */
#define box_or_skip(state)              \
	({                              \
		if (!*(state))          \
			skip();         \
		(struct box *)*(state); \
	})

static inline struct container *box_container(void)
{
	struct container *container = container_called("box", "box");

	strv_add(&container->chain_ids, BASE_CHAIN);
	container->spec.hostname = xstrdup("box");
	cgroup_default_devices(&container->spec.resources);
	return container;
}

static inline void set_command(struct container *container, const char *script)
{
	strv_free(container->spec.args);
	container->spec.args = NULL;
	strv_add(&container->spec.args, "/bin/sh");
	strv_add(&container->spec.args, "-c");
	strv_add(&container->spec.args, script);
}

static inline struct spec_mount *add_mount(struct container *container, enum mount_type type,
	const char *source, const char *destination)
{
	struct spec_mount *mount = array_add(container->spec.mounts, container->spec.mount_count);

	mount->type = type;
	mount->source = xstrdup(source);
	mount->destination = xstrdup(destination);
	return mount;
}

struct outcome {
	int exit_code; /* 128 + n after signal n */
	char *output;
};

static inline int wait_exit_code(const struct launch *launch)
{
	siginfo_t info = { 0 };

	assert_int_equal(waitid(P_PIDFD, (id_t)launch->pidfd, &info, WEXITED), 0);
	return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

/* To the end of file, or fail after ten seconds. */
static inline char *read_output(int fd)
{
	struct strbuf text = STRBUF_INIT;

	for (;;) {
		struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
		char buffer[4096];
		ssize_t n;

		if (poll(&poll_fd, 1, 10000) != 1)
			fail_msg("no end of output, so far: %s", strbuf_text(&text));
		n = read(fd, buffer, sizeof(buffer));
		if (n <= 0) /* EIO: the last one closed the terminal */
			break;
		assert_true(text.length < OUTPUT_LIMIT);
		strbuf_add(&text, buffer, (size_t)n);
	}
	return strbuf_steal(&text);
}

/* Until the outcome of a launch is known. */
static inline void await_status(const struct launch *launch)
{
	struct pollfd status = { .fd = launch->status_fd, .events = POLLIN };

	assert_int_equal(poll(&status, 1, 60 * 1000), 1);
}

static inline int box_finish(struct box *box, const struct container *container,
	struct launch *launch, int *ret_console, struct error *err)
{
	int r;

	do {
		await_status(launch);
		r = launch_finish(
			&box->world->engine, box->host, container, launch, ret_console, err);
	} while (r > 0);
	return r;
}

/* Start it and see it through; the writable layer stays. */
static inline int box_try(
	struct box *box, const struct container *container, struct outcome *ret, struct error *err)
{
	struct launch_stdio stdio = { -1, -1, -1 };
	struct launch launch = LAUNCH_INIT;
	bool oom_killed;
	int pipe_fds[2], console_fd = -1, r;

	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	stdio.out_fd = stdio.err_fd = pipe_fds[1];
	r = launch_begin(&box->world->engine, box->host, container, &stdio, &launch, err);
	close(pipe_fds[1]);
	if (r == 0)
		r = box_finish(box, container, &launch, &console_fd, err);
	if (r == 0) {
		ret->output = read_output(console_fd >= 0 ? console_fd : pipe_fds[0]);
		ret->exit_code = wait_exit_code(&launch);
	}
	close(pipe_fds[0]);
	close_fd(&console_fd);
	launch_release(&launch);
	assert_int_equal(
		launch_clean(&box->world->engine, box->host, container, &oom_killed, NULL), 0);
	return r;
}

static inline struct outcome box_run(
	struct box *box, struct container *container, const char *script)
{
	cleanup_error struct error err = ERROR_INIT;
	struct outcome outcome = { 0 };

	set_command(container, script);
	check_ok(box_try(box, container, &outcome, &err), &err);
	return outcome;
}

/* The script's whole output must be this. */
static inline void check_output(
	struct box *box, struct container *container, const char *script, const char *expected)
{
	struct outcome outcome = box_run(box, container, script);

	if (strcmp(outcome.output, expected) != 0)
		fail_msg("%s\nwanted: %s\n   got: %s", script, expected, outcome.output);
	free(outcome.output);
}

static inline void check_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in: %s", part, text);
}

/* The start must fail with this in its message, and leave nothing. */
static inline void check_refused(
	struct box *box, const struct container *container, const char *message, int exit_code)
{
	cleanup_error struct error err = ERROR_INIT;
	struct outcome outcome = { 0 };

	if (box_try(box, container, &outcome, &err) == 0)
		fail_msg("started: exit code %d, %s", outcome.exit_code, outcome.output);
	check_contains(error_text(&err), message);
	if (exit_code)
		assert_int_equal(err.exit_code, exit_code);
}

/* A container that sleeps, for exec. */
struct running {
	struct launch launch;
	struct container_state state;
};

static inline struct running box_start(struct box *box, struct container *container)
{
	const struct launch_stdio stdio = { -1, -1, -1 };
	struct running running = { .launch = LAUNCH_INIT };
	cleanup_error struct error err = ERROR_INIT;
	int console_fd;

	if (strcmp(container->spec.args[0], "true") == 0)
		set_command(container, "sleep 1000");
	check_ok(launch_begin(
			 &box->world->engine, box->host, container, &stdio, &running.launch, &err),
		&err);
	check_ok(box_finish(box, container, &running.launch, &console_fd, &err), &err);
	running.state.status = CONTAINER_RUNNING;
	running.state.process = running.launch.process;
	return running;
}

static inline void box_end(struct box *box, struct container *container, struct running *running)
{
	bool oom_killed;

	assert_int_equal(
		launch_clean(&box->world->engine, box->host, container, &oom_killed, NULL), 0);
	wait_exit_code(&running->launch);
	launch_release(&running->launch);
}

static inline int box_exec(struct box *box, struct container *container, struct running *running,
	const struct exec_request *request, struct outcome *ret, struct error *err)
{
	struct launch_stdio stdio = { -1, -1, -1 };
	struct launch launch = LAUNCH_INIT;
	int pipe_fds[2], console_fd = -1, r;

	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	stdio.out_fd = stdio.err_fd = pipe_fds[1];
	r = exec_begin(&box->world->engine, box->host, container, &running->state, request, &stdio,
		&launch, err);
	close(pipe_fds[1]);
	for (r = r == 0 ? 1 : r; r > 0; r = exec_finish(&launch, &console_fd, err))
		await_status(&launch);
	if (r == 0) {
		ret->output = read_output(console_fd >= 0 ? console_fd : pipe_fds[0]);
		ret->exit_code = wait_exit_code(&launch);
	}
	close(pipe_fds[0]);
	close_fd(&console_fd);
	launch_release(&launch);
	return r;
}

static inline struct outcome box_exec_script(
	struct box *box, struct container *container, struct running *running, const char *script)
{
	char *args[] = { (char *)"/bin/sh", (char *)"-c", (char *)script, NULL };
	struct exec_request request = { .args = args };
	cleanup_error struct error err = ERROR_INIT;
	struct outcome outcome = { 0 };

	check_ok(box_exec(box, container, running, &request, &outcome, &err), &err);
	return outcome;
}

#define box_test(f) cmocka_unit_test_setup_teardown(f, box_setup, box_teardown)

/* main() of such a test: containers are started only by a shielded program. */
#define box_main(name, tests)                                                    \
	int main(int argc, char **argv)                                          \
	{                                                                        \
		struct error err_ = ERROR_INIT;                                  \
                                                                                 \
		(void)argc;                                                      \
		if (geteuid() == 0 && self_exe_protect(argv, &err_) < 0) {       \
			fprintf(stderr, "%s: %s\n", (name), error_text(&err_));  \
			return 1;                                                \
		}                                                                \
		return cmocka_run_group_tests_name((name), (tests), NULL, NULL); \
	}

#endif
