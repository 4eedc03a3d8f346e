"""How a file writes its dates and numbers, found out from the file itself.

``1/3/2012`` may be a day in January or in March, and ``1,234`` may be more than a thousand or a
little more than one. One file keeps to one way, so the whole file is looked at first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from labkit.events.cells import BIGINT_MOST
from labkit.events.delimited import Delimited, bad_file

MISSING = frozenset({"", "-", "--", ".", "?", "n/a", "na", "nan", "none", "null", "#n/a"})
_MONTHS = "january february march april may june july august september october november december"
_ZONE = r"(?: ?(?:Z|UTC|GMT|[+-]\d{2}:?(?:\d{2})?))?"
_CLOCK = r"(?:[T ]+\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[ap]m)?" + _ZONE + ")?"


def _pattern(day: str) -> re.Pattern[str]:
    return re.compile(day + _CLOCK, re.ASCII | re.IGNORECASE)


_YEAR_FIRST = _pattern(r"(\d{4})([/.-])(\d{1,2})\2(\d{1,2})")
_COMPACT = _pattern(r"(\d{4})(\d{2})(\d{2})")
# Two digits for a year only after a slash (spreadsheets) or dot: 12-01-03 could begin with either.
_YEAR_LAST = _pattern(r"(\d{1,2})(?:(-)(\d{1,2})-(\d{4})|([/.])(\d{1,2})\5(\d{4}|\d{2}))")
_DAY_NAMED = _pattern(r"(\d{1,2})[ /-]([a-z]{3,9})\.?[ /,-]+(\d{4}|\d{2})")
_MONTH_NAMED = _pattern(r"([a-z]{3,9})\.? (\d{1,2}),? (\d{4})")


class DateSpelling:
    """The way in which one file writes its dates; :meth:`read` keeps to it.

    Parameters
    ----------
    day_first
        What ``1/3/2012`` means: the first of March (True) or the third of January.
    """

    def __init__(self, *, day_first: bool = False) -> None:
        self.day_first = day_first
        self._known: dict[str, date] = {}

    def read(self, text: str) -> date:
        """Return the day as it is written; a time or zone behind it changes nothing.

        Raises
        ------
        ValueError
            ``text`` is no date in a known spelling.

        Examples
        --------
        >>> DateSpelling().read("03-Jan-12")
        datetime.date(2012, 1, 3)
        """
        known = self._known.get(text)
        if known is None:
            known = self._known[text] = self._parse(text.strip())
        return known

    def _parse(self, text: str) -> date:
        if match := _YEAR_FIRST.fullmatch(text):
            return date(int(match[1]), int(match[3]), int(match[4]))
        if match := _COMPACT.fullmatch(text):
            return date(int(match[1]), int(match[2]), int(match[3]))
        if match := _DAY_NAMED.fullmatch(text):
            return date(_year(match[3]), _month(match[2]), int(match[1]))
        if match := _MONTH_NAMED.fullmatch(text):
            return date(_year(match[3]), _month(match[1]), int(match[2]))
        one, two, year = _year_last(text)
        month, day = (two, one) if self.day_first else (one, two)
        return date(year, month, day)


def date_spelling(table: Delimited, column: str) -> DateSpelling:
    """Find out how the date column of a file is written.

    Dates such as ``1/3/2012`` are read month first, or day first when only that makes every row a
    date, or when month first puts rows on weekends and day first puts none there. Written with
    dots (``3.1.2012``), day first is tried first instead.

    Raises
    ------
    BadData
        ``BAD_VALUE``: a row is a date in neither way.
    """
    place = table.places[column]
    cells = ((line, cells[place].strip()) for line, cells in table.rows())
    unclear = [(line, text) for line, text in cells if _YEAR_LAST.fullmatch(text)]
    has_dots = any("." in text.split()[0] for _, text in unclear)
    readings = [_Reading(unclear, day_first=first) for first in (has_dots, not has_dots)]
    best = min(readings, key=lambda reading: (len(reading.failed), reading.weekend_days > 0))
    if best.failed:
        line, text = best.failed[0]
        raise table.bad_value(line, column, text, "a date, in the way the other rows are written")
    return best.spelling


class _Reading:
    """One way of reading a file's unclear dates, and what speaks against it."""

    def __init__(self, cells: Iterable[tuple[int, str]], *, day_first: bool) -> None:
        self.spelling = DateSpelling(day_first=day_first)
        self.failed: list[tuple[int, str]] = []
        self.weekend_days = 0
        for line, text in cells:
            try:
                # Markets are closed on weekends (crypto is not, so this alone refuses nothing).
                self.weekend_days += self.spelling.read(text).weekday() > 4
            except ValueError:
                self.failed.append((line, text))


