# SPDX-License-Identifier: GPL-2.0-or-later
"""Bind mounts, named and anonymous volumes, tmpfs: what they show, what outlives what, and what is refused."""

import json

import pytest

VOLUMES = "/var/lib/mycompose/volumes"


def volumes(host):
    return sorted(host.sh(f"ls {VOLUMES} 2>/dev/null").out.split())


@pytest.fixture
def data(bb):
    """A folder of the host with a file."""
    bb.file("data/file", "from the host\n")
    return bb.directory / "data"


def test_a_bind_mount_is_read_and_written(bb, data):
    assert bb.once("sh", "-c", "cat /d/file; echo more >> /d/new", flags=f"-v {data}:/d").ok().out == "from the host\n"
    assert (data / "new").read_text() == "more\n"


@pytest.mark.parametrize(
    "flags",
    ["-v {data}:/d:ro", "--mount type=bind,source={data},target=/d,readonly", "--mount type=bind,src={data},dst=/d,ro=true"],
)
def test_a_read_only_bind_mount_is_not_written(bb, data, flags):
    result = bb.once("sh", "-c", "cat /d/file; echo more >> /d/file", flags=flags.format(data=data)).fails(1)
    assert result.out == "from the host\n" and "Read-only file system" in result.err
    assert (data / "file").read_text() == "from the host\n"


def test_a_single_file_is_mounted_over_one_of_the_image(bb, data):
    assert bb.once("cat", "/etc/passwd", flags=f"-v {data}/file:/etc/passwd:ro").ok().out == "from the host\n"


def test_a_relative_source_is_taken_from_where_the_command_runs(bb, data):
    assert bb.once("cat", "/d/file", flags="-v ./data:/d").ok().out == "from the host\n"


def test_a_missing_source_of_v_is_made(bb):
    bb.once("sh", "-c", "echo x > /d/x", flags=f"-v {bb.directory}/a/b:/d").ok()
    assert (bb.directory / "a/b/x").read_text() == "x\n"


def test_a_missing_source_of_mount_is_refused(clean):
    result = clean.once("true", flags=f"--mount type=bind,source={clean.directory}/missing,target=/d").fails(125)
    assert "bind source path does not exist" in result.err and "missing" in result.err
    assert not (clean.directory / "missing").exists()


def test_a_named_volume_outlives_its_containers(bb):
    bb.once("sh", "-c", "echo kept > /v/file", flags="-v vol:/v").ok()
    assert bb.once("cat", "/elsewhere/file", flags="-v vol:/elsewhere").ok().out == "kept\n"
    assert volumes(bb) == ["vol"]


def test_two_containers_share_a_named_volume(bb):
    bb.daemon("a", "sh", "-c", "echo hello > /v/word; exec sleep 1000", flags="-v vol:/v")
    bb.daemon("b", "sleep", "1000", flags="-v vol:/v")
    bb.inside("b", "sh", "-c", "until grep -q hello /v/word; do sleep 0.05; done", timeout=10).ok()


@pytest.mark.parametrize("remove", ["rm", "rm -v", "rm -f -v"])
def test_no_rm_removes_a_named_volume(bb, remove):
    bb.mc("run", "--name", "c", "--network", "none", "-v", "vol:/v", "bb", "true").ok()
    bb.mc(*remove.split(), "c").ok()
    assert volumes(bb) == ["vol"]


@pytest.mark.parametrize("remove, kept", [("rm", 1), ("rm -v", 0), ("rm -f -v", 0)])
def test_an_anonymous_volume_goes_with_its_container_when_asked(bb, remove, kept):
    bb.mc("run", "--name", "c", "--network", "none", "-v", "/v", "bb", "sh", "-c", "echo x > /v/x").ok()
    assert len(volumes(bb)) == 1 and len(volumes(bb)[0]) == 64
    bb.mc(*remove.split(), "c").ok()
    assert len(volumes(bb)) == kept


def test_an_anonymous_volume_goes_with_a_container_of_run_rm(clean):
    clean.once("sh", "-c", "echo x > /v/x", flags="-v /v").ok()
    assert volumes(clean) == []


