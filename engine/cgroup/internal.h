/* SPDX-License-Identifier: GPL-2.0-or-later
 * internal.h - what the files of this room share: hierarchies, the two drivers, one group's files.
 *
 * Words: a hierarchy is one mounted cgroup tree; a group is one directory in one hierarchy, named
 * by its path below the mount's root ("mycompose/4f2a..."). Nothing here looks at
 * /proc/self/cgroup: in a cgroup namespace those paths do not fit the mounts, and all we make lies
 * below a mount root. */
#ifndef MYCOMPOSE_CGROUP_INTERNAL_H
#define MYCOMPOSE_CGROUP_INTERNAL_H

#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/cgroup/cgroup.h"

/* What limits and counters are asked for; each driver knows which of the kernel's controllers that
 * is. */
enum controller_kind {
	CONTROLLER_CPU,
	CONTROLLER_CPUACCT, /* v1 only: counts, limits nothing */
	CONTROLLER_CPUSET,
	CONTROLLER_MEMORY,
	CONTROLLER_PIDS,
	CONTROLLER_IO,
	CONTROLLER_DEVICES,
	CONTROLLER_FREEZER,
	CONTROLLER_HUGEPAGES,
	CONTROLLER_KINDS,
};

struct driver;
struct hierarchy {
	const struct driver *driver;
	int root_fd;
	char *mount_point;  /* for messages */
	char **controllers; /* v1: its mount options; v2: cgroup.controllers of the mount's root */
	char *name;	    /* v1: of "name=systemd"; else NULL */
	char *view_name;    /* its directory in a container's /sys/fs/cgroup */
};

/* Directories come and go through here, so that a test can stand in for a kernel that fills them.
 */
struct cgroup_dirs {
	int (*make)(int root_fd, const char *path);   /* as mkdirat: 0 or -errno */
	int (*remove)(int root_fd, const char *path); /* as rmdir: 0 or -errno */
};

struct cgroup_host {
	struct hierarchy *hierarchies;
	size_t hierarchy_count;
	const struct cgroup_dirs *dirs;
	char **disabled;   /* controllers that the kernel knows but has switched off */
	char *controllers; /* space-separated, for people */
};

/* cgroup_host_open on given texts of /proc/self/mountinfo and /proc/cgroups. */
int cgroup_host_from_text(const char *mountinfo, const char *cgroups,
	const struct cgroup_dirs *dirs, struct cgroup_host **ret, struct error *err);

struct cgroup {
	const struct cgroup_host *host;
	char *path;    /* PARENT/NAME */
	bool *present; /* one per hierarchy: one that was mounted later does not know the group */
	int clone_fd;
};

struct group {
	const struct cgroup_dirs *dirs;
	const struct hierarchy *hierarchy;
	const char *path; /* "" is the root of the mount */
};

struct controller {
	enum controller_kind kind;
	const char *name; /* the kernel's; NULL: part of every hierarchy of that version */
	/* v2: passed on to groups only when one asks for it, for hardly any does. */
	bool on_demand;
	/* Write what `resources` sets. `fresh`: the group was just made and holds no process. */
	int (*apply)(const struct group *group, const struct cgroup_resources *resources,
		bool fresh, struct error *err);
	int (*stats)(const struct group *group, struct cgroup_stats *stats, struct error *err);
};

struct driver {
	const struct controller *controllers;
	size_t controller_count;
	/* Make `group`, an ancestor of what is to come (the root is one), fit for children.
	 * Repeatable, since several processes do it at once. -ENOENT, -ENODEV: it went away
	 * meanwhile. */
	int (*prepare_parent)(const struct group *group, struct error *err);
	/* Make the new group fit for processes, before any limit. */
	int (*prepare_group)(const struct group *group, struct error *err);
	/* Is the controller there for this new group? -ENOTSUP with the reason when not. */
	int (*require)(const struct group *group, const char *controller, struct error *err);
	/* Waits until all are; thaws and returns -ETIMEDOUT when that does not come in time. */
	int (*freeze)(const struct group *group, bool frozen, int64_t deadline, struct error *err);
	int (*oom_kills)(const struct group *group, uint64_t *ret, struct error *err);
};
extern const struct driver cgroup_driver_v1;
extern const struct driver cgroup_driver_v2;

/* The hierarchy and the row that serve `kind`, or NULL. v1 wins: a controller that is mounted
 * there is not in v2, and v2's devices and freezer are there always. */
const struct hierarchy *host_find(const struct cgroup_host *host, enum controller_kind kind,
	const struct controller **ret_controller);
struct group host_group(
	const struct cgroup_host *host, const struct hierarchy *hierarchy, const char *path);
/* The hierarchy that is asked which processes there are: v2 if it is mounted, else a v1. NULL
 * never: a host without any does not open. */
const struct hierarchy *host_tracker(const struct cgroup_host *host);

/* dirs.c: one group's files. Errors name the file with its path below the mount. */
int group_write(const struct group *group, const char *file, const char *value, struct error *err);
int group_writef(const struct group *group, struct error *err, const char *file, const char *fmt,
	...) __attribute__((format(printf, 4, 5)));
