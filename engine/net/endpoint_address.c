/* SPDX-License-Identifier: GPL-2.0-or-later
 * endpoint_address.c - which addresses an endpoint has: claims are symbolic links named by the
 * address, so that of two who want one only one gets it. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/net/room.h"

void ledger_close(struct ledger *ledger)
{
	close_fd(&ledger->dir_fd);
	close_fd(&ledger->addresses_fd);
}

int ledger_open(
	const struct engine *engine, const char *network, struct ledger *ret, struct error *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "networks/%s/addresses", network);
	ret->addresses_fd = dir_make_open(engine->run_fd, path, 0700, err);
	if (ret->addresses_fd < 0)
		return ret->addresses_fd;
	ret->dir_fd = endpoints_open(engine, network, err);
	return ret->dir_fd < 0 ? ret->dir_fd : 0;
}

/* A link whose container has no record is what a kill between the two left behind. */
static bool claim_is_stale(const struct ledger *ledger, const char *address, const char *claimant)
{
	char holder[NAME_MAX + 1], name[NAME_MAX + 1];
	ssize_t length = readlinkat(ledger->addresses_fd, address, holder, sizeof(holder) - 1);

	if (length < 0)
		return errno == ENOENT;
	holder[length] = '\0';
	if (strcmp(holder, claimant) == 0)
		return true;
	endpoint_file_name(name, holder);
	return faccessat(ledger->dir_fd, name, F_OK, 0) < 0 && errno == ENOENT;
}

