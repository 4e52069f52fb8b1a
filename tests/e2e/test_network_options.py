# SPDX-License-Identifier: GPL-2.0-or-later
"""Options of networks and of a service's place in them: gateways, interface names, links, driver options."""

import json
import re

import pytest

from test_networks import address_of, answers, ask, ask_from, serve
from testhost import HOST_ADDRESS, wait_until


def up(host, text):
    host.compose(text)
    host.mc("up", "-d").ok()


def route_of(host, service):
    return re.search(r"default via (\S+) dev (\S+)", host.mc("exec", service, "ip", "route").ok().out).groups()


TWO = """
networks:
  a: {ipam: {config: [{subnet: 10.1.0.0/24}]}}
  b: {ipam: {config: [{subnet: 10.2.0.0/24}]}}
"""
INTERNAL = TWO.replace(": {ipam", ": {internal: true, ipam")


def test_gw_priority_chooses_the_default_route_and_where_ports_are_published(clean):
    up(
        clean,
        """
services:
  web:
    image: bb
    command: probe listen tcp 80 web
    ports: ["8080:80"]
    networks: {a: {}, b: {gw_priority: 1}}
"""
        + TWO,
    )
    assert route_of(clean, "web") == ("10.2.0.1", "eth1")
    wait_until(lambda: ask(clean, HOST_ADDRESS, 8080, outside=True, patience=1).code == 0, what="the port to answer")
    clean.mc("down").ok()


def test_without_gw_priority_the_network_of_highest_priority_has_the_route(clean):
    up(
        clean,
        """
services:
  web: {image: bb, command: sleep 60, networks: {a: {gw_priority: -1, priority: 5}, b: {gw_priority: -5}}}
  app: {image: bb, command: sleep 60, networks: {a: {}, b: {priority: 1}}}
"""
        + TWO,
    )
    assert route_of(clean, "web") == ("10.1.0.1", "eth0")
    assert route_of(clean, "app") == ("10.2.0.1", "eth0")
    clean.mc("down").ok()


def test_interface_names_macs_and_link_local_addresses(clean):
    up(
        clean,
        """
services:
  web:
    image: bb
    command: sleep 60
    mac_address: 02:42:0a:00:00:01
    networks:
      a: {priority: 2, interface_name: front0, link_local_ips: [169.254.8.8]}
      b: {mac_address: "02:42:0a:00:00:02"}
"""
        + TWO,
    )
    out = clean.mc("exec", "web", "ip", "addr").ok().out
    assert re.search(r"front0@.*\n.*02:42:0a:00:00:01(.*\n)+.*inet 10\.1\.0\.2/24(.*\n)+.*inet 169\.254\.8\.8/16", out)
    assert re.search(r"eth0@.*\n.*02:42:0a:00:00:02", out)
    clean.mc("down").ok()


def test_endpoint_options(clean):
    up(
        clean,
        """
services:
  web:
    image: bb
    command: sleep 60
    networks:
      a:
        driver_opts:
          com.docker.network.endpoint.sysctls: net.ipv4.conf.IFNAME.log_martians=1,net.ipv4.neigh.IFNAME.gc_stale_time=33
          com.docker.network.endpoint.ifname: front0
"""
        + TWO,
    )
    read = clean.mc("exec", "web", "cat", "/proc/sys/net/ipv4/conf/front0/log_martians", "/proc/sys/net/ipv4/neigh/front0/gc_stale_time")
    assert read.ok().out.split() == ["1", "33"]
    clean.mc("down").ok()


@pytest.mark.parametrize(
    "options, said",
    [
        ("com.docker.network.endpoint.sysctls: net.ipv4.ip_forward=1", "is not one of the interface"),
        ("com.docker.network.endpoint.sysctls: net.ipv4.conf.IFNAME.../../x=1", "is not one of the interface"),
        ("com.example.thing: 1", "driver_opts"),
    ],
)
def test_other_endpoint_options_are_refused(clean, options, said):
    clean.compose(
        f"""
services:
  web: {{image: bb, command: sleep 60, networks: {{default: {{driver_opts: {{{options}}}}}}}}}
"""
    )
    assert said in clean.mc("up", "-d").fails().err
    clean.mc("down").ok()


def test_links_are_names_of_the_linking_container_alone(clean):
    up(
        clean,
        """
services:
  web: {image: bb, command: sleep 60, links: ["db:database", "db"]}
  other: {image: bb, command: sleep 60}
  db: {image: bb, command: sleep 60, scale: 2}
networks: {default: {internal: true}}
""",
    )
    found = clean.mc("exec", "web", "probe", "resolve", "database").ok().out
    assert sorted(found.split("\n")) == sorted(clean.mc("exec", "web", "probe", "resolve", "db").ok().out.split("\n"))
    assert found.count("address") == 2
    assert clean.mc("exec", "other", "probe", "resolve", "database").fails().out == "resolve NXDOMAIN\n"
    assert clean.mc("exec", "db", "probe", "resolve", "database").fails().out == "resolve NXDOMAIN\n"
    clean.mc("down").ok()


def test_external_links_name_containers_of_others(clean):
    clean.mc("network", "create", "shared").ok()
    serve(clean, "legacy", network="shared")
    up(
        clean,
        """
services:
  web: {image: bb, command: sleep 60, external_links: ["legacy:old"], networks: [shared]}
networks:
  shared: {external: true}
""",
    )
    assert clean.mc("exec", "web", "probe", "ask", "old", "80").ok().out == "legacy\n"
    clean.mc("down").ok()
    clean.mc("rm", "-f", "legacy").ok()
    clean.mc("network", "rm", "shared").ok()


