/* SPDX-License-Identifier: GPL-2.0-or-later
 * errors_test.c - the error object keeps the first cause and gains context on its way up. */
#include "support.h"

static void sys_error_reads_what_failed_then_why(void **state)
{
	cleanup_error struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(error_sys(&err, -ENOSPC, "mount %s", "overlay"), -ENOSPC);
	assert_string_equal(error_text(&err), "mount overlay: No space left on device");
	assert_int_equal(error_wrap(&err, "service '%s'", "web"), -ENOSPC);
	assert_string_equal(
		error_text(&err), "service 'web': mount overlay: No space left on device");
	assert_int_equal(err.code, -ENOSPC);
}

static void setting_again_may_use_the_old_text(void **state)
{
	cleanup_error struct error err = ERROR_INIT;

	(void)state;
	error_set(&err, -EINVAL, "old");
	assert_int_equal(error_set(&err, -EPERM, "new after %s", err.message), -EPERM);
	assert_string_equal(error_text(&err), "new after old");
	assert_int_equal(err.code, -EPERM);
	error_wrap(&err, "%s", err.message);
	assert_string_equal(error_text(&err), "new after old: new after old");
}

static void exit_code_belongs_to_one_failure(void **state)
{
	cleanup_error struct error err = ERROR_INIT;

	(void)state;
	err.exit_code = 14;
	error_set(&err, -EINVAL, "first");
	assert_int_equal(err.exit_code, 14);
	error_wrap(&err, "context");
	assert_int_equal(err.exit_code, 14);
	error_set(&err, -EINVAL, "second");
	assert_int_equal(err.exit_code, 0);
}

static void null_error_keeps_the_codes(void **state)
{
	cleanup_error struct error from = ERROR_INIT;

	(void)state;
	assert_int_equal(error_set(NULL, -ENOENT, "x"), -ENOENT);
	assert_int_equal(error_sys(NULL, -EPERM, "x"), -EPERM);
	assert_true(error_wrap(NULL, "x") < 0);
	error_set(&from, -ESRCH, "x");
	assert_int_equal(error_move(NULL, &from), -ESRCH);
	assert_null(from.message);
}

static void a_failure_without_errno_is_still_one(void **state)
{
	cleanup_error struct error err = ERROR_INIT;

	(void)state;
	assert_true(error_set(&err, 0, "x") < 0);
	assert_true(err.code < 0);
	error_release(&err);
	assert_true(error_wrap(&err, "context") < 0);
	assert_true(err.code < 0);
}

static void move_releases_the_target_and_empties_the_source(void **state)
{
	cleanup_error struct error to = ERROR_INIT, from = ERROR_INIT;

	(void)state;
	error_set(&to, -EINVAL, "old");
	error_set(&from, -ENOENT, "new");
	from.exit_code = 3;
	assert_int_equal(error_move(&to, &from), -ENOENT);
	assert_string_equal(error_text(&to), "new");
	assert_int_equal(to.exit_code, 3);
	assert_null(from.message);
	assert_int_equal(from.code, 0);
	assert_int_equal(error_move(&to, &to), -ENOENT);
	assert_string_equal(error_text(&to), "new");
}

static void text_is_never_null(void **state)
{
	struct error code_only = { .code = -EPERM }, empty = ERROR_INIT;

	(void)state;
	assert_string_equal(error_text(&code_only), "Operation not permitted");
	assert_non_null(error_text(&empty));
	assert_non_null(error_text(NULL));
	error_release(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sys_error_reads_what_failed_then_why),
		cmocka_unit_test(setting_again_may_use_the_old_text),
		cmocka_unit_test(exit_code_belongs_to_one_failure),
		cmocka_unit_test(null_error_keeps_the_codes),
		cmocka_unit_test(a_failure_without_errno_is_still_one),
		cmocka_unit_test(move_releases_the_target_and_empties_the_source),
		cmocka_unit_test(text_is_never_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
