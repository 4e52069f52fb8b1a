/* SPDX-License-Identifier: GPL-2.0-or-later
 * network_options.c - the driver options of networks, by docker's names for them. */
#include <errno.h>
#include <linux/if_link.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/ascii.h"
#include "engine/base/numbers.h"
#include "engine/net/ip.h"
#include "engine/net/room.h"

#define PREFIX "com.docker.network."

#define MTU_MIN 68 /* RFC 791: every internet module forwards this much */
#define MTU_MAX 65535

struct word {
	const char *text;
	uint32_t value;
};

static int parse_word(const char *value, const struct word *words, size_t count, uint32_t *ret)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(value, words[i].text) == 0) {
			*ret = words[i].value;
			return 0;
		}
	return -EINVAL;
}

static int parse_bridge(const char *value, struct network_traits *traits)
{
	traits->bridge = value;
	/* Rules name it: there '+' and '*' stand for any rest, and '"' and '\\' for themselves
	 * never. */
	return interface_name_is_valid(value) && !strpbrk(value, "+*\"\\") ? 0 : -EINVAL;
}

static int parse_mtu(const char *value, struct network_traits *traits)
{
	uint64_t mtu = 0;
	int r = strcmp(value, "0") == 0 ? 0 : parse_u64(value, MTU_MIN, MTU_MAX, &mtu);

	traits->mtu = (uint32_t)mtu;
	return r;
}

/* Go's strconv.ParseBool. */
static int parse_bool(const char *value, bool *ret)
{
	static const struct word words[] = { { "0", 0 }, { "f", 0 }, { "F", 0 }, { "false", 0 },
		{ "False", 0 }, { "FALSE", 0 }, { "1", 1 }, { "t", 1 }, { "T", 1 }, { "true", 1 },
		{ "True", 1 }, { "TRUE", 1 } };
	uint32_t truth = 0;
	int r = parse_word(value, words, ARRAY_LEN(words), &truth);

	*ret = truth;
	return r;
}

static int parse_icc(const char *value, struct network_traits *traits)
{
	bool on = true;
	int r = parse_bool(value, &on);

	traits->no_icc = !on;
	return r;
}

static int parse_masquerade(const char *value, struct network_traits *traits)
{
	bool on = true;
	int r = parse_bool(value, &on);

	traits->no_masquerade = !on;
	return r;
}

static int parse_gateway_mode(const char *value, struct network_traits *traits)
{
	(void)traits;
	return strcmp(value, "nat") == 0 ? 0 : -EINVAL;
}

static int parse_host_binding(const char *value, struct network_traits *traits)
{
	struct ip_range address;

	if (ip_parse(value, &address) < 0 || address.family != AF_INET || address.prefix != 32 ||
		strchr(value, '/'))
		return -EINVAL;
	traits->host_binding = value;
	return 0;
}

/* A number follows it. */
static int parse_interface_prefix(const char *value, struct network_traits *traits)
{
	traits->interface_prefix = value;
	return interface_name_is_valid(value) && strlen(value) < INTERFACE_TEXT - 3 ? 0 : -EINVAL;
}

static int parse_parent(const char *value, struct network_traits *traits)
{
	traits->parent = value;
	return interface_name_is_valid(value) && strcmp(value, "lo") != 0 ? 0 : -EINVAL;
}

static int parse_macvlan_mode(const char *value, struct network_traits *traits)
{
	static const struct word words[] = {
		{ "bridge", MACVLAN_MODE_BRIDGE },
		{ "private", MACVLAN_MODE_PRIVATE },
		{ "vepa", MACVLAN_MODE_VEPA },
		{ "passthru", MACVLAN_MODE_PASSTHRU },
	};

	return parse_word(value, words, ARRAY_LEN(words), &traits->mode);
}

static int parse_ipvlan_mode(const char *value, struct network_traits *traits)
{
	static const struct word words[] = {
		{ "l2", IPVLAN_MODE_L2 },
		{ "l3", IPVLAN_MODE_L3 },
		{ "l3s", IPVLAN_MODE_L3S },
	};

	return parse_word(value, words, ARRAY_LEN(words), &traits->mode);
}

static int parse_ipvlan_flag(const char *value, struct network_traits *traits)
{
	static const struct word words[] = {
		{ "bridge", 0 },
		{ "private", IPVLAN_F_PRIVATE },
		{ "vepa", IPVLAN_F_VEPA },
	};

	return parse_word(value, words, ARRAY_LEN(words), &traits->flags);
}

