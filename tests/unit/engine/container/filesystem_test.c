/* SPDX-License-Identifier: GPL-2.0-or-later
 * What a container finds mounted, hidden and writable; and what its image cannot make us mount. */
#include "tests/unit/engine/container/box.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#define READ_ONLY "Read-only file system"

/* A directory of the host's for bind mounts, in the test's own. */
static char *host_directory(struct box *box, const char *name)
{
	char *path = xasprintf("%s/%s", box->world->path, name);

	assert_int_equal(dir_make(AT_FDCWD, path, 0755, NULL), 0);
	return path;
}

static char *host_mounts(void)
{
	char *text;
	size_t length;

	assert_int_equal(
		file_read(AT_FDCWD, "/proc/self/mountinfo", 1 << 20, &text, &length, NULL), 0);
	return text;
}

static void row_3_1_host_and_container_mounts_are_apart(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	cleanup_free char *before = host_mounts(), *after = NULL;
	struct outcome outcome = box_run(box, container, "cut -d' ' -f5- /proc/self/mountinfo");

	after = host_mounts();
	assert_string_equal(before, after);
	assert_null(strstr(outcome.output, box->world->engine.data_path));
	assert_null(strstr(outcome.output, "shared:"));
	assert_null(strstr(outcome.output, "master:"));
	free(outcome.output);
}

static void row_3_1_the_root_cannot_be_left(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();

	check_output(box, container, "cd /..; cd ../../..; pwd; ls -d /work /usr 2>/dev/null; ls /",
		"/\nbin\ndev\netc\nproc\nsys\ntmp\n");
}

/* Links in the image at every kind of target; the canary outside must stay as it is. */
static void row_3_2_targets_resolve_inside_the_root(void **state)
{
	static const struct {
		const char *link;
		const char *target;
		const char *destination;
		const char *found;
	} rows[] = {
		{ "absolute", "%s/canary", "/absolute/x", "%s/canary/x" },
		{ "up", "../../../../../../../../%s/canary", "/up/x", "%s/canary/x" },
		{ "plain", "real", "/plain", "/real" },
		{ "dangling", "made/below", "/dangling", "/made/below" },
		{ "loop", "loop", "/loop", NULL },
	};
	struct box *box = box_or_skip(state);
	cleanup_free char *canary = host_directory(box, "canary");
	cleanup_free char *source = host_directory(box, "source");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_container struct container *container = box_container();
		cleanup_free char *target = xasprintf("%s", rows[i].target), *found = NULL,
				  *script = NULL;
		const char *place = strstr(target, "%s");

		if (place) {
			char *filled = xasprintf("%.*s%s%s", (int)(place - target), target,
				box->world->path, place + 2);

			free(target);
			target = filled;
		}
		assert_int_equal(symlinkat(target, box->layer_fd, rows[i].link), 0);
		add_mount(container, MOUNT_BIND, source, rows[i].destination);
		if (!rows[i].found) {
			set_command(container, "true");
			check_refused(box, container, "Too many levels of symbolic links", 125);
			continue;
		}
		found = strncmp(rows[i].found, "%s", 2) == 0
				? xasprintf("%s%s", box->world->path, rows[i].found + 2)
				: xstrdup(rows[i].found);
		script = xasprintf("grep -c ' %s ' /proc/self/mountinfo", found);
		check_output(box, container, script, "1\n");
	}
	assert_int_equal(rmdir(canary), 0); /* empty still */
}

/* Somebody who shares the volume swaps a directory for a link to the host's while we start. */
#define RACED_STARTS  100
#define RACED_TARGETS 10 /* each start looks for so many */
static pid_t start_swapping(const char *a, const char *b)
{
	pid_t pid = fork();

	if (pid == 0) {
		for (;;)
			renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
	}
	return pid;
}

