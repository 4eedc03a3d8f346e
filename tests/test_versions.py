"""Versions are chosen in pyproject.toml; the lock files and environment.yml agree with it."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
CORE = [Requirement(text) for text in PROJECT["dependencies"]]
LAB = [Requirement(text) for text in EXTRAS["lab"]]
DEV = [Requirement(text) for text in EXTRAS["dev"]]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-uv.lock")


def pins(lock):
    """Return {name: versions} of a lock file; several versions serve several Pythons."""
    found = re.findall(r"^([\w.-]+)==([^\s;\\]+)", (ROOT / lock).read_text(), re.MULTILINE)
    versions = defaultdict(set)
    for name, version in found:
        versions[canonicalize_name(name)].add(version)
    return dict(versions)


def satisfies(need, locked):
    versions = locked.get(canonicalize_name(need.name), set())
    return bool(versions) and all(need.specifier.contains(version) for version in versions)


def conda():
    """Return {name: text of the versions} of environment.yml, without its pip part."""
    lines = re.findall(
        r"^  - (\w[\w-]*)(.*)$", (ROOT / "environment.yml").read_text(), re.MULTILINE
    )
    return {name: versions for name, versions in lines if not versions.startswith(":")}


@pytest.mark.parametrize(
    ("lock", "needs"),
    [("requirements.lock", CORE + LAB), ("requirements-dev.lock", CORE + LAB + DEV)],
)
def test_a_lock_satisfies_every_bound(lock, needs):
    locked = pins(lock)
    assert [str(need) for need in needs if not satisfies(need, locked)] == []


def test_both_locks_pin_the_same_versions():
    learner, developer = pins("requirements.lock"), pins("requirements-dev.lock")
    assert {name: developer.get(name) for name in learner} == learner


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash_and_no_address(lock):
    text = (ROOT / lock).read_text()
    blocks = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
    assert len(blocks) >= len(pins(lock)) > 0
    assert [block for block in blocks if "--hash=sha256:" not in block] == []
    assert "://" not in text
    assert "index-url" not in text.replace("--no-emit-index-url", "")


def test_conda_follows_the_same_bounds():
    bounds = {need.name: need.specifier for need in CORE + LAB}
    named = {name: versions for name, versions in conda().items() if name in bounds}
    assert set(named) == {"ipykernel", "ipywidgets", "jupyterlab"}
    assert {name: SpecifierSet(text) for name, text in named.items()} == {
        name: bounds[name] for name in named
    }


def test_conda_brings_python_java_and_this_folder():
    assert SpecifierSet(conda()["python"]) == SpecifierSet(PROJECT["requires-python"])
    assert conda()["openjdk"] == "=17"
    assert "      - -e .[lab]\n" in (ROOT / "environment.yml").read_text()


def test_spark_and_its_connectors_are_one_version():
    spark = next(need for need in CORE if need.name == "pyspark")
    module = ET.parse(ROOT / "labkit" / "jars" / "connectors.xml")  # noqa: S314 - our own file
    jars = {jar.get("name"): jar.get("rev") for jar in module.iter("dependency")}
    assert f"=={jars['spark-sql-kafka-0-10_2.13']}" == str(spark.specifier)


def test_the_package_says_the_version_of_the_project():
    import labkit

    assert labkit.__version__ == PROJECT["version"]


def test_every_dependency_has_a_line_in_the_changelog():
    text = (ROOT / "CHANGELOG.md").read_text()
    assert [need.name for need in CORE + LAB + DEV if need.name not in text] == []
