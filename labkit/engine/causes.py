"""What an error says about itself: its chain of causes, and the learner's own line.

What reaches Python is the outermost wrapper ("Exception thrown in awaitResult"); the reason
stands at the end of the chain of Java causes, and for Python code at the end of a traceback in
one of their messages.
"""

from __future__ import annotations

import linecache
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from textwrap import shorten
from typing import Any

MAX_CHARS = 300
# A chain that points at itself must not keep us for ever.
MAX_CAUSES = 30
_PYTHON_ERROR = re.compile(
    r"^((?:\w+\.)*)(\w*(?:Error|Exception|Exit|Interrupt)): (.+)$", re.MULTILINE
)
_FUNCTION = re.compile(r'File "[^"]*", line \d+, in (\S+)')
_OWN_LINE = re.compile(r'File "([^"]*)", line (\d+), in (\S+)(?:\n    (\S.*))?')
# Frames of Spark's own Python worker stand in every traceback and help nobody.
_SPARKS = ("pyspark.", "py4j.")
_NOT_OWN = ("pyspark", "site-packages", "lib/python")
_CONDITION = re.compile(r"(^|: )\[(?P<name>[A-Z][A-Z0-9_]+(?:\.[A-Z0-9_]+)*)\]\s*")
_WRAPPERS = ("STREAM_FAILED", "FOREACH_BATCH_USER_FUNCTION_ERROR", "FOREACH_USER_FUNCTION_ERROR")
_WRAPPER = "terminated with exception: "
# After these Spark prints the plan, the offsets or a reference, which may hold any word.
_ENDS = ("\n=== Streaming Query", ";\n", " SQLSTATE:", "\n\nDriver stacktrace")


@dataclass(frozen=True)
class OwnLine:
    """A line of the learner's own code.

    Parameters
    ----------
    function
        The function that it stands in.
    number
        The line's number in the learner's cell or file.
    code
        The line itself; empty when the traceback does not tell.
    """

    function: str
    number: int
    code: str = ""

    @property
    def place(self) -> str:
        """Where the line stands, such as ``rate, line 2``."""
        return f"{self.function}, line {self.number}"


@dataclass(frozen=True)
class Facts:
    """What an error says, without the plans that Spark prints with it.

    Parameters
    ----------
    heads
        One text for each error of the chain, the outermost first: ``ErrorClass: message``.
    said
        The same as one text, without what the learner's own code says: that may hold any word.
    conditions
        Spark's names for what happened, in the same order.
    own
        The learner's own line; None when the cause is not in a function of theirs.
    function
        The function in which Python's error arose, the learner's or Spark's; empty without one.
    plan
        The plan of the query that did not start; empty when it is not at hand.
    is_pythons
        Whether it is an error of Python or of a Python package, not of Spark.
    """

    heads: tuple[str, ...]
    said: str
    conditions: tuple[str, ...]
    own: OwnLine | None = None
    function: str = ""
    plan: str = ""
    is_pythons: bool = False

    @property
    def cause(self) -> str:
        """The first cause in one line, without Spark's codes."""
        if self.own is not None or self.is_pythons or not self.heads:
            return plain(self.heads[-1].removesuffix(": ") if self.heads else "unknown")
        # What Spark names says more than what Java found below it (a file, a class).
        named = [head for head in self.heads if _names_a_cause(head)]
        kind, _, text = (named or self.heads)[-1].partition(": ")
        # A class of Python says something to a learner ("KeyError"); one of Java does not.
        return plain(text or kind)


def _names_a_cause(head: str) -> bool:
    return any(m["name"] not in _WRAPPERS for m in _CONDITION.finditer(head))


def facts_of(error: BaseException) -> Facts:
    """Read an exception that Python has caught; Java may be gone by now.

    Parameters
    ----------
    error
        Any exception, of Spark or not.
    """
    chain: list[tuple[str, str]] = []
    with suppress(Exception):  # no answer from Java: the text that Python holds must do
        chain = list(java_chain(_java_of(error)))
    chain = chain or [(_name_of(error), _text_of(error))]
    found = facts_from(chain)
    condition = ""
    with suppress(Exception):  # not every exception has a condition
        condition = error.getCondition() or ""  # type: ignore[attr-defined]
    names = (condition, *found.conditions) if condition else found.conditions
    return replace(
        found,
        conditions=tuple(dict.fromkeys(names)),
        plan=_plan_of(error),
        is_pythons=not type(error).__module__.startswith(("pyspark.", "py4j.")),
    )


