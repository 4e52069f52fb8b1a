# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad input and faults: one clear line, exit code not 0, nothing half-made left behind, and `down` cleans up whatever is there."""

import os
import pathlib
import signal
import time

import pytest

from testhost import BINARY, HOST_ADDRESS, wait_until

WITHOUT = pathlib.Path(__file__).with_name("without.py")
STATE = "/var/lib/mycompose"

ONE = """
services:
  s:
    image: bb
    command: [sleep, "1000"]
    stop_signal: SIGKILL
"""

# All that a project can have.
WHOLE = """
services:
  a: {image: bb, command: [sleep, "1000"], stop_signal: SIGKILL, ports: ["8080:80", "8081:81/udp"], networks: [one, two], volumes: ["data:/v", "/anonymous"], mem_limit: 64m}
  b: {image: bb, command: [sleep, "1000"], stop_signal: SIGKILL, networks: [two], depends_on: [a], init: true, read_only: true, tmpfs: [/tmp]}
  c: {image: bb, command: [sleep, "1000"], stop_signal: SIGKILL, network_mode: none, tty: true}
networks: {one: {}, two: {internal: true}}
volumes: {data: {}}
"""


def only_line(result):
    """The one line of an error, progress aside."""
    lines = [line for line in result.err.splitlines() if not line.startswith(" ")]
    assert len(lines) == 1, repr(result)
    return lines[0]


def place(text, needle, name="compose.yaml"):
    """FILE:LINE:COL of the first character of needle in a Compose file."""
    before = text[: text.index(needle)]
    return f"{name}:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}: "


def nothing_made(host):
    assert host.mc("container", "ls", "-aq").ok().out == ""
    assert host.mc("network", "ls", "-q", "--filter", "driver=bridge", "--filter", "label=com.docker.compose.project").ok().out == ""
    return True


def mycompose_pids(host):
    return host.sh("pgrep -x mycompose").out.split()


def kill_all(host):
    pids = mycompose_pids(host)
    if pids:
        host.sh("kill -9 " + " ".join(pids))
        wait_until(lambda: not set(pids) & set(mycompose_pids(host)), what="the end of what was killed")


# refused before anything is touched


@pytest.mark.parametrize(
    "text, needle, said",
    [
        ("services:\n  s: {image: missing}\n", "missing}", "No such image: missing"),
        (ONE + "    foo: bar\n", "foo", "foo"),
        (ONE.replace("image", "imgae"), "imgae", "imgae"),
        (ONE + "    mem_limit: lots\n", "lots", "mem_limit"),
        (ONE + "    depends_on: [zz]\n", "zz", 'depends on undefined service "zz"'),
        (ONE + "    networks: [q]\n", "q]", "undefined network q"),
        (ONE + "    volumes: ['v:/v']\n", "'v:/v'", "undefined volume"),
        (ONE + "    ports: ['70000:80']\n", "'70000:80'", "70000"),
        (ONE + "    environment: [A=1, '=x']\n", "'=x'", ""),
        (ONE + "    cap_add: [SYS_ADMN]\n", "[SYS_ADMN]", "SYS_ADMN"),
        (ONE + "    volumes: [{type: bind, source: ./missing, target: /v}]\n", "{type", "missing"),
        (ONE + "    networks: [n]\nnetworks: {n: {external: true}}\n", "n: {external", "n declared as external"),
        (ONE + "    volumes: ['v:/v']\nvolumes: {v: {external: true}}\n", "v: {external", "external volume"),
        (ONE + "    image: twice\n", "image: twice", "image"),
        (ONE + "    ports: ['8080:80', '8080:81']\n", "'8080:81'", "8080"),
        (ONE + "    ports: ['127.0.0.1:8080:80', '8080:81']\n", "'8080:81'", "8080"),
    ],
)
def test_an_error_of_the_file_is_told_with_its_place(clean, text, needle, said):
    clean.compose(text)
    result = clean.mc("up", "-d").fails(1)
    line = only_line(result)
    assert place(text, needle) in line and said in line, line
    assert result.out == "" and nothing_made(clean)


