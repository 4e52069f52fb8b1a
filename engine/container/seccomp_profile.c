/* SPDX-License-Identifier: GPL-2.0-or-later
 * seccomp_profile.c - the default system-call profile, as data.
 *
 * It lists what Docker's default profile lists, so that what runs there runs here: everything that
 * is not named is refused with EPERM. Kept out for their attack surface: io_uring, key rings,
 * userfaultfd, kexec, swap, and every socket family that reaches the hypervisor or the kernel's
 * crypto. What a capability makes safe to offer comes back with that capability. */
#include "engine/container/seccomp_filter.h"

#include <errno.h>
#include <linux/capability.h>

#include "engine/base/memory.h"

#define CAP(name) (1ULL << CAP_##name)

/* Kernel's flags for new namespaces in clone(2): none may be set without SYS_ADMIN. */
#define CLONE_NAMESPACE_FLAGS 0x7e020000ULL

static const char always[] =
	"_llseek _newselect accept accept4 access adjtimex alarm bind brk cachestat capget "
	"capset chdir chmod chown chown32 clock_adjtime clock_adjtime64 clock_getres "
	"clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep "
	"clock_nanosleep_time64 close close_range connect copy_file_range creat dup dup2 dup3 "
	"epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 "
	"epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat "
	"faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat "
	"fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr "
	"flock fork fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync "
	"ftruncate ftruncate64 futex futex_requeue futex_time64 futex_wait futex_waitv "
	"futex_wake futimesat get_robust_list get_thread_area getcpu getcwd getdents "
	"getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 "
	"getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid "
	"getresgid32 getresuid getresuid32 getrlimit getrusage getsid getsockname getsockopt "
	"gettid gettimeofday getuid getuid32 getxattr getxattrat inotify_add_watch "
	"inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents "
	"io_pgetevents io_pgetevents_time64 io_setup io_submit ioctl ioprio_get ioprio_set "
	"ipc kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown "
	"lchown32 lgetxattr link linkat listen listmount listxattr listxattrat llistxattr "
	"lremovexattr lseek lsetxattr lstat lstat64 madvise map_shadow_stack membarrier "
	"memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall "
	"mmap mmap2 mprotect mq_getsetattr mq_notify mq_open mq_timedreceive "
	"mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink mremap mseal "
	"msgctl msgget msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at "
	"nanosleep newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe "
	"pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64 prctl pread64 "
	"preadv preadv2 prlimit64 process_mrelease pselect6 pselect6_time64 pwrite64 pwritev "
	"pwritev2 read readahead readlink readlinkat readv recv recvfrom recvmmsg "
	"recvmmsg_time64 recvmsg remap_file_pages removexattr removexattrat rename renameat "
	"renameat2 restart_syscall riscv_hwprobe rmdir rseq rt_sigaction rt_sigpending "
	"rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait "
	"rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max "
	"sched_get_priority_min sched_getaffinity sched_getattr sched_getparam "
	"sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 "
	"sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield "
	"seccomp select semctl semget semop semtimedop semtimedop_time64 send sendfile "
	"sendfile64 sendmmsg sendmsg sendto set_robust_list set_thread_area set_tid_address "
	"setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 "
	"setitimer setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid "
	"setresuid32 setreuid setreuid32 setrlimit setsid setsockopt setuid setuid32 setxattr "
	"setxattrat shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 "
	"sigprocmask sigreturn socketcall socketpair splice stat stat64 statfs statfs64 "
	"statmount statx symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill "
	"time timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 "
	"timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 "
	"timerfd_settime timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask "
	"uname unlink unlinkat uretprobe utime utimensat utimensat_time64 utimes vfork "
	"vmsplice wait4 waitid waitpid write writev";

static const char with_sys_admin[] =
	"bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie "
	"lsm_get_self_attr lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount "
	"open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog "
	"umount umount2 unshare";

