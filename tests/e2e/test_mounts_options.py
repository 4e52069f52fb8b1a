# SPDX-License-Identifier: GPL-2.0-or-later
"""The long syntax of mounts: what each option does in the container."""

import pytest

HEAD = """
services:
  app:
    image: bb
    command: sleep 1000
    network_mode: none
    stop_grace_period: 0s
"""


def up(host, volumes, rest="", key="volumes"):
    lines = "".join(f"      - {volume}\n" for volume in volumes)
    host.compose(f"{HEAD}    {key}:\n{lines}{rest}")
    return host.mc("up", "-d")


def down(host):
    host.mc("down", "-v", "-t", "0").ok()
    host.mc("volume", "rm", "-f", "data").ok()


def inside(host, script):
    return host.mc("exec", "app", "sh", "-c", script)


def options(host, target):
    line = inside(host, f"grep ' {target} ' /proc/self/mountinfo | tail -n 1").ok().out.split(" - ")
    fields = line[0].split()
    return set(fields[5].split(",")), fields[6:], set(line[1].split()[-1].split(","))


@pytest.fixture
def tree(clean):
    """A folder of the host with a mount below it."""
    clean.sh("mkdir -p /tmp/tree/below /tmp/tree/plain && mount -t tmpfs tmpfs /tmp/tree/below && touch /tmp/tree/below/file").ok()
    yield clean
    clean.mc("down", "-v", "-t", "0")
    clean.sh("umount -R /tmp/tree; umount -R /tmp/tree/below; rm -rf /tmp/tree")


@pytest.mark.parametrize(
    "extra, shown, top_written, below_written",
    [
        ("", True, True, True),
        (", read_only: true", True, False, False),
        (", bind: {recursive: enabled}", True, True, True),
        (", bind: {recursive: disabled}", False, True, True),
        (", read_only: true, bind: {recursive: disabled}", False, False, False),
        (", read_only: true, bind: {recursive: writable}", True, False, True),
        (", read_only: true, bind: {recursive: readonly}", True, False, False),
    ],
)
def test_row_3_16_recursive(tree, extra, shown, top_written, below_written):
    up(tree, ["{type: bind, source: /tmp/tree, target: /d" + extra + "}"]).ok()
    assert (inside(tree, "test -e /d/below/file").code == 0) == shown
    assert (inside(tree, "echo x > /d/new").code == 0) == top_written
    assert (inside(tree, "echo x > /d/below/new").code == 0) == below_written


@pytest.mark.parametrize(
    "extra, message",
    [
        ("bind: {recursive: readonly}", "needs the mount to be read-only"),
        ("read_only: true, bind: {recursive: readonly, propagation: rslave}", "needs propagation 'rprivate'"),
    ],
)
def test_recursive_readonly_has_conditions(clean, extra, message):
    result = up(clean, ["{type: bind, source: /tmp, target: /d, " + extra + "}"]).fails(1)
    assert message in result.err
    assert clean.ps() == []


@pytest.mark.parametrize(
    "kind, peers, from_host, from_container",
    [
        ("rprivate", [], False, False),
        ("private", [], False, False),
        ("rslave", ["master"], True, False),
        ("slave", ["master"], True, False),
        ("rshared", ["shared"], True, True),
        ("shared", ["shared"], True, True),
    ],
)
def test_row_3_17_propagation(tree, kind, peers, from_host, from_container):
    tree.sh("mount --bind /tmp/tree /tmp/tree && mount --make-shared /tmp/tree && mkdir -p /tmp/tree/late /tmp/tree/own").ok()
    up(tree, ["{type: bind, source: /tmp/tree, target: /d, bind: {propagation: " + kind + "}}"], "    cap_add: [SYS_ADMIN]\n").ok()
    assert [field.split(":")[0] for field in options(tree, "/d")[1]] == peers
    tree.sh("mount -t tmpfs tmpfs /tmp/tree/late && touch /tmp/tree/late/file").ok()
    assert (inside(tree, "test -e /d/late/file").code == 0) == from_host
    inside(tree, "busybox mount -t tmpfs tmpfs /d/own && touch /d/own/file").ok()
    assert (tree.sh("test -e /tmp/tree/own/file").code == 0) == from_container


@pytest.mark.parametrize("kind, wanted", [("shared", "shared mount"), ("rshared", "shared mount"), ("slave", "shared or slave mount"), ("rslave", "shared or slave mount")])
def test_propagation_needs_a_source_that_takes_part(tree, kind, wanted):
    result = up(tree, ["{type: bind, source: /tmp/tree/below, target: /d, bind: {propagation: " + kind + "}}"]).fails(1)
    assert f"path /tmp/tree/below is mounted on /tmp/tree/below but it is not a {wanted}" in result.err


