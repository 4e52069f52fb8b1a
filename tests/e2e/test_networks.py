# SPDX-License-Identifier: GPL-2.0-or-later
"""Networks: made, listed, removed; names; published ports from every side; isolation; what others do to the firewall."""

import json
import re

import pytest

from testhost import BINARY, HOST_ADDRESS, OUTSIDE_ADDRESS, PROBE, wait_until

HEX64 = re.compile(r"^[0-9a-f]{64}\n$")

# Answers every question for an address with 203.0.113.7, on UDP port 53 of the outside world.
DNS_SERVER = """
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("%s", 53))
print("ready", flush=True)
while True:
    query, client = server.recvfrom(4096)
    end = query.index(0, 12) + 5
    header = query[:2] + b"\\x81\\x80\\0\\1\\0\\1\\0\\0\\0\\0"
    server.sendto(header + query[12:end] + b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x3c\\0\\x04\\xcb\\0\\x71\\x07", client)
""" % OUTSIDE_ADDRESS


def serve(host, name, text=None, port=80, kind="tcp", flags="", network="bridge"):
    """A container that answers with text; returns when it listens."""
    host.daemon(name, "probe", "listen", kind, str(port), text or name, flags=flags, network=network)
    wait_until(lambda: "ready" in host.mc("logs", name).out, what=f"{name} to listen")


def ask(host, address, port=80, outside=False, udp=False, patience=5):
    words = ["timeout", str(patience), PROBE, "ask", address, str(port)] + (["udp"] if udp else [])
    return host.run(*words, outside=outside)


def ask_from(host, name, address, port=80, udp=False, patience=5):
    words = ["timeout", str(patience), "probe", "ask", address, str(port)] + (["udp"] if udp else [])
    return host.inside(name, *words)


def start_outside(host, *words):
    """A server of the outside world, which says "ready"; what ends it (nsenter does not pass signals on)."""
    process = host.start("sh", "-c", 'echo $$; exec "$@"', "sh", *words, outside=True)
    pid = process.stdout.readline().strip()
    assert process.stdout.readline() == "ready\n"

    def end():
        host.sh(f"kill -9 {pid}")
        return process.communicate(timeout=10)[0]

    return end


def answers(result, text):
    assert result.code == 0 and result.out == text + "\n", repr(result)
    return True


def address_of(host, name, interface="eth0"):
    out = host.inside(name, "ip", "-4", "-o", "addr", "show", "dev", interface).ok().out
    return re.search(r"inet ([0-9.]+)/", out).group(1)


def rules(host, table=None):
    return host.run("iptables-legacy-save", *(["-t", table] if table else [])).ok().out


def own_rules(host):
    """Every rule and own chain, without counters."""
    lines = rules(host).splitlines()
    return sorted(line for line in lines if line.startswith("-A") or re.match(r":\S+ -", line.split(" [")[0]))


@pytest.fixture
def net(bb):
    """A host with the network n1."""
    bb.mc("network", "create", "--driver", "bridge", "--subnet", "10.9.0.0/24", "--gateway", "10.9.0.1", "n1").ok()
    return bb


# made, listed, removed


def test_network_create_prints_the_id(clean):
    assert HEX64.match(clean.mc("network", "create", "n1").ok().out)
    clean.mc("network", "rm", "n1").ok()


def test_subnet_and_gateway_are_as_asked(net):
    seen = json.loads(net.mc("network", "inspect", "n1").ok().out)[0]
    assert seen["IPAM"]["Config"][0]["Subnet"] == "10.9.0.0/24" and seen["IPAM"]["Config"][0]["Gateway"] == "10.9.0.1"
    serve(net, "a", network="n1")
    assert address_of(net, "a").startswith("10.9.0.")
    assert "default via 10.9.0.1 dev eth0" in net.inside("a", "ip", "route").ok().out


@pytest.mark.parametrize("verb", ["ls", "list"])
def test_network_list_has_dockers_columns_and_the_built_in_ones(net, verb):
    lines = net.mc("network", verb).ok().out.splitlines()
    assert lines[0].split() == ["NETWORK", "ID", "NAME", "DRIVER", "SCOPE"]
    rows = sorted(line.split()[1:] for line in lines[1:])
    assert rows == [["bridge", "bridge", "local"], ["host", "host", "local"], ["n1", "bridge", "local"], ["none", "null", "local"]]


