# SPDX-License-Identifier: GPL-2.0-or-later
"""IPv6: networks with and without IPv4, addresses, names, published ports, isolation, and what is not there without it."""

import json
import re

import pytest

from test_networks import answers, ask, ask_from, serve
from testhost import wait_until

HOST6 = "2001:db8:1::1"
OUTSIDE6 = "2001:db8:1::2"


@pytest.fixture
def six(bb):
    """A host with IPv6 on the link to the outside, and a network with both families."""
    bb.run("ip", "-6", "addr", "add", HOST6 + "/64", "dev", "up0", "nodad").ok()
    bb.run("ip", "-6", "addr", "add", OUTSIDE6 + "/64", "dev", "eth0", "nodad", outside=True).ok()
    bb.run("ip", "-6", "route", "add", "default", "via", HOST6, outside=True).ok()
    bb.run("ip", "-6", "route", "add", "default", "via", OUTSIDE6).ok()
    bb.mc("network", "create", "--ipv6", "--subnet", "10.9.0.0/24", "--subnet", "fd00:9::/64", "n6").ok()
    return bb


def address6_of(host, name, interface="eth0"):
    out = host.inside(name, "ip", "-6", "-o", "addr", "show", "dev", interface, "scope", "global").ok().out
    return re.search(r"inet6 ([0-9a-f:]+)/", out).group(1)


def test_a_container_has_addresses_and_routes_of_both_families(six):
    serve(six, "a", network="n6")
    assert address6_of(six, "a") == "fd00:9::2"
    assert "inet 10.9.0.2/24" in six.inside("a", "ip", "addr").ok().out
    assert "default via fd00:9::1 dev eth0" in six.inside("a", "ip", "-6", "route").ok().out
    seen = json.loads(six.mc("network", "inspect", "n6").ok().out)[0]
    assert seen["EnableIPv6"] and [c["Subnet"] for c in seen["IPAM"]["Config"]] == ["10.9.0.0/24", "fd00:9::/64"]
    container = list(seen["Containers"].values())[0]
    assert container["IPv6Address"] == "fd00:9::2/64" and container["IPv4Address"] == "10.9.0.2/24"


def test_addresses_are_usable_at_once(six):
    seen = six.once("ip", "-6", "-o", "addr", "show", "dev", "eth0", "scope", "global", network="n6").ok().out
    assert "fd00:9::2/64" in seen and "tentative" not in seen


def test_a_unique_local_subnet_is_chosen(bb):
    bb.mc("network", "create", "--ipv6", "n1").ok()
    bb.mc("network", "create", "--ipv6", "n2").ok()
    subnets = [json.loads(bb.mc("network", "inspect", n).out)[0]["IPAM"]["Config"][1]["Subnet"] for n in ("n1", "n2")]
    assert all(re.fullmatch(r"fd[0-9a-f]{2}:[0-9a-f:]+::/64", s) for s in subnets) and subnets[0] != subnets[1]


def test_containers_reach_each_other_by_ipv6_address_and_name(six):
    serve(six, "a", network="n6")
    serve(six, "b", network="n6")
    answers(ask_from(six, "b", "fd00:9::2"), "a")
    assert six.inside("b", "probe", "resolve6", "a").ok().out == "address fd00:9::2\n"
    assert six.inside("b", "probe", "resolve", "a").ok().out == "address 10.9.0.2\n"
    assert six.inside("b", "probe", "reverse", "fd00:9::2").ok().out == "name a.n6\n"
    assert "fd00:9::3\t" in six.inside("b", "cat", "/etc/hosts").ok().out


def test_a_network_without_ipv4(six):
    six.mc("network", "create", "--ipv6", "--ipv4", "false", "--subnet", "fd00:a::/64", "only6").ok()
    serve(six, "a", network="only6", flags="-p 8080:80")
    serve(six, "b", network="only6")
    assert "inet " not in six.inside("a", "ip", "-4", "-o", "addr", "show", "dev", "eth0").out
    answers(ask_from(six, "b", "fd00:a::2"), "a")
    assert six.inside("b", "probe", "resolve6", "a").ok().out == "address fd00:a::2\n"
    assert six.inside("b", "probe", "resolve", "a").out == "resolve NODATA\n"
    answers(ask(six, HOST6, 8080, outside=True), "a")
    answers(ask(six, "127.0.0.1", 8080), "a")
    answers(ask(six, "::1", 8080), "a")


