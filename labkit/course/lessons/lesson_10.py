"""Lesson 10, Late data: its checks and its quiz."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

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
from labkit.course.running.practice import window_counts
from labkit.course.running.stepping import run_stream
from labkit.course.running.trouble import words_of
from labkit.engine.session import spark
from labkit.engine.temp_views import restore_temp_views, temp_views
from labkit.errors import InvalidArgument
from labkit.events.script import Script
from labkit.feeds.feed import feed
from labkit.feeds.folder import folder
from labkit.views.cells import plural
from labkit.views.event_time import interval_ms

Rows = list[dict[str, Any]]


# ---- 10.1: counted or dropped ----

# Each event that is asked for, and the drop it comes in; in drop 7 it is one of two.
ASKED = {"12:19:59": 1, "12:20:00": 2, "12:29": 4, "12:30": 5, "12:31": 6, "12:39:59": 7}
DROPS = Script(
    "12:00\n12:26\n\n12:19:59\n\n12:20:00\n\n12:35\n\n12:29\n\n12:30\n\n12:50\n12:31\n\n12:39:59"
)
COUNTED, DROPPED = "counted", "dropped"


class Rule(NamedTuple):
    """A rule that somebody may go by: what it says about the events, and why it is not Spark's."""

    counted: frozenset[str]
    cause: str


RULES = (
    Rule(
        frozenset({"12:30", "12:31"}),
        "You compare each row with the watermark: 12:20:00 is older than 12:21. Spark asks for "
        "its **window**, and 12:20–12:30 is still open then.",
    ),
    Rule(
        frozenset({"12:20:00", "12:31"}),
        "12:30 comes when the watermark is 12:30. Its window **begins** there and ends at 12:40.",
    ),
    Rule(
        frozenset({"12:20:00", "12:30"}),
        "12:31 comes in one file with 12:50. The watermark moves **between** batches, so inside a "
        "file no row is late against another.",
    ),
    Rule(
        frozenset({"12:30"}),
        "You count rows that are at most five minutes behind the newest one. A row beyond the "
        "delay counts as long as its **window** is open.",
    ),
    Rule(
        frozenset(),
        "Each of the six is older than the newest event, and you drop them all. Being older is "
        "not being late.",
    ),
    Rule(
        frozenset(ASKED),
        "You count them all. After 12:26 the watermark is **12:21**: is the window of 12:19:59 "
        "still open?",
    ),
    Rule(
        frozenset({"12:19:59", "12:29", "12:39:59"}),
        "It is the other way round: a row is dropped when its window has **ended**.",
    ),
)


@check(
    "10.1",
    title="counted or dropped, six events",
    minutes=8,
    look_at="Older than the watermark, and counted",
    hints=(
        "Write down the watermark after each drop: the newest event so far, minus five minutes.",
        "For each bold event: which window of ten minutes does it lie in, and when does it end?",
        "Is that end at or before the watermark? Then the event is dropped.",
        "The watermark is 12:21 after drop 1, 12:30 after 12:35, and 12:45 after 12:50.",
    ),
    answer="dict",
)
def fates(answer: dict[str, Any]) -> Verdict:
    """Run the drops in Spark, and see from its own count what was dropped."""
    words: dict[str, str] = {}
    for event in ASKED:
        if event not in answer:
            return not_yet(f"**{event}** has no word yet.")
        words[event] = str(answer[event]).strip().lower()
        if words[event] not in {COUNTED, DROPPED}:
            shown = f"**{event}** has {answer[event]!r}."
            return not_yet(f'{shown} Write `"counted"` or `"dropped"`.')
    found = _fates_on_spark()
    if words == found:
        return passed(
            "Spark dropped **12:19:59, 12:29 and 12:39:59**: their windows had ended. 12:20:00 is "
            "older than the watermark 12:21 and counts, and so does 12:31, nineteen minutes behind "
            "the row beside it.",
        )
    said = frozenset(event for event, word in words.items() if word == COUNTED)
    first = next(event for event in ASKED if words[event] != found[event])
    general = f"**{first}** is {found[first]}. When does its window end, and what is the watermark?"
    cause = next((rule.cause for rule in RULES if rule.counted == said), general)
    lines = [
        CheckedRow("=" if words[event] == found[event] else "Δ", event, words[event], found[event])
        for event in ASKED
    ]
    return not_yet(cause, lines, place="event")


