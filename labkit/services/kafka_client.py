"""What a Kafka broker offers to a lesson: topics, options for Spark, and a look at the records.

kafka-python and pandas take 0.3 s and 0.5 s to import. They are imported where they are used, so
that this happens while the broker's Java process starts, not before.
"""

# ruff: noqa: PLC0415 - see above

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from labkit.errors import InvalidArgument, NotReady, require_int, require_number, require_type

if TYPE_CHECKING:
    import pandas as pd
    from kafka import KafkaAdminClient, KafkaConsumer

    from labkit.feeds.topic import KafkaTopic

ANSWER_WITHIN_S = 5.0
COLUMNS = ["partition", "offset", "key", "value", "timestamp", "headers"]


class KafkaClient(ABC):
    """A broker, seen from its clients; whoever started it."""

    #: What to do when it does not answer.
    cure_when_gone: str

    @property
    @abstractmethod
    def bootstrap_servers(self) -> str:
        """Where clients connect, as ``host:port``; several are separated by commas."""

    @property
    def address(self) -> str:
        """Where clients connect; the same as ``bootstrap_servers``."""
        return self.bootstrap_servers

    def topic(self, name: str, *, partitions: int = 1) -> KafkaTopic:
        """Return a new, empty topic as the target of a feed.

        One that this kernel made before is emptied; queries that read it go on.

        Parameters
        ----------
        name
            Letters, digits, ``.``, ``_`` and ``-``.
        partitions
            How many, 1 to 1000; a topic can grow but not shrink.

        Raises
        ------
        InvalidArgument
            ``WRONG_TYPE`` or ``OUT_OF_RANGE``: the name or the number of partitions.
        Conflict
            ``NAME_TAKEN``: somebody else made it, or it has more partitions; it is left alone.
        Unreachable
            ``UNREACHABLE``: the broker does not answer.

        Notes
        -----
        The broker writes down every half second (real clock) where a topic begins: after a
        ``kill`` within that time the rows from before are back.
        """
        from labkit.feeds.topic import KafkaTopic

        return KafkaTopic(self.bootstrap_servers, name, partitions=partitions)

    def topics(self) -> list[str]:
        """Return the names of the topics, sorted, without Kafka's own.

        Raises
        ------
        Unreachable
            ``UNREACHABLE``: the broker does not answer.
        """
        from labkit.feeds.kafka_clients import topic_names

        with self._admin() as admin:
            return topic_names(admin)

    def options(self, *topics: str) -> dict[str, str]:
        """Return options for ``spark.readStream.format("kafka").options(...)``.

        Parameters
        ----------
        topics
            One or more names. They must be there: a source never makes a topic, and a query on
            a missing one fails only seconds after it was started.

        Raises
        ------
        InvalidArgument
            No topic was given (``OUT_OF_RANGE``), or not its name (``WRONG_TYPE``).
        NotFound
            ``NOT_FOUND``, with the names of the topics that are there.
        Unreachable
            ``UNREACHABLE``: the broker does not answer.

        Examples
        --------
        >>> import labkit as lab
        >>> lines = (
        ...     spark.readStream.format("kafka").options(**lab.kafka().options("lines")).load()
        ... )  # doctest: +SKIP
        """
        if not topics:
            raise InvalidArgument(
                "OUT_OF_RANGE", name="topics", value=topics, bound="at least one name"
            )
        self._require_topics(topics)
        return {
            "kafka.bootstrap.servers": self.bootstrap_servers,
            "subscribe": ",".join(topics),
            "startingOffsets": "earliest",  # Spark's own default, latest, misses what is there
            # Spark waits for a fetch that began after the last batch; 500 ms is the default.
            "kafka.fetch.max.wait.ms": "10",
        }

    def records(
        self, topic: str, *, limit: int = 20, timeout_s: float = ANSWER_WITHIN_S
    ) -> pd.DataFrame:
        """Return the first records of a topic, in the order of their timestamps.

        Parameters
        ----------
        topic
            Its name.
        limit
            How many records at most, 1 to 100,000; of each partition the oldest are taken.
        timeout_s
            Seconds of the real clock that reading may take, more than 0 and at most 600.

        Returns
        -------
        pandas.DataFrame
            Columns partition, offset, key, value, timestamp (the record's, in UTC), headers (a
            list of pairs). Bytes that are UTF-8 text are shown as text.

        Raises
        ------
        InvalidArgument
            An argument is of another type or out of its bounds.
        NotFound
            ``NOT_FOUND``, with the names of the topics that are there.
        NotReady
            ``NOT_READY``: not everything could be read in time.
        Unreachable
            ``UNREACHABLE``: the broker does not answer.
        """
        require_int("limit", limit, low=1, high=100_000)
        require_number("timeout_s", timeout_s, low=0, high=600, low_is_allowed=False)
        self._require_topics((topic,))
        import pandas as pd

        from labkit.feeds.kafka_clients import open_consumer

        with open_consumer(self.bootstrap_servers, cure=self.cure_when_gone) as consumer:
            read = _read(consumer, topic, limit, timeout_s)
        rows = sorted((_row(record) for record in read), key=lambda row: (row[4], row[0], row[1]))
        return pd.DataFrame(rows[:limit], columns=COLUMNS)

    def require_answer(self, *, timeout_s: float = ANSWER_WITHIN_S) -> None:
        """Return when the broker answers Kafka's protocol.

        Raises
        ------
        Unreachable
            ``UNREACHABLE`` with the address, the reason and the cure, within ``timeout_s``
            seconds of the real clock.
        """
        with self._admin(timeout_s=timeout_s):
            return

    def _require_topics(self, topics: tuple[str, ...]) -> None:
        from labkit.feeds.kafka_clients import no_such_topic

        for topic in topics:
            require_type("topic", topic, str, expected="the name of a topic")
        there = self.topics()
        for topic in topics:
            if topic not in there:
                raise no_such_topic(topic, there)

    def _admin(
        self, *, timeout_s: float = ANSWER_WITHIN_S
    ) -> AbstractContextManager[KafkaAdminClient]:
        from labkit.feeds.kafka_clients import open_admin

        return open_admin(self.bootstrap_servers, timeout_s=timeout_s, cure=self.cure_when_gone)


