# SPDX-License-Identifier: GPL-2.0-or-later
"""Health checks: what a probe is allowed to, what its results make of a container, and that nothing of it stays."""

import json
import re
import time

import pytest

from testhost import wait_until

QUICK = "--health-interval 50ms --health-timeout 2s --health-retries 2"
BY_FILE = "test -e /tmp/ok"  # healthy while the file is there


def daemon(host, name="c", command=("sleep", "1000"), flags="", cmd=BY_FILE):
    """A container that is probed by a line for the shell."""
    words = ["run", "-d", "--name", name, "--network", "none", "--stop-signal", "KILL", "--health-cmd", cmd, *QUICK.split(), *flags.split(), "bb", *command]
    return host.mc(*words).ok()


def inspect(host, name="c"):
    return json.loads(host.mc("container", "inspect", name).ok().out)[0]


def health(host, name="c"):
    return inspect(host, name)["State"]["Health"]


def until(host, status, name="c"):
    wait_until(lambda: health(host, name)["Status"] == status, what=f"{status}: {health(host, name)}")
    return health(host, name)


def touch(host, name="c"):
    host.inside(name, "touch", "/tmp/ok").ok()


def processes(host, command):
    """Processes of the host that run exactly this."""
    return host.sh(f"pgrep -fx '{command}'; true").out.split()


def kill_supervisor(host):
    pids = host.sh("pgrep -x mycompose").out.split()
    assert pids, "no supervisor runs"
    host.sh("kill -9 " + " ".join(pids))  # the command that has just made it may have ended
    wait_until(lambda: not set(pids) & set(host.sh("pgrep -x mycompose").out.split()), what="its death")


def compose(host, more, command=("sleep", "1000")):
    host.compose(f"services: {{s: {{image: bb, stop_signal: SIGKILL, network_mode: none, command: {json.dumps(command)}, {more}}}}}")


# states


def test_starting_healthy_unhealthy_healthy(bb):
    daemon(bb, flags="--health-start-period 30s --health-start-interval 50ms")
    assert health(bb)["Status"] == "starting"
    assert bb.state("c")["Status"].endswith("(health: starting)")
    touch(bb)
    assert until(bb, "healthy")["FailingStreak"] == 0
    assert bb.state("c")["Status"].endswith("(healthy)")
    bb.inside("c", "rm", "/tmp/ok").ok()
    assert until(bb, "unhealthy")["FailingStreak"] >= 2
    assert bb.state("c")["Status"].endswith("(unhealthy)")
    touch(bb)
    until(bb, "healthy")
    assert bb.mc("container", "ls", "--format", "{{.Names}}", "--filter", "health=healthy").ok().out == "c\n"
    assert bb.mc("container", "ls", "--format", "{{.Names}}", "--filter", "health=starting").ok().out == ""
    bb.mc("rm", "-f", "c").ok()


def test_a_container_without_a_check_has_no_health(bb):
    bb.daemon("c", "sleep", "1000")
    assert "Health" not in inspect(bb)["State"]
    assert "(" not in bb.state("c")["Status"]
    bb.mc("rm", "-f", "c").ok()


def test_failures_in_the_start_period_do_not_count(bb):
    daemon(bb, flags="--health-start-period 30s --health-start-interval 50ms --health-retries 1")
    found = wait_until(lambda: health(bb) if len(health(bb)["Log"]) >= 4 else None, what="four probes")
    assert (found["Status"], found["FailingStreak"]) == ("starting", 0)
    # A success ends it: from now on one failure is enough.
    touch(bb)
    until(bb, "healthy")
    bb.inside("c", "rm", "/tmp/ok").ok()
    until(bb, "unhealthy")
    bb.mc("rm", "-f", "c").ok()


def test_without_a_start_period_failures_count_at_once(bb):
    daemon(bb)
    assert until(bb, "unhealthy")["FailingStreak"] >= 2
    bb.mc("rm", "-f", "c").ok()


def test_the_last_five_results_are_told_as_docker_tells_them(bb):
    daemon(bb, cmd="echo said; echo wrong >&2; exit 3", flags="--health-retries 1000")
    log = wait_until(lambda: health(bb)["Log"] if len(health(bb)["Log"]) == 5 else None, what="five results")
    for result in log:
        assert result["ExitCode"] == 3
        assert result["Output"] == "said\nwrong\n"
        assert re.match(r"\d{4}-\d\d-\d\dT", result["Start"]) and result["Start"] <= result["End"]
    assert sorted(log, key=lambda result: result["Start"]) == log
    first = log[0]["Start"]
    wait_until(lambda: health(bb)["Log"][0]["Start"] > first, what="a sixth result")
    assert len(health(bb)["Log"]) == 5
    bb.mc("rm", "-f", "c").ok()


