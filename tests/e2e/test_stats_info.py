# SPDX-License-Identifier: GPL-2.0-or-later
"""stats: what containers use, beside the kernel's own counts. info and check: what this host offers."""

import json
import re
import signal

import pytest

from testhost import BINARY, ROOT, Terminal, wait_until

WITHOUT = ROOT / "tests/e2e/without.py"
MB = 1 << 20
HEADER = ["CONTAINER ID", "NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET I/O", "BLOCK I/O", "PIDS"]


def rows(result):
    return {row["Name"]: row for row in map(json.loads, result.ok().out.splitlines())}


def size(text):
    number, unit = re.fullmatch(r"([0-9.e+]+)([A-Za-z]+)", text).groups()
    powers = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1 << 10, "MiB": MB, "GiB": 1 << 30}
    return float(number) * powers[unit]


def test_usage_is_shown_as_docker_shows_it(bb):
    id = bb.daemon("c", "probe", "eat", str(20 * MB), "stay", flags="-m 64m --pids-limit 20")
    wait_until(lambda: "ate" in bb.mc("logs", "c").out)
    lines = bb.mc("stats", "--no-stream").ok().out.splitlines()
    assert re.split(r" {2,}", lines[0].strip()) == HEADER and lines[1].startswith(id[:12] + "   c ")
    row = rows(bb.mc("stats", "--no-stream", "--format", "json"))["c"]
    assert sorted(row) == ["BlockIO", "CPUPerc", "Container", "ID", "MemPerc", "MemUsage", "Name", "NetIO", "PIDs"]
    used, limit = row["MemUsage"].split(" / ")
    assert 20 * MB <= size(used) < 30 * MB and limit == "64MiB" and row["PIDs"] == "1"
    assert abs(float(row["MemPerc"].rstrip("%")) - 100 * size(used) / (64 * MB)) < 0.5
    assert bb.mc("stats", "--no-stream", "--no-trunc", "--format", "{{.ID}} {{.Name}}").ok().out == f"{id} c\n"


def test_a_busy_container_has_its_share_of_a_processor(bb):
    bb.daemon("busy", "sh", "-c", "while :; do :; done", flags="--cpus 0.3")
    bb.daemon("idle", "sleep", "1000")
    seen = rows(bb.mc("stats", "--no-stream", "--format", "json"))
    assert 5 < float(seen["busy"]["CPUPerc"].rstrip("%")) < 45
    assert float(seen["idle"]["CPUPerc"].rstrip("%")) < 1


def test_what_went_over_the_network_is_counted(bb):
    bb.daemon("c", "sleep", "1000", network="bridge")
    before = rows(bb.mc("stats", "--no-stream", "--format", "json"))["c"]["NetIO"]
    address = bb.inside("c", "sh", "-c", "ip -4 -o addr show eth0 | tr -s ' ' | cut -d' ' -f4 | cut -d/ -f1").ok().out.strip()
    bb.run("busybox", "ping", "-c", "2", "-s", "30000", address).ok()
    wait_until(lambda: size(rows(bb.mc("stats", "--no-stream", "--format", "json"))["c"]["NetIO"].split(" / ")[0]) > 20000)
    assert size(before.split(" / ")[0]) < 20000


def test_a_container_in_the_hosts_network_has_no_network_of_its_own(bb):
    bb.daemon("c", "sleep", "1000", network="host")
    assert rows(bb.mc("stats", "--no-stream", "--format", "json"))["c"]["NetIO"] == "0B / 0B"


def test_only_running_ones_unless_all_are_asked_for(bb):
    bb.daemon("up", "sleep", "1000")
    bb.once("true")
    bb.mc("run", "--name", "down", "--network", "none", "bb", "true").ok()
    assert set(rows(bb.mc("stats", "--no-stream", "--format", "json"))) == {"up"}
    all = rows(bb.mc("stats", "-a", "--no-stream", "--format", "json"))
    assert set(all) == {"up", "down"} and all["down"]["MemUsage"] == "-- / --" and all["down"]["PIDs"] == "--"
    assert set(rows(bb.mc("stats", "--no-stream", "--format", "json", "up"))) == {"up"}
    assert "No such container: nobody" in bb.mc("stats", "--no-stream", "nobody").fails().err


def test_of_a_project_its_services(bb):
    bb.compose("services:\n  a: {image: bb, command: [sleep, '1000'], stop_signal: SIGKILL}\n  b: {image: bb, command: [sleep, '1000'], stop_signal: SIGKILL, scale: 2}\n")
    bb.daemon("other", "sleep", "1000")
    bb.mc("-p", "p", "up", "-d").ok()
    names = lambda *words: [row["Name"] for row in map(json.loads, bb.mc("-p", "p", "stats", "--no-stream", "--format", "json", *words).ok().out.splitlines())]
    assert names() == ["p-a-1", "p-b-1", "p-b-2"] and names("b") == ["p-b-1", "p-b-2"]
    assert "no such service: c/d" in bb.mc("-p", "p", "stats", "a", "c/d").fails().err
    bb.mc("-p", "p", "down").ok()


def test_without_containers_there_is_a_header(bb):
    assert re.split(r" {2,}", bb.mc("stats", "--no-stream").ok().out.strip()) == HEADER


