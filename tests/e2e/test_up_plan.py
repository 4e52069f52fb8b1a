# SPDX-License-Identifier: GPL-2.0-or-later
"""The plan as text, JSON and exit code; --dry-run that is really dry; scale; contents that decide."""

import json

import pytest

from testhost import BINARY, TWO, wait_until

TWO = "name: demo" + TWO + "    volumes: [data:/data]\nvolumes: {data: {}}\n"


def inspect(host, name):
    return json.loads(host.mc("container", "inspect", name).ok().out)[0]


def plan(host, *words):
    return json.loads(host.mc(*(words or ("up",)), "--dry-run", "--format", "json").ok().out)


def test_the_plan_for_machines(bb):
    bb.compose(TWO)
    actions = plan(bb)
    assert [(a["kind"], a["object"], a["name"]) for a in actions] == [
        ("create", "network", "demo_default"),
        ("create", "volume", "demo_data"),
        ("create", "container", "demo-db-1"),
        ("start", "container", "demo-db-1"),
        ("create", "container", "demo-web-1"),
        ("start", "container", "demo-web-1"),
    ]
    assert actions[2] == {"kind": "create", "object": "container", "service": "db", "number": 1, "name": "demo-db-1", "reason": "not there yet", "after": [1]}
    assert 3 in actions[5]["after"]
    bb.mc("up", "-d").ok()
    kept = plan(bb)
    assert {a["kind"] for a in kept} == {"keep"} and {a["id"][:12] for a in kept} == set(bb.ids().values())
    bb.compose(TWO.replace("red", "green"))
    replaced = plan(bb)
    create = next(a for a in replaced if a["kind"] == "create")
    assert create["reason"] == "its configuration changed" and create["replaces"][:12] == bb.ids()["demo-db-1"]


def test_format_needs_a_dry_run_and_a_name_it_knows(bb):
    bb.compose(TWO)
    assert "--dry-run" in bb.mc("up", "-d", "--format", "json").fails(1).err
    assert "xml" in bb.mc("up", "--dry-run", "--format", "xml").fails(1).err
    assert bb.ps() == []


def test_the_exit_code_tells_whether_there_is_something_to_do(bb):
    bb.compose(TWO)
    bb.mc("up", "--dry-run", "--detailed-exitcode").fails(2)
    bb.mc("up", "-d", "--detailed-exitcode").fails(2)
    bb.mc("up", "--dry-run", "--detailed-exitcode").ok()
    bb.mc("up", "-d", "--detailed-exitcode").ok()
    bb.compose(TWO.replace("red", "green"))
    bb.mc("up", "--dry-run", "--detailed-exitcode").fails(2)
    bb.compose(TWO.replace("image: bb", "image: nope"))
    bb.mc("up", "--dry-run", "--detailed-exitcode").fails(1)
    assert "--detailed-exitcode" in bb.mc("up", "--detailed-exitcode").fails(1).err


def everything(host):
    """The snapshot, and the bytes of all state there is."""
    files = "find /run/mycompose /var/lib/mycompose -type f ! -path '*/containers/*/container.log*' | sort | xargs sha256sum"
    directories = "find /run/mycompose /var/lib/mycompose | sort"
    return host.snapshot(), host.sh(files).out, host.sh(directories).out


@pytest.mark.parametrize("before", [True, False], ids=["--dry-run VERB", "VERB --dry-run"])
def test_a_dry_run_changes_nothing(bb, before):
    verbs = [
        ("up", "-d"),
        ("up", "-d", "--force-recreate"),
        ("up", "--scale", "web=3"),
        ("create",),
        ("scale", "web=2"),
        ("start",),
        ("stop",),
        ("restart",),
        ("kill",),
        ("pause",),
        ("rm", "-f", "-s"),
        ("down", "-v"),
    ]
    bb.compose(TWO)
    untouched = everything(bb)
    for verb in verbs:
        bb.mc(*(("--dry-run", *verb) if before else (*verb, "--dry-run")))
        assert everything(bb) == untouched, verb
    bb.mc("up", "-d").ok()
    bb.compose(TWO.replace("red", "green"))
    running = everything(bb)
    for verb in verbs:
        bb.mc(*(("--dry-run", *verb) if before else (*verb, "--dry-run"))).ok()
        assert everything(bb) == running, verb


