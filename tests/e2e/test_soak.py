# SPDX-License-Identifier: GPL-2.0-or-later
"""Two hundred random commands and accidents on ten services that crash at random; what must be so is looked at after each.

MYCOMPOSE_SOAK_SEED repeats a run, MYCOMPOSE_SOAK_COMMANDS makes it longer.
"""

import json
import os
import pathlib
import random

import pytest

from testhost import BINARY

SOAK = pathlib.Path(__file__).resolve().parents[1] / "faults" / "soak.py"
COMMANDS = int(os.environ.get("MYCOMPOSE_SOAK_COMMANDS", "200"))
RUNS = 2  # side by side


@pytest.mark.parametrize("run", range(RUNS))
def test_row_13_1_random_commands_and_accidents(bb, run):
    seed = os.environ.get("MYCOMPOSE_SOAK_SEED") or f"{random.randrange(1 << 32)}"
    print(f"MYCOMPOSE_SOAK_SEED={seed}")
    job = {"mycompose": BINARY, "folder": str(bb.directory), "seed": seed, "commands": COMMANDS // RUNS}
    result = bb.run("/usr/bin/python3", SOAK, json.dumps(job), timeout=1200)
    lines = [json.loads(line) for line in result.out.splitlines()]
    done = [line["command"] for line in lines]
    assert [line["problem"] for line in lines if line["problem"]] == [], done
    assert result.code == 0, repr(result)
    assert len(done) == COMMANDS // RUNS + 1
