/* SPDX-License-Identifier: GPL-2.0-or-later
 * hosts_files.c - /etc/hosts, /etc/hostname and /etc/resolv.conf of a container.
 *
 * Made in <run>/containers/ID at each start and bound over the image's. A container that shares
 * another's network shares its three files, one on the host's network has the host's names and
 * resolvers. */
#include "engine/container/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/base/strv.h"
#include "engine/container/id_mapping.h"
#include "engine/container/in_root.h"
#include "engine/container/mount_fd.h"
#include "engine/net/resolver.h"

#define FILE_LIMIT   (1 << 20)	    /* of what is read from the host */
#define HOST_GATEWAY "host-gateway" /* docker's word for "the host, as seen from here" */

static const struct hosts_file {
	const char *name;
	const char *path;
} files[] = {
	{ "hostname", "/etc/hostname" },
	{ "hosts", "/etc/hosts" },
	{ "resolv.conf", "/etc/resolv.conf" },
};

static const char hosts_head[] = "127.0.0.1\tlocalhost\n"
				 "::1\tlocalhost ip6-localhost ip6-loopback\n"
				 "fe00::\tip6-localnet\n"
				 "ff00::\tip6-mcastprefix\n"
				 "ff02::1\tip6-allnodes\n"
				 "ff02::2\tip6-allrouters\n";

static bool shares_network(const struct setup *setup)
{
	return setup->container->spec.network.mode == NAMESPACE_CONTAINER;
}

/* The gateway of a bridge is the host; that of a macvlan is some router. Heap. */
static char *host_address(const struct setup *setup)
{
	for (size_t i = 0; i < setup->endpoint_count; i++) {
		const struct endpoint *endpoint = &setup->endpoints[i];
		cleanup_network struct network *network = NULL;

		if ((endpoint->gateway || endpoint->gateway6) &&
			network_find(setup->engine, endpoint->network, &network, NULL) == 0 &&
			network_can_publish(network))
			return xstrdup(endpoint->gateway ? endpoint->gateway : endpoint->gateway6);
	}
	return setup->container->spec.network.mode == NAMESPACE_HOST ? xstrdup("127.0.0.1") : NULL;
}

static int add_extra_host(
	const struct setup *setup, const char *entry, struct strbuf *text, struct error *err)
{
	const char *address = strchr(entry, '=');
	cleanup_free char *name = NULL, *host = NULL;

	if (!address || address == entry)
		return error_set(err, -EINVAL, "extra host '%s': not HOST=ADDRESS", entry);
	name = xstrndup(entry, (size_t)(address - entry));
	address++;
	if (strcmp(address, HOST_GATEWAY) == 0)
		address = host = host_address(setup);
	if (!address)
		return error_set(
			err, -EINVAL, "extra host '%s': no network leads to the host", entry);
	strbuf_addf(text, "%s\t%s\n", address, name);
	return 0;
}

/* On the host's network the host's own names hold. */
static void add_hosts_head(const struct setup *setup, struct strbuf *text)
{
	cleanup_free char *host = NULL;
	size_t length;

	if (setup->container->spec.network.mode == NAMESPACE_HOST &&
		file_read(AT_FDCWD, "/etc/hosts", FILE_LIMIT, &host, &length, NULL) == 0)
		strbuf_add(text, host, length);
	else
		strbuf_add_str(text, hosts_head);
}

static void add_own_name(const struct setup *setup, const char *address, struct strbuf *text)
{
	const struct spec *spec = &setup->container->spec;

	if (!address)
		return;
	strbuf_addf(text, "%s\t", address);
	if (spec->domainname && *spec->domainname)
		strbuf_addf(text, "%s.%s ", setup->hostname, spec->domainname);
	strbuf_addf(text, "%s\n", setup->hostname);
}

static int hosts_text(const struct setup *setup, struct strbuf *text, struct error *err)
{
	const struct spec *spec = &setup->container->spec;

	add_hosts_head(setup, text);
	for (size_t i = 0; spec->extra_hosts && spec->extra_hosts[i]; i++) {
		int r = add_extra_host(setup, spec->extra_hosts[i], text, err);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < setup->endpoint_count; i++) {
		add_own_name(setup, setup->endpoints[i].address, text);
		add_own_name(setup, setup->endpoints[i].address6, text);
	}
	return 0;
}

static void add_words(struct strbuf *text, const char *key, char *const *words)
{
	if (!words || !words[0])
		return;
	strbuf_add_str(text, key);
	for (size_t i = 0; words[i]; i++)
		strbuf_addf(text, " %s", words[i]);
	strbuf_add_char(text, '\n');
}

static void add_name_servers(struct strbuf *text, char *const *servers)
{
	for (size_t i = 0; servers && servers[i]; i++)
		strbuf_addf(text, "nameserver %s\n", servers[i]);
}

/* Where names are answered: on the gateway address of each bridge, the internal ones too, whose
 * endpoints have no route there. */
static int gateways(const struct setup *setup, char ***ret, struct error *err)
{
	cleanup_strv char **servers = NULL;

	for (size_t i = 0; i < setup->endpoint_count; i++) {
		cleanup_network struct network *network = NULL;
		int r = network_find(setup->engine, setup->endpoints[i].network, &network, err);

		if (r < 0)
			return r;
		if (network_resolver_address(network) &&
			!strv_contains(servers, network_resolver_address(network)))
			strv_add(&servers, network_resolver_address(network));
	}
	*ret = steal_ptr(servers);
	return 0;
}

