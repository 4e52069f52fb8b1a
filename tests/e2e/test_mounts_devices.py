# SPDX-License-Identifier: GPL-2.0-or-later
"""Volumes whose options put them elsewhere: driver_opts type, o, device."""

import shutil

import pytest

STACK = """
services:
  one:
    image: bb
    command: sleep 1000
    network_mode: none
    stop_grace_period: 0s
    volumes: [data:/d]
  two:
    image: bb
    command: sleep 1000
    network_mode: none
    stop_grace_period: 0s
    volumes: ["data:/d:ro"]
volumes:
  data:
    driver_opts: {OPTIONS}
"""


@pytest.fixture
def stack(clean):
    def up(options, *words, text=STACK, **arguments):
        clean.compose(text.replace("OPTIONS", options))
        return clean.mc("up", "-d", *words, **arguments)

    clean.up = up
    clean.sh("mkdir -p /tmp/device && echo hello > /tmp/device/file").ok()
    yield clean
    clean.mc("down", "-v", "-t", "0").ok()
    clean.sh("rm -r /tmp/device")


def inside(host, service, script):
    return host.mc("exec", service, "sh", "-c", script)


def line(host, service):
    return inside(host, service, "grep ' /d ' /proc/self/mountinfo").ok().out


def test_a_bound_volume_is_the_folder(stack):
    stack.up("type: none, o: bind, device: /tmp/device").ok()
    inside(stack, "one", "cat /d/file && echo x > /d/new").ok()
    assert inside(stack, "two", "cat /d/new; echo x > /d/other").fails(1).out == "x\n"
    stack.mc("down", "-v", "-t", "0").ok()
    assert sorted(stack.sh("ls /tmp/device").out.split()) == ["file", "new"]
    assert stack.sh("ls /var/lib/mycompose/volumes").out == ""


def test_row_13_10_removal_leaves_the_folder_of_a_bound_volume_alone(stack):
    stack.up("type: none, o: bind, device: /tmp/device").ok()
    stack.mc("down", "-v", "-t", "0").ok()
    assert stack.sh("cat /tmp/device/file").out == "hello\n"


@pytest.mark.parametrize("o, flags", [("'bind,ro'", {"ro"}), ("'rbind,nosuid,nodev,noexec,noatime'", {"rw", "nosuid", "nodev", "noexec", "noatime"})])
def test_flags_of_a_bound_volume(stack, o, flags):
    stack.up(f"type: none, o: {o}, device: /tmp/device").ok()
    assert flags <= set(line(stack, "one").split()[5].split(","))


def test_a_bound_folder_that_is_missing_is_an_error(stack):
    assert "/tmp/missing" in stack.up("type: none, o: bind, device: /tmp/missing").fails(1).err


def test_an_empty_bound_folder_takes_over_what_the_image_has(stack):
    stack.image("seeded", [("d", None), ("d/file", "of the image\n")])
    stack.sh("mkdir /tmp/device/empty").ok()
    text = STACK.replace("image: bb", "image: seeded").replace("sleep 1000", "busybox sleep 1000")
    stack.up("type: none, o: bind, device: /tmp/device/empty", text=text).ok()
    assert stack.sh("cat /tmp/device/empty/file").ok().out == "of the image\n"
    stack.up("type: none, o: bind, device: /tmp/device", "-V", text=text)
    assert stack.sh("cat /tmp/device/file").ok().out == "hello\n"


@pytest.mark.parametrize("kind", ["tmpfs", "ramfs"])
def test_a_volume_in_memory_is_shared_while_somebody_uses_it(stack, kind):
    stack.up(f"type: {kind}, device: {kind}" + (", o: 'size=64k,uid=1000,mode=750'" if kind == "tmpfs" else "")).ok()
    inside(stack, "one", "echo here > /d/word").ok()
    assert inside(stack, "two", "cat /d/word").ok().out == "here\n"
    assert f" - {kind} " in line(stack, "one") and "ro" in line(stack, "two").split()[5].split(",")
    if kind == "tmpfs":
        assert inside(stack, "one", "stat -c '%u %a' /d").ok().out == "1000 750\n"
        inside(stack, "one", "head -c 100000 /dev/zero > /d/fill").fails(1)
    stack.mc("stop", "-t", "0", "one").ok()
    stack.mc("start", "one").ok()
    assert inside(stack, "one", "cat /d/word").ok().out == "here\n"
    stack.mc("stop", "-t", "0").ok()
    assert "_data" not in stack.sh("cat /proc/1/mountinfo").out
    stack.mc("start").ok()
    assert inside(stack, "one", "ls /d").ok().out == ""


