# SPDX-License-Identifier: GPL-2.0-or-later
"""The supervisor: foreground and detached, what it writes down, what its death costs, who may speak to it."""

import json
import os
import socket
import struct
import subprocess
import time

import pytest

from testhost import BINARY, PROBE, wait_until

RUN = "/run/mycompose"


def project(service, more=""):
    return f"services: {{s: {{image: bb, stop_signal: SIGKILL, {more}command: {json.dumps(service).replace('$', '$$')}}}}}"


def shell(script):
    return ["sh", "-c", script]


def supervisors(host):
    """Processes of mycompose on the host."""
    return host.sh("pgrep -x mycompose").out.split()


def kill_supervisor(host):
    pids = supervisors(host)
    assert pids, "no supervisor runs"
    host.sh("kill -9 " + " ".join(pids)).ok()
    wait_until(lambda: not set(pids) & set(supervisors(host)), what="its death")


def in_host(host, path):
    """A path of the host, reached from the machine (its mounts are another namespace's)."""
    return f"/proc/{host.pid}/root{path}"


def state_of(host, name):
    return host.state(name)["State"]


def logged(host, name):
    return host.mc("logs", name).ok().out


# foreground and detached


def test_no_process_is_left_when_nothing_runs(clean):
    clean.compose(project(["true"]))
    clean.mc("up", "-d").ok()
    wait_until(lambda: supervisors(clean) == [], what="the supervisor's end")
    clean.mc("down").ok()


def test_one_supervisor_for_a_project_of_several(clean):
    service = "{image: bb, command: [sleep, '1000'], stop_signal: SIGKILL}"
    clean.compose(f"services: {{a: {service}, b: {service}, c: {service}}}")
    clean.mc("up", "-d").ok()
    assert len(supervisors(clean)) == 1
    clean.mc("stop", "a").ok()
    clean.mc("start", "a").ok()
    assert len(supervisors(clean)) == 1
    clean.mc("down").ok()


def test_the_detached_one_holds_nothing_of_its_caller(clean):
    clean.compose(project(["sleep", "1000"]))
    clean.mc("up", "-d").ok()
    (pid,) = supervisors(clean)
    stdio = clean.sh(f"readlink /proc/{pid}/fd/0 /proc/{pid}/fd/1 /proc/{pid}/fd/2 /proc/{pid}/cwd").ok().out.split()
    assert stdio == ["/dev/null"] * 3 + ["/"]
    assert clean.sh(f"ps -o sid= -p {pid}").out.strip() == pid
    clean.mc("down").ok()


def test_the_foreground_up_is_the_supervisor(clean):
    clean.compose(project(["sleep", "1000"]))
    process = clean.start(BINARY, "up")
    assert process.stdout.readline() == "Attaching to s-1\n"
    wait_until(lambda: [row["State"] for row in clean.ps()] == ["running"], what="the start")
    (pid,) = supervisors(clean)
    assert clean.sh(f"ps -o ppid= -p {clean.pid_of(clean.ps()[0]['Name'])}").out.strip() == pid
    clean.sh(f"kill -INT {pid}").ok()
    err = process.communicate(timeout=20)[1]
    assert "Created" in err and "Starting" not in err and "Started" not in err
    clean.mc("down").ok()


def test_up_detached_beside_a_foreground_one_uses_it(clean):
    clean.compose(project(["sleep", "1000"]))
    process = clean.start(BINARY, "up")
    assert process.stdout.readline() == "Attaching to s-1\n"
    wait_until(lambda: [row["State"] for row in clean.ps()] == ["running"], what="the start")
    assert "Running" in clean.mc("up", "-d").ok().err
    assert len(supervisors(clean)) == 1
    clean.mc("down").ok()
    process.communicate(timeout=20)


def test_down_ends_a_foreground_up(clean):
    clean.compose(project(["sleep", "1000"]))
    process = clean.start(BINARY, "up")
    assert process.stdout.readline() == "Attaching to s-1\n"
    wait_until(lambda: [row["State"] for row in clean.ps()] == ["running"], what="the start")
    clean.mc("down").ok()
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0 and "s-1 exited with code 137" in out, err


