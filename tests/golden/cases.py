# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases written by hand for make.py: (name, files, options). The first file is loaded unless `load` says otherwise."""


def case(name, compose, *, load=None, profiles=(), env=None, flags=(), **more):
    files = {"compose.yaml": compose}
    files.update({key.replace("__", "/"): value for key, value in more.pop("files", {}).items()})
    assert not more, more
    return {"name": name, "files": files, "load": load or ["compose.yaml"], "profiles": list(profiles), "env": env or {}, "flags": list(flags)}


MERGE = [
    case("scalars_are_replaced_lists_grow", """
services:
  s:
    image: a
    command: one two
    entrypoint: [x]
    cap_add: [A]
    dns: 1.1.1.1
    environment: {A: 1, B: 2}
    labels: [l=1]
    ports: ["80:80"]
    volumes: ["./a:/a", "vol:/v"]
    tmpfs: /run
    healthcheck: {test: curl x, interval: 5s}
    security_opt: [a]
volumes: {vol: }
""", load=["compose.yaml", "over.yaml"], files={"over.yaml": """
services:
  s:
    image: b
    command: three
    entrypoint: y z
    cap_add: [A, B]
    dns: [1.1.1.1, 8.8.8.8]
    environment: [B=3, C]
    labels: {l: 2, m: n}
    ports: ["80:80", "81:81"]
    volumes: ["./b:/a:ro", "wol:/w"]
    tmpfs: [/run, /tmp]
    healthcheck: {test: [NONE], retries: 2}
    security_opt: [b]
volumes: {wol: }
"""}),
    case("short_and_long_syntax_meet", """
services:
  d: {image: d}
  s:
    image: i
    build: .
    depends_on: [d]
    networks: [a]
    env_file: e1
    extra_hosts: ["h:1.1.1.1"]
    logging: {driver: json-file, options: {max-size: 1m}}
networks: {a: , b: }
""", load=["compose.yaml", "over.yaml"], files={"e1": "X=1\nY=1\n", "e2": "Y=2\n", "over.yaml": """
services:
  s:
    build: {dockerfile: D, args: [A=1]}
    depends_on: {d: {condition: service_healthy, restart: true}}
    networks: {a: {aliases: [x]}, b: {priority: 3}}
    env_file: [{path: e2, required: true}]
    extra_hosts: {g: 2.2.2.2}
    logging: {options: {max-file: "3"}}
"""}),
    case("addresses_of_a_host_add_up", """
services:
  s: {image: i, extra_hosts: ["h:2.2.2.2", "g:3.3.3.3"], build: {context: ., extra_hosts: ["h:2.2.2.2"]}}
""", load=["compose.yaml", "over.yaml"], files={"over.yaml": """
services: {s: {extra_hosts: {h: [4.4.4.4, 1.1.1.1]}, build: {extra_hosts: ["h=1.1.1.1"]}}}
"""}),
    case("an_env_file_named_again_keeps_its_place", "services: {s: {image: i, env_file: [a, b]}}\n", load=["compose.yaml", "over.yaml"],
         files={"a": "K=a\n", "b": "K=b\n", "over.yaml": "services: {s: {env_file: a}}\n"}),
    case("a_name_without_a_value_is_one", """
services: {s: {image: i, environment: {A: 1, B: 2, V: 3}, labels: {l: 1}, build: {context: ., args: {A: 1, V: 2, C: 3}}}}
""", load=["compose.yaml", "over.yaml"], env={"V": "shell"}, files={"over.yaml": """
services: {s: {environment: {A: null, V: null}, labels: {l: null}, build: {args: [A, V]}}}
"""}),
    case("an_option_without_a_value_says_nothing", """
services: {s: {image: i, logging: {driver: json-file, options: {a: 1, b: 2}}, networks: [n], volumes: ["vol:/v"]}}
networks: {n: {driver_opts: {a: 1}}}
volumes: {vol: {driver_opts: {a: 1}}}
""", load=["compose.yaml", "over.yaml"], files={"over.yaml": """
services: {s: {logging: {options: {a: null, c: null}}}}
networks: {n: {driver_opts: {a: null}}}
volumes: {vol: {driver_opts: {a: null, d: 1}}}
"""}),
    case("an_option_of_a_driver_needs_a_value",
         "services: {s: {image: i, volumes: ['vol:/v']}}\nvolumes: {vol: {driver_opts: {a: null}}}\n"),
    case("a_config_has_a_target_of_its_own", """
services: {s: {image: i, configs: [c, d], secrets: [x]}}
configs: {c: {content: c}, d: {content: d}}
secrets: {x: {file: ./x}}
""", load=["compose.yaml", "over.yaml"], files={"over.yaml": """
services: {s: {configs: [{source: c, target: /c, mode: 0400}, {source: c, target: /d}], secrets: [{source: x, target: /run/secrets/x, uid: "1"}]}}
"""}),
    case("address_pools_are_those_of_the_last_file", """
services: {s: {image: i, networks: [n, m]}}
networks:
  n: {ipam: {config: [{subnet: 10.1.0.0/16, gateway: 10.1.0.1, aux_addresses: {a: 10.1.0.2}}]}}
  m: {ipam: {config: [{subnet: 10.3.0.0/16}]}}
""", load=["compose.yaml", "over.yaml"], files={"over.yaml": """
networks:
  n: {ipam: {config: [{subnet: 10.1.0.0/16, gateway: 10.1.0.9, aux_addresses: {b: 10.1.0.3}}]}}
  m: {ipam: {config: [{subnet: 10.4.0.0/16}]}}
"""}),
    case("another_log_driver_drops_options", """
services: {s: {image: i, logging: {driver: json-file, options: {max-size: 1m}}}}
""", load=["compose.yaml", "over.yaml"], files={"over.yaml": "services: {s: {logging: {driver: syslog}}}\n"}),
    case("reset_and_override", """
services:
  s:
    image: i
    ports: ["80:80"]
    environment: {A: 1, B: 2}
    volumes: ["./a:/a"]
    command: x
    labels: {l: 1}
""", load=["compose.yaml", "over.yaml"], files={"over.yaml": """
services:
  s:
    ports: !override ["90:90"]
    environment:
      A: !reset null
    volumes: !reset []
    labels: !override {m: 2}
"""}),
    case("null_in_an_override_says_nothing", "services: {s: {image: i, hostname: h}}\n",
         load=["compose.yaml", "over.yaml"], files={"over.yaml": "services: {s: {hostname: null}}\n"}),
    case("several_documents_in_one_file", """
services: {s: {image: a, environment: {A: 1}}}
---
services: {s: {image: b, environment: {B: 2}}, t: {image: t}}
"""),
    case("networks_and_volumes_merge", """
services: {s: {image: i, networks: [n], volumes: ["vol:/v"]}}
networks: {n: {driver: bridge, labels: {a: 1}}}
volumes: {vol: {labels: [a=1]}}
""", load=["compose.yaml", "over.yaml"], files={"over.yaml": """
networks: {n: {internal: true, labels: [b=2], ipam: {config: [{subnet: 10.9.0.0/16}]}}}
volumes: {vol: {name: fixed}}
"""}),
    case("kinds_do_not_override_each_other", "services: {s: {image: i, labels: {a: b}}}\n",
         load=["compose.yaml", "over.yaml"], files={"over.yaml": "services: {s: [1]}\n"}),
]

