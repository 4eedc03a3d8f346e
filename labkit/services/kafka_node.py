"""How a one-node Kafka cluster is laid out: settings, storage, and the Java command that runs it.

Kafka's own ``StorageTool format`` is a second Java process of 0.6 s. What it writes for one node
is two small files, so they are written here; a test compares the result with the tool's.
"""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import uuid
from pathlib import Path

from labkit import java, settings
from labkit.errors import Conflict
from labkit.jars import lock

HEAP_MIB = 160
ARCHIVE_STEM = "broker"
# Above the ports that services register, below those that systems lend to outgoing connections
# (Linux: from 32768): so a port is still free when a killed broker comes back to it.
PORTS = range(20_000, 32_000)

# Kafka 4.3.1's `bootstrap.checkpoint` as its StorageTool writes it: the feature levels of a new
# cluster (metadata.version 30, group.version 1, ...). It names no cluster and no node.
BOOTSTRAP_CHECKPOINT = """
AAAAAAAAAAAAAABHAAAAAAL//TZ0ACAAAAAAAAABofhshzQAAAGh+GyHNP//////////////////AAAAASoAAAAI
AAAAAxYAAAAAAAAAAAAAAAAAAAAAAAAAAQAAAPEAAAAAAuvP+SEAAAAAAAUAAAGh+GyHYAAAAaH4bIdg////////
//////////8AAAAGOgAAAAEuAQwAEW1ldGFkYXRhLnZlcnNpb24AHgAAWgAAAgFOAQwAIWVsaWdpYmxlLmxlYWRl
ci5yZXBsaWNhcy52ZXJzaW9uAAEAADQAAAQBKAEMAA5ncm91cC52ZXJzaW9uAAEAADQAAAYBKAEMAA5zaGFyZS52
ZXJzaW9uAAEAADgAAAgBLAEMABBzdHJlYW1zLnZlcnNpb24AAQAAQAAACgE0AQwAFHRyYW5zYWN0aW9uLnZlcnNp
b24AAgAAAAAAAAAAAAcAAAA/AAAAAAKDqMfhACAAAAAAAAABofhsh2EAAAGh+GyHYf//////////////////AAAA
ARoAAAAIAAAABAYAAAAA
"""

_given: set[int] = set()


def properties(
    *, port: int, controller_port: int, data: Path, outside: tuple[str, int] | None = None
) -> str:
    """Return ``server.properties`` for a broker and controller in one process.

    Parameters
    ----------
    port, controller_port
        Where clients connect, and where the broker finds its own controller.
    data
        The folder of the cluster's logs.
    outside
        Host and port under which clients of another network reach this broker, which then listens
        on that port of every address (a container's own: what is published is Docker's choice).
    """
    host = settings.host()
    listeners = {"PLAINTEXT": f"{host}:{port}"}
    bound = dict(listeners)
    if outside is not None:
        listeners["OUTSIDE"], bound["OUTSIDE"] = f"{outside[0]}:{outside[1]}", f":{outside[1]}"
    return "".join(
        f"{name}={value}\n"
        for name, value in {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
            "controller.listener.names": "CONTROLLER",
            "listeners": _joined(bound | {"CONTROLLER": f"127.0.0.1:{controller_port}"}),
            # A broker answers with these addresses: each network must get one that it can reach.
            "advertised.listeners": _joined(listeners),
            "listener.security.protocol.map": ",".join(
                f"{name}:PLAINTEXT" for name in ("CONTROLLER", *bound)
            ),
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": data,
            # A source never makes its topic, so a misspelt name should not make one either.
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            # The default of 50 partitions each is for clusters.
            "offsets.topic.num.partitions": 1,
            "transaction.state.log.num.partitions": 1,
            "share.coordinator.state.topic.num.partitions": 1,
            "group.initial.rebalance.delay.ms": 0,
            # The default, 128 MB, does not fit into the heap: the broker would end at once.
            "log.cleaner.dedupe.buffer.size": 8 * 2**20,
            # Records may carry event time; after seven days Kafka would take those of 2012 away.
            "log.retention.ms": -1,
            # After a kill -9 the node waits until its own old session has ended.
            "broker.session.timeout.ms": 2000,
            "broker.heartbeat.interval.ms": 500,
            # Else rows that a topic made anew has lost come back after a kill -9 (default 60 s).
            "log.flush.start.offset.checkpoint.interval.ms": 500,
            # ... and that begins only so long after a start (default 30 s).
            "log.initial.task.delay.ms": 500,
        }.items()
    )