def test_row_14_5_the_second_ctrl_c_kills(clean):
    clean.compose(project(shell("trap '' TERM; echo ready; while :; do sleep 0.1; done"), "stop_grace_period: 60s, ").replace("SIGKILL", "SIGTERM"))
    process = clean.start(BINARY, "up")
    while "ready" not in process.stdout.readline():
        pass
    (pid,) = supervisors(clean)
    clean.sh(f"kill -INT {pid}").ok()
    while "Gracefully stopping" not in process.stderr.readline():
        assert process.poll() is None
    clean.sh(f"kill -INT {pid}").ok()
    process.communicate(timeout=15)
    assert process.returncode == 130
    assert [row["ExitCode"] for row in clean.ps()] == [137]
    clean.mc("down").ok()


def test_row_14_4_sigterm_leaves_containers_running_and_the_next_command_finds_them(clean):
    clean.compose(project(["sleep", "1000"]))
    clean.mc("up", "-d").ok()
    clean.sh("kill -TERM $(pgrep -x mycompose)").ok()
    wait_until(lambda: supervisors(clean) == [], what="its end")
    assert [row["State"] for row in clean.ps()] == ["running"]
    clean.mc("down").ok()


def test_row_14_4_sighup_is_survived(clean):
    clean.compose(project(["sleep", "1000"]))
    clean.mc("up", "-d").ok()
    before = supervisors(clean)
    clean.sh("kill -HUP $(pgrep -x mycompose)").ok()
    clean.mc("restart").ok()
    assert supervisors(clean) == before
    clean.mc("down").ok()


# exit status


@pytest.mark.parametrize("code", [0, 7, 255])
def test_the_exit_status_is_recorded(bb, code):
    bb.daemon("c", "sh", "-c", f"exit {code}")
    wait_until(lambda: bb.record("c")["status"] == "exited", what="the record of its end")
    assert bb.record("c")["exitCode"] == code
    assert bb.state("c")["Status"].startswith(f"Exited ({code}) ")


@pytest.mark.parametrize("signal, code", [(9, 137), (15, 143), (3, 131)])
def test_an_end_by_a_signal_is_recorded(bb, signal, code):
    """Of a process below the first one, which the kernel shields from signals it has no handler for."""
    bb.daemon("c", "probe", "signal-exit", str(signal), flags="--init")
    wait_until(lambda: bb.record("c")["status"] == "exited", what="the record of its end")
    assert bb.record("c")["exitCode"] == code


def test_an_end_after_the_supervisors_death_is_known_or_said_to_be_unknown(clean):
    clean.compose(project(shell("until test -e /tmp/go; do sleep 0.05; done; exit 7")))
    clean.mc("up", "-d").ok()
    name = clean.ps()[0]["Name"]
    kill_supervisor(clean)
    clean.mc("exec", "-T", "s", "touch", "/tmp/go").ok()
    wait_until(lambda: [row["State"] for row in clean.ps()] == ["exited"], what="its end")
    clean.mc("up", "-d", "--no-start")
    assert clean.state(name)["Status"].startswith(("Exited (7)", "Exited (unknown)"))
    clean.mc("down").ok()


def test_an_adopted_container_is_watched(clean):
    clean.compose(project(shell("until test -e /tmp/go; do sleep 0.05; done; rm /tmp/go; exit 7"), "restart: always, "))
    clean.mc("up", "-d").ok()
    kill_supervisor(clean)
    clean.mc("up", "-d").ok()
    clean.mc("exec", "-T", "s", "touch", "/tmp/go").ok()
    name = clean.ps()[0]["Name"]
    wait_until(lambda: clean.record(name).get("restartCount", 0) == 1, what="the restart")
    clean.mc("down").ok()


# restart