EXTENDS = [
    case("same_file", """
services:
  base: {image: b, environment: {A: 1, B: 1}, ports: ["80:80"], command: base, volumes: ["./x:/x"]}
  s: {extends: base, environment: {B: 2}, command: mine, ports: ["81:81"]}
"""),
    case("other_file_has_its_own_base", """
services:
  s: {extends: {file: sub/base.yaml, service: base}, environment: {Q: 1}, volumes: ["./mine:/m"]}
""", files={"sub/base.yaml": """
services:
  base:
    extends: root
    build: ./ctx
    env_file: base.env
    volumes: ["./b:/b"]
    labels: {x: "${V}"}
  root: {image: root, environment: {R: 1}}
  broken: {bogus: 1}
""", "sub/base.env": "FROM_FILE=1\n"}, env={"V": "val"}),
    case("chain_through_files", "services: {s: {extends: {file: a/one.yaml, service: one}}}\n",
         files={"a/one.yaml": "services: {one: {extends: {file: ../b/two.yaml, service: two}, hostname: one}}\n",
                "b/two.yaml": "services: {two: {image: two, hostname: two, volumes: ['./t:/t']}}\n"}),
    case("cycle", "services: {a: {image: i, extends: b}, b: {image: i, extends: a}}\n"),
    case("cycle_through_files", "services: {a: {extends: {file: o.yaml, service: b}}}\n",
         files={"o.yaml": "services: {b: {extends: {file: compose.yaml, service: a}}}\n"}),
    case("unknown_service", "services: {a: {image: i, extends: zz}}\n"),
    case("unknown_file", "services: {a: {image: i, extends: {file: zz.yaml, service: a}}}\n"),
    case("reset_of_what_is_inherited", """
services:
  base: {image: b, ports: ["80:80"], environment: {A: 1}}
  s: {extends: base, ports: !reset []}
"""),
]

