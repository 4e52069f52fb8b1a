/* SPDX-License-Identifier: GPL-2.0-or-later
 * forbidden.c - things that a container may not do unless it was given the right: each is tried.
 *
 * "NAME ERRNO" or "NAME ok" a line. Each runs in a process of its own, so none spoils the next; and
 * each is harmless where it is allowed: what would change the host gets arguments that the kernel
 * turns down only after it has looked at the rights. */
#include "tests/probe/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_packet.h>
#include <linux/perf_event.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __x86_64__
#include <sys/io.h>
#endif

#define HOST_INIT 1 /* where the pid namespace is the host's */

/* What a call said, as 0 or -errno. */
static int said(long result)
{
	return result < 0 ? -errno : 0;
}

static int call(long number, long a, long b, long c, long d)
{
	return said(syscall(number, a, b, c, d, 0, 0));
}

static int mount_type(const char *type)
{
	mkdir("/tmp/target", 0755);
	return said(mount(type, "/tmp/target", type, 0, NULL));
}

static int mount_tmpfs(void)
{
	return mount_type("tmpfs");
}

static int mount_proc(void)
{
	return mount_type("proc");
}

static int mount_sysfs(void)
{
	return mount_type("sysfs");
}

static int mount_bind(void)
{
	mkdir("/tmp/target", 0755);
	return said(mount("/bin", "/tmp/target", NULL, MS_BIND, NULL));
}

static int mount_remount(void)
{
	return said(mount(NULL, "/proc", NULL, MS_REMOUNT | MS_BIND, NULL));
}

static int mount_shared(void)
{
	return said(mount(NULL, "/", NULL, MS_SHARED, NULL));
}

static int unmount(void)
{
	return said(umount2("/dev/shm", MNT_DETACH));
}

static int pivot_root_(void)
{
	return call(SYS_pivot_root, (long)"/", (long)"/", 0, 0);
}

static int fsopen_(void)
{
	return call(SYS_fsopen, (long)"tmpfs", 0, 0, 0);
}

static int open_tree_(void)
{
	return call(SYS_open_tree, AT_FDCWD, (long)"/bin", 1, 0); /* OPEN_TREE_CLONE */
}

static int move_mount_(void)
{
	return call(SYS_move_mount, -1, (long)"", -1, (long)"");
}

static int mount_setattr_(void)
{
	return call(SYS_mount_setattr, -1, (long)"", 0, 0);
}

static int namespace(int flag)
{
	return said(unshare(flag));
}

static int unshare_user(void)
{
	return namespace(CLONE_NEWUSER);
}

static int unshare_mounts(void)
{
	return namespace(CLONE_NEWNS);
}

static int unshare_pids(void)
{
	return namespace(CLONE_NEWPID);
}

static int unshare_network(void)
{
	return namespace(CLONE_NEWNET);
}

static int unshare_names(void)
{
	return namespace(CLONE_NEWUTS);
}

static int unshare_ipc(void)
{
	return namespace(CLONE_NEWIPC);
}

static int unshare_cgroup(void)
{
	return namespace(CLONE_NEWCGROUP);
}

static int setns_(void)
{
	int fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);

	return said(setns(fd, CLONE_NEWUTS));
}

static int set_host_name(void)
{
	return said(sethostname("changed", 7));
}

static int set_domain_name(void)
{
	return said(setdomainname("changed", 7));
}

static int trace(void)
{
	return said(ptrace(PTRACE_SEIZE, HOST_INIT, NULL, NULL));
}

static int read_memory(void)
{
	char byte;
	struct iovec own = { &byte, 1 }, other = { (void *)16, 1 };

	return said(process_vm_readv(HOST_INIT, &own, 1, &other, 1, 0));
}

static int open_memory(void)
{
	return said(open("/proc/1/mem", O_RDONLY | O_CLOEXEC));
}

static int open_root(void)
{
	return said(open("/proc/1/root/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int take_descriptor(void)
{
	int fd = (int)syscall(SYS_pidfd_open, HOST_INIT, 0);

	return call(SYS_pidfd_getfd, fd, 0, 0, 0);
}

static int raw_socket(void)
{
	return said(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
}

static int packet_socket(void)
{
	return said(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL)));
}

static int interface_down(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return said(ioctl(fd, SIOCSIFFLAGS, &request));
}

static int interface_mtu(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_mtu = 65536 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return said(ioctl(fd, SIOCSIFMTU, &request));
}

static int mark(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), value = 1;

	return said(setsockopt(fd, SOL_SOCKET, SO_MARK, &value, sizeof(value)));
}

static int force_buffer(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), value = 4096;

	return said(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &value, sizeof(value)));
}

static int keyctl_(void)
{
	return call(SYS_keyctl, 0, -3, 0, 0); /* the session's key ring */
}

static int add_key(void)
{
	return call(SYS_add_key, (long)"user", (long)"name", (long)"x", 1);
}

