#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Run a program as if the kernel lacked something: without.py WHAT[,WHAT] PROGRAM [ARGUMENT...], WHAT being overlay, mapped-overlay, iptables, nft or sctp

A seccomp filter gives the answer that such a kernel gives: mount(2) of an overlay (the only one the engine makes with no flags at all) ends in ENODEV, or in EINVAL,
getsockopt(2) of the iptables level in ENOPROTOOPT, a netfilter netlink or an SCTP socket in EPROTONOSUPPORT.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

NUMBERS = {"x86_64": {"mount": 165, "getsockopt": 55, "socket": 41}, "aarch64": {"mount": 40, "getsockopt": 209, "socket": 198}}[platform.machine()]
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
IPPROTO_IP, IPT_SO_GET_INFO = 0, 64
AF_NETLINK, NETLINK_NETFILTER = 16, 12
IPPROTO_SCTP = 132

# name: (system call, {argument: value}, answer)
MISSING = {
    "overlay": ("mount", {3: 0}, errno.ENODEV),
    "mapped-overlay": ("mount", {3: 0}, errno.EINVAL),
    "iptables": ("getsockopt", {1: IPPROTO_IP, 2: IPT_SO_GET_INFO}, errno.ENOPROTOOPT),
    "sctp": ("socket", {2: IPPROTO_SCTP}, errno.EPROTONOSUPPORT),
    "nft": ("socket", {0: AF_NETLINK, 2: NETLINK_NETFILTER}, errno.EPROTONOSUPPORT),
}


def program(name, arguments, answer):
    """cBPF over struct seccomp_data: nr at 0, args (64 bit each, low half first) at 16."""
    tests = [(0, NUMBERS[name])]
    for index, value in arguments.items():
        tests += [(16 + 8 * index, value & 0xFFFFFFFF), (20 + 8 * index, value >> 32)]
    code = []
    for i, (offset, value) in enumerate(tests):
        to_allow = 2 * (len(tests) - 1 - i) + 1
        code += [struct.pack("=HBBI", LOAD, 0, 0, offset), struct.pack("=HBBI", EQUAL, 0, to_allow, value)]
    code += [struct.pack("=HBBI", RETURN, 0, 0, ERRNO | answer), struct.pack("=HBBI", RETURN, 0, 0, ALLOW)]
    return b"".join(code), len(code)


def forbid(libc, what):
    code, length = program(*MISSING[what])
    text = ctypes.create_string_buffer(code, len(code))
    filter_program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", length, ctypes.addressof(text)))
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter_program, 0, 0) != 0:
        sys.exit(f"seccomp: {os.strerror(ctypes.get_errno())}")


def main():
    libc = ctypes.CDLL(None, use_errno=True)
    for what in sys.argv[1].split(","):
        forbid(libc, what)
    os.execv(sys.argv[2], sys.argv[2:])


main()
