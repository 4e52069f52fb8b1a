/* SPDX-License-Identifier: GPL-2.0-or-later
 * record.c - struct network and struct endpoint as JSON, both ways by one field table each. */
#include "engine/net/record.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/strv.h"
#include "engine/net/address.h"
#include "engine/net/address6.h"

#define RECORD_VERSION 1

enum field_type {
	FIELD_STRING,
	FIELD_STRINGS,
	FIELD_BOOL,
	FIELD_I64, /* never negative */
	FIELD_SIGNED,
	FIELD_U32,
	FIELD_U16,
	FIELD_U8
};

struct field {
	const char *key;
	enum field_type type;
	size_t offset;
	bool required;
};

static const struct field network_fields[] = {
	{ "name", FIELD_STRING, offsetof(struct network, name), true },
	{ "id", FIELD_STRING, offsetof(struct network, id), true },
	{ "driver", FIELD_STRING, offsetof(struct network, driver), true },
	{ "subnet", FIELD_STRING, offsetof(struct network, subnet), false },
	{ "gateway", FIELD_STRING, offsetof(struct network, gateway), false },
	{ "ip_range", FIELD_STRING, offsetof(struct network, ip_range), false },
	{ "subnet6", FIELD_STRING, offsetof(struct network, subnet6), false },
	{ "gateway6", FIELD_STRING, offsetof(struct network, gateway6), false },
	{ "ip_range6", FIELD_STRING, offsetof(struct network, ip_range6), false },
	{ "internal", FIELD_BOOL, offsetof(struct network, internal), false },
	{ "bridge", FIELD_STRING, offsetof(struct network, bridge), false },
	{ "parent", FIELD_STRING, offsetof(struct network, parent), false },
	{ "mtu", FIELD_U32, offsetof(struct network, mtu), false },
	{ "labels", FIELD_STRINGS, offsetof(struct network, labels), false },
	{ "options", FIELD_STRINGS, offsetof(struct network, options), false },
	{ "reserved", FIELD_STRINGS, offsetof(struct network, reserved), false },
	{ "created_ns", FIELD_I64, offsetof(struct network, created_ns), true },
};

static const struct field endpoint_fields[] = {
	{ "network", FIELD_STRING, offsetof(struct endpoint, network), true },
	{ "container_id", FIELD_STRING, offsetof(struct endpoint, container_id), true },
	{ "container_name", FIELD_STRING, offsetof(struct endpoint, container_name), true },
	{ "aliases", FIELD_STRINGS, offsetof(struct endpoint, aliases), false },
	{ "address", FIELD_STRING, offsetof(struct endpoint, address), false },
	{ "prefix_length", FIELD_U8, offsetof(struct endpoint, prefix_length), false },
	{ "gateway", FIELD_STRING, offsetof(struct endpoint, gateway), false },
	{ "address6", FIELD_STRING, offsetof(struct endpoint, address6), false },
	{ "prefix_length6", FIELD_U8, offsetof(struct endpoint, prefix_length6), false },
	{ "gateway6", FIELD_STRING, offsetof(struct endpoint, gateway6), false },
	{ "mac", FIELD_STRING, offsetof(struct endpoint, mac), true },
	{ "interface", FIELD_STRING, offsetof(struct endpoint, interface), true },
	{ "order", FIELD_U16, offsetof(struct endpoint, order), false },
	{ "gateway_priority", FIELD_SIGNED, offsetof(struct endpoint, gateway_priority), false },
	{ "link_local", FIELD_STRINGS, offsetof(struct endpoint, link_local), false },
	{ "sysctls", FIELD_STRINGS, offsetof(struct endpoint, sysctls), false },
	{ "links", FIELD_STRINGS, offsetof(struct endpoint, links), false },
	{ "dns", FIELD_STRINGS, offsetof(struct endpoint, dns), false },
};

static const struct field port_fields[] = {
	{ "host_ip", FIELD_STRING, offsetof(struct published_port, host_ip), false },
	{ "host_port", FIELD_U16, offsetof(struct published_port, host_port), true },
	{ "container_port", FIELD_U16, offsetof(struct published_port, container_port), true },
	{ "both", FIELD_BOOL, offsetof(struct published_port, both), false },
};

