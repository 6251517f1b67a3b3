"""Asking publishers over HTTP: the only module that speaks it.

urllib3 keeps connections, tries again and waits as long as a server asks. This module decides
whose answer is taken, how much of it, and what is not a file at all.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.exceptions import HTTPError, InvalidHeader, MaxRetryError
from urllib3.util import Retry, Timeout

from areaeffect.disk import locked
from areaeffect.errors import DataError, Problem, StudyError
from areaeffect.records import Json
from areaeffect.sources.publishers.answers import (
    Ask,
    MovedError,
    NotReadyError,
    allow,
    length_of,
    malformed,
    moved,
    no_file,
    range_of,
    refuse_error,
    refuse_page,
    too_large,
    unread,
)

if TYPE_CHECKING:
    Progress = Callable[[str, int, int], None]

T = TypeVar("T")
CONTACT_VARIABLE = "AREAEFFECT_CONTACT"
MIRROR_VARIABLE = "AREAEFFECT_MIRROR"
#: Requests at one time, to all publishers together.
AT_ONCE = 2
#: Tries in a row without a new byte before a file is given up.
TRIES = 5
#: Longest wait that a server may ask for; beyond it, the user is asked to come back later.
LONGEST_WAIT = 120.0
#: Most bytes of an answer that is no file: a page of an interface, a list of attachments.
SMALL = 64 << 20
_SILENCE = Timeout(connect=30.0, read=60.0)
_BLOCK = 1 << 20
_BUSY = frozenset({429, 500, 502, 503, 504})
_ONWARD = frozenset({301, 302, 303, 307, 308})
_OK, _ACCEPTED, _PARTIAL, _BAD_RANGE = 200, 202, 206, 416
_MOST_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """How this installation asks."""

    contact: str = ""  # an e-mail address or page by which a publisher reaches the user
    mirror: str = ""  # base address of a mirror, under which every file lies as `HOST/PATH?QUERY`
    first_pause: float = 1.0  # seconds before the second try; each further pause is twice as long.

    @classmethod
    def from_environment(cls) -> FetchSettings:
        """Read `AREAEFFECT_CONTACT` and `AREAEFFECT_MIRROR`; raise StudyError where they cannot be used."""
        contact = os.environ.get(CONTACT_VARIABLE, "").strip()
        mirror = os.environ.get(MIRROR_VARIABLE, "").strip().rstrip("/")
        problems = []
        if mirror and (urlsplit(mirror).scheme not in {"http", "https"} or "?" in mirror):
            fix = "Write it as https://host or https://host/path."
            problems.append(Problem(f"'{mirror}' is not the address of a mirror.", MIRROR_VARIABLE, fix))
        if not re.fullmatch(r"[ -~]*", contact):
            fix = "Use plain letters: an e-mail address or a web page."
            problems.append(Problem("the contact cannot be sent.", CONTACT_VARIABLE, fix))
        if problems:
            raise StudyError(problems)
        return cls(contact, mirror)


class _BrokenError(Exception):
    """A transfer that stopped early; the bytes that came are kept."""


class _Patience(Retry):
    """Retries of urllib3 that obey Retry-After, and give up where it asks for too long."""

    def sleep_for_retry(self, response: Any) -> bool:
        wait = self.get_retry_after(response)
        if wait and wait > LONGEST_WAIT:
            raise HTTPError(f"it asks to wait {wait:,.0f} seconds")
        return super().sleep_for_retry(response)


class Client:
    """Asks publishers, at most two requests at a time."""

    def __init__(self, settings: FetchSettings | None = None) -> None:
        self.settings = settings or FetchSettings.from_environment()
        self._turns = threading.BoundedSemaphore(AT_ONCE)

    @cached_property
    def _pool(self) -> urllib3.PoolManager:
        who = self.settings.contact or "no contact given"
        return urllib3.PoolManager(
            maxsize=AT_ONCE,
            timeout=_SILENCE,
            headers={
                "User-Agent": f"areaeffect/{version('areaeffect')} ({who})",
                "Accept-Encoding": "identity",
            },
            retries=_Patience(
                total=TRIES - 1,
                redirect=0,
                status_forcelist=_BUSY,
                backoff_factor=self.settings.first_pause,
                raise_on_status=False,
            ),
        )

    @contextmanager
    def open(
        self, ask: Ask, headers: Mapping[str, str] | None = None, method: str = "GET"
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        """Ask, following redirects to the hosts that the release names and no others.

        Raises
        ------
        MovedError, DataError
            4xx, or a redirect to a host or scheme that is not allowed; no answer after several tries.
        """
        address = ask.address
        with self._turns:
            for _ in range(_MOST_REDIRECTS + 1):
                allow(ask, address)
                answer = self._request(ask, address, headers or {}, method)
                if answer.status not in _ONWARD:
                    break
                answer.drain_conn()
                address = self._onward(ask, address, answer.headers.get("Location", ""))
            else:
                raise DataError(moved(ask, "it redirects endlessly"))
            try:
                if answer.status >= 400 and answer.status != _BAD_RANGE:  # noqa: PLR2004
                    why = f"it answers {answer.status} {answer.reason or ''}".rstrip()
                    kind = DataError if answer.status in _BUSY else MovedError
                    raise kind(moved(ask, why))
                yield answer
            finally:
                answer.close()

    def json(self, ask: Ask) -> Any:
        """Return an answer of an interface; raise DataError for no JSON, or an error with status 200."""
        text = self.small(ask)
        try:
            content = json.loads(text)
        except ValueError:
            raise DataError(no_file(ask, text)) from None
        refuse_error(ask, content)
        return content

    def small(self, ask: Ask) -> bytes:
        """Return a small answer whole; tried again where the connection breaks."""

        def whole(answer: urllib3.BaseHTTPResponse) -> bytes:
            if answer.status == _ACCEPTED:
                raise NotReadyError
            content = b""
            for block in answer.stream(_BLOCK, decode_content=True):
                content += block
                if len(content) > SMALL:
                    raise DataError(too_large(ask, SMALL))
            return content

        return self._patiently(ask, {}, whole)

    def length(self, ask: Ask) -> int:
        """Return how long a file is by HEAD; 0 where the publisher does not say."""
        with self.open(ask, method="HEAD") as answer:
            return length_of(ask, answer)

    def save(self, ask: Ask, part: Path, progress: Progress) -> None:
        """Bring a file whole into `part`, going on where an earlier transfer stopped.

        Raises
        ------
        NotReadyError, DataError
            The publisher is still making it; it could not be had, or is no file. What came is kept.
        """
        stalled = 0
        part.parent.mkdir(parents=True, exist_ok=True)
        busy = DataError("another `areaeffect fetch` is getting it.", ask.name, "Wait for it.")
        with part.open("ab") as file, locked(part, busy):
            while True:
                before = file.seek(0, os.SEEK_END)
                try:
                    self._transfer(ask, file, part, progress)
                except _BrokenError as error:
                    here = file.seek(0, os.SEEK_END)
                    stalled = 1 if here > before else stalled + 1
                    if stalled >= TRIES:
                        raise DataError(unread(ask, stalled, str(error), here)) from None
                    time.sleep(self.settings.first_pause * 2 ** (stalled - 1))
                    continue
                os.fsync(file.fileno())
                return

    def range(self, ask: Ask, first: int, last: int) -> tuple[bytes, str]:
        """Return bytes `first` to `last` of a file, and by what its edition is known."""

        def part(answer: urllib3.BaseHTTPResponse) -> tuple[bytes, str]:
            if answer.status != _PARTIAL:
                raise DataError(moved(ask, "it does not send parts of a file"))
            start, _ = range_of(ask, answer)
            content = answer.read(last - first + 1, decode_content=False)
            if start != first or len(content) != last - first + 1:
                raise DataError(moved(ask, "it sent another part than the one asked for"))
            return content, answer.headers.get("ETag", "")

        return self._patiently(ask, {"Range": f"bytes={first}-{last}"}, part)

    def _patiently(
        self, ask: Ask, headers: Mapping[str, str], read: Callable[[urllib3.BaseHTTPResponse], T]
    ) -> T:
        for attempt in range(TRIES):
            try:
                with self.open(ask, headers) as answer:
                    return read(answer)
            except HTTPError as error:
                broken = str(error)
                time.sleep(self.settings.first_pause * 2**attempt)
        raise DataError(unread(ask, TRIES, broken, 0))

    def _request(
        self, ask: Ask, address: str, headers: Mapping[str, str], method: str
    ) -> urllib3.BaseHTTPResponse:
        mirror = self.settings.mirror
        try:
            return self._pool.request(
                method,
                f"{mirror}/{address.removeprefix('https://')}" if mirror else address,
                headers={**self._pool.headers, **headers},
                preload_content=False,
                redirect=False,
            )
        except MaxRetryError as error:
            raise DataError(unread(ask, TRIES, str(error.reason), 0)) from None
        except InvalidHeader as error:
            raise DataError(malformed(ask, str(error))) from None
        except HTTPError as error:
            raise DataError(unread(ask, 1, str(error), 0)) from None

    def _onward(self, ask: Ask, address: str, location: str) -> str:
        """Return where a redirect leads, as the publisher's own address."""
        mirror = self.settings.mirror
        if not location or not re.fullmatch(r"[!-~]+", location):
            raise DataError(malformed(ask, f"it redirects to {location!r}"))
        if mirror and location.startswith(f"{mirror}/"):
            return "https://" + location.removeprefix(f"{mirror}/")
        return urljoin(address, location)

    def _transfer(self, ask: Ask, file: IO[bytes], part: Path, progress: Progress) -> None:
        """Ask once, and write what comes behind what is here.

        Beside it lies by what the publisher's file is known again: not a weak ETag, which cannot say
        that bytes are the same, and nothing of a packed answer, whose parts are not parts of the file.
        """
        memo = part.with_name(f"{part.name}.json")
        here, known = file.seek(0, os.SEEK_END), read_record(memo)
        same = known.get("validator") if known.get("address") == ask.address else ""
        if here and not same:
            here = file.truncate(0)  # nothing says that the publisher still has the same file
        asked = {"Range": f"bytes={here}-", "If-Range": str(same)} if here else {}
        with self.open(ask, asked) as answer:
            here, total = _begin(ask, answer, file, here)
            if total > ask.cap:
                raise DataError(too_large(ask, ask.cap, total))
            make_room(part.parent, total - here, ask.name)
            etag = answer.headers.get("ETag", "")
            same = etag if etag and not etag.startswith("W/") else answer.headers.get("Last-Modified", "")
            known = {"address": ask.address, "validator": "" if _is_packed(answer) else same}
            memo.write_text(json.dumps(known), encoding="utf-8")
            try:
                for block in answer.stream(_BLOCK, decode_content=_is_packed(answer)):
                    if not here:
                        refuse_page(ask, answer.headers.get("Content-Type", ""), block)
                    file.write(block)
                    here += len(block)
                    if here > ask.cap:
                        raise DataError(too_large(ask, ask.cap))
                    progress(ask.name, here, total)
            except HTTPError as error:
                raise _BrokenError(f"the connection broke off at {here:,} bytes ({error})") from None
            finally:
                file.flush()
        if not here:
            raise DataError(moved(ask, "it holds an empty file"))
        if total and here != total:
            raise _BrokenError(f"the connection broke off at {here:,} of {total:,} bytes")


