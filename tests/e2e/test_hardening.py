# SPDX-License-Identifier: GPL-2.0-or-later
"""What a process inside a container may not see, have or do. The numbers are those of the project's hardening list."""

import hashlib
import io
import json
import os
import platform
import struct
import tarfile

import pytest

import testhost
from testhost import BINARY, wait_until
from test_rootfs import mounts

DEFAULT = "00000000a80425fb"


def status(result):
    """The lines of `probe status` by their names."""
    return dict(line.split(": ", 1) if ": " in line else (line.rstrip(":"), "") for line in result.ok().out.splitlines())


def capabilities(*names):
    numbers = {"CHOWN": 0, "DAC_OVERRIDE": 1, "FOWNER": 3, "KILL": 5, "NET_RAW": 13, "NET_ADMIN": 12, "SYS_ADMIN": 21, "SYS_TIME": 25}
    return sum(1 << numbers[name] for name in names)


# --- 1 process identity and capabilities


def test_row_1_1_the_default_capabilities_are_dockers_14(bb):
    seen = status(bb.once("probe", "status"))
    assert (seen["CapEff"], seen["CapPrm"], seen["CapBnd"]) == (DEFAULT, DEFAULT, DEFAULT)


def test_row_1_2_a_dropped_capability_is_not_there(bb):
    bb.once("probe", "raw-socket").ok()
    assert bb.once("probe", "raw-socket", flags="--cap-drop NET_RAW").fails(1).out == "raw-socket EPERM\n"


@pytest.mark.parametrize("flags", ["", "-u 1000", "--cap-add SYS_ADMIN", "--privileged"])
def test_row_1_3_nothing_is_inheritable_or_ambient(bb, flags):
    bb.daemon("c", "sleep", "1000", flags=flags)
    for seen in (status(bb.once("probe", "status", flags=flags)), status(bb.inside("c", "probe", "status"))):
        assert int(seen["CapInh"], 16) == int(seen["CapAmb"], 16) == 0


def test_row_1_4_another_user_has_none_but_the_bounding_set(bb):
    bb.daemon("c", "sleep", "1000", flags="-u 1000")
    for result in (bb.once("probe", "status", flags="-u 1000"), bb.inside("c", "probe", "status")):
        seen = status(result)
        assert int(seen["CapEff"], 16) == int(seen["CapPrm"], 16) == 0 and seen["CapBnd"] == DEFAULT


@pytest.mark.parametrize(
    "flags, expected",
    [
        ("--cap-drop ALL", 0),
        ("--cap-drop all --cap-add CHOWN", capabilities("CHOWN")),
        ("--cap-add CHOWN --cap-drop ALL", capabilities("CHOWN")),
        ("--cap-drop ALL --cap-add cap_chown --cap-add Cap_Kill", capabilities("CHOWN", "KILL")),
        ("--cap-add NET_ADMIN", int(DEFAULT, 16) | capabilities("NET_ADMIN")),
        ("--cap-drop CHOWN --cap-drop cap_kill", int(DEFAULT, 16) & ~capabilities("CHOWN", "KILL")),
    ],
)
def test_row_1_5_added_and_dropped(bb, flags, expected):
    seen = status(bb.once("probe", "status", flags=flags))
    assert int(seen["CapEff"], 16) == int(seen["CapBnd"], 16) == expected


def test_row_1_5_all_less_what_is_dropped(bb):
    everything = int(status(bb.run(os.environ.get("MYCOMPOSE_PROBE", "build/tests/probe"), "status"))["CapBnd"], 16)
    seen = status(bb.once("probe", "status", flags="--cap-add ALL --cap-drop SYS_TIME"))
    assert int(seen["CapEff"], 16) == everything & ~capabilities("SYS_TIME")


@pytest.mark.parametrize("flag", ["--cap-add SYS_ADMN", "--cap-drop SYS_ADMN", "--cap-add 21", "--cap-add ''"])
def test_row_1_5_an_unknown_capability_is_refused(clean, flag):
    assert "apabilit" in clean.once("true", flags=flag).fails(125).err


