"""Street files given: found in zips, folders or on their own, read, and what they held.

Members of a zip are read as streams, never unpacked under a name, so a hostile name cannot leave the store.
"""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

from areaeffect.disk import ZIP_FAULTS
from areaeffect.errors import DataError, Problem, StudyError, did_you_mean, first_few, repeated
from areaeffect.records import Json
from areaeffect.sources.police_uk.lake import ManifestRow

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

    @property
    def where(self) -> str:
        """Where the file lies, for whoever is to mend it."""
        return f"{self.container}, {self.member}" if self.member else str(self.container)


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

    Every path that is not there, zip that cannot be trusted and name that cannot be read is refused.
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
                _place(file, "", file, files, passed, problems)
        if path.is_file() and passed and passed[-1].name == path.name:
            fix = "Give street files: '2023-01-cleveland-street.csv'."
            problems.append(Problem(f"{passed[-1].reason}.", str(path), fix))
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

    A file that is damaged, or larger than the limits, is refused, whatever its header says.
    """
    total = 0
    for container, group in groupby(files, key=attrgetter("container")):
        inside = list(group)
        with zipfile.ZipFile(container) if inside[0].member else nullcontext() as archive:
            for file in inside:
                data = _read(file, archive)
                total += len(data)
                if total > MAX_TOTAL_BYTES:
                    what = f"over {MAX_TOTAL_BYTES >> 30} GiB were unpacked."
                    raise DataError(what, file.where, "Ingest the files in several commands.")
                yield file, data


def _read(file: StreetFile, archive: zipfile.ZipFile | None) -> bytes:
    limit = MAX_FILE_BYTES
    if archive is None:
        with file.container.open("rb") as plain:
            data = plain.read(limit + 1)
    else:
        info = archive.getinfo(file.member)
        limit = min(limit, MAX_RATIO * info.compress_size + RATIO_FREE_BYTES)
        try:
            with archive.open(info) as stream:
                data = stream.read(limit + 1)
        except ZIP_FAULTS as error:
            what = f"the file in the zip is damaged: {error}."
            raise DataError(what, file.where, "Download it again.") from None
    if len(data) > limit:
        raise DataError(
            f"the file unpacks to over {MAX_FILE_BYTES >> 20} MiB, or to over {MAX_RATIO} times its packed "
            "size.",
            file.where,
            "It is not a file of data.police.uk.",
        )
    return data


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
            _place(path, info.filename, PurePosixPath(info.filename), files, passed, problems)
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
    path: PurePath,
    files: list[StreetFile],
    passed: list[PassedOver],
    problems: list[Problem],
) -> None:
    """Put one file where it belongs: to be read, passed over, or refused."""
    where = f"{container}, {member}" if member else str(container)
    shown = f"{container.name}/{member}" if member else container.name
    named = _NAME.fullmatch(path.name)
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
    folder_month = path.parent.name
    if _FOLDER_MONTH.fullmatch(folder_month) and folder_month != month:
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
                file.where,
                "Keep one of the two, or give them one after the other: the last one counts.",
            )
        )
    return problems


#: Reasons of rejected rows that are shown.
_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What the files of one command hold; the same whether they were new or already held."""

    #: rows_read, rows_kept, rows_rejected: of all street files given
    rows_read: int
    rows_kept: int
    rows_rejected: int
    files: int  # street files given
    #: months, forces: different ones among them
    months: int
    forces: int
    files_new: int  # street files that were not held before
    files_passed_over: int  # files seen that are not street-level crime
    notes: tuple[str, ...]  # what a reader should know of them

    def to_dict(self) -> Json:
        """Return plain JSON values."""
        return asdict(self)

    def text(self) -> str:
        """Return the report as lines to read."""
        lines = [
            f"{self.rows_read:,} rows read: {self.rows_kept:,} kept, {self.rows_rejected:,} "
            f"rejected; {self.files:,} files, {self.months} months, {self.forces} forces."
        ]
        if self.files_new < self.files:
            lines.append(f"{self.files - self.files_new:,} of the files were already in the store.")
        if self.files_passed_over:
            lines.append(f"{self.files_passed_over:,} other files were passed over.")
        return "\n".join([*lines, *self.notes])


def of_other_police(given: Sequence[ManifestRow]) -> list[str]:
    """Name the current files whose rows are of another police force than their name says."""
    return [
        f"{r['file']}: its rows fall within {r['other_police']}, which its name does not say."
        for r in given
        if r.get("other_police") and r["status"] == "current"
    ]


def report_on(given: list[ManifestRow], n_new: int, passed: Sequence[PassedOver]) -> IngestReport:
    """Add up the manifest rows of the files given."""
    rejected = sum(r["rows_rejected"] for r in given)
    notes = [f"{r['file']}: {r['note']}." for r in given if r.get("note")] + of_other_police(given)
    for why in dict.fromkeys(file.reason for file in passed):
        names = [file.name for file in passed if file.reason == why]
        notes.append(f"Passed over because {why}: {first_few(names)}.")
    reasons: Counter[str] = Counter()
    for row in given:
        reasons.update(row["why"])
    if rejected:
        notes.append("Rejected, each listed in the store with file and line:")
        ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
        notes += [f"  {count:,}  {reason}" for reason, count in ordered[:_SHOWN]]
    return IngestReport(
        rows_read=sum(r["rows_read"] for r in given),
        rows_kept=sum(r["rows_kept"] for r in given),
        rows_rejected=rejected,
        files=len(given),
        months=len({r["month"] for r in given}),
        forces=len({r["force"] for r in given}),
        files_new=n_new,
        files_passed_over=len(passed),
        notes=tuple(notes),
    )
