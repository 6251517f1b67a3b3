"""The command line: each command reads its words and hands over to `commands`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from areaeffect.cli_data import fetch, gallery, ingest_app, publish, serve, sources, store_app, tiles
from areaeffect.errors import NothingEstimableError
from areaeffect.terminal import (
    INTERRUPTED,
    AsJson,
    OpenIt,
    Store,
    StudyPath,
    Threads,
    dump,
    interruptible,
    progress,
    run_app,
    say,
    show,
)

app = typer.Typer(
    help="Did a neighbourhood-based initiative make its places better than they would have "
    "been?\n\n"
    "Start with `areaeffect demo`, then `areaeffect init`, `check` and `evaluate` with areas of "
    "your own.",
    epilog="Exit codes: 0 done; 2 the study or command is wrong; 3 the data are wrong or missing; "
    "4 nothing could be estimated; 130 interrupted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def init(
    folder: Annotated[Path, typer.Argument(help="Folder to write the example into.")] = Path(),
    example: Annotated[
        str,
        typer.Option(
            help="county (made up), estate (drawn, empty homes), london (real areas), england (any "
            "LSOAs, with files that `fetch` brings)."
        ),
    ] = "county",
) -> None:
    """Write a commented study file and a small example of areas to start from."""
    from areaeffect.commands.init import init as run

    written = run(folder, example)
    for path in written:
        typer.echo(f"wrote {path}")
    study = next(path for path in written if path.name == "study.toml")
    typer.echo(f"\nNext: areaeffect check {shlex.quote(str(study))}")
    typer.echo("Then put your own areas and tables in the place of the example's.")


def quick(
    table: Annotated[Path, typer.Argument(help="Counts by area and period: CSV, Excel, Parquet.")],
    areas: Annotated[Path, typer.Argument(help="The initiative's areas: a list, or a drawing.")],
    *,
    start: Annotated[str, typer.Option(help="When it began: 2013-04, 2013-Q2 or 2013.")],
    out: Annotated[Path, typer.Option(help="Folder for the results.")],
    boundaries: Annotated[Path | None, typer.Option(help="Outlines of all areas.")] = None,
    characteristics: Annotated[
        Path | None, typer.Option(help="One row for each area: residents, deprivation.")
    ] = None,
    title: Annotated[str, typer.Option(help="Title of the report.")] = "",
    buffer_km: Annotated[
        float, typer.Option(help="Areas nearer than this to a treated one are left out.")
    ] = 1.0,
    placebos: Annotated[int, typer.Option(help="Placebo programmes: the main test.")] = 999,
    threads: Threads = None,
    open_it: OpenIt = False,
) -> None:
    """Go from a table and a list of areas to a report; the study file it used is written too."""
    from areaeffect.commands.diff import summary
    from areaeffect.commands.init import quick as run

    with progress() as tell:
        result = run(
            table, areas, start, out, boundaries=boundaries, characteristics=characteristics,
            title=title, buffer_km=buffer_km, placebos=placebos, threads=threads, progress=tell,
            say=lambda text: typer.echo(text, err=True),
        )  # fmt: skip
    typer.echo(f"{summary(result)}\n")
    show("Report", out / "report.html", is_opened=open_it)


def check(study: StudyPath, store: Store = None, *, as_json: AsJson = False) -> None:
    """Validate a study and its data without estimating; report every fault at once."""
    from areaeffect.commands.check import check_any as run

    reports = run(study, store, lambda text: typer.echo(text, err=as_json))
    if as_json:
        values = [report.to_dict() for report in reports]
        typer.echo(dump(values[0] if len(values) == 1 else values))
    else:
        typer.echo("\n\n".join(report.text() for report in reports))


def power(
    study: StudyPath,
    out: Annotated[Path | None, typer.Option(help="Folder for power.json, tables and power.html.")] = None,
    store: Store = None,
    threads: Threads = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Say how small an effect the study could see, before any outcome after a start is read."""
    from areaeffect.commands.check import power as run
    from areaeffect.power.page import as_text, as_values

    with progress() as tell:
        found = run(study, threads, tell, store, out)
    typer.echo(dump(as_values(found)) if as_json else as_text(found))
    if out is not None and not as_json:
        typer.echo(f"\nPage: {out / 'power.html'}")


