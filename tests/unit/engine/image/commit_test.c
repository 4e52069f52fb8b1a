/* SPDX-License-Identifier: GPL-2.0-or-later
 * commit_test.c - an image made of a container shows the container's files, to the last attribute.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include "archive_bytes.h"

static const struct layer_entries base[] = { {
	{ { .name = "./", .type = '5', .mode = 0755 }, TAR_DIR("etc"), TAR_FILE("etc/keep", "1"),
		TAR_FILE("etc/gone", "1"), TAR_DIR("opaque"), TAR_FILE("opaque/old", "1"),
		TAR_DIR("away"), TAR_FILE("away/x", "1") },
} };

/* What a container does to its files. */
static void use_container(int fd, const char *merged)
{
	static const char capability[20] = { 0, 0, 0, 2, 0, 0x20 };
	cleanup_free char *socket_path = xasprintf("%s/socket", merged);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timespec times[2] = { { 1, 2 }, { 1234567890, 123456789 } };
	int file_fd, socket_fd;

	put_file(fd, "new", "content");
	assert_int_equal(linkat(fd, "new", fd, "etc/hard", 0), 0);
	assert_int_equal(linkat(fd, "new", fd, "etc/harder", 0), 0);
	assert_int_equal(unlinkat(fd, "etc/gone", 0), 0);
	assert_int_equal(tree_remove(fd, "away", NULL), 0);
	assert_int_equal(tree_remove(fd, "opaque", NULL), 0);
	assert_int_equal(mkdirat(fd, "opaque", 0700), 0);
	put_file(fd, "opaque/new", "2");
	put_file(fd, "etc/keep", "changed");
	assert_int_equal(fchmodat(fd, "etc/keep", 04711, 0), 0);
	assert_int_equal(fchownat(fd, "etc", 12, 13, 0), 0);
	assert_int_equal(symlinkat("/nowhere/\xff", fd, "link"), 0);
	assert_int_equal(fchownat(fd, "link", 4, 5, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(mknodat(fd, "zero", S_IFCHR | 0666, makedev(1, 5)), 0);
	assert_int_equal(mkfifoat(fd, "fifo", 0620), 0);
	put_file(fd, "caf\xc3\xa9 \xff", "x");
	put_file(fd, "ping", "x");
	file_fd = openat(fd, "ping", O_RDWR | O_CLOEXEC);
	assert_int_equal(fsetxattr(file_fd, "security.capability", capability, 20, 0), 0);
	close(file_fd);
	put_file(fd, "dated", "x");
	assert_int_equal(utimensat(fd, "dated", times, 0), 0);
	assert_int_equal(utimensat(fd, "opaque", times, 0), 0);
	assert_int_equal(dir_make(fd, "deep/er/and/deeper", 0750, NULL), 0);
	file_fd = openat(fd, "holes", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(file_fd, 1 << 20), 0);
	assert_int_equal(pwrite(file_fd, "x", 1, 500000), 1);
	close(file_fd);
	memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
	socket_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(socket_fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(socket_fd);
}

static struct image *commit(const struct world *world, const struct image *parent,
	const struct image_commit_options *options, struct error *err)
{
	struct image *image = NULL;
	int upper_fd = openat(world->fd, "up/upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = image_commit(
		&world->engine, parent, upper_fd, &parent->config, "c:1", options, &image, err);

	close(upper_fd);
	assert_ok(r, err);
	return image;
}

static void committed_image_shows_the_containers_files(void **state)
{
	struct world *world = *state;
	cleanup_image struct image *parent = NULL;
	cleanup_image struct image *image = NULL;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_strbuf struct strbuf before = STRBUF_INIT;
	cleanup_strbuf struct strbuf after = STRBUF_INIT;
	cleanup_free char *merged = NULL;
	struct stat root_before, root_after;
	int fd;

	world_on_tmpfs(world, "size=32m");
	merged = xasprintf("%s/merged", world->path);
	assert_ok(load_layers(world, base, 1, "t:1", &parent, &err), &err);
	fd = mount_image(world, parent, true);
	use_container(fd, merged);
	assert_int_equal(fchmod(fd, 0711), 0);
	image = commit(world, parent, NULL, &err);
	assert_int_equal(unlinkat(fd, "socket", 0), 0); /* is no content */
	assert_int_equal(fstat(fd, &root_before), 0);
	describe_tree(fd, "", true, &before);
	close(fd);
	unmount_image(world);
	fd = mount_image(world, image, false);
	assert_int_equal(fstat(fd, &root_after), 0);
	describe_tree(fd, "", true, &after);
	close(fd);
	unmount_image(world);
	assert_string_equal(strbuf_text(&after), strbuf_text(&before));
	assert_int_equal(root_before.st_mode, root_after.st_mode);
	assert_int_equal(strv_length(image->chain_ids), 2);
	assert_string_equal(image->chain_ids[0], parent->chain_ids[0]);
}

static void commit_changes_config_and_history(void **state)
{
	static char cmd[] = "CMD [\"run\"]";
	static char *changes[] = { cmd, NULL };
	static const struct image_commit_options options = { "me", "why", changes };
	struct world *world = *state;
	cleanup_image struct image *parent = NULL;
	cleanup_image struct image *image = NULL;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *path = NULL;
	cleanup_free char *document = NULL;

	assert_ok(load_layers(world, base, 1, "t:1", &parent, &err), &err);
	assert_int_equal(dir_make(world->fd, "up/upper", 0755, NULL), 0);
	image = commit(world, parent, &options, &err);
	assert_string_equal(image->config.cmd[0], "run");
	assert_string_equal(image->config.env[0], "A=b");
	assert_string_equal(image->names[0], "c:1");
	path = xasprintf("data/images/blobs/sha256/%s", digest_hex(image->id));
	document = get_file(world->fd, path);
	assert_non_null(strstr(document, "\"author\":\"me\""));
	assert_non_null(strstr(document, "\"comment\":\"why\""));
}

static void what_overlay_only_refers_to_is_refused(void **state)
{
	static const char *const xattrs[] = { "trusted.overlay.redirect",
		"trusted.overlay.metacopy" };
	struct world *world = *state;
	cleanup_image struct image *parent = NULL;
	cleanup_error struct error err = ERROR_INIT;
	int upper_fd;

	assert_ok(load_layers(world, base, 1, "t:1", &parent, &err), &err);
	upper_fd = dir_make_open(world->fd, "up/upper", 0755, NULL);
	for (size_t i = 0; i < ARRAY_LEN(xattrs); i++) {
		cleanup_free char *path = xasprintf("%s/up/upper/d", world->path);
		struct image *image = NULL;

		assert_int_equal(mkdirat(upper_fd, "d", 0755), 0);
		assert_int_equal(setxattr(path, xattrs[i], "x", 1, 0), 0);
		assert_int_equal(image_commit(&world->engine, parent, upper_fd, &parent->config,
					 NULL, NULL, &image, &err),
			-EOPNOTSUPP);
		assert_int_equal(tree_remove(upper_fd, "d", NULL), 0);
	}
	close(upper_fd);
}

/* The container owns the tree that is read: links in it must not lead the reader out. */
static void links_of_the_container_are_not_followed(void **state)
{
	struct world *world = *state;
	cleanup_image struct image *parent = NULL;
	cleanup_image struct image *image = NULL;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_strbuf struct strbuf tree = STRBUF_INIT;
	int fd;

	assert_ok(load_layers(world, base, 1, "t:1", &parent, &err), &err);
	fd = dir_make_open(world->fd, "up/upper", 0755, NULL);
	put_file(world->fd, "secret", "host");
	assert_int_equal(symlinkat("../../secret", fd, "a"), 0);
	assert_int_equal(symlinkat(world->path, fd, "b"), 0);
	close(fd);
	image = commit(world, parent, NULL, &err);
	fd = open_top_layer(world, image);
	describe_tree(fd, "", false, &tree);
	close(fd);
	assert_null(strstr(strbuf_text(&tree), "host"));
	assert_non_null(strstr(strbuf_text(&tree), "a -> ../../secret\n"));
}

static void same_files_give_the_same_layer(void **state)
{
	struct world *world = *state;
	cleanup_image struct image *parent = NULL;
	cleanup_image struct image *one = NULL;
	cleanup_image struct image *two = NULL;
	cleanup_error struct error err = ERROR_INIT;
	int fd;

	assert_ok(load_layers(world, base, 1, "t:1", &parent, &err), &err);
	fd = dir_make_open(world->fd, "up/upper", 0755, NULL);
	put_file(fd, "b", "1");
	put_file(fd, "a", "2");
	close(fd);
	one = commit(world, parent, NULL, &err);
	two = commit(world, parent, NULL, &err);
	assert_string_equal(one->chain_ids[1], two->chain_ids[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(committed_image_shows_the_containers_files),
		world_test(commit_changes_config_and_history),
		world_test(what_overlay_only_refers_to_is_refused),
		world_test(links_of_the_container_are_not_followed),
		world_test(same_files_give_the_same_layer),
	};

	return cmocka_run_group_tests_name("commit", tests, own_mounts, NULL);
}
