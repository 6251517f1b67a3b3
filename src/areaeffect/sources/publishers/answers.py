"""What a publisher is asked, and which answers are none: pages, errors, other hosts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from areaeffect.errors import DataError, Problem

if TYPE_CHECKING:
    import urllib3

#: Most bytes of a file of unknown size.
LARGE = 4 << 30
_HTTPS = 443
#: What the portal says of a file that it is still making.
_MAKING = {"pending", "inprogress", "exportingdata", "queued", "processing"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is asked of a publisher."""

    name: str  # the release, for messages
    address: str  # its own address, https
    hosts: tuple[str, ...]  # every host that may answer, the address's own among them
    seen: str = ""  # when somebody last had the file from there ('2026-10'), '' where nobody is known to
    page: str = ""  # where a person finds it
    cap: int = LARGE  # most bytes to take


class MovedError(DataError):
    """The address does not hold the file any more."""


class NotReadyError(Exception):
    """The publisher is still making the file (202)."""


def refuse_page(ask: Ask, content_type: str, start: bytes) -> None:
    """Refuse what comes instead of a file: a web page (a proxy's login), an error as JSON."""
    head = start.removeprefix(b"\xef\xbb\xbf").lstrip()[:512].lower()
    is_page = head.startswith((b"<!doctype html", b"<html", b"<head", b"<script"))
    if is_page or content_type.partition(";")[0].strip().lower() == "text/html":
        raise DataError(no_file(ask, head))
    if head.startswith(b"{") and not ask.address.partition("?")[0].endswith("json"):
        try:
            content = json.loads(start)
        except ValueError:  # the start of a long one, such as a GeoJSON file
            return
        refuse_error(ask, content)
        if str(content.get("status", "")).lower() in _MAKING:
            raise NotReadyError
        if content.get("type") != "FeatureCollection":
            raise DataError(no_file(ask, head))


def refuse_error(ask: Ask, content: Any) -> None:
    """Refuse an error that a publisher sends with status 200, as ArcGIS does."""
    if isinstance(content, dict) and content.get("error"):
        error = content["error"]
        words = error.get("message", "") if isinstance(error, dict) else error
        raise MovedError(moved(ask, f"it answers with an error: {words}"))


def expect(ask: Ask, content: Any, key: str) -> Any:
    """Return what an interface sends under a key; refuse an answer without it."""
    if not isinstance(content, dict) or key not in content:
        what = f"{ask.address} has no '{key}': the publisher changed its interface."
        raise DataError(what, ask.name, f"Look for the file on {ask.page}.")
    return content[key]


def allow(ask: Ask, address: str) -> None:
    """Refuse an address of another scheme, or of a host that the release does not name."""
    parts = urlsplit(address)
    if parts.scheme != "https":
        why = f"it redirects to an unprotected address, {address}"
        raise MovedError(moved(ask, why))
    if parts.hostname not in ask.hosts or parts.username or (parts.port or _HTTPS) != _HTTPS:
        why = f"it redirects to {parts.netloc}, which is not among the release's hosts"
        raise MovedError(moved(ask, why))


def length_of(ask: Ask, answer: urllib3.BaseHTTPResponse) -> int:
    """Return how long an answer says it is; 0 where it does not say."""
    text = answer.headers.get("Content-Length")
    if text is None:
        return 0
    if not re.fullmatch(r"\d{1,15}", text.strip()):
        raise DataError(malformed(ask, f"Content-Length is {text!r}"))
    return int(text)


def range_of(ask: Ask, answer: urllib3.BaseHTTPResponse) -> tuple[int, int]:
    """Return the first byte of a part, and how long the whole is: `bytes 10-99/100`."""
    text = answer.headers.get("Content-Range", "")
    match = re.fullmatch(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})", text.strip())
    if not match:
        raise DataError(malformed(ask, f"Content-Range is {text!r}"))
    return int(match[1]), int(match[3])


def moved(ask: Ask, why: str) -> Problem:
    """Say that an address does not hold its file, when it last did, and what to do."""
    seen = f"in {ask.seen}" if ask.seen else "at a date that is not on record"
    look = f" Look for the file on {ask.page}," if ask.page else " Find the file,"
    what = f"{ask.address} does not give the file: {why}. It was last seen there {seen}."
    where = "put it where `areaeffect fetch --dry-run` says that it belongs."
    return Problem(what, ask.name, f"The publisher may have moved it.{look} and {where}")


def malformed(ask: Ask, what: str) -> Problem:
    """Say that a header cannot be understood."""
    said = f"{ask.address} sends a malformed answer: {what}. None of it was used."
    return Problem(said, ask.name, "A proxy may be in between; try from another network.")


def no_file(ask: Ask, head: bytes) -> Problem:
    """Say that a page came in place of a file."""
    shown = head[:60].decode("utf-8", "replace")
    what = f"answers with a web page, not with the file: '{shown}…'. Nothing of it was kept."
    fix = f"A proxy's login, or a moved file: open {ask.page or ask.address} in a browser."
    return Problem(f"{ask.address} {what}", ask.name, fix)


def too_large(ask: Ask, cap: int, total: int = 0) -> Problem:
    """Say that more comes than the file can be."""
    size = f"{total:,} bytes" if total else f"more than {cap:,} bytes"
    what = f"{ask.address} sends {size}, where at most {cap:,} are expected. It was stopped."
    return Problem(what, ask.name, "This is not the file on record.")


def unread(ask: Ask, tries: int, why: str, here: int) -> Problem:
    """Say that nobody answers, or that the connection breaks again and again."""
    kept = f" {here:,} bytes are here and will be used." if here else ""
    several = f"{tries} tries in a row" if tries > 1 else "1 try"
    what = f"{ask.address} could not be read after {several}: {why}.{kept}"
    return Problem(what, ask.name, "Run the command again later; it continues where it stopped.")
