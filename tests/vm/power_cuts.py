# SPDX-License-Identifier: GPL-2.0-or-later
"""What happens inside the virtual machine between two power cuts: look at what the last one left, go on, be cut off.

usage: python3 tests/vm/power_cuts.py BUILD LAST PROMISES NEXT AT

LAST is the scene that was cut off ("" at first), PROMISES the JSON it had told the world by then, NEXT the scene to play ("" at the end)
and AT the part of its usual time, 0 to 1.2, after which the power goes. /dev/vda holds /var/lib/mycompose; all else forgets.

The power goes by sysrq's immediate reboot: what is in memory only, page cache included, is lost. Each "PROMISE key value" line is printed
after the thing promised was confirmed by mycompose or by fsync.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time

BUILD, LAST, PROMISES, NEXT, AT = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), sys.argv[4], float(sys.argv[5])
MYCOMPOSE = f"{BUILD}/mycompose"
FOLDER = pathlib.Path("/srv/shop")

PROJECT = """
name: shop
services:
  db:
    image: bb
    command: sh -c 'i=$$(wc -l </data/rows); while :; do i=$$((i + 1)); echo $$i >>/data/rows; sync; echo row $$i; done'
    volumes: [rows:/data]
    stop_signal: SIGKILL
    restart: always
  web:
    image: bb
    command: sleep 100000
    environment: {COLOUR: "%s"}
    depends_on: [db]
    stop_signal: SIGKILL
    mem_limit: 64m
    ports: ["8080:80"]
  log:
    image: bb
    command: sh -c 'i=0; while :; do i=$$((i + 1)); echo line $$i; done'
    stop_signal: SIGKILL
    logging: {options: {max-size: 1m, max-file: "3"}}
volumes: {rows: {}}
"""


class Wrong(Exception):
    pass


def check(condition, why):
    if not condition:
        raise Wrong(why)


def promise(key, value):
    print(f"PROMISE {key} {json.dumps(value)}", flush=True)


def mc(*words, code=0, timeout=120):
    result = subprocess.run([MYCOMPOSE, *words], cwd=FOLDER, capture_output=True, text=True, errors="replace", timeout=timeout)
    if code is not None:
        check(result.returncode == code, f"mycompose {' '.join(words)}: exit {result.returncode}\n{result.stdout[-1000:]}{result.stderr[-3000:]}")
    return result


def project(colour):
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "compose.yaml").write_text(PROJECT % colour)


def containers():
    return {row["Name"]: row for row in map(json.loads, mc("ps", "-a", "--format", "json").stdout.splitlines())}


def make_tar():
    """busybox as a root file system; what the whole-program tests have would need pytest."""
    root = pathlib.Path("/srv/root")
    (root / "bin").mkdir(parents=True, exist_ok=True)
    (root / "data").mkdir(exist_ok=True)
    (root / "data/rows").write_text("")
    subprocess.run(["cp", "/bin/busybox", root / "bin/busybox"], check=True)
    for name in ("sh", "sleep", "sync", "wc", "cat", "env", "true"):
        (root / "bin" / name).unlink(missing_ok=True)
        (root / "bin" / name).symlink_to("busybox")
    subprocess.run(["tar", "-C", root, "-cf", "/srv/bb.tar", "."], check=True)


def rows():
    """Numbers in the volume, as the host sees the file: no container is asked. None before a first start has filled it."""
    if "shop_rows" not in mc("volume", "ls", "-q").stdout.split():
        return []
    where = pathlib.Path(mc("volume", "inspect", "shop_rows", "--format", "{{.Mountpoint}}").stdout.strip())
    if not list(where.iterdir()):
        return []
    return [int(line) for line in (where / "rows").read_text().splitlines()]


# Scenes: what is prepared undisturbed, what is cut off, and what must hold afterwards.


def up_running():
    mc("up", "-d")
    promise("containers", sorted(containers()))


def play_up():
    mc("up", "-d")
    promise("containers", sorted(containers()))
    promise("colour", "red")


def prepare_recreate():
    up_running()
    project("green")


def play_recreate():
    mc("up", "-d")
    promise("colour", "green")


def play_down():
    mc("down")
    promise("containers", [])


def play_writing():
    """Rows are promised by the database's own sync, told through its log to us and from us to the world."""
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        seen = re.findall(r"row (\d+)", mc("logs", "-n", "1", "db").stdout)
        if seen:
            promise("row", int(seen[-1]))


def play_import():
    mc("import", "/srv/bb.tar", "second", "--change", 'CMD ["true"]')
    promise("image", "second")


SCENES = {
    "up": (None, play_up),
    "recreate": (prepare_recreate, play_recreate),
    "down": (up_running, play_down),
    "writing": (up_running, play_writing),
    "import": (up_running, play_import),
}


