"""The rooms of the house stand in one order; a module imports its own room and those before it."""

from __future__ import annotations

import ast
import logging
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "labkit"
ROOMS = ("base", "events", "feeds", "services", "engine", "views", "course", "top")
BASE = {"errors", "settings", "scratch", "waiting", "steps", "java", "jars"}
TOP = {"cli", "checkup", "control", "demo", "findings"}
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path != PACKAGE / "__init__.py"
}
SOFT_LIMIT_LINES = 300


def rank(name):
    """Return the place of a dotted name; a name of the public face is as late as the top."""
    parts = name.split(".")
    room = parts[1] if len(parts) > 1 else ""
    if room in BASE:
        return ROOMS.index("base")
    return ROOMS.index(room if room in ROOMS else "top")


def imports_of(source):
    """Yield every dotted name that a source imports, wherever the import stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def violations(module, source):
    """Return what a module imports from rooms after its own, or through the public face."""
    ours = [name for name in imports_of(source) if name.split(".")[0] == "labkit"]
    return [name for name in ours if rank(name) > rank(module)]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_its_own_room_or_rooms_before_it(module):
    assert violations(module, MODULES[module].read_text()) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("labkit.events.orders", "from labkit.feeds.feed import feed"),
        ("labkit.feeds.feed", "def f():\n    import labkit.services.kafka"),
        ("labkit.errors", "from labkit.events import stream"),
        ("labkit.engine.session", "from labkit import views"),
        ("labkit.engine.session", "from labkit import Orders"),
        ("labkit.views.table.model", "import labkit"),
    ],
)
def test_a_wrong_import_is_seen(module, source):
    assert len(violations(module, source)) == 1


def test_right_imports_are_let_through():
    source = "import json\nfrom labkit import settings\nfrom labkit.errors import NotFound"
    assert violations("labkit.events.orders", source) == []
    assert violations("labkit.cli", "from labkit import __version__") == []


def test_imports_name_the_whole_path():
    relative = [
        module
        for module, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_every_module_of_the_package_has_a_room():
    known = BASE | TOP | set(ROOMS[1:-1])
    assert {module.split(".")[1] for module in MODULES} <= known


def test_every_module_says_what_it_is_for():
    silent = [
        name for name, path in MODULES.items() if not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_long_modules_are_told(caplog):
    # A soft limit: a long module is worth a second look, not a failure.
    lines = {name: len(path.read_text().splitlines()) for name, path in MODULES.items()}
    for name, count in lines.items():
        if count > SOFT_LIMIT_LINES:
            logging.getLogger(__name__).warning("%s has %d lines", name, count)
    assert len(caplog.records) == sum(count > SOFT_LIMIT_LINES for count in lines.values())
