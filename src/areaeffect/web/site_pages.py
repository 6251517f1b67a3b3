"""Published runs as pages of a site, the same for `publish`, which writes them, and `serve`.

Every link is relative and nothing needs a script, so that the site works under any address, also
from a shared folder.
"""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from areaeffect.document.folders import refuse_foreign, write_whole
from areaeffect.errors import DataError, Problem, StudyError
from areaeffect.results import Finding, Verdict
from areaeffect.web import limits
from areaeffect.web.limits import NOWHERE, Contact, ServerSettings
from areaeffect.web.published import (
    ChartView,
    PublishedRun,
    PublishedRuns,
    RunsFolder,
    charts_of,
    facts_of,
    folders_of,
    groups_of,
)

if TYPE_CHECKING:
    from markupsafe import Markup
    from starlette.requests import Request


INDEX: Final = "index.html"
FEED: Final = "feed.atom"
ABOUT: Final = "about.html"
ATOM_TYPE: Final = "application/atom+xml; charset=utf-8"
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FULL_REPORT: Final = ("report.html", "report.pdf", "annex.html", "annex.pdf", "neighbourhoods/index.html")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What every page of one site shares."""

    contact: Contact = NOWHERE  # where a reader can write to; nothing is taken by the site itself.
    operator: str = ""  # who runs the site; empty: not said.
    base_url: str = ""  # public address of the site without a slash at its end; empty: not known.
    #: words and addresses of a server's other pages; empty for a site of its own.
    home: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """What a program shows of a shared link: words, and a chart of the run with its alternative."""

    title: str
    text: str
    picture: str = ""
    alternative: str = ""


def site_pages(holdings: PublishedRuns, frame: Frame) -> dict[str, Callable[[], bytes]]:
    """Return every page of a site by its path, each with a function that makes it."""
    pages: dict[str, Callable[[], bytes]] = {
        INDEX: partial(_index, holdings, frame),
        ABOUT: partial(_about, holdings, frame),
        FEED: partial(_feed, holdings, frame),
    }
    for run in holdings.runs.values():
        pages[f"{run.path}/{INDEX}"] = partial(_run, holdings, run, frame)
        for key, finding in run.main.items():
            pages[f"{run.path}/findings/{key}.html"] = partial(_finding, run, key, finding, frame)
    return pages


def site_files(holdings: PublishedRuns) -> dict[str, Path]:
    """Return the files of all runs that a site gives as they are, by their path on it."""
    runs = holdings.runs.values()
    return {f"{run.path}/{name}": run.folder / name for run in runs for name in run.files}


def _index(holdings: PublishedRuns, frame: Frame) -> bytes:
    text = "What neighbourhood initiatives changed, and what the data cannot show."
    preview = Preview("Published evaluations", text, *_picture(holdings.top))
    rows = [(run, _verdicts(holdings, run)) for run in holdings.top]
    return _page(INDEX, "index", frame, preview, updated=_newest(holdings), rows=rows)


def _about(holdings: PublishedRuns, frame: Frame) -> bytes:
    text = "Who runs these pages, privacy, and the accessibility statement."
    return _page(ABOUT, "about", frame, Preview("About these pages", text), updated=_newest(holdings))


def _newest(holdings: PublishedRuns) -> datetime | None:
    return max((run.updated for run in holdings.runs.values()), default=None)


def _run(holdings: PublishedRuns, run: PublishedRun, frame: Frame) -> bytes:
    from areaeffect.wording import group_title, overall

    text = run.question or run.title
    findings = list(run.main.values())
    if findings:
        first = [f for f in findings if f.group == findings[0].group]
        text = f"{group_title(first[0].group)}: {overall(first)}"
    parts = holdings.parts(run)
    picture, alternative = _picture(parts or [run])
    return _page(
        f"{run.path}/{INDEX}",
        "run",
        frame,
        Preview(run.title, text, picture, alternative),
        updated=run.updated,
        run=run,
        studies=[(part, _verdicts(holdings, part)) for part in parts],
        groups=groups_of(run),
        reports=[name for name in _FULL_REPORT if name in run.files],
        maps=_maps(run),
        data=[name for name in run.files if name.startswith("data/") and name.endswith(".csv")],
    )


def _finding(run: PublishedRun, key: str, finding: Finding, frame: Frame) -> bytes:
    from areaeffect.wording import headline, name_of

    charts = charts_of(run, finding)
    said = f"{str(finding.verdict).capitalize()}. {headline(finding)}"
    return _page(
        f"{run.path}/findings/{key}.html",
        "finding",
        frame,
        Preview(f"{name_of(finding)}: {finding.group}", said, *_first(run, charts)),
        updated=run.updated,
        run=run,
        key=key,
        f=finding,
        charts=charts,
        facts=facts_of(finding),
        stories=[s for s in run.stories if finding.family in s.families],
    )


def _page(  # what a template shares, then its own values
    path: str, template: str, frame: Frame, preview: Preview, *, updated: datetime | None, **values: Any
) -> bytes:
    from areaeffect import wording
    from areaeffect.document.blocks import Badge
    from areaeffect.document.page import policy_of
    from areaeffect.web.render import day, environment

    root = "../" * path.count("/")
    before = f"{frame.base_url}/" if frame.base_url else root
    text = (
        environment()
        .get_template(f"site/{template}.html.j2")
        .render(
            frame=frame,
            root=root,
            before=before,
            address=f"{before}{path}" if frame.base_url else "",
            preview=preview,
            style=_style(),
            policy=policy_of(_style()),
            operator=frame.operator,
            contact=frame.contact,
            updated=day(updated),
            is_site=True,
            wording=wording,
            claims=wording.numbers.PHRASES,
            badge=Badge,
            **values,
        )
    )
    return text.encode()


@cache
def _style() -> Markup:
    from markupsafe import Markup

    return Markup((files("areaeffect.web") / "static" / "app.css").read_text(encoding="utf-8"))


def _maps(run: PublishedRun) -> list[ChartView]:
    from areaeffect.document import svg

    found = []
    for name in reversed(run.files):  # the simple one first
        if name.startswith("charts/") and name.endswith(".svg") and "map" in name.split("/")[1]:
            chart = (run.folder / name).read_text(encoding="utf-8")
            drawn = ChartView(name.removesuffix(".svg"), svg.alternative(chart), svg.title_of(chart))
            found.append(drawn)
    return found


def _picture(runs: list[PublishedRun]) -> tuple[str, str]:
    """Return the first chart that any of the runs holds as a picture, and what it shows."""
    for run in runs:
        for finding in run.main.values():
            charts = charts_of(run, finding)
            if charts:
                return _first(run, charts)
    return "", ""


def _first(run: PublishedRun, charts: tuple[ChartView, ...]) -> tuple[str, str]:
    return (f"{run.path}/{charts[0].file}.png", charts[0].alternative) if charts else ("", "")


def _verdicts(holdings: PublishedRuns, run: PublishedRun) -> str:
    """Say how many findings have which verdict, of a collection over its parts."""
    findings = [f for one in (holdings.parts(run) or [run]) for f in one.main.values()]
    count = Counter(f.verdict for f in findings)
    return ", ".join(f"{count[v]} {v}" for v in Verdict if count[v]) or "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that is new."""

    path: str  # its page, relative to the site
    identity: str  # what it is known by, wherever the site is
    #: title, summary: plain text
    title: str
    summary: str
    updated: datetime  # when its run was written
    kind: str  # finding, story or event