def _read(consumer: KafkaConsumer, topic: str, limit: int, timeout_s: float) -> list[Any]:
    """Read the oldest ``limit`` records of each partition, as far as they are there now."""
    from kafka import TopicPartition

    deadline = time.monotonic() + timeout_s
    parts = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
    consumer.assign(parts)
    consumer.seek_to_beginning(*parts)
    first, last = consumer.beginning_offsets(parts), consumer.end_offsets(parts)
    records: list[Any] = []
    wanted = {part: min(last[part], first[part] + limit) for part in parts}
    while any(consumer.position(part) < wanted[part] for part in parts):
        if time.monotonic() > deadline:
            raise NotReady(
                "NOT_READY",
                what=f"The topic {topic!r} was not read to its end",
                timeout_s=timeout_s,
                reason=f"{len(records)} records came.",
                cure="Give a smaller limit=, or a longer timeout_s=.",
            )
        for part, batch in consumer.poll(timeout_ms=100).items():
            records += [record for record in batch if record.offset < wanted[part]]
    return records


def _row(record: Any) -> tuple[Any, ...]:
    import pandas as pd

    return (
        record.partition,
        record.offset,
        _text(record.key),
        _text(record.value),
        pd.Timestamp(record.timestamp, unit="ms", tz="UTC"),
        [(name, _text(value)) for name, value in record.headers],
    )


def _text(raw: bytes | None) -> str | bytes | None:
    try:
        return raw if raw is None else raw.decode()
    except UnicodeDecodeError:
        return raw
