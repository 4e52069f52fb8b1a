# SPDX-License-Identifier: GPL-2.0-or-later
"""Those of the whole-program tests whose outcome the kernel decides: its cgroup version, its modules, the system calls it lacks."""

# Collected here by their names, and given the fixtures of this folder.
from test_counter import counter, test_the_page_counts_up_for_outside_host_and_localhost
from test_detached import test_exec_joins_all_namespaces_and_the_cgroup
from test_hardening import (
    test_row_2_4_clone3_says_that_it_is_not_there,
    test_row_2_8_a_call_of_the_future_says_that_it_is_not_there,
    test_row_3_9_every_cgroup_mount_is_read_only,
    test_row_4_1_a_node_can_be_made_but_not_opened,
    test_row_4_1_privileged_may_open_all,
    test_row_4_1_the_default_devices_can_be_opened_wherever_they_are,
)
from test_limits import (
    test_a_container_without_limits_has_none,
    test_a_limit_holds_when_the_first_process_begins,
    test_a_stopped_container_has_no_cgroup,
    test_limits_are_kept_over_stop_and_start,
    test_limits_of_a_compose_file,
    test_no_more_processes_than_the_limit,
    test_processes_of_exec_are_under_the_same_limits,
    test_row_13_9_a_fork_bomb_is_removed,
    test_row_14_9_a_kill_by_hand_is_no_oom,
    test_row_14_9_an_oom_kill_of_a_child_is_recorded_too,
    test_row_14_9_too_much_memory_is_an_oom_kill_and_said_so,
    test_the_cpuset_is_what_the_process_may_use,
)
from test_namespaces import (
    test_every_kind_of_namespace_is_of_the_containers_own,
    test_row_3_1_the_hosts_mounts_are_invisible,
    test_the_own_cgroup_is_the_root_of_the_view,
)
from test_network_drivers import (
    lan,
    vlan,
    test_a_container_is_a_neighbour_of_the_outside,
    test_a_parent_that_carries_macvlans_carries_no_ipvlan,
    test_a_vlan_goes_with_the_last_network_on_it,
    test_a_vlan_of_a_link_that_is_down_is_told_and_not_left,
    test_a_vlan_of_the_parent_is_made_and_tags_what_is_sent,
    test_an_ipvlan_of_layer_3_routes_through_the_link,
    test_containers_of_a_private_ipvlan_do_not_reach_each_other,
    test_ipv6_neighbours_are_told_too,
    test_it_goes_with_its_containers,
    test_names_are_answered_inside_and_over_a_restart,
    test_neighbours_that_know_the_address_by_another_mac_are_told,
    test_up_makes_a_vlan_and_down_removes_it_unless_it_was_there,
)
from test_networks import (
    net,
    test_a_published_port_is_reached_from_outside_the_host_and_localhost,
    test_containers_reach_each_other_by_address_and_by_name,
    test_row_12_4_networks_do_not_reach_each_other,
    test_the_way_out_is_masqueraded,
)
from test_rootfs import test_nothing_is_left_of_a_removed_container, test_the_root_is_an_overlay_of_the_images_layers_and_a_writable_one
from test_supervisor import test_an_adopted_container_is_watched, test_an_end_after_the_supervisors_death_is_known_or_said_to_be_unknown