/* 0 = the address is the claimant's now, -EADDRINUSE = another container's. */
static int address_claim(const struct ledger *ledger, const char *text, const char *claimant)
{
	if (symlinkat(claimant, ledger->addresses_fd, text) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (!claim_is_stale(ledger, text, claimant))
		return -EADDRINUSE;
	if ((unlinkat(ledger->addresses_fd, text, 0) < 0 && errno != ENOENT) ||
		symlinkat(claimant, ledger->addresses_fd, text) < 0)
		return -errno;
	return 0;
}

/* A walk through a pool. */
struct claim {
	const struct ledger *ledger;
	const struct network *network;
	const char *claimant;
	const char *gateway;
	int failure;
};

static bool claim_try(struct claim *claim, const char *text)
{
	int r;

	if (strcmp(text, claim->gateway) == 0 || strv_contains(claim->network->reserved, text))
		return false;
	r = address_claim(claim->ledger, text, claim->claimant);
	if (r < 0 && r != -EADDRINUSE)
		claim->failure = r;
	return r == 0 || claim->failure;
}

static bool claim_try4(uint32_t address, void *data)
{
	char text[ADDRESS_TEXT];

	address_format(address, text);
	return claim_try(data, text);
}

static bool claim_try6(const struct in6_addr *address, void *data)
{
	char text[ADDRESS6_TEXT];

	address6_format(address, text);
	return claim_try(data, text);
}

/* The address given last; NULL: none, or what stands there cannot be read. Heap. */
static char *cursor_read(const struct ledger *ledger, const char *file)
{
	char *text = NULL;
	size_t length;

	if (file_read(ledger->addresses_fd, file, ADDRESS6_TEXT, &text, &length, NULL) < 0)
		return NULL;
	return text;
}

static int cursor_write(
	const struct ledger *ledger, const char *file, const char *text, struct error *err)
{
	return file_replace(
		ledger->addresses_fd, file, text, strlen(text), 0600, FILE_VOLATILE, err);
}

static int walk_end(const struct claim *claim, bool found, const char *range, struct error *err)
{
	if (!found)
		return error_set(err, -ENOSPC, "no free address is left in %s", range);
	return claim->failure ? error_sys(err, claim->failure, "record an address") : 0;
}

static int pool_claim4(const struct ledger *ledger, const struct network *network,
	const char *claimant, char **ret_text, struct error *err)
{
	struct claim claim = { ledger, network, claimant, network->gateway, 0 };
	cleanup_free char *cursor = cursor_read(ledger, "cursor");
	struct address_pool pool = { .subnet = network_subnet(network) };
	char text[ADDRESS_TEXT];
	uint32_t address = 0;
	bool found;
	int r;

	pool.range = pool.subnet;
	if (network->ip_range)
		subnet_parse(network->ip_range, &pool.range);
	address_parse(cursor, &pool.cursor);
	found = address_next(&pool, claim_try4, &claim, &address);
	r = walk_end(&claim, found, network->ip_range ? network->ip_range : network->subnet, err);
	if (r < 0)
		return r;
	address_format(address, text);
	*ret_text = xstrdup(text);
	return cursor_write(ledger, "cursor", text, err);
}

static int pool_claim6(const struct ledger *ledger, const struct network *network,
	const char *claimant, char **ret_text, struct error *err)
{
	struct claim claim = { ledger, network, claimant, network->gateway6, 0 };
	cleanup_free char *cursor = cursor_read(ledger, "cursor6");
	struct address6_pool pool = { .subnet = network_subnet6(network) };
	struct in6_addr address = IN6ADDR_ANY_INIT;
	char text[ADDRESS6_TEXT];
	bool found;
	int r;

	pool.range = pool.subnet;
	if (network->ip_range6)
		subnet6_parse(network->ip_range6, &pool.range);
	address6_parse(cursor, &pool.cursor);
	found = address6_next(&pool, claim_try6, &claim, &address);
	r = walk_end(
		&claim, found, network->ip_range6 ? network->ip_range6 : network->subnet6, err);
	if (r < 0)
		return r;
	address6_format(&address, text);
	*ret_text = xstrdup(text);
	return cursor_write(ledger, "cursor6", text, err);
}

/* An address that was named. */
static int named_claim(const struct ledger *ledger, const char *gateway, const char *claimant,
	const char *text, char **ret_text, struct error *err)
{
	int r;

	if (strcmp(text, gateway) == 0)
		return error_set(err, -EADDRINUSE, "address %s is the gateway's", text);
	r = address_claim(ledger, text, claimant);
	if (r == -EADDRINUSE)
		return error_set(err, r, "address %s is in use by another container", text);
	if (r < 0)
		return error_sys(err, r, "record address %s", text);
	*ret_text = xstrdup(text);
	return 0;
}

static int static_claim4(const struct ledger *ledger, const struct network *network,
	const struct endpoint_request *request, char **ret_text, struct error *err)
{
	struct subnet subnet = network_subnet(network);
	char text[ADDRESS_TEXT];
	uint32_t address;

	if (address_parse(request->address, &address) < 0)
		return error_set(err, -EINVAL, "'%s' is not an IPv4 address", request->address);
	if (!network->subnet)
		return error_set(err, -EINVAL, "address %s: the network has no IPv4 subnet",
			request->address);
	if (address < subnet_first_host(&subnet) || address > subnet_last_host(&subnet))
		return error_set(err, -EINVAL, "address %s is no host address of subnet %s",
			request->address, network->subnet);
	address_format(address, text);
	return named_claim(ledger, network->gateway, request->container_id, text, ret_text, err);
}

static int static_claim6(const struct ledger *ledger, const struct network *network,
	const struct endpoint_request *request, char **ret_text, struct error *err)
{
	struct subnet6 subnet = network_subnet6(network);
	char text[ADDRESS6_TEXT];
	struct in6_addr address;

	if (address6_parse(request->address6, &address) < 0)
		return error_set(err, -EINVAL, "'%s' is not an IPv6 address", request->address6);
	if (!network->subnet6)
		return error_set(err, -EINVAL, "address %s: the network has no IPv6 subnet",
			request->address6);
	if (!subnet6_is_host(&subnet, &address))
		return error_set(err, -EINVAL, "address %s is no host address of subnet %s",
			request->address6, network->subnet6);
	address6_format(&address, text);
	return named_claim(ledger, network->gateway6, request->container_id, text, ret_text, err);
}

/* What stays true of an endpoint that is asked for again. 1 = it is somebody else's by now. */
static int present_claim(const struct ledger *ledger, const char *present, const char *claimant,
	char **ret_text, struct error *err)
{
	int r = present ? address_claim(ledger, present, claimant) : -EADDRINUSE;

	if (r == -EADDRINUSE)
		return 1;
	if (r < 0)
		return error_sys(err, r, "record an address");
	*ret_text = xstrdup(present);
	return 0;
}

int endpoint_claim4(const struct ledger *ledger, const struct network *network,
	const struct endpoint_request *request, const struct endpoint *present, char **ret_text,
	struct error *err)
{
	int r;

	if (request->address)
		return static_claim4(ledger, network, request, ret_text, err);
	*ret_text = NULL;
	if (!network->subnet)
		return 0;
	r = present_claim(ledger, present->address, request->container_id, ret_text, err);
	return r <= 0 ? r : pool_claim4(ledger, network, request->container_id, ret_text, err);
}

int endpoint_claim6(const struct ledger *ledger, const struct network *network,
	const struct endpoint_request *request, const struct endpoint *present, char **ret_text,
	struct error *err)
{
	int r;

	if (request->address6)
		return static_claim6(ledger, network, request, ret_text, err);
	*ret_text = NULL;
	if (!network->subnet6)
		return 0;
	r = present_claim(ledger, present->address6, request->container_id, ret_text, err);
	return r <= 0 ? r : pool_claim6(ledger, network, request->container_id, ret_text, err);
}
