"""Every error of labkit, and the one table with their words.

    LabkitError
    ├── InvalidArgument   (ValueError)        a value that cannot work
    ├── BadData           (ValueError)        a file or row that cannot be read
    ├── NotFound          (LookupError)       a name, file or topic that is not there
    ├── Conflict          (RuntimeError)      something else already has this place
    ├── MissingNeed       (RuntimeError)      Java, a jar, a package: what the machine lacks
    ├── CheckFailed       (AssertionError)    a check is not passed, and LABKIT_STRICT is 1
    ├── Unreachable       (ConnectionError)   a server that does not answer
    └── NotReady          (TimeoutError)      waited long enough

Each class is also the built-in that a careful caller would catch anyway. A message answers three
questions: what happened, why, and how to go on. ``code`` and ``params`` are for programs and
tests; the prose may change.

Examples
--------
>>> from labkit.errors import InvalidArgument
>>> error = InvalidArgument("OUT_OF_RANGE", name="rate_per_s", value=-1, bound="more than 0")
>>> print(error)
[OUT_OF_RANGE] rate_per_s is -1. It must be more than 0.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from types import UnionType
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")

PACKAGE_FOLDER = str(Path(__file__).parent)


class Words(NamedTuple):
    """The words of one error code; ``{name}`` stands for a parameter."""

    what: str
    why: str = ""
    how: str = ""


# Sorted by code. A service, event or view that is new finds its words here already: the codes
# name kinds of trouble, not the places where trouble starts.
WORDS: dict[str, Words] = {
    "BAD_FILE": Words("{file} cannot be read.", "{reason}", "{cure}"),
    "BAD_HEADER": Words(
        "{file} has no column {missing}.",
        "Its columns are {found}.",
        "Name the columns {expected} in the first line, in any order.",
    ),
    "BAD_MARK": Words(
        "{place}, line {line}: {trouble}.",
        how="A block is # BEGIN SOLUTION … # END SOLUTION, each alone on its line; "
        "# STUB lines stand inside it.",
    ),
    "BAD_VALUE": Words(
        "{file}, line {line}, column {column}: {value!r} cannot be read as {kind}.",
        how="Correct or remove that line.",
    ),
    "BATCH_FAILED": Words(
        "{batch} failed: {cause}.",
        "{place}",
        "Correct the cause and run the cells from lab.streaming_context() on again.",
    ),
    "CHECK_FAILED": Words("{result}"),
    "EXHAUSTED": Words("{what} has nothing left.", "All {count} were sent.", "{cure}"),
    "FETCH_FAILED": Words(
        "These jars could not be fetched: {jars}.",
        "{reason}",
        "What did arrive is kept: `labkit fetch` goes on from here when the network is back.",
    ),
    "FOREIGN_SESSION": Words(
        "This kernel already runs a Spark session that labkit did not make ({name!r}).",
        "Its settings cannot be changed any more, and lessons would give other results on it.",
        "Call spark.stop() on it, or restart the kernel, then call lab.spark() first.",
    ),
    "JAR_SUM_WRONG": Words(
        "{jar} was deleted: its SHA-256 sum is {found}, the lock says {expected}.",
        "The file is damaged, or not the one this version of labkit was tested with.",
        "Run `labkit fetch` again.",
    ),
    "NAME_TAKEN": Words("{kind} {name!r} is already there.", "{reason}", "{cure}"),
    "NEEDS": Words("{need}", "{reason}", "{cure}"),
    "NOT_FOUND": Words("There is no {kind} {name!r}.", "{reason}", "{cure}"),
    "NOT_OURS": Words(
        "{what} was not started by labkit, so it will not be {verb}.", "{reason}", "{cure}"
    ),
    "NOT_READY": Words("{what} after {timeout_s:g} s.", "{reason}", "{cure}"),
    "NOT_STARTED": Words("{what} has not been started.", how="{cure}"),
    "NOT_WRITABLE": Words(
        "The folder {folder} cannot be written to.", "{reason}", "Choose another folder."
    ),
    "NO_DSTREAM": Words("The function returned {found}.", "Asked is a DStream.", "{cure}"),
    "NO_ROWS": Words("{file} has no rows.", how="Leave it out, or give a file with rows."),
    "NO_STREAM": Words(
        "The function returned {found}.",
        "Only a streaming DataFrame can be run step by step.",
        "{cure}",
    ),
    "OUTSIDE_SCRATCH": Words(
        "The folder name {name!r} leads out of the lab's scratch space.",
        "Folders made by name are emptied when they are made anew, so they must lie inside.",
        "Use a plain name such as 'orders', or an absolute path for a folder of your own.",
    ),
    "OUT_OF_RANGE": Words("{name} is {value!r}.", "It must be {bound}."),
    "PORT_TAKEN": Words(
        "Port {port} on {host} is in use.",
        how="Leave the port out, so that the system chooses a free one, or stop its owner.",
    ),
    "RUNS_ALREADY": Words("{what} runs already.", "{reason}", "{cure}"),
    "SERVICE_FAILED": Words(
        "{service} did not start: {reason}.", "It wrote last:\n{log}", "{cure}"
    ),
    "SESSION_DIFFERS": Words(
        "The Spark session of this kernel has {name}={present!r}, not {wanted!r}.",
        "Spark fixes this when its Java process starts.",
        "Restart the kernel and call lab.spark({call}) first.",
    ),
    "STOPPED": Words("{what} is stopped.", "{reason}", "{cure}"),
    "UNKNOWN_CHOICE": Words("{name} is {value!r}.", "It must be one of {choices}.", "{cure}"),
    "UNREACHABLE": Words("No {service} answers at {address}.", "{reason}", "{cure}"),
    "WRONG_TYPE": Words("{name} is {value!r}, a {found}.", "It must be {expected}."),
}


class _Blank(dict[str, Any]):
    """Parameters of a message; one that was not given leaves its place empty."""

    def __missing__(self, key: str) -> str:
        return ""


class LabkitError(Exception):
    """An error that says what happened, why, and how to go on.

    Parameters
    ----------
    code
        A key of :data:`WORDS`; also the attribute ``code``.
    params
        The values in the message; also the attribute ``params``.
    """

    def __init__(self, code: str, **params: Any) -> None:
        self.code = code
        self.params = params
        super().__init__(code, params)

    @property
    def words(self) -> Words:
        """What happened, why, and how to go on, with the values filled in."""
        return Words(*(part.format_map(_Blank(self.params)).strip() for part in WORDS[self.code]))

    def __str__(self) -> str:
        return " ".join([f"[{self.code}]", *filter(None, self.words)])

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors cross process boundaries (Spark's Python workers, test runners).
        return (_rebuild, (type(self), self.code, self.params))

    def _render_traceback_(self) -> list[str]:
        """Show a learner the cell line and the message; IPython calls this by its name."""
        frames = traceback.extract_tb(self.__traceback__)
        own = [f for f in frames if not f.filename.startswith(PACKAGE_FOLDER)]
        place = [f"  line {f.lineno}: {f.line}" for f in own[-1:] if f.line]
        # "Full trace" works because Python keeps the last error, however it was shown.
        sys.last_value = self
        more = "  (all of it: import sys, traceback; traceback.print_exception(sys.last_value))"
        return [type(self).__name__, *place, str(self), more]


def _rebuild(kind: type[LabkitError], code: str, params: dict[str, Any]) -> LabkitError:
    return kind(code, **params)


class InvalidArgument(LabkitError, ValueError):
    """An argument has a value that cannot work; nothing was changed."""


class BadData(LabkitError, ValueError):
    """A file or a row cannot be read; the message names file, line and column."""


class NotFound(LabkitError, LookupError):
    """A name, a file or a topic is not there."""


class Conflict(LabkitError, RuntimeError):
    """Something else already has this name, port or session."""


class MissingNeed(LabkitError, RuntimeError):
    """The machine lacks something: Java, a jar, a package."""


class Unreachable(LabkitError, ConnectionError):
    """A server does not answer at its address."""


class CheckFailed(LabkitError, AssertionError):
    """A check is not passed; raised only when ``LABKIT_STRICT`` is ``1``."""


class NotReady(LabkitError, TimeoutError):
    """Something that was waited for did not come in time."""


def wrong_type(name: str, value: Any, *, expected: str) -> InvalidArgument:
    """Return the error for a value of another type; :func:`require_type` if a check will do."""
    found = type(value).__name__
    return InvalidArgument("WRONG_TYPE", name=name, value=value, found=found, expected=expected)


def require_type(name: str, value: T, kind: type | UnionType, *, expected: str) -> T:
    """Return ``value`` if it is one of ``kind``; True and False count as booleans only.

    Parameters
    ----------
    name
        The argument's name.
    value
        What the caller gave.
    kind
        A class, or several: ``str | os.PathLike``.
    expected
        What it must be, as in "It must be text".

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE``.

    Examples
    --------
    >>> require_type("name", "orders", str, expected="text")
    'orders'
    """
    # To Python True is the number 1; whoever gives it for a number means something else.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise wrong_type(name, value, expected=expected)
    return value


def require_number(
    name: str, value: Any, *, low: float, high: float, low_is_allowed: bool = True
) -> float:
    """Return ``value`` if it is a number in the bounds, or say which bound it breaks.

    Parameters
    ----------
    name
        The argument's name, with its unit (``rate_per_s``).
    value
        What the caller gave.
    low, high
        The bounds, in the unit of ``name``; ``high`` is always allowed.
    low_is_allowed
        False when the value must be greater than ``low``.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` or ``OUT_OF_RANGE``.
    """
    number: float = require_type(name, value, int | float, expected="a number")
    above = number >= low if low_is_allowed else number > low
    if not (above and number <= high):  # NaN fails every comparison, so it ends here too
        start = "at least" if low_is_allowed else "more than"
        bound = f"{start} {low:,g} and at most {high:,g}"
        raise InvalidArgument("OUT_OF_RANGE", name=name, value=value, bound=bound)
    return number


def require_int(name: str, value: Any, *, low: int, high: int) -> int:
    """Return ``value`` if it is a whole number in the bounds (both allowed).

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` or ``OUT_OF_RANGE``.
    """
    require_type(name, value, int, expected="a whole number")
    return int(require_number(name, value, low=low, high=high))


def require_choice(name: str, value: Any, choices: tuple[str, ...], *, cure: str = "") -> str:
    """Return ``value`` if it is one of ``choices``.

    Raises
    ------
    InvalidArgument
        ``UNKNOWN_CHOICE``.
    """
    if value not in choices:
        is_clear = not any("," in choice for choice in choices)
        listed = ", ".join(choice if is_clear else f'"{choice}"' for choice in choices)
        raise InvalidArgument("UNKNOWN_CHOICE", name=name, value=value, choices=listed, cure=cure)
    return str(value)
