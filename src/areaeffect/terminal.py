"""What a person at a terminal sees of long work."""

from __future__ import annotations

import html
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from areaeffect.errors import TRACEBACK_VARIABLE, AreaEffectError, did_you_mean, explained

#: Called with (step, done, of) as work goes on.
Tell = Callable[[str, int, int], None]

PROGRAM = "areaeffect"
_BLANK_LINE = "\r\x1b[2K"
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
def progress(*, at_once: bool = False) -> Iterator[Tell]:
    """Show progress on standard error: a bar on a terminal or in a notebook, elsewhere a line a step.

    A step with nothing to be done (`of` is 0) is a remark. Steps that go on `at_once`, such as files
    that are fetched, share one bar; of an unknown length (`of` is 0) they only move it.
    """
    notebook = None if at_once else _notebook()
    if notebook is not None:
        with notebook as tell:
            yield tell
    elif sys.stderr.isatty():
        with ExitStack() as bars:
            yield _one_bar(bars) if at_once else _bar_a_step(bars)
    else:
        seen: set[str] = set()

        def tell_plainly(step: str, _done: int, of: int) -> None:
            if step not in seen:
                seen.add(step)
                typer.echo(f"{step} …" if of or at_once else step, err=True)

        yield tell_plainly


def _bar_a_step(bars: ExitStack) -> Tell:
    bar: Any = None

    def finish(error: type[BaseException] | None, *_: object) -> None:
        if error is None:
            bar.update(bar.length - bar.pos)

    def tell(step: str, done: int, of: int) -> None:
        nonlocal bar
        if not of:
            typer.echo(f"{_BLANK_LINE}{step}", err=True)
            return
        if bar is None or bar.label != step:
            bars.close()
            shown = typer.progressbar(length=of, label=step, show_pos=True, file=sys.stderr)
            bar = bars.enter_context(shown)
            bars.push(finish)
        bar.update(done - bar.pos)

    return tell


def _one_bar(bars: ExitStack) -> Tell:
    bar = bars.enter_context(typer.progressbar(length=1, label="fetching", file=sys.stderr))
    known: dict[str, tuple[int, int]] = {}

    def tell(file: str, done: int, of: int) -> None:
        known[file] = done, max(of, done)
        bar.length = 1 + sum(of for _, of in known.values())
        bar.label = f"{sum(done == of for done, of in known.values())} of {len(known)} files"
        bar.update(sum(done for done, _ in known.values()) - bar.pos)

    return tell


@contextmanager
def _in_notebook(shell: Any) -> Iterator[Tell]:
    """Show one bar in the output of a cell, and take it away at the end; remarks stay."""
    from IPython.display import HTML, display

    bar = display(HTML(""), display_id=True)

    def tell(step: str, done: int, of: int) -> None:
        if not of:
            shell.write_err(f"{step}\n")
            return
        count = f" {done} of {of}" if of > 1 else ""
        bar.update(HTML(f'<progress value="{done}" max="{of}"></progress> {html.escape(step)}{count}'))

    yield tell
    bar.update(HTML(""))


def _notebook() -> AbstractContextManager[Tell] | None:
    """Return the progress display of the notebook that this runs in; None elsewhere."""
    loaded = sys.modules.get("IPython")
    shell = loaded.get_ipython() if loaded else None
    return _in_notebook(shell) if hasattr(shell, "kernel") else None


StudyPath = Annotated[Path, typer.Argument(help="The study file, such as study.toml.")]


Threads = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=256,
        help="Worker processes; default one for each processor. The results do not depend on it.",
    ),
]


OpenIt = Annotated[bool, typer.Option("--open", help="Open the report in the web browser.")]


AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]


Store = Annotated[
    Path | None, typer.Option(help="Folder of the store; default AREAEFFECT_STORE, then your data folder.")
]


def dump(content: Any) -> str:
    """Return a result as JSON, for machines."""
    return json.dumps(content, ensure_ascii=False, indent=2)


def show(label: str, page: Path, *, is_opened: bool = False) -> None:
    """Print where a page is, and open it where that is asked for."""
    typer.echo(f"{label}: {page}")
    if is_opened:
        import webbrowser

        address = page.resolve().as_uri()
        if not webbrowser.open(address):
            say(f"No web browser can be opened here. Open {address}")


def run_app(app: typer.Typer) -> int:
    """Run a command line and return its exit code; every fault becomes a message here."""
    try:
        code = app(standalone_mode=False, prog_name=PROGRAM)
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except (BrokenPipeError, SystemExit) as left:
        _drop_output()
        code = left.code if isinstance(left, SystemExit) else None
        # click leaves with 1 where a pipe is closed: whoever read the output has seen enough
        return code if isinstance(code, int) and code != 1 else 0
    except Exception as error:  # whatever goes wrong, a person reads a message, not a traceback
        if hasattr(error, "format_message"):  # typer keeps the base class of its usage errors
            say(_usage(error))
            return AreaEffectError.exit_code
        if os.environ.get(TRACEBACK_VARIABLE) == "1":
            raise
        found = explained(error)
        say(_listing(found))
        _drop_output()
        return found.exit_code
    return code if isinstance(code, int) else 0


def _usage(error: Any) -> str:
    """Return what is wrong with the words of a command; its help where it was given none."""
    text = error.format_message()
    if type(error).__name__ == "NoArgsIsHelpError":
        return str(text)
    command = getattr(getattr(error, "ctx", None), "command_path", "") or PROGRAM
    option = getattr(error, "option_name", None)
    if option and hasattr(error, "possibilities"):
        text = f"There is no option '{option}'. {did_you_mean(option, error.possibilities or ())}"
    return f"Error: {text.rstrip()}\nTry `{command} --help`."


def _listing(error: AreaEffectError) -> str:
    count = len(error.problems)
    lines = [f"{count} problems:"] if count > 1 else []
    return "\n".join([*lines, *(f"{'- ' if count > 1 else ''}{p}" for p in error.problems)])


def say(text: str) -> None:
    """Print a message on standard error; ignore it where that is full too."""
    with suppress(OSError, ValueError):
        typer.echo(text, err=True)


def _drop_output() -> None:
    """Throw away what is waiting to be printed, where standard output takes no more."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
