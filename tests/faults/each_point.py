#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Kill a command at one point after another, repair, clean up, compare: each_point.py JOB, on a test host.

JOB is a JSON object:
  mycompose, killat   paths of the programs
  folder              where the Compose file is written
  before              text of the Compose file that is up when the command begins; null = nothing is
  after               text of the Compose file the command is given
  command             words after `mycompose`
  wanted              words that must bring about what `after` says: `up -d`, with a --scale perhaps
  states              {service: number of running containers} after `wanted`
  untouched           services whose process must be the same after all of that
  first, step, last   points to try

Each point prints one JSON line: {"point": N, "call": NAME, "problem": TEXT or null}, a last one {"count": COUNT} when the command ended before
its point came. Every other point leaves half-made containers as orphans instead of killing them as well, and every other pair of points is followed
by `down` alone.
"""

import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import time

SETTLE = 8  # seconds for what ends by itself: the last supervisor, orphans
ROOTS = ("/run", "/tmp", "/var/lib/mycompose")
# What stays is no project's: the image store, locks (their files are empty), compiled filters.
KEPT = re.compile(r"/var/lib/mycompose/(images|layers)(/|$)|\.lock$|/run/mycompose/(seccomp|events)(/|$)|/run/(resolv.conf|netns|xtables.lock)")


class Wrong(Exception):
    pass


def output(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout.splitlines()


def processes():
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) in (1, os.getpid()):
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                stat = file.read()
            namespace = os.readlink(f"/proc/{name}/ns/net")
        except OSError:
            continue
        comm, state = stat[stat.index(b"(") + 1 : stat.rindex(b")")].decode(), stat[stat.rindex(b")") + 2 :][:1]
        if state not in b"ZX":
            yield int(name), comm, namespace


def files():
    for root in ROOTS:
        for directory, names, others in os.walk(root):
            for name in names + others:
                path = os.path.join(directory, name)
                if not KEPT.search(path):
                    yield path


def snapshot():
    """Everything a project may leave on a host."""
    found = list(processes())
    with open("/proc/1/mountinfo") as file:
        mounts = sorted(" ".join(line.split()[4:]) for line in file)
    return {
        "processes": sorted(comm for _, comm, _ in found),
        "namespaces": sorted({namespace for _, _, namespace in found}),
        "mounts": mounts,
        "interfaces": sorted(line.split(":")[1] for line in output("ip", "-o", "link")),
        "routes": output("ip", "route") + output("ip", "-6", "route"),
        "rules": [line for line in output("iptables-legacy-save") if re.match(r"-A|:[^ ]+ -", line)],
        "cgroups": sorted(directory for directory, _, _ in os.walk("/sys/fs/cgroup")),
        "files": sorted(files()),
    }


def shape(taken):
    """A snapshot of what is up, without what differs from run to run: addresses, ids."""
    hidden = re.compile(r"[0-9a-f]{8,}|\bm[a-z]?[0-9a-f]{6,}\S*|\d+\.\d+\.\d+\.\d+(/\d+)?|([0-9a-f]{2}:){5}[0-9a-f]{2}|\b(upper|work)dir=\S*|--dport [1-9]\d{4}|_?:[1-9]\d{4}")
    kinds = ("processes", "interfaces", "rules", "cgroups", "mounts")
    shapes = {kind: collections.Counter(hidden.sub("_", line) for line in taken[kind]) for kind in kinds}
    shapes["namespaces"] = len(taken["namespaces"])
    shapes["containers"] = sum(re.fullmatch(r"/var/lib/mycompose/containers/[0-9a-f]{64}", path) is not None for path in taken["files"])
    shapes["volumes"] = sum(re.fullmatch(r"/var/lib/mycompose/volumes/[^/]+", path) is not None for path in taken["files"])
    return shapes


def differences(before, after):
    for kind in before:
        if before[kind] == after[kind]:
            continue
        if isinstance(before[kind], list):
            old, new = collections.Counter(before[kind]), collections.Counter(after[kind])
        elif isinstance(before[kind], int):
            return f"{kind}: {before[kind]} became {after[kind]}"
        else:
            old, new = before[kind], after[kind]
        return f"{kind}: more: {sorted((new - old).elements())[:3]} less: {sorted((old - new).elements())[:3]}"
    return None


def settled(take, before, when):
    deadline = time.monotonic() + SETTLE
    while (difference := differences(before, take())) and time.monotonic() < deadline:
        time.sleep(0.02)
    if difference:
        raise Wrong(f"{when}: {difference}")


class Job:
    def __init__(self, job):
        self.__dict__.update(job)
        self.file = pathlib.Path(self.folder) / "compose.yaml"
        self.project = pathlib.Path(self.folder).name.lower()
        self.data = pathlib.Path(f"/var/lib/mycompose/volumes/{self.project}_data/_data")
        self.report = pathlib.Path(self.folder) / "report"

    def mc(self, *words, timeout=60):
        return subprocess.run([self.mycompose, *words], cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)

    def ok(self, *words):
        result = self.mc(*words)
        if result.returncode:
            raise Wrong(f"{' '.join(words)}: exit {result.returncode}: {result.stderr}")
        return result

    def rows(self):
        return [json.loads(line) for line in self.ok("ps", "-a", "--format", "json").stdout.splitlines()]

    def pids(self, id):
        """What the kernel has of a container."""
        found = set()
        for directory, _, names in os.walk("/sys/fs/cgroup"):
            if id[:12] in directory and "cgroup.procs" in names:
                with open(f"{directory}/cgroup.procs") as file:
                    found.update(int(line) for line in file if line.strip() != "0")
        return found

    def lies(self):
        """Where `ps` and the kernel differ."""
        rows = [(row, self.pids(row["ID"])) for row in self.rows()]
        return [f"{row['Name']} is {row['State']}, processes {pids}" for row, pids in rows if (row["State"] in ("running", "paused")) != bool(pids)]

    def check_truth(self):
        """An orphan that has not executed its container's command ends by itself: it has nobody to tell that it is ready."""
        deadline = time.monotonic() + SETTLE
        while (lies := self.lies()) and time.monotonic() < deadline:
            time.sleep(0.02)
        if lies:
            raise Wrong(f"ps says {lies}")

    def first_pids(self):
        return {row["Name"]: sorted(self.pids(row["ID"])) for row in self.rows() if row["Service"] in self.untouched}

    def write_data(self):
        (self.data / "user").write_text("user's own\n")

    def check_data(self):
        if (self.data / "from-image").read_text() != "image content\n" or self.data.stat().st_uid != 1000:
            raise Wrong(f"the volume lost what the image put there: {os.listdir(self.data)}")
        if self.before and "-v" not in self.command and (self.data / "user").read_text() != "user's own\n":
            raise Wrong("the volume lost what the user put there")

    def reach(self, before):
        self.ok(*self.wanted)
        rows = self.rows()
        count = collections.Counter(row["Service"] for row in rows if row["State"] == "running")
        if count != self.states or len(rows) != sum(self.states.values()):
            raise Wrong(f"wanted {self.states}, there is {[(row['Name'], row['State']) for row in rows]}")
        names = {f"{self.project}-{service}-{number + 1}" for service in self.states for number in range(self.states[service])}
        if {row["Name"] for row in rows} != names:
            raise Wrong(f"names: {[row['Name'] for row in rows]}")
        if before != self.first_pids():
            raise Wrong(f"{self.untouched} were touched: {before} became {self.first_pids()}")
        self.check_data()
        settled(lambda: shape(snapshot()), self.shape, "after up")

    def set_up(self):
        if self.before:
            self.file.write_text(self.before)
            self.ok("up", "-d")
            self.write_data()
        self.file.write_text(self.after)

    def reference(self):
        self.clean = None
        for _ in range(2):  # the first makes what stays
            self.set_up()
            self.ok(*self.wanted)
            time.sleep(0.5)  # the kernel takes down the namespaces of replaced ones when it likes
            self.shape = shape(snapshot())
            self.ok("down", "-v")
            self.clean = snapshot()

    def kill_at(self, point):
        """The words of the report."""
        supervisors = [word for pid, comm, _ in processes() if comm == "mycompose" for word in ("-p", str(pid))]
        orphans = ["-o"] if point % 2 else []
        words = [self.killat, "-c", str(self.report), *supervisors, *orphans, str(point), self.mycompose, *self.command]
        result = subprocess.run(words, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        if result.returncode not in (0, 137):
            raise Wrong(f"killat: exit {result.returncode}: {result.stderr}")
        return self.report.read_text().split()

    def try_point(self, point):
        self.set_up()
        before = self.first_pids() if self.before else {}
        report = self.kill_at(point)
        problem = None
        try:
            self.check_truth()
            if report[0] == "ended" or point // 2 % 2 == 0:
                self.reach(before)
            self.ok("down", "-v")
            settled(snapshot, self.clean, "after down")
        except (Wrong, OSError, subprocess.TimeoutExpired) as wrong:
            problem = str(wrong)
        return report, problem

    def recovered(self):
        self.mc("down", "-v", "--remove-orphans")
        return differences(self.clean, snapshot()) is None

    def run(self):
        self.reference()
        for point in range(self.first, self.last + 1, self.step):
            (what, number, *call), problem = self.try_point(point)
            if what == "ended":
                print(json.dumps({"count": int(number), "problem": problem}), flush=True)
                return
            print(json.dumps({"point": point, "call": call[0], "problem": problem}), flush=True)
            if problem and not self.recovered():
                return  # the next ones would tell of the same leak


if __name__ == "__main__":
    Job(json.loads(sys.argv[1])).run()
