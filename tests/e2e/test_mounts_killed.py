# SPDX-License-Identifier: GPL-2.0-or-later
"""Secrets, and volumes that are mounted while they are used, when a command is killed just before one of its system calls: see
test_killed_at_every_call.py."""

import json
import random

import pytest

from test_killed_at_every_call import EACH_POINT, EVERY, KILLAT, UP
from testhost import BINARY

STEP = 1 if EVERY else 40

PROJECT = """
services:
  a: {image: bb, command: [sleep, "1000"], stop_signal: SIGKILL, network_mode: none, secrets: [token], volumes: ["data:/data", "memory:/memory"]}
  b: {image: bb, command: [sleep, "1000"], stop_signal: SIGKILL, network_mode: none, volumes: ["memory:/memory:ro"], configs: [text], volumes_from: [a], depends_on: [a]}
volumes: {data: {}, memory: {driver_opts: {type: tmpfs, device: tmpfs}}}
configs: {text: {content: "hello"}}
secrets: {token: {file: /etc/passwd}}
"""
CHANGED = PROJECT.replace("hello", "other").replace("/etc/passwd", "/etc/group")
STATES = {"a": 1, "b": 1}

SCENARIOS = {
    "up": (None, PROJECT, UP, UP),
    "recreate": (PROJECT, CHANGED, UP, UP),
    "stop": (PROJECT, PROJECT, ["stop"], UP),
    "down-v": (PROJECT, PROJECT, ["down", "-v"], UP),
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_row_13_1_killed_at_every_call(bb, scenario):
    before, after, command, wanted = SCENARIOS[scenario]
    first = 1 + random.randrange(STEP)
    job = {
        "mycompose": BINARY,
        "killat": KILLAT,
        "folder": str(bb.directory),
        "before": before,
        "after": after,
        "command": command,
        "wanted": wanted,
        "states": STATES,
        "untouched": [],
        "first": first,
        "step": STEP,
        "last": 100000,
    }
    result = bb.run("/usr/bin/python3", EACH_POINT, json.dumps(job), timeout=7200).ok()
    lines = [json.loads(line) for line in result.out.splitlines()]
    print(f"{scenario}: from {first} on in steps of {STEP}")
    assert [line for line in lines if line["problem"]] == []
    assert len([line for line in lines if "point" in line]) >= 2 and "count" in lines[-1]
