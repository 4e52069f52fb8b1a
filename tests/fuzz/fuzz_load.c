/* SPDX-License-Identifier: GPL-2.0-or-later
 * fuzz_load.c - any bytes as a project by standard input: loaded or refused; what was loaded prints
 * as a file that loads and prints the same again. Documents that name other files are left alone: a
 * fuzzer must not read the machine it runs on. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "compose/config.h"
#include "engine/base/files.h"
#include "fuzz.h"

static int load(const char *text, size_t size, struct project **ret, struct error *err)
{
	static char *const files[] = { (char *)"-", NULL };
	static char *const environ[] = { (char *)"V=value", (char *)"HOME=/home/user",
		(char *)"COMPOSE_DISABLE_ENV_FILE=1", NULL };
	cleanup_fd int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct compose_options options = {
		.files = files, .environ = environ, .cwd = "/nonexistent/demo", .stdin_fd = fd
	};

	if (fd < 0 || fd_write_all(fd, text, size, NULL) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		fuzz_fail("no memory file");
	return compose_load(&options, ret, err);
}

static bool names_files(const uint8_t *data, size_t size)
{
	static const char *const keys[] = { "include", "extends", "_file", "file", "/" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (memmem(data, size, keys[i], strlen(keys[i])))
			return true;
	return false;
}

static char *print(const struct project *project, enum config_format format)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		fuzz_fail("no memory to print to");
	config_print(project, format, out);
	fclose(out);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_project struct project *project = NULL, *again = NULL;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *first = NULL, *second = NULL, *json = NULL;

	if (names_files(data, size))
		return 0;
	if (load((const char *)data, size, &project, &err) < 0) {
		if (!*error_text(&err))
			fuzz_fail("refused without saying why");
		return 0;
	}
	json = print(project, CONFIG_JSON);
	first = print(project, CONFIG_YAML);
	if (load(first, strlen(first), &again, &err) < 0)
		fuzz_fail("what was printed does not load: %s\n%s", error_text(&err), first);
	second = print(again, CONFIG_YAML);
	if (strcmp(first, second) != 0)
		fuzz_fail("printed again it differs:\n%s\n---\n%s", first, second);
	return 0;
}
