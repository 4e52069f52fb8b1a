/* SPDX-License-Identifier: GPL-2.0-or-later
 * container_test.c - records of containers: create, find, list, rename. */
#include "engine/container/container.h"

#include "engine/base/times.h"
#include "engine/container/records.h"

#include "support.h"

#define TEST_LAYER "layers/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef/diff"

static void create(const struct engine *engine, struct container *container)
{
	cleanup_error struct error err = ERROR_INIT;

	check_ok(container_create(engine, container, &err), &err);
}

static struct container *created(const struct engine *engine, const char *name, const char *group)
{
	struct container *container = container_called(name, group);

	create(engine, container);
	return container;
}

static void expect_found(const struct engine *engine, const char *text, const char *id)
{
	cleanup_container struct container *found = NULL;
	cleanup_error struct error err = ERROR_INIT;

	check_ok(container_find(engine, text, &found, &err), &err);
	assert_string_equal(found->id, id);
}

static void expect_no_such(const struct engine *engine, const char *text)
{
	cleanup_container struct container *found = NULL;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *message = xasprintf("No such container: %s", text);

	assert_int_equal(container_find(engine, text, &found, &err), -ENOENT);
	assert_string_equal(error_text(&err), message);
	assert_null(found);
}

static size_t count(const struct engine *engine, const char *group)
{
	struct container **list;
	size_t n;

	assert_int_equal(container_list(engine, group, &list, &n, NULL), 0);
	container_list_free(list, n);
	return n;
}

static void defaults_are_dockers(void **state)
{
	cleanup_container struct container *a = container_new(), *b = container_new();

	(void)state;
	assert_int_equal(a->stop_signal, SIGTERM);
	assert_true(a->stop_timeout_ns == 10 * NS_PER_SEC);
	assert_int_equal(a->log_max_file, 1);
	assert_int_equal(a->restart, RESTART_NO);
	assert_true(a->spec.capabilities == CAPABILITIES_DEFAULT);
	assert_int_equal(strlen(a->id), 64);
	assert_string_not_equal(a->id, b->id);
}

