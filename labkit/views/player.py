"""The widget that shows frames in the browser; its script and style come from this package."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets

HERE = Path(__file__).parent


class Player(anywidget.AnyWidget):
    """Shows the newest frame and patches the page row by row.

    ``sent`` carries the frames since the last update, so that the browser can keep all of
    them; older ones are never sent again.
    """

    _esm = HERE / "player.js"
    _css = HERE / "view.css"

    sent = traitlets.Dict().tag(sync=True)
    height_px = traitlets.Int(360).tag(sync=True)
