/* SPDX-License-Identifier: GPL-2.0-or-later
 * keys_checks.c - checks of single values, and refusals that depend on the value. */
#include "compose/keys_checks.h"

#include <string.h>
#include <sys/utsname.h>

#include "engine/base/ascii.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/signals.h"

static bool is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(text, *words) == 0)
			return true;
	return false;
}

static void check_words(
	struct canon *c, const struct node *node, const struct path *path, const char *const *words)
{
	cleanup_strbuf struct strbuf list = STRBUF_INIT;

	if (node->kind != NODE_STRING || canon_is_open(c, node) || is_one_of(node->text, words))
		return;
	for (size_t i = 0; words[i]; i++)
		strbuf_addf(&list, "%s\"%s\"", i > 0 ? ", " : "", words[i]);
	canon_problem(c, node, path, "must be one of the following: %s", strbuf_text(&list));
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

void check_watch_action(struct canon *c, struct node *node, const struct path *path)
{
	check_words(
		c, node, path, WORDS("rebuild", "sync", "restart", "sync+restart", "sync+exec"));
}

void check_condition(struct canon *c, struct node *node, const struct path *path)
{
	check_words(c, node, path,
		WORDS("service_started", "service_healthy", "service_completed_successfully"));
}

void check_rollout_order(struct canon *c, struct node *node, const struct path *path)
{
	check_words(c, node, path, WORDS("start-first", "stop-first"));
}

void check_cgroup(struct canon *c, struct node *node, const struct path *path)
{
	check_words(c, node, path, WORDS("host", "private"));
}

void check_bind_recursive(struct canon *c, struct node *node, const struct path *path)
{
	check_words(c, node, path, WORDS("enabled", "disabled", "writable", "readonly"));
}

void check_mount_type(struct canon *c, struct node *node, const struct path *path)
{
	check_words(c, node, path, WORDS("bind", "volume", "tmpfs", "cluster", "npipe", "image"));
}

void check_selinux(struct canon *c, struct node *node, const struct path *path)
{
	check_words(c, node, path, WORDS("z", "Z"));
}

/* Where -1 does not mean "no limit". */
void check_size(struct canon *c, struct node *node, const struct path *path)
{
	if (node->kind == NODE_STRING && node->text[0] == '-')
		canon_problem(c, node, path, "invalid size: '%s'", node->text);
}

void check_not_blank(struct canon *c, struct node *node, const struct path *path)
{
	if (node->kind == NODE_STRING && !*node->text)
		canon_problem(c, node, path, "value can't be blank");
}

void check_cpus(struct canon *c, struct node *node, const struct path *path)
{
	double cpus = node->kind == NODE_INT ? (double)node->integer : node->real;

	if ((node->kind == NODE_INT || node->kind == NODE_FLOAT) && !(cpus >= 0 && cpus <= 1000000))
		canon_problem(
			c, node, path, "%s is no number of CPUs", node_scalar_text(c->arena, node));
}

void check_contexts(struct canon *c, struct node *node, const struct path *path)
{
	for (size_t i = 0; i < node->count; i++)
		if (node->entries[i].value->kind == NODE_NULL)
			canon_problem(c, node->entries[i].value, path,
				"invalid value %s, expected key=value", node->entries[i].key);
}

void check_oom_score(struct canon *c, struct node *node, const struct path *path)
{
	if (node->kind == NODE_INT && (node->integer < -1000 || node->integer > 1000))
		canon_problem(c, node, path, "must be between -1000 and 1000");
}

void check_scale(struct canon *c, struct node *node, const struct path *path)
{
	if (node->kind == NODE_INT && (node->integer < 0 || node->integer > 100000))
		canon_problem(c, node, path, "%s is no number of containers",
			node_scalar_text(c->arena, node));
}

void check_percent(struct canon *c, struct node *node, const struct path *path)
{
	double value = node->kind == NODE_INT	  ? (double)node->integer
		       : node->kind == NODE_FLOAT ? node->real
						  : 0;

	if (value < 0 || value > 100)
		canon_problem(c, node, path, "Must be between 0 and 100");
}

void check_count(struct canon *c, struct node *node, const struct path *path)
{
	if (node->kind == NODE_INT && node->integer < 0)
		canon_problem(c, node, path, "Must be greater than or equal to 0");
}

static const char *refuse_unless(
	const struct node *node, const char *const *words, const char *reason)
{
	return node->kind != NODE_STRING || !*node->text || is_one_of(node->text, words) ? NULL
											 : reason;
}

/* Names that the engine could not give: Docker's program finds out only when it makes the
 * container, so do the next three. */
const char *refuse_container_name(const struct node *node)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	const char *s = node->text;

