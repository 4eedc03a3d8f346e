"""How the author of a lesson writes its checks.

One function for each task, in ``labkit/course/lessons/lesson_NN.py``; a complete small file:

    from labkit.course.judging.checks import Mistake, Verdict, check, compare, passed
    from labkit.course.running.stepping import run_stream
    from labkit.events.script import Script

    INPUT = Script('''10:00:00 anna 5
    10:00:01 ben 1

    10:00:02 anna 2''', columns="who string, amount int")
    EXPECTED = [[{"who": "anna", "total": 5}, {"who": "ben", "total": 1}],
                [{"who": "anna", "total": 7}]]
    NO_MEMORY = [EXPECTED[0], [{"who": "anna", "total": 2}]]

    @check(
        "03.1",
        title="total of each customer",
        minutes=6,
        look_at="What update sends",
        hints=("What does the query remember?", "Which rows changed in step 2?", "Group by who."),
        answer="function",
    )
    def totals(answer) -> Verdict:
        run = run_stream(answer, INPUT, output_mode="update")
        wrong = compare(run, EXPECTED, mistakes=[
            Mistake("Your query adds up each step by itself: **2** instead of **7**.", NO_MEMORY),
        ])
        return wrong or passed("anna has **7** after step 2: 5 from step 1 and 2 more.")

Signatures:

    check(id, *, title, minutes, look_at, hints, answer="", returns=True)   the decorator
    passed(cause, note="") -> Verdict
    not_yet(cause, rows=(), note="", *, place="") -> Verdict
    CheckedRow(sign, place, came_out=None, expected=None, remark="")        sign: = Δ + −
    compare(run_or_rows, expected, *, mistakes=(), key=None, columns="names") -> Verdict | None
    Mistake(cause, rows)

Texts between ``**`` are shown bold, between backticks as code. What the function need not do: an
answer that is empty, raises, hangs, prints or leaves queries running is handled around it, and
``compare`` tells ``run.error`` in words. What it must do: use input that the lesson does not show,
give the same text on each run, and refuse what is right by luck.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from labkit.course import library
from labkit.course.judging.comparing import Mistake, compare
from labkit.course.judging.verdicts import CheckedRow, Verdict, not_yet, passed
from labkit.errors import InvalidArgument, NotFound, require_choice, require_type

__all__ = ["Check", "CheckedRow", "Mistake", "Verdict", "check", "compare", "not_yet", "passed"]

Judge = Callable[[Any], Verdict]
ID = re.compile(r"[0-9]{2}\.[1-9][0-9]*")
# What an answer can be asked to be; the words complete "The answer must be …".
ANSWERS = {
    "": "anything",
    "function": "a function, without a call: `answer`, not `answer()`",
    "dict": "a dict",
    "list": "a list",
    "text": "text",
    "number": "a number",
    "query": "a streaming query, as `start()` gives it",
}


@dataclass(frozen=True)
class Check:
    """One task of a lesson and the function that judges its answers.

    Parameters
    ----------
    id
        Number of the lesson and of the task: ``03.1``.
    title
        What is asked, in a few words.
    minutes
        How long a learner needs.
    look_at
        A heading of the lesson's notebook.
    hints
        From a question to nearly the answer.
    answer
        What an answer must be, a key of :data:`ANSWERS`.
    returns
        False for a function that is called for what it does, such as one for ``foreachBatch``:
        then None is not taken for an answer that is still to be written.
    judge
        The function.
    """

    id: str
    title: str
    minutes: int
    look_at: str
    hints: tuple[str, ...]
    answer: str
    returns: bool
    judge: Judge

    def __call__(self, answer: Any) -> Verdict:
        """Judge an answer without any care around it."""
        return self.judge(answer)


def check(
    id: str,  # noqa: A002 - the word of the course
    *,
    title: str,
    minutes: int,
    look_at: str,
    hints: tuple[str, ...],
    answer: str = "",
    returns: bool = True,
) -> Callable[[Judge], Check]:
    """Make a check of a function that takes an answer and gives a :class:`Verdict`.

    Parameters
    ----------
    id, title, minutes, look_at, hints, answer, returns
        As in :class:`Check`.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE``, ``OUT_OF_RANGE`` or ``UNKNOWN_CHOICE``: a value that cannot work.

    Examples
    --------
    >>> @check("03.1", title="two", minutes=1, look_at="Numbers", hints=("After one?",))
    ... def two(answer):
    ...     return passed("It is 2.") if answer == 2 else not_yet("It is another number.")
    >>> two(2).passed
    True
    """
    require_id(id)
    if not require_type("hints", hints, tuple, expected="a tuple of texts"):
        raise InvalidArgument("OUT_OF_RANGE", name="hints", value=hints, bound="one hint or more")
    require_choice("answer", answer, tuple(ANSWERS))

    def made(judge: Judge) -> Check:
        return Check(id, title, minutes, look_at, hints, answer, returns, judge)

    return made


def require_id(id: str) -> str:  # noqa: A002
    """Return a task's id if it has the right form.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` or ``OUT_OF_RANGE``.
    """
    require_type("id", id, str, expected='text such as "03.1"')
    if not ID.fullmatch(id):
        bound = 'two digits, a dot and the number of the task, such as "03.1"'
        raise InvalidArgument("OUT_OF_RANGE", name="id", value=id, bound=bound)
    return id


def checks_of(lesson: str) -> dict[str, Check]:
    """Return the checks of a lesson by their ids, in the order of the tasks.

    Parameters
    ----------
    lesson
        Two digits, such as ``03``.
    """
    found = [value for value in vars(library.lesson(lesson)).values() if isinstance(value, Check)]
    return {one.id: one for one in sorted(found, key=lambda one: int(one.id.split(".")[1]))}


def find(id: str) -> Check:  # noqa: A002
    """Return the check with this id.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` or ``OUT_OF_RANGE``: an id has another form.
    NotFound
        ``NOT_FOUND``: there is no such check; the message names those that are there.
    """
    lesson = require_id(id).split(".")[0]
    if lesson not in library.numbers():
        there = ", ".join(library.numbers())
        raise NotFound("NOT_FOUND", kind="check", name=id, reason=f"There are lessons {there}.")
    checks = checks_of(lesson)
    if id not in checks:
        there = f"Lesson {lesson} has {', '.join(checks) or 'no check yet'}."
        raise NotFound("NOT_FOUND", kind="check", name=id, reason=there)
    return checks[id]
