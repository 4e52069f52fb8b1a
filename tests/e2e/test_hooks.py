# SPDX-License-Identifier: GPL-2.0-or-later
"""post_start and pre_stop hooks, and what deploy.restart_policy says of restarts."""

import json
import time

import pytest

from testhost import BINARY, wait_until

# A first process that says when it is asked to stop, and does.
PATIENT = "trap 'echo stopped >> /tmp/order; exit 0' TERM; echo started >> /tmp/order; while :; do sleep 0.05; done"


def service(host, more, command=PATIENT, extra=""):
    """A service `s` that keeps its /tmp in the test's folder, where it can be read afterwards."""
    shared = host.directory / "tmp"
    shared.mkdir(exist_ok=True)
    shared.chmod(0o1777)
    words = json.dumps(["sh", "-c", command]).replace("$", "$$")
    host.compose(f"services: {{s: {{image: bb, network_mode: none, volumes: ['{shared}:/tmp'], command: {words}, {more}}}{extra}}}")
    return shared


def order(shared):
    path = shared / "order"
    return path.read_text().split() if path.exists() else []


def hook(script, more=""):
    return f"{{command: {json.dumps(['sh', '-c', script]).replace('$', '$$')}{more}}}"


def say(word, delay="0.1"):
    return hook(f"sleep {delay}; echo {word} >> /tmp/order")


def kill_supervisor(host):
    pids = host.sh("pgrep -x mycompose").out.split()
    assert pids, "no supervisor runs"
    host.sh("kill -9 " + " ".join(pids))
    wait_until(lambda: not set(pids) & set(host.sh("pgrep -x mycompose").out.split()), what="its death")


# order


def test_hooks_run_one_after_the_other_after_the_start_and_before_the_stop(clean):
    shared = service(clean, f"post_start: [{say('first')}, {say('second', '0')}], pre_stop: [{say('third')}, {say('fourth', '0')}]")
    clean.mc("up", "-d").ok()
    # The start is not through before its hooks are.
    assert order(shared) == ["started", "first", "second"]
    clean.mc("down").ok()
    assert order(shared) == ["started", "first", "second", "third", "fourth", "stopped"]


def test_dependents_start_after_the_hooks(clean):
    shared = service(clean, f"post_start: [{say('hook')}]", extra=", t: {image: bb, network_mode: none, depends_on: [s], volumes: ['./tmp:/tmp'], command: [sh, -c, 'echo dependent >> /tmp/order; sleep 1000'], stop_signal: SIGKILL}")
    clean.mc("up", "-d").ok()
    wait_until(lambda: "dependent" in order(shared), what="the dependent")
    assert order(shared) == ["started", "hook", "dependent"]
    clean.mc("down").ok()


@pytest.mark.parametrize("verb", [["stop"], ["restart"], ["up", "-d", "--force-recreate"]])
def test_pre_stop_runs_whenever_somebody_stops_it(clean, verb):
    shared = service(clean, f"pre_stop: [{say('bye')}]")
    clean.mc("up", "-d").ok()
    wait_until(lambda: order(shared) == ["started"], what="the start")
    clean.mc(*verb).ok()
    assert order(shared)[:3] == ["started", "bye", "stopped"]
    clean.mc("down").ok()


def test_pre_stop_does_not_run_when_it_ends_by_itself(clean):
    shared = service(clean, f"pre_stop: [{say('bye')}]", "echo started >> /tmp/order; sleep 0.1; exit 3")
    clean.mc("up", "-d").ok()
    wait_until(lambda: clean.ps()[0]["State"] == "exited", what="its end")
    clean.mc("down").ok()
    assert order(shared) == ["started"]


def test_a_hook_starts_once_for_each_start_and_again_with_a_restart(clean):
    shared = service(clean, f"restart: on-failure, post_start: [{say('hook', '0')}]", "echo started >> /tmp/order; until test -e /tmp/go; do sleep 0.02; done; rm /tmp/go; exit 1")
    clean.mc("up", "-d").ok()
    assert order(shared) == ["started", "hook"]
    clean.mc("up", "-d").ok()
    assert order(shared) == ["started", "hook"], "it runs already"
    (shared / "go").touch()
    wait_until(lambda: len(order(shared)) == 4, what="the hook after the restart")
    clean.mc("down", "-t", "0").ok()


