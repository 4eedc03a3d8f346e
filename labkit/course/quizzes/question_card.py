"""The widget that shows the questions of a quiz; its script and style come from this package."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import anywidget
import traitlets

HERE = Path(__file__).parent


class QuestionCard(anywidget.AnyWidget):
    """One question at a time. The page sends a choice and learns what the kernel says to it."""

    _esm = HERE / "question_card.js"
    # After the views' style, which holds the colours, the buttons and the focus ring.
    _css = (files("labkit.views") / "view.css").read_text() + (
        HERE / "question_card.css"
    ).read_text()

    lesson = traitlets.Unicode().tag(sync=True)
    questions = traitlets.List().tag(sync=True)  # texts and choices, no answers
    records = traitlets.List().tag(sync=True)  # what was tried, what was right, the last words
    at = traitlets.Int().tag(sync=True)  # the question that is shown, from 0