@pytest.mark.parametrize("policy, code, restarts", [("no", 1, False), ("on-failure", 0, False), ("on-failure", 1, True), ("always", 0, True), ("unless-stopped", 0, True)])
def test_restart_policies(bb, policy, code, restarts):
    bb.daemon("c", "sh", "-c", f"sleep 0.05; exit {code}", flags=f"--restart {policy}")
    if restarts:
        wait_until(lambda: bb.record("c").get("restartCount", 0) >= 2, what="two restarts")
        bb.mc("stop", "-t", "0", "c").ok()
    wait_until(lambda: state_of(bb, "c") == "exited", what="its end")
    time.sleep(0.3)
    assert state_of(bb, "c") == "exited", "and it stays so"
    assert bool(bb.record("c").get("restartCount", 0)) == restarts


def test_on_failure_gives_up_after_its_number(bb):
    bb.daemon("c", "false", flags="--restart on-failure:2")
    wait_until(lambda: state_of(bb, "c") == "exited" and bb.record("c").get("restartCount") == 2, what="two restarts and the end")
    wait_until(lambda: supervisors(bb) == [], what="the supervisor's end")
    assert bb.record("c")["restartCount"] == 2


def test_row_14_6_restarts_back_off(bb):
    bb.daemon("c", "false", flags="--restart always")
    time.sleep(2.5)
    assert 2 <= bb.record("c")["restartCount"] <= 6, "100 + 200 + 400 + 800 ms: four in the first 1.5 s, the fifth after 3.1 s"
    bb.mc("rm", "-f", "c").ok()


def test_a_kill_from_outside_is_restarted(bb):
    bb.daemon("c", "sleep", "1000", flags="--restart always")
    before = bb.pid_of("c")
    bb.sh(f"kill -9 {before}").ok()
    wait_until(lambda: state_of(bb, "c") == "running" and bb.pid_of("c") != before, what="the restart")
    bb.mc("rm", "-f", "c").ok()


# adoption


def test_logs_go_on_over_the_death_of_the_supervisor(clean):
    clean.compose(project(shell("i=0; while [ $i -lt 60 ]; do echo line $i; i=$((i+1)); sleep 0.03; done; sleep 1000")))
    clean.mc("up", "-d").ok()
    for _ in range(3):
        kill_supervisor(clean)
        clean.mc("up", "-d").ok()
    wait_until(lambda: "line 59" in clean.mc("logs").out, what="the last line")
    lines = clean.mc("logs", "--no-log-prefix").ok().out.splitlines()
    assert lines == [f"line {i}" for i in range(60)]
    clean.mc("down").ok()


def test_a_container_does_not_die_of_writing_while_nobody_reads(clean):
    clean.compose(project(shell("until test -e /tmp/go; do sleep 0.05; done; echo one; echo two >&2; touch /tmp/done; sleep 1000")))
    clean.mc("up", "-d").ok()
    kill_supervisor(clean)
    clean.mc("exec", "-T", "s", "touch", "/tmp/go").ok()
    clean.mc("exec", "-T", "s", "sh", "-c", "until test -e /tmp/done; do sleep 0.05; done", timeout=10).ok()
    clean.mc("up", "-d").ok()
    wait_until(lambda: clean.mc("logs").out.count("one") == 1 and "two" in clean.mc("logs").err, what="both lines")
    clean.mc("down").ok()


def test_names_and_ports_work_again_after_adoption(clean):
    clean.compose('services: {s: {image: bb, command: [probe, listen, tcp, "80", page], ports: ["8080:80"], stop_signal: SIGKILL}}')
    clean.mc("up", "-d").ok()
    kill_supervisor(clean)
    clean.mc("up", "-d").ok()
    clean.mc("exec", "-T", "s", "probe", "resolve", "s").ok()
    assert clean.run("/usr/bin/curl", "-s", "--http0.9", "--max-time", "3", "http://127.0.0.1:8080/").out == "page\n"
    clean.mc("down").ok()


