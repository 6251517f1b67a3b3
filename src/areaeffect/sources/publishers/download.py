"""Getting published files from their publishers' own addresses: the only module that speaks HTTP.

A transfer that broke goes on where it stopped, if the publisher still has the same file; a file
is renamed into place when it is whole and, where its SHA-256 is on record, when that is right.
What is here already is not asked for again.
"""

from __future__ import annotations

import email.utils
import fcntl
import hashlib
import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from areaeffect.errors import DataError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    Progress = Callable[[str, int, int], None]

#: Tries in a row without a new byte before a file is given up.
TRIES = 5
#: Seconds before the second try; each further pause is twice as long.
FIRST_PAUSE = 1.0
#: Longest pause that a server may ask for; beyond it, the user is told to come back later.
LONGEST_PAUSE = 120.0
#: Seconds without a byte after which a connection counts as broken.
SILENCE = 60.0
_AGENT = "areaeffect (public data for evaluation; one file at a time)"
_BLOCK = 1 << 20
_BUSY = {429, 500, 502, 503, 504}
_OK, _PARTIAL, _BAD_RANGE = 200, 206, 416
_SHORT = 12  # digits of a SHA-256 in messages


@dataclass(frozen=True, slots=True)
class Item:
    """A file to get.

    Parameters
    ----------
    name : what it belongs to, for messages.
    address : the publisher's own.
    path : where it goes, below the folder.
    sha256, bytes : of the file on record, where the publisher's file is fixed; else '' and 0.
    page : where a person finds it, for messages.
    """

    name: str
    address: str
    path: str
    sha256: str = ""
    bytes: int = 0
    page: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that is here.

    Parameters
    ----------
    item : what was asked for.
    path : where it is.
    sha256, bytes : of the file itself.
    asked : whether the publisher was asked (False: it was here already).
    """

    item: Item
    path: Path
    sha256: str
    bytes: int
    asked: bool


class _TryAgainError(Exception):
    """A fault that may pass; `pause` in seconds where the server named one."""

    def __init__(self, why: str, pause: float | None = None) -> None:
        super().__init__(why)
        self.why, self.pause = why, pause


class _OnwardOnly(urllib.request.HTTPRedirectHandler):
    """Follows redirections, but never from https to http."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Any,
        newurl: str,
    ) -> urllib.request.Request | None:
        if req.type == "https" and urllib.parse.urlsplit(newurl).scheme != "https":
            reason = f"it redirects to an unprotected address, {newurl}"
            raise urllib.error.HTTPError(req.full_url, code, reason, headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch(
    items: Iterable[Item],
    folder: Path,
    progress: Progress = lambda _name, _done, _of: None,
    *,
    again: bool = False,
    pause: Callable[[float], None] = time.sleep,
) -> tuple[Fetched, ...]:
    """Get files, one after the other.

    Parameters
    ----------
    items : what to get.
    folder : where they go.
    progress : told the file, the bytes that are here, and all its bytes (0: not known).
    again : ask the publisher also for what is here.
    pause : waits between tries.

    Raises
    ------
    DataError
        With the faults of all files, after every file has been tried. A part that came is kept,
        unless it is wrong, and the next call goes on from it.
    """
    done: list[Fetched] = []
    problems: list[Problem] = []
    for item in items:
        try:
            done.append(_fetch_one(item, folder / item.path, progress, pause, again=again))
        except DataError as error:
            problems += error.problems
        except OSError as error:
            why = f"{error.strerror or error} ({error.filename or folder / item.path})"
            problems.append(
                Problem(
                    f"the file cannot be written: {why}.", item.name, "Make room, or use --into."
                )
            )
    if problems:
        raise DataError(problems)
    return tuple(done)


def _fetch_one(
    item: Item,
    target: Path,
    progress: Progress,
    pause: Callable[[float], None],
    *,
    again: bool,
) -> Fetched:
    if urllib.parse.urlsplit(item.address).scheme not in {"http", "https"}:
        raise DataError(
            Problem(f"'{item.address}' is not an address of the web.", item.name, "Use https://…")
        )
    if target.is_file() and not again:
        return _held(item, target)
    target.parent.mkdir(parents=True, exist_ok=True)
    part, memo = (target.with_name(f"{target.name}{end}") for end in (".part", ".part.json"))
    with part.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataError(
                Problem("another `areaeffect fetch` is getting it.", item.name, "Wait for it.")
            ) from None
        was_resumed = file.tell() > 0
        _transfer_patiently(item, file, memo, progress, pause)
        digest = _sha256(part)
        if item.sha256 and digest != item.sha256 and was_resumed:
            file.truncate(0)  # the part may have been of another file: once more, from the start
            _transfer_patiently(item, file, memo, progress, pause)
            digest = _sha256(part)
        size = part.stat().st_size
        if not size or (item.sha256 and digest != item.sha256):
            part.unlink()
            memo.unlink(missing_ok=True)
            raise DataError(_changed(item, digest, size) if size else _empty(item))
        os.fsync(file.fileno())
        record = {"address": item.address, "bytes": size, "sha256": digest, **_read_memo(memo)}
        _record_of(target).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        part.replace(target)
    memo.unlink(missing_ok=True)
    return Fetched(item, target, digest, size, asked=True)


def _held(item: Item, target: Path) -> Fetched:
    """Return a file that is here, checked against what is on record."""
    digest, size = _sha256(target), target.stat().st_size
    expected = item.sha256 or _read_memo(_record_of(target)).get("sha256", "")
    if expected and digest != expected:
        raise DataError(
            Problem(
                f"the file that is here is not the one on record: sha256 {expected[:_SHORT]}… "
                f"expected, {digest[:_SHORT]}… found. It was left as it is.",
                f"{item.name}, {target}",
                "It was edited, or is another edition. Move it away, or fetch it with --again.",
            )
        )
    return Fetched(item, target, digest, size, asked=False)


def _changed(item: Item, digest: str, size: int) -> Problem:
    expected = f"sha256 {item.sha256[:_SHORT]}…"
    expected += f" and {item.bytes:,} bytes" if item.bytes else ""
    return Problem(
        f"{item.address} does not hold the file on record: expected {expected}, got sha256 "
        f"{digest[:_SHORT]}… and {size:,} bytes. What came was deleted.",
        item.name,
        "Likely the publisher replaced the file, or a proxy answered in its place. Look at "
        f"{item.page or item.address}; a new edition needs a release of its own.",
    )


def _empty(item: Item) -> Problem:
    page = item.page or item.address
    return Problem(f"{item.address} holds an empty file.", item.name, f"Look at {page}.")


def _transfer_patiently(
    item: Item, file: IO[bytes], memo: Path, progress: Progress, pause: Callable[[float], None]
) -> None:
    """Transfer until the file is whole; give up after `TRIES` without a new byte."""
    failures = 0
    while True:
        before = file.seek(0, os.SEEK_END)
        try:
            _transfer(item, file, memo, progress)
        except _TryAgainError as error:
            failures = 1 if file.seek(0, os.SEEK_END) > before else failures + 1
            wait = FIRST_PAUSE * 2 ** (failures - 1) if error.pause is None else error.pause
            if failures >= TRIES or wait > LONGEST_PAUSE:
                here = f" {before:,} bytes are here and will be used." if before else ""
                asks = f" It asks to wait {wait:,.0f} seconds." if wait > LONGEST_PAUSE else ""
                tries = f"{failures} tries in a row" if failures > 1 else "1 try"
                raise DataError(
                    Problem(
                        f"{item.address} could not be read after {tries}: {error.why}.{asks}{here}",
                        item.name,
                        "Run the command again later; it goes on where it stopped.",
                    )
                ) from None
            pause(wait)
            continue
        return


def _transfer(item: Item, file: IO[bytes], memo: Path, progress: Progress) -> None:
    """Ask once, and write what comes behind what is here."""
    here = file.seek(0, os.SEEK_END)
    known = _read_memo(memo)
    same = known.get("etag") or known.get("last_modified", "")
    if here and not (same and known.get("address") == item.address):
        here = file.truncate(0)  # nothing tells that the publisher still has the same file
    headers = {"User-Agent": _AGENT, "Accept-Encoding": "identity"}
    if here:
        headers |= {"Range": f"bytes={here}-", "If-Range": same}
    with _open(item, headers, file) as answer:
        if answer.status == _PARTIAL:
            total = _total_of_range(answer, here)
            if total is None:
                file.truncate(0)
                why = "it sent another part than the one asked for"
                raise _TryAgainError(why, FIRST_PAUSE)
        else:
            here = file.truncate(0)  # it ignores ranges, or has another file now
            total = int(answer.headers.get("Content-Length") or 0)
        _refuse_page(item, answer)
        _write_memo(memo, item, answer)
        here = _copy(answer, file, here, total, item, progress)
    if total and here != total:
        why = f"the connection broke off at {here:,} of {total:,} bytes"
        raise _TryAgainError(why)


def _open(item: Item, headers: dict[str, str], file: IO[bytes]) -> Any:
    request = urllib.request.Request(item.address, headers=headers)  # scheme checked before
    try:
        return urllib.request.build_opener(_OnwardOnly).open(request, timeout=SILENCE)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == _BAD_RANGE:
            file.truncate(0)
            why = "it has no such part"
            raise _TryAgainError(why, FIRST_PAUSE) from None
        if error.code in _BUSY:
            waits = _retry_after(error.headers.get("Retry-After"))
            why = f"it answers {error.code} {error.reason}"
            raise _TryAgainError(why, waits) from None
        where = f" Look for it on {item.page}." if item.page else ""
        raise DataError(
            Problem(
                f"{item.address} answers {error.code} {error.reason}. Nothing was fetched.",
                item.name,
                f"The publisher may have moved the file.{where}",
            )
        ) from None
    except (OSError, http.client.HTTPException) as error:
        raise _TryAgainError(str(getattr(error, "reason", error)) or "no answer") from None


def _copy(
    answer: Any, file: IO[bytes], here: int, total: int, item: Item, progress: Progress
) -> int:
    progress(item.name, here, total)
    while True:
        try:
            block = answer.read1(_BLOCK)
        except (OSError, http.client.HTTPException) as error:
            file.flush()
            why = f"the connection broke off at {here:,} bytes ({error})"
            raise _TryAgainError(why) from None
        if not block:
            file.flush()
            return here
        file.write(block)
        here += len(block)
        progress(item.name, here, total)


def _total_of_range(answer: Any, here: int) -> int | None:
    """Return the whole length from `bytes 10-99/100`; None where it is not what was asked for."""
    unit, _, rest = answer.headers.get("Content-Range", "").partition(" ")
    span, _, total = rest.partition("/")
    first = span.partition("-")[0]
    if unit != "bytes" or not first.isdigit() or int(first) != here or not total.isdigit():
        return None
    return int(total)


def _refuse_page(item: Item, answer: Any) -> None:
    """Refuse a web page that stands in for a file: a login, a notice, an error with status 200."""
    if answer.headers.get_content_type() == "text/html" and not item.path.endswith(".html"):
        raise DataError(
            Problem(
                f"{item.address} answers with a web page, not with the file. Nothing was fetched.",
                item.name,
                f"A proxy or a moved file: open {item.page or item.address} in a browser.",
            )
        )


def _retry_after(text: str | None) -> float | None:
    """Read `Retry-After`: seconds, or a date."""
    if text is None:
        return None
    if text.strip().isdigit():
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None


def _record_of(target: Path) -> Path:
    return target.with_name(f"{target.name}.fetched.json")


def _read_memo(memo: Path) -> dict[str, str]:
    try:
        content: dict[str, str] = json.loads(memo.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return content


def _write_memo(memo: Path, item: Item, answer: Any) -> None:
    """Note by what the file is known again; a weak ETag cannot tell that bytes are the same."""
    etag = answer.headers.get("ETag", "")
    content = {
        "address": item.address,
        "etag": "" if etag.startswith("W/") else etag,
        "last_modified": answer.headers.get("Last-Modified", ""),
    }
    memo.write_text(json.dumps(content), encoding="utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
