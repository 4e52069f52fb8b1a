# SPDX-License-Identifier: GPL-2.0-or-later
"""Containers whose root is nobody on the host: `userns_mode: auto`, `run --userns`. HARDENING 4.5 to 4.7."""

import io
import pathlib
import re
import tarfile

import pytest

from test_forbidden import GROUPS, allowed, lacking
from testhost import BINARY, Terminal, wait_until

WITHOUT = pathlib.Path(__file__).with_name("without.py")
MAPPED = "--userns auto"
GIVEN = "--userns auto:uidmapping=0:200000:65536,gidmapping=0:300000:65536"
OTHER = "--userns auto:uidmapping=0:400000:65536"
FIRST = 0x40000000  # where ranges are picked when nothing grants any


def first_ids(host, name):
    """Where the ids of a running container begin on the host: (user, group)."""
    pid = host.pid_of(name)
    return tuple(int(host.sh(f"cat /proc/{pid}/{kind}_map").ok().out.split()[1]) for kind in ("uid", "gid"))


def owners(host, *paths):
    return host.run("stat", "-c", "%u:%g", *paths).ok().out.split()


def upper(host, name):
    return f"/var/lib/mycompose/containers/{host.state(name)['ID']}/upper"


def test_row_4_5_root_of_the_container_is_an_id_of_its_own_on_the_host(clean):
    clean.daemon("c", "sleep", "1000", flags=GIVEN)
    assert clean.inside("c", "cat", "/proc/self/uid_map").ok().out.split() == ["0", "200000", "65536"]
    assert clean.inside("c", "cat", "/proc/self/gid_map").ok().out.split() == ["0", "300000", "65536"]
    assert clean.inside("c", "id").ok().out.startswith("uid=0(root) gid=0(root)")
    status = clean.sh(f"cat /proc/{clean.pid_of('c')}/status").ok().out
    assert re.search(r"^Uid:\t200000\t200000\t200000\t200000$", status, re.M)
    assert re.search(r"^Gid:\t300000\t300000\t300000\t300000$", status, re.M)
    assert clean.sh("ps -eo uid,args | grep '^ *[0-9]* sleep 1000'").ok().out.split()[0] == "200000"
    assert "setgroups" not in clean.inside("c", "sh", "-c", "grep deny /proc/self/setgroups").out
    clean.mc("rm", "-f", "c").ok()


def test_row_4_5_every_namespace_belongs_to_its_user_namespace(bb):
    """What a namespace lets do goes by the rights in the user namespace that owns it: asked of the kernel (NS_GET_USERNS)."""
    bb.daemon("c", "sleep", "1000", flags=MAPPED)
    script = (
        "import fcntl, os, sys\n"
        "own = os.stat(f'/proc/{sys.argv[1]}/ns/user').st_ino\n"
        "for kind in ('mnt', 'net', 'ipc', 'uts', 'pid', 'cgroup'):\n"
        "    fd = os.open(f'/proc/{sys.argv[1]}/ns/{kind}', os.O_RDONLY)\n"
        "    print(kind, os.fstat(fcntl.ioctl(fd, 0xB701)).st_ino == own)\n"
    )
    answers = bb.run("/usr/bin/python3", "-c", script, bb.pid_of("c")).ok().out.split()
    assert answers[1::2] == ["True"] * 6, answers


def test_row_4_5_users_and_groups_are_those_of_the_image(bb):
    result = bb.once("sh", "-c", "id; cat /proc/self/status | grep -E '^(Uid|Groups)'", flags=f"{GIVEN} --user user --group-add 77").ok()
    assert "uid=1000(user) gid=1000(user)" in result.out and "2000(extra)" in result.out and "77" in result.out


@pytest.mark.parametrize(
    "flags, word",
    [
        ("--userns auto:size=1000 --user 1000", "user id 1000 is not one of the container's: it has 0-999"),
        ("--userns auto:size=1000 --user 5:1000", "group id 1000 is not one of the container's"),
        ("--userns auto:size=1000 --group-add 4000", "group id 4000 is not one of the container's"),
        ("--userns auto:size=100 --tmpfs /t:uid=100", "user id 100 is not one of the container's"),
    ],
)
def test_row_4_5_ids_that_the_container_does_not_have_are_told(clean, flags, word):
    assert word in clean.once("true", flags=flags).fails(125).err


