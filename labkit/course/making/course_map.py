"""The course map in notebooks/README.md: a row for each lesson, made from its first cell."""

from __future__ import annotations

import re
from pathlib import Path

from labkit.course.making.notebooks import COURSE, read, sources

HEAD = "| # | lesson | its question | minutes | needs |\n|---|---|---|---|---|"
TABLE = re.compile(r"^\| # \|.*(?:\n\|.*)*", re.MULTILINE)
UNSAID = "–"


def row(source: Path) -> str:
    """Return the row of a lesson.

    Parameters
    ----------
    source
        Its notebook; what its first cell does not say is a dash.
    """
    cells = read(source).cells
    first = cells[0].source if cells else ""
    said = [
        _first(rf"^# {source.name[:2]} (.+)", first),
        _first(r"\*\*([^*]+\?)\*\*", first),
        _first(r"\b(\d+) minutes\b", first),
        _first(r"\bNeeds ([^.]+)\.", first),
    ]
    return " | ".join([f"| [{source.name[:2]}]({source.name})", *said]) + " |"


def table(course: Path = COURSE) -> str:
    """Return the map: the rows of all lessons, under their head."""
    return "\n".join([HEAD, *(row(source) for source in sources(course=course))])


def write(course: Path = COURSE) -> bool:
    """Bring the map up to date; return whether anything changed."""
    page = course / "README.md"
    before = page.read_text()
    after = TABLE.sub(lambda _: table(course), before, count=1)
    page.write_text(after)
    return after != before


def _first(form: str, text: str) -> str:
    found = re.search(form, text, re.MULTILINE)
    return " ".join(found[1].split()).replace("|", "\\|") if found else UNSAID
