"""What README and its companions say is so: links, commands, and the example."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from labkit import cli

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md", "docker/README.md")
README = (ROOT / "README.md").read_text()
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE)) | set(
    re.search(r"^PARTS := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()
)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_that_are_there(page):
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", (ROOT / page).read_text())
    ours = [link for link in links if "://" not in link]
    assert [link for link in ours if not ((ROOT / page).parent / link).exists()] == []


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 150


@pytest.mark.parametrize("page", PAGES)
def test_commands_that_are_named_exist(page):
    text = (ROOT / page).read_text()
    targets = set(re.findall(r"(?:^|`)make ([a-z][a-z-]*)", text, re.MULTILINE))
    assert targets - TARGETS == set()
    commands = set(re.findall(r"(?:`|bin/)labkit ([a-z]+)", text))
    assert commands - set(cli.main.commands) == set()


def test_every_target_of_the_makefile_says_what_it_does():
    targets = re.findall(
        r"^([a-z][a-z-]*|\$\(PARTS\)):(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
    assert [name for name, rest in targets if "##" not in rest and name != "java"] == []


@pytest.mark.spark
def test_the_examples_of_the_readme_run_one_after_the_other():
    import labkit as lab

    names = {}
    for cell in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        exec(cell, names)  # noqa: S102 - it is our own README
    assert names["feed"].sent == 30
    rows = names["spark"].table("totals").collect()
    amounts = [event.value["amount"] for event in lab.Orders(seed=7).take(30)]
    assert round(sum(row[1] for row in rows), 2) == round(sum(amounts), 2)
    lab.stop("totals", names["feed"])
