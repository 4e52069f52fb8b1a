# SPDX-License-Identifier: GPL-2.0-or-later
"""Limits, read back where they hold: inside the container's own cgroup and by what the kernel does at them."""

import os

import pytest

from testhost import wait_until

V2 = not os.path.isdir("/sys/fs/cgroup/memory")
MB = 1 << 20

# flags, file in a v1 hierarchy, its content; file in the v2 hierarchy, its content
READ_BACK = [
    ("-m 100m", "memory/memory.limit_in_bytes", 100 * MB, "memory.max", 100 * MB),
    ("-m 100m", "memory/memory.memsw.limit_in_bytes", 200 * MB, "memory.swap.max", 100 * MB),
    ("-m 100m --memory-swap 150m", "memory/memory.memsw.limit_in_bytes", 150 * MB, "memory.swap.max", 50 * MB),
    ("-m 100m --memory-swap 100m", "memory/memory.memsw.limit_in_bytes", 100 * MB, "memory.swap.max", 0),
    ("-m 100m --memory-reservation 50m", "memory/memory.soft_limit_in_bytes", 50 * MB, "memory.low", 50 * MB),
    ("--cpuset-cpus 1", "cpuset/cpuset.cpus", 1, "cpuset.cpus", 1),
    ("--cpuset 0-1", "cpuset/cpuset.cpus", "0-1", "cpuset.cpus", "0-1"),
    ("--cpu-shares 512", "cpu/cpu.shares", 512, "cpu.weight", 59),
    ("-c 2", "cpu/cpu.shares", 2, "cpu.weight", 1),
    ("--cpus 0.5", "cpu/cpu.cfs_quota_us", 50000, "cpu.max", "50000 100000"),
    ("--cpus 1.25", "cpu/cpu.cfs_quota_us", 125000, "cpu.max", "125000 100000"),
    ("--cpu-period 50000 --cpu-quota 10000", "cpu/cpu.cfs_quota_us", 10000, "cpu.max", "10000 50000"),
    ("--cpu-period 50000 --cpu-quota 10000", "cpu/cpu.cfs_period_us", 50000, "cpu.max", "10000 50000"),
    ("--pids-limit 20", "pids/pids.max", 20, "pids.max", 20),
    ("--pids-limit -1", "pids/pids.max", "max", "pids.max", "max"),
]


def cgroup_file(v1, v2):
    return "/sys/fs/cgroup/" + (v2 if V2 else v1)


@pytest.mark.parametrize("flags, v1, value, v2, value2", READ_BACK)
def test_a_limit_holds_when_the_first_process_begins(bb, flags, v1, value, v2, value2):
    result = bb.once("cat", cgroup_file(v1, v2), flags=flags).ok()
    assert result.out == f"{value2 if V2 else value}\n"


def test_all_limits_at_once(bb):
    flags = "-m 100m --cpuset-cpus 1 --cpu-shares 512 --cpus 0.5 --pids-limit 20"
    names = [(row[1], row[3]) for row in READ_BACK if set(row[0].split()) <= set(flags.split())]
    result = bb.once("cat", *(cgroup_file(*pair) for pair in names), flags=flags).ok()
    expected = [row[4 if V2 else 2] for row in READ_BACK if set(row[0].split()) <= set(flags.split())]
    assert result.out.splitlines() == [str(value) for value in expected] and len(names) == 6


def test_a_container_without_limits_has_none(bb):
    result = bb.once("cat", cgroup_file("pids/pids.max", "pids.max"), cgroup_file("cpu/cpu.cfs_quota_us", "cpu.max")).ok()
    assert result.out.splitlines()[0] == "max" and result.out.splitlines()[1] in ("-1", "max 100000")


def test_the_cpuset_is_what_the_process_may_use(bb):
    assert bb.once("sh", "-c", "grep Cpus_allowed_list /proc/self/status; nproc", flags="--cpuset-cpus 1").ok().out.split() == ["Cpus_allowed_list:", "1", "1"]


def test_row_14_9_too_much_memory_is_an_oom_kill_and_said_so(bb):
    bb.mc("run", "--name", "c", "--network", "none", "-m", "100m", "--memory-swap", "100m", "bb", "probe", "eat", str(200 * MB)).fails(137)
    assert bb.record("c")["oomKilled"] is True
    assert bb.record("c")["exitCode"] == 137


def test_row_14_9_an_oom_kill_of_a_child_is_recorded_too(bb):
    script = f"probe eat {64 * MB}; echo child $?"
    result = bb.mc("run", "--name", "c", "--network", "none", "-m", "32m", "--memory-swap", "32m", "bb", "sh", "-c", script)
    assert result.ok().out.endswith("child 137\n")
    assert bb.record("c")["oomKilled"] is True


def test_row_14_9_a_kill_by_hand_is_no_oom(bb):
    bb.daemon("c", "sleep", "1000", flags="-m 100m")
    bb.mc("kill", "c").ok()
    wait_until(lambda: bb.state("c")["State"] == "exited")
    assert bb.record("c")["exitCode"] == 137 and not bb.record("c").get("oomKilled")


def test_what_fits_into_the_memory_limit_is_left_alone(bb):
    assert bb.once("probe", "eat", str(60 * MB), flags="-m 100m").ok().out == f"ate {60 * MB}\n"


def test_no_more_processes_than_the_limit(bb):
    bb.daemon("c", "probe", "fork-bomb", "100", flags="--pids-limit 20")
    wait_until(lambda: "fork EAGAIN" in bb.mc("logs", "c").out)
    assert bb.mc("logs", "c").out.startswith("forked 19\n")


