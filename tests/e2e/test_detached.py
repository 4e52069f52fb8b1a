# SPDX-License-Identifier: GPL-2.0-or-later
"""Containers that outlive the command: list, read, enter, stop, start, restart, kill, remove; by name and as services."""

import json
import re
import time

import pytest

from testhost import BINARY, Terminal, wait_until

TALK = ("sh", "-c", "echo out; echo err >&2; exec sleep 1000")
KILL = "--stop-signal KILL"


def running(host, name):
    return host.state(name)["State"] == "running"


def ended(host, name):
    """Wait for the end of a container; its exit code."""
    wait_until(lambda: host.record(name)["status"] == "exited", what=f"the record of the end of {name}")
    return host.record(name)["exitCode"]


# --- living on


def test_a_container_outlives_the_command(bb):
    bb.daemon("c", "sleep", "1000")
    assert running(bb, "c") and "sleep 1000" in bb.sh("ps -eo args").out


def test_a_container_outlives_its_session_and_terminal(bb):
    terminal = Terminal(bb, "run", "-d", "--name", "c", "--network", "none", "bb", "sleep", "1000")
    assert terminal.end() == 0
    time.sleep(0.1)
    assert running(bb, "c")


def test_one_supervisor_for_each_container_and_none_after_the_last(bb):
    count = lambda: int(bb.sh("pgrep -c -x mycompose").out)
    bb.daemon("a", "sleep", "1000", flags=KILL)
    bb.daemon("b", "sleep", "1000", flags=KILL)
    assert count() == 2
    bb.mc("stop", "a", "b").ok()
    wait_until(lambda: count() == 0)


def test_the_supervisor_has_no_terminal_and_no_descriptor_of_the_caller(bb):
    bb.sh(f"exec 7</etc 9>>/tmp/x; {BINARY} run -d --network none bb sleep 1000").ok()
    links = bb.sh("readlink /proc/$(pgrep -x mycompose)/fd/*").ok().out.split()
    assert "/etc" not in links and "/tmp/x" not in links
    assert links.count("/dev/null") >= 3 and not any("tty" in link or "pts" in link for link in links)


# --- ps


def test_the_table_of_the_host(bb):
    id = bb.daemon("c", "sleep", "1000")
    header, row = bb.mc("ps").ok().out.splitlines()
    assert re.split(r"\s{2,}", header) == ["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"]
    fields = re.split(r"\s{2,}", row)
    assert fields[:3] == [id[:12], "bb", '"sleep 1000"'] and fields[-1] == "c"
    assert re.fullmatch(r"(Less than a second|\d+ seconds?) ago", fields[3])
    assert re.fullmatch(r"Up (Less than a second|\d+ seconds?)", fields[4])


def test_a_long_command_is_cut_unless_asked_not_to(bb):
    bb.daemon("c", "sh", "-c", "exec sleep 1000 # a long comment")
    assert "\"sh -c 'exec sleep 1…\"" in bb.mc("ps").ok().out
    assert "a long comment" in bb.mc("ps", "--no-trunc").ok().out


def test_only_running_ones_unless_all_are_asked_for(bb):
    bb.daemon("up", "sleep", "1000")
    bb.mc("run", "--name", "down", "--network", "none", "bb", "sh", "-c", "exit 3").fails(3)
    names = lambda *flags: bb.mc("ps", "--format", "{{.Names}}", *flags).ok().out.split()
    assert names() == ["up"]
    assert names("-a") == ["down", "up"], "newest first"
    assert names("-n", "1") == names("-l") == ["down"]
    assert re.match(r"Exited \(3\) .* ago", bb.state("down")["Status"])


@pytest.mark.parametrize(
    "filters, names",
    [
        (["status=exited"], ["b"]),
        (["status=running"], ["a"]),
        (["name=a"], ["a"]),
        (["label=role=x"], ["a"]),
        (["label=role"], ["b", "a"]),
        (["exited=3"], ["b"]),
        (["ancestor=bb"], ["b", "a"]),
        (["status=exited", "status=running"], ["b", "a"]),
        (["status=exited", "label=role=x"], []),
    ],
)
def test_filters(bb, filters, names):
    bb.daemon("a", "sleep", "1000", flags="-l role=x")
    bb.mc("run", "--name", "b", "-l", "role=y", "--network", "none", "bb", "sh", "-c", "exit 3").fails(3)
    words = [word for text in filters for word in ("--filter", text)]
    assert bb.mc("ps", "-a", "--format", "{{.Names}}", *words).ok().out.split() == names


