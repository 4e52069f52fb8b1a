/* SPDX-License-Identifier: GPL-2.0-or-later
 * log_message.c - one line of output in the forms that journald and syslog servers read. */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/base/times.h"
#include "engine/supervisor/log_forward.h"

enum { SEVERITY_ERROR = 3, SEVERITY_INFO = 6 };

static unsigned int severity(const struct log_line *line)
{
	return line->stream == LOG_STDERR ? SEVERITY_ERROR : SEVERITY_INFO;
}

/* A line end would begin another message; a NUL would end this one for many a reader. */
static void add_one_line(struct strbuf *out, const struct log_line *line)
{
	for (size_t i = 0; i < line->length; i++) {
		char c = line->text[i];

		strbuf_add_char(out, c == '\n' || c == '\0' ? ' ' : c);
	}
}

static void add_time_3164(struct strbuf *out, int64_t time_ns)
{
	time_t seconds = (time_t)(time_ns / NS_PER_SEC);
	char text[32];
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%b %e %H:%M:%S", &tm);
	strbuf_add_str(out, text);
}

static void add_time_5424(struct strbuf *out, int64_t time_ns, bool micro)
{
	time_t seconds = (time_t)(time_ns / NS_PER_SEC);
	char text[40];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	strbuf_add_str(out, text);
	if (micro)
		strbuf_addf(out, ".%06d", (int)(time_ns % NS_PER_SEC / 1000));
	strbuf_add_char(out, 'Z');
}

void syslog_message(
	struct strbuf *out, const struct syslog_header *header, const struct log_line *line)
{
	bool micro = header->format == SYSLOG_RFC5424_MICRO;

	strbuf_addf(out, "<%u>", header->facility * 8 + severity(line));
	if (header->format == SYSLOG_RFC3164_LOCAL || header->format == SYSLOG_RFC3164) {
		add_time_3164(out, line->time_ns);
		if (header->format == SYSLOG_RFC3164)
			strbuf_addf(out, " %s", header->host);
		strbuf_addf(out, " %s[%d]: ", header->tag, header->pid);
	} else {
		strbuf_add_str(out, "1 ");
		add_time_5424(out, line->time_ns, micro);
		strbuf_addf(out, " %s %s %d %s - ", header->host, header->tag, header->pid,
			header->tag);
	}
	add_one_line(out, line);
}

void journal_message(struct strbuf *out, char *const *fields, const struct log_line *line)
{
	uint64_t length = htole64(line->length);

	for (; fields && *fields; fields++) {
		/* A value with a line end would need the other form; names and labels have none of
		 * use. */
		for (const char *s = *fields; *s; s++)
			strbuf_add_char(out, *s == '\n' ? ' ' : *s);
		strbuf_add_char(out, '\n');
	}
	strbuf_addf(out, "PRIORITY=%u\n", severity(line));
	if (line->is_partial)
		strbuf_add_str(out, "CONTAINER_PARTIAL_MESSAGE=true\n");
	/* The form for any bytes: the name, the length in 64 bits, the bytes. */
	strbuf_add_str(out, "MESSAGE\n");
	strbuf_add(out, &length, sizeof(length));
	strbuf_add(out, line->text, line->length);
	strbuf_add_char(out, '\n');
}

static const char *bare_image_id(const char *image_id)
{
	const char *colon = image_id ? strchr(image_id, ':') : NULL;

	return colon ? colon + 1 : image_id ? image_id : "";
}

static bool add_field(
	struct strbuf *out, const char *name, size_t length, const struct container *container)
{
	const struct {
		const char *name, *value;
		int limit; /* -1 = whole */
	} fields[] = {
		{ ".ID", container ? container->id : "", 12 },
		{ ".FullID", container ? container->id : "", -1 },
		{ ".Name", container ? container->name : "", -1 },
		{ ".ImageName", container && container->image_ref ? container->image_ref : "", -1 },
		{ ".ImageID", container ? bare_image_id(container->image_id) : "", 12 },
		{ ".ImageFullID", container ? bare_image_id(container->image_id) : "", -1 },
		{ ".DaemonName", "mycompose", -1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (strlen(fields[i].name) != length || strncmp(fields[i].name, name, length) != 0)
			continue;
		if (fields[i].limit < 0)
			strbuf_add_str(out, fields[i].value);
		else
			strbuf_addf(out, "%.*s", fields[i].limit, fields[i].value);
		return true;
	}
	return false;
}

int log_tag(const char *template, const struct container *container, char **ret, struct error *err)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	const char *at = template;

	while (*at) {
		const char *open = strstr(at, "{{"), *name, *close;

		if (!open) {
			strbuf_add_str(&out, at);
			break;
		}
		strbuf_add(&out, at, (size_t)(open - at));
		name = open + 2 + strspn(open + 2, " ");
		close = strstr(name, "}}");
		if (!close || !add_field(&out, name, strcspn(name, " }"), container))
			return error_set(err, -EINVAL,
				"tag '%s': only {{.ID}}, {{.FullID}}, {{.Name}}, {{.ImageName}}, "
				"{{.ImageID}} and {{.ImageFullID}} can be filled in",
				template);
		at = close + 2;
	}
	*ret = strbuf_steal(&out);
	return 0;
}