def test_an_anonymous_volume_is_kept_over_a_restart(bb):
    bb.daemon("c", "sleep", "1000", flags="-v /v --stop-signal KILL")
    bb.inside("c", "sh", "-c", "echo kept > /v/x").ok()
    bb.mc("restart", "c").ok()
    assert bb.inside("c", "cat", "/v/x").ok().out == "kept\n"


def test_a_new_named_volume_takes_over_what_the_image_has_there(bb):
    show = ("sh", "-c", "cat /data/from-image; stat -c '%a %u %g' /data")
    assert bb.once(*show, flags="-v vol:/data").ok().out == "image content\n750 1000 1000\n"
    bb.once("rm", "/data/from-image", flags="-v vol:/data").ok()
    assert bb.once("ls", "/data", flags="-v vol:/data").ok().out == "", "it is taken over once"


@pytest.mark.parametrize("flags", ["-v vol:/data:nocopy", "--mount type=volume,source=vol,target=/data,volume-nocopy"])
def test_nocopy_leaves_a_new_volume_empty(bb, flags):
    assert bb.once("ls", "/data", flags=flags).ok().out == ""


def test_a_bind_mount_takes_nothing_over(bb, data):
    assert bb.once("ls", "/data", flags=f"-v {data}:/data").ok().out == "file\n"


def test_a_volume_of_the_image_becomes_an_anonymous_one_with_its_content(bb):
    bb.image("declares", [("srv", None), ("srv/file", "declared\n")], "VOLUME /srv")
    assert bb.once("busybox", "cat", "/srv/file", image="declares").ok().out == "declared\n"
    assert volumes(bb) == []
    bb.mc("run", "--name", "c", "--network", "none", "declares", "busybox", "true").ok()
    assert len(volumes(bb)) == 1


def test_a_named_volume_stands_in_for_one_of_the_image(bb):
    bb.image("declares", [("srv", None)], "VOLUME /srv")
    bb.mc("run", "--name", "c", "--network", "none", "-v", "vol:/srv", "declares", "busybox", "true").ok()
    assert volumes(bb) == ["vol"]


def test_a_mount_inside_a_mount_lies_on_top_whatever_the_order(bb, data):
    flags = f"-v inner:/outer/inner -v {data}:/outer"
    result = bb.once("sh", "-c", "ls /outer; echo x > /outer/inner/x", flags=flags).ok()
    assert result.out.split() == ["file", "inner"]
    assert bb.sh(f"ls {VOLUMES}/inner/_data").out == "x\n"
    assert list((data / "inner").iterdir()) == []


@pytest.mark.parametrize(
    "flags, show, expected",
    [
        ("--tmpfs /t", "echo x > /t/x && cat /t/x", "x\n"),
        ("--tmpfs /t:size=64k", "dd if=/dev/zero of=/t/x bs=4k count=32 2>&1 | grep -o 'No space left'", "No space left\n"),
        ("--tmpfs /t:mode=700", "stat -c %a /t", "700\n"),
        ("--tmpfs /t", "stat -c %a /t; grep ' /t ' /proc/mounts | grep -c nosuid,nodev,noexec", "1777\n1\n"),
        ("--mount type=tmpfs,target=/t,tmpfs-size=64k", "df -k /t | tail -n 1 | tr -s ' ' | cut -d' ' -f2", "64\n"),
    ],
)
def test_a_tmpfs(bb, flags, show, expected):
    assert bb.once("sh", "-c", show, flags=flags).ok().out == expected


def test_the_same_place_twice_is_refused(bb):
    result = bb.once("true", flags="-v vol:/v -v other:/v/").fails(125)
    assert "Duplicate mount point" in result.err and volumes(bb) == []


@pytest.mark.parametrize("target", ["/proc", "/proc/1", "/proc/sys/kernel", "/", "/..", "/x/../proc", "relative"])
def test_row_3_10_a_target_that_would_hide_the_masks_or_the_root_is_refused(clean, data, target):
    result = clean.once("true", flags=f"-v {data}:{target}").fails(125)
    assert "mount" in result.err


