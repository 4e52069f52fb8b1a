# SPDX-License-Identifier: GPL-2.0-or-later
"""What a killed command has left, and what must not come of it."""

import random
import time

import pytest

from testhost import BINARY, wait_until

PORT = 8040


def test_row_13_1_removal_ends_what_runs_without_a_record_of_it(bb):
    """A supervisor that is killed between starting a container and writing so down: `rm` left the process, and every `up` failed from then on."""
    id = bb.daemon("c", "sleep", "1000")
    bb.sh("kill -9 $(pgrep -x mycompose)").ok()
    bb.sh(f"echo '{{\"version\":1,\"status\":\"created\",\"exitCode\":0}}' > /var/lib/mycompose/containers/{id}/state.json").ok()
    assert bb.state("c")["State"] == "created"
    bb.mc("rm", "c").ok()
    bb.sh("pgrep -x sleep").fails()
    assert bb.sh("ls -A /var/lib/mycompose/containers").ok().out == "names\n"
    assert bb.sh(f"find /sys/fs/cgroup -name {id}").ok().out == ""


def test_row_13_5_a_leftover_that_cannot_be_removed_is_told_and_stops_no_project(bb):
    leftover = f"/var/lib/mycompose/containers/.removing-{'a' * 64}"
    bb.sh(f"mkdir -p {leftover}/upper/x; mount -t tmpfs x {leftover}/upper/x").ok()
    bb.compose("services: {a: {image: bb, command: sleep 1000, stop_signal: KILL, network_mode: none}}")
    result = bb.mc("up", "-d").ok()
    assert "cannot be cleared away" in result.err and "something is mounted there" in result.err
    assert [row["State"] for row in bb.ps()] == ["running"]
    bb.sh(f"umount {leftover}/upper/x").ok()
    assert "cleared away" not in bb.mc("down").ok().err
    bb.sh(f"test -e {leftover}").fails()


def test_row_13_1_killed_at_any_moment_of_up_and_down(clean):
    services = "".join(
        f"  s{i}: {{image: bb, stop_signal: KILL, ports: ['{PORT + i}:80'], volumes: [/anon, 'v{i}:/data'], command: sleep 1000}}\n" for i in range(4)
    )
    clean.compose(f"services:\n{services}volumes: {{v0: , v1: , v2: , v3: }}\n")
    moments = random.Random(13)

    def killed(*words):
        process = clean.start(BINARY, *words)
        time.sleep(moments.random() * 0.35)
        clean.sh("pkill -9 -x mycompose")
        process.communicate(timeout=20)

    for _ in range(4):
        killed("up", "-d")
        clean.mc("up", "-d").ok()
        assert [row["State"] for row in clean.ps()] == ["running"] * 4
        killed("up", "-d", "--force-recreate")
        killed("down", "-v")
        clean.mc("down", "-v").ok()
        assert clean.ps() == []


@pytest.mark.parametrize("supervised", [True, False], ids=["minded", "orphaned"])
def test_one_offs_stop_side_by_side_with_the_project(bb, supervised):
    """`down` stood still for the whole grace period of each one-off: no other event, no Ctrl-C was seen."""
    script = "trap 'sleep 1; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    bb.compose(f'services: {{a: {{image: bb, network_mode: none, command: [sh, -c, "{script}"]}}}}\n')
    bb.mc("up", "-d").ok()
    for name in ("x", "y"):
        bb.mc("run", "-d", "--name", name, "a").ok()
    for name in ("x", "y", bb.ps()[0]["Name"]):
        wait_until(lambda: "ready" in bb.mc("logs", name).out)
    if not supervised:
        bb.sh("kill -9 $(pgrep -x mycompose)").ok()
    words = [line.split()[-1] for line in bb.mc("--progress", "plain", "down", "--remove-orphans").ok().err.splitlines()]
    stops = [word for word in words if word in ("Stopping", "Stopped")]
    assert stops == ["Stopping"] * 3 + ["Stopped"] * 3
    assert bb.ps("-a") == [] and bb.mc("container", "ls", "-aq").ok().out == ""
    wait_until(lambda: bb.sh("pgrep -c -x mycompose").out.strip() == "0", what="the end of the supervisors")
