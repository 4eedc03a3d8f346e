"""data/stocks is what its script makes, byte for byte, and what its README says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from labkit.events.paths import data

FOLDER = Path(data("stocks"))


def test_the_script_makes_the_committed_files_again(tmp_path):
    script = FOLDER.parent / "make_stocks.py"
    subprocess.run([sys.executable, str(script), str(tmp_path)], check=True, timeout=60)
    made = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert made == {file.name: file.read_bytes() for file in FOLDER.iterdir()}


@pytest.mark.parametrize("ticker", ["AAPL", "GOOG", "IBM", "MSFT"])
def test_the_readme_counts_right(ticker):
    readme = (FOLDER.parent / "README.md").read_text()
    pattern = rf"^\| {ticker} \| ([\d,]+) \| (\S+) \| (\S+) \| (\d+) \|"
    row = re.search(pattern, readme, re.MULTILINE)
    files = sorted(FOLDER.glob(f"{ticker}_*.csv"))
    lines = [line for file in files for line in file.read_text().splitlines()[1:]]
    days = [line.split(",")[0] for line in lines]
    assert row.groups() == (f"{len(lines):,}", days[0], days[-1], str(len(files)))
    assert days == sorted(days)


def test_every_file_has_the_header_and_only_its_own_rows():
    for file in FOLDER.iterdir():
        ticker, year = file.stem.split("_")
        header, *lines = file.read_text().splitlines()
        assert header == "Date,Open,High,Low,Close,Volume,Name"
        assert all(line.startswith(year) and line.endswith(f",{ticker}") for line in lines)