static void a_record_survives_a_round_trip(void **state)
{
	struct world *world = *state;
	cleanup_container struct container *c = container_called("web-1", "web"), *back = NULL;
	cleanup_error struct error err = ERROR_INIT;

	c->created_ns = 1795500000123456789;
	c->image_ref = xstrdup("nginx");
	strv_add(&c->chain_ids, TEST_IMAGE_ID);
	assert_int_equal(dir_make(world->engine.data_fd, TEST_LAYER, 0755, NULL), 0);
	strv_add(&c->labels, "a=b=c");
	strv_add(&c->exposed, "80/tcp");
	*array_add(c->attachments, c->attachment_count) =
		(struct container_attachment){ .network = xstrdup("web_default"),
			.address = xstrdup("10.0.0.2"),
			.mac = xstrdup("02:00:00:00:00:01") };
	strv_add(&c->attachments[0].aliases, "web");
	*array_add(c->ports, c->port_count) =
		(struct published_port){ .host_ip = xstrdup("127.0.0.1"),
			.host_port = 8080,
			.container_port = 80,
			.protocol = "tcp" };
	*array_add(c->ports, c->port_count) =
		(struct published_port){ .container_port = 53, .protocol = "udp" };
	c->restart = RESTART_ON_FAILURE;
	c->restart_max_retries = 3;
	c->restart_delay_ns = 5;
	c->restart_window_ns = 6;
	strv_add(&c->healthcheck.test, "CMD");
	strv_add(&c->healthcheck.test, "x");
	strv_add(&c->healthcheck.shell, "/bin/ash");
	c->healthcheck.interval_ns = 1;
	c->healthcheck.timeout_ns = 2;
	c->healthcheck.start_period_ns = 3;
	c->healthcheck.start_interval_ns = 4;
	c->healthcheck.retries = 5;
	c->healthcheck.restart = true;
	*array_add(c->post_start, c->post_start_count) = (struct container_hook){
		.user = xstrdup("u"), .cwd = xstrdup("/w"), .privileged = true
	};
	strv_add(&c->post_start[0].command, "hook");
	strv_add(&c->post_start[0].env, "A=b");
	*array_add(c->pre_stop, c->pre_stop_count) = (struct container_hook){ 0 };
	strv_add(&c->pre_stop[0].command, "bye");
	c->stop_signal = SIGQUIT;
	c->stop_timeout_ns = 0;
	c->log_max_size = 1ULL << 34;
	c->log_max_file = 5;
	c->auto_remove = true;
	create(&world->engine, c);

	check_ok(container_load(&world->engine, c->id, &back, &err), &err);
	assert_string_equal(back->id, c->id);
	assert_string_equal(back->name, "web-1");
	assert_string_equal(back->group, "web");
	assert_true(back->created_ns == c->created_ns);
	assert_string_equal(back->image_ref, "nginx");
	assert_string_equal(back->image_id, TEST_IMAGE_ID);
	assert_true(strv_equal(back->chain_ids, c->chain_ids));
	assert_string_equal(container_label(back, "a"), "b=c");
	assert_null(container_label(back, "b"));
	assert_true(strv_equal(back->spec.args, c->spec.args));
	assert_int_equal(back->attachment_count, 1);
	assert_string_equal(back->attachments[0].network, "web_default");
	assert_string_equal(back->attachments[0].aliases[0], "web");
	assert_string_equal(back->attachments[0].address, "10.0.0.2");
	assert_string_equal(back->attachments[0].mac, "02:00:00:00:00:01");
	assert_int_equal(back->port_count, 2);
	assert_string_equal(back->ports[0].host_ip, "127.0.0.1");
	assert_int_equal(back->ports[0].host_port, 8080);
	assert_int_equal(back->ports[0].container_port, 80);
	assert_string_equal(back->ports[1].protocol, "udp");
	assert_null(back->ports[1].host_ip);
	assert_string_equal(back->exposed[0], "80/tcp");
	assert_int_equal(back->restart, RESTART_ON_FAILURE);
	assert_int_equal(back->restart_max_retries, 3);
	assert_int_equal(back->restart_delay_ns, 5);
	assert_int_equal(back->restart_window_ns, 6);
	assert_true(strv_equal(back->healthcheck.test, c->healthcheck.test));
	assert_true(strv_equal(back->healthcheck.shell, c->healthcheck.shell));
	assert_int_equal(back->healthcheck.interval_ns, 1);
	assert_int_equal(back->healthcheck.timeout_ns, 2);
	assert_int_equal(back->healthcheck.start_period_ns, 3);
	assert_int_equal(back->healthcheck.start_interval_ns, 4);
	assert_int_equal(back->healthcheck.retries, 5);
	assert_true(back->healthcheck.restart);
	assert_int_equal(back->post_start_count, 1);
	assert_string_equal(back->post_start[0].command[0], "hook");
	assert_string_equal(back->post_start[0].env[0], "A=b");
	assert_string_equal(back->post_start[0].user, "u");
	assert_string_equal(back->post_start[0].cwd, "/w");
	assert_true(back->post_start[0].privileged);
	assert_int_equal(back->pre_stop_count, 1);
	assert_string_equal(back->pre_stop[0].command[0], "bye");
	assert_null(back->pre_stop[0].user);
	assert_int_equal(back->stop_signal, SIGQUIT);
	assert_true(back->stop_timeout_ns == 0);
	assert_true(back->log_max_size == 1ULL << 34);
	assert_int_equal(back->log_max_file, 5);
	assert_true(back->auto_remove);
}