@pytest.mark.parametrize("key, word", [("cap_add: [SYS_ADMN]", "SYS_ADMN"), ("cap_drop: [SYS_ADMN]", "SYS_ADMN"), ("sysctls: {kernel.core_pattern: x}", "kernel.core_pattern"), ("volumes: ['/proc:/proc']", "/proc"), ("working_dir: x", "'x'")])
def test_row_1_5_a_mistake_in_a_file_is_told_before_anything_is_made(clean, key, word):
    clean.compose(f"services:\n  a: {{image: bb, command: ['true']}}\n  s:\n    image: bb\n    {key}\n")
    result = clean.mc("up", "-d").fails(1)
    assert result.err.startswith("compose.yaml:") and len(result.err.splitlines()) == 1 and word in result.err
    assert result.err.split(":")[1] in "345"


def test_row_1_6_privileged_has_all_that_the_host_has(bb):
    seen = status(bb.once("probe", "status", flags="--privileged"))
    host = status(bb.run(os.environ.get("MYCOMPOSE_PROBE", "build/tests/probe"), "status"))
    assert (seen["CapEff"], seen["Seccomp"]) == (host["CapBnd"], "0")
    disks = bb.sh("find /dev -type b -printf '%f\\n' | sort").ok().out
    assert bb.once("sh", "-c", "find /dev -type b | sed 's|.*/||' | sort", flags="--privileged").ok().out == disks
    bb.once("sh", "-c", "grep -q CPU0 /proc/interrupts && touch /proc/sys/kernel/domainname", flags="--privileged").ok()


def test_row_1_8_the_callers_groups_are_cleared(bb):
    result = bb.run("setpriv", "--groups", "6,7", BINARY, "run", "--rm", "--network", "none", "bb", "id", "-G").ok()
    assert result.out == "0\n"


@pytest.mark.parametrize("user", ["4294967295", "4294967296", "-1", "0x0", "2147483648", "1000:4294967295", "1000:-1", "+1"])
def test_row_1_9_bad_ids_are_refused(clean, user):
    clean.once("id", flags=f"-u {user}").fails(125)


@pytest.mark.parametrize("path", ["/run/canary/passwd", "../../../../run/canary/passwd"])
def test_row_1_9_passwd_is_not_read_from_the_host(host, path):
    host.sh("mkdir -p /run/canary; echo 'intruder:x:4321:4321::/:/bin/sh' > /run/canary/passwd").ok()
    host.image("evil", [("etc", None), ("etc/passwd", (path,))])
    host.once("busybox", "id", image="evil", flags="-u intruder").fails(125)


@pytest.mark.parametrize("name, flags", [("passwd", "-u user"), ("group", "-u 0:user"), ("group", "-u user")])
def test_row_1_9_a_huge_file_of_users_is_refused(host, name, flags):
    entries = [("etc", None), ("etc/passwd", "user:x:1000:1000::/:/bin/sh\n"), ("etc/group", "x:x:5:\n")]
    entries = [e for e in entries if e[0] != f"etc/{name}"] + [(f"etc/{name}", "y:x:1:\n" * 2_000_000)]
    host.image("evil", entries)
    assert f"/etc/{name}" in host.once("busybox", "true", image="evil", flags=flags).fails(125).err


@pytest.mark.parametrize("flags, expected", [("", "0"), ("--security-opt no-new-privileges", "1"), ("--security-opt no-new-privileges:true", "1")])
def test_row_1_10_no_new_privileges(bb, flags, expected):
    bb.daemon("c", "sh", "-c", "cp /bin/probe /become-root && chmod 4755 /become-root && exec sleep 1000", flags=flags)
    wait_until(lambda: bb.inside("c", "test", "-u", "/become-root").code == 0)
    seen = status(bb.inside("c", "/become-root", "status", flags="-u 1000"))
    assert seen["NoNewPrivs"] == expected
    assert seen["Uid"].split() == ["1000"] + ["1000" if expected == "1" else "0"] * 3


def test_row_1_11_nothing_of_how_the_caller_was_run(bb):
    words = f"{BINARY} run --rm --network none bb sh -c 'probe status; umask; cut -d\" \" -f19 /proc/self/stat; grep Cpus_allowed_list /proc/self/status; cat /proc/self/oom_score_adj'"
    plain = bb.sh(words).ok().out
    odd = bb.sh(f"trap '' PIPE CHLD HUP USR1; umask 077; exec nice -n 5 taskset -c 0 env -u PATH {words}").ok().out
    assert odd == plain
    seen = dict(line.split(": ", 1) for line in plain.splitlines() if ": " in line)
    assert int(seen["SigBlk"], 16) == int(seen["SigIgn"], 16) == 0 and "\n0022\n0\n" in plain


def test_row_1_12_no_key_ring_of_the_caller(bb):
    assert bb.once("cat", "/proc/keys").ok().out == ""


