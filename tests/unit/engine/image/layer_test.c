/* SPDX-License-Identifier: GPL-2.0-or-later
 * layer_test.c - hostile and odd tars: where their entries land, and that nothing else is touched.
 */
#include "support.h"

#define EMPTY_STORE "images/\nimages/blobs/\nimages/blobs/sha256/\nlayers/\n"
#define CANARY	    "canary"

struct layer_case {
	const char *name;
	struct tar_raw entries[6];
	const char *tree;  /* what must be there, or */
	const char *error; /* what must be said */
};

static void build(struct strbuf *out, const struct tar_raw *entries)
{
	for (size_t i = 0; i < 6 && entries[i].name; i++)
		tar_add(out, entries[i]);
	tar_end(out);
}

static char *unpacked_tree(const struct world *world, const struct image *image, bool whole)
{
	struct strbuf tree = STRBUF_INIT;
	int fd = open_top_layer(world, image);

	describe_tree(fd, "", whole, &tree);
	close(fd);
	return strbuf_steal(&tree);
}

static void assert_nothing_left(const struct world *world)
{
	cleanup_free char *names = describe_names(world);

	assert_string_equal(names, EMPTY_STORE);
}

static void check_case(const struct layer_case *row)
{
	struct world *world = world_new();
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	cleanup_image struct image *image = NULL;
	cleanup_error struct error err = ERROR_INIT;
	int r;

	assert_non_null(world);
	build(&tar, row->entries);
	r = import_bytes(world, &tar, "t", &image, &err);
	if (row->error) {
		if (r >= 0 || !strstr(error_text(&err), row->error))
			fail_msg("%s: %d %s", row->name, r, error_text(&err));
		assert_nothing_left(world);
	} else {
		cleanup_free char *tree = NULL;

		if (r < 0)
			fail_msg("%s: %s", row->name, error_text(&err));
		tree = unpacked_tree(world, image, false);
		if (strcmp(tree, row->tree) != 0)
			fail_msg("%s:\n%s\nwanted:\n%s", row->name, tree, row->tree);
	}
	assert_int_equal(world_free(world), 0);
}

static void check_cases(const struct layer_case *rows, size_t count)
{
	/* Outside of every store: where "..", "/tmp/…" and links out of the layer would lead. */
	int tmp_fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char path[] = "mycompose-" CANARY "-XXXXXX";
	cleanup_free char *full = NULL;
	struct stat before, after;
	int canary_fd;

	full = xasprintf("/tmp/%s", path);
	assert_non_null(mkdtemp(full));
	canary_fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put_file(canary_fd, CANARY, "safe");
	assert_int_equal(fstatat(canary_fd, CANARY, &before, 0), 0);
	for (size_t i = 0; i < count; i++)
		check_case(&rows[i]);
	assert_int_equal(fstatat(canary_fd, CANARY, &after, 0), 0);
	assert_int_equal(before.st_nlink, after.st_nlink);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	assert_false(exists(tmp_fd, "mycompose-escape"));
	close(canary_fd);
	close(tmp_fd);
	assert_int_equal(tree_remove(AT_FDCWD, full, NULL), 0);
}

static void row_7_1_entries_stay_inside(void **state)
{
	static const struct layer_case rows[] = {
		{ "dots", { TAR_FILE("../mycompose-escape", "") }, NULL, "'..'" },
		{ "dots within", { TAR_FILE("a/../../mycompose-escape", "") }, NULL, "'..'" },
		{ "dots at the end", { TAR_DIR("a/..") }, NULL, "'..'" },
		{ "absolute", { TAR_FILE("/abs", "x") }, "abs 'x'\n", NULL },
		{ "many slashes", { TAR_DIR("//a//./b/") }, "a/\na/b/\n", NULL },
		{ "link upwards",
			{ TAR_LINK("d", "../../../../../../../tmp"),
				TAR_FILE("d/mycompose-escape", "x") },
			"d -> ../../../../../../../tmp\ntmp/\ntmp/mycompose-escape 'x'\n", NULL },
		{ "absolute link", { TAR_LINK("d", "/tmp"), TAR_FILE("d/mycompose-escape", "x") },
			"d -> /tmp\ntmp/\ntmp/mycompose-escape 'x'\n", NULL },
		{ "link through a link",
			{ TAR_LINK("a/b", "../c"), TAR_LINK("c", "/e"), TAR_FILE("a/b/f", "x") },
			"a/\na/b -> ../c\nc -> /e\ne/\ne/f 'x'\n", NULL },
		{ "link loop", { TAR_LINK("a", "b"), TAR_LINK("b", "a"), TAR_FILE("a/f", "x") },
			NULL, "Too many levels" },
		{ "file over link", { TAR_LINK("l", "/tmp/mycompose-escape"), TAR_FILE("l", "x") },
			"l 'x'\n", NULL },
		{ "directory over link",
			{ TAR_LINK("l", "/tmp"), TAR_DIR("l"),
				TAR_FILE("l/mycompose-escape", "x") },
			"l/\nl/mycompose-escape 'x'\n", NULL },
		{ "device over link",
			{ TAR_LINK("l", "/tmp/mycompose-escape"), TAR_NODE("l", '3', 1, 3) },
			"l 1:3\n", NULL },
		{ "below a file", { TAR_FILE("a", "x"), TAR_FILE("a/b", "y") }, NULL,
			"Not a directory" },
	};

	(void)state;
	check_cases(rows, ARRAY_LEN(rows));
}

