/* SPDX-License-Identifier: GPL-2.0-or-later
 * tar_reader_test.c - headers that lie: lengths, sizes, sparse maps, compression. */
#include <sys/statvfs.h>
#include <time.h>

#include "support.h"

#include "engine/image/tarball.h"

#define EMPTY_STORE "images/\nimages/blobs/\nimages/blobs/sha256/\nlayers/\n"

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* An error, told quickly, with nothing left behind. */
static void assert_refused(const struct world *world, const struct strbuf *tar, const char *what)
{
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *names = NULL;
	struct image *image = NULL;
	double start = seconds();

	if (import_bytes(world, tar, "t", &image, &err) >= 0)
		fail_msg("%s was taken", what);
	if (seconds() - start > 5)
		fail_msg("%s took %.1f s", what, seconds() - start);
	names = describe_names(world);
	if (strcmp(names, EMPTY_STORE) != 0)
		fail_msg("%s left behind:\n%s", what, names);
}

static void assert_taken(const struct world *world, const struct strbuf *tar, const char *what)
{
	cleanup_error struct error err = ERROR_INIT;
	cleanup_image struct image *image = NULL;

	if (import_bytes(world, tar, "t", &image, &err) < 0)
		fail_msg("%s: %s", what, error_text(&err));
}

static char *repeat(const char *text, size_t count)
{
	struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; i < count; i++)
		strbuf_add_str(&out, text);
	return strbuf_steal(&out);
}

enum long_form { FORM_PAX, FORM_GNU };

static void add_long(struct strbuf *tar, enum long_form form, const char *name)
{
	if (form == FORM_PAX)
		tar_pax_text(tar, "path", name);
	else
		tar_add(tar, (struct tar_raw){ .name = "././@LongLink",
				     .type = 'L',
				     .data = name,
				     .length = strlen(name) + 1 });
	tar_add(tar, (struct tar_raw)TAR_FILE("short", "x"));
	tar_end(tar);
}

static void row_7_9_long_names_are_bounded(void **state)
{
	static const struct {
		const char *part;
		size_t count;
		bool is_taken;
	} rows[] = {
		{ "n", 255, true },
		{ "n", 256, false },
		{ "d/", 2000, true },
		{ "dd/ee/", 600, true },
		{ "d/", 2100, false },
		{ "n", 1 << 20, false },
		{ "n", 4 << 20, false },
		{ "d/", 2 << 20, false },
		{ "x/./", 1000, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (enum long_form form = FORM_PAX; form <= FORM_GNU; form++) {
			struct world *world = world_new();
			cleanup_free char *name = repeat(rows[i].part, rows[i].count);
			cleanup_strbuf struct strbuf tar = STRBUF_INIT;
			cleanup_free char *what = xasprintf("row %zu, form %d", i, (int)form);

			/* a path that ends in '/' is a directory for some readers */
			if (name[strlen(name) - 1] == '/')
				name[strlen(name) - 1] = '\0';
			add_long(&tar, form, name);
			if (rows[i].is_taken)
				assert_taken(world, &tar, what);
			else
				assert_refused(world, &tar, what);
			assert_int_equal(world_free(world), 0);
		}
	}
	(void)state;
}

static void row_7_9_chains_of_special_headers_do_not_recurse(void **state)
{
	const struct world *world = *state;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;

	for (int i = 0; i < 50000; i++)
		tar_add(&tar,
			(struct tar_raw){ .name = "././@LongLink", .type = 'L', .data = "a" });
	tar_add(&tar, (struct tar_raw)TAR_FILE("f", "x"));
	tar_end(&tar);
	assert_refused(world, &tar, "50000 long-name headers");
}

static void row_7_10_sizes_that_lie_are_errors(void **state)
{
	static const char negative[12] = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xf0";
	static const char above_int64[12] = "\x80\0\0\0\x80\0\0\0\0\0\0\0";
	static const char above_uint64[12] = "\x80\0\1\0\0\0\0\0\0\0\0\0";
	static const char beyond_stream[12] = "00010000000";
	static const char far_beyond[12] = "\x80\0\0\0\0\x10\0\0\0\0\0\0";
	static const char *const fields[] = { negative, above_int64, above_uint64, beyond_stream,
		far_beyond };
	const struct world *world = *state;

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		cleanup_strbuf struct strbuf tar = STRBUF_INIT;
		cleanup_free char *what = xasprintf("size %zu", i);

		tar_add(&tar, (struct tar_raw){ .name = "f", .data = "x", .size = fields[i] });
		tar_end(&tar);
		assert_refused(world, &tar, what);
	}
}