enum { BRIDGE = 1, MACVLAN = 2, IPVLAN = 4 };

static const struct option_row {
	const char *key;
	unsigned int drivers;
	int (*parse)(const char *value, struct network_traits *traits);
} option_rows[] = {
	{ PREFIX "bridge.enable_icc", BRIDGE, parse_icc },
	{ PREFIX "bridge.enable_ip_masquerade", BRIDGE, parse_masquerade },
	{ PREFIX "bridge.gateway_mode_ipv4", BRIDGE, parse_gateway_mode },
	{ PREFIX "bridge.gateway_mode_ipv6", BRIDGE, parse_gateway_mode },
	{ PREFIX "bridge.host_binding_ipv4", BRIDGE, parse_host_binding },
	{ PREFIX "bridge.name", BRIDGE, parse_bridge },
	{ PREFIX "container_iface_prefix", BRIDGE | MACVLAN | IPVLAN, parse_interface_prefix },
	{ PREFIX "driver.mtu", BRIDGE | MACVLAN | IPVLAN, parse_mtu },
	{ "ipvlan_flag", IPVLAN, parse_ipvlan_flag },
	{ "ipvlan_mode", IPVLAN, parse_ipvlan_mode },
	{ "macvlan_mode", MACVLAN, parse_macvlan_mode },
	{ "mtu", BRIDGE | MACVLAN | IPVLAN, parse_mtu },
	{ "parent", MACVLAN | IPVLAN, parse_parent },
};

static unsigned int driver_bit(const char *driver)
{
	return strcmp(driver, "macvlan") == 0  ? MACVLAN
	       : strcmp(driver, "ipvlan") == 0 ? IPVLAN
					       : BRIDGE;
}

static int option_read(
	const char *driver, const char *option, struct network_traits *traits, struct error *err)
{
	const char *equals = strchr(option, '=');
	size_t length = equals ? (size_t)(equals - option) : strlen(option);
	const char *value = equals ? equals + 1 : "";

	for (size_t i = 0; i < ARRAY_LEN(option_rows); i++) {
		const char *key = option_rows[i].key;

		if (strlen(key) != length || strncmp(key, option, length) != 0 ||
			!(option_rows[i].drivers & driver_bit(driver)))
			continue;
		if (option_rows[i].parse(value, traits) < 0)
			return error_set(
				err, -EINVAL, "driver option %s: invalid value '%s'", key, value);
		return 0;
	}
	return error_set(
		err, -EOPNOTSUPP, "driver option '%.*s' is not supported", (int)length, option);
}

int network_options_read(
	const char *driver, char *const *options, struct network_traits *ret, struct error *err)
{
	struct network_traits traits = {
		.mode = strcmp(driver, "macvlan") == 0 ? MACVLAN_MODE_BRIDGE : IPVLAN_MODE_L2
	};
	int r = 0;

	for (size_t i = 0; options && options[i] && r == 0; i++)
		r = option_read(driver, options[i], &traits, err);
	if (r == 0)
		*ret = traits;
	return r;
}

int network_traits_read(char *const *options, struct network_traits *ret, struct error *err)
{
	return network_options_read("bridge", options, ret, err);
}

char *network_host_binding(const struct network *network)
{
	struct network_traits traits;

	return network_options_read(network->driver, network->options, &traits, NULL) == 0
		       ? xstrdup(traits.host_binding)
		       : NULL;
}

char *network_interface_prefix(const struct network *network)
{
	struct network_traits traits;

	return network_options_read(network->driver, network->options, &traits, NULL) == 0
		       ? xstrdup(traits.interface_prefix)
		       : NULL;
}

bool network_is_routed(const struct network *network)
{
	struct network_traits traits;

	return strcmp(network->driver, "ipvlan") == 0 &&
	       network_options_read(network->driver, network->options, &traits, NULL) == 0 &&
	       traits.mode != IPVLAN_MODE_L2;
}

/* As the kernel's dev_valid_name, and without '%', which asks it for numbered names. */
bool interface_name_is_valid(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length >= INTERFACE_TEXT || strcmp(name, ".") == 0 ||
		strcmp(name, "..") == 0)
		return false;
	for (size_t i = 0; i < length; i++)
		if (!ascii_is_print(name[i]) || strchr(" /:%", name[i]))
			return false;
	return true;
}
