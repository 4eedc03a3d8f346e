"""Lesson 06, DStreams: its checks and its quiz."""

from __future__ import annotations

import re
from collections import Counter
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
from labkit.course.running.ticking import DStreamRun, PrintedRun, as_rows, run_dstream, run_printing
from labkit.course.running.trouble import words_of
from labkit.errors import LabkitError

Rows = list[dict[str, Any]]


def _named(first: str, second: str, counts: dict[Any, Any]) -> Rows:
    return [{first: key, second: value} for key, value in counts.items()]


def _odd_element(run: DStreamRun, wanted: str) -> Verdict | None:
    """Say it when an element is no pair; rows with other columns would not show why."""
    for batch in run.batches:
        for element in batch:
            if not (isinstance(element, tuple) and len(element) == 2):
                shown = f"An element of your DStream is `{element!r:.60}`."
                return not_yet(f"{shown} Asked are pairs of {wanted}.")
    return None


# ---- 06.1: words per batch ----

# A word twice in each of two lines, which lie in two partitions; two blanks; an empty batch.
LINES = [["the cat the", "The THE dog"], ["a  cat"], [], ["The end", "cat"]]


def _words(*batches: dict[Any, Any]) -> list[Rows]:
    return [_named("word", "n", counts) for counts in batches]


COUNTS = _words(
    {"the": 4, "cat": 1, "dog": 1}, {"a": 1, "cat": 1}, {}, dict.fromkeys(("the", "end", "cat"), 1)
)


@check(
    "06.1",
    title="the word counts of each batch, in small letters",
    minutes=5,
    look_at="The opening question",
    hints=(
        "Three steps: from lines to words, from words to pairs, from pairs to counts.",
        "Which operator makes several elements of one? And `line.lower()` makes small letters.",
        "`line.split()` without an argument takes several blanks for one.",
        (
            "`lines.flatMap(lambda line: line.lower().split())`, then `map` to `(word, 1)`, then "
            "`reduceByKey(add)`."
        ),
    ),
    answer="function",
)
def word_counts(answer: Callable[[Any], Any]) -> Verdict:
    """Tick the function over lines that the lesson does not show."""
    run = run_dstream(answer, LINES, partitions=2)
    if odd := _odd_element(run, "a word and its number"):
        return odd
    wrong = compare(as_rows(run, "word", "n"), COUNTS, key="word", mistakes=_word_mistakes())
    return wrong or passed(
        "**the** comes four times in batch 1 and once in batch 4. Batch 3 is empty, and so is its "
        "result: each interval knows only itself."
    )


def _word_mistakes() -> tuple[Mistake, ...]:
    totals, grown = Counter[str](), []
    for batch in COUNTS:
        totals.update({row["word"]: row["n"] for row in batch})
        grown.append(_named("word", "n", dict(totals)))
    return (
        Mistake(
            "`The` and `the` are counted **apart**. Make small letters before you count.",
            _words(
                {"the": 2, "The": 1, "THE": 1, "cat": 1, "dog": 1},
                {"a": 1, "cat": 1},
                {},
                {"The": 1, "end": 1, "cat": 1},
            ),
        ),
        Mistake(
            "Two blanks stand between `a` and `cat`, and you count an **empty word**. "
            "`split()` without an argument takes them for one.",
            [COUNTS[0], _words({"a": 1, "cat": 1, "": 1})[0], [], COUNTS[3]],
        ),
        Mistake(
            "Each word comes as often as it is there, with a **1**. The pairs are not added up.",
            [
                [{"word": row["word"], "n": 1} for row in batch for _ in range(row["n"])]
                for batch in COUNTS
            ],
        ),
        Mistake(
            "You count **lines**. Cut each line into its words first.",
            _words(
                {line.lower(): 1 for line in LINES[0]}, {"a  cat": 1}, {}, {"the end": 1, "cat": 1}
            ),
        ),
        Mistake(
            "You count **lines**. Cut each line into its words first.",
            _words(*(dict.fromkeys(batch, 1) for batch in LINES)),
        ),
        Mistake(
            "The number comes first in your pairs. Asked is the **word** first.",
            [[{"word": row["n"], "n": row["word"]} for row in batch] for batch in COUNTS],
        ),
        Mistake(
            "Each word counts **once** in a batch, however often it is there.",
            [[{"word": row["word"], "n": 1} for row in batch] for batch in COUNTS],
        ),
        Mistake(
            "Your counts **grow** from batch to batch. Asked are the counts of each batch alone.",
            grown,
        ),
    )


# ---- 06.2: a join with a static RDD ----

