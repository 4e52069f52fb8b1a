/* SPDX-License-Identifier: GPL-2.0-or-later
 * image_defaults_test.c - an image's config and the user's words. */
#include "engine/container/image_defaults.h"

#include "support.h"

#define PATH_DEFAULT "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* "a b" -> { a, b }, "" -> {}, NULL -> NULL; "-" stands for an empty string. */
static char **words(const char *text)
{
	char **strv = text ? strv_split(text, " ") : NULL;

	for (char **word = strv; word && *word; word++)
		if (strcmp(*word, "-") == 0)
			**word = '\0';
	return strv;
}

static void commands_combine_as_dockers(void **state)
{
	static const struct {
		const char *image_entrypoint, *image_command;
		const char *entrypoint, *command; /* NULL = not given */
		const char *args;		  /* NULL = no command */
	} cases[] = {
		{ "e", "c d", NULL, NULL, "e c d" }, { NULL, "c", NULL, NULL, "c" },
		{ "e", NULL, NULL, NULL, "e" }, { "e", "c", NULL, "x y", "e x y" },
		{ NULL, "c", NULL, "x", "x" },
		{ "e", "c", "n", NULL, "n" }, /* the image's command goes too */
		{ "e", "c", "n", "x", "n x" }, { "e", "c", "-", "x", "x" },
		{ "e", "c", "-", NULL, NULL }, { "e", "c", "", "x", "x" },
		{ "e", "c", NULL, "", "e" }, { NULL, "c", NULL, "", NULL },
		{ NULL, NULL, NULL, NULL, NULL }, { NULL, NULL, NULL, "x", "x" },
		{ "e", "c", "n -", NULL, "n -" }, /* an empty argument is one */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_strv char **image_entrypoint = words(cases[i].image_entrypoint);
		cleanup_strv char **image_command = words(cases[i].image_command);
		cleanup_strv char **entrypoint = words(cases[i].entrypoint);
		cleanup_strv char **command = words(cases[i].command);
		cleanup_strv char **expected = words(cases[i].args);
		cleanup_error struct error err = ERROR_INIT;
		struct image_config config = { .entrypoint = image_entrypoint,
			.cmd = image_command };
		struct spec_overrides overrides = { .entrypoint = entrypoint,
			.entrypoint_set = cases[i].entrypoint != NULL,
			.command = command,
			.command_set = cases[i].command != NULL };
		struct spec spec = { 0 };
		int r = spec_apply_image(&spec, &config, &overrides, &err);

		if (expected) {
			check_ok(r, &err);
			if (!strv_equal(spec.args, expected))
				fail_msg("case %zu", i);
		} else {
			assert_int_equal(r, -EINVAL);
			assert_string_equal(error_text(&err), "No command specified");
			assert_null(spec.args);
			assert_null(spec.env);
		}
		spec_release(&spec);
	}
}

