"""Releases into a folder: what is missing is fetched, checked, and only then given its name."""

from __future__ import annotations

import errno
import json
import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from areaeffect.disk import sha256_of, write_file
from areaeffect.errors import DataError, Problem
from areaeffect.sources.publishers.layouts import keys_of, layout, require
from areaeffect.sources.publishers.releases import (
    GEOGRAPHY_NAMES,
    NO_TABLE,
    PublishedRelease,
    ReleaseFile,
    place_of,
)
from areaeffect.sources.publishers.resolvers import bring
from areaeffect.sources.publishers.tables import areas_of, assemble
from areaeffect.sources.publishers.transport import AT_ONCE, Client, read_record

if TYPE_CHECKING:
    from areaeffect.sources.publishers.transport import Progress

#: Where files lie until they are whole and checked, below the folder.
PARTS = ".part"
_SHORT = 12  # digits of a SHA-256 in messages


@dataclass(frozen=True, slots=True)
class Job:
    """One file to get."""

    release: PublishedRelease
    file: ReleaseFile
    path: Path  # where it goes, or is
    is_here: bool  # whether it is there already

    @property
    def label(self) -> str:
        """What it is called while it is fetched."""
        name = self.release.id
        return name if len(self.release.files) == 1 else f"{name}, {self.path.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file that is here."""

    name: str  # the release
    path: Path
    sha256: str = ""  # '' where the hash of one that was here was not asked for
    bytes: int
    address: str = ""  # where it came from; '' where that is not known
    asked: bool = False  # whether the publisher was asked (False: it was here already)


def jobs_of(releases: Sequence[PublishedRelease], folder: Path) -> tuple[Job, ...]:
    """Return every file of the releases that has an address, and whether it is here."""
    found: dict[str, Job] = {}
    for release in releases:
        for file in release.files:
            if file.origin is not None and file.path not in found:
                here = place_of(file, (folder,))
                path = here or folder / file.path
                found[file.path] = Job(release, file, path, here is not None)
    return tuple(found.values())


def fetch(
    jobs: Sequence[Job],
    folder: Path,
    progress: Progress,
    client: Client | None = None,
    *,
    again: bool = False,
) -> tuple[Fetched, ...]:
    """Get files, at most two at a time; `again` asks the publisher also for what is here.

    `progress` receives the file, the bytes or rows that are here, and all of them (0: not known).

    Raises
    ------
    DataError
        With the faults of all files, after every file has been tried. A part that came is kept
        for the next call; a file that is wrong is deleted.
    """
    client = client or Client()
    lock, stop = threading.Lock(), threading.Event()

    def tell(name: str, done: int, of: int) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        with lock:
            progress(name, done, of)

    def get(job: Job) -> Fetched | DataError:
        try:
            if job.is_here and not again:
                return _existing_file(job)
            return _get(job, folder, client, tell)
        except DataError as error:
            return error
        except OSError as error:
            return DataError(_unwritten(job, error, folder))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            done = list(pool.map(get, jobs))
        except BaseException:  # Ctrl-C too: no transfer goes on behind a command that ended
            stop.set()  # the transfers that run end at their next block
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    clear_parts(folder)
    problems = [p for d in done if isinstance(d, DataError) for p in d.problems]
    found = tuple(d for d in done if isinstance(d, Fetched))
    if problems:
        if len(jobs) > 1:
            whole = f"{len(found)} of {len(jobs)} files are here and can be used."
            problems.append(Problem(whole, "", "The same command tries the others again."))
        raise DataError(problems)
    return found


def _get(job: Job, folder: Path, client: Client, progress: Progress) -> Fetched:
    part = folder / PARTS / job.file.path
    part.parent.mkdir(parents=True, exist_ok=True)
    address, part = bring(
        client, job.release, job.file, part, lambda _, done, of: progress(job.label, done, of)
    )
    origin, digest = job.file.origin, sha256_of(part)
    expected = origin.sha256 if origin and not origin.on_demand else ""
    if origin and expected and digest != expected and address == origin.address:
        _forget(part)
        raise DataError(
            f"{address} does not hold the file on record: sha256 {expected[:_SHORT]}… expected, "
            f"{digest[:_SHORT]}… found. What came was deleted.",
            job.release.id,
            "Likely the publisher replaced the file, or a proxy answered in its place. Look at "
            f"{job.release.page}; a new edition needs a release of its own.",
        )
    try:
        if digest != expected:
            check_file(job.release, job.file, part, job.file.path)
    except DataError:
        _forget(part)
        raise
    target = (folder / job.file.path).with_suffix(part.suffix)
    return put(job.release.id, address, part, target, digest)


