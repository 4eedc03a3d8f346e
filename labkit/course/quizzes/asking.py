"""``lab.quiz``: the questions of a lesson, answered in the page or by a call."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from labkit.course import library
from labkit.course.markup import html_of, plain_of
from labkit.course.quizzes.questions import Question
from labkit.errors import NotFound, require_int
from labkit.views import registry

if TYPE_CHECKING:  # the widget is made only where there is a page to show it
    from labkit.course.quizzes.question_card import QuestionCard


@dataclass(frozen=True)
class Answer:
    """What the quiz says to one answer.

    Parameters
    ----------
    question, choice
        Which question was answered with which choice, from 1.
    passed
        Whether the choice is right.
    hint
        What leads on, when it is not.
    why
        The reason, when it is.
    """

    question: int
    choice: int
    passed: bool
    hint: str = ""
    why: str = ""

    def __repr__(self) -> str:
        said = f"right. {self.why}" if self.passed else f"not this one. Hint: {self.hint}"
        return f"Question {self.question}, choice {self.choice}: {plain_of(said)}"


@dataclass
class _Record:
    """What was answered to one question so far; places from 0, -1 for none."""

    tried: list[int] = field(default_factory=list)
    right: int = -1
    words: str = ""

    def as_message(self) -> dict[str, Any]:
        return {"tried": list(self.tried), "right": self.right, "words": html_of(self.words)}


class Quiz:
    """The questions of one lesson; made by :func:`quiz`.

    Notes
    -----
    The page gets questions and choices only. It sends a choice; this kernel knows the answer.
    """

    def __init__(self, lesson: str, questions: tuple[Question, ...]) -> None:
        self._lesson, self._questions = lesson, questions
        self._records = [_Record() for _ in questions]
        self._at = 0
        self._headless = registry.is_headless()
        self._card: QuestionCard | None = None

    def __repr__(self) -> str:
        call = f'quiz = lab.quiz("{self._lesson}"), then quiz.answer(2, question=1)'
        head = f"Quiz {self._lesson}, {_counted(len(self._questions))}. Without a page: {call}."
        return "\n".join([head, *map(self._listed, range(len(self._questions)))])

    @property
    def questions(self) -> tuple[Question, ...]:
        """The questions, in their order."""
        return self._questions

    @property
    def score(self) -> int:
        """How many questions were answered right so far."""
        return sum(record.right >= 0 for record in self._records)

    def answer(self, choice: int, *, question: int | None = None) -> Answer:
        """Answer a question, as a click in the page does.

        Parameters
        ----------
        choice
            The number of the choice, from 1.
        question
            The number of the question, from 1; it is shown from now on. None: the one shown now.

        Returns
        -------
        Answer
            ``.passed``, and ``.hint`` or ``.why``. A question once answered right stays so.

        Raises
        ------
        InvalidArgument
            ``WRONG_TYPE`` or ``OUT_OF_RANGE``: there is no such choice or question.

        Examples
        --------
        >>> quiz("00").answer(2).passed  # doctest: +SKIP
        True
        """
        at = self._at
        if question is not None:
            at = require_int("question", question, low=1, high=len(self._questions)) - 1
        asked = self._questions[at]
        place = require_int("choice", choice, low=1, high=len(asked.choices)) - 1
        chosen, passed = asked.choices[place], place == asked.right
        record = self._records[at]
        if record.right < 0:
            record.words = chosen.why or chosen.hint
            if passed:
                record.right = place
            elif place not in record.tried:
                record.tried.append(place)
        self._at = at
        self._tell()
        return Answer(at + 1, choice, passed, hint=chosen.hint, why=chosen.why)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Return the output cell: the widget, and a static copy for readers without a kernel."""
        bundle: dict[str, Any] = {"text/plain": repr(self), "text/html": self._still()}
        if not self._headless:
            self._card = self._card or self._make_card()
            mime = "application/vnd.jupyter.widget-view+json"
            model_id = self._card.model_id
            bundle[mime] = {"version_major": 2, "version_minor": 0, "model_id": model_id}
        return bundle

    def _make_card(self) -> QuestionCard:
        from labkit.course.quizzes.question_card import QuestionCard  # noqa: PLC0415 - only in a notebook

        card = QuestionCard(
            lesson=self._lesson,
            questions=[_without_answer(question) for question in self._questions],
            records=[record.as_message() for record in self._records],
            at=self._at,
        )
        card.on_msg(self._take)
        card.observe(self._turn, names="at")
        return card

    def _take(self, _: QuestionCard, wish: dict[str, Any], __: Any) -> None:
        if wish.get("do") == "answer":
            self.answer(wish["choice"] + 1, question=wish["question"] + 1)

    def _turn(self, change: Any) -> None:
        self._at = change["new"]

    def _tell(self) -> None:
        if self._card is not None:
            self._card.at = self._at
            self._card.records = [record.as_message() for record in self._records]

    def _listed(self, place: int) -> str:
        question = self._questions[place]
        choices = enumerate(question.choices, 1)
        return "\n".join(
            [
                f"\nQuestion {place + 1} of {len(self._questions)}{_beside(question)}",
                plain_of(question.text),
                *(f"  {number}. {plain_of(choice.text)}" for number, choice in choices),
            ]
        )

    def _still(self) -> str:
        """Return the questions as HTML that reads well without any style."""
        count = len(self._questions)
        parts = [
            f"<p><b>Question {number} of {count}</b>{escape(_beside(question))}</p>"
            f"<p>{html_of(question.text)}</p>"
            f"<ol>{''.join(f'<li>{html_of(choice.text)}</li>' for choice in question.choices)}</ol>"
            for number, question in enumerate(self._questions, 1)
        ]
        last = "<p>Run this cell to answer.</p>"
        return f'<section aria-label="Quiz {self._lesson}">{"".join(parts)}{last}</section>'


def quiz(lesson: str) -> Quiz:
    """Return the quiz of a lesson; it shows itself as the last expression of a cell.

    Parameters
    ----------
    lesson
        Two digits, as in the name of the notebook: ``"03"``.

    Returns
    -------
    Quiz
        ``.answer(2)`` answers without a page; ``.score`` counts what is right so far.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` or ``OUT_OF_RANGE``: not text of two digits.
    NotFound
        ``NOT_FOUND``: no lesson has this number, or it has no quiz.

    Notes
    -----
    Needs no Spark. The quiz starts anew each time this is called.

    Examples
    --------
    >>> quiz("00").score
    0
    """
    questions = getattr(library.lesson(lesson), "QUIZ", ())
    if not questions:
        raise NotFound("NOT_FOUND", kind="quiz of lesson", name=lesson)
    return Quiz(lesson, questions)


def _without_answer(question: Question) -> dict[str, Any]:
    return {
        "text": html_of(question.text),
        "beside": _beside(question).removeprefix(" · "),
        "choices": [html_of(choice.text) for choice in question.choices],
    }


def _beside(question: Question) -> str:
    """Return what stands beside the number of a question."""
    origin = f"from lesson {question.lesson}" if question.lesson else ""
    parts = [part for part in (origin, plain_of(question.facts)) if part]
    return "".join(f" · {part}" for part in parts)


def _counted(number: int) -> str:
    return "1 question" if number == 1 else f"{number} questions"
