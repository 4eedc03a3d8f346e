"""The result of a check and a hint, as they are shown: as text and as HTML.

Both are the same on each run, and complete without a kernel: hints open by themselves. Where a
page takes the style away (as code hosting sites do), the words and signs alone still tell it.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from labkit.course.judging.verdicts import CheckedRow, Verdict
from labkit.course.markup import html_of, plain_of
from labkit.views.cells import cut, text_of

STYLE = (Path(__file__).parent / "result.css").read_text()
PASSED, NOT_YET = "Passed", "Not yet"


@dataclass(frozen=True, repr=False)
class Result:
    """What ``lab.check`` gives back.

    Parameters
    ----------
    id, title
        The task.
    verdict
        What the check has found.
    hints
        The staged hints of the task; shown only when the answer is not right yet.
    look_at
        The heading of the lesson that helps.
    error
        What the answer raised, if that is why it is not right yet.
    """

    id: str
    title: str
    verdict: Verdict
    hints: tuple[str, ...] = ()
    look_at: str = ""
    error: BaseException | None = None

    @property
    def passed(self) -> bool:
        """Whether the answer is right."""
        return self.verdict.passed

    @property
    def cause(self) -> str:
        """Why, in one or two sentences, as plain text."""
        return plain_of(self.verdict.cause)

    @property
    def note(self) -> str:
        """What it costs, or an alternative, as plain text."""
        return plain_of(self.verdict.note)

    @property
    def rows(self) -> tuple[CheckedRow, ...]:
        """What came out beside what was expected."""
        return self.verdict.rows

    def __repr__(self) -> str:
        head = f"{PASSED if self.passed else NOT_YET}: {self.id} {self.title}"
        more = f"  … and {self.verdict.more} more" if self.verdict.more else ""
        parts = [head, self.cause, *(f"  {_line(row)}" for row in self.rows), more, self.note]
        return "\n".join(part for part in [*parts, *self._foot()] if part)

    def _foot(self) -> list[str]:
        if self.passed:
            return []
        hints = [f'Hints: lab.hint("{self.id}")'] if self.hints else []
        return [*hints, *([f"Look at: {self.look_at}"] if self.look_at else [])]

    def _repr_html_(self) -> str:
        word, sign = (PASSED, "✓") if self.passed else (NOT_YET, "△")
        note = f'<p class="lk-note">{html_of(self.verdict.note)}</p>' if self.note else ""
        return (
            f"<style>{STYLE}</style>"
            f'<section class="lk-check" data-passed="{"yes" if self.passed else "no"}"'
            f' aria-label="Check {escape(self.id)}: {word.lower()}">'
            f'<p class="lk-verdict"><b><span aria-hidden="true">{sign}</span> {word}</b> '
            f"{escape(self.id)} · {escape(self.title)}</p>"
            f"<p>{html_of(self.verdict.cause)}</p>"
            f"{_table(self.verdict)}{note}{self._html_foot()}</section>"
        )

    def _html_foot(self) -> str:
        if self.passed or not (self.hints or self.look_at):
            return ""
        look = f'<p class="lk-look">look at: {escape(self.look_at)}</p>' if self.look_at else ""
        return f'<div class="lk-foot">{_details(self.hints, 0)}{look}</div>'


@dataclass(frozen=True, repr=False)
class Hint:
    """What ``lab.hint`` gives back.

    Parameters
    ----------
    id
        The task.
    number, count
        Which hint it is, from 1, of how many.
    text
        The hint.
    link
        Where the solution is, relative to the lesson; empty until all hints were given.
    """

    id: str
    number: int
    count: int
    text: str
    link: str = ""

    def __repr__(self) -> str:
        last = f"\nThat was the last hint. The solution with its reason: {self.link}"
        return f"{self._head}: {plain_of(self.text)}{last if self.link else ''}"

    @property
    def _head(self) -> str:
        return f"Hint {self.number} of {self.count} for {self.id}"

    def _repr_html_(self) -> str:
        last = (
            '<p class="lk-note">That was the last hint. '
            f'<a href="{escape(self.link)}">The solution with its reason</a></p>'
        )
        return (
            f'<style>{STYLE}</style><section class="lk-check" aria-label="{escape(self._head)}">'
            f'<p class="lk-verdict">{escape(self._head)}</p>'
            f"<p>{html_of(self.text)}</p>{last if self.link else ''}</section>"
        )


def _line(row: CheckedRow) -> str:
    """Write a row so that it can be read aloud."""
    sides = [
        f"{words} {_text(value)}"
        for words, value in (("came out", row.came_out), ("expected", row.expected))
        if value is not None
    ]
    remark = f" ({row.remark})" if row.remark else ""
    return f"{row.sign} {_text(row.place)}{': ' if sides else ''}{', '.join(sides)}{remark}"


def _text(value: Any) -> str:
    return "" if value is None else cut(text_of(value))


def _table(verdict: Verdict) -> str:
    if not verdict.rows:
        return ""
    lines = "".join(_row(row) for row in verdict.rows)
    more = f'<p class="lk-note">… and {verdict.more} more</p>' if verdict.more else ""
    head = (
        '<tr><th class="lk-sign" scope="col" aria-label="sign"></th>'
        f'<th scope="col">{escape(verdict.place)}</th>'
        '<th class="lk-number" scope="col">came out</th>'
        '<th class="lk-number" scope="col">expected</th>'
        '<th scope="col" aria-label="remark"></th></tr>'
    )
    return (
        '<div class="lk-wide"><table aria-label="what came out, and what was expected">'
        f"<thead>{head}</thead><tbody>{lines}</tbody></table></div>{more}"
    )


def _row(row: CheckedRow) -> str:
    odd = "odd" if row.sign != "=" else "right"
    remark = row.remark or ("right" if row.sign == "=" and row.came_out is not None else "")
    return (
        f'<tr data-sign="{odd}"><td class="lk-sign">{row.sign}</td>'
        f'<th scope="row">{escape(_text(row.place))}</th>'
        f'<td class="lk-number lk-came">{escape(_text(row.came_out))}</td>'
        f'<td class="lk-number">{escape(_text(row.expected))}</td>'
        f"<td>{escape(remark)}</td></tr>"
    )


def _details(hints: tuple[str, ...], number: int) -> str:
    """Put each hint inside the one before it: the next opens only after this one."""
    if number == len(hints):
        return ""
    return (
        f"<details><summary>Next hint ({number + 1} of {len(hints)})</summary>"
        f"<p>{html_of(hints[number])}</p>{_details(hints, number + 1)}</details>"
    )
