# SPDX-License-Identifier: GPL-2.0-or-later
"""What a container may use beside memory and CPU time: block devices, swappiness, real-time budgets, its place among the cgroups."""

import os

import pytest

V2 = not os.path.isdir("/sys/fs/cgroup/memory")
MB = 1 << 20


def disk():
    """A whole disk that the kernel throttles: its path and numbers."""
    for name in sorted(os.listdir("/sys/block"), key=lambda name: (name.startswith("loop"), name)):
        if name.startswith(("vd", "sd", "nvme", "loop")) and os.path.exists(f"/dev/{name}"):
            return f"/dev/{name}", open(f"/sys/block/{name}/dev").read().strip()
    pytest.skip("needs privilege: a block device")


THROTTLES = [
    ("device-read-bps", "device_read_bps", "1mb", "blkio.throttle.read_bps_device", MB, "rbps"),
    ("device-write-bps", "device_write_bps", "2mb", "blkio.throttle.write_bps_device", 2 * MB, "wbps"),
    ("device-read-iops", "device_read_iops", "300", "blkio.throttle.read_iops_device", 300, "riops"),
    ("device-write-iops", "device_write_iops", "400", "blkio.throttle.write_iops_device", 400, "wiops"),
]


def holds(text, v1, numbers, value, word):
    if V2:
        return any(line.startswith(numbers + " ") and f"{word}={value}" in line.split() for line in text.splitlines())
    return f"{numbers}\t{value}" in text or f"{numbers} {value}" in text


@pytest.mark.parametrize("flag, key, given, v1, value, word", THROTTLES)
def test_a_block_device_is_throttled_as_the_flag_says(bb, flag, key, given, v1, value, word):
    path, numbers = disk()
    file = "/sys/fs/cgroup/" + ("io.max" if V2 else "blkio/" + v1)
    text = bb.once("cat", file, flags=f"--{flag} {path}:{given}").ok().out
    assert holds(text, v1, numbers, value, word), text


def test_blkio_config_of_a_compose_file(bb):
    path, numbers = disk()
    lists = "".join(f"      {key}: [{{path: {path}, rate: '{given}'}}]\n" for _, key, given, *_ in THROTTLES)
    bb.compose("services:\n  a:\n    image: bb\n    command: [sleep, '1000']\n    stop_signal: SIGKILL\n    blkio_config:\n      weight: 300\n" + lists)
    bb.mc("up", "-d").ok()
    for _, _, _, v1, value, word in THROTTLES:
        text = bb.inside("a", "cat", "/sys/fs/cgroup/" + ("io.max" if V2 else "blkio/" + v1)).ok().out
        assert holds(text, v1, numbers, value, word), text
    assert "Running" in bb.mc("up", "-d").ok().err
    bb.mc("down").ok()


