/* SPDX-License-Identifier: GPL-2.0-or-later
 * volume_test.c - volumes: made once, filled once, removed only when nobody needs them. */
#include "engine/container/volume.h"

#include <sys/inotify.h>

#include "engine/container/records.h"

#include "support.h"

static void create(const struct engine *engine, const char *name)
{
	cleanup_error struct error err = ERROR_INIT;

	check_ok(volume_create(engine, name, NULL, false, &err), &err);
}

static struct volume *find(const struct engine *engine, const char *name)
{
	cleanup_error struct error err = ERROR_INIT;
	struct volume *volume = NULL;

	check_ok(volume_find(engine, name, &volume, &err), &err);
	return volume;
}

/* A directory as an image could have it. */
static int source(struct world *world)
{
	int fd = dir_make_open(world->engine.run_fd, "source", 0750, NULL);

	assert_true(fd >= 0);
	assert_int_equal(dir_make(fd, "dir/sub", 0755, NULL), 0);
	write_file(fd, "a", "image's a");
	write_file(fd, "b", "image's b");
	write_file(fd, "dir/sub/c", "image's c");
	assert_int_equal(fchown(fd, 999, 998), 0);
	return fd;
}

static void expect_content(const struct engine *engine, const char *path, const char *text)
{
	cleanup_free char *content = NULL;
	cleanup_error struct error err = ERROR_INIT;

	check_ok(file_read(engine->data_fd, path, 1000, &content, NULL, &err), &err);
	assert_string_equal(content, text);
}

static void check_filled(const struct engine *engine, const char *name)
{
	cleanup_free char *a = xasprintf("volumes/%s/_data/a", name);
	cleanup_free char *b = xasprintf("volumes/%s/_data/b", name);
	cleanup_free char *c = xasprintf("volumes/%s/_data/dir/sub/c", name);
	cleanup_free char *data = xasprintf("volumes/%s/_data", name);
	cleanup_free char *part = xasprintf("volumes/%s/_fill.part", name);
	cleanup_free char *whole = xasprintf("volumes/%s/_fill", name);
	struct volume *volume = find(engine, name);
	struct stat st;

	expect_content(engine, a, "image's a");
	expect_content(engine, b, "image's b");
	expect_content(engine, c, "image's c");
	assert_int_equal(fstatat(engine->data_fd, data, &st, 0), 0);
	assert_int_equal(st.st_uid, 999);
	assert_int_equal(st.st_gid, 998);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_false(exists(engine, part) || exists(engine, whole));
	assert_true(volume->populated);
	volume_free(volume);
}

static void created_and_found(void **state)
{
	struct world *world = *state;
	char *const labels[] = { (char *)"a=b", NULL };
	struct volume *volume;
	cleanup_free char *mountpoint = xasprintf("%s/volumes/data/_data", world->engine.data_path);
	cleanup_fd int fd = -1;

	assert_int_equal(volume_create(&world->engine, "data", labels, false, NULL), 0);
	assert_int_equal(volume_create(&world->engine, "data", NULL, true, NULL), 0);
	volume = find(&world->engine, "data");
	assert_string_equal(volume->name, "data");
	assert_string_equal(volume->labels[0], "a=b"); /* an existing one is left as it is */
	assert_false(volume->anonymous || volume->populated);
	assert_string_equal(volume->mountpoint, mountpoint);
	assert_true(volume->created_ns > 0);
	volume_free(volume);
	fd = volume_open(&world->engine, "data", NULL);
	assert_true(fd >= 0);
	write_file(fd, "f", "x");
	assert_true(exists(&world->engine, "volumes/data/_data/f"));
}