def test_a_command_that_is_not_there_is_a_failure_that_says_so(bb):
    compose(bb, "healthcheck: {test: [CMD, no-such-program], interval: 50ms, retries: 1}")
    bb.mc("up", "-d").ok()
    found = until(bb, "unhealthy", bb.ps()[0]["Name"])
    assert "executable file not found" in found["Log"][-1]["Output"]
    bb.mc("down").ok()


def test_one_that_has_ended_is_not_healthy(bb):
    daemon(bb)
    touch(bb)
    until(bb, "healthy")
    bb.mc("stop", "c").ok()
    assert health(bb)["Status"] == "unhealthy" and health(bb)["Log"]
    assert "healthy" not in bb.state("c")["Status"]
    bb.mc("start", "c").ok()
    assert health(bb)["Status"] in ("starting", "healthy")
    assert until(bb, "healthy")["FailingStreak"] == 0, "its file is still there"
    bb.mc("rm", "-f", "c").ok()


def test_a_paused_one_is_not_probed(bb):
    daemon(bb, cmd="echo x >> /tmp/probes; sleep 0.02; exit 0")
    until(bb, "healthy")
    bb.mc("pause", "c").ok()
    assert bb.state("c")["Status"].endswith("(Paused)")
    before = health(bb)
    time.sleep(0.4)
    assert health(bb) == before
    bb.mc("unpause", "c").ok()
    wait_until(lambda: health(bb)["Log"][-1] != before["Log"][-1], what="a further probe")
    assert health(bb)["Status"] == "healthy"
    bb.mc("rm", "-f", "c").ok()


# what a probe leaves


def test_row_14_8_a_timeout_kills_the_probe_and_all_that_came_from_it(bb):
    # A child, a child in a session of its own, and an orphan of that: none is left.
    script = "setsid sh -c 'sleep 7771 & sleep 7772' & (sleep 7773 &) ; echo said; sleep 7774"
    daemon(bb, cmd=script, flags="--health-timeout 300ms --health-interval 2s --health-retries 1")
    found = until(bb, "unhealthy")
    result = found["Log"][0]
    assert result["ExitCode"] == -1
    assert result["Output"] == "Health check exceeded timeout (0.3s): said\n"
    # Until the next probe begins.
    wait_until(lambda: processes(bb, "sleep 777[1-4]") == [], timeout=1.5, what="the end of all")
    bb.mc("rm", "-f", "c").ok()


def test_a_timeout_kills_the_probe_of_a_container_below_another_cgroup_parent(bb):
    daemon(bb, cmd="echo said; sleep 7776", flags="--cgroup-parent custom --health-timeout 300ms --health-interval 2s --health-retries 1")
    until(bb, "unhealthy")
    wait_until(lambda: processes(bb, "sleep 7776") == [], timeout=1.5, what="the end of the probe")
    bb.mc("rm", "-f", "c").ok()


def test_row_14_8_after_timeouts_the_container_holds_its_own_process_only(bb):
    script = "setsid sh -c 'sleep 7781 & sleep 7782' & (sleep 7783 &) ; sleep 7784"
    daemon(bb, cmd=script, flags="--health-timeout 150ms --health-interval 2s --health-start-period 30s --health-start-interval 50ms")
    wait_until(lambda: len(health(bb)["Log"]) >= 3, what="three timeouts")
    # One probe at most: never more than its own five processes, in however many looks.
    for _ in range(20):
        assert all(len(processes(bb, f"sleep {number}")) <= 1 for number in range(7781, 7785))
        time.sleep(0.02)
    bb.mc("rm", "-f", "c").ok()
    wait_until(lambda: processes(bb, "sleep 778.") == [], what="the end of all")


def test_row_14_8_a_hung_probe_is_one_process_at_most(bb):
    daemon(bb, cmd="exec sleep 7791", flags="--health-timeout 60s --health-interval 20ms")
    wait_until(lambda: processes(bb, "sleep 7791"), what="the probe")
    for _ in range(15):
        assert len(processes(bb, "sleep 7791")) == 1
        time.sleep(0.03)
    bb.mc("rm", "-f", "c").ok()
    assert processes(bb, "sleep 7791") == []


