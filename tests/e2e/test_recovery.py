# SPDX-License-Identifier: GPL-2.0-or-later
"""Things of a running project removed by hand, with and without its supervisor: what ran still runs where it can, nothing a user put into a volume
is lost, one `up` brings back what the file says, or one `down` an empty host."""

import re

import pytest

from testhost import BINARY, wait_until

STATE = "/var/lib/mycompose"
PROJECT = """
services:
  a: {image: bb, command: [probe, listen, tcp, "80", page], stop_signal: SIGKILL, ports: ["8080:80"], mem_limit: 64m, volumes: ["data:/data"], tmpfs: [/t]}
  b: {image: bb, command: [sleep, "1000"], stop_signal: SIGKILL, init: true}
volumes: {data: {}}
"""

VETHS = "$(ip -o link show type veth | grep -o 'mv[0-9a-f]*')"
# name: (what is done, containers go on through it and `up`)
REPAIRED = {
    "bridge": ("ip link del $(ip -o link show type bridge | cut -d: -f2)", True),
    "firewall": ("iptables-legacy -F; iptables-legacy -t nat -F; iptables-legacy -X; iptables-legacy -t nat -X", True),
    "state": (f"rm {STATE}/containers/*/state.json", False),
    "run-directories": ("rm -rf /run/mycompose/containers/*", True),
    "groups": ("rm -rf /run/mycompose/groups/*", True),
    "sockets": ("rm /run/mycompose/groups/*/control.sock", True),
    "sockets-for-files": ("for s in /run/mycompose/groups/*/control.sock; do rm $s; echo > $s; done", True),
    "names": (f"rm -rf {STATE}/containers/names", True),
    "bridge-and-firewall": ("ip link del $(ip -o link show type bridge | cut -d: -f2); iptables-legacy -F; iptables-legacy -t nat -F", True),
}
# Who has which address and port is known from there alone.
FORGOTTEN = {"network-records": "rm -rf /run/mycompose/net*"}
# What a running container cannot be given again: `up` makes such a container anew.
MADE_AGAIN = {
    "veths": f"for l in {VETHS}; do ip link del $l; done",
    "one-veth": f"ip link del $(echo {VETHS} | cut -d' ' -f1)",
    "cgroups": "for g in $(find /sys/fs/cgroup -path '*/mycompose/*' -type d -depth); do for p in $(cat $g/cgroup.procs); do echo $p > $(dirname $(dirname $g))/cgroup.procs; done; rmdir $g; done",
    "mounts": "nsenter -t $(pgrep -x probe) -m umount -l /data /t",
}


def kill_supervisor(host):
    pids = host.sh("pgrep -x mycompose").out.split()
    host.sh("kill -9 " + " ".join(pids)).ok()
    wait_until(lambda: not set(pids) & set(host.sh("pgrep -x mycompose").out.split()), what="its death")


def pids(host):
    return sorted(host.sh("pgrep -x 'probe|sleep'").out.split())


def works(host):
    """Running, published, named, reached by its neighbour, limited."""
    assert sorted((row["Service"], row["State"]) for row in host.ps()) == [("a", "running"), ("b", "running")]
    # A process that was started anew may not listen yet.
    wait_until(lambda: host.run("/usr/bin/curl", "-s", "--http0.9", "--max-time", "3", "http://127.0.0.1:8080/").out == "page\n", what="the page")
    assert host.mc("exec", "-T", "b", "probe", "resolve", "a").ok()
    assert host.mc("exec", "-T", "b", "nc", "-w", "3", "a", "80", input="").out == "page\n"
    assert host.mc("exec", "-T", "a", "cat", "/data/user").ok().out == "user's own\n"
    (pid,) = host.sh("pgrep -x probe").out.split()
    assert "/mycompose/" in host.sh(f"cat /proc/{pid}/cgroup").ok().out


@pytest.fixture
def running(clean):
    clean.compose(PROJECT)
    clean.mc("up", "-d").ok()
    clean.mc("exec", "-T", "a", "sh", "-c", "echo \"user's own\" > /data/user").ok()
    works(clean)
    return clean


