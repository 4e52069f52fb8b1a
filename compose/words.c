/* SPDX-License-Identifier: GPL-2.0-or-later
 * words.c - split a string into words. */
#include "compose/words.h"

#include <errno.h>
#include <string.h>

#include "engine/base/ascii.h"
#include "engine/base/strbuf.h"

/* What the text is inside of. Blanks and operators count in none of these; backquotes and $( ) stay
 * part of the word. */
enum quote { QUOTE_NONE, QUOTE_SINGLE, QUOTE_DOUBLE, QUOTE_BACK, QUOTE_PARENTHESIS };

struct splitter {
	struct arena *arena;
	struct node *list;
	struct mark mark;
	struct strbuf word;
	bool in_word;
	enum quote quote;
};

static void end_word(struct splitter *s)
{
	if (s->in_word)
		node_append(s->arena, s->list, NULL, s->mark,
			node_string(s->arena, strbuf_text(&s->word), s->mark));
	strbuf_clear(&s->word);
	s->in_word = false;
}

static void add_char(struct splitter *s, char c)
{
	strbuf_add_char(&s->word, c);
	s->in_word = true;
}

/* Enter or leave a quote whose marks are no part of the word. */
static bool toggle_quote(struct splitter *s, char c)
{
	enum quote quote = c == '\'' ? QUOTE_SINGLE : QUOTE_DOUBLE;

	if ((c != '\'' && c != '"') || (s->quote != QUOTE_NONE && s->quote != quote))
		return false;
	s->quote = s->quote == quote ? QUOTE_NONE : quote;
	s->in_word = true;
	return true;
}

/* Backquotes and parentheses. */
static int take_bracket(struct splitter *s, char c)
{
	if (c == '`' && (s->quote == QUOTE_NONE || s->quote == QUOTE_BACK))
		s->quote = s->quote == QUOTE_BACK ? QUOTE_NONE : QUOTE_BACK;
	if (c == '(' && s->quote == QUOTE_NONE) {
		if (s->word.length == 0 || s->word.data[s->word.length - 1] != '$')
			return -EINVAL;
		s->quote = QUOTE_PARENTHESIS;
	} else if (c == ')' && s->quote == QUOTE_PARENTHESIS) {
		s->quote = QUOTE_NONE;
	} else if (c == ')' && s->quote == QUOTE_NONE) {
		return -EINVAL;
	}
	add_char(s, c);
	return 0;
}

static int split(struct splitter *s, const char *text, const char **ret_rest)
{
	for (const char *p = text; *p; p++) {
		if (*p == '\\' && s->quote != QUOTE_SINGLE) {
			if (!p[1])
				return -EINVAL;
			add_char(s, *++p);
		} else if (strchr(" \t\r\n", *p) && s->quote == QUOTE_NONE) {
			end_word(s);
		} else if (strchr(";&|<>", *p) && s->quote == QUOTE_NONE) {
			/* "2>": the number is part of the operator */
			if (*p == '>' && s->word.length > 0 && ascii_is_digit(s->word.data[0]))
				s->in_word = false;
			*ret_rest = p;
			break;
		} else if (strchr("`()", *p)) {
			if (take_bracket(s, *p) < 0)
				return -EINVAL;
		} else if (!toggle_quote(s, *p)) {
			add_char(s, *p);
		}
	}
	end_word(s);
	return s->quote == QUOTE_NONE ? 0 : -EINVAL;
}

int words_split_command(
	struct arena *arena, const struct node *text, struct node *list, const char **ret_rest)
{
	struct splitter s = { .arena = arena, .list = list, .mark = text->mark };
	int r;

	*ret_rest = NULL;
	r = split(&s, text->text, ret_rest);
	strbuf_release(&s.word);
	return r;
}