# --- 2 seccomp

NUMBERS = {
    "clone": 56, "personality": 135, "pivot_root": 155, "mount": 165, "swapon": 167, "add_key": 248, "request_key": 249, "keyctl": 250,
    "move_pages": 279, "perf_event_open": 298, "open_by_handle_at": 304, "setns": 308, "bpf": 321, "userfaultfd": 323,
    "io_uring_setup": 425, "io_uring_enter": 426, "open_tree": 428, "move_mount": 429, "fsopen": 430, "clone3": 435, "mount_setattr": 442,
    "unassigned": 1999, "socket": 41, "getppid": 110,
}  # fmt: skip

x86_64_only = pytest.mark.skipif(platform.machine() != "x86_64", reason="needs privilege: an x86_64 machine, for its call numbers")


def answers(host, calls, **arguments):
    """What the kernel says to each call: an errno's name, or "ok"."""
    script = "; ".join(f"echo $(probe syscall {NUMBERS[call.split()[0]]} {' '.join(call.split()[1:])})" for call in calls)
    lines = host.once("sh", "-c", script, **arguments).ok().out.splitlines()
    return dict(zip(calls, ("ok" if line.split()[1].lstrip("-").isdigit() else line.split()[1] for line in lines), strict=True))


DENIED = ["pivot_root", "mount", "add_key", "request_key", "keyctl", "move_pages", "setns", "bpf",
          "userfaultfd", "io_uring_setup", "io_uring_enter", "fsopen"]  # fmt: skip


@x86_64_only
def test_row_2_5_calls_that_are_not_listed_are_denied(bb):
    """With all capabilities, so that it is the filter that speaks: it goes by the capabilities the container was made with."""
    assert set(answers(bb, DENIED).values()) == {"EPERM"}


@x86_64_only
def test_row_2_5_the_same_calls_without_the_filter_reach_the_kernel(bb):
    seen = answers(bb, DENIED, flags="--cap-add ALL --security-opt seccomp=unconfined")
    assert "EPERM" not in {seen[call] for call in DENIED if call not in ("bpf", "io_uring_setup", "userfaultfd")}, seen


@x86_64_only
def test_row_2_2_a_capability_opens_its_calls(bb):
    opened = ["mount", "setns", "fsopen", "open_tree", "move_mount", "mount_setattr", "bpf"]
    assert set(answers(bb, opened).values()) == {"EPERM"}
    assert "EPERM" not in answers(bb, ["mount", "setns", "open_tree", "move_mount", "mount_setattr"], flags="--cap-add SYS_ADMIN").values()
    assert answers(bb, ["keyctl", "userfaultfd"], flags="--cap-add SYS_ADMIN") == {"keyctl": "EPERM", "userfaultfd": "EPERM"}


@x86_64_only
def test_row_2_3_arguments_decide(bb):
    calls = {
        "socket 2 1 0": "ok",
        "socket 1 1 0": "ok",
        "socket 38 5 0": "EPERM",
        "socket 40 1 0": "EPERM",
        "socket 37 1 0": "EAFNOSUPPORT",
        "personality 0": "ok",
        "personality 8": "ok",
        "personality 0x20000": "ok",
        "personality 0xffffffff": "ok",
        "personality 0x40000": "EPERM",
        "personality 1": "EPERM",
        "clone 0x10000011": "EPERM",
        "clone 0x00020011": "EPERM",
    }
    assert answers(bb, calls) == calls


def test_row_2_3_no_user_namespace(bb):
    assert bb.once("probe", "unshare-user").fails(1).out == "unshare EPERM\n"
    bb.once("probe", "unshare-user", flags="--cap-add SYS_ADMIN").ok()


@x86_64_only
def test_row_2_4_clone3_says_that_it_is_not_there(bb):
    assert answers(bb, ["clone3"]) == {"clone3": "ENOSYS"}
    assert answers(bb, ["clone3"], flags="--cap-add SYS_ADMIN") != {"clone3": "ENOSYS"}


@x86_64_only
def test_row_2_8_a_call_of_the_future_says_that_it_is_not_there(bb):
    assert answers(bb, ["unassigned"]) == {"unassigned": "ENOSYS"}


@pytest.mark.parametrize("flags", ["", "-u 1000", "--cap-add SYS_ADMIN", "--cap-drop ALL", "--security-opt no-new-privileges"])
def test_row_2_9_filtered_without_no_new_privileges(bb, flags):
    seen = status(bb.once("probe", "status", flags=flags))
    assert (seen["NoNewPrivs"], seen["Seccomp"]) == ("1" if "no-new" in flags else "0", "2")


