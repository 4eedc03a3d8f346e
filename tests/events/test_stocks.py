"""Stocks: the course's rows, strangers' files compared with pandas, and clear refusals."""

import gzip
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

from labkit.errors import BadData, InvalidArgument, NotFound
from labkit.events.paths import data
from labkit.events.stocks import Stocks

HEADER = "Date,Open,High,Low,Close,Volume,Name"
CLEAN = Path(data("stocks/AAPL_2012.csv"))


def sums(stocks):
    rows = [event.value for event in stocks]
    closes = [row["Close"] for row in rows if row["Close"] is not None]
    return len(rows), sum(row["Volume"] or 0 for row in rows), sum(closes) / len(closes)


def pandas_sums(frame):
    close, volume = frame["Close"], frame["Volume"]
    return len(frame), int(volume.sum()), pytest.approx(close.mean())


def stock_file(folder, text, name="XYZ.csv", encoding="utf-8"):
    file = folder / name
    file.write_bytes(text.encode(encoding))
    return file


def days(folder, spellings):
    lines = [f"{spelling},1,2,0.5,1.5,100,XYZ" for spelling in spellings]
    text = "\n".join([HEADER, *lines])
    return [str(event.value["Date"]) for event in Stocks(stock_file(folder, text))]


# The course's rows


def test_the_courses_rows_are_in_order_and_complete():
    frame = pd.concat(map(pd.read_csv, sorted(Path(data("stocks")).glob("*.csv"))))
    stocks = Stocks()
    assert sums(stocks) == pandas_sums(frame)
    order = [(event.at, event.key) for event in stocks]
    assert order == sorted(order)
    assert list(stocks) == list(stocks)


def test_a_row_has_the_columns_of_the_schema_and_its_own_types():
    event = Stocks(tickers=["AAPL"], years=[2012]).take(1)[0]
    assert event.at == datetime(2012, 1, 3, tzinfo=UTC)
    assert event.key == "AAPL"
    assert event.value == {
        "Date": date(2012, 1, 3), "Open": 409.4, "High": 412.5, "Low": 409.0,
        "Close": 411.23, "Volume": 10793600, "Name": "AAPL",
    }  # fmt: skip
    assert [part.split()[0] for part in Stocks.schema.split(", ")] == list(event.value)


def test_tickers_and_years_choose():
    some = Stocks(tickers=["IBM", "AAPL"], years=range(2011, 2013))
    assert {event.key for event in some} == {"AAPL", "IBM"}
    assert {event.at.year for event in some} == {2011, 2012}
    assert len(list(some)) == 2 * (252 + 250)


@pytest.mark.parametrize("given", ["stocks", "stocks/*.csv", "stocks/IBM_*.csv"])
def test_a_folder_and_a_glob(given):
    assert len(list(Stocks(data(given), tickers=["IBM"]))) == 3270


# Strangers' files: the same rows written in another way


def frame():
    return pd.read_csv(CLEAN)


def written(**options):
    return lambda: frame().to_csv(index=False, **options)


def in_european_style():
    # pandas writes 10793600 as it is; a European spreadsheet groups it with points.
    shown = frame()
    shown["Volume"] = [f"{volume:,}".replace(",", ".") for volume in shown["Volume"]]
    return shown.to_csv(index=False, sep=";", decimal=",")


def with_thousands():
    shown = frame()
    shown["Volume"] = [f"{volume:,}" for volume in shown["Volume"]]
    return shown.to_csv(index=False)


def as_exchanges_export_it():
    shown = frame().iloc[::-1]
    shown["Date"] = pd.to_datetime(shown["Date"]).dt.strftime("%m/%d/%Y")
    for column in ("Open", "High", "Low", "Close"):
        shown[column] = [f"${value}" for value in shown[column]]
    named = shown.rename(columns={"Close": "Close/Last", "Name": "Symbol"})
    return named[["Symbol", "Date", "Close/Last", "Volume", "Open", "High", "Low"]].to_csv(
        index=False
    )


