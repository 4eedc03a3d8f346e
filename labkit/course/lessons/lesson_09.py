"""Lesson 09, Watermarks: its checks and its quiz."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

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
from labkit.course.running.stepping import Run, run_stream
from labkit.events.script import Script

Rows = list[dict[str, Any]]
Windows = dict[int, list[str]]


# ---- 09.1: which windows are sent after which drop ----

# The drops of the task: an older event, a watermark just at an end, a window without events.
DROPS = Script("12:01\n12:03\n\n12:06\n\n12:05:30\n\n12:07\n\n12:18")
START = re.compile(r"(\d\d:\d\d)(:00)?(\s*[–-]\s*\d\d:\d\d)?")
NONE: Windows = {drop: [] for drop in range(1, len(DROPS.steps) + 1)}


class Guess(NamedTuple):
    """What somebody believes who overlooks one thing, and what it is."""

    sent: Windows
    cause: str


GUESSES = (
    Guess(
        {2: ["12:00"], 5: ["12:05"]},
        "12:06 is later than the end of the first window. But the **delay** is two minutes: the "
        "watermark is only 12:04.",
    ),
    Guess(
        {5: ["12:00", "12:05"]},
        "12:07 − 2 minutes is exactly 12:05. It is enough that the watermark **reaches** the end.",
    ),
    Guess(
        {5: ["12:00"]},
        "You let each window wait for one more drop. After a drop Spark runs an **empty batch**, "
        "in which the new watermark holds already.",
    ),
    Guess(
        {4: ["12:00"], 5: ["12:05", "12:10"]},
        "Nobody was in **12:10–12:15**. A window without rows does not exist, so it is not sent.",
    ),
    Guess(
        {4: ["12:00"], 5: ["12:05", "12:15"]},
        "12:15–12:20 holds 12:18, and it is still **open**: it waits for an event at 12:22.",
    ),
    Guess(
        {4: ["12:00"], 5: ["12:05", "12:10", "12:15"]},
        "After 12:18 the watermark is **12:16**. Which windows with rows have ended by then?",
    ),
    Guess(
        {1: ["12:00"], 2: ["12:05"], 3: ["12:05"], 4: ["12:05"], 5: ["12:15"]},
        "You name the window of each event. So does **update**: it sends what has changed.",
    ),
    Guess(
        {4: ["12:00"], 5: ["12:00", "12:05"]},
        "12:00–12:05 was sent after drop 4. Append sends a window **once**.",
    ),
    Guess(
        {4: ["12:05"], 5: ["12:10"]},
        "These are the **ends** of the windows. Name them by their starts.",
    ),
)


@check(
    "09.1",
    title="which windows are sent after which drop",
    minutes=6,
    look_at="The opening question",
    hints=(
        "Write down the watermark after each drop: the newest event so far, minus two minutes.",
        "Which event of the five drops does not move the watermark?",
        "A window goes out when the watermark is at its end or later. Did anybody come into it?",
        "The watermarks are 12:01, 12:04, 12:04, 12:05 and 12:16. The first window ends at 12:05.",
    ),
    answer="dict",
)
def sent_windows(answer: dict[Any, Any]) -> Verdict:
    """Run the drops in Spark, and compare what each of them sends with the prediction."""
    said, wrong = _read_prediction(answer)
    if wrong is not None:
        return wrong
    run = run_stream(window_counts("5 minutes", "2 minutes"), DROPS)
    sent = {
        step.number + 1: sorted(f"{row['window'].start:%H:%M}" for row in step.rows)
        for step in run.steps
    }
    if said == sent:
        return passed(
            "Spark sent **12:00** after drop 4, with a watermark of exactly 12:05, and **12:05** "
            "after drop 5. 12:10–12:15 had no rows, and 12:15–12:20 waits for 12:22."
        )
    lines = [
        CheckedRow("=" if said[drop] == sent[drop] else "Δ", f"drop {drop}", *map(_listed, pair))
        for drop, pair in ((drop, (said[drop], sent[drop])) for drop in sent)
    ]
    cause = next((g.cause for g in GUESSES if said == NONE | g.sent), "")
    if not cause:
        odd = next(drop for drop in sent if said[drop] != sent[drop])
        cause = f"Drop **{odd}** is the first that differs. Which watermark holds after it?"
    return not_yet(cause, lines, place="after")


def _listed(windows: list[str]) -> str:
    return ", ".join(windows) or "nothing"


def _read_prediction(answer: dict[Any, Any]) -> tuple[Windows, Verdict | None]:
    said: Windows = {}
    for drop in NONE:
        value = answer.get(drop, answer.get(str(drop)))
        if value is None:
            return {}, not_yet(f"Drop **{drop}** has no list yet. If nothing is sent, it is `[]`.")
        listed = [value] if isinstance(value, str) else value
        starts = [START.fullmatch(str(one).strip()) for one in _items(listed)]
        if not isinstance(listed, list | tuple | set) or not all(starts):
            shown = f"Drop {drop} has **{value!r}**."
            return {}, not_yet(f'{shown} Write a list of starts, such as `["12:00"]`, or `[]`.')
        said[drop] = sorted(start[1] for start in starts if start)
    return said, None


def _items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple | set) else [value]


# ---- 09.2: the refused query of lesson 03 in append mode ----

# One second before the end is sent; one purchase two minutes late; one when all is over.
LATE = Script(
    """11:01:00 kim 4
