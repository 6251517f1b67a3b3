"""A folder of results: whole or not at all, and never in the place of somebody else's files.

Every folder lists its files with their hashes in `manifest.json`. It is replaced only where each
file it holds is listed there and unchanged.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from areaeffect.disk import lock, locked, sha256_of, sync
from areaeffect.document.chart_tables import json_text, write_text
from areaeffect.errors import StudyError, plain_reason, shortened
from areaeffect.records import Json

RUN_FILE = "run.json"
MANIFEST = "manifest.json"
_FORMAT = "areaeffect_results"
#: Bytes that must be free before long work begins; a small study's results take 1 MB.
_NEEDED = 8 * 2**20
_ASIDE, _NEW, _OLD = re.compile(r"[a-z0-9_]{8}"), "new", "old"


def prepare(folder: Path, tell: Callable[[str, int, int], None]) -> None:
    """Try the place of a results folder before the long work; say that results in it go.

    What killed runs left beside it is cleaned away.

    Raises
    ------
    StudyError
        Where the place is taken by something else, cannot be written, or its disk is full.
    """
    with _aside(folder) as aside:
        refuse_foreign(folder)
        with (aside / _NEW).open("wb") as file:
            file.write(bytes(_NEEDED))
    if folder.is_dir() and any(folder.iterdir()):
        tell(f"{folder} holds earlier results: they are replaced once the new ones are whole", 0, 0)


def write_whole(folder: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a folder aside, then put it in place at once.

    Earlier results or an empty folder are replaced; if anything fails, everything stays as it was.

    Raises
    ------
    StudyError
        Where the place is taken by something else, or cannot be written.
    """
    with _aside(folder) as aside:
        refuse_foreign(folder)
        made = aside / _NEW
        made.mkdir()
        write(made)
        seal_folder(made)
        _swap(folder, aside, refuse_foreign)


def write_again(folder: Path, write: Callable[[Path], None], is_old: Callable[[str], bool]) -> None:
    """Write some files of a results folder again; the folder is the earlier or the new one, whole.

    Parameters
    ----------
    folder : results; what else lies in it stays there.
    write : fills a folder with the new files.
    is_old : whether a path of the manifest is a file that `write` makes anew, or no longer makes.

    Raises
    ------
    StudyError
        Where a new file would replace one that this program did not write, or the place cannot be
        written.
    """
    with _aside(folder) as aside:
        made = aside / _NEW
        shutil.copytree(folder, made, symlinks=True)
        listed = _listed(made)
        for path in filter(is_old, listed):
            (made / path).unlink(missing_ok=True)
        theirs = {p: sha256_of(made / p) for p in _files(made) if p not in listed}
        write(made)
        for path, sha in theirs.items():
            if sha256_of(made / path) != sha:
                raise _refused(folder, f"'{path}', which this program did not write")
        now = {p: sha256_of(made / p) for p in _files(made) if p not in theirs}
        kept = {p: sha for p, sha in listed.items() if p in now and not is_old(p)}
        _write_manifest(made, now | kept, _parts(made))
        there = {*_files(made), *listed}

        def refuse_new(old: Path) -> None:
            for path in set(_files(old)) - there:
                raise _refused(folder, f"'{path}', which appeared just now")

        _swap(folder, aside, refuse_new)


def refuse_foreign(folder: Path, shown: Path | None = None) -> None:
    """Refuse a folder that holds anything but earlier results, unchanged.

    Parameters
    ----------
    folder : looked at.
    shown : named in the message, where the folder has been moved aside.
    """
    shown = shown or folder
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise StudyError("this is not a folder.", str(shown), "Name a new folder for the results.")
    if folder.is_dir():
        for path in _not_ours(folder):
            raise _refused(shown, path)


def seal_folder(folder: Path) -> None:
    """List every file of a folder with its hash; a folder in it that has its own list keeps it."""
    files = {path: sha256_of(folder / path) for path in _files(folder)}
    _write_manifest(folder, files, _parts(folder))


def add_listed(folder: Path, path: str, text: str) -> None:
    """Write one more file of a results folder, listed before it is there, and whole if it is."""
    listed = _listed(folder) | {path: hashlib.sha256(text.encode("utf-8")).hexdigest()}
    with _aside(folder) as aside:
        _write_manifest(aside, listed, _parts(folder))
        write_text(aside / _NEW, text)
        _to_disk(aside)
        (aside / MANIFEST).replace(folder / MANIFEST)
        sync(folder)
        (aside / _NEW).replace(folder / path)


def _swap(folder: Path, aside: Path, refuse: Callable[[Path], None]) -> None:
    """Put the new folder in place of the old one, which `refuse` looks at once more."""
    _to_disk(aside / _NEW)
    if folder.exists():
        folder.rename(aside / _OLD)
    try:
        if (aside / _OLD).exists():
            refuse(aside / _OLD)
        (aside / _NEW).rename(folder)
    except BaseException:  # Ctrl-C too: the folder that was there comes back
        if (aside / _OLD).exists():
            (aside / _OLD).rename(folder)
        raise