def with_header(header):
    return lambda: CLEAN.read_text().replace(HEADER, header)


def with_more_columns():
    wide = frame().assign(**{"Adj Close": 1.0, "Note": "a, b"})
    return wide[["Adj Close", *HEADER.split(","), "Note"]].to_csv(index=False)


def with_volume_as_fraction():
    return frame().astype({"Volume": float}).to_csv(index=False)


STRANGE = {
    "shuffled columns": lambda: frame()[HEADER.split(",")[::-1]].to_csv(index=False),
    "index column": lambda: frame().to_csv(),
    "index without a header cell": lambda: frame().to_csv().replace(",Date", "Date", 1),
    "other case and spaces": with_header(" date ,OPEN, high,low , close,VOLUME, name"),
    "angle brackets": with_header("<DATE>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<TICKER>"),
    "more columns": with_more_columns,
    "semicolons": written(sep=";"),
    "tabs": written(sep="\t"),
    "bars": written(sep="|"),
    "windows line ends": written(lineterminator="\r\n"),
    "old line ends": written(lineterminator="\r"),
    "blank lines at the end": lambda: CLEAN.read_text() + "\n\n,,,,,,\n",
    "delimiter at the end": lambda: CLEAN.read_text().replace("AAPL\n", "AAPL,\n"),
    "volume as a fraction": with_volume_as_fraction,
    "thousands in quotes": with_thousands,
    "everything in quotes": written(quoting=1),
    "european": in_european_style,
    "as exchanges export it": as_exchanges_export_it,
}


@pytest.mark.parametrize("kind", STRANGE)
def test_a_strange_file_has_the_same_rows(kind, tmp_path):
    text = STRANGE[kind]()
    assert text != CLEAN.read_text()
    stocks = Stocks(stock_file(tmp_path, text))
    assert list(stocks) == list(Stocks(CLEAN))
    assert sums(stocks) == pandas_sums(frame())