@pytest.mark.parametrize("supervised", [True, False], ids=["supervised", "alone"])
@pytest.mark.parametrize("what", REPAIRED)
def test_row_13_1_up_repairs_what_was_removed_by_hand(running, what, supervised):
    damage, goes_on = REPAIRED[what]
    before = pids(running)
    running.sh(damage)
    if not supervised:
        kill_supervisor(running)
    running.mc("up", "-d").ok()
    works(running)
    if goes_on or supervised:
        assert pids(running) == before
    running.mc("down", "-v").ok()


@pytest.mark.parametrize("supervised", [True, False], ids=["supervised", "alone"])
@pytest.mark.parametrize("what", [*REPAIRED, *MADE_AGAIN, *FORGOTTEN])
def test_row_13_1_down_clears_away_what_was_half_removed_by_hand(running, what, supervised):
    running.sh({**MADE_AGAIN, **FORGOTTEN}.get(what) or REPAIRED[what][0])
    if not supervised:
        kill_supervisor(running)
    running.mc("down").ok()
    running.mc("up", "-d").ok()
    works(running)
    running.mc("down", "-v").ok()


@pytest.mark.parametrize("what", MADE_AGAIN)
def test_row_13_1_up_makes_anew_what_has_lost_something_for_good(running, what):
    before = running.ids()
    running.sh(MADE_AGAIN[what])
    plan = running.mc("up", "--dry-run").ok().out
    assert re.search("a network interface of it was removed|its cgroup was removed|a mount of it was removed", plan)
    running.mc("up", "-d").ok()
    works(running)
    after = running.ids()
    kept = [name for name in before if before[name] == after[name]]
    assert len(kept) == (1 if what in ("one-veth", "mounts") else 0), "who has lost nothing goes on"
    assert running.mc("up", "-d").ok().err.count("Running") == 2
    running.mc("down", "-v").ok()


def test_row_13_1_mounts_of_every_kind_are_seen_to_be_there(clean):
    clean.sh("mkdir -p dir/sub; echo > file")
    clean.image("with-links", [("links", None), ("links/away", ("/far/away",)), ("far", None)])
    clean.compose("""
services:
  a:
    image: with-links
    command: [sh, -c, "cd /tmp2 && exec /bin/busybox sleep 1000"]
    stop_signal: SIGKILL
    tmpfs: [/tmp2, /run/deep/er]
    shm_size: 1m
    configs: [c]
    volumes:
      - ./dir:/b/inner
      - outer:/b
      - ./file:/etc/one.conf:ro
      - /anonymous
      - ./dir/sub:/links/away
      - {type: image, source: with-links, target: /image}
      - {type: volume, source: outer, target: /part, volume: {subpath: x}}
      - {type: tmpfs, target: /dev/own}
  chrooted:
    image: bb
    command: [sh, -c, "mkdir -p /new/bin /new/v && cp /bin/busybox /new/bin/ && exec chroot /new /bin/busybox sleep 1000"]
    stop_signal: SIGKILL
    volumes: ["outer:/v"]
configs: {c: {content: x}}
volumes: {outer: {external: true, name: vol}}
""")
    clean.mc("volume", "create", "vol").ok()
    clean.once("mkdir", "-p", "/o/x", flags="-v vol:/o").ok()
    clean.mc("up", "-d").ok()
    wait_until(lambda: clean.sh("ls -l /proc/*/root | grep /new$").code == 0, what="the other root")
    result = clean.mc("up", "-d").ok()
    assert result.err.count("Running") == 2 and "Recreate" not in result.err
    clean.mc("down", "-v").ok()
    clean.mc("volume", "rm", "vol").ok()


@pytest.mark.parametrize("what", MADE_AGAIN)
def test_row_13_1_a_recreate_brings_back_what_was_removed_by_hand(running, what):
    running.sh(MADE_AGAIN[what])
    running.mc("up", "-d", "--force-recreate").ok()
    works(running)
    running.mc("down", "-v").ok()


def lose_record(host, service):
    """Its id."""
    name = next(row["Name"] for row in host.ps() if row["Service"] == service)
    lost = host.state(name)["ID"]
    host.sh(f"rm {STATE}/containers/{lost}/config.json").ok()
    return lost


