/* SPDX-License-Identifier: GPL-2.0-or-later
 * service_manager.c - one datagram to systemd. */
#include "cmd/service_manager.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/base/errors.h"
#include "engine/base/log.h"
#include "engine/base/memory.h"

static int send_state(const char *state, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *name = getenv("NOTIFY_SOCKET");
	size_t length = name ? strlen(name) : 0;
	cleanup_fd int fd = -1;

	if (length == 0)
		return 0;
	if ((name[0] != '/' && name[0] != '@') || length < 2 || length >= sizeof(address.sun_path))
		return error_set(err, -EINVAL, "NOTIFY_SOCKET '%s': not a socket's name", name);
	memcpy(address.sun_path, name, length);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_sys(err, -errno, "make a socket to tell the service manager");
	/* The length decides how much of an abstract name counts. */
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0)
		return error_sys(err, -errno, "tell the service manager at '%s'", name);
	return 0;
}

void service_manager_tell(const char *state)
{
	cleanup_error struct error err = ERROR_INIT;

	if (send_state(state, &err) < 0)
		log_warning("%s", error_text(&err));
}
