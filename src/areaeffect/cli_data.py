"""Commands about data, and those of the web app."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from areaeffect.errors import DataError
from areaeffect.terminal import AsJson, Store, Threads, dump, interruptible, progress

Engine = Literal["duckdb", "spark"]


ingest_app = typer.Typer(help="Read files of police.uk into the store.", no_args_is_help=True)


store_app = typer.Typer(help="Show where the store is; check or remove it.", no_args_is_help=True)


@ingest_app.command("police-uk", short_help="Read street-level crime as downloaded.")
def ingest_police_uk(
    paths: Annotated[list[Path], typer.Argument(help="Zips, folders or CSV files of data.police.uk.")],
    store: Store = None,
    engine: Annotated[
        Engine, typer.Option(help="Engine that counts the incidents; spark needs `areaeffect[spark]`.")
    ] = "duckdb",
    *,
    as_json: AsJson = False,
) -> None:
    """Read street-level crime as downloaded; a month given again replaces the earlier one."""
    from areaeffect.disk import store_path
    from areaeffect.sources.police_uk.ingest import ingest_police_uk as run

    with interruptible("the store is unchanged, or the change is complete"), progress() as tell:
        report = run(paths, store_path(store), tell, engine)
    typer.echo(dump(report.to_dict()) if as_json else report.text())


@store_app.command("where")
def store_where(store: Store = None) -> None:
    """Print the folder of the store."""
    from areaeffect.disk import store_path

    typer.echo(store_path(store))


@store_app.command("check", short_help="Check that every file is there and unchanged.")
def store_check(store: Store = None) -> None:
    """Check that every file of the store is there, and is what its manifest lists."""
    from areaeffect.commands.sources import check_store, open_lake
    from areaeffect.disk import store_path

    typer.echo(check_store(open_lake(store_path(store))).text())


@store_app.command("remove")
def store_remove(store: Store = None) -> None:
    """Delete the store and nothing else."""
    from areaeffect.commands.sources import remove_store
    from areaeffect.disk import store_path

    path = store_path(store)
    typer.echo(f"removed {path}" if remove_store(path) else f"there is no store at {path}")


def sources(store: Store = None, *, as_json: AsJson = False) -> None:
    """List what can be had, what is here, what the store holds, and its gaps."""
    from areaeffect.commands.sources import list_sources
    from areaeffect.disk import store_path

    listing = list_sources(store_path(store))
    typer.echo(dump(listing.to_dict()) if as_json else listing.text())


def fetch(
    names: Annotated[
        list[str], typer.Argument(help="`england`, `wales`, releases, groups of them (`imd`), `police_uk`.")
    ],
    into: Annotated[Path | None, typer.Option(help="Folder for the files; default beside the store.")] = None,
    first: Annotated[str, typer.Option("--from", help="First month of police_uk.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last month of police_uk.")] = "",
    force: Annotated[
        list[str] | None, typer.Option(help="Force of police_uk, such as `cleveland`; repeatable.")
    ] = None,
    *,
    again: Annotated[bool, typer.Option("--again", help="Fetch again what is already here.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be fetched, without a request.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Try every address without a download.")] = False,
    as_json: AsJson = False,
) -> None:
    """Get published releases from their publishers' own addresses; goes on where it stopped."""
    from areaeffect.commands import fetch as fetching

    plan = fetching.plan(names, into, first, last, force or (), again=again)
    if dry_run:
        typer.echo(plan.table())
        return
    if check:
        with progress(at_once=True) as tell:
            tried = fetching.check(plan, tell)
        typer.echo(dump(tried.to_dict()) if as_json else tried.text())
        sys.exit(0 if tried.is_well else DataError.exit_code)
    typer.echo(plan.text(), err=True)
    kept = "what has arrived is kept. The same command goes on"
    with interruptible(kept), progress(at_once=True) as tell:
        result = fetching.fetch(plan, tell)
    typer.echo(dump(result.to_dict()) if as_json else result.text())