static void row_7_2_hard_links_stay_inside_and_are_never_written_through(void **state)
{
	static const struct layer_case rows[] = {
		{ "plain", { TAR_FILE("a", "x"), TAR_HARD("h", "a") }, "a 'x'\nh 'x'\n", NULL },
		{ "dotted source", { TAR_FILE("./a", "x"), TAR_HARD("./h", "./a") },
			"a 'x'\nh 'x'\n", NULL },
		{ "host file", { TAR_HARD("h", "/etc/passwd") }, NULL, "hard link" },
		{ "host file upwards", { TAR_HARD("h", "../../../../../etc/passwd") }, NULL,
			"'..'" },
		{ "through a link out", { TAR_LINK("l", "/etc"), TAR_HARD("h", "l/passwd") }, NULL,
			"hard link" },
		{ "to a link",
			{ TAR_LINK("l", "/etc/passwd"), TAR_HARD("h", "l"), TAR_FILE("h", "x") },
			"h 'x'\nl -> /etc/passwd\n", NULL },
		{ "then written", { TAR_FILE("a", "1"), TAR_HARD("h", "a"), TAR_FILE("h", "2") },
			"a '1'\nh '2'\n", NULL },
		{ "to itself", { TAR_FILE("a", "x"), TAR_HARD("a", "a") }, "a 'x'\n", NULL },
		{ "to a directory", { TAR_DIR("d"), TAR_HARD("h", "d") }, NULL, "no file" },
		{ "to the root", { TAR_HARD("h", "/") }, NULL, "root" },
		{ "to a whiteout", { TAR_FILE(".wh.w", ""), TAR_HARD("h", "w") }, NULL, "no file" },
		{ "to a later file", { TAR_HARD("h", "a"), TAR_FILE("a", "x") }, NULL,
			"hard link" },
		{ "into its source's place",
			{ TAR_DIR("d"), TAR_FILE("d/a", "x"), TAR_HARD("d", "d/a") }, NULL,
			"hard link" },
	};

	(void)state;
	check_cases(rows, ARRAY_LEN(rows));
}

static void row_7_3_root_entry_must_be_a_directory(void **state)
{
	static const struct layer_case rows[] = {
		{ "link ./", { TAR_LINK("./", "/tmp") }, NULL, "root must be a directory" },
		{ "link .", { TAR_LINK(".", "/tmp") }, NULL, "root must be a directory" },
		{ "link /", { TAR_LINK("/", "/tmp") }, NULL, "root must be a directory" },
		{ "file", { TAR_FILE(".", "x") }, NULL, "root must be a directory" },
		{ "hard link", { TAR_FILE("a", "x"), TAR_HARD(".", "a") }, NULL,
			"root must be a directory" },
		{ "directory", { TAR_DIR("./"), TAR_FILE("./a", "x") }, "a 'x'\n", NULL },
	};

	(void)state;
	check_cases(rows, ARRAY_LEN(rows));
}

static void row_7_4_bad_whiteout_names_are_errors(void **state)
{
	static const struct layer_case rows[] = {
		{ "nothing", { TAR_FILE("a/.wh.", "") }, NULL, "whiteout without a name" },
		{ "dot", { TAR_FILE("a/.wh..", "") }, NULL, "whiteout without a name" },
		{ "dots", { TAR_FILE("a/.wh...", "") }, NULL, "whiteout without a name" },
		{ "as a directory", { TAR_FILE(".wh.a/b", "x") }, NULL, "no directory" },
		{ "through a link", { TAR_LINK("l", "/tmp"), TAR_FILE("l/.wh." CANARY, "") },
			"l -> /tmp\ntmp/\ntmp/" CANARY " 0:0\n", NULL },
		{ "of a link", { TAR_LINK("l", "/tmp"), TAR_FILE(".wh.l", "") }, "l -> /tmp\n",
			NULL },
		{ "old aufs names",
			{ TAR_FILE(".wh..wh.aufs", ""), TAR_FILE(".wh..wh.plnk/1.2", "x"),
				TAR_FILE("a", "x") },
			"a 'x'\n", NULL },
	};

	(void)state;
	check_cases(rows, ARRAY_LEN(rows));
}

