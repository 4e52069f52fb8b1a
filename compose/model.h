/* SPDX-License-Identifier: GPL-2.0-or-later
 * model.h - what the user declared, as plain structs: the project with its services, networks,
 * volumes.
 *
 * Everything is resolved: interpolated, merged, defaults of the Compose Specification filled in,
 * paths absolute, names final. Nobody changes a project after compose_load. May depend on:
 * engine/base/. Ownership: the project owns an arena that holds all of it; project_free ends
 * everything at once. Conventions: a `const char *` that is NULL was not given; a `char **` ends
 * with NULL and is NULL when empty or not given; sizes are bytes, times nanoseconds; 0 in a limit
 * means "not given" unless said otherwise. Each thing carries the mark of the place that declared
 * it. Order: services, networks, volumes, configs, secrets are sorted by key; lists keep the file's
 * order.
 * Names: apply includes the engine's headers as well, which own `struct network`,
 * `struct volume`, `enum mount_type` MOUNT_*, `enum restart_policy` RESTART_*; so here they are
 * project_network, project_volume, service_mount_type SERVICE_MOUNT_*, service_restart,
 * service_restart_kind SERVICE_RESTART_*. */
#ifndef MYCOMPOSE_COMPOSE_MODEL_H
#define MYCOMPOSE_COMPOSE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compose/problems.h"
#include "engine/base/arena.h"
#include "engine/base/errors.h"
#include "engine/base/strmap.h"

struct node; /* document.h */

/* Something the file asks for that cannot be honoured yet (or ever); `up` and its kin stop on it,
 * `config` goes on. */
struct refusal {
	struct mark mark;
	const char *path; /* "services.web.gpus" */
	const char *reason;
	const char *service; /* key of the service it belongs to, NULL for the project's own */
};

struct command_line {
	bool is_set; /* false: the image decides; true with no words: cleared */
	char **argv;
};

enum port_protocol { PORT_TCP, PORT_UDP, PORT_SCTP };
extern const char *const port_protocol_names[];

struct port {
	struct mark mark;
	const char *host_ip;	  /* NULL: every address */
	uint16_t published_first; /* 0: a free port is chosen */
	uint16_t published_last;  /* equal to first, or the end of a range of which one is chosen */
	uint16_t target;
	enum port_protocol protocol;
};

enum service_mount_type {
	SERVICE_MOUNT_BIND,
	SERVICE_MOUNT_VOLUME,
	SERVICE_MOUNT_TMPFS,
	SERVICE_MOUNT_IMAGE
};
extern const char *const service_mount_type_names[];

struct mount {
	struct mark mark;
	enum service_mount_type type;
	const char *source; /* bind: absolute host path; volume: key in project->volumes, NULL =
			       anonymous; image: reference */
	const char *target; /* absolute path in the container, cleaned */
	bool read_only;
	bool create_host_path;	 /* bind: make a missing source a directory */
	bool nocopy;		 /* volume: do not take over what the image has there */
	const char *subpath;	 /* volume, image */
	const char *propagation; /* bind: rprivate … */
	const char *recursive;	 /* bind: enabled … */
	char **labels;		 /* volume: of an anonymous one, key=value */
	uint64_t tmpfs_size;
	uint32_t tmpfs_mode;	   /* permission bits; 0 = 01777 */
	const char *tmpfs_options; /* of `tmpfs: /run:OPTIONS`, as given */
	char **tmpfs_words;	   /* of these, what is not in size, mode and read_only */
};

/* A config or a secret as one service sees it. */
struct file_grant {
	struct mark mark;
	const char *source; /* key in project->configs or ->secrets */
	const char *target; /* absolute path in the container */
	uint32_t uid;
	uint32_t gid;
	uint32_t mode; /* 0444 unless given */
};

struct service_network {
	struct mark mark;
	const char *key; /* in project->networks */
	char **aliases;	 /* as declared; service and container names are the applier's to add */
	const char *ipv4_address;
	const char *ipv6_address;
	const char *mac_address;
	const char *interface_name;
	char **link_local_ips;
	char **driver_opts; /* key=value */
	int64_t priority;
	int64_t gw_priority;
};

enum depends_condition { DEPENDS_STARTED, DEPENDS_HEALTHY, DEPENDS_COMPLETED };
extern const char *const depends_condition_names[];

struct dependency {
	struct mark mark;
	const char *service;
	enum depends_condition condition;
	bool restart;
	bool required;
};

enum service_restart_kind {
	SERVICE_RESTART_NO,
	SERVICE_RESTART_ALWAYS,
	SERVICE_RESTART_ON_FAILURE,
	SERVICE_RESTART_UNLESS_STOPPED
};
extern const char *const service_restart_kind_names[];

struct service_restart {
	enum service_restart_kind kind;
	uint64_t max_retries; /* on-failure: 0 = for ever */
	int64_t delay_ns;     /* deploy.restart_policy; 0 = the default back-off */
	int64_t window_ns;
};

