/* SPDX-License-Identifier: GPL-2.0-or-later
 * template.c - parse "{{.Field}}" texts into segments, expand segments with an item. */
#include "cmd/template.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/escape.h"
#include "engine/base/ascii.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

enum segment_kind { SEGMENT_TEXT, SEGMENT_FIELD, SEGMENT_LABEL, SEGMENT_TAB };

struct segment;
typedef int (*segment_function)(const struct json *value, struct strbuf *out);

struct segment {
	enum segment_kind kind;
	char *text;		   /* TEXT; LABEL: the key; FIELD: "A.B", "" = the whole item */
	segment_function function; /* FIELD */
};

struct template
{
	struct segment *segments;
	size_t count;
};

/* How Go prints a value: strings bare, the rest as JSON. */
static int print_plain(const struct json *value, struct strbuf *out)
{
	cleanup_free char *text = NULL;

	if (json_string(value)) {
		escape_add(out, json_string(value), "\n\t");
		return 0;
	}
	text = value && !json_is_null(value) ? json_print_go(value) : xstrdup("<nil>");
	strbuf_add_str(out, text);
	return 0;
}

static int print_json(const struct json *value, struct strbuf *out)
{
	cleanup_free char *text = value ? json_print_go(value) : xstrdup("null");

	strbuf_add_str(out, text);
	return 0;
}

static int print_mapped(const struct json *value, struct strbuf *out, char (*map)(char c))
{
	size_t start = out->length;

	print_plain(value, out);
	for (size_t i = start; i < out->length; i++)
		out->data[i] = map(out->data[i]);
	return 0;
}

static int print_upper(const struct json *value, struct strbuf *out)
{
	return print_mapped(value, out, ascii_to_upper);
}

static int print_lower(const struct json *value, struct strbuf *out)
{
	return print_mapped(value, out, ascii_to_lower);
}

static int print_title(const struct json *value, struct strbuf *out)
{
	size_t start = out->length;

	print_plain(value, out);
	if (out->length > start)
		out->data[start] = ascii_to_upper(out->data[start]);
	return 0;
}

static int print_length(const struct json *value, struct strbuf *out)
{
	const char *text = json_string(value);

	strbuf_addf(out, "%zu", text ? strlen(text) : json_count(value));
	return 0;
}

static const struct {
	const char *name;
	segment_function function;
} functions[] = {
	{ "json", print_json },
	{ "upper", print_upper },
	{ "lower", print_lower },
	{ "title", print_title },
	{ "len", print_length },
};

static struct segment *add_segment(struct template *template, enum segment_kind kind, char *text)
{
	struct segment *segment = array_add(template->segments, template->count);

	segment->kind = kind;
	segment->text = text;
	return segment;
}

/* Literal text, its tabs apart: they part a table's columns. */
static void add_text(struct template *template, const char *text, size_t length)
{
	cleanup_strbuf struct strbuf part = STRBUF_INIT;

	for (size_t i = 0; i < length; i++) {
		char c = text[i];

		if (c == '\\' && i + 1 < length && strchr("tn\\", text[i + 1])) {
			c = text[++i];
			c = c == 't' ? '\t' : c == 'n' ? '\n' : '\\';
		}
		if (c != '\t') {
			strbuf_add_char(&part, c);
			continue;
		}
		if (part.length)
			add_segment(template, SEGMENT_TEXT, strbuf_steal(&part));
		add_segment(template, SEGMENT_TAB, NULL);
	}
	if (part.length)
		add_segment(template, SEGMENT_TEXT, strbuf_steal(&part));
}

static bool is_path(const char *word)
{
	if (word[0] != '.')
		return false;
	for (const char *c = word; *c; c++)
		if (!ascii_is_alnum(*c) && *c != '_' && *c != '.')
			return false;
	return !strstr(word, "..") && (word[1] == '\0' || word[strlen(word) - 1] != '.');
}

/* "key" in double quotes, or NULL. Heap. */
static char *quoted_word(const char *word)
{
	size_t length = strlen(word);

	if (length < 2 || (word[0] != '"' && word[0] != '`') || word[length - 1] != word[0])
		return NULL;
	return xstrndup(word + 1, length - 2);
}