def i386(code):
    """A static program for the 32-bit ABI."""
    base = 0x08048000
    size = 52 + 32 + len(code)
    header = b"\x7fELF\x01\x01\x01" + bytes(9) + struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, base + 84, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    return header + struct.pack("<IIIIIIII", 1, 0, base, base, size, size, 5, 0x1000) + code


def ends_with(code):
    """mov ebx, CODE; mov eax, 1 (exit); int 0x80"""
    return i386(b"\xbb" + struct.pack("<I", code) + b"\xb8\x01\x00\x00\x00\xcd\x80")


def ends_with_answer(number):
    """mov eax, NUMBER; mov ebx, -1; int 0x80; neg eax; mov ebx, eax; mov eax, 1 (exit); int 0x80"""
    call = b"\xb8" + struct.pack("<I", number) + b"\xbb\xff\xff\xff\xff\xcd\x80"
    return i386(call + b"\xf7\xd8\x89\xc3\xb8\x01\x00\x00\x00\xcd\x80")


@x86_64_only
@pytest.mark.parametrize(
    "program, code",
    # getpid says 1, whose negative is 255 as an exit code; keyctl and io_uring_register get EPERM
    [(ends_with(42), 42), (ends_with_answer(20), 255), (ends_with_answer(288), 1), (ends_with_answer(427), 1)],
    ids=["exit", "getpid", "keyctl", "io_uring_register"],
)
def test_row_2_10_a_32_bit_program_runs_and_is_filtered(bb, program, code):
    for name, content in (("check", ends_with(42)), ("program", program)):
        (bb.directory / name).write_bytes(content)
        (bb.directory / name).chmod(0o755)
    if bb.run(bb.directory / "check").code != 42:
        pytest.skip("needs privilege: a kernel that runs 32-bit programs")
    bb.once("/program", flags=f"-v {bb.directory}/program:/program:ro").fails(code)


def test_row_2_11_unconfined(bb):
    assert status(bb.once("probe", "status", flags="--security-opt seccomp=unconfined"))["Seccomp"] == "0"


def test_row_2_11_a_profile_of_ones_own_holds_in_exec_too(bb):
    bb.file("profile.json", '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95}]}')
    bb.daemon("c", "sleep", "1000", flags="--security-opt seccomp=profile.json")
    for result in (bb.once("mkdir", "/x", flags="--security-opt seccomp=profile.json"), bb.inside("c", "mkdir", "/x")):
        assert "Operation not supported" in result.fails(1).err


@pytest.mark.parametrize("text", ["", "{", "[]", '{"defaultAction": "SCMP_ACT_NONSENSE"}', '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": 5}]}'])
def test_row_2_11_a_bad_profile_is_refused(clean, text):
    clean.file("profile.json", text)
    clean.once("true", flags="--security-opt seccomp=profile.json").fails(125)


def test_row_2_11_a_missing_profile_is_refused(clean):
    assert "missing.json" in clean.once("true", flags="--security-opt seccomp=missing.json").fails(125).err


# --- 3 mounts, /proc, /sys, /dev


def test_row_3_2_links_swapped_under_a_start_lead_nowhere(bb):
    """A container swaps a directory and a link in a volume while others are started that mount below it."""
    bb.sh("mkdir -p /run/canary/target; echo untouched > /run/canary/file").ok()
    swap = "while :; do rm -rf /v/d; mkdir -p /v/d; rmdir /v/d; ln -s /../../../../run/canary /v/d; done"
    bb.daemon("swapper", "sh", "-c", swap, flags="-v shared:/v")
    bb.file("data/mine", "x")
    for _ in range(10):
        bb.once("sh", "-c", "echo evil > /v/d/target/file; echo evil > /v/d/file", flags=f"-v shared:/v -v {bb.directory}/data:/v/d/target -w /v/d")
    assert bb.sh("cat /run/canary/file; ls /run/canary /run/canary/target").out == "untouched\n/run/canary:\nfile\ntarget\n\n/run/canary/target:\n"


MASKED = ["/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug",
          "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/firmware", "/sys/devices/virtual/powercap"]  # fmt: skip


