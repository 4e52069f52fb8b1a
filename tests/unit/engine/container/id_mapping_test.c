/* SPDX-License-Identifier: GPL-2.0-or-later
 * id_mapping_test.c - the words for user namespaces, the rules for maps, and what maps answer. */
#include "engine/container/id_mapping.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/strbuf.h"
#include "engine/container/setup.h"

static void check_refused(const char *mode, int code, const char *words)
{
	cleanup_error struct error err = ERROR_INIT;
	struct spec spec = { 0 };

	assert_int_equal(spec_set_user_namespace(&spec, mode, &err), code);
	if (!strstr(error_text(&err), words))
		fail_msg("'%s': '%s' is not in: %s", mode, words, error_text(&err));
	spec_release(&spec);
}

static void check_maps(const char *mode, const char *uid_map, const char *gid_map)
{
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *uids = NULL, *gids = NULL;
	struct spec spec = { 0 };

	if (spec_set_user_namespace(&spec, mode, &err) < 0)
		fail_msg("'%s': %s", mode, error_text(&err));
	uids = id_map_text(spec.uid_map, spec.uid_map_count);
	gids = id_map_text(spec.gid_map, spec.gid_map_count);
	assert_string_equal(uids, uid_map);
	assert_string_equal(gids, gid_map);
	assert_true(spec_is_mapped(&spec));
	assert_int_equal(spec.ids_wanted, 0);
	spec_release(&spec);
}

static void check_wanted(const char *mode, uint32_t wanted)
{
	struct spec spec = { 0 };

	assert_int_equal(spec_set_user_namespace(&spec, mode, NULL), 0);
	assert_int_equal(spec.ids_wanted, wanted);
	assert_int_equal(spec_is_mapped(&spec), wanted != 0);
	assert_int_equal(spec.uid_map_count + spec.gid_map_count, 0);
}

static void row_4_5_words_that_pick_a_range(void **state)
{
	(void)state;
	check_wanted(NULL, 0);
	check_wanted("", 0);
	check_wanted("host", 0);
	check_wanted("auto", ID_RANGE_SIZE);
	check_wanted("private", ID_RANGE_SIZE);
	check_wanted("auto:", ID_RANGE_SIZE);
	check_wanted("auto:size=1", 1);
	check_wanted("auto:size=2147483647", INT32_MAX);
}

static void row_4_5_given_maps(void **state)
{
	(void)state;
	check_maps("auto:uidmapping=0:1:1", "0 1 1\n", "0 1 1\n");
	check_maps("auto:gidmapping=0:5:2", "0 5 2\n", "0 5 2\n");
	check_maps("auto:uidmapping=0:100:10,gidmapping=0:200:20", "0 100 10\n", "0 200 20\n");
	check_maps("auto:uidmapping=10:300:5,uidmapping=0:100:10", "10 300 5\n0 100 10\n",
		"10 300 5\n0 100 10\n");
	/* The last id that there is. */
	check_maps("auto:uidmapping=0:1:4294967294", "0 1 4294967294\n", "0 1 4294967294\n");
	check_maps("auto:uidmapping=0:7:1,uidmapping=4294967294:8:1", "0 7 1\n4294967294 8 1\n",
		"0 7 1\n4294967294 8 1\n");
}

static void the_last_word_counts(void **state)
{
	struct spec spec = { 0 };

	(void)state;
	assert_int_equal(spec_set_user_namespace(&spec, "auto:uidmapping=0:1:1", NULL), 0);
	assert_int_equal(spec_set_user_namespace(&spec, "", NULL), 0);
	assert_int_equal(spec_set_user_namespace(&spec, NULL, NULL), 0);
	assert_int_equal(spec.uid_map_count, 1);
	assert_int_equal(spec_set_user_namespace(&spec, "auto", NULL), 0);
	assert_int_equal(spec.uid_map_count + spec.gid_map_count, 0);
	assert_int_equal(spec.ids_wanted, ID_RANGE_SIZE);
	assert_int_equal(spec_set_user_namespace(&spec, "auto:uidmapping=0:5:1", NULL), 0);
	assert_int_equal(spec.uid_map[0].outside, 5);
	assert_int_equal(spec.ids_wanted, 0);
	assert_int_equal(spec_set_user_namespace(&spec, "host", NULL), 0);
	assert_false(spec_is_mapped(&spec));
	spec_release(&spec);
}

