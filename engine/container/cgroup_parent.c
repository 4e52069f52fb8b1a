/* SPDX-License-Identifier: GPL-2.0-or-later
 * cgroup_parent.c - below which directory of the cgroup hierarchies a container's own lies. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/container/container.h"

const char *container_cgroup_parent(const struct engine *engine, const struct container *container)
{
	return container->spec.cgroup_parent ? container->spec.cgroup_parent
					     : engine->cgroup_parent;
}

/* In a directory of ours below the wanted one: ours goes with the last container, the wanted one is
 * the user's and stays. */
int container_set_cgroup_parent(const struct engine *engine, struct container *container,
	const char *text, struct error *err)
{
	cleanup_strv char **words = strv_split(text, "/");
	cleanup_free char *clean = NULL;
	size_t count = strv_length(words);

	for (size_t i = 0; i < count; i++)
		if (strcmp(words[i], ".") == 0 || strcmp(words[i], "..") == 0)
			return error_set(err, -EINVAL,
				"cgroup parent '%s' leads out of the hierarchy", text);
	if (count == 0)
		return error_set(err, -EINVAL, "cgroup parent '%s' names no group", text);
	clean = strv_join(words, "/");
	free(container->spec.cgroup_parent);
	container->spec.cgroup_parent = xasprintf("%s/%s", clean, engine->cgroup_parent);
	return 0;
}
