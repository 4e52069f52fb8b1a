/* SPDX-License-Identifier: GPL-2.0-or-later
 * The system-call filter: the default profile loaded for real in a child that has no privileges
 * (no_new_privs stands in for them), and profiles from files. */
#include "tests/unit/engine/container/support.h"

#include <linux/capability.h>
#include <linux/sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "engine/container/seccomp_filter.h"
#include "engine/container/spec.h"

#define CAP(name)  (1ULL << CAP_##name)
#define UNASSIGNED 999 /* no system call has this number */
#define REFERENCE  "MYCOMPOSE_SECCOMP_REFERENCE"

static struct seccomp_filter filter_for(uint64_t capabilities)
{
	cleanup_error struct error err = ERROR_INIT;
	struct seccomp_target target;
	struct seccomp_filter filter;

	check_ok(seccomp_target_of_host(capabilities, &target, &err), &err);
	check_ok(seccomp_filter_build(&seccomp_profile_default, &target, &filter, &err), &err);
	return filter;
}

struct call {
	const char *name;
	long number;
	long args[6];
	int expected; /* errno; 0 = whatever it is, neither EPERM nor ENOSYS */
};

/* Under the filter: 0 when the call answers as expected, else its errno. */
static int answer_differs(const struct call *call)
{
	const long *a = call->args;
	int got;

	errno = 0;
	syscall(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
	got = errno;
	if (call->expected)
		return got == call->expected ? 0 : (got ? got : 255);
	return got == EPERM || got == ENOSYS ? got : 0;
}

static void check_calls(uint64_t capabilities, const struct call *calls, size_t count)
{
	struct seccomp_filter filter = filter_for(capabilities);

	for (size_t i = 0; i < count; i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
				seccomp_filter_load(&filter, NULL) < 0)
				_exit(254);
			_exit(answer_differs(&calls[i]));
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) != 0)
			fail_msg("%s: wanted errno %d, got %d", calls[i].name, calls[i].expected,
				WEXITSTATUS(status));
	}
	seccomp_filter_release(&filter);
}

static void row_2_2_rules_follow_the_capabilities(void **state)
{
	static const struct call without[] = {
		{ "mount", SYS_mount, { 0 }, EPERM },
		{ "setns", SYS_setns, { -1 }, EPERM },
		{ "clock_settime", SYS_clock_settime, { 0 }, EPERM },
		{ "syslog", SYS_syslog, { 10 }, EPERM },
		{ "chroot", SYS_chroot, { 0 }, EPERM },
	};
	static const struct call with[] = {
		{ "mount", SYS_mount, { 0 }, EFAULT },
		{ "setns", SYS_setns, { -1 }, EBADF },
		{ "clone3", SYS_clone3, { 0 }, EINVAL },
	};
	static const struct call chroot_allowed[] = { { "chroot", SYS_chroot, { 0 }, EFAULT } };

	(void)state;
	check_calls(0, without, ARRAY_LEN(without));
	check_calls(CAP(SYS_ADMIN), with, ARRAY_LEN(with));
	check_calls(CAPABILITIES_DEFAULT, chroot_allowed, 1);
}

