"""Lesson 01, A streaming DataFrame and its query: its checks and its quiz."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
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
from labkit.course.running.practice import READY_S, Practice
from labkit.course.running.stepping import run_stream
from labkit.course.running.trouble import type_name, words_of
from labkit.engine.session import spark
from labkit.waiting import wait_until

Rows = list[dict[str, Any]]

# ---- 01.1: one of three queries is stopped ----

ASKED = "tea"
# Each name holds the name that is asked for, and that query has another place in each list.
LISTS = (("tea_time", "tea", "green_tea"), ("tea", "green_tea", "tea_time"))


@check(
    "01.1",
    title="stop one of three queries",
    minutes=5,
    look_at="Two queries side by side",
    hints=(
        "Each query has a name. Which of its members says it?",
        "Go through the list with `for`, and compare the name of each query with the one asked.",
        "Compare with `==`: a name may be a part of another name.",
        "Inside the loop: `query.name == name` is the question, and `query.stop()` what follows.",
    ),
    answer="function",
    returns=False,
)
def stop_one(answer: Callable[[list[Any], str], Any]) -> Verdict:
    """Start three queries twice, and see which of them the function stops."""
    with Practice("stop_one") as practice:
        practice.step(["green tea"])
        for names in LISTS:
            queries = [practice.start(name=name) for name in names]
            for query in queries:
                query.processAllAvailable()
            answer(list(queries), ASKED)
            wrong = _stopped_wrongly(names, queries)
            if wrong is not None:
                return wrong
            others = [query for query in queries if query.name != ASKED]
            before = [_rows_read(query) for query in others]
            practice.step(["black tea", "tea"])
            for query in others:
                query.processAllAvailable()
            more = [_rows_read(query) - n for query, n in zip(others, before, strict=True)]
            if more != [2, 2]:
                return not_yet("The two others still run, but they do not read the next lines.")
            for query in others:
                query.stop()
    return passed(
        "Only **tea** has ended. The two others went on and read the next **2** lines.",
        "`lab.stop(name)` does the same, and drops the memory table as well.",
    )


def _rows_read(query: Any) -> int:
    return sum(report.numInputRows for report in query.recentProgress)


def _stopped_wrongly(names: Sequence[str], queries: Sequence[Any]) -> Verdict | None:
    runs = {name: query.isActive for name, query in zip(names, queries, strict=True)}
    if runs == {name: name != ASKED for name in names}:
        return None
    rows = [
        CheckedRow(
            "=" if runs[name] == (name != ASKED) else "Δ",
            name,
            "runs" if runs[name] else "stopped",
            "stopped" if name == ASKED else "runs",
        )
        for name in sorted(names)
    ]
    return not_yet(_cause_of_stops(names, runs), rows, place="query")


def _cause_of_stops(names: Sequence[str], runs: dict[str, bool]) -> str:
    ended = [name for name in names if not runs[name]]
    if not ended:
        return (
            "All three queries still run. Compare `query.name` with the name, and call `stop()` "
            "with its brackets."
        )
    if len(ended) == len(names):
        return (
            f"All three are stopped. Only the query whose name is exactly **{ASKED}** should end; "
            "the names of the two others hold that word, too."
        )
    if ASKED not in ended and len(ended) == len(names) - 1:
        return f"It is the other way round: **{ASKED}** runs, and the two others are stopped."
    if ASKED not in ended:
        return (
            "Another query is stopped. The place in the list says nothing: the queries stand in "
            "**any** order."
        )
    return f"**{ASKED}** is stopped, and one more. Compare the whole name."


# ---- 01.2: one function for both ----

LINES = (("snow falls on the hill", "the hill"), ("a hill of snow",), ("rain",))


@check(
    "01.2",
    title="a function that works on both kinds of DataFrame",
    minutes=6,
    look_at="One function, two DataFrames",
    hints=(
        "The function gives back a DataFrame. Does it have to look at a row for that?",
        "Begin with `words(df)`: a row for each word. How long is a word? `F.length`.",
        "Group by the length, give that column its name, and count.",
        '`words(df).groupBy(F.length("word").alias("length"))…`',
    ),
    answer="function",
    returns=False,
)
def lengths(answer: Callable[[Any], Any]) -> Verdict:
    """Run the function on lines in a static DataFrame, and on the same lines as a stream."""
    return (
        _on_static(answer)
        or _on_stream(answer)
        or passed(
            "The static DataFrame and the last step of the stream give the same table: **6** words "
            "of length 4.",
            "The function only makes a plan, so it need not know which kind of DataFrame it gets.",
        )
    )


def _on_static(answer: Callable[[Any], Any]) -> Verdict | None:
    from pyspark.sql import DataFrame, functions  # noqa: PLC0415 - only when there is a query

    session = spark()  # before any column is made: a column needs a session
    lines = [functions.lit(line) for step in LINES for line in step]
    values = functions.explode(functions.array(*lines)).alias("value")
    try:
        made = answer(session.range(1).select(values))
        if made is None or made is ...:
            return not_yet("Your function returns nothing. It must return a DataFrame.")
        if not isinstance(made, DataFrame):
            return not_yet(
                f"Your function returns an object of the type **{type_name(made)}**. It must "
                "return a DataFrame of Spark, a plan that others can start or show."
            )
        if made.isStreaming:
            return not_yet(
                "Your function was given a static DataFrame, and gives back a stream. Build the "
                "result from `df`, not from `stream`."
            )
        rows = [row.asDict() for row in made.collect()]
    except Exception as error:  # noqa: BLE001 - whatever the answer does is told in words
        return not_yet(f"On the static DataFrame: {words_of(error)}")
    return compare(rows, _expected()[-1], key="length", mistakes=_mistakes(-1))


def _on_stream(answer: Callable[[Any], Any]) -> Verdict | None:
    steps = [[{"value": line} for line in step] for step in LINES]
    run = run_stream(answer, steps, output_mode="complete", schema="value string")
    if run.error is not None:
        return not_yet(f"The static DataFrame works. On the stream: {words_of(run.error)}")
    if run.mode != "complete":
        return not_yet("On the stream your function starts a query. It must return a DataFrame.")
    return compare(run, _expected(), key="length")


def _expected() -> list[Rows]:
    return [_table(words) for words in _so_far()]


def _so_far() -> list[list[str]]:
    """Return the words that have come after each step."""
    words = [[word for line in step for word in line.split()] for step in LINES]
    return [[word for step in words[: n + 1] for word in step] for n in range(len(words))]


def _table(texts: Sequence[str]) -> Rows:
    counts = Counter(map(len, texts))
    return [{"length": length, "count": count} for length, count in counts.items()]


def _mistakes(step: int) -> tuple[Mistake, ...]:
    words = _so_far()[step]
    lines = [line for given in LINES for line in given]
    letters = Counter(words)
    return (
        Mistake("It measures whole **lines**. Cut them into words first.", _table(lines)),
        Mistake(
            "It counts each **different** word once. hill is there three times.",
            _table(sorted(letters)),
        ),
        Mistake(
            "It adds up the letters. Asked is the number of **words** of each length.",
            [{"length": n, "count": n * count} for n, count in Counter(map(len, words)).items()],
        ),
    )


# ---- 01.3: what does a query do? ----

LIVE, ENDED = ("running", "idle"), ("stopped", "dead")
WORDS = LIVE + ENDED
# What each of the five queries is, and the word for it.
FIVE = {
    "works on a batch": "running",
    "waits after two batches": "idle",
    "has never had a row": "idle",
    "was stopped": "stopped",
    "failed in batch 1": "dead",
}


@check(
    "01.3",
    title="say running, idle, stopped or dead for five queries",
    minutes=8,
    look_at="Running, idle, stopped or dead",
    hints=(
        "First cut the queries in two: which member says whether a query lives?",
        "Two kinds do not live. One of them has an exception.",
        "Two kinds live. What does `status` say of a query that has something to work on?",
        '`query.isActive`, `query.exception()` and `query.status["isDataAvailable"]` are enough.',
    ),
    answer="function",
)
def state_of(answer: Callable[[Any], Any]) -> Verdict:
    """Ask the function about five queries that the lesson does not show."""
    from pyspark.errors import StreamingQueryException  # noqa: PLC0415 - half a second

    with Practice("state_of") as practice:
        said = {}
        for what, query in _five(practice).items():
            try:
                said[what] = answer(query)
            except StreamingQueryException:
                return not_yet(
                    "Asked about the query that failed, your function raises the error of that "
                    "query. `exception()` gives it back and does not raise it."
                )
    rows = [
        CheckedRow("=" if said[what] == word else "Δ", what, str(said[what]), word)
        for what, word in FIVE.items()
    ]
    cause = _cause_of_words(said)
    if cause:
        return not_yet(cause, rows, place="a query that")
    return passed(
        "All five are right. Two of them have isActive **False**, and only one of these has an "
        "exception.",
        'A query that only looks for new data has `status["isTriggerActive"]` True for a moment, '
        "though it has nothing to do. isDataAvailable is the better one to ask.",
    )


def _five(practice: Practice) -> dict[str, Any]:
    practice.step(["12", "7"])
    practice.step(["30", "x"])
    # The name keeps lab.explain() from telling the learner of this error.
    failing = practice.start(lambda lines: lines.select(lines.value.cast("int")), name=FAILING)
    ended = practice.start()
    waiting, empty = practice.start(), practice.start(source="empty")
    for query in (ended, waiting, empty):
        query.processAllAvailable()
    ended.stop()
    busy = practice.start_held(at=1)
    wait_until(
        lambda: not failing.isActive and failing.exception() is not None,
        what="The query has not failed yet",
        timeout_s=READY_S,
    )
    wait_until(
        lambda: not waiting.status["isDataAvailable"],
        what="The query still looks busy",
        timeout_s=READY_S,
    )
    return dict(zip(FIVE, (busy, waiting, empty, ended, failing), strict=True))


FAILING = "run_stream_failing"


def _cause_of_words(said: dict[str, Any]) -> str:
    """Return why words are wrong, the first cause that fits; empty when all are right."""
    for what, word in said.items():
        if word is None:
            return f"For the query that {what}, your function gives **no** word back."
        if word not in WORDS:
            return f"Your function says **{word!r}**. The words are {', '.join(WORDS)}."
    busy, waiting, empty, ended, failed = (said[what] for what in FIVE)
    causes = {
        f"The query that failed is called **{failed}**. It has ended: ask `isActive` first.": (
            failed in LIVE
        ),
        f"The query that was stopped is called **{ended}**. It has ended: ask `isActive` first.": (
            ended in LIVE
        ),
        "The query that failed is called **stopped**. isActive is False for both; "
        "`exception()` tells them apart.": failed == "stopped",
        "The query that was stopped is called **dead**. Nothing failed in it: its "
        "`exception()` is None.": ended == "dead",
        "The query that waits after two batches is called **running**. `lastProgress` and "
        "`recentProgress` tell of batches that are over.": (waiting, empty) == ("running", "idle"),
        "Queries that wait are called **running**. isActive is True for both kinds; ask "
        "`status` whether there is something to work on.": (waiting, empty) == ("running",) * 2,
        "The query that works on a batch right now is called **idle**. Ask its `status`.": (
            busy == "idle"
        ),
        "Not every query that lives has the right word.": said != FIVE,
    }
    return next((cause for cause, fits in causes.items() if fits), "")


QUIZ = (
    Question(
        "`counts(stream)` has worked, and `counts(stream).show()` is refused. Why?",
        facts="stream.isStreaming is True",
        choices=(
            Choice(
                "The folder is still empty.",
                hint="Put a file there and try again. Does the refusal speak of files?",
            ),
            Choice(
                "A stream has no end, so there is no result to show before a query runs.",
                why="`counts(stream)` is a plan. Only a started query brings rows, batch by batch, "
                "and then its **table** can be shown.",
            ),
            Choice(
                "A stream cannot be grouped.",
                hint="Which of the two calls was refused, the one with the groups or the other?",
            ),
        ),
        answer="ae269060155e",
    ),
    Question(
        "A table stands still. `query.isActive` says `False` and `query.exception()` says `None`. "
        "What has happened?",
        facts="a query that was started",
        choices=(
            Choice(
                "Somebody has stopped the query.",
                why="It has ended, and no error ended it. So it was **stopped**, by `stop()` or by "
                "another start of the same cell.",
            ),
            Choice(
                "It waits for data.",
                hint="Does a query that waits still live? Which of the two calls says that?",
            ),
            Choice(
                "A row has made it fail.",
                hint="Then the error would be kept. Which call gives it back?",
            ),
        ),
        answer="b1601c55e814",
    ),
    Question(
        "The live table says January 20, February 10. The next batch brings **15** rows, all of "
        "February. Which sign does January get?",
        facts="group by month, count · complete",
        choices=(
            Choice("**Δ**", hint="That sign means changed. Did a row of January come?"),
            Choice(
                "**·**",
                why="Complete mode sends January again, and nothing in it has **changed**. The "
                "query has kept its 20.",
            ),
            Choice(
                "None: its row is gone.",
                hint="Is a result made from the new rows alone, or from what the query has kept "
                "as well?",
            ),
        ),
        answer="9bf2b658a587",
        lesson="00",
    ),
)
