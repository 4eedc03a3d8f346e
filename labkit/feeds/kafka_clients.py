"""kafka-python's clients as the feeds use them: quick to say that there is no broker."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import KafkaError

from labkit.errors import InvalidArgument, Unreachable, require_type

# All of connecting, asking and answering "no" stays below five seconds.
CONNECT_S = 1.5
ANSWER_MS = 3000
CURE = "Start the broker (lab.kafka(), or `labkit kafka` in a terminal), or correct the address."
_SERVER = re.compile(r"(\[[0-9a-fA-F:]+\]|[^\s:,/]+):(\d{1,5})")


def connect_producer(servers: str) -> KafkaProducer:
    """Return a producer that waits for all acknowledgements and never doubles a record.

    Raises
    ------
    Unreachable
        ``UNREACHABLE``, within 5 s (real clock).
    """
    _require_open_port(servers)
    try:
        return KafkaProducer(
            bootstrap_servers=servers.split(","),
            acks="all",
            enable_idempotence=True,
            allow_auto_create_topics=False,
            # A step ends with flush(), so waiting for fuller batches costs no time.
            linger_ms=20,
            batch_size=256 * 1024,
            request_timeout_ms=10_000,
            reconnect_backoff_max_ms=500,  # its 30 s would hold a feed up after a restart
            max_block_ms=ANSWER_MS,
            bootstrap_timeout_ms=ANSWER_MS,
            metrics_enabled=False,  # nobody reads them, and they cost time for each batch
        )
    except (KafkaError, OSError) as error:
        raise unreachable(servers, error) from error


class _Admin(KafkaAdminClient):  # type: ignore[misc] # kafka-python has no types
    """An admin client whose thread ends when it finds no broker; kafka-python's own goes on."""

    def __init__(self, servers: str) -> None:
        try:
            super().__init__(
                bootstrap_servers=servers.split(","),
                bootstrap_timeout_ms=ANSWER_MS,
                request_timeout_ms=ANSWER_MS,
            )
        except KafkaError:
            self._client.close()
            raise


@contextmanager
def open_admin(servers: str) -> Iterator[KafkaAdminClient]:
    """Lend an admin client, and close it.

    Raises
    ------
    Unreachable
        ``UNREACHABLE``, within 5 s (real clock); also when the broker goes away in the block.
    """
    _require_open_port(servers)
    try:
        with contextlib.closing(_Admin(servers)) as admin:
            yield admin
    except (KafkaError, OSError) as error:
        raise unreachable(servers, error) from error


def _require_open_port(servers: str) -> None:
    """Connect once, without Kafka's client: it would try a closed port again and again."""
    addresses = [server.rpartition(":") for server in servers.split(",")]
    limit_s = CONNECT_S / len(addresses)
    refusals: list[OSError] = []
    for host, _, port in addresses:
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=limit_s).close()
        except OSError as error:
            refusals.append(error)
        else:
            return
    raise unreachable(servers, refusals[-1])


def unreachable(servers: str, error: BaseException) -> Unreachable:
    """Return the error for a broker that does not answer, with the client's reason."""
    reason = f"{type(error).__name__}: {error}."
    return Unreachable(
        "UNREACHABLE", service="Kafka broker", address=servers, reason=reason, cure=CURE
    )


def require_servers(value: Any) -> str:
    """Return bootstrap servers without blanks, or say what is wrong with them.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` or ``OUT_OF_RANGE``.

    Examples
    --------
    >>> require_servers("127.0.0.1:9092, localhost:9093")
    '127.0.0.1:9092,localhost:9093'
    """
    require_type("bootstrap_servers", value, str, expected="text such as 127.0.0.1:9092")
    servers = [server.strip() for server in value.split(",")]
    matches = [_SERVER.fullmatch(server) for server in servers]
    if not all(match and 0 < int(match[2]) < 65536 for match in matches):
        bound = "host:port with a port from 1 to 65535; several are separated by commas"
        raise InvalidArgument("OUT_OF_RANGE", name="bootstrap_servers", value=value, bound=bound)
    return ",".join(servers)
