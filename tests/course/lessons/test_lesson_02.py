"""Lesson 02: right answers pass, and each typical wrong one is refused with its own cause."""

import pytest
from pyspark.sql import functions as F

from labkit import scratch
from labkit.course.judging.checking import check
from labkit.course.lessons.lesson_02 import STOCKS
from labkit.engine.session import spark
from labkit.events.paths import data

from .answers import *  # noqa: F403 - the tests that every lesson has

pytestmark = pytest.mark.spark

SOLD = "day date, item string, price double, note string"
BILLED = "ID bigint, Item string, Price double"
OWN = "a date, b string, c double, d string"
TILL = {"sep": ";", "header": True, "dateFormat": "dd.MM.yyyy", "nullValue": "-"}


def prices(reader=None, header=True, path=None, schema=STOCKS.schema):
    """Read prices with options of the reader."""
    options = {"maxFilesPerTrigger": 1} if reader is None else reader

    def one_by_one(given):
        stream = spark().readStream.schema(schema).options(**options)
        return memory(stream.csv(path or given, header=header))

    return lambda: one_by_one


def memory(rows):
    return rows.writeStream.format("memory").queryName("one_by_one")


def then(change, **options):
    """Change what the right answer gives back, or what it reads."""
    return lambda: lambda path: change(prices(**options)()(path))


def rows_then(change):
    def one_by_one(path):
        stream = spark().readStream.schema(STOCKS.schema).option("maxFilesPerTrigger", 1)
        return change(stream.csv(path, header=True))

    return lambda: one_by_one


def tills(schema=SOLD, path=None, without=(), **other):
    """Read tills with one thing changed."""
    options = {name: value for name, value in (TILL | other).items() if name not in without}
    return lambda: (
        lambda given: spark().readStream.schema(schema).options(**options).csv(path or given)
    )


def bills(schema=BILLED, path=None, change=lambda rows: rows, **options):
    """Read bills with another schema, or do something with the rows."""
    return lambda: (
        lambda given: change(
            spark().readStream.schema(schema).options(**options).json(path or given)
        )
    )


def inferred(path):
    sample = spark().read.json(data("stranger/bill_1.json"))
    return spark().readStream.schema(sample.schema).json(path)


WRONG = {
    "02.1": [
        (
            "limit on the writer",
            then(lambda writer: writer.option("maxFilesPerTrigger", 1), reader={}),
            "came in one batch of 10 rows",
        ),
        ("a misspelt limit", prices({"maxFilePerTrigger": 1}), "only as `maxFilesPerTrigger`"),
        ("newest first", prices({"maxFilesPerTrigger": 1, "latestFirst": True}), "newest first"),
        ("header as rows", prices(header=False), "header line of each file came as a row"),
        ("header and no limit", prices({}, header=False), "and their header lines"),
        ("two files a batch", prices({"maxFilesPerTrigger": 2}), "in other steps"),
        ("it ends", then(lambda writer: writer.trigger(availableNow=True)), "ends"),
        ("another folder", prices(path=data("stocks/IBM_200*.csv")), "None of the rows"),
        (
            "a filter too many",
            rows_then(lambda rows: memory(rows.where("Close > 26.8"))),
            "9 expected rows",
        ),
        ("a static DataFrame", lambda: spark().read.csv, "not a stream"),
        ("no schema", lambda: spark().readStream.csv, "needs a schema"),
    ],
    "02.2": [
        ("no separator", tills(without=("sep",)), "a single column"),
        ("no header", tills(without=("header",)), "with the item ITEM"),
        ("no header, no null", tills(without=("header", "nullValue")), "with the item ITEM"),
        ("no form of dates", tills(without=("dateFormat",)), "Every day is null"),
        ("month first", tills(dateFormat="MM.dd.yyyy"), "taken for the day"),
        ("minutes", tills(dateFormat="dd.mm.yyyy"), "means minutes"),
        ("dashes stay", tills(without=("nullValue",)), "only a dash"),
        ("names of the file", tills("DATE date, ITEM string, PRICE double, NOTE string"), "DATE, "),
        ("two columns the wrong way", tills(SOLD.replace("item", "x")), "x, price"),
        ("text", tills(SOLD.replace("date", "string")), "4 expected rows did not come out"),
        ("quotes", tills(quote="'"), "1 expected row did not come out"),
        ("the file of the lesson", tills(path=data("stranger/till_*.csv")), "None of the rows"),
        ("static", lambda: spark().read.csv, "not a stream"),
        (
            "guessed types",
            lambda: lambda path: spark().readStream.options(**TILL, inferSchema=True).csv(path),
            "needs a schema",
        ),
        (
            "bad rows dropped",
            lambda: lambda path: tills()()(path).where("price is not null"),
            "1 expected row did not come out; 3 rows are right",
        ),
    ],
    "02.3": [
        ("unchanged", bills("id bigint, item string, cost int"), "no name of your schema is"),
        ("small letters", bills("id bigint, item string, price double"), "JSON goes by name"),
        ("one name mended", bills("ID bigint, Item string, cost double"), "ID, Item, cost"),
        ("whole prices", bills("ID bigint, Item string, Price int"), "Prices with cents"),
        ("all small", bills("ID int, Item string, Price int"), "Prices with cents"),
        ("guessed from the sample", lambda: inferred, "Prices with cents"),
        ("a small id", bills("ID int, Item string, Price double"), "The id 5000000000"),
        ("a float", bills("ID bigint, Item string, Price float"), "A `float` holds 3.2"),
        ("text", bills("ID string, Item string, Price string"), "came as text"),
        ("nulls dropped", bills(change=lambda rows: rows.dropna()), "do not drop its row"),
        ("nulls filled", bills(change=lambda rows: rows.fillna(0)), "makes one up"),
        ("the file of the lesson", bills(path=data("stranger/bill_*.json")), "None of the rows"),
        ("no schema", lambda: spark().readStream.json, "needs a schema"),
        (
            "prices cut",
            bills(change=lambda rows: rows.withColumn("Price", F.floor("Price"))),
            "2 expected rows did not come out",
        ),
    ],
}

ACCEPTED = [
    ("02.1", prices()()),
    ("02.1", lambda path: prices()()(path).start()),
    ("02.1", rows_then(lambda rows: rows)()),
    ("02.1", prices({"maxBytesPerTrigger": 1})()),
    ("02.2", tills()()),
    ("02.2", tills(dateFormat="d.M.y")()),
    ("02.2", lambda path: tills(OWN)()(path).toDF("day", "item", "price", "note")),
    ("02.3", bills()()),
    ("02.3", bills("Price double, Item string, ID long")()),
    ("02.3", bills(change=lambda rows: rows.toDF("id", "item", "price"))()),
]


@pytest.mark.usefixtures("spark")
def test_a_check_leaves_no_file_and_no_query(accepted):
    accepted("02.1", prices()())
    assert not any(scratch.place("checks").iterdir())
    assert spark().streams.active == []


@pytest.mark.usefixtures("spark")
def test_the_same_answer_gets_the_same_words():
    first, second = (repr(check("02.2", tills(dateFormat="MM.dd.yyyy")())) for _ in range(2))
    assert first == second


@pytest.mark.usefixtures("spark")
def test_the_sizes_of_the_batches_are_shown_when_they_are_not_right(refused):
    result = refused("02.1", prices({"maxFilesPerTrigger": 2})())
    assert [(row.came_out, row.expected) for row in result.rows] == [
        (4, 3),
        (6, 1),
        (None, 4),
        (None, 2),
    ]
