/* SPDX-License-Identifier: GPL-2.0-or-later
 * golden_test.c - files of tests/golden/: what Docker Compose answered is what we answer.
 *
 * Each case is written into a scratch folder, loaded, printed as JSON and compared as data with the
 * stored answer; a case that was rejected must be rejected. What was accepted is also printed as
 * YAML, loaded again and printed again: the same text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compose/config.h"
#include "engine/base/files.h"
#include "engine/base/json.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

#define GOLDEN_LIMIT (32u << 20)

struct scratch {
	char top[64];
	char root[80]; /* the project's folder */
	int root_fd;
};

static void scratch_open(struct scratch *s)
{
	snprintf(s->top, sizeof(s->top), "/tmp/mycompose-golden-XXXXXX");
	assert_non_null(mkdtemp(s->top));
	snprintf(s->root, sizeof(s->root), "%s/proj", s->top);
	s->root_fd = dir_make_open(AT_FDCWD, s->root, 0700, NULL);
	assert_true(s->root_fd >= 0);
}

static void scratch_close(struct scratch *s)
{
	close_fd(&s->root_fd);
	assert_int_equal(tree_remove(AT_FDCWD, s->top, NULL), 0);
}

static void write_file(const struct scratch *s, const char *name, const char *text)
{
	cleanup_fd int fd = -1;
	const char *slash = strrchr(name, '/');

	if (slash) {
		cleanup_free char *folder = xstrndup(name, (size_t)(slash - name));

		assert_int_equal(dir_make(s->root_fd, folder, 0700, NULL), 0);
	}
	fd = file_open(s->root_fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600, NULL);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text), NULL), 0);
}

static char *replace_all(const char *text, const char *from, const char *to)
{
	struct strbuf out = STRBUF_INIT;
	const char *hit;

	while ((hit = strstr(text, from))) {
		strbuf_add(&out, text, (size_t)(hit - text));
		strbuf_add_str(&out, to);
		text = hit + strlen(from);
	}
	strbuf_add_str(&out, text);
	return strbuf_steal(&out);
}

/* The first place where two values differ, "" for the value itself; NULL when there is none. Heap.
 */
static char *first_difference(const struct json *a, const struct json *b)
{
	cleanup_free char *a_text = a ? json_print(a) : NULL;
	cleanup_free char *b_text = b ? json_print(b) : NULL;

	if (!a || !b)
		return xasprintf(" is only %s: %s", a ? "expected" : "there", a ? a_text : b_text);
	if (json_is_object(a) && json_is_object(b)) {
		json_for_each (child, a) {
			cleanup_free char *below =
				first_difference(child, json_get(b, json_key(child)));

			if (below)
				return xasprintf(".%s%s", json_key(child), below);
		}
		json_for_each (child, b)
			if (!json_get(a, json_key(child)))
				return xasprintf(".%s is not expected", json_key(child));
		return NULL;
	}
	if (json_is_array(a) && json_is_array(b) && json_count(a) == json_count(b)) {
		const struct json *other = json_first(b);
		size_t i = 0;

		json_for_each (child, a) {
			cleanup_free char *below = first_difference(child, other);

			if (below)
				return xasprintf("[%zu]%s", i, below);
			other = json_next(other);
			i++;
		}
		return NULL;
	}
	if (json_is_number(a) && json_is_number(b) && json_double(a, 0) == json_double(b, 0))
		return NULL;
	return strcmp(a_text, b_text) == 0 ? NULL
					   : xasprintf(": expected %s, got %s", a_text, b_text);
}

static bool has_flag(const struct json *golden, const char *flag)
{
	json_for_each (one, json_get(golden, "flags"))
		if (strcmp(json_string(one), flag) == 0)
			return true;
	return false;
}

static int load(const struct scratch *s, char *const *files, const struct json *golden,
	struct project **ret, struct error *err)
{
	cleanup_strv char **environ = NULL, **profiles = NULL;
	struct compose_options options = { .files = files, .cwd = s->root };

	strv_add(&environ, "HOME=/home/user");
	strv_add(&environ, "PATH=/usr/bin:/bin");
	json_for_each (variable, json_get(golden, "env"))
		env_set(&environ, json_key(variable), json_string(variable));
	json_opt_strv(golden, "profiles", &profiles, NULL);
	options.environ = environ;
	options.profiles = profiles;
	options.no_normalize = has_flag(golden, "--no-normalize");
	options.no_path_resolution = has_flag(golden, "--no-path-resolution");
	options.no_consistency = has_flag(golden, "--no-consistency");
	return compose_load(&options, ret, err);
}

static char *print(const struct project *project, enum config_format format)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	config_print(project, format, out);
	fclose(out);
	return text;
}