def _fates_on_spark() -> dict[str, str]:
    run = run_stream(window_counts("10 minutes", "5 minutes"), DROPS)
    dropped = {batch.number: batch.progress.dropped_groups for batch in run.batches}
    by_step = {step.number: sum(dropped[n] for n in step.batches) for step in run.steps}
    return {event: DROPPED if by_step[step] else COUNTED for event, step in ASKED.items()}


# ---- 10.2: the delay from measured lateness ----


class Day(NamedTuple):
    """One day's rows in the order in which they were received, a list for each file of a run."""

    date: str
    files: tuple[str, ...]

    def rows(self) -> list[Rows]:
        """Return the rows of each file."""
        made = []
        for file in self.files:
            pairs = (line.split() for line in file.splitlines())
            made.append(
                [
                    {"event_time": self._at(event), "received": self._at(received)}
                    for event, received in pairs
                ]
            )
        return made

    def _at(self, time: str) -> datetime:
        return datetime.fromisoformat(f"{self.date}T{time}").replace(tzinfo=UTC)


# The latest row is the second of two late ones, and lies just before the end of its window.
TUESDAY = Day(
    "2024-03-05",
    (
        "09:00:10 09:00:12\n09:04:00 09:04:03\n09:03:20 09:04:05",
        "09:12:29 09:12:31",
        "09:06:00 09:12:33\n09:04:59 09:13:40",
        "09:15:00 09:15:01\n09:14:30 09:15:09",
    ),
)
# All rows were an hour on their way, and hardly one is behind another.
WEDNESDAY = Day(
    "2024-03-06",
    (
        "12:00:00 13:00:04\n12:04:00 13:04:02\n12:02:25 13:04:30",
        "12:09:00 13:09:10\n12:08:00 13:09:11",
    ),
)


def _seconds(delta: timedelta) -> int:
    return int(delta.total_seconds())


def _behind(day: Day) -> list[int]:
    """Return how many seconds each row lies behind the newest one so far."""
    times = [row["event_time"] for file in day.rows() for row in file]
    return [_seconds(max(times[: n + 1]) - time) for n, time in enumerate(times)]


