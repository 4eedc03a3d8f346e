"""All errors that labkit can explain, in one order, and the explanation of one error.

The failure banner of the views, the refusals of a comparison and ``lab.explain`` read the same
tables. A new theme is one more table file and one more name in :data:`TABLES`.
"""

from __future__ import annotations

from dataclasses import dataclass

from labkit.engine import (
    signatures_calls,
    signatures_dstreams,
    signatures_kafka,
    signatures_modes,
    signatures_operations,
    signatures_running,
    signatures_setup,
    signatures_time,
)
from labkit.engine.causes import Facts, OwnLine, facts_of
from labkit.engine.signature import Signature
from labkit.errors import LabkitError

TABLES = (
    signatures_setup.TABLE[:-1],
    signatures_dstreams.TABLE,
    signatures_kafka.TABLE,
    signatures_modes.TABLE,
    signatures_operations.TABLE,
    signatures_time.TABLE,
    signatures_calls.TABLE,
    signatures_running.TABLE,
    signatures_setup.TABLE[-1:],
)
SIGNATURES: tuple[Signature, ...] = tuple(one for table in TABLES for one in table)


@dataclass(frozen=True)
class Explanation:
    """An error in plain words.

    Parameters
    ----------
    id
        The kind of trouble: an entry such as ``M04``, or the code of an error of labkit's own.
    sentence
        What has happened.
    cure
        How to go on.
    reason
        Why Spark does so; may be empty.
    lesson, heading
        Where the course shows it; may be empty.
    cause
        The first cause in its own words, in one line.
    own
        The learner's own line that failed; None when it is in no function of theirs.
    """

    id: str
    sentence: str
    cure: str
    reason: str = ""
    lesson: str = ""
    heading: str = ""
    cause: str = ""
    own: OwnLine | None = None


def explain_error(error: BaseException) -> Explanation | None:
    """Explain an exception; None when labkit has no words for it.

    Parameters
    ----------
    error
        Any exception: Spark's, labkit's, or Python's own.

    Examples
    --------
    >>> explain_error(ImportError("cannot import name 'Trigger' from 'x'")).id
    'M12'
    >>> explain_error(ValueError("no room")) is None
    True
    """
    if isinstance(error, LabkitError):
        known = _of_a_batch(error)
        if known is not None:
            return known
        what, why, how = error.words
        return Explanation(error.code, f"{what} {why}".strip(), how)
    return explain_facts(facts_of(error))


def _of_a_batch(error: LabkitError) -> Explanation | None:
    """Explain why a batch of DStreams failed: Spark's own error stands behind labkit's."""
    cause = error.__cause__ if error.code == "BATCH_FAILED" else None
    return explain_facts(facts_of(cause)) if cause is not None else None


def explain_facts(facts: Facts) -> Explanation | None:
    """Explain what an error says about itself; None when labkit has no words for it.

    Parameters
    ----------
    facts
        As :func:`labkit.engine.causes.facts_of` reads them.
    """
    found = signature_of(facts)
    if found is None:
        return None
    return Explanation(
        id=found.id,
        sentence=found.sentence,
        cure=found.cure,
        reason=found.reason,
        lesson=found.lesson,
        heading=found.heading,
        cause=facts.cause,
        own=facts.own,
    )


def signature_of(facts: Facts) -> Signature | None:
    """Return the first kind of trouble that fits; None when none does."""
    return next((one for one in SIGNATURES if one.fits(facts)), None)