TOWNS = [("kim", "Chur"), ("lea", "Chur"), ("max", "Brig"), ("ivo", "Sion")]
# Two purchases that are the same; customers that the list does not know; an empty batch.
BOUGHT = [
    [("kim", 4), ("lea", 2), ("zoe", 5)],
    [("max", 3), ("max", 3), ("kim", 1)],
    [],
    [("zoe", 2), ("yan", 1)],
]
UNKNOWN = "unknown"


def _cities(*batches: dict[Any, Any]) -> list[Rows]:
    return [_named("city", "total", totals) for totals in batches]


TOTALS = _cities({"Chur": 6, UNKNOWN: 5}, {"Brig": 6, "Chur": 1}, {}, {UNKNOWN: 3})


@check(
    "06.2",
    title="the total of each city in each batch",
    minutes=8,
    look_at="A table from outside: transform",
    hints=(
        "The list of cities is an RDD. Which operator gives you the RDD of each interval?",
        "A join by the customer gives `(who, (amount, city))`. Which join keeps everybody?",
        "Then make new pairs with the city first: `pair[1][1]` is the city, or None.",
        (
            "`bought.transform(lambda rdd: rdd.leftOuterJoin(cities))`, then `map` to "
            '`(pair[1][1] or "unknown", pair[1][0])`, then `reduceByKey(add)`.'
        ),
    ),
    answer="function",
)
def per_city(answer: Callable[[Any, Any], Any]) -> Verdict:
    """Tick the function over purchases, with a list of customers that the lesson does not show."""

    def with_towns(bought: Any) -> Any:
        return answer(bought, bought.context().sparkContext.parallelize(TOWNS))

    run = run_dstream(with_towns, BOUGHT)
    if odd := _odd_element(run, "a city and its total"):
        return odd
    wrong = compare(as_rows(run, "city", "total"), TOTALS, key="city", mistakes=_city_mistakes())
    return wrong or passed(
        "zoe and yan are not in the list, and their **5** and **3** are kept as `unknown`. "
        "In each interval the whole list was joined with what had just arrived.",
        "A small list can also be a dict in the function: each worker gets a copy of it.",
    )


def _city_mistakes() -> tuple[Mistake, ...]:
    none = [[{**row, "city": None} if row["city"] == UNKNOWN else row for row in b] for b in TOTALS]
    return (
        Mistake(
            "zoe and yan are **missing**: an inner join keeps only customers that are in the list.",
            [[row for row in batch if row["city"] != UNKNOWN] for batch in TOTALS],
        ),
        Mistake("Who is not in the list has the city **None**. Asked is the text `unknown`.", none),
        Mistake(
            "You **count** the purchases. Asked is the sum of the amounts.",
            _cities({"Chur": 2, UNKNOWN: 1}, {"Brig": 2, "Chur": 1}, {}, {UNKNOWN: 2}),
        ),
        Mistake(
            "These are totals of **customers**. The key of the pairs must be the city.",
            _cities({"kim": 4, "lea": 2, "zoe": 5}, {"max": 6, "kim": 1}, {}, {"zoe": 2, "yan": 1}),
        ),
        Mistake(
            "Each purchase comes alone, with its city. They are not **added up**.",
            [
                [{"city": dict(TOWNS).get(who, UNKNOWN), "total": amount} for who, amount in batch]
                for batch in BOUGHT
            ],
        ),
        Mistake(
            "max bought for 3 **twice**. Both purchases count.",
            [TOTALS[0], _cities({"Brig": 3, "Chur": 1})[0], [], TOTALS[3]],
        ),
        Mistake(
            "You keep the **largest** purchase of each city. Asked is the sum.",
            _cities({"Chur": 4, UNKNOWN: 5}, {"Brig": 3, "Chur": 1}, {}, {UNKNOWN: 2}),
        ),
    )


# ---- 06.3: three jobs that never print ----

TALK = [["a b a", "c c"], [], ["b", "c d c"]]
SAID = [{"a": 2, "b": 1, "c": 2}, {}, {"b": 1, "c": 2, "d": 1}]
JOBS = ("a", "b", "c")
# `('a', 2)`, `a 2` or `a: 2`; what pprint writes above a batch has words and numbers, too.
PAIR = re.compile(r"([a-z]+)\W+(\d+)")
HEAD = re.compile(r"^(-+|Time: .*)$", re.MULTILINE)