@pytest.mark.parametrize("label", ["z", "Z"])
def test_selinux_labels_ask_for_nothing_without_selinux(tree, label):
    up(tree, ["{type: bind, source: /tmp/tree, target: /d, consistency: cached, bind: {selinux: " + label + "}}", f"/tmp/tree:/e:{label}"]).ok()
    inside(tree, "test -e /d/below/file && test -e /e/below/file").ok()


def test_a_missing_source_is_made_only_when_asked_for(tree):
    result = up(tree, ["{type: bind, source: /tmp/tree/no, target: /d}"]).fails(1)
    assert "compose.yaml:9:9: services.app.volumes: bind source path does not exist: /tmp/tree/no" in result.err
    up(tree, ["{type: bind, source: /tmp/tree/no, target: /d, bind: {create_host_path: true}}"]).ok()
    tree.sh("test -d /tmp/tree/no").ok()


VOLUME = "volumes: {data: {name: data}}\n"


def fill_volume(host):
    host.once("sh", "-c", "mkdir -p /v/a/b && echo part > /v/a/b/file && ln -s /etc /v/out && ln -s a/b /v/in && ln -s loop /v/loop", flags="-v data:/v").ok()


@pytest.mark.parametrize("subpath", ["a/b", "./a//b/", "a/../a/b", "in"])
def test_row_6_1_a_part_of_a_volume(clean, subpath):
    fill_volume(clean)
    up(clean, ["{type: volume, source: data, target: /d, volume: {subpath: " + subpath + "}}"], VOLUME).ok()
    assert inside(clean, "cat /d/file; ls /d").ok().out == "part\nfile\n"
    down(clean)


def test_row_6_1_a_part_of_a_volume_that_is_a_file(clean):
    fill_volume(clean)
    up(clean, ["{type: volume, source: data, target: /d, read_only: true, volume: {subpath: a/b/file}}"], VOLUME).ok()
    assert inside(clean, "cat /d").ok().out == "part\n"
    inside(clean, "echo x > /d").fails(1)
    down(clean)


@pytest.mark.parametrize("subpath, message", [("../x", "must be a relative path"), ("/a", "must be a relative path"), ("a/../../x", "must be a relative path"), ("out", "out"), ("loop", "loop"), ("missing", "missing")])
def test_row_6_1_a_part_that_is_not_inside_is_refused(clean, subpath, message):
    fill_volume(clean)
    result = up(clean, ["{type: volume, source: data, target: /d, volume: {subpath: " + subpath + "}}"], VOLUME).fails(1)
    assert message in result.err
    down(clean)


def test_row_6_1_a_link_in_a_volume_leads_to_the_volumes_own_etc(clean):
    fill_volume(clean)
    clean.once("mkdir", "/v/etc", flags="-v data:/v").ok()
    up(clean, ["{type: volume, source: data, target: /d, volume: {subpath: out}}"], VOLUME).ok()
    assert inside(clean, "ls -A /d").ok().out == ""
    down(clean)


def test_labels_of_an_anonymous_volume(clean):
    up(clean, ["{type: volume, target: /d, volume: {labels: {colour: red}}}"]).ok()
    names = clean.mc("volume", "ls", "-q", "--filter", "label=colour=red").ok().out.split()
    assert len(names) == 1 and len(names[0]) == 64
    down(clean)


def test_nocopy_in_the_long_syntax(clean):
    clean.image("seeded", [("data", None), ("data/file", "x\n")], 'CMD ["/bin/busybox","sleep","1000"]')
    clean.compose(HEAD.replace("image: bb", "image: seeded").replace("sleep 1000", "busybox sleep 1000") + "    volumes:\n      - {type: volume, source: data, target: /data, volume: {nocopy: true}}\n" + VOLUME)
    clean.mc("up", "-d").ok()
    assert clean.mc("exec", "app", "busybox", "ls", "/data").ok().out == ""
    down(clean)


@pytest.mark.parametrize(
    "key, volume, wanted, unwanted, of_fs",
    [
        ("volumes", "{type: tmpfs, target: /t}", {"rw", "nosuid", "nodev", "noexec"}, set(), set()),
        ("volumes", "{type: tmpfs, target: /t, tmpfs: {size: 64k, mode: 0750}}", {"rw"}, set(), {"size=64k", "mode=750"}),
        ("volumes", "{type: tmpfs, target: /t, read_only: true}", {"ro"}, set(), set()),
        ("tmpfs", "/t:exec,suid,dev,uid=1000,gid=1001,nr_inodes=100", {"rw"}, {"nosuid", "nodev", "noexec"}, {"uid=1000", "gid=1001", "nr_inodes=100"}),
        ("tmpfs", "/t:noatime,nodiratime,size=1m,mode=700", {"noatime", "nodiratime", "noexec"}, {"relatime"}, {"size=1024k", "mode=700"}),
    ],
)
def test_tmpfs_options(clean, key, volume, wanted, unwanted, of_fs):
    up(clean, [volume], key=key).ok()
    flags, _, data = options(clean, "/t")
    assert wanted <= flags and not unwanted & flags and of_fs <= data
    down(clean)


