"""Answers that are still to be written, as the learner's copy of a lesson has them."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Mapping
from types import FunctionType
from typing import Any

# What Python makes of a body that is only ``...``, ``pass``, a docstring or ``return None``.
_EMPTY = {"RESUME", "NOP", "LOAD_CONST", "POP_TOP", "RETURN_VALUE", "RETURN_CONST", "CACHE"}


def is_blank(answer: Any) -> bool:
    """Return whether nothing was answered yet.

    Examples
    --------
    >>> is_blank(...), is_blank({"a": "append", "b": ...}), is_blank(lambda df: ...)
    (True, True, True)
    >>> is_blank(0), is_blank(lambda df: df)
    (False, False)
    """
    if answer is None or answer is ...:
        return True
    if isinstance(answer, Mapping):
        return any(is_blank(part) for part in answer.values() if part is not None)
    if isinstance(answer, list | tuple | set | frozenset) and type(answer) in _PLAIN:
        return any(is_blank(part) for part in answer if part is not None)
    return isinstance(answer, FunctionType) and _has_no_body(answer)


def has_gap(function: Any) -> bool:
    """Return whether a line of a function is still to be written, as far as its text is known.

    Examples
    --------
    >>> has_gap(is_blank), has_gap(len)
    (False, True)
    """
    try:
        lines = inspect.getsource(function).splitlines()
    except (OSError, TypeError):
        return True
    return any(line.strip().startswith("...") for line in lines)


_PLAIN = (list, tuple, set, frozenset)


def _has_no_body(function: FunctionType) -> bool:
    steps = list(dis.get_instructions(function))
    if not {step.opname for step in steps} <= _EMPTY:
        return False
    given = [
        step
        for place, step in enumerate(steps)
        if step.opname in {"LOAD_CONST", "RETURN_CONST"}
        and (step.opname == "RETURN_CONST" or steps[place + 1].opname == "RETURN_VALUE")
    ]
    return all(step.argval in {None, ...} for step in given if _is_simple(step.argval))


def _is_simple(value: Any) -> bool:
    return value is None or value is ... or isinstance(value, str | int | float | bytes | tuple)