def test_row_3_4_masked_paths_are_empty(bb):
    present = [path for path in MASKED if os.path.exists(path)]
    script = f'for p in {" ".join(present)}; do if test -d $p; then echo $p $(ls -A $p | wc -l); else echo $p $(cat $p | wc -c); fi; done'
    bb.daemon("c", "sleep", "1000")
    expected = [f"{path} 0" for path in present]
    assert bb.once("sh", "-c", script).ok().out.splitlines() == expected and len(present) >= 3
    assert bb.inside("c", "sh", "-c", script).ok().out.splitlines() == expected


def test_row_3_4_masked_directories_are_read_only(bb):
    directories = [path for path in MASKED if os.path.isdir(path)]
    for path in directories:
        assert "Read-only file system" in bb.once("touch", f"{path}/x").fails(1).err


@pytest.mark.parametrize("path", ["/proc/sys/kernel/domainname", "/proc/sys/vm/swappiness", "/proc/sysrq-trigger", "/proc/irq/default_smp_affinity"])
def test_row_3_5_what_acts_on_the_host_is_read_only(bb, path):
    if not os.path.exists(path):
        pytest.skip(f"needs privilege: a kernel with {path}")
    assert "Read-only file system" in bb.once("sh", "-c", f"echo h > {path}").fails(1).err


def test_row_3_5_proc_cannot_be_made_writable_again(bb):
    bb.once("mount", "-o", "remount,rw", "/proc/sys").fails()
    bb.once("mount", "-o", "remount,bind,rw", "/proc/sys").fails()


def test_row_3_6_masks_do_not_come_from_the_containers_null(bb):
    bb.file("null", "leaked\n")
    result = bb.once("cat", "/proc/interrupts", "/proc/keys", flags=f"-v {bb.directory}/null:/dev/null").ok()
    assert result.out == ""


@pytest.mark.parametrize(
    "target, kind, wanted, unwanted",
    [
        ("/proc", "proc", {"nosuid", "nodev", "noexec", "rw"}, set()),
        ("/sys", "sysfs", {"nosuid", "nodev", "noexec", "ro"}, set()),
        ("/dev", "tmpfs", {"nosuid", "size=65536k", "mode=755"}, {"nodev", "relatime", "noatime"}),
        ("/dev/pts", "devpts", {"nosuid", "noexec", "gid=5", "mode=620", "ptmxmode=666"}, {"nodev"}),
        ("/dev/shm", "tmpfs", {"nosuid", "nodev", "noexec", "size=65536k"}, set()),
        ("/dev/mqueue", "mqueue", {"nosuid", "nodev", "noexec"}, set()),
    ],
)
def test_row_3_9_and_3_13_the_standard_mounts(bb, target, kind, wanted, unwanted):
    found, options = mounts(bb.once("cat", "/proc/mounts").ok().out)[target]
    assert found == kind and wanted <= options and not unwanted & options


def test_row_3_9_every_cgroup_mount_is_read_only(bb):
    seen = {target: options for target, (kind, options) in mounts(bb.once("cat", "/proc/mounts").ok().out).items() if target.startswith("/sys/fs/cgroup")}
    assert seen and all({"ro", "nosuid", "nodev", "noexec"} <= options for options in seen.values())


def test_row_3_9_the_release_agent_is_out_of_reach(bb):
    target = "/sys/fs/cgroup/memory" if os.path.isdir("/sys/fs/cgroup/memory") else "/sys/fs/cgroup"
    result = bb.once("sh", "-c", f"echo /x > {target}/release_agent; mkdir {target}/x; mount -o remount,rw {target}; mount -t cgroup -o memory x /tmp")
    assert result.fails().err.count("Read-only file system") == 2
    assert result.err.lower().count("permission denied") + result.err.count("not permitted") == 2


def test_row_3_11_the_devices_are_the_default_ones(bb):
    script = "cd /dev; for n in *; do test ! -L $n && test ! -d $n && echo $n $(stat -c '%t:%T %a %u:%g' $n); done; ls | tr '\\n' ' '"
    lines = bb.once("sh", "-c", script).ok().out.splitlines()
    assert lines[:-1] == [
        "full 1:7 666 0:0",
        "null 1:3 666 0:0",
        "random 1:8 666 0:0",
        "tty 5:0 666 0:0",
        "urandom 1:9 666 0:0",
        "zero 1:5 666 0:0",
    ]
    core = ["core"] if os.path.exists("/proc/kcore") else []
    assert lines[-1].split() == [*core, "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero"]


def test_row_3_11_a_console_with_a_terminal_only(bb):
    assert bb.once("sh", "-c", "test -c /dev/console && stat -c %t:%T /dev/console /dev/pts/0", flags="-t").ok().out.split() == ["88:0", "88:0"]


