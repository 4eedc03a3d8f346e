"""Who reads the views: with large letters, by keyboard, by ear, and with values that are bad.

No Spark: the gallery feeds the views by hand.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from .labbrowser import open_page

HERE = Path(__file__).parent
SETUP = f"""\
import sys
sys.path.insert(0, {str(HERE)!r})
import gallery
from byhand import ByHand, table
from labkit.engine.watching import State
m = gallery.moments()
reports = gallery.tests_of("progress/test_progress_panel.py")
flows = gallery.tests_of("marbles/test_marbles.py")"""
VIEWS = {
    "table": 'reader = ByHand("totals")\ntable_view = table(reader)\n'
    'reader.send(*[(f"name {i}", i) for i in range(40)])\ntable_view',
    "timeline": "gallery.timeline(m.drill_1())",
    "progress": "gallery.progress(reports.DRILL_1, reports.APPEND)",
    "compare": "gallery.compare(*gallery.sums())",
    "marbles": "gallery.marbles(flows.WINDOW, *flows.SUMS, op='reduceByKeyAndWindow(…)')",
    "plot": 'drawn = ByHand("drawn")\n'
    'plot_view = gallery.plot(drawn, lambda ax, rows: ax.barh(rows["name"], rows["total"]))\n'
    'drawn.send(("anna", 3), ("ben", 4))\nplot_view',
}
BAD = {
    "hostile": """\
bad = "<script>window.pwned=1</script><img src=x onerror='window.pwned=2'></svg>"
rtl = "\\u05e9\\u05dc\\u05d5\\u05dd \\u05e2\\u05d5\\u05dc\\u05dd!"
made = m.Batches(columns=m.BY_USER).add(f"10:00 {bad}", f"10:01 {'x' * 10_000}", f"10:02 {rtl}")
sent = [("10:00", "10:05", key, n) for n, key in enumerate((bad * 10, "y" * 10_000, rtl))]
made.add("10:03", None, wm="10:01").add(wm="10:06", sent=sent)
gallery.timeline(made, name=bad)""",
    "dense": """\
def seconds(count):
    return [f"10:{n // 60:02}:{n % 60:02}" for n in range(count)]
made = m.Batches().add(*seconds(300)).add(*seconds(190), wm="10:03:59")
gallery.timeline(made, name="dense")""",
    "sixty": """\
pages = gallery.tests_of("timeline/test_timeline_page.py")
gallery.timeline(pages.late_rows(60, 6), name="sixty")""",
    "years": """\
made = m.Batches().add("2000-01-02 00:00", "2009-12-31 23:59").add("2024-01-01 10:00", None,
    wm="2009-12-31 23:58", dropped=1).add("2099-01-01 00:00", wm="2024-01-01 09:59")