static void row_3_2_a_race_for_the_target_never_reaches_the_host(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_free char *canary = host_directory(box, "canary");
	cleanup_free char *volume = host_directory(box, "volume");
	cleanup_free char *directory = host_directory(box, "volume/a");
	cleanup_free char *swapped = xasprintf("%s/b", volume);
	cleanup_strv char **names = NULL;
	size_t started = 0;
	pid_t pid;

	assert_int_equal(symlink(canary, swapped), 0);
	pid = start_swapping(directory, swapped);
	for (int i = 0; i < RACED_STARTS; i++) {
		cleanup_container struct container *container = box_container();
		cleanup_error struct error err = ERROR_INIT;
		struct outcome outcome = { 0 };

		add_mount(container, MOUNT_BIND, volume, "/volume");
		for (int target = 0; target < RACED_TARGETS; target++) {
			cleanup_free char *path = xasprintf("/volume/a/made%d", target);

			add_mount(container, MOUNT_TMPFS, NULL, path);
		}
		set_command(container, "true");
		started += box_try(box, container, &outcome, &err) == 0;
		free(outcome.output);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_true(started > 0);
	assert_int_equal(dir_list(AT_FDCWD, canary, &names, NULL), 0);
	assert_int_equal(strv_length(names), 0);
}

static void row_3_3_standard_directories_are_not_links(void **state)
{
	static const char *const names[] = { "proc", "sys", "dev" };
	struct box *box = box_or_skip(state);

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		cleanup_container struct container *container = box_container();
		cleanup_free char *message =
			xasprintf("the image's /%s is not a directory", names[i]);

		assert_int_equal(symlinkat("/tmp", box->layer_fd, names[i]), 0);
		set_command(container, "true");
		check_refused(box, container, message, 125);
		assert_int_equal(unlinkat(box->layer_fd, names[i], 0), 0);
	}
}

static void row_3_4_masked_paths_are_empty(void **state)
{
	static const char script[] =
		"for f in interrupts kcore keys latency_stats sched_debug timer_list timer_stats; "
		"do "
		"[ ! -e /proc/$f ] || [ -z \"$(head -c 1 /proc/$f | tr '\\0' x)\" ] || echo $f; "
		"done; "
		"for d in /proc/acpi /proc/asound /proc/scsi /sys/firmware "
		"/sys/devices/virtual/powercap "
		"/sys/devices/system/cpu/cpu*/thermal_throttle; do "
		"[ ! -d $d ] || [ -z \"$(ls $d)\" ] || echo $d; "
		"[ ! -d $d ] || ! touch $d/x 2>/dev/null || echo writable $d; done";
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();

	check_output(box, container, script, "");
}

static void row_3_5_kernel_switches_are_read_only(void **state)
{
	static const char script[] =
		"for p in bus fs irq sys sysrq-trigger; do [ ! -e /proc/$p ] || "
		"grep \" /proc/$p \" /proc/mounts | cut -d' ' -f4 | grep -q "
		"^ro,nosuid,nodev,noexec || "
		"echo $p; done; echo x > /proc/sys/kernel/hostname";
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();

	check_output(box, container, script,
		"/bin/sh: can't create /proc/sys/kernel/hostname: " READ_ONLY "\n");
}

static void row_3_6_masks_do_not_trust_the_image_s_null(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	cleanup_free char *source = host_directory(box, "dev");

	/* The container's /dev is the user's own, its null a link to a file with content. */
	write_file(box->layer_fd, "etc/secret", "secret\n");
	assert_int_equal(mkdirat(box->layer_fd, "dev", 0755), 0);
	{
		cleanup_free char *link = xasprintf("%s/null", source);

		assert_int_equal(symlink("/etc/secret", link), 0);
	}
	add_mount(container, MOUNT_BIND, source, "/dev");
	check_output(box, container, "cat /proc/keys; readlink /dev/null", "/etc/secret\n");
}