def test_a_one_off_runs_no_hooks(clean):
    shared = service(clean, f"post_start: [{say('hook', '0')}], pre_stop: [{say('bye', '0')}]")
    clean.mc("run", "--rm", "s", "sh", "-c", "echo one-off >> /tmp/order").ok()
    assert order(shared) == ["one-off"]


# what a hook is


def test_user_directory_environment_of_a_hook(clean):
    more = ", user: user, working_dir: /data, environment: {WORD: of-hook, OTHER: x}"
    shared = service(clean, f"environment: {{WORD: of-service, MINE: kept}}, post_start: [{hook('echo $(id -u) $PWD $WORD $OTHER $MINE > /tmp/said', more)}]")
    clean.mc("up", "-d").ok()
    assert (shared / "said").read_text() == "1000 /data of-hook x kept\n"
    clean.mc("down", "-t", "0").ok()


@pytest.mark.parametrize("privileged", [False, True])
def test_row_1_3_row_2_11_a_hook_is_confined_like_an_exec(clean, privileged):
    script = "grep -E '^(Cap|Seccomp:|NoNewPrivs)' /proc/self/status > /tmp/said"
    shared = service(clean, f"cap_drop: [NET_RAW], security_opt: ['no-new-privileges:true'], post_start: [{hook(script, f', privileged: {str(privileged).lower()}')}]")
    clean.mc("up", "-d").ok()
    said = (shared / "said").read_text()
    flags = ["--privileged"] if privileged else []
    assert said == clean.mc("exec", "-T", *flags, "s", "sh", "-c", script.replace("> /tmp/said", "")).ok().out
    assert "CapInh:\t0000000000000000" in said and "CapAmb:\t0000000000000000" in said and "Seccomp:\t2" in said and "NoNewPrivs:\t1" in said
    clean.mc("down", "-t", "0").ok()


def test_what_a_hook_says_is_part_of_the_containers_output(clean):
    service(clean, f"post_start: [{hook('echo to-out; echo to-err >&2')}]")
    clean.mc("up", "-d").ok()
    wait_until(lambda: "to-out" in (log := clean.mc("logs")).out and "to-err" in log.err, what="both lines")
    clean.mc("down", "-t", "0").ok()


def test_a_hook_of_another_user_does_not_take_the_containers_streams(clean):
    service(clean, f"user: user, post_start: [{hook('echo hook', ', user: root')}]", "trap 'exit 0' TERM; until test -e /tmp/go; do sleep 0.02; done; echo again > /dev/stdout; while :; do sleep 0.05; done")
    clean.mc("up", "-d").ok()
    clean.mc("exec", "-T", "s", "touch", "/tmp/go").ok()
    wait_until(lambda: "again" in clean.mc("logs").out, what="what was written to /dev/stdout")
    clean.mc("down").ok()


def test_a_hook_may_leave_something_running(clean):
    shared = service(clean, f"post_start: [{hook('(sleep 0.3; echo later >> /tmp/order) &')}]")
    clean.mc("up", "-d").ok()
    wait_until(lambda: "later" in order(shared), what="what the hook left")
    clean.mc("down").ok()


# failures


def test_a_post_start_hook_that_fails_is_an_error_of_up_and_the_container_goes_on(clean):
    shared = service(clean, f"post_start: [{hook('exit 3')}, {say('never')}]")
    result = clean.mc("up", "-d").fails(1)
    assert 'service "s"' in result.err and "post_start hook 1" in result.err and "exited with status 3" in result.err
    assert clean.ps()[0]["State"] == "running"
    assert "never" not in order(shared)
    clean.mc("down", "-t", "0").ok()


