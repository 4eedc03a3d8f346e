"""Everything in this folder runs or reads the course's notebooks."""

from __future__ import annotations

from pathlib import Path

COURSE = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(
    path
    for path in COURSE.rglob("[0-9][0-9]_*.ipynb")
    if not any(part.startswith(".") for part in path.relative_to(COURSE).parts)
)


def pytest_generate_tests(metafunc):
    if "notebook_path" in metafunc.fixturenames:
        metafunc.parametrize(
            "notebook_path", NOTEBOOKS, ids=lambda path: str(path.relative_to(COURSE))
        )