def test_it_is_drawn_anew_until_interrupted(bb):
    bb.daemon("first", "sleep", "1000")
    terminal = Terminal(bb, "stats")
    terminal.expect("first")
    bb.daemon("second", "sleep", "1000")
    terminal.expect("second")
    assert "\x1b[2J\x1b[H" in terminal.text and terminal.text.count("CONTAINER ID") >= 2
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() in (130, -2)


# --- info and check


def facts(result):
    return {fact["name"]: fact for fact in map(json.loads, result.out.splitlines())}


def test_row_15_5_a_host_with_everything_passes_the_check(bb):
    result = bb.mc("check").ok()
    assert all(line.startswith(("ok ", "lacks ", "   ")) for line in result.out.splitlines())
    assert all(fact["state"] != "missing" for fact in facts(bb.mc("check", "--format", "json").ok()).values())


def test_info_tells_the_same_in_all_forms(bb):
    info = json.loads(bb.mc("info", "--format", "json").ok().out)
    checked = facts(bb.mc("check", "--format", "json").ok())
    stable = set(checked) - {"dataRoot"}  # how much is free changes
    assert {key: info[key] for key in stable} == {key: checked[key]["value"] for key in stable}
    assert info["cgroupVersion"] in ("v1", "v2", "hybrid") and info["dataRoot"].startswith("/var/lib/mycompose (tmpfs, ")
    assert info["kernel"].startswith(bb.run("uname", "-r").out.strip()) and info["runRoot"] == "/run/mycompose"
    assert bb.mc("info", "-f", "{{.overlay}} {{json .warnings}}").ok().out == f"yes {json.dumps(info['warnings'])}\n"
    assert "cgroup version:        " + info["cgroupVersion"] in bb.mc("info").ok().out
    assert "nonsense" in bb.mc("check", "--format", "nonsense").fails().err


def test_the_check_leaves_nothing(clean):
    before = clean.sh("find /var/lib/mycompose /sys/fs/cgroup | sort; cat /proc/1/mountinfo").out
    clean.mc("check").ok()
    assert clean.sh("find /var/lib/mycompose /sys/fs/cgroup | sort; cat /proc/1/mountinfo").out == before


ON_OVERLAY = "mkdir -p /run/o/l /run/o/u /run/o/w /run/data && mount -t overlay o -o lowerdir=/run/o/l,upperdir=/run/o/u,workdir=/run/o/w /run/data"
NO_CGROUPS = "umount -R /sys/fs/cgroup; umount -R /sys/fs/cgroup; mount -t tmpfs none /sys/fs/cgroup"


@pytest.mark.parametrize(
    "make, fact, value, advice",
    [
        (ON_OVERLAY, "overlay", "no: mount overlay: ", "ext4, xfs or btrfs"),
        (NO_CGROUPS, "cgroupVersion", "none: no cgroup hierarchy is mounted", "mount -t cgroup2"),
    ],
)
def test_row_15_5_what_is_missing_is_named_with_what_to_do(bb, make, fact, value, advice):
    bb.sh(make).ok()
    words = ("--root", "/run/data") if "/run/data" in make else ()
    result = bb.mc(*words, "check", "--format", "json").fails(1)
    found = facts(result)[fact]
    assert found["state"] == "missing" and value in found["value"] and advice in found["advice"]
    text = bb.mc(*words, "check").fails(1).out
    assert "missing " in text and found["advice"] in text
    assert found["advice"] in bb.mc(*words, "info").ok().out


def test_row_15_5_a_data_root_that_cannot_be_written(bb):
    bb.sh("mkdir -p /run/data && mount -t tmpfs -o ro,mode=755 d /run/data").ok()
    err = bb.mc("--root", "/run/data", "check").fails(1).err
    assert "/run/data" in err and "Read-only file system" in err


def test_row_15_5_a_controller_that_is_not_mounted(bb):
    if bb.run("umount", "/sys/fs/cgroup/devices").code:
        pytest.skip("needs privilege: a v1 hierarchy of devices")
    found = facts(bb.mc("check", "--format", "json").fails(1))["cgroupControllers"]
    assert found["state"] == "missing" and "devices (device rules)" in found["advice"]
    bb.sh("umount /sys/fs/cgroup/pids").ok()
    assert "pids (pids_limit)" in facts(bb.mc("check", "--format", "json").fails(1))["cgroupControllers"]["advice"]


def test_row_15_5_a_kernel_without_overlay(bb):
    result = bb.run("/usr/bin/python3", WITHOUT, "overlay", BINARY, "check", "--format", "json").fails(1)
    assert facts(result)["overlay"]["value"].startswith("no: mount overlay: No such device") and "modprobe overlay" in facts(result)["overlay"]["advice"]


@pytest.mark.parametrize("options", ["noexec", "nodev", "nosuid"])
def test_row_15_5_flags_of_the_data_root_are_shown_and_do_not_matter(bb, busybox_tar, options):
    bb.sh(f"mkdir -p /run/data && mount -t tmpfs -o {options} d /run/data").ok()
    assert f", {options})" in facts(bb.mc("--root", "/run/data", "check", "--format", "json").ok())["dataRoot"]["value"]
    bb.mc("--root", "/run/data", "import", busybox_tar, "bb").ok()
    assert bb.mc("--root", "/run/data", "run", "--rm", "--network", "none", "bb", "sh", "-c", "cp /bin/busybox /root/busybox && : < /dev/null && /root/busybox echo ran").ok().out == "ran\n"
