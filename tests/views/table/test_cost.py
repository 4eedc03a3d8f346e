"""What keeps a view cheap, checked by structure: no times (benchmarks/views.py measures those)."""

from functools import reduce

from labkit.engine.batches import MAX_BACKLOG, MAX_ROWS
from labkit.views import runner
from labkit.views.table.model import Table, fold

COLUMNS = [("k", "string", True), ("n", "int", False)]


def test_a_table_holds_at_most_500_rows_however_many_batches_come(batches):
    rows = [[(f"{turn}-{i}", i) for i in range(300)] for turn in range(20)]
    for mode, key in (("append", None), ("append", (0,)), ("update", (0,))):
        columns, made = batches(mode, COLUMNS, *rows)
        table = reduce(fold, made, Table("t", columns, key))
        held = (table.rows, table.before, table.removed, table.closed)
        assert max(map(len, held)) <= MAX_ROWS


def test_a_view_shows_at_most_four_pictures_a_second_and_keeps_sixty():
    assert runner.MIN_PAUSE_S >= 0.25
    assert MAX_BACKLOG == 60
