"""Lesson 02, Sources: its checks and its quiz."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from ctypes import c_float
from datetime import date
from itertools import zip_longest
from typing import Any

from labkit import scratch
from labkit.course.judging.checks import (
    CheckedRow,
    Mistake,
    Verdict,
    check,
    compare,
    not_yet,
    passed,
)
from labkit.course.quizzes.questions import Choice, Question
from labkit.course.running.stepping import Run, named_rows, run_stream
from labkit.errors import LabkitError
from labkit.events.stocks import Stocks
from labkit.feeds.encode import file_content

Rows = list[dict[str, Any]]
ENDED = (
    "Your query reads what is there and **ends**. Leave its trigger out: a stream waits for the "
    "next file."
)
STATIC = "This is a DataFrame of today's files, not a stream. Read with `spark.readStream`."
ELSEWHERE = "None of the rows is from the folder that the check gives. Read from `path`."


def _tried(answer: Callable[[str], Any], name: str, files: dict[str, str]) -> Run:
    """Let an answer read a folder in which all files wait, in their order.

    ``run_stream`` starts, waits, stops and clears up; its own input is there for a step alone.
    """
    folder = scratch.place("checks", name)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        for at, (file, text) in enumerate(files.items()):
            (folder / file).write_text(text)
            # Spark takes the files in the order of their times.
            os.utime(folder / file, (1_700_000_000 + at, 1_700_000_000 + at))
        return run_stream(lambda _: answer(str(folder)), [[{"step": 0}]])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wrong(
    run: Run,
    got: Any,
    expected: list[Any],
    mistakes: tuple[Mistake, ...],
    *,
    key: str,
    own: str = "",
) -> Verdict | None:
    """Compare what came with what was expected, and tell what the rows alone do not show.

    ``own`` is a column whose values only the check's files hold; the key, if that is one.
    """
    error = run.error
    if isinstance(error, LabkitError) and error.code == "STOPPED":
        return not_yet(ENDED)
    if "not a stream" in str(error):
        return not_yet(STATIC)
    if error is not None:
        return compare(run, [])
    verdict = compare(got, expected, key=key, mistakes=mistakes)
    is_known = verdict is None or verdict.cause in {mistake.cause for mistake in mistakes}
    return verdict if is_known or _is_here(run.rows, expected, own or key) else not_yet(ELSEWHERE)


def _is_here(rows: Rows, expected: list[Any], own: str) -> bool:
    """Whether a row may be from the files of the check: by a value, or because it has none."""
    steps = expected if isinstance(expected[0], list) else [expected]
    here = {row[own] for step in steps for row in step} | {None}
    found = {value for row in rows for name, value in row.items() if name.lower() == own.lower()}
    return not found or bool(found & here)


# ---- 02.1: one file per batch ----

STOCKS = Stocks(tickers=["MSFT"], years=[2005])
SIZES = (3, 1, 4, 2)


def _parts() -> list[list[Any]]:
    events = iter(STOCKS)
    return [[next(events) for _ in range(size)] for size in SIZES]


def _price_files() -> dict[str, str]:
    content = file_content("csv", STOCKS.schema)
    # The names go against the times: the time of a file decides.
    return {f"part_{9 - at}.csv": content(part).decode() for at, part in enumerate(_parts())}


def _as_rows(parts: list[list[Any]]) -> list[Rows]:
    return [[dict(event.value) for event in part] for part in parts]


def _prices_wrong(batches: list[Rows]) -> tuple[Mistake, ...]:
    every = [row for rows in batches for row in rows]
    header = dict.fromkeys(every[0]) | {"Name": "Name"}
    return (
        Mistake(
            f"All **{len(SIZES)} files** came in **one batch** of {len(every)} rows. The reader "
            "knows the limit only as `maxFilesPerTrigger`; a writer does not know it at all. Each "
            "passes over an option that it does not know, without a word.",
            [every],
        ),
        Mistake(
            "One file per batch, but the **newest first**: 2, 4, 1 and 3 rows. Asked is the order "
            "in which they came.",
            batches[::-1],
        ),
        Mistake(
            "The header line of each file came as a **row** of nulls. Leave `header=True` there.",
            [[header, *rows] for rows in batches],
        ),
        Mistake(
            f"All **{len(SIZES)} files** came in one batch, and their header lines as rows.",
            [[header] * len(SIZES) + every],
        ),
    )


def _by_size(verdict: Verdict, batches: list[Rows]) -> Verdict:
    """Show how large the batches are, if that tells what is not right."""
    sizes = tuple(map(len, batches))
    if sizes == SIZES or not verdict.rows:
        return verdict
    lines = [
        CheckedRow("=" if came == wanted else "Δ", f"{at}", came, wanted)
        for at, (came, wanted) in enumerate(zip_longest(sizes, SIZES))
    ]
    return not_yet(verdict.cause, lines, place="batch", note="The numbers are rows in a batch.")


@check(
    "02.1",
    title="one file per batch",
    minutes=5,
    look_at="One file per batch",
    hints=(
        "Who decides how much is read, the reader or the writer?",
        "Look at the two cells with `batch_sizes`. In which line do they differ?",
        'The reader takes it: `spark.readStream.schema(schema).option("maxFilesPerTrigger", 1)`.',
    ),
    answer="function",
)
def one_by_one(answer: Callable[[str], Any]) -> Verdict:
    """Let four files wait, and look at the batches that the answer makes of them."""
    run = _tried(answer, "02.1", _price_files())
    expected = _as_rows(_parts())
    batches = [named_rows(batch) for batch in run.batches if batch.rows]
    wrong = _wrong(run, batches, expected, _prices_wrong(expected), key="Date", own="Close")
    if wrong is not None:
        return _by_size(wrong, batches)
    return passed(
        f"Each of the **{len(SIZES)} files** made a batch of its own: **3, 1, 4 and 2 rows**.",
        "Small batches cost time: each of them is noted in the checkpoint. "
        "`maxBytesPerTrigger` limits a batch by size.",
    )


# ---- 02.2: a CSV file of somebody else ----

HEADER = "DATE;ITEM;PRICE;NOTE\n"
TILLS = {
    "till_7.csv": f"""{HEADER}05.06.2024;"juice; apple";2.80;-