static void row_4_5_words_that_are_refused(void **state)
{
	(void)state;
	check_refused("keep-id", -EOPNOTSUPP, "the caller's own id");
	check_refused("keep-id:uid=5", -EOPNOTSUPP, "the caller's own id");
	check_refused("nomap", -EOPNOTSUPP, "the caller's own id");
	check_refused("ns:/proc/1/ns/user", -EOPNOTSUPP, "so it gets its own");
	check_refused("container:c", -EOPNOTSUPP, "so it gets its own");
	check_refused("hosts", -EINVAL, "there are host, private, auto");
	check_refused("auto ", -EINVAL, "there are host, private, auto");
	check_refused("private:size=5", -EINVAL, "there are host, private, auto");
	check_refused("auto:sizes=5", -EINVAL, "unknown option 'sizes=5'");
	check_refused("auto:size", -EINVAL, "unknown option 'size'");
	check_refused("auto:size=0", -EINVAL, "size '0'");
	check_refused("auto:size=-1", -EINVAL, "size '-1'");
	check_refused("auto:size=2147483648", -EINVAL, "size '2147483648'");
	check_refused("auto:size=10,uidmapping=0:1:1", -EINVAL, "leave no room for");
}

static void row_4_5_maps_that_are_refused(void **state)
{
	(void)state;
	check_refused("auto:uidmapping=0:1", -EINVAL, "is no mapping");
	check_refused("auto:uidmapping=0:1:1:1", -EINVAL, "is no mapping");
	check_refused("auto:uidmapping=@0:1:1", -EINVAL, "is no mapping");
	check_refused("auto:uidmapping=0:-1:1", -EINVAL, "is no mapping");
	check_refused("auto:uidmapping=0:4294967296:1", -EINVAL, "is no mapping");
	check_refused("auto:uidmapping=0:1:0", -EINVAL, "maps nothing");
	check_refused("auto:uidmapping=0:0:1", -EINVAL, "holds the host's id 0");
	check_refused("auto:uidmapping=0:5:1,uidmapping=1:0:1", -EINVAL, "holds the host's id 0");
	check_refused("auto:uidmapping=0:5:1,gidmapping=0:0:1", -EINVAL, "the group mapping");
	check_refused("auto:uidmapping=0:2:4294967294", -EINVAL, "goes beyond");
	check_refused("auto:uidmapping=2:1:4294967294", -EINVAL, "goes beyond");
	check_refused("auto:uidmapping=0:4294967295:1", -EINVAL, "goes beyond");
	check_refused("auto:uidmapping=1:100:10", -EINVAL, "the container's id 0");
	check_refused("auto:uidmapping=0:1:5,gidmapping=1:1:5", -EINVAL, "no group mapping");
	check_refused("auto:uidmapping=0:100:10,uidmapping=9:200:1", -EINVAL, "overlap");
	check_refused("auto:uidmapping=0:100:10,uidmapping=10:109:1", -EINVAL, "overlap");
	check_refused("auto:uidmapping=10:100:10,uidmapping=0:95:6", -EINVAL, "overlap");
}

static void row_4_5_as_many_lines_as_the_kernel_takes(void **state)
{
	struct strbuf mode = STRBUF_INIT;
	cleanup_error struct error err = ERROR_INIT;
	struct spec spec = { 0 };

	(void)state;
	strbuf_add_str(&mode, "auto:");
	for (unsigned int i = 0; i < ID_MAP_LINES_MAX; i++)
		strbuf_addf(&mode, "uidmapping=%u:%u:1,", i, 10 + 2 * i);
	assert_int_equal(spec_set_user_namespace(&spec, strbuf_text(&mode), &err), 0);
	assert_int_equal(spec.uid_map_count, ID_MAP_LINES_MAX);
	spec_release(&spec);
	strbuf_addf(&mode, "uidmapping=%u:5:1", ID_MAP_LINES_MAX);
	assert_int_equal(spec_set_user_namespace(&spec, strbuf_text(&mode), &err), -E2BIG);
	spec_release(&spec);
	strbuf_release(&mode);
}