static void row_3_9_flags_of_proc_sys_and_cgroup(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	struct outcome outcome = box_run(box, container,
		"grep -E ' (/proc|/sys) ' /proc/mounts | cut -d' ' -f2-4; "
		"grep ' /sys/fs/cgroup' /proc/mounts | grep -v ' ro,nosuid,nodev,noexec' ; "
		"find /sys/fs/cgroup -name release_agent | while read f; do (echo x > $f) 2>&1; "
		"done | "
		"grep -v '" READ_ONLY "'; "
		"mount -o remount,rw /sys 2>&1; mount -o remount,rw /proc/sys 2>&1; "
		"touch /sys/fs/cgroup/x 2>&1");

	assert_int_equal(strncmp(outcome.output,
				 "/proc proc rw,nosuid,nodev,noexec,relatime\n"
				 "/sys sysfs ro,nosuid,nodev,noexec,relatime\n",
				 strlen("/proc proc rw,nosuid,nodev,noexec,relatime\n"
					"/sys sysfs ro,nosuid,nodev,noexec,relatime\n")),
		0);
	check_contains(outcome.output, "mount: permission denied");
	check_contains(outcome.output, "touch: /sys/fs/cgroup/x: " READ_ONLY);
	assert_null(strstr(outcome.output, "release_agent"));
	free(outcome.output);
}

static void row_3_9_the_cgroup_view_begins_at_the_container(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();

	check_output(box, container, "cut -d: -f3 /proc/self/cgroup | sort -u", "/\n");
}

static void row_3_10_proc_and_root_are_no_mount_targets(void **state)
{
	static const struct {
		const char *destination;
		const char *message;
	} rows[] = {
		{ "/", "mount destination can't be '/'" },
		{ "/x/..", "mount destination can't be '/'" },
		{ "/proc", "it is inside /proc" },
		{ "/proc/1", "it is inside /proc" },
		{ "//tmp/../proc/sys", "it is inside /proc" },
		{ "relative", "is not absolute" },
		{ "/into-proc", "leads into /proc" },
		{ "/into-proc/sys", "leads into /proc" },
		{ "/to-root", "leads to /" },
	};
	struct box *box = box_or_skip(state);
	cleanup_free char *source = host_directory(box, "source");

	assert_int_equal(symlinkat("/proc", box->layer_fd, "into-proc"), 0);
	assert_int_equal(symlinkat("tmp/..", box->layer_fd, "to-root"), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_container struct container *container = box_container();

		add_mount(container, MOUNT_BIND, source, rows[i].destination);
		set_command(container, "true");
		check_refused(box, container, rows[i].message, 0);
	}
}

static void row_3_11_and_3_12_the_nodes_and_links_of_dev(void **state)
{
	static const char script[] =
		"cd /dev; ls -A; stat -c '%n %F %t:%T %a' null zero full random urandom tty; "
		"for l in fd stdin stdout stderr ptmx; do echo $l $(readlink $l); done; "
		"stat -c '%a' /dev; grep ' /dev ' /proc/mounts | cut -d' ' -f3,4";
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	struct outcome outcome = box_run(box, container, script);
	const char *kcore = access("/proc/kcore", F_OK) == 0 ? "core\n" : "";
	cleanup_free char *expected = xasprintf(
		"%sfd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nuran"
		"dom\n"
		"zero\n"
		"null character special file 1:3 666\nzero character special file 1:5 666\n"
		"full character special file 1:7 666\nrandom character special file 1:8 666\n"
		"urandom character special file 1:9 666\ntty character special file 5:0 666\n"
		"fd /proc/self/fd\nstdin /proc/self/fd/0\nstdout /proc/self/fd/1\n"
		"stderr /proc/self/fd/2\nptmx pts/ptmx\n755\ntmpfs rw,nosuid,size=65536k,mode=755",
		kcore);

	if (strncmp(outcome.output, expected, strlen(expected)) != 0)
		fail_msg("wanted %s\ngot %s", expected, outcome.output);
	free(outcome.output);
}

