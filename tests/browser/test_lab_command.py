"""``labkit lab`` opens JupyterLab on the lesson, with nothing lying over it."""

from __future__ import annotations

import sys
from pathlib import Path

from labkit.cli import NOTEBOOKS

from .labbrowser import Notebook

LABKIT = Path(sys.executable).with_name("labkit")
NEWS = "jupyterapp.hasPlugin('@jupyterlab/apputils-extension:announcements')"


def test_it_opens_lesson_00_without_a_pop_up(serve, page):
    server = serve(NOTEBOOKS, command=[LABKIT, "lab"])
    page.goto(server.url)
    Notebook(page)
    assert page.url.endswith("/lab/tree/00_first_stream.ipynb")
    assert page.evaluate(NEWS) is False
    assert page.evaluate(NEWS.replace("announcements", "notification")) is True
    assert page.complaints == []
