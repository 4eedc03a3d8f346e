# ruff: noqa: INP001 - a script beside its data, not part of a package
"""Make data/stocks from the stock rows of the PyPI package bokeh_sampledata.

Usage: ``python data/make_stocks.py [folder]`` (default: ``stocks`` beside this file). The same
version of the package gives the same bytes; data/README.md says which version and what is changed.
"""

from __future__ import annotations

import csv
import gzip
import sys
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path

TICKERS = ("AAPL", "GOOG", "IBM", "MSFT")
COLUMNS = ("Date", "Open", "High", "Low", "Close", "Volume")


def source_file() -> Path:
    """Return the package's stock file; importing it would read them all."""
    package = find_spec("bokeh_sampledata")
    if package is None or package.origin is None:
        raise SystemExit("bokeh_sampledata is not installed: pip install bokeh_sampledata")
    return Path(package.origin).parent / "_data" / "stocks.csv.gz"


def lines_by_file(source: Path) -> dict[str, list[str]]:
    """Return the lines of every ``TICKER_YEAR.csv``; numbers keep their text."""
    files: dict[str, list[str]] = defaultdict(list)
    with gzip.open(source, "rt", encoding="utf-8", newline="") as text:
        for row in csv.DictReader(text):
            if row["Ticker"] in TICKERS:
                cells = [row[column] for column in COLUMNS]
                year = row["Date"][:4]
                files[f"{row['Ticker']}_{year}.csv"].append(",".join([*cells, row["Ticker"]]))
    return files


def write(folder: Path) -> None:
    """Write every file, rows in date order (an ISO date sorts as text)."""
    folder.mkdir(parents=True, exist_ok=True)
    header = ",".join([*COLUMNS, "Name"])
    for name, lines in lines_by_file(source_file()).items():
        text = "\n".join([header, *sorted(lines), ""])
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    given = sys.argv[1:]
    write(Path(given[0]) if given else Path(__file__).parent / "stocks")
