/* SPDX-License-Identifier: GPL-2.0-or-later
 * helper.h - load a text as if it were a file; shared by the loader's tests. Include after
 * cmocka.h. */
#ifndef MYCOMPOSE_TESTS_COMPOSE_HELPER_H
#define MYCOMPOSE_TESTS_COMPOSE_HELPER_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "compose/load.h"
#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strv.h"

/* The text goes in by "standard input", so that no file is needed. `options` may be NULL. */
static inline int load_text(const char *text, size_t length, const struct compose_options *options,
	struct project **ret, struct error *err)
{
	static char *const stdin_only[] = { (char *)"-", NULL };
	struct compose_options own = options ? *options : (struct compose_options){ 0 };
	cleanup_fd int fd = memfd_create("compose", MFD_CLOEXEC);
	int r;

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, length, NULL), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	own.files = stdin_only;
	own.cwd = "/srv/demo";
	own.stdin_fd = fd;
	r = compose_load(&own, ret, err);
	return r;
}

static inline struct project *must_load(const char *text)
{
	struct error err = ERROR_INIT;
	struct project *project = NULL;

	if (load_text(text, strlen(text), NULL, &project, &err) < 0)
		fail_msg("%s", error_text(&err));
	return project;
}

/* The message of a load that must fail. Heap. */
static inline char *must_fail(const char *text)
{
	struct error err = ERROR_INIT;
	struct project *project = NULL;
	char *message;

	if (load_text(text, strlen(text), NULL, &project, &err) == 0)
		fail_msg("this was accepted: %s", text);
	message = xstrdup(error_text(&err));
	error_release(&err);
	return message;
}

static inline void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in: %s", part, text);
}

#endif