@pytest.mark.parametrize("kind", ["semicolons", "windows line ends", "everything in quotes"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_an_encoding_changes_nothing(kind, encoding, tmp_path):
    file = stock_file(tmp_path, STRANGE[kind](), encoding=encoding)
    assert list(Stocks(file)) == list(Stocks(CLEAN))


def test_gzip_by_its_content_and_a_mixed_folder(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(CLEAN.read_bytes()))
    stock_file(tmp_path, Path(data("stocks/IBM_2012.csv")).read_text(), "b.CSV")
    stock_file(tmp_path, "no stocks", "README.md")
    stock_file(tmp_path, "hidden", ".c.csv")
    assert list(Stocks(tmp_path)) == list(Stocks(tickers=["AAPL", "IBM"], years=[2012]))


@pytest.mark.parametrize(
    ("name", "ticker"),
    [
        ("AAPL_2012.csv", "AAPL"),
        ("AAPL.csv", "AAPL"),
        ("aapl-2012.csv", "AAPL"),
        ("BRK-B.csv", "BRK-B"),
        ("BRK.B_2012.tsv", "BRK.B"),
        ("AAPL (1).csv", "AAPL"),
        ("^GSPC.csv", "^GSPC"),
    ],
)
def test_a_file_without_names_is_about_the_ticker_in_its_own_name(name, ticker, tmp_path):
    text = frame().drop(columns="Name").to_csv(index=False)
    assert {event.key for event in Stocks(stock_file(tmp_path, text, name))} == {ticker}


def test_missing_values_are_none_and_pandas_counts_the_same(tmp_path):
    cells = [",2,1,1.5,100", "NaN,2,1,null,", "-,2,1,2.5,-", "1,2,1,N/A,1e3"]
    rows = [f"2012-01-{day:02},{cell},X" for day, cell in enumerate(cells, start=3)]
    text = "\n".join([HEADER, *rows])
    stocks = Stocks(stock_file(tmp_path, text))
    assert [event.value["Open"] for event in stocks] == [None, None, None, 1.0]
    assert [event.value["Volume"] for event in stocks] == [100, None, None, 1000]
    assert sums(stocks) == pandas_sums(pd.read_csv(StringIO(text), na_values=["-"]))


def test_rows_that_are_there_twice_stay_twice(tmp_path):
    line = "2012-01-03,1,2,1,1.5,100,X"
    assert len(list(Stocks(stock_file(tmp_path, f"{HEADER}\n{line}\n{line}")))) == 2


def test_one_day_is_in_order_of_ticker_then_of_file_and_line(tmp_path):
    for number in (3, 1, 5, 2, 4):
        lines = [f"2012-01-03,1,1,1,1,{number}{line},B" for line in (1, 2)]
        last = f"2012-01-03,1,1,1,1,{number},A"
        stock_file(tmp_path, "\n".join([HEADER, *lines, last]), f"{number}.csv")
    volumes = [event.value["Volume"] for event in Stocks(tmp_path)]
    assert volumes == [1, 2, 3, 4, 5, 11, 12, 21, 22, 31, 32, 41, 42, 51, 52]


def test_text_in_an_old_windows_encoding(tmp_path):
    text = f"{HEADER}\n2012-01-03,1,2,1,1.5,100,SOCIÉTÉ"
    assert next(iter(Stocks(stock_file(tmp_path, text, encoding="cp1252")))).key == "SOCIÉTÉ"


# Dates


@pytest.mark.parametrize(
    "spelling",
    [
        "2012-01-31",
        "2012/01/31",
        "2012/1/31",
        "2012.01.31",
        "20120131",
        "1/31/2012",
        "01/31/12",
        "31/01/2012",
        "31-1-2012",
        "31.01.2012",
        "31.01.12",
        "31-Jan-12",
        "31-JAN-2012",
        "31 January 2012",
        '"Jan 31, 2012"',
        "2012-01-31T00:00:00Z",
        "2012-01-31 00:00:00-05:00",
        "2012-01-31T23:59:59.999+0900",
        "2012-01-31 00:00",
        "1/31/2012 16:00:00",
        "1/31/2012 4:00 PM",
    ],
)
def test_a_date_counts_as_it_is_written(spelling, tmp_path):
    assert days(tmp_path, [spelling]) == ["2012-01-31"]


@pytest.mark.parametrize(
    ("spellings", "read"),
    [
        (["1/3/2012"], ["2012-01-03"]),  # a weekday in both ways: month first
        (["3.1.2012"], ["2012-01-03"]),  # a weekday in both ways: day first, because of the dots
        (["1/3/2012", "13/3/2012"], ["2012-03-01", "2012-03-13"]),  # no month 13
        (["1-3-2012", "1-13-2012"], ["2012-01-03", "2012-01-13"]),
        # 4 January and 1 April; the second is a Sunday, so the day comes first.
        (["03/01/2012", "04/01/2012"], ["2012-01-03", "2012-01-04"]),
    ],
)
def test_the_whole_file_tells_what_comes_first(spellings, read, tmp_path):
    assert days(tmp_path, spellings) == read


@pytest.mark.parametrize(
    ("spellings", "line", "value"),
    [
        (["1/13/2012", "1/17/2012", "13/1/2012"], 4, "13/1/2012"),
        (["13/1/2012", "17/1/2012", "1/13/2012"], 4, "1/13/2012"),
        (["1/3/2012", "2/30/2012", "1/13/2012", "1/17/2012"], 3, "2/30/2012"),
        (["2012-01-03", "2012-02-30"], 3, "2012-02-30"),
        (["2012-01-03", "12-01-03"], 3, "12-01-03"),
        (["2012-01-03", ""], 3, ""),
        (["2012-01-03", "Total"], 3, "Total"),
        (["1325548800"], 2, "1325548800"),
        (["31-Foo-12"], 2, "31-Foo-12"),
    ],
)
def test_a_date_that_cannot_be_is_named(spellings, line, value, tmp_path):
    with pytest.raises(BadData) as caught:
        days(tmp_path, spellings)
    params = caught.value.params
    assert caught.value.code == "BAD_VALUE"
    assert (params["line"], params["column"], params["value"]) == (line, "Date", value)
    assert params["file"].endswith("XYZ.csv")


# Numbers


@pytest.mark.parametrize(
    ("cell", "price"),
    [
        ("1234.5", 1234.5),
        ('"1,234.50"', 1234.5),
        ('"1,234"', 1234.0),
        ('"12,34,567.5"', 1234567.5),
        ("$12.5", 12.5),
        (" 12.5 ", 12.5),
        ("+1", 1.0),
        ("-1.5", -1.5),
        (".5", 0.5),
        ("1e2", 100.0),
    ],
)
def test_prices_are_read_as_they_are_met(cell, price, tmp_path):
    text = f"{HEADER}\n2012-01-03,1.5,2.5,1.5,{cell},100,X"
    assert next(iter(Stocks(stock_file(tmp_path, text)))).value["Close"] == price


@pytest.mark.parametrize(
    ("cells", "column", "value"),
    [
        ("1.5,2,1,abc,100", "Close", "abc"),
        ("1.5,2,1,1_000,100", "Close", "1_000"),
        ("inf,2,1,1,100", "Open", "inf"),
        ("1,2,1.5%,1,100", "Low", "1.5%"),
        ("1,2,1,1,100.5", "Volume", "100.5"),
        ("1,2,1,1,10M", "Volume", "10M"),
        ("1,2,1,1,99999999999999999999", "Volume", "99999999999999999999"),
        ('1.25,2.25,1.25,"1,2",100', "Close", "1,2"),
        ('1,2,1,1,"1,23"', "Volume", "1,23"),
    ],
)
def test_a_number_that_is_none_is_named(cells, column, value, tmp_path):
    text = f"{HEADER}\n2012-01-03,1,2,1,1,100,X\n2012-01-04,{cells},X\n"
    with pytest.raises(BadData) as caught:
        Stocks(stock_file(tmp_path, text))
    params = caught.value.params
    assert caught.value.code == "BAD_VALUE"
    assert (params["line"], params["column"], params["value"]) == (3, column, value)


def test_a_comma_that_could_mean_both_is_refused(tmp_path):
    text = f"{HEADER}\n2012-01-03,12,13,11,12,345,X\n".replace(",12,345", ";12,345").replace(
        ",", ";"
    )
    text = f"{HEADER.replace(',', ';')}\n2012-01-03;12;13;11;12,345;100;X\n"
    with pytest.raises(BadData) as caught:
        Stocks(stock_file(tmp_path, text))
    assert caught.value.code == "BAD_FILE"
    assert "Line 2" in caught.value.params["reason"]


# Rows, headers and files that cannot be


@pytest.mark.parametrize(
    ("row", "column"),
    [("2012-01-04,1,2,1", "number 5"), ("2012-01-04,1,2,1,1,1,234,X", "number 8")],
)
def test_a_broken_row_is_named(row, column, tmp_path):
    text = f"{HEADER}\n2012-01-03,1,2,1,1,100,X\n{row}\n"
    with pytest.raises(BadData) as caught:
        Stocks(stock_file(tmp_path, text))
    params = caught.value.params
    assert caught.value.code == "BAD_VALUE"
    assert (params["line"], params["column"]) == (3, column)


def test_a_row_without_a_ticker_is_named(tmp_path):
    with pytest.raises(BadData) as caught:
        Stocks(stock_file(tmp_path, f"{HEADER}\n2012-01-03,1,2,1,1,100, \n"))
    assert caught.value.code == "BAD_VALUE"
    assert caught.value.params["column"] == "Name"


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ("Date,Open,High,Low,Volume,Name", "Close"),
        ("Date,Open,High,Low,Adj Close,Volume,Name", "Close"),
        ("Open,High", "Date, Low, Close, Volume"),
        ("2012-01-03,409.4,412.5,409.0,411.23,107,X", "Date, Open, High, Low, Close, Volume"),
    ],
)
def test_a_missing_column_is_named(header, missing, tmp_path):
    row = ",".join(["1"] * len(header.split(",")))
    file = stock_file(tmp_path, f"{header}\n{row}\n")
    with pytest.raises(BadData) as caught:
        Stocks(file)
    assert caught.value.code == "BAD_HEADER"
    assert caught.value.params["missing"] == missing
    assert caught.value.params["file"] == str(file)
    assert caught.value.params["found"] == header.replace(",", ", ")


