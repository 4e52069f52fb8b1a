# SPDX-License-Identifier: GPL-2.0-or-later
"""The image store from outside: import, load, save, images, rmi, commit, with skopeo as the other side."""

import gzip
import hashlib
import io
import json
import random
import tarfile
import time

import pytest

from testhost import BINARY, BUSYBOX, add_entry, wait_until

STORE = "/var/lib/mycompose"


def ids_of(host, *words):
    return host.mc("images", "-q", "--no-trunc", *words).ok().out.split()


def id_of(host, name):
    found = ids_of(host, name)
    assert len(found) == 1, f"{name}: {found}"
    return found[0]


def names(host):
    return sorted(host.mc("images", "--format", "{{.Repository}}:{{.Tag}}").ok().out.split())


def config(host, name):
    return json.loads(host.sh(f"cat {STORE}/images/blobs/sha256/{id_of(host, name).removeprefix('sha256:')}").ok().out)


def skopeo(host, *words):
    return host.run("skopeo", "--insecure-policy", "--tmpdir", host.directory, *words)


def copy(host, source, target):
    return skopeo(host, "copy", "-q", source, target).ok()


def content(host):
    """All that the store holds: blobs and unpacked layers."""
    return host.sh(f"ls {STORE}/images/blobs/sha256 {STORE}/layers").ok().out.split()


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def small_tar(*entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for entry in entries:
            add_entry(tar, *entry)
    return out.getvalue()


def layout(host, layers, name="made:1", mangle=None, platform="amd64"):
    """An OCI layout folder of layer tars, whose parts `mangle` may change after their digests were taken."""
    blobs = {}

    def blob(kind, data, media_type):
        digest = sha256(data)
        blobs[digest] = mangle(kind, data) if mangle else data
        return {"mediaType": f"application/vnd.oci.image.{media_type}", "digest": digest, "size": len(data)}

    parts = [blob("layer", gzip.compress(layer, mtime=0), "layer.v1.tar+gzip") for layer in layers]
    image = {"architecture": platform, "os": "linux", "config": {"Cmd": ["sh"]}}
    image["rootfs"] = {"type": "layers", "diff_ids": [sha256(layer) for layer in layers]}
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob("config", json.dumps(image).encode(), "config.v1+json"),
        "layers": parts,
    }
    entry = blob("manifest", json.dumps(manifest).encode(), "manifest.v1+json")
    entry["annotations"] = {"org.opencontainers.image.ref.name": name}
    folder = host.directory / "layout"
    (folder / "blobs/sha256").mkdir(parents=True)
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    for digest, data in blobs.items():
        (folder / "blobs/sha256" / digest.removeprefix("sha256:")).write_bytes(data)
    return folder


# import


def test_import_prints_the_id_and_the_image_runs(host, busybox_tar):
    result = host.mc("import", busybox_tar, "mine:1").ok()
    assert result.out == id_of(host, "mine:1") + "\n" and result.err == ""
    assert host.once("echo", "hello", image="mine:1").ok().out == "hello\n"


def test_row_13_1_imports_killed_at_random_instants_leave_no_temporary_file(host):
    tar = host.directory / "small.tar"
    left = 0
    for attempt in range(25):
        tar.write_bytes(small_tar(("f", f"{attempt}")))
        process = host.start("sh", "-c", 'echo $$; exec "$@"', "sh", BINARY, "import", tar, f"k:{attempt}")
        pid = process.stdout.readline().strip()
        time.sleep(random.uniform(0, 0.03))
        host.sh(f"kill -9 {pid}")
        process.communicate(timeout=10)
        left += ".tmp-" in host.sh(f"ls -A {STORE}/images").out
    host.mc("import", tar, "last").ok()
    assert host.sh(f"ls -A {STORE}/images").ok().out.split() == ["blobs", "index.json", "oci-layout"], f"seen {left} times"
    assert ".work-" not in host.sh(f"ls -A {STORE}/layers").ok().out
    for name in names(host):
        host.mc("save", "-o", "/dev/null", name).ok()


def test_import_reads_a_compressed_archive_from_standard_input(host, busybox_tar):
    host.sh(f"gzip -c {busybox_tar} | $MC import - mine", env={"MC": BINARY}).ok()
    assert host.once("true", image="mine").ok()


