"""A request that is refused or fails, and the most that the web app takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from areaeffect.errors import AreaEffectError, Problem

LONGEST = 280  # characters of a message, so that an error's body stays under `limits.ERROR_BYTES`


class Refusal(AreaEffectError):
    """A request the server does not carry out.

    Parameters
    ----------
    status : HTTP status, 400 to 503.
    what : what happened, in one sentence.
    fix : what to do.
    where : parameter or field that is meant.
    headers : sent with the answer.
    """

    def __init__(
        self, status: int, what: str, fix: str = "", where: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(Problem(what, where, fix))
        self.status = status
        self.headers = dict(headers or {})


def short(text: str) -> str:
    """Cut a message to its longest, with a sign that it was cut."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


KIB: Final = 1024
MIB: Final = 1024 * KIB

# ---- what is sent (413 beyond)
POST_BYTES: Final = 2 * MIB  # an upload too
FORM_FIELDS: Final = 20  # 400 beyond
QUERY_BYTES: Final = 8 * KIB  # 414 beyond

# ---- what is in it (422 beyond)
POLYGON_VERTICES: Final = 500  # of one ring: a shape has one part and no holes
UPLOAD_TEXT_BYTES: Final = 4 * MIB  # of an uploaded list or shape, unpacked
UPLOAD_LINES: Final = 50_000
SEARCH_LETTERS: Final = 100
PASTED_LETTERS: Final = 100_000
PASTED_CODES: Final = 2_000
URL_AREAS: Final = 100  # a longer selection becomes a short name on the server
SELECTED_AREAS: Final = 2_000
RADIUS_KM: Final = 20.0
KEPT_SETS: Final = 10_000  # drawn shapes and long selections kept; the oldest go

# ---- what is answered
ERROR_BYTES: Final = 1 * KIB
ROWS_A_PAGE: Final = 25

# ---- work in child processes
RUN_SECONDS: Final = 120
RUN_MEMORY_BYTES: Final = 4 * 1024 * MIB
RUNS_AT_ONCE: Final = 2
RUNS_WAITING: Final = 8
RESIDENT_WORKERS: Final = 2  # base studies held in memory
KEPT_RUNS: Final = 500  # answered questions kept; the oldest go

# ---- published runs
FEED_ENTRIES: Final = 200  # the newest
LOOK_AGAIN_SECONDS: Final = 1.0  # the folder of runs is looked at no more often

# ---- connections (closed beyond)
CONNECTIONS: Final = 128  # at once; the one that waits longest for a whole request goes
HEAD_SECONDS: Final = 15.0  # from the first byte, or the last answer, to the end of the head
BODY_SECONDS: Final = 60.0  # from the end of the head to the end of the body
STALLED_SECONDS: Final = 60.0  # a client that reads nothing of its answer

# ---- wrong tokens (429 beyond)
WRONG_TOKENS: Final = 20  # from one address (IPv6: one /64) within WRONG_SECONDS
WRONG_SECONDS: Final = 900
