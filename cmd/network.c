/* SPDX-License-Identifier: GPL-2.0-or-later
 * network.c - `network create`, `inspect`, `ls`, `rm`; prune is in prune.c. */
#include "engine/net/network.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cmd/app.h"
#include "cmd/format.h"
#include "cmd/inspect.h"
#include "cmd/verbs.h"
#include "engine/base/ids.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/base/times.h"

struct create_options {
	char *driver;
	char **subnets;
	char **gateways;
	char **ip_ranges;
	bool internal;
	bool attachable;
	bool ipv6;
	char *ipv4;
	char **options;
	char **labels;
	char **reserved;
};

#define C(field) offsetof(struct create_options, field)
static const struct flag create_flags[] = {
	{ 'd', "driver", FLAG_STRING, C(driver), "NAME", "Driver (default: bridge)", 0 },
	{ 0, "subnet", FLAG_LIST, C(subnets), "CIDR",
		"Subnet, one for each of IPv4 and IPv6 (default: a free one is chosen)", 0 },
	{ 0, "gateway", FLAG_LIST, C(gateways), "ADDRESS", "Address of the bridge", 0 },
	{ 0, "ip-range", FLAG_LIST, C(ip_ranges), "CIDR", "Part of the subnet for containers", 0 },
	{ 0, "aux-address", FLAG_LIST, C(reserved), "NAME=ADDRESS",
		"Address that no container gets", 0 },
	{ 0, "internal", FLAG_BOOL, C(internal), NULL, "No way in or out but for its containers",
		0 },
	{ 0, "attachable", FLAG_BOOL, C(attachable), NULL,
		"Without effect: every network takes single containers", 0 },
	{ 0, "ipv6", FLAG_BOOL, C(ipv6), NULL, "With IPv6 addresses", 0 },
	{ 0, "ipv4", FLAG_STRING, C(ipv4), "BOOL", "With IPv4 addresses (default: true)", 0 },
	{ 'o', "opt", FLAG_LIST, C(options), "KEY=VALUE", "Driver option", 0 },
	{ 0, "label", FLAG_LIST, C(labels), "KEY=VALUE", "Set a label", 0 },
	FLAG_END,
};

/* "name=10.0.0.5": the name is for people. */
static char **addresses_of(char *const *words)
{
	char **addresses = NULL;

	for (; words && *words; words++)
		strv_add(&addresses, strchr(*words, '=') ? strchr(*words, '=') + 1 : *words);
	return addresses;
}

static char **as_pairs(char *const *words)
{
	char **pairs = NULL;

	for (; words && *words; words++)
		strv_take(&pairs, strchr(*words, '=') ? xstrdup(*words) : xasprintf("%s=", *words));
	return pairs;
}

/* Gateways and ranges belong to the subnet of their family. */
static const char *of_family(char *const *words, const char *subnet)
{
	for (; words && *words; words++)
		if (!subnet || !strchr(*words, ':') == !strchr(subnet, ':'))
			return *words;
	return NULL;
}

static int add_pools(
	const struct create_options *options, struct network_request *request, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && options->subnets && options->subnets[i]; i++) {
		const char *subnet = options->subnets[i];

		if (strchr(subnet, ':') && !options->ipv6)
			return error_set(
				err, -EINVAL, "subnet %s is IPv6: --ipv6 must be given", subnet);
		r = network_request_add_pool(request, subnet, of_family(options->gateways, subnet),
			of_family(options->ip_ranges, subnet), err);
	}
	if (!options->subnets)
		r = network_request_add_pool(request, NULL, of_family(options->gateways, NULL),
			of_family(options->ip_ranges, NULL), err);
	return r;
}

static int run_create(struct app *app, void *opaque, char **args, struct error *err)
{
	const struct create_options *options = opaque;
	cleanup_network struct network *network = NULL;
	cleanup_strv char **labels = as_pairs(options->labels);
	cleanup_strv char **driver_options = as_pairs(options->options);
	cleanup_strv char **reserved = addresses_of(options->reserved);
	struct network_request request = {
		.name = args[0],
		.driver = options->driver,
		.ipv6 = options->ipv6,
		.no_ipv4 = options->ipv4 && !strcmp(options->ipv4, "false"),
		.internal = options->internal,
		.labels = labels,
		.options = driver_options,
		.reserved = reserved,
	};
	int r = app_need_operands(app, args, 1, 1, err);

	if (r < 0)
		return r;
	if (options->ipv4 && strcmp(options->ipv4, "true") && strcmp(options->ipv4, "false"))
		return error_set(err, -EINVAL, "--ipv4 %s: neither true nor false", options->ipv4);
	r = add_pools(options, &request, err);
	if (r < 0)
		return r;
	r = network_create(&app->engine, &request, &network, err);
	if (r < 0)
		return r;
	printf("%s\n", network->id);
	return 0;
}

