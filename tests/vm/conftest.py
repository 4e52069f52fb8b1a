# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures by the names that tests/e2e knows, on one test host for all: in an emulated machine the host is the dearest part of a test."""

import importlib.util
import os
import pathlib
import shutil
import sys
import time

import pytest

E2E = pathlib.Path(__file__).resolve().parents[1] / "e2e"
sys.path.insert(0, str(E2E))
pytest.register_assert_rewrite("test_counter", "test_hardening", "test_limits", "test_namespaces", "test_network_drivers", "test_networks", "test_rootfs", "test_supervisor")

import testhost  # noqa: E402

_spec = importlib.util.spec_from_file_location("e2e_conftest", E2E / "conftest.py")
_e2e = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_e2e)
busybox_tar = _e2e.busybox_tar
pytest_configure = _e2e.pytest_configure


def pytest_collection_modifyitems(config, items):
    """Of what comes for both, macvlan is for the other kernels: every one of them has it, and here a test takes ten times as long."""
    left = [item for item in items if item.name.endswith("[macvlan]")]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in left]


# Commands take ten times as long here; what is waited for is the same.
SLOWNESS = 8
_wait_until, _run = testhost.wait_until, testhost.TestHost.run
testhost.wait_until = lambda condition, timeout=10, **more: _wait_until(condition, timeout * SLOWNESS, **more)
testhost.TestHost.run = lambda self, *words, timeout=60, **more: _run(self, *words, timeout=timeout * SLOWNESS, **more)


# One script, for each command that starts on the host takes a tenth of a second here.
CLEAR = f"""
ids=$({testhost.BINARY} container ls -aq) && networks=$({testhost.BINARY} network ls --format '{{{{.Name}}}}') || exit
[ -z "$ids" ] || {testhost.BINARY} rm -f $ids || exit
for name in $networks; do
    case $name in bridge | host | none) continue ;; esac
    {testhost.BINARY} network rm "$name" || exit
done
"""
# What tests do to the links of a host that is theirs alone elsewhere.
UNDO = """
for at in "" "-n outside"; do
    for name in $(ip $at -o link show type vlan | sed "s/^[0-9]*: //; s/@.*//"); do ip $at link del "$name"; done
    ip $at neigh flush all
done
"""


@pytest.fixture(scope="session")
def machine(tmp_path_factory, busybox_tar):
    made = testhost.TestHost(os.path.realpath(tmp_path_factory.mktemp("host")))
    made.mc("import", busybox_tar, "bb", "--change", 'CMD ["sh"]').ok()
    yield made
    made.close()


@pytest.fixture
def host(machine, request):
    yield machine
    machine.sh(CLEAR + (UNDO if request.function.__module__ == "test_network_drivers" else "")).ok()
    for path in machine.directory.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


bb = host


@pytest.fixture
def clean(host):
    before = host.snapshot()
    yield host
    deadline = time.monotonic() + 5 * SLOWNESS
    while (after := host.snapshot()) != before and time.monotonic() < deadline:
        time.sleep(1)
    for what in before:
        assert after[what] == before[what], f"{what} left behind"