def look_at_logs():
    """The lines that are left are whole and without a gap: what a power cut takes is the end."""
    for name in ("shop-log-1", "shop-db-1"):
        result = mc("container", "logs", name, code=None)
        check(result.returncode == 0 or "No such container" in result.stderr, f"logs of {name}: {result.stderr}")
        numbers = [int(number) for number in re.findall(r"(?:line|row) (\d+)\n", result.stdout)]
        check(len(numbers) == result.stdout.count("\n"), f"logs of {name} hold something else: {result.stdout[-300:]!r}")
        jumps = [(a, b) for a, b in zip(numbers, numbers[1:]) if b != a + 1 and b != 1]
        check(not jumps, f"logs of {name} have gaps: {jumps[:3]}")


def look():
    """After the cut, before anything was repaired: nothing lies, nothing that was promised is missing."""
    project(PROMISES.get("colour", "red"))
    present = containers()
    lying = {name: row["State"] for name, row in present.items() if row["State"] not in ("created", "exited")}
    check(not lying, f"a machine that has just booted runs nothing, but ps says {lying}")
    missing = set(PROMISES.get("containers", [])) - set(present)
    check(LAST in ("down", "recreate") or not missing, f"containers that were there are lost: {missing}")
    names = mc("image", "ls", "--format", "{{.Repository}}").stdout.split()
    check("bb" in names, f"the image is lost: {names}")
    if "image" in PROMISES:
        check("second" in names, f"the second image is lost: {names}")
        mc("run", "--rm", "--network", "none", "second", "true")
    if "row" in PROMISES:
        present_rows = rows()
        check(len(present_rows) >= PROMISES["row"], f"{PROMISES['row']} rows were safe, {len(present_rows)} are left")
    look_at_logs()


def repair():
    """One `up` brings what is wanted; the volume goes on where it was."""
    before = rows()
    mc("up", "-d")
    check(before == rows()[: len(before)], "the volume's rows have changed")
    states = {name: row["State"] for name, row in containers().items()}
    wanted = {f"shop-{name}-1": "running" for name in ("db", "web", "log")}
    check(states == wanted, f"after up: {states}")
    colour = mc("exec", "-T", "web", "env").stdout
    check(f"COLOUR={PROMISES.get('colour', 'red')}\n" in colour, f"the old configuration runs: {colour}")
    again = mc("up", "-d").stderr
    check(again.count("Running") == 3 and "Creat" not in again and "Start" not in again, f"a second up changes something: {again}")


def clear():
    """`down -v` leaves nothing, in the kernel and on the disk."""
    mc("down", "-v")
    mc("image", "rm", "second", code=None)
    check(containers() == {}, "containers are left")
    check(mc("volume", "ls", "-q").stdout == "", "volumes are left")
    deadline = time.monotonic() + 30
    links, mounts = "", ""
    while time.monotonic() < deadline:
        links = subprocess.run(["ip", "-br", "link"], capture_output=True, text=True, check=True).stdout
        mounts = pathlib.Path("/proc/self/mountinfo").read_text()
        if len(links.splitlines()) == 1 and "/var/lib/mycompose/" not in mounts:
            break
        time.sleep(0.5)
    check(len(links.splitlines()) == 1, f"links are left: {links}")
    check("/var/lib/mycompose/" not in mounts, f"mounts are left: {mounts}")
    left = subprocess.run(["find", "/var/lib/mycompose/containers", "-mindepth", "1", "!", "-name", "names", "-ls"], capture_output=True, text=True, check=True).stdout
    check(not left, f"folders of containers are left:\n{left}")


def cut_power():
    print("CUT", flush=True)
    time.sleep(0.05)  # for the word to be out
    pathlib.Path("/proc/sysrq-trigger").write_text("b")


def play(name):
    prepare, scene = SCENES[name]
    project("red")
    if prepare:
        prepare()
    # How long the scene takes here, whatever the machine: a part of an undisturbed `up`, which every scene is about as long as.
    usual = float(os.environ.get("USUAL_SECONDS", "3"))
    # Prepared things are not what is tested: they are safe before the scene begins.
    os.sync()
    timer = threading.Timer(usual * AT, cut_power)
    timer.start()
    scene()
    timer.join()
    time.sleep(60)


def main():
    subprocess.run(["mount", "/dev/vda", "/var/lib/mycompose"], check=True)
    pathlib.Path("/proc/sys/kernel/sysrq").write_text("1")
    make_tar()
    if LAST:
        try:
            look()
            repair()
            clear()
            print(f"SCENE {LAST} PASSED", flush=True)
        except (Wrong, subprocess.TimeoutExpired, OSError, ValueError) as why:
            print(f"SCENE {LAST} FAILED: {why}", flush=True)
            return 1
    else:
        project("red")
        mc("import", "/srv/bb.tar", "bb", "--change", 'CMD ["sh"]')
        began = time.monotonic()
        mc("up", "-d")
        print(f"USUAL {time.monotonic() - began:.2f}", flush=True)
        mc("down", "-v")
    if NEXT:
        play(NEXT)
    subprocess.run(["umount", "/var/lib/mycompose"], check=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
