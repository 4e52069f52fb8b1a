# SPDX-License-Identifier: GPL-2.0-or-later
"""depends_on: what waits for what, what the user is told when it waits in vain."""

import json

from testhost import BINARY, wait_until


def project(**services):
    return json.dumps({"name": "demo", "services": services})


def service(*command, **keys):
    return {"image": "bb", "command": list(command), "stop_signal": "SIGKILL", **keys}


SLEEP = ("sleep", "1000")


def check(test, **keys):
    return {"test": ["CMD-SHELL", test], "interval": "100ms", "retries": 2, **keys}


def on(name, condition, **keys):
    return {name: {"condition": condition, **keys}}


def states(host):
    return {row["Service"]: row["State"] for row in host.ps()}


def test_a_dependent_starts_when_its_dependency_is_healthy(bb):
    bb.compose(
        project(
            db=service("sh", "-c", "sleep 0.6; touch /ready; exec sleep 1000", healthcheck=check("test -e /ready", start_period="30s")),
            web=service(*SLEEP, depends_on=on("db", "service_healthy")),
        )
    )
    result = bb.mc("up", "-d").ok()
    lines = result.err.splitlines()
    order = [lines.index(f" Container demo-{text}") for text in ("db-1  Started", "db-1  Waiting", "db-1  Healthy", "web-1  Starting")]
    assert order == sorted(order)
    bb.mc("-p", "demo", "exec", "-T", "db", "test", "-e", "/ready").ok()
    assert states(bb) == {"db": "running", "web": "running"}


def test_an_unhealthy_dependency_names_itself_and_who_waits(bb):
    bb.compose(
        project(
            db=service(*SLEEP, healthcheck=check("false")),
            web=service(*SLEEP, depends_on=on("db", "service_healthy")),
            other=service(*SLEEP),
        )
    )
    result = bb.mc("up", "-d").fails(1)
    assert 'dependency failed to start: container demo-db-1 is unhealthy; service "web" waits for it' in result.err
    assert states(bb) == {"db": "running", "web": "created", "other": "running"}


def test_a_dependency_that_ends_instead_of_becoming_healthy(bb):
    bb.compose(
        project(
            db=service("sh", "-c", "sleep 0.3; exit 3", healthcheck=check("false", start_period="30s")),
            web=service(*SLEEP, depends_on=on("db", "service_healthy")),
        )
    )
    result = bb.mc("up", "-d").fails(1)
    assert "dependency failed to start: container demo-db-1 exited (3)" in result.err
    assert states(bb)["web"] == "created"


def test_a_job_is_waited_for(bb):
    bb.compose(
        project(
            job=service("sh", "-c", "sleep 0.4; touch /shared/done", volumes=["v:/shared"]),
            web=service("sh", "-c", "test -e /shared/done && exec sleep 1000", volumes=["v:/shared"], depends_on=on("job", "service_completed_successfully")),
        ).replace('"services"', '"volumes": {"v": {}}, "services"')
    )
    result = bb.mc("up", "-d").ok()
    assert " Container demo-job-1  Exited" in result.err
    assert states(bb) == {"job": "exited", "web": "running"}


def test_a_job_that_fails_names_its_exit_code_and_who_waits(bb):
    bb.compose(
        project(
            job=service("sh", "-c", "exit 7"),
            web=service(*SLEEP, depends_on=on("job", "service_completed_successfully")),
        )
    )
    result = bb.mc("up", "-d").fails(1)
    assert 'service "job" didn\'t complete successfully: exit 7; service "web" waits for it' in result.err
    assert states(bb)["web"] == "created"


def test_an_optional_dependency_that_fails_is_a_warning(bb):
    bb.compose(
        project(
            db=service(*SLEEP, healthcheck=check("false")),
            web=service(*SLEEP, depends_on=on("db", "service_healthy", required=False)),
        )
    )
    result = bb.mc("up", "-d").ok()
    assert "is unhealthy" in result.err
    assert states(bb)["web"] == "running"


def test_no_healthcheck_to_wait_for_is_told_before_anything_is_made(bb):
    bb.compose(project(db=service(*SLEEP), web=service(*SLEEP, depends_on=on("db", "service_healthy"))))
    before = bb.snapshot()
    result = bb.mc("up", "-d").fails(1)
    assert "container demo-db-1 has no healthcheck configured" in result.err
    assert bb.snapshot() == before


