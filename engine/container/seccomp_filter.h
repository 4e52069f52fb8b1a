/* SPDX-License-Identifier: GPL-2.0-or-later
 * seccomp_filter.h - the system-call filter of a container's processes.
 * May depend on: engine/base/, libseccomp (in seccomp_filter.c only).
 *
 * A profile is an ordered list of rules with conditions (capabilities, kernel, architecture), from
 * the built-in table or from a file in Docker's JSON form. Made into BPF for a given capability set
 * it is a plain array of instructions. libseccomp takes about 10 ms for that, the kernel 0.3 ms to
 * load it, so the instructions are kept in <run>/seccomp/ and shared by all commands. */
#ifndef MYCOMPOSE_CONTAINER_SECCOMP_FILTER_H
#define MYCOMPOSE_CONTAINER_SECCOMP_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/errors.h"
#include "engine/engine.h"

enum seccomp_action {
	SECCOMP_DO_ALLOW,
	SECCOMP_DO_ERRNO,
	SECCOMP_DO_KILL_THREAD,
	SECCOMP_DO_KILL_PROCESS,
	SECCOMP_DO_TRAP,
	SECCOMP_DO_TRACE,
	SECCOMP_DO_LOG,
};

enum seccomp_compare {
	SECCOMP_ANY, /* no condition on the arguments; ends a list */
	SECCOMP_NE,
	SECCOMP_LT,
	SECCOMP_LE,
	SECCOMP_EQ,
	SECCOMP_GE,
	SECCOMP_GT,
	SECCOMP_MASKED_EQ, /* (argument & value) == value2 */
};

struct seccomp_argument {
	uint64_t value;
	uint64_t value2;
	uint8_t index; /* 0..5 */
	enum seccomp_compare compare;
};

#define SECCOMP_ARGUMENTS 6
struct seccomp_rule {
	const char *names; /* separated by blanks */
	enum seccomp_action action;
	uint16_t errno_ret;		     /* of SECCOMP_DO_ERRNO and SECCOMP_DO_TRACE */
	uint16_t kernel_major, kernel_minor; /* at least; 0 = any */
	uint64_t with_caps;		     /* all of these */
	uint64_t without_caps;		     /* none of these */
	const char *with_arches; /* one of these (Go's names, separated by blanks), NULL = any */
	const char *without_arches;
	struct seccomp_argument arguments[SECCOMP_ARGUMENTS]; /* all must hold */
};

struct seccomp_profile {
	enum seccomp_action default_action;
	uint16_t default_errno;
	const struct seccomp_rule *rules;
	size_t rule_count;
	struct seccomp_rule *owned; /* = rules when they came from a file */
};
/* The built-in one: nothing to release. */
extern const struct seccomp_profile seccomp_profile_default;
/* Docker's JSON. What we cannot honour (notify actions, unknown operators, unknown capability
 * names) is -EINVAL with the place in the file. */
int seccomp_profile_parse(
	const char *text, size_t length, struct seccomp_profile *ret, struct error *err);
void seccomp_profile_release(struct seccomp_profile *profile);

/* What rules are chosen by. */
struct seccomp_target {
	uint64_t capabilities;
	uint16_t kernel_major, kernel_minor;
	const char *arch; /* Go's name: "amd64" */
};
int seccomp_target_of_host(uint64_t capabilities, struct seccomp_target *ret, struct error *err);
bool seccomp_rule_applies(const struct seccomp_rule *rule, const struct seccomp_target *target);

struct seccomp_filter {
	struct sock_filter *instructions;
	size_t count; /* 0: no filter */
};
void seccomp_filter_release(struct seccomp_filter *filter);
int seccomp_filter_build(const struct seccomp_profile *profile, const struct seccomp_target *target,
	struct seccomp_filter *ret, struct error *err);
/* For spec.seccomp's value and a capability set, from <run>/seccomp/ or built and kept there. */
int seccomp_filter_get(const struct engine *engine, const char *seccomp, uint64_t capabilities,
	struct seccomp_filter *ret, struct error *err);
/* Filter this process from now on. Needs CAP_SYS_ADMIN or no_new_privs; sets neither. */
int seccomp_filter_load(const struct seccomp_filter *filter, struct error *err);

#endif
