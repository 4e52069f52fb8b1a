# SPDX-License-Identifier: GPL-2.0-or-later
"""More than sixty things a container may not do: all refused; and each done with the grant that belongs to it, so that it is the grant that decides.

"Done" means that the kernel went past the question of rights: many are asked for in a way that fails harmlessly afterwards.
"""

import pytest

from testhost import PROBE

REFUSED = {"EPERM", "EACCES", "EROFS", "ENOSYS"}

# what refuses (flags), what grants (flags), the actions
GROUPS = [
    (
        "",
        "--cap-add SYS_ADMIN",
        "mount-tmpfs mount-sysfs mount-bind mount-remount mount-shared umount fsopen open_tree move_mount mount_setattr "
        "unshare-user unshare-mount unshare-pid unshare-net unshare-uts unshare-ipc unshare-cgroup setns sethostname setdomainname bpf fanotify "
        "perf_event_open",
    ),
    ("", "--cap-add SYS_ADMIN --security-opt systempaths=unconfined", "mount-proc"),
    ("--pid host", "--pid host --cap-add SYS_PTRACE", "ptrace process_vm_readv open-memory open-root pidfd_getfd"),
    ("--cap-drop NET_RAW", "", "raw-socket packet-socket"),
    ("", "--cap-add NET_ADMIN", "interface-flags interface-mtu socket-buffer"),
    ("--cap-drop NET_RAW", "--cap-drop NET_RAW --cap-add NET_ADMIN", "socket-mark"),
    ("", "--security-opt seccomp=unconfined", "keyctl add_key request_key io_uring"),
    ("", "--security-opt seccomp=unconfined --cap-add SYS_PTRACE", "userfaultfd"),
    ("", "--device-cgroup-rule 'a *:* rwm' --cap-add SYSLOG", "open-disk open-loop-control open-fuse open-kmsg"),
    ("--cap-drop MKNOD", "", "mknod"),
    (
        "",
        "--security-opt systempaths=unconfined",
        "write-core_pattern write-hostname write-overcommit write-file-max write-ip_forward write-sysrq write-irq read-interrupts",
    ),
    ("", "--security-opt systempaths=unconfined --cap-add SYS_ADMIN", "read-timers"),
    ("", "--privileged", "write-sysfs make-cgroup"),
    ("", "--cap-add SYS_TIME", "settimeofday"),
    ("", "--cap-add SYS_ADMIN --security-opt seccomp=unconfined", "swapon swapoff pivot_root"),
    ("", "--cap-add SYS_BOOT", "reboot"),
    ("", "--cap-add SYS_BOOT --security-opt seccomp=unconfined", "kexec_load"),
    ("", "--cap-add SYS_MODULE", "init_module delete_module"),
    ("", "--cap-add SYS_PACCT", "acct"),
    ("", "--cap-add SYS_RAWIO", "ports"),
    ("", "--cap-add SYSLOG", "syslog"),
    ("", "--cap-add DAC_READ_SEARCH", "open_by_handle_at"),
    ("", "--cap-add SYS_NICE", "priority io-priority"),
    ("--cap-drop SYS_CHROOT", "", "chroot"),
    ("--cap-drop CHOWN", "", "chown"),
    ("--cap-drop SETUID", "", "setuid"),
]


def answers(host, flags, actions):
    return dict(line.split() for line in host.once("probe", "try", *actions, flags=flags).ok().out.splitlines())


def lacking(host):
    """What this kernel does not have at all, as root of the host sees it."""
    names = ("kexec_load", "init_module", "delete_module", "ports", "write-sysrq", "write-irq", "read-timers")
    seen = dict(line.split() for line in host.run(PROBE, "try", *names).ok().out.splitlines())
    return {name for name, answer in seen.items() if answer in ("ENOSYS", "ENOENT") and (answer == "ENOSYS" or "-" in name)}


def allowed(seen):
    return {name: answer for name, answer in seen.items() if answer not in REFUSED}


def test_every_action_of_the_probe_belongs_to_a_grant(bb):
    grouped = [name for _, _, names in GROUPS for name in names.split()]
    assert sorted(grouped) == sorted(bb.once("probe", "actions").ok().out.split()) and len(grouped) >= 60


@pytest.mark.parametrize("refusing", sorted({refusing for refusing, _, _ in GROUPS}))
def test_all_are_refused(bb, refusing):
    actions = [name for flags, _, names in GROUPS for name in names.split() if flags == refusing]
    seen = answers(bb, refusing, actions)
    assert allowed(seen).keys() <= lacking(bb) and list(seen) == actions, allowed(seen)


def test_all_are_refused_in_exec_too(bb):
    bb.daemon("c", "sleep", "1000")
    actions = [name for flags, _, names in GROUPS for name in names.split() if not flags]
    seen = dict(line.split() for line in bb.inside("c", "probe", "try", *actions).ok().out.splitlines())
    assert allowed(seen).keys() <= lacking(bb) and list(seen) == actions, allowed(seen)


def test_all_are_refused_to_another_user(bb):
    actions = [name for flags, _, names in GROUPS for name in names.split() if flags != "--cap-drop MKNOD"]
    seen = answers(bb, "--user 1000", actions)
    # Its own identity and names are nobody else's; what needs --pid host has only itself here.
    own = {"ptrace", "process_vm_readv", "open-memory", "open-root", "pidfd_getfd", "setuid"}
    assert allowed(seen).keys() - own <= lacking(bb), allowed(seen)


@pytest.mark.parametrize("_, grant, names", GROUPS, ids=[names.split()[0] for _, _, names in GROUPS])
def test_the_grant_opens_it(bb, _, grant, names):
    actions = names.split()
    seen = answers(bb, grant, actions)
    assert set(actions) - allowed(seen).keys() <= lacking(bb), seen


def test_the_host_is_as_before(clean):
    before = clean.sh("hostname; sysctl -n kernel.core_pattern vm.overcommit_memory fs.file-max; cat /proc/swaps; cat /proc/1/mountinfo").out
    for refusing, grant, names in GROUPS:
        if "SYS_ADMIN" in grant or "privileged" in grant or "systempaths" in grant:
            answers(clean, grant, names.split())
    assert clean.sh("hostname; sysctl -n kernel.core_pattern vm.overcommit_memory fs.file-max; cat /proc/swaps; cat /proc/1/mountinfo").out == before
