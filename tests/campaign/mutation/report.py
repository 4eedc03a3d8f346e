"""The report of the mutants: what each check has killed, and every mutant that has survived."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

from .lessons import Lesson, Tried
from .worker import OUTCOMES

REASONS = Path(__file__).parents[1] / "equivalent.toml"
HEAD = """# Mutants of the reference answers

`python tests/campaign/mutants.py`: one thing in a right answer is changed, then the answer's cell
and its check run again. *killed*: the check says "Not yet". *raises*: the cell itself, or the call
of the check, ends with an error. *hangs*: the check has ended it after
its limit, or the campaign the whole process. *survived*: passed. Each survivor
is shown, with the reason why it is right as well. Where a task has more mutants than were run,
those that ran are a fixed sample with some of each kind. Seconds are of the real clock.
"""


def read_reasons(path: Path = REASONS) -> dict[tuple[str, str], str]:
    """Return why a mutant does the same as the reference, by task and diff."""
    entries = tomllib.loads(path.read_text()).get("equivalent", [])
    return {(one["task"], one["diff"].strip()): one["reason"] for one in entries}


def unexplained(lesson: Lesson, reasons: dict[tuple[str, str], str]) -> list[Tried]:
    """Return the survivors without a reason."""
    survivors = [one for one in lesson.tried if one.outcome == "survived"]
    return [one for one in survivors if (one.task, one.diff) not in reasons]


def stale(lesson: Lesson, reasons: dict[tuple[str, str], str]) -> list[Tried]:
    """Return the mutants that have a reason to survive and are killed all the same."""
    dead = [one for one in lesson.tried if one.outcome != "survived"]
    alive = {(one.task, one.diff) for one in lesson.tried if one.outcome == "survived"}
    return [one for one in dead if (one.task, one.diff) in reasons.keys() - alive]


def section(lesson: Lesson, reasons: dict[tuple[str, str], str]) -> str:
    """Return the part of the report that tells of one lesson."""
    rows = [
        ["task", "mutants", "run", *OUTCOMES, "with a reason", "s"],
        ["---", *("---:" for _ in range(len(OUTCOMES) + 4))],
    ]
    for task, made in lesson.made.items():
        own = [one for one in lesson.tried if one.task == task]
        counts = [sum(one.outcome == word for one in own) for word in OUTCOMES]
        known = counts[-1] - sum(one.task == task for one in unexplained(lesson, reasons))
        seconds = f"{sum(one.seconds for one in own):.0f}"
        rows.append([task, *map(str, (made, len(own), *counts, known)), seconds])
    return "\n".join(
        [
            f"## Lesson {lesson.number}",
            "",
            *("| " + " | ".join(row) + " |" for row in rows),
            "",
            *(f"- {trouble}" for trouble in lesson.trouble),
            *([""] if lesson.trouble else []),
            *_kinds(lesson.tried),
            *(line for one in lesson.tried for line in _survivor(one, reasons)),
        ]
    )


def _kinds(tried: Sequence[Tried]) -> list[str]:
    kinds = sorted({one.kind for one in tried})
    told = []
    for kind in kinds:
        own = [one for one in tried if one.kind == kind]
        told.append(f"{kind} {sum(one.outcome != 'survived' for one in own)}/{len(own)}")
    return [f"Refused of each kind: {', '.join(told)}.", ""] if told else []


def _survivor(one: Tried, reasons: dict[tuple[str, str], str]) -> list[str]:
    if one.outcome != "survived":
        return []
    reason = reasons.get((one.task, one.diff), "**No reason yet.**")
    return [f"{one.task}, {one.kind}:", "", "```diff", one.diff, "```", "", reason, ""]


def merged(old: str, sections: dict[str, str]) -> str:
    """Return the report with new sections; those of lessons that did not run stay.

    Examples
    --------
    >>> merged("## Lesson 01\\nold", {"00": "## Lesson 00\\nnew"}).count("## Lesson")
    2
    """
    kept = {
        part[len("## Lesson ") :][:2]: part.rstrip() + "\n"
        for part in re.split(r"^(?=## Lesson )", old, flags=re.MULTILINE)
        if part.startswith("## Lesson ")
    }
    kept |= {number: text.rstrip() + "\n" for number, text in sections.items()}
    return "\n".join([HEAD, *(kept[number] for number in sorted(kept))])
