/* SPDX-License-Identifier: GPL-2.0-or-later
 * damage.c - what the kernel still has of a running container. */
#include "engine/container/damage.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"

#define PROC_FILE_MAX (256 * 1024)

static char *read_of(const struct container_state *state, const char *file)
{
	char path[64];
	char *text = NULL;
	size_t length;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)state->process.pid, file);
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

/* One that shares another's network namespace has no attachments, and that one is asked. */
static bool has_its_interfaces(
	const struct container *container, const struct container_state *state)
{
	cleanup_free char *devices = NULL;

	if (container->attachment_count == 0)
		return true;
	devices = read_of(state, "net/dev");
	return !devices || count_interfaces(devices) >= container->attachment_count;
}

static bool has_its_cgroup(const struct container *container, const struct container_state *state)
{
	cleanup_free char *groups = read_of(state, "cgroup");

	return !groups || strstr(groups, container->id);
}

const char *container_damage(const struct container *container, const struct container_state *state)
{
	if (state->status != CONTAINER_RUNNING || state->process.pid <= 0)
		return NULL;
	if (!has_its_interfaces(container, state))
		return "a network interface of it was removed";
	if (!has_its_cgroup(container, state))
		return "its cgroup was removed";
	return NULL;
}
