# SPDX-License-Identifier: GPL-2.0-or-later
"""What is being done, on stderr: on a terminal, in lines, as JSON, not at all; and how the tool speaks of itself."""

import json
import re

import pytest

from testhost import Terminal

APP = """
name: demo
services:
  web:
    image: bb
    command: [sleep, "1000"]
    stop_signal: SIGKILL
  slow:
    image: bb
    command: [sh, -c, "trap '' TERM; while :; do sleep 0.02; done"]
    stop_grace_period: 600s
"""


def texts(result):
    return [re.sub(r"\s+", " ", line).strip() for line in result.err.splitlines()]


def test_plain_lines_begin_with_a_blank_and_have_two_in_between(bb):
    bb.compose(APP)
    err = bb.mc("up", "-d", "web").ok().err
    assert " Container demo-web-1  Creating\n" in err and " Container demo-web-1  Started\n" in err
    assert "\033" not in err


@pytest.mark.parametrize("words, env", [(["--progress", "quiet"], {}), (["--progress=none"], {}), ([], {"COMPOSE_PROGRESS": "quiet"})])
def test_quiet_says_nothing(bb, words, env):
    bb.compose(APP)
    assert bb.mc(*words, "up", "-d", "web", env=env).ok().err == ""


def test_json_lines_and_errors(bb):
    bb.compose(APP)
    err = bb.mc("--progress", "json", "up", "-d", "web").ok().err
    lines = [json.loads(line) for line in err.splitlines()]
    assert {"id": "Container demo-web-1", "status": "Working", "text": "Creating"} in lines
    assert {"id": "Container demo-web-1", "status": "Done", "text": "Started"} in lines
    for words, env in ((["--progress", "json"], {}), ([], {"COMPOSE_PROGRESS": "json"})):
        failed = bb.mc(*words, "stop", "nobody", env=env).fails(1)
        assert json.loads(failed.err) == {"error": True, "message": "no such service: nobody"}


def test_bad_values(bb):
    bb.compose(APP)
    assert bb.mc("--progress", "x", "up", "-d").fails(1).err == 'unsupported --progress value "x"\n'
    assert bb.mc("--ansi", "x", "ps").fails(1).err == 'invalid value for --ansi: "x"\n'


def test_variables_of_the_env_file_count_and_the_environment_wins(bb):
    bb.compose(APP)
    bb.file(".env", "COMPOSE_PROGRESS=json\nOTHER=1\n")
    assert bb.mc("up", "-d", "web").ok().err.startswith('{"id":')
    assert bb.mc("down", env={"COMPOSE_PROGRESS": "quiet"}).ok().err == ""
    assert bb.mc("up", "-d", "web", env={"COMPOSE_DISABLE_ENV_FILE": "1"}).ok().err.startswith(" ")
    bb.file("other.env", "COMPOSE_PROGRESS=quiet\n")
    assert bb.mc("--env-file", "other.env", "down").ok().err == ""


def test_a_terminal_gets_a_block_that_is_redrawn_and_its_cursor_back(bb):
    bb.compose(APP)
    terminal = Terminal(bb, "up", "-d", "web")
    assert terminal.end() == 0
    text = terminal.text
    assert text.startswith("\033[?25l[+] Running 0/") and text.endswith("\033[?25h")
    assert text.count("\033[?25l") == text.count("\033[?25h") == 1
    last = text[text.rindex("[+] Running") :]
    assert re.match(r"\[\+\] Running (\d+)/\1\033\[K", last)
    assert re.search(r" \033\[32m✔\033\[0m Container demo-web-1 +Started +\d+\.\ds\033\[K", last)


def test_no_color_keeps_the_block_and_ansi_never_has_none(bb):
    bb.compose(APP)
    bb.env["NO_COLOR"] = "1"
    terminal = Terminal(bb, "up", "-d", "web")
    assert terminal.end() == 0 and "✔ Container" in terminal.text and "\033[32m" not in terminal.text
    terminal = Terminal(bb, "--ansi", "never", "restart", "web")
    assert terminal.end() == 0 and "\033" not in terminal.text and " Container demo-web-1  Started" in terminal.text


def test_a_long_list_fits_a_small_terminal(bb):
    bb.compose("name: demo\nservices:\n" + "".join(f"  s{i}: {{image: bb, command: [sleep, '1000'], network_mode: none, stop_signal: SIGKILL}}\n" for i in range(12)))
    terminal = Terminal(bb, "up", "-d", size=(8, 60))
    assert terminal.end() == 0
    last = terminal.text[terminal.text.rindex("[+] Running") :]
    assert last.count("\n") == 7 and re.search(r"… 7 more", last)
    plain = re.sub(r"\033\[[0-9;?]*[a-zA-Z]", "", last)
    assert max(len(line) for line in plain.splitlines()) < 60


@pytest.mark.parametrize("signal", ["INT", "TERM"])
def test_an_interrupted_command_ends_with_130_and_shows_the_cursor(bb, signal):
    bb.compose(APP)
    bb.mc("up", "-d", "slow").ok()
    terminal = Terminal(bb, "stop", "slow")
    terminal.expect("Stopping")
    bb.sh(f"kill -{signal} $(pgrep -n -x mycompose)").ok()
    assert terminal.end() == 130
    assert terminal.text.count("\033[?25l") == 1 and terminal.text.endswith("\033[?25h")
    bb.mc("kill", "slow").ok()


def test_warnings_look_different_on_a_terminal(bb):
    bb.compose("version: '3'\n" + APP)
    err = bb.mc("ps").ok().err
    assert re.fullmatch(r'time="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ" level=warning msg=".*obsolete.*"\n', err)
    terminal = Terminal(bb, "ps")
    assert terminal.end() == 0 and re.search(r"^WARN\[0000\] .*obsolete", terminal.text)


def test_status_words_go_where_they_are_wanted(bb):
    bb.compose(APP)
    result = bb.mc("rm", "-f").ok()
    assert (result.out, result.err) == ("", "No stopped containers\n")
    result = bb.mc("rm", "-f", env={"COMPOSE_STATUS_STDOUT": "true"}).ok()
    assert (result.out, result.err) == ("No stopped containers\n", "")
