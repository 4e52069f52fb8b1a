/* SPDX-License-Identifier: GPL-2.0-or-later
 * run_options_test.c - the flags of `run` as fields of a container. */
#include "cmd/run_options.h"

#include <signal.h>

#include "support.h"

/* Parse and apply a command line to a new container, as `run` does. 0 or the error. */
static int apply(const char *line, struct container *container, struct error *err)
{
	cleanup_strv char **words = strv_split(line, " ");
	cleanup_strv char **rest = NULL;
	struct app app = { .cwd = (char *)"/work", .engine = ENGINE_INIT };
	struct run_options options = { 0 };
	int r = flags_parse(run_flags, &options, words, false, &rest, err);

	if (r == 0)
		r = run_options_check(&options, false, err);
	if (r == 0)
		r = run_options_apply(&options, &app, container, err);
	flags_release(run_flags, &options);
	return r;
}

static void limits(void **state)
{
	cleanup_container struct container *container = container_new();
	const struct cgroup_resources *resources = &container->spec.resources;
	cleanup_error struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(apply("-m 100m --memory-swap -1 --memory-reservation 50m --cpus 0.5 "
			       "--cpuset-cpus 0-1 --cpuset-mems 0 -c 512 --pids-limit 20 "
			       "--shm-size 1g --oom-kill-disable --oom-score-adj -5",
				 container, &err),
		0);
	assert_int_equal(resources->memory_limit, 100 << 20);
	assert_true(resources->has_memory_swap);
	assert_int_equal(resources->memory_swap, -1);
	assert_int_equal(resources->memory_reservation, 50 << 20);
	assert_int_equal(resources->cpu_permille, 500);
	assert_string_equal(resources->cpuset_cpus, "0-1");
	assert_string_equal(resources->cpuset_mems, "0");
	assert_int_equal(resources->cpu_shares, 512);
	assert_int_equal(resources->pids_limit, 20);
	assert_true(resources->oom_kill_disable);
	assert_int_equal(container->spec.shm_size, 1 << 30);
	assert_int_equal(container->spec.oom_score_adj, -5);
}

static void process_and_the_rest(void **state)
{
	cleanup_container struct container *container = container_new();
	const struct spec *spec = &container->spec;
	cleanup_error struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(apply("-h box --init --read-only --ulimit nofile=10:20 --ulimit core=-1 "
			       "--add-host db:10.0.0.1 --add-host v6:::1 --dns 1.1.1.1 "
			       "--sysctl net.ipv4.ip_forward=1 --security-opt no-new-privileges "
			       "--security-opt seccomp=unconfined --pid host -l a=b -l c "
			       "--restart on-failure:3 --stop-timeout 5 --stop-signal USR1 "
			       "--log-opt max-size=1m --log-opt max-file=3 --group-add 5",
				 container, &err),
		0);
	assert_string_equal(spec->hostname, "box");
	assert_true(spec->init && spec->read_only && spec->no_new_privileges);
	assert_int_equal(spec->rlimit_count, 2);
	assert_string_equal(spec->rlimits[0].type, "nofile");
	assert_int_equal(spec->rlimits[0].soft, 10);
	assert_int_equal(spec->rlimits[0].hard, 20);
	assert_true(spec->rlimits[1].hard == UINT64_MAX);
	assert_words(spec->extra_hosts, " ", "db=10.0.0.1 v6=::1");
	assert_words(spec->sysctl, " ", "net.ipv4.ip_forward=1");
	assert_string_equal(spec->seccomp, "unconfined");
	assert_int_equal(spec->pid.mode, NAMESPACE_HOST);
	assert_words(container->labels, " ", "a=b c=");
	assert_int_equal(container->restart, RESTART_ON_FAILURE);
	assert_int_equal(container->restart_max_retries, 3);
	assert_int_equal(container->stop_timeout_ns, 5000000000LL);
	assert_int_equal(container->stop_signal, SIGUSR1);
	assert_int_equal(container->log_max_size, 1 << 20);
	assert_int_equal(container->log_max_file, 3);
	assert_words(spec->group_add, " ", "5");
}

static void seed_spellings_stay(void **state)
{
	cleanup_container struct container *container = container_new();
	cleanup_error struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(apply("--cpuset 1 --net none", container, &err), 0);
	assert_string_equal(container->spec.resources.cpuset_cpus, "1");
	assert_int_equal(container->attachment_count, 0);
	assert_int_equal(container->spec.network.mode, NAMESPACE_PRIVATE);
}