static void listed_by_name(void **state)
{
	struct world *world = *state;
	struct volume **list;
	size_t count;

	assert_int_equal(volume_list(&world->engine, &list, &count, NULL), 0);
	assert_int_equal(count, 0);
	create(&world->engine, "b");
	create(&world->engine, "a");
	assert_int_equal(volume_list(&world->engine, &list, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_string_equal(list[0]->name, "a");
	assert_string_equal(list[1]->name, "b");
	volume_list_free(list, count);
}

static void row_6_4_names_that_are_paths_are_refused(void **state)
{
	struct world *world = *state;
	static const char *const names[] = { "", ".", "..", "a/b", "../x", "/x", ".x", "_x", "a b",
		"a\nb" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		cleanup_error struct error err = ERROR_INIT;
		struct volume *volume;

		assert_int_equal(
			volume_create(&world->engine, names[i], NULL, false, &err), -EINVAL);
		assert_non_null(strstr(error_text(&err), "includes invalid characters"));
		assert_int_equal(volume_find(&world->engine, names[i], &volume, NULL), -ENOENT);
		assert_int_equal(volume_open(&world->engine, names[i], NULL), -ENOENT);
		assert_int_equal(volume_remove(&world->engine, names[i], NULL, NULL), -ENOENT);
	}
}

static void row_6_5_modes(void **state)
{
	struct world *world = *state;
	static const struct {
		const char *path;
		mode_t mode;
	} cases[] = {
		{ "volumes", 0700 },
		{ "volumes/data", 0700 },
		{ "volumes/data/_data", 0755 },
		{ "volumes/data/volume.json", 0600 },
	};
	mode_t old = umask(077);

	create(&world->engine, "data");
	umask(old);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct stat st;

		assert_int_equal(fstatat(world->engine.data_fd, cases[i].path, &st, 0), 0);
		assert_int_equal(st.st_mode & 07777, cases[i].mode);
	}
}

static void removed_only_when_no_record_names_it(void **state)
{
	struct world *world = *state;
	cleanup_container struct container *c = container_called("web", "g");
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *in_use = xasprintf("remove data: volume is in use - [%s]", c->id);

	add_volume(c, "data", false);
	check_ok(container_create(&world->engine, c, &err), &err);
	assert_true(exists(&world->engine, "volumes/data/_data")); /* made with the container */
	assert_int_equal(volume_remove(&world->engine, "data", NULL, &err), -EBUSY);
	assert_string_equal(error_text(&err), in_use);
	assert_true(exists(&world->engine, "volumes/data/_data"));
	check_ok(container_remove(&world->engine, c, true, NULL, &err), &err);
	check_ok(volume_remove(&world->engine, "data", NULL, &err), &err);
	assert_false(exists(&world->engine, "volumes/data"));
	check_no_leftovers(&world->engine, "volumes");
	assert_int_equal(volume_remove(&world->engine, "data", NULL, &err), -ENOENT);
	assert_string_equal(error_text(&err), "get data: no such volume");
}

static void data_that_a_damaged_record_may_name_is_kept(void **state)
{
	struct world *world = *state;
	cleanup_container struct container *c = container_called("web", "g");
	cleanup_free char *path = xasprintf("containers/%s/config.json", c->id);
	cleanup_error struct error err = ERROR_INIT;

	add_volume(c, "data", false);
	check_ok(container_create(&world->engine, c, &err), &err);
	write_file(world->engine.data_fd, path, "{\"version\":2,\"mounts\":\"elsewhere\"}");
	assert_int_equal(volume_remove(&world->engine, "data", NULL, &err), -EBUSY);
	assert_non_null(strstr(error_text(&err), c->id));
	assert_true(exists(&world->engine, "volumes/data/_data"));
}

static void data_that_a_record_names_meanwhile_is_kept(void **state)
{
	struct world *world = *state;
	const struct engine *engine = &world->engine;
	cleanup_volume_users struct volume_users *users = volume_users_new();
	cleanup_container struct container *a = container_called("a", "g");
	cleanup_container struct container *b = container_called("b", "g");
	cleanup_free char *path = xasprintf("containers/%s/config.json", a->id);

	check_ok(container_create(engine, a, NULL), NULL);
	for (int i = 0; i < 3; i++)
		create(&world->engine, (const char *const[]){ "one", "two", "three" }[i]);
	check_ok(volume_remove(engine, "one", users, NULL), NULL);
	add_volume(b, "two", false);
	check_ok(container_create(engine, b, NULL), NULL);
	assert_int_equal(volume_remove(engine, "two", users, NULL), -EBUSY);
	check_ok(container_remove(engine, b, false, users, NULL), NULL);
	check_ok(volume_remove(engine, "two", users, NULL), NULL);
	write_file(engine->data_fd, path, "{\"version\":1,");
	assert_int_equal(volume_remove(engine, "three", users, NULL), -EBUSY);
	assert_true(exists(engine, "volumes/three/_data"));
}

/* How often the file has been opened since it is watched. */
static size_t count_opens(int watch_fd)
{
	struct inotify_event events[64];
	ssize_t n = read(watch_fd, events, sizeof(events));

	return n < 0 ? 0 : (size_t)n / sizeof(*events);
}

static void a_series_of_removals_reads_each_record_once(void **state)
{
	enum { VOLUMES = 10 };
	struct world *world = *state;
	const struct engine *engine = &world->engine;
	cleanup_volume_users struct volume_users *users = volume_users_new();
	cleanup_container struct container *bystander = container_called("web", "g");
	cleanup_container struct container *c = container_called("db", "g");
	cleanup_free char *path =
		xasprintf("%s/containers/%s/config.json", engine->data_path, bystander->id);
	cleanup_fd int watch_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	check_ok(container_create(engine, bystander, NULL), NULL);
	for (int i = 0; i < VOLUMES; i++) {
		cleanup_free char *anonymous = xasprintf("anonymous%d", i);
		cleanup_free char *named = xasprintf("named%d", i);

		create(&world->engine, named);
		add_volume(c, anonymous, true);
	}
	check_ok(container_create(engine, c, NULL), NULL);
	/* The kernel merges equal events only while nothing lies between them. */
	assert_true(inotify_add_watch(watch_fd, path, IN_OPEN | IN_CLOSE) >= 0);
	check_ok(container_remove(engine, c, true, users, NULL), NULL);
	assert_false(exists(engine, "volumes/anonymous0"));
	for (int i = 0; i < VOLUMES; i++) {
		cleanup_free char *named = xasprintf("named%d", i);

		check_ok(volume_remove(engine, named, users, NULL), NULL);
	}
	assert_int_equal(count_opens(watch_fd), 2); /* opened, closed */
}

static void row_13_5_a_bad_volume_harms_no_other(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *message;
	} cases[] = {
		{ "", -EBADMSG, "volumes/bad/volume.json: the file is empty" },
		{ "{\"version\":1", -EBADMSG, "volumes/bad/volume.json: " },
		{ "{\"version\":1,\"name\":\"bad\"}", -EBADMSG,
			"volumes/bad/volume.json: 'created': missing" },
		{ "{\"version\":2}", -ENOTSUP, "written by a newer mycompose" },
		{ NULL, -EBADMSG, "volumes/bad/volume.json: missing" },
	};
	struct world *world = *state;

	create(&world->engine, "bad");
	create(&world->engine, "good");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_error struct error err = ERROR_INIT;
		struct volume *volume = NULL, **list;
		size_t count;

		if (cases[i].text)
			write_file(world->engine.data_fd, "volumes/bad/volume.json", cases[i].text);
		else
			unlinkat(world->engine.data_fd, "volumes/bad/volume.json", 0);
		assert_int_equal(volume_find(&world->engine, "bad", &volume, &err), cases[i].code);
		assert_non_null(strstr(error_text(&err), cases[i].message));
		assert_int_equal(volume_list(&world->engine, &list, &count, NULL), 0);
		assert_int_equal(count, 1);
		assert_string_equal(list[0]->name, "good");
		volume_list_free(list, count);
	}
	assert_int_equal(volume_remove(&world->engine, "bad", NULL, NULL), 0);
}