@pytest.mark.parametrize(
    "flags, word",
    [
        ("--userns keep-id", "'keep-id' is not to be had"),
        ("--userns nomap", "'nomap' is not to be had"),
        ("--userns ns:/proc/1/ns/user", "is not to be had"),
        ("--userns container:c", "is not to be had"),
        ("--userns nonsense", "invalid user namespace 'nonsense'"),
        ("--userns auto:uidmapping=0:0:10", "root of the host"),
        ("--userns auto:uidmapping=1:100000:10", "the container's id 0"),
        ("--userns auto:uidmapping=0:100000:10,uidmapping=5:200000:10", "overlap"),
        (f"{MAPPED} --privileged", "privileged mode is incompatible with user namespaces"),
        (f"{MAPPED} --pid host", "cannot share the host's PID namespace"),
        (f"{MAPPED} --ipc host", "cannot share the host's IPC namespace"),
        (f"{MAPPED} --cgroupns host", "cannot share the host's cgroup namespace"),
        (f"{MAPPED} -v /tmp:/t:rshared", "would let root of a user namespace mount on the host"),
    ],
)
def test_row_4_5_what_cannot_be_is_refused_with_the_reason(clean, flags, word):
    assert word in clean.once("true", flags=flags).fails(125).err


def test_row_4_5_the_hosts_network_and_other_containers_namespaces_are_refused(clean):
    assert "cannot share the host's network namespace" in clean.once("true", flags=MAPPED, network="host").fails(125).err
    clean.daemon("plain", "sleep", "1000")
    clean.daemon("mapped", "sleep", "1000", flags=MAPPED)
    assert "cannot join the network namespace" in clean.once("true", flags=MAPPED, network="container:plain").fails(125).err
    assert "cannot join the network namespace of container mapped" in clean.once("true", network="container:mapped").fails(125).err
    assert "cannot join the PID namespace of container mapped" in clean.once("true", flags="--pid container:mapped").fails(125).err
    clean.mc("rm", "-f", "plain", "mapped").ok()


def test_row_4_5_ranges_are_picked_once_and_given_back(clean):
    names = ["x", "y", "z"]  # no hexadecimal digits, which might be the beginning of an id
    for name in names:
        clean.daemon(name, "sleep", "1000", flags=MAPPED)
    ids = [first_ids(clean, name) for name in names]
    assert sorted(ids) == [(FIRST + i * 65536,) * 2 for i in range(3)]
    clean.mc("restart", "-t", "0", "y").ok()
    assert first_ids(clean, "y") == ids[1]
    clean.mc("rm", "-f", "y").ok()
    clean.daemon("w", "sleep", "1000", flags="--userns auto:size=1000")
    assert first_ids(clean, "w") == ids[1]
    clean.mc("rm", "-f", "x", "z", "w").ok()


def test_row_4_5_containers_made_at_once_get_different_ranges(clean):
    runs = [clean.start(BINARY, "run", "-d", "--network", "none", "--userns", "auto", "bb", "sleep", "1000") for _ in range(8)]
    ids = [run.communicate()[0].strip() for run in runs]
    assert all(run.returncode == 0 for run in runs)
    assert len({first_ids(clean, id) for id in ids}) == 8
    clean.mc("rm", "-f", *ids).ok()


def test_row_4_5_ranges_come_from_what_subuid_grants(bb):
    bb.sh("mkdir -p /run/etc/u /run/etc/w && mount -t overlay -o lowerdir=/etc,upperdir=/run/etc/u,workdir=/run/etc/w overlay /etc").ok()
    for name, first in (("subuid", 6000000), ("subgid", 7000000)):
        bb.sh(f"printf 'somebody:100000:65536\ncontainers:5000000:1000\ncontainers:{first}:70000\n' > /etc/{name}").ok()
    bb.daemon("a", "sleep", "1000", flags=MAPPED)
    assert first_ids(bb, "a") == (6000000, 7000000)
    err = bb.once("true", flags=MAPPED).fails(125).err
    assert "no 65536 user ids in a row are free in what /etc/subuid grants to 'containers'" in err
    assert bb.once("cat", "/proc/self/uid_map", flags="--userns auto:size=1000").ok().out.split() == ["0", "5000000", "1000"]


