/* SPDX-License-Identifier: GPL-2.0-or-later
 * process_stat.c - read and take apart /proc/PID/stat. */
#include "engine/base/process_stat.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"

int process_stat_parse(const char *text, struct process_stat *ret)
{
	/* The name in field 2 is the process's own choice and may hold blanks and parentheses, so
	 * counting starts behind the last ')'. */
	const char *rest = strrchr(text, ')');
	struct process_stat stat = { 0 };

	/* Fields 1 and 3 to 22. */
	if (!rest || sscanf(text, "%d", &stat.process.pid) != 1 ||
		sscanf(rest + 1,
			" %c %d %*d %d %d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64
			" %*d %*d %*d %*d %*d %*d %" SCNu64,
			&stat.state, &stat.parent, &stat.session, (int *)&stat.terminal,
			&stat.user_ticks, &stat.system_ticks, &stat.process.start_time) != 7)
		return -EBADMSG;
	*ret = stat;
	return 0;
}

int process_stat_read(pid_t pid, struct process_stat *ret, struct error *err)
{
	cleanup_free char *text = NULL;
	char path[64];
	int r;

	if (pid <= 0)
		return error_set(err, -ESRCH, "process %d: no such process", (int)pid);
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	r = file_read(AT_FDCWD, path, PROCESS_STAT_MAX, &text, NULL, err);
	/* The file goes with the process: absent before the open, ESRCH from the read after it. */
	if (r == -ENOENT || r == -ESRCH)
		return error_set(err, -ESRCH, "process %d: no such process", (int)pid);
	if (r < 0)
		return r;
	r = process_stat_parse(text, ret);
	if (r < 0)
		return error_set(err, r, "'%s': not in the form of proc_pid_stat(5)", path);
	return 0;
}
