# SPDX-License-Identifier: GPL-2.0-or-later
"""Completion in the shell, what `make install` puts where, and variables that must not be combined."""

import pathlib

import pytest

import testhost

APP = """
name: demo
services:
  web: {image: bb, command: [sleep, "1000"], stop_signal: SIGKILL}
  db: {image: bb, command: [sleep, "1000"], stop_signal: SIGKILL, profiles: [extra]}
"""


def complete(host, *words):
    return host.mc("__complete", *words).ok().out.split()


@pytest.mark.parametrize(
    "words, some, none",
    [
        ([""], ["up", "cp", "container"], ["--help", "web"]),
        (["-"], ["--file", "--progress", "--help"], ["--workdir", "up"]),
        (["container", ""], ["ls", "prune"], ["up", "web"]),
        (["up", ""], ["web", "db"], ["up"]),
        (["up", "web", "--"], ["--detach", "--wait"], ["--file", "web"]),
        (["logs", "-n", ""], [], ["web"]),
        (["--progress", "plain", "stop", ""], ["web"], []),
        (["nothing", ""], [], ["up", "web"]),
        (["images", ""], ["web"], []),
    ],
)
def test_completion_offers_what_may_follow(bb, words, some, none):
    bb.compose(APP)
    found = complete(bb, *words)
    assert set(some) <= set(found) and not set(none) & set(found)


def test_completion_uses_the_file_named_on_the_line(bb):
    bb.file("other.yml", "name: x\nservices: {only: {image: bb}}\n")
    assert complete(bb, "-f", "other.yml", "up", "") == ["only"]
    assert complete(bb, "-f", "broken.yml", "up", "") == []


def test_bash_completes(bb):
    bb.compose(APP)
    script = testhost.ROOT / "docs" / "mycompose.bash"
    out = bb.run(
        "bash", "-c", f'mycompose() {{ {testhost.BINARY} "$@"; }}; . {script}; COMP_WORDS=(mycompose stop w); COMP_CWORD=2; _mycompose; echo "${{COMPREPLY[@]}}"'
    ).ok().out
    assert out == "web\n"


def test_install_puts_manual_and_completion_in_place(tmp_path):
    import subprocess

    build = pathlib.Path(testhost.BINARY).parent
    subprocess.run(["make", "-s", "-o", str(build / "mycompose"), f"BUILD={build}", f"DESTDIR={tmp_path}", "install"], cwd=testhost.ROOT, check=True)
    installed = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert {"usr/local/bin/mycompose", "usr/local/share/man/man1/mycompose.1", "usr/local/share/bash-completion/completions/mycompose"} <= installed


@pytest.mark.parametrize("words", [["down"], ["kill"]])
def test_orphans_cannot_be_ignored_and_removed(bb, words):
    bb.compose(APP)
    env = {"COMPOSE_IGNORE_ORPHANS": "1"}
    assert bb.mc(*words, "--remove-orphans", env=env).fails(1).err == "cannot combine COMPOSE_IGNORE_ORPHANS and --remove-orphans\n"


def test_exec_is_told_as_an_event(bb):
    bb.daemon("box", "sleep", "1000")
    bb.inside("box", "echo", "hello").ok()
    out = bb.mc("events", "--since", "1h", "--until", "0s").ok().out
    assert "container exec_create: echo hello " in out and "container exec_start: echo hello " in out
