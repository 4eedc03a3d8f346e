"""What the tests of lessons share: an answer is accepted or refused, and a table of wrong answers.

A file ``test_lesson_NN.py`` has ``WRONG``: for each task a list of at least three wrong answers
that learners really give, each ``(name, factory, fragment)``: ``factory()`` makes the answer,
and the fragment, different for each, stands in the cause. One test is enough for all of them:

    def test_a_wrong_answer_is_refused_with_its_own_cause(wrong, refused):
        task, factory, fragment = wrong
        assert fragment in refused(task, factory()).cause
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
    """Run a test that asks for ``wrong`` once for each row of the file's table."""
    if "wrong" in metafunc.fixturenames:
        table = metafunc.module.WRONG
        rows = [
            (task, factory, part) for task, wrong in table.items() for _, factory, part in wrong
        ]
        names = [f"{task} {name}" for task, wrong in table.items() for name, _, _ in wrong]
        metafunc.parametrize("wrong", rows, ids=names)