/* The host's file line by line, without what the container says itself. */
static void add_host_resolvers(const struct spec *spec, struct strbuf *text)
{
	const struct {
		const char *key;
		char *const *own;
	} rows[] = {
		{ "nameserver", spec->dns },
		{ "search", spec->dns_search },
		{ "domain", spec->dns_search },
		{ "options", spec->dns_options },
	};
	cleanup_free char *host = NULL;
	cleanup_strv char **lines = NULL;
	size_t length;

	/* A host without resolvers is a container without resolvers. */
	if (file_read(AT_FDCWD, "/etc/resolv.conf", FILE_LIMIT, &host, &length, NULL) < 0)
		return;
	lines = strv_split(host, "\n");
	for (size_t i = 0; lines && lines[i]; i++) {
		size_t word = strcspn(lines[i], " \t");
		bool dropped = false;

		for (size_t k = 0; k < ARRAY_LEN(rows); k++)
			dropped = dropped || (rows[k].own && word == strlen(rows[k].key) &&
						     strncmp(lines[i], rows[k].key, word) == 0);
		if (!dropped)
			strbuf_addf(text, "%s\n", lines[i]);
	}
}

static int resolv_text(const struct setup *setup, struct strbuf *text, struct error *err)
{
	const struct spec *spec = &setup->container->spec;
	cleanup_strv char **servers = NULL;

	int r = gateways(setup, &servers, err);

	if (r < 0)
		return r;
	if (!servers && setup->endpoint_count > 0) /* no neighbour of ours */
		strv_add(&servers, RESOLVER_INSIDE);
	if (servers)
		add_name_servers(text, servers);
	else
		add_host_resolvers(spec, text);
	add_name_servers(text, spec->dns);
	add_words(text, "search", spec->dns_search);
	add_words(text, "options", spec->dns_options);
	return 0;
}

static int write_files(const struct setup *setup, int dir_fd, struct error *err)
{
	cleanup_strbuf struct strbuf hosts = STRBUF_INIT, resolv = STRBUF_INIT, name = STRBUF_INIT;
	const struct strbuf *const texts[] = { &name, &hosts, &resolv }; /* as in files[] */
	int r = hosts_text(setup, &hosts, err);

	if (r == 0)
		r = resolv_text(setup, &resolv, err);
	strbuf_addf(&name, "%s\n", setup->hostname);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(files); i++)
		r = file_replace(dir_fd, files[i].name, strbuf_text(texts[i]), texts[i]->length,
			0644, FILE_VOLATILE, err);
	return r;
}

int hosts_files_write(struct setup *setup, struct error *err)
{
	cleanup_free char *path = xasprintf("containers/%s", setup->container->id);
	cleanup_fd int dir_fd = dir_make_open(setup->engine->run_fd, path, 0700, err);
	int r;

	if (dir_fd < 0)
		return dir_fd;
	if (shares_network(setup))
		return 0;
	r = write_files(setup, dir_fd, err);
	return r < 0 ? error_wrap(err, "hosts files") : 0;
}

/* Others (the FIFOs) may have things in the directory; then it stays. */
void hosts_files_remove(const struct setup *setup)
{
	cleanup_free char *path = xasprintf("containers/%s", setup->container->id);
	cleanup_fd int dir_fd =
		openat(setup->engine->run_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir_fd < 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		unlinkat(dir_fd, files[i].name, 0);
	unlinkat(setup->engine->run_fd, path, AT_REMOVEDIR);
}

/* Each start makes them anew for this container alone. */
static int give_to_root(int fd, const struct spec *spec, struct error *err)
{
	uint32_t uid, gid;
	int r = spec_host_uid(spec, 0, &uid, err);

	if (r == 0)
		r = spec_host_gid(spec, 0, &gid, err);
	if (r == 0 && fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
		r = error_sys(err, -errno, "give it to the container's root");
	return r;
}

/* By path: the mount to copy must be of the child's own mount namespace. */
static int bind_file(const struct setup *setup, const struct hosts_file *file, struct error *err)
{
	const struct spec *spec = &setup->container->spec;
	const char *id = shares_network(setup) ? spec->network.container : setup->container->id;
	cleanup_free char *path =
		xasprintf("%s/containers/%s/%s", setup->engine->run_path, id, file->name);
	cleanup_fd int source_fd = file_open(AT_FDCWD, path, O_PATH | O_NOFOLLOW, 0, err);
	cleanup_fd int target_fd = -1, tree_fd = -1;

	if (source_fd < 0)
		return source_fd;
	if (spec_is_mapped(spec)) {
		int r = give_to_root(source_fd, spec, err);

		if (r < 0)
			return r;
	}
	target_fd = in_root_make(setup->root_fd, file->path, false, err);
	if (target_fd < 0)
		return target_fd;
	tree_fd = mount_clone(source_fd, false, err);
	return tree_fd < 0 ? tree_fd : mount_attach(tree_fd, target_fd, err);
}

int hosts_files_bind(struct setup *setup, struct error *err)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		if (has_mount_at(setup->container, files[i].path) ||
			has_grant_at(setup->container, files[i].path) ||
			has_mount_at(setup->container, "/etc"))
			continue;
		if (bind_file(setup, &files[i], err) < 0)
			return error_wrap(err, "%s", files[i].path);
	}
	return 0;
}
