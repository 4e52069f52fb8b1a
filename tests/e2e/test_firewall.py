# SPDX-License-Identifier: GPL-2.0-or-later
"""The firewall, the same with the kernel's legacy tables and with nftables: ports from every side, isolation, what others do to the rules, and who is
told of when others drop what ours let pass."""

import pytest

from testhost import BINARY, HOST_ADDRESS, OUTSIDE_ADDRESS, PROBE, wait_until
from test_networks import address_of, answers, ask, ask_from, serve, start_outside

# How one deals with each of the two rule sets by hand.
BY_HAND = {
    "legacy": {
        "close": "iptables-legacy -P FORWARD DROP; iptables-legacy -P INPUT DROP; iptables-legacy -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT; "
        "iptables-legacy -A INPUT -i lo -j ACCEPT",
        "open": "iptables-legacy -F INPUT",
        "flush": "iptables-legacy -F; iptables-legacy -t nat -F",
        "user": "iptables-legacy -A MYCOMPOSE-USER -s {source} -j DROP",
        "show": "iptables-legacy-save | grep MYCOMPOSE; true",
        "others": "nft list ruleset",
    },
    "nft": {
        "close": "iptables-nft -P FORWARD DROP; iptables-nft -P INPUT DROP; iptables-nft -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT; "
        "iptables-nft -A INPUT -i lo -j ACCEPT",
        "open": "iptables-nft -F INPUT",
        "flush": "nft flush table ip mycompose; iptables-nft -F 2>&-; true",
        "user": "nft add rule ip mycompose MYCOMPOSE-USER ip saddr {source} drop",
        "show": "nft list ruleset | grep MYCOMPOSE; true",
        "others": "iptables-legacy-save",
    },
}

PROJECT = """
services:
  web: {image: bb, command: [probe, listen, tcp, '80', web], stop_signal: SIGKILL, ports: ['8080:80', '127.0.0.1:8081:80']}
  mate: {image: bb, command: [probe, listen, tcp, '81', mate], stop_signal: SIGKILL}
  far: {image: bb, command: [probe, listen, tcp, '82', far], stop_signal: SIGKILL, networks: [away]}
networks: {default: {ipam: {config: [{subnet: 10.9.0.0/24}]}}, away: {ipam: {config: [{subnet: 10.8.0.0/24}]}}}
"""


class Firewall:
    """A host whose rules are in one of the two, and the project above on it."""

    def __init__(self, host, name):
        self.host = host
        self.name = name
        host.env["MYCOMPOSE_FIREWALL"] = name

    def by_hand(self, what, **words):
        return self.host.sh(BY_HAND[self.name][what].format(**words)).ok().out

    def up(self, text=PROJECT):
        self.host.compose(text)
        return self.host.mc("up", "-d").ok()

    def down(self):
        return self.host.mc("down").ok()

    def ask_from(self, service, address, port, patience=5):
        return self.host.mc("exec", "-T", service, "timeout", str(patience), "probe", "ask", address, str(port))

    def address(self, service):
        return self.host.mc("exec", "-T", service, "hostname", "-i").ok().out.split()[0]

    def ports_are_open(self):
        host = self.host
        wait_until(lambda: ask(host, HOST_ADDRESS, 8080, outside=True).code == 0, what="the port to be open")
        answers(ask(host, HOST_ADDRESS, 8080), "web")
        answers(ask(host, "127.0.0.1", 8080), "web")
        answers(ask(host, "127.0.0.1", 8081), "web")
        for service, gateway in (("web", "10.9.0.1"), ("mate", "10.9.0.1"), ("far", "10.8.0.1")):
            answers(self.ask_from(service, HOST_ADDRESS, 8080), "web")
            answers(self.ask_from(service, gateway, 8080), "web")

    def borders_hold(self):
        host, web = self.host, self.address("web")
        host.sh(f"ip -n outside route replace 10.0.0.0/8 via {HOST_ADDRESS}").ok()
        assert ask(host, web, 80, outside=True, patience=1).code != 0
        assert ask(host, HOST_ADDRESS, 8081, outside=True, patience=1).code != 0
        assert self.ask_from("far", web, 80, patience=1).code != 0
        answers(self.ask_from("mate", web, 80), "web")


@pytest.fixture(params=["legacy", "nft"])
def firewall(request, clean):
    return Firewall(clean, request.param)


def test_everything_holds_and_nothing_is_left(firewall):
    firewall.up()
    firewall.ports_are_open()
    firewall.borders_hold()
    assert "MYCOMPOSE-FORWARD" in firewall.by_hand("show")
    assert "MYCOMPOSE" not in firewall.by_hand("others")
    firewall.down()
    assert firewall.by_hand("show") == ""