def test_row_14_8_what_a_probe_leaves_behind_is_ended_with_it(bb):
    daemon(bb, cmd="sleep 7801 & exit 0")
    until(bb, "healthy")
    wait_until(lambda: len(health(bb)["Log"]) == 5, what="five probes")
    assert len(processes(bb, "sleep 7801")) <= 1
    bb.mc("rm", "-f", "c").ok()


def test_row_14_8_the_output_of_a_probe_is_kept_to_4_kib(bb):
    daemon(bb, cmd="yes | head -c 3000000; echo end", flags="--health-interval 100ms")
    output = until(bb, "healthy")["Log"][0]["Output"]
    assert output == "y\n" * 2048 + "..."
    bb.mc("rm", "-f", "c").ok()


def test_row_14_7_a_changed_clock_neither_fires_nor_stops_probes(bb):
    """A wall clock that has jumped, as a supervisor finds it that goes on with another's work."""
    compose(bb, "healthcheck: {test: 'true', interval: 50ms}")
    bb.mc("up", "-d").ok()
    name = bb.ps()[0]["Name"]
    until(bb, "healthy", name)
    path = f"/var/lib/mycompose/containers/{bb.state(name)['ID']}/health.json"
    for year in ("1999", "2199"):
        kill_supervisor(bb)
        bb.sh(f"sed -i -E 's/\"(start|end)\":\"[0-9]{{4}}/\"\\1\":\"{year}/g' {path}").ok()
        assert [r["Start"][:4] for r in health(bb, name)["Log"]].count(year) > 0
        bb.mc("up", "-d").ok()
        wait_until(lambda: year not in [r["Start"][:4] for r in health(bb, name)["Log"]], what="five further probes")
    bb.mc("down").ok()


# what a probe is


@pytest.mark.parametrize("flags", ["", "--user user", "--cap-drop ALL", "--cap-add NET_ADMIN --security-opt no-new-privileges"])
def test_row_1_3_row_2_11_a_probe_is_confined_like_an_exec(bb, flags):
    lines = "^(Cap|Seccomp:|NoNewPrivs|Uid|Gid|Groups)"
    script = f"grep -E '{lines}' /proc/self/status; cat /proc/self/cgroup; for ns in /proc/self/ns/*; do readlink $ns; done; pwd; env | grep -v SHLVL | sort"
    daemon(bb, cmd=script, flags=f"{flags} -w /tmp -e A=b --health-start-period 30s --health-start-interval 50ms")
    said = until(bb, "healthy")["Log"][-1]["Output"]
    exec_says = bb.inside("c", "sh", "-c", script).ok().out
    assert said == exec_says
    assert "CapInh:\t0000000000000000" in said and "CapAmb:\t0000000000000000" in said
    assert "Seccomp:\t2" in said
    bb.mc("rm", "-f", "c").ok()


def test_a_probe_counts_against_the_containers_limits(bb):
    daemon(bb, cmd="cat /proc/self/cgroup", flags="--pids-limit 20")
    said = until(bb, "healthy")["Log"][-1]["Output"]
    assert said == bb.inside("c", "cat", "/proc/self/cgroup").ok().out
    bb.mc("rm", "-f", "c").ok()


# the supervisor's death


def test_health_survives_the_supervisor(bb):
    compose(bb, f"healthcheck: {{test: {BY_FILE}, interval: 100ms, retries: 3}}")
    bb.mc("up", "-d").ok()
    name = bb.ps()[0]["Name"]
    touch(bb, name)
    until(bb, "healthy", name)
    kill_supervisor(bb)
    before = health(bb, name)
    assert before["Status"] == "healthy"
    assert bb.state(name)["Status"].endswith("(healthy)")
    bb.mc("up", "-d").ok()
    assert health(bb, name)["Status"] == "healthy", "not starting anew"
    wait_until(lambda: health(bb, name)["Log"][-1]["Start"] > before["Log"][-1]["Start"], what="further probes")
    bb.inside(name, "rm", "/tmp/ok").ok()
    until(bb, "unhealthy", name)
    bb.mc("down").ok()


def test_row_14_8_the_probe_of_a_dead_supervisor_is_ended_by_the_next(bb):
    compose(bb, "healthcheck: {test: 'trap \"\" PIPE; sleep 7811; sleep 7812', timeout: 60s, interval: 300ms}")
    bb.mc("up", "-d").ok()
    wait_until(lambda: processes(bb, "sleep 7811"), what="the probe")
    old = processes(bb, "sleep 7811")
    kill_supervisor(bb)
    assert processes(bb, "sleep 7811") == old
    bb.mc("up", "-d").ok()
    wait_until(lambda: processes(bb, "sleep 7811") not in ([], old), what="the probe of the next")
    assert len(processes(bb, "sleep 7811")) == 1 and processes(bb, "sleep 7812") == []
    bb.mc("down").ok()