INCLUDE = [
    case("short", "include: [sub/inc.yaml]\nservices: {s: {image: s, depends_on: [i]}}\n",
         files={"sub/inc.yaml": "services: {i: {image: '${W:-none}', volumes: ['./d:/d'], networks: [n]}}\nnetworks: {n: }\n",
                "sub/.env": "W=from-sub\n"}),
    case("long", """
include:
  - path: [sub/inc.yaml, sub/over.yaml]
    project_directory: other
    env_file: inc.env
services: {s: {image: s}}
""", files={"sub/inc.yaml": "services: {i: {image: '${W}', build: ., volumes: ['./d:/d']}}\n",
            "sub/over.yaml": "services: {i: {hostname: over}}\n", "inc.env": "W=w\n", "other/x": ""}),
    case("environment_wins_over_the_includes_own", "include: [sub/inc.yaml]\n",
         files={"sub/inc.yaml": "services: {i: {image: '${W}'}}\n", "sub/.env": "W=from-sub\n"}, env={"W": "shell"}),
    case("nested", "include: [a/a.yaml]\nservices: {s: {image: s}}\n",
         files={"a/a.yaml": "include: [b/b.yaml]\nservices: {a: {image: a}}\n",
                "a/b/b.yaml": "services: {b: {image: b, volumes: ['./x:/x']}}\n"}),
    case("conflict", "include: [inc.yaml]\nservices: {s: {image: s}}\n",
         files={"inc.yaml": "services: {s: {image: other}}\n"}),
    case("the_same_twice_is_fine", "include: [inc.yaml]\nservices: {s: {image: s, networks: [n]}}\nnetworks: {n: {}}\n",
         files={"inc.yaml": "services: {t: {image: t, networks: [n]}}\nnetworks: {n: {}}\n"}),
    case("cycle", "include: [inc.yaml]\nservices: {s: {image: s}}\n",
         files={"inc.yaml": "include: [compose.yaml]\nservices: {t: {image: t}}\n"}),
    case("missing_file", "include: [zz.yaml]\nservices: {s: {image: s}}\n"),
]

PROFILES = [
    case("inactive_service_and_its_network_go", """
services:
  s: {image: s}
  p: {image: p, profiles: [x], networks: [n], volumes: ["vol:/v"]}
networks: {n: }
volumes: {vol: }
"""),
    case("active", "services: {s: {image: s}, p: {image: p, profiles: [x, y]}, q: {image: q, profiles: [z]}}\n", profiles=["y"]),
    case("all", "services: {p: {image: p, profiles: [x]}, q: {image: q, profiles: [z]}}\n", profiles=["*"]),
    case("from_the_environment", "services: {p: {image: p, profiles: [x]}, q: {image: q, profiles: [z]}}\n",
         env={"COMPOSE_PROFILES": "x,z"}),
    case("dependency_on_a_disabled_one", "services: {s: {image: s, depends_on: [p]}, p: {image: p, profiles: [x]}}\n"),
    case("dependency_in_the_same_profile",
         "services: {s: {image: s, depends_on: [p], profiles: [x]}, p: {image: p, profiles: [x]}}\n", profiles=["x"]),
]

