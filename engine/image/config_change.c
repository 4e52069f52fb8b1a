/* SPDX-License-Identifier: GPL-2.0-or-later
 * config_change.c - `--change` lines: the Dockerfile instructions that only touch the image config.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "engine/base/memory.h"
#include "engine/base/ascii.h"
#include "engine/base/numbers.h"
#include "engine/base/strbuf.h"
#include "engine/base/strv.h"
#include "engine/image/config.h"
#include "engine/image/words.h"

static int malformed(const char *what, const char *text, struct error *err)
{
	return error_set(err, -EINVAL, "%s: '%.200s'", what, text);
}

/* A JSON array of strings, or -ENOENT when the text is not one. */
static int parse_json_words(const char *text, char ***ret)
{
	cleanup_json struct json *json = NULL;
	cleanup_strv char **list = NULL;

	if (*text != '[' || json_parse(text, strlen(text), &json, NULL) < 0 || !json_is_array(json))
		return -ENOENT;
	json_for_each (item, json) {
		if (!json_is_string(item))
			return -ENOENT;
		strv_add(&list, json_string(item));
	}
	if (!list)
		list = xcalloc(1, sizeof(*list));
	*ret = steal_ptr(list);
	return 0;
}

static void replace_strv(char ***where, char **list)
{
	strv_free(*where);
	*where = list;
}

static void replace_string(char **where, const char *text)
{
	free(*where);
	*where = xstrdup(text);
}

static void add_once(char ***list, const char *text)
{
	if (!strv_contains(*list, text))
		strv_add(list, text);
}

/* Exec form as given, shell form through /bin/sh. */
static int change_command(char ***where, const char *text)
{
	char **list = NULL;

	if (parse_json_words(text, &list) < 0) {
		strv_add(&list, "/bin/sh");
		strv_add(&list, "-c");
		strv_add(&list, text);
	}
	replace_strv(where, list);
	return 0;
}

static int change_cmd(struct image_config *config, const char *text, struct error *err)
{
	(void)err;
	return change_command(&config->cmd, text);
}

static int change_entrypoint(struct image_config *config, const char *text, struct error *err)
{
	(void)err;
	return change_command(&config->entrypoint, text);
}

/* "K=V K2=V2", or the old form "K rest of the line". */
static int change_pairs(char ***list, char *const *env, const char *text, struct error *err)
{
	cleanup_strv char **words = NULL;
	size_t key_length = strcspn(text, "= \t");
	int r;

	if (text[key_length] != '=') {
		const char *value = text + key_length + strspn(text + key_length, " \t");
		cleanup_free char *key = xstrndup(text, key_length);

		if (!*value)
			return malformed("must be KEY=VALUE", text, err);
		r = words_expand(value, env, &words, err);
		if (r < 0)
			return r;
		cleanup_free char *joined = strv_join(words, " ");

		env_set(list, key, joined);
		return 0;
	}
	r = words_expand(text, env, &words, err);
	if (r < 0)
		return r;
	for (char **word = words; *word; word++)
		if (**word == '=' || !strchr(*word, '='))
			return malformed("must be KEY=VALUE", *word, err);
	env_merge(list, words);
	return 0;
}

static int change_env(struct image_config *config, const char *text, struct error *err)
{
	return change_pairs(&config->env, config->env, text, err);
}

static int change_label(struct image_config *config, const char *text, struct error *err)
{
	return change_pairs(&config->labels, config->env, text, err);
}

/* "80", "80/udp", "8000-8003/tcp". */
static int expose(struct image_config *config, const char *word, struct error *err)
{
	const char *slash = strchr(word, '/');
	const char *protocol = slash ? slash + 1 : "tcp";
	cleanup_free char *first_text = xstrndup(word, strcspn(word, "/"));
	char *dash = strchr(first_text, '-');
	uint64_t first, last;

	if (dash)
		*dash = '\0';
	if (parse_u64(first_text, 1, 65535, &first) < 0 ||
		parse_u64(dash ? dash + 1 : first_text, first, 65535, &last) < 0 ||
		(strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0 &&
			strcmp(protocol, "sctp") != 0))
		return malformed("invalid port", word, err);
	for (; first <= last; first++) {
		cleanup_free char *port = xasprintf("%llu/%s", (unsigned long long)first, protocol);

		add_once(&config->exposed_ports, port);
	}
	return 0;
}