static void row_4_5_ids_of_the_host(void **state)
{
	struct spec spec = { 0 };
	gid_t groups[] = { 3, 29 };
	struct process_user user = { 0, 5, groups, 1, NULL };
	cleanup_error struct error err = ERROR_INIT;
	uint32_t id;

	(void)state;
	assert_int_equal(spec_host_uid(&spec, 70000, &id, NULL), 0);
	assert_int_equal(id, 70000);
	assert_int_equal(spec_set_user_namespace(
				 &spec, "auto:uidmapping=0:1000:10,uidmapping=20:5000:10", NULL),
		0);
	assert_int_equal(spec_host_uid(&spec, 9, &id, NULL), 0);
	assert_int_equal(id, 1009);
	assert_int_equal(spec_host_gid(&spec, 20, &id, NULL), 0);
	assert_int_equal(id, 5000);
	assert_int_equal(spec_host_uid(&spec, 29, &id, NULL), 0);
	assert_int_equal(id, 5009);
	assert_int_equal(spec_host_uid(&spec, 10, &id, &err), -EINVAL);
	assert_string_equal(
		error_text(&err), "user id 10 is not one of the container's: it has 0-9, 20-29");
	assert_int_equal(spec_host_gid(&spec, 30, &id, NULL), -EINVAL);
	assert_int_equal(spec_host_gid(&spec, UINT32_MAX, &id, NULL), -EINVAL);
	assert_int_equal(id_mapping_check_user(&spec, &user, NULL), 0);
	user.group_count = 2;
	assert_int_equal(id_mapping_check_user(&spec, &user, NULL), 0);
	groups[1] = 30;
	assert_int_equal(id_mapping_check_user(&spec, &user, NULL), -EINVAL);
	user = (struct process_user){ 10, 5, NULL, 0, NULL };
	assert_int_equal(id_mapping_check_user(&spec, &user, NULL), -EINVAL);
	spec_release(&spec);
}

static void check_rest(struct spec spec, const char *words)
{
	cleanup_error struct error err = ERROR_INIT;

	assert_int_equal(id_mapping_check_rest(&spec, &err), words ? -EINVAL : 0);
	if (words && !strstr(error_text(&err), words))
		fail_msg("'%s' is not in: %s", words, error_text(&err));
	/* Without a mapping all of it is fine. */
	spec.ids_wanted = 0;
	assert_int_equal(id_mapping_check_rest(&spec, NULL), 0);
}

static void row_4_5_what_does_not_go_together(void **state)
{
	struct spec_mount mount = { .destination = (char *)"/b", .propagation = (char *)"rshared" };

	(void)state;
	check_rest((struct spec){ .ids_wanted = 5 }, NULL);
	check_rest((struct spec){ .ids_wanted = 5, .privileged = true }, "privileged mode");
	check_rest((struct spec){ .ids_wanted = 5, .network = { NAMESPACE_HOST, NULL } },
		"host's network namespace");
	check_rest((struct spec){ .ids_wanted = 5, .pid = { NAMESPACE_HOST, NULL } }, "PID");
	check_rest((struct spec){ .ids_wanted = 5, .ipc = { NAMESPACE_HOST, NULL } }, "IPC");
	check_rest((struct spec){ .ids_wanted = 5, .cgroup = { NAMESPACE_HOST, NULL } }, "cgroup");
	check_rest((struct spec){ .ids_wanted = 5, .uts = { NAMESPACE_HOST, NULL } }, NULL);
	check_rest((struct spec){ .ids_wanted = 5, .ipc = { NAMESPACE_CONTAINER, (char *)"x" } },
		"cannot join the IPC namespace of container x");
	check_rest((struct spec){ .ids_wanted = 5, .mounts = &mount, .mount_count = 1 },
		"would let root of a user namespace mount on the host");
	mount.propagation = (char *)"rslave";
	check_rest((struct spec){ .ids_wanted = 5, .mounts = &mount, .mount_count = 1 }, NULL);
}

static void row_4_5_the_record_keeps_maps(void **state)
{
	struct spec spec = { .capabilities = 1 }, copy = { 0 };
	cleanup_free char *uids = NULL;
	struct json *json;

	(void)state;
	spec.args = xcalloc(2, sizeof(*spec.args));
	spec.args[0] = xstrdup("true");
	assert_int_equal(
		spec_set_user_namespace(&spec,
			"auto:uidmapping=0:1000:10,uidmapping=20:5000:10,gidmapping=0:7:1", NULL),
		0);
	json = spec_to_json(&spec);
	assert_int_equal(spec_from_json(json, &copy, NULL), 0);
	uids = id_map_text(copy.uid_map, copy.uid_map_count);
	assert_string_equal(uids, "0 1000 10\n20 5000 10\n");
	assert_int_equal(copy.gid_map_count, 1);
	assert_int_equal(copy.gid_map[0].outside, 7);
	json_free(json);
	spec_release(&spec);
	spec_release(&copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(row_4_5_words_that_pick_a_range),
		cmocka_unit_test(row_4_5_given_maps),
		cmocka_unit_test(the_last_word_counts),
		cmocka_unit_test(row_4_5_words_that_are_refused),
		cmocka_unit_test(row_4_5_maps_that_are_refused),
		cmocka_unit_test(row_4_5_as_many_lines_as_the_kernel_takes),
		cmocka_unit_test(row_4_5_ids_of_the_host),
		cmocka_unit_test(row_4_5_what_does_not_go_together),
		cmocka_unit_test(row_4_5_the_record_keeps_maps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
