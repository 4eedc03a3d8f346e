"""Lesson 08, Event time and windows: its checks and its quiz."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from labkit.course.judging.checks import Mistake, Verdict, check, compare, not_yet, passed
from labkit.course.quizzes.questions import Choice, Question
from labkit.course.running.stepping import Run, run_stream
from labkit.engine.query_facts import Windows
from labkit.events.script import Script

Row = dict[str, Any]
Rows = list[Row]
YEAR = 2024  # of all rows that the checks send


def _cut(length: float, slide: float | None = None, *keys: str) -> Callable[[Row], Iterable[Row]]:
    """Return what gives the groups of a row: its windows, in minutes, and other columns."""
    cut = Windows(timedelta(minutes=length), timedelta(minutes=slide or length))

    def groups(row: Row) -> Iterable[Row]:
        also = {key: row[key] for key in keys}
        return [also | {"start": s, "end": e} for s, e in cut.around(row["event_time"])]

    return groups


def _tables(
    script: Script, groups: Callable[[Row], Iterable[Row]], value: Callable[[Rows], Row]
) -> list[Rows]:
    """Return the whole result after each step, as complete mode sends it."""
    seen: Rows = []
    tables = []
    for step in script.steps:
        seen += [dict(event.value) for event in step]
        found: dict[tuple[Any, ...], Rows] = {}
        for row in seen:
            for key in groups(row):
                found.setdefault(tuple(key.items()), []).append(row)
        tables.append([dict(key) | value(rows) for key, rows in found.items()])
    return tables


def _without(tables: list[Rows], column: str) -> list[Rows]:
    return [[{k: v for k, v in row.items() if k != column} for row in rows] for rows in tables]


def _elsewhere(run: Run) -> Verdict | None:
    """Say it when a query runs in another mode, or takes the time from another clock."""
    if "no streaming aggregations" in str(run.error):
        return not_yet(
            "Your query makes **no groups**. A window is a group: `groupBy(F.window(…))`. SQL's "
            "`OVER` does not run on a stream."
        )
    if run.error is None and run.mode != "complete":
        return not_yet(f"Your query runs in **{run.mode}** mode. Asked is the whole table.")
    times = [value for row in run.rows for value in row.values() if isinstance(value, datetime)]
    if any(time.year != YEAR for time in times):
        return not_yet(
            "Your windows are those of **today**. All rows are of 2024: take the time in the row, "
            "not the clock of the batch."
        )
    if any("window" in row or "session_window" in row for row in run.rows):
        return not_yet(
            "`start` and `end` are still **inside** the window. Take them out: "
            '`select("window.start", …)`.'
        )
    return None


# ---- 08.1: what a shop takes in each five minutes ----

# A second before a window, its first and its last second, and a row that comes last.
BOUGHT = Script(
    """09:59:59 anna 8
10:00:00 ben 5

10:04:59 anna 20
10:05:00 cleo 3

10:09:59 ben 7