@pytest.mark.parametrize("source", ["a/b", "-v", "x!", "v"])
def test_a_bad_volume_name_is_refused(clean, source):
    result = clean.once("true", flags=f"-v={source}:/v").fails(125)
    assert "volume" in result.err


@pytest.mark.parametrize("link, target", [("/proc", "/link/sys"), ("..", "/link"), ("/proc/self", "/link/root")])
def test_row_3_10_a_link_of_the_image_leads_to_no_refused_target(host, link, target):
    host.image("evil", [("link", (link,))])
    host.once("busybox", "true", image="evil", flags=f"-v vol:{target}").fails(125)


@pytest.mark.parametrize(
    "entries, target, shown",
    [
        ([("link", ("/etc",))], "/link/sub", "/etc/sub"),
        ([("link", ("../../../../run",))], "/link/canary", "/run/canary"),
        ([], "/a/../../../b", "/b"),
        ([("a", None), ("a/link", ("../../..",))], "/a/link/b", "/b"),
    ],
)
def test_row_6_1_a_target_resolves_inside_the_root(host, entries, target, shown):
    host.sh("mkdir /run/canary").ok()
    host.image("evil", [("etc", None), *entries])
    host.once("sh", "-c", f"busybox touch {shown}/file", image="evil", flags=f"-v vol:{target}").ok()
    assert host.sh(f"ls {VOLUMES}/vol/_data").out == "file\n"
    assert host.sh("ls /run/canary").out == ""


def test_row_6_1_a_link_loop_ends_in_an_error(host):
    host.image("evil", [("a", ("b",)), ("b", ("a",))])
    assert "/a/x" in host.once("busybox", "true", image="evil", flags="-v vol:/a/x").fails(125).err


def test_row_6_2_the_first_copy_follows_no_link(host):
    host.sh("echo secret > /run/secret").ok()
    host.image("evil", [("srv", None), ("srv/link", ("/run/secret",)), ("srv/up", ("../../../../run",))])
    result = host.once("busybox", "readlink", "/srv/link", image="evil", flags="-v vol:/srv").ok()
    assert result.out == "/run/secret\n"
    assert host.sh(f"readlink {VOLUMES}/vol/_data/link {VOLUMES}/vol/_data/up").out == "/run/secret\n../../../../run\n"


def test_row_3_16_read_only_goes_down_to_what_is_mounted_below(bb, data):
    (data / "sub").mkdir()
    bb.sh(f"mount -t tmpfs below {data}/sub").ok()
    result = bb.once("sh", "-c", "touch /d/x; touch /d/sub/x", flags=f"-v {data}:/d:ro").fails(1)
    assert result.err.count("Read-only file system") == 2
    bb.once("touch", "/d/sub/x", flags=f"-v {data}:/d").ok()


def test_row_3_16_flags_of_the_source_are_kept(bb):
    bb.sh("mkdir /run/source && mount -t tmpfs -o nosuid,noexec source /run/source").ok()
    options = bb.once("sh", "-c", "grep ' /d ' /proc/mounts", flags="-v /run/source:/d:ro").ok().out.split()[3].split(",")
    assert {"ro", "nosuid", "noexec"} <= set(options)


def test_row_3_17_a_mount_made_in_the_container_is_not_seen_on_the_host(bb, data):
    (data / "sub").mkdir()
    bb.sh(f"mount --bind {data} {data} && mount --make-shared {data}").ok()
    bb.daemon("c", "sh", "-c", "mount -t tmpfs x /d/sub && touch /d/sub/inside && sleep 1000", flags=f"--cap-add SYS_ADMIN -v {data}:/d")
    bb.inside("c", "sh", "-c", "until test -e /d/sub/inside; do sleep 0.05; done", timeout=10).ok()
    assert list((data / "sub").iterdir()) == []


def test_row_13_10_removal_leaves_bound_folders_alone(bb, data):
    bb.daemon("c", "sleep", "1000", flags=f"-v {data}:/d -v {data}:/d/inner -v /anonymous")
    bb.mc("rm", "-f", "-v", "c").ok()
    assert (data / "file").read_text() == "from the host\n"


