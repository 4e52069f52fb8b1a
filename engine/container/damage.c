/* SPDX-License-Identifier: GPL-2.0-or-later
 * damage.c - what the kernel still has of a running container. */
#include "engine/container/damage.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"

#define PROC_FILE_MAX (256 * 1024)

static char *read_of(pid_t pid, const char *file)
{
	char path[64];
	char *text = NULL;
	size_t length;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	return file_read(AT_FDCWD, path, PROC_FILE_MAX, &text, &length, NULL) < 0 ? NULL : text;
}

/* proc(5): a line "NAME: counters" for each interface, after two lines of headings. */
static size_t count_interfaces(const char *devices)
{
	size_t count = 0;

	for (const char *line = devices; line && *line; line = strchr(line, '\n')) {
		const char *name, *colon;

		line += *line == '\n';
		name = line + strspn(line, " ");
		colon = name + strcspn(name, ":\n|");
		count += *colon == ':' && strncmp(name, "lo:", 3) != 0;
	}
	return count;
}

/* One that shares another's network namespace has none of its own, and that one is asked. */
static bool has_its_interfaces(pid_t pid, size_t interfaces)
{
	cleanup_free char *devices = interfaces ? read_of(pid, "net/dev") : NULL;

	return !devices || count_interfaces(devices) >= interfaces;
}

static bool has_its_cgroup(const char *id, pid_t pid)
{
	cleanup_free char *groups = read_of(pid, "cgroup");

	return !groups || strstr(groups, id);
}

const char *container_damage(const char *id, pid_t pid, size_t interfaces)
{
	if (!has_its_interfaces(pid, interfaces))
		return "a network interface of it was removed";
	if (!has_its_cgroup(id, pid))
		return "its cgroup was removed";
	return NULL;
}
