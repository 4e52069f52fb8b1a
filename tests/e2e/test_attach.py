# SPDX-License-Identifier: GPL-2.0-or-later
"""attach: the output of a running container, our input and signals; a terminal as if one sat at it."""

import os
import signal
import time

import pytest

from testhost import BINARY, Terminal, wait_until

APP = """
name: demo
services:
  web:
    image: bb
    command: [sh, -c, "trap 'echo bye; exit 6' INT; echo up; while :; do sleep 0.02; done"]
    stop_signal: SIGKILL
    scale: 2
"""
KEYS = "\x10\x11"


def attached(host):
    """Its command line looks at the events."""
    wait_until(lambda: host.sh("ls -l /proc/*/fd | grep -c inotify").out.strip() != "0", what="the attached command")


@pytest.fixture
def shell(bb):
    """A shell at a terminal, in the background."""
    bb.daemon("box", "sh", flags="-it --env PS1=ready>")
    yield bb
    bb.mc("rm", "-f", "box")


def at(host, *flags, name="box", size=(24, 80)):
    """A terminal that is attached to it, and shows its prompt."""
    terminal = Terminal(host, "attach", *flags, name, size=size)
    terminal.expect("ready>")
    return terminal


def cat(host, terminal):
    """What is typed comes back, once more than by the terminal's echo."""
    terminal.type("cat -v\r")
    wait_until(lambda: host.sh("pgrep -x cat").out, what="the program")


# without a terminal


def test_attach_shows_what_comes_and_ends_with_the_container(bb):
    bb.daemon("talker", "sh", "-c", "echo before; read line; echo got $line; echo problem >&2; exit 4", flags="-i")
    wait_until(lambda: "before" in bb.mc("logs", "talker").out, what="the first line")
    result = bb.mc("attach", "talker", input="hello\n")
    assert (result.code, result.out, result.err) == (4, "got hello\n", "problem\n")
    assert "is not running" in bb.mc("attach", "talker").fails(1).err or "stopped" in bb.mc("attach", "talker").err


def test_attach_passes_signals_on(bb):
    bb.compose(APP)
    bb.mc("up", "-d").ok()
    wait_until(lambda: bb.mc("logs", "web").out.count("up") == 2, what="their first lines")
    terminal = Terminal(bb, "-p", "demo", "attach", "--index", "2", "web")
    attached(bb)
    bb.sh("kill -INT $(pgrep -n -x mycompose)").ok()
    assert terminal.end() == 6 and "bye" in terminal.text


def test_attach_without_a_proxy_ends_alone(bb):
    bb.daemon("quiet", "sleep", "1000")
    terminal = Terminal(bb, "attach", "--sig-proxy=false", "quiet")
    attached(bb)
    bb.sh("kill -INT $(pgrep -n -x mycompose)").ok()
    assert terminal.end() == 130 and bb.state("quiet")["State"] == "running"


# at a terminal


def test_a_terminal_shows_each_byte_and_takes_what_is_typed(shell):
    terminal = at(shell)  # no line is finished by a prompt
    terminal.type("echo $((6 * 7)); tty\r")
    terminal.expect("\r\n42\r\n/dev/")
    terminal.type("sleep 1000\r")
    wait_until(lambda: shell.sh("pgrep -x sleep").out, what="the program")
    terminal.type("\x03")
    terminal.expect("^C")
    terminal.type("exit 7\r")
    assert terminal.end() == 7
    assert shell.state("box")["State"] == "exited"


def test_the_detach_keys_leave_it_running(shell):
    terminal = at(shell)
    terminal.type("word=kept\r" + KEYS)
    assert terminal.end() == 0 and "read escape sequence" in terminal.text
    assert shell.state("box")["State"] == "running"
    terminal = at(shell)
    terminal.type("echo it is $word\r")
    terminal.expect("it is kept")
    cat(shell, terminal)
    terminal.type("\x10x\x10\x10")  # what only begins like them is typed
    terminal.type("y\r")
    terminal.expect("^Px^P^Py\r\n^Px^P^Py")
    terminal.type("\x03" + KEYS)
    assert terminal.end() == 0


def test_other_keys_detach_when_they_are_said(shell):
    terminal = at(shell, "--detach-keys", "ctrl-x,d")
    cat(shell, terminal)
    terminal.type(KEYS + "a\r")
    terminal.expect("^Pa\r\n^Pa")  # the other one is the terminal's own: go on
    terminal.type("\x18d")
    assert terminal.end() == 0 and shell.state("box")["State"] == "running"
    assert 'invalid detach keys "ctrl-,x"' in shell.mc("attach", "--detach-keys", "ctrl-,x", "box").fails(1).err


def test_two_at_one_terminal_see_the_same(shell):
    one, other = at(shell), at(shell)
    one.type("echo from $((1 + 1))\r")
    other.expect("from 2")
    other.type("echo from $((1 + 0)); exit 3\r")
    one.expect("from 1")
    assert (one.end(), other.end()) == (3, 3)


