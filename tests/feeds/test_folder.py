import errno
import os
import time
from itertools import pairwise
from pathlib import Path

import pytest

from labkit import scratch, settings
from labkit.errors import InvalidArgument, NotFound
from labkit.feeds.file_writer import is_run_mark
from labkit.feeds.folder import FolderTarget, folder


def modified_ms(folder_path, names):
    return [(Path(folder_path) / name).stat().st_mtime_ns // 1_000_000 for name in names]


def write(target, events, steps=1):
    run = target.run(events)
    for _ in range(steps):
        run.write(events.take(2), timeout_s=1)
    return run


def test_it_is_there_at_once_in_this_kernels_scratch_space():
    target = folder("there")
    assert Path(target.path).is_dir()
    assert Path(target.path).is_relative_to(scratch.kernel_folder().resolve())
    assert isinstance(target.path, str)


@pytest.mark.parametrize(
    ("kind", "ending"),
    [("text", "txt"), ("csv", "csv"), ("json", "json"), ("parquet", "parquet"), ("orc", "orc")],
)
def test_one_file_a_step_with_run_and_number(kind, ending, numbers, visible):
    target = folder(f"names-{kind}", format=kind)
    write(target, numbers(), steps=2)
    assert visible(target) == [f"numbers-1-00000{i}.{ending}" for i in (1, 2)]


def test_made_anew_it_is_empty_and_names_do_not_come_again(numbers, visible):
    write(folder("again"), numbers())
    (Path(folder("again").path) / "sub").mkdir()
    target = folder("again")
    assert visible(target) == []
    write(target, numbers())
    assert visible(target) == ["numbers-2-000001.json"]


def test_a_folder_of_ones_own_is_never_emptied(tmp_path, numbers, visible):
    own = tmp_path / "a" / "b"
    write(folder(own), numbers())
    (own / "mine.txt").write_text("mine")
    write(folder(str(own)), numbers())
    assert visible(folder(own)) == ["mine.txt", "numbers-1-000001.json", "numbers-2-000001.json"]


def test_a_run_goes_on_from_files_whose_marks_are_gone(tmp_path, numbers, visible):
    (tmp_path / "numbers-41-000007.json").write_text("{}")
    write(folder(tmp_path), numbers())
    assert visible(folder(tmp_path)) == ["numbers-41-000007.json", "numbers-42-000001.json"]


def test_a_run_goes_on_from_marks_whose_files_are_gone(tmp_path, numbers, visible):
    write(folder(tmp_path), numbers())
    (tmp_path / "numbers-1-000001.json").unlink()
    write(folder(tmp_path), numbers())
    assert visible(folder(tmp_path)) == ["numbers-2-000001.json"]


def test_two_runs_in_one_folder_do_not_clash(numbers, visible):
    target = folder("two")
    first, second = target.run(numbers()), target.run(numbers())
    for run in (first, second, first):
        run.write(numbers().take(1), timeout_s=1)
    assert visible(target) == [
        "numbers-1-000001.json",
        "numbers-1-000002.json",
        "numbers-2-000001.json",
    ]


def test_keep_lies_outside_this_kernels_folder_and_is_not_emptied(numbers, visible):
    write(folder("kept stream", keep=True), numbers())
    target = folder("kept stream", keep=True)
    assert target.path == str(settings.home() / "kept" / "kept stream")
    assert visible(target) == ["numbers-1-000001.json"]


def test_modification_times_increase_by_the_millisecond_and_stay_near_now(numbers, visible):
    target = folder("times")
    before_ms = time.time_ns() // 1_000_000
    write(target, numbers(), steps=50)
    after_ms = time.time_ns() // 1_000_000
    times_ms = modified_ms(target.path, visible(target))
    assert all(later - earlier >= 1 for earlier, later in pairwise(times_ms))
    assert before_ms <= times_ms[0]
    assert times_ms[-1] <= after_ms + 50


def test_times_go_on_when_the_clock_is_set_back(tmp_path, numbers, visible):
    now_ms = [2_000_000_000_000]
    target = FolderTarget(tmp_path, now_ms=lambda: now_ms[0])
    run = write(target, numbers())
    now_ms[0] -= 3_600_000
    run.write(numbers().take(1), timeout_s=1)
    assert modified_ms(tmp_path, visible(target)) == [2_000_000_000_000, 2_000_000_000_001]


def test_times_come_after_the_files_that_were_there(tmp_path, numbers):
    (tmp_path / "old.json").write_text("{}")
    future_ms = 4_000_000_000_000
    os.utime(tmp_path / "old.json", (future_ms / 1000, future_ms / 1000))
    write(folder(tmp_path), numbers())
    assert modified_ms(tmp_path, ["numbers-1-000001.json"]) == [future_ms + 1]


def test_copies_are_unchanged_and_keep_name_and_ending(tmp_path, visible):
    source = tmp_path / "AAPL_2012.csv.gz"
    source.write_bytes(os.urandom(1000))
    target = folder("copies")
    target.copies().write([source], timeout_s=1)
    assert visible(target) == ["AAPL_2012-1-000001.csv.gz"]
    copied = Path(target.path) / "AAPL_2012-1-000001.csv.gz"
    assert copied.read_bytes() == source.read_bytes()


def test_a_copy_that_failed_half_way_goes_on_where_it_was(tmp_path, visible):
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("a")
    target = folder("half way")
    run = target.copies()
    with pytest.raises(NotFound):
        run.write([first, second], timeout_s=1)
    second.write_text("b")
    run.write([first, second], timeout_s=1)
    assert visible(target) == ["a-1-000001.csv", "b-1-000002.csv"]


def test_a_folder_that_went_away_is_an_error_and_leaves_no_half_file(tmp_path, numbers):
    own = tmp_path / "own"
    run = write(folder(own), numbers())
    for entry in own.iterdir():
        entry.unlink()
    own.rmdir()
    with pytest.raises(InvalidArgument) as caught:
        run.write(numbers().take(1), timeout_s=1)
    assert caught.value.code == "NOT_WRITABLE"
    own.mkdir()
    run.write(numbers().take(1), timeout_s=1)
    assert [path.name for path in own.iterdir()] == ["numbers-1-000002.json"]


def test_a_place_where_no_folder_can_be_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InvalidArgument) as caught:
            folder(path)
        assert caught.value.code == "NOT_WRITABLE"
        assert caught.value.params["folder"] == str(path)


