"""The wait loop: tries the real thing, ends as soon as it works, and says what never came."""

from __future__ import annotations

import threading
import time

import pytest

from labkit import waiting
from labkit.errors import NotReady
from labkit.waiting import BAR_THREAD, patience, wait_until


def test_it_returns_what_the_attempt_returned():
    answers = iter([None, 0, [], "ready"])
    assert wait_until(lambda: next(answers), what="never", timeout_s=5, every_s=0) == "ready"


def test_it_says_what_never_came_and_what_it_saw_last():
    with pytest.raises(NotReady) as caught:
        wait_until(lambda: 0, what="the topic is empty", timeout_s=0.05, cure="Send a row.")
    assert caught.value.code == "NOT_READY"
    params = caught.value.params
    assert (params["what"], params["timeout_s"], params["cure"]) == (
        "the topic is empty",
        0.05,
        "Send a row.",
    )
    assert "0" in params["reason"]


def test_it_tries_once_even_without_time():
    assert wait_until(lambda: True, what="never", timeout_s=0)


def test_an_error_that_means_not_yet_is_tried_again():
    answers = iter([OSError("refused"), OSError("refused"), 3])

    def attempt():
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    assert wait_until(attempt, what="never", timeout_s=5, every_s=0, retry_on=(OSError,)) == 3


def test_the_last_error_is_told():
    def attempt():
        raise ConnectionRefusedError("port 9")

    with pytest.raises(NotReady) as caught:
        wait_until(attempt, what="no broker", timeout_s=0.05, retry_on=(OSError,))
    assert "ConnectionRefusedError: port 9" in caught.value.params["reason"]


def test_any_other_error_ends_the_wait_at_once():
    start = time.monotonic()
    with pytest.raises(ZeroDivisionError):
        wait_until(lambda: 1 / 0, what="never", timeout_s=60, retry_on=(OSError,))
    assert time.monotonic() - start < 30


@pytest.fixture
def watched(monkeypatch):
    """Act as if a person looked at stderr."""
    monkeypatch.setattr(waiting, "_is_watched", lambda: True)


@pytest.mark.usefixtures("watched")
def test_a_long_wait_shows_a_bar_and_takes_it_away(monkeypatch, capsys):
    monkeypatch.setattr(waiting, "SILENT_S", 0.01)
    shown = threading.Event()

    class Bar(waiting.tqdm):
        def refresh(self, *args, **kwargs):
            super().refresh(*args, **kwargs)
            shown.set()

    monkeypatch.setattr(waiting, "tqdm", Bar)
    before = threading.active_count()
    with patience(what="Kafka starts", expected_s=3):
        assert shown.wait(10)
    assert "Kafka starts" in capsys.readouterr().err
    assert threading.active_count() <= before + 1  # tqdm keeps one watch of its own


@pytest.mark.usefixtures("watched")
def test_a_short_wait_shows_nothing(capsys):
    with patience(what="Kafka starts"):
        pass
    assert capsys.readouterr().err == ""


def test_a_log_file_gets_no_bar(monkeypatch, capsys):
    monkeypatch.setattr(waiting, "SILENT_S", 0.0)
    before = threading.active_count()
    with patience(what="Kafka starts"):
        assert threading.active_count() == before
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("watched")
def test_the_bar_goes_when_the_block_fails():
    def bars():
        return [thread for thread in threading.enumerate() if thread.name == BAR_THREAD]

    def broken():
        with patience(what="Kafka starts"):
            assert len(bars()) == 1
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        broken()
    assert bars() == []