# where it comes from

IMAGE_CHECK = "HEALTHCHECK --interval=40ms --timeout=2s --retries=7 CMD test -e /tmp/ok"


def image(host, *changes):
    return host.image("checked", [("tmp", None)], *changes)


def test_the_image_says_how_it_is_probed(host):
    image(host, IMAGE_CHECK)
    host.daemon("c", "sh", "-c", "busybox touch /tmp/ok; busybox sleep 1000", image="checked", flags="--stop-signal KILL")
    config = inspect(host)["Config"]["Healthcheck"]
    assert config == {"Test": ["CMD-SHELL", "test -e /tmp/ok"], "Interval": 40_000_000, "Timeout": 2_000_000_000, "Retries": 7}
    until(host, "healthy")
    # What was committed or saved and loaded has it, too.
    host.mc("commit", "c", "again").ok()
    host.mc("save", "-o", "/tmp/again.tar", "again").ok()
    host.mc("rm", "-f", "c").ok()
    host.mc("rmi", "again").ok()
    host.mc("load", "-i", "/tmp/again.tar").ok()
    host.daemon("d", "sh", "-c", "busybox touch /tmp/ok; busybox sleep 1000", image="again", flags="--stop-signal KILL")
    until(host, "healthy", "d")
    host.mc("rm", "-f", "d").ok()


def test_single_values_of_the_images_check_are_overridden(host):
    image(host, IMAGE_CHECK)
    host.daemon("c", "sh", "-c", "busybox sleep 1000", image="checked", flags="--health-retries 2 --health-interval 30ms --stop-signal KILL")
    config = inspect(host)["Config"]["Healthcheck"]
    assert (config["Test"], config["Retries"], config["Interval"]) == (["CMD-SHELL", "test -e /tmp/ok"], 2, 30_000_000)
    assert config["Timeout"] == 2_000_000_000
    until(host, "unhealthy")
    host.mc("rm", "-f", "c").ok()


def test_exec_form_and_options_of_the_image(host):
    image(host, 'HEALTHCHECK --start-period=1m --start-interval=50ms CMD ["busybox", "test", "-e", "/bin/busybox"]')
    host.daemon("c", "sh", "-c", "busybox sleep 1000", image="checked", flags="--stop-signal KILL")
    assert inspect(host)["Config"]["Healthcheck"]["Test"] == ["CMD", "busybox", "test", "-e", "/bin/busybox"]
    until(host, "healthy")
    host.mc("rm", "-f", "c").ok()


@pytest.mark.parametrize("line, says", [("HEALTHCHECK", "requires at least one argument"), ("HEALTHCHECK --interval=x CMD true", "duration"), ("HEALTHCHECK CMD", "needs a command"), ("HEALTHCHECK --retries=-1 CMD true", "number"), ("HEALTHCHECK --size=1 CMD true", "unknown option"), ("HEALTHCHECK true", "expected CMD")])
def test_a_wrong_healthcheck_line_is_told(host, busybox_tar, line, says):
    assert says in host.mc("import", busybox_tar, "wrong", "--change", line).fails().err


@pytest.mark.parametrize("flags", ["--no-healthcheck"])
def test_it_can_be_switched_off(host, flags):
    image(host, IMAGE_CHECK)
    host.daemon("c", "sh", "-c", "busybox sleep 1000", image="checked", flags=f"{flags} --stop-signal KILL")
    assert "Health" not in inspect(host)["State"]
    host.mc("rm", "-f", "c").ok()


def test_an_image_can_switch_it_off(host):
    image(host, "HEALTHCHECK NONE")
    host.daemon("c", "sh", "-c", "busybox sleep 1000", image="checked", flags="--stop-signal KILL")
    assert "Health" not in inspect(host)["State"]
    host.mc("rm", "-f", "c").ok()


@pytest.mark.parametrize("flags, says", [("--no-healthcheck --health-cmd true", "conflicts"), ("--health-interval 1", "duration"), ("--health-timeout -1s", "negative"), ("--health-start-period 1us", "less than 1ms")])
def test_wrong_flags_are_told(bb, flags, says):
    assert says in bb.mc("run", *flags.split(), "bb", "true").fails(125).err


# services


