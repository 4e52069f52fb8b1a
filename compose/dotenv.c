/* SPDX-License-Identifier: GPL-2.0-or-later
 * dotenv.c - parse .env files. */
#include "compose/dotenv.h"

#include <errno.h>
#include <string.h>

#include "compose/interpolate.h"
#include "engine/base/ascii.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"

struct dotenv {
	struct interpolation in;
	struct arena *arena;
	struct problems *problems;
	struct strmap *variables;
	const char *file;
	const char *start; /* of the text */
	const char *s;	   /* what is read next */
	const char *end;
};

static int refuse(struct dotenv *d, const char *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(struct dotenv *d, const char *at, const char *fmt, ...)
{
	struct mark mark = { d->file, 1, 1 };
	va_list ap;
	char *text;

	for (const char *s = d->start; s < at; s++) {
		mark.line += *s == '\n';
		mark.column = *s == '\n' ? 1 : mark.column + 1;
	}
	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	problems_add(d->problems, &mark, NULL, "%s", text);
	free(text);
	return -EINVAL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r';
}

static void skip_blanks(struct dotenv *d)
{
	while (d->s < d->end && is_blank(*d->s))
		d->s++;
}

/* To the first character of the next statement: past blank lines and comments. */
static bool next_statement(struct dotenv *d)
{
	while (d->s < d->end) {
		if (*d->s == '#') {
			while (d->s < d->end && *d->s != '\n')
				d->s++;
		} else if (is_blank(*d->s) || *d->s == '\n') {
			d->s++;
		} else {
			return true;
		}
	}
	return false;
}

static bool is_key_char(char c)
{
	return ascii_is_alnum(c) || strchr("_.-[]", c);
}

/* Read the key and what ends it; *ret_is_bare when that is the end of the line. */
static int read_key(struct dotenv *d, const char **ret_key, bool *ret_is_bare)
{
	const char *start, *key_end;

	if (d->end - d->s > 7 && strncmp(d->s, "export", 6) == 0 && is_blank(d->s[6])) {
		d->s += 6;
		skip_blanks(d);
	}
	start = key_end = d->s;
	for (; d->s < d->end && *d->s != '=' && *d->s != ':' && *d->s != '\n'; d->s++) {
		if (is_blank(*d->s))
			continue;
		if (*d->s == '\0' || !is_key_char(*d->s))
			return refuse(d, d->s, "unexpected character \"%c\" in variable name",
				ascii_is_print(*d->s) ? *d->s : '?');
		if (key_end != d->s)
			return refuse(d, start, "key cannot contain a space");
		key_end = d->s + 1;
	}
	if (key_end == start)
		return refuse(d, start, "a variable name is missing before the \"%c\"",
			d->s < d->end ? *d->s : '=');
	*ret_is_bare = d->s >= d->end || *d->s == '\n';
	*ret_key = arena_strndup(d->arena, start, (size_t)(key_end - start));
	if (d->s < d->end)
		d->s++;
	return 0;
}

static int expand(struct dotenv *d, const char *at, const char *text, const char **ret)
{
	const char *problem;

	if (interpolate_text(&d->in, text, ret, &problem) < 0)
		return refuse(d, at, "%s", problem);
	return 0;
}

static int read_unquoted(struct dotenv *d, const char **ret)
{
	const char *start = d->s;
	const char *stop = memchr(start, '\n', (size_t)(d->end - start));
	const char *comment;

	if (!stop)
		stop = d->end;
	d->s = stop;
	comment = memmem(start, (size_t)(stop - start), " #", 2);
	if (comment)
		stop = comment;
	while (stop > start && is_blank(stop[-1]))
		stop--;
	return expand(d, start, arena_strndup(d->arena, start, (size_t)(stop - start)), ret);
}

/* The escapes of double quotes. \$ becomes $$, which the expansion that follows turns into a
 * literal $. */
static const char *expand_escapes(struct arena *arena, const char *text)
{
	static const char from[] = "abfnrtv\\\"", to[] = "\a\b\f\n\r\t\v\\\"";
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	for (const char *s = text; *s; s++) {
		const char *known = *s == '\\' && s[1] ? strchr(from, s[1]) : NULL;
		unsigned int octal = 0;

		if (*s == '\\' && s[1] == '$') {
			strbuf_add_str(&out, "$$");
			s++;
		} else if (known) {
			strbuf_add_char(&out, to[known - from]);
			s++;
		} else if (*s == '\\' && s[1] == '0') {
			/* \0 and three digits are an octal number; with fewer only the 0 goes. */
			if (strspn(s + 2, "01234567") >= 3) {
				for (int i = 2; i < 5; i++)
					octal = octal * 8 + (unsigned int)(s[i] - '0');
				s += 4;
				if (octal > 0 && octal < 256)
					strbuf_add_char(&out, (char)octal);
			} else {
				strbuf_add_char(&out, '\\');
				s++;
			}
		} else {
			strbuf_add_char(&out, *s);
		}
	}
	return arena_strdup(arena, strbuf_text(&out));
}

static int read_quoted(struct dotenv *d, const char **ret)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const char *start = d->s;
	char quote = *d->s++;

	for (; d->s < d->end && *d->s != quote; d->s++) {
		if (*d->s == '\\' && d->s + 1 < d->end) {
			/* Only the quote itself loses its backslash here. */
			if (d->s[1] != quote)
				strbuf_add_char(&text, '\\');
			d->s++;
		}
		strbuf_add_char(&text, *d->s);
	}
	if (d->s >= d->end)
		return refuse(d, start, "unterminated quoted value");
	d->s++;
	if (quote == '\'') {
		*ret = arena_strdup(d->arena, strbuf_text(&text));
		return 0;
	}
	return expand(d, start, expand_escapes(d->arena, strbuf_text(&text)), ret);
}

