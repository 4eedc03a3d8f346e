"""A view: the frames of one query, shown live, kept for tests, left as a static copy."""

from __future__ import annotations

import threading
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from labkit.engine.batches import Batch, BatchReader
from labkit.errors import NotFound
from labkit.views.frame import Frame
from labkit.views.runner import Runner

if TYPE_CHECKING:  # the widget is made only where there is a page to show it
    from labkit.views.player import Player

M = TypeVar("M")

STATE_WORDS = {
    "running": "Query running",
    "stopped": "Query stopped",
    "failed": "Query failed",
    "closed": "View closed",
    "view failed": "View failed",
}
STYLE = (Path(__file__).parent / "view.css").read_text()


class View(Generic[M]):
    """The frames of one query.

    Parameters
    ----------
    kind
        What sort of view it is, for its name in text (``table``).
    reader
        The batches of the query.
    model, fold, render
        The view itself: what it knows before the first batch and its two pure functions.
    headless
        True: no widget, text only.

    Notes
    -----
    Refresh: at most 4 times a second, 60 frames kept. Threads: one, which ends with the query.
    """

    def __init__(
        self,
        kind: str,
        reader: BatchReader,
        model: M,
        *,
        fold: Callable[[M, Batch], M],
        render: Callable[[M], Frame],
        headless: bool,
    ) -> None:
        self._kind, self._render = kind, render
        self._headless = headless
        self._widget: Player | None = None
        self._display: Any = None
        self._latest = render(model)
        self._lock = threading.Lock()  # a frame must not slip in while the widget is made
        self._runner = Runner(reader, model, fold=fold, render=render, show=self._show)
        self._runner.start()

    def __repr__(self) -> str:
        return f"<live {self._kind} of query {self._runner.query.name!r}>"

    @property
    def query(self) -> Any:
        """The query that the view follows."""
        return self._runner.query

    @property
    def alive(self) -> bool:
        """Whether the view still follows its query."""
        return self._runner.alive

    @property
    def frames(self) -> list[Frame]:
        """The frames kept (the last 60), oldest first, after waiting for the newest batch."""
        self._runner.catch_up()
        return list(self._runner.frames)

    @property
    def model(self) -> M:
        """What the view knows now, after waiting for the newest batch."""
        self._runner.catch_up()
        return self._runner.model

    def to_text(self, batch: int | None = None) -> str:
        """Return one frame as text.

        Parameters
        ----------
        batch
            Spark's batch id; None: the newest.

        Raises
        ------
        NotFound
            There is no frame of that batch, or it is no longer kept.
        """
        frames = self.frames
        if batch is None:
            return frames[-1].text if frames else self._render(self._runner.model).text
        for frame in frames:
            if frame.first <= batch <= frame.batch:
                return frame.text
        kept = [f"Kept are batches {f.first} to {frames[-1].batch}." for f in frames[:1]]
        raise NotFound("NOT_FOUND", kind="frame of batch", name=batch, reason="".join(kept))

    def catch_up(self) -> None:
        """Wait until the newest batch in the sink has its frame."""
        self._runner.catch_up()

    def close(self) -> None:
        """Stop following the query; the query itself goes on. Safe to call twice."""
        self._runner.close()

    def _ipython_display_(self) -> None:
        from IPython.display import display  # noqa: PLC0415 - only in a notebook

        with self._lock:
            if not self._headless and self._widget is None:
                self._widget = self._player()
            self._display = display(self._bundle(), raw=True, display_id=True)

    def _player(self) -> Player:
        from labkit.views.player import Player  # noqa: PLC0415 - only in a notebook

        return Player(sent=self._message(list(self._runner.frames), self._runner.state))

    def _show(self, frames: list[Frame], state: str) -> None:
        """Take new frames from the runner's thread, the only one that touches the widget."""
        with self._lock:
            self._latest = frames[-1] if frames else self._latest
            if self._widget is not None:
                self._widget.sent = self._message(frames, state)
            if state != "running" and self._display is not None:
                self._display.update(self._bundle(), raw=True)

    def _message(self, frames: list[Frame], state: str) -> dict[str, Any]:
        # Never without a frame: a page that is loaded again draws what came last.
        sent = [frame.as_message() for frame in frames or [self._latest]]
        return {"frames": sent, "state": STATE_WORDS[state], "code": state}

    def _bundle(self) -> dict[str, Any]:
        """Return the output cell: the widget, and a static copy for readers without a kernel."""
        state = self._runner.state
        still = (
            f'<style>{STYLE}</style><section class="lk-view">'
            f'<p class="lk-state" data-state="{state}">{escape(STATE_WORDS[state])}</p>'
            f"<div>{self._latest.html}</div></section>"
        )
        bundle: dict[str, Any] = {"text/plain": repr(self), "text/html": still}
        if self._widget is not None:
            mime = "application/vnd.jupyter.widget-view+json"
            model_id = self._widget.model_id
            bundle[mime] = {"version_major": 2, "version_minor": 0, "model_id": model_id}
        return bundle
