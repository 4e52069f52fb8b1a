/* SPDX-License-Identifier: GPL-2.0-or-later
 * spec_test.c - a spec's JSON form, and the specs that are refused. */
#include "engine/container/spec.h"

#include "support.h"

static void fill(struct spec *spec)
{
	strv_add(&spec->args, "redis-server");
	strv_add(&spec->args, "--save ''");
	strv_add(&spec->env, "A=b=c");
	spec->cwd = xstrdup("/data");
	spec->user = xstrdup("redis:redis");
	strv_add(&spec->group_add, "audio");
	spec->terminal = spec->stdin_open = spec->no_new_privileges = true;
	spec->capabilities = CAPABILITIES_DEFAULT;
	*array_add(spec->rlimits, spec->rlimit_count) =
		(struct spec_rlimit){ xstrdup("nofile"), 1024, UINT64_MAX };
	*array_add(spec->rlimits, spec->rlimit_count) =
		(struct spec_rlimit){ xstrdup("core"), 0, 0 };
	spec->has_oom_score_adj = true;
	spec->oom_score_adj = -500;
	spec->read_only = true;
	spec->hostname = xstrdup("h");
	spec->domainname = xstrdup("d");
	strv_add(&spec->extra_hosts, "a=1.2.3.4");
	strv_add(&spec->dns, "9.9.9.9");
	strv_add(&spec->dns_search, "example.org");
	strv_add(&spec->dns_options, "ndots:2");
	spec->init = true;
	*array_add(spec->mounts, spec->mount_count) = (struct spec_mount){ .type = MOUNT_BIND,
		.source = xstrdup("/srv"),
		.destination = xstrdup("/srv"),
		.read_only = true,
		.create_host_path = true,
		.propagation = xstrdup("rslave") };
	*array_add(spec->mounts, spec->mount_count) = (struct spec_mount){ .type = MOUNT_VOLUME,
		.source = xstrdup("v"),
		.destination = xstrdup("/v"),
		.no_copy = true,
		.anonymous = true };
	*array_add(spec->mounts, spec->mount_count) = (struct spec_mount){ .type = MOUNT_TMPFS,
		.destination = xstrdup("/tmp"),
		.tmpfs_size = 1ULL << 40,
		.tmpfs_mode = 0700 };
	spec->privileged = true;
	spec->network = (struct spec_namespace){ NAMESPACE_CONTAINER, xstrdup("abc") };
	spec->pid.mode = NAMESPACE_HOST;
	spec->ipc.mode = NAMESPACE_HOST;
	spec->uts.mode = NAMESPACE_HOST;
	spec->cgroup.mode = NAMESPACE_HOST;
	strv_add(&spec->sysctl, "net.core.somaxconn=1024");
	spec->shm_size = 1 << 20;
	spec->seccomp = xstrdup("{\"defaultAction\":\"SCMP_ACT_ALLOW\"}");
	spec->apparmor_profile = xstrdup("docker-default");
	spec->unmasked = true;
	spec->cgroup_parent = xstrdup("a/b");
	*array_add(spec->devices, spec->device_count) =
		(struct spec_device){ xstrdup("/dev/fuse"), xstrdup("/dev/fuse"), "rwm" };
	spec->resources.memory_limit = 100 << 20;
	spec->resources.cpuset_cpus = xstrdup("1");
	spec->resources.pids_limit = -1;
	cgroup_default_devices(&spec->resources);
}

static char *print(const struct spec *spec)
{
	cleanup_json struct json *json = spec_to_json(spec);

	return json_print(json);
}

static void fill_mounts_and_grants(struct spec *spec)
{
	struct spec_mount *mount;
	struct spec_grant *grant;

	mount = array_add(spec->mounts, spec->mount_count);
	mount->type = MOUNT_IMAGE;
	mount->source = xstrdup("redis:7");
	mount->destination = xstrdup("/i");
	mount->subpath = xstrdup("usr/bin");
	strv_add(&mount->layers, "sha256:0");
	mount = array_add(spec->mounts, spec->mount_count);
	mount->type = MOUNT_BIND;
	mount->source = xstrdup("/s");
	mount->destination = xstrdup("/s");
	mount->recursion = MOUNT_RECURSE_READONLY;
	strv_add(&mount->labels, "a=b");
	strv_add(&mount->tmpfs_options, "uid=7");
	grant = array_add(spec->grants, spec->grant_count);
	grant->name = xstrdup("secret 'x'");
	grant->destination = xstrdup("/run/secrets/x");
	grant->uid = 1;
	grant->gid = 2;
	grant->mode = 0400;
	grant_content_set(&grant->content, "hunter2", 7);
}

