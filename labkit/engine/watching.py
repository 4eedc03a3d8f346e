"""What a view can follow: something that has a name, a state, and items in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from labkit.engine.batches import BatchReader
from labkit.engine.failure import failure_of
from labkit.engine.last_error import open_session
from labkit.engine.listener import Inbox, News, has_failed, subscribe, unsubscribe
from labkit.engine.progress import Progress, from_json
from labkit.engine.spark_end import end_of

RUNNING, WAITING, STOPPED, FAILED = "running", "waiting", "stopped", "failed"
WORDS = {
    RUNNING: "Query running",
    WAITING: "Waiting for data",
    STOPPED: "Query stopped",
    FAILED: "Query failed",
}


@dataclass(frozen=True)
class State:
    """How the followed thing stands.

    Parameters
    ----------
    code
        ``running``, ``waiting``, ``stopped``, ``failed`` or ``closed`` (nobody follows any more).
    words
        The same for people.
    failure
        Cause and cure when it has failed; else empty.
    """

    code: str
    words: str
    failure: str = ""


# Its queries still say that they are active.
SPARK_STOPPED = State(STOPPED, "Spark has stopped")


class Numbered(Protocol):
    """An item of a reader: it knows which batch it is of."""

    @property
    def number(self) -> int:
        """The batch id."""


Item_co = TypeVar("Item_co", bound=Numbered, covariant=True)


class Reader(Protocol[Item_co]):
    """Gives a view its items; a query's batches, its progress, or a pair of DStreams."""

    @property
    def name(self) -> str:
        """What is followed, for titles."""

    def open(self) -> Inbox:
        """Return a queue that gets the news from now on."""

    def close(self, inbox: Inbox) -> None:
        """Send no more news."""

    def latest(self) -> int:
        """Return the number of the newest item that there is; -1 before the first."""

    def backlog(self) -> Iterator[Item_co]:
        """Yield the items that were there before anybody looked, and are not read yet."""

    def read(self, news: News) -> Iterator[Item_co]:
        """Yield the items that some news brings."""

    def state(self) -> State:
        """Return how the followed thing stands now."""

    def stop(self) -> None:
        """Stop the followed thing itself."""


class QueryReader:
    """The part of a reader that is the same for everything that follows one query.

    Parameters
    ----------
    query
        A ``StreamingQuery`` of PySpark.
    """

    def __init__(self, query: Any) -> None:
        self.query = query
        # Asked once: later calls cost a way to Java, which may even be gone.
        self._name: str = query.name or "query"
        self._end = end_of()

    @property
    def name(self) -> str:
        """The query's name."""
        return self._name

    @property
    def is_spark_gone(self) -> bool:
        """Whether Spark was told to stop, so that no batch can be read any more."""
        return self._end.has_begun

    def open(self) -> Inbox:
        """Return a queue that gets the query's news from now on."""
        return subscribe(self.query)

    def close(self, inbox: Inbox) -> None:
        """Send no more news."""
        unsubscribe(inbox)

    def state(self) -> State:
        """Return how the query stands now."""
        return SPARK_STOPPED if self.is_spark_gone else query_state(self.query)

    def stop(self) -> None:
        """Stop the query."""
        self.query.stop()


class TableReader(QueryReader):
    """Follows the batches of a memory-sink query; see :class:`BatchReader`."""

    def __init__(self, query: Any) -> None:
        super().__init__(query)
        self.batches = BatchReader(query)

    def latest(self) -> int:
        """Return the newest batch in the sink; -1 when it can be read no more."""
        return -1 if self.is_spark_gone else self.batches.latest()

    def backlog(self) -> Iterator[Any]:
        """Yield the batches that are there and were not read yet."""
        return self.batches.backlog()

    def read(self, news: News) -> Iterator[Any]:
        """Yield the batch that a report is about."""
        if isinstance(news, Progress) and not self.is_spark_gone:
            yield from self.batches.read(news)


class ProgressReader(QueryReader):
    """Follows what Spark reports about a query's batches, whatever its sink is."""

    def __init__(self, query: Any) -> None:
        super().__init__(query)
        self._read = -1

    def latest(self) -> int:
        """Return the newest batch that Spark has reported; -1 when it can be asked no more."""
        if self.is_spark_gone:
            return -1
        return max((p.number for p in self._reports()), default=-1)

    def backlog(self) -> Iterator[Progress]:
        """Yield the reports that were there before anybody looked."""
        for report in self._reports():
            yield from self.read(report)

    def read(self, news: News) -> Iterator[Progress]:
        """Yield a report of a batch that ran, once."""
        if isinstance(news, Progress) and news.ran and news.number > self._read:
            self._read = news.number
            yield news

    def _reports(self) -> list[Progress]:
        reports = (from_json(report.json) for report in self.query.recentProgress)
        return [report for report in reports if report.ran]


def has_spark(query: Any) -> bool:
    """Whether the Spark of a query still runs, so that the query can be asked."""
    if open_session() is None:
        return False
    with suppress(Exception):  # a query of an earlier Java
        return not query._jsq.sparkSession().sparkContext().isStopped()
    return False


def query_state(query: Any) -> State:
    """Return how a query stands; Spark's own flag says whether it waits for data."""
    if not query.isActive:
        code = FAILED if has_failed(query) else STOPPED
        failure = failure_of(query) if code == FAILED else None
        return State(code, WORDS[code], failure.words if failure else "")
    return State(RUNNING, WORDS[RUNNING])
