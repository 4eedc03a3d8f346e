"""Which output mode runs with which operation and sink: tried, not looked up.

``attempt`` runs one cell of the table on Spark; ``truth_table()`` shows the cells that this
kernel has tried. What all cells said on the Spark that the lab is made for stands in
``truth_table.csv``; a test measures it again, so that a new Spark shows where it differs.

    python -m labkit.course.truth.table          measure every cell, and write that file again
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from labkit.course.truth.cells import SINKS, Attempt, try_cell
from labkit.course.truth.operations import OPERATIONS
from labkit.course.truth.page import Cell, Mark, draw_html, draw_text
from labkit.engine.modes import MODES
from labkit.engine.refusal import explain
from labkit.engine.session import spark

__all__ = ["Attempt", "TruthTable", "attempt", "truth_table"]

MEASURED = Path(__file__).with_name("truth_table.csv")
# An operation's own rule does not depend on the sink, so three of them are enough for the sinks.
TRIED_ON_ALL_SINKS = ("where, select", "groupBy", "window, watermark")
# A batch waits more than it calculates, so two at a time take little longer than one.
AT_ONCE = 2


class Finding(NamedTuple):
    """One line of the file: what Spark did, and how its message begins."""

    operation: str
    sink: str
    mode: str
    outcome: str
    spark_says: str


class TruthTable:
    """The table of output mode, operation and sink, with the cells tried in this kernel.

    Where it is shown as the last expression of a cell, it fills while later cells try more.
    """

    def __init__(self) -> None:
        self._tried: dict[Cell, Attempt] = {}
        self._display: Any = None

    def note(self, one: Attempt) -> None:
        """Take an attempt into the table."""
        self._tried[one.operation, one.sink, one.mode] = one
        if self._display is not None:
            self._display.update(self._bundle(), raw=True)

    @property
    def tried(self) -> tuple[Attempt, ...]:
        """The attempts so far, one for each cell."""
        return tuple(self._tried.values())

    def __repr__(self) -> str:
        return draw_text(self._marks())

    def _repr_html_(self) -> str:
        return draw_html(self._marks())

    def _ipython_display_(self) -> None:
        from IPython.display import display  # noqa: PLC0415 - only in a notebook

        self._display = display(self._bundle(), raw=True, display_id=True)

    def _bundle(self) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def _marks(self) -> dict[Cell, Mark]:
        names = {one.name for one in OPERATIONS if one.given}
        given = {
            (f.operation, f.sink, f.mode): Mark(f.outcome, _reason(f), is_given=True)
            for f in measured()
            if f.operation in names and f.sink == "memory"
        }
        own = {cell: Mark(one.outcome, one.reason) for cell, one in self._tried.items()}
        return given | own


_table = TruthTable()


def attempt(operation: str, mode: str, sink: str = "memory") -> Attempt:
    """Try one operation in one output mode on one sink, and say what Spark does with it.

    A query starts over two small files, runs until it has read them, and is gone again: it runs
    in a session of its own and leaves no query, table or file behind.

    Parameters
    ----------
    operation
        A name from ``truth_table()``, such as ``"groupBy"``.
    mode
        ``append``, ``update`` or ``complete``.
    sink
        ``memory``, ``console``, ``noop``, ``foreach``, ``foreachBatch``, ``parquet``, ``json``,
        ``csv`` or ``toTable``.

    Returns
    -------
    Attempt
        ``.outcome``, ``.reason``, ``.refusal``; it also stands in ``truth_table()`` from now on.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` or ``UNKNOWN_CHOICE``; nothing was started.
    NotReady
        ``NOT_READY``: the query was not through after 300 s (real clock).

    Examples
    --------
    >>> attempt("groupBy", "append").outcome  # doctest: +SKIP
    'refused'
    """
    found = try_cell(operation, mode, sink)
    _table.note(found)
    return found


def truth_table() -> TruthTable:
    """Return the table of what this kernel has tried so far.

    Cells that nobody has tried are empty. Operations of later lessons are given, as measured.

    Examples
    --------
    >>> truth_table()  # doctest: +SKIP
    """
    return _table


@cache
def measured() -> tuple[Finding, ...]:
    """Return what every cell said when the file was written."""
    with MEASURED.open(newline="", encoding="utf-8") as file:
        return tuple(Finding(**row) for row in csv.DictReader(file))


def measure() -> Iterator[Finding]:
    """Try every cell now, in the order of the file."""
    spark()  # one thread starts it
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(_find, all_cells())


def all_cells() -> list[Cell]:
    """Return every cell: all operations on the memory sink, and some on the others."""
    on_memory = [(one.name, "memory") for one in OPERATIONS]
    on_others = [(name, sink) for name in TRIED_ON_ALL_SINKS for sink in SINKS[1:]]
    return [(name, sink, mode) for name, sink in on_memory + on_others for mode in MODES]


def _find(cell: Cell) -> Finding:
    operation, sink, mode = cell
    one = try_cell(operation, mode, sink)
    return Finding(operation, sink, mode, one.outcome, one.refusal.words if one.refusal else "")


def _reason(finding: Finding) -> str:
    return explain(finding.mode, finding.spark_says).reason if finding.spark_says else ""


def main() -> int:
    """Measure every cell and write the file."""
    found = list(measure())
    with MEASURED.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Finding._fields)
        writer.writerows(found)
    print(f"{len(found)} cells are in {MEASURED.name}")  # noqa: T201 - a command's own words
    return 0


if __name__ == "__main__":
    sys.exit(main())