static void filled_once_from_the_image(void **state)
{
	struct world *world = *state;
	cleanup_fd int src_fd = source(world), data_fd = -1;
	cleanup_error struct error err = ERROR_INIT;
	struct stat before, after;

	create(&world->engine, "data");
	data_fd = volume_open(&world->engine, "data", NULL);
	assert_int_equal(fstat(data_fd, &before), 0);
	check_ok(volume_populate(&world->engine, "data", src_fd, &err), &err);
	check_filled(&world->engine, "data");
	assert_int_equal(fstatat(world->engine.data_fd, "volumes/data/_data", &after, 0), 0);
	assert_true(before.st_ino == after.st_ino); /* somebody may have it mounted */

	/* What the user deletes does not come back. */
	assert_int_equal(unlinkat(world->engine.data_fd, "volumes/data/_data/a", 0), 0);
	check_ok(volume_populate(&world->engine, "data", src_fd, &err), &err);
	assert_false(exists(&world->engine, "volumes/data/_data/a"));
}

static void what_is_in_it_already_is_left_alone(void **state)
{
	struct world *world = *state;
	cleanup_fd int src_fd = source(world);
	struct volume *volume;

	create(&world->engine, "data");
	write_file(world->engine.data_fd, "volumes/data/_data/a", "mine");
	assert_int_equal(volume_populate(&world->engine, "data", src_fd, NULL), 0);
	expect_content(&world->engine, "volumes/data/_data/a", "mine");
	assert_false(exists(&world->engine, "volumes/data/_data/b"));
	volume = find(&world->engine, "data");
	assert_true(volume->populated);
	volume_free(volume);
}

