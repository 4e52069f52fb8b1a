#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Random commands and accidents on a project whose containers crash at random: soak.py JOB, on a test host.

JOB is a JSON object: mycompose (path), folder (where the Compose file is written), seed, commands (how many). After each command the kernel is asked
whether what `ps` says is so, and whether anything is there that belongs to nobody. One JSON line a command: {"command": WORDS, "problem": TEXT or
null}; ends with the first problem. At the end `down -v` must leave the host as it was.
"""

import collections
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import time

import each_point
from each_point import Wrong, differences, output, processes, snapshot

SETTLE = 8
SERVICES = [f"s{i}" for i in range(10)]
# They end by themselves; their state may be any at any time.
CRASHING = {"s7": "always", "s8": "on-failure:3", "s9": "no"}
SCALED = "s6"
NONE = "no container found|has no container|is not running"
STATES = pathlib.Path("/var/lib/mycompose/containers")


def project(values):
    """The Compose file; `values` is what changes."""
    lines = ["services:"]
    for name in SERVICES:
        more = {"s0": 'ports: ["8080:80"], networks: [one, two]', "s1": 'volumes: ["data:/data", "/anonymous"], mem_limit: 64m', "s2": "init: true, depends_on: [s1]"}
        more |= {"s3": "network_mode: none, tty: true", "s4": "depends_on: [s0, s1], read_only: true, tmpfs: [/tmp]", "s5": "networks: [two], restart: unless-stopped"}
        extra = more.get(name, "")
        command = '[sh, -c, "echo up; exec sleep 1000"]'
        if name in CRASHING:
            command = '[sh, -c, "sleep 0.$$((RANDOM % 8 + 1)); echo down; exit $$((RANDOM % 3))"]'
            extra = f'restart: "{CRASHING[name]}"'
        lines.append(f"  {name}: {{image: bb, command: {command}, stop_signal: SIGKILL, environment: {{N: '{values[name]}'}}{', ' + extra if extra else ''}}}")
    return "\n".join([*lines, "networks: {default: {}, one: {}, two: {internal: true}}", "volumes: {data: {}}", ""])


class Soak:
    def __init__(self, job):
        self.__dict__.update(job)
        self.random = random.Random(self.seed)
        self.file = pathlib.Path(self.folder) / "compose.yaml"
        self.values = collections.Counter()

    def mc(self, *words, timeout=60):
        return subprocess.run([self.mycompose, *words], cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)

    def must(self, *words, unless=None):
        """It succeeds, or says `unless`."""
        result = self.mc(*words)
        if result.returncode and not (unless and re.search(unless, result.stderr)):
            raise Wrong(f"{' '.join(words)}: exit {result.returncode}: {result.stderr[-2000:]}")

    def rows(self):
        result = self.mc("ps", "-a", "--format", "json")
        if result.returncode:
            raise Wrong(f"ps: {result.stderr}")
        return [json.loads(line) for line in result.stdout.splitlines()]

    # What can be asked of it

    def some(self):
        return self.random.sample(SERVICES, self.random.randint(1, 4))

    def up(self):
        self.must("up", "-d")
        self.check_up()

    def check_up(self):
        self.wait_for(lambda: self.not_running(), "after up")

    def not_running(self):
        # One that was paused stays so.
        running = {row["Service"] for row in self.rows() if row["State"] in ("running", "paused")}
        return sorted(set(SERVICES) - set(CRASHING) - running)

    def up_changed(self):
        for name in self.some():
            self.values[name] += 1
        self.file.write_text(project(self.values))
        self.up()

    def up_scaled(self):
        self.must("up", "-d", "--scale", f"{SCALED}={self.random.randint(1, 4)}")
        self.check_up()

    def up_some(self):
        self.must("up", "-d", *self.some())

    def down(self):
        self.must("down")

    def stop(self):
        self.must("stop", *self.some(), unless=NONE)

    def start(self):
        self.must("start", *self.some(), unless=NONE)

    def restart(self):
        self.must("restart", *self.some(), unless=NONE)

    def kill(self):
        self.must("kill", "-s", self.random.choice(["KILL", "TERM"]), *self.some(), unless=NONE)

    def rm(self):
        self.must("rm", "-f", "-s", *self.some(), unless=NONE)

    def pause(self):
        self.must("pause", self.random.choice(SERVICES), unless=f"already paused|{NONE}")

    def unpause(self):
        self.must("unpause", self.random.choice(SERVICES), unless=f"is not paused|{NONE}")

    # What can befall it

    def supervisor_killed(self):
        for pid, comm, _ in processes():
            if comm == "mycompose":
                os.kill(pid, 9)

    def container_killed(self):
        pids = [pid for pids in self.groups().values() for pid in pids]
        if pids:
            self.kill_and_wait([self.random.choice(sorted(pids))])

    def kill_and_wait(self, pids):
        """Until the kernel has taken them away; those of a paused one it cannot."""
        for pid in pids:
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                pass
        deadline = time.monotonic() + 1
        while any(pid in pids for pid, _, _ in processes()) and time.monotonic() < deadline:
            time.sleep(0.01)

    def firewall_flushed(self):
        for words in (["-F"], ["-t", "nat", "-F"], ["-X"], ["-t", "nat", "-X"]):
            output("iptables-legacy", *words)
        self.up()
        rules = output("iptables-legacy-save")
        if not any("--dport 8080" in line for line in rules):
            raise Wrong(f"after a flush and up the published port is not there: {rules}")

    def veth_removed(self):
        veths = [line.split(":")[1].strip().split("@")[0] for line in output("ip", "-o", "link", "show", "type", "veth") if " mv" in line]
        if veths:
            output("ip", "link", "del", self.random.choice(veths))
        self.must("up", "-d", "--force-recreate")

    def bridge_removed(self):
        bridges = [line.split(":")[1].strip() for line in output("ip", "-o", "link", "show", "type", "bridge")]
        if bridges:
            output("ip", "link", "del", self.random.choice(bridges))
        self.up()

    def state_removed(self):
        self.supervisor_killed()
        files = sorted(STATES.glob("*/state.json"))
        if files:
            self.random.choice(files).unlink(missing_ok=True)
        self.up()

    def run_directory_removed(self):
        directories = sorted(pathlib.Path("/run/mycompose/containers").glob("*"))
        if directories:
            subprocess.run(["rm", "-rf", str(self.random.choice(directories))], check=True)
        self.supervisor_killed()
        self.up()

    def cgroups_removed(self):
        """With what was in them killed. Of a paused one nothing can be."""
        chosen = [row["ID"] for row in self.rows() if row["State"] == "running" and self.random.random() < 0.3]
        self.kill_and_wait([pid for id, pids in self.groups().items() if any(id.startswith(wanted[:12]) for wanted in chosen) for pid in pids])
        for directory, _, _ in sorted(os.walk("/sys/fs/cgroup"), reverse=True):
            if any(f"/mycompose/{id}" in directory for id in chosen):
                try:
                    os.rmdir(directory)
                except OSError:
                    pass  # not empty yet, or gone, or begun anew
        self.wait_for(self.lies, "after a kill")
        self.up()

    # What must be so at all times

    def groups(self):
        """Container -> pids, by the kernel."""
        groups = collections.defaultdict(set)
        for directory, _, names in os.walk("/sys/fs/cgroup"):
            found = re.search(r"/mycompose/([0-9a-f]{12,64})", directory)
            if found and "cgroup.procs" in names:
                groups[found[1]]
                try:
                    with open(f"{directory}/cgroup.procs") as file:
                        groups[found[1]].update(int(line) for line in file if line.strip() != "0")
                except OSError:
                    pass
        return groups

    def lies(self):
        """Where `ps` and the kernel differ; what belongs to nobody."""
        rows = {row["ID"]: row for row in self.rows()}
        groups = self.groups()
        for id, row in rows.items():
            pids = set().union(*(pids for name, pids in groups.items() if name.startswith(id[:12])))
            if (row["State"] in ("running", "paused")) != bool(pids):
                return f"{row['Name']} is {row['State']}, its processes are {sorted(pids)}"
        known = {id[:12] for id in rows}
        for id in groups:
            if id[:12] not in known:
                return f"cgroup of nobody: {id}"
        recorded = {path.name[:12] for path in STATES.iterdir() if path.name != "names"} if STATES.exists() else set()
        if recorded != known:
            return f"records {sorted(recorded ^ known)} are not those of ps: {[sorted(os.listdir(path)) for path in STATES.iterdir() if path.name[:12] in recorded ^ known]}"
        inside = set().union(*groups.values()) if groups else set()
        others = [(pid, comm) for pid, comm, _ in processes() if pid not in inside and comm not in ("mycompose", "python3")]
        if others:
            return f"processes of nobody: {others}"
        return self.loose_links(rows)

    def loose_links(self, rows):
        attachments = 0
        for id, row in rows.items():
            path = STATES / next((name for name in os.listdir(STATES) if name.startswith(id[:12])), id) / "config.json"
            if row["State"] in ("running", "paused"):
                attachments += len(json.loads(path.read_text()).get("attachments", []))
        veths = sum(" mv" in line for line in output("ip", "-o", "link", "show", "type", "veth"))
        return f"{veths} veths for {attachments} attachments" if veths > attachments else None

    def wait_for(self, wrong, when):
        deadline = time.monotonic() + SETTLE
        while (problem := wrong()) and time.monotonic() < deadline:
            time.sleep(0.02)
        if problem:
            raise Wrong(f"{when}: {problem}")

    def run(self):
        self.file.write_text(project(self.values))
        clean = None
        for _ in range(2):
            self.must("up", "-d")
            self.must("down", "-v")
            clean = snapshot()
        self.must("up", "-d")
        (pathlib.Path(f"/var/lib/mycompose/volumes/{pathlib.Path(self.folder).name.lower()}_data/_data") / "user").write_text("user's own\n")
        often = [self.up, self.up_changed, self.up_scaled, self.up_some, self.stop, self.start, self.restart, self.kill, self.rm, self.pause, self.unpause]
        accidents = [self.supervisor_killed, self.container_killed, self.firewall_flushed, self.veth_removed, self.bridge_removed]
        accidents += [self.state_removed, self.run_directory_removed, self.cgroups_removed]
        for _ in range(self.commands):
            self.step(self.random.choice(often * 2 + accidents * 2 + [self.down]))
        self.step(self.end)
        self.wait_for(lambda: differences(clean, snapshot()), "after the last down")

    def end(self):
        path = pathlib.Path(f"/var/lib/mycompose/volumes/{pathlib.Path(self.folder).name.lower()}_data/_data/user")
        if path.read_text() != "user's own\n":
            raise Wrong("the volume lost what the user put there")
        self.must("down", "-v")
        # An anonymous volume of a container that `down` or `rm` removed without -v stays, as in Docker.
        self.must("volume", "prune", "-f", "-a")

    def step(self, action):
        problem = None
        try:
            action()
            self.wait_for(self.lies, "then")
        except (Wrong, OSError, subprocess.TimeoutExpired) as wrong:
            problem = str(wrong)
        print(json.dumps({"command": action.__name__, "problem": problem}), flush=True)
        if problem:
            self.mc("unpause", *SERVICES)  # a frozen process cannot even end with its host
            sys.exit(0)


each_point.SETTLE = SETTLE
if __name__ == "__main__":
    Soak(json.loads(sys.argv[1])).run()