@pytest.mark.parametrize("test", ['"test -e /tmp/ok"', '[CMD-SHELL, "test -e /tmp/ok"]', "[CMD, test, -e, /tmp/ok]"])
def test_a_services_check(clean, test):
    compose(clean, f"healthcheck: {{test: {test}, interval: 50ms, retries: 1}}")
    clean.mc("up", "-d").ok()
    wait_until(lambda: clean.ps()[0]["Health"] == "unhealthy", what="unhealthy")
    assert clean.ps()[0]["Status"].endswith("(unhealthy)")
    clean.mc("exec", "-T", "s", "touch", "/tmp/ok").ok()
    wait_until(lambda: clean.ps()[0]["Health"] == "healthy", what="healthy")
    assert "(healthy)" in clean.mc("ps").ok().out
    clean.mc("stop").ok()
    assert clean.ps()[0]["Health"] == ""
    clean.mc("down").ok()


def test_a_service_overrides_single_values_of_the_images(host):
    image(host, IMAGE_CHECK)
    host.compose("services: {s: {image: checked, stop_signal: SIGKILL, network_mode: none, command: [busybox, sleep, '1000'], healthcheck: {retries: 1}}}")
    host.mc("up", "-d").ok()
    wait_until(lambda: host.ps()[0]["Health"] == "unhealthy", what="unhealthy")
    config = inspect(host, host.ps()[0]["Name"])["Config"]["Healthcheck"]
    assert (config["Retries"], config["Interval"]) == (1, 40_000_000)
    host.mc("down").ok()


@pytest.mark.parametrize("value", ["{disable: true}", "{test: [NONE]}"])
def test_a_service_switches_the_images_off(host, value):
    image(host, IMAGE_CHECK)
    host.compose(f"services: {{s: {{image: checked, stop_signal: SIGKILL, network_mode: none, command: [busybox, sleep, '1000'], healthcheck: {value}}}}}")
    host.mc("up", "-d").ok()
    time.sleep(0.2)
    assert host.ps()[0]["Health"] == ""
    host.mc("down").ok()


def test_a_changed_check_makes_a_new_container(clean):
    compose(clean, "healthcheck: {test: [CMD, 'true'], interval: 50ms}")
    clean.mc("up", "-d").ok()
    before = clean.ps()[0]["ID"]
    clean.mc("up", "-d").ok()
    assert clean.ps()[0]["ID"] == before
    compose(clean, "healthcheck: {test: [CMD, 'true'], interval: 50ms, x-restart: true}")
    clean.mc("up", "-d").ok()
    assert clean.ps()[0]["ID"] != before
    clean.mc("down").ok()


# anew when unhealthy


def test_x_restart_starts_an_unhealthy_one_anew(clean):
    compose(clean, "healthcheck: {test: 'test ! -e /tmp/bad', interval: 50ms, retries: 1, x-restart: true}", ["sh", "-c", "rm -f /tmp/bad; sleep 1000"])
    clean.mc("up", "-d").ok()
    name = clean.ps()[0]["Name"]
    until(clean, "healthy", name)
    pid = clean.pid_of(name)
    clean.mc("exec", "-T", "s", "touch", "/tmp/bad").ok()
    wait_until(lambda: clean.record(name).get("restartCount", 0) == 1 and clean.record(name)["status"] == "running", what="the restart")
    assert clean.pid_of(name) != pid
    assert "unhealthy: it is stopped and started again" in clean.mc("logs").err
    until(clean, "healthy", name)
    # A stop by the user stays one.
    clean.mc("stop").ok()
    time.sleep(0.3)
    assert clean.ps()[0]["State"] == "exited"
    clean.mc("down").ok()


def test_without_it_an_unhealthy_one_runs_on(clean):
    compose(clean, "healthcheck: {test: 'false', interval: 20ms, retries: 1}")
    clean.mc("up", "-d").ok()
    name = clean.ps()[0]["Name"]
    until(clean, "unhealthy", name)
    time.sleep(0.2)
    assert clean.record(name).get("restartCount", 0) == 0
    clean.mc("down").ok()


def test_the_bound_of_the_restart_policy_holds_for_it(clean):
    compose(clean, "deploy: {restart_policy: {condition: none, delay: 20ms, max_attempts: 2}}, healthcheck: {test: 'false', interval: 20ms, retries: 1, x-restart: true}")
    clean.mc("up", "-d").ok()
    name = clean.ps()[0]["Name"]
    wait_until(lambda: clean.record(name)["status"] == "exited", what="its end")
    assert clean.record(name)["restartCount"] == 2
    clean.mc("down").ok()
