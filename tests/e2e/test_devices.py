# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices of the host that a container was given, and nothing beside them."""

import os

import pytest

V2 = not os.path.isdir("/sys/fs/cgroup/memory")

STAT = ("stat", "-c", "%F %t:%T %a %u:%g")
READ = "head -c 1 {} | wc -c"


def test_row_4_1_a_device_is_there_as_on_the_host_and_can_be_used(bb):
    host = bb.run("stat", "-c", "%t:%T %a %u:%g", "/dev/fuse").ok().out
    assert bb.once(*STAT, "/dev/fuse", flags="--device /dev/fuse").ok().out == "character special file " + host
    assert bb.once("sh", "-c", ": <> /dev/fuse && echo opened", flags="--device /dev/fuse").ok().out == "opened\n"


def test_without_the_device_neither_node_nor_right(bb):
    script = "ls /dev/fuse; mknod /tmp/fuse c 10 229 && echo made; : <> /tmp/fuse"
    result = bb.once("sh", "-c", script).fails()
    assert "/dev/fuse: No such file" in result.err and result.out == "made\n" and "Operation not permitted" in result.err


@pytest.mark.parametrize("access, opened", [("r", "r\n"), ("w", "w\n"), ("rw", "r\nw\n"), ("m", "")])
def test_row_4_1_the_permissions_are_those_that_were_given(bb, access, opened):
    # /dev/hwrng and the like may lack hardware behind them; a loop device can always be opened.
    script = "(: < /dev/disk) 2>&- && echo r; (: >> /dev/disk) 2>&- && echo w; true"
    assert bb.once("sh", "-c", script, flags=f"--device /dev/loop0:/dev/disk:{access}").ok().out == opened


def test_the_short_forms_of_docker(bb):
    for text, path in (("/dev/loop0:/dev/a/b", "/dev/a/b"), ("/dev/loop0:r", "/dev/loop0"), ("/dev/loop0:/opt/x:r", "/opt/x")):
        assert bb.once(*STAT, path, flags=f"--device {text}").ok().out.startswith("block special file 7:0")


def test_a_link_is_followed(bb):
    bb.sh("ln -s /dev/loop0 /run/link").ok()
    assert bb.once(*STAT, "/dev/link", flags="--device /run/link:/dev/link").ok().out.startswith("block special file 7:0")


def test_a_directory_stands_for_all_devices_below_it(bb):
    bb.sh("mkdir -p /run/nodes/deep && mknod /run/nodes/one c 1 3 && mknod /run/nodes/deep/two b 7 1 && touch /run/nodes/plain").ok()
    result = bb.once("sh", "-c", "cd /dev/given; find . | sort; head -c 1 < /dev/given/deep/two | wc -c", flags="--device /run/nodes:/dev/given").ok()
    assert result.out.split() == [".", "./deep", "./deep/two", "./one", "0"]


@pytest.mark.parametrize(
    "device, message",
    [
        ("/etc/hostname", "not a device node"),
        ("/dev/there-is-none", "no such file or directory"),
        ("/dev/shm", "not a device node"),
        ("dev/null", "absolute"),
        ("/dev/null:x", "invalid device mode"),
        ("/dev/null:/dev/x:rwx", "invalid device mode"),
        ("/dev/null:/dev/x:r:w", "invalid device"),
        ("vendor.com/gpu=all", "CDI"),
    ],
)
def test_row_4_4_what_is_no_device_is_refused_and_nothing_is_left(clean, device, message):
    assert message in clean.once("true", flags=f"--device {device}").fails(125).err.splitlines()[0]


def test_row_4_4_in_a_file_with_its_place(clean):
    clean.compose("services:\n  a:\n    image: bb\n    devices:\n      - /dev/null:/dev/x\n      - /etc/hostname:/dev/y\n")
    result = clean.mc("up", "-d").fails()
    assert "compose.yaml:6:9: services.a.devices" in result.err and "not a device node" in result.err


def test_rules_of_a_file_open_what_they_name(bb):
    script = "mknod /tmp/disk b 7 2; (: < /tmp/disk) 2>&- && echo read; (: >> /tmp/disk) 2>&- && echo written; true"
    assert bb.once("sh", "-c", script).ok().out == ""
    assert bb.once("sh", "-c", script, flags="--device-cgroup-rule 'b 7:* r'").ok().out == "read\n"
    assert bb.once("sh", "-c", script, flags="--device-cgroup-rule 'b 7:2 rwm'").ok().out == "read\nwritten\n"
    assert bb.once("sh", "-c", script, flags="--device-cgroup-rule 'a *:* rw'").ok().out == "read\nwritten\n"


@pytest.mark.parametrize("rule", ["c", "c 1:3", "c 1:3 x", "d 1:3 r", "c 1 r", "c 1:3:4 r", "b 8:0 rwmx"])
def test_row_4_4_a_bad_rule_is_refused(clean, rule):
    assert "invalid device cgroup format" in clean.once("true", flags=f"--device-cgroup-rule '{rule}'").fails(125).err


