/* SPDX-License-Identifier: GPL-2.0-or-later
 * relay.h - the user's terminal joined to a container's: raw mode, window size, bytes both ways.
 * May depend on: engine/base/, loop.h.
 *
 * Raw mode is restored by relay_free and on every exit path that runs it; fatal signals are
 * delivered through the loop, so they do. */
#ifndef MYCOMPOSE_SUPERVISOR_RELAY_H
#define MYCOMPOSE_SUPERVISOR_RELAY_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/errors.h"
#include "engine/supervisor/loop.h"

struct relay;

/* Copy in_fd -> to_fd (a pty master or a pipe's write end) and, when from_fd >= 0, from_fd ->
 * out_fd. fds stay the caller's, except a to_fd that is a pipe: that one the relay closes, at the
 * end of the input or in relay_free (also when relay_new fails). to_fd and from_fd become
 * non-blocking; in_fd and out_fd are shared with the user's other programs and stay as they are.
 * With `terminal` in_fd is put in raw mode if it is a tty, and its window size is copied to to_fd
 * now and on SIGWINCH (the caller routes SIGWINCH to relay_resize). Bytes that cannot be written at
 * the moment hold up only their own direction. */
int relay_new(struct loop *loop, int in_fd, int to_fd, int from_fd, int out_fd, bool terminal,
	struct relay **ret, struct error *err);
void relay_resize(struct relay *relay);
/* Every byte of the input goes through `filter` before it is written: it changes `bytes` in place,
 * where there is room for RELAY_FILTER_MORE bytes more, and returns the new length. */
#define RELAY_FILTER_MORE 64
typedef size_t (*relay_filter)(char *bytes, size_t length, void *arg);
void relay_set_filter(struct relay *relay, relay_filter filter, void *arg);
/* Some of the input has been read and not been written yet. */
bool relay_holds_input(const struct relay *relay);
/* Copy what is still readable from from_fd (after the process has ended), waiting for out_fd. */
void relay_drain(struct relay *relay);
void relay_free(struct relay *relay);

#endif