10:02:30 anna 40""",
    columns="who string, amount int",
)


def _total(rows: Rows) -> Row:
    return {"total": sum(row["amount"] for row in rows)}


SUMS = _tables(BOUGHT, _cut(5), _total)
WRONG_SUMS = (
    Mistake(
        "You **count** the purchases. Asked is the sum of their amounts.",
        _tables(BOUGHT, _cut(5), lambda rows: {"total": len(rows)}),
    ),
    Mistake("Your windows are **ten** minutes long.", _tables(BOUGHT, _cut(10), _total)),
    Mistake("Your windows are **one** minute long.", _tables(BOUGHT, _cut(1), _total)),
    Mistake(
        "Each amount stands in **several** windows: they overlap. Leave the slide out.",
        _tables(BOUGHT, _cut(5, 1), _total),
    ),
    Mistake(
        "You have a sum for **each customer** in each window. Asked is one for all.",
        _without(_tables(BOUGHT, _cut(5, None, "who"), _total), "who"),
    ),
    Mistake(
        "You have a sum for **each customer** in each window. Asked is one for all.",
        _tables(BOUGHT, _cut(5, None, "who"), _total),
    ),
    Mistake(
        "You show the **largest** amount of each window. Asked is the sum.",
        _tables(BOUGHT, _cut(5), lambda rows: {"total": max(row["amount"] for row in rows)}),
    ),
)


@check(
    "08.1",
    title="what a shop takes in each five minutes",
    minutes=6,
    look_at="A late row in the right place",
    hints=(
        "Which query of the lesson has a row for each five minutes? What does it count?",
        "A window is one more column to group by. The sum comes in `agg`, as in lesson 03.",
        'Group first: `bought.groupBy(F.window("event_time", "5 minutes"))`.',
        'Then `.agg(F.sum("amount").alias("total"))`, and `select("window.start", …)`.',
    ),
    answer="function",
)
def five_minute_sums(answer: Callable[[Any], Any]) -> Verdict:
    """Run the function in complete mode over purchases at the edges of windows."""
    run = run_stream(answer, BOUGHT, output_mode="complete")
    wrong = _elsewhere(run) or compare(run, SUMS, key=("start", "end"), mistakes=WRONG_SUMS)
    return wrong or passed(
        "10:04:59 is in the window that ends at 10:05, and 10:05:00 is not. The **40** of 10:02:30 "
        "came last, and made 10:00–10:05 from 25 to **65**.",
    )


# ---- 08.2: times that are text ----

NO_ZONE_TEXT, NO_ZONE = "2024-05-06 10:00:00", datetime(2024, 5, 6, 10, tzinfo=UTC)
SENT = (
    (
        ("3/5/2024 09:15:00 +01:00", 6, datetime(2024, 3, 5, 8, 15, tzinfo=UTC)),
        ("12/31/2024 18:20:30 -05:00", 4, datetime(2024, 12, 31, 23, 20, 30, tzinfo=UTC)),
    ),
    (
        ("-", 2, None),
        ("7/14/2024 00:30:00 +02:00", 9, datetime(2024, 7, 13, 22, 30, tzinfo=UTC)),
        ("13/13/2024 10:00:00 +01:00", 7, None),
    ),
    (
        (None, 1, None),
        ("10/9/2024 12:05:07 +00:00", 5, datetime(2024, 10, 9, 12, 5, 7, tzinfo=UTC)),
        (NO_ZONE_TEXT, 3, None),
    ),
)


def _read(time_of: Callable[[str | None, datetime | None], datetime | None]) -> list[Rows]:
    return [
        [{"event_time": time_of(text, right), "amount": amount} for text, amount, right in step]
        for step in SENT
    ]


def _on_the_wall(text: str | None, right: datetime | None) -> datetime | None:
    form = "%m/%d/%Y %H:%M:%S"
    return datetime.strptime((text or "")[:-7], form).replace(tzinfo=UTC) if right else None


def _day_first(text: str | None, right: datetime | None) -> datetime | None:
    wall = _on_the_wall(text, right)
    if wall is None or right is None or wall.day > 12:
        return None
    return wall.replace(month=wall.day, day=wall.month) - (wall - right)


def _other_way_round(text: str | None, right: datetime | None) -> datetime | None:
    """Subtract the difference of the zone the wrong way."""
    wall = _on_the_wall(text, right)
    return wall + (wall - right) if wall and right else None


def _two_digits(text: str | None, right: datetime | None) -> datetime | None:
    return right if right and (text or "")[2] == "/" == (text or "")[5] else None


REPAIRED = _read(lambda _, right: right)
WRONG_TIMES = (
    Mistake(
        "The day is taken for the **month**: 3/5 became the 3rd of May. Where the day is above 12, "
        "the time is null.",
        _read(_day_first),
    ),
    Mistake(
        "The times are there, but the **zone** is lost: 09:15 at +01:00 is 08:15 in UTC.",
        _read(_on_the_wall),
    ),
    Mistake(
        "The zone is taken **the other way round**: 09:15 at +01:00 is 08:15 in UTC, not 10:15.",
        _read(_other_way_round),
    ),
    Mistake(
        "Only months and days of **two digits** were read. `MM` and `dd` want both of them.",
        _read(_two_digits),
    ),
    Mistake(
        "Every time is **null**: your pattern fits none of the texts. Go through it part by part.",
        _read(lambda *_: None),
    ),
    Mistake(
        "The **2024-05-06 10:00:00** is read as a time, too. It has no zone, so nobody knows when "
        "it was; here it counts as rubbish.",
        _read(lambda text, right: NO_ZONE if text == NO_ZONE_TEXT else right),
    ),
    Mistake(
        "The rows without a time are **gone**. Nobody can count them any more.",
        [[row for row in step if row["event_time"]] for step in REPAIRED],
    ),
)


@check(
    "08.2",
    title="make event times out of text",
    minutes=8,
    look_at="Times that are text",
    hints=(
        "Which function of the lesson gives null where a text does not fit?",
        "It takes the column and a pattern: `F.try_to_timestamp(…, F.lit(…))`.",
        "Go through such a text from left to right. How many digits can the 7 have?",
        "The pattern begins `M/d/yyyy`, and it ends with `XXX`.",
    ),
    answer="function",
)
def repair(answer: Callable[[Any], Any]) -> Verdict:
    """Run the function over texts of which some are no times."""
    batches = [[{"at": text, "amount": amount} for text, amount, _ in step] for step in SENT]
    run = run_stream(answer, batches, schema="at string, amount int")
    times = [row.get("event_time") for row in run.rows]
    if any(isinstance(time, str) for time in times):
        return not_yet("`event_time` is still **text**. Windows of text end at the first odd one.")
    if any(isinstance(time, datetime) and time.year > YEAR for time in times):
        return not_yet("A row without a time got one: that of **today**. Leave it null.")
    wrong = compare(run, REPAIRED, key="amount", mistakes=WRONG_TIMES)
    return wrong or passed(
        "**4** of 8 times were read, each in its zone: 00:30 at +02:00 is 22:30 of the day before. "
        "The other **4** rows are there, with null.",
        "Somebody has to look at the number of nulls. A till that changes its clock brings no "
        "error any more.",
    )


# ---- 08.3: a moving average ----

MEASURED = Script(
    """10:02:00 cellar 10
