"""Answers that are made once: kept in memory, packed, named by their hash."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from areaeffect.web import limits

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from starlette.requests import Request

YEAR = 31_536_000
_WORTH_PACKING = ("text/", "application/json", "application/atom+xml", "image/svg+xml")
_LEAST_PACKED = 512


@dataclass(frozen=True, slots=True)
class Answer:
    """A body with its type, before and after packing (None where packing gains nothing)."""

    body: bytes
    media_type: str
    tag: str
    packed: bytes | None
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def size(self) -> int:
        """Bytes it takes in memory."""
        return len(self.body) + len(self.packed or b"")


def answer_of(body: bytes, media_type: str, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """Hash and pack a body."""
    worth = len(body) >= _LEAST_PACKED and media_type.startswith(_WORTH_PACKING)
    packed = gzip.compress(body, 6, mtime=0) if worth else None
    return Answer(body, media_type, hashlib.sha256(body).hexdigest()[:32], packed, headers)


class Keeper:
    """Keeps the answers asked for last, up to a number of bytes, in one process.

    The name of an answer holds the state of the files that it was made from, so that an answer
    whose files have changed is never given again.
    """

    def __init__(self, most_bytes: int = limits.KEPT_BYTES, *, public: bool = False) -> None:
        self.most_bytes = most_bytes
        self.public = public
        self.bytes = 0
        self._kept: OrderedDict[Hashable, Answer] = OrderedDict()
        self._made: dict[Hashable, asyncio.Future[Answer]] = {}
        self._turns = asyncio.Semaphore(limits.MADE_AT_ONCE)

    async def respond(
        self, request: Request, name: Hashable, make: Callable[[], Answer], *, lasting: bool = False
    ) -> Response:
        """Answer from what is kept, else make it in a thread, once however many ask.

        Parameters
        ----------
        request : its conditions and encodings are honoured.
        name : of the answer: where it is, and the state of what it is made from.
        make : makes it.
        lasting : its address holds its hash, so it never changes.
        """
        answer = self._kept.get(name)
        if answer is None:
            answer = await self._make(name, make)
        else:
            self._kept.move_to_end(name)
        return to_response(request, answer, self.caching(lasting=lasting))

    def caching(self, *, lasting: bool = False) -> str:
        """Return who may keep an answer, and for how long."""
        who = "public" if self.public else "private"
        if lasting:
            return f"{who}, max-age={YEAR}, immutable"
        return f"{who}, max-age={limits.FRESH_SECONDS}" if self.public else f"{who}, no-cache"

    async def _make(self, name: Hashable, make: Callable[[], Answer]) -> Answer:
        waiting = self._made.get(name)
        if waiting is not None:
            return await asyncio.shield(waiting)
        self._made[name] = asyncio.ensure_future(self._in_turn(make))
        try:
            answer = await asyncio.shield(self._made[name])
        finally:
            del self._made[name]
        self._keep(name, answer)
        return answer

    async def _in_turn(self, make: Callable[[], Answer]) -> Answer:
        async with self._turns:
            return await run_in_threadpool(make)

    def _keep(self, name: Hashable, answer: Answer) -> None:
        if answer.size > self.most_bytes or name in self._kept:
            return
        self._kept[name] = answer
        self.bytes += answer.size
        while self.bytes > self.most_bytes:
            _, oldest = self._kept.popitem(last=False)
            self.bytes -= oldest.size


def to_response(request: Request, answer: Answer, caching: str) -> Response:
    """Answer with a body, packed where it is asked for, or with 304 where it is known."""
    packs = answer.packed is not None and _takes_gzip(request.headers.get("accept-encoding", ""))
    tag = f'"{answer.tag}-gz"' if packs else f'"{answer.tag}"'
    headers = {"etag": tag, "cache-control": caching, **dict(answer.headers)}
    if answer.packed is not None:
        headers["vary"] = "Accept-Encoding"
    known = {
        t.strip().removeprefix("W/") for t in request.headers.get("if-none-match", "").split(",")
    }
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    if packs:
        headers["content-encoding"] = "gzip"
    body = answer.packed if packs else answer.body
    return Response(body, media_type=answer.media_type, headers=headers)


def _takes_gzip(accepted: str) -> bool:
    for part in accepted.lower().split(","):
        coding, _, quality = part.partition(";")
        if coding.strip() == "gzip":
            return quality.strip().replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
