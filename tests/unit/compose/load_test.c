/* SPDX-License-Identifier: GPL-2.0-or-later
 * load_test.c - from a text to the project: fields, places of errors, refusals, hashes, order,
 * where files are found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/stat.h>

#include "compose/config.h"
#include "engine/base/times.h"
#include "helper.h"

/* Work, not waiting: a busy machine makes no test fail. */
static int64_t cpu_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * NS_PER_SEC + now.tv_nsec;
}

static void errors_have_place_path_and_phrase(void **state)
{
	static const char *const rows[][2] = {
		{ "services:\n  web:\n    image: i\n    ports:\n      - 70000:80\n",
			"<stdin>:5:9: services.web.ports[0]: Invalid hostPort: 70000" },
		{ "services:\n  s:\n    image: i\n    comand: x\n",
			"<stdin>:4:5: services.s: Additional property comand is not allowed, did "
			"you mean 'command'?" },
		{ "servcies: {}\n", "<stdin>:1:1: Additional property servcies is not allowed, did "
				    "you mean 'services'?" },
		{ "services:\n  s:\n    image: i\n    networks: [q]\n",
			"<stdin>:4:16: services.s.networks: service \"s\" refers to undefined "
			"network q: invalid compose project" },
		{ "services:\n  s:\n    hostname: h\n",
			"service \"s\" has neither an image nor a build context specified: invalid "
			"compose project" },
		{ "services: {s: {image: i, depends_on: [zz]}}\n",
			"service \"s\" depends on undefined service \"zz\": invalid compose "
			"project" },
		{ "services: {s: {image: '${Q:?TEXT}'}}\n",
			"services.s.image: required variable Q is missing a value: TEXT" },
		{ "services: {s: {image: i, user: 1000}}\n",
			"services.s.user: must be a string: write 1000 in quotes" },
		{ "services: {s: {image: i, mem_limit: 1x}}\n",
			"services.s.mem_limit: invalid size: '1x' (like 64m or 1.5g)" },
		{ "services: {s: {image: i, mem_limit: 9999999999g}}\n",
			"invalid size: '9999999999g' is out of range" },
		{ "services: {s: {image: i, stop_grace_period: 10}}\n",
			"services.s.stop_grace_period: must be a string like 1m30s, not an "
			"integer" },
		{ "services: {s: {image: i, stop_grace_period: '10'}}\n",
			"invalid duration \"10\"" },
		{ "services: {s: {image: i, ports: ['1-3:1-2']}}\n",
			"Invalid ranges specified for container and host Ports: 1-2 and 1-3" },
		{ "services: {s: {image: i, group_add: [a, a]}}\n", "array items must be unique" },
		{ "services: {s: {image: i, environment: ['=x']}}\n", "has no name before the =" },
		{ "services: {s: {image: i, container_name: c}, t: {image: i, container_name: "
		  "c}}\n",
			"container name \"c\" is already in use by service \"s\"" },
		{ "services: {a: {image: i, depends_on: [b]}, b: {image: i, depends_on: [a]}}\n",
			"dependency cycle detected: a -> b -> a" },
		{ "services: {a: {image: i, extends: b}, b: {image: i, extends: a}}\n",
			"Circular reference: " },
		{ "- a\n", "<stdin>:1:1: Top-level object must be a mapping, not a list" },
		{ "", "<stdin>: empty compose file" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_free char *message = must_fail(rows[i][0]);

		assert_has(message, rows[i][1]);
	}
}

static void all_errors_are_told_in_one_run_up_to_a_bound(void **state)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *message =
				  must_fail("services: {a: {image: 1, bogus: 2}, b: {image: 3}}\n"),
			  *many = NULL;

	(void)state;
	assert_has(message, "services.a.image");
	assert_has(message, "Additional property bogus");
	assert_has(message, "services.b.image");
	strbuf_add_str(&text, "services:\n");
	for (int i = 0; i < 200; i++)
		strbuf_addf(&text, "  s%d: {image: 1}\n", i);
	many = must_fail(text.data);
	assert_has(many, "and 150 more");
}

