"""``lab.check`` and ``lab.hint`` without Spark: ids, blanks, kinds, results as text and HTML."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import suppress
from html.parser import HTMLParser

import pytest

from labkit.course import library
from labkit.course.judging import checking
from labkit.course.judging.blanks import is_blank
from labkit.course.judging.checking import hint
from labkit.course.judging.checks import CheckedRow, check, checks_of, find, not_yet, passed
from labkit.course.judging.results import Hint, Result
from labkit.course.running import guarding, threads
from labkit.errors import CheckFailed, InvalidArgument, NotFound

HINTS = ("How many?", "It is `1 + 1`.", "Write **2**.")


@pytest.fixture
def ask(monkeypatch):
    """Return a function that runs ``lab.check`` with a check of this test."""

    def made(judge, given_answer, **changes):
        given = {"title": "two", "minutes": 1, "look_at": "Numbers", "hints": HINTS} | changes
        task = check("90.1", **given)(judge)
        monkeypatch.setattr(checking, "find", lambda _: task)
        return checking.check("90.1", given_answer)

    return made


def two(answer):
    return passed("It is **2**.", "Also: `1 + 1`.") if answer == 2 else not_yet("It is not **2**.")


def call(answer):
    return passed("called") if answer() else not_yet("false")


def test_a_right_answer_passes_and_gets_no_hints(ask):
    result = ask(two, 2)
    assert result.passed
    assert repr(result) == "Passed: 90.1 two\nIt is 2.\nAlso: `1 + 1`."
    assert (result.cause, result.note, result.hints) == ("It is 2.", "Also: `1 + 1`.", ())


def test_another_answer_is_told_where_to_go_on(ask):
    assert repr(ask(two, 3)) == (
        'Not yet: 90.1 two\nIt is not 2.\nHints: lab.hint("90.1")\nLook at: Numbers'
    )


def test_strict_means_that_not_passed_is_an_error(ask, monkeypatch):
    monkeypatch.setenv("LABKIT_STRICT", "1")
    assert ask(two, 2).passed
    with pytest.raises(CheckFailed, match="It is not 2") as failed:
        ask(two, 3)
    assert isinstance(failed.value, AssertionError)


def test_patience_is_a_number_in_its_bounds(monkeypatch):
    for value in ("0.5", "101", "much"):
        monkeypatch.setenv("LABKIT_PATIENCE", value)
        with pytest.raises(InvalidArgument, match="LABKIT_PATIENCE"):
            guarding.settings.patience()
    monkeypatch.setenv("LABKIT_PATIENCE", "2.5")
    assert guarding.settings.patience() == 2.5


def stub(df):
    """Say what to do."""
    ...  # noqa: PIE790 - as the learner finds it


def stub_that_returns(df):  # noqa: ARG001
    return ...


def half(df):
    part = df + 1  # noqa: F841
    ...  # noqa: PIE790


@pytest.mark.parametrize(
    "blank",
    [
        None,
        ...,
        {"a": 1, "b": ...},
        [1, ...],
        (..., 1),
        {"a": {"b": ...}},
        stub,
        stub_that_returns,
        lambda df: None,  # noqa: ARG005
    ],
)
def test_a_blank_is_seen(blank, ask):
    assert is_blank(blank)
    assert ask(two, blank).cause == "There is no answer yet. Asked is: two."


@pytest.mark.parametrize(
    "answer", [0, "", [], {}, {"a": None}, "...", lambda df: df, lambda: 3, int]
)
def test_an_answer_is_no_blank(answer):
    assert not is_blank(answer)


def test_a_function_that_gives_nothing_back_is_a_blank_once_it_was_called(ask):
    result = ask(lambda answer: passed("") if answer(1) == 2 else not_yet("odd"), half)
    assert "no answer yet" in result.cause


def test_a_function_may_be_asked_for_what_it_does(ask):
    result = ask(
        lambda answer: not_yet("odd") if answer(1) is None else passed(""), half, returns=False
    )
    assert result.cause == "odd"


def test_a_forgotten_return_is_told_from_a_line_that_is_not_written(ask):
    def forgotten(df):
        part = df + 1  # noqa: F841

    result = ask(lambda answer: passed("") if answer(1) == 2 else not_yet("odd"), forgotten)
    assert "gives nothing back" in result.cause


@pytest.mark.parametrize(
    ("kind", "right", "other"),
    [
        ("function", len, int),
        ("function", lambda df: df, 42),
        ("dict", {"a": 1}, "a"),
        ("list", (1, 2), {1}),
        ("text", "append", 1),
        ("number", 2.5, True),
        ("number", 3, "3"),
    ],
)
def test_an_answer_of_another_kind_is_told_by_its_type(ask, kind, right, other):
    assert ask(lambda _: passed("seen"), right, answer=kind).passed
    cause = ask(lambda _: passed("seen"), other, answer=kind).cause
    assert f"of the type `{type(other).__name__}`" in cause


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda: 1 / 0, "`ZeroDivisionError: division by zero` (line "),
        (lambda: sys.exit(3), "ends Python"),
        (lambda: {}["a"], "`KeyError: 'a'`"),
        (lambda: next(iter(())), "`StopIteration`"),
        (lambda: object().no, "no attribute 'no'"),
        (lambda: (_ for _ in ()).throw(KeyboardInterrupt()), "KeyboardInterrupt"),
        (lambda: int("x", base="y"), "TypeError"),
    ],
)
def test_whatever_an_answer_raises_is_told(ask, answer, words):
    result = ask(call, answer)
    assert words in result.cause
    assert not result.passed
    assert result.error is not None


def test_an_address_is_left_out_of_the_words(ask):
    def odd():
        raise ValueError(object())

    assert "<object object>" in ask(call, odd).cause


def test_endless_recursion_is_told(ask):
    def deep():
        return deep() + 1

    assert ask(call, deep).cause.startswith("Your answer calls itself without end (in deep, line ")


def spins():
    while True:
        pass


def spins_and_catches():
    while True:
        with suppress(Exception):  # what a careless answer does
            time.sleep(0.001)


def sleeps():
    time.sleep(30)


@pytest.mark.parametrize("answer", [spins, spins_and_catches, sleeps])
def test_an_answer_that_hangs_is_ended(ask, answer, monkeypatch):
    monkeypatch.setattr(guarding, "CALL_S", 0.5)
    start = time.monotonic()
    result = ask(call, answer)
    assert "had not come back" in result.cause
    assert time.monotonic() - start < 25  # the sleep has not been waited for
    left = [one for one in threading.enumerate() if one.name == guarding.ANSWER and one.is_alive()]
    assert len(left) <= (answer is sleeps)


def test_a_check_that_never_ends_is_ended_too(ask, monkeypatch):
    monkeypatch.setattr(guarding, "CHECK_S", 0.5)
    assert "The check was not through" in ask(lambda _: spins(), 2).cause


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_an_answer_starts_ends_with_the_check(ask):
    started = []

    def answer():
        started.append(threading.Thread(target=spins, daemon=True))
        started[0].start()
        return True

    assert ask(call, answer).passed
    started[0].join(threads.GRACE_S)
    assert not started[0].is_alive()


def test_an_answer_prints_only_so_much(ask, capsys):
    def talks():
        for _ in range(10_000):
            print("a line of thirty characters ..")  # noqa: T201
        return True

    assert ask(call, talks).passed
    said = capsys.readouterr().out
    assert len(said) < guarding.MAX_PRINTED + 100
    assert said.endswith("… and more, which is left out\n")
    print("again")  # noqa: T201
    assert capsys.readouterr().out == "again\n"


def test_an_answer_reaches_workers_as_itself(ask):
    from pyspark import cloudpickle

    def judge(answer):
        back = cloudpickle.loads(cloudpickle.dumps(answer))
        return passed(type(back).__name__ + answer.__name__)

    assert ask(judge, lambda: 3).cause == "function<lambda>"


@pytest.mark.parametrize("name", ["3.1", "03", "03.", "03.0", "03.1.2", "", "ab.c", "03.1 "])
def test_an_id_of_another_form_is_named(name):
    with pytest.raises(InvalidArgument, match="two digits, a dot"):
        find(name)


def test_an_id_that_is_not_there_names_those_that_are():
    with pytest.raises(InvalidArgument, match="id is 3"):
        find(3)
    with pytest.raises(NotFound, match="There are lessons 00"):
        find("98.1")


def test_a_new_lesson_is_found_without_an_edit(monkeypatch):
    module = type(sys)("lesson_91")
    module.second = check("91.2", title="b", minutes=1, look_at="B", hints=HINTS)(two)
    module.first = check("91.1", title="a", minutes=1, look_at="A", hints=HINTS)(two)
    monkeypatch.setattr(library, "numbers", lambda: ["91"])
    monkeypatch.setattr(library, "lesson", lambda number: {"91": module}[number])
    assert list(checks_of("91")) == ["91.1", "91.2"]
    assert find("91.2").title == "b"
    with pytest.raises(NotFound, match=r"Lesson 91 has 91\.1, 91\.2"):
        find("91.3")


@pytest.mark.parametrize(
    "changes", [{"hints": ["a"]}, {"hints": "abc"}, {"answer": "thing"}, {"hints": ()}]
)
def test_a_check_that_cannot_work_is_refused(changes):
    with pytest.raises(InvalidArgument):
        check("90.1", **({"title": "t", "minutes": 1, "look_at": "L", "hints": HINTS} | changes))


def test_hints_come_one_by_one_and_then_the_solution(monkeypatch):
    task = check("00.1", title="two", minutes=1, look_at="Numbers", hints=HINTS)(two)
    monkeypatch.setattr(checking, "find", lambda _: task)
    monkeypatch.setattr(checking, "_given", {})
    said = [repr(hint("00.1")) for _ in range(5)]
    assert said[:3] == [
        "Hint 1 of 3 for 00.1: How many?",
        "Hint 2 of 3 for 00.1: It is `1 + 1`.",
        "Hint 3 of 3 for 00.1: Write 2.",
    ]
    assert said[3] == said[4]
    assert said[3].startswith(said[2])
    assert "solutions/00_first_stream.ipynb" in said[3]


class Tags(HTMLParser):
    """What a page consists of."""

    def __init__(self, html):
        super().__init__()
        self.open, self.all, self.words = [], [], ""
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.all.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words += f" {data}"


def html_of(verdict, **changes):
    given = {"id": "90.1", "title": "two", "hints": HINTS, "look_at": "Numbers"} | changes
    return Result(verdict=verdict, **given)._repr_html_()


def test_the_card_reads_well_without_its_style():
    rows = [
        CheckedRow("Δ", "10:00 – 10:05", 2, 3, "one row is missing"),
        CheckedRow("=", "b", 1, 1),
    ]
    page = Tags(html_of(not_yet("So **two** rows.", rows, place="window (UTC)")))
    words = " ".join(page.words.split())
    assert words == (
        "△ Not yet 90.1 · two So two rows. window (UTC) came out expected "
        "Δ 10:00 – 10:05 2 3 one row is missing = b 1 1 right "
        "Next hint (1 of 3) How many? Next hint (2 of 3) It is 1 + 1 . "
        "Next hint (3 of 3) Write 2 . look at: Numbers"
    )
    assert [tag for tag, _ in page.all].count("details") == 3
    assert ("section", "Check 90.1: not yet") in [(t, a.get("aria-label")) for t, a in page.all]


def test_values_are_escaped_and_nothing_comes_from_the_network():
    bad = '<img src=x onerror="alert(1)">'
    rows = [CheckedRow("+", bad, bad, None, bad)]
    html = html_of(not_yet(bad, rows, bad, place=bad), hints=(bad,), look_at=bad, title=bad)
    page = Tags(html + Hint("90.1", 1, 1, bad, bad)._repr_html_())
    assert {"img", "script", "link"} & {tag for tag, _ in page.all} == set()
    assert not any(name in attrs for _, attrs in page.all for name in ("src", "onerror", "id"))
    assert "http" not in html


def test_a_passed_card_has_no_hints():
    page = Tags(html_of(passed("It is **2**.", "Costs nothing.")))
    assert " ".join(page.words.split()) == "✓ Passed 90.1 · two It is 2 . Costs nothing."
    assert "details" not in [tag for tag, _ in page.all]


def test_a_long_table_says_how_much_it_leaves_out():
    rows = [CheckedRow("−", f"row {n}", None, n) for n in range(24)]
    result = Result("90.1", "two", not_yet("Many.", rows))
    assert "… and 12 more" in repr(result)
    assert "… and 12 more" in result._repr_html_()
