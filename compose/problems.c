/* SPDX-License-Identifier: GPL-2.0-or-later
 * problems.c - collect what is wrong in the user's files and show it. */
#include "compose/problems.h"

#include <errno.h>
#include <string.h>

#include "engine/base/ascii.h"
#include "engine/base/memory.h"

void problems_forget_sources(struct problems *problems)
{
	free(problems->sources);
	problems->sources = NULL;
	problems->source_count = 0;
}

void problems_release(struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		free(problems->items[i].path);
		free(problems->items[i].file);
		free(problems->items[i].text);
		free(problems->items[i].source_line);
	}
	free(problems->items);
	problems_forget_sources(problems);
	*problems = (struct problems)PROBLEMS_INIT;
}

void problems_add_source(
	struct problems *problems, const char *file, const char *text, size_t length)
{
	struct problem_source *source = array_add(problems->sources, problems->source_count);

	source->file = file;
	source->text = text;
	source->length = length;
}

static char *copy_source_line(const struct problems *problems, const struct mark *mark)
{
	for (size_t i = 0; i < problems->source_count; i++) {
		const struct problem_source *source = &problems->sources[i];
		const char *line = source->text;
		const char *end = source->text + source->length;

		if (strcmp(source->file, mark->file) != 0)
			continue;
		for (unsigned int number = 1; line && number < mark->line; number++) {
			line = memchr(line, '\n', (size_t)(end - line));
			line = line ? line + 1 : NULL;
		}
		if (!line)
			return NULL;
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		size_t length = (size_t)((stop ? stop : end) - line);

		return xstrndup(line, length > 4096 ? 4096 : length);
	}
	return NULL;
}

void problems_add(
	struct problems *problems, const struct mark *mark, const char *path, const char *fmt, ...)
{
	struct problem *problem;
	va_list ap;
	char *text;

	if (problems->count >= PROBLEM_LIMIT) {
		problems->dropped++;
		return;
	}
	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	problem = array_add(problems->items, problems->count);
	problem->path = xstrdup(path ? path : "");
	problem->text = path && *path ? xasprintf("%s: %s", path, text) : xstrdup(text);
	free(text);
	if (!mark || !mark->file)
		return;
	problem->file = xstrdup(mark->file);
	problem->line = mark->line;
	problem->column = mark->column;
	if (mark->line > 0)
		problem->source_line = copy_source_line(problems, mark);
}

bool problems_lie_below(const struct problems *problems, size_t count, const char *path)
{
	size_t length = strlen(path);

	for (size_t i = 0; i < count && i < problems->count; i++) {
		const char *at = problems->items[i].path;

		if (strncmp(at, path, length) == 0 &&
			(at[length] == '\0' || at[length] == '.' || at[length] == '['))
			return true;
	}
	return false;
}

int problems_to_error(const struct problems *problems, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (problems->count == 0)
		return 0;
	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->items[i];

		if (i > 0)
			strbuf_add_char(&text, '\n');
		if (problem->file && problem->line > 0)
			strbuf_addf(
				&text, "%s:%u:%u: ", problem->file, problem->line, problem->column);
		else if (problem->file)
			strbuf_addf(&text, "%s: ", problem->file);
		strbuf_add_str(&text, problem->text);
	}
	if (problems->dropped > 0)
		strbuf_addf(&text, "\nand %zu more", problems->dropped);
	return error_set(err, -EINVAL, "%s", strbuf_text(&text));
}

void problem_excerpt(const struct problem *problem, struct strbuf *out)
{
	const char *line = problem->source_line;
	size_t width = 0;
	bool past_mark = false;
	unsigned int column = 1;

	if (!line)
		return;
	strbuf_addf(out, "%5u | ", problem->line);
	for (const unsigned char *p = (const unsigned char *)line; *p; p++) {
		if (column >= problem->column)
			past_mark = true;
		if (*p == '\t')
			strbuf_add_char(out, ' ');
		else if (ascii_is_control(*p))
			strbuf_add_char(out, '?');
		else
			strbuf_add_char(out, (char)*p);
		/* Columns count characters, so only the first byte of a UTF-8 sequence moves on. */
		if ((p[1] & 0xc0) != 0x80) {
			column++;
			width += past_mark ? 0 : 1;
		}
	}
	strbuf_addf(out, "\n      | %*s^\n", (int)width, "");
}
