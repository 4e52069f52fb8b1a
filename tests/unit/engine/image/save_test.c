/* SPDX-License-Identifier: GPL-2.0-or-later
 * save_test.c - what is saved comes back as it was, here and in other tools. */
#include "archive_bytes.h"

static const struct layer_entries layers[] = {
	{ { TAR_DIR("etc"), TAR_FILE("etc/a", "1"), TAR_FILE("etc/gone", "1") } },
	{ { TAR_FILE("etc/.wh.gone", ""), TAR_FILE("etc/b", "2"), TAR_HARD("etc/h", "etc/b") } },
};

static void save(const struct world *world, const char *name, const char *one, const char *two)
{
	cleanup_error struct error err = ERROR_INIT;
	cleanup_strv char **references = NULL;
	int fd = openat(world->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	strv_add(&references, one);
	if (two)
		strv_add(&references, two);
	assert_ok(image_save(&world->engine, references, fd, &err), &err);
	close(fd);
}

static int load(const struct world *world, int dir_fd, const char *name, char ***ret_names,
	struct error *err)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	int r = image_load(&world->engine, fd, name, ret_names, err);

	close(fd);
	return r;
}

static void saved_images_come_back_as_they_were(void **state)
{
	struct world *world = *state;
	struct world *other = world_new();
	cleanup_error struct error err = ERROR_INIT;
	cleanup_image struct image *one = NULL;
	cleanup_image struct image *two = NULL;
	cleanup_image struct image *found = NULL;
	cleanup_strv char **names = NULL;

	assert_ok(load_layers(world, layers, 1, "one", &one, &err), &err);
	assert_ok(load_layers(world, layers, 2, "quay.io/two:2", &two, &err), &err);
	save(world, "saved.tar", "one", "quay.io/two:2");
	assert_ok(load(other, world->fd, "saved.tar", &names, &err), &err);
	assert_int_equal(strv_length(names), 2);
	assert_string_equal(names[0], "one:latest");
	assert_string_equal(names[1], "quay.io/two:2");
	assert_ok(image_find(&other->engine, "quay.io/two:2", &found, &err), &err);
	assert_string_equal(found->id, two->id);
	assert_string_equal(found->manifest_digest, two->manifest_digest);
	assert_true(strv_equal(found->chain_ids, two->chain_ids));
	assert_int_equal(world_free(other), 0);
}

static void saving_by_id_saves_no_name(void **state)
{
	struct world *world = *state;
	struct world *other = world_new();
	cleanup_error struct error err = ERROR_INIT;
	cleanup_image struct image *one = NULL;
	cleanup_strv char **names = NULL;

	assert_ok(load_layers(world, layers, 1, "one", &one, &err), &err);
	save(world, "saved.tar", one->id, NULL);
	assert_ok(load(other, world->fd, "saved.tar", &names, &err), &err);
	assert_string_equal(names[0], one->id);
	assert_int_equal(world_free(other), 0);
}

static void saving_twice_gives_the_same_bytes(void **state)
{
	struct world *world = *state;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_image struct image *one = NULL;
	cleanup_strbuf struct strbuf first = STRBUF_INIT;
	cleanup_strbuf struct strbuf second = STRBUF_INIT;
	int fd;

	assert_ok(load_layers(world, layers, 2, "one", &one, &err), &err);
	save(world, "1.tar", "one", NULL);
	save(world, "2.tar", "one", NULL);
	fd = openat(world->fd, "1.tar", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fd_read_all(fd, 1 << 20, &first, NULL), 0);
	close(fd);
	fd = openat(world->fd, "2.tar", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fd_read_all(fd, 1 << 20, &second, NULL), 0);
	close(fd);
	assert_int_equal(first.length, second.length);
	assert_memory_equal(first.data, second.data, first.length);
}

