"""What a server was started with, the most that it takes, and how it refuses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from areaeffect.errors import AreaEffectError, Problem, StudyError

LONGEST = 280  # characters of a message, so that an error's body stays under `limits.ERROR_BYTES`


class Refusal(AreaEffectError):
    """A request the server does not carry out: its status and headers, and `where` names a field."""

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

# ---- what one server was started with
LOOPBACK = ("127.0.0.1", "localhost", "::1")
DEFAULT_PORT = 8321
LEAST_TOKEN = 16  # signs
_TOKEN = re.compile(rf"[!-~]{{{LEAST_TOKEN},200}}")


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a reader can send a story or an event: the words of a link, and its address."""

    words: str = ""
    href: str = ""


NOWHERE = Contact()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Everything a server was started with.

    Parameters
    ----------
    store : the store's folder; need not exist.
    runs : folder of published runs, one results folder each; None: none are shown.
    atlas : folder of atlases, one folder each; None: `atlases` of the store.
    host, port : the address listened on.
    token : secret that every request must carry; None: everybody who reaches the server may ask.
    read_only : nothing is computed and nothing is kept.
    base_url : public address behind a proxy, such as `https://example.org`; None: as asked.
    proxy : addresses of proxies whose `X-Forwarded-*` headers are believed; None: nobody's.
    contact : where readers can write to.
    operator : who runs the server, for the foot of every page; empty: not said.

    Raises
    ------
    StudyError
        The token is empty or short, or the public address is none.
    """

    store: Path
    runs: Path | None = None
    atlas: Path | None = None
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    token: str | None = None
    read_only: bool = False
    base_url: str | None = None
    proxy: str | None = None
    contact: Contact = NOWHERE
    operator: str = ""

    def __post_init__(self) -> None:
        """Refuse what would leave the server open or answer to no address."""
        if self.base_url is not None:
            object.__setattr__(self, "base_url", base_url_of(self.base_url, path=False))
        if self.token is not None and not _TOKEN.fullmatch(self.token):
            what = "the token is empty." if not self.token else "this is not a token."
            fix = f"Give {LEAST_TOKEN} to 200 letters, digits and signs without a space."
            raise StudyError(what, "--token", fix)

    @property
    def atlases(self) -> Path:
        """Folder that holds one folder for each atlas."""
        return self.atlas or self.store / "atlases"

    @property
    def work(self) -> Path:
        """Folder of what the server keeps: drawn shapes and runs of its users.

        Made by whoever writes first.
        """
        return self.store / "web"

    @property
    def is_public(self) -> bool:
        """Whether anyone may read."""
        return self.read_only and self.token is None

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can ask."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


LONGEST_ADDRESS = 300
_MAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+"
)
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~%+-]+)*/?")


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
        raise StudyError(what, where, "Write it as https://example.org")
    if not path and urlsplit(text).path.strip("/"):
        what = "the server answers at the root of its host, not below it."
        raise StudyError(what, where, "Write it as https://example.org")
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
    if len(text) <= LONGEST_ADDRESS and _MAIL.fullmatch(text):
        return Contact(text, f"mailto:{quote(text, safe='@')}")
    if _is_web(text, query=True):
        return Contact(text, text)
    what = f"'{text[:80]}' is neither an e-mail address nor a web address."
    raise StudyError(what, where, "Write it as people@example.org or https://example.org/")


def _is_web(text: str, *, query: bool) -> bool:
    """Whether a text is an http or https address of printable ASCII without a user's name."""
    if len(text) > LONGEST_ADDRESS or not re.fullmatch(r"https?://[!-~]+", text):
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
