"""What the comparison knows and draws, from steps by hand."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce

import pytest
from pyspark.sql import Row

from labkit.engine.batches import Column
from labkit.engine.refusal import Refusal, explain
from labkit.engine.side_by_side import Step
from labkit.views.compare.model import Comparison, fold, new_lane
from labkit.views.compare.page import render

TOTALS = [("who", "string", True), ("sum", "bigint", False)]
WINDOWS = [("window", "struct<start:timestamp,end:timestamp>", True), *TOTALS]
REFUSED = explain("append", "not supported for streaming aggregations without watermark on …")
TEN = datetime(2024, 1, 1, 10, tzinfo=UTC)


def window(minute):
    start = TEN + timedelta(minutes=minute)
    return Row(start=start, end=start + timedelta(minutes=5))


def comparison(columns, modes, *, refused=None, is_grouped=True):
    made = tuple(Column(*column) for column in columns)
    lanes = [
        new_lane(
            m, () if m in (refused or {}) else made, (refused or {}).get(m), is_grouped=is_grouped
        )
        for m in modes
    ]
    return Comparison("totals", "no watermark", tuple(lanes))


@pytest.fixture
def steps(batches):
    """Return a maker of steps: for each mode the rows that it sent in each step."""

    def make(columns, watermarks=None, **rows_of):
        by_mode = {mode: batches(mode, columns, *rows)[1] for mode, rows in rows_of.items()}
        count = len(next(iter(by_mode.values())))
        made = []
        for n in range(count):
            mark = watermarks[n] if watermarks else None
            sent = {mode: _marked(all_of[n], mark) for mode, all_of in by_mode.items()}
            made.append(Step(n, n, n, sent, dict.fromkeys(sent, 5 * (n + 1))))
        return made

    return make


def _marked(batch, watermark):
    return replace(batch, progress=replace(batch.progress, watermark=watermark))


def text(model, cap=12):
    return render(model, cap).text


def words(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.fixture
def drill(steps):
    """Give the four batches of the mock-up: sums by windows of five minutes."""
    old, new = window(0), window(5)
    made = steps(
        WINDOWS,
        watermarks=[None, None, "2024-01-01T10:02:00Z", "2024-01-01T10:05:30Z"],
        append=[[], [], [], [(old, "ben", 4), (old, "anna", 7)]],
        update=[
            [(old, "anna", 5), (old, "ben", 1)],
            [(old, "anna", 7)],
            [(new, "ben", 4)],
            [(old, "ben", 4)],
        ],
        complete=[
            [(old, "anna", 5), (old, "ben", 1)],
            [(old, "anna", 7), (old, "ben", 1)],
            [(new, "ben", 4), (old, "anna", 7), (old, "ben", 1)],
            [(new, "ben", 4), (old, "anna", 7), (old, "ben", 4)],
        ],
    )
    return comparison(WINDOWS, ("append", "update", "complete")), made


def test_a_watermark_of_a_year_that_python_lacks_is_told(drill):
    empty, made = drill
    mark = "+56387-01-16T15:59:00.000Z"
    far = {mode: _marked(batch, mark) for mode, batch in made[3].batches.items()}
    last = replace(made[3], batches=far)
    assert "The watermark is now 15:59:00, so" in text(reduce(fold, [*made[:3], last], empty))


def test_the_drill_of_the_mock_up(drill):
    assert text(reduce(fold, drill[1], drill[0])).split("\n") == [
        "totals · step 3 · 5 rows in · no watermark",
        (
            "Step 3: append sent 2 rows, update 1, complete 3. "
            "The watermark is now 10:05:30, so window 10:00 – 10:05 is final."
        ),
        "",
        "append: sends a row once, when it is final",
        "  Sent in this step: 2 rows",
        "     window (UTC)   who   sum",
        "    10:00 – 10:05  anna    7",
        "    10:00 – 10:05  ben     4",
        "  Table so far: 2 rows",
        "     window (UTC)   who   sum",
        "  +  10:00 – 10:05  anna    7",
        "  +  10:00 – 10:05  ben     4",
        "  Rows sent in each step: 0 0 0 2",
        "  Window 10:05 – 10:10 is still open, so not here yet.",
        "",
        "update: sends what has changed",
        "  Sent in this step: 1 row",
        "     window (UTC)   who  sum",
        "    10:00 – 10:05  ben    4",
        "  Table so far: 3 rows",
        "     window (UTC)   who     sum",
        "  ·  10:00 – 10:05  anna      7",
        "  Δ  10:00 – 10:05  ben   1 → 4",
        "  ·  10:05 – 10:10  ben       4",
        "  Rows sent in each step: 2 1 1 1",
        "  Newest row of each key. The sink holds all that was sent: 5 rows.",
        "",
        "complete: sends everything, every time",
        "  Sent in this step: 3 rows",
        "     window (UTC)   who   sum",
        "    10:00 – 10:05  anna    7",
        "    10:00 – 10:05  ben     4",
        "    10:05 – 10:10  ben     4",
        "  Table so far: 3 rows",
        "     window (UTC)   who     sum",
        "  ·  10:00 – 10:05  anna      7",
        "  Δ  10:00 – 10:05  ben   1 → 4",
        "  ·  10:05 – 10:10  ben       4",
        "  Rows sent in each step: 2 2 3 3",
        "  The old table is replaced by the new one.",
    ]


def test_the_page_says_the_same_as_the_text(drill):
    page = words(render(reduce(fold, drill[1], drill[0]), 12).still)
    assert "Sent in this step: 2 rows" in page
    assert "Table so far: 3 rows" in page
    assert page.count("changed 10:00 – 10:05 ben 1 → 4") == 2


def test_more_of_the_same_step_is_added_to_it_and_not_counted_twice(drill):
    start, made = drill
    model = reduce(fold, made, start)
    assert fold(model, replace(made[-1], number=9)) == model


def test_an_extra_batch_changes_the_step_that_it_belongs_to(drill):
    start, made = drill
    early = replace(made[3], batches={m: b for m, b in made[3].batches.items() if m != "append"})
    model = reduce(fold, [*made[:3], early, made[3]], start)
    assert text(model) == text(reduce(fold, made, start))


def test_rows_that_changed_come_first_when_not_all_fit(steps):
    rows = [(f"n{i:02}", 1) for i in range(30)]
    changed = [*rows[:29], ("n29", 2)]
    model = reduce(fold, steps(TOTALS, complete=[rows, changed]), comparison(TOTALS, ["complete"]))
    shown = text(model, cap=3)
    assert "Table so far: 3 of 30 rows" in shown
    assert "Δ  n29  1 → 2" in shown
    assert "Sent in this step: 3 of 30 rows" in shown


def test_rows_are_in_the_order_of_their_key_whatever_order_spark_gives(steps):
    one = steps(TOTALS, append=[[("b", 1), ("a", 2)]], update=[[("b", 1), ("a", 2)]])
    two = steps(TOTALS, append=[[("a", 2), ("b", 1)]], update=[[("a", 2), ("b", 1)]])
    start = comparison(TOTALS, ("append", "update"))
    assert text(reduce(fold, one, start)) == text(reduce(fold, two, start))


def test_without_groups_every_row_is_its_own_in_update_too(steps):
    made = steps(TOTALS, append=[[("a", 1), ("a", 1)]], update=[[("a", 1), ("a", 1)]])
    start = comparison(TOTALS, ("append", "update"), is_grouped=False)
    shown = text(reduce(fold, made, start))
    assert shown.count("Table so far: 2 rows") == 2
    assert "the same as append" in shown


def test_a_renamed_grouping_column_is_part_of_the_key():
    columns = [("start", "timestamp", None), ("who", "string", True), ("n", "bigint", None)]
    model = comparison(columns, ["update"])
    assert model.lanes[0].table.key == (0, 1)


def test_a_refusal_takes_the_place_of_the_tables(steps):
    start = comparison(TOTALS, ("append", "update"), refused={"append": REFUSED})
    frame = render(reduce(fold, steps(TOTALS, update=[[("a", 1)]]), start), 12)
    assert frame.sentence == "Step 0: update sent 1 row. Append was refused at the start."
    page = words(frame.still)
    assert "Spark refuses Every group may still grow" in page
    assert "Use update: it runs here." in page
    assert "Spark's own words not supported for streaming aggregations" in page
    assert frame.still.count("Sent in this step: ") == 1


def test_before_the_first_step_a_refusal_is_shown_already():
    frame = render(comparison(TOTALS, ("append", "update"), refused={"append": REFUSED}), 12)
    assert frame.batch == -1
    assert frame.sentence == (
        "Waiting for the first rows: update is ready. Append was refused at the start."
    )
    assert "Spark refuses" in frame.still


def test_when_every_mode_is_refused_the_view_says_so():
    frame = render(comparison(TOTALS, ["append"], refused={"append": REFUSED}), 12)
    assert frame.sentence == "Spark refuses this query in every mode asked for."


def test_a_failure_while_running_is_told_as_such(steps):
    start = comparison(TOTALS, ("append", "update"))
    made = steps(TOTALS, append=[[("a", 1)]], update=[[("a", 1)]])
    failed = Refusal("append", "It failed.", ("Guard it.",), "x", at_start=False, is_rule=False)
    late = replace(made[0], refused={"append": failed}, ended=frozenset(["append"]))
    frame = render(reduce(fold, [made[0], late], start), 12)
    assert frame.sentence.endswith("Append failed while it ran.")
    assert "Failed while it ran" in frame.still
    assert "Use update" not in frame.still


def test_a_mode_that_was_stopped_says_after_which_step(steps):
    made = steps(TOTALS, append=[[("a", 1)], []], update=[[("a", 1)], [("b", 1)]])
    only = {"update": made[1].batches["update"]}
    alone = replace(made[1], batches=only, read_rows={"update": 10}, ended=frozenset(["append"]))
    model = reduce(fold, [made[0], alone], comparison(TOTALS, ("append", "update")))
    assert "Stopped after step 0." in text(model)
    assert "Step 1: update sent 1 row." in text(model)


def test_steps_that_were_joined_say_so(steps):
    made = steps(TOTALS, update=[[("a", 1)]])
    joined = replace(made[0], step=2, first=0)
    frame = render(fold(comparison(TOTALS, ["update"]), joined), 12)
    assert (frame.first, frame.batch) == (0, 2)
    assert frame.sentence.startswith("Steps 0–2 together: ")


def test_queries_that_read_other_rows_are_not_compared_in_silence(steps):
    made = steps(TOTALS, append=[[("a", 1)]], update=[[("a", 1)]])
    other = replace(made[0], read_rows={"append": 3, "update": 5})
    sentence = render(fold(comparison(TOTALS, ("append", "update")), other), 12).sentence
    assert "not the same rows" in sentence
    assert "append 3, update 5" in sentence


def test_the_bars_have_a_table_behind_them_and_one_name_for_each_mode(drill):
    html = render(reduce(fold, drill[1], drill[0]), 12).still
    assert "Show rows sent as a table" in html
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids)) == 6
    assert all(one.startswith("lk-compare-totals-") for one in ids)
    assert "url(" not in html
    assert "<defs" not in html


def test_the_strip_shows_the_last_eight_steps(steps):
    made = steps(TOTALS, update=[[("a", n)] for n in range(11)])
    html = render(reduce(fold, made, comparison(TOTALS, ["update"])), 12).still
    heads = re.findall(r'<th scope="col" class="lk-number">(\d+)</th>', html)
    assert heads[-8:] == [str(n) for n in range(3, 11)]


def test_values_never_become_html(steps):
    bad = "<script>alert(1)</script>\"'>"
    columns = [(bad, "string", True), ("sum", "bigint", False)]
    refused = {"append": explain("append", bad)}
    start = comparison(columns, ("append", "update"), refused=refused)
    start = replace(start, name=bad, facts=bad)
    html = render(reduce(fold, steps(columns, update=[[(bad, 1)]]), start), 12).still
    assert "<script" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize("size", [30, 10_000])
def test_a_frame_stays_below_forty_kilobytes(steps, size):
    columns = [(f"c{i}", "string", i == 0) for i in range(12)]
    rows = [[(f"{n:03}" + "é" * size,) * 12 for n in range(100)]] * 2
    made = steps(columns, append=rows, update=rows, complete=rows)
    model = reduce(fold, made, comparison(columns, ("append", "update", "complete")))
    message = json.dumps(render(model, 100).as_message(), ensure_ascii=False)
    assert len(message.encode()) < 40_000


def test_what_is_kept_is_bounded(steps):
    watermark = ["2030-01-01T00:00:00Z"] * 80
    rows = [[(window(n), f"n{i}", 1) for i in range(20)] for n in range(80)]
    made = steps(WINDOWS, watermarks=watermark, update=rows)
    lane = reduce(fold, made, comparison(WINDOWS, ["update"])).lanes[0]
    assert len(lane.rows) <= 1000
    assert lane.total == 1600
    assert len(lane.history) == 60


def test_a_report_without_a_watermark_makes_no_window_final(steps):
    made = steps(WINDOWS, update=[[(window(0), "a", 1)]])
    assert "final" not in render(fold(comparison(WINDOWS, ["update"]), made[0]), 12).sentence
