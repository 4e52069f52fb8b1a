/* SPDX-License-Identifier: GPL-2.0-or-later
 * confirm.c - a question, one line of answer. */
#include "cmd/confirm.h"

#include <stdio.h>

bool confirm(const char *question)
{
	char answer[16];

	fputs(question, stdout);
	fflush(stdout);
	if (!fgets(answer, sizeof(answer), stdin))
		return false;
	return answer[0] == 'y' || answer[0] == 'Y';
}
