# SPDX-License-Identifier: GPL-2.0-or-later
"""Volumes of a network file system: the outside world exports a directory by NFS 4, as Debian's kernel does."""

import os
import re
import time

import pytest

from test_networks import start_outside
from testhost import BINARY, HOST_ADDRESS, OUTSIDE_ADDRESS, wait_until

# nfsd(7): what exportfs and rpc.nfsd tell the kernel, told directly. No other name service than these three caches is asked.
SERVER = """
import os, socket, subprocess, time
os.makedirs("/run/export/data", exist_ok=True)
subprocess.run(["mount", "-t", "nfsd", "nfsd", "/proc/fs/nfsd"], check=True)
def tell(path, text):
    with open(path, "w") as file:
        file.write(text)
late = int(time.time()) + 100000
flags = 0x2 | 0x10 | 0x400 | 0x2000 # insecure, async, no_subtree_check, fsid; root is root
tell("/proc/net/rpc/auth.unix.ip/channel", f"nfsd CLIENT {late} clients\\n")
tell("/proc/net/rpc/nfsd.export/channel", f"clients /run/export {late} {flags} 65534 65534 0\\n")
tell("/proc/net/rpc/nfsd.fh/channel", f"clients 1 \\\\x00000000 {late} /run/export\\n")
tell("/proc/fs/nfsd/nfsv4leasetime", "10\\n")
tell("/proc/fs/nfsd/nfsv4gracetime", "10\\n")
tell("/proc/fs/nfsd/versions", "-2 -3 +4\\n")
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("", 2049))
listener.listen(64)
tell("/proc/fs/nfsd/portlist", f"{listener.fileno()}\\n")
tell("/proc/fs/nfsd/threads", "2\\n")
print("ready", flush=True)
time.sleep(3600)
"""
STOP = "mount -t nfsd nfsd /proc/fs/nfsd && echo 0 > /proc/fs/nfsd/threads"


@pytest.fixture(scope="module")
def server(machine):
    """The outside world serves /run/export. For its first ten seconds a server lets nobody open a file who had none open."""
    end = start_outside(machine, "/usr/bin/python3", "-c", SERVER.replace("CLIENT", HOST_ADDRESS))
    yield
    machine.sh(STOP, outside=True).ok()
    end()
    machine.sh("rm -rf /run/export").ok()


@pytest.fixture
def nfs(server, host):
    yield host
    host.sh("iptables-legacy -F OUTPUT").ok()
    host.mc("volume", "prune", "-af").ok()


def project(options, device=":/data", more=""):
    return f"""
services:
  web: {{image: bb, command: sleep 600, stop_grace_period: 0s, volumes: ["shared:/srv"]}}
  {more}
volumes:
  shared: {{driver: local, driver_opts: {{type: nfs, o: "{options}", device: "{device}"}}}}
"""


OTHER = "other: {image: bb, command: sleep 600, stop_grace_period: 0s}"


def test_what_a_container_writes_is_on_the_server_and_read_by_others(nfs):
    nfs.file("hosts", f"127.0.0.1 localhost\n{OUTSIDE_ADDRESS} nas.example\n")
    nfs.sh("mount --bind hosts /etc/hosts").ok()
    reader = 'reader: {image: bb, command: sleep 600, stop_grace_period: 0s, volumes: ["shared:/in:ro"]}'
    nfs.compose(project("addr=nas.example,nfsvers=4.2,rw,soft", more=reader))
    nfs.mc("up", "-d").ok()
    nfs.mc("exec", "-T", "web", "sh", "-c", "echo written > /srv/file; sync").ok()
    assert nfs.sh("cat /run/export/data/file").ok().out == "written\n"
    nfs.sh("echo changed > /run/export/data/other").ok()
    assert nfs.mc("exec", "-T", "reader", "cat", "/in/file", "/in/other").ok().out == "written\nchanged\n"
    assert nfs.mc("exec", "-T", "reader", "touch", "/in/more").fails().err.count("Read-only file system") == 1
    mounted = nfs.mc("exec", "-T", "web", "grep", " /srv ", "/proc/mounts").ok().out
    assert mounted.startswith(":/data /srv nfs4 rw,") and "addr=198.51.100.2" in mounted and "vers=4.2" in mounted
    assert "nfs" not in nfs.sh("grep -v nfsd /proc/1/mounts").ok().out
    nfs.mc("restart", "web").ok()
    assert nfs.mc("exec", "-T", "web", "cat", "/srv/file").ok().out == "written\n"
    nfs.mc("down", "-v").ok()
    assert "shared" not in nfs.mc("volume", "ls", "-q").ok().out
    assert nfs.sh("cat /run/export/data/file").ok().out == "written\n"
    nfs.sh("umount /etc/hosts").ok()