def test_a_folder_without_the_right_to_write_is_an_error(tmp_path, monkeypatch):
    def refuse(path, **_):
        raise PermissionError(errno.EACCES, "no", str(path))

    monkeypatch.setattr(Path, "touch", refuse)  # the administrator, as in CI, may write everywhere
    with pytest.raises(InvalidArgument) as caught:
        folder(tmp_path)
    assert caught.value.code == "NOT_WRITABLE"
    assert caught.value.params["reason"] == "Permission denied."


@pytest.mark.parametrize("name", ["..", "../x", "a/../../x", "../streams-x"])
@pytest.mark.parametrize("keep", [False, True])
def test_a_name_that_leads_out_of_the_scratch_space_is_refused(name, keep):
    with pytest.raises(InvalidArgument) as caught:
        folder(name, keep=keep)
    assert (caught.value.code, caught.value.params["name"]) == ("OUTSIDE_SCRATCH", name)


@pytest.mark.parametrize("name", ["", ".", "_x", ".x", "a*", "a[1]", "a:b", "a\0b", "a/../b", "a/"])
def test_a_name_that_spark_could_not_read_is_refused(name):
    with pytest.raises(InvalidArgument) as caught:
        folder(name)
    assert (caught.value.code, caught.value.params["name"]) == ("OUT_OF_RANGE", "name")


def test_other_bad_arguments():
    with pytest.raises(InvalidArgument) as caught:
        folder(7)
    assert caught.value.code == "WRONG_TYPE"
    with pytest.raises(InvalidArgument) as caught:
        folder("x", format="xml")
    assert caught.value.code == "UNKNOWN_CHOICE"
    assert caught.value.params["value"] == "xml"


def test_its_repr_names_no_path(tmp_path):
    assert repr(folder(tmp_path, format="csv")) == "<folder for csv files>"


def test_a_folder_can_be_given_where_a_path_is_wanted(tmp_path):
    target = folder(tmp_path)
    assert f"{target}" == os.fspath(target) == target.path == str(tmp_path)


def test_run_marks_are_told_from_data():
    assert is_run_mark(".run-12")
    assert not is_run_mark("numbers-1-000001.json")
    assert not is_run_mark(".numbers-1-000001.json.tmp")


class StandingClock:
    def __init__(self, now_ms):
        self.at_ms = now_ms

    def now_ms(self):
        return self.at_ms


def test_times_follow_a_clock_whatever_other_files_are_there(tmp_path, numbers, visible):
    (tmp_path / "z.json").write_text("{}")  # of the real clock, so years ahead
    clock = StandingClock(1_704_103_200_000)
    run = write(folder(tmp_path, clock=clock), numbers(), steps=2)
    clock.at_ms += 5000
    run.write(numbers().take(1), timeout_s=1)
    written = visible(folder(tmp_path))[:3]
    assert [ms - 1_704_103_200_000 for ms in modified_ms(tmp_path, written)] == [1, 2, 5001]


def test_a_clock_set_back_by_a_new_context_starts_its_times_anew(numbers, visible):
    for _ in range(2):
        target = folder("set-back", clock=StandingClock(1_704_103_200_000))
        write(target, numbers())
        assert modified_ms(target.path, visible(target)) == [1_704_103_200_001]


@pytest.mark.parametrize("clock", [3, "now", object()])
def test_what_is_no_clock_is_refused_and_the_files_stay(clock, numbers, visible):
    target = folder("kept-by-error")
    write(target, numbers())
    with pytest.raises(InvalidArgument) as caught:
        folder("kept-by-error", clock=clock)
    assert (caught.value.code, caught.value.params["name"]) == ("WRONG_TYPE", "clock")
    assert len(visible(target)) == 1
