"""The words of ``lab.compare``: what happened in a step, and why a mode does not run."""

from __future__ import annotations

from typing import Any

from labkit.engine.batches import Batch
from labkit.views.cells import plural, text_of
from labkit.views.compare.model import Comparison, Lane, windows_of
from labkit.views.event_time import local, ms_of

SAYS = {
    "append": "sends a row once, when it is final",
    "update": "sends what has changed",
    "complete": "sends everything, every time",
}


def facts_of(model: Comparison) -> str:
    """Return what stands behind the name: step, input rows, watermark."""
    if model.step < 0:
        return model.facts
    read = plural(model.input_rows, "row")
    return f"step {model.step} · {read} in · {model.facts}"


def sentence_of(model: Comparison) -> str:
    """Say what happened in the current step, and which modes do not run."""
    said = (
        _told(model),
        _final_words(model),
        _late_words(model),
        _refused_words(model),
        _other_rows_words(model),
    )
    return " ".join(words for words in said if words)


def _told(model: Comparison) -> str:
    if not model.running:
        return "Spark refuses this query in every mode asked for."
    if model.step < 0:
        names = _listed([lane.mode for lane in model.running])
        return f"Waiting for the first rows: {names} {_is(model.running)} ready."
    one = model.first == model.step
    name = f"Step {model.step}" if one else f"Steps {model.first}–{model.step} together"
    sent = [(lane.mode, lane.batch.sent_rows) for lane in model.running if lane.batch is not None]
    first = [f"{mode} sent {plural(rows, 'row')}" for mode, rows in sent[:1]]
    counts = [*first, *(f"{mode} {rows:,}" for mode, rows in sent[1:])]
    return f"{name}: {', '.join(counts) or 'nothing was sent'}."


def _final_words(model: Comparison) -> str:
    """Name the windows that became final; complete has no say in it, it sends all of them."""
    found = {tuple(w): w for lane in model.running for w in lane.table.final}
    lanes = [lane for lane in model.running if lane.table.final]
    if not found:
        return ""
    words = _windows_words([found[window] for window in sorted(found)])
    batch = max((lane.batch for lane in lanes if lane.batch), key=_watermark_ms)
    _, mark = local(_watermark_ms(batch), batch.zone)
    return f"The watermark is now {mark:%H:%M:%S}, so {words[0].lower()}{words[1:]} final."


def _late_words(model: Comparison) -> str:
    """Say which modes dropped late rows; Spark counts groups of them, so no number is given."""
    lanes = [lane for lane in model.running if lane.batch and lane.batch.progress.dropped_groups]
    names = [lane.mode for lane in lanes]
    return f"Rows that came too late were dropped by {_listed(names)}." if names else ""


def _watermark_ms(batch: Batch) -> int:
    return ms_of(batch.progress.watermark) or 0


def _refused_words(model: Comparison) -> str:
    if not model.running:
        return ""
    said = []
    for lane in model.lanes:
        if lane.refusal is not None:
            how = "was refused" if lane.refusal.is_rule else "failed"
            when = "at the start" if lane.refusal.at_start else "while it ran"
            said.append(f"{lane.mode.capitalize()} {how} {when}.")
    return " ".join(said)


def _other_rows_words(model: Comparison) -> str:
    """Say it when the queries did not get the same rows, since then nothing can be compared."""
    if len({rows for _, rows in model.read_rows}) < 2:
        return ""
    read = ", ".join(f"{mode} {rows:,}" for mode, rows in model.read_rows)
    cure = 'Let the source begin at its start, for Kafka with startingOffsets "earliest".'
    return f"These are not the same rows! Read so far: {read}. {cure}"


def note_of(model: Comparison, lane: Lane) -> str:
    """Say how to read the table of a mode."""
    if lane.ended and lane.batch is None:  # the others went on without it
        last = lane.history[-1].step if lane.history else None
        return "Stopped." if last is None else f"Stopped after step {last}."
    match lane.mode:
        case "append":
            return __append_note(model, lane)
        case "update" if lane.table.key is not None:
            sent = plural(lane.sent_rows, "row")
            return f"Newest row of each key. The sink holds all that was sent: {sent}."
        case "update":
            return "Nothing is combined, so no row changes: the same as append."
        case _:
            return "The old table is replaced by the new one."


def __append_note(model: Comparison, lane: Lane) -> str:
    here = {tuple(window) for window in windows_of(lane)}
    others = [w for other in model.running for w in windows_of(other)]
    still_open = {tuple(w): w for w in others if tuple(w) not in here}
    if still_open:
        named = _windows_words([still_open[w] for w in sorted(still_open)])
        return f"{named} still open, so not here yet."
    return "A row that was sent never changes."


def _windows_words(windows: list[Any]) -> str:
    named = _listed([text_of(window) for window in windows[:2]])
    more = f" and {len(windows) - 2} more" if len(windows) > 2 else ""
    return f"{'Window' if len(windows) == 1 else 'Windows'} {named}{more} {_is(windows)}"


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _is(things: Any) -> str:
    return "is" if len(things) == 1 else "are"


def ways_of(model: Comparison, lane: Lane) -> list[str]:
    """Return the ways out; a mode that runs here is one of them."""
    if lane.refusal is None:
        return []
    others = [other.mode for other in model.running]
    use = f"Use {' or '.join(others)}: {'it runs' if len(others) == 1 else 'they run'} here."
    return [*lane.refusal.ways, *([use] if others and lane.refusal.is_rule else [])]


def refusal_head_of(lane: Lane) -> str:
    """Say whether Spark refuses a mode by a rule, or it failed otherwise."""
    if lane.refusal is None or lane.refusal.is_rule:
        return "Spark refuses"
    return "Failed while it ran"
