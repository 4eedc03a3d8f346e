"""The lock: it agrees with connectors.xml, and says which jars are here."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from labkit import settings
from labkit.errors import InvalidArgument, MissingNeed
from labkit.jars import ivy, lock


@pytest.fixture
def empty(monkeypatch, tmp_path):
    monkeypatch.setenv("LABKIT_JARS", str(tmp_path))
    return tmp_path


def test_the_lock_names_what_connectors_xml_names():
    named = sorted((line.set, line.file_name) for line in ivy.wanted())
    assert named == sorted((jar.set, jar.name) for jar in lock.jars())
    assert {set_ for set_, _ in named} == set(lock.SETS)


def test_its_lines_are_sorted_and_complete():
    lines = lock.LOCK_FILE.read_text().splitlines()
    assert lines == sorted(set(lines))
    pattern = re.compile(r"[a-z0-9]+ \S+\.jar [0-9a-f]{64} \d+")
    assert all(pattern.fullmatch(line) for line in lines)


def test_nothing_comes_that_is_not_named():
    tree = ET.parse(ivy.CONNECTORS)  # noqa: S314  our own file
    assert {one.get("transitive") for one in tree.iter("dependency")} == {"false"}


@pytest.mark.parametrize("file", [ivy.CONNECTORS, ivy.SETTINGS, lock.LOCK_FILE])
def test_no_address_of_a_repository_stands_in_our_files(file):
    assert "://" not in file.read_text()


def test_class_paths_stand_in_one_order():
    names = [jar.set for jar in lock.jars(["s3", "kafka", "delta"])]
    assert list(dict.fromkeys(names)) == ["kafka", "delta", "s3"]
    assert lock.jars(["s3", "kafka"]) == lock.jars(["kafka", "s3"])


@pytest.mark.usefixtures("empty")
def test_before_a_fetch_everything_is_missing():
    assert len(lock.missing()) == len(lock.jars())
    assert lock.spark_class_path() == []
    assert lock.damaged() == []


@pytest.mark.usefixtures("empty")
def test_a_class_path_without_its_jars_names_the_cure():
    with pytest.raises(MissingNeed) as caught:
        lock.class_path("kafka")
    assert caught.value.code == "NEEDS"
    assert "labkit fetch" in caught.value.params["cure"]


@pytest.mark.usefixtures("empty")
def test_a_jar_cut_short_is_missing():
    jar = lock.jars(["postgres"])[0]
    jar.path.parent.mkdir(parents=True)
    jar.path.write_bytes(b"\0" * (jar.size_bytes - 1))
    assert lock.missing(["postgres"]) == [jar.name]
    jar.path.write_bytes(b"\0" * jar.size_bytes)
    assert lock.missing(["postgres"]) == []
    assert lock.damaged(["postgres"]) == [jar.name]


@pytest.mark.parametrize("call", [lock.jars, lock.missing, lock.damaged])
def test_an_unknown_set_is_refused(call):
    with pytest.raises(InvalidArgument) as caught:
        call(["kafka", "kafak"])
    assert caught.value.code == "UNKNOWN_CHOICE"
    assert caught.value.params["value"] == "kafak"
    with pytest.raises(InvalidArgument):
        lock.class_path("kafak")


def test_what_is_fetched_here_has_the_sums_of_the_lock():
    assert lock.missing() == [], f"run `labkit fetch` ({settings.jars()})"
    assert lock.damaged() == []
