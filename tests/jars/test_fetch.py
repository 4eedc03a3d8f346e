"""Fetching with the real Ivy, from a small repository on loopback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from labkit import settings
from labkit.errors import BadData, InvalidArgument, MissingNeed
from labkit.jars import ivy, lock
from labkit.jars.fetch import fetch
from labkit.waiting import wait_until

pytestmark = pytest.mark.service

CHILD = """
import sys
from pathlib import Path
from labkit.jars import ivy, lock
from labkit.jars.fetch import fetch
folder = Path(sys.argv[1])
lock.LOCK_FILE, ivy.CONNECTORS = folder / "jars.lock", folder / "connectors.xml"
print(len(fetch(progress=False)))
"""


def start_child(tmp_path):
    command = [sys.executable, "-c", CHILD, str(tmp_path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.usefixtures("repository")
def test_jars_arrive_in_the_folders_of_their_sets():
    brought = fetch(progress=False)
    home = settings.jars()
    assert brought == [
        home / "spark/one-1.jar",
        home / "spark/two-1.jar",
        home / "broker/three-1.jar",
    ]
    assert lock.missing() == lock.damaged() == []
    assert not (home / ".fetch").exists()


def test_a_second_run_asks_nobody(repository, monkeypatch):
    fetch(progress=False)
    monkeypatch.setenv("LABKIT_IVY_SETTINGS", "/no/such/file")
    repository.sent.clear()
    assert fetch(progress=False) == []
    assert not repository.sent


@pytest.mark.usefixtures("repository")
def test_one_set_alone():
    assert [path.name for path in fetch(["broker"], progress=False)] == ["three-1.jar"]
    assert lock.missing() == ["one-1.jar", "two-1.jar"]


@pytest.mark.usefixtures("repository")
def test_bars_name_the_jars(capsys):
    fetch(["broker"])
    assert "three-1.jar" in capsys.readouterr().err


@pytest.mark.usefixtures("repository")
def test_a_damaged_jar_is_deleted_and_named_and_comes_again():
    jar = fetch(["broker"], progress=False)[0]
    right = jar.read_bytes()
    jar.write_bytes(right[::-1])
    with pytest.raises(BadData) as caught:
        fetch(progress=False)
    assert caught.value.code == "JAR_SUM_WRONG"
    assert caught.value.params["jar"] == "three-1.jar"
    assert not jar.exists()
    fetch(["broker"], progress=False)
    assert jar.read_bytes() == right


def test_a_wrong_jar_from_the_repository_never_gets_its_place(repository):
    right, repository.content["two"] = repository.content["two"], b"x" * 12_000
    with pytest.raises(BadData) as caught:
        fetch(progress=False)
    assert caught.value.params["jar"] == "two-1.jar"
    assert not (settings.jars() / "spark" / "two-1.jar").exists()
    repository.content["two"] = right
    fetch(progress=False)
    assert lock.missing() == lock.damaged() == []


def test_without_a_network_it_names_the_jars(repository, tmp_path):
    repository.write_settings(tmp_path / "ivysettings.xml", "http://127.0.0.1:9/")
    with pytest.raises(MissingNeed) as caught:
        fetch(progress=False)
    assert caught.value.code == "FETCH_FAILED"
    assert caught.value.params["jars"] == "one-1.jar, two-1.jar, three-1.jar"
    assert caught.value.params["reason"]
    repository.write_settings(tmp_path / "ivysettings.xml")
    assert len(fetch(progress=False)) == 3


def test_what_arrived_before_a_failure_is_kept(repository):
    three = repository.content.pop("three")
    with pytest.raises(MissingNeed) as caught:
        fetch(progress=False)
    assert caught.value.params["jars"] == "three-1.jar"
    assert lock.missing() == ["three-1.jar"]
    repository.content["three"] = three
    fetch(progress=False)
    assert lock.missing() == []
    assert repository.sent["one"] == 1


@pytest.mark.parametrize("how", ["terminate", "kill"])
def test_a_second_run_goes_on_after_an_interrupt(repository, tmp_path, how):
    go_on = repository.hold("two")
    child = start_child(tmp_path)
    cache = settings.jars() / ".fetch"
    wait_until(lambda: repository.sent["two"], what="two was not asked for", timeout_s=30)
    assert ivy.arrived(cache, "one-1.jar")
    getattr(child, how)()
    child.communicate()
    go_on.set()
    assert fetch(progress=False)
    assert lock.missing() == lock.damaged() == []
    assert repository.sent["one"] == 1


def test_two_processes_at_once(repository, tmp_path):
    go_on = repository.hold("two")
    first = start_child(tmp_path)
    wait_until(lambda: repository.sent["two"], what="two was not asked for", timeout_s=30)
    second = start_child(tmp_path)
    lock_file = settings.jars() / ".lock"
    wait_until(
        lambda: has_open(second.pid, lock_file), what="the second did not wait", timeout_s=30
    )
    go_on.set()
    assert [child.communicate(timeout=60)[0].strip() for child in (first, second)] == ["3", "0"]
    assert set(repository.sent.values()) == {1}


def has_open(pid, file):
    import psutil

    return str(file) in [one.path for one in psutil.Process(pid).open_files()]


@pytest.mark.usefixtures("repository")
def test_bad_input_is_refused_before_anything_is_made(monkeypatch):
    with pytest.raises(InvalidArgument) as caught:
        fetch(["kafak"])
    assert caught.value.code == "UNKNOWN_CHOICE"
    monkeypatch.setenv("LABKIT_IVY_SETTINGS", "/no/such/file")
    with pytest.raises(MissingNeed) as needs:
        fetch(progress=False)
    assert needs.value.code == "NEEDS"
    assert lock.missing() == ["one-1.jar", "two-1.jar", "three-1.jar"]


@pytest.mark.usefixtures("repository")
def test_a_place_that_is_no_folder_is_refused(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LABKIT_JARS", str(tmp_path / "file"))
    with pytest.raises(InvalidArgument) as caught:
        fetch(progress=False)
    assert caught.value.code == "NOT_WRITABLE"
    assert caught.value.params["folder"] == str(tmp_path / "file")


def test_the_proxy_of_the_environment_reaches_java(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://proxy.school:3128")
    assert "-Dhttps.proxyHost=proxy.school" in ivy._proxy()
    assert "-Dhttps.proxyPort=3128" in ivy._proxy()


def test_a_network_that_swallows_everything_is_given_up(repository, monkeypatch):
    monkeypatch.setattr(ivy, "STALLED_S", 0.5)
    repository.hold("one")
    with pytest.raises(MissingNeed) as caught:
        fetch(["kafka"], progress=False)
    assert caught.value.code == "FETCH_FAILED"
    assert "0.5 s" in caught.value.params["reason"]


@pytest.mark.usefixtures("repository")
def test_the_maintainers_tool_writes_the_same_lock():
    before = Path(lock.LOCK_FILE).read_text()
    Path(lock.LOCK_FILE).write_text("")
    assert lock.main() == 0
    assert Path(lock.LOCK_FILE).read_text() == before
