/* SPDX-License-Identifier: GPL-2.0-or-later
 * exit_status.c - how a process that we hold a pidfd of has ended. */
#include "engine/supervisor/exit_status.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

/* The first published form of struct pidfd_info (include/uapi/linux/pidfd.h, 64 bytes); Debian 12's
 * headers are older. The number of the ioctl carries the size, and later kernels take this one. */
struct pidfd_info_v0 {
	uint64_t mask;
	uint64_t cgroup_id;
	uint32_t pid, tgid, ppid;
	uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code; /* as wait(2) gives it */
};
_Static_assert(sizeof(struct pidfd_info_v0) == 64, "pidfd_info is 64 bytes in its first form");

#define PIDFD_GET_INFO_V0 _IOWR(0xff, 11, struct pidfd_info_v0)
#define INFO_EXIT	  (1ULL << 3)

static int docker_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

enum exit_lookup exit_status_read(int pidfd, int *ret_code)
{
	struct pidfd_info_v0 info = { .mask = INFO_EXIT };
	siginfo_t child;

	memset(&child, 0, sizeof(child));
	if (waitid(P_PIDFD, (id_t)pidfd, &child, WEXITED | WNOHANG) == 0) {
		if (child.si_pid == 0)
			return EXIT_LATER;
		*ret_code = child.si_code == CLD_EXITED ? child.si_status : 128 + child.si_status;
		return EXIT_KNOWN;
	}
	if (ioctl(pidfd, PIDFD_GET_INFO_V0, &info) < 0)
		return EXIT_UNKNOWN; /* ENOTTY: an older kernel; ESRCH: reaped before we looked */
	if (!(info.mask & INFO_EXIT))
		return EXIT_LATER;
	*ret_code = docker_code(info.exit_code);
	return EXIT_KNOWN;
}
