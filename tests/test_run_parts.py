"""The runner of the parts: what failed, crashed, or was skipped in CI never looks like success."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

RUNNER = Path(__file__).with_name("run_parts.py")
TESTS = {
    "passes": "def test_it(): pass",
    "fails": "def test_it(): assert False",
    "breaks": "import nothing_of_this_name",
    "skips": "import pytest\ndef test_it(): pytest.skip('no Chromium here')",
    "example": '"""\n>>> start_a_jvm()  # doctest: +SKIP\n"""',
    "empty": "",
}


@pytest.fixture(scope="module")
def runner():
    spec = importlib.util.spec_from_file_location("run_parts", RUNNER)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "run_parts", module)  # dataclasses look themselves up there
        spec.loader.exec_module(module)
        yield module


@pytest.fixture(scope="module")
def tallies(runner, tmp_path_factory):
    """Return what one real run of each kind of outcome came to."""
    folder = tmp_path_factory.mktemp("parts")
    for name, text in TESTS.items():
        (folder / f"test_{name}.py").write_text(text)
    options = ("-p", "no:cacheprovider", "--doctest-modules")
    parts = {name: [(*runner.PYTEST, *options, f"test_{name}.py")] for name in TESTS}
    parts |= {"no pytest": [("true",)], "no pytest, fails": [("false",), ("true",)]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        patch.setattr(runner, "PARTS", parts)
        patch.setattr(runner, "ROOT", folder)
        return {name: runner.run_part(name) for name in parts}


@pytest.mark.parametrize(
    ("part", "passed", "failed", "skipped"),
    [
        ("passes", 1, 0, 0),
        ("fails", 0, 1, 0),
        ("breaks", 0, 1, 0),
        ("skips", 0, 0, 1),
        ("example", 0, 0, 0),
        ("empty", 0, 1, 0),
        ("no pytest", 1, 0, 0),
        ("no pytest, fails", 1, 1, 0),
    ],
)
def test_each_outcome_is_counted(tallies, part, passed, failed, skipped):
    tally = tallies[part]
    assert (tally.passed, tally.failed, len(tally.skips)) == (passed, failed, skipped)


@pytest.fixture
def summary(runner, tallies, monkeypatch, capsys):
    """Return a function that tells the exit status and the lines of a run of these parts."""
    monkeypatch.setattr(runner, "PARTS", tallies)
    monkeypatch.setattr(runner, "run_part", tallies.get)

    def of(names, *, ci):
        monkeypatch.setenv("CI", ci)
        return runner.main(names), capsys.readouterr().out.splitlines()

    return of


def test_all_parts_run_whatever_fails(summary):
    status, lines = summary([], ci="")
    assert (status, lines[-1]) == (1, "3 passed, 4 failed")


@pytest.mark.parametrize(("ci", "failed"), [("", 0), ("true", 1)])
def test_a_skip_is_told_and_fails_in_ci(summary, ci, failed):
    status, lines = summary(["passes", "skips"], ci=ci)
    assert (status, lines[-1]) == (failed, f"1 passed, {failed} failed")
    assert "no Chromium here" in lines[-2]