COMPOSE = """
services:
  one:
    image: bb
    command: [sh, -c, "echo kept >> /v/file; cat /v/file"]
    volumes: ["data:/v", "/anonymous"]
volumes: {data: {}}
"""


def test_down_keeps_named_volumes(bb):
    bb.compose(COMPOSE)
    bb.mc("-p", "demo", "-f", "compose.yaml", "up").ok()
    bb.mc("-p", "demo", "-f", "compose.yaml", "down").ok()
    assert "demo_data" in volumes(bb)
    assert "one-1  | kept\none-1  | kept\n" in bb.mc("-p", "demo", "-f", "compose.yaml", "up").ok().out


def test_down_v_removes_named_and_anonymous_volumes(clean):
    clean.compose(COMPOSE)
    clean.mc("-p", "demo", "-f", "compose.yaml", "up").ok()
    result = clean.mc("-p", "demo", "-f", "compose.yaml", "down", "-v").ok()
    assert "demo_data" in result.err and volumes(clean) == []


def test_an_anonymous_volume_is_carried_over_to_a_recreated_container(bb):
    text = COMPOSE.replace("echo kept >> /v/file; cat /v/file", "echo x >> /anonymous/x; cat /anonymous/x")
    bb.compose(text)
    bb.mc("up").ok()
    bb.compose(text.replace("image: bb", "image: bb\n    environment: {CHANGED: 1}"))
    assert "one-1  | x\none-1  | x\n" in bb.mc("up").ok().out


SHARING = """
services:
  taker:
    image: bb
    command: sleep 1000
    network_mode: none
    stop_grace_period: 0s
    volumes_from: [FROM]
    volumes: [own:/own]
  giver:
    image: seeded
    command: busybox sleep 1000
    network_mode: none
    stop_grace_period: 0s
    tmpfs: [/scratch]
    volumes: ["named:/named", "/anonymous", "BIND:/bind:ro", "other:/own"]
volumes: {named: , own: , other: }
"""


@pytest.fixture
def sharing(clean):
    clean.image("seeded", [("seed", None), ("seed/file", "of the image\n")], 'VOLUME ["/seed"]')
    clean.file("data/file", "bound\n")

    def up(source, *words, **arguments):
        clean.compose(SHARING.replace("FROM", source).replace("BIND", f"{clean.directory}/data"))
        return clean.mc("up", "-d", *words, **arguments)

    clean.up = up
    yield clean
    clean.mc("down", "-v", "-t", "0").ok()


def test_volumes_from_a_service(sharing):
    sharing.up("giver").ok()
    sharing.mc("exec", "giver", "busybox", "sh", "-c", "for d in named anonymous scratch own; do echo $d > /$d/x; done").ok()
    script = "cat /named/x /anonymous/x /bind/file /seed/file; ls -A /own; test -e /scratch || echo none"
    assert sharing.mc("exec", "taker", "sh", "-c", script).ok().out == "named\nanonymous\nbound\nof the image\nnone\n"
    sharing.mc("exec", "taker", "sh", "-c", "echo x > /named/y && ! echo x > /bind/y").ok()
    second = sharing.mc("up", "-d").ok()
    assert second.err.count("Running") == 2 and "Creat" not in second.err


def test_volumes_from_read_only(sharing):
    sharing.up("giver:ro").ok()
    sharing.mc("exec", "taker", "sh", "-c", "for d in named anonymous seed bind; do ! echo x > /$d/y || exit 1; done; echo x > /own/y").ok()
    sharing.mc("exec", "giver", "busybox", "sh", "-c", "echo x > /named/z").ok()


def test_volumes_from_a_container_outside_of_the_project(sharing):
    sharing.daemon("outside", "sh", "-c", "echo hello > /v/word; exec sleep 1000", flags="-v shared:/v")
    sharing.up("container:outside").ok()
    assert sharing.mc("exec", "taker", "cat", "/v/word").ok().out == "hello\n"
    sharing.mc("rm", "-f", "outside").ok()
    sharing.mc("volume", "rm", "shared").fails(1)
    sharing.mc("down", "-v", "-t", "0").ok()
    sharing.mc("volume", "rm", "shared").ok()


