"""What the tests of lessons share: an answer is accepted or refused, and tables of answers.

A file ``test_lesson_NN.py`` imports the tests of ``answers.py`` and has two tables for them:

``WRONG``
    For each task a list of at least three wrong answers that learners really give, each
    ``(name, factory, fragment)``: ``factory()`` makes the answer, and the fragment, different for
    each, stands in the cause.
``ACCEPTED``
    Right answers, each ``(task, answer)``, the reference among them.
"""

from __future__ import annotations

import pytest

from labkit.course.judging.checking import check


@pytest.fixture
def refused():
    """Return a function that checks an answer, sees it refused, and gives the result."""

    def see(task, answer):
        result = check(task, answer)
        assert not result.passed, f"{task} was passed: {result!r}"
        return result

    return see


@pytest.fixture
def accepted():
    """Return a function that checks an answer, sees it passed, and gives the result."""

    def see(task, answer):
        result = check(task, answer)
        assert result.passed, repr(result)
        return result

    return see


def pytest_generate_tests(metafunc):
    """Run a test once for each row of the file's tables: ``wrong``, ``right``, ``asked``."""
    if "wrong" in metafunc.fixturenames:
        table = metafunc.module.WRONG
        rows = [
            (task, factory, part) for task, wrong in table.items() for _, factory, part in wrong
        ]
        names = [f"{task} {name}" for task, wrong in table.items() for name, _, _ in wrong]
        metafunc.parametrize("wrong", rows, ids=names)
    if "right" in metafunc.fixturenames:
        rows = metafunc.module.ACCEPTED
        names = [f"{task} answer {number}" for number, (task, _) in enumerate(rows)]
        metafunc.parametrize("right", rows, ids=names)
    if "asked" in metafunc.fixturenames:
        metafunc.parametrize("asked", metafunc.module.WRONG)