static void row_11_1_what_a_secret_holds_is_not_written(void **state)
{
	struct spec spec = { 0 }, back = { 0 };
	cleanup_json struct json *json = NULL;
	cleanup_free char *text = NULL, *again = NULL;

	(void)state;
	strv_add(&spec.args, "x");
	fill_mounts_and_grants(&spec);
	text = print(&spec);
	assert_null(strstr(text, "hunter2"));
	assert_int_equal(json_parse(text, strlen(text), &json, NULL), 0);
	assert_int_equal(spec_from_json(json, &back, NULL), 0);
	again = print(&back);
	assert_string_equal(text, again);
	assert_string_equal(back.mounts[0].subpath, "usr/bin");
	assert_string_equal(back.mounts[0].layers[0], "sha256:0");
	assert_int_equal(back.mounts[1].recursion, MOUNT_RECURSE_READONLY);
	assert_string_equal(back.mounts[1].labels[0], "a=b");
	assert_string_equal(back.mounts[1].tmpfs_options[0], "uid=7");
	assert_string_equal(back.grants[0].name, "secret 'x'");
	assert_string_equal(back.grants[0].destination, "/run/secrets/x");
	assert_true(back.grants[0].uid == 1 && back.grants[0].gid == 2);
	assert_int_equal(back.grants[0].mode, 0400);
	assert_null(back.grants[0].content.bytes);
	spec_release(&spec);
	spec_release(&back);
}

static void a_copied_mount_owns_what_it_has(void **state)
{
	struct spec spec = { 0 };
	struct spec_mount copy;

	(void)state;
	fill_mounts_and_grants(&spec);
	spec_mount_copy(&spec.mounts[0], &copy);
	spec_release(&spec);
	assert_string_equal(copy.source, "redis:7");
	assert_string_equal(copy.layers[0], "sha256:0");
	spec_mount_release(&copy);
}

