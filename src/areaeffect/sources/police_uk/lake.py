"""The store: a folder of Parquet files and a manifest, changed whole or not at all.

A writer puts new files aside in `.staging`, writes what is to be moved into `.journal.json`
with one rename (the commit point), then moves them. Killed before that point, the store is as
it was; killed after it, whoever opens the store next finishes the moves.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from areaeffect.errors import DataError, Problem, StudyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FORMAT = 1
STORE_VARIABLE = "AREAEFFECT_STORE"
MANIFEST = "manifest.jsonl"
_FORMAT_FILE = "format.json"
_JOURNAL = ".journal.json"
_STAGING = ".staging"
_LOCK = ".lock"
#: What the web app keeps in the store: atlases, and what its users made.
_OF_THE_WEB = {"atlases", "web"}
_OURS = {_FORMAT_FILE, _JOURNAL, _STAGING, _LOCK, MANIFEST, "police_uk", *_OF_THE_WEB}

ManifestRow = dict[str, Any]


def store_path(given: Path | None) -> Path:
    """Return the store's folder: the one given, else `AREAEFFECT_STORE`, else the user's own."""
    if given is not None:
        return given
    if named := os.environ.get(STORE_VARIABLE):
        return Path(named)
    data = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(data) / "areaeffect" / "store"


class Lake:
    """A store that is open for reading.

    Parameters
    ----------
    root : its folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._manifest: list[ManifestRow] | None = None

    def path(self, name: str) -> Path:
        """Return where a file of the store lies."""
        return self.root / name

    def names(self, folder: str) -> list[str]:
        """Return the names of all Parquet files under a folder of the store, sorted."""
        found = self.path(folder).rglob("*.parquet")
        return sorted(p.relative_to(self.root).as_posix() for p in found)

    def manifest(self) -> list[ManifestRow]:
        """Return every file that was ever read, as the manifest lists it.

        Raises
        ------
        DataError
            It is damaged.
        """
        if self._manifest is None:
            path = self.path(MANIFEST)
            text = path.read_text(encoding="utf-8") if path.is_file() else ""
            try:
                self._manifest = json.loads("[" + ",\n".join(text.rstrip("\n").split("\n")) + "]")
            except json.JSONDecodeError as error:
                raise DataError(
                    Problem(
                        f"the manifest is damaged: {error.msg}.",
                        f"{path}, line {error.lineno}",
                        "Remove the store with `areaeffect store remove`, then ingest again.",
                    )
                ) from None
        return self._manifest