def test_the_plan_shows_the_gates(bb):
    bb.compose(
        project(
            db=service(*SLEEP, healthcheck=check("true")),
            web=service(*SLEEP, depends_on=on("db", "service_healthy")),
        )
    )
    out = bb.mc("up", "--dry-run").ok().out
    assert "wait for health of container demo-db-1\n" in out
    actions = json.loads(bb.mc("up", "--dry-run", "--format", "json").ok().out)
    start = next(a for a in actions if a["kind"] == "start" and a.get("service") == "web")
    assert "wait-healthy" in {actions[i]["kind"] for i in start["after"]}


def test_start_waits_again(bb):
    bb.compose(
        project(
            db=service("sh", "-c", "rm -f /ready; sleep 0.5; touch /ready; exec sleep 1000", healthcheck=check("test -e /ready", start_period="30s")),
            web=service(*SLEEP, depends_on=on("db", "service_healthy")),
        )
    )
    bb.mc("up", "-d").ok()
    bb.mc("stop").ok()
    bb.mc("start").ok()
    bb.mc("exec", "-T", "db", "test", "-e", "/ready").ok()
    assert states(bb) == {"db": "running", "web": "running"}


def test_start_without_the_file_waits_by_the_labels(bb):
    bb.compose(
        project(
            db=service("sh", "-c", "rm -f /ready; sleep 0.5; touch /ready; exec sleep 1000", healthcheck=check("test -e /ready", start_period="30s")),
            web=service(*SLEEP, depends_on=on("db", "service_healthy")),
        )
    )
    bb.mc("up", "-d").ok()
    bb.mc("-p", "demo", "stop").ok()
    result = bb.mc("-p", "demo", "start").ok()
    assert " Container demo-db-1  Healthy" in result.err
    bb.mc("-p", "demo", "exec", "-T", "db", "test", "-e", "/ready").ok()


def test_run_waits_for_what_its_service_depends_on(bb):
    bb.compose(
        project(
            job=service("sh", "-c", "sleep 0.4; touch /shared/done", volumes=["v:/shared"]),
            web=service("test", "-e", "/shared/done", volumes=["v:/shared"], depends_on=on("job", "service_completed_successfully")),
        ).replace('"services"', '"volumes": {"v": {}}, "services"')
    )
    bb.mc("run", "--rm", "-T", "web").ok()
    # The name of another project is no reason to take the service for an image.
    assert " Container other-job-1  Exited" in bb.mc("-p", "other", "run", "--rm", "-T", "web").ok().err
    assert "web" not in states(bb)


def test_dependents_with_restart_follow_a_recreated_dependency(bb):
    def text(colour):
        return project(
            db=service(*SLEEP, environment={"COLOUR": colour}),
            web=service(*SLEEP, depends_on=on("db", "service_started", restart=True)),
            other=service(*SLEEP, depends_on=["db"]),
        )

    def started():
        return {row["Service"]: bb.record(row["Name"])["started"] for row in bb.ps()}

    bb.compose(text("red"))
    bb.mc("up", "-d").ok()
    ids = {row["Service"]: row["ID"] for row in bb.ps()}
    before = started()
    bb.compose(text("green"))
    bb.mc("up", "-d").ok()
    after = started()
    assert {row["Service"]: row["ID"] for row in bb.ps() if row["Service"] != "db"} == {k: v for k, v in ids.items() if k != "db"}
    assert after["web"] > before["web"] and after["web"] > after["db"]
    assert after["other"] == before["other"]


def test_restart_takes_followers_along_unless_told_not_to(bb):
    bb.compose(
        project(
            db=service(*SLEEP),
            web=service(*SLEEP, depends_on=on("db", "service_started", restart=True)),
            other=service(*SLEEP, depends_on=["db"]),
        )
    )

    def started():
        return {row["Service"]: bb.record(row["Name"])["started"] for row in bb.ps()}

    bb.mc("up", "-d").ok()
    first = started()
    bb.mc("restart", "--no-deps", "db").ok()
    second = started()
    assert second["db"] > first["db"] and second["web"] == first["web"]
    bb.mc("restart", "db").ok()
    third = started()
    assert third["web"] > second["web"] and third["other"] == first["other"]


def test_ctrl_c_while_waiting_ends_the_wait(bb):
    bb.compose(
        project(
            db=service(*SLEEP, healthcheck=check("false", start_period="100s")),
            web=service(*SLEEP, depends_on=on("db", "service_healthy")),
        )
    )
    process = bb.start("sh", "-c", f'echo $$ > {bb.directory}/pid; exec "$@"', "sh", BINARY, "up")
    wait_until(lambda: states(bb).get("db") == "running", what="db to run")
    bb.sh(f"kill -INT $(cat {bb.directory}/pid)").ok()
    assert process.wait(20) == 130
    assert states(bb) == {"db": "exited", "web": "created"}
