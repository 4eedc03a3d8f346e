"""Lesson 03: right answers pass, and each typical wrong one is refused with its own cause."""

import pytest
from pyspark.sql import functions as F

from labkit.course.judging.checking import check
from labkit.course.lessons.lesson_03 import _TRIED, JOBS
from labkit.engine.modes import MODES

from .answers import *  # noqa: F403 - the tests that every lesson has

pytestmark = pytest.mark.spark

RIGHT = {"archive": "append", "balance": "update", "ranking": "complete", "board": "complete"}


def modes(**other):
    return lambda: RIGHT | other


def paid(bought):
    return bought.groupBy("who").agg(F.sum("amount").alias("total"))


def to_memory(df, mode):
    return df.writeStream.format("memory").queryName("answer").outputMode(mode)


def changed(bought):
    return to_memory(paid(bought), "update")


def items(bought):
    different = F.approx_count_distinct("item").alias("items")
    return to_memory(bought.groupBy("who").agg(different), "complete")


def repaired(**other):
    return lambda: {"changed": changed, "items": items} | other


def counted(bought, what):
    return to_memory(bought.groupBy("who").agg(what.alias("items")), "complete")


def table_now(mode, batches):
    rows = [row for batch in batches for row in batch]
    if mode == "append":
        return rows
    if mode == "complete":
        return batches[-1]
    return newest(rows)


def newest(rows):
    return list({row["who"]: row for row in rows}.values())


def together(batches):
    return [row for batch in batches for row in batch]


def except_in(mode, other):
    """Answer right in all modes but one."""
    return lambda: lambda m, batches: other(batches) if m == mode else table_now(m, batches)


def largest(batches):
    return newest(sorted(together(batches), key=lambda row: row["total"]))


def sums(name):
    def added_up(batches):
        rows = together(batches)
        names = dict.fromkeys(row["who"] for row in rows)
        return [
            {"who": who, name: sum(row["amount"] for row in rows if row["who"] == who)}
            for who in names
        ]

    return added_up


WRONG = {
    "03.1": [
        ("append for all", modes(balance="append"), "balance in append mode is refused"),
        ("update for the files", modes(archive="update"), "archive in update mode is refused"),
        ("complete for the files", modes(archive="complete"), "archive in complete mode"),
        ("complete for the store", modes(balance="complete"), "11 rows for 5 changes"),
        ("update for the list", modes(ranking="update"), "ranking in update mode is refused"),
        ("update for the board", modes(board="update"), "it shows only anna"),
        ("a misspelled mode", modes(board="compleet"), "The modes are append"),
        ("no mode at all", modes(board=7), "board has the mode 7"),
        ("a job left out", lambda: {"archive": "append"}, "balance has no mode"),
    ],
    "03.2": [
        (
            "still sorted",
            repaired(changed=lambda b: to_memory(paid(b).orderBy("total"), "update")),
            "changed: A stream cannot be sorted",
        ),
        (
            "sorted in complete",
            repaired(changed=lambda b: to_memory(paid(b).orderBy("total"), "complete")),
            "changed runs in complete mode and sends 10 rows",
        ),
        (
            "append",
            repaired(changed=lambda b: to_memory(paid(b), "append")),
            "none of them is ever final",
        ),
        (
            "no groups any more",
            repaired(changed=lambda b: to_memory(b.select("who", "amount"), "update")),
            "Your rows have the columns who, amount",
        ),
        (
            "by item",
            repaired(changed=lambda b: to_memory(b.groupBy("item").count(), "update")),
            "Your rows have the columns item, count",
        ),
        (
            "exact count",
            repaired(items=lambda b: counted(b, F.count_distinct("item"))),
            "items: ",
        ),
        (
            "every purchase",
            repaired(items=lambda b: counted(b, F.count("item"))),
            "anna bought tea twice",
        ),
        (
            "first buyer of all",
            repaired(items=lambda b: counted(b.dropDuplicates(["item"]), F.count("item"))),
            "for all customers",
        ),
        (
            "different amounts",
            repaired(items=lambda b: counted(b, F.approx_count_distinct("amount"))),
            "counts different amounts",
        ),
        (
            "items in update",
            repaired(
                items=lambda b: to_memory(
                    b.groupBy("who").agg(F.approx_count_distinct("item").alias("items")), "update"
                )
            ),
            "items runs in update mode",
        ),
        ("one function only", lambda: {"changed": changed}, "a function for items"),
        ("calls instead of functions", lambda: {"changed": 1, "items": 2}, "for changed"),
    ],
    "03.3": [
        (
            "all rows",
            lambda: lambda _, batches: together(batches),
            "Update: anna is there 2 times",
        ),
        ("newest always", lambda: lambda _, b: newest(together(b)), "anna bought twice"),
        ("last batch in append", except_in("append", lambda b: b[-1]), "Append: only the last"),
        ("added up in append", except_in("append", sums("amount")), "added up the purchases"),
        ("totals in append", except_in("append", sums("total")), "the purchases of each customer"),
        ("last batch in update", except_in("update", lambda b: b[-1]), "Update: only the last"),
        ("largest total", except_in("update", largest), "Update: ben has 12"),
        (
            "first row",
            except_in("update", lambda b: newest(together(b)[::-1])),
            "the first row",
        ),
        ("added up", except_in("complete", together), "Complete: each batch replaces"),
        ("largest in complete", except_in("complete", largest), "Complete: ben has 12"),
        ("a dict", except_in("update", lambda _: {"anna": 5}), "returns a `dict`"),
        ("names only", except_in("append", lambda _: ["anna", "ben"]), "must be a list of rows"),
        ("no rows", except_in("complete", lambda _: []), "returns no rows; 3 rows"),
        ("a wrong key", except_in("update", lambda b: [r["name"] for r in b[0]]), "KeyError"),
    ],
}

ACCEPTED = [
    ("03.1", RIGHT),
    ("03.1", {job: f" {mode.upper()} " for job, mode in RIGHT.items()}),
    ("03.2", repaired()()),
    (
        "03.2",
        repaired(items=lambda b: counted(b.dropDuplicates(["who", "item"]), F.count("item")))(),
    ),
    ("03.3", table_now),
    ("03.3", lambda m, b: together(b) if m == "append" else tuple(newest(together(b)))),
]


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("job", JOBS)
def test_only_one_mode_does_for_a_job(job):
    assert [mode for mode in MODES if not _TRIED[job](mode)[0]] == [RIGHT[job]]


def test_an_answer_that_changes_the_rows_it_is_given_is_judged_by_what_it_returns():
    def empty_them(mode, batches):
        kept = table_now(mode, batches)
        for batch in batches:
            batch.clear()
        return kept if mode != "complete" else list(kept)

    assert "complete" in check("03.3", empty_them).cause


def test_the_same_answer_gets_the_same_words():
    first, second = (repr(check("03.3", except_in("update", largest)())) for _ in range(2))
    assert first == second