static void host_network_takes_the_place_of_attachments(void **state)
{
	cleanup_container struct container *container = container_new();
	cleanup_error struct error err = ERROR_INIT;
	struct container_attachment *attachment =
		array_add(container->attachments, container->attachment_count);

	(void)state;
	attachment->network = xstrdup("bridge");
	assert_int_equal(apply("--network host", container, &err), 0);
	assert_int_equal(container->attachment_count, 0);
	assert_int_equal(container->spec.network.mode, NAMESPACE_HOST);
}

static void refusals(void **state)
{
	static const struct {
		const char *line;
		const char *message;
	} cases[] = {
		{ "-m 5m", "Minimum memory limit allowed is 6MB" },
		{ "-m lots", "invalid argument \"lots\" for \"-m, --memory\" flag" },
		{ "--cpus -1", "invalid argument \"-1\" for \"--cpus\" flag" },
		{ "--cpus 1 --cpu-quota 5", "Conflicting options: CPU period or quota and --cpus "
					    "cannot both be set" },
		{ "--cpuset-cpus a", "invalid argument \"a\" for \"--cpuset-cpus\" flag" },
		{ "--ulimit nofile", "invalid argument \"nofile\" for \"--ulimit\" flag" },
		{ "--ulimit nofile=9:8",
			"ulimit soft limit must be less than or equal to hard limit: nofile=9:8" },
		{ "--add-host x", "bad format for add-host: \"x\"" },
		{ "--rm --restart always",
			"conflicting options: cannot specify both --restart and --rm" },
		{ "--security-opt nonsense=x",
			"invalid --security-opt: 'nonsense=x' (known are apparmor, label, "
			"no-new-privileges, seccomp and systempaths)" },
		{ "--security-opt seccomp", "invalid --security-opt: 'seccomp' has no value" },
		{ "--security-opt no-new-privileges=maybe",
			"invalid --security-opt no-new-privileges: 'maybe' is neither true nor "
			"false" },
		{ "--device null", "'null' is not an absolute path: devices are given as "
				   "/host/path[:/container/path[:rwm]]" },
		{ "--device-cgroup-rule x",
			"invalid device cgroup format: 'x' (wanted: TYPE MAJOR:MINOR ACCESS, like "
			"'c 1:3 rwm' or 'b 8:* r')" },
		{ "--device-read-bps /dev/sda",
			"invalid argument \"/dev/sda\" for \"--device-read-bps\" flag" },
		{ "--blkio-weight 5", "Range of blkio weight is from 10 to 1000" },
		{ "--cgroup-parent a/../b", "cgroup parent 'a/../b' leads out of the hierarchy" },
		{ "--userns keep-id",
			"--userns: user namespace 'keep-id' is not to be had: it maps the caller's "
			"own id, which is root's here, and root of a container must not be root of "
			"the host; use 'auto'" },
		{ "--userns auto:size=0", "--userns: user namespace 'auto:size=0': size '0' is not "
					  "in 1..2147483647" },
		{ "--pid nobody", "--pid: invalid mode: nobody" },
		{ "--log-opt mode=x", "log option mode: 'x' is neither blocking nor non-blocking" },
		{ "--log-driver gelf",
			"no log driver 'gelf': json-file, local, none, journald and syslog exist" },
		{ "--pull always",
			"--pull always is not supported: images come by import and load" },
		{ "--no-deps", "unknown flag: --no-deps (running an image)" },
		{ "--stop-timeout -1", "--stop-timeout is not negative" },
		{ "--oom-score-adj 2000",
			"Invalid value 2000, range for oom score adj is [-1000, 1000]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_container struct container *container = container_new();
		cleanup_error struct error err = ERROR_INIT;

		assert_true(apply(cases[i].line, container, &err) < 0);
		assert_string_equal(error_text(&err), cases[i].message);
	}
}

static void row_3_14_sysctls_of_the_host_are_refused(void **state)
{
	cleanup_container struct container *container = container_new();
	cleanup_error struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(apply("--sysctl kernel.core_pattern=x", container, &err), -EINVAL);
	assert_null(container->spec.sysctl);
}

static void restart_is_not_for_services(void **state)
{
	struct run_options options = { .restart = (char *)"always" };
	cleanup_error struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(run_options_check(&options, true, &err), -EINVAL);
	assert_string_equal(error_text(&err), "unknown flag: --restart (running a service)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits),
		cmocka_unit_test(process_and_the_rest),
		cmocka_unit_test(seed_spellings_stay),
		cmocka_unit_test(host_network_takes_the_place_of_attachments),
		cmocka_unit_test(refusals),
		cmocka_unit_test(row_3_14_sysctls_of_the_host_are_refused),
		cmocka_unit_test(restart_is_not_for_services),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
