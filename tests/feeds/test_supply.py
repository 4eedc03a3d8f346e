from labkit.events.script import Script
from labkit.feeds.supply import event_supply, in_batches


def test_batches_and_a_shorter_last_one():
    supply = in_batches(range(5), 2)
    assert [supply.step() for _ in range(4)] == [[0, 1], [2, 3], [4], []]


def test_a_script_goes_by_its_blocks():
    script = Script("10:00 1\n10:01 2\n\n10:02 3\n\n\n10:03 4", columns="n int")
    supply = event_supply(script, batch=100)
    steps = [[event.value["n"] for event in supply.step()] for _ in range(4)]
    assert steps == [[1, 2], [3], [4], []]


def test_after_single_events_a_scripts_step_is_the_rest_of_the_block():
    script = Script("10:00 1\n10:01 2\n10:02 3\n\n10:03 4", columns="n int")
    supply = event_supply(script, batch=1)
    assert len(supply.take(2)) == 2
    assert [event.value["n"] for event in supply.step()] == [3]
    assert [event.value["n"] for event in supply.step()] == [4]


def test_events_come_in_batches(numbers):
    supply = event_supply(numbers(), batch=3)
    assert [event.value["n"] for event in supply.step() + supply.step()] == [1, 2, 3, 4, 5, 6]