static void row_7_5_overlay_form_from_the_tar_is_refused(void **state)
{
	static const struct layer_case rows[] = {
		{ "whiteout device", { TAR_NODE("a", '3', 0, 0) }, NULL, "0:0" },
		{ "block 0:0 is none", { TAR_NODE("a", '4', 0, 0) }, "a 0:0\n", NULL },
	};

	(void)state;
	check_cases(rows, ARRAY_LEN(rows));
}

static void add_xattr(struct strbuf *tar, const char *name, const void *value, size_t length)
{
	cleanup_free char *key = xasprintf("SCHILY.xattr.%s", name);

	tar_pax_one(tar, key, value, length);
}

static void row_7_5_and_7_6_only_harmless_xattrs_are_kept(void **state)
{
	static const char capability[20] = { 0, 0, 0, 2, 0, 0x20 }; /* v2, CAP_NET_RAW permitted */
	static const char *const dropped[] = { "trusted.overlay.redirect", "trusted.overlay.opaque",
		"user.overlay.redirect", "security.selinux", "trusted.x", "nonsense.x" };
	const struct world *world = *state;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	cleanup_strbuf struct strbuf records = STRBUF_INIT;
	cleanup_image struct image *image = NULL;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_strbuf struct strbuf xattrs = STRBUF_INIT;
	char value[64];
	int fd;

	add_xattr(&tar, "security.capability", capability, sizeof(capability));
	tar_add(&tar, (struct tar_raw){ .name = "ping", .mode = 0755, .data = "x" });
	for (size_t i = 0; i < ARRAY_LEN(dropped); i++) {
		cleanup_free char *key = xasprintf("SCHILY.xattr.%s", dropped[i]);

		tar_pax_record(&records, key, "/etc", 4);
	}
	tar_pax(&tar, &records);
	tar_add(&tar, (struct tar_raw){ .name = "d", .type = '5' });
	add_xattr(&tar, "user.note", "a\0b\n", 4);
	tar_add(&tar, (struct tar_raw){ .name = "noted", .data = "x" });
	tar_end(&tar);
	assert_ok(import_bytes(world, &tar, "t", &image, &err), &err);
	fd = open_top_layer(world, image);
	describe_xattrs(fd, "d", &xattrs);
	assert_string_equal(strbuf_text(&xattrs), "");
	describe_xattrs(fd, "ping", &xattrs);
	describe_xattrs(fd, "noted", &xattrs);
	assert_string_equal(strbuf_text(&xattrs), " security.capability=20 user.note=4");
	int file_fd = openat(fd, "ping", O_RDONLY | O_CLOEXEC);

	assert_int_equal(fgetxattr(file_fd, "security.capability", value, sizeof(value)), 20);
	assert_memory_equal(value, capability, 20);
	close(file_fd);
	close(fd);
}

static void assert_xattrs_refused(const struct world *world, const struct strbuf *records)
{
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	cleanup_error struct error err = ERROR_INIT;
	struct image *image = NULL;

	tar_pax(&tar, records);
	tar_add(&tar, (struct tar_raw)TAR_FILE("f", "x"));
	tar_end(&tar);
	assert_true(import_bytes(world, &tar, "t", &image, &err) < 0);
	assert_nothing_left(world);
}

static void row_7_6_huge_and_countless_xattrs_are_errors(void **state)
{
	static const size_t sizes[] = { 65537, 1 << 20, 4 << 20 };
	const struct world *world = *state;
	cleanup_strbuf struct strbuf many = STRBUF_INIT;
	cleanup_free char *value = xcalloc(1, 4 << 20);

	memset(value, 'x', 4 << 20);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		cleanup_strbuf struct strbuf records = STRBUF_INIT;

		tar_pax_record(&records, "SCHILY.xattr.user.huge", value, sizes[i]);
		assert_xattrs_refused(world, &records);
	}
	for (int i = 0; i < 1000; i++) {
		char key[64];

		snprintf(key, sizeof(key), "SCHILY.xattr.user.x%d", i);
		tar_pax_record(&many, key, "v", 1);
	}
	assert_xattrs_refused(world, &many);
}

