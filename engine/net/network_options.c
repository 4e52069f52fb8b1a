/* SPDX-License-Identifier: GPL-2.0-or-later
 * network_options.c - the driver options of a bridge network, by docker's names for them. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/net/room.h"

#define PREFIX "com.docker.network."

#define MTU_MIN 68 /* RFC 791: every internet module forwards this much */
#define MTU_MAX 65535

static int parse_bridge(const char *value, struct network_traits *traits)
{
	traits->bridge = value;
	return interface_name_is_valid(value) ? 0 : -EINVAL;
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
	static const char *const words[][6] = {
		{ "0", "f", "F", "false", "False", "FALSE" },
		{ "1", "t", "T", "true", "True", "TRUE" },
	};

	for (int truth = 0; truth < 2; truth++)
		for (size_t i = 0; i < ARRAY_LEN(words[truth]); i++)
			if (strcmp(value, words[truth][i]) == 0) {
				*ret = truth;
				return 0;
			}
	return -EINVAL;
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

static const struct option_row {
	const char *key;
	int (*parse)(const char *value, struct network_traits *traits);
} option_rows[] = {
	{ PREFIX "bridge.enable_icc", parse_icc },
	{ PREFIX "bridge.enable_ip_masquerade", parse_masquerade },
	{ PREFIX "bridge.gateway_mode_ipv4", parse_gateway_mode },
	{ PREFIX "bridge.name", parse_bridge },
	{ PREFIX "driver.mtu", parse_mtu },
};

static int option_read(const char *option, struct network_traits *traits, struct error *err)
{
	const char *equals = strchr(option, '=');
	size_t length = equals ? (size_t)(equals - option) : strlen(option);
	const char *value = equals ? equals + 1 : "";

	for (size_t i = 0; i < ARRAY_LEN(option_rows); i++) {
		const char *key = option_rows[i].key;

		if (strlen(key) != length || strncmp(key, option, length) != 0)
			continue;
		if (option_rows[i].parse(value, traits) < 0)
			return error_set(
				err, -EINVAL, "driver option %s: invalid value '%s'", key, value);
		return 0;
	}
	return error_set(
		err, -EOPNOTSUPP, "driver option '%.*s' is not supported", (int)length, option);
}

int network_traits_read(char *const *options, struct network_traits *ret, struct error *err)
{
	struct network_traits traits = { 0 };
	int r = 0;

	for (size_t i = 0; options && options[i] && r == 0; i++)
		r = option_read(options[i], &traits, err);
	if (r == 0)
		*ret = traits;
	return r;
}

/* As the kernel's dev_valid_name, and without '%', which asks it for numbered names. */
bool interface_name_is_valid(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length >= INTERFACE_TEXT || strcmp(name, ".") == 0 ||
		strcmp(name, "..") == 0)
		return false;
	for (size_t i = 0; i < length; i++)
		if (strchr("/:%", name[i]) || isspace((unsigned char)name[i]) ||
			!isgraph((unsigned char)name[i]))
			return false;
	return true;
}