def test_quiet_and_templates(bb):
    id = bb.daemon("c", "sleep", "1000", flags="-l role=x")
    assert bb.mc("ps", "-q").ok().out == f"{id[:12]}\n"
    assert bb.mc("ps", "-q", "--no-trunc").ok().out == f"{id}\n"
    assert bb.mc("ps", "--format", r'{{.ID}}\t{{.Image}}:{{.State}} {{.Label "role"}}').ok().out == f"{id[:12]}\tbb:running x\n"
    assert bb.mc("ps", "--format", "table {{.Names}}").ok().out.split() == ["NAMES", "c"]


def test_row_11_3_a_command_with_control_bytes_harms_no_terminal(bb):
    bb.daemon("c", "sh", "-c", "exec sleep 1000", "\x1b]0;title\x07")
    for flags in ([], ["--no-trunc"], ["--format", "{{.Command}}"]):
        assert "\x1b" not in bb.mc("ps", *flags).ok().out


def test_an_empty_list_has_a_header(host):
    assert host.mc("ps").ok().out.startswith("CONTAINER ID")
    assert host.mc("ps", "-q").ok().out == ""


# --- logs


def test_logs_keep_the_streams_apart(bb):
    bb.daemon("c", *TALK)
    wait_until(lambda: bb.mc("logs", "c").ok().out and bb.mc("logs", "c").err)
    result = bb.mc("logs", "c").ok()
    assert (result.out, result.err) == ("out\n", "err\n")


def test_logs_of_an_ended_container(bb):
    bb.daemon("c", "echo", "words")
    assert ended(bb, "c") == 0
    assert bb.mc("logs", "c").ok().out == "words\n"


def test_logs_are_kept_over_a_restart(bb):
    bb.daemon("c", "echo", "words")
    ended(bb, "c")
    bb.mc("start", "c").ok()
    wait_until(lambda: bb.mc("logs", "c").ok().out == "words\nwords\n")


def test_following_ends_with_the_container(bb):
    bb.daemon("c", "sh", "-c", "echo one; until test -e /go; do sleep 0.05; done; echo two")
    process = bb.start(BINARY, "logs", "-f", "c")
    assert process.stdout.readline() == "one\n"
    bb.inside("c", "touch", "/go").ok()
    assert process.stdout.read() == "two\n"
    assert process.wait(10) == 0
    process.communicate()


def test_following_goes_on_over_a_restart_of_another_reader(bb):
    bb.daemon("c", "sh", "-c", "i=0; while [ $i -lt 200 ]; do echo $i; i=$((i+1)); done")
    result = bb.mc("logs", "-f", "c", timeout=20).ok()
    assert result.out.split() == [str(i) for i in range(200)]


@pytest.mark.parametrize(
    "flags, lines",
    [(["-n", "2"], ["4", "5"]), (["--tail", "0"], []), (["--tail", "all"], ["1", "2", "3", "4", "5"]), (["-n", "100"], ["1", "2", "3", "4", "5"])],
)
def test_the_last_lines(bb, flags, lines):
    bb.daemon("c", "seq", "5")
    ended(bb, "c")
    assert bb.mc("logs", *flags, "c").ok().out.split() == lines


def test_time_stamps(bb):
    bb.daemon("c", "seq", "2")
    ended(bb, "c")
    lines = bb.mc("logs", "-t", "c").ok().out.splitlines()
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z"
    assert re.fullmatch(f"{stamp} 1", lines[0]) and re.fullmatch(f"{stamp} 2", lines[1])
    assert lines[0].split()[0] <= lines[1].split()[0]


def test_since_and_until(bb):
    bb.daemon("c", "sh", "-c", "echo old; until test -e /go; do sleep 0.05; done; echo new")
    wait_until(lambda: bb.mc("logs", "c").ok().out == "old\n")
    time.sleep(0.05)
    now = bb.sh("date -u +%Y-%m-%dT%H:%M:%S.%NZ").out.strip()
    bb.inside("c", "touch", "/go").ok()
    ended(bb, "c")
    assert bb.mc("logs", "--since", now, "c").ok().out == "new\n"
    assert bb.mc("logs", "--until", now, "c").ok().out == "old\n"
    assert bb.mc("logs", "--since", "1h", "c").ok().out == "old\nnew\n"