def test_ports_are_published_on_both_families(six):
    serve(six, "a", network="n6", flags="-p 8080:80")
    answers(ask(six, HOST6, 8080, outside=True), "a")
    answers(ask(six, HOST6, 8080), "a")
    answers(ask(six, "::1", 8080), "a")
    answers(ask(six, "127.0.0.1", 8080), "a")
    assert six.state("a")["Ports"] == "0.0.0.0:8080->80/tcp, :::8080->80/tcp"


def test_a_udp_port_is_published_on_ipv6(six):
    serve(six, "a", kind="udp", network="n6", flags="-p 8080:80/udp")
    answers(ask(six, HOST6, 8080, outside=True, udp=True), "a")


def test_a_port_of_one_ipv6_address(six):
    serve(six, "a", network="n6", flags=f"-p [{HOST6}]:8080:80")
    answers(ask(six, HOST6, 8080, outside=True), "a")
    assert ask(six, "::1", 8080, patience=1).code != 0
    assert six.state("a")["Ports"] == f"{HOST6}:8080->80/tcp"


def test_the_way_out_is_masqueraded(six):
    script = (
        "import socket; s=socket.socket(socket.AF_INET6); s.bind(('::',9000)); s.listen(); print('ready',flush=True);"
        "c,a=s.accept(); print(a[0],flush=True)"
    )
    server = six.start("/usr/bin/python3", "-c", script, outside=True)
    assert server.stdout.readline() == "ready\n"
    six.once("probe", "ask", OUTSIDE6, "9000", network="n6")
    assert server.stdout.readline() == HOST6 + "\n"
    server.wait(10)


def test_row_12_3_container_addresses_are_not_reached_from_outside(six):
    serve(six, "a", network="n6", flags="-p 8080:80")
    assert ask(six, "fd00:9::2", 80, outside=True, patience=1).code != 0
    answers(ask(six, "fd00:9::2", 80), "a")


def test_row_12_4_networks_do_not_reach_each_other_by_ipv6(six):
    six.mc("network", "create", "--ipv6", "--subnet", "fd00:b::/64", "n7").ok()
    serve(six, "a", network="n6")
    serve(six, "b", network="n7")
    assert ask_from(six, "b", "fd00:9::2", patience=1).code != 0
    answers(ask(six, "fd00:9::2", 80), "a")


def test_an_internal_network_has_no_ipv6_way_out(six):
    six.mc("network", "create", "--ipv6", "--internal", "--subnet", "fd00:c::/64", "inner").ok()
    serve(six, "a", network="inner")
    assert "default" not in six.inside("a", "ip", "-6", "route").ok().out
    six.inside("a", "ip", "-6", "route", "add", "default", "via", "fd00:c::1", flags="--privileged")
    assert ask_from(six, "a", OUTSIDE6, 9, patience=1).code != 0


def test_static_addresses_of_the_file(six):
    six.compose(
        """
services:
  web:
    image: bb
    command: sleep 60
    networks:
      front: {ipv4_address: 10.8.0.77, ipv6_address: "fd00:8::77"}
networks:
  front:
    enable_ipv6: true
    ipam:
      config:
        - {subnet: 10.8.0.0/24, gateway: 10.8.0.254}
        - {subnet: "fd00:8::/64", gateway: "fd00:8::fe", ip_range: "fd00:8::100/120", aux_addresses: {router: "fd00:8::100"}}
"""
    )
    six.mc("up", "-d").ok()
    out = six.mc("exec", "web", "ip", "addr").ok().out
    assert "inet6 fd00:8::77/64" in out and "inet 10.8.0.77/24" in out
    assert "default via fd00:8::fe" in six.mc("exec", "web", "ip", "-6", "route").ok().out
    # from the range, but not what is kept back of it
    network = six.mc("network", "ls", "--format", "{{.Name}}", "-f", "name=front").out.strip()
    assert "inet6 fd00:8::101/64" in six.once("ip", "-6", "addr", network=network).ok().out
    six.mc("down").ok()


def test_enable_ipv4_false_of_the_file(six):
    six.compose(
        """
services:
  web: {image: bb, command: probe listen tcp 80 web}
networks:
  default: {enable_ipv4: false, enable_ipv6: true}
"""
    )
    six.mc("up", "-d").ok()
    assert "inet " not in six.mc("exec", "web", "ip", "-4", "addr", "show", "dev", "eth0").out
    assert re.search(r"inet6 fd[0-9a-f:]+/64", six.mc("exec", "web", "ip", "-6", "addr").ok().out)
    six.mc("down").ok()


