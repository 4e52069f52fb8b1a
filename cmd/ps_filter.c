/* SPDX-License-Identifier: GPL-2.0-or-later
 * ps_filter.c - a row for each key. */
#include "cmd/ps_filter.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"
#include "engine/image/image.h"

typedef bool (*filter_match)(
	const struct engine *engine, const struct listed *listed, const char *value);

static bool match_id(const struct engine *engine, const struct listed *listed, const char *value)
{
	(void)engine;
	return !strncmp(listed->container->id, value, strlen(value));
}

/* docker takes the name as a regular expression; one that does not compile matches as text. */
static bool match_name(const struct engine *engine, const struct listed *listed, const char *value)
{
	regex_t expression;
	bool matches;

	(void)engine;
	if (regcomp(&expression, value, REG_EXTENDED | REG_NOSUB) != 0)
		return strstr(listed->container->name, value) != NULL;
	matches = regexec(&expression, listed->container->name, 0, NULL, 0) == 0;
	regfree(&expression);
	return matches;
}

static bool match_label(const struct engine *engine, const struct listed *listed, const char *value)
{
	cleanup_free char *key = xstrndup(value, strcspn(value, "="));
	const char *wanted = strchr(value, '=');
	const char *label = container_label(listed->container, key);

	(void)engine;
	return label && (!wanted || !strcmp(label, wanted + 1));
}

static bool match_status(
	const struct engine *engine, const struct listed *listed, const char *value)
{
	(void)engine;
	return !strcmp(container_status_name(listed->state.status), value);
}

static bool match_health(
	const struct engine *engine, const struct listed *listed, const char *value)
{
	(void)engine;
	return !strcmp(container_health_name(listed->state.health), value);
}

static bool match_ancestor(
	const struct engine *engine, const struct listed *listed, const char *value)
{
	cleanup_image struct image *image = NULL;

	if (!strcmp(listed->container->image_ref ? listed->container->image_ref : "", value))
		return true;
	return image_find(engine, value, &image, NULL) == 0 && listed->container->image_id &&
	       !strcmp(image->id, listed->container->image_id);
}

static bool match_exited(
	const struct engine *engine, const struct listed *listed, const char *value)
{
	int64_t code;

	(void)engine;
	return parse_i64(value, -1, 255, &code) == 0 && listed->state.status == CONTAINER_EXITED &&
	       listed->state.exit_code == code;
}

static bool match_network(
	const struct engine *engine, const struct listed *listed, const char *value)
{
	(void)engine;
	for (size_t i = 0; i < listed->container->attachment_count; i++)
		if (!strcmp(listed->container->attachments[i].network, value))
			return true;
	return false;
}

static bool match_volume(
	const struct engine *engine, const struct listed *listed, const char *value)
{
	(void)engine;
	for (size_t i = 0; i < listed->container->spec.mount_count; i++) {
		const struct spec_mount *mount = &listed->container->spec.mounts[i];

		if ((mount->source && !strcmp(mount->source, value)) ||
			!strcmp(mount->destination, value))
			return true;
	}
	return false;
}

static const struct {
	const char *key;
	filter_match match;
} rows[] = {
	{ "ancestor", match_ancestor },
	{ "exited", match_exited },
	{ "health", match_health },
	{ "id", match_id },
	{ "label", match_label },
	{ "name", match_name },
	{ "network", match_network },
	{ "status", match_status },
	{ "volume", match_volume },
};

struct ps_filter {
	const struct engine *engine;
	char **values[ARRAY_LEN(rows)]; /* by row */
};

int ps_filter_parse(
	char *const *words, const struct engine *engine, struct ps_filter **ret, struct error *err)
{
	struct ps_filter *filter = xcalloc(1, sizeof(*filter));

	filter->engine = engine;
	for (size_t i = 0; i < strv_length(words); i++) {
		size_t length = strcspn(words[i], "="), row = 0;

		while (row < ARRAY_LEN(rows) && (strlen(rows[row].key) != length ||
							strncmp(rows[row].key, words[i], length)))
			row++;
		if (row == ARRAY_LEN(rows) || !words[i][length]) {
			ps_filter_free(filter);
			return error_set(err, -EINVAL, "invalid filter '%s'", words[i]);
		}
		strv_add(&filter->values[row], words[i] + length + 1);
	}
	*ret = filter;
	return 0;
}

void ps_filter_free(struct ps_filter *filter)
{
	if (!filter)
		return;
	for (size_t row = 0; row < ARRAY_LEN(rows); row++)
		strv_free(filter->values[row]);
	free(filter);
}

/* Labels must all hold, as in docker; of the other keys one value is enough. */
static bool row_accepts(const struct ps_filter *filter, size_t row, const struct listed *listed)
{
	bool all = rows[row].match == match_label;
	char *const *value = filter->values[row];

	for (; value && *value; value++)
		if (rows[row].match(filter->engine, listed, *value) != all)
			return !all;
	return all || !filter->values[row];
}

bool ps_filter_accepts(const struct listed *listed, void *arg)
{
	const struct ps_filter *filter = arg;

	for (size_t row = 0; row < ARRAY_LEN(rows); row++)
		if (!row_accepts(filter, row, listed))
			return false;
	return true;
}

bool ps_filter_has_status(const struct ps_filter *filter)
{
	for (size_t row = 0; row < ARRAY_LEN(rows); row++)
		if ((rows[row].match == match_status || rows[row].match == match_exited) &&
			filter->values[row])
			return true;
	return false;
}
