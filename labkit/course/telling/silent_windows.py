"""What is amiss with the windows of a query that raises nothing: another clock, another day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from labkit.course.telling.findings import Finding
from labkit.engine.query_facts import ARRIVAL, BATCH, TEXT, QueryFacts, Windows
from labkit.views.event_time import interval_words

_OWN_TIME = 'Use the column with the event time: window("event_time", …).'
_CLOCKS = {
    BATCH: Finding(
        "",
        "The windows are cut from the time of the batch, not from a time in the rows.",
        _OWN_TIME,
        "current_timestamp() is one value for a whole batch. "
        "So the same rows give other windows each time that they are read.",
        id="M23",
        lesson="08",
        heading="Three clocks",
    ),
    ARRIVAL: Finding(
        "",
        "The windows are cut from the time when a file came, not from a time in the rows.",
        _OWN_TIME,
        "A row that comes late then counts when it has come, not when it happened.",
        id="M24",
        lesson="08",
        heading="Three clocks",
    ),
    TEXT: Finding(
        "",
        "The windows are cut from text, which Spark turns into times by itself.",
        'Make a timestamp first: try_to_timestamp("at", lit("yyyy-MM-dd HH:mm:ss")).',
        "The first text that does not fit ends the query.",
        id="M16",
        lesson="08",
        heading="Times that are text",
    ),
}
# A winter's and a summer's day: one of them is enough, since clocks are changed.
_DAYS = (datetime(2024, 1, 1), datetime(2024, 7, 1))  # noqa: DTZ001 - the zone is the question


def about_windows(facts: QueryFacts, name: str) -> Iterator[Finding]:
    """Return what is amiss with the windows of a query.

    Parameters
    ----------
    facts
        What the query is set to do.
    name
        What the findings are about, such as ``Query counts``.
    """
    if facts.clock:
        yield replace(_CLOCKS[facts.clock], about=name)
    if facts.grid is not None and not _fits(facts.grid, facts.zone):
        yield Finding(
            name,
            f"The windows of {interval_words(_ms(facts.grid.length))} follow the clock of UTC, and "
            f"they are shown on the clock of {facts.zone}.",
            'Keep to one clock, spark.conf.set("spark.sql.session.timeZone", "UTC"), or move the '
            "windows with the fourth argument of window(…), such as "
            'window("ts", "1 day", "1 day", "5 hours").',
            "The windows lie on a grid that begins at midnight UTC. "
            "The session's time zone changes only how their times are shown.",
            id="M19",
            lesson="08",
            heading="Whose day is it?",
        )


def _fits(windows: Windows, zone: str) -> bool:
    """Whether the grid of the windows begins at midnight of a zone, in summer or in winter."""
    try:
        offsets = [day.replace(tzinfo=ZoneInfo(zone)).utcoffset() for day in _DAYS]
    except (KeyError, ValueError, OSError):  # a zone that Spark knows and Python does not
        return True
    nothing = timedelta(0)
    return any(((at or nothing) + windows.offset) % windows.slide == nothing for at in offsets)


def _ms(length: timedelta) -> int:
    return length // timedelta(milliseconds=1)