@pytest.mark.parametrize(
    "change, key, value",
    [
        ('CMD ["sh", "-c", "echo x"]', "Cmd", ["sh", "-c", "echo x"]),
        ("CMD echo $HOME", "Cmd", ["/bin/sh", "-c", "echo $HOME"]),
        ('ENTRYPOINT ["sleep"]', "Entrypoint", ["sleep"]),
        ("ENV A=b", "Env", ["A=b"]),
        ("EXPOSE 6379", "ExposedPorts", {"6379/tcp": {}}),
        ("EXPOSE 53/udp", "ExposedPorts", {"53/udp": {}}),
        ("USER 1000:1000", "User", "1000:1000"),
        ("WORKDIR /data", "WorkingDir", "/data"),
        ("VOLUME /data", "Volumes", {"/data": {}}),
        ("LABEL a=b", "Labels", {"a": "b"}),
        ("STOPSIGNAL SIGQUIT", "StopSignal", "SIGQUIT"),
    ],
)
def test_a_change_is_in_the_configuration(host, change, key, value):
    host.image("changed", [], change)
    assert config(host, "changed")["config"][key] == value


@pytest.mark.parametrize("change", ["FROM x", "EXPOSE 99999", "WORKDIR", "ENV"])
def test_a_bad_change_is_refused_and_leaves_nothing(host, busybox_tar, change):
    result = host.mc("import", busybox_tar, "bad", "--change", change).fails(1)
    assert result.err.count("\n") == 1 and change.split()[0] in result.err
    assert ids_of(host) == []


def test_what_is_no_archive_is_refused_and_leaves_nothing(host):
    host.file("text", "not a tar at all\n" * 100)
    result = host.mc("import", "text", "bad").fails(1)
    assert result.err.count("\n") == 1 and "text" in result.err
    assert ids_of(host) == [] and host.sh(f"ls {STORE}/layers 2>/dev/null").out == ""


def test_row_7_10_a_truncated_archive_is_refused_and_leaves_nothing(host, busybox_tar):
    host.sh(f"head -c 300000 {busybox_tar} > cut.tar").ok()
    assert "cut.tar" in host.mc("import", "cut.tar", "bad").fails(1).err
    assert ids_of(host) == [] and host.sh(f"ls {STORE}/layers 2>/dev/null").out == ""


@pytest.mark.parametrize(
    "entries",
    [
        [("../canary", "overwritten\n")],
        [("link", ("/run",)), ("link/canary", "overwritten\n")],
        [("link", ("../../../../../../run",)), ("link/canary", "overwritten\n")],
    ],
)
def test_row_7_1_no_entry_leads_outside_of_the_layer(host, entries):
    host.sh("echo original > /run/canary; echo original > /var/lib/mycompose/canary").ok()
    (host.directory / "evil.tar").write_bytes(small_tar(*entries))
    host.mc("import", "evil.tar", "evil")
    assert host.sh("cat /run/canary /var/lib/mycompose/canary").out == "original\noriginal\n"


def test_row_7_3_the_root_of_an_archive_is_a_directory(host):
    (host.directory / "evil.tar").write_bytes(small_tar(("./", ("/etc",)), ("file", "x")))
    host.mc("import", "evil.tar", "evil").fails(1)
    assert ids_of(host) == []


def test_a_name_moves_to_the_newer_image(host):
    host.image("same", [("one", "1")])
    old = id_of(host, "same")
    host.image("same", [("two", "2")])
    assert id_of(host, "same") != old
    assert old in ids_of(host) and names(host) == ["<none>:<none>", "same:latest"]


# images


def test_images_has_dockers_columns(bb):
    header, row = bb.mc("images").ok().out.splitlines()
    assert header.split("  ")[0] == "REPOSITORY" and header.split() == "REPOSITORY TAG IMAGE ID CREATED SIZE".split()
    cells = row.split()
    assert cells[:2] == ["bb", "latest"] and len(cells[2]) == 12 and "sha256:" + cells[2] in id_of(bb, "bb")


def test_images_as_json_has_one_object_a_line_with_dockers_keys(bb):
    bb.image("second", [("x", "y")])
    rows = [json.loads(line) for line in bb.mc("images", "--format", "json").ok().out.splitlines()]
    keys = "Containers CreatedAt CreatedSince Digest ID Repository SharedSize Size Tag UniqueSize VirtualSize"
    assert len(rows) == 2 and all(list(row) == keys.split() for row in rows)


