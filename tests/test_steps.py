from contextlib import contextmanager

import pytest

from labkit import steps


@pytest.fixture(autouse=True)
def _own_lists(monkeypatch):
    monkeypatch.setattr(steps, "_watchers", [])
    monkeypatch.setattr(steps, "_gates", [])


def test_everybody_who_watches_is_called_before_a_step():
    seen = []
    steps.watch(lambda: seen.append("a"))
    steps.watch(lambda: seen.append("b"))
    steps.before_step()
    assert seen == ["a", "b"]


def test_one_that_takes_itself_off_does_not_hide_the_next():
    seen = []

    def once():
        seen.append("once")
        steps.unwatch(once)

    steps.watch(once)
    steps.watch(lambda: seen.append("always"))
    steps.before_step()
    steps.before_step()
    assert seen == ["once", "always", "always"]


def test_to_take_off_what_is_not_on_the_list_is_fine():
    steps.unwatch(print)


def test_a_query_is_held_by_the_gate_that_was_set_last():
    log = []

    @contextmanager
    def gate(query):
        log.append(("closed", query))
        yield log.append
        log.append("open")

    steps.use_gate(None)
    steps.use_gate(gate)
    with steps.held("a query") as expect:
        expect(3)
    assert log == [("closed", "a query"), 3, "open"]


def test_without_query_or_gate_nothing_is_held():
    for query in (None, "a query"):
        with steps.held(query) as expect:
            expect(3)
