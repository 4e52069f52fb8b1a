# SPDX-License-Identifier: GPL-2.0-or-later
"""Drivers beside bridge: macvlan and ipvlan on an interface of the host, host, none, and another container's network."""

import json
import re

import pytest

from test_networks import answers, ask, ask_from, serve, start_outside
from testhost import OUTSIDE_ADDRESS, PROBE, wait_until

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
  web: {image: bb, command: sleep 60, networks: {lan: {aliases: [front]}}, links: ["db:database"]}
  db: {image: bb, command: sleep 60, networks: [lan]}
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


@pytest.mark.link_kind("ipvlan")
def test_an_ipvlan_of_layer_3_routes_through_the_link(bb):
    bb.mc("network", "create", "-d", "ipvlan", "-o", "parent=up0", "-o", "ipvlan_mode=l3", "--subnet", "10.50.0.0/24", "l3").ok()
    bb.run("ip", "route", "add", "10.50.0.0/24", "dev", "eth0", outside=True).ok()
    serve(bb, "a", network="l3")
    assert "default dev eth0" in bb.inside("a", "ip", "route").ok().out


@pytest.mark.link_kind("vlan id 7")
def test_a_vlan_of_the_parent_is_made(bb):
    bb.mc("network", "create", "-d", "macvlan", "-o", "parent=up0.10", "--subnet", "10.60.0.0/24", "v").ok()
    bb.sh("ip netns exec outside sh -c 'ip link add link eth0 name eth0.10 type vlan id 10 && ip addr add 10.60.0.200/24 dev eth0.10 && ip link set eth0.10 up'").ok()
    serve(bb, "a", network="v")
    answers(ask(bb, "10.60.0.2", 80, outside=True), "a")


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
