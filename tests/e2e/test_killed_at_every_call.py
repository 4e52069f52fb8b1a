# SPDX-License-Identifier: GPL-2.0-or-later
"""A command killed just before each of its system calls that change something, together with the supervisor: the next `up` reaches what the file
says, the next `down -v` leaves the host as it was, a volume keeps its data.

All points of all commands are several thousand; MYCOMPOSE_EVERY_POINT=1 takes them all, in an hour. Otherwise every STEP-th is taken, beginning at
another one each time.
"""

import json
import os
import pathlib
import random

import pytest

from testhost import BINARY

KILLAT = os.environ.get("MYCOMPOSE_KILLAT", str(pathlib.Path(BINARY).parent / "tests" / "killat"))
EACH_POINT = pathlib.Path(__file__).resolve().parents[1] / "faults" / "each_point.py"
EVERY = os.environ.get("MYCOMPOSE_EVERY_POINT") == "1"
STEP = 1 if EVERY else 5
SHARDS = 2

PROJECT = """
services:
  a: {image: bb, command: [sleep, "1000"], stop_signal: SIGKILL, ports: ["8080:80", "8081:81/udp"], networks: [one, two], volumes: ["data:/data", "/anonymous"], mem_limit: 64m}
  b: {image: bb, command: [sleep, "1000"], stop_signal: SIGKILL, networks: [two], depends_on: [a], init: true, read_only: true, tmpfs: [/tmp]}
  c: {image: bb, command: [sleep, "1000"], stop_signal: SIGKILL, network_mode: none, tty: true}
networks: {one: {}, two: {internal: true}}
volumes: {data: {}}
"""
CHANGED = PROJECT.replace("64m", "65m").replace("init: true", "init: true, environment: {N: '1'}")
# Without -v an anonymous volume stays behind for good.
KEPT = PROJECT.replace(', "/anonymous"', "")
# Three processes make such a container, and an index knows its ids.
MAPPED = """
services:
  a: {image: bb, userns_mode: %s, command: [sleep, "1000"], stop_signal: SIGKILL, ports: ["8080:80"], volumes: ["data:/data", "./:/b"], tmpfs: [/tmp]}
volumes: {data: {}}
"""
THREE = {"a": 1, "b": 1, "c": 1}
UP = ["up", "-d"]

# name: (file that is up, file given, command, command that must reach the wanted state, its states, services not to be touched)
SCENARIOS = {
    "up": (None, PROJECT, UP, UP, THREE, []),
    "recreate": (PROJECT, CHANGED, UP, UP, THREE, ["c"]),
    "scale-up": (PROJECT, PROJECT, [*UP, "--scale", "b=3"], [*UP, "--scale", "b=3"], {**THREE, "b": 3}, ["a", "c"]),
    "scale-down": (PROJECT.replace("depends_on: [a]", "depends_on: [a], scale: 3"), PROJECT, UP, UP, THREE, ["a", "c"]),
    "restart": (PROJECT, PROJECT, ["restart"], UP, THREE, []),
    "stop": (PROJECT, PROJECT, ["stop"], UP, THREE, []),
    "down": (KEPT, KEPT, ["down"], UP, THREE, []),
    "up-mapped": (None, MAPPED % "auto", UP, UP, {"a": 1}, []),
    "recreate-mapped": (MAPPED % "auto", MAPPED % "'auto:size=70000'", UP, UP, {"a": 1}, []),
    "down-v": (PROJECT, PROJECT, ["down", "-v"], UP, THREE, []),
}


@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_row_13_1_killed_at_every_call(bb, scenario, shard, record_property):
    before, after, command, wanted, states, untouched = SCENARIOS[scenario]
    first = 1 + shard * STEP + random.randrange(STEP)
    job = {
        "mycompose": BINARY,
        "killat": KILLAT,
        "folder": str(bb.directory),
        "before": before,
        "after": after,
        "command": command,
        "wanted": wanted,
        "states": states,
        "untouched": untouched,
        "first": first,
        "step": STEP * SHARDS,
        "last": 100000,
    }
    result = bb.run("/usr/bin/python3", EACH_POINT, json.dumps(job), timeout=7200).ok()
    lines = [json.loads(line) for line in result.out.splitlines()]
    tried = [line for line in lines if "point" in line]
    record_property("points", len(tried))
    print(f"{scenario}: {len(tried)} points from {first} on in steps of {STEP * SHARDS}")
    assert [line for line in lines if line["problem"]] == []
    assert len(tried) >= 10 and "count" in lines[-1]
