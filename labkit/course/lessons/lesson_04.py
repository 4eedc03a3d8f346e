"""Lesson 04, Triggers: its checks and its quiz."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from labkit import scratch
from labkit.course.judging.checks import CheckedRow, Verdict, check, compare, not_yet, passed
from labkit.course.quizzes.questions import Choice, Question
from labkit.engine.query_facts import trigger_of
from labkit.engine.session import spark
from labkit.engine.temp_views import restore_temp_views, temp_views
from labkit.events.script import Script
from labkit.feeds.delivery import Feed
from labkit.feeds.feed import feed
from labkit.feeds.folder import folder
from labkit.waiting import wait_until

# The name of the folder with orders, below the place of a check.
SOURCE = "orders"
COLUMNS = "order_id bigint, customer string, category string, amount double"
# Two orders a file.
ORDERS = Script(
    """10:00 1 anna toys 12.5
10:01 2 ben books 80

10:02 3 cleo games 50
10:03 4 anna food 3

10:04 5 dora music 44
10:05 6 anna garden 75.5

10:06 7 ben toys 9
10:07 8 ben toys 20

10:08 9 cleo books 61
10:09 10 anna food 7

10:10 11 anna games 99.5
10:11 12 dora music 8

10:12 13 ben games 15
10:13 14 cleo toys 52""",
    columns=COLUMNS,
)
ROWS_IN_A_FILE = 2
ENDS_S = 40.0


@contextmanager
def _place(events: Script) -> Iterator[tuple[Feed, Path]]:
    """Give a feed into a new folder of orders and the place around it; both go at the end."""
    place = scratch.place("check_04")
    shutil.rmtree(place, ignore_errors=True)
    views = temp_views(spark())
    try:
        with feed(events, to=folder(place / SOURCE), name="check_04") as given:
            yield given, place
    finally:
        restore_temp_views(spark(), views)
        shutil.rmtree(place, ignore_errors=True)


def _ended(returned: Any) -> tuple[Any, Verdict | None]:
    """Return the query of an answer once it has ended, or the verdict on one that does not."""
    from pyspark.sql.streaming.readwriter import DataStreamWriter  # noqa: PLC0415 - half a second

    query = returned.start() if isinstance(returned, DataStreamWriter) else returned
    if not hasattr(type(query), "processAllAvailable"):
        kind = "nothing" if query is None else f"a `{type(query).__name__}`"
        return None, not_yet(f"Your function returns {kind}. It must return the started query.")
    if trigger_of(query) not in {"OneTime", "AvailableNow"}:
        query.stop()
        cause = "Your query has **no trigger that ends it**: after the last file it waits for more."
        return query, not_yet(cause)
    if not query.awaitTermination(ENDS_S):
        return query, not_yet(f"Your query has not ended after **{ENDS_S:g} seconds**.")
    return query, None


def _files_by_batch(query: Any) -> list[float]:
    """Return how many files each batch of a query has read."""
    counts = [entry.numInputRows for entry in query.recentProgress]
    return [count / ROWS_IN_A_FILE for count in counts if count]


def _wrong_batches(query: Any, waiting: int) -> Verdict | None:
    """Return a verdict unless the files that waited were read two by two."""
    files = _files_by_batch(query)
    if files == [2.0] * (waiting // 2) + [1.0] * (waiting % 2):
        return None
    if trigger_of(query) == "OneTime":
        return not_yet(f"once takes all **{waiting} files** in one batch, whatever the limit says.")
    if len(files) == 1:
        cause = f"All **{waiting} files** came in one batch. The limit is an option of the reader."
        return not_yet(f"{cause} It was not set there.")
    if set(files) == {1.0}:
        return not_yet("Each batch has **1 file**. Asked are 2.")
    if sum(files) != waiting or not all(count.is_integer() for count in files):
        rows, there = round(sum(files) * ROWS_IN_A_FILE), waiting * ROWS_IN_A_FILE
        cause = f"In `folder` wait **{there} rows**, and your query has read **{rows}**."
        return not_yet(f"{cause} Read the folder that your function is given, and all of it.")
    found = ", ".join(f"{count:g}" for count in files) or "no"
    return not_yet(f"The batches have **{found} files**. Asked are 2 in each, while there are 2.")


def _rows_of(events: Script, files: int) -> list[dict[str, Any]]:
    return [event.value for step in events.steps[:files] for event in step]


# ---- 04.1: a backlog in batches of two ----


@check(
    "04.1",
    title="read a backlog in batches of two files, and end",
    minutes=5,
    look_at="Six files wait",
    hints=(
        "Two things are asked: how much a batch takes, and when the query is over.",
        "How much a batch takes is said where the files are read.",
        "Three queries read the six files. Which of them kept to two files, and ended?",
        'Reader: `.option("maxFilesPerTrigger", 2)`. Writer: `.trigger(availableNow=True)`.',
    ),
    answer="function",
    returns=False,
)
def backlog(answer: Callable[[str], Any]) -> Verdict:
    """Let seven files wait, and look at the batches of the query."""
    with _place(ORDERS) as (given, _):
        given.step(7)
        query, wrong = _ended(answer(given.path))
        wrong = wrong or _wrong_batches(query, 7) or _wrong_table(query)
    return wrong or passed(
        "Seven files waited. The batches took **2, 2, 2 and 1** of them, and the query has ended.",
        "Small batches cost a little more in all. In return a machine never has to hold the "
        "whole backlog at once.",
    )


def _wrong_table(query: Any) -> Verdict | None:
    session = spark()
    if not query.name or not session.catalog.tableExists(query.name):
        return not_yet("The query has no table to look at. Take the memory sink and a `queryName`.")
    rows = [row.asDict() for row in session.table(query.name).collect()]
    return compare(rows, _rows_of(ORDERS, 7), key="order_id")


# ---- 04.2: a job for cron ----

FIRST, LATER = 5, 2
KEPT = ("customer", "amount")
FORGOTTEN = (
    "The second run has **forgotten the first**: its checkpoint was empty, so it began with "
    "batch 0. The target has batches 0 to 2 already and skips them: a new file is **lost**."
)
SHARED = (
    "The second job found **no new files**: it has taken the checkpoint of the first job. Take the "
    "folder that the job is given."
)


@check(
    "04.2",
    title="a job that is started each night and reads only what is new",
    minutes=10,
    look_at="A job that ends",
    hints=(
        "What must the second run know of the first one, and where does it stand?",
        'The sink is JSON files: `.format("json")`, and `start(target)` says where.',
        "Which trigger reads what is there in several batches and then ends?",
        "Reader: the limit. Stream: `select`. Writer: format, checkpointLocation, trigger.",
    ),
    answer="function",
    returns=False,
)
def nightly(answer: Callable[[str, str, str], Any]) -> Verdict:
    """Run the job, add files, run it again; then run a second job over the same files."""
    with _place(ORDERS) as (given, place):

        def run(job: str, waiting: int) -> tuple[str, Verdict | None]:
            target, mark = place / f"{job}_target", place / f"{job}_mark"
            query, wrong = _ended(answer(given.path, str(target), str(mark)))
            files = given.sent // ROWS_IN_A_FILE
            return query and query.id, wrong or _wrong_run(query, target, waiting, files)

        given.step(FIRST)
        first, wrong = run("one", FIRST)
        if wrong is not None:
            return wrong
        given.step(LATER)
        second, wrong = run("one", LATER)
        if second != first:  # a checkpoint gives its query the same id in each run
            return not_yet(FORGOTTEN)
        if wrong is not None:
            return wrong
        other, wrong = run("two", FIRST + LATER)
    return (not_yet(SHARED) if other == first else wrong) or passed(
        "The first run read **5 files** and the second only the **2 new** ones. Another job with "
        "a checkpoint of its own read all **7**.",
        "Nobody has to be awake: cron starts the job, and the checkpoint knows where it stopped.",
    )


def _wrong_run(query: Any, target: Path, waiting: int, files: int) -> Verdict | None:
    odd = sorted({path.suffix for path in target.glob("part-*")} - {".json"})
    if odd:
        return not_yet(f"The files in target end with **{odd[0]}**. Asked are JSON files.")
    if not _files_by_batch(query):
        cause = f"**{waiting} files** waited, and none was read: your checkpoint had them already."
        return not_yet(f"{cause} Take the folder that the job is given.")
    written = _written(target)
    if _from_elsewhere(written):
        return not_yet("The rows are not those of **source**: your job reads another stream.")
    wanted = [{name: row[name] for name in KEPT} for row in _rows_of(ORDERS, files)]
    return _wrong_batches(query, waiting) or compare(written, wanted, key="customer")


def _from_elsewhere(rows: list[dict[str, Any]]) -> bool:
    """Tell whether no amount is one of the check's own; rows without amounts tell nothing."""
    amounts = {row.get("amount") for row in rows} - {None}
    own = {row["amount"] for row in _rows_of(ORDERS, FIRST + LATER)}
    return bool(amounts) and amounts.isdisjoint(own | {str(amount) for amount in own})


