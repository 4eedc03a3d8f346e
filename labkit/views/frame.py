"""A frame: what a view shows for one micro-batch, ready as HTML and as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Frame:
    """One picture of a view.

    Parameters
    ----------
    batch, first
        The micro-batch that it shows; ``first`` is smaller when several are shown together.
    sentence
        What happened, in words; screen readers get it too.
    html
        The picture; every value in it is escaped.
    text
        The same for a terminal, a test or a saved notebook.
    """

    batch: int
    first: int
    sentence: str
    html: str
    text: str

    def as_message(self) -> dict[str, Any]:
        """Return what the browser needs of the frame."""
        return {"batch": self.batch, "first": self.first, "html": self.html, "alt": self.sentence}


def batch_words(batch: int, first: int) -> str:
    """Name a frame's batch or batches.

    Examples
    --------
    >>> batch_words(9, 9), batch_words(9, 7)
    ('Batch 9', 'Batches 7–9 together')
    """
    return f"Batch {batch}" if first == batch else f"Batches {first}–{batch} together"
