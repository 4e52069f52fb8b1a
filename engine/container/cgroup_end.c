/* SPDX-License-Identifier: GPL-2.0-or-later
 * cgroup_end.c - kill, count, remove. */
#include "engine/container/cgroup_end.h"

#include <errno.h>

#define KILL_TIMEOUT_MS 10000

int cgroup_end(const struct cgroup_host *host, const char *parent, const char *id,
	uint64_t *ret_oom_kills, struct error *err)
{
	cleanup_error struct error local = ERROR_INIT;
	struct cgroup *cgroup = NULL;
	uint64_t oom_kills = 0;
	int r = cgroup_open(host, parent, id, &cgroup, &local);

	if (r == 0)
		r = cgroup_kill(cgroup, KILL_TIMEOUT_MS, &local);
	if (r == 0)
		r = cgroup_oom_kills(cgroup, &oom_kills, &local);
	cgroup_free(cgroup);
	/* Absent in every hierarchy; its parent may still be there. */
	if (r == 0 || r == -ENOENT)
		r = cgroup_remove(host, parent, id, &local);
	if (r < 0)
		return error_move(err, &local);
	*ret_oom_kills = oom_kills;
	return 0;
}
