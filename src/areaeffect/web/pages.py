"""What needs no form: the start page and help, published runs, files of the map, what programs ask."""

from __future__ import annotations

import hashlib
import html
import logging
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from areaeffect.web import selection
from areaeffect.web.atlas import atlases, find_atlas
from areaeffect.web.limits import Refusal
from areaeffect.web.render import page, settings_of
from areaeffect.web.site_pages import INDEX, Site

if TYPE_CHECKING:
    from starlette.requests import Request

#: What search engines may read of a server that everyone may read, and of any other.
_PUBLIC, _PRIVATE = "User-agent: *\nDisallow: /find\nDisallow: /areas\n", "User-agent: *\nDisallow: /\n"
TYPES = {
    ".atom": "application/atom+xml; charset=utf-8",
    ".csv": "text/csv; charset=utf-8; header=present",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".toml": "application/toml",
}
_POLICY = re.compile(rb'<meta http-equiv="Content-Security-Policy" content="([^"]{1,500})">')
_BARE = "default-src 'none'; base-uri 'none'; form-action 'none'"
_LOG = logging.getLogger(__name__)


def _site(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


def _home(request: Request) -> Response:
    settings, holdings = settings_of(request), _site(request).holdings
    here = list(atlases(settings).values())
    return page(
        request,
        "home.html.j2",
        title="areaeffect",
        runs=holdings.top,
        faults={} if settings.read_only else holdings.faults,
        atlas=here[0] if here else None,
        others=here[1:],
    )


def _help(request: Request) -> Response:
    return page(request, "help.html.j2", title="Help")


def _health(request: Request) -> Response:
    runs, held = settings_of(request).runs, _site(request).holdings
    if runs is not None and not runs.is_dir():
        return JSONResponse({"status": "the folder of runs is not there"}, 503)
    return JSONResponse({"status": "ok", "runs": len(held.runs), "unreadable": len(held.faults)})


def _robots(request: Request) -> Response:
    settings = settings_of(request)
    return PlainTextResponse(_PUBLIC if settings.read_only and settings.token is None else _PRIVATE)


def _begin(_request: Request) -> Response:
    return RedirectResponse("/runs/", 308)


def _page(request: Request) -> Response:
    """Answer with a page or file of runs, or with 304 where it is known; a page may load what it says."""
    selection.parse(selection.NoState, request.query_params.multi_items())
    pages, path = _site(request).pages(), request.path_params["path"]
    if f"{path}/{INDEX}" in pages:
        return RedirectResponse(f"/runs/{path}/", 308)
    name = f"{path}{INDEX}" if path == "" or path.endswith("/") else path
    if name not in pages:
        raise Refusal(404, "No run has this page or file.", "See the list at /runs/.")
    try:
        body = pages[name]()
    except Exception as error:  # the files are those of a stranger's run and may hold anything
        _LOG.warning("/runs/%s cannot be shown: %s", name, type(error).__name__)
        what = "This page cannot be shown: the files of its run are damaged."
        raise Refusal(503, what, "Evaluate the study again.") from None
    suffix, tag = PurePosixPath(name).suffix, f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": "no-cache"}
    if suffix == ".html":
        own = _POLICY.search(body[:4096])
        policy = html.unescape(own[1].decode("latin-1")) if own else _BARE
        headers["content-security-policy"] = f"{policy}; frame-ancestors 'none'"
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=TYPES[suffix], headers=headers)


def _map_file(request: Request) -> Response:
    """Answer with a file of an atlas's map; one asked for under its own version is kept for ever."""
    key, asked = request.path_params["key"], request.url.path
    atlas, name = find_atlas(settings_of(request), key), asked.removeprefix(f"/atlases/{key}/")
    packed = name.endswith(".json")
    file = re.sub(r"/(\d+\.json)$", r".\1", name) + ".gz" if packed else name
    if file not in atlas.manifest["files"]:
        raise HTTPException(404)
    is_kept = request.query_params.get("v") == atlas.version(file)
    headers = {"cache-control": "private, max-age=31536000, immutable" if is_kept else "no-cache"}
    headers |= {"content-encoding": "gzip", "vary": "accept-encoding"} if packed else {}
    kind = "application/json" if packed else "application/octet-stream"
    return FileResponse(atlas.folder / file, headers=headers, media_type=kind)


ROUTES = [
    Route("/", _home),
    Route("/help", _help),
    Route("/health", _health),
    Route("/robots.txt", _robots),
    Route("/runs", _begin),
    Route("/runs/{path:path}", _page),
    Route("/atlases/{key}/areas.pmtiles", _map_file),
    Route("/atlases/{key}/names.json", _map_file),
    Route("/atlases/{key}/values/{layer}/{period}.json", _map_file),
]
