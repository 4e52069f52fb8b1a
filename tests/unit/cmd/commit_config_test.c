/* SPDX-License-Identifier: GPL-2.0-or-later
 * commit_config_test.c - what a committed container's image runs. */
#include "cmd/commit_config.h"

#include "support.h"

static void split_again_at_the_images_entrypoint(void **state)
{
	static const struct {
		const char *entrypoint, *args, *entrypoint_left, *cmd_left;
	} cases[] = {
		{ "", "sh|-c|x", "", "sh|-c|x" },
		{ "/entry|a", "/entry|a|redis", "/entry|a", "redis" },
		{ "/entry|a", "/entry|a", "/entry|a", "" },
		{ "/entry|a", "/entry|b|redis", "", "/entry|b|redis" },
		{ "/entry|a", "/entry", "", "/entry" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct image_config parent = { .entrypoint = strv_split(cases[i].entrypoint, "|") };
		cleanup_container struct container *container = container_new();
		struct image_config config;

		container->spec.args = strv_split(cases[i].args, "|");
		commit_config_make(container, &parent, &config);
		assert_words(config.entrypoint, "|", cases[i].entrypoint_left);
		assert_words(config.cmd, "|", cases[i].cmd_left);
		commit_config_release(&config);
		strv_free(parent.entrypoint);
	}
}

static void what_was_made_for_the_container_stays_behind(void **state)
{
	const struct image_config parent = { 0 };
	cleanup_container struct container *container = container_new();
	struct image_config config;

	(void)state;
	container->spec.env = strv_split("PATH=/bin,HOSTNAME=box,TERM=xterm,A=1", ",");
	container->spec.hostname = xstrdup("box");
	container->spec.terminal = true;
	container->labels =
		strv_split("com.docker.compose.project=p,com.docker.compose.service=s,own=1", ",");
	commit_config_make(container, &parent, &config);
	assert_words(config.env, ",", "PATH=/bin,A=1");
	assert_words(config.labels, ",", "own=1");
	commit_config_release(&config);
}

static void what_the_user_set_goes_along(void **state)
{
	const struct image_config parent = { 0 };
	cleanup_container struct container *container = container_new();
	struct image_config config;

	(void)state;
	container->spec.env = strv_split("HOSTNAME=mine,TERM=dumb", ",");
	container->spec.hostname = xstrdup("box");
	container->spec.terminal = true;
	container->spec.user = xstrdup("1000");
	container->spec.cwd = xstrdup("/srv");
	strv_add(&container->exposed, "80/tcp");
	commit_config_make(container, &parent, &config);
	assert_words(config.env, ",", "HOSTNAME=mine,TERM=dumb");
	assert_string_equal(config.user, "1000");
	assert_string_equal(config.working_dir, "/srv");
	assert_words(config.exposed_ports, ",", "80/tcp");
	commit_config_release(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(split_again_at_the_images_entrypoint),
		cmocka_unit_test(what_was_made_for_the_container_stays_behind),
		cmocka_unit_test(what_the_user_set_goes_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
