"""What a check has found: passed or not yet, the cause in a sentence or two, and the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from labkit.errors import require_choice, require_type

Sign = Literal["=", "Δ", "+", "−"]
SIGNS: tuple[str, ...] = ("=", "Δ", "+", "−")
# The table under a verdict has no more lines.
MAX_ROWS = 12


@dataclass(frozen=True)
class CheckedRow:
    """One line of the table under a verdict.

    Parameters
    ----------
    sign
        ``=`` right, ``Δ`` another value, ``+`` came out and was not expected, ``−`` expected and
        did not come.
    place
        Which row it is, such as ``10:00 – 10:05`` or ``step 2 · anna``.
    came_out, expected
        The values on both sides; the side that has no such row is None and stays empty.
    remark
        A few words about this row; may be empty.
    """

    sign: Sign
    place: str
    came_out: Any = None
    expected: Any = None
    remark: str = ""

    def __post_init__(self) -> None:
        require_choice("sign", self.sign, SIGNS)


@dataclass(frozen=True)
class Verdict:
    """What a check gives back; made by :func:`passed` and :func:`not_yet`.

    Parameters
    ----------
    passed
        Whether the answer is right.
    cause
        Why, in one or two sentences.
    rows
        What came out beside what was expected.
    note
        What it costs, an alternative, or on what it was tried.
    place
        The heading of the table's first column.
    more
        How many rows were left out.
    """

    passed: bool
    cause: str
    rows: tuple[CheckedRow, ...] = ()
    note: str = ""
    place: str = ""
    more: int = 0


def passed(cause: str, note: str = "") -> Verdict:
    """Return the verdict on a right answer.

    Parameters
    ----------
    cause
        Why it is right, in one or two sentences with the numbers. ``**…**`` is shown bold.
    note
        What it costs, or an alternative.

    Examples
    --------
    >>> passed("No row was lost: **3, 2 and 1**, as expected.").passed
    True
    """
    require_type("cause", cause, str, expected="text")
    return Verdict(passed=True, cause=cause, note=note)


def not_yet(
    cause: str, rows: Sequence[CheckedRow] = (), note: str = "", *, place: str = ""
) -> Verdict:
    """Return the verdict on an answer that is not right yet.

    Parameters
    ----------
    cause
        The likely cause, in one or two sentences with the numbers. ``**…**`` is shown bold.
    rows
        What came out beside what was expected, the rows that are right included. Of more than
        12 those that are right are left out first.
    note
        On what it was tried, or anything else that helps; may be empty.
    place
        The heading of the table's first column, such as ``window (UTC)``.

    Examples
    --------
    >>> not_yet("Two rows were dropped.", [CheckedRow("Δ", "10:00 – 10:05", 2, 3)]).passed
    False
    """
    require_type("cause", cause, str, expected="text")
    kept = _cut(tuple(rows))
    more = len(rows) - len(kept)
    return Verdict(passed=False, cause=cause, rows=kept, note=note, place=place, more=more)


def _cut(rows: tuple[CheckedRow, ...]) -> tuple[CheckedRow, ...]:
    odd = [place for place, row in enumerate(rows) if row.sign != "="]
    right = [place for place, row in enumerate(rows) if row.sign == "="]
    return tuple(rows[place] for place in sorted([*odd, *right][:MAX_ROWS]))
