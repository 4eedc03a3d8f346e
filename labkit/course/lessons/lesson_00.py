"""Lesson 00, First stream: its checks and its quiz."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labkit.course.judging.checks import Mistake, Verdict, check, compare, not_yet, passed
from labkit.course.quizzes.questions import Choice, Question
from labkit.course.running.stepping import run_stream
from labkit.events.script import Script
from labkit.events.stocks import Stocks

Rows = list[dict[str, Any]]

# ---- 00.1: the table after step 3 ----

STEPS, ROWS_A_STEP = 3, 15
A_MONTH = "The months are written as in the table: **2012-01**, **2012-02** and so on."


@check(
    "00.1",
    title="the table after step 3, as a dict from month to rows",
    minutes=4,
    look_at="The opening question",
    hints=(
        "How many rows have come in after three steps? The counts of your table add up to that.",
        "January had 20 trading days, and all of them have come. Does anything of it change?",
        "February had 20 trading days as well. How many of them came with step 2?",
        "The new rows fill February up first. What is left is March.",
    ),
    answer="dict",
)
def table_after_three_steps(answer: dict[Any, Any]) -> Verdict:
    """Step the real rows three times, and compare the table with the prediction."""
    rows = list(Stocks(tickers=["AAPL"], years=[2012]))
    steps = [rows[n * ROWS_A_STEP : (n + 1) * ROWS_A_STEP] for n in range(STEPS)]
    run = run_stream(_rows_per_month, steps, output_mode="complete", schema=Stocks.schema)
    if run.error is not None:
        raise run.error
    odd = _odd_prediction(answer)
    if odd:
        return not_yet(odd)
    predicted = [{"month": month, "count": count} for month, count in answer.items()]
    wrong = compare(predicted, run.table, key="month", mistakes=_predictions(steps, run.steps))
    return wrong or passed(
        "February goes from 10 to **20**, and March begins with **5**. January keeps its **20**: "
        "no row of it came, and nothing of it was lost.",
        "The query read **15** rows in step 3, and its counts add up to **45**.",
    )


def _rows_per_month(df: Any) -> Any:
    from pyspark.sql import functions as F  # noqa: PLC0415 - only when there is a query

    return df.groupBy(F.date_format("Date", "yyyy-MM").alias("month")).count()


def _odd_prediction(answer: dict[Any, Any]) -> str:
    if not answer:
        return "Your table is empty. After three steps **45** rows have come in."
    for month, count in answer.items():
        if not isinstance(month, str) or not month.startswith("2012-"):
            return f"Your table has the month **{month!r}**. {A_MONTH}"
        if isinstance(count, bool) or not isinstance(count, int):
            return f"Your table says **{count!r}** for {month}. It must be a number of rows."
    return ""


def _predictions(steps: list[Any], seen: Any) -> tuple[Mistake, ...]:
    """Return the tables that people expect who think of the query in another way."""
    new = _counted(steps[-1])
    before = {row["month"]: row["count"] for row in seen[-2].rows}
    replaced = (
        "Your table has only the **15** rows of step 3. The query keeps its counts from the "
        "steps before."
    )
    newest = (
        "Your table puts the **10** new rows of February in the place of the 10 that it had. "
        "The query adds them."
    )
    stands = "Your table is that of step 2: it has **30** rows. Step 3 brings 15 more."
    moved = "**January** is missing. `complete` sends every month, also one that did not change."
    one_month = (
        "Your table puts all **15** new rows into February. February 2012 had only 20 trading days."
    )
    only_march = (
        "Your table puts all **15** new rows into March. February had 20 trading days, and 10 of "
        "them are still to come."
    )
    last, first = max(before), max(new)
    changed = {month: before.get(month, 0) + count for month, count in new.items()}
    return (
        Mistake(replaced, _table(new)),
        Mistake(newest, _table(before | new)),
        Mistake(moved, _table(changed)),
        Mistake(stands, _table(before)),
        Mistake(one_month, _table(before | {last: before[last] + ROWS_A_STEP})),
        Mistake(only_march, _table(before | {first: ROWS_A_STEP})),
    )


def _counted(rows: list[Any]) -> dict[str, int]:
    months = [f"{row.value['Date']:%Y-%m}" for row in rows]
    return {month: months.count(month) for month in sorted(set(months))}


def _table(counts: dict[str, int]) -> Rows:
    return [{"month": month, "count": count} for month, count in counts.items()]


# ---- 00.2: the highest price of each month ----

# The highest day is neither the first nor the last of its month, never the largest in another
# column, and the same month comes in two years. July goes on in step 2 and 3.
PRICES = Script(
    """2020-07-01 2020-07-01 50 58 41 52 900
2020-07-02 2020-07-02 53 71 40 44 100
2020-07-03 2020-07-03 61 64 39 63 300

2020-07-30 2020-07-30 66 69 60 68 400
2020-08-03 2020-08-03 30 33 28 29 200

2020-08-04 2020-08-04 31 37 21 22 100
2020-08-05 2020-08-05 32 35 30 34 800
2021-07-01 2021-07-01 80 88 77 78 500