static void the_root_directory_is_the_images(void **state)
{
	struct world *world = *state;
	cleanup_container struct container *c = container_called("web", "g");
	cleanup_free char *upper = xasprintf("containers/%s/upper", c->id);
	cleanup_error struct error err = ERROR_INIT;
	struct stat st;

	strv_add(&c->chain_ids, TEST_IMAGE_ID);
	assert_int_equal(container_create(&world->engine, c, &err), -ENOENT);
	assert_non_null(strstr(error_text(&err), "layer '/"));
	check_no_leftovers(&world->engine, "containers");

	assert_int_equal(dir_make(world->engine.data_fd, TEST_LAYER, 0555, NULL), 0);
	assert_int_equal(fchownat(world->engine.data_fd, TEST_LAYER, 5, 6, 0), 0);
	create(&world->engine, c);
	assert_int_equal(fstatat(world->engine.data_fd, upper, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0555);
	assert_int_equal(st.st_uid, 5);
	assert_int_equal(st.st_gid, 6);
}

static void restart_policies_are_read(void **state)
{
	static const struct {
		const char *text;
		int policy; /* -1: refused */
		uint32_t retries;
	} cases[] = {
		{ "no", RESTART_NO, 0 },
		{ "always", RESTART_ALWAYS, 0 },
		{ "unless-stopped", RESTART_UNLESS_STOPPED, 0 },
		{ "on-failure", RESTART_ON_FAILURE, 0 },
		{ "on-failure:3", RESTART_ON_FAILURE, 3 },
		{ "on-failure:", -1, 0 },
		{ "on-failure:-1", -1, 0 },
		{ "on-failure:x", -1, 0 },
		{ "always:3", -1, 0 },
		{ "on-fail", -1, 0 },
		{ "", -1, 0 },
		{ "Always", -1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_error struct error err = ERROR_INIT;
		enum restart_policy policy = RESTART_NO;
		uint32_t retries = 99;
		int r = restart_policy_parse(cases[i].text, &policy, &retries, &err);

		if (cases[i].policy < 0) {
			assert_int_equal(r, -EINVAL);
			assert_non_null(strstr(error_text(&err), "invalid restart policy"));
			assert_int_equal(retries, 99);
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(policy, cases[i].policy);
		assert_int_equal(retries, cases[i].retries);
		assert_true(strncmp(restart_policy_name(policy), cases[i].text,
				    strlen(restart_policy_name(policy))) == 0);
	}
}

static void found_by_name_id_and_prefix(void **state)
{
	struct world *world = *state;
	const struct engine *engine = &world->engine;
	cleanup_container struct container *a = container_called("a", "g");
	cleanup_container struct container *b = container_called("b", "g");
	cleanup_container struct container *named_as_prefix = container_called("aaaa", "g");
	cleanup_error struct error err = ERROR_INIT;
	cleanup_container struct container *found = NULL;

	memset(a->id, 'a', 64);
	memset(b->id, 'a', 63);
	b->id[63] = 'b';
	memset(named_as_prefix->id, 'e', 64);
	create(engine, a);
	create(engine, b);
	expect_found(engine, "a", a->id);
	expect_found(engine, "b", b->id);
	expect_found(engine, a->id, a->id);
	expect_found(engine, b->id, b->id);
	assert_int_equal(container_find(engine, "aaa", &found, &err), -ENOTUNIQ);
	assert_string_equal(error_text(&err), "multiple IDs found with provided prefix: aaa");
	create(engine, named_as_prefix); /* a name wins over a prefix */
	expect_found(engine, "aaaa", named_as_prefix->id);
	expect_no_such(engine, "c");
	expect_no_such(engine, "");
	expect_no_such(engine, "../names");
	expect_no_such(engine, "zz");
}

static void found_by_a_unique_prefix(void **state)
{
	struct world *world = *state;
	cleanup_container struct container *a = created(&world->engine, "web", "g");
	char prefix[13];

	memcpy(prefix, a->id, 12);
	prefix[12] = '\0';
	expect_found(&world->engine, prefix, a->id);
}

static void an_empty_root_has_none(void **state)
{
	struct world *world = *state;

	expect_no_such(&world->engine, "a");
	assert_int_equal(count(&world->engine, NULL), 0);
	check_ok(container_sweep(&world->engine, NULL), NULL);
}

static void listed_by_group_in_order_of_creation(void **state)
{
	struct world *world = *state;
	static const struct {
		const char *name, *group;
		int64_t created_ns;
	} cases[] = { { "c", "one", 300 }, { "a", "one", 100 }, { "b", "two", 200 } };
	struct container **list;
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_container struct container *c =
			container_called(cases[i].name, cases[i].group);

		c->created_ns = cases[i].created_ns;
		create(&world->engine, c);
	}
	assert_int_equal(container_list(&world->engine, NULL, &list, &n, NULL), 0);
	assert_int_equal(n, 3);
	assert_string_equal(list[0]->name, "a");
	assert_string_equal(list[1]->name, "b");
	assert_string_equal(list[2]->name, "c");
	container_list_free(list, n);
	assert_int_equal(container_list(&world->engine, "one", &list, &n, NULL), 0);
	assert_int_equal(n, 2);
	assert_string_equal(list[0]->name, "a");
	assert_string_equal(list[1]->name, "c");
	container_list_free(list, n);
	assert_int_equal(count(&world->engine, "three"), 0);
}

static void a_name_is_given_once(void **state)
{
	struct world *world = *state;
	cleanup_container struct container *a = created(&world->engine, "web", "g");
	cleanup_container struct container *b = container_called("web", "g");
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *message =
		xasprintf("Conflict. The container name \"/web\" is already in use by container "
			  "\"%s\". You have to remove (or rename) that container to be able to "
			  "reuse that name.",
			a->id);

	add_volume(b, "data", false);
	assert_int_equal(container_create(&world->engine, b, &err), -EEXIST);
	assert_string_equal(error_text(&err), message);
	assert_int_equal(count(&world->engine, NULL), 1);
	assert_false(exists(&world->engine, "volumes/data"));
	check_no_leftovers(&world->engine, "containers");
	expect_found(&world->engine, "web", a->id);
}

static void a_name_without_a_container_is_free(void **state)
{
	struct world *world = *state;
	cleanup_container struct container *a = created(&world->engine, "web", "g");
	cleanup_container struct container *b = container_called("web", "g");
	cleanup_free char *path = xasprintf("containers/%s", a->id);

	tree_remove(world->engine.data_fd, path, NULL);
	expect_no_such(&world->engine, "web");
	create(&world->engine, b);
	expect_found(&world->engine, "web", b->id);
}

static void row_6_4_names_that_are_paths_are_refused(void **state)
{
	struct world *world = *state;
	char long_name[202];
	const char *const names[] = { "", ".", "..", "a/b", "../x", "/x", "-x", ".x", "_x", "a b",
		"a\nb", "\xc3\xa4", "x\x1b[0m", long_name };

	memset(long_name, 'x', 201);
	long_name[201] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		cleanup_container struct container *c = container_called(names[i], "g");
		cleanup_container struct container *group = container_called("ok", names[i]);
		cleanup_error struct error err = ERROR_INIT;

		assert_int_equal(container_create(&world->engine, c, &err), -EINVAL);
		assert_non_null(strstr(error_text(&err), "Invalid container name"));
		if (strcmp(names[i], "_x") != 0) /* an ad-hoc container's group */
			assert_int_equal(container_create(&world->engine, group, &err), -EINVAL);
	}
	assert_int_equal(count(&world->engine, NULL), 0);
	assert_false(exists(&world->engine, "containers/names/ok"));
	long_name[200] = '\0';
	cleanup_container struct container *longest = created(&world->engine, long_name, "_x");

	expect_found(&world->engine, long_name, longest->id);
}

static void row_6_4_digests_and_ids_are_checked(void **state)
{
	struct world *world = *state;
	static const char *const bad[] = { "", "sha256:", "sha256:../../x",
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		"sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		cleanup_container struct container *image = container_called("web", "g");
		cleanup_container struct container *chain = container_called("web", "g");

		free(image->image_id);
		image->image_id = xstrdup(bad[i]);
		assert_int_equal(container_create(&world->engine, image, NULL), -EINVAL);
		strv_add(&chain->chain_ids, bad[i]);
		assert_int_equal(container_create(&world->engine, chain, NULL), -EINVAL);
	}
	cleanup_container struct container *id = container_called("web", "g");

	snprintf(id->id, sizeof(id->id), "../../etc");
	assert_int_equal(container_create(&world->engine, id, NULL), -EINVAL);
}

static void row_6_5_records_are_roots_alone(void **state)
{
	struct world *world = *state;
	mode_t old = umask(0);
	cleanup_container struct container *c = created(&world->engine, "web", "g");
	const struct {
		const char *path;
		mode_t mode;
	} cases[] = {
		{ "containers", 0700 }, { "containers/names", 0700 }, { "containers/%s", 0700 },
		{ "containers/%s/config.json", 0600 }, { "containers/%s/state.json", 0600 },
		{ "containers/%s/work", 0700 },
		{ "containers/%s/upper", 0755 }, /* the container's own "/" */
	};
	struct container_state running = { .status = CONTAINER_EXITED };

	assert_int_equal(
		container_save_state(&world->engine, c->id, &running, FILE_VOLATILE, NULL), 0);
	umask(old);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *hole = strstr(cases[i].path, "%s");
		cleanup_free char *path = hole ? xasprintf("%.*s%s%s", (int)(hole - cases[i].path),
							 cases[i].path, c->id, hole + 2)
					       : xstrdup(cases[i].path);
		struct stat st;

		assert_int_equal(fstatat(world->engine.data_fd, path, &st, 0), 0);
		if ((st.st_mode & 07777) != cases[i].mode)
			fail_msg("%s has mode %o", path, st.st_mode & 07777);
	}
}

