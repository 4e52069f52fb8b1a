# SPDX-License-Identifier: GPL-2.0-or-later
"""A foreground `up` and whoever reads its output: slow, stopped, gone, or late."""

import signal
import time

import pytest

from testhost import BINARY, wait_until

NOISY = "services: {a: {image: bb, network_mode: none, stop_signal: KILL, command: 'yes aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'}}\n"
QUIET = "  q: {image: bb, network_mode: none, stop_signal: KILL, command: sleep 1000}\n"


def supervisor(host):
    return host.sh("pgrep -o -x mycompose").out.strip()


def test_row_14_11_a_stopped_reader_does_not_stop_the_supervisor(bb):
    """`up` wrote to its blocked standard output itself, so that every other command on the project hung."""
    bb.compose(NOISY + "")
    process = bb.start(BINARY, "up")
    time.sleep(0.7)
    pid = supervisor(bb)
    assert bb.mc("stop", timeout=10).ok()
    assert int(bb.sh(f"awk '/VmRSS/ {{print $2}}' /proc/{pid}/status").out) < 40000, "what is kept is bounded"
    rest = process.stdout.read()
    assert rest.endswith("a-1 exited with code 137\n")
    assert set(rest.splitlines()[1:-1]) == {"a-1  | " + "a" * 31}
    process.communicate(timeout=10)


def test_row_14_11_a_slow_reader_gets_every_line_in_order(bb):
    bb.compose("services: {a: {image: bb, network_mode: none, command: probe spam 6000000}}\n")
    process = bb.start(BINARY, "up")
    time.sleep(1)
    lines = [line.split("| ")[1] for line in process.stdout if "| " in line]
    assert len(lines) > 90000 and [int(line.split()[0]) for line in lines] == list(range(len(lines)))
    process.communicate(timeout=10)


def test_ctrl_c_ends_an_up_whose_reader_is_stopped(bb):
    bb.compose(NOISY)
    process = bb.start(BINARY, "up")
    time.sleep(0.7)
    bb.sh(f"kill -INT {supervisor(bb)}").ok()
    wait_until(lambda: process.poll() is not None, what="the end of up")
    assert process.returncode == 130
    process.communicate()
    assert [row["State"] for row in bb.ps()] == ["exited"]


def test_up_stops_when_nobody_reads_it_any_more(bb):
    bb.compose(NOISY)
    assert bb.sh(f"{BINARY} up 2>/dev/null | head -n 3", timeout=20).ok().out.count("\n") == 3
    wait_until(lambda: [row["State"] for row in bb.ps()] == ["exited"])


def test_up_beside_a_supervisor_shows_new_containers_from_their_first_line(bb):
    services = QUIET + "  b: {image: bb, network_mode: none, stop_signal: KILL, command: sh -c 'echo first; sleep 0.3; echo second; exec sleep 100'}\n"
    bb.compose("services:\n" + services)
    bb.mc("up", "-d", "q").ok()
    process = bb.start(BINARY, "up")
    wait_until(lambda: bb.mc("logs", "b").out.count("\n") == 2)
    time.sleep(0.3)
    bb.sh("kill -INT $(pgrep -n -x mycompose)").ok()
    assert process.communicate(timeout=20)[0].count("first\n") == 1


def test_what_a_failed_up_leaves_running_is_minded_on(clean):
    """Nobody read its output any more (it stopped at a full FIFO) nor restarted it."""
    a = "command: sh -c 'until test -e /go; do sleep 0.05; done; echo went; exit 3'"
    clean.compose(
        f"services:\n  a: {{image: bb, network_mode: none, restart: always, stop_signal: KILL, {a}}}\n"
        "  b: {image: bb, network_mode: none, depends_on: [a], command: /nonexistent}\n"
    )
    result = clean.mc("up").fails()
    assert result.err.count("no such file or directory") == 1
    assert clean.sh("pgrep -c -x mycompose").out.strip() == "1"
    assert [row["State"] for row in clean.ps() if row["Service"] == "a"] == ["running"]
    clean.mc("exec", "a", "touch", "/go").ok()
    wait_until(lambda: clean.mc("logs", "a").out.count("went") >= 2, what="a restart")
    clean.mc("down").ok()
    wait_until(lambda: clean.sh("pgrep -c -x mycompose").out.strip() == "0")


def test_row_14_11_a_stopped_reader_of_run_does_not_stop_its_supervisor(bb):
    """`run` wrote to its blocked standard output from inside the supervisor: `stop` hung."""
    process = bb.start(BINARY, "run", "--name", "c", "--network", "none", "--stop-signal", "KILL", "bb", "probe", "spam", "1000000000")
    wait_until(lambda: (bb.state("c") or {}).get("State") == "running")
    time.sleep(0.7)
    assert bb.mc("stop", "c", timeout=10).ok()
    assert int(bb.sh(f"awk '/VmRSS/ {{print $2}}' /proc/{supervisor(bb)}/status").out) < 40000, "what is kept is bounded"
    lines = process.stdout.read().splitlines()
    assert [int(line.split()[0]) for line in lines[:-1]] == list(range(len(lines) - 1)) and len(lines) > 10000
    assert process.wait(10) == 137
    process.communicate()


def test_row_14_11_a_slow_reader_of_run_gets_every_line_in_order(bb):
    process = bb.start(BINARY, "run", "--network", "none", "bb", "probe", "spam", "6000000")
    time.sleep(1)
    lines = process.stdout.read().splitlines()
    assert len(lines) > 90000 and [int(line.split()[0]) for line in lines] == list(range(len(lines)))
    assert process.wait(10) == 0
    process.communicate()


def test_ctrl_c_ends_a_run_whose_reader_is_stopped(bb):
    process = bb.start(BINARY, "run", "--name", "c", "--network", "none", "bb", "probe", "spam", "1000000000")
    wait_until(lambda: (bb.state("c") or {}).get("State") == "running")
    time.sleep(0.7)
    for _ in range(3):
        bb.sh(f"kill -INT {supervisor(bb)}").ok()
        time.sleep(0.2)
    wait_until(lambda: process.poll() is not None, what="the end of run")
    process.communicate()
    assert bb.state("c")["State"] == "exited"