@pytest.mark.parametrize("source, message", [("container:nosuch", "No such container: nosuch"), ("giver:sideways", "invalid mode: sideways")])
def test_volumes_from_nothing_is_told_before_anything_is_made(sharing, source, message):
    result = sharing.up(source).fails(1)
    assert "compose.yaml:8:19: services.taker.volumes_from: " in result.err and message in result.err
    assert sharing.ps() == []


def test_an_anonymous_volume_that_is_shared_goes_with_the_last(sharing):
    sharing.up("giver").ok()
    before = volumes(sharing)
    sharing.mc("rm", "-s", "-f", "-v", "giver").ok()
    assert volumes(sharing) == before
    sharing.mc("exec", "taker", "cat", "/seed/file").ok()
    sharing.mc("rm", "-s", "-f", "-v", "taker").ok()
    assert [name for name in volumes(sharing) if len(name) == 64] == []


def test_volumes_from_in_a_one_off(sharing):
    sharing.up("giver").ok()
    assert sharing.mc("run", "--rm", "-T", "taker", "cat", "/seed/file").ok().out == "of the image\n"


def test_a_recreated_giver_gives_the_same_volumes(sharing):
    sharing.up("giver").ok()
    sharing.mc("exec", "taker", "sh", "-c", "echo kept > /anonymous/x").ok()
    sharing.mc("up", "-d", "--force-recreate").ok()
    assert sharing.mc("exec", "taker", "cat", "/anonymous/x").ok().out == "kept\n"
    assert sharing.mc("exec", "giver", "busybox", "cat", "/anonymous/x").ok().out == "kept\n"


def test_volume_create_with_labels_and_options(clean):
    clean.sh("mkdir /tmp/data && echo hello > /tmp/data/file").ok()
    assert clean.mc("volume", "create", "--label", "a=b", "-o", "type=none", "--opt", "o=bind", "-o", "device=/tmp/data", "vol").ok().out == "vol\n"
    shown = json.loads(clean.mc("volume", "inspect", "vol").ok().out)[0]
    assert shown["Labels"] == {"a": "b"} and shown["Options"] == {"type": "none", "o": "bind", "device": "/tmp/data"}
    assert clean.once("cat", "/d/file", flags="-v vol:/d").ok().out == "hello\n"
    clean.mc("volume", "rm", "vol").ok()
    assert clean.sh("cat /tmp/data/file; rm -r /tmp/data").out == "hello\n"


@pytest.mark.parametrize("options, message", [(["-o", "type=tmpfs"], 'missing required option: "device"'), (["-o", "what=x"], 'invalid option: "what"'), (["-d", "cloud"], "'cloud' is not supported")])
def test_volume_create_refuses_what_it_cannot_do(clean, options, message):
    assert message in clean.mc("volume", "create", *options, "vol").fails(1).err
    assert volumes(clean) == []


@pytest.mark.parametrize("filters, shown", [(["dangling=true"], ["free"]), (["dangling=false"], ["used"]), (["driver=local"], ["free", "used"]), (["driver=x"], []), (["name=us", "dangling=0"], ["used"]), (["name=us", "dangling=1"], [])])
def test_volume_ls_filters(bb, filters, shown):
    bb.mc("volume", "create", "free").ok()
    bb.mc("run", "--name", "c", "--network", "none", "-v", "used:/v", "bb", "true").ok()
    words = [word for text in filters for word in ("--filter", text)]
    assert bb.mc("volume", "ls", "-q", *words).ok().out.split() == shown


def test_volume_ls_refuses_an_unknown_filter(bb):
    bb.mc("volume", "create", "free").ok()
    assert "invalid filter 'dangling=maybe'" in bb.mc("volume", "ls", "--filter", "dangling=maybe").fails(1).err


# volumes of a file whose words changed

KEPT = """
services:
  web: {image: bb, command: sleep 600, stop_grace_period: 0s, volumes: ["data:/srv"]}
  side: {image: bb, command: sleep 600, stop_grace_period: 0s}
volumes:
  data: %s
"""


def ids(host):
    return {row["Service"]: row["ID"] for row in host.ps()}


