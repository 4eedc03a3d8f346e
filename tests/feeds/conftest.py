"""Small streams and stand-ins for queries: what the tests of the feeds have in common."""

from datetime import timedelta
from pathlib import Path

import pytest

from labkit.events.stream import START, Event, EventStream
from labkit.feeds.registry import stop_all_feeds


class Numbers(EventStream):
    """Numbered events, a second apart, in three keys."""

    name = "numbers"
    schema = "n bigint, event_time timestamp, who string"
    time = "event_time"

    def __init__(self, count=None):
        self.count = count

    def __iter__(self):
        n = 0
        while self.count is None or n < self.count:
            n += 1
            at = START + timedelta(seconds=n)
            yield Event(at, f"k{n % 3}", {"n": n, "event_time": at, "who": f"who {n}"})


class FakeQuery:
    """A query as far as a feed looks at one; ``work`` happens in processAllAvailable()."""

    def __init__(self, work=lambda: None, *, name="totals", failure=None):
        self.name = name
        self.isActive = failure is None
        self.lastProgress = None
        self.calls = 0
        self._work = work
        self._failure = failure

    def processAllAvailable(self):  # noqa: N802 (Spark's name)
        self.calls += 1
        self._work()

    def exception(self):
        return self._failure


def visible(place):
    """Return the names that Spark would see in a folder."""
    return sorted(path.name for path in Path(place.path).iterdir() if path.name[0] not in "._")


@pytest.fixture(name="visible")
def _visible():
    return visible


@pytest.fixture
def numbers():
    return Numbers


@pytest.fixture
def fake_query():
    return FakeQuery


@pytest.fixture(autouse=True)
def _feeds_end_with_their_test():
    yield
    stop_all_feeds()
