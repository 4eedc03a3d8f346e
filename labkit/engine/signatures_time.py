"""Event time and windows: times that are text or numbers, patterns, windows that cannot be."""

from __future__ import annotations

import re

from labkit.engine.causes import Facts
from labkit.engine.signature import Signature

_YEAR = re.compile(r"^ValueError: year -?\d+ is out of range", re.MULTILINE)
# Letters of a pattern for times, as Spark shows a name that is no column: `dd`.`MM`.`yyyy HH:mm`.
_PATTERN = re.compile(r"name `[^\n]*(yyyy|HH:mm)[^\n]*` cannot be resolved")
_TEXT_TIME = "Times that are text"


def _is_of_a_far_year(facts: Facts) -> bool:
    return facts.own is None and _YEAR.search(facts.said) is not None


def _is_a_pattern(facts: Facts) -> bool:
    return _PATTERN.search(facts.said) is not None


def _is_from_a_window(facts: Facts) -> bool:
    return '"window(' in facts.said or '"sessionwindow(' in facts.said


FAR_YEAR = Signature(
    id="M17",
    needs=_is_of_a_far_year,
    sentence="A time lies so many years ahead that Python cannot show it.",
    cure='Were these milliseconds? Then call timestamp_millis("ms"), not cast("timestamp").',
    reason="A cast takes a number for seconds since 1970. "
    "Milliseconds are a thousand times as many.",
    lesson="08",
    heading=_TEXT_TIME,
)
TABLE = (
    FAR_YEAR,
    Signature(
        id="M17",
        condition="DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
        needs=_is_from_a_window,
        sentence="A window is cut from timestamps, and this column is of another type.",
        cure='Make one first: timestamp_millis("ms") of a number, '
        'try_to_timestamp("at", lit("dd.MM.yyyy HH:mm")) of a text.',
        lesson="08",
        heading=_TEXT_TIME,
    ),
    Signature(
        id="M18",
        condition="UNRESOLVED_COLUMN",
        needs=_is_a_pattern,
        sentence="The pattern of the time was taken for the name of a column.",
        cure='Put it into lit: try_to_timestamp("at", lit("dd.MM.yyyy HH:mm")).',
        lesson="08",
        heading=_TEXT_TIME,
    ),
    Signature(
        id="M18",
        fragments=("[INVALID_DATETIME_PATTERN", "DATETIME_PATTERN_RECOGNITION]"),
        sentence="Spark cannot read this pattern of a time.",
        cure="Write it with the letters yyyy, MM, dd, HH, mm, ss and XXX, as in "
        'try_to_timestamp("at", lit("dd.MM.yyyy HH:mm")).',
        lesson="08",
        heading=_TEXT_TIME,
    ),
    Signature(
        id="M20",
        condition="DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
        fragments=("`window_duration`", "`slide_duration`"),
        sentence="A window, and its slide, must be longer than nothing.",
        cure='Write them as in window("ts", "10 minutes", "5 minutes").',
        lesson="08",
        heading="A row in three windows",
    ),
    Signature(
        id="M20",
        fragments=("`abs(start_time)`",),
        sentence="The fourth argument of window moves the grid by less than one slide.",
        cure='Write a smaller one, as in window("ts", "1 day", "1 day", "5 hours").',
        lesson="08",
        heading="Whose day is it?",
    ),
    Signature(
        id="M22",
        fragments=("Multiple time/session window expressions",),
        sentence="A query can group by one time window only.",
        cure="Start a second query with the other window(…), on the same stream.",
        lesson="08",
        heading="A row in three windows",
    ),
)
