/* SPDX-License-Identifier: GPL-2.0-or-later
 * probe.c - what a test runs inside a container to learn what a process sees and may do there.
 *
 * Static, needs nothing of the image. Output is lines "KEY VALUE...", one fact each; exit status 0
 * = worked, 1 = the system call said no (its errno's name is printed), 2 = wrong use. */
#include "tests/probe/probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int failed(const char *what)
{
	printf("%s %s\n", what, strerrorname_np(errno));
	return 1;
}

long number(const char *text)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 0);
	if (errno || !*text || *end) {
		fprintf(stderr, "probe: '%s' is not a number\n", text);
		exit(2);
	}
	return value;
}

static int run_row(const struct command *rows, int count, char **args, const char *name)
{
	for (; rows->name; rows++) {
		if (strcmp(rows->name, name) != 0)
			continue;
		if (count < rows->least_args)
			break;
		return rows->run(args);
	}
	return -1;
}

static void usage(const struct command *rows)
{
	for (; rows->name; rows++)
		fprintf(stderr, "  %s %s\n", rows->name, rows->usage);
}

int main(int argc, char **argv)
{
	static const struct command *const tables[] = { process_commands, network_commands,
		forbidden_commands };

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; argc > 1 && i < sizeof(tables) / sizeof(*tables); i++) {
		int status = run_row(tables[i], argc - 2, argv + 2, argv[1]);

		if (status >= 0)
			return status;
	}
	fputs("usage: probe COMMAND [ARGUMENT...]\n", stderr);
	usage(process_commands);
	usage(network_commands);
	usage(forbidden_commands);
	return 2;
}
