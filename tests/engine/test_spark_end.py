"""The end of a Spark context, on contexts of our own: to stop the real one would end all tests."""

import gc

import pytest

from labkit.engine.spark_end import end_of


class Context:
    """What matters of a ``SparkContext``."""

    def __init__(self, error=None):
        self._jsc, self.error = object(), error

    def stop(self):
        self._jsc = None
        if self.error:
            raise self.error


class Watcher:
    def __init__(self, context):
        self.told = []
        self.end = end_of(context)
        self.end.then(self.tell)

    def tell(self):
        self.told.append(self.end.has_begun)


def test_whoever_asked_is_told_once_when_spark_has_stopped():
    context = Context()
    watchers = [Watcher(context), Watcher(context)]
    assert not end_of(context).has_begun
    context.stop()
    context.stop()
    assert [watcher.told for watcher in watchers] == [[True], [True]]
    assert end_of(context).has_begun


def test_the_end_has_begun_before_spark_stops():
    seen = []

    class Slow(Context):
        def stop(self):
            seen.append(end_of(self).has_begun)

    context = Slow()
    end_of(context)
    context.stop()
    assert seen == [True]


def test_whoever_is_gone_is_not_kept_for_the_end():
    context = Context()
    watcher = Watcher(context)
    told = watcher.told
    del watcher
    gc.collect()
    context.stop()
    assert told == []


def test_an_error_of_stop_is_raised_and_told():
    context = Context(ValueError("no"))
    watcher = Watcher(context)
    with pytest.raises(ValueError, match="no"):
        context.stop()
    assert watcher.told == [True]


def test_a_context_that_was_stopped_before_has_ended():
    context = Context()
    context.stop()
    assert end_of(context).has_begun
    assert not end_of(Context()).has_begun
