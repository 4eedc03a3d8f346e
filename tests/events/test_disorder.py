"""Late, duplicated and paused: shares, bounds, and what stays in order."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from labkit.errors import InvalidArgument
from labkit.events.clicks import Clicks
from labkit.events.lines import Lines
from labkit.events.orders import Orders
from labkit.events.script import Script
from labkit.events.sensors import Sensors
from labkit.events.stocks import Stocks

COUNT = 10_000
LATE_SECOND = 4  # the seed with which late(share=0.3) of a script chooses its second row
KINDS = [Lines, Orders, Clicks, Sensors]


def lateness_s(events):
    """Return how far each event's time is behind the newest one that arrived before it."""
    newest = datetime.min.replace(tzinfo=UTC)
    behind = []
    for event in events:
        behind.append(max(0.0, (newest - event.at).total_seconds()))
        newest = max(newest, event.at)
    return behind


def in_four_sigma(hits, share, count=COUNT):
    return abs(hits - share * count) < 4 * (count * share * (1 - share)) ** 0.5


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.05, 0.1, 0.5])
def test_late_share_and_delays_are_as_asked(kind, share):
    # Steps of five seconds for all kinds: the bound of a delay is met by some other arrival.
    events = kind(every_s=5).late(share=share, by_s=(60, 600)).take(COUNT)
    delays = [delay for delay in lateness_s(events) if delay]
    on_the_way = share * 120  # events that 600 s hold at most, chosen but not arrived yet
    assert in_four_sigma(len(delays) + on_the_way / 2, share)
    assert min(delays) >= 60
    assert max(delays) <= 600
    assert max(delays) - min(delays) > 500


def test_late_keeps_every_event_once_and_the_order_of_the_others():
    source = list(Stocks(tickers=["AAPL", "IBM"]))
    days = 86_400
    disordered = list(Stocks(tickers=["AAPL", "IBM"]).late(0.2, by_s=(10 * days, 30 * days)))
    names = [(event.at, event.key) for event in disordered]
    assert sorted(names) == [(event.at, event.key) for event in source]
    late = {name for name, delay in zip(names, lateness_s(disordered), strict=True) if delay}
    others = [name for name in names if name not in late]
    assert others == sorted(others)
    assert in_four_sigma(len(late), 0.2, len(source))


def test_a_late_event_keeps_its_row():
    rows = {event.value["order_id"]: event for event in Orders().take(2_000)}
    for event in Orders().late(share=0.3).take(1_500):
        assert event == rows[event.value["order_id"]]


def test_late_nobody_is_the_same_stream_and_a_script_ends_with_everything():
    assert Orders().late(share=0).take(100) == Orders().take(100)
    rows = Script("10:00 1\n10:05 2\n10:06 3", columns="n int")
    assert sorted(e.value["n"] for e in rows.late(share=0.9, by_s=(60, 60))) == [1, 2, 3]


def test_a_late_event_arrives_behind_the_first_one_that_is_its_delay_ahead():
    # With this seed the second of four rows is late, by exactly one minute.
    rows = Script("10:00 1\n10:01 2\n10:02 3\n10:03 4", columns="n int")
    arrivals = [e.value["n"] for e in rows.late(share=0.3, by_s=(60, 60), seed=LATE_SECOND)]
    assert arrivals == [1, 3, 2, 4]


def test_the_delay_of_a_straggler_counts_from_its_arrival():
    # The second row is a straggler already; a minute later by the stream's time is 10:11.
    rows = Script("10:10 1\n10:00 2\n10:10:30 3\n10:11 4\n10:12 5", columns="n int")
    arrivals = [e.value["n"] for e in rows.late(share=0.3, by_s=(60, 60), seed=LATE_SECOND)]
    assert arrivals == [1, 3, 4, 2, 5]


def test_late_across_a_pause_does_not_wait_for_its_end_longer_than_allowed():
    events = Orders().paused(after=100, for_s=86_400).late(share=0.5, by_s=(60, 600)).take(300)
    assert max(lateness_s(events)) <= 600


@pytest.mark.parametrize("share", [0.02, 0.3])
def test_duplicated_share_and_distance_are_as_asked(share):
    events = Orders().duplicated(share=share, within=10).take(COUNT)
    firsts, distances = {}, []
    source_index = -1
    for event in events:
        number = event.value["order_id"]
        if number in firsts:
            distances.append(source_index - firsts[number][0])
            assert event == firsts[number][1]
        else:
            source_index += 1
            firsts[number] = source_index, event
    assert in_four_sigma(len(distances), share, len(firsts))
    assert set(distances) == set(range(1, 11))
    once = list(dict.fromkeys(event.value["order_id"] for event in events))
    assert once == sorted(once)


def test_duplicated_share_one_doubles_a_finite_stream():
    numbers = Counter(e.key for e in Stocks(years=[2012]).duplicated(share=1, within=3))
    assert numbers == {"AAPL": 500, "GOOG": 500, "IBM": 500, "MSFT": 500}


