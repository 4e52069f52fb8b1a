# SPDX-License-Identifier: GPL-2.0-or-later
"""Files made to hurt: each gets its answer in under a second of work and in little memory.

Time is processor time, so that a busy machine fails no test; the bound on memory is the largest the process ever held.
Names cite the rows of the hardening list.
"""

import os
import socket
import subprocess
import sys

import pytest

import testhost

SECONDS = 1.0
MEGABYTES = 200

# The kernel counts the memory of whoever forks among the child's, and pytest has much: this small process does it. Its last line tells the
# wait status, seconds of processor time and kilobytes; what the program says goes to standard output. A bug must not take the machine with it.
MEASURE = """
import os, resource, sys
pid = os.fork()
if pid == 0:
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(1, 2)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.execv(sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss, file=sys.stderr)
"""


def config(folder, text, *, seconds=SECONDS, megabytes=MEGABYTES, name="compose.yaml", words=("config", "-q")):
    """(exit code, standard error) of `config -q` on `text`, after checking what it cost."""
    data = text if isinstance(text, bytes) else text.encode()
    (folder / name).write_bytes(data)
    environment = {"HOME": "/nonexistent", "PATH": "/usr/bin:/bin"}
    run = subprocess.run([sys.executable, "-c", MEASURE, testhost.BINARY, "-f", name, *words], cwd=folder, env=environment, capture_output=True)
    message = run.stdout.decode(errors="replace")
    code, processor, kilobytes = run.stderr.split()[-3:]
    assert int(code) >= 0, f"killed by signal {-int(code)}: {message[-500:]}"
    assert float(processor) < seconds, f"took {float(processor):.2f} s of processor time"
    assert int(kilobytes) < megabytes * 1024, f"held {int(kilobytes) // 1024} MB"
    return int(code), message


def refused(folder, text, *phrases, **limits):
    code, message = config(folder, text, **limits)
    assert code == 1, message[-500:]
    for phrase in phrases:
        assert phrase in message, message[-500:]
    return message


def accepted(folder, text, **limits):
    code, message = config(folder, text, **limits)
    assert code == 0, message[-500:]


SERVICE = "services: {s: {image: i}}\n"


def test_row_10_1_lists_of_aliases_unfold_to_a_bound(tmp_path):
    text = "x-0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for level in range(1, 10):
        text += f"x-{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n"
    refused(tmp_path, text + SERVICE, "compose.yaml:", "aliases unfold to more than", megabytes=100)


def test_row_10_1_mappings_of_aliases_unfold_to_a_bound(tmp_path):
    text = "x-0: &a0 {k: v}\n"
    for level in range(1, 10):
        text += f"x-{level}: &a{level} {{{', '.join(f'k{i}: *a{level - 1}' for i in range(9))}}}\n"
    refused(tmp_path, text + SERVICE, "aliases unfold to more than", megabytes=100)


def test_row_10_1_a_chain_of_merges_unfolds_to_a_bound(tmp_path):
    text = "x-0: &a0 {k: v}\n"
    for level in range(1, 3000):
        text += f"x-{level}: &a{level} {{<<: *a{level - 1}, k{level}: v}}\n"
    refused(tmp_path, text + SERVICE, "aliases unfold to more than", megabytes=100)


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
@pytest.mark.parametrize("depth", [101, 10_000, 200_000])
def test_row_10_2_nesting_stops_at_a_bound(tmp_path, opening, depth):
    refused(tmp_path, "a: " + opening * depth if opening != "- " else opening * depth, "compose.yaml:1:", "exceeded max depth of 100", seconds=0.5)


def test_row_10_2_block_mappings_stop_at_the_same_bound(tmp_path):
    text = "".join(" " * level + "a:\n" for level in range(2000))
    refused(tmp_path, text, "compose.yaml:100:", "exceeded max depth of 100")


@pytest.mark.parametrize("again", ["a", '"a"', "'a'"])
def test_row_10_3_a_key_twice_is_told_with_both_places(tmp_path, again):
    refused(
        tmp_path,
        f"services:\n  a: {{image: i}}\n  {again}: {{image: j}}\n",
        'compose.yaml:3:3: mapping key "a" already defined at line 2, column 3',
    )


def test_row_10_3_an_anchor_inside_itself(tmp_path):
    refused(tmp_path, "x-a: &a [1, *a]\n" + SERVICE, "compose.yaml:1:13: ", "contains itself")