def design(
    study: StudyPath,
    out: Annotated[Path, typer.Option(help="Folder for the plan; written only when complete.")],
    store: Store = None,
    threads: Threads = None,
    *,
    with_power: Annotated[
        bool, typer.Option("--power/--no-power", help="Compute what the study could detect.")
    ] = True,
) -> None:
    """Write the plan for registration: areas, benchmark areas, balance, power and the seal."""
    from areaeffect.commands.check import design_into

    with progress() as tell:
        sealed = design_into(study, out, threads, tell, store, power=with_power)
    typer.echo(f"Plan: {out / 'plan.html'}\nSeal: {sealed}")


def evaluate(
    study: StudyPath,
    out: Annotated[Path, typer.Option(help="Folder for the results; written only when complete.")],
    store: Store = None,
    threads: Threads = None,
    *,
    open_it: OpenIt = False,
    as_json: AsJson = False,
) -> None:
    """Evaluate a study, or a collection of studies: findings, data behind them, report.html."""
    from areaeffect.commands.collection import evaluate_any
    from areaeffect.commands.diff import summary

    with progress() as tell:
        results = evaluate_any(study, out, threads, tell, store)
    if as_json:
        typer.echo((out / "findings.json").read_text(encoding="utf-8"), nl=False)
    else:
        typer.echo("\n\n".join(summary(result) for result in results) + "\n")
        show("Report", out / "report.html", is_opened=open_it)
    findings = [f for result in results for f in result.findings]
    if not any(f.estimate is not None for f in findings):
        reasons = sorted({c for f in findings if f.outcome for c in f.caveats[:1]})
        raise NothingEstimableError(f"nothing could be estimated: {'; '.join(reasons)}.", str(study))


