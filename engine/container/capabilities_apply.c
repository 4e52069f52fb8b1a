/* SPDX-License-Identifier: GPL-2.0-or-later
 * capabilities_apply.c - give the calling process exactly the container's capabilities.
 *
 * Bounding, permitted and effective get the set; inheritable and ambient stay empty, since a file's
 * capabilities could raise a process's rights through them (CVE-2022-24769). capabilities(7). */
#include "engine/container/setup.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAPABILITY_BITS 64

static int capability_data(int command, struct __user_cap_data_struct data[static 2])
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(command, &header, data) < 0 ? -errno : 0;
}

/* A capability that was named and that we cannot give is an error, so that nobody counts on it. */
int capabilities_available(const struct container *container, uint64_t *mask, struct error *err)
{
	struct __user_cap_data_struct data[2];
	uint64_t own, missing;
	int r = capability_data(SYS_capget, data);

	if (r < 0)
		return error_sys(err, r, "capget");
	own = data[0].permitted | (uint64_t)data[1].permitted << 32;
	missing = *mask & ~own;
	if (missing && !container->spec.privileged)
		return error_set(err, -EPERM,
			"capability %d (capabilities(7)) is not ours to give on this host",
			__builtin_ctzll(missing));
	*mask &= own;
	return 0;
}

static int regain(struct error *err)
{
	struct __user_cap_data_struct data[2];
	int r = capability_data(SYS_capget, data);

	for (size_t i = 0; r == 0 && i < 2; i++)
		data[i].effective = data[i].permitted;
	if (r == 0)
		r = capability_data(SYS_capset, data);
	return r < 0 ? error_sys(err, r, "regain capabilities") : 0;
}

int file_identity_take(uid_t uid, gid_t gid, struct error *err)
{
	setfsgid(gid);
	setfsuid(uid);
	/* They tell what was, and so by a second call what is. */
	if ((gid_t)setfsgid(gid) != gid || (uid_t)setfsuid(uid) != uid)
		return error_set(err, -EPERM, "make files as another user");
	return regain(err);
}

int capabilities_drop_bounding(uint64_t keep, struct error *err)
{
	for (unsigned long i = 0; i < CAPABILITY_BITS; i++) {
		int r = prctl(PR_CAPBSET_READ, i, 0, 0, 0);

		if (r < 0)
			break; /* beyond the kernel's last one */
		if (r == 0 || keep & 1ULL << i)
			continue;
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
			return error_sys(err, -errno, "drop capability %lu", i);
	}
	return 0;
}

int capabilities_set(uint64_t mask, struct error *err)
{
	struct __user_cap_data_struct data[2] = {
		{ .effective = (uint32_t)mask, .permitted = (uint32_t)mask },
		{ .effective = (uint32_t)(mask >> 32), .permitted = (uint32_t)(mask >> 32) },
	};
	int r;

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return error_sys(err, -errno, "clear ambient capabilities");
	r = capability_data(SYS_capset, data);
	return r < 0 ? error_sys(err, r, "capset") : 0;
}
