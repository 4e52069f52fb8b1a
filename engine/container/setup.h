/* SPDX-License-Identifier: GPL-2.0-or-later
 * setup.h - what the two halves of a start share: the parent fills struct setup, the child, a copy
 * of the parent made by clone3, works through it. Internal to launch and exec.
 *
 * The child is single-threaded, so it may allocate; it changes nothing that the parent sees. Each
 * step returns 0 or a negative errno with the message in err. */
#ifndef MYCOMPOSE_CONTAINER_SETUP_H
#define MYCOMPOSE_CONTAINER_SETUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/base/errors.h"
#include "engine/cgroup/cgroup.h"
#include "engine/container/container.h"
#include "engine/container/launch.h"
#include "engine/container/seccomp_filter.h"

/* Where the content of one spec_mount comes from, opened by the parent. */
struct mount_source {
	int tree_fd;   /* detached mount; -1: made by the child (tmpfs, image) */
	bool populate; /* a volume that takes over the image's content */
	int fill_fd;   /* populate: where to, if not by the volume's name; else -1 */
	int device_fd; /* a volume's device: a context to be mounted, or the detached mount; else -1
			*/
	bool device_mounted;
	char *server;		 /* whose address the context lacks; NULL: none */
	int netns_fd;		 /* where to ask for it */
	unsigned int attributes; /* of that mount, MOUNT_ATTR_* */
	char **layers;		 /* an image's: absolute paths, top first */
};

/* Namespaces to make anew and to join (one pidfd for each, -1 = none). */
struct namespace_plan {
	uint64_t create; /* CLONE_NEW*; never CLONE_NEWPID: that is clone3's */
	uint64_t clone;	 /* those that clone3 makes */
	int join_net_fd;
	int join_ipc_fd;
	int join_uts_fd;
	int join_cgroup_fd;
	int join_pid_fd;
	int enter_fd;	 /* exec: all namespaces of this process */
	pid_t enter_pid; /* the same process, for its root */
};

struct process_user {
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	size_t group_count;
	char *home;
};

/* A node of the host as the container is to have it. */
struct device_node {
	char *path; /* in the container */
	mode_t mode;
	dev_t number;
	uid_t uid;
	gid_t gid;
	char access[4];
};

struct setup {
	const struct engine *engine;
	const struct cgroup_host *host;
	const struct container *container;
	struct cgroup *cgroup;

	/* the process */
	char *const *args;
	char **env;
	const char *cwd;
	const char *user;
	bool terminal;
	uint16_t console_rows;
	uint16_t console_columns;
	bool privileged;
	uint64_t capabilities;
	struct seccomp_filter filter;
	struct launch_stdio stdio;
	bool keep_stdio;
	bool adopts_orphans;

	/* the container around it; unused by exec */
	struct namespace_plan namespaces;
	struct endpoint *endpoints;
	size_t endpoint_count;
	char **layers;		      /* absolute paths, top first */
	struct mount_source *sources; /* one for each of spec.mounts */
	int *grant_fds;		      /* one for each of spec.grants */
	char *hostname;
	struct device_node *devices;
	size_t device_count;

	/* of a container with a user namespace, see user_namespace.h */
	int pair_fds[2]; /* the socket between child and builder; each closes the other's end */
	int user_fd;	 /* builder: the user namespace; else -1 */
	pid_t parent;	 /* builder: whose work it is */
	int network_fd;	 /* builder: the network namespace */
	int *view_fds;	 /* builder: mounts that the child has made, see standard_mounts */

	int status_fd;	/* the child's end of the record socket */
	int console_fd; /* the child's end of the socket for the pty master */

	/* what the child finds on its way */
	int root_fd; /* of the container's root; "/" for exec */
	struct process_user identity;
};

/* A child that may wait for long gives up its copies of what others wait for first: the parent's
 * sockets (host ports, connections of clients, other children's records) and its locks, which end
 * with the last copy, not with the parent. Its own streams are left. */
void inherited_close(const struct setup *setup);

/* The child's side of the record socket. READY precedes execve, so that the parent can tell a child
 * that was killed on its way from one that runs. */
enum report_kind { REPORT_READY, REPORT_FAILED };
struct report {
	uint32_t kind;
	int32_t code; /* negative errno */
	int32_t exit_code;
	char text[500];
};

/* child.c: the steps of a start / of an exec; neither returns. */
void child_start(struct setup *setup) __attribute__((noreturn));
void child_enter(struct setup *setup) __attribute__((noreturn));
/* The same with a user namespace, and the process beside the first child. */
void child_start_mapped(struct setup *setup) __attribute__((noreturn));
void child_enter_mapped(struct setup *setup) __attribute__((noreturn));
void child_build(struct setup *setup) __attribute__((noreturn));
/* Said just before execve; returns when the parent lets it happen. */
void child_report_ready(const struct setup *setup);

/* launch.c: shared with exec.c. */
void setup_init(struct setup *setup, const struct engine *engine, const struct cgroup_host *host,
	const struct container *container, const struct launch_stdio *stdio);