10:03:00 roof 30

10:07:00 cellar 14
10:14:59 cellar 27

10:15:00 roof 33
10:15:00 cellar 4

10:04:00 roof 21""",
    columns="sensor string, celsius double",
)


def _mean(rows: Rows) -> Row:
    return {"average": sum(row["celsius"] for row in rows) / len(rows)}


def _at_the_end(tables: list[Rows]) -> list[Rows]:
    return _without(tables, "start")


def _at_the_start(tables: list[Rows]) -> list[Rows]:
    return [[row | {"end": row["start"]} for row in rows] for rows in tables]


def _moving(length: float, slide: float | None = None) -> list[Rows]:
    return _at_the_end(_tables(MEASURED, _cut(length, slide, "sensor"), _mean))


AVERAGES = _moving(15, 5)
ALL_SENSORS = _at_the_end(_tables(MEASURED, _cut(15, 5), _mean))
OF_BOTH = (
    "You have one average for **all** sensors. Each is to have its own: it is one more key "
    "beside the window."
)
WRONG_AVERAGES = (
    Mistake(
        "Your windows are 15 minutes long, and a new one begins only every **15** minutes.",
        _moving(15),
    ),
    Mistake("Your averages know only the last **5** minutes. Asked are 15.", _moving(5)),
    Mistake("Your averages know only the last **10** minutes. Asked are 15.", _moving(10, 5)),
    Mistake("A new average comes **every minute**. Asked is every five.", _moving(15, 1)),
    Mistake(OF_BOTH, ALL_SENSORS),
    Mistake(
        "This is the **sum** of what was measured. Asked is the mean.",
        _at_the_end(
            _tables(
                MEASURED,
                _cut(15, 5, "sensor"),
                lambda rows: {"average": sum(row["celsius"] for row in rows)},
            )
        ),
    ),
    Mistake(
        "What you call `end` is the **start** of the window.",
        _at_the_end(_at_the_start(_tables(MEASURED, _cut(15, 5, "sensor"), _mean))),
    ),
)


@check(
    "08.3",
    title="a moving average for each sensor",
    minutes=6,
    look_at="A row in three windows",
    hints=(
        "How long does the average look back, and how often is there a new one?",
        "`F.window` takes both: first the length, then the slide.",
        '`F.window("event_time", "15 minutes", "5 minutes")`, beside the sensor in `groupBy`.',
    ),
    answer="function",
)
def moving_average(answer: Callable[[Any], Any]) -> Verdict:
    """Run the function in complete mode over what two sensors have measured."""
    run = run_stream(answer, MEASURED, output_mode="complete")
    wrong = _elsewhere(run) or compare(
        run, AVERAGES, key=("sensor", "end"), mistakes=WRONG_AVERAGES
    )
    return wrong or passed(
        "The cellar has **17** at 10:15: the mean of 10, 14 and 27. The 4 of 10:15:00 is "
        "not in that window any more. It counts at 10:20: **15**.",
        "Three windows for each row are three times the state. With 24 hours every minute it "
        "would be 1,440 times.",
    )


# ---- 08.4: sessions per user ----

# Ten minutes apart is one visit, a second more is two; late clicks join what was apart.
CLICKED = Script(
    """10:00:00 anna home
10:10:00 anna film
10:05:00 ben home
10:31:00 anna home

10:15:01 ben film

10:22:00 anna film
10:12:00 ben home

