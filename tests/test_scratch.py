"""The scratch space: one folder per process, gone with it, swept when it was left over."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from labkit import scratch
from labkit.errors import InvalidArgument

MAKE_A_FOLDER = "from labkit import scratch; print(scratch.kernel_folder(), flush=True)"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def lab(home):  # noqa: ARG001 - the child inherits LABKIT_HOME
    """Return another lab's process, which is alive and has made its folder."""
    code = f"{MAKE_A_FOLDER}; input()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as process:
        process.folder = process.stdout.readline().strip()
        yield process
        process.kill()


def test_the_folder_is_this_process_and_says_so(home):
    folder = scratch.kernel_folder()
    owner = json.loads((folder / scratch.OWNER_FILE).read_text())
    assert folder.parent == home
    assert folder.name == f"{os.getpid()}-{owner['started_ms']}"
    assert owner["host"] == socket.gethostname()
    assert scratch.kernel_folder() == folder


def test_the_folder_goes_when_its_process_ends(home):
    command = [sys.executable, "-c", MAKE_A_FOLDER]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert told.startswith(str(home))
    assert list(home.iterdir()) == []


def test_a_folder_in_use_is_not_swept(home, lab):
    assert scratch.sweep() == []
    assert [str(folder) for folder in home.iterdir()] == [lab.folder]


def test_the_folder_of_a_killed_lab_is_swept(lab):
    lab.kill()
    lab.wait()
    assert [str(folder) for folder in scratch.sweep()] == [lab.folder]
    assert not Path(lab.folder).exists()


def test_a_new_process_with_an_old_number_does_not_keep_the_folder(home):
    folder = leave(home, pid=os.getpid(), started_ms=1)
    assert scratch.sweep() == [folder]


def test_the_sweep_leaves_alone_what_is_not_ours_or_not_on_this_machine(home):
    gone = {"pid": 2**22 + 1, "started_ms": 1}
    leave(home, **gone, host="another-machine")
    (home / "jars").mkdir()
    (home / "77-77").mkdir()  # looks like ours, and bears no mark
    assert scratch.sweep() == []
    assert len(list(home.iterdir())) == 3


def test_a_home_that_is_not_there_has_nothing_to_sweep(home, monkeypatch):
    monkeypatch.setenv("LABKIT_HOME", str(home / "never" / "made"))
    assert scratch.sweep() == []


def test_a_place_lies_inside(home):
    assert scratch.place("streams", "orders").is_relative_to(home)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("parts", [("..",), ("streams", "../.."), ("/etc",), ("",), (".",)])
def test_a_place_that_leads_out_is_refused(parts):
    with pytest.raises(InvalidArgument) as caught:
        scratch.place(*parts)
    assert caught.value.code == "OUTSIDE_SCRATCH"
    assert caught.value.params == {"name": "/".join(parts)}


@pytest.mark.usefixtures("home")
def test_a_link_that_leads_out_is_refused(tmp_path_factory):
    (scratch.kernel_folder() / "out").symlink_to(tmp_path_factory.mktemp("elsewhere"))
    with pytest.raises(InvalidArgument) as caught:
        scratch.place("out", "orders")
    assert caught.value.code == "OUTSIDE_SCRATCH"


def leave(home, *, pid, started_ms, host=None):
    """Make the folder of a lab that is gone."""
    assert pid == os.getpid() or not psutil.pid_exists(pid)
    folder = home / f"{pid}-{started_ms}"
    folder.mkdir()
    owner = {"pid": pid, "started_ms": started_ms, "host": host or socket.gethostname()}
    (folder / scratch.OWNER_FILE).write_text(json.dumps(owner))
    return folder
