"""The rules of event time as Spark keeps them: lengths, windows, and times in words.

All times are epoch milliseconds of event time, since reports and taps give them so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from labkit.errors import InvalidArgument, require_type

UNITS_MS = {
    "year": 31_557_600_000,
    "day": 86_400_000,
    "hour": 3_600_000,
    "minute": 60_000,
    "second": 1_000,
    "millisecond": 1,
}
# A month has no fixed length, so Spark refuses months and years for windows.
_GIVEN_MS = {"week": 7 * UNITS_MS["day"], **UNITS_MS}
del _GIVEN_MS["year"]
_PART = re.compile(r"(\d+(?:\.\d+)?) *([a-z]+?)s?(?: +|$)")
_INSTANT = re.compile(r"([+-]?\d+)-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,3})\d*)?Z")
# The calendar repeats after 400 years; Python's ends with the year 9999, Spark's does not.
_CYCLE_DAYS = 146_097

Window = tuple[int, int]


@dataclass(frozen=True)
class Windows:
    """Which windows a row belongs to.

    Parameters
    ----------
    kind
        ``tumbling``, ``sliding``, ``session``, or ``none`` for a test by row (dropDuplicates).
    size_ms
        Length of a window; of a session its gap; 0 for ``none``.
    slide_ms
        From one start to the next.
    """

    kind: str
    size_ms: int = 0
    slide_ms: int = 0

    def of(self, at_ms: int) -> list[Window]:
        """Return the windows of a row, oldest first: the start is inside, the end is not.

        Of a session it is the part that this row alone makes; by row the "window" ends with it.

        Examples
        --------
        >>> Windows("sliding", 10, 5).of(12)
        [(5, 15), (10, 20)]
        """
        if self.kind in {"session", "none"}:
            return [(at_ms, at_ms + self.size_ms)]
        last = at_ms - at_ms % self.slide_ms
        starts = range(last, at_ms - self.size_ms, -self.slide_ms)
        return [(start, start + self.size_ms) for start in reversed(starts)]

    @property
    def words(self) -> str:
        """The windows in a few words."""
        size = interval_words(self.size_ms)
        match self.kind:
            case "session":
                return f"sessions with a gap of {size}"
            case "none":
                return "late by row"
            case "sliding":
                return f"windows of {size} every {interval_words(self.slide_ms)}"
        return f"windows of {size}"


def windows(window: str | None, slide: str | None, gap: str | None) -> Windows:
    """Return the windows that the arguments of ``timeline`` describe.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` or ``OUT_OF_RANGE``.
    """
    if gap is not None:
        if slide is not None:
            raise InvalidArgument("OUT_OF_RANGE", name="slide", value=slide, bound="None with gap")
        return Windows("session", interval_ms("gap", gap))
    if window is None:
        if slide is not None:
            bound = "None when there is no window"
            raise InvalidArgument("OUT_OF_RANGE", name="slide", value=slide, bound=bound)
        return Windows("none")
    size = interval_ms("window", window)
    step = interval_ms("slide", slide) if slide is not None else size
    if step > size:
        bound = f"at most the window, {window}: rows between two windows would be lost"
        raise InvalidArgument("OUT_OF_RANGE", name="slide", value=slide, bound=bound)
    return Windows("tumbling" if step == size else "sliding", size, step)


def interval_ms(name: str, text: str) -> int:
    """Read a length of time as Spark writes it, in milliseconds.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` or ``OUT_OF_RANGE``.

    Examples
    --------
    >>> interval_ms("window", "1 hour 30 minutes")
    5400000
    """
    require_type(name, text, str, expected="a length such as '5 minutes'")
    words = text.strip().lower().removeprefix("interval ")
    parts = _PART.findall(words)
    is_whole = "".join(m.group() for m in _PART.finditer(words)) == words
    if not parts or not is_whole or any(unit not in _GIVEN_MS for _, unit in parts):
        bound = "a length such as '5 minutes' or '90 seconds' (not months: they differ)"
        raise InvalidArgument("OUT_OF_RANGE", name=name, value=text, bound=bound)
    length = round(sum(float(number) * _GIVEN_MS[unit] for number, unit in parts))
    if length <= 0:
        raise InvalidArgument("OUT_OF_RANGE", name=name, value=text, bound="longer than 0")
    return length


def interval_words(length_ms: int) -> str:
    """Write a length of time with its one or two largest units.

    Examples
    --------
    >>> interval_words(60_000), interval_words(5_400_000)
    ('1 minute', '1 hour 30 minutes')
    """
    parts: list[str] = []
    for unit, size in UNITS_MS.items():
        if unit == "year" and length_ms > size:
            length_ms = round(length_ms / size) * size  # of 75 years nobody misses the days
        number, length_ms = divmod(length_ms, size)
        if number:
            parts.append(f"{number:,} {unit}" + ("" if number == 1 else "s"))
    return " ".join(parts[:2]) or "0 seconds"


def ms_of(text: str | None) -> int | None:
    """Read an instant of a report in epoch milliseconds; also one after the year 9999.

    Examples
    --------
    >>> ms_of("1970-01-01T00:01:00.500Z"), ms_of("+55970-01-01T00:00:00Z") > 10**15
    (60500, True)
    """
    found = _INSTANT.fullmatch(text or "")
    if not found:
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    cycles = (year - 2000) // 400
    days = date(year - cycles * 400, month, day).toordinal() - date(1970, 1, 1).toordinal()
    seconds = ((days + cycles * _CYCLE_DAYS) * 24 + hour) * 3600 + minute * 60 + second
    return seconds * 1000 + int((found.group(7) or "0").ljust(3, "0"))


def local(at_ms: int, zone: str) -> tuple[int, datetime]:
    """Return an instant as years to add (0 up to the year 9999) and a time in a zone."""
    cycle_ms = _CYCLE_DAYS * UNITS_MS["day"]
    cycles = 0 if abs(at_ms) < 4 * cycle_ms else at_ms // cycle_ms
    start = datetime(1970, 1, 1, tzinfo=UTC)
    moment = start + timedelta(milliseconds=at_ms - cycles * cycle_ms)
    return cycles * 400, moment.astimezone(ZoneInfo(zone))


def clock(at_ms: int, zone: str) -> str:
    """Write the time of day, as short as it is exact.

    Examples
    --------
    >>> clock(36_000_000, "UTC"), clock(36_090_000, "UTC")
    ('10:00', '10:01:30')
    """
    _, moment = local(at_ms, zone)
    if moment.microsecond:
        return f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"
    return f"{moment:%H:%M:%S}" if moment.second else f"{moment:%H:%M}"


def day(at_ms: int, zone: str) -> str:
    """Write the date.

    Examples
    --------
    >>> day(0, "UTC")
    '1 Jan 1970'
    """
    years, moment = local(at_ms, zone)
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    return f"{moment.day} {months[moment.month - 1]} {moment.year + years}"
