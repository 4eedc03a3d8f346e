"""The public face: one list, every name there and documented, nothing started by the import."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import labkit as lab

ROOT = Path(__file__).parent.parent
STUB = ROOT / "labkit" / "__init__.pyi"
LISTED = [
    alias.asname
    for node in ast.parse(STUB.read_text()).body
    if isinstance(node, ast.ImportFrom)
    for alias in node.names
]
# Loaded on first use only: each costs time or memory, or starts threads.
HEAVY = ("pyspark", "py4j", "kafka", "pandas", "pyarrow", "numpy", "psutil", "tqdm", "anywidget")
LOOK_AT_A_FRESH_IMPORT = """
import json, sys, threading
import labkit
print(json.dumps([sorted(sys.modules), threading.active_count()]))
"""


def test_the_stub_and_the_package_list_the_same_names():
    assert sorted(lab.__all__) == sorted(LISTED)
    assert set(LISTED) <= set(dir(lab))


def test_the_stub_re_exports_every_name_under_its_own_name():
    imports = [
        node for node in ast.parse(STUB.read_text()).body if isinstance(node, ast.ImportFrom)
    ]
    assert all(alias.name == alias.asname for node in imports for alias in node.names)


@pytest.mark.parametrize("name", LISTED)
def test_a_public_name_is_there_and_documented(name):
    thing = getattr(lab, name)
    assert inspect.getdoc(thing)
    assert thing.__module__.startswith("labkit.")


@pytest.mark.parametrize("name", LISTED)
def test_no_module_bears_the_name_of_a_public_name(name):
    # `import labkit.spark` would put the module where the function lab.spark was.
    assert not (ROOT / "labkit" / f"{name}.py").exists()
    assert not (ROOT / "labkit" / name).exists()


def test_import_loads_nothing_heavy_and_starts_no_thread():
    command = [sys.executable, "-c", LOOK_AT_A_FRESH_IMPORT]
    out = subprocess.run(command, capture_output=True, text=True, check=True)
    modules, threads = json.loads(out.stdout)
    assert [name for name in HEAVY if name in modules] == []
    assert threads == 1
    assert out.stderr == ""


def tracked():
    """Yield the path and text of every file under version control (all files, outside git)."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listing.returncode:
        pytest.fail("this test reads the list of files from git")
    for name in filter(None, listing.stdout.split("\0")):
        path = ROOT / name
        if path.is_file():
            yield name, path.read_text(errors="replace")


def test_no_file_names_a_registry_or_a_path_of_one_machine():
    registry = re.compile(
        r"https?://[\w.-]*(maven|pypi|pythonhosted|npmjs|debian|crates)", re.IGNORECASE
    )
    place = re.compile(rf"{re.escape(str(ROOT))}\b|(?<![\w.])/(root|work|home/\w+|Users/\w+)/\w")
    found = [
        f"{name}:{number}"
        for name, text in tracked()
        for number, line in enumerate(text.splitlines(), 1)
        if registry.search(line) or place.search(line)
    ]
    assert found == []