static void renamed(void **state)
{
	struct world *world = *state;
	const struct engine *engine = &world->engine;
	cleanup_container struct container *a = created(engine, "old_web", "g");
	cleanup_container struct container *b = created(engine, "other", "g");
	cleanup_container struct container *back = NULL;
	cleanup_error struct error err = ERROR_INIT;

	assert_int_equal(container_rename(engine, a, "other", &err), -EEXIST);
	assert_string_equal(a->name, "old_web");
	assert_int_equal(container_rename(engine, a, "../x", &err), -EINVAL);
	assert_string_equal(a->name, "old_web");
	expect_found(engine, "old_web", a->id);
	check_ok(container_rename(engine, a, "web", &err), &err);
	assert_string_equal(a->name, "web");
	expect_found(engine, "web", a->id);
	expect_no_such(engine, "old_web");
	expect_found(engine, "other", b->id);
	assert_int_equal(container_load(engine, a->id, &back, NULL), 0);
	assert_string_equal(back->name, "web");
	check_ok(container_rename(engine, a, "web", &err), &err); /* to itself */
	expect_found(engine, "web", a->id);
}

static void host_names_are_chosen_as_docker_does(void **state)
{
	struct world *world = *state;
	cleanup_container struct container *plain = created(&world->engine, "plain", "g");
	cleanup_container struct container *given = container_called("given", "g");
	cleanup_container struct container *host = container_called("host", "g");
	cleanup_container struct container *joined = container_called("joined", "g");
	char name[256];

	assert_true(strncmp(plain->spec.hostname, plain->id, 12) == 0);
	assert_int_equal(strlen(plain->spec.hostname), 12);
	assert_string_equal(env_get(plain->spec.env, "HOSTNAME"), plain->spec.hostname);

	given->spec.hostname = xstrdup("db");
	strv_add(&given->spec.env, "HOSTNAME=mine");
	create(&world->engine, given);
	assert_string_equal(given->spec.hostname, "db");
	assert_string_equal(env_get(given->spec.env, "HOSTNAME"), "mine");

	host->spec.uts.mode = NAMESPACE_HOST;
	create(&world->engine, host);
	assert_null(host->spec.hostname);
	assert_int_equal(gethostname(name, sizeof(name)), 0);
	assert_string_equal(env_get(host->spec.env, "HOSTNAME"), name);

	joined->spec.network = (struct spec_namespace){ NAMESPACE_CONTAINER, xstrdup(given->id) };
	create(&world->engine, joined);
	assert_string_equal(joined->spec.hostname, "db");
}