def _written(target: Path) -> list[dict[str, Any]]:
    if not list(target.glob("*.json")):
        return []
    found = spark().read.json(str(target))
    return [row.asDict() for row in found.collect()]


# ---- 04.3: over, idle or keeping up ----

WORDS = ("over", "idle", "keeping up")
INTERVAL_S = 0.01
IDLE_REPORTS = "spark.sql.streaming.noDataProgressEventInterval"


class Case(NamedTuple):
    """What a query has reported, and the word for it."""

    title: str
    entries: Sequence[Any]
    interval_s: float
    word: str
    cause: str


@check(
    "04.3",
    title="say of a query whether it is over, idle or keeping up",
    minutes=8,
    look_at="Longer than the trigger",
    hints=(
        "A list of entries tells a story. Which entry tells how it is now?",
        "How do you know an entry of an idle query? Print one of `ticking`.",
        "How long a batch took stands in `batchDuration`. Look at its unit.",
        "No entries or no rows: idle. `entries[-1].batchDuration > 1000 * interval_s`: over.",
    ),
    answer="function",
)
def standing(answer: Callable[[list[Any], float], Any]) -> Verdict:
    """Ask the function about what a real query has reported at several moments."""
    cases = _cases()
    said = [answer(list(case.entries), case.interval_s) for case in cases]
    rows = [
        CheckedRow("=" if word == case.word else "Δ", case.title, str(word), case.word)
        for word, case in zip(said, cases, strict=True)
    ]
    for word, case in zip(said, cases, strict=True):
        if word not in WORDS:
            cause = f"The function says **{word!r}**. The words are **{', '.join(WORDS)}**."
            return not_yet(cause)
        if word != case.word:
            return not_yet(case.cause, rows, place="moment")
    return passed(
        "The newest entry decides: **no rows** is idle, **longer than the interval** is over. "
        "Older entries are history.",
        "A query that is over now and then is fine. Look at the last three batches before you "
        "change anything.",
    )


