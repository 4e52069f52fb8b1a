/* SPDX-License-Identifier: GPL-2.0-or-later
 * fd_passing.h - one message with descriptors over a socket of AF_UNIX, SOCK_SEQPACKET.
 * May depend on: libc. unix(7), SCM_RIGHTS. The caller keeps what it sends, and owns what it
 * receives, which is close-on-exec. */
#ifndef MYCOMPOSE_CONTAINER_FD_PASSING_H
#define MYCOMPOSE_CONTAINER_FD_PASSING_H

#include <stddef.h>

#define FDS_MAX 16

/* 0 or -errno. */
int fds_send(int socket_fd, const void *bytes, size_t length, const int *fds, size_t count);
/* The message must be of `length` bytes and hold `count` descriptors at most; ret_fds[i] is -1
 * where there is none. -ECONNRESET when the other side is gone, -EPROTO for another message.
 * `flags` as recvmsg's. */
int fds_receive(int socket_fd, void *bytes, size_t length, int *ret_fds, size_t count, int flags);

#endif