static void row_3_13_pts_shm_and_mqueue(void **state)
{
	static const char script[] = "for m in /dev/pts /dev/shm /dev/mqueue; do grep \" $m \" "
				     "/proc/mounts | cut -d' ' -f2-4; "
				     "done; stat -c %a /dev/shm; ls /dev/pts; "
				     "dd if=/dev/zero of=/dev/shm/x bs=1M count=65 2>&1 | grep -o "
				     "'No space left on device'; "
				     "stat -c %s /dev/shm/x";
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	struct outcome outcome = box_run(box, container, script);

	check_contains(outcome.output,
		"/dev/pts devpts rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=666\n"
		"/dev/shm tmpfs rw,nosuid,nodev,noexec,relatime,size=65536k");
	check_contains(outcome.output,
		"/dev/mqueue mqueue rw,nosuid,nodev,noexec,relatime\n1777\nptmx\n"
		"No space left on device\n67108864\n");
	free(outcome.output);
	container->spec.shm_size = 1 << 20;
	check_output(box, container,
		"rm -f /dev/shm/x; dd if=/dev/zero of=/dev/shm/x bs=1M count=2 2>/dev/null; "
		"stat -c %s /dev/shm/x",
		"1048576\n");
}

static void row_3_14_only_namespaced_sysctls(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();

	strv_add(&container->spec.sysctl, "kernel.msgmax=4321");
	strv_add(&container->spec.sysctl, "net.ipv4.ip_default_ttl=77");
	check_output(box, container,
		"cat /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_default_ttl", "4321\n77\n");
	strv_add(&container->spec.sysctl, "kernel.core_pattern=|/x");
	set_command(container, "true");
	check_refused(box, container, "kernel.core_pattern", 0);
}

/* 127 layers, each with one file, in a data root with overlay's own syntax in its name. */
static void row_3_15_many_layers_and_an_awkward_data_root(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	struct engine *engine = &box->world->engine;
	cleanup_free char *data = xasprintf("%s/da:ta,x\\y", box->world->path);
	cleanup_free char *run = xasprintf("%s/run", box->world->path);
	cleanup_free char *old = xstrdup(engine->data_path);
	const char *parent = engine->cgroup_parent;

	engine_release(engine);
	assert_int_equal(rename(old, data), 0);
	check_ok(engine_open(engine, data, run, NULL), NULL);
	engine->cgroup_parent = parent;
	for (int i = 1; i < 127; i++) {
		cleanup_free char *id = xasprintf("sha256:%064x", i);
		cleanup_free char *path = xasprintf("layers/%064x/diff", i);
		cleanup_free char *file = xasprintf("%s/layer-%d", path, i);

		if (strcmp(id, BASE_CHAIN) == 0)
			continue;
		assert_int_equal(dir_make(engine->data_fd, path, 0755, NULL), 0);
		write_file(engine->data_fd, file, "");
		strv_add(&container->chain_ids, id);
	}
	assert_true(strv_length(container->chain_ids) >= 126);
	check_output(box, container,
		"ls / | grep -c ^layer-; grep ' / ' /proc/mounts | cut -d' ' -f3",
		"126\noverlay\n");
}

static void upper_wins_and_a_later_layer_covers(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();

	write_file(box->layer_fd, "etc/name", "base\n");
	assert_int_equal(
		dir_make(box->world->engine.data_fd,
			"layers/00000000000000000000000000000000000000000000000000000000000000b1/"
			"diff/etc",
			0755, NULL),
		0);
	write_file(box->world->engine.data_fd,
		"layers/00000000000000000000000000000000000000000000000000000000000000b1/diff/etc/"
		"name",
		"top\n");
	strv_add(&container->chain_ids,
		"sha256:00000000000000000000000000000000000000000000000000000000000000b1");
	check_output(box, container, "cat /etc/name; echo mine > /etc/name", "top\n");
	check_output(box, container, "cat /etc/name", "mine\n"); /* the writable layer stays */
}