def test_a_program_runs_from_a_tmpfs_with_exec_only(clean):
    script = "printf '#!/bin/sh\\n' > /t/x && chmod 755 /t/x && /t/x"
    up(clean, ["/t:exec"], key="tmpfs").ok()
    inside(clean, script).ok()
    up(clean, ["/t"], key="tmpfs").ok()
    inside(clean, script).fails(126)
    down(clean)


def test_an_unknown_tmpfs_option_is_refused(clean):
    result = up(clean, ["/t:sideways"], key="tmpfs").fails(1)
    assert 'invalid tmpfs option "sideways"' in result.err and "services.app" in result.err
    assert clean.ps() == []


@pytest.mark.parametrize("kind, why", [("cluster", "Swarm"), ("npipe", "Windows")])
def test_kinds_of_others_are_refused(clean, kind, why):
    result = up(clean, ["{type: " + kind + ", source: x, target: /t}"]).fails(1)
    assert "compose.yaml:9:16: services.app.volumes[0].type" in result.err and why in result.err


def layered(host):
    """An image of two layers: the second hides a file of the first."""
    host.image("tools", [("opt", None), ("opt/tool", "one\n"), ("opt/gone", "x\n"), ("opt/link", ("/opt/tool",)), ("top", "t\n")])
    host.mc("run", "--name", "c", "--network", "none", "tools", "/bin/busybox", "sh", "-c", "echo two > /opt/tool; rm /opt/gone").ok()
    host.mc("commit", "c", "layered").ok()
    host.mc("rm", "c").ok()


@pytest.mark.parametrize("image, tool", [("tools", "one\n"), ("layered", "two\n")])
def test_an_image_as_a_mount(clean, image, tool):
    layered(clean)
    up(clean, ["{type: image, source: " + image + ", target: /i}"]).ok()
    assert inside(clean, "cat /i/opt/tool /i/top").ok().out == tool + "t\n"
    assert (inside(clean, "test -e /i/opt/gone").code == 0) == (image == "tools")
    assert "Read-only" in inside(clean, "echo x > /i/opt/new").fails(1).err
    assert "ro" in options(clean, "/i")[0]
    down(clean)


@pytest.mark.parametrize("image", ["tools", "layered"])
@pytest.mark.parametrize("subpath, script, shown", [("opt", "ls -A /i | head -n 1", None), ("opt/tool", "cat /i", "tool"), ("opt/link", "cat /i", "tool")])
def test_row_6_1_a_part_of_an_image(clean, image, subpath, script, shown):
    layered(clean)
    up(clean, ["{type: image, source: " + image + ", target: /i, image: {subpath: " + subpath + "}}"]).ok()
    expected = {"tools": "one\n", "layered": "two\n"}[image] if shown else {"tools": "gone\n", "layered": "link\n"}[image]
    assert inside(clean, script).ok().out == expected
    down(clean)


@pytest.mark.parametrize("subpath", ["../x", "/opt", "missing"])
def test_row_6_1_a_part_of_an_image_that_is_not_inside_is_refused(clean, subpath):
    layered(clean)
    assert subpath in up(clean, ["{type: image, source: layered, target: /i, image: {subpath: " + subpath + "}}"]).fails(1).err
    down(clean)


def test_an_image_that_is_not_there_is_told_with_its_place(clean):
    result = up(clean, ["{type: image, source: nosuch, target: /i}"]).fails(1)
    assert "compose.yaml:9:9: services.app.volumes: No such image: nosuch" in result.err
    assert clean.ps() == []


def test_layers_of_a_mounted_image_are_kept(clean):
    layered(clean)
    up(clean, ["{type: image, source: layered, target: /i}"]).ok()
    clean.mc("rmi", "layered", "tools").ok()
    clean.mc("restart", "-t", "0").ok()
    assert inside(clean, "cat /i/opt/tool").ok().out == "two\n"
    down(clean)


def test_row_3_2_a_mounted_images_place_is_found_inside_the_root(clean):
    clean.image("links", [("etc", None), ("etc/link", ("../../../outside",))])
    layered(clean)
    clean.compose(HEAD.replace("image: bb", "image: links").replace("sleep 1000", "busybox sleep 1000") + "    volumes:\n      - {type: image, source: layered, target: /etc/link/i}\n")
    clean.mc("up", "-d").ok()
    assert clean.mc("exec", "app", "busybox", "cat", "/outside/i/opt/tool").ok().out == "two\n"
    clean.sh("test -e /outside").fails()
    down(clean)