NAMES = [
    case("name_is_normalised", "name: My Proj.Dir_X--1\nservices: {s: {image: i, volumes: ['vol:/v']}}\nvolumes: {vol: }\n"),
    case("name_is_interpolated", "name: ${V}-x\nservices: {s: {image: 'i:${COMPOSE_PROJECT_NAME}'}}\n", env={"V": "abc"}),
    case("name_by_environment", "name: file\nservices: {s: {image: i}}\n", env={"COMPOSE_PROJECT_NAME": "byenv"}),
    case("bad_name_by_environment", "services: {s: {image: i}}\n", env={"COMPOSE_PROJECT_NAME": "By Env"}),
    case("external_names", """
services: {s: {image: i, networks: [n, m], volumes: ["vol:/v"], secrets: [x]}}
networks: {n: {external: true}, m: {external: true, name: real}}
volumes: {vol: {external: {name: old}}}
secrets: {x: {external: true}}
"""),
    case("named_members", """
services: {s: {image: i, networks: [n], volumes: ["vol:/v"], configs: [c]}}
networks: {n: {name: "${V}"}}
volumes: {vol: {name: vv}}
configs: {c: {content: "x $$y", name: cc}}
""", env={"V": "net"}),
    case("empty_name", "name: '...'\nservices: {s: {image: i}}\n"),
]

YAML = [
    case("anchors_and_merge_keys", """
x-base: &base {image: i, environment: &env {A: 1}, hostname: base}
x-more: &more {hostname: more, user: u}
services:
  s:
    <<: *base
    environment: {<<: *env, B: 2}
  t:
    <<: [*base, *more]
    hostname: own
"""),
    case("duplicate_key", "services:\n  s:\n    image: a\n    image: b\n"),
    case("duplicate_key_quoted", "services:\n  s:\n    image: a\n    'image': b\n"),
    case("number_as_key", "services:\n  s:\n    image: a\n    environment: {1: x}\n"),
    case("not_a_mapping", "- a\n"),
    case("empty", "# nothing\n"),
    case("anchor_in_itself", "services: {s: {image: i, x-a: &a [*a]}}\n"),
    case("unknown_anchor", "services: {s: {image: *zz}}\n"),
    case("tabs_as_indent", "services:\n\ts:\n"),
    case("number_for_a_string", "services: {s: {image: i, user: 1000}}\n"),
    case("json_is_yaml", '{"services": {"s": {"image": "i", "command": ["a", "b\\u00e9"]}}}'),
    case("block_scalars", "services:\n  s:\n    image: i\n    command: >\n      a\n      b\n    labels:\n      x: |\n        l1\n        l2\n"),
    case("bom", "\ufeffservices: {s: {image: i}}\n"),
    case("unknown_key_at_the_top", "services: {s: {image: i}}\nserivces: {}\n"),
    case("unknown_key_in_a_service", "services: {s: {image: i, comand: x}}\n"),
    case("bad_service_name", "services: {'a b': {image: i}}\n"),
    case("version_is_only_a_warning", "version: '3'\nservices: {s: {image: i}}\n"),
    case("extensions", "x-a: {b: [1, 2.5, '$$x', null]}\nservices: {s: {image: i, x-y: 1}}\n"),
]

SCALARS = ["0644", "1e3", "22:22", "yes", "2001-01-01", "1.50", "true", "~", "0x1F", "1_000", ".5", '"0644"', "0o17", "-0", "off",
           "2001-01-01T10:20:30.5Z", "2001-01-01t10:20:30+02:00", "2001-1-2 3:4:5", "2001-02-30", "1e30", "1e-7", "089", "1.0",
           "12345678901234567890", "0b11", "+5", "Null", "!!str 5", "!!int '5'", "!foo x", "<<", "=", "1:2:3",
           "1.", "-.5", "0.1e1", "1e", "0x", "0b2", "_1", "1_", "--", "'yes'", "1,000", "True", "nO", "y"]
YAML += [case("scalar_" + scalar, "services:\n  s:\n    image: i\n    environment:\n      k: %s\n" % scalar) for scalar in SCALARS]

