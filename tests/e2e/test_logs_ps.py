# SPDX-License-Identifier: GPL-2.0-or-later
"""ps and logs: tables, JSON and lines to the letter, as users of Compose and docker know them."""

import json
import re
import time

import pytest

from testhost import BINARY, wait_until

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z"

WEB = """
name: demo
services:
  web:
    image: bb
    command: [sh, -c, "echo to stdout; echo to stderr >&2; sleep 1000"]
    ports: ["127.0.0.1:18081:80", "18082:81/udp", "8000-8001:90-91"]
    expose: ["99"]
    labels: {a: "<b>"}
    volumes: ["data:/v"]
    stop_signal: SIGKILL
  db:
    image: bb
    command: [sh, -c, "exit 3"]
volumes: {data: {}}
"""


@pytest.fixture
def demo(bb):
    bb.compose(WEB)
    bb.mc("up", "-d").ok()
    wait_until(lambda: bb.record("demo-db-1")["status"] == "exited", what="the end of db")
    wait_until(lambda: "to stderr" in bb.mc("logs").err and "to stdout" in bb.mc("logs").out, what="the lines of web")
    return bb


def table(result):
    """Rows of a table as {header: cell}, by the places of the header's columns."""
    lines = result.ok().out.splitlines()
    names = re.split(r" {2,}", lines[0].strip())
    starts = [lines[0].index(name) for name in names]
    cut = lambda line: [line[a:b].strip() for a, b in zip(starts, starts[1:] + [None])]
    return [dict(zip(names, cut(line))) for line in lines[1:]]


def header(result):
    return re.split(r" {2,}", result.ok().out.splitlines()[0].strip())


# ps of a project


def test_the_header_is_printed_even_when_nothing_is_there(bb):
    bb.compose(WEB)
    out = bb.mc("ps").ok().out
    assert out == "NAME      IMAGE     COMMAND   SERVICE   CREATED   STATUS    PORTS\n"


def test_a_row(demo):
    (row,) = table(demo.mc("ps"))
    assert row["NAME"] == "demo-web-1" and row["IMAGE"] == "bb" and row["SERVICE"] == "web"
    assert row["COMMAND"] == '"sh -c \'echo to stdo…"'
    assert re.fullmatch(r"(Less than a second|\d+ seconds?) ago", row["CREATED"])
    assert re.fullmatch(r"Up (Less than a second|\d+ seconds?)", row["STATUS"])
    ports = row["PORTS"].split(", ")
    assert "127.0.0.1:18081->80/tcp" in ports and "0.0.0.0:18082->81/udp" in ports
    assert "0.0.0.0:8000-8001->90-91/tcp" in ports and "99/tcp" in ports


def test_columns_are_three_blanks_apart(demo):
    lines = demo.mc("ps", "-a").ok().out.splitlines()
    assert len(lines) == 3
    names = ("NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS")
    starts = [lines[0].index(name) for name in names]
    for start, end in zip(starts, starts[1:]):
        cells = [line[start:end] for line in lines]
        assert all(cell.endswith("   ") for cell in cells) and end - start == max(10, max(len(cell.rstrip()) for cell in cells) + 3)


def test_a_shows_the_exited_ones_sorted_by_name(demo):
    rows = table(demo.mc("ps", "-a"))
    assert [row["NAME"] for row in rows] == ["demo-db-1", "demo-web-1"]
    assert re.fullmatch(r"Exited \(3\) .* ago", rows[0]["STATUS"])


def test_no_trunc_shows_the_whole_command(demo):
    assert '"sh -c \'echo to stdout; echo to stderr >&2; sleep 1000\'"' in demo.mc("ps", "--no-trunc").ok().out