@pytest.mark.parametrize(
    "words, shown",
    [
        (["a*"], ["a1:latest", "a2:latest"]),
        (["-f", "reference=b"], ["b:latest"]),
        (["-f", "label=k=v"], ["b:latest"]),
        (["-f", "dangling=true"], []),
    ],
)
def test_images_are_chosen(host, words, shown):
    host.image("a1", [("1", "")])
    host.image("a2", [("2", "")])
    host.image("b", [("3", "")], "LABEL k=v")
    assert sorted(host.mc("images", "--format", "{{.Repository}}:{{.Tag}}", *words).ok().out.split()) == shown


def test_images_of_a_project_shows_its_containers(clean):
    clean.compose("services: {a: {image: bb, command: [sleep, '1000'], stop_signal: SIGKILL}}")
    clean.mc("-p", "demo", "-f", "compose.yaml", "up", "-d").ok()
    header, row = clean.mc("-p", "demo", "images").ok().out.splitlines()
    assert header.split() == "CONTAINER REPOSITORY TAG IMAGE ID SIZE".split()
    assert row.split()[:3] == ["demo-a-1", "bb", "latest"]
    assert clean.mc("-p", "demo", "images", "-q").ok().out.strip() == id_of(clean, "bb").removeprefix("sha256:")
    clean.mc("-p", "demo", "down").ok()


# rmi


def test_rmi_removes_the_image_with_its_blobs_and_layers(bb):
    before = content(bb)
    image = bb.image("gone", [("x", "y")])
    digest = id_of(bb, image)
    result = bb.mc("rmi", image).ok()
    assert "Untagged: gone:latest\n" in result.out and f"Deleted: {digest}\n" in result.out
    assert content(bb) == before


def test_rmi_of_one_of_two_names_takes_off_the_name_only(bb):
    bb.daemon("c", "sleep", "1000")
    bb.mc("commit", "c", "made:1").ok()
    bb.mc("save", "-o", "made.tar", "made:1").ok()
    copy(bb, "docker-archive:made.tar:made:1", "docker-archive:other.tar:made:2")
    bb.mc("load", "-i", "other.tar").ok()
    assert id_of(bb, "made:1") == id_of(bb, "made:2")
    assert bb.mc("rmi", "made:1").ok().out == "Untagged: made:1\n"
    assert bb.once("true", image="made:2").ok()


def test_rmi_of_an_unknown_image_fails_unless_forced(bb):
    assert bb.mc("rmi", "unknown").fails(1).err == "No such image: unknown:latest\n"
    assert "No such image" in bb.mc("rmi", "-f", "unknown").ok().err


def test_rmi_of_an_image_in_use_is_refused(bb):
    bb.daemon("user", "sleep", "1000")
    result = bb.mc("rmi", "bb").fails(1)
    assert result.err.count("\n") == 1 and "unable to remove 'bb'" in result.err
    bb.inside("user", "true").ok()
    assert names(bb) == ["bb:latest"]


def test_row_8_8_layers_under_a_container_stay_when_its_image_is_forced_away(bb):
    bb.mc("run", "--name", "stopped", "--network", "none", "bb", "true").ok()
    bb.mc("rmi", "-f", "bb")
    bb.mc("start", "stopped").ok()
    wait_until(lambda: bb.state("stopped")["State"] == "exited", what="its second end")
    assert bb.record("stopped")["exitCode"] == 0


def test_rmi_keeps_a_layer_that_another_image_shares(bb):
    bb.daemon("c", "sh", "-c", "echo x > /x; sleep 1000")
    bb.mc("commit", "c", "child").ok()
    bb.mc("rm", "-f", "c").ok()
    bb.mc("rmi", "bb").ok()
    assert bb.once("true", image="child").ok()
    bb.mc("rmi", "child").ok()
    assert content(bb) == content_of_nothing(bb)


def content_of_nothing(host):
    return [f"{STORE}/images/blobs/sha256:", f"{STORE}/layers:"]


# load and save, with skopeo as the other side


@pytest.mark.parametrize("kind", ["docker-archive", "oci-archive"])
def test_what_is_saved_skopeo_reads(bb, kind):
    bb.mc("save", "-o", "saved.tar", "bb").ok()
    seen = json.loads(skopeo(bb, "inspect", "--config", f"{kind}:saved.tar").ok().out)
    assert seen["config"]["Cmd"] == ["sh"] and seen["rootfs"] == config(bb, "bb")["rootfs"]


