"""Files of the program that pages load: packed once, and named by their version where it can be."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles

from areaeffect.web.kept import YEAR, Answer, answer_of, to_response
from areaeffect.web.refusals import Refusal

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import Scope

ASK_AGAIN: Final = "no-cache"


class VendorFiles(StaticFiles):
    """Third-party files; they ask for each other under versions of their own."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with a file that a browser asks again for, whatever its query says."""
        found = await super().get_response(path, scope)
        if not isinstance(found, FileResponse):
            return found
        return to_response(Request(scope), _packed(found), ASK_AGAIN)


class OwnFiles(StaticFiles):
    """Files that are asked for under the name of their version, and so never change."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with a file; for ever where its own hash is in the address.

        Raises
        ------
        Refusal
            400: another query, under which a cache could keep the wrong file.
        """
        found = await super().get_response(path, scope)
        version = scope["query_string"].decode("latin-1")
        packed = _packed(found) if isinstance(found, FileResponse) else None
        if version and not (packed and _is_version(version, packed)):
            raise Refusal(400, "This is not the name of a version.", "Reload the page.")
        if packed is None:
            return found
        lasts = f"public, max-age={YEAR}, immutable" if version else ASK_AGAIN
        return to_response(Request(scope), packed, lasts)


def _is_version(query: str, answer: Answer) -> bool:
    """Whether a query names a file by the beginning of its hash."""
    named = re.fullmatch("v=([0-9a-f]{12,32})", query)
    return named is not None and answer.tag.startswith(named[1])


def _packed(found: FileResponse) -> Answer:
    path = Path(found.path)
    return _pack(path, path.stat().st_mtime_ns, found.media_type or "application/octet-stream")


@cache
def _pack(path: Path, _changed: int, media_type: str) -> Answer:
    return answer_of(path.read_bytes(), media_type)
