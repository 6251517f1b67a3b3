"""Archives of data.police.uk: whole, or only the months of the forces that are wanted.

An archive up to 2017-04 holds every month since 2010-12, a later one the 36 months that end with
its own. Four of them, and the latest, hold everything.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from areaeffect.errors import DataError, Problem, StudyError, did_you_mean
from areaeffect.geography.codes import WITHOUT_TERRITORY, territorial_forces
from areaeffect.sources.publishers.download import PARTS, Fetched, clear_parts, put
from areaeffect.sources.publishers.releases import HOSTS, By
from areaeffect.sources.publishers.transport import PARTIAL, Answer, Ask

if TYPE_CHECKING:
    from areaeffect.sources.publishers.transport import Client, Progress

NAME = "police_uk"
PAGE = "https://data.police.uk/data/archive/"
LICENCE = "Open Government Licence v3.0"
ATTRIBUTION = (
    "data.police.uk. Contains public sector information licensed under the Open Government Licence v3.0."
)
FIRST_MONTH = "2010-12"
#: Archives that together hold every month to the last of them, and their approximate bytes.
ARCHIVES = {
    "2017-04": 2_560_000_000,
    "2020-04": 1_730_000_000,
    "2023-04": 1_730_000_000,
    "2026-04": 1_730_000_000,
}
LATEST = "latest"
_MEMBER = re.compile(r"(?:.*/)?(\d{4}-\d{2})/(\1-([a-z-]+)-street\.csv)")
_BUFFER = 1 << 18
#: Most bytes of one force's month, unpacked; the largest there has been is under a tenth of it.
_LARGEST_MEMBER = 512 << 20


@dataclass(frozen=True, slots=True)
class MonthsWanted:
    """Months of police.uk that are wanted."""

    #: first, last: 'YYYY-MM', both included
    first: str
    last: str
    forces: tuple[str, ...]  # as the site names them ('cleveland'); none: all, as whole archives.

    def __post_init__(self) -> None:
        problems = []
        for option, month in (("--from", self.first), ("--to", self.last)):
            if not re.fullmatch(r"\d{4}-(?:0[1-9]|1[0-2])", month):
                problems.append(Problem(f"'{month}' is not a month.", option, "Write YYYY-MM."))
        if not problems and self.first > self.last:
            problems.append(Problem("the first month is after the last.", "--from, --to"))
        if not problems and self.last < FIRST_MONTH:
            what = f"police.uk begins with {FIRST_MONTH}."
            problems.append(Problem(what, "--to", "Take a later month."))
        known = (*territorial_forces(), *WITHOUT_TERRITORY)
        for force in sorted(set(self.forces) - set(known)):
            near = did_you_mean(force.lower().replace(" ", "-"), known)
            fix = near or f"Forces: {', '.join(known)}."
            problems.append(Problem(f"no force is called '{force}'.", "--force", fix))
        if problems:
            raise StudyError(problems)

    @property
    def months(self) -> tuple[str, ...]:
        """Every month wanted that the site can have."""
        first = max(self.first, FIRST_MONTH)
        a, b = (int(m[:4]) * 12 + int(m[5:]) - 1 for m in (first, self.last))
        return tuple(f"{i // 12}-{i % 12 + 1:02d}" for i in range(a, b + 1))

    @property
    def archives(self) -> dict[str, tuple[str, ...]]:
        """The months of each archive that is needed."""
        found = groupby(self.months, archive_of)
        return {archive: tuple(months) for archive, months in found}


def archive_of(month: str) -> str:
    """Return the archive that a month is taken from."""
    return next((a for a in ARCHIVES if month <= a), LATEST)


def ask_for(archive: str) -> Ask:
    """Return the question for an archive."""
    return Ask(
        name=NAME,
        address=f"{PAGE}{archive}.zip",
        hosts=HOSTS[By.ARCHIVE],
        seen="2026-08",
        page=PAGE,
        cap=4 << 30,
    )


def fetch_archives(
    wanted: MonthsWanted, folder: Path, progress: Progress, client: Client, *, again: bool = False
) -> tuple[tuple[Fetched, ...], tuple[str, ...]]:
    """Get whole archives, or the wanted members of them; also 'force YYYY-MM' that no archive has."""
    files: list[Fetched] = []
    gaps: list[str] = []
    for archive, months in wanted.archives.items():
        if wanted.forces:
            got, lacking = _members(archive, months, wanted.forces, folder, progress, client, again)
            files += got
            gaps += lacking
        else:
            files.append(_fetch_archive(archive, folder, progress, client, again=again))
    clear_parts(folder)
    return tuple(files), tuple(gaps)


def _fetch_archive(archive: str, folder: Path, progress: Progress, client: Client, *, again: bool) -> Fetched:
    target, part = folder / NAME / f"{archive}.zip", folder / PARTS / NAME / f"{archive}.zip"
    if target.is_file() and not again:
        return _here(target)
    ask = ask_for(archive)
    client.save(ask, part, lambda _, done, of: progress(f"{NAME} {archive}", done, of))
    if not zipfile.is_zipfile(part):
        part.unlink()
        what = f"{ask.address} does not hold a zip. What came was deleted."
        raise DataError(what, NAME, "A proxy may have answered in its place; try from another network.")
    return put(NAME, ask.address, part, target)


def _here(path: Path) -> Fetched:
    return Fetched(name=NAME, path=path, bytes=path.stat().st_size)


def _members(
    archive: str,
    months: tuple[str, ...],
    forces: Sequence[str],
    folder: Path,
    progress: Progress,
    client: Client,
    again: bool,
) -> tuple[list[Fetched], list[str]]:
    """Get the street files of some forces, reading only those parts of the remote zip."""
    wanted = {(m, f): folder / NAME / m / f"{m}-{f}-street.csv" for m in months for f in forces}
    missing = {k: p for k, p in wanted.items() if again or not p.is_file()}
    files = [_here(path) for key, path in wanted.items() if key not in missing]
    if not missing:
        return files, []
    ask = ask_for(archive)
    try:
        with zipfile.ZipFile(io.BufferedReader(RemoteFile(client, ask), _BUFFER)) as remote:
            held = {(m[1], m[3]): i for i in remote.infolist() if (m := _MEMBER.fullmatch(i.filename))}
            for n, (key, path) in enumerate(missing.items(), 1):
                progress(f"{NAME} {archive}", n, len(missing))
                if key in held:
                    files.append(_member(remote, held[key], folder / PARTS, path, ask))
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise DataError(f"the zip cannot be read: {error}.", f"{NAME}, {ask.address}", "Try later.") from None
    return files, [f"{force} {month}" for month, force in missing if (month, force) not in held]


def _member(remote: zipfile.ZipFile, info: zipfile.ZipInfo, parts: Path, target: Path, ask: Ask) -> Fetched:
    if info.file_size > _LARGEST_MEMBER:
        what = f"'{info.filename}' unpacks to {info.file_size:,} bytes: no such file is known."
        raise DataError(what, f"{NAME}, {ask.address}", "None of it was used.")
    part = parts / NAME / target.name
    part.parent.mkdir(parents=True, exist_ok=True)
    with remote.open(info) as packed, part.open("wb") as out:
        while block := packed.read(_BUFFER):
            out.write(block)
    return put(NAME, f"{ask.address}#{info.filename}", part, target)


class RemoteFile(io.RawIOBase):
    """A remote file that is read by parts, as a zip reader asks for them."""

    def __init__(self, client: Client, ask: Ask) -> None:
        self._client, self._ask, self._at, self._edition = client, ask, 0, ""
        self._length = client.length(ask)
        if not self._length:
            raise DataError(f"{ask.address} does not say how long it is.", ask.name, "Get it whole.")

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def seekable(self) -> bool:
        """Return that it can be read from any place."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, without a request."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at

    # `io` gives a memoryview, whatever the base class is said to take
    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Ask for the bytes from here on."""
        n = min(len(buffer), self._length - self._at)
        if n <= 0:
            return 0
        ask, first = self._ask, self._at

        def part(answer: Answer) -> tuple[bytes, str]:
            if answer.status != PARTIAL:
                raise DataError(ask.moved("it does not send parts of a file"))
            content = answer.read(n, decode_content=False)
            if ask.range(answer)[0] != first or len(content) != n:
                raise DataError(ask.moved("it sent another part than the one asked for"))
            return content, answer.headers.get("ETag", "")

        content, edition = self._client.read(ask, {"Range": f"bytes={first}-{first + n - 1}"}, part)
        if self._edition and edition != self._edition:
            raise DataError(f"{ask.address} changed while it was read.", ask.name, "Run the command again.")
        self._edition = edition
        buffer[:n] = content
        self._at += n
        return n
