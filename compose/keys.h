/* SPDX-License-Identifier: GPL-2.0-or-later
 * keys.h - the key tables: one row for each key of the Compose Specification.
 *
 * A row decides how its key is checked, brought from short to long syntax, merged, printed, hashed,
 * and whether the engine can honour it. The rows of a table stand in the order `config` prints
 * them. Sub-objects are tables of their own. May depend on: engine/base/. */
#ifndef MYCOMPOSE_COMPOSE_KEYS_H
#define MYCOMPOSE_COMPOSE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compose/node.h"

/* In the arena. */
struct warning_list {
	char **texts;
	size_t count;
};

/* What a stage needs to work on values: where to allocate, where to complain. */
struct canon {
	struct arena *arena;
	struct problems *problems;
	bool is_raw; /* not interpolated: a text with $ in it cannot be converted and stays */
	struct warning_list *warnings;
	uint64_t *unfolded_ports; /* that ranges have made so far; NULL: not counted */
};

/* Report a problem at `node`; gives NULL, so that a normaliser can return it. */
void *canon_problem(struct canon *c, const struct node *node, const struct path *path,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Accepted, but the user should know. */
void canon_warning(struct canon *c, const struct node *node, const struct path *path,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* "a" or "an". */
const char *noun_article(const char *noun);
/* A value that cannot be looked into yet. */
bool canon_is_open(const struct canon *c, const struct node *node);

enum key_shape {
	SHAPE_ANY,
	SHAPE_STRING,
	SHAPE_BOOL,
	SHAPE_INT,
	SHAPE_NUMBER,
	SHAPE_SIZE,	      /* bytes: becomes a decimal string */
	SHAPE_DURATION,	      /* becomes Go's form */
	SHAPE_COMMAND,	      /* null, a string split as a shell would, or a list of strings */
	SHAPE_STRINGS,	      /* list of strings */
	SHAPE_STRING_OR_LIST, /* becomes a list */
	SHAPE_TEXTS,	      /* list of strings or numbers: becomes strings */
	SHAPE_MAP,     /* mapping, or list of KEY=VALUE: becomes a mapping of strings and nulls */
	SHAPE_OPTIONS, /* mapping of strings and numbers: becomes strings */
	SHAPE_STRING_MAP, /* mapping of strings */
	SHAPE_TABLE,	  /* mapping with the keys of `sub` */
	SHAPE_TABLES,	  /* list of such mappings */
	SHAPE_NAMED,	  /* mapping of the user's names to such mappings */
	SHAPE_ULIMITS,	  /* mapping of names to a number or {soft, hard} */
};

/* "string", "boolean or string", … for messages. */
extern const char *const key_shape_names[];

enum key_status {
	KEY_SUPPORTED,
	KEY_NO_EFFECT,	   /* accepted; means nothing on one Linux host without a daemon */
	KEY_NO_EFFECT_SAY, /* the same, where a user could be misled: told once */
	KEY_NOT_YET,	   /* refused by `up` until the engine can */
	KEY_REFUSED,	   /* refused by `up`, for the reason given */
};

enum key_flag {
	KEY_NULLABLE = 1 << 0,	  /* null is allowed (SHAPE_NAMED: for the entries) */
	KEY_KEEP_EMPTY = 1 << 1,  /* printed even when false, 0 or empty */
	KEY_UNIQUE = 1 << 2,	  /* an item that comes again counts once */
	KEY_EMPTY_NULLS = 1 << 3, /* SHAPE_MAP, SHAPE_OPTIONS: no value means "" */
	KEY_NO_HASH = 1 << 4,	  /* changes nothing in a running container */
	KEY_REPLACE = 1 << 5,	  /* a later file replaces the value whole */
	KEY_HIDDEN = 1 << 6,	  /* not printed: other keys have taken it up */
	KEY_REQUIRED = 1 << 7,
	KEY_TRUNCATE = 1 << 8,	   /* SHAPE_INT: a fraction may be given and is cut off */
	KEY_NO_TWINS = 1 << 9,	   /* one file may not say an item twice */
	KEY_LATER_ITEMS = 1 << 10, /* a later file's list counts, on top of the same items before */
};

struct key_table;

struct key_row {
	const char *name;
	enum key_shape shape;
	unsigned int flags;
	const struct key_table *sub;
	/* Short to long syntax; runs before the shape is checked. NULL and a problem when the value
	 * is wrong. */
	struct node *(*normalise)(struct canon *c, struct node *node, const struct path *path);
	/* After the shape was checked: may complain about the value. */
	void (*check)(struct canon *c, struct node *node, const struct path *path);
	/* What makes two items of a list the same thing when files are merged; NULL: being equal.
	 */
	const char *(*identity)(struct arena *arena, const struct node *item);
	/* The same for items that are texts; NULL: the whole text. */
	const char *(*identity_text)(struct arena *arena, const struct node *item);
	enum key_status status;
	/* Why not, for the statuses that need one. */
	const char *reason;
	/* Decides for this value when the status depends on it: a reason to refuse, or NULL. Only
	 * for KEY_SUPPORTED. */
	const char *(*refuse)(const struct node *node);
};

struct key_table {
	const char *what; /* "service" */
	const struct key_row *rows;
	size_t count;
	bool is_closed; /* no x- keys either */
};

extern const struct key_table document_keys;
extern const struct key_table service_keys;
extern const struct key_table deploy_keys;
extern const struct key_table build_keys;
extern const struct key_table hook_keys;
extern const struct key_table watch_keys;
extern const struct key_table weight_device_keys;
extern const struct key_table throttle_keys;
extern const struct key_table network_keys;
extern const struct key_table volume_keys;
extern const struct key_table secret_keys;
extern const struct key_table config_keys;
extern const struct key_table model_keys;
extern const struct key_table include_keys;

const struct key_row *key_find(const struct key_table *table, const char *name);

/* Short to long, values of keys whose syntax has a chapter of its own. */
struct node *normalise_ports(struct canon *c, struct node *node, const struct path *path);
struct node *normalise_volumes(struct canon *c, struct node *node, const struct path *path);
struct node *normalise_build(struct canon *c, struct node *node, const struct path *path);
struct node *normalise_depends_on(struct canon *c, struct node *node, const struct path *path);
struct node *normalise_service_networks(
	struct canon *c, struct node *node, const struct path *path);
struct node *normalise_service_models(struct canon *c, struct node *node, const struct path *path);
struct node *normalise_env_file(struct canon *c, struct node *node, const struct path *path);
struct node *normalise_grants(struct canon *c, struct node *node, const struct path *path);
struct node *normalise_devices(struct canon *c, struct node *node, const struct path *path);
struct node *normalise_device_count(struct canon *c, struct node *node, const struct path *path);
struct node *normalise_device_requests(struct canon *c, struct node *node, const struct path *path);
struct node *normalise_dns(struct canon *c, struct node *node, const struct path *path);
struct node *normalise_memory(struct canon *c, struct node *node, const struct path *path);
struct node *normalise_gpus(struct canon *c, struct node *node, const struct path *path);
struct node *normalise_extends(struct canon *c, struct node *node, const struct path *path);
struct node *normalise_extra_hosts(struct canon *c, struct node *node, const struct path *path);
struct node *normalise_include(struct canon *c, struct node *node, const struct path *path);
struct node *normalise_ssh(struct canon *c, struct node *node, const struct path *path);
struct node *normalise_test(struct canon *c, struct node *node, const struct path *path);
struct node *normalise_pull_policy(struct canon *c, struct node *node, const struct path *path);
struct node *normalise_external(struct canon *c, struct node *node, const struct path *path);
struct node *normalise_mode(struct canon *c, struct node *node, const struct path *path);

const char *identity_port(struct arena *arena, const struct node *item);
const char *identity_target(struct arena *arena, const struct node *item);
const char *identity_secret(struct arena *arena, const struct node *item);
const char *identity_config(struct arena *arena, const struct node *item);
const char *identity_path(struct arena *arena, const struct node *item);
const char *identity_subnet(struct arena *arena, const struct node *item);
const char *identity_host(struct arena *arena, const struct node *item);

#endif
