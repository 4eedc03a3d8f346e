"""Whether two rows say the same: what a right answer may differ in does not count.

The order of rows and of columns, a whole number or a fraction of the same value, a struct or a
tuple, upper or lower case in the name of a column: none of it matters. Fractions may differ by
one part in a thousand million, since Spark adds them in another order on each machine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from labkit.views.cells import is_window, text_of

TOLERANCE = 1e-9

Row = Mapping[str, Any]


def same_value(got: Any, wanted: Any) -> bool:  # noqa: PLR0911 - one line per kind of value
    """Return whether two values mean the same.

    A wanted text also fits a time or a window that is shown so: ``"10:00 – 10:05"``.

    Examples
    --------
    >>> same_value(3, 3.0), same_value(0.1 + 0.2, 0.3), same_value(None, 0)
    (True, True, False)
    """
    if got is None or wanted is None:
        return got is wanted
    if isinstance(got, bool) or isinstance(wanted, bool):
        return got is wanted
    if _is_number(got) and _is_number(wanted):
        return _same_number(got, wanted)
    if isinstance(got, datetime) and isinstance(wanted, datetime):
        return _instant(got) == _instant(wanted)
    if isinstance(wanted, str) and (isinstance(got, datetime) or is_window(got)):
        return text_of(got) == wanted
    if _is_nested(got) and _is_nested(wanted):
        return _same_nested(got, wanted)
    return bool(got == wanted)


def same_row(got: Row, wanted: Row, *, by_name: bool) -> bool:
    """Return whether two rows say the same.

    Parameters
    ----------
    got, wanted
        Rows with the same number of columns.
    by_name
        Whether columns belong together by their names (upper or lower case), else by their places.
    """
    if len(got) != len(wanted):
        return False
    if not by_name:
        return all(map(same_value, got.values(), wanted.values()))
    other = {name.lower(): value for name, value in got.items()}
    return all(
        name.lower() in other and same_value(other[name.lower()], value)
        for name, value in wanted.items()
    )


def split(
    got: Sequence[Row], wanted: Sequence[Row], *, by_name: bool = True
) -> tuple[list[Row], list[Row], list[Row]]:
    """Pair the rows of two sets; return those in both, those only got, those only wanted.

    A row that comes twice must come twice on the other side, too.

    Examples
    --------
    >>> split([{"a": 1}, {"a": 2}], [{"A": 2}, {"A": 3}])
    ([{'A': 2}], [{'a': 1}], [{'A': 3}])
    """
    left, both, missing = list(got), [], []
    for row in wanted:
        place = next((i for i, one in enumerate(left) if same_row(one, row, by_name=by_name)), None)
        if place is None:
            missing.append(row)
        else:
            both.append(row)
            del left[place]
    return both, left, missing


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal)


def _same_number(got: Any, wanted: Any) -> bool:
    if isinstance(got, int) and isinstance(wanted, int):
        return got == wanted
    one, other = float(got), float(wanted)
    return (
        (math.isnan(one) and math.isnan(other))
        or one == other
        or math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    )


def _instant(time: datetime) -> datetime:
    # Spark's time is UTC here; a time without a zone is meant so, too.
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time


def _is_nested(value: Any) -> bool:
    return isinstance(value, tuple | list | Mapping)


def _same_nested(got: Any, wanted: Any) -> bool:
    one, other = _named(got), _named(wanted)
    if one is not None and other is not None:
        return same_row(one, other, by_name=True)
    values, others = _values(got), _values(wanted)
    return len(values) == len(others) and all(map(same_value, values, others))


def _named(value: Any) -> dict[str, Any] | None:
    names = getattr(value, "__fields__", None)
    if names is not None:
        return dict(zip(names, value, strict=False))
    if isinstance(value, Mapping):
        return {str(name): part for name, part in value.items()}
    return None


def _values(value: Any) -> list[Any]:
    return list(value.values() if isinstance(value, Mapping) else value)
