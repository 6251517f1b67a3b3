"""The areas a person chose: in the address, or under a short name where they are many or drawn.

A kept selection is named by the SHA-256 of what it holds, so the same areas have the same name
and nothing can be overwritten.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from areaeffect.web import limits
from areaeffect.web.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from areaeffect.web.atlas import Atlas
    from areaeffect.web.settings import Settings
    from areaeffect.web.view_state import View

FOLDER = "sets"


@dataclass(frozen=True, slots=True)
class Selection:
    """Areas chosen."""

    codes: tuple[str, ...] = ()  # ascending
    #: areas, set: what an address says of them; one of the two is empty.
    areas: tuple[str, ...] = ()
    set: str = ""
    #: the ring that was drawn, (longitude, latitude) pairs; empty where none was.
    shape: tuple[tuple[float, float], ...] = ()


def selected(settings: Settings, atlas: Atlas, view: View) -> Selection:
    """Return the areas that an address names.

    Raises
    ------
    Refusal
        404: an area or a kept selection that is not here. 400: both are named.
    """
    if view.set and view.areas:
        raise Refusal(400, "An address names areas or a kept selection, not both.", where="set")
    if not view.set:
        atlas.require(view.areas)
        return Selection(view.areas, view.areas)
    try:
        kept = json.loads((settings.work / FOLDER / f"{view.set}.json").read_text("utf-8"))
    except (OSError, ValueError):
        raise Refusal(
            404,
            "This selection is not kept on this server.",
            "It may be from another server, or too old: choose its areas again.",
            "set",
        ) from None
    codes = tuple(kept["codes"])
    atlas.require(codes)
    return Selection(codes, (), view.set, tuple((x, y) for x, y in kept.get("shape", ())))


def keep(settings: Settings, codes: Iterable[str], shape: Iterable[tuple[float, float]] = ()) -> Selection:
    """Return a selection as an address can say it, kept on the server where it must be.

    Raises
    ------
    Refusal
        422: too many areas. 403: too many for an address on a server that keeps nothing.
    """
    found, ring = tuple(sorted(set(codes))), tuple(shape)
    if len(found) > limits.SELECTED_AREAS:
        raise Refusal(
            422, f"{len(found):,} areas are too many at once.", f"Choose at most {limits.SELECTED_AREAS:,}."
        )
    if len(found) <= limits.URL_AREAS and not ring:
        return Selection(found, found)
    if settings.read_only:
        raise Refusal(
            403,
            f"This server keeps nothing, and an address holds at most {limits.URL_AREAS} areas.",
            "Choose fewer areas, or run areaeffect on your own machine.",
        )
    content: dict[str, Any] = {"codes": found}
    if ring:
        content["shape"] = [[round(x, 6), round(y, 6)] for x, y in ring]
    text = json.dumps(content, sort_keys=True)
    name = hashlib.sha256(text.encode()).hexdigest()[:12]
    folder = settings.work / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    if not path.is_file():
        _make_room(settings)
        aside = path.with_suffix(".aside")
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
    return Selection(found, (), name, ring)


def _make_room(settings: Settings) -> None:
    """Let the oldest kept selections go where there are too many."""
    kept = list((settings.work / FOLDER).glob("*.json"))
    if len(kept) >= limits.KEPT_SETS:
        for path in sorted(kept, key=lambda p: p.stat().st_mtime)[: limits.KEPT_SETS // 10]:
            path.unlink(missing_ok=True)
