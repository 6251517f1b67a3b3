"""The store: a folder of Parquet files and a manifest, changed whole or not at all.

The manifest lists every file that was read and every file that is stored, with rows, bytes and
SHA-256; `format.json` holds the manifest's own. A reader takes a stored file only where all of
them agree, so damage is refused and never read as numbers.

A writer puts new files aside in `.staging`, writes what is to be moved into `.journal.json`
with one rename (the commit point), then moves them. Killed before that point, the store is as
it was; killed after it, whoever opens the store next finishes the moves.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from areaeffect.disk import ASIDE, locked, sha256_of, sync, sync_all, write_file
from areaeffect.errors import DataError, Problem, StudyError

FORMAT = 2
MANIFEST = "manifest.jsonl"
_FORMAT_FILE = "format.json"
_JOURNAL = ".journal.json"
_STAGING = ".staging"
_LOCK = ".lock"
#: What the web app keeps in the store: atlases, and what its users made.
_OF_THE_WEB = {"atlases", "web"}
#: What a journal may put or remove.
_OF_THE_STORE = {_FORMAT_FILE, MANIFEST, "police_uk"}
_OURS = {_JOURNAL, _STAGING, _LOCK, *_OF_THE_STORE, *_OF_THE_WEB}

ManifestRow = dict[str, Any]


class Lake:
    """A store that is open for reading."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._manifest: list[ManifestRow] | None = None
        self._stored: dict[str, StoredFile] | None = None

    def path(self, name: str) -> Path:
        """Return where a file of the store lies."""
        return self.root / name

    def names(self, folder: str) -> list[str]:
        """Return the names of all stored files under a folder of the store, sorted."""
        return sorted(name for name in self.stored() if name.startswith(f"{folder}/"))

    def manifest(self) -> list[ManifestRow]:
        """Return every file that was ever read, as the manifest lists it."""
        return [row for row in self._rows() if "stored" not in row]

    def stored(self) -> dict[str, StoredFile]:
        """Return every stored file by name, as the manifest lists it."""
        if self._stored is None:
            self._stored = {
                row["stored"]: StoredFile(row["bytes"], row["rows"], row["sha256"])
                for row in self._rows()
                if "stored" in row
            }
        return self._stored

    def verified(self, name: str) -> Path:
        """Return where a stored file lies, after making sure that it is whole."""
        listed, path = self.stored()[name], self.path(name)
        if not path.is_file():
            raise DataError("a file of the store is gone.", str(path), AGAIN)
        if path.stat().st_size != listed.bytes or sha256_of(path) != listed.sha256:
            what = "a file of the store is damaged: it is not what the manifest lists."
            raise DataError(what, str(path), AGAIN)
        return path

    def _rows(self) -> list[ManifestRow]:
        if self._manifest is None:
            path = self.path(MANIFEST)
            data = path.read_bytes() if path.is_file() else b""
            if hashlib.sha256(data).hexdigest() != _read_format(self.root)["manifest_sha256"]:
                what = "the manifest is damaged" if data else "the manifest is gone"
                raise DataError(f"{what}: its checksum is not that of the store.", str(path), AGAIN)
            self._manifest = [json.loads(line) for line in data.decode().splitlines()]
        return self._manifest


