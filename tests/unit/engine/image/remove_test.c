/* SPDX-License-Identifier: GPL-2.0-or-later
 * remove_test.c - names go, then images, and with them only what nobody else needs. */
#include "archive_bytes.h"

static const struct layer_entries layers[] = {
	{ { TAR_FILE("a", "1") } },
	{ { TAR_FILE("b", "2") } },
	{ { TAR_FILE("c", "3") } },
};

static bool is_used(const char *image_id, void *arg)
{
	return strcmp(image_id, arg) == 0;
}

static size_t count_files(const struct world *world, const char *path)
{
	cleanup_strv char **names = NULL;

	assert_int_equal(dir_list(world->engine.data_fd, path, &names, NULL), 0);
	return strv_length(names);
}

/* "one" has layers a and b, "two" a, b and c. */
static void load_both(const struct world *world, struct image **one, struct image **two)
{
	cleanup_error struct error err = ERROR_INIT;

	assert_ok(load_layers(world, layers, 2, "one", one, &err), &err);
	assert_ok(load_layers(world, layers, 3, "two", two, &err), &err);
	assert_int_equal(count_files(world, "layers"), 3);
	assert_int_equal(count_files(world, "images/blobs/sha256"), 7);
}

static void shared_layers_stay_until_the_last_image_goes(void **state)
{
	const struct world *world = *state;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_image struct image *one = NULL;
	cleanup_image struct image *two = NULL;
	struct image_removal removal = { 0 };
	struct image *image = NULL;
	int fd;

	load_both(world, &one, &two);
	assert_ok(
		image_remove(&world->engine, "two", false, NULL, NULL, NULL, &removal, &err), &err);
	assert_string_equal(removal.untagged[0], "two:latest");
	assert_int_equal(strv_length(removal.untagged), 1);
	assert_string_equal(removal.deleted[0], two->id);
	assert_string_equal(removal.deleted[1], two->chain_ids[2]);
	assert_int_equal(strv_length(removal.deleted), 2);
	image_removal_release(&removal);
	assert_int_equal(image_find(&world->engine, "two", &image, &err), -ENOENT);
	assert_int_equal(count_files(world, "layers"), 2);
	assert_int_equal(count_files(world, "images/blobs/sha256"), 4);
	fd = open_top_layer(world, one);
	assert_true(exists(fd, "b"));
	close(fd);
	assert_ok(image_remove(&world->engine, one->id, false, NULL, NULL, NULL, &removal, &err),
		&err);
	image_removal_release(&removal);
	assert_int_equal(count_files(world, "layers"), 0);
	assert_int_equal(count_files(world, "images/blobs/sha256"), 0);
}

static void one_of_two_names_is_only_taken_off(void **state)
{
	const struct world *world = *state;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_image struct image *one = NULL;
	cleanup_image struct image *two = NULL;
	cleanup_image struct image *found = NULL;
	struct image_removal removal = { 0 };

	load_both(world, &one, &two);
	assert_ok(image_tag(&world->engine, one, "more:1", &err), &err);
	/* by ID the user has to say that he means both */
	assert_int_equal(
		image_remove(&world->engine, one->id, false, NULL, NULL, NULL, &removal, &err),
		-EBUSY);
	assert_non_null(strstr(error_text(&err), "several names"));
	assert_ok(
		image_remove(&world->engine, "one", false, is_used, one->id, NULL, &removal, &err),
		&err);
	assert_string_equal(removal.untagged[0], "one:latest");
	assert_null(removal.deleted);
	image_removal_release(&removal);
	assert_ok(image_find(&world->engine, "more:1", &found, &err), &err);
	assert_ok(image_tag(&world->engine, found, "one", &err), &err);
	assert_ok(image_remove(&world->engine, one->id, true, NULL, NULL, NULL, &removal, &err),
		&err);
	assert_int_equal(strv_length(removal.untagged), 2);
	assert_string_equal(removal.deleted[0], one->id);
	image_removal_release(&removal);
}

static void an_image_in_use_stays(void **state)
{
	const struct world *world = *state;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_image struct image *one = NULL;
	cleanup_image struct image *two = NULL;
	cleanup_image struct image *found = NULL;
	struct image_removal removal = { 0 };

	load_both(world, &one, &two);
	assert_int_equal(
		image_remove(&world->engine, "two", false, is_used, two->id, NULL, &removal, &err),
		-EBUSY);
	assert_non_null(strstr(error_text(&err), "must be forced"));
	assert_ok(image_remove(&world->engine, "two", true, is_used, two->id, NULL, &removal, &err),
		&err);
	assert_string_equal(removal.untagged[0], "two:latest");
	assert_null(removal.deleted);
	image_removal_release(&removal);
	assert_int_equal(
		image_remove(&world->engine, two->id, true, is_used, two->id, NULL, &removal, &err),
		-EBUSY);
	assert_non_null(strstr(error_text(&err), "cannot be forced"));
	assert_ok(image_find(&world->engine, two->id, &found, &err), &err);
	assert_int_equal(count_files(world, "layers"), 3);
}

static void kept_chains_stay(void **state)
{
	const struct world *world = *state;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_image struct image *one = NULL;
	cleanup_image struct image *two = NULL;
	cleanup_strv char **paths = NULL;
	struct image_removal removal = { 0 };

	load_both(world, &one, &two);
	assert_ok(image_remove(
			  &world->engine, "two", false, NULL, NULL, two->chain_ids, &removal, &err),
		&err);
	assert_int_equal(strv_length(removal.deleted), 1);
	image_removal_release(&removal);
	assert_ok(image_chain_paths(&world->engine, two->chain_ids, &paths, &err), &err);
	assert_int_equal(strv_length(paths), 3);
	/* the top layer first, as overlay wants it */
	assert_non_null(strstr(paths[0], digest_hex(two->chain_ids[2])));
	/* and what no container keeps any more goes with the next removal */
	assert_ok(
		image_remove(&world->engine, "one", false, NULL, NULL, NULL, &removal, &err), &err);
	image_removal_release(&removal);
	assert_int_equal(count_files(world, "layers"), 0);
}

static void nothing_is_swept_while_an_image_cannot_be_read(void **state)
{
	const struct world *world = *state;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_image struct image *one = NULL;
	cleanup_image struct image *two = NULL;
	cleanup_free char *path = NULL;
	struct image_removal removal = { 0 };

	load_both(world, &one, &two);
	path = xasprintf("images/blobs/sha256/%s", digest_hex(one->manifest_digest));
	put_file(world->engine.data_fd, path, "{}");
	assert_ok(
		image_remove(&world->engine, "two", false, NULL, NULL, NULL, &removal, &err), &err);
	image_removal_release(&removal);
	assert_int_equal(count_files(world, "layers"), 3);
}

static void an_unknown_image_is_told(void **state)
{
	const struct world *world = *state;
	cleanup_error struct error err = ERROR_INIT;
	struct image_removal removal = { 0 };

	assert_int_equal(
		image_remove(&world->engine, "none", false, NULL, NULL, NULL, &removal, &err),
		-ENOENT);
	assert_string_equal(error_text(&err), "No such image: none:latest");
	assert_null(removal.untagged);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(shared_layers_stay_until_the_last_image_goes),
		world_test(one_of_two_names_is_only_taken_off),
		world_test(an_image_in_use_stays),
		world_test(kept_chains_stay),
		world_test(nothing_is_swept_while_an_image_cannot_be_read),
		world_test(an_unknown_image_is_told),
	};

	return cmocka_run_group_tests_name("remove", tests, NULL, NULL);
}
