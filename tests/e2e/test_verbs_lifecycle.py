# SPDX-License-Identifier: GPL-2.0-or-later
"""pause, unpause, wait, kill, rm, down: what they say, choose and leave."""

import re

import pytest

from testhost import BINARY, wait_until

APP = """
name: demo
services:
  web:
    image: bb
    command: [sleep, "1000"]
    stop_signal: SIGKILL
    scale: 2
  db:
    image: bb
    command: [sh, -c, "trap 'exit 7' TERM; while :; do sleep 0.05; done"]
    volumes: [/anonymous]
  job:
    image: bb
    command: [sh, -c, "while [ ! -e /go ]; do sleep 0.02; done; exit 5"]
  off:
    image: bb
    command: [sleep, "1000"]
    stop_signal: SIGKILL
    profiles: [extra]
"""


@pytest.fixture
def demo(bb):
    bb.compose(APP)
    bb.mc("up", "-d").ok()
    return bb


def states(host):
    return {row["Name"]: row["State"] for row in host.ps()}


def lines(text):
    """Progress lines, blanks at both ends and between the fields folded."""
    return [re.sub(r"\s+", " ", line).strip() for line in text.splitlines()]


# pause, unpause


def test_pause_freezes_and_unpause_lets_go_on(demo):
    result = demo.mc("pause", "web").ok()
    assert result.out == "" and lines(result.err) == ["Container demo-web-1 Paused", "Container demo-web-2 Paused"]
    assert states(demo) == {"demo-db-1": "running", "demo-job-1": "running", "demo-web-1": "paused", "demo-web-2": "paused"}
    assert "(Paused)" in demo.mc("ps", "web").ok().out
    result = demo.mc("unpause", "web").ok()
    assert lines(result.err) == ["Container demo-web-1 Unpaused", "Container demo-web-2 Unpaused"]
    assert set(states(demo).values()) == {"running"}


def test_a_paused_process_does_nothing(bb):
    bb.daemon("ticker", "sh", "-c", "while :; do date +%N >> /ticks; sleep 0.01; done")
    ticks = f"wc -l < /proc/{bb.pid_of('ticker')}/root/ticks"
    wait_until(lambda: bb.sh(ticks).out.strip() not in ("", "0"), what="ticks")
    assert bb.mc("pause", "ticker").ok().out == "ticker\n"
    before = bb.sh(f"{ticks}; sleep 0.3; {ticks}").ok().out.split()
    assert before[0] == before[1]
    assert bb.mc("unpause", "ticker").ok().out == "ticker\n"
    wait_until(lambda: bb.sh(ticks).out.strip() != before[0], what="more ticks")


def test_what_cannot_be_paused_or_unpaused(demo):
    demo.mc("pause", "db").ok()
    assert "Container demo-db-1 is already paused" in demo.mc("pause", "db").fails(1).err
    demo.mc("unpause").fails(1)  # the others are not paused, db is let go nevertheless
    assert states(demo)["demo-db-1"] == "running"
    assert "is not paused" in demo.mc("unpause", "db").fails(1).err
    assert demo.mc("pause", "nobody").fails(1).err == "no such service: nobody\n"


def test_a_dry_run_pauses_nothing(demo):
    result = demo.mc("--dry-run", "pause", "db").ok()
    assert lines(result.err) == ["DRY-RUN MODE - Container demo-db-1 Paused"]
    assert states(demo)["demo-db-1"] == "running"


# wait


def test_wait_tells_the_code_and_exits_with_it(demo):
    waiting = demo.start(BINARY, "-p", "demo", "wait", "job")
    demo.mc("exec", "job", "touch", "/go").ok()
    out, err = waiting.communicate(timeout=20)
    identity = next(row for row in demo.ps() if row["Name"] == "demo-job-1")["ID"]
    assert re.fullmatch(rf'container "{identity}[0-9a-f]{{52}}" exited with status code 5\n', out) and err == ""
    assert waiting.returncode == 5


def test_wait_for_what_does_not_run(demo):
    demo.mc("stop", "web").ok()
    assert demo.mc("wait", "web").fails(1).err == 'no containers for project "demo"\n'
    assert demo.mc("wait", "nobody").fails(1).err == "no such service: nobody\n"
    assert "requires at least 1 argument" in demo.mc("wait").fails(1).err