def test_a_hook_whose_program_is_not_there(clean):
    service(clean, "post_start: [{command: [no-such-program]}]")
    result = clean.mc("up", "-d").fails(1)
    assert "post_start hook 1" in result.err and "executable file not found" in result.err
    clean.mc("down", "-t", "0").ok()


def test_a_container_that_ends_while_its_hook_runs(clean):
    service(clean, f"post_start: [{hook('sleep 1000')}]", "sleep 0.3; exit 4")
    result = clean.mc("up", "-d").fails(1)
    # The end of a container ends what is in it, and that is seen first; or not.
    assert "post_start hook" in result.err
    clean.mc("down").ok()


def test_a_stop_gives_a_post_start_hook_up(clean):
    shared = service(clean, f"post_start: [{hook('sleep 8801')}], pre_stop: [{say('bye', '0')}]")
    up = clean.start(BINARY, "up", "-d")
    wait_until(lambda: clean.sh("pgrep -fx 'sleep 8801'").out, what="the hook")
    # Not as a project's, whose lock `up` holds.
    clean.mc("container", "stop", clean.ps()[0]["Name"]).ok()
    _, err = up.communicate(timeout=20)
    assert up.returncode == 1 and "was stopped while its post_start hooks were run" in err
    assert not clean.sh("pgrep -fx 'sleep 8801'").out
    assert order(shared) == ["started", "bye", "stopped"]
    clean.mc("down").ok()


def test_ctrl_c_does_not_wait_for_a_hook(clean):
    shared = service(clean, f"post_start: [{hook('sleep 8821')}]")
    up = clean.start(BINARY, "up")
    wait_until(lambda: clean.sh("pgrep -fx 'sleep 8821'").out, what="the hook")
    clean.sh("kill -INT $(pgrep -x mycompose)").ok()
    up.communicate(timeout=20)
    assert not clean.sh("pgrep -fx 'sleep 8821'").out
    assert order(shared) == ["started", "stopped"]
    clean.mc("down").ok()


def test_a_pre_stop_hook_that_fails_is_told_in_the_log_and_the_stop_goes_on(clean):
    shared = service(clean, f"pre_stop: [{hook('exit 5')}, {say('never')}]")
    clean.mc("up", "-d").ok()
    wait_until(lambda: order(shared) == ["started"], what="the start")
    clean.mc("stop").ok()
    assert order(shared) == ["started", "stopped"]
    assert "pre_stop hook 1 (sh -c exit 5): exited with status 5" in clean.mc("logs").err
    clean.mc("down").ok()


def test_what_a_hook_says_is_taken_though_the_container_has_closed_its_output(clean):
    # More than a pipe holds: it would wait for a reader until the grace period is over.
    shared = service(clean, f"pre_stop: [{hook('yes | head -c 2500000; echo through >> /tmp/order')}]", "exec > /dev/null 2>&1; " + PATIENT)
    clean.mc("up", "-d").ok()
    wait_until(lambda: order(shared) == ["started"], what="the start")
    clean.mc("stop", "-t", "5").ok()
    assert order(shared) == ["started", "through", "stopped"]
    assert clean.mc("logs", "--no-log-prefix").ok().out == "y\n" * 1250000
    clean.mc("down").ok()


def test_a_pre_stop_hook_counts_within_the_grace_period(clean):
    shared = service(clean, f"stop_grace_period: 300ms, pre_stop: [{hook('sleep 8811')}]")
    clean.mc("up", "-d").ok()
    wait_until(lambda: order(shared) == ["started"], what="the start")
    clean.mc("stop", timeout=20).ok()
    assert clean.ps()[0]["ExitCode"] == 137, "no time was left for the signal"
    assert not clean.sh("pgrep -fx 'sleep 8811'").out
    clean.mc("down").ok()


def test_a_paused_container_is_thawed_for_its_hooks(clean):
    shared = service(clean, f"pre_stop: [{say('bye', '0')}]")
    clean.mc("up", "-d").ok()
    wait_until(lambda: order(shared) == ["started"], what="the start")
    clean.mc("pause").ok()
    clean.mc("down").ok()
    assert order(shared) == ["started", "bye", "stopped"]


