"""Run a streaming function over given input, step by step, and look at what it sends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from labkit.course.running.step_inputs import StepInput, read_inputs
from labkit.course.running.stepped_query import SteppedQuery
from labkit.engine.batches import Batch
from labkit.engine.modes import MODES
from labkit.engine.refusal import own_words
from labkit.engine.session import spark
from labkit.engine.time_limit import TimeLimit
from labkit.errors import InvalidArgument, require_choice, require_number, wrong_type
from labkit.events.script import Script
from labkit.waiting import patience

MAX_S = 3600.0


@dataclass(frozen=True)
class Step:
    """What one step of the input brought.

    Parameters
    ----------
    number
        Counted from 0.
    rows
        What the sink got because of this step, a dict for each row, in the order sent. Structs
        such as windows are ``Row`` objects, timestamps have the session's time zone.
    batches
        The ids of the micro-batches that ran, those without input included.
    """

    number: int
    rows: list[dict[str, Any]]
    batches: tuple[int, ...]


@dataclass(frozen=True)
class Run:
    """What :func:`run_stream` saw.

    Parameters
    ----------
    mode
        The output mode that the query had.
    steps
        The steps that were given; fewer than the input has when the run ended with an error.
    batches
        The micro-batches as Spark numbered them; none when the sink is not the memory sink.
    error
        What ended the run; None when all went well. Its attribute ``cause_words`` says the cause
        in fixed words.
    query_stopped
        Whether every query of the run had ended; False only when one waits for code that nothing
        can end, such as a long ``sleep`` in a function of ``foreachBatch``.
    """

    mode: str
    steps: tuple[Step, ...]
    batches: tuple[Batch, ...] = field(repr=False)
    error: BaseException | None
    query_stopped: bool

    def __repr__(self) -> str:
        ended = f", ended by {type(self.error).__name__}" if self.error is not None else ""
        return f"<run of {len(self.steps)} steps in {self.mode} mode: {len(self.rows)} rows{ended}>"

    @property
    def rows(self) -> list[dict[str, Any]]:
        """All rows in the order in which they were sent."""
        return [row for step in self.steps for row in step.rows]

    @property
    def table(self) -> list[dict[str, Any]]:
        """The rows that a reader of the result sees at the end.

        In complete mode that is the last whole result, else everything that was sent.
        """
        if self.mode != "complete":
            return self.rows
        sent = [step.rows for step in self.steps if step.batches]
        return sent[-1] if sent else []


def run_stream(
    fn: Callable[..., Any],
    *inputs: Script | Sequence[Sequence[Any]],
    output_mode: str = "append",
    schema: str | tuple[str | None, ...] | None = None,
    timeout_s: float = 30.0,
) -> Run:
    r"""Run a function from streaming DataFrames to a DataFrame, one step of its input at a time.

    Each step is one file for each input; files of one step arrive together. A step ends when Spark
    has read everything and run all extra batches, so the same call gives the same result each
    time. Other queries of the session are left alone; nothing of the run is left behind.

    Parameters
    ----------
    fn
        Takes one streaming DataFrame for each input. Returns a streaming DataFrame, or a
        ``DataStreamWriter`` or a started query, whose own mode and sink then count.
    *inputs
        A ``Script``, or a list of batches. A batch is a list of events or dicts; a missing key is
        null. An empty batch is a file without rows: Spark runs a batch for it.
    output_mode
        ``append``, ``update`` or ``complete``.
    schema
        The columns of the inputs that are no Script, as Spark DDL text; a tuple has one for each
        input. None: the types follow from the values.
    timeout_s
        How long each step may take, and ``fn`` itself, in seconds of the real clock: more than 0,
        at most 3600. A step that takes longer ends the run.

    Returns
    -------
    Run
        What each step sent. What went wrong in ``fn`` or in its query is in ``run.error``.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE``, ``OUT_OF_RANGE`` or ``UNKNOWN_CHOICE``: an argument of this call.

    Examples
    --------
    A window is sent when the watermark has passed its end, here in the third step:

    >>> from pyspark.sql import functions as F  # doctest: +SKIP
    >>> def counts(df):
    ...     marked = df.withWatermark("event_time", "1 minute")
    ...     return marked.groupBy(F.window("event_time", "5 minutes")).count()
    >>> drill = Script("10:00\n10:03\n\n10:05:30\n\n10:06\n\n10:01")
    >>> run = run_stream(counts, drill)  # doctest: +SKIP
    >>> [[row["count"] for row in step.rows] for step in run.steps]  # doctest: +SKIP
    [[], [], [2], []]
    """
    if not callable(fn):
        raise wrong_type("fn", fn, expected="a function from streaming DataFrames to a DataFrame")
    require_choice("output_mode", output_mode, MODES)
    require_number("timeout_s", timeout_s, low=0, high=MAX_S, low_is_allowed=False)
    given = read_inputs(inputs, schema)
    session = spark()
    _require_types(given)
    with patience(what="Your query runs step by step"):
        return _run(fn, given, output_mode, SteppedQuery(session, TimeLimit(session, timeout_s)))


def _require_types(given: tuple[StepInput, ...]) -> None:
    from pyspark.errors import ParseException  # noqa: PLC0415 - half a second
    from pyspark.sql.types import StructType  # noqa: PLC0415

    for one in given:
        try:
            StructType.fromDDL(one.schema)
        except ParseException as error:
            bound = f"columns with types that Spark knows. It says: {own_words(str(error))}"
            raise InvalidArgument(
                "OUT_OF_RANGE", name="schema", value=one.schema, bound=bound
            ) from None


def _run(
    fn: Callable[..., Any], given: tuple[StepInput, ...], mode: str, query: SteppedQuery
) -> Run:
    steps: list[Step] = []
    error: Exception | None = None
    try:
        query.start(fn, given, mode)
        for number in range(len(given[0].batches)):
            try:
                query.give(number)
            finally:  # what came before a failure was sent all the same
                steps.append(_step(number, query))
    except Exception as failed:  # noqa: BLE001 - whatever fn does is a result
        error = query.explained(failed)
    finally:
        query.close()
    return Run(query.mode or mode, tuple(steps), tuple(query.batches), error, query.is_stopped())


def _step(number: int, query: SteppedQuery) -> Step:
    ids, batches = query.news()
    if query.mode == "complete":
        batches = batches[-1:]  # each has the whole result
    rows = [row for batch in batches for row in named_rows(batch)]
    return Step(number, rows, ids)


def named_rows(batch: Batch) -> list[dict[str, Any]]:
    """Return the rows of a batch as dicts; a second column ``a`` is called ``a_2``."""
    names: list[str] = []
    for column in batch.columns:
        count = names.count(column.name) + 1
        names.append(column.name if count == 1 else f"{column.name}_{count}")
    return [dict(zip(names, row, strict=True)) for row in batch.rows]
