/* SPDX-License-Identifier: GPL-2.0-or-later
 * images_store.h - the listing of the image store, and the texts it shares with a project's. */
#ifndef MYCOMPOSE_CMD_IMAGES_STORE_H
#define MYCOMPOSE_CMD_IMAGES_STORE_H

#include "cmd/verb.h"

struct images_options {
	bool all;
	bool quiet;
	bool digests;
	bool no_trunc;
	char **filters;
	char *format;
};

/* All images, or those whose repository or name is `wanted` (NULL = all). */
int images_store_list(struct app *app, const struct images_options *options, const char *wanted,
	struct error *err);

/* What follows "sha256:", "" for NULL. */
const char *images_hex(const char *digest);
/* The first 12 digits, or the whole digest. Heap. */
char *images_short_id(const char *digest, bool no_trunc);
/* Repository and tag of a reference, "<none>" where it has none. Heap. */
void images_split_reference(const char *text, char **ret_repository, char **ret_tag);

#endif
