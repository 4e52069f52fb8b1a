/* SPDX-License-Identifier: GPL-2.0-or-later
 * load_test.c - image archives: what is taken, and every way to lie about a content. */
#include "archive_bytes.h"

#define EMPTY_STORE "images/\nimages/blobs/\nimages/blobs/sha256/\nlayers/\n"

static const struct layer_entries two_layers[] = {
	{ { TAR_DIR("d"), TAR_FILE("d/a", "1") } },
	{ { TAR_FILE("d/b", "2") } },
};

static void assert_nothing_left(const struct world *world, const char *what)
{
	cleanup_free char *names = describe_names(world);

	if (strcmp(names, EMPTY_STORE) != 0)
		fail_msg("%s left behind:\n%s", what, names);
}

/* The loading fails, saying so, and leaves nothing. */
static void assert_refused(const struct world *world, const struct strbuf *archive,
	const char *error, const char *what)
{
	cleanup_error struct error err = ERROR_INIT;
	cleanup_strv char **names = NULL;
	int r = load_bytes(world, archive, &names, &err);

	if (r >= 0)
		fail_msg("%s: was taken", what);
	if (!strstr(error_text(&err), error))
		fail_msg("%s: %s", what, error_text(&err));
	assert_nothing_left(world, what);
}

static void assert_two_layers(const struct world *world, const char *reference)
{
	cleanup_error struct error err = ERROR_INIT;
	cleanup_image struct image *image = NULL;
	cleanup_strbuf struct strbuf tree = STRBUF_INIT;
	int fd;

	assert_ok(image_find(&world->engine, reference, &image, &err), &err);
	assert_int_equal(strv_length(image->chain_ids), 2);
	assert_string_equal(image->config.env[0], "A=b");
	fd = open_top_layer(world, image);
	describe_tree(fd, "", false, &tree);
	close(fd);
	assert_string_equal(strbuf_text(&tree), "d/\nd/b '2'\n");
}

static void docker_archives_are_taken(void **state)
{
	const struct world *world = *state;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_strbuf struct strbuf archive = STRBUF_INIT;
	cleanup_strv char **names = NULL;
	cleanup_free char *id = NULL;
	cleanup_image struct image *image = NULL;
	struct parts parts = { 0 };

	build_parts(&parts, two_layers, 2);
	id = bytes_digest(&parts.config);
	docker_archive(&archive, &parts, "docker.io/library/t:1");
	parts_release(&parts);
	assert_ok(load_bytes(world, &archive, &names, &err), &err);
	assert_string_equal(names[0], "t:1");
	assert_two_layers(world, "t:1");
	assert_ok(image_find(&world->engine, "t:1", &image, &err), &err);
	assert_string_equal(image->id, id);
}

static void oci_archives_are_taken(void **state)
{
	const struct world *world = *state;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_strbuf struct strbuf archive = STRBUF_INIT;
	cleanup_strv char **names = NULL;
	cleanup_image struct image *image = NULL;
	cleanup_free char *manifest = NULL;
	struct parts parts = { 0 };

	build_parts(&parts, two_layers, 2);
	manifest = bytes_digest(&parts.manifest);
	oci_archive(&archive, &parts);
	parts_release(&parts);
	assert_ok(load_bytes(world, &archive, &names, &err), &err);
	assert_string_equal(names[0], "t:1");
	assert_two_layers(world, "t:1");
	assert_ok(image_find(&world->engine, "t:1", &image, &err), &err);
	assert_string_equal(image->manifest_digest, manifest);
}

static void put_bytes(int dir_fd, const char *name, const struct strbuf *bytes)
{
	assert_int_equal(file_replace(dir_fd, name, strbuf_text(bytes), bytes->length, 0600,
				 FILE_VOLATILE, NULL),
		0);
}

static void put_blob(int blobs_fd, const struct strbuf *bytes)
{
	cleanup_free char *digest = bytes_digest(bytes);

	put_bytes(blobs_fd, digest_hex(digest), bytes);
}

