"""The timeline in words: its facts, its sentence, and how it writes times."""

from __future__ import annotations

from collections.abc import Sequence

from labkit.views.cells import cut, plural
from labkit.views.event_time import Window, clock, day, interval_words
from labkit.views.timeline.model import Step, Timeline
from labkit.views.timeline.windows import HALF, KEPT, LATE, UNTIMED, Mark

SIGNS = {KEPT: "●", LATE: "▽", HALF: "◐", UNTIMED: "□"}
WAITING = "Waiting for the first batch: the query runs; nothing has come in yet."
NO_TAP = " Single events are not shown: put events = lab.tap(events) before withWatermark."
# More names than this make a sentence that nobody reads.
MAX_NAMED = 3


class Words:
    """Writes times and windows of one timeline: the date stands only where it is another one."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.setting = timeline.setting
        first = timeline.first_ms
        self.day = day(first, self.setting.zone) if first is not None else ""

    def time(self, at_ms: int | None, none: str = "none yet") -> str:
        """Write an instant."""
        if at_ms is None:
            return none
        date = day(at_ms, self.setting.zone)
        shown = clock(at_ms, self.setting.zone)
        return shown if not self.day or date == self.day else f"{date} {shown}"

    def window(self, window: Window) -> str:
        """Write a window by its bounds."""
        start, end = (self.time(at) for at in window)
        same_day = day(window[0], self.setting.zone) == day(window[1], self.setting.zone)
        return f"{start}–{clock(window[1], self.setting.zone) if same_day else end}"

    def event(self, mark: Mark) -> str:
        """Write an event: its time, and its key if the tap tells one."""
        shown = self.time(mark.at_ms, none="null")
        return shown if mark.key is None else f"{shown} {cut(mark.key)}"


def facts(timeline: Timeline) -> str:
    """Say what kind of query it is."""
    setting = timeline.setting
    delays = " and ".join(interval_words(delay) for delay in setting.delays_ms)
    mark = f"watermark {delays}" if delays else "no watermark"
    return f"event time · {setting.mode} · {setting.windows.words} · {mark} · {setting.zone}"


def sentence(timeline: Timeline) -> str:
    """Say what happened in the newest batch, the most surprising first."""
    step, words = timeline.steps[-1], Words(timeline)
    said = [
        _disagreement(step, words),
        *_late(step, words),
        _half(step, words),
        _sent(timeline, step, words),
        _still_counts(timeline, step, words),
    ]
    said = [text for text in said if text]
    said = said or [text for text in [_older(timeline, step, words)] if text]
    if not said and step.rows:
        said = [_rows(timeline, step, words)]
    moves = _moves(timeline, step, words)
    if moves and not step.sent:
        said.append(moves)
    if timeline.setting.mode == "update" and step.closed:
        said.append(_closed(step, words))
    said = said or ["an empty batch; nothing moves."]
    text = f"Batch {step.number}: {' '.join(_capital(t, i) for i, t in enumerate(said))}"
    return text + ("" if step.tapped else NO_TAP) + _question(timeline, step)


def _capital(text: str, place: int) -> str:
    return text[0].upper() + text[1:] if place else text


def _disagreement(step: Step, words: Words) -> str:
    if step.foreign is not None:
        return (
            f"picture and Spark disagree: the query sent window {words.window(step.foreign)}, "
            f"the picture was told of {words.setting.windows.words}. Pass the query's own."
        )
    if step.agrees or step.picture_dropped is None:
        return ""
    low, high = step.picture_dropped
    few = f"{low}" if low == high else f"{low} or more"
    return (
        f"picture and Spark disagree: by the rule {few} would be dropped here, "
        f"Spark's count is {step.spark_dropped}. Do window and key fit the query?"
    )


def _late(step: Step, words: Words) -> list[str]:
    late = [mark for mark in step.marks or () if mark.fate == LATE]
    if not late:
        return []
    before = f"{words.time(step.late_test_ms)}, the watermark of batch {step.number - 1}"
    if not words.setting.late_test_lags:
        before = f"the watermark {words.time(step.late_test_ms)}"
    one = len(late) == 1
    who = f"{_named([words.event(m) for m in late], 'rows')} {'is' if one else 'are'} late"
    ends = sorted({mark.late[-1] for mark in late})
    match words.setting.windows.kind:
        case "none":
            why = f"not newer than {before}"
        case "session":
            why = f"{'its' if one else 'their'} session would have ended by {before}"
        case _ if len(ends) == 1:
            why = f"window {words.window(ends[0])} ended by {before}"
        case _:
            why = f"their windows ended by {before}"
    return [f"{who} and dropped: {why}."]


def _half(step: Step, words: Words) -> str:
    half = [mark for mark in step.marks or () if mark.fate == HALF]
    if not half:
        return ""
    if len(half) > 1:
        return f"{len(half)} rows are half late: each counts only for its windows still open."
    kept, late = (", ".join(map(words.window, w)) for w in (half[0].kept, half[0].late))
    return f"{words.event(half[0])} is half late: it counts for {kept}, no longer for {late}."


def _sent(timeline: Timeline, step: Step, words: Words) -> str:
    mode, kind = timeline.setting.mode, timeline.setting.windows.kind
    if kind == "none":
        return f"{plural(step.sent_rows, 'row')} sent." if step.sent_rows else ""
    noun = "session" if kind == "session" else "window"
    sent = list(dict.fromkeys(r.window for r in step.sent if r.window is not None))
    if not sent:
        return f"{plural(len(step.sent), 'row')} sent." if step.sent else ""
    if mode == "complete" and len(sent) > 1:
        return f"the whole result is sent, {plural(len(sent), noun)}."
    named = _named([words.window(w) for w in sent], f"{noun}s")
    named = named if len(sent) > MAX_NAMED else f"{noun if len(sent) == 1 else noun + 's'} {named}"
    ends = "its end" if len(sent) == 1 else "their ends"
    value = f" ({', '.join(r.words for r in step.sent)})" if len(step.sent) <= MAX_NAMED else ""
    verb = "is" if len(sent) == 1 else "are"
    reached = f", for the watermark {words.time(step.watermark_ms)} has reached {ends}"
    return f"{named} {verb} sent{value}{reached if mode == 'append' else ''}."


def _still_counts(timeline: Timeline, step: Step, words: Words) -> str:
    """Name a row that counts only because the late test runs one batch behind."""
    mark_now = step.watermark_ms
    if mark_now is None or mark_now == step.late_test_ms or not timeline.setting.drops:
        return ""
    saved = [m for m in step.marks or () if m.kept and m.kept[0][1] <= mark_now]
    if not saved:
        return ""
    verb = "counts" if len(saved) == 1 else "count"
    test = words.time(step.late_test_ms, none="no watermark")
    who = _named([words.event(mark) for mark in saved], "rows")
    return (
        f"{who} still {verb}: the late test uses the watermark of batch {step.number - 1}, {test}."
    )


def _closed(step: Step, words: Words) -> str:
    named = _named([words.window(window) for window in step.closed], "windows")
    one = len(step.closed) == 1
    noun = "" if len(step.closed) > MAX_NAMED else "window " if one else "windows "
    rest = "is final, and nothing more is sent for it"
    return f"{noun}{named} {rest if one else 'are final, and nothing more is sent for them'}."


def _older(timeline: Timeline, step: Step, words: Words) -> str:
    """Name rows that counted although newer ones had come before."""
    before = timeline.steps[-2].newest_so_far_ms if len(timeline.steps) > 1 else None
    older = [
        m for m in step.marks or () if before is not None and m.fate == KEPT and m.at_ms is not None
        and m.at_ms < before
    ]  # fmt: skip
    if not older or timeline.setting.windows.kind == "none":
        return ""
    who = _named([words.event(mark) for mark in older], "rows")
    if timeline.setting.windows.kind != "tumbling" or len(older) > 1:
        verb = "counts" if len(older) == 1 else "count"
        return f"{who}, older than the newest event, still {verb}."
    return f"{who} counts: its window {words.window(older[0].kept[0])} is open."


def _moves(timeline: Timeline, step: Step, words: Words) -> str:
    before = timeline.steps[-2] if len(timeline.steps) > 1 else None
    if before is None or step.watermark_ms in (None, before.watermark_ms):
        return ""
    delays = timeline.setting.delays_ms
    why = ""
    if len(delays) == 1 and before.newest_so_far_ms == step.watermark_ms + delays[0]:
        why = f" (newest event {words.time(before.newest_so_far_ms)} − {interval_words(delays[0])})"
    start = "an empty batch, in which the" if step.rows == 0 else "the"
    return f"{start} watermark moves to {words.time(step.watermark_ms)}{why}."


def _rows(timeline: Timeline, step: Step, words: Words) -> str:
    untimed = sum(1 for mark in step.marks or () if mark.fate == UNTIMED)
    nulls = f" {plural(untimed, 'row')} without event time." if untimed else ""
    timed = [mark for mark in step.marks or () if mark.fate == KEPT]
    if step.marks is None:
        text = f"{plural(step.rows, 'row')} came in."
    elif timed:
        who = _named([words.event(mark) for mark in timed], "rows")
        text = f"{who} {'counts' if len(timed) == 1 else 'count'}."
    else:
        text = "no row counts."
    mark = "" if step.watermark_ms is not None or not timeline.setting.delays_ms else (
        " There is no watermark yet."
    )  # fmt: skip
    return f"{text}{nulls}{_spark_dropped(step)}{mark}"


def _spark_dropped(step: Step) -> str:
    """Say what Spark dropped where the picture cannot know the rows."""
    if step.marks is not None or not step.spark_dropped:
        return ""
    return f" Spark dropped late rows: {plural(step.spark_dropped, 'group')} of them."


def _question(timeline: Timeline, step: Step) -> str:
    stop = timeline.setting.stop_before
    if stop is None or step.number != stop - 1:
        return ""
    return (
        f" The picture stops before batch {stop}: which windows will be sent, which rows dropped? "
        "Then call .go_on() on the view."
    )


def _named(names: Sequence[str], noun: str) -> str:
    if len(names) > MAX_NAMED:
        return f"{len(names)} {noun}"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
