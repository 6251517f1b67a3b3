"""Commands of the web app: they read their words and hand over to `web` and `pipeline`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from areaeffect.terminal import progress

DEFAULT_PORT = 8321
TOKEN_VARIABLE = "AREAEFFECT_TOKEN"
Contact = Annotated[
    str | None,
    typer.Option(
        envvar="AREAEFFECT_CONTACT",
        help="E-mail or web address for stories and events, printed on the pages of runs.",
    ),
]


def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; others than this machine's need a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = DEFAULT_PORT,
    store: Annotated[
        Path | None,
        typer.Option(help="Folder of the store; default AREAEFFECT_STORE, then your data folder."),
    ] = None,
    runs: Annotated[
        Path | None, typer.Option(help="Folder of finished runs to publish, a folder each.")
    ] = None,
    atlas: Annotated[
        Path | None, typer.Option(help="Folder of atlases; default `atlases` of the store.")
    ] = None,
    *,
    token: Annotated[
        str | None,
        typer.Option(
            envvar=TOKEN_VARIABLE,
            help="Secret that every request must carry, at least 16 characters; generated where "
            "others can reach the server, unless it is read-only.",
        ),
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(
            envvar="AREAEFFECT_BASE_URL", help="Public address behind a proxy: https://example.org"
        ),
    ] = None,
    proxy: Annotated[
        str | None,
        typer.Option(
            envvar="AREAEFFECT_PROXY",
            help="Addresses of proxies whose X-Forwarded-For and -Proto are trusted: "
            "10.0.0.2,10.1.0.0/16",
        ),
    ] = None,
    contact: Contact = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Make and show a simulated county first (made up).")
    ] = False,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Publish: show what is there, compute nothing.")
    ] = False,
) -> None:
    """Open the local web app: find a place, look at it, compare it."""
    from areaeffect.commands.sources import store_path
    from areaeffect.web.addresses import contact_of
    from areaeffect.web.app import serve as run
    from areaeffect.web.settings import Settings

    if token is None and os.environ.get(TOKEN_VARIABLE) is not None:
        token = ""  # a variable that was meant to hold a secret and holds none: refused
    where = store_path(store)
    settings = Settings(
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
    )
    if demo:
        from areaeffect.atlas.demo import demo_atlas

        with progress() as tell:
            demo_atlas(where, tell)
    run(settings, typer.echo)


def tiles(
    base: Annotated[Path, typer.Argument(help="A base study: a study without an initiative.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the atlas; default in the store, by its name.")
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option(help="Folder of the store; default AREAEFFECT_STORE, then your data folder."),
    ] = None,
) -> None:
    """Make the atlas the web app works on: map tiles, values, names and histories."""
    from areaeffect.atlas.build import build_atlas
    from areaeffect.commands.sources import store_path

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
    base_url: Annotated[
        str | None,
        typer.Option(
            envvar="AREAEFFECT_BASE_URL",
            help="Public address of the site, for the feed and link previews: "
            "https://example.org/places",
        ),
    ] = None,
) -> None:
    """Write finished runs as a static site that any web server or shared folder can host."""
    from areaeffect.errors import DataError
    from areaeffect.web.addresses import base_url_of, contact_of
    from areaeffect.web.publish import publish as run
    from areaeffect.web.site_pages import Frame

    frame = Frame(contact=contact_of(contact), base_url=base_url_of(base_url))
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
