/* SPDX-License-Identifier: GPL-2.0-or-later
 * keys_checks.h - what the key tables point at: checks of single values, and refusals that depend
 * on the value. */
#ifndef MYCOMPOSE_COMPOSE_KEYS_CHECKS_H
#define MYCOMPOSE_COMPOSE_KEYS_CHECKS_H

#include "compose/keys.h"

void check_watch_action(struct canon *c, struct node *node, const struct path *path);
void check_condition(struct canon *c, struct node *node, const struct path *path);
void check_rollout_order(struct canon *c, struct node *node, const struct path *path);
void check_selinux(struct canon *c, struct node *node, const struct path *path);
void check_size(struct canon *c, struct node *node, const struct path *path);
void check_not_blank(struct canon *c, struct node *node, const struct path *path);
void check_cpus(struct canon *c, struct node *node, const struct path *path);
void check_contexts(struct canon *c, struct node *node, const struct path *path);
void check_cgroup(struct canon *c, struct node *node, const struct path *path);
void check_bind_recursive(struct canon *c, struct node *node, const struct path *path);
void check_mount_type(struct canon *c, struct node *node, const struct path *path);
void check_oom_score(struct canon *c, struct node *node, const struct path *path);
void check_scale(struct canon *c, struct node *node, const struct path *path);
void check_percent(struct canon *c, struct node *node, const struct path *path);
void check_count(struct canon *c, struct node *node, const struct path *path);

const char *refuse_container_name(const struct node *node);
const char *refuse_cpuset(const struct node *node);
const char *refuse_restart(const struct node *node);
const char *refuse_restart_condition(const struct node *node);
const char *refuse_stop_signal(const struct node *node);
const char *refuse_rollout_failure(const struct node *node);
const char *refuse_parallelism(const struct node *node);
const char *refuse_log_driver(const struct node *node);
const char *refuse_protocol(const struct node *node);
const char *refuse_propagation(const struct node *node);
const char *refuse_mount_type(const struct node *node);
const char *refuse_ipc(const struct node *node);
const char *refuse_pid(const struct node *node);
const char *refuse_uts(const struct node *node);
const char *refuse_userns(const struct node *node);
const char *refuse_network_mode(const struct node *node);
const char *refuse_platform(const struct node *node);
const char *refuse_security_opt(const struct node *node);
const char *refuse_ipam_driver(const struct node *node);
const char *refuse_network_driver(const struct node *node);
const char *refuse_volume_driver(const struct node *node);
const char *refuse_endpoint_options(const struct node *node);
const char *refuse_external_secret(const struct node *node);

#endif