static void replace_record(const struct engine *engine, const char *id, const char *text)
{
	cleanup_free char *path = xasprintf("containers/%s/config.json", id);

	write_file(engine->data_fd, path, text);
}

static void row_13_5_a_bad_record_harms_no_other(void **state)
{
	struct world *world = *state;
	const struct engine *engine = &world->engine;
	cleanup_container struct container *good = created(engine, "good", "g");
	cleanup_container struct container *bad = created(engine, "bad", "g");
	static const struct {
		const char *text;
		int code;
		const char *message;
	} cases[] = {
		{ "", -EBADMSG, "config.json: the file is empty" },
		{ "{\"version\":1,\"id", -EBADMSG, "config.json: " },
		{ "{\"version\":1}", -EBADMSG, "config.json: 'id': missing" },
		{ "{\"version\":2,\"everything\":\"else\"}", -ENOTSUP,
			"written by a newer mycompose" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_error struct error err = ERROR_INIT;
		cleanup_container struct container *found = NULL;

		replace_record(engine, bad->id, cases[i].text);
		assert_int_equal(container_find(engine, "bad", &found, &err), cases[i].code);
		assert_non_null(strstr(error_text(&err), cases[i].message));
		assert_non_null(strstr(error_text(&err), bad->id)); /* which file */
		assert_int_equal(count(engine, NULL), 1);
		expect_found(engine, "good", good->id);
		check_ok(container_sweep(engine, &err), &err);
	}
	/* Its name is kept until somebody has looked into it. */
	cleanup_container struct container *next = container_called("bad", "g");

	assert_int_equal(container_create(engine, next, NULL), -EEXIST);
}

static void row_13_5_a_record_in_a_strangers_directory_is_refused(void **state)
{
	struct world *world = *state;
	cleanup_container struct container *a = created(&world->engine, "a", "g");
	cleanup_container struct container *b = created(&world->engine, "b", "g");
	cleanup_container struct container *found = NULL;
	cleanup_free char *from = xasprintf("containers/%s/config.json", a->id);
	cleanup_free char *text = NULL;
	size_t length;

	assert_int_equal(file_read(world->engine.data_fd, from, 100000, &text, &length, NULL), 0);
	replace_record(&world->engine, b->id, text);
	assert_int_equal(container_load(&world->engine, b->id, &found, NULL), -EBADMSG);
}

/* System calls that read, of this process so far; see proc_pid_io(5). */
static unsigned long reads_so_far(void)
{
	cleanup_free char *text = NULL;
	const char *count;

	assert_int_equal(file_read(AT_FDCWD, "/proc/self/io", 4096, &text, NULL, NULL), 0);
	count = strstr(text, "syscr: ");
	assert_non_null(count);
	return strtoul(count + strlen("syscr: "), NULL, 10);
}

/* Each record is read once: its text and its end, and the start of each run of names. */
static void fifty_are_listed_with_two_reads_each(void **state)
{
	struct world *world = *state;
	unsigned long before;

	for (int i = 0; i < 50; i++) {
		cleanup_free char *name = xasprintf("web-%d", i);
		cleanup_container struct container *c = container_called(name, "g");

		for (int j = 0; j < 10; j++) {
			cleanup_free char *env = xasprintf("VARIABLE_%d=value", j);

			strv_add(&c->spec.env, env);
			strv_add(&c->labels, env);
		}
		cgroup_default_devices(&c->spec.resources);
		create(&world->engine, c);
	}
	before = reads_so_far();
	assert_int_equal(count(&world->engine, "g"), 50);
	assert_in_range(reads_so_far() - before, 50, 2 * 50 + 10);
}

struct job {
	const struct engine *engine;
	struct container *container;
	const char *name;
};

static int do_create(void *arg)
{
	struct job *job = arg;

	return container_create(job->engine, job->container, NULL);
}

static int do_rename(void *arg)
{
	struct job *job = arg;

	return container_rename(job->engine, job->container, job->name, NULL);
}

static bool is_found(const struct engine *engine, const char *text)
{
	cleanup_container struct container *found = NULL;

	return container_find(engine, text, &found, NULL) == 0;
}

static void row_13_1_a_creation_killed_anywhere_is_whole_or_nothing(void **state)
{
	struct world *world = *state;
	const struct engine *engine = &world->engine;
	bool finished = false;
	unsigned int whole = 0, nothing = 0;

	for (unsigned int n = 0; !finished; n++) {
		cleanup_error struct error err = ERROR_INIT;
		cleanup_free char *name = xasprintf("web-%u", n);
		cleanup_free char *anonymous = xasprintf("anonymous%u", n);
		cleanup_free char *volume_path = xasprintf("volumes/%s", anonymous);
		cleanup_container struct container *c = container_called(name, "g");
		struct job job = { engine, c, NULL };

		add_volume(c, anonymous, true);
		finished = killed_at(n, do_create, &job);
		check_ok(container_sweep(engine, &err), &err);
		check_no_leftovers(engine, "containers");
		check_no_leftovers(engine, "volumes");
		if (is_found(engine, name)) {
			whole++;
			expect_found(engine, c->id, c->id);
			assert_true(exists(engine, volume_path));
			continue;
		}
		nothing++;
		assert_false(finished);
		expect_no_such(engine, c->id);
		if (exists(engine, volume_path))
			fail_msg("killed at %u: %s is left", n, volume_path);
		check_ok(container_create(engine, c, &err), &err); /* the name is free */
	}
	assert_true(whole >= 1 && nothing >= 10);
}

static void row_13_1_a_rename_killed_anywhere_leaves_one_name(void **state)
{
	struct world *world = *state;
	const struct engine *engine = &world->engine;
	bool finished = false;

	for (unsigned int n = 0; !finished; n++) {
		cleanup_error struct error err = ERROR_INIT;
		cleanup_free char *old = xasprintf("old-%u", n);
		cleanup_free char *new = xasprintf("new-%u", n);
		cleanup_container struct container *c = created(engine, old, "g");
		struct job job = { engine, c, new };
		bool has_old, has_new;

		finished = killed_at(n, do_rename, &job);
		has_old = is_found(engine, old);
		has_new = is_found(engine, new);
		if (has_old == has_new) /* before the sweep as well as after it */
			fail_msg("killed at %u: found by %s", n, has_old ? "both" : "none");
		check_ok(container_sweep(engine, &err), &err);
		assert_int_equal(is_found(engine, old), has_old);
		assert_int_equal(is_found(engine, new), has_new);
		cleanup_container struct container *next =
			container_called(has_old ? new : old, "g");

		check_ok(container_create(engine, next, &err), &err);
		assert_true(has_new || !finished);
	}
}

static void a_link_lost_in_a_power_cut_is_made_again(void **state)
{
	struct world *world = *state;
	cleanup_container struct container *c = created(&world->engine, "web", "g");

	assert_int_equal(unlinkat(world->engine.data_fd, "containers/names/web", 0), 0);
	expect_no_such(&world->engine, "web");
	check_ok(container_sweep(&world->engine, NULL), NULL);
	expect_found(&world->engine, "web", c->id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_dockers),
		world_test(a_record_survives_a_round_trip),
		world_test(the_root_directory_is_the_images),
		cmocka_unit_test(restart_policies_are_read),
		world_test(found_by_name_id_and_prefix),
		world_test(found_by_a_unique_prefix),
		world_test(an_empty_root_has_none),
		world_test(listed_by_group_in_order_of_creation),
		world_test(a_name_is_given_once),
		world_test(a_name_without_a_container_is_free),
		world_test(row_6_4_names_that_are_paths_are_refused),
		world_test(row_6_4_digests_and_ids_are_checked),
		world_test(row_6_5_records_are_roots_alone),
		world_test(renamed),
		world_test(host_names_are_chosen_as_docker_does),
		world_test(row_13_5_a_bad_record_harms_no_other),
		world_test(row_13_5_a_record_in_a_strangers_directory_is_refused),
		world_test(fifty_are_listed_with_two_reads_each),
		world_test(row_13_1_a_creation_killed_anywhere_is_whole_or_nothing),
		world_test(row_13_1_a_rename_killed_anywhere_leaves_one_name),
		world_test(a_link_lost_in_a_power_cut_is_made_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
