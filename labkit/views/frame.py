"""A frame: what a view shows for one micro-batch, ready as HTML and as text."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any


@dataclass(frozen=True)
class Page:
    """One side of a frame; a view with several shows them as tabs.

    Parameters
    ----------
    name
        The words on the tab; empty when there is only one page.
    html
        The picture. Every value in it is escaped, and every ``id`` starts with the view's kind.
    """

    name: str
    html: str


@dataclass(frozen=True)
class Frame:
    """One picture of a view.

    Parameters
    ----------
    batch, first
        The micro-batch that it shows; ``first`` is smaller when several are shown together, and
        both are -1 before the first batch.
    title
        What is looked at, such as the query's name.
    facts
        A few facts behind the title, as plain text.
    sentence
        What happened, as plain text; screen readers get it too. The words up to the first colon
        are set in bold.
    pages
        The picture, from one or several sides.
    text
        The same for a terminal, a test or a saved notebook.
    """

    batch: int
    first: int
    title: str
    facts: str
    sentence: str
    pages: tuple[Page, ...]
    text: str

    @property
    def top(self) -> str:
        """The head line and the sentence as HTML."""
        start, colon, rest = self.sentence.partition(":")
        bold = f"<b>{escape(start + colon)}</b>{escape(rest)}" if colon else escape(start)
        return (
            f'<p class="lk-head"><b>{escape(self.title)}</b> {escape(self.facts)}</p>'
            f'<p class="lk-sentence">{bold}</p>'
        )

    @property
    def drawn(self) -> Frame:
        """The frame itself; see :class:`Undrawn`."""
        return self

    @property
    def still(self) -> str:
        """The frame as HTML without a script: the first page, the others folded."""
        first, *others = self.pages
        folded = "".join(
            f"<details><summary>{escape(page.name)}</summary>{page.html}</details>"
            for page in others
        )
        return f"{self.top}<div>{first.html}</div>{folded}"

    def as_message(self) -> dict[str, Any]:
        """Return what the browser needs of the frame."""
        return {
            "batch": self.batch,
            "first": self.first,
            "top": self.top,
            "alt": self.sentence,
            "pages": [{"name": page.name, "html": page.html} for page in self.pages],
            "text": self.text,
        }


class Undrawn:
    """A frame that costs much to draw: it is drawn when somebody first looks at it, and once.

    Parameters
    ----------
    batch, first
        As of a :class:`Frame`.
    draw
        Makes the frame; it may be called in any thread.
    """

    def __init__(self, batch: int, first: int, draw: Callable[[], Frame]) -> None:
        self.batch, self.first = batch, first
        self._frame: Frame | Callable[[], Frame] = draw
        self._lock = threading.Lock()

    @property
    def drawn(self) -> Frame:
        """The frame."""
        with self._lock:
            if not isinstance(self._frame, Frame):
                self._frame = self._frame()  # what it drew from may go
            return self._frame


AnyFrame = Frame | Undrawn


def batch_words(batch: int, first: int) -> str:
    """Name a frame's batch or batches.

    Examples
    --------
    >>> batch_words(9, 9), batch_words(9, 7)
    ('Batch 9', 'Batches 7–9 together')
    """
    return f"Batch {batch}" if first == batch else f"Batches {first}–{batch} together"


def waiting_frame(title: str, words: str) -> Frame:
    """Return the frame of a view that has nothing to show yet."""
    return Frame(-1, -1, title, "", words, (Page("", ""),), words)
