# SPDX-License-Identifier: GPL-2.0-or-later
"""The first process of a container: words, environment, directory, user, streams, terminal, exit code."""

import os
import re
import signal

import pytest

from testhost import BINARY, Terminal, wait_until

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


# --- words


@pytest.mark.parametrize(
    "changes, flags, words, expected",
    [
        (['CMD ["busybox", "echo", "cmd"]'], "", [], "cmd\n"),
        (['CMD ["busybox", "echo", "cmd"]'], "", ["busybox", "echo", "other"], "other\n"),
        (['ENTRYPOINT ["busybox", "echo", "entry"]', 'CMD ["cmd"]'], "", [], "entry cmd\n"),
        (['ENTRYPOINT ["busybox", "echo", "entry"]', 'CMD ["cmd"]'], "", ["a", "b c"], "entry a b c\n"),
        (['ENTRYPOINT ["busybox", "echo", "entry"]', 'CMD ["cmd"]'], "--entrypoint /bin/busybox", ["echo", "x"], "x\n"),
        (["CMD busybox echo $((1+1))"], "", [], "2\n"),
    ],
)
def test_entrypoint_and_command(host, changes, flags, words, expected):
    host.image("words", [], *changes)
    assert host.once(*words, flags=flags, image="words").ok().out == expected


def test_an_image_without_a_command_needs_one(host):
    host.image("silent")
    result = host.once(image="silent").fails(125)
    assert "No command specified" in result.err
    assert host.mc("ps", "-a", "-q").ok().out == ""


# --- environment


def test_the_environment_is_the_images_and_what_was_said(bb):
    bb.image("env", [], "ENV A=image B=image PATH=/bin")
    result = bb.once("busybox", "env", image="env", flags="-e B=said -e C='two words' -e D= --hostname box").ok()
    assert sorted(result.out.splitlines()) == ["A=image", "B=said", "C=two words", "D=", "HOME=/", "HOSTNAME=box", "PATH=/bin"]


def test_row_1_11_nothing_of_the_callers_environment_but_what_is_named(bb):
    env = {"SECRET": "x", "PASSED": "on", "LD_PRELOAD": "", "TERM": "vt100"}
    result = bb.once("probe", "env", flags="-e PASSED -e NOT_SET --hostname box", env=env).ok()
    assert sorted(result.out.splitlines()) == ["HOME=/root", "HOSTNAME=box", "PASSED=on", f"PATH={PATH}"]


def test_an_env_file(bb):
    bb.file("vars", "# a comment\nA=1\nB=two words\nC=$A\n\nPASSED\n")
    result = bb.once("probe", "env", flags="--env-file vars -e A=2", env={"PASSED": "on"}).ok()
    assert {"A=2", "B=two words", "C=$A", "PASSED=on"} <= set(result.out.splitlines())


@pytest.mark.parametrize("flag", ["-e =x", "-e ''", "--env-file missing"])
def test_row_10_9_a_bad_variable_is_refused(clean, flag):
    clean.once("true", flags=flag).fails(125)


def test_row_10_9_no_value_goes_through_a_shell(bb):
    marker = bb.directory / "marker"
    bb.once("probe", "env", flags=f"-e 'A=$(touch {marker})' -e 'B=`touch {marker}`'").ok()
    assert not marker.exists()


# --- directory and user


def test_the_working_directory(bb):
    bb.image("dir", [], "WORKDIR /from/image")
    assert bb.once("busybox", "pwd", image="dir").ok().out == "/from/image\n"
    assert bb.once("busybox", "pwd", image="dir", flags="-w /tmp").ok().out == "/tmp\n"
    assert bb.once("pwd").ok().out == "/\n"


@pytest.mark.parametrize(
    "user, ids, home",
    [
        ("root", "0:0:0", "/root"),
        ("0", "0:0:0", "/root"),
        ("user", "1000:1000:1000 2000", "/home/user"),
        ("1000", "1000:1000:1000 2000", "/home/user"),
        ("user:extra", "1000:2000:2000", "/home/user"),
        ("user:0", "1000:0:0", "/home/user"),
        ("1234", "1234:0:0", "/"),
        ("1234:5678", "1234:5678:5678", "/"),
        (":1000", "0:1000:1000", "/root"),
    ],
)
def test_users_by_name_and_number(bb, user, ids, home):
    result = bb.once("sh", "-c", "echo $(id -u):$(id -g):$(id -G); echo $HOME", flags=f"-u {user}").ok()
    assert result.out == f"{ids}\n{home}\n"


