"""What is amiss with the event time of a query that raises nothing.

All of it is read from Spark's reports and from the query's plan: a time far ahead of the others,
rows that were dropped, state that nothing ever leaves, a watermark that does nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from labkit.course.telling.findings import Finding
from labkit.course.telling.silent_windows import about_windows
from labkit.engine.progress import Progress
from labkit.engine.query_facts import QueryFacts
from labkit.engine.signatures_modes import NOT_BY_TIME
from labkit.views.cells import plural
from labkit.views.event_time import UNITS_MS, clock, day, ms_of

# An event may be a little ahead of our own clock; a day is no matter of clocks any more.
AHEAD_MS = UNITS_MS["day"]
# A jump of so many delays, after which rows are dropped, was no ordinary event.
JUMP_DELAYS = 100
# The first watermark comes out of the first batch, so only then it can stand still.
BATCHES_TO_MOVE = 2


def about_time(reports: Sequence[Progress], facts: QueryFacts, name: str) -> Iterator[Finding]:
    """Return what is amiss with the event time of a query.

    Parameters
    ----------
    reports
        What Spark has reported about its batches, the oldest first.
    facts
        What it is set to do.
    name
        What the findings are about, such as ``Query counts``.
    """
    yield from about_windows(facts, name)
    if not facts.watermarks or not reports:
        return
    yield from _ahead(reports, facts, name)
    yield from _dropped(reports, name)
    yield from _without_effect(reports, facts, name)
    yield from _never_shrinks(reports, facts, name)


def _ahead(reports: Sequence[Progress], facts: QueryFacts, name: str) -> Iterator[Finding]:
    """Look for an event that has moved the watermark to where no honest event is."""
    event_ms = _event_ahead(reports, facts)
    if event_ms is None:
        return
    yield Finding(
        name,
        f"One event is far ahead of all others: {_written(event_ms, facts.zone)}. "
        "The watermark has followed it.",
        "Keep such rows out before withWatermark(…), such as with .where(col(time) < "
        'current_timestamp() + expr("INTERVAL 1 HOUR")), and start with a new checkpoint folder.',
        "The watermark is the newest event minus the delay, and it never goes back. "
        "The checkpoint keeps it, too. So all honest rows are late from now on.",
        id="M31",
        lesson="10",
    )


def _event_ahead(reports: Sequence[Progress], facts: QueryFacts) -> int | None:
    """Return the first event time that is implausible; None when all may be true."""
    tolerated_ms = time.time() * 1000 + AHEAD_MS
    jump_ms = JUMP_DELAYS * facts.delay.total_seconds() * 1000 if facts.delay else None
    before: int | None = None
    for place, report in enumerate(reports):
        newest = ms_of((report.raw.get("eventTime") or {}).get("max"))
        if newest is None:
            continue
        is_jump = before is not None and jump_ms is not None and newest - before > jump_ms
        if newest > tolerated_ms or (is_jump and _groups(reports[place + 1 :])):
            return newest
        before = max(newest, before or newest)
    return None


def _dropped(reports: Sequence[Progress], name: str) -> Iterator[Finding]:
    groups = _groups(reports)
    if groups:
        yield Finding(
            name,
            f"Late rows were dropped: Spark counts {plural(groups, 'group')} of them.",
            "Compare the rows that came in with the sum of your counts. A longer delay in "
            "withWatermark(…) keeps more rows, and each result is sent later.",
            "Spark combines the rows of a batch before it looks which are late. So late rows of "
            "one window and one key count as one: there may be many more rows.",
            id="M33",
            lesson="10",
        )


def _without_effect(reports: Sequence[Progress], facts: QueryFacts, name: str) -> Iterator[Finding]:
    """Say why a watermark does nothing."""
    if not any(report.raw.get("stateOperators") for report in reports):
        yield Finding(
            name,
            "The query has a watermark, and nothing in it uses one: late rows pass like others.",
            "Group by window(…), or leave withWatermark(…) out.",
            lesson="09",
        )
    elif facts.mode == "complete":
        # Of sessions late rows are dropped in every mode.
        dropped = "nothing is dropped, and " if facts.grid is not None else ""
        yield Finding(
            name,
            f"The query has a watermark, but complete mode keeps all groups: {dropped}"
            "no group leaves the state.",
            'Choose outputMode("append") or outputMode("update"), if the state must not grow.',
            id="M34",
            lesson="10",
        )
    elif _stands_still(reports):
        several = facts.watermarks > 1
        yield Finding(
            name,
            "The watermark has not moved yet: "
            + (
                "of the query's inputs, the slowest one decides."
                if several
                else "no row has brought an event time."
            ),
            "Send rows on each input."
            if several
            else "Look for nulls in the time column, and at the format of its text.",
            id="M35" if several else "M18",
            lesson="15" if several else "08",
        )


def _stands_still(reports: Sequence[Progress]) -> bool:
    with_rows = [report for report in reports if report.input_rows]
    return len(with_rows) >= BATCHES_TO_MOVE and not ms_of(reports[-1].watermark)


def _never_shrinks(reports: Sequence[Progress], facts: QueryFacts, name: str) -> Iterator[Finding]:
    """Look for state whose keys have no event time, so that the watermark can remove nothing."""
    moved = {ms for report in reports if (ms := ms_of(report.watermark))}
    if facts.mode == "complete" or not facts.timeless or not moved or _removed(reports):
        return
    rows = reports[-1].state_rows
    if "Aggregate" in facts.timeless:
        yield Finding(
            name,
            f"The state only grows: it holds {plural(rows, 'row')}, and the watermark has "
            "never removed one.",
            "Group by window(…) of the column in withWatermark(…), beside the other keys.",
            NOT_BY_TIME.partition(". ")[0] + ".",
            id="M26",
            lesson="09",
        )
    else:
        yield Finding(
            name,
            f"The state only grows: it remembers {plural(rows, 'key')} for ever.",
            "Put the time column of withWatermark(…) among the keys of dropDuplicates([…]), or "
            "use dropDuplicatesWithinWatermark([…]).",
            "The watermark can only remove keys that hold the time it belongs to.",
            id="M40",
            lesson="15",
        )


def _removed(reports: Sequence[Progress]) -> int:
    operators = [op for report in reports for op in report.raw.get("stateOperators") or []]
    return sum(op.get("numRowsRemoved", 0) for op in operators)


def _groups(reports: Sequence[Progress]) -> int:
    return sum(report.dropped_groups for report in reports)


def _written(at_ms: int, zone: str) -> str:
    return f"{day(at_ms, zone)} {clock(at_ms, zone)}"