@check(
    "06.3",
    title="three jobs that print the counts of each batch",
    minutes=8,
    look_at="Who prints, and where",
    hints=(
        "Run each job on a context of your own, and let `lab.explain()` say what is amiss.",
        "Job `a` has no output. Which call makes one?",
        "In job `b` the function `print` runs in Spark's workers. Fetch the elements first.",
        "In job `c` the output comes after the start. Change the order of the lines.",
        (
            "`a`: `.countByValue().pprint()`. `b`: `foreachRDD(lambda rdd: print(rdd.collect()))`. "
            "`c`: `pprint()` before `ssc.start()`."
        ),
    ),
    answer="dict",
)
def three_jobs(answer: dict[str, Any]) -> Verdict:
    """Run each job on lines that the lesson does not show, and read what it prints here."""
    for name in JOBS:
        if not callable(answer.get(name)):
            return not_yet(f"The dict has no function for **{name}**.")
    causes, lines = [], []
    for name in JOBS:
        cause, came = _judged(run_printing(answer[name], TALK))
        causes += [f"Job **{name}**: {cause}"] if cause else []
        lines.append(CheckedRow("Δ" if cause else "=", name, came, "3 batches"))
    if causes:
        return not_yet(causes[0], lines, place="job")
    return passed(
        "All three print the counts of **3** batches. A job needs an output before it starts, and "
        "`print` needs elements that were fetched into this kernel.",
    )


def _judged(run: PrintedRun) -> tuple[str, str]:
    """Return what is amiss with a job, and what it has printed, in short."""
    printed = [_pairs(text) for text in run.printed]
    right = sum(got == Counter(wanted) for got, wanted in zip(printed, SAID, strict=False))
    came = f"{right} {'batch' if right == 1 else 'batches'}" if any(printed) else "nothing"
    if run.error is not None:
        return _error_words(run.error), came
    if not any(printed):
        return (
            "it runs, and **nothing** is printed here. What you give to an operator or to "
            "`rdd.foreach` runs in a worker, and an RDD that nobody asks does not run at all."
        ), came
    if right == len(SAID):
        return "", came
    if [sum(one.values()) for one in printed] == [3, 0, 3]:
        return "it prints the **words** that are there, but not how often.", came
    odd = next(
        n
        for n, (got, wanted) in enumerate(zip(printed, SAID, strict=True), 1)
        if got != Counter(wanted)
    )
    return (
        f"batch **{odd}** prints {_listed(printed[odd - 1])}. "
        f"Expected is {_listed(Counter(SAID[odd - 1]))}."
    ), came


def _error_words(error: BaseException) -> str:
    if isinstance(error, LabkitError) and error.code == "STOPPED":
        return "it stops its context. Leave the ticks and the stop to the check."
    return words_of(error)


def _pairs(text: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for word, number in PAIR.findall(HEAD.sub("", text)):
        found[word] += int(number)
    return found


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{word} {counts[word]}" for word in sorted(counts)) or "nothing"


QUIZ = (
    Question(
        "A DStream of words has run for an hour. In the last interval **nothing** arrived. What "
        "does `words.countByValue()` hold for it?",
        choices=(
            Choice(
                "The counts of the interval before.",
                hint="Where would Spark have kept them?",
            ),
            Choice(
                "Every word of the hour, with the number 0.",
                hint="Does this interval know the words of the others?",
            ),
            Choice(
                "Nothing.",
                why="An interval is one RDD, and this one is empty. It knows only itself.",
            ),
        ),
        answer="04ad9f276ca7",
    ),
    Question(
        "`words.map(names.append)` runs for ten batches, with an output behind it. What is in the "
        "list `names` of your notebook?",
        facts="names = []",
        choices=(
            Choice(
                "All words of the ten batches.",
                hint="In which process does the function of `map` run?",
            ),
            Choice(
                "Nothing: each worker has a copy of the list.",
                why="The function and its list are sent to the workers. What they append there "
                "does not come back; `foreachRDD` with `collect` brings it.",
            ),
            Choice(
                "The words of the last batch.",
                hint="Does anything at all come back from there?",
            ),
        ),
        answer="19b27a4f16e7",
    ),
    Question(
        'A streaming DataFrame counts words with `groupBy("word").count()`. A batch **without '
        "rows** runs. What does it send?",
        facts="complete mode",
        choices=(
            Choice(
                "Nothing, for nothing has changed.",
                hint="That is what update sends. What does the word complete mean?",
            ),
            Choice(
                "The whole result again.",
                why="Complete sends all rows with every batch. A query with groups keeps its "
                "state; a DStream without state has none.",
            ),
            Choice(
                "Every word with the number 0.",
                hint="The counts are in the state. Does a batch without rows take them away?",
            ),
        ),
        answer="dea2347e2780",
        lesson="03",
    ),
)
