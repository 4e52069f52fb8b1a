/* SPDX-License-Identifier: GPL-2.0-or-later
 * kernel.c - the kernel's own price of a container: the yardstick that mycompose is measured by.
 *
 * Makes COUNT containers one after another with nothing around them: clone3 into new namespaces, a
 * cgroup with limits and device rules, an overlay over the given layers, the usual mounts, a veth
 * pair on one bridge with address and route, pivot_root, exec. Then ends them. No libraries, no
 * state on disk, no log. Prints one JSON line with the times. Works in a network and mount
 * namespace of its own on a tmpfs, so nothing is left but the cgroups it removes itself. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DIR_MAX	   1024 /* path of a cgroup */
#define COUNT_MAX  4096
#define MEMORY_MAX "67108864"
#define PIDS_MAX   "50"
#define NETWORK	   0x0ac80000u /* 10.200.0.0/16 */
#define PREFIX	   16
#define CHILD_FLAGS \
	(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_PIDFD)

struct hierarchy {
	char path[512];
	bool v2;
};

struct bench {
	struct hierarchy hierarchies[32];
	size_t hierarchy_count;
	char parent[64]; /* cgroup below the root of each hierarchy */
	const char *layers;
	const char *program;
	int rtnl_fd;
	int bridge;
	struct {
		pid_t pid;
		int pid_fd;
	} containers[COUNT_MAX];
};

/* In a child before its exec: where to say that it failed. */
static int failure_fd = -1;