static void row_2_3_arguments_are_checked(void **state)
{
	static const struct call calls[] = {
		{ "clone: new user namespace", SYS_clone, { CLONE_NEWUSER | SIGCHLD }, EPERM },
		{ "clone: new mount namespace", SYS_clone, { CLONE_NEWNS | SIGCHLD }, EPERM },
		{ "clone: CLONE_SIGHAND without CLONE_VM", SYS_clone, { CLONE_SIGHAND }, EINVAL },
		{ "unshare: new user namespace", SYS_unshare, { CLONE_NEWUSER }, EPERM },
		{ "personality: query", SYS_personality, { 0xffffffff }, 0 },
		{ "personality: Linux", SYS_personality, { 0 }, 0 },
		{ "personality: 32 bit", SYS_personality, { 8 }, 0 },
		{ "personality: uname 2.6", SYS_personality, { 0x20000 }, 0 },
		{ "personality: both", SYS_personality, { 0x20008 }, 0 },
		{ "personality: no randomization", SYS_personality, { ADDR_NO_RANDOMIZE }, EPERM },
		{ "socket: unix", SYS_socket, { AF_UNIX, SOCK_STREAM }, 0 },
		{ "socket: inet", SYS_socket, { AF_INET, SOCK_STREAM }, 0 },
		{ "socket: 38, alg", SYS_socket, { 38, SOCK_SEQPACKET }, EPERM },
		{ "socket: 39, nfc", SYS_socket, { 39, 99 }, 0 },
		{ "socket: 40, vsock", SYS_socket, { 40, SOCK_STREAM }, EPERM },
		{ "socket: beyond", SYS_socket, { 99, SOCK_STREAM }, EAFNOSUPPORT },
	};

	(void)state;
	check_calls(CAPABILITIES_DEFAULT, calls, ARRAY_LEN(calls));
}

static void row_2_4_clone3_falls_back(void **state)
{
	static const struct call calls[] = { { "clone3", SYS_clone3, { 0 }, ENOSYS } };

	(void)state;
	check_calls(CAPABILITIES_DEFAULT, calls, ARRAY_LEN(calls));
}

static void row_2_5_attack_surface_is_closed(void **state)
{
	static const struct call calls[] = {
		{ "io_uring_setup", SYS_io_uring_setup, { 1 }, EPERM },
		{ "io_uring_enter", SYS_io_uring_enter, { -1 }, EPERM },
		{ "io_uring_register", SYS_io_uring_register, { -1 }, EPERM },
		{ "keyctl", SYS_keyctl, { 0 }, EPERM },
		{ "add_key", SYS_add_key, { 0 }, EPERM },
		{ "request_key", SYS_request_key, { 0 }, EPERM },
		{ "userfaultfd", SYS_userfaultfd, { 0 }, EPERM },
		{ "kexec_load", SYS_kexec_load, { 0 }, EPERM },
		{ "swapon", SYS_swapon, { 0 }, EPERM },
		{ "move_pages", SYS_move_pages, { 0 }, EPERM },
		{ "bpf", SYS_bpf, { 0 }, EPERM },
	};

	(void)state;
	check_calls(CAPABILITIES_DEFAULT, calls, ARRAY_LEN(calls));
}

static void row_2_6_the_filter_fits_the_kernel(void **state)
{
	struct seccomp_filter filter = filter_for(CAPABILITIES_DEFAULT);

	(void)state;
	assert_true(filter.count > 300);
	assert_true(filter.count < BPF_MAXINSNS / 2);
	seccomp_filter_release(&filter);
}

static void row_2_8_a_call_newer_than_the_profile_gives_ENOSYS(void **state)
{
	static const struct call calls[] = {
		{ "unassigned", UNASSIGNED, { 0 }, ENOSYS },
		{ "unassigned, second ABI", 0x40000000 + UNASSIGNED, { 0 }, ENOSYS },
		{ "known and refused", SYS_acct, { 0 }, EPERM },
	};

	(void)state;
	check_calls(CAPABILITIES_DEFAULT, calls, ARRAY_LEN(calls));
}

static void row_2_9_loading_sets_no_new_privs_not(void **state)
{
	struct seccomp_filter filter = filter_for(CAPABILITIES_DEFAULT);
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0) {
		print_message("needs root (CAP_SYS_ADMIN: a filter without no_new_privs)\n");
		skip();
	}
	pid = fork();
	if (pid == 0)
		_exit(seccomp_filter_load(&filter, NULL) == 0 &&
					prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 &&
					prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2
				? 0
				: 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	seccomp_filter_release(&filter);
}

