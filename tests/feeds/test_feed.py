import threading
from pathlib import Path

import pytest

import labkit as lab
from labkit.errors import Conflict, InvalidArgument, NotFound, NotReady, Unreachable
from labkit.feeds import delivery
from labkit.feeds.feed import drip, feed, stop_all_feeds, stop_feed
from labkit.feeds.folder import folder
from labkit.feeds.socket_server import socket
from labkit.waiting import wait_until


class Memory:
    """A target in memory that can be told to fail."""

    kind = "memory"
    name = "memory"
    place = "memory"

    def __init__(self):
        self.steps = []
        self.failure = None
        self.is_ready = True
        self.closed = 0

    def run(self, events, *, key=None):
        self.events, self.key = events, key
        return self

    def ready(self, timeout_s):  # noqa: ARG002 (the protocol's)
        return self.is_ready

    def write(self, items, *, timeout_s):  # noqa: ARG002 (the protocol's)
        if self.failure:
            raise self.failure
        self.steps.append([event.value["n"] for event in items])

    def arrival(self, query):  # noqa: ARG002 (the protocol's)
        return lambda: True

    def close(self):
        self.closed += 1


@pytest.fixture
def memory():
    return Memory()


def test_a_step_is_a_batch_of_events(memory, numbers):
    stream = feed(numbers(), to=memory, batch=2)
    assert stream.step() == 2
    assert stream.step(2) == 4
    assert memory.steps == [[1, 2], [3, 4], [5, 6]]
    assert stream.sent == 6


def test_ten_events_are_the_default(memory, numbers):
    assert feed(numbers(), to=memory).step(3) == 30


def test_a_script_goes_by_its_blocks(visible):
    script = lab.Script("10:00 1\n10:01 2\n\n10:02 3", columns="n int")
    stream = feed(script, to=folder("script"), batch=100)
    assert [stream.step(), stream.step()] == [2, 1]
    assert len(visible(stream)) == 2


def test_the_end_of_a_description_is_said_in_words(memory, numbers):
    stream = feed(numbers(5), to=memory, batch=2)
    assert stream.step(10) == 5
    with pytest.raises(NotFound) as caught:
        stream.step()
    assert (caught.value.code, caught.value.params["count"]) == ("EXHAUSTED", 5)
    assert memory.steps == [[1, 2], [3, 4], [5]]


def test_each_step_waits_for_the_query(memory, numbers, fake_query):
    seen = []
    query = fake_query(lambda: seen.append(len(memory.steps)))
    feed(numbers(), to=memory).step(3, query)
    assert seen == [0, 1, 2, 3]  # before the first step, and after each


def test_a_stopped_query_is_refused_before_anything_is_sent(memory, numbers, fake_query):
    query = fake_query()
    query.isActive = False
    stream = feed(numbers(), to=memory)
    with pytest.raises(InvalidArgument) as caught:
        stream.step(1, query)
    assert caught.value.code == "STOPPED"
    assert (memory.steps, stream.sent) == ([], 0)


def test_a_query_that_fails_raises_its_own_exception(memory, numbers, fake_query):
    def fail_once_there_is_data():
        if memory.steps:
            raise ZeroDivisionError

    stream = feed(numbers(), to=memory)
    with pytest.raises(ZeroDivisionError):
        stream.step(3, fake_query(fail_once_there_is_data))
    assert stream.sent == 10  # the step did arrive


def test_a_query_that_hangs_is_named_with_the_step(memory, numbers, fake_query, monkeypatch):
    monkeypatch.setenv("LABKIT_PATIENCE", "4")
    release = threading.Event()
    query = fake_query(lambda: memory.steps and release.wait(30))
    with pytest.raises(NotReady) as caught:
        feed(numbers(), to=memory).step(2, query, timeout_s=0.05)
    assert "step 1 of 2" in caught.value.params["what"]
    assert caught.value.params["timeout_s"] == 0.05 * 4
    release.set()


def test_events_of_a_failed_step_are_sent_by_the_next_one(memory, numbers):
    stream = feed(numbers(), to=memory, batch=2)
    memory.failure = Unreachable("UNREACHABLE")
    with pytest.raises(Unreachable):
        stream.step()
    assert stream.sent == 0
    memory.failure = None
    stream.step(2)
    assert memory.steps == [[1, 2], [3, 4]]


def test_nobody_to_receive_is_said_and_nothing_is_lost(numbers, monkeypatch):
    monkeypatch.setattr(delivery, "RECEIVER_S", 0.05)
    stream = feed(numbers(), to=socket())
    with pytest.raises(NotReady) as caught:
        stream.step()
    assert caught.value.code == "NOT_READY"
    assert stream.sent == 0


def test_at_a_rate_events_come_in_order_and_stop_ends_it(memory, numbers):
    stream = feed(numbers(), to=memory)
    stream.start(rate_per_s=1000)
    wait_until(lambda: stream.sent > 100, what="nothing was sent", timeout_s=10)
    stream.stop()
    sent = stream.sent
    assert not stream.is_running
    assert [n for step in memory.steps for n in step] == list(range(1, sent + 1))
    stream.step()
    assert stream.sent == sent + 10


