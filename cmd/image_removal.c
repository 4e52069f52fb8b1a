/* SPDX-License-Identifier: GPL-2.0-or-later
 * image_removal.c - ask the containers' records, then remove. */
#include "cmd/image_removal.h"

#include <string.h>

#include "engine/base/strv.h"
#include "engine/container/container.h"

struct users {
	struct container **containers;
	size_t count;
	char **chains; /* layers that containers stand on */
};

static bool is_in_use(const char *image_id, void *arg)
{
	const struct users *users = arg;

	for (size_t i = 0; i < users->count; i++)
		if (users->containers[i]->image_id &&
			!strcmp(users->containers[i]->image_id, image_id))
			return true;
	return false;
}

int image_remove_unused(const struct engine *engine, const char *name, bool force,
	struct image_removal *ret, struct error *err)
{
	struct users users = { 0 };
	int r = container_list(engine, NULL, &users.containers, &users.count, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < users.count; i++)
		container_add_chains(users.containers[i], &users.chains);
	r = image_remove(engine, name, force, is_in_use, &users, users.chains, ret, err);
	container_list_free(users.containers, users.count);
	strv_free(users.chains);
	return r;
}
