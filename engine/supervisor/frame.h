/* SPDX-License-Identifier: GPL-2.0-or-later
 * frame.h - messages on a byte stream: a 4-byte little-endian length, then so many bytes of JSON.
 * May depend on: engine/base/. */
#ifndef MYCOMPOSE_SUPERVISOR_FRAME_H
#define MYCOMPOSE_SUPERVISOR_FRAME_H

#include <stddef.h>

#include "engine/base/errors.h"
#include "engine/base/strbuf.h"

#define FRAME_HEADER 4
#define FRAME_MAX    65536 /* bytes of payload */

/* Append one frame. -EMSGSIZE when the payload is too long; nothing is appended then. */
int frame_put(struct strbuf *stream, const char *payload, size_t length, struct error *err);
/* Look at the first frame of what has come: 1 = whole, payload and length are set (inside `stream`,
 * until frame_drop); 0 = not all of it is there; -EMSGSIZE = it claims to be too long. */
int frame_peek(const struct strbuf *stream, const char **ret_payload, size_t *ret_length,
	struct error *err);
/* Remove the first frame, which frame_peek has found whole. */
void frame_drop(struct strbuf *stream);

#endif