	if (node->kind != NODE_STRING || !*s)
		return NULL;
	if (ascii_is_alnum(s[0]) && s[1] && strspn(s, allowed) == strlen(s))
		return NULL;
	return "invalid container name: only [a-zA-Z0-9][a-zA-Z0-9_.-]+ are allowed";
}

const char *refuse_cpuset(const struct node *node)
{
	return node->kind == NODE_STRING && *node->text && parse_cpuset(node->text) < 0
		       ? "that is no list of CPUs (like 0-2,5)"
		       : NULL;
}

const char *refuse_restart(const struct node *node)
{
	uint64_t retries;

	if (node->kind != NODE_STRING || !*node->text ||
		is_one_of(node->text, WORDS("no", "always", "on-failure", "unless-stopped")))
		return NULL;
	if (strncmp(node->text, "on-failure:", 11) == 0 &&
		parse_u64(node->text + 11, 0, INT32_MAX, &retries) == 0)
		return NULL;
	return "unknown restart policy";
}

/* Those of swarm, and docker's own words, which Compose passes on. */
const char *refuse_restart_condition(const struct node *node)
{
	return node->kind == NODE_STRING && *node->text &&
			       !is_one_of(node->text,
				       WORDS("none", "on-failure", "any", "no", "unless-stopped"))
		       ? "unknown condition: none, on-failure and any are known"
		       : NULL;
}

const char *refuse_stop_signal(const struct node *node)
{
	int number;

	return node->kind == NODE_STRING && *node->text &&
			       signal_parse(node->text, &number, NULL) < 0
		       ? "unknown signal"
		       : NULL;
}

const char *refuse_rollout_failure(const struct node *node)
{
	return refuse_unless(node, WORDS("pause", "continue", "rollback"),
		"a failed update can pause, continue or rollback");
}

const char *refuse_parallelism(const struct node *node)
{
	return node->kind == NODE_INT && node->integer < 0
		       ? "parallelism must be greater than or equal to 0"
		       : NULL;
}

const char *refuse_log_driver(const struct node *node)
{
	return refuse_unless(node, WORDS("json-file", "local", "none", "journald", "syslog"),
		"the engine has no such log driver; json-file, local, none, journald and syslog "
		"exist");
}

const char *refuse_protocol(const struct node *node)
{
	return refuse_unless(
		node, WORDS("tcp", "udp", "sctp"), "the engine publishes tcp, udp and sctp");
}

const char *refuse_propagation(const struct node *node)
{
	return refuse_unless(node,
		WORDS("rprivate", "private", "rshared", "shared", "rslave", "slave"),
		"unknown mount propagation");
}

const char *refuse_mount_type(const struct node *node)
{
	if (node->kind == NODE_STRING && strcmp(node->text, "cluster") == 0)
		return "cluster volumes are Swarm's";
	if (node->kind == NODE_STRING && strcmp(node->text, "npipe") == 0)
		return "named pipes are mounted on Windows hosts only";
	return NULL;
}

static bool starts_with_shared(const struct node *node)
{
	return node->kind == NODE_STRING && (strncmp(node->text, "service:", 8) == 0 ||
						    strncmp(node->text, "container:", 10) == 0);
}

