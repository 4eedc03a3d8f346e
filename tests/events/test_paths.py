"""The course's data folder, from anywhere and no further."""

from pathlib import Path

import pytest

from labkit.errors import InvalidArgument, NotFound
from labkit.events.paths import data


def test_a_file_a_folder_and_a_glob_are_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Path(data("stocks/AAPL_2012.csv")).is_file()
    assert Path(data("stocks")).is_dir()
    assert Path(data(Path("stocks"))).is_dir()
    assert data("stocks/*_2012.csv").endswith("/data/stocks/*_2012.csv")
    assert Path(data()).is_absolute()


@pytest.mark.parametrize("pattern", ["stocks/TSLA_*.csv", "nothing", "stocks/**x"])
def test_what_is_not_there_is_named(pattern):
    with pytest.raises(NotFound) as caught:
        data(pattern)
    assert caught.value.code == "NOT_FOUND"
    assert caught.value.params["name"] == pattern


@pytest.mark.parametrize(
    ("pattern", "code"),
    [
        ("../README.md", "OUT_OF_RANGE"),
        ("stocks/../../pyproject.toml", "OUT_OF_RANGE"),
        ("/etc/hosts", "OUT_OF_RANGE"),
        (7, "WRONG_TYPE"),
    ],
)
def test_no_way_leads_out(pattern, code):
    with pytest.raises(InvalidArgument) as caught:
        data(pattern)
    assert caught.value.code == code
    assert caught.value.params["name"] == "pattern"
