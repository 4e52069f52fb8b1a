/* SPDX-License-Identifier: GPL-2.0-or-later
 * print_yaml.c - nodes as block-style YAML.
 *
 * libyaml's emitter cannot indent list items under their key, which is the form users of Compose
 * know; hence a writer of our own, whose quoting follows the emitter's rules. */
#include "compose/print.h"

#include <string.h>

#include "compose/scalar.h"

#define SIMPLE_KEY_LIMIT 128

enum style { STYLE_PLAIN, STYLE_SINGLE, STYLE_DOUBLE, STYLE_LITERAL };

/* Decode one UTF-8 sequence; the texts were checked when they were read. */
static unsigned int next_char(const unsigned char **s)
{
	const unsigned char *p = *s;
	size_t extra = *p >= 0xf0 ? 3 : *p >= 0xe0 ? 2 : *p >= 0xc0 ? 1 : 0;
	unsigned int c = extra == 0 ? *p : *p & (0x3fu >> extra);

	for (size_t i = 1; i <= extra && (p[i] & 0xc0) == 0x80; i++) {
		c = c << 6 | (p[i] & 0x3f);
		*s = p + i;
	}
	*s += 1;
	return c;
}

static bool is_printable(unsigned int c)
{
	return c == '\n' || (c >= 0x20 && c <= 0x7e) || c == 0x85 || (c >= 0xa0 && c <= 0xd7ff) ||
	       (c >= 0xe000 && c <= 0xfffd && c != 0xfeff);
}

static bool has_special_chars(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	while (*s) {
		unsigned int c = next_char(&s);

		/* Breaks other than \n are kept only by escaping them. */
		if ((!is_printable(c) && c != '\t') || c == 0x85 || c == 0x2028 || c == 0x2029)
			return true;
	}
	return false;
}

/* May the text stand without quotes in a block mapping or list? */
static bool is_plain_safe(const char *text)
{
	size_t length = strlen(text);

	if (strchr("#,[]{}&*!|>'\"%@`", text[0]) || text[0] == ' ' || text[length - 1] == ' ')
		return false;
	if ((text[0] == '-' || text[0] == '?' || text[0] == ':') &&
		(text[1] == ' ' || text[1] == '\0'))
		return false;
	if (strncmp(text, "---", 3) == 0 || strncmp(text, "...", 3) == 0)
		return false;
	if (text[length - 1] == ':' || strstr(text, ": ") || strstr(text, " #"))
		return false;
	return true;
}

static enum style choose_style(const char *text, bool is_key)
{
	bool is_multiline = strchr(text, '\n') != NULL;

	if (!*text || has_special_chars(text) || (is_multiline && is_key))
		return STYLE_DOUBLE;
	/* A literal block cannot hold blanks before a break or at the end, and needs something that
	 * is no break. */
	if (is_multiline)
		return strstr(text, " \n") || strstr(text, "\t\n") ||
				       text[strlen(text) - 1] == ' ' ||
				       text[strspn(text, "\n")] == '\0' || text[0] == '\t'
			       ? STYLE_DOUBLE
			       : STYLE_LITERAL;
	if (strchr(text, '\t') || (strcmp(text, "<<") == 0 ? is_key : scalar_needs_quotes(text)))
		return STYLE_DOUBLE;
	return is_plain_safe(text) ? STYLE_PLAIN : STYLE_SINGLE;
}

static void add_double_quoted(struct strbuf *out, const char *text)
{
	static const char named[] = "\a\b\t\n\v\f\r\x1b\"\\", names[] = "abtnvfre\"\\";
	const unsigned char *s = (const unsigned char *)text;

	strbuf_add_char(out, '"');
	while (*s) {
		const unsigned char *start = s;
		unsigned int c = next_char(&s);
		const char *known = c < 0x80 ? strchr(named, (int)c) : NULL;

		if (known)
			strbuf_addf(out, "\\%c", names[known - named]);
		else if (c == 0x85 || c == 0x2028 || c == 0x2029)
			strbuf_addf(out, "\\%c", c == 0x85 ? 'N' : c == 0x2028 ? 'L' : 'P');
		else if (is_printable(c))
			strbuf_add(out, start, (size_t)(s - start));
		else if (c <= 0xff)
			strbuf_addf(out, "\\x%02X", c);
		else if (c <= 0xffff)
			strbuf_addf(out, "\\u%04X", c);
		else
			strbuf_addf(out, "\\U%08X", c);
	}
	strbuf_add_char(out, '"');
}

static void add_single_quoted(struct strbuf *out, const char *text)
{
	strbuf_add_char(out, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			strbuf_add_char(out, '\'');
		strbuf_add_char(out, *text);
	}
	strbuf_add_char(out, '\'');
}

/* | with an indentation hint when the first line is itself indented, - or + for the breaks at the
 * end. */