static void rules_apply_by_kernel_and_architecture(void **state)
{
	static const struct seccomp_rule rule = { .names = "x",
		.kernel_major = 4,
		.kernel_minor = 8,
		.with_arches = "arm arm64",
		.without_caps = CAP(SYS_ADMIN) };
	static const struct {
		struct seccomp_target target;
		bool applies;
	} rows[] = {
		{ { 0, 4, 8, "arm64" }, true },
		{ { 0, 5, 0, "arm" }, true },
		{ { 0, 4, 7, "arm64" }, false },
		{ { 0, 3, 19, "arm64" }, false },
		{ { 0, 5, 0, "arm6" }, false },
		{ { 0, 5, 0, "amd64" }, false },
		{ { CAP(SYS_ADMIN), 5, 0, "arm64" }, false },
		{ { CAP(CHOWN), 5, 0, "arm64" }, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(seccomp_rule_applies(&rule, &rows[i].target), rows[i].applies);
}

static void names_of_a_rule_are_there_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < seccomp_profile_default.rule_count; i++) {
		cleanup_strv char **names = strv_split(seccomp_profile_default.rules[i].names, " ");

		strv_sort(names);
		for (size_t k = 0; names[k] && names[k + 1]; k++)
			assert_string_not_equal(names[k], names[k + 1]);
	}
}

static void row_2_11_profiles_from_files(void **state)
{
	static const struct {
		const char *text;
		const char *message; /* NULL: fine */
	} rows[] = {
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}", NULL },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,\"architectures\":["
		  "]}",
			NULL },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"name\":\"mkdir\","
		  "\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":13,\"args\":[{\"index\":1,\"value\":"
		  "448,"
		  "\"op\":\"SCMP_CMP_EQ\"}],\"includes\":{},\"excludes\":{\"caps\":[\"CAP_CHOWN\"]}"
		  "}]}",
			NULL },
		{ "{", "seccomp profile" },
		{ "[]", "not a JSON object" },
		{ "{}", "defaultAction: missing" },
		{ "{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}",
			"defaultAction: 'SCMP_ACT_NOTIFY' is not supported" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[]}]}",
			"syscalls[0]: names: missing" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],"
		  "\"action\":\"SCMP_ACT_KILL\",\"args\":[{\"index\":6,\"op\":\"SCMP_CMP_EQ\"}]}]}",
			"syscalls[0]: args[0]: index: 6 is not in 0..5" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],"
		  "\"action\":\"SCMP_ACT_KILL\",\"args\":[{\"index\":0,\"op\":\"SCMP_CMP_LIKE\"}]}]"
		  "}",
			"args[0]: op: 'SCMP_CMP_LIKE' is not supported" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],"
		  "\"action\":\"SCMP_ACT_KILL\",\"includes\":{\"caps\":[\"CAP_NONE\"]}}]}",
			"includes: caps[0]" },
		{ "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],"
		  "\"action\":\"SCMP_ACT_KILL\",\"includes\":{\"minKernel\":\"new\"}}]}",
			"minKernel: 'new' is no kernel version" },
		{ "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":5000}",
			"defaultErrnoRet: 5000 is no error number" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_error struct error err = ERROR_INIT;
		struct seccomp_profile profile;
		int r = seccomp_profile_parse(rows[i].text, strlen(rows[i].text), &profile, &err);

		if (!rows[i].message) {
			check_ok(r, &err);
			seccomp_profile_release(&profile);
			continue;
		}
		assert_true(r < 0);
		if (!strstr(error_text(&err), rows[i].message))
			fail_msg("'%s' is not in: %s", rows[i].message, error_text(&err));
	}
}