@pytest.mark.parametrize("verb", ["stop", "restart", "kill"])
def test_verbs_work_after_the_death_of_the_supervisor(clean, verb):
    clean.compose(project(["sleep", "1000"]))
    clean.mc("up", "-d").ok()
    kill_supervisor(clean)
    clean.mc(verb).ok()
    wanted = "running" if verb == "restart" else "exited"
    wait_until(lambda: [row["State"] for row in clean.ps()] == [wanted], what=wanted)
    clean.mc("down").ok()


def test_row_13_3_another_process_with_the_pid_is_not_taken_for_the_container(bb):
    bb.daemon("c", "sleep", "1000")
    kill_supervisor(bb)
    pid = bb.pid_of("c")
    bb.sh(f"kill -9 {pid}").ok()
    bb.sh(f"until ! test -e /proc/{pid}; do sleep 0.05; done; echo {pid - 1} > /proc/sys/kernel/ns_last_pid; sleep 300 >/dev/null 2>&1 & echo $!")
    assert bb.sh(f"cat /proc/{pid}/comm").out.strip() == "sleep", "the pid was not given again"
    assert state_of(bb, "c") == "exited"
    bb.mc("rm", "-f", "c").ok()
    assert bb.sh(f"cat /proc/{pid}/comm").out.strip() == "sleep", "and it was not killed"


# logs


def test_log_files_rotate_by_size_and_number(bb):
    bb.daemon("c", "sh", "-c", "i=0; while [ $i -lt 3000 ]; do echo line $i of the log; i=$((i+1)); done", flags="--log-opt max-size=20k --log-opt max-file=3")
    wait_until(lambda: state_of(bb, "c") == "exited", what="its end")
    directory = f"/var/lib/mycompose/containers/{bb.state('c')['ID']}"
    sizes = {line.split()[1]: int(line.split()[0]) for line in bb.sh(f"cd {directory} && stat -c '%s %n' container.log*").ok().out.splitlines()}
    assert sorted(sizes) == ["container.log", "container.log.1", "container.log.2"]
    assert all(size <= 20 * 1024 + 200 for size in sizes.values())
    numbers = [int(line.split()[1]) for line in logged(bb, "c").splitlines()]
    assert numbers == list(range(numbers[0], 3000)) and numbers[0] > 0


def test_row_14_11_a_follower_loses_no_line_over_a_rotation(bb):
    script = "until test -e /tmp/go; do sleep 0.05; done; i=0; while [ $i -lt 1000 ]; do echo line $i; i=$((i+1)); [ $((i % 100)) = 0 ] && sleep 0.05; done"
    bb.daemon("c", "sh", "-c", script, flags="--log-opt max-size=10k --log-opt max-file=20")
    follower = bb.start(BINARY, "logs", "-f", "c")
    bb.inside("c", "touch", "/tmp/go").ok()
    out, err = follower.communicate(timeout=30)
    assert out.splitlines() == [f"line {i}" for i in range(1000)], err


@pytest.mark.parametrize("more, kept", [("max-size: 5k, max-file: '2'", True), ("max-size: 5k", False)])
def test_logging_options_of_the_file(clean, more, kept):
    clean.compose(project(shell("i=0; while [ $i -lt 400 ]; do echo line $i of the log; i=$((i+1)); done"), f"logging: {{driver: json-file, options: {{{more}}}}}, "))
    clean.mc("up").ok()
    files = clean.sh("cd /var/lib/mycompose/containers/* && ls container.log*").ok().out.split()
    assert files == (["container.log", "container.log.1"] if kept else ["container.log"])
    clean.mc("down").ok()


@pytest.mark.parametrize(
    "forged",
    [
        r'{"log":"forged\n","stream":"stdout","time":"2001-01-01T00:00:00Z"}',
        r"x\r\nother-1  | forged",
        r"a\0b\033[31mred",
        r"bad \377\376 bytes",
        '"}\\n{"',
    ],
)
def test_row_11_2_what_a_container_writes_stays_text(bb, forged):
    bb.mc("run", "--name", "c", "--network", "none", "bb", "sh", "-c", f"printf '%b\\n' '{forged}'").ok()
    path = f"/var/lib/mycompose/containers/{bb.state('c')['ID']}/container.log"
    for line in bb.sh(f"cat {path}").ok().out.splitlines():
        record = json.loads(line)
        assert sorted(record) == ["log", "stream", "time"] and not record["time"].startswith("2001")
    written = bb.sh(f"printf '%b\\n' '{forged}'", binary=True).out
    shown = bb.mc("logs", "c", binary=True).ok().out
    assert shown == written.decode(errors="replace").encode() or shown == written