struct ulimit {
	const char *name; /* "nofile" */
	int64_t soft;	  /* -1: unlimited */
	int64_t hard;
};

/* blkio_config for one block device. */
enum service_io_kind {
	SERVICE_IO_WEIGHT,
	SERVICE_IO_READ_BPS,
	SERVICE_IO_WRITE_BPS,
	SERVICE_IO_READ_IOPS,
	SERVICE_IO_WRITE_IOPS
};
struct io_limit {
	enum service_io_kind kind;
	const char *path;
	uint64_t value;
};

struct service_device {
	struct mark mark;
	const char *source;
	const char *target;	 /* NULL: the source's path */
	const char *permissions; /* NULL: rwm */
};

/* An item of `gpus` or of deploy.resources.reservations.devices. */
struct device_request {
	struct mark mark;
	const char *key; /* below the service, for messages */
	const char *driver;
	int64_t count; /* -1: all */
	char **device_ids;
	char **capabilities;
};

struct limits {
	uint64_t memory;
	int64_t memory_swap; /* memory and swap together; -1: unlimited swap */
	uint64_t memory_reservation;
	int64_t memory_swappiness; /* -1: not given */
	uint64_t cpu_permille;	   /* thousandths of one CPU */
	uint64_t cpu_shares;
	uint64_t cpu_quota_us;
	uint64_t cpu_period_us;
	int64_t cpu_rt_runtime_us;
	uint64_t cpu_rt_period_us;
	const char *cpuset;
	uint16_t blkio_weight;
	struct io_limit *io;
	size_t io_count;
	char **hugepages; /* x-hugepages: "2MB=64m" */
	int64_t pids;	  /* -1: unlimited */
	bool oom_kill_disable;
	bool oom_score_adj_is_set;
	int64_t oom_score_adj;
};

struct logging {
	const char *driver; /* NULL: json-file */
	char **options;	    /* "key=value"; their meaning is the engine's */
};

struct healthcheck {
	struct mark mark;
	bool is_set;
	bool disable;
	char **test;	     /* "CMD" or "CMD-SHELL" first; NULL: the image's */
	int64_t interval_ns; /* 0: not given, as all of these */
	int64_t timeout_ns;
	int64_t start_period_ns;
	int64_t start_interval_ns;
	uint64_t retries;
	bool restart; /* x-restart */
};

/* post_start, pre_stop */
struct lifecycle_hook {
	char **command;
	const char *user; /* NULL: the service's, as for working_dir */
	const char *working_dir;
	char **environment; /* KEY=value */
	bool privileged;
};

/* deploy.update_config and rollback_config: how running containers make room for new ones. */
enum rollout_failure { ROLLOUT_PAUSE, ROLLOUT_CONTINUE, ROLLOUT_ROLLBACK };
extern const char *const rollout_failure_names[];

struct rollout {
	struct mark mark;
	bool is_set;
	bool start_first;     /* the new one is ready before the old one stops */
	uint64_t parallelism; /* how many at once; 0 = all */
	int64_t delay_ns;     /* between those and the next */
	int64_t monitor_ns;   /* how long a new one must stay ready to count as such */
	enum rollout_failure failure_action;
	uint64_t failures_permille; /* how large a part may fail; thousandths */
};