static void an_excerpt_points_at_the_column(void **state)
{
	static const char text[] = "services:\n  s: {image: i, \xc3\xa4: 1}\n";
	cleanup_problems struct problems problems = PROBLEMS_INIT;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct compose_options options = { .problems = &problems };
	struct project *project;

	(void)state;
	assert_true(load_text(text, strlen(text), &options, &project, &err) < 0);
	problem_excerpt(&problems.items[0], &out);
	assert_string_equal(
		out.data, "    2 |   s: {image: i, \xc3\xa4: 1}\n      |                 ^\n");
}

static void fields_of_a_service(void **state)
{
	cleanup_project struct project *project = must_load(
		"services:\n"
		"  web:\n"
		"    image: nginx\n"
		"    command: sh -c 'a b'\n"
		"    entrypoint: []\n"
		"    environment: {B: 2, A: true, C: }\n"
		"    ports: ['127.0.0.1:90-91:80-81/udp', '8000-8002:80', 53]\n"
		"    volumes: ['./a:/a/:ro', 'data:/d:nocopy', '/anon', {type: tmpfs, target: /t, "
		"tmpfs: {size: 1m, mode: 0700}}]\n"
		"    tmpfs: '/run:size=1m'\n"
		"    networks: {n: {aliases: [x], ipv4_address: 10.0.0.5}, m: {priority: 9}}\n"
		"    mem_limit: 64m\n"
		"    memswap_limit: -1\n"
		"    deploy: {resources: {limits: {cpus: '0.25', pids: 20}}, replicas: 3}\n"
		"    ulimits: {nofile: {soft: 1, hard: 2}, nproc: 5}\n"
		"    logging: {driver: json-file, options: {max-size: 10m, max-file: '3'}}\n"
		"    restart: on-failure:4\n"
		"    stop_grace_period: 1m30s\n"
		"    cap_add: [cap_net_admin]\n"
		"    security_opt: ['no-new-privileges:true']\n"
		"    expose: [80]\n"
		"networks: {n: , m: {internal: true, ipam: {config: [{subnet: 10.0.0.0/24, "
		"gateway: 10.0.0.1}]}}}\n"
		"volumes: {data: {name: fixed}}\n");
	const struct service *web = project_find_service(project, "web");

	(void)state;
	assert_string_equal(project->name, "demo");
	assert_string_equal(web->command.argv[2], "a b");
	assert_true(web->entrypoint.is_set && !web->entrypoint.argv);
	assert_string_equal(web->environment[0], "A=true");
	assert_string_equal(web->environment[1], "B=2");
	assert_null(web->environment[2]);
	assert_int_equal(web->port_count, 4);
	assert_string_equal(web->ports[1].host_ip, "127.0.0.1");
	assert_int_equal(web->ports[1].published_first, 91);
	assert_int_equal(web->ports[1].target, 81);
	assert_int_equal(web->ports[1].protocol, PORT_UDP);
	assert_int_equal(web->ports[2].published_last, 8002);
	assert_int_equal(web->ports[3].published_first, 0);
	assert_int_equal(web->mount_count, 5);
	assert_string_equal(web->mounts[0].source, "/srv/demo/a");
	assert_string_equal(web->mounts[0].target, "/a");
	assert_true(web->mounts[0].read_only && web->mounts[0].create_host_path);
	assert_true(web->mounts[1].nocopy);
	assert_null(web->mounts[2].source);
	assert_int_equal(web->mounts[3].tmpfs_size, 1 << 20);
	assert_int_equal(web->mounts[3].tmpfs_mode, 0700);
	assert_int_equal(web->mounts[4].tmpfs_size, 1 << 20);
	assert_string_equal(web->networks[0].key, "m");
	assert_string_equal(web->networks[1].ipv4_address, "10.0.0.5");
	assert_int_equal(web->limits.memory, 64 << 20);
	assert_int_equal(web->limits.memory_swap, -1);
	assert_int_equal(web->limits.cpu_permille, 250);
	assert_int_equal(web->limits.pids, 20);
	assert_int_equal(web->replicas, 3);
	assert_int_equal(web->ulimits[0].hard, 2);
	assert_string_equal(web->logging.options[0], "max-file=3");
	assert_string_equal(web->logging.options[1], "max-size=10m");
	assert_int_equal(web->restart.kind, SERVICE_RESTART_ON_FAILURE);
	assert_int_equal(web->restart.max_retries, 4);
	assert_int_equal(web->stop_grace_ns, 90 * NS_PER_SEC);
	assert_string_equal(web->cap_add[0], "NET_ADMIN");
	assert_string_equal(web->security_opt[0], "no-new-privileges:true");
	assert_string_equal(web->expose[0], "80/tcp");
	assert_string_equal(project_find_volume(project, "data")->name, "fixed");
	assert_string_equal(project_find_network(project, "n")->name, "demo_n");
	assert_string_equal(project_find_network(project, "m")->pools[0].gateway, "10.0.0.1");
	assert_int_equal(web->ports[0].mark.line, 7);
	assert_int_equal(project->refusal_count, 0);
}

