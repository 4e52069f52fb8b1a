# SPDX-License-Identifier: GPL-2.0-or-later
"""Attached `up`: what is shown, when it ends, with which exit code, and which flags exclude each other."""

import pytest


def compose(host, **commands):
    body = "".join(f'  {name}: {{image: bb, stop_signal: SIGKILL, command: [sh, -c, "{command}"]{more}}}\n' for name, (command, more) in commands.items())
    host.compose("name: demo\nservices:\n" + body)


def states(host):
    return {row["Service"]: row["State"] for row in host.ps()}


def test_it_ends_when_what_was_named_has_ended(bb):
    compose(bb, db=("echo from-db; sleep 1000", ""), web=("echo from-web; sleep 0.3", ", depends_on: [db]"))
    result = bb.mc("up", "web").ok()
    assert "Attaching to web-1\n" in result.out and "from-web" in result.out and "from-db" not in result.out
    assert states(bb) == {"db": "running", "web": "exited"}
    bb.mc("logs", "db").ok()
    bb.mc("down").ok()


def test_dependencies_are_shown_and_waited_for_on_request(bb):
    compose(bb, db=("echo from-db; sleep 0.5", ""), web=("echo from-web", ", depends_on: [db]"))
    result = bb.mc("up", "--attach-dependencies", "web").ok()
    assert "from-db" in result.out and "from-web" in result.out
    assert states(bb) == {"db": "exited", "web": "exited"}


def test_no_attach_hides_and_still_waits(bb):
    compose(bb, db=("echo from-db; sleep 0.5", ""), web=("echo from-web", ""))
    result = bb.mc("up", "--no-attach", "db").ok()
    assert "from-db" not in result.out and "from-web" in result.out
    assert states(bb) == {"db": "exited", "web": "exited"}
    result = bb.mc("up", "--attach", "web").ok()
    assert "from-db" not in result.out and "from-web" in result.out


def test_failures_abort_and_successes_do_not(bb):
    compose(bb, good=("true", ""), bad=("sleep 0.4; exit 9", ""), long=("sleep 1000", ""))
    result = bb.mc("up", "--abort-on-container-failure").fails(9)
    assert "Aborting on container exit..." in result.err
    assert states(bb)["long"] == "exited"


def test_the_first_exit_aborts_and_gives_its_code(bb):
    compose(bb, first=("exit 5", ""), long=("sleep 1000", ""))
    bb.mc("up", "--abort-on-container-exit").fails(5)
    assert states(bb) == {"first": "exited", "long": "exited"}


def test_the_exit_code_of_one_service(bb):
    compose(bb, first=("exit 5", ""), long=("trap 'exit 6' TERM; while :; do sleep 0.1; done", ", stop_signal: SIGTERM"))
    bb.compose((bb.directory / "compose.yaml").read_text().replace("long: {image: bb, stop_signal: SIGKILL,", "long: {image: bb,"))
    bb.mc("up", "--exit-code-from", "long").fails(6)


@pytest.mark.parametrize(
    "words",
    [
        ("--build", "--no-build"),
        ("--force-recreate", "--no-recreate"),
        ("--always-recreate-deps", "--no-recreate"),
        ("-V", "--no-recreate"),
        ("-d", "--abort-on-container-exit"),
        ("-d", "--abort-on-container-failure"),
        ("-d", "--attach", "web"),
        ("-d", "--attach-dependencies"),
        ("--attach", "web", "--attach-dependencies"),
        ("--abort-on-container-exit", "--abort-on-container-failure"),
        ("--pull", "always"),
        ("--exit-code-from", "nope"),
        ("--watch",),
        ("--menu",),
    ],
)
def test_flags_that_exclude_each_other(bb, words):
    compose(bb, web=("true", ""))
    assert bb.mc("up", *words).fails(1).err
    assert bb.ps() == []


def test_flags_that_change_nothing_here(bb):
    compose(bb, web=("echo hello", ""))
    result = bb.mc("up", "-y", "--quiet-pull", "--pull", "missing", "--no-build", "--no-color", "--no-log-prefix", "--timestamps", "-t", "3", "--menu=false", "--quiet-build").ok()
    assert "hello" in result.out and "web-1 |" not in result.out.replace("  ", " ")
    bb.mc("create", "-y", "--quiet-pull", "--pull", "never", "--build").ok()
    assert bb.mc("run", "--rm", "--build", "--quiet-pull", "--quiet-build", "-T", "web", "echo", "once").ok().out == "once\n"
    assert "unknown flag: --build" in bb.mc("run", "--rm", "--build", "bb", "true").fails(125).err
