/* SPDX-License-Identifier: GPL-2.0-or-later
 * whiteout_test.c - layers on top of each other, as the kernel's overlay shows them. */
#include "archive_bytes.h"

static const struct {
	const char *name;
	struct layer_entries layers[3];
	size_t count;
	const char *merged;
} rows[] = {
	{ "whiteout of a file",
		{ { { TAR_FILE("a", "1"), TAR_FILE("b", "1") } }, { { TAR_FILE(".wh.a", "") } } },
		2, "b '1'\n" },
	{ "whiteout before the same name",
		{ { { TAR_FILE("a", "1") } }, { { TAR_FILE(".wh.a", ""), TAR_FILE("a", "2") } } },
		2, "a '2'\n" },
	{ "whiteout after the same name",
		{ { { TAR_FILE("a", "1") } }, { { TAR_FILE("a", "2"), TAR_FILE(".wh.a", "") } } },
		2, "a '2'\n" },
	{ "whiteout before a directory",
		{ { { TAR_DIR("d"), TAR_FILE("d/x", "1") } },
			{ { TAR_FILE(".wh.d", ""), TAR_DIR("d"), TAR_FILE("d/y", "2") } } },
		2, "d/\nd/y '2'\n" },
	{ "whiteout after a directory",
		{ { { TAR_DIR("d"), TAR_FILE("d/x", "1") } },
			{ { TAR_DIR("d"), TAR_FILE("d/y", "2"), TAR_FILE(".wh.d", "") } } },
		2, "d/\nd/y '2'\n" },
	{ "opaque marker first",
		{ { { TAR_DIR("d"), TAR_FILE("d/x", "1") } },
			{ { TAR_FILE("d/.wh..wh..opq", ""), TAR_DIR("d"),
				TAR_FILE("d/y", "2") } } },
		2, "d/\nd/y '2'\n" },
	{ "opaque marker last",
		{ { { TAR_DIR("d"), TAR_FILE("d/x", "1"), TAR_FILE("d/y", "1") } },
			{ { TAR_DIR("d"), TAR_FILE("d/y", "2"),
				TAR_FILE("d/.wh..wh..opq", "") } } },
		2, "d/\nd/y '2'\n" },
	{ "whiteout of a directory left out",
		{ { { TAR_DIR("d"), TAR_FILE("d/x", "1") } },
			{ { TAR_FILE(".wh.d", ""), TAR_FILE("d/y", "2") } } },
		2, "d/\nd/y '2'\n" },
	{ "whiteout inside",
		{ { { TAR_DIR("d"), TAR_FILE("d/x", "1"), TAR_FILE("d/y", "1") } },
			{ { TAR_FILE("d/.wh.x", "") } } },
		2, "d/\nd/y '1'\n" },
	{ "whiteout of a link is not followed",
		{ { { TAR_FILE("a", "1"), TAR_LINK("l", "a") } }, { { TAR_FILE(".wh.l", "") } } },
		2, "a '1'\n" },
	{ "whiteout of nothing", { { { TAR_FILE("a", "1") } }, { { TAR_FILE(".wh.b", "") } } }, 2,
		"a '1'\n" },
	{ "opaque root",
		{ { { TAR_FILE("a", "1"), TAR_DIR("d"), TAR_FILE("d/x", "1"),
			  TAR_LINK("l", "a") } },
			{ { TAR_FILE(".wh..wh..opq", ""), TAR_DIR("d"), TAR_FILE("d/y", "2"),
				TAR_FILE("l", "3") } } },
		2, "d/\nd/y '2'\nl '3'\n" },
	{ "file to directory",
		{ { { TAR_FILE("a", "1") } }, { { TAR_DIR("a"), TAR_FILE("a/x", "2") } } }, 2,
		"a/\na/x '2'\n" },
	{ "directory to file",
		{ { { TAR_DIR("a"), TAR_FILE("a/x", "1") } }, { { TAR_FILE("a", "2") } } }, 2,
		"a '2'\n" },
	{ "gone and back",
		{ { { TAR_DIR("d"), TAR_FILE("d/x", "1") } }, { { TAR_FILE(".wh.d", "") } },
			{ { TAR_DIR("d"), TAR_FILE("d/y", "3") } } },
		3, "d/\nd/y '3'\n" },
	{ "through a link of a lower layer",
		{ { { TAR_DIR("usr/lib"), TAR_FILE("usr/lib/x", "1"),
			  TAR_LINK("lib", "usr/lib") } },
			{ { TAR_FILE("lib/y", "2") } } },
		2, "lib -> usr/lib\nusr/\nusr/lib/\nusr/lib/x '1'\nusr/lib/y '2'\n" },
	{ "whiteout through a link of a lower layer",
		{ { { TAR_DIR("usr/lib"), TAR_FILE("usr/lib/x", "1"),
			  TAR_LINK("lib", "/usr/lib") } },
			{ { TAR_FILE("lib/.wh.x", "") } } },
		2, "lib -> /usr/lib\nusr/\nusr/lib/\n" },
	{ "hidden link of a lower layer is not followed",
		{ { { TAR_DIR("e"), TAR_LINK("d", "e") } }, { { TAR_FILE(".wh.d", "") } },
			{ { TAR_FILE("d/y", "3") } } },
		3, "d/\nd/y '3'\ne/\n" },
	{ "opaque directory of the layer between hides the link",
		{ { { TAR_DIR("e"), TAR_DIR("d"), TAR_LINK("d/l", "../e") } },
			{ { TAR_DIR("d"), TAR_FILE("d/.wh..wh..opq", "") } },
			{ { TAR_FILE("d/l/y", "3") } } },
		3, "d/\nd/l/\nd/l/y '3'\ne/\n" },
	{ "hard link to what the lower link leads to",
		{ { { TAR_DIR("usr/lib"), TAR_LINK("lib", "usr/lib") } },
			{ { TAR_FILE("usr/lib/y", "2"), TAR_HARD("lib/z", "lib/y") } } },
		2, "lib -> usr/lib\nusr/\nusr/lib/\nusr/lib/y '2'\nusr/lib/z '2'\n" },
};

