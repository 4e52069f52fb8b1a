/* SPDX-License-Identifier: GPL-2.0-or-later
 * service_manager.h - tell systemd how far this service has come (Type=notify).
 *
 * The protocol is sd_notify(3)'s: one datagram to the Unix socket that $NOTIFY_SOCKET names, a path
 * or, with a leading @, an abstract name. Without that variable nobody is told, which is no error.
 * May depend on: engine/base/. */
#ifndef MYCOMPOSE_CMD_SERVICE_MANAGER_H
#define MYCOMPOSE_CMD_SERVICE_MANAGER_H

/* `state` is what sd_notify(3) takes: "READY=1", "STOPPING=1" …. A failure is a warning: the
 * containers run either way. */
void service_manager_tell(const char *state);

#endif