static void layout_directories_are_taken(void **state)
{
	const struct world *world = *state;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_strv char **names = NULL;
	struct parts parts = { 0 };
	int dir_fd = dir_make_open(world->fd, "layout", 0700, NULL);
	int blobs_fd = dir_make_open(dir_fd, "blobs/sha256", 0700, NULL);

	build_parts(&parts, two_layers, 2);
	put_bytes(dir_fd, "index.json", &parts.index);
	put_blob(blobs_fd, &parts.config);
	put_blob(blobs_fd, &parts.layers[0]);
	put_blob(blobs_fd, &parts.layers[1]);
	assert_true(image_load(&world->engine, dir_fd, "layout", &names, &err) < 0);
	put_blob(blobs_fd, &parts.manifest);
	assert_ok(image_load(&world->engine, dir_fd, "layout", &names, &err), &err);
	assert_two_layers(world, "t:1");
	parts_release(&parts);
	close(blobs_fd);
	close(dir_fd);
}

/* Older `docker save`: a layer that two images share is a link the second time. */
static void linked_layers_lead_to_other_members(void **state)
{
	const struct world *world = *state;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_strbuf struct strbuf archive = STRBUF_INIT;
	cleanup_strv char **names = NULL;
	struct parts parts = { 0 };

	build_parts(&parts, two_layers, 2);
	add_member(&archive, "one/layer.tar", &parts.layers[0]);
	add_member(&archive, "real/layer.tar", &parts.layers[1]);
	tar_add(&archive, (struct tar_raw)TAR_LINK("two/layer.tar", "../real/layer.tar"));
	add_member(&archive, "config.json", &parts.config);
	add_text(&archive, "manifest.json",
		"[{\"Config\":\"config.json\",\"RepoTags\":[\"t:1\"],"
		"\"Layers\":[\"one/layer.tar\",\"two/layer.tar\"]}]");
	tar_end(&archive);
	parts_release(&parts);
	assert_ok(load_bytes(world, &archive, &names, &err), &err);
	assert_two_layers(world, "t:1");
}

enum place { PLACE_LAYER, PLACE_LAYER_TAIL, PLACE_CONFIG, PLACE_MANIFEST, PLACE_COUNT };

static struct strbuf *place_bytes(struct parts *parts, enum place place)
{
	struct strbuf *const places[PLACE_COUNT] = {
		[PLACE_LAYER] = &parts->layers[0],
		[PLACE_LAYER_TAIL] = &parts->layers[1],
		[PLACE_CONFIG] = &parts->config,
		[PLACE_MANIFEST] = &parts->manifest,
	};

	return places[place];
}

/* One byte differs from what the digest was taken of; the file keeps the name of the old content.
 */
static void row_8_1_flipped_bytes_are_found_in_every_blob(void **state)
{
	const struct world *world = *state;

	for (enum place flipped = 0; flipped < PLACE_COUNT; flipped++) {
		cleanup_strbuf struct strbuf archive = STRBUF_INIT;
		cleanup_free char *what = xasprintf("place %d", (int)flipped);
		struct parts parts = { 0 };

		build_parts(&parts, two_layers, 2);
		add_member(&archive, "index.json", &parts.index);
		for (enum place place = 0; place < PLACE_COUNT; place++) {
			struct strbuf *bytes = place_bytes(&parts, place);
			cleanup_free char *digest = bytes_digest(bytes);
			cleanup_free char *name = xasprintf("blobs/sha256/%s", digest_hex(digest));

			if (place == flipped)
				bytes->data[place == PLACE_LAYER_TAIL ? bytes->length - 1
								      : bytes->length / 2] ^= 1;
			add_member(&archive, name, bytes);
		}
		tar_end(&archive);
		parts_release(&parts);
		assert_refused(world, &archive, "does not match its digest", what);
	}
}

static void row_8_1_sizes_must_equal_the_descriptors(void **state)
{
	const struct world *world = *state;
	static const int differences[] = { 1, -1 };

	for (size_t i = 0; i < ARRAY_LEN(differences); i++) {
		cleanup_strbuf struct strbuf archive = STRBUF_INIT;
		struct parts parts = { 0 };
		char *size;

		build_parts(&parts, two_layers, 2);
		size = strstr(parts.index.data, "\"size\":") + strlen("\"size\":");
		size[0] = (char)(size[0] + differences[i]);
		oci_archive(&archive, &parts);
		parts_release(&parts);
		assert_refused(world, &archive, "descriptor says", "another size");
	}
}

