/* SPDX-License-Identifier: GPL-2.0-or-later
 * keys.c - the rows for the top of a document, and looking rows up. */
#include "compose/keys.h"

#include <string.h>

#include "compose/keys_checks.h"
#include "engine/base/memory.h"

#define TABLE(name, text, rows_) \
	const struct key_table name = { .what = text, .rows = rows_, .count = ARRAY_LEN(rows_) }

/* clang-format off */
static const struct key_row pool_rows[] = {
	{ .name = "subnet",        SHAPE_STRING },
	{ .name = "gateway",       SHAPE_STRING },
	{ .name = "ip_range",      SHAPE_STRING },
	{ .name = "aux_addresses", SHAPE_STRING_MAP },
};
static const TABLE(pool_keys, "address pool", pool_rows);

static const struct key_row ipam_rows[] = {
	{ .name = "driver",  SHAPE_STRING, .refuse = refuse_ipam_driver },
	{ .name = "config",  SHAPE_TABLES, KEY_LATER_ITEMS, .sub = &pool_keys, .identity = identity_subnet },
	{ .name = "options", SHAPE_STRING_MAP, KEY_HIDDEN, .status = KEY_NO_EFFECT },
};
static const TABLE(ipam_keys, "ipam", ipam_rows);

static const struct key_row network_rows[] = {
	{ .name = "name",        SHAPE_STRING },
	{ .name = "driver",      SHAPE_STRING, .refuse = refuse_network_driver },
	{ .name = "driver_opts", SHAPE_OPTIONS },
	{ .name = "ipam",        SHAPE_TABLE, .sub = &ipam_keys },
	{ .name = "external",    SHAPE_BOOL, .normalise = normalise_external },
	{ .name = "internal",    SHAPE_BOOL },
	{ .name = "attachable",  SHAPE_BOOL, .status = KEY_NO_EFFECT },
	{ .name = "labels",      SHAPE_MAP, KEY_EMPTY_NULLS },
	{ .name = "enable_ipv4", SHAPE_BOOL, KEY_KEEP_EMPTY },
	{ .name = "enable_ipv6", SHAPE_BOOL },
};
TABLE(network_keys, "network", network_rows);

static const struct key_row volume_rows[] = {
	{ .name = "name",        SHAPE_STRING },
	{ .name = "driver",      SHAPE_STRING, .refuse = refuse_volume_driver },
	{ .name = "driver_opts", SHAPE_OPTIONS },
	{ .name = "external",    SHAPE_BOOL, .normalise = normalise_external },
	{ .name = "labels",      SHAPE_MAP, KEY_EMPTY_NULLS },
};
TABLE(volume_keys, "volume", volume_rows);

static const struct key_row secret_rows[] = {
	{ .name = "name",            SHAPE_STRING },
	{ .name = "file",            SHAPE_STRING },
	{ .name = "environment",     SHAPE_STRING },
	{ .name = "external",        SHAPE_BOOL, .normalise = normalise_external, .refuse = refuse_external_secret },
	{ .name = "labels",          SHAPE_MAP, KEY_EMPTY_NULLS, .status = KEY_NO_EFFECT },
	{ .name = "driver",          SHAPE_STRING, .status = KEY_REFUSED, .reason = "there are no secret drivers" },
	{ .name = "driver_opts",     SHAPE_OPTIONS, .status = KEY_NO_EFFECT },
	{ .name = "template_driver", SHAPE_STRING, .status = KEY_REFUSED, .reason = "there are no template drivers" },
};
TABLE(secret_keys, "secret", secret_rows);

static const struct key_row config_rows[] = {
	{ .name = "name",            SHAPE_STRING },
	{ .name = "file",            SHAPE_STRING },
	{ .name = "environment",     SHAPE_STRING },
	{ .name = "content",         SHAPE_STRING },
	{ .name = "external",        SHAPE_BOOL, .normalise = normalise_external, .refuse = refuse_external_secret },
	{ .name = "labels",          SHAPE_MAP, KEY_EMPTY_NULLS, .status = KEY_NO_EFFECT },
	{ .name = "template_driver", SHAPE_STRING, .status = KEY_REFUSED, .reason = "there are no template drivers" },
};
TABLE(config_keys, "config", config_rows);

static const struct key_row model_rows[] = {
	{ .name = "name",          SHAPE_STRING },
	{ .name = "model",         SHAPE_STRING, KEY_REQUIRED },
	{ .name = "context_size",  SHAPE_INT },
	{ .name = "runtime_flags", SHAPE_STRINGS },
};
TABLE(model_keys, "model", model_rows);

static const struct key_row include_rows[] = {
	{ .name = "path",              SHAPE_STRING_OR_LIST },
	{ .name = "env_file",          SHAPE_STRING_OR_LIST },
	{ .name = "project_directory", SHAPE_STRING },
};
const struct key_table include_keys = {
	.what = "include", .rows = include_rows, .count = ARRAY_LEN(include_rows), .is_closed = true
};

static const struct key_row document_rows[] = {
	{ .name = "version",  SHAPE_STRING, KEY_HIDDEN },
	{ .name = "name",     SHAPE_STRING },
	{ .name = "include",  SHAPE_TABLES, KEY_HIDDEN, .sub = &include_keys, .normalise = normalise_include },
	{ .name = "services", SHAPE_NAMED, KEY_KEEP_EMPTY, .sub = &service_keys },
	{ .name = "networks", SHAPE_NAMED, KEY_NULLABLE, .sub = &network_keys },
	{ .name = "volumes",  SHAPE_NAMED, KEY_NULLABLE, .sub = &volume_keys },
	{ .name = "secrets",  SHAPE_NAMED, .sub = &secret_keys },
	{ .name = "configs",  SHAPE_NAMED, .sub = &config_keys },
	{ .name = "models",   SHAPE_NAMED, .sub = &model_keys },
};
/* clang-format on */
TABLE(document_keys, "document", document_rows);

const char *const key_shape_names[] = {
	[SHAPE_ANY] = "value",
	[SHAPE_STRING] = "string",
	[SHAPE_BOOL] = "boolean or string",
	[SHAPE_INT] = "integer or string",
	[SHAPE_NUMBER] = "number or string",
	[SHAPE_SIZE] = "number or string",
	[SHAPE_DURATION] = "string",
	[SHAPE_COMMAND] = "string or list",
	[SHAPE_STRINGS] = "list",
	[SHAPE_STRING_OR_LIST] = "string or list",
	[SHAPE_TEXTS] = "list",
	[SHAPE_MAP] = "mapping or list",
	[SHAPE_OPTIONS] = "mapping",
	[SHAPE_STRING_MAP] = "mapping",
	[SHAPE_TABLE] = "mapping",
	[SHAPE_TABLES] = "list",
	[SHAPE_NAMED] = "mapping",
	[SHAPE_ULIMITS] = "mapping",
};

const struct key_row *key_find(const struct key_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i].name[0] == name[0] && strcmp(table->rows[i].name, name) == 0)
			return &table->rows[i];
	return NULL;
}
