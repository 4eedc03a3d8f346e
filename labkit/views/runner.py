"""From something that runs to frames: one thread per view, which ends with what it follows.

The thread sleeps on a queue that Spark's listener fills, so an idle query costs nothing. It is
the only thread that touches the view's widget.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from queue import Empty
from typing import Any, Generic, TypeVar

from labkit import steps
from labkit.engine.batches import MAX_BACKLOG
from labkit.engine.listener import Ended, Idle, News
from labkit.engine.watching import RUNNING, WAITING, WORDS, Reader, State
from labkit.errors import NotReady
from labkit.views.frame import AnyFrame
from labkit.waiting import wait_until

M = TypeVar("M")

# People can follow four pictures a second; the newest wins.
MIN_PAUSE_S = 0.25
# Of a core, for what is shown: a costly picture is followed by a longer pause.
MAX_SHARE = 0.025
CATCH_UP_S = 20.0
# A view that hangs must not stop the lesson; its frames then say that batches were joined.
STEP_WAIT_S = 5.0
CLOSED = State("closed", "View closed")


class Runner(Generic[M]):
    """Folds what a reader gives into frames, in a thread of its own.

    Parameters
    ----------
    reader
        What to follow.
    model
        What the view knows before the first item.
    fold, render
        The two pure functions of the view.
    note
        A third pure function, for views that draw how the query stands: told of each new state.
    show
        Called with the frames that wait and the state, at most four times a second of the real
        clock; returns the frames that must wait longer.
    """

    def __init__(
        self,
        reader: Reader[Any],
        model: M,
        *,
        fold: Callable[[M, Any], M],
        render: Callable[[M], AnyFrame],
        show: Callable[[list[AnyFrame], State], list[AnyFrame]],
        note: Callable[[M, State], M] | None = None,
    ) -> None:
        self.reader = reader
        self.model = model
        self.frames: deque[AnyFrame] = deque(maxlen=MAX_BACKLOG)
        self.error: BaseException | None = None
        self.state = reader.state()
        self._fold, self._render, self._show, self._note = fold, render, show, note
        self._inbox = reader.open()
        self._shown_at = 0.0
        self._pause_s = MIN_PAUSE_S
        self._unshown: list[AnyFrame] = []
        self._closed = threading.Event()
        self._seen = -1
        name = f"labkit view of {reader.name}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start to follow."""
        steps.watch(self._before_step)
        self._thread.start()

    def resumed(self) -> Runner[M]:
        """Return a runner that goes on where this one, which must be closed, has ended."""
        later = Runner(
            self.reader,
            self.model,
            fold=self._fold,
            render=self._render,
            show=self._show,
            note=self._note,
        )
        later.frames.extend(self.frames)
        later._seen = self._seen  # else it would wait for what is shown already
        return later

    @property
    def alive(self) -> bool:
        """Whether the thread still runs."""
        return self._thread.is_alive()

    def close(self) -> None:
        """End the thread; the frames stay. Safe to call twice."""
        self._closed.set()
        self._inbox.put(Ended())
        if threading.current_thread() is not self._thread:
            self._thread.join(CATCH_UP_S)

    def catch_up(self, timeout_s: float = CATCH_UP_S) -> None:
        """Wait until the newest item has its frame.

        Raises
        ------
        NotReady
            After ``timeout_s`` seconds of the real clock.
        """
        wait_until(
            lambda: not self.alive or self._seen >= self.reader.latest(),
            what=f"The view of {self.reader.name!r} has not shown its newest batch",
            timeout_s=timeout_s,
            every_s=0.002,
        )
        if self.error is not None:
            raise self.error

    def _before_step(self) -> None:
        """Hold the next step back until this view has its frame, but not for long."""
        try:
            self.catch_up(STEP_WAIT_S)
        except NotReady:
            pass
        except Exception:  # noqa: BLE001 - Spark is gone; a step of a feed must not fail for a view
            self._closed.set()
            self._inbox.put(Ended())

    def _run(self) -> None:
        try:
            self._follow()
        except Exception as error:  # noqa: BLE001 - shown at the next look at the view
            self.error = error
            self.state = State("failed", "View failed", f"{type(error).__name__}: {error}")
            self._flush()
        finally:
            self.reader.close(self._inbox)
            steps.unwatch(self._before_step)

    def _follow(self) -> None:
        for item in self.reader.backlog():
            self._take(item)
        self._flush()
        while not self._closed.is_set():
            news = self._next_news()
            if isinstance(news, Ended):
                break
            if news is not None:
                self._read(news)
        self._finish()

    def _next_news(self) -> News | None:
        """Wait for news; when a frame waits to be shown, only as long as it may wait."""
        wait_s = None
        if self._unshown:
            wait_s = max(0.0, self._shown_at + self._pause_s - time.monotonic())
        try:
            return self._inbox.get(timeout=wait_s)
        except Empty:
            self._flush()
            return None

    def _read(self, news: News) -> None:
        code = WAITING if isinstance(news, Idle) else RUNNING
        changed = code != self.state.code
        if changed:
            self._change(State(code, WORDS[code]) if code == WAITING else self.reader.state())
        for item in self.reader.read(news):
            self._take(item)
        if changed or time.monotonic() - self._shown_at >= self._pause_s:
            self._flush()

    def _take(self, item: Any) -> None:
        self.model = self._fold(self.model, item)
        frame = self._render(self.model)
        if self.frames and self.frames[-1].batch == frame.batch:
            self.frames.pop()  # an input step may grow: an extra batch without input belongs to it
        self.frames.append(frame)
        self._hold(frame)
        self._seen = item.number

    def _change(self, state: State) -> None:
        """Take a new state; a view that draws it draws its newest frame again."""
        self.state = state
        if self._note is None:
            return
        self.model = self._note(self.model, state)
        frame = self._render(self.model)
        if self.frames:
            self.frames[-1] = frame
        self._hold(frame)

    def _hold(self, frame: AnyFrame) -> None:
        """Let a frame wait to be shown, in place of an older one of the same batch."""
        others = [other for other in self._unshown if other.batch != frame.batch]
        self._unshown = [*others, frame][-MAX_BACKLOG:]

    def _flush(self) -> None:
        began_s = time.thread_time()
        self._unshown = self._show(self._unshown, self.state)
        self._pause_s = max(MIN_PAUSE_S, (time.thread_time() - began_s) / MAX_SHARE)
        self._shown_at = time.monotonic()

    def _finish(self) -> None:
        """Read what ran between the last news and the end, then show the last state."""
        if self._seen < self.reader.latest():
            for item in self.reader.backlog():
                self._take(item)
        state = self.reader.state()
        self._change(CLOSED if state.code == RUNNING else state)
        self._flush()
        while self._unshown and not self._closed.is_set():  # nothing more comes: all can go back
            self._flush()