static void die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
static void die(const char *fmt, ...)
{
	int code = errno;
	va_list ap;

	fputs("kernel: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, ": %s\n", strerror(code));
	if (failure_fd >= 0 && write(failure_fd, "f", 1) != 1)
		fputs("kernel: and nobody is listening\n", stderr);
	_exit(1);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* A request that grows, and its answer. */
struct request {
	struct nlmsghdr header;
	char body[1024];
};

static void *request_room(struct request *request, size_t size)
{
	void *at = (char *)request + NLMSG_ALIGN(request->header.nlmsg_len);

	request->header.nlmsg_len = (uint32_t)(NLMSG_ALIGN(request->header.nlmsg_len) + size);
	return at;
}

static void request_begin(
	struct request *request, uint16_t type, uint16_t flags, const void *head, size_t size)
{
	memset(request, 0, sizeof(*request));
	request->header.nlmsg_len = NLMSG_LENGTH(0);
	request->header.nlmsg_type = type;
	request->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	memcpy(request_room(request, size), head, size);
}

static struct rtattr *put_attr(
	struct request *request, uint16_t type, const void *data, size_t size)
{
	struct rtattr *attr = request_room(request, RTA_LENGTH(size));

	attr->rta_type = type;
	attr->rta_len = (uint16_t)RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(attr), data, size);
	return attr;
}

static void put_string(struct request *request, uint16_t type, const char *s)
{
	put_attr(request, type, s, strlen(s) + 1);
}

static void end_nest(struct request *request, struct rtattr *nest)
{
	nest->rta_len = (uint16_t)((char *)request + request->header.nlmsg_len - (char *)nest);
}

static int open_rtnl(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		die("netlink socket");
	return fd;
}

static void ask(int rtnl_fd, struct request *request, int accepted, const char *what)
{
	char answer[4096] __attribute__((aligned(8)));
	const struct nlmsghdr *header = (const void *)answer;
	const struct nlmsgerr *result;

	if (send(rtnl_fd, request, request->header.nlmsg_len, 0) < 0 ||
		recv(rtnl_fd, answer, sizeof(answer), 0) < 0)
		die("%s", what);
	result = NLMSG_DATA(header);
	if (header->nlmsg_type != NLMSG_ERROR ||
		(result->error != 0 && result->error != -accepted)) {
		errno = -result->error;
		die("%s", what);
	}
}

static void link_up(int rtnl_fd, int index)
{
	struct ifinfomsg info = { .ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct request request;

	request_begin(&request, RTM_NEWLINK, 0, &info, sizeof(info));
	ask(rtnl_fd, &request, 0, "set link up");
}

static void link_delete(int rtnl_fd, const char *name)
{
	struct ifinfomsg info = { 0 };
	struct request request;

	request_begin(&request, RTM_DELLINK, 0, &info, sizeof(info));
	put_string(&request, IFLA_IFNAME, name);
	ask(rtnl_fd, &request, ENODEV, "delete link"); /* it may have gone with its namespace */
}

static void address_add(int rtnl_fd, int index, uint32_t address)
{
	struct ifaddrmsg info = {
		.ifa_family = AF_INET, .ifa_prefixlen = PREFIX, .ifa_index = (uint32_t)index
	};
	uint32_t wire = htonl(address);
	struct request request;

	request_begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof(info));
	put_attr(&request, IFA_LOCAL, &wire, sizeof(wire));
	put_attr(&request, IFA_ADDRESS, &wire, sizeof(wire));
	ask(rtnl_fd, &request, 0, "add address");
}

static void default_route(int rtnl_fd, uint32_t gateway)
{
	struct rtmsg info = { .rtm_family = AF_INET,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_BOOT,
		.rtm_scope = RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST };
	uint32_t wire = htonl(gateway);
	struct request request;

	request_begin(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof(info));
	put_attr(&request, RTA_GATEWAY, &wire, sizeof(wire));
	ask(rtnl_fd, &request, 0, "add default route");
}

static void bridge_make(struct bench *bench)
{
	struct ifinfomsg info = { 0 };
	struct request request;
	struct rtattr *nest;

	request_begin(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof(info));
	put_string(&request, IFLA_IFNAME, "bench0");
	nest = put_attr(&request, IFLA_LINKINFO, NULL, 0);
	put_string(&request, IFLA_INFO_KIND, "bridge");
	end_nest(&request, nest);
	ask(bench->rtnl_fd, &request, 0, "make bridge");
	bench->bridge = (int)if_nametoindex("bench0");
	address_add(bench->rtnl_fd, bench->bridge, NETWORK + 1);
	link_up(bench->rtnl_fd, bench->bridge);
}

/* One request: this end on the bridge and up, the other as eth0 in the child's namespace. */
static void veth_make(const struct bench *bench, int number, pid_t pid)
{
	struct ifinfomsg info = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct ifinfomsg peer_info = { 0 };
	struct request request;
	struct rtattr *link_info, *data, *peer;
	char name[IFNAMSIZ];

	snprintf(name, sizeof(name), "bv%d", number);
	request_begin(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof(info));
	put_string(&request, IFLA_IFNAME, name);
	put_attr(&request, IFLA_MASTER, &bench->bridge, sizeof(bench->bridge));
	link_info = put_attr(&request, IFLA_LINKINFO, NULL, 0);
	put_string(&request, IFLA_INFO_KIND, "veth");
	data = put_attr(&request, IFLA_INFO_DATA, NULL, 0);
	peer = put_attr(&request, VETH_INFO_PEER, NULL, 0);
	memcpy(request_room(&request, sizeof(peer_info)), &peer_info, sizeof(peer_info));
	put_string(&request, IFLA_IFNAME, "eth0");
	put_attr(&request, IFLA_NET_NS_PID, &pid, sizeof(pid));
	end_nest(&request, peer);
	end_nest(&request, data);
	end_nest(&request, link_info);
	ask(bench->rtnl_fd, &request, 0, "make veth pair");
}

static void write_file(const char *value, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void write_file(const char *value, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;
	int fd;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		die("write '%s' to %s", value, path);
	close(fd);
}

static bool exists(const char *dir, const char *file)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	return access(path, F_OK) == 0;
}

/* Mount points without blanks in them will do for a benchmark. */
static void find_hierarchies(struct bench *bench)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char line[4096];

	if (!file)
		die("open /proc/self/mountinfo");
	while (fgets(line, sizeof(line), file) && bench->hierarchy_count < 32) {
		bool v2 = strstr(line, " - cgroup2 ") != NULL;
		struct hierarchy *h = &bench->hierarchies[bench->hierarchy_count];

		if (!v2 && !strstr(line, " - cgroup "))
			continue;
		if (sscanf(line, "%*s %*s %*s %*s %500s", h->path) != 1 ||
			!exists(h->path, "cgroup.procs"))
			continue;
		h->v2 = v2;
		bench->hierarchy_count++;
	}
	fclose(file);
}

