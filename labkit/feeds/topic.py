"""A Kafka topic that events are sent to: keyed, acknowledged by the broker, each exactly once."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.errors import KafkaError, KafkaTimeoutError, UnknownTopicOrPartitionError

from labkit.errors import Conflict, InvalidArgument, NotFound, Unreachable, require_int
from labkit.events.stream import Event, EventStream
from labkit.feeds.encode import iso_text, json_text
from labkit.feeds.kafka_clients import (
    ANSWER_MS,
    connect_producer,
    no_such_topic,
    open_admin,
    require_servers,
    topic_names,
    unreachable,
)
from labkit.feeds.registry import close_feeds_into
from labkit.feeds.target import StoredRun
from labkit.waiting import wait_until

KeyOf = Callable[[Event], bytes | None]

MAX_PARTITIONS = 1000
_NAME = re.compile(r"(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}")

# The topics that this kernel has made, by Kafka's own id for them: a topic of the same name that
# somebody deleted and made again is not ours.
_made_here: set[UUID] = set()


class KafkaTopic:
    """A topic as the target of feeds; ``kafka.topic("orders")`` makes it.

    Parameters
    ----------
    bootstrap_servers
        ``host:port``, several separated by commas.
    name
        Letters, digits, ``.``, ``_`` and ``-``.
    partitions
        How many; 1 to 1000. A topic of this kernel can grow but not shrink.
    create
        True: a new, empty topic. One that this kernel made before is emptied (not deleted: that
        would end the queries that read it). False: write to a topic that is there, untouched;
        ``partitions`` plays no part.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` or ``OUT_OF_RANGE``.
    Unreachable
        ``UNREACHABLE``, within 5 s (real clock).
    Conflict
        ``NAME_TAKEN``: the topic is there and this kernel did not make it; it is left alone.
    NotFound
        ``NOT_FOUND``: no such topic, and ``create=False``.

    Notes
    -----
    **Records**: the value is one JSON object; the key is the event's own, or a column of it;
    equal keys go to one partition, in order. The header ``number`` counts the events of a feed
    from 1, the header ``run`` tells feeds to the same topic apart. The timestamp is the
    producer's clock (Kafka's ``CreateTime``), not event time.

    **Ports, threads**: one connection and one thread of kafka-python's, from the first step until
    :meth:`close`.

    Examples
    --------
    >>> orders = KafkaTopic("127.0.0.1:9092", "orders", partitions=2)  # doctest: +SKIP
    """

    kind = "topic"

    def __init__(
        self, bootstrap_servers: str, name: str, *, partitions: int = 1, create: bool = True
    ) -> None:
        self.bootstrap_servers = require_servers(bootstrap_servers)
        self.name = _require_name(name)
        require_int("partitions", partitions, low=1, high=MAX_PARTITIONS)
        self._producer: KafkaProducer | None = None
        self._lock = threading.Lock()
        self._runs = 0
        with open_admin(self.bootstrap_servers) as admin:
            if create:
                self._make(admin, partitions)
            there = self._require_there(admin)
        self.partitions, self.id = len(there["partitions"]), str(there["topic_id"])

    def __repr__(self) -> str:
        return f"<topic {self.name!r}>"

    @property
    def topic(self) -> str:
        """The topic's name."""
        return self.name

    @property
    def place(self) -> str:
        """Servers and name; see :class:`labkit.feeds.target.Target`."""
        return f"{self.bootstrap_servers}/{self.name}"

    def run(self, events: EventStream, *, key: str | None = None) -> TopicRun:
        """Begin a run; see :class:`labkit.feeds.target.Target`."""
        del events  # JSON objects hold every schema
        self._runs += 1
        return TopicRun(self, self._runs, _key_of(key))

    def producer(self) -> KafkaProducer:
        """Return the one producer of this topic; it connects when it is first needed.

        Raises
        ------
        Unreachable
            ``UNREACHABLE``.
        """
        with self._lock:
            if self._producer is None:
                self._producer = connect_producer(self.bootstrap_servers)
            return self._producer

    def explain(self, error: BaseException) -> Unreachable | NotFound:
        """Return what a failed send means: the broker is gone, or the topic is."""
        try:
            with open_admin(self.bootstrap_servers) as admin:
                self._require_there(admin)
        except (NotFound, Unreachable) as found:
            return found
        return unreachable(self.bootstrap_servers, error)

    def close(self) -> None:
        """Close the connection; safe to call twice."""
        with self._lock:
            producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            producer.close(timeout=0.5)
        except KafkaError:
            # Records for a broker that is gone; close() then leaves its thread running.
            producer._sender.force_close()  # noqa: SLF001 (there is no public way)

    def delete(self) -> None:
        """Remove the topic and its rows from the broker; safe to call twice.

        Raises
        ------
        Conflict
            ``NOT_OURS``: this kernel did not make the topic; it is left alone.
        NotReady
            ``NOT_READY``: 10 s later (real clock) it is still there.
        Unreachable
            ``UNREACHABLE``: the broker does not answer.
        """
        with open_admin(self.bootstrap_servers) as admin:
            found = _describe(admin, self.name)
            if found is None:
                return
            if found["topic_id"] not in _made_here:
                what, cure = f"The topic {self.name!r}", "Ask whoever made it."
                raise Conflict("NOT_OURS", what=what, verb="deleted", reason="", cure=cure)
            close_feeds_into(self.place)
            self.close()
            admin.delete_topics([self.name])
            # The broker hears of it from its controller a little later.
            gone = f"The topic {self.name!r} is still there"
            wait_until(lambda: _describe(admin, self.name) is None, what=gone, timeout_s=10)

    def _make(self, admin: KafkaAdminClient, partitions: int) -> None:
        found = _describe(admin, self.name)
        if found is None:
            options = {"num_partitions": partitions}
            admin.create_topics({self.name: options}, wait_for_metadata=True)
            _made_here.add(self._require_there(admin)["topic_id"])
            return
        there = len(found["partitions"])
        if found["topic_id"] not in _made_here:
            raise self._taken("This kernel did not make it, so it is left alone.")
        if there > partitions:
            raise self._taken(f"It has {there} partitions; Kafka cannot take any away.")
        close_feeds_into(self.place)
        if there < partitions:
            admin.create_partitions({self.name: partitions})
        _empty(admin, self.name, there)

    def _taken(self, reason: str) -> Conflict:
        cure = "Use another name, or KafkaTopic(..., create=False) to add to it as it is."
        return Conflict("NAME_TAKEN", kind="The topic", name=self.name, reason=reason, cure=cure)

    def _require_there(self, admin: KafkaAdminClient) -> dict[str, Any]:
        found = _describe(admin, self.name)
        if found is not None:
            return found
        raise no_such_topic(self.name, topic_names(admin))


class TopicRun(StoredRun):
    """One feed's records in a topic; see :class:`labkit.feeds.target.Run`.

    Records that are under way when an error (or an interrupt) comes are remembered: writing the
    same events again waits for them, and sends only what has failed for good.
    """

    def __init__(self, topic: KafkaTopic, number: int, key_of: KeyOf) -> None:
        self._topic = topic
        self._header = ("run", b"%d" % number)
        self._key_of = key_of
        self._confirmed = 0
        self._under_way: list[Any] = []  # kafka-python's futures of the events being written

    def write(self, items: Sequence[Event], *, timeout_s: float) -> None:
        """Send the events, and return when the broker has acknowledged all of them.

        Raises
        ------
        Unreachable
            ``UNREACHABLE``: for ``timeout_s`` the broker confirmed nothing (a long step may take
            longer than that); the next call goes on from here.
        NotFound
            ``NOT_FOUND``: somebody deleted the topic.
        """
        try:
            self._send(items)
            self._flush(timeout_s)
            self._require_confirmed()
        except KafkaError as error:
            raise self._topic.explain(error) from error
        self._confirmed += len(items)
        self._under_way = []

    def _send(self, items: Sequence[Event]) -> None:
        send, futures = self._topic.producer().send, self._under_way
        for at, event in enumerate(items):
            if at < len(futures) and not futures[at].failed():
                continue
            headers = [("number", b"%d" % (self._confirmed + at + 1)), self._header]
            value = json_text(event).encode()
            future = send(self._topic.name, value, self._key_of(event), headers)
            futures[at : at + 1] = [future]

    def _flush(self, timeout_s: float) -> None:
        """Return when nothing is open; raise when nothing was confirmed for ``timeout_s``."""
        still_open = len(self._under_way)
        while True:
            try:
                return self._topic.producer().flush(timeout_s)  # type: ignore[no-any-return]
            except KafkaTimeoutError:
                before = still_open
                still_open = sum(not future.is_done for future in self._under_way)
                if still_open >= before:
                    raise

    def _require_confirmed(self) -> None:
        failed = [future for future in self._under_way if future.failed()]
        if failed:
            # An idempotent producer that gave up on a record cannot go on; a new one can.
            self._topic.close()
            raise failed[0].exception


def _key_of(column: str | None) -> KeyOf:
    if column is None:
        return lambda event: event.key.encode()

    def key(event: Event) -> bytes | None:
        value = event.value[column]
        if value is None:
            return None
        return (iso_text(value) if hasattr(value, "astimezone") else str(value)).encode()

    return key


def _describe(admin: KafkaAdminClient, name: str) -> dict[str, Any] | None:
    found: dict[str, Any] = admin.describe_topics([name])[0]
    if found["error_code"] == UnknownTopicOrPartitionError.errno:
        return None
    return found


def _empty(admin: KafkaAdminClient, name: str, partitions: int) -> None:
    everything = -1  # Kafka's word for "up to the end"
    ends = {TopicPartition(name, partition): everything for partition in range(partitions)}
    admin.delete_records(ends, timeout_ms=ANSWER_MS)


def _require_name(value: Any) -> str:
    if isinstance(value, str) and _NAME.fullmatch(value):
        return value
    bound = "1 to 249 letters, digits, '.', '_' and '-', and not '.' or '..'"
    raise InvalidArgument("OUT_OF_RANGE", name="topic", value=value, bound=bound)
