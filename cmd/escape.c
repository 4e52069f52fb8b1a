/* SPDX-License-Identifier: GPL-2.0-or-later
 * escape.c - control bytes as \xNN, so that neither a name nor a command line moves the cursor or
 * sets a title. */
#include "cmd/escape.h"

#include <string.h>

void escape_add(struct strbuf *out, const char *text, const char *keep)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if ((*c < 0x20 || *c == 0x7f) && !strchr(keep, *c))
			strbuf_addf(out, "\\x%02x", *c);
		else if (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0)
			strbuf_addf(out, "\\x%02x", *++c);
		else
			strbuf_add_char(out, (char)*c);
	}
}

char *escape_control(const char *text)
{
	struct strbuf out = STRBUF_INIT;

	escape_add(&out, text, "");
	return strbuf_steal(&out);
}