static const struct {
	const char *name;
	char type;
	unsigned int mode;
	uint64_t uid, gid;
	bool refused;
} owners[] = {
	{ "suid", '0', 04755, 0, 0, false },
	{ "suid-other", '0', 04711, 1000, 1000, false },
	{ "sgid", '0', 02755, 0, 42, false },
	{ "both", '0', 06555, 5, 6, false },
	{ "sticky", '5', 01777, 0, 0, false },
	{ "sgid-directory", '5', 02775, 33, 33, false },
	{ "none", '0', 01, 65534, 65534, false },
	{ "octal-limit", '0', 0644, 07777777, 07777777, false },
	{ "base-256", '0', 0644, 010000000, 3000000000, false },
	{ "largest", '0', 04644, 4294967294, 4294967294, false },
	{ "link", '2', 0777, 77, 78, false },
	{ "no-id", '0', 0644, 4294967295, 0, true },
	{ "no-group", '0', 0644, 0, 4294967295, true },
	{ "truncates-to-root", '0', 0644, 1ULL << 32, 0, true },
	{ "negative", '0', 0644, UINT64_MAX, 0, true },
};

static void row_7_7_modes_and_owners_are_kept_or_refused(void **state)
{
	const struct world *world = *state;

	for (size_t i = 0; i < ARRAY_LEN(owners); i++) {
		cleanup_strbuf struct strbuf tar = STRBUF_INIT;
		cleanup_image struct image *image = NULL;
		cleanup_error struct error err = ERROR_INIT;
		struct stat st;
		int fd, r;

		tar_add(&tar, (struct tar_raw){ .name = owners[i].name,
				      .type = owners[i].type,
				      .mode = owners[i].mode,
				      .uid = owners[i].uid,
				      .gid = owners[i].gid,
				      .link = "target" });
		tar_end(&tar);
		r = import_bytes(world, &tar, "t", &image, &err);
		if (owners[i].refused) {
			if (r != -ERANGE)
				fail_msg("%s was taken: %d", owners[i].name, r);
			continue;
		}
		if (r < 0)
			fail_msg("%s: %s", owners[i].name, error_text(&err));
		fd = open_top_layer(world, image);
		assert_int_equal(fstatat(fd, owners[i].name, &st, AT_SYMLINK_NOFOLLOW), 0);
		if ((st.st_mode & 07777) != owners[i].mode || st.st_uid != owners[i].uid ||
			st.st_gid != owners[i].gid || st.st_mtim.tv_sec != 1700000000)
			fail_msg("%s: %o %u:%u", owners[i].name, st.st_mode, st.st_uid, st.st_gid);
		close(fd);
	}
}

static void row_7_8_devices_and_fifos_are_made_and_never_opened(void **state)
{
	static const struct layer_case rows[] = {
		{ "FIFO then file", { TAR_FIFO("f"), TAR_FILE("f", "x") }, "f 'x'\n", NULL },
		{ "file then FIFO", { TAR_FILE("f", "x"), TAR_FIFO("f") }, "f\n", NULL },
		{ "FIFO then FIFO", { TAR_FIFO("f"), TAR_FIFO("f") }, "f\n", NULL },
		{ "below a FIFO", { TAR_FIFO("f"), TAR_FILE("f/a", "x") }, NULL,
			"Not a directory" },
		{ "devices", { TAR_NODE("c", '3', 1, 3), TAR_NODE("b", '4', 259, 70000) },
			"b 259:70000\nc 1:3\n", NULL },
		{ "device then file", { TAR_NODE("c", '3', 1, 3), TAR_FILE("c", "x") }, "c 'x'\n",
			NULL },
		{ "linked device", { TAR_NODE("c", '3', 1, 3), TAR_HARD("h", "c") },
			"c 1:3\nh 1:3\n", NULL },
	};

	(void)state;
	alarm(20); /* an open of a FIFO would hang */
	check_cases(rows, ARRAY_LEN(rows));
	alarm(0);
}

