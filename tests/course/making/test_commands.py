"""``labkit notebooks build``: a line for each lesson, its troubles, and the exit status."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from labkit.course.making import building, commands, course_map
from labkit.course.making.building import Outcome
from labkit.course.making.commands import notebooks
from labkit.errors import MissingNeed

WELL = Outcome("00_a.ipynb", 3.04)
ILL = Outcome("01_b.ipynb", 2, ("source, cell 4: NameError: x",))


def run(*words):
    return CliRunner().invoke(notebooks, words)


@pytest.fixture
def outcomes(monkeypatch):
    """Return the list that stands for what building and comparing come to, and their calls."""
    given, calls = [], []
    for name in ("build", "drifted"):
        monkeypatch.setattr(
            building, name, lambda *_, name=name, **options: calls.append((name, options)) or given
        )
    monkeypatch.setattr(course_map, "write", lambda: calls.append(("map", {})) or True)
    return given, calls


@pytest.mark.parametrize(("ends", "status"), [([WELL], 0), ([WELL, ILL], 1)])
def test_build_tells_each_lesson_and_brings_the_map_up_to_date(outcomes, ends, status):
    given, calls = outcomes
    given.extend(ends)
    result = run("build", "00", "--jobs", "1")
    assert result.exit_code == status
    assert calls == [("build", {"jobs": 1}), ("map", {})]
    first = result.output.splitlines()[0]
    assert first.split() == ["00_a.ipynb", "well", "3.0", "s"]
    assert ("    source, cell 4: NameError: x" in result.output.splitlines()) == bool(status)
    assert f"{len(ends)} lessons, {status} failed" in result.output
    assert "README.md has changed" in result.output


@pytest.mark.parametrize(
    ("words", "run_it"), [(("--check",), True), (("--check", "--no-run"), False)]
)
def test_check_writes_nothing(outcomes, words, run_it):
    given, calls = outcomes
    given.append(ILL)
    result = run("build", *words)
    assert result.exit_code == 1
    assert "1 lessons, 1 drifted" in result.output
    assert calls == [("drifted", {"run": run_it, "jobs": 2})]


def test_a_build_cannot_leave_out_the_run(outcomes):
    result = run("build", "--no-run")
    assert (result.exit_code, outcomes[1]) == (2, [])
    assert "--no-run goes with --check" in result.output


def test_a_package_that_is_missing_is_named_with_its_cure(monkeypatch):
    monkeypatch.setattr(commands, "find_spec", lambda _: None)
    for words in (["build"], ["new", "16", "Title"], ["test"]):
        error = run(*words).exception
        assert isinstance(error, MissingNeed)
        assert "make unit" in str(error)