def test_row_4_6_files_keep_their_owners_on_the_host(clean):
    """Of the upper layer, a volume and a bind: root of the container is 0 on the disk, and nothing there is shifted."""
    bind = clean.directory / "bind"
    bind.mkdir()
    (bind / "users").write_text("x")
    clean.run("chown", "1000:1000", bind / "users").ok()
    script = "id -u; stat -c '%u:%g' /bin/busybox /data /b/users; touch /made /v/made /b/made; touch /v/users /users; chown 1000:1000 /v/users /users; chown 1000 /b/made; stat -c %u /b/made"
    result = clean.mc("run", "--name", "c", "--network", "none", *GIVEN.split(), "-v", "vol:/v", "-v", f"{bind}:/b", "bb", "sh", "-c", script).ok()
    assert result.out.split() == ["0", "0:0", "1000:1000", "1000:1000", "1000"]
    top, volume = upper(clean, "c"), "/var/lib/mycompose/volumes/vol/_data"
    assert owners(clean, f"{top}/made", f"{top}/users", f"{volume}/made", f"{volume}/users") == ["0:0", "1000:1000", "0:0", "1000:1000"]
    assert owners(clean, bind / "made", bind / "users") == ["1000:0", "1000:1000"]
    assert clean.sh("find /var/lib/mycompose /run/mycompose -uid +65535 -o -gid +65535").ok().out == ""
    clean.mc("rm", "c").ok()
    clean.mc("volume", "rm", "vol").ok()


def test_row_4_6_two_mappings_share_a_volume(bb):
    bb.once("sh", "-c", "echo one > /v/root; echo one > /v/user; chown 1000:1000 /v/user; chmod 600 /v/*", flags=f"{GIVEN} -v vol:/v").ok()
    out = bb.once("sh", "-c", "stat -c '%u:%g' /v/root /v/user; echo two >> /v/root; cat /v/root", flags=f"{OTHER} -v vol:/v").ok().out
    assert out.split() == ["0:0", "1000:1000", "one", "two"]
    assert bb.once("sh", "-c", "cat /v/user; cat /v/root", flags=f"{OTHER} -v vol:/v --user 1000").fails().out == "one\n"
    assert bb.once("sh", "-c", "stat -c '%u:%g' /v/root; cat /v/root", flags="-v vol:/v").ok().out.split() == ["0:0", "one", "two"]


def test_row_4_6_a_new_volume_takes_over_content_and_owners(bb):
    out = bb.once("sh", "-c", "cat /data/from-image; stat -c '%u:%g %a' /data", flags=f"{GIVEN} -v vol:/data").ok().out
    assert out == "image content\n1000:1000 750\n"
    assert owners(bb, "/var/lib/mycompose/volumes/vol/_data") == ["1000:1000"]


def test_row_4_6_what_starts_as_roots_is_roots(bb):
    paths = "/ /dev /dev/null /dev/shm /dev/pts /dev/mqueue /etc/hosts /etc/resolv.conf /etc/hostname /proc/1 /t /wd"
    bb.daemon("c", "sleep", "1000", flags=f"{GIVEN} --tmpfs /t:uid=7 -w /wd")
    out = bb.inside("c", "sh", "-c", f"stat -c '%n %u:%g' {paths}").ok().out
    assert out.split("\n")[:-1] == [f"{path} {'7' if path == '/t' else '0'}:0" for path in paths.split()]
    bb.inside("c", "sh", "-c", "echo 1.2.3.4 x >> /etc/hosts && echo y > /dev/shm/y && echo z > /dev/null && head -c1 /dev/urandom > /dev/zero && : > /dev/full").ok()


def test_row_4_6_file_systems_that_cannot_be_mapped_are_named(bb):
    """An overlay of its own is one: the kernel maps its layers, not itself."""
    bb.sh("mkdir -p /run/o/l /run/o/u /run/o/w /run/o/m && mount -t overlay overlay -o lowerdir=/run/o/l,upperdir=/run/o/u,workdir=/run/o/w /run/o/m").ok()
    err = bb.once("true", flags=f"{MAPPED} -v /run/o/m:/m").fails(125).err
    assert "mount '/m': owners of the files of '/run/o/m' (overlay)" in err and "cannot be mapped by Linux" in err
    # The kernel's own have no owner that could be kept: they are nobody's.
    assert bb.once("stat", "-c", "%u", "/s/kernel", flags=f"{MAPPED} -v /sys:/s").ok().out == "65534\n"


def test_row_4_7_a_hidden_part_of_proc_is_told(bb):
    bb.sh("mount -t tmpfs tmpfs /proc/driver").ok()
    err = bb.once("true", flags=MAPPED).fails(125).err
    assert "/proc: the kernel mounts none in a user namespace when a part of the host's own /proc is hidden" in err and "/proc/driver" in err
    bb.once("true").ok()