@pytest.mark.parametrize(
    "data, phrase",
    [
        (b'services: {s: {image: "\xff"}}\n', "compose.yaml:1:24: yaml: invalid UTF-8: byte 0xff"),
        (b'services: {s: {image: "\xc0\xaf"}}\n', "invalid UTF-8"),
        (b'services: {s: {image: "\xed\xa0\x80"}}\n', "invalid UTF-8"),
        (b"services: {s: {image: a\0b}}\n", "compose.yaml:1:24: yaml: control characters are not allowed"),
        (b'services: {s: {image: "a\\0b"}}\n', "must not hold a NUL character"),
        (b"services:\n\ts: {image: i}\n", "compose.yaml:2:"),
        ("services: {s: {image: i}}\n".encode("utf-16"), "UTF-16"),
        (b"\x00" * 1000, "control characters"),
        (bytes(range(128, 256)), "invalid UTF-8"),
        (b"", "empty compose file"),
    ],
)
def test_row_10_5_bytes_that_are_no_text_are_told_with_their_place(tmp_path, data, phrase):
    refused(tmp_path, data, phrase)


def test_row_10_5_a_byte_order_mark_is_fine(tmp_path):
    accepted(tmp_path, b"\xef\xbb\xbf" + SERVICE.encode())


def test_row_10_7_env_values_that_double_are_not_expanded_again(tmp_path):
    (tmp_path / ".env").write_text("A0=xxxxxxxxxx\n" + "".join(f"A{i}=${{A{i - 1}}}${{A{i - 1}}}\n" for i in range(1, 41)))
    refused(tmp_path, "services: {s: {image: i, command: '$A40'}}\n", ".env:")


def test_row_10_7_nested_defaults_stop_at_a_bound(tmp_path):
    refused(tmp_path, "services: {s: {image: i, hostname: '" + "${A:-" * 5000 + "}" * 5000 + "'}}\n", "compose.yaml:1:")


def special_file(folder, kind):
    path = folder / "special"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(os.path.relpath(path))
    elif kind in ("/dev/zero", "/dev/tty", "/proc/kmsg"):
        path.symlink_to(kind)
    elif kind == "large":
        with open(path, "wb") as file:
            file.truncate(1 << 40)
    elif kind == "loop":
        path.symlink_to("special")


@pytest.mark.parametrize("kind", ["fifo", "directory", "socket", "/dev/zero", "large", "loop"])
@pytest.mark.parametrize("key", ["env_file", "label_file"])
def test_row_10_8_only_regular_files_of_some_size_are_read(tmp_path, monkeypatch, kind, key):
    monkeypatch.chdir(tmp_path)
    special_file(tmp_path, kind)
    refused(tmp_path, f"services: {{s: {{image: i, {key}: special}}}}\n", "compose.yaml:1:", f"services.s.{key}: ")