static void inherit_cpuset(const char *dir, const char *file)
{
	char from[PATH_MAX], value[256];
	int fd;
	ssize_t n;

	snprintf(from, sizeof(from), "%s/../%s", dir, file);
	fd = open(from, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, value, sizeof(value) - 1);
	if (n < 0)
		die("read %s", from);
	close(fd);
	value[n] = '\0';
	write_file(value, "%s/%s", dir, file);
}

/* Which of these files are there tells which hierarchy it is. */
static const struct {
	const char *file, *value;
} limits[] = {
	{ "memory.limit_in_bytes", MEMORY_MAX },
	{ "memory.max", MEMORY_MAX },
	{ "pids.max", PIDS_MAX },
	{ "cpu.cfs_quota_us", "50000" },
	{ "cpu.max", "50000 100000" },
	{ "devices.deny", "a" },
	{ "devices.allow", "c *:* m" },
	{ "devices.allow", "b *:* m" },
	{ "devices.allow", "c 1:3 rwm" },
	{ "devices.allow", "c 1:5 rwm" },
	{ "devices.allow", "c 1:7 rwm" },
	{ "devices.allow", "c 1:8 rwm" },
	{ "devices.allow", "c 1:9 rwm" },
	{ "devices.allow", "c 5:0 rwm" },
	{ "devices.allow", "c 5:2 rwm" },
	{ "devices.allow", "c 136:* rwm" },
};

static void group_dir(const struct bench *bench, const struct hierarchy *hierarchy, int number,
	char path[static DIR_MAX])
{
	if (number < 0)
		snprintf(path, DIR_MAX, "%s/%s", hierarchy->path, bench->parent);
	else
		snprintf(path, DIR_MAX, "%s/%s/%d", hierarchy->path, bench->parent, number);
}

static void group_make(const struct bench *bench, const struct hierarchy *hierarchy, int number)
{
	char dir[DIR_MAX];

	group_dir(bench, hierarchy, number, dir);
	if (mkdir(dir, 0755) < 0)
		die("make %s", dir);
	if (exists(dir, "cpuset.memory_migrate")) { /* v1 */
		inherit_cpuset(dir, "cpuset.cpus");
		inherit_cpuset(dir, "cpuset.mems");
	}
	if (number < 0)
		return;
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		if (exists(dir, limits[i].file))
			write_file(limits[i].value, "%s/%s", dir, limits[i].file);
	}
}

static void parents_make(const struct bench *bench)
{
	for (size_t i = 0; i < bench->hierarchy_count; i++) {
		const struct hierarchy *hierarchy = &bench->hierarchies[i];

		group_make(bench, hierarchy, -1);
		if (!hierarchy->v2 || bench->hierarchy_count > 1)
			continue;
		write_file("+cpu +memory +pids", "%s/cgroup.subtree_control", hierarchy->path);
		write_file("+cpu +memory +pids", "%s/%s/cgroup.subtree_control", hierarchy->path,
			bench->parent);
	}
}

static void groups_make(const struct bench *bench, int number, pid_t pid)
{
	char value[16];

	snprintf(value, sizeof(value), "%d", (int)pid);
	for (size_t i = 0; i < bench->hierarchy_count; i++)
		group_make(bench, &bench->hierarchies[i], number);
	for (size_t i = 0; i < bench->hierarchy_count; i++)
		write_file(value, "%s/%s/%d/cgroup.procs", bench->hierarchies[i].path,
			bench->parent, number);
}

static void groups_remove(const struct bench *bench, int number)
{
	for (size_t i = 0; i < bench->hierarchy_count; i++) {
		char dir[DIR_MAX];

		group_dir(bench, &bench->hierarchies[i], number, dir);
		for (int tries = 0; rmdir(dir) < 0; tries++) {
			if (errno != EBUSY || tries == 5000)
				die("remove %s", dir);
			usleep(200);
		}
	}
}