static int read_value(struct dotenv *d, const char **ret)
{
	skip_blanks(d);
	if (d->s < d->end && (*d->s == '"' || *d->s == '\''))
		return read_quoted(d, ret);
	return read_unquoted(d, ret);
}

static int read_statement(struct dotenv *d)
{
	const char *key = NULL, *value = NULL;
	bool is_bare = false;
	int r = read_key(d, &key, &is_bare);

	if (r < 0)
		return r;
	if (is_bare) {
		value = strmap_get(d->in.environment, key);
		if (value)
			strmap_set(d->variables, key, (void *)value);
		return 0;
	}
	r = read_value(d, &value);
	if (r < 0)
		return r;
	strmap_set(d->variables, key, (void *)value);
	return 0;
}

static size_t skip_bom(const char *text, size_t length)
{
	return length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

static int check_nul(struct dotenv *d)
{
	const char *nul = memchr(d->s, '\0', (size_t)(d->end - d->s));

	return nul ? refuse(d, nul, "a value must not hold a NUL character") : 0;
}

int dotenv_parse(struct arena *arena, const char *file, const char *text, size_t length,
	const struct strmap *environment, struct strmap *variables, struct strmap *unset,
	struct problems *problems)
{
	struct dotenv d = {
		.in = { .arena = arena,
			.environment = environment,
			.fallback = variables,
			.unset = unset },
		.arena = arena,
		.problems = problems,
		.variables = variables,
		.file = file,
		.start = text,
		.s = text + skip_bom(text, length),
		.end = text + length,
	};
	int r;

	problems_add_source(problems, file, text, length);
	r = check_nul(&d);
	while (r == 0 && next_statement(&d))
		r = read_statement(&d);
	return r;
}

int dotenv_parse_raw(struct arena *arena, const char *file, const char *text, size_t length,
	struct strmap *variables, struct problems *problems)
{
	struct dotenv d = {
		.arena = arena,
		.problems = problems,
		.file = file,
		.start = text,
		.s = text + skip_bom(text, length),
		.end = text + length,
	};
	int r;

	problems_add_source(problems, file, text, length);
	r = check_nul(&d);
	while (r == 0 && next_statement(&d)) {
		const char *line = d.s;
		const char *stop = memchr(line, '\n', (size_t)(d.end - line));
		const char *equals;

		d.s = stop ? stop : d.end;
		stop = d.s > line && d.s[-1] == '\r' ? d.s - 1 : d.s;
		equals = memchr(line, '=', (size_t)(stop - line));
		if (!equals || equals == line)
			return refuse(&d, line, "KEY=value is needed");
		strmap_set(variables, arena_strndup(arena, line, (size_t)(equals - line)),
			arena_strndup(arena, equals + 1, (size_t)(stop - equals - 1)));
	}
	return r;
}