@contextmanager
def _aside(folder: Path) -> Iterator[Path]:
    """Open a folder beside another, cleaned away afterwards; explain what the disk refuses."""
    try:
        folder = folder.absolute()
        folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(folder.parent):
            _clean(folder)
            aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
            try:
                held = lock(aside, wait=False)
            except OSError:
                aside.rmdir()
                raise
        try:
            yield aside
        finally:
            shutil.rmtree(aside, ignore_errors=True)
            if held is not None:
                os.close(held)
    except OSError as error:
        if not _is_about(error, folder):
            raise
        raise StudyError(
            f"the results cannot be written: {plain_reason(error)}.",
            shortened(str(folder)),
            "What was there before is unchanged. Make room or name another folder.",
        ) from error


def _is_about(error: OSError, folder: Path) -> bool:
    """Tell whether a fault of the disk is about a results folder, not about some input."""
    if not isinstance(error.filename, (str, bytes)):
        return True  # a full disk names no file
    named = Path(os.fsdecode(error.filename)).absolute()
    ours = f"{folder.parent / f'.{folder.name}.'}"
    return str(named).startswith(ours) or named in (folder, *folder.parents) or folder in named.parents


def _clean(folder: Path) -> None:
    """Remove what killed runs left; put back earlier results that one had just moved aside."""
    start = f".{folder.name}."
    for left in sorted(folder.parent.iterdir()):
        if not left.name.startswith(start) or not _ASIDE.fullmatch(left.name[len(start) :]):
            continue
        if left.is_symlink() or not left.is_dir():
            continue
        if {p.name for p in left.iterdir()} - {_NEW, _OLD, MANIFEST}:
            continue
        held = lock(left, wait=False)
        if held is None:  # its run is alive
            continue
        if (left / _OLD).is_dir():
            if not folder.exists():
                (left / _OLD).rename(folder)
            elif any(_not_ours(left / _OLD)):
                os.close(held)
                continue
        shutil.rmtree(left, ignore_errors=True)
        os.close(held)


def _files(folder: Path) -> Iterator[str]:
    """Return the files of a folder, but its manifest and folders that have one of their own."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            if not (path / MANIFEST).is_file():
                yield from (f"{path.name}/{inner}" for inner in _files(path))
        elif path.name != MANIFEST:
            yield path.name


def _not_ours(folder: Path) -> Iterator[str]:
    """Say which files of a folder this program did not write, or somebody changed since."""
    listed = _listed(folder)
    for path in _files(folder):
        if path not in listed or not (folder / path).is_file() or (folder / path).is_symlink():
            yield f"'{path}', which this program did not write"
        elif sha256_of(folder / path) != listed[path]:
            yield f"'{path}', which was changed since this program wrote it"
    if (folder / MANIFEST).exists() and not listed:
        yield f"'{MANIFEST}', which this program did not write"
    known = _content(folder).get("parts", [])
    for manifest in sorted(folder.rglob(MANIFEST)):
        part = manifest.parent.relative_to(folder).as_posix()
        if part == ".":
            continue
        if part not in known:
            yield f"'{part}', which this program did not write there"
        yield from (f"in '{part}' {inner}" for inner in _not_ours(manifest.parent))


def changed_files(folder: Path) -> list[str]:
    """Return the files of a results folder that are no longer as this program wrote them."""
    there = ((path, sha) for path, sha in _listed(folder).items() if (folder / path).is_file())
    return [path for path, sha in there if sha256_of(folder / path) != sha]


def _parts(folder: Path) -> list[str]:
    """Return the folders in a folder that have a manifest of their own."""
    found = sorted(p.parent.relative_to(folder).as_posix() for p in folder.rglob(MANIFEST))
    return [part for part in found if part != "."]


def _listed(folder: Path) -> dict[str, str]:
    """Return the hash of each file that a folder's manifest lists."""
    return {str(path): str(sha) for path, sha in _content(folder).get("files", {}).items()}


def _content(folder: Path) -> Json:
    """Return what a folder's manifest says; nothing where it is not one of ours."""
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    is_ours = isinstance(content, dict) and content.get(_FORMAT) == 1
    return content if is_ours and isinstance(content.get("files"), dict) else {}


def _write_manifest(folder: Path, files: Mapping[str, str], parts: Sequence[str]) -> None:
    content = {_FORMAT: 1, "files": dict(sorted(files.items())), "parts": list(parts)}
    write_text(folder / MANIFEST, json_text(content, indent=1))


def _to_disk(folder: Path) -> None:
    """Wait until every file has reached the disk, so that no power cut leaves an empty one."""
    for path in (folder, *(p for p in folder.rglob("*") if not p.is_symlink())):
        sync(path)


def _refused(folder: Path, what: str) -> StudyError:
    return StudyError(
        f"the folder holds {what}; nothing was changed.",
        str(folder),
        "Name a new or empty folder, or one of earlier results as they were written.",
    )
