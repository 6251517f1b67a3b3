"""Files of an atlas as the map asks for them: tiles by range, values by layer and period."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from areaeffect.web.atlas import Atlas, atlases, find_atlas
from areaeffect.web.render import settings_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from areaeffect.web.settings import ServerSettings

NAV: tuple[str, str] | None = None
LASTING = "private, max-age=31536000, immutable"


def routes(_settings: ServerSettings) -> list[Route]:
    """Return the addresses of the atlases' files."""
    return [
        Route("/atlases.json", _list),
        Route("/atlases/{key}/areas.pmtiles", _tiles),
        Route("/atlases/{key}/names.json", _names),
        Route("/atlases/{key}/values/{layer}/{period}.json", _values),
    ]


def tiles_address(key: str, version: str) -> str:
    """Return where the map finds its tiles."""
    return f"/atlases/{key}/areas.pmtiles?v={version}"


def names_address(key: str, version: str) -> str:
    """Return where the map finds the names of the areas."""
    return f"/atlases/{key}/names.json?v={version}"


def values_address(key: str, layer: str, period: int, version: str) -> str:
    """Return where the map finds the values of a layer."""
    return f"/atlases/{key}/values/{layer}/{period}.json?v={version}"


def _list(request: Request) -> Response:
    found = [
        {
            "key": atlas.key,
            "title": atlas.title,
            "areas": atlas.manifest["n_areas"],
            "layers": atlas.manifest["layers"],
        }
        for atlas in atlases(settings_of(request)).values()
    ]
    return JSONResponse({"atlases": found})


async def _tiles(request: Request) -> Response:
    atlas = find_atlas(settings_of(request), request.path_params["key"])
    if not atlas.has_map:
        raise HTTPException(404)
    path = atlas.folder / "areas.pmtiles"
    return FileResponse(path, headers=_caching(request, atlas, path), media_type="application/octet-stream")


async def _values(request: Request) -> Response:
    atlas = find_atlas(settings_of(request), request.path_params["key"])
    layer = atlas.layers.get(request.path_params["layer"])
    number = request.path_params["period"]
    period = int(number) if re.fullmatch("[0-9]{1,4}", number) else math.inf
    if layer is None or period >= len(layer.periods):
        raise HTTPException(404)
    return _packed(request, atlas, atlas.folder / "values" / f"{layer.key}.{period}.json.gz")


async def _names(request: Request) -> Response:
    atlas = find_atlas(settings_of(request), request.path_params["key"])
    return _packed(request, atlas, atlas.folder / "names.json.gz")


def _packed(request: Request, atlas: Atlas, path: Path) -> Response:
    headers = {**_caching(request, atlas, path), "content-encoding": "gzip", "vary": "accept-encoding"}
    return FileResponse(path, headers=headers, media_type="application/json")


def _caching(request: Request, atlas: Atlas, path: Path) -> dict[str, str]:
    """Let a file that is asked for under its own version be kept for ever, and no other."""
    version = atlas.version(path.relative_to(atlas.folder).as_posix())
    return {"cache-control": LASTING if request.query_params.get("v") == version else "no-cache"}
