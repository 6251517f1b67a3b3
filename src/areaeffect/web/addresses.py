"""Addresses that a person gives: of the site, and where its readers can write to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from areaeffect.errors import Problem, StudyError

LONGEST = 300
_MAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+"
)
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~%+-]+)*/?")


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a reader can send a story or an event: the words of a link, and its address."""

    words: str = ""
    href: str = ""


NOWHERE = Contact()


def base_url_of(text: str | None, where: str = "--base-url", *, path: bool = True) -> str:
    """Return the public address of a site without a slash at its end; empty where none is given.

    Parameters
    ----------
    text : as given.
    where : option that is meant.
    path : whether the site may lie below the root of its host.

    Raises
    ------
    StudyError
        It is not http or https, has no host, or holds more than host, port and path.
    """
    if text is None:
        return ""
    if not _is_web(text, query=False):
        what = f"'{text[:80]}' is not the address of a site."
        raise StudyError(Problem(what, where, "Write it as https://example.org"))
    if not path and urlsplit(text).path.strip("/"):
        what = "the server answers at the root of its host, not below it."
        raise StudyError(Problem(what, where, "Write it as https://example.org"))
    return text.rstrip("/")


def contact_of(text: str | None, where: str = "--contact") -> Contact:
    """Return where readers can write to, as a link; nothing where none is given.

    Raises
    ------
    StudyError
        It is neither an e-mail address nor a web address.
    """
    if text is None:
        return NOWHERE
    if len(text) <= LONGEST and _MAIL.fullmatch(text):
        return Contact(text, f"mailto:{quote(text, safe='@')}")
    if _is_web(text, query=True):
        return Contact(text, text)
    what = f"'{text[:80]}' is neither an e-mail address nor a web address."
    raise StudyError(Problem(what, where, "Write it as people@example.org or https://example.org/"))


def _is_web(text: str, *, query: bool) -> bool:
    """Whether a text is an http or https address of printable ASCII without a user's name."""
    if len(text) > LONGEST or not re.fullmatch(r"https?://[!-~]+", text):
        return False
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    host = parts.netloc.removesuffix(f":{port}") if port is not None else parts.netloc
    own = (host, parts.path)
    if not (_HOST.fullmatch(own[0]) and _PATH.fullmatch(own[1]) and ".." not in text):
        return False
    if query:
        return not re.search(r"[\"'<>\\`{}|^]", text)
    return not (parts.query or parts.fragment or "?" in text or "#" in text)