def _cases() -> list[Case]:
    entries = _reported()
    ran = [at for at, entry in enumerate(entries) if entry.numInputRows]
    slow, quick, last = ran[0], ran[1], ran[-1]
    rest = next(at for at in range(quick, last) if not entries[at].numInputRows)
    took_s = [entry.batchDuration / 1000 for entry in entries]
    part_s = entries[last].durationMs["addBatch"] / 1000
    history = "The newest entry is the **last** of the list. The others tell what was before."
    cases = [
        Case("nothing reported", [], 1.0, "idle", "No entry yet: nothing has come, so it is idle."),
        Case(
            "first batch",
            entries[: slow + 1],
            INTERVAL_S,
            "over",
            f"The newest batch took longer than the interval. {history}",
        ),
        Case(
            "no more files",
            entries[: rest + 1],
            INTERVAL_S,
            "idle",
            f"The newest entry has **0 rows**: no batch ran, the query is idle. {history}",
        ),
        Case(
            "a new file",
            entries[: last + 1],
            INTERVAL_S,
            "over",
            f"The query was idle and is so no more: a batch has run, a long one. {history}",
        ),
        Case(
            "twice the time",
            entries[: last + 1],
            2 * took_s[last],
            "keeping up",
            "The batch took **half** of the interval. One of them is in milliseconds, the other "
            "in seconds.",
        ),
        Case(
            "slow after quick",
            entries[quick : last + 1],
            _between(took_s[quick:rest], took_s[last]),
            "over",
            "The **newest** batch took longer than the interval. Quick ones before do not help.",
        ),
        Case(
            "whole batch",
            entries[: last + 1],
            (part_s + took_s[last]) / 2,
            "over",
            "**addBatch** is only a part of a batch. `batchDuration` is the whole of it.",
        ),
    ]
    if took_s[quick] < took_s[slow]:  # a busy machine may make any batch slow
        between = (took_s[quick] + took_s[slow]) / 2
        cause = "Only an **older** batch took longer than the interval; the newest one did not."
        cases.append(Case("quick after slow", entries[: quick + 1], between, "keeping up", cause))
    return cases