static void field_write(struct json *json, const struct field *field, const void *object)
{
	const void *at = (const char *)object + field->offset;

	switch (field->type) {
	case FIELD_STRING:
		json_set_string(json, field->key, *(char *const *)at);
		return;
	case FIELD_STRINGS:
		json_set_strv(json, field->key, *(char **const *)at);
		return;
	case FIELD_BOOL:
		json_set_bool(json, field->key, *(const bool *)at);
		return;
	case FIELD_I64:
		json_set_u64(json, field->key, (uint64_t) * (const int64_t *)at);
		return;
	case FIELD_SIGNED:
		json_set_int(json, field->key, *(const int64_t *)at);
		return;
	case FIELD_U32:
		json_set_int(json, field->key, *(const uint32_t *)at);
		return;
	case FIELD_U16:
		json_set_int(json, field->key, *(const uint16_t *)at);
		return;
	case FIELD_U8:
		json_set_int(json, field->key, *(const uint8_t *)at);
		return;
	}
}

static const uint64_t field_max[] = {
	[FIELD_I64] = INT64_MAX,
	[FIELD_U32] = UINT32_MAX,
	[FIELD_U16] = UINT16_MAX,
	[FIELD_U8] = UINT8_MAX,
};

static int number_read(
	const struct json *json, const struct field *field, void *at, struct error *err)
{
	uint64_t value = 0;
	int r = field->required ? json_get_u64(json, field->key, &value, err)
				: json_opt_u64(json, field->key, &value, err);

	if (r < 0)
		return r;
	if (value > field_max[field->type])
		return error_set(err, -EBADMSG, "'%s': out of range", field->key);
	if (field->type == FIELD_I64)
		*(int64_t *)at = (int64_t)value;
	else if (field->type == FIELD_U32)
		*(uint32_t *)at = (uint32_t)value;
	else if (field->type == FIELD_U16)
		*(uint16_t *)at = (uint16_t)value;
	else
		*(uint8_t *)at = (uint8_t)value;
	return 0;
}

static int field_read(
	const struct json *json, const struct field *field, void *object, struct error *err)
{
	void *at = (char *)object + field->offset;

	switch (field->type) {
	case FIELD_STRING:
		return field->required ? json_get_string(json, field->key, at, err)
				       : json_opt_string(json, field->key, at, err);
	case FIELD_STRINGS:
		return json_opt_strv(json, field->key, at, err);
	case FIELD_BOOL:
		return json_opt_bool(json, field->key, at, err);
	case FIELD_SIGNED:
		return json_opt_int(json, field->key, at, err);
	default:
		return number_read(json, field, at, err);
	}
}

static struct json *fields_write(const struct field *fields, size_t count, const void *object)
{
	struct json *json = json_new_object();

	for (size_t i = 0; i < count; i++)
		field_write(json, &fields[i], object);
	return json;
}

static int fields_read(const struct json *json, const struct field *fields, size_t count,
	void *object, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++)
		r = field_read(json, &fields[i], object, err);
	return r;
}

static int version_check(const struct json *json, struct error *err)
{
	int64_t version;
	int r = json_get_int(json, "version", &version, err);

	if (r < 0)
		return r;
	if (version != RECORD_VERSION)
		return error_set(err, -EBADMSG, "'version': %lld is not known to this program",
			(long long)version);
	return 0;
}

static struct json *versioned(const struct field *fields, size_t count, const void *object)
{
	struct json *json = json_new_object();

	json_set_int(json, "version", RECORD_VERSION);
	for (size_t i = 0; i < count; i++)
		field_write(json, &fields[i], object);
	return json;
}

struct json *network_to_json(const struct network *network)
{
	return versioned(network_fields, ARRAY_LEN(network_fields), network);
}

/* What the rest of the room takes as given about a bridge network. */
static int network_check(const struct network *network, struct error *err)
{
	struct in6_addr gateway6;
	struct subnet6 subnet6;
	struct subnet subnet;
	uint32_t gateway;

	if (strcmp(network->driver, "bridge") != 0)
		return 0;
	if (!network->bridge || (!network->subnet && !network->subnet6) ||
		(network->subnet && (subnet_parse(network->subnet, &subnet) < 0 ||
					    address_parse(network->gateway, &gateway) < 0)) ||
		(network->subnet6 && (subnet6_parse(network->subnet6, &subnet6) < 0 ||
					     address6_parse(network->gateway6, &gateway6) < 0)))
		return error_set(err, -EBADMSG, "bridge, subnet and gateway: missing or malformed");
	return 0;
}

