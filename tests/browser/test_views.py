"""Every view of one real run, in a real page: no complaint, light and dark, played by keyboard."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from labkit.waiting import wait_until

# After the last word of a closed view no message may come for so long.
QUIET_MS = 2000
THREADS = """\
import threading
print([t.name for t in threading.enumerate() if "labkit" in t.name])"""
# The queries themselves go on when their views are closed.
GO_ON = """\
update = compare.queries["update"]
orders.step(1, update)
print(update._jsq.streamingQuery().sink().latestBatchId().get())"""
PICTURES = os.environ.get("LAB_PICTURES")

CELLS = [
    "from pyspark.sql import functions as F\nimport labkit as lab\nspark = lab.spark()",
    '''\
drill = lab.Script("""10:00:00
10:03:00

10:05:30

10:06:00

10:01:00

10:05:01""")
feed = lab.feed(drill, to=lab.folder("drill"))
events = spark.readStream.schema(drill.schema).option("maxFilesPerTrigger", 1).json(feed.path)
marked = lab.tap(events).withWatermark("event_time", "1 minute")
counts = marked.groupBy(F.window("event_time", "5 minutes")).count()
query = counts.writeStream.format("memory").queryName("counts").outputMode("append").start()''',
    "table = lab.live(query)\ntable",
    "timeline = lab.timeline(query)\nlab.link(table, timeline)\ntimeline",
    "lab.progress(query)",
    "feed.step(5, query)",
    """\
orders = lab.feed(lab.Orders(seed=7), to=lab.folder("orders"))
rows = spark.readStream.schema(lab.Orders().schema).option("maxFilesPerTrigger", 1)
totals = rows.json(orders.path).groupBy("category").agg(F.sum("amount").alias("amount"))
compare = lab.compare(totals, name="totals")
compare""",
    """\
def draw(ax, rows):
    ax.barh(rows["category"], rows["amount"])
drawn = lab.plot(compare.queries["update"], draw)
drawn""",
    "orders.step(3, compare)",
    """\
ssc = lab.streaming_context(batch_s=1)
words = ssc.queueStream([ssc.sparkContext.parallelize(list(b)) for b in ("ab", "a", "ca")])
marbles = lab.marbles(words, words.countByValue(), op="countByValue()")
ssc.start()
marbles""",
    "lab.tick(ssc, 3)",
]
# The cell's words, and the batch (or step) that its view ends with.
VIEWS = {
    "table = ": 7,
    "timeline = ": 7,
    "lab.progress": 7,
    "compare = ": 2,
    "drawn = ": 2,
    "ssc = ": 3,
}

# The views of the first query, which get no row any more.
FOLLOWERS = ("table = ", "timeline = ", "lab.progress")


@pytest.fixture
def notebook(lab, page):
    return lab.open_cells(page, "views.ipynb", CELLS)


@pytest.fixture
def pictures(tmp_path):
    folder = Path(PICTURES) if PICTURES else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def view(page, words):
    return page.locator(".jp-CodeCell", has_text=words).locator(".lk-view")


def shows(page, words, batch):
    place = view(page, words).locator(".lk-where")
    page.wait_for_function(
        "([place, start]) => place.textContent.startsWith(start)",
        arg=[place.element_handle(), f"{'Step' if words == 'compare = ' else 'Batch'} {batch} of"],
        timeout=60_000,
    )


def says(page, words, state):
    said = view(page, words).locator(".lk-state")
    page.wait_for_function(
        "([said, start]) => said.textContent.startsWith(start)",
        arg=[said.element_handle(), state],
        timeout=20_000,
    )


def test_every_view_plays_a_real_run(notebook, page, pictures):
    assert notebook.run_all(240) == "ok"
    for words, batch in VIEWS.items():
        shows(page, words, batch)

    # By keyboard alone: back in one view moves the linked one, End goes live in both.
    view(page, "timeline = ").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    shows(page, "timeline = ", 5)
    shows(page, "table = ", 5)
    assert "Window 10:00 – 10:05 is final." in view(page, "table = ").inner_text()
    page.keyboard.press("End")
    shows(page, "table = ", 7)

    for theme in ("Light", "Dark"):
        notebook.command("apputils:change-theme", theme=f"JupyterLab {theme}")
        page.wait_for_function(
            "light => document.body.dataset.jpThemeLight === light",
            arg=str(theme == "Light").lower(),
        )
        for words in VIEWS:
            name = (
                words.strip(" =")
                .replace("lab.", "")
                .replace("ssc", "marbles")
                .replace("drawn", "plot")
            )
            view(page, words).screenshot(path=pictures / f"{name}-{theme.lower()}.png")

    # Spark tells only after ten seconds that a query is idle: that message must not be counted.
    for words in FOLLOWERS:
        says(page, words, "Waiting")

    notebook.count_messages()
    notebook.execute("orders.step(1, compare)")
    shows(page, "compare = ", 3)
    assert notebook.messages > 0  # so they are counted
    notebook.execute("compare.close(); drawn.close()")
    closed = notebook.messages
    assert notebook.execute(GO_ON) == "4"
    page.wait_for_timeout(QUIET_MS)
    assert notebook.messages == closed

    # Spark is stopped under the feet of the others: they say so, and nothing is left running.
    notebook.execute("spark.stop()")
    for words in (*FOLLOWERS, "ssc = "):
        says(page, words, "Spark has stopped")
    wait_until(lambda: notebook.execute(THREADS) == "[]", what="threads of views", timeout_s=10)
    assert notebook.execute("print(timeline.to_text(5)[:6], len(table.frames))") == "counts 8"
    told = notebook.messages
    page.wait_for_timeout(QUIET_MS)
    assert notebook.messages == told
    assert page.complaints == []
