# SPDX-License-Identifier: GPL-2.0-or-later
"""The supervisor killed while containers write: none dies, and what they wrote is in the log once it is back, each line once."""

import json
import random
import time

import pytest

from test_killed_at_every_call import KILLAT
from testhost import BINARY, wait_until

# Numbered lines of many lengths, until there is a file /tmp/end.
STREAM = r"""
awk 'BEGIN { x = "x"; while (length(x) < 4000) x = x x
  for (i = 0; ; i++) {
    printf "%d %s\n", i, substr(x, 1, i * 37 % 3011)
    if (i % 2000 == 1999 && system("test -e /tmp/end") == 0) { printf "END\n"; exit }
  } }' ; sleep 1000
"""
SERVICE = '{image: bb, stop_signal: SIGKILL, command: [sh, -c, %s], logging: {options: {max-size: "%s", max-file: "1000"}}}'


def supervisors(host):
    return host.sh("pgrep -x mycompose").out.split()


def begin(host, size, count=1):
    services = "".join(f"  s{i}: {SERVICE % (json.dumps(STREAM), size)}\n".replace("$", "$$") for i in range(count))
    host.compose("services:\n" + services)
    host.mc("up", "-d").ok()
    return {row["Service"]: host.pid_of(row["Name"]) for row in host.ps()}


def check(host, service, least):
    """Every line, once and in order; how many bytes that is."""
    out = host.mc("logs", "--no-log-prefix", service, timeout=120).ok().out
    lines = out.splitlines()
    assert lines[-1] == "END" and len(lines) > least, lines[-1][:60]
    for number, line in enumerate(lines[:-1]):
        if line != f"{number} {'x' * (number * 37 % 3011)}":
            raise AssertionError(f"line {number} is {line[:60]!r}, after {lines[number - 1][:60]!r}")
    return len(out)


def end(host, pids):
    for service in pids:
        host.mc("exec", "-T", service, "sh", "-c", "echo > /tmp/end").ok()
    for service in pids:
        wait_until(lambda: "END" in host.mc("logs", "-n", "1", service).out, timeout=60, what="the last line")
    assert {row["Service"]: host.pid_of(row["Name"]) for row in host.ps()} == pids, "a container was started again"


def test_row_13_2_logs_at_full_speed_over_kills_of_the_supervisor(clean):
    """Far above 10 MB/s: as fast as two containers can write."""
    pids = begin(clean, "20m", count=2)
    began = time.monotonic()
    for _ in range(12):
        time.sleep(random.random() * 0.2)
        clean.sh("kill -9 " + " ".join(supervisors(clean))).ok()
        clean.mc("up", "-d").ok()
    end(clean, pids)
    taken = time.monotonic() - began
    total = sum(check(clean, service, 1000) for service in pids)
    print(f"{total / 1e6:.0f} MB of log in {taken:.1f} s")
    clean.mc("down").ok()


@pytest.mark.parametrize("size", ["1m", "100m"])
def test_row_13_2_logs_over_a_kill_at_each_call_of_the_supervisor(clean, size):
    """Just before each of its calls that change anything, one after the other: reads, writes, rotations."""
    pids = begin(clean, size)
    calls = set()
    for point in range(1, 41):
        report = clean.directory / "report"
        # Follows the supervisor for as long as `sleep` lasts, and ends that too when it kills.
        clean.run(KILLAT, "-c", report, "-p", supervisors(clean)[0], point, "/bin/sleep", "5")
        what, _, *call = report.read_text().split()
        assert what == "killed"
        calls.update(call)
        clean.mc("up", "-d").ok()
    assert {"splice", "pwrite64", "write"} <= calls, calls
    assert size == "100m" or "renameat" in calls
    end(clean, pids)
    check(clean, "s0", 100)
    clean.mc("down").ok()


def test_row_13_2_the_beginning_of_a_line_survives_the_supervisor(clean):
    script = "printf 'begun '; until test -e /tmp/go; do sleep 0.02; done; printf 'and ended\\n'; sleep 1000"
    clean.compose(f"services: {{s: {{image: bb, stop_signal: SIGKILL, command: [sh, -c, {json.dumps(script)}]}}}}")
    clean.mc("up", "-d").ok()
    wait_until(lambda: clean.sh("ls /run/mycompose/containers/*/stdout.journal").code == 0, what="the beginning")
    clean.sh("kill -9 " + " ".join(supervisors(clean))).ok()
    clean.mc("exec", "-T", "s", "touch", "/tmp/go").ok()
    clean.mc("up", "-d").ok()
    wait_until(lambda: clean.mc("logs", "--no-log-prefix").out == "begun and ended\n", what="the whole line")
    clean.mc("down").ok()


def test_row_13_2_what_was_taken_is_logged_although_the_container_has_ended(clean):
    """With it goes what was still in its pipe; what the supervisor had taken out is there."""
    clean.compose("services: {s: {image: bb, stop_signal: SIGKILL, command: [sh, -c, 'printf unfinished; sleep 1000']}}")
    clean.mc("up", "-d").ok()
    wait_until(lambda: clean.sh("ls /run/mycompose/containers/*/stdout.journal").code == 0, what="the output")
    pid = clean.pid_of(clean.ps()[0]["Name"])
    clean.sh("kill -9 " + " ".join(supervisors(clean)) + f" {pid}").ok()
    wait_until(lambda: clean.ps()[0]["State"] == "exited", what="its end")
    clean.mc("up", "-d").ok()
    assert clean.mc("logs", "--no-log-prefix").ok().out.startswith("unfinished")
    clean.mc("down").ok()


def test_a_full_run_directory_costs_no_output(clean):
    """The journal is given up, not the log."""
    clean.sh("mkdir /run/small && mount -t tmpfs -o size=256k small /run/small").ok()
    clean.env["MYCOMPOSE_RUN"] = "/run/small/run"
    script = "until test -e /tmp/go; do sleep 0.02; done; seq 20000; echo END; sleep 1000"
    clean.compose(f"services: {{s: {{image: bb, stop_signal: SIGKILL, command: [sh, -c, {json.dumps(script)}]}}}}")
    clean.mc("up", "-d").ok()
    clean.sh("dd if=/dev/zero of=/run/small/filler bs=4k 2>/dev/null; true")
    clean.mc("exec", "-T", "s", "touch", "/tmp/go").ok()
    wait_until(lambda: "END" in clean.mc("logs", "-n", "1").out, what="the last line")
    assert clean.mc("logs", "--no-log-prefix").ok().out.split() == [str(i) for i in range(1, 20001)] + ["END"]
    clean.sh("rm /run/small/filler").ok()
    clean.mc("down").ok()
    del clean.env["MYCOMPOSE_RUN"]
    clean.sh("umount /run/small && rmdir /run/small").ok()