10:15:00 anna home
10:40:00 ben film""",
    columns="user string, page string",
)


def _visits_of(rows: Rows, keys: tuple[str, ...], gap: timedelta) -> Rows:
    visits: Rows = []
    for row in sorted(rows, key=lambda row: row["event_time"]):
        of = {key: row[key] for key in keys}
        open_ = [v for v in visits if v["of"] == of and v["end"] >= row["event_time"]]
        end = row["event_time"] + gap
        if open_:
            open_[0] |= {"end": end, "rows": [*open_[0]["rows"], row]}
        else:
            visits.append({"of": of, "start": row["event_time"], "end": end, "rows": [row]})
    return visits


def _visits(
    gap: float = 10,
    *keys: str,
    clicks: Callable[[Rows], int] = len,
    rest: timedelta | None = None,
) -> list[Rows]:
    """Return the visits after each step; ``rest`` is how long one goes on after its last click."""
    seen: Rows = []
    tables = []
    for step in CLICKED.steps:
        seen += [dict(event.value) for event in step]
        found = _visits_of(seen, keys or ("user",), timedelta(minutes=gap))
        rest_of = timedelta(minutes=gap) if rest is None else rest
        tables.append(
            [
                {
                    "user": v["of"]["user"],
                    "start": v["start"],
                    "end": v["rows"][-1]["event_time"] + rest_of,
                    "clicks": clicks(v["rows"]),
                }
                for v in found
            ]
        )
    return tables


VISITS = _visits()
CUT_UP = (
    "Your windows lie on a **grid** and cut a visit in two. A visit begins with its first click: "
    "that is a session."
)
WRONG_VISITS = (
    Mistake(CUT_UP, _tables(CLICKED, _cut(10, None, "user"), lambda r: {"clicks": len(r)})),
    Mistake(
        "A visit ends already after **five** minutes without a click. Asked are ten.", _visits(5)
    ),
    Mistake("A visit ends only after **20** minutes without a click. Asked are ten.", _visits(20)),
    Mistake(
        "You have a visit for **each page** of a user. Asked is one for all pages.",
        _visits(10, "user", "page"),
    ),
    Mistake(
        "You count the **different** pages of a visit. Asked are its clicks.",
        _visits(clicks=lambda rows: len({row["page"] for row in rows})),
    ),
    Mistake(
        "Your `end` is the **last click**. A visit ends ten minutes later: `session_window.end`.",
        _visits(rest=timedelta(0)),
    ),
)


@check(
    "08.4",
    title="the visits of each user",
    minutes=8,
    look_at="Windows that follow a user",
    hints=(
        "Has a visit a fixed length? What ends it?",
        "Which function of the lesson makes windows that end with a pause?",
        '`F.session_window("event_time", "10 minutes")`, beside `"user"` in `groupBy`.',
        "Its column is `session_window`, so you take out `session_window.start` and the end.",
    ),
    answer="function",
)
def visits(answer: Callable[[Any], Any]) -> Verdict:
    """Run the function in complete mode over clicks of which two join visits."""
    run = run_stream(answer, CLICKED, output_mode="complete")
    wrong = _elsewhere(run) or compare(
        run, VISITS, key=("user", "start", "end"), mistakes=WRONG_VISITS
    )
    return wrong or passed(
        "anna's clicks of 10:22 and 10:15 came late, and joined her two visits to **one**: "
        "10:00 to 10:41, 5 clicks. ben's 10:15:01 is held by his 10:12.",
        "Such a row of the result disappears. That is why update mode refuses sessions.",
    )


QUIZ = (
    Question(
        "Windows of **ten** minutes. A row of 10:20:00 is read by a batch that runs at 10:31. "
        "Which window counts it?",
        facts="window 10 minutes · complete",
        choices=(
            Choice(
                "10:10–10:20",
                hint="It ends at 10:20:00. Is the end of a window inside?",
            ),
            Choice(
                "10:20–10:30",
                why="The start is inside and the end is not. When the batch runs does not matter.",
            ),
            Choice(
                "10:30–10:40",
                hint="That would be the time of the batch. Which clock chooses the window?",
            ),
            Choice(
                "10:10–10:20 and 10:20–10:30",
                hint="Then a sum over all windows would count it twice. Do these windows overlap?",
            ),
        ),
        answer="d671f733853c",
    ),
    Question(
        "A job runs again over last week's files. Which of its results is another one this time?",
        facts="the same files, the same code",
        choices=(
            Choice(
                "The sums per window of the time in the rows.",
                hint="Has anything in the rows changed since?",
            ),
            Choice(
                "The sessions per user, by the time in the rows.",
                hint="The pauses between the clicks are in the rows. Have they changed?",
            ),
            Choice(
                "The sums per window of `current_timestamp()`.",
                why="That is the time of the batch. The batches of today are not those of last "
                "week.",
            ),
        ),
        answer="37cf675a935b",
    ),
    Question(
        "The sums of five minutes are sent in **update** mode. There are 20 windows, and a batch "
        "brings three late rows of 10:02. How many rows are sent?",
        facts="window 5 minutes, sum · update · no watermark",
        choices=(
            Choice(
                "1",
                why="Three rows change one window, and update sends each changed row once.",
            ),
            Choice(
                "3",
                hint="Update sends rows of the result. How many of these have changed?",
            ),
            Choice(
                "20",
                hint="Which mode sends the whole result?",
            ),
            Choice(
                "None: the rows are late.",
                hint="Nobody has told Spark how late a row may be. Does it drop any?",
            ),
        ),
        answer="6013b2e4a283",
        lesson="03",
    ),
)
