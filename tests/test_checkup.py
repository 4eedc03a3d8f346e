"""The doctor: each check says what it found, and a cure beside what is wrong."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections import namedtuple

import psutil
import pytest

import labkit as lab
from labkit import checkup, java, scratch, settings
from labkit.findings import FAIL, NOTE, OK, Finding, Report
from labkit.jars import lock

WELL = Finding("Java", OK, "17.0.19 at /usr/bin/java")
NOTED = Finding("archive", NOTE, "none", "labkit fetch")
BAD = Finding("jars", FAIL, "3 of 90 are missing", "labkit fetch")


def is_bad(finding, *, cure):
    return finding.state == FAIL and cure in finding.cure


def test_the_verdict_is_short_and_holds_no_values():
    assert repr(Report((WELL, NOTED))) == "doctor: all well"
    assert repr(Report((WELL, BAD))) == "doctor: 1 problem: jars"
    assert repr(Report((BAD, Finding("disk", FAIL, "3 MB")))) == "doctor: 2 problems: jars, disk"


def test_only_a_failure_is_a_problem():
    assert Report((WELL, NOTED)).ok
    assert not Report((WELL, BAD)).ok
    assert Report((WELL, BAD)).problems == ("jars",)


def test_the_text_has_a_sign_and_a_word_on_each_line_and_the_verdict_last():
    lines = Report((WELL, BAD)).to_text().splitlines()
    assert lines[0].split()[:3] == ["✓", "OK", "Java"]
    assert lines[1].split()[:3] == ["✗", "FAIL", "jars"]
    assert lines[2].strip() == "→ labkit fetch"
    assert lines[3] == "doctor: 1 problem: jars"


def test_the_table_escapes_what_was_found():
    html = Report((Finding("disk", FAIL, "<b>no</b>", "rm <file>"),))._repr_html_()
    assert "&lt;b&gt;no&lt;/b&gt;" in html
    assert "rm &lt;file&gt;" in html
    assert "✗ FAIL" in html


def test_the_doctor_looks_at_everything_once():
    report = lab.doctor()
    names = [finding.name for finding in report.findings]
    assert len(names) == len(set(names)) == len(checkup.CHECKS)
    assert all(finding.found for finding in report.findings)
    assert all(finding.cure for finding in report.findings if finding.state == FAIL)


def test_the_doctor_works_where_pyspark_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", None)  # importing it fails now
    real = checkup._version
    monkeypatch.setattr(checkup, "_version", lambda name: None if name == "pyspark" else real(name))
    report = lab.doctor()
    assert "packages" in report.problems
    assert "archive" not in report.problems


def test_plain_windows_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    assert is_bad(checkup.check_system(), cure="WSL 2")


@pytest.mark.parametrize(("version", "state"), [((3, 10), FAIL), ((3, 12), OK), ((3, 14), FAIL)])
def test_python(monkeypatch, version, state):
    monkeypatch.setattr(sys, "version_info", (*version, 0))
    assert checkup.check_python().state == state


def test_a_missing_java_names_the_cure(monkeypatch):
    def find_java():
        raise java.NoJava(
            "Spark needs Java 17 or 21.", "Only Java 11 was found.", "apt-get install"
        )

    monkeypatch.setattr(java, "find_java", find_java)
    finding = checkup.check_java()
    assert is_bad(finding, cure="apt-get install")
    assert "Java 11" in finding.found


def test_installed_packages_fit():
    finding = checkup.check_packages()
    assert finding.state == OK
    assert "pyspark 4.1.3" in finding.found


def test_a_wrong_and_a_missing_package_are_named_with_the_command(monkeypatch):
    versions = {"ipykernel": "7.0.1", "anywidget": None}
    real = checkup._version
    monkeypatch.setattr(checkup, "_version", lambda name: versions.get(name, real(name)))
    finding = checkup.check_packages()
    assert finding.found == "anywidget missing, ipykernel 7.0.1"
    assert is_bad(finding, cure="-m pip install")
    assert '"ipykernel<8,>=7.4"' in finding.cure


@pytest.fixture
def one_jar(tmp_path, monkeypatch):
    """Make a lock of one jar, which is in its place."""
    monkeypatch.setenv("LABKIT_JARS", str(tmp_path))
    file = tmp_path / "broker" / "one.jar"
    file.parent.mkdir()
    file.write_bytes(b"jar")
    monkeypatch.setattr(
        lock, "_read", lambda: (lock.Jar("broker", "one.jar", lock.sum_of(file), 3),)
    )
    # The sum is taken when the lock is read, so it is fixed here, before a test damages the file.
    fixed = lock._read()
    monkeypatch.setattr(lock, "_read", lambda: fixed)
    return file


def test_jars_that_are_there(one_jar):
    assert checkup.check_jars().state == OK
    assert str(one_jar.parent.parent) in checkup.check_jars().found


def test_a_missing_jar(one_jar):
    one_jar.unlink()
    assert is_bad(checkup.check_jars(), cure="labkit fetch")


def test_a_damaged_jar_is_named(one_jar):
    one_jar.write_bytes(b"rat")
    assert is_bad(checkup.check_jars(), cure="labkit fetch")
    assert "one.jar" in checkup.check_jars().found


def test_a_missing_archive_is_only_a_note(monkeypatch):
    monkeypatch.setattr("labkit.engine.archive.current", lambda: None)
    assert checkup.check_archive() == Finding(
        "archive", NOTE, "none for this Java: Spark starts slowly", "labkit fetch"
    )


@pytest.mark.parametrize(
    ("free", "limit", "state"),
    [(8e9, None, OK), (8e9, 2000, OK), (8e9, 900, FAIL), (1e9, None, FAIL), (1e9, 9000, FAIL)],
)
def test_memory_is_what_machine_and_container_both_leave(monkeypatch, free, limit, state):
    Memory = namedtuple("Memory", "available")  # noqa: PYI024 - stands for psutil's own
    monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory(int(free)))
    monkeypatch.setattr(checkup, "_container_free_mb", lambda: limit)
    assert checkup.check_memory().state == state


@pytest.mark.parametrize(("free", "state"), [(5e9, OK), (1e8, FAIL)])
def test_disk(monkeypatch, free, state):
    Usage = namedtuple("Usage", "free")  # noqa: PYI024 - stands for shutil's own
    monkeypatch.setattr(checkup.shutil, "disk_usage", lambda _: Usage(int(free)))
    assert checkup.check_disk().state == state


def test_an_address_of_another_machine_cannot_be_listened_on(monkeypatch):
    assert checkup.check_ports().state == OK
    monkeypatch.setenv("LABKIT_HOST", "192.0.2.1")
    assert is_bad(checkup.check_ports(), cure="LABKIT_HOST")


def test_an_outside_broker_is_asked(monkeypatch):
    assert checkup.check_kafka().state == OK
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setenv("LABKIT_KAFKA", address)
        assert checkup.check_kafka() == Finding("Kafka", OK, f"LABKIT_KAFKA={address} answers")
    assert is_bad(checkup.check_kafka(), cure="LABKIT_KAFKA")


@pytest.mark.parametrize("servers", ["nonsense", "127.0.0.1", "127.0.0.1:port"])
def test_an_address_that_is_none_does_not_answer(monkeypatch, servers):
    monkeypatch.setenv("LABKIT_KAFKA", servers)
    assert checkup.check_kafka().found == f"no answer from {servers}"


def test_a_scratch_space_that_is_a_file_cannot_be_written_to(monkeypatch, tmp_path):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "not" / "there" / "yet"))
    assert checkup.check_scratch().state == OK
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(
        checkup.tempfile,
        "TemporaryFile",
        lambda **_: (_ for _ in ()).throw(OSError(30, "read-only")),
    )
    assert is_bad(checkup.check_scratch(), cure="LABKIT_HOME")


@pytest.fixture
def killed_lab(tmp_path, monkeypatch):
    """Return the folder of a lab that is gone."""
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    folder = settings.home() / f"{gone.pid}-1700000000000"
    folder.mkdir()
    owner = {"pid": gone.pid, "started_ms": 1700000000000, "host": socket.gethostname()}
    (folder / scratch.OWNER_FILE).write_text(json.dumps(owner))
    return folder


def test_the_folder_of_a_killed_lab_is_noted_and_swept(killed_lab):
    assert checkup.check_leftovers().state == NOTE
    assert not killed_lab.exists()
    assert checkup.check_leftovers().state == OK


def test_a_process_of_a_killed_lab_is_named_with_its_cure(killed_lab):
    command = [sys.executable, "-c", "input()", f"--logs={killed_lab}/broker"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as stray:
        finding = checkup.check_leftovers()
        assert is_bad(finding, cure=f"kill {stray.pid}")
        stray.kill()


def test_a_process_of_a_lab_that_lives_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    argument = f"{settings.home()}/{os.getpid()}-1700000000000/broker"
    with subprocess.Popen(
        [sys.executable, "-c", "input()", argument], stdin=subprocess.PIPE
    ) as own:
        assert checkup.check_leftovers().state == OK
        own.kill()