static void replace(struct strbuf *bytes, const char *from, const char *to)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	char *found = strstr(bytes->data, from);

	assert_non_null(found);
	strbuf_add(&out, bytes->data, (size_t)(found - bytes->data));
	strbuf_add_str(&out, to);
	strbuf_add_str(&out, found + strlen(from));
	strbuf_clear(bytes);
	strbuf_add(bytes, out.data, out.length);
}

/* The blob is what its digest says, but not what the config promises to be inside. */
static void row_8_1_diff_ids_are_compared(void **state)
{
	const struct world *world = *state;

	for (int docker = 0; docker < 2; docker++) {
		cleanup_strbuf struct strbuf archive = STRBUF_INIT;
		cleanup_free char *digest = NULL;
		struct parts parts = { 0 };

		build_parts(&parts, two_layers, 2);
		digest = bytes_digest(&parts.layers[0]);
		replace(&parts.config, digest,
			"sha256:0123456789abcdef0123456789abcdef"
			"0123456789abcdef0123456789abcdef");
		build_manifest(&parts);
		build_index(&parts);
		if (docker)
			docker_archive(&archive, &parts, "t:1");
		else
			oci_archive(&archive, &parts);
		parts_release(&parts);
		assert_refused(world, &archive, "does not match diff ID", "another diff ID");
	}
}

static const struct {
	const char *what;
	enum place place;
	const char *from, *to;
	const char *error;
} spoiled[] = {
	{ "manifest and index at once", PLACE_MANIFEST,
		"\"layers\":", "\"manifests\":[],\"layers\":", "ambiguous" },
	{ "manifest that is an index", PLACE_MANIFEST,
		"\"layers\":", "\"manifests\":", "ambiguous" },
	{ "manifest of another type", PLACE_MANIFEST, "{\"schemaVersion\":2",
		"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\"",
		"calls itself" },
	{ "schema 1", PLACE_MANIFEST, "\"schemaVersion\":2", "\"schemaVersion\":1",
		"schema version 2" },
	{ "no layers", PLACE_MANIFEST, "\"layers\":", "\"other\":", "'layers'" },
	{ "digest of another kind", PLACE_MANIFEST,
		"\"digest\":\"sha256:", "\"digest\":\"sha512:", "sha256" },
	{ "digest with a path", PLACE_MANIFEST, "\"digest\":\"sha256:", "\"digest\":\"sha256:../",
		"sha256" },
	{ "layer of unknown type", PLACE_MANIFEST, "layer.v1.tar", "layer.v1.zip",
		"unsupported layer" },
	{ "config of unknown type", PLACE_MANIFEST, "image.config.v1", "image.other.v1",
		"no image config" },
	{ "two Env", PLACE_CONFIG, "\"Env\":", "\"Env\":[],\"Env\":", "Env" },
	{ "no rootfs", PLACE_CONFIG, "\"rootfs\"", "\"other\"", "rootfs" },
	{ "no os", PLACE_CONFIG, "\"os\"", "\"so\"", "os" },
	{ "rootfs of another type", PLACE_CONFIG, "\"type\":\"layers\"", "\"type\":\"lairs\"",
		"rootfs" },
	{ "no JSON", PLACE_CONFIG, "{", "{{", "image config" },
	{ "NUL in a name", PLACE_CONFIG, "\"os\"", "\"a\\u0000b\":1,\"os\"", "image config" },
};

static void row_8_3_and_8_7_documents_that_lie_are_refused(void **state)
{
	const struct world *world = *state;

	for (size_t i = 0; i < ARRAY_LEN(spoiled); i++) {
		cleanup_strbuf struct strbuf archive = STRBUF_INIT;
		struct parts parts = { 0 };

		build_parts(&parts, two_layers, 2);
		replace(place_bytes(&parts, spoiled[i].place), spoiled[i].from, spoiled[i].to);
		if (spoiled[i].place == PLACE_CONFIG)
			build_manifest(&parts);
		build_index(&parts);
		oci_archive(&archive, &parts);
		parts_release(&parts);
		assert_refused(world, &archive, spoiled[i].error, spoiled[i].what);
	}
}

