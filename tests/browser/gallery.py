"""Each kind of view, fed by hand: real views of the package, with batches that no Spark ran.

The batches come from the tests of the views themselves (the drills with their golden numbers), so
what is looked at here is what is counted there.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from queue import SimpleQueue

from labkit.engine.batches import Batch, Column
from labkit.engine.listener import Ended
from labkit.engine.progress import from_json
from labkit.engine.side_by_side import Step
from labkit.engine.watching import State
from labkit.views.compare.model import fold as fold_step
from labkit.views.compare.page import render as render_step
from labkit.views.marbles.model import Marbles
from labkit.views.marbles.model import fold as fold_lanes
from labkit.views.marbles.model import note as note_of_lanes
from labkit.views.marbles.page import render as render_lanes
from labkit.views.plot import LivePlot
from labkit.views.plot import render as render_plot
from labkit.views.progress.model import Panel, note
from labkit.views.progress.model import fold as fold_report
from labkit.views.progress.page import render as render_report
from labkit.views.table.model import Table
from labkit.views.table.model import fold as fold_batch
from labkit.views.timeline.model import Timeline
from labkit.views.timeline.model import fold as fold_moment
from labkit.views.timeline.page import render as render_moment
from labkit.views.view import View

VIEW_TESTS = Path(__file__).parent.parent / "views"


def tests_of(path):
    """Import a test module of the views, for the batches that it makes."""
    name = "of_" + Path(path).stem
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, VIEW_TESTS / path)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


class Items:
    """A reader of items that are put in by hand; each has a number."""

    query = "a query, to have the button"

    def __init__(self, name, *items):
        self.name, self.items, self.inbox = name, list(items), SimpleQueue()
        self._state = State("running", "Query running")

    def put(self, *items):
        self.items += items
        for item in items:
            self.inbox.put(item)

    def stop(self):
        self._state = State("stopped", "Query stopped")
        self.inbox.put(Ended())

    def open(self):
        return self.inbox

    def close(self, inbox):
        pass

    def latest(self):
        return self.items[-1].number if self.items else -1

    def backlog(self):
        yield from self.items

    def read(self, news):
        if news in self.items:
            yield news

    def state(self):
        return self._state


def timeline(made, *given, **setting):
    """Show batches of test_timeline's ``Batches`` as ``lab.timeline`` does."""
    start = Timeline(made.fold(*given, upto=0, **setting).setting)
    reader = Items(start.setting.name, *made.made)
    return View("timeline", reader, start, fold=fold_moment, render=render_moment)


def moments():
    """Return the maker of timeline batches."""
    return tests_of("timeline/test_timeline.py")


def progress(reports, facts, name="counts"):
    """Show reports as ``lab.progress`` does."""
    reader = Items(name, *reports)
    panel = Panel(name, facts)
    return View("progress", reader, panel, fold=fold_report, render=render_report, note=note)


def compare(model, steps):
    """Show steps as ``lab.compare`` does."""
    reader = Items(model.name, *steps)
    shown = partial(render_step, cap=12)
    return View("comparison", reader, model, fold=fold_step, render=shown, unit="step")


def marbles(flow, *batches, op="", names=("", "")):
    """Show batches of two DStreams as ``lab.marbles`` does."""
    made = tests_of("marbles/test_marbles.py").run(flow, *batches, op=op, names=names)
    reader = Items(op or "two DStreams", *made[-1].batches)
    model = Marbles(op=op, names=names, flow=flow)
    return View("marbles", reader, model, fold=fold_lanes, render=render_lanes, note=note_of_lanes)


def plot(reader, draw, size=(6, 3)):
    """Show the batches of a ``ByHand`` reader as ``lab.plot`` does."""
    shown = partial(render_plot, draw=draw, size=size)
    start = Table(reader.name, reader.columns, (0,))
    return LivePlot("plot", reader, start, fold=fold_batch, render=shown)


def sums(rows_of=None):
    """Return the comparison of the mock-up and its four steps, or steps of other rows."""
    of = tests_of("compare/test_compare.py")
    old, new = of.window(0), of.window(5)
    rows_of = rows_of or {
        "append": [[], [], [], [(old, "ben", 4), (old, "anna", 7)]],
        "update": [
            [(old, "anna", 5), (old, "ben", 1)],
            [(old, "anna", 7)],
            [(new, "ben", 4)],
            [(old, "ben", 4)],
        ],
        "complete": [
            [(old, "anna", 5), (old, "ben", 1)],
            [(old, "anna", 7), (old, "ben", 1)],
            [(new, "ben", 4), (old, "anna", 7), (old, "ben", 1)],
            [(new, "ben", 4), (old, "anna", 7), (old, "ben", 4)],
        ],
    }
    marks = (None, None, "2024-01-01T10:02:00Z", "2024-01-01T10:05:30Z")
    steps = []
    for n, mark in enumerate(marks):
        sent = {mode: _batch(of, mode, n, rows[n], mark) for mode, rows in rows_of.items()}
        steps.append(Step(n, n, n, sent, dict.fromkeys(sent, (2, 3, 4, 5)[n])))
    return of.comparison(of.WINDOWS, tuple(rows_of)), steps


def _batch(of, mode, number, rows, mark):
    report = {"batchId": number, "numInputRows": 1, "durationMs": {"addBatch": 1}}
    progress = replace(from_json(json.dumps(report)), watermark=mark)
    columns = tuple(Column(*column) for column in of.WINDOWS)
    return Batch(number, number, mode, columns, tuple(rows), len(rows), progress, "UTC")
