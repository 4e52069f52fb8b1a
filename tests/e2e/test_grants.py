# SPDX-License-Identifier: GPL-2.0-or-later
"""Secrets and configs: where they lie, whose they are, who can read them, and where their content must never be seen."""

import pytest

from testhost import wait_until

VALUE = "hunter2-xyzzy"

STACK = """
services:
  app:
    image: bb
    command: sleep 1000
    network_mode: none
    stop_grace_period: 0s
    secrets: [token]
secrets:
  token:
    file: ./token
"""


@pytest.fixture
def stack(clean):
    clean.file("token", VALUE)
    clean.compose(STACK)
    yield clean
    clean.mc("down", "-v", "-t", "0")


def up(host, **arguments):
    return host.mc("up", "-d", **arguments)


def look(host, path, service="app"):
    """owner, mode and content of a file in the service's container."""
    return host.mc("exec", service, "sh", "-c", f"stat -c '%u:%g %a' {path} && cat {path}").ok().out


def test_a_secret_of_a_file_is_roots_and_readable_by_all(stack):
    up(stack).ok()
    assert look(stack, "/run/secrets/token") == f"0:0 444\n{VALUE}"


def test_row_11_1_a_secret_is_on_a_tmpfs_and_read_only(stack):
    up(stack).ok()
    line = stack.mc("exec", "app", "grep", "/run/secrets/token", "/proc/self/mountinfo").ok().out
    mount, kind = line.split(" - ")
    assert kind.split()[0] == "tmpfs"
    assert {"ro", "nosuid", "nodev"} <= set(mount.split()[5].split(","))
    assert "grants" not in line and "mycompose" not in line
    assert "Read-only" in stack.mc("exec", "app", "sh", "-c", "echo x > /run/secrets/token").fails(1).err


@pytest.mark.parametrize("service", ["", "    read_only: true\n", "    user: '1000'\n", "    tmpfs: [/run]\n"])
def test_row_15_1_a_secret_is_there_whatever_the_root_is(stack, service):
    stack.compose(STACK.replace("    secrets:", service + "    secrets:"))
    up(stack).ok()
    assert look(stack, "/run/secrets/token") == f"0:0 444\n{VALUE}"


def test_row_11_1_the_value_is_in_no_state_output_or_log(stack):
    shown = up(stack).ok()
    up(stack).ok()
    texts = [shown.out + shown.err]
    for words in (["container", "inspect", stack.ps()[0]["ID"]], ["ps", "-a"], ["logs"], ["config"], ["exec", "app", "env"]):
        texts.append(stack.mc(*words).ok().out)
    assert not any(VALUE in text for text in texts)
    assert stack.sh(f"grep -r {VALUE} /var/lib/mycompose").fails(1).out == ""
    assert stack.sh(f"grep -l {VALUE[:-1]}[{VALUE[-1]}] /proc/[0-9]*/environ /proc/[0-9]*/cmdline").out == ""


def test_row_11_1_a_variable_is_not_left_in_the_environment_of_the_supervisor(stack):
    stack.compose(STACK.replace("file: ./token", "environment: WORD"))
    stack.mc("up", "-d", env={"WORD": VALUE}).ok()
    assert look(stack, "/run/secrets/token") == f"0:0 444\n{VALUE}"
    assert "WORD=" in stack.sh("tr '\\0' '\\n' < /proc/$(pgrep -o mycompose)/environ").ok().out
    assert stack.sh(f"grep -la {VALUE[:-1]}[{VALUE[-1]}] /proc/[0-9]*/environ /proc/[0-9]*/cmdline").out == ""


def test_row_11_1_what_is_kept_for_restarts_is_roots_alone(stack):
    up(stack).ok()
    found = stack.sh(f"grep -rl {VALUE} /run/mycompose").ok().out.split()
    assert len(found) == 1
    assert stack.sh(f"stat -c '%u %a' {found[0]}; stat -c '%u %a' $(dirname {found[0]}); stat -f -c %T {found[0]}").out == "0 600\n0 700\ntmpfs\n"
    stack.mc("down", "-t", "0").ok()
    assert stack.sh(f"grep -rl {VALUE} /run/mycompose").out == ""


ALL = """
services:
  app:
    image: bb
    command: sleep 1000
    network_mode: none
    stop_grace_period: 0s
    configs:
      - text
      - {source: text, target: /etc/app/text.conf, uid: '1000', gid: '1001', mode: 0750}
      - {source: variable, target: relative/name}
      - {source: script, target: /script, mode: 0755}
    secrets:
      - {source: variable, target: word, uid: '7', mode: 0400}
      - {source: variable, target: /etc/word, mode: 0666}
configs:
  text: {content: "hello $$HOME\\n"}
  variable: {environment: WORD}
  script: {file: ./script}
secrets:
  variable: {environment: WORD}
"""


