"""What a person at a terminal sees of long work."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


INTERRUPTED = 130


@contextmanager
def interruptible(kept: str) -> Iterator[None]:
    """Say what is left after Ctrl-C, where that is more than nothing."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"Interrupted; {kept}.", err=True)
        sys.exit(INTERRUPTED)


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show progress on standard error: a bar on a terminal, a line a step elsewhere.

    A step of which there is nothing to be done (`of` is 0) is a remark.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        seen: set[str] = set()

        def tell_plainly(step: str, _done: int, of: int) -> None:
            if step not in seen:
                seen.add(step)
                typer.echo(f"{step} …" if of else step, err=True)

        yield tell_plainly
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
    )
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        tasks: dict[str, Any] = {}

        def tell(step: str, done: int, of: int) -> None:
            if not of:
                console.print(step, markup=False, highlight=False)
                return
            if step not in tasks:
                for earlier in tasks.values():
                    bar.update(earlier, completed=bar.tasks[earlier].total or 1)
                tasks[step] = bar.add_task(step, total=of)
            bar.update(tasks[step], completed=done)

        yield tell


@contextmanager
def downloads() -> Iterator[Callable[[str, int, int], None]]:
    """Show files that are fetched, several at a time, on standard error.

    A bar a file on a terminal, gone when the file is whole; elsewhere a line a file. Of an
    unknown length (`of` is 0) the bar only moves.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    started: dict[str, Any] = {}
    if not console.is_terminal:

        def tell_plainly(file: str, _done: int, _of: int) -> None:
            if file not in started:
                started[file] = True
                typer.echo(f"{file} …", err=True)

        yield tell_plainly
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,}"))
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:

        def tell(file: str, done: int, of: int) -> None:
            if file not in started:
                started[file] = bar.add_task(file, total=of or None)
            bar.update(started[file], completed=done, visible=not of or done < of)

        yield tell


StudyPath = Annotated[Path, typer.Argument(help="The study file, such as study.toml.")]


Threads = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=256,
        help="Worker processes; default one for each processor. The results do not depend on it.",
    ),
]


AsJson = Annotated[
    bool, typer.Option("--json", help="Print the result as JSON on standard output.")
]


Store = Annotated[
    Path | None,
    typer.Option(help="Folder of the store; default AREAEFFECT_STORE, then your data folder."),
]


def dump(content: Any) -> str:
    """Return a result as JSON, for machines."""
    return json.dumps(content, ensure_ascii=False, indent=2)
