"""Topics that a kernel has left on a broker that outlives it: a restarted notebook makes them anew.

Kafka does not know who made a topic, so a note in the scratch space says it: one for each name.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from labkit import scratch, settings
from labkit.feeds.kafka_clients import open_admin, topic_names
from labkit.feeds.topic import KafkaTopic
from labkit.waiting import wait_until

GONE_S = 10.0


def remember(topic: KafkaTopic) -> None:
    """Note that this kernel has made a topic."""
    note = _note(topic.place)
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(json.dumps({**scratch.owner(), "topic": topic.id}))


def remove_left_over(servers: str, name: str) -> None:
    """Remove a topic that a kernel of this machine made and did not live to remove.

    A topic of a living kernel, of another machine or of somebody without labkit stays.

    Parameters
    ----------
    servers
        ``host:port``, several separated by commas.
    name
        The topic's name.

    Raises
    ------
    NotReady
        ``NOT_READY``: 10 s later (real clock) it is still there.
    Unreachable
        ``UNREACHABLE``: the broker does not answer.
    """
    note = _note(f"{servers}/{name}")
    if not scratch.is_gone(note):
        return
    with open_admin(servers) as admin:
        if name in topic_names(admin) and KafkaTopic(servers, name, create=False).id == _id(note):
            admin.delete_topics([name])
            what = f"The topic {name!r} of a kernel that is gone is still there"
            wait_until(lambda: name not in topic_names(admin), what=what, timeout_s=GONE_S)
    note.unlink(missing_ok=True)


def _note(place: str) -> Path:
    return settings.home() / "topics" / f"{re.sub(r'[^a-zA-Z0-9._-]', '_', place)}.json"


def _id(note: Path) -> str:
    return str(json.loads(note.read_text())["topic"])