/* In a mount namespace of the test's own: /source with a nodev, nosuid mount below it. */
static void row_3_16_read_only_is_recursive_and_keeps_the_source_s_flags(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	cleanup_free char *source = host_directory(box, "source");
	cleanup_free char *below = host_directory(box, "source/below");

	assert_int_equal(mount("tmpfs", below, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m"), 0);
	add_mount(container, MOUNT_BIND, source, "/data")->read_only = true;
	add_mount(container, MOUNT_BIND, source, "/rw");
	{
		struct outcome outcome = box_run(box, container,
			"touch /data/x /data/below/x 2>&1; touch /rw/y /rw/below/y && echo "
			"written; "
			"grep ' /data/below ' /proc/mounts | cut -d' ' -f4; "
			"grep ' /rw/below ' /proc/mounts | cut -d' ' -f4");

		assert_int_equal(umount(below), 0);
		check_contains(outcome.output, "touch: /data/x: " READ_ONLY
					       "\ntouch: /data/below/x: " READ_ONLY "\nwritten\n");
		check_contains(outcome.output, "ro,nosuid,nodev,relatime,size=1024k");
		check_contains(outcome.output, "rw,nosuid,nodev,relatime,size=1024k");
		free(outcome.output);
	}
}

/* What is mounted below the source later is not seen inside, since the default is rprivate; with
 * rslave it is. */
static void row_3_17_propagation_is_private_unless_asked(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	cleanup_free char *source = host_directory(box, "source");
	cleanup_free char *below = host_directory(box, "source/below");
	struct running running;
	struct outcome outcome;

	assert_int_equal(mount(source, source, NULL, MS_BIND, NULL), 0);
	assert_int_equal(mount(NULL, source, NULL, MS_SHARED, NULL), 0);
	add_mount(container, MOUNT_BIND, source, "/private");
	add_mount(container, MOUNT_BIND, source, "/slave")->propagation = xstrdup("rslave");
	running = box_start(box, container);
	assert_int_equal(mount("tmpfs", below, "tmpfs", 0, "size=1m"), 0);
	outcome = box_exec_script(box, container, &running,
		"cut -d' ' -f5 /proc/self/mountinfo | grep -E '^/(private|slave)/'");
	assert_int_equal(umount(below), 0);
	box_end(box, container, &running);
	assert_int_equal(umount2(source, MNT_DETACH), 0);
	assert_string_equal(outcome.output, "/slave/below\n");
	free(outcome.output);
}

static void row_4_1_a_device_can_be_made_but_not_opened(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();

	check_output(box, container,
		"mknod /tmp/disk b 254 0 && echo made; "
		"dd if=/tmp/disk of=/dev/null count=1 2>&1 | grep -o 'Operation not permitted'; "
		"mknod /tmp/mem c 1 1 && echo made; cat /tmp/mem 2>&1 | grep -o 'Operation not "
		"permitted'; "
		"head -c 4 /dev/zero | wc -c",
		"made\nOperation not permitted\nmade\nOperation not permitted\n4\n");
}

static void row_4_1_a_given_device_is_there(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	cleanup_error struct error err = ERROR_INIT;

	check_ok(spec_add_device(&container->spec, "/dev/kmsg", "/dev/a/kmsg", "r", &err), &err);
	container->spec.capabilities |= 1ULL << CAP_SYSLOG; /* the kernel asks for it as well */
	check_output(box, container,
		"stat -c '%F %t:%T' /dev/a/kmsg; head -c 0 /dev/a/kmsg && echo read; "
		"(: > /dev/a/kmsg) 2>&1 | grep -o 'Operation not permitted'",
		"character special file 1:b\nread\nOperation not permitted\n");
}

static void volumes_keep_data_and_take_over_the_image_s_content(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	cleanup_error struct error err = ERROR_INIT;

	assert_int_equal(dir_make(box->layer_fd, "srv/data", 0750, NULL), 0);
	write_file(box->layer_fd, "srv/data/from-image", "image\n");
	assert_int_equal(fchownat(box->layer_fd, "srv/data", 33, 44, 0), 0);
	assert_int_equal(fchmodat(box->layer_fd, "srv/data", 0750, 0), 0);
	check_ok(volume_create(&box->world->engine, "data", NULL, false, &err), &err);
	add_mount(container, MOUNT_VOLUME, "data", "/srv/data");
	check_output(box, container,
		"cat /srv/data/*; stat -c '%u:%g %a' /srv/data; echo mine > /srv/data/own; "
		"rm /srv/data/from-image",
		"image\n33:44 750\n");
	check_output(box, container, "cat /srv/data/*", "mine\n"); /* taken over once only */
}

static void volume_inside_a_volume(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	cleanup_error struct error err = ERROR_INIT;
	struct spec_mount *inner;

	check_ok(volume_create(&box->world->engine, "outer", NULL, false, &err), &err);
	inner = add_mount(container, MOUNT_TMPFS, NULL, "/a/b/c");
	inner->tmpfs_size = 1 << 20;
	inner->tmpfs_mode = 0700;
	add_mount(container, MOUNT_VOLUME, "outer", "/a/b");
	check_output(box, container,
		"stat -c %a /a/b/c; cut -d' ' -f5 /proc/self/mountinfo | grep ^/a; "
		"grep ' /a/b/c ' /proc/mounts | cut -d' ' -f4 | cut -d, -f1-7",
		"700\n/a/b\n/a/b/c\nrw,nosuid,nodev,noexec,relatime,size=1024k,mode=700\n");
}

static void a_bind_source_must_exist_unless_it_is_made(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	cleanup_free char *source = xasprintf("%s/missing/dir", box->world->path);
	struct spec_mount *mount = add_mount(container, MOUNT_BIND, source, "/data");

	set_command(container, "true");
	check_refused(box, container, "bind source path does not exist", 0);
	assert_int_equal(access(source, F_OK), -1);
	mount->create_host_path = true;
	check_output(box, container, "ls -d /data", "/data\n");
	assert_int_equal(access(source, F_OK), 0);
}

static void a_file_is_bound_onto_a_file(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	cleanup_free char *source = xasprintf("%s/config", box->world->path);

	write_file(AT_FDCWD, source, "configured\n");
	add_mount(container, MOUNT_BIND, source, "/etc/app/config")->read_only = true;
	check_output(box, container, "cat /etc/app/config", "configured\n");
	add_mount(container, MOUNT_BIND, source, "/tmp");
	set_command(container, "true");
	check_refused(box, container, "/tmp is a directory in the container", 0);
}

static void row_15_1_read_only_root_has_its_mounts(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	cleanup_free char *source = host_directory(box, "source");

	container->spec.read_only = true;
	container->spec.cwd = xstrdup("/not/there/yet");
	add_mount(container, MOUNT_BIND, source, "/missing/path");
	add_mount(container, MOUNT_TMPFS, NULL, "/scratch");
	check_output(box, container,
		"touch /x 2>&1; touch /missing/path/x /scratch/x && echo written; pwd; "
		"cat /etc/hostname; grep -c localhost /etc/hosts; test -e /etc/resolv.conf && echo "
		"there",
		"touch: /x: " READ_ONLY "\nwritten\n/not/there/yet\nbox\n2\nthere\n");
}

static void row_15_2_an_image_of_one_file(void **state)
{
	struct box *box = box_or_skip(state);
	cleanup_container struct container *container = box_container();
	struct outcome outcome = { 0 };
	cleanup_error struct error err = ERROR_INIT;
	cleanup_fd int layer_fd = dir_make_open(box->world->engine.data_fd,
		"layers/00000000000000000000000000000000000000000000000000000000000000c0/diff",
		0755, NULL);

	assert_true(layer_fd >= 0);
	copy_busybox(layer_fd);
	strv_free(container->chain_ids);
	container->chain_ids = NULL;
	strv_add(&container->chain_ids,
		"sha256:00000000000000000000000000000000000000000000000000000000000000c0");
	container->spec.user = xstrdup("1000:1000");
	strv_free(container->spec.args);
	container->spec.args = NULL;
	strv_add(&container->spec.args, "/busybox");
	strv_add(&container->spec.args, "ls");
	strv_add(&container->spec.args, "/");
	check_ok(box_try(box, container, &outcome, &err), &err);
	assert_string_equal(outcome.output, "busybox\ndev\netc\nproc\nsys\n");
	free(outcome.output);
}

static void row_15_3_resolv_conf_as_a_link_stays_inside(void **state)
{
	static const char *const targets[] = { "%s/canary/resolv.conf",
		"../run/resolve/stub.conf" };
	struct box *box = box_or_skip(state);
	cleanup_free char *canary = host_directory(box, "canary");

	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		cleanup_container struct container *container = box_container();
		const char *rest = strncmp(targets[i], "%s", 2) == 0 ? targets[i] + 2 : NULL;
		cleanup_free char *target =
			rest ? xasprintf("%s%s", box->world->path, rest) : xstrdup(targets[i]);

		strv_add(&container->spec.dns, "192.0.2.53");
		assert_int_equal(symlinkat(target, box->layer_fd, "etc/resolv.conf"), 0);
		check_output(box, container, "grep -c 192.0.2.53 /etc/resolv.conf", "1\n");
		assert_int_equal(unlinkat(box->layer_fd, "etc/resolv.conf", 0), 0);
	}
	assert_int_equal(rmdir(canary), 0);
}

static const struct CMUnitTest tests[] = {
	box_test(row_3_1_host_and_container_mounts_are_apart),
	box_test(row_3_1_the_root_cannot_be_left),
	box_test(row_3_2_targets_resolve_inside_the_root),
	box_test(row_3_2_a_race_for_the_target_never_reaches_the_host),
	box_test(row_3_3_standard_directories_are_not_links),
	box_test(row_3_4_masked_paths_are_empty),
	box_test(row_3_5_kernel_switches_are_read_only),
	box_test(row_3_6_masks_do_not_trust_the_image_s_null),
	box_test(row_3_9_flags_of_proc_sys_and_cgroup),
	box_test(row_3_9_the_cgroup_view_begins_at_the_container),
	box_test(row_3_10_proc_and_root_are_no_mount_targets),
	box_test(row_3_11_and_3_12_the_nodes_and_links_of_dev),
	box_test(row_3_13_pts_shm_and_mqueue),
	box_test(row_3_14_only_namespaced_sysctls),
	box_test(row_3_15_many_layers_and_an_awkward_data_root),
	box_test(upper_wins_and_a_later_layer_covers),
	box_test(row_3_16_read_only_is_recursive_and_keeps_the_source_s_flags),
	box_test(row_3_17_propagation_is_private_unless_asked),
	box_test(row_4_1_a_device_can_be_made_but_not_opened),
	box_test(row_4_1_a_given_device_is_there),
	box_test(volumes_keep_data_and_take_over_the_image_s_content),
	box_test(volume_inside_a_volume),
	box_test(a_bind_source_must_exist_unless_it_is_made),
	box_test(a_file_is_bound_onto_a_file),
	box_test(row_15_1_read_only_root_has_its_mounts),
	box_test(row_15_2_an_image_of_one_file),
	box_test(row_15_3_resolv_conf_as_a_link_stays_inside),
};

/* The mounts that some tests make are in a mount namespace of this program's own. */
int main(int argc, char **argv)
{
	struct error err = ERROR_INIT;

	(void)argc;
	if (geteuid() == 0) {
		if (self_exe_protect(argv, &err) < 0) {
			fprintf(stderr, "filesystem: %s\n", error_text(&err));
			return 1;
		}
		if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
			return 1;
	}
	return cmocka_run_group_tests_name("filesystem", tests, NULL, NULL);
}