@pytest.mark.parametrize(
    "flags, said",
    [
        ("--subnet fd00::/64", "--ipv6 must be given"),
        ("--ipv6 --subnet fd00::/127", "fd00::/127"),
        ("--ipv6 --subnet fd00::/64 --subnet fd01::/64", "second IPv6 subnet"),
        ("--ipv6 --subnet fd00::/64 --gateway fd01::1", "fd01::1"),
        ("--ipv6 --subnet fd00:9::/48", "overlaps network n6"),
        ("--ipv4 false", "IPv4 or IPv6"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(six, flags, said):
    result = six.mc("network", "create", *flags.split(), "x").fails(1)
    assert said in result.err and result.err.count("\n") == 1


def test_an_ipv6_address_without_an_ipv6_network_is_refused(bb):
    bb.compose(
        """
services:
  web: {image: bb, command: sleep 60, networks: {default: {ipv6_address: "fd00::5"}}}
"""
    )
    assert "no IPv6 subnet" in bb.mc("up", "-d").fails().err


def test_the_host_keeps_believing_router_advertisements(six):
    path = "/proc/sys/net/ipv6/conf/up0/accept_ra"
    six.sh(f"echo 0 > /proc/sys/net/ipv6/conf/all/forwarding; echo 1 > {path}").ok()
    serve(six, "a", network="n6")
    assert six.sh("cat /proc/sys/net/ipv6/conf/all/forwarding").out == "1\n"
    assert six.sh(f"cat {path}").out == "2\n"


def test_row_12_6_a_bridge_believes_no_router_advertisement(six):
    serve(six, "a", network="n6")
    bridge = "mc-" + six.mc("network", "ls", "-f", "name=n6", "-q").out.strip()
    assert six.sh(f"cat /proc/sys/net/ipv6/conf/{bridge}/accept_ra").out == "0\n"
    assert six.inside("a", "cat", "/proc/sys/net/ipv6/conf/eth0/accept_ra").ok().out == "0\n"


# A router advertisement for 2001:db8:bad::/64, sent as a frame: the sender needs no IPv6 of its own.
ADVERTISE = r"""
import socket, struct, sys
def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
source, target = socket.inet_pton(socket.AF_INET6, "fe80::bad"), socket.inet_pton(socket.AF_INET6, "ff02::1")
prefix = struct.pack(">BBBBIII", 3, 4, 64, 0xc0, 3600, 3600, 0) + socket.inet_pton(socket.AF_INET6, "2001:db8:bad::")
body = struct.pack(">BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + prefix
pseudo = source + target + struct.pack(">II", len(body), 58)
body = body[:2] + struct.pack(">H", checksum(pseudo + body)) + body[4:]
frame = bytes.fromhex("333300000001") + bytes.fromhex("0242badbad00") + b"\x86\xdd"
frame += struct.pack(">IHBB", 6 << 28, len(body), 58, 255) + source + target + body
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
link.bind((sys.argv[1], 0))
link.send(frame)
"""


def host_ipv6(host):
    """Its routes and addresses, but for those of the kernel's own links."""
    lines = (host.sh("ip -6 route; ip -6 -o addr").ok().out).splitlines()
    return sorted(re.sub(r"expires \S+|valid_lft.*", "", line) for line in lines if "2001:db8:bad" in line or "fe80::bad" in line)


@pytest.mark.parametrize("flags", ["", "--ipv6"])
def test_row_12_6_an_advertisement_of_a_container_changes_nothing_on_the_host(bb, flags):
    bb.mc("network", "create", *flags.split(), "n1").ok()
    serve(bb, "a", network="n1")
    # what the frame does where advertisements are believed
    bb.sh("echo 0 > /proc/sys/net/ipv6/conf/all/forwarding; echo 2 > /proc/sys/net/ipv6/conf/up0/accept_ra").ok()
    bb.run("/usr/bin/python3", "-c", ADVERTISE, "eth0", outside=True).ok()
    wait_until(lambda: host_ipv6(bb), what="the outside's advertisement to be believed")
    bb.sh("ip -6 route flush root 2001:db8:bad::/64; ip -6 route flush default; ip -6 addr flush dev up0 scope global").ok()
    assert not host_ipv6(bb)
    bb.run("nsenter", "-t", str(bb.pid_of("a")), "-n", "/usr/bin/python3", "-c", ADVERTISE, "eth0").ok()
    bb.run("nsenter", "-t", str(bb.pid_of("a")), "-n", "/bin/busybox", "ping", "-c", "1", "-W", "1", gateway_of(bb, "n1")).ok()
    assert not host_ipv6(bb)


def gateway_of(host, network):
    return json.loads(host.mc("network", "inspect", network).ok().out)[0]["IPAM"]["Config"][0]["Gateway"]
