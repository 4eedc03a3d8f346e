"""Mutants are made at every place, are never the reference, and a hole in a check is reported."""

from __future__ import annotations

import ast
import sys
import textwrap

import nbformat
import pytest

from . import mutants as campaign
from .mutation.lessons import Lesson, Tried, run_lesson
from .mutation.mutant import mutants, normal, sample
from .mutation.report import merged, read_reasons, section, stale, unexplained
from .mutation.tasks import Task, parts, run, solution_lines
from .mutation.worker import work

CELL = """\
import labkit as lab

def totals(df, other):
    marked = df.withWatermark("time", "10 minutes").where(F.col("amount") >= 5)
    # BEGIN SOLUTION
    paid = marked.where("amount > 1").groupBy("who", "item").agg(F.sum("amount").alias("total"))
    rows = paid.filter((F.col("total") < 9) & ~F.col("who").isNull())
    writer = rows.writeStream.option("checkpointLocation", "here").outputMode("update")
    return writer.trigger(processingTime="1 minute", once=False)
    # END SOLUTION
"""


def made(source, columns=(), lines=None):
    every = mutants(source, lines or solution_lines(source), set(columns))
    return {(one.kind, one.diff.splitlines()[-1][2:]) for one in every}


def expressions(source, columns=()):
    return made(source, columns, lines={1})


def test_only_solution_lines_are_changed_and_every_mutant_is_python():
    given = CELL.splitlines()
    for one in mutants(CELL, solution_lines(CELL)):
        ast.parse(one.source)
        assert one.source.splitlines()[:5] == given[:5]
        assert one.diff.count("\n- ") + one.diff.startswith("- ") >= 1


def test_no_mutant_is_the_reference_or_another_mutant():
    every = [normal(one.source) for one in mutants(CELL, solution_lines(CELL))]
    assert normal(CELL) not in every
    assert len(set(every)) == len(every) > 40


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("mode", 'outputMode("append")'),
        ("mode", 'outputMode("complete")'),
        ("filter", "rows = paid"),
        ("filter", 'rows = paid.filter(~((F.col("total") < 9) & ~F.col("who").isNull()))'),
        ("filter", "marked.where('not (amount > 1)')"),
        ("comparison", '(F.col("total") <= 9)'),
        ("number", '(F.col("total") < 10)'),
        ("operator", ' | ~F.col("who")'),
        ("logic", '& (F.col("who").isNull())'),
        ("column", 'F.col("item") < 9'),
        ("argument dropped", '.groupBy("who").agg'),
        ("argument dropped", '.groupBy("item").agg'),
        ("aggregate", 'F.count("amount").alias("total")'),
        ("call dropped", '.agg(F.sum("amount"))'),
        ("call dropped", 'rows.writeStream.outputMode("update")'),
        ("call dropped", "return writer"),
        ("keyword dropped", "writer.trigger(once=False)"),
        ("keyword dropped", 'writer.trigger(processingTime="1 minute")'),
        ("duration", 'processingTime="2 minutes"'),
        ("boolean", "once=True"),
        ("text", 'option("checkpointLocationx", "here")'),
        ("return None", "return None"),
        ("statement dropped", "pass"),
    ],
)
def test_a_slip_is_made(kind, line):
    assert any(one == kind and line in text for one, text in made(CELL))


def test_what_another_module_offers_and_groups_are_kept():
    texts = {text for _, text in made(CELL)}
    assert not any(text.endswith("F") or "marked.agg" in text for text in texts)


@pytest.mark.parametrize(
    ("source", "kind", "after"),
    [
        ('modes = {"a": 1, "b": 2}', "dict values", 'modes = {"a": 2, "b": 1}'),
        ('modes = {"a": 1, "b": 2}', "entry dropped", 'modes = {"b": 2}'),
        ("last = rows[-1]", "number", "last = rows[-0]"),
        ("kept = [r for r in rows if r]", "filter", "kept = [r for r in rows if True]"),
        ("say = 1 if a and b else 2", "logic", "say = 1 if not (a and b) else 2"),
        ("say = a in b", "comparison", "say = a not in b"),
        ("say = (a + b) - c", "operator", "say = (a + b) + c"),
        ("most = max(rows)", "aggregate", "most = min(rows)"),
        ("a.b(x, y)", "arguments swapped", "a.b(y, x)"),
        ('s = "id bigint, who string"', "schema", 's = "id int, who string"'),
        ('s = "id bigint, who string"', "schema", 's = "who string"'),
        ('s = "id bigint, who string"', "schema", 's = "id bigint, WHO string"'),
        ('d = "dd.MM.yyyy"', "date format", 'd = "MM.dd.yyyy"'),
        ('way = "earliest"', "option value", 'way = "latest"'),
        ('x = row["ü"] + row["who"]', "column", 'x = row["ü"] + row["ü"]'),
    ],
)
def test_plain_python_is_mutated_too(source, kind, after):
    assert (kind, after) in expressions(source)


