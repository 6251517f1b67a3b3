"""Published runs: the pages and files of the site that `areaeffect publish` writes."""

from __future__ import annotations

import hashlib
import html
import logging
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from areaeffect.web import selection
from areaeffect.web.limits import Refusal
from areaeffect.web.published import ATOM_TYPE
from areaeffect.web.site_pages import INDEX, site_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from areaeffect.web.settings import ServerSettings

NAV: tuple[str, str] | None = ("Published evaluations", "/runs/")
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


def routes(_settings: ServerSettings) -> list[Route]:
    """Return the addresses of the site."""
    return [Route("/runs", _begin), Route("/runs/{path:path}", _page)]


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