int network_from_json(const struct json *json, struct network **ret, struct error *err)
{
	cleanup_network struct network *network = xcalloc(1, sizeof(*network));
	int r = version_check(json, err);

	if (r == 0)
		r = fields_read(json, network_fields, ARRAY_LEN(network_fields), network, err);
	if (r == 0)
		r = network_check(network, err);
	if (r < 0)
		return r;
	*ret = steal_ptr(network);
	return 0;
}

struct json *endpoint_to_json(const struct endpoint *endpoint)
{
	struct json *json = versioned(endpoint_fields, ARRAY_LEN(endpoint_fields), endpoint);
	struct json *ports;

	if (!endpoint->port_count)
		return json;
	ports = json_new_array();
	for (size_t i = 0; i < endpoint->port_count; i++) {
		struct json *port =
			fields_write(port_fields, ARRAY_LEN(port_fields), &endpoint->ports[i]);

		json_set_string(port, "protocol", endpoint->ports[i].protocol);
		json_append(ports, port);
	}
	json_set(json, "ports", ports);
	return json;
}

static int port_read(const struct json *json, struct published_port *port, struct error *err)
{
	cleanup_free char *protocol = NULL;
	int r = fields_read(json, port_fields, ARRAY_LEN(port_fields), port, err);

	if (r == 0)
		r = json_get_string(json, "protocol", &protocol, err);
	if (r < 0)
		return r;
	if (strlen(protocol) >= sizeof(port->protocol))
		return error_set(err, -EBADMSG, "'protocol': out of range");
	memcpy(port->protocol, protocol, strlen(protocol) + 1);
	return 0;
}

int endpoint_from_json(const struct json *json, struct endpoint *ret, struct error *err)
{
	struct endpoint endpoint = { 0 };
	int r = version_check(json, err);
	struct in6_addr address6;
	uint32_t address;

	if (r == 0)
		r = fields_read(json, endpoint_fields, ARRAY_LEN(endpoint_fields), &endpoint, err);
	if (r == 0 &&
		((!endpoint.address && !endpoint.address6) ||
			(endpoint.address && address_parse(endpoint.address, &address) < 0) ||
			(endpoint.address6 && address6_parse(endpoint.address6, &address6) < 0)))
		r = error_set(err, -EBADMSG, "'address', 'address6': missing or malformed");
	if (r == 0)
		json_for_each (child, json_get(json, "ports")) {
			struct published_port *port =
				array_add(endpoint.ports, endpoint.port_count);

			r = port_read(child, port, err);
			if (r < 0)
				break;
		}
	if (r < 0) {
		endpoint_release(&endpoint);
		return r;
	}
	*ret = endpoint;
	return 0;
}

void network_free(struct network *network)
{
	if (!network)
		return;
	for (size_t i = 0; i < ARRAY_LEN(network_fields); i++) {
		void *at = (char *)network + network_fields[i].offset;

		if (network_fields[i].type == FIELD_STRING)
			free(*(char **)at);
		else if (network_fields[i].type == FIELD_STRINGS)
			strv_free(*(char ***)at);
	}
	free(network);
}

void network_cleanup(struct network **network)
{
	network_free(*network);
	*network = NULL;
}

void endpoint_release(struct endpoint *endpoint)
{
	for (size_t i = 0; i < ARRAY_LEN(endpoint_fields); i++) {
		void *at = (char *)endpoint + endpoint_fields[i].offset;

		if (endpoint_fields[i].type == FIELD_STRING)
			free(*(char **)at);
		else if (endpoint_fields[i].type == FIELD_STRINGS)
			strv_free(*(char ***)at);
	}
	for (size_t i = 0; i < endpoint->port_count; i++)
		free(endpoint->ports[i].host_ip);
	free(endpoint->ports);
	memset(endpoint, 0, sizeof(*endpoint));
}
