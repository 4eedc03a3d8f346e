"""What every quiz of the course keeps to; the questions check themselves when they are loaded."""

from __future__ import annotations

from collections import Counter

import pytest

from labkit.course import library

NUMBERS = library.numbers()


@pytest.fixture(params=NUMBERS)
def number(request):
    return request.param


@pytest.fixture
def questions(number):
    return library.lesson(number).QUIZ


def test_there_are_lessons():
    assert "00" in NUMBERS


def test_it_has_three_questions_that_differ(questions):
    assert len({question.text for question in questions}) == len(questions) == 3


def test_its_last_question_alone_looks_back(questions, number):
    older = [question.lesson for question in questions]
    if number == "00":
        assert older == ["", "", ""]
    else:
        assert older[:2] == ["", ""]
        assert older[2] in [other for other in NUMBERS if other < number]


def test_its_right_choices_do_not_all_stand_at_the_same_place(questions):
    assert len({question.right for question in questions}) > 1


def test_no_hint_gives_the_right_choice_away(questions):
    told = [
        (question.text, choice.hint)
        for question in questions
        for choice in question.choices
        if question.choices[question.right].text.strip(".").lower() in choice.hint.lower()
        and len(question.choices[question.right].text) > 3
    ]
    assert told == []


def test_the_right_choice_is_not_always_the_longest(questions):
    longest = [
        max(question.choices, key=lambda choice: len(choice.text))
        is question.choices[question.right]
        for question in questions
    ]
    assert not all(longest)


def test_no_question_comes_twice_in_the_course():
    texts = Counter(q.text for number in NUMBERS for q in library.lesson(number).QUIZ)
    assert [text for text, count in texts.items() if count > 1] == []


def test_its_words_are_calm(questions):
    texts = [
        part
        for question in questions
        for choice in question.choices
        for part in (question.text, question.facts, choice.text, choice.hint, choice.why)
    ]
    assert [
        text for text in texts if "!" in text.replace("!=", "") or "wrong" in text.lower()
    ] == []
