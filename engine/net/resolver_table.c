/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolver_table.c - who is called what, in memory. */
#include "engine/net/resolver_table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "engine/base/ascii.h"
#include "engine/base/files.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/net/resolver_claim.h"

#define ADDRESS_KEY  33 /* hex digits */
#define WATCH_EVENTS (IN_MOVED_TO | IN_DELETE | IN_CLOSE_WRITE | IN_DELETE_SELF | IN_ONLYDIR)

struct table_network {
	char *name;
	char *suffix; /* ".name" in lower case */
	struct subnet subnet;
	struct subnet6 subnet6;
	bool internal;
	bool asked_for; /* by table_add; else only because an asker is in it */
	int dir_fd;
	int watch;
	struct strmap hosts;	 /* container id -> struct table_host */
	struct strmap addresses; /* hex address -> the same */
	struct strmap names;	 /* lower-case name -> struct table_name */
};

struct resolver_table {
	const struct engine *engine;
	int inotify_fd;
	struct strmap networks; /* name -> struct table_network */
};

static void address_key(const struct ip_range *address, char key[static ADDRESS_KEY])
{
	static const char digits[] = "0123456789abcdef";
	size_t length = address->family == AF_INET ? 4 : 16;

	for (size_t i = 0; i < length; i++) {
		key[2 * i] = digits[address->bytes[i] >> 4];
		key[2 * i + 1] = digits[address->bytes[i] & 15];
	}
	key[2 * length] = '\0';
}

static void lower_case(char *text)
{
	for (; *text; text++)
		*text = ascii_to_lower(*text);
}

static void host_free(void *data)
{
	struct table_host *host = data;

	if (!host)
		return;
	free(host->container_id);
	free(host->container_name);
	free(host->network);
	strv_free(host->names);
	strv_free(host->links);
	strv_free(host->dns);
	free(host);
}

static void name_free(void *data)
{
	struct table_name *name = data;

	if (!name)
		return;
	free(name->hosts);
	free(name);
}

static struct table_host *host_new(struct endpoint *endpoint)
{
	struct table_host *host = xcalloc(1, sizeof(*host));

	host->container_id = steal_ptr(endpoint->container_id);
	host->container_name = steal_ptr(endpoint->container_name);
	host->network = steal_ptr(endpoint->network);
	host->dns = steal_ptr(endpoint->dns);
	if (endpoint->address)
		ip_parse(endpoint->address, &host->address);
	if (endpoint->address6)
		ip_parse(endpoint->address6, &host->address6);
	host->links = steal_ptr(endpoint->links);
	for (size_t i = 0; host->links && host->links[i]; i++)
		lower_case(host->links[i]);
	for (size_t i = 0; endpoint->aliases && endpoint->aliases[i]; i++) {
		lower_case(endpoint->aliases[i]);
		if (!strv_contains(host->names, endpoint->aliases[i]))
			strv_add(&host->names, endpoint->aliases[i]);
	}
	return host;
}

static void name_add(struct table_network *network, const char *text, struct table_host *host)
{
	struct table_name *name = strmap_get(&network->names, text);

	if (!name) {
		name = xcalloc(1, sizeof(*name));
		strmap_set(&network->names, text, name);
	}
	*array_add(name->hosts, name->count) = host;
}

static void name_drop(
	struct table_network *network, const char *text, const struct table_host *host)
{
	struct table_name *name = strmap_get(&network->names, text);
	size_t kept = 0;

	if (!name)
		return;
	for (size_t i = 0; i < name->count; i++)
		if (name->hosts[i] != host)
			name->hosts[kept++] = name->hosts[i];
	name->count = kept;
	if (!kept)
		name_free(strmap_remove(&network->names, text));
}

static void address_drop(struct table_network *network, const struct ip_range *address,
	const struct table_host *host)
{
	char key[ADDRESS_KEY];

	if (!address->family)
		return;
	address_key(address, key);
	if (strmap_get(&network->addresses, key) == host)
		strmap_remove(&network->addresses, key);
}

