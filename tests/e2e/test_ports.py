# SPDX-License-Identifier: GPL-2.0-or-later
"""Published ports: ranges of which one is chosen, addresses of both families, localhost over IPv6."""

import pathlib
import re

import pytest

from test_networks import address_of, answers, ask, net, serve  # noqa: F401 (a fixture)
from testhost import BINARY, HOST_ADDRESS, wait_until


def test_of_a_range_the_first_free_port_is_published(net):
    serve(net, "a", network="n1", flags="-p 8000-8002:80")
    serve(net, "b", network="n1", flags="-p 8000-8002:80")
    answers(ask(net, HOST_ADDRESS, 8000, outside=True), "a")
    answers(ask(net, HOST_ADDRESS, 8001, outside=True), "b")
    assert "0.0.0.0:8001->80/tcp" in net.state("b")["Ports"]


def test_a_range_that_is_used_up_is_told(net):
    serve(net, "a", network="n1", flags="-p 8000-8001:80")
    serve(net, "b", network="n1", flags="-p 8000-8001:80")
    result = net.mc("run", "-d", "--network", "n1", "-p", "8000-8001:80", "bb", "sleep", "60").fails()
    assert "no port of 8000-8001/tcp on 0.0.0.0 is free" in result.err


def test_replicas_share_a_range_and_keep_their_ports_over_a_restart(clean):
    clean.compose(
        """
services:
  web:
    image: bb
    command: probe listen tcp 80 web
    ports: ["8000-8002:80"]
    deploy: {replicas: 3}
"""
    )
    clean.mc("up", "-d").ok()
    found = sorted(re.search(r"0\.0\.0\.0:(\d+)->80", row["Ports"]).group(1) for row in clean.ps())
    assert found == ["8000", "8001", "8002"]
    for port in found:
        wait_until(lambda: ask(clean, HOST_ADDRESS, port, outside=True, patience=1).code == 0, what=f"port {port}")
    before = {row["Name"]: row["Ports"] for row in clean.ps()}
    clean.mc("restart").ok()
    assert {row["Name"]: row["Ports"] for row in clean.ps()} == before
    clean.mc("down").ok()


def test_more_replicas_than_the_range_has_ports_are_refused_before_anything_is_made(clean):
    clean.compose(
        """
services:
  web: {image: bb, command: sleep 60, ports: ["8000-8001:80"], scale: 3}
"""
    )
    result = clean.mc("up", "-d").fails()
    assert "3 replicas cannot share the 2 ports 8000-8001/tcp" in result.err


def test_localhost_is_served_over_ipv6_too(net):
    serve(net, "a", network="n1", flags="-p 8080:80")
    answers(ask(net, "127.0.0.1", 8080), "a")
    answers(ask(net, "::1", 8080), "a")
    assert net.state("a")["Ports"] == "0.0.0.0:8080->80/tcp, :::8080->80/tcp"


def test_a_kernel_without_sctp_is_told_with_the_place_of_the_port(net):
    net.compose("services:\n  web:\n    image: bb\n    command: sleep 60\n    ports:\n      - 7000:5000/sctp\n")
    without = ("/usr/bin/python3", pathlib.Path(__file__).with_name("without.py"), "sctp", BINARY)
    said = net.run(*without, "up", "-d").fails(1).err
    assert "compose.yaml:6:9: services.web.ports: cannot publish port 5000/sctp: the running kernel has no sockets of that protocol" in said
    said = net.run(*without, "run", "--rm", "-p", "5000/sctp", "bb", "true").fails(125).err
    assert "cannot publish port 5000/sctp" in said and "module 'sctp'" in said


def test_the_relay_ends_with_the_container(net):
    serve(net, "a", network="n1", flags="-p 8080:80")
    net.mc("stop", "a").ok()
    assert "ECONNREFUSED" in ask(net, "::1", 8080).out
    net.mc("start", "a").ok()
    wait_until(lambda: ask(net, "::1", 8080, patience=1).code == 0, what="the relay to be back")


def test_a_server_that_refuses_is_a_connection_reset_for_ipv6_clients(net):
    net.daemon("a", "sleep", "60", network="n1", flags="-p 8080:80")
    assert "ECONNRESET" in ask(net, "::1", 8080).out


@pytest.mark.parametrize("text, address", [("[::1]:8080:80", "::1"), ("127.0.0.1:8080:80", "127.0.0.1"), ("0.0.0.0:8080:80", "127.0.0.1")])
def test_a_port_of_one_address_is_of_its_family_alone(net, text, address):
    serve(net, "a", network="n1", flags=f"-p {text}")
    answers(ask(net, address, 8080), "a")
    assert ask(net, "::1" if address == "127.0.0.1" else "127.0.0.1", 8080, patience=1).code != 0


def test_large_answers_pass_the_relay_whole_and_slow_readers_hold_it_back(net):
    net.daemon("a", "sh", "-c", "head -c 8000000 /dev/zero | nc -l -p 80", network="n1", flags="-p 8080:80")
    wait_until(lambda: ":0050" in net.inside("a", "cat", "/proc/net/tcp", "/proc/net/tcp6").out, what="nc to listen")
    script = (
        "import socket,time; s=socket.create_connection(('::1',8080)); time.sleep(0.3); n=0\n"
        "while True:\n"
        "    d=s.recv(65536); n+=len(d)\n"
        "    if not d: break\n"
        "print(n)"
    )
    assert net.run("/usr/bin/python3", "-c", script).ok().out == "8000000\n"


def test_more_connections_than_the_relay_carries_wait_and_harm_nobody(net):
    serve(net, "a", network="n1", flags="-p 8080:80 -p 8080:80/udp")
    # The kernel connects them all; the relay takes 256 until some have gone.
    script = (
        "import socket\n"
        "clients = [socket.create_connection(('::1', 8080)) for _ in range(280)]\n"
        "for c in clients: assert c.recv(1) == b'a'; c.close()"
    )
    net.run("/usr/bin/python3", "-c", script).ok()
    answers(ask(net, "::1", 8080), "a")


def test_udp_is_carried_to_containers_without_ipv6_too(net):
    serve(net, "a", kind="udp", network="n1", flags="-p 8080:80/udp")
    answers(ask(net, "::1", 8080, udp=True), "a")
    answers(ask(net, "127.0.0.1", 8080, udp=True), "a")
    net.run("ip", "addr", "add", "2001:db8::5/128", "dev", "lo", "nodad").ok()
    # The kernel takes what is sent there for its own only when a work of its queue has run.
    wait_until(lambda: "local" in net.run("ip", "-6", "route", "get", "2001:db8::5").out, what="the address to be the host's")
    # the answer must come from the address that was asked, or a connected socket does not take it
    answers(ask(net, "2001:db8::5", 8080, udp=True), "a")