static void row_7_10_pax_sizes_that_lie_are_errors(void **state)
{
	static const char *const sizes[] = { "-1", "9223372036854775807", "18446744073709551616",
		"100000" };
	const struct world *world = *state;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		cleanup_strbuf struct strbuf tar = STRBUF_INIT;

		tar_pax_text(&tar, "size", sizes[i]);
		tar_add(&tar, (struct tar_raw)TAR_FILE("f", "content"));
		tar_end(&tar);
		assert_refused(world, &tar, sizes[i]);
	}
}

static void row_7_10_checksum_is_verified(void **state)
{
	const struct world *world = *state;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;

	tar_add(&tar, (struct tar_raw)TAR_FILE("a", "x"));
	tar_add(&tar, (struct tar_raw){ .name = "b", .data = "x", .bad_checksum = true });
	tar_end(&tar);
	assert_refused(world, &tar, "bad checksum");
}

static void row_7_10_truncated_tar_is_an_error_at_every_length(void **state)
{
	const struct world *world = *state;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;

	tar_add(&tar, (struct tar_raw)TAR_DIR("d"));
	tar_pax_text(&tar, "path", "d/file");
	tar_add(&tar, (struct tar_raw)TAR_FILE("f", "content"));
	tar_add(&tar, (struct tar_raw)TAR_LINK("l", "d"));
	for (size_t length = 0; length <= tar.length; length += 100) {
		struct strbuf part = { tar.data, length, 0 };
		cleanup_free char *what = xasprintf("%zu bytes of %zu", length, tar.length);

		assert_refused(world, &part, what);
	}
	/* all entries, but nothing that says so */
	assert_refused(world, &tar, "a tar without end");
	tar_end(&tar);
	assert_taken(world, &tar, "the whole");
}

static void what_is_no_tar_is_an_error(void **state)
{
	static const char *const texts[] = { "", "x", "PK\3\4", "\x1f\x8b", "\x28\xb5\x2f\xfd",
		"BZh9" };
	const struct world *world = *state;
	cleanup_free char *garbage = repeat("garbage ", 10000);

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct strbuf bytes = { (char *)(uintptr_t)texts[i], strlen(texts[i]), 0 };

		assert_refused(world, &bytes, texts[i]);
	}
	struct strbuf bytes = { garbage, strlen(garbage), 0 };

	assert_refused(world, &bytes, "garbage");
}

/* A PAX 1.0 sparse file: its map stands before its data. */
static void add_sparse(struct strbuf *tar, const char *real_size, const char *map, const char *data)
{
	cleanup_strbuf struct strbuf records = STRBUF_INIT;
	cleanup_strbuf struct strbuf content = STRBUF_INIT;

	tar_pax_record(&records, "GNU.sparse.major", "1", 1);
	tar_pax_record(&records, "GNU.sparse.minor", "0", 1);
	tar_pax_record(&records, "GNU.sparse.name", "sparse", 6);
	tar_pax_record(&records, "GNU.sparse.realsize", real_size, strlen(real_size));
	tar_pax(tar, &records);
	strbuf_add_str(&content, map);
	tar_pad(&content, content.length);
	strbuf_add_str(&content, data);
	tar_add(tar, (struct tar_raw){ .name = "GNUSparseFile.0/sparse",
			     .data = content.data,
			     .length = content.length });
	tar_end(tar);
}

