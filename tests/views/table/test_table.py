import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import reduce

import pytest
from pyspark.sql import Row

from labkit.engine.batches import Column
from labkit.engine.progress import from_json
from labkit.views.table.model import Table, fold, guess_key, row_key
from labkit.views.table.page import render

TOTALS = [("name", "string", True), ("total", "bigint", False)]


def folded(columns, made, key=(0,)):
    return reduce(fold, made, Table("totals", columns, key))


def lines(table, cap=50):
    return render(table, cap).text.splitlines()


def test_complete_marks_new_changed_and_removed_rows(batches):
    columns, made = batches(
        "complete",
        TOTALS,
        [("anna", 5), ("ben", 1), ("eve", 2)],
        [("anna", 7), ("ben", 1), ("zoe", 4)],
    )
    assert lines(folded(columns, made)) == [
        "totals · complete · batch 1 · 5 rows in, 3 sent · 3 keys",
        "Batch 1: 1 new, 1 changed, 1 removed.",
        "   name  total",
        "−  eve       2",
        "Δ  anna  5 → 7",
        "·  ben       1",
        "+  zoe       4",
        "showing all 3 rows, by key",
    ]


def test_update_keeps_the_newest_row_of_each_key_and_removes_nothing(batches):
    columns, made = batches("update", TOTALS, [("ben", 1), ("anna", 5)], [("ben", 4)], [("ben", 4)])
    assert lines(folded(columns, made[:2]))[1:] == [
        "Batch 1: 0 new, 1 changed, 0 removed.",
        "   name  total",
        "·  anna      5",
        "Δ  ben   1 → 4",
        "showing all 2 rows, by key",
    ]
    same = folded(columns, made)
    assert lines(same)[1] == "Batch 2: 0 new, 0 changed, 0 removed."


def test_append_adds_rows_in_order_of_arrival(batches):
    columns, made = batches("append", TOTALS, [("ben", 1), ("ben", 1)], [("anna", 2)])
    assert lines(folded(columns, made, key=None))[1:] == [
        "Batch 1: 1 new, 0 changed, 0 removed.",
        "   name  total",
        "·  ben       1",
        "·  ben       1",
        "+  anna      2",
        "showing all 3 rows, newest last",
    ]


def test_a_key_makes_appended_rows_replace_each_other(batches):
    columns, made = batches("append", TOTALS, [("ben", 1)], [("ben", 4)])
    assert "Δ  ben   1 → 4" in lines(folded(columns, made, key=(0,)))


def test_an_empty_batch_is_a_frame_without_marks(batches):
    columns, made = batches("update", TOTALS, [("ben", 1)], [])
    assert lines(folded(columns, made))[1:4] == [
        "Batch 1: 0 new, 0 changed, 0 removed.",
        "   name  total",
        "·  ben       1",
    ]


def test_batches_shown_together_say_so(batches):
    columns, made = batches("complete", TOTALS, [("ben", 1)], [("ben", 2)])
    joined = replace(made[1], number=9, first=7)
    frame = render(folded(columns, [made[0], joined]), 50)
    assert (frame.first, frame.batch) == (7, 9)
    assert frame.sentence.startswith("Batches 7–9 together: ")


def test_before_the_first_batch_the_view_says_what_it_waits_for(batches):
    columns, _ = batches("update", TOTALS)
    frame = render(Table("totals", columns, (0,)), 50)
    assert frame.batch == -1
    assert "Waiting for the first batch" in frame.text
    assert "Waiting for the first batch" in frame.still


def test_a_cap_is_never_silent(batches):
    columns, made = batches("update", TOTALS, [(f"n{i:03}", i) for i in range(120)])
    text = lines(folded(columns, made), cap=10)
    assert text[-1] == "showing 10 of 120 rows, by key"
    assert len(text) == 2 + 1 + 10 + 1
    columns, made = batches("append", TOTALS, [(f"n{i:03}", i) for i in range(120)])
    text = lines(folded(columns, made, key=None), cap=10)
    assert text[-2:] == ["+  n119    119", "showing 10 of 120 rows, newest last"]


