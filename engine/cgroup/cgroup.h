/* SPDX-License-Identifier: GPL-2.0-or-later
 * cgroup.h - one cgroup per container, the same interface on v1, hybrid and v2.
 * May depend on: engine/base/. Field names: OCI runtime-spec config-linux.md "Control groups".
 *
 * A container's cgroup is PARENT/ID below the root of each hierarchy (v1: of every controller that
 * is mounted; v2: the unified one). Limits are written before any process joins. The hierarchy and
 * its mounts are the host's: directories below PARENT are all we make, and PARENT itself goes with
 * the last of them. */
#ifndef MYCOMPOSE_CGROUP_CGROUP_H
#define MYCOMPOSE_CGROUP_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/base/errors.h"
#include "engine/base/json.h"

/* 0 / NULL = not set, except where a bit says so. */
struct cgroup_device {
	bool allow;
	char type;	/* 'a', 'b', 'c' */
	int64_t major;	/* -1 = any */
	int64_t minor;	/* -1 = any */
	char access[4]; /* subset of "rwm" */
};

/* blkio_config: one block device and what is set for it. */
enum cgroup_io_kind {
	CGROUP_IO_WEIGHT, /* 10..1000 */
	CGROUP_IO_READ_BPS,
	CGROUP_IO_WRITE_BPS,
	CGROUP_IO_READ_IOPS,
	CGROUP_IO_WRITE_IOPS,
	CGROUP_IO_KINDS
};
struct cgroup_io_limit {
	enum cgroup_io_kind kind;
	char *path; /* of the device on the host; its numbers are looked up when it is written */
	uint64_t value;
};

/* How much memory in huge pages of one size may be used and reserved. */
struct cgroup_hugepages {
	uint64_t page_size; /* bytes, a power of two */
	uint64_t limit;	    /* bytes; 0 = none may be used */
};

struct cgroup_resources {
	uint64_t memory_limit;	     /* bytes */
	uint64_t memory_reservation; /* bytes */
	bool has_memory_swap;
	int64_t memory_swap; /* bytes of memory + swap as Docker counts it; -1 = unlimited swap */
	bool has_memory_swappiness;
	int64_t memory_swappiness; /* 0..100; v1 only */
	bool oom_kill_disable;
	uint64_t cpu_permille; /* thousandths of a CPU (--cpus); wins over quota/period */
	int64_t cpu_quota_us;
	uint64_t cpu_period_us;
	int64_t cpu_rt_runtime_us; /* real-time scheduling, v1 only */
	uint64_t cpu_rt_period_us;
	uint64_t cpu_shares; /* v1 scale 2..262144; v2 weight is derived as runc does */
	char *cpuset_cpus;
	char *cpuset_mems;
	int64_t pids_limit;    /* 0 = not set, -1 = unlimited */
	uint16_t blkio_weight; /* 10..1000, 0 = not set */
	struct cgroup_io_limit *io_limits;
	size_t io_limit_count;
	struct cgroup_hugepages *hugepages; /* at most one for each size */
	size_t hugepages_count;
	struct cgroup_device *devices; /* in order, after "deny all" */
	size_t device_count;
	bool all_devices; /* privileged: no device rules */
};
void cgroup_resources_release(struct cgroup_resources *resources);
struct json *cgroup_resources_to_json(const struct cgroup_resources *resources);
int cgroup_resources_from_json(
	const struct json *json, struct cgroup_resources *ret, struct error *err);
/* What contradicts itself or is out of range, in a Compose file's words. -EINVAL. */
int cgroup_resources_check(const struct cgroup_resources *resources, struct error *err);
/* Say by log_warning which of these limits this host will do without, as docker does when a
 * container is made: those whose lack is no error in cgroup_create. */
void cgroup_resources_warn(const struct cgroup_resources *resources);
/* The rules of HARDENING 4.1 that every container gets: mknod of anything, use of the harmless
 * nodes. Appended. */
void cgroup_default_devices(struct cgroup_resources *resources);
/* "c 1:3 rwm", "b *:* r" (device_cgroup_rules) -> an allowing rule. -EINVAL. */
int cgroup_device_parse(const char *text, struct cgroup_device *ret, struct error *err);