static void a_missing_image_and_a_full_pipe_are_told(void **state)
{
	struct world *world = *state;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_image struct image *one = NULL;
	char missing[] = "missing", present[] = "one";
	char *references[] = { missing, NULL };
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	assert_ok(load_layers(world, layers, 1, "one", &one, &err), &err);
	assert_int_equal(image_save(&world->engine, references, fd, &err), -ENOENT);
	references[0] = present;
	assert_int_equal(image_save(&world->engine, references, fd, &err), -ENOSPC);
	close(fd);
}

static bool has_tool(const char *name)
{
	cleanup_free char *line = xasprintf("command -v %s >/dev/null", name);

	return system(line) == 0;
}

static void run_in(const struct world *world, const char *command)
{
	cleanup_free char *line = xasprintf(
		"cd %s && { %s; } >log 2>&1 || { cat log; exit 1; }", world->path, command);

	if (system(line) != 0)
		fail_msg("%s", command);
}

static void skopeo_reads_the_store_and_what_is_saved(void **state)
{
	struct world *world = *state;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_image struct image *image = NULL;

	if (!has_tool("skopeo"))
		skip();
	assert_ok(load_layers(world, layers, 2, "quay.io/two:2", &image, &err), &err);
	save(world, "saved.tar", "quay.io/two:2", NULL);
	run_in(world, "skopeo inspect oci:data/images:quay.io/two:2");
	run_in(world, "skopeo copy oci:data/images:quay.io/two:2 docker-archive:a.tar:two:2");
	run_in(world, "skopeo copy oci:data/images:quay.io/two:2 oci-archive:b.tar:two:3");
	run_in(world, "skopeo copy docker-archive:saved.tar:quay.io/two:2 oci:c:x");
	run_in(world, "skopeo copy oci-archive:saved.tar:quay.io/two:2 oci:d:x");
}

static void what_skopeo_writes_is_taken(void **state)
{
	static const char *const forms[] = { "docker-archive:a.tar:t:1", "oci-archive:a.tar:t:1" };
	struct world *world = *state;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_image struct image *image = NULL;

	if (!has_tool("skopeo"))
		skip();
	assert_ok(load_layers(world, layers, 2, "t:1", &image, &err), &err);
	run_in(world, "skopeo copy oci:data/images:t:1 dir:compressed --dest-compress");
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct world *other = world_new();
		cleanup_free char *command = xasprintf("rm -f a.tar && skopeo copy %s %s",
			i ? "dir:compressed" : "oci:data/images:t:1", forms[i]);
		cleanup_image struct image *found = NULL;
		cleanup_strv char **names = NULL;

		run_in(world, command);
		assert_ok(load(other, world->fd, "a.tar", &names, &err), &err);
		assert_string_equal(names[0], "t:1");
		assert_ok(image_find(&other->engine, "t:1", &found, &err), &err);
		assert_true(strv_equal(found->diff_ids, image->diff_ids));
		assert_int_equal(world_free(other), 0);
	}
}

static void umoci_unpacks_the_store(void **state)
{
	struct world *world = *state;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_image struct image *image = NULL;
	int fd;

	if (!has_tool("umoci"))
		skip();
	assert_ok(load_layers(world, layers, 2, "t:1", &image, &err), &err);
	run_in(world, "umoci unpack --image data/images:t:1 bundle");
	fd = openat(world->fd, "bundle/rootfs/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(exists(fd, "a"));
	assert_true(exists(fd, "h"));
	assert_false(exists(fd, "gone"));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(saved_images_come_back_as_they_were),
		world_test(saving_by_id_saves_no_name),
		world_test(saving_twice_gives_the_same_bytes),
		world_test(a_missing_image_and_a_full_pipe_are_told),
		world_test(skopeo_reads_the_store_and_what_is_saved),
		world_test(what_skopeo_writes_is_taken),
		world_test(umoci_unpacks_the_store),
	};

	return cmocka_run_group_tests_name("save", tests, NULL, NULL);
}
