"""Every notebook of the course keeps to every rule of rules.py that binds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from labkit.course.making.notebooks import read

from .lesson import Lesson
from .rules import RULES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.find.__name__)
def test_it_keeps_the_rule(notebook_path, rule):
    lesson = Lesson(notebook_path, read(notebook_path), ROOT)
    if rule.binds(lesson):
        complaints = list(rule.find(lesson))
        assert not complaints, "\n".join([str(notebook_path.relative_to(ROOT)), *complaints])
