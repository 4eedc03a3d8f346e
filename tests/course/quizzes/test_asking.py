"""The quiz without a page: answers by call, the static copy, and what is sent to a page."""

from __future__ import annotations

import json

import pytest

import labkit as lab
from labkit.course.quizzes.asking import Answer, Quiz
from labkit.course.quizzes.questions import Choice, Question, hash_of
from labkit.errors import InvalidArgument, NotFound

WIDGET = "application/vnd.jupyter.widget-view+json"


def question(text, *, right, lesson=""):
    choices = [
        Choice(c, why=f"Because of {c}.") if c == right else Choice(c, hint=f"Think about {c}?")
        for c in ("**a** < b", "b", "c")
    ]
    answer = hash_of(text, right)
    return Question(text, "some *facts*", tuple(choices), answer, lesson=lesson)


@pytest.fixture
def quiz():
    questions = question("What is `1 < 2`?", right="b"), question("And?", right="c", lesson="01")
    return Quiz("02", questions)


@pytest.fixture
def headless():
    lab.headless()
    yield
    lab.headless(False)


def test_answers_by_number_say_the_hint_or_the_reason(quiz):
    assert quiz.answer(1) == Answer(1, 1, passed=False, hint="Think about **a** < b?")
    assert repr(quiz.answer(1)) == "Question 1, choice 1: not this one. Hint: Think about a < b?"
    assert quiz.score == 0
    assert repr(quiz.answer(2)) == "Question 1, choice 2: right. Because of b."
    assert quiz.score == 1


def test_the_question_that_is_named_is_the_one_shown_from_then_on(quiz):
    assert not quiz.answer(1, question=2).passed
    assert quiz.answer(3).question == 2
    assert quiz.score == 1


def test_what_was_answered_right_stays_so(quiz):
    quiz.answer(2)
    assert not quiz.answer(1).passed
    assert quiz.score == 1


@pytest.mark.parametrize("choice", [0, 4, -1, "2", None, True, 1.0])
def test_a_choice_that_is_not_there_changes_nothing(quiz, choice):
    with pytest.raises(InvalidArgument) as caught:
        quiz.answer(choice, question=2)
    assert caught.value.params["name"] == "choice"
    assert quiz.answer(2).question == 1


@pytest.mark.parametrize("number", [0, 3, "1"])
def test_a_question_that_is_not_there_is_named(quiz, number):
    with pytest.raises(InvalidArgument) as caught:
        quiz.answer(1, question=number)
    assert caught.value.params["name"] == "question"


def test_the_text_is_fixed_and_lists_every_choice(quiz):
    before = repr(quiz)
    quiz.answer(1)
    assert repr(quiz) == before
    assert before.splitlines() == [
        (
            'Quiz 02, 2 questions. Without a page: quiz = lab.quiz("02"), '
            "then quiz.answer(2, question=1)."
        ),
        "",
        "Question 1 of 2 · some *facts*",
        "What is `1 < 2`?",
        "  1. a < b",
        "  2. b",
        "  3. c",
        "",
        "Question 2 of 2 · from lesson 01 · some *facts*",
        "And?",
        "  1. a < b",
        "  2. b",
        "  3. c",
    ]


@pytest.mark.usefixtures("headless")
def test_the_static_copy_is_escaped_needs_no_style_and_tells_nothing(quiz):
    quiz.answer(2)
    html = quiz._repr_mimebundle_()["text/html"]
    assert "<li><b>a</b> &lt; b</li>" in html
    assert "<code>1 &lt; 2</code>" in html
    assert "<style" not in html
    assert "Because" not in html
    assert "Think" not in html


@pytest.mark.usefixtures("headless")
def test_headless_has_no_widget():
    made = Quiz("02", (question("What?", right="b"),))
    assert set(made._repr_mimebundle_()) == {"text/plain", "text/html"}
    assert made.answer(2).passed


def test_the_page_gets_no_answer_before_a_choice_and_then_only_its_own(quiz):
    assert WIDGET in quiz._repr_mimebundle_()
    card = quiz._card
    sent = json.dumps(card.get_state(["lesson", "questions", "records", "at"]))
    assert not any(
        word in sent for word in ("Because", "Think", *(q.answer for q in quiz.questions))
    )
    card._handle_custom_msg({"do": "answer", "question": 0, "choice": 0}, [])
    assert card.records[0] == {"tried": [0], "right": -1, "words": "Think about <b>a</b> &lt; b?"}
    card._handle_custom_msg({"do": "answer", "question": 0, "choice": 1}, [])
    assert card.records[0] == {"tried": [0], "right": 1, "words": "Because of b."}
    assert card.records[1] == {"tried": [], "right": -1, "words": ""}
    before = [dict(record) for record in card.records]
    card._handle_custom_msg({"do": "answer", "question": 0, "choice": 2}, [])
    assert card.records == before  # what was answered right stays so
    assert quiz.score == 1


def test_the_page_and_the_kernel_turn_together(quiz):
    quiz._repr_mimebundle_()
    quiz._card.at = 1  # ▶ in the page
    assert quiz.answer(3).question == 2
    quiz.answer(1, question=1)
    assert quiz._card.at == 0


def test_a_cell_shown_twice_has_one_widget(quiz):
    assert quiz._repr_mimebundle_()[WIDGET] == quiz._repr_mimebundle_()[WIDGET]


def test_each_call_starts_anew():
    first = lab.quiz("00")
    first.answer(first.questions[0].right + 1)
    assert first.score == 1
    assert lab.quiz("00").score == 0


def test_a_lesson_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(NotFound) as caught:
        lab.quiz("98")
    assert "There are: 00" in str(caught.value)


@pytest.mark.parametrize("number", ["0", "1a", "001", "\u0660\u0660", 0, None, "../x"])
def test_a_number_that_is_none_is_refused(number):
    with pytest.raises(InvalidArgument):
        lab.quiz(number)


def test_a_lesson_without_questions_says_so(monkeypatch):
    from labkit.course.lessons import lesson_00

    monkeypatch.delattr(lesson_00, "QUIZ")
    with pytest.raises(NotFound) as caught:
        lab.quiz("00")
    assert "quiz of lesson '00'" in str(caught.value)
