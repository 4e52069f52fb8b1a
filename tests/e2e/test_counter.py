# SPDX-License-Identifier: GPL-2.0-or-later
"""The counter example itself, with the real nginx, flask and redis."""

import json
import os
import pathlib
import re

import pytest

from testhost import BINARY, HOST_ADDRESS, ROOT, wait_until

V2 = not os.path.isdir("/sys/fs/cgroup/memory")
STACK = ROOT / "examples" / "counter" / "stack.yml"
IMAGES = os.environ.get("MYCOMPOSE_IMAGES", str(ROOT / "build" / "images"))


@pytest.fixture
def counter(host):
    if not pathlib.Path(IMAGES, "counter-nginx.tar").exists():
        pytest.fail(f"no image tars in {IMAGES}: run `make images`")
    host.run(ROOT / "examples" / "counter" / "images.sh", IMAGES, env={"MYCOMPOSE": BINARY}, timeout=120).ok()
    return host


def stack(host, *words, **arguments):
    return host.mc("-f", STACK, *words, **arguments)


def ask(host, url=f"http://{HOST_ADDRESS}:8080/", outside=True):
    return host.run("curl", "-fsS", "--max-time", "5", url, outside=outside)


def count(host, **arguments):
    """The number on the page, once the servers are up."""
    answer = wait_until(lambda: (lambda r: r if r.code == 0 else None)(ask(host, **arguments)), 20, what="an answer")
    return int(re.search(r"seen (\d+) times", answer.out).group(1))


def test_the_page_counts_up_for_outside_host_and_localhost(counter):
    stack(counter, "up", "-d", timeout=60).ok()
    first = count(counter)
    assert count(counter) == first + 1
    assert count(counter, url=f"http://{HOST_ADDRESS}:8080/", outside=False) == first + 2
    assert count(counter, url="http://127.0.0.1:8080/", outside=False) == first + 3
    stack(counter, "down", timeout=60).ok()


def test_the_count_survives_down_and_is_gone_after_down_v(counter):
    stack(counter, "up", "-d", timeout=60).ok()
    first = count(counter)
    stack(counter, "down", timeout=60).ok()
    stack(counter, "up", "-d", timeout=60).ok()
    assert count(counter) == first + 1
    stack(counter, "down", "-v", timeout=60).ok()
    stack(counter, "up", "-d", timeout=60).ok()
    assert count(counter) == 1
    stack(counter, "down", "-v", timeout=60).ok()


def test_redis_is_unreachable_from_nginx_and_has_no_way_out(counter):
    stack(counter, "up", "-d", timeout=60).ok()
    count(counter)
    address = stack(counter, "exec", "-T", "redis", "sh", "-c", "hostname -i || cat /etc/hosts").ok().out
    redis = re.search(r"(172\.\d+\.\d+\.\d+|192\.168\.\d+\.\d+)", address).group(1)
    reach = f"exec 3<>/dev/tcp/{redis}/6379"
    assert stack(counter, "exec", "-T", "app", "bash", "-c", reach).code == 0
    assert stack(counter, "exec", "-T", "web", "timeout", "2", "bash", "-c", reach).code != 0
    assert stack(counter, "exec", "-T", "web", "getent", "hosts", "redis").code != 0
    outside = f"exec 3<>/dev/tcp/{HOST_ADDRESS[:-1]}2/7"
    assert stack(counter, "exec", "-T", "redis", "timeout", "2", "bash", "-c", outside).code != 0
    stack(counter, "down", "-v", timeout=60).ok()


def test_limits_of_the_file_are_in_the_cgroups(counter):
    stack(counter, "up", "-d", timeout=60).ok()
    rows = [json.loads(line) for line in stack(counter, "ps", "--format", "json").ok().out.splitlines()]
    assert sorted(row["Service"] for row in rows) == ["app", "redis", "web"]

    def values(v1, v2):
        path = f"mycompose/*/{v2}" if V2 else v1.replace("/", "/mycompose/*/")
        return counter.sh(f"cat /sys/fs/cgroup/{path} | cut -d' ' -f1 | sort -n").ok().out.split()

    assert values("memory/memory.limit_in_bytes", "memory.max") == [str(64 << 20), str(64 << 20), str(128 << 20)]
    assert values("cpu/cpu.cfs_quota_us", "cpu.max") == ["max" if V2 else "-1"] * 2 + ["50000"]
    assert values("pids/pids.max", "pids.max") == ["32", "32", "64"]
    stack(counter, "down", "-v", timeout=60).ok()


def test_row_13_8_after_down_v_the_host_is_as_before(counter):
    before = counter.snapshot()
    stack(counter, "up", "-d", timeout=60).ok()
    count(counter)
    stack(counter, "down", "-v", timeout=60).ok()
    after = counter.snapshot()
    for what in before:
        assert after[what] == before[what], f"{what} left behind"


def test_the_same_servers_by_hand(counter):
    before = counter.snapshot()
    result = counter.run(ROOT / "examples" / "by-hand" / "by-hand.sh", env={"MYCOMPOSE": BINARY}, timeout=60).ok()
    assert result.out.count("a page from the host") == 2, "one by nginx, one by the committed image"
    assert "172.31.7.2" in result.out, "nginx finds redis by name"
    after = counter.snapshot()
    for what in before:
        assert after[what] == before[what], f"{what} left behind"
