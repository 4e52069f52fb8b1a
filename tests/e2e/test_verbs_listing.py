# SPDX-License-Identifier: GPL-2.0-or-later
"""ls, port, top, volumes, events, prune: the verbs that look, to the letter."""

import json
import re

import pytest

from testhost import Terminal, wait_until

APP = """
name: demo
services:
  web:
    image: bb
    command: [sh, -c, "sleep 1000 & exec sleep 2000"]
    scale: 2
    stop_signal: SIGKILL
    volumes: ["data:/v"]
    labels: {team: red}
  db:
    image: bb
    command: [sleep, "3000"]
    stop_signal: SIGKILL
    ports: ["127.0.0.1:18081:80", "18082:81/udp"]
volumes: {data: {}, other: {}}
"""


@pytest.fixture
def demo(bb):
    bb.compose(APP)
    bb.mc("up", "-d").ok()
    return bb


def columns(line):
    return re.split(r" {2,}", line.strip())


# ls


def test_ls_of_nothing(bb):
    assert bb.mc("ls").ok().out == "NAME                STATUS              CONFIG FILES\n"
    assert bb.mc("ls", "--format", "json").ok().out == "[]\n"


def test_ls_counts_the_states_of_each_project(demo):
    file = str(demo.directory / "compose.yaml")
    assert [columns(line) for line in demo.mc("ls").ok().out.splitlines()] == [["NAME", "STATUS", "CONFIG FILES"], ["demo", "running(3)", file]]
    demo.mc("stop", "db").ok()
    assert json.loads(demo.mc("ls", "--format", "json").ok().out) == [{"Name": "demo", "Status": "running(2)", "ConfigFiles": file}]
    assert json.loads(demo.mc("ls", "-a", "--format", "json").ok().out)[0]["Status"] == "exited(1), running(2)"


def test_ls_chooses(demo):
    demo.mc("-p", "other", "create", "web").ok()
    assert demo.mc("ls", "-q").ok().out == "demo\n"
    assert demo.mc("ls", "-aq").ok().out == "demo\nother\n"
    assert demo.mc("ls", "-aq", "--filter", "name=^o").ok().out == "other\n"
    assert "invalid filter" in demo.mc("ls", "--filter", "x=y").fails(1).err


def test_ls_leaves_out_single_and_one_off_containers(bb):
    bb.daemon("alone", "sleep", "1000")
    assert bb.mc("ls", "-aq").ok().out == ""


# port


@pytest.mark.parametrize(
    "words, out",
    [(["db", "80"], "127.0.0.1:18081\n"), (["--protocol", "udp", "db", "81"], "0.0.0.0:18082\n"), (["db", "81/udp"], "0.0.0.0:18082\n")],
)
def test_port_of_a_service(demo, words, out):
    assert demo.mc("port", *words).ok().out == out


def test_port_that_is_not_published(demo):
    assert demo.mc("port", "db", "99").fails(1).err == "no port 99/tcp for container demo-db-1: 18081/tcp, 18082/udp\n"
    assert demo.mc("port", "web", "1").fails(1).err == "no port 1/tcp for container demo-web-1: \n"
    assert demo.mc("port", "db", "x").fails(1).err == 'invalid port "x"\n'
    assert demo.mc("port", "--index", "7", "db", "80").fails(1).err == 'service "db" is not running container #7\n'


def test_port_of_a_container(demo):
    assert sorted(demo.mc("container", "port", "demo-db-1").ok().out.splitlines()) == ["80/tcp -> 127.0.0.1:18081", "81/udp -> 0.0.0.0:18082"]
    assert demo.mc("port", "demo-db-1", "81/udp").ok().out == "0.0.0.0:18082\n"
    assert demo.mc("port", "demo-db-1", "99").fails(1).err == "no public port '99/tcp' published for demo-db-1\n"


# top


