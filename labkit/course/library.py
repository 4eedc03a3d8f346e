"""The lessons that there are: one file each in labkit/course/lessons/, found by its number.

A new lesson is a new file ``lesson_NN.py``; nothing else is edited.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType

from labkit.errors import InvalidArgument, NotFound, require_type

LESSONS = Path(__file__).parent / "lessons"
NOTEBOOKS = Path(__file__).parents[2] / "notebooks" / "solutions"


def numbers() -> list[str]:
    """Return the numbers of the lessons that have a file, in their order.

    Examples
    --------
    >>> numbers()[0]
    '00'
    """
    files = LESSONS.glob("lesson_[0-9][0-9].py")
    return sorted(path.stem.removeprefix("lesson_") for path in files)


def lesson(number: str) -> ModuleType:
    """Return the module of a lesson: its checks and its ``QUIZ``.

    Parameters
    ----------
    number
        Two digits, as in the name of the notebook: ``"03"``.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` or ``OUT_OF_RANGE``: not text of two digits.
    NotFound
        ``NOT_FOUND``: no lesson has this number.

    Examples
    --------
    >>> lesson("00").__name__
    'labkit.course.lessons.lesson_00'
    """
    require_type("lesson", number, str, expected='text of two digits, such as "03"')
    if not re.fullmatch("[0-9]{2}", number):
        raise InvalidArgument(
            "OUT_OF_RANGE", name="lesson", value=number, bound='two digits, such as "03"'
        )
    if number not in numbers():
        there = ", ".join(numbers())
        raise NotFound("NOT_FOUND", kind="lesson", name=number, reason=f"There are: {there}.")
    return importlib.import_module(f"labkit.course.lessons.lesson_{number}")


def notebook_name(number: str) -> str:
    """Return the file name of a lesson's notebook, such as ``03_output_modes.ipynb``.

    Parameters
    ----------
    number
        Two digits.
    """
    found = sorted(NOTEBOOKS.glob(f"{number}_*.ipynb"))
    return found[0].name if found else f"{number}_*.ipynb"
