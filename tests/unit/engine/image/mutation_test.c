/* SPDX-License-Identifier: GPL-2.0-or-later
 * mutation_test.c - thousands of spoiled tars and archives: each is an error or a whole image,
 * nothing is half made, nothing outside the store changes. The sequence is fixed; MYCOMPOSE_ROUNDS
 * makes it longer and MYCOMPOSE_SEED gives another. */
#include "archive_bytes.h"

#define ROUNDS_DEFAULT 1500

struct random {
	uint64_t state;
};

/* xorshift64: good enough to choose bytes, and the same everywhere. */
static uint32_t next_random(struct random *random, uint32_t below)
{
	random->state ^= random->state << 13;
	random->state ^= random->state >> 7;
	random->state ^= random->state << 17;
	return (uint32_t)(random->state >> 32) % below;
}

static unsigned long from_environment(const char *name, unsigned long fallback)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 10) : fallback;
}

static void build_seed(struct strbuf *tar)
{
	tar_add(tar, (struct tar_raw)TAR_DIR("./"));
	tar_add(tar, (struct tar_raw)TAR_DIR("d/"));
	tar_add(tar, (struct tar_raw)TAR_FILE("d/file", "content"));
	tar_add(tar, (struct tar_raw)TAR_LINK("l", "d"));
	tar_add(tar, (struct tar_raw)TAR_FILE("l/through", "content"));
	tar_add(tar, (struct tar_raw)TAR_HARD("h", "d/file"));
	tar_add(tar, (struct tar_raw)TAR_NODE("null", '3', 1, 3));
	tar_add(tar, (struct tar_raw)TAR_FIFO("fifo"));
	tar_add(tar, (struct tar_raw)TAR_FILE(".wh.x", ""));
	tar_add(tar, (struct tar_raw)TAR_FILE("d/.wh..wh..opq", ""));
	tar_pax_text(tar, "path", "long/name");
	tar_add(tar, (struct tar_raw)TAR_FILE("short", "x"));
	tar_pax_text(tar, "SCHILY.xattr.user.x", "value");
	tar_add(tar, (struct tar_raw)TAR_FILE("noted", "x"));
	tar_add(tar,
		(struct tar_raw){
			.name = "././@LongLink", .type = 'L', .data = "gnu/long", .length = 9 });
	tar_add(tar, (struct tar_raw)TAR_DIR("short"));
	tar_end(tar);
}

static void fix_checksum(char *header)
{
	unsigned int sum = 0;

	memset(header + 148, ' ', 8);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += (unsigned char)header[i];
	tar_octal(header + 148, 7, sum);
}

/* Where something can go wrong in a header: name, mode, ids, size, type, link, prefix. */
static const struct {
	size_t offset, length;
} fields[] = { { 0, 20 }, { 100, 8 }, { 108, 16 }, { 124, 12 }, { 156, 1 }, { 157, 20 }, { 257, 8 },
	{ 329, 16 }, { 345, 20 }, { 0, 512 } };

static void mutate_header(struct random *random, struct strbuf *tar)
{
	static const char interesting[] = "\0/.. 0157LKxgSD\xff\x80wh\n\\";
	char *header =
		tar->data + TAR_BLOCK * next_random(random, (uint32_t)(tar->length / TAR_BLOCK));
	size_t field = next_random(random, ARRAY_LEN(fields));

	for (uint32_t i = next_random(random, 4) + 1; i > 0; i--) {
		size_t at =
			fields[field].offset + next_random(random, (uint32_t)fields[field].length);

		header[at] = next_random(random, 4)
				     ? interesting[next_random(random, sizeof(interesting) - 1)]
				     : (char)next_random(random, 256);
	}
	/* Most stay well formed, to get further than the checksum. */
	if (next_random(random, 8))
		fix_checksum(header);
}

static void swap_blocks(struct random *random, struct strbuf *tar)
{
	uint32_t blocks = (uint32_t)(tar->length / TAR_BLOCK);
	char *one = tar->data + TAR_BLOCK * next_random(random, blocks);
	char *two = tar->data + TAR_BLOCK * next_random(random, blocks);
	char block[TAR_BLOCK];

	memcpy(block, one, TAR_BLOCK);
	memmove(one, two, TAR_BLOCK);
	memcpy(two, block, TAR_BLOCK);
}

