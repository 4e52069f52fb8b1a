# SPDX-License-Identifier: GPL-2.0-or-later
"""Log drivers: what reaches the journal and syslog servers, and what `logs` still shows."""

import re

from testhost import wait_until

# Receives datagrams on the socket it is told, or lines of one connection, and writes them to a file as they come.
LISTENER = """
import os, socket, sys
kind, where, out = sys.argv[1:]
if kind == "unixgram":
    os.makedirs(os.path.dirname(where), exist_ok=True)
    if os.path.exists(where):
        os.unlink(where)
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(where)
if kind == "udp":
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", int(where)))
if kind == "tcp":
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(where)))
    listener.listen()
    print(os.getpid(), flush=True)
    s = listener.accept()[0]
else:
    print(os.getpid(), flush=True)
with open(out, "ab", buffering=0) as file:
    while data := s.recv(65536):
        file.write(data + (b"\\0END\\0" if kind != "tcp" else b""))
"""

PROJECT = """
name: demo
services:
  a:
    image: bb
    network_mode: none
    stop_signal: SIGKILL
    labels: {tier: front}
    environment: {COLOUR: red}
    command: sh -c 'echo one; echo two >&2; while [ ! -e /go ]; do sleep 0.05; done; echo three; printf four; exec sleep 100'
    logging: {%s}
"""


def listen(host, kind, where, name="got"):
    script = host.file("listener.py", LISTENER)
    out = host.directory / name
    process = host.start("python3", "-B", str(script), kind, where, str(out))
    process.listener = int(process.stdout.readline())
    return process, out


def got(path):
    return path.read_bytes() if path.exists() else b""


def end(host, process):
    """The listener itself: what was started is nsenter, which waits for it."""
    host.sh(f"kill {process.listener}").ok()
    process.communicate(timeout=10)


def go(host):
    host.mc("exec", "-T", "a", "touch", "/go").ok()


def test_lines_reach_the_journal_with_the_fields_docker_sets(bb):
    process, out = listen(bb, "unixgram", "/run/systemd/journal/socket")
    bb.compose(PROJECT % 'driver: journald, options: {tag: "{{.Name}}", labels: tier, env: COLOUR}')
    bb.mc("up", "-d").ok()
    go(bb)
    wait_until(lambda: got(out).count(b"\0END\0") >= 3, what="three messages")
    first, second, third = got(out).split(b"\0END\0")[:3]
    container = bb.ps()[0]["ID"]
    for field in (f"CONTAINER_ID={container}", "CONTAINER_NAME=demo-a-1", "CONTAINER_TAG=demo-a-1", "SYSLOG_IDENTIFIER=demo-a-1",
                  "IMAGE_NAME=bb", "TIER=front", "COLOUR=red", "PRIORITY=6"):
        assert f"{field}\n".encode() in first, field
    assert first.endswith(b"MESSAGE\n\x03\0\0\0\0\0\0\0one\n")
    assert b"PRIORITY=3\n" in second and second.endswith(b"two\n")
    assert third.endswith(b"three\n")
    assert "three" in bb.mc("logs").ok().out, "logs reads the copy"
    bb.mc("down").ok()
    wait_until(lambda: got(out).split(b"\0END\0")[3:4] and b"four" in got(out).split(b"\0END\0")[3], what="the unfinished line")
    end(bb, process)


def test_syslog_over_udp_in_both_formats(bb):
    process, out = listen(bb, "udp", "5514")
    bb.compose(PROJECT % 'driver: syslog, options: {syslog-address: "udp://127.0.0.1:5514", syslog-facility: local0, tag: web}')
    bb.mc("up", "-d").ok()
    wait_until(lambda: got(out).count(b"\0END\0") == 2)
    lines = sorted(got(out).decode().split("\0END\0")[:2])
    assert re.fullmatch(r"<131>\w{3} [ \d]\d \d\d:\d\d:\d\d \S+ web\[\d+\]: two", lines[0]), lines
    assert re.fullmatch(r"<134>\w{3} [ \d]\d \d\d:\d\d:\d\d \S+ web\[\d+\]: one", lines[1]), lines
    bb.mc("down").ok()
    end(bb, process)