static void row_7_13_last_of_two_entries_wins(void **state)
{
	static const struct layer_case rows[] = {
		{ "file twice", { TAR_FILE("a", "1"), TAR_FILE("a", "2") }, "a '2'\n", NULL },
		{ "directory to file", { TAR_DIR("a"), TAR_FILE("a/b", "1"), TAR_FILE("a", "2") },
			"a '2'\n", NULL },
		{ "directory to file to directory",
			{ TAR_DIR("a"), TAR_FILE("a/b", "1"), TAR_FILE("a", "2"), TAR_DIR("a"),
				TAR_FILE("a/c", "3") },
			"a/\na/c '3'\n", NULL },
		{ "directory twice", { TAR_DIR("a"), TAR_FILE("a/b", "1"), TAR_DIR("a") },
			"a/\na/b '1'\n", NULL },
		{ "link to directory", { TAR_LINK("a", "b"), TAR_DIR("a"), TAR_FILE("a/c", "1") },
			"a/\na/c '1'\n", NULL },
		{ "directory to link",
			{ TAR_DIR("a"), TAR_FILE("a/x", "1"), TAR_LINK("a", "b"), TAR_DIR("b"),
				TAR_FILE("a/c", "2") },
			"a -> b\nb/\nb/c '2'\n", NULL },
		{ "parent becomes a link",
			{ TAR_DIR("a"), TAR_FILE("a/x", "1"), TAR_DIR("b"), TAR_LINK("a", "b"),
				TAR_FILE("a/y", "2") },
			"a -> b\nb/\nb/y '2'\n", NULL },
	};

	(void)state;
	check_cases(rows, ARRAY_LEN(rows));
}

static void directory_times_survive_their_content(void **state)
{
	const struct world *world = *state;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	cleanup_image struct image *image = NULL;
	cleanup_error struct error err = ERROR_INIT;
	struct stat st;
	int fd;

	tar_pax_text(&tar, "mtime", "1600000000.123456789");
	tar_add(&tar, (struct tar_raw){ .name = "./", .type = '5', .mode = 0750, .uid = 3 });
	tar_pax_text(&tar, "mtime", "1500000000.5");
	tar_add(&tar, (struct tar_raw){ .name = "./d/", .type = '5' });
	tar_add(&tar, (struct tar_raw){ .name = "./d/f", .data = "x" });
	tar_end(&tar);
	assert_ok(import_bytes(world, &tar, "t", &image, &err), &err);
	fd = open_top_layer(world, image);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(st.st_uid, 3);
	assert_int_equal(st.st_mtim.tv_sec, 1600000000);
	assert_int_equal(st.st_mtim.tv_nsec, 123456789);
	assert_int_equal(fstatat(fd, "d", &st, 0), 0);
	assert_int_equal(st.st_mtim.tv_sec, 1500000000);
	assert_int_equal(st.st_mtim.tv_nsec, 500000000);
	close(fd);
}

static void names_that_are_not_ascii_are_kept_byte_by_byte(void **state)
{
	static const char *const names[] = { "caf\xc3\xa9", "cafe\xcc\x81", "bad\xff\xfe",
		"tab\tnew\nline" };
	const struct world *world = *state;

	for (int pax = 0; pax < 2; pax++) {
		cleanup_strbuf struct strbuf tar = STRBUF_INIT;
		cleanup_image struct image *image = NULL;
		cleanup_error struct error err = ERROR_INIT;
		int fd;

		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			if (pax)
				tar_pax_text(&tar, "path", names[i]);
			tar_add(&tar,
				(struct tar_raw){ .name = pax ? "x" : names[i], .data = "x" });
		}
		tar_end(&tar);
		assert_ok(import_bytes(world, &tar, "t", &image, &err), &err);
		fd = open_top_layer(world, image);
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			if (!exists(fd, names[i]))
				fail_msg("name %zu changed (pax %d)", i, pax);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(row_7_1_entries_stay_inside),
		cmocka_unit_test(row_7_2_hard_links_stay_inside_and_are_never_written_through),
		cmocka_unit_test(row_7_3_root_entry_must_be_a_directory),
		cmocka_unit_test(row_7_4_bad_whiteout_names_are_errors),
		cmocka_unit_test(row_7_5_overlay_form_from_the_tar_is_refused),
		world_test(row_7_5_and_7_6_only_harmless_xattrs_are_kept),
		world_test(row_7_6_huge_and_countless_xattrs_are_errors),
		world_test(row_7_7_modes_and_owners_are_kept_or_refused),
		cmocka_unit_test(row_7_8_devices_and_fifos_are_made_and_never_opened),
		cmocka_unit_test(row_7_13_last_of_two_entries_wins),
		world_test(directory_times_survive_their_content),
		world_test(names_that_are_not_ascii_are_kept_byte_by_byte),
	};

	return cmocka_run_group_tests_name("layer", tests, NULL, NULL);
}
