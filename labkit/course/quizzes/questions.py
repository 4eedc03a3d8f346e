"""A question of a quiz as its author writes it, and the check that it is complete.

The right choice is named by a hash, so nobody reads it by accident in the notebook or in the page.
When the text of the question or of the choice changes, the hash must be made again:

    python -m labkit.course.quizzes.questions "<text of the question>" "<text of the right choice>"
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass

from labkit.errors import InvalidArgument, require_type

HASH_LENGTH = 12
LEAST_CHOICES, MOST_CHOICES = 3, 5
PRINTER = 'python -m labkit.course.quizzes.questions "<question>" "<right choice>"'


@dataclass(frozen=True)
class Choice:
    """One choice of a question.

    Parameters
    ----------
    text
        What the learner chooses. Text between ``**`` is shown bold, between backticks as code.
    hint
        For a choice that is not right: a question or a fact that leads on. It does not tell the
        answer.
    why
        For the right choice: the reason, in one or two sentences.
    """

    text: str
    hint: str = ""
    why: str = ""


@dataclass(frozen=True)
class Question:
    """A question with three to five choices, one of them right.

    Parameters
    ----------
    text
        The question. Text between ``**`` is shown bold, between backticks as code.
    facts
        What holds, in a few words, beside the question's number; may be empty.
    choices
        In the order in which they are shown.
    answer
        The hash of the right choice, as ``python -m labkit.course.quizzes.questions`` prints it.
    lesson
        The number of the older lesson that the question looks back to; empty: its own lesson.

    Raises
    ------
    InvalidArgument
        ``WRONG_TYPE`` or ``OUT_OF_RANGE``: something is missing or does not fit; the message says
        where.

    Examples
    --------
    >>> question = Question(
    ...     "How many rows are there after **2** steps of 5?",
    ...     choices=(
    ...         Choice("5", hint="What became of the rows of the first step?"),
    ...         Choice("10", why="Each step adds 5 rows."),
    ...         Choice("25", hint="How many rows does one step add?"),
    ...     ),
    ...     answer="f1be09ba50c3",
    ... )
    >>> question.choices[question.right].text
    '10'
    """

    text: str
    facts: str = ""
    choices: tuple[Choice, ...] = ()
    answer: str = ""
    lesson: str = ""

    def __post_init__(self) -> None:
        require_type("choices", self.choices, tuple, expected="a tuple of Choice")
        for choice in self.choices:
            require_type("choice", choice, Choice, expected="a Choice")
        self._require_choices()
        self._require_one_right()
        for place, choice in enumerate(self.choices):
            _require_reply(choice, is_right=place == self.right)
        hints = [choice.hint for choice in self.choices if choice.hint]
        _require_different("hints", hints, self.text)

    @property
    def right(self) -> int:
        """The place of the right choice, from 0."""
        return self._matches()[0]

    def _matches(self) -> list[int]:
        hashes = [hash_of(self.text, choice.text) for choice in self.choices]
        return [place for place, made in enumerate(hashes) if made == self.answer]

    def _require_choices(self) -> None:
        count = len(self.choices)
        if not LEAST_CHOICES <= count <= MOST_CHOICES:
            bound = f"{LEAST_CHOICES} to {MOST_CHOICES}"
            raise _misfit(f"the number of choices of {self.text!r}", count, bound)
        _require_different("choices", [choice.text for choice in self.choices], self.text)

    def _require_one_right(self) -> None:
        if not self._matches():
            bound = f"the hash of one of its choices; this command prints it: {PRINTER}"
            raise _misfit(f"the answer of {self.text!r}", self.answer, bound)


def hash_of(question: str, choice: str) -> str:
    """Return the hash that names a choice of a question: 12 hexadecimal digits.

    Parameters
    ----------
    question, choice
        The two texts, exactly as they stand in the lesson file.

    Examples
    --------
    >>> hash_of("How many rows are there after **2** steps of 5?", "10")
    'f1be09ba50c3'
    """
    return hashlib.sha256(f"{question}\n{choice}".encode()).hexdigest()[:HASH_LENGTH]


def _require_reply(choice: Choice, *, is_right: bool) -> None:
    """Require a reason of the right choice, and a hint that leads on of each other one."""
    needed, other = ("why", "hint") if is_right else ("hint", "why")
    kind = "the right choice" if is_right else "not the right choice"
    if not getattr(choice, needed).strip():
        bound = f"one or two sentences, for this is {kind}"
        raise _misfit(f"{needed} of {choice.text!r}", getattr(choice, needed), bound)
    if getattr(choice, other):
        bound = f"empty, for this is {kind}"
        raise _misfit(f"{other} of {choice.text!r}", getattr(choice, other), bound)


def _require_different(what: str, texts: list[str], question: str) -> None:
    if len(set(texts)) < len(texts):
        twice = next(text for text in texts if texts.count(text) > 1)
        raise _misfit(f"one of the {what} of {question!r}", twice, "there only once")


def _misfit(name: str, value: object, bound: str) -> InvalidArgument:
    return InvalidArgument("OUT_OF_RANGE", name=name, value=value, bound=bound)


def main(arguments: list[str]) -> int:
    """Print the hash for a question and its right choice."""
    if len(arguments) != 2:
        print(f"usage: {PRINTER}", file=sys.stderr)  # noqa: T201 - a command's own words
        return 2
    print(hash_of(*arguments))  # noqa: T201 - a command's own words
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