@pytest.mark.parametrize(
    "path, expected",
    [
        ("/text", "0:0 444\nhello $HOME\n"),
        ("/etc/app/text.conf", "1000:1001 550\nhello $HOME\n"),
        ("/relative/name", f"0:0 444\n{VALUE}"),
        ("/run/secrets/word", f"7:0 400\n{VALUE}"),
        ("/etc/word", f"0:0 444\n{VALUE}"),
        ("/script", "0:0 555\n#!/bin/sh\necho ran\n"),
    ],
)
def test_every_source_target_owner_and_mode(clean, path, expected):
    clean.file("script", "#!/bin/sh\necho ran\n")
    clean.compose(ALL)
    clean.mc("up", "-d", env={"WORD": VALUE}).ok()
    assert look(clean, path) == expected
    clean.mc("down", "-t", "0").ok()


def test_a_config_may_be_a_program(clean):
    clean.file("script", "#!/bin/sh\necho ran\n")
    clean.compose(ALL)
    assert clean.mc("run", "--rm", "-T", "app", "/script", env={"WORD": VALUE}).ok().out == "ran\n"


def test_a_one_off_has_them_too_and_leaves_nothing(stack):
    assert stack.mc("run", "--rm", "-T", "app", "cat", "/run/secrets/token").ok().out == VALUE
    assert stack.sh(f"grep -rl {VALUE} /run/mycompose").out == ""


def test_the_restart_policy_needs_no_client(clean):
    clean.compose(
        """
services:
  app:
    image: bb
    command: [sh, -c, "cat /run/secrets/word; echo; sleep 0.2; test -e /stop || exit 1; sleep 1000"]
    network_mode: none
    restart: on-failure
    stop_grace_period: 0s
    secrets: [word]
secrets: {word: {environment: WORD}}
"""
    )
    clean.mc("up", "-d", env={"WORD": VALUE}).ok()
    wait_until(lambda: clean.mc("logs", "--no-log-prefix").ok().out.count(VALUE) >= 3, what="three starts")
    clean.mc("down", "-t", "0").ok()


def test_a_supervisor_that_adopts_the_container_can_restart_it(stack):
    up(stack).ok()
    stack.sh("kill -9 $(pgrep -o mycompose)").ok()
    stack.mc("restart", "-t", "0").ok()
    assert look(stack, "/run/secrets/token") == f"0:0 444\n{VALUE}"


def reboot(host):
    """What the run root loses when the power goes."""
    host.mc("stop", "-t", "0").ok()
    host.sh("rm -r /run/mycompose/grants").ok()


def test_after_a_reboot_up_gives_them_anew(stack):
    up(stack).ok()
    before = stack.ps()[0]["ID"]
    reboot(stack)
    up(stack).ok()
    assert stack.ps()[0]["ID"] == before
    assert look(stack, "/run/secrets/token") == f"0:0 444\n{VALUE}"


def test_after_a_reboot_a_start_by_name_says_what_is_missing(stack):
    up(stack).ok()
    name = stack.ps()[0]["Name"]
    reboot(stack)
    result = stack.mc("container", "start", name).fails(1)
    assert "secret 'token'" in result.err and "up" in result.err


def test_a_changed_content_recreates_the_container(stack):
    up(stack).ok()
    before = stack.ps()[0]["ID"]
    stack.file("token", "other")
    up(stack).ok()
    assert stack.ps()[0]["ID"] != before
    assert look(stack, "/run/secrets/token") == "0:0 444\nother"


def test_a_value_may_hold_any_bytes(stack):
    (stack.directory / "token").write_bytes(bytes(range(256)) * 2000)
    up(stack).ok()
    expected = stack.sh("sha256sum < token").ok().out
    assert stack.mc("exec", "app", "sh", "-c", "sha256sum < /run/secrets/token").ok().out == expected


@pytest.mark.parametrize(
    "make, text",
    [
        ("mkfifo token", "regular file"),
        ("mknod token c 1 5", "regular file"),
        ("ln -s /dev/zero token", "regular file"),
        ("mkdir token", "regular file"),
        ("dd if=/dev/zero of=token bs=1024 count=501", "500 KiB"),
        ("true", "No such file"),
    ],
)
def test_row_10_8_a_source_that_is_no_small_file_is_refused(clean, make, text):
    clean.compose(STACK)
    clean.run("sh", "-c", f"cd {clean.directory} && {make}").ok()
    result = up(clean, timeout=20).fails(1)
    assert "compose.yaml:10:3: secrets.token: " in result.err and text in result.err
    assert clean.ps() == []


def test_a_variable_that_is_not_set_is_refused(clean):
    clean.compose(STACK.replace("file: ./token", "environment: NOT_SET"))
    result = up(clean).fails(1)
    assert 'environment variable "NOT_SET" required by secret "token" is not set' in result.err
    assert clean.ps() == []