static void row_7_11_sparse_maps_are_checked(void **state)
{
	static const struct {
		const char *real_size, *map, *data;
	} rows[] = {
		{ "9223372036854775807", "1\n0\n5\n", "hello" },
		{ "1000000000000000", "1\n0\n5\n", "hello" },
		{ "1000", "2\n100\n5\n0\n5\n", "helloworld" },
		{ "1000", "2\n0\n5\n3\n5\n", "helloworld" },
		{ "1000", "1\n998\n5\n", "hello" },
		{ "1000", "1\n9223372036854775807\n5\n", "hello" },
		{ "1000", "1\n-5\n5\n", "hello" },
		{ "1000", "99999999999\n0\n5\n", "hello" },
		{ "-1", "1\n0\n5\n", "hello" },
	};
	const struct world *world = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_strbuf struct strbuf tar = STRBUF_INIT;
		cleanup_free char *what = xasprintf("sparse row %zu", i);

		add_sparse(&tar, rows[i].real_size, rows[i].map, rows[i].data);
		assert_refused(world, &tar, what);
	}
}

static void row_7_11_honest_sparse_files_keep_their_holes(void **state)
{
	const struct world *world = *state;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	cleanup_image struct image *image = NULL;
	cleanup_error struct error err = ERROR_INIT;
	char buf[6] = "";
	struct stat st;
	int fd, dir_fd;

	add_sparse(&tar, "16777216", "2\n0\n5\n8388608\n5\n", "helloworld");
	assert_ok(import_bytes(world, &tar, "t", &image, &err), &err);
	dir_fd = open_top_layer(world, image);
	fd = openat(dir_fd, "sparse", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 16777216);
	assert_true(st.st_blocks * 512 < 1 << 20);
	assert_int_equal(pread(fd, buf, 5, 8388608), 5);
	assert_string_equal(buf, "world");
	assert_int_equal(pread(fd, buf, 5, 4000000), 5);
	assert_memory_equal(buf, "\0\0\0\0\0", 5);
	close(fd);
	close(dir_fd);
}

/* Run a filter of the machine over a file's bytes. */
static void filter(const char *command, const char *in, const char *out)
{
	cleanup_free char *line = xasprintf("%s <%s >%s", command, in, out);

	assert_int_equal(system(line), 0);
}

static int import_file(const struct world *world, const char *name, struct error *err)
{
	cleanup_image struct image *image = NULL;
	int fd = openat(world->fd, name, O_RDONLY | O_CLOEXEC);
	int r = image_import(&world->engine, fd, name, "t", NULL, NULL, &image, err);

	close(fd);
	return r;
}

