"""An exception of a learner's answer in words: what happened, where, and what to do."""

from __future__ import annotations

import traceback
from typing import Any

from labkit.engine.failure import read_failure
from labkit.errors import PACKAGE_FOLDER, LabkitError

# Frames in these places are not the learner's.
_NOT_OWN = ("site-packages", "lib/python", PACKAGE_FOLDER, "<frozen")
MAX_CHARS = 300


def words_of(error: BaseException) -> str:
    """Return one or two sentences about an exception.

    Parameters
    ----------
    error
        What the answer raised, or what a run holds as ``run.error``.

    Examples
    --------
    >>> words_of(ZeroDivisionError("division by zero"))
    'Your answer stopped with `ZeroDivisionError: division by zero`.'
    """
    explained = _explained(error)
    if explained:
        return explained
    said = getattr(error, "cause_words", "")
    if said:
        return str(said)
    if isinstance(error, LabkitError):
        return str(error).removeprefix(f"[{error.code}] ")
    if isinstance(error, RecursionError):
        return f"Your answer calls itself without end{place_of(error)}."
    if isinstance(error, SystemExit):
        return f"Your answer ends Python with `exit`{place_of(error)}. Leave that out."
    if type(error).__module__.startswith(("pyspark", "py4j")):
        return read_failure([str(error)]).words
    name, text = type(error).__name__, str(error).split("\n", maxsplit=1)[0][:MAX_CHARS]
    said = f"{name}: {text}" if text else name
    return f"Your answer stopped with `{said}`{place_of(error)}."


def place_of(error: BaseException) -> str:
    """Return where in the learner's own code an exception arose: `` (in totals, line 2)``."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not any(part in frame.filename for part in _NOT_OWN)
    ]
    if not frames:
        return ""
    last = frames[-1]
    where = "" if last.name in {"<module>", "<lambda>"} else f"{last.name}, "
    return f" (in {where}line {last.lineno})"


def _explained(error: BaseException) -> str:
    found: Any = None
    try:
        from labkit.engine.signatures import explain_error  # noqa: PLC0415
    except ImportError:
        return ""
    found = explain_error(error)
    return f"{found.sentence} {found.cure}".strip() if found is not None else ""
