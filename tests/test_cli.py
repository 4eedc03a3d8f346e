"""The command line: thin, quick, and quiet when it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

import labkit as lab
from labkit import cli
from labkit.errors import NotFound
from labkit.waiting import wait_until

COMMANDS = ["demo", "doctor", "feed", "fetch", "kafka", "lab", "notebooks"]
LABKIT = [sys.executable, "-c", "from labkit.cli import main; main()"]
HEAVY = ("pyspark", "pandas", "kafka", "pyarrow", "psutil", "numpy")


def run(*words):
    return CliRunner().invoke(cli.main, words)


def test_help_names_every_command_and_loads_no_room():
    look = f"import sys; sys.argv = ['labkit', '--help']; {LABKIT[2].removesuffix('main()')}"
    look += "import atexit, json; atexit.register(lambda: print(json.dumps(sorted(sys.modules))));"
    look += "main()"
    out = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    *text, modules = out.stdout.splitlines()
    assert [line.split()[0] for line in text[text.index("Commands:") + 1 :]] == COMMANDS
    assert [name for name in HEAVY if name in json.loads(modules)] == []


def test_version():
    assert run("--version").output == f"labkit, version {lab.__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command):
    result = run(command, "--help")
    assert result.exit_code == 0
    assert cli.main.commands[command].help.splitlines()[0].endswith(".")


def test_an_error_of_labkit_is_its_message_and_status_1():
    result = run("lab", "98")
    assert result.exit_code == 1
    assert result.stderr.startswith("[NOT_FOUND] There is no lesson '98'.")
    assert result.stdout == ""


def test_any_other_error_is_not_hidden(monkeypatch):
    monkeypatch.setattr("labkit.checkup.doctor", lambda: 1 / 0)
    assert isinstance(run("doctor").exception, ZeroDivisionError)


def test_ctrl_c_ends_without_a_word(monkeypatch):
    def interrupt(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr("labkit.services.kafka.run_in_terminal", interrupt)
    result = run("kafka")
    assert (result.exit_code, result.output) == (130, "")


def test_kafka_and_demo_hand_their_options_on(monkeypatch):
    calls = []
    monkeypatch.setattr(
        "labkit.services.kafka.run_in_terminal", lambda **given: calls.append(given)
    )
    monkeypatch.setattr("labkit.demo.demo", lambda **given: calls.append(given))
    assert run("kafka", "--port", "9999", "--outside", "127.0.0.1:9094").exit_code == 0
    assert run("demo", "--to", "socket", "--events", "orders", "--batches", "3").exit_code == 0
    assert calls[0] == {"port": 9999, "data": None, "outside": "127.0.0.1:9094"}
    say = calls[1].pop("say")
    assert callable(say)
    assert calls[1] == {"to": "socket", "events": "orders", "batches": 3, "seed": 7}


@pytest.mark.parametrize(("made", "warns"), [("classes.jsa", False), (None, True)])
def test_fetch_says_what_it_brought(monkeypatch, made, warns):
    monkeypatch.setattr("labkit.jars.fetch.fetch", lambda: ["a.jar"])
    monkeypatch.setattr("labkit.engine.archive.build", lambda: made)
    result = run("fetch")
    assert result.output.splitlines()[-1] == "fetch: 1 jars fetched, all sums are right"
    assert ("slowly" in result.output) == warns


@pytest.mark.parametrize(("well", "status"), [(True, 0), (False, 1)])
def test_the_exit_status_of_the_doctor_tells(monkeypatch, well, status):
    from labkit import checkup, findings

    finding = findings.Finding("Java", findings.OK if well else findings.FAIL, "17")
    monkeypatch.setattr(checkup, "CHECKS", (lambda: finding,))
    result = run("doctor")
    assert result.exit_code == status
    assert result.output.splitlines()[-1].startswith("doctor:")


def rows_in(folder):
    files = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def test_feed_sends_a_count_of_the_same_seeded_events(tmp_path):
    to = str(tmp_path / "orders")
    result = run("feed", "orders", "--to", to, "--rate", "5000", "--count", "700", "--seed", "3")
    assert result.exit_code == 0
    assert result.output.splitlines()[-1] == f"feed: 700 events to {to}"
    wanted = [event.value["order_id"] for event in lab.Orders(seed=3).take(700)]
    assert [row["order_id"] for row in rows_in(tmp_path / "orders")] == wanted


def test_feed_makes_events_late_and_doubles_them(tmp_path):
    words = ("--rate", "5000", "--count", "700", "--late", "0.1", "--duplicated", "0.05")
    assert run("feed", "clicks", "--to", str(tmp_path / "clicks"), *words).exit_code == 0
    wanted = lab.Clicks(seed=7).late(share=0.1).duplicated(share=0.05).take(700)
    times = [event.value["event_time"].isoformat()[:19] for event in wanted]
    assert [row["event_time"][:19] for row in rows_in(tmp_path / "clicks")] == times
    assert times != sorted(times)


@pytest.mark.parametrize("kind", cli.KINDS)
def test_feed_knows_every_kind(tmp_path, kind):
    to = str(tmp_path / kind)
    assert run("feed", kind, "--to", to, "--rate", "5000", "--count", "20").exit_code == 0
    assert len(rows_in(tmp_path / kind)) == 20


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--rate", "0"), "OUT_OF_RANGE"),
        (("--rate", "-1"), "OUT_OF_RANGE"),
        (("--rate", "1e9"), "OUT_OF_RANGE"),
        (("--count", "0"), "OUT_OF_RANGE"),
        (("--late", "2"), "OUT_OF_RANGE"),
        (("--duplicated", "-0.1"), "OUT_OF_RANGE"),
        (("--to", "ftp://127.0.0.1/orders"), ""),
    ],
)
def test_feed_refuses_bad_input_with_a_message(tmp_path, words, code):
    result = run("feed", "orders", "--to", str(tmp_path / "orders"), *words)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"[{code}")
    assert "Traceback" not in result.stderr


def test_feed_without_an_end_stops_at_ctrl_c_and_counts_what_it_sent(tmp_path):
    folder = tmp_path / "lines"
    command = [*LABKIT, "feed", "lines", "--to", str(folder), "--rate", "200"]
    own_group = {"start_new_session": True, "env": os.environ | {"PYTHONUNBUFFERED": "1"}}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **own_group) as feed:
        wait_until(lambda: rows_in(folder), what="no file came", timeout_s=30)
        feed.send_signal(signal.SIGINT)
        out, _ = feed.communicate(timeout=30)
    assert feed.returncode == 130
    assert out.splitlines()[-1] == f"feed: {len(rows_in(folder))} events to {folder}"


@pytest.fixture
def lessons(tmp_path, monkeypatch):
    for name in ("00_first_stream", "01_a_streaming_dataframe", "99_quick_reference"):
        (tmp_path / f"{name}.ipynb").touch()
    monkeypatch.setattr(cli, "NOTEBOOKS", tmp_path)


@pytest.mark.usefixtures("lessons")
@pytest.mark.parametrize(
    ("words", "file", "rest"),
    [
        ((), "00_first_stream", []),
        (("1",), "01_a_streaming_dataframe", []),
        (("99", "--no-browser"), "99_quick_reference", ["--no-browser"]),
        (("--no-browser", "--port=9"), "00_first_stream", ["--no-browser", "--port=9"]),
    ],
)
def test_lab_opens_jupyterlab_on_a_lesson(monkeypatch, words, file, rest):
    started = []
    monkeypatch.setattr(os, "execve", lambda *call: started.append(call))
    assert run("lab", *words).exit_code == 0
    [(program, command, environment)] = started
    assert program == sys.executable
    assert f"--LabApp.default_url=/lab/tree/{file}.ipynb" in command
    assert "--ServerApp.ip=127.0.0.1" in command
    assert not any("token" in word for word in command)
    assert command[len(command) - len(rest) :] == rest
    assert environment["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0] == str(cli.JUPYTER_SETTINGS)


def test_an_option_of_the_learner_s_takes_the_place_of_ours():
    """Jupyter refuses to start when one comes twice."""
    command = cli.lab_command("00", ["--ServerApp.ip=0.0.0.0", "--ServerApp.port=9000"])
    assert [word for word in command if "ServerApp.ip" in word] == ["--ServerApp.ip=0.0.0.0"]
    assert f"--ServerApp.root_dir={cli.NOTEBOOKS}" in command
    assert command[-1] == "--ServerApp.port=9000"


def test_lab_keeps_the_learner_s_own_settings(monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "/school")
    places = cli.lab_environment()["JUPYTER_CONFIG_PATH"].split(os.pathsep)
    assert places == [str(cli.JUPYTER_SETTINGS), "/school"]
    assert (cli.JUPYTER_SETTINGS / "labconfig" / "page_config.json").exists()


@pytest.mark.usefixtures("lessons")
@pytest.mark.parametrize("lesson", ["98", "", "first", "../00"])
def test_lab_names_the_lessons_when_there_is_no_such_one(lesson):
    with pytest.raises(NotFound) as caught:
        cli.lab_command(lesson)
    assert caught.value.code == "NOT_FOUND"
    assert caught.value.params["name"] == lesson
    assert "00_first_stream" in caught.value.params["reason"]


def test_demo_refuses_bad_input():
    result = run("demo", "--to", "folder", "--batches", "0")
    assert result.exit_code == 1
    assert result.stderr.startswith("[OUT_OF_RANGE] batches is 0.")
