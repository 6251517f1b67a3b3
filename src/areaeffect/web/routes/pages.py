"""What needs no form: the start page and help, published runs, files of the map, what programs ask."""

from __future__ import annotations

import hashlib
import html
import logging
import math
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from areaeffect.web import selection
from areaeffect.web.atlas import Atlas, atlases, find_atlas
from areaeffect.web.limits import Refusal
from areaeffect.web.render import page, settings_of
from areaeffect.web.site_pages import ATOM_TYPE, INDEX, site_of

if TYPE_CHECKING:
    from starlette.requests import Request

PUBLIC = "User-agent: *\nDisallow: /find\nDisallow: /areas\n"
PRIVATE = "User-agent: *\nDisallow: /\n"
LASTING = "private, max-age=31536000, immutable"
TYPES = {
    ".atom": ATOM_TYPE,
    ".csv": "text/csv; charset=utf-8; header=present",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}
_POLICY = re.compile(rb'<meta http-equiv="Content-Security-Policy" content="([^"]{1,500})">')
_BARE = "default-src 'none'; base-uri 'none'; form-action 'none'"
_LOG = logging.getLogger(__name__)


def _home(request: Request) -> Response:
    settings, holdings = settings_of(request), site_of(request).holdings
    faults = {} if settings.read_only else holdings.faults
    here = list(atlases(settings).values())
    return page(
        request,
        "home.html.j2",
        title="areaeffect",
        runs=holdings.top,
        faults=faults,
        atlas=here[0] if here else None,
        others=here[1:],
    )


def _help(request: Request) -> Response:
    return page(request, "help.html.j2", title="Help")


def _health(request: Request) -> Response:
    site = site_of(request)
    if site.shelf.folder is not None and not site.shelf.folder.is_dir():
        return JSONResponse({"status": "the folder of runs is not there"}, 503)
    held = site.holdings
    return JSONResponse({"status": "ok", "runs": len(held.runs), "unreadable": len(held.faults)})


def _robots(request: Request) -> Response:
    public = settings_of(request).is_public
    return PlainTextResponse(PUBLIC if public else PRIVATE)


def _begin(_request: Request) -> Response:
    return RedirectResponse("/runs/", 308)


def _page(request: Request) -> Response:
    selection.parse(selection.NoState, request.query_params.multi_items())
    site, path = site_of(request), request.path_params["path"]
    pages = site.pages()
    if f"{path}/{INDEX}" in pages:
        return RedirectResponse(f"/runs/{path}/", 308)
    name = f"{path}{INDEX}" if path == "" or path.endswith("/") else path
    make = pages.get(name)
    if make is None:
        raise Refusal(404, "No run has this page or file.", "See the list at /runs/.")
    try:
        body = make()
    except Exception as error:  # the files are those of a stranger's run and may hold anything
        _LOG.warning("/runs/%s cannot be shown: %s", name, type(error).__name__)
        what = "This page cannot be shown: the files of its run are damaged."
        raise Refusal(503, what, "Evaluate the study again.") from None
    return _answer(request, body, TYPES[PurePosixPath(name).suffix])


def _answer(request: Request, body: bytes, media_type: str) -> Response:
    """Answer with a body, or with 304 where it is known; a page may load what it says itself."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": "no-cache"}
    if media_type == TYPES[".html"]:
        own = _POLICY.search(body[:4096])
        policy = html.unescape(own[1].decode("latin-1")) if own else _BARE
        headers["content-security-policy"] = f"{policy}; frame-ancestors 'none'"
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


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


def _tiles(request: Request) -> Response:
    atlas = find_atlas(settings_of(request), request.path_params["key"])
    if not atlas.has_map:
        raise HTTPException(404)
    path = atlas.folder / "areas.pmtiles"
    return FileResponse(path, headers=_caching(request, atlas, path), media_type="application/octet-stream")


def _values(request: Request) -> Response:
    atlas = find_atlas(settings_of(request), request.path_params["key"])
    layer = atlas.layers.get(request.path_params["layer"])
    number = request.path_params["period"]
    period = int(number) if re.fullmatch("[0-9]{1,4}", number) else math.inf
    if layer is None or period >= len(layer.periods):
        raise HTTPException(404)
    return _packed(request, atlas, atlas.folder / "values" / f"{layer.key}.{period}.json.gz")


def _names(request: Request) -> Response:
    atlas = find_atlas(settings_of(request), request.path_params["key"])
    return _packed(request, atlas, atlas.folder / "names.json.gz")


def _packed(request: Request, atlas: Atlas, path: Path) -> Response:
    headers = {**_caching(request, atlas, path), "content-encoding": "gzip", "vary": "accept-encoding"}
    return FileResponse(path, headers=headers, media_type="application/json")


def _caching(request: Request, atlas: Atlas, path: Path) -> dict[str, str]:
    """Let a file that is asked for under its own version be kept for ever, and no other."""
    version = atlas.version(path.relative_to(atlas.folder).as_posix())
    return {"cache-control": LASTING if request.query_params.get("v") == version else "no-cache"}


ROUTES = [
    Route("/", _home),
    Route("/help", _help),
    Route("/health", _health),
    Route("/robots.txt", _robots),
    Route("/runs", _begin),
    Route("/runs/{path:path}", _page),
    Route("/atlases.json", _list),
    Route("/atlases/{key}/areas.pmtiles", _tiles),
    Route("/atlases/{key}/names.json", _names),
    Route("/atlases/{key}/values/{layer}/{period}.json", _values),
]