static void environments_combine_in_dockers_order(void **state)
{
	static const struct {
		bool terminal;
		const char *hostname, *image, *user, *result;
	} cases[] = {
		{ false, NULL, "", "", PATH_DEFAULT },
		{ true, "h", "", "", PATH_DEFAULT " HOSTNAME=h TERM=xterm" },
		{ true, "h", "A=1 PATH=/x TERM=vt", "B=2 A=3",
			"PATH=/x HOSTNAME=h TERM=vt A=3 B=2" },
		{ false, "h", "A=1", "HOSTNAME=u A", PATH_DEFAULT " HOSTNAME=u" },
		{ false, NULL, "A=1 B C=", "C=$(touch x)", PATH_DEFAULT " A=1 C=$(touch x)" },
		{ false, NULL, "A=b=c", "", PATH_DEFAULT " A=b=c" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_strv char **image = words(cases[i].image);
		cleanup_strv char **user = NULL;
		struct image_config config = { .env = image };
		char *const command[] = { (char *)"x", NULL };
		struct spec_overrides overrides = { .command = command, .command_set = true };
		struct spec spec = { .terminal = cases[i].terminal };

		/* "C=$(touch x)" holds the blank on purpose. */
		user = strchr(cases[i].user, '$') ? NULL : words(cases[i].user);
		if (!user && *cases[i].user)
			strv_add(&user, cases[i].user);
		overrides.env = user;
		spec.hostname = xstrdup(cases[i].hostname);
		assert_int_equal(spec_apply_image(&spec, &config, &overrides, NULL), 0);
		cleanup_free char *result = strv_join(spec.env, " ");

		assert_string_equal(result, cases[i].result);
		spec_release(&spec);
	}
}

static void row_10_9_environment_names_are_checked(void **state)
{
	static const char *const bad[] = { "=x", "", "=" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char *const env[] = { (char *)bad[i], NULL };
		char *const command[] = { (char *)"x", NULL };
		struct image_config config = { 0 };
		struct spec_overrides overrides = {
			.command = command, .command_set = true, .env = env
		};
		struct spec spec = { 0 };

		assert_int_equal(spec_apply_image(&spec, &config, &overrides, NULL), -EINVAL);
		assert_null(spec.args);
	}
}

static void users_words_win_for_user_and_directory(void **state)
{
	static const struct {
		const char *image_user, *image_cwd, *user, *cwd, *result_user, *result_cwd;
	} cases[] = {
		{ "redis", "/data", NULL, NULL, "redis", "/data" },
		{ "redis", "/data", "1000:1000", "/x", "1000:1000", "/x" },
		{ "redis", "/data", "", "", "redis", "/data" },
		{ NULL, NULL, NULL, NULL, NULL, NULL },
		{ "", "", NULL, NULL, NULL, NULL },
		{ NULL, "app", NULL, NULL, NULL, "/app" },
		{ NULL, "/../../app/", NULL, NULL, NULL, "/app" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *const command[] = { (char *)"x", NULL };
		struct image_config config = { .user = (char *)cases[i].image_user,
			.working_dir = (char *)cases[i].image_cwd };
		struct spec_overrides overrides = { .command = command,
			.command_set = true,
			.user = cases[i].user,
			.cwd = cases[i].cwd };
		struct spec spec = { 0 };

		assert_int_equal(spec_apply_image(&spec, &config, &overrides, NULL), 0);
		if (cases[i].result_user)
			assert_string_equal(spec.user, cases[i].result_user);
		else
			assert_null(spec.user);
		if (cases[i].result_cwd)
			assert_string_equal(spec.cwd, cases[i].result_cwd);
		else
			assert_null(spec.cwd);
		spec_release(&spec);
	}
	struct image_config config = { 0 };
	struct spec_overrides relative = { .cwd = "x" };
	struct spec spec = { 0 };
	cleanup_error struct error err = ERROR_INIT;

	assert_int_equal(spec_apply_image(&spec, &config, &relative, &err), -EINVAL);
	assert_string_equal(error_text(&err), "the working directory 'x' is invalid, it needs to "
					      "be an absolute path");
}

static void row_6_1_image_volumes_become_anonymous_mounts_inside(void **state)
{
	cleanup_strv char **volumes = words("/data /data/ /covered/ /x/../../../etc/y rel");
	char *const command[] = { (char *)"x", NULL };
	struct image_config config = { .volumes = volumes };
	struct spec_overrides overrides = { .command = command, .command_set = true };
	static const char *const expected[] = { "/covered", "/data", "/etc/y", "/rel" };
	struct spec spec = { 0 };

	(void)state;
	*array_add(spec.mounts, spec.mount_count) =
		(struct spec_mount){ .type = MOUNT_TMPFS, .destination = xstrdup("/covered") };
	assert_int_equal(spec_apply_image(&spec, &config, &overrides, NULL), 0);
	assert_int_equal(spec.mount_count, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct spec_mount *mount = &spec.mounts[i];

		assert_string_equal(mount->destination, expected[i]);
		if (i == 0)
			continue;
		assert_int_equal(mount->type, MOUNT_VOLUME);
		assert_true(mount->anonymous);
		assert_int_equal(strlen(mount->source), 64);
		assert_string_not_equal(
			mount->source, spec.mounts[i - 1].source ? spec.mounts[i - 1].source : "");
	}
	assert_int_equal(spec_check(&spec, NULL), 0);
	spec_release(&spec);
}

static void a_container_takes_over_what_the_image_says(void **state)
{
	cleanup_container struct container *c = container_new();
	cleanup_strv char **chains = words(TEST_IMAGE_ID), **exposed = words("80/tcp 443/tcp");
	cleanup_strv char **labels = words("b=image a=image com.docker.compose.project=evil "
					   "mycompose.group=evil z=1");
	cleanup_strv char **command = words("x"), **expected = words("a=own b=image z=1");
	struct image image = { .id = (char *)TEST_IMAGE_ID,
		.chain_ids = chains,
		.config = { .cmd = command,
			.exposed_ports = exposed,
			.labels = labels,
			.stop_signal = (char *)"SIGQUIT" } };
	struct spec_overrides overrides = { 0 };
	cleanup_error struct error err = ERROR_INIT;

	(void)state;
	strv_add(&c->labels, "a=own");
	strv_add(&c->exposed, "80/tcp");
	check_ok(container_apply_image(c, &image, &overrides, &err), &err);
	assert_string_equal(c->image_id, TEST_IMAGE_ID);
	assert_true(strv_equal(c->chain_ids, chains));
	assert_true(strv_equal(c->exposed, exposed));
	assert_true(strv_equal(c->labels, expected)); /* row 5.7: nobody else's project */
	assert_int_equal(c->stop_signal, SIGQUIT);
	assert_true(strv_equal(c->spec.args, command));

	overrides.stop_signal = "SIGINT";
	check_ok(container_apply_image(c, &image, &overrides, &err), &err);
	assert_int_equal(c->stop_signal, SIGINT);
	overrides.stop_signal = "SIGNOPE";
	assert_int_equal(container_apply_image(c, &image, &overrides, &err), -EINVAL);
	assert_string_equal(error_text(&err), "invalid signal: SIGNOPE");
	assert_int_equal(c->stop_signal, SIGINT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_combine_as_dockers),
		cmocka_unit_test(environments_combine_in_dockers_order),
		cmocka_unit_test(row_10_9_environment_names_are_checked),
		cmocka_unit_test(users_words_win_for_user_and_directory),
		cmocka_unit_test(row_6_1_image_volumes_become_anonymous_mounts_inside),
		cmocka_unit_test(a_container_takes_over_what_the_image_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
