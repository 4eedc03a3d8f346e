import threading
from itertools import pairwise

import pytest

from labkit.errors import InvalidArgument
from labkit.feeds.pace import Pace, Schedule
from labkit.waiting import wait_until


class HandClock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def play(rate_per_s, seconds, *, late_s=0.0):
    """Let a schedule run on a hand-moved clock; return (time, count) of each delivery."""
    clock = HandClock()
    schedule = Schedule(rate_per_s, clock=clock)
    deliveries = []
    while True:
        clock.now += schedule.wait_s() + late_s
        if clock.now > 1000 + seconds:
            return deliveries
        deliveries.append((clock.now - 1000, schedule.due()))


@pytest.mark.parametrize("rate_per_s", [0.5, 1, 3, 4, 7.3, 100, 2000, 4999.9, 5000])
def test_the_count_is_exact_after_whole_slots(rate_per_s):
    seconds = 1000
    sent = sum(count for _, count in play(rate_per_s, seconds))
    assert abs(sent - rate_per_s * seconds) <= 1


@pytest.mark.parametrize("rate_per_s", [1, 100, 2000])
def test_at_any_moment_the_count_is_off_by_half_a_slot_at_most(rate_per_s):
    total, slot_s = 0, max(0.25, 1 / rate_per_s)
    for at, count in play(rate_per_s, 60):
        assert rate_per_s * at - total <= rate_per_s * slot_s / 2 + 1e-6
        total += count
        assert total - rate_per_s * at <= rate_per_s * slot_s / 2 + 1e-6


@pytest.mark.parametrize("rate_per_s", [1, 3, 100, 5000])
def test_there_are_at_most_four_deliveries_a_second(rate_per_s):
    times = [at for at, _ in play(rate_per_s, 20)]
    assert all(later - earlier > 0.2499 for earlier, later in pairwise(times))


def test_being_late_each_time_adds_nothing_up():
    sent = sum(count for _, count in play(2000, 600, late_s=0.01))
    assert abs(sent - 2000 * 600) <= 2000 * 0.25


@pytest.mark.parametrize(("pause_s", "made_up_for"), [(0.5, 50), (1.0, 100), (60, 100), (1e6, 100)])
def test_a_pause_is_made_up_for_by_one_second_at_most(pause_s, made_up_for):
    clock = HandClock()
    schedule = Schedule(100, clock=clock)
    clock.now += 0.125
    assert schedule.due() == 25
    clock.now += pause_s
    assert schedule.due() == made_up_for
    clock.now += schedule.wait_s()
    assert schedule.due() == 25


def test_rare_events_come_one_by_one_after_a_pause():
    clock = HandClock()
    schedule = Schedule(0.1, clock=clock)
    clock.now += 1000
    assert schedule.due() == 1


@pytest.mark.parametrize("rate_per_s", [0, -1, 5000.1, float("nan"), float("inf"), 1e300])
def test_a_rate_out_of_bounds_is_refused(rate_per_s):
    with pytest.raises(InvalidArgument) as caught:
        Schedule(rate_per_s)
    assert caught.value.code == "OUT_OF_RANGE"
    assert caught.value.params["name"] == "rate_per_s"


@pytest.mark.parametrize("rate_per_s", ["20", None, True])
def test_a_rate_that_is_no_number_is_refused(rate_per_s):
    with pytest.raises(InvalidArgument) as caught:
        Schedule(rate_per_s)
    assert caught.value.code == "WRONG_TYPE"


def test_the_thread_delivers_what_is_due_and_ends_when_there_is_no_more():
    counts = []

    def deliver(count):
        counts.append(count)
        return len(counts) < 2

    pace = Pace(deliver, Schedule(100), name="test pace")
    wait_until(lambda: not pace.is_running, what="the thread did not end", timeout_s=10)
    assert counts == [25, 25]
    assert pace.error is None
    assert "test pace" not in [thread.name for thread in threading.enumerate()]


def test_the_threads_error_is_kept_and_not_printed(capfd):
    pace = Pace(lambda _: 1 / 0, Schedule(5000), name="test pace")
    wait_until(lambda: not pace.is_running, what="the thread did not end", timeout_s=10)
    assert isinstance(pace.error, ZeroDivisionError)
    assert capfd.readouterr() == ("", "")


def test_a_tiny_rate_waits_and_can_be_stopped_at_once():
    pace = Pace(lambda _: True, Schedule(1e-300), name="test pace")
    pace.stop()
    assert not pace.is_running
    assert pace.error is None


def test_stop_does_not_wait_for_a_delivery_that_hangs():
    release, entered = threading.Event(), threading.Event()

    def hang(count):
        entered.set()
        return release.wait(30) and count > 0

    pace = Pace(hang, Schedule(5000), name="test pace")
    assert entered.wait(10)
    pace.stop(timeout_s=0.05)
    assert pace.is_running
    release.set()
    wait_until(lambda: not pace.is_running, what="the thread did not end", timeout_s=10)