def test_a_column_is_exchanged_for_those_of_the_task():
    assert ("column", 'x = F.sum("price")') in expressions('x = F.sum("amount")', ["price"])


def test_one_parameter_is_taken_for_another():
    assert ("name", "return b.x()") in made("def f(a, b):\n    return a.x()", lines={2})


def test_an_f_string_and_a_docstring_stay():
    assert expressions('x = f"{a}b"') == {("statement dropped", "pass")}
    assert made('def f():\n    "says"\n    return a', lines={2}) == {("statement dropped", "pass")}


def test_the_same_duration_and_the_same_nothing_are_one_mutant():
    assert normal('f(a="60 seconds", b=1)') == normal('f(b=1, a="1 minute")')
    assert normal("def f():\n    return None") == normal("def f():\n    pass")


def test_a_sample_has_each_kind_and_is_the_same_each_time():
    every = mutants(CELL, solution_lines(CELL))
    kinds = {one.kind for one in every}
    few = sample(every, len(kinds))
    assert {one.kind for one in few} == kinds
    assert few == sample(every[::-1], len(kinds))[::-1]
    assert sample(every, len(every)) == every


def code(source, *names):
    return nbformat.v4.new_code_cell(textwrap.dedent(source), metadata={"tags": list(names)})


def lesson(check, answer="# BEGIN SOLUTION\nanswer = 2 * base\n# END SOLUTION"):
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        code("base = 10"),
        nbformat.v4.new_markdown_cell("**Task 98.1** (1 minutes) Twice `amount`."),
        code(answer, "answer"),
        code(check, "check"),
        code("1 // 0"),
    ]
    return notebook


# A check of its own, so that no lesson is needed; the name of the call is what a notebook has.
EXACT = """
class lab:
    def check(name, value):
        class Result: passed, cause, error = value == 20, f"it is {value}", None
        return Result
lab.check("98.1", answer)
"""
ANY = EXACT.replace("value == 20", "value > 0")


def test_a_lesson_is_read_as_cells_and_tasks():
    schema = 's = "amount int, price double"'
    first, task = parts(lesson(EXACT), schema)  # what comes after the last task does not matter
    assert first == "base = 10"
    assert (task.id, task.columns) == ("98.1", {"amount", "price"})
    assert task.cells == ("# BEGIN SOLUTION\nanswer = 2 * base\n# END SOLUTION",)
    assert isinstance(task, Task)


def test_the_value_of_a_cell_is_that_of_its_last_expression():
    space = {}
    assert run("x = 2\nx + 1", space) == 3
    assert run("y = x", space) is None
    assert space["y"] == 2


@pytest.fixture
def told(monkeypatch):
    """Return a function that runs a notebook's mutants here, and gives the events."""
    from .mutation import worker

    class NoSpark:
        def stop_new_queries(self): ...

        set_back = stop_new_queries

    monkeypatch.setattr(worker, "Trial", NoSpark)
    monkeypatch.setattr(worker, "lives", lambda: True)

    def see(notebook, done=frozenset(), most=99):
        events = []
        assert work(parts(notebook), set(done), most, lambda **what: events.append(what)) == 0
        return events

    return see


def ends(events):
    return {
        event["diff"].splitlines()[-1]: event["outcome"] for event in events if "cause" in event
    }


def test_a_check_that_looks_kills_all_and_one_that_does_not_lets_them_live(told):
    assert ends(told(lesson(EXACT))) == {
        "+ pass": "raises",
        "+ answer = 2 + base": "killed",
        "+ answer = 3 * base": "killed",
        "+ answer = 1 * base": "killed",
        "+ answer = 20 * base": "killed",
    }
    assert ends(told(lesson(ANY)))["+ answer = 3 * base"] == "survived"


def test_an_answer_that_the_check_had_to_end_hangs(told):
    ended = EXACT.replace(", None", ", late if value != 20 else None")
    before = "from labkit.course.running.trouble import TookTooLong\nlate = TookTooLong()\n"
    assert ends(told(lesson(before + ended)))["+ answer = 3 * base"] == "hangs"


def test_mutants_that_are_done_are_passed_over(told):
    events = told(lesson(EXACT))
    done = {f"98.1 {event['id']}" for event in events if event["event"] == "end"}
    assert ends(told(lesson(EXACT), done)) == {}


def test_a_reference_that_does_not_pass_is_told(told):
    (event,) = [e for e in told(lesson(ANY.replace("> 0", "< 0"))) if e["event"] == "reference"]
    assert event["cause"] == "killed: it is 20"