def test_group_add(bb):
    assert bb.once("id", "-G", flags="-u 1234:5 --group-add extra --group-add 77").ok().out.split() == ["5", "77", "2000"]


def test_the_user_of_the_image(bb):
    bb.image("user", [("etc", None), ("etc/passwd", "web:x:33:44::/srv:/bin/sh\n")], "USER web")
    assert bb.once("busybox", "id", "-u", image="user").ok().out == "33\n"
    assert bb.once("busybox", "id", "-u", image="user", flags="-u 5").ok().out == "5\n"


def test_a_process_of_a_user_can_use_its_streams_by_name(bb):
    result = bb.once("sh", "-c", "echo out > /dev/stdout; echo err > /dev/stderr", flags="-u 1000").ok()
    assert (result.out, result.err) == ("out\n", "err\n")


# --- streams


def test_the_two_streams_are_kept_apart(bb):
    result = bb.once("sh", "-c", "echo out; echo err >&2").ok()
    assert (result.out, result.err) == ("out\n", "err\n")


def test_every_byte_comes_through(bb):
    script = "i=0; while [ $i -lt 256 ]; do printf \"\\\\$(printf %03o $i)\"; i=$((i+1)); done"
    assert bb.once("sh", "-c", script, binary=True).ok().out == bytes(range(256))


def test_a_last_line_without_an_end_comes_through(bb):
    assert bb.once("printf", "a\nb").ok().out == "a\nb"