@pytest.mark.parametrize("name, target", [("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2"), ("ptmx", "pts/ptmx")])
def test_row_3_12_links(bb, name, target):
    assert bb.once("readlink", f"/dev/{name}").ok().out == f"{target}\n"


def test_row_3_13_shm_is_64_megabytes(bb):
    result = bb.once("sh", "-c", "stat -c %a /dev/shm; dd if=/dev/zero of=/dev/shm/x bs=1M count=65 2>&1")
    assert result.out.startswith("1777\n") and "No space left" in result.fails(1).out


def test_row_3_13_a_terminal_can_be_opened_by_a_user(bb):
    assert bb.once("probe", "open-device", "/dev/ptmx", flags="-u 1000").ok().out == "open ok\n"


@pytest.mark.parametrize("setting, path, value", [("net.ipv4.ip_unprivileged_port_start=0", "net/ipv4/ip_unprivileged_port_start", "0"), ("kernel.shmmax=1234567", "kernel/shmmax", "1234567"), ("fs.mqueue.msg_max=17", "fs/mqueue/msg_max", "17"), ("kernel.sem='32001 1024000001 501 32001'", "kernel/sem", "32001 1024000001 501 32001")])  # fmt: skip
def test_row_3_14_namespaced_sysctls(bb, setting, path, value):
    before = bb.sh(f"cat /proc/sys/{path}").out
    assert bb.once("cat", f"/proc/sys/{path}", flags=f"--sysctl {setting}").ok().out.split() == value.split()
    assert bb.sh(f"cat /proc/sys/{path}").out == before


@pytest.mark.parametrize(
    "setting",
    ["kernel.core_pattern=x", "vm.swappiness=1", "kernel.hostname=x", "fs.file-max=1", "kernel/core_pattern=x", "net.ipv4.../x=1", "net/../kernel/core_pattern=x", "kernel.shmmax", "=1", "kernel.shm_nothing=1"],
)
def test_row_3_14_host_wide_sysctls_are_refused(clean, setting):
    assert "sysctl" in clean.once("true", flags=f"--sysctl {setting}").fails(125).err


@pytest.mark.parametrize("flags", ["--network host --sysctl net.ipv4.ip_forward=1", "--network none --ipc host --sysctl kernel.shmmax=1"])
def test_row_3_14_sysctls_of_a_shared_namespace_are_refused(clean, flags):
    result = clean.mc("run", "--rm", *flags.split(), "bb", "true").fails(125)
    assert "sysctl" in result.err


def test_row_3_15_an_image_of_127_layers(bb):
    """Each but the first adds a file and takes the one before it away."""
    layers = []
    for i in range(127):
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w") as tar:
            if i == 0:
                tar.add(testhost.BUSYBOX, "bin/busybox")
            for name in [f"layer-{i}"] + ([f".wh.layer-{i - 1}"] if i > 1 else []):
                testhost.add_entry(tar, name, f"{i}\n" if not name.startswith(".wh.") else "")
        layers.append(data.getvalue())
    digests = [hashlib.sha256(layer).hexdigest() for layer in layers]
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [f"sha256:{d}" for d in digests]}})
    manifest = json.dumps([{"Config": "config.json", "RepoTags": ["many:1"], "Layers": [f"{d}/layer.tar" for d in digests]}])
    with tarfile.open(bb.directory / "many.tar", "w") as tar:
        testhost.add_entry(tar, "manifest.json", manifest)
        testhost.add_entry(tar, "config.json", config)
        for digest, layer in zip(digests, layers):
            entry = tarfile.TarInfo(f"{digest}/layer.tar")
            entry.size = len(layer)
            tar.addfile(entry, io.BytesIO(layer))
    bb.mc("load", "-i", "many.tar").ok()
    assert bb.once("/bin/busybox", "sh", "-c", "cd /; echo layer-*", image="many:1").ok().out == "layer-0 layer-126\n"


# --- 4 devices


@pytest.mark.parametrize("kind, major, minor", [("c", 1, 11), ("c", 1, 1), ("c", 10, 229), ("b", 8, 0), ("b", 7, 0)])
def test_row_4_1_a_node_can_be_made_but_not_opened(bb, kind, major, minor):
    result = bb.once("sh", "-c", f"probe mknod /n {kind} {major} {minor} && probe open-device /n").fails(1)
    assert result.out == "mknod ok\nopen EPERM\n"


