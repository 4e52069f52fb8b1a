/* SPDX-License-Identifier: GPL-2.0-or-later
 * security_option.c - docker's --security-opt, one option after the other, as fields of a spec.
 *
 * Both separators count, as in docker: "seccomp=FILE" and "seccomp:FILE". */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/container/lsm.h"
#include "engine/container/spec.h"

#define SECCOMP_FILE_MAX (1 << 20)

static int set_no_new_privileges(
	struct spec *spec, const char *value, const char *dir, struct error *err)
{
	(void)dir;
	if (value && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
		return error_set(err, -EINVAL,
			"invalid --security-opt no-new-privileges: '%s' is neither true nor false",
			value);
	spec->no_new_privileges = !value || strcmp(value, "true") == 0;
	return 0;
}

static int set_seccomp(struct spec *spec, const char *value, const char *dir, struct error *err)
{
	cleanup_free char *profile = NULL;
	cleanup_free char *path = NULL;
	size_t length;
	int r;

	if (strcmp(value, "builtin") == 0) {
		free(steal_ptr(spec->seccomp));
		return 0;
	}
	if (strcmp(value, "unconfined") == 0) {
		profile = xstrdup(value);
	} else {
		path = value[0] == '/' ? xstrdup(value) : xasprintf("%s/%s", dir, value);
		r = file_read(AT_FDCWD, path, SECCOMP_FILE_MAX, &profile, &length, err);
		if (r < 0)
			return error_wrap(err, "opening seccomp profile");
	}
	free(spec->seccomp);
	spec->seccomp = steal_ptr(profile);
	return 0;
}

static int set_apparmor(struct spec *spec, const char *value, const char *dir, struct error *err)
{
	int r = lsm_check_apparmor(value, err);

	(void)dir;
	if (r < 0)
		return r;
	free(spec->apparmor_profile);
	spec->apparmor_profile = xstrdup(value);
	return 0;
}

/* Without a label of its own nothing of the container is labelled, which is what "disable" asks. */
static int set_label(struct spec *spec, const char *value, const char *dir, struct error *err)
{
	(void)spec;
	(void)dir;
	if (strcmp(value, "disable") == 0)
		return 0;
	return error_set(err, -EOPNOTSUPP,
		"label:%s: the engine gives processes and files no SELinux labels of their own%s; "
		"label:disable is accepted",
		value, lsm_has_selinux() ? "" : ", and SELinux is not enabled on this host");
}

static int set_systempaths(struct spec *spec, const char *value, const char *dir, struct error *err)
{
	(void)dir;
	if (strcmp(value, "unconfined") != 0)
		return error_set(err, -EINVAL, "systempaths: '%s' is not \"unconfined\"", value);
	spec->unmasked = true;
	return 0;
}

static const struct row {
	const char *name;
	bool value_is_optional;
	int (*set)(struct spec *spec, const char *value, const char *dir, struct error *err);
} rows[] = {
	{ "apparmor", false, set_apparmor },
	{ "label", false, set_label },
	{ "no-new-privileges", true, set_no_new_privileges },
	{ "seccomp", false, set_seccomp },
	{ "systempaths", false, set_systempaths },
};

int spec_add_security_option(
	struct spec *spec, const char *option, const char *dir, struct error *err)
{
	cleanup_free char *name = xstrndup(option, strcspn(option, "=:"));
	const char *value = option[strlen(name)] ? option + strlen(name) + 1 : NULL;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcmp(rows[i].name, name) != 0)
			continue;
		if (rows[i].value_is_optional ? value && !*value : !value || !*value)
			return error_set(
				err, -EINVAL, "invalid --security-opt: '%s' has no value", option);
		return rows[i].set(spec, value, dir, err);
	}
	return error_set(err, -EINVAL,
		"invalid --security-opt: '%s' (known are apparmor, label, no-new-privileges, "
		"seccomp "
		"and systempaths)",
		option);
}
