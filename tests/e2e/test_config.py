# SPDX-License-Identifier: GPL-2.0-or-later
"""config: the canonical form, its lists, and what only checks. Needs no image, no container and leaves nothing."""

import json
import re

import pytest

from testhost import BINARY

TEXT = """
name: demo
x-note: kept
services:
  web:
    image: web:1
    command: nginx -g "daemon off;"
    ports: ["127.0.0.1:8080:80", "53:53/udp"]
    volumes: ["data:/v", "./sub:/s:ro", "/anonymous"]
    depends_on: [db]
    environment: ["A=1", "PRICE=5$$", "EMPTY=", "PASSED"]
    mem_limit: 64m
    stop_grace_period: 90s
    extra_hosts: ["h:1.2.3.4"]
    healthcheck: {test: "curl localhost", interval: 1m30s}
  db:
    image: db:${TAG:-latest}
    networks: [back]
  extra:
    image: extra
    profiles: [more]
networks: {back: {internal: true}, unused: {}}
volumes: {data: {}, unused: {}}
"""


@pytest.fixture
def demo(host):
    host.compose(TEXT)
    return host


def config(host, *words, **arguments):
    return host.mc("config", *words, **arguments).ok()


def as_json(host, *words, **arguments):
    return json.loads(config(host, "--format", "json", *words, **arguments).out)


def test_the_canonical_yaml_is_as_compose_prints_it(demo):
    out = config(demo).out
    assert [line for line in out.splitlines() if re.match(r"[a-z]", line)] == ["name: demo", "services:", "networks:", "volumes:", "x-note: kept"]
    assert "  db:\n    image: db:latest\n    networks:\n      back: null\n" in out
    port = '      - mode: ingress\n        host_ip: 127.0.0.1\n        target: 80\n        published: "8080"\n        protocol: tcp\n'
    assert f"    ports:\n{port}" in out
    assert f"      - type: bind\n        source: {demo.directory}/sub\n        target: /s\n        read_only: true\n        bind:\n          create_host_path: true\n" in out


def test_the_canonical_form_is_read_again_as_the_same(demo):
    first = config(demo).out
    demo.file("again.yaml", first)
    assert config(demo, env={"COMPOSE_FILE": "again.yaml"}).out == first


def test_json_has_the_canonical_values(demo):
    tree = as_json(demo)
    assert list(tree) == sorted(tree)
    web = tree["services"]["web"]
    assert web["command"] == ["nginx", "-g", "daemon off;"] and web["entrypoint"] is None
    assert web["environment"] == {"A": "1", "EMPTY": "", "PASSED": None, "PRICE": "5$$"}
    assert web["mem_limit"] == "67108864" and web["stop_grace_period"] == "1m30s"
    assert web["depends_on"] == {"db": {"condition": "service_started", "required": True}}
    assert web["extra_hosts"] == ["h=1.2.3.4"]
    assert web["healthcheck"] == {"test": ["CMD-SHELL", "curl localhost"], "interval": "1m30s"}
    assert web["networks"] == {"default": None}
    assert {"type": "volume", "source": "data", "target": "/v", "volume": {}} in web["volumes"]
    assert {"mode": "ingress", "target": 53, "published": "53", "protocol": "udp"} in web["ports"]
    assert tree["networks"]["back"] == {"name": "demo_back", "ipam": {}, "internal": True}


def test_json_ends_without_a_newline_and_escapes_as_go_does(host):
    host.compose("services: {s: {image: bb, labels: {a: '<b>&'}}}")
    out = config(host, "--format", "json").out
    assert out.endswith("}") and "\\u003cb\\u003e\\u0026" in out


def test_what_no_service_uses_vanishes(demo):
    tree = as_json(demo)
    assert sorted(tree["services"]) == ["db", "web"]
    assert sorted(tree["networks"]) == ["back", "default"] and sorted(tree["volumes"]) == ["data"]