2021-07-02 2021-07-02 90 95 70 71 100
2021-07-05 2021-07-05 70 79 69 79 600""",
    columns="Date date, Open double, High double, Low double, Close double, Volume bigint",
)


@check(
    "00.2",
    title="the highest price of each month",
    minutes=6,
    look_at="Another question to the same rows",
    hints=(
        "Which column of the rows is the highest price of a day?",
        "The lowest price of each month was made by `agg` with `F.min`. What has to change?",
        "The names count, too: `month` comes from the group, `highest` from `alias`.",
        '`rows.groupBy(month).agg(F.max("High")…)`, and give the new column its name.',
    ),
    answer="function",
)
def highest_per_month(answer: Callable[[Any], Any]) -> Verdict:
    """Run the function over prices of other years."""
    run = run_stream(answer, PRICES, output_mode="complete")
    expected = [_per_month(step, "High", max) for step in _so_far()]
    wrong = compare(run, expected, key="month", mistakes=_prices_of_others())
    if wrong is not None and run.error is None and _is_other_input(run.rows):
        return not_yet(
            "Your rows are of months that the check did not send. Build the result from what the "
            "function is given, not from `stream`."
        )
    return wrong or passed(
        "July 2020 stays at **71** in every step: the later days were lower. July 2021 is a month "
        "of its own and goes from **88** to **95**.",
        "The query keeps one number for each month, not the rows.",
    )


def _so_far() -> list[Rows]:
    rows = [[event.value for event in step] for step in PRICES.steps]
    return [[row for step in rows[: n + 1] for row in step] for n in range(len(rows))]


def _per_month(
    rows: Rows, column: str, choose: Callable[[list[Any]], Any], form: str = "%Y-%m"
) -> Rows:
    months: dict[str, list[Any]] = {}
    for row in rows:
        months.setdefault(row["Date"].strftime(form), []).append(row[column])
    return [{"month": month, "highest": choose(values)} for month, values in months.items()]


def _prices_of_others() -> tuple[Mistake, ...]:
    def sent(cause: str, column: str, choose: Callable[[list[Any]], Any], form: str) -> Mistake:
        return Mistake(cause, [_per_month(rows, column, choose, form) for rows in _so_far()])

    def each(column: str) -> str:
        return (
            f"Your function takes the highest value of **{column}**. The highest price of a day is "
            "another column."
        )

    return (
        sent("It takes the **last** day of each month; a day before was higher.", "High", _last, M),
        sent(
            "It takes the **first** day of each month; a later one was higher.", "High", _first, M
        ),
        sent("It takes the **lowest** High of each month, not the highest.", "High", min, M),
        sent("It gives the **mean** of the highest prices of a month.", "High", _mean, M),
        sent("It **adds** the highest prices of a month.", "High", sum, M),
        sent("It **counts** the days of each month.", "High", len, M),
        sent("It gives the **lowest** price of each month, as in the lesson.", "Low", min, M),
        *(sent(each(column), column, max, M) for column in ("Open", "Low", "Close", "Volume")),
        sent("It has a group for each **day**. Group by the month.", "High", max, "%Y-%m-%d"),
        sent("It puts July 2020 and July 2021 into **one** group.", "High", max, "%m"),
        sent("It has a group for each **year**. Group by the month.", "High", max, "%Y"),
    )


M = "%Y-%m"


def _first(values: list[Any]) -> Any:
    return values[0]


def _last(values: list[Any]) -> Any:
    return values[-1]


def _mean(values: list[Any]) -> float:
    return float(sum(values) / len(values))


def _is_other_input(rows: Rows) -> bool:
    own = {f"{row['Date']:%Y-%m}" for row in _so_far()[-1]}
    months = {str(row.get("month")) for row in rows}
    return (
        bool(months) and not months & own and all(len(month) == len("2020-07") for month in months)
    )


QUIZ = (
    Question(
        "A query counts rows per month. Its table says January **12**. The next file holds **3** "
        "rows of January and **7** of February. What does the table say then?",
        facts="group by month, count · complete",
        choices=(
            Choice(
                "January 3, February 7.",
                hint="Those are the rows of the new file alone. What has the query kept from the "
                "batches before?",
            ),
            Choice(
                "January 15, February 7.",
                why="The query keeps its counts from batch to batch: that is its **state**. "
                "January goes from 12 to **15**, and February is new with **7**.",
            ),
            Choice(
                "January 12, February 7.",
                hint="Nobody told the query that January is over. What does it do with a row of a "
                "month that it knows already?",
            ),
        ),
        answer="1c7ce64b56a4",
    ),
    Question(
        "A folder holds **4** files, and a query has read them all. You start a second query on "
        "the same folder. What does it read?",
        facts="maxFilesPerTrigger 1",
        choices=(
            Choice(
                "Only files that come from now on.",
                hint="Where does a query note which files it has read? Does a new query have such "
                "a note?",
            ),
            Choice(
                "Nothing: the first query has taken the files.",
                hint="Look into the folder. Are the files gone when a query has read them?",
            ),
            Choice(
                "All 4 files, one per batch.",
                why="Every query keeps its own place. A new one has no place yet, so it begins "
                "with the oldest file and runs **4** batches.",
            ),
        ),
        answer="f46319e5ed85",
    ),
    Question(
        "A table stands still. `query.isActive` says `True` and `query.exception()` says `None`. "
        "What is the most likely reason?",
        facts="when nothing moves",
        choices=(
            Choice(
                "No new file has come, and the query waits.",
                why="The query lives and did not fail, so it waits for data. The next file starts "
                "the next batch.",
            ),
            Choice(
                "The query ended, because it had read every row.",
                hint="Which of the two calls says whether it still lives? And can a query know "
                "that no more rows will come?",
            ),
            Choice(
                "The last batch failed.",
                hint="Which of the two calls would tell of a failure, and what did it say?",
            ),
        ),
        answer="efb365306f31",
    ),
)
