"""Finding street files: in monthly archives, custom downloads, folders, or on their own.

Nothing is ever unpacked under a name from a zip: members are read as streams, so a hostile name
cannot leave the store. What is not a street file is passed over and recorded.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from areaeffect.disk import ZIP_FAULTS
from areaeffect.errors import DataError, Problem, StudyError, did_you_mean, repeated

#: A member may unpack to this many times its packed size; real files reach about 6.
MAX_RATIO = 100
#: Small members may exceed the ratio: an empty month of headers packs well.
RATIO_FREE_BYTES = 1 << 16
#: One file; the largest force publishes about 25 MB a month.
MAX_FILE_BYTES = 256 << 20
#: One command; the whole history of England and Wales is about 17 GB.
MAX_TOTAL_BYTES = 64 << 30

_NAME = re.compile(r"(\d{4}-\d{2})-([a-z]+(?:-[a-z]+)*?)-(street|outcomes|stop-and-search)\.csv")
_ARCHIVE = re.compile(r"\d{4}-\d{2}\.zip")
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_FOLDER_MONTH = re.compile(r"\d{4}-\d{2}")
_CHUNK = 1 << 20
_ENCRYPTED = 0x1


@dataclass(frozen=True, slots=True)
class StreetFile:
    """One force and month, where it was found."""

    container: Path  # the zip, or the CSV itself
    member: str  # its name inside the zip; empty where the CSV is a file of its own.
    #: force, month: from its name
    force: str
    month: str

    @property
    def name(self) -> str:
        """How the file is called in messages and in the manifest: no folder of this machine."""
        return f"{self.container.name}/{self.member}" if self.member else self.container.name


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A file that was seen and not read, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Street files in the order of reading (later ones replace earlier), and what was not read."""

    files: tuple[StreetFile, ...]
    passed_over: tuple[PassedOver, ...]


def find_files(paths: Sequence[Path]) -> Listing:
    """List the street files of zips, folders and CSV files, in the order given.

    Raises
    ------
    StudyError
        A path that does not exist.
    DataError
        Every zip that cannot be trusted, every name that cannot be read, no street file at all.
    """
    files: list[StreetFile] = []
    passed: list[PassedOver] = []
    problems: list[Problem] = []
    missing = [p for p in paths if not p.exists()]
    if missing:
        raise StudyError(
            [
                Problem(
                    "there is no such file or folder.",
                    str(p),
                    did_you_mean(p.name, [q.name for q in p.parent.glob("*")])
                    or "Get files with `areaeffect fetch police_uk --from YYYY-MM --to YYYY-MM`.",
                )
                for p in missing
            ]
        )
    for path in paths:
        before = len(files)
        inside = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in inside:
            if file.suffix.lower() == ".zip":
                _list_zip(file, files, passed, problems)
            else:
                _place(file, "", file.name, _folder_month(file), files, passed, problems)
        if path.is_file() and passed and passed[-1].name == path.name:
            problems.append(_not_street(str(path), passed[-1].reason))
        problems += _twice(files[before:])
    if not files and not problems:
        seen = f" {len(passed)} other files were seen." if passed else ""
        problems.append(
            Problem(
                f"no street file was found.{seen}",
                ", ".join(map(str, paths)),
                "Street files are named like '2023-01-cleveland-street.csv'.",
            )
        )
    if problems:
        raise DataError(problems)
    return Listing(tuple(files), tuple(passed))


def read_files(files: Sequence[StreetFile]) -> Iterator[tuple[StreetFile, bytes]]:
    """Read files one after the other, counting real bytes as they unpack.

    Raises
    ------
    DataError
        A file that is damaged, or larger than the limits, whatever its header says.
    """
    archive: zipfile.ZipFile | None = None
    opened: Path | None = None
    total = 0
    try:
        for file in files:
            if not file.member:
                data = _read_plain(file)
            else:
                if opened != file.container:
                    if archive is not None:
                        archive.close()
                    archive, opened = zipfile.ZipFile(file.container), file.container
                if archive is None:  # opened just above
                    raise AssertionError
                data = _read_member(archive, file)
            total += len(data)
            if total > MAX_TOTAL_BYTES:
                raise DataError(
                    f"over {MAX_TOTAL_BYTES >> 30} GiB were unpacked.",
                    _where(file),
                    "Ingest the files in several commands.",
                )
            yield file, data
    finally:
        if archive is not None:
            archive.close()


def _where(file: StreetFile) -> str:
    return f"{file.container}, {file.member}" if file.member else str(file.container)


def _read_plain(file: StreetFile) -> bytes:
    if file.container.stat().st_size > MAX_FILE_BYTES:
        raise DataError(_too_large(_where(file)))
    return file.container.read_bytes()


