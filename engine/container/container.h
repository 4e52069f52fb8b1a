/* SPDX-License-Identifier: GPL-2.0-or-later
 * container.h - the record of a container and its observed state.
 * May depend on: engine/base/, cgroup, image, net.
 *
 *   <data>/containers/ID/config.json  the record, written durably at creation, replaced on rename
 *   <data>/containers/ID/state.json   last known state; the kernel is the truth, see
 * container_load_state <data>/containers/ID/upper work   the writable layer (overlay)
 *   <data>/containers/ID/health.json  the last results of its health check, see
 * supervisor/health_log.h
 *   <data>/containers/mapped/ID  which ids of the host it has, see id_mapping.h
 *   <data>/containers/ID/container.log[.N]  its output, see supervisor/logfile.h
 *   <run>/containers/ID/              FIFOs, hosts, hostname, resolv.conf: made at each start
 * A container belongs to a group: the set one supervisor minds. A project's containers share the
 * group named as the project; an ad-hoc or one-off container has a group of its own, "_ID12"
 * (project names cannot begin with '_'). Names are unique on the host; the index is the directory
 * <data>/containers/names/ holding a symlink NAME -> ID (symlinkat is atomic and refuses a second
 * one). */
#ifndef MYCOMPOSE_CONTAINER_CONTAINER_H
#define MYCOMPOSE_CONTAINER_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/errors.h"
#include "engine/base/ids.h"
#include "engine/container/spec.h"
#include "engine/container/volume.h"
#include "engine/engine.h"
#include "engine/net/network.h"

enum restart_policy { RESTART_NO, RESTART_ALWAYS, RESTART_ON_FAILURE, RESTART_UNLESS_STOPPED };
const char *restart_policy_name(enum restart_policy policy); /* "unless-stopped" */
/* "on-failure:3" -> policy and count. */
int restart_policy_parse(
	const char *text, enum restart_policy *ret, uint32_t *ret_max_retries, struct error *err);

struct container_attachment { /* one network it wants to be on */
	char *network;
	char **aliases;
	char *address;	/* static, or NULL */
	char *address6; /* the same */
	char *mac;
	char *interface; /* NULL = the next free eth0, eth1 … */
	int64_t gateway_priority;
	char **link_local; /* further addresses */
	char **sysctls;	   /* of the interface: "net.ipv4.conf.IFNAME.log_martians=1" */
	char **links;	   /* "NAME=OTHER": what it alone calls a container of this network */
};

/* When a container counts as healthy: docker's HealthConfig, under docker's names. */
struct container_healthcheck {
	char **test;  /* "CMD" and arguments, or "CMD-SHELL" and a line; NULL or "NONE": no check */
	char **shell; /* of CMD-SHELL, NULL = /bin/sh -c */
	int64_t interval_ns; /* 0 here and below: docker's default (30 s, 30 s, 0, 5 s, 3) */
	int64_t timeout_ns;
	int64_t start_period_ns;
	int64_t start_interval_ns;
	uint32_t retries;
	bool restart; /* stop and start again what has become unhealthy */
};
bool container_has_healthcheck(const struct container_healthcheck *healthcheck);

/* A command that belongs to a start or a stop, run inside the container by its supervisor. */
struct container_hook {
	char **command;
	char **env; /* "KEY=value", on top of the container's */
	char *user; /* NULL = the container's, as for cwd */
	char *cwd;
	bool privileged;
};

struct container {
	char id[ID_LENGTH + 1];
	char *name;
	char *group;
	int64_t created_ns;
	char *image_ref;  /* as the user wrote it */
	char *image_id;	  /* "sha256:HEX" */
	char **chain_ids; /* its layers, base first */
	char **labels;	  /* "key=value", sorted */
	struct spec spec;
	struct container_attachment *attachments;
	size_t attachment_count;
	struct published_port *ports;
	size_t port_count;
	char **exposed; /* "80/tcp", unpublished ones included: for PORTS */
	enum restart_policy restart;
	uint32_t restart_max_retries; /* 0 = no bound */
	int64_t restart_delay_ns;     /* before each restart; 0 = the back-off of restart.h */
	int64_t restart_window_ns;    /* a run this long begins the count anew; 0 = none does */
	struct container_healthcheck healthcheck;
	struct container_hook *post_start; /* after each start, in order */
	size_t post_start_count;
	struct container_hook *pre_stop; /* before a stop that somebody asked for, in order */
	size_t pre_stop_count;
	int stop_signal;
	int64_t stop_timeout_ns;
	char *log_driver;      /* NULL = json-file; names and options: supervisor/log_forward.h */
	char **log_options;    /* "key=value" */
	uint64_t log_max_size; /* bytes, 0 = unlimited */
	uint32_t log_max_file; /* at least 1 */
	bool auto_remove;      /* --rm */
};
#define cleanup_container __attribute__((cleanup(container_cleanup)))
struct container *container_new(
	void); /* zeroed, docker's defaults (SIGTERM, 10 s, …), a random id */