def test_aliases_are_of_their_network(clean):
    up(
        clean,
        """
services:
  web: {image: bb, command: sleep 60, networks: {a: {aliases: [inner]}, b: {}}}
  ina: {image: bb, command: sleep 60, networks: [a]}
  inb: {image: bb, command: sleep 60, networks: [b]}
"""
        + INTERNAL,
    )
    assert clean.mc("exec", "ina", "probe", "resolve", "inner").ok()
    assert clean.mc("exec", "inb", "probe", "resolve", "inner").fails().out == "resolve NXDOMAIN\n"
    assert clean.mc("exec", "inb", "probe", "resolve", "web").ok()
    clean.mc("down").ok()


def test_exposed_ports_are_shown_and_not_published(clean):
    up(clean, 'services: {web: {image: bb, command: sleep 60, expose: ["3000", "4000-4001/udp"]}}\n')
    ports = clean.ps()[0]["Ports"]
    assert "3000/tcp" in ports and "->" not in ports
    clean.mc("down").ok()


# options of the network


def test_bridge_name_mtu_and_interface_prefix(clean):
    up(
        clean,
        """
services:
  web: {image: bb, command: sleep 60}
networks:
  default:
    driver_opts:
      com.docker.network.bridge.name: mybridge
      com.docker.network.driver.mtu: 1400
      com.docker.network.container_iface_prefix: lan
""",
    )
    assert "mtu 1400" in clean.run("ip", "link", "show", "mybridge").ok().out
    assert "mtu 1400" in clean.mc("exec", "web", "ip", "link", "show", "lan0").ok().out
    clean.mc("down").ok()
    assert clean.run("ip", "link", "show", "mybridge").code != 0


def test_icc_off_closes_the_ways_between_containers(clean):
    clean.mc("network", "create", "-o", "com.docker.network.bridge.enable_icc=false", "n1").ok()
    serve(clean, "a", network="n1", flags="-p 8080:80")
    serve(clean, "b", network="n1")
    assert ask_from(clean, "b", address_of(clean, "a"), patience=1).code != 0
    answers(ask(clean, HOST_ADDRESS, 8080, outside=True), "a")
    clean.mc("rm", "-f", "a", "b").ok()
    clean.mc("network", "rm", "n1").ok()


def test_host_binding_is_where_ports_without_an_address_go(clean):
    clean.mc("network", "create", "-o", "com.docker.network.bridge.host_binding_ipv4=127.0.0.1", "n1").ok()
    serve(clean, "a", network="n1", flags=f"-p 8080:80 -p {HOST_ADDRESS}:8081:80")
    answers(ask(clean, "127.0.0.1", 8080), "a")
    assert ask(clean, HOST_ADDRESS, 8080, outside=True, patience=1).code != 0
    answers(ask(clean, HOST_ADDRESS, 8081, outside=True), "a")
    assert "127.0.0.1:8080->80/tcp" in clean.state("a")["Ports"]
    clean.mc("rm", "-f", "a").ok()
    clean.mc("network", "rm", "n1").ok()


def test_ranges_gateways_and_reserved_addresses_of_the_file(clean):
    up(
        clean,
        """
services:
  web: {image: bb, command: sleep 60, scale: 2}
networks:
  default:
    ipam:
      driver: default
      options: {foo: bar}
      config: [{subnet: 10.7.0.0/24, ip_range: 10.7.0.64/28, gateway: 10.7.0.65, aux_addresses: {one: 10.7.0.64, two: 10.7.0.66}}]
""",
    )
    network = clean.mc("network", "ls", "-f", "type=custom", "-q").out.strip()
    seen = json.loads(clean.mc("network", "inspect", network).ok().out)[0]
    assert sorted(c["IPv4Address"] for c in seen["Containers"].values()) == ["10.7.0.67/24", "10.7.0.68/24"]
    config = seen["IPAM"]["Config"][0]
    assert config["Gateway"] == "10.7.0.65" and sorted(config["AuxiliaryAddresses"].values()) == ["10.7.0.64", "10.7.0.66"]
    clean.mc("down").ok()


def test_a_second_subnet_of_one_family_is_refused_with_its_place(clean):
    clean.compose(
        """
services: {web: {image: bb, command: sleep 60}}
networks: {default: {ipam: {config: [{subnet: 10.7.0.0/24}, {subnet: 10.8.0.0/24}]}}}
"""
    )
    assert "networks.default: 10.8.0.0/24: a second IPv4 subnet" in clean.mc("up", "-d").fails().err
    clean.mc("down").ok()


# network ls


@pytest.mark.parametrize(
    "filters, names",
    [
        (["type=builtin"], ["bridge", "host", "none"]),
        (["type=custom"], ["n1", "n2"]),
        (["dangling=true"], ["n2"]),
        (["name=n1", "name=n2"], ["n1", "n2"]),
        (["label=a", "label=b=2"], ["n1"]),
        (["scope=local", "driver=bridge", "name=n"], ["n1", "n2"]),
        (["scope=swarm"], []),
    ],
)
def test_filters_of_network_ls(bb, filters, names):
    bb.mc("network", "create", "--label", "a=1", "--label", "b=2", "n1").ok()
    bb.mc("network", "create", "--label", "a=1", "n2").ok()
    bb.daemon("x", "sleep", "60", network="n1")
    words = [word for f in filters for word in ("-f", f)]
    out = bb.mc("network", "ls", "--format", "{{.Name}}", *words).ok().out
    assert sorted(out.split()) == names


def test_an_unknown_filter_is_refused(bb):
    assert "invalid filter" in bb.mc("network", "ls", "-f", "color=red").fails(1).err
    assert "invalid filter" in bb.mc("network", "ls", "-f", "type=odd").fails(1).err