def _measures(day: Day) -> list[tuple[int, str]]:
    """Return what is measured by other rules, and what is amiss with each."""
    rows = [row for file in day.rows() for row in file]
    times = [row["event_time"] for row in rows]
    behind = _behind(day)
    on_way = [_seconds(row["received"] - row["event_time"]) for row in rows]
    before = [_seconds(one - other) for one, other in pairwise(times)]
    late = [seconds for seconds in behind if seconds]
    return [
        (max(on_way), "You measure **received − event_time**: how long a row was on its way."),
        (
            max(before),
            (
                "You compare each row with the one **just before** it. Of two late rows the "
                "second then looks on time. Compare it with the newest row so far."
            ),
        ),
        (
            _seconds(max(times) - min(times)),
            "That is the time from the first event to the last, and no lateness at all.",
        ),
        (0, "You find no row behind another. In which order do you go through them?"),
        (round(sum(behind) / len(behind)), "That is the **mean** of all rows."),
        (round(sum(late) / len(late)), "That is the **mean** of the late rows."),
        (sum(behind), "That is the **sum** of all rows. One delay has to do for each of them."),
        (sorted(behind)[-2], "That is the **second largest**. The latest row is not covered."),
        (max(behind) // 60 * 60, "You round **down** to minutes."),
        (-(-max(behind) // 60) * 60, "You round **up** to minutes. Asked are whole seconds."),
        (min(late), "That is the row that is **least** behind."),
    ]


@check(
    "10.2",
    title="the delay from measured lateness",
    minutes=10,
    look_at="Measure before you choose",
    hints=(
        "A row is behind the newest event so far. So far: in the order of which column?",
        "The cell before the task has a column `behind_s`. Which value must the delay cover?",
        "First a DataFrame with the column, then `.agg(F.max(…))`, then `.first()[0]`.",
        'At the end make a text of it: `f"{longest} seconds"`.',
    ),
    answer="function",
)
def delay(answer: Callable[[Any], Any]) -> Verdict:
    """Measure two days with the function; run Spark over the first one with the delay."""
    for day in (TUESDAY, WEDNESDAY):
        rows = [row for file in day.rows() for row in file]
        mixed = Random(day.date).sample(rows, len(rows))  # noqa: S311 - the same on each run
        history = spark().createDataFrame(mixed, "event_time timestamp, received timestamp")
        history.groupBy("received").count().collect()  # what a first job costs is not the answer's
        said = answer(history)
        wrong = _wrong_delay(day, said)
        if wrong is not None:
            return wrong
    longest, other = (max(_behind(day)) for day in (TUESDAY, WEDNESDAY))
    return passed(
        f"With **{longest} seconds** Spark lost **{plural(_lost(longest), 'row')}** of the first "
        f"day. The other day needs only {other} seconds.",
        "A day that was measured says nothing about tomorrow. Most jobs add something on top, and "
        "count what is lost all the same.",
    )


def _wrong_delay(day: Day, said: Any) -> Verdict | None:
    if not isinstance(said, str):
        kind = type(said).__name__
        shown = f"Your function returns a `{kind}`: **{said!r}**."
        return not_yet(f'{shown} Asked is a text, such as `"90 seconds"`.')
    longest = max(_behind(day))
    try:
        seconds = 0 if said.split()[0] == "0" else interval_ms("delay", said) / 1000
    except (InvalidArgument, IndexError):
        return not_yet(f"Spark cannot read **{said!r}**. Write a number and a unit.")
    if seconds == longest:
        return None
    cause = next((cause for value, cause in _measures(day) if value == seconds), "")
    if not cause:
        word = "longer than needed" if seconds > longest else "too short"
        cause = f"That is {word}: the row that is furthest behind is so by **{longest} seconds**."
    if seconds < longest and day is TUESDAY:
        cause += f" With {said} Spark drops **{plural(_lost(seconds), 'row')}** of this day."
    return not_yet(cause, [CheckedRow("Δ", day.date, said, f"{longest} seconds")], place="day")


def _lost(seconds: float) -> int:
    """Return how many rows of the first day Spark loses with a delay; all windows are sent."""
    files = TUESDAY.rows()
    batches = [[{"event_time": row["event_time"]} for row in file] for file in files]
    closing = {"event_time": batches[-1][-1]["event_time"] + timedelta(days=1)}
    count = window_counts("5 minutes", f"{round(seconds * 1000)} milliseconds")
    run = run_stream(count, [*batches[:-1], [*batches[-1], closing]])
    return sum(map(len, batches)) - sum(int(row["count"]) for row in run.rows)


# ---- 10.3: a broken clock ----

# A clock a little fast, one 83 minutes ahead, a row that comes 61 minutes after its event, a
# clock of another century, and one that is ahead by just one hour.
CLOCKS = Script(
    """2021-05-06 08:00:00 2021-05-06 08:00:02
2021-05-06 08:03:00 2021-05-06 08:03:01

2021-05-06 08:06:00 2021-05-06 08:05:50

2021-05-06 09:30:00 2021-05-06 08:07:00

2021-05-06 08:08:30 2021-05-06 09:10:00

2130-01-01 00:00:00 2021-05-06 09:10:30

2021-05-06 08:12:00 2021-05-06 09:11:10

2021-05-06 10:12:00 2021-05-06 09:12:00""",
    columns="received timestamp",
)


def _sent(*steps: dict[str, int]) -> list[Rows]:
    return [[{"window": w, "count": n} for w, n in step.items()] for step in steps]


EIGHT, FIVE, TEN = "08:00 – 08:05", "08:05 – 08:10", "08:10 – 08:15"
GUARDED = _sent({}, {EIGHT: 2}, {}, {}, {}, {FIVE: 2}, {TEN: 1})
CHECKPOINTS = ("old", "new")


def _clock_mistakes() -> tuple[Mistake, ...]:
    none = _sent({}, {EIGHT: 2}, {FIVE: 1}, {}, {"09:30 – 09:35": 1}, {}, {})
    fixed = _sent({}, {EIGHT: 2}, {FIVE: 1}, {}, {}, {}, {"09:30 – 09:35": 1})
    too_late = _sent({}, {EIGHT: 2}, {FIVE: 1}, {}, {}, {}, {})
    absolute = _sent({}, {EIGHT: 2}, {}, {}, {}, {FIVE: 1}, {TEN: 1})
    strict = _sent({}, {}, {}, {EIGHT: 2}, {}, {FIVE: 1}, {})
    no_hour = _sent({}, {EIGHT: 2}, {}, {}, {}, {FIVE: 2}, {})
    return (
        Mistake(
            "The row of **09:30**, 83 minutes ahead of its time, has closed 08:05–08:10, and the "
            "row of 2130 has ended everything: no row is kept out.",
            none,
        ),
        Mistake(
            "The row of 2130 is out, but **09:30** is in: it was received at 08:07. Compare each "
            "row with its own `received`, not with a fixed time or today's.",
            fixed,
        ),
        Mistake(
            "The broken rows are not counted, but the watermark has **seen** them. The filter must "
            "stand before `withWatermark`.",
            too_late,
        ),
        Mistake(
            "The row of 08:08:30 was received 61 minutes **after** its event. That is no broken "
            "clock: it was on its way, and its window is open.",
            absolute,
        ),
        Mistake(
            "The clock of 08:06:00 is ten seconds fast, and you leave its row out. **One hour** is "
            "allowed.",
            strict,
        ),
        Mistake(
            "10:12:00 is ahead by **exactly** one hour. Broken is what is more than that.",
            no_hour,
        ),
    )


@check(
    "10.3",
    title="keep a broken clock out",
    minutes=10,
    look_at="Keep it out, and begin anew",
    hints=(
        "Which two columns tell that a clock is broken?",
        "Where must the filter stand, so that the watermark never sees such a row?",
        'One hour after `received` is `F.col("received") + F.expr("INTERVAL 1 HOUR")`.',
        "Where is the watermark kept between two runs of a query? Look at the three jobs again.",
    ),
    answer="dict",
)
def broken_clock(answer: dict[str, Any]) -> Verdict:
    """Run the function over rows of broken clocks; start it on the checkpoint that was chosen."""
    fn, chosen = answer.get("counts"), str(answer.get("checkpoint", "")).strip().lower()
    if not callable(fn):
        return not_yet("The answer needs a function for **counts**.")
    if chosen not in CHECKPOINTS:
        shown = f"checkpoint is **{answer.get('checkpoint')!r}**."
        return not_yet(f'{shown} Write `"old"` or `"new"`.')
    run = run_stream(fn, CLOCKS)
    if run.error is None and run.mode != "append":
        cause = f"Your query runs in **{run.mode}** mode."
        return not_yet(f"{cause} Return the DataFrame of the counts.")
    wrong = compare(run, GUARDED, key="window", mistakes=_clock_mistakes())
    if wrong is not None:
        return wrong
    if chosen == "old":
        return _on_the_old_checkpoint(fn)
    return passed(
        "With a new checkpoint **5 honest rows** came out in three windows: the clock that is ten "
        "seconds fast, the row that was 61 minutes on its way, and no row of 2130.",
        "What you leave out, write somewhere else: a second query with the opposite filter shows "
        "which clocks are broken.",
    )


def _on_the_old_checkpoint(fn: Callable[[Any], Any]) -> Verdict:
    """Let an unguarded query die of the rows, and start the function on its checkpoint."""
    with _place() as place:
        source = feed(CLOCKS, to=folder(place / "rows"), name="check_10")
        rows = spark().readStream.schema(CLOCKS.schema).option("maxFilesPerTrigger", 1)
        stream = rows.json(str(place / "rows"))
        source.step(5)
        mark = str(place / "mark")
        _drain(window_counts("5 minutes", "1 minute")(stream), mark)
        source.step(2)
        source.close()
        try:
            dropped = _drain(fn(stream), mark)
        except Exception as error:  # noqa: BLE001 - whatever the answer does is a result
            return not_yet(f"On the old checkpoint: {words_of(error)}")
    return not_yet(
        f"Your filter is right. But on the **old** checkpoint Spark dropped {dropped} of the 2 "
        "honest rows that came next: the watermark of 2129 stands in it, and a restart goes on "
        "with that."
    )


def _drain(counts: Any, mark: str) -> int:
    """Run a query until it has read all that is there; return how many groups it dropped."""
    writer = counts.writeStream.format("noop").option("checkpointLocation", mark)
    query = writer.trigger(availableNow=True).start()
    query.awaitTermination(60)
    query.stop()
    ran = [entry for entry in query.recentProgress if entry.stateOperators]
    return sum(int(entry.stateOperators[0].numRowsDroppedByWatermark) for entry in ran)


@contextmanager
def _place() -> Iterator[Path]:
    """Give a new folder; it goes at the end, and so do the tables of an answer."""
    place = scratch.place("check_10")
    shutil.rmtree(place, ignore_errors=True)
    views = temp_views(spark())
    try:
        yield place
    finally:
        restore_temp_views(spark(), views)
        shutil.rmtree(place, ignore_errors=True)


QUIZ = (
    Question(
        "The watermark of the batch before is **10:20**. Now the row **10:14** comes. What becomes "
        "of it?",
        facts="window 15 minutes · append",
        choices=(
            Choice(
                "It is dropped: 10:14 is older than 10:20.",
                hint="Spark does not compare the row. What does it compare with the watermark?",
            ),
            Choice(
                "It is dropped: its window ends at 10:15.",
                why="10:00–10:15 ended before 10:20. Where the row lies in its window makes no "
                "difference.",
            ),
            Choice(
                "It is counted, and the window is sent again.",
                hint="How often does append send a window?",
            ),
            Choice(
                "It is counted, and nothing is sent.",
                hint="Which window is it, and is that still in the state?",
            ),
        ),
        answer="df557ae40c32",
    ),
    Question(
        "`numRowsDroppedByWatermark` says **3**. What do you know?",
        facts="windows of 5 minutes, no slide · append",
        choices=(
            Choice(
                "Exactly three rows were dropped.",
                hint="Seven late rows of one window made it 1. What is counted?",
            ),
            Choice(
                "Three windows were dropped, and each had one row.",
                hint="The first half may be so. From where would you know the second?",
            ),
            Choice(
                "At least three rows were dropped.",
                why="It counts what is left of the late rows after they were added up by window "
                "and key. There may be many more rows.",
            ),
        ),
        answer="cc8ef9ccc99a",
    ),
    Question(
        "A query in append mode has a delay of **10 minutes** and windows of one hour. When is "
        "12:00–13:00 sent?",
        facts="window 1 hour · delay 10 minutes",
        choices=(
            Choice(
                "When an event of 13:10 or later has come.",
                why="Then the watermark is 13:00 or later and has reached the end of the window.",
            ),
            Choice(
                "When the clock on the wall says 13:10.",
                hint="What alone moves the watermark?",
            ),
            Choice(
                "When an event of 13:00 or later has come.",
                hint="The watermark is then still ten minutes short. What has to be added?",
            ),
        ),
        answer="0b3469e30dbd",
        lesson="09",
    ),
)
