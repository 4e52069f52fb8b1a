/* SPDX-License-Identifier: GPL-2.0-or-later
 * keys_test.c - the key tables are whole, and say the same as the page made from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "compose/keys.h"
#include "compose/support.h"
#include "engine/base/files.h"
#include "engine/base/memory.h"
#include "engine/base/strbuf.h"

#define PAGE "docs/compose-support.md"

static void check_table(const struct key_table *table)
{
	assert_true(table->count > 0);
	assert_non_null(table->what);
	for (size_t i = 0; i < table->count; i++) {
		const struct key_row *row = &table->rows[i];

		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(row->name, table->rows[j].name);
		assert_ptr_equal(key_find(table, row->name), row);
		/* A refusal without a reason would tell the user nothing. */
		if (row->status == KEY_NOT_YET || row->status == KEY_REFUSED ||
			row->status == KEY_NO_EFFECT_SAY)
			assert_non_null(row->reason);
		if (row->refuse)
			assert_int_equal(row->status, KEY_SUPPORTED);
		if (row->shape == SHAPE_TABLE || row->shape == SHAPE_TABLES ||
			row->shape == SHAPE_NAMED || row->shape == SHAPE_ULIMITS)
			assert_non_null(row->sub);
		assert_non_null(key_shape_names[row->shape]);
		if (row->sub)
			check_table(row->sub);
	}
}

static void every_table_is_whole(void **state)
{
	(void)state;
	check_table(&document_keys);
}

/* The keys of the specification, by the table they belong to. */
static const struct {
	const struct key_table *table;
	const char *keys;
} specified[] = {
	{ &document_keys, "version name include services models networks volumes secrets configs" },
	{ &service_keys, "annotations attach blkio_config build cap_add cap_drop cgroup "
			 "cgroup_parent command configs "
			 "container_name cpu_count cpu_percent cpu_period cpu_quota cpu_rt_period "
			 "cpu_rt_runtime cpu_shares cpus "
			 "cpuset credential_spec depends_on deploy develop device_cgroup_rules "
			 "devices dns dns_opt dns_search "
			 "domainname entrypoint env_file environment expose extends external_links "
			 "extra_hosts gpus group_add "
			 "healthcheck hostname image init ipc isolation label_file labels links "
			 "logging mac_address mem_limit "
			 "mem_reservation mem_swappiness memswap_limit models network_mode "
			 "networks oom_kill_disable oom_score_adj pid "
			 "pids_limit platform ports post_start pre_stop privileged profiles "
			 "provider pull_policy pull_refresh_after "
			 "read_only restart runtime scale secrets security_opt shm_size stdin_open "
			 "stop_grace_period stop_signal "
			 "storage_opt sysctls tmpfs tty ulimits use_api_socket user userns_mode "
			 "uts volumes volumes_from working_dir" },
	{ &build_keys, "additional_contexts args cache_from cache_to context dockerfile "
		       "dockerfile_inline entitlements extra_hosts "
		       "isolation labels network no_cache platforms privileged provenance pull "
		       "sbom secrets shm_size ssh tags target "
		       "ulimits" },
	{ &deploy_keys, "endpoint_mode labels mode placement replicas resources restart_policy "
			"rollback_config update_config" },
	{ &watch_keys, "action exec ignore include initial_sync path target" },
	{ &hook_keys, "command environment privileged user working_dir" },
	{ &network_keys, "attachable driver driver_opts enable_ipv4 enable_ipv6 external internal "
			 "ipam labels name" },
	{ &volume_keys, "driver driver_opts external labels name" },
	{ &secret_keys,
		"driver driver_opts environment external file labels name template_driver" },
	{ &config_keys, "content environment external file labels name template_driver" },
	{ &model_keys, "context_size model name runtime_flags" },
	{ &include_keys, "env_file path project_directory" },
};

static void every_key_of_the_specification_has_a_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(specified); i++) {
		cleanup_free char *keys = xstrdup(specified[i].keys);
		size_t count = 0;
		char *rest = NULL;

		for (char *key = strtok_r(keys, " ", &rest); key;
			key = strtok_r(NULL, " ", &rest), count++)
			if (!key_find(specified[i].table, key))
				fail_msg("%s: no row for '%s'", specified[i].table->what, key);
		/* And no row is without a key: it would promise what nobody specified. Extensions
		 * of ours are in their documentation. */
		for (size_t n = 0; n < specified[i].table->count; n++)
			count += strncmp(specified[i].table->rows[n].name, "x-", 2) == 0;
		assert_int_equal(count, specified[i].table->count);
	}
}

static void the_page_is_made_from_the_tables(void **state)
{
	cleanup_strbuf struct strbuf page = STRBUF_INIT;
	cleanup_free char *stored = NULL;
	size_t length;

	(void)state;
	support_page(&page);
	if (getenv("WRITE_COMPOSE_SUPPORT")) {
		cleanup_fd int fd = file_open(AT_FDCWD, "docs", O_RDONLY | O_DIRECTORY, 0, NULL);

		assert_int_equal(file_replace(fd, "compose-support.md", page.data, page.length,
					 0644, FILE_VOLATILE, NULL),
			0);
	}
	assert_int_equal(file_read(AT_FDCWD, PAGE, 1 << 20, &stored, &length, NULL), 0);
	if (strcmp(stored, page.data) != 0)
		fail_msg(PAGE " is out of date: run this test with WRITE_COMPOSE_SUPPORT=1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_table_is_whole),
		cmocka_unit_test(every_key_of_the_specification_has_a_row),
		cmocka_unit_test(the_page_is_made_from_the_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
