/* SPDX-License-Identifier: GPL-2.0-or-later
 * capabilities.c - capability names and sets; the names are libcap's. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/capability.h>

#include "engine/base/memory.h"
#include "engine/base/ascii.h"
#include "engine/container/spec.h"

#define NAME_MAX_LENGTH 40

bool spec_may_unmount(const struct spec *spec)
{
	return spec->capabilities & (UINT64_C(1) << CAP_SYS_ADMIN);
}

uint64_t capabilities_all(void)
{
	int count = cap_max_bits(); /* of the running kernel */
	uint64_t all = 0;

	for (int i = 0; i < count && i < 64; i++)
		if (cap_get_bound((cap_value_t)i) == 1)
			all |= 1ULL << i;
	return all;
}

static bool is_all(const char *name)
{
	return strcasecmp(name, "ALL") == 0;
}

/* cap_from_name also takes numbers, and stops at the first character that is none of a name's:
 * neither is for users to write. */
static int capability_number(const char *name, cap_value_t *ret)
{
	char full[NAME_MAX_LENGTH + sizeof("cap_")];

	if (strncasecmp(name, "CAP_", 4) == 0)
		name += 4;
	for (const char *c = name; *c; c++) {
		if (!ascii_is_alpha(*c) && *c != '_')
			return -EINVAL;
	}
	if (strlen(name) > NAME_MAX_LENGTH)
		return -EINVAL;
	snprintf(full, sizeof(full), "cap_%s", name);
	return cap_from_name(full, ret) < 0 ? -EINVAL : 0;
}

int capability_parse(const char *name, uint64_t *ret_mask, struct error *err)
{
	cap_value_t number;

	if (is_all(name)) {
		*ret_mask = capabilities_all();
		return 0;
	}
	if (capability_number(name, &number) < 0)
		return error_set(err, -EINVAL, "unknown capability: \"%s\"", name);
	*ret_mask = 1ULL << number;
	return 0;
}

/* The union of the named ones; "ALL" is told apart, for it is no capability to Docker. */
static int parse_list(char *const *names, uint64_t *ret_mask, bool *ret_has_all, struct error *err)
{
	uint64_t mask, sum = 0;

	*ret_has_all = false;
	for (; names && *names; names++) {
		int r = capability_parse(*names, &mask, err);

		if (r < 0)
			return r;
		if (is_all(*names))
			*ret_has_all = true;
		else
			sum |= mask;
	}
	*ret_mask = sum;
	return 0;
}

/* Docker's order: an added ALL is every one less the dropped; a dropped ALL leaves the added; else
 * the drops come first, so that one both dropped and added is there. */
int capabilities_combine(
	uint64_t base, char *const *add, char *const *drop, uint64_t *ret, struct error *err)
{
	uint64_t added, dropped;
	bool add_all, drop_all;
	int r = parse_list(add, &added, &add_all, err);

	if (r < 0) {
		error_wrap(err, "cap_add");
		return r;
	}
	r = parse_list(drop, &dropped, &drop_all, err);
	if (r < 0) {
		error_wrap(err, "cap_drop");
		return r;
	}
	if (add_all)
		*ret = capabilities_all() & ~dropped;
	else if (drop_all)
		*ret = added;
	else
		*ret = (base & ~dropped) | added;
	return 0;
}
