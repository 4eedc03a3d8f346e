"""The rules of form that every notebook of the course keeps to: cells, words, code, links."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from statistics import median

import nbformat

from labkit.course.making.course_map import row
from labkit.course.making.notebooks import tags

from .lesson import Lesson, anchors_of, called, calls_of, lines_of, links_of, prose_of

KNOWN_TAGS = {
    *("objective", "setup", "predict", "task", "answer", "check", "hidden", "view", "busy"),
    *("recap", "quiz", "teardown", "nbval-check-output", "keep_output", "raises-exception"),
}
FEWEST_CELLS, MOST_CELLS = 20, 45
# Lesson 00 goes in the smallest steps of all, for readers who never saw a streaming query.
MOST_CELLS_OF_00 = 60
LEAST_TEXT, MOST_TEXT = 0.7, 1.8
MOST_LINES, MOST_SETUP_LINES = 15, 6
LONGEST_SLEEP_S = 1
TO_WRITE = "TO WRITE"

Complaints = Iterator[str]
REGISTRY = re.compile(
    r"\b[\w.-]*(maven|pypi|pythonhosted|npmjs|conda-forge|crates\.io)[\w.-]*\.\w", re.IGNORECASE
)
PLACE = re.compile(r"(?<![\w.:/])/(root|work|tmp|var|usr|opt|home/\w+|Users/\w+)/\w|\b[A-Z]:\\\w")
EMOJI = re.compile("[\U0001f000-\U0001faff\u2705\u274c\u2728]")


def valid(lesson: Lesson) -> Complaints:
    nbformat.validate(lesson.notebook)
    if lesson.notebook.metadata.get("kernelspec", {}).get("name") != "python3":
        yield "the kernel must be python3: run `labkit notebooks build`"
    if "widgets" in lesson.notebook.metadata:
        yield "it saves the state of widgets: run `labkit notebooks build`"
    for n, cell in lesson.code:
        if any("widget" in kind for out in cell.outputs for kind in out.get("data", {})):
            yield f"cell {n} saves a widget, which is blank where no kernel runs"
        if any(out.output_type == "error" for out in cell.outputs) and (
            "raises-exception" not in tags(cell)
        ):
            yield f"cell {n} saves an error: mend it, or give it the tag raises-exception"


def written(lesson: Lesson) -> Complaints:
    for n, cell in lesson.cells:
        if not cell.source.strip():
            yield f"cell {n} is empty: remove it"
        if TO_WRITE in cell.source:
            line = next(line for line in cell.source.splitlines() if TO_WRITE in line)
            yield f"cell {n} is still to write: {line.strip()[:80]}"


def first_cell(lesson: Lesson) -> Complaints:
    first = lesson.notebook.cells[0]
    if first.cell_type != "markdown" or "objective" not in tags(first):
        yield "cell 0 must be a text with the tag objective"
    wanted = {
        f"begin with `# {lesson.number} Title`": rf"# {lesson.number} \S",
        "have the opening question in bold, with its question mark": r"(?s).*\*\*[^*]+\?\*\*",
        "say what the learner will be able to do": r"(?s).*you will be able to\b",
        "say the minutes, as in `30 minutes`": r"(?s).*\b\d+ minutes\b",
        "say what it needs, as in `Needs Java`": r"(?s).*\bNeeds\b",
    }
    yield from (
        f"cell 0 must {rule}" for rule, form in wanted.items() if not re.match(form, first.source)
    )
    links = links_of(first)
    for step, word in ((-1, "previous"), (1, "next")):
        for path in lesson.path.parent.glob(f"{int(lesson.number) + step:02}_*.ipynb"):
            if path.name not in links:
                yield f"cell 0 must link to the {word} lesson: [{word}]({path.name})"


def second_cell(lesson: Lesson) -> Complaints:
    second = lesson.notebook.cells[1]
    if second.cell_type != "code" or "setup" not in tags(second):
        yield "cell 1 must be code with the tag setup"
    if len(lines_of(second)) > MOST_SETUP_LINES:
        yield f"cell 1 has {len(lines_of(second))} lines: set-up takes at most {MOST_SETUP_LINES}"


def last_cells(lesson: Lesson) -> Complaints:
    last = len(lesson.notebook.cells) - 1
    recap = lesson.tagged("recap")
    if len(recap) != 1 or not re.search(r"^> \S", recap[0][1].source, re.MULTILINE):
        yield "one text with the tag recap must hold the sentence to take home, as `> …`"
    if "teardown" not in tags(lesson.notebook.cells[last]):
        yield f"cell {last}, the last, must have the tag teardown"
    if not any(called(call) == "stop_all" for call in calls_of(lesson.notebook.cells[last])):
        yield f"cell {last}, the last, must call lab.stop_all()"


def quiz(lesson: Lesson) -> Complaints:
    found = [(n, cell) for n, cell in lesson.code if "lab.quiz(" in cell.source]
    if len(found) != 1 or f'lab.quiz("{lesson.number}")' not in found[0][1].source:
        yield f'one cell must ask lab.quiz("{lesson.number}")'
    yield from (f"cell {n} must have the tag quiz" for n, cell in found if "quiz" not in tags(cell))
    recap = [n for n, _ in lesson.tagged("recap")]
    yield from (
        f"cell {n}: the quiz comes after the recap" for n, _ in found if recap and n < recap[0]
    )


def when_nothing_moves(lesson: Lesson) -> Complaints:
    calls = (".isActive", "lab.progress(", "lab.explain(")
    found = [n for n, cell in lesson.seen if all(call in cell.source for call in calls)]
    if len(found) != 1:
        where = f"cells {found} hold" if found else "no cell holds"
        yield f"{where} the three questions when nothing moves: one cell with {', '.join(calls)}"


def length(lesson: Lesson) -> Complaints:
    most = MOST_CELLS_OF_00 if lesson.number == "00" else MOST_CELLS
    if not FEWEST_CELLS <= len(lesson.core) <= most:
        yield (
            f"the core has {len(lesson.core)} cells, {FEWEST_CELLS} to {most} are right: split it, "
            'or move what no task needs below a heading "## Further"'
        )


def balance(lesson: Lesson) -> Complaints:
    text = sum(cell.cell_type == "markdown" for _, cell in lesson.seen)
    ratio = text / max(1, len(lesson.seen) - text)
    if not LEAST_TEXT <= ratio <= MOST_TEXT:
        yield f"{ratio:.2f} texts for each code cell; {LEAST_TEXT} to {MOST_TEXT} are right"


def short_code(lesson: Lesson) -> Complaints:
    for n, cell in lesson.code:
        if len(lines_of(cell)) > MOST_LINES:
            yield f"cell {n} has {len(lines_of(cell))} lines: at most {MOST_LINES}; split it"
    middle = median([len(lines_of(cell)) for _, cell in lesson.code] or [0])
    if not 2 <= middle <= 5:
        yield f"the middle code cell has {middle:g} lines: 2 to 5 are right"


def known_tags(lesson: Lesson) -> Complaints:
    for n, cell in lesson.cells:
        for tag in sorted(set(tags(cell)) - KNOWN_TAGS):
            yield f"cell {n}: {tag!r} is no tag of the course; {', '.join(sorted(KNOWN_TAGS))} are"
        meant = {"nbval-check-output", "keep_output"}
        if tags(cell) and "raises-exception" in tags(cell) and not meant <= set(tags(cell)):
            yield f"cell {n}: an error that is meant is compared: add {', '.join(sorted(meant))}"


def no_registry(lesson: Lesson) -> Complaints:
    yield from _find(lesson, REGISTRY, "names a package registry: leave it out")


def no_absolute_path(lesson: Lesson) -> Complaints:
    yield from _find(lesson, PLACE, "holds a path of one machine: use lab.data or lab.folder")


def plain_words(lesson: Lesson) -> Complaints:
    for n, cell in lesson.text:
        if "!" in prose_of(cell):
            yield f"cell {n} has an exclamation mark: say it plainly"
        if EMOJI.search(cell.source):
            yield f"cell {n} has an emoji: leave it out"


def for_a_class(lesson: Lesson) -> Complaints:
    text = "\n".join(cell.source for _, cell in lesson.text)
    if not re.search(r"waits? here for the group", text):
        yield "no text says where a class waits here for the group"
    if "**Bonus" not in text:
        yield "no **Bonus** for those who are early"


def no_waiting(lesson: Lesson) -> Complaints:
    for n, cell in lesson.code:
        for call in calls_of(cell):
            name, bare = called(call), not call.args and not call.keywords
            if name in {"awaitTermination", "awaitAnyTermination"} and bare:
                yield f"cell {n} waits for ever: give {name} a timeout"
            seconds = call.args[0] if name == "sleep" and call.args else None
            if isinstance(seconds, ast.Constant) and seconds.value > LONGEST_SLEEP_S:
                yield f"cell {n} sleeps {seconds.value} s: at most {LONGEST_SLEEP_S}"


def no_magics(lesson: Lesson) -> Complaints:
    for n, cell in lesson.code:
        # nbval lets an unknown magic pass, and installing belongs to `make lab`.
        for line in re.findall(r"^\s*([%!]\w.*)", cell.source, re.MULTILINE):
            yield f"cell {n}: {line[:40]!r} is not Python: leave it out"


def links(lesson: Lesson) -> Complaints:
    for n, cell in lesson.text:
        for link in links_of(cell):
            file, _, anchor = link.partition("#")
            path = lesson.path.parent / file if file else lesson.path
            if "://" in link:
                continue
            if not path.exists():
                yield f"cell {n}: the link {link} leads to no file"
            elif anchor and anchor not in anchors_of(path):
                yield f"cell {n}: the link {link} leads to no heading of {path.name}"


def in_the_map(lesson: Lesson) -> Complaints:
    source = lesson.path.parent / ("" if lesson.is_source else "solutions") / lesson.path.name
    if row(source) not in (lesson.root / "notebooks" / "README.md").read_text().splitlines():
        yield f"notebooks/README.md lacks the row {row(source)}: run `labkit notebooks build`"


def _find(lesson: Lesson, form: re.Pattern[str], trouble: str) -> Complaints:
    for n, cell in lesson.cells:
        if found := form.search(cell.source + str(cell.get("outputs", ""))):
            yield f"cell {n} {trouble} ({found[0]})"
