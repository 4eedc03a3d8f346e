"""kafka-python's clients for feeds and services: quick to say that there is no broker."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError

from labkit.errors import InvalidArgument, LabkitError, NotFound, Unreachable, require_type

# Connecting, asking and answering "no" together stay below five seconds of the real clock.
ANSWER_S = 4.5
# What a client may take for one thing once it is connected.
ANSWER_MS = 3000
CURE = "Start the broker (lab.kafka(), or `labkit kafka` in a terminal), or correct the address."
_SERVER = re.compile(r"(\[[0-9a-fA-F:]+\]|[^\s:,/]+):(\d{1,5})", re.ASCII)


def connect_producer(servers: str) -> KafkaProducer:
    """Return a producer that waits for all acknowledgements and never doubles a record.

    Raises
    ------
    Unreachable
        ``UNREACHABLE``, within 5 s (real clock).
    """
    with _or_unreachable(servers, CURE):
        return _connect(
            KafkaProducer,
            servers,
            ANSWER_S,
            acks="all",
            enable_idempotence=True,
            allow_auto_create_topics=False,
            # A step ends with flush(), so waiting for fuller batches costs no time.
            linger_ms=20,
            batch_size=256 * 1024,
            request_timeout_ms=10_000,
            reconnect_backoff_max_ms=500,  # its 30 s would hold a feed up after a restart
            max_block_ms=ANSWER_MS,
            metrics_enabled=False,  # nobody reads them, and they cost time for each batch
        )


@contextmanager
def open_admin(
    servers: str, *, timeout_s: float = ANSWER_S, cure: str = CURE
) -> Iterator[KafkaAdminClient]:
    """Lend an admin client, and close it.

    Parameters
    ----------
    servers
        ``host:port``, several separated by commas.
    timeout_s
        How long connecting may take, in seconds of the real clock.
    cure
        What the reader can do when no broker answers.

    Raises
    ------
    Unreachable
        ``UNREACHABLE``, within ``timeout_s``; also when the broker goes away in the block.
    """
    limit_ms = min(ANSWER_MS, int(timeout_s * 1000))
    with _or_unreachable(servers, cure):
        admin = _connect(KafkaAdminClient, servers, timeout_s, request_timeout_ms=limit_ms)
        with closing(admin):
            yield admin


@contextmanager
def open_consumer(servers: str, *, cure: str = CURE) -> Iterator[KafkaConsumer]:
    """Lend a consumer that leaves no trace at the broker, and close it.

    Parameters
    ----------
    servers, cure
        As for :func:`open_admin`.

    Raises
    ------
    Unreachable
        ``UNREACHABLE``, within 5 s (real clock); also when the broker goes away in the block.
    """
    with _or_unreachable(servers, cure):
        consumer = _connect(
            KafkaConsumer,
            servers,
            ANSWER_S,
            group_id=None,  # a member of no group
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=50,
            request_timeout_ms=10_000,
        )
        with closing(consumer):
            yield consumer


def _connect(kind: Any, servers: str, timeout_s: float, **settings: Any) -> Any:
    """Make a client; if it finds no broker, end its thread, which kafka-python would leave."""
    deadline = time.monotonic() + timeout_s
    _require_open_port(servers, deadline)
    threads: list[Any] = []

    def remember(**options: Any) -> Any:
        threads.append(kind.DEFAULT_CONFIG["kafka_client"](**options))
        return threads[-1]

    try:
        return kind(
            bootstrap_servers=servers.split(","),
            bootstrap_timeout_ms=max(100, int((deadline - time.monotonic()) * 1000)),
            kafka_client=remember,
            **settings,
        )
    except BaseException:  # an interrupted cell, too, must not leave it
        for thread in threads:
            thread.close()
        raise


def _require_open_port(servers: str, deadline: float) -> None:
    """Connect once, without Kafka's client: it would try a closed port again and again."""
    addresses = [server.rpartition(":") for server in servers.split(",")]
    for left, (host, _, port) in zip(range(len(addresses), 0, -1), addresses, strict=True):
        limit_s = max(0.1, (deadline - time.monotonic()) / left)
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=limit_s).close()
        except OSError:
            if left == 1:
                raise
        else:
            return


@contextmanager
def _or_unreachable(servers: str, cure: str) -> Iterator[None]:
    try:
        yield
    except LabkitError:  # some of them are OSErrors as well
        raise
    except (KafkaError, OSError) as error:
        raise unreachable(servers, error, cure=cure) from error


def unreachable(servers: str, error: BaseException, *, cure: str = CURE) -> Unreachable:
    """Return the error for a broker that does not answer, with the client's reason."""
    reason = f"{type(error).__name__}: {error}."
    return Unreachable(
        "UNREACHABLE", service="Kafka broker", address=servers, reason=reason, cure=cure
    )


def topic_names(admin: KafkaAdminClient) -> list[str]:
    """Return the names of the topics, sorted, without Kafka's own."""
    return sorted(name for name in admin.list_topics() if not name.startswith("__"))


def no_such_topic(name: str, there: list[str]) -> NotFound:
    """Return the error for a topic that is not among those that are there."""
    return NotFound(
        "NOT_FOUND",
        kind="topic",
        name=name,
        reason=f"Topics here: {', '.join(there) or 'none'}.",
        cure=f"Make it with kafka.topic({name!r}).",
        there=there,
    )


def require_servers(value: Any, *, name: str = "bootstrap_servers") -> str:
    """Return bootstrap servers without blanks, or say what is wrong with them.

    Parameters
    ----------
    value
        What the caller gave.
    name
        The argument or variable that it was given as.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` or ``OUT_OF_RANGE``.

    Examples
    --------
    >>> require_servers("127.0.0.1:9092, localhost:9093")
    '127.0.0.1:9092,localhost:9093'
    """
    require_type(name, value, str, expected="text such as 127.0.0.1:9092")
    servers = [server.strip() for server in value.split(",")]
    matches = [_SERVER.fullmatch(server) for server in servers]
    if not all(match and 0 < int(match[2]) < 65536 for match in matches):
        bound = "host:port with a port from 1 to 65535; several are separated by commas"
        raise InvalidArgument("OUT_OF_RANGE", name=name, value=value, bound=bound)
    return ",".join(servers)