def test_much_output_comes_through_in_order(bb):
    lines = bb.once("probe", "spam", str(4 << 20)).ok().out.splitlines()
    assert [int(line.split()[0]) for line in lines] == list(range((4 << 20) // 64))


def test_a_reader_that_goes_away_does_not_hang_the_command(bb):
    assert bb.sh(f"{BINARY} run --rm --network none bb probe spam 1000000 | head -n 1 | cut -c 1-12", timeout=20).ok().out == "000000000000\n"


def test_standard_input_is_passed_on_with_i(bb):
    assert bb.once("cat", flags="-i", input="some\ninput").ok().out == "some\ninput"


def test_much_standard_input_is_passed_on(bb):
    data = os.urandom(1 << 20)
    assert bb.once("cat", flags="-i", input=data, binary=True).ok().out == data


def test_standard_input_is_empty_without_i(bb):
    assert bb.once("cat", input="some input").ok().out == ""


def test_row_5_2_only_the_three_streams_are_open(bb):
    assert [line.split()[0] for line in bb.once("probe", "fds").ok().out.splitlines()] == ["0", "1", "2"]


def test_row_5_2_descriptors_of_the_caller_do_not_leak(bb):
    words = f"{BINARY} run --rm --network none bb probe fds"
    result = bb.sh(f"exec 7</etc 9>>/tmp/x; {words}").ok()
    assert [line.split()[0] for line in result.out.splitlines()] == ["0", "1", "2"]


# --- terminal


def test_a_terminal_with_the_size_of_the_callers(bb):
    terminal = Terminal(bb, "run", "--rm", "--network", "none", "-it", "bb", "sh", "-c", "tty; stty size; test -t 2 && echo yes", size=(31, 97))
    assert terminal.end() == 0
    assert terminal.text.split() == ["/dev/pts/0", "31", "97", "yes"] or terminal.text.split() == ["/dev/console", "31", "97", "yes"]


def test_a_change_of_the_size_reaches_the_process(bb):
    terminal = Terminal(bb, "run", "--rm", "--network", "none", "-it", "bb", "sh", "-c", "trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done")
    terminal.expect("ready")
    terminal.resize(50, 132)
    terminal.process.send_signal(signal.SIGWINCH)
    wait_until(lambda: re.search(r"50 132", terminal.read()) or bb.sh("kill -WINCH $(pgrep -o -x mycompose)"), what="the size")
    bb.sh("kill -TERM $(pgrep -x sh)")
    bb.mc("rm", "-f", *bb.mc("ps", "-q").out.split())
    terminal.end()


def test_what_is_typed_is_read_and_echoed_once(bb):
    terminal = Terminal(bb, "run", "--rm", "--network", "none", "-it", "bb", "sh", "-c", "echo ready; read line; echo got $line")
    terminal.expect("ready")
    terminal.type("hello\r")
    assert terminal.end() == 0
    assert terminal.text.split() == ["ready", "hello", "got", "hello"]


def test_ctrl_c_goes_to_the_process_inside(bb):
    terminal = Terminal(bb, "run", "--rm", "--network", "none", "-it", "bb", "sh", "-c", "trap 'echo caught; exit 7' INT; echo ready; while :; do sleep 0.05; done")
    terminal.expect("ready")
    terminal.type("\x03")
    assert terminal.end() == 7
    assert "caught" in terminal.text


def test_row_14_13_the_terminal_is_restored_when_the_container_is_killed(bb):
    terminal = Terminal(bb, "run", "--network", "none", "--name", "c", "-it", "bb", "sh", "-c", "echo ready; exec sleep 1000")
    terminal.expect("ready")
    bb.sh(f"kill -9 {bb.pid_of('c')}").ok()
    assert terminal.end() == 137


def test_a_terminal_without_a_terminal_is_refused_with_i(clean):
    assert "the input device is not a TTY" in clean.once("true", flags="-it").fails().err


def test_a_terminal_without_i_needs_no_terminal(bb):
    assert bb.once("sh", "-c", "test -t 1 && echo yes", flags="-t", binary=True).ok().out == b"yes\r\n"


def test_term_is_set_with_a_terminal_only(bb):
    assert "TERM=xterm" in bb.once("env", flags="-t").ok().out
    assert "TERM=" not in bb.once("env").ok().out


# --- exit codes


@pytest.mark.parametrize(
    "words, code",
    [
        (["true"], 0),
        (["sh", "-c", "exit 3"], 3),
        (["sh", "-c", "exit 255"], 255),
        (["probe", "signal-exit", "15"], 143),
        (["no-such-command"], 127),
        (["/no/such/file"], 127),
        (["/etc"], 126),
        (["/etc/passwd"], 126),
    ],
)
def test_row_14_3_exit_codes(bb, words, code):
    bb.once(*words).fails(code) if code else bb.once(*words).ok()


@pytest.mark.parametrize("number", [9, 15, 6])
def test_row_14_3_a_signal_is_128_and_its_number(bb, number):
    process = bb.start(BINARY, "run", "--name", "c", "--network", "none", "bb", "sleep", "1000")
    wait_until(lambda: (bb.state("c") or {}).get("State") == "running")
    bb.sh(f"kill -{number} {bb.pid_of('c')}; sleep 0.1; kill -9 {bb.pid_of('c')}")
    # A signal without a handler does nothing to a pid 1, except SIGKILL.
    assert process.wait(10) == 137
    process.communicate()


def test_row_14_3_a_signal_ends_a_process_under_init(bb):
    bb.daemon("c", "sleep", "1000", flags="--init")
    bb.mc("kill", "-s", "TERM", "c").ok()
    wait_until(lambda: bb.state("c")["State"] == "exited")
    assert bb.record("c")["exitCode"] == 143


@pytest.mark.parametrize(
    "content, mode, code, message",
    [
        ("echo without a first line\n", 0o755, 126, "exec format error"),
        ("\x7fELF\x02\x01\x01" + "\x00" * 9 + "\x02\x00\xb7\x00" + "\x00" * 60, 0o755, 126, "exec format error"),
        ("#!/no/such/interpreter\n", 0o755, 127, "no such file"),
        ("#!/bin/busybox sh\n", 0o644, 126, "permission denied"),
    ],
)
def test_row_15_4_what_cannot_be_executed_is_said(host, content, mode, code, message):
    host.image("odd", [("run-me", content, mode)])
    result = host.once("/run-me", image="odd").fails(code)
    assert message in result.err.lower() and "/run-me" in result.err


@pytest.mark.parametrize(
    "words, message",
    [
        (["run", "no-such-image", "true"], "no-such-image"),
        (["run", "bb:other", "true"], "bb:other"),
        (["run", "Not/A/Reference", "true"], "invalid reference format"),
        (["run", "--no-such-flag", "bb"], "--no-such-flag"),
        (["run", "--network", "no-such-network", "bb", "true"], "no-such-network"),
        (["run", "--restart", "sometimes", "bb", "true"], "sometimes"),
        (["run", "--rm", "--restart", "always", "bb", "true"], "--restart"),
        (["run", "--stop-signal", "SIGNOPE", "bb", "true"], "SIGNOPE"),
        (["run", "--name", "bad name", "bb", "true"], "bad name"),
        (["run", "-w", "relative", "bb", "true"], "relative"),
        (["run", "-u", "nobody-here", "bb", "true"], "nobody-here"),
    ],
)
def test_row_14_3_what_the_engine_refuses_is_125(bb, words, message):
    result = bb.mc(*words).fails(125)
    assert message in result.err.splitlines()[0] and result.out == ""


def test_a_name_that_is_taken_is_refused(bb):
    bb.mc("run", "--name", "c", "--network", "none", "bb", "true").ok()
    result = bb.mc("run", "--name", "c", "bb", "true").fails(125)
    assert 'The container name "/c" is already in use by container' in result.err


def test_a_failed_start_leaves_a_created_container_that_can_be_removed(clean):
    clean.mc("run", "--name", "c", "--network", "none", "bb", "no-such-command").fails(127)
    assert clean.state("c")["State"] == "created"
    clean.mc("rm", "c").ok()


# --- signals to the command


@pytest.mark.parametrize("name, code", [("TERM", 7), ("INT", 8), ("HUP", 9), ("USR1", 10)])
def test_signals_are_forwarded_to_the_process(bb, name, code):
    process = bb.start(BINARY, "run", "--rm", "--network", "none", "bb", "sh", "-c", f"trap 'exit {code}' {name}; echo ready; while :; do sleep 0.05; done")
    assert process.stdout.readline() == "ready\n"
    bb.sh(f"kill -{name} $(pgrep -o -x mycompose)").ok()
    assert process.wait(10) == code
    process.communicate()


# --- pid 1


def test_row_14_1_init_is_pid_1_and_passes_the_exit_code_on(bb):
    result = bb.once("sh", "-c", "cat /proc/1/comm; echo $$; exit 5", flags="--init").fails(5)
    comm, pid = result.out.split()
    assert comm != "sh" and int(pid) > 1


def test_row_14_1_init_reaps_orphans(bb):
    bb.daemon("c", "probe", "orphans", "1000", flags="--init")
    wait_until(lambda: "ready" in bb.mc("logs", "c").out)
    wait_until(lambda: "Z" not in bb.inside("c", "ps", "-o", "stat").ok().out)


def test_row_14_1_init_forwards_signals(bb):
    bb.daemon("c", "sh", "-c", "trap 'exit 9' USR1; echo ready; while :; do sleep 0.05; done", flags="--init")
    wait_until(lambda: "ready" in bb.mc("logs", "c").out)
    bb.mc("kill", "-s", "USR1", "c").ok()
    wait_until(lambda: bb.state("c")["State"] == "exited")
    assert bb.record("c")["exitCode"] == 9


def test_the_end_of_pid_1_ends_the_others(bb):
    bb.daemon("c", "sh", "-c", "sleep 4321 & sleep 0.2")
    wait_until(lambda: bb.state("c")["State"] == "exited")
    assert "sleep 4321" not in bb.sh("ps -eo args").out


# --- removal and names


def test_rm_removes_the_container_whatever_it_ended_with(clean):
    clean.once("sh", "-c", "exit 3").fails(3)
    clean.once("no-such-command").fails(127)
    assert clean.mc("ps", "-a", "-q").ok().out == ""


def test_rm_in_the_background_removes_it_at_its_end(clean):
    clean.daemon("c", "sleep", "0.2", flags="--rm")
    wait_until(lambda: clean.mc("ps", "-a", "-q").ok().out == "")


def test_d_prints_the_whole_id(bb):
    assert re.fullmatch(r"[0-9a-f]{64}", bb.daemon("c", "true"))


def test_a_name_is_made_up_of_the_image(bb):
    bb.mc("run", "-d", "--network", "none", "bb", "true").ok()
    assert re.fullmatch(r"bb-[0-9a-f]{6}\n", bb.mc("ps", "-a", "--format", "{{.Names}}").ok().out)


# --- a service


def test_run_of_a_service_takes_its_words_and_the_commands(bb):
    bb.compose("services: {s: {image: bb, command: [echo, from-file], environment: {A: file, B: file}, working_dir: /tmp, user: '1000'}}")
    assert bb.mc("run", "--rm", "s").ok().out == "from-file\n"
    result = bb.mc("run", "--rm", "-e", "B=said", "s", "sh", "-c", "echo $A $B $(id -u) $PWD; exit 4").fails(4)
    assert result.out == "file said 1000 /tmp\n"


def test_run_of_a_service_starts_what_it_depends_on(bb):
    bb.compose(
        """
services:
  s: {image: bb, command: [echo, hello], depends_on: [db]}
  db: {image: bb, command: [sleep, "1000"], stop_signal: SIGKILL}
"""
    )
    assert bb.mc("run", "--rm", "s").ok().out == "hello\n"
    assert [(row["Service"], row["State"]) for row in bb.ps()] == [("db", "running")]
    bb.mc("run", "--rm", "--no-deps", "s").ok()
    bb.mc("down").ok()


def test_run_of_a_service_has_a_terminal_where_there_is_one(bb):
    bb.compose("services: {s: {image: bb, network_mode: none}}")
    terminal = Terminal(bb, "run", "--rm", "s", "sh", "-c", "tty; stty size; echo ready; read x; echo got $x", size=(31, 97))
    terminal.expect("ready")
    terminal.type("word\r")
    assert terminal.end() == 0
    assert terminal.text.split() == ["/dev/pts/0", "31", "97", "ready", "word", "got", "word"]
    assert bb.mc("run", "--rm", "s", "tty").fails(1).out == "not a tty\n"
    terminal = Terminal(bb, "run", "--rm", "-T", "s", "sh", "-c", "test -t 1; echo $?")
    assert terminal.end() == 0 and terminal.text.split() == ["1"]


def test_run_of_a_service_reads_standard_input(bb):
    bb.compose("services: {s: {image: bb, network_mode: none}}")
    assert bb.mc("run", "--rm", "s", "cat", input="typed").ok().out == "typed"


def test_a_one_off_container_has_a_name_of_its_own_and_stays_without_rm(bb):
    bb.compose("services: {s: {image: bb, command: [echo, hello]}}")
    bb.mc("-p", "demo", "-f", "compose.yaml", "run", "s").ok()
    names = bb.mc("container", "ls", "-a", "--format", "{{.Names}}").ok().out
    assert re.fullmatch(r"demo-s-run-[0-9a-f]{12}\n", names)


@pytest.mark.parametrize("words", [["s", "echo", "hello"], ["-d", "s", "sleep", "1000"], ["-d", "--rm", "s", "sleep", "1000"]])
def test_down_takes_one_off_containers_only_with_the_orphans(clean, words):
    clean.compose("services: {s: {image: bb, command: [echo, hello], stop_signal: SIGKILL}}")
    clean.mc("run", *words).ok()
    clean.mc("down").ok()
    assert clean.mc("container", "ls", "-a", "-q").ok().out != ""
    result = clean.mc("down", "--remove-orphans").ok()
    assert "Stopping" in result.err and "Removed" in result.err
    assert clean.mc("container", "ls", "-a", "-q").ok().out == ""


def test_down_takes_a_one_off_container_whose_supervisor_is_dead(clean):
    clean.compose("services: {s: {image: bb, stop_signal: SIGKILL}}")
    clean.mc("run", "-d", "s", "sleep", "1000").ok()
    clean.sh("kill -9 $(pgrep -x mycompose)").ok()
    clean.mc("down", "--remove-orphans").ok()
    assert clean.mc("container", "ls", "-a", "-q").ok().out == ""
