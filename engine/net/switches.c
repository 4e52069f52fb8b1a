/* SPDX-License-Identifier: GPL-2.0-or-later
 * switches.c - the host's network sysctls that networks depend on. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/net/room.h"

int switch_set(const char *path, const char *value, struct error *err)
{
	cleanup_free char *present = NULL;
	size_t length;
	int r = file_read(AT_FDCWD, path, 64, &present, &length, err);

	if (r == -ENOENT) { /* this kernel has no such thing to switch */
		error_release(err);
		return 0;
	}
	if (r < 0)
		return r;
	present[strcspn(present, "\n")] = '\0';
	if (strcmp(present, value) == 0)
		return 0;
	r = file_write_value(AT_FDCWD, path, value, err);
	return r < 0 ? r : 1;
}

static int ipv6_set(const char *interface, const char *disabled, struct error *err)
{
	char path[128];
	int r;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/accept_ra", interface);
	r = switch_set(path, "0", err);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", interface);
	r = switch_set(path, disabled, err);
	return r < 0 ? r : 0;
}

int ipv6_off(const char *interface, struct error *err)
{
	return ipv6_set(interface, "1", err);
}

int ipv6_on(const char *interface, struct error *err)
{
	if (access("/proc/sys/net/ipv6", F_OK) < 0)
		return error_set(err, -EAFNOSUPPORT, "the kernel has no IPv6");
	return ipv6_set(interface, "0", err);
}