ESCAPES = {
    "a device node": "mknod /b/disk b 254 0",
    "a device node in the root": "mknod /disk c 1 3",
    "a mount": "mount -t tmpfs tmpfs /b",
    "a remount": "mount -o remount,rw /sys",
    "an owner that is not its own": "chown 70000 /b/file",
    "a sysctl of the host": "echo x > /proc/sys/kernel/core_pattern",
    "another one": "echo 1 > /proc/sys/vm/drop_caches",
    "a namespace of the host": "nsenter -t 1 -m true && nsenter --net=/host-net true",
    "the host's groups": "echo 0 > /sys/fs/cgroup/cgroup.procs",
    "the map": "echo '0 0 1' > /proc/self/uid_map",
    "the host's files": "cat /b/secret",
}


@pytest.mark.parametrize("grants", ["", "--cap-add ALL --security-opt seccomp=unconfined --security-opt systempaths=unconfined"])
def test_row_4_5_ways_out_are_closed(bb, grants):
    """With all the rights there are in a user namespace too: they are none on the host."""
    bind = bb.directory / "bind"
    bind.mkdir()
    (bind / "file").write_text("x")
    (bind / "secret").write_text("x")
    bb.run("chown", "4000000:4000000", bind / "secret").ok()
    bb.run("chmod", "600", bind / "secret").ok()
    bb.daemon("c", "sleep", "1000", flags=f"{MAPPED} {grants} -v {bind}:/b")
    inside = {"a mount", "a remount", "a namespace of the host"} if grants else set()
    for what, script in ESCAPES.items():
        result = bb.inside("c", "sh", "-c", script)
        assert what in inside or result.code != 0, (what, result)
    assert bb.sh("cat /proc/1/mountinfo | grep -c ' /b '").out.strip() == "0"
    assert owners(bb, bind / "file", bind / "secret") == ["0:0", "4000000:4000000"]
    assert not (bind / "disk").exists()


def test_row_4_5_programs_that_set_the_user_id_stay_out_of_reach(bb):
    """A volume lies where nobody but root of the host comes; and what is made for root there is 0's on the disk."""
    bb.once("sh", "-c", "cp /bin/busybox /v/su; chmod 4755 /v/su", flags=f"{MAPPED} -v vol:/v").ok()
    assert bb.sh("stat -c '%u %a' /var/lib/mycompose/volumes/vol/_data/su").ok().out.split() == ["0", "4755"]
    assert bb.sh("setpriv --reuid 1000 --clear-groups /var/lib/mycompose/volumes/vol/_data/su id").fails()
    # In the container it makes a user its root, and nothing of the host's.
    out = bb.once("sh", "-c", "/v/su id -u; cat /proc/self/status | grep ^Uid", flags=f"{GIVEN} -v vol:/v --user 1000").ok().out
    assert "Uid:\t1000" in out


@pytest.mark.parametrize("refusing", sorted({refusing for refusing, _, _ in GROUPS if "--pid host" not in refusing}))
def test_row_4_5_forbidden_actions_are_refused_in_a_user_namespace_too(bb, refusing):
    actions = [name for flags, _, names in GROUPS for name in names.split() if flags == refusing]
    seen = dict(line.split() for line in bb.once("probe", "try", *actions, flags=f"{MAPPED} {refusing}").ok().out.splitlines())
    assert allowed(seen).keys() <= lacking(bb) and list(seen) == actions, allowed(seen)


def test_row_5_4_our_processes_in_a_user_namespace_cannot_be_looked_into(bb):
    """Not by those either that may trace there whatever they like: our first process, and whatever comes in by exec."""
    watch = (
        "touch /seen; for f in exe root cwd fd/0; do readlink /proc/1/$f >> /seen; done; cat /proc/1/environ /proc/1/mem >> /seen; "
        "while :; do for p in /proc/[0-9]*; do readlink $p/exe >> /seen; done; done 2> /dev/null"
    )
    bb.daemon("c", "sh", "-c", watch, flags=f"{MAPPED} --init --cap-add SYS_PTRACE --security-opt seccomp=unconfined")
    for _ in range(20):
        bb.inside("c", "true").ok()
    seen = set(bb.inside("c", "cat", "/seen").ok().out.split("\n")) - {""}
    assert seen == {"/bin/busybox"}, seen


