/* SPDX-License-Identifier: GPL-2.0-or-later
 * spec.h - what a container is to be: the OCI runtime-spec's config in a C struct.
 * May depend on: engine/base/, engine/cgroup/ (resources). Names and meanings: OCI runtime-spec
 * config.md, config-linux.md; where docker users have a word that OCI lacks (user by name,
 * privileged, init, extra hosts), the docker word is used.
 *
 * The struct is plain data that many walk. It owns everything it points to; spec_release ends it.
 * spec_to_json/spec_from_json share one field table, so a round trip loses nothing. */
#ifndef MYCOMPOSE_CONTAINER_SPEC_H
#define MYCOMPOSE_CONTAINER_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/base/errors.h"
#include "engine/base/json.h"
#include "engine/base/signals.h"
#include "engine/cgroup/cgroup.h"

enum mount_type {
	MOUNT_BIND,   /* source: absolute host path */
	MOUNT_VOLUME, /* source: volume name */
	MOUNT_TMPFS,
	MOUNT_IMAGE, /* source: reference of an image, read-only */
};

/* What of the mounts below a bind's source comes along. */
enum mount_recursion {
	MOUNT_RECURSE,		/* all, read-only where the mount is */
	MOUNT_RECURSE_NOT,	/* none */
	MOUNT_RECURSE_WRITABLE, /* all, as writable as they are */
	MOUNT_RECURSE_READONLY, /* all, and it must be possible to make them read-only */
};

/* "enabled", "disabled", "writable", "readonly". -EINVAL. */
int mount_recursion_parse(const char *word, enum mount_recursion *ret);

struct spec_mount {
	enum mount_type type;
	char *source;
	char *destination; /* absolute, in the container */
	bool read_only;
	bool create_host_path; /* bind: make a missing source directory, as short syntax does */
	bool no_copy;	       /* volume: do not take over the image's content */
	bool anonymous;	       /* volume: goes with the container when asked (rm -v, --rm) */
	char **labels;	       /* volume: "key=value", for one that is made with the container */
	char **driver_options; /* the same: see volume_device.h */
	char *subpath;	       /* volume, image: a part of it, relative; NULL = all */
	uint64_t tmpfs_size;   /* bytes, 0 = kernel's default */
	uint32_t tmpfs_mode;   /* 0 = 1777 */
	char **tmpfs_options;  /* further words of mount(8): "exec", "uid=1000" */
	char *propagation;     /* bind: NULL = rprivate */
	enum mount_recursion recursion; /* bind */
	char **layers; /* image: chain ids, base first; container_create fills them in */
};

/* A secret or config: a file given to the container. What it holds is no part of the record: here
 * only from the filling of the spec to container_create, then in <run>, see grant.h. */
struct grant_content {
	char *bytes; /* NULL = not known here */
	size_t length;
};
void grant_content_set(struct grant_content *content, const void *bytes, size_t length);
void grant_content_release(struct grant_content *content);

struct spec_grant {
	char *name;	   /* "secret 'x'", for messages */
	char *destination; /* absolute, in the container */
	uint32_t uid;
	uint32_t gid;
	uint32_t mode; /* permission bits; the write bits have no effect */
	struct grant_content content;
};

/* `to` is overwritten. */
void spec_mount_copy(const struct spec_mount *from, struct spec_mount *to);
void spec_mount_release(struct spec_mount *mount);

struct spec_rlimit {
	char *type;    /* "nofile", without RLIMIT_ */
	uint64_t soft; /* UINT64_MAX = unlimited */
	uint64_t hard;
};

/* Which nodes that is, and their numbers, is looked up at each start: devices come and go. */
struct spec_device {
	char *source;	/* host path of a device, or of a directory: all devices below it */
	char *path;	/* in the container, absolute */
	char access[4]; /* subset of "rwm" */
};

enum namespace_mode { NAMESPACE_PRIVATE, NAMESPACE_HOST, NAMESPACE_CONTAINER };

struct spec_namespace {
	enum namespace_mode mode;
	char *container; /* NAMESPACE_CONTAINER: its id */
};

/* One line of a user namespace's uid_map or gid_map. */
struct spec_id_range {
	uint32_t inside;
	uint32_t outside; /* on the host */
	uint32_t count;
};

struct spec {
	/* process */
	char **args; /* entrypoint + command, resolved */
	char **env;
	char *cwd;  /* NULL = "/" */
	char *user; /* "name", "uid", "user:group"; NULL = root */
	char **group_add;
	bool terminal;
	uint16_t console_rows; /* window size of a new terminal, 0 = not known */
	uint16_t console_columns;
	bool stdin_open;
	bool no_new_privileges;
	uint64_t capabilities; /* bit n = capability n; bounding = permitted = effective */
	struct spec_rlimit *rlimits;
	size_t rlimit_count;
	bool has_oom_score_adj;
	int oom_score_adj;

