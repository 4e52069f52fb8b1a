#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Ask Docker Compose what it makes of our cases and store the answers, so that the tests need no Docker Compose.

    tests/golden/make.py /path/to/docker-compose [SEED [COUNT]]

`config` of that program needs no daemon. Written by hand: cases.py. Made here, by a seeded generator over the keys, over
interpolation and over .env syntax: generated_*.json. Paths of the scratch folder become @DIR@. What the two programs do
differently on purpose is left out by hand (nothing here asks for it); see docs."""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

import cases

HERE = os.path.dirname(os.path.abspath(__file__))
BASE_ENV = {"HOME": "/home/user", "PATH": "/usr/bin:/bin"}



def ask(oracle, one):
    top = os.path.realpath(tempfile.mkdtemp())
    root = os.path.join(top, "proj")
    try:
        for name, text in one["files"].items():
            path = os.path.join(root, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(text)
        command = [oracle]
        for name in one["load"]:
            command += ["-f", name]
        for name in one["profiles"]:
            command += ["--profile", name]
        run = subprocess.run(command + ["config", "--format", "json"] + one.get("flags", []), cwd=root, env={**BASE_ENV, **one["env"]},
                             capture_output=True, text=True, timeout=30)
        if run.returncode != 0:
            return None
        return json.loads(run.stdout.replace(root, "@DIR@").replace(top, "@TOP@"))
    finally:
        shutil.rmtree(top)


def pick(*values):
    return lambda r: r.choice(values)


def some(*values):
    return lambda r: r.sample(values, r.randint(1, min(3, len(values))))


TEXT = pick("a", "b c", "${V}", "${U:-def}", "$$x", "true", "1", "x-y", "é", "0644", "yes", "null", "1e3", " s ")
PAIRS = some("A=1", "B", "C=", "D=a=b", "E=$V", "HOME")
MAP = pick({"A": 1, "B": "x"}, {"C": True, "D": 1.5}, {"E": "$V"}, {"F": "yes", "G": "0644"})
SIZE = pick("64m", "1.5g", "100", "1GB", "2048k", 65536, "b", "-5", "1x")
SPAN = pick("1m30s", "90s", "1.5h", "0s", "500ms", "1d", "10", "x", 10)
FLAG = pick(True, False, "true", "no", "${T}", "maybe", 1)
WHOLE = pick(0, 1, 100, "7", "${N}", "x", [])

# key -> candidate values, good ones and bad ones
SERVICE = {
    "annotations": PAIRS, "attach": FLAG, "blkio_config": pick({"weight": 300}, {"device_read_bps": [{"path": "/a", "rate": "1mb"}]}),
    "build": pick(".", "./c", {"context": "x", "args": ["A=1", "HOME", "ZZ"]}, {"dockerfile_inline": "FROM x"}, {"target": "t", "ssh": ["default"]},
                  "https://github.com/a/b.git", {"bogus": 1}, {"context": ".", "labels": {"a": 1}, "shm_size": "1g", "tags": ["x"]}),
    "cap_add": some("ALL", "NET_ADMIN", "CAP_SYS_TIME"), "cap_drop": some("ALL", "MKNOD"), "cgroup": pick("host", "private", "x"),
    "cgroup_parent": TEXT, "command": pick("a b", "sh -c 'x y'", ["a", "b c"], "a;b", [], "$$HOME ${V}", None, {"a": 1}),
    "configs": pick(["cfg"], [{"source": "cfg", "target": "/t", "mode": 0o440}], ["zz"]), "container_name": pick("cn", "c.n"),
    "cpu_count": WHOLE, "cpu_percent": pick(0, 50, 101), "cpu_shares": WHOLE, "cpu_quota": WHOLE, "cpu_period": WHOLE,
    "cpus": pick(1, 0.5, "1.5", "x"), "cpuset": pick("0", "0-1,3"), "credential_spec": pick({"file": "f"}, {"registry": "r"}),
    "depends_on": pick(["b"], {"b": {"condition": "service_healthy"}}, {"b": {"condition": "x"}}, ["zz"], ["b", "b"]),
    "deploy": pick({"replicas": 2}, {"resources": {"limits": {"cpus": "0.5", "memory": "50M", "pids": 10}}}, {"mode": "global"}, None,
                   {"restart_policy": {"condition": "any", "delay": "5s", "max_attempts": 3, "window": "1m"}}, {"labels": ["a=b"]},
                   {"update_config": {"order": "start-first", "parallelism": 0}}, {"update_config": {"order": "x"}},
                   {"resources": {"reservations": {"devices": [{"capabilities": ["gpu"], "count": "all"}]}}}, {"placement": {"constraints": ["a"]}}),
    "develop": pick({"watch": [{"path": "./p", "action": "rebuild"}]}, {"watch": [{"path": "./p", "action": "sync", "target": "/t"}]},
                    {"watch": [{"path": "p", "action": "x"}]}, {"watch": [{"path": "./p", "action": "sync"}]}),
    "device_cgroup_rules": some("c 1:3 mr", "a 7:* rmw"), "devices": some("/dev/a", "/dev/a:/dev/b", "/dev/a:/dev/c:r"),
    "dns": pick("1.1.1.1", ["1.1.1.1", "8.8.8.8"], 5), "dns_opt": some("a", "b"), "dns_search": pick("x.y", ["a", "b"]), "domainname": TEXT,
    "entrypoint": pick("a b", ["x"], [], "", None), "env_file": pick("e.env", ["e.env"], [{"path": "e.env"}], [{"path": "no", "required": False}], "no"),
    "environment": lambda r: r.choice([PAIRS, MAP])(r), "expose": some(80, "81", "82/udp", "1-3"), "external_links": some("x", "y:z"),
    "extra_hosts": some("h:1.2.3.4", "g=1.2.3.5", "v6:::1", "k:host-gateway", "bad"), "group_add": some("a", 1, "2"),
    "healthcheck": pick({"test": "curl x", "interval": "1m"}, {"test": ["CMD", "a"], "retries": 3}, {"disable": True}, {"test": ["x"]},
                        {"test": ["NONE"]}, {"interval": 5}, {"timeout": "90s", "start_period": "2s", "start_interval": "1s"}),
    "hostname": TEXT, "image": pick("nginx:1", "a/b@sha256:" + "0" * 64, "${V}"), "init": FLAG, "ipc": pick("host", "private", "service:b", "service:zz"),
    "isolation": pick("default"), "labels": lambda r: r.choice([PAIRS, MAP])(r), "links": pick(["b"], ["b:alias"], ["zz"]),
    "logging": pick({"driver": "json-file", "options": {"max-size": "10m", "max-file": 3}}, {"driver": "none"}, {"bogus": 1}),
    "mac_address": pick("02:42:ac:11:00:02"), "mem_limit": SIZE, "mem_reservation": SIZE, "mem_swappiness": pick(10, "20"),
    "memswap_limit": pick(-1, "1g", 100), "network_mode": pick("host", "none", "bridge", "service:b", "service:zz"),
    "networks": pick(["n"], {"n": None}, {"n": {"aliases": ["x"]}, "default": {}}, ["zz"], {"n": {"priority": 5, "ipv4_address": "10.1.0.4"}}),
    "oom_kill_disable": FLAG, "oom_score_adj": pick(0, 500, -1000, 1001), "pid": pick("host", "service:b"), "pids_limit": WHOLE,
    "platform": pick("linux/amd64"),
    "ports": some("80", "80:80", "127.0.0.1:1:2", "90-92:90-92", "90-92:80", "80/udp", "8000-8002", "[::1]:80:81", "99999:1", "80:a", "1-2:3-5",
                  "0:80", "5-3:1-2", "${N}:80", 8080, {"target": 80}, {"target": 1, "published": "2", "host_ip": "::1", "protocol": "udp", "mode": "host"},
                  {"target": 1, "published": 2}, {"bogus": 1}, {"target": 5, "published": "7-9"}),
    "privileged": FLAG, "profiles": pick([], ["p"]), "pull_policy": pick("always", "never", "if_not_present", "missing", "build"), "read_only": FLAG,
    "restart": pick("no", "always", "on-failure", "on-failure:3", "unless-stopped", True), "runtime": TEXT, "scale": WHOLE,
    "secrets": pick(["sec"], [{"source": "sec", "target": "t", "mode": 0o440}], [{"source": "sec", "uid": "1", "gid": "2"}], ["zz"], [{"bogus": 1}]),
    "security_opt": some("no-new-privileges:true", "seccomp=unconfined"), "shm_size": SIZE, "stdin_open": FLAG, "stop_grace_period": SPAN,
    "stop_signal": pick("SIGINT", "9"), "storage_opt": pick({"size": "1g"}), "sysctls": lambda r: r.choice([PAIRS, MAP])(r),
    "tmpfs": pick("/run", ["/run", "/tmp:size=1m"]), "tty": FLAG,
    "ulimits": pick({"nofile": 5}, {"nproc": {"soft": 1, "hard": 2}}, {"nofile": "7"}, {"x": {"soft": 1}}, {"nofile": "x"}),
    "user": pick("1000:1000", "root", 1000), "userns_mode": pick("host"), "uts": pick("host"),
    "volumes": some("./a:/b", "/a:/b1:ro", "vol:/v", "vol:/v1:ro,nocopy", "/anon", "~/x:/y", "./a:/b2:z", "./a:/b3:rshared", "../up:/u", ":/x",
                    "a:b:c:d", "undefined:/q", {"type": "tmpfs", "target": "/t", "tmpfs": {"size": "10m", "mode": 0o755}}, {"type": "x", "target": "/q"},
                    {"type": "bind", "source": "./s", "target": "/s", "bind": {"propagation": "rslave"}}, {"target": "/x"},
                    {"type": "volume", "source": "vol", "target": "/w", "volume": {"nocopy": True}}, {"type": "volume", "target": "/anon2", "read_only": "true"}),
    "volumes_from": pick(["b"], ["b:ro"], ["container:c"], ["zz"]), "working_dir": TEXT,
}
NETWORK = {"driver": pick("bridge", "x"), "driver_opts": MAP, "internal": FLAG, "attachable": FLAG, "enable_ipv6": FLAG, "labels": PAIRS, "name": pick("nn"),
           "external": pick(True, False, {"name": "e"}), "ipam": pick({"config": [{"subnet": "10.1.0.0/16", "gateway": "10.1.0.1"}]}, {"driver": "default"}, {"x": 1})}
VOLUME = {"driver": pick("local", "x"), "driver_opts": pick({"type": "none", "o": "bind", "device": "./d"}), "labels": MAP, "name": pick("vv", "${V}"),
          "external": pick(True, {"name": "e"})}


def fields(r, table, low, high):
    return {key: table[key](r) for key in r.sample(sorted(table), r.randint(low, high))}


def document(r):
    service = {"image": "i", **fields(r, SERVICE, 1, 3)}
    return {"services": {"b": {"image": "b"}, "s": service}, "networks": {"n": fields(r, NETWORK, 0, 2) if r.random() < .3 else None},
            "volumes": {"vol": fields(r, VOLUME, 0, 2) if r.random() < .3 else None}, "secrets": {"sec": {"file": "./f"}}, "configs": {"cfg": {"content": "x $$y"}}}


PIECES = ["$V", "${V}", "${U}", "${U:-d}", "${U-d}", "${V:+r}", "${V+r}", "${E:?e}", "${U?}", "${E:-d}", "${E-d}", "$$", "$", "${", "}", "{", "${U:-${V}}",
          "a", "_", "é", "$1", "${V!}", " ", '"', "'", "\\", "$V_", "${V}x", "${U:-$V-${E:-z}}", "${U:-a:b}", "$${V}", "$$$V", ":", "-", "?"]
ENV_KEYS = ["A", "B", "C", "a.b", "A-B", "_x", "1A", "export D", "F[0]"]
ENV_VALUES = ["a", '"a b"', "'a $V b'", '"x $V y"', "$V", "${V:-d}", "a#b", "a #b", "# x", '"a#b" # c', '"multi\nline"', "'multi\nline'", '"esc \\n \\" \\$V \\\\"',
              "'it\\'s'", "x=y=z", '"unterminated', "a\\nb", "", "  sp  ", "é", "$$x", '"$$x"', "`ls`", "a;b", '{"j": 1}', '"\\041"', 'a"b', "\'\"\'", "${A}", "a\\"]


def env_text(r):
    lines = [r.choice(ENV_KEYS) + r.choice(["=", "=", " = ", "= ", ": "]) + r.choice(ENV_VALUES) if r.random() < .9 else r.choice(["# c", "", "HOME", "A B=1", "+x=1"])
             for _ in range(r.randint(1, 4))]
    return ("\r\n" if r.random() < .1 else "\n").join(lines) + "\n"


# Lists that grow by what the base has already: Docker Compose refuses the doubled item, we keep one.
REPEATED = {"external_links", "security_opt", "group_add", "device_cgroup_rules", "volumes_from"}


# The kinds of generated cases take turns, and each has a file of its own.
KINDS = ("interpolation", "env_files", "keys", "overrides")


def generated(seed, count):
    for number in range(count):
        r = random.Random(seed * 1000003 + number)
        kind = KINDS[number % len(KINDS)]
        one = {"name": "seed_%d_%d" % (seed, number), "load": ["compose.json"], "profiles": [], "env": {"V": "val", "E": "", "T": "true", "N": "3"}}
        files = {"e.env": "EA=1\nEB=\"$V x\"\n"}
        if kind == "interpolation":
            keys = {"K%d" % i: "".join(r.choice(PIECES) for _ in range(r.randint(1, 5))) for i in range(2)}
            compose = {"services": {"s": {"image": "i", "environment": keys}}}
        elif kind == "env_files":
            files["e.env"] = env_text(r)
            compose = {"services": {"s": {"image": "i", "env_file": "e.env", "environment": {"Q": 1}}}}
        else:
            compose = document(r)
            if kind == "overrides":
                again = r.sample(sorted(set(compose["services"]["s"]) & set(SERVICE) - REPEATED), 1)
                files["over.json"] = json.dumps({"services": {"s": {key: SERVICE[key](r) for key in again}}})
                one["load"] = ["compose.json", "over.json"]
        files["compose.json"] = json.dumps(compose)
        one["files"] = files
        yield one


def store(oracle, group, members):
    out = []
    for one in members:
        answer = ask(oracle, one)
        out.append({**{key: value for key, value in one.items() if value}, **({"expect": answer} if answer is not None else {"reject": True})})
    path = os.path.join(HERE, group + ".json")
    with open(path, "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join(json.dumps(one, ensure_ascii=False, sort_keys=True) for one in out) + "\n]\n")
    rejected = sum("reject" in one for one in out)
    print("%s: %d cases, %d rejected" % (group, len(out), rejected))


def main():
    oracle = sys.argv[1]
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 800
    for group, members in cases.GROUPS.items():
        store(oracle, group, members)
    members = list(generated(seed, count))
    for number, kind in enumerate(KINDS):
        store(oracle, "generated_" + kind, members[number::len(KINDS)])


if __name__ == "__main__":
    main()