def _between(before_s: Sequence[float], after_s: float) -> float:
    """Return an interval below the newest batch, and above the mean of all of them."""
    return (max(before_s) + 3 * after_s) / 4


def _reported() -> list[Any]:
    """Run a query with a slow, two quick, no and a slow batch, and return what it has reported."""
    session = spark()
    with _place(ORDERS) as (given, _):
        pause_s = [0.5]

        def deliver(rows: Any, _number: int) -> None:
            rows.collect()  # rows that nobody asks for are not read, and not counted
            time.sleep(pause_s.pop() if pause_s else 0)

        session.conf.set(IDLE_REPORTS, "200ms")  # the check sets it back
        reader = session.readStream.schema(ORDERS.schema).option("maxFilesPerTrigger", 1)
        writer = reader.json(given.path).writeStream.foreachBatch(deliver)
        given.step(3)
        query = writer.trigger(processingTime=f"{INTERVAL_S * 1000:g} milliseconds").start()
        query.processAllAvailable()
        _wait_for_rest(query)
        longest_ms = max(entry.batchDuration for entry in query.recentProgress)
        pause_s.append(longest_ms / 1000 + 0.1)
        given.step()
        query.processAllAvailable()
        entries = list(query.recentProgress)
        query.stop()
    return entries


def _wait_for_rest(query: Any) -> None:
    def is_at_rest() -> bool:
        return query.lastProgress is not None and not query.lastProgress.numInputRows

    wait_until(is_at_rest, what="The query does not say that it is idle", timeout_s=20)


QUIZ = (
    Question(
        "Eight files wait, and a batch takes **3**. What does a query with availableNow do?",
        facts="maxFilesPerTrigger 3 · availableNow",
        choices=(
            Choice(
                "One batch with 8 files; then the query ends.",
                hint="Which trigger takes everything at once? It has another name.",
            ),
            Choice(
                "Batches of 3, 3 and 2 files; then the query waits for more.",
                hint="The batches fit. Would a job with that trigger ever be over?",
            ),
            Choice(
                "Batches of 3, 3 and 2 files; then the query ends.",
                why="availableNow keeps the limit of the source, reads what was there at the "
                "start, and ends.",
            ),
        ),
        answer="9bc125988a87",
    ),
    Question(
        "A query runs every 10 seconds. For one minute no row comes. How many batches run in that "
        "minute?",
        facts='processingTime="10 seconds"',
        choices=(
            Choice(
                "6",
                hint="What would such a batch read? Look again at what `ticking` did.",
            ),
            Choice(
                "None",
                why="Every ten seconds the query looks for new data. It finds none, so no batch "
                "runs.",
            ),
            Choice(
                "1, with no rows",
                hint="An idle query does report something. Is a report a batch?",
            ),
        ),
        answer="6a550fd98b90",
    ),
    Question(
        "A nightly job with availableNow writes the total of each customer to JSON files. The plan "
        "has no time windows. In which mode does it start?",
        facts="groupBy who, sum · JSON files",
        choices=(
            Choice(
                "append",
                hint="Files like that mode. But is the total of a customer ever final?",
            ),
            Choice(
                "complete",
                hint="The totals like that mode. Can a file that was written be replaced?",
            ),
            Choice(
                "In none of the three",
                why="The sink takes append only, and append refuses totals that may still change. "
                "The trigger makes no difference to that.",
            ),
            Choice(
                "update",
                hint="What would a reader of the files do with the old total?",
            ),
        ),
        answer="792ee9a88e1b",
        lesson="03",
    ),
)
