"""The marks of a task: what a learner gets in their place, and what is said of a slip."""

from __future__ import annotations

import pytest

from labkit.course.making.marks import answers, stubbed
from labkit.errors import BadData


def test_a_block_becomes_a_stub_at_its_own_indentation():
    source = (
        "def totals(df):\n    # BEGIN SOLUTION\n    df = df.dropna()\n"
        "    return df\n    # END SOLUTION\n\nprint(totals)"
    )
    assert stubbed(source) == "def totals(df):\n    ...  # your turn\n\nprint(totals)"
    assert answers(source) == ["    df = df.dropna()\n    return df"]


def test_stub_lines_are_kept_instead_and_lose_their_prefix():
    source = (
        "# BEGIN SOLUTION\n# STUB modes = {\nmodes = {'a': 'append'}\n"
        "# STUB     'a': ...,\n# STUB }\n# END SOLUTION"
    )
    assert stubbed(source) == "modes = {\n    'a': ...,\n}"
    assert answers(source) == ["modes = {'a': 'append'}"]


def test_several_blocks_in_a_cell_and_a_stub_with_indentation():
    source = (
        "# BEGIN SOLUTION\nx = 1\n# END SOLUTION\nif x:\n    # BEGIN SOLUTION\n"
        "    # STUB y = ...\n    y = 2\n    # END SOLUTION"
    )
    assert stubbed(source) == "...  # your turn\nif x:\n    y = ..."
    assert answers(source) == ["x = 1", "    y = 2"]


def test_code_without_marks_stays_as_it_is():
    source = "x = 1  # begin with one\n\ny = 2"
    assert (stubbed(source), answers(source)) == (source, [])


@pytest.mark.parametrize(
    ("source", "line", "trouble"),
    [
        ("x = 1\n# BEGIN SOLUTION\ny = 2", 2, "# BEGIN SOLUTION has no # END SOLUTION after it"),
        ("x = 1\n# END SOLUTION", 2, "# END SOLUTION has no # BEGIN SOLUTION before it"),
        ("# BEGIN SOLUTION\nx = 1\n# BEGIN SOLUTION", 3, "stands inside the block of line 1"),
        ("x = 1\n# STUB x = ...", 2, "'# STUB x = ...' is no mark here"),
        ("# BEGIN SOLUTION\n# STUB x = ...\n# END SOLUTION", 1, "the block holds no answer"),
        ("#BEGIN SOLUTION\nx = 1\n# END SOLUTION", 1, "'#BEGIN SOLUTION' is no mark here"),
        ("### BEGIN SOLUTION", 1, "is no mark here"),
        ("x = 1  # BEGIN SOLUTION", 1, "is no mark here"),
        ("# begin solution", 1, "is no mark here"),
        ("# BEGIN SOLUTION\nx = 1\n#STUB x = ...\n# END SOLUTION", 3, "is no mark here"),
    ],
)
def test_a_slip_names_the_place_the_line_and_the_cure(source, line, trouble):
    with pytest.raises(BadData) as slip:
        stubbed(source, place="03_modes.ipynb, cell 7")
    assert (slip.value.code, slip.value.params["line"]) == ("BAD_MARK", line)
    assert trouble in str(slip.value)
    assert str(slip.value).startswith(f"[BAD_MARK] 03_modes.ipynb, cell 7, line {line}: ")
    assert "each alone on its line" in str(slip.value)