class Transaction(Lake):
    """A store that is open for writing; nothing shows until `commit`."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._staging = root / _STAGING
        self._put: set[str] = set()
        self._remove: set[str] = set()
        self._read: list[ManifestRow] = []

    @property
    def scratch(self) -> Path:
        """A folder for what need not last, on the store's own file system."""
        folder = self._staging / "scratch"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def new_file(self, name: str) -> Path:
        """Return where to write a new or changed file; the old one stays until `commit`."""
        path = self.staged(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._put.add(name)
        self._remove.discard(name)
        return path

    def current(self, name: str) -> Path | None:
        """Return the file as this transaction would leave it; None where there is none."""
        if name in self._put:
            return self.staged(name)
        return self.verified(name) if name in self.stored() and name not in self._remove else None

    def remove(self, name: str) -> None:
        """Take a file out of the store."""
        self._put.discard(name)
        self.staged(name).unlink(missing_ok=True)
        if name in self.stored():
            self._remove.add(name)

    def write_manifest(self, rows: Iterable[ManifestRow]) -> None:
        """Set what the manifest says of the files that were read, in the order given."""
        self._read = list(rows)

    def _complete_manifest(self) -> None:
        """Write the manifest, with every stored file as it will be, and its checksum."""
        names = sorted(self._put)
        fresh = dict(zip(names, measured([self.staged(n) for n in names]), strict=True))
        kept = {n: f for n, f in self.stored().items() if n not in self._remove}
        stored = [
            {"stored": name, "bytes": f.bytes, "rows": f.rows, "sha256": f.sha256}
            for name, f in sorted({**kept, **fresh}.items())
        ]
        lines = [json.dumps(r, ensure_ascii=False, sort_keys=True) for r in [*self._read, *stored]]
        data = "".join(line + "\n" for line in lines).encode()
        self.new_file(MANIFEST).write_bytes(data)
        self.new_file(_FORMAT_FILE).write_text(_format_text(data), encoding="utf-8")

    def commit(self) -> None:
        """Make every change at once."""
        self._complete_manifest()
        folders = {self.path(name).parent for name in self._put}
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)  # while there still is a way back
        sync_all([*map(self.staged, sorted(self._put)), self._staging])
        journal = {"put": sorted(self._put), "remove": sorted(self._remove)}
        write_file(self.root / _JOURNAL, json.dumps(journal))
        _finish(self.root)

    def staged(self, name: str) -> Path:
        """Return where a new file, or a folder of new files, lies until `commit`."""
        return self._staging / "files" / name


def has_store(root: Path) -> bool:
    """Tell whether a folder is a store, of whatever format."""
    return (root / _FORMAT_FILE).is_file()


def is_unfinished(root: Path) -> bool:
    """Tell whether a change was decided and is not in place yet."""
    return (root / _JOURNAL).is_file()


def open_lake(root: Path) -> Lake:
    """Open a store for reading; finish a commit that was cut short."""
    if not (root / _FORMAT_FILE).is_file():
        raise DataError("there is no store here.", str(root), "Make one with `areaeffect ingest`.")
    _read_format(root)
    if is_unfinished(root):
        with _locked(root):
            _finish(root)
    return Lake(root)


@contextmanager
def writing(root: Path) -> Iterator[Transaction]:
    """Open a store for writing, making it where there is none; one writer at a time."""
    _make(root)
    with _locked(root):
        _finish(root)
        _clean(root)
        try:
            yield Transaction(root)
        finally:
            if not is_unfinished(root):
                _clean(root)


def remove_store(root: Path) -> bool:
    """Delete a store and nothing else; return whether there was one."""
    if not root.exists():
        return False
    _check_is_store(root)
    if not (root / _FORMAT_FILE).is_file():
        return False
    foreign = sorted(p.name for p in root.iterdir() if p.name not in _OURS)
    if foreign:
        raise StudyError(
            f"the folder holds something else: {', '.join(foreign[:5])}.",
            str(root),
            "Move it away first; only a store is removed.",
        )
    with _locked(root):
        shutil.rmtree(root)
    return True


def _make(root: Path) -> None:
    if root.exists():
        _check_is_store(root)
    else:
        root.mkdir(parents=True, exist_ok=True)
    if not (root / _FORMAT_FILE).is_file():
        write_file(root / _FORMAT_FILE, _format_text(b""))
    _read_format(root)


def _check_is_store(root: Path) -> None:
    if not root.is_dir():
        raise StudyError("this is a file, not a store.", str(root), "Name a folder.")
    inside = [p.name for p in root.iterdir()]
    is_new = all(name.startswith(".") or name in _OF_THE_WEB for name in inside)
    if not is_new and _FORMAT_FILE not in inside:
        raise StudyError("the folder is not a store.", str(root), "Name an empty or a new folder.")


def _format_text(manifest: bytes) -> str:
    identity = {"areaeffect_store": FORMAT, "manifest_sha256": hashlib.sha256(manifest).hexdigest()}
    return json.dumps(identity) + "\n"


def _read_format(root: Path) -> dict[str, str]:
    """Return what `format.json` says; refuse other formats."""
    path = root / _FORMAT_FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        number = found.get("areaeffect_store")
    except (ValueError, AttributeError, OSError):
        found, number = {}, None
    if number != FORMAT or "manifest_sha256" not in found:
        what = f"of format {number}" if isinstance(number, int) else "of an unknown format"
        raise DataError(
            f"the store is {what}; this version reads format {FORMAT}.",
            str(path),
            "Use the version that wrote it, or ingest into a new store.",
        )
    return dict(found)