def test_syslog_over_tcp_counts_its_messages(bb):
    process, out = listen(bb, "tcp", "5515")
    bb.compose(PROJECT % 'driver: syslog, options: {syslog-address: "tcp://127.0.0.1:5515", syslog-format: rfc5424, tag: web}')
    bb.mc("up", "-d").ok()
    go(bb)
    wait_until(lambda: b"three" in got(out))
    data = got(out).decode()
    messages = []
    while data:
        length, data = data.split(" ", 1)
        messages.append(data[: int(length)])
        data = data[int(length):]
    assert [message.rsplit(" ", 1)[1] for message in messages if "two" not in message] == ["one", "three"]
    assert all(re.match(r"<\d+>1 \S+Z \S+ web \d+ web - ", message) for message in messages), messages
    bb.mc("down").ok()
    process.communicate(timeout=10)


# Its queue is full until it is told to go on, so whoever connects meanwhile has to wait.
SLOW_LISTENER = """
import os, socket, sys, time
go, out = sys.argv[1:]
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.bind(("127.0.0.1", 5514))
listener.listen(0)
first = socket.create_connection(("127.0.0.1", 5514))
print(os.getpid(), flush=True)
while not os.path.exists(go):
    time.sleep(0.02)
listener.accept()
s = listener.accept()[0]
with open(out, "ab", buffering=0) as file:
    while data := s.recv(65536):
        file.write(data)
"""


def test_a_slow_syslog_server_gets_a_line_that_no_other_follows(bb):
    script, go, out = bb.file("slow.py", SLOW_LISTENER), bb.directory / "go", bb.directory / "got"
    bb.start("/usr/bin/python3", "-B", str(script), str(go), str(out)).stdout.readline()
    bb.daemon("c", "sh", "-c", "echo alone; exec sleep 1000", flags="--log-driver syslog --log-opt syslog-address=tcp://127.0.0.1:5514")
    wait_until(lambda: "alone" in bb.mc("logs", "c").out, what="the line to be written")
    go.touch()
    wait_until(lambda: got(out).endswith(b": alone\n"), what="the line")


def test_a_syslog_server_that_comes_late_or_anew_is_found(bb):
    bb.compose(PROJECT.replace("echo three", "i=0; while :; do i=$$((i+1)); echo n$$i; sleep 0.1; done") % 'driver: syslog, options: {syslog-address: "unix:///run/log/late"}')
    bb.mc("up", "-d").ok()
    go(bb)
    for name in ("first", "second"):
        process, out = listen(bb, "unixgram", "/run/log/late", name)
        wait_until(lambda: b"]: n" in got(out), what=name)
        end(bb, process)
    assert [row["State"] for row in bb.ps()] == ["running"]
    bb.mc("down").ok()


def test_driver_none_keeps_nothing_and_says_so(clean):
    clean.compose(PROJECT % "driver: none")
    clean.mc("up", "-d").ok()
    assert clean.mc("logs").ok().out == ""
    name = clean.ps()[0]["Name"]
    assert "configured logging driver does not support reading" in clean.mc("container", "logs", name).fails(1).err
    kept = "find /var/lib/mycompose/containers /run/mycompose -name 'container.log*' -o -name '*.journal'"
    assert clean.sh(kept).ok().out == ""
    clean.mc("down").ok()
    # Attached, the output is shown all the same: it comes straight from the containers.
    clean.compose((PROJECT % "driver: none").replace("while [ ! -e /go ]; do sleep 0.05; done; echo three; printf four; exec sleep 100", "true"))
    assert "a-1  | one\n" in clean.mc("up").ok().out
    clean.mc("down").ok()


def test_a_wrong_option_is_told_with_its_place(clean):
    clean.compose(PROJECT % "driver: syslog, options: {syslog-facility: other}")
    result = clean.mc("up", "-d").fails(1)
    assert re.search(r"compose\.yaml:\d+:\d+: services\.a\.logging: log option syslog-facility: 'other' is no syslog facility", result.err), result.err
    assert clean.ps() == []


def test_ad_hoc_flags(bb):
    bb.mc("run", "-d", "--name", "c", "--network", "none", "--log-driver", "local", "--log-opt", "max-size=1m", "bb", "echo", "hi").ok()
    wait_until(lambda: bb.mc("container", "logs", "c").out == "hi\n")
    assert "no log driver 'fluentd'" in bb.mc("run", "--log-driver", "fluentd", "bb", "true").fails(125).err
