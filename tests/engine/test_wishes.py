"""Wishes: settings as text, masters that Spark knows, and what joins the lab's own settings."""

from __future__ import annotations

import pytest

from labkit.engine import wishes
from labkit.errors import InvalidArgument

BAD_MASTERS = ["", "local[", "spark:here", "127.0.0.1:7077"]


@pytest.mark.parametrize("master", ["local", "local[*]", "local[2,3]", "spark://h:7077", "yarn"])
def test_masters_that_spark_knows(master):
    assert wishes.place_of_work(master) == master


@pytest.mark.parametrize("master", BAD_MASTERS)
def test_masters_that_it_does_not_know(master):
    with pytest.raises(InvalidArgument) as caught:
        wishes.place_of_work(master)
    assert (caught.value.code, caught.value.params["value"]) == ("UNKNOWN_CHOICE", master)


def test_an_outside_master_comes_from_the_environment(monkeypatch):
    assert wishes.place_of_work(None) == wishes.LOCAL
    monkeypatch.setenv("LABKIT_MASTER", "spark://school:7077")
    assert wishes.place_of_work(None) == "spark://school:7077"


def test_no_settings():
    assert wishes.texts(None) == wishes.texts({}) == {}


def test_theirs_take_the_place_of_ours_but_lists_are_joined():
    ours = {wishes.CLASS_PATH: "/a.jar", "spark.x": "1", "spark.y": "2"}
    theirs = {wishes.CLASS_PATH: "/b.jar", "spark.x": "3", wishes.OPTIONS: "-Da=b"}
    assert wishes.joined(ours, theirs) == {
        wishes.CLASS_PATH: "/a.jar:/b.jar",
        wishes.OPTIONS: "-Da=b",
        "spark.x": "3",
        "spark.y": "2",
    }