def test_an_external_secret_is_refused(clean):
    clean.compose(STACK.replace("file: ./token", "external: true"))
    result = up(clean).fails(1)
    assert "compose.yaml:11:" in result.err and "secrets.token.external" in result.err


@pytest.mark.parametrize(
    "entries, target, shown",
    [
        ([], "/../../etc/x", "/etc/x"),
        ([("etc", None), ("etc/link", ("/outside",))], "/etc/link/x", "/outside/x"),
        ([("etc", None), ("etc/link", ("../../../tmp",))], "/etc/link/x", "/tmp/x"),
        ([("link", ("/data/x",))], "/link", "/data/x"),
        ([("etc", None), ("etc/x", "the image's\n")], "/etc/x", "/etc/x"),
    ],
)
def test_row_6_1_a_target_resolves_inside_the_root(stack, entries, target, shown):
    stack.image("links", entries)
    stack.compose(STACK.replace("image: bb", "image: links").replace("sleep 1000", "busybox sleep 1000").replace("[token]", f"[{{source: token, target: {target}}}]"))
    before = stack.sh("ls -d /outside /tmp/x /data /etc/x 2>/dev/null").out
    up(stack).ok()
    assert stack.mc("exec", "app", "/bin/busybox", "cat", shown).ok().out == VALUE
    assert stack.sh("ls -d /outside /tmp/x /data /etc/x 2>/dev/null").out == before


@pytest.mark.parametrize("entries, target", [([("loop", ("loop",))], "/loop"), ([("link", ("/proc/self",))], "/link/attr")])
def test_row_6_1_a_target_that_leads_nowhere_is_refused(stack, entries, target):
    stack.image("links", entries)
    stack.compose(STACK.replace("image: bb", "image: links").replace("sleep 1000", "busybox sleep 1000").replace("[token]", f"[{{source: token, target: {target}}}]"))
    assert "secret 'token'" in up(stack).fails(1).err


@pytest.mark.parametrize("target", ["/", "/proc/x", "/proc"])
def test_row_3_10_a_target_that_would_hide_the_masks_or_the_root_is_refused(clean, target):
    clean.file("token", VALUE)
    clean.compose(STACK.replace("[token]", f"[{{source: token, target: {target}}}]"))
    assert "compose.yaml" in up(clean).fails(1).err
    assert clean.ps() == []


def test_row_13_1_what_a_killed_creation_left_is_swept(stack):
    stack.sh(f"mkdir -p /run/mycompose/grants/{'0' * 64} && echo {VALUE} > /run/mycompose/grants/{'0' * 64}/0").ok()
    up(stack).ok()
    assert stack.sh(f"grep -rl {VALUE} /run/mycompose").ok().out.count("\n") == 1


def test_row_11_1_a_run_root_on_a_disk_is_refused(clean):
    clean.file("token", VALUE)
    clean.compose(STACK)
    kind = clean.sh(f"stat -f -c %T {clean.directory}").out.strip()
    if kind in ("tmpfs", "ramfs"):
        pytest.skip("needs the test's folder on a disk")
    result = clean.mc("--run", str(clean.directory / "run"), "up", "-d").fails(1)
    assert "tmpfs" in result.err
    assert clean.sh(f"grep -rl {VALUE} {clean.directory}/run").out == ""
    assert clean.ps() == []


def test_row_3_2_links_swapped_under_a_start_lead_nowhere(stack):
    """A container swaps a directory and a link in a volume while others are started whose secrets lie below it."""
    stack.sh("mkdir -p /run/canary/target && echo untouched > /run/canary/file").ok()
    swap = "while :; do rm -rf /v/d; mkdir -p /v/d; rmdir /v/d; ln -s /../../../../run/canary /v/d; done"
    stack.daemon("swapper", "sh", "-c", swap, flags="-v shared:/v")
    targets = ", ".join(f"{{source: token, target: /v/d/{name}}}" for name in ("file", "target/a", "target/b", "new/c", "e", "f", "g", "h"))
    volume = "    volumes: [shared:/v]\nvolumes: {shared: {external: true}}\n"
    stack.compose(STACK.replace("secrets: [token]\n", f"secrets: [{targets}]\n" + volume, 1))
    codes = [stack.mc("run", "--rm", "-T", "app", "sh", "-c", "echo evil > /v/d/file; echo evil > /v/d/target/a; true").code for _ in range(12)]
    assert 0 in codes
    assert stack.sh("cat /run/canary/file; ls /run/canary /run/canary/target").out == "untouched\n/run/canary:\nfile\ntarget\n\n/run/canary/target:\n"
    stack.mc("rm", "-f", "swapper").ok()
    stack.mc("volume", "rm", "shared").ok()
    stack.sh("rm -r /run/canary")
