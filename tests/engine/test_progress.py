from labkit.engine.progress import from_json

REPORT = """{"name": "totals", "batchId": 4, "numInputRows": 3, "timestamp": "2024-01-01T10:00:00Z",
 "durationMs": {"addBatch": 20, "queryPlanning": 3}, "sink": {"numOutputRows": 2},
 "eventTime": {"watermark": "2024-01-01T09:59:00.000Z"},
 "stateOperators": [{"numRowsTotal": 5, "numRowsDroppedByWatermark": 1}, {"numRowsTotal": 2}]}"""


def test_a_report_becomes_plain_facts():
    progress = from_json(REPORT)
    assert (progress.query, progress.number) == ("totals", 4)
    assert (progress.input_rows, progress.sent_rows) == (3, 2)
    assert (progress.state_rows, progress.dropped_groups) == (7, 1)
    assert progress.watermark == "2024-01-01T09:59:00.000Z"
    assert progress.phases_ms == {"addBatch": 20, "queryPlanning": 3}
    assert progress.ran


def test_an_idle_report_is_no_batch():
    assert not from_json('{"batchId": 0, "durationMs": {"triggerExecution": 1}}').ran


def test_a_sink_that_does_not_count_says_nothing():
    assert from_json('{"batchId": 0, "sink": {"numOutputRows": -1}}').sent_rows is None
