import pytest

from labkit.errors import InvalidArgument, Unreachable
from labkit.feeds.address import target_from_url


@pytest.mark.parametrize(
    "text", ["folder:{}?format=csv", "{}?format=csv", "folder://{}?format=csv"]
)
def test_folders(text, tmp_path):
    target = target_from_url(text.format(tmp_path / "out"))
    assert target.path == str(tmp_path / "out")
    assert target.format == "csv"


@pytest.mark.parametrize("text", ["out", "folder:out", "./out"])
def test_relative_folders_are_in_the_current_one_and_never_emptied(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("")
    target = target_from_url(text)
    assert target.path == str(tmp_path / "out")
    assert (target.format, (tmp_path / "out" / "mine").exists()) == ("json", True)


def test_sockets():
    target = target_from_url("socket://127.0.0.1:0")
    assert target.kind == "socket"
    target.close()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "folder:",
        "folder://host/path",
        "socket:",
        "socket://127.0.0.1",
        "socket://127.0.0.1:x",
        "socket://127.0.0.1:99999",
        "socket://203.0.113.7:9999",
        "socket://127.0.0.1:9999/path",
        "kafka:",
        "kafka://127.0.0.1:9092",
        "kafka://127.0.0.1:9092/",
        "kafka://127.0.0.1/orders",
        "kafka://127.0.0.1:9092/a b",
        "kafka://127.0.0.1:9092/orders?partitions=two",
        "kafka://127.0.0.1:9092/orders?partitions=0",
    ],
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(InvalidArgument) as caught:
        target_from_url(text)
    assert caught.value.code == "OUT_OF_RANGE"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("s3://bucket/orders", "to"),
        ("kafka2://127.0.0.1:9092/orders", "to"),
        ("orders?format=xml", "format"),
        ("orders?colour=red", "option"),
        ("socket://127.0.0.1:0?format=csv", "option"),
        ("kafka://127.0.0.1:1/orders?format=csv", "option"),
    ],
)
def test_unknown_kinds_and_options_are_named(text, name):
    with pytest.raises(InvalidArgument) as caught:
        target_from_url(text)
    assert (caught.value.code, caught.value.params["name"]) == ("UNKNOWN_CHOICE", name)


def test_what_is_no_text_is_refused():
    with pytest.raises(InvalidArgument) as caught:
        target_from_url(7)
    assert caught.value.code == "WRONG_TYPE"


def test_no_broker_is_said():
    with pytest.raises(Unreachable) as caught:
        target_from_url("kafka://127.0.0.1:1/orders")
    assert caught.value.params["address"] == "127.0.0.1:1"
