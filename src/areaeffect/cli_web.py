"""Commands of the web app: they read their words and hand over to `web` and `pipeline`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from areaeffect.web.voices import Voices

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
        typer.Option(
            envvar="AREAEFFECT_TOKEN",
            help="Word to ask for; made up where others can reach the server. Read-only: the "
            "word of the moderation page.",
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
            help="Addresses of proxies whose X-Forwarded-For and -Proto are believed: "
            "10.0.0.2,10.1.0.0/16",
        ),
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Make and show a simulated county first (made up).")
    ] = False,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Publish: show what is there, compute nothing.")
    ] = False,
) -> None:
    """Open the local web app: find a place, look at it, compare it."""
    from areaeffect.commands.sources import store_path
    from areaeffect.web.app import serve as run
    from areaeffect.web.settings import Settings

    where = store_path(store)
    if demo:
        from areaeffect.atlas.demo import demo_atlas

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
    from areaeffect.atlas.build import build_atlas
    from areaeffect.commands.sources import store_path

    where = store_path(store)
    folder = out or where / "atlases" / base.stem.lower()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with progress() as tell:
        build_atlas(base, folder, where, tell)
    typer.echo(f"Atlas: {folder}\nOpen it with: areaeffect serve")


stories_app = typer.Typer(
    help="Moderate what residents sent in, and hand it to a study.", no_args_is_help=True
)
Store = Annotated[
    Path | None,
    typer.Option(help="Folder of the store; default AREAEFFECT_STORE, then your data folder."),
]
Key = Annotated[str, typer.Argument(help="Its key, as `areaeffect stories list` prints it.")]


@stories_app.command("list")
def stories_list(store: Store = None) -> None:
    """Print what waits for a decision, the oldest first."""
    waiting = _voices(store).waiting()
    for voice, contact in waiting:
        typer.echo(f"{voice.key}  {voice.kind} of {voice.run}: {voice.place}, {voice.date}")
        typer.echo(f"  {voice.title}" + (f" [{', '.join(voice.themes)}]" if voice.themes else ""))
        for line in voice.text.splitlines():
            typer.echo(f"  | {line}")
        typer.echo(f"  to ask back: {contact or 'not given'}")
    if not waiting:
        typer.echo("Nothing waits for a decision.")


@stories_app.command("show")
def stories_show(key: Key, store: Store = None) -> None:
    """Show one that waits; the contact of its author is deleted."""
    _decide(key, store, show=True)


@stories_app.command("refuse")
def stories_refuse(key: Key, store: Store = None) -> None:
    """Refuse and delete one that waits."""
    _decide(key, store, show=False)


@stories_app.command("for-study")
def stories_for_study(
    run: Annotated[str, typer.Argument(help="Name of the published run.")], store: Store = None
) -> None:
    """Print the [stories] part of a study file that reads what is shown of a run."""
    from areaeffect.web.submission import study_part

    typer.echo(study_part(_voices(store).folder / run))


def _voices(store: Path | None) -> Voices:
    from areaeffect.commands.sources import store_path
    from areaeffect.web.settings import Settings
    from areaeffect.web.voices import Voices

    return Voices(Settings(store=store_path(store)).stories)


def _decide(key: str, store: Path | None, *, show: bool) -> None:
    from areaeffect.errors import Problem, StudyError

    voices = _voices(store)
    run = next((v.run for v, _ in voices.waiting() if v.key == key), None)
    if run is None:
        fix = "See `areaeffect stories list`."
        raise StudyError(Problem("nothing of this key waits.", key, fix))
    voice = voices.decide(run, key, show=show)
    typer.echo(f"{'shown' if show else 'refused and deleted'}: {voice.title}")