def test_every_missing_image_is_told_at_once(clean):
    text = "services:\n  a: {image: one}\n  b: {image: bb}\n  c: {image: two}\n"
    clean.compose(text)
    result = clean.mc("up", "-d").fails(1)
    assert result.err.splitlines() == [
        place(text, "one}") + "services.a.image: No such image: one:latest",
        place(text, "two}") + "services.c.image: No such image: two:latest",
    ]
    assert nothing_made(clean)


@pytest.mark.parametrize(
    "text, at",
    [
        ("services:\n  s: {image: bb\n", "compose.yaml:3:1"),
        ("services:\n\ts: {image: bb}\n", "compose.yaml:2:1"),
        ("services: [\n" * 200, "compose.yaml:"),
        ("services: {s: {image: '${X:?must be set}'}}\n", "compose.yaml:1:"),
        ("a: &a [*a]\nservices: {s: {image: bb, command: *a}}\n", "compose.yaml:1:"),
        ("services: {s: {image: bb, depends_on: [t]}, t: {image: bb, depends_on: [s]}}\n", "compose.yaml:1:"),
        ("", "compose.yaml"),
        ("just text\n", "compose.yaml:1:1"),
        ("services: {}\nfoo: 1\n", "compose.yaml:2:1"),
    ],
)
def test_a_malformed_file_is_refused_with_its_place(clean, text, at):
    clean.compose(text)
    assert at in only_line(clean.mc("up", "-d").fails(1))


def test_a_missing_file_is_named(clean):
    assert "open missing.yaml: no such file or directory" in only_line(clean.mc("-f", "missing.yaml", "up", "-d").fails(1)).lower().replace(str(clean.directory) + "/", "")
    assert only_line(clean.mc("up", "-d").fails(1)) == "no configuration file provided: not found"


def test_a_fifo_as_file_does_not_hang(clean):
    clean.sh("mkfifo compose.yaml").ok()
    assert "compose.yaml" in only_line(clean.mc("up", "-d", timeout=10).fails(1))


@pytest.mark.parametrize("words", [["up", "--nonsense"], ["up", "-d", "nobody"], ["up", "-t", "x"], ["--progress", "x", "up"], ["-p", "BAD NAME", "up"]])
def test_wrong_use_is_told_in_one_line(clean, words):
    clean.compose(ONE)
    only_line(clean.mc(*words).fails(1))
    assert nothing_made(clean)


# ports


def listener(host, address, port, kind="STREAM"):
    """A process of the host that holds the port; what ends it."""
    script = f"import socket, os; s = socket.socket(socket.AF_INET, socket.SOCK_{kind}); s.bind(('{address}', {port})); {'s.listen();' if kind == 'STREAM' else ''} print(os.getpid(), flush=True); input()"
    process = host.start("python3", "-c", script, stdin=-1)
    pid = process.stdout.readline().strip()

    def end():
        process.communicate("\n", timeout=10)

    return pid, end


@pytest.mark.parametrize("kind, port", [("STREAM", "8080:80"), ("DGRAM", "8080:80/udp"), ("STREAM", "127.0.0.1:8080:80")])
def test_row_12_15_a_port_in_use_is_told_with_its_holder(clean, kind, port):
    pid, end = listener(clean, "0.0.0.0", 8080, kind)
    text = ONE + f"    ports: ['{port}']\n"
    clean.compose(text)
    line = only_line(clean.mc("up", "-d").fails(1))
    assert place(text, f"'{port}'") in line and "8080" in line and "python3" in line and pid in line, line
    assert nothing_made(clean)
    end()
    clean.mc("up", "-d").ok()
    clean.mc("down").ok()


