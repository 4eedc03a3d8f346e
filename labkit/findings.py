"""What the doctor found: one finding for each thing looked at, and all of them as a report."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

OK, FAIL, NOTE = "OK", "FAIL", "note"
SIGNS = {OK: "✓", FAIL: "✗", NOTE: "•"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Parameters
    ----------
    name
        What was looked at, in one or two words.
    state
        ``OK``, ``FAIL`` (lessons will not work) or ``note`` (worth knowing).
    found
        What is there, in words.
    cure
        The command, or the sentence, that helps; only beside ``FAIL`` and ``note``.
    """

    name: str
    state: str
    found: str
    cure: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """All findings; in a notebook it shows itself as a table.

    Its ``repr`` holds no versions, paths or numbers, so that a saved notebook stays the same.
    """

    findings: tuple[Finding, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """The names of the findings that are ``FAIL``."""
        return tuple(finding.name for finding in self.findings if finding.state == FAIL)

    @property
    def ok(self) -> bool:
        """True when nothing is ``FAIL``."""
        return not self.problems

    def __repr__(self) -> str:
        if self.ok:
            return "doctor: all well"
        count = len(self.problems)
        return f"doctor: {count} problem{'s' * (count > 1)}: {', '.join(self.problems)}"

    def to_text(self) -> str:
        """Return one line per finding, the cures below them, and the verdict as the last line."""
        width = max((len(finding.name) for finding in self.findings), default=0)
        return "\n".join([*(_text(finding, width) for finding in self.findings), repr(self)])

    def _repr_html_(self) -> str:
        rows = "".join(_row(finding) for finding in self.findings)
        return f"<table><caption>{escape(repr(self))}</caption><tbody>{rows}</tbody></table>"


def _text(finding: Finding, width: int) -> str:
    line = f"{SIGNS[finding.state]} {finding.state:4} {finding.name:{width}}  {finding.found}"
    return f"{line}\n{'':{width + 9}}→ {finding.cure}" if finding.cure else line


def _row(finding: Finding) -> str:
    cure = f"<br>→ <code>{escape(finding.cure)}</code>" if finding.cure else ""
    return (
        f"<tr><td style='white-space:nowrap'>{SIGNS[finding.state]} {finding.state}</td>"
        f"<th>{escape(finding.name)}</th>"
        f"<td style='text-align:left'>{escape(finding.found)}{cure}</td></tr>"
    )
