# SPDX-License-Identifier: GPL-2.0-or-later
"""deploy.update_config: how running containers make room, and what a failed update comes to."""

import json

from testhost import BINARY


def compose(host, version, ready="true", replicas=1, update=None, rollback=None, **keys):
    deploy = {"replicas": replicas, "update_config": update or {}}
    if rollback is not None:
        deploy["rollback_config"] = rollback
    web = {
        "image": "bb",
        "command": ["sh", "-c", "sleep 0.3; touch /ready; exec sleep 1000"],
        "environment": {"VERSION": version},
        "stop_signal": "SIGKILL",
        "healthcheck": {"test": ["CMD-SHELL", f"test -e /ready && {ready}"], "interval": "100ms", "retries": 3, "start_period": "2s" if ready == "true" else "0s"},
        "deploy": deploy,
        **keys,
    }
    host.compose(json.dumps({"name": "demo", "services": {"web": web}}))


def rows(host):
    return {row["Name"]: row for row in host.ps()}


def versions(host):
    return {name: host.mc("container", "inspect", name).ok().out.split("VERSION=")[1][:3] for name in rows(host)}


def order(result):
    """The progress lines, without the project."""
    return [line.strip().removeprefix("Container demo-") for line in result.err.splitlines()]


class Watch:
    """How many containers are running and healthy at the moment, noted again and again."""

    def __init__(self, host):
        self.host = host
        self.end = host.directory / "watched-enough"
        loop = f"while ! test -e {self.end}; do {BINARY} ps --format '{{{{.Health}}}}' | grep -c '^healthy'; done"
        self.process = host.start("sh", "-c", loop)

    def counts(self):
        self.end.touch()
        out = self.process.communicate(timeout=20)[0]
        return [int(count) for count in out.split()]


def test_start_first_leaves_no_moment_without_a_healthy_container(bb):
    compose(bb, "one", update={"order": "start-first"})
    bb.mc("up", "-d", "--wait").ok()
    old = rows(bb)["demo-web-1"]["ID"]
    watcher = Watch(bb)
    compose(bb, "two", update={"order": "start-first"})
    result = bb.mc("up", "-d").ok()
    counts = watcher.counts()
    assert len(counts) > 3 and min(counts) >= 1, counts
    lines = order(result)
    assert lines.index("web-1  Healthy") < lines.index("web-1  Recreated")
    assert versions(bb) == {"demo-web-1": "two"} and rows(bb)["demo-web-1"]["ID"] != old
    bb.mc("up", "-d", "--detailed-exitcode").ok()


def test_parts_follow_one_another(bb):
    compose(bb, "one", replicas=3, update={"order": "stop-first", "parallelism": 1})
    bb.mc("up", "-d", "--wait").ok()
    watcher = Watch(bb)
    compose(bb, "two", replicas=3, update={"order": "stop-first", "parallelism": 1})
    bb.mc("up", "-d").ok()
    counts = watcher.counts()
    assert len(counts) > 3 and min(counts) >= 2, counts
    assert set(versions(bb).values()) == {"two"} and len(rows(bb)) == 3


def test_a_failed_update_is_rolled_back(bb):
    for update in ({"order": "start-first", "failure_action": "rollback"}, {"order": "stop-first", "failure_action": "rollback"}):
        compose(bb, "one", replicas=2, update=update)
        bb.mc("up", "-d", "--wait").ok()
        before = {name: row["ID"] for name, row in rows(bb).items()}
        compose(bb, "two", replicas=2, ready="false", update=update)
        result = bb.mc("up", "-d").fails(1)
        assert 'service "web": the update failed and was rolled back: container demo-web-1 is unhealthy' in result.err
        assert {name: row["ID"] for name, row in rows(bb).items()} == before
        assert {row["State"] for row in rows(bb).values()} == {"running"}
        assert set(versions(bb).values()) == {"one"}
        bb.mc("down").ok()


def test_a_rollback_takes_back_the_parts_that_had_succeeded(bb):
    """The second part fails, so the first, which was healthy, goes back as well."""
    update = {"failure_action": "rollback", "parallelism": 1}
    keys = {"volumes": [f"{bb.directory}:/shared"], "networks": ["default"]}
    compose(bb, "one", replicas=2, update=update, **keys)
    bb.mc("up", "-d", "--wait").ok()
    before = {name: row["ID"] for name, row in rows(bb).items()}
    # The first to ask gets the lock and is healthy, the second never.
    compose(bb, "two", replicas=2, ready="{ test -e /mine || { mkdir /shared/lock && touch /mine; }; }", update=update, **keys)
    result = bb.mc("up", "-d").fails(1)
    assert "rolled back: container demo-web-2 is unhealthy" in result.err
    assert {name: row["ID"] for name, row in rows(bb).items()} == before
    assert {row["State"] for row in rows(bb).values()} == {"running"}


