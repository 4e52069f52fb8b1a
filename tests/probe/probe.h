/* SPDX-License-Identifier: GPL-2.0-or-later
 * probe.h - the rows of the probe: one subcommand each. */
#ifndef TESTS_PROBE_H
#define TESTS_PROBE_H

struct command {
	const char *name;
	int least_args; /* after the name */
	const char *usage;
	int (*run)(char **args); /* exit status */
};

extern const struct command process_commands[];
extern const struct command network_commands[];
extern const struct command forbidden_commands[];

/* Say what failed, with errno, and give exit status 1. */
int failed(const char *what);
/* A whole number of the command line, or the end of the program. */
long number(const char *text);

#endif