def test_json_is_one_object_a_line_with_sorted_keys(demo):
    lines = demo.mc("ps", "-a", "--format", "json").ok().out.splitlines()
    rows = [json.loads(line) for line in lines]
    keys = "Command CreatedAt ExitCode Health ID Image Labels LocalVolumes Mounts Name Names Networks Ports Project Publishers RunningFor Service Size State Status"
    assert len(rows) == 2 and all(list(row) == keys.split() for row in rows)
    db, web = rows
    assert (db["ExitCode"], db["State"], web["ExitCode"], web["State"]) == (3, "exited", 0, "running")
    assert web["Project"] == "demo" and web["Service"] == "web" and web["Networks"] == "demo_default" and web["Mounts"] == "demo_data"
    assert web["LocalVolumes"] == "1" and re.fullmatch(r"[0-9a-f]{12}", web["ID"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC", web["CreatedAt"])
    assert {"URL": "127.0.0.1", "TargetPort": 80, "PublishedPort": 18081, "Protocol": "tcp"} in web["Publishers"]
    assert not db["Publishers"]
    assert "a=<b>" in web["Labels"] and "a=\\u003cb\\u003e" in lines[1] and "com.docker.compose.service=web" in web["Labels"]


def test_quiet_prints_whole_ids(demo):
    assert re.fullmatch(r"([0-9a-f]{64}\n){2}", demo.mc("ps", "-aq").ok().out)


@pytest.mark.parametrize(
    "words, names",
    [
        ([], ["demo-web-1"]),
        (["web"], ["demo-web-1"]),
        (["db"], []),
        (["--status", "exited"], ["demo-db-1"]),
        (["--status", "exited", "--status", "running"], ["demo-db-1", "demo-web-1"]),
        (["--filter", "status=exited"], ["demo-db-1"]),
        (["--status", "paused"], []),
        (["--status", "nonsense"], []),
    ],
)
def test_what_ps_chooses(demo, words, names):
    assert [json.loads(line)["Name"] for line in demo.mc("ps", "--format", "json", *words).ok().out.splitlines()] == names


def test_services_of_ps(demo):
    assert demo.mc("ps", "--services").ok().out == "web\n"
    assert demo.mc("ps", "-a", "--services").ok().out == "db\nweb\n"


def test_errors_of_ps(demo):
    assert demo.mc("ps", "nobody").fails(1).err == "no such service: nobody\n"
    assert demo.mc("ps", "--filter", "x=y").fails(1).err == "unknown filter x\n"


@pytest.mark.parametrize(
    "template, out",
    [
        ("{{.Name}}", "demo-web-1\n"),
        (r"{{.Name}}\t{{.State}}", "demo-web-1\trunning\n"),
        ('{{.Label "com.docker.compose.project"}}', "demo\n"),
        ("table {{.Service}}", "SERVICE\nweb\n"),
        ("{{.Service}}: {{.ExitCode}}", "web: 0\n"),
    ],
)
def test_templates(demo, template, out):
    assert demo.mc("ps", "--format", template).ok().out == out


def test_states_that_ps_shows(demo):
    assert demo.ps("web")[0]["State"] == "running"
    demo.mc("stop", "web").ok()
    assert re.fullmatch(r"Exited \(137\) .* ago", demo.ps("web")[0]["Status"])
    demo.mc("rm", "-f").ok()
    demo.mc("create").ok()
    assert {(row["State"], row["Status"]) for row in demo.ps()} == {("created", "Created")}


def test_ps_by_name_needs_no_file(demo):
    (demo.directory / "compose.yaml").unlink()
    assert [row["NAME"] for row in table(demo.mc("-p", "demo", "ps"))] == ["demo-web-1"]


def test_row_11_3_control_characters_do_not_reach_the_table(bb):
    bb.compose(r'{"services": {"s": {"image": "bb", "command": ["sh", "-c", "sleep 1000 #\u001b]0;title\u0007\u001b[31m"], "stop_signal": "SIGKILL"}}}')
    bb.mc("up", "-d").ok()
    out = bb.mc("ps", "--no-trunc").ok().out
    assert "\x1b" not in out and "\x07" not in out and "sleep 1000" in out


# ps of the host


def test_ps_without_a_project_is_dockers_table(bb):
    assert bb.mc("ps").ok().out == "CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS    PORTS     NAMES\n"
    identity = bb.daemon("c", "sleep", "1000")
    (row,) = table(bb.mc("ps"))
    assert row["CONTAINER ID"] == identity[:12] and row["IMAGE"] == "bb" and row["NAMES"] == "c" and row["COMMAND"] == '"sleep 1000"'
    assert bb.mc("ps", "-q").ok().out == identity[:12] + "\n"
    assert bb.mc("ps", "-q", "--no-trunc").ok().out == identity + "\n"


def test_ps_of_the_host_as_json(bb):
    bb.daemon("c", "sleep", "1000")
    row = json.loads(bb.mc("ps", "--format", "json").ok().out)
    assert list(row) == "Command CreatedAt ID Image Labels LocalVolumes Mounts Names Networks Ports RunningFor Size State Status".split()


def test_ps_of_the_host_is_newest_first(bb):
    for name in ("one", "two", "three"):
        bb.daemon(name, "sleep", "1000")
    assert bb.mc("ps", "--format", "{{.Names}}").ok().out.split() == ["three", "two", "one"]
    assert bb.mc("ps", "-n", "2", "--format", "{{.Names}}").ok().out.split() == ["three", "two"]
    assert bb.mc("ps", "-l", "--format", "{{.Names}}").ok().out.split() == ["three"]


def test_filters_of_the_host(bb):
    bb.daemon("one", "sleep", "1000", flags="--label k=v")
    bb.mc("run", "--name", "two", "--network", "none", "bb", "sh", "-c", "exit 4")
    shown = lambda *words: bb.mc("ps", "-a", "--format", "{{.Names}}", *words).ok().out.split()
    assert shown("-f", "label=k=v") == ["one"] and shown("-f", "name=tw") == ["two"]
    assert shown("-f", "status=exited") == ["two"] and shown("-f", "exited=4") == ["two"] and shown("-f", "exited=0") == []


# logs of a project


def test_lines_have_the_containers_prefix_and_streams_stay_apart(demo):
    result = demo.mc("logs").ok()
    assert result.out == "web-1  | to stdout\n" and result.err == "web-1  | to stderr\n"


def test_prefixes_are_padded_to_the_longest(bb):
    bb.compose("services: {a: {image: bb, command: [echo, x]}, longname: {image: bb, command: [echo, y]}}")
    out = bb.mc("up").ok().out
    assert "a-1         | x\n" in out and "longname-1  | y\n" in out
    assert sorted(bb.mc("logs").ok().out.splitlines()) == ["a-1         | x", "longname-1  | y"]


def test_times_stand_between_prefix_and_text(demo):
    assert re.fullmatch(rf"web-1  \| {TIME} to stdout\n", demo.mc("logs", "-t").ok().out)


def test_no_prefix(demo):
    assert demo.mc("logs", "--no-log-prefix").ok().out == "to stdout\n"


def test_no_escapes_off_a_terminal(demo):
    assert "\x1b" not in demo.mc("logs").out and "\x1b" in demo.mc("--ansi", "always", "logs").ok().out


COUNT = """
services:
  n: {image: bb, command: [sh, -c, "for i in 0 1 2 3 4 5 6 7 8 9; do echo line $$i; done"]}
"""


@pytest.mark.parametrize("words, first", [(["-n", "3"], 7), (["--tail", "1"], 9), (["-n", "0"], 10), (["-n", "all"], 0), (["--tail", "100"], 0), ([], 0)])
def test_tail(bb, words, first):
    bb.compose(COUNT)
    bb.mc("up").ok()
    assert bb.mc("logs", "--no-log-prefix", *words).ok().out.splitlines() == [f"line {i}" for i in range(first, 10)]


def test_since_and_until(bb):
    bb.daemon("c", "sh", "-c", "echo early; sleep 1.2; echo late; sleep 1000")
    wait_until(lambda: "late" in bb.mc("logs", "c").out, what="both lines")
    early, late = [line.split()[0] for line in bb.mc("logs", "-t", "c").ok().out.splitlines()]
    assert bb.mc("logs", "--since", late, "c").ok().out == "late\n"
    assert bb.mc("logs", "--until", early, "c").ok().out == "early\n"
    assert bb.mc("logs", "--since", "1h", "c").ok().out == "early\nlate\n"
    assert bb.mc("logs", "--until", "1h", "c").ok().out == ""
    assert bb.mc("logs", "--since", "nonsense", "c").fails(1).err.count("\n") == 1


def test_logs_of_one_service(demo):
    assert demo.mc("logs", "db").ok().out == ""
    assert demo.mc("logs", "nobody").fails(1).err == "no such service: nobody\n"


def test_no_containers_no_logs(bb):
    bb.compose(WEB)
    result = bb.mc("logs").ok()
    assert result.out == "" and result.err == ""


def test_follow_ends_when_nothing_runs_any_more(bb):
    bb.compose(COUNT.replace("; do echo", "; do sleep 0.05; echo"))
    bb.mc("up", "-d").ok()
    assert bb.mc("logs", "-f", "--no-log-prefix", timeout=20).ok().out.splitlines() == [f"line {i}" for i in range(10)]


def test_follow_shows_containers_that_come_later(bb):
    bb.compose(COUNT.replace("done", "done; sleep 1000"))
    bb.mc("up", "-d").ok()
    follower = bb.start(BINARY, "logs", "-f", "--no-log-prefix")
    for i in range(10):
        assert follower.stdout.readline() == f"line {i}\n"
    bb.compose(COUNT.replace("line", "other"))
    bb.mc("up", "-d", "-t", "0").ok()
    out, err = follower.communicate(timeout=20)
    assert out.splitlines() == [f"other {i}" for i in range(10)], err
    assert follower.returncode == 0


def test_follow_is_ended_by_ctrl_c_with_130(demo):
    process = demo.start("sh", "-c", 'echo $$; exec "$@"', "sh", BINARY, "logs", "-f")
    pid = process.stdout.readline().strip()
    assert process.stdout.readline() == "web-1  | to stdout\n"
    demo.sh(f"kill -INT {pid}").ok()
    process.communicate(timeout=10)
    assert process.returncode == 130


def test_row_16_logs_of_a_restarted_container_go_on(bb):
    bb.daemon("c", "sh", "-c", "echo run; sleep 1000", flags="--stop-signal KILL")
    wait_until(lambda: bb.mc("logs", "c").out == "run\n", what="the first line")
    bb.mc("restart", "c").ok()
    wait_until(lambda: bb.mc("logs", "c").out == "run\nrun\n", what="the second line")


def test_logs_by_name_need_no_file(demo):
    (demo.directory / "compose.yaml").unlink()
    assert demo.mc("-p", "demo", "logs").ok().out == "web-1  | to stdout\n"


# logs of one container


def test_docker_logs_are_raw(bb):
    bb.mc("run", "--name", "c", "--network", "none", "bb", "sh", "-c", "printf 'a\\n  b\\n'; echo e >&2; printf end").fails(0)
    result = bb.mc("logs", "c").ok()
    assert result.out == "a\n  b\nend" and result.err == "e\n"


def test_docker_logs_of_an_unknown_container(bb):
    assert bb.mc("logs", "nobody").fails(1).err == "No such container: nobody\n"


def test_a_replica_is_chosen_by_index(bb):
    bb.compose("services: {s: {image: bb, command: [sh, -c, 'hostname']}}")
    bb.mc("up", "--scale", "s=2").ok()
    both = bb.mc("logs").ok().out.splitlines()
    assert len(both) == 2
    assert bb.mc("logs", "--index", "2", "s").ok().out.splitlines() == [line for line in both if line.startswith("s-2")]
    assert "--index" in bb.mc("logs", "--index", "2").fails(1).err


def test_attach_false_hides_a_service_unless_named(bb):
    bb.compose("services: {a: {image: bb, command: [echo, x], attach: false}, b: {image: bb, command: [echo, y]}}")
    assert "| x" not in bb.mc("up").ok().out
    assert bb.mc("logs").ok().out == "b-1  | y\n"
    assert bb.mc("logs", "a").ok().out == "a-1  | x\n"


DEPENDENT = "services: {a: {image: bb, command: [echo, x]}, b: {image: bb, command: [echo, y], depends_on: [a]}, c: {image: bb, command: [echo, z]}}"


@pytest.mark.parametrize(
    "words, shown",
    [
        (["b"], ["b-1"]),
        (["--attach-dependencies", "b"], ["a-1", "b-1"]),
        (["--attach", "c"], ["c-1"]),
        (["--no-attach", "c"], ["a-1", "b-1"]),
        ([], ["a-1", "b-1", "c-1"]),
    ],
)
def test_whose_output_up_shows(bb, words, shown):
    bb.compose(DEPENDENT)
    out = bb.mc("up", *words).ok().out
    assert sorted(line.split()[0] for line in out.splitlines() if " | " in line) == shown
    assert out.splitlines()[0] == "Attaching to " + ", ".join(shown)


def test_timestamps_of_attached_up(bb):
    bb.compose("services: {a: {image: bb, command: [echo, x]}}")
    assert re.search(rf"^a-1  \| {TIME} x$", bb.mc("up", "--timestamps").ok().out, re.M)


def test_a_tty_writes_all_to_stdout(bb):
    bb.compose("services: {a: {image: bb, tty: true, command: [sh, -c, 'echo one; echo two >&2']}}")
    bb.mc("up").ok()
    result = bb.mc("logs").ok()
    assert [line.rstrip("\r") for line in result.out.split("\n")] == ["a-1  | one", "a-1  | two", ""] and result.err == ""


def test_times_of_records_are_those_of_receipt(bb):
    bb.daemon("c", "sh", "-c", "echo one; sleep 0.5; echo two; sleep 1000")
    wait_until(lambda: "two" in bb.mc("logs", "c").out, what="both lines")
    stamps = [line.split()[0] for line in bb.mc("logs", "-t", "c").ok().out.splitlines()]
    seconds = [time.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S").tm_sec + float(stamp[19:-1]) for stamp in stamps]
    assert 0.3 < (seconds[1] - seconds[0]) % 60 < 5