static void address_add(
	struct table_network *network, const struct ip_range *address, struct table_host *host)
{
	char key[ADDRESS_KEY];

	if (!address->family)
		return;
	address_key(address, key);
	strmap_set(&network->addresses, key, host);
}

static void host_drop(struct table_network *network, const char *container_id)
{
	struct table_host *host = strmap_remove(&network->hosts, container_id);

	if (!host)
		return;
	address_drop(network, &host->address, host);
	address_drop(network, &host->address6, host);
	for (size_t i = 0; host->names && host->names[i]; i++)
		name_drop(network, host->names[i], host);
	host_free(host);
}

/* Take one record in anew; one that is gone or unreadable is nobody. */
static void host_load(struct table_network *network, const char *container_id)
{
	cleanup_error struct error err = ERROR_INIT;
	struct endpoint endpoint;
	struct table_host *host;
	int r = endpoint_read(network->dir_fd, container_id, &endpoint, &err);

	host_drop(network, container_id);
	if (r < 0) {
		if (r != -ENOENT)
			log_warning("name service: %s", error_text(&err));
		return;
	}
	host = host_new(&endpoint);
	endpoint_release(&endpoint);
	strmap_set(&network->hosts, container_id, host);
	address_add(network, &host->address, host);
	address_add(network, &host->address6, host);
	for (size_t i = 0; host->names && host->names[i]; i++)
		name_add(network, host->names[i], host);
}

static void hosts_forget(struct table_network *network)
{
	strmap_release_with(&network->names, name_free);
	strmap_release(&network->addresses);
	strmap_release_with(&network->hosts, host_free);
	network->names = network->addresses = network->hosts = (struct strmap)STRMAP_INIT;
}

static int hosts_load(struct table_network *network, struct error *err)
{
	cleanup_strv char **names = NULL;
	int r = dir_list(network->dir_fd, ".", &names, err);

	for (size_t i = 0; r == 0 && names && names[i]; i++) {
		cleanup_free char *id = endpoint_file_id(names[i]);

		if (id)
			host_load(network, id);
	}
	return r;
}

static void network_unload(struct resolver_table *table, struct table_network *network)
{
	if (!network)
		return;
	if (network->watch >= 0)
		inotify_rm_watch(table->inotify_fd, network->watch);
	hosts_forget(network);
	close_fd(&network->dir_fd);
	free(network->name);
	free(network->suffix);
	free(network);
}

int resolver_table_new(const struct engine *engine, struct resolver_table **ret, struct error *err)
{
	struct resolver_table *table = xcalloc(1, sizeof(*table));

	table->engine = engine;
	table->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (table->inotify_fd < 0) {
		int r = error_sys(err, -errno, "watch endpoints");

		free(table);
		return r;
	}
	*ret = table;
	return 0;
}

void resolver_table_free(struct resolver_table *table)
{
	if (!table)
		return;
	strmap_for_each (entry, &table->networks)
		network_unload(table, entry->value);
	strmap_release(&table->networks);
	close_fd(&table->inotify_fd);
	free(table);
}

int resolver_table_fd(const struct resolver_table *table)
{
	return table->inotify_fd;
}

/* Watch first, then read: what changes in between is read twice, not missed. */
static int network_watch(
	struct resolver_table *table, struct table_network *network, struct error *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "networks/%s", network->name);
	network->dir_fd = dir_make_open(table->engine->run_fd, path, 0700, err);
	if (network->dir_fd < 0)
		return network->dir_fd;
	snprintf(path, sizeof(path), "/proc/self/fd/%d/.", network->dir_fd);
	network->watch = inotify_add_watch(table->inotify_fd, path, WATCH_EVENTS);
	if (network->watch < 0)
		return error_sys(err, -errno, "watch the endpoints of network '%s'", network->name);
	return hosts_load(network, err);
}