struct service {
	struct mark mark;
	const char *name;
	const char *image;     /* never NULL in a loaded project: a service that is only built has
				  PROJECT-SERVICE */
	bool image_is_derived; /* true: `image` was not in the file */
	struct node *build;    /* canonical `build` mapping, NULL when none */
	const char *pull_policy;
	const char *platform;
	struct command_line command;
	struct command_line entrypoint;
	char **environment; /* KEY=value sorted by key; env_file already below it; unresolved keys
			       left out */
	char **labels;	    /* key=value sorted */
	char **annotations;
	const char *container_name;
	const char *hostname;
	const char *domainname;
	const char *user;
	char **group_add;
	const char *working_dir;
	bool tty;
	bool stdin_open;
	bool init;
	bool read_only;
	bool privileged;
	bool attach;	/* true unless `attach: false` */
	char **cap_add; /* without "CAP_", upper case; "ALL" possible */
	char **cap_drop;
	char **security_opt;		  /* as given */
	const char *network_mode;	  /* NULL: the networks below */
	struct service_network *networks; /* by falling priority, then key */
	size_t network_count;
	const char *mac_address;
	const char *ipc;
	const char *pid;
	const char *uts;
	const char *userns_mode; /* the words of container/spec.h */
	const char *cgroup;
	const char *cgroup_parent;
	struct port *ports;
	size_t port_count;
	char **expose;	      /* "80/tcp" */
	struct mount *mounts; /* `volumes` and `tmpfs`, in order */
	size_t mount_count;
	char **volumes_from;
	char **links;	       /* SERVICE[:ALIAS] */
	char **external_links; /* CONTAINER[:ALIAS] */
	struct file_grant *configs;
	size_t config_count;
	struct file_grant *secrets;
	size_t secret_count;
	struct dependency
		*depends_on; /* with those that links, network_mode … imply; sorted by service */
	size_t depends_count;
	struct limits limits;
	struct ulimit *ulimits;
	size_t ulimit_count;
	char **sysctls; /* key=value */
	uint64_t shm_size;
	struct service_device *devices;
	size_t device_count;
	struct device_request *device_requests;
	size_t device_request_count;
	char **device_cgroup_rules; /* "c 1:3 rwm" */
	char **dns;
	char **dns_search;
	char **dns_opt;
	char **extra_hosts; /* name=address */
	struct logging logging;
	struct healthcheck healthcheck;
	struct lifecycle_hook *post_start;
	size_t post_start_count;
	struct lifecycle_hook *pre_stop;
	size_t pre_stop_count;
	struct service_restart restart;
	const char *stop_signal; /* as given; NULL: the image's, else SIGTERM */
	int64_t stop_grace_ns;	 /* 10 s unless given */
	unsigned int replicas;	 /* scale or deploy.replicas, 1 unless given */
	struct mark replicas_mark;
	struct rollout update;
	struct rollout rollback;
	char **profiles;
	char config_hash[65]; /* hex sha256 over what matters for the running container */
	struct node *node;    /* the canonical tree it was made from */
};

struct project_network {
	struct mark mark;
	const char *key;
	const char *name; /* PROJECT_KEY, or what `name:` says */
	bool external;
	bool internal;
	bool enable_ipv6;
	bool disable_ipv4; /* enable_ipv4: false */
	bool attachable;
	const char *driver; /* NULL: bridge */
	char **driver_opts;
	char **labels;
	struct ipam_pool {
		struct mark mark;
		const char *subnet; /* CIDR */
		const char *gateway;
		const char *ip_range;
		char **aux_addresses;
	} * pools;
	size_t pool_count;
	char config_hash[65]; /* over what decides the network's shape; a change means it must be
				 made anew */
};

struct project_volume {
	struct mark mark;
	const char *key;
	const char *name;
	bool external;
	const char *driver; /* NULL: local */
	char **driver_opts;
	char **labels;
	char config_hash[65];
};

/* A top-level config or secret. Exactly one of file, environment, content, external. */
struct file_source {
	struct mark mark;
	const char *key;
	const char *name;
	bool external;
	const char *file; /* absolute */
	const char *environment;
	const char *content; /* configs only; also the value of `environment`, when it is set */
	char **labels;
};

struct project {
	struct arena *arena;
	const char *name;
	const char *working_dir;  /* absolute: the base of relative paths */
	char **config_files;	  /* absolute, in order; "-" for stdin */
	char **env_files;	  /* given by --env-file, absolute */
	char **environment;	  /* what interpolation saw, "KEY=value" sorted */
	struct service *services; /* the enabled ones */
	size_t service_count;
	char **disabled_services;
	char **profiles; /* the active ones */
	struct project_network
		*networks; /* used by an enabled service (or all with all_resources) */
	size_t network_count;
	struct project_volume *volumes;
	size_t volume_count;
	struct file_source *configs;
	size_t config_count;
	struct file_source *secrets;
	size_t secret_count;
	struct refusal *refusals;
	size_t refusal_count;
	char **warnings;
	char **known_profiles; /* named by any service, enabled or not; sorted */
	bool is_raw;	       /* loaded with no_interpolate: there is a tree, but no structs */
	struct node *tree;     /* the whole canonical document, as `config` prints it */
};

void project_free(struct project *project); /* NULL is fine */
#define cleanup_project __attribute__((cleanup(project_cleanup)))
void project_cleanup(struct project **project);

/* Look-ups by key; NULL when there is none. */
const struct service *project_find_service(const struct project *project, const char *name);
const struct project_network *project_find_network(const struct project *project, const char *key);
const struct project_volume *project_find_volume(const struct project *project, const char *key);
const struct file_source *project_find_config(const struct project *project, const char *key);
const struct file_source *project_find_secret(const struct project *project, const char *key);
const struct dependency *service_find_dependency(const struct service *service, const char *name);

/* Indexes into project->services such that each comes after all it depends on; ties by name.
 * *ret_order has service_count items, heap. A cycle is -ELOOP: "dependency cycle detected: a -> b
 * -> a" (compose_load has already refused it). */
int project_dependency_order(const struct project *project, size_t **ret_order, struct error *err);

/* All refusals that concern `services` (NULL: every service) and the project's own, as one error
 * with a line each, or 0. */
int project_check_refusals(const struct project *project, char *const *services, struct error *err);

#endif