@pytest.mark.parametrize("verb", ["rm", "remove"])
def test_network_rm_prints_the_name_and_leaves_nothing(clean, verb):
    clean.mc("network", "create", "n1").ok()
    serve(clean, "a", network="n1", flags="-p 8080:80")
    clean.mc("rm", "-f", "a").ok()
    assert clean.mc("network", verb, "n1").ok().out == "n1\n"
    assert clean.mc("network", "inspect", "n1").code == 1


def test_a_second_network_of_that_name_is_refused(net):
    assert net.mc("network", "create", "n1").fails(1).err == "network with name n1 already exists\n"


def test_an_unknown_network_is_not_removed(bb):
    assert "network x not found" in bb.mc("network", "rm", "x").fails(1).err


def test_a_network_in_use_is_not_removed(net):
    serve(net, "a", network="n1")
    result = net.mc("network", "rm", "n1").fails(1)
    assert "has active endpoints" in result.err and "a" in result.err
    answers(ask(net, address_of(net, "a")), "a")


@pytest.mark.parametrize(
    "flags, said",
    [
        ("--subnet 10.9.0.0", "10.9.0.0"),
        ("--subnet 10.9.0.0/33", "10.9.0.0/33"),
        ("--subnet 10.9.0.0/24 --gateway 10.8.0.1", "10.8.0.1"),
        ("--subnet 10.9.0.0/24 --gateway x", "x"),
        ("--driver overlay", "overlay"),
        ("-o unknown=1", "unknown"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(clean, flags, said):
    result = clean.mc("network", "create", *flags.split(), "n1").fails(1)
    assert said in result.err and result.err.count("\n") == 1


def test_row_12_14_an_overlapping_subnet_is_refused(net):
    result = net.mc("network", "create", "--subnet", "10.9.0.128/25", "n2").fails(1)
    assert "overlaps" in result.err and "n1" in result.err


def test_row_12_14_a_chosen_subnet_avoids_the_hosts_routes(bb):
    bb.sh(f"ip route add 172.16.0.0/12 via {OUTSIDE_ADDRESS}").ok()
    bb.mc("network", "create", "n1").ok()
    seen = json.loads(bb.mc("network", "inspect", "n1").ok().out)[0]
    assert seen["IPAM"]["Config"][0]["Subnet"].startswith("192.168.")


def test_row_12_14_networks_get_different_subnets_until_the_pool_is_empty(bb):
    result = bb.sh(f"i=0; while [ $i -lt 40 ] && {BINARY} network create n$i; do i=$((i+1)); done; echo made $i")
    made = int(result.out.split()[-1])
    seen = json.loads(bb.mc("network", "inspect", *[f"n{i}" for i in range(made)]).ok().out)
    subnets = [network["IPAM"]["Config"][0]["Subnet"] for network in seen]
    assert made >= 25 and len(set(subnets)) == made
    assert made == 40 or result.err.count("\n") == 1


# names


def test_containers_reach_each_other_by_address_and_by_name(net):
    serve(net, "a", network="n1")
    serve(net, "b", network="n1")
    answers(ask_from(net, "a", address_of(net, "b")), "b")
    answers(ask_from(net, "b", "a"), "a")


def test_an_alias_is_a_name_too(net):
    serve(net, "a", network="n1", flags="--network-alias other")
    serve(net, "b", network="n1")
    answers(ask_from(net, "b", "other"), "a")


def test_an_unknown_name_is_not_found(net):
    serve(net, "a", network="n1")
    result = net.inside("a", "probe", "resolve", "nobody")
    assert result.code == 1 and "address" not in result.out


def test_a_name_goes_with_its_container(net):
    serve(net, "a", network="n1")
    serve(net, "b", network="n1")
    net.inside("a", "probe", "resolve", "b").ok()
    net.mc("rm", "-f", "b").ok()
    assert net.inside("a", "probe", "resolve", "b").code == 1


def test_replicas_of_a_service_answer_to_its_name_together(clean):
    clean.compose("services: {w: {image: bb, command: [sleep, '1000'], stop_signal: SIGKILL}, q: {image: bb, command: [sleep, '1000'], stop_signal: SIGKILL}}")
    clean.mc("up", "-d", "--scale", "w=3").ok()
    assert len(set(clean.mc("exec", "-T", "q", "probe", "resolve", "w").ok().out.splitlines())) == 3
    clean.mc("down").ok()


@pytest.fixture
def dns(net):
    """The outside world has a name server."""
    end = start_outside(net, "python3", "-c", DNS_SERVER)
    yield net
    end()


def test_other_names_are_asked_outside(dns):
    serve(dns, "a", network="n1")
    assert dns.inside("a", "probe", "resolve", "www.example.com").ok().out == "address 203.0.113.7\n"


def test_row_12_5_from_an_internal_network_nothing_is_asked_outside(dns):
    dns.mc("network", "create", "--internal", "closed").ok()
    serve(dns, "a", network="closed")
    serve(dns, "b", network="closed")
    assert "203.0.113.7" not in dns.inside("a", "probe", "resolve", "www.example.com").fails(1).out
    dns.inside("a", "probe", "resolve", "b").ok()


def test_row_12_8_names_of_another_network_are_not_told(dns):
    dns.mc("network", "create", "n2").ok()
    serve(dns, "a", network="n1")
    serve(dns, "b", network="n2")
    assert dns.inside("a", "probe", "resolve", "b").out != f"address {address_of(dns, 'b')}\n"
    assert dns.inside("b", "probe", "resolve", "b").ok().out == f"address {address_of(dns, 'b')}\n"


def test_row_12_8_the_name_service_is_not_reached_from_outside(dns):
    serve(dns, "a", network="n1")
    dns.sh("ip -n outside route replace 10.9.0.0/24 via " + HOST_ADDRESS).ok()
    assert dns.run("dig", "+time=1", "+tries=1", "@10.9.0.1", "a", outside=True).code != 0
    assert dns.inside("a", "nslookup", "a").code == 0


# published ports


@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_a_published_port_is_reached_from_outside_the_host_and_localhost(net, kind):
    serve(net, "a", kind=kind, network="n1", flags=f"-p 8080:80/{kind}")
    udp = kind == "udp"
    answers(ask(net, HOST_ADDRESS, 8080, outside=True, udp=udp), "a")
    answers(ask(net, HOST_ADDRESS, 8080, udp=udp), "a")
    answers(ask(net, "127.0.0.1", 8080, udp=udp), "a")


def test_a_published_port_is_reached_from_containers_by_the_hosts_address(net):
    serve(net, "a", network="n1", flags="-p 8080:80")
    serve(net, "b", network="n1")
    answers(ask_from(net, "b", HOST_ADDRESS, 8080), "a")
    answers(ask_from(net, "b", "10.9.0.1", 8080), "a")


def test_a_published_port_is_reached_by_its_own_container(net):
    serve(net, "a", network="n1", flags="-p 8080:80")
    answers(ask_from(net, "a", HOST_ADDRESS, 8080), "a")


def test_row_12_4_a_published_port_is_reached_from_another_network(net):
    net.mc("network", "create", "n2").ok()
    serve(net, "a", network="n1", flags="-p 8080:80")
    serve(net, "b", network="n2")
    answers(ask_from(net, "b", HOST_ADDRESS, 8080), "a")


def test_a_range_of_ports_is_published(net):
    serve(net, "a", network="n1", port=81, flags="-p 8080-8082:80-82")
    answers(ask(net, HOST_ADDRESS, 8081, outside=True), "a")
    assert ask(net, HOST_ADDRESS, 8080, outside=True).code != 0


def test_an_ephemeral_port_is_shown_and_works(net):
    serve(net, "a", network="n1", flags="-p 80")
    port = re.search(r"0\.0\.0\.0:(\d+)->80/tcp", net.state("a")["Ports"]).group(1)
    answers(ask(net, HOST_ADDRESS, port, outside=True), "a")


def test_an_unpublished_port_is_closed_to_the_outside(net):
    serve(net, "a", network="n1", port=81, flags="-p 8080:80")
    assert ask(net, HOST_ADDRESS, 81, outside=True, patience=1).code != 0


def test_a_port_is_closed_again_when_the_container_stops_and_open_when_it_starts(net):
    serve(net, "a", network="n1", flags="-p 8080:80")
    net.mc("stop", "a").ok()
    assert ask(net, HOST_ADDRESS, 8080, outside=True, patience=1).code != 0
    net.mc("start", "a").ok()
    wait_until(lambda: ask(net, HOST_ADDRESS, 8080, outside=True, patience=1).code == 0, what="the port to be open again")


def test_row_12_2_a_port_of_127_0_0_1_is_not_reached_from_outside(net):
    serve(net, "a", network="n1", flags="-p 127.0.0.1:8080:80")
    answers(ask(net, "127.0.0.1", 8080), "a")
    assert ask(net, HOST_ADDRESS, 8080, outside=True, patience=1).code != 0
    net.sh("ip -n outside route add 127.0.0.1 via " + HOST_ADDRESS + " dev eth0 table 99; ip netns exec outside sysctl -qw net.ipv4.conf.all.route_localnet=1").ok()
    net.sh("ip -n outside rule add to 127.0.0.1 dport 8080 table 99 pref 0; ip -n outside rule del pref 0 table local; ip -n outside rule add pref 1 table local").ok()
    assert ask(net, "127.0.0.1", 8080, outside=True, patience=1).code != 0


def test_a_port_of_one_address_is_published_there_only(net):
    net.sh("ip addr add 198.51.100.9/24 dev up0").ok()
    serve(net, "a", network="n1", flags="-p 198.51.100.9:8080:80")
    answers(ask(net, "198.51.100.9", 8080, outside=True), "a")
    assert ask(net, HOST_ADDRESS, 8080, outside=True, patience=1).code != 0


def test_two_containers_share_a_port_number_on_different_addresses(net):
    net.sh("ip addr add 198.51.100.9/24 dev up0").ok()
    serve(net, "a", network="n1", flags="-p 198.51.100.9:8080:80")
    serve(net, "b", network="n1", flags=f"-p {HOST_ADDRESS}:8080:80")
    answers(ask(net, "198.51.100.9", 8080, outside=True), "a")
    answers(ask(net, HOST_ADDRESS, 8080, outside=True), "b")


def test_one_number_is_published_for_tcp_and_udp(net):
    serve(net, "a", network="n1", flags="-p 8080:80/tcp")
    serve(net, "b", network="n1", kind="udp", flags="-p 8080:80/udp")
    answers(ask(net, HOST_ADDRESS, 8080, outside=True), "a")
    answers(ask(net, HOST_ADDRESS, 8080, outside=True, udp=True), "b")


@pytest.mark.parametrize("kind", ["udp", "tcp"])
def test_port_53_published_is_served_while_names_go_on(net, kind):
    serve(net, "a", port=53, kind=kind, network="n1", flags=f"-p 53:53/{kind}")
    serve(net, "b", network="n1")
    answers(ask(net, HOST_ADDRESS, 53, outside=True, udp=kind == "udp"), "a")
    answers(ask(net, "127.0.0.1", 53, udp=kind == "udp"), "a")
    answers(ask_from(net, "a", "b"), "b")


@pytest.mark.parametrize("kind", ["udp", "tcp"])
def test_a_container_that_serves_port_53_is_reached_by_its_neighbours(net, kind):
    serve(net, "a", port=53, kind=kind, network="n1")
    serve(net, "b", network="n1")
    answers(ask_from(net, "b", "a", 53, udp=kind == "udp"), "a")


def test_a_container_reaches_the_outside(net):
    end = start_outside(net, PROBE, "listen", "tcp", "7", "outside")
    serve(net, "a", network="n1")
    answers(ask_from(net, "a", OUTSIDE_ADDRESS, 7), "outside")
    end()


def test_the_way_out_is_masqueraded(net):
    show = "import socket; s = socket.create_server(('', 7)); print('ready', flush=True); print(s.accept()[1][0], flush=True)"
    server = net.start("python3", "-c", show, outside=True)
    assert server.stdout.readline() == "ready\n"
    serve(net, "a", network="n1")
    ask_from(net, "a", OUTSIDE_ADDRESS, 7)
    assert server.communicate(timeout=10)[0] == HOST_ADDRESS + "\n"


# isolation


def test_row_12_4_networks_do_not_reach_each_other(net):
    net.mc("network", "create", "n2").ok()
    serve(net, "a", network="n1")
    serve(net, "b", network="n2")
    target = address_of(net, "b")
    answers(ask(net, target), "b")
    assert ask_from(net, "a", target, patience=1).code != 0
    assert net.inside("a", "ping", "-c", "1", "-W", "1", target).code != 0


def test_row_12_3_container_addresses_are_not_reached_from_outside(net):
    serve(net, "a", network="n1", flags="-p 8080:80")
    net.sh(f"ip -n outside route add 10.9.0.0/24 via {HOST_ADDRESS}").ok()
    assert ask(net, address_of(net, "a"), outside=True, patience=1).code != 0
    answers(ask(net, HOST_ADDRESS, 8080, outside=True), "a")


def test_an_internal_network_has_no_way_out_or_in(net):
    net.mc("network", "create", "--internal", "closed").ok()
    serve(net, "a", network="closed")
    serve(net, "b", network="closed")
    assert "default" not in net.inside("a", "ip", "route").ok().out
    answers(ask_from(net, "a", "b"), "b")
    assert ask_from(net, "a", OUTSIDE_ADDRESS, 7, patience=1).code != 0


def test_row_12_5_a_route_added_by_hand_leads_nowhere(net):
    net.mc("network", "create", "--internal", "--subnet", "10.8.0.0/24", "closed").ok()
    end = start_outside(net, PROBE, "listen", "tcp", "7", "outside")
    serve(net, "a", network="closed", flags="--cap-add NET_ADMIN")
    net.inside("a", "ip", "route", "add", "default", "via", "10.8.0.1", flags="--privileged").ok()
    assert ask_from(net, "a", OUTSIDE_ADDRESS, 7, patience=1).code != 0
    end()


def test_row_12_7_projects_do_not_share_a_bridge(clean):
    text = "services: {a: {image: bb, command: [sleep, '1000'], stop_signal: SIGKILL}}"
    clean.compose(text)
    for project in ("one", "two"):
        clean.mc("-p", project, "-f", "compose.yaml", "up", "-d").ok()
    bridges = clean.sh("ip -o link show type veth | grep -o 'master [^ ]*' | sort -u").out.split()
    assert len([b for b in bridges if b != "master"]) == 2
    for project in ("one", "two"):
        clean.mc("-p", project, "down").ok()


def test_network_none_has_loopback_only(bb):
    assert bb.once("probe", "ifaces").ok().out.splitlines()[:2] == ["lo - up", "lo 127.0.0.1/8 up"]
    assert bb.once("sh", "-c", "ls /sys/class/net").ok().out == "lo\n"


def test_network_host_is_the_hosts(bb):
    assert "up0" in bb.once("ip", "-o", "link", network="host").ok().out


def test_a_container_in_two_networks_reaches_both(clean):
    clean.compose(
        """
services:
  front: {image: bb, command: [probe, listen, tcp, "80", front], networks: [one], stop_signal: SIGKILL}
  middle: {image: bb, command: [sleep, "1000"], networks: [one, two], stop_signal: SIGKILL}
  back: {image: bb, command: [probe, listen, tcp, "80", back], networks: [two], stop_signal: SIGKILL}
networks: {one: {}, two: {internal: true}}
"""
    )
    clean.mc("up", "-d").ok()
    for name in ("front", "back"):
        look = lambda: clean.mc("exec", "-T", "middle", "timeout", "2", "probe", "ask", name, "80")
        answers(wait_until(lambda: (lambda r: r if r.code == 0 else None)(look()), what=name), name)
    assert clean.mc("exec", "-T", "front", "probe", "resolve", "back").code == 1
    clean.mc("down").ok()


def test_static_address_mac_and_aliases_of_the_file(clean):
    clean.compose(
        """
services:
  a:
    image: bb
    command: [sleep, "1000"]
    stop_signal: SIGKILL
    networks: {one: {ipv4_address: 10.7.0.77, aliases: [elsewhere]}}
networks: {one: {ipam: {config: [{subnet: 10.7.0.0/24}]}}}
"""
    )
    clean.mc("up", "-d").ok()
    assert "inet 10.7.0.77/24" in clean.mc("exec", "-T", "a", "ip", "addr", "show", "eth0").ok().out
    assert clean.mc("exec", "-T", "a", "probe", "resolve", "elsewhere").ok().out == "address 10.7.0.77\n"
    clean.mc("down").ok()


# what others do


WEB = """
services:
  web: {image: bb, command: [probe, listen, tcp, "80", page], ports: ["8080:80"], stop_signal: SIGKILL}
"""


def page(host, **arguments):
    return ask(host, HOST_ADDRESS, 8080, outside=True, **arguments)


@pytest.fixture
def web(clean):
    clean.compose(WEB)
    clean.mc("up", "-d").ok()
    wait_until(lambda: page(clean, patience=1).code == 0, what="the page")
    yield clean
    clean.mc("down").ok()


@pytest.mark.parametrize("flush", ["-F; iptables-legacy -t nat -F", "-F FORWARD", "-t nat -F PREROUTING"])
def test_row_12_12_up_repairs_a_flushed_firewall(web, flush):
    before = own_rules(web)
    web.sh(f"iptables-legacy {flush}").ok()
    assert own_rules(web) != before
    web.mc("up", "-d").ok()
    assert own_rules(web) == before
    answers(page(web), "page")


def test_row_12_12_up_repairs_a_deleted_bridge(web):
    bridge = web.sh("ip -o link show type bridge | cut -d: -f2").out.split()[0]
    inside = lambda *words: web.mc("exec", "-T", "web", "timeout", "5", "probe", *words)
    end = start_outside(web, PROBE, "listen", "tcp", "7", "outside")
    web.sh(f"ip link del {bridge}").ok()
    assert page(web, patience=1).code != 0
    web.mc("up", "-d").ok()
    assert bridge in web.sh("ip -o link show type bridge").out
    answers(page(web), "page")
    answers(inside("ask", OUTSIDE_ADDRESS, "7"), "outside")
    assert inside("resolve", "web").ok().out.startswith("address ")
    end()


def test_row_12_12_a_container_that_starts_brings_the_deleted_bridge_back_for_all(net):
    serve(net, "a", network="n1")
    net.sh("ip link del $(ip -o link show type bridge | cut -d: -f2)").ok()
    serve(net, "b", network="n1")
    answers(ask_from(net, "b", "a"), "a")
    answers(ask_from(net, "a", "b"), "b")


def test_row_12_12_ports_of_a_deleted_bridge_come_back_as_they_were(clean):
    clean.compose(
        """
services:
  web: {image: bb, command: [probe, listen, tcp, "80", page], ports: ["8080:80"], stop_signal: SIGKILL}
  other: {image: bb, command: [sleep, "1000"], stop_signal: SIGKILL}
networks: {default: {driver_opts: {com.docker.network.bridge.enable_icc: "false"}}}
"""
    )
    flags = lambda: sorted(re.findall(r"bridge_slave.* (hairpin \w+) .* (isolated \w+) ", clean.sh("ip -d link").ok().out))
    clean.mc("up", "-d").ok()
    before = flags()
    assert before == [("hairpin off", "isolated on"), ("hairpin on", "isolated on")]
    clean.sh("ip link del $(ip -o link show type bridge | cut -d: -f2)").ok()
    assert flags() == []
    clean.mc("up", "-d").ok()
    assert flags() == before
    answers(page(clean), "page")
    clean.mc("down").ok()


def test_row_12_9_the_policy_drop_of_forward_does_not_matter(web):
    web.sh("iptables-legacy -P FORWARD DROP").ok()
    answers(page(web), "page")
    end = start_outside(web, PROBE, "listen", "tcp", "7", "outside")
    answers(web.mc("exec", "-T", "web", "probe", "ask", OUTSIDE_ADDRESS, "7"), "outside")
    end()
    web.sh("iptables-legacy -P FORWARD ACCEPT").ok()


def test_row_12_1_the_users_chain_comes_first(web):
    web.sh("iptables-legacy -I MYCOMPOSE-USER -i up0 -j DROP").ok()
    assert page(web, patience=1).code != 0
    web.mc("up", "-d").ok()
    assert page(web, patience=1).code != 0, "up leaves the user's rules alone"
    web.sh("iptables-legacy -F MYCOMPOSE-USER").ok()
    answers(page(web), "page")


def test_rules_of_others_are_kept(clean):
    clean.sh("iptables-legacy -N OTHERS; iptables-legacy -A OTHERS -p tcp --dport 22 -j ACCEPT; iptables-legacy -A FORWARD -j OTHERS").ok()
    foreign = own_rules(clean)
    clean.compose(WEB)
    clean.mc("up", "-d").ok()
    assert set(foreign) <= set(own_rules(clean))
    clean.mc("down").ok()
    assert own_rules(clean) == foreign
    clean.sh("iptables-legacy -D FORWARD -j OTHERS; iptables-legacy -F OTHERS; iptables-legacy -X OTHERS").ok()


def test_row_12_10_other_writers_lose_no_rule(bb):
    writer = bb.start("sh", "-c", "i=1; while [ $i -le 60 ]; do iptables-legacy -w -A INPUT -p tcp --dport $i -j ACCEPT || exit 1; i=$((i+1)); done")
    for i in range(4):
        bb.daemon(f"c{i}", "sleep", "1000", network="bridge", flags=f"-p {9000 + i}:80")
    out, err = writer.communicate(timeout=30)
    assert writer.returncode == 0, err
    assert rules(bb, "filter").count("-A INPUT -p tcp") == 60
    assert rules(bb, "nat").count("--to-destination") >= 4


def test_row_12_16_a_udp_client_keeps_working_over_a_recreate(clean):
    text = 'services: {u: {image: bb, command: [probe, listen, udp, "80", one], ports: ["8080:80/udp"], stop_signal: SIGKILL}}'
    clean.compose(text)
    clean.mc("up", "-d").ok()
    client = (
        "import socket, sys\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 5555)); s.settimeout(0.2)\n"
        "s.connect(('%s', 8080))\n"
        "for i in range(40):\n"
        "    try:\n"
        "        s.send(b'?'); print(s.recv(99).decode(), flush=True); break\n"
        "    except OSError: pass\n" % HOST_ADDRESS
    )
    assert clean.run("python3", "-c", client, outside=True).ok().out == "one\n"
    clean.compose(text.replace("one]", "two]"))
    clean.mc("up", "-d").ok()
    assert clean.run("python3", "-c", client, outside=True).ok().out == "two\n"
    clean.mc("down").ok()


def test_row_12_6_there_is_no_ipv6_in_a_container_without_it(net):
    serve(net, "a", network="n1")
    assert "inet6" not in net.inside("a", "ip", "addr", "show", "eth0").ok().out
    bridge = net.sh("ip -o link show type bridge | cut -d: -f2").out.split()[0]
    assert net.sh(f"cat /proc/sys/net/ipv6/conf/{bridge}/accept_ra /proc/sys/net/ipv6/conf/{bridge}/disable_ipv6").out.split()[1] == "1"


def test_row_12_13_forwarding_is_on_while_it_is_needed(web):
    assert web.sh("cat /proc/sys/net/ipv4/ip_forward").out == "1\n"


def test_row_12_17_interface_names_fit(net):
    name = "a" * 60
    serve(net, name, network="n1")
    for line in net.sh("ip -o link").out.splitlines():
        assert len(line.split(": ")[1].split("@")[0]) <= 15


def test_a_stopped_containers_address_is_kept_from_nobody(net):
    net.mc("network", "create", "--subnet", "10.6.0.0/30", "tiny").ok()
    serve(net, "a", network="tiny")
    assert "no free address" in net.mc("run", "-d", "--name", "b", "--network", "tiny", "bb", "true").fails(125).err
    net.mc("rm", "-f", "a", "b")
    serve(net, "c", network="tiny")


def test_network_mode_bridge_is_the_default_network(bb):
    bb.compose("services: {s: {image: bb, network_mode: bridge, command: [sleep, '1000'], stop_signal: SIGKILL}}")
    bb.mc("up", "-d").ok()
    assert " 172.17.0." in bb.mc("exec", "-T", "s", "ip", "-4", "addr").ok().out
    assert "172.17.0.1" in bb.mc("exec", "-T", "s", "ip", "route").ok().out
    bb.mc("down").ok()
