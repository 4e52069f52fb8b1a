/* SPDX-License-Identifier: GPL-2.0-or-later
 * options_test.c - docker's words for devices, security options and parent cgroups as fields of a
 * container. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "engine/base/memory.h"
#include "engine/container/container.h"

static void devices_get_their_defaults(void **state)
{
	static const struct {
		const char *source, *path, *access;
		const char *as_path, *as_access; /* NULL: refused */
	} rows[] = {
		{ "/dev/fuse", NULL, NULL, "/dev/fuse", "rwm" },
		{ "/dev/fuse", "", "", "/dev/fuse", "rwm" },
		{ "/dev/fuse", "/dev/x", "r", "/dev/x", "r" },
		{ "/dev/fuse", "/dev//a/../x/", "mr", "/dev/x", "rm" },
		{ "/dev/fuse", "/dev/x", "wwr", "/dev/x", "rw" },
		{ "dev/fuse", NULL, NULL, NULL, NULL },
		{ "/dev/fuse", "x", NULL, NULL, NULL },
		{ "/dev/fuse", "/dev/x", "rx", NULL, NULL },
		{ "/dev/fuse", "/dev/x", "rwmr", NULL, NULL },
		{ "nvidia.com/gpu=0", NULL, NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_container struct container *container = container_new();
		cleanup_error struct error err = ERROR_INIT;
		struct spec *spec = &container->spec;
		int r = spec_add_device(spec, rows[i].source, rows[i].path, rows[i].access, &err);

		if (!rows[i].as_path) {
			assert_true(r < 0 && spec->device_count == 0);
			continue;
		}
		assert_int_equal(r, 0);
		assert_string_equal(spec->devices[0].path, rows[i].as_path);
		assert_string_equal(spec->devices[0].access, rows[i].as_access);
	}
}

static void row_4_4_what_the_host_does_not_have_is_told(void **state)
{
	static const struct {
		const char *source, *message;
	} rows[] = {
		{ "/dev/null", NULL },
		{ "/dev/there-is-none", "no such file or directory" },
		{ "/proc/version", "not a device node" },
		{ "/proc/self/ns", "not a device node" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_container struct container *container = container_new();
		cleanup_error struct error err = ERROR_INIT;
		int r;

		assert_int_equal(
			spec_add_device(&container->spec, rows[i].source, "/dev/x", NULL, &err), 0);
		r = spec_check_devices(&container->spec, &err);
		assert_int_equal(r < 0, rows[i].message != NULL);
		if (rows[i].message && (!strstr(error_text(&err), rows[i].message) ||
					       !strstr(error_text(&err), rows[i].source)))
			fail_msg("%s", error_text(&err));
	}
}

static void security_options_become_fields(void **state)
{
	static const struct {
		const char *option;
		bool accepted, no_new_privileges, unmasked;
		const char *seccomp;
	} rows[] = {
		{ "no-new-privileges", true, true, false, NULL },
		{ "no-new-privileges:true", true, true, false, NULL },
		{ "no-new-privileges=false", true, false, false, NULL },
		{ "no-new-privileges:", false, false, false, NULL },
		{ "no-new-privileges:yes", false, false, false, NULL },
		{ "seccomp=unconfined", true, false, false, "unconfined" },
		{ "seccomp:unconfined", true, false, false, "unconfined" },
		{ "seccomp=builtin", true, false, false, NULL },
		{ "seccomp=version", true, false, false, "Linux version" },
		{ "seccomp=/proc/version", true, false, false, "Linux version" },
		{ "seccomp=there-is-none", false, false, false, NULL },
		{ "seccomp=", false, false, false, NULL },
		{ "apparmor=unconfined", true, false, false, NULL },
		{ "label=disable", true, false, false, NULL },
		{ "label=user:x", false, false, false, NULL },
		{ "systempaths=unconfined", true, false, true, NULL },
		{ "systempaths=x", false, false, false, NULL },
		{ "", false, false, false, NULL },
		{ "nonsense", false, false, false, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_container struct container *container = container_new();
		cleanup_error struct error err = ERROR_INIT;
		struct spec *spec = &container->spec;
		int r = spec_add_security_option(spec, rows[i].option, "/proc", &err);

		if ((r == 0) != rows[i].accepted)
			fail_msg("'%s': %s", rows[i].option, error_text(&err));
		assert_int_equal(spec->no_new_privileges, rows[i].no_new_privileges);
		assert_int_equal(spec->unmasked, rows[i].unmasked);
		if (!rows[i].seccomp)
			assert_null(spec->seccomp);
		else
			assert_ptr_equal(strstr(spec->seccomp, rows[i].seccomp), spec->seccomp);
	}
}

static void a_parent_cgroup_keeps_ours_in_it(void **state)
{
	static const struct {
		const char *text, *parent; /* NULL: refused */
	} rows[] = {
		{ "/custom", "custom/mycompose" },
		{ "custom/deep/", "custom/deep/mycompose" },
		{ "//a//b", "a/b/mycompose" },
		{ "user.slice", "user.slice/mycompose" },
		{ "..", NULL },
		{ "a/../b", NULL },
		{ "./a", NULL },
		{ "/", NULL },
		{ "", NULL },
	};
	const struct engine engine = ENGINE_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cleanup_container struct container *container = container_new();
		cleanup_error struct error err = ERROR_INIT;
		int r = container_set_cgroup_parent(&engine, container, rows[i].text, &err);

		assert_int_equal(r, rows[i].parent ? 0 : -EINVAL);
		assert_string_equal(container_cgroup_parent(&engine, container),
			rows[i].parent ? rows[i].parent : "mycompose");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_get_their_defaults),
		cmocka_unit_test(row_4_4_what_the_host_does_not_have_is_told),
		cmocka_unit_test(security_options_become_fields),
		cmocka_unit_test(a_parent_cgroup_keeps_ours_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
