/* SPDX-License-Identifier: GPL-2.0-or-later
 * ids.c - random identifiers, and the identity of a process. */
#include "engine/base/ids.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/process_stat.h"

void id_random(char id[static ID_LENGTH + 1])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[ID_LENGTH / 2];

	/* Up to 256 bytes come whole and without interruption (getrandom(2)); without them there is
	 * no safe name to give. */
	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		abort();
	for (size_t i = 0; i < sizeof(bytes); i++) {
		id[2 * i] = digits[bytes[i] >> 4];
		id[2 * i + 1] = digits[bytes[i] & 15];
	}
	id[ID_LENGTH] = '\0';
}

int process_identify(pid_t pid, struct process_id *ret, struct error *err)
{
	struct process_stat stat;
	int r = process_stat_read(pid, &stat, err);

	if (r < 0)
		return r;
	*ret = stat.process;
	return 0;
}

int process_open(const struct process_id *id, struct error *err)
{
	cleanup_fd int fd = -1;
	struct process_id now;
	int r;

	if (id->pid <= 0)
		return error_set(err, -ESRCH, "process %d: no such process", (int)id->pid);
	/* The pidfd first: once it is held, a start time that fits proves that it holds the right
	 * process. */
	fd = (int)syscall(SYS_pidfd_open, id->pid, 0);
	if (fd < 0 &&
		(errno == ESRCH || errno == EINVAL)) /* EINVAL: now the number of a mere thread */
		return error_set(err, -ESRCH, "process %d: no such process", (int)id->pid);
	if (fd < 0)
		return error_sys(err, -errno, "open process %d", (int)id->pid);
	r = process_identify(id->pid, &now, err);
	if (r < 0)
		return r;
	if (now.start_time != id->start_time)
		return error_set(
			err, -ESRCH, "process %d: gone, its number is in use again", (int)id->pid);
	return steal_fd(&fd);
}

int process_find_alive(const struct process_id *id, bool *ret_alive, struct error *err)
{
	cleanup_error struct error local = ERROR_INIT;
	struct process_stat stat;
	int r = process_stat_read(id->pid, &stat, &local);

	if (r < 0 && r != -ESRCH)
		return error_move(err, &local);
	*ret_alive =
		r == 0 && stat.process.start_time == id->start_time && !strchr("ZXx", stat.state);
	return 0;
}

bool process_is_alive(const struct process_id *id)
{
	bool alive = false;

	return process_find_alive(id, &alive, NULL) == 0 && alive;
}

int boot_id_read(char boot_id[static 37], struct error *err)
{
	static const char path[] = "/proc/sys/kernel/random/boot_id";
	static char known[37]; /* no process sees two of them */
	cleanup_free char *text = NULL;
	size_t length;

	if (!*known) {
		int r = file_read(AT_FDCWD, path, 64, &text, &length, err);

		if (r < 0)
			return r;
		if (length > 0 && text[length - 1] == '\n')
			text[--length] = '\0';
		if (length != 36 || strlen(text) != 36)
			return error_set(err, -EBADMSG, "'%s': not a boot id", path);
		memcpy(known, text, sizeof(known));
	}
	memcpy(boot_id, known, sizeof(known));
	return 0;
}