def test_of_a_cut_result_no_row_is_called_removed(batches):
    columns, made = batches("complete", TOTALS, [("ben", 1), ("eve", 1)], [("ben", 1)])
    cut = replace(made[1], sent_rows=900)
    table = folded(columns, [made[0], cut])
    assert table.removed == {}
    assert lines(table)[-1] == "showing 1 of 900 rows, by key · follows the first 1 key of 900"


MANY = [(f"n{i:04}", i) for i in range(1240)]


def cut(batch, sent):
    return replace(batch, sent_rows=sent)


def with_state(batch, groups):
    report = {
        "batchId": batch.number,
        "numInputRows": 5,
        "durationMs": {"addBatch": 1},
        "stateOperators": [{"operatorName": "stateStoreSave", "numRowsTotal": groups}],
    }
    return replace(batch, progress=from_json(json.dumps(report)))


def test_a_complete_result_beyond_500_keys_says_which_it_follows(batches):
    moved = [(name, n + (n == 7)) for name, n in MANY[:500]]
    other = [*MANY[3:500], ("zoe", 1), ("zoo", 2), ("zzz", 3)]
    columns, made = batches("complete", TOTALS, MANY[:500], moved, other)
    table = folded(columns, [cut(batch, 1240) for batch in made[:2]])
    assert table.before == {row_key(MANY[7], (0,)): MANY[7]}
    sentence, *_, foot = lines(table)[1:]
    assert sentence == "Batch 1: 0 new, 1 changed, 0 removed among the 500 keys followed."
    assert foot == "showing 50 of 1,240 rows, by key · follows the first 500 keys of 1,240"
    # Other rows of the same result came across: they are neither new, nor are the rest removed.
    table = fold(table, cut(made[2], 1240))
    assert list(table.before.values()) == [("n0007", 8)]
    assert table.removed == {}


def test_an_update_beyond_500_keys_marks_and_keeps_only_those_it_follows(batches):
    again = [(name, n + 1) for name, n in MANY[498:502]]
    columns, made = batches("update", TOTALS, MANY[:400], MANY[400:700], again, again)
    table = folded(columns, [with_state(batch, 1240) for batch in made[:2]])
    assert (len(table.rows), table.total, table.uncounted) == (500, 1240, False)
    assert sum(old is None for old in table.before.values()) == 100
    table = fold(table, with_state(made[2], 1240))
    assert [table.rows[key] for key in table.before] == again[:2]
    assert "Batch 2: 0 new, 2 changed, 0 removed among the 500 keys followed." in lines(table)
    assert lines(table)[-1].endswith("follows the first 500 keys of 1,240")
    assert fold(table, with_state(made[3], 1240)).before == {}


def test_when_spark_does_not_tell_how_many_keys_there_are_the_view_says_over(batches):
    columns, made = batches("update", TOTALS, MANY[:500], MANY[500:600])
    table = folded(columns, made)
    assert (table.total, table.more, table.uncounted) == (600, True, True)
    assert lines(table)[0].endswith("· over 600 keys")
    assert lines(table)[-1].endswith("follows the first 500 keys of over 600")


def test_a_place_that_a_window_leaves_goes_to_another_key_which_is_not_called_new(batches):
    start = datetime(2024, 1, 1, 10, tzinfo=UTC)
    early, late = (
        Row(start=start.replace(minute=m), end=start.replace(minute=m + 5)) for m in (0, 5)
    )
    spec = [("window", "struct<start:timestamp,end:timestamp>", True), ("n", "int", True)]
    columns, made = batches(
        "update", spec, [(early, n) for n in range(500)], [(late, 1)], [(late, 2)]
    )
    passed = replace(made[2].progress, watermark="2024-01-01T10:05:00.000Z")
    table = folded(columns, made[:2], key=(0, 1))
    assert table.more
    assert table.before == {}
    table = fold(table, replace(made[2], progress=passed))
    assert (list(table.rows.values()), table.before) == ([(late, 2)], {})
    assert len(table.removed) == len(table.closed) == 500
    assert "50 of 500 removed" in lines(table)[-1]


