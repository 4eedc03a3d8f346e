"""The quiz in a real browser, by keyboard and in both themes; no Spark."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

PICTURES = os.environ.get("LAB_PICTURES")
CELLS = ['import labkit as lab\nquiz = lab.quiz("00")\nquiz']
BUSY = """\
import pathlib, time
while not pathlib.Path("go").exists():
    time.sleep(0.05)"""
QUIZ = ".jp-CodeCell .lk-quiz"


@pytest.fixture
def notebook(lab, page):
    opened = lab.open_cells(page, "quiz.ipynb", CELLS)
    assert opened.run_all() == "ok"
    page.wait_for_selector(QUIZ)
    yield opened
    (lab.root / "go").unlink(missing_ok=True)


def says(page, selector, text):
    page.wait_for_function(
        "([of, text]) => document.querySelector(of)?.textContent.includes(text)",
        arg=[f"{QUIZ} {selector}", text],
        timeout=10_000,
    )


def run(page, code):
    """Run code in the notebook's kernel, in no cell."""
    status = page.evaluate(
        """async code => {
            const {kernel} = jupyterapp.shell.currentWidget.sessionContext.session;
            return (await kernel.requestExecute({code}).done).content.status;
        }""",
        code,
    )
    assert status == "ok"


def answer(quiz, choice):
    quiz.get_by_text(choice).click()
    quiz.get_by_role("button", name="Answer").click()


def test_a_learner_answers_by_keyboard_by_mouse_and_by_call(notebook, page, lab):
    quiz = page.locator(QUIZ)
    assert quiz.get_by_role("button", name="Answer").is_disabled()  # nothing is chosen yet
    quiz.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    says(page, ".lk-no", "not this one")
    says(page, "[aria-live=polite] .lk-reply", "What has the query kept")
    says(page, ".lk-score", "0 of 3 right so far")
    pictures(notebook, page, "quiz-hint")

    page.keyboard.press("Enter")  # "Try again" leads to the first choice that is left
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    says(page, ".lk-yes", "right")
    says(page, ".lk-reply", "Right. The query keeps its counts")
    says(page, ".lk-score", "1 of 3 right so far")
    says(page, ".lk-no", "not this one")  # it stays
    pictures(notebook, page, "quiz-right")

    page.keyboard.press("ArrowDown")  # what is answered stays answered
    assert quiz.get_by_role("radio").nth(1).is_checked()
    page.keyboard.press("Enter")  # "Next question"
    says(page, ".lk-where", "Question 2 of 3")
    assert quiz.locator(".lk-reply").count() == 0
    page.keyboard.press("b")  # no shortcut of the notebook gets through
    assert page.locator(".jp-NotebookPanel .jp-CodeCell").count() == len(CELLS)

    quiz.get_by_role("button", name="Question before").click()
    says(page, ".lk-where", "Question 1 of 3")
    says(page, ".lk-yes", "right")

    # By mouse and by call: the kernel, this page and the page loaded again agree.
    quiz.get_by_role("button", name="Next question").first.click()
    answer(quiz, "Only files that come from now on.")
    says(page, ".lk-no", "not this one")

    # A busy cell holds nothing up; JupyterLab sends the choice past it.
    page.evaluate(
        "code => { jupyterapp.shell.currentWidget.sessionContext.session.kernel"
        ".requestExecute({code}); }",
        BUSY,
    )
    answer(quiz, "Nothing: the first query has taken the files.")
    says(page, ".lk-reply", "Look into the folder.")
    assert not (lab.root / "go").exists()
    (lab.root / "go").touch()

    # A kernel that says nothing does not leave the learner without a word.
    run(page, "quiz._card.on_msg(quiz._take, remove=True)")
    answer(quiz, "All 4 files, one per batch.")
    says(page, ".lk-reply", "No answer yet.")

    run(page, "assert quiz.score == 1; quiz.answer(3, question=3)")
    says(page, ".lk-where", "Question 3 of 3")
    notebook.save()
    page.reload()
    page.wait_for_selector(QUIZ, timeout=30_000)
    says(page, ".lk-where", "Question 3 of 3")
    says(page, ".lk-no", "not this one")
    says(page, ".lk-reply", "Which of the two calls")
    says(page, ".lk-score", "1 of 3 right so far")
    assert page.complaints == []


def pictures(notebook, page, name):
    """Take the quiz in both themes; the colours that carry a meaning must differ between them."""
    grounds = {}
    for theme in ("Dark", "Light"):
        notebook.command("apputils:change-theme", theme=f"JupyterLab {theme}")
        page.wait_for_function(
            "light => document.body.dataset.jpThemeLight === light",
            arg=str(theme == "Light").lower(),
        )
        page.wait_for_selector("#jupyterlab-splash", state="detached")  # it covers the page
        marked = page.locator(f"{QUIZ} .lk-choice.lk-chosen")
        grounds[theme] = marked.evaluate("row => getComputedStyle(row).backgroundColor")
        if PICTURES:
            page.locator(QUIZ).screenshot(path=Path(PICTURES) / f"{name}-{theme.lower()}.png")
    assert grounds["Dark"] != grounds["Light"]
    page.locator(f"{QUIZ} .lk-chosen input").focus()
