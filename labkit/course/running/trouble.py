"""An exception of a learner's answer in words: what happened, where, and what to do."""

from __future__ import annotations

import re
import traceback
from textwrap import shorten

from labkit.engine.causes import facts_of
from labkit.engine.signatures import explain_error
from labkit.engine.trial import SessionKept
from labkit.errors import PACKAGE_FOLDER

# Frames in these places are not the learner's.
_NOT_OWN = ("site-packages", "lib/python", PACKAGE_FOLDER, "<frozen")
# What changes from run to run: addresses of objects, and Spark's numbers and ids.
_CHANGING = re.compile(r" at 0x[0-9a-f]+|(?<=\w)#\d+L?|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MAX_CHARS = 300


class TookTooLong(Exception):
    """An answer, or its check, had not come back when its time was over."""


def words_of(error: BaseException) -> str:
    """Return one or two sentences about an exception, the same on each run.

    Parameters
    ----------
    error
        What the answer raised, or what a run holds as ``run.error``.

    Examples
    --------
    >>> words_of(ZeroDivisionError("division by zero"))
    'Your answer stopped with `ZeroDivisionError: division by zero`.'
    """
    return _CHANGING.sub("", _own_words(error) or _explained(error) or _general_words(error))


def _own_words(error: BaseException) -> str:
    """Return the words for what the guard around an answer has seen, or has kept from it."""
    match error:
        case TookTooLong():
            return str(error)
        case SessionKept():
            return (
                f"Your answer stops the Spark session{place_of(error)}. Leave that out: "
                "the session is of all cells, and it ends with the kernel."
            )
        case SystemExit():
            return f"Your answer ends Python{place_of(error)}. Leave that out."
        case RecursionError():
            return f"Your answer calls itself without end{place_of(error)}."
        case _:
            return ""


def _explained(error: BaseException) -> str:
    found = explain_error(error)
    if found is None:
        return ""
    place = f" (in {found.own.place})" if found.own is not None else ""
    said = (
        f"Spark says{place}: {shorten(found.cause, MAX_CHARS, placeholder=' …').rstrip('.')}."
        if found.cause
        else ""
    )
    return " ".join(part for part in (found.sentence, found.cure, said) if part)


def _general_words(error: BaseException) -> str:
    if type(error).__module__.startswith(("pyspark", "py4j")):
        said = getattr(error, "cause_words", "")  # a run has walked the chain of Java's causes
        if said:
            return str(said).rstrip(".") + "."
        return facts_of(error).cause.rstrip(".") + "."
    name, text = type(error).__name__, str(error).split("\n", maxsplit=1)[0][:MAX_CHARS]
    said = f"{name}: {text}" if text else name
    return f"Your answer stopped with `{said}`{place_of(error)}."


def type_name(value: object) -> str:
    """Return the name of a value's type, such that pandas' DataFrame is not taken for Spark's.

    Examples
    --------
    >>> type_name(1)
    'int'
    """
    kind = type(value)
    return f"pandas {kind.__name__}" if kind.__module__.startswith("pandas") else kind.__name__


def is_own(filename: str) -> bool:
    """Return whether code in this file may be the learner's.

    Examples
    --------
    >>> is_own("lesson.py"), is_own(__file__)
    (True, False)
    """
    return not any(part in filename for part in _NOT_OWN)


def place_of(error: BaseException) -> str:
    """Return where in the learner's own code an exception arose.

    Examples
    --------
    >>> place_of(ValueError("raised nowhere"))
    ''
    """
    frames = [f for f in traceback.extract_tb(error.__traceback__) if is_own(f.filename)]
    if not frames:
        return ""
    last = frames[-1]
    where = "" if last.name in {"<module>", "<lambda>"} else f"{last.name}, "
    return f" (in {where}line {last.lineno})" if where else f" (line {last.lineno})"