def test_row_12_9_neither_the_forward_policy_nor_bridge_nf_matters(firewall):
    firewall.by_hand("close")
    firewall.up()
    for number in "01":
        firewall.host.sh(f"echo {number} > /proc/sys/net/bridge/bridge-nf-call-iptables")
        firewall.ports_are_open()
        firewall.borders_hold()
        # The name service answers whatever INPUT's policy is.
        firewall.host.mc("exec", "-T", "mate", "probe", "resolve", "web").ok()
    firewall.down()
    firewall.by_hand("open")


def test_row_12_1_the_users_chain_comes_first_and_stays(firewall):
    firewall.up()
    firewall.ports_are_open()
    firewall.by_hand("user", source=OUTSIDE_ADDRESS)
    assert ask(firewall.host, HOST_ADDRESS, 8080, outside=True, patience=1).code != 0
    answers(ask(firewall.host, HOST_ADDRESS, 8080), "web")
    firewall.host.mc("up", "-d", "--force-recreate").ok()
    assert ask(firewall.host, HOST_ADDRESS, 8080, outside=True, patience=1).code != 0
    firewall.down()
    assert OUTSIDE_ADDRESS in firewall.host.sh("iptables-legacy-save; nft list ruleset").ok().out
    firewall.host.sh("iptables-legacy -F MYCOMPOSE-USER; iptables-legacy -X MYCOMPOSE-USER; nft delete table ip mycompose")


def test_row_12_12_up_repairs_what_was_flushed(firewall):
    firewall.up()
    firewall.ports_are_open()
    firewall.by_hand("flush")
    assert ask(firewall.host, HOST_ADDRESS, 8080, outside=True, patience=1).code != 0
    firewall.up()
    firewall.ports_are_open()
    firewall.borders_hold()
    firewall.down()


def test_row_12_5_an_internal_network_is_closed_both_ways(firewall):
    firewall.up(
        """
services:
  a: {image: bb, command: [probe, listen, tcp, '80', a], stop_signal: SIGKILL, cap_add: [NET_ADMIN]}
  b: {image: bb, command: [sleep, '1000'], stop_signal: SIGKILL}
networks: {default: {internal: true, ipam: {config: [{subnet: 10.9.0.0/24}]}}}
"""
    )
    host = firewall.host
    end = start_outside(host, PROBE, "listen", "tcp", "7", "outside")
    answers(firewall.ask_from("b", "a", 80), "a")
    host.mc("exec", "-T", "a", "ip", "route", "add", "default", "via", "10.9.0.1").ok()
    assert firewall.ask_from("a", OUTSIDE_ADDRESS, 7, patience=1).code != 0
    host.sh(f"ip -n outside route replace 10.0.0.0/8 via {HOST_ADDRESS}").ok()
    assert ask(host, firewall.address("a"), 80, outside=True, patience=1).code != 0
    end()
    firewall.down()


def test_the_way_out_is_masqueraded(firewall):
    firewall.up()
    show = "import socket; s = socket.create_server(('', 7)); print('ready', flush=True); print(s.accept()[1][0], flush=True)"
    server = firewall.host.start("python3", "-c", show, outside=True)
    assert server.stdout.readline() == "ready\n"
    firewall.ask_from("mate", OUTSIDE_ADDRESS, 7)
    assert server.communicate(timeout=10)[0] == HOST_ADDRESS + "\n"
    firewall.down()


UDP_PROJECT = """
services: {d: {image: bb, command: [probe, listen, udp, '80', %s], stop_signal: SIGKILL, ports: ['8080:80/udp'],
  networks: {default: {ipv4_address: 10.9.0.%d, ipv6_address: 'fd00:9::%d'}}}}
networks: {default: {enable_ipv6: true, ipam: {config: [{subnet: 10.9.0.0/24}, {subnet: 'fd00:9::/64'}]}}}
"""

# Asks from port 4000, which it keeps over its lives, until there is an answer.
UDP_CLIENT = """
import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 4000))
s.settimeout(0.3)
for i in range(20):
    s.sendto(b"q", (sys.argv[1], 8080))
    try:
        print(s.recv(100).decode().strip())
        break
    except OSError:
        pass
"""