def test_a_mutant_that_spoils_what_others_need_is_told(told):
    answer = "# BEGIN SOLUTION\nbox.append(1)\nanswer = 20\n# END SOLUTION"
    notebook = lesson(EXACT.replace("value == 20", "value == 20 and len(box) < 3"), answer)
    notebook.cells[0].source = "box = []"
    (event,) = [e for e in told(notebook) if e["event"] == "reference"]
    assert event["cause"] == "after the mutants, killed: it is 20"


WORKER = """
import json, sys, time
wish = json.loads(sys.stdin.read())
def tell(**what): print(json.dumps(what), flush=True)
tell(event="task", task="98.1", made=9, chosen=3, seconds=0)
for id in "abc":
    if f"98.1 {id}" in wish["done"]: continue
    names = dict(task="98.1", id=id, kind="number", diff="+ " + id)
    tell(event="begin", **names)
    if id == "b": HANG
    tell(event="end", **names, outcome="killed", cause="", seconds=1)
    tell(event="cell")
LAST
"""


@pytest.fixture
def pretended(tmp_path, monkeypatch):
    """Return a function that runs a pretended worker for a lesson."""
    from labkit.course import library

    monkeypatch.setattr(library, "LESSONS", tmp_path)
    (tmp_path / "lesson_98.py").touch()
    (tmp_path / "98_pretended.ipynb").write_text("{}")

    def see(hang="pass", last=""):
        text = WORKER.replace("HANG", hang).replace("LAST", last)
        command = [sys.executable, "-c", text]
        return run_lesson(tmp_path / "98_pretended.ipynb", command, most=9, limit_s=3)

    return see


@pytest.mark.parametrize("trouble", ["time.sleep(60)", "sys.exit(1)"])
def test_a_mutant_that_hangs_or_ends_the_process_does_not_end_the_campaign(pretended, trouble):
    found = pretended(trouble)
    assert [(one.id, one.outcome) for one in found.tried] == [
        ("a", "killed"),
        ("b", "hangs"),
        ("c", "killed"),
    ]
    assert found.made == {"98.1": 9}
    assert found.trouble == []


def test_spark_that_has_gone_begins_the_lesson_again(pretended):
    found = pretended(last='if len(wish["done"]) == 0: sys.exit(3)')
    assert [one.id for one in found.tried] == ["a", "b", "c"]


def test_a_lesson_that_fails_is_told_with_its_last_words(pretended):
    found = pretended(last='raise ValueError("no broker")')
    assert found.trouble == ["The lesson did not run through. ValueError: no broker"]


def tried(name, outcome, kind="number"):
    return Tried("98.1", name, kind, f"- x\n+ {name}", outcome, "", 2.0)


RAN = Lesson(
    "98",
    {"98.1": 9},
    [tried("a", "killed"), tried("b", "survived"), tried("c", "survived", "mode")],
)
REASONS = {("98.1", "- x\n+ b"): "It is the same."}


def test_the_report_counts_and_shows_each_survivor_with_its_reason():
    text = section(RAN, REASONS)
    assert "| 98.1 | 9 | 3 | 1 | 0 | 0 | 2 | 1 | 6 |" in text.splitlines()
    assert "Refused of each kind: mode 0/1, number 1/2." in text
    assert "```diff\n- x\n+ b\n```\n\nIt is the same." in text
    assert "```diff\n- x\n+ c\n```\n\n**No reason yet.**" in text


def test_survivors_without_a_reason_and_reasons_without_a_survivor_are_found():
    assert [one.id for one in unexplained(RAN, REASONS)] == ["c"]
    assert stale(RAN, REASONS) == []
    old = {("98.1", "- x\n+ a"): "It was the same once."}
    assert [one.id for one in stale(RAN, old)] == ["a"]


def test_the_parts_of_lessons_that_did_not_run_stay():
    first = merged("", {"98": "## Lesson 98\nold", "97": "## Lesson 97\nkept"})
    again = merged(first, {"98": "## Lesson 98\nnew"})
    assert "kept" in again
    assert "old" not in again
    assert again.index("Lesson 97") < again.index("Lesson 98")
    assert merged(again, {"98": "## Lesson 98\nnew"}) == again


def test_the_reasons_can_be_read_and_each_says_something():
    assert all(reason.strip().endswith(".") for reason in read_reasons().values())


@pytest.mark.parametrize(("reasons", "status"), [(REASONS, 1), (None, 0)])
def test_the_exit_status_tells(monkeypatch, tmp_path, reasons, status):
    reasons = reasons or REASONS | {("98.1", "- x\n+ c"): "The same, too."}
    monkeypatch.setattr(campaign, "read_reasons", lambda: reasons)
    monkeypatch.setattr(campaign, "sources", lambda numbers: [tmp_path / "98_x.ipynb"])  # noqa: ARG005
    monkeypatch.setattr(campaign, "run_lesson", lambda *_, **__: RAN)
    page = tmp_path / "reports" / "mutants.md"
    assert campaign.main(["98", "--report", str(page)]) == status
    assert "## Lesson 98" in page.read_text()