def test_scale_adds_after_the_highest_and_takes_the_highest_away(bb):
    bb.compose(TWO)
    bb.mc("up", "-d").ok()
    before = bb.ids()
    bb.mc("scale", "web=3").ok()
    three = bb.ids()
    assert set(three) == {"demo-db-1", "demo-web-1", "demo-web-2", "demo-web-3"}
    assert {name: three[name] for name in before} == before
    bb.mc("rm", "-f", "-s", "-v").ok()
    bb.mc("scale", "web=2", "--no-deps").ok()
    assert set(bb.ids()) == {"demo-web-1", "demo-web-2"}
    bb.mc("scale", "web=1", "db=1").ok()
    assert set(bb.ids()) == {"demo-web-1", "demo-db-1"}
    for words in (["web"], ["web=x"], ["nope=1"], []):
        bb.mc("scale", *words).fails(1)


@pytest.mark.parametrize("what", ["configs", "secrets"])
def test_what_a_config_or_secret_holds_decides(bb, what):
    bb.file("text", "one")
    bb.compose(
        f"""
name: demo
services:
  web: {{image: bb, command: [sleep, "1000"], stop_signal: SIGKILL, {what}: [thing]}}
  db: {{image: bb, command: [sleep, "1000"], stop_signal: SIGKILL}}
{what}: {{thing: {{file: ./text}}}}
"""
    )
    bb.mc("up", "-d").ok()
    before = bb.ids()
    bb.mc("up", "--dry-run", "--detailed-exitcode").ok()
    bb.file("text", "two")
    bb.mc("up", "--dry-run", "--detailed-exitcode").fails(2)
    bb.mc("up", "-d").ok()
    after = bb.ids()
    assert after["demo-web-1"] != before["demo-web-1"] and after["demo-db-1"] == before["demo-db-1"]
    place = "/thing" if what == "configs" else "/run/secrets/thing"
    assert bb.mc("exec", "-T", "web", "cat", place).ok().out == "two"


def test_what_an_env_file_holds_decides(bb):
    bb.file("vars", "COLOUR=red\n")
    bb.compose('name: demo\nservices:\n  web: {image: bb, command: [sleep, "1000"], stop_signal: SIGKILL, env_file: vars}\n')
    bb.mc("up", "-d").ok()
    before = bb.ids()
    bb.file("vars", "# another comment\nCOLOUR=red\n")
    bb.mc("up", "-d").ok()
    assert bb.ids() == before
    bb.file("vars", "COLOUR=green\n")
    bb.mc("up", "-d").ok()
    assert bb.ids() != before


def test_parallel_1_starts_one_after_another(bb):
    bb.compose("name: demo\nservices:\n" + "".join(f'  s{i}: {{image: bb, command: [sleep, "1000"], stop_signal: SIGKILL}}\n' for i in range(4)))
    result = bb.mc("--parallel", "1", "up", "-d").ok()
    open_starts = 0
    for line in result.err.splitlines():
        open_starts += line.endswith("  Starting") - line.endswith("  Started")
        assert open_starts <= 1, result.err
    assert len(bb.ids()) == 4
    bb.mc("down").ok()
    result = bb.mc("up", "-d", env={"COMPOSE_PARALLEL_LIMIT": "x"}).fails(1)
    assert "COMPOSE_PARALLEL_LIMIT" in result.err


def test_the_label_of_a_recreate_goes_with_its_name(bb):
    label = "com.docker.compose.replace"
    bb.compose(TWO.replace("stop_signal: SIGKILL\n    volumes", "stop_signal: SIGCONT\n    stop_grace_period: 30s\n    volumes"))
    bb.mc("up", "-d").ok()
    old = bb.ids()["demo-db-1"]
    bb.compose(TWO.replace("red", "green"))
    up = bb.start(BINARY, "up", "-d")
    wait_until(lambda: bb.state(f"{old}_demo-db-1"), what="the successor, while the old one is being stopped")
    assert inspect(bb, f"{old}_demo-db-1")["Config"]["Labels"][label] == "db-1"
    bb.mc("kill", "db").ok()
    assert up.wait(timeout=30) == 0
    assert label not in inspect(bb, "demo-db-1")["Config"]["Labels"]