def _read_member(archive: zipfile.ZipFile, file: StreetFile) -> bytes:
    info = archive.getinfo(file.member)
    limit = min(MAX_FILE_BYTES, MAX_RATIO * info.compress_size + RATIO_FREE_BYTES)
    parts, size = [], 0
    try:
        with archive.open(info) as stream:
            while part := stream.read(_CHUNK):
                size += len(part)
                if size > limit:
                    raise DataError(_too_large(_where(file)))
                parts.append(part)
    except ZIP_FAULTS as error:
        raise DataError(
            f"the file in the zip is damaged: {error}.", _where(file), "Download it again."
        ) from None
    return b"".join(parts)


def _too_large(where: str) -> Problem:
    return Problem(
        f"the file unpacks to over {MAX_FILE_BYTES >> 20} MiB, or to over {MAX_RATIO} times its packed size.",
        where,
        "It is not a file of data.police.uk.",
    )


def _not_street(where: str, reason: str) -> Problem:
    return Problem(f"{reason}.", where, "Give street files: '2023-01-cleveland-street.csv'.")


def _folder_month(file: Path) -> str:
    return file.parent.name if _FOLDER_MONTH.fullmatch(file.parent.name) else ""


def _list_zip(path: Path, files: list[StreetFile], passed: list[PassedOver], problems: list[Problem]) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except ZIP_FAULTS as e:
        what = f"the zip cannot be read: {str(e).rstrip('.')}."
        problems.append(Problem(what, str(path), "It may be cut short; download it again."))
        return
    faults = _zip_faults(path, members)
    if faults:
        problems.extend(faults)
        return
    before = len(files)
    for info in sorted(members, key=lambda m: m.filename):
        if not info.is_dir():
            inner = PurePosixPath(info.filename)
            month = inner.parent.name if _FOLDER_MONTH.fullmatch(inner.parent.name) else ""
            _place(path, info.filename, inner.name, month, files, passed, problems)
    if len(files) == before:
        passed.append(PassedOver(path.name, "the zip holds no street file"))


def _zip_faults(path: Path, members: list[Any]) -> list[Problem]:
    problems = []
    for info in members:
        where = f"{path}, {info.filename!r}"
        parts = re.split(r"[/\\]", info.filename)
        if ".." in parts or info.filename.startswith(("/", "\\")) or ":" in parts[0]:
            problems.append(Problem("the name points outside the zip.", where, "Do not trust this file."))
        elif info.flag_bits & _ENCRYPTED:
            problems.append(Problem("the file is encrypted.", where, "Give it without a password."))
        elif info.file_size > RATIO_FREE_BYTES and info.file_size > MAX_RATIO * info.compress_size:
            problems.append(
                Problem(
                    f"the file unpacks to over {MAX_RATIO} times its size ({info.file_size:,} "
                    "bytes): a zip bomb.",
                    where,
                    "Do not trust this file.",
                )
            )
    total = sum(m.file_size for m in members)
    if not problems and total > MAX_RATIO * path.stat().st_size + RATIO_FREE_BYTES * len(members):
        problems.append(
            Problem(
                f"the zip unpacks to over {MAX_RATIO} times its size ({total:,} bytes): a zip bomb.",
                str(path),
                "Do not trust this file.",
            )
        )
    problems += [
        Problem("two members of the zip have this name.", f"{path}, {name!r}", "Keep one.")
        for name in repeated([m.filename for m in members])
    ]
    return problems


def _place(
    container: Path,
    member: str,
    base: str,
    folder_month: str,
    files: list[StreetFile],
    passed: list[PassedOver],
    problems: list[Problem],
) -> None:
    """Put one file where it belongs: to be read, passed over, or refused."""
    where = f"{container}, {member}" if member else str(container)
    shown = f"{container.name}/{member}" if member else container.name
    named = _NAME.fullmatch(base)
    if named is None:
        passed.append(PassedOver(shown, "it is not named like a file of data.police.uk"))
        return
    month, force, kind = named.groups()
    if kind != "street":
        what = {"outcomes": "it is an outcomes file", "stop-and-search": "it is stop and search"}
        passed.append(PassedOver(shown, f"{what[kind]}, not street-level crime"))
        return
    if not _MONTH.fullmatch(month):
        fix = "Months run from 01 to 12."
        problems.append(Problem(f"'{month}' in the name is not a month.", where, fix))
        return
    if folder_month and folder_month != month:
        problems.append(
            Problem(
                f"the file of {month} lies in the folder of {folder_month}.",
                where,
                "One of the two is wrong: the month is not certain.",
            )
        )
        return
    files.append(StreetFile(container, member, force, month))


def _twice(files: list[StreetFile]) -> list[Problem]:
    """Two files for one force and month in one zip or folder: nothing says which is the later.

    Monthly archives of the publisher ('2014-12.zip') are the exception: their names say it.
    """
    seen: dict[tuple[str, str], StreetFile] = {}
    problems = []
    for file in files:
        first = seen.setdefault((file.force, file.month), file)
        if first is file:
            continue
        if first.container != file.container and all(
            f.member and _ARCHIVE.fullmatch(f.container.name) for f in (first, file)
        ):
            continue
        problems.append(
            Problem(
                f"'{first.member or first.container}' is for the same force and month.",
                _where(file),
                "Keep one of the two, or give them one after the other: the last one counts.",
            )
        )
    return problems