static void a_profile_from_a_file_decides(void **state)
{
	static const char text[] =
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"umask\"],"
		"\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":7,"
		"\"args\":[{\"index\":0,\"value\":63,\"op\":\"SCMP_CMP_EQ\"}]}]}";
	struct world *world = *state;
	cleanup_error struct error err = ERROR_INIT;
	struct seccomp_filter filter;
	int status;
	pid_t pid;

	check_ok(seccomp_filter_get(&world->engine, text, 0, &filter, &err), &err);
	pid = fork();
	if (pid == 0) {
		bool right;

		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		right = seccomp_filter_load(&filter, NULL) == 0 && syscall(SYS_umask, 62) >= 0 &&
			syscall(SYS_umask, 63) < 0 && errno == 7;
		_exit(right ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	seccomp_filter_release(&filter);
}

/* As with a library older than the profile: what it cannot name is answered like a call of the
 * future, the other names of the same rule are as if it were not there. */
static void row_2_7_names_that_the_library_lacks_are_passed_over(void **state)
{
	static const char with[] =
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"umask\","
		"\"call_of_the_year_2100\",\"another_one\"],\"action\":\"SCMP_ACT_ERRNO\"},"
		"{\"names\":[\"call_of_the_year_2101\"],\"action\":\"SCMP_ACT_ERRNO\"}]}";
	static const char without[] =
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"umask\"],"
		"\"action\":\"SCMP_ACT_ERRNO\"}]}";
	struct world *world = *state;
	cleanup_error struct error err = ERROR_INIT;
	struct seccomp_filter a, b;

	check_ok(seccomp_filter_get(&world->engine, with, 0, &a, &err), &err);
	check_ok(seccomp_filter_get(&world->engine, without, 0, &b, &err), &err);
	assert_int_equal(a.count, b.count);
	assert_memory_equal(a.instructions, b.instructions, a.count * sizeof(*a.instructions));
	seccomp_filter_release(&a);
	seccomp_filter_release(&b);
}

static void the_second_start_reads_what_the_first_built(void **state)
{
	struct world *world = *state;
	struct seccomp_filter built, read, other;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_strv char **names = NULL;

	check_ok(
		seccomp_filter_get(&world->engine, NULL, CAPABILITIES_DEFAULT, &built, &err), &err);
	check_ok(seccomp_filter_get(&world->engine, NULL, CAPABILITIES_DEFAULT, &read, &err), &err);
	check_ok(seccomp_filter_get(&world->engine, NULL, CAP(SYS_ADMIN), &other, &err), &err);
	assert_int_equal(built.count, read.count);
	assert_memory_equal(
		built.instructions, read.instructions, built.count * sizeof(struct sock_filter));
	assert_int_equal(dir_list(world->engine.run_fd, "seccomp", &names, NULL), 0);
	assert_int_equal(strv_length(names), 2);
	seccomp_filter_release(&built);
	seccomp_filter_release(&read);
	seccomp_filter_release(&other);
}

static void unconfined_is_no_filter(void **state)
{
	struct world *world = *state;
	struct seccomp_filter filter;

	assert_int_equal(seccomp_filter_get(&world->engine, "unconfined", 0, &filter, NULL), 0);
	assert_int_equal(filter.count, 0);
	assert_int_equal(seccomp_filter_load(&filter, NULL), 0);
}

/* "name action errno (arguments)" of every rule that applies, sorted. */
static char **decisions(const struct seccomp_profile *profile, const struct seccomp_target *target)
{
	char **lines = NULL;

	for (size_t i = 0; i < profile->rule_count; i++) {
		const struct seccomp_rule *rule = &profile->rules[i];
		cleanup_strv char **names = strv_split(rule->names, " ");
		cleanup_strbuf struct strbuf arguments = STRBUF_INIT;

		if (!seccomp_rule_applies(rule, target))
			continue;
		for (const struct seccomp_argument *a = rule->arguments; a->compare; a++)
			strbuf_addf(&arguments, " (%u %d %llx %llx)", a->index, a->compare,
				(unsigned long long)a->value, (unsigned long long)a->value2);
		for (size_t k = 0; names[k]; k++)
			strv_take(&lines,
				xasprintf("%s %d %d%s", names[k], rule->action,
					rule->action == SECCOMP_DO_ERRNO ? rule->errno_ret : 0,
					strbuf_text(&arguments)));
	}
	strv_sort(lines);
	return lines;
}

/* Name by name, for each capability alone, none and all, on several machines and kernels. */
static void row_2_1_the_table_says_what_the_reference_says(void **state)
{
	static const char *const arches[] = { "amd64", "386", "arm64", "arm", "s390x", "ppc64le",
		"riscv64", "x32", "x86", "s390" };
	static const uint16_t kernels[][2] = { { 4, 4 }, { 4, 8 }, { 6, 1 } };
	const char *path = getenv(REFERENCE);
	cleanup_error struct error err = ERROR_INIT;
	struct seccomp_profile reference;
	cleanup_free char *text = NULL;
	size_t length;

	(void)state;
	check_ok(file_read(AT_FDCWD, path, 1 << 20, &text, &length, &err), &err);
	check_ok(seccomp_profile_parse(text, length, &reference, &err), &err);
	assert_int_equal(reference.default_action, seccomp_profile_default.default_action);
	assert_int_equal(reference.default_errno, seccomp_profile_default.default_errno);
	for (size_t i = 0; i < ARRAY_LEN(arches) * ARRAY_LEN(kernels) * 66; i++) {
		unsigned int capability = (unsigned int)(i % 66);
		const uint16_t *kernel = kernels[i / 66 % ARRAY_LEN(kernels)];
		struct seccomp_target target = {
			.capabilities = capability < 64	   ? 1ULL << capability
					: capability == 64 ? 0
							   : UINT64_MAX,
			.kernel_major = kernel[0],
			.kernel_minor = kernel[1],
			.arch = arches[i / 66 / ARRAY_LEN(kernels)],
		};
		cleanup_strv char **ours = decisions(&seccomp_profile_default, &target);
		cleanup_strv char **theirs = decisions(&reference, &target);

		if (!strv_equal(ours, theirs))
			fail_msg("differs on %s with capabilities %llx", target.arch,
				(unsigned long long)target.capabilities);
	}
	seccomp_profile_release(&reference);
}

#ifdef __x86_64__
/* The 32-bit entry of the kernel, as an i386 program would use it. */
static long call_i386(long number, long argument)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(argument)
			 : "memory", "r8", "r9", "r10", "r11");
	return result;
}