static void row_8_3_documents_are_bounded(void **state)
{
	static const struct {
		const char *what;
		enum place place;
		size_t size;
	} rows[] = {
		{ "manifest of 5 MiB", PLACE_MANIFEST, 5 << 20 },
		{ "config of 9 MiB", PLACE_CONFIG, 9 << 20 },
	};
	const struct world *world = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_strbuf struct strbuf archive = STRBUF_INIT;
		struct parts parts = { 0 };
		struct strbuf *bytes;

		build_parts(&parts, two_layers, 2);
		bytes = place_bytes(&parts, rows[i].place);
		while (bytes->length < rows[i].size)
			strbuf_add_str(bytes, "                                               ");
		if (rows[i].place == PLACE_CONFIG)
			build_manifest(&parts);
		build_index(&parts);
		oci_archive(&archive, &parts);
		parts_release(&parts);
		assert_refused(world, &archive, "is larger than", rows[i].what);
	}
}

static void row_8_7_deep_json_is_refused(void **state)
{
	static const char *const names[] = { "manifest.json", "index.json" };
	const struct world *world = *state;
	cleanup_strbuf struct strbuf deep = STRBUF_INIT;

	for (int i = 0; i < 200000; i++)
		strbuf_add_char(&deep, '[');
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		cleanup_strbuf struct strbuf archive = STRBUF_INIT;

		add_member(&archive, names[i], &deep);
		tar_end(&archive);
		assert_refused(world, &archive, names[i], names[i]);
	}
}

static void row_8_6_paths_in_manifest_json_are_members(void **state)
{
	static const struct {
		const char *config, *layer;
	} rows[] = {
		{ "config.json", "../x" },
		{ "config.json", "/etc/passwd" },
		{ "config.json", "a/../../x" },
		{ "config.json", "link" },
		{ "config.json", "loop" },
		{ "config.json", "missing" },
		{ "config.json", "directory" },
		{ "../../etc/passwd", "0.tar" },
		{ "/etc/hostname", "0.tar" },
	};
	const struct world *world = *state;
	static const struct layer_entries one[] = { { { TAR_FILE("a", "1") } } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_strbuf struct strbuf archive = STRBUF_INIT;
		cleanup_strbuf struct strbuf manifest = STRBUF_INIT;
		cleanup_error struct error err = ERROR_INIT;
		cleanup_strv char **names = NULL;
		struct parts parts = { 0 };

		build_parts(&parts, one, 1);
		add_member(&archive, "0.tar", &parts.layers[0]);
		add_member(&archive, "config.json", &parts.config);
		parts_release(&parts);
		tar_add(&archive, (struct tar_raw)TAR_LINK("link", "/etc/passwd"));
		tar_add(&archive, (struct tar_raw)TAR_LINK("loop", "loop"));
		tar_add(&archive, (struct tar_raw)TAR_DIR("directory"));
		strbuf_addf(&manifest,
			"[{\"Config\":\"%s\",\"RepoTags\":null,\"Layers\":[\"%s\"]}]",
			rows[i].config, rows[i].layer);
		add_member(&archive, "manifest.json", &manifest);
		tar_end(&archive);
		if (load_bytes(world, &archive, &names, &err) >= 0)
			fail_msg("row %zu was taken", i);
		assert_nothing_left(world, rows[i].layer);
	}
}

static void row_8_6_members_with_odd_names_are_refused(void **state)
{
	static const struct tar_raw rows[] = {
		TAR_FILE("../manifest.json", "[]"),
		TAR_LINK("a/b", "../../../etc/passwd"),
		TAR_NODE("null", '3', 1, 3),
		TAR_FIFO("manifest.json"),
	};
	const struct world *world = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_strbuf struct strbuf archive = STRBUF_INIT;

		tar_add(&archive, rows[i]);
		tar_end(&archive);
		assert_refused(world, &archive, "entry '", rows[i].name);
	}
}

/* An index in the layout, with two platforms. */
static void build_platforms(
	struct strbuf *archive, const char *first_platform, const char *second_platform)
{
	cleanup_strbuf struct strbuf inner = STRBUF_INIT;
	cleanup_strbuf struct strbuf outer = STRBUF_INIT;
	struct parts parts = { 0 };