def test_a_rate_can_end_by_itself(memory, numbers):
    stream = feed(numbers(), to=memory)
    stream.step()
    stream.start(rate_per_s=5000, count=77)
    wait_until(lambda: not stream.is_running, what="it went on", timeout_s=10)
    assert stream.sent == 87
    stream = feed(numbers(30), to=memory)
    stream.start(rate_per_s=5000)
    wait_until(lambda: not stream.is_running, what="it went on", timeout_s=10)
    assert stream.sent == 30


def test_start_again_sets_another_rate(memory, numbers):
    stream = feed(numbers(), to=memory)
    stream.start(rate_per_s=0.001)
    stream.start(rate_per_s=5000)
    wait_until(lambda: stream.sent, what="nothing was sent", timeout_s=10)
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("feed memory") == 1
    stream.stop()


def test_at_a_rate_it_waits_for_somebody_to_receive(memory, numbers):
    memory.is_ready = False
    stream = feed(numbers(), to=memory)
    asked = []
    memory.ready = lambda _: asked.append(1) or memory.is_ready
    stream.start(rate_per_s=100)
    wait_until(lambda: len(asked) > 2, what="it did not ask", timeout_s=10)
    assert stream.sent == 0
    memory.is_ready = True
    wait_until(lambda: stream.sent, what="nothing was sent", timeout_s=10)
    assert len(memory.steps[0]) == 25  # no burst of what was due while nobody listened
    stream.stop()


def test_at_a_rate_it_outlives_a_servers_restart(memory, numbers):
    memory.failure = Unreachable("UNREACHABLE")
    tries = []
    write = memory.write
    memory.write = lambda items, *, timeout_s: tries.append(1) or write(items, timeout_s=timeout_s)
    stream = feed(numbers(), to=memory)
    stream.start(rate_per_s=100)
    wait_until(lambda: len(tries) > 1, what="it gave up", timeout_s=10)
    memory.failure = None
    wait_until(lambda: stream.sent > 50, what="nothing was sent", timeout_s=10)
    stream.stop()
    assert [n for step in memory.steps for n in step] == list(range(1, stream.sent + 1))


def test_at_a_rate_it_gives_up_on_a_server_that_stays_away(memory, numbers, monkeypatch):
    monkeypatch.setattr(delivery, "OUTAGE_S", 0)
    memory.failure = Unreachable("UNREACHABLE")
    stream = feed(numbers(), to=memory)
    stream.start(rate_per_s=1000)
    wait_until(lambda: not stream.is_running, what="it went on", timeout_s=10)
    assert isinstance(stream.error, Unreachable)
    stream.close()  # closing is quiet


@pytest.mark.parametrize("call", ["step", "stop", "start"])
def test_an_error_in_the_thread_is_kept_and_raised_once(call, memory, numbers, capfd):
    memory.failure = ZeroDivisionError()
    stream = feed(numbers(), to=memory)
    stream.start(rate_per_s=1000)
    wait_until(lambda: stream.error, what="no error was kept", timeout_s=10)
    with pytest.raises(ZeroDivisionError):
        stream.start(1) if call == "start" else getattr(stream, call)()
    assert stream.error is None
    memory.failure = None
    stream.stop()
    assert stream.step() == 250  # the delivery that failed
    assert capfd.readouterr() == ("", "")


def test_the_end_of_with_closes_the_feed(memory, numbers):
    with feed(numbers(), to=memory) as stream:
        stream.start(rate_per_s=10)
    assert not stream.is_running
    assert memory.closed == 1
    with pytest.raises(Conflict) as caught:
        stream.step()
    assert caught.value.code == "STOPPED"


def test_the_end_of_with_raises_the_threads_error_but_hides_no_other(memory, numbers):
    memory.failure = ZeroDivisionError()

    def run(also=None):
        with feed(numbers(), to=memory) as stream:
            stream.start(rate_per_s=1000)
            wait_until(lambda: stream.error, what="no error was kept", timeout_s=10)
            if also:
                raise also

    with pytest.raises(ZeroDivisionError):
        run()
    with pytest.raises(KeyError):
        run(KeyError())


def test_the_same_name_replaces_the_older_feed(numbers):
    older_target, newer_target = Memory(), Memory()
    older = feed(numbers(), to=older_target, name="same")
    older.start(rate_per_s=100)
    newer = feed(numbers(), to=newer_target, name="same")
    assert not older.is_running
    assert older_target.closed == 1
    with pytest.raises(Conflict) as caught:
        older.start(rate_per_s=1)
    assert caught.value.code == "STOPPED"
    assert newer.step() == 10


def test_a_feed_to_the_same_target_leaves_it_open(memory, numbers):
    feed(numbers(), to=memory)
    feed(numbers(), to=memory).step()
    assert memory.closed == 0


def test_a_folder_made_anew_ends_the_feed_that_wrote_to_it(numbers, visible):
    older = feed(numbers(), to=folder("anew"), name="older")
    older.start(rate_per_s=1000)
    wait_until(lambda: older.sent, what="nothing was sent", timeout_s=10)
    target = folder("anew")
    assert not older.is_running
    assert visible(target) == []