/* "2MB=64m" (x-hugepages, --hugepages). -EINVAL. */
int cgroup_hugepages_parse(const char *text, struct cgroup_hugepages *ret, struct error *err);

/* What the host has; opened once per process. */
struct cgroup_host;
int cgroup_host_open(struct cgroup_host **ret, struct error *err);
void cgroup_host_free(struct cgroup_host *host);
bool cgroup_host_is_v2(const struct cgroup_host *host);		 /* unified hierarchy only */
const char *cgroup_host_version(const struct cgroup_host *host); /* "v1", "v2", "hybrid" */
/* Space-separated controllers usable here, for `info` and messages. */
const char *cgroup_host_controllers(const struct cgroup_host *host);

struct cgroup;
/* Make PARENT/NAME and write the limits. -EEXIST when a live one is there; an empty leftover is
 * taken over. A limit whose controller the host lacks is done without, or an error as with Docker,
 * that names limit and controller. On failure nothing is left. */
int cgroup_create(const struct cgroup_host *host, const char *parent, const char *name,
	const struct cgroup_resources *resources, struct cgroup **ret, struct error *err);
/* Open an existing one (adoption, exec, stats). -ENOENT. */
int cgroup_open(const struct cgroup_host *host, const char *parent, const char *name,
	struct cgroup **ret, struct error *err);
/* Where NAME is when nobody remembers below what: PARENT itself, else the first group that is
 * called PARENT within another, is looked for in all hierarchies. -ENOENT. Heap. */
int cgroup_find_parent(const struct cgroup_host *host, const char *parent, const char *name,
	char **ret, struct error *err);
void cgroup_free(struct cgroup *cgroup); /* closes, leaves the cgroup in place */

/* Directory fd for CLONE_INTO_CGROUP on v2, -1 on v1 and hybrid. */
int cgroup_clone_fd(const struct cgroup *cgroup);
/* Move a process into it in every hierarchy (v1; on v2 for exec). */
int cgroup_attach(const struct cgroup *cgroup, pid_t pid, struct error *err);
/* The quick way in for a child of ours: clone3 it with CLONE_INTO_CGROUP and this fd (the caller's
 * to close; -ENOENT where no v2 hierarchy is mounted), then, in the still single-threaded child,
 * cgroup_join enters the v1 hierarchies. */
int cgroup_birth_fd(const struct cgroup *cgroup, struct error *err);
int cgroup_join(const struct cgroup *cgroup, struct error *err);
/* What is not set stays as it is; the device rules are replaced as a whole. */
int cgroup_update(
	const struct cgroup *cgroup, const struct cgroup_resources *resources, struct error *err);
int cgroup_freeze(const struct cgroup *cgroup, bool frozen, struct error *err);
/* SIGKILL to every process, robust against forking (cgroup.kill, or freeze + kill + thaw), then
 * waits at most timeout_ms for emptiness. */
int cgroup_kill(const struct cgroup *cgroup, int timeout_ms, struct error *err);
/* All pids, heap array. */
int cgroup_pids(const struct cgroup *cgroup, pid_t **ret, size_t *ret_count, struct error *err);
/* How often the OOM killer struck in it; read before cgroup_remove. */
int cgroup_oom_kills(const struct cgroup *cgroup, uint64_t *ret, struct error *err);
/* rmdir children first, retried while the kernel is still letting go (bounded); PARENT too when it
 * is empty. Absent is success. */
int cgroup_remove(
	const struct cgroup_host *host, const char *parent, const char *name, struct error *err);

/* In the child, after unshare(CLONE_NEWCGROUP): mount its own view at target_fd's path read-only:
 * v2 one mount, v1/hybrid a tmpfs with one mount a controller and the usual links. Uses only
 * async-safe-enough calls for a freshly cloned single-threaded child; returns -errno. */
int cgroup_mount_view(const struct cgroup_host *host, int target_fd, bool read_only);

struct cgroup_stats {
	uint64_t cpu_usage_ns;
	uint64_t memory_usage; /* bytes, page cache that is inactive left out as docker does */
	uint64_t memory_limit; /* bytes, UINT64_MAX = none */
	uint64_t pids;
	uint64_t io_read_bytes;
	uint64_t io_write_bytes;
};
int cgroup_stats_read(const struct cgroup *cgroup, struct cgroup_stats *ret, struct error *err);

#endif