static void row_2_10_the_32_bit_entry_is_filtered_as_well(void **state)
{
	struct seccomp_filter filter = filter_for(CAPABILITIES_DEFAULT);
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		/* i386: 20 is getpid, 51 acct */
		_exit(seccomp_filter_load(&filter, NULL) == 0 && call_i386(20, 0) == getpid() &&
					call_i386(51, 0) == -EPERM &&
					call_i386(UNASSIGNED, 0) == -ENOSYS
				? 0
				: 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	seccomp_filter_release(&filter);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV) {
		print_message("this kernel has no 32-bit entry\n");
		skip();
	}
	assert_int_equal(status, 0);
}
#endif

/* The first is run only where somebody gives the file to compare with (moby's default.json). */
int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(row_2_1_the_table_says_what_the_reference_says),
#ifdef __x86_64__
		cmocka_unit_test(row_2_10_the_32_bit_entry_is_filtered_as_well),
#endif
		cmocka_unit_test(row_2_2_rules_follow_the_capabilities),
		cmocka_unit_test(row_2_3_arguments_are_checked),
		cmocka_unit_test(row_2_4_clone3_falls_back),
		cmocka_unit_test(row_2_5_attack_surface_is_closed),
		cmocka_unit_test(row_2_6_the_filter_fits_the_kernel),
		cmocka_unit_test(row_2_8_a_call_newer_than_the_profile_gives_ENOSYS),
		cmocka_unit_test(row_2_9_loading_sets_no_new_privs_not),
		cmocka_unit_test(row_2_11_profiles_from_files),
		cmocka_unit_test(rules_apply_by_kernel_and_architecture),
		cmocka_unit_test(names_of_a_rule_are_there_once),
		world_test(a_profile_from_a_file_decides),
		world_test(row_2_7_names_that_the_library_lacks_are_passed_over),
		world_test(the_second_start_reads_what_the_first_built),
		world_test(unconfined_is_no_filter),
	};

	const size_t left_out = getenv(REFERENCE) ? 0 : 1;

	return _cmocka_run_group_tests(
		"seccomp", tests + left_out, ARRAY_LEN(tests) - left_out, NULL, NULL);
}
