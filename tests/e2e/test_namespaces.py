# SPDX-License-Identifier: GPL-2.0-or-later
"""What a container has of its own, what it cannot see of the host, and what it shares when asked."""

import pytest

KINDS = ("mnt", "pid", "uts", "ipc", "net", "cgroup")


SHOW = ("sh", "-c", f"for kind in {' '.join(KINDS)}; do readlink /proc/self/ns/$kind; done")


def shared(run, host, *words):
    """Which namespaces a command has in common with another."""
    pairs = zip(KINDS, run(*words, *SHOW).ok().out.split(), host(*SHOW).ok().out.split(), strict=True)
    return [kind for kind, a, b in pairs if a == b]


def test_every_kind_of_namespace_is_of_the_containers_own(bb):
    bb.daemon("other", "sleep", "1000")
    assert shared(bb.once, bb.run) == []
    assert shared(bb.once, lambda *words: bb.inside("other", *words)) == []


def test_processes_start_at_pid_1(bb):
    result = bb.once("sh", "-c", "echo $$; ps -o pid,comm; true").ok()
    assert result.out.split() == ["1", "PID", "COMMAND", "1", "sh", "2", "ps"]


def test_the_hosts_processes_are_invisible(bb):
    process = bb.start("sleep", "98765")
    assert "sleep 98765" in bb.sh("ps -eo args").out
    assert "98765" not in bb.once("sh", "-c", "cat /proc/*/cmdline | tr '\\0' ' '").ok().out
    process.kill()
    process.wait()


def test_row_3_1_the_hosts_mounts_are_invisible(bb):
    bb.sh("mkdir /run/canary && mount -t tmpfs canary /run/canary").ok()
    mounts = bb.once("cat", "/proc/self/mountinfo").ok().out
    assert "canary" not in mounts and "/run" not in {line.split()[4] for line in mounts.splitlines()}
    top = {line.split()[4].split("/")[1] for line in mounts.splitlines()}
    assert top == {"", "proc", "dev", "sys", "etc"}


def test_row_3_1_the_hosts_mounts_are_the_same_before_and_after(bb):
    before = bb.sh("cat /proc/self/mountinfo").out
    bb.daemon("c", "sleep", "1000", flags="-v vol:/vol")
    assert bb.sh("cat /proc/self/mountinfo").out == before
    bb.mc("rm", "-f", "c").ok()
    assert bb.sh("cat /proc/self/mountinfo").out == before


def test_the_host_name_is_the_short_id_and_can_be_set(bb):
    id = bb.daemon("c", "sleep", "1000")
    assert bb.inside("c", "hostname").ok().out.strip() == id[:12]
    assert bb.once("hostname", flags="--hostname box").ok().out == "box\n"
    assert bb.once("sh", "-c", "hostname other; hostname", flags="--cap-add SYS_ADMIN").ok().out == "other\n"
    assert bb.sh("hostname").out == "testhost\n"


def test_system_v_queues_of_the_host_are_invisible(bb):
    bb.sh("ipcmk -Q").ok()
    count = "tail -n +2 /proc/sysvipc/msg | wc -l"
    assert int(bb.sh(count).out) == 1
    assert int(bb.once("sh", "-c", count).ok().out) == 0


@pytest.mark.parametrize("network, interfaces", [("none", ["lo"]), ("bridge", ["eth0", "lo"])])
def test_interfaces_of_the_host_are_invisible(bb, network, interfaces):
    assert "up0" in bb.sh("ip -o link").out
    result = bb.once("sh", "-c", "cd /sys/class/net; ls -d */ | tr -d /; ip -o link | cut -d: -f2 | cut -d@ -f1", network=network).ok()
    assert sorted(set(result.out.split())) == interfaces


def test_the_own_cgroup_is_the_root_of_the_view(bb):
    lines = bb.once("cat", "/proc/self/cgroup").ok().out.split()
    assert len(lines) == len(bb.sh("cat /proc/self/cgroup").out.split())
    assert all(line.endswith(":/") for line in lines)


def test_the_supervisor_holds_a_pidfd_of_the_container(bb):
    bb.daemon("c", "sleep", "1000")
    pids = bb.sh("cat /proc/$(pgrep -x mycompose)/fdinfo/* | sed -n 's/^Pid:[[:space:]]*//p'").ok().out.split()
    assert pids == [str(bb.pid_of("c"))]


