/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolver_claim.c - which process serves a network's names, and on which port. */
#include "engine/net/resolver_claim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/net/room.h"

#define PORT_TEXT 8

int resolver_claim_take(int dir_fd, struct error *err)
{
	cleanup_fd int fd = -1;

	fd = file_open(dir_fd, RESOLVER_CLAIM_FILE, O_RDWR | O_CREAT | O_NOFOLLOW, 0600, err);
	if (fd < 0)
		return fd;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return error_sys(err, -errno, "claim the name service");
	return steal_fd(&fd);
}

int resolver_claim_publish(int claim_fd, uint16_t port, struct error *err)
{
	char text[PORT_TEXT];
	int length = snprintf(text, sizeof(text), "%u", port);

	if (ftruncate(claim_fd, 0) < 0 || pwrite(claim_fd, text, (size_t)length, 0) != length)
		return error_sys(err, -errno, "write '" RESOLVER_CLAIM_FILE "'");
	return 0;
}

/* Claims are taken under the room's lock, which the caller has: trying the lock disturbs nobody. */
uint16_t resolver_port_read(int dir_fd)
{
	cleanup_fd int fd = -1;
	char text[PORT_TEXT];
	uint64_t port;
	ssize_t length;

	fd = openat(dir_fd, RESOLVER_CLAIM_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_SH | LOCK_NB) == 0)
		return 0;
	length = read(fd, text, sizeof(text) - 1);
	if (length <= 0)
		return 0;
	text[length] = '\0';
	return parse_u64(text, 1, UINT16_MAX, &port) == 0 ? (uint16_t)port : 0;
}