def test_a_profile_brings_its_services(demo):
    assert sorted(json.loads(demo.mc("--profile", "more", "config", "--format", "json").ok().out)["services"]) == ["db", "extra", "web"]
    assert "extra" in as_json(demo, env={"COMPOSE_PROFILES": "more"})["services"]


@pytest.mark.parametrize(
    "flag, lines",
    [
        ("--services", ["db", "web"]),
        ("--volumes", ["data"]),
        ("--networks", ["back", "default"]),
        ("--images", ["db:latest", "web:1"]),
        ("--profiles", ["more"]),
    ],
)
def test_lists(demo, flag, lines):
    assert sorted(config(demo, flag).out.splitlines()) == lines


def test_hash_is_64_hex_a_service(demo):
    out = config(demo, "--hash", "*").out.splitlines()
    assert sorted(line.split()[0] for line in out) == ["db", "web"]
    assert all(re.fullmatch(r"\w+ [0-9a-f]{64}", line) for line in out)
    assert config(demo, "--hash", "web").out.splitlines() == [line for line in out if line.startswith("web ")]


@pytest.mark.parametrize(
    "old, new, changes",
    [
        ("A=1", "A=2", True),
        ("image: web:1", "image: web:2", True),
        ("mem_limit: 64m", "mem_limit: 65536k", False),
        ("depends_on: [db]", "depends_on: {db: {condition: service_started}}", False),
        ("    depends_on: [db]\n", "", False),
        ("name: demo", "# a comment\nname: demo", False),
        ('command: nginx -g "daemon off;"', "command: [nginx, -g, daemon off;]", False),
    ],
)
def test_the_hash_follows_what_matters_for_the_container(demo, old, new, changes):
    before = config(demo, "--hash", "web").out
    assert old in TEXT
    demo.compose(TEXT.replace(old, new))
    assert (config(demo, "--hash", "web").out != before) == changes


def test_the_hash_is_the_containers_label(bb):
    bb.compose("services: {s: {image: bb, command: [sleep, '1000'], stop_signal: SIGKILL}}")
    bb.mc("up", "-d").ok()
    labels = dict(pair.split("=", 1) for pair in bb.ps()[0]["Labels"].split(",") if "=" in pair)
    assert config(bb, "--hash", "s").out == f"s {labels['com.docker.compose.config-hash']}\n"


def test_quiet_prints_nothing(demo):
    result = config(demo, "-q")
    assert result.out == "" and result.err == ""
    demo.compose(TEXT + "foo: 1\n")
    assert demo.mc("config", "-q").fails(1).err.count("\n") == 1


def test_output_to_a_file(demo):
    assert config(demo, "-o", "out.yaml").out == ""
    assert (demo.directory / "out.yaml").read_text() == config(demo).out


def test_output_that_cannot_be_written_is_told(demo):
    many = {"services": {f"s{i}": {"image": "i", "labels": {"filler": "x" * 200}} for i in range(100)}}
    (demo.directory / "many.json").write_text(json.dumps(many))
    told = demo.sh(f"{BINARY} -f many.json config >/dev/full").fails(1)
    assert told.err == "Error: write to the standard output: No space left on device\n"
    told = demo.mc("-f", "many.json", "config", "-o", "/dev/full").fails(1)
    assert told.err == "write '/dev/full': No space left on device\n"
    # Nor does a reader that has seen enough make a noise.
    assert demo.sh(f"{BINARY} -f many.json config | head -c 1").ok().err == ""


def test_one_service_brings_its_dependencies(demo):
    assert sorted(as_json(demo, "db")["services"]) == ["db"]
    assert sorted(as_json(demo, "web")["services"]) == ["db", "web"]
    assert "no such service: nobody" in demo.mc("config", "nobody").fails(1).err


def test_variables_and_environment(demo):
    lines = config(demo, "--variables").out.splitlines()
    assert lines[0].split() == "NAME REQUIRED DEFAULT VALUE ALTERNATE VALUE".split()
    assert lines[1].split()[:3] == ["TAG", "false", "latest"]
    assert "TAG=9" in config(demo, "--environment", env={"TAG": "9"}).out.splitlines()