def test_the_size_follows_the_users_terminal(shell):
    terminal = at(shell, size=(33, 101))
    terminal.type("stty size\r")
    terminal.expect("33 101")
    terminal.resize(50, 132)
    terminal.process.send_signal(signal.SIGWINCH)
    shell.sh("kill -WINCH $(pgrep -n -x mycompose)").ok()
    wait_until(lambda: shell.inside("box", "sh", "-c", "stty size < /dev/console").out == "50 132\n", what="the new size")
    terminal.type(KEYS)
    assert terminal.end() == 0


def test_without_stdin_one_only_looks_on(shell):
    terminal = Terminal(shell, "attach", "--no-stdin", "box")
    attached(shell)
    terminal.type("touch /typed\r")
    other = at(shell)
    other.type("echo seen $((1 + 1))\r")
    terminal.expect("seen 2")
    assert shell.inside("box", "test", "-e", "/typed").code == 1
    shell.sh("kill -INT $(pgrep -o -x -f '.*attach --no-stdin box')").ok()
    assert terminal.end() == 130
    other.type("exit 0\r")
    assert other.end() == 0


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP"])
def test_a_signal_ends_the_command_and_not_who_is_at_its_terminal(shell, name):
    terminal = at(shell)
    shell.sh(f"kill -{name} $(pgrep -n -x mycompose)").ok()
    assert terminal.end() == 130
    assert shell.state("box")["State"] == "running"
    again = at(shell)
    again.type(KEYS)
    assert again.end() == 0


def test_input_may_come_from_a_pipe(shell):
    result = shell.mc("attach", "box", input="echo piped $((2 + 2))\nexit 5\n")
    assert result.code == 5 and "piped 4" in result.out


def test_a_service_with_a_terminal(bb):
    bb.compose("name: demo\nservices: {web: {image: bb, command: [sh], tty: true, stdin_open: true, environment: {PS1: 'ready>'}}}")
    up = bb.start(BINARY, "up")
    wait_until(lambda: bb.ps() and bb.ps()[0]["State"] == "running", what="the service")
    terminal = at(bb, name="web")
    terminal.type("echo hello $((3 + 3))\r")
    terminal.expect("hello 6")
    terminal.type("exit 2\r")
    assert terminal.end() == 2
    assert "hello 6" in up.communicate(timeout=20)[0]


def test_who_does_not_read_holds_nobody_up_for_long(shell):
    terminal = at(shell)
    shell.sh("kill -STOP $(pgrep -n -x mycompose)").ok()
    began = time.monotonic()
    other = at(shell)
    other.type("yes | head -c 1500000; touch /done; echo all $((4 + 4))\r")
    wait_until(lambda: (other.read(), shell.inside("box", "test", "-e", "/done").code == 0)[1], timeout=40, interval=0.2, what="the end of the output")
    assert time.monotonic() - began < 30
    other.expect("all 8")
    assert other.text.replace("\r\n", "").count("y" * 1000) > 0
    other.type("exit 0\r")
    assert other.end() == 0
    terminal.process.send_signal(signal.SIGCONT)  # nsenter stops and goes on with its child
    wait_until(lambda: (terminal.read(), terminal.process.poll() is not None)[1], timeout=20, what="the end of who did not read")
    assert terminal.end() in (0, 1)


def test_a_slow_reader_gets_all_of_it(shell):
    """Nothing is left out while it is slow: the terminal waits."""
    terminal = at(shell)
    terminal.type("i=0; while [ $i -lt 60000 ]; do echo line $i of sixty thousand; i=$((i+1)); done; echo all $((4 + 4))\r")
    time.sleep(1.5)
    terminal.expect("all 8", timeout=60)
    numbers = [int(line.split()[1]) for line in terminal.text.splitlines() if line.endswith("of sixty thousand")]
    assert numbers == list(range(60000))
    terminal.type("exit 0\r")
    assert terminal.end() == 0


def test_a_program_that_reads_nothing_holds_up_no_other(shell):
    """What is typed into it waits with whoever types."""
    terminal = at(shell)
    terminal.type("stty raw; sleep 3; stty cooked; echo awake\r")
    time.sleep(0.5)
    os.set_blocking(terminal.fd, False)
    for _ in range(200):
        try:
            os.write(terminal.fd, b"z" * 1000)
        except BlockingIOError:
            break
    shell.daemon("other", "true")
    assert shell.mc("stop", "-t", "0", "box").ok().out == "box\n"
    assert terminal.end() != 0


def test_nobody_attaches_to_a_terminal_that_is_gone(bb):
    bb.daemon("box", "sh", "-c", "trap '' HUP; while :; do sleep 0.1; done", flags="-t --stop-signal SIGKILL")
    bb.sh("kill -9 $(pgrep -x mycompose)").ok()
    wait_until(lambda: not bb.sh("pgrep -x mycompose").out, what="its supervisor's death")
    if bb.state("box")["State"] == "running":
        assert "went with the supervisor" in bb.mc("attach", "box").fails(1).err
        bb.mc("rm", "-f", "box").ok()