static void every_compression_gives_the_same_layer(void **state)
{
	static const char *const commands[] = { "cat", "gzip", "bzip2", "xz", "zstd",
		"sh -c 'head -c 700 in | gzip; tail -c +701 in | gzip'" };
	const struct world *world = *state;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	cleanup_free char *first = NULL;
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	tar_add(&tar, (struct tar_raw)TAR_FILE("f", "content"));
	tar_end(&tar);
	assert_int_equal(fchdir(world->fd), 0);
	assert_int_equal(
		file_replace(world->fd, "in", tar.data, tar.length, 0600, FILE_VOLATILE, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		cleanup_image struct image *image = NULL;
		cleanup_error struct error err = ERROR_INIT;

		filter(commands[i], "in", "out");
		if (import_file(world, "out", &err) < 0)
			fail_msg("%s: %s", commands[i], error_text(&err));
		assert_ok(image_find(&world->engine, "t", &image, &err), &err);
		if (!first)
			first = xstrdup(image->chain_ids[0]);
		assert_string_equal(image->chain_ids[0], first);
	}
	assert_int_equal(fchdir(fd), 0);
	close(fd);
}

static void row_7_10_truncated_compression_is_an_error(void **state)
{
	static const char *const commands[] = { "gzip", "bzip2", "xz", "zstd" };
	const struct world *world = *state;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; i < 200; i++) {
		cleanup_free char *name = xasprintf("file-%d-%d", i, i * 7919);

		tar_add(&tar, (struct tar_raw)TAR_FILE(name, name));
	}
	tar_end(&tar);
	assert_int_equal(fchdir(world->fd), 0);
	assert_int_equal(
		file_replace(world->fd, "in", tar.data, tar.length, 0600, FILE_VOLATILE, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		cleanup_error struct error err = ERROR_INIT;
		struct stat st;

		filter(commands[i], "in", "out");
		assert_int_equal(fstatat(world->fd, "out", &st, 0), 0);
		assert_int_equal(truncate("out", st.st_size / 2), 0);
		if (import_file(world, "out", &err) >= 0)
			fail_msg("half a %s file was taken", commands[i]);
	}
	assert_int_equal(fchdir(fd), 0);
	close(fd);
}

/* 10 GiB of zeros: one gzip member of 16 MiB, 640 times. */
static void row_7_12_decompression_stops_and_gives_the_space_back(void **state)
{
	const struct world *world = *state;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *names = NULL;
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	double start;

	tar_add(&tar, (struct tar_raw){ .name = "zeros", .size = "\x80\0\0\0\0\0\0\2\x80\0\0\0" });
	assert_int_equal(fchdir(world->fd), 0);
	assert_int_equal(
		file_replace(world->fd, "in", tar.data, tar.length, 0600, FILE_VOLATILE, NULL), 0);
	filter("gzip", "in", "bomb");
	filter("sh -c 'head -c 16777216 /dev/zero | gzip'", "/dev/null", "member");
	filter("sh -c 'for i in $(seq 640); do cat member; done'", "/dev/null", "members");
	filter("cat bomb members", "/dev/null", "out");
	start = seconds();
	assert_int_equal(import_file(world, "out", &err), -EFBIG);
	assert_non_null(strstr(error_text(&err), "expands to more than"));
	assert_true(seconds() - start < 60);
	names = describe_names(world);
	assert_string_equal(names, EMPTY_STORE);
	assert_int_equal(fchdir(fd), 0);
	close(fd);
}

static void row_7_12_total_is_bounded(void **state)
{
	const struct tar_limits limits = {
		.max_bytes = 1 << 20, .ratio_floor = 1 << 30, .max_ratio = 1
	};
	cleanup_stream struct stream *stream = NULL;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *text = repeat("0123456789abcdef", 2 << 16);
	struct strbuf bytes = { text, strlen(text), 0 };
	int fd = memory_file(&bytes);
	const void *block;
	ssize_t length;

	(void)state;
	assert_ok(stream_open(&stream, fd, "test", COMPRESSION_ANY, &limits, &err), &err);
	while ((length = stream_next(stream, &block, &err)) > 0)
		;
	assert_int_equal(length, -EFBIG);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(row_7_9_long_names_are_bounded),
		world_test(row_7_9_chains_of_special_headers_do_not_recurse),
		world_test(row_7_10_sizes_that_lie_are_errors),
		world_test(row_7_10_pax_sizes_that_lie_are_errors),
		world_test(row_7_10_checksum_is_verified),
		world_test(row_7_10_truncated_tar_is_an_error_at_every_length),
		world_test(what_is_no_tar_is_an_error),
		world_test(row_7_11_sparse_maps_are_checked),
		world_test(row_7_11_honest_sparse_files_keep_their_holes),
		world_test(every_compression_gives_the_same_layer),
		world_test(row_7_10_truncated_compression_is_an_error),
		world_test(row_7_12_decompression_stops_and_gives_the_space_back),
		cmocka_unit_test(row_7_12_total_is_bounded),
	};

	return cmocka_run_group_tests_name("tar_reader", tests, NULL, NULL);
}