def test_logs_of_a_terminal_are_one_stream_as_it_was_shown(bb):
    bb.daemon("c", "sh", "-c", "echo out; echo err >&2", flags="-t")
    ended(bb, "c")
    assert bb.mc("logs", "c", binary=True).ok().out == b"out\r\nerr\r\n"


def test_row_11_2_no_text_can_forge_a_record_or_a_name(bb):
    fake = '{"log":"forged\\n","stream":"stdout","time":"2020-01-01T00:00:00Z"}'
    bb.daemon("c", "printf", "%s\n\\000\\377\\rx\nb-1  | forged\n", fake)
    ended(bb, "c")
    out = bb.mc("logs", "c", binary=True).ok().out
    # A byte that is no UTF-8 becomes the replacement character, as in every log kept as JSON.
    assert out == fake.encode() + "\n\x00\ufffd\rx\nb-1  | forged\n".encode()


def test_row_11_6_a_line_without_end_is_kept_whole(bb):
    bb.daemon("c", "sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x")
    ended(bb, "c")
    assert bb.mc("logs", "c").ok().out == "x" * 300000


def test_row_14_11_rotation_keeps_the_newest_within_the_bound(bb):
    id = bb.daemon("c", "probe", "spam", "500000", flags="--log-opt max-size=20k --log-opt max-file=3")
    ended(bb, "c")
    sizes = [int(s) for s in bb.sh(f"stat -c %s /var/lib/mycompose/containers/{id}/container.log*").ok().out.split()]
    assert 2 <= len(sizes) <= 3 and max(sizes) <= 25000
    numbers = [int(line.split()[0]) for line in bb.mc("logs", "c").ok().out.splitlines()]
    assert numbers == list(range(numbers[0], 7813)) and len(numbers) > 50


def test_row_14_11_a_follower_survives_rotation_without_a_gap(bb):
    bb.daemon("c", "sh", "-c", "until test -e /go; do sleep 0.05; done; i=0; while [ $i -lt 1500 ]; do echo $i; i=$((i+1)); done", flags="--log-opt max-size=100k --log-opt max-file=3")
    process = bb.start(BINARY, "logs", "-f", "c")
    bb.inside("c", "touch", "/go").ok()
    assert [int(line) for line in process.stdout.read().split()] == list(range(1500))
    assert process.wait(10) == 0
    process.communicate()


# --- exec


def test_exec_joins_all_namespaces_and_the_cgroup(bb):
    bb.daemon("c", "sh", "-c", "readlink /proc/self/ns/* ; cat /proc/self/cgroup; echo end; exec sleep 1000", flags="--pids-limit 77")
    wait_until(lambda: "end" in bb.mc("logs", "c").out)
    own = bb.mc("logs", "c").out.replace("end\n", "")
    assert bb.inside("c", "sh", "-c", "readlink /proc/self/ns/* ; cat /proc/self/cgroup").ok().out == own
    pids = bb.sh(f"find /sys/fs/cgroup -path '*/mycompose/{bb.state('c')['ID']}/cgroup.procs' -exec cat {{}} + | sort -u | wc -l").ok().out.strip()
    assert int(pids) == 1, "nothing of the exec is left"


def test_exec_has_the_same_restrictions(bb):
    words = ("probe", "status")
    flags = "--cap-drop ALL --cap-add CHOWN --security-opt no-new-privileges -u 1000"
    bb.daemon("c", "sh", "-c", "probe status; echo end; exec sleep 1000", flags=flags)
    wait_until(lambda: "end" in bb.mc("logs", "c").out)
    status = bb.inside("c", *words).ok().out
    assert status == bb.mc("logs", "c").out.replace("end\n", "")
    assert "NoNewPrivs: 1" in status and "Seccomp: 2" in status and "CapBnd: 0000000000000001" in status


@pytest.mark.parametrize(
    "flags, script, expected",
    [
        ("", "echo $A $B; pwd; id -u", "run run\n/tmp\n1000\n"),
        ("-e B=exec -e C=3", "echo $A $B $C", "run exec 3\n"),
        ("-u 0", "id -u; echo $HOME", "0\n/root\n"),
        ("-u user:extra", "id -g", "2000\n"),
        ("-w /etc", "pwd", "/etc\n"),
    ],
)
def test_exec_begins_as_the_container_did_unless_told(bb, flags, script, expected):
    bb.daemon("c", "sleep", "1000", flags="-e A=run -e B=run -w /tmp -u 1000")
    assert bb.inside("c", "sh", "-c", script, flags=flags).ok().out == expected


