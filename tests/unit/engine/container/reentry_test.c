/* SPDX-License-Identifier: GPL-2.0-or-later
 * Entering a running container, and what a container can do to the engine's processes and file. */
#include "tests/unit/engine/container/box.h"

#include <sys/prctl.h>

#include "engine/base/sha256.h"

static char *own_hash(void)
{
	cleanup_fd int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct sha256 sha256;
	char *hex = xmalloc(SHA256_HEX_LENGTH + 1), buffer[65536];
	ssize_t n;

	assert_true(fd >= 0);
	sha256_init(&sha256);
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		sha256_update(&sha256, buffer, (size_t)n);
	sha256_final_hex(&sha256, hex);
	return hex;
}

/* The image's program is a link to ours, or a script that we interpret: what runs may be us, but
 * the file cannot be opened for writing by anybody. */
static void row_5_1_the_engine_s_file_cannot_be_written(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_free char *before = own_hash(), *after = NULL;

	assert_true(self_exe_is_protected());
	assert_int_equal(open("/proc/self/exe", O_WRONLY | O_CLOEXEC), -1);
	assert_true(errno == EROFS || errno == ETXTBSY);
	assert_int_equal(fchmodat(AT_FDCWD, "/proc/self/exe", 0777, 0), -1);
	assert_int_equal(errno, EROFS);
	assert_int_equal(symlinkat("/proc/self/exe", box->layer_fd, "entry"), 0);
	write_file(box->layer_fd, "script", "#!/proc/self/exe\n");
	assert_int_equal(fchmodat(box->layer_fd, "script", 0755, 0), 0);
	for (int i = 0; i < 2; i++) {
		cleanup_container struct container *container = box_container();
		cleanup_error struct error err = ERROR_INIT;
		struct outcome outcome = { 0 };

		strv_free(container->spec.args);
		container->spec.args = NULL;
		strv_add(&container->spec.args, i ? "/script" : "/entry");
		/* Our libraries are not in the image, so that it ends at once. */
		if (box_try(box, container, &outcome, &err) == 0)
			assert_int_not_equal(outcome.exit_code, 0);
		free(outcome.output);
	}
	after = own_hash();
	assert_string_equal(before, after);
}

static void row_5_2_no_descriptor_but_the_three(void **state)
{
	static const char script[] = "ls /proc/self/fd | tr '\\n' ' '";
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	int leaky = dup(box->layer_fd); /* not close-on-exec, and a directory of the host */
	struct running running = box_start(box, container);
	struct outcome entered = box_exec_script(box, container, &running, script), started;

	box_end(box, container, &running);
	started = box_run(box, container, script);
	close(leaky);
	/* 3 is ls's own */
	assert_string_equal(entered.output, "0 1 2 3 ");
	assert_string_equal(started.output, "0 1 2 3 ");
	free(entered.output);
	free(started.output);
}

static void row_5_2_working_directory_through_a_descriptor(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_free char *by_link = NULL;

	for (int fd = 3; fd < 12; fd++) {
		cleanup_container struct container *container = box_container();

		container->spec.cwd = xasprintf("/proc/self/fd/%d", fd);
		set_command(container, "pwd");
		check_refused(box, container, "working directory", 0);
	}
}

static void row_5_3_working_directory_stays_inside(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();

	assert_int_equal(symlinkat(box->world->path, box->layer_fd, "out"), 0);
	assert_int_equal(symlinkat("../../../../../..", box->layer_fd, "tmp/up"), 0);
	container->spec.cwd = xstrdup("/tmp/up");
	check_output(box, container, "pwd; ls -d /*in", "/\n/bin\n");
	free(container->spec.cwd);
	container->spec.cwd = xstrdup("/out");
	check_output(box, container, "ls -A", ""); /* made inside, where the link leads there */
}

/* Our own code stays on as PID 1 with the very rights of the container's processes: only that it is
 * not dumpable keeps it from being traced and its file, root and descriptors from being reached. */
static void row_5_4_our_code_inside_cannot_be_looked_into(void **state)
{
	static const char script[] =
		"for f in exe root cwd fd/0; do readlink /proc/1/$f && echo seen; done; "
		"ls /proc/1/map_files/ 2>&1 | grep -v -e Permission -e :$; "
		"cat /proc/1/environ /proc/1/mem 2>&1 | grep -v 'Permission denied'; "
		"tr -d '\\0' < /proc/1/cmdline";
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();

	container->spec.init = true;
	check_output(box, container, script, "init");
	assert_int_equal(prctl(PR_GET_DUMPABLE), 1); /* ours is as before */
}

static void row_5_5_a_recycled_pid_is_not_entered(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	struct running running = box_start(box, container);
	char *args[] = { (char *)"/bin/true", NULL };
	const struct exec_request request = { .args = args };
	cleanup_error struct error err = ERROR_INIT;
	struct outcome outcome = { 0 };

	running.state.process.start_time++;
	assert_int_equal(box_exec(box, container, &running, &request, &outcome, &err), -ESRCH);
	box_end(box, container, &running);
}

static void row_5_5_and_2_11_exec_has_the_same_restrictions(void **state)
{
	static const char script[] = "grep -E '^(Cap|NoNewPrivs|Seccomp:|Uid|Groups)' "
				     "/proc/self/status; ulimit -n; pwd; "
				     "echo $HOME $A; cut -d: -f2- /proc/self/cgroup";
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	struct running running;
	struct outcome started, entered;
	struct spec_rlimit *limit =
		array_add(container->spec.rlimits, container->spec.rlimit_count);

	*limit = (struct spec_rlimit){ xstrdup("nofile"), 64, 64 };
	container->spec.user = xstrdup("1000:1000");
	strv_add(&container->spec.group_add, "44");
	container->spec.no_new_privileges = true;
	container->spec.capabilities = CAPABILITIES_DEFAULT & ~1ULL;
	container->spec.cwd = xstrdup("/tmp");
	strv_add(&container->spec.env, "A=from container");
	started = box_run(box, container, script);
	set_command(container, "sleep 1000");
	running = box_start(box, container);
	entered = box_exec_script(box, container, &running, script);
	box_end(box, container, &running);
	assert_string_equal(started.output, entered.output);
	check_contains(entered.output, "Seccomp:\t2\n");
	check_contains(entered.output, "CapBnd:\t00000000a80425fa\n");
	free(started.output);
	free(entered.output);
}

