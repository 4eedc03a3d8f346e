import pytest

from labkit.errors import InvalidArgument, NotFound
from labkit.feeds.files import find_files


@pytest.fixture
def stock_folder(tmp_path):
    for name in ("b.csv", "a.csv", "c.txt", ".hidden.csv", "_SUCCESS"):
        (tmp_path / name).write_text(name)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a0.csv").write_text("deep")
    return tmp_path


def names(files):
    return [path.name for path in find_files(files)]


def test_wildcards_and_folders_come_in_name_order(stock_folder):
    assert names(f"{stock_folder}/*.csv") == ["a.csv", "b.csv"]
    assert names(f"{stock_folder}/**/*.csv") == ["a.csv", "a0.csv", "b.csv"]
    assert names(stock_folder) == ["a.csv", "b.csv", "c.txt"]
    assert names(str(stock_folder / "b.csv")) == ["b.csv"]


def test_a_list_keeps_its_own_order(stock_folder):
    listed = [stock_folder / "c.txt", str(stock_folder / "a.csv")]
    assert names(listed) == ["c.txt", "a.csv"]


@pytest.mark.parametrize("files", ["nothing/*.csv", "missing.csv", [], ["missing.csv"]])
def test_no_file_is_an_error(files, stock_folder, monkeypatch):
    monkeypatch.chdir(stock_folder)
    with pytest.raises(NotFound) as caught:
        find_files(files)
    assert caught.value.code == "NOT_FOUND"
    assert caught.value.params["kind"] == "file"


@pytest.mark.parametrize("files", [7, None, [7]])
def test_what_is_no_path_is_refused(files):
    with pytest.raises(InvalidArgument) as caught:
        find_files(files)
    assert caught.value.code == "WRONG_TYPE"