def test_exec_streams(bb):
    bb.daemon("c", "sleep", "1000")
    result = bb.inside("c", "sh", "-c", "echo out; echo err >&2").ok()
    assert (result.out, result.err) == ("out\n", "err\n")
    assert bb.inside("c", "cat", input="typed").ok().out == ""
    assert bb.inside("c", "cat", flags="-i", input="typed").ok().out == "typed"
    numbers = [int(line.split()[0]) for line in bb.inside("c", "probe", "spam", "1000000").ok().out.splitlines()]
    assert numbers == list(range(15625))


@pytest.mark.parametrize(
    "words, code", [(["sh", "-c", "exit 3"], 3), (["sh", "-c", "kill -9 $$"], 137), (["no-such"], 127), (["/etc"], 126), (["/etc/passwd"], 126)]
)
def test_exec_exit_codes(bb, words, code):
    bb.daemon("c", "sleep", "1000")
    bb.inside("c", *words).fails(code)


def test_exec_at_a_terminal(bb):
    bb.daemon("c", "sleep", "1000")
    terminal = Terminal(bb, "exec", "-it", "c", "sh", "-c", "tty; stty size; echo ready; read x; echo got $x; exit 6", size=(31, 97))
    terminal.expect("ready")
    terminal.type("word\r")
    assert terminal.end() == 6
    assert terminal.text.split() == ["/dev/pts/0", "31", "97", "ready", "word", "got", "word"]


def test_exec_d_goes_on_without_the_command(bb):
    bb.daemon("c", "sleep", "1000")
    assert bb.inside("c", "sh", "-c", "sleep 0.1; echo x > /done; exec sleep 77", flags="-d").ok().out == ""
    wait_until(lambda: bb.inside("c", "cat", "/done").code == 0)
    assert "sleep 77" in bb.inside("c", "ps", "-o", "args").ok().out


def test_exec_without_a_running_container(bb):
    assert "No such container: nothing" in bb.mc("exec", "nothing", "true").fails(1).err
    bb.mc("run", "--name", "c", "--network", "none", "bb", "true").ok()
    assert "is not running" in bb.inside("c", "true").fails(1).err


def test_exec_goes_on_when_the_supervisor_is_dead(bb):
    bb.daemon("c", "sleep", "1000")
    bb.sh("kill -9 $(pgrep -x mycompose)").ok()
    assert bb.inside("c", "echo", "hello").ok().out == "hello\n"


def test_signals_reach_a_process_of_exec(bb):
    bb.daemon("c", "sleep", "1000")
    process = bb.start(BINARY, "exec", "c", "sh", "-c", "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done")
    assert process.stdout.readline() == "ready\n"
    bb.sh("kill -TERM $(pgrep -n -x mycompose)").ok()
    assert process.wait(10) == 7
    process.communicate()


# --- stop


def test_stop_is_a_signal_that_a_process_may_answer(bb):
    bb.daemon("c", "sh", "-c", "trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.05; done")
    wait_until(lambda: "ready" in bb.mc("logs", "c").out)
    assert bb.mc("stop", "c").ok().out == "c\n"
    assert ended(bb, "c") == 5
    assert bb.mc("logs", "c").ok().out == "ready\nbye\n"


def test_row_14_2_a_process_that_does_not_answer_is_killed_after_the_grace_period(bb):
    bb.daemon("c", "probe", "ignore-term")
    wait_until(lambda: "ready" in bb.mc("logs", "c").out)
    begin = time.monotonic()
    bb.mc("stop", "-t", "1", "c").ok()
    assert time.monotonic() - begin > 0.9
    assert ended(bb, "c") == 137


@pytest.mark.parametrize("flags, stop", [("--stop-timeout 1", []), ("", ["-t", "0"]), (KILL, []), ("", ["-s", "KILL"])])
def test_ways_to_stop_sooner(bb, flags, stop):
    bb.daemon("c", "probe", "ignore-term", flags=flags)
    bb.mc("stop", *stop, "c", timeout=8).ok()
    assert ended(bb, "c") == 137


