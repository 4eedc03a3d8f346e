"""A view: frames shown live, kept for tests, left as a static copy."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from labkit.engine.watching import FAILED, RUNNING, Reader, State
from labkit.errors import NotFound
from labkit.views import registry
from labkit.views.frame import AnyFrame, Frame, Undrawn
from labkit.views.runner import Runner

if TYPE_CHECKING:  # the widget is made only where there is a page to show it
    from labkit.feeds.delivery import Feed
    from labkit.views.player import Player

M = TypeVar("M")

STYLE = (Path(__file__).parent / "view.css").read_text()
# What the frames of one message take at most; a frame alone may take 40,000 bytes.
MESSAGE_BYTES = 40_000


class View(Generic[M]):
    """The frames of one query (or of two DStreams).

    Parameters
    ----------
    kind
        What sort of view it is, for its name in text (``table``).
    reader
        What it follows.
    model, fold, render
        The view itself: what it knows before the first batch and its two pure functions.
    note
        A third pure function, for views that draw how the query stands.
    feed
        A feed for the button "Next batch"; None: no such button.
    unit
        What one frame shows, for the words beside the slider: ``batch``, or ``step`` of the input.

    Notes
    -----
    Refresh: at most 4 times a second, 60 frames kept. Threads: one, which ends with the query.
    """

    def __init__(
        self,
        kind: str,
        reader: Reader[Any],
        model: M,
        *,
        fold: Callable[[M, Any], M],
        render: Callable[[M], AnyFrame],
        note: Callable[[M, State], M] | None = None,
        feed: Feed | None = None,
        unit: Literal["batch", "step"] = "batch",
    ) -> None:
        self._kind, self._render, self._feed, self._unit = kind, render, feed, unit
        self._headless = registry.is_headless()
        self._group = ""
        self._widget: Player | None = None
        self._display: Any = None
        self._latest = render(model)
        self._told: State | None = None
        self._lock = threading.Lock()  # a frame must not slip in while the widget is made
        self._runner = Runner(reader, model, fold=fold, render=render, note=note, show=self._show)
        self._runner.start()
        registry.remember(self)

    def __repr__(self) -> str:
        return f"<live {self._kind} of {self._runner.reader.name!r}>"

    @property
    def alive(self) -> bool:
        """Whether the view still follows its query."""
        return self._runner.alive

    @property
    def query(self) -> Any:
        """The query that the view follows; None when it follows something else."""
        return getattr(self._runner.reader, "query", None)

    @property
    def frames(self) -> list[Frame]:
        """The frames kept (the last 60), oldest first, after waiting for the newest batch."""
        return [frame.drawn for frame in self._kept()]

    def _kept(self) -> list[AnyFrame]:
        self._runner.catch_up()
        return list(self._runner.frames)

    @property
    def model(self) -> M:
        """What the view knows now, after waiting for the newest batch."""
        self._runner.catch_up()
        return self._runner.model

    @property
    def state(self) -> State:
        """How the query stands, as the view shows it."""
        return self._runner.state

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
        frames = self._kept()
        if batch is None:
            newest = frames[-1] if frames else self._render(self._runner.model)
            return newest.drawn.text
        for frame in frames:
            if frame.first <= batch <= frame.batch:
                return frame.drawn.text
        kept = [f"Kept are batches {f.first} to {frames[-1].batch}." for f in frames[:1]]
        raise NotFound("NOT_FOUND", kind="frame of batch", name=batch, reason="".join(kept))

    def catch_up(self) -> None:
        """Wait until the newest batch has its frame."""
        self._runner.catch_up()

    def close(self) -> None:
        """Stop following the query; the query itself goes on. Safe to call twice."""
        self._runner.close()

    def share_position(self, group: str) -> None:
        """Move together with all views of the same group, in the browser."""
        self._group = group
        if self._widget is not None:
            self._widget.group = group

    def _ipython_display_(self) -> None:
        from IPython.display import display  # noqa: PLC0415 - only in a notebook

        with self._lock:
            if not self._headless and self._widget is None:
                self._widget = self._player()
            self._display = display(self._bundle(), raw=True, display_id=True)

    def _player(self) -> Player:
        from labkit.views.player import Player  # noqa: PLC0415 - only in a notebook

        player = Player(
            # Never without a frame, and the page asks for the others.
            sent=self._message([self._latest.drawn.as_message()], self._runner.state),
            group=self._group,
            unit=self._unit,
            has_query=self.query is not None,
            has_feed=self._feed is not None,
        )
        player.on_msg(self._do)
        return player

    def _do(self, player: Player, wish: dict[str, Any], _: Any) -> None:
        """Follow a button that needs the kernel, or send all frames to a page loaded again."""
        match wish.get("do"):
            case "stop":
                self._runner.reader.stop()
            case "step" if self._feed is not None:
                self._feed.step(1)
            case "frames":
                frames = list(self._runner.frames)
                while frames:  # the newest first: they are looked at first
                    frames, piece = newest_that_fit(frames)
                    player.send({"frames": piece})

    def _show(self, frames: list[AnyFrame], state: State) -> list[AnyFrame]:
        """Take new frames from the runner's thread, the only one that touches the widget.

        One message a call, of a size that a slow line can bear; the frames that did not fit are
        given back and go when there is time.
        """
        with self._lock:
            has_newer = bool(frames) and frames[-1].batch >= self._latest.batch
            if has_newer:
                self._latest = frames[-1]
            is_news = has_newer or state != self._told
            self._told = state
            rest: list[AnyFrame] = []
            if self._widget is not None and is_news:
                older, piece = newest_that_fit(frames if has_newer else [self._latest])
                self._widget.sent = self._message(piece, state)
                rest = older if has_newer else frames
            elif self._widget is not None and frames:
                rest, piece = newest_that_fit(frames)
                self._widget.send({"frames": piece})
            if is_news and not self.is_open(state) and self._display is not None:
                self._display.update(self._bundle(), raw=True)
            return rest

    @staticmethod
    def is_open(state: State) -> bool:
        """Whether more frames may come in this state."""
        return state.code in {RUNNING, "waiting"}

    @staticmethod
    def _message(frames: list[dict[str, Any]], state: State) -> dict[str, Any]:
        return {
            "frames": frames,
            "state": state.words,
            "code": state.code,
            "failure": state.failure,
        }

    def _bundle(self) -> dict[str, Any]:
        """Return the output cell: the widget, and a static copy for readers without a kernel."""
        bundle: dict[str, Any] = {"text/plain": repr(self), "text/html": self._still()}
        if self._widget is not None:
            mime = "application/vnd.jupyter.widget-view+json"
            model_id = self._widget.model_id
            bundle[mime] = {"version_major": 2, "version_minor": 0, "model_id": model_id}
        return bundle

    def _still(self) -> str:
        state = self._runner.state
        failure = f'<p class="lk-failure">{escape(state.failure)}</p>' if state.failure else ""
        alert = failure if state.code == FAILED else ""
        return (
            f'<style>{STYLE}</style><section class="lk-view">'
            f'<p class="lk-state" data-state="{state.code}">{escape(state.words)}</p>'
            f"{alert}<div>{self._latest.drawn.still}</div></section>"
        )


def newest_that_fit(frames: list[AnyFrame]) -> tuple[list[AnyFrame], list[dict[str, Any]]]:
    """Take as many of the newest frames as one message may hold, at least one.

    Parameters
    ----------
    frames
        In order, at least one. One that costs much to draw goes alone.

    Returns
    -------
    tuple
        The frames that are left, and the messages of those that were taken.
    """
    left, room = list(frames), MESSAGE_BYTES
    taken: list[dict[str, Any]] = []
    while left:
        message = left[-1].drawn.as_message()
        room -= len(json.dumps(message, ensure_ascii=False).encode())
        if taken and room < 0:
            break
        taken.insert(0, message)
        if isinstance(left.pop(), Undrawn):
            break
    return left, taken
