"""``lab.check`` and ``lab.hint``: the course looks at an answer, and helps on."""

from __future__ import annotations

from typing import Any

from labkit import settings
from labkit.course.judging.blanks import has_gap, is_blank
from labkit.course.judging.checks import ANSWERS, Check, Verdict, find, not_yet
from labkit.course.judging.results import Hint, Result
from labkit.course.library import notebook_name
from labkit.course.running.guarding import guarded
from labkit.course.running.trouble import words_of
from labkit.errors import CheckFailed, InvalidArgument
from labkit.waiting import patience

KINDS: dict[str, Any] = {
    "function": lambda answer: callable(answer) and not isinstance(answer, type),
    "dict": lambda answer: isinstance(answer, dict),
    "list": lambda answer: isinstance(answer, list | tuple),
    "text": lambda answer: isinstance(answer, str),
    "number": lambda answer: isinstance(answer, int | float) and not isinstance(answer, bool),
    "query": lambda answer: hasattr(answer, "processAllAvailable"),
}
NO_RETURN = not_yet("Your function gives nothing back. End it with `return`.")
# How many hints of each task this kernel has given.
_given: dict[str, int] = {}


def check(id: str, answer: Any = None) -> Result:  # noqa: A002 - the word of the course
    """Look at the answer to a task and say what came out, what was expected, and why.

    The answer is tried on input that the lesson does not show. Whatever it does, the check ends:
    queries that it starts are stopped, settings that it changes are set back.

    Parameters
    ----------
    id
        The task, such as ``03.1``.
    answer
        What the task asks for, mostly a function from a streaming DataFrame to a DataFrame.

    Returns
    -------
    Result
        Shown as a card in a notebook; ``passed``, ``cause`` and ``rows`` are for programs.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` or ``OUT_OF_RANGE``: an id has another form.
    NotFound
        ``NOT_FOUND``: no task has this id.
    CheckFailed
        ``CHECK_FAILED``: not passed, and ``LABKIT_STRICT`` is ``1``.

    Examples
    --------
    >>> check("00.1", lambda df: df).passed  # doctest: +SKIP
    False
    """
    task = find(id)
    with patience(what=f"Checking {task.id}"):
        verdict, error = _judged(task, answer)
    hints = () if verdict.passed else task.hints
    result = Result(task.id, task.title, verdict, hints, task.look_at, error)
    if settings.strict() and not result.passed:
        raise CheckFailed("CHECK_FAILED", result=repr(result)) from error
    return result


def hint(id: str) -> Hint:  # noqa: A002 - the word of the course
    """Give the next hint of a task; after the last one, say where the solution is.

    Parameters
    ----------
    id
        The task, such as ``03.1``.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` or ``OUT_OF_RANGE``: an id has another form.
    NotFound
        ``NOT_FOUND``: no task has this id.

    Examples
    --------
    >>> hint("00.1")  # doctest: +SKIP
    Hint 1 of 3 for 00.1: Which column says when a row happened?
    """
    task = find(id)
    count, before = len(task.hints), _given.get(id, 0)
    number = min(before + 1, count)
    _given[id] = before + 1
    link = f"solutions/{notebook_name(id[:2])}" if before >= count else ""
    return Hint(id, number, count, task.hints[number - 1], link)


def _judged(task: Check, answer: Any) -> tuple[Verdict, BaseException | None]:
    if is_blank(answer):
        return _nothing(task), None
    if task.answer and not KINDS[task.answer](answer):
        return _misfit(answer, ANSWERS[task.answer]), None
    outcome = guarded(task.judge, answer)
    verdict = outcome.verdict if outcome.error is None else _refused(answer, outcome.error)
    if outcome.gave_nothing and task.returns and not verdict.passed:
        return _nothing(task) if has_gap(answer) else NO_RETURN, None
    return verdict, outcome.error


def _refused(answer: Any, error: BaseException) -> Verdict:
    params = error.params if isinstance(error, InvalidArgument) else {}
    if params.get("value") is answer and "expected" in params:  # not the learner's own call
        return _misfit(answer, params["expected"])
    return not_yet(words_of(error))


def _misfit(answer: Any, wanted: str) -> Verdict:
    return not_yet(f"Your answer is of the type `{type(answer).__name__}`. It must be {wanted}.")


def _nothing(task: Check) -> Verdict:
    return not_yet(f"There is no answer yet. Asked is: {task.title}.")