static bool check_answer(
	const struct scratch *s, const struct project *project, const struct json *golden)
{
	cleanup_free char *text = print(project, CONFIG_JSON);
	cleanup_free char *without_root = replace_all(text, s->root, "@DIR@");
	cleanup_free char *portable = replace_all(without_root, s->top, "@TOP@");
	cleanup_json struct json *got = NULL;
	cleanup_free char *difference = NULL;

	assert_int_equal(json_parse(portable, strlen(portable), &got, NULL), 0);
	difference = first_difference(json_get(golden, "expect"), got);
	if (difference)
		print_error("%s: config%s\n", json_string(json_get(golden, "name")), difference);
	return !difference;
}

/* What `config` prints is a Compose file that means the same. */
static bool check_again(
	const struct scratch *s, const struct project *project, const struct json *golden)
{
	cleanup_free char *first = print(project, CONFIG_YAML), *second = NULL;
	cleanup_project struct project *again = NULL;
	cleanup_error struct error err = ERROR_INIT;
	char *files[] = { (char *)"printed.yaml", NULL };

	write_file(s, "printed.yaml", first);
	if (load(s, files, golden, &again, &err) < 0) {
		print_error("%s: what was printed does not load: %s\n%s\n",
			json_string(json_get(golden, "name")), error_text(&err), first);
		return false;
	}
	second = print(again, CONFIG_YAML);
	if (strcmp(first, second) != 0)
		print_error("%s: printed again it differs:\n%s\n---\n%s\n",
			json_string(json_get(golden, "name")), first, second);
	return strcmp(first, second) == 0;
}

static bool check_case(const struct json *golden)
{
	cleanup_project struct project *project = NULL;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_strv char **files = NULL;
	struct scratch s;
	bool is_good = true;
	int r;

	scratch_open(&s);
	json_for_each (file, json_get(golden, "files"))
		write_file(&s, json_key(file), json_string(file));
	assert_int_equal(json_opt_strv(golden, "load", &files, NULL), 0);
	r = load(&s, files, golden, &project, &err);
	if (json_get(golden, "reject")) {
		if (r == 0)
			print_error("%s: is accepted\n", json_string(json_get(golden, "name")));
		is_good = r < 0;
	} else if (r < 0) {
		print_error("%s: is rejected: %s\n", json_string(json_get(golden, "name")),
			error_text(&err));
		is_good = false;
	} else {
		is_good = check_answer(&s, project, golden);
		is_good = check_again(&s, project, golden) && is_good;
	}
	scratch_close(&s);
	return is_good;
}

static void check_group(const char *path)
{
	cleanup_json struct json *cases = NULL;
	size_t bad = 0;

	assert_int_equal(json_read_file(AT_FDCWD, path, GOLDEN_LIMIT, &cases, NULL), 0);
	assert_true(json_count(cases) > 0);
	json_for_each (golden, cases)
		bad += !check_case(golden);
	if (bad > 0)
		print_error("%s: %zu of %zu cases differ\n", path, bad, json_count(cases));
	assert_int_equal(bad, 0);
}

#define GROUP(name)                                                 \
	static void name##_agrees_with_docker_compose(void **state) \
	{                                                           \
		(void)state;                                        \
		check_group("tests/golden/" #name ".json");         \
	}

GROUP(checks)
GROUP(extends)
GROUP(flags)
GROUP(generated_env_files)
GROUP(generated_interpolation)
GROUP(generated_keys)
GROUP(generated_overrides)
GROUP(include)
GROUP(interpolation)
GROUP(merge)
GROUP(names)
GROUP(profiles)
GROUP(published)
GROUP(yaml)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_agrees_with_docker_compose),
		cmocka_unit_test(extends_agrees_with_docker_compose),
		cmocka_unit_test(flags_agrees_with_docker_compose),
		cmocka_unit_test(generated_env_files_agrees_with_docker_compose),
		cmocka_unit_test(generated_interpolation_agrees_with_docker_compose),
		cmocka_unit_test(generated_keys_agrees_with_docker_compose),
		cmocka_unit_test(generated_overrides_agrees_with_docker_compose),
		cmocka_unit_test(include_agrees_with_docker_compose),
		cmocka_unit_test(interpolation_agrees_with_docker_compose),
		cmocka_unit_test(merge_agrees_with_docker_compose),
		cmocka_unit_test(names_agrees_with_docker_compose),
		cmocka_unit_test(profiles_agrees_with_docker_compose),
		cmocka_unit_test(published_agrees_with_docker_compose),
		cmocka_unit_test(yaml_agrees_with_docker_compose),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