def gallery(
    only: Annotated[list[str] | None, typer.Option(help="One programme, by its name; repeatable.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the page, gallery.md.")] = None,
    studies: Annotated[
        Path | None, typer.Option(help="Folder of real studies; default `studies` of a checkout.")
    ] = None,
    threads: Threads = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Run programmes whose answer is known, and set ours beside what was published."""
    from areaeffect.commands.gallery import gallery as run
    from areaeffect.commands.gallery import page, text

    with progress() as tell:
        rows = run(only or (), studies, threads, tell)
    typer.echo(dump([asdict(row) for row in rows]) if as_json else text(rows))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "gallery.md").write_text(page(rows), encoding="utf-8")


TOKEN_VARIABLE = "AREAEFFECT_TOKEN"
Contact = Annotated[
    str | None,
    typer.Option(
        envvar="AREAEFFECT_CONTACT",
        help="E-mail or web address that readers can write to, printed on every page.",
    ),
]
Operator = Annotated[
    str | None,
    typer.Option(envvar="AREAEFFECT_OPERATOR", help="Who runs the pages, printed at the foot of each."),
]
Atlases = Annotated[
    Path | None,
    typer.Option(
        help="Folder of atlases; default `atlases` of the store, where London's is made if there is none."
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        envvar=TOKEN_VARIABLE,
        help="Secret that every request must carry, at least 16 characters; generated where "
        "others can reach the server, unless it is read-only.",
    ),
]
Proxy = Annotated[
    str | None,
    typer.Option(
        envvar="AREAEFFECT_PROXY",
        help="Addresses of proxies whose X-Forwarded-For and -Proto are trusted: 10.0.0.2,10.1.0.0/16",
    ),
]


def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; others than this machine's need a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8321,
    store: Store = None,
    runs: Annotated[Path | None, typer.Option(help="Folder of finished runs to publish, one each.")] = None,
    atlas: Atlases = None,
    *,
    token: Token = None,
    base_url: Annotated[
        str | None,
        typer.Option(envvar="AREAEFFECT_BASE_URL", help="Public address behind a proxy: https://example.org"),
    ] = None,
    proxy: Proxy = None,
    contact: Contact = None,
    operator: Operator = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Make and show a simulated county first (made up).")
    ] = False,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Publish: show what is there, compute nothing.")
    ] = False,
) -> None:
    """Open the local web app: find a place, look at it, compare it."""
    from areaeffect.atlas.build import demo_atlas, london_atlas, london_is_due
    from areaeffect.disk import store_path
    from areaeffect.web.app import serve as run
    from areaeffect.web.limits import ServerSettings, contact_of

    if token is None and os.environ.get(TOKEN_VARIABLE) is not None:
        token = ""  # a variable that was meant to hold a secret and holds none: refused
    where = store_path(store)
    settings = ServerSettings(
        store=where,
        runs=runs,
        atlas=atlas,
        host=host,
        port=port,
        token=token,
        read_only=read_only,
        base_url=base_url,
        proxy=proxy,
        contact=contact_of(contact),
        operator=operator or "",
    )
    with progress() as tell:
        if demo:
            demo_atlas(where, tell)
        elif not (runs or atlas or read_only) and london_is_due(where):
            typer.echo("Making the map of London, once: recorded crime from 2008 to 2016.")
            london_atlas(where, tell)
    run(settings, typer.echo)


def tiles(
    base: Annotated[Path, typer.Argument(help="A base study: a study without an initiative.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the atlas; default in the store, by its name.")
    ] = None,
    store: Store = None,
) -> None:
    """Make the atlas the web app works on: map tiles, values, names and histories."""
    from areaeffect.atlas.build import build_atlas
    from areaeffect.disk import store_path

    where = store_path(store)
    folder = out or where / "atlases" / base.stem.lower()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with progress() as tell:
        build_atlas(base, folder, where, tell)
    typer.echo(f"Atlas: {folder}\nOpen it with: areaeffect serve")


def publish(
    runs: Annotated[
        Path, typer.Argument(help="Folder of finished runs, a folder each, as `evaluate` wrote it.")
    ],
    out: Annotated[Path, typer.Option(help="Folder of the site: new, or an earlier site.")],
    contact: Contact = None,
    operator: Operator = None,
    base_url: Annotated[
        str | None,
        typer.Option(
            envvar="AREAEFFECT_BASE_URL",
            help="Public address of the site, for the feed and link previews: https://example.org/places",
        ),
    ] = None,
) -> None:
    """Write finished runs as a static site that any web server or shared folder can host."""
    from areaeffect.errors import DataError
    from areaeffect.web.limits import base_url_of, contact_of
    from areaeffect.web.site_pages import Frame
    from areaeffect.web.site_pages import publish as run

    frame = Frame(contact=contact_of(contact), operator=operator or "", base_url=base_url_of(base_url))
    made = run(runs, out, frame)
    many = "1 run" if len(made.runs) == 1 else f"{len(made.runs)} runs"
    typer.echo(f"Published {many}: {out / 'index.html'}")
    if not frame.base_url:
        typer.echo("Without --base-url the feed and link previews hold relative addresses.")
    if made.others:
        typer.echo(f"These folders hold no run: {', '.join(made.others)}")
    for name, why in made.faults.items():
        typer.echo(f"Not published: {name}: {why}", err=True)
    if made.faults:
        raise typer.Exit(DataError.exit_code)
