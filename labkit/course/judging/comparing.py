"""Comparing what a query sent with what it should send, step by step.

``compare`` gives None when both are equal, else a verdict whose cause is that of the first typical
mistake whose rows fit. What does not matter is told in :mod:`labkit.course.judging.sameness`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from labkit.course.judging.sameness import Row, same_value, split
from labkit.course.judging.verdicts import CheckedRow, Verdict, not_yet
from labkit.course.running.trouble import words_of
from labkit.errors import require_choice, require_type
from labkit.views.cells import plural, text_of


@dataclass(frozen=True)
class Mistake:
    """What a typical wrong answer sends.

    Parameters
    ----------
    cause
        Why such rows come out, in one or two sentences. ``**…**`` is shown bold.
    rows
        The rows per step (or, like ``expected``, of one table), written down or worked out by
        plain Python from the input.
    """

    cause: str
    rows: Sequence[Any]


def compare(
    run_or_rows: Any,
    expected: Sequence[Any],
    *,
    mistakes: Sequence[Mistake] = (),
    key: str | Sequence[str] | None = None,
    columns: Literal["names", "places"] = "names",
) -> Verdict | None:
    """Compare rows per step; the order of rows inside a step does not matter.

    Parameters
    ----------
    run_or_rows
        What ``lab.run_stream`` gave, a list of steps (each a list of dicts or Rows), or one list
        of rows: a table.
    expected
        The rows per step, or of the table. A text fits a time or window that is shown so.
    mistakes
        Typical wrong answers; the first whose rows fit tells the cause.
    key
        The columns that say which rows belong together; None: all that hold no number.
    columns
        ``names``: columns belong together by name, upper or lower case; ``places``: by place,
        whatever they are called.

    Returns
    -------
    Verdict or None
        None when everything is equal.

    Examples
    --------
    >>> compare([[{"n": 1}]], [[{"n": 1.0}]]) is None
    True
    >>> compare([[{"who": "anna", "n": 5}]], [[{"who": "anna", "n": 9}]]).rows[0].sign
    'Δ'
    """
    require_choice("columns", columns, ("names", "places"))
    error = getattr(run_or_rows, "error", None)
    if error is not None:
        return not_yet(words_of(error))
    by_name, is_table = columns == "names", _is_table(expected)
    got, wanted = _steps(run_or_rows, flat=is_table), _steps(expected)
    if not _differs(got, wanted, by_name=by_name):
        return None
    cause = _known_cause(got, mistakes, by_name=by_name)
    if not cause and by_name and (odd := _column_cause(got, wanted)):
        return not_yet(odd)  # beside each other such rows say nothing
    cause = cause or _general_cause(got, wanted, by_name=by_name)
    keys = _keys(wanted or got, key)
    lines = _lines(got, wanted, keys, by_name=by_name, is_table=is_table)
    return not_yet(cause, lines, place=" · ".join(([] if is_table else ["step"]) + list(keys)))


def _is_table(rows: Any) -> bool:
    return bool(rows) and (isinstance(rows[0], Mapping) or hasattr(rows[0], "asDict"))


def _steps(run_or_rows: Any, *, flat: bool = False) -> list[list[Row]]:
    """Return rows per step as dicts; a table is a single step."""
    if hasattr(run_or_rows, "steps"):
        source = [run_or_rows.table] if flat else [step.rows for step in run_or_rows.steps]
    else:
        rows = require_type("rows", run_or_rows, list | tuple, expected="a list of rows or steps")
        source = [rows] if flat or _is_table(rows) else rows
    return [[_as_dict(row) for row in step] for step in source]


def _as_dict(row: Any) -> Row:
    made = row.asDict() if hasattr(row, "asDict") else row
    return require_type("a row", made, dict, expected="a dict or a Row")


def _differs(got: list[list[Row]], wanted: list[list[Row]], *, by_name: bool) -> bool:
    if len(got) != len(wanted):
        return True
    for one, other in zip(got, wanted, strict=True):
        _, extra, missing = split(one, other, by_name=by_name)
        if extra or missing:
            return True
    return False


def _known_cause(got: list[list[Row]], mistakes: Sequence[Mistake], *, by_name: bool) -> str:
    for mistake in mistakes:
        if not _differs(got, _steps(mistake.rows), by_name=by_name):
            return mistake.cause
    return ""


def _column_cause(got: list[list[Row]], wanted: list[list[Row]]) -> str:
    first, other = _first_row(got), _first_row(wanted)
    if first is None or other is None or {n.lower() for n in first} == {n.lower() for n in other}:
        return ""
    return f"Your rows have the columns **{_listed(first)}**, expected were **{_listed(other)}**."


def _first_row(steps: list[list[Row]]) -> Row | None:
    return next((row for step in steps for row in step), None)


def _listed(row: Row) -> str:
    return ", ".join(row)


def _general_cause(got: list[list[Row]], wanted: list[list[Row]], *, by_name: bool) -> str:
    all_got, all_wanted = [r for s in got for r in s], [r for s in wanted for r in s]
    if not all_got:
        return f"No row came out. Expected were **{plural(len(all_wanted), 'row')}**."
    both, extra, missing = split(all_got, all_wanted, by_name=by_name)
    if not extra and not missing:
        return "Your rows are the expected ones, but they come out in other steps."
    parts = []
    if missing:
        parts.append(f"**{plural(len(missing), 'expected row')}** did not come out")
    if extra:
        parts.append(f"**{plural(len(extra), 'other row')}** came out")
    right = f"{plural(len(both), 'row')} {'is' if len(both) == 1 else 'are'} right"
    return f"{' and '.join(parts)}; {right}."


def _keys(steps: list[list[Row]], key: str | Sequence[str] | None) -> tuple[str, ...]:
    if key is not None:
        return (key,) if isinstance(key, str) else tuple(key)
    rows = [row for step in steps for row in step]
    names = list(rows[0]) if rows else []
    return tuple(n for n in names if not any(_counts(row.get(n)) for row in rows))


def _counts(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float)


def _lines(
    got: list[list[Row]],
    wanted: list[list[Row]],
    keys: tuple[str, ...],
    *,
    by_name: bool,
    is_table: bool,
) -> list[CheckedRow]:
    lines: list[CheckedRow] = []
    for number in range(max(len(got), len(wanted))):
        one = got[number] if number < len(got) else []
        other = wanted[number] if number < len(wanted) else []
        step = [] if is_table else [f"step {number + 1}"]
        both, extra, missing = split(one, other, by_name=by_name)
        lines += [
            CheckedRow("=", _place(row, keys, step), v := _rest(row, keys), v) for row in both
        ]
        for row in missing:
            twin = _twin(row, extra, keys)
            place = _place(row, keys, step)
            if twin is None:
                lines.append(CheckedRow("−", place, None, _rest(row, keys), "did not come"))
            else:
                extra.remove(twin)
                lines.append(CheckedRow("Δ", place, _rest(twin, keys), _rest(row, keys)))
        lines += [
            CheckedRow("+", _place(row, keys, step), _rest(row, keys), None, "not expected")
            for row in extra
        ]
    return lines


def _twin(row: Row, others: list[Row], keys: tuple[str, ...]) -> Row | None:
    if not keys:
        return None
    return next(
        (o for o in others if all(same_value(_get(o, k), _get(row, k)) for k in keys)), None
    )


def _get(row: Row, name: str) -> Any:
    return next((value for key, value in row.items() if key.lower() == name.lower()), None)


def _place(row: Row, keys: tuple[str, ...], step: list[str]) -> str:
    return " · ".join([*step, *(text_of(_get(row, key)) for key in keys)])


def _rest(row: Row, keys: tuple[str, ...]) -> str:
    low = {key.lower() for key in keys}
    rest = {name: value for name, value in row.items() if name.lower() not in low}
    if len(rest) == 1:
        return text_of(*rest.values())
    return ", ".join(f"{name} {text_of(value)}" for name, value in rest.items()) or "the row"