def test_row_13_8_a_failed_start_leaves_no_volume_mounted(stack):
    text = STACK.replace("command: sleep 1000", "command: /nosuch")
    stack.up("type: tmpfs, device: tmpfs", text=text).fails()
    assert "_data" not in stack.sh("cat /proc/1/mountinfo").out


def test_row_13_2_a_volume_in_memory_ends_also_when_its_supervisor_was_killed(stack):
    stack.up("type: tmpfs, device: tmpfs").ok()
    inside(stack, "one", "echo here > /d/word").ok()
    stack.sh("kill -9 $(pgrep -o mycompose)").ok()
    assert inside(stack, "two", "cat /d/word").ok().out == "here\n"
    stack.mc("stop", "-t", "0").ok()
    assert "_data" not in stack.sh("cat /proc/1/mountinfo").out


def test_a_volume_left_mounted_is_unmounted_before_it_is_removed(stack):
    stack.up("type: tmpfs, device: tmpfs").ok()
    stack.mc("down", "-t", "0").ok()
    name = stack.sh("ls /var/lib/mycompose/volumes").out.strip()
    stack.sh(f"mount -t tmpfs tmpfs /var/lib/mycompose/volumes/{name}/_data").ok()
    stack.mc("volume", "rm", name).ok()
    assert "_data" not in stack.sh("cat /proc/1/mountinfo").out


@pytest.fixture
def disk(stack):
    """A file system on a device of its own."""
    if not shutil.which("mkfs.ext4") or stack.sh("losetup -f").code != 0:
        pytest.skip("needs mkfs.ext4 and a loop device")
    image = stack.directory / "disk"
    stack.sh(f"truncate -s 4M {image} && mkfs.ext4 -q {image}").ok()
    device = stack.sh(f"losetup --show -f {image}").ok().out.strip()
    yield device
    stack.mc("down", "-v", "-t", "0")
    stack.sh(f"losetup -d {device}").ok()


def test_a_volume_on_a_device(stack, disk):
    stack.up(f"type: ext4, device: {disk}, o: noatime").ok()
    assert f" - ext4 {disk} " in line(stack, "one") and "noatime" in line(stack, "one")
    inside(stack, "one", "echo here > /d/word").ok()
    assert inside(stack, "two", "cat /d/word; echo x > /d/x").fails(1).out == "here\n"
    assert disk not in stack.sh("cat /proc/1/mountinfo").out
    stack.mc("down", "-t", "0").ok()
    stack.up(f"type: ext4, device: {disk}, o: noatime").ok()
    assert inside(stack, "one", "cat /d/word").ok().out == "here\n"


def test_a_part_of_a_volume_on_a_device(stack, disk):
    part = "\n      - {type: volume, source: data, target: /d, volume: {subpath: lost+found}}"
    stack.up(f"type: ext4, device: {disk}", text=STACK.replace("[data:/d]", part)).ok()
    assert "/lost+found /d " in line(stack, "one")


def test_a_file_system_that_is_no_disk_is_mounted_by_the_container(stack):
    stack.up("type: mqueue, device: queues, o: nosuid").ok()
    assert " - mqueue queues " in line(stack, "one") and "nosuid" in line(stack, "one")
    assert "queues" not in stack.sh("cat /proc/1/mountinfo").out


def test_a_read_only_device(stack, disk):
    stack.up(f"type: ext4, device: {disk}, o: ro").ok()
    inside(stack, "one", "echo x > /d/x").fails(1)


@pytest.mark.parametrize(
    "options, message",
    [
        ("type: none, o: bind", 'missing required option: "device"'),
        ("device: /tmp/device", 'missing required option: "type"'),
        ("typo: x", 'invalid option: "typo"'),
        ("size: 10m", "no quota support"),
    ],
)
def test_bad_options_are_told_with_their_place(stack, options, message):
    result = stack.up(options).fails(1)
    assert "compose.yaml:16:3: volumes.data.driver_opts: " in result.err and message in result.err
    assert stack.ps() == []


@pytest.mark.parametrize("options, message", [("type: nosuchfs, device: x", "mount nosuchfs"), ("type: ext4, device: /tmp/device/file", "mount"), ("type: tmpfs, device: tmpfs, o: bogus=1", "bogus")])
def test_what_the_kernel_refuses_is_told(stack, options, message):
    result = stack.up(options).fails(1)
    assert message in result.err and "/d" in result.err
    assert "_data" not in stack.sh("cat /proc/1/mountinfo").out


def test_another_driver_is_refused(stack):
    result = stack.up("type: x", text=STACK.replace("driver_opts: {OPTIONS}", "driver: cloud")).fails(1)
    assert "compose.yaml:17:13: volumes.data.driver" in result.err and "only local volumes" in result.err
