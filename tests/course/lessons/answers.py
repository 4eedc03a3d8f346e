"""The tests that every lesson has; a file ``test_lesson_NN.py`` imports them."""

from __future__ import annotations

import pytest

from labkit.course.judging.checking import check

ABSURD = [None, ..., 42, "append", [], {}, int, lambda *_: 1 // 0]


@pytest.mark.usefixtures("spark")
def test_a_wrong_answer_is_refused_with_its_own_cause(wrong, refused):
    task, factory, fragment = wrong
    assert fragment in refused(task, factory()).cause


@pytest.mark.usefixtures("spark")
def test_a_right_answer_passes(right, accepted):
    accepted(*right)


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("absurd", ABSURD)
def test_an_absurd_answer_is_refused(asked, absurd):
    assert not check(asked, absurd).passed
