import socket as net
import threading

import pytest

from labkit import settings
from labkit.errors import Conflict, InvalidArgument, NotReady
from labkit.events.stream import START, Event
from labkit.feeds import socket_server
from labkit.feeds.socket_server import socket


@pytest.fixture
def target():
    target = socket()
    yield target
    target.close()


def connect(target):
    client = net.create_connection((target.host, target.port))
    client.settimeout(10)
    return client


def read_lines(client, count):
    text = b""
    while text.count(b"\n") < count:
        got = client.recv(65536)
        assert got
        text += got
    return text.decode().splitlines()


def test_every_client_gets_every_line_sent_after_it_connected(target, numbers):
    run = target.run(numbers())
    events = numbers().take(4)
    with connect(target) as early:
        run.write(events[:2], timeout_s=1)
        with connect(target) as late:
            run.write(events[2:], timeout_s=1)
            assert len(read_lines(early, 4)) == 4
            lines = read_lines(late, 2)
    assert lines[0] == '{"n":3,"event_time":"2024-01-01T10:00:03Z","who":"who 3"}'
    assert len(lines) == 2


def test_it_is_ready_when_a_client_is_there(target):
    assert not target.wait_for_client(0)
    waiter = threading.Timer(0.05, lambda: clients.append(connect(target)))
    clients = []
    waiter.start()
    assert target.wait_for_client(10)
    waiter.join()
    clients[0].close()
    assert not target.wait_for_client(0)  # it has gone


def test_a_client_that_has_gone_does_not_hold_up_the_others(target, numbers):
    run = target.run(numbers())
    gone, there = connect(target), connect(target)
    assert target.wait_for_client(10)
    gone.close()
    run.write(numbers().take(3), timeout_s=1)
    assert len(read_lines(there, 3)) == 3
    assert target.lines_sent() == {3}
    there.close()


def test_a_client_that_reads_nothing_is_dropped(target, numbers, monkeypatch):
    monkeypatch.setattr(socket_server, "SLOW_CLIENT_S", 0.1)
    run = target.run(numbers())
    big = Event(START, "", {"who": "x" * 2**20})
    slow = connect(target)
    with pytest.raises(NotReady) as caught:
        run.write([big] * 40, timeout_s=1)  # more than the system's buffers hold
    assert caught.value.code == "NOT_READY"
    assert not target.wait_for_client(0)
    slow.close()


def test_a_line_break_in_a_text_does_not_make_two_lines(target):
    class Texts:
        schema = "value string"

    run = target.run(Texts())
    with connect(target) as client:
        run.write([Event(START, "", {"value": "a\nb"})], timeout_s=1)
        assert read_lines(client, 1) == [r"a\nb"]


def test_it_listens_on_the_labs_address_only(target):
    assert target.host == settings.host() == "127.0.0.1"
    assert target.place == f"127.0.0.1:{target.port}"
    assert repr(target) == "<socket for lines of text>"


def test_close_frees_the_port_and_can_be_called_twice():
    target = socket()
    client = connect(target)
    assert target.wait_for_client(10)
    target.close()
    target.close()
    assert client.recv(1) == b""
    client.close()
    assert not target.wait_for_client(0)
    again = socket(port=target.port)
    assert again.port == target.port
    again.close()


def test_a_port_of_another_program_is_an_error_at_once():
    with net.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(Conflict) as caught:
            socket(port=port)
    assert caught.value.code == "PORT_TAKEN"
    assert caught.value.params == {"port": port, "host": "127.0.0.1"}


def test_a_port_of_this_kernel_is_taken_over(target):
    with connect(target) as client:
        assert target.wait_for_client(10)
        again = socket(port=target.port)
        assert client.recv(1) == b""
    assert again.port == target.port
    again.close()


@pytest.mark.parametrize(("port", "code"), [(-1, "OUT_OF_RANGE"), (65536, "OUT_OF_RANGE")])
def test_a_port_out_of_bounds_is_refused(port, code):
    with pytest.raises(InvalidArgument) as caught:
        socket(port=port)
    assert (caught.value.code, caught.value.params["name"]) == (code, "port")


@pytest.mark.parametrize("port", ["9999", 1.5, None])
def test_a_port_that_is_no_number_is_refused(port):
    with pytest.raises(InvalidArgument) as caught:
        socket(port=port)
    assert caught.value.code == "WRONG_TYPE"


def test_an_address_that_is_not_ours_is_named(monkeypatch):
    monkeypatch.setenv("LABKIT_HOST", "203.0.113.7")
    with pytest.raises(InvalidArgument) as caught:
        socket()
    assert (caught.value.code, caught.value.params["name"]) == ("OUT_OF_RANGE", "LABKIT_HOST")


def test_arrival_counts_this_ports_lines(target, numbers, fake_query):
    run = target.run(numbers())
    query = fake_query()
    with connect(target):
        arrived = run.arrival(query)
        assert arrived()  # nothing was written, so nothing is missing
        run.write(numbers().take(3), timeout_s=1)
        assert not arrived()
        description = f"TextSocketV2[host: h, port: {target.port}]"
        for offset, expected in ((1, False), (2, True)):
            source = {"description": description, "endOffset": str(offset)}
            query.lastProgress = {"sources": [source]}
            assert arrived() is expected