def test_row_11_2_a_prefix_cannot_be_forged_across_lines(clean):
    clean.compose(project(shell(r"printf 'one\nother-1  | two\n'; printf 'no end'")))
    assert [line for line in clean.mc("up").ok().out.splitlines() if "|" in line] == ["s-1  | one", "s-1  | other-1  | two", "s-1  | no end"]
    assert clean.mc("logs").ok().out.splitlines() == ["s-1  | one", "s-1  | other-1  | two", "s-1  | no end"]
    clean.mc("down").ok()


def test_row_11_6_a_long_line_is_split_on_disk_and_joined_again(bb):
    bb.mc("run", "--name", "c", "--network", "none", "bb", "sh", "-c", "head -c 100000 /dev/zero | tr '\\0' x; echo; echo end").ok()
    path = f"/var/lib/mycompose/containers/{bb.state('c')['ID']}/container.log"
    records = [json.loads(line)["log"] for line in bb.sh(f"cat {path}").ok().out.splitlines()]
    assert max(len(record) for record in records) <= 16385 and len(records) >= 7
    assert logged(bb, "c").splitlines() == ["x" * 100000, "end"]


def test_row_11_6_memory_stays_bounded_by_a_line_without_end(bb):
    bb.daemon("c", "sh", "-c", "head -c 60000000 /dev/zero | tr '\\0' x; touch /tmp/done; sleep 1000", flags="--log-opt max-size=1m --log-opt max-file=2")
    bb.inside("c", "sh", "-c", "until test -e /tmp/done; do sleep 0.05; done", timeout=30).ok()
    (pid,) = supervisors(bb)
    peak = bb.sh(f"grep VmHWM /proc/{pid}/status").out.split()
    assert int(peak[1]) < 32 * 1024, peak
    used = int(bb.sh("du -sk /var/lib/mycompose/containers").out.split()[0])
    assert used < 4096


# the control socket


def control_socket(host):
    return host.sh(f"find {RUN} -name control.sock").ok().out.strip()


@pytest.fixture
def running(clean):
    clean.compose(project(["sleep", "1000"]))
    clean.mc("up", "-d").ok()
    yield clean
    clean.mc("down").ok()


def connect(host):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(10)
    directory = os.open(in_host(host, os.path.dirname(control_socket(host))), os.O_PATH)
    try:
        client.connect(f"/proc/self/fd/{directory}/control.sock")
    finally:
        os.close(directory)
    return client