void setup_release(struct setup *setup);
/* Environment with what every process gets (PATH, HOSTNAME, TERM) and the filter. */
int setup_process(struct setup *setup, struct error *err);
/* clone3 into the cgroup and run `child`; fills ret. */
int launch_clone(struct setup *setup, void (*child)(struct setup *setup), struct launch *ret,
	struct error *err);
/* Look at the records; the console arrives with them. 1 = the outcome is open. On failure the child
 * has been reaped. */
int launch_outcome(struct launch *launch, int *ret_console, struct error *err);
/* Kill and reap a child that has not been reported on; the fds are closed. */
void launch_abandon(struct launch *launch);

/* namespaces.c */
int namespaces_plan(struct setup *setup, struct error *err); /* parent */
void namespaces_release(struct namespace_plan *plan);
pid_t namespaces_clone(const struct namespace_plan *plan, int cgroup_fd, int *ret_pidfd,
	struct error *err);					/* 0 in the child */
pid_t namespaces_clone_none(int *ret_pidfd, struct error *err); /* a child in the parent's */
int namespaces_enter(struct setup *setup, struct error *err);
int network_set_up(struct setup *setup, struct error *err);
/* Its two halves, where they are different processes': a netns with links; their addresses. */
int network_attach(struct setup *setup, struct error *err);
int network_configure(struct setup *setup, struct error *err);
int hostname_set(struct setup *setup, struct error *err);

/* rootfs.c */
int rootfs_mount(struct setup *setup, struct error *err);
int rootfs_make_cwd(struct setup *setup, struct error *err);
int rootfs_make_read_only(struct setup *setup, struct error *err);
int rootfs_pivot(struct setup *setup, struct error *err);

/* standard_mounts.c */
int standard_mounts(struct setup *setup, struct error *err);
/* Those that only a process in the container's user namespace may make, detached: standard_mounts
 * of the builder takes them from setup->view_fds. One fd for each, -1 where there is none to be. */
#define STANDARD_VIEWS 5
int standard_views_make(struct setup *setup, int ret_fds[static STANDARD_VIEWS], struct error *err);
bool has_mount_at(const struct container *container, const char *path);

/* devices.c */
int devices_fill(int dev_fd, const struct setup *setup, struct error *err);
int devices_add(struct setup *setup, struct error *err);

/* device_nodes.c */
int devices_find(const struct spec *spec, struct device_node **ret, size_t *ret_count,
	struct error *err); /* parent */
struct cgroup_device device_node_rule(const struct device_node *node);
void device_nodes_free(struct device_node *nodes, size_t count);

/* mount_sources.c */
int mounts_open_sources(struct setup *setup, struct error *err); /* parent */
void mounts_close_sources(struct setup *setup);

/* mounts.c */
int mounts_check(const struct container *container, struct error *err);
int mounts_attach(struct setup *setup, struct error *err);
/* What a mount point leads to through the image's links must be neither the root nor in /proc. */
int mount_check_target(int root_fd, int target_fd, struct error *err);

/* grant_attach.c */
int grants_open(struct setup *setup, struct error *err); /* parent */
void grants_close(struct setup *setup);
int grants_attach(struct setup *setup, struct error *err);
bool has_grant_at(const struct container *container, const char *path);

/* hosts_files.c */
int hosts_files_write(struct setup *setup, struct error *err); /* parent */
void hosts_files_remove(const struct setup *setup);	       /* parent: undo */
int hosts_files_bind(struct setup *setup, struct error *err);

/* masked.c */
int paths_mask(struct setup *setup, struct error *err);

/* sysctls.c */
int sysctls_write(struct setup *setup, struct error *err);

/* console.c */
int console_open(struct setup *setup, struct error *err);
int console_receive(int socket_fd);
int stdio_connect(struct setup *setup, struct error *err);
/* What stdio_connect does of it to the owners, from outside of the user namespace. */
int stdio_give(struct setup *setup, struct error *err);

/* user.c: name or number, from the passwd and group files below root_fd. */
int user_resolve(int root_fd, const char *user, char *const *group_add, struct process_user *ret,
	struct error *err);
void process_user_release(struct process_user *user);

/* process_attributes.c */
void process_detach(void);
int process_attributes_set(struct setup *setup, struct error *err);
/* Of these what takes rights that nobody has in a user namespace, for a process that is to set all
 * of them there; 0 is the caller. */
int process_attributes_raise(const struct spec *spec, pid_t pid, struct error *err);

/* capabilities_apply.c */
int capabilities_available(const struct container *container, uint64_t *mask, struct error *err);
int capabilities_drop_bounding(uint64_t keep, struct error *err);
int capabilities_set(uint64_t mask, struct error *err);
/* Make files as another user from now on, with all rights to others' as before. */
int file_identity_take(uid_t uid, gid_t gid, struct error *err);

/* execute.c: identity, working directory, filter, execve. Returns only on failure. */
int process_execute(struct setup *setup, struct error *err);

/* init.c: fork the real process, be its PID 1. Returns in the process that goes on to execve. */
int init_fork(struct setup *setup, struct error *err);

#endif