def test_no_interpolate_leaves_variables(demo):
    assert "image: db:${TAG:-latest}" in config(demo, "--no-interpolate").out


def test_no_path_resolution_leaves_paths(demo):
    assert "source: ./sub" in config(demo, "--no-path-resolution").out


def test_the_environment_beats_env_files_which_beat_the_default(demo):
    demo.file(".env", "TAG=dotenv\n")
    image = lambda *words, **arguments: json.loads(demo.mc(*words, "config", "--format", "json", **arguments).ok().out)["services"]["db"]["image"]
    assert image() == "db:dotenv"
    demo.file("other", "TAG=other\n")
    assert image("--env-file", "other") == "db:other"
    assert image("--env-file", "other", env={"TAG": "shell"}) == "db:shell"
    assert "Couldn't find env file" in demo.mc("--env-file", "missing", "config").fails(1).err


def test_an_unset_variable_is_warned_about(host):
    host.compose("services: {s: {image: 'bb:${NOWHERE}x'}}")
    result = config(host)
    assert 'The \\"NOWHERE\\" variable is not set. Defaulting to a blank string.' in result.err
    assert "image: bb:x" in result.out


def test_files_are_merged_left_to_right(demo):
    demo.file("more.yaml", "services: {web: {image: web:2, environment: {B: '2'}, ports: ['9090:90']}}\n")
    tree = json.loads(demo.mc("-f", "compose.yaml", "-f", "more.yaml", "config", "--format", "json").ok().out)
    web = tree["services"]["web"]
    assert web["image"] == "web:2" and web["environment"]["A"] == "1" and web["environment"]["B"] == "2" and len(web["ports"]) == 3


def test_an_override_beside_the_file_is_merged(demo):
    demo.file("compose.override.yaml", "services: {db: {image: other}}\n")
    assert as_json(demo)["services"]["db"]["image"] == "other"
    assert json.loads(demo.mc("-f", "compose.yaml", "config", "--format", "json").ok().out)["services"]["db"]["image"] == "db:latest"


def test_the_file_is_found_from_below(demo):
    demo.file("a/b/c", "")
    assert "name: demo" in demo.run("env", "-C", "a/b", BINARY, "config").ok().out


@pytest.mark.parametrize(
    "words, env, name",
    [
        (["-p", "flag"], {}, "flag"),
        ([], {"COMPOSE_PROJECT_NAME": "variable"}, "variable"),
        (["-p", "flag"], {"COMPOSE_PROJECT_NAME": "variable"}, "flag"),
        ([], {}, "demo"),
    ],
)
def test_the_projects_name(demo, words, env, name):
    assert demo.mc(*words, "config", env=env).ok().out.splitlines()[0] == f"name: {name}"


def test_a_derived_name_is_normalised(host):
    host.file("My_Proj.X/compose.yaml", "services: {s: {image: bb}}\n")
    assert host.mc("-f", "My_Proj.X/compose.yaml", "config").ok().out.startswith("name: my_projx\n")


def test_the_file_from_standard_input(host):
    assert "image: bb" in host.mc("-f", "-", "-p", "x", "config", input="services: {s: {image: bb}}\n").ok().out


def test_digests_are_resolved_from_the_store(bb):
    bb.compose("services: {s: {image: bb}}")
    assert re.search(r"image: bb(:latest)?@sha256:[0-9a-f]{64}\n", config(bb, "--resolve-image-digests").out)
    locked = config(bb, "--lock-image-digests").out
    assert re.search(r"image: bb(:latest)?@sha256:[0-9a-f]{64}\n", locked) and "networks" not in locked


def test_the_obsolete_version_is_warned_about(host):
    host.compose("version: '3'\nservices: {s: {image: bb}}\n")
    assert "obsolete" in config(host).err


def test_config_changes_nothing_on_the_host(demo):
    before = demo.snapshot()
    config(demo)
    assert demo.snapshot() == before
