# SPDX-License-Identifier: GPL-2.0-or-later
"""User namespaces where the kernel decides what it can: owners of a tmpfs, on which the data root of a test host is, are mapped from Linux 6.3 on."""

import os

GIVEN = ("--userns", "auto:uidmapping=0:200000:65536")


def test_row_4_6_a_data_root_on_tmpfs_is_mapped_or_named(host):
    result = host.once("stat", "-c", "%u:%g", "/", "/data", flags=" ".join(GIVEN))
    if tuple(map(int, os.uname().release.split(".")[:2])) >= (6, 3):
        assert result.ok().out.split() == ["0:0", "1000:1000"]
    else:
        assert f"owners of the files of '/var/lib/mycompose' (tmpfs) cannot be mapped by Linux {os.uname().release}" in result.fails(125).err