def test_exec_has_the_rights_of_the_first_process(bb):
    bb.daemon("c", "sleep", "1000", flags=f"{GIVEN} --ulimit nofile=100:200 --oom-score-adj 77")
    fields = r"grep -E '^(Cap|Seccomp:|NoNewPrivs|Uid|Gid|Groups)' /proc/$1/status; grep -E 'open files' /proc/$1/limits; cat /proc/$1/oom_score_adj"
    first = bb.inside("c", "sh", "-c", fields, "sh", "1").ok().out
    assert bb.inside("c", "sh", "-c", fields, "sh", "self").ok().out == first
    assert "CapEff:\t00000000a80425fb" in first and "Seccomp:\t2" in first and "77\n" in first
    assert bb.inside("c", "sh", "-c", "for n in user mnt net ipc uts pid cgroup; do [ $(readlink /proc/self/ns/$n) = $(readlink /proc/1/ns/$n) ] || echo $n; done").ok().out == ""
    assert bb.inside("c", "id", "-u", flags="--user user").ok().out == "1000\n"
    assert "user id 70000 is not one of the container's" in bb.inside("c", "true", flags="--user 70000").fails(126).err


@pytest.mark.parametrize("user", ["0", "1000"])
def test_streams_can_be_opened_again(bb, user):
    script = "echo out > /dev/stdout; echo err > /dev/stderr"
    result = bb.once("sh", "-c", script, flags=f"{MAPPED} --user {user}").ok()
    assert (result.out, result.err) == ("out\n", "err\n")
    bb.daemon("c", "sleep", "1000", flags=MAPPED)
    result = bb.inside("c", "sh", "-c", script, flags=f"--user {user}").ok()
    assert (result.out, result.err) == ("out\n", "err\n")


@pytest.mark.parametrize("user", ["0", "1000"])
def test_terminals(bb, user):
    terminal = Terminal(bb, "run", "--rm", "-it", "--network", "none", *MAPPED.split(), "--user", user, "bb", "sh")
    terminal.expect("$" if user != "0" else "#")
    terminal.type("tty; stat -c '%u %g %A' $(tty); echo again > $(tty); echo again > /dev/console; exit 3\r")
    terminal.expect("/dev/pts/0")
    terminal.expect(f"{user} 5 crw--w----")
    terminal.expect("again\r\nagain")
    assert terminal.end() == 3
    bb.daemon("c", "sleep", "1000", flags=MAPPED)
    terminal = Terminal(bb, "exec", "-it", "--user", user, "c", "sh", "-c", "tty; echo again > $(tty)")
    terminal.expect("again")
    assert terminal.end() == 0


def test_files_are_copied_with_the_containers_owners(bb):
    bb.daemon("c", "sleep", "1000", flags=f"{GIVEN} -v vol:/v")
    bb.file("mine", "text\n")
    bb.mc("cp", bb.directory / "mine", "c:/v/mine").ok()
    bb.mc("cp", bb.directory / "mine", "c:/mine").ok()
    assert bb.inside("c", "stat", "-c", "%u:%g", "/mine", "/v/mine").ok().out.split() == ["0:0", "0:0"]
    bb.inside("c", "chown", "1000:1000", "/mine").ok()
    tar = tarfile.open(fileobj=io.BytesIO(bb.run(BINARY, "cp", "c:/mine", "-", binary=True).ok().out))
    assert [(m.name, m.uid, m.gid) for m in tar.getmembers()] == [("mine", 1000, 1000)]
    bb.mc("cp", "-a", "c:/mine", bb.directory / "back").ok()
    assert owners(bb, bb.directory / "back") == ["1000:1000"]
    members = {m.name.removeprefix("./"): m.uid for m in tarfile.open(fileobj=io.BytesIO(bb.run(BINARY, "export", "c", binary=True).ok().out)).getmembers()}
    assert members["mine"] == 1000 and members["bin/busybox"] == 0 and max(members.values()) < 65536
    bb.mc("commit", "c", "committed").ok()
    assert bb.once("stat", "-c", "%u:%g", "/mine", image="committed").ok().out == "1000:1000\n"
    assert bb.once("stat", "-c", "%u:%g", "/mine", image="committed", flags=MAPPED).ok().out == "1000:1000\n"
    bb.mc("kill", "c").ok()
    wait_until(lambda: bb.state("c")["State"] == "exited", what="its end")
    bb.mc("cp", "c:/mine", bb.directory / "late").ok()
    bb.mc("start", "c").ok()
    assert bb.inside("c", "stat", "-c", "%u:%g", "/mine").ok().out == "1000:1000\n"


