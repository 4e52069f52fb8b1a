# SPDX-License-Identifier: GPL-2.0-or-later
"""A host of its own for each whole-program test.

New network, mount, pid, UTS, IPC and cgroup namespaces, with their own /var/lib, /run, /tmp, loopback and cgroup file systems, and a second network
namespace joined by a veth pair that plays the outside world. No packet can leave the machine: neither namespace has any other link. The host's
pid 1 ends when the test closes its pipe (or dies), and the kernel ends everything else with it.
"""

import contextlib
import fcntl
import io
import json
import os
import pathlib
import pty
import select
import shlex
import struct
import subprocess
import tarfile
import termios
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("MYCOMPOSE", str(ROOT / "build" / "mycompose"))
PROBE = os.environ.get("MYCOMPOSE_PROBE", str(ROOT / "build" / "tests" / "probe"))
BUSYBOX = "/bin/busybox"

HOST_ADDRESS = "198.51.100.1"
OUTSIDE_ADDRESS = "198.51.100.2"

# A project of two services, of which one needs the other; the last lines are the other's.
TWO = """
services:
  web:
    image: bb
    command: [sleep, "1000"]
    depends_on: [db]
    stop_signal: SIGKILL
  db:
    image: bb
    command: [sleep, "1000"]
    environment: {COLOUR: red}
    stop_signal: SIGKILL
"""

# Runs as pid 1 of the host: makes the world, then reaps until its standard input is closed.
INIT = r"""
import os, select, signal, subprocess, sys
def run(*words):
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
def mount(kind, target, options="", source=None):
    os.makedirs(target, exist_ok=True)
    run("mount", "-t", kind, *(["-o", options] if options else []), source or kind, target)
controllers = [line.split() for line in open("/proc/self/mountinfo") if " - cgroup " in line]
v1 = [(f[4], f[-1]) for f in controllers]
unified = [f[4] for f in (l.split() for l in open("/proc/self/mountinfo") if " - cgroup2 " in l)]
if v1:
    mount("tmpfs", "/sys/fs/cgroup", "mode=755")
    for target, options in v1:
        names = [o for o in options.split(",") if o not in ("rw", "ro")]
        mount("cgroup", target, ",".join((["none"] if names[0].startswith("name=") else []) + names))
if unified == ["/sys/fs/cgroup"]:
    run("umount", "/sys/fs/cgroup") # the kernel mounts no file system on itself
for target in unified:
    mount("cgroup2", target)
if unified == ["/sys/fs/cgroup"]:
    # v2 alone: the group that is this host's root passes on what it has, as a machine's does. Whoever started this has left it for `init`.
    passed = " ".join("+" + name for name in open("/sys/fs/cgroup/cgroup.controllers").read().split())
    open("/sys/fs/cgroup/cgroup.subtree_control", "w").write(passed)
for target in ("/run", "/tmp", "/var/lib"):
    mount("tmpfs", target, "mode=755" if target != "/tmp" else "mode=1777")
os.makedirs("/var/lib/mycompose", mode=0o700)
os.makedirs("/run/netns")
open("/run/resolv.conf", "w").write("nameserver OUTSIDE\n")
run("mount", "--bind", "/run/resolv.conf", os.path.realpath("/etc/resolv.conf"))
run("hostname", "testhost")
run("ip", "link", "set", "lo", "up")
run("ip", "netns", "add", "outside")
run("ip", "link", "add", "up0", "type", "veth", "peer", "name", "eth0", "netns", "outside")
run("ip", "addr", "add", "HOST/24", "dev", "up0")
run("ip", "link", "set", "up0", "up")
run("ip", "route", "add", "default", "via", "OUTSIDE")
run("ip", "-n", "outside", "link", "set", "lo", "up")
run("ip", "-n", "outside", "addr", "add", "OUTSIDE/24", "dev", "eth0")
run("ip", "-n", "outside", "link", "set", "eth0", "up")
run("ip", "-n", "outside", "route", "add", "default", "via", "HOST")
wake, woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
signal.signal(signal.SIGCHLD, lambda *a: None)
signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
print("ready", flush=True)
while True:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
    ready = select.select([0, wake], [], [])[0]
    if wake in ready:
        os.read(wake, 4096)
    if 0 in ready and not os.read(0, 1):
        os._exit(0)
"""


class Result:
    """What a command did."""

    def __init__(self, command, completed):
        self.command = command
        self.code = completed.returncode
        self.out = completed.stdout
        self.err = completed.stderr

    def __repr__(self):
        return f"{self.command}: exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"

    def ok(self):
        assert self.code == 0, repr(self)
        return self

    def fails(self, code=None):
        assert self.code != 0 if code is None else self.code == code, repr(self)
        return self


