# SPDX-License-Identifier: GPL-2.0-or-later
"""cp and export: what goes into and comes out of containers."""

import io
import os
import tarfile

import pytest

from testhost import BINARY, wait_until

APP = """
name: demo
services:
  web:
    image: bb
    command: [sleep, "1000"]
    stop_signal: SIGKILL
    scale: 2
    volumes: ["data:/v"]
volumes: {data: {}}
"""


@pytest.fixture
def demo(bb):
    bb.compose(APP)
    bb.mc("up", "-d").ok()
    return bb


@pytest.fixture(params=["running", "stopped"])
def box(request, bb):
    """A container with files and a volume, in both of its states."""
    bb.mc("volume", "create", "vol").ok()
    bb.daemon("box", "sleep", "1000", flags="-v vol:/v --stop-signal SIGKILL")
    script = (
        "mkdir -p /src/sub && echo one > /src/a && echo two > /src/sub/b && ln -s a /src/link && ln /src/a /src/hard && chown 1000:2000 /src/a "
        "&& chmod 640 /src/a && touch -d '2020-02-03 04:05:06' /src/a /src/sub && mkfifo /src/pipe && echo held > /v/held && ln -s /etc/passwd /abs"
    )
    bb.inside("box", "sh", "-c", script).ok()
    if request.param == "stopped":
        bb.mc("stop", "box").ok()
    return bb


def out(host, name):
    return (host.directory / name).read_text()


# out of a container


def test_a_file_to_a_new_name_into_a_directory_and_over_a_file(box):
    box.mc("cp", "box:/src/a", "new").ok()
    assert out(box, "new") == "one\n"
    (box.directory / "dir").mkdir()
    box.mc("cp", "box:src/sub/b", "dir").ok()
    assert out(box, "dir/b") == "two\n"
    box.mc("cp", "box:/src/sub/b", "new").ok()
    assert out(box, "new") == "two\n"
    assert "no such directory" in box.mc("cp", "box:/src/a", "missing/").fails(1).err
    assert "No such file" in box.mc("cp", "box:/nothing", "x").fails(1).err and not (box.directory / "x").exists()


def test_a_directory_as_a_whole_and_its_content(box):
    box.mc("cp", "box:/src", "copy").ok()  # not there: becomes it
    assert sorted(os.listdir(box.directory / "copy")) == ["a", "hard", "link", "pipe", "sub"]
    assert out(box, "copy/sub/b") == "two\n" and os.readlink(box.directory / "copy/link") == "a"
    box.mc("cp", "box:/src", "copy").ok()  # there: goes into it
    assert out(box, "copy/src/a") == "one\n"
    (box.directory / "flat").mkdir()
    box.mc("cp", "box:/src/.", "flat").ok()
    assert out(box, "flat/a") == "one\n" and not (box.directory / "flat/src").exists()
    assert "cannot copy a directory to the file" in box.mc("cp", "box:/src", "flat/a").fails(1).err


def test_attributes_and_owners(box):
    box.mc("cp", "box:/src", "plain").ok()
    box.mc("cp", "-a", "box:/src", "kept").ok()
    plain, kept = os.stat(box.directory / "plain/a"), os.stat(box.directory / "kept/a")
    assert (plain.st_uid, plain.st_gid, plain.st_mode & 0o7777) == (0, 0, 0o640)
    assert (kept.st_uid, kept.st_gid, kept.st_mode & 0o7777) == (1000, 2000, 0o640)
    assert kept.st_mtime == plain.st_mtime == 1580702706 == os.stat(box.directory / "plain/sub").st_mtime
    assert kept.st_ino == os.stat(box.directory / "kept/hard").st_ino


def test_a_link_as_such_and_followed_inside_the_container(box):
    box.mc("cp", "box:/abs", "link").ok()
    assert os.readlink(box.directory / "link") == "/etc/passwd"
    box.mc("cp", "-L", "box:/abs", "followed").ok()
    assert out(box, "followed").startswith("root:x:0:0:root:/root:/bin/sh\nuser:x:1000")


def test_volumes_are_seen(box):
    box.mc("cp", "box:/v/held", "held").ok()
    assert out(box, "held") == "held\n"