static void health_hooks_and_restarts_of_a_service(void **state)
{
	cleanup_project struct project *project = must_load(
		"services:\n"
		"  a:\n"
		"    image: i\n"
		"    healthcheck: {test: [CMD, x, y], interval: 1m30s, timeout: 2s, retries: 5, "
		"start_period: 3s, start_interval: 500ms, x-restart: true}\n"
		"    post_start: [{command: echo a b, user: u, privileged: true, working_dir: /w, "
		"environment: {B: 2, A: 1}}, {command: [c]}]\n"
		"    pre_stop: [{command: [d]}]\n"
		"    deploy: {restart_policy: {condition: on-failure, delay: 5s, max_attempts: 3, "
		"window: 2m}}\n"
		"  b: {image: i, healthcheck: {disable: true}}\n"
		"  c: {image: i, healthcheck: {test: [NONE]}, restart: always}\n");
	const struct service *a = project_find_service(project, "a");

	(void)state;
	assert_int_equal(project->refusal_count, 0);
	assert_string_equal(a->healthcheck.test[2], "y");
	assert_int_equal(a->healthcheck.interval_ns, 90 * NS_PER_SEC);
	assert_int_equal(a->healthcheck.timeout_ns, 2 * NS_PER_SEC);
	assert_int_equal(a->healthcheck.start_period_ns, 3 * NS_PER_SEC);
	assert_int_equal(a->healthcheck.start_interval_ns, NS_PER_SEC / 2);
	assert_int_equal(a->healthcheck.retries, 5);
	assert_true(a->healthcheck.restart && !a->healthcheck.disable);
	assert_int_equal(a->post_start_count, 2);
	assert_string_equal(a->post_start[0].command[2], "b");
	assert_string_equal(a->post_start[0].user, "u");
	assert_string_equal(a->post_start[0].working_dir, "/w");
	assert_string_equal(a->post_start[0].environment[0], "A=1");
	assert_true(a->post_start[0].privileged && !a->post_start[1].privileged);
	assert_null(a->post_start[1].user);
	assert_string_equal(a->pre_stop[0].command[0], "d");
	assert_int_equal(a->restart.kind, SERVICE_RESTART_ON_FAILURE);
	assert_int_equal(a->restart.delay_ns, 5 * NS_PER_SEC);
	assert_int_equal(a->restart.max_retries, 3);
	assert_int_equal(a->restart.window_ns, 120 * NS_PER_SEC);
	assert_true(project_find_service(project, "b")->healthcheck.disable);
	assert_true(project_find_service(project, "c")->healthcheck.disable);
	assert_int_equal(project_find_service(project, "c")->restart.delay_ns, 0);
}