def test_row_12_15_a_port_of_another_project_is_told_with_the_container(clean):
    clean.compose(ONE + "    ports: ['8080:80']\n")
    clean.mc("-p", "first", "-f", "compose.yaml", "up", "-d").ok()
    line = only_line(clean.mc("-p", "second", "-f", "compose.yaml", "up", "-d").fails(1))
    assert "8080" in line and "first-s-1" in line
    clean.mc("-p", "second", "-f", "compose.yaml", "down").ok()
    clean.mc("-p", "first", "-f", "compose.yaml", "down").ok()


@pytest.mark.parametrize("scale", ["in the file", "with --scale", "while one runs", "while one is to be recreated"])
def test_row_12_15_replicas_that_cannot_share_a_port_are_refused_before_anything_is_made(clean, scale):
    text = ONE + "    ports: ['8080:80']\n"
    clean.compose(text)
    if scale.startswith("while"):
        clean.mc("up", "-d").ok()
    if scale == "while one is to be recreated":
        clean.compose(text + "    environment: {A: b}\n")
    if scale == "in the file":
        clean.compose(text + "    scale: 2\n")
    running = [row["ID"] for row in clean.ps()]
    line = only_line(clean.mc("up", "-d", *([] if scale == "in the file" else ["--scale", "s=2"])).fails(1))
    assert place(text, "'8080:80'") in line and "port 8080/tcp" in line and "port is already allocated" in line, line
    assert [row["ID"] for row in clean.ps()] == running
    assert running or nothing_made(clean)
    clean.mc("down").ok()


def test_row_12_15_ports_of_a_service_on_the_hosts_network_are_nobodys(clean):
    _, end = listener(clean, "0.0.0.0", 8080)
    clean.compose(ONE + "    network_mode: host\n    ports: ['8080:80']\n")
    clean.mc("up", "-d", "--scale", "s=2").ok()
    assert len(clean.ps()) == 2
    clean.mc("down").ok()
    end()


def test_row_12_15_replicas_that_publish_any_free_port_come_up(clean):
    clean.compose(ONE + "    ports: ['80']\n")
    clean.mc("up", "-d", "--scale", "s=2").ok()
    assert len({row["Publishers"][0]["PublishedPort"] for row in clean.ps()}) == 2
    clean.mc("down").ok()


def test_row_12_15_a_held_port_refuses_an_ad_hoc_run(clean):
    pid, end = listener(clean, "0.0.0.0", 8080)
    result = clean.mc("run", "-d", "--name", "c", "-p", "8080:80", "bb", "sleep", "1000").fails(125)
    assert "8080" in result.err and pid in result.err
    end()
    clean.mc("rm", "-f", "c")


# what the host lacks


