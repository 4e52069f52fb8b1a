# SPDX-License-Identifier: GPL-2.0-or-later
"""up and down: what is created, what is left alone, what is recreated, what remains."""

import json
import signal
import time

import pytest

from testhost import BINARY, TWO, wait_until


def test_up_creates_in_dependency_order_and_reports_it(clean):
    clean.compose(TWO)
    clean.mc("-p", "demo", "-f", "compose.yaml", "up", "-d").ok()
    result = clean.mc("-p", "demo", "-f", "compose.yaml", "down")
    assert result.out == ""
    first, second = "Container demo-web-1  Removed", "Container demo-db-1  Stopping"
    assert result.err.index(first) < result.err.index(second)
    assert "Network demo_default  Removed" in result.err


def test_up_twice_changes_nothing_the_second_time(clean):
    clean.compose(TWO)
    clean.mc("up", "-d").ok()
    before = clean.ids(), clean.sh("ps -eo pid,comm").out.count("sleep")
    second = clean.mc("up", "-d").ok()
    assert "Creat" not in second.err and "Start" not in second.err
    assert second.err.count("Running") == 2
    assert (clean.ids(), clean.sh("ps -eo pid,comm").out.count("sleep")) == before
    clean.mc("down").ok()


def test_changing_one_service_recreates_that_one_only(clean):
    clean.compose(TWO)
    clean.mc("up", "-d").ok()
    before = clean.ids()
    clean.compose(TWO.replace("red", "green"))
    result = clean.mc("up", "-d").ok()
    after = clean.ids()
    assert set(before) == set(after)
    changed = [name for name in before if before[name] != after[name]]
    assert len(changed) == 1 and changed[0].endswith("-db-1")
    assert "Recreated" in result.err
    assert clean.mc("exec", "-T", "db", "env").ok().out.count("COLOUR=green") == 1
    clean.mc("down").ok()


def test_an_orphan_is_warned_about_and_removed_on_request(clean):
    clean.compose(TWO)
    clean.mc("up", "-d").ok()
    clean.compose(TWO[: TWO.index("  web:")] + TWO[TWO.index("  db:") :])
    result = clean.mc("up", "-d").ok()
    assert "Found orphan containers ([" in result.err and "-web-1])" in result.err
    assert len(clean.ps()) == 2
    clean.mc("up", "-d", "--remove-orphans").ok()
    assert [row["Service"] for row in clean.ps()] == ["db"]
    clean.mc("down").ok()


def test_a_stopped_container_is_started_again_not_recreated(clean):
    clean.compose(TWO)
    clean.mc("up", "-d").ok()
    before = clean.ids()
    clean.mc("stop").ok()
    assert {row["State"] for row in clean.ps()} == {"exited"}
    clean.mc("up", "-d").ok()
    assert clean.ids() == before
    assert {row["State"] for row in clean.ps()} == {"running"}
    clean.mc("down").ok()


def test_foreground_up_shows_output_and_ctrl_c_stops_gracefully(clean):
    clean.compose(
        """
services:
  talker:
    image: bb
    command: [sh, -c, "trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 0.1; done"]
"""
    )
    process = clean.start(BINARY, "up")
    lines = []
    while not any("hello" in line for line in lines):
        lines.append(process.stdout.readline())
        assert lines[-1], "up ended before the container spoke"
    assert lines[0].startswith("Attaching to talker-1")
    assert "talker-1  | hello\n" in lines
    clean.sh(f"kill -INT $(pgrep -o mycompose)").ok()
    out, err = process.communicate(timeout=15)
    assert process.returncode == 130
    assert "Gracefully stopping..." in err
    assert "talker-1  | bye" in out and "talker-1 exited with code 0" in out
    assert [row["State"] for row in clean.ps()] == ["exited"]
    clean.mc("down").ok()


def test_foreground_up_ends_with_zero_when_all_have_exited(clean):
    clean.compose("services: {a: {image: bb, command: [sh, -c, 'echo done; exit 3']}}")
    result = clean.mc("up", timeout=20).ok()
    assert "a-1  | done" in result.out
    assert "a-1 exited with code 3" in result.out
    assert [row["ExitCode"] for row in clean.ps()] == [3]
    clean.mc("down").ok()


def test_abort_on_container_exit_gives_the_exit_code(clean):
    clean.compose(
        """
services:
  short: {image: bb, command: [sh, -c, "sleep 0.3; exit 5"]}
  long: {image: bb, command: [sleep, "1000"], stop_signal: SIGKILL}
"""
    )
    result = clean.mc("up", "--abort-on-container-exit", timeout=20).fails(5)
    assert "Aborting on container exit..." in result.err
    assert {row["State"] for row in clean.ps()} == {"exited"}
    clean.mc("down").ok()