	build_parts(&parts, two_layers, 2);
	strbuf_add_str(&inner, "{\"schemaVersion\":2,\"manifests\":[");
	add_descriptor(&inner, "application/vnd.oci.image.manifest.v1+json", &parts.config);
	strbuf_addf(&inner, ",\"platform\":%s},", first_platform);
	add_descriptor(&inner, "application/vnd.oci.image.manifest.v1+json", &parts.manifest);
	strbuf_addf(&inner, ",\"platform\":%s}]}", second_platform);
	strbuf_add_str(&outer, "{\"schemaVersion\":2,\"manifests\":[");
	add_descriptor(&outer, "application/vnd.oci.image.index.v1+json", &inner);
	strbuf_add_str(&outer,
		",\"annotations\":{\"io.containerd.image.name\":\"docker.io/library/t:1\","
		"\"org.opencontainers.image.ref.name\":\"1\"}}]}");
	add_blob(archive, &inner);
	strbuf_clear(&parts.index);
	strbuf_add(&parts.index, outer.data, outer.length);
	oci_archive(archive, &parts);
	parts_release(&parts);
}

static void row_8_5_platform_is_chosen_or_missed(void **state)
{
	const struct world *world = *state;
	cleanup_strbuf struct strbuf none = STRBUF_INIT;
	cleanup_strbuf struct strbuf other = STRBUF_INIT;
	cleanup_strv char **names = NULL;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *ours = NULL;
	struct platform host;

	platform_host(&host);
	ours = xasprintf("{\"os\":\"linux\",\"architecture\":\"%s\"}", host.architecture);
	build_platforms(&none, "{\"os\":\"plan9\",\"architecture\":\"amd64\"}",
		"{\"os\":\"linux\",\"architecture\":\"mips\"}");
	assert_refused(world, &none, "no image for linux/", "foreign platforms");
	build_platforms(&other, "{\"os\":\"linux\",\"architecture\":\"mips\"}", ours);
	assert_ok(load_bytes(world, &other, &names, &err), &err);
	assert_string_equal(names[0], "t:1");
	assert_two_layers(world, "t:1");
}

static void what_is_no_image_archive_is_an_error(void **state)
{
	const struct world *world = *state;
	cleanup_strbuf struct strbuf archive = STRBUF_INIT;
	cleanup_strbuf struct strbuf empty = STRBUF_INIT;

	add_text(&archive, "bin/sh", "x");
	tar_end(&archive);
	assert_refused(world, &archive, "neither a docker archive", "a rootfs");
	add_text(&empty, "manifest.json", "[]");
	tar_end(&empty);
	assert_refused(world, &empty, "no image in it", "an empty list");
}

/* All or none: a good image before a bad one is not added either. */
static void nothing_of_a_bad_archive_is_added(void **state)
{
	const struct world *world = *state;
	cleanup_strbuf struct strbuf archive = STRBUF_INIT;
	struct parts parts = { 0 };

	build_parts(&parts, two_layers, 2);
	add_member(&archive, "0.tar", &parts.layers[0]);
	add_member(&archive, "1.tar", &parts.layers[1]);
	add_member(&archive, "config.json", &parts.config);
	parts_release(&parts);
	add_text(&archive, "manifest.json",
		"[{\"Config\":\"config.json\",\"RepoTags\":[\"t:1\"],\"Layers\":[\"0.tar\",\"1."
		"tar\"]},"
		"{\"Config\":\"config.json\",\"RepoTags\":[\"t:2\"],\"Layers\":[\"1.tar\",\"0."
		"tar\"]}]");
	tar_end(&archive);
	assert_refused(world, &archive, "does not match diff ID", "the second");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(docker_archives_are_taken),
		world_test(oci_archives_are_taken),
		world_test(layout_directories_are_taken),
		world_test(linked_layers_lead_to_other_members),
		world_test(row_8_1_flipped_bytes_are_found_in_every_blob),
		world_test(row_8_1_sizes_must_equal_the_descriptors),
		world_test(row_8_1_diff_ids_are_compared),
		world_test(row_8_3_and_8_7_documents_that_lie_are_refused),
		world_test(row_8_3_documents_are_bounded),
		world_test(row_8_7_deep_json_is_refused),
		world_test(row_8_6_paths_in_manifest_json_are_members),
		world_test(row_8_6_members_with_odd_names_are_refused),
		world_test(row_8_5_platform_is_chosen_or_missed),
		world_test(what_is_no_image_archive_is_an_error),
		world_test(nothing_of_a_bad_archive_is_added),
	};

	return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