def test_top_is_one_table_with_service_and_replica(demo):
    lines = demo.mc("top").ok().out.splitlines()
    assert lines[0].split() == ["SERVICE", "#", "UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]
    rows = [line.split(None, 9) for line in lines[1:]]
    assert sorted((row[0], row[1], row[9]) for row in rows) == [
        ("db", "1", "sleep 3000"),
        ("web", "1", "sleep 1000"),
        ("web", "1", "sleep 2000"),
        ("web", "2", "sleep 1000"),
        ("web", "2", "sleep 2000"),
    ]
    pids = {row[3] for row in rows}
    assert str(demo.pid_of("demo-db-1")) in pids and len(pids) == 5
    assert all(row[2] == "root" and re.fullmatch(r"\d\d:\d\d", row[6]) and row[7] == "?" and row[8] == "00:00:00" for row in rows)
    # gap 2, at least 4 wide
    assert re.match(r"SERVICE  #   UID ", lines[0])


def test_top_of_one_service_and_of_nothing(demo):
    assert len(demo.mc("top", "db").ok().out.splitlines()) == 2
    demo.mc("stop", "db").ok()
    assert demo.mc("top", "db").ok().out == ""
    assert demo.mc("top", "nobody").fails(1).err == "no such service: nobody\n"


def test_top_of_a_container(demo):
    lines = demo.mc("container", "top", "demo-db-1").ok().out.splitlines()
    assert lines[0].split() == ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"] and lines[0].index("PID") == 20
    assert lines[1].endswith("sleep 3000") and len(lines) == 2
    demo.mc("stop", "db").ok()
    assert "is not running" in demo.mc("container", "top", "demo-db-1").fails(1).err


# volumes


def test_volumes_of_a_project(demo):
    demo.mc("volume", "create", "foreign").ok()
    assert [columns(line) for line in demo.mc("volumes").ok().out.splitlines()] == [["DRIVER", "VOLUME NAME"], ["local", "demo_data"]]
    assert demo.mc("volumes", "-q").ok().out == "demo_data\n"
    row = json.loads(demo.mc("volumes", "--format", "json").ok().out)
    assert list(row) == "Availability Driver Group Labels Links Mountpoint Name Scope Size Status".split()
    assert (row["Name"], row["Driver"], row["Scope"], row["Size"]) == ("demo_data", "local", "local", "N/A")


def test_volumes_of_a_service_are_those_it_has_mounted(demo):
    assert demo.mc("volumes", "-q", "web").ok().out == "demo_data\n"
    assert demo.mc("volumes", "-q", "db").ok().out == ""
    assert demo.mc("volumes", "nobody").fails(1).err == "no such service: nobody\n"


# events


def events(host, *words, since):
    out = host.mc("events", "--json", "--since", since, "--until", "0s", *words).ok().out
    return [json.loads(line) for line in out.splitlines()]


def test_events_of_a_life(bb):
    bb.compose(APP)
    since = bb.sh("date -u +%FT%TZ").ok().out.strip()
    bb.mc("up", "-d", "db").ok()
    bb.mc("pause", "db").ok()
    bb.mc("unpause", "db").ok()
    bb.mc("kill", "-s", "USR1", "db").ok()
    bb.mc("restart", "-t", "0", "db").ok()
    bb.mc("down", "-t", "0").ok()
    found = events(bb, since=since)
    assert [event["action"] for event in found if event["action"] != "kill"] == [
        *("create start pause unpause".split()),
        *("die stop start restart".split()),
        *("die stop destroy".split()),
    ]
    assert any(event["action"] == "kill" and event["attributes"]["signal"] == "10" for event in found)
    for event in found:
        assert list(event) == ["action", "attributes", "id", "service", "time", "type"]
        assert event["service"] == "db" and event["type"] == "container" and re.fullmatch(r"[0-9a-f]{64}", event["id"])
        assert event["attributes"]["image"] == "bb" and event["attributes"]["name"] == "demo-db-1"
        assert not any(key.startswith("com.docker.compose.") for key in event["attributes"])
    assert {event["attributes"]["exitCode"] for event in found if event["action"] == "die"} == {"137"}


def test_events_show_what_happens_meanwhile_until_a_signal(demo):
    terminal = Terminal(demo, "-p", "demo", "events")
    wait_until(lambda: demo.sh("ls -l /proc/*/fd | grep -c inotify").out.strip() != "0", what="the watcher")
    demo.mc("pause", "db").ok()
    terminal.expect("(image=bb, name=demo-db-1)\r\n\r\n")
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} container pause [0-9a-f]{64} \(image=bb, name=demo-db-1\)\s+", terminal.text)
    demo.mc("unpause", "db").ok()
    demo.sh("kill -INT $(pgrep -n -x mycompose)").ok()
    assert terminal.end() == 130