void container_free(struct container *container);
void container_cleanup(struct container **container);

/* Write the record and claim the name; volumes named in the spec that do not exist are made. The
 * caller has filled everything in. -EEXIST: 'Conflict. The container name "/X" is already in use by
 * container ID.' Nothing is left on failure; a kill in the middle leaves an unnamed directory that
 * container_sweep removes. */
int container_create(const struct engine *engine, struct container *container, struct error *err);
/* By name, full id or unique id prefix. -ENOENT "No such container: X". */
int container_find(
	const struct engine *engine, const char *text, struct container **ret, struct error *err);
int container_load(
	const struct engine *engine, const char *id, struct container **ret, struct error *err);
/* All (group NULL) or one group's. A record that cannot be read is reported by a warning and left
 * out. Creation order. */
int container_list(const struct engine *engine, const char *group, struct container ***ret,
	size_t *ret_count, struct error *err);
void container_list_free(struct container **containers, size_t count);
int container_rename(const struct engine *engine, struct container *container, const char *name,
	struct error *err);
/* It must not run (-EBUSY otherwise). Releases endpoints, removes cgroup leftovers, run dir,
 * writable layer, logs, record, name; with remove_anonymous also its anonymous volumes (`users` as
 * in volume.h, NULL for a single removal). Absent is success; a removal that was interrupted is
 * finished by repeating it. */
int container_remove(const struct engine *engine, const struct container *container,
	bool remove_anonymous, struct volume_users *users, struct error *err);
/* Finish interrupted creations and removals. */
int container_sweep(const struct engine *engine, struct error *err);

enum container_status {
	CONTAINER_CREATED,
	CONTAINER_RUNNING,
	CONTAINER_PAUSED,
	CONTAINER_RESTARTING,
	CONTAINER_EXITED,
	CONTAINER_DEAD,
};
const char *container_status_name(enum container_status status); /* "running" */

/* Starting until the first probe succeeds or enough of them have failed. HEALTH_NONE: there is no
 * check. A container that does not run is unhealthy if it has one, as docker counts it. */
enum container_health { HEALTH_NONE, HEALTH_STARTING, HEALTH_HEALTHY, HEALTH_UNHEALTHY };
const char *container_health_name(enum container_health health); /* "healthy"; "none" */

struct container_state {
	enum container_status status;
	struct process_id process; /* while running */
	char boot_id[37];
	int exit_code; /* -1: unknown (nobody was there to read it) */
	bool oom_killed;
	bool stopped_by_user; /* unless-stopped honours it */
	char *error;	      /* why the last start failed */
	int64_t started_ns;
	int64_t finished_ns;
	uint32_t restart_count;
	uint32_t restart_attempts; /* those that count for restart_max_retries */
	enum container_health health;
	bool post_start_due; /* its post_start hooks are not through yet */
	bool end_is_unseen;  /* never on disk: what container_load_state has corrected; who minds it
				may still write down how it ended */
};
void container_state_release(struct container_state *state);
/* What is on disk, corrected by the kernel: a "running" whose process (pid, start time, boot) is
 * gone is exited with exit code -1. */
int container_load_state(const struct engine *engine, const char *id, struct container_state *ret,
	struct error *err);
/* It runs, is paused, or will be started again by its supervisor. */
bool container_is_up(enum container_status status);
int container_load_is_up(const struct engine *engine, const char *id, bool *ret, struct error *err);
int container_save_state(const struct engine *engine, const char *id,
	const struct container_state *state, enum file_durability durability, struct error *err);
/* Docker's STATUS text: "Up 2 seconds", "Exited (137) 3 minutes ago", "Created". Heap. */
char *container_status_text(const struct container_state *state, int64_t now_ns);
/* Docker's PORTS text. endpoint ports (with ephemeral ones filled in) win over the record's while
 * it runs. Heap. */
char *container_ports_text(const struct engine *engine, const struct container *container,
	const struct container_state *state);

/* Append the chain ids of all layers it needs: its root's, and those of images it mounts. */
void container_add_chains(const struct container *container, char ***chains);

/* Below which directory of the cgroup hierarchies its own lies. */
const char *container_cgroup_parent(const struct engine *engine, const struct container *container);
/* The user's choice ("/group" or "a/b"); before container_create. -EINVAL. */
int container_set_cgroup_parent(const struct engine *engine, struct container *container,
	const char *text, struct error *err);
const char *container_label(const struct container *container, const char *key); /* NULL = none */

#endif