@pytest.mark.skipif(V2, reason="v2 has no list: what can be opened is tested above")
def test_row_4_2_the_list_of_the_cgroup_is_the_wanted_one(bb):
    bb.daemon("c", "sleep", "1000", flags="--device /dev/loop0:r --device-cgroup-rule 'c 189:* rmw'")
    lines = set(bb.sh("cat /sys/fs/cgroup/devices/mycompose/*/devices.list").ok().out.splitlines())
    assert lines == {
        "c *:* m", "b *:* m", "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm", "c 1:9 rwm",
        "c 5:0 rwm", "c 5:1 rwm", "c 5:2 rwm", "c 136:* rwm", "b 7:0 r", "c 189:* rwm",
    }


def test_devices_and_rules_of_a_compose_file(bb):
    bb.compose(
        """
services:
  a:
    image: bb
    command: [sleep, "1000"]
    stop_signal: SIGKILL
    devices:
      - /dev/loop0:/dev/short:r
      - {source: /dev/loop1, target: /dev/long, permissions: rw}
    device_cgroup_rules: ["b 7:2 r"]
"""
    )
    bb.mc("up", "-d").ok()
    script = "mknod /tmp/d b 7 2; for f in /dev/short /dev/long /tmp/d; do (: < $f) 2>&- && echo $f r; (: >> $f) 2>&- && echo $f w; done; true"
    assert bb.inside("a", "sh", "-c", script).ok().out.splitlines() == ["/dev/short r", "/dev/long r", "/dev/long w", "/tmp/d r"]
    assert "Running" in bb.mc("up", "-d").ok().err
    bb.mc("down").ok()


def test_the_numbers_are_those_of_the_start_not_of_the_creation(bb):
    bb.sh("mknod /run/node b 7 0").ok()
    bb.daemon("c", "sleep", "1000", flags="--stop-signal KILL --device /run/node:/opt/node:r")
    bb.mc("stop", "c").ok()
    bb.sh("rm /run/node && mknod /run/node b 7 1").ok()
    bb.mc("start", "c").ok()
    assert bb.inside("c", "sh", "-c", "stat -c %t:%T /opt/node; : < /opt/node && echo read").ok().out == "7:1\nread\n"
    bb.mc("stop", "c").ok()
    bb.sh("rm /run/node").ok()
    assert "/run/node" in bb.mc("start", "c").fails().err


def test_a_privileged_container_has_all_and_what_it_was_given(bb):
    script = "ls -d /dev/loop0 /dev/mine; : < /dev/loop1 && echo opened"
    assert bb.once("sh", "-c", script, flags="--privileged --device /dev/loop0:/dev/mine").ok().out == "/dev/loop0\n/dev/mine\nopened\n"


def test_a_user_who_is_not_root_needs_the_group_of_the_device(bb):
    bb.sh("mknod -m 660 /run/node b 7 0 && chgrp 2345 /run/node").ok()
    flags = "--device /run/node:/dev/node:r --user 1000"
    bb.once("sh", "-c", ": < /dev/node", flags=flags).fails()
    bb.once("sh", "-c", ": < /dev/node", flags=flags + " --group-add 2345").ok()


WITH_GPU = """
mkdir -p /run/dev && mount -t tmpfs dev /run/dev && cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /dev/ptmx /run/dev/
mkdir -p /run/dev/pts /run/dev/shm && mknod /run/dev/nvidiactl c 195 255 && mknod /run/dev/nvidia0 c 195 0 && mknod /run/dev/nvidia1 c 195 1
mount --move /run/dev /dev
"""


def test_gpus_without_such_a_device_are_refused_with_a_reason(clean):
    assert 'could not select device driver "" with capabilities: [[gpu]]' in clean.once("true", flags="--gpus all").fails(125).err
    clean.compose(
        "services:\n  a:\n    image: bb\n    deploy:\n      resources:\n        reservations:\n"
        "          devices:\n            - {driver: nvidia, count: 1, capabilities: [gpu]}\n"
    )
    result = clean.mc("up", "-d").fails()
    assert "compose.yaml:8:15: services.a.deploy.resources.reservations.devices" in result.err and "/dev/nvidiactl" in result.err


@pytest.mark.parametrize(
    "gpus, nodes",
    [("all", "nvidia0 nvidia1 nvidiactl"), ("1", "nvidia0 nvidiactl"), ("device=1", "nvidia1 nvidiactl"), ('\\"device=0,1\\"', "nvidia0 nvidia1 nvidiactl")],
)
def test_gpus_get_the_nodes_that_the_host_has(bb, gpus, nodes):
    bb.sh(WITH_GPU).ok()
    assert bb.once("sh", "-c", "cd /dev; echo nvidia*", flags=f"--gpus {gpus}").ok().out == nodes + "\n"
    for wrong in ("3", "device=5", "device=x", "driver=amd"):
        bb.once("true", flags=f"--gpus {wrong}").fails(125)
