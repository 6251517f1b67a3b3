"""`areaeffect publish`: finished runs as a static site for any web server or shared folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from areaeffect.document.folders import refuse_foreign, write_whole
from areaeffect.errors import DataError, Problem, StudyError
from areaeffect.web.published import PublishedRuns, RunsFolder, folders_of
from areaeffect.web.site_pages import FEED, Frame, site_files, site_pages


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication wrote."""

    runs: tuple[str, ...]  # titles, in the order of the list
    faults: dict[str, str]  # why a run is left out, by the name of its folder
    others: tuple[str, ...]  # names of folders that hold no run


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
    if not runs.is_dir():
        raise StudyError(f"there is no folder '{runs}'.", "RUNS", "Name one that exists.")
    _refuse_other(out)
    holdings = RunsFolder(runs).holdings()
    holdings, pages = _built_pages(holdings, frame)
    if not holdings.top:
        problems = [Problem(why, name) for name, why in holdings.faults.items()]
        fix = "Name the folder that holds the folders which `areaeffect evaluate` wrote."
        raise DataError(problems or Problem("there is no run in this folder.", str(runs), fix))
    files = site_files(holdings)
    write_whole(out, lambda folder: _write(folder, pages, files))
    titles = tuple(run.title for run in holdings.top)
    known = {path for path, _ in folders_of(runs)}
    there = (p.name for p in sorted(runs.iterdir()) if p.is_dir())
    return Published(titles, dict(holdings.faults), tuple(n for n in there if n not in known))


def _refuse_other(out: Path) -> None:
    """Refuse a folder that is not a site as this command wrote it.

    Raises
    ------
    StudyError
        Naming a file that is not ours, or what the folder is.
    """
    refuse_foreign(out)
    if out.is_dir() and any(out.iterdir()) and not (out / FEED).is_file():
        what = "the folder holds results and no site; nothing was changed."
        raise StudyError(what, str(out), "Name a new or empty folder, or an earlier site.")


def _built_pages(holdings: PublishedRuns, frame: Frame) -> tuple[PublishedRuns, dict[str, bytes]]:
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
        holdings = PublishedRuns(whole, faults)


def _parents(path: str) -> list[str]:
    """Return the folders of a path, the nearest first."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:n]) for n in range(len(parts), 0, -1)]


def _write(folder: Path, pages: dict[str, bytes], files: dict[str, Path]) -> None:
    for name in sorted({*pages, *files}):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pages[name] if name in pages else files[name].read_bytes())
