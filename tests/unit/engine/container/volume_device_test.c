/* SPDX-License-Identifier: GPL-2.0-or-later
 * volume_device_test.c - the options of docker's local volume driver. */
#include "engine/container/volume_device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/mount.h>

#include "engine/base/memory.h"
#include "engine/base/strv.h"

/* "KIND ATTRIBUTES OPTIONS" or the message; heap. Options are written with blanks between. */
static char *parse(const char *text)
{
	static const char *const kinds[] = { "plain", "bind", "memory", "other" };
	cleanup_strv char **options = *text ? strv_split(text, " ") : NULL;
	cleanup_error struct error err = ERROR_INIT;
	struct volume_device device = { 0 };
	char *shown;

	if (volume_device_parse(options, &device, &err) < 0)
		return xasprintf("error: %s", error_text(&err));
	cleanup_free char *words = strv_join(device.options, " ");

	shown = xasprintf("%s %#x %s", kinds[device.kind], device.attributes, words);
	volume_device_release(&device);
	return shown;
}

static void options_decide_where_a_volume_is(void **state)
{
	static const struct {
		const char *text;
		const char *expected;
	} cases[] = {
		{ "", "plain 0 " },
		{ "type=none o=bind device=/x", "bind 0 " },
		{ "type=nfs o=rbind,ro,noexec device=/x", "bind 0x9 " },
		{ "type= o= device=", "plain 0 " },
		{ "type=tmpfs device=tmpfs o=size=1m,uid=7,nosuid", "memory 0x2 size=1m uid=7" },
		{ "type=ramfs device=x", "memory 0 " },
		{ "type=nfs o=addr=10.0.0.1,rw,nolock,noatime device=:/a,b",
			"other 0x10 addr=10.0.0.1 nolock" },
		{ "type=ext4 device=/dev/x o=ro,rw,,sync", "other 0 sync" },
		{ "type=none", "error: missing required option: \"device\"" },
		{ "o=bind", "error: missing required option: \"device\"" },
		{ "device=/x", "error: missing required option: \"type\"" },
		{ "Type=x", "error: invalid option: \"Type\"" },
		{ "size=1", "error: quota size requested but no quota support" },
		{ "type=none o=bind device=x",
			"error: device 'x' of a bound volume is no absolute path" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		cleanup_free char *shown = parse(cases[i].text);

		assert_string_equal(shown, cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_decide_where_a_volume_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
