import threading
from types import SimpleNamespace

import pytest

from labkit.errors import InvalidArgument, NotReady
from labkit.feeds.query import require_active, settle, source_offsets


def test_a_running_query_is_waited_for(fake_query):
    done = []
    query = fake_query(lambda: done.append(1))
    require_active(query)
    settle(query, what="it did not settle", timeout_s=10)
    assert done == [1]


def test_what_is_no_query_is_refused():
    with pytest.raises(InvalidArgument) as caught:
        require_active("totals")
    assert (caught.value.code, caught.value.params["name"]) == ("WRONG_TYPE", "query")


def test_a_stopped_query_is_refused(fake_query):
    query = fake_query()
    query.isActive = False
    with pytest.raises(InvalidArgument) as caught:
        require_active(query)
    assert caught.value.code == "STOPPED"
    assert "totals" in caught.value.params["what"]


def test_a_failed_query_raises_its_own_exception(fake_query):
    with pytest.raises(ZeroDivisionError):
        require_active(fake_query(failure=ZeroDivisionError()))


def test_a_failure_while_waiting_is_the_querys_own(fake_query):
    with pytest.raises(ZeroDivisionError):
        settle(fake_query(lambda: 1 / 0), what="it did not settle", timeout_s=10)


def test_a_query_that_works_too_long_is_named(fake_query):
    release = threading.Event()
    query = fake_query(lambda: release.wait(30))
    with pytest.raises(NotReady) as caught:
        settle(query, what="it did not settle", timeout_s=0.05)
    assert caught.value.code == "NOT_READY"
    assert caught.value.params["what"] == "it did not settle"
    assert caught.value.params["timeout_s"] == 0.05
    release.set()


def test_a_query_that_is_stopped_meanwhile_is_named(fake_query):
    query = fake_query(lambda: setattr(query, "isActive", False))
    with pytest.raises(NotReady) as caught:
        settle(query, what="it did not settle", timeout_s=10)
    assert caught.value.code == "STOPPED"


def test_arrival_comes_before_processing(fake_query):
    steps = []
    query = fake_query(lambda: steps.append("processed"))

    def arrived():
        steps.append("asked")
        return len(steps) == 3

    settle(query, what="it did not settle", timeout_s=10, arrived=arrived)
    assert steps == ["asked", "asked", "asked", "processed"]


def test_data_that_never_arrives_ends_the_wait(fake_query):
    with pytest.raises(NotReady) as caught:
        settle(fake_query(), what="no data", timeout_s=0.05, arrived=lambda: False)
    assert caught.value.params["what"] == "no data"


def test_offsets_come_from_objects_and_from_dicts(fake_query):
    query = fake_query()
    assert source_offsets(query, reads_from="port: 99]") == []
    entries = [
        {"description": "TextSocketV2[host: h, port: 99]", "endOffset": "41"},
        {"description": "TextSocketV2[host: h, port: 99]", "endOffset": None},
        {"description": "TextSocketV2[host: h, port: 100]", "endOffset": "7"},
    ]
    query.lastProgress = {"sources": entries}
    assert source_offsets(query, reads_from="port: 99]") == [41]
    query.lastProgress = SimpleNamespace(sources=[SimpleNamespace(**entry) for entry in entries])
    assert source_offsets(query, reads_from="port: 99]") == [41]