def test_the_next_supervisor_runs_hooks_that_were_cut_short(clean):
    shared = service(clean, f"post_start: [{hook('echo begun >> /tmp/order; until test -e /tmp/go; do sleep 0.05; done; echo through >> /tmp/order')}]")
    up = clean.start(BINARY, "up", "-d")
    wait_until(lambda: "begun" in order(shared), what="the hook")
    kill_supervisor(clean)
    up.communicate(timeout=20)
    assert clean.mc("ps", "-q").ok().out, "the container goes on"
    clean.mc("up", "-d", timeout=20).ok()
    wait_until(lambda: order(shared).count("begun") == 2, what="the hook again")
    (shared / "go").touch()
    wait_until(lambda: order(shared).count("through") == 1, what="its end")
    clean.mc("down").ok()


def test_a_hook_without_a_command_is_refused_with_its_place(clean):
    clean.compose("services:\n  s:\n    image: bb\n    post_start:\n      - user: root\n")
    result = clean.mc("config").fails()
    assert "compose.yaml:5:" in result.err and "services.s.post_start[0]: command is required" in result.err
    clean.compose("services:\n  s:\n    image: bb\n    post_start:\n      - command: []\n")
    result = clean.mc("up", "-d").fails()
    assert "compose.yaml:5:" in result.err and "a hook needs a command" in result.err


# restart policies


def count(host):
    name = host.ps()[0]["Name"]
    return host.record(name).get("restartCount", 0)


def ended(host):
    """For good: what the supervisor has written down, not what `ps` finds before it has."""
    name = host.ps()[0]["Name"]
    wait_until(lambda: host.record(name)["status"] == "exited", what="its end")


@pytest.mark.parametrize(
    "policy, code, restarts",
    [
        ("{condition: none}", 1, 0),
        ("{condition: on-failure, max_attempts: 2}", 1, 2),
        ("{condition: on-failure, max_attempts: 2}", 0, 0),
        ("{condition: any, max_attempts: 3, delay: 20ms}", 0, 3),
        ("{max_attempts: 1}", 0, 1),
    ],
)
def test_deploy_restart_policy(clean, policy, code, restarts):
    service(clean, f"deploy: {{restart_policy: {policy}}}", f"exit {code}")
    clean.mc("up", "-d").ok()
    ended(clean)
    assert count(clean) == restarts
    clean.mc("down").ok()


def test_the_delay_is_the_files(clean):
    shared = service(clean, "deploy: {restart_policy: {condition: any, delay: 400ms, max_attempts: 2}}", "date +%s.%N >> /tmp/order; cut -d' ' -f1 /proc/uptime >> /tmp/times")
    clean.mc("up", "-d").ok()
    ended(clean)
    times = [float(line) for line in (shared / "times").read_text().split()]
    assert len(times) == 3
    assert all(later - earlier >= 0.39 for earlier, later in zip(times, times[1:]))
    clean.mc("down").ok()


def test_a_run_as_long_as_the_window_begins_the_count_anew(clean):
    shared = service(clean, "deploy: {restart_policy: {condition: any, delay: 20ms, max_attempts: 1, window: 200ms}}", "echo x >> /tmp/order; [ $(wc -l < /tmp/order) -ge 4 ] || sleep 0.4")
    clean.mc("up", "-d").ok()
    ended(clean)
    # Three good runs; the fourth, a first restart after a good run, is short, and no second is allowed.
    assert len(order(shared)) == 4
    assert count(clean) == 3
    clean.mc("down").ok()


def test_an_unknown_condition_is_refused_with_its_place(clean):
    clean.compose("services:\n  s:\n    image: bb\n    deploy:\n      restart_policy:\n        condition: sometimes\n")
    result = clean.mc("up", "-d").fails()
    assert "compose.yaml:6:" in result.err and "unknown condition" in result.err
