# SPDX-License-Identifier: GPL-2.0-or-later
"""Published SCTP ports, with both kinds of firewall: the kernel has SCTP as a module, which the build machines' own may lack."""

import pytest

from test_networks import answers, start_outside
from testhost import HOST_ADDRESS, OUTSIDE_ADDRESS, PROBE, wait_until

PROJECT = """
services:
  one:
    image: bb
    command: [sh, -c, "probe listen sctp 5001 second & exec probe listen sctp 5000 first"]
    stop_signal: SIGKILL
    ports: ["7000:5000/sctp", "127.0.0.1:7100:5000/sctp", "7200-7201:5000-5001/sctp"]
  two: {image: bb, command: sleep 60, stop_signal: SIGKILL}
networks: {default: {ipam: {config: [{subnet: 10.9.0.0/24}]}}}
"""
WITH_IPV6 = PROJECT.replace("{ipam:", "{enable_ipv6: true, ipam:").replace("10.9.0.0/24}", "10.9.0.0/24}, {subnet: 'fd00:9::/64'}")


def up(host):
    host.mc("up", "-d").ok()
    wait_until(lambda: host.mc("logs", "one").out.count("ready") == 2, what="both to listen")


@pytest.fixture(params=["legacy", "nft"])
def sctp(request, host):
    host.env["MYCOMPOSE_FIREWALL"] = request.param
    host.compose(PROJECT)
    up(host)
    yield host
    host.mc("down").ok()
    del host.env["MYCOMPOSE_FIREWALL"]


def ask(host, address, port, outside=False, patience=10):
    return host.run("timeout", str(patience), PROBE, "ask", address, str(port), "sctp", outside=outside)


def ask_from(host, service, address, port):
    return host.mc("exec", "-T", service, "timeout", "10", "probe", "ask", address, str(port), "sctp")


def test_a_published_port_is_reached_from_every_side(sctp):
    answers(ask(sctp, HOST_ADDRESS, 7000, outside=True), "first")
    answers(ask(sctp, HOST_ADDRESS, 7200, outside=True), "first")
    answers(ask(sctp, HOST_ADDRESS, 7201, outside=True), "second")
    assert ask(sctp, HOST_ADDRESS, 7100, outside=True, patience=2).code != 0
    answers(ask(sctp, HOST_ADDRESS, 7000), "first")
    answers(ask(sctp, "127.0.0.1", 7000), "first")
    answers(ask(sctp, "127.0.0.1", 7100), "first")
    for service in ("one", "two"):
        answers(ask_from(sctp, service, HOST_ADDRESS, 7000), "first")
        answers(ask_from(sctp, service, "one", 5001), "second")
    server = start_outside(sctp, PROBE, "listen", "sctp", "7777", "outside")
    answers(ask_from(sctp, "two", OUTSIDE_ADDRESS, 7777), "outside")
    server()


@pytest.mark.parametrize("sctp", ["nft"], indirect=True)
def test_ipv6_is_published_where_the_container_has_it(sctp):
    ports = sctp.mc("container", "ls", "--format", "{{.Ports}}").ok().out.splitlines()
    assert not any(":::" in text for text in ports), ports
    sctp.compose(WITH_IPV6)
    sctp.mc("down").ok()
    up(sctp)
    sctp.sh("ip -6 addr replace fd00:5::1/64 dev up0 nodad && ip -n outside -6 addr replace fd00:5::2/64 dev eth0 nodad").ok()
    answers(ask(sctp, "fd00:5::1", 7000, outside=True), "first")
    answers(ask(sctp, "fd00:5::1", 7000), "first")
    assert any(":::7000->5000/sctp" in text for text in sctp.mc("container", "ls", "--format", "{{.Ports}}").ok().out.splitlines())


@pytest.mark.parametrize("sctp", ["nft"], indirect=True)
def test_a_port_is_had_once_and_chosen_where_none_is_named(sctp):
    result = sctp.mc("run", "-d", "--name", "late", "-p", "7000:5000/sctp", "bb", "sleep", "60").fails(125)
    assert "port 7000/sctp on 0.0.0.0 is already in use by container" in result.err
    sctp.mc("rm", "-f", "late")
    sctp.mc("run", "-d", "--name", "any", "-p", "5000/sctp", "bb", "probe", "listen", "sctp", "5000", "third").ok()
    port = int(sctp.mc("port", "any", "5000/sctp").ok().out.split()[0].rpartition(":")[2])
    assert port > 0
    answers(ask(sctp, HOST_ADDRESS, port, outside=True), "third")
