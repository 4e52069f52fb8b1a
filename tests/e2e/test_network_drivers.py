# SPDX-License-Identifier: GPL-2.0-or-later
"""Drivers beside bridge: macvlan and ipvlan on an interface of the host, host, none, and another container's network."""

import json
import re

import pytest

from test_networks import address_of, answers, ask, ask_from, serve, start_outside
from testhost import HOST_ADDRESS, OUTSIDE_ADDRESS, PROBE, wait_until

LAN = ["--subnet", "198.51.100.0/24", "--gateway", OUTSIDE_ADDRESS, "--ip-range", "198.51.100.128/25", "-o", "parent=up0"]


@pytest.fixture(params=["macvlan", pytest.param("ipvlan", marks=pytest.mark.link_kind("ipvlan"))])
def lan(request, bb):
    """A host with the network `lan` on its link to the outside."""
    bb.mc("network", "create", "-d", request.param, *LAN, "lan").ok()
    return bb


def test_a_container_is_a_neighbour_of_the_outside(lan):
    serve(lan, "a", network="lan")
    serve(lan, "b", network="lan")
    assert "inet 198.51.100.128/24" in lan.inside("a", "ip", "addr", "show", "dev", "eth0").ok().out
    assert f"default via {OUTSIDE_ADDRESS} dev eth0" in lan.inside("a", "ip", "route").ok().out
    answers(ask(lan, "198.51.100.128", 80, outside=True), "a")
    answers(ask_from(lan, "b", "198.51.100.128"), "a")


def test_names_are_answered_inside_and_over_a_restart(lan):
    lan.compose(
        """
services:
  web: {image: bb, command: sleep 60, stop_grace_period: 0s, networks: {lan: {aliases: [front]}}, links: ["db:database"]}
  db: {image: bb, command: sleep 60, stop_grace_period: 0s, networks: [lan]}
networks:
  lan: {external: true}
"""
    )
    lan.mc("up", "-d").ok()
    assert lan.mc("exec", "web", "cat", "/etc/resolv.conf").ok().out.startswith("nameserver 127.0.0.11\n")

    def resolves(service, name):
        return lan.mc("exec", service, "probe", "resolve", name).out.startswith("address 198.51.100.")

    for service, name in (("web", "db"), ("web", "database"), ("db", "front")):
        wait_until(lambda: resolves(service, name), what=f"{name} to be known in {service}")
    assert not resolves("db", "database")
    lan.mc("restart", "web").ok()
    wait_until(lambda: resolves("web", "db"), what="db to be known after a restart")
    lan.mc("down").ok()


def test_it_goes_with_its_containers(lan):
    serve(lan, "a", network="lan")
    result = lan.mc("network", "rm", "lan").fails(1)
    assert "has active endpoints" in result.err
    lan.mc("rm", "-f", "a").ok()
    lan.mc("network", "rm", "lan").ok()
    assert "lan" not in lan.mc("network", "ls", "--format", "{{.Name}}").ok().out.split()
    assert lan.run("ip", "link", "show", "up0").ok()


@pytest.mark.link_kind("macvlan")
def test_static_addresses_and_macs(bb):
    bb.compose(
        """
services:
  web:
    image: bb
    command: probe listen tcp 80 web
    networks: {lan: {ipv4_address: 198.51.100.77, mac_address: "02:42:c6:33:64:4d"}}
networks:
  lan:
    driver: macvlan
    driver_opts: {parent: up0, macvlan_mode: private}
    ipam: {config: [{subnet: 198.51.100.0/24, gateway: 198.51.100.2, aux_addresses: {host: 198.51.100.1}}]}
"""
    )
    bb.mc("up", "-d").ok()
    wait_until(lambda: ask(bb, "198.51.100.77", 80, outside=True, patience=1).code == 0, what="the container to answer")
    assert "02:42:c6:33:64:4d" in bb.sh("ip netns exec outside ip neigh show 198.51.100.77").ok().out
    bb.mc("down").ok()