static const struct verb verb_network_create = {
	.name = "create",
	.usage = "[OPTIONS] NAME",
	.summary = "Create a network",
	.flags = create_flags,
	.options_size = sizeof(struct create_options),
	.needs = NEEDS_ENGINE | NO_DRY_RUN,
	.flags_anywhere = true,
	.run = run_create,
};

struct ls_options {
	bool quiet;
	bool no_trunc;
	char **filters;
	char *format;
};

static const struct flag ls_flags[] = {
	{ 'q', "quiet", FLAG_BOOL, offsetof(struct ls_options, quiet), NULL, "Only ids", 0 },
	{ 0, "no-trunc", FLAG_BOOL, offsetof(struct ls_options, no_trunc), NULL, "Do not cut ids",
		0 },
	{ 'f', "filter", FLAG_LIST, offsetof(struct ls_options, filters), "KEY=VALUE",
		"Only what matches: driver, id, label, name, scope, type, dangling", 0 },
	{ 0, "format", FLAG_STRING, offsetof(struct ls_options, format), "FORMAT",
		"table, json, \"table TEMPLATE\" or a template of {{.Field}}", 0 },
	FLAG_END,
};

/* 1 = it matches, 0 = not, or an error about the value. */
static int match_driver(const struct engine *engine, const struct network *network,
	const char *value, struct error *err)
{
	(void)engine;
	(void)err;
	return !strcmp(network->driver, value);
}

static int match_id(const struct engine *engine, const struct network *network, const char *value,
	struct error *err)
{
	(void)engine;
	(void)err;
	return !strncmp(network->id, value, strlen(value));
}

static int match_label(const struct engine *engine, const struct network *network,
	const char *value, struct error *err)
{
	cleanup_free char *key = xstrndup(value, strcspn(value, "="));
	const char *label = env_get(network->labels, key);

	(void)engine;
	(void)err;
	return label && (!strchr(value, '=') || !strcmp(label, strchr(value, '=') + 1));
}

static int match_name(const struct engine *engine, const struct network *network, const char *value,
	struct error *err)
{
	(void)engine;
	(void)err;
	return strstr(network->name, value) != NULL;
}

static int match_scope(const struct engine *engine, const struct network *network,
	const char *value, struct error *err)
{
	(void)engine;
	(void)network;
	(void)err;
	return !strcmp(value, "local");
}

static int match_type(const struct engine *engine, const struct network *network, const char *value,
	struct error *err)
{
	bool builtin = network_is_builtin(network->name);

	(void)engine;
	if (strcmp(value, "custom") && strcmp(value, "builtin"))
		return error_set(err, -EINVAL, "invalid filter 'type=%s'", value);
	return builtin == !strcmp(value, "builtin");
}

/* Made by somebody and used by nobody. */
static int match_dangling(const struct engine *engine, const struct network *network,
	const char *value, struct error *err)
{
	struct endpoint *endpoints = NULL;
	size_t count = 0;
	bool wanted = !strcmp(value, "true") || !strcmp(value, "1");
	int r;

	if (!wanted && strcmp(value, "false") && strcmp(value, "0"))
		return error_set(err, -EINVAL, "invalid filter 'dangling=%s'", value);
	r = endpoint_list(engine, network->name, &endpoints, &count, err);
	if (r < 0)
		return r;
	endpoint_list_free(endpoints, count);
	return (count == 0 && !network_is_builtin(network->name)) == wanted;
}

static const struct {
	const char *prefix;
	int (*match)(const struct engine *engine, const struct network *network, const char *value,
		struct error *err);
} filter_rows[] = {
	{ "dangling=", match_dangling },
	{ "driver=", match_driver },
	{ "id=", match_id },
	{ "label=", match_label },
	{ "name=", match_name },
	{ "scope=", match_scope },
	{ "type=", match_type },
};

struct verdict {
	bool matched;
	bool given;
};

/* As docker: filters of one kind are alternatives, but each label must match. 1 = it passes. */
static int passes(const struct engine *engine, const struct network *network, char *const *filters,
	struct error *err)
{
	struct verdict verdicts[ARRAY_LEN(filter_rows)] = { 0 };

