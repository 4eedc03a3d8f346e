"""Chance: even, endless for one index, and the same in any order of asking."""

from collections import Counter

import pytest

from labkit.events.chance import Randomness, weighted


def test_draws_depend_on_seed_purpose_and_index_alone():
    def first(seed, purpose, index):
        return Randomness(seed, purpose).at(index).whole(0, 2**32 - 1)

    assert len({first(1, "a", 0), first(2, "a", 0), first(1, "b", 0), first(1, "a", 1)}) == 4
    dice = Randomness(1, "a")
    backwards = [dice.at(index).whole(0, 2**32 - 1) for index in (1, 0)]
    assert backwards == [first(1, "a", 1), first(1, "a", 0)]


def test_one_index_has_as_many_draws_as_it_needs():
    chance = Randomness(1, "a").at(0)
    assert len({chance.whole(0, 2**32 - 1) for _ in range(100)}) == 100


def test_whole_and_share_are_even_and_keep_their_bounds():
    dice = Randomness(1, "dice")
    thrown = Counter(dice.at(index).whole(1, 6) for index in range(6_000))
    assert set(thrown) == {1, 2, 3, 4, 5, 6}
    assert all(count == pytest.approx(1_000, abs=130) for count in thrown.values())
    shares = [dice.at(index).share() for index in range(6_000)]
    assert 0 <= min(shares) < 0.01
    assert 0.99 < max(shares) < 1


def test_pick_follows_the_weights():
    table = weighted({"often": 3, "seldom": 1})
    dice = Randomness(1, "pick")
    picked = Counter(dice.at(index).pick(table) for index in range(4_000))
    assert picked["often"] == pytest.approx(3_000, abs=120)
