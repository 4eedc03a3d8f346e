"""The table of rules: who keeps which. A rule yields complaints, each a cell and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from . import form_rules as form
from . import task_rules as task
from .lesson import Lesson


@dataclass(frozen=True)
class Rule:
    """A rule and those it binds.

    ``keeps``: ``both`` versions, the ``source``, or the learner's ``copy``. ``checked``: only
    lessons that have their file of checks; without it a lesson is a draft that asks nothing yet.
    """

    find: Callable[[Lesson], Iterator[str]]
    keeps: str = "both"
    checked: bool = False

    def binds(self, lesson: Lesson) -> bool:
        version = "source" if lesson.is_source else "copy"
        return self.keeps in {"both", version} and (lesson.has_checks or not self.checked)


RULES = (
    Rule(form.valid),
    Rule(form.written),
    Rule(form.first_cell),
    Rule(form.second_cell),
    Rule(form.last_cells),
    Rule(form.length),
    Rule(form.balance),
    Rule(form.short_code),
    Rule(form.known_tags),
    Rule(form.no_registry),
    Rule(form.no_absolute_path),
    Rule(form.plain_words),
    Rule(form.for_a_class),
    Rule(form.no_waiting),
    Rule(form.no_magics),
    Rule(form.links),
    Rule(form.in_the_map),
    Rule(form.quiz, checked=True),
    Rule(form.when_nothing_moves, checked=True),
    Rule(task.tasks, checked=True),
    Rule(task.stray_checks, checked=True),
    Rule(task.verdicts, checked=True),
    Rule(task.no_outputs, keeps="copy"),
    Rule(task.no_leak, keeps="copy"),
)