def _year_last(text: str) -> tuple[int, int, int]:
    match = _YEAR_LAST.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return int(match[1]), int(match[3] or match[6]), _year(match[4] or match[7])


def _year(text: str) -> int:
    if len(text) == 4:
        return int(text)
    return int(text) + (2000 if int(text) < 69 else 1900)  # as POSIX reads two digits


def _month(text: str) -> int:
    for number, name in enumerate(_MONTHS.split(), start=1):
        if name.startswith(text.lower()):
            return number
    if text.lower() == "sept":
        return 9
    raise ValueError(text)


_SIGN = r"[+-]?[$€£]? ?"
# Groups of three, or the Indian way (12,34,567); then perhaps a fraction.
_POINT_STYLE = re.compile(_SIGN + r"([1-9]\d{0,2}(,\d{2,3})*,\d{3}|\d+)?(\.\d*)?", re.ASCII)
_COMMA_STYLE = re.compile(_SIGN + r"([1-9]\d{0,2}(\.\d{3})+|\d+)?(,\d*)?", re.ASCII)


class NumberSpelling:
    """The way in which one file writes its numbers.

    Parameters
    ----------
    decimal_comma
        What ``1,234`` means: a little more than one (True) or more than a thousand.
    """

    def __init__(self, *, decimal_comma: bool = False) -> None:
        self.decimal_comma = decimal_comma
        self._style = _COMMA_STYLE if decimal_comma else _POINT_STYLE

    def price(self, text: str) -> float | None:
        """Return the number, None for a missing value.

        Raises
        ------
        ValueError
            ``text`` is neither.

        Examples
        --------
        >>> NumberSpelling().price("$1,234.50")
        1234.5
        >>> NumberSpelling(decimal_comma=True).price("1.234,50")
        1234.5
        """
        text = text.strip()
        if text.lower() in MISSING:
            return None
        return _finite(self._with_point(text))

    def volume(self, text: str) -> int | None:
        """Return the whole number, None for a missing value; ``1234.0`` is one.

        Raises
        ------
        ValueError
            ``text`` is neither.
        """
        if text.isascii() and text.isdigit():
            whole = int(text)
        else:
            number = self.price(text)
            if number is None:
                return None
            if not number.is_integer():
                raise ValueError(text)
            whole = int(number)
        if abs(whole) > BIGINT_MOST:
            raise ValueError(text)
        return whole

    def fits(self, text: str) -> bool:
        """Tell whether ``text`` can be a number in this way of writing."""
        return self._style.fullmatch(text) is not None

    def _with_point(self, text: str) -> str:
        if self.decimal_comma or "," in text or not text[0].isdigit():
            if not self.fits(text):
                raise ValueError(text)
            group, point = ".," if self.decimal_comma else ",."
            text = re.sub("[$€£ ]", "", text).replace(group, "").replace(point, ".")
        return text


def _finite(text: str) -> float:
    number = float(text)
    if "_" in text or not abs(number) < float("inf"):  # Python allows 1_000, data does not
        raise ValueError(text)
    return number


def number_spelling(table: Delimited, columns: Iterable[str]) -> NumberSpelling:
    """Find out what a comma in the number columns of a file means.

    Whichever meaning makes numbers of more cells is right; thousands if both do.

    Raises
    ------
    BadData
        ``BAD_FILE``: both meanings fit every cell, and the cells are not divided by commas, so
        that a comma may well begin a fraction.
    """
    places = [table.places[column] for column in columns]
    cells = [(line, row[place].strip()) for line, row in table.rows() for place in places]
    telling = [(line, text) for line, text in cells if "," in text or "." in text]
    with_comma = [line for line, text in telling if "," in text]
    if not with_comma:
        return NumberSpelling()
    thousands, fraction = NumberSpelling(), NumberSpelling(decimal_comma=True)
    wrong = [sum(not way.fits(text) for _, text in telling) for way in (thousands, fraction)]
    if wrong == [0, 0] and table.delimiter != ",":
        reason = f"Line {with_comma[0]}: its comma could divide thousands or begin a fraction."
        raise bad_file(table.file, reason, "Write fractions with a point.")
    return thousands if wrong[0] <= wrong[1] else fraction