@pytest.mark.parametrize("major, minor", [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9)])
def test_row_4_1_the_default_devices_can_be_opened_wherever_they_are(bb, major, minor):
    bb.once("sh", "-c", f"probe mknod /n c {major} {minor} && probe open-device /n").ok()


def test_row_4_1_a_node_in_a_volume_cannot_be_opened_either(bb):
    bb.once("probe", "mknod", "/v/n", "c", "1", "11", flags="-v vol:/v").ok()
    assert bb.once("probe", "open-device", "/v/n", flags="-v vol:/v").fails(1).out == "open EPERM\n"


def test_row_4_1_privileged_may_open_all(bb):
    assert "EPERM" not in bb.once("sh", "-c", "probe mknod /n c 1 11 && probe open-device /n", flags="--privileged").out


@pytest.mark.skipif(not os.path.isdir("/sys/fs/cgroup/devices"), reason="needs privilege: a version 1 hierarchy for devices")
def test_row_4_2_the_list_of_allowed_devices(bb):
    lines = bb.once("cat", "/sys/fs/cgroup/devices/devices.list").ok().out.splitlines()
    wanted = ["c *:* m", "b *:* m", *(f"c {n} rwm" for n in ("1:3", "1:5", "1:7", "1:8", "1:9", "5:0", "5:1", "5:2", "136:*"))]
    assert sorted(lines) == sorted(wanted)


# --- 5 re-entry


def test_row_5_1_the_program_itself_is_not_writable_where_a_container_could_reach_it(bb):
    bb.daemon("c", "sleep", "1000")
    assert bb.sh("for p in $(pgrep -x mycompose); do test -w /proc/$p/exe && echo writable; done; true").out == ""
    assert bb.sh(f"test -w {BINARY} && echo writable").out == "writable\n", "the test would see it"


def test_row_5_2_a_working_directory_through_a_descriptor_is_refused(bb):
    for number in (3, 5, 7, 8):
        bb.once("ls", flags=f"-w /proc/self/fd/{number}").fails()
    bb.daemon("c", "sleep", "1000")
    for number in (3, 5, 7, 8):
        bb.inside("c", "ls", flags=f"-w /proc/self/fd/{number}").fails()


def test_row_5_2_exec_leaks_no_descriptor(bb):
    bb.daemon("c", "sleep", "1000")
    result = bb.sh(f"exec 7</etc; {BINARY} exec c probe fds").ok()
    assert [line.split()[0] for line in result.out.splitlines()] == ["0", "1", "2"]


@pytest.mark.parametrize("link", ["../../../../run/canary", "/run/canary"])
def test_row_5_3_a_working_directory_stays_inside(host, link):
    host.sh("mkdir /run/canary; touch /run/canary/host").ok()
    host.image("evil", [("work", (link,)), ("run", None), ("run/canary", None), ("run/canary/image", "x")])
    assert host.once("busybox", "ls", image="evil", flags="-w /work").ok().out == "image\n"


def test_row_5_6_no_library_or_program_of_the_image_runs_on_the_host(bb):
    """The image's files for name service and decompression would leave a mark, and so would its environment."""
    mark = bb.directory / "mark"
    script = f"#!/bin/sh\ntouch {mark}\n"
    bb.image("evil", [("bin/gzip", script, 0o755), ("bin/xz", script, 0o755), ("bin/iptables", script, 0o755), ("bin/ip", script, 0o755)], "ENV PATH=/bin LD_PRELOAD=/bin/evil.so")
    bb.daemon("c", "sh", "-c", "exec busybox sleep 1000", image="evil")
    bb.inside("c", "busybox", "true")
    bb.mc("commit", "c", "evil:2").ok()
    bb.mc("rm", "-f", "c").ok()
    assert not mark.exists()


def test_row_5_7_labels_of_an_image_put_no_container_into_a_project(bb):
    bb.image("evil", [], "LABEL com.docker.compose.project=victim com.docker.compose.service=db com.docker.compose.oneoff=False mine=kept")
    bb.daemon("c", "busybox", "sleep", "1000", image="evil")
    assert bb.mc("-p", "victim", "ps", "-a", "-q").ok().out == ""
    bb.mc("-p", "victim", "down", "--remove-orphans").ok()
    assert bb.state("c")["State"] == "running" and bb.state("c")["Labels"] == "mine=kept"


# --- security options


