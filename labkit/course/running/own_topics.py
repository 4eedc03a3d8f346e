"""Topics that belong to one check alone, and queries over them that come to an end."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from contextlib import suppress
from itertools import count
from typing import Any, Self

from labkit import scratch
from labkit.course.running.trouble import TookTooLong
from labkit.engine.session import spark
from labkit.errors import Conflict
from labkit.feeds.topic import KafkaTopic
from labkit.services.kafka import kafka

LIMIT_S = 30.0
NOT_THROUGH = (
    f"Your query had not read the topic to its end after **{LIMIT_S:g} seconds**. "
    "Look for a `trigger` or an option that holds it up."
)

# A record: key, value, and the partition (None: the key decides).
Record = tuple[str | None, str, int | None]


class OwnTopics:
    """New topics on the lab's broker; they and the checkpoints go away with the block.

    A topic that is there already, the learner's or somebody else's, is left alone: another name is
    taken. So the names do not belong into texts.

    Examples
    --------
    >>> with OwnTopics() as own:  # doctest: +SKIP
    ...     orders = own.topic("orders", [("anna", "5", None)])
    ...     own.rows_of(own.stream(orders))
    """

    def __init__(self) -> None:
        self._topics: list[KafkaTopic] = []
        self._folder = scratch.place("own_topics")
        self._checkpoints = count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for topic in self._topics:
            topic.delete()
        shutil.rmtree(self._folder, ignore_errors=True)

    def topic(self, word: str, records: Iterable[Record] = (), *, partitions: int = 1) -> str:
        """Make a topic that holds these records, and return its name."""
        topic = self._new(word, partitions)
        self._topics.append(topic)
        self.send(topic.name, records)
        return topic.name

    def send(self, name: str, records: Iterable[Record]) -> None:
        """Add records to a topic of this block."""
        topic = next(topic for topic in self._topics if topic.name == name)
        producer = topic.producer()
        for key, value, partition in records:
            producer.send(name, value.encode(), key and key.encode(), partition=partition)
        producer.flush(LIMIT_S)

    def empty(self, name: str) -> None:
        """Remove the records of a topic; its offsets go on from where they are."""
        kafka().topic(name, partitions=len(self._partitions(name)))

    def stream(self, *names: str, **options: Any) -> Any:
        """Return the stream of topics from their beginning."""
        reader = spark().readStream.format("kafka").options(**kafka().options(*names))
        return reader.options(**options).load()

    def folder(self) -> str:
        """Return a new folder for a checkpoint."""
        return str(self._folder / f"checkpoint-{next(self._checkpoints)}")

    def rows_of(self, stream: Any) -> list[dict[str, Any]]:
        """Return what a streaming DataFrame makes of all that is there."""
        name = "own_topics"
        writer = stream.writeStream.format("memory").queryName(name)
        try:
            self.drain(writer.option("checkpointLocation", self.folder()))
            return [row.asDict() for row in spark().table(name).collect()]
        finally:
            spark().catalog.dropTempView(name)

    def sent_by(self, writer: Any) -> list[dict[str, Any]]:
        """Return what a writer sends, from its own place, but into no sink of its own."""
        rows: list[dict[str, Any]] = []

        def keep(batch: Any, _: int) -> None:
            rows.extend(row.asDict() for row in batch.collect())

        self.drain(writer.foreachBatch(keep))
        return rows

    def drain(self, writer: Any) -> Any:
        """Run a writer until it has read all that is there, and return its query.

        Raises
        ------
        TookTooLong
            It had not come to the end in time.
        StreamingQueryException
            The query has failed.
        """
        query = writer.trigger(availableNow=True).start()
        if not query.awaitTermination(int(LIMIT_S)):
            query.stop()
            raise TookTooLong(NOT_THROUGH)
        return query

    def _new(self, word: str, partitions: int) -> KafkaTopic:
        there = kafka().topics()
        free = (name for number in count(1) if (name := f"check-{word}-{number}") not in there)
        for name in free:
            with suppress(Conflict):  # somebody has made it meanwhile
                return kafka().topic(name, partitions=partitions)
        raise AssertionError  # count has no end

    def _partitions(self, name: str) -> range:
        return range(next(topic.partitions for topic in self._topics if topic.name == name))