/* What stands between {{ and }}. */
static int add_action(struct template *template, const char *action, struct error *err)
{
	cleanup_strv char **words = strv_split(action, " \t\n");
	size_t count = strv_length(words);

	if (count == 1 && !strcmp(words[0], "println")) {
		add_segment(template, SEGMENT_TEXT, xstrdup("\n"));
		return 0;
	}
	if (count == 1 && is_path(words[0])) {
		add_segment(template, SEGMENT_FIELD, xstrdup(words[0] + 1))->function = print_plain;
		return 0;
	}
	if (count == 2 && !strcmp(words[0], ".Label")) {
		char *key = quoted_word(words[1]);

		if (key) {
			add_segment(template, SEGMENT_LABEL, key);
			return 0;
		}
	}
	for (size_t i = 0; count == 2 && is_path(words[1]) && i < ARRAY_LEN(functions); i++) {
		if (!strcmp(words[0], functions[i].name)) {
			add_segment(template, SEGMENT_FIELD, xstrdup(words[1] + 1))->function =
				functions[i].function;
			return 0;
		}
	}
	return error_set(err, -EINVAL, "template: \"{{%s}}\" is not supported", action);
}

/* "{{- x -}}" eats the blanks before and after it. */
static const char *trim_right(const char *begin, const char *end, bool wanted)
{
	while (wanted && end > begin && ascii_is_space(end[-1]))
		end--;
	return end;
}

int template_parse(const char *text, struct template **ret, struct error *err)
{
	struct template *template = xcalloc(1, sizeof(*template));
	int r = 0;

	while (r == 0 && *text) {
		const char *open = strstr(text, "{{"), *close = open ? strstr(open, "}}") : NULL;
		cleanup_free char *action = NULL;
		bool trims_before, trims_after;
		const char *begin, *end;

		if (!open) {
			add_text(template, text, strlen(text));
			break;
		}
		if (!close) {
			r = error_set(err, -EINVAL, "template: unclosed action in \"%s\"", text);
			break;
		}
		begin = open + 2;
		end = close;
		trims_before = begin[0] == '-' && ascii_is_space(begin[1]);
		trims_after = end - begin > 2 && end[-1] == '-' && ascii_is_space(end[-2]);
		add_text(template, text, (size_t)(trim_right(text, open, trims_before) - text));
		action = xstrndup(
			begin + trims_before, (size_t)(end - begin) - trims_before - trims_after);
		r = add_action(template, action, err);
		text = close + 2;
		while (trims_after && ascii_is_space(*text))
			text++;
	}
	if (r < 0) {
		template_free(template);
		return r;
	}
	*ret = template;
	return 0;
}

void template_free(struct template *template)
{
	if (!template)
		return;
	for (size_t i = 0; i < template->count; i++)
		free(template->segments[i].text);
	free(template->segments);
	free(template);
}

size_t template_columns(const struct template *template)
{
	size_t columns = 1;

	for (size_t i = 0; i < template->count; i++)
		columns += template->segments[i].kind == SEGMENT_TAB;
	return columns;
}

static int find_value(
	const struct json *item, const char *path, const struct json **ret, struct error *err)
{
	cleanup_strv char **names = strv_split(path, ".");
	const struct json *value = item;

	for (size_t i = 0; i < strv_length(names); i++) {
		value = json_get(value, names[i]);
		if (!value)
			return error_set(
				err, -EINVAL, "template: can't evaluate field %s", names[i]);
	}
	*ret = value;
	return 0;
}

static int expand_segment(const struct segment *segment, const struct format_item *item,
	struct strbuf *out, struct error *err)
{
	const struct json *value = NULL;
	int r;

	switch (segment->kind) {
	case SEGMENT_TEXT:
		strbuf_add_str(out, segment->text);
		break;
	case SEGMENT_LABEL:
		escape_add(out,
			env_get(item->labels, segment->text) ? env_get(item->labels, segment->text)
							     : "",
			"");
		break;
	case SEGMENT_FIELD:
		r = find_value(item->fields, segment->text, &value, err);
		return r < 0 ? r : segment->function(value, out);
	case SEGMENT_TAB:
		break;
	}
	return 0;
}

int template_expand_column(const struct template *template, size_t column,
	const struct format_item *item, struct strbuf *out, struct error *err)
{
	size_t at = 0;

	for (size_t i = 0; i < template->count; i++) {
		int r;

		at += template->segments[i].kind == SEGMENT_TAB;
		if (at != column)
			continue;
		r = expand_segment(&template->segments[i], item, out, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static const char *header_of(const struct format_column *columns, const char *field)
{
	for (; columns->field; columns++)
		if (!strcmp(columns->field, field))
			return columns->header;
	return field;
}

void template_header(const struct template *template, size_t column,
	const struct format_column *columns, struct strbuf *out)
{
	size_t at = 0;

	for (size_t i = 0; i < template->count; i++) {
		const struct segment *segment = &template->segments[i];

		at += segment->kind == SEGMENT_TAB;
		if (at != column || segment->kind == SEGMENT_TAB)
			continue;
		if (segment->kind == SEGMENT_FIELD)
			strbuf_add_str(out, header_of(columns, segment->text));
		else
			strbuf_add_str(out, segment->text);
	}
}