CHECKS = [
    case("no_image", "services: {s: {hostname: h}}\n"),
    case("undefined_network", "services: {s: {image: i, networks: [q]}}\n"),
    case("undefined_volume", "services: {s: {image: i, volumes: ['qq:/q']}}\n"),
    case("undefined_secret", "services: {s: {image: i, secrets: [q]}}\n"),
    case("undefined_config", "services: {s: {image: i, configs: [q]}}\n"),
    case("undefined_dependency", "services: {s: {image: i, depends_on: [q]}}\n"),
    case("undefined_link", "services: {s: {image: i, links: [q]}}\n"),
    case("undefined_namespace", "services: {s: {image: i, network_mode: 'service:q'}}\n"),
    case("cycle_of_two", "services: {a: {image: i, depends_on: [b]}, b: {image: i, depends_on: [a]}}\n"),
    case("cycle_of_one", "services: {a: {image: i, depends_on: [a]}}\n"),
    case("cycle_of_three_by_other_keys",
         "services: {a: {image: i, links: [b]}, b: {image: i, network_mode: 'service:c'}, c: {image: i, depends_on: [a]}}\n"),
    case("mode_and_networks", "services: {s: {image: i, network_mode: host, networks: [n]}}\nnetworks: {n: }\n"),
    case("name_with_replicas", "services: {s: {image: i, container_name: c, scale: 2}}\n"),
    case("distinct_limits", "services: {s: {image: i, mem_limit: 1g, deploy: {resources: {limits: {memory: 2g}}}}}\n"),
    case("same_limits", "services: {s: {image: i, cpus: 1.5, deploy: {resources: {limits: {cpus: '1.5'}}}}}\n"),
    case("implied_dependencies", """
services:
  a: {image: i}
  b: {image: i}
  c: {image: i}
  d: {image: i, links: ["a:x"], ipc: "service:b", volumes_from: ["c:ro"]}
"""),
    case("secret_without_source", "services: {s: {image: i}}\nsecrets: {x: {}}\n"),
    case("config_with_two_sources", "services: {s: {image: i}}\nconfigs: {x: {content: a, file: b}}\n"),
    case("scale_is_told_to_deploy", "services: {s: {image: i, scale: 3, deploy: {labels: {a: b}}}}\n"),
    case("devices_by_neither_number_nor_name", "services: {s: {image: i, deploy: {resources: {reservations: {devices: [{capabilities: [gpu]}]}}}}}\n"),
    case("several_addresses_of_a_host", "services: {s: {image: i, extra_hosts: ['h:2.2.2.2,1.1.1.1', 'g:::1'], build: {context: ., extra_hosts: ['h=1.1.1.1,2.2.2.2']}}}\n"),
    case("no_dns_server", "services: {s: {image: i, dns: '${UNSET}'}, t: {image: i, dns: ['', 1.1.1.1]}}\n"),
    case("a_bind_of_the_folder", "services: {s: {image: i, volumes: [{type: bind, source: '', target: /t}]}}\n"),
    case("name_that_becomes_empty", "name: '${UNSET}'\nservices: {s: {image: i}}\n"),
    case("nothing_at_all", "{}\n"),
    case("nothing_in_the_second_file", "services: {s: {image: i}}\n", load=["compose.yaml", "over.yaml"], files={"over.yaml": "# nothing yet\n"}),
    *(case("not_" + name, "services: {s: {image: i, %s}, d: {image: d}}\n" % text) for name, text in (
        ("count_and_ids", "deploy: {resources: {reservations: {devices: [{capabilities: [gpu], count: 1, device_ids: ['0']}]}}}"),
        ("a_number_of_bytes", "deploy: {resources: {limits: {memory: 100000000}}}"),
        ("a_tmpfs_below_nothing", "volumes: [{type: tmpfs, target: /t, tmpfs: {size: -1}}]"),
        ("a_bind_of_nothing", "volumes: [{type: bind, target: /t}]"),
        ("a_label_of_selinux", "volumes: [{type: bind, source: /a, target: /t, bind: {selinux: x}}]"),
        ("two_ways_to_build", "build: {context: ., dockerfile: D, dockerfile_inline: FROM x}"),
        ("built_from_what_is_not_built", "build: {context: ., additional_contexts: {a: 'service:d'}}"),
        ("built_from_what_is_not_there", "build: {context: ., additional_contexts: {a: 'service:zz'}}"),
        ("a_link", "links: ['d:x:y']"), ("a_watched_path", "develop: {watch: [{path: '', action: rebuild}]}"),
        ("a_variable", "environment: {'': x}"), ("a_port", "ports: ['80:0']"), ("a_target", "ports: [{published: '80'}]"),
        ("a_host", "extra_hosts: {'a:b': 1.1.1.1}"), ("a_weight", "blkio_config: {weight: -1}"),
        ("a_number_of_retries", "healthcheck: {test: x, retries: -1}"))),
    case("missing_env_file", "services: {s: {image: i, env_file: zz}}\n"),
    case("optional_env_file", "services: {s: {image: i, env_file: [{path: zz, required: false}]}}\n"),
    case("env_file_below_environment", "services: {s: {image: i, env_file: [a, b], environment: {K: own, N: }}}\n",
         files={"a": "K=a\nL=a\nN=a\n", "b": "L=b\nM=\"$L $V\"\n"}, env={"V": "v"}),
    case("paths", """
services:
  s:
    image: i
    build: {context: sub/.., additional_contexts: {a: ./x, b: "https://x/y", c: "docker-image://z"}}
    volumes: ["./a:/a", "../up:/u", "~/h:/h", "/abs/:/b", {type: bind, source: rel, target: /r}]
    develop: {watch: [{path: ./w, action: rebuild}]}
    secrets: [x]
secrets: {x: {file: ./f}}
"""),
]

