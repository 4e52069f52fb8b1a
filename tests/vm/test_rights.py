# SPDX-License-Identifier: GPL-2.0-or-later
"""What a container may use and may not do, where cgroup v2 is all there is: device programs, io.max, statistics, the list of the forbidden."""

# Collected here by their names, and given the fixtures of this folder.
from test_devices import (
    test_a_directory_stands_for_all_devices_below_it,
    test_devices_and_rules_of_a_compose_file,
    test_rules_of_a_file_open_what_they_name,
    test_without_the_device_neither_node_nor_right,
)
from test_forbidden import test_all_are_refused_in_exec_too
from test_resources import (
    test_a_container_that_reads_its_limits_sees_its_own,
    test_blkio_config_of_a_compose_file,
    test_deploy_resources_of_a_compose_file,
    test_real_time_budgets_where_the_kernel_has_them_else_an_error,
    test_swappiness_where_the_groups_have_one_else_a_warning,
    test_the_cgroup_lies_below_the_parent_that_was_named,
    test_the_cgroup_namespace_can_be_the_hosts,
    test_the_oom_killer_can_be_switched_off_where_that_exists,
)
from test_stats_info import test_row_15_5_a_host_with_everything_passes_the_check, test_usage_is_shown_as_docker_shows_it