def test_a_failed_update_pauses_by_default_and_goes_on_with_the_next_file(bb):
    compose(bb, "one", update={"order": "start-first"})
    bb.mc("up", "-d", "--wait").ok()
    compose(bb, "two", ready="false", update={"order": "start-first"})
    result = bb.mc("up", "-d").fails(1)
    assert "container demo-web-1 is unhealthy" in result.err and "rolled back" not in result.err
    assert rows(bb)["demo-web-1"]["State"] == "running" and versions(bb)["demo-web-1"] == "one"
    assert len(rows(bb)) == 2
    compose(bb, "tri", update={"order": "start-first"})
    bb.mc("up", "-d").ok()
    assert versions(bb) == {"demo-web-1": "tri"}


def test_a_failure_that_is_to_be_passed_over(bb):
    compose(bb, "one", replicas=2, update={"failure_action": "continue"})
    bb.mc("up", "-d", "--wait").ok()
    compose(bb, "two", replicas=2, ready="false", update={"failure_action": "continue"})
    result = bb.mc("up", "-d").ok()
    assert "update goes on" in result.err
    assert set(versions(bb).values()) == {"two"} and len(rows(bb)) == 2


def test_monitor_sees_one_that_ends_after_it_was_ready(bb):
    def text(version, command):
        update = {"failure_action": "rollback", "monitor": "3s"}
        service = {"image": "bb", "command": command, "stop_signal": "SIGKILL", "environment": {"VERSION": version}, "deploy": {"update_config": update}}
        bb.compose(json.dumps({"name": "demo", "services": {"web": service}}))

    text("one", ["sleep", "1000"])
    bb.mc("up", "-d").ok()
    text("two", ["sh", "-c", "sleep 0.7; exit 4"])
    result = bb.mc("up", "-d").fails(1)
    assert "container demo-web-1 exited (4)" in result.err and "rolled back" in result.err
    assert versions(bb) == {"demo-web-1": "one"} and rows(bb)["demo-web-1"]["State"] == "running"


def test_one_that_cannot_even_start_is_rolled_back(bb):
    def text(version, command):
        service = {"image": "bb", "command": command, "stop_signal": "SIGKILL", "environment": {"VERSION": version}, "deploy": {"update_config": {"failure_action": "rollback"}}}
        bb.compose(json.dumps({"name": "demo", "services": {"web": service}}))

    text("one", ["sleep", "1000"])
    bb.mc("up", "-d").ok()
    text("two", ["/no/such/program"])
    assert "rolled back" in bb.mc("up", "-d").fails(1).err
    assert versions(bb) == {"demo-web-1": "one"} and rows(bb)["demo-web-1"]["State"] == "running"


def test_a_fixed_port_cannot_be_held_twice_so_the_old_one_stops_first(bb):
    compose(bb, "one", update={"order": "start-first"}, ports=["8080:80"])
    bb.mc("up", "-d", "--wait").ok()
    compose(bb, "two", update={"order": "start-first"}, ports=["8080:80"])
    result = bb.mc("up", "-d").ok()
    assert "start-first is not possible with a fixed host port" in result.err
    assert versions(bb) == {"demo-web-1": "two"}


def test_a_delay_lies_between_the_parts(bb):
    update = {"parallelism": 1, "delay": "700ms"}
    compose(bb, "one", replicas=2, update=update)
    bb.mc("up", "-d", "--wait").ok()
    compose(bb, "two", replicas=2, update=update)
    assert "delay update of service web" in bb.mc("up", "--dry-run").ok().out
    bb.mc("up", "-d").ok()
    started = [bb.record(name)["started"] for name in ("demo-web-1", "demo-web-2")]
    def seconds(text):
        clock = text.split("T")[1].rstrip("Z").split(":")
        return int(clock[0]) * 3600 + int(clock[1]) * 60 + float(clock[2])
    assert (seconds(started[1]) - seconds(started[0])) % 86400 >= 0.7