def test_devices_and_limits(bb):
    out = bb.once("sh", "-c", "stat -c '%u:%g %t:%T' /dev/zz; head -c 1 /dev/zz | wc -c; mknod /dev/x c 1 3 2>&1; true", flags=f"{MAPPED} --device /dev/zero:/dev/zz --pids-limit 20 -m 64m").ok().out
    assert out.startswith("0:0 1:5\n1\n") and "not permitted" in out.lower()


def test_sysctls_and_ping(bb):
    out = bb.once("sh", "-c", "cat /proc/sys/net/ipv4/ping_group_range /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax", flags=f"{MAPPED} --sysctl net.ipv4.ip_forward=1 --sysctl kernel.msgmax=4096").ok().out
    assert out.split() == ["0", "65535", "0", "1", "4096"]


def test_a_small_range_has_terminals_without_their_group(bb):
    assert bb.once("sh", "-c", "cat /proc/self/uid_map", flags="--userns auto:size=1").ok().out.split()[2] == "1"


def test_started_with_less_than_is_wanted(bb):
    """What takes rights on the host to raise is raised before they are given up; a tight limit does not hinder the start."""
    command = "cat /proc/self/stat | cut -d' ' -f19; cat /proc/self/oom_score_adj; ulimit -Hn; ulimit -n"
    started = bb.sh(f"ulimit -Sn 300; nice -n 5 {BINARY} run --rm --network none --userns auto --ulimit nofile=50:400 --oom-score-adj 500 bb sh -c \"{command}\"").ok()
    assert started.out.split() == ["0", "500", "400", "50"]
    bb.daemon("c", "sleep", "1000", flags=f"{MAPPED} --ulimit nofile=50:400")
    assert bb.sh(f"nice -n 5 {BINARY} exec c sh -c \"{command}\"").ok().out.split() == ["0", "0", "400", "50"]


def test_the_mounts_are_those_of_any_container(bb):
    listed = "cat /proc/self/mountinfo | sed 's/^[0-9]* [0-9]* [0-9:]* //; s/lowerdir.*//; s/ shared:[0-9]*//' | cut -d' ' -f2-"
    flags = "-v vol:/v:ro -v /tmp:/t --tmpfs /x -it=false --read-only"
    plain, mapped = (bb.once("sh", "-c", listed, flags=f"{more} {flags}").ok().out.splitlines() for more in ("", MAPPED))
    targets = [[line.split()[0] for line in lines] for lines in (plain, mapped)]
    assert sorted(targets[0]) == sorted(targets[1])
    ro = [sorted(line.split()[0] for line in lines if line.split()[1].startswith("ro")) for lines in (plain, mapped)]
    assert ro[0] == ro[1]


def test_init_and_read_only_roots(bb):
    out = bb.once("sh", "-c", "cat /proc/1/comm; touch /x 2>&1; touch /t/x && id -u", flags=f"{MAPPED} --init --read-only --tmpfs /t").ok().out
    assert out.startswith("init\n") and "Read-only" in out and out.endswith("0\n")


KINDS = """
services:
  a:
    image: bb
    userns_mode: auto
    command: [sleep, "1000"]
    stop_signal: SIGKILL
    networks: [six]
    tmpfs: ["/tmp:uid=1000,mode=700"]
    volumes:
      - memory:/data
      - elsewhere:/e
      - {type: volume, source: plain, target: /part, volume: {subpath: sub}}
      - {type: image, source: layered, target: /image}
      - {type: image, source: bb, target: /single, image: {subpath: data}}
      - {type: bind, source: ./file, target: /one-file, read_only: true}
networks: {six: {enable_ipv6: true}}
volumes:
  memory: {driver_opts: {type: tmpfs, device: tmpfs, o: "size=1m"}}
  elsewhere: {driver_opts: {type: none, o: bind, device: %s}}
  plain:
"""


