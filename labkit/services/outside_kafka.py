"""A Kafka broker that somebody else runs: the same calls, and nothing is started or ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, Self

from labkit.errors import Conflict, Unreachable
from labkit.services.kafka_client import KafkaClient

if TYPE_CHECKING:
    from labkit.feeds.topic import KafkaTopic

VARIABLE = "LABKIT_KAFKA"


class OutsideKafka(KafkaClient):
    """A broker named by ``LABKIT_KAFKA``; nothing is started.

    Parameters
    ----------
    bootstrap_servers
        ``host:port``, several separated by commas.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` or ``OUT_OF_RANGE``: the text is not of that form.

    Notes
    -----
    ``kill``, ``restart`` and ``log_tail`` raise ``Conflict``, code ``NOT_OURS``; ``stop`` does
    nothing, so that a notebook runs with either kind of broker.

    Examples
    --------
    >>> OutsideKafka("broker:9092")
    Kafka broker (outside, named by LABKIT_KAFKA)
    """

    cure_when_gone = f"Start that broker, correct {VARIABLE}, or unset it: labkit starts its own."

    def __init__(self, bootstrap_servers: str) -> None:
        # It loads kafka-python, which the broker's own start should not wait for.
        from labkit.feeds.kafka_clients import require_servers  # noqa: PLC0415 - see above

        self._servers = require_servers(bootstrap_servers, name=VARIABLE)

    def __repr__(self) -> str:
        return f"Kafka broker (outside, named by {VARIABLE})"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def bootstrap_servers(self) -> str:
        """Where clients connect, as ``host:port``; several are separated by commas."""
        return self._servers

    @property
    def alive(self) -> bool:
        """Whether it answers now."""
        try:
            self.require_answer(timeout_s=1)
        except Unreachable:
            return False
        return True

    def topic(self, name: str, *, partitions: int = 1) -> KafkaTopic:
        """Return a topic as a feed's target; see :meth:`KafkaClient.topic`.

        A topic of this name that a kernel of this machine has left, because it was restarted or
        killed, is removed first: this broker outlives kernels.
        """
        from labkit.feeds import left_topics  # noqa: PLC0415 - it loads kafka-python

        left_topics.remove_left_over(self.bootstrap_servers, name)
        topic = super().topic(name, partitions=partitions)
        left_topics.remember(topic)
        return topic

    def start(self) -> Self:
        """Return when the broker answers; nothing is started.

        Raises
        ------
        Unreachable
            ``UNREACHABLE`` with address and cure, within 5 s.
        """
        self.require_answer()
        return self

    def stop(self) -> None:
        """Do nothing: the broker belongs to somebody else."""

    def kill(self) -> NoReturn:
        """Refuse: it belongs to somebody else."""
        raise _not_ours("killed")

    def restart(self) -> NoReturn:
        """Refuse: it belongs to somebody else."""
        raise _not_ours("restarted")

    def log_tail(self, lines: int = 20) -> NoReturn:
        """Refuse: its log is not here."""
        del lines
        raise _not_ours("asked for its log")


def _not_ours(verb: str) -> Conflict:
    return Conflict(
        "NOT_OURS",
        what="This Kafka broker",
        verb=verb,
        reason=f"{VARIABLE} names it, so it belongs to somebody else.",
        cure=f"Without {VARIABLE}, labkit starts a broker of its own.",
    )
