"""Input steps out of batches that drift apart, without Spark."""

import pytest

from labkit.engine.alignment import Alignment, Stop, join_batches
from labkit.engine.batches import Batch
from labkit.engine.progress import from_json
from labkit.engine.side_by_side import Lane

MODES = ("append", "update", "complete")


def batch(mode, number, rows=(), first=None):
    report = f'{{"batchId": {number}, "durationMs": {{"addBatch": 1}}}}'
    start = number if first is None else first
    return Batch(number, start, mode, (), tuple(rows), len(rows), from_json(report), "UTC")


class Course:
    """Feeds an alignment and notes what it says."""

    def __init__(self, modes=MODES):
        self.alignment = Alignment(modes)
        self.seen = []
        self.counts = dict.fromkeys(modes, 0)
        self.batches = dict.fromkeys(modes, -1)

    def data(self, mode, mark, skipped=0):
        self.counts[mode] += 1 + skipped
        self._add(mode, mark)

    def nothing(self, mode, mark):
        self._add(mode, mark)

    def leave(self, mode):
        self._note(self.alignment.leave(mode))

    def _add(self, mode, mark):
        self.batches[mode] += 1
        made = batch(mode, self.batches[mode])
        self._note(self.alignment.add(mode, Stop((mark,), self.counts[mode], 0, [made])))

    def _note(self, changes):
        for _ in changes:
            parts = {m: [b.number for b in p.batches] for m, p in self.alignment.parts.items()}
            self.seen.append((self.alignment.first, self.alignment.step, parts))


@pytest.fixture
def course():
    return Course()


def test_a_step_is_there_when_all_have_read_equally_far(course):
    course.data("append", 5)
    course.data("update", 5)
    assert course.seen == []
    course.data("complete", 5)
    assert course.seen == [(0, 0, {"append": [0], "update": [0], "complete": [0]})]


def test_an_extra_batch_belongs_to_the_step_before_it(course):
    for mode in MODES:
        course.data(mode, 5)
    course.nothing("append", 5)
    course.nothing("update", 5)
    assert course.seen[-1] == (0, 0, {"append": [0, 1], "update": [0, 1], "complete": [0]})
    for mode in MODES:
        course.data(mode, 7)
    assert course.seen[-1] == (1, 1, {"append": [2], "update": [2], "complete": [1]})


def test_an_extra_batch_before_the_others_have_come_waits_with_its_step(course):
    course.data("append", 5)
    course.nothing("append", 5)
    course.data("update", 5)
    course.data("complete", 5)
    assert course.seen == [(0, 0, {"append": [0, 1], "update": [0], "complete": [0]})]


def test_a_query_that_runs_ahead_waits_for_the_others(course):
    for mark in (1, 2, 3):
        course.data("append", mark)
    for mark in (1, 2, 3):
        course.data("update", mark)
        course.data("complete", mark)
    assert [step for _, step, _ in course.seen] == [0, 1, 2]
    assert [parts["append"] for _, _, parts in course.seen] == [[0], [1], [2]]


def test_one_that_takes_two_inputs_at_once_joins_the_steps_of_all(course):
    for mark in (1, 2):
        course.data("append", mark)
        course.data("update", mark)
    course.data("complete", 2)
    assert course.seen == [(0, 1, {"append": [0, 1], "update": [0, 1], "complete": [0]})]
    for mode in MODES:
        course.data(mode, 3)
    assert course.seen[-1][:2] == (2, 2)


def test_a_result_that_was_replaced_unread_joins_its_step_to_the_next(course):
    for mark in (1, 2):
        course.data("append", mark)
        course.data("update", mark)
    course.data("complete", 2, skipped=1)
    assert [seen[:2] for seen in course.seen] == [(0, 1)]


def test_the_others_go_on_without_a_query_that_has_ended(course):
    for mode in MODES:
        course.data(mode, 1)
    course.data("update", 2)
    course.data("complete", 2)
    course.leave("append")
    assert course.seen[-1] == (1, 1, {"update": [1], "complete": [1]})


def test_when_all_have_left_nothing_more_is_compared(course):
    course.data("append", 1)
    for mode in MODES:
        course.leave(mode)
    assert {step for _, step, _ in course.seen} == {-1}


def test_joined_batches_of_append_and_update_hold_the_rows_of_all():
    joined = join_batches([batch("update", 3, [("a", 1)]), batch("update", 4, [("a", 2)])])
    assert (joined.first, joined.number, joined.sent_rows) == (3, 4, 2)
    assert joined.rows == (("a", 1), ("a", 2))


def test_joined_batches_of_complete_are_the_newest_result():
    joined = join_batches([batch("complete", 3, [("a", 1)]), batch("complete", 4, [("a", 2)])])
    assert (joined.first, joined.number, joined.sent_rows) == (3, 4, 1)
    assert joined.rows == (("a", 2),)


class Sink:
    """Gives a batch for every report, as a sink that loses none."""

    def read(self, progress):
        yield batch("append", progress.number)


def marks(description, *moves):
    """Return the marks of a query whose source went through these offsets with so many rows."""
    lane = object.__new__(Lane)
    lane.batches, lane.seen, lane._read = Sink(), -1, []
    lane._places, lane._same, lane._count = (), 0, 0
    found = []
    for number, (start, end, rows) in enumerate(moves):
        source = (
            f'{{"description": "{description}", "startOffset": {start}, "endOffset": {end}, '
            f'"numInputRows": {rows}}}'
        )
        text = f'{{"batchId": {number}, "durationMs": {{"addBatch": 1}}, "sources": [{source}]}}'
        found += [(stop.mark, stop.rows) for stop in lane.read(from_json(text))]
    return found


def test_the_same_files_in_other_batches_meet_at_the_same_row():
    one = marks("FileStreamSource[f]", ("null", 0, 2), (0, 1, 3), (1, 2, 1))
    two = marks("FileStreamSource[f]", ("null", 0, 5), (0, 1, 1))
    assert [mark for mark in one if mark in two] == [one[1], one[2]]


def test_a_file_without_rows_is_a_step_of_its_own():
    found = marks("FileStreamSource[f]", ("null", 0, 2), (0, 1, 0), (1, 1, 0))
    assert found[0][0] != found[1][0]
    assert found[1][0] == found[2][0]  # the last batch has read nothing


def test_of_other_sources_the_offset_counts_and_not_how_many_rows():
    one = marks("KafkaV2[Subscribe[t]]", ("null", '{"t": {"0": 2, "1": 0}}', 2))
    two = marks("KafkaV2[Subscribe[t]]", ("null", '{"t": {"0": 1, "1": 1}}', 2))
    same = marks("KafkaV2[Subscribe[t]]", ("null", '{"t": {"1": 0, "0": 2}}', 2))
    assert one[0][0] != two[0][0]
    assert one[0][0] == same[0][0]


def test_rows_are_counted_from_the_start():
    found = marks("FileStreamSource[f]", ("null", 0, 2), (0, 1, 3))
    assert [rows for _, rows in found] == [2, 5]
