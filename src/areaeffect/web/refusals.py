"""A request that is refused or fails: its status, and what a person can do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.errors import AreaEffectError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

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
