"""Lesson 03, Output modes: its checks and its quiz."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

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
from labkit.course.running.stepping import Run, run_stream
from labkit.course.running.trouble import words_of
from labkit.course.truth.cells import try_cell
from labkit.engine.modes import MODES
from labkit.events.script import Script

Rows = list[dict[str, Any]]

# ---- 03.1: four jobs, and what each of them gets from a mode ----

PURCHASES = Script(
    """10:00:00 anna 40
10:00:01 ben 15

10:00:02 cleo 60

10:00:03 ben 30

10:00:04 anna 6""",
    columns="who string, amount int",
)
JOBS = ("archive", "balance", "ranking", "board")


@check(
    "03.1",
    title="choose the mode for four jobs",
    minutes=6,
    look_at="Who refuses what",
    hints=(
        "For each job ask first: does a row ever change after it was sent?",
        "Two of the jobs get totals. One of them keeps what it got before, the other one does not.",
        'Try a job before you choose: `attempt("groupBy, orderBy", "update")`, and so on.',
        "Files take one mode only. Sorted totals too. The board forgets all with every batch.",
    ),
    answer="dict",
)
def choose_modes(answer: dict[str, Any]) -> Verdict:
    """Run each job in the mode that was chosen for it."""
    missing = [job for job in JOBS if job not in answer]
    if missing:
        return not_yet(f"The job **{missing[0]}** has no mode yet.")
    modes = {job: str(answer[job]).strip().lower() for job in JOBS}
    for job, mode in modes.items():
        if mode not in MODES:
            said = f"{job} has the mode **{answer[job]!r}**"
            return not_yet(f"{said}. The modes are **append**, **update** and **complete**.")
    found = {job: try_job(modes[job]) for job, try_job in _TRIED.items()}
    lines = [_job_line(job, modes[job], *words) for job, words in found.items()]
    causes = [cause for cause, _ in found.values() if cause]
    if causes:
        return not_yet(causes[0], lines, place="job")
    return passed(
        "Each job gets what it needs: balance **5 rows** for 5 changes, and the board all "
        "**3 customers** with every batch.",
        "A filter in update mode sends the same rows as in append. Only the file sink refuses it.",
    )


def _job_line(job: str, mode: str, cause: str, came: str) -> CheckedRow:
    return CheckedRow("Δ" if cause else "=", f"{job} · {mode}", came)


def _totals(df: Any) -> Any:
    from pyspark.sql import functions as F  # noqa: PLC0415 - only when there is a query

    return df.groupBy("who").agg(F.sum("amount").alias("total"))


def _try_archive(mode: str) -> tuple[str, str]:
    found = try_cell("where, select", mode, "parquet")
    if found.refusal is None:
        return "", "runs"
    return f"archive in {mode} mode is refused. {found.reason}", "refused"


def _try_balance(mode: str) -> tuple[str, str]:
    run = run_stream(_totals, PURCHASES, output_mode=mode)
    if run.error is not None:
        return f"balance in {mode} mode is refused. {words_of(run.error)}", "refused"
    sent = len(run.rows)
    if mode == "complete":
        cause = f"balance runs in complete mode, but the store gets **{sent} rows** for 5 changes."
        return cause, f"{sent} rows sent"
    return "", f"{sent} rows sent"


def _try_ranking(mode: str) -> tuple[str, str]:
    run = run_stream(lambda df: _totals(df).orderBy("total"), PURCHASES, output_mode=mode)
    if run.error is not None:
        return f"ranking in {mode} mode is refused. {words_of(run.error)}", "refused"
    return "", f"{len(run.table)} rows in order"


def _try_board(mode: str) -> tuple[str, str]:
    run = run_stream(_totals, PURCHASES, output_mode=mode)
    if run.error is not None:
        return f"board in {mode} mode is refused. {words_of(run.error)}", "refused"
    shown = sorted(row["who"] for row in run.steps[-1].rows)
    if len(shown) < 3:
        cause = (
            f"board runs in {mode} mode, but after the last batch it shows only "
            f"**{', '.join(shown)}**: it was cleared, and nobody sent the others again."
        )
        return cause, f"shows {', '.join(shown)}"
    return "", f"shows {', '.join(shown)}"


_TRIED: dict[str, Callable[[str], tuple[str, str]]] = {
    "archive": _try_archive,
    "balance": _try_balance,
    "ranking": _try_ranking,
    "board": _try_board,
}

# ---- 03.2: two queries that Spark refuses ----

BASKETS = Script(
    """10:00:00 anna tea 4
10:00:01 ben cake 9
10:00:02 anna cake 9

10:00:03 anna tea 4

10:00:04 cleo tea 4
10:00:05 ben tea 4

