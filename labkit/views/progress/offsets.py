"""Where a query reads: its source in words, and the offsets of Kafka's partitions."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from labkit.views.cells import cut


@dataclass(frozen=True)
class Partition:
    """How far one Kafka partition is read after a batch.

    Parameters
    ----------
    topic, number
        The partition.
    start, end
        The batch read the records from ``start`` up to, not including, ``end``; ``start`` is None
        in a query's first batch.
    latest
        Where the partition ended when the batch began.
    """

    topic: str
    number: int
    start: int | None
    end: int
    latest: int

    @property
    def lag(self) -> int:
        """Records that were there and are not read yet."""
        return max(0, self.latest - self.end)


def partitions_of(raw: dict[str, Any]) -> tuple[Partition, ...]:
    """Return the Kafka partitions in a progress report, by topic and number.

    Examples
    --------
    >>> source = {"endOffset": {"orders": {"0": 7}}, "latestOffset": {"orders": {"0": 9}}}
    >>> [found] = partitions_of({"sources": [{"description": "KafkaV2[orders]", **source}]})
    >>> found.number, found.end, found.lag
    (0, 7, 2)
    """
    found = []
    for source in raw.get("sources") or []:
        if not str(source.get("description", "")).startswith("Kafka"):
            continue
        ends, starts, latest = (_offsets(source, f"{k}Offset") for k in ("end", "start", "latest"))
        for place, end in ends.items():
            found.append(Partition(*place, starts.get(place), end, latest.get(place, end)))
    return tuple(sorted(found, key=lambda p: (p.topic, p.number)))


def _offsets(source: dict[str, Any], name: str) -> dict[tuple[str, int], int]:
    """Read offsets, which are nested in a report's JSON and text in PySpark's objects."""
    value = source.get(name)
    topics = json.loads(value) if isinstance(value, str) and value.startswith("{") else value
    if not isinstance(topics, dict):
        return {}
    return {
        (topic, int(number)): int(offset)
        for topic, offsets in topics.items()
        if isinstance(offsets, dict)
        for number, offset in offsets.items()
    }


_SOURCES = (
    (r"KafkaV2\[Subscribe(?:Pattern)?\[(.*)\]\]", "from Kafka topic {}"),
    (r"FileStreamSource\[(?:.*/)?([^/]+)/?\]", "from folder {}"),
    (r"RatePerMicroBatch|Rate", "from the rate source"),
    (r"TextSocket", "from a socket"),
)


def source_words(raw: dict[str, Any]) -> str:
    """Name a query's sources; nothing in it changes from run to run.

    Examples
    --------
    >>> source_words({"sources": [{"description": "FileStreamSource[file:/tmp/x1/orders]"}]})
    'from folder orders'
    """
    names = [_source_name(str(s.get("description", ""))) for s in raw.get("sources") or []]
    return " and ".join(dict.fromkeys(name for name in names if name))


def _source_name(description: str) -> str:
    for pattern, words in _SOURCES:
        found = re.match(pattern, description)
        if found:
            return words.format(*map(cut, found.groups()))
    return ""