static void an_empty_image_directory_gives_its_owner(void **state)
{
	struct world *world = *state;
	cleanup_fd int src_fd = dir_make_open(world->engine.run_fd, "empty", 01777, NULL);
	struct stat st;

	assert_int_equal(fchown(src_fd, 70, 70), 0);
	create(&world->engine, "data");
	assert_int_equal(volume_populate(&world->engine, "data", src_fd, NULL), 0);
	assert_int_equal(fstatat(world->engine.data_fd, "volumes/data/_data", &st, 0), 0);
	assert_int_equal(st.st_uid, 70);
	assert_int_equal(st.st_mode & 07777, 01777);
}

static void row_6_2_a_link_to_a_host_file_stays_a_link(void **state)
{
	struct world *world = *state;
	cleanup_fd int src_fd = dir_make_open(world->engine.run_fd, "source", 0755, NULL);
	char target[64] = "";

	assert_int_equal(symlinkat("/etc/shadow", src_fd, "shadow"), 0);
	assert_int_equal(symlinkat("/etc", src_fd, "etc"), 0);
	create(&world->engine, "data");
	assert_int_equal(volume_populate(&world->engine, "data", src_fd, NULL), 0);
	assert_true(readlinkat(world->engine.data_fd, "volumes/data/_data/shadow", target,
			    sizeof(target) - 1) > 0);
	assert_string_equal(target, "/etc/shadow");
	assert_int_equal(readlinkat(world->engine.data_fd, "volumes/data/_data/etc", target,
				 sizeof(target) - 1),
		4);
}

struct job {
	const struct engine *engine;
	int src_fd;
};

static int do_populate(void *arg)
{
	struct job *job = arg;

	return volume_populate(job->engine, "data", job->src_fd, NULL);
}

static int do_create(void *arg)
{
	struct job *job = arg;

	return volume_create(job->engine, "data", NULL, false, NULL);
}

static int do_remove(void *arg)
{
	struct job *job = arg;

	return volume_remove(job->engine, "data", NULL, NULL);
}

static void row_13_1_filling_killed_anywhere_is_finished_by_the_next(void **state)
{
	struct world *world = *state;
	cleanup_fd int src_fd = source(world);
	struct job job = { &world->engine, src_fd };
	bool finished = false;

	for (unsigned int n = 0; !finished; n++) {
		create(&world->engine, "data");
		finished = killed_at(n, do_populate, &job);
		check_ok(volume_populate(&world->engine, "data", src_fd, NULL), NULL);
		check_filled(&world->engine, "data");
		check_ok(volume_remove(&world->engine, "data", NULL, NULL), NULL);
	}
}

static void row_13_1_creation_and_removal_killed_anywhere_leave_whole_or_gone(void **state)
{
	struct world *world = *state;
	struct job job = { &world->engine, -1 };
	bool created = false, removed = false;

	for (unsigned int n = 0; !created || !removed; n++) {
		created = killed_at(n, do_create, &job);
		check_ok(container_sweep(&world->engine, NULL), NULL);
		check_no_leftovers(&world->engine, "volumes");
		if (!exists(&world->engine, "volumes/data"))
			create(&world->engine, "data");
		volume_free(find(&world->engine, "data"));
		write_file(world->engine.data_fd, "volumes/data/_data/f", "x");

		removed = killed_at(n, do_remove, &job);
		check_ok(container_sweep(&world->engine, NULL), NULL);
		check_no_leftovers(&world->engine, "volumes");
		if (!exists(&world->engine, "volumes/data"))
			continue;
		expect_content(&world->engine, "volumes/data/_data/f", "x");
		check_ok(volume_remove(&world->engine, "data", NULL, NULL), NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(created_and_found),
		world_test(listed_by_name),
		world_test(row_6_4_names_that_are_paths_are_refused),
		world_test(row_6_5_modes),
		world_test(removed_only_when_no_record_names_it),
		world_test(data_that_a_damaged_record_may_name_is_kept),
		world_test(data_that_a_record_names_meanwhile_is_kept),
		world_test(a_series_of_removals_reads_each_record_once),
		world_test(row_13_5_a_bad_volume_harms_no_other),
		world_test(filled_once_from_the_image),
		world_test(what_is_in_it_already_is_left_alone),
		world_test(an_empty_image_directory_gives_its_owner),
		world_test(row_6_2_a_link_to_a_host_file_stays_a_link),
		world_test(row_13_1_filling_killed_anywhere_is_finished_by_the_next),
		world_test(row_13_1_creation_and_removal_killed_anywhere_leave_whole_or_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