static void exec_takes_its_own_user_directory_and_environment(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	struct running running = box_start(box, container);
	char *args[] = { (char *)"sh", (char *)"-c", (char *)"id -u; pwd; echo $A $B", NULL };
	char *env[] = { (char *)"A=new", (char *)"B=too", NULL };
	const struct exec_request request = {
		.args = args, .env = env, .cwd = "/tmp", .user = "1000"
	};
	cleanup_error struct error err = ERROR_INIT;
	struct outcome outcome = { 0 };

	strv_add(&container->spec.env, "A=old");
	check_ok(box_exec(box, container, &running, &request, &outcome, &err), &err);
	box_end(box, container, &running);
	assert_string_equal(outcome.output, "1000\n/tmp\nnew too\n");
	free(outcome.output);
}

static void exec_privileged_has_our_capabilities(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	struct running running = box_start(box, container);
	char *args[] = { (char *)"sh", (char *)"-c",
		(char *)"grep CapEff /proc/self/status | grep -c a80425fb", NULL };
	const struct exec_request request = { .args = args, .privileged = true };
	cleanup_error struct error err = ERROR_INIT;
	struct outcome outcome = { 0 };

	check_ok(box_exec(box, container, &running, &request, &outcome, &err), &err);
	box_end(box, container, &running);
	assert_string_equal(outcome.output, "0\n");
	free(outcome.output);
}

static void exec_failures_have_docker_s_exit_codes(void **state)
{
	static const struct {
		const char *args[2];
		const char *cwd;
		const char *user;
		const char *message;
		int exit_code;
	} rows[] = {
		{ { "missing" }, NULL, NULL, "exec \"missing\": executable file not found in $PATH",
			127 },
		{ { "/bin/missing" }, NULL, NULL,
			"exec \"/bin/missing\": no such file or directory", 127 },
		{ { "/etc" }, NULL, NULL, "exec \"/etc\": is a directory", 126 },
		{ { "/plain" }, NULL, NULL, "exec \"/plain\": permission denied", 126 },
		{ { "true" }, "/missing", NULL, "working directory \"/missing\": no such file",
			127 },
		{ { "true" }, "/plain", NULL, "working directory \"/plain\": not a directory",
			126 },
		{ { "true" }, NULL, "nobody", "unable to find user nobody", 126 },
	};
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	struct running running;

	write_file(box->layer_fd, "plain", "text");
	running = box_start(box, container);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct exec_request request = { .args = (char *const *)rows[i].args,
			.cwd = rows[i].cwd,
			.user = rows[i].user };
		cleanup_error struct error err = ERROR_INIT;
		struct outcome outcome = { 0 };

		assert_true(box_exec(box, container, &running, &request, &outcome, &err) < 0);
		check_contains(error_text(&err), rows[i].message);
		assert_int_equal(err.exit_code, rows[i].exit_code);
	}
	box_end(box, container, &running);
}

static void exec_with_a_terminal(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	struct running running = box_start(box, container);
	char *args[] = { (char *)"sh", (char *)"-c",
		(char *)"tty; stat -c %u $(tty); test -t 0 -a -t 1 -a -t 2 && echo $TERM", NULL };
	const struct exec_request request = { .args = args, .terminal = true, .user = "1000" };
	cleanup_error struct error err = ERROR_INIT;
	struct outcome outcome = { 0 };

	check_ok(box_exec(box, container, &running, &request, &outcome, &err), &err);
	box_end(box, container, &running);
	assert_string_equal(outcome.output, "/dev/pts/0\r\n1000\r\nxterm\r\n");
	free(outcome.output);
}

static void exec_needs_a_running_container(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	struct running running = { .state = { .status = CONTAINER_EXITED } };
	char *args[] = { (char *)"true", NULL };
	const struct exec_request request = { .args = args };
	cleanup_error struct error err = ERROR_INIT;
	struct outcome outcome = { 0 };

	assert_int_equal(box_exec(box, container, &running, &request, &outcome, &err), -ESRCH);
	check_contains(error_text(&err), "container box is not running");
	running.state.status = CONTAINER_PAUSED;
	assert_int_equal(box_exec(box, container, &running, &request, &outcome, &err), -EBUSY);
	check_contains(error_text(&err), "is paused");
}

static const struct CMUnitTest tests[] = {
	box_test(row_5_1_the_engine_s_file_cannot_be_written),
	box_test(row_5_2_no_descriptor_but_the_three),
	box_test(row_5_2_working_directory_through_a_descriptor),
	box_test(row_5_3_working_directory_stays_inside),
	box_test(row_5_4_our_code_inside_cannot_be_looked_into),
	box_test(row_5_5_a_recycled_pid_is_not_entered),
	box_test(row_5_5_and_2_11_exec_has_the_same_restrictions),
	box_test(exec_takes_its_own_user_directory_and_environment),
	box_test(exec_privileged_has_our_capabilities),
	box_test(exec_failures_have_docker_s_exit_codes),
	box_test(exec_with_a_terminal),
	box_test(exec_needs_a_running_container),
};

box_main("reentry", tests)