static void what_the_engine_cannot_do_is_refused_with_its_place(void **state)
{
	cleanup_project struct project *project =
		must_load("services:\n  a:\n    image: i\n    privileged: false\n    "
			  "use_api_socket: true\n    init: false\n  b: {image: i}\n");
	cleanup_error struct error err = ERROR_INIT;
	char *only_b[] = { (char *)"b", NULL };

	(void)state;
	assert_int_equal(project->refusal_count, 1);
	assert_true(project_check_refusals(project, NULL, &err) < 0);
	assert_has(error_text(&err), "<stdin>:5:21: services.a.use_api_socket: not supported: ");
	assert_int_equal(project_check_refusals(project, only_b, NULL), 0);
}

static char *hash_of(const char *service)
{
	cleanup_free char *text =
		xasprintf("services: {s: %s, d: {image: d}}\nnetworks: {n: }\n", service);
	cleanup_project struct project *project = must_load(text);

	return xstrdup(project_find_service(project, "s")->config_hash);
}

static void the_hash_changes_only_with_what_matters(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{ "{image: i, hostname: h}", "{hostname: h, image: i}", true },
		{ "{image: i, ports: ['80:81']}",
			"{image: i, ports: [{target: 81, published: '80'}]}", true },
		{ "{image: i, environment: {A: 1}}", "{image: i, environment: [A=1]}", true },
		{ "{image: i}",
			"{image: i, depends_on: [d], scale: 2, profiles: [], pull_policy: always}",
			true },
		{ "{image: i}", "{image: i, deploy: {replicas: 2}}", true },
		{ "{image: i}", "{image: i, x-a: 1}", true },
		{ "{image: i}", "{image: j}", false },
		{ "{image: i, command: a b}", "{image: i, command: ['a b']}", false },
		{ "{image: i, environment: {A: 1}}", "{image: i, environment: {A: 2}}", false },
		{ "{image: i, networks: [n]}", "{image: i}", false },
		{ "{image: i, labels: {a: bc}}", "{image: i, labels: {ab: c}}", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_free char *a = hash_of(rows[i].a), *b = hash_of(rows[i].b);

		assert_int_equal(strlen(a), 64);
		if ((strcmp(a, b) == 0) != rows[i].same)
			fail_msg("%s | %s", rows[i].a, rows[i].b);
	}
}

static void the_hash_sees_the_content_of_configs(void **state)
{
	cleanup_project struct project *a = must_load(
		"services: {s: {image: i, configs: [c]}}\nconfigs: {c: {content: one}}\n");
	cleanup_project struct project *b = must_load(
		"services: {s: {image: i, configs: [c]}}\nconfigs: {c: {content: two}}\n");

	(void)state;
	assert_string_not_equal(a->services[0].config_hash, b->services[0].config_hash);
}

static void order_puts_dependencies_first(void **state)
{
	cleanup_project struct project *project =
		must_load("services: {a: {image: i, depends_on: [c]}, b: {image: i}, c: {image: i, "
			  "links: [d]}, d: {image: i}}\n");
	static const char *const expected[] = { "d", "c", "a", "b" };
	cleanup_free size_t *order = NULL;

	(void)state;
	assert_int_equal(project_dependency_order(project, &order, NULL), 0);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(project->services[order[i]].name, expected[i]);
}

static void a_long_chain_needs_no_deep_stack(void **state)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free size_t *order = NULL;
	int64_t start = cpu_time();
	struct project *project;

	(void)state;
	strbuf_add_str(&text, "services:\n  s0: {image: i}\n");
	for (int i = 1; i < 10000; i++)
		strbuf_addf(&text, "  s%d: {image: i, depends_on: [s%d]}\n", i, i - 1);
	project = must_load(text.data);
	assert_int_equal(project_dependency_order(project, &order, NULL), 0);
	assert_string_equal(project->services[order[9999]].name, "s9999");
	assert_true(cpu_time() - start < 5 * NS_PER_SEC);
	project_free(project);
}

struct folder {
	char path[64];
	int fd;
};

static void folder_open(struct folder *f)
{
	snprintf(f->path, sizeof(f->path), "/tmp/mycompose-load-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	f->fd = file_open(AT_FDCWD, f->path, O_RDONLY | O_DIRECTORY, 0, NULL);
	assert_int_equal(mkdirat(f->fd, "sub", 0700), 0);
}

static void put(const struct folder *f, const char *name, const char *text)
{
	assert_int_equal(dir_make(f->fd, "sub", 0700, NULL), 0);
	cleanup_fd int fd = file_open(f->fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600, NULL);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text), NULL), 0);
}