@pytest.mark.parametrize("address", [HOST_ADDRESS, "2001:db8::1"])
def test_row_12_16_a_udp_client_is_answered_by_the_new_container_at_once(firewall, address):
    firewall.host.sh("ip -6 addr add 2001:db8::1/64 dev up0 nodad; ip -n outside -6 addr add 2001:db8::2/64 dev eth0 nodad").ok()
    for answer, last in (("one", 7), ("two", 8)):
        firewall.up(UDP_PROJECT % (answer, last, last))
        wait_until(lambda: firewall.host.run("python3", "-c", UDP_CLIENT, address, outside=True).out == answer + "\n", what=f"answer {answer}")
    firewall.down()
    firewall.host.sh("ip -6 addr del 2001:db8::1/64 dev up0").ok()


def test_the_rules_go_from_where_they_are_whatever_the_environment_says(firewall):
    firewall.up()
    assert "MYCOMPOSE-FORWARD" in firewall.by_hand("show")
    del firewall.host.env["MYCOMPOSE_FIREWALL"]
    firewall.host.mc("up", "-d").ok()
    assert "MYCOMPOSE-FORWARD" in firewall.by_hand("show")
    assert "MYCOMPOSE" not in firewall.by_hand("others")
    firewall.ports_are_open()
    firewall.down()
    assert firewall.by_hand("show") == ""


def test_the_rules_move_when_the_environment_says_so(clean):
    legacy = Firewall(clean, "legacy")
    legacy.up()
    nft = Firewall(clean, "nft")
    nft.up()
    assert legacy.by_hand("show") == "" and "MYCOMPOSE-FORWARD" in nft.by_hand("show")
    nft.ports_are_open()
    nft.borders_hold()
    nft.down()


def test_an_unknown_back_end_is_refused(clean):
    clean.env["MYCOMPOSE_FIREWALL"] = "pf"
    clean.compose(PROJECT)
    result = clean.mc("up", "-d").fails()
    assert "MYCOMPOSE_FIREWALL=pf is not known: it may be legacy or nft" in result.err
    del clean.env["MYCOMPOSE_FIREWALL"]
    clean.mc("down").ok()


DROPPING = {
    "legacy": ("nft add table inet fw; nft add chain inet fw passing '{ type filter hook forward priority 5; policy drop; }'", "nftables chain inet fw passing"),
    "nft": ("iptables-legacy -P FORWARD DROP", "chain FORWARD of iptables' legacy tables"),
}


def test_row_12_11_who_drops_what_ours_let_pass_is_named_once(firewall):
    command, named = DROPPING[firewall.name]
    firewall.host.sh(command).ok()
    result = firewall.up()
    assert result.err.count(named) == 1 and "drops what it does not know" in result.err
    assert ask(firewall.host, HOST_ADDRESS, 8080, outside=True, patience=1).code != 0
    # Nothing was committed, nothing is said.
    assert named not in firewall.up().err
    firewall.down()
    firewall.host.sh("iptables-legacy -P FORWARD ACCEPT; nft flush ruleset")


def test_row_12_11_nobody_is_named_where_nobody_drops(firewall):
    firewall.host.sh("iptables-legacy -P FORWARD ACCEPT; iptables-nft -P FORWARD ACCEPT")
    assert "drops" not in firewall.up().err
    firewall.down()


def test_row_12_10_whoever_holds_the_lock_of_the_tables_does_not_hold_up_the_supervisor(clean):
    firewall = Firewall(clean, "legacy")
    ticker = "\n  tick: {image: bb, command: [sh, -c, 'while sleep 0.05; do echo tick; done'], stop_signal: SIGKILL}\nnetworks:"
    firewall.up(PROJECT.replace("\nnetworks:", ticker))
    firewall.ports_are_open()
    holder = clean.start("flock", "/run/xtables.lock", "sh", "-c", "echo $$; exec sleep 60")
    pid = holder.stdout.readline().strip()
    clean.mc("stop", "web", timeout=10).ok()
    start = clean.start(BINARY, "start", "web")
    # The start waits for its rules; what the others say is written down meanwhile.
    lines = clean.mc("logs", "tick").ok().out.count("\n")
    wait_until(lambda: clean.mc("logs", "tick").ok().out.count("\n") > lines + 5, what="the log to go on")
    clean.mc("exec", "-T", "far", "true", timeout=10).ok()
    assert start.poll() is None and holder.poll() is None
    clean.sh(f"kill {pid}").ok()
    holder.communicate(timeout=10)
    start.communicate(timeout=10)
    assert start.returncode == 0
    wait_until(lambda: ask(clean, HOST_ADDRESS, 8080, outside=True).code == 0, what="the port to be open again")
    answers(ask(clean, HOST_ADDRESS, 8080, outside=True), "web")
    firewall.down()