@pytest.fixture
def changed(bb):
    """A running project whose file now says something else of its volume."""
    bb.compose(KEPT % "{labels: {tier: one}}")
    bb.mc("-p", "demo", "up", "-d").ok()
    bb.mc("-p", "demo", "exec", "-T", "web", "sh", "-c", "echo kept > /srv/file").ok()
    bb.compose(KEPT % '{driver_opts: {type: tmpfs, device: tmpfs, o: "size=1m"}}')
    bb.env["COMPOSE_PROJECT_NAME"] = "demo"
    return bb


def test_a_volume_that_the_file_describes_otherwise_is_asked_about_and_kept(changed):
    before = ids(changed)
    for answer in (None, "n\n", "\n"):
        result = changed.mc("up", "-d", input=answer).ok()
        assert 'Volume "demo_data" exists but doesn\'t match configuration in compose file. Recreate (data will be lost)?' in result.out
        assert "compose.yaml:6:3: volumes.data: volume \\\"demo_data\\\" stays as it was made" in result.err
    assert ids(changed) == before
    assert changed.mc("exec", "-T", "web", "cat", "/srv/file").ok().out == "kept\n"


@pytest.mark.parametrize("words, answer", [(("up", "-d"), "y\n"), (("up", "-d", "--yes"), None)])
def test_it_is_made_anew_with_the_containers_that_use_it_once_that_is_agreed(changed, words, answer):
    before = ids(changed)
    changed.mc(*words, input=answer).ok()
    after = ids(changed)
    assert after["web"] != before["web"] and after["side"] == before["side"]
    assert changed.mc("exec", "-T", "web", "sh", "-c", "ls /srv; grep -c ' /srv tmpfs ' /proc/mounts").ok().out == "1\n"
    again = changed.mc("up", "-d").ok()
    assert "exists but" not in again.out and ids(changed) == after


def test_a_dry_run_asks_nothing_and_shows_what_yes_would_do(changed):
    assert "remove volume" not in changed.mc("up", "--dry-run", input="y\n").ok().out
    lines = changed.mc("up", "--dry-run", "--yes").ok().out.splitlines()
    order = [next(i for i, line in enumerate(lines) if line.startswith(words)) for words in ("stop container demo-web", "remove container demo-web", "remove volume", "create volume", "create container demo-web")]
    assert order == sorted(order), lines
    assert changed.mc("exec", "-T", "web", "cat", "/srv/file").ok().out == "kept\n"


def test_one_that_somebody_else_uses_is_not_made_anew(changed):
    changed.daemon("stranger", "sleep", "600", flags="-v demo_data:/in")
    result = changed.mc("up", "-d", "--yes").fails(1)
    assert "demo_data" in result.err and "in use" in result.err
    assert changed.inside("stranger", "cat", "/in/file").ok().out == "kept\n"
    changed.mc("rm", "-f", "stranger").ok()
    changed.mc("up", "-d", "--yes").ok()
    assert len(ids(changed)) == 2


def test_run_makes_a_volume_by_the_options_of_a_mount(bb):
    mount = 'type=volume,src=vol,dst=/srv,volume-driver=local,volume-opt=type=tmpfs,volume-opt=device=tmpfs,"volume-opt=o=size=1m,noexec"'
    out = bb.mc("run", "--rm", "--mount", mount, "bb", "grep", " /srv ", "/proc/mounts").ok().out
    assert out.startswith("tmpfs /srv tmpfs ") and "noexec" in out and "size=1024k" in out
    options = json.loads(bb.mc("volume", "inspect", "vol").ok().out)[0]["Options"]
    assert options == {"type": "tmpfs", "device": "tmpfs", "o": "size=1m,noexec"}


@pytest.mark.parametrize("word, said", [("volume-opt=type=tmpfs", 'missing required option: "device"'), ("volume-opt=odd=1", 'invalid option: "odd"'), ("volume-opt=", "volume-opt")])
def test_options_that_no_volume_can_have_are_refused(clean, word, said):
    result = clean.mc("run", "--rm", "--mount", f"type=volume,src=vol,dst=/srv,{word}", "bb", "true").fails(125)
    assert said in result.err
