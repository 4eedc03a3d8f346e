"""The broker's class-data archive: Java's classes, read and checked once, at set-up.

With it the broker is ready in half the time. It fits one Java and one set of jars, and the name of
its file says which; a broker that finds none starts without.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import ClassVar

from labkit.services import kafka_node
from labkit.services.kafka import KafkaBroker
from labkit.waiting import patience

TOPIC = "rehearsal"


def is_built() -> bool:
    """Say whether there is an archive for this Java and these jars.

    Raises
    ------
    MissingNeed
        ``NEEDS``: there is no usable Java, or the broker's jars were not fetched.
    """
    return kafka_node.archive_path().is_file()


def build(*, force: bool = False) -> Path | None:
    """Build the archive beside the jars, unless it is there already.

    A broker is started, used once and stopped, with a bar: about 5 s and 50 MB of disk. Older
    archives are removed. Two builds at the same time do not disturb each other.

    Parameters
    ----------
    force
        Build it again even if it is there.

    Returns
    -------
    Path or None
        The archive; None when this Java cannot make one. The broker works without it, and is
        ready a second later.

    Raises
    ------
    MissingNeed
        ``NEEDS``: there is no usable Java, or the broker's jars were not fetched.
    NotReady
        ``SERVICE_FAILED``: the broker did not start; with the last lines of its log.

    Examples
    --------
    >>> build().suffix  # doctest: +SKIP
    '.jsa'
    """
    final = kafka_node.archive_path()
    if final.is_file() and not force:
        return final
    with (
        patience(what="Building the broker's class-data archive", expected_s=6),
        tempfile.TemporaryDirectory(dir=final.parent, prefix=".archive-") as folder,
    ):
        new = Path(folder) / final.name
        with _Rehearsal(new) as broker:
            _use(broker)
        if not new.is_file():
            return None
        new.replace(final)
    for old in final.parent.glob(f"{kafka_node.ARCHIVE_STEM}-*.jsa"):
        if old != final:
            old.unlink(missing_ok=True)
    return final


class _Rehearsal(KafkaBroker):
    """A broker whose Java writes down the classes that it used when it stops."""

    stop_within_s: ClassVar[float] = 120.0  # writing takes a while on a slow disk

    def __init__(self, archive: Path) -> None:
        super().__init__()
        self._archive = archive

    def command(self, folder: Path) -> list[str]:
        return kafka_node.java_command(folder, dump=self._archive)


def _use(broker: KafkaBroker) -> None:
    """Do what lessons do: make a topic, write a record, read it."""
    topic = broker.topic(TOPIC, partitions=2)
    topic.producer().send(TOPIC, b"a record").get(timeout=30)
    topic.close()
    broker.records(TOPIC)
