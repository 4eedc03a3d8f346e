"""Values that want to be code, in a real browser: nothing of them runs, all of them are text."""

from __future__ import annotations

from pathlib import Path

import nbformat

HERE = Path(__file__).parent
SETUP = f"""\
import sys
sys.path.insert(0, {str(HERE)!r})
import labkit as lab
from pyspark.sql import Row
from byhand import ByHand, table
from labkit.engine.batches import Column
from labkit.engine.watching import State
bad = "<script>window.pwned = 1</script>"
image = "\\"'><img src=x onerror='window.pwned = 2'><svg onload='window.pwned = 3'>"
rtl = "\\u05e9\\u05dc\\u05d5\\u05dd \\u05e2\\u05d5\\u05dc\\u05dd"
columns = (
    Column("k", "string", grouping=True), Column(bad, "string"), Column(image, "string"),
    *(Column(f"c{{i}}", "string") for i in range(297)),
)
reader = ByHand(image + bad, columns)
view = table(reader)
view"""
ROWS = """\
def row(key, *values):
    return (key, *values, *[None] * (299 - len(values)))
for turn in range(2):
    reader.send(
        row(bad, bad, turn, image + str(turn)),
        row(image, image, float("nan"), b"<b>" * 1000, {bad: image}, rtl + "!" * turn),
        row("x" * 10_000, "y" * 10_000, image * 500, Row(a=Row(b=bad), c=[image])),
        row(rtl, rtl, "\\x00\\x1b\\u202e</td></table></pre>" + image, None),
    )
    view.catch_up()
reader.end(State("failed", "Query failed", bad + image))"""


def pwned(page):
    return page.evaluate("typeof window.pwned")


def handlers_have_run(page):
    """Wait until a bad image that we add ourselves has called its handler: so do bad values."""
    page.evaluate(
        """() => {
            window.canary = false;
            const ours = document.createElement("div");
            ours.innerHTML = '<img src="data:image/png;base64,AA" onerror="window.canary = true">';
            document.body.append(ours);
        }"""
    )
    page.wait_for_function("window.canary === true")


def test_no_value_and_no_name_ever_runs_as_code(lab, page):
    notebook = lab.open_cells(page, "values.ipynb", [SETUP, ROWS])
    assert notebook.run_all() == "ok"
    page.wait_for_selector(".lk-state[data-state=failed]")
    page.wait_for_function(
        "document.querySelector('.lk-where').textContent.startsWith('Batch 1 of')"
    )
    for place in range(4):
        page.locator(".lk-tab").nth(place).click()
        handlers_have_run(page)
        assert page.locator(".lk-view script, .lk-view img, .lk-page svg").count() == 0
    page.locator(".lk-tab").first.click()
    body = page.locator(".lk-page tbody")
    body.wait_for()
    assert body.locator("tr").count() == 4
    assert "<script>window.pwned = 1</script>" in body.inner_text()
    assert "+292 columns" in page.locator(".lk-foot").inner_text()
    assert "<script>" in page.locator(".lk-failure").inner_text()
    assert (
        body.locator("td[dir=auto]").first.evaluate("cell => getComputedStyle(cell).direction")
        == "rtl"
    )
    assert pwned(page) == "undefined"

    # The static copy of a saved notebook, as another program would show it: as plain HTML.
    notebook.save()
    saved = nbformat.read(lab.root / "values.ipynb", as_version=4)
    still = next(o for o in saved.cells[0].outputs if "text/html" in o.get("data", {}))
    page.evaluate("html => document.body.innerHTML = html", still.data["text/html"])
    page.locator(".lk-table").first.wait_for()
    handlers_have_run(page)
    assert page.locator(".lk-view img, .lk-view script").count() == 0
    assert pwned(page) == "undefined"
    assert page.complaints == []