# IPv6

HOST6, OUTSIDE6 = "2001:db8::1", "2001:db8::2"

PROJECT6 = """
services:
  web: {image: bb, command: [probe, listen, tcp, '80', web], stop_signal: SIGKILL, ports: ['8080:80', '[::1]:8081:80']}
  mate: {image: bb, command: [probe, listen, tcp, '81', mate], stop_signal: SIGKILL}
  far: {image: bb, command: [probe, listen, tcp, '82', far], stop_signal: SIGKILL, networks: [away]}
networks:
  default: {enable_ipv6: true, ipam: {config: [{subnet: 10.9.0.0/24}, {subnet: 'fd00:9::/64', gateway: 'fd00:9::1'}]}}
  away: {enable_ipv6: true, ipam: {config: [{subnet: 10.8.0.0/24}, {subnet: 'fd00:8::/64', gateway: 'fd00:8::1'}]}}
"""

CLOSE6 = {
    "legacy": "ip6tables-legacy -P FORWARD DROP; ip6tables-legacy -P INPUT DROP; ip6tables-legacy -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT; "
    "ip6tables-legacy -A INPUT -i lo -j ACCEPT; ip6tables-legacy -A INPUT -i up0 -p icmpv6 -j ACCEPT",
    "nft": "ip6tables-nft -P FORWARD DROP; ip6tables-nft -P INPUT DROP; ip6tables-nft -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT; "
    "ip6tables-nft -A INPUT -i lo -j ACCEPT; ip6tables-nft -A INPUT -i up0 -p icmpv6 -j ACCEPT",
}


@pytest.fixture
def firewall6(firewall):
    """The same, reached over IPv6 from outside; and the host's own filter knows nothing of containers."""
    firewall.host.sh(f"ip -6 addr add {HOST6}/64 dev up0 nodad; ip -n outside -6 addr add {OUTSIDE6}/64 dev eth0 nodad").ok()
    firewall.host.sh(f"ip -n outside -6 route add fd00::/16 via {HOST6}").ok()
    firewall.host.sh(CLOSE6[firewall.name]).ok()
    firewall.host.compose(PROJECT6)
    yield firewall
    firewall.host.sh(f"ip6tables-legacy -F INPUT; ip6tables-nft -F INPUT; ip -6 addr del {HOST6}/64 dev up0")


def address6(firewall, service):
    out = firewall.host.mc("exec", "-T", service, "ip", "-6", "-o", "addr", "show", "dev", "eth0", "scope", "global").ok().out
    return out.split("inet6 ")[1].split("/")[0]


def test_ipv6_ports_are_reached_and_borders_hold(firewall6):
    host = firewall6.host
    firewall6.up(PROJECT6)
    wait_until(lambda: ask(host, HOST6, 8080, outside=True).code == 0, what="the port to be open")
    web = address6(firewall6, "web")
    for number in "01":
        host.sh(f"echo {number} > /proc/sys/net/bridge/bridge-nf-call-ip6tables")
        answers(ask(host, HOST6, 8080, outside=True), "web")
        answers(ask(host, HOST6, 8080), "web")
        answers(firewall6.ask_from("mate", HOST6, 8080), "web")
        answers(firewall6.ask_from("web", "fd00:9::1", 8080), "web")
        answers(firewall6.ask_from("far", "fd00:8::1", 8080), "web")
        answers(firewall6.ask_from("mate", web, 80), "web")
        assert firewall6.ask_from("far", web, 80, patience=1).code != 0
        assert ask(host, web, 80, outside=True, patience=1).code != 0
        assert ask(host, HOST6, 8081, outside=True, patience=1).code != 0
    firewall6.down()


def test_ipv6_localhost_is_served(firewall6):
    firewall6.up(PROJECT6)
    wait_until(lambda: ask(firewall6.host, "::1", 8080).code == 0, what="the port to be open")
    answers(ask(firewall6.host, "::1", 8080), "web")
    answers(ask(firewall6.host, "::1", 8081), "web")
    firewall6.down()


def test_ipv6_leaves_with_the_hosts_address(firewall6):
    firewall6.up(PROJECT6)
    show = "import socket; s = socket.create_server(('::', 7), family=socket.AF_INET6); print('ready', flush=True); print(s.accept()[1][0], flush=True)"
    server = firewall6.host.start("python3", "-c", show, outside=True)
    assert server.stdout.readline() == "ready\n"
    firewall6.ask_from("mate", OUTSIDE6, 7)
    assert server.communicate(timeout=10)[0] == HOST6 + "\n"
    firewall6.down()