def _begin(ask: Ask, answer: urllib3.BaseHTTPResponse, file: IO[bytes], here: int) -> tuple[int, int]:
    """Return from which byte on an answer goes, and how long the whole is (0: not known)."""
    if answer.status == _ACCEPTED:
        raise NotReadyError
    if answer.status == _PARTIAL and here:
        start, total = range_of(ask, answer)
        if start == here:
            return here, total
        broken = "it sent another part than the one asked for"
    elif answer.status == _BAD_RANGE:
        broken = "it has no such part"
    else:
        length = length_of(ask, answer)
        return file.truncate(0), 0 if _is_packed(answer) else length
    file.truncate(0)
    raise _BrokenError(broken)


def make_room(folder: Path, needed: int, where: str) -> None:
    """Refuse a transfer that the disk cannot hold, before it starts."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        what = f"the disk is full: {needed / 1e6:,.1f} MB are needed, {free / 1e6:,.1f} MB are free."
        raise DataError(what, f"{where}, {folder}", "Make room, or name another folder with --into.")


def read_record(path: Path) -> Json:
    """Return a small JSON record; empty where there is none or it is damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _is_packed(answer: urllib3.BaseHTTPResponse) -> bool:
    """Whether a server packed its answer, although it was asked not to."""
    return answer.headers.get("Content-Encoding", "identity").strip().lower() != "identity"
