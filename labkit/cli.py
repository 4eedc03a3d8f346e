"""The command ``labkit``: each command reads its arguments and calls one room.

Rooms are imported inside the commands, so that ``labkit --help`` answers at once.
"""
# ruff: noqa: PLC0415 - see the line above

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labkit.course.making.commands import notebooks
from labkit.errors import LabkitError, NotFound

if TYPE_CHECKING:
    from labkit.events.stream import EventStream
    from labkit.feeds.delivery import Feed

KINDS = ("orders", "clicks", "sensors", "lines", "stocks")
NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
# Keeps a pop-up about news away from the first lesson, without touching the learner's settings.
JUPYTER_SETTINGS = NOTEBOOKS / ".jupyter"
FIRST_LESSON = "00"
# What shells report for a program that Ctrl-C has ended.
ENDED_BY_CTRL_C = 130


class Commands(click.Group):
    """The commands; an error of labkit shows as its message, Ctrl-C ends without a word."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except LabkitError as error:
            click.echo(str(error), err=True)
            ctx.exit(1)
        except KeyboardInterrupt:
            ctx.exit(ENDED_BY_CTRL_C)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="labkit", prog_name="labkit")
def main() -> None:
    """Learn Spark streaming by watching your own queries."""


main.add_command(notebooks)


@main.command()
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Look at everything the lab needs; exit status 1 when something is missing."""
    from labkit import checkup

    report = checkup.doctor()
    click.echo(report.to_text())
    ctx.exit(0 if report.ok else 1)


@main.command()
def fetch() -> None:
    """Fetch the jars that are missing, check all sums, prepare Spark and Kafka for a fast start."""
    from labkit.engine import archive
    from labkit.jars import fetch as jars
    from labkit.services import kafka_archive

    brought = jars.fetch()
    kafka_archive.build()
    if archive.build() is None:
        click.echo(f"Spark will start slowly, without a class archive: {archive.why_not()}")
    click.echo(f"fetch: {len(brought)} jars fetched, all sums are right")


@main.command()
@click.option("--to", type=click.Choice(["folder", "socket", "kafka"]), default="folder")
@click.option("--events", type=click.Choice(["stocks", "orders"]), default="stocks")
@click.option("--batches", type=int, default=5, help="Steps to take, one micro-batch each.")
@click.option("--seed", type=int, default=7, help="The same seed gives the same orders.")
def demo(to: str, events: str, batches: int, seed: int) -> None:
    """Show the whole way: events, feed, Spark, and a table that changes."""
    from labkit.demo import demo as play

    play(to=to, events=events, batches=batches, seed=seed, say=click.echo)


@main.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--to", required=True, help="kafka://HOST:PORT/TOPIC, socket://HOST:PORT or a folder")
@click.option("--rate", type=float, default=10.0, help="Events per second, at most 5,000.")
@click.option("--count", type=int, help="How many events (default: until Ctrl-C).")
@click.option("--seed", type=int, default=7, help="The same seed gives the same events.")
@click.option("--late", type=float, help="Share of events that arrive late, such as 0.1.")
@click.option("--duplicated", type=float, help="Share of events that arrive twice.")
def feed(
    *,
    kind: str,
    to: str,
    rate: float,
    count: int | None,
    seed: int,
    late: float | None,
    duplicated: float | None,
) -> None:
    """Send events of a KIND to a folder, a socket or Kafka."""
    from labkit.feeds.address import target_from_url
    from labkit.feeds.feed import feed as make_feed

    events = _events(kind, seed)
    events = events if late is None else events.late(share=late)
    events = events if duplicated is None else events.duplicated(share=duplicated)
    running = make_feed(events, to=target_from_url(to))
    try:
        with running:
            running.start(rate, count=count)
            _tell_each_second(running)
    finally:
        click.echo(f"feed: {running.sent} events to {to}")


@main.command()
@click.option("--port", type=int, default=9092, show_default=True)
@click.option("--data", help="Keep the topics in this folder.")
@click.option("--outside", help="HOST:PORT for clients of another network, beside --port.")
def kafka(port: int, data: str | None, outside: str | None) -> None:
    """Run a Kafka broker in this terminal until Ctrl-C."""
    from labkit.services.kafka import run_in_terminal

    run_in_terminal(port=port, data=data, outside=outside)


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[LESSON] [OPTIONS OF JUPYTER]")
def lab(words: tuple[str, ...]) -> None:
    """Open JupyterLab on a lesson (00 when none is named)."""
    named = bool(words) and not words[0].startswith("-")
    lesson, options = (words[0], words[1:]) if named else (FIRST_LESSON, words)
    command = lab_command(lesson, options)
    os.execve(sys.executable, command, lab_environment())  # noqa: S606 - our own command


def lab_command(lesson: str = FIRST_LESSON, options: Sequence[str] = ()) -> list[str]:
    """Return the command that opens JupyterLab on a lesson: loopback only, with its token.

    Parameters
    ----------
    lesson
        Its number, or the beginning of its file's name.
    options
        More options for JupyterLab, such as ``--ServerApp.ip=0.0.0.0``; they take the place of
        ours of the same name.

    Raises
    ------
    NotFound
        ``NOT_FOUND``: there is no such lesson.

    Examples
    --------
    >>> lab_command("00")[1:3]
    ['-m', 'jupyterlab']
    """
    name = _lesson_file(lesson)
    ours = {
        "--ServerApp.ip": "127.0.0.1",
        "--ServerApp.root_dir": str(NOTEBOOKS),
        "--LabApp.default_url": f"/lab/tree/{name}",
    }
    # Jupyter refuses to start when an option comes twice.
    given = {option.partition("=")[0] for option in options}
    kept = [f"{option}={value}" for option, value in ours.items() if option not in given]
    as_root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return [sys.executable, "-m", "jupyterlab", *kept, *as_root, *options]


def lab_environment() -> dict[str, str]:
    """Return the environment for :func:`lab_command`: this one, and the course's few settings."""
    paths = [str(JUPYTER_SETTINGS), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    return os.environ | {"JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, paths))}


def _lesson_file(lesson: str) -> str:
    names = sorted(path.name for path in NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    for name in names:
        if lesson and name.startswith(lesson.zfill(2)):
            return name
    here = ", ".join(name.removesuffix(".ipynb") for name in names)
    reason = f"The lessons are {here}." if names else f"No lessons lie in {NOTEBOOKS}."
    cure = "Name one by its number, labkit lab 00, from a clone of the course."
    raise NotFound("NOT_FOUND", kind="lesson", name=lesson, reason=reason, cure=cure)


def _events(kind: str, seed: int) -> EventStream:
    import labkit

    made: EventStream = getattr(labkit, kind.capitalize())(
        **{} if kind == "stocks" else {"seed": seed}  # real rows need no seed
    )
    return made


def _tell_each_second(running: Feed) -> None:
    told_s = time.monotonic()
    while running.is_running:
        time.sleep(0.05)
        if time.monotonic() - told_s >= 1:
            told_s += 1
            click.echo(f"{running.sent} events sent")
