"""The widget that plays frames in the browser; its script and style come from this package."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets

HERE = Path(__file__).parent


class Player(anywidget.AnyWidget):
    """Keeps the last frames in the browser: pause, step back, go live, without the kernel.

    ``sent`` carries the frames since the last update and the state; older ones are never sent
    again, unless a page that was loaded again asks for them.
    """

    _esm = HERE / "player.js"
    _css = HERE / "view.css"

    sent = traitlets.Dict().tag(sync=True)
    group = traitlets.Unicode().tag(sync=True)
    unit = traitlets.Unicode("batch").tag(sync=True)
    has_query = traitlets.Bool(default_value=False).tag(sync=True)
    has_feed = traitlets.Bool(default_value=False).tag(sync=True)
