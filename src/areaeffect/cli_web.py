"""Commands of the web app: they read their words and hand over to `web` and `pipeline`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from areaeffect.terminal import progress

DEFAULT_PORT = 8321


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
        typer.Option(help="Word to ask for; made up where others can reach the server."),
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(help="Public address behind a proxy: https://example.org")
    ] = None,
    proxy: Annotated[
        str | None, typer.Option(help="Addresses of proxies whose X-Forwarded-* are believed.")
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Make and show a simulated county first (made up).")
    ] = False,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Publish: show what is there, compute nothing.")
    ] = False,
) -> None:
    """Open the local web app: find a place, look at it, compare it."""
    from areaeffect.pipeline.stores import store_path  # noqa: PLC0415  # imports stay light
    from areaeffect.web.app import serve as run  # noqa: PLC0415
    from areaeffect.web.settings import Settings  # noqa: PLC0415

    where = store_path(store)
    if demo:
        from areaeffect.pipeline.atlas_demo import demo_atlas  # noqa: PLC0415

        with progress() as tell:
            demo_atlas(where, tell)
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
    )
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
    from areaeffect.pipeline.atlas import build_atlas  # noqa: PLC0415  # imports stay light
    from areaeffect.pipeline.stores import store_path  # noqa: PLC0415

    where = store_path(store)
    folder = out or where / "atlases" / base.stem.lower()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with progress() as tell:
        build_atlas(base, folder, where, tell)
    typer.echo(f"Atlas: {folder}\nOpen it with: areaeffect serve")
