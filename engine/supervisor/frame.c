/* SPDX-License-Identifier: GPL-2.0-or-later
 * frame.c - messages on a byte stream: a 4-byte little-endian length, then so many bytes of JSON.
 */
#include "engine/supervisor/frame.h"

#include <errno.h>
#include <stdint.h>

static size_t frame_length(const struct strbuf *stream)
{
	const unsigned char *bytes = (const unsigned char *)stream->data;

	return bytes[0] | (size_t)bytes[1] << 8 | (size_t)bytes[2] << 16 | (size_t)bytes[3] << 24;
}

int frame_put(struct strbuf *stream, const char *payload, size_t length, struct error *err)
{
	unsigned char header[FRAME_HEADER];

	if (length > FRAME_MAX)
		return error_set(err, -EMSGSIZE, "message of %zu bytes is too long", length);
	for (size_t i = 0; i < sizeof(header); i++)
		header[i] = (unsigned char)(length >> (8 * i));
	strbuf_add(stream, header, sizeof(header));
	strbuf_add(stream, payload, length);
	return 0;
}

int frame_peek(const struct strbuf *stream, const char **ret_payload, size_t *ret_length,
	struct error *err)
{
	size_t length;

	if (stream->length < FRAME_HEADER)
		return 0;
	length = frame_length(stream);
	if (length > FRAME_MAX)
		return error_set(err, -EMSGSIZE, "message of %zu bytes is too long", length);
	if (stream->length - FRAME_HEADER < length)
		return 0;
	*ret_payload = stream->data + FRAME_HEADER;
	*ret_length = length;
	return 1;
}

void frame_drop(struct strbuf *stream)
{
	strbuf_consume(stream, FRAME_HEADER + frame_length(stream));
}