30.06.2024;soup;3.20;rain
""",
    "till_8.csv": f"""{HEADER}01.07.2024;tea-for-two;12;-
11.12.2024;cake;-;late
""",
}


def _sold(*rows: tuple[Any, ...]) -> Rows:
    return [dict(zip(("day", "item", "price", "note"), row, strict=True)) for row in rows]


SOLD = _sold(
    (date(2024, 6, 5), "juice; apple", 2.8, None),
    (date(2024, 6, 30), "soup", 3.2, "rain"),
    (date(2024, 7, 1), "tea-for-two", 12.0, None),
    (date(2024, 12, 11), "cake", None, "late"),
)
HEADER_ROW = {"day": None, "item": "ITEM", "price": None, "note": "NOTE"}


def _days(*days: date | None) -> Rows:
    return [row | {"day": day} for row, day in zip(SOLD, days, strict=True)]


def _dashes(rows: Rows) -> Rows:
    """Return the rows as they come when a dash is not taken for nothing."""
    quiet = ("juice; apple", "tea-for-two")
    return [row | {"note": "-"} if row["item"] in quiet else row for row in rows]


def _each_way(cause: str, rows: Rows) -> tuple[Mistake, ...]:
    return Mistake(cause, rows), Mistake(cause, _dashes(rows))


MONTH_FIRST = _days(date(2024, 5, 6), None, date(2024, 1, 7), date(2024, 11, 12))
MINUTES = _days(date(2024, 1, 5), date(2024, 1, 30), date(2024, 1, 1), date(2024, 1, 11))
WRONG_TILLS = (
    *_each_way(
        "The header line of each file came as a **row**, with the item ITEM.",
        [*SOLD, HEADER_ROW, HEADER_ROW],
    ),
    *_each_way(
        "Every day is **null**. Spark expects 2024-06-05 where the file says 05.06.2024.",
        _days(None, None, None, None),
    ),
    *_each_way(
        "The month is taken for the day: 05.06. became **May 6**, and 30.06. is **null**.",
        MONTH_FIRST,
    ),
    *_each_way("Every day lies in **January**: a small `mm` means minutes.", MINUTES),
    Mistake(
        "A note that is only a dash means that there is none. Here it came as **text**.",
        _dashes(SOLD),
    ),
    Mistake(
        "Every value is **null**: each line was taken for a single column. "
        "What stands between two values?",
        _sold(*[(None, None, None, None)] * len(SOLD)),
    ),
)


@check(
    "02.2",
    title="read a stranger's CSV",
    minutes=8,
    look_at="A stranger's file",
    hints=(
        "Look at a file as text first. What stands between the values, and what in the first line?",
        "CSV goes by place: your schema gives the columns their names and types.",
        'How would Spark know that 03.04. is in April? `dateFormat="dd.MM.yyyy"` says so.',
        'Five things: `schema`, `header=True`, `sep=";"`, `dateFormat`, and `nullValue="-"`.',
    ),
    answer="function",
)
def stranger(answer: Callable[[str], Any]) -> Verdict:
    """Read two files of the same kind that the lesson does not show."""
    run = _tried(answer, "02.2", TILLS)
    return _wrong(run, run.rows, SOLD, WRONG_TILLS, key="item") or passed(
        "All **4 rows** came with a day, the semicolon inside the quotes stayed, and **2 notes** "
        "are null.",
        "A price that is no number gives null as well, without an error. "
        '`mode="FAILFAST"` stops the query instead.',
    )


# ---- 02.3: columns that are all null ----

BILLS = {
    "bill_5.json": """{"ID": 21, "Item": "soup", "Price": 3.2}
{"ID": 22, "Item": "tea", "Price": 4}
""",
    "bill_6.json": """{"Price": 12.75, "Item": "bread", "ID": 5000000000}
{"ID": 24, "Item": "water"}
""",
}


def _billed(*rows: tuple[Any, ...]) -> Rows:
    return [dict(zip(("ID", "Item", "Price"), row, strict=True)) for row in rows]


IDS, ITEMS = (21, 22, 5_000_000_000, 24), ("soup", "tea", "bread", "water")
PRICES = (3.2, 4.0, 12.75, None)
WHOLE = (None, 4, None, None)
BILLED = _billed(*zip(IDS, ITEMS, PRICES, strict=True))
SMALL_IDS = (21, 22, None, 24)
NULL_PRICES = (
    "Prices with cents came as **null**: they do not fit a whole number. "
    "Nobody said so; the type decides."
)
BIG_ID = "The id 5000000000 came as **null**: it does not fit an `int`. A `bigint` holds it."
NO_NAME_FITS = (
    "Every value is **null**: no name of your schema is in the file. JSON goes by name, and "
    "`item` is not `Item`."
)
ROUGH = "A `float` holds 3.2 only **roughly**: 3.2000000477. Take `double`."
ROUGH_PRICES = tuple(price and c_float(price).value for price in PRICES)
WRONG_BILLS = (
    Mistake(NO_NAME_FITS, [dict.fromkeys(("ID", "Item", "Price"))] * 4),
    Mistake(NO_NAME_FITS, [dict.fromkeys(("ID", "Item", "cost"))] * 4),
    Mistake(NULL_PRICES, _billed(*zip(IDS, ITEMS, WHOLE, strict=True))),
    Mistake(NULL_PRICES, _billed(*zip(SMALL_IDS, ITEMS, WHOLE, strict=True))),
    Mistake(BIG_ID, _billed(*zip(SMALL_IDS, ITEMS, PRICES, strict=True))),
    Mistake(ROUGH, _billed(*zip(IDS, ITEMS, ROUGH_PRICES, strict=True))),
    Mistake(
        "All values came as **text**. They are there, but nobody can add such prices up.",
        _billed(
            *zip(
                ("21", "22", "5000000000", "24"),
                ITEMS,
                ("3.2", "4", "12.75", None),
                strict=True,
            )
        ),
    ),
    Mistake(
        "The water has no price. That null is in the **data**; do not drop its row.",
        BILLED[:3],
    ),
    Mistake(
        "The water has no price, and your answer makes one up: **0**.",
        _billed(*zip(IDS, ITEMS, (*PRICES[:3], 0.0), strict=True)),
    ),
)


@check(
    "02.3",
    title="repair columns that are all null",
    minutes=7,
    look_at="A schema is not checked",
    hints=(
        "Print the file as text, and hold the schema beside it. What is not the same?",
        "JSON goes by name. Compare the names letter by letter.",
        "A price of 3.2 is no `int`. Which type holds cents?",
        'The schema is `"ID bigint, Item string, Price …"`; one type is still yours.',
    ),
    answer="function",
)
def repair(answer: Callable[[str], Any]) -> Verdict:
    """Read two files with other values than those of the lesson."""
    run = _tried(answer, "02.3", BILLS)
    return _wrong(run, run.rows, BILLED, WRONG_BILLS, key="Item") or passed(
        "All **4 rows** have their values, also 3.2, 12.75 and the id **5000000000**. "
        "The one null is the water, which has no price.",
        "`spark.read.json(path).schema` is a quick start. A file that holds only whole prices "
        "then makes the column a bigint, and cents become null.",
    )


QUIZ = (
    Question(
        "A program writes `orders.csv` slowly, straight into the folder that a query reads. What "
        "may happen?",
        facts="file source, csv",
        choices=(
            Choice(
                "The query waits until the file is closed.",
                hint="How would Spark know that somebody still writes? It sees a name in a folder.",
            ),
            Choice(
                "The query reads the first half, and the rest later.",
                hint="What does the source keep of a file that it has read: a place inside the "
                "file, or its path?",
            ),
            Choice(
                "The query reads the first half, and never the rest.",
                why="A file is read **once**, as it is at that moment. So write it under a name "
                "with a dot or `_` in front, and rename it when it is whole.",
            ),
        ),
        answer="0902ab89fd7b",
    ),
    Question(
        "A query has read **5** files and was stopped. Then **2** more files come, and it starts "
        "again with the same `checkpointLocation`. How many files does it read?",
        facts="file source · the same checkpoint",
        choices=(
            Choice(
                "7",
                hint="That would be a start with a new, empty folder. What stands in the old one?",
            ),
            Choice(
                "2",
                why="The checkpoint lists the **5** files that are done. The **2** that came while "
                "nobody read are new to it.",
            ),
            Choice(
                "None: it reads only what comes after the start.",
                hint="The two files were not there when the query stopped. Does the list in the "
                "checkpoint hold them?",
            ),
        ),
        answer="00c13eb851f3",
    ),
    Question(
        "A query keeps the highest price of each month. A new file brings **5** rows of January, "
        "none higher than before. Which sign does January get in the live table?",
        facts="groupBy month, max · complete",
        choices=(
            Choice(
                "Δ, for its rows were read.",
                hint="The sign is about the result, not about the rows read. What is January's "
                "highest price now?",
            ),
            Choice(
                "·, for its value is as before.",
                why="The state of January was looked at and stayed the same. **Δ** appears only "
                "when a value changes.",
            ),
            Choice(
                "+, for the file is new.",
                hint="That sign is for a row of the result that was not there before. Was there a "
                "January?",
            ),
        ),
        answer="ad428f2693a7",
        lesson="00",
    ),
)
