"""Kafka: one real broker per kernel (KRaft, one node), or an outside one.

``lab.kafka()`` starts Kafka 4.3 from the jars that ``labkit fetch`` brought; with
``LABKIT_KAFKA=host:port`` the same object stands for a broker that somebody else runs.
"""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import ClassVar

import click

from labkit import settings
from labkit.errors import Conflict, Unreachable, require_int, require_type
from labkit.services import kafka_node
from labkit.services.base import Service, keep_one
from labkit.services.kafka_client import KafkaClient
from labkit.services.outside_kafka import VARIABLE, OutsideKafka

LOOK_EVERY_S = 0.5


class KafkaBroker(KafkaClient, Service):
    """A broker of our own on loopback: a new, empty cluster each time it is started.

    Parameters
    ----------
    port
        Where clients connect, 1,024 to 65,535; None: a free one is chosen.
    data
        A folder for the topics, which then outlive this process; None: they go with it.
    outside
        ``host:port`` for clients of another network, such as those outside a container; None:
        there is one address for all.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` or ``OUT_OF_RANGE``: ``port`` is no such number, ``outside`` no address.

    Notes
    -----
    **Ports, files, processes.** One Java process (about 160 MB resident), one port for clients
    (with ``outside`` a second one) and one on loopback for its own controller, one folder in the
    scratch space. All of it is gone after ``stop``, and when the kernel ends in any way; a folder
    given as ``data`` stays.

    Examples
    --------
    >>> with KafkaBroker() as kafka:  # doctest: +SKIP
    ...     kafka.topic("orders", partitions=2)
    ...     kafka.topics()
    ['orders']
    """

    title: ClassVar[str] = "Kafka broker"
    cure_when_gone = "Start it again with kafka.restart(), or get a new one with lab.kafka()."

    def __init__(
        self,
        *,
        port: int | None = None,
        data: str | Path | None = None,
        outside: str | None = None,
    ) -> None:
        super().__init__()
        self._outside = None if outside is None else _address("outside", outside)
        if data is not None:
            require_type("data", data, str | Path, expected="a folder's path")
        self._data = None if data is None else Path(data).expanduser().absolute()
        self._wanted_port = (
            None if port is None else require_int("port", port, low=1024, high=65_535)
        )
        self._port = port or 0

    @property
    def bootstrap_servers(self) -> str:
        """Where clients connect, as ``host:port``."""
        return f"{settings.host()}:{self._port}"

    def prepare(self, folder: Path) -> None:
        """Write the settings and an empty storage.

        Raises
        ------
        Conflict
            ``PORT_TAKEN``: the wanted port is in use.
        MissingNeed
            ``NEEDS``: there is no usable Java, or the broker's jars were not fetched.
        """
        self.command(folder)  # says what is missing before anything is made
        host, data = settings.host(), self._data or folder / "data"
        if self._wanted_port is not None and not kafka_node.is_free(host, self._wanted_port):
            raise Conflict("PORT_TAKEN", port=self._wanted_port, host=host)
        self._port = self._wanted_port or kafka_node.free_port(host)
        kafka_node.format_storage(data)
        (folder / "server.properties").write_text(
            kafka_node.properties(
                port=self._port,
                controller_port=kafka_node.free_port("127.0.0.1"),
                data=data,
                outside=self._outside,
            )
        )

    def command(self, folder: Path) -> list[str]:
        """Return the Java command."""
        return kafka_node.java_command(folder)

    def is_ready(self) -> bool:
        """Ask for the cluster's brokers: ours is listed once it may serve."""
        try:
            with self._admin(timeout_s=1) as admin:
                return bool(admin.describe_cluster()["brokers"])
        except Unreachable:
            return False

    def cure(self, log: str) -> str:
        """Return advice for the failures that are known."""
        if "OutOfMemory" in log or "Cannot allocate" in log:
            return "Free some memory: close other kernels."
        if "Address already in use" in log:
            return "Another program took the port meanwhile: start it again."
        return ""


def kafka() -> KafkaBroker | OutsideKafka:
    """Return this kernel's Kafka broker; it is started when it is first asked for.

    Asked again, it is the same; after ``stop`` a new, empty one is started. With
    ``LABKIT_KAFKA=host:port[,host:port…]`` it stands for that broker and nothing is started.

    Raises
    ------
    InvalidArgument
        ``OUT_OF_RANGE``: ``LABKIT_KAFKA`` is not of that form.
    MissingNeed
        ``NEEDS``: there is no usable Java, or the broker's jars were not fetched.
    NotReady
        ``SERVICE_FAILED``: the broker did not start; with the last lines of its log.
    Unreachable
        ``UNREACHABLE``: no broker answers at ``LABKIT_KAFKA`` within 5 s.

    Notes
    -----
    **Ports, files, processes.** See :class:`KafkaBroker`.

    Examples
    --------
    >>> import labkit as lab
    >>> kafka = lab.kafka()  # doctest: +SKIP
    >>> feed = lab.feed(lab.Orders(), to=kafka.topic("orders"), key="customer")  # doctest: +SKIP
    >>> feed.step()  # doctest: +SKIP
    >>> kafka.records("orders", limit=3)  # doctest: +SKIP
    """
    outside = settings.kafka()
    return _outside(outside).start() if outside else keep_one(KafkaBroker)


def run_in_terminal(
    port: int = 9092, *, data: str | None = None, outside: str | None = None
) -> None:
    """Run a broker until Ctrl-C, and say how to use it: ``labkit kafka``.

    Parameters
    ----------
    port, data, outside
        See :class:`KafkaBroker`.

    Raises
    ------
    Conflict
        ``PORT_TAKEN``; nothing was started.
    InvalidArgument
        ``WRONG_TYPE`` or ``OUT_OF_RANGE``.
    NotReady
        ``SERVICE_FAILED``: the broker did not start; with the last lines of its log.
    Unreachable
        ``UNREACHABLE``: the broker ended by itself.
    """
    broker = KafkaBroker(port=port, data=data, outside=outside)
    try:
        with broker:
            held = "It starts empty." if data is None else f"Its topics lie in {data}."
            click.echo(f"Kafka broker at {broker.address}, until Ctrl-C. {held}")
            click.echo(f"  In a notebook:  %env {VARIABLE}={broker.address}")
            click.echo(f"  In a shell:     labkit feed orders --to kafka://{broker.address}/orders")
            _wait_for_its_end(broker)
    except KeyboardInterrupt:
        click.echo("Kafka broker stopped.")


def _address(name: str, text: str) -> tuple[str, int]:
    from labkit.feeds.kafka_clients import require_servers  # noqa: PLC0415 - see outside_kafka

    host, port = require_servers(text, name=name).split(",")[0].rsplit(":", 1)
    return host, int(port)


def _wait_for_its_end(broker: KafkaBroker) -> None:
    while broker.alive:
        threading.Event().wait(LOOK_EVERY_S)
    raise Unreachable(
        "UNREACHABLE",
        service="Kafka broker",
        address=broker.address,
        reason=f"It ended by itself and wrote last:\n{broker.log_tail()}",
    )


@cache
def _outside(bootstrap_servers: str) -> OutsideKafka:
    return OutsideKafka(bootstrap_servers)