def test_a_result_that_is_small_again_is_whole_again(batches):
    columns, made = batches("complete", TOTALS, MANY[:500], MANY[:2], [*MANY[:2], ("zoe", 1)])
    table = folded(columns, [cut(made[0], 600), made[1]])
    assert (table.more, table.total) == (False, 2)
    table = fold(table, made[2])
    assert [table.sign(key) for key in table.rows] == ["·", "·", "+"]


# The second one is a clock's milliseconds, taken for seconds: Python has no such year.
@pytest.mark.parametrize("mark", ["2024-01-01T10:05:00.000Z", "+56387-01-16T15:59:00.000Z"])
def test_closed_windows_do_not_grow_without_bound(batches, mark):
    start = datetime(2024, 1, 1, 10, tzinfo=UTC)
    window = Row(start=start, end=start.replace(minute=5))
    spec = [("window", "struct<start:timestamp,end:timestamp>", True), ("n", "int", True)]
    columns, made = batches(
        "update", spec, *[[(window, n) for n in range(k, k + 300)] for k in (0, 300, 600)]
    )
    over = replace(made[0].progress, watermark=mark)
    table = folded(columns, [replace(batch, progress=over) for batch in made], key=(0, 1))
    assert len(table.closed) == 500
    assert (window, 899) in table.closed.values()


def test_more_columns_than_fit_are_counted(batches):
    wide = [(f"c{i}", "int", False) for i in range(11)]
    columns, made = batches("append", wide, [tuple(range(11))])
    text = lines(folded(columns, made, key=None))
    assert text[2].split() == [f"c{i}" for i in range(8)]
    assert text[-1].endswith("+3 columns")


def test_null_and_nan_keys_stay_the_same_row(batches):
    one, two = (float(text) for text in ("nan", "nan"))
    columns, made = batches("complete", TOTALS, [(None, 1), ("a", one)], [(None, 2), ("a", two)])
    table = folded(columns, made)
    assert [table.sign(key) for key in table.rows] == ["·", "Δ"]
    assert lines(table)[-2].split() == ["Δ", "null", "1", "→", "2"]


def test_values_never_become_html(batches):
    bad = "<script>alert(1)</script>\"'>"
    columns, made = batches("append", [(bad, "string", False)], [(bad,)])
    html = render(folded(columns, made, key=None), 50).still
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_keys_in_attributes_are_escaped(batches):
    columns, made = batches("update", TOTALS, [('"><img src=x onerror=alert(1)>', 1)])
    assert "<img" not in render(folded(columns, made), 50).still


def test_a_long_text_is_cut_and_kept_in_the_title(batches):
    columns, made = batches("append", [("text", "string", False)], [("x" * 10_000,)])
    frame = render(folded(columns, made, key=None), 50)
    assert "x" * 39 + "…" in frame.text
    assert "x" * 41 not in frame.text
    assert len(frame.still) < 12_000


def test_the_key_is_what_the_query_groups_by_even_when_it_is_a_number():
    assert guess_key((Column("month", "int", True), Column("count", "bigint", False))) == (0,)


def test_without_a_plan_the_key_is_what_is_not_a_number():
    columns = (Column("name", "string"), Column("n", "bigint"), Column("day", "date"))
    assert guess_key(columns) == (0, 2)


def test_numbers_as_keys_are_in_number_order(batches):
    months = [("month", "int", True), ("rows", "bigint", False)]
    columns, made = batches("complete", months, [(10, 1), (9, 1), (1, 1)])
    assert [line.split()[1] for line in lines(folded(columns, made))[3:6]] == ["1", "9", "10"]
