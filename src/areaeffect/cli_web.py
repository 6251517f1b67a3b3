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
        help="E-mail or web address that readers can write to, printed on every page.",
    ),
]
Operator = Annotated[
    str | None,
    typer.Option(envvar="AREAEFFECT_OPERATOR", help="Who runs the pages, printed at the foot of each."),
]
Host = Annotated[str, typer.Option(help="Address to listen on; others than this machine's need a token.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")]
Store = Annotated[
    Path | None, typer.Option(help="Folder of the store; default AREAEFFECT_STORE, then your data folder.")
]
Runs = Annotated[Path | None, typer.Option(help="Folder of finished runs to publish, one each.")]
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
BaseUrl = Annotated[
    str | None,
    typer.Option(envvar="AREAEFFECT_BASE_URL", help="Public address behind a proxy: https://example.org"),
]
Proxy = Annotated[
    str | None,
    typer.Option(
        envvar="AREAEFFECT_PROXY",
        help="Addresses of proxies whose X-Forwarded-For and -Proto are trusted: 10.0.0.2,10.1.0.0/16",
    ),
]
Demo = Annotated[bool, typer.Option("--demo", help="Make and show a simulated county first (made up).")]
ReadOnly = Annotated[bool, typer.Option("--read-only", help="Publish: show what is there, compute nothing.")]


def serve(
    host: Host = "127.0.0.1",
    port: Port = DEFAULT_PORT,
    store: Store = None,
    runs: Runs = None,
    atlas: Atlases = None,
    *,
    token: Token = None,
    base_url: BaseUrl = None,
    proxy: Proxy = None,
    contact: Contact = None,
    operator: Operator = None,
    demo: Demo = False,
    read_only: ReadOnly = False,
) -> None:
    """Open the local web app: find a place, look at it, compare it."""
    from areaeffect.atlas.demo import demo_atlas, london_atlas, london_is_due
    from areaeffect.disk import store_path
    from areaeffect.web.app import serve as run
    from areaeffect.web.settings import ServerSettings, contact_of

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
    from areaeffect.web.publish import publish as run
    from areaeffect.web.settings import base_url_of, contact_of
    from areaeffect.web.site_pages import Frame

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
