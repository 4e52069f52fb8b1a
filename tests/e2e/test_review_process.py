# SPDX-License-Identifier: GPL-2.0-or-later
"""The first process, one under init, one that joins, with and without a terminal: the same world for all."""

import time

import pytest

from testhost import BINARY, wait_until


@pytest.mark.parametrize("flags", ["", "-t", "--init", "-t --init"])
def test_row_5_2_a_first_process_has_three_descriptors(bb, flags):
    assert bb.once("ls", "-1", "/proc/self/fd", flags=flags).ok().out.split() == ["0", "1", "2", "3"], "3 is ls's own"


@pytest.mark.parametrize("flags", ["", "-t"])
def test_row_5_2_a_joining_process_has_three_descriptors(bb, flags):
    bb.daemon("c", "sleep", "1000")
    assert bb.sh(f"exec 9</etc 8>/tmp/x; exec {BINARY} exec {flags} c ls -1 /proc/self/fd").ok().out.split() == ["0", "1", "2", "3"]


def test_row_5_2_the_init_holds_no_more_than_its_process(bb):
    assert bb.once("sh", "-c", "ls /proc/1/fd 2>/dev/null | tr '\\n' ' '", flags="--init").ok().out.split() == ["0", "1", "2"]


def test_row_1_11_the_callers_limit_of_open_files_is_not_the_containers(bb):
    """The first process had the supervisor's raised limit, one of `exec` that of the caller's shell."""
    bb.sh(f"ulimit -Sn 300; {BINARY} run -d --name c --network none bb sh -c 'ulimit -Sn; ulimit -Hn; exec sleep 1000'").ok()
    wait_until(lambda: bb.mc("logs", "c").out.count("\n") == 2)
    soft, hard = bb.mc("logs", "c").out.split()
    assert soft == hard
    assert bb.sh(f"ulimit -Sn 300; {BINARY} exec c sh -c 'ulimit -Sn; ulimit -Hn'").ok().out.split() == [soft, hard]


def test_a_limit_that_the_container_has_is_for_exec_too(bb):
    bb.daemon("c", "sleep", "1000", flags="--ulimit nofile=99:120")
    assert bb.inside("c", "sh", "-c", "ulimit -Sn; ulimit -Hn").ok().out.split() == ["99", "120"]


def stopped_on_its_way(host):
    """A joining process is still the program itself until it executes the command."""
    script = "for p in $(pgrep -x mycompose); do grep -q '^State:.T' /proc/$p/status && echo $p; done; true"
    return host.sh(script).out.strip()


def test_a_joining_process_that_the_container_stops_can_be_interrupted(bb):
    """`exec` waited for it with its signals blocked: Ctrl-C did nothing."""
    bb.daemon("c", "sh", "-c", "while :; do kill -STOP -1; done")
    for _ in range(10):
        process = bb.start(BINARY, "exec", "c", "sleep", "1000")
        wait_until(lambda: bb.sh("grep -l '^State:.T' /proc/[0-9]*/status").code == 0, what="a stopped process")
        if stopped_on_its_way(bb):
            break
        bb.sh("pkill -KILL -x sleep").ok()
        process.communicate(timeout=10)
    else:
        pytest.fail("the container never came in time")
    command = bb.sh(f"ps -eo pid,args | awk '/exec c slee[p]/ {{print $1; exit}}'").out.strip()
    for _ in range(2):
        bb.sh(f"kill -INT {command}").ok()
        time.sleep(0.3)
    assert process.wait(10) == 130
    assert "interrupted" in process.communicate()[1]
    assert not stopped_on_its_way(bb)
