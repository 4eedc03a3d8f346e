"""Beginning a lesson: its notebook, its file of checks and its tests, with words that guide.

Everything that its author still has to say stands there as ``TO WRITE``; the tests of the
structure name each such place until it is written.
"""

from __future__ import annotations

import re
from pathlib import Path
from string import Template
from typing import Any

import nbformat

from labkit.course.making.notebooks import settled
from labkit.course.quizzes.questions import hash_of
from labkit.errors import Conflict, InvalidArgument, require_type

ROOT = Path(__file__).parents[3]
TEMPLATES = Path(__file__).parent / "templates"
HIGHEST = 99
# How the template divides into cells: a line such as `%% code: setup`, then the cell's lines.
CELL = re.compile(r"^%% (code|text)(?:: ([\w ,-]+))?\n", re.MULTILINE)


def begin(number: str, title: str, *, root: Path = ROOT) -> list[Path]:
    """Write the files of a new lesson and return their paths.

    Parameters
    ----------
    number
        ``0`` to ``99``; file names have two digits.
    title
        A few words; they become the heading and the file's name.
    root
        The clone of the course.

    Raises
    ------
    InvalidArgument
        ``OUT_OF_RANGE``: no such number, or a title that no file can bear.
    Conflict
        ``NAME_TAKEN``: the lesson, or one of its files, is there. Nothing was written.
    """
    digits = _digits(number)
    texts = {
        f"notebooks/solutions/{digits}_{_slug(title)}.ipynb": _notebook(digits, title, root),
        f"labkit/course/lessons/lesson_{digits}.py": _filled("lesson.py.txt", digits, title),
        f"tests/course/lessons/test_lesson_{digits}.py": _filled("test.py.txt", digits, title),
    }
    there = [*root.glob(f"notebooks/solutions/{digits}_*.ipynb")]
    there += [root / name for name in texts if (root / name).exists()]
    if there:
        name = str(there[0].relative_to(root))
        cure = "Choose another number, or go on writing that lesson."
        raise Conflict("NAME_TAKEN", kind="lesson file", name=name, cure=cure)
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return [root / name for name in texts]


def _digits(number: str) -> str:
    if not (number.isdecimal() and number.isascii() and int(number) <= HIGHEST):
        bound = f"a whole number from 0 to {HIGHEST}"
        raise InvalidArgument("OUT_OF_RANGE", name="the lesson's number", value=number, bound=bound)
    return f"{int(number):02}"


def _slug(title: str) -> str:
    require_type("title", title, str, expected="text")
    slug = "_".join(re.findall(r"[a-z0-9]+", title.lower()))
    # The title stands in a docstring, a heading and a table.
    if not slug or not title.isprintable() or set(title) & set('"\\|'):
        bound = "a few words on one line, without quotes, backslashes and bars"
        raise InvalidArgument("OUT_OF_RANGE", name="title", value=title, bound=bound)
    return slug


def _filled(template: str, number: str, title: str, **more: str) -> str:
    asked = hash_of("TO WRITE: the question?", "TO WRITE: the right choice")
    words = {"number": number, "title": title, "hash": asked, **more}
    return Template((TEMPLATES / template).read_text()).substitute(words)


def _notebook(number: str, title: str, root: Path) -> str:
    links = [
        f"{word}: [{path.stem[:2]}]({path.name})"
        for step, word in ((-1, "previous"), (1, "next"))
        for path in sorted(root.glob(f"notebooks/solutions/{int(number) + step:02}_*.ipynb"))
    ]
    named = "".join(f", {link}" for link in links)
    text = _filled("lesson.ipynb.txt", number, title, links=named)
    parts = CELL.split(text)[1:]
    cells = [_cell(*parts[at : at + 3]) for at in range(0, len(parts), 3)]
    made = settled(nbformat.v4.new_notebook(cells=cells), keep=None)
    written: str = nbformat.writes(made)
    return written + "\n"


def _cell(kind: str, tags: str | None, source: str) -> Any:
    make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    return make(source.strip("\n"), metadata={"tags": (tags or "").split()})