def test_row_14_2_the_stop_signal_of_container_and_image(bb):
    script = "trap 'exit 11' USR1; trap 'exit 12' TERM; echo ready; while :; do sleep 0.05; done"
    bb.image("usr1", [("bin/sleep", ("busybox",))], "STOPSIGNAL SIGUSR1")
    bb.daemon("a", "sh", "-c", script, flags="--stop-signal SIGUSR1")
    bb.daemon("b", "sh", "-c", script, image="usr1")
    wait_until(lambda: all("ready" in bb.mc("logs", name).out for name in "ab"))
    bb.mc("stop", "a", "b").ok()
    assert (ended(bb, "a"), ended(bb, "b")) == (11, 11)


def test_stop_of_what_is_stopped_is_no_failure_and_of_nothing_is_one(bb):
    bb.daemon("c", "true")
    ended(bb, "c")
    assert bb.mc("stop", "c").ok().out == "c\n"
    result = bb.mc("stop", "nothing", "c").fails(1)
    assert "No such container: nothing" in result.err and result.out == "c\n"


# --- start, restart


def test_start_takes_up_the_same_container(bb):
    id = bb.daemon("c", "sleep", "1000", flags=KILL)
    first = bb.pid_of("c")
    bb.mc("stop", "c").ok()
    assert bb.mc("start", "c").ok().out == "c\n"
    assert running(bb, "c") and bb.state("c")["ID"] == id and bb.pid_of("c") != first


def test_start_of_what_runs_changes_nothing(bb):
    bb.daemon("c", "sleep", "1000")
    pid = bb.pid_of("c")
    bb.mc("start", "c").ok()
    assert bb.pid_of("c") == pid


def test_restart_is_a_new_process_of_the_same_container(bb):
    id = bb.daemon("c", "sleep", "1000", flags=KILL)
    pid = bb.pid_of("c")
    assert bb.mc("restart", "c").ok().out == "c\n"
    assert running(bb, "c") and bb.state("c")["ID"] == id and bb.pid_of("c") != pid


def test_restart_starts_what_is_stopped(bb):
    bb.daemon("c", "sleep", "1000", flags=KILL)
    bb.mc("stop", "c").ok()
    bb.mc("restart", "c").ok()
    assert running(bb, "c")


def test_a_start_that_fails_says_why(bb):
    bb.mc("run", "--name", "c", "--network", "none", "bb", "no-such-command").fails(127)
    assert "no-such-command" in bb.mc("start", "c").fails().err


# --- kill


def test_kill_is_sigkill_or_what_is_said(bb):
    bb.daemon("a", "probe", "ignore-term")
    assert bb.mc("kill", "a").ok().out == "a\n"
    assert ended(bb, "a") == 137
    bb.daemon("b", "sh", "-c", "trap 'exit 9' USR1; echo ready; while :; do sleep 0.05; done")
    wait_until(lambda: "ready" in bb.mc("logs", "b").out)
    bb.mc("kill", "-s", "USR1", "b").ok()
    assert ended(bb, "b") == 9


def test_kill_of_what_does_not_run_is_a_failure(bb):
    bb.daemon("c", "true")
    ended(bb, "c")
    assert "not running" in bb.mc("kill", "c").fails(1).err
    bb.daemon("d", "sleep", "1000")
    assert "NOPE" in bb.mc("kill", "-s", "NOPE", "d").fails(1).err
    assert running(bb, "d")


# --- rm


def test_a_running_container_is_not_removed_without_force(clean):
    clean.daemon("c", "sleep", "1000")
    assert "You cannot remove a running container" in clean.mc("rm", "c").fails(1).err
    assert running(clean, "c")
    assert clean.mc("rm", "-f", "c").ok().out == "c\n"


def test_rm_of_several_goes_on_after_a_failure(bb):
    for name in ("a", "b"):
        bb.mc("run", "--name", name, "--network", "none", "bb", "true").ok()
    result = bb.mc("rm", "a", "nothing", "b").fails(1)
    assert result.out == "a\nb\n" and "No such container: nothing" in result.err
    assert bb.mc("ps", "-a", "-q").ok().out == ""
    assert "No such container" in bb.mc("rm", "-f", "nothing").ok().err