bool group_has(const struct group *group, const char *file);
int group_read(const struct group *group, const char *file, char **ret, struct error *err);
/* A file of one number; "max" reads as UINT64_MAX. */
int group_read_u64(const struct group *group, const char *file, uint64_t *ret, struct error *err);
/* The number behind `key` at the start of a line; 0 when the file has no such line. */
int group_read_key(const struct group *group, const char *file, const char *key, uint64_t *ret,
	struct error *err);
/* Open the file for poll(2) or the directory itself (file NULL). Returns the fd. */
int group_open(const struct group *group, const char *file, int flags, struct error *err);
/* PARENT/NAME in this hierarchy, with PARENT made where it is missing. -EEXIST: it is in use. On
 * failure the group itself is not left; PARENT may be. */
int group_make(const struct group *group, struct error *err);
/* Children first; retried on EBUSY until `deadline` (monotonic ns; 0 = one try). Absent is success.
 */
int group_remove(const struct group *group, int64_t deadline, struct error *err);
/* Call visit for the group and everything below it, parents first, until it returns non-zero. */
int group_walk(const struct group *group,
	int (*visit)(const struct group *group, void *data, struct error *err), void *data,
	struct error *err);
/* Pids of the group and of all below it, appended. */
int group_pids(const struct group *group, pid_t **pids, size_t *count, struct error *err);

/* v2.c: wait until cgroup.events says "KEY VALUE"; -ETIMEDOUT. */
int group_wait_event(const struct group *group, const char *key, uint64_t value, int64_t deadline,
	struct error *err);

/* cpuset.c */
/* Write a list of CPUs or memory nodes, checked against what `available_file` of PARENT offers: v2
 * takes any list and then quietly uses another. */
int cpuset_apply(const struct group *group, const char *file, const char *available_file,
	const char *list, struct error *err);
/* Is every number of the list `wanted` ("0-2,5") in `available`? -EINVAL when one is malformed. */
int cpuset_contains(const char *available, const char *wanted);

/* devices.c: the rule list as the kernels can take it. */
struct device_rules {
	struct cgroup_device *items;
	size_t count;
};
/* Merge what is said of the same device, let a deny take away what an earlier allow gave. Deny
 * rules remain only where they cut a piece out of a wider allow. Release with free(items). */
int device_rules_make(
	const struct cgroup_resources *resources, struct device_rules *ret, struct error *err);
/* "c 1:3 rwm" */
#define DEVICE_RULE_MAX 64
void device_rule_format(const struct cgroup_device *rule, char text[static DEVICE_RULE_MAX]);
int device_rule_check(const struct cgroup_device *rule, struct error *err);

/* device_bpf.c */
int device_bpf_apply(const struct group *group, const struct cgroup_resources *resources,
	bool fresh, struct error *err);

/* io_limits.c */
const char *io_limit_name(enum cgroup_io_kind kind); /* "blkio_config.device_read_bps" */
void io_limits_release(struct cgroup_resources *resources);
void io_limits_to_json(const struct cgroup_resources *resources, struct json *json);
int io_limits_from_json(
	const struct json *json, struct cgroup_resources *resources, struct error *err);
int io_limits_check(const struct cgroup_resources *resources, struct error *err);
int io_limits_apply_v1(
	const struct group *group, const struct cgroup_resources *resources, struct error *err);
int io_limits_apply_v2(
	const struct group *group, const struct cgroup_resources *resources, struct error *err);

/* hugepages.c */
void hugepages_to_json(const struct cgroup_resources *resources, struct json *json);
int hugepages_from_json(
	const struct json *json, struct cgroup_resources *resources, struct error *err);
int hugepages_apply_v1(const struct group *group, const struct cgroup_resources *resources,
	bool fresh, struct error *err);
int hugepages_apply_v2(const struct group *group, const struct cgroup_resources *resources,
	bool fresh, struct error *err);

/* resources.c */
/* Must what is set of this kind be refused where the host cannot do it? */
bool resources_are_vital(const struct cgroup_resources *resources, enum controller_kind kind);
/* The first limit that is set of this kind, in Compose's words ("mem_limit"); NULL when none is. */
const char *resources_limit_of(const struct cgroup_resources *resources, enum controller_kind kind);
/* resources_check.c */
/* Memory + swap as Docker means it: twice the memory where nothing is said; -1 = unlimited. */
int64_t resources_memory_and_swap(const struct cgroup_resources *resources);
/* CFS quota and period in effect; false when no CPU limit is set. */
bool resources_cpu_quota(
	const struct cgroup_resources *resources, int64_t *ret_quota_us, uint64_t *ret_period_us);
/* cpu.weight for v1 cpu.shares, io.weight for blkio.weight. */
uint64_t resources_cpu_weight(uint64_t shares);
uint64_t resources_io_weight(uint16_t weight);

/* cgroup.c */
/* "mem_limit needs the cgroup controller 'memory', which is not mounted on this host"; -ENOTSUP. */
int missing_controller(const struct cgroup_host *host, enum controller_kind kind, const char *limit,
	struct error *err);
/* "PARENT/NAME"; -EINVAL when either could leave the tree. Heap. */
int group_path(const char *parent, const char *name, char **ret, struct error *err);
/* The group above; the root's is "". Heap. */
char *group_parent_path(const struct group *group);

#endif
