"""The marks of a task in a source notebook, and what a learner gets in their place.

    def totals(df):                      def totals(df):
        # BEGIN SOLUTION                     ...  # your turn
        return df.groupBy("user").count()
        # END SOLUTION

A line inside the block that begins ``# STUB`` is what the learner gets instead of ``...``:
``# STUB mode = ...`` becomes ``mode = ...``. A cell with the tag ``hidden`` is for readers of
``solutions/`` only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NoReturn

from labkit.errors import BadData

BEGIN, END, STUB = "# BEGIN SOLUTION", "# END SOLUTION", "# STUB "
YOUR_TURN = "...  # your turn"
# Anything that looks like a mark and is not quite one would leave the answer in the lesson.
NEARLY = re.compile(r"#.*\b(BEGIN|END)\s+SOLUTION|^\s*#\s*STUB\b", re.IGNORECASE)


def stubbed(source: str, *, place: str = "a cell") -> str:
    r"""Return a cell's code as a learner gets it: every solution block replaced by its stub.

    Parameters
    ----------
    source
        The code of the cell.
    place
        Notebook and cell, for messages.

    Raises
    ------
    BadData
        ``BAD_MARK``: a block that does not end, ends without beginning, holds another or nothing,
        a stub outside a block, or a mark that is misspelled.

    Examples
    --------
    >>> print(stubbed("x = 1\n# BEGIN SOLUTION\ny = 2\n# END SOLUTION"))
    x = 1
    ...  # your turn
    """
    lines: list[str] = []
    for part in _parts(source, place):
        lines += part.for_learner() if isinstance(part, _Block) else [part]
    return "\n".join(lines)


def answers(source: str, *, place: str = "a cell") -> list[str]:
    r"""Return the text of each solution block of a cell, without marks and stubs.

    Raises
    ------
    BadData
        ``BAD_MARK``, as :func:`stubbed`.

    Examples
    --------
    >>> answers("x = 1\n# BEGIN SOLUTION\ny = 2\n# END SOLUTION")
    ['y = 2']
    """
    blocks = [part for part in _parts(source, place) if isinstance(part, _Block)]
    return ["\n".join(block.answer) for block in blocks]


@dataclass
class _Block:
    """A solution block: where it begins, its answer, its stub lines."""

    line: int
    indent: str
    answer: list[str] = field(default_factory=list)
    stub: list[str] = field(default_factory=list)

    def for_learner(self) -> list[str]:
        return self.stub or [self.indent + YOUR_TURN]

    def take(self, line: str) -> None:
        if line.lstrip().startswith(STUB):
            self.stub.append(line.replace(STUB, "", 1))
        else:
            self.answer.append(line)


def _parts(source: str, place: str) -> list[str | _Block]:
    """Read a cell: plain lines, and its blocks in their places."""
    parts: list[str | _Block] = []
    block: _Block | None = None
    for number, line in enumerate(source.splitlines(), start=1):
        mark = line.strip()
        if mark == BEGIN:
            if block is not None:
                _refuse(place, number, f"{BEGIN} stands inside the block of line {block.line}")
            block = _Block(number, line[: line.index("#")])
            parts.append(block)
        elif mark == END:
            _check_closed(block, place, number)
            block = None
        elif NEARLY.search(line) and not (block and mark.startswith(STUB)):
            _refuse(place, number, f"{mark!r} is no mark here")
        elif block is not None:
            block.take(line)
        else:
            parts.append(line)
    if block is not None:
        _refuse(place, block.line, f"{BEGIN} has no {END} after it")
    return parts


def _check_closed(block: _Block | None, place: str, number: int) -> None:
    if block is None:
        _refuse(place, number, f"{END} has no {BEGIN} before it")
    if not "".join(block.answer).strip():
        _refuse(place, block.line, "the block holds no answer")


def _refuse(place: str, line: int, trouble: str) -> NoReturn:
    raise BadData("BAD_MARK", place=place, line=line, trouble=trouble)