def test_row_13_2_a_killed_supervisor_loses_no_container_and_is_replaced(clean):
    clean.compose(
        """
services:
  ticker:
    image: bb
    command: [sh, -c, "i=0; while :; do echo tick $$i; i=$$((i+1)); sleep 0.05; done"]
    stop_signal: SIGKILL
"""
    )
    clean.mc("up", "-d").ok()
    before = clean.ps()
    clean.sh("kill -9 $(pgrep mycompose)").ok()
    time.sleep(0.3)
    assert [row["State"] for row in clean.ps()] == ["running"]
    result = clean.mc("up", "-d").ok()
    assert "Creat" not in result.err
    assert [row["ID"] for row in clean.ps()] == [row["ID"] for row in before]

    def ticks():
        return [int(line.split()[-1]) for line in clean.mc("logs", "--no-log-prefix").ok().out.splitlines()]

    seen = len(ticks())
    wait_until(lambda: len(ticks()) > seen + 8, what="output that the new supervisor has read")
    numbers = ticks()
    assert numbers == list(range(len(numbers))), "a line was lost"
    clean.mc("down").ok()


def test_down_works_when_the_supervisor_is_dead(clean):
    clean.compose(TWO)
    clean.mc("up", "-d").ok()
    clean.sh("kill -9 $(pgrep mycompose)").ok()
    clean.mc("down").ok()


def test_down_with_nothing_there_says_so(clean):
    clean.compose(TWO)
    result = clean.mc("-p", "empty", "-f", "compose.yaml", "down").ok()
    assert 'No resource found to remove for project \\"empty\\".' in result.err


def test_scale_adds_and_removes_the_highest_numbers(clean):
    clean.compose("services: {w: {image: bb, command: [sleep, '1000'], stop_signal: SIGKILL}}")
    clean.mc("up", "-d", "--scale", "w=3").ok()
    assert sorted(row["Name"].rsplit("-", 1)[1] for row in clean.ps()) == ["1", "2", "3"]
    clean.mc("up", "-d", "--scale", "w=1").ok()
    assert [row["Name"].rsplit("-", 1)[1] for row in clean.ps()] == ["1"]
    clean.mc("down").ok()


def test_dry_run_prints_the_plan_and_touches_nothing(clean):
    clean.compose(TWO)
    result = clean.mc("--dry-run", "up", "-d").ok()
    assert "create container" in result.out and "(not there yet)" in result.out
    assert clean.ps() == []


def test_a_restart_policy_brings_a_container_back(clean):
    clean.compose(
        "services: {r: {image: bb, restart: always, command: [sh, -c, 'sleep 0.2; exit 1'], stop_signal: SIGKILL}}"
    )
    clean.mc("up", "-d").ok()
    wait_until(lambda: '"restartCount":2' in clean.sh("cat /var/lib/mycompose/containers/*/state.json").out, what="two restarts")
    clean.mc("stop").ok()
    time.sleep(0.5)
    assert [row["State"] for row in clean.ps()] == ["exited"], "a stop by the user holds"
    clean.mc("down").ok()


def no_mkdir(errno):
    rule = {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": errno}
    return json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]})


@pytest.mark.parametrize(
    "key, texts, look, seen",
    [
        ("env_file: [file]", ("A=one\n", "A=two\n"), "echo $A", ("one", "two")),
        ("security_opt: ['seccomp=file']", (no_mkdir(1), no_mkdir(95)), "mkdir /x 2>&1", ("not permitted", "not supported")),
        ("security_opt: ['seccomp:./file']", (no_mkdir(1), no_mkdir(95)), "mkdir /x 2>&1", ("not permitted", "not supported")),
        ("label_file: file", ("a=one\n", "a=two\n"), None, ("one", "two")),
    ],
)
def test_a_file_that_a_service_names_counts_by_its_content(bb, key, texts, look, seen):
    bb.compose(f"services: {{web: {{image: bb, command: sleep 60, stop_grace_period: 0s, {key}}}}}\n")
    made = []
    for text, expected in zip(texts, seen):
        bb.file("file", text)
        bb.mc("up", "-d").ok()
        made.append(bb.ps()[0]["ID"])
        said = bb.mc("exec", "-T", "web", "sh", "-c", look).out if look else bb.mc("ps", "--format", "json").ok().out
        assert expected in said
        bb.mc("up", "-d").ok()
        assert bb.ps()[0]["ID"] == made[-1]
    assert made[0] != made[1]
