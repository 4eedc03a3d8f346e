"""The mutants of a cell: each has one thing changed, and no two do the same."""

from __future__ import annotations

import ast
import difflib
import hashlib
from dataclasses import dataclass
from itertools import chain, zip_longest

from .edits import Code, changes
from .swaps import in_seconds


@dataclass(frozen=True)
class Mutant:
    """A cell in which one thing was changed.

    Parameters
    ----------
    kind
        What sort of change it is.
    source
        The whole cell.
    diff
        The changed lines: ``- before`` and ``+ after``.
    """

    kind: str
    source: str
    diff: str

    @property
    def id(self) -> str:
        """A name that is the same in each run."""
        return hashlib.sha256(f"{self.kind}\n{self.source}".encode()).hexdigest()[:10]


def mutants(source: str, lines: set[int], columns: set[str] = frozenset()) -> list[Mutant]:
    """Return every mutant of a cell, in the order of its code; no two do the same.

    Parameters
    ----------
    source
        The cell.
    lines
        The numbers (from 1) of the lines that are the learner's to write.
    columns
        More names of columns that a learner could mix up with those in the cell.
    """
    code = Code(source)
    known, found = {normal(source)}, []
    for kind, first, last, new in changes(code, lines, columns):
        changed = code.changed(first, last, new)
        meaning = normal(changed)
        if meaning not in known:
            known.add(meaning)
            found.append(Mutant(kind, changed, _diff(source, changed)))
    return found


def sample(every: list[Mutant], most: int) -> list[Mutant]:
    """Return at most so many of them: some of each kind, the same ones each time."""
    if len(every) <= most:
        return every
    kinds: dict[str, list[Mutant]] = {}
    for one in sorted(every, key=lambda one: one.id):
        kinds.setdefault(one.kind, []).append(one)
    turns = chain.from_iterable(zip_longest(*(kinds[kind] for kind in sorted(kinds))))
    chosen = {one.id for one in [one for one in turns if one is not None][:most]}
    return [one for one in every if one.id in chosen]


def normal(source: str) -> str:
    """Return the same text for two cells that surely do the same."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            while node.body and _says_nothing(node.body[-1]):
                node.body.pop()
        elif isinstance(node, ast.Call):
            node.keywords.sort(key=lambda keyword: keyword.arg or "")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = in_seconds(node.value)
    return ast.dump(tree)


def _says_nothing(last: ast.stmt) -> bool:
    """Whether a function does the same without its last statement."""
    if isinstance(last, ast.Return):
        return last.value is None or (
            isinstance(last.value, ast.Constant) and last.value.value is None
        )
    return isinstance(last, ast.Pass)


def _diff(before: str, after: str) -> str:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return "\n".join(f"{line[0]} {line[1:].strip()}" for line in list(lines)[2:] if line[0] != "@")
