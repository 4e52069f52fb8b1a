/* SPDX-License-Identifier: GPL-2.0-or-later
 * host_facts.c - see host_facts.h. A fact is a function below and a row of the table at the end. */
#include "cmd/host_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strbuf.h"
#include "engine/base/strv.h"
#include "engine/cgroup/cgroup.h"
#include "engine/container/host_probe.h"
#include "engine/container/lsm.h"
#include "engine/net/firewall_host.h"

#define OLDEST_MAJOR 5
#define OLDEST_MINOR 15
#define FEW_FILES    4096 /* an `up` of some hundred services needs about five a service */

const char *const fact_state_names[] = {
	[FACT_GOOD] = "ok",
	[FACT_LACKS] = "lacks",
	[FACT_MISSING] = "missing",
};

static void say(struct fact *fact, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct fact *fact, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fact->value = xvasprintf(fmt, args);
	va_end(args);
}

static void advise(struct fact *fact, enum fact_state state, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void advise(struct fact *fact, enum fact_state state, const char *fmt, ...)
{
	va_list args;

	fact->state = state;
	va_start(args, fmt);
	fact->advice = xvasprintf(fmt, args);
	va_end(args);
}

/* What a probe found: "yes", or "no: REASON" with what to do. */
static void say_probe(struct fact *fact, int result, const struct error *reason,
	enum fact_state state, const char *advice)
{
	if (result == 0) {
		say(fact, "yes");
		return;
	}
	say(fact, "no: %s", error_text(reason));
	advise(fact, state, "%s", advice);
}

static char *read_line(const char *path)
{
	char *text = NULL;

	if (file_read(AT_FDCWD, path, 4096, &text, NULL, NULL) < 0)
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static void kernel(const struct app *app, struct fact *fact)
{
	int major = 0, minor = 0;
	struct utsname host;

	(void)app;
	if (uname(&host) < 0)
		return;
	say(fact, "%s %s", host.release, host.machine);
	if (sscanf(host.release, "%d.%d", &major, &minor) == 2 &&
		(major < OLDEST_MAJOR || (major == OLDEST_MAJOR && minor < OLDEST_MINOR)))
		advise(fact, FACT_MISSING, "boot Linux %d.%d or later", OLDEST_MAJOR, OLDEST_MINOR);
}

static void cgroup_version(const struct app *app, struct fact *fact)
{
	cleanup_error struct error err = ERROR_INIT;
	struct cgroup_host *host = NULL;

	(void)app;
	if (cgroup_host_open(&host, &err) < 0) {
		say(fact, "none: %s", error_text(&err));
		advise(fact, FACT_MISSING, "mount -t cgroup2 cgroup2 /sys/fs/cgroup");
		return;
	}
	say(fact, "%s", cgroup_host_version(host));
	cgroup_host_free(host);
}

static void cgroup_controllers(const struct app *app, struct fact *fact)
{
	static const struct {
		const char *v1, *v2; /* NULL: part of every v2 hierarchy */
		const char *use;
		bool is_needed;
	} rows[] = {
		{ "cpu", "cpu", "cpus, cpu_shares", false },
		{ "cpuset", "cpuset", "cpuset", false },
		{ "memory", "memory", "mem_limit", false },
		{ "pids", "pids", "pids_limit", false },
		{ "blkio", "io", "blkio_config", false },
		{ "freezer", NULL, "pause", false },
		{ "devices", NULL, "device rules", true },
	};
	cleanup_strv char **have = NULL, **lacks = NULL;
	struct cgroup_host *host = NULL;
	enum fact_state state = FACT_LACKS;
	cleanup_free char *list = NULL;
	bool is_v2;

	(void)app;
	if (cgroup_host_open(&host, NULL) < 0) {
		say(fact, "none");
		return;
	}
	is_v2 = cgroup_host_is_v2(host);
	say(fact, "%s", cgroup_host_controllers(host));
	have = strv_split(cgroup_host_controllers(host), " ");
	cgroup_host_free(host);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if ((is_v2 && !rows[i].v2) || strv_contains(have, rows[i].v1) ||
			(rows[i].v2 && strv_contains(have, rows[i].v2)))
			continue;
		strv_take(&lacks, xasprintf("%s (%s)", rows[i].v1, rows[i].use));
		if (rows[i].is_needed)
			state = FACT_MISSING;
	}
	if (!lacks)
		return;
	list = strv_join(lacks, ", ");
	advise(fact, state,
		"no %s: mount their hierarchies, or look for cgroup_disable= on the kernel's "
		"command "
		"line",
		list);
}

static void namespaces(const struct app *app, struct fact *fact)
{
	cleanup_error struct error err = ERROR_INIT;
	int r = host_probe_namespaces(&err);

	(void)app;
	say_probe(fact, r, &err, FACT_MISSING,
		"a kernel with all namespaces is needed, and CAP_SYS_ADMIN (is this a container?)");
}

static void user_namespaces(const struct app *app, struct fact *fact)
{
	cleanup_error struct error err = ERROR_INIT;
	int r = host_probe_user_namespace(&err);

	(void)app;
	say_probe(fact, r, &err, FACT_GOOD, "raise user.max_user_namespaces");
}

static void idmapped_mounts(const struct app *app, struct fact *fact)
{
	cleanup_error struct error err = ERROR_INIT;
	int r = host_probe_idmapped_mount(&app->engine, &err);

	say_probe(fact, r, &err, FACT_GOOD,
		"for userns_mode: auto the file system of the data root has to support them (ext4, "
		"xfs, btrfs do), and Linux 5.19 is needed");
}

static void seccomp(const struct app *app, struct fact *fact)
{
	cleanup_error struct error err = ERROR_INIT;
	int r = host_probe_seccomp(&err);

	(void)app;
	say_probe(fact, r, &err, FACT_MISSING,
		"a kernel with CONFIG_SECCOMP_FILTER is needed; without it only seccomp=unconfined "
		"would start");
}

static void security_modules(const struct app *app, struct fact *fact)
{
	(void)app;
	say(fact, "%s%s%s", lsm_has_apparmor() ? "apparmor" : "",
		lsm_has_apparmor() && lsm_has_selinux() ? " " : "",
		lsm_has_selinux()    ? "selinux"
		: lsm_has_apparmor() ? ""
				     : "none");
}

static void overlay(const struct app *app, struct fact *fact)
{
	cleanup_error struct error err = ERROR_INIT;
	int r = host_probe_overlay(&app->engine, &err);

	say_probe(fact, r, &err, FACT_MISSING,
		r == -ENODEV ? "load the module: modprobe overlay"
			     : "put the data root (--root) on a file system that can be an upper "
			       "layer: ext4, xfs or btrfs, not overlay itself");
}

/* By the magic number of statfs(2), heap. */
static char *file_system_name(int fd)
{
	static const struct {
		unsigned int magic;
		const char *name;
	} known[] = {
		{ EXT4_SUPER_MAGIC, "ext4" },
		{ XFS_SUPER_MAGIC, "xfs" },
		{ BTRFS_SUPER_MAGIC, "btrfs" },
		{ F2FS_SUPER_MAGIC, "f2fs" },
		{ TMPFS_MAGIC, "tmpfs" },
		{ OVERLAYFS_SUPER_MAGIC, "overlay" },
		{ NFS_SUPER_MAGIC, "nfs" },
		{ 0x2fc12fc1, "zfs" },
	};
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return xstrdup("unknown");
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if ((unsigned int)fs.f_type == known[i].magic)
			return xstrdup(known[i].name);
	return xasprintf("type 0x%x", (unsigned int)fs.f_type);
}

static void data_root(const struct app *app, struct fact *fact)
{
	static const struct {
		unsigned long flag;
		const char *name;
	} flags[] = {
		{ ST_RDONLY, "ro" },
		{ ST_NOEXEC, "noexec" },
		{ ST_NODEV, "nodev" },
		{ ST_NOSUID, "nosuid" },
	};
	cleanup_strv char **set = NULL;
	cleanup_free char *options = NULL, *room = NULL, *type = NULL;
	struct statvfs fs;

	if (fstatvfs(app->engine.data_fd, &fs) < 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (fs.f_flag & flags[i].flag)
			strv_add(&set, flags[i].name);
	options = strv_join(set, ",");
	room = format_size((uint64_t)fs.f_bavail * fs.f_frsize);
	type = file_system_name(app->engine.data_fd);
	say(fact, "%s (%s, %s free%s%s)", app->engine.data_path, type, room, set ? ", " : "",
		options ? options : "");
	/* The other flags are shown and no more: overlay goes by those of its own mount. */
	if (fs.f_flag & ST_RDONLY)
		advise(fact, FACT_MISSING, "mount it writable, or choose another with --root");
}

static void file_types(const struct app *app, struct fact *fact)
{
	cleanup_error struct error err = ERROR_INIT;
	int r = host_probe_file_types(&app->engine, &err);

	say_probe(fact, r, &err, FACT_MISSING,
		"overlay needs them: make the file system anew (xfs: mkfs.xfs -n ftype=1)");
}

static void attributes(const struct app *app, struct fact *fact)
{
	cleanup_error struct error err = ERROR_INIT;
	int r = host_probe_attributes(&app->engine, &err);

	say_probe(fact, r, &err, FACT_MISSING,
		"overlay keeps what it needs in trusted.* attributes: choose another data root "
		"with "
		"--root, and run as root of the host");
}

static void firewall(const struct app *app, struct fact *fact)
{
	cleanup_strbuf struct strbuf why = STRBUF_INIT;
	const char *name = firewall_backend_name(&app->engine, &why);

	if (name) {
		say(fact, "%s", name);
		return;
	}
	say(fact, "none: %s", strbuf_text(&why));
	advise(fact, FACT_LACKS,
		"networks need NAT: load iptable_nat and iptable_filter, or nf_tables with nft_nat "
		"(services with network_mode none or host run without)");
}

static void obstacles(const struct app *app, struct fact *fact)
{
	cleanup_strv char **list = NULL;
	cleanup_free char *text = NULL;

	if (firewall_obstacles(&app->engine, &list, NULL) < 0 || !list) {
		say(fact, "none");
		return;
	}
	text = strv_join(list, "; ");
	say(fact, "%zu", strv_length(list));
	advise(fact, FACT_LACKS, "%s", text);
}

static void ipv6(const struct app *app, struct fact *fact)
{
	cleanup_free char *disabled = read_line("/proc/sys/net/ipv6/conf/all/disable_ipv6");

	(void)app;
	if (access("/proc/net/if_inet6", F_OK) < 0) {
		say(fact, "no: this kernel has it switched off");
		advise(fact, FACT_LACKS,
			"networks with enable_ipv6 need it: boot without ipv6.disable=1");
		return;
	}
	say(fact, "%s", disabled && *disabled == '1' ? "yes, disabled on all interfaces" : "yes");
}

static void ip_forward(const struct app *app, struct fact *fact)
{
	cleanup_free char *value = read_line("/proc/sys/net/ipv4/ip_forward");

	(void)app;
	/* Switched on by the first network that needs it. */
	say(fact, "%s", value && *value == '1' ? "on" : "off (networks switch it on)");
}

static void open_files(const struct app *app, struct fact *fact)
{
	struct rlimit limit;

	(void)app;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	say(fact, "%llu", (unsigned long long)limit.rlim_max);
	if (limit.rlim_max < FEW_FILES)
		advise(fact, FACT_LACKS,
			"large projects need more: raise the hard limit (ulimit -Hn, "
			"LimitNOFILE=)");
}

static const struct {
	const char *key;
	const char *title;
	void (*find)(const struct app *app, struct fact *fact);
} rows[] = {
	{ "kernel", "Kernel", kernel },
	{ "cgroupVersion", "cgroup version", cgroup_version },
	{ "cgroupControllers", "cgroup controllers", cgroup_controllers },
	{ "namespaces", "Namespaces", namespaces },
	{ "userNamespaces", "User namespaces", user_namespaces },
	{ "idmappedMounts", "Id-mapped mounts", idmapped_mounts },
	{ "seccomp", "System-call filter", seccomp },
	{ "securityModules", "Security modules", security_modules },
	{ "dataRoot", "Data root", data_root },
	{ "overlay", "Overlay", overlay },
	{ "fileTypes", "Types in directories", file_types },
	{ "attributes", "Trusted attributes", attributes },
	{ "firewall", "Firewall back-end", firewall },
	{ "firewallObstacles", "Firewall obstacles", obstacles },
	{ "ipv6", "IPv6", ipv6 },
	{ "ipForward", "IP forwarding", ip_forward },
	{ "openFiles", "Open files", open_files },
};

void facts_collect(const struct app *app, struct facts *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fact *fact = array_add(ret->items, ret->count);

		fact->key = rows[i].key;
		fact->title = rows[i].title;
		rows[i].find(app, fact);
		if (!fact->value)
			say(fact, "unknown");
	}
}

void facts_release(struct facts *facts)
{
	for (size_t i = 0; i < facts->count; i++) {
		free(facts->items[i].value);
		free(facts->items[i].advice);
	}
	free(facts->items);
	*facts = (struct facts){ 0 };
}