def _feed(holdings: PublishedRuns, frame: Frame) -> bytes:
    """Return what is new as an Atom feed, the newest first."""
    from areaeffect.web.render import environment
    from areaeffect.wording import headline, name_of

    entries = []
    for run in holdings.runs.values():
        entries += [
            Entry(
                path=f"{run.path}/findings/{key}.html",
                identity=f"{run.seal}/{run.path}/{key}",
                title=f"{name_of(f)}, {f.group}: {f.verdict}",
                summary=f"{headline(f)} ({run.title})",
                updated=run.updated,
                kind="finding",
            )
            for key, f in run.main.items()
        ]
        for story in run.stories:
            where = " – ".join(part for part in (story.place, story.date) if part)
            entries.append(
                Entry(
                    path=f"{run.path}/{INDEX}#{story.key}",
                    identity=f"{run.seal}/{run.path}/{story.key}",
                    title=story.title,
                    summary=f"{where}. {story.text[:500]}".strip(),
                    updated=run.updated,
                    kind=story.kind,
                )
            )
    entries.sort(key=lambda e: (-e.updated.timestamp(), e.path))
    text = (
        environment()
        .get_template("site/feed.atom.j2")
        .render(
            title="What is new: findings, stories and events",
            identity=frame.base_url or " ".join(sorted(e.identity for e in entries)),
            before=f"{frame.base_url}/" if frame.base_url else "",
            entries=entries[: limits.FEED_ENTRIES],
            uuid=lambda text: uuid.uuid5(uuid.NAMESPACE_URL, f"areaeffect:{text}"),
        )
    )
    return _NOT_XML.sub("\ufffd", text).encode()


@dataclass(frozen=True, slots=True)
class Site:
    """One server's published runs, what their pages share, and the menu of its other pages."""

    shelf: RunsFolder
    shared: Frame
    menu: Callable[[], Sequence[tuple[str, str]]]

    @classmethod
    def of(cls, settings: ServerSettings, menu: Callable[[], Sequence[tuple[str, str]]]) -> Site:
        """Open the folder of runs that settings name."""
        base_url = f"{settings.base_url}/runs" if settings.base_url else ""
        shared = Frame(contact=settings.contact, operator=settings.operator, base_url=base_url)
        return cls(RunsFolder(settings.runs), shared, menu)

    @property
    def frame(self) -> Frame:
        """What the pages of runs share now: the menu follows what the server has."""
        others = (pair for pair in self.menu() if pair[1] != "/runs/")
        return replace(self.shared, home=(("Start page", "/"), *others))

    @property
    def holdings(self) -> PublishedRuns:
        """The runs that can be read now."""
        return self.shelf.holdings()

    def pages(self) -> Mapping[str, Callable[[], bytes]]:
        """Return what gives each page and each file of all runs, by path."""
        held = self.holdings
        files = {path: file.read_bytes for path, file in site_files(held).items()}
        return {**files, **site_pages(held, self.frame)}


def site_of(request: Request) -> Site:
    """Return the holdings of the server that is asked."""
    site: Site = request.app.state.site
    return site


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
            parents = map(str, PurePosixPath(path).parents)  # the nearest first
            own = next((p for p in parents if p in holdings.runs), None)
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


def _write(folder: Path, pages: dict[str, bytes], files: dict[str, Path]) -> None:
    for name in sorted({*pages, *files}):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pages[name] if name in pages else files[name].read_bytes())