@pytest.mark.parametrize("kind", KINDS)
def test_paused_shifts_everything_after(kind):
    plain, paused = kind().take(200), kind().paused(after=80, for_s=600).take(200)
    assert paused[:80] == plain[:80]
    shift = timedelta(seconds=600)
    assert [event.at for event in paused[80:]] == [event.at + shift for event in plain[80:]]
    if kind.time:
        assert all(event.value[kind.time] == event.at for event in paused)


def test_a_pause_begins_after_that_many_events_also_within_one_second():
    rows = Script("10:00 1\n10:00 2\n10:00 3", columns="n int").paused(after=2, for_s=600)
    assert [f"{event.at:%H:%M}" for event in rows] == ["10:00", "10:00", "10:10"]


def test_paused_moves_dates_by_whole_days():
    first, second = Stocks(tickers=["IBM"], years=[2012]).paused(1, for_s=3 * 86_400).take(2)
    assert [str(first.value["Date"]), str(second.value["Date"])] == ["2012-01-03", "2012-01-07"]
    assert type(second.value["Date"]) is type(first.value["Date"])


@pytest.mark.parametrize("after", range(85, 130))
def test_nothing_happens_in_a_pause_also_when_late_events_and_copies_arrive_after_it(after):
    inner = Orders(every_s=1).late(share=0.2, by_s=(5, 30)).duplicated(share=0.3)
    events = inner.paused(after=after, for_s=600).take(400)
    front = max(event.at for event in events[:after])
    assert not [e for e in events if front < e.at < front + timedelta(seconds=600)]
    known = {event.value["order_id"]: event for event in Orders(every_s=1).take(500)}
    early = [event for event in events if event.at <= front]
    assert all(event == known[event.value["order_id"]] for event in early)
    assert any(event.at < front for event in events[after:])
    for event in events:
        assert event.value["event_time"] == event.at
    # A row that came twice came twice with the same time.
    assert len({(e.value["order_id"], e.at) for e in events}) == len(
        {e.value["order_id"] for e in events}
    )


def test_they_go_together_in_every_order_and_change_nothing_inside():
    orders = Orders()
    before = orders.take(300)
    late, doubled, paused = (
        lambda s: s.late(share=0.2),
        lambda s: s.duplicated(share=0.2),
        lambda s: s.paused(after=50),
    )
    for one, two, three in [
        (late, doubled, paused),
        (paused, late, doubled),
        (doubled, paused, late),
    ]:
        stream = three(two(one(orders)))
        assert (stream.name, stream.schema, stream.time) == ("orders", Orders.schema, "event_time")
        assert stream.take(300) == stream.take(300)
    assert orders.take(300) == before


def test_each_disorder_has_draws_of_its_own():
    streams = [Orders().late(), Orders().late().late(), Orders().duplicated(), Clicks().late()]
    assert len({"orders", *(stream.lineage for stream in streams)}) == 5


def test_disorder_twice_draws_anew_and_a_seed_of_its_own_changes_it():
    once = Orders().late(share=0.1)
    late_of = [event.value["order_id"] for event in once.take(3_000)]
    twice = [event.value["order_id"] for event in once.late(share=0.1).take(3_000)]
    assert sum(lateness_s(once.late(share=0.1).take(3_000))) > 1.5 * sum(
        lateness_s(once.take(3_000))
    )
    assert late_of != twice
    other = [event.value["order_id"] for event in Orders().late(share=0.1, seed=8).take(3_000)]
    assert other != late_of
    assert other == [e.value["order_id"] for e in Orders().late(share=0.1, seed=8).take(3_000)]


@pytest.mark.parametrize(
    ("make", "code", "name"),
    [
        (lambda s: s.late(share=-0.1), "OUT_OF_RANGE", "share"),
        (lambda s: s.late(share=1), "OUT_OF_RANGE", "share"),
        (lambda s: s.late(share="0.1"), "WRONG_TYPE", "share"),
        (lambda s: s.late(by_s=60), "WRONG_TYPE", "by_s"),
        (lambda s: s.late(by_s=(60, 600, 900)), "WRONG_TYPE", "by_s"),
        (lambda s: s.late(by_s=(-1, 600)), "OUT_OF_RANGE", "by_s[0]"),
        (lambda s: s.late(by_s=(600, 60)), "OUT_OF_RANGE", "by_s[1]"),
        (lambda s: s.late(seed=-1), "OUT_OF_RANGE", "seed"),
        (lambda s: s.duplicated(share=1.5), "OUT_OF_RANGE", "share"),
        (lambda s: s.duplicated(within=0), "OUT_OF_RANGE", "within"),
        (lambda s: s.duplicated(within=1.5), "WRONG_TYPE", "within"),
        (lambda s: s.duplicated(seed="a"), "WRONG_TYPE", "seed"),
        (lambda s: s.paused(after=-1), "OUT_OF_RANGE", "after"),
        (lambda s: s.paused(after=1.0), "WRONG_TYPE", "after"),
        (lambda s: s.paused(for_s=0), "OUT_OF_RANGE", "for_s"),
        (lambda s: s.paused(for_s=1e9), "OUT_OF_RANGE", "for_s"),
    ],
)
def test_a_bad_argument_is_named(make, code, name):
    with pytest.raises(InvalidArgument) as caught:
        make(Orders())
    assert caught.value.code == code
    assert caught.value.params["name"] == name
