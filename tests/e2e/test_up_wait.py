# SPDX-License-Identifier: GPL-2.0-or-later
"""up --wait and start --wait: when they return, and with what."""

import time

CHECK = 'healthcheck: {test: ["CMD-SHELL", "%s"], interval: 100ms, retries: 2, start_period: %s}'


def compose(host, body):
    host.compose("name: demo\nservices:\n" + body)


def sleeper(name, *more):
    return "".join(f"{line}\n" for line in (f"  {name}:", "    image: bb", '    command: [sleep, "1000"]', "    stop_signal: SIGKILL", *("    " + m for m in more)))


def states(host):
    return {row["Service"]: row["State"] for row in host.ps()}


def test_it_returns_when_all_is_running_or_healthy(bb):
    compose(
        bb,
        sleeper("plain")
        + sleeper("checked", CHECK % ("test -e /ready", "30s")).replace('[sleep, "1000"]', '[sh, -c, "sleep 0.5; touch /ready; exec sleep 1000"]'),
    )
    result = bb.mc("up", "--wait").ok()
    bb.mc("exec", "-T", "checked", "test", "-e", "/ready").ok()
    assert " Container demo-checked-1  Healthy" in result.err
    again = bb.mc("up", "--wait").ok()
    assert "Waiting" not in again.err and again.err.count("Running") == 2


def test_one_that_ends_is_a_failure_even_with_code_0(bb):
    compose(bb, sleeper("plain") + "  job: {image: bb, command: ['true']}\n")
    result = bb.mc("up", "--wait").fails(1)
    assert "container demo-job-1 exited (0)" in result.err
    assert states(bb) == {"plain": "running", "job": "exited"}


def test_a_job_that_others_wait_for_may_end(bb):
    compose(bb, sleeper("web", "depends_on: {job: {condition: service_completed_successfully}}") + "  job: {image: bb, command: ['true']}\n")
    bb.mc("up", "--wait").ok()
    assert states(bb) == {"web": "running", "job": "exited"}


def test_one_that_becomes_unhealthy_is_a_failure_at_once(bb):
    compose(bb, sleeper("db", CHECK % ("false", "0s")))
    result = bb.mc("up", "--wait", "--wait-timeout", "100").fails(1)
    assert "container demo-db-1 is unhealthy" in result.err
    assert "waits for it" not in result.err


def test_the_timeout_says_how_long_it_was(bb):
    compose(bb, sleeper("db", CHECK % ("false", "100s")))
    result = bb.mc("up", "--wait", "--wait-timeout", "1").fails(1)
    assert "application not healthy after 1s" in result.err
    assert states(bb) == {"db": "running"}


def test_wait_does_not_go_with_what_stays_attached(bb):
    compose(bb, sleeper("db"))
    for words in (["--attach", "db"], ["--abort-on-container-exit"], ["--exit-code-from", "db"]):
        assert "--detach" in bb.mc("up", "--wait", *words).fails(1).err
    assert bb.ps() == []


def test_start_waits_as_well(bb):
    compose(
        bb,
        sleeper("db", CHECK % ("test -e /ready", "30s")).replace('[sleep, "1000"]', '[sh, -c, "rm -f /ready; sleep 0.5; touch /ready; exec sleep 1000"]'),
    )
    bb.mc("up", "--no-start").ok()
    bb.mc("start", "--wait").ok()
    bb.mc("exec", "-T", "db", "test", "-e", "/ready").ok()
    bb.mc("stop").ok()
    bb.compose((bb.directory / "compose.yaml").read_text().replace("sleep 0.5", "sleep 100"))
    began = time.monotonic()
    assert "application not healthy after 1s" in bb.mc("up", "-d", "--wait", "--wait-timeout", "1").fails(1).err
    assert time.monotonic() - began > 1