INTERPOLATION = [
    case("every_form", "services: {s: {image: i, environment: {%s}}}\n" % ", ".join(
        'K%d: "%s"' % (i, t) for i, t in enumerate([
            "$V", "${V}", "${V:-d}", "${U:-d}", "${U-d}", "${E:-d}", "${E-d}", "${V:+r}", "${E:+r}", "${E+r}", "${U+r}",
            "$$V", "$$$V", "a$", "$1", "${U:-${V}}", "${U:-${W:-${V}-x}}", "${U:-a}b}", "${V:?m}", "$V$V", "${U:-{}}"])),
         env={"V": "val", "E": ""}),
    case("typed_after_interpolation",
         "services: {s: {image: i, privileged: '${T}', scale: '${N}', cpus: '${F}', mem_limit: '${M}', init: '${Y}', "
         "ports: ['${N}:80'], oom_score_adj: '${N}', ulimits: {nofile: '${N}'}}}\n",
         env={"T": "true", "N": "3", "F": "1.5", "M": "64m", "Y": "no"}),
    case("values_are_not_expanded_again", "services: {s: {image: i, hostname: '$V'}}\n", env={"V": "$W", "W": "w"}),
    case("required", "services: {s: {image: '${Q:?TEXT}'}}\n"),
    case("invalid", "services: {s: {image: 'a${'}}\n"),
    case("invalid_in_an_unused_default", "services: {s: {image: '${V:-${1}}'}}\n", env={"V": "v"}),
    case("not_a_boolean", "services: {s: {image: i, privileged: '${V}'}}\n", env={"V": "maybe"}),
    case("dotenv_feeds_it", "services: {s: {image: '$A:$B', environment: {C: '$C'}}}\n",
         files={".env": "A=a\nexport B='b c'\nC=\"x\\ny $A\"\n"}),
    case("environment_beats_dotenv", "services: {s: {image: '$A'}}\n", files={".env": "A=file\n"}, env={"A": "shell"}),
]