static int network_load(
	struct resolver_table *table, const char *name, bool asked_for, struct error *err)
{
	cleanup_network struct network *record = NULL;
	struct table_network *network = strmap_get(&table->networks, name);
	int r;

	if (network) {
		network->asked_for |= asked_for;
		return 0;
	}
	r = network_read(table->engine, name, &record, err);
	if (r < 0)
		return r;
	if (!network_has_addresses(record))
		return error_set(err, -EINVAL, "network '%s' has no name service", name);
	network = xcalloc(1, sizeof(*network));
	network->name = xstrdup(name);
	network->suffix = xasprintf(".%s", name);
	lower_case(network->suffix);
	network->subnet = network_subnet(record);
	network->subnet6 = network_subnet6(record);
	network->internal = record->internal;
	network->asked_for = asked_for;
	network->dir_fd = network->watch = -1;
	r = network_watch(table, network, err);
	if (r < 0) {
		network_unload(table, network);
		return r;
	}
	strmap_set(&table->networks, name, network);
	return 0;
}

int resolver_table_add(struct resolver_table *table, const char *network, struct error *err)
{
	return network_load(table, network, true, err);
}

/* With the last one that was asked for, those that were loaded for its askers go too. */
void resolver_table_remove(struct resolver_table *table, const char *network)
{
	bool needed = false;

	network_unload(table, strmap_remove(&table->networks, network));
	strmap_for_each (entry, &table->networks)
		needed |= ((struct table_network *)entry->value)->asked_for;
	if (needed)
		return;
	strmap_for_each (entry, &table->networks)
		network_unload(table, entry->value);
	strmap_release(&table->networks);
	table->networks = (struct strmap)STRMAP_INIT;
}

static struct table_network *network_of_watch(const struct resolver_table *table, int watch)
{
	strmap_for_each (entry, &table->networks) {
		struct table_network *network = entry->value;

		if (network->watch == watch)
			return network;
	}
	return NULL;
}

/* Events were lost: only a full reading tells. */
static void reload_all(struct resolver_table *table)
{
	strmap_for_each (entry, &table->networks) {
		hosts_forget(entry->value);
		hosts_load(entry->value, NULL);
	}
}

static bool event_apply(struct resolver_table *table, const struct inotify_event *event)
{
	struct table_network *network = network_of_watch(table, event->wd);
	cleanup_free char *id = NULL;

	if (event->mask & IN_Q_OVERFLOW) {
		reload_all(table);
		return true;
	}
	if (!network)
		return false;
	if (event->mask & IN_IGNORED) { /* the directory is gone: the network was removed */
		network->watch = -1;
		hosts_forget(network);
		if (!network->asked_for)
			network_unload(table, strmap_remove(&table->networks, network->name));
		return false;
	}
	if (!event->len)
		return false;
	if (event->mask & IN_CLOSE_WRITE)
		return strcmp(event->name, RESOLVER_CLAIM_FILE) == 0;
	id = endpoint_file_id(event->name);
	if (id)
		host_load(network, id);
	return false;
}

bool resolver_table_update(struct resolver_table *table)
{
	char buffer[8192] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool claims = false;
	ssize_t length;

	while ((length = read(table->inotify_fd, buffer, sizeof(buffer))) > 0)
		for (char *at = buffer; at < buffer + length;) {
			const struct inotify_event *event = (const void *)at;

			at += sizeof(*event) + event->len;
			claims |= event_apply(table, event);
		}
	return claims;
}

const struct table_host *resolver_table_find_asker(const struct resolver_table *table,
	const char *network_name, const struct ip_range *address)
{
	const struct table_network *network = strmap_get(&table->networks, network_name);
	char key[ADDRESS_KEY];

	if (!network)
		return NULL;
	address_key(address, key);
	return strmap_get(&network->addresses, key);
}

const struct table_host *resolver_table_find_container(
	const struct resolver_table *table, const char *network_name, const char *container_id)
{
	const struct table_network *network = strmap_get(&table->networks, network_name);

	return network ? strmap_get(&network->hosts, container_id) : NULL;
}