static void check_row(size_t i)
{
	struct world *world = world_new();
	cleanup_image struct image *image = NULL;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_strbuf struct strbuf merged = STRBUF_INIT;
	int fd;

	world_on_tmpfs(world, "size=16m");
	if (load_layers(world, rows[i].layers, rows[i].count, "t:1", &image, &err) < 0)
		fail_msg("%s: %s", rows[i].name, error_text(&err));
	fd = mount_image(world, image, false);
	describe_tree(fd, "", false, &merged);
	close(fd);
	unmount_image(world);
	if (strcmp(strbuf_text(&merged), rows[i].merged) != 0)
		fail_msg(
			"%s:\n%s\nwanted:\n%s", rows[i].name, strbuf_text(&merged), rows[i].merged);
	assert_int_equal(world_free(world), 0);
}

static void row_7_4_whiteouts_hide_lower_layers_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_row(i);
}

/* A tar that leaves its directories out must not change them. */
static void directories_left_out_keep_their_attributes(void **state)
{
	static const struct layer_entries layers[] = {
		{ { { .name = "./", .type = '5', .mode = 0711, .uid = 7 },
			{ .name = "d", .type = '5', .mode = 02750, .uid = 5, .gid = 6 },
			{ .name = "d/e", .type = '5', .mode = 01777, .uid = 8 } } },
		{ { TAR_FILE("d/e/f", "x") } },
	};
	const struct world *world = *state;
	cleanup_image struct image *image = NULL;
	cleanup_error struct error err = ERROR_INIT;
	struct stat st;
	int fd;

	assert_ok(load_layers(world, layers, 2, "t:1", &image, &err), &err);
	fd = open_top_layer(world, image);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0711);
	assert_int_equal(st.st_uid, 7);
	assert_int_equal(fstatat(fd, "d", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 02750);
	assert_int_equal(st.st_uid, 5);
	assert_int_equal(st.st_gid, 6);
	assert_int_equal(st.st_mtim.tv_sec, 1700000000);
	assert_int_equal(fstatat(fd, "d/e", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 01777);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(row_7_4_whiteouts_hide_lower_layers_only),
		world_test(directories_left_out_keep_their_attributes),
	};

	return cmocka_run_group_tests_name("whiteout", tests, own_mounts, NULL);
}
