# SPDX-License-Identifier: GPL-2.0-or-later
"""First of all, while hardly a module is loaded: what a kernel says that has lost them (an update does that to a running one)."""

import subprocess

import pytest


@pytest.fixture
def no_modules():
    loaded = {line.split()[0] for line in open("/proc/modules")}
    assert "bridge" not in loaded, "somebody was here before"
    subprocess.run(["mount", "-t", "tmpfs", "none", "/usr/lib/modules"], check=True)
    yield
    subprocess.run(["umount", "/usr/lib/modules"], check=True)


def test_a_kernel_without_the_module_for_bridges_is_told(host, no_modules):
    result = host.mc("run", "--rm", "bb", "true").fails(125)
    assert "no interfaces of the kind 'bridge', nor a module of that name to load" in result.err
    assert host.mc("container", "ls", "-aq").ok().out == "", "nothing half-made is left"
    assert host.sh("find /var/lib/mycompose/containers /sys/fs/cgroup -regex '.*/[0-9a-f]+'").ok().out == ""


def test_modules_are_loaded_on_demand(host):
    host.mc("run", "--rm", "bb", "true").ok()
    assert {"bridge", "iptable_nat", "iptable_filter"} <= {line.split()[0] for line in open("/proc/modules")}
