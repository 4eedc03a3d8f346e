"""What Spark reports about one micro-batch, as a plain value."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Progress:
    """The facts of one micro-batch.

    Parameters
    ----------
    number
        Spark's batch id, counted from 0.
    run_id
        Which run of which query it was.
    query
        The query's name; empty when it has none.
    input_rows
        Rows read from all sources.
    sent_rows
        Rows given to the sink; None when the sink does not count them.
    started_at
        When the batch started: processing time (the machine's clock), ISO text in UTC.
    phases_ms
        Milliseconds of processing time by phase (``addBatch``, ``queryPlanning`` …).
    watermark
        The watermark in force during this batch: event time, ISO text in UTC; None without one.
    state_rows, dropped_groups
        Sums over all stateful operators. ``dropped_groups`` counts late rows after they were
        combined, so seven late rows of one window may count as one.
    raw
        Everything that Spark reported, as parsed JSON.
    """

    number: int
    run_id: str
    query: str
    input_rows: int
    sent_rows: int | None
    started_at: str
    phases_ms: dict[str, int]
    watermark: str | None
    state_rows: int
    dropped_groups: int
    raw: dict[str, Any] = field(repr=False, hash=False, compare=False)

    @property
    def ran(self) -> bool:
        """Whether a batch ran; an idle query also reports now and then."""
        return "addBatch" in self.phases_ms


def from_json(text: str) -> Progress:
    """Read a progress report.

    Parameters
    ----------
    text
        ``StreamingQueryProgress.json``.

    Examples
    --------
    >>> progress = from_json('{"batchId": 3, "numInputRows": 15, "durationMs": {"addBatch": 7}}')
    >>> progress.number, progress.input_rows, progress.ran
    (3, 15, True)
    """
    raw = json.loads(text)
    operators = raw.get("stateOperators") or []
    sent = (raw.get("sink") or {}).get("numOutputRows", -1)
    return Progress(
        number=int(raw["batchId"]),
        run_id=raw.get("runId", ""),
        query=raw.get("name") or "",
        input_rows=int(raw.get("numInputRows", 0)),
        sent_rows=None if sent < 0 else int(sent),
        started_at=raw.get("timestamp", ""),
        phases_ms=dict(raw.get("durationMs") or {}),
        watermark=(raw.get("eventTime") or {}).get("watermark"),
        state_rows=sum(op.get("numRowsTotal", 0) for op in operators),
        dropped_groups=sum(op.get("numRowsDroppedByWatermark", 0) for op in operators),
        raw=raw,
    )