def index(
    index: Annotated[Path, typer.Argument(help="The index file, such as index.toml.")],
    out: Annotated[Path, typer.Option(help="Folder for the scores; written only when complete.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Build a composite index: scores, ranks, and what each choice does to them."""
    from areaeffect.commands.index import index_into

    with progress() as tell:
        made = index_into(index, out, tell)
    typer.echo(dump(made.to_dict()) if as_json else made.text())
    if not as_json:
        typer.echo(f"\nPage: {out / 'index.html'}")


def where_next(
    out: Annotated[Path, typer.Option(help="Folder for the list; written only when complete.")],
    study: Annotated[Path, typer.Argument(help="A study: places like those that benefited.")],
    *,
    need: Annotated[Path | None, typer.Option(help="An index file of need.")] = None,
    results: Annotated[
        Path | None, typer.Option(help="The study's results folder; default: evaluate it.")
    ] = None,
    outcome: Annotated[
        str | None, typer.Option(help="Outcome whose effect is used; default the study's first.")
    ] = None,
    others: Annotated[
        list[Path] | None, typer.Option(help="Further files of places with an initiative.")
    ] = None,
    lookup: Annotated[
        Path | None, typer.Option(help="Which areas their wards, MSOAs or postcodes have.")
    ] = None,
    first: Annotated[int, typer.Option(min=1, max=1000, help="How many places to show.")] = 30,
    store: Store = None,
    threads: Threads = None,
    as_json: AsJson = False,
) -> None:
    """Rank places not in the register: like those that benefited, and by need."""
    from areaeffect.commands.where_next import Request, where_next_into
    from areaeffect.where_next.page import as_text

    request = Request(
        study=study,
        need=need,
        results=results,
        outcome=outcome,
        others=tuple(others or ()),
        lookup=lookup,
        first=first,
        store=store,
        threads=threads,
    )
    with progress() as tell:
        made = where_next_into(request, out, tell)
    typer.echo(dump(made.to_dict()) if as_json else as_text(made))
    if not as_json:
        typer.echo(f"\nPage: {out / 'where_next.html'}")


def multiverse(
    study: StudyPath,
    out: Annotated[Path, typer.Option(help="A results folder of this study, or a new one.")],
    store: Store = None,
    threads: Threads = None,
    draws: Annotated[
        int, typer.Option(min=39, help="Placebo programmes that go through every branch.")
    ] = 199,
    cluster: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler that runs the branches.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show what every other defensible choice would have given; goes on where it stopped."""
    from areaeffect.commands.multiverse import multiverse as run
    from areaeffect.multiverse.section import as_dict, as_text

    kept = "finished branches are kept. The same command goes on"
    with interruptible(kept), progress() as tell:
        result = run(study, out, draws, threads, tell, store, cluster)
    typer.echo(dump(as_dict(result)) if as_json else as_text(result))
    if not as_json:
        typer.echo()
        show("Report", out / "report.html")


def report(
    folder: Annotated[Path, typer.Argument(help="A results folder made by `evaluate`.")],
    *,
    open_it: OpenIt = False,
) -> None:
    """Rebuild report.html, report.pdf, charts and pages from a results folder alone."""
    from areaeffect.commands.collection import rebuild

    show("Report", rebuild(folder), is_opened=open_it)


def diff(
    before: Annotated[Path, typer.Argument(help="A results folder made by `evaluate`.")],
    after: Annotated[Path, typer.Argument(help="Another results folder, to compare with it.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Say which findings changed between two runs, by how much, and in what the runs differ."""
    from areaeffect.commands.diff import diff as run

    difference = run(before, after)
    typer.echo(dump(difference.to_dict()) if as_json else difference.text())


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the reports.")] = Path("build/demo"),
    studies: Annotated[
        Path | None, typer.Option(help="Folder of real studies; default `studies` of a checkout.")
    ] = None,
    threads: Threads = None,
) -> None:
    """Evaluate a simulated county with known effects, then the real studies whose data are here."""
    from areaeffect.commands.demo import demo as run

    with interruptible("the reports named above are complete"):
        run(out, studies, threads, typer.echo, progress)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"areaeffect {version('areaeffect')}")
        raise typer.Exit


@app.callback()
def start(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Do what holds for every command."""
    del version


#: In the order of the work, each with its line of `areaeffect --help`.
COMMANDS: dict[str, tuple[Callable[..., None], str]] = {
    "demo": (demo, "Evaluate real London areas, then a made-up county."),
    "init": (init, "Write an example study to start from."),
    "quick": (quick, "Go from a table and a list of areas to a report."),
    "check": (check, "Check a study for faults, without estimating."),
    "power": (power, "Work out how small an effect a study could detect."),
    "design": (design, "Write the plan, sealed, to register it."),
    "evaluate": (evaluate, "Evaluate a study: findings, report and tables."),
    "report": (report, "Write the report of a results folder again."),
    "diff": (diff, "Show what changed between two results folders."),
    "multiverse": (multiverse, "Try every other defensible choice."),
    "where-next": (where_next, "Rank places to work in next."),
    "index": (index, "Build a composite index."),
    "fetch": (fetch, "Download published data from their publishers."),
    "sources": (sources, "List data: what can be had, what is here."),
    "gallery": (gallery, "Run programmes whose answer is known."),
    "tiles": (tiles, "Make the map that the web app works on."),
    "serve": (serve, "Open the web app: find a place, compare it."),
    "publish": (publish, "Write results as a web site."),
}
for _name, (_command, _line) in COMMANDS.items():
    app.command(_name, short_help=_line)(_command)
app.add_typer(ingest_app, name="ingest")
app.add_typer(store_app, name="store")


def main() -> None:
    """Run the command line; a person never sees a traceback."""
    code = run_app(app)
    if code == INTERRUPTED:  # typer turns Ctrl-C into a code of its own accord
        say("Interrupted; no results were written.")
    sys.exit(code)