@pytest.mark.parametrize("kind", ["docker-archive", "oci-archive", "oci"])
def test_what_skopeo_writes_is_loaded_and_runs(bb, kind):
    bb.mc("save", "-o", "saved.tar", "bb").ok()
    copy(bb, "docker-archive:saved.tar", f"{kind}:other:copied:2")
    result = bb.mc("load", "-i", "other").ok()
    assert result.out == "Loaded image: copied:2\n"
    assert bb.once("echo", "hello", image="copied:2").ok().out == "hello\n"


def test_what_is_saved_is_loaded_again_with_the_same_id(bb):
    before = id_of(bb, "bb")
    bb.mc("save", "-o", "saved.tar", "bb").ok()
    bb.mc("rmi", "bb").ok()
    assert ids_of(bb) == []
    bb.mc("load", "-i", "saved.tar").ok()
    assert id_of(bb, "bb") == before and bb.once("true").ok()


def test_save_to_standard_output_is_the_same_archive(bb):
    bb.mc("save", "-o", "saved.tar", "bb").ok()
    assert bb.mc("save", "bb", binary=True).ok().out == (bb.directory / "saved.tar").read_bytes()


def test_two_images_in_one_archive(bb):
    bb.image("second", [("x", "y")])
    bb.mc("save", "-o", "saved.tar", "bb", "second").ok()
    for name in ("bb", "second"):
        seen = skopeo(bb, "inspect", "--config", f"docker-archive:saved.tar:{name}:latest").ok().out
        assert json.loads(seen)["rootfs"] == config(bb, name)["rootfs"]
    bb.mc("rmi", "bb", "second").ok()
    assert sorted(bb.mc("load", "-i", "saved.tar").ok().out.splitlines()) == ["Loaded image: bb:latest", "Loaded image: second:latest"]


def test_save_of_an_unknown_image_leaves_no_file(bb):
    assert "No such image: unknown:latest" in bb.mc("save", "-o", "saved.tar", "unknown").fails(1).err
    assert bb.sh("ls").out == ""


def test_a_layer_in_zstd_is_loaded(bb):
    bb.mc("save", "-o", "saved.tar", "bb").ok()
    skopeo(bb, "copy", "-q", "--dest-compress-format", "zstd", "docker-archive:saved.tar", "oci:other:z:1").ok()
    bb.mc("load", "-i", "other").ok()
    assert bb.once("true", image="z:1").ok()


def test_docker_made_archives_of_version_1_have_no_index(bb):
    """As `docker save` wrote them before 25: manifest.json, <hex>.json and <hex>/layer.tar, nothing of OCI."""
    layer = small_tar(("bin", None), ("file", "inside\n"))
    image = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [sha256(layer)]}})
    manifest = json.dumps([{"Config": "c.json", "RepoTags": ["old:1"], "Layers": ["l/layer.tar"]}])
    with tarfile.open(bb.directory / "old.tar", "w") as tar:
        add_entry(tar, "c.json", image)
        entry = tarfile.TarInfo("l/layer.tar")
        entry.size = len(layer)
        tar.addfile(entry, io.BytesIO(layer))
        add_entry(tar, "manifest.json", manifest)
    assert bb.mc("load", "-i", "old.tar").ok().out == "Loaded image: old:1\n"
    assert config(bb, "old:1")["rootfs"]["diff_ids"] == [sha256(layer)]


@pytest.mark.parametrize("name, kind", [("bin", tarfile.DIRTYPE), ("dev/console", tarfile.CHRTYPE)])
def test_load_of_a_root_file_system_names_import(host, name, kind):
    with tarfile.open(host.directory / "rootfs.tar", "w") as tar:
        entry = tarfile.TarInfo(name)
        entry.type = kind
        tar.addfile(entry)
    assert "`mycompose import`" in host.mc("load", "-i", "rootfs.tar").fails(1).err
    assert ids_of(host) == []


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "l/../../x"])
def test_row_8_6_a_path_that_is_no_member_of_the_archive_is_refused(host, path):
    manifest = json.dumps([{"Config": "c.json", "RepoTags": ["evil:1"], "Layers": [path]}])
    image = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": ["sha256:" + "0" * 64]}})
    (host.directory / "evil.tar").write_bytes(small_tar(("c.json", image), ("manifest.json", manifest)))
    assert host.mc("load", "-i", "evil.tar").fails(1).err.count("\n") == 1
    assert ids_of(host) == []


def flip(wanted):
    def mangle(kind, data):
        return data[:-5] + bytes([data[-5] ^ 1]) + data[-4:] if kind == wanted else data

    return mangle


