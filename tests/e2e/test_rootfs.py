# SPDX-License-Identifier: GPL-2.0-or-later
"""The root file system: layers below, a writable layer of its own above, the usual things mounted, nothing of the host."""

import pytest

from testhost import wait_until

LAYERS = "/var/lib/mycompose/layers"


def mounts(text):
    """target -> (type, options) of /proc/mounts; of several at one place the uppermost."""
    return {f[1]: (f[2], set(f[3].split(","))) for f in (line.split() for line in text.splitlines())}


@pytest.fixture
def scratch(host):
    """A test host with an image that holds one static program and nothing else."""
    host.image("scratch")
    return host


def test_the_root_is_an_overlay_of_the_images_layers_and_a_writable_one(bb):
    bb.daemon("c", "sh", "-c", "echo changed > /etc/passwd; echo new > /new; sleep 1000")
    kind, options = mounts(bb.inside("c", "cat", "/proc/mounts").ok().out)["/"]
    assert kind == "overlay" and "rw" in options
    upper = f"/var/lib/mycompose/containers/{bb.state('c')['ID']}/upper"
    assert bb.sh(f"cat {upper}/etc/passwd {upper}/new").ok().out == "changed\nnew\n"


def test_two_containers_of_one_image_do_not_see_each_others_writes(bb):
    bb.daemon("a", "sh", "-c", "echo a > /mine; rm /etc/group; sleep 1000")
    bb.daemon("b", "sh", "-c", "echo b > /mine; sleep 1000")
    assert bb.inside("a", "cat", "/mine").ok().out == "a\n"
    assert bb.inside("b", "cat", "/mine").ok().out == "b\n"
    bb.inside("a", "cat", "/etc/group").fails(1)
    assert "root:x:0" in bb.inside("b", "cat", "/etc/group").ok().out


def test_the_layers_of_the_image_do_not_change(bb):
    digest = f"cd {LAYERS} && find . -exec ls -ld --time-style=full-iso {{}} + | sort | sha256sum && find . -type f -exec sha256sum {{}} + | sort | sha256sum"
    before = bb.sh(digest).ok().out
    bb.once("sh", "-c", "rm -rf /data /etc/passwd; mkdir /bin/x; chmod 0 /tmp; echo x >> /etc/group").ok()
    assert bb.sh(digest).ok().out == before


def test_writes_survive_stop_and_start_but_not_removal(bb):
    bb.daemon("c", "sh", "-c", "echo x >> /count; cat /count")
    wait_until(lambda: bb.state("c")["State"] == "exited")
    bb.mc("start", "c").ok()
    wait_until(lambda: bb.mc("logs", "c").ok().out == "x\nx\nx\n")
    bb.mc("rm", "c").ok()
    bb.once("cat", "/count").fails(1)


def test_the_old_root_is_gone(bb):
    listing = bb.once("ls", "-a", "/").ok().out.split()
    assert listing == [".", "..", "bin", "data", "dev", "etc", "home", "proc", "root", "sys", "tmp"]
    assert bb.once("sh", "-c", "cat /proc/1/root/etc/passwd /proc/self/cwd/../../../etc/passwd").ok().out.count("/bin/sh") == 4
    bb.file("canary", "x")
    bb.once("cat", bb.directory / "canary").fails(1)


def test_the_root_directory_has_the_images_mode(host):
    host.image("odd", [("./", None, 0o751)])
    assert host.once("busybox", "stat", "-c", "%a", "/", image="odd").ok().out == "751\n"


def test_host_name_and_name_files_are_the_containers(bb):
    result = bb.once("sh", "-c", "cat /etc/hostname; grep -v : /etc/hosts", flags="--hostname box --add-host db:10.1.2.3").ok()
    assert result.out.split("\n")[0] == "box"
    lines = [line.split() for line in result.out.splitlines()[1:]]
    assert ["127.0.0.1", "localhost"] in lines and ["10.1.2.3", "db"] in lines


def test_the_name_files_can_be_written(bb):
    assert bb.once("sh", "-c", "echo 10.9.9.9 x >> /etc/hosts && tail -n 1 /etc/hosts").ok().out == "10.9.9.9 x\n"


def test_a_missing_working_directory_is_made(bb):
    assert bb.once("pwd", flags="-w /made/for/me").ok().out == "/made/for/me\n"


def test_a_working_directory_that_is_a_file_is_refused(bb):
    result = bb.once("pwd", flags="-w /etc/passwd").fails()
    assert "/etc/passwd" in result.err and bb.state("") is None


def test_row_15_1_read_only_root(bb):
    script = "touch /x 2>&1; echo hello > /vol/missing/x && cat /vol/missing/x; echo t > /scratch/t && cat /scratch/t; tail -n 1 /etc/hostname"
    result = bb.once("sh", "-c", script, flags="--read-only --hostname box -v vol:/vol/missing --tmpfs /scratch").ok()
    assert result.out.splitlines() == ["touch: /x: Read-only file system", "hello", "t", "box"]


def test_row_15_1_the_standard_mounts_stay_writable_in_a_read_only_root(bb):
    bb.once("sh", "-c", "echo x > /dev/shm/x && echo x > /dev/null", flags="--read-only").ok()


def test_row_15_2_an_image_with_nothing_in_it_runs(scratch):
    names = scratch.once("busybox", "ls", "-a", "/", image="scratch").ok().out.split()
    assert names == [".", "..", "bin", "dev", "etc", "proc", "sys"]


def test_row_15_2_a_numeric_user_needs_no_passwd(scratch):
    assert scratch.once("busybox", "id", "-u", image="scratch", flags="-u 1234").ok().out == "1234\n"
    result = scratch.once("busybox", "id", image="scratch", flags="-u somebody").fails(125)
    assert "somebody" in result.err


@pytest.mark.parametrize("name", ["proc", "sys", "dev"])
def test_row_3_3_a_standard_directory_that_is_a_link_is_refused(host, name):
    host.image("evil", [("canary", None), (name, ("canary",))])
    result = host.once("busybox", "true", image="evil").fails(125)
    assert f"/{name}" in result.err


@pytest.mark.parametrize("link", ["/run/canary/victim", "../../../run/canary/victim"])
def test_row_15_3_a_link_at_resolv_conf_is_not_followed_out_of_the_image(host, link):
    host.sh("mkdir -p /run/canary; echo untouched > /run/canary/victim").ok()
    host.image("evil", [("etc", None), ("etc/resolv.conf", (link,))])
    host.once("sh", "-c", "busybox echo x > /etc/resolv.conf && busybox test -f /etc/resolv.conf", image="evil").ok()
    assert host.sh("cat /run/canary/victim").ok().out == "untouched\n"


def test_row_3_15_a_data_root_with_colon_and_comma_in_its_name(bb):
    root = "/var/lib/a:b,c\\d e"
    bb.image("plain")
    bb.mc("--root", root, "import", bb.directory / "plain.tar", "plain").ok()
    result = bb.mc("--root", root, "run", "--rm", "--network", "none", "plain", "sh", "-c", "busybox echo x > /x && busybox cat /x").ok()
    assert result.out == "x\n"


def test_nothing_is_left_of_a_removed_container(clean):
    clean.once("sh", "-c", "dd if=/dev/zero of=/big bs=64k count=20 2>/dev/null; mkdir -p /a/b/c; chmod 0 /a").ok()