10:00:06 ben cake 8""",
    columns="who string, item string, amount int",
)


def _per_who(**values: int) -> Rows:
    return [{"who": who, "total": value} for who, value in values.items()]


CHANGED = [_per_who(anna=13, ben=9), _per_who(anna=17), _per_who(ben=13, cleo=4), _per_who(ben=21)]


def _items(*steps: dict[str, int]) -> list[Rows]:
    return [[{"who": who, "items": n} for who, n in step.items()] for step in steps]


DIFFERENT = _items(
    {"anna": 2, "ben": 1},
    {"anna": 2, "ben": 1},
    {"anna": 2, "ben": 2, "cleo": 1},
    {"anna": 2, "ben": 2, "cleo": 1},
)
ALL_ITEMS = _items(
    {"anna": 2, "ben": 1},
    {"anna": 3, "ben": 1},
    {"anna": 3, "ben": 2, "cleo": 1},
    {"anna": 3, "ben": 3, "cleo": 1},
)
# Each item counts for the first who bought it.
FIRST_BUYER = _items(*[{"anna": 1, "ben": 1}] * 4)
# The cake has become cheaper, so it looks like a third thing to who counts amounts.
AMOUNTS = [*DIFFERENT[:3], *_items({"anna": 2, "ben": 3, "cleo": 1})]


@check(
    "03.2",
    title="repair two refused queries",
    minutes=8,
    look_at="Who refuses what",
    hints=(
        "Run a query as it is, and call `lab.explain()`. Which part does Spark refuse?",
        "The mode is what the task asks for. What has to change is the rest of the query.",
        "Who reads the totals can sort them. Does the query have to?",
        "Spark has another count of different values: `F.approx_count_distinct`.",
    ),
    answer="dict",
)
def repair(answer: dict[str, Any]) -> Verdict:
    """Run both queries over purchases that the lesson does not show."""
    for name in ("changed", "items"):
        if not callable(answer.get(name)):
            return not_yet(f"The answer needs a function for **{name}**.")
    return _repaired_totals(answer["changed"]) or _repaired_items(answer["items"])


def _mode_cause(name: str, run: Run, wanted: str) -> Verdict | None:
    """Say it when a query runs, but not in the mode that was asked for."""
    if run.error is not None or run.mode == wanted:
        return None
    rows = f"**{len(run.rows)} rows** in {len(run.steps)} batches"
    return not_yet(f"{name} runs in **{run.mode}** mode and sends {rows}. Asked is {wanted} mode.")


def _repaired_totals(fn: Callable[[Any], Any]) -> Verdict | None:
    run = run_stream(fn, BASKETS, output_mode="update")
    if run.error is not None:
        return not_yet(f"changed: {words_of(run.error)}")
    return _mode_cause("changed", run, "update") or compare(run, CHANGED, key="who")


def _repaired_items(fn: Callable[[Any], Any]) -> Verdict:
    run = run_stream(fn, BASKETS, output_mode="complete")
    if run.error is not None:
        return not_yet(f"items: {words_of(run.error)}")
    every = "items counts every purchase: anna bought tea **twice**, but it is one item."
    first = (
        "items counts each item once for **all** customers: ben's tea is lost, anna had it first."
    )
    amounts = "items counts different **amounts**: ben paid 9 and 8, but both times for cake."
    mistakes = (Mistake(every, ALL_ITEMS), Mistake(first, FIRST_BUYER), Mistake(amounts, AMOUNTS))
    wrong = _mode_cause("items", run, "complete") or compare(
        run, DIFFERENT, key="who", mistakes=mistakes
    )
    return wrong or passed(
        "Both run in the mode asked for. changed sent **6 rows** for 6 changes; items counts "
        "anna's second tea **not** again.",
        "approx_count_distinct may be some percent off when there are many values. "
        "dropDuplicates is exact, and remembers every pair.",
    )


# ---- 03.3: from the rows sent to the table now ----

# A refund makes a total smaller, and one customer buys the same twice.
REFUNDS = Script(
    """10:00:00 anna 9
10:00:01 ben 4

10:00:02 ben 8

10:00:03 ben -7
10:00:04 cleo 3