	/* root and host-like things */
	bool read_only; /* root file system */
	char *hostname;
	char *domainname;
	char **extra_hosts; /* "host=address" */
	char **dns;
	char **dns_search;
	char **dns_options;
	bool init; /* a small PID 1 of ours reaps and forwards */

	struct spec_mount *mounts;
	size_t mount_count;
	struct spec_grant *grants;
	size_t grant_count;

	/* linux */
	bool privileged;
	struct spec_namespace
		network; /* NAMESPACE_PRIVATE with no endpoints = only loopback ("none") */
	struct spec_namespace pid;
	struct spec_namespace ipc;
	struct spec_namespace uts;
	struct spec_namespace cgroup;
	/* A user namespace of its own: both maps, or neither. */
	uint32_t ids_wanted; /* container_create picks maps of this many ids; 0 = as given */
	struct spec_id_range *uid_map;
	size_t uid_map_count;
	struct spec_id_range *gid_map;
	size_t gid_map_count;
	char **sysctl;	   /* "key=value" */
	uint64_t shm_size; /* bytes, 0 = 64 MiB */
	char *seccomp; /* NULL = the default profile, "unconfined", else the JSON text of a profile
			*/
	char *apparmor_profile; /* NULL = none is taken */
	bool unmasked;		/* nothing of /proc and /sys is hidden or read-only */
	char *cgroup_parent;	/* instead of the engine's; relative, no slashes at the ends */
	struct spec_device *devices;
	size_t device_count;
	struct cgroup_resources resources;
};

void spec_release(struct spec *spec);
/* What no kernel call would refuse, or too late: a command, environment names (HARDENING 10.9),
 * mount sources and destinations (3.10, 6.4), sysctls (3.14), limits, devices (4.4). -EINVAL.
 * container_create calls it.
 */
int spec_check(const struct spec *spec, struct error *err);
/* Of these the devices alone: each must be there now. */
int spec_check_devices(const struct spec *spec, struct error *err);
struct json *spec_to_json(const struct spec *spec);
int spec_from_json(const struct json *json, struct spec *ret, struct error *err);

/* Docker's default set of 14 (HARDENING 1.1), and all that this host can give: up to cap_last_cap,
 * less what the bounding set of the calling process lacks. */
#define CAPABILITIES_DEFAULT 0x00000000a80425fbULL
uint64_t capabilities_all(void);
/* Something in the container can take away its mounts: it has CAP_SYS_ADMIN. */
bool spec_may_unmount(const struct spec *spec);
/* "NET_ADMIN", "cap_net_admin", "ALL" -> bit mask. -EINVAL for an unknown name. */
int capability_parse(const char *name, uint64_t *ret_mask, struct error *err);
/* cap_add/cap_drop as Docker combines them (HARDENING 1.5). */
int capabilities_combine(
	uint64_t base, char *const *add, char *const *drop, uint64_t *ret, struct error *err);

/* Append a device to spec->devices as docker's --device means it: `path` NULL is the source's,
 * `access` NULL is "rwm". -EINVAL for what can never be one; whether the host has it is
 * spec_check's. */
int spec_add_device(struct spec *spec, const char *source, const char *path, const char *access,
	struct error *err);

/* A request for GPUs, as --gpus and deploy.resources.reservations.devices make it: their nodes are
 * appended. -ENODEV where the host has none such. */
struct spec_gpus {
	const char *driver; /* NULL or "": any */
	int64_t count;	    /* -1: all; ids instead where there are some */
	char **ids;
	char **capabilities;
};
int spec_add_gpus(struct spec *spec, const struct spec_gpus *gpus, struct error *err);
/* "no-new-privileges:true", "seccomp=FILE": one of docker's --security-opt. `dir` is what relative
 * paths are below. */
int spec_add_security_option(
	struct spec *spec, const char *option, const char *dir, struct error *err);

/* "host", "private", "auto[:size=N,uidmapping=CTR:HOST:SIZE,gidmapping=...]": Podman's words, see
 * podman-run(1). It takes the place of what was there; NULL or "" leaves that. -EINVAL, -EOPNOTSUPP
 * for those that are not to be had here. */
int spec_set_user_namespace(struct spec *spec, const char *mode, struct error *err);

/* Check a namespaced sysctl key (HARDENING 3.14). */
int sysctl_check(const char *key, const struct spec *spec, struct error *err);

#endif