# What published files do that nothing above had.
PUBLISHED = [
    case("items_said_twice_count_once", """
services:
  s:
    image: i
    environment: [A=1, B=2, A=1, A=3]
    labels: [a=1, a=1]
    ports: ["80:80", "81:81", "80:80"]
    volumes: ["/a:/x", "/b:/y", "/c:/x"]
    expose: [80, 80]
    cap_add: [A, A]
    dns: [1.1.1.1, 1.1.1.1]
    tmpfs: [/r, /r]
    secrets: [sec, sec]
    networks: {n: {aliases: [a, a]}}
    build: {context: ., args: [A=1, A=1], tags: [t, t]}
networks: {n: }
secrets: {sec: {file: ./f}}
"""),
    *(case(key + "_may_not_repeat", "services: {s: {image: i, %s: [%s, %s]}}\n" % (key, item, item)) for key, item in (
        ("group_add", "a"), ("security_opt", "a"), ("external_links", "a"), ("device_cgroup_rules", "'c 1:3 mr'"), ("extra_hosts", "'a:1.1.1.1'"))),
    case("options_of_a_named_volume", """
services:
  s:
    image: i
    volumes: ["vol:/a:z", "vol:/b:Z,ro", "vol:/c:rshared", "vol:/d:cached"]
volumes: {vol: }
"""),
    case("optional_dependency_on_a_disabled_one",
         "services: {s: {image: i, depends_on: {p: {condition: service_healthy, required: false}}}, p: {image: p, profiles: [x]}}\n"),
    case("no_services", "name: x\nnetworks: {n: }\nvolumes: {v: }\n"),
    case("platform_must_be_built", "services: {s: {platform: linux/arm64, build: {context: ., platforms: [linux/amd64]}}}\n"),
    case("platform_is_built", "services: {s: {platform: linux/arm64, build: {context: ., platforms: [linux/amd64, linux/arm64]}}}\n"),
]

WHOLE = """
services:
  s:
    build: {args: [A, B=1], extra_hosts: ["b:1.1.1.1"]}
    environment: [A, "B=$V"]
    env_file: e.env
    secrets: [x]
    configs: [c]
    volumes: ["./v:/v", "vol:/w", "../up:/u"]
    networks: [n]
    extra_hosts: ["z:1.1.1.1", "a:2.2.2.2"]
    links: [d]
    ports: ["80:80"]
  d: {image: d, network_mode: host}
networks: {n: , unused: }
volumes: {vol: , unused: }
secrets: {x: {file: ./x}}
configs: {c: {content: c}}
"""
FAR = {
    "sub/inc.yaml": "services: {i: {image: i, build: {dockerfile: D}, volumes: ['./d:/d', '../up:/u', '/abs:/a'], env_file: e.env, extends: {file: ../far/b.yaml, service: b}}}\n",
    "far/b.yaml": "services: {b: {image: b, volumes: ['./b:/b'], env_file: [f.env], extends: {file: deep/c.yaml, service: c}}}\n",
    "far/deep/c.yaml": "services: {c: {build: ., volumes: ['./c:/c', '../../top:/t']}}\n",
    "sub/e.env": "E=sub\n", "far/f.env": "F=far\n",
}
FLAGS = [
    case("without_defaults", WHOLE, files={"e.env": "A=file\nE=1\n"}, flags=["--no-normalize"], env={"V": "v"}),
    case("without_defaults_the_shell_counts", WHOLE, files={"e.env": "A=file\nE=1\n"}, flags=["--no-normalize"], env={"A": "shell", "V": "v"}),
    case("paths_as_written", WHOLE, files={"e.env": "E=1\n"}, flags=["--no-path-resolution"], env={"V": "v"}),
    case("without_any", WHOLE, files={"e.env": "E=1\n"}, flags=["--no-normalize", "--no-path-resolution", "--no-consistency"], env={"V": "v"}),
    case("paths_of_an_included_file", "include: [sub/inc.yaml]\nservices: {s: {image: s, volumes: ['./here:/h']}}\n", files=FAR, flags=["--no-path-resolution"]),
    case("paths_of_an_extended_file",
         "services: {s: {extends: {file: far/b.yaml, service: b}}, t: {extends: {file: far/b.yaml, service: b}, volumes: ['./t:/b']}}\n",
         files=FAR, flags=["--no-path-resolution"]),
    case("references_that_lead_nowhere", "services: {s: {hostname: h, networks: [zz], volumes: ['qq:/q'], depends_on: [yy]}}\n", flags=["--no-consistency"]),
]

GROUPS = {"flags": FLAGS, "merge": MERGE, "extends": EXTENDS, "include": INCLUDE, "profiles": PROFILES, "names": NAMES, "yaml": YAML,
          "checks": CHECKS, "interpolation": INTERPOLATION, "published": PUBLISHED}