	for (; filters && *filters; filters++) {
		size_t row = 0;
		int r;

		while (row < ARRAY_LEN(filter_rows) &&
			strncmp(*filters, filter_rows[row].prefix, strlen(filter_rows[row].prefix)))
			row++;
		if (row == ARRAY_LEN(filter_rows))
			return error_set(err, -EINVAL, "invalid filter '%s'", *filters);
		r = filter_rows[row].match(
			engine, network, *filters + strlen(filter_rows[row].prefix), err);
		if (r < 0)
			return r;
		if (r == 0 && filter_rows[row].match == match_label)
			return 0;
		verdicts[row].given = true;
		verdicts[row].matched |= r > 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++)
		if (verdicts[i].given && !verdicts[i].matched)
			return 0;
	return 1;
}

static void add_network(
	const struct network *network, const struct ls_options *options, struct format_items *items)
{
	cleanup_free char *created = time_format_created_at(network->created_ns);
	cleanup_free char *id =
		xstrndup(network->id, options->no_trunc ? ID_LENGTH : ID_SHORT_LENGTH);
	cleanup_free char *labels = strv_join(network->labels, ",");
	struct json *fields = json_new_object();

	json_set_string(fields, "CreatedAt", created);
	json_set_string(fields, "Driver", network->driver);
	json_set_string(fields, "ID", id);
	json_set_string(fields, "IPv4", network->subnet ? "true" : "false");
	json_set_string(fields, "IPv6", network->subnet6 ? "true" : "false");
	json_set_string(fields, "Internal", network->internal ? "true" : "false");
	json_set_string(fields, "Labels", labels);
	json_set_string(fields, "Name", network->name);
	json_set_string(fields, "Scope", "local");
	format_items_add(items, fields, network->labels);
}

static const struct format_column columns[] = {
	{ "ID", "NETWORK ID", true },
	{ "Name", "NAME", true },
	{ "Driver", "DRIVER", true },
	{ "Scope", "SCOPE", true },
	{ "CreatedAt", "CREATED AT", false },
	{ "IPv4", "IPV4", false },
	{ "IPv6", "IPV6", false },
	{ "Internal", "INTERNAL", false },
	{ "Labels", "LABELS", false },
	{ NULL, NULL, false },
};

static int run_ls(struct app *app, void *opaque, char **args, struct error *err)
{
	static const struct format_listing listing = { columns, 10, false };
	const struct ls_options *options = opaque;
	cleanup_items struct format_items items = FORMAT_ITEMS_INIT;
	struct network **networks = NULL;
	size_t count = 0;
	int r = app_need_operands(app, args, 0, 0, err);

	if (r == 0)
		r = network_list(&app->engine, &networks, &count, err);
	for (size_t i = 0; r >= 0 && i < count; i++) {
		r = passes(&app->engine, networks[i], options->filters, err);
		if (r > 0)
			add_network(networks[i], options, &items);
	}
	network_list_free(networks, count);
	if (r < 0)
		return r;
	if (!options->quiet)
		return format_print(options->format, &listing, &items, stdout, err);
	for (size_t i = 0; i < items.count; i++)
		printf("%s\n", json_string(json_get(items.items[i].fields, "ID")));
	return 0;
}

static const struct verb verb_network_ls = {
	.name = "ls",
	.alias = "list",
	.usage = "[OPTIONS]",
	.summary = "List networks",
	.flags = ls_flags,
	.options_size = sizeof(struct ls_options),
	.needs = NEEDS_ENGINE,
	.flags_anywhere = true,
	.run = run_ls,
};

struct rm_options {
	bool force;
};

static const struct flag rm_flags[] = {
	{ 'f', "force", FLAG_BOOL, offsetof(struct rm_options, force), NULL,
		"A network that is not there is no failure", 0 },
	FLAG_END,
};

static int remove_one(const struct engine *engine, const char *word, struct error *err)
{
	cleanup_network struct network *network = NULL;
	int r = network_find(engine, word, &network, err);

	return r < 0 ? r : network_remove(engine, network->name, err);
}

static int run_rm(struct app *app, void *opaque, char **args, struct error *err)
{
	const struct rm_options *options = opaque;
	int code = 0;
	int r = app_need_operands(app, args, 1, SIZE_MAX, err);

	if (r < 0)
		return r;
	for (; *args; args++) {
		cleanup_error struct error own = ERROR_INIT;

		r = remove_one(&app->engine, *args, &own);
		if (r == 0) {
			printf("%s\n", *args);
		} else {
			app_print_error(app, &own);
			code = r == -ENOENT && options->force ? code : 1;
		}
	}
	return code;
}

