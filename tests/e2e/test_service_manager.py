# SPDX-License-Identifier: GPL-2.0-or-later
"""A project as a systemd service: the installed unit, and what `up` tells the service manager."""

import os
import pathlib
import socket
import subprocess

import pytest

from testhost import BINARY, TWO

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def notify(tmp_path):
    """A socket as systemd listens on, in the test's folder, which both sides see."""
    path = str(tmp_path / "notify")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(path)
    listener.settimeout(20)
    yield path, listener
    listener.close()


def tell(host, signal):
    host.sh(f"kill -{signal} $(pgrep -o -x mycompose)").ok()


def test_up_says_ready_when_all_is_started_and_stopping_when_told_to(clean, notify):
    path, listener = notify
    clean.compose(TWO)
    process = clean.start(BINARY, "up", env={"NOTIFY_SOCKET": path})
    assert listener.recv(100) == b"READY=1"
    assert sorted(row["State"] for row in clean.ps()) == ["running", "running"]
    tell(clean, "TERM")
    assert listener.recv(100) == b"STOPPING=1"
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, out + err
    assert sorted(row["State"] for row in clean.ps()) == ["exited", "exited"]
    clean.mc("down").ok()


def test_up_that_fails_is_never_ready(clean, notify):
    path, listener = notify
    clean.compose(TWO.replace('[sleep, "1000"]\n    depends_on', "[/no/such/program]\n    depends_on"))
    process = clean.start(BINARY, "up", env={"NOTIFY_SOCKET": path})
    process.communicate(timeout=30)
    assert process.returncode == 1
    listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        listener.recv(100)
    clean.mc("down").ok()


def test_abstract_socket_and_one_that_is_gone(clean):
    """An abstract name belongs to the network namespace, so nobody listens there; the project runs all the same."""
    clean.compose(TWO)
    process = clean.start(BINARY, "up", env={"NOTIFY_SOCKET": "@nobody-listens"})
    while (line := process.stderr.readline()) and "service manager" not in line:
        pass
    assert "tell the service manager at '@nobody-listens': Connection refused" in line
    tell(clean, "INT")
    process.communicate(timeout=30)
    assert process.returncode == 130
    clean.mc("down").ok()


def test_containers_do_not_see_the_socket(clean, notify):
    path, listener = notify
    clean.compose(TWO)
    process = clean.start(BINARY, "up", env={"NOTIFY_SOCKET": path})
    assert listener.recv(100) == b"READY=1"
    assert "NOTIFY_SOCKET" not in clean.mc("exec", "-T", "web", "cat", "/proc/1/environ").ok().out
    tell(clean, "INT")
    process.communicate(timeout=30)
    clean.mc("down").ok()


def test_installed_unit_is_one_that_systemd_accepts(tmp_path):
    build = pathlib.Path(BINARY).resolve().parent
    # `make install` of what was built: nothing is built here.
    subprocess.run(
        ["make", "-s", "-C", ROOT, "-o", f"{build}/mycompose", f"BUILD={build}", f"DESTDIR={tmp_path}", "PREFIX=/usr", "install"],
        check=True, capture_output=True,
    )
    unit = tmp_path / "usr/lib/systemd/system/mycompose@.service"
    program = tmp_path / "usr/bin/mycompose"
    assert os.access(program, os.X_OK)
    text = unit.read_text()
    assert "@BINDIR@" not in text and "ExecStart=/usr/bin/mycompose up" in text and "Type=notify" in text
    for line in text.splitlines():
        if line.startswith("Exec"):
            words = line.split("=", 1)[1].split()
            usage = subprocess.run([program, *words[1:], "--help"], capture_output=True, text=True)
            assert usage.returncode == 0, usage.stderr
    # The verifier looks for the program where the unit says; man pages are not this test's.
    there = tmp_path / "mycompose@.service"
    there.write_text(text.replace("/usr/bin/mycompose", str(program)))
    verify = subprocess.run(["systemd-analyze", "verify", "--man=no", str(there)], capture_output=True, text=True)
    assert "mycompose@" not in verify.stderr, verify.stderr
    assert verify.returncode == 0, verify.stderr
