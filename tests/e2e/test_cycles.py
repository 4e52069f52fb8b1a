# SPDX-License-Identifier: GPL-2.0-or-later
"""A hundred times up and down: the host is as it was, and nothing grows."""

from testhost import BINARY, wait_until

CYCLES = 100
PROJECT = """
services:
  a: {image: bb, command: [sleep, "1000"], stop_signal: SIGKILL, ports: ["8080:80"], networks: [one, two], volumes: ["data:/data", "/anonymous"], mem_limit: 64m}
  b: {image: bb, command: [sh, -c, "echo words; exec sleep 1000"], stop_signal: SIGKILL, networks: [two], init: true, read_only: true, tmpfs: [/tmp]}
networks: {one: {}, two: {internal: true}}
volumes: {data: {}}
"""

# What a project leaves in the kernel beside what snapshot() lists: memory of cgroups and network namespaces is given back late, but is.
DISK = "du -sk --exclude=events /var/lib/mycompose /run/mycompose | cut -f1"
FILES = "find /var/lib/mycompose /run/mycompose ! -path '*/events/*' | wc -l"  # the log of events begins a second file when one is full


def numbers(host, command):
    return [int(word) for word in host.sh(command).ok().out.split()]


def settled_snapshot(host, before):
    wait_until(lambda: host.snapshot() == before, what="the host to be as it was")


def test_row_13_8_a_hundred_cycles_leave_nothing(clean):
    clean.compose(PROJECT)
    cycle = f'i=0; while [ $i -lt $1 ]; do {BINARY} up -d 2>/dev/null && {BINARY} down -v 2>/dev/null || exit 1; i=$((i+1)); done'
    clean.run("sh", "-c", cycle, "sh", "2", timeout=60).ok()
    before, disk, files = clean.snapshot(), numbers(clean, DISK), numbers(clean, FILES)
    clean.run("sh", "-c", cycle, "sh", str(CYCLES), timeout=240).ok()
    settled_snapshot(clean, before)
    assert numbers(clean, FILES) == files
    # The log of events, which is bounded, is not counted.
    assert all(after <= start + 64 for start, after in zip(disk, numbers(clean, DISK)))


def supervisor(host):
    """Memory of its own in KiB, descriptors, mappings."""
    (pid,) = host.sh("pgrep -x mycompose").out.split()
    script = f"grep -h ^RssAnon /proc/{pid}/status | tr -dc '0-9\\n'; ls /proc/{pid}/fd | wc -l; wc -l < /proc/{pid}/maps"
    return pid, numbers(host, script)


def test_row_14_12_a_supervisor_does_not_grow_with_what_it_has_done(clean):
    """One service stays, the other comes and goes under the same supervisor."""
    clean.compose(PROJECT)
    clean.mc("up", "-d").ok()
    cycle = f'i=0; while [ $i -lt $1 ]; do {BINARY} stop b 2>/dev/null && {BINARY} rm -f b >/dev/null 2>&1 && {BINARY} up -d 2>/dev/null || exit 1; i=$((i+1)); done'
    clean.run("sh", "-c", cycle, "sh", "5", timeout=60).ok()
    pid, (memory, descriptors, mappings) = supervisor(clean)
    clean.run("sh", "-c", cycle, "sh", "40", timeout=240).ok()
    again, (memory_after, descriptors_after, mappings_after) = supervisor(clean)
    assert again == pid and descriptors_after == descriptors
    assert mappings_after <= mappings + 4 and memory_after <= memory + 256
    clean.mc("down", "-v").ok()