def test_a_layout_made_by_hand_is_loaded(host):
    layout(host, [small_tar(("file", "inside\n"))])
    assert host.mc("load", "-i", "layout").ok().out == "Loaded image: made:1\n"


@pytest.mark.parametrize("kind", ["manifest", "config", "layer"])
def test_row_8_1_one_wrong_byte_is_found(host, kind):
    layout(host, [small_tar(("file", "inside\n"))], mangle=flip(kind))
    result = host.mc("load", "-i", "layout").fails(1)
    assert result.err.count("\n") == 1 and "sha256" in result.err
    assert ids_of(host) == [] and host.sh(f"ls {STORE}/layers 2>/dev/null").out == ""


def test_row_8_5_another_architecture_is_an_error_when_it_is_to_run(host):
    layout(host, [small_tar(("file", "inside\n"))], platform="s390x")
    loaded = host.mc("load", "-i", "layout")
    result = loaded if loaded.code else host.once("file", image="made:1")
    assert result.code != 0 and result.err.count("\n") >= 1


@pytest.mark.parametrize(
    "upper, shown",
    [
        ([("d/.wh.a", "")], "/d/b /e"),
        ([(".wh.d", "")], "/e"),
        ([("d/.wh..wh..opq", ""), ("d/c", "")], "/d/c /e"),
        ([("d/c", ""), ("d/.wh..wh..opq", "")], "/d/c /e"),
        ([("d/a", "new"), ("d/.wh.a", "")], "/d/a /d/b /e"),
        ([("d", "now a file")], "/d /e"),
    ],
)
def test_row_7_4_whiteouts_of_a_layer(host, upper, shown):
    base = io.BytesIO()
    with tarfile.open(fileobj=base, mode="w") as tar:
        tar.add(BUSYBOX, "bin/busybox")
        add_entry(tar, "bin/sh", ("busybox",))
        for name in ("d/a", "d/b", "e"):
            add_entry(tar, name, "base\n")
    layout(host, [base.getvalue(), small_tar(*upper)])
    host.mc("load", "-i", "layout").ok()
    show = "cd /; busybox find d e -type f 2>/dev/null | busybox sort | busybox sed s,^,/, | busybox xargs"
    assert host.once("sh", "-c", show, image="made:1").ok().out.strip() == shown


@pytest.mark.parametrize("name", [".wh.", ".wh..", ".wh..."])
def test_row_7_4_a_whiteout_of_the_folder_itself_is_refused(host, name):
    layout(host, [small_tar(("d/a", "x")), small_tar((f"d/{name}", ""))])
    host.mc("load", "-i", "layout").fails(1)
    assert ids_of(host) == []


def test_row_8_8_loads_at_once_leave_one_image_whole(bb):
    bb.mc("save", "-o", "saved.tar", "bb").ok()
    bb.mc("rmi", "bb").ok()
    running = [bb.start(BINARY, "load", "-i", "saved.tar") for _ in range(6)]
    assert [process.communicate(timeout=60)[1] for process in running] == [""] * 6
    assert names(bb) == ["bb:latest"] and bb.once("true").ok()
    assert bb.sh(f"find {STORE} -path '*/diff/*' -prune -o -name '*tmp*' -print").out == ""


# commit


@pytest.fixture
def changed(bb):
    """A container that has added, changed and removed files."""
    script = (
        "echo added > /added; echo changed > /data/from-image; rm /etc/group; rm -r /home/user; mkdir /home/user;"
        "echo fresh > /home/user/fresh; ln -s added /link; chown 5:6 /added; chmod 4755 /added; sleep 1000"
    )
    bb.daemon("c", "sh", "-c", script, flags="-e A=b -w /data")
    bb.inside("c", "sh", "-c", "until test -L /link && test -u /added; do sleep 0.05; done", timeout=10).ok()
    return bb


def test_commit_prints_the_id_and_the_new_image_runs(changed):
    result = changed.mc("commit", "c", "made:1").ok()
    assert result.out == id_of(changed, "made:1") + "\n"
    show = "cat /added /data/from-image; ls /home/user; readlink /link; stat -c '%a %u %g' /added; ls /etc/group"
    out = changed.once("sh", "-c", show, image="made:1").fails(1).out
    assert out == "added\nchanged\nfresh\nadded\n4755 5 6\n"


def test_commit_adds_only_the_writable_layer(changed):
    changed.mc("commit", "c", "made:1").ok()
    base, made = config(changed, "bb")["rootfs"]["diff_ids"], config(changed, "made:1")["rootfs"]["diff_ids"]
    assert made[:-1] == base
    copy_of_layer = layer_members(changed, "made:1")
    assert "added" in copy_of_layer and "bin/busybox" not in copy_of_layer