def test_row_11_4_the_socket_is_for_root_only(running):
    path = control_socket(running)
    assert running.sh(f"stat -c '%a %u' {path} {RUN}").ok().out.splitlines()[0] == "600 0"
    assert running.sh(f"stat -c %a {RUN}").ok().out == "700\n"
    try_it = f"import socket; socket.socket(socket.AF_UNIX).connect('{path}')"
    assert "PermissionError" in running.run("setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "python3", "-c", try_it).err
    assert "@" not in running.sh("grep mycompose /proc/net/unix").out


def test_row_11_4_even_with_the_path_open_another_user_is_turned_away(running):
    path = control_socket(running)
    running.sh(f"d={path}; while [ $d != / ]; do chmod o+rwx $d; d=$(dirname $d); done").ok()
    try_it = f"import socket; s = socket.socket(socket.AF_UNIX); s.settimeout(5); s.connect('{path}'); print(s.recv(100))"
    result = running.run("setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "python3", "-c", try_it)
    assert result.out.strip() in ("b''", "") and "supervisor" not in result.out
    running.sh(f"chmod 700 {RUN}; chmod 755 /run").ok()


def test_row_11_4_a_container_with_the_hosts_network_does_not_reach_it(running):
    assert running.once("sh", "-c", "grep -c control.sock /proc/net/unix; ls /run/mycompose", network="host").code != 0


@pytest.mark.parametrize(
    "sent",
    [b"", b"\1", struct.pack("<I", 100) + b"{", struct.pack("<I", 0xFFFFFFFF), struct.pack("<I", 4) + b"null", struct.pack("<I", 3) + b"[[[", os.urandom(64)],
    ids=["silent", "one-byte", "half-frame", "huge", "null", "no-json", "noise"],
)
def test_row_11_5_a_bad_client_does_not_hold_up_others(running, sent):
    clients = [connect(running) for _ in range(5)]
    for client in clients:
        try:
            client.sendall(sent)
        except OSError:
            pass
    began = time.monotonic()
    running.mc("restart", "-t", "0").ok()
    assert time.monotonic() - began < 8
    for client in clients:
        client.close()
    assert [row["State"] for row in running.ps()] == ["running"]


def test_row_11_5_a_client_that_does_not_read_holds_up_nobody(running):
    client = connect(running)
    request = json.dumps({"tag": 1, "operation": "kill", "id": "0" * 64, "signal": 9}).encode()
    client.settimeout(0.5)
    try:
        for _ in range(20000):
            client.sendall(struct.pack("<I", len(request)) + request)
    except OSError:
        pass
    running.mc("restart", "-t", "0").ok()
    (pid,) = supervisors(running)
    assert int(running.sh(f"grep VmRSS /proc/{pid}/status").out.split()[1]) < 32 * 1024
    client.close()


def test_a_socket_left_by_a_dead_supervisor_is_no_obstacle(running):
    kill_supervisor(running)
    assert control_socket(running)
    running.mc("restart").ok()
    assert len(supervisors(running)) == 1


# Connects to the port and to the supervisor's own socket; says so and waits for a line.
KNOCK = """
import glob, socket, sys
port = socket.create_connection(("::1", 8080))
control = socket.socket(socket.AF_UNIX)
control.connect(glob.glob("/run/mycompose/**/control.sock", recursive=True)[0])
print("ready", flush=True)
sys.stdin.readline()
"""


def ticks(host, pid):
    fields = host.sh(f"cat /proc/{pid}/stat").ok().out.rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_row_14_12_without_a_descriptor_to_spare_it_neither_spins_nor_forgets_who_waits(bb):
    bb.compose(project(["probe", "listen", "tcp", "80", "web"], 'ports: ["8080:80"], '))
    bb.mc("up", "-d").ok()
    (pid,) = supervisors(bb)
    bb.sh(f"prlimit --pid {pid} --nofile=3:").ok()
    knock = bb.start("/usr/bin/python3", "-c", KNOCK, stdin=subprocess.PIPE)
    assert knock.stdout.readline() == "ready\n", knock.communicate()[1]
    name = bb.start(BINARY, "exec", "-T", "s", "sh", "-c", "nc $(ip route | sed -n 's/^default via \\([^ ]*\\).*/\\1/p') 53", stdin=subprocess.PIPE)
    connected = "cat /proc/net/tcp | awk '$3 ~ /:0035$/ && $4 == \"01\"' | wc -l"
    wait_until(lambda: bb.mc("exec", "-T", "s", "sh", "-c", connected).out == "1\n", what="the question to wait")
    before = ticks(bb, pid)
    time.sleep(1.5)
    assert ticks(bb, pid) - before < 0.3 * os.sysconf("SC_CLK_TCK")
    asked = bb.start(PROBE, "ask", "::1", "8080")
    bb.sh(f"prlimit --pid {pid} --nofile=1000:").ok()
    assert asked.communicate(timeout=10)[0] == "web\n"
    knock.communicate("\n", timeout=10)
    name.communicate("", timeout=20)
    bb.mc("restart").ok()
    assert supervisors(bb) == [pid]
    bb.mc("down").ok()