static void folder_close(struct folder *f)
{
	close_fd(&f->fd);
	assert_int_equal(tree_remove(AT_FDCWD, f->path, NULL), 0);
}

static void files_are_found_upwards_with_their_override(void **state)
{
	cleanup_project struct project *project = NULL;
	cleanup_free char *cwd = NULL;
	struct compose_options options = { 0 };
	struct folder f;

	(void)state;
	folder_open(&f);
	put(&f, "compose.yml", "services: {s: {image: a, hostname: h}}\n");
	put(&f, "docker-compose.yml", "services: {s: {image: no}}\n");
	put(&f, "compose.override.yaml", "services: {s: {image: b}}\n");
	cwd = xasprintf("%s/sub", f.path);
	options.cwd = cwd;
	assert_int_equal(compose_load(&options, &project, NULL), 0);
	assert_string_equal(project->services[0].image, "b");
	assert_string_equal(project->services[0].hostname, "h");
	assert_string_equal(project->working_dir, f.path);
	assert_int_equal(strv_length(project->config_files), 2);
	assert_has(project->warnings[0], "Found multiple config files with supported names: ");
	assert_has(project->warnings[1], "Using ");
	folder_close(&f);
}

static void nothing_found_says_so(void **state)
{
	struct compose_options options = { .cwd = "/proc/self" };
	cleanup_error struct error err = ERROR_INIT;
	struct project *project;

	(void)state;
	assert_int_equal(compose_load(&options, &project, &err), -ENOENT);
	assert_string_equal(error_text(&err), "no configuration file provided: not found");
}

static void shell_beats_env_file_beats_default(void **state)
{
	cleanup_project struct project *project = NULL, *other = NULL;
	char *environ[] = { (char *)"A=shell", NULL };
	char *env_files[] = { (char *)"one.env", (char *)"two.env", NULL };
	struct compose_options options = { .environ = environ };
	cleanup_error struct error err = ERROR_INIT;
	struct folder f;

	(void)state;
	folder_open(&f);
	put(&f, "compose.yaml",
		"services: {s: {image: i, environment: {A: $A, B: $B, C: '${C:-default}', D: "
		"'${D:-}'}}}\n");
	put(&f, ".env", "A=dot\nB=dot\n");
	put(&f, "one.env", "A=one\nB=one\nC=one\n");
	put(&f, "two.env", "B=two\nD=$B\n");
	options.cwd = f.path;
	assert_int_equal(compose_load(&options, &project, NULL), 0);
	assert_string_equal(project->services[0].environment[0], "A=shell");
	assert_string_equal(project->services[0].environment[1], "B=dot");
	assert_string_equal(project->services[0].environment[2], "C=default");
	options.env_files = env_files;
	assert_int_equal(compose_load(&options, &other, NULL), 0);
	assert_string_equal(other->services[0].environment[1], "B=two");
	assert_string_equal(other->services[0].environment[2], "C=one");
	assert_string_equal(other->services[0].environment[3], "D=one");
	env_files[1] = (char *)"none.env";
	assert_true(compose_load(&options, &other, &err) < 0);
	assert_has(error_text(&err), "Couldn't find env file: ");
	folder_close(&f);
}

static void row_10_8_special_files_are_refused_not_read(void **state)
{
	static const char *const names[] = { "fifo", "sub", "/dev/zero" };
	struct compose_options options = { 0 };
	struct folder f;

	(void)state;
	folder_open(&f);
	assert_int_equal(mkfifoat(f.fd, "fifo", 0600), 0);
	options.cwd = f.path;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		cleanup_free char *text =
			xasprintf("services: {s: {image: i, env_file: %s}}\n", names[i]);
		cleanup_error struct error err = ERROR_INIT;
		int64_t start = cpu_time();
		struct project *project;

		put(&f, "compose.yaml", text);
		assert_true(compose_load(&options, &project, &err) < 0);
		assert_has(error_text(&err), "compose.yaml:1:");
		assert_true(cpu_time() - start < NS_PER_SEC);
	}
	folder_close(&f);
}