def test_row_4_6_every_kind_of_mount_has_the_containers_owners(clean):
    elsewhere = clean.directory / "elsewhere"
    elsewhere.mkdir()
    clean.file("file", "x")
    clean.once("sh", "-c", "mkdir /v/sub; echo part > /v/sub/file; chown -R 1000:1000 /v/sub", flags="-v p_plain:/v").ok()
    clean.mc("run", "--name", "base", "--network", "none", "bb", "sh", "-c", "echo top > /data/top; chown 1000 /data/top; rm /data/from-image").ok()
    clean.mc("commit", "base", "layered").ok()
    clean.mc("rm", "base").ok()
    clean.compose(KINDS % elsewhere)
    clean.mc("-p", "p", "up", "-d").ok()
    stat = lambda *paths: clean.inside("p-a-1", "stat", "-c", "%u:%g", *paths).ok().out.split()
    assert stat("/data", "/data/from-image", "/part", "/part/file", "/tmp") == ["1000:1000", "0:0", "1000:1000", "1000:1000", "1000:0"]
    assert stat("/image/bin/busybox", "/image/data/top", "/single/from-image", "/e", "/one-file") == ["0:0", "1000:0", "0:0", "0:0", "0:0"]
    clean.inside("p-a-1", "sh", "-c", "touch /e/made /data/made /part/made && chown 5:5 /e/made").ok()
    assert owners(clean, elsewhere / "made", "/var/lib/mycompose/volumes/p_plain/_data/sub/made") == ["5:5", "0:0"]
    assert clean.inside("p-a-1", "ls", "/image/data").ok().out == "top\n"
    clean.inside("p-a-1", "touch", "/image/x").fails()
    assert "inet6 f" in clean.inside("p-a-1", "ip", "-6", "addr", "show", "dev", "eth0").ok().out
    clean.mc("-p", "p", "down", "-v").ok()
    clean.mc("volume", "rm", "p_plain").ok()
    clean.mc("rmi", "layered").ok()


def test_one_off_containers_of_a_service(bb):
    bb.compose("services:\n  a: {image: bb, userns_mode: auto, network_mode: none}\n")
    ran = lambda *flags: bb.mc("run", "--rm", "-T", *flags, "a", "cat", "/proc/self/uid_map").ok().out.split()
    assert ran() == ["0", str(FIRST), "65536"]
    assert ran("--userns", "auto:size=5") == ["0", str(FIRST), "5"]
    assert ran("--userns", "host") == ["0", "0", "4294967295"]


def test_stats_pause_and_update(bb):
    bb.daemon("c", "sleep", "1000", flags=MAPPED)
    assert "c" in bb.mc("stats", "--no-stream", "c").ok().out
    bb.mc("pause", "c").ok()
    assert "paused" in bb.inside("c", "true").fails().err
    bb.mc("unpause", "c").ok()
    bb.mc("stop", "-t", "0", "c").ok()
    assert bb.state("c")["State"] == "exited"


PROJECT = """
services:
  web:
    image: bb
    userns_mode: %s
    command: [sh, -c, "mkdir -p /srv && echo hello > /srv/index.html && exec httpd -f -p 80 -h /srv"]
    stop_signal: SIGKILL
    ports: ["8080:80"]
    volumes: ["data:/data", "./site:/site"]
    secrets: [{source: key, uid: "1000", mode: 0400}]
    configs: [conf]
    healthcheck: {test: [CMD, wget, -q, -O, /dev/null, "http://localhost/"], interval: 200ms, retries: 50}
    post_start: [{command: [sh, -c, "id -u > /hooked"]}]
    deploy: {replicas: 1}
  client:
    image: bb
    userns_mode: auto
    user: "1000"
    command: [sleep, "1000"]
    stop_signal: SIGKILL
    volumes: ["data:/data"]
    depends_on: {web: {condition: service_healthy}}
volumes: {data: }
secrets: {key: {environment: KEY}}
configs: {conf: {content: "configured"}}
"""