def test_row_13_9_a_fork_bomb_is_removed(clean):
    clean.daemon("c", "probe", "fork-bomb", "0", flags="--pids-limit 100")
    clean.mc("rm", "-f", "c", timeout=15).ok()


def test_processes_of_exec_are_under_the_same_limits(bb):
    bb.daemon("c", "sleep", "1000", flags="-m 32m --memory-swap 32m --pids-limit 20 --cpuset-cpus 1")
    assert bb.inside("c", "cat", cgroup_file("pids/pids.max", "pids.max"), cgroup_file("cpuset/cpuset.cpus", "cpuset.cpus")).ok().out == "20\n1\n"
    bb.inside("c", "probe", "eat", str(64 * MB)).fails(137)


@pytest.mark.parametrize(
    "flags, message",
    [
        ("-m 1m", "Minimum memory limit allowed is 6MB"),
        ("-m lots", "--memory"),
        ("-m -5m", "--memory"),
        ("-m 100m --memory-swap 50m", "swap"),
        ("--memory-swap 50m", "memory"),
        ("--cpus 0", "--cpus"),
        ("--cpus x", "--cpus"),
        ("--cpus -1", "--cpus"),
        ("--cpus 0.5 --cpu-quota 1000", "--cpus"),
        ("--cpuset-cpus 1-0", "--cpuset-cpus"),
        ("--cpuset-cpus 4000", "4000"),
        ("--cpuset-cpus a", "--cpuset-cpus"),
        ("--cpu-shares -1", "--cpu-shares"),
        ("--pids-limit x", "--pids-limit"),
        ("--ulimit nofile=20:10", "ulimit"),
        ("--ulimit nonsense=1", "nonsense"),
        ("--ulimit nofile", "ulimit"),
        ("--oom-score-adj 2000", "oom"),
        ("--shm-size x", "--shm-size"),
    ],
)
def test_row_10_10_a_bad_limit_is_one_message_and_no_container(clean, flags, message):
    result = clean.once("true", flags=flags).fails(125)
    assert message in result.err.splitlines()[0]


@pytest.mark.parametrize(
    "flags, show, expected",
    [
        ("--ulimit nofile=100:200", "ulimit -n; ulimit -Hn", "100\n200\n"),
        ("--ulimit nofile=100", "ulimit -n; ulimit -Hn", "100\n100\n"),
        ("--ulimit core=0 --ulimit nproc=50", "ulimit -c; grep -c 'Max processes *50 *50 ' /proc/self/limits", "0\n1\n"),
        ("--oom-score-adj 500", "cat /proc/self/oom_score_adj", "500\n"),
        ("--shm-size 8m", "df -k /dev/shm | tail -n 1 | tr -s ' ' | cut -d' ' -f2", "8192\n"),
    ],
)
def test_limits_of_the_process(bb, flags, show, expected):
    assert bb.once("sh", "-c", show, flags=flags).ok().out == expected


def test_limits_of_the_process_hold_in_exec_too(bb):
    bb.daemon("c", "sleep", "1000", flags="--ulimit nofile=100:200 --oom-score-adj 500")
    assert bb.inside("c", "sh", "-c", "ulimit -n; ulimit -Hn; cat /proc/self/oom_score_adj").ok().out == "100\n200\n500\n"


def test_a_soft_limit_is_left_to_the_process(bb):
    bb.once("sh", "-c", "ulimit -Sn 150", flags="--ulimit nofile=100:200").ok()


def test_limits_of_a_compose_file(bb):
    bb.compose(
        """
services:
  old: {image: bb, command: [sleep, "1000"], stop_signal: SIGKILL, mem_limit: 64m, cpus: 0.5, cpu_shares: 256, cpuset: "1", pids_limit: 30}
  new:
    image: bb
    command: [sleep, "1000"]
    stop_signal: SIGKILL
    ulimits: {nofile: {soft: 100, hard: 200}}
    deploy: {resources: {limits: {memory: 48m, cpus: "0.25", pids: 40}}}
"""
    )
    bb.mc("up", "-d").ok()
    files = [
        cgroup_file("memory/memory.limit_in_bytes", "memory.max"),
        cgroup_file("cpu/cpu.cfs_quota_us", "cpu.max"),
        cgroup_file("pids/pids.max", "pids.max"),
    ]
    suffix = " 100000" if V2 else ""
    assert bb.inside("old", "cat", *files).ok().out.splitlines() == [str(64 * MB), "50000" + suffix, "30"]
    assert bb.inside("new", "cat", *files).ok().out.splitlines() == [str(48 * MB), "25000" + suffix, "40"]
    assert bb.inside("old", "grep", "Cpus_allowed_list", "/proc/self/status").ok().out.split()[1] == "1"
    assert bb.inside("new", "sh", "-c", "ulimit -n").ok().out == "100\n"
    bb.mc("down").ok()


def test_limits_are_kept_over_stop_and_start(bb):
    bb.daemon("c", "sleep", "1000", flags="--pids-limit 20 --stop-signal KILL")
    bb.mc("stop", "c").ok()
    bb.mc("start", "c").ok()
    assert bb.inside("c", "cat", cgroup_file("pids/pids.max", "pids.max")).ok().out == "20\n"


def test_a_stopped_container_has_no_cgroup(bb):
    id = bb.daemon("c", "sleep", "1000", flags="--stop-signal KILL")
    find = f"find /sys/fs/cgroup -type d -name '*{id[:12]}*'"
    assert bb.sh(find).ok().out != ""
    bb.mc("stop", "c").ok()
    assert bb.sh(find).ok().out == ""