/* Released as it would be from a table that forgot a field, the sanitizers would tell. */
static void a_full_spec_survives_a_round_trip(void **state)
{
	struct spec spec = { 0 }, back = { 0 };
	cleanup_json struct json *json = NULL;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *text = NULL, *again = NULL;

	(void)state;
	fill(&spec);
	text = print(&spec);
	assert_int_equal(json_parse(text, strlen(text), &json, NULL), 0);
	check_ok(spec_from_json(json, &back, &err), &err);
	again = print(&back);
	assert_string_equal(text, again);

	/* What text equality could not tell: that both directions forget the same field. */
	assert_true(back.terminal && back.stdin_open && back.no_new_privileges && back.read_only);
	assert_true(back.init && back.privileged && back.has_oom_score_adj);
	assert_int_equal(back.oom_score_adj, -500);
	assert_true(back.capabilities == CAPABILITIES_DEFAULT);
	assert_true(back.rlimits[0].hard == UINT64_MAX);
	assert_string_equal(back.rlimits[1].type, "core");
	assert_string_equal(back.cwd, "/data");
	assert_string_equal(back.user, "redis:redis");
	assert_string_equal(back.hostname, "h");
	assert_string_equal(back.domainname, "d");
	assert_true(strv_equal(back.args, spec.args) && strv_equal(back.env, spec.env));
	assert_true(strv_equal(back.group_add, spec.group_add));
	assert_true(strv_equal(back.extra_hosts, spec.extra_hosts));
	assert_true(strv_equal(back.dns, spec.dns));
	assert_true(strv_equal(back.dns_search, spec.dns_search));
	assert_true(strv_equal(back.dns_options, spec.dns_options));
	assert_true(strv_equal(back.sysctl, spec.sysctl));
	assert_int_equal(back.mount_count, 3);
	assert_true(back.mounts[0].read_only && back.mounts[0].create_host_path);
	assert_string_equal(back.mounts[0].propagation, "rslave");
	assert_true(back.mounts[1].no_copy && back.mounts[1].anonymous);
	assert_int_equal(back.mounts[1].type, MOUNT_VOLUME);
	assert_int_equal(back.mounts[2].type, MOUNT_TMPFS);
	assert_true(back.mounts[2].tmpfs_size == 1ULL << 40);
	assert_int_equal(back.mounts[2].tmpfs_mode, 0700);
	assert_int_equal(back.network.mode, NAMESPACE_CONTAINER);
	assert_string_equal(back.network.container, "abc");
	assert_int_equal(back.pid.mode, NAMESPACE_HOST);
	assert_int_equal(back.ipc.mode, NAMESPACE_HOST);
	assert_int_equal(back.uts.mode, NAMESPACE_HOST);
	assert_int_equal(back.cgroup.mode, NAMESPACE_HOST);
	assert_int_equal(back.shm_size, 1 << 20);
	assert_string_equal(back.seccomp, spec.seccomp);
	assert_string_equal(back.apparmor_profile, "docker-default");
	assert_true(back.unmasked);
	assert_string_equal(back.cgroup_parent, "a/b");
	assert_string_equal(back.devices[0].path, "/dev/fuse");
	assert_string_equal(back.devices[0].source, "/dev/fuse");
	assert_string_equal(back.devices[0].access, "rwm");
	assert_int_equal(back.resources.memory_limit, 100 << 20);
	assert_string_equal(back.resources.cpuset_cpus, "1");
	assert_int_equal(back.resources.pids_limit, -1);
	assert_int_equal(back.resources.device_count, spec.resources.device_count);
	spec_release(&spec);
	spec_release(&back);
}

static void a_spec_without_a_command_is_damaged(void **state)
{
	const char *text = "{\"process\":{\"capabilities\":0}}";
	cleanup_json struct json *json = NULL;
	cleanup_error struct error err = ERROR_INIT;
	struct spec spec = { 0 };

	(void)state;
	assert_int_equal(json_parse(text, strlen(text), &json, NULL), 0);
	assert_int_equal(spec_from_json(json, &spec, &err), -EBADMSG);
	assert_string_equal(error_text(&err), "'process.args': missing");
}

static int check(
	void (*change)(struct spec *spec, const char *value), const char *value, struct error *err)
{
	struct spec spec = { 0 };
	int r;

	strv_add(&spec.args, "true");
	change(&spec, value);
	r = spec_check(&spec, err);
	spec_release(&spec);
	return r;
}

static void with_destination(struct spec *spec, const char *value)
{
	*array_add(spec->mounts, spec->mount_count) =
		(struct spec_mount){ .type = MOUNT_TMPFS, .destination = xstrdup(value) };
}

static void with_volume(struct spec *spec, const char *value)
{
	*array_add(spec->mounts, spec->mount_count) = (struct spec_mount){
		.type = MOUNT_VOLUME, .source = xstrdup(value), .destination = xstrdup("/v")
	};
}

static void with_bind(struct spec *spec, const char *value)
{
	*array_add(spec->mounts, spec->mount_count) = (struct spec_mount){
		.type = MOUNT_BIND, .source = xstrdup(value), .destination = xstrdup("/v")
	};
}

static void with_env(struct spec *spec, const char *value)
{
	strv_add(&spec->env, value);
}

static void with_cwd(struct spec *spec, const char *value)
{
	spec->cwd = xstrdup(value);
}

static void with_sysctl(struct spec *spec, const char *value)
{
	strv_add(&spec->sysctl, value);
}

static void without_args(struct spec *spec, const char *value)
{
	(void)value;
	strv_free(steal_ptr(spec->args));
}