static void mount_at(const char *type, const char *target, unsigned long flags, const char *options)
{
	if (mkdir(target, 0755) < 0 && errno != EEXIST)
		die("make %s", target);
	if (mount(type, target, type, flags, options) < 0)
		die("mount %s on %s", type, target);
}

static void populate_dev(void)
{
	static const struct {
		const char *name;
		unsigned major_number, minor_number;
	} nodes[] = { { "dev/null", 1, 3 }, { "dev/zero", 1, 5 }, { "dev/full", 1, 7 },
		{ "dev/random", 1, 8 }, { "dev/urandom", 1, 9 }, { "dev/tty", 5, 0 } };
	static const struct {
		const char *target, *name;
	} links[] = { { "/proc/self/fd", "dev/fd" }, { "/proc/self/fd/0", "dev/stdin" },
		{ "/proc/self/fd/1", "dev/stdout" }, { "/proc/self/fd/2", "dev/stderr" },
		{ "pts/ptmx", "dev/ptmx" } };

	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++) {
		if (mknod(nodes[i].name, S_IFCHR | 0666,
			    makedev(nodes[i].major_number, nodes[i].minor_number)) < 0)
			die("make %s", nodes[i].name);
	}
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
		if (symlink(links[i].target, links[i].name) < 0)
			die("link %s", links[i].name);
	}
}

static void enter_root(const struct bench *bench, int number)
{
	const unsigned long safe = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	char options[PATH_MAX], root[64];

	snprintf(options, sizeof(options), "lowerdir=%s,upperdir=%d/upper,workdir=%d/work",
		bench->layers, number, number);
	snprintf(root, sizeof(root), "%d/root", number);
	if (mount("overlay", root, "overlay", 0, options) < 0)
		die("mount overlay");
	if (chdir(root) < 0)
		die("enter %s", root);
	mount_at("proc", "proc", safe, NULL);
	mount_at("tmpfs", "dev", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
	populate_dev();
	mount_at("devpts", "dev/pts", MS_NOSUID | MS_NOEXEC,
		"newinstance,ptmxmode=0666,mode=0620,gid=5");
	mount_at("tmpfs", "dev/shm", safe, "mode=1777,size=65536k");
	mount_at("mqueue", "dev/mqueue", safe, NULL);
	mount_at("sysfs", "sys", safe | MS_RDONLY, NULL);
	if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		die("pivot_root");
}

static void child_main(const struct bench *bench, int number, int gate_fd)
{
	char byte, name[32];
	int rtnl_fd;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) /* a run that fails leaves no container */
		die("prctl");
	if (read(gate_fd, &byte, 1) != 1)
		_exit(1);
	if (unshare(CLONE_NEWCGROUP) < 0) /* now that the cgroup is the right one */
		die("unshare cgroup namespace");
	snprintf(name, sizeof(name), "bench-%d", number);
	if (sethostname(name, strlen(name)) < 0)
		die("sethostname");
	rtnl_fd = open_rtnl();
	link_up(rtnl_fd, 1); /* lo is the first of every namespace */
	address_add(rtnl_fd, (int)if_nametoindex("eth0"), NETWORK + 2 + (uint32_t)number);
	link_up(rtnl_fd, (int)if_nametoindex("eth0"));
	default_route(rtnl_fd, NETWORK + 1);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		die("make mounts private");
	enter_root(bench, number);
	execl(bench->program, bench->program, (char *)NULL);
	die("exec %s", bench->program);
}

static void make_dirs(int number)
{
	static const char *const names[] = { "", "/upper", "/work", "/root" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[64];

		snprintf(path, sizeof(path), "%d%s", number, names[i]);
		if (mkdir(path, 0755) < 0)
			die("make %s", path);
	}
}

