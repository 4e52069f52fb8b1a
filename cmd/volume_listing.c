/* SPDX-License-Identifier: GPL-2.0-or-later
 * volume_listing.c - a volume as the fields that are shown of it. */
#include "cmd/volume_listing.h"

#include <errno.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/strv.h"

/* 1 = it passes, 0 = not. */
int volume_passes(const struct volume *volume, char *const *filters, struct error *err)
{
	int all = 1;

	for (; filters && *filters; filters++) {
		const char *value = strchr(*filters, '=');

		if (value && !strncmp(*filters, "name=", strlen("name="))) {
			all &= strstr(volume->name, value + 1) != NULL;
		} else if (value && !strncmp(*filters, "label=", strlen("label="))) {
			cleanup_free char *key = xstrndup(value + 1, strcspn(value + 1, "="));
			const char *wanted = strchr(value + 1, '=');
			const char *label = env_get(volume->labels, key);

			all &= label && (!wanted || !strcmp(label, wanted + 1));
		} else {
			return error_set(err, -EINVAL, "invalid filter '%s'", *filters);
		}
	}
	return all;
}

void volume_listing_add(const struct volume *volume, struct format_items *items)
{
	cleanup_free char *labels = strv_join(volume->labels, ",");
	struct json *fields = json_new_object();

	json_set_string(fields, "Availability", "N/A");
	json_set_string(fields, "Driver", "local");
	json_set_string(fields, "Group", "N/A");
	json_set_string(fields, "Labels", labels);
	json_set_string(fields, "Links", "N/A");
	json_set_string(fields, "Mountpoint", volume->mountpoint);
	json_set_string(fields, "Name", volume->name);
	json_set_string(fields, "Scope", "local");
	json_set_string(fields, "Size", "N/A");
	json_set_string(fields, "Status", "N/A");
	format_items_add(items, fields, volume->labels);
}

static const struct format_column columns[] = {
	{ "Driver", "DRIVER", true },
	{ "Name", "VOLUME NAME", true },
	{ "Labels", "LABELS", false },
	{ "Mountpoint", "MOUNTPOINT", false },
	{ "Scope", "SCOPE", false },
	{ "Size", "SIZE", false },
	{ NULL, NULL, false },
};

const struct format_listing volume_listing = { columns, 10, false };