def test_the_name_is_free_after_removal(bb):
    for _ in range(2):
        bb.mc("run", "--name", "c", "--network", "none", "bb", "true").ok()
        bb.mc("rm", "c").ok()


@pytest.mark.parametrize("length", [64, 12, 4])
def test_a_container_is_found_by_a_part_of_its_id(bb, length):
    id = bb.daemon("c", "sleep", "1000")
    assert bb.mc("rm", "-f", id[:length]).ok().out == f"{id[:length]}\n"
    assert bb.state("c") is None


# --- restart policies and the supervisor


def test_on_failure_gives_up_after_so_many_times(bb):
    bb.daemon("c", "sh", "-c", "echo try; exit 3", flags="--restart on-failure:2")
    assert ended(bb, "c") == 3
    assert bb.mc("logs", "c").ok().out == "try\n" * 3


def test_on_failure_is_content_with_success(bb):
    bb.daemon("c", "echo", "try", flags="--restart on-failure")
    assert ended(bb, "c") == 0
    assert bb.mc("logs", "c").ok().out == "try\n"


@pytest.mark.parametrize("policy", ["always", "unless-stopped"])
def test_a_restarting_container_stays_down_after_stop(bb, policy):
    bb.daemon("c", "sh", "-c", "echo try; exit 0", flags=f"--restart {policy}")
    wait_until(lambda: bb.mc("logs", "c").out.count("try") >= 2)
    bb.mc("stop", "c").ok()
    count = bb.mc("logs", "c").out.count("try")
    time.sleep(0.5)
    assert bb.mc("logs", "c").out.count("try") == count and bb.state("c")["State"] == "exited"


def test_row_13_2_after_the_death_of_the_supervisor_every_verb_works(bb):
    bb.daemon("c", "sh", "-c", "while :; do echo tick; sleep 0.05; done", flags=KILL)
    bb.sh("kill -9 $(pgrep -x mycompose)").ok()
    assert running(bb, "c")
    bb.mc("logs", "c").ok()
    assert bb.mc("restart", "c", timeout=15).ok().out == "c\n"
    assert running(bb, "c")
    bb.sh("kill -9 $(pgrep -x mycompose)").ok()
    bb.mc("stop", "c", timeout=15).ok()
    assert ended(bb, "c") == 137
    bb.mc("rm", "c").ok()


def test_row_13_2_a_container_that_ended_unwatched_is_shown_as_ended(bb):
    bb.daemon("c", "sleep", "1000")
    pid = bb.pid_of("c")
    bb.sh("kill -9 $(pgrep -x mycompose)").ok()
    bb.sh(f"kill -9 {pid}").ok()
    wait_until(lambda: bb.state("c")["State"] == "exited")
    bb.mc("rm", "c").ok()


def test_row_11_4_the_control_socket_is_for_root_only(bb):
    bb.daemon("c", "sleep", "1000")
    modes = bb.sh("find /run/mycompose -type s -exec stat -c '%a %u' {} +; stat -c '%a %u' /run/mycompose").ok().out.splitlines()
    assert modes == ["600 0", "700 0"]
    assert bb.sh("ss -xlH 2>/dev/null | grep -c '@.*mycompose'").out.strip() == "0"


def test_two_commands_at_once_on_one_container(bb):
    bb.daemon("c", "probe", "ignore-term")
    processes = [bb.start(BINARY, *words, "c") for words in (["stop", "-t", "1"], ["stop", "-t", "1"], ["kill"])]
    for process in processes[:2]:
        out, err = process.communicate(timeout=15)
        assert (process.returncode, out) == (0, "c\n"), err
    processes[2].communicate(timeout=15)
    assert ended(bb, "c") == 137


# --- services


STACK = """
services:
  web: {image: bb, command: [sleep, "1000"], depends_on: [db], stop_signal: SIGKILL}
  db: {image: bb, command: [sleep, "1000"], stop_signal: SIGKILL}
"""


@pytest.fixture
def stack(clean):
    clean.compose(STACK, "stack.yml")
    run = lambda *words, **arguments: clean.mc("-p", "demo", "-f", "stack.yml", *words, **arguments)
    run("up", "-d").ok()
    yield run
    run("down").ok()


def states(stack):
    return {row["Service"]: row["State"] for row in map(json.loads, stack("ps", "-a", "--format", "json").ok().out.splitlines())}


