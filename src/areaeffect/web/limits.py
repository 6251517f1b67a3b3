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


class Refusal(AreaEffectError):
    """A request the server does not carry out: its status and headers, and `where` names a field."""

    def __init__(
        self, status: int, what: str, fix: str = "", where: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(Problem(what, where, fix))
        self.status = status
        self.headers = dict(headers or {})


MIB: Final = 1024 * 1024

# ---- what is sent (413 beyond)
POST_BYTES: Final = 2 * MIB  # an upload too
UPLOAD_LINES: Final = 50_000
FORM_FIELDS: Final = 20  # 400 beyond
QUERY_BYTES: Final = 8 * 1024  # 414 beyond

# ---- what is in it (422 beyond)
POLYGON_VERTICES: Final = 500  # of one ring: a shape has one part and no holes
SEARCH_LETTERS: Final = 100
PASTED_LETTERS: Final = 100_000
PASTED_CODES: Final = 2_000
RADIUS_KM: Final = 20.0
URL_AREAS: Final = 100  # a longer selection becomes a short name on the server
SELECTED_AREAS: Final = 2_000
KEPT_SETS: Final = 10_000  # drawn shapes and long selections kept; the oldest go

# ---- what is answered
ERROR_BYTES: Final = 1024
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

LOOPBACK = ("127.0.0.1", "localhost", "::1")
DEFAULT_PORT = 8321


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a reader can send a story or an event: the words of a link, and its address."""

    words: str = ""
    href: str = ""


NOWHERE = Contact()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Everything a server was started with; a token or public address that is none is refused."""

    store: Path  # need not exist
    runs: Path | None = None  # folder of published runs, one results folder each
    atlas: Path | None = None  # folder of atlases, one folder each; None: `atlases` of the store.
    #: host, port: the address listened on
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    token: str | None = None  # what every request must carry; None: everybody who reaches the server may ask.
    read_only: bool = False  # nothing is computed and nothing is kept.
    base_url: str | None = None  # public address behind a proxy, such as `https://example.org`
    proxy: str | None = None  # addresses of proxies whose `X-Forwarded-*` headers are believed
    contact: Contact = NOWHERE
    operator: str = ""  # who runs the server, for the foot of every page; empty: not said.

    def __post_init__(self) -> None:
        if self.base_url is not None:
            object.__setattr__(self, "base_url", base_url_of(self.base_url, path=False))
        if self.token is not None and not re.fullmatch("[!-~]{16,200}", self.token):
            what = "the token is empty." if not self.token else "this is not a token."
            raise StudyError(what, "--token", "Give 16 to 200 letters, digits and signs without a space.")

    @property
    def atlases(self) -> Path:
        """Folder that holds one folder for each atlas."""
        return self.atlas or self.store / "atlases"

    @property
    def work(self) -> Path:
        """Folder of drawn shapes and runs of users, made by whoever writes first."""
        return self.store / "web"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can ask."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


_LONGEST = 300  # letters of an address
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
_MAIL = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@(?=[^@]*\.){_NAME}")
#: An http or https address of printable ASCII without a user's name, and what follows its path.
_WEB = re.compile(
    rf"https?://(?:{_NAME}|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{1,5}})?(?:/[A-Za-z0-9._~%+-]+)*/?"
    r"([?#][A-Za-z0-9!#$%&()*+,./:;=?@\[\]_~-]*)?"
)


def _is_web(text: str, *, query: bool) -> bool:
    found = _WEB.fullmatch(text)
    if len(text) > _LONGEST or ".." in text or not found or (found[1] is not None and not query):
        return False
    try:
        return urlsplit(text).port != 0
    except ValueError:  # a port that is none
        return False


def base_url_of(text: str | None, *, path: bool = True) -> str:
    """Return the public address of a site without a slash at its end; empty where none is given.

    StudyError where it is not http or https, has no host, or holds more than host, port and perhaps path.
    """
    if text is None:
        return ""
    what = "" if _is_web(text, query=False) else f"'{text[:80]}' is not the address of a site."
    if not what and not path and urlsplit(text).path.strip("/"):
        what = "the server answers at the root of its host, not below it."
    if what:
        raise StudyError(what, "--base-url", "Write it as https://example.org")
    return text.rstrip("/")


def contact_of(text: str | None) -> Contact:
    """Return where readers can write to: an e-mail or web address; StudyError where it is neither."""
    if text is None:
        return NOWHERE
    if len(text) <= _LONGEST and _MAIL.fullmatch(text):
        return Contact(text, f"mailto:{quote(text, safe='@')}")
    if _is_web(text, query=True):
        return Contact(text, text)
    what = f"'{text[:80]}' is neither an e-mail address nor a web address."
    raise StudyError(what, "--contact", "Write it as people@example.org or https://example.org/")
