/* SPDX-License-Identifier: GPL-2.0-or-later
 * helper_process.c - fork, work, report the failure by a pipe. */
#include "cmd/helper_process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/memory.h"

struct report {
	int code;
	int exit_code;
	char text[4000];
};

static void work_and_exit(int report_fd, int (*work)(void *arg, struct error *err), void *arg)
{
	cleanup_error struct error err = ERROR_INIT;
	int r = work(arg, &err);

	if (r < 0) {
		struct report report = { .code = r, .exit_code = err.exit_code };

		snprintf(report.text, sizeof(report.text), "%s", error_text(&err));
		/* Less than a pipe holds; who does not read it has gone. */
		if (write(report_fd, &report, sizeof(report)) < 0)
			_exit(1);
	}
	_exit(r < 0);
}

int helper_process_start(struct helper_process *ret, int (*work)(void *arg, struct error *err),
	void *arg, struct error *err)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_sys(err, -errno, "make a pipe");
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		work_and_exit(ends[1], work, arg);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return error_sys(err, -errno, "fork");
	}
	*ret = (struct helper_process){ pid, ends[0] };
	return 0;
}

int helper_process_finish(struct helper_process *helper, struct error *err)
{
	struct report report;
	ssize_t n = read(helper->report_fd, &report, sizeof(report));
	int status = 0;

	close_fd(&helper->report_fd);
	while (waitpid(helper->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (n == (ssize_t)sizeof(report)) {
		error_set(err, report.code, "%.*s", (int)sizeof(report.text), report.text);
		if (err)
			err->exit_code = report.exit_code;
		return report.code;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return error_set(err, -ECHILD, "a process of this command was killed");
}