def order(text, *parts):
    """The parts stand in the text, one after the other."""
    return re.search(".*".join(map(re.escape, parts)), re.sub(r"[ \t]+", " ", text), re.S) is not None


def test_stop_goes_against_the_order_of_dependence_and_start_with_it(stack):
    assert order(stack("stop").ok().err, "Container demo-web-1 Stopped", "Container demo-db-1 Stopping")
    assert states(stack) == {"web": "exited", "db": "exited"}
    assert order(stack("start").ok().err, "Container demo-db-1 Started", "Container demo-web-1 Starting")
    assert states(stack) == {"web": "running", "db": "running"}


def test_one_service_alone_is_stopped_restarted_and_killed(stack):
    stack("stop", "web").ok()
    assert states(stack) == {"web": "exited", "db": "running"}
    assert order(stack("restart", "web").ok().err, "Container demo-web-1 Restarting", "Container demo-web-1 Started")
    assert states(stack) == {"web": "running", "db": "running"}
    assert order(stack("kill", "db").ok().err, "Container demo-db-1 Killing", "Container demo-db-1 Killed")
    wait_until(lambda: states(stack)["db"] == "exited")
    assert states(stack)["web"] == "running"


def test_kill_with_nothing_to_do(stack):
    stack("stop").ok()
    assert stack("kill").ok().err == "No container to kill\n"


def test_an_unknown_service_is_named(stack):
    for verb in ("stop", "start", "restart", "kill", "rm", "logs", "ps"):
        assert "no such service: nope" in stack(verb, "nope").fails(1).err, verb


@pytest.mark.parametrize("answer, left", [("n\n", 2), ("y\n", 0), ("", 2)])
def test_rm_asks(stack, answer, left):
    stack("stop").ok()
    result = stack("rm", input=answer).ok()
    assert "Going to remove demo-" in result.out
    assert len(states(stack)) == left


def test_rm_takes_stopped_ones_only_unless_told_to_stop_them(stack):
    stack("stop", "web").ok()
    stack("rm", "-f").ok()
    assert states(stack) == {"db": "running"}
    assert "No stopped containers" in stack("rm", "-f").ok().err
    stack("rm", "-f", "-s").ok()
    assert states(stack) == {}


def test_logs_have_the_names_before_them(clean):
    clean.compose("services: {a: {image: bb, command: [echo, hello]}, longname: {image: bb, command: [echo, hello]}}")
    clean.mc("up").ok()
    assert sorted(clean.mc("logs").ok().out.splitlines()) == ["a-1         | hello", "longname-1  | hello"]
    assert clean.mc("logs", "a").ok().out == "a-1  | hello\n"
    assert clean.mc("logs", "--no-log-prefix", "a").ok().out == "hello\n"
    clean.mc("down").ok()


def test_exec_of_a_service(stack):
    assert stack("exec", "-T", "web", "sh", "-c", "echo $0 hello; exit 4").fails(4).out == "sh hello\n"
    assert stack("exec", "-T", "web", "cat", input="typed").ok().out == "typed"
    stack("stop", "web").ok()
    assert 'service "web" is not running' in stack("exec", "-T", "web", "true").fails(1).err


def test_exec_of_one_replica(stack):
    stack("up", "-d", "--scale", "web=2").ok()
    names = [stack("exec", "-T", "--index", str(i), "web", "hostname").ok().out.strip() for i in (1, 2)]
    ids = {row["Name"]: row["ID"] for row in map(json.loads, stack("ps", "--format", "json").ok().out.splitlines())}
    assert names == [ids["demo-web-1"], ids["demo-web-2"]]
    assert 'service "web" is not running container #3' in stack("exec", "-T", "--index", "3", "web", "true").fails(1).err


def test_the_table_of_a_project(stack):
    header, *rows = stack("ps").ok().out.splitlines()
    assert re.split(r"\s{2,}", header) == ["NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS"]
    assert [re.split(r"\s{2,}", row)[:4] for row in rows] == [
        ["demo-db-1", "bb", '"sleep 1000"', "db"],
        ["demo-web-1", "bb", '"sleep 1000"', "web"],
    ]
    assert stack("ps", "--services").ok().out.split() == ["db", "web"]
    assert [len(id) for id in stack("ps", "-q").ok().out.split()] == [64, 64]