def layer_members(host, name):
    """Names in the top layer's tar, as another program reads it."""
    host.mc("save", "-o", "layers.tar", name).ok()
    copy(host, f"docker-archive:layers.tar", "dir:unpacked")
    manifest = json.loads((host.directory / "unpacked/manifest.json").read_text())
    blob = host.directory / "unpacked" / manifest["layers"][-1]["digest"].removeprefix("sha256:")
    with tarfile.open(blob) as tar:
        return [member.name.removeprefix("./").rstrip("/") for member in tar]


def test_commit_writes_whiteouts_in_the_images_form(changed):
    changed.mc("commit", "c", "made:1").ok()
    members = layer_members(changed, "made:1")
    assert "etc/.wh.group" in members and "home/user/.wh..wh..opq" in members
    assert "etc/group" not in members


def test_commit_leaves_out_mounts_and_what_the_engine_has_put_there(changed):
    changed.mc("commit", "c", "made:1").ok()
    members = layer_members(changed, "made:1")
    assert not [m for m in members if m.split("/")[0] in ("proc", "sys", "dev") and "/" in m]
    assert not [m for m in members if m in ("etc/hosts", "etc/resolv.conf", "etc/hostname") and "/" not in m]


def test_commit_keeps_environment_and_takes_changes(changed):
    changed.mc("commit", "-c", 'CMD ["echo", "new"]', "-c", "EXPOSE 80", "-a", "me", "-m", "why", "c", "made:1").ok()
    made = config(changed, "made:1")
    assert made["config"]["Cmd"] == ["echo", "new"] and "A=b" in made["config"]["Env"]
    assert made["config"]["WorkingDir"] == "/data" and made["config"]["ExposedPorts"] == {"80/tcp": {}}
    assert made["author"] == "me" and made["history"][-1]["comment"] == "why"
    assert not [e for e in made["config"]["Env"] if e.startswith("HOSTNAME=")]
    assert changed.once(image="made:1").ok().out == "new\n"


def test_commit_of_a_stopped_container(changed):
    changed.mc("kill", "c").ok()
    changed.mc("commit", "c", "made:1").ok()
    assert changed.once("cat", "/added", image="made:1").ok().out == "added\n"


def test_a_committed_container_goes_on(changed):
    changed.mc("commit", "c").ok()
    assert changed.state("c")["State"] == "running"
    changed.inside("c", "true").ok()


def test_a_commit_of_a_commit_has_one_layer_more(changed):
    changed.mc("commit", "c", "made:1").ok()
    changed.daemon("d", "sh", "-c", "echo second > /second; rm /added; sleep 1000", image="made:1")
    changed.inside("d", "sh", "-c", "until test -e /second && ! test -e /added; do sleep 0.05; done", timeout=10).ok()
    changed.mc("commit", "d", "made:2").ok()
    assert len(config(changed, "made:2")["rootfs"]["diff_ids"]) == 3
    assert changed.once("sh", "-c", "cat /second; ls /added", image="made:2").fails(1).out == "second\n"


def test_commit_of_a_service(clean):
    clean.compose("services: {a: {image: bb, command: [sh, -c, 'echo x > /x; sleep 1000'], stop_signal: SIGKILL}}")
    clean.mc("up", "-d").ok()
    clean.mc("exec", "-T", "a", "sh", "-c", "until test -s /x; do sleep 0.05; done").ok()
    result = clean.mc("commit", "a", "made:1").ok()
    assert id_of(clean, "made:1") in result.out + result.err
    clean.mc("down").ok()
    assert clean.mc("-p", "x", "run", "--rm", "--network", "none", "made:1", "cat", "/x").ok().out == "x\n"


def test_row_7_5_a_commit_holds_no_overlay_attributes(changed):
    changed.mc("commit", "c", "made:1").ok()
    changed.mc("save", "-o", "layers.tar", "made:1").ok()
    copy(changed, "docker-archive:layers.tar", "dir:unpacked")
    layers = changed.sh("for f in unpacked/*; do gunzip -c $f 2>/dev/null || cat $f; done", binary=True).ok().out
    assert b"home/user" in layers and b"trusted.overlay" not in layers


def test_commit_of_an_unknown_container(bb):
    assert bb.mc("commit", "unknown", "x:1").fails(1).err == "No such container: unknown\n"