def _joined(listeners: dict[str, str]) -> str:
    return ",".join(f"{name}://{address}" for name, address in listeners.items())


def format_storage(data: Path) -> None:
    """Make ``data`` the empty storage of a new cluster, as ``StorageTool format`` does.

    A folder that is a cluster's storage already stays as it is.
    """
    data.mkdir(parents=True, exist_ok=True)
    if (data / "meta.properties").exists():
        return
    (data / "meta.properties").write_text(
        f"version=1\ncluster.id={_kafka_uuid()}\nnode.id=1\ndirectory.id={_kafka_uuid()}\n"
    )
    (data / "bootstrap.checkpoint").write_bytes(base64.b64decode(BOOTSTRAP_CHECKPOINT))


def _kafka_uuid() -> str:
    text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    # A leading dash looks like an option to Kafka's tools.
    return text if text[0] != "-" else _kafka_uuid()


def java_command(folder: Path, *, dump: Path | None = None) -> list[str]:
    """Return the command that runs the broker configured in ``folder``.

    Parameters
    ----------
    folder
        Holds ``server.properties`` and takes the temporary files of the process.
    dump
        Where to write a class-data archive when the process ends; None: use the one that was
        built for this Java and these jars, if there is one.

    Raises
    ------
    MissingNeed
        ``NEEDS``: there is no usable Java, or the broker's jars were not fetched.
    """
    found, jars = java.require_java(), lock.class_path("broker")
    return [
        str(found.path),
        f"-Xmx{HEAP_MIB}m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:-UsePerfData",  # no file in /tmp that a killed process would leave there
        *_archive_options(_archive_for(found.version, jars), dump),
        f"-Djava.io.tmpdir={folder}",
        "-Djava.awt.headless=true",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
        # Some hundred lines of settings at every start would hide what happened before.
        "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn",
        "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaConfig=warn",
        "-cp",
        os.pathsep.join(map(str, jars)),
        "kafka.Kafka",
        str(folder / "server.properties"),
    ]


def archive_path() -> Path:
    """Return where the class-data archive for this Java and these jars belongs.

    Raises
    ------
    MissingNeed
        ``NEEDS``: there is no usable Java, or the broker's jars were not fetched.
    """
    return _archive_for(java.require_java().version, lock.class_path("broker"))


def _archive_for(version: str, jars: list[Path]) -> Path:
    facts = [version, *(f"{jar} {jar.stat().st_size}" for jar in jars)]
    digest = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:12]
    return settings.jars() / f"{ARCHIVE_STEM}-{digest}.jsa"


def _archive_options(archive: Path, dump: Path | None) -> list[str]:
    # Java itself refuses an archive that does not fit; it need not say so.
    quiet = ["-Xlog:cds=off", "-Xlog:cds+dynamic=off"]
    if dump is not None:
        return [f"-XX:ArchiveClassesAtExit={dump}", *quiet]
    return [f"-XX:SharedArchiveFile={archive}", *quiet] if archive.is_file() else []


def free_port(host: str) -> int:
    """Return a free port on ``host`` that this process was not given before.

    Kernels start their search at places of their own, so two that start together do not meet.

    Raises
    ------
    Conflict
        ``PORT_TAKEN``: all of :data:`PORTS` are in use.
    """
    first = os.getpid() * 8 % len(PORTS)
    port: int
    for port in (*PORTS[first:], *PORTS[:first]):
        if port not in _given and is_free(host, port):
            _given.add(port)
            return port
    raise Conflict("PORT_TAKEN", port=f"{PORTS[0]} to {PORTS[-1]}", host=host)


def is_free(host: str, port: int) -> bool:
    """Say whether a server could listen there now."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Java's servers do
        try:
            probe.bind(address)
        except OSError:
            return False
        return True