gallery.timeline(made.add(None, None, wm="2098-12-31 23:59"), name="years")""",
}

# Pairs of words of a picture that lie on each other, by more than the air between lines.
OVERLAPS = """view => {
    const words = [...view.querySelectorAll('svg text')].filter(e => e.getClientRects().length);
    const boxes = words.map(e => [e.textContent, e.getBoundingClientRect()]);
    const common = (a, b, low, high) => Math.min(a[high], b[high]) - Math.max(a[low], b[low]);
    return boxes.flatMap(([one, a], i) => boxes.slice(i + 1)
        .filter(([, b]) => common(a, b, 'left', 'right') > 2 && common(a, b, 'top', 'bottom') > 4)
        .map(([other]) => [one, other]));
}"""
# What reaches over the right edge of a view and cannot be scrolled to.
CUT = """view => {
    const edge = view.getBoundingClientRect().right + 1;
    const boxes = '.lk-scroll, pre, details, .lk-unseen';
    return [...view.querySelectorAll('*')]
        .filter(e => e.getBoundingClientRect().right > edge && !e.parentElement.closest(boxes))
        .map(e => e.outerHTML.slice(0, 80));
}"""
SIDEWAYS = """() => [document.documentElement, ...document.querySelectorAll(
    '.jp-WindowedPanel-outer, .lk-view')].filter(e => e.scrollWidth > e.clientWidth + 1).length"""
CONTROLS = """view => [...view.querySelectorAll('button, input')]
    .filter(e => e.offsetParent).map(e => {
        const [a, b] = [e.getBoundingClientRect(), view.getBoundingClientRect()];
        const inside = a.left >= b.left && a.right <= b.right;
        return [e.textContent || e.ariaLabel, inside, Math.min(a.width, a.height) >= 24];
    })"""
SMALLEST = """view => Math.min(...[...view.querySelectorAll('*')]
    .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .map(e => parseFloat(getComputedStyle(e).fontSize)))"""
FOCUS = """() => {
    const at = document.activeElement, ring = getComputedStyle(at);
    const name = at.ariaLabel || at.textContent.trim();
    const seen = ring.outlineStyle !== 'none' && parseFloat(ring.outlineWidth) >= 2;
    return [at.closest('.lk-view') !== null, at.tagName, name, seen];
}"""


CELLS = BAD | {"drill 1": VIEWS["timeline"], "drill 2": "gallery.timeline(m.drill_2())"} | VIEWS


def named(cells):
    """Return the sources of a notebook, each cell with its name in a comment."""
    return [SETUP, *(f"# {name} #\n{cell}" for name, cell in cells.items())]


@pytest.fixture(scope="module")
def opened(lab, chromium):
    """Return a page with all views, which the tests here share: to load one takes longest."""
    with open_page(chromium) as page:
        assert lab.open_cells(page, "reading.ipynb", named(CELLS)).run_all(240) == "ok"
        yield page


@pytest.fixture
def views(opened):
    """Return the page with all views in its usual size."""
    opened.set_viewport_size({"width": 1280, "height": 900})
    yield opened
    assert opened.complaints == []


def view(page, name):
    """Return a view, scrolled to, with a batch in it."""
    found = page.locator(".jp-CodeCell", has_text=f"# {name} #").locator(".lk-view")
    found.scroll_into_view_if_needed()
    found.locator(".lk-where b").wait_for()
    return found


def test_bad_values_and_many_events_neither_run_nor_hide_each_other(views):
    for name in (*BAD, "drill 1", "drill 2"):
        shown = view(views, name)
        shown.get_by_text("Show as table").click()
        assert shown.evaluate(OVERLAPS) == []
        assert shown.evaluate(CUT) == []
        picture = shown.locator(".lk-tl-figure")
        assert picture.evaluate("box => box.scrollWidth <= box.clientWidth"), name
        assert shown.locator("script, img").count() == 0
    assert views.evaluate(SIDEWAYS) == 0
    assert views.evaluate("typeof window.pwned") == "undefined"


def test_at_twice_the_size_nothing_is_cut_and_every_control_can_be_reached(views):
    views.set_viewport_size({"width": 640, "height": 450})  # what zoom makes of 1280 × 900
    for name in VIEWS:
        shown = view(views, name)
        shown.evaluate("view => view.querySelectorAll('details').forEach(d => { d.open = true; })")
        controls = shown.evaluate(CONTROLS)
        assert len(controls) >= 7
        assert [c for c in controls if not (c[1] and c[2])] == [], name
        assert shown.evaluate(CUT) == [], name
        assert shown.evaluate(OVERLAPS) == [], name
        assert shown.evaluate(SMALLEST) >= 12, name
        assert views.evaluate(SIDEWAYS) == 0, name
    wide = view(views, "marbles").locator(".lk-scroll").first
    wide.focus()
    views.keyboard.press("ArrowRight")  # a box that is too wide is scrolled, not the batches
    views.wait_for_function("box => box.scrollLeft > 0", arg=wide.element_handle())
    assert view(views, "marbles").locator(".lk-where").inner_text() == "Batch 5 of 1–5"


def test_every_part_is_reached_by_tab_and_shows_that_it_has_the_focus(views):
    view(views, "table").focus()
    views.keyboard.press("ArrowLeft")  # a key, so that rings are shown
    seen = []
    for _ in range(80):
        inside, tag, name, ring = views.evaluate(FOCUS)
        if not inside:
            break
        assert ring, name
        seen.append((tag, name))
        views.keyboard.press("Tab")
    assert sum(tag == "SECTION" for tag, _ in seen) == len(VIEWS)
    names = [name.replace("step", "batch").replace("Step", "Batch") for _, name in seen]
    for name in ("One batch back", "One batch forward", "Batch", "Live", "Stop query", "Copy"):
        assert names.count(name) == len(VIEWS), name
    assert [name for _, name in seen].count("One step back") == 1  # a comparison has input steps
    assert sum(tag == "DIV" for tag, _ in seen) >= 4  # boxes that scroll


def test_the_focus_stays_when_a_button_goes_off_or_a_frame_comes(views):
    shown = view(views, "timeline")
    back = shown.get_by_label("One batch back")
    back.focus()
    for _ in range(12):  # two more than there are batches before the newest
        views.keyboard.press("Enter")
    views.wait_for_function(
        "place => place.textContent === 'Batch 0 of 0–10'",
        arg=shown.locator(".lk-where").element_handle(),
    )
    assert back.evaluate("button => button === document.activeElement")
    assert back.is_disabled()

    shown.locator(".lk-tl-figure").focus()
    views.keyboard.press("End")
    views.wait_for_function(
        "place => place.textContent === 'Batch 10 of 0–10'",
        arg=shown.locator(".lk-where").element_handle(),
    )
    assert views.evaluate("document.activeElement.className") == "lk-scroll lk-tl-figure"
    cells = views.locator(".jp-NotebookPanel .jp-CodeCell").count()
    views.keyboard.press("b")  # in the notebook: a new cell
    assert views.locator(".jp-NotebookPanel .jp-CodeCell").count() == cells
    views.keyboard.press("Escape")
    views.keyboard.press("b")
    views.wait_for_function(
        "count => document.querySelectorAll('.jp-NotebookPanel .jp-CodeCell').length === count",
        arg=cells + 1,
    )


def test_one_polite_line_speaks_at_most_every_five_seconds_and_ends_with_the_newest(lab, page):
    notebook = lab.open_cells(page, "speaker.ipynb", named({"table": VIEWS["table"]}))
    assert notebook.run_all() == "ok"
    line = page.locator("[role=status].lk-speaker")
    assert line.count() == 1
    assert line.get_attribute("aria-live") == "polite"
    page.wait_for_timeout(5000)  # whatever the first frame had to say is said
    page.evaluate(
        """() => {
            window.said = [];
            const note = () => window.said.push([performance.now(), line.textContent]);
            const line = document.querySelector('.lk-speaker');
            new MutationObserver(note).observe(line, {childList: true});
        }"""
    )
    many = "for n in range(12):\n    reader.send(('anna', n))\n    time.sleep(0.25)"
    notebook.execute(f"import time\n{many}")
    page.wait_for_function(
        "said => window.said.at(-1)?.[1].startsWith('Batch 12:')", timeout=15_000
    )
    times = [at for at, _ in page.evaluate("window.said")]
    assert len(times) >= 2
    assert all(after - before >= 4900 for before, after in pairwise(times))

    # Silent while paused; the end of the query is said.
    view(page, "table").get_by_role("button", name="Pause").click()
    before = len(page.evaluate("window.said"))
    notebook.execute("reader.send(('anna', 99)); table_view.catch_up()")
    page.wait_for_function("document.querySelector('.lk-badge').textContent === '1 new batch'")
    notebook.execute("reader.end()")
    page.wait_for_function("window.said.at(-1)[1] === 'Query stopped'", timeout=15_000)
    assert len(page.evaluate("window.said")) == before + 1
    assert page.complaints == []