def test_no_name_column_and_no_ticker_in_the_file_name(tmp_path):
    text = frame().drop(columns="Name").to_csv(index=False)
    with pytest.raises(BadData) as caught:
        Stocks(stock_file(tmp_path, text, "2012.csv"))
    assert caught.value.code == "BAD_HEADER"
    assert caught.value.params["missing"] == "Name"


@pytest.mark.parametrize("text", ["", "\n\n", HEADER, HEADER + "\n\n,,,,,,\n"])
def test_an_empty_file_in_a_folder_is_named(text, tmp_path):
    stock_file(tmp_path, CLEAN.read_text(), "AAPL.csv")
    empty = stock_file(tmp_path, text, "EMPTY.csv")
    with pytest.raises(BadData) as caught:
        Stocks(tmp_path)
    assert caught.value.code == "NO_ROWS"
    assert caught.value.params["file"] == str(empty)


@pytest.mark.parametrize(
    "raw",
    [
        gzip.compress(CLEAN.read_bytes())[:-50],
        b"\x1f\x8b no gzip",
        b"PAR1\x15\x04\x00\x00\x15\x00",
        f'{HEADER}\n2012-01-03,1,2,1,1,100,"X\n'.encode(),
        f"{HEADER},close\n2012-01-03,1,2,1,1,100,X,1\n".encode(),
        b"\xff\xfeD\x00a",
    ],
    ids=["cut gzip", "no gzip", "parquet", "open quote", "two closes", "half a character"],
)
def test_a_file_that_is_no_csv_is_named(raw, tmp_path):
    file = tmp_path / "X.csv"
    file.write_bytes(raw)
    with pytest.raises(BadData) as caught:
        Stocks(file)
    assert caught.value.code == "BAD_FILE"
    assert caught.value.params["file"] == str(file)