static struct table_name *name_in(const struct table_network *network, const char *name)
{
	struct table_name *found = strmap_get(&network->names, name);
	size_t length = strlen(name), suffix = strlen(network->suffix);
	char head[256];

	if (found || length <= suffix || length >= sizeof(head) ||
		strcmp(name + length - suffix, network->suffix) != 0)
		return found;
	memcpy(head, name, length - suffix);
	head[length - suffix] = '\0';
	return strmap_get(&network->names, head);
}

static struct table_name *name_in_any(
	const struct resolver_table *table, const struct table_host *asker, const char *name)
{
	strmap_for_each (entry, &table->networks) {
		const struct table_network *network = entry->value;
		struct table_name *found;

		if (!strmap_has(&network->hosts, asker->container_id))
			continue;
		found = name_in(network, name);
		if (found)
			return found;
	}
	return NULL;
}

/* Load what is missing of the asker's networks: another project's, say, that it has joined. */
static bool complete(struct resolver_table *table, const struct table_host *asker)
{
	cleanup_strv char **names = NULL;
	char path[PATH_MAX];
	bool more = false;

	snprintf(path, sizeof(path), CONTAINERS_PATH "/%s", asker->container_id);
	if (dir_list(table->engine->run_fd, path, &names, NULL) < 0)
		return false;
	for (size_t i = 0; names && names[i]; i++)
		if (!strmap_has(&table->networks, names[i]))
			more |= network_load(table, names[i], false, NULL) == 0;
	return more;
}

static struct table_name *find_plain(struct resolver_table *table, const char *network_name,
	const struct table_host *asker, const char *name)
{
	const struct table_network *network = strmap_get(&table->networks, network_name);
	struct table_name *found = network ? name_in(network, name) : NULL;

	if (!found)
		found = name_in_any(table, asker, name);
	if (!found && complete(table, asker))
		found = name_in_any(table, asker, name);
	return found;
}

/* What a link makes of the name; NULL = there is none of it. */
static const char *link_target(const struct table_host *asker, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; asker->links && asker->links[i]; i++)
		if (strncmp(asker->links[i], name, length) == 0 && asker->links[i][length] == '=')
			return asker->links[i] + length + 1;
	return NULL;
}

struct table_name *resolver_table_find_name(struct resolver_table *table, const char *network_name,
	const struct table_host *asker, const char *name)
{
	const char *target;

	if (!*name)
		return NULL;
	target = link_target(asker, name);
	return find_plain(table, network_name, asker, target ? target : name);
}

static bool network_contains(const struct table_network *network, const struct ip_range *address)
{
	struct in6_addr ipv6;
	uint32_t ipv4;

	if (address->family == AF_INET) {
		memcpy(&ipv4, address->bytes, sizeof(ipv4));
		return network->subnet.prefix && subnet_contains(&network->subnet, ntohl(ipv4));
	}
	memcpy(&ipv6, address->bytes, sizeof(ipv6));
	return network->subnet6.prefix && subnet6_contains(&network->subnet6, &ipv6);
}

const struct table_host *resolver_table_find_address(const struct resolver_table *table,
	const struct table_host *asker, const struct ip_range *address, bool *ret_own)
{
	char key[ADDRESS_KEY];

	*ret_own = false;
	address_key(address, key);
	strmap_for_each (entry, &table->networks) {
		const struct table_network *network = entry->value;
		const struct table_host *host;

		if (!network_contains(network, address) ||
			!strmap_has(&network->hosts, asker->container_id))
			continue;
		*ret_own = true;
		host = strmap_get(&network->addresses, key);
		if (host)
			return host;
	}
	return NULL;
}

bool resolver_table_is_confined(struct resolver_table *table, const struct table_host *asker)
{
	complete(table, asker);
	strmap_for_each (entry, &table->networks) {
		const struct table_network *network = entry->value;

		if (!network->internal && strmap_has(&network->hosts, asker->container_id))
			return false;
	}
	return true;
}
