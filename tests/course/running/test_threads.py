"""Threads of a learner's code are ended, and nothing is printed about it."""

import threading
import time
from contextlib import suppress

import pytest

from labkit.course.running.threads import Ended, end, quiet_ends


def test_a_thread_without_end_is_ended():
    def forever():
        with suppress(Ended):
            while True:
                time.sleep(0.001)

    thread = threading.Thread(target=forever, daemon=True)
    thread.start()
    with quiet_ends():
        end(thread)
    assert not thread.is_alive()


class Falls:
    """Something whose destructor raises an error, which Python can only tell."""

    def __init__(self, error):
        self.error = error

    def __del__(self):
        raise self.error


@pytest.mark.parametrize(("error", "said"), [(Ended(), ""), (OSError("no room"), "no room")])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_of_an_end_in_a_destructor_nothing_is_told(error, said, monkeypatch):
    told = []
    monkeypatch.setattr("sys.unraisablehook", lambda what: told.append(str(what.exc_value)))
    with quiet_ends():
        Falls(error)
    assert "".join(told) == said
