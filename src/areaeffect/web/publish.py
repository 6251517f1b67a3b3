"""`areaeffect publish`: finished runs as a static site for any web server or shared folder."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from areaeffect.errors import DataError, Problem, StudyError
from areaeffect.web.published import Holdings, Shelf
from areaeffect.web.site_pages import site_files, site_pages

if TYPE_CHECKING:
    from pathlib import Path

    from areaeffect.web.site_pages import Frame

MANIFEST: Final = "areaeffect-site.json"
_MADE_BY: Final = "areaeffect publish"
_NEW: Final = "Name a new or empty folder, or move what is yours out of this one."


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication wrote.

    Parameters
    ----------
    runs : titles, in the order of the list.
    faults : why a run is left out, by the name of its folder.
    """

    runs: tuple[str, ...]
    faults: dict[str, str]


def publish(runs: Path, out: Path, frame: Frame) -> Published:
    """Write a site of all runs in a folder; it appears whole or not at all.

    An earlier site is replaced only where every file in it is as this command wrote it. A run
    that is damaged is left out and named in the answer.

    Raises
    ------
    StudyError
        `out` is taken by something else; `runs` is no folder.
    DataError
        There is no run that can be published.
    """
    from areaeffect.document.folders import write_whole  # noqa: PLC0415  # heavy

    if not runs.is_dir():
        raise StudyError(Problem(f"there is no folder '{runs}'.", "RUNS", "Name one that exists."))
    refuse_stranger(out)
    holdings = Shelf(runs).holdings()
    holdings, pages = _made(holdings, frame)
    if not holdings.top:
        problems = [Problem(why, name) for name, why in holdings.faults.items()]
        fix = "Name the folder that holds the folders which `areaeffect evaluate` wrote."
        raise DataError(problems or Problem("there is no run in this folder.", str(runs), fix))
    files = site_files(holdings)
    write_whole(out, lambda folder: _write(folder, pages, files), MANIFEST)
    return Published(tuple(run.title for run in holdings.top), dict(holdings.faults))


def refuse_stranger(out: Path) -> None:
    """Refuse to replace anything but a site that this command wrote and nobody has changed.

    Raises
    ------
    StudyError
        Naming the first file that is not ours.
    """
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise StudyError(Problem("this is not a folder.", str(out), _NEW))
    there = sorted(p for p in out.rglob("*") if p.is_symlink() or not p.is_dir())
    if not there:
        return
    written = _written(out / MANIFEST)
    for path in there:
        name = path.relative_to(out).as_posix()
        ours = name == MANIFEST and written is not None
        if not ours and (path.is_symlink() or (written or {}).get(name) != _sha256(path)):
            what = "this file was not written by `areaeffect publish`, or was changed since. "
            raise StudyError(Problem(f"{what}Nothing was replaced.", str(path), _NEW))


def _written(path: Path) -> dict[str, str] | None:
    """Return the hash of each file by its name; None where this is no list of ours."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["made_by"] != _MADE_BY:
            return None
        return {str(name): str(sha256) for name, sha256 in told["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _made(holdings: Holdings, frame: Frame) -> tuple[Holdings, dict[str, bytes]]:
    """Make every page before anything is written; a run whose page fails is left out and named."""
    while True:
        pages: dict[str, bytes] = {}
        faults = dict(holdings.faults)
        for path, make in site_pages(holdings, frame).items():
            own = next((p for p in _parents(path) if p in holdings.runs), None)
            try:
                pages[path] = make()
            except Exception as error:  # a stranger's run may hold anything
                if own is None:
                    raise
                faults[own] = f"its pages cannot be made ({type(error).__name__})."
        if faults.keys() == holdings.faults.keys():
            return holdings, pages
        whole = {path: run for path, run in holdings.runs.items() if path not in faults}
        holdings = Holdings(whole, faults)


def _parents(path: str) -> list[str]:
    """Return the folders of a path, the nearest first."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:n]) for n in range(len(parts), 0, -1)]


def _write(folder: Path, pages: dict[str, bytes], files: dict[str, Path]) -> None:
    written = {}
    for name in sorted({*pages, *files}):
        content = pages[name] if name in pages else files[name].read_bytes()
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        written[name] = hashlib.sha256(content).hexdigest()
    told = {"made_by": _MADE_BY, "files": written}
    (folder / MANIFEST).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