@pytest.mark.parametrize("kind", ["fifo", "directory", "socket", "/dev/zero", "large", "loop"])
def test_row_10_8_of_included_files_as_well(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    special_file(tmp_path, kind)
    refused(tmp_path, "include: [special]\n" + SERVICE, "special")


@pytest.mark.parametrize("name", ["", "A B", "=x", "A\0B"])
def test_row_10_9_what_can_be_no_name_of_a_variable(tmp_path, name):
    (tmp_path / "e").write_bytes(f"{name}=1\n".encode())
    refused(tmp_path, "services: {s: {image: i, env_file: e}}\n", "e:1:")


def test_row_10_9_no_shell_sees_a_value(tmp_path):
    (tmp_path / ".env").write_text("K=$(touch x)\nL=`touch y`\n")
    accepted(tmp_path, "services: {s: {image: i, environment: {K: $K, L: $L, M: '$$(touch z)'}}}\n")
    assert not {"x", "y", "z"} & set(os.listdir(tmp_path))


@pytest.mark.parametrize(
    "line, phrase",
    [
        ("mem_limit: 99999999999g", "is out of range"),
        ("mem_limit: 18446744073709551616", "is out of range"),
        ("mem_limit: -5", "invalid size"),
        ("stop_grace_period: 9999999999h", "out of range"),
        ("ports: ['65536:80']", "Invalid hostPort"),
        ("ports: ['80:65536']", "Invalid containerPort"),
        ("ports: ['4294967376:80']", "Invalid hostPort"),
        ("scale: 4294967297", "is no number of containers"),
        ("scale: -1", "is no number of containers"),
        ("pids_limit: 18446744073709551617", "services.s.pids_limit"),
        ("cpus: -1", "is no number of CPUs"),
        ("cpus: .nan", "is no number of CPUs"),
        ("cpus: 1e300", "is no number of CPUs"),
    ],
)
def test_row_10_10_numbers_do_not_wrap(tmp_path, line, phrase):
    refused(tmp_path, f"services:\n  s:\n    image: i\n    {line}\n", "compose.yaml:4:", phrase)


def test_ranges_of_ports_unfold_to_a_bound(tmp_path):
    ranges = ", ".join(f"'127.0.0.{i}:1-65535:1-65535'" for i in range(1, 60))
    refused(tmp_path, f"services: {{s: {{image: i, ports: [{ranges}]}}}}\n", "unfold to more than")


def test_a_scalar_of_20_megabytes(tmp_path):
    refused(tmp_path, "services: {s: {image: i, command: '" + "x" * 20_000_000 + "'}}\n", "compose.yaml", "larger than 8388608 bytes")


def test_a_scalar_of_7_megabytes_is_only_long(tmp_path):
    accepted(tmp_path, "services: {s: {image: i, labels: {a: '" + "x" * 7_000_000 + "'}}}\n")


def test_a_mapping_of_100_000_keys(tmp_path):
    accepted(tmp_path, "services:\n  s:\n    image: i\n    labels:\n" + "".join(f"      k{i}: v\n" for i in range(100_000)))


@pytest.mark.parametrize(
    "item",
    [
        "extra_hosts: h{:06}:1.2.3.4", "links: a{:06}", "volumes_from: a{:06}", "profiles: p{:06}", "volumes: v{:06}:/v{:06}", "cap_add: C{:06}",
        "env_file: {{path: e{:06}, required: false}}", "ports: 10.{}.{}.1:80:80", "networks: n{:06}", "tmpfs: /t{:06}", "devices: /dev/a{:06}",
    ],
)
@pytest.mark.parametrize("files", [1, 2])
def test_lists_of_50_000_items_backwards_and_said_again_in_a_second_file(tmp_path, item, files):
    key, form = item.split(": ", 1)
    numbers = range(50_000 - 1, -1, -1)
    items = (form.format(n // 250, n % 250) if key == "ports" else form.format(n, n) for n in numbers)
    text = f"services:\n  a:\n    image: i\n    {key}:\n" + "".join(f"      - {one}\n" for one in items)
    (tmp_path / "again.yaml").write_text(text)
    config(tmp_path, text, words=["-f", "again.yaml"] * (files - 1) + ["config", "-q"], seconds=SECONDS * files)


def test_build_arguments_that_nobody_has_a_value_for(tmp_path):
    accepted(tmp_path, "services:\n  a:\n    build:\n      context: .\n      args:\n" + "".join(f"        A{i}:\n" for i in range(100_000)))


def test_20_000_services_with_one_port_on_as_many_addresses(tmp_path):
    accepted(tmp_path, "services:\n" + "".join(f"  s{i}: {{image: i, ports: ['10.{i // 250}.{i % 250}.1:80:80']}}\n" for i in range(20_000)))


def test_row_10_1_copies_of_a_service_that_is_extended_have_a_bound(tmp_path):
    labels = ", ".join(f"l{i}: v" for i in range(1000))
    text = f"services:\n  base: {{image: i, labels: {{{labels}}}}}\n" + "".join(f"  s{i}: {{extends: base}}\n" for i in range(5000))
    assert refused(tmp_path, text, "services.s997.extends: ", "take over more than 1000000 nodes").count("\n") == 1


def test_100_000_wrong_keys(tmp_path):
    text = "services:\n" + "".join(f"  s{i}: {{imag: i}}\n" for i in range(100_000))
    message = refused(tmp_path, text, "did you mean 'image'", "more")
    assert len(message) < 20_000


def test_10_000_services_in_linear_time(tmp_path):
    text = "services:\n  s0: {image: i}\n"
    for i in range(1, 10_000):
        text += f"  s{i}: {{image: i, ports: ['{i}:80'], environment: {{A: '{i}'}}, volumes: ['./d{i}:/d'], depends_on: [s{i - 1}]}}\n"
    accepted(tmp_path, text)
