"""The commands ``labkit notebooks …``, for those who write lessons."""
# ruff: noqa: PLC0415 - as in cli.py: rooms are imported inside the commands

from __future__ import annotations

import time
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from labkit import settings
from labkit.errors import MissingNeed

if TYPE_CHECKING:
    from labkit.course.making.building import Outcome

# With one broker for all, notebooks that make the same topics would meet.
JOBS = click.option(
    "--jobs",
    type=click.IntRange(1, 8),
    default=lambda: 1 if settings.kafka() else 2,
    show_default="2; 1 with LABKIT_KAFKA",
    help="How many at a time.",
)
NUMBERS = click.argument("numbers", nargs=-1, metavar="[NN]...")


@click.group()
def notebooks() -> None:
    """Build, begin and test lessons (for those who write them)."""


@notebooks.command()
@NUMBERS
@click.option("--check", is_flag=True, help="Write nothing; say which lesson has drifted.")
@click.option("--no-run", is_flag=True, help="With --check: compare text, code and tags only.")
@JOBS
@click.pass_context
def build(
    ctx: click.Context, *, numbers: tuple[str, ...], check: bool, no_run: bool, jobs: int
) -> None:
    """Run the sources, save their outputs, and write the lessons from them."""
    if no_run and not check:
        raise click.UsageError("--no-run goes with --check: a build has to run the notebooks.")
    _need("nbclient")
    from labkit.course.making import building, course_map
    from labkit.course.making.notebooks import sources

    chosen = sources(numbers)
    if check:
        ctx.exit(_tell(building.drifted(chosen, run=not no_run, jobs=jobs), bad="drifted"))
    status = _tell(building.build(chosen, jobs=jobs), bad="failed")
    if course_map.write():
        click.echo("The map in notebooks/README.md has changed too.")
    ctx.exit(status)


@notebooks.command()
@click.argument("number")
@click.argument("title")
def new(number: str, title: str) -> None:
    """Begin a lesson: notebook, checks and tests, with words that guide."""
    _need("nbformat")
    from labkit.course.making import new_lesson

    for path in new_lesson.begin(number, title):
        click.echo(f"wrote {path.relative_to(new_lesson.ROOT)}")
    click.echo(f"Write what they call TO WRITE, then: labkit notebooks build {number}")
    click.echo("The tests in tests/notebooks/ name what is missing.")


@notebooks.command()
@NUMBERS
@JOBS
@click.option("--junitxml", type=click.Path(path_type=Path), help="Write a report here.")
@click.pass_context
def test(ctx: click.Context, *, numbers: tuple[str, ...], jobs: int, junitxml: Path | None) -> None:
    """Run nbval on both versions of the lessons, as CI does."""
    _need("nbval")
    from labkit.course.making import proving
    from labkit.course.making.notebooks import sources

    proofs = []
    for proof in proving.prove(sources(numbers), jobs=jobs):
        proofs.append(proof)
        click.echo(proof.said if proof.failed else "", nl=False)
        click.echo(proving.line(proof))
    if junitxml:
        junitxml.write_text(proving.merged(proofs))
    click.echo(proving.summary(proofs))
    ctx.exit(min(1, sum(proof.failed for proof in proofs)))


def _tell(outcomes: Iterable[Outcome], *, bad: str) -> int:
    """Print a line for each lesson as it ends; return the exit status."""
    start, count, troubled = time.monotonic(), 0, 0
    for outcome in outcomes:
        count, troubled = count + 1, troubled + bool(outcome.troubles)
        word = bad if outcome.troubles else "well"
        click.echo(f"{outcome.name:40} {word:8} {outcome.seconds:6.1f} s")
        for line in outcome.troubles:
            click.echo(f"    {line}")
    click.echo(f"{count} lessons, {troubled} {bad}, {time.monotonic() - start:.1f} s in all")
    return min(troubled, 1)


def _need(package: str) -> None:
    if find_spec(package) is None:
        need = f"The package {package} is not installed."
        reason = "Only those who write lessons need it."
        cure = "In a clone of the course, `make unit` installs it."
        raise MissingNeed("NEEDS", need=need, reason=reason, cure=cure)


if __name__ == "__main__":
    notebooks()