static void row_3_10_6_4_10_9_bad_specs_are_refused(void **state)
{
	static const struct {
		void (*change)(struct spec *spec, const char *value);
		const char *value;
		const char *message; /* part of it; NULL = fine */
	} cases[] = {
		{ without_args, "", "No command specified" },
		{ with_destination, "/data", NULL },
		{ with_destination, "/process", NULL },
		{ with_destination, "data", "mount path must be absolute" },
		{ with_destination, "/", "destination can't be '/'" },
		{ with_destination, "/a/..", "destination can't be '/'" },
		{ with_destination, "/proc", "is in /proc" },
		{ with_destination, "/proc/1", "is in /proc" },
		{ with_destination, "/x/../proc/sys/", "is in /proc" },
		{ with_volume, "data_1.x-y", NULL },
		{ with_volume, "../etc", "includes invalid characters" },
		{ with_volume, "a/b", "includes invalid characters" },
		{ with_volume, "..", "includes invalid characters" },
		{ with_volume, ".hidden", "includes invalid characters" },
		{ with_volume, "", "includes invalid characters" },
		{ with_bind, "/srv", NULL },
		{ with_bind, "srv", "not an absolute path" },
		{ with_env, "KEY=$(touch x)", NULL },
		{ with_env, "KEY=", NULL },
		{ with_env, "=value", "invalid environment variable" },
		{ with_env, "", "invalid environment variable" },
		{ with_env, "KEY", "invalid environment variable" },
		{ with_cwd, "/x", NULL },
		{ with_cwd, "x", "needs to be an absolute path" },
		{ with_sysctl, "net.core.somaxconn=1", NULL },
		{ with_sysctl, "net.core.somaxconn", "has no value" },
		{ with_sysctl, "kernel.core_pattern=|/x", "is not allowed" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_error struct error err = ERROR_INIT;
		int r = check(cases[i].change, cases[i].value, &err);

		if (!cases[i].message)
			check_ok(r, &err);
		else if (r != -EINVAL || !strstr(error_text(&err), cases[i].message))
			fail_msg("'%s': %d, %s", cases[i].value, r, error_text(&err));
	}
}

static void row_3_14_only_namespaced_sysctls(void **state)
{
	static const struct {
		const char *key;
		bool with_own, with_host_ipc, with_host_network;
	} cases[] = {
		{ "net.ipv4.ip_forward", true, true, false },
		{ "net.core.somaxconn", true, true, false },
		{ "kernel.shmmax", true, false, true },
		{ "kernel.msgmni", true, false, true },
		{ "kernel.sem", true, false, true },
		{ "fs.mqueue.msg_max", true, false, true },
		{ "kernel.core_pattern", false, false, false },
		{ "kernel.hostname", false, false, false },
		{ "kernel.semx", false, false, false },
		{ "kernel.shmmaxx", false, false, false },
		{ "vm.overcommit_memory", false, false, false },
		{ "fs.file-max", false, false, false },
		{ "net", false, false, false },
		{ "net.", false, false, false },
		{ "network.x", false, false, false },
		{ "net..ipv4", false, false, false },
		{ "net/ipv4/ip_forward", false, false, false },
		{ "net.ipv4/../../kernel/core_pattern", false, false, false },
		{ ".net.ipv4.x", false, false, false },
		{ "", false, false, false },
		{ "net.a\nb", false, false, false },
	};
	struct spec own = { 0 }, ipc = { .ipc = { .mode = NAMESPACE_HOST } },
		    network = { .network = { .mode = NAMESPACE_HOST } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *key = cases[i].key;

		if ((sysctl_check(key, &own, NULL) == 0) != cases[i].with_own ||
			(sysctl_check(key, &ipc, NULL) == 0) != cases[i].with_host_ipc ||
			(sysctl_check(key, &network, NULL) == 0) != cases[i].with_host_network)
			fail_msg("'%s' is judged wrongly", key);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_spec_survives_a_round_trip),
		cmocka_unit_test(row_11_1_what_a_secret_holds_is_not_written),
		cmocka_unit_test(a_copied_mount_owns_what_it_has),
		cmocka_unit_test(a_spec_without_a_command_is_damaged),
		cmocka_unit_test(row_3_10_6_4_10_9_bad_specs_are_refused),
		cmocka_unit_test(row_3_14_only_namespaced_sysctls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
