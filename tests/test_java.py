"""Java: which one is found, which one is refused, and what the set-up check says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from labkit import java
from labkit.errors import MissingNeed

MODULES = "java.base jdk.incubator.vector"


def make_java(home, version, *, modules=MODULES, release=True):
    program = home / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    program.chmod(0o755)
    if release:
        (home / "release").write_text(f'JAVA_VERSION="{version}"\nMODULES="{modules}"\n')
    return home


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine without any Java."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(java, "USUAL_PLACES", ())
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "no-environment"))
    return tmp_path


@pytest.mark.parametrize("version", ["17.0.15", "21", "21.0.7"])
def test_java_home_is_taken(bare, monkeypatch, version):
    home = make_java(bare / "jdk", version)
    monkeypatch.setenv("JAVA_HOME", str(home))
    assert java.find_java() == java.Java(home, version, home / "bin" / "java")


def test_without_a_release_file_java_itself_is_asked(bare, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(make_java(bare / "jdk", "17.0.1", release=False)))
    assert java.find_java().version == "17.0.1"


def test_a_good_java_elsewhere_is_better_than_a_wrong_java_home(bare, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(make_java(bare / "old", "11.0.2")))
    good = make_java(bare / "jvm" / "good", "21.0.1")
    monkeypatch.setattr(java, "USUAL_PLACES", (f"{bare}/jvm/*",))
    assert java.find_java().home == good


def test_the_java_of_an_environment_that_is_not_activated_is_found(bare, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(bare / "env"))
    home = make_java(bare / "env" / "lib" / "jvm", "17.0.3")
    assert java.find_java().home == home


@pytest.mark.parametrize("version", ["1.8.0_392", "11.0.2", "23", "25.0.1"])
def test_a_wrong_java_is_named_with_its_place(bare, monkeypatch, version):
    home = make_java(bare / "jdk", version)
    monkeypatch.setenv("JAVA_HOME", str(home))
    with pytest.raises(MissingNeed) as caught:
        java.require_java()
    assert caught.value.code == "NEEDS"
    assert version in caught.value.params["reason"]
    assert str(home) in caught.value.params["reason"]


def test_a_java_cut_down_is_refused(bare, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(make_java(bare / "jdk", "17.0.1", modules="java.base")))
    with pytest.raises(java.NoJava) as caught:
        java.find_java()
    assert java.NEEDED_MODULE in caught.value.why


@pytest.mark.usefixtures("bare")
def test_no_java_names_the_command_of_this_system(monkeypatch):
    monkeypatch.setattr(java, "install_command", lambda: "get java")
    with pytest.raises(java.NoJava) as caught:
        java.find_java()
    assert caught.value.cure.startswith("get java")


def test_a_java_that_only_offers_to_install_one_is_none(bare, monkeypatch):
    program = bare / "stub" / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho 'Unable to locate a Java Runtime.' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(bare / "stub"))
    with pytest.raises(java.NoJava):
        java.find_java()


@pytest.mark.parametrize(
    ("release", "words"),
    [
        ({"ID": "debian", "VERSION_ID": "12"}, "apt-get install -y openjdk-17-jre-headless"),
        ({"ID": "debian", "VERSION_ID": "13"}, "apt-get install -y openjdk-21-jre-headless"),
        ({"ID": "ubuntu", "VERSION_ID": "24.04"}, "apt-get install -y openjdk-21-jre-headless"),
        ({"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, "openjdk-21-jre-headless"),
        ({"ID": "fedora", "VERSION_ID": "42"}, "dnf install -y java-21-openjdk-headless"),
        ({"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, "dnf install"),
        ({"ID": "opensuse-leap", "ID_LIKE": "suse opensuse"}, "zypper install"),
        ({"ID": "arch"}, "pacman -S"),
        ({"ID": "alpine", "VERSION_ID": "3.20"}, "apk add openjdk21-jre-headless"),
        ({"ID": "plan9"}, "your system's package tool"),
    ],
)
def test_each_system_gets_its_command(release, words):
    assert words in java.install_command(release)


def test_conda_and_homebrew_come_before_the_system(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(java.shutil, "which", lambda name: f"/opt/{name}")
    assert java.install_command() == "brew install openjdk@17"
    (tmp_path / "conda-meta").mkdir()
    assert java.install_command().startswith("conda install")


def test_plain_windows_is_told_about_wsl(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    assert "WSL 2" in java.check()[0]


def test_the_set_up_check_runs_by_its_path_with_any_python():
    done = run_alone(sys.executable)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1


def test_the_set_up_check_says_what_is_missing(bare, monkeypatch):
    home = make_java(bare / "jdk", "11.0.2")
    monkeypatch.setenv("JAVA_HOME", str(home))
    monkeypatch.setattr(sys, "version_info", (3, 9, 1))
    lacks = java.check()
    assert "3.11" in lacks[0]
    assert "11.0.2" in lacks[1]


def run_alone(python):
    # -I -S: nothing installed can be imported, as before the set-up.
    command = [python, "-I", "-S", str(Path(java.__file__))]
    return subprocess.run(command, capture_output=True, text=True, check=False)