def test_wait_then_down(clean):
    clean.compose(APP)
    clean.mc("up", "-d").ok()
    waiting = clean.start(BINARY, "-p", "demo", "wait", "--down-project", "job", "db")
    clean.mc("exec", "job", "touch", "/go").ok()
    out, _ = waiting.communicate(timeout=30)
    assert waiting.returncode == 5 and out.count("exited with status code") == 1 and "code 5" in out
    assert clean.mc("ps", "-aq").ok().out == ""
    clean.mc("volume", "prune", "-f").ok()


def test_wait_sees_an_end_that_a_restart_follows(bb):
    bb.daemon("again", "sh", "-c", "while [ ! -e /go ]; do sleep 0.02; done; rm /go; exit 9", flags="--restart always")
    waiting = bb.start(BINARY, "wait", "again")
    wait_until(lambda: bb.sh("ls -l /proc/*/fd | grep -c inotify").out.strip() != "0", what="the watcher")
    bb.inside("again", "touch", "/go").ok()
    assert waiting.communicate(timeout=20)[0] == "9\n" and waiting.returncode == 0


def test_wait_for_containers_that_have_ended(bb):
    bb.mc("run", "--name", "a", "bb", "sh", "-c", "exit 3").fails(3)
    bb.mc("run", "--name", "b", "bb", "true").ok()
    assert bb.mc("container", "wait", "a", "b").ok().out == "3\n0\n"


# kill


def test_kill_tells_when_there_is_nothing_to_do(demo):
    demo.mc("kill").ok()
    wait_until(lambda: set(states(demo).values()) == {"exited"}, what="the end of all")
    result = demo.mc("kill").ok()
    assert result.err == "No container to kill\n" and result.out == ""
    assert demo.mc("kill", env={"COMPOSE_STATUS_STDOUT": "1"}).ok().out == "No container to kill\n"


def test_kill_with_a_signal(demo):
    result = demo.mc("kill", "-s", "SIGTERM", "db").ok()
    assert lines(result.err) == ["Container demo-db-1 Killing", "Container demo-db-1 Killed"]
    wait_until(lambda: states(demo)["demo-db-1"] == "exited", what="the end of db")
    assert next(row["ExitCode"] for row in demo.ps() if row["Name"] == "demo-db-1") == 7


@pytest.mark.parametrize("how", [{"words": ["--remove-orphans"]}, {"words": [], "env": {"COMPOSE_REMOVE_ORPHANS": "true"}}])
def test_kill_orphans(demo, how):
    demo.compose(APP.replace("  job:", "  other:"))
    demo.mc("kill").ok()
    assert states(demo)["demo-job-1"] == "running"
    demo.mc("kill", *how["words"], env=how.get("env")).ok()
    wait_until(lambda: states(demo)["demo-job-1"] == "exited", what="the end of the orphan")


# rm


def test_rm_tells_asks_and_removes_stopped_ones_only(demo):
    assert demo.mc("rm", "-f").ok().err == "No stopped containers\n"
    demo.mc("stop", "web").ok()
    result = demo.mc("rm").ok()
    assert result.out.startswith("? Going to remove demo-web-1, demo-web-2") and len(demo.ps()) == 4
    assert len(demo.ps()) == 4 and demo.mc("rm", input="n\n").ok() and len(demo.ps()) == 4
    result = demo.mc("rm", input="y\n").ok()
    assert sorted(states(demo)) == ["demo-db-1", "demo-job-1"]


def test_rm_stops_first_and_takes_anonymous_volumes_along(demo):
    assert len(demo.mc("volume", "ls", "-q").ok().out.split()) == 1
    result = demo.mc("rm", "-fsv", "db").ok()
    assert "Going to remove demo-db-1\n" in result.out
    assert "demo-db-1" not in states(demo) and demo.mc("volume", "ls", "-q").ok().out == ""


# events of what these do are in test_verbs_listing.py


def test_down_removes_images(bb):
    bb.compose(APP.replace("  db:", "  tagged:\n    image: bb:own\n    command: [sleep, '1']\n  db:"))
    bb.mc("image", "tag", "bb", "bb:own").ok()
    bb.mc("up", "-d", "web").ok()
    result = bb.mc("down", "--rmi", "all", "-t", "0").ok()
    assert "Image bb:own Removed" in lines(result.err)
    assert bb.mc("image", "ls", "-q").ok().out == ""


def test_down_with_rmi_local_keeps_images_that_have_names_of_their_own(bb):
    bb.compose(APP)
    bb.mc("up", "-d", "web").ok()
    bb.mc("down", "--rmi", "local", "-t", "0").ok()
    assert bb.mc("image", "ls", "-q").ok().out != ""
    assert bb.mc("down", "--rmi", "some").fails(1).err == 'invalid value for --rmi: "some"\n'