def as_user(host, *words, input=None):
    return host.run("setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "env", "-C", "/", *words, input=input)


@pytest.mark.parametrize("words", [["up", "-d"], ["down"], ["stop"]])
def test_without_root_it_says_so(clean, words):
    line = only_line(as_user(clean, BINARY, "-p", "x", "-f", "-", *words, input=ONE).fails(1))
    assert "root" in line


def test_config_needs_no_root(clean):
    assert "image: bb" in as_user(clean, BINARY, "-p", "x", "-f", "-", "config", input=ONE).ok().out


def test_row_15_5_a_kernel_without_overlay(clean):
    clean.compose(ONE)
    line = only_line(clean.run("python3", WITHOUT, "overlay", BINARY, "up", "-d").fails(1))
    assert "overlay" in line and '"s"' in line
    clean.mc("down").ok()


@pytest.mark.parametrize("verb", [["up", "-d"], ["up"]])
def test_row_15_5_a_kernel_without_any_firewall(clean, verb):
    clean.compose(ONE + "    ports: ['8080:80']\n")
    line = only_line(clean.run("python3", WITHOUT, "iptables,nft", BINARY, *verb).fails(1))
    assert "iptables" in line and "nftables" in line
    clean.mc("down").ok()


def test_a_kernel_without_iptables_gets_the_same_rules_through_nftables(clean):
    clean.compose(ONE + "    ports: ['8080:80']\n")
    clean.run("python3", WITHOUT, "iptables", BINARY, "up", "-d").ok()
    assert "8080" in clean.sh("nft list table ip mycompose").ok().out
    clean.run("python3", WITHOUT, "iptables", BINARY, "down").ok()


def test_without_a_firewall_down_still_cleans_up(clean):
    clean.compose(ONE)
    clean.run("python3", WITHOUT, "iptables,nft", BINARY, "up", "-d")
    clean.mc("down").ok()


def test_no_network_needs_no_firewall(clean):
    clean.compose(ONE + "    network_mode: none\n")
    clean.run("python3", WITHOUT, "iptables,nft", BINARY, "up", "-d").ok()
    clean.run("python3", WITHOUT, "iptables,nft", BINARY, "down").ok()


# a failed start


@pytest.mark.parametrize(
    "more, said",
    [
        ("command: [nonsense]", "nonsense"),
        ("command: [/etc/passwd]", "permission denied"),
        ("user: nobody-at-all", "nobody-at-all"),
        ("working_dir: /etc/passwd", "/etc/passwd"),
        ("volumes: ['./compose.yaml:/etc']", "/etc"),
    ],
)
def test_a_failed_start_names_the_service_and_down_cleans_up(clean, more, said):
    good = "  good: {image: bb, command: [sleep, '1000'], stop_signal: SIGKILL}\n"
    bad = f"  bad: {{image: bb, command: [sleep, '1000'], depends_on: [good], {more}}}\n"
    if more.startswith("command"):
        bad = f"  bad: {{image: bb, depends_on: [good], {more}}}\n"
    clean.compose("services:\n" + good + bad)
    line = only_line(clean.mc("up", "-d").fails(1))
    assert "bad" in line and said in line.lower() + line
    assert {row["Service"]: row["State"] for row in clean.ps()} == {"good": "running", "bad": "created"}
    clean.mc("down").ok()


def test_a_failed_up_is_repaired_by_the_next(clean):
    clean.compose(ONE.replace("sleep", "nonsense"))
    clean.mc("up", "-d").fails(1)
    clean.compose(ONE)
    clean.mc("up", "-d").ok()
    assert [row["State"] for row in clean.ps()] == ["running"]
    clean.mc("down").ok()


# disk full


@pytest.fixture
def small(clean, busybox_tar):
    """A data root of 12 MiB that holds the image; (host, fill, empty)."""
    clean.sh("mkdir /run/small && mount -t tmpfs -o size=12m,mode=700 small /run/small").ok()
    env = {"MYCOMPOSE_ROOT": "/run/small", "MYCOMPOSE_RUN": "/run/small-run"}
    clean.env.update(env)
    clean.mc("import", busybox_tar, "bb").ok()

    def fill():
        clean.sh("dd if=/dev/zero of=/run/small/filler bs=4k 2>/dev/null; true").ok()

    def empty():
        clean.sh("rm /run/small/filler").ok()

    yield clean, fill, empty
    for key in env:
        del clean.env[key]
    clean.sh("umount /run/small && rmdir /run/small && rm -rf /run/small-run").ok()


def test_row_13_6_up_on_a_full_disk(small):
    host, fill, empty = small
    host.compose(WHOLE)
    fill()
    assert "No space left on device" in only_line(host.mc("up", "-d").fails(1))
    empty()
    host.mc("down", "-v").ok()


def test_row_13_6_down_on_a_full_disk(small):
    host, fill, _ = small
    host.compose(WHOLE)
    host.mc("up", "-d").ok()
    fill()
    host.mc("down", "-v").ok()


def test_row_13_6_an_import_on_a_full_disk_leaves_nothing(small):
    host, fill, empty = small
    before = host.sh("find /run/small ! -name filler | sort").out
    fill()
    host.sh("head -c 3000000 /dev/urandom > big && tar cf other.tar big").ok()
    assert "no space left" in only_line(host.mc("import", "other.tar", "other").fails(1)).lower()
    empty()
    assert host.sh("find /run/small ! -name filler | sort").out == before


def test_row_13_6_a_log_that_cannot_grow_does_not_stop_the_container(small):
    host, fill, empty = small
    host.compose(ONE.replace('[sleep, "1000"]', '[sh, -c, "i=0; while :; do echo line $$i; i=$$((i+1)); sleep 0.01; done"]'))
    host.mc("up", "-d").ok()
    wait_until(lambda: "line 3" in host.mc("logs").out, what="the first lines")
    fill()
    before = host.inside(host.ps()[0]["Name"], "sh", "-c", "sleep 0.3; echo alive").ok()
    assert before.out == "alive\n"
    empty()
    last = host.mc("logs", "--no-log-prefix", "-n", "1").ok().out
    wait_until(lambda: host.mc("logs", "--no-log-prefix", "-n", "1").ok().out != last, what="the log to go on")
    host.mc("down").ok()


# killed in the middle


INSTANTS = 12


def duration_of(host, *words):
    began = time.monotonic()
    host.mc(*words).ok()
    return time.monotonic() - began


@pytest.mark.parametrize("verb", [["up", "-d"], ["up"]], ids=["detached", "foreground"])
@pytest.mark.parametrize("whole", [True, False], ids=["all", "up-alone"])
def test_row_13_1_up_killed_at_any_instant_is_cleaned_up_by_down(clean, verb, whole):
    """All of its processes, or the command alone, whose half-made containers then find themselves orphans."""
    clean.compose(WHOLE)
    length = duration_of(clean, "up", "-d")
    clean.mc("down", "-v").ok()
    before = clean.snapshot()
    for instant in range(INSTANTS):
        process = clean.start("sh", "-c", 'echo $$; exec "$@"', "sh", BINARY, *verb)
        pid = process.stdout.readline().strip()
        time.sleep(length * 1.2 * instant / INSTANTS)
        clean.sh(f"kill -9 {pid}")
        if whole:
            kill_all(clean)
        clean.mc("down", "-v").ok()
        process.communicate(timeout=20)
        settled(clean, before, f"killed at {instant}/{INSTANTS} of {length:.3f} s")


def settled(host, before, when):
    deadline = time.monotonic() + 5
    while (after := host.snapshot()) != before and time.monotonic() < deadline:
        time.sleep(0.1)
    for what in before:
        assert after[what] == before[what], f"{what} left behind, {when}"


@pytest.mark.parametrize("verb", ["down", "up"])
def test_row_13_1_a_command_killed_on_a_running_project(clean, verb):
    """down, or an up that recreates everything; the next up has to repair it and the next down to clean up."""
    clean.compose(WHOLE)
    before = clean.snapshot()
    for instant in range(INSTANTS):
        clean.compose(WHOLE)
        clean.mc("up", "-d").ok()
        clean.compose(WHOLE.replace("init: true", f"environment: {{N: '{instant}'}}").replace("mem_limit: 64m", "mem_limit: 65m"))
        words = ["down", "-v"] if verb == "down" else ["up", "-d"]
        process = clean.start("sh", "-c", 'echo $$; exec "$@"', "sh", BINARY, *words)
        process.stdout.readline()
        time.sleep(0.25 * instant / INSTANTS)
        kill_all(clean)
        process.communicate(timeout=20)
        if instant % 2:
            clean.mc("up", "-d").ok()
            assert sorted((row["Service"], row["State"]) for row in clean.ps()) == [("a", "running"), ("b", "running"), ("c", "running")]
            assert all("_" not in row["Name"].split("-")[0][:13] or len(row["Name"].split("_")[0]) != 12 for row in clean.ps())
        clean.mc("down", "-v").ok()
        settled(clean, before, f"killed at {instant}")


def test_row_13_1_what_a_killed_supervisor_of_a_single_container_left_is_swept(clean):
    clean.daemon("gone", "sleep", "1000")
    kept = clean.daemon("kept", "sleep", "1000")
    kill_all(clean)
    clean.mc("rm", "-f", "gone").ok()
    clean.compose(ONE)
    clean.mc("down").ok()
    assert clean.sh("ls /run/mycompose/groups").ok().out == f"_{kept[:12]}\n"
    clean.mc("rm", "-f", "kept").ok()
    clean.mc("down").ok()


def test_row_13_1_stop_signal_during_up_leaves_what_down_removes(clean):
    clean.compose(WHOLE)
    for delay in (0.01, 0.05, 0.1):
        process = clean.start("sh", "-c", 'echo $$; exec "$@"', "sh", BINARY, "up", "-d")
        pid = process.stdout.readline().strip()
        time.sleep(delay)
        clean.sh(f"kill -INT {pid}")
        process.communicate(timeout=30)
        # The kernel's own end by SIGINT is what meets a program that has not come to its handler yet.
        assert process.returncode in (0, 130, -signal.SIGINT)
        clean.mc("down", "-v").ok()


# several at once


def test_row_13_7_two_ups_at_once_make_one_project(clean):
    clean.compose(WHOLE)
    running = [clean.start(BINARY, "up", "-d") for _ in range(3)]
    for process in running:
        err = process.communicate(timeout=60)[1]
        assert process.returncode == 0, err
    assert sorted(row["Service"] for row in clean.ps()) == ["a", "b", "c"]
    assert len(mycompose_pids(clean)) == 1
    clean.mc("down", "-v").ok()


def test_row_13_7_projects_come_and_go_at_once(clean):
    clean.compose(ONE)
    script = f'for i in 1 2 3; do {BINARY} -p "$1" -f compose.yaml up -d && {BINARY} -p "$1" -f compose.yaml down || exit 1; done'
    running = [clean.start("sh", "-c", script, "sh", f"p{i}") for i in range(5)]
    for process in running:
        err = process.communicate(timeout=90)[1]
        assert process.returncode == 0, err


def test_row_13_7_up_and_down_at_once_end_in_one_of_both(clean):
    clean.compose(WHOLE)
    for _ in range(3):
        running = [clean.start(BINARY, "up", "-d"), clean.start(BINARY, "down", "-v")]
        for process in running:
            err = process.communicate(timeout=60)[1]
            assert process.returncode == 0, err
        assert len(clean.ps()) in (0, 3)
    clean.mc("down", "-v").ok()


# what others do to a running project


@pytest.fixture
def running(clean):
    clean.compose(WHOLE)
    clean.mc("up", "-d").ok()
    yield clean
    clean.mc("down", "-v").ok()


def states(host):
    return {row["Service"]: row["State"] for row in host.ps()}


def test_processes_killed_by_hand_are_seen_and_started_again(running):
    for name in running.sh("ls /sys/fs/cgroup/pids/mycompose 2>/dev/null || ls /sys/fs/cgroup/mycompose").out.split():
        running.sh(f"kill -9 $(cat /sys/fs/cgroup/pids/mycompose/{name}/cgroup.procs /sys/fs/cgroup/mycompose/{name}/cgroup.procs 2>/dev/null)")
    wait_until(lambda: set(states(running).values()) == {"exited"}, what="all ends")
    assert {row["ExitCode"] for row in running.ps()} == {137}
    running.mc("up", "-d").ok()
    assert set(states(running).values()) == {"running"}


def test_cgroups_removed_by_hand_are_made_again(running):
    running.mc("stop").ok()
    running.sh("find /sys/fs/cgroup -path '*/mycompose/*' -type d -depth -exec rmdir {} + ; find /sys/fs/cgroup -name mycompose -type d -depth -exec rmdir {} +")
    running.mc("up", "-d").ok()
    assert set(states(running).values()) == {"running"}


def test_a_deleted_veth_is_no_obstacle_for_down(running):
    running.sh("for l in $(ip -o link show type veth | grep -o 'mv[0-9a-f]*'); do ip link del $l; done").ok()


def test_deleted_bridges_are_no_obstacle_for_down(running):
    running.sh("for l in $(ip -o link show type bridge | cut -d: -f2); do ip link del $l; done").ok()


def test_a_flushed_firewall_is_no_obstacle_for_down(running):
    running.sh("iptables-legacy -F; iptables-legacy -t nat -F; iptables-legacy -X; iptables-legacy -t nat -X").ok()


def test_a_stopped_supervisor_does_not_hang_for_ever(running):
    """SIGSTOP: it neither answers nor ends. What must be said within a bounded time is that."""
    (pid,) = mycompose_pids(running)
    running.sh(f"kill -STOP {pid}").ok()
    try:
        assert running.mc("ps", timeout=20).ok().out.count("Up") == 3
    finally:
        running.sh(f"kill -CONT {pid}").ok()


@pytest.mark.parametrize("damage", ["truncate -s 10 state.json", ": > state.json", "echo '{\"version\":99}' > state.json", "rm -f state.json"])
def test_row_13_5_a_bad_state_file_is_reported_and_not_fatal_for_others(running, damage):
    name = next(row["Name"] for row in running.ps() if row["Service"] == "c")
    directory = f"{STATE}/containers/{running.state(name)['ID']}"
    running.mc("stop", "c").ok()
    running.sh(f"cp {directory}/state.json /run/kept; cd {directory} && {damage}").ok()
    result = running.mc("ps", "--format", "json")
    assert result.out.count('"State":"running"') == 2, repr(result)
    running.mc("exec", "-T", "a", "true").ok()
    running.sh(f"mv /run/kept {directory}/state.json").ok()


def test_row_13_4_after_a_reboot_up_starts_everything_again(clean):
    clean.compose(WHOLE)
    clean.mc("up", "-d").ok()
    before = {row["Service"]: row["ID"] for row in clean.ps()}
    pids = clean.sh("pgrep -x 'sleep|mycompose'").out.split()
    clean.sh("kill -9 " + " ".join(pids)).ok()
    wait_until(lambda: not clean.sh("pgrep -x 'sleep|mycompose'").out, what="the end of all")
    clean.sh("umount -R /run/mycompose/* 2>/dev/null; rm -rf /run/mycompose; for l in $(ip -o link show type bridge | cut -d: -f2); do ip link del $l; done")
    clean.sh("iptables-legacy -F; iptables-legacy -t nat -F; iptables-legacy -X; iptables-legacy -t nat -X").ok()
    clean.sh("echo 00000000-0000-4000-8000-000000000000 > /tmp/boot_id; mount --bind /tmp/boot_id /proc/sys/kernel/random/boot_id").ok()
    assert set(states(clean).values()) == {"exited"}
    clean.mc("up", "-d").ok()
    assert set(states(clean).values()) == {"running"}
    assert {row["Service"]: row["ID"] for row in clean.ps()} == before
    clean.mc("down", "-v").ok()
    clean.sh("umount /proc/sys/kernel/random/boot_id; rm /tmp/boot_id").ok()


def test_row_13_9_a_fork_bomb_is_removed(clean):
    clean.compose("services: {s: {image: bb, command: [probe, fork-bomb, '0'], pids_limit: 100}}")
    clean.mc("up", "-d").ok()
    time.sleep(0.3)
    began = time.monotonic()
    clean.mc("down", "-t", "0").ok()
    assert time.monotonic() - began < 15


def test_row_13_8_cycles_leave_nothing(clean):
    clean.compose(WHOLE)
    for _ in range(4):
        clean.mc("up", "-d").ok()
        clean.mc("down", "-v").ok()


def test_files_of_the_host_are_untouched(clean):
    """A name that is a path, a project whose folders are links: nothing outside the store is removed."""
    canary = clean.file("canary/file", "original\n")
    clean.compose(ONE + f"    volumes: ['./canary:/v', '{clean.directory}:/w']\n")
    clean.mc("up", "-d").ok()
    clean.mc("down", "-v").ok()
    assert canary.read_text() == "original\n"
    for name in ("../x", "/etc", ".", ""):
        clean.mc("rm", "-f", name)
        clean.mc("volume", "rm", name).fails()
        clean.mc("network", "rm", name).fails()
    assert canary.read_text() == "original\n" and os.path.exists("/etc/passwd")