def test_by_name_only_no_file_is_needed(stack, clean):
    (clean.directory / "stack.yml").rename(clean.directory / "elsewhere.yml")
    by_name = lambda *words: clean.mc("-p", "demo", *words)
    assert len(by_name("ps", "-q").ok().out.split()) == 2
    assert order(by_name("stop").ok().err, "Container demo-web-1 Stopped", "Container demo-db-1 Stopping")
    by_name("start").ok()
    assert by_name("exec", "-T", "web", "echo", "x").ok().out == "x\n"
    (clean.directory / "elsewhere.yml").rename(clean.directory / "stack.yml")


def test_containers_of_a_project_are_listed_on_the_host_too(stack, clean):
    assert sorted(clean.mc("ps", "--format", "{{.Names}}").ok().out.split()) == ["demo-db-1", "demo-web-1"]
    assert clean.mc("stop", "demo-web-1").ok().out == "demo-web-1\n"
    assert states(stack)["web"] == "exited"


def test_exec_of_a_service_has_a_terminal_where_there_is_one(stack, clean):
    words = ("-p", "demo", "-f", "stack.yml", "exec")
    terminal = Terminal(clean, *words, "web", "sh", "-c", "tty; stty size", size=(31, 97))
    assert terminal.end() == 0 and terminal.text.split() == ["/dev/pts/0", "31", "97"]
    terminal = Terminal(clean, *words, "-T", "web", "sh", "-c", "test -t 1; echo $?")
    assert terminal.end() == 0 and terminal.text.split() == ["1"]


def test_ps_of_a_project_by_state(stack):
    stack("stop", "web").ok()
    stack("run", "--name", "one-off", "db", "true").ok()
    services = lambda *flags: stack("ps", "--format", "{{.Service}}", *flags).ok().out.split()
    assert services() == ["db"]
    assert services("-a") == ["db", "web", "db"]
    assert services("--status", "exited") == services("--filter", "status=exited") == ["web"]
    assert services("--status", "nonsense") == []
    assert "unknown filter x" in stack("ps", "--filter", "x=y").fails(1).err
    stack("rm", "-f").ok()
    stack("down", "--remove-orphans").ok()


@pytest.mark.parametrize("flags", [[], ["-n", "5"], ["--tail", "0"]])
def test_logs_of_a_project_follow_a_recreated_container_and_end_with_the_last(clean, flags):
    text = "services: {a: {image: bb, command: [sh, -c, 'echo VALUE; exec sleep 1000'], stop_signal: SIGKILL}}"
    clean.compose(text.replace("VALUE", "one"))
    clean.mc("up", "-d").ok()
    wait_until(lambda: clean.mc("logs").ok().out == "a-1  | one\n")
    process = clean.start(BINARY, "logs", "-f", *flags)
    if flags[-1:] == ["0"]:
        time.sleep(0.3)  # it says nothing when it has begun
    else:
        assert process.stdout.readline() == "a-1  | one\n"
    clean.compose(text.replace("VALUE", "two"))
    clean.mc("up", "-d").ok()
    assert process.stdout.readline() == "a-1  | two\n"
    clean.mc("down").ok()
    assert process.wait(10) == 0
    process.communicate()


def test_logs_of_a_project_by_number_of_lines_and_replica(clean):
    clean.compose("services: {a: {image: bb, command: [seq, '3'], scale: 2}}")
    clean.mc("up").ok()
    assert sorted(clean.mc("logs", "-n", "1").ok().out.splitlines()) == ["a-1  | 3", "a-2  | 3"]
    assert clean.mc("logs", "--index", "2", "-n", "2", "a").ok().out == "a-2  | 2\na-2  | 3\n"
    assert re.fullmatch(r"a-1  \| \d{4}-\d\d-\d\dT[0-9:.]+Z 3\n", clean.mc("logs", "-t", "--index", "1", "-n", "1", "a").ok().out)
    clean.mc("down").ok()


def test_a_change_of_the_file_alone_is_no_matter_for_restart(stack, clean):
    clean.compose(STACK.replace("1000", "2000"), "stack.yml")
    stack("restart").ok()
    assert "sleep 1000" in clean.sh("ps -eo args").out and "sleep 2000" not in clean.sh("ps -eo args").out
    clean.compose(STACK, "stack.yml")


def test_start_without_containers_says_so(clean):
    clean.compose(STACK)
    assert 'service "web" has no container to start' in clean.mc("start", "web").fails(1).err
