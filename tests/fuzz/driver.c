/* SPDX-License-Identifier: GPL-2.0-or-later
 * driver.c - run a fuzz target over stored files, without libFuzzer: `fuzz_x FILE-OR-FOLDER...`.
 * Counts what it ran. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "engine/base/files.h"
#include "engine/base/strv.h"
#include "fuzz.h"

static size_t run_file(int dir_fd, const char *name)
{
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *data = NULL;
	size_t length;

	if (file_read(dir_fd, name, 64u << 20, &data, &length, &err) < 0)
		fuzz_fail("%s", error_text(&err));
	LLVMFuzzerTestOneInput((const uint8_t *)data, length);
	return 1;
}

static size_t run_path(const char *path)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_strv char **names = NULL;
	size_t count = 0;

	if (fd < 0)
		return run_file(AT_FDCWD, path);
	if (dir_list(fd, ".", &names, NULL) < 0)
		fuzz_fail("%s cannot be listed", path);
	for (char **name = names; name && *name; name++)
		count += run_file(fd, *name);
	return count;
}

int main(int argc, char **argv)
{
	size_t count = 0;

	for (int i = 1; i < argc; i++)
		count += run_path(argv[i]);
	printf("%s: %zu inputs\n", argv[0], count);
	return count > 0 ? 0 : 1;
}
