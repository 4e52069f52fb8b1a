# SPDX-License-Identifier: GPL-2.0-or-later
"""Limits of huge pages: to give them the controller is switched on in groups that elsewhere are not a test host's alone."""

import pathlib

from testhost import PROBE

MB = 1 << 20


def test_huge_pages_are_limited_by_size(bb):
    size = "2MB"
    files = f"cd /sys/fs/cgroup && cat hugetlb.{size}.max hugetlb.{size}.rsvd.max"
    assert bb.once("sh", "-c", files, flags=f"--hugepages {size}=5m").ok().out == f"{4 * MB}\n" * 2  # whole pages
    bb.compose(f"services:\n  a: {{image: bb, command: [sleep, '1000'], x-hugepages: {{{size}: 4m}}}}\n")
    bb.mc("up", "-d").ok()
    assert bb.inside("a", "sh", "-c", files).ok().out == f"{4 * MB}\n" * 2
    assert bb.mc("up", "-d").ok().err.count("Running") == 1
    assert "this kernel has no huge pages of 4MB" in bb.once("true", flags="--hugepages 4MB=4m").fails(125).err
    pages = pathlib.Path("/proc/sys/vm/nr_hugepages")
    before = pages.read_text()
    pages.write_text("4")
    try:
        assert pages.read_text() == "4\n"
        fits = f"-v {PROBE}:/probe:ro --hugepages {size}=4m"
        assert bb.once("/probe", "huge-pages", str(4 * MB), flags=fits).ok().out == f"{4 * MB}\n"
        assert bb.once("/probe", "huge-pages", str(6 * MB), flags=fits).fails(1).out == "huge-pages ENOMEM\n"
    finally:
        pages.write_text(before)
