/* SPDX-License-Identifier: GPL-2.0-or-later
 * firewall_backend.c - which of the kernel's rule sets ours are in. */
#include "engine/net/firewall_backend.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/net/firewall_host.h"
#include "engine/net/iptc.h"

/* The first that is offered is taken. */
static const struct firewall_backend backends[] = {
	{ "legacy", iptc_is_offered, iptc_sync },
};

static const struct firewall_backend *backend_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(backends); i++)
		if (strcmp(backends[i].name, name) == 0)
			return &backends[i];
	return NULL;
}

const char *firewall_backend_name(const struct engine *engine, struct strbuf *why)
{
	(void)engine;
	for (size_t i = 0; i < ARRAY_LEN(backends); i++)
		if (backends[i].is_offered()) {
			if (why)
				strbuf_add_str(why, "the kernel has iptables' legacy tables");
			return backends[i].name;
		}
	if (why)
		strbuf_add_str(why, "the kernel offers no legacy tables");
	return NULL;
}

int firewall_commit(const struct engine *engine, const struct firewall *wanted,
	struct udp_changes *changes, struct error *err)
{
	(void)engine;
	return backend_find("legacy")->sync(wanted, changes, err);
}
