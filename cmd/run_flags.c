/* SPDX-License-Identifier: GPL-2.0-or-later
 * run_flags.c - the flags of `run`, and which of them belong to one meaning only. */
#include <errno.h>
#include <stddef.h>

#include "cmd/run_options.h"
#include "engine/base/memory.h"

#define R(field) offsetof(struct run_options, field)
const struct flag run_flags[] = {
	{ 'd', "detach", FLAG_BOOL, R(detach), NULL, "Print the container's id and return", 0 },
	{ 'i', "interactive", FLAG_BOOL, R(interactive), NULL,
		"Pass standard input on (services: on unless --interactive=false)",
		R(interactive_given) },
	{ 't', "tty", FLAG_BOOL, R(tty), NULL,
		"Give it a terminal (services: on where there is one)", R(tty_given) },
	{ 'T', "no-tty", FLAG_BOOL, R(no_tty), NULL, "No terminal", 0 },
	{ 0, "no-TTY", FLAG_BOOL, R(no_tty), NULL, NULL, 0 },
	{ 0, "rm", FLAG_BOOL, R(remove), NULL, "Remove the container when it ends", 0 },
	{ 0, "name", FLAG_STRING, R(name), "NAME", "Name of the container", 0 },
	{ 0, "entrypoint", FLAG_STRING, R(entrypoint), "COMMAND", "Replace the entrypoint",
		R(entrypoint_given) },
	{ 'u', "user", FLAG_STRING, R(user), "USER[:GROUP]", "Run as this user", 0 },
	{ 'w', "workdir", FLAG_STRING, R(workdir), "DIR", "Working directory in the container", 0 },
	{ 'e', "env", FLAG_LIST, R(env), "KEY[=VALUE]", "Set an environment variable", 0 },
	{ 0, "env-file", FLAG_LIST, R(env_files), "FILE", "Set the environment variables of a file",
		0 },
	{ 0, "env-from-file", FLAG_LIST, R(env_files), "FILE", NULL, 0 },
	{ 'h', "hostname", FLAG_STRING, R(hostname), "NAME", "Host name of the container",
		R(hostname_given) },
	{ 0, "domainname", FLAG_STRING, R(domainname), "NAME", "Domain name of the container", 0 },
	{ 0, "group-add", FLAG_LIST, R(group_add), "GROUP", "Additional group of the process", 0 },
	{ 0, "ulimit", FLAG_LIST, R(ulimits), "NAME=SOFT[:HARD]", "Set a resource limit", 0 },
	{ 0, "stop-signal", FLAG_STRING, R(stop_signal), "SIGNAL", "Signal that stops it", 0 },
	{ 0, "stop-timeout", FLAG_INT, R(stop_timeout), "SEC",
		"Grace period before SIGKILL (default: 10)", R(stop_timeout_given) },
	{ 0, "init", FLAG_BOOL, R(init), NULL, "Run a small init that reaps and forwards", 0 },
	{ 0, "oom-score-adj", FLAG_INT, R(oom_score_adj), "N",
		"Preference of the kernel's OOM killer (-1000 to 1000)", R(oom_score_adj_given) },
	{ 0, "privileged", FLAG_BOOL, R(privileged), NULL, "All capabilities and devices", 0 },
	{ 0, "cap-add", FLAG_LIST, R(cap_add), "CAP", "Add a capability", 0 },
	{ 0, "cap-drop", FLAG_LIST, R(cap_drop), "CAP", "Drop a capability", 0 },
	{ 0, "security-opt", FLAG_LIST, R(security_opt), "OPTION",
		"no-new-privileges, seccomp=unconfined or seccomp=FILE", 0 },
	{ 0, "sysctl", FLAG_LIST, R(sysctls), "KEY=VALUE", "Set a namespaced kernel parameter", 0 },
	{ 0, "read-only", FLAG_BOOL, R(read_only), NULL, "Read-only root file system", 0 },
	{ 0, "pid", FLAG_STRING, R(pid_mode), "MODE", "PID namespace: host or container:NAME", 0 },
	{ 0, "ipc", FLAG_STRING, R(ipc_mode), "MODE", "IPC namespace: host or container:NAME", 0 },
	{ 0, "uts", FLAG_STRING, R(uts_mode), "MODE", "UTS namespace: host", 0 },
	{ 'm', "memory", FLAG_STRING, R(memory), "BYTES", "Memory limit", 0 },
	{ 0, "memory-swap", FLAG_STRING, R(memory_swap), "BYTES",
		"Limit of memory and swap together, -1 for unlimited swap", 0 },
	{ 0, "memory-reservation", FLAG_STRING, R(memory_reservation), "BYTES", "Soft memory limit",
		0 },
	{ 0, "oom-kill-disable", FLAG_BOOL, R(oom_kill_disable), NULL,
		"Wait for memory instead of being killed", 0 },
	{ 0, "cpus", FLAG_STRING, R(cpus), "N", "CPU limit, as a number of CPUs (0.5)", 0 },
	{ 0, "cpuset-cpus", FLAG_STRING, R(cpuset_cpus), "LIST", "CPUs it may use (0-2,5)", 0 },
	{ 0, "cpuset", FLAG_STRING, R(cpuset_cpus), "LIST", NULL, 0 },
	{ 0, "cpuset-mems", FLAG_STRING, R(cpuset_mems), "LIST", "Memory nodes it may use", 0 },
	{ 'c', "cpu-shares", FLAG_INT, R(cpu_shares), "N", "Relative CPU weight (default: 1024)",
		0 },
	{ 0, "cpu-period", FLAG_INT, R(cpu_period), "US", "Period of the CPU quota", 0 },
	{ 0, "cpu-quota", FLAG_INT, R(cpu_quota), "US", "CPU time in each period", 0 },
	{ 0, "pids-limit", FLAG_INT, R(pids_limit), "N", "Limit of processes, -1 for no limit", 0 },
	{ 0, "shm-size", FLAG_STRING, R(shm_size), "BYTES", "Size of /dev/shm (default: 64m)", 0 },
	{ 'v', "volume", FLAG_LIST, R(volumes), "[SOURCE:]DIR[:ro]",
		"Mount a host directory or a volume", 0 },
	{ 0, "mount", FLAG_LIST, R(mounts), "KEY=VALUE,…",
		"Mount as type=bind|volume|tmpfs|image,source=…,target=…", 0 },
	{ 0, "tmpfs", FLAG_LIST, R(tmpfs), "DIR[:OPTIONS]", "Mount a tmpfs", 0 },
	{ 'p', "publish", FLAG_LIST, R(publish), "[IP:][HOST:]PORT[/PROTOCOL]", "Publish a port",
		0 },
	{ 'P', "publish-all", FLAG_BOOL, R(publish_all), NULL,
		"Publish all exposed ports (services: those in the file)", 0 },
	{ 0, "service-ports", FLAG_BOOL, R(publish_all), NULL, NULL, 0 },
	{ 0, "expose", FLAG_LIST, R(expose), "PORT", "Expose a port", 0 },
	{ 0, "network", FLAG_LIST, R(networks), "NETWORK",
		"Join a network, or host, none, container:NAME", 0 },
	{ 0, "net", FLAG_LIST, R(networks), "NETWORK", NULL, 0 },
	{ 0, "network-alias", FLAG_LIST, R(network_aliases), "NAME", "Another name in the network",
		0 },
	{ 0, "ip", FLAG_STRING, R(ip), "ADDRESS", "Address in the network", 0 },
	{ 0, "mac-address", FLAG_STRING, R(mac_address), "MAC", "Hardware address", 0 },
	{ 0, "add-host", FLAG_LIST, R(add_hosts), "HOST:ADDRESS", "Line for /etc/hosts", 0 },
	{ 0, "dns", FLAG_LIST, R(dns), "ADDRESS", "Name server", 0 },
	{ 0, "dns-search", FLAG_LIST, R(dns_search), "DOMAIN", "Search domain", 0 },
	{ 0, "dns-option", FLAG_LIST, R(dns_options), "OPTION", "Option for resolv.conf", 0 },
	{ 0, "dns-opt", FLAG_LIST, R(dns_options), "OPTION", NULL, 0 },
	{ 'l', "label", FLAG_LIST, R(labels), "KEY=VALUE", "Set a label", 0 },
	{ 0, "restart", FLAG_STRING, R(restart), "POLICY",
		"no, on-failure[:N], always or unless-stopped", 0 },
	{ 0, "log-driver", FLAG_STRING, R(log_driver), "NAME", "json-file", 0 },
	{ 0, "log-opt", FLAG_LIST, R(log_opts), "KEY=VALUE", "max-size=BYTES or max-file=N", 0 },
	{ 0, "pull", FLAG_STRING, R(pull), "POLICY", "missing or never: images are local", 0 },
	{ 'q', "quiet", FLAG_BOOL, R(quiet), NULL, "Show no progress", 0 },
	{ 0, "no-deps", FLAG_BOOL, R(no_deps), NULL, "Services: do not start dependencies", 0 },
	{ 0, "use-aliases", FLAG_BOOL, R(use_aliases), NULL,
		"Services: answer to the service's names in its networks", 0 },
	{ 0, "remove-orphans", FLAG_BOOL, R(remove_orphans), NULL,
		"Services: remove containers of services that the file does not declare", 0 },
	FLAG_END,
};

int run_options_check(const struct run_options *options, bool is_service, struct error *err)
{
	const struct {
		bool given;
		bool of_service; /* else of images only */
		const char *flag;
	} rows[] = {
		{ options->no_deps, true, "--no-deps" },
		{ options->use_aliases, true, "--use-aliases" },
		{ options->remove_orphans, true, "--remove-orphans" },
		{ options->restart != NULL, false, "--restart" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].given && rows[i].of_service != is_service)
			return error_set(err, -EINVAL, "unknown flag: %s (running %s)",
				rows[i].flag, is_service ? "a service" : "an image");
	if (is_service && options->publish_all && options->publish)
		return error_set(err, -EINVAL,
			"--service-ports and --publish are incompatible: give one of them");
	return 0;
}