def test_row_13_1_a_record_that_was_removed_comes_back_from_its_supervisor(running):
    before = pids(running)
    lost = lose_record(running, "a")
    assert [row["Service"] for row in running.ps()] == ["b"]
    assert running.mc("up", "-d").ok().err.count("Running") == 2
    works(running)
    assert pids(running) == before
    lose_record(running, "a")
    running.mc("down", "-v").ok()
    assert running.sh("pgrep -x 'probe|sleep'").code == 1
    assert running.sh(f"ls {STATE}/containers/{lost}").code != 0


def test_row_13_1_the_record_of_a_recreated_container_comes_back_under_its_last_name(running):
    running.compose(PROJECT.replace("64m", "65m"))
    running.mc("up", "-d").ok()
    names = sorted(row["Name"] for row in running.ps())
    lose_record(running, "a")
    running.mc("up", "-d").ok()
    assert sorted(row["Name"] for row in running.ps()) == names
    running.mc("down", "-v").ok()


def test_row_13_1_what_nobody_remembers_is_told_and_removed_on_request(running):
    kill_supervisor(running)
    lost = lose_record(running, "b")
    warning = running.mc("down").ok().err
    assert lost[:12] in warning and f"container rm -f {lost[:12]}" in warning and "config.json" in warning
    assert running.sh("pgrep -x sleep").ok()
    assert running.mc("container", "rm", "-f", lost[:11]).err
    assert running.sh("pgrep -x sleep").ok()
    assert running.mc("container", "rm", "-f", lost[:12]).ok().out == f"{lost[:12]}\n"
    assert running.sh("pgrep -x sleep").code == 1
    result = running.mc("down", "-v").ok()
    assert "lost" not in result.err and "still in use" not in result.err


def test_row_13_1_what_nobody_remembers_is_found_below_a_cgroup_parent_of_its_own(running):
    running.compose(PROJECT.replace("init: true", "cgroup_parent: custom/deeper, init: true"))
    running.mc("up", "-d").ok()
    kill_supervisor(running)
    lost = lose_record(running, "b")
    groups = f"find /sys/fs/cgroup -path '*/custom/deeper*/{lost}'"
    assert running.sh(groups).ok().out, "it is where the test says"
    running.mc("container", "rm", "-f", lost[:12]).ok()
    assert running.sh("pgrep -x sleep").code == 1
    assert running.sh(groups).ok().out == ""
    running.mc("down", "-v").ok()
    running.sh("find /sys/fs/cgroup -path '*/custom*' -type d -depth -exec rmdir {} +").ok()


def test_row_13_5_a_container_of_a_newer_version_is_told_and_harms_no_other_project(running):
    name = next(row["Name"] for row in running.ps() if row["Service"] == "b")
    directory = f"{STATE}/containers/{running.state(name)['ID']}"
    running.file("other.yaml", "services: {x: {image: bb, command: [sleep, '1000'], stop_signal: SIGKILL}}")
    running.sh(f"cp {directory}/config.json /run/kept; sed -i 's/\"version\":1/\"version\":99/' {directory}/config.json").ok()
    result = running.mc("ps")
    assert "newer mycompose" in result.err and "a-1" in result.out, repr(result)
    running.mc("-p", "other", "-f", "other.yaml", "up", "-d").ok()
    running.mc("-p", "other", "-f", "other.yaml", "down").ok()
    assert len(running.sh("pgrep -x sleep").out.split()) == 1
    running.sh(f"mv /run/kept {directory}/config.json").ok()
    running.mc("down", "-v").ok()


def test_row_13_7_two_projects_on_one_network_come_and_go_at_once(clean):
    clean.mc("network", "create", "shared").ok()
    clean.compose("services: {s: {image: bb, command: [sleep, '1000'], stop_signal: SIGKILL, networks: [shared]}}\nnetworks: {shared: {external: true}}")
    script = f'for i in 1 2 3 4; do {BINARY} -p "$1" up -d && {BINARY} -p "$1" down || exit 1; done; {BINARY} -p "$1" up -d'
    running = [clean.start("sh", "-c", script, "sh", f"p{i}") for i in range(4)]
    for process in running:
        err = process.communicate(timeout=120)[1]
        assert process.returncode == 0, err
    for one, other in ((0, 1), (2, 3)):
        clean.mc("-p", f"p{one}", "exec", "-T", "s", "probe", "resolve", f"p{other}-s-1").ok()
    for i in range(4):
        clean.mc("-p", f"p{i}", "down").ok()
    clean.mc("network", "rm", "shared").ok()
