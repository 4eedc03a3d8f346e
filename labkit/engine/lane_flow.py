"""Which batches of one DStream go into a batch of another, as Spark itself has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Flow:
    """Which batches of one DStream go into a batch of another.

    Parameters
    ----------
    batch_ms
        Length of the context's batches.
    given_every_ms, made_every_ms
        How often each of the two has a batch.
    window_ms
        How far back a batch reaches; None when it takes its own batch only.
    keeps_state
        Whether all earlier batches count too (``updateStateByKey``).
    """

    batch_ms: int
    given_every_ms: int
    made_every_ms: int
    window_ms: int | None = None
    keeps_state: bool = False


def flow_between(given: Any, made: Any, java: Any) -> Flow:
    """Read from Spark's own DStreams how batches of ``made`` come from those of ``given``."""
    own = _ancestors(given)
    between = [node for node in _ancestors(made) if node not in own]
    kinds = [_kind(node) for node in between]
    return Flow(
        batch_ms=java.graph().batchDuration().milliseconds(),
        given_every_ms=given.slideDuration().milliseconds(),
        made_every_ms=made.slideDuration().milliseconds(),
        window_ms=_reach_ms(made, own) if any("Windowed" in kind for kind in kinds) else None,
        keeps_state=any("StateDStream" in kind for kind in kinds),
    )


def _reach_ms(node: Any, own: list[Any]) -> int:
    """Return how far back a batch of a DStream reaches into those that are given."""
    if node in own:
        return int(node.slideDuration().milliseconds())
    parents = _parents(node)
    behind = max((_reach_ms(parent, own) for parent in parents), default=0)
    if "Windowed" in _kind(node):
        behind += node.windowDuration().milliseconds() - parents[0].slideDuration().milliseconds()
    return int(behind)


def _ancestors(node: Any) -> list[Any]:
    return [node, *(found for parent in _parents(node) for found in _ancestors(parent))]


def _parents(node: Any) -> list[Any]:
    found = node.dependencies()
    return [found.apply(i) for i in range(found.size())]


def _kind(node: Any) -> str:
    return str(node.getClass().getSimpleName())
