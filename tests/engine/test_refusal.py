import pytest

from labkit.engine.refusal import RULES, explain, own_words

AGGREGATION = (
    "[STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION] Invalid streaming output mode: append. This "
    "output mode is not supported for streaming aggregations without watermark on streaming "
    "DataFrames/DataSets. SQLSTATE: 42KDE"
)


def test_a_known_refusal_has_two_sentences_and_a_way_out():
    refusal = explain("append", own_words(AGGREGATION))
    assert refusal.is_rule
    assert refusal.reason.startswith("Every group may still grow")
    assert refusal.ways


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.piece[:20])
def test_every_reason_is_two_short_sentences(rule):
    assert rule.reason.count(". ") == 1
    assert rule.reason.endswith(".")
    assert len(rule.reason) < 220
    assert all(way.endswith(".") and len(way) < 80 for way in rule.ways)


def test_every_rule_can_be_reached():
    assert [explain("append", rule.piece).reason for rule in RULES] == [r.reason for r in RULES]


def test_an_unknown_refusal_is_told_in_sparks_own_words():
    refusal = explain("update", "Something new is not supported")
    assert "update" in refusal.reason
    assert refusal.words == "Something new is not supported"
    assert refusal.ways == ()


def test_sparks_own_words_come_without_the_plan_and_without_codes_of_sql():
    assert own_words(AGGREGATION).endswith("streaming DataFrames/DataSets")
    assert own_words("Sorting is not supported;\n~Sort [who#1 ASC], true\n") == (
        "Sorting is not supported"
    )
    assert len(own_words("x" * 10_000)) == 600