static void container_up(struct bench *bench, int number)
{
	struct clone_args args = { .flags = CHILD_FLAGS, .exit_signal = SIGCHLD };
	int gate[2], started[2], pid_fd = -1;
	char byte;
	pid_t pid;

	make_dirs(number);
	if (pipe2(gate, O_CLOEXEC) < 0 || pipe2(started, O_CLOEXEC) < 0)
		die("pipe");
	args.pidfd = (uintptr_t)&pid_fd;
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		die("clone3");
	if (pid == 0) {
		close(gate[1]);
		failure_fd = started[1];
		child_main(bench, number, gate[0]);
	}
	close(gate[0]);
	close(started[1]);
	groups_make(bench, number, pid);
	veth_make(bench, number, pid);
	if (write(gate[1], "g", 1) != 1)
		die("let the child go");
	close(gate[1]);
	if (read(started[0], &byte, 1) != 0) /* exec closes the other end */
		_exit(1);		     /* the child said why */
	close(started[0]);
	bench->containers[number].pid = pid;
	bench->containers[number].pid_fd = pid_fd;
}

static void remove_tree(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char child[PATH_MAX];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (snprintf(child, sizeof(child), "%s/%s", path, entry->d_name) < PATH_MAX &&
			unlink(child) < 0)
			remove_tree(child);
	}
	if (dir)
		closedir(dir);
	if (rmdir(path) < 0)
		die("remove %s", path);
}

static void container_down(struct bench *bench, int number)
{
	char name[IFNAMSIZ];
	int status;

	if (syscall(SYS_pidfd_send_signal, bench->containers[number].pid_fd, SIGKILL, NULL, 0) < 0)
		die("signal");
	if (waitpid(bench->containers[number].pid, &status, 0) < 0)
		die("wait");
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
		errno = EPROTO;
		die("container %d ended with status %d", number, status);
	}
	close(bench->containers[number].pid_fd);
	snprintf(name, sizeof(name), "bv%d", number);
	link_delete(bench->rtnl_fd, name);
	groups_remove(bench, number);
	snprintf(name, sizeof(name), "%d", number);
	remove_tree(name);
}

/* Everything below happens on a tmpfs that dies with this process. */
static void own_world(void)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0)
		die("unshare (root is needed)");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tmpfs", "/mnt", "tmpfs", 0, "mode=700") < 0 || chdir("/mnt") < 0)
		die("make a tmpfs");
}

static int run(struct bench *bench, int count)
{
	double start, up;

	own_world();
	bench->rtnl_fd = open_rtnl();
	start = now_ms();
	bridge_make(bench);
	parents_make(bench);
	for (int i = 0; i < count; i++)
		container_up(bench, i);
	up = now_ms() - start;

	start = now_ms();
	for (int i = 0; i < count; i++)
		container_down(bench, i);
	groups_remove(bench, -1);
	link_delete(bench->rtnl_fd, "bench0");
	printf("{\"count\": %d, \"up_ms\": %.2f, \"down_ms\": %.2f}\n", count, up,
		now_ms() - start);
	return 0;
}

/* After a run that failed: its containers died with it, their cgroups did not. */
static void sweep(const struct bench *bench, int count)
{
	while (waitpid(-1, NULL, 0) > 0)
		;
	for (int number = count - 1; number >= -1; number--) {
		for (size_t i = 0; i < bench->hierarchy_count; i++) {
			char dir[DIR_MAX];

			group_dir(bench, &bench->hierarchies[i], number, dir);
			for (int tries = 0; rmdir(dir) < 0 && errno == EBUSY && tries < 5000;
				tries++)
				usleep(200);
		}
	}
}

int main(int argc, char **argv)
{
	static struct bench bench;
	char none[] = "", *end = none;
	long count = argc == 4 ? strtol(argv[1], &end, 10) : 0;
	int status;
	pid_t pid;

	if (count < 1 || count > COUNT_MAX || *end) {
		fputs("usage: kernel COUNT LAYER[:LAYER...] PROGRAM\n"
		      "Layers are absolute paths, the topmost first; PROGRAM is a path in them "
		      "that "
		      "exits with 0 on SIGTERM.\n",
			stderr);
		return 2;
	}
	bench.layers = argv[2];
	bench.program = argv[3];
	snprintf(bench.parent, sizeof(bench.parent), "mycompose-bench-%d", (int)getpid());
	find_hierarchies(&bench);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) /* for what a failed run leaves */
		die("prctl");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0)
		return run(&bench, (int)count);
	if (waitpid(pid, &status, 0) != pid)
		die("wait");
	if (status == 0)
		return 0;
	sweep(&bench, (int)count);
	return 1;
}
