"""Asking publishers over HTTP: whose answer is taken, how much of it, and what is not a file at all.

urllib3 keeps connections, tries again and waits as long as a server asks.
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

if TYPE_CHECKING:
    Progress = Callable[[str, int, int], None]

T = TypeVar("T")
Answer = urllib3.BaseHTTPResponse
CONTACT_VARIABLE = "AREAEFFECT_CONTACT"
MIRROR_VARIABLE = "AREAEFFECT_MIRROR"
#: Requests at one time, to all publishers together.
AT_ONCE = 2
#: Tries in a row without a new byte before a file is given up.
TRIES = 5
#: Longest wait that a server may ask for; beyond it, the user is asked to come back later.
LONGEST_WAIT = 120.0
#: Most bytes of an answer that is no file (a page of an interface), and of a file of unknown size.
SMALL, LARGE = 64 << 20, 4 << 30
_BLOCK = 1 << 20
_BUSY = frozenset({429, 500, 502, 503, 504})
_ONWARD = frozenset({301, 302, 303, 307, 308})
_ACCEPTED, PARTIAL, _BAD_RANGE = 202, 206, 416
_MOST_REDIRECTS = 5
#: What the portal says of a file that it is still making.
_MAKING = {"pending", "inprogress", "exportingdata", "queued", "processing"}


class MovedError(DataError):
    """The address does not hold the file any more."""


class NotReadyError(Exception):
    """The publisher is still making the file (202)."""


class _BrokenError(Exception):
    """A transfer that stopped early; the bytes that came are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is asked of a publisher, and the words for what can be wrong with its answer."""

    name: str  # the release, for messages
    address: str  # its own address, https
    hosts: tuple[str, ...]  # every host that may answer, the address's own among them
    seen: str = ""  # when somebody last had the file from there ('2026-10'), '' where nobody is known to
    page: str = ""  # where a person finds it
    cap: int = LARGE  # most bytes to take

    def moved(self, why: str) -> Problem:
        """Say that an address does not hold its file, when it last did, and what to do."""
        seen = f"in {self.seen}" if self.seen else "at a date that is not on record"
        look = f" Look for the file on {self.page}," if self.page else " Find the file,"
        what = f"{self.address} does not give the file: {why}. It was last seen there {seen}."
        where = "put it where `areaeffect fetch --dry-run` says that it belongs."
        return Problem(what, self.name, f"The publisher may have moved it.{look} and {where}")

    def malformed(self, what: str) -> DataError:
        """Say that a header cannot be understood."""
        said = f"{self.address} sends a malformed answer: {what}. None of it was used."
        return DataError(said, self.name, "A proxy may be in between; try from another network.")

    def no_file(self, head: bytes) -> DataError:
        """Say that a page came in place of a file."""
        shown = head[:60].decode("utf-8", "replace")
        what = f"answers with a web page, not with the file: '{shown}…'. Nothing of it was kept."
        fix = f"A proxy's login, or a moved file: open {self.page or self.address} in a browser."
        return DataError(f"{self.address} {what}", self.name, fix)

    def too_large(self, cap: int, total: int = 0) -> DataError:
        """Say that more comes than the file can be."""
        size = f"{total:,} bytes" if total else f"more than {cap:,} bytes"
        what = f"{self.address} sends {size}, where at most {cap:,} are expected. It was stopped."
        return DataError(what, self.name, "This is not the file on record.")

    def unread(self, tries: int, why: str, here: int = 0) -> DataError:
        """Say that nobody answers, or that the connection breaks again and again."""
        kept = f" {here:,} bytes are here and will be used." if here else ""
        several = f"{tries} tries in a row" if tries > 1 else "1 try"
        what = f"{self.address} could not be read after {several}: {why}.{kept}"
        return DataError(what, self.name, "Run the command again later; it continues where it stopped.")

    def length(self, answer: Answer) -> int:
        """Return how long an answer says it is; 0 where it does not say."""
        text = answer.headers.get("Content-Length", "0")
        if not re.fullmatch(r"\d{1,15}", text.strip()):
            raise self.malformed(f"Content-Length is {text!r}")
        return int(text)

    def range(self, answer: Answer) -> tuple[int, int]:
        """Return the first byte of a part, and how long the whole is: `bytes 10-99/100`."""
        text = answer.headers.get("Content-Range", "")
        match = re.fullmatch(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})", text.strip())
        if not match:
            raise self.malformed(f"Content-Range is {text!r}")
        return int(match[1]), int(match[3])

    def refuse_error(self, content: Any) -> None:
        """Refuse an error that a publisher sends with status 200, as ArcGIS does."""
        if isinstance(content, dict) and content.get("error"):
            error = content["error"]
            words = error.get("message", "") if isinstance(error, dict) else error
            raise MovedError(self.moved(f"it answers with an error: {words}"))

    def refuse_page(self, content_type: str, start: bytes) -> None:
        """Refuse what comes instead of a file: a web page (a proxy's login), an error as JSON."""
        head = start.removeprefix(b"\xef\xbb\xbf").lstrip()[:512].lower()
        is_page = head.startswith((b"<!doctype html", b"<html", b"<head", b"<script"))
        if is_page or content_type.partition(";")[0].strip().lower() == "text/html":
            raise self.no_file(head)
        if head.startswith(b"{") and not self.address.partition("?")[0].endswith("json"):
            try:
                content = json.loads(start)
            except ValueError:  # the start of a long one, such as a GeoJSON file
                return
            self.refuse_error(content)
            if str(content.get("status", "")).lower() in _MAKING:
                raise NotReadyError
            if content.get("type") != "FeatureCollection":
                raise self.no_file(head)


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
        who = f"areaeffect/{version('areaeffect')} ({self.settings.contact or 'no contact given'})"
        self._pool = urllib3.PoolManager(
            maxsize=AT_ONCE,
            timeout=Timeout(connect=30.0, read=60.0),
            headers={"User-Agent": who, "Accept-Encoding": "identity"},
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
    ) -> Iterator[Answer]:
        """Ask, following redirects to the release's own hosts; MovedError for others and for 4xx."""
        address = ask.address
        with self._turns:
            for _ in range(_MOST_REDIRECTS + 1):
                parts = urlsplit(address)
                if parts.scheme != "https":
                    raise MovedError(ask.moved(f"it redirects to an unprotected address, {address}"))
                if parts.hostname not in ask.hosts or parts.username or parts.port not in {None, 443}:
                    why = f"it redirects to {parts.netloc}, which is not among the release's hosts"
                    raise MovedError(ask.moved(why))
                answer = self._request(ask, address, headers or {}, method)
                if answer.status not in _ONWARD:
                    break
                answer.drain_conn()
                location = answer.headers.get("Location", "")
                if not re.fullmatch(r"[!-~]+", location):
                    raise ask.malformed(f"it redirects to {location!r}")
                mirror = f"{self.settings.mirror}/"
                if mirror != "/" and location.startswith(mirror):
                    address = f"https://{location.removeprefix(mirror)}"
                else:
                    address = urljoin(address, location)
            else:
                raise DataError(ask.moved("it redirects endlessly"))
            try:
                if answer.status >= 400 and answer.status != _BAD_RANGE:  # noqa: PLR2004
                    why = f"it answers {answer.status} {answer.reason or ''}".rstrip()
                    kind = DataError if answer.status in _BUSY else MovedError
                    raise kind(ask.moved(why))
                yield answer
            finally:
                answer.close()

    def _request(self, ask: Ask, address: str, headers: Mapping[str, str], method: str) -> Answer:
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
            raise ask.unread(TRIES, str(error.reason)) from None
        except InvalidHeader as error:
            raise ask.malformed(str(error)) from None
        except HTTPError as error:
            raise ask.unread(1, str(error)) from None

    def json(self, ask: Ask) -> Any:
        """Return an answer of an interface; raise DataError for no JSON, or an error with status 200."""
        text = self.small(ask)
        try:
            content = json.loads(text)
        except ValueError:
            raise ask.no_file(text) from None
        ask.refuse_error(content)
        return content

    def small(self, ask: Ask) -> bytes:
        """Return a small answer whole."""

        def whole(answer: Answer) -> bytes:
            if answer.status == _ACCEPTED:
                raise NotReadyError
            content = b""
            for block in answer.stream(_BLOCK, decode_content=True):
                content += block
                if len(content) > SMALL:
                    raise ask.too_large(SMALL)
            return content

        return self.read(ask, {}, whole)

    def length(self, ask: Ask) -> int:
        """Return how long a file is by HEAD; 0 where the publisher does not say."""
        with self.open(ask, method="HEAD") as answer:
            return ask.length(answer)

    def read(self, ask: Ask, headers: Mapping[str, str], read: Callable[[Answer], T]) -> T:
        """Return what `read` makes of an answer; tried again where the connection breaks."""
        for attempt in range(TRIES):
            try:
                with self.open(ask, headers) as answer:
                    return read(answer)
            except HTTPError as error:
                broken = str(error)
                time.sleep(self.settings.first_pause * 2**attempt)
        raise ask.unread(TRIES, broken)

    def save(self, ask: Ask, part: Path, progress: Progress) -> None:
        """Bring a file whole into `part`, going on where an earlier transfer stopped.

        Raises NotReadyError while the publisher is still making it. What came is kept.
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
                        raise ask.unread(stalled, str(error), here) from None
                    time.sleep(self.settings.first_pause * 2 ** (stalled - 1))
                    continue
                os.fsync(file.fileno())
                return

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
            packed = answer.headers.get("Content-Encoding", "identity").strip().lower() != "identity"
            here, total = _begin(ask, answer, file, here)
            total = 0 if packed and not here else total
            if total > ask.cap:
                raise ask.too_large(ask.cap, total)
            make_room(part.parent, total - here, ask.name)
            etag = answer.headers.get("ETag", "")
            same = etag if etag and not etag.startswith("W/") else answer.headers.get("Last-Modified", "")
            same = "" if packed else same
            memo.write_text(json.dumps({"address": ask.address, "validator": same}), encoding="utf-8")
            try:
                for block in answer.stream(_BLOCK, decode_content=packed):
                    if not here:
                        ask.refuse_page(answer.headers.get("Content-Type", ""), block)
                    file.write(block)
                    here += len(block)
                    if here > ask.cap:
                        raise ask.too_large(ask.cap)
                    progress(ask.name, here, total)
            except HTTPError as error:
                raise _BrokenError(f"the connection broke off at {here:,} bytes ({error})") from None
            finally:
                file.flush()
        if not here:
            raise DataError(ask.moved("it holds an empty file"))
        if total and here != total:
            raise _BrokenError(f"the connection broke off at {here:,} of {total:,} bytes")


def _begin(ask: Ask, answer: Answer, file: IO[bytes], here: int) -> tuple[int, int]:
    """Return from which byte on an answer goes, and how long the whole is (0: not known)."""
    if answer.status == _ACCEPTED:
        raise NotReadyError
    if answer.status == PARTIAL and here:
        start, total = ask.range(answer)
        if start == here:
            return here, total
        broken = "it sent another part than the one asked for"
    elif answer.status == _BAD_RANGE:
        broken = "it has no such part"
    else:
        return file.truncate(0), ask.length(answer)
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
