"""Lesson 07, DStreams with windows and state: its checks and its quiz."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from labkit.course.judging.checks import Mistake, Verdict, check, compare, not_yet, passed
from labkit.course.quizzes.questions import Choice, Question
from labkit.course.running.restarting import run_lives
from labkit.course.running.ticking import as_rows, run_dstream
from labkit.errors import InvalidArgument

Rows = list[dict[str, Any]]
Sale = tuple[str, int]


def _rows(key: str, value: str, pairs: Iterable[tuple[Any, Any]]) -> Rows:
    return [{key: name, value: number} for name, number in pairs]


# ---- 07.1: a moving sum ----

# North sells twice in a batch, and then no more; east pauses and comes back; one batch is empty.
SALES: list[list[Sale]] = [
    [("north", 5), ("east", 3), ("north", 2)],
    [("north", 4)],
    [],
    [("east", 6), ("west", 1)],
    [("west", 2)],
    [("east", 8)],
    [("west", 9)],
]
BATCHES = 5
EMPTY_AFTER = BATCHES


def _windows(length: int, *, slide: int = 1) -> list[list[Sale]]:
    """Return the sales of each window, by plain Python; none where no window is due."""
    batches = [*SALES, *([[]] * EMPTY_AFTER)]
    return [
        [sale for batch in batches[max(0, end - length) : end] for sale in batch]
        if end % slide == 0
        else []
        for end in range(1, len(batches) + 1)
    ]


def _sums(sales: Iterable[Sale]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for shop, amount in sales:
        sums[shop] += amount
    return dict(sums)


def _steps(windows: Iterable[Iterable[Sale]], of: Callable[[Any], Any] = _sums) -> list[Rows]:
    return [_rows("shop", "sum", of(list(window)).items()) for window in windows]


def _with_zeros(key: str, value: str, news: Iterable[dict[str, int]]) -> list[Rows]:
    """Return what comes out where a key without news stays, with 0."""
    known: dict[str, int] = {}
    steps = []
    for new in news:
        known = dict.fromkeys(known, 0) | new
        steps.append(_rows(key, value, known.items()))
    return steps


def _counts(sales: Iterable[Sale]) -> dict[str, int]:
    return dict(Counter(shop for shop, _ in sales))


@check(
    "07.1",
    title="the sum of each shop over the last ten seconds",
    minutes=6,
    look_at="The last three seconds",
    hints=(
        "How many batches of 2 seconds are in a window of 10 seconds?",
        "A sum is asked for each batch. So how long is the slide?",
        "The first picture has such sums. There it was reduceByKeyAndWindow(add, None, 3, 1).",
        "`sales.reduceByKeyAndWindow(add, None, …, 2)`.",
    ),
    answer="function",
)
def moving_sum(answer: Callable[[Any], Any]) -> Verdict:
    """Run the function over sales in batches of two seconds, until the windows have run out."""
    run = run_dstream(answer, SALES, batch_s=2, more_batches=EMPTY_AFTER, checkpoint=True)
    named = as_rows(run, "shop", "sum")
    wrong = compare(named, _steps(_windows(BATCHES)), key="shop", mistakes=_moving_mistakes())
    return wrong or passed(
        "Each sum holds **five** batches. North sold 11 in the first two: with the seventh batch "
        "it is gone. And when nobody sells any more, the last shop goes, too."
    )


def _moving_mistakes() -> tuple[Mistake, ...]:
    everything = _windows(99)
    return (
        Mistake(
            "Each batch is added up **by itself**: north has 4 after the second batch, and with "
            "the one before it is 11.",
            _steps(_windows(1)),
        ),
        Mistake(
            "The sums come only with **each fifth** batch: the slide is as long as the window. "
            "Asked is a sum for each batch.",
            _steps(_windows(BATCHES, slide=BATCHES)),
        ),
        Mistake(
            "Your window is **20 seconds** long: ten batches. A batch has 2 seconds.",
            _steps(_windows(10)),
        ),
        Mistake("Your window is **8 seconds** long: four batches.", _steps(_windows(BATCHES - 1))),
        Mistake(
            "The sums **never forget**: they hold all sales from the beginning. Asked are the last "
            "ten seconds.",
            _steps(everything),
        ),
        Mistake("You **count** the sales. Asked is the sum.", _steps(_windows(BATCHES), _counts)),
        Mistake(
            "A shop that sold nothing in the last ten seconds stays, with **0**. The inverse "
            "needs a `filterFunc`, or leave it out.",
            _with_zeros("shop", "sum", map(_sums, _windows(BATCHES))),
        ),
        Mistake(
            "These are the single sales of the window. Asked is one **sum** for each shop.",
            [_rows("shop", "sum", window) for window in _windows(BATCHES)],
        ),
    )


# ---- 07.2: a count that survives a restart ----

# One batch has no file. The first file of the second life arrives while nobody runs.
LIVES = (("ant bee ant", "", "bee cat"), ("cat ant", "dog", ""))
OTHER_PROGRAM = (("bee",), ("bee",))
CONTEXT = "a StreamingContext that was not started: end your function with `return`"


def _words(lives: Sequence[Sequence[str]]) -> list[list[list[str]]]:
    return [[text.split() for text in batches] for batches in lives]


def _news() -> list[Counter[str]]:
    """Return the word counts of each batch of both lives."""
    return [Counter(words) for batches in _words(LIVES) for words in batches]


def _totals(*, survive: bool = True, in_batch: bool = False, only_news: bool = False) -> list[Rows]:
    """Return the words and counts of each batch, by plain Python."""
    totals: Counter[str] = Counter()
    steps = []
    for batches in _words(LIVES):
        totals = totals if survive else Counter()
        for words in batches:
            new = Counter(words)
            totals = new if in_batch else totals + new
            shown = {word: n for word, n in totals.items() if word in new or not only_news}
            steps.append(_rows("word", "total", shown.items()))
    return steps


@check(
    "07.2",
    title="a word count that survives a restart",
    minutes=8,
    look_at="A stop in between",
    hints=(
        "Which operator keeps the total of each key from batch to batch?",
        "After a stop, the context must come back from the folder. Which call looks into it?",
        "`getOrCreate` takes the folder, and the function that makes everything: its name only.",
        "`words.updateStateByKey(add_up)`, and last `return StreamingContext.getOrCreate(…, …)`.",
    ),
    answer="function",
)
def word_totals(answer: Callable[..., Any]) -> Verdict:
    """Let the program run, stop, and run again; then another one with folders of its own."""
    run = run_lives(answer, LIVES, "word", "total")
    if _is_no_context(run.error):
        return not_yet(f"Your function must give back {CONTEXT}.")
    wrong = compare(run, _totals(), key="word", mistakes=_restart_mistakes())
    if wrong is not None:
        return wrong
    other = run_lives(answer, OTHER_PROGRAM, "word", "total")
    once, twice = (_rows("word", "total", [("bee", n)]) for n in (1, 2))
    wrong = compare(
        other,
        [once, twice],
        key="word",
        mistakes=[
            Mistake(
                "A second program, with folders of its own, begins with the words of the **first** "
                "one. Keep nothing outside of `files` and `checkpoint`.",
                [step.rows for step in other.steps],
            )
        ],
    )
    return wrong or passed(
        "Before the stop `ant` had **2** and `cat` **1**; afterwards came one more of each, in a "
        "file that arrived while nobody ran, and they have **3** and **2**. A second program, with "
        "folders of its own, began at nothing."
    )


def _is_no_context(error: BaseException | None) -> bool:
    params = error.params if isinstance(error, InvalidArgument) else {}
    return params.get("name") == "what get returns"


def _restart_mistakes() -> tuple[Mistake, ...]:
    return (
        Mistake(
            "Each batch is counted **by itself**: `ant` has no count in the second batch, which "
            "brought no file. The totals need a state.",
            _totals(in_batch=True),
        ),
        Mistake(
            "The totals are right until the stop, and **after the restart** they begin at nothing. "
            "The context must come back from the folder, with everything on it.",
            _totals(survive=False),
        ),
        Mistake(
            "A word **without news** goes out of the state: your function gives back None for it. "
            "In a batch without a file the list of new values is empty, and the old total counts.",
            _forgetful(),
        ),
        Mistake(
            "Only words **with news** are shown. Asked are all words so far.",
            _totals(only_news=True),
        ),
        Mistake(
            "The state does not use its **old** value: a word without news has 0. The new state "
            "is the sum of the new values and the old total.",
            _with_zeros("word", "total", _news()),
        ),
    )


def _forgetful() -> list[Rows]:
    totals: Counter[str] = Counter()
    steps = []
    for new in _news():
        totals = Counter({word: totals[word] + n for word, n in new.items()})
        steps.append(_rows("word", "total", totals.items()))
    return steps


# ---- 07.3: sums by arrival and by event time ----

# Times at both ends of a window, a row of an hour before, an empty batch, two late rows.
TIMED: list[list[Sale]] = [
    [("10:00", 2), ("10:04", 1), ("10:02", 4)],
    [("10:05", 3), ("09:58", 5)],
    [],
    [("10:04", 6), ("10:13", 2), ("10:09", 1)],
]


def _start_of(time: str) -> str:
    hour, minute = time.split(":")
    return f"{hour}:{int(minute) // 5 * 5:02}"


def _end_of(time: str) -> str:
    hour, minute = map(int, time.split(":"))
    end = 60 * hour + minute // 5 * 5 + 5
    return f"{end // 60:02}:{end % 60:02}"


def _by_event_time(
    key: Callable[[str], str] = _start_of, *, kept: bool = True, counted: bool = False
) -> list[Rows]:
    """Return the sums of each batch, by plain Python."""
    sums: Counter[str] = Counter()
    steps = []
    for batch in TIMED:
        sums = sums if kept else Counter()
        for time, amount in batch:
            sums[key(time)] += 1 if counted else amount
        steps.append(_rows("window", "sum", sums.items()))
    return steps


def _changed_only() -> list[Rows]:
    return [
        [row for row in rows if row["window"] in {_start_of(time) for time, _ in batch}]
        for rows, batch in zip(_by_event_time(), TIMED, strict=True)
    ]


def _on_time_only() -> list[Rows]:
    """Return what comes out where each batch takes the rows of its own five minutes only."""
    return [
        _rows("window", "sum", _sums((start, n) for t, n in batch if _start_of(t) == start).items())
        for start, batch in zip(("10:00", "10:05", "10:10", "10:15"), TIMED, strict=True)
    ]


def _by_arrival(of: Callable[[list[int]], int] = sum) -> list[Rows]:
    batches = [[amount for _, amount in batch] for batch in TIMED]
    return [[{"sum": of(amounts)}] if amounts else [] for amounts in batches]


class NotTwo(Exception):
    """The function gave back something else than two DStreams."""


def _pick(answer: Callable[[Any], Any], place: int, sales: Any) -> Any:
    made = answer(sales)
    if not isinstance(made, tuple | list) or len(made) != 2 or any(one is ... for one in made):
        raise NotTwo
    return made[place]


@check(
    "07.3",
    title="the sums by arrival and by event time",
    minutes=10,
    look_at="The opening question",
    hints=(
        "By arrival: a batch is the window. Which operator makes one number of all its amounts?",
        "By event time: the key is the start of the five minutes in which the sale was made.",
        "A late row must still reach the sum of its window. Which operator keeps sums?",
        "`sales.map(lambda sale: (start_of(sale[0]), sale[1]))`, then the operator with a state.",
    ),
    answer="function",
)
def both_sums(answer: Callable[[Any], Any]) -> Verdict:
    """Run the function twice, and look at one of its DStreams each time."""
    runs = [
        run_dstream(partial(_pick, answer, place), TIMED, batch_s=300, checkpoint=True)
        for place in (0, 1)
    ]
    if any(isinstance(run.error, NotTwo) for run in runs):
        return not_yet(
            "Your function must give back **two** DStreams: `by_arrival, by_event_time`."
        )
    arrival, event_time = as_rows(runs[0], "sum"), as_rows(runs[1], "window", "sum")
    steps = [[row for row in step.rows if row != {"sum": 0}] for step in arrival.steps]
    if not compare(as_rows(runs[1], "sum"), _by_arrival()) and runs[0].error is None:
        if not compare(steps, _by_arrival()):
            return not_yet(
                "**Both** are the sums by arrival. The second asks the row for its time."
            )
        return not_yet("The sums by arrival come **second**. Give them back first.")
    wrong = compare(
        arrival if arrival.error else steps, _by_arrival(), mistakes=_arrival_mistakes()
    )
    wrong = wrong or compare(
        event_time, _by_event_time(), key="window", mistakes=_event_time_mistakes()
    )
    return wrong or passed(
        "The sale of **10:04** that came in the fourth batch is in the fourth sum by arrival, and "
        "it lifts the sum of 10:00 from **7** to **13** by event time.",
        "Nobody says when 10:00 is ready, and the state keeps every window for ever.",
    )


def _arrival_mistakes() -> tuple[Mistake, ...]:
    total, running = 0, []
    for batch in TIMED:
        total += sum(amount for _, amount in batch)
        running.append([{"sum": total}])
    return (
        Mistake("By arrival you **count** the sales. Asked is their sum.", _by_arrival(len)),
        Mistake(
            "By arrival your sums go on from batch to batch. Asked is what came in **each** batch.",
            running,
        ),
        Mistake(
            "By arrival each sale comes by itself. Asked is **one number** for each batch.",
            [[{"sum": amount} for _, amount in batch] for batch in TIMED],
        ),
    )


def _event_time_mistakes() -> tuple[Mistake, ...]:
    return (
        Mistake(
            "By event time each batch begins anew: 10:00 comes twice, with **7** and with **6**, "
            "and nobody adds them up. The sums need a state.",
            _by_event_time(kept=False),
        ),
        Mistake(
            "By event time your key is the **minute** of the sale. Asked is the start of its five "
            "minutes.",
            _by_event_time(str),
        ),
        Mistake(
            "Your windows are named by their **end**. Asked is the start.",
            _by_event_time(_end_of),
        ),
        Mistake(
            "By event time you **count** the sales. Asked is their sum.",
            _by_event_time(counted=True),
        ),
        Mistake(
            "By event time only windows **with news** are shown. Asked are all of them.",
            _changed_only(),
        ),
        Mistake(
            "By event time the **late** rows are lost. A sale of 10:04 that comes in the fourth "
            "batch belongs to 10:00.",
            _on_time_only(),
        ),
    )


QUIZ = (
    Question(
        "Batches of one second, `window(3, 1)`. The fourth batch is **empty**. Which batches are "
        "in its window?",
        facts="window 3 s · slide 1 s",
        choices=(
            Choice("None, since nothing came.", hint="Does a window look at its last batch only?"),
            Choice("1, 2 and 3.", hint="The window ends with the batch that is just over."),
            Choice(
                "2, 3 and 4.",
                why="The last three batches, whatever is in them. Batch 1 has left the window.",
            ),
            Choice("4, 5 and 6.", hint="Batches 5 and 6 have not come yet."),
        ),
        answer="a6dd83fb1de0",
    ),
    Question(
        "A word count with `updateStateByKey` was stopped, and its **program was changed**. It "
        "starts again with `getOrCreate` and the same folder. What runs?",
        facts="getOrCreate · checkpoint",
        choices=(
            Choice(
                "The old program, with the old totals.",
                why="The folder holds plan and functions, too. `create` is not called.",
            ),
            Choice(
                "The changed program, which goes on with the old totals.",
                hint="Is `create` called where the folder holds a checkpoint?",
            ),
            Choice(
                "The changed program, and its totals begin at nothing.",
                hint="What does getOrCreate do before it calls `create`?",
            ),
        ),
        answer="48cc2e36c10a",
    ),
    Question(
        "In lesson 03 the totals of the customers went on from batch to batch, without "
        "`updateStateByKey`. **Who** kept them?",
        facts="groupBy · sum · update",
        choices=(
            Choice(
                "The memory sink, where the rows were shown.",
                hint="It takes what it is sent. Who knew the old total when a purchase came?",
            ),
            Choice(
                "The query, in its state.",
                why="A streaming aggregation has a state of its own. The mode only says which of "
                "its rows are sent.",
            ),
            Choice(
                "Nobody: each batch read all files again.",
                hint="A file is read once. Where are the sums then?",
            ),
        ),
        answer="59f510533d03",
        lesson="03",
    ),
)