@pytest.mark.link_kind("macvlan")
def test_beside_a_bridge_names_are_answered_and_ports_published(bb):
    bb.compose(
        """
services:
  web:
    image: bb
    command: probe listen tcp 80 web
    ports: ["8080:80"]
    networks: [lan, default]
  db: {image: bb, command: probe listen tcp 80 db}
networks:
  default: {}
  lan:
    driver: macvlan
    driver_opts: {parent: up0}
    ipam: {config: [{subnet: 198.51.100.0/24, gateway: 198.51.100.2, ip_range: 198.51.100.128/25}]}
"""
    )
    bb.mc("up", "-d").ok()
    assert bb.mc("exec", "web", "probe", "ask", "db", "80").ok().out == "db\n"
    answers(ask(bb, "127.0.0.1", 8080), "web")
    bb.mc("down").ok()


@pytest.mark.parametrize(
    "flags, said",
    [
        ("-d macvlan -o parent=nowhere0", "parent interface 'nowhere0' does not exist"),
        ("-d macvlan -o parent=nowhere0.7", "parent interface 'nowhere0' does not exist"),
        ("-d macvlan -o parent=up0 -o macvlan_mode=odd", "macvlan_mode"),
        ("-d ipvlan -o parent=up0 -o ipvlan_mode=l4", "ipvlan_mode"),
        ("-d ipvlan -o parent=up0 -o macvlan_mode=bridge", "'macvlan_mode' is not supported"),
        ("-d bridge -o parent=up0", "'parent' is not supported"),
        ("-d host", 'only one instance of "host" network is allowed'),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(bb, flags, said):
    result = bb.mc("network", "create", *flags.split(), "lan").fails(1)
    assert said in result.err and result.err.count("\n") == 1
    assert "lan" not in bb.mc("network", "ls", "--format", "{{.Name}}").ok().out.split()


def test_neighbours_that_know_the_address_by_another_mac_are_told(lan):
    lan.run("ip", "neigh", "replace", "198.51.100.128", "lladdr", "02:00:00:00:00:01", "dev", "eth0", "nud", "reachable", outside=True).ok()
    serve(lan, "a", network="lan")
    answers(ask(lan, "198.51.100.128", 80, outside=True), "a")


def test_ipv6_neighbours_are_told_too(request, lan):
    driver = request.node.callspec.params["lan"]
    lan.mc("network", "create", "-d", driver, "-o", "parent=up0", "--ipv6", "--subnet", "10.70.0.0/24", "--subnet", "fd00:70::/64", "six").ok()
    lan.sh("ip -n outside addr replace fd00:70::ff/64 dev eth0 nodad").ok()
    lan.run("ip", "neigh", "replace", "fd00:70::2", "lladdr", "02:00:00:00:00:01", "dev", "eth0", "nud", "reachable", outside=True).ok()
    serve(lan, "a", network="six")
    assert "inet6 fd00:70::2/64" in lan.inside("a", "ip", "addr", "show", "dev", "eth0").ok().out
    answers(ask(lan, "fd00:70::2", 80, outside=True), "a")


@pytest.mark.link_kind("ipvlan")
@pytest.mark.parametrize("mode", ["l3", "l3s"])
def test_an_ipvlan_of_layer_3_routes_through_the_link(bb, mode):
    for number, name in ((50, "a"), (51, "b")):
        options = ("-o", "parent=up0", "-o", f"ipvlan_mode={mode}", "--subnet", f"10.{number}.0.0/24")
        bb.mc("network", "create", "-d", "ipvlan", *options, f"net{name}").ok()
        serve(bb, name, network=f"net{name}")
        assert "default dev eth0" in bb.inside(name, "ip", "route").ok().out
    bb.run("ip", "route", "replace", "10.50.0.0/23", "via", HOST_ADDRESS, outside=True).ok()
    server = start_outside(bb, PROBE, "listen", "tcp", "7777", "outside")
    answers(ask(bb, "10.50.0.2", outside=True), "a")
    answers(ask_from(bb, "a", OUTSIDE_ADDRESS, 7777), "outside")
    # Between subnets of one parent as well, without any router.
    answers(ask_from(bb, "a", "10.51.0.2"), "b")
    server()


@pytest.mark.link_kind("ipvlan")
def test_containers_of_a_private_ipvlan_do_not_reach_each_other(bb):
    bb.mc("network", "create", "-d", "ipvlan", *LAN, "-o", "ipvlan_flag=private", "lan").ok()
    serve(bb, "a", network="lan")
    serve(bb, "b", network="lan")
    answers(ask(bb, "198.51.100.128", outside=True), "a")
    assert ask_from(bb, "b", "198.51.100.128", patience=2).code != 0


@pytest.mark.link_kind("ipvlan")
def test_a_parent_that_carries_macvlans_carries_no_ipvlan(bb):
    bb.mc("network", "create", "-d", "macvlan", "-o", "parent=up0", "--subnet", "10.60.0.0/24", "m").ok()
    bb.mc("network", "create", "-d", "ipvlan", "-o", "parent=up0", "--subnet", "10.61.0.0/24", "i").ok()
    serve(bb, "a", network="m")
    result = bb.mc("run", "-d", "--name", "b", "--network", "i", "bb", "sleep", "60").fails(125)
    assert "network 'i': parent interface 'up0': create link: an interface of the kind 'ipvlan' cannot be on it" in result.err


@pytest.mark.parametrize("driver, one, other", [("ipvlan", "l2", "l3"), ("macvlan", "bridge", "passthru"), ("macvlan", "passthru", "private")])
def test_modes_that_exclude_each_other_are_not_given_to_one_parent(bb, driver, one, other):
    bb.mc("network", "create", "-d", driver, "-o", "parent=up0", "-o", f"{driver}_mode={one}", "--subnet", "10.60.0.0/24", "n1").ok()
    words = ("network", "create", "-d", driver, "-o", "parent=up0", "-o", f"{driver}_mode={other}", "--subnet", "10.61.0.0/24", "n2")
    assert "parent interface 'up0' is in use by network n1" in bb.mc(*words).fails(1).err
    bb.mc("network", "rm", "n1").ok()
    bb.mc(*words).ok()


# Prints the VLAN of each frame to or from 10.60.0.0/24 that the outside's link sees, "-" for one without a tag (packet(7), PACKET_AUXDATA).
TAGS = """
import socket, struct
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
link.bind(("eth0", 0))
link.setsockopt(263, 8, 1)
print("ready", flush=True)
while True:
    frame, aside, _, _ = link.recvmsg(2048, 256)
    if bytes((10, 60, 0)) not in frame[14:46]:
        continue
    status, _, _, _, _, tag, _ = struct.unpack("IIIHHHH", aside[0][2][:20])
    inline = struct.unpack("!HH", frame[12:16])
    print(tag & 0xFFF if status & 0x10 else inline[1] & 0xFFF if inline[0] == 0x8100 else "-", flush=True)
"""


@pytest.fixture(params=["macvlan", pytest.param("ipvlan", marks=pytest.mark.link_kind("ipvlan"))])
def vlan(request, bb):
    """A host whose outside is on VLAN 10 with 10.60.0.200; create(NAME, PARENT, SUBNET) makes a network."""
    bb.sh("ip -n outside link add link eth0 name eth0.10 type vlan id 10 && ip -n outside addr add 10.60.0.200/24 dev eth0.10 && ip -n outside link set eth0.10 up").ok()
    bb.create = lambda name, parent="up0.10", subnet="10.60.0.0/24": bb.mc(
        "network", "create", "-d", request.param, "-o", f"parent={parent}", "--subnet", subnet, name
    )
    return bb


def has_link(host, name):
    return host.run("ip", "link", "show", name).code == 0


@pytest.mark.link_kind("vlan id 7")
def test_a_vlan_of_the_parent_is_made_and_tags_what_is_sent(vlan):
    vlan.create("v").ok()
    tags = start_outside(vlan, "/usr/bin/python3", "-c", TAGS)
    serve(vlan, "a", network="v")
    answers(ask(vlan, "10.60.0.2", 80, outside=True), "a")
    assert set(tags().split()) == {"10"}
    vlan.mc("rm", "-f", "a").ok()
    vlan.mc("network", "rm", "v").ok()
    assert not has_link(vlan, "up0.10") and has_link(vlan, "up0")


@pytest.mark.link_kind("vlan id 7")
def test_a_vlan_goes_with_the_last_network_on_it(vlan):
    vlan.create("v").ok()
    vlan.create("w", subnet="10.61.0.0/24").ok()
    vlan.mc("network", "rm", "v").ok()
    vlan.sh("ip -n outside addr add 10.61.0.200/24 dev eth0.10").ok()
    serve(vlan, "a", network="w")
    answers(ask(vlan, "10.61.0.2", 80, outside=True), "a")
    vlan.mc("rm", "-f", "a").ok()
    vlan.sh("ip link del up0.10").ok()
    serve(vlan, "a", network="w")
    answers(ask(vlan, address_of(vlan, "a"), 80, outside=True), "a")
    vlan.mc("rm", "-f", "a").ok()
    vlan.mc("network", "rm", "w").ok()
    assert not has_link(vlan, "up0.10")


@pytest.mark.link_kind("vlan id 7")
def test_up_makes_a_vlan_and_down_removes_it_unless_it_was_there(bb):
    bb.sh("ip link add link up0 name up0.30 type vlan id 30").ok()
    bb.compose(
        """
services:
  web: {image: bb, command: sleep 60, stop_grace_period: 0s, networks: [made, found]}
networks:
  made: {driver: macvlan, driver_opts: {parent: up0.20}}
  found: {driver: macvlan, driver_opts: {parent: up0.30}}
"""
    )
    bb.mc("up", "-d").ok()
    assert "vlan protocol 802.1Q id 20 " in bb.run("ip", "-d", "link", "show", "up0.20").ok().out
    bb.mc("down").ok()
    assert not has_link(bb, "up0.20") and has_link(bb, "up0.30")


@pytest.mark.link_kind("vlan id 7")
def test_a_vlan_of_a_link_that_is_down_is_told_and_not_left(bb):
    bb.sh("ip link add idle0 type dummy").ok()
    result = bb.mc("network", "create", "-d", "macvlan", "-o", "parent=idle0.10", "v").fails(1)
    assert "parent interface 'idle0.10'" in result.err and "Network is down" in result.err
    assert not has_link(bb, "idle0.10")
    bb.sh("ip link del idle0").ok()


def test_host_and_none_are_listed_and_inspected(bb):
    for name, driver in (("host", "host"), ("none", "null")):
        seen = json.loads(bb.mc("network", "inspect", name).ok().out)[0]
        assert seen["Driver"] == driver and seen["IPAM"]["Config"] == []


# network_mode


def test_network_mode_service_shares_interfaces_names_and_hosts(bb):
    bb.compose(
        """
services:
  main: {image: bb, command: probe listen tcp 80 main, ports: ["8080:80"]}
  side: {image: bb, command: sleep 60, network_mode: "service:main"}
  other: {image: bb, command: sleep 60}
"""
    )
    bb.mc("up", "-d").ok()
    both = [bb.mc("exec", s, "readlink", "/proc/self/ns/net").ok().out for s in ("main", "side")]
    assert both[0] == both[1]
    assert bb.mc("exec", "side", "probe", "ask", "127.0.0.1", "80").ok().out == "main\n"
    assert bb.mc("exec", "side", "probe", "resolve", "other").ok()
    assert bb.mc("exec", "side", "cat", "/etc/hosts").ok().out == bb.mc("exec", "main", "cat", "/etc/hosts").ok().out
    bb.mc("down").ok()


def test_who_shares_a_service_s_network_is_made_anew_with_it(bb):
    text = """
services:
  main: {image: bb, command: sleep %d}
  side: {image: bb, command: sleep 60, network_mode: "service:main"}
"""
    bb.compose(text % 50)
    bb.mc("up", "-d").ok()
    bb.compose(text % 55)
    bb.mc("up", "-d").ok()
    both = [bb.mc("exec", s, "readlink", "/proc/self/ns/net").ok().out for s in ("main", "side")]
    assert both[0] == both[1]
    bb.mc("down").ok()


def test_network_mode_container_joins_one_that_runs(bb):
    serve(bb, "legacy", network="bridge")
    bb.compose('services: {side: {image: bb, command: sleep 60, network_mode: "container:legacy"}}\n')
    bb.mc("up", "-d").ok()
    assert bb.mc("exec", "side", "probe", "ask", "127.0.0.1", "80").ok().out == "legacy\n"
    bb.mc("down").ok()


def test_network_mode_container_of_nobody_is_told_with_its_place(bb):
    file = bb.compose('services: {side: {image: bb, command: sleep 60, network_mode: "container:nobody"}}\n')
    result = bb.mc("up", "-d").fails()
    assert "services.side.network_mode" in result.err and "No such container: nobody" in result.err