def test_stop_by_name(memory, numbers):
    stream = feed(numbers(), to=memory, name="by name")
    stream.start(rate_per_s=100)
    assert stop_feed("by name")
    assert not stream.is_running
    assert not stop_feed("by name")
    stop_all_feeds()
    stop_all_feeds()


def test_names_come_from_the_place_or_the_events(numbers):
    assert feed(numbers(), to=folder("place")).name == "place"
    assert feed(numbers(), to=socket()).name == "numbers"


def test_the_address_of_the_place(numbers):
    to_folder = feed(numbers(), to=folder("address"))
    assert to_folder.path == to_folder.target.path
    to_socket = feed(numbers(), to=socket())
    assert (to_socket.host, to_socket.port) == (to_socket.target.host, to_socket.target.port)
    assert "path" in dir(to_folder)
    assert {"host", "port"} <= set(dir(to_socket))
    assert "path" not in dir(to_socket)
    for missing in ("port", "nonsense"):
        with pytest.raises(AttributeError):
            getattr(to_folder, missing)


def test_its_repr_tells_no_values(numbers):
    stream = feed(numbers(), to=folder("repr"))
    stream.step()
    assert repr(stream) == "<feed 'repr' to a folder>"


def test_drip_copies_files_unchanged_in_name_order(tmp_path, visible):
    for name in ("b.csv", "a.csv"):
        (tmp_path / name).write_text(f"content of {name}\r\n")
    stream = drip(f"{tmp_path}/*.csv", to=folder("drip"))
    assert stream.step() == 1
    assert visible(stream) == ["a-1-000001.csv"]
    assert stream.step(5) == 1
    assert stream.sent == 2
    copied = Path(stream.path) / "b-1-000002.csv"
    assert copied.read_bytes() == (tmp_path / "b.csv").read_bytes()
    with pytest.raises(NotFound) as caught:
        stream.step()
    assert caught.value.code == "EXHAUSTED"


def test_drip_of_the_courses_own_files(visible):
    stream = drip(lab.data("stocks/AAPL_201*.csv"), to=folder("stocks"))
    assert stream.step(2) == 2
    assert visible(stream)[0].startswith("AAPL_201")


@pytest.mark.parametrize(
    ("arguments", "code", "name"),
    [
        ({"events": "orders"}, "WRONG_TYPE", "events"),
        ({"to": "folder"}, "WRONG_TYPE", "to"),
        ({"batch": 0}, "OUT_OF_RANGE", "batch"),
        ({"batch": 1.5}, "WRONG_TYPE", "batch"),
        ({"key": "nobody"}, "UNKNOWN_CHOICE", "key"),
        ({"key": "who"}, "WRONG_TYPE", "to"),
        ({"name": 7}, "WRONG_TYPE", "name"),
        ({"name": ""}, "OUT_OF_RANGE", "name"),
    ],
)
def test_bad_arguments_of_feed(arguments, code, name, memory, numbers):
    arguments = {"events": numbers(), "to": memory, **arguments}
    with pytest.raises(InvalidArgument) as caught:
        feed(arguments.pop("events"), **arguments)
    assert (caught.value.code, caught.value.params["name"]) == (code, name)


@pytest.mark.parametrize(
    ("arguments", "code", "name"),
    [
        ({"count": 0}, "OUT_OF_RANGE", "count"),
        ({"count": "3"}, "WRONG_TYPE", "count"),
        ({"timeout_s": 0}, "OUT_OF_RANGE", "timeout_s"),
        ({"query": "totals"}, "WRONG_TYPE", "query"),
    ],
)
def test_bad_arguments_of_step(arguments, code, name, memory, numbers):
    with pytest.raises(InvalidArgument) as caught:
        feed(numbers(), to=memory).step(**arguments)
    assert (caught.value.code, caught.value.params["name"]) == (code, name)
    assert memory.steps == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"rate_per_s": -1}, "OUT_OF_RANGE"),
        ({"rate_per_s": 5001}, "OUT_OF_RANGE"),
        ({"rate_per_s": "fast"}, "WRONG_TYPE"),
        ({"rate_per_s": 1, "count": 0}, "OUT_OF_RANGE"),
    ],
)
def test_bad_arguments_of_start(arguments, code, memory, numbers):
    stream = feed(numbers(), to=memory)
    with pytest.raises(InvalidArgument) as caught:
        stream.start(**arguments)
    assert caught.value.code == code
    assert not stream.is_running


def test_bad_arguments_of_drip(tmp_path, memory):
    with pytest.raises(NotFound) as missing:
        drip(f"{tmp_path}/*.csv", to=folder("x"))
    assert missing.value.code == "NOT_FOUND"
    (tmp_path / "a.csv").write_text("")
    with pytest.raises(InvalidArgument) as caught:
        drip(f"{tmp_path}/*.csv", to=memory)
    assert (caught.value.code, caught.value.params["name"]) == ("WRONG_TYPE", "to")