const char *refuse_ipc(const struct node *node)
{
	return starts_with_shared(node)
		       ? NULL
		       : refuse_unless(node, WORDS("private", "shareable", "none", "host"),
				 "there is no such IPC namespace");
}

const char *refuse_pid(const struct node *node)
{
	return starts_with_shared(node) ? NULL
					: refuse_unless(node, WORDS("private", "host"),
						  "there is no such PID namespace");
}

const char *refuse_uts(const struct node *node)
{
	return refuse_unless(node, WORDS("private", "host"),
		"the engine knows only private and host UTS namespaces");
}

const char *refuse_userns(const struct node *node)
{
	return node->kind == NODE_STRING && strncmp(node->text, "auto:", 5) == 0
		       ? NULL
		       : refuse_unless(node, WORDS("", "host", "private", "auto"),
				 "user namespaces are host, private, auto and auto:OPTIONS: each "
				 "container has one of its own or none, and root of the host is in "
				 "none of them");
}

const char *refuse_network_mode(const struct node *node)
{
	return starts_with_shared(node)
		       ? NULL
		       : refuse_unless(node, WORDS("none", "host", "bridge", "default"),
				 "networks are joined by `networks`");
}

const char *refuse_platform(const struct node *node)
{
	static const struct {
		const char *machine;
		const char *architecture;
	} machines[] = {
		{ "x86_64", "amd64" },
		{ "aarch64", "arm64" },
		{ "armv7l", "arm" },
		{ "riscv64", "riscv64" },
		{ "s390x", "s390x" },
		{ "ppc64le", "ppc64le" },
	};
	struct utsname host;
	const char *text = node->text;

	if (node->kind != NODE_STRING || !*text || uname(&host) < 0)
		return NULL;
	if (strncmp(text, "linux/", 6) == 0)
		text += 6;
	else if (strcmp(text, "linux") == 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(machines); i++) {
		size_t length = strlen(machines[i].architecture);

		if (strcmp(host.machine, machines[i].machine) == 0 &&
			(strcmp(text, host.machine) == 0 ||
				(strncmp(text, machines[i].architecture, length) == 0 &&
					(text[length] == '\0' || text[length] == '/'))))
			return NULL;
	}
	return "this machine cannot run images of that platform";
}

const char *refuse_security_opt(const struct node *node)
{
	for (size_t i = 0; i < node->count; i++) {
		char name[32] = { 0 };
		const char *option = node->entries[i].value->text;
		size_t length = strcspn(option, "=:");

		if (length < sizeof(name))
			memcpy(name, option, length);
		if (!is_one_of(name, WORDS("apparmor", "label", "no-new-privileges", "seccomp",
					     "systempaths")))
			return "the engine knows apparmor, label, no-new-privileges, seccomp and "
			       "systempaths";
	}
	return NULL;
}

const char *refuse_ipam_driver(const struct node *node)
{
	return refuse_unless(node, WORDS("default"), "the engine has no such address driver");
}

const char *refuse_network_driver(const struct node *node)
{
	return refuse_unless(node, WORDS("bridge", "default", "macvlan", "ipvlan"),
		"the engine has bridge, macvlan and ipvlan networks");
}

const char *refuse_volume_driver(const struct node *node)
{
	return refuse_unless(node, WORDS("local"), "the engine has only local volumes");
}

const char *refuse_endpoint_options(const struct node *node)
{
	for (size_t i = 0; i < node->count; i++)
		if (!is_one_of(node->entries[i].key, WORDS("com.docker.network.endpoint.sysctls",
							     "com.docker.network.endpoint.ifname")))
			return "of an endpoint the engine knows only the options "
			       "com.docker.network.endpoint.sysctls and .ifname";
	return NULL;
}

const char *refuse_external_secret(const struct node *node)
{
	return node->kind == NODE_BOOL && node->boolean
		       ? "there is no store that external ones could come from"
		       : NULL;
}