def test_a_tar_to_stdout(box):
    data = box.mc("cp", "box:/src", "-", binary=True).ok().out
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        entries = {entry.name: entry for entry in tar}
        assert sorted(entries) == ["src", "src/a", "src/hard", "src/link", "src/pipe", "src/sub", "src/sub/b"]
        assert tar.extractfile("src/sub/b").read() == b"two\n" and entries["src/link"].linkname == "a" and entries["src/hard"].islnk()
        assert (entries["src/a"].uid, entries["src/a"].gid) == (1000, 2000)


# into a container


def test_files_and_directories_into_a_container(box):
    box.file("one", "1\n", 0o600)
    box.file("tree/below/two", "2\n")
    os.chown(box.directory / "one", 1234, 1234)
    box.mc("cp", "one", "box:/tmp").ok()
    box.mc("cp", "-a", "one", "box:/tmp/kept").ok()
    box.mc("cp", "tree", "box:/tmp").ok()
    box.mc("cp", "tree/.", "box:/v").ok()
    if box.state("box")["State"] != "running":
        box.mc("start", "box").ok()
    stat = box.inside("box", "stat", "-c", "%u %g %a", "/tmp/one", "/tmp/kept", "/tmp").ok().out
    assert stat == "0 0 600\n1234 1234 600\n0 0 1777\n"
    assert box.inside("box", "cat", "/tmp/one", "/tmp/tree/below/two", "/v/below/two").ok().out == "1\n2\n2\n"


def test_a_tar_from_stdin(box):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        entry = tarfile.TarInfo("deep/file")
        entry.size, entry.uid = 2, 77
        tar.addfile(entry, io.BytesIO(b"x\n"))
    tar_file = box.directory / "in.tar"
    tar_file.write_bytes(stream.getvalue())
    box.sh(f"{BINARY} cp - box:/tmp < {tar_file}").ok()
    box.mc("cp", "box:/tmp/deep", "back").ok()
    assert out(box, "back/file") == "x\n"
    assert "no such directory" in box.sh(f"{BINARY} cp - box:/not/there < {tar_file}").fails(1).err
    assert box.sh(f"echo rubbish | {BINARY} cp - box:/tmp").fails(1)


def test_nothing_is_left_of_a_copy(clean):
    clean.daemon("box", "sleep", "1000", flags="--stop-signal SIGKILL")
    clean.mc("stop", "box").ok()
    clean.mc("cp", "box:/etc", "etc").ok()
    clean.mc("rm", "box").ok()


# HARDENING 6.3


@pytest.mark.parametrize("path", ["/escape/secret", "/up/secret", "/chain/secret"])
def test_row_6_3_links_lead_nowhere_but_into_the_container(box, path):
    box.file("secret", "host's\n")
    if box.state("box")["State"] != "running":
        box.mc("start", "box").ok()
    target = str(box.directory)
    box.inside("box", "sh", "-c", f"ln -s {target} /escape; ln -s ../../../../../../../../..{target} /up; ln -s /up /chain").ok()
    assert "No such file" in box.mc("cp", f"box:{path}", "stolen").fails(1).err
    box.file("mine", "x\n")
    box.mc("cp", "mine", f"box:{path}").fails(1)
    assert out(box, "secret") == "host's\n" and sorted(os.listdir(box.directory)).count("stolen") == 0


def test_row_6_3_a_path_that_is_exchanged_meanwhile_never_shows_the_host(bb):
    """A directory and a link to the host's are exchanged as fast as the kernel can, copies go both ways."""
    bb.file("host/canary", "host\n")
    place = bb.directory / "host"
    bb.daemon("racer", "sh", "-c", f"mkdir /swap && echo inside > /swap/canary && ln -s {place} /other && touch /ready && exec sleep 1000")
    wait_until(lambda: bb.inside("racer", "test", "-e", "/ready").code == 0, what="the racer")
    bb.mc("exec", "-d", "racer", "sh", "-c", "while :; do mv /swap /s; mv /other /swap; mv /swap /other; mv /s /swap; done").ok()
    bb.file("payload/canary", "payload\n")
    seen = 0
    for _ in range(40):
        if bb.mc("cp", "racer:/swap/canary", "got").code == 0:
            seen += 1
            assert out(bb, "got") in ("inside\n", "payload\n")
        bb.mc("cp", "payload/canary", "racer:/swap/canary")
        assert (place / "canary").read_text() == "host\n"
    assert seen > 0


