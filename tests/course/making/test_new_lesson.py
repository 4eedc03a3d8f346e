"""A lesson that was just begun: complete in form, and every gap in it is told."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from labkit.course.making import new_lesson
from labkit.course.making.commands import notebooks
from labkit.course.making.new_lesson import begin
from labkit.course.making.notebooks import for_learners, read
from labkit.errors import Conflict, InvalidArgument

ROOT = Path(__file__).parents[3]
FILES = [
    "labkit/course/lessons/lesson_16.py",
    "notebooks/solutions/16_crash_lab_2.ipynb",
    "tests/course/lessons/test_lesson_16.py",
]


def files(root):
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_it_writes_three_files_that_can_be_read(tmp_path):
    begin("16", "Crash lab 2", root=tmp_path)
    assert files(tmp_path) == FILES
    notebook = read(tmp_path / FILES[1])
    assert notebook.cells[0].source.startswith("# 16 Crash lab 2\n")
    assert 'lab.check("16.1", totals_of)' in [cell.source for cell in notebook.cells]
    answer = next(c for c in for_learners(notebook).cells if "answer" in c.metadata.get("tags", []))
    assert answer.source == "def totals_of(df):\n    ...  # your turn"
    for name in (FILES[0], FILES[2]):
        ast.parse((tmp_path / name).read_text())


@pytest.mark.parametrize("words", [("check",), ("format", "--check")])
def test_its_files_are_as_the_house_wants_them(tmp_path, words):
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    begin("16", "Crash lab", root=tmp_path)
    ruff = [sys.executable, "-m", "ruff", *words]
    # In the clone labkit/course/lessons/ has its __init__.py.
    rules = ["--ignore", "INP001"] if words == ("check",) else []
    run = subprocess.run(
        [*ruff, *rules, "."], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout


def test_its_file_of_checks_can_be_imported(tmp_path):
    checks, names = begin("16", "Crash lab", root=tmp_path)[1], {"__name__": "lesson_16"}
    exec(compile(checks.read_text(), str(checks), "exec"), names)  # noqa: S102 - our template
    task = names["totals_of"]
    assert (task.id, len(task.hints), len(names["QUIZ"])) == ("16.1", 3, 1)
    assert names["QUIZ"][0].right == 0


def test_it_links_to_its_neighbours(tmp_path):
    begin("3", "Modes", root=tmp_path)
    begin("5", "Kafka", root=tmp_path)
    first = read(begin("4", "Triggers", root=tmp_path)[0]).cells[0].source
    assert "previous: [03](03_modes.ipynb), next: [05](05_kafka.ipynb)." in first


def test_it_overwrites_nothing(tmp_path):
    begin("16", "Crash lab", root=tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    with pytest.raises(Conflict) as taken:
        begin("16", "Another title", root=tmp_path)
    assert taken.value.params["name"] == "notebooks/solutions/16_crash_lab.ipynb"
    (tmp_path / "notebooks/solutions/16_crash_lab.ipynb").unlink()
    with pytest.raises(Conflict, match="lesson_16"):
        begin("16", "Crash lab", root=tmp_path)
    assert set(files(tmp_path)) < set(before)
    assert all((tmp_path / name).read_bytes() == before[name] for name in files(tmp_path))


@pytest.mark.parametrize("number", ["100", "-1", "x", "1.5", "", "²"])
def test_a_number_that_no_lesson_can_have(number, tmp_path):
    with pytest.raises(InvalidArgument, match="from 0 to 99"):
        begin(number, "Title", root=tmp_path)
    assert files(tmp_path) == []


@pytest.mark.parametrize("title", ["", "  ", "…", 'a "b"', "a\nb", "a\\b", "a | b"])
def test_a_title_that_no_file_can_bear(title, tmp_path):
    with pytest.raises(InvalidArgument) as refused:
        begin("16", title, root=tmp_path)
    assert (refused.value.code, refused.value.params["value"]) == ("OUT_OF_RANGE", title)
    assert files(tmp_path) == []


def test_the_command_says_what_it_wrote_and_what_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(new_lesson, "ROOT", tmp_path)
    monkeypatch.setattr(new_lesson.begin, "__kwdefaults__", {"root": tmp_path})
    result = CliRunner().invoke(notebooks, ["new", "16", "Crash lab 2"])
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert sorted(line.removeprefix("wrote ") for line in lines[:3]) == FILES
    assert lines[3].endswith("labkit notebooks build 16")
