# SPDX-License-Identifier: GPL-2.0-or-later
"""Secrets and configs: where they lie, whose they are, who can read them, and where their content must never be seen."""

import json

import pytest

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


def test_row_11_1_what_is_kept_for_restarts_is_roots_alone(stack):
    up(stack).ok()
    found = stack.sh(f"grep -rl {VALUE} /run/mycompose").ok().out.split()
    assert len(found) == 1
    assert stack.sh(f"stat -c '%u %a' {found[0]}; stat -c '%u %a' $(dirname {found[0]}); stat -f -c %T {found[0]}").out == "0 600\n0 700\ntmpfs\n"
    stack.mc("down", "-t", "0").ok()
    assert stack.sh(f"grep -rl {VALUE} /run/mycompose").out == ""