static int request_key(void)
{
	return call(SYS_request_key, (long)"user", (long)"there is none", 0, 0);
}

static int open_node(mode_t type, unsigned int major_, unsigned int minor_)
{
	unlink("/tmp/node");
	if (mknod("/tmp/node", type | 0600, makedev(major_, minor_)) < 0)
		return -errno;
	return said(open("/tmp/node", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
}

static int open_disk(void)
{
	return open_node(S_IFBLK, 7, 0);
}

static int open_loop_control(void)
{
	return open_node(S_IFCHR, 10, 237);
}

static int open_fuse(void)
{
	return open_node(S_IFCHR, 10, 229);
}

static int open_kernel_log(void)
{
	return open_node(S_IFCHR, 1, 11);
}

static int make_node(void)
{
	unlink("/tmp/node");
	return said(mknod("/tmp/node", S_IFCHR | 0600, makedev(1, 3)));
}

static int open_to_write(const char *path)
{
	return said(open(path, O_WRONLY | O_CLOEXEC));
}

static int write_core_pattern(void)
{
	return open_to_write("/proc/sys/kernel/core_pattern");
}

static int write_host_name(void)
{
	return open_to_write("/proc/sys/kernel/hostname");
}

static int write_memory_policy(void)
{
	return open_to_write("/proc/sys/vm/overcommit_memory");
}

static int write_files_limit(void)
{
	return open_to_write("/proc/sys/fs/file-max");
}

static int write_forwarding(void)
{
	return open_to_write("/proc/sys/net/ipv4/ip_forward");
}

static int write_sysrq(void)
{
	return open_to_write("/proc/sysrq-trigger");
}

static int write_irq(void)
{
	return open_to_write("/proc/irq/default_smp_affinity");
}

/* Masked files are there and empty. */
static int has_content(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char byte;

	if (fd < 0)
		return -errno;
	return read(fd, &byte, 1) == 1 ? 0 : -EACCES;
}

static int read_interrupts(void)
{
	return has_content("/proc/interrupts");
}

static int read_timers(void)
{
	return has_content("/proc/timer_list");
}

static int write_sysfs(void)
{
	return open_to_write("/sys/block/loop0/queue/read_ahead_kb");
}

static int make_cgroup(void)
{
	static const char *const paths[] = { "/sys/fs/cgroup/pids/below", "/sys/fs/cgroup/below" };

	for (size_t i = 0; i < 2; i++) {
		if (mkdir(paths[i], 0755) == 0)
			return said(rmdir(paths[i]));
		if (errno != ENOENT)
			return -errno;
	}
	return -ENOENT;
}

static int set_time(void)
{
	return call(SYS_settimeofday, 0, 0, 0, 0); /* neither time nor zone: nothing is set */
}

static int swap_on(void)
{
	return call(SYS_swapon, (long)"/there/is/none", 0, 0, 0);
}

static int swap_off(void)
{
	return call(SYS_swapoff, (long)"/there/is/none", 0, 0, 0);
}

static int reboot_(void)
{
	return call(SYS_reboot, 0, 0, 0, 0); /* wrong magic */
}

static int kexec_load(void)
{
	return call(SYS_kexec_load, 0, 0, 0, 0xffff); /* no such flags */
}

static int load_module(void)
{
	return call(SYS_init_module, 0, 0, (long)"", 0);
}

static int unload_module(void)
{
	return call(SYS_delete_module, (long)"there_is_none", O_NONBLOCK, 0, 0);
}

static int account(void)
{
	return call(SYS_acct, (long)"/there/is/none", 0, 0, 0);
}

static int ports(void)
{
#ifdef __x86_64__
	return said(iopl(3));
#else
	return open_node(S_IFCHR, 1, 4);
#endif
}

static int bpf_map(void)
{
	union bpf_attr attr = { 0 };

	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = attr.value_size = 4;
	attr.max_entries = 1;
	return call(SYS_bpf, BPF_MAP_CREATE, (long)&attr, sizeof(attr), 0);
}

static int measure(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_CPU_CLOCK
	};

	return call(SYS_perf_event_open, (long)&attr, 0, -1, -1);
}

static int kernel_messages(void)
{
	return call(SYS_syslog, 10, 0, 0, 0); /* only their size */
}

static int io_uring(void)
{
	return call(SYS_io_uring_setup, 0, 0, 0, 0);
}

static int userfaultfd_(void)
{
	return call(SYS_userfaultfd, O_CLOEXEC, 0, 0, 0);
}

static int open_by_handle(void)
{
	return call(SYS_open_by_handle_at, -1, 0, O_RDONLY, 0);
}

static int fanotify(void)
{
	return call(SYS_fanotify_init, 4, O_RDONLY, 0, 0); /* FAN_CLASS_CONTENT */
}

static int raise_priority(void)
{
	return said(setpriority(PRIO_PROCESS, 0, -5));
}

static int raise_io_priority(void)
{
	return call(SYS_ioprio_set, 1, 0, 1 << 13, 0); /* IOPRIO_CLASS_RT */
}

static int change_root(void)
{
	return said(chroot("/bin"));
}

static int change_owner(void)
{
	int fd = open("/tmp/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	return said(fchown(fd, 2000, 2000));
}

static int change_user(void)
{
	return said(setresuid(1000, 1000, 1000));
}

static const struct action {
	const char *name;
	int (*try)(void); /* 0 or -errno */
} actions[] = {
	{ "mount-tmpfs", mount_tmpfs },
	{ "mount-proc", mount_proc },
	{ "mount-sysfs", mount_sysfs },
	{ "mount-bind", mount_bind },
	{ "mount-remount", mount_remount },
	{ "mount-shared", mount_shared },
	{ "umount", unmount },
	{ "pivot_root", pivot_root_ },
	{ "fsopen", fsopen_ },
	{ "open_tree", open_tree_ },
	{ "move_mount", move_mount_ },
	{ "mount_setattr", mount_setattr_ },
	{ "unshare-user", unshare_user },
	{ "unshare-mount", unshare_mounts },
	{ "unshare-pid", unshare_pids },
	{ "unshare-net", unshare_network },
	{ "unshare-uts", unshare_names },
	{ "unshare-ipc", unshare_ipc },
	{ "unshare-cgroup", unshare_cgroup },
	{ "setns", setns_ },
	{ "sethostname", set_host_name },
	{ "setdomainname", set_domain_name },
	{ "ptrace", trace },
	{ "process_vm_readv", read_memory },
	{ "open-memory", open_memory },
	{ "open-root", open_root },
	{ "pidfd_getfd", take_descriptor },
	{ "raw-socket", raw_socket },
	{ "packet-socket", packet_socket },
	{ "interface-flags", interface_down },
	{ "interface-mtu", interface_mtu },
	{ "socket-mark", mark },
	{ "socket-buffer", force_buffer },
	{ "keyctl", keyctl_ },
	{ "add_key", add_key },
	{ "request_key", request_key },
	{ "open-disk", open_disk },
	{ "open-loop-control", open_loop_control },
	{ "open-fuse", open_fuse },
	{ "open-kmsg", open_kernel_log },
	{ "mknod", make_node },
	{ "write-core_pattern", write_core_pattern },
	{ "write-hostname", write_host_name },
	{ "write-overcommit", write_memory_policy },
	{ "write-file-max", write_files_limit },
	{ "write-ip_forward", write_forwarding },
	{ "write-sysrq", write_sysrq },
	{ "write-irq", write_irq },
	{ "read-interrupts", read_interrupts },
	{ "read-timers", read_timers },
	{ "write-sysfs", write_sysfs },
	{ "make-cgroup", make_cgroup },
	{ "settimeofday", set_time },
	{ "swapon", swap_on },
	{ "swapoff", swap_off },
	{ "reboot", reboot_ },
	{ "kexec_load", kexec_load },
	{ "init_module", load_module },
	{ "delete_module", unload_module },
	{ "acct", account },
	{ "ports", ports },
	{ "bpf", bpf_map },
	{ "perf_event_open", measure },
	{ "syslog", kernel_messages },
	{ "io_uring", io_uring },
	{ "userfaultfd", userfaultfd_ },
	{ "open_by_handle_at", open_by_handle },
	{ "fanotify", fanotify },
	{ "priority", raise_priority },
	{ "io-priority", raise_io_priority },
	{ "chroot", change_root },
	{ "chown", change_owner },
	{ "setuid", change_user },
};

/* The answer comes back as the child's exit status: 0, or the errno. */
static int try_action(const struct action *action)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(-action->try());
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return failed("fork");
	if (!WIFEXITED(status))
		printf("%s signal-%d\n", action->name, WTERMSIG(status));
	else if (WEXITSTATUS(status) == 0)
		printf("%s ok\n", action->name);
	else
		printf("%s %s\n", action->name, strerrorname_np(WEXITSTATUS(status)));
	return 0;
}

static int run_try(char **args)
{
	for (; *args; args++) {
		size_t i = 0;

		while (i < sizeof(actions) / sizeof(*actions) &&
			strcmp(actions[i].name, *args) != 0)
			i++;
		if (i == sizeof(actions) / sizeof(*actions)) {
			fprintf(stderr, "probe: there is no action '%s'\n", *args);
			return 2;
		}
		if (try_action(&actions[i]) != 0)
			return 1;
	}
	return 0;
}

static int run_actions(char **args)
{
	(void)args;
	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
		puts(actions[i].name);
	return 0;
}

const struct command forbidden_commands[] = {
	{ "try", 1, "ACTION...", run_try },
	{ "actions", 0, "", run_actions },
	{ 0 },
};