def test_security_options_of_a_compose_file(bb):
    bb.file("profiles/no-mkdir.json", '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95}]}')
    bb.compose(
        """
services:
  profile: {image: bb, security_opt: ["seccomp:./profiles/no-mkdir.json"], command: [mkdir, /x]}
  unconfined: {image: bb, security_opt: ["seccomp=unconfined", "no-new-privileges:true"], command: [probe, status]}
  builtin: {image: bb, security_opt: ["seccomp=builtin", "no-new-privileges=false", "label:disable", "apparmor:unconfined"], command: [probe, status]}
  open: {image: bb, security_opt: ["systempaths=unconfined"], command: [sh, -c, "grep -q CPU0 /proc/interrupts && touch /proc/sys/kernel/domainname"]}
  closed: {image: bb, command: [sh, -c, "! grep -q CPU0 /proc/interrupts && ! touch /proc/sys/kernel/domainname"]}
"""
    )
    assert "Operation not supported" in bb.mc("run", "--rm", "-T", "profile").fails(1).err
    unconfined = status(bb.mc("run", "--rm", "-T", "unconfined"))
    assert (unconfined["Seccomp"], unconfined["NoNewPrivs"]) == ("0", "1")
    builtin = status(bb.mc("run", "--rm", "-T", "builtin"))
    assert (builtin["Seccomp"], builtin["NoNewPrivs"]) == ("2", "0")
    bb.mc("run", "--rm", "-T", "open").ok()
    bb.mc("run", "--rm", "-T", "closed").ok()


@pytest.mark.parametrize(
    "option, word",
    [
        ("seccomp:missing.json", "missing.json"),
        ("seccomp", "has no value"),
        ("no-new-privileges:maybe", "maybe"),
        ("label:type:svirt_t", "SELinux"),
        ("systempaths=some", "unconfined"),
        ("nonsense=1", "apparmor, label, no-new-privileges, seccomp and systempaths"),
    ],
)
def test_a_security_option_that_cannot_be_honoured_is_told_with_its_place(clean, option, word):
    clean.compose(f"services:\n  a:\n    image: bb\n    security_opt:\n      - {option}\n")
    err = clean.mc("up", "-d").fails().err
    assert err.startswith("compose.yaml:") and "security_opt" in err and word in err


def test_row_3_8_a_profile_of_apparmor_where_there_is_none_is_refused(clean):
    enabled = clean.sh("cat /sys/module/apparmor/parameters/enabled").out.strip() == "Y"
    err = clean.once("true", flags="--security-opt apparmor=there-is-none").fails(125).err
    assert ("no such profile is loaded" if enabled else "AppArmor is not enabled on this host") in err
    assert clean.once("echo", "ran", flags="--security-opt apparmor=unconfined").ok().out == "ran\n"


def test_row_3_8_a_proc_that_is_covered_takes_no_writes_of_exec(bb):
    """CVE-2025-52881: what exec writes to /proc of the container must not be led elsewhere by mounts made in there."""
    cover = "mkdir /fake && echo 0 > /fake/oom_score_adj && mount --bind /fake /proc/$$ 2>/dev/null; mount -t tmpfs t /proc && mkdir -p /proc/self && echo 0 > /proc/self/oom_score_adj && echo covered; exec sleep 1000"
    bb.daemon("c", "sh", "-c", cover, flags="--cap-add SYS_ADMIN --security-opt systempaths=unconfined --stop-signal KILL")
    wait_until(lambda: "covered" in bb.mc("logs", "c").out)
    assert "is not procfs" in bb.inside("c", "true").fails().err


# --- what is no privilege in a network of one's own


def test_any_user_may_listen_at_a_low_port_and_ping(bb):
    flags = "--user 1000 --cap-drop ALL"
    script = "probe listen tcp 80 hello & until probe ask 127.0.0.1 80 2>/dev/null; do usleep 10000; done; kill $!"
    assert "hello" in bb.once("sh", "-c", script, flags=flags).ok().out
    shown = "cd /proc/sys/net/ipv4; cat ip_unprivileged_port_start ping_group_range"
    assert bb.once("sh", "-c", shown).ok().out.split() == ["0", "0", "2147483647"]
    # What the file says comes after; the host's own network is left as it is.
    assert bb.once("sh", "-c", shown, flags="--sysctl net.ipv4.ip_unprivileged_port_start=500").ok().out.split()[0] == "500"
    host = bb.sh(shown).ok().out
    assert bb.once("sh", "-c", shown, network="host").ok().out == host == bb.sh(shown).ok().out