def _locked(root: Path) -> AbstractContextManager[None]:
    what = "another program is writing to this store."
    busy = DataError(what, str(root), "Wait until it has ended, then try again.")
    path = root / _LOCK
    path.touch()
    return locked(path, busy)


def _finish(root: Path) -> None:
    """Make the moves of the journal, as often as it takes; each is harmless when repeated."""
    path = root / _JOURNAL
    if not path.is_file():
        return
    put, remove = _read_journal(path)
    folders = set()
    for name in put:
        staged, final = root / _STAGING / "files" / name, root / name
        if staged.is_file():
            final.parent.mkdir(parents=True, exist_ok=True)
            staged.replace(final)
            folders.add(final.parent)
    for name in remove:
        (root / name).unlink(missing_ok=True)
        folders.add((root / name).parent)
    sync_all(sorted(f for f in folders if f.is_dir()))
    path.unlink()
    sync(root)


def _read_journal(path: Path) -> tuple[list[str], list[str]]:
    """Return what a journal puts and removes; refuse one that reaches outside the store."""
    try:
        journal = json.loads(path.read_text(encoding="utf-8"))
        put, remove = (list(map(str, journal[key])) for key in ("put", "remove"))
    except (ValueError, KeyError, TypeError):
        what = "the journal of an interrupted change is damaged."
        raise DataError(what, str(path), AGAIN) from None
    for name in (*put, *remove):
        parts = PurePosixPath(name).parts
        if ".." in parts or not parts or parts[0] not in _OF_THE_STORE:
            what = f"the journal names '{name}', which is not a file of the store."
            raise DataError(what, str(path), "Nothing was changed. Do not trust it.")
    return put, remove


def _clean(root: Path) -> None:
    shutil.rmtree(root / _STAGING, ignore_errors=True)
    for leftover in root.glob(ASIDE):
        leftover.unlink(missing_ok=True)


#: What to do about a damaged store.
AGAIN = "Remove the store with `areaeffect store remove`, then ingest again."
_ROWS = "SELECT file_name, num_rows FROM parquet_file_metadata($files)"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A Parquet file of the store, as the manifest lists it."""

    #: bytes, rows, sha256: its size, its rows, and the SHA-256 of its bytes
    bytes: int
    rows: int
    sha256: str


def measured(paths: Sequence[Path]) -> list[StoredFile]:
    """Measure Parquet files."""
    import duckdb

    if not paths:
        return []
    with ThreadPoolExecutor(2) as pool:
        digests = pool.map(sha256_of, paths)
        with duckdb.connect() as engine:  # not Arrow, which takes long to import
            rows = dict(engine.execute(_ROWS, {"files": [str(p) for p in paths]}).fetchall())
    return [StoredFile(p.stat().st_size, rows[str(p)], d) for p, d in zip(paths, digests, strict=True)]


@dataclass(frozen=True, slots=True)
class StoreCheck:
    """What a whole look at a store found."""

    #: files, rows: listed in the manifest, and what they hold
    files: int
    rows: int
    unlisted: tuple[str, ...]  # Parquet files in its folder that are not of the store, and are never read

    def text(self) -> str:
        """Return the check as lines to read."""
        lines = [f"{self.files:,} files with {self.rows:,} rows: every one as the manifest lists it."]
        return "\n".join([*lines, *(f"{name}: not of the store, not read." for name in self.unlisted)])


def check_store(lake: Lake) -> StoreCheck:
    """Look at every stored file; refuse with every one that is gone or damaged."""
    problems: list[Problem] = []
    whole: dict[str, Path] = {}
    for name in lake.stored():
        try:
            whole[name] = lake.verified(name)
        except DataError as error:
            problems += error.problems
    for name, found in zip(whole, measured(list(whole.values())), strict=True):
        listed = lake.stored()[name]
        if found != listed:
            what = f"the file holds {found.rows} rows, the manifest says {listed.rows}."
            problems.append(Problem(what, str(lake.path(name)), AGAIN))
    if problems:
        raise DataError(problems)
    found_here = lake.path("police_uk").rglob("*.parquet")
    names = {p.relative_to(lake.root).as_posix() for p in found_here}
    return StoreCheck(
        len(lake.stored()),
        sum(f.rows for f in lake.stored().values()),
        tuple(sorted(names - set(lake.stored()))),
    )
