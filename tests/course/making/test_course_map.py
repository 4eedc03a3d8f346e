"""The map in notebooks/README.md is made of what the lessons' first cells say."""

from __future__ import annotations

import nbformat
import pytest

from labkit.course.making.course_map import HEAD, row, table, write
from labkit.course.making.notebooks import COURSE

FIRST = "# 07 Drops\n\n**Who is\nlate?** Vote.\n\n40 minutes. Needs Java and Kafka. The first."


@pytest.fixture
def course(tmp_path):
    (tmp_path / "solutions").mkdir()
    cells = [nbformat.v4.new_markdown_cell(FIRST)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "solutions" / "07_drops.ipynb")
    (tmp_path / "README.md").write_text(
        "# The course\n\n| # | old |\n|---|---|\n| x | y |\n\nEnd.\n"
    )
    return tmp_path


def test_the_map_of_this_course_is_up_to_date():
    assert table() in (COURSE / "README.md").read_text(), "run `labkit notebooks build`"


def test_a_row_holds_title_question_minutes_and_needs(course):
    wanted = "| [07](07_drops.ipynb) | Drops | Who is late? | 40 | Java and Kafka |"
    assert row(course / "solutions" / "07_drops.ipynb") == wanted
    assert write(course)
    page = (course / "README.md").read_text()
    assert page == f"# The course\n\n{HEAD}\n{wanted}\n\nEnd.\n"
    assert not write(course)


def test_what_a_lesson_does_not_say_is_a_dash(course):
    path = course / "solutions" / "08_late.ipynb"
    nbformat.write(nbformat.v4.new_notebook(), path)
    assert row(path) == "| [08](08_late.ipynb) | – | – | – | – |"