static int change_expose(struct image_config *config, const char *text, struct error *err)
{
	cleanup_strv char **words = NULL;
	int r = words_expand(text, config->env, &words, err);

	for (char **word = words; r == 0 && *word; word++)
		r = expose(config, *word, err);
	return r;
}

static int change_volume(struct image_config *config, const char *text, struct error *err)
{
	cleanup_strv char **words = NULL;
	int r = parse_json_words(text, &words);

	if (r < 0)
		r = words_expand(text, config->env, &words, err);
	for (char **word = words; r == 0 && *word; word++) {
		if (**word != '/')
			return malformed("a volume is an absolute path", *word, err);
		add_once(&config->volumes, *word);
	}
	return r;
}

static int one_word(
	const struct image_config *config, const char *text, char ***ret, struct error *err)
{
	cleanup_strv char **words = NULL;
	int r = words_expand(text, config->env, &words, err);

	if (r < 0)
		return r;
	if (words[1] || !*words[0])
		return error_set(err, -EINVAL, "takes exactly one argument");
	*ret = steal_ptr(words);
	return 0;
}

static int change_user(struct image_config *config, const char *text, struct error *err)
{
	cleanup_strv char **words = NULL;
	int r = one_word(config, text, &words, err);

	if (r == 0)
		replace_string(&config->user, words[0]);
	return r;
}

static int change_stop_signal(struct image_config *config, const char *text, struct error *err)
{
	cleanup_strv char **words = NULL;
	int r = one_word(config, text, &words, err);

	if (r == 0)
		replace_string(&config->stop_signal, words[0]);
	return r;
}

/* A relative directory goes below the one before it. */
static int change_workdir(struct image_config *config, const char *text, struct error *err)
{
	cleanup_strv char **words = NULL;
	cleanup_free char *path = NULL;
	const char *before = config->working_dir ? config->working_dir : "/";
	int r = one_word(config, text, &words, err);

	if (r < 0)
		return r;
	path = *words[0] == '/' ? xstrdup(words[0])
				: xasprintf("%s%s%s", before,
					  before[strlen(before) - 1] == '/' ? "" : "/", words[0]);
	replace_string(&config->working_dir, path);
	return 0;
}

static const struct instruction_row {
	const char *name;
	int (*change)(struct image_config *config, const char *text, struct error *err);
} instructions[] = {
	{ "CMD", change_cmd },
	{ "ENTRYPOINT", change_entrypoint },
	{ "ENV", change_env },
	{ "EXPOSE", change_expose },
	{ "HEALTHCHECK", config_change_healthcheck },
	{ "LABEL", change_label },
	{ "STOPSIGNAL", change_stop_signal },
	{ "USER", change_user },
	{ "VOLUME", change_volume },
	{ "WORKDIR", change_workdir },
};

static const struct instruction_row *find_instruction(const char *line)
{
	size_t length = strcspn(line, " \t");

	for (size_t i = 0; i < ARRAY_LEN(instructions); i++)
		if (strlen(instructions[i].name) == length &&
			strncasecmp(instructions[i].name, line, length) == 0)
			return &instructions[i];
	return NULL;
}

int image_config_change(struct image_config *config, const char *line, struct error *err)
{
	const struct instruction_row *row;
	cleanup_free char *text = NULL;
	size_t length;
	int r;

	line += strspn(line, " \t");
	row = find_instruction(line);
	if (!row)
		return error_set(err, -EINVAL, "%.*s is not a valid change command",
			(int)strcspn(line, " \t"), line);
	line += strcspn(line, " \t");
	line += strspn(line, " \t");
	length = strlen(line);
	while (length > 0 && ascii_is_space(line[length - 1]))
		length--;
	text = xstrndup(line, length);
	if (!*text)
		return error_set(err, -EINVAL, "%s requires at least one argument", row->name);
	r = row->change(config, text, err);
	return r < 0 ? error_wrap(err, "%s", row->name) : 0;
}

int config_change_all(struct image_config *config, char *const *lines, struct error *err)
{
	bool has_cmd = false, has_entrypoint = false;

	for (char *const *line = lines; line && *line; line++) {
		const struct instruction_row *row = find_instruction(*line + strspn(*line, " \t"));
		int r = image_config_change(config, *line, err);

		if (r < 0)
			return r;
		has_cmd = has_cmd || row->change == change_cmd;
		has_entrypoint = has_entrypoint || row->change == change_entrypoint;
	}
	if (has_entrypoint && !has_cmd)
		replace_strv(&config->cmd, NULL);
	return 0;
}