@pytest.mark.parametrize(
    "options, device, said",
    [
        (f"addr={OUTSIDE_ADDRESS},nfsvers=4", ":/nowhere", "No such file or directory"),
        (f"addr={OUTSIDE_ADDRESS},nfsvers=4,nonsense=1", ":/data", "nonsense"),
        (f"addr={OUTSIDE_ADDRESS},nfsvers=4,port=2050", ":/data", "Connection refused"),
        ("addr=nobody.invalid,nfsvers=4", ":/data", "nobody.invalid"),
    ],
)
def test_what_is_wrong_is_told_and_the_other_service_runs(nfs, options, device, said):
    nfs.compose(project(options, device, OTHER))
    result = nfs.mc("up", "-d").fails(1)
    assert said in result.err and "/srv" in result.err and "web" in result.err
    nfs.mc("up", "-d", "other").ok()
    nfs.mc("down", "-v").ok()


def test_a_server_that_does_not_answer_holds_nobody_else_up(nfs):
    nfs.sh("iptables-legacy -A OUTPUT -p tcp --dport 2049 -j DROP").ok()
    other = OTHER.replace("stop_grace", "ports: ['8080:80'], stop_grace")
    nfs.compose(project(f"addr={OUTSIDE_ADDRESS},nfsvers=4,soft,timeo=150,retrans=1", more=other))
    before = time.monotonic()
    up = nfs.start(BINARY, "up", "-d")
    wait_until(lambda: any(row["Service"] == "other" and row["State"] == "running" for row in nfs.ps()), what="the other service to run")
    nfs.mc("exec", "-T", "other", "true").ok()
    # Its port is not held by the child that waits, though that was made with a copy of it.
    holders = wait_until(lambda: nfs.sh("ss -Hltnp 'sport = :8080'").ok().out.splitlines(), what="the port")
    assert all(line.count("pid=") == 1 for line in holders), holders
    assert up.poll() is None
    err = up.communicate(timeout=600)[1]
    assert up.returncode == 1 and 'service "web": container' in err and "/srv" in err and "timed out" in err, (err, time.monotonic() - before)
    nfs.mc("down", "-v").ok()


# Owners of a data root on a tmpfs, which a test host has, are mapped from Linux 6.3 on.
MAPPED = tuple(map(int, os.uname().release.split(".")[:2])) >= (6, 3)


@pytest.mark.parametrize("more", ["", *(["userns_mode: auto, "] if MAPPED else [])], ids=lambda more: more.partition(":")[0])
def test_who_waits_for_a_server_holds_nothing_of_a_supervisor_that_is_killed(nfs, more):
    nfs.sh("iptables-legacy -A OUTPUT -p tcp --dport 2049 -j DROP").ok()
    other = OTHER.replace("stop_grace", "ports: ['8080:80'], stop_grace")
    stack = project(f"addr={OUTSIDE_ADDRESS},nfsvers=4,soft,timeo=1200,retrans=2", more=other)
    nfs.compose(stack.replace("{image: bb, command: sleep 600, stop", f"{{image: bb, {more}command: sleep 600, stop", 1))
    up = nfs.start(BINARY, "up", "-d")
    wait_until(lambda: any(row["Service"] == "other" and row["State"] == "running" for row in nfs.ps()), what="the other service to run")
    (supervisor,) = set(re.findall(r"pid=(\d+)", nfs.sh("ss -Hltnp 'sport = :8080'").ok().out))  # nobody else has the port
    assert len(nfs.sh("pgrep -x mycompose").ok().out.split()) > 2, "beside the command and the supervisor somebody waits"
    nfs.sh(f"kill -9 {supervisor}").ok()
    before = time.monotonic()
    nfs.mc("down", "-v").ok()
    assert time.monotonic() - before < 60, "far less than the server has"
    up.communicate(timeout=60)
    assert nfs.sh("pgrep -x 'mycompose|sleep'").code == 1