10:00:05 anna 9""",
    columns="who string, amount int",
)


@check(
    "03.3",
    title="from the rows sent to the table now",
    minutes=8,
    look_at="Rows sent, or the table now",
    hints=(
        "Take the three modes one by one. What does a reader do with a batch that comes?",
        "In complete mode the last batch is the whole table. In append mode nothing is replaced.",
        'Update: a row replaces its older one. A dict does that: `table[row["who"]] = row`.',
        "The newest total is not always the largest one: think of a refund.",
    ),
    answer="function",
)
def table_now(answer: Callable[[str, list[Rows]], Any]) -> Verdict:
    """Give the function what three real queries have sent, and compare its table with theirs."""
    for mode in MODES:
        run = run_stream(_bought if mode == "append" else _totals, REFUNDS, output_mode=mode)
        steps = [step.rows for step in run.steps]
        table = answer(mode, copy.deepcopy(steps))
        wrong = _wrong_table(mode, steps, table)
        if wrong is not None:
            return wrong
    return passed(
        "Append: all **6 rows** stay. Update: the newest row of each customer, so ben has **5** "
        "and not 12. Complete: the last **3 rows**.",
        "In update mode the receiver needs a key. Without one it can only collect versions.",
    )


def _bought(df: Any) -> Any:
    return df.select("who", "amount")


def _wrong_table(mode: str, steps: list[Rows], table: Any) -> Verdict | None:
    is_rows = isinstance(table, list | tuple) and all(isinstance(row, dict) for row in table)
    if not is_rows:
        found = f"In {mode} mode the function returns a `{type(table).__name__}`."
        return not_yet(f"{found} It must be a list of rows.")
    every = [row for rows in steps for row in rows]
    expected = every if mode == "append" else _newest(every)
    if not table:
        count = f"{len(expected)} rows are expected"
        return not_yet(f"In {mode} mode the function returns no rows; {count}.")
    rows = [dict(row) for row in table]
    return compare(rows, expected, key="who", mistakes=_mistakes(mode, steps, every))


def _newest(rows: Rows) -> Rows:
    return list({row["who"]: row for row in rows}.values())


def _added_up(rows: Rows, name: str) -> Rows:
    paid: dict[str, int] = {}
    for row in rows:
        paid[row["who"]] = paid.get(row["who"], 0) + row["amount"]
    return [{"who": who, name: total} for who, total in paid.items()]


def _mistakes(mode: str, steps: list[Rows], every: Rows) -> tuple[Mistake, ...]:
    """Return what typical wrong functions make of the rows sent in a mode."""
    if mode == "append":
        twice = "Append: anna bought **twice**, and both rows stay. Nothing is replaced."
        last = "Append: only the last batch is there. The rows before it stay, too."
        sums = "Append: you **added up** the purchases of each customer. Asked are the rows."
        return (
            Mistake(twice, _newest(every)),
            Mistake(last, steps[-1]),
            *(Mistake(sums, _added_up(every, name)) for name in ("amount", "total")),
        )
    word = mode.capitalize()
    largest = f"{word}: ben has **12**, his largest total. After the refund he has 5."
    by_total = sorted(every, key=lambda row: row["total"])
    shared = (Mistake(largest, _newest(by_total)),)
    if mode == "complete":
        added = "Complete: each batch replaces the table. Do not put them together."
        return (*shared, Mistake(added, every))
    anna, ben = (sum(row["who"] == who for row in every) for who in ("anna", "ben"))
    versions = f"Update: anna is there **{anna} times** and ben **{ben} times**."
    return (
        *shared,
        Mistake(f"{versions} These are versions of one row; the newest one counts.", every),
        Mistake("Update: only the last batch is there. Who did not change stays.", steps[-1]),
        Mistake("Update: the **first** row of each customer is there.", _newest(every[::-1])),
    )


QUIZ = (
    Question(
        "The totals are anna **7** and ben **8**. Now cleo buys for **2**. Which rows does update "
        "send?",
        facts="groupBy who, sum · update",
        choices=(
            Choice(
                "anna 7, ben 8, cleo 2",
                hint="That is the whole table. Which of these rows are as they were before?",
            ),
            Choice(
                "cleo 2",
                why="Only cleo's total has changed. anna and ben stay as they are, so update does "
                "not send them.",
            ),
            Choice(
                "Nothing, because cleo's total may still grow.",
                hint="A row that may still grow is a problem in another mode. Which one sends only "
                "what is final?",
            ),
        ),
        answer="0307b65a2a66",
    ),
    Question(
        "You want totals per customer, sorted, on a screen that shows what it gets. Which mode "
        "runs?",
        facts="groupBy who, sum, orderBy",
        choices=(
            Choice(
                "append",
                hint="Is the total of a customer ever final, without a watermark?",
            ),
            Choice(
                "update",
                hint="Update sends single rows. At which place of the sorted list do they belong?",
            ),
            Choice(
                "complete",
                why="Only complete sends the result as a whole, so only there it has an order.",
            ),
            Choice(
                "None of the three.",
                hint="Look at the line groupBy, orderBy of the table. Is there a mode that runs?",
            ),
        ),
        answer="970c1252b0eb",
    ),
    Question(
        "A query has counted **20** rows of January. A file with **5** more rows of January "
        "comes. How many rows does the query read for the new result?",
        facts="groupBy month, count",
        choices=(
            Choice(
                "25: the old rows and the new ones.",
                hint="The rows of the first files are read once. What has the query kept of them?",
            ),
            Choice(
                "5: the new rows.",
                why="The query keeps its counts as **state**: 20. It reads the **5** new rows and "
                "adds them.",
            ),
            Choice(
                "None: January is in the state already.",
                hint="The state says 20. From where does the query know of five more?",
            ),
        ),
        answer="285a8213d9ee",
        lesson="00",
    ),
)
