"""What ``lab.explain`` says: findings, as text and as HTML.

Both are the same on each run, and complete without a kernel. They wear the style of a check.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape

from labkit.course.judging.results import STYLE
from labkit.course.library import notebook_name
from labkit.course.markup import html_of, plain_of
from labkit.engine.causes import Facts
from labkit.engine.signatures import Explanation

UNKNOWN = "labkit has no plain words for this error."
READ_PYTHON = (
    "Read the traceback from its end: the last line says what happened, and the arrow "
    "shows your own line."
)
READ_JAVA = (
    "Read the message from its end: the last “Caused by” is the first cause. "
    "For a query, print(query.exception()) shows it."
)


@dataclass(frozen=True)
class Finding:
    """One thing that ``lab.explain`` has found.

    Parameters
    ----------
    about
        What it is about, such as ``The last cell`` or ``Query totals``.
    sentence
        What has happened, or what the query does.
    cure
        How to go on; empty when nothing is amiss.
    reason
        Why; may be empty.
    id
        The kind of trouble, such as ``M04``; empty when it is none, or none that labkit knows.
    lesson, heading
        Where the course shows it; may be empty.
    place, code
        The learner's own line; may be empty.
    cause
        The error's own words, in one line; empty when there is no error.
    """

    about: str
    sentence: str
    cure: str = ""
    reason: str = ""
    id: str = ""
    lesson: str = ""
    heading: str = ""
    place: str = ""
    code: str = ""
    cause: str = ""

    @property
    def link(self) -> str:
        """Where the lesson shows it, relative to the lessons; empty when it is not there yet."""
        name = notebook_name(self.lesson) if self.lesson else "*"
        if "*" in name:
            return ""
        return f"{name}#{self.heading.replace(' ', '-')}" if self.heading else name

    @property
    def own_line(self) -> str:
        """The learner's own line with its place; empty when it is in no function of theirs."""
        return f"{self.place}: {self.code}" if self.code else self.place

    @property
    def lesson_words(self) -> str:
        """The lesson and its heading, as a title."""
        part = f", “{self.heading}”" if self.heading and self.link else ""
        return f"Lesson {self.lesson}{part}" if self.lesson else ""


@dataclass(frozen=True, repr=False)
class Explained:
    """What ``lab.explain`` gives back.

    Parameters
    ----------
    findings
        What was found, the most urgent first; never empty.
    """

    findings: tuple[Finding, ...]

    @property
    def id(self) -> str:
        """The kind of the first trouble, such as ``M04``; empty when there is none."""
        return self.findings[0].id

    @property
    def sentence(self) -> str:
        """What the first finding says."""
        return plain_of(self.findings[0].sentence)

    @property
    def cure(self) -> str:
        """How to go on with the first finding; may be empty."""
        return plain_of(self.findings[0].cure)

    def __repr__(self) -> str:
        return "\n\n".join(_text(finding) for finding in self.findings)

    def _repr_html_(self) -> str:
        return f"<style>{STYLE}</style>" + "".join(_html(finding) for finding in self.findings)


def finding_of(about: str, explained: Explanation | None, facts: Facts) -> Finding:
    """Return what is to be said about an error, known or not.

    Parameters
    ----------
    about
        What has failed.
    explained
        labkit's words for it; None when it has none.
    facts
        What the error says about itself.
    """
    own = facts.own
    if explained is None:
        read = READ_PYTHON if facts.is_pythons else READ_JAVA
        found = Finding(about, UNKNOWN, read, cause=facts.cause)
    else:
        found = Finding(
            about,
            explained.sentence,
            explained.cure,
            explained.reason,
            id=explained.id,
            lesson=explained.lesson,
            heading=explained.heading,
            cause=explained.cause,
        )
    return replace(found, place=own.place, code=own.code) if own else found


def _text(finding: Finding) -> str:
    # The error's own words hold paths and numbers of this run, so a known error goes without.
    shown = finding.cause if not finding.id or finding.own_line else ""
    lines = [
        f"{finding.about}: {plain_of(finding.sentence)}",
        f"Why: {plain_of(finding.reason)}" if finding.reason else "",
        f"Your line: {finding.own_line}" if finding.own_line else "",
        f"Its own words: {shown}" if shown else "",
        f"How to go on: {plain_of(finding.cure)}" if finding.cure else "",
        ": ".join(filter(None, [finding.lesson_words, finding.link])),
    ]
    return "\n".join(filter(None, lines))


def _html(finding: Finding) -> str:
    is_trouble = bool(finding.id or finding.cause)
    sign = "△" if is_trouble else "●"
    head = f'<span aria-hidden="true">{sign}</span> {escape(finding.about)}'
    parts = [
        f'<p class="lk-verdict"><b>{head}</b></p>',
        f"<p><b>{html_of(finding.sentence)}</b></p>",
        f"<p>{html_of(finding.reason)}</p>" if finding.reason else "",
        f"<p>Your line: <code>{escape(finding.own_line)}</code></p>" if finding.own_line else "",
        f"<p>How to go on: {html_of(finding.cure)}</p>" if finding.cure else "",
        _lesson(finding),
        _cause(finding),
    ]
    passed = "" if not is_trouble else ' data-passed="no"'
    return (
        f'<section class="lk-check"{passed} aria-label="Explanation: {escape(finding.about)}">'
        f"{''.join(parts)}</section>"
    )


def _lesson(finding: Finding) -> str:
    if not finding.lesson_words:
        return ""
    words = escape(finding.lesson_words)
    linked = f'<a href="{escape(finding.link)}">{words}</a>' if finding.link else words
    return f'<p class="lk-note">{linked}</p>'


def _cause(finding: Finding) -> str:
    if not finding.cause:
        return ""
    opened = "" if finding.id else " open"
    return (
        f'<div class="lk-foot"><details{opened}><summary>Its own words</summary>'
        f"<p><code>{escape(finding.cause)}</code></p></details></div>"
    )