static void a_file_that_is_too_large_is_refused_quickly(void **state)
{
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *file = NULL;
	struct compose_options options = { 0 };
	struct project *project;
	struct folder f;

	(void)state;
	folder_open(&f);
	put(&f, "compose.yaml", "x-a: ");
	file = xasprintf("%s/compose.yaml", f.path);
	assert_int_equal(truncate(file, 20 << 20), 0);
	options.cwd = f.path;
	assert_true(compose_load(&options, &project, &err) < 0);
	assert_has(error_text(&err), "compose.yaml");
	folder_close(&f);
}

static void each_unset_variable_warns_once(void **state)
{
	cleanup_project struct project *project =
		must_load("version: '3'\nservices: {s: {image: 'i$U$U', hostname: $U}}\n");

	(void)state;
	assert_int_equal(strv_length(project->warnings), 2);
	assert_has(project->warnings[0], "`version` is obsolete");
	assert_string_equal(project->warnings[1],
		"The \"U\" variable is not set. Defaulting to a blank string.");
}

static void one_letter_volumes_are_no_drives(void **state)
{
	cleanup_project struct project *project =
		must_load("services: {s: {image: i, volumes: ['v:/v:ro']}}\nvolumes: {v: }\n");

	(void)state;
	assert_string_equal(project->services[0].mounts[0].source, "v");
	assert_true(project->services[0].mounts[0].read_only);
}

static void without_interpolation_the_text_stays(void **state)
{
	static const char text[] = "version: '3'\n"
				   "services: {s: {image: 'i:$T', ports: ['${P}:80'], profiles: "
				   "[p], mem_limit: $M, depends_on: ['${D:-d}'], networks: [n], "
				   "healthcheck: {test: '$H'}}, t: {hostname: h}}\n";
	struct compose_options options = { .no_interpolate = true, .all_services = true };
	cleanup_project struct project *project = NULL;
	cleanup_free char *shown = NULL;
	size_t length;
	FILE *out = open_memstream(&shown, &length);

	(void)state;
	assert_non_null(out);
	assert_int_equal(load_text(text, strlen(text), &options, &project, NULL), 0);
	config_print(project, CONFIG_YAML, out);
	fclose(out);
	assert_has(shown, "image: i:$T\n");
	assert_has(shown, "- ${P}:80\n");
	assert_has(shown, "mem_limit: $M\n");
	assert_has(shown, "${D:-d}:\n");
	assert_has(shown, "test: $H\n");
	assert_null(strstr(shown, "version"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_have_place_path_and_phrase),
		cmocka_unit_test(all_errors_are_told_in_one_run_up_to_a_bound),
		cmocka_unit_test(an_excerpt_points_at_the_column),
		cmocka_unit_test(fields_of_a_service),
		cmocka_unit_test(health_hooks_and_restarts_of_a_service),
		cmocka_unit_test(what_the_engine_cannot_do_is_refused_with_its_place),
		cmocka_unit_test(the_hash_changes_only_with_what_matters),
		cmocka_unit_test(the_hash_sees_the_content_of_configs),
		cmocka_unit_test(order_puts_dependencies_first),
		cmocka_unit_test(a_long_chain_needs_no_deep_stack),
		cmocka_unit_test(files_are_found_upwards_with_their_override),
		cmocka_unit_test(nothing_found_says_so),
		cmocka_unit_test(shell_beats_env_file_beats_default),
		cmocka_unit_test(row_10_8_special_files_are_refused_not_read),
		cmocka_unit_test(a_file_that_is_too_large_is_refused_quickly),
		cmocka_unit_test(each_unset_variable_warns_once),
		cmocka_unit_test(one_letter_volumes_are_no_drives),
		cmocka_unit_test(without_interpolation_the_text_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
