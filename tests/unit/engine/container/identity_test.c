/* SPDX-License-Identifier: GPL-2.0-or-later
 * Who a container's process is: capabilities, user, groups, and what it does not inherit. */
#include "tests/unit/engine/container/box.h"

#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define CAPS "grep -E '^Cap(Inh|Prm|Eff|Bnd|Amb)' /proc/self/status | tr -d '\\t'"

static void row_1_1_default_capabilities(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();

	check_output(box, container, CAPS,
		"CapInh:0000000000000000\nCapPrm:00000000a80425fb\nCapEff:00000000a80425fb\n"
		"CapBnd:00000000a80425fb\nCapAmb:0000000000000000\n");
}

static void row_1_3_inheritable_stays_empty_even_if_the_caller_s_is_not(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct before[2], raised[2];
	struct outcome outcome;

	assert_int_equal(syscall(SYS_capget, &header, before), 0);
	memcpy(raised, before, sizeof(raised));
	raised[0].inheritable = raised[0].permitted;
	assert_int_equal(syscall(SYS_capset, &header, raised), 0);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0);
	outcome = box_run(box, container, CAPS);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	assert_int_equal(syscall(SYS_capset, &header, before), 0);
	check_contains(outcome.output, "CapInh:0000000000000000\n");
	check_contains(outcome.output, "CapAmb:0000000000000000\n");
	free(outcome.output);
}

static void row_1_4_another_user_has_none_but_the_bounding_set(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();

	container->spec.user = xstrdup("1000");
	check_output(box, container, "id -u; " CAPS,
		"1000\nCapInh:0000000000000000\nCapPrm:0000000000000000\nCapEff:0000000000000000\n"
		"CapBnd:00000000a80425fb\nCapAmb:0000000000000000\n");
}

static void row_1_5_what_was_dropped_is_not_there(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();

	container->spec.capabilities = 1ULL << CAP_NET_BIND_SERVICE;
	check_output(box, container, "touch /tmp/a; chown 1 /tmp/a 2>/dev/null || echo no; " CAPS,
		"no\nCapInh:0000000000000000\nCapPrm:0000000000000400\nCapEff:0000000000000400\n"
		"CapBnd:0000000000000400\nCapAmb:0000000000000000\n");
}

static void row_1_6_privileged_has_what_we_have_and_no_filter(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct own[2];
	cleanup_free char *expected = NULL;

	assert_int_equal(syscall(SYS_capget, &header, own), 0);
	expected = xasprintf(
		"CapEff:\t%08x%08x\nSeccomp:\t0\nrw\n", own[1].permitted, own[0].permitted);
	container->spec.privileged = true;
	container->spec.capabilities = capabilities_all();
	container->spec.resources.all_devices = true;
	check_output(box, container,
		"grep -E '^(CapEff|Seccomp):' /proc/self/status; "
		"grep ' /sys sysfs ' /proc/mounts | cut -d' ' -f4 | cut -d, -f1; "
		"test -w /proc/sys/kernel/hostname || echo read-only; "
		"test -e /dev/kmsg || echo no kmsg",
		expected);
}

/* Without no_new_privs the filter comes first, so it can stand in for a kernel that refuses. */
static void row_1_7_a_step_that_fails_fails_the_start(void **state)
{
	static const struct {
		const char *call;
		const char *message;
	} rows[] = {
		{ "setgroups", "set groups: Operation not permitted" },
		{ "setresgid", "set group 1000: Operation not permitted" },
		{ "setresuid", "set user 1000: Operation not permitted" },
		{ "capset", "capset: Operation not permitted" },
	};
	struct box *box = box_or_skip(state);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_container struct container *container = box_container();

		container->spec.user = xstrdup("1000:1000");
		container->spec.seccomp =
			xasprintf("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":["
				  "{\"names\":[\"%s\"],\"action\":\"SCMP_ACT_ERRNO\"}]}",
				rows[i].call);
		set_command(container, "true");
		check_refused(box, container, rows[i].message, 125);
	}
}