static void mutate(struct random *random, struct strbuf *tar)
{
	for (uint32_t i = next_random(random, 3) + 1; i > 0; i--) {
		if (next_random(random, 5) == 0)
			swap_blocks(random, tar);
		else
			mutate_header(random, tar);
	}
	if (next_random(random, 10) == 0)
		tar->length = next_random(random, (uint32_t)tar->length);
}

static void assert_same(const struct world *world, const char *before, unsigned long round)
{
	cleanup_free char *after = describe_names(world);

	if (strcmp(before, after) != 0)
		fail_msg("round %lu left behind:\n%s", round, after);
}

static void row_7_10_mutated_tars_are_errors_or_whole_images(void **state)
{
	struct world *world = *state;
	struct random random = { from_environment("MYCOMPOSE_SEED", 88172645463325252UL) };
	unsigned long rounds = from_environment("MYCOMPOSE_ROUNDS", ROUNDS_DEFAULT);
	cleanup_strbuf struct strbuf seed = STRBUF_INIT;
	cleanup_free char *before = NULL;
	unsigned long taken = 0;

	world_on_tmpfs(world, "size=64m");
	build_seed(&seed);
	put_file(world->fd, "canary", "safe");
	assert_int_equal(dir_make(world->engine.data_fd, "images/blobs/sha256", 0700, NULL), 0);
	assert_int_equal(dir_make(world->engine.data_fd, "layers", 0700, NULL), 0);
	for (unsigned long round = 0; round < rounds; round++) {
		cleanup_strbuf struct strbuf tar = STRBUF_INIT;
		cleanup_image struct image *image = NULL;
		cleanup_free char *canary = NULL;
		struct image_removal removal = { 0 };

		strbuf_add(&tar, seed.data, seed.length);
		mutate(&random, &tar);
		if (import_bytes(world, &tar, "t", &image, NULL) == 0) {
			cleanup_strv char **paths = NULL;

			taken++;
			assert_int_equal(image_layer_paths(&world->engine, image, &paths, NULL), 0);
			assert_int_equal(image_remove(&world->engine, "t", true, NULL, NULL, NULL,
						 &removal, NULL),
				0);
			image_removal_release(&removal);
		}
		/* the index is there from the first image on, and empty */
		tree_remove(world->engine.data_fd, "images/index.json", NULL);
		tree_remove(world->engine.data_fd, "images/oci-layout", NULL);
		if (!before)
			before = describe_names(world);
		assert_same(world, before, round);
		canary = get_file(world->fd, "canary");
		assert_string_equal(canary, "safe");
	}
	/* Both ways are walked, or the mutations are of no use. */
	print_message("%lu of %lu taken\n", taken, rounds);
	assert_true(taken > rounds / 10 && taken < rounds - rounds / 10);
}

static void row_8_7_mutated_documents_are_errors_or_whole_images(void **state)
{
	static const struct layer_entries layers[] = { { { TAR_FILE("a", "1") } } };
	static const char interesting[] = "{}[]\",:\\0-9eEnulltrue\xff/.@";
	struct world *world = *state;
	struct random random = { from_environment("MYCOMPOSE_SEED", 88172645463325252UL) };
	unsigned long rounds = from_environment("MYCOMPOSE_ROUNDS", ROUNDS_DEFAULT);

	world_on_tmpfs(world, "size=64m");
	for (unsigned long round = 0; round < rounds; round++) {
		cleanup_strbuf struct strbuf archive = STRBUF_INIT;
		cleanup_strv char **names = NULL;
		struct parts parts = { 0 };
		struct strbuf *spoiled;

		build_parts(&parts, layers, 1);
		spoiled = (struct strbuf *[]){ &parts.config, &parts.manifest,
			&parts.index }[round % 3];
		for (uint32_t i = next_random(&random, 3) + 1; i > 0; i--)
			spoiled->data[next_random(&random, (uint32_t)spoiled->length)] =
				interesting[next_random(&random, sizeof(interesting) - 1)];
		/* digests of what is spoiled are right again, so that it is really read */
		if (spoiled == &parts.config)
			build_manifest(&parts);
		if (spoiled != &parts.index)
			build_index(&parts);
		oci_archive(&archive, &parts);
		parts_release(&parts);
		if (load_bytes(world, &archive, &names, NULL) == 0) {
			cleanup_image struct image *image = NULL;

			assert_int_equal(image_find(&world->engine, names[0], &image, NULL), 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(row_7_10_mutated_tars_are_errors_or_whole_images),
		world_test(row_8_7_mutated_documents_are_errors_or_whole_images),
	};

	return cmocka_run_group_tests_name("mutation", tests, own_mounts, NULL);
}