def test_events_choose_services_and_leave_out_one_offs(demo):
    demo.mc("run", "--rm", "--no-deps", "db", "true").ok()
    demo.mc("stop", "-t", "0").ok()
    found = events(demo, "web", since="1h")
    assert {event["service"] for event in found} == {"web"} and found[0]["attributes"]["team"] == "red"
    assert all(event["attributes"]["name"].endswith("-1") for event in events(demo, "db", since="1h"))
    assert events(demo, since="2099-01-01") == []
    assert demo.mc("events", "nobody").fails(1).err == "no such service: nobody\n"


def test_events_of_the_host(bb):
    bb.mc("run", "--rm", "--name", "once", "bb", "true").ok()
    out = bb.mc("events", "--since", "1h", "--until", "0s").ok().out
    assert re.search(r"^\S+T\S+Z container create [0-9a-f]{64} \(image=bb, name=once\)$", out, re.M)
    assert re.search(r"container die [0-9a-f]{64} \(exitCode=0, image=bb, name=once\)$", out, re.M)
    assert re.search(r"container destroy ", out)


def test_renames_and_healthless_recreation_are_told(bb):
    bb.compose(APP)
    bb.mc("up", "-d", "db").ok()
    bb.mc("up", "-d", "db", "--force-recreate", "-t", "0").ok()
    actions = [event["action"] for event in events(bb, since="1h")]
    assert actions.count("create") == 2 and actions.count("destroy") == 1 and "rename" in actions


# prune


def test_container_prune_takes_what_is_stopped(bb):
    bb.daemon("up", "sleep", "1000")
    bb.mc("run", "--name", "ended", "--network", "none", "bb", "sh", "-c", "head -c 100000 /dev/zero > /file").ok()
    identity = bb.state("ended")["ID"]
    assert bb.mc("container", "prune", input="n\n").ok().out.endswith("[y/N] ") and bb.state("ended")
    out = bb.mc("container", "prune", "-f").ok().out
    assert out.startswith(f"Deleted Containers:\n{identity}\n\nTotal reclaimed space: 1") and out.endswith("kB\n")
    assert bb.state("ended") is None and bb.state("up")
    assert bb.mc("container", "prune", "-f").ok().out == "Total reclaimed space: 0B\n"


def test_prune_by_label(bb):
    bb.mc("run", "--name", "kept", "--label", "a=1", "bb", "true").ok()
    bb.mc("run", "--name", "gone", "--label", "a=2", "bb", "true").ok()
    bb.mc("container", "prune", "-f", "--filter", "label=a=2").ok()
    assert bb.state("kept") and bb.state("gone") is None
    assert bb.mc("container", "prune", "-f", "--filter", "x=y").fails(1).err == "invalid filter 'x=y'\n"


def test_network_prune(bb):
    bb.mc("network", "create", "unused").ok()
    bb.mc("network", "create", "used").ok()
    bb.daemon("one", "sleep", "1000", network="used")
    assert bb.mc("network", "prune", "-f").ok().out == "Deleted Networks:\nunused\n\n"
    assert bb.mc("network", "prune", "-f").ok().out == ""


def test_volume_prune_takes_anonymous_ones_and_named_ones_with_all(bb):
    bb.mc("volume", "create", "named").ok()
    bb.mc("volume", "create", "busy").ok()
    anonymous = bb.mc("volume", "create").ok().out.strip()
    bb.daemon("one", "sleep", "1000", flags="-v busy:/v")
    assert bb.mc("volume", "prune", "-f").ok().out == f"Deleted Volumes:\n{anonymous}\n\nTotal reclaimed space: 0B\n"
    assert bb.mc("volume", "prune", "-af").ok().out.startswith("Deleted Volumes:\nnamed\n")
    assert bb.mc("volume", "ls", "-q").ok().out == "busy\n"
