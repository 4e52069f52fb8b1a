/* SPDX-License-Identifier: GPL-2.0-or-later
 * Users and groups out of an image's own files. */
#include "tests/unit/engine/container/support.h"

#include "engine/container/setup.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "# a comment\n"
			     "broken\n"
			     "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
			     "web:x:1000:100:Web,,,:/home/web:/bin/sh\n"
			     "nohome:x:1001:1001::relative:/bin/sh\n"
			     "huge:x:4294967295:1::/:/bin/sh\n";
static const char group[] = "root:x:0:\n"
			    "users:x:100:\n"
			    "disk:x:6:root,web\n"
			    "video:x:44:webmaster,web,x\n"
			    "audio:x:29:daemon\n"
			    "negative:x:-1:web\n";

/* "uid:gid [groups] home", or the message. */
static char *resolved(const struct world *world, const char *user, char *const *group_add)
{
	cleanup_fd int root_fd = openat(world->engine.data_fd, "root", O_PATH | O_CLOEXEC);
	cleanup_error struct error err = ERROR_INIT;
	struct process_user identity;
	struct strbuf text = STRBUF_INIT;

	assert_true(root_fd >= 0);
	if (user_resolve(root_fd, user, group_add, &identity, &err) < 0)
		return xstrdup(error_text(&err));
	strbuf_addf(&text, "%u:%u", identity.uid, identity.gid);
	for (size_t i = 0; i < identity.group_count; i++)
		strbuf_addf(&text, " %u", identity.groups[i]);
	strbuf_addf(&text, " %s", identity.home);
	process_user_release(&identity);
	return strbuf_steal(&text);
}

static void check_resolved(const struct world *world, const char *user, const char *expected)
{
	cleanup_free char *text = resolved(world, user, NULL);

	if (!strstr(text, expected) ||
		(strchr("0123456789", expected[0]) && strcmp(text, expected) != 0))
		fail_msg("user '%s': wanted %s, got %s", user ? user : "(none)", expected, text);
}

static void make_root(const struct world *world, const char *passwd_text, const char *group_text)
{
	assert_int_equal(dir_make(world->engine.data_fd, "root/etc", 0755, NULL), 0);
	if (passwd_text)
		write_file(world->engine.data_fd, "root/etc/passwd", passwd_text);
	if (group_text)
		write_file(world->engine.data_fd, "root/etc/group", group_text);
}

static void row_1_8_groups_come_from_the_image_only(void **state)
{
	static const struct {
		const char *user;
		const char *expected;
	} rows[] = {
		{ NULL, "0:0 6 /root" },
		{ "", "0:0 6 /root" },
		{ "root", "0:0 6 /root" },
		{ "web", "1000:100 6 44 /home/web" },
		{ "1000", "1000:100 6 44 /home/web" },
		{ "web:", "1000:100 6 44 /home/web" },
		{ "daemon", "1:1 29 /usr/sbin" },
		{ "nohome", "1001:1001 /" },
		{ "4321", "4321:0 /" },
		{ "web:disk", "1000:6 /home/web" },
		{ "web:7", "1000:7 /home/web" },
		{ "4321:4322", "4321:4322 /" },
		{ ":disk", "0:6 /root" },
	};
	struct world *world = *state;

	make_root(world, passwd, group);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_resolved(world, rows[i].user, rows[i].expected);
}

static void row_1_8_group_add_is_added(void **state)
{
	struct world *world = *state;
	char *const add[] = { (char *)"audio", (char *)"6", (char *)"777", NULL };
	char *const unknown[] = { (char *)"nogroup", NULL };
	cleanup_free char *text = NULL, *message = NULL;

	make_root(world, passwd, group);
	text = resolved(world, "web", add);
	assert_string_equal(text, "1000:100 6 44 29 777 /home/web");
	message = resolved(world, "web", unknown);
	assert_string_equal(
		message, "unable to find group nogroup: no matching entries in group file");
}

