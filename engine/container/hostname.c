/* SPDX-License-Identifier: GPL-2.0-or-later
 * hostname.c - the host name of a container that was not given one. */
#include "engine/container/hostname.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "engine/base/memory.h"
#include "engine/base/strv.h"

static int host_name(char **ret, struct error *err)
{
	char name[HOST_NAME_MAX + 1];

	if (gethostname(name, sizeof(name)) < 0)
		return error_sys(err, -errno, "read the host's name");
	name[sizeof(name) - 1] = '\0';
	*ret = xstrdup(name);
	return 0;
}

static int other_name(const struct engine *engine, const char *id, char **ret, struct error *err)
{
	cleanup_container struct container *other = NULL;
	int r = container_load(engine, id, &other, err);

	if (r < 0)
		return r;
	*ret = other->spec.hostname ? xstrdup(other->spec.hostname)
				    : xstrndup(other->id, ID_SHORT_LENGTH);
	return 0;
}

int hostname_fill(const struct engine *engine, struct container *container, struct error *err)
{
	struct spec *spec = &container->spec;
	cleanup_free char *name = NULL;
	int r = 0;

	if (spec->hostname)
		name = xstrdup(spec->hostname);
	else if (spec->uts.mode == NAMESPACE_HOST || spec->network.mode == NAMESPACE_HOST)
		r = host_name(&name, err);
	else if (spec->network.mode == NAMESPACE_CONTAINER)
		r = other_name(engine, spec->network.container, &name, err);
	else
		name = xstrndup(container->id, ID_SHORT_LENGTH);
	if (r < 0)
		return r;
	if (!env_get(spec->env, "HOSTNAME"))
		env_set(&spec->env, "HOSTNAME", name);
	if (!spec->hostname && spec->uts.mode != NAMESPACE_HOST)
		spec->hostname = steal_ptr(name);
	return 0;
}