def test_row_6_3_what_a_tar_holds_cannot_leave_the_place(bb):
    bb.daemon("box", "sleep", "1000")
    evil = bb.directory / "evil.tar"
    with tarfile.open(evil, "w") as tar:
        link = tarfile.TarInfo("out")
        link.type, link.linkname = tarfile.SYMTYPE, str(bb.directory)
        tar.addfile(link)
        for name in ("out/planted", "../../planted", "/planted"):
            entry = tarfile.TarInfo(name)
            entry.size = 2
            tar.addfile(entry, io.BytesIO(b"x\n"))
    bb.sh(f"{BINARY} cp - box:/tmp < {evil}")
    assert not (bb.directory / "planted").exists() and not os.path.exists("/planted")
    assert bb.inside("box", "ls", "/tmp").ok().out.split() == ["out", "planted"]


def test_row_6_3_devices_of_a_container_do_not_come_to_the_host_unasked(bb):
    bb.daemon("box", "sleep", "1000")
    bb.inside("box", "sh", "-c", "mkdir /d && mknod /d/node c 1 3 && echo f > /d/file").ok()
    bb.mc("cp", "box:/d", "d").ok()
    assert os.listdir(bb.directory / "d") == ["file"]


# services


def test_cp_into_every_replica_or_one(demo):
    demo.file("f", "all\n")
    result = demo.mc("cp", "f", "web:/f").ok()
    assert "Container demo-web-2" in result.err and "Copied" in result.err
    demo.file("f", "second\n")
    demo.mc("cp", "--index", "2", "f", "web:/f").ok()
    assert [demo.mc("exec", "--index", n, "web", "cat", "/f").ok().out for n in "12"] == ["all\n", "second\n"]
    demo.mc("cp", "web:/f", "back").ok()
    assert out(demo, "back") == "all\n"
    assert demo.mc("cp", "--index", "9", "f", "web:/f").fails(1).err == 'service "web" is not running container #9\n'


def test_a_stream_goes_into_one_replica_only(demo):
    assert "choose one with --index" in demo.mc("cp", "-", "web:/", input="").fails(1).err
    demo.file("in/f", "x\n")
    demo.sh(f"cd {demo.directory}/in && tar c f | {BINARY} -p demo cp --index 2 - web:/").ok()
    assert demo.mc("exec", "--index", "2", "web", "cat", "/f").ok().out == "x\n"


@pytest.mark.parametrize("stop", [False, True])
def test_a_read_only_root_stays_so_but_its_volumes_do_not(bb, stop):
    bb.daemon("box", "sleep", "1000", flags="--read-only -v vol:/v --stop-signal SIGKILL")
    if stop:
        bb.mc("stop", "box").ok()
    bb.file("f", "x\n")
    assert "Read-only file system" in bb.mc("cp", "f", "box:/tmp/f").fails(1).err
    bb.mc("cp", "f", "box:/v/f").ok()
    bb.mc("cp", "box:/v/f", "back").ok()
    assert out(bb, "back") == "x\n"


def test_what_cp_is_not_for(demo):
    assert "copying between containers is not supported" in demo.mc("cp", "web:/f", "web:/g").fails(1).err
    assert "neither ./a nor ./b" in demo.mc("cp", "./a", "./b").fails(1).err
    assert demo.mc("cp", "nobody:/f", "x").fails(1).err == "No such container: nobody\n"


# export


def test_export_is_the_root_without_what_is_mounted(box):
    data = box.mc("export", "box", binary=True).ok().out
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        names = {entry.name.removeprefix("./") for entry in tar}
    assert {"bin/busybox", "bin/sh", "etc/passwd", "src/sub/b", "src/link", "v"} <= names
    assert not any(name.startswith(("v/", "proc/", "sys/", "dev/")) for name in names)


def test_what_was_exported_can_be_imported(bb):
    bb.daemon("box", "sleep", "1000")
    bb.inside("box", "sh", "-c", "echo mine > /mine").ok()
    bb.mc("export", "-o", "out.tar", "box").ok()
    bb.mc("import", "out.tar", "again").ok()
    assert bb.once("cat", "/mine", image="again").ok().out == "mine\n"


def test_export_of_a_service(demo):
    demo.mc("export", "--index", "2", "-o", "out.tar", "web").ok()
    assert tarfile.open(demo.directory / "out.tar").getmember("./bin/busybox").size > 0
    demo.mc("export", "-o", "none.tar", "nobody").fails(1)
    assert not (demo.directory / "none.tar").exists()