static void row_1_9_ids_are_numbers_that_setuid_takes(void **state)
{
	static const char *const bad[] = { "4294967295", "2147483648", "-1", "0x0", "1e3", "+1",
		"18446744073709551616" };
	struct world *world = *state;

	make_root(world, passwd, group);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		cleanup_free char *as_group = xasprintf("web:%s", bad[i]);

		check_resolved(world, bad[i], "ids are decimal numbers in 0..2147483647");
		check_resolved(world, as_group, "ids are decimal numbers in 0..2147483647");
	}
	check_resolved(world, "huge", "unable to find user huge");
	check_resolved(
		world, "nobody", "unable to find user nobody: no matching entries in passwd file");
	check_resolved(world, "2147483647", "2147483647:0 /");
}

static void row_1_9_the_files_are_looked_for_inside_the_root(void **state)
{
	struct world *world = *state;

	make_root(world, NULL, NULL);
	write_file(world->engine.data_fd, "outside", "web:x:0:0::/:\n");
	write_file(world->engine.data_fd, "root/inside", "web:x:5:6::/:\n");
	assert_int_equal(symlinkat("/inside", world->engine.data_fd, "root/etc/passwd"), 0);
	check_resolved(world, "web", "5:6 /");
	assert_int_equal(unlinkat(world->engine.data_fd, "root/etc/passwd", 0), 0);
	assert_int_equal(symlinkat("../../outside", world->engine.data_fd, "root/etc/passwd"), 0);
	check_resolved(world, "web", "unable to find user web");
	assert_int_equal(unlinkat(world->engine.data_fd, "root/etc/passwd", 0), 0);
	assert_int_equal(symlinkat("/proc/self/fd/0", world->engine.data_fd, "root/etc/passwd"), 0);
	check_resolved(world, "web", "unable to find user web");
}

static void row_1_9_special_files_are_refused_and_do_not_hang(void **state)
{
	struct world *world = *state;

	make_root(world, NULL, NULL);
	assert_int_equal(mkfifoat(world->engine.data_fd, "root/etc/passwd", 0600), 0);
	check_resolved(world, "web", "etc/passwd is not a regular file");
	assert_int_equal(unlinkat(world->engine.data_fd, "root/etc/passwd", 0), 0);
	assert_int_equal(dir_make(world->engine.data_fd, "root/etc/passwd", 0755, NULL), 0);
	check_resolved(world, "web", "etc/passwd is not a regular file");
}

static void row_1_9_size_and_line_length_are_bounded(void **state)
{
	struct world *world = *state;
	cleanup_fd int fd = -1;
	cleanup_free char *line = xmalloc(1 << 20);

	make_root(world, passwd, NULL);
	fd = openat(world->engine.data_fd, "root/etc/group", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	memset(line, 'a', 1 << 20);
	for (size_t i = 63; i < 1 << 20; i += 64)
		line[i] = '\n';
	for (int i = 0; i < 10; i++)
		assert_int_equal(write(fd, line, 1 << 20), 1 << 20);
	check_resolved(world, "web", "etc/group is larger than 8 MiB");
	check_resolved(world, "4321", "4321:0 /"); /* needs no group file */
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	memset(line, 'a', 1 << 20);
	assert_int_equal(write(fd, line, 1 << 20), 1 << 20);
	check_resolved(world, "web", "etc/group has a line of more than 64 KiB");
}

static void row_15_2_without_files_numbers_work(void **state)
{
	struct world *world = *state;

	assert_int_equal(dir_make(world->engine.data_fd, "root", 0755, NULL), 0);
	check_resolved(world, NULL, "0:0 /");
	check_resolved(world, "1000:1000", "1000:1000 /");
	check_resolved(world, "web", "unable to find user web");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		world_test(row_1_8_groups_come_from_the_image_only),
		world_test(row_1_8_group_add_is_added),
		world_test(row_1_9_ids_are_numbers_that_setuid_takes),
		world_test(row_1_9_the_files_are_looked_for_inside_the_root),
		world_test(row_1_9_special_files_are_refused_and_do_not_hang),
		world_test(row_1_9_size_and_line_length_are_bounded),
		world_test(row_15_2_without_files_numbers_work),
	};

	return cmocka_run_group_tests_name("user", tests, NULL, NULL);
}