def facts_from(chain: list[tuple[str, str]]) -> Facts:
    """Read a chain of errors given as class names and messages, the outermost first.

    Examples
    --------
    >>> facts_from([("X", "Job aborted."), ("Y", "[DIVIDE_BY_ZERO] Division by zero.")]).conditions
    ('DIVIDE_BY_ZERO',)
    """
    heads: list[str] = []
    said: list[str] = []
    own, function = None, ""
    for name, message in chain:
        heads.append(f"{name}: {_head(message)}" if name else _head(message))
        said.append(heads[-1])
        errors = _PYTHON_ERROR.findall(message) if "Traceback" in message else []
        if errors:  # only the innermost traceback is complete, and it comes last
            own = own_line(message) or own
            function = (_FUNCTION.findall(message) or [""])[-1]
            module, kind, text = errors[-1]
            heads.append(f"{kind}: {_head(text)}")
            said.append(heads[-1] if module.startswith(_SPARKS) else f"{kind}: ")
    text = "\n".join(said)
    conditions = tuple(m["name"] for one in said for m in _CONDITION.finditer(one))
    return Facts(tuple(heads), text, conditions, own, function)


def java_chain(error: Any) -> Iterator[tuple[str, str]]:
    """Yield class and message of a Java error and its causes, the outermost first."""
    for _ in range(MAX_CAUSES):
        if error is None:
            return
        name = error.getClass().getSimpleName()
        yield name, error.getMessage() or name
        error = error.getCause()


def own_line(traceback: str) -> OwnLine | None:
    r"""Return the learner's own line in the text of a traceback, the innermost one.

    Examples
    --------
    >>> own_line('File "/tmp/cell.py", line 2, in rate\n    return 1 // v\n').code
    'return 1 // v'
    """
    found = None
    for file, line, name, code in _OWN_LINE.findall(traceback):
        if not any(part in file for part in _NOT_OWN):
            # A worker cannot read the cells of a notebook; Python keeps their lines here.
            kept = code or linecache.getline(file, int(line))
            found = OwnLine(name, int(line), kept.strip())
    return found


def plain(message: str) -> str:
    """Return the first line of a message without Spark's condition, and not too long."""
    text = _CONDITION.sub(r"\1", message).strip()
    return shorten(text.split("\n")[0], MAX_CHARS, placeholder=" …").rstrip(". ")


def _head(message: str) -> str:
    text = message.partition("Traceback (most recent call last)")[0]
    for end in _ENDS:
        text = text.partition(end)[0]
    return text.partition(_WRAPPER)[2].strip() or text.strip()


def _java_of(error: BaseException) -> Any:
    origin = getattr(error, "_origin", None)
    return origin if origin is not None else getattr(error, "java_exception", None)


def _name_of(error: BaseException) -> str:
    """Return the error's class; of a dead Java PySpark hands on a bare error of the network."""
    trace = error.__traceback__
    while trace is not None:
        if isinstance(error, OSError) and trace.tb_frame.f_globals["__name__"].startswith("py4j."):
            return "Py4JNetworkError"
        trace = trace.tb_next
    return type(error).__name__


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - PySpark asks Java for its settings to show an error
        return str(getattr(error, "_desc", "") or error.args)


def _plan_of(error: BaseException) -> str:
    """Return the plan of the query that ``start()`` refused.

    Spark's message no longer holds it, but the frame of PySpark's ``start`` still has the writer.
    """
    trace = error.__traceback__
    while trace is not None:
        writer: Any = trace.tb_frame.f_locals.get("self")
        if type(writer).__name__ == "DataStreamWriter":
            with suppress(Exception):  # Java may be gone
                return str(writer._df._jdf.queryExecution().analyzed().toString())
        trace = trace.tb_next
    return ""
