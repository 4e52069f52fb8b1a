/* SPDX-License-Identifier: GPL-2.0-or-later
 * inspect.h - everything known of an object as JSON, the same for every kind of object. */
#ifndef MYCOMPOSE_CMD_INSPECT_H
#define MYCOMPOSE_CMD_INSPECT_H

#include "cmd/verb.h"
#include "engine/base/json.h"
#include "engine/image/image.h"

struct inspect_options {
	char *format;
};
extern const struct flag inspect_flags[];

/* The object that `name` stands for. */
typedef int (*inspect_describe)(
	const struct engine *engine, const char *name, struct json **ret, struct error *err);

/* Describe each name: one JSON array, or a line of the template for each. What is not there is told
 * on stderr and makes the exit code 1; the others are printed all the same. */
int inspect_each(struct app *app, const struct inspect_options *options, char *const *names,
	inspect_describe describe, struct error *err);

/* "key=value" words as an object; NULL gives an empty one. */
struct json *inspect_map(char *const *words);
/* Words as the keys of empty objects, as docker writes sets. */
struct json *inspect_set(char *const *words);
/* Words as an array; NULL gives null. */
struct json *inspect_list(char *const *words);
/* RFC 3339, or docker's zero time. */
void inspect_time(struct json *object, const char *key, int64_t ns);

/* An image config as docker's "Config" object. */
struct json *inspect_image_config(const struct image_config *config);

#endif
