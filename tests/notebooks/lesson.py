"""A notebook as the rules see it: its cells, what is in them, and what stands around it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from labkit.course.making.marks import BEGIN, END, STUB
from labkit.course.making.notebooks import read, tags


@dataclass(frozen=True)
class Lesson:
    """One version of a lesson; ``notebook`` is given where it is not what lies on the disk."""

    path: Path
    notebook: Any
    root: Path

    @property
    def number(self) -> str:
        return self.path.name[:2]

    @property
    def is_source(self) -> bool:
        return self.path.parent.name == "solutions"

    @property
    def has_checks(self) -> bool:
        """Whether the lesson has its file of checks; before that it is a draft without tasks."""
        file = f"labkit/course/lessons/lesson_{self.number}.py"
        return (self.root / file).exists()

    @cached_property
    def cells(self) -> list[tuple[int, Any]]:
        return list(enumerate(self.notebook.cells))

    @property
    def seen(self) -> list[tuple[int, Any]]:
        """The cells that a learner gets."""
        return [(n, cell) for n, cell in self.cells if "hidden" not in tags(cell)]

    @property
    def core(self) -> list[tuple[int, Any]]:
        """The cells before the part "Further", on which no task of the core depends."""
        kept = []
        for n, cell in self.seen:
            if cell.cell_type == "markdown" and re.match(r"## Further\b", cell.source):
                break
            kept.append((n, cell))
        return kept

    @property
    def code(self) -> list[tuple[int, Any]]:
        return [(n, cell) for n, cell in self.cells if cell.cell_type == "code"]

    @property
    def text(self) -> list[tuple[int, Any]]:
        return [(n, cell) for n, cell in self.cells if cell.cell_type == "markdown"]

    def tagged(self, tag: str) -> list[tuple[int, Any]]:
        return [(n, cell) for n, cell in self.cells if tag in tags(cell)]

    def other(self) -> Any:
        """The notebook of the source that this lesson was made from."""
        return read(self.path.parent / "solutions" / self.path.name)


def lines_of(cell: Any) -> list[str]:
    """The code lines that count: no marks, no stubs, no empty lines."""
    lines = (line.strip() for line in cell.source.splitlines())
    return [line for line in lines if line and line not in (BEGIN, END) and STUB not in f"{line} "]


def calls_of(cell: Any) -> list[ast.Call]:
    """Every call in a cell's code; a cell that Python cannot read has none."""
    try:
        tree = ast.parse(cell.source)
    except SyntaxError:
        return []
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def called(call: ast.Call) -> str:
    """The last part of what is called: ``sleep`` of ``time.sleep(1)``."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def prose_of(cell: Any) -> str:
    """A text cell without code, links' targets and pictures."""
    text = re.sub(r"```.*?```|`[^`]*`", "", cell.source, flags=re.DOTALL)
    return re.sub(r"!\[|\]\([^)]*\)", "", text)


def links_of(cell: Any) -> list[str]:
    text = re.sub(r"```.*?```|`[^`]*`", "", cell.source, flags=re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", text)


def anchors_of(path: Path) -> set[str]:
    """The headings of a page as links name them: Jupyter keeps the words, GitHub does not."""
    if path.suffix == ".ipynb":
        pages = [cell.source for cell in read(path).cells if cell.cell_type == "markdown"]
    else:
        pages = [path.read_text()]
    found = set()
    for page in pages:
        for heading in re.findall(r"^#+ +(.+?) *$", page, re.MULTILINE):
            plain = re.sub(r"[`*]", "", heading)
            github = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
            found |= {plain.replace(" ", "-")} if path.suffix == ".ipynb" else {github}
    return found
