/* SPDX-License-Identifier: GPL-2.0-or-later
 * run_options.h - what `run` accepts, in one table for both of its meanings, and how it becomes a
 * container.
 *
 * Several flags mean one thing for an image and another for a service (CLI contract, section 5),
 * and only the operand tells which is meant; so the table is neutral and the two halves read it. */
#ifndef MYCOMPOSE_CMD_RUN_OPTIONS_H
#define MYCOMPOSE_CMD_RUN_OPTIONS_H

#include "cmd/verb.h"
#include "engine/container/container.h"

struct run_options {
	bool anchor; /* offset 0 means "not wanted" to a flag's given_offset */
	bool detach;
	bool interactive, interactive_given;
	bool tty, tty_given;
	bool no_tty;
	bool remove;
	bool publish_all; /* -P: exposed ports, or the service's `ports` */
	char *name;

	/* the process */
	char *entrypoint;
	bool entrypoint_given;
	char *user;
	char *workdir;
	char **env;
	char **env_files;
	char *hostname;
	bool hostname_given;
	char *domainname;
	char **group_add;
	char **ulimits;
	char *stop_signal;
	int64_t stop_timeout;
	bool stop_timeout_given;
	bool init;
	int64_t oom_score_adj;
	bool oom_score_adj_given;

	/* what it may do */
	bool privileged;
	char **cap_add;
	char **cap_drop;
	char **security_opt;
	char **sysctls;
	bool read_only;
	char *pid_mode;
	char *ipc_mode;
	char *uts_mode;
	char *cgroup_mode;
	char *userns_mode;
	char **devices;
	char **device_cgroup_rules;
	char *gpus;

	/* limits */
	char *memory;
	char *memory_swap;
	char *memory_reservation;
	bool oom_kill_disable;
	char *cpus;
	char *cpuset_cpus;
	char *cpuset_mems;
	int64_t cpu_shares;
	int64_t cpu_period;
	int64_t cpu_quota;
	int64_t pids_limit;
	char *shm_size;
	int64_t cpu_rt_period;
	int64_t cpu_rt_runtime;
	int64_t memory_swappiness;
	bool memory_swappiness_given;
	int64_t blkio_weight;
	char **blkio_weight_devices;
	char **hugepages;
	char **device_read_bps;
	char **device_write_bps;
	char **device_read_iops;
	char **device_write_iops;
	char *cgroup_parent;
	char **storage_opts;

	/* files and network */
	char **volumes;
	char **mounts;
	char **tmpfs;
	char **publish;
	char **expose;
	char **networks;
	char **network_aliases;
	char *ip;
	char *mac_address;
	char **add_hosts;
	char **dns;
	char **dns_search;
	char **dns_options;

	/* its health, see health_options.h */
	char *health_cmd;
	char *health_interval;
	char *health_timeout;
	char *health_start_period;
	char *health_start_interval;
	int64_t health_retries;
	bool health_retries_given;
	bool no_healthcheck;

	/* the rest */
	char **labels;
	char *restart;
	char *log_driver;
	char **log_opts;
	char *pull;
	bool build;
	bool quiet;
	bool quiet_pull;
	bool quiet_build;
	bool no_deps;
	bool use_aliases;
	bool remove_orphans;
};
extern const struct flag run_flags[];

/* Refuse what the chosen meaning does not have. -EINVAL "unknown flag: --x for a service". */
int run_options_check(const struct run_options *options, bool is_service, struct error *err);

/* Limits, capabilities, namespaces, mounts, networks, ports, labels … that were given, on top of
 * what `container` holds. `environ` and `cwd` are the program's own. Environment, user, command and
 * what else an image combines with are left to the caller. */
int run_options_apply(const struct run_options *options, const struct app *app,
	struct container *container, struct error *err);
/* Networks only: those named, else none is touched. */
int run_options_apply_networks(const struct run_options *options, const struct engine *engine,
	struct container *container, struct error *err);

#endif
