/* SPDX-License-Identifier: GPL-2.0-or-later
 * fd_passing.c - see fd_passing.h. */
#include "engine/container/fd_passing.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "engine/base/memory.h"

union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
};

int fds_send(int socket_fd, const void *bytes, size_t length, const int *fds, size_t count)
{
	struct iovec data = { (void *)(size_t)bytes, length };
	union control control = { 0 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
	struct cmsghdr *header = &control.header;

	if (count > FDS_MAX)
		return -E2BIG;
	if (count) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(header), fds, count * sizeof(int));
	}
	return sendmsg(socket_fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Those that were asked for into ret_fds, others closed. */
static int take_fds(struct msghdr *message, int *ret_fds, size_t count)
{
	const struct cmsghdr *header = CMSG_FIRSTHDR(message);
	size_t received = 0;

	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
		received = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	for (size_t i = 0; i < received; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
		if (i < count)
			ret_fds[i] = fd;
		else
			close_fd(&fd);
	}
	return received > count ? -EPROTO : 0;
}

int fds_receive(int socket_fd, void *bytes, size_t length, int *ret_fds, size_t count, int flags)
{
	struct iovec data = { bytes, length };
	union control control;
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n;
	int r;

	for (size_t i = 0; i < count; i++)
		ret_fds[i] = -1;
	do {
		n = recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC | flags);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : -ECONNRESET;
	r = take_fds(&message, ret_fds, count);
	if (r == 0 && ((size_t)n != length || message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		r = -EPROTO;
	for (size_t i = 0; r < 0 && i < count; i++)
		close_fd(&ret_fds[i]);
	return r;
}