def test_a_project_with_user_namespaces(clean):
    clean.compose(PROJECT % "auto")
    env = {"KEY": "secret"}
    up = lambda: clean.mc("-p", "p", "up", "-d", env=env, timeout=60).ok()
    up()
    assert first_ids(clean, "p-web-1") != first_ids(clean, "p-client-1")
    assert clean.inside("p-client-1", "wget", "-q", "-O", "-", "http://web/").ok().out == "hello\n"
    assert clean.sh("wget -q -O - http://198.51.100.1:8080/ || curl -s http://198.51.100.1:8080/", outside=True).ok().out == "hello\n"
    assert clean.inside("p-web-1", "cat", "/hooked", "/run/secrets/key", "/conf").ok().out == "0\nsecretconfigured"
    assert clean.inside("p-web-1", "stat", "-c", "%u:%g %a", "/run/secrets/key", "/conf").ok().out == "1000:0 400\n0:0 444\n"
    assert clean.inside("p-client-1", "cat", "/data/from-image").ok().out == "image content\n"
    ids = {name: clean.state(name)["ID"] for name in ("p-web-1", "p-client-1")}
    up()
    assert {name: clean.state(name)["ID"] for name in ids} == ids
    assert "userns_mode: auto" in clean.mc("-p", "p", "config", env=env).ok().out
    assert "sleep 1000" in clean.mc("-p", "p", "top", "client", env=env).ok().out
    # Its supervisor is killed: the containers run on, and who takes over knows the way in.
    before = first_ids(clean, "p-web-1")
    running = [clean.pid_of(name) for name in ids]
    pids = clean.sh("pgrep -x mycompose").ok().out.split()
    clean.sh("kill -9 " + " ".join(pids)).ok()
    wait_until(lambda: not set(pids) & set(clean.sh("pgrep -x mycompose").out.split()), what="its death")
    up()
    assert [clean.pid_of(name) for name in ids] == running
    assert first_ids(clean, "p-web-1") == before and clean.inside("p-web-1", "id", "-u").ok().out == "0\n"
    # Other ids: the container is made anew, its volume stays as it was.
    clean.compose(PROJECT % "auto:size=70000")
    up()
    assert clean.state("p-web-1")["ID"] != ids["p-web-1"]
    assert clean.inside("p-web-1", "stat", "-c", "%u:%g", "/data", "/data/from-image").ok().out.split() == ["1000:1000", "0:0"]
    clean.mc("-p", "p", "down", "-v", env=env).ok()


@pytest.mark.parametrize(
    "value, word",
    [
        ("keep-id", "user namespaces are host, private, auto and auto:OPTIONS"),
        ("auto:size=0", "size '0'"),
        ("'auto:uidmapping=0:0:1'", "holds the host's id 0"),
    ],
)
def test_a_mapping_that_cannot_be_had_is_told_with_its_place(clean, value, word):
    clean.compose(f"services:\n  a:\n    image: bb\n    userns_mode: {value}\n")
    err = clean.mc("up", "-d").fails().err
    assert "compose.yaml:4:" in err and word in err


@pytest.mark.parametrize(
    "line, word",
    [
        ("privileged: true", "privileged mode is incompatible with user namespaces"),
        ("network_mode: host", "cannot share the host's network namespace"),
        ("pid: 'service:b'", "services.a.pid: 'service:b' cannot be joined"),
        ("volumes: [{type: bind, source: /tmp, target: /t, bind: {propagation: rshared}}]", "mount on the host"),
    ],
)
def test_what_does_not_go_with_a_mapping_is_told_before_anything_starts(clean, line, word):
    clean.compose(f"services:\n  a:\n    image: bb\n    userns_mode: auto\n    {line}\n  b: {{image: bb, command: [sleep, '1000']}}\n")
    err = clean.mc("-p", "p", "up", "-d").fails().err
    assert word in err and re.search(r"compose.yaml:[45]:\d+: services.a.(userns_mode|pid): ", err)


def test_a_namespace_that_belongs_to_a_user_namespace_is_told_before_anything_starts(clean):
    clean.compose("services:\n  a:\n    image: bb\n    ipc: 'service:b'\n  b: {image: bb, userns_mode: auto, command: [sleep, '1000']}\n")
    assert "compose.yaml:4:10: services.a.ipc: 'service:b' cannot be joined" in clean.mc("-p", "p", "up", "-d").fails().err


def test_row_4_6_a_kernel_that_cannot_map_owners_is_told(bb):
    """Before Linux 5.19 overlay takes no mapped layers: EINVAL, which everything without a mapping is spared."""
    assert re.search(r"Id-mapped mounts: *yes", bb.mc("info").ok().out)
    older = ("/usr/bin/python3", WITHOUT, "mapped-overlay", BINARY)
    err = bb.run(*older, "run", "--rm", "--network", "none", *MAPPED.split(), "bb", "true").fails(125).err
    assert "mount overlay of layers with mapped owners (Linux 5.19 is needed for that): Invalid argument" in err
    assert "Id-mapped mounts: no" in re.sub(" +", " ", bb.run(*older, "info").out)
    assert bb.mc("ps", "-a", "-q").out == ""
