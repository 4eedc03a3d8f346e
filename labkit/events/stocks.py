"""Real daily stock rows: the course's own, or anybody's CSV files."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from sys import intern
from typing import Any, NamedTuple

from labkit.errors import BadData, InvalidArgument, wrong_type
from labkit.events.delimited import Delimited, csv_files, open_delimited
from labkit.events.paths import data
from labkit.events.spellings import date_spelling, number_spelling
from labkit.events.stream import Event, EventStream

PRICES = ("Open", "High", "Low", "Close")
# Names met in the wild, best first; "adjclose" is not among them: it is another number.
KNOWN_AS = {
    "Date": ("date", "tradedate", "timestamp", "datetime", "day"),
    "Open": ("open", "openprice"),
    "High": ("high", "highprice"),
    "Low": ("low", "lowprice"),
    "Close": ("close", "closelast", "closeprice"),
    "Volume": ("volume", "vol"),
    "Name": ("ticker", "symbol", "name"),
}
KINDS = {"Date": "a date", "Volume": "a whole number", "Name": "a ticker"}
_TICKER = re.compile(r"[A-Za-z^][A-Za-z0-9.^=]*(-[A-Za-z]+)?")
_SHOWN = 20


class _Row(NamedTuple):
    day: date
    ticker: str
    prices: tuple[float | None, ...]
    volume: int | None


class Stocks(EventStream):
    """Daily stock rows in date order (one day's rows by ticker), keyed by ticker; it has an end.

    ``Event.at`` is the row's date at 00:00 UTC. The files are read, and judged, at once.

    Parameters
    ----------
    path
        A file, a folder (its CSV files, also gzip) or a glob; None: the course's own rows (AAPL,
        GOOG, IBM, MSFT, March 2000 to March 2013).
    tickers
        Which ones, such as ``["AAPL", "IBM"]``; None: all.
    years
        Which ones, such as ``[2012]``; None: all.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE``; ``OUT_OF_RANGE``: an empty list; ``UNKNOWN_CHOICE``: no row has that ticker
        or year.
    NotFound
        ``NOT_FOUND``: no such file, or none in the folder.
    BadData
        ``BAD_HEADER``: a column is missing; ``BAD_VALUE``: file, line and column of a cell that
        cannot be read; ``NO_ROWS``: an empty file; ``BAD_FILE``: no CSV file at all.

    Notes
    -----
    Other people's files: columns in any order, more of them than needed, other names for them
    (``close/last``, ``<VOL>``, ``symbol``), without ``Name`` (then the file's name says it:
    ``AAPL_2012.csv``), divided by ``,`` ``;`` tab or ``|``, in UTF-8, UTF-16 or Windows-1252. A
    date counts as it is written, whatever time and zone stand behind it. ``1/3/2012`` is the third
    of January, unless the rest of the file shows that the day comes first; ``3.1.2012`` has the day
    first. Missing values (empty, ``NaN``, ``null``, ``-``) are None. Rows that are there twice
    stay twice.

    Examples
    --------
    >>> apple = Stocks(tickers=["AAPL"], years=[2012])
    >>> first = apple.take(1)[0]
    >>> str(first.value["Date"]), first.value["Close"], first.key
    ('2012-01-03', 411.23, 'AAPL')
    """

    name = "stocks"
    schema = (
        "Date date, Open double, High double, Low double, Close double, Volume bigint, Name string"
    )
    time = "Date"

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        tickers: Collection[str] | None = None,
        years: Collection[int] | None = None,
    ) -> None:
        wanted_tickers = _wanted("tickers", tickers, str)
        wanted_years = _wanted("years", years, int)
        rows = [
            row
            for file in csv_files(data("stocks") if path is None else path)
            for row in _read(file)
        ]
        if wanted_tickers is not None:
            _require_known("tickers", wanted_tickers, {row.ticker for row in rows})
            rows = [row for row in rows if row.ticker in wanted_tickers]
        if wanted_years is not None:
            _require_known("years", wanted_years, {row.day.year for row in rows})
            rows = [row for row in rows if row.day.year in wanted_years]
        self._rows = sorted(rows, key=lambda row: (row.day, row.ticker))

    def __repr__(self) -> str:
        return f"Stocks({len(self._rows)} rows)"

    def __iter__(self) -> Iterator[Event]:
        for day, ticker, prices, volume in self._rows:
            at = datetime(day.year, day.month, day.day, tzinfo=UTC)
            values = zip(PRICES, prices, strict=True)
            yield Event(at, ticker, {"Date": day, **dict(values), "Volume": volume, "Name": ticker})


def _wanted(name: str, values: Any, kind: type) -> frozenset[Any] | None:
    """Return the values as a set, and refuse a bare one: ``years=2012`` is meant as ``[2012]``."""
    if values is None:
        return None
    is_list = isinstance(values, Collection) and not isinstance(values, str | bytes)
    if not is_list or any(type(value) is not kind for value in values):
        example = "['AAPL']" if kind is str else "[2012]"
        raise wrong_type(name, values, expected=f"a list such as {example}")
    if not values:
        raise InvalidArgument(
            "OUT_OF_RANGE", name=name, value=values, bound="at least one, or None for all"
        )
    return frozenset(values)


def _require_known(name: str, wanted: frozenset[Any], known: set[Any]) -> None:
    unknown = sorted(wanted - known)
    if unknown:
        listed = ", ".join(map(str, sorted(known)[:_SHOWN]))
        choices = f"{listed}, …" if len(known) > _SHOWN else listed
        raise InvalidArgument("UNKNOWN_CHOICE", name=name, value=unknown, choices=choices)


def _read(file: Path) -> list[_Row]:
    table = open_delimited(file, KNOWN_AS)
    ticker = None if "Name" in table.places else _ticker_of(file)
    _require_columns(table, ticker)
    dates, numbers = date_spelling(table, "Date"), number_spelling(table, (*PRICES, "Volume"))
    rows = []
    for line, cells in table.rows():
        cell = partial(_cell, table, line, cells)
        rows.append(
            _Row(
                cell("Date", dates.read),
                ticker or cell("Name", _some_text),
                tuple(cell(column, numbers.price) for column in PRICES),
                cell("Volume", numbers.volume),
            )
        )
    return rows


def _cell(
    table: Delimited, line: int, cells: list[str], column: str, read: Callable[[str], Any]
) -> Any:
    text = cells[table.places[column]]
    try:
        return read(text)
    except ValueError:
        raise table.bad_value(line, column, text, KINDS.get(column, "a number")) from None


def _some_text(text: str) -> str:
    if not text.strip():
        raise ValueError(text)
    return intern(text.strip())  # the same few names in every row


def _ticker_of(file: Path) -> str | None:
    """Return the ticker that a file name begins with: ``AAPL_2012.csv`` is about AAPL."""
    name = file.name.lower().removesuffix(".gz")
    match = _TICKER.match(name.removesuffix(".csv").removesuffix(".tsv"))
    return match[0].upper() if match else None


def _require_columns(table: Delimited, ticker: str | None) -> None:
    missing = [column for column in KNOWN_AS if column not in table.places]
    if ticker:
        missing.remove("Name")
    if missing:
        raise BadData(
            "BAD_HEADER",
            file=table.file,
            missing=", ".join(missing),
            found=", ".join(table.header),
            expected=", ".join(KNOWN_AS),
        )
