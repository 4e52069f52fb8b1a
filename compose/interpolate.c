/* SPDX-License-Identifier: GPL-2.0-or-later
 * interpolate.c - expand variables in texts and trees. */
#include "compose/interpolate.h"

#include <errno.h>
#include <string.h>

#include "engine/base/ascii.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"

/* A piece of the text being expanded; not NUL-terminated. */
struct span {
	const char *start;
	const char *end;
};

struct expansion {
	struct interpolation *in;
	const char *problem;
	unsigned int depth;
};

static int expand(struct expansion *x, struct span text, struct strbuf *out);

static int invalid(struct expansion *x, struct span text)
{
	x->problem = arena_printf(x->in->arena,
		"invalid interpolation format: You may need to escape any $ with another $: %.*s",
		(int)(text.end - text.start > 200 ? 200 : text.end - text.start), text.start);
	return -EINVAL;
}

static const char *skip_name(const char *s, const char *end)
{
	if (s == end || !(ascii_is_alpha(*s) || *s == '_'))
		return s;
	while (s < end && (ascii_is_alnum(*s) || *s == '_'))
		s++;
	return s;
}

static const char *look_up(const struct interpolation *in, const char *name)
{
	const char *value = strmap_get(in->environment, name);

	if (!value && in->fallback)
		value = strmap_get(in->fallback, name);
	return value;
}

/* The brace that closes the one at `open`: by balance, or the last one when the text between is not
 * balanced. */
static const char *closing_brace(const char *open, const char *end)
{
	const char *last = NULL;
	size_t depth = 0;

	for (const char *s = open; s < end; s++) {
		if (*s == '{')
			depth++;
		if (*s != '}')
			continue;
		last = s;
		if (--depth == 0)
			return s;
	}
	return last;
}

enum operator_kind { OP_NONE, OP_DEFAULT, OP_REQUIRED, OP_ALTERNATE };

static const struct {
	const char *text;
	enum operator_kind kind;
	bool empty_is_unset;
} operators[] = {
	{ ":-", OP_DEFAULT, true },
	{ "-", OP_DEFAULT, false },
	{ ":?", OP_REQUIRED, true },
	{ "?", OP_REQUIRED, false },
	{ ":+", OP_ALTERNATE, true },
	{ "+", OP_ALTERNATE, false },
};

static void note_variable(
	struct interpolation *in, const char *name, enum operator_kind kind, struct span argument)
{
	struct variable *variable;
	const char *text;

	if (!in->wants_variables)
		return;
	text = arena_strndup(in->arena, argument.start, (size_t)(argument.end - argument.start));
	variable = arena_array_add(in->arena, in->variables, in->variable_count);
	variable->name = name;
	variable->is_required = kind == OP_REQUIRED;
	variable->default_value = kind == OP_DEFAULT ? text : NULL;
	variable->alternate_value = kind == OP_ALTERNATE ? text : NULL;
}

static int add_value(struct expansion *x, struct strbuf *out, const char *value)
{
	strbuf_add_str(out, value);
	if (out->length <= INTERPOLATE_SIZE_LIMIT)
		return 0;
	x->problem = "the value grows beyond 4 MiB by interpolation";
	return -EINVAL;
}

static int expand_plain(struct expansion *x, const char *name, struct strbuf *out)
{
	const char *value = look_up(x->in, name);

	note_variable(x->in, name, OP_NONE, (struct span){ "", "" });
	if (!value && x->in->unset && !x->in->wants_variables)
		strmap_set(x->in->unset, name, x->in);
	return add_value(x, out, value ? value : "");
}

static int expand_operator(
	struct expansion *x, const char *name, size_t op, struct span argument, struct strbuf *out)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const char *value = look_up(x->in, name);
	bool is_set = value && !(operators[op].empty_is_unset && *value == '\0');
	int r;

	note_variable(x->in, name, operators[op].kind, argument);
	r = expand(x, argument, &text);
	if (r < 0)
		return r;
	switch (operators[op].kind) {
	case OP_DEFAULT:
		return add_value(x, out, is_set ? value : strbuf_text(&text));
	case OP_ALTERNATE:
		return add_value(x, out, is_set ? strbuf_text(&text) : "");
	default:
		if (is_set || x->in->wants_variables)
			return add_value(x, out, is_set ? value : "");
		x->problem =
			arena_printf(x->in->arena, "required variable %s is missing a value%s%s",
				name, text.length > 0 ? ": " : "", strbuf_text(&text));
		return -EINVAL;
	}
}

/* `s` is at the "{"; *ret_end is set behind the "}". */
static int expand_braced(struct expansion *x, const char *s, struct span text, struct strbuf *out,
	const char **ret_end)
{
	const char *close = closing_brace(s, text.end);
	const char *name_end = close ? skip_name(s + 1, close) : s;
	const char *name;

	if (!close || name_end == s + 1 || memchr(s, '\n', (size_t)(close - s)))
		return invalid(x, text);
	*ret_end = close + 1;
	name = arena_strndup(x->in->arena, s + 1, (size_t)(name_end - s - 1));
	if (name_end == close)
		return expand_plain(x, name, out);
	for (size_t op = 0; op < ARRAY_LEN(operators); op++) {
		size_t length = strlen(operators[op].text);

		if ((size_t)(close - name_end) >= length &&
			strncmp(name_end, operators[op].text, length) == 0)
			return expand_operator(
				x, name, op, (struct span){ name_end + length, close }, out);
	}
	return invalid(x, text);
}

static int expand(struct expansion *x, struct span text, struct strbuf *out)
{
	const char *s = text.start;
	int r = 0;

	if (++x->depth > INTERPOLATE_DEPTH_LIMIT) {
		x->problem = "interpolation nests too deeply";
		return -EINVAL;
	}
	while (s < text.end && r == 0) {
		const char *dollar = memchr(s, '$', (size_t)(text.end - s));
		const char *name_end;

		strbuf_add(out, s, (size_t)((dollar ? dollar : text.end) - s));
		if (!dollar)
			break;
		s = dollar + 1;
		if (s < text.end && *s == '$') {
			strbuf_add_char(out, '$');
			s++;
			continue;
		}
		if (s < text.end && *s == '{') {
			r = expand_braced(x, s, text, out, &s);
			continue;
		}
		name_end = skip_name(s, text.end);
		if (name_end == s) {
			strbuf_add_char(out, '$');
			continue;
		}
		r = expand_plain(x, arena_strndup(x->in->arena, s, (size_t)(name_end - s)), out);
		s = name_end;
	}
	x->depth--;
	return r;
}

int interpolate_text(
	struct interpolation *in, const char *text, const char **ret, const char **ret_problem)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct expansion x = { .in = in };
	int r;

	if (!strchr(text, '$')) {
		*ret = text;
		return 0;
	}
	r = expand(&x, (struct span){ text, text + strlen(text) }, &out);
	if (r < 0) {
		*ret_problem = x.problem;
		return r;
	}
	*ret = arena_strndup(in->arena, strbuf_text(&out), out.length);
	return 0;
}

void interpolate_tree(struct interpolation *in, struct node *node, const struct path *path,
	struct problems *problems)
{
	const char *problem;

	if (node->kind == NODE_STRING) {
		const char *text = node->text;

		if (interpolate_text(in, text, &node->text, &problem) < 0)
			problems_add(
				problems, &node->mark, path_text(path, in->arena), "%s", problem);
		return;
	}
	for (size_t i = 0; i < node->count; i++) {
		struct path below = { path, node->entries[i].key, i };

		interpolate_tree(in, node->entries[i].value, &below, problems);
	}
}