#define WHEN(arg, operation, wanted) \
	.arguments = { { .index = (arg), .compare = SECCOMP_##operation, .value = (wanted) } }
#define NO_BITS(arg, mask)                                                                     \
	.arguments = {                                                                         \
		{ .index = (arg), .compare = SECCOMP_MASKED_EQ, .value = (mask), .value2 = 0 } \
	}

static const struct seccomp_rule rules[] = {
	{ .names = always },
	/* Before 4.8 a tracer could change the system call after the filter had seen it. */
	{ .names = "process_vm_readv process_vm_writev ptrace",
		.kernel_major = 4,
		.kernel_minor = 8 },
	/* Families known by number: 38 is AF_ALG, 40 AF_VSOCK. */
	{ .names = "socket", WHEN(0, LT, 38) },
	{ .names = "socket", WHEN(0, EQ, 39) },
	{ .names = "socket", WHEN(0, GT, 40) },
	/* PER_LINUX, PER_LINUX32, both with UNAME26, and the query. */
	{ .names = "personality", WHEN(0, EQ, 0x0) },
	{ .names = "personality", WHEN(0, EQ, 0x8) },
	{ .names = "personality", WHEN(0, EQ, 0x20000) },
	{ .names = "personality", WHEN(0, EQ, 0x20008) },
	{ .names = "personality", WHEN(0, EQ, 0xffffffff) },
	/* Calls that only some machines have. */
	{ .names = "sync_file_range2 swapcontext", .with_arches = "ppc64le" },
	{ .names = "arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush "
		   "set_tls",
		.with_arches = "arm arm64" },
	{ .names = "arch_prctl", .with_arches = "amd64 x32" },
	{ .names = "modify_ldt", .with_arches = "amd64 x32 x86" },
	{ .names = "s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr",
		.with_arches = "s390 s390x" },
	{ .names = "riscv_flush_icache", .with_arches = "riscv64" },
	{ .names = "open_by_handle_at", .with_caps = CAP(DAC_READ_SEARCH) },
	{ .names = with_sys_admin, .with_caps = CAP(SYS_ADMIN) },
	{ .names = "clone",
		.without_caps = CAP(SYS_ADMIN),
		.without_arches = "s390 s390x",
		NO_BITS(0, CLONE_NAMESPACE_FLAGS) },
	/* s390 has the first two arguments the other way round. */
	{ .names = "clone",
		.without_caps = CAP(SYS_ADMIN),
		.with_arches = "s390 s390x",
		NO_BITS(1, CLONE_NAMESPACE_FLAGS) },
	/* Its flags lie behind a pointer; a C library falls back to clone on ENOSYS only. */
	{ .names = "clone3",
		.without_caps = CAP(SYS_ADMIN),
		.action = SECCOMP_DO_ERRNO,
		.errno_ret = ENOSYS },
	{ .names = "reboot", .with_caps = CAP(SYS_BOOT) },
	{ .names = "chroot", .with_caps = CAP(SYS_CHROOT) },
	{ .names = "delete_module init_module finit_module", .with_caps = CAP(SYS_MODULE) },
	{ .names = "acct", .with_caps = CAP(SYS_PACCT) },
	{ .names = "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace",
		.with_caps = CAP(SYS_PTRACE) },
	{ .names = "iopl ioperm", .with_caps = CAP(SYS_RAWIO) },
	{ .names = "settimeofday stime clock_settime clock_settime64", .with_caps = CAP(SYS_TIME) },
	{ .names = "vhangup", .with_caps = CAP(SYS_TTY_CONFIG) },
	{ .names = "get_mempolicy mbind set_mempolicy set_mempolicy_home_node",
		.with_caps = CAP(SYS_NICE) },
	{ .names = "syslog", .with_caps = CAP(SYSLOG) },
	{ .names = "bpf", .with_caps = CAP(BPF) },
	{ .names = "perf_event_open", .with_caps = CAP(PERFMON) },
};

const struct seccomp_profile seccomp_profile_default = {
	.default_action = SECCOMP_DO_ERRNO,
	.default_errno = EPERM,
	.rules = rules,
	.rule_count = ARRAY_LEN(rules),
};