static void add_literal(struct strbuf *out, const char *text, unsigned int indent)
{
	size_t length = strlen(text);
	const char *chomp = text[length - 1] != '\n'		     ? "-"
			    : length > 1 && text[length - 2] == '\n' ? "+"
								     : "";

	strbuf_addf(out, "|%s%s", text[0] == ' ' || text[0] == '\n' ? "2" : "", chomp);
	while (*text) {
		size_t line = strcspn(text, "\n");

		strbuf_add_char(out, '\n');
		if (line > 0) {
			strbuf_add_spaces(out, indent);
			strbuf_add(out, text, line);
		}
		text += line;
		text += *text == '\n';
	}
}

static void add_string(struct strbuf *out, const char *text, unsigned int indent, bool is_key)
{
	switch (choose_style(text, is_key)) {
	case STYLE_PLAIN:
		strbuf_add_str(out, text);
		break;
	case STYLE_SINGLE:
		add_single_quoted(out, text);
		break;
	case STYLE_DOUBLE:
		add_double_quoted(out, text);
		break;
	case STYLE_LITERAL:
		add_literal(out, text, indent);
		break;
	}
}

static void add_scalar(struct strbuf *out, const struct node *node, unsigned int indent)
{
	char buf[40];

	switch (node->kind) {
	case NODE_NULL:
		strbuf_add_str(out, "null");
		break;
	case NODE_BOOL:
		strbuf_add_str(out, node->boolean ? "true" : "false");
		break;
	case NODE_INT:
		strbuf_add_i64(out, node->integer);
		break;
	case NODE_FLOAT:
		format_go_float(node->real, buf);
		strbuf_add_str(out, strcmp(buf, "+Inf") == 0   ? ".inf"
				    : strcmp(buf, "-Inf") == 0 ? "-.inf"
				    : strcmp(buf, "NaN") == 0  ? ".nan"
				    : strcmp(buf, "-0") == 0   ? "-0.0" /* -0 is the integer 0 */
							       : buf);
		break;
	default:
		add_string(out, node->text, indent, false);
		break;
	}
}

static void add_node(
	struct strbuf *out, const struct node *node, unsigned int indent, bool on_line);

static bool is_block(const struct node *node)
{
	return !node_is_scalar(node) && node->count > 0;
}

static void add_key(struct strbuf *out, const char *key, unsigned int indent)
{
	if (strlen(key) <= SIMPLE_KEY_LIMIT && !strchr(key, '\n')) {
		add_string(out, key, 0, true);
		strbuf_add_char(out, ':');
		return;
	}
	strbuf_add_str(out, "? ");
	add_string(out, key, 0, true);
	strbuf_add_char(out, '\n');
	strbuf_add_spaces(out, indent);
	strbuf_add_char(out, ':');
}

static void add_entry(
	struct strbuf *out, const char *key, const struct node *value, unsigned int indent)
{
	add_key(out, key, indent);
	strbuf_add_char(out, is_block(value) ? '\n' : ' ');
	add_node(out, value, indent + 2, !is_block(value));
}

static void add_mapping(
	struct strbuf *out, const struct node *node, unsigned int indent, bool on_line)
{
	for (size_t i = 0; i < node->count; i++) {
		if (i > 0 || !on_line)
			strbuf_add_spaces(out, indent);
		add_entry(out, node->entries[i].key, node->entries[i].value, indent);
	}
}

static void add_sequence(
	struct strbuf *out, const struct node *node, unsigned int indent, bool on_line)
{
	for (size_t i = 0; i < node->count; i++) {
		if (i > 0 || !on_line)
			strbuf_add_spaces(out, indent);
		strbuf_add_str(out, "- ");
		add_node(out, node->entries[i].value, indent + 2, true);
	}
}

/* Ends with a newline. `on_line`: the cursor stands where the first thing goes already. */
static void add_node(struct strbuf *out, const struct node *node, unsigned int indent, bool on_line)
{
	if (!is_block(node)) {
		if (node_is_scalar(node))
			add_scalar(out, node, indent);
		else
			strbuf_add_str(out, node->kind == NODE_MAPPING ? "{}" : "[]");
		strbuf_add_char(out, '\n');
	} else if (node->kind == NODE_MAPPING) {
		add_mapping(out, node, indent, on_line);
	} else {
		add_sequence(out, node, indent, on_line);
	}
}

void print_yaml(const struct node *node, struct strbuf *out)
{
	add_node(out, node, 0, false);
}

static unsigned int begin_line(struct printer *printer)
{
	unsigned int indent = (printer->depth - 1) * 2;

	strbuf_add_spaces(printer->out, indent);
	return indent;
}

static void open_mapping(struct printer *printer, const char *key)
{
	if (key) {
		add_key(printer->out, key, begin_line(printer));
		strbuf_add_char(printer->out, '\n');
	}
	printer->depth++;
}

static void add_whole_entry(struct printer *printer, const char *key, const struct node *value)
{
	add_entry(printer->out, key, value, begin_line(printer));
}

static void close_mapping(struct printer *printer)
{
	printer->depth--;
}

const struct print_format print_format_yaml = { open_mapping, add_whole_entry, close_mapping };
