/* SPDX-License-Identifier: GPL-2.0-or-later
 * config.h - what `config` prints: the canonical document, and the lists made from it.
 *
 * May depend on: engine/base/. The lists are appended to a buffer, the document goes to a stream as
 * it is made; files, errors of writing and exit codes are the verb's. Printing what was printed
 * gives the same text again. */
#ifndef MYCOMPOSE_COMPOSE_CONFIG_H
#define MYCOMPOSE_COMPOSE_CONFIG_H

#include <stdio.h>

#include "compose/load.h"
#include "compose/model.h"
#include "engine/base/strbuf.h"

enum config_format { CONFIG_YAML, CONFIG_JSON };

/* The whole document as Docker Compose prints it. YAML ends with a newline, JSON does not. */
void config_print(const struct project *project, enum config_format format, FILE *out);

/* `image: NAME` overrides only: what --lock-image-digests prints. `images` has one entry per
 * service of the project. */
void config_print_images(const struct project *project, char *const *images,
	enum config_format format, struct strbuf *out);

/* One line each. Services in dependency order are not promised; keys, not full names; profiles of
 * disabled services as well. */
void config_list_services(const struct project *project, struct strbuf *out);
void config_list_volumes(const struct project *project, struct strbuf *out);
void config_list_networks(const struct project *project, struct strbuf *out);
void config_list_models(const struct project *project, struct strbuf *out);
void config_list_images(const struct project *project, struct strbuf *out);
void config_list_profiles(const struct project *project, struct strbuf *out);
void config_list_environment(const struct project *project, struct strbuf *out); /* K=V lines */

/* "SERVICE HASH" lines; `names` "*" or "a,b". Unknown: -ENOENT "no such service: x". */
int config_list_hashes(
	const struct project *project, const char *names, struct strbuf *out, struct error *err);

/* The table of --variables: every variable the files mention. Loads by itself; `options` as for
 * compose_load. */
int config_list_variables(
	const struct compose_options *options, struct strbuf *out, struct error *err);

#endif
