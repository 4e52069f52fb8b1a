/* SPDX-License-Identifier: GPL-2.0-or-later
 * log_driver.c - which log drivers there are, and what each may be asked for. */
#include <errno.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/numbers.h"
#include "engine/base/strv.h"
#include "engine/supervisor/log_address.h"
#include "engine/supervisor/log_forward.h"

#define CACHE_MAX_SIZE (20u * 1000 * 1000)
#define CACHE_MAX_FILE 5
#define MAX_FILES      1000

enum { JSON_FILE = 1, LOCAL = 2, NONE = 4, JOURNALD = 8, SYSLOG = 16 };

static const struct {
	const char *name;
	unsigned int bit;
	bool keeps_file;
	uint64_t max_size;
	uint32_t max_file;
} drivers[] = {
	{ "json-file", JSON_FILE, true, 0, 1 },
	{ "local", LOCAL, true, CACHE_MAX_SIZE, CACHE_MAX_FILE },
	{ "none", NONE, false, 0, 1 },
	{ "journald", JOURNALD, true, CACHE_MAX_SIZE, CACHE_MAX_FILE },
	{ "syslog", SYSLOG, true, CACHE_MAX_SIZE, CACHE_MAX_FILE },
};

static int check_size(const char *value, struct error *err)
{
	uint64_t size;

	if (strcmp(value, "-1") == 0 || parse_bytes(value, &size) == 0)
		return 0;
	return error_set(err, -EINVAL, "'%s' is no size", value);
}

static int check_count(const char *value, struct error *err)
{
	uint64_t count;

	return parse_u64(value, 1, MAX_FILES, &count) == 0
		       ? 0
		       : error_set(err, -EINVAL, "'%s' is no number of files", value);
}

static int check_bool(const char *value, struct error *err)
{
	if (strcmp(value, "true") == 0 || strcmp(value, "false") == 0)
		return 0;
	return error_set(err, -EINVAL, "'%s' is neither true nor false", value);
}

static int check_mode(const char *value, struct error *err)
{
	if (strcmp(value, "blocking") == 0 || strcmp(value, "non-blocking") == 0)
		return 0;
	return error_set(err, -EINVAL, "'%s' is neither blocking nor non-blocking", value);
}

static int check_tag(const char *value, struct error *err)
{
	cleanup_free char *tag = NULL;

	return log_tag(value, NULL, &tag, err);
}

static int check_nothing(const char *value, struct error *err)
{
	(void)value;
	(void)err;
	return 0;
}

static int check_address(const char *value, struct error *err)
{
	struct log_address address;

	return log_address_parse(value, &address, err);
}

static int check_facility(const char *value, struct error *err)
{
	unsigned int facility;

	return syslog_facility(value, &facility, err);
}

static int check_format(const char *value, struct error *err)
{
	enum syslog_format format;

	return syslog_format_parse(value, true, &format, err);
}

static const struct {
	const char *name;
	unsigned int drivers;
	int (*check)(const char *value, struct error *err);
} options_known[] = {
	{ "max-size", JSON_FILE | LOCAL, check_size },
	{ "max-file", JSON_FILE | LOCAL, check_count },
	/* Rotated files are kept as they are: asking for their compression changes nothing one can
	 * see through `logs`. */
	{ "compress", JSON_FILE | LOCAL, check_bool },
	/* A container never waits for its log here, so both modes are one. */
	{ "mode", JSON_FILE | LOCAL | NONE | JOURNALD | SYSLOG, check_mode },
	{ "max-buffer-size", JSON_FILE | LOCAL | NONE | JOURNALD | SYSLOG, check_size },
	{ "tag", JOURNALD | SYSLOG, check_tag },
	{ "labels", JOURNALD, check_nothing },
	{ "env", JOURNALD, check_nothing },
	{ "syslog-address", SYSLOG, check_address },
	{ "syslog-facility", SYSLOG, check_facility },
	{ "syslog-format", SYSLOG, check_format },
};

static int find_driver(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(drivers); i++)
		if (strcmp(drivers[i].name, name ? name : "json-file") == 0)
			return (int)i;
	return -1;
}

static int check_option(int driver, const char *option, struct error *err)
{
	size_t length = strcspn(option, "=");
	const char *value = option + length + (option[length] == '=');

	for (size_t i = 0; i < ARRAY_LEN(options_known); i++) {
		if (strncmp(options_known[i].name, option, length) != 0 ||
			options_known[i].name[length] ||
			!(options_known[i].drivers & drivers[driver].bit))
			continue;
		if (options_known[i].check(value, err) == 0)
			return 0;
		error_wrap(err, "log option %s", options_known[i].name);
		return -EINVAL;
	}
	return error_set(err, -EINVAL, "unknown log opt '%.*s' for %s log driver", (int)length,
		option, drivers[driver].name);
}

int log_driver_choose(
	struct container *container, const char *driver, char *const *options, struct error *err)
{
	int found = find_driver(driver);
	const char *size, *count;
	uint64_t files;

	if (found < 0)
		return error_set(err, -EINVAL,
			"no log driver '%s': json-file, local, none, journald and syslog exist",
			driver);
	for (char *const *option = options; option && *option; option++) {
		int r = check_option(found, *option, err);

		if (r < 0)
			return r;
	}
	container->log_driver = driver ? xstrdup(driver) : NULL;
	container->log_options = strv_copy(options);
	container->log_max_size = drivers[found].max_size;
	container->log_max_file = drivers[found].max_file;
	size = env_get(options, "max-size");
	count = env_get(options, "max-file");
	if (size && parse_bytes(size, &container->log_max_size) < 0)
		container->log_max_size = 0; /* -1 */
	if (count && parse_u64(count, 1, MAX_FILES, &files) == 0)
		container->log_max_file = (uint32_t)files;
	return 0;
}

bool log_driver_keeps_file(const char *driver)
{
	int found = find_driver(driver);

	return found < 0 || drivers[found].keeps_file;
}