def test_a_throttled_container_reads_no_faster(bb):
    file = bb.directory / "data"
    numbers = os.stat(bb.directory).st_dev
    link = f"/sys/dev/block/{os.major(numbers)}:{os.minor(numbers)}"
    if not os.path.exists(link) or os.path.exists(link + "/partition"):
        pytest.skip("needs privilege: tests in a file system on a whole disk")
    with open(file, "wb") as out:
        out.write(os.urandom(3 * MB))
        out.flush()
        os.fsync(out.fileno())
        os.posix_fadvise(out.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    path = "/dev/" + os.path.basename(os.path.realpath(link))
    script = "cut -d' ' -f1 /proc/uptime; cat /mine | wc -c; cut -d' ' -f1 /proc/uptime"
    begin, length, end = bb.once("sh", "-c", script, flags=f"-v {file}:/mine:ro --device-read-bps {path}:1mb").ok().out.split()
    assert int(length) == 3 * MB and float(end) - float(begin) > 1.5  # of three megabytes the first may come at once


@pytest.mark.parametrize(
    "flags, message",
    [
        ("--device-read-bps /dev/null:1mb", "is no block device"),
        ("--device-read-bps /dev/there-is-none:1mb", "No such file"),
        ("--device-read-bps /dev/sda", "--device-read-bps"),
        ("--device-read-bps /dev/sda:x", "--device-read-bps"),
        ("--blkio-weight 5", "blkio weight"),
        ("--blkio-weight-device /dev/sda:1", "weight_device"),
        ("--memory-swappiness 101", "swappiness"),
        ("--hugepages 2MB", "--hugepages: '2MB' is not PAGE_SIZE=BYTES"),
        ("--hugepages 3MB=64m", "--hugepages: '3MB' is no size of huge pages"),
        ("--hugepages 2MB=many", "--hugepages: 'many' is no number of bytes"),
        ("--cpu-rt-runtime 20 --cpu-rt-period 10", "real-time"),
        ("--cgroup-parent ../x", "cgroup parent"),
        ("--storage-opt size=1g", "--storage-opt"),
        ("--userns keep-id", "--userns"),
    ],
)
def test_row_10_10_what_cannot_be_is_one_message_and_no_container(clean, flags, message):
    assert message in clean.once("true", flags=flags).fails(125).err.splitlines()[0]


def test_the_weight_is_set_where_the_kernel_has_one(bb):
    script = "cd /sys/fs/cgroup; for f in blkio/blkio.bfq.weight blkio/blkio.weight io.bfq.weight io.weight; do [ -e $f ] && cat $f; done; echo end"
    shown = bb.once("sh", "-c", script, flags="--blkio-weight 300").ok().out.split()
    assert shown == ["end"] or "300" in shown or "2930" in shown


def test_swappiness_where_the_groups_have_one_else_a_warning(bb):
    if V2:
        assert "mem_swappiness has no effect" in bb.once("true", flags="--memory-swappiness 7").ok().err
        return
    assert bb.once("cat", "/sys/fs/cgroup/memory/memory.swappiness", flags="--memory-swappiness 7").ok().out == "7\n"
    assert bb.once("cat", "/sys/fs/cgroup/memory/memory.swappiness", flags="--memory-swappiness 0").ok().out == "0\n"


def test_the_oom_killer_can_be_switched_off_where_that_exists(bb):
    if V2:
        assert "oom_kill_disable has no effect" in bb.once("true", flags="-m 32m --oom-kill-disable").ok().err
        return
    shown = bb.once("cat", "/sys/fs/cgroup/memory/memory.oom_control", flags="-m 32m --oom-kill-disable").ok().out
    assert "oom_kill_disable 1" in shown.splitlines()


def test_real_time_budgets_where_the_kernel_has_them_else_an_error(bb):
    group = next((path for path in bb.cgroups if (path / "cpu.rt_runtime_us").exists()), None)
    flags = "--cpu-rt-period 500000 --cpu-rt-runtime 5000"
    if group is None:
        assert "real-time scheduler" in bb.once("true", flags=flags).fails(125).err
        return
    assert "real-time budget" in bb.once("true", flags=flags).fails(125).err  # this host has none to give
    (group / "cpu.rt_runtime_us").write_text("40000")
    shown = bb.once("sh", "-c", "cd /sys/fs/cgroup/cpu; cat cpu.rt_period_us cpu.rt_runtime_us", flags=flags).ok().out
    assert shown == "500000\n5000\n"
    bb.daemon("c", "sleep", "1000", flags=flags + " --stop-signal KILL")
    for _ in range(5):  # what one had, the next has: five of them in turn fit where four at a time do
        bb.once("true", flags=flags).ok()


def test_the_cgroup_lies_below_the_parent_that_was_named(bb):
    id = bb.daemon("c", "sleep", "1000", flags="--cgroup-parent /custom/group --pids-limit 20 --stop-signal KILL")
    found = bb.sh(f"find /sys/fs/cgroup -type d -name {id}").ok().out.split()
    assert found and all("/custom/group/" in path for path in found)
    assert bb.inside("c", "cat", "/sys/fs/cgroup/" + ("pids.max" if V2 else "pids/pids.max")).ok().out == "20\n"
    bb.mc("container", "ls").ok()
    bb.mc("stop", "c").ok()
    assert bb.sh(f"find /sys/fs/cgroup -type d -name {id}").ok().out == ""
    bb.mc("rm", "c").ok()
    # What was the user's stays, what was made in it goes.
    assert bb.sh("find /sys/fs/cgroup -path '*/custom/group/*' -type d").ok().out == ""


def test_a_killed_supervisor_leaves_nothing_in_a_named_parent(bb):
    bb.compose("services:\n  a:\n    image: bb\n    command: [sleep, '1000']\n    stop_signal: SIGKILL\n    cgroup_parent: custom\n")
    bb.mc("up", "-d").ok()
    assert bb.sh("find /sys/fs/cgroup -path '*/custom/*' -type d").ok().out != ""
    assert "sleep 1000" in bb.mc("top").ok().out
    bb.sh("kill -9 $(pgrep -x mycompose)").ok()
    bb.mc("down").ok()
    assert bb.sh("find /sys/fs/cgroup -path '*/custom/*' -type d; pgrep sleep; true").ok().out == ""


def test_the_cgroup_namespace_can_be_the_hosts(bb):
    id = bb.daemon("c", "sleep", "1000", flags="--cgroupns host")
    assert f"/mycompose/{id}" in bb.inside("c", "cat", "/proc/1/cgroup").ok().out
    bb.inside("c", "sh", "-c", "mkdir /sys/fs/cgroup/x || mkdir /sys/fs/cgroup/pids/x").fails()
    bb.compose("services:\n  a: {image: bb, command: [cat, /proc/1/cgroup], cgroup: host}\n  b: {image: bb, command: [cat, /proc/1/cgroup], cgroup: private}\n")
    assert "/mycompose/" in bb.mc("run", "--rm", "-T", "a").ok().out
    assert "/mycompose/" not in bb.mc("run", "--rm", "-T", "b").ok().out


def test_a_container_that_reads_its_limits_sees_its_own(bb):
    flags = "-m 96m --memory-swap 96m --cpus 0.5 --cpuset-cpus 1 --pids-limit 33"
    v1 = "memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us cpuset/cpuset.cpus pids/pids.max"
    v2 = "memory.max cpu.max cpuset.cpus pids.max"
    shown = bb.once("sh", "-c", f"cd /sys/fs/cgroup && cat {v2 if V2 else v1} && nproc && cat /proc/self/cgroup", flags=flags).ok().out.splitlines()
    assert shown[:5] == [str(96 * MB), "50000 100000" if V2 else "50000", "1", "33", "1"]
    assert all(line.endswith(":/") for line in shown[5:])
    # Nothing of other groups is to be seen, and nothing can be raised from within.
    others = "find /sys/fs/cgroup -mindepth 1 -type d ! -path '/sys/fs/cgroup/[a-z_,=]*' ; find /sys/fs/cgroup -mindepth 2 -type d"
    assert bb.once("sh", "-c", others, flags=flags).ok().out == ""
    raise_it = f"echo 1000 > /sys/fs/cgroup/{'pids.max' if V2 else 'pids/pids.max'}"
    assert "Read-only" in bb.once("sh", "-c", raise_it, flags=flags).fails().err


def test_deploy_resources_of_a_compose_file(bb):
    bb.compose(
        """
services:
  a:
    image: bb
    command: [sleep, "1000"]
    stop_signal: SIGKILL
    mem_swappiness: 11
    deploy:
      resources:
        limits: {cpus: "0.25", memory: 48m, pids: 40}
        reservations: {memory: 24m, cpus: "0.1"}
"""
    )
    bb.mc("up", "-d").ok()
    v1 = "memory/memory.limit_in_bytes memory/memory.soft_limit_in_bytes memory/memory.swappiness cpu/cpu.cfs_quota_us pids/pids.max"
    v2 = "memory.max memory.low cpu.max pids.max"
    shown = bb.inside("a", "sh", "-c", f"cd /sys/fs/cgroup && cat {v2 if V2 else v1}").ok().out.split("\n")
    expected = [48 * MB, 24 * MB, "25000 100000", 40] if V2 else [48 * MB, 24 * MB, 11, 25000, 40]
    assert shown[:-1] == [str(value) for value in expected]
    bb.mc("down").ok()


@pytest.mark.parametrize(
    "line, message",
    [
        ("mem_swappiness: 101", "compose.yaml:5:21: services.b: mem_swappiness: invalid value"),
        ("blkio_config: {weight: 5}", "compose.yaml:5:19: services.b: blkio_config.weight: 5"),
        ("memswap_limit: 50m", "compose.yaml:5:20: services.b: memswap_limit counts memory and swap together"),
        ("cpu_shares: 1", "compose.yaml:5:17: services.b: cpu_shares: 1 is not within"),
        ("cgroup_parent: ../x", "compose.yaml:5:20: services.b.cgroup_parent: cgroup parent '../x'"),
        ("blkio_config: {device_read_bps: [{path: sda, rate: 5}]}", "services.b: blkio_config.device_read_bps: 'sda'"),
    ],
)
def test_a_limit_that_cannot_be_is_told_with_its_place_before_anything_is_made(clean, line, message):
    clean.compose(f"services:\n  a: {{image: bb, command: [sleep, '1000']}}\n  b:\n    image: bb\n    {line}\n")
    err = clean.mc("up", "-d").fails().err
    assert message in err and len(err.splitlines()) == 1
