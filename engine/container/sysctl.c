/* SPDX-License-Identifier: GPL-2.0-or-later
 * sysctl.c - which sysctls a container may set: those that belong to a namespace of its own. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/container/spec.h"

enum owner { OWNER_IPC, OWNER_NETWORK };

/* A row ending in '.' is a prefix. Source: namespaces(7), ipc_namespaces(7), and the kernel's
 * ipc/ipc_sysctl.c and ipc/mq_sysctl.c. */
static const struct {
	const char *key;
	enum owner owner;
} allowed[] = {
	{ "fs.mqueue.", OWNER_IPC },
	{ "kernel.msg_next_id", OWNER_IPC },
	{ "kernel.msgmax", OWNER_IPC },
	{ "kernel.msgmnb", OWNER_IPC },
	{ "kernel.msgmni", OWNER_IPC },
	{ "kernel.sem", OWNER_IPC },
	{ "kernel.sem_next_id", OWNER_IPC },
	{ "kernel.shm_next_id", OWNER_IPC },
	{ "kernel.shm_rmid_forced", OWNER_IPC },
	{ "kernel.shmall", OWNER_IPC },
	{ "kernel.shmmax", OWNER_IPC },
	{ "kernel.shmmni", OWNER_IPC },
	{ "net.", OWNER_NETWORK },
};

/* The key becomes a path below /proc/sys by turning dots into slashes: an empty part would make
 * "//" or, with a dot on either side, "..". */
static bool is_well_formed(const char *key)
{
	static const char characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "0123456789_-.";

	return *key && key[strspn(key, characters)] == '\0' && key[0] != '.' &&
	       key[strlen(key) - 1] != '.' && !strstr(key, "..");
}

static bool matches(const char *row, const char *key)
{
	size_t length = strlen(row);

	return row[length - 1] == '.' ? strncmp(row, key, length) == 0 : strcmp(row, key) == 0;
}

int sysctl_check(const char *key, const struct spec *spec, struct error *err)
{
	if (!is_well_formed(key))
		return error_set(err, -EINVAL, "invalid sysctl name '%s'", key);
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
		const bool is_ipc = allowed[i].owner == OWNER_IPC;
		const struct spec_namespace *ns = is_ipc ? &spec->ipc : &spec->network;

		if (!matches(allowed[i].key, key))
			continue;
		if (ns->mode == NAMESPACE_HOST)
			return error_set(err, -EINVAL,
				"sysctl '%s' is not allowed in the host's %s namespace", key,
				is_ipc ? "ipc" : "network");
		return 0;
	}
	return error_set(err, -EINVAL,
		"sysctl '%s' is not allowed: it belongs to the host, not to a container", key);
}