static const struct verb verb_network_rm = {
	.name = "rm",
	.alias = "remove",
	.usage = "[OPTIONS] NETWORK...",
	.summary = "Remove networks",
	.flags = rm_flags,
	.options_size = sizeof(struct rm_options),
	.needs = NEEDS_ENGINE | NO_DRY_RUN,
	.flags_anywhere = true,
	.run = run_rm,
};

static void describe_pool(struct json *configs, const struct network *network, bool ipv6)
{
	const char *subnet = ipv6 ? network->subnet6 : network->subnet;
	struct json *config, *reserved = NULL;

	if (!subnet)
		return;
	config = json_new_object();
	json_set_string(config, "Subnet", subnet);
	json_set_string(config, "IPRange", ipv6 ? network->ip_range6 : network->ip_range);
	json_set_string(config, "Gateway", ipv6 ? network->gateway6 : network->gateway);
	for (size_t i = 0; i < strv_length(network->reserved); i++) {
		cleanup_free char *name = xasprintf("reserved%zu", i + 1);

		if (!strchr(network->reserved[i], ':') == ipv6)
			continue;
		reserved = reserved ? reserved : json_new_object();
		json_set_string(reserved, name, network->reserved[i]);
	}
	if (reserved)
		json_set(config, "AuxiliaryAddresses", reserved);
	json_append(configs, config);
}

static struct json *describe_ipam(const struct network *network)
{
	struct json *ipam = json_new_object(), *configs = json_new_array();

	json_set_string(ipam, "Driver", "default");
	describe_pool(configs, network, false);
	describe_pool(configs, network, true);
	json_set(ipam, "Config", configs);
	return ipam;
}

static void describe_address(
	struct json *container, const char *key, const char *address, unsigned int prefix)
{
	cleanup_free char *text = address ? xasprintf("%s/%u", address, prefix) : xstrdup("");

	json_set_string(container, key, text);
}

static int describe_containers(const struct engine *engine, const struct network *network,
	struct json **ret, struct error *err)
{
	struct json *object = json_new_object();
	struct endpoint *endpoints = NULL;
	size_t count = 0;
	int r = endpoint_list(engine, network->name, &endpoints, &count, err);

	for (size_t i = 0; i < count; i++) {
		const struct endpoint *endpoint = &endpoints[i];
		struct json *container = json_new_object();

		json_set_string(container, "Name", endpoint->container_name);
		json_set_string(container, "MacAddress", endpoint->mac);
		describe_address(
			container, "IPv4Address", endpoint->address, endpoint->prefix_length);
		describe_address(
			container, "IPv6Address", endpoint->address6, endpoint->prefix_length6);
		json_set(object, endpoint->container_id, container);
	}
	endpoint_list_free(endpoints, count);
	if (r < 0) {
		json_free(object);
		return r;
	}
	*ret = object;
	return 0;
}

static int describe(
	const struct engine *engine, const char *name, struct json **ret, struct error *err)
{
	cleanup_network struct network *network = NULL;
	struct json *object, *containers = NULL;
	int r = network_find(engine, name, &network, err);

	if (r == 0)
		r = describe_containers(engine, network, &containers, err);
	if (r < 0)
		return r;
	object = json_new_object();
	json_set_string(object, "Name", network->name);
	json_set_string(object, "Id", network->id);
	inspect_time(object, "Created", network->created_ns);
	json_set_string(object, "Scope", "local");
	json_set_string(object, "Driver", network->driver);
	json_set_bool(object, "EnableIPv4", network->subnet != NULL);
	json_set_bool(object, "EnableIPv6", network->subnet6 != NULL);
	json_set(object, "IPAM", describe_ipam(network));
	json_set_bool(object, "Internal", network->internal);
	json_set(object, "Containers", containers);
	json_set(object, "Options", inspect_map(network->options));
	json_set(object, "Labels", inspect_map(network->labels));
	*ret = object;
	return 0;
}

static int run_inspect(struct app *app, void *options, char **args, struct error *err)
{
	return inspect_each(app, options, args, describe, err);
}

static const struct verb verb_network_inspect = {
	.name = "inspect",
	.usage = "[OPTIONS] NETWORK...",
	.summary = "Show all that is known of networks",
	.flags = inspect_flags,
	.options_size = sizeof(struct inspect_options),
	.needs = NEEDS_ENGINE,
	.flags_anywhere = true,
	.run = run_inspect,
};

static const struct verb *const children[] = {
	&verb_network_create,
	&verb_network_inspect,
	&verb_network_ls,
	&verb_network_prune,
	&verb_network_rm,
	NULL,
};

const struct verb verb_network = {
	.name = "network",
	.summary = "Work with networks",
	.children = children,
};