11:03:00 lea 2

11:06:59 kim 1

11:04:59 lea 5

11:07:00 kim 3

11:04:59 max 9

11:12:00 lea 6""",
    columns="who string, amount int",
)


def _totals(window: str, **values: int) -> Rows:
    return [{"window": window, "who": who, "total": total} for who, total in values.items()]


FIRST, SECOND, BOTH = "11:00 – 11:05", "11:05 – 11:10", "11:00 – 11:10"
ON_TIME: list[Rows] = [[], [], [], _totals(FIRST, kim=4, lea=7), [], _totals(SECOND, kim=4)]


@check(
    "09.2",
    title="the total of each customer for each five minutes, in append mode",
    minutes=8,
    look_at="Four plans, one of them runs",
    hints=(
        "Which of the four plans of the lesson runs, and what do its groups look like?",
        "Two things are missing: a mark on the rows, and a group that time can close.",
        "The mark comes first: `bought.withWatermark(…, …)`. Then `groupBy` with a window.",
        '`marked.groupBy(F.window("event_time", "5 minutes"), "who")`.',
    ),
    answer="function",
)
def totals(answer: Callable[[Any], Any]) -> Verdict:
    """Run the function in append mode over purchases of which some come late."""
    run = run_stream(answer, LATE)
    wrong = _other_form(run) or compare(
        run, ON_TIME, key=("window", "who"), mistakes=_totals_mistakes()
    )
    return wrong or passed(
        "Each total was sent **once**. lea's purchase of 11:04:59 came after 11:06:59 and counts; "
        "max's of the same time came after 11:07:00, and by then its window was closed.",
        "The price of two minutes: the total of 11:00–11:05 is not there before 11:07.",
    )


def _other_form(run: Run) -> Verdict | None:
    """Say it when a query runs in another mode, or with other groups."""
    if run.error is None and run.mode != "append":
        sent = f"It sends **{len(run.rows)} rows**, and some of them change later."
        return not_yet(f"Your query runs in **{run.mode}** mode. {sent} Asked is append.")
    if run.rows and "event_time" in run.rows[0]:
        return not_yet(
            "You group by **event_time** itself. Append takes it, but each purchase is then a "
            "group of its own, and nothing is added up."
        )
    return None


def _totals_mistakes() -> tuple[Mistake, ...]:
    late_lost = [[], _totals(FIRST, kim=4, lea=2), [], [], [], _totals(SECOND, kim=4)]
    waits = [[], [], [], [], [], _totals(FIRST, kim=4, lea=7, max=9)]
    counted = [[], [], [], _totals(FIRST, kim=1, lea=2), [], _totals(SECOND, kim=2)]
    wide = [[], [], [], [], [], _totals(BOTH, kim=8, lea=7, max=9)]
    return (
        Mistake(
            "Your watermark is too **short**: 11:04:59 came while 11:06:59 was the newest event, "
            "two minutes late, and lea's **5** is lost.",
            late_lost,
        ),
        Mistake(
            "Your watermark is too **long**: 11:00–11:05 is sent only after 11:12, and it "
            "holds max's purchase, which came more than two minutes late.",
            waits,
        ),
        Mistake("The window is **ten** minutes long. Asked are five.", wide),
        Mistake("You **count** the purchases. Asked is the sum of the amounts.", counted),
    )


# ---- 09.3: the event time that a query waits for ----


class Waiting(NamedTuple):
    """A query that stands still: its windows and delay, its events, the end it waits for."""

    window: str
    delay: timedelta
    events: str
    end: str


WAITING = {
    "a": Waiting("5 minutes", timedelta(minutes=1), "14:02\n14:04\n14:03", "14:05:00"),
    "b": Waiting("10 minutes", timedelta(minutes=2), "14:07\n14:11:30\n14:09", "14:10:00"),
    "c": Waiting("1 hour", timedelta(seconds=30), "14:20\n15:05\n15:10", "16:00:00"),
}
TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
SECOND_S = timedelta(seconds=1)


@check(
    "09.3",
    title="the earliest event time that sends the next window",
    minutes=8,
    look_at="When nothing moves",
    hints=(
        "Which windows hold events and were not sent yet? Take the one that ends first.",
        "How far must the watermark come? To the end of that window.",
        "The watermark is an event minus the delay. So which event is needed?",
        "End of the window + delay. For `a` that is 14:05:00 + 1 minute.",
    ),
    answer="dict",
)
def needed(answer: dict[str, Any]) -> Verdict:
    """Send each query an event a second before the time that was named, and one of that time."""
    times: dict[str, datetime] = {}
    for name in WAITING:
        found = TIME.fullmatch(str(answer.get(name, "")).strip())
        if found is None:
            shown = (
                f"**{name}** has {answer[name]!r}." if name in answer else f"**{name}** is missing."
            )
            return not_yet(f'{shown} Write a time of day, such as `"14:00:00"`.')
        times[name] = _at(found[0])
    causes, lines = [], []
    for name, query in WAITING.items():
        cause, came = _tried(query, times[name])
        causes += [f"`{name}`: {cause}"] if cause else []
        lines.append(CheckedRow("Δ" if cause else "=", f"{name} · {times[name]:%H:%M:%S}", came))
    if causes:
        return not_yet(causes[0], lines, place="query · event")
    return passed(
        "A second earlier nothing came; then **14:06:00** brought out 14:00–14:05, **14:12:00** "
        "14:00–14:10, and **16:00:30** 15:00–16:00.",
        "`lab.explain(query)` names this event for each append query that waits.",
    )


def _at(text: str) -> datetime:
    hour, minute, second = (int(part) for part in [*text.split(":"), "0"][:3])
    return datetime(2024, 1, 1, hour, minute, second, tzinfo=UTC)


def _tried(query: Waiting, time: datetime) -> tuple[str, str]:
    """Send the events, one a second before the time, and one of the time; say what is amiss."""
    before = [_at(text) for text in query.events.split()] + [time - SECOND_S]
    batches = [[{"event_time": at} for at in step] for step in (before, [time])]
    delay = f"{int(query.delay.total_seconds())} seconds"
    run = run_stream(window_counts(query.window, delay), batches)
    sent = [{f"{row['window'].end:%H:%M:%S}" for row in step.rows} for step in run.steps]
    if query.end in sent[0]:
        early = f"{time - SECOND_S:%H:%M:%S}"
        return f"an event at **{early}** sends the window already. There is an earlier one.", (
            "came a second before"
        )
    if query.end in sent[1]:
        return "", "was sent"
    return _too_early(query, time), "nothing came"


def _too_early(query: Waiting, time: datetime) -> str:
    newest = max(time, *(_at(text) for text in query.events.split()))
    mark = f"the watermark is then **{newest - query.delay:%H:%M:%S}**"
    if time == _at(query.end):
        return f"{time:%H:%M:%S} is the end of the window, but {mark}: the delay comes on top."
    return f"{mark}, and the oldest open window ends at {query.end}."


QUIZ = (
    Question(
        "The newest event so far is **10:11**. Which window is the last that append has sent?",
        facts="window 5 minutes · delay 3 minutes",
        choices=(
            Choice(
                "10:05–10:10",
                hint="It has ended by the newest event. Take the delay away first.",
            ),
            Choice(
                "10:10–10:15",
                hint="The newest event lies inside it. Can it be final?",
            ),
            Choice(
                "10:00–10:05",
                why="The watermark is **10:08**. 10:00–10:05 has ended by then, 10:05–10:10 has "
                "not.",
            ),
            Choice(
                "None of them, before the query is stopped.",
                hint="Each batch sends the windows that are final. Where is the watermark?",
            ),
        ),
        answer="bf36f18e1fdb",
    ),
    Question(
        "A shop closes at 18:00, and its last purchase was at **17:58**. Now it is 20:00, and the "
        "window 17:55–18:00 was not sent. What brings it out?",
        facts="window 5 minutes · delay 1 minute · append",
        choices=(
            Choice(
                "A later event, such as tomorrow's first purchase.",
                why="Only events move the watermark. The clock on the wall does not, and the "
                "empty batch comes only when the watermark has moved.",
            ),
            Choice(
                "The empty batch, one minute after the last purchase.",
                hint="That batch ran long ago. Which watermark did it have?",
            ),
            Choice(
                "Nothing. The window is late, and it is dropped.",
                hint="Rows can be late. This window waits in the state. What does it wait for?",
            ),
        ),
        answer="5eb249ba0707",
    ),
    Question(
        "A query counts purchases in windows of one hour, with a watermark, and writes **parquet "
        "files**. Which mode does it take?",
        facts="window, count · parquet",
        choices=(
            Choice(
                "update",
                hint="A count that has changed would have to replace a row. Can a file do that?",
            ),
            Choice(
                "append",
                why="Files can only be added to. With a watermark a window becomes final, so its "
                "row may be added.",
            ),
            Choice(
                "complete",
                hint="It sends the whole result with each batch. What becomes of the files before?",
            ),
        ),
        answer="8eaf7e452cd6",
        lesson="03",
    ),
)
