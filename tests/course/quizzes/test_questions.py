"""A question that is incomplete is refused where it stands, in words an author can act on."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from labkit.course.quizzes.questions import Choice, Question, hash_of
from labkit.errors import InvalidArgument

TEXT = "How many rows are there after **2** steps of 5?"
CHOICES = (
    Choice("5", hint="What became of the rows of the first step?"),
    Choice("10", why="Each step adds 5 rows."),
    Choice("25", hint="How many rows does one step add?"),
)
GOOD = Question(TEXT, choices=CHOICES, answer=hash_of(TEXT, "10"))


def test_the_right_choice_is_found_by_its_hash():
    assert GOOD.right == 1
    first = Question(
        TEXT,
        choices=(replace(CHOICES[1], text="ten"), CHOICES[0], CHOICES[2]),
        answer=hash_of(TEXT, "ten"),
    )
    assert first.right == 0


def test_the_hash_depends_on_both_texts_and_stays_the_same():
    assert hash_of(TEXT, "10") == "f1be09ba50c3"  # those in the lesson files must go on to fit
    assert hash_of(TEXT, "5") != hash_of(TEXT, "10") != hash_of(TEXT + " ", "10")


def changed(place, **parts):
    choices = list(CHOICES)
    choices[place] = replace(choices[place], **parts)
    return {"choices": tuple(choices)}


@pytest.mark.parametrize(
    ("parts", "fragment"),
    [
        ({"choices": CHOICES[:2]}, "is 2. It must be 3 to 5."),
        ({"choices": tuple(Choice(str(n)) for n in range(6))}, "is 6. It must be 3 to 5."),
        ({"choices": list(CHOICES)}, "a tuple of Choice"),
        ({"choices": (*CHOICES[:2], "25")}, "must be a Choice"),
        ({"answer": ""}, "python -m labkit.course.quizzes.questions"),
        ({"answer": "0123456789ab"}, "'0123456789ab'"),
        ({"text": TEXT + " Say."}, "the hash of one of its choices"),
        (changed(1, text="11"), "the hash of one of its choices"),
        (changed(0, text="10"), "one of the choices"),
        (changed(0, hint=" "), "hint of '5'"),
        (changed(0, why="It is not."), "why of '5' is 'It is not.'. It must be empty"),
        (changed(0, hint=CHOICES[2].hint), "one of the hints"),
        (changed(1, why=""), "why of '10'"),
        (changed(1, hint="Count."), "hint of '10' is 'Count.'. It must be empty"),
    ],
)
def test_what_does_not_fit_is_named(parts, fragment):
    with pytest.raises(InvalidArgument) as caught:
        replace(GOOD, **parts)
    assert fragment in str(caught.value)


def printed(*arguments):
    command = [sys.executable, "-m", "labkit.course.quizzes.questions", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_prints_the_hash_or_how_it_is_called():
    assert printed(TEXT, "10").stdout.strip() == GOOD.answer
    missing = printed(TEXT)
    assert missing.returncode == 2
    assert "<right choice>" in missing.stderr