def put(name: str, address: str, part: Path, target: Path, digest: str = "") -> Fetched:
    """Give a whole, checked file its name, with a record of where it came from beside it."""
    digest, size = digest or sha256_of(part), part.stat().st_size
    target.parent.mkdir(parents=True, exist_ok=True)
    record = {"address": address, "bytes": size, "sha256": digest}
    write_file(_record_of(target), json.dumps(record, indent=2) + "\n")
    part.replace(target)
    _forget(part)
    return Fetched(name=name, path=target, sha256=digest, bytes=size, address=address, asked=True)


def _existing_file(job: Job) -> Fetched:
    """Return a file that is here, as it was when it came."""
    digest, size = sha256_of(job.path), job.path.stat().st_size
    record = read_record(_record_of(job.path))
    expected = record.get("sha256", "")
    if expected and digest != expected:
        raise DataError(
            f"the file that is here is not the one that came: sha256 {expected[:_SHORT]}… "
            f"expected, {digest[:_SHORT]}… found. It was left as it is.",
            f"{job.release.id}, {job.path}",
            "It was edited. Move it away, or fetch it with --again.",
        )
    if not expected:  # somebody put it there by hand
        try:
            check_file(job.release, job.file, job.path, job.file.path)
        except DataError as error:
            what = "the file was here before and cannot be used. It was left as it is."
            fix = "Move it away, or fetch it with --again."
            raise DataError([*error.problems, Problem(what, f"{job.path}", fix)]) from None
    return Fetched(
        name=job.release.id, path=job.path, sha256=digest, bytes=size, address=record.get("address", "")
    )


def _unwritten(job: Job, error: OSError, folder: Path) -> Problem:
    where = f"{job.release.id}, {error.filename or folder}"
    if error.errno == errno.ENOSPC:
        origin = job.file.origin
        size = f"about {origin.bytes / 1e6:,.0f} MB" if origin and origin.bytes else "its size"
        free = shutil.disk_usage(folder).free / 1e6
        return Problem(
            f"the disk is full: {size} is needed, {free:,.1f} MB are free.",
            where,
            "Make room, or name another folder with --into. What came is kept.",
        )
    return Problem(
        f"the file cannot be written: {error.strerror or error}.", where, "Name another folder with --into."
    )


def _forget(part: Path) -> None:
    """Remove what a part has left."""
    for path in (part, part.with_name(f"{part.name}.json")):
        path.unlink(missing_ok=True)


def clear_parts(folder: Path) -> None:
    """Remove the folders of parts that are empty, once no transfer runs."""
    for path in sorted((folder / PARTS).rglob("*"), reverse=True):
        with suppress(OSError):
            path.rmdir()
    with suppress(OSError):
        (folder / PARTS).rmdir()


def _record_of(target: Path) -> Path:
    return target.with_name(f"{target.name}.fetched.json")


def check_file(release: PublishedRelease, file: ReleaseFile, path: Path, name: str) -> None:
    """Refuse a file that is another edition, of another census, or laid out in another way.

    `name` is the file's own, for messages.
    """
    areas = None
    if file.layout in NO_TABLE:
        n, areas = keys_of(file, path)
    elif release.placed_by:
        _, n = layout(file.layout)(file, path)  # where its rows lie, another file says
    elif len(release.files) > 1:
        frame, n = layout(file.layout)(file, path)
        require(frame, [c for c in file.columns if c], release.id)
        areas, _ = areas_of(release, frame)
    else:
        table = assemble(release, ((file, path),), None)
        n, areas = sum(r.rows_read for r in table.records), table.areas
    counts = [(n, file.rows, "rows")]
    if areas is not None and not release.names_from:
        counts.append((len(areas), release.areas, GEOGRAPHY_NAMES[release.geography][1]))
    problems = [
        Problem(
            f"this is another edition of '{release.id}': {found:,} {what}, where {expected:,} are on record.",
            f"{name}",
            f"Look at {release.page}; a new edition needs a release of its own.",
        )
        for found, expected, what in counts
        if found < expected or (expected and found != expected and not release.grows)
    ]
    if problems:
        raise DataError(problems)