@pytest.mark.parametrize("name", ["none.csv", "none/*.csv", ""])
def test_what_is_not_there_is_named(name, tmp_path):
    (tmp_path / "notes.txt").write_text("no CSV")
    with pytest.raises(NotFound) as caught:
        Stocks(tmp_path / name)
    assert caught.value.code == "NOT_FOUND"
    assert caught.value.params["name"] == str(tmp_path / name)


@pytest.mark.parametrize(
    ("arguments", "code", "name"),
    [
        ({"path": 7}, "WRONG_TYPE", "path"),
        ({"tickers": "AAPL"}, "WRONG_TYPE", "tickers"),
        ({"tickers": [7]}, "WRONG_TYPE", "tickers"),
        ({"tickers": []}, "OUT_OF_RANGE", "tickers"),
        ({"tickers": ["TSLA"]}, "UNKNOWN_CHOICE", "tickers"),
        ({"years": 2012}, "WRONG_TYPE", "years"),
        ({"years": ["2012"]}, "WRONG_TYPE", "years"),
        ({"years": [True]}, "WRONG_TYPE", "years"),
        ({"years": []}, "OUT_OF_RANGE", "years"),
        ({"years": [2030]}, "UNKNOWN_CHOICE", "years"),
        ({"tickers": ["GOOG"], "years": [2001]}, "UNKNOWN_CHOICE", "years"),
    ],
)
def test_a_bad_argument_is_named(arguments, code, name):
    with pytest.raises(InvalidArgument) as caught:
        Stocks(**arguments)
    assert caught.value.code == code
    assert caught.value.params["name"] == name
