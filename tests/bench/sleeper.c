/* SPDX-License-Identifier: GPL-2.0-or-later
 * sleeper.c - the smallest service: waits, and ends with 0 on SIGTERM although it is pid 1. */
#include <signal.h>
#include <unistd.h>

static void end(int signal_number)
{
	(void)signal_number;
	_exit(0);
}

int main(void)
{
	signal(SIGTERM, end);
	for (;;)
		pause();
}
