"""What a page gets: messages of a bounded size, the newest frame first, costly ones at a pace."""

import json
import time
from queue import SimpleQueue
from types import SimpleNamespace

import pytest

from labkit.engine.listener import Ended
from labkit.engine.watching import RUNNING, STOPPED, WORDS, State
from labkit.views import registry
from labkit.views.frame import Frame, Page, Undrawn
from labkit.views.runner import MAX_SHARE, MIN_PAUSE_S, Runner
from labkit.views.view import MESSAGE_BYTES, View, newest_that_fit
from labkit.waiting import wait_until

STATE = State(RUNNING, WORDS[RUNNING])


def frame(number, kilobytes=1):
    page = Page("", "x" * int(1000 * kilobytes))
    return Frame(number, number, "counts", "", f"Batch {number}: one.", (page,), f"text {number}")


def later(number, drawn):
    def draw():
        drawn.append(number)
        return frame(number)

    return Undrawn(number, number, draw)


class Source:
    """A reader whose frames a test gives; nothing else runs."""

    name = "counts"
    query = None

    def __init__(self):
        self.inbox, self.waiting, self.newest, self.code = SimpleQueue(), [], -1, RUNNING

    def open(self):
        return self.inbox

    def close(self, inbox):
        pass

    def latest(self):
        return self.newest

    def backlog(self):
        while self.waiting:
            yield self.waiting.pop(0)

    def read(self, _):
        yield from self.backlog()

    def state(self):
        return State(self.code, WORDS[self.code])

    def give(self, *frames):
        self.waiting += [SimpleNamespace(number=made.batch, frame=made) for made in frames]
        self.newest = frames[-1].batch
        self.inbox.put(SimpleNamespace())

    def end(self):
        self.code = STOPPED
        self.inbox.put(Ended())


class Widget:
    """Stands for the page: it keeps what it is sent, in order."""

    def __init__(self):
        self.messages, self.news = [], []

    def __setattr__(self, name, value):
        if name == "sent":
            self.messages.append(value)
            self.news.append([f["batch"] for f in value["frames"]])
        else:
            super().__setattr__(name, value)

    def send(self, message):
        self.messages.append(message)

    @property
    def batches(self):
        return [[f["batch"] for f in message["frames"]] for message in self.messages]

    @property
    def all_batches(self):
        return [batch for message in self.batches for batch in message]


@pytest.fixture
def opened(monkeypatch):
    """Return a source, a view that shows the frames it is given, and its page."""
    monkeypatch.setattr(registry, "remember", lambda _: None)
    source = Source()
    view = View("table", source, frame(-1), fold=lambda _, item: item.frame, render=lambda f: f)
    view._widget = Widget()
    yield source, view, view._widget
    view.close()


def sizes(messages):
    return [len(json.dumps(message, ensure_ascii=False).encode()) for message in messages]


def test_a_message_takes_the_newest_frames_that_fit():
    left, taken = newest_that_fit([frame(n, 15) for n in range(5)])
    assert [made.batch for made in left] == [0, 1, 2]
    assert [message["batch"] for message in taken] == [3, 4]


def test_a_frame_alone_is_sent_however_large_it_is():
    left, taken = newest_that_fit([frame(0), frame(1, 60)])
    assert ([made.batch for made in left], [m["batch"] for m in taken]) == ([0], [1])


def test_no_message_grows_and_every_frame_comes_once(opened):
    _, view, page = opened
    rest = view._show([frame(n, 12) for n in range(20)], STATE)
    while rest:
        rest = view._show(rest, STATE)
    assert page.news == [[17, 18, 19]]  # what comes later is for going back, and no news
    assert page.batches[1:3] == [[14, 15, 16], [11, 12, 13]]
    assert sorted(page.all_batches) == list(range(20))
    assert max(sizes(page.messages)) <= MESSAGE_BYTES + 500  # the state beside the frames


def test_a_new_state_is_told_even_when_only_older_frames_wait(opened):
    _, view, page = opened
    rest = view._show([frame(n, 30) for n in range(3)], STATE)
    waiting = State("waiting", "Waiting for data")
    assert view._show(rest, waiting) == rest
    assert page.news[-1] == [2]
    assert page.messages[-1]["code"] == "waiting"


def test_a_costly_frame_is_drawn_only_for_a_page_and_one_at_a_time(opened):
    _, view, page = opened
    drawn = []
    frames = [later(n, drawn) for n in range(4)]
    view._widget = None
    assert view._show(frames, STATE) == []
    assert drawn == []
    view._widget = page
    rest = view._show(frames, STATE)
    assert drawn == [3]
    view._show(rest, STATE)
    assert drawn == [3, 2]
    assert view._latest is frames[-1]


def test_what_waits_is_sent_when_the_query_has_ended(opened):
    source, view, page = opened
    drawn = []
    source.give(*(later(n, drawn) for n in range(8)))
    view.catch_up()
    source.end()
    wait_until(lambda: not view.alive, what="the view goes on", timeout_s=10)
    assert sorted(drawn) == list(range(8))
    assert set(page.all_batches) >= set(range(8))
    assert view._latest.batch == 7


def test_a_closed_view_draws_no_more_than_its_newest_frame(opened):
    source, view, _ = opened
    drawn = []
    view._runner._pause_s = 60
    view._runner._shown_at = time.monotonic()
    source.give(*(later(n, drawn) for n in range(8)))
    view.catch_up()
    view.close()
    assert drawn == [7]


def test_a_page_that_is_loaded_again_gets_every_frame(opened):
    source, view, page = opened
    source.give(*(frame(n, 12) for n in range(9)))
    view.catch_up()
    page.messages.clear()
    view._do(page, {"do": "frames"}, None)
    assert page.batches == [[6, 7, 8], [3, 4, 5], [0, 1, 2]]


@pytest.mark.parametrize("cost_s", [0, 0.03])
def test_a_costly_picture_is_followed_by_a_longer_pause(cost_s):
    def show(*_):
        end_s = time.thread_time() + cost_s
        while time.thread_time() < end_s:
            pass
        return []

    runner = Runner(Source(), frame(-1), fold=None, render=None, show=show)
    runner._flush()
    if cost_s:
        assert runner._pause_s >= cost_s / MAX_SHARE
    else:
        assert runner._pause_s == MIN_PAUSE_S