static void row_2_11_filters_by_the_spec(void **state)
{
	static const char script[] =
		"grep Seccomp: /proc/self/status; mkdir /tmp/x 2>/dev/null; echo $?";
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();

	check_output(box, container, script, "Seccomp:\t2\n0\n");
	container->spec.seccomp = xstrdup("unconfined");
	check_output(box, container, "grep Seccomp: /proc/self/status", "Seccomp:\t0\n");
	free(container->spec.seccomp);
	container->spec.seccomp =
		xstrdup("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":["
			"{\"names\":[\"mkdir\",\"mkdirat\"],\"action\":\"SCMP_ACT_ERRNO\"}]}");
	check_output(box, container, script, "Seccomp:\t2\n1\n");
	free(container->spec.seccomp);
	container->spec.seccomp = xstrdup("{\"defaultAction\":\"SCMP_ACT_MAYBE\"}");
	set_command(container, "true");
	check_refused(box, container, "seccomp profile: defaultAction: 'SCMP_ACT_MAYBE'", 0);
}

static void row_1_8_our_own_groups_do_not_come_along(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	const gid_t disk[] = { 6, 4 };
	struct outcome outcome;

	assert_int_equal(setgroups(2, disk), 0);
	outcome = box_run(box, container, "grep ^Groups: /proc/self/status");
	assert_int_equal(setgroups(0, NULL), 0);
	assert_string_equal(outcome.output, "Groups:\t \n");
	free(outcome.output);
}

static void row_1_8_groups_of_the_image_and_group_add(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();

	write_file(box->layer_fd, "etc/passwd", "web:x:1000:100::/home/web:/bin/sh\n");
	write_file(box->layer_fd, "etc/group", "users:x:100:\nvideo:x:44:web\naudio:x:29:\n");
	assert_int_equal(fchmodat(box->layer_fd, "etc/passwd", 0644, 0), 0);
	container->spec.user = xstrdup("web");
	strv_add(&container->spec.group_add, "audio");
	check_output(box, container,
		"grep -E '^(Uid|Gid|Groups):' /proc/self/status | tr '\\t' ' '; echo $HOME",
		"Uid: 1000 1000 1000 1000\nGid: 100 100 100 100\nGroups: 29 44 \n/home/web\n");
}

static void row_1_9_an_unknown_user_is_said(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();

	container->spec.user = xstrdup("nobody");
	check_refused(box, container,
		"unable to find user nobody: no matching entries in passwd file", 125);
}

/* The host's id(1), setuid root, and the libraries it needs. (busybox gives up such rights itself.)
 */
static void add_setuid_helper(struct box *box, struct container *container)
{
	cleanup_fd int from = open("/usr/bin/id", O_RDONLY | O_CLOEXEC);
	cleanup_fd int to = -1;
	char buffer[65536];
	ssize_t n;

	to = openat(box->layer_fd, "suid-id", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	assert_true(from >= 0 && to >= 0);
	while ((n = read(from, buffer, sizeof(buffer))) > 0)
		assert_int_equal(write(to, buffer, (size_t)n), n);
	assert_int_equal(fchmod(to, 04755), 0);
	assert_int_equal(symlinkat("usr/lib", box->layer_fd, "lib"), 0);
	assert_int_equal(symlinkat("usr/lib64", box->layer_fd, "lib64"), 0);
	add_mount(container, MOUNT_BIND, "/usr", "/usr")->read_only = true;
}

static void row_1_10_no_new_privileges(void **state)
{
	static const char script[] =
		"grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status; /suid-id -u";
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();

	add_setuid_helper(box, container);
	container->spec.user = xstrdup("1000");
	check_output(box, container, script, "NoNewPrivs:\t0\nSeccomp:\t2\n0\n");
	container->spec.no_new_privileges = true;
	check_output(box, container, script, "NoNewPrivs:\t1\nSeccomp:\t2\n1000\n");
}

static void set_raw_disposition(int number, sighandler_t handler)
{
	struct {
		sighandler_t handler;
		unsigned long rest[7];
	} action = { .handler = handler };

	assert_int_equal(syscall(SYS_rt_sigaction, number, &action, NULL, 8), 0);
}

static void row_1_11_nothing_of_the_caller_s_process_state(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	sigset_t blocked, before;
	cpu_set_t one, all;
	struct outcome outcome;
	mode_t mask;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	set_raw_disposition(
		32, SIG_IGN); /* glibc's own, which a caller may have ignored all the same */
	mask = umask(0777);
	umask(0077);
	sched_getaffinity(0, sizeof(all), &all);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	setpriority(PRIO_PROCESS, 0, 5);
	setenv("CALLER_SECRET", "leak", 1);
	outcome = box_run(box, container,
		"grep -E '^Sig(Blk|Ign):' /proc/self/status; umask; cut -d' ' -f19 "
		"/proc/self/stat; "
		"cat /proc/self/oom_score_adj; env | grep CALLER; "
		"grep ^Cpus_allowed_list /proc/self/status | cut -f2");
	unsetenv("CALLER_SECRET");
	setpriority(PRIO_PROCESS, 0, 0);
	sched_setaffinity(0, sizeof(all), &all);
	umask(mask);
	signal(SIGHUP, SIG_DFL);
	set_raw_disposition(32, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	check_contains(outcome.output,
		"SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n0022\n0\n0\n");
	if (CPU_COUNT(&all) > 1 && strstr(outcome.output, "\n0\n0\n0\n"))
		fail_msg("bound to our CPU: %s", outcome.output);
	assert_null(strstr(outcome.output, "leak"));
	free(outcome.output);
}

static void row_1_12_key_rings_are_not_ours(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();

	check_output(box, container, "cat /proc/keys | wc -c", "0\n");
}

static void environment_is_the_specs_with_a_path_and_a_home(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();

	strv_add(&container->spec.env, "A=b c");
	strv_free(container->spec.args);
	container->spec.args = NULL;
	strv_add(&container->spec.args, "env");
	{
		cleanup_error struct error err = ERROR_INIT;
		struct outcome outcome = { 0 };

		check_ok(box_try(box, container, &outcome, &err), &err);
		assert_string_equal(outcome.output,
			"A=b c\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
			"HOME=/\n");
		free(outcome.output);
	}
}

static void limits_of_the_process(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	struct spec_rlimit *limit;

	limit = array_add(container->spec.rlimits, container->spec.rlimit_count);
	*limit = (struct spec_rlimit){ xstrdup("nofile"), 100, 200 };
	limit = array_add(container->spec.rlimits, container->spec.rlimit_count);
	*limit = (struct spec_rlimit){ xstrdup("core"), 0, 0 };
	container->spec.has_oom_score_adj = true;
	container->spec.oom_score_adj = 321;
	check_output(box, container,
		"ulimit -Sn; ulimit -Hn; ulimit -c; cat /proc/self/oom_score_adj",
		"100\n200\n0\n321\n");
}

static const struct CMUnitTest tests[] = {
	box_test(row_1_1_default_capabilities),
	box_test(row_1_3_inheritable_stays_empty_even_if_the_caller_s_is_not),
	box_test(row_1_4_another_user_has_none_but_the_bounding_set),
	box_test(row_1_5_what_was_dropped_is_not_there),
	box_test(row_1_6_privileged_has_what_we_have_and_no_filter),
	box_test(row_1_7_a_step_that_fails_fails_the_start),
	box_test(row_2_11_filters_by_the_spec),
	box_test(row_1_8_our_own_groups_do_not_come_along),
	box_test(row_1_8_groups_of_the_image_and_group_add),
	box_test(row_1_9_an_unknown_user_is_said),
	box_test(row_1_10_no_new_privileges),
	box_test(row_1_11_nothing_of_the_caller_s_process_state),
	box_test(row_1_12_key_rings_are_not_ours),
	box_test(environment_is_the_specs_with_a_path_and_a_home),
	box_test(limits_of_the_process),
};

box_main("identity", tests)
