# SPDX-License-Identifier: GPL-2.0-or-later
import os
import pathlib
import signal
import subprocess
import tarfile
import time

import pytest

import testhost

STRICT = os.environ.get("MYCOMPOSE_STRICT_SKIPS") == "1"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """In CI a skip is a failure, unless it names a privilege that the machine lacks."""
    outcome = yield
    report = outcome.get_result()
    if STRICT and report.skipped and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if "needs privilege" not in reason:
            report.outcome = "failed"
            report.longrepr = f"skipped, which CI does not accept: {reason}"


# Whoever started this in the background has left SIGINT ignored, which programs that are started inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config):
    config.addinivalue_line("markers", "link_kind(words): needs links of this kind, as `ip link add` names it; where the kernel has none it is deselected")


def _has_link_kind(words):
    script = f"ip link add probe0 type dummy && ip link add link probe0 name probe1 type {words}"
    return subprocess.run(["unshare", "--net", "sh", "-c", script], capture_output=True).returncode == 0


def _deselect_what_the_kernel_lacks(config, items):
    """Such tests are for the kernel of `make check-vm`, which has all kinds: here they would be skipped for ever."""
    known, left = {}, []
    for item in items:
        marks = [mark.args[0] for mark in item.iter_markers("link_kind")]
        for words in marks:
            known.setdefault(words, _has_link_kind(words))
        if not all(known[words] for words in marks):
            left.append(item)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


LONG = ("test_killed_at_every_call", "test_mounts_killed", "test_soak", "test_cycles", "test_update", "test_logs_under_kill")


def pytest_collection_modifyitems(config, items):
    """Tests that take long are spread over the first half, since a worker is given neighbours, and whoever gets the last ones keeps all waiting."""
    _deselect_what_the_kernel_lacks(config, items)
    heavy = [item for item in items if item.path.stem in LONG]
    light = [item for item in items if item.path.stem not in LONG]
    if not heavy or not light:
        return
    step = max(len(light) // (2 * len(heavy)), 1)
    items[:] = [item for i, one in enumerate(heavy) for item in (one, *light[i * step : (i + 1) * step])] + light[len(heavy) * step :]


def _add_busybox(tar):
    tar.add(testhost.BUSYBOX, "bin/busybox")
    for name in subprocess.run([testhost.BUSYBOX, "--list"], capture_output=True, text=True, check=True).stdout.split():
        if name != "busybox":
            link = tarfile.TarInfo(f"bin/{name}")
            link.type = tarfile.SYMTYPE
            link.linkname = "busybox"
            tar.addfile(link)


@pytest.fixture(scope="session")
def busybox_tar(tmp_path_factory):
    """A root file system: busybox with its links, the probe, passwd and group, /tmp, and a directory with content for volumes."""
    path = tmp_path_factory.mktemp("image") / "busybox.tar"
    files = {
        "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n",
        "etc/group": "root:x:0:\nuser:x:1000:\nextra:x:2000:user\n",
        "data/from-image": "image content\n",
    }
    with tarfile.open(path, "w") as tar:
        for name, mode in (("bin", 0o755), ("etc", 0o755), ("tmp", 0o1777), ("root", 0o700), ("home", 0o755), ("home/user", 0o755), ("data", 0o750)):
            entry = tarfile.TarInfo(name)
            entry.type = tarfile.DIRTYPE
            entry.mode = mode
            if name in ("home/user", "data"):
                entry.uid = entry.gid = 1000
            tar.addfile(entry)
        _add_busybox(tar)
        tar.add(testhost.PROBE, "bin/probe")
        for name, text in files.items():
            scratch = path.parent / "scratch"
            scratch.write_text(text)
            tar.add(scratch, name, filter=lambda info: info)
    return path


@pytest.fixture
def host(tmp_path):
    """A bare test host."""
    if os.geteuid() != 0:
        pytest.skip("needs privilege: root")
    tmp_path = pathlib.Path(os.path.realpath(tmp_path))
    # The host has a /tmp of its own: `make e2e` puts the tests' folders elsewhere (--basetemp), so that both sides see them.
    made = testhost.TestHost(tmp_path)
    yield made
    made.close()


@pytest.fixture
def bb(host, busybox_tar):
    """A test host whose store holds the image `bb`."""
    host.mc("import", busybox_tar, "bb", "--change", 'CMD ["sh"]').ok()
    return host


@pytest.fixture
def clean(bb):
    """As bb; after the test nothing may be on the host that was not there before it."""
    before = bb.snapshot()
    yield bb
    # The supervisor of what was removed last ends just after the command that removed it.
    deadline = time.monotonic() + 5
    while (after := bb.snapshot()) != before and time.monotonic() < deadline:
        time.sleep(0.1)
    for what in before:
        assert after[what] == before[what], f"{what} left behind"