NONE = "--network none"


@pytest.mark.parametrize(
    "flags, kind",
    [(f"{NONE} --pid host", "pid"), (f"{NONE} --ipc host", "ipc"), (f"{NONE} --uts host", "uts"), ("--network host", "net")],
)
def test_a_namespace_of_the_host_is_used_when_asked(bb, flags, kind):
    assert shared(bb.mc, bb.run, "run", "--rm", *flags.split(), "bb") == [kind]


@pytest.mark.parametrize(
    "flags, kind",
    [(f"{NONE} --pid container:c", "pid"), (f"{NONE} --ipc container:c", "ipc"), ("--network container:c", "net")],
)
def test_a_namespace_of_another_container_is_joined(bb, flags, kind):
    bb.daemon("c", "sleep", "1000")
    assert shared(bb.mc, lambda *words: bb.inside("c", *words), "run", "--rm", *flags.split(), "bb") == [kind]


def test_a_shared_pid_namespace_shows_both_and_ends_with_its_own_process_only(bb):
    bb.daemon("c", "sleep", "1000")
    assert "sleep 1000" in bb.once("ps", "-o", "args", flags="--pid container:c").ok().out
    assert bb.state("c")["State"] == "running"


def test_joining_a_stopped_container_is_refused(bb):
    bb.mc("run", "--name", "c", "--network", "none", "bb", "true").ok()
    result = bb.mc("run", "--rm", "--network", "container:c", "bb", "true").fails(125)
    assert "cannot join network of a non running container" in result.err


SHARING = """
services:
  a: {image: bb, command: [sleep, "1000"], stop_signal: SIGKILL, ipc: shareable, environment: {N: "%s"}}
  ipc: {image: bb, command: [sleep, "1001"], stop_signal: SIGKILL, ipc: "service:a"}
  pid: {image: bb, command: [sleep, "1002"], stop_signal: SIGKILL, pid: "service:a"}
  other: {image: bb, command: [sleep, "1003"], stop_signal: SIGKILL, pid: "container:outside", ipc: "container:outside"}
"""


def test_namespaces_of_other_services_in_a_compose_file(bb):
    bb.daemon("outside", "sleep", "1000")
    bb.compose(SHARING % 1)
    bb.mc("-p", "p", "up", "-d").ok()
    inside = lambda name: lambda *words: bb.inside(name, *words)
    with_a = {name: shared(inside(f"p-{name}-1"), inside("p-a-1")) for name in ("ipc", "pid", "other")}
    # They are in one network, each with a namespace of its own.
    assert with_a == {"ipc": ["ipc"], "pid": ["pid"], "other": []}
    assert shared(inside("p-other-1"), inside("outside")) == ["pid", "ipc"]
    bb.inside("p-a-1", "sh", "-c", "echo shared > /dev/shm/x").ok()
    assert bb.inside("p-ipc-1", "cat", "/dev/shm/x").ok().out == "shared\n"
    assert "sleep 1000" in bb.inside("p-pid-1", "ps", "-o", "args").ok().out
    assert "Running" in bb.mc("-p", "p", "up", "-d").ok().err
    # Who shares with one that is made anew is made anew as well.
    ids = {name: bb.state(f"p-{name}-1")["ID"] for name in ("ipc", "pid", "other")}
    bb.compose(SHARING % 2)
    bb.mc("-p", "p", "up", "-d").ok()
    assert {name for name, id in ids.items() if bb.state(f"p-{name}-1")["ID"] != id} == {"ipc", "pid"}
    assert shared(inside("p-ipc-1"), inside("p-a-1")) == ["ipc"]
    bb.mc("-p", "p", "down").ok()


@pytest.mark.parametrize("line, word", [("ipc: nonsense", "IPC"), ("pid: nonsense", "PID"), ("userns_mode: 'container:nobody'", "user namespaces are"), ("pid: 'container:nobody'", "nobody"), ("ipc: 'service:nobody'", "nobody"), ("cgroup: nonsense", "cgroup")])
def test_a_namespace_that_cannot_be_had_is_told_with_its_place(clean, line, word):
    clean.compose(f"services:\n  a:\n    image: bb\n    {line}\n")
    err = clean.mc("up", "-d").fails().err
    assert "compose.yaml:" in err and word in err