class Transaction(Lake):
    """A store that is open for writing; nothing shows until `commit`."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._staging = root / _STAGING
        self._put: set[str] = set()
        self._remove: set[str] = set()

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
        if name in self._remove:
            return None
        path = self.staged(name) if name in self._put else self.path(name)
        return path if path.is_file() else None

    def remove(self, name: str) -> None:
        """Take a file out of the store."""
        self._put.discard(name)
        self.staged(name).unlink(missing_ok=True)
        if self.path(name).is_file():
            self._remove.add(name)

    def write_manifest(self, rows: Iterable[ManifestRow]) -> None:
        """Write the manifest: a line a file, in the order given."""
        text = "".join(json.dumps(r, ensure_ascii=False, sort_keys=True) + "\n" for r in rows)
        self.new_file(MANIFEST).write_text(text, encoding="utf-8")

    def commit(self) -> None:
        """Make every change at once."""
        folders = {self.path(name).parent for name in self._put}
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)  # while there still is a way back
        for name in self._put:
            _sync(self.staged(name))
        _sync(self._staging)
        journal = {"put": sorted(self._put), "remove": sorted(self._remove)}
        _write_whole(self.root / _JOURNAL, json.dumps(journal))
        _finish(self.root)

    def staged(self, name: str) -> Path:
        """Return where a new file, or a folder of new files, lies until `commit`."""
        return self._staging / "files" / name


def has_store(root: Path) -> bool:
    """Tell whether a folder is a store, of whatever format."""
    return (root / _FORMAT_FILE).is_file()


def open_lake(root: Path) -> Lake:
    """Open a store for reading; finish a commit that was cut short.

    Raises
    ------
    DataError
        There is no store, or it is of another format.
    """
    if not (root / _FORMAT_FILE).is_file():
        raise DataError(
            Problem("there is no store here.", str(root), "Make one with `areaeffect ingest`.")
        )
    _check_format(root)
    if (root / _JOURNAL).is_file():
        with _locked(root):
            _finish(root)
    return Lake(root)


@contextmanager
def writing(root: Path) -> Iterator[Transaction]:
    """Open a store for writing, making it where there is none; one writer at a time.

    Raises
    ------
    StudyError
        The folder holds something else.
    DataError
        Another writer is at work, or the store is of another format.
    """
    _make(root)
    with _locked(root):
        _finish(root)
        _clean(root)
        try:
            yield Transaction(root)
        finally:
            if not (root / _JOURNAL).is_file():
                _clean(root)


def remove_store(root: Path) -> bool:
    """Delete a store and nothing else; return whether there was one.

    Raises
    ------
    StudyError
        The folder is not a store, or holds files that are not the store's.
    """
    if not root.exists():
        return False
    _check_is_store(root)
    if not (root / _FORMAT_FILE).is_file():
        return False
    foreign = sorted(p.name for p in root.iterdir() if p.name not in _OURS)
    if foreign:
        raise StudyError(
            Problem(
                f"the folder holds something else: {', '.join(foreign[:5])}.",
                str(root),
                "Move it away first; only a store is removed.",
            )
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
        _write_whole(root / _FORMAT_FILE, json.dumps({"areaeffect_store": FORMAT}) + "\n")
    _check_format(root)


def _check_is_store(root: Path) -> None:
    if not root.is_dir():
        raise StudyError(Problem("this is a file, not a store.", str(root), "Name a folder."))
    inside = [p.name for p in root.iterdir()]
    is_new = all(name.startswith(".") or name in _OF_THE_WEB for name in inside)
    if not is_new and _FORMAT_FILE not in inside:
        raise StudyError(
            Problem("the folder is not a store.", str(root), "Name an empty or a new folder.")
        )


def _check_format(root: Path) -> None:
    path = root / _FORMAT_FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8")).get("areaeffect_store")
    except (ValueError, AttributeError, OSError):
        found = None
    if found != FORMAT:
        what = f"of format {found}" if isinstance(found, int) else "of no format that is known"
        raise DataError(
            Problem(
                f"the store is {what}; this version reads format {FORMAT}.",
                str(path),
                "Use the version that wrote it, or ingest into a new store.",
            )
        )


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    with (root / _LOCK).open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataError(
                Problem(
                    "another program is writing to this store.",
                    str(root),
                    "Wait until it has ended, then try again.",
                )
            ) from None
        yield


def _finish(root: Path) -> None:
    """Make the moves of the journal, as often as it takes; each is harmless when repeated."""
    path = root / _JOURNAL
    if not path.is_file():
        return
    journal = json.loads(path.read_text(encoding="utf-8"))
    folders = set()
    for name in journal["put"]:
        staged, final = root / _STAGING / "files" / name, root / name
        if staged.is_file():
            final.parent.mkdir(parents=True, exist_ok=True)
            staged.replace(final)
            folders.add(final.parent)
    for name in journal["remove"]:
        (root / name).unlink(missing_ok=True)
        folders.add((root / name).parent)
    for folder in folders:
        if folder.is_dir():
            _sync(folder)
    path.unlink()
    _sync(root)


def _clean(root: Path) -> None:
    shutil.rmtree(root / _STAGING, ignore_errors=True)
    for leftover in root.glob(".*.aside"):
        leftover.unlink(missing_ok=True)


def _write_whole(path: Path, text: str) -> None:
    aside = path.with_name(f".{path.name.lstrip('.')}.aside")
    aside.write_text(text, encoding="utf-8")
    _sync(aside)
    aside.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
