/* SPDX-License-Identifier: GPL-2.0-or-later
 * words.c - a Dockerfile's words, one character after the other. */
#include "engine/image/words.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "engine/base/ascii.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/base/strv.h"

struct words {
	const char *at;
	char *const *env; /* what variables expand to */
	struct strbuf word;
};

static int bad_substitution(const char *text, struct error *err)
{
	return error_set(err, -EINVAL, "bad substitution: '%.200s'", text);
}

static const char *variable_end(const char *s)
{
	while (ascii_is_alnum(*s) || *s == '_')
		s++;
	return s;
}

/* `at` is behind the '$'. Adds the value and moves on; a '$' before anything else stands for
 * itself. */
static int expand(struct words *words, struct error *err)
{
	bool braced = *words->at == '{';
	const char *start = words->at + braced;
	const char *end = variable_end(start);
	cleanup_free char *name = xstrndup(start, (size_t)(end - start));
	const char *value = env_get(words->env, name);
	const char *close = braced ? strchr(end, '}') : end;

	if (end == start && !braced) {
		strbuf_add_char(&words->word, '$');
		return 0;
	}
	if (!close || end == start)
		return bad_substitution(words->at - 1, err);
	if (braced && end != close) {
		bool is_set = value && *value;

		if (end[0] != ':' || (end[1] != '-' && end[1] != '+'))
			return bad_substitution(words->at - 1, err);
		if (is_set == (end[1] == '+')) {
			strbuf_add(&words->word, end + 2, (size_t)(close - end - 2));
			value = NULL;
		} else if (!is_set) {
			value = NULL;
		}
	}
	if (value)
		strbuf_add_str(&words->word, value);
	words->at = close + braced;
	return 0;
}

/* Does a backslash before `next` quote it? Inside "..." only what would be special there. */
static bool is_quoting(const char *next, char quote)
{
	if (!*next || quote == '\'')
		return false;
	return quote != '"' || strchr("\"$\\", *next);
}

/* 1 with a word in words->word, 0 at the end. */
static int next_word(struct words *words, struct error *err)
{
	char quote = '\0';
	bool any = false;

	strbuf_clear(&words->word);
	while (ascii_is_space(*words->at))
		words->at++;
	for (; *words->at && (quote || !ascii_is_space(*words->at));) {
		char c = *words->at++;
		int r = 0;

		any = true;
		if (c == quote)
			quote = '\0';
		else if (!quote && (c == '"' || c == '\''))
			quote = c;
		else if (c == '\\' && is_quoting(words->at, quote))
			strbuf_add_char(&words->word, *words->at++);
		else if (c == '$' && quote != '\'')
			r = expand(words, err);
		else
			strbuf_add_char(&words->word, c);
		if (r < 0)
			return r;
	}
	if (quote)
		return error_set(err, -EINVAL, "unterminated quote");
	return any;
}

int words_expand(const char *text, char *const *env, char ***ret, struct error *err)
{
	struct words words = { .at = text, .env = env };
	cleanup_strv char **list = NULL;
	int r;

	while ((r = next_word(&words, err)) > 0)
		strv_add(&list, strbuf_text(&words.word));
	strbuf_release(&words.word);
	if (r < 0)
		return r;
	if (!list)
		return error_set(err, -EINVAL, "an argument is missing");
	*ret = steal_ptr(list);
	return 0;
}