def add_entry(tar, path, content, mode=None):
    """One member of a tar: text, None for a directory, (target,) for a symbolic link."""
    entry = tarfile.TarInfo(path)
    data = None
    if content is None:
        entry.type = tarfile.DIRTYPE
        entry.mode = 0o755
    elif isinstance(content, tuple):
        entry.type = tarfile.SYMTYPE
        entry.linkname = content[0]
    else:
        data = io.BytesIO(content.encode())
        entry.size = len(content.encode())
    if mode is not None:
        entry.mode = mode
    tar.addfile(entry, data)


def _cgroup_mounts():
    for line in open("/proc/self/mountinfo"):
        fields = line.split()
        if " - cgroup " in line or " - cgroup2 " in line:
            yield pathlib.Path(fields[4])


class TestHost:
    __test__ = False

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.name = "mycompose-test-" + uuid.uuid4().hex[:8]
        self.cgroups = []
        self._make_cgroups()
        init = INIT.replace("OUTSIDE", OUTSIDE_ADDRESS).replace("HOST", HOST_ADDRESS)
        join = "; ".join(f"echo $$ > {path}/cgroup.procs" for path in self.cgroups)
        # A cgroup namespace begins at the group one is in, and in v2 a group with processes has no limits for those below: into the group,
        # a namespace there, and then one further.
        leave = "".join(f"echo $$ > {path}/init/cgroup.procs; " for path in self.cgroups if (path / "init").is_dir())
        inner = (
            f"{leave}exec unshare --net --mount --pid --uts --ipc --fork --kill-child --mount-proc "
            f"--propagation private /usr/bin/python3 -c {shlex.quote(init)}"
        )
        script = f"{join}; exec unshare --cgroup sh -c {shlex.quote(inner)}"
        self.process = subprocess.Popen(
            ["sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        assert line == "ready\n", f"the test host did not come up: {line!r}"
        self.pid = self._init_pid()
        self.env = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LC_ALL": "C.UTF-8",
        }

    def _make_cgroups(self):
        for mount in _cgroup_mounts():
            path = mount / self.name
            path.mkdir()
            self.cgroups.append(path)
            if mount == pathlib.Path("/sys/fs/cgroup"):
                (path / "init").mkdir()
            for name in ("cpuset.cpus", "cpuset.mems"):
                if (path / name).exists() and (mount / name).exists():
                    (path / name).write_text((mount / name).read_text())

    def _init_pid(self):
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return int(children.split()[0])

    def _thaw(self):
        """A frozen process does not die of its pid namespace's end: the first process would wait for it for ever."""
        for path in self.cgroups:
            # Groups go meanwhile, with the containers that end.
            for directory, _, files in os.walk(path):
                for name, word in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
                    if name in files:
                        with contextlib.suppress(OSError):
                            pathlib.Path(directory, name).write_text(word)

    def close(self):
        self._thaw()
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        deadline = time.monotonic() + 10
        for path in self.cgroups:
            for directory in sorted(path.rglob("*/"), reverse=True):
                if directory.is_dir():
                    self._rmdir(directory, deadline)
            self._rmdir(path, deadline)

    @staticmethod
    def _rmdir(path, deadline):
        while True:
            try:
                path.rmdir()
                return
            except FileNotFoundError:
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def enter(self, *words, outside=False):
        """The command line that runs words on this host, or in its outside world."""
        # nsenter takes the namespace, not the group; and with nsdelegate who is in a group outside of the namespace may start nothing inside.
        join = [f"echo $$ > {path}/init/cgroup.procs" for path in self.cgroups if (path / "init").is_dir()]
        command = ["sh", "-c", f'{join[0]}; exec "$@"', "sh"] if join else []
        command += ["nsenter", "-t", str(self.pid), "-m", "-u", "-i", "-n", "-p", "-C", "--wdns=" + str(self.directory)]
        if outside:
            command += ["ip", "netns", "exec", "outside"]
        return command + [str(w) for w in words]

    def run(self, *words, outside=False, input=None, timeout=60, env=None, binary=False):
        completed = subprocess.run(
            self.enter(*words, outside=outside),
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=not binary,
            errors=None if binary else "replace",
            timeout=timeout,
            env={**self.env, **(env or {})},
        )
        return Result(words, completed)

    def start(self, *words, outside=False, env=None, **arguments):
        """Like run, but does not wait: the Popen object."""
        arguments.setdefault("stdin", subprocess.DEVNULL)
        arguments.setdefault("stdout", subprocess.PIPE)
        arguments.setdefault("stderr", subprocess.PIPE)
        return subprocess.Popen(
            self.enter(*words, outside=outside), text=True, env={**self.env, **(env or {})}, **arguments
        )

    def mc(self, *words, **arguments):
        """mycompose WORDS on this host."""
        return self.run(BINARY, *words, **arguments)

    def sh(self, script, **arguments):
        return self.run("sh", "-c", script, **arguments)

    def once(self, *command, flags="", image="bb", network="none", **arguments):
        """COMMAND as the first process of a container that is removed afterwards."""
        return self.mc("run", "--rm", "--network", network, *shlex.split(flags), image, *command, **arguments)

    def daemon(self, name, *command, flags="", image="bb", network="none"):
        """A container in the background; its id."""
        words = ("run", "-d", "--name", name, "--network", network, *shlex.split(flags), image, *command)
        return self.mc(*words).ok().out.strip()

    def inside(self, name, *command, flags="", **arguments):
        """COMMAND in a running container."""
        return self.mc("exec", *shlex.split(flags), name, *command, **arguments)

    def state(self, name):
        """The container's line of `ps -a`, without a project."""
        for line in self.mc("container", "ls", "-a", "--no-trunc", "--format", "json").ok().out.splitlines():
            row = json.loads(line)
            if row["Names"] == name or row["ID"].startswith(name):
                return row
        return None

    def record(self, name):
        """What is on disk of a container's last known state."""
        return json.loads(self.sh(f"cat /var/lib/mycompose/containers/{self.state(name)['ID']}/state.json").ok().out)

    def pid_of(self, name):
        """The first process of a container, as this host numbers it."""
        return self.record(name)["process"]["pid"]

    def image(self, name, files=(), *changes):
        """Import an image of busybox (as /bin/busybox and /bin/sh) and files: (path, text | None for a directory | (target,) for a link[, mode])."""
        path = self.directory / f"{name}.tar"
        with tarfile.open(path, "w") as tar:
            tar.add(BUSYBOX, "bin/busybox")
            for entry in (("bin/sh", ("busybox",)), *files):
                add_entry(tar, *entry)
        words = [word for change in changes for word in ("--change", change)]
        self.mc("import", path, name, *words).ok()
        return name

    def file(self, name, text, mode=None):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if mode is not None:
            path.chmod(mode)
        return path

    def compose(self, text, name="compose.yaml"):
        """Write a Compose file into the test's folder, where mycompose finds it."""
        return self.file(name, text)

    def ps(self, *words):
        """`ps --format json` as a list of objects."""
        out = self.mc("ps", "-a", "--format", "json", *words).ok().out
        return [json.loads(line) for line in out.splitlines()]

    def ids(self):
        """The project's containers, running or not: name and short id."""
        return {row["Name"]: row["ID"] for row in self.ps()}

    def snapshot(self):
        """Everything a project may leave on a host, as sorted texts."""
        commands = {
            # What is dead is pid 1's to collect.
            "processes": "ps -eo state=,comm= | sed -n 's/^[^ZX] //p' | grep -vxE 'ps|sh|sed|sort|grep|nsenter|ip|cat|find|python3|iptables-save' | sort",
            "mounts": "cut -d' ' -f5- /proc/1/mountinfo | sort",
            "interfaces": "ip -o link | cut -d: -f2 | sort",
            "namespaces": "lsns -n -t net -o NS | sort",
            "routes": "ip route; ip -6 route",
            "rules": "(iptables-legacy-save; ip6tables-legacy-save) | grep -E '^(-A|:[^ ]+ -)'; nft list ruleset | grep -i mycompose; true",
            "cgroups": "find /sys/fs/cgroup -mindepth 1 -type d | sort",
            "run": "find /run -mindepth 1 ! -type d ! -name '*.lock' ! -path '/run/mycompose/seccomp/*' ! -path '/run/mycompose/events/*' | sort",
            "data": "find /var/lib/mycompose -mindepth 1 ! -path '*/images*' ! -path '*/layers*' ! -type d | sort",
            "temporary": "find /var/lib/mycompose /tmp -name '*tmp*' -o -name '.removing*' | sort",
        }
        separator = "\x1f"
        script = f"printf '{separator}'\n".join(f"{{ {command}\n}} || exit\n" for command in commands.values())
        return dict(zip(commands, self.sh(script).ok().out.split(separator), strict=True))


def wait_until(condition, timeout=10, interval=0.05, what="condition"):
    """Poll until condition() is true; its value. Fails with what it waited for."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"timed out waiting for {what}"
        time.sleep(interval)


class Terminal:
    """A command at a terminal of so many rows and columns."""

    def __init__(self, host, *words, size=(24, 80)):
        self.fd, self.far = pty.openpty()
        self.resize(*size)
        self.modes = termios.tcgetattr(self.far)
        self.process = host.start(BINARY, *words, stdin=self.far, stdout=self.far, stderr=self.far, start_new_session=True)
        self.text = ""

    def resize(self, rows, columns):
        fcntl.ioctl(self.far, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.fd, text.encode())

    def read(self):
        while select.select([self.fd], [], [], 0)[0]:
            self.text += os.read(self.fd, 65536).decode(errors="replace")
        return self.text

    def expect(self, text, timeout=10):
        wait_until(lambda: text in self.read(), timeout, what=f"{text!r} in {self.text!r}")

    def end(self, timeout=10):
        """Its exit code; fails if the terminal is not as it was."""
        code = self.process.wait(timeout)
        self.read()
        assert termios.tcgetattr(self.far) == self.modes, "the terminal is left in another mode"
        os.close(self.fd)
        os.close(self.far)
        return code
